//! What the simulated phone does, and what it tells: from OPTIONS to a Ping that a new mail wakes.
//!
//! The phone ends with a panic when it is told what a real one would not survive. It runs in a thread of its own, and the
//! first panic becomes the complaint that [`Phone::tour`] returns.

use std::panic;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;
use ox_standin::Module;
use ox_standin::Standin;
use ox_standin::WebUser;
use oxtender::version::ProtocolVersion;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::contacts;

use crate::device;
use crate::device::Device;
use crate::device::commands::body_preference;
use crate::device::http::HttpDoor;
use crate::items;
use crate::paper;
use crate::paper::Paper;
use crate::stage::Stage;

/// What the phone offers to wait, in seconds; it is woken long before.
const HEARTBEAT: u64 = 60;

/// What the demonstration waits for happens within this time, or never.
const DEADLINE: Duration = Duration::from_secs(30);

/// After so many looks at OX the Ping has seen that there is nothing new, and really waits.
const LOOKS: u64 = 3;

/// Octets of a mail's text that the phone wants with the list.
const PREVIEW: u64 = 1024;

const NEW_NUMBER: &str = "+49 170 5550199";

/// The first panic of the phone or of its Ping.
static COMPLAINT: Mutex<Option<String>> = Mutex::new(None);

pub(crate) struct Phone {
    device: Device,
    standin: Standin,
    anton: WebUser,
    paper: Paper,
}

impl Phone {
    /// A phone of anton, out of its box, before Apache.
    pub(crate) fn new(stage: &Stage, version: ProtocolVersion, paper: Paper) -> Self {
        let door = Arc::new(HttpDoor(stage.door()));
        Self {
            device: Device::new(door, "anton", "secret", "SimulatedPhone", version),
            standin: stage.standin().clone(),
            anton: stage.standin().web("anton"),
            paper,
        }
    }

    /// Everything, told step by step. The error is what the phone did not accept.
    pub(crate) fn tour(mut self) -> Result<(), String> {
        note_complaints();
        panic::catch_unwind(AssertUnwindSafe(|| self.go())).map_err(|_| {
            let complaint = COMPLAINT.lock().unwrap_or_else(PoisonError::into_inner).take();
            complaint.unwrap_or_else(|| "it did not say why".to_owned())
        })
    }

    fn go(&mut self) {
        self.paper.title(&format!(
            "A simulated phone of anton speaks ActiveSync {}",
            self.device.version()
        ));
        self.paper.heads();
        self.set_up();
        self.first_sync();
        self.send_mail();
        self.change_contact();
        self.wait_for_mail();
    }

    fn set_up(&mut self) {
        self.step("OPTIONS", |phone| {
            let versions = phone.device.options().join(", ");
            format!("a server that speaks {versions}")
        });
        self.step("Provision", |phone| {
            phone.device.provision();
            "a policy that asks for nothing; accepted".to_owned()
        });
        self.step("FolderSync", |phone| {
            phone.device.folder_sync();
            format!("{} folders", phone.device.folders.len())
        });
        self.details(items::tree(&self.device.folders));
    }

    fn first_sync(&mut self) {
        let now = Timestamp::now();
        let inbox = self.sync(device::INBOX, "mails");
        self.details(items::mails(self.device.items(&inbox)));
        let calendar = self.sync(device::CALENDAR, "appointments");
        self.details(items::appointments(self.device.items(&calendar), now));
        let contacts = self.sync(device::CONTACTS, "contacts");
        self.details(items::people(self.device.items(&contacts)));
        let tasks = self.sync(device::TASKS, "tasks");
        self.details(items::to_do(self.device.items(&tasks)));
    }

    /// The first Sync of a folder; answers its id.
    fn sync(&mut self, kind: i64, what: &str) -> String {
        let id = self.device.folder(kind);
        let options = match kind {
            device::INBOX => body_preference(self.device.version(), 1, Some(PREVIEW)),
            _ => body_preference(self.device.version(), 1, None),
        };
        self.device.collection(&id).options = options;
        self.step("Sync", |phone| {
            let synced = phone.device.sync(&id);
            let name = phone.device.folders.get(&id).map_or("", |folder| &folder.name);
            let windows = match synced.rounds {
                1 => String::new(),
                rounds => format!(", in {rounds} windows"),
            };
            format!("{} {what} in {name}{windows}", synced.added.len())
        });
        id
    }

    fn send_mail(&mut self) {
        let kept = self.anton.mails("default0/INBOX/Sent").len();
        let mime = "From: anton@example.com\r\nTo: Berta Berg <berta@example.com>\r\nSubject: Greetings from the phone\r\n\
                    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nIt works.\r\n";
        self.step("SendMail", |phone| {
            phone.device.send_mail("greetings", mime.as_bytes());
            "sent".to_owned()
        });
        let sent = self.anton.sent();
        let sent = sent.last().unwrap_or_else(|| panic!("OX has sent nothing"));
        let now_kept = self.anton.mails("default0/INBOX/Sent").len();
        assert_eq!(now_kept, kept + 1, "mails in the Sent folder at OX");
        self.paper.detail(&format!(
            "at OX: sent to {}, a copy kept in Sent",
            sent.recipients.join(", ")
        ));
    }

    fn change_contact(&mut self) {
        let folder = self.device.folder(device::CONTACTS);
        let contacts = self.device.items(&folder).iter();
        let (id, contact) = contacts
            .filter(|(_, contact)| !items::text(contact, contacts::LAST_NAME).is_empty())
            .min_by_key(|(_, contact)| items::text(contact, contacts::FILE_AS))
            .unwrap_or_else(|| panic!("no contact has a name"));
        let (id, name) = (id.clone(), items::text(contact, contacts::FILE_AS).to_owned());
        let others = contact
            .children()
            .iter()
            .filter(|property| property.tag != contacts::MOBILE_PHONE_NUMBER);
        let number = Element::text(contacts::MOBILE_PHONE_NUMBER, NEW_NUMBER);
        let data = others.cloned().chain([number]).collect();
        self.device.change(&folder, &id, data);
        self.step("Sync", |phone| {
            let synced = phone.device.sync(&folder);
            assert!(synced.refused.is_empty(), "refused: {:?}", synced.refused);
            format!("a new mobile number for {name}; accepted")
        });
        let at_ox = self
            .anton
            .objects(Module::Contacts, self.anton.default_folder(Module::Contacts));
        let changed = at_ox
            .iter()
            .find(|contact| contact.get("cellular_telephone1").and_then(serde_json::Value::as_str) == Some(NEW_NUMBER));
        let changed = changed.unwrap_or_else(|| panic!("the number did not reach OX"));
        let display_name = changed.get("display_name").and_then(serde_json::Value::as_str);
        self.paper.detail(&format!(
            "at OX: {}, mobile {NEW_NUMBER}",
            display_name.unwrap_or(&name)
        ));
    }

    fn wait_for_mail(&mut self) {
        let inbox = self.device.folder(device::INBOX);
        let calendar = self.device.folder(device::CALENDAR);
        let mut woken_after = Duration::ZERO;
        self.step("Ping", |phone| {
            let looks = phone.looks();
            let waiting = phone.device.start_ping(HEARTBEAT, &[&inbox, &calendar]);
            phone.wait_until_parked(looks);
            let mail =
                "From: Berta Berg <berta@example.com>\r\nTo: anton@example.com\r\nSubject: Lunch?\r\n\r\nAt noon.\r\n";
            phone.anton.receive(mail.as_bytes());
            let delivered = Instant::now();
            let pinged = waiting.join().unwrap_or_else(|_| panic!("the Ping failed"));
            woken_after = delivered.elapsed();
            assert_eq!(
                (pinged.status, &pinged.folders[..]),
                (2, &[inbox.clone()][..]),
                "what woke the phone"
            );
            format!("woken {} after a new mail came to OX", paper::time(woken_after))
        });
        self.step("Sync", |phone| {
            let synced = phone.device.sync(&inbox);
            let new = synced
                .added
                .iter()
                .map(|id| items::mail_line(phone.device.item(&inbox, id)));
            new.collect::<Vec<_>>().join("; ")
        });
    }

    /// Looks of the gateway at mail folders, of which a waiting Ping is made.
    fn looks(&self) -> u64 {
        self.standin.calls().of("mail", "all")
    }

    fn wait_until_parked(&self, looks: u64) {
        let deadline = Instant::now() + DEADLINE;
        while self.looks() < looks + LOOKS {
            assert!(
                Instant::now() < deadline,
                "the gateway does not look at OX for the Ping"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// One line of the account: what was done, how long it took, what it cost at OX, and what `act` says of it.
    fn step(&mut self, name: &str, act: impl FnOnce(&mut Self) -> String) {
        self.paper.begin(name);
        let (calls, started) = (self.standin.calls().requests, Instant::now());
        let saw = act(self);
        let calls = self.standin.calls().requests - calls;
        self.paper.end(started.elapsed(), calls, &saw);
    }

    fn details(&self, lines: Vec<String>) {
        for line in lines {
            self.paper.detail(&line);
        }
    }
}

/// Keeps the first panic of any thread but the main one for the report, instead of printing it amidst the account.
fn note_complaints() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        if thread::current().name() == Some("main") {
            return usual(panicked);
        }
        let text = panicked.payload_as_str().unwrap_or("an unknown error").to_owned();
        let mut first = COMPLAINT.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(text);
    }));
}
