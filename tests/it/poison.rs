//! One bad item never stops its folder: a mail that OX cannot open, and items that a phone does not get past.
//!
//! The phone that chokes takes no answer in that holds the bad item, and comes again with the key it had.

use std::collections::BTreeSet;

use ox_standin::Fault;
use ox_standin::Module;
use ox_standin::flag;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync as tag;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::folderhierarchy;
use serde_json::Value;
use serde_json::json;

use crate::administration::told;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::Loss;
use crate::device::collection::Synced;
use crate::items::CLASSES;
use crate::items::Class;
use crate::items::HOUR;
use crate::items::mail;
use crate::items::tomorrow;
use crate::world::World;

const AT_INBOX: &str = "default0/INBOX";

/// What stands in every stub.
const STUB: &str = "cannot be shown on this device";

/// All text in an item.
fn text(element: &Element) -> String {
    let own = String::from_utf8_lossy(element.as_bytes()).into_owned();
    let below = element.children().iter().map(text);
    std::iter::once(own).chain(below).collect()
}

fn is_stub(data: &Element) -> bool {
    text(data).contains(STUB)
}

/// The attention list of a phone as the administrator sees it.
fn attention(world: &World, device: &Device) -> Vec<Value> {
    let id = &device.link.device_id;
    let shown: Value = serde_json::from_str(&told(world, &format!("device show {id} --json"))).unwrap();
    let entries = shown["attention"].as_array().unwrap().clone();
    let line = told(world, "device list");
    let counted = line.lines().find(|line| line.contains(id)).unwrap();
    let counted: Vec<&str> = counted.split_whitespace().collect();
    assert_eq!(counted[4], entries.len().to_string(), "{line}");
    assert!(!shown["fields"].to_string().contains("attention"), "{shown}");
    entries
}

/// Reads of mails that fail: all at once, the second of three alone, and its source.
fn break_the_second(world: &World) {
    for call in [1, 3, 5] {
        let fault = Fault::error("MSG-1000", 8);
        world.standin.faults().nth(call, "mail", "get", fault);
    }
}

#[test]
fn a_mail_that_ox_cannot_open() {
    for version in [V2_5, V12_1, V14_1, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        for subject in ["one", "two", "three"] {
            anton.receive(&mail(subject, "Text."));
        }
        break_the_second(&world);
        assert_eq!(device.sync(&inbox).added.len(), 3, "{version}: the folder finishes");
        assert!(world.standin.faults().are_spent());
        let (id, stub) = the_stub(&device, &inbox);
        let subject = stub.child_text(email::SUBJECT).unwrap().to_owned();
        assert_eq!(stub.child_text(email::FROM), Some("\"Berta Berg\" <berta@example.com>"));
        assert!(
            text(&stub).contains("web client") && !text(&stub).contains("http"),
            "{stub:?}"
        );
        let entries = attention(&world, &device);
        assert_eq!((entries.len(), &entries[0]["cause"]), (1, &json!("unreadable")));
        assert_eq!(
            (&entries[0]["subject"], &entries[0]["server_id"]),
            (&json!(subject), &json!(id))
        );
        let line = told(&world, &format!("device show {}", device.link.device_id));
        assert!(
            line.contains("attention unreadable") && line.contains("MSG-1000"),
            "{line}"
        );

        // The phone marks it as read, and has what it has.
        device.change(&inbox, &id, vec![Element::number(email::READ, 1)]);
        assert!(device.sync(&inbox).refused.is_empty());
        assert!(device.sync(&inbox).is_quiet(), "{version}");
        let at_ox = id.split_once(':').unwrap().1.to_owned();
        let flags = |id: &str| {
            anton
                .mails(AT_INBOX)
                .iter()
                .find(|mail| mail.id == id)
                .map(|mail| mail.flags)
        };
        assert_eq!(flags(&at_ox).unwrap() & flag::SEEN, flag::SEEN, "{version}");
        assert_eq!(attention(&world, &device).len(), 1);

        // Something happens to it at OX: it is tried again, as a new mail, since phones know no other content for an old one.
        anton.set_flags(AT_INBOX, &at_ox, flag::FLAGGED, 0);
        let synced = device.sync(&inbox);
        assert_eq!(
            (synced.deleted, synced.added),
            (vec![id.clone()], vec![id.clone()]),
            "{version}"
        );
        assert!(!is_stub(device.item(&inbox, &id)) && attention(&world, &device).is_empty());
        assert!(device.sync(&inbox).is_quiet(), "{version}");
    }
}

/// The list names a folder as it is called now.
#[test]
fn a_renamed_folder_on_the_list() {
    let world = World::start();
    let anton = world.anton();
    let folder = anton.create_folder(AT_INBOX, "Before", "mail");
    for subject in ["one", "two", "three"] {
        anton.deliver_mail(&folder, &mail(subject, "Text."));
    }
    let mut device = world.ready_device(V14_1);
    let id = device.folder_named("Before");
    break_the_second(&world);
    device.sync(&id);
    assert_eq!(attention(&world, &device)[0]["folder"], folder.as_str());
    let renamed = anton.rename_folder(&folder, "After");
    device.folder_sync();
    assert_eq!(attention(&world, &device)[0]["folder"], renamed.as_str());
    let line = told(&world, &format!("device show {}", device.link.device_id));
    assert!(line.contains(&format!(") in {renamed} since ")), "{line}");
}

/// The only stub in a folder.
fn the_stub(device: &Device, folder: &str) -> (String, Element) {
    let mut stubs = device.items(folder).iter().filter(|(_, data)| is_stub(data));
    let (id, data) = stubs.next().expect("a stub");
    assert!(stubs.next().is_none(), "two stubs");
    (id.clone(), data.clone())
}

/// OX lists a mail and does not find it: it is no reason to be told of changes for ever.
#[test]
fn a_mail_that_ox_lists_and_does_not_find() {
    let world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    for subject in ["one", "two", "three"] {
        anton.receive(&mail(subject, "Text."));
    }
    world
        .standin
        .faults()
        .nth(1, "mail", "get", Fault::error("MSG-1000", 8));
    world
        .standin
        .faults()
        .nth(3, "mail", "get", Fault::error("MSG-0032", 8));
    assert_eq!(device.sync(&inbox).added.len(), 3);
    let (id, _) = the_stub(&device, &inbox);
    assert_eq!(attention(&world, &device)[0]["server_id"], id.as_str());
    assert!(device.sync(&inbox).is_quiet());

    // A phone that asks for the stub whole gets it while nothing else can be had, and the mail as soon as it can.
    for call in 1..=2 {
        world
            .standin
            .faults()
            .nth(call, "mail", "get", Fault::error("MSG-1000", 8));
    }
    device.fetch(&inbox, &id);
    assert!(is_stub(&device.sync(&inbox).fetched[&id]));
    world.standin.faults().clear();
    device.fetch(&inbox, &id);
    assert!(text(&device.sync(&inbox).fetched[&id]).contains("Text."));
}

/// A stub that its user throws away takes the mail with it, and leaves the list.
#[test]
fn a_stub_is_deleted() {
    let world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    for subject in ["one", "two", "three"] {
        anton.receive(&mail(subject, "Text."));
    }
    break_the_second(&world);
    device.sync(&inbox);
    let (id, _) = the_stub(&device, &inbox);
    device.delete(&inbox, &id);
    device.sync(&inbox);
    assert_eq!(anton.mails(AT_INBOX).len(), 2);
    assert!(attention(&world, &device).is_empty() && device.sync(&inbox).is_quiet());
}

/// What makes a phone choke.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Appetite {
    /// It takes the stub.
    Stub,
    /// It takes neither.
    Nothing,
}

/// A phone that drops each answer in which an item of this title comes.
struct Choking<'a> {
    device: Device,
    folder: &'a str,
    appetite: Appetite,
    requests: usize,
}

const POISON: &str = "poison";

impl Choking<'_> {
    /// Syncs until there is no more, and no longer than this many requests.
    fn sync(&mut self, most: usize) {
        loop {
            self.requests += 1;
            assert!(self.requests <= most, "{} requests", self.requests);
            let request = self.device.sync_request(&[self.folder]);
            let answer = self.device.link.exchange(&request);
            let is_bad =
                |data: &Element| text(data).contains(POISON) && (self.appetite == Appetite::Nothing || !is_stub(data));
            let root = self.device.link.read(&answer);
            if root.as_ref().is_some_and(|root| commands(root).iter().any(is_bad)) {
                continue;
            }
            let synced = self.device.take_sync_answer(&[self.folder], &answer);
            if !synced[self.folder].more_available {
                return;
            }
        }
    }
}

fn commands(root: &Element) -> Vec<Element> {
    let collections = root.child(tag::COLLECTIONS).into_iter().flat_map(Element::children);
    let commands = collections.filter_map(|collection| collection.child(tag::COMMANDS));
    commands.flat_map(Element::children).cloned().collect()
}

/// Twenty mails, one of which chokes the phone, wherever it is: the others arrive.
#[test]
fn a_phone_that_chokes_on_a_mail() {
    for (place, appetite) in [
        (0, Appetite::Stub),
        (10, Appetite::Stub),
        (19, Appetite::Stub),
        (10, Appetite::Nothing),
    ] {
        let world = World::start();
        let anton = world.anton();
        let mut device = world.ready_device(V14_1);
        let inbox = device.folder(INBOX);
        device.sync_once(&inbox);
        for number in 0..20 {
            let subject = if number == place {
                POISON.to_owned()
            } else {
                format!("mail {number}")
            };
            anton.receive(&mail(&subject, "Text."));
        }
        let folder = inbox.as_str();
        let mut phone = Choking {
            device,
            folder,
            appetite,
            requests: 0,
        };
        phone.sync(40);
        println!("{place}, {appetite:?}: {} requests", phone.requests);
        let mut device = phone.device;
        let subjects: BTreeSet<&str> = device
            .items(&inbox)
            .values()
            .filter_map(|data| data.child_text(email::SUBJECT))
            .collect();
        assert_eq!(subjects.contains(POISON), appetite == Appetite::Stub);
        assert_eq!(subjects.len(), if appetite == Appetite::Stub { 20 } else { 19 });
        let entries = attention(&world, &device);
        assert_eq!((entries.len(), &entries[0]["cause"]), (1, &json!("loop")));
        assert_eq!(entries[0]["subject"], POISON);
        assert!(device.sync(&inbox).is_quiet(), "it is not tried again");
    }
}

/// Contacts, appointments and tasks have stubs with their names. What a user writes there does not reach OX; and the item
/// comes when it has changed, without the first key or with it.
#[test]
fn a_phone_that_chokes_on_an_item() {
    for (class, version) in CLASSES
        .iter()
        .flat_map(|class| [(class, V2_5), (class, V14_1), (class, V16_1)])
    {
        let world = World::start();
        let anton = world.anton();
        let ox_folder = anton.default_folder(class.module);
        let mut device = world.ready_device(version);
        let folder = device.folder(class.kind);
        device.sync_once(&folder);
        for title in ["one", POISON, "three"] {
            anton.create(class.module, object(class, title));
        }
        let mut phone = Choking {
            device,
            folder: &folder,
            appetite: Appetite::Stub,
            requests: 0,
        };
        phone.sync(30);
        let mut device = phone.device;
        let (id, stub) = the_stub(&device, &folder);
        assert_eq!(stub.child_text(class.title), Some(POISON), "{version}");
        assert_eq!(attention(&world, &device)[0]["subject"], POISON);

        let before = at_ox(&world, class, ox_folder);
        let mut data = vec![Element::text(class.title, "written over it")];
        data.extend(stub.children().iter().filter(|child| child.tag != class.title).cloned());
        device.change(&folder, &id, data);
        let synced = device.sync(&folder);
        assert_eq!(synced.refused, [(id.clone(), 6)], "{version}");
        assert!(
            device.sync(&folder).is_quiet(),
            "{version}: the item is not tried again for that"
        );
        assert_eq!(at_ox(&world, class, ox_folder), before, "{version}");

        let changed = before["id"].as_u64().and_then(|id| u32::try_from(id).ok()).unwrap();
        anton.update(class.module, ox_folder, changed, json!({class.field: "harmless"}));
        device.sync(&folder);
        let item = device.item(&folder, &id);
        assert_eq!(item.child_text(class.title), Some("harmless"), "{version}");
        assert!(!is_stub(item) && attention(&world, &device).is_empty(), "{version}");
        assert!(device.sync(&folder).is_quiet(), "{version}");
    }
}

fn object(class: &Class, title: &str) -> Value {
    match class.module {
        Module::Contacts => json!({"last_name": title, "display_name": title, "email1": "o@example.com"}),
        Module::Calendar => {
            json!({"title": title, "start_date": tomorrow(), "end_date": tomorrow() + HOUR, "shown_as": 1})
        }
        Module::Tasks => json!({"title": title}),
    }
}

fn at_ox(world: &World, class: &Class, folder: u32) -> Value {
    let objects = world.anton().objects(class.module, folder);
    let found = objects.into_iter().find(|object| object[class.field] == POISON);
    found.expect("the poison is at OX")
}

/// A phone that is set up anew is sent everything as it is.
#[test]
fn a_new_start_tries_again() {
    let world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(CONTACTS);
    device.sync_once(&folder);
    anton.create_contact(json!({"last_name": POISON, "display_name": POISON}));
    let mut phone = Choking {
        device,
        folder: &folder,
        appetite: Appetite::Stub,
        requests: 0,
    };
    phone.sync(12);
    let mut device = phone.device;
    the_stub(&device, &folder);
    device.collections.clear();
    device.sync(&folder);
    let item = device.items(&folder).values().next().unwrap();
    assert_eq!(item.child_text(contacts::LAST_NAME), Some(POISON));
    assert!(!is_stub(item) && attention(&world, &device).is_empty());
}

/// A phone that comes with a key nobody knows, and does not care for being told so: the third time it gets the whole tree.
#[test]
fn a_phone_that_does_not_start_anew() {
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let lost = "12345";
    device.hierarchy_key = lost.to_owned();
    let root = device.folder_sync_request();
    let statuses = |device: &Device| {
        let answers: Vec<Element> = (0..3).map(|_| device.link.document("FolderSync", &root)).collect();
        let status = |answer: &Element| answer.child_text(folderhierarchy::STATUS).map(str::to_owned);
        (answers.iter().filter_map(status).collect::<Vec<_>>(), answers)
    };
    let (told, answers) = statuses(&device);
    assert_eq!(told, ["9", "9", "1"]);
    let added = answers[2]
        .child(folderhierarchy::CHANGES)
        .unwrap()
        .children_of(folderhierarchy::ADD);
    assert_eq!(added.count(), device.folders.len());

    // With the key of that it goes on; and what was told before counts no more.
    device.hierarchy_key = answers[2].child_text(folderhierarchy::SYNC_KEY).unwrap().to_owned();
    let next = device.folder_sync_request();
    assert_eq!(
        device
            .link
            .document("FolderSync", &next)
            .child_text(folderhierarchy::STATUS),
        Some("1")
    );
    assert_eq!(statuses(&device).0, ["9", "9", "1"]);
}

/// An answer was lost, and then OX is down for long: requests that fail say nothing about the items.
#[test]
fn an_outage_costs_no_item() {
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    device.sync_once(&inbox);
    for subject in ["one", "two"] {
        world.anton().receive(&mail(subject, "Text."));
    }
    device.sync_and_lose(&inbox, Loss::Forgotten);
    world.standin.faults().always("mail", "get", Fault::Status(503));
    let request = device.sync_request(&[&inbox]);
    for _ in 0..12 {
        device.link.exchange(&request);
    }
    world.standin.faults().clear();
    let synced = device.sync_once(&inbox);
    assert_eq!((synced.added.len(), synced.more_available), (2, false), "{synced:?}");
    assert!(attention(&world, &device).is_empty());
}

/// Two lost answers are everyday business: the third one is as large as ever.
#[test]
fn two_lost_answers_change_nothing() {
    for loss in [Loss::Forgotten, Loss::HungUp] {
        let world = World::start();
        let anton = world.anton();
        let mut device = world.ready_device(V14_1);
        let inbox = device.folder(INBOX);
        device.sync_once(&inbox);
        for number in 0..20 {
            anton.receive(&mail(&format!("mail {number}"), "Text."));
        }
        device.sync_and_lose(&inbox, loss);
        device.sync_and_lose(&inbox, loss);
        let synced: Synced = device.sync_once(&inbox);
        assert_eq!((synced.added.len(), synced.more_available), (20, false), "{loss:?}");
        anton.receive(&mail("next", "Text."));
        assert_eq!(device.sync_once(&inbox).added.len(), 1);
        assert!(attention(&world, &device).is_empty());
    }
}

/// The only mail there is, and a network that loses five answers: nothing is missing.
#[test]
fn a_bad_network_costs_no_item() {
    for version in ProtocolVersion::ALL {
        let world = World::start();
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        device.sync_once(&inbox);
        world.anton().receive(&mail("only", "Text."));
        for _ in 0..5 {
            device.sync_and_lose(&inbox, Loss::Forgotten);
        }
        device.sync(&inbox);
        let item = device.items(&inbox).values().next().unwrap();
        assert!(text(item).contains("Text.") && !is_stub(item), "{version}");
    }
}
