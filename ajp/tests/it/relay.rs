//! A wire between Apache and a server that remembers what went over it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::tcp::OwnedWriteHalf;

/// Who sends a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    WebServer,
    Container,
}

/// What went over one connection, in order, as it came out of the socket.
pub(crate) type Tape = Vec<(From, Vec<u8>)>;

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    tapes: Arc<Mutex<Vec<Tape>>>,
}

impl Relay {
    pub(crate) async fn to(container: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let tapes = Arc::new(Mutex::new(Vec::new()));
        let recorded = tapes.clone();
        tokio::spawn(async move {
            while let Ok((web_server, _)) = listener.accept().await {
                let Ok(container) = TcpStream::connect(container).await else {
                    continue;
                };
                connect(web_server, container, &recorded);
            }
        });
        Self { address, tapes }
    }

    /// How many connections Apache has made.
    pub(crate) fn connections(&self) -> usize {
        self.tapes.lock().expect("no panic").len()
    }

    pub(crate) fn tapes(&self) -> Vec<Tape> {
        self.tapes.lock().expect("no panic").clone()
    }
}

fn connect(web_server: TcpStream, container: TcpStream, tapes: &Arc<Mutex<Vec<Tape>>>) {
    let number = {
        let mut tapes = tapes.lock().expect("no panic");
        tapes.push(Tape::new());
        tapes.len() - 1
    };
    for stream in [&web_server, &container] {
        stream.set_nodelay(true).expect("a socket");
    }
    let (from_web_server, to_web_server) = web_server.into_split();
    let (from_container, to_container) = container.into_split();
    tokio::spawn(copy(
        From::WebServer,
        number,
        from_web_server,
        to_container,
        tapes.clone(),
    ));
    tokio::spawn(copy(
        From::Container,
        number,
        from_container,
        to_web_server,
        tapes.clone(),
    ));
}

async fn copy(
    from: From,
    number: usize,
    mut source: OwnedReadHalf,
    mut target: OwnedWriteHalf,
    tapes: Arc<Mutex<Vec<Tape>>>,
) {
    let mut buffer = vec![0; 65536];
    while let Ok(length @ 1..) = source.read(&mut buffer).await {
        tapes.lock().expect("no panic")[number].push((from, buffer[..length].to_vec()));
        if target.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    // The end of one direction is passed on when its half is dropped.
}
