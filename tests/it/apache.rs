//! A private Apache in front of the gateway: the `ProxyPass` line of real installations, nothing else.
//!
//! It has a directory and a port of its own and ends when dropped, also when this process is killed. It is no test of
//! Apache; where it is not installed, `None` says so.

#![allow(dead_code, reason = "each program that starts an Apache needs a part of it")]

use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

/// Modules that Debian does not compile in. The MPM comes first.
const NEEDED: [&str; 5] = ["mpm_event", "authz_core", "proxy", "proxy_ajp", "proxy_http"];

/// Keeps Apache until the standard input ends. Arguments: program, configuration.
const KEEPER: &str = r#"
"$1" -f "$2" -DFOREGROUND &
server=$!
cat >/dev/null
kill -TERM $server
wait $server
"#;

pub(crate) struct Apache {
    pub(crate) address: SocketAddr,
    directory: TempDir,
    /// A shell that ends Apache when its standard input is closed.
    keeper: Child,
}

impl Apache {
    /// An Apache with the line of existing installations; `options` stand at its end (`timeout=3 secret=word`).
    /// `None`, said aloud, where it is not installed.
    pub(crate) fn start(gateway: SocketAddr, options: &str) -> Option<Self> {
        Self::with_line(&format!(
            "ProxyPass /Microsoft-Server-ActiveSync ajp://{gateway}/Microsoft-Server-ActiveSync smax=0 ttl=60 retry=5 {options}"
        ))
    }

    /// An Apache with a line of one's own.
    pub(crate) fn with_line(line: &str) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            // Written to the stream itself, since the test harness hides what passing tests print.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: tests with Apache, because apache2 is not installed"
            );
            return None;
        }
        // Between finding a free port and using it another program may take it.
        let started = Self::try_start(line).or_else(|_| Self::try_start(line));
        Some(started.unwrap_or_else(|log| panic!("Apache does not start:\n{log}")))
    }

    fn try_start(line: &str) -> Result<Self, String> {
        let directory = tempfile::Builder::new().prefix("apache").tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let configuration = directory.path().join("httpd.conf");
        fs::write(&configuration, configure(directory.path(), port, line)).unwrap();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper", PROGRAM])
            .arg(&configuration)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(fs::File::create(directory.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut apache = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            directory,
            keeper,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(apache.address).is_err() {
            let ended = apache.keeper.try_wait().unwrap().is_some();
            if ended || Instant::now() > deadline || apache.said().contains("AH00") && apache.said().contains("Error") {
                return Err(apache.said());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(apache)
    }

    /// Its error log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("error.log")).unwrap_or_default()
    }

    fn said(&self) -> String {
        let stderr = fs::read_to_string(self.directory.path().join("stderr")).unwrap_or_default();
        stderr + &self.log()
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It ends by itself now; its directory may go only then.
        let _ = self.keeper.wait();
        if thread::panicking() {
            eprintln!("--- log of Apache\n{}", self.log());
        }
    }
}

fn configure(directory: &Path, port: u16, line: &str) -> String {
    let directory = directory.display();
    let modules = NEEDED
        .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
        .concat();
    format!(
        "ServerRoot {directory}\n\
         PidFile {directory}/pid\n\
         ErrorLog {directory}/error.log\n\
         LogLevel warn proxy_ajp:debug\n\
         ServerName phone.test\n\
         Listen 127.0.0.1:{port}\n\
         {modules}\
         StartServers 1\n\
         ServerLimit 2\n\
         ThreadsPerChild 25\n\
         MaxRequestWorkers 50\n\
         GracefulShutdownTimeout 1\n\
         KeepAliveTimeout 30\n\
         MaxKeepAliveRequests 0\n\
         <Directory />\nRequire all denied\n</Directory>\n\
         {line}\n"
    )
}
