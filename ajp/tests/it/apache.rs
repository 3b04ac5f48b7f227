//! A private Apache httpd with the event MPM: a directory and a port of its own, ended when dropped, also when this
//! process is killed. Where Apache is not installed, `None` says so aloud.

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

/// How often it is started at another port before its failure is believed.
const ATTEMPTS: usize = 5;

/// Modules that Debian does not compile in.
const MODULES: [&str; 10] = [
    "mpm_event",
    "authz_core",
    "env",
    "headers",
    "slotmem_shm",
    "proxy",
    "proxy_ajp",
    "proxy_balancer",
    "lbmethod_byrequests",
    "setenvif",
];

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
    /// An Apache with these lines of configuration.
    pub(crate) fn start(lines: &str) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            // Written to the stream itself, since the test harness hides what passing tests print.
            let _ = writeln!(std::io::stderr(), "SKIPPED: apache2 is not installed");
            return None;
        }
        // Between finding a free port and using it another program may take it.
        let mut said = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(lines) {
                Ok(apache) => return Some(apache),
                Err(log) => said = log,
            }
        }
        panic!("Apache does not start:\n{said}")
    }

    /// An Apache that passes everything on to one container; `options` stand at the end of the line.
    pub(crate) fn before(container: SocketAddr, options: &str) -> Option<Self> {
        Self::start(&format!("ProxyPass / ajp://{container}/ {options}"))
    }

    fn try_start(lines: &str) -> Result<Self, String> {
        let directory = tempfile::Builder::new()
            .prefix("ajp-apache")
            .tempdir()
            .expect("a directory");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
        let port = port.expect("a free port").port();
        let configuration = directory.path().join("httpd.conf");
        fs::write(&configuration, configure(directory.path(), port, lines)).expect("a file");
        let said = fs::File::create(directory.path().join("stderr")).expect("a file");
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper", PROGRAM])
            .arg(&configuration)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .expect("a shell");
        let mut apache = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            directory,
            keeper,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        // It writes the number of its process when it listens, and not when somebody else does in its place.
        let pid = apache.directory.path().join("pid");
        while !(pid.exists() && TcpStream::connect(apache.address).is_ok()) {
            let failed = apache.said().contains("AH00015") || apache.keeper.try_wait().expect("a child").is_some();
            if failed || Instant::now() > deadline {
                return Err(apache.said());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(apache)
    }

    /// Tells Apache to start its processes anew, and to let the old ones finish what they do.
    pub(crate) fn graceful_restart(&self) {
        self.signal("USR1");
    }

    /// Ends Apache without grace.
    pub(crate) fn stop(&self) {
        self.signal("TERM");
    }

    fn signal(&self, name: &str) {
        let pid = fs::read_to_string(self.directory.path().join("pid")).expect("a running Apache");
        let sent = Command::new("kill").args(["-s", name, pid.trim()]).status();
        assert!(sent.expect("kill").success());
    }

    /// How often Apache has begun to serve with its configuration.
    pub(crate) fn starts(&self) -> usize {
        self.log().matches("resuming normal operations").count()
    }

    /// Its error log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("error.log")).unwrap_or_default()
    }

    fn said(&self) -> String {
        fs::read_to_string(self.directory.path().join("stderr")).unwrap_or_default() + &self.log()
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Its directory may go only when it has ended.
        let _ = self.keeper.wait();
        if thread::panicking() {
            eprintln!("--- log of Apache\n{}", self.log());
        }
    }
}

fn configure(directory: &Path, port: u16, lines: &str) -> String {
    let directory = directory.display();
    let modules = MODULES
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .concat();
    format!(
        "ServerRoot {directory}\n\
         PidFile {directory}/pid\n\
         ErrorLog {directory}/error.log\n\
         LogLevel notice proxy_ajp:debug\n\
         ServerName phone.test\n\
         Listen 127.0.0.1:{port}\n\
         {modules}\
         StartServers 1\n\
         MinSpareThreads 5\n\
         ServerLimit 4\n\
         ThreadsPerChild 25\n\
         MaxRequestWorkers 100\n\
         GracefulShutdownTimeout 1\n\
         MaxKeepAliveRequests 0\n\
         <Directory />\nRequire all denied\n</Directory>\n\
         {lines}\n"
    )
}
