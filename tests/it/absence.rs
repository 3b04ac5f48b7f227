//! A phone that never saw an answer, was switched off, and repeats its request days later: nothing is done twice.
//!
//! The clock is the test's. So the gateway's parts run in this process, where days can go by, and what it does by itself
//! in that time happens when the test says so.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ox_standin::Module;
use ox_standin::Running;
use ox_standin::Standin;
use oxtender::config::Database;
use oxtender::eas;
use oxtender::eas::Eas;
use oxtender::eas::Services;
use oxtender::eas::address::Endpoint;
use oxtender::ox::Ox;
use oxtender::session::Access;
use oxtender::session::Sessions;
use oxtender::store::Store;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::composemail;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::folderhierarchy as tag;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::Loss;
use crate::device::TRASH;
use crate::device::http::Answer;
use crate::device::http::Door;
use crate::device::http::Request;
use crate::inside::handed_on;
use crate::inside::services;
use crate::items::contact;
use crate::items::mail;
use crate::items::now;

const DAY: i64 = 24 * 3600 * 1000;
/// As the options have it.
const JOURNAL: i64 = 7 * DAY;
const AWAY: i64 = 3 * DAY;

/// The gateway in this process.
pub(crate) struct Inside {
    runtime: Runtime,
    eas: Eas,
    sessions: Arc<Sessions>,
    store: Arc<Store>,
    clock: Arc<AtomicI64>,
    pub(crate) standin: Standin,
    _ox: Running,
    _directory: TempDir,
}

impl Inside {
    pub(crate) fn start() -> Arc<Self> {
        let standin = Standin::builder().build();
        let running = standin.start("127.0.0.1:0").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let database = Database::Sqlite(directory.path().join("store.db"));
        let store = Arc::new(runtime.block_on(Store::open(&database)).unwrap());
        let ox = Ox::new(&running.url()).unwrap();
        let sessions = Arc::new(Sessions::new(ox, store.clone(), Access::default(), eas::PROTOCOL));
        let clock = Arc::new(AtomicI64::new(now()));
        let told = clock.clone();
        let services = Services {
            clock: Box::new(move || told.load(Ordering::Relaxed)),
            ..services()
        };
        Arc::new(Self {
            eas: Eas::new(services, sessions.clone(), |_| {}),
            runtime,
            sessions,
            store,
            clock,
            standin,
            _ox: running,
            _directory: directory,
        })
    }

    pub(crate) fn phone(self: &Arc<Self>) -> Device {
        let mut device = Device::new(Arc::new(InsideDoor(self.clone())), "anton", "secret", "phone", V14_1);
        device.set_up();
        device
    }

    /// Time goes by: the device leaves the memory, and what is older than the journal keeps is forgotten.
    pub(crate) fn wait(&self, time: i64) {
        let now = self.clock.fetch_add(time, Ordering::Relaxed) + time;
        self.runtime.block_on(self.sessions.sweep(Duration::ZERO));
        self.runtime
            .block_on(self.store.forget_notes_before(now - JOURNAL))
            .unwrap();
    }

    fn contacts(&self) -> Vec<String> {
        let anton = self.standin.web("anton");
        let objects = anton.objects(Module::Contacts, anton.default_folder(Module::Contacts));
        let names = objects.iter().filter_map(|object| object["last_name"].as_str());
        names.map(str::to_owned).collect()
    }
}

/// Requests go in without a network.
struct InsideDoor(Arc<Inside>);

impl Door for InsideDoor {
    fn carry(&self, request: &Request) -> io::Result<Answer> {
        let handled = self.0.eas.handle(Endpoint::ActiveSync, handed_on(request));
        let (head, body) = self.0.runtime.block_on(handled).into_parts();
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        // As the doors of the program do.
        let headers = headers.chain([("content-length".to_owned(), body.len().to_string())]);
        Ok(Answer::new(head.status.as_u16(), headers.collect(), body.to_vec()))
    }

    fn hang_up(&self, request: &Request) -> io::Result<()> {
        self.carry(request).map(drop)
    }
}

#[test]
fn adds_changes_and_deletions() {
    let inside = Inside::start();
    let mut device = inside.phone();
    let folder = device.folder(CONTACTS);
    for last in ["Change", "Delete", "Stay"] {
        device.add(&folder, contact("Otto", last));
    }
    device.sync(&folder);
    let id = |device: &Device, last: &str| {
        let mut items = device.items(&folder).iter();
        let found = items.find(|(_, data)| data.child_text(contacts::LAST_NAME) == Some(last));
        found.unwrap_or_else(|| panic!("no {last}")).0.clone()
    };
    let (changed, deleted) = (id(&device, "Change"), id(&device, "Delete"));
    device.add(&folder, contact("Otto", "New"));
    device.change(&folder, &changed, contact("Otto", "Changed"));
    device.delete(&folder, &deleted);
    device.sync_and_lose(&folder, Loss::Forgotten);
    let writes =
        |inside: &Inside| ["new", "update", "delete"].map(|action| inside.standin.calls().of("contacts", action));
    let written = writes(&inside);

    inside.wait(AWAY);
    let synced = device.sync(&folder);
    assert!(synced.refused.is_empty() && synced.new_ids.len() == 1, "{synced:?}");
    assert_eq!(writes(&inside), written, "nothing is written again");
    let mut expected = vec!["Changed", "New", "Stay"];
    let mut at_ox = inside.contacts();
    at_ox.sort();
    assert_eq!(at_ox, expected);
    let mut on_phone: Vec<_> = device
        .items(&folder)
        .values()
        .filter_map(|data| data.child_text(contacts::LAST_NAME))
        .collect();
    on_phone.sort_unstable();
    expected.sort_unstable();
    assert_eq!(on_phone, expected);
    assert!(device.sync(&folder).is_quiet());
}

#[test]
fn moves() {
    let inside = Inside::start();
    let anton = inside.standin.web("anton");
    let mut device = inside.phone();
    let (inbox, trash) = (device.folder(INBOX), device.folder(TRASH));
    anton.receive(&mail("one", "Text."));
    let id = device.sync(&inbox).added.remove(0);
    let moved = device.move_items(&[(&id, &inbox, &trash)]);
    inside.wait(AWAY);
    assert_eq!(
        device.move_items(&[(&id, &inbox, &trash)]),
        moved,
        "the answer is that of the first time"
    );
    assert_eq!(anton.mails("default0/INBOX/Trash").len(), 1);
    device.sync(&inbox);
    assert!(device.items(&inbox).is_empty());
}

#[test]
fn folders() {
    let inside = Inside::start();
    let mut device = inside.phone();
    let inbox = device.folder(INBOX);
    let create = [
        (tag::PARENT_ID, &*inbox),
        (tag::DISPLAY_NAME, "Project"),
        (tag::TYPE, "12"),
    ];
    let id = twice(&inside, &mut device, tag::FOLDER_CREATE, &create, "new").expect("an id");
    let update = [
        (tag::SERVER_ID, &*id),
        (tag::PARENT_ID, &inbox),
        (tag::DISPLAY_NAME, "Projects"),
    ];
    twice(&inside, &mut device, tag::FOLDER_UPDATE, &update, "update");
    twice(
        &inside,
        &mut device,
        tag::FOLDER_DELETE,
        &[(tag::SERVER_ID, &id)],
        "delete",
    );
}

/// Sends a command on the hierarchy, loses its answer, and sends it again after days; returns the id in the answer.
fn twice(
    inside: &Inside,
    device: &mut Device,
    command: oxtender::wbxml::Tag,
    children: &[(oxtender::wbxml::Tag, &str)],
    action: &str,
) -> Option<String> {
    let key = Element::text(tag::SYNC_KEY, device.hierarchy_key.clone());
    let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
    let document = Element::parent(command, std::iter::once(key).chain(children));
    let first = device.link.document(&command.name(), &document);
    let calls = inside.standin.calls().of("folders", action);
    inside.wait(AWAY);
    let second = device.link.document(&command.name(), &document);
    assert_eq!(second.child_text(tag::STATUS), Some("1"), "{action}");
    assert_eq!(second.child_text(tag::SERVER_ID), first.child_text(tag::SERVER_ID));
    assert_eq!(inside.standin.calls().of("folders", action), calls, "{action} once");
    device.hierarchy_key = second.child_text(tag::SYNC_KEY).expect("a key").to_owned();
    second.child_text(tag::SERVER_ID).map(str::to_owned)
}

#[test]
fn messages() {
    let inside = Inside::start();
    let device = inside.phone();
    let message = mail("hello", "Once.");
    let request = device.send_mail_request("client-1", &message);
    assert_eq!(device.link.exchange(&request).status, 200);
    inside.wait(AWAY);
    let again = device.link.read(&device.link.exchange(&request)).expect("a Status");
    assert_eq!(again.child_text(composemail::STATUS), Some("118"));
    assert_eq!(inside.standin.web("anton").sent().len(), 1);
}

/// What is older than the journal keeps is forgotten; this is what the other tests would see without it.
#[test]
fn beyond_the_journal() {
    let inside = Inside::start();
    let mut device = inside.phone();
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    device.add(&folder, contact("Otto", "New"));
    device.sync_and_lose(&folder, Loss::Forgotten);
    inside.wait(JOURNAL + DAY);
    device.sync(&folder);
    assert_eq!(inside.contacts().len(), 2);
}
