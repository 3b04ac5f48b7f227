//! A private Apache in front of the gateway: the `ProxyPass` line of real installations, nothing else.
//!
//! It has a directory and a port of its own and ends when dropped, also when this process is killed. It is no test of
//! Apache; where it is not installed, `None` says so.

#![allow(dead_code, reason = "each program that starts an Apache needs a part of it")]

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::io::Write as _;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;

use crate::ports;

const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

/// Modules that Debian does not compile in. The MPM comes first.
const NEEDED: [&str; 7] = [
    "mpm_event",
    "authz_core",
    "env",
    "headers",
    "proxy",
    "proxy_ajp",
    "proxy_http",
];

/// Runs its arguments as a program until that ends by itself, or is asked to because the standard input ends.
const KEEPER: &str = r#"
exec 3<&0
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -TERM $server; } 2>/dev/null &
exec 3<&-
wait $server
"#;

pub(crate) struct Apache {
    pub(crate) address: SocketAddr,
    directory: PathBuf,
    /// The directory, unless it belongs to the caller.
    own: Option<TempDir>,
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
                io::stderr(),
                "SKIPPED: tests with Apache, because apache2 is not installed"
            );
            return None;
        }
        let mut said = String::new();
        for _ in 0..ports::ATTEMPTS {
            match Self::try_start(line) {
                Ok(apache) => return Some(apache),
                Err(log) => said = log,
            }
        }
        panic!("Apache does not start:\n{said}")
    }

    fn try_start(line: &str) -> Result<Self, String> {
        let own = tempfile::Builder::new().prefix("apache").tempdir().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let mut apache = Self::launch(own.path(), address, line)?;
        apache.own = Some(own);
        Ok(apache)
    }

    /// An Apache at an address, with a directory that stays. The error is what it said.
    pub(crate) fn launch(directory: &Path, address: SocketAddr, line: &str) -> Result<Self, String> {
        let configuration = directory.join("httpd.conf");
        let started = fs::write(&configuration, configure(directory, address, line)).and_then(|()| {
            let stderr = fs::File::create(directory.join("stderr"))?;
            let configuration = configuration.as_os_str();
            keep(
                Path::new(PROGRAM),
                &["-DFOREGROUND".as_ref(), "-f".as_ref(), configuration],
                stderr,
            )
        });
        let mut apache = Self {
            address,
            directory: directory.to_owned(),
            own: None,
            keeper: started.map_err(|error| error.to_string())?,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        // It writes the number of its process when it listens, and not when somebody else does in its place.
        let is_up = || directory.join("pid").exists() && TcpStream::connect(reachable(address)).is_ok();
        while !is_up() {
            let ended = !matches!(apache.keeper.try_wait(), Ok(None));
            if ended || Instant::now() > deadline {
                return Err(apache.said());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(apache)
    }

    /// The file with its lines.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.directory.join("httpd.conf")
    }

    /// Its error log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("error.log")).unwrap_or_default()
    }

    fn said(&self) -> String {
        let stderr = fs::read_to_string(self.directory.join("stderr")).unwrap_or_default();
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

/// The lines that are shipped for Apache, with the gateway at this address in place of the example's.
pub(crate) fn shipped(file: &str, gateway: SocketAddr) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/apache").join(file);
    let lines = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let example = if file == "ajp.conf" {
        "127.0.0.1:8009"
    } else {
        "127.0.0.1:8010"
    };
    assert!(lines.contains(example), "{file} does not name {example}");
    lines.replace(example, &gateway.to_string())
}

/// Starts a program that ends when the standard input of the returned process is closed, also by the death of this one.
/// It does not hear the Ctrl-C of a terminal.
pub(crate) fn keep(program: &Path, arguments: &[&OsStr], stderr: fs::File) -> io::Result<Child> {
    Command::new("sh")
        .args(["-c", KEEPER, "keeper"])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(stderr)
        .process_group(0)
        .spawn()
}

/// Where this machine reaches what listens at an address: "all addresses" is none to connect to.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn configure(directory: &Path, address: SocketAddr, line: &str) -> String {
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
         Listen {address}\n\
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
