//! A phone that waited too long sends its message once more, and the second request comes to another gateway while the first
//! one is still sending it.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ox_standin::Fault;
use ox_standin::Gate;
use ox_standin::Running;
use ox_standin::Standin;
use oxtender::config::Database;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::codepage::composemail;
use rusqlite::Connection;
use tempfile::TempDir;

use super::gateway::Way;
use crate::device::Device;
use crate::device::http::Request;
use crate::items::mail;
use crate::world::wait_for;

/// Two gateways at one database, and the phone as each of them knows it.
struct Scene {
    standin: Standin,
    _ox: Running,
    directory: TempDir,
    ways: [Arc<Way>; 2],
    phones: [Device; 2],
    request: Request,
}

impl Scene {
    fn new(version: ProtocolVersion) -> Self {
        let standin = Standin::builder().build();
        let ox = standin.start("127.0.0.1:0").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(directory.path().join("oxtender.db"));
        let ways = ["one", "two"].map(|node| Arc::new(Way::from(ox.url(), database.clone(), node)));
        let phones = ways
            .clone()
            .map(|way| Device::new(way, "anton", "secret", "phone", version));
        let request = phones[0].send_mail_request("message", &mail("Once", "Text."));
        Self {
            standin,
            _ox: ox,
            directory,
            ways,
            phones,
            request,
        }
    }

    fn database(&self) -> PathBuf {
        self.directory.path().join("oxtender.db")
    }

    /// OX does not answer the first one that sends.
    fn hold(&self, carried_out: bool) -> Gate {
        let gate = Gate::default();
        let hold = Fault::Hold {
            gate: gate.clone(),
            carried_out,
        };
        self.standin.faults().nth(1, "mail", "new", hold);
        gate
    }

    /// What the phone hears by one of the gateways: it is done, it was done before, or it shall come again later.
    fn send(&self, by: usize) -> &'static str {
        let phone = &self.phones[by];
        let answer = phone.link.exchange(&self.request);
        if answer.status == 503 {
            return "later";
        }
        assert_eq!(answer.status, 200);
        let Some(root) = phone.link.read(&answer) else {
            return "done";
        };
        match root.child_text(composemail::STATUS) {
            Some("111") => "later",
            Some("118") => "before",
            status => panic!("Status {status:?}"),
        }
    }

    fn sent(&self) -> usize {
        self.standin.web("anton").sent().len()
    }
}

#[test]
fn a_message_is_not_sent_by_two_gateways() {
    for version in [V12_1, V14_1] {
        for carried_out in [false, true] {
            let scene = Scene::new(version);
            let gate = scene.hold(carried_out);
            thread::scope(|scope| {
                let first = scope.spawn(|| scene.send(0));
                wait_for("OX to be asked", || scene.standin.faults().are_spent().then_some(()));
                assert_eq!(scene.send(1), "later", "{version}");
                gate.open();
                assert_eq!(first.join().unwrap(), "done", "{version}");
            });
            assert_eq!(scene.sent(), 1, "{version}, carried out: {carried_out}");
            if version >= V14_1 {
                assert_eq!(scene.send(1), "before");
            }
            assert_eq!(scene.sent(), 1);
        }
    }
}

/// The first one died, and nobody can know. After a while the other one looks for what it may have sent, and sends it if it is not
/// there; the same gateway, started again, does so at once.
#[test]
fn a_message_of_a_gateway_that_died() {
    for carried_out in [false, true] {
        for by in [0, 1] {
            let scene = Scene::new(V14_1);
            let gate = scene.hold(carried_out);
            let died = scene.ways[0].serve(&scene.request, || scene.standin.faults().are_spent());
            assert!(died.is_none());
            scene.ways[0].restart();
            gate.open();
            if by == 1 {
                assert_eq!(scene.send(1), "later");
                let_pass(&scene.database(), Duration::from_secs(12 * 60));
            }
            assert_eq!(scene.send(by), "done");
            assert_eq!(scene.sent(), 1, "by {by}, carried out: {carried_out}");
        }
    }
}

/// What was noted before is older by this time.
fn let_pass(database: &PathBuf, time: Duration) {
    let connection = Connection::open(database).unwrap();
    let time = i64::try_from(time.as_millis()).unwrap();
    let update = "UPDATE easUIDMapping SET created = created - ?";
    assert!(connection.execute(update, [time]).unwrap() > 0);
}
