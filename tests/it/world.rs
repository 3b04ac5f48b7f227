//! What a scenario runs in: OX in this process, the gateway as the program that ships, and a store.
//!
//! Each test has a world of its own, and several run at once: ports are free ones, files are in a directory that goes with
//! the world. When a test fails, the log of its gateway and the calls at its OX are shown.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use ox_standin::Builder;
use ox_standin::Profile;
use ox_standin::Running;
use ox_standin::Standin;
use ox_standin::WebUser;
use oxtender::version::ProtocolVersion;
use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::device::Device;
use crate::device::http::Door;
use crate::doors::ADMIN;
use crate::doors::AJP;
use crate::doors::AjpDoor;
use crate::doors::Doors;
use crate::doors::HTTP;
use crate::doors::PlainDoor;
use crate::mariadb;

/// What a test waits for happens within this time, or never.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Where the gateway keeps the state of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    MariaDb,
}

pub(crate) struct World {
    pub(crate) standin: Standin,
    ox: Option<Running>,
    ox_address: SocketAddr,
    /// Keeps the port of OX from other tests while it is off: who connects is refused.
    ox_place: Option<TcpSocket>,
    directory: TempDir,
    gateway: Option<Gateway>,
    doors: Arc<Doors>,
    secret: Option<String>,
    next_device: AtomicU32,
}

/// A world that is being made.
pub(crate) struct Plan {
    builder: Builder,
    store: Store,
    properties: Vec<(String, String)>,
    files: Vec<(String, String)>,
    secret: Option<String>,
}

/// The program, and what it said.
struct Gateway {
    child: Child,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

/// The OX of every test, unless a test says otherwise. `OX_PROFILE=6.16` and `OX_WHIMS=7` make it another one, to see what
/// depends on the generation of the server, and on what the documents leave open.
fn ox() -> Builder {
    let mut builder = Standin::builder();
    if let Ok(profile) = std::env::var("OX_PROFILE") {
        builder = builder.profile(profile.parse().expect("a profile of the stand-in"));
    }
    if let Ok(seed) = std::env::var("OX_WHIMS") {
        builder = builder.whims(seed.parse().expect("a number"));
    }
    builder
}

impl World {
    /// A world with everything at its default.
    pub(crate) fn start() -> Self {
        Self::plan().start().expect("SQLite is always there")
    }

    pub(crate) fn plan() -> Plan {
        Plan {
            builder: ox(),
            store: Store::Sqlite,
            properties: Vec::new(),
            files: Vec::new(),
            secret: None,
        }
    }

    /// A world with an OX of that generation or a later one, for what came with it.
    pub(crate) fn since(profile: Profile) -> Self {
        let plan = Self::plan().standin(|builder| builder.at_least(profile));
        plan.start().expect("SQLite is always there")
    }

    /// A world with that store; `None` where it is not installed.
    pub(crate) fn with(store: Store) -> Option<Self> {
        Self::plan().store(store).start()
    }

    /// The user `anton` at the web interface.
    pub(crate) fn anton(&self) -> WebUser {
        self.standin.web("anton")
    }

    /// A new phone of `anton`, that goes in through the AJP door.
    pub(crate) fn device(&self, version: ProtocolVersion) -> Device {
        self.device_of("anton", version)
    }

    /// A new phone of a user, that goes in through the AJP door.
    pub(crate) fn device_of(&self, login: &str, version: ProtocolVersion) -> Device {
        let number = self.next_device.fetch_add(1, Ordering::Relaxed);
        Device::new(self.ajp(), login, "secret", &format!("phone{number}"), version)
    }

    /// A phone that is set up.
    pub(crate) fn ready_device(&self, version: ProtocolVersion) -> Device {
        let mut device = self.device(version);
        device.set_up();
        device
    }

    pub(crate) fn ajp(&self) -> Arc<dyn Door> {
        Arc::new(AjpDoor {
            doors: self.doors.clone(),
            secret: self.secret.clone(),
        })
    }

    pub(crate) fn http(&self) -> Arc<dyn Door> {
        Arc::new(PlainDoor(self.doors.clone()))
    }

    pub(crate) fn ajp_address(&self) -> SocketAddr {
        self.doors.of(AJP)
    }

    pub(crate) fn admin_address(&self) -> SocketAddr {
        self.doors.of(ADMIN)
    }

    /// Where the configuration of the gateway is.
    pub(crate) fn etc(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The database file of [`Store::Sqlite`].
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.directory.path().join("oxtender.db")
    }

    /// Ends the gateway as a power cut does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut gateway) = self.gateway.take() {
            gateway.child.kill().expect("the gateway runs");
            gateway.child.wait().expect("the gateway was started");
            gateway.show_if_failing();
        }
    }

    /// Starts the gateway again on what the one before left.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.launch();
    }

    /// Asks the gateway to end, as a service manager does, and returns how long it took.
    pub(crate) fn terminate(&mut self) -> Duration {
        let mut gateway = self.gateway.take().expect("the gateway runs");
        let asked = Instant::now();
        gateway.signal("-TERM");
        let status = wait_for("the gateway to end", || {
            gateway.child.try_wait().expect("a child of ours")
        });
        assert!(status.success(), "{status}");
        gateway.show_if_failing();
        asked.elapsed()
    }

    /// Writes `eas.properties` anew, asks the gateway to read its configuration again, and returns what it logs about that
    /// up to the line that contains `last`. The file's options are named by what stands behind `com.openexchange.usm.`.
    pub(crate) fn reconfigure(&self, options: &[(&str, &str)], last: &str) -> String {
        let line = |(name, value): &(&str, &str)| format!("com.openexchange.usm.{name}={value}\n");
        let text: String = options.iter().map(line).collect();
        fs::write(self.etc().join("eas.properties"), text).unwrap();
        let gateway = self.gateway.as_ref().expect("the gateway runs");
        let before = lock(&gateway.log.lines).len();
        gateway.signal("-HUP");
        let told = gateway.log.wait(|lines| {
            let new = lines.get(before..).unwrap_or_default();
            let end = new.iter().position(|line| line.contains(last))?;
            Some(new[..=end].join("\n"))
        });
        told.unwrap_or_else(|| panic!("{last:?} is not logged:\n{}", gateway.log.text()))
    }

    /// Takes OX off the network, sessions and data kept.
    pub(crate) fn stop_ox(&mut self) {
        self.ox = None;
        let place = TcpSocket::new_v4().expect("a socket");
        place.set_reuseaddr(true).expect("an option of a socket");
        wait_for("the port of OX", || place.bind(self.ox_address).ok());
        self.ox_place = Some(place);
    }

    /// Puts OX back where it was.
    pub(crate) fn start_ox(&mut self) {
        self.ox_place = None;
        let started = wait_for("the port of OX", || self.standin.start(self.ox_address).ok());
        self.ox = Some(started);
    }

    /// The most memory that the gateway has had so far, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let pid = self.gateway.as_ref().expect("the gateway runs").child.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process of Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kilobytes.expect("a number of kilobytes") * 1024
    }

    /// What the gateway said so far.
    pub(crate) fn log(&self) -> String {
        self.gateway
            .as_ref()
            .map(|gateway| gateway.log.text())
            .unwrap_or_default()
    }

    fn launch(&mut self) {
        let gateway = Gateway::launch(self.directory.path());
        let doors = gateway.wait_for_doors(&[AJP, HTTP, ADMIN]);
        self.doors.set(doors);
        self.gateway = Some(gateway);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- calls at OX\n{}", self.standin.calls().text());
        }
    }
}

impl Plan {
    /// Settings of OX.
    pub(crate) fn standin(mut self, change: impl FnOnce(Builder) -> Builder) -> Self {
        self.builder = change(self.builder);
        self
    }

    pub(crate) fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    /// An option of the gateway, by what stands behind `com.openexchange.usm.`.
    pub(crate) fn property(mut self, name: &str, value: &str) -> Self {
        self.properties
            .push((format!("com.openexchange.usm.{name}"), value.to_owned()));
        self
    }

    /// One more file beside the configuration.
    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// The secret that the web server must know.
    pub(crate) fn secret(mut self, secret: &str) -> Self {
        self.secret = Some(secret.to_owned());
        self.property("eas.ajp.secret", secret)
    }

    /// `None` where the store is not installed, which was said aloud.
    pub(crate) fn start(self) -> Option<World> {
        let directory = tempfile::Builder::new().prefix("world").tempdir().unwrap();
        let database = match self.store {
            Store::Sqlite => format!("sqlite:{}/oxtender.db", directory.path().display()),
            Store::MariaDb => {
                let server = mariadb::shared()?;
                let runtime = runtime();
                server.url(&runtime.block_on(server.schema()))
            }
        };
        let standin = self.builder.build();
        let ox = standin.start("127.0.0.1:0").unwrap();
        let mut properties = vec![
            ("com.openexchange.usm.ox.url".to_owned(), ox.url()),
            ("com.openexchange.usm.database.url".to_owned(), database),
            ("com.openexchange.usm.eas.ping.min_heartbeat".to_owned(), "1".to_owned()),
            ("com.openexchange.usm.eas.ping.poll_interval".to_owned(), "1".to_owned()),
        ];
        for door in [AJP, HTTP, ADMIN] {
            properties.push((door.to_owned(), "127.0.0.1:0".to_owned()));
        }
        properties.extend(self.properties);
        let text: String = properties
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        fs::write(directory.path().join("usm.properties"), text).unwrap();
        fs::write(directory.path().join("eas.properties"), "").unwrap();
        for (name, text) in self.files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let mut world = World {
            standin,
            ox_address: ox.address(),
            ox_place: None,
            ox: Some(ox),
            directory,
            gateway: None,
            doors: Arc::default(),
            secret: self.secret,
            next_device: AtomicU32::new(1),
        };
        world.launch();
        Some(world)
    }
}

impl Gateway {
    fn launch(etc: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oxtender"))
            .arg("serve")
            .arg("--etc")
            .arg(etc)
            .env("RUST_LOG", "info,oxtender=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the gateway can be started");
        let log = Arc::new(Log::default());
        let stderr = child.stderr.take().expect("a pipe");
        let reader = log.clone();
        thread::spawn(move || reader.follow(stderr));
        Self { child, log }
    }

    fn wait_for_doors(&self, keys: &[&str]) -> Vec<(String, SocketAddr)> {
        let doors = self.log.wait(|lines| {
            let found = keys
                .iter()
                .map(|key| Some(((*key).to_owned(), lines.iter().find_map(|line| door(line, key))?)));
            found.collect()
        });
        doors.unwrap_or_else(|| panic!("the gateway does not start:\n{}", self.log.text()))
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill");
        assert!(sent.success());
    }

    fn show_if_failing(&self) {
        if thread::panicking() {
            eprintln!("--- log of the gateway\n{}", self.log.text());
        }
    }
}

/// The address in `... listening on 127.0.0.1:40123 (KEY)`.
fn door(line: &str, key: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    let (address, of) = rest.split_once(' ')?;
    (of == format!("({key})")).then(|| address.parse().ok()).flatten()
}

impl Log {
    fn follow(&self, stderr: ChildStderr) {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            lock(&self.lines).push(line);
            self.grown.notify_all();
        }
    }

    fn wait<T>(&self, mut found: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + DEADLINE;
        let mut lines = lock(&self.lines);
        loop {
            if let Some(found) = found(&lines) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            lines = self
                .grown
                .wait_timeout(lines, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn text(&self) -> String {
        lock(&self.lines).join("\n")
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Asks until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
