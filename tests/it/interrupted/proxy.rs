//! A cable to MySQL that ends at a chosen command.
//!
//! Of the protocol it reads the heads of packets and no more, after the manual's "MySQL Packets" and "Command Phase": three
//! bytes of length and one that counts; a packet of the client that counts as 0 begins a command.

use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

use oxtender::config::Database;
use oxtender::config::MysqlUrl;

use crate::world::lock;

/// Commands that have no answer: COM_QUIT, COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE.
const UNANSWERED: [u8; 3] = [0x01, 0x18, 0x19];

/// Before or behind a command, counted from 1 since the harm was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) number: usize,
    /// The server has carried it out, and its answer does not arrive.
    pub(super) carried_out: bool,
}

/// What happens at that moment, until it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    /// All connections end, and new ones at once.
    Cut,
    /// Nothing is carried any more, and nobody hears of it.
    Silence,
}

pub(super) struct Proxy {
    /// On this machine.
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Commands since the harm was ordered.
    commands: usize,
    ordered: Option<(Moment, Harm)>,
    /// What reigns now.
    harm: Option<Harm>,
    /// All that was ever connected since it was mended last.
    ends: Vec<TcpStream>,
}

/// A connection of the gateway.
struct Connection {
    state: Arc<Mutex<State>>,
    /// Its next answer is the one that must not arrive.
    is_last: AtomicBool,
}

impl Proxy {
    pub(super) fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let here = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A connection that fails is one that the gateway loses.
                let _ = connect(&shared, client, port);
            }
        });
        Self { port: here, state }
    }

    /// A schema at its other end.
    pub(super) fn database(&self, schema: String) -> Database {
        Database::Mysql(MysqlUrl {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: self.port,
            user: "test".to_owned(),
            password: "test".into(),
            schema,
        })
    }

    pub(super) fn harm(&self, at: Moment, harm: Harm) {
        let mut state = lock(&self.state);
        state.commands = 0;
        state.ordered = Some((at, harm));
    }

    /// Whether the moment has come.
    pub(super) fn is_struck(&self) -> bool {
        lock(&self.state).harm.is_some()
    }

    /// Carries again; what was connected under a harm is not connected any more.
    pub(super) fn mend(&self) {
        let mut state = lock(&self.state);
        state.ordered = None;
        if state.harm.take().is_some() {
            state.end_all();
        }
    }
}

impl State {
    fn strike(&mut self, harm: Harm) {
        self.harm = Some(harm);
        if harm == Harm::Cut {
            self.end_all();
        }
    }

    fn end_all(&mut self) {
        for end in self.ends.drain(..) {
            // It may be closed already.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn connect(state: &Arc<Mutex<State>>, client: TcpStream, port: u16) -> io::Result<()> {
    let mut locked = lock(state);
    if locked.harm == Some(Harm::Cut) {
        return Ok(());
    }
    locked.ends.push(client.try_clone()?);
    if locked.harm == Some(Harm::Silence) {
        return Ok(());
    }
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    locked.ends.push(server.try_clone()?);
    let connection = Arc::new(Connection {
        state: state.clone(),
        is_last: AtomicBool::new(false),
    });
    let back = (connection.clone(), server.try_clone()?, client.try_clone()?);
    thread::spawn(move || connection.carry_commands(client, server));
    thread::spawn(move || {
        let (connection, server, client) = back;
        connection.carry_answers(server, client);
    });
    Ok(())
}

impl Connection {
    fn carry_commands(&self, mut client: TcpStream, mut server: TcpStream) {
        while let Ok(packet) = packet(&mut client) {
            if !self.lets_through(&packet) {
                return;
            }
            if server.write_all(&packet).is_err() {
                break;
            }
        }
        end(&client, &server);
    }

    fn carry_answers(&self, mut server: TcpStream, mut client: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = server.read(&mut buffer) {
            let mut state = lock(&self.state);
            if self.is_last.load(Ordering::SeqCst)
                && let Some((_, harm)) = state.ordered
            {
                state.strike(harm);
            }
            if state.harm.is_some() {
                return;
            }
            drop(state);
            if client.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        end(&client, &server);
    }

    fn lets_through(&self, packet: &[u8]) -> bool {
        let mut state = lock(&self.state);
        let is_command = packet[3] == 0 && packet.get(4).is_some_and(|command| !UNANSWERED.contains(command));
        if is_command
            && state.harm.is_none()
            && let Some((at, harm)) = state.ordered
        {
            state.commands += 1;
            match state.commands == at.number {
                true if at.carried_out => self.is_last.store(true, Ordering::SeqCst),
                true => state.strike(harm),
                false => {}
            }
        }
        state.harm.is_none()
    }
}

/// A packet with its head.
fn packet(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; 4];
    from.read_exact(&mut packet)?;
    let length = u32::from_le_bytes([packet[0], packet[1], packet[2], 0]);
    packet.resize(4 + length as usize, 0);
    from.read_exact(&mut packet[4..])?;
    Ok(packet)
}

fn end(client: &TcpStream, server: &TcpStream) {
    for end in [client, server] {
        // It may be closed already.
        let _ = end.shutdown(Shutdown::Both);
    }
}
