//! A private MariaDB for tests: started once a test run, on a free port, in a directory that goes with it.
//!
//! Included by `#[path]` where it is needed. It has no users and no passwords (`--skip-grant-tables` lets the server
//! start from an empty directory in a second), so it is good for nothing else.

#![allow(dead_code, reason = "each user needs a part of it")]

use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use mysql_async::Conn;
use mysql_async::Opts;
use mysql_async::prelude::Queryable;

pub(crate) struct MariaDb {
    pub(crate) port: u16,
    schemas: AtomicU32,
    /// Its standard input is a pipe that closes when this process ends, however it ends; then the server ends too.
    _keeper: Child,
}

/// Where the server program may be.
const PROGRAMS: [&str; 4] = [
    "/usr/sbin/mariadbd",
    "/usr/libexec/mariadbd",
    "/usr/bin/mariadbd",
    "/usr/local/sbin/mariadbd",
];

/// Keeps the server until its standard input ends. Arguments: program, directory, port.
const KEEPER: &str = r#"
"$1" --no-defaults --user="$(id -un)" --skip-grant-tables --datadir="$2/data" --socket="$2/socket" \
    --pid-file="$2/pid" --bind-address=127.0.0.1 --port="$3" --log-error="$2/log.err" --innodb-buffer-pool-size=16M \
    --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0 --innodb-fast-shutdown=2 &
server=$!
cat >/dev/null
kill -9 $server
wait $server
rm -rf "$2"
"#;

/// The server of this test run, or `None`, said aloud, where MariaDB is not installed.
pub(crate) fn shared() -> Option<&'static MariaDb> {
    static SERVER: OnceLock<Option<Result<MariaDb, String>>> = OnceLock::new();
    let server = SERVER.get_or_init(start).as_ref()?;
    Some(server.as_ref().unwrap_or_else(|reason| panic!("{reason}")))
}

fn start() -> Option<Result<MariaDb, String>> {
    let Some(program) = PROGRAMS.iter().map(Path::new).find(|p| p.exists()) else {
        // Written to the stream itself, since the test harness hides what passing tests print.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: tests with MariaDB, because mariadbd is not installed"
        );
        return None;
    };
    // Between finding a free port and using it another program may take it.
    let started = start_on_free_port(program).or_else(|_| start_on_free_port(program));
    Some(started)
}

fn start_on_free_port(program: &Path) -> Result<MariaDb, String> {
    let directory = tempfile::Builder::new().prefix("mariadb").tempdir().unwrap().keep();
    fs::create_dir(directory.join("data")).unwrap();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut keeper = Command::new("sh")
        .args(["-c", KEEPER, "keeper"])
        .args([program, directory.as_path(), Path::new(&port.to_string())])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    if let Err(log) = wait_until_ready(&directory, port) {
        drop(keeper.stdin.take());
        let _ = keeper.wait();
        return Err(format!("{} does not start:\n{log}", program.display()));
    }
    Ok(MariaDb {
        port,
        schemas: AtomicU32::new(0),
        _keeper: keeper,
    })
}

/// Waits for the server to answer; gives its log when it does not.
fn wait_until_ready(directory: &Path, port: u16) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let log = fs::read_to_string(directory.join("log.err")).unwrap_or_default();
        if log.contains("ready for connections") && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        if log.contains("[ERROR] Aborting") || Instant::now() > deadline {
            return Err(log);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl MariaDb {
    /// Creates an empty schema and gives its name, which no other test has.
    pub(crate) async fn schema(&self) -> String {
        let name = format!("schema_{:06}", self.schemas.fetch_add(1, Ordering::Relaxed));
        self.run(&format!(
            "CREATE DATABASE {name} DEFAULT CHARACTER SET utf8 COLLATE utf8_unicode_ci"
        ))
        .await;
        name
    }

    /// The value of `com.openexchange.usm.database.url` for a schema.
    pub(crate) fn url(&self, schema: &str) -> String {
        format!("mysql://test:test@127.0.0.1:{}/{schema}", self.port)
    }

    /// Runs one statement.
    pub(crate) async fn run(&self, statement: &str) {
        let mut connection = self.connect().await;
        connection.query_drop(statement).await.unwrap();
        connection.disconnect().await.unwrap();
    }

    /// A connection without a schema.
    pub(crate) async fn connect(&self) -> Conn {
        let url = format!("mysql://test:test@127.0.0.1:{}?prefer_socket=false", self.port);
        Conn::new(Opts::from_url(&url).unwrap()).await.unwrap()
    }
}
