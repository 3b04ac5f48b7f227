//! What devices are known to do, and what is right for all of them: tests that no other subject has.
//!
//! `docs/quirks.md` names for each peculiarity the test that shows what becomes of it; many stand here.

use std::time::Duration;
use std::time::Instant;

use ox_standin::Module;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::composemail;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::folderhierarchy;
use oxtender::wbxml::codepage::rightsmanagement;
use serde_json::Value;
use serde_json::json;

use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::collection::number;
use crate::device::sync_document;
use crate::items::HOUR;
use crate::items::appointment;
use crate::items::compact;
use crate::items::contact;
use crate::items::mail;
use crate::items::property;
use crate::items::tomorrow;
use crate::quirks::ANALYSER;
use crate::quirks::AOSP;
use crate::quirks::IPHONE;
use crate::quirks::OUTLOOK;
use crate::quirks::PHONE;
use crate::quirks::POCKET_PC;
use crate::quirks::named;
use crate::quirks::ready;
use crate::quirks::sync_with_unknown;
use crate::world::World;

/// Sync says that the tree changed, FolderSync that it did not: after two rounds the device starts anew, once.
#[test]
fn circles_end() {
    let world = World::start();
    let mut device = ready(&world, PHONE, V14_1);
    let ask = |device: &Device, key: &str| {
        let key = Element::text(folderhierarchy::SYNC_KEY, key);
        let root = Element::parent(folderhierarchy::FOLDER_SYNC, [key]);
        number(&device.link.document("FolderSync", &root), folderhierarchy::STATUS)
    };
    let key = device.hierarchy_key.clone();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        sync_with_unknown(&mut device);
        statuses.push(ask(&device, &key));
    }
    assert_eq!(statuses, [1, 9, 1, 1]);
    // A device whose tree did change is not in a circle.
    let mut device = ready(&world, PHONE, V14_1);
    for round in 0..4 {
        world
            .anton()
            .create_folder("default0/INBOX", &format!("Round {round}"), "mail");
        sync_with_unknown(&mut device);
        assert_eq!(device.folder_sync().added.len(), 1);
    }
}

/// A long wait for nothing at all, as Android and iOS send it when every folder is switched off.
#[test]
fn a_sync_of_nothing_waits() {
    let world = World::start();
    for name in [AOSP, IPHONE] {
        let device = ready(&world, name, V14_1);
        let root = sync_document(Vec::new(), [Element::number(airsync::HEARTBEAT_INTERVAL, 1)]);
        let started = Instant::now();
        let answer = device.link.exchange(&device.link.wbxml("Sync", &root));
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{name:?}");
        assert!(started.elapsed() >= Duration::from_secs(1));
    }
}

/// Neither with a header of nonsense nor without one is anybody sent to Provision.
#[test]
fn nobody_has_to_be_provisioned() {
    let world = World::start();
    world.anton().receive(&mail("Hello", "Text."));
    for name in [OUTLOOK, ANALYSER, AOSP, IPHONE, POCKET_PC] {
        let mut device = named(&world, name, V14_1);
        device.folder_sync();
        let inbox = device.folder(INBOX);
        assert_eq!(device.sync(&inbox).added.len(), 1, "{name:?}");
        assert_eq!(device.ping(1, &[&inbox]).status, 1, "{name:?}");
        for key in [
            None,
            Some(""),
            Some("0"),
            Some("\"0\""),
            Some("none"),
            Some("99999999999"),
        ] {
            let mut request = device.sync_request(&[&inbox]);
            request.headers.retain(|(header, _)| *header != "X-MS-PolicyKey");
            request
                .headers
                .extend(key.map(|key| ("X-MS-PolicyKey", key.to_owned())));
            assert_eq!(device.link.exchange(&request).status, 200, "{name:?} {key:?}");
        }
    }
}

/// Nine upgrades to 16.x only then.
#[test]
fn offers_have_the_header_for_nine() {
    let world = World::start();
    let device = world.device(V16_1);
    let answer = device.link.exchange(&device.link.options());
    assert_eq!(answer.header("X-AspNet-Version"), Some("4.0.30319"));
}

#[test]
fn the_winner_of_a_conflict_comes_in_the_same_answer() {
    let world = World::start();
    let anton = world.anton();
    let folder_at_ox = anton.default_folder(Module::Contacts);
    let of_conflict = anton.create_contact(json!({"last_name": "First", "display_name": "First"}));
    let mut device = ready(&world, AOSP, V14_1);
    let folder = device.folder(CONTACTS);
    let id = device.sync(&folder).added.remove(0);
    anton.update(Module::Contacts, folder_at_ox, of_conflict, json!({"last_name": "Web"}));
    for number in 0..5 {
        let name = format!("New {number}");
        anton.create_contact(json!({"last_name": name, "display_name": name}));
    }
    device.change(&folder, &id, contact("Eva", "Phone"));
    device.collection(&folder).window = 1;
    let synced = device.sync_once(&folder);
    assert_eq!(synced.refused, [(id.clone(), 7)]);
    assert_eq!(synced.changed, std::slice::from_ref(&id), "{synced:?}");
    assert!(synced.added.is_empty() && synced.more_available);
    assert_eq!(property(device.item(&folder, &id), contacts::LAST_NAME), "Web");
}

/// Two first Syncs, the second sent before the first was answered: both keys are given, the later one counts.
#[test]
fn a_second_first_sync_is_valid() {
    let world = World::start();
    let mut device = ready(&world, IPHONE, V14_1);
    let folder = device.folder(CONTACTS);
    let first = device.sync_request(&[&folder]);
    let answer = device.link.exchange(&first);
    assert_eq!(answer.status, 200);
    assert_eq!(device.sync_once(&folder).status, 1);
    world
        .anton()
        .create_contact(json!({"last_name": "Berg", "display_name": "Berg"}));
    assert_eq!(device.sync(&folder).added.len(), 1);
}

/// Some iOS send a Fetch with the first key, and crash if it is honoured.
#[test]
fn commands_before_the_first_key_are_ignored() {
    let world = World::start();
    let anton = world.anton();
    let device = &mut ready(&world, IPHONE, V14_1);
    let folder = device.folder(CONTACTS);
    let mut collection = device.collection(&folder).request(V14_1);
    let fetch = Element::parent(
        airsync::FETCH,
        [Element::text(airsync::SERVER_ID, format!("{folder}:1"))],
    );
    let add = [
        Element::text(airsync::CLIENT_ID, "c"),
        Element::parent(airsync::APPLICATION_DATA, contact("Eva", "Berg")),
    ];
    collection.push(Element::parent(
        airsync::COMMANDS,
        [fetch, Element::parent(airsync::ADD, add)],
    ));
    let answer = device.link.document("Sync", &sync_document(vec![collection], []));
    let collection = &answer.child(airsync::COLLECTIONS).expect("Collections").children()[0];
    assert_eq!(number(collection, airsync::STATUS), 1);
    assert!(collection.child(airsync::RESPONSES).is_none() && collection.child(airsync::COMMANDS).is_none());
    assert_eq!(
        anton.objects(Module::Contacts, anton.default_folder(Module::Contacts)),
        Vec::<Value>::new()
    );
}

/// What devices put into requests without need: Class in an Add, empty containers, a malformed date, a rights template.
#[test]
fn what_is_of_no_use_is_ignored() {
    let world = World::start();
    let anton = world.anton();
    let mut device = ready(&world, OUTLOOK, V14_1);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    let mut collection = device.collection(&folder).request(V14_1);
    let mut data = contact("Eva", "Berg");
    data.extend([
        Element::empty(contacts::CHILDREN),
        Element::empty(contacts::CATEGORIES),
        Element::text(contacts::BIRTHDAY, "yesterday"),
        Element::text(calendar::UID, "of another class"),
    ]);
    let add = [
        Element::text(airsync::CLASS, "Contacts"),
        Element::text(airsync::CLIENT_ID, "c"),
        Element::parent(airsync::APPLICATION_DATA, data),
    ];
    collection.push(Element::parent(airsync::COMMANDS, [Element::parent(airsync::ADD, add)]));
    let answer = device.link.document("Sync", &sync_document(vec![collection], []));
    let collection = &answer.child(airsync::COLLECTIONS).expect("Collections").children()[0];
    let added = &collection.child(airsync::RESPONSES).expect("Responses").children()[0];
    assert_eq!(number(added, airsync::STATUS), 1);
    let contacts = anton.objects(Module::Contacts, anton.default_folder(Module::Contacts));
    assert_eq!(contacts.len(), 1);
    assert_eq!(
        (&contacts[0]["last_name"], &contacts[0]["birthday"]),
        (&json!("Berg"), &Value::Null)
    );

    let root = Element::parent(
        composemail::SEND_MAIL,
        [
            Element::text(composemail::CLIENT_ID, "protected"),
            Element::opaque(composemail::MIME, mail("Hello", "Text.")),
            // No template at all, as iOS writes it.
            Element::text(rightsmanagement::TEMPLATE_ID, "00000000-0000-0000-0000-000000000000"),
        ],
    );
    let answer = device.link.exchange(&device.link.wbxml("SendMail", &root));
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(anton.sent().len(), 1);
}

/// HTC means by -1 what others mean by an empty tag, Nokia by a whole day of no length one of 24 hours.
#[test]
fn odd_appointments() {
    let world = World::start();
    let anton = world.anton();
    let start = tomorrow();
    // subject, what stands instead; fields at OX
    let cases: [(&str, Vec<Element>, Value); 3] = [
        (
            "HTC",
            vec![Element::text(calendar::REMINDER, "-1")],
            json!({"full_time": false, "end_date": start + HOUR}),
        ),
        (
            "Nokia",
            vec![
                Element::number(calendar::ALL_DAY_EVENT, 1),
                Element::text(calendar::END_TIME, compact(start)),
            ],
            json!({"full_time": true, "end_date": start + 24 * HOUR}),
        ),
        (
            "nothing",
            vec![Element::text(calendar::END_TIME, compact(start))],
            json!({"full_time": false, "end_date": start}),
        ),
    ];
    for (subject, instead, expected) in cases {
        let mut device = ready(&world, PHONE, V14_1);
        let folder = device.folder(CALENDAR);
        device.sync(&folder);
        let mut data = appointment(V14_1, subject, subject, start);
        data.retain(|child| instead.iter().all(|other| other.tag != child.tag));
        data.extend(instead);
        let client_id = device.add(&folder, data);
        let synced = device.sync(&folder);
        assert!(synced.new_ids.contains_key(&client_id), "{subject}: {synced:?}");
        let objects = anton.objects(Module::Calendar, anton.default_folder(Module::Calendar));
        let object = objects.iter().find(|object| object["title"] == subject).expect(subject);
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&object[field], value, "{subject} {field}");
        }
        assert!(object["alarm"].as_i64().unwrap_or(-1) < 0, "{subject}");
    }
}
