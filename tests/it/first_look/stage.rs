//! Makes one thing wrong, and lets a phone or the program run into it.

use std::any::Any;
use std::fs;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::thread;

use ox_standin::User;
use oxtender::version::ProtocolVersion::V14_1;
use tempfile::TempDir;

use crate::apache::Apache;
use crate::device::INBOX;
use crate::device::http::Door as _;
use crate::device::http::HttpDoor;
use crate::doors::ADMIN;
use crate::doors::AJP;
use crate::mariadb;
use crate::operations::ask;
use crate::world::Plan;
use crate::world::World;
use crate::world::runtime;
use crate::world::wait_for;

/// Nobody's number: files that belong to root are closed to it.
const NOBODY: u32 = 65_534;

/// A staged fault.
pub(super) struct Site {
    /// The gateway, where it runs.
    pub(super) world: Option<World>,
    /// What the program said that has ended.
    pub(super) said: String,
    etc: PathBuf,
    /// Further arguments of the check.
    pub(super) arguments: Vec<String>,
    /// Further variables of its environment.
    pub(super) environment: Vec<(&'static str, PathBuf)>,
    /// Who runs the programs: nobody, or whoever runs the tests.
    as_nobody: bool,
    program: PathBuf,
    /// What must live as long.
    _others: Vec<Box<dyn Any + Send>>,
}

impl Site {
    /// A gateway that runs. It took free ports; its configuration now names them, so that a check finds it.
    fn of(world: World, others: Vec<Box<dyn Any + Send>>) -> Self {
        let ports = format!("{AJP}={}\n{ADMIN}={}\n", world.ajp_address(), world.admin_address());
        let file = fs::OpenOptions::new()
            .append(true)
            .open(world.etc().join("usm.properties"));
        file.unwrap().write_all(ports.as_bytes()).unwrap();
        let site = Self::in_directory(world.etc());
        Self {
            world: Some(world),
            _others: others,
            ..site
        }
    }

    fn in_directory(etc: &Path) -> Self {
        Self {
            world: None,
            said: String::new(),
            etc: etc.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            as_nobody: false,
            program: PathBuf::from(env!("CARGO_BIN_EXE_oxtender")),
            _others: Vec::new(),
        }
    }

    /// A directory with these lines in `usm.properties`, and an empty `eas.properties`. No program runs yet.
    fn planned(usm: &str) -> (Self, TempDir) {
        let directory = tempfile::Builder::new().prefix("site").tempdir().unwrap();
        let database = format!("sqlite:{}/oxtender.db", directory.path().display());
        let usm = format!("com.openexchange.usm.database.url={database}\n{usm}");
        fs::write(directory.path().join("usm.properties"), usm).unwrap();
        fs::write(directory.path().join("eas.properties"), "").unwrap();
        let site = Self::in_directory(directory.path());
        (site, directory)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .arg("--etc")
            .arg(&self.etc)
            .env("OXTENDER_PASSWORD", "secret")
            .envs(self.environment.iter().cloned());
        if self.as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Lets the program run to its end, which it finds by itself.
    fn ended(mut self, other: impl Any + Send) -> Self {
        let mut child = self.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let status = wait_for("the program to end", || child.try_wait().unwrap());
        assert!(!status.success());
        child.stderr.take().unwrap().read_to_string(&mut self.said).unwrap();
        self._others.push(Box::new(other));
        self
    }

    /// The exit status of `oxtender check`, and what it says.
    pub(super) fn check(&self) -> (i32, String) {
        let output = self
            .command(&["check"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), said)
    }
}

/// A world that looks again soon at what is not well.
pub(super) fn plan() -> Plan {
    World::plan().property("session_cache_check_interval", "1000")
}

/// A phone asks, and it does not matter what it is told.
fn a_phone_asks(world: &World) {
    let options = world.device(V14_1).link.options();
    let _ = world.ajp().carry(&options);
    let provision = world.device(V14_1).folder_sync_request();
    let link = world.device(V14_1).link;
    let _ = world.ajp().carry(&link.wbxml("FolderSync", &provision));
}

pub(super) fn wrong_url() -> Option<Site> {
    let mut world = plan().start()?;
    let file = world.etc().join("usm.properties");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("/ajax/", "/nowhere/")).unwrap();
    world.restart();
    a_phone_asks(&world);
    Some(Site::of(world, Vec::new()))
}

pub(super) fn ox_down() -> Option<Site> {
    let mut world = plan().start()?;
    world.stop_ox();
    a_phone_asks(&world);
    Some(Site::of(world, Vec::new()))
}

/// A server that asks for passwords, with an account that may do this in a schema; then a gateway with that password.
fn guarded(may: &str, password: &str) -> Option<Site> {
    let server = mariadb::guarded()?;
    let schema = runtime().block_on(async {
        let schema = server.schema().await;
        server
            .run("CREATE USER ox@'127.0.0.1' IDENTIFIED BY 'password-of-ox'")
            .await;
        server
            .run(&format!("GRANT {may} ON {schema}.* TO ox@'127.0.0.1'"))
            .await;
        schema
    });
    let url = format!("mysql://ox:{password}@127.0.0.1:{}/{schema}", server.port);
    let world = plan().property("database.url", &url).start()?;
    Some(Site::of(world, vec![Box::new(server)]))
}

pub(super) fn wrong_password() -> Option<Site> {
    guarded("ALL", "wrong-word")
}

pub(super) fn only_select() -> Option<Site> {
    guarded("SELECT", "password-of-ox")
}

/// A gateway whose schema held something before it came.
fn occupied(tables: &[&str]) -> Option<Site> {
    let server = mariadb::shared()?;
    let schema = runtime().block_on(async {
        let schema = server.schema().await;
        for statement in tables {
            server.run(&statement.replace("SCHEMA", &schema)).await;
        }
        schema
    });
    let world = plan().property("database.url", &server.url(&schema)).start()?;
    a_phone_asks(&world);
    Some(Site::of(world, Vec::new()))
}

pub(super) fn foreign_tables() -> Option<Site> {
    occupied(&["CREATE TABLE SCHEMA.USMSession (cid INT, serial INT)"])
}

pub(super) fn locked_schema() -> Option<Site> {
    occupied(&[
        "CREATE TABLE SCHEMA.updateTask (cid INT UNSIGNED NOT NULL, taskName VARCHAR(1024) NOT NULL, successful BOOLEAN NOT NULL,
         lastModified BIGINT NOT NULL, uuid BINARY(16) NOT NULL, PRIMARY KEY (cid, uuid))",
        "INSERT INTO SCHEMA.updateTask VALUES (0, 'LOCKED', TRUE, UNIX_TIMESTAMP() * 1000, UNHEX(MD5('LOCKED')))",
    ])
}

/// A gateway with the databases of an Open-Xchange, of which something is changed before.
fn with_configdb(change: &str) -> Option<Site> {
    let server = mariadb::shared()?;
    let etc = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let [config, ..] = server.configdb().await;
        server.run(&change.replace("CONFIG", &config)).await;
        server.write_configdb_files(&config, etc.path());
    });
    let mut files = Vec::new();
    for name in ["configdb.properties", "system.properties"] {
        files.push((name, fs::read_to_string(etc.path().join(name)).unwrap()));
    }
    let mut plan = plan().property("database.url", "configdb");
    for (name, text) in files {
        plan = plan.file(name, &text);
    }
    let world = plan.start()?;
    a_phone_asks(&world);
    Some(Site::of(world, Vec::new()))
}

/// As Open-Xchange leaves it while it moves a context to another schema.
pub(super) fn moved_context() -> Option<Site> {
    with_configdb("UPDATE CONFIG.context SET enabled = FALSE WHERE cid = 1")
}

pub(super) fn lost_schema() -> Option<Site> {
    with_configdb("UPDATE CONFIG.context_server2db_pool SET db_schema = 'gone' WHERE cid = 1 AND server_id = 6")
}

pub(super) fn port_taken() -> Option<Site> {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let accepting = other.try_clone().unwrap();
    // It hangs up on whoever comes.
    thread::spawn(move || accepting.incoming().map_while(Result::ok).for_each(drop));
    let usm = format!("com.openexchange.usm.eas.ajp.listen={address}\ncom.openexchange.usm.eas.admin.listen=\n");
    let (site, directory) = Site::planned(&usm);
    Some(site.ended((other, directory)))
}

pub(super) fn unreadable_file() -> Option<Site> {
    let (mut site, directory) = Site::planned("");
    let open = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(directory.path(), 0o755);
    open(&directory.path().join("eas.properties"), 0o000);
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if is_root {
        // Root reads everything, and the directory of the build may be closed to others.
        site.as_nobody = true;
        site.program = directory.path().join("oxtender");
        // By another process: what this one has open for writing, its other children could hold open, too.
        let copied = Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_oxtender"))
            .arg(&site.program)
            .status();
        assert!(copied.unwrap().success());
    }
    Some(site.ended(directory))
}

pub(super) fn bad_value() -> Option<Site> {
    let (site, directory) = Site::planned("com.openexchange.usm.eas.ping.max_heartbeat=soon\n");
    Some(site.ended(directory))
}

/// Apache before the gateway, as a check is told of it.
pub(super) fn behind(apache: Apache, world: World, name: Option<SocketAddr>) -> Site {
    let configuration = apache.configuration().display().to_string();
    let mut site = Site::of(world, vec![Box::new(apache)]);
    site.arguments = vec!["--apache-config".to_owned(), configuration];
    if let Some(address) = name {
        site.arguments
            .extend(["--apache".to_owned(), format!("http://{address}")]);
    }
    site
}

pub(super) fn secret_mismatch() -> Option<Site> {
    let world = plan().secret("sesame").start()?;
    let apache = Apache::start(world.ajp_address(), "secret=wrong-word timeout=3700")?;
    let address = apache.address;
    let options = world.device(V14_1).link.options();
    assert_eq!(HttpDoor(address).carry(&options).unwrap().status, 403);
    Some(behind(apache, world, Some(address)))
}

pub(super) fn missing_permission() -> Option<Site> {
    let standin = |builder: ox_standin::Builder| builder.user(User::new(3, "anton", "secret").without("mobility"));
    let world = plan().standin(standin).start()?;
    a_phone_asks(&world);
    let mut site = Site::of(world, Vec::new());
    site.arguments = vec!["--user".to_owned(), "anton".to_owned()];
    Some(site)
}

pub(super) fn short_timeout() -> Option<Site> {
    let world = plan().start()?;
    let apache = Apache::start(world.ajp_address(), "timeout=1 retry=0")?;
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let ping = device.ping_request(300, &[&inbox]);
    // Three alike are no accident; on a busy machine some differ.
    wait_for("waits that are cut off alike", || {
        let answer = HttpDoor(apache.address).carry(&ping).unwrap();
        assert!((500..=504).contains(&answer.status), "{}", answer.status);
        let health = String::from_utf8_lossy(&ask(&world, "/health").body).into_owned();
        health.contains("cut off after 1 s").then_some(())
    });
    Some(behind(apache, world, None))
}
