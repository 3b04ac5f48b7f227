//! What is overridden in a conflict is told, and told once, at whatever moment the gateway dies.

use std::cell::Cell;
use std::sync::Arc;

use ox_standin::Fault;
use ox_standin::Gate;
use ox_standin::Module;
use ox_standin::Running;
use ox_standin::Standin;
use ox_standin::WebUser;
use oxtender::config::Database;
use oxtender::store::Traffic;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::contacts;
use serde_json::json;

use super::gateway::Way;
use super::proxy::Harm;
use super::proxy::Moment;
use super::proxy::Proxy;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::http::Request;
use crate::items::body;
use crate::items::contact;
use crate::mariadb;
use crate::world::runtime;

/// The values of [MS-ASCMD] Conflict: who wins.
const OX_WINS: i64 = 1;
const DEVICE_WINS: i64 = 0;

/// What happens between the death and the next request of the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The phone repeats its request.
    Repeated,
    /// The same, and somebody has changed the contact once more.
    ChangedAgain,
    /// The phone has given its change up, and only asks for news.
    GivenUp,
}

const THENS: [Then; 3] = [Then::Repeated, Then::ChangedAgain, Then::GivenUp];

/// A phone with one contact at a time, which somebody at the web interface changes as well.
struct Scene {
    standin: Standin,
    _ox: Running,
    way: Arc<Way>,
    phone: Device,
    folder: String,
    option: i64,
    round: usize,
}

impl Scene {
    fn new(database: Database, option: i64) -> Self {
        let standin = Standin::builder().max_sessions_per_user(10_000).build();
        let ox = standin.start("127.0.0.1:0").unwrap();
        let way = Arc::new(Way::new(ox.url(), database));
        let mut phone = Device::new(way.clone(), "anton", "secret", "phone", V14_1);
        phone.folder_sync();
        let folder = phone.folder(CONTACTS);
        phone.collection(&folder).options = vec![Element::number(airsync::CONFLICT, option)];
        phone.sync(&folder);
        Self {
            standin,
            _ox: ox,
            way,
            phone,
            folder,
            option,
            round: 0,
        }
    }

    fn anton(&self) -> WebUser {
        self.standin.web("anton")
    }

    fn note_at_ox(&self, number: u32) -> String {
        let object = self.anton().object(Module::Contacts, number).expect("a contact");
        object["note"].as_str().unwrap_or_default().to_owned()
    }

    fn change_at_ox(&self, number: u32, note: &str) {
        let anton = self.anton();
        let folder = anton.default_folder(Module::Contacts);
        self.standin.clock().advance(1000);
        anton.update(Module::Contacts, folder, number, json!({ "note": note }));
        self.standin.clock().advance(1000);
    }

    /// A new contact that both sides have, and that is then changed at OX. Its ids there and on the phone.
    fn changed_at_ox(&mut self, web: &str) -> (u32, String) {
        let number = self.anton().create(
            Module::Contacts,
            json!({"first_name": "Ada", "last_name": "Berg", "display_name": "Berg, Ada", "note": "before"}),
        );
        let id = self.phone.sync(&self.folder).added.remove(0);
        if web != "before" {
            self.change_at_ox(number, web);
        }
        (number, id)
    }

    /// The same, and the phone changes it as well.
    fn change_at_both(&mut self, web: &str, own: &str) -> u32 {
        let (number, id) = self.changed_at_ox(web);
        let mut data = contact("Ada", "Berg");
        data.push(body(V14_1, contacts::BODY, own));
        self.phone.change(&self.folder, &id, data);
        number
    }

    /// How often the user was told of a value; and how often so that he is asked to look whether it is lost at all.
    fn told(&self, value: &str) -> [usize; 2] {
        let mut told = [0; 2];
        for mail in self.anton().mails("default0/INBOX") {
            // Lines that are too long for a mail are cut.
            let text = String::from_utf8_lossy(&mail.raw).replace("=\r\n", "");
            let of_value = text
                .split("\nContact ")
                .filter(|item| item.contains(&format!("    not kept: {value}")));
            for item in of_value {
                told[usize::from(item.contains("was interrupted"))] += 1;
            }
        }
        told
    }

    /// A conflict whose request meets its end where `dies` says so. Whether it did.
    fn conflict(&mut self, then: Then, label: &str, dies: impl Fn(&Self, &Request) -> bool) -> bool {
        self.round += 1;
        let values = ["web", "later", "phone"].map(|who| format!("{who}-{}-value", self.round));
        let [web, later, own] = values.each_ref().map(String::as_str);
        let label = format!("{label}, {then:?}, option {}", self.option);
        let folder = self.folder.clone();
        let number = self.change_at_both(web, own);
        let request = self.phone.sync_request(&[&folder]);
        let died = dies(self, &request);
        let is_overridden = self.note_at_ox(number) == own;
        match then {
            Then::Repeated => {}
            Then::ChangedAgain => self.change_at_ox(number, later),
            Then::GivenUp => self.phone.collection(&folder).pending.clear(),
        }
        self.phone.sync(&folder);
        self.phone.sync(&folder);
        let at_last = self.note_at_ox(number);
        let told = [web, later, own].map(|value| self.told(value));
        let counts = told.map(|[sure, unsure]| sure + unsure);
        let label = format!("{label}: told of {web}, {later}, {own}: {told:?}");
        match (self.option, then) {
            (OX_WINS, _) => assert_eq!(counts, [0, 0, 1], "{label}"),
            (_, Then::Repeated) => assert_eq!(counts, [1, 0, 0], "{label}"),
            (_, Then::GivenUp) => assert_eq!(counts, [usize::from(is_overridden), 0, 0], "{label}"),
            (_, Then::ChangedAgain) => {
                // Who overrode the first value, that somebody or the phone, nobody can see if there is no word of the write.
                match is_overridden {
                    true => assert_eq!(counts[0], 1, "{label}"),
                    false => assert!(matches!(told[0], [0, 0 | 1]), "{label}"),
                }
                assert_eq!(counts[1..], [usize::from(at_last != later), 0], "{label}");
            }
        }
        let anton = self.anton();
        anton.delete(Module::Contacts, anton.default_folder(Module::Contacts), number);
        self.phone.sync(&folder);
        died
    }
}

impl Scene {
    /// A deletion of what somebody has changed, whose request meets its end where `dies` says so. Whether it did.
    fn deletion(&mut self, gives_up: bool, label: &str, dies: impl Fn(&Self, &Request) -> bool) -> bool {
        self.round += 1;
        let web = format!("web-{}-value", self.round);
        let folder = self.folder.clone();
        let (number, id) = self.changed_at_ox(&web);
        self.phone.delete(&folder, &id);
        let request = self.phone.sync_request(&[&folder]);
        let died = dies(self, &request);
        if gives_up {
            self.phone.collection(&folder).pending.clear();
        }
        self.phone.sync(&folder);
        self.phone.sync(&folder);
        let is_gone = self.anton().object(Module::Contacts, number).is_none();
        assert!(is_gone || gives_up, "{label}");
        let told: usize = self.told(&web).into_iter().sum();
        assert_eq!(told, usize::from(is_gone), "{label}, given up: {gives_up}");
        if !is_gone {
            let anton = self.anton();
            anton.delete(Module::Contacts, anton.default_folder(Module::Contacts), number);
            self.phone.sync(&folder);
        }
        died
    }

    /// Dies within a call at OX; whether it came there.
    fn dies_at(&self, request: &Request, call: usize, carried_out: bool) -> bool {
        // Nobody opens it: who waits there hangs up.
        let gate = Gate::default();
        let hold = Fault::Hold { gate, carried_out };
        self.standin.faults().nth_of_all(call, hold);
        let answer = self.way.serve(request, || self.standin.faults().are_spent());
        self.standin.faults().clear();
        self.way.restart();
        answer.is_none()
    }
}

/// The phone wins, and OX's value is gone with the write; or OX wins, and the phone has it still.
fn cases() -> impl Iterator<Item = (i64, &'static [Then])> {
    [(DEVICE_WINS, &THENS[..]), (OX_WINS, &THENS[..1])].into_iter()
}

/// Before and after OX has carried each of the calls out.
#[test]
fn at_any_call_at_ox() {
    for (option, thens) in cases() {
        let directory = tempfile::tempdir().unwrap();
        let mut scene = Scene::new(Database::Sqlite(directory.path().join("store.db")), option);
        for then in thens {
            let mut call = 1;
            while [false, true].into_iter().fold(false, |dies, carried_out| {
                let label = format!("call {call}, carried out: {carried_out}");
                dies | scene.conflict(*then, &label, |scene, request| {
                    scene.dies_at(request, call, carried_out)
                })
            }) {
                call += 1;
            }
            assert!(call > 3, "{call} calls");
        }
    }
}

/// The same of a deletion: the change that it takes with it is told.
#[test]
fn at_any_call_of_a_deletion() {
    let directory = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(Database::Sqlite(directory.path().join("store.db")), OX_WINS);
    for gives_up in [false, true] {
        let mut call = 1;
        while [false, true].into_iter().fold(false, |dies, carried_out| {
            let label = format!("call {call}, carried out: {carried_out}");
            dies | scene.deletion(gives_up, &label, |scene, request| {
                scene.dies_at(request, call, carried_out)
            })
        }) {
            call += 1;
        }
        assert!(call > 3, "{call} calls");
    }
}

/// Before and after MariaDB has carried each of the commands out.
#[test]
fn at_any_command_at_the_database() {
    let Some(server) = mariadb::shared() else { return };
    for (option, thens) in cases() {
        let schema = runtime().block_on(server.schema());
        let proxy = Proxy::to(server.port);
        let mut scene = Scene::new(proxy.database(schema), option);
        for then in thens {
            let mut number = 1;
            while [false, true].into_iter().fold(false, |dies, carried_out| {
                let at = Moment { number, carried_out };
                dies | scene.conflict(*then, &format!("{at:?}"), |scene, request| {
                    proxy.harm(at, Harm::Silence);
                    let answer = scene.way.serve(request, || proxy.is_struck());
                    proxy.mend();
                    scene.way.restart();
                    answer.is_none()
                })
            }) {
                number += 1;
            }
            assert!(number > 10, "{number} commands");
        }
    }
}

/// Calls at the database: a change that nobody contests costs what it does without all this.
#[test]
fn what_a_loss_costs() {
    for (option, more) in [(DEVICE_WINS, [2, 4]), (OX_WINS, [2, 3])] {
        let directory = tempfile::tempdir().unwrap();
        let mut scene = Scene::new(Database::Sqlite(directory.path().join("store.db")), option);
        let folder = scene.folder.clone();
        let cost = |scene: &mut Scene, web: &str, own: &str| {
            scene.change_at_both(web, own);
            let Traffic { reads, writes } = scene.way.traffic();
            scene.phone.sync_once(&folder);
            let now = scene.way.traffic();
            scene.phone.sync(&folder);
            [now.reads - reads, now.writes - writes]
        };
        cost(&mut scene, "before", "own");
        let [reads, writes] = cost(&mut scene, "before", "own");
        // The list of what needs a look, and what the phone was sent before; what is lost, that it is being told and that it
        // is told, and the list.
        let lost = cost(&mut scene, "web", "own");
        assert_eq!([lost[0] - reads, lost[1] - writes], more, "option {option}");
    }
}

/// What was noted before a write is nothing to tell if the write does not happen.
#[test]
fn a_write_that_ox_refuses_is_not_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(Database::Sqlite(directory.path().join("store.db")), DEVICE_WINS);
    let folder = scene.folder.clone();
    let number = scene.change_at_both("web-value", "phone-value");
    let refused = Fault::error("CON-0110", 1);
    scene.standin.faults().nth(1, "contacts", "update", refused);
    let request = scene.phone.sync_request(&[&folder]);
    // Refused, and the answer is lost; somebody else writes what the phone has, and it comes again.
    scene.phone.link.exchange(&request);
    scene.change_at_ox(number, "phone-value");
    scene.phone.sync(&folder);
    assert_eq!(scene.told("web-value"), [0, 0]);
    assert_eq!(scene.note_at_ox(number), "phone-value");
}

/// Somebody is faster than the phone by a moment: what he overrides himself is not told, what the phone overrides then is.
#[test]
fn what_somebody_else_overrides_is_not_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(Database::Sqlite(directory.path().join("store.db")), DEVICE_WINS);
    let folder = scene.folder.clone();
    let number = scene.change_at_both("web-value", "phone-value");
    let gate = Gate::default();
    let hold = Fault::Hold {
        gate: gate.clone(),
        carried_out: false,
    };
    scene.standin.faults().nth(1, "contacts", "update", hold);
    let request = scene.phone.sync_request(&[&folder]);
    let is_changed = Cell::new(false);
    let answer = scene.way.serve(&request, || {
        if scene.standin.faults().are_spent() && !is_changed.replace(true) {
            scene.change_at_ox(number, "later-value");
            gate.open();
        }
        false
    });
    scene
        .phone
        .take_sync_answer(&[&folder], &answer.expect("nobody ends it"));
    assert_eq!(scene.note_at_ox(number), "phone-value");
    assert_eq!(scene.told("web-value"), [0, 0]);
    assert_eq!(scene.told("later-value"), [1, 0]);
}
