//! A private MariaDB for tests: started once a test run, on a port of its own, in a directory that goes with it.
//!
//! Included by `#[path]` where it is needed, beside `ports.rs`. It has no users and no passwords (`--skip-grant-tables` lets the server
//! start from an empty directory in a second), so it is good for nothing else. Where passwords and permissions matter there
//! is a second one, which takes longer.

#![allow(dead_code, reason = "each user needs a part of it")]

use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
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

use super::ports;

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

/// Makes the tables of users and permissions in a directory.
const INSTALL: &str = "/usr/bin/mariadb-install-db";

/// Keeps the server until its standard input ends. Arguments: program, directory, port, further options.
const KEEPER: &str = r#"
program=$1 directory=$2 port=$3
shift 3
"$program" --no-defaults --user="$(id -un)" --datadir="$directory/data" --socket="$directory/socket" \
    --pid-file="$directory/pid" --bind-address=127.0.0.1 --port="$port" --log-error="$directory/log.err" \
    --innodb-buffer-pool-size=16M --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0 --innodb-fast-shutdown=2 \
    "$@" &
server=$!
cat >/dev/null
kill -9 $server
wait $server
rm -rf "$directory"
"#;

/// Whether the server asks for passwords.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    None,
    Passwords,
}

/// The one who may do everything at a server that asks.
const ADMINISTRATOR: &str = "CREATE USER test@'127.0.0.1' IDENTIFIED BY 'test';
GRANT ALL ON *.* TO test@'127.0.0.1' WITH GRANT OPTION;
";

/// The server of this test run, or `None`, said aloud, where MariaDB is not installed.
pub(crate) fn shared() -> Option<&'static MariaDb> {
    static SERVER: OnceLock<Option<Result<MariaDb, String>>> = OnceLock::new();
    let server = SERVER.get_or_init(|| start(Guard::None)).as_ref()?;
    Some(server.as_ref().unwrap_or_else(|reason| panic!("{reason}")))
}

/// A server of one's own that asks for passwords and minds permissions.
pub(crate) fn guarded() -> Option<MariaDb> {
    Some(start(Guard::Passwords)?.unwrap_or_else(|reason| panic!("{reason}")))
}

fn start(guard: Guard) -> Option<Result<MariaDb, String>> {
    let Some(program) = PROGRAMS.iter().map(Path::new).find(|p| p.exists()) else {
        // Written to the stream itself, since the test harness hides what passing tests print.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: tests with MariaDB, because mariadbd is not installed"
        );
        return None;
    };
    let mut started = Err(String::new());
    for _ in 0..ports::ATTEMPTS {
        started = start_on_free_port(program, guard);
        if started.is_ok() {
            break;
        }
    }
    Some(started)
}

fn start_on_free_port(program: &Path, guard: Guard) -> Result<MariaDb, String> {
    let directory = tempfile::Builder::new().prefix("mariadb").tempdir().unwrap().keep();
    fs::create_dir(directory.join("data")).unwrap();
    let port = ports::free();
    let options = match guard {
        Guard::None => vec!["--skip-grant-tables".to_owned()],
        Guard::Passwords => install(&directory)?,
    };
    let mut keeper = Command::new("sh")
        .args(["-c", KEEPER, "keeper"])
        .args([program, directory.as_path(), Path::new(&port.to_string())])
        .args(options)
        // A server that starts removes what others have there.
        .env("TMPDIR", &directory)
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

/// Makes what a server needs that asks for passwords; its options.
fn install(directory: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(INSTALL)
        .arg("--no-defaults")
        .arg(format!("--datadir={}/data", directory.display()))
        .args(["--skip-test-db", "--auth-root-authentication-method=normal"])
        .env("TMPDIR", directory)
        .output()
        .map_err(|error| format!("{INSTALL}: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let users = directory.join("users.sql");
    fs::write(&users, ADMINISTRATOR).unwrap();
    Ok(vec![
        "--skip-name-resolve".to_owned(),
        format!("--init-file={}", users.display()),
    ])
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

    /// The configuration database of an Open-Xchange: two contexts in two schemas, a third that is disabled, and another server
    /// of which nothing is right. As much of its tables as the route needs, in its own words. The names of the configuration
    /// database and of the two schemas.
    pub(crate) async fn configdb(&self) -> [String; 3] {
        let [config, one, two] = [self.schema().await, self.schema().await, self.schema().await];
        let port = self.port;
        for statement in [
            format!("CREATE TABLE {config}.server (server_id INT UNSIGNED PRIMARY KEY, name VARCHAR(255) UNIQUE)"),
            format!("INSERT INTO {config}.server VALUES (6, 'oxserver'), (7, 'other')"),
            format!("CREATE TABLE {config}.context (cid INT UNSIGNED PRIMARY KEY, name VARCHAR(128), enabled BOOLEAN)"),
            format!("INSERT INTO {config}.context VALUES (1, 'one', TRUE), (2, 'two', TRUE), (3, 'three', FALSE)"),
            format!(
                "CREATE TABLE {config}.db_pool (db_pool_id INT UNSIGNED PRIMARY KEY, url VARCHAR(255), driver VARCHAR(255),
                 login VARCHAR(128), password VARCHAR(128), name VARCHAR(128))"
            ),
            format!(
                "INSERT INTO {config}.db_pool VALUES
                 (3, 'jdbc:mysql://127.0.0.1:1/', 'com.mysql.jdbc.Driver', 'reader', 'x', 'replica'),
                 (4, 'jdbc:mysql://127.0.0.1:{port}/?useUnicode=true', 'com.mysql.jdbc.Driver', 'ox', 'x', 'a'),
                 (5, 'jdbc:mysql://localhost:{port}', 'com.mysql.jdbc.Driver', 'ox', 'x', 'b')"
            ),
            format!(
                "CREATE TABLE {config}.context_server2db_pool (server_id INT UNSIGNED, cid INT UNSIGNED,
                 read_db_pool_id INT UNSIGNED, write_db_pool_id INT UNSIGNED, db_schema VARCHAR(32), PRIMARY KEY (cid, server_id))"
            ),
            format!(
                "INSERT INTO {config}.context_server2db_pool VALUES (6, 1, 3, 4, '{one}'), (6, 2, 3, 5, '{two}'),
                 (6, 3, 3, 5, '{two}'), (7, 1, 3, 3, 'wrong')"
            ),
        ] {
            self.run(&statement).await;
        }
        [config, one, two]
    }

    /// Writes the files of Open-Xchange that lead to such a database.
    pub(crate) fn write_configdb_files(&self, config: &str, etc: &Path) {
        let port = self.port;
        let file = format!(
            "readUrl=jdbc:mysql://127.0.0.1:1/configdb\nwriteUrl=jdbc:mysql://127.0.0.1:{port}/{config}?useSSL=false\n\
             writeProperty.1=user=openexchange\nwriteProperty.2=password=secret\n"
        );
        fs::write(etc.join("configdb.properties"), file).unwrap();
        fs::write(etc.join("system.properties"), "SERVER_NAME=oxserver\n").unwrap();
    }
}
