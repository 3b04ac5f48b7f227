//! The load: connections on one thread, each asking again as soon as it has been answered.

use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use std::time::Instant;

use ajp::packet::ForwardRequest;
use ajp::packet::PacketSize;
use bytes::BytesMut;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::task::LocalSet;

use crate::process::Process;

/// So long nothing more has come when an answer is over; only to learn its length.
const QUIET: Duration = Duration::from_millis(200);

/// Ports that one source address has for connections.
const PORTS: usize = 20_000;

/// The same request, again and again, over so many connections.
pub(crate) struct Load {
    request: Vec<u8>,
    connections: usize,
}

pub(crate) struct Measured {
    /// Requests in a second.
    pub(crate) rate: f64,
    /// Microseconds of the server's CPU time for each, if the server is known.
    pub(crate) cpu: f64,
}

impl Load {
    /// A small POST over AJP.
    pub(crate) fn ajp(connections: usize) -> Self {
        let request = forwarded("/");
        Self { request, connections }
    }

    /// The same over HTTP.
    pub(crate) fn post(path: &str, connections: usize) -> Self {
        let headers: String = PHONE
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!("POST {path} HTTP/1.1\r\n{headers}\r\n{}", "y".repeat(100));
        Self {
            request: request.into(),
            connections,
        }
    }

    pub(crate) fn get(path: &str, connections: usize) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: mail.example.com\r\n\r\n");
        Self {
            request: request.into(),
            connections,
        }
    }

    /// Runs for a time, and says how it went.
    pub(crate) fn run(&self, address: SocketAddr, time: Duration, server: Option<&Process>) -> io::Result<Measured> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let local = LocalSet::new();
        local.block_on(&runtime, async {
            let length = self.answer_length(address).await?;
            let request: Rc<[u8]> = self.request.clone().into();
            let mut streams = Vec::new();
            for _ in 0..self.connections {
                streams.push(connect(address).await?);
            }
            let cpu_before = server.map(Process::cpu).transpose()?.unwrap_or_default();
            let begun = Instant::now();
            let mut clients = JoinSet::new();
            for stream in streams {
                clients.spawn_local(ask_until(stream, request.clone(), length, begun + time));
            }
            let mut count = 0_usize;
            while let Some(answered) = clients.join_next().await {
                count += answered??;
            }
            let count = count as f64;
            let took = begun.elapsed().as_secs_f64();
            let cpu = server.map(Process::cpu).transpose()?.unwrap_or_default() - cpu_before;
            Ok(Measured {
                rate: count / took,
                cpu: cpu.as_secs_f64() * 1e6 / count,
            })
        })
    }

    /// The bytes of one answer; all have the same.
    async fn answer_length(&self, address: SocketAddr) -> io::Result<usize> {
        let mut stream = connect(address).await?;
        stream.write_all(&self.request).await?;
        let mut received = vec![0; 65536];
        let mut length = stream.read(&mut received).await?;
        while let Ok(read) = tokio::time::timeout(QUIET, stream.read(&mut received)).await {
            length += read?;
        }
        Ok(length)
    }
}

async fn ask_until(mut stream: TcpStream, request: Rc<[u8]>, length: usize, end: Instant) -> io::Result<usize> {
    // A byte more than comes: a read that fills its buffer would have tokio ask the kernel once more.
    let mut received = vec![0; length + 1];
    let mut count = 0;
    while Instant::now() < end {
        stream.write_all(&request).await?;
        let mut missing = length;
        while missing > 0 {
            match stream.read(&mut received[..=missing]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => missing = missing.checked_sub(read).ok_or(io::ErrorKind::InvalidData)?,
            }
        }
        count += 1;
    }
    Ok(count)
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connections with a parked request each. They last as long as this does.
pub(crate) struct Held {
    _runtime: Runtime,
    _streams: Vec<TcpStream>,
}

/// Parks so many requests, from as many source addresses as that takes, and waits until all have been taken in.
pub(crate) fn park(address: SocketAddr, connections: usize) -> io::Result<Held> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let request = forwarded("/park");
    let streams = runtime.block_on(async {
        let mut streams = Vec::new();
        for number in 0..connections {
            let socket = TcpSocket::new_v4()?;
            let last = u8::try_from(2 + number / PORTS).map_err(io::Error::other)?;
            socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
            let mut stream = socket.connect(address).await?;
            stream.write_all(&request).await?;
            streams.push(stream);
        }
        // One more is answered when all before it have been accepted; then the last of them have been read, too.
        let mut last = connect(address).await?;
        last.write_all(&forwarded("/")).await?;
        last.read_exact(&mut [0; 6]).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        io::Result::Ok(streams)
    })?;
    Ok(Held {
        _runtime: runtime,
        _streams: streams,
    })
}

/// The headers of a phone's request.
const PHONE: [(&str, &str); 12] = [
    ("Host", "mail.example.com"),
    ("User-Agent", "Apple-iPhone14C2/2006.71"),
    ("Authorization", "Basic YW50b25AZXhhbXBsZS5jb206c2VjcmV0IHBhc3N3b3Jk"),
    ("Content-Type", "application/vnd.ms-sync.wbxml"),
    ("Content-Length", "100"),
    ("Accept", "*/*"),
    ("Accept-Language", "de-DE,de;q=0.9"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("MS-ASProtocolVersion", "16.1"),
    ("X-MS-PolicyKey", "1307199584"),
    ("Connection", "keep-alive"),
    ("Cookie", "USERCONTEXT=6a1f0c3e2b"),
];

/// FORWARD_REQUEST and DATA of a small POST.
fn forwarded(path: &str) -> Vec<u8> {
    let size = PacketSize::new(PacketSize::MIN);
    let target = format!("{path}?Cmd=Ping&User=anton&DeviceId=ABCDEF0123456789&DeviceType=iPhone");
    let mut request = ForwardRequest::new(Method::POST, target.parse().expect("a target"));
    for (name, value) in PHONE {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        request = request.header(name, HeaderValue::from_static(value));
    }
    request.peer.remote_addr = "198.51.100.7".to_owned();
    request.peer.remote_port = Some(50_000);
    request.peer.server_name = "mail.example.com".to_owned();
    let local = ("AJP_LOCAL_ADDR".to_owned(), "192.0.2.1".to_owned());
    request.peer.attributes.named.push(local);
    let mut out = BytesMut::new();
    ajp::encode::forward_request(&mut out, &request, size).expect("it fits");
    ajp::encode::data(&mut out, &[b'y'; 100], size);
    out.to_vec()
}
