//! Where a history plays: a stand-in for OX, a database, and gateways, all on one thread.
//!
//! Nothing here waits for a clock, and requests reach the gateway without a socket, so that a history takes milliseconds
//! and goes the same way each time. A crash drops the runtime with all that runs on it, at the await point where the
//! stand-in holds it; the database is made to fail by a trigger in it, so that the program needs no door for tests.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use ox_standin::Fault;
use ox_standin::Gate;
use ox_standin::Standin;
use oxtender::config::Database;
use oxtender::eas::ConflictNotes;
use oxtender::eas::Eas;
use oxtender::eas::PROTOCOL;
use oxtender::eas::Services;
use oxtender::eas::address::Endpoint;
use oxtender::ox::Ox;
use oxtender::session::Access;
use oxtender::session::Sessions;
use oxtender::store::Store;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::script::Trouble;
use crate::device::http::Answer;
use crate::device::http::Door;
use crate::device::http::Request;
use crate::device::strict;
use crate::inside::handed_on;
use crate::inside::services;
use crate::world::lock;
use crate::world::runtime;

/// Processes that share one database, as behind a load balancer.
pub(super) const GATEWAYS: usize = 2;

/// More writes than a history has.
const MANY: usize = 1_000_000;

/// Tables that a request writes to.
const TABLES: [&str; 5] = [
    "USMDataStorage",
    "easUIDMapping",
    "USMSession",
    "USMSessionFields",
    "usmIdMapping",
];

/// How it writes.
const EVENTS: [&str; 2] = ["INSERT", "UPDATE"];

pub(super) struct Site {
    pub(super) standin: Standin,
    database: PathBuf,
    state: Mutex<State>,
    _directory: TempDir,
}

struct State {
    /// The test's own connection to the database.
    trigger: Connection,
    life: Life,
}

/// The gateways from one start to the next.
struct Life {
    runtime: Runtime,
    gateways: Vec<Eas>,
}

impl Site {
    pub(super) fn new() -> Arc<Self> {
        let standin = Standin::builder()
            .max_sessions_per_user(10_000)
            .now(crate::items::now())
            .build();
        let directory = tempfile::Builder::new().prefix("site").tempdir_in(place()).unwrap();
        let database = directory.path().join("oxtender.db");
        let life = Life::start(&standin, &database);
        let trigger = with_triggers(&database);
        Arc::new(Self {
            standin,
            database,
            state: Mutex::new(State { trigger, life }),
            _directory: directory,
        })
    }

    /// Sends a request; `None` when there is no answer that the phone would see.
    pub(super) fn send(&self, gateway: usize, request: &Request, trouble: &Trouble) -> Option<Answer> {
        let mut state = lock(&self.state);
        self.prepare(&state, trouble);
        let State { trigger, life } = &mut *state;
        let answer = match trouble {
            Trouble::Twice {
                call,
                carried_out,
                takes_first,
            } => {
                let gate = Gate::default();
                let hold = Fault::Hold {
                    gate: gate.clone(),
                    carried_out: *carried_out,
                };
                self.standin.faults().nth_of_all(*call, hold);
                let [first, second] = life.serve_twice(&self.standin, gateway, request, &gate);
                Some(if *takes_first { first } else { second })
            }
            trouble => life.serve(&self.standin, gateway, request, trouble),
        };
        self.standin.faults().clear();
        allow_writes(trigger, MANY);
        let dies = match trouble {
            Trouble::Crash { .. } => answer.is_none(),
            Trouble::StoreFails { crash, .. } => *crash,
            _ => false,
        };
        if dies {
            self.replace(life);
            return None;
        }
        answer.filter(|_| *trouble != Trouble::AnswerLost)
    }

    /// All gateways stop and start; OX stays.
    pub(super) fn restart(&self) {
        self.replace(&mut lock(&self.state).life);
    }

    fn replace(&self, life: &mut Life) {
        *life = Life::start(&self.standin, &self.database);
    }

    fn prepare(&self, state: &State, trouble: &Trouble) {
        let faults = self.standin.faults();
        match trouble {
            Trouble::None | Trouble::AnswerLost | Trouble::Twice { .. } => {}
            Trouble::HungUp { call } => faults.nth_of_all(*call, Fault::Delay(Duration::ZERO)),
            Trouble::Crash { call, carried_out } => faults.nth_of_all(
                *call,
                match carried_out {
                    true => Fault::Silence,
                    false => Fault::Timeout,
                },
            ),
            Trouble::StoreFails { write, .. } => allow_writes(&state.trigger, write - 1),
            Trouble::OxFails { call, fault } => faults.nth_of_all(*call, fault.clone()),
        }
    }
}

impl Life {
    fn start(standin: &Standin, database: &Path) -> Self {
        let runtime = runtime();
        let gateways = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/ajax/", listener.local_addr().unwrap());
            tokio::spawn(standin.clone().serve(listener));
            let mut gateways = Vec::new();
            for _ in 0..GATEWAYS {
                gateways.push(gateway(&url, database).await);
            }
            gateways
        });
        Self { runtime, gateways }
    }

    /// `None`: the connection was gone before there was an answer.
    fn serve(&self, standin: &Standin, gateway: usize, request: &Request, trouble: &Trouble) -> Option<Answer> {
        let ends_early = matches!(trouble, Trouble::HungUp { .. } | Trouble::Crash { .. });
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                answer = self.handle(gateway, request) => Some(answer),
                () = called(standin), if ends_early => None,
            }
        })
    }

    /// The same request at two gateways. The first stands at the gate, if it comes there, while the other one is served.
    fn serve_twice(&self, standin: &Standin, first: usize, request: &Request, gate: &Gate) -> [Answer; 2] {
        let second = (first + 1) % GATEWAYS;
        self.runtime.block_on(async {
            let mut early = std::pin::pin!(self.handle(first, request));
            let early_answer = tokio::select! {
                biased;
                answer = &mut early => Some(answer),
                () = called(standin) => None,
            };
            standin.faults().clear();
            let second = self.handle(second, request).await;
            gate.open();
            let first = match early_answer {
                Some(answer) => answer,
                None => early.await,
            };
            [first, second]
        })
    }

    async fn handle(&self, gateway: usize, request: &Request) -> Answer {
        let response = self.gateways[gateway]
            .handle(Endpoint::ActiveSync, handed_on(request))
            .await;
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let mut headers: Vec<_> = response.headers().iter().map(text).collect();
        // That is for the door to say.
        headers.push(("Content-Length".to_owned(), response.body().len().to_string()));
        let answer = Answer::new(response.status().as_u16(), headers, response.into_body().to_vec());
        strict::check(request, &answer);
        answer
    }
}

/// Ends when the call has come that a fault waits for. Looked at between any two steps of the runtime, so that nothing
/// happens after that call.
async fn called(standin: &Standin) {
    while !standin.faults().are_spent() {
        tokio::task::yield_now().await;
    }
}

/// The gateway without its doors.
async fn gateway(url: &str, database: &Path) -> Eas {
    let store = Store::open(&Database::Sqlite(database.to_owned())).await.unwrap();
    store.prepare_all().await.unwrap();
    let sessions = Sessions::new(Ox::new(url).unwrap(), Arc::new(store), Access::default(), PROTOCOL);
    // A notice is a mail that nobody in a history has sent.
    let conflict_notes = ConflictNotes::List;
    let services = Services {
        conflict_notes,
        ..services()
    };
    Eas::new(services, Arc::new(sessions), |_| {})
}

/// A connection to the database, whose triggers count writes down and refuse those that are too many.
fn with_triggers(database: &Path) -> Connection {
    let connection = Connection::open(database).unwrap();
    connection
        .execute_batch("CREATE TABLE allowed (writes INTEGER NOT NULL); INSERT INTO allowed VALUES (0);")
        .unwrap();
    for (table, event) in TABLES.iter().flat_map(|table| EVENTS.map(|event| (table, event))) {
        connection
            .execute_batch(&format!(
                "CREATE TRIGGER {event}_{table} BEFORE {event} ON {table} BEGIN
                     UPDATE allowed SET writes = writes - 1;
                     SELECT RAISE(ABORT, 'refused by the test') FROM allowed WHERE writes < 0;
                 END"
            ))
            .unwrap();
    }
    allow_writes(&connection, MANY);
    connection
}

fn allow_writes(connection: &Connection, count: usize) {
    let count = i64::try_from(count).unwrap();
    connection.execute("UPDATE allowed SET writes = ?", [count]).unwrap();
}

/// Memory, where there is a file system in it: the disk is not what is tested here.
fn place() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    match fs::metadata(&memory) {
        Ok(found) if found.is_dir() => memory,
        _ => std::env::temp_dir(),
    }
}

/// The way of a phone whose requests all arrive.
pub(super) struct Way(pub(super) Arc<Site>);

impl Door for Way {
    fn carry(&self, request: &Request) -> io::Result<Answer> {
        self.0
            .send(0, request, &Trouble::None)
            .ok_or_else(|| io::ErrorKind::ConnectionReset.into())
    }

    fn hang_up(&self, request: &Request) -> io::Result<()> {
        self.0.send(0, request, &Trouble::AnswerLost);
        Ok(())
    }
}
