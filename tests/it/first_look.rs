//! What an administrator finds when something is wrong: the log, `/health` and `oxtender check` name cause and remedy.
//!
//! One table of faults, each staged with the program that ships, real sockets, and real servers beside it. Those that take a
//! server that is not installed are left out, which is said aloud.

mod certificates;
mod prompt;
mod stage;

use std::thread;

use self::stage::Site;
use crate::apache::Apache;
use crate::operations::ask;
use crate::world::World;
use crate::world::wait_for;

/// Something that is wrong.
struct Fault {
    name: &'static str,
    /// Makes it wrong, and lets a phone or the program run into it. `None` where a server is not installed.
    stage: fn() -> Option<Site>,
    /// Words of one line of the log, with `…` between for whatever stands there; the same of the others.
    log: &'static str,
    /// The status of `/health`, and words of its text. `None` where the program does not run.
    health: Option<(u16, &'static str)>,
    /// The exit status of `oxtender check`, and words of one of its lines: the cause, and behind `->` the remedy.
    check: (i32, &'static str),
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "wrong OX URL",
        stage: stage::wrong_url,
        log: "/nowhere/login…HTTP 404…correct the URL of the OX server…/ajax/",
        health: Some((503, "\"ox\":{\"ok\":false…/nowhere/login…correct the URL")),
        check: (
            1,
            "error …ox …/nowhere/login… -> …com.openexchange.usm.ox.url=http://HOST/ajax/…usm.properties, line 1",
        ),
    },
    Fault {
        name: "OX down",
        stage: stage::ox_down,
        log: "/ajax/login…cannot connect…see whether OX runs",
        health: Some((503, "\"ox\":{\"ok\":false…cannot connect…see whether OX runs")),
        check: (
            1,
            "error …ox …cannot connect… -> …start Open-Xchange, or com.openexchange.usm.ox.url=",
        ),
    },
    Fault {
        name: "wrong database password",
        stage: stage::wrong_password,
        log: "creating tables: 127.0.0.1:…Access denied for user 'ox'…look at user, password",
        health: Some((
            503,
            "\"database\":{\"ok\":false…Access denied for user 'ox'…look at user, password",
        )),
        check: (
            1,
            "error …database …Access denied for user 'ox'… -> …com.openexchange.usm.database.url=mysql://USER:PASSWORD@",
        ),
    },
    Fault {
        name: "missing permission in the database",
        stage: stage::only_select,
        log: "creating tables: 127.0.0.1:…CREATE…denied…look at user, password and permissions",
        health: Some((503, "\"database\":{\"ok\":false…denied…permissions")),
        check: (
            1,
            "error …database …'ox'@'127.0.0.1' lacks… -> …GRANT INSERT, UPDATE, DELETE, CREATE ON `schema_",
        ),
    },
    Fault {
        name: "foreign tables",
        stage: stage::foreign_tables,
        log: "creating tables: the table USMSession in the database…serial…drop the tables USMSessionFields",
        health: Some((
            503,
            "\"database\":{\"ok\":false…the table USMSession in…drop the tables USMSessionFields",
        )),
        check: (1, "error …database …the table USMSession in… -> …DROP TABLE"),
    },
    Fault {
        name: "locked schema",
        stage: stage::locked_schema,
        log: "creating tables:…is updating this schema (LOCKED in updateTask)…unblockdatabase",
        health: Some((
            503,
            "\"database\":{\"ok\":false…is updating this schema…unblockdatabase",
        )),
        check: (1, "warning …database …is updating this schema… -> …unblockdatabase"),
    },
    Fault {
        name: "moved context",
        stage: stage::moved_context,
        log: "the context 1 is disabled…while it is moved…enablecontext",
        health: Some((
            200,
            "\"database\":{\"ok\":true,\"warnings\"…the contexts 1, 3 are disabled…enablecontext",
        )),
        check: (
            0,
            "warning …database …the contexts 1, 3 are disabled… -> …enablecontext",
        ),
    },
    Fault {
        name: "context in a schema that is not there",
        stage: stage::lost_schema,
        log: "creating tables:…Unknown database 'gone'…create the schema, or name another one",
        health: Some((
            503,
            "\"database\":{\"ok\":false…Unknown database 'gone'…create the schema",
        )),
        check: (
            1,
            "error …database …there is no schema gone… -> …CREATE DATABASE `gone`",
        ),
    },
    Fault {
        name: "port taken",
        stage: stage::port_taken,
        log: "cannot listen on 127.0.0.1:…com.openexchange.usm.eas.ajp.listen…Stop it, or change…in use",
        health: None,
        check: (
            1,
            "error …listeners …is taken by another program…neither AJP nor HTTP… -> …com.openexchange.usm.eas.ajp.listen=127.0.0.1:",
        ),
    },
    Fault {
        name: "unreadable file",
        stage: stage::unreadable_file,
        log: "eas.properties…Permission denied…chown root:open-xchange…chmod 640",
        health: None,
        check: (
            1,
            "error …configuration …eas.properties: Permission denied… -> …chmod 640",
        ),
    },
    Fault {
        name: "bad value",
        stage: stage::bad_value,
        log: "usm.properties, line …ping.max_heartbeat=soon…allowed: a whole number of seconds from 1 to 3540",
        health: None,
        check: (
            1,
            "error …configuration …ping.max_heartbeat=soon… -> …com.openexchange.usm.eas.ping.max_heartbeat=3540 (",
        ),
    },
    Fault {
        name: "secret mismatch",
        stage: stage::secret_mismatch,
        log: "AJP: refused: missing or wrong secret…secret= of Apache's worker",
        health: Some((
            200,
            "\"listeners\":…1 requests over AJP came with a wrong secret…ajp.secret…ProxyPass ... secret=",
        )),
        check: (
            1,
            "error …apache …httpd.conf, line …another secret than the gateway… -> …secret=WORD in that line",
        ),
    },
    Fault {
        name: "secret mismatch, seen from outside",
        stage: stage::secret_mismatch,
        log: "AJP: refused",
        health: Some((200, "wrong secret")),
        check: (
            1,
            "error …apache …answers 403…another secret, or none… -> …secret=WORD at the end of the ProxyPass line",
        ),
    },
    Fault {
        name: "secret mismatch, as the gateway tells",
        stage: stage::secret_mismatch,
        log: "AJP: refused",
        health: Some((200, "wrong secret")),
        check: (1, "warning …gateway …requests over AJP came with a wrong secret… -> "),
    },
    Fault {
        name: "missing permission",
        stage: stage::missing_permission,
        log: "the permission \"syncml\" is missing at OX…grant it…com.openexchange.usm.access_check_module",
        health: Some((
            200,
            "\"ox\":{\"ok\":true,\"warnings\"…the permission \\\"syncml\\\" is missing…grant it…access_check_module",
        )),
        check: (
            1,
            "error …ox …he lacks the permission syncml… -> …grant it at Open-Xchange…com.openexchange.usm.access_check_module=none",
        ),
    },
    Fault {
        name: "Apache timeout below the heartbeat",
        stage: stage::short_timeout,
        log: "waiting devices are cut off after 1 s…timeout=3700…ping.max_heartbeat",
        health: Some((200, "\"listeners\":…cut off after 1 s…timeout=3700")),
        check: (
            0,
            "warning …apache …httpd.conf, line …gives up after 1 s (timeout=)… -> …timeout=3700 at the end of that line",
        ),
    },
];

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
        "{name}: {words} is in no line of\n{said}"
    );
    for secret in ["sesame", "password-of-ox", "wrong-word"] {
        assert!(!said.contains(secret), "{name}: {secret} is shown");
    }
}

/// Whether the words stand there in this order.
fn has_all(line: &str, words: &str) -> bool {
    let mut rest = line;
    words.split('…').all(|word| match rest.split_once(word) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

/// All is well: nothing is found that would have to be changed, and the running gateway is known by its ports.
#[test]
fn a_good_installation_has_no_errors() {
    let world = stage::plan().start().unwrap();
    let Some(apache) = Apache::start(world.ajp_address(), "timeout=3700") else {
        return;
    };
    let address = apache.address;
    let (major, _) = world.standin.profile().server_version().split_once('.').unwrap();
    let version = format!("ok …ox …version {major}.");
    let mut site = stage::behind(apache, world, Some(address));
    site.arguments.extend(["--user".to_owned(), "anton".to_owned()]);
    let (exit, said) = site.check();
    assert_eq!(exit, 0, "{said}");
    for words in [
        "ok …ox …answers",
        version.as_str(),
        "ok …ox …the module calendar answers",
        "ok …ox …the user has the permission syncml",
        "ok …database …tables",
        "ok …gateway …runs, version",
        "ok …listeners …is the running gateway's",
        "ok …apache …longer than devices do",
        "ok …apache …leads to an ActiveSync server",
        "ok …apache …requests of 2 MiB come through",
    ] {
        assert!(
            said.lines().any(|line| has_all(line, words)),
            "{words} is in no line of\n{said}"
        );
    }
    // The one way to Apache here is without TLS.
    let wrong: Vec<&str> = said.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(wrong.len(), 1, "{said}");
    assert!(wrong[0].contains("without TLS"), "{said}");
}
