//! What an administrator finds when something is wrong: the log, `/health` and `oxtender check` name cause and remedy.
//!
//! One table of faults, each staged with the program that ships, real sockets, and real servers beside it. Those that take a
//! server that is not installed are left out, which is said aloud.

use std::any::Any;
use std::fs;
use std::io::Read as _;
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
use crate::mariadb;
use crate::operations::ask;
use crate::world::Plan;
use crate::world::World;
use crate::world::runtime;
use crate::world::wait_for;

/// Nobody's number: files that belong to root are closed to it.
const NOBODY: u32 = 65_534;

/// Something that is wrong.
struct Fault {
    name: &'static str,
    /// Makes it wrong, and lets a phone or the program run into it. `None` where a server is not installed.
    stage: fn() -> Option<Site>,
    /// Words of one line of the log.
    log: &'static [&'static str],
    /// The status of `/health`, and words of its text; `None` where the program does not run.
    health: Option<(u16, &'static [&'static str])>,
    /// The exit status of `oxtender check`, and words of one of its lines: the cause, and behind `->` the remedy.
    check: (i32, &'static [&'static str]),
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "wrong OX URL",
        stage: wrong_url,
        log: &[
            "/nowhere/login",
            "HTTP 404",
            "correct the URL of the OX server",
            "/ajax/",
        ],
        health: Some((503, &["\"ox\":{\"ok\":false", "/nowhere/login", "correct the URL"])),
        check: (
            1,
            &[
                "error ",
                "ox ",
                "/nowhere/login",
                " -> ",
                "com.openexchange.usm.ox.url=http://HOST/ajax/",
                "usm.properties, line 1",
            ],
        ),
    },
    Fault {
        name: "OX down",
        stage: ox_down,
        log: &["/ajax/login", "cannot connect", "see whether OX runs"],
        health: Some((503, &["\"ox\":{\"ok\":false", "cannot connect", "see whether OX runs"])),
        check: (
            1,
            &[
                "error ",
                "ox ",
                "cannot connect",
                " -> ",
                "start Open-Xchange, or com.openexchange.usm.ox.url=",
            ],
        ),
    },
    Fault {
        name: "wrong database password",
        stage: wrong_password,
        log: &[
            "creating tables: 127.0.0.1:",
            "Access denied for user 'ox'",
            "look at user, password",
        ],
        health: Some((
            503,
            &[
                "\"database\":{\"ok\":false",
                "Access denied for user 'ox'",
                "look at user, password",
            ],
        )),
        check: (
            1,
            &[
                "error ",
                "database ",
                "Access denied for user 'ox'",
                " -> ",
                "com.openexchange.usm.database.url=mysql://USER:PASSWORD@",
            ],
        ),
    },
    Fault {
        name: "missing permission in the database",
        stage: only_select,
        log: &[
            "creating tables: 127.0.0.1:",
            "CREATE",
            "denied",
            "look at user, password and permissions",
        ],
        health: Some((503, &["\"database\":{\"ok\":false", "denied", "permissions"])),
        check: (
            1,
            &[
                "error ",
                "database ",
                "'ox'@'127.0.0.1' lacks",
                " -> ",
                "GRANT INSERT, UPDATE, DELETE, CREATE ON `schema_",
            ],
        ),
    },
    Fault {
        name: "foreign tables",
        stage: foreign_tables,
        log: &[
            "creating tables: the table USMSession in the database",
            "serial",
            "drop the tables USMSessionFields",
        ],
        health: Some((
            503,
            &[
                "\"database\":{\"ok\":false",
                "the table USMSession in",
                "drop the tables USMSessionFields",
            ],
        )),
        check: (
            1,
            &["error ", "database ", "the table USMSession in", " -> ", "DROP TABLE"],
        ),
    },
    Fault {
        name: "locked schema",
        stage: locked_schema,
        log: &[
            "creating tables:",
            "is updating this schema (LOCKED in updateTask)",
            "unblockdatabase",
        ],
        health: Some((
            503,
            &[
                "\"database\":{\"ok\":false",
                "is updating this schema",
                "unblockdatabase",
            ],
        )),
        check: (
            1,
            &[
                "warning ",
                "database ",
                "is updating this schema",
                " -> ",
                "unblockdatabase",
            ],
        ),
    },
    Fault {
        name: "moved context",
        stage: moved_context,
        log: &["the context 1 is disabled", "while it is moved", "enablecontext"],
        health: Some((
            200,
            &[
                "\"database\":{\"ok\":true,\"warnings\"",
                "the contexts 1, 3 are disabled",
                "enablecontext",
            ],
        )),
        check: (
            0,
            &[
                "warning ",
                "database ",
                "the contexts 1, 3 are disabled",
                " -> ",
                "enablecontext",
            ],
        ),
    },
    Fault {
        name: "context in a schema that is not there",
        stage: lost_schema,
        log: &[
            "creating tables:",
            "Unknown database 'gone'",
            "create the schema, or name another one",
        ],
        health: Some((
            503,
            &[
                "\"database\":{\"ok\":false",
                "Unknown database 'gone'",
                "create the schema",
            ],
        )),
        check: (
            1,
            &[
                "error ",
                "database ",
                "there is no schema gone",
                " -> ",
                "CREATE DATABASE `gone`",
            ],
        ),
    },
    Fault {
        name: "port taken",
        stage: port_taken,
        log: &[
            "cannot listen on 127.0.0.1:",
            "com.openexchange.usm.eas.ajp.listen",
            "Stop it, or change",
            "in use",
        ],
        health: None,
        check: (
            1,
            &[
                "error ",
                "listeners ",
                "is taken by another program",
                "neither AJP nor HTTP",
                " -> ",
                "com.openexchange.usm.eas.ajp.listen=127.0.0.1:",
            ],
        ),
    },
    Fault {
        name: "unreadable file",
        stage: unreadable_file,
        log: &[
            "eas.properties",
            "Permission denied",
            "chown root:open-xchange",
            "chmod 640",
        ],
        health: None,
        check: (
            1,
            &[
                "error ",
                "configuration ",
                "eas.properties: Permission denied",
                " -> ",
                "chmod 640",
            ],
        ),
    },
    Fault {
        name: "bad value",
        stage: bad_value,
        log: &[
            "usm.properties, line ",
            "ping.max_heartbeat=soon",
            "allowed: a whole number of seconds from 1 to 3540",
        ],
        health: None,
        check: (
            1,
            &[
                "error ",
                "configuration ",
                "ping.max_heartbeat=soon",
                " -> ",
                "com.openexchange.usm.eas.ping.max_heartbeat=3540 (",
            ],
        ),
    },
    Fault {
        name: "secret mismatch",
        stage: secret_mismatch,
        log: &["AJP: refused: missing or wrong secret", "secret= of Apache's worker"],
        health: Some((
            200,
            &[
                "\"listeners\":",
                "1 requests over AJP came with a wrong secret",
                "ajp.secret",
                "ProxyPass ... secret=",
            ],
        )),
        check: (
            1,
            &[
                "error ",
                "apache ",
                "httpd.conf, line ",
                "another secret than the gateway",
                " -> ",
                "secret=WORD in that line",
            ],
        ),
    },
    Fault {
        name: "secret mismatch, seen from outside",
        stage: secret_mismatch,
        log: &["AJP: refused"],
        health: Some((200, &["wrong secret"])),
        check: (
            1,
            &[
                "error ",
                "apache ",
                "answers 403",
                "another secret, or none",
                " -> ",
                "secret=WORD at the end of the ProxyPass line",
            ],
        ),
    },
    Fault {
        name: "secret mismatch, as the gateway tells",
        stage: secret_mismatch,
        log: &["AJP: refused"],
        health: Some((200, &["wrong secret"])),
        check: (
            1,
            &[
                "warning ",
                "gateway ",
                "requests over AJP came with a wrong secret",
                " -> ",
            ],
        ),
    },
    Fault {
        name: "missing permission",
        stage: missing_permission,
        log: &[
            "the permission \"syncml\" is missing at OX",
            "grant it",
            "com.openexchange.usm.access_check_module",
        ],
        health: Some((
            200,
            &[
                "\"ox\":{\"ok\":true,\"warnings\"",
                "the permission \\\"syncml\\\" is missing",
                "grant it",
                "access_check_module",
            ],
        )),
        check: (
            1,
            &[
                "error ",
                "ox ",
                "he lacks the permission syncml",
                " -> ",
                "grant it at Open-Xchange",
                "com.openexchange.usm.access_check_module=none",
            ],
        ),
    },
    Fault {
        name: "Apache timeout below the heartbeat",
        stage: short_timeout,
        log: &[
            "waiting devices are cut off after 1 s",
            "timeout=3700",
            "ping.max_heartbeat",
        ],
        health: Some((200, &["\"listeners\":", "cut off after 1 s", "timeout=3700"])),
        check: (
            0,
            &[
                "warning ",
                "apache ",
                "httpd.conf, line ",
                "gives up after 1 s (timeout=)",
                " -> ",
                "timeout=3700 at the end of that line",
            ],
        ),
    },
];

/// A staged fault.
struct Site {
    /// The gateway, where it runs.
    world: Option<World>,
    /// What the program said that has ended.
    said: String,
    etc: PathBuf,
    /// Further arguments of the check.
    arguments: Vec<String>,
    /// Who runs the programs: nobody, or whoever runs the tests.
    as_nobody: bool,
    program: PathBuf,
    /// What must live as long.
    _others: Vec<Box<dyn Any + Send>>,
}

#[test]
fn faults_are_named_with_their_remedies() {
    thread::scope(|scope| {
        let running: Vec<_> = FAULTS
            .iter()
            .map(|fault| {
                let builder = thread::Builder::new().name(fault.name.to_owned());
                builder.spawn_scoped(scope, || look(fault)).unwrap()
            })
            .collect();
        let failed = running
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .filter(Result::is_err);
        assert_eq!(failed.count(), 0, "see above");
    });
}

/// All three tell the same.
fn look(fault: &Fault) {
    let Some(site) = (fault.stage)() else { return };
    let name = fault.name;
    wait_for(&format!("the log to tell: {name}"), || {
        let log = site.world.as_ref().map_or_else(|| site.said.clone(), World::log);
        log.lines().any(|line| has_all(line, fault.log)).then_some(())
    });
    assert_eq!(site.world.is_some(), fault.health.is_some(), "{name}");
    if let (Some(world), Some((status, words))) = (&site.world, fault.health) {
        wait_for(&format!("/health to tell: {name}"), || {
            let answer = ask(world, "/health");
            (answer.status == status && has_all(&String::from_utf8_lossy(&answer.body), words)).then_some(())
        });
    }
    let (status, words) = fault.check;
    let (exit, said) = site.check();
    assert_eq!(exit, status, "{name}:\n{said}");
    assert!(
        said.lines().any(|line| has_all(line, words)),
        "{name}: {words:?} is in no line of\n{said}"
    );
    for secret in ["sesame", "password-of-ox", "wrong-word"] {
        assert!(!said.contains(secret), "{name}: {secret} is shown");
    }
}

/// Whether the words stand there in this order.
fn has_all(line: &str, words: &[&str]) -> bool {
    let mut rest = line;
    words.iter().all(|word| match rest.split_once(word) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

impl Site {
    fn of(world: World, others: Vec<Box<dyn Any + Send>>) -> Self {
        Self {
            etc: world.etc().to_owned(),
            world: Some(world),
            said: String::new(),
            arguments: Vec::new(),
            as_nobody: false,
            program: PathBuf::from(env!("CARGO_BIN_EXE_oxtender")),
            _others: others,
        }
    }

    /// A directory with these lines in `usm.properties`, and an empty `eas.properties`. No program runs yet.
    fn planned(usm: &str) -> (Self, TempDir) {
        let directory = tempfile::Builder::new().prefix("site").tempdir().unwrap();
        let database = format!("sqlite:{}/oxtender.db", directory.path().display());
        let usm = format!("com.openexchange.usm.database.url={database}\n{usm}");
        fs::write(directory.path().join("usm.properties"), usm).unwrap();
        fs::write(directory.path().join("eas.properties"), "").unwrap();
        let site = Self {
            world: None,
            said: String::new(),
            etc: directory.path().to_owned(),
            arguments: Vec::new(),
            as_nobody: false,
            program: PathBuf::from(env!("CARGO_BIN_EXE_oxtender")),
            _others: Vec::new(),
        };
        (site, directory)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .arg("--etc")
            .arg(&self.etc)
            .env("OXTENDER_PASSWORD", "secret");
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
    fn check(&self) -> (i32, String) {
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

/// A world whose administrator's door is at a port that the configuration names, so that a check finds it.
fn plan() -> Plan {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let admin = ADMIN.trim_start_matches("com.openexchange.usm.");
    World::plan()
        .property(admin, &free.to_string())
        .property("session_cache_check_interval", "1000")
}

/// A phone asks, and it does not matter what it is told.
fn a_phone_asks(world: &World) {
    let options = world.device(V14_1).link.options();
    let _ = world.ajp().carry(&options);
    let provision = world.device(V14_1).folder_sync_request();
    let link = world.device(V14_1).link;
    let _ = world.ajp().carry(&link.wbxml("FolderSync", &provision));
}

fn wrong_url() -> Option<Site> {
    let mut world = plan().start()?;
    let file = world.etc().join("usm.properties");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("/ajax/", "/nowhere/")).unwrap();
    world.restart();
    a_phone_asks(&world);
    Some(Site::of(world, Vec::new()))
}

fn ox_down() -> Option<Site> {
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

fn wrong_password() -> Option<Site> {
    guarded("ALL", "wrong-word")
}

fn only_select() -> Option<Site> {
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

fn foreign_tables() -> Option<Site> {
    occupied(&["CREATE TABLE SCHEMA.USMSession (cid INT, serial INT)"])
}

fn locked_schema() -> Option<Site> {
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
fn moved_context() -> Option<Site> {
    with_configdb("UPDATE CONFIG.context SET enabled = FALSE WHERE cid = 1")
}

fn lost_schema() -> Option<Site> {
    with_configdb("UPDATE CONFIG.context_server2db_pool SET db_schema = 'gone' WHERE cid = 1 AND server_id = 6")
}

fn port_taken() -> Option<Site> {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let accepting = other.try_clone().unwrap();
    // It hangs up on whoever comes.
    thread::spawn(move || accepting.incoming().map_while(Result::ok).for_each(drop));
    let usm = format!("com.openexchange.usm.eas.ajp.listen={address}\ncom.openexchange.usm.eas.admin.listen=\n");
    let (site, directory) = Site::planned(&usm);
    Some(site.ended((other, directory)))
}

fn unreadable_file() -> Option<Site> {
    let (mut site, directory) = Site::planned("");
    let open = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(directory.path(), 0o755);
    open(&directory.path().join("eas.properties"), 0o000);
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if is_root {
        // Root reads everything, and the directory of the build may be closed to others.
        site.as_nobody = true;
        site.program = directory.path().join("oxtender");
        fs::copy(env!("CARGO_BIN_EXE_oxtender"), &site.program).unwrap();
    }
    Some(site.ended(directory))
}

fn bad_value() -> Option<Site> {
    let (site, directory) = Site::planned("com.openexchange.usm.eas.ping.max_heartbeat=soon\n");
    Some(site.ended(directory))
}

/// Apache before the gateway, as a check is told of it.
fn behind(apache: Apache, world: World, name: Option<SocketAddr>) -> Site {
    let configuration = apache.configuration().display().to_string();
    let mut site = Site::of(world, vec![Box::new(apache)]);
    site.arguments = vec!["--apache-config".to_owned(), configuration];
    if let Some(address) = name {
        site.arguments
            .extend(["--apache".to_owned(), format!("http://{address}")]);
    }
    site
}

fn secret_mismatch() -> Option<Site> {
    let world = plan().secret("sesame").start()?;
    let apache = Apache::start(world.ajp_address(), "secret=wrong-word timeout=3700")?;
    let address = apache.address;
    let options = world.device(V14_1).link.options();
    assert_eq!(HttpDoor(address).carry(&options).unwrap().status, 403);
    Some(behind(apache, world, Some(address)))
}

fn missing_permission() -> Option<Site> {
    let standin = |builder: ox_standin::Builder| builder.user(User::new(3, "anton", "secret").without("mobility"));
    let world = plan().standin(standin).start()?;
    a_phone_asks(&world);
    let mut site = Site::of(world, Vec::new());
    site.arguments = vec!["--user".to_owned(), "anton".to_owned()];
    Some(site)
}

fn short_timeout() -> Option<Site> {
    let world = plan().start()?;
    let apache = Apache::start(world.ajp_address(), "timeout=1 retry=0")?;
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let ping = device.ping_request(300, &[&inbox]);
    for _ in 0..3 {
        let answer = HttpDoor(apache.address).carry(&ping).unwrap();
        assert!((500..=504).contains(&answer.status), "{}", answer.status);
    }
    Some(behind(apache, world, None))
}

/// All is well: nothing is found that would have to be changed, and the running gateway is known by its ports.
#[test]
fn a_good_installation_has_no_errors() {
    let world = plan().start().unwrap();
    let Some(apache) = Apache::start(world.ajp_address(), "timeout=3700") else {
        return;
    };
    let address = apache.address;
    let mut site = behind(apache, world, Some(address));
    site.arguments.extend(["--user".to_owned(), "anton".to_owned()]);
    let (exit, said) = site.check();
    assert_eq!(exit, 0, "{said}");
    for words in [
        ["ok ", "ox ", "answers"],
        ["ok ", "ox ", "version 7."],
        ["ok ", "ox ", "the module calendar answers"],
        ["ok ", "ox ", "the user has the permission syncml"],
        ["ok ", "database ", "tables"],
        ["ok ", "gateway ", "runs, version"],
        ["ok ", "listeners ", "is the running gateway's"],
        ["ok ", "apache ", "longer than devices do"],
        ["ok ", "apache ", "leads to an ActiveSync server"],
        ["ok ", "apache ", "requests of 2 MiB come through"],
    ] {
        assert!(
            said.lines().any(|line| has_all(line, &words)),
            "{words:?} is in no line of\n{said}"
        );
    }
    // The one way to Apache here is without TLS.
    let wrong: Vec<&str> = said.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(wrong.len(), 1, "{said}");
    assert!(wrong[0].contains("without TLS"), "{said}");
}
