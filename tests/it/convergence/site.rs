//! Where a history plays: a stand-in for OX, a database, and the processes of the gateway, all on one thread.
//!
//! Nothing here waits for a clock, and requests reach the gateway without a socket, so that a history takes milliseconds
//! and goes the same way each time. A crash drops the processes with all that runs on them; the database is made to fail by a
//! trigger in it, so that the program needs no door for tests.

use std::array;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;

use ox_standin::Standin;
use oxtender::config::Database;
use oxtender::store::Store;
use oxtender::version::ProtocolVersion::V14_1;
use rusqlite::Connection;
use tempfile::TempDir;

use super::ox::Ox;
use super::process::Process;
use super::process::Stage;
use super::script::Moment;
use super::script::Trouble;
use crate::device::Device;
use crate::device::http::Answer;
use crate::device::http::Door;
use crate::device::http::Request;
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
    /// The file as it was when it was last saved.
    backup: Vec<u8>,
    /// From one start to the next; `None` only in between.
    processes: Option<[Process; GATEWAYS]>,
}

impl Site {
    pub(super) fn new(ox: &Ox) -> Arc<Self> {
        let standin = ox.start();
        let directory = tempfile::Builder::new().prefix("site").tempdir_in(place()).unwrap();
        let database = directory.path().join("oxtender.db");
        fs::write(&database, &*EMPTY).unwrap();
        let trigger = Connection::open(&database).unwrap();
        let processes = Some(start(&standin, &database));
        Arc::new(Self {
            standin,
            database,
            state: Mutex::new(State {
                trigger,
                backup: EMPTY.clone(),
                processes,
            }),
            _directory: directory,
        })
    }

    /// Sends a request; `None` when there is no answer that the phone would see.
    pub(super) fn send(&self, gateway: usize, request: &Request, trouble: &Trouble) -> Option<Answer> {
        let mut state = lock(&self.state);
        let State { trigger, processes, .. } = &mut *state;
        let running = processes.as_ref().expect("they were started");
        let process = &running[gateway];
        let until = |moment| process.serve_until(&self.standin, request, moment);
        let (answer, dies) = match trouble {
            Trouble::None => (Some(process.serve(request)), false),
            Trouble::AnswerLost => {
                process.serve(request);
                (None, false)
            }
            Trouble::HungUp { at } => (until(at).or_hang_up(), false),
            Trouble::Crash { at } => {
                let answer = until(at).or_hang_up();
                let dies = answer.is_none();
                (answer, dies)
            }
            Trouble::Twice { at, takes_first } => {
                let other = &running[(gateway + 1) % GATEWAYS];
                let [first, second] = match until(at) {
                    Stage::Over(first) => [first, other.serve(request)],
                    Stage::Held(held) => {
                        let second = other.serve(request);
                        [held.go_on(), second]
                    }
                };
                (Some(if *takes_first { first } else { second }), false)
            }
            Trouble::StoreFails { write, crash } => {
                allow_writes(trigger, write - 1);
                let answer = process.serve(request);
                allow_writes(trigger, MANY);
                (Some(answer).filter(|_| !crash), *crash)
            }
            Trouble::OxFails { call, fault } => {
                self.standin.faults().nth_of_all(*call, fault.clone());
                let answer = process.serve(request);
                self.standin.faults().clear();
                (Some(answer), false)
            }
        };
        if dies {
            self.replace(processes);
        }
        answer
    }

    /// All gateways stop and start; OX stays.
    pub(super) fn restart(&self) {
        self.replace(&mut lock(&self.state).processes);
    }

    /// Saves the database.
    pub(super) fn back_up(&self) {
        let mut state = lock(&self.state);
        let State { trigger, backup, .. } = &mut *state;
        // What is beside the file goes into it.
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_blocked: bool = trigger.query_row(checkpoint, [], |row| row.get(0)).unwrap();
        assert!(!is_blocked, "nobody else is at the database");
        *backup = fs::read(&self.database).unwrap();
    }

    /// All gateways stop, the database becomes what it was when it was saved, and they start; OX stays.
    pub(super) fn restore(&self) {
        let mut state = lock(&self.state);
        state.processes = None;
        state.trigger = Connection::open_in_memory().unwrap();
        let beside = self.database.with_extension("db-wal");
        assert!(!beside.exists(), "somebody is still at the database");
        fs::write(&self.database, &state.backup).unwrap();
        state.trigger = Connection::open(&self.database).unwrap();
        state.processes = Some(start(&self.standin, &self.database));
    }

    fn replace(&self, processes: &mut Option<[Process; GATEWAYS]>) {
        // What has begun at the database ends with them.
        *processes = None;
        *processes = Some(start(&self.standin, &self.database));
    }
}

fn start(standin: &Standin, database: &Path) -> [Process; GATEWAYS] {
    array::from_fn(|number| Process::start(standin, database, number))
}

/// The file of a database in which nothing is yet but its tables and triggers, made once for all histories.
static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let directory = tempfile::Builder::new().prefix("empty").tempdir_in(place()).unwrap();
    let database = directory.path().join("oxtender.db");
    runtime().block_on(async {
        let store = Store::open(&Database::Sqlite(database.clone())).await.unwrap();
        store.prepare_all().await.unwrap();
    });
    // Who closes the file last writes everything into it.
    drop(with_triggers(&database));
    fs::read(&database).unwrap()
});

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

/// The first request of a phone enters the device, its folders and a state: it stops behind each of these.
#[test]
fn a_request_is_stopped_behind_each_call_at_the_database() {
    let mut stops = 0;
    loop {
        let site = Site::new(&Ox::COMMON);
        let way = Arc::new(Way(site.clone()));
        let device = Device::new(way, "anton", "secret", "phone", V14_1);
        let request = device.link.wbxml("FolderSync", &device.folder_sync_request());
        let at = Moment::Database { call: stops + 1 };
        if site.send(0, &request, &Trouble::Crash { at }).is_some() {
            break;
        }
        stops += 1;
        // Whatever the crash left, the phone goes on with it.
        let again = site.send(0, &request, &Trouble::None);
        assert_eq!(again.map(|answer| answer.status), Some(200), "after call {stops}");
    }
    assert!(stops > 5, "{stops} stops");
}
