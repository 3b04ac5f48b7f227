//! Devices that get something else than others, by the names under which they are known.
//!
//! Each bend is seen beside a phone that is not bent. Which devices a row is for is tested with the table.

use ox_standin::Module;
use ox_standin::User;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::contacts2;
use oxtender::wbxml::codepage::folderhierarchy;
use oxtender::wbxml::codepage::gal;
use oxtender::wbxml::codepage::getitemestimate;
use oxtender::wbxml::codepage::search;
use oxtender::wbxml::codepage::settings;
use rusqlite::Connection;
use serde_json::json;

use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::TASKS;
use crate::device::TRASH;
use crate::device::collection::number;
use crate::device::sync_document;
use crate::items::mail;
use crate::items::property;
use crate::refusals::told;
use crate::world::World;

/// OX's flag of a mail that was read.
const SEEN: u32 = 32;

pub(crate) const PHONE: (&str, &str) = ("Phone", "Phone/1.0");
pub(crate) const AOSP: (&str, &str) = ("Android", "Android/4.4.2-EAS-1.3");
const AOSP_4_3: (&str, &str) = ("Android", "Android/4.3-EAS-1.3");
const GMAIL: (&str, &str) = ("Android", "Android-Mail/2021.09.19.398306513.Release");
const SAMSUNG: (&str, &str) = ("SAMSUNGGTI9300", "SAMSUNG-GT-I9300/101.403");
const BLACKBERRY: (&str, &str) = ("BlackBerry", "RIM-Q10-SQN100-3/10.2.1.3289");
pub(crate) const IPHONE: (&str, &str) = ("iPhone", "Apple-iPhone6C2/1607.92");
const NOKIA: (&str, &str) = ("Symbian", "NokiaE71/2.09(158)MailforExchange");
pub(crate) const OUTLOOK: (&str, &str) = ("WindowsOutlook15", "Outlook/15.0 (15.0.4420.1017; MSI; x86)");
const PHONE_8: (&str, &str) = ("WP8", "MSFT-WP/8.0.10211");
const PHONE_8_1: (&str, &str) = ("WP8", "MSFT-WP/8.10.12359");
pub(crate) const POCKET_PC: (&str, &str) = ("PocketPC", "MSFT-PPC/5.2.5082");
pub(crate) const ANALYSER: (&str, &str) = ("TestActiveSyncConnectivity", "TestActiveSyncConnectivity");

/// A device out of its box, by DeviceType and User-Agent.
pub(crate) fn named(world: &World, (device_type, user_agent): (&str, &str), version: ProtocolVersion) -> Device {
    let mut device = world.device(version);
    device.link.device_type = device_type.to_owned();
    device.link.user_agent = user_agent.to_owned();
    device
}

pub(crate) fn ready(world: &World, name: (&str, &str), version: ProtocolVersion) -> Device {
    let mut device = named(world, name, version);
    device.set_up();
    device
}

/// Ids of the devices the store knows.
fn known_devices(world: &World) -> Vec<String> {
    let database = Connection::open(world.database()).unwrap();
    let mut statement = database.prepare("SELECT device FROM USMSession").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn who_only_tries_leaves_nothing_behind() {
    let world = World::start();
    let anton = world.anton();
    let mut device = named(&world, AOSP, V14_1);
    device.link.device_id = "validate".to_owned();
    let tree = device.folder_sync();
    assert!(tree.added.is_empty(), "{tree:?}");
    assert_eq!(device.hierarchy_key, "1");
    let refused = device
        .link
        .exchange(&device.link.wbxml("Settings", &Element::empty(settings::SETTINGS)));
    assert_eq!(told(&device, &refused), (200, Some("108".to_owned())));
    device.link.password = "wrong".to_owned();
    let root = Element::parent(
        folderhierarchy::FOLDER_SYNC,
        [Element::text(folderhierarchy::SYNC_KEY, "0")],
    );
    let refused = device.link.exchange(&device.link.wbxml("FolderSync", &root));
    assert_eq!(refused.status, 401);
    // The same phone under its own name.
    let real = ready(&world, AOSP, V14_1);
    assert!(!real.folders.is_empty());
    assert_eq!(known_devices(&world), [real.link.device_id.as_str()]);
    assert_eq!(
        anton
            .objects(Module::Contacts, anton.default_folder(Module::Contacts))
            .len(),
        0
    );
}

/// Calendars, folders of contacts and of tasks that a device has.
fn kinds(device: &Device) -> [usize; 3] {
    [(CALENDAR, 13), (CONTACTS, 14), (TASKS, 15)].map(|(default, more)| {
        let of_kind = device.folders.values();
        of_kind.filter(|folder| [default, more].contains(&folder.kind)).count()
    })
}

fn with_more_folders() -> World {
    let world = World::start();
    let anton = world.anton();
    for (module, name) in [
        (Module::Calendar, "calendar"),
        (Module::Contacts, "contacts"),
        (Module::Tasks, "tasks"),
    ] {
        let parent = anton.default_folder(module).to_string();
        anton.create_folder(&parent, "More", name);
    }
    world
}

#[test]
fn folders_by_device() {
    let world = with_more_folders();
    let all = kinds(&ready(&world, PHONE, V14_1));
    assert!(all.iter().all(|count| *count >= 2), "{all:?}");
    let [calendars, contacts, tasks] = all;
    // device, what it gets
    let cases = [
        (AOSP_4_3, [1, 1, 1]),
        (AOSP, [calendars, 1, 1]),
        (SAMSUNG, [1, 1, 1]),
        (GMAIL, all),
        (IPHONE, all),
        (OUTLOOK, [calendars, 1, tasks]),
        (PHONE_8, [1, 1, tasks]),
        (PHONE_8_1, [calendars, 1, tasks]),
        (POCKET_PC, [1, 1, 1]),
        (BLACKBERRY, [calendars, contacts, tasks]),
    ];
    for (name, expected) in cases {
        let device = ready(&world, name, V14_1);
        assert_eq!(kinds(&device), expected, "{name:?}");
        for kind in [CALENDAR, CONTACTS, TASKS, INBOX] {
            device.folder(kind);
        }
    }
}

/// What a device tells in Settings counts as well, also after a restart.
#[test]
fn a_model_is_recognised_once_it_was_told() {
    let mut world = with_more_folders();
    let mut device = ready(&world, ("htcm8", "HTC-EAS/1.0"), V12_1);
    assert!(kinds(&device).iter().all(|count| *count >= 2));
    let set = Element::parent(settings::SET, [Element::text(settings::MODEL, "HTC One mini 2")]);
    let root = Element::parent(
        settings::SETTINGS,
        [Element::parent(settings::DEVICE_INFORMATION, [set])],
    );
    device.link.document("Settings", &root);
    device.folder_sync();
    assert_eq!(kinds(&device), [1, 1, 1]);
    world.restart();
    device.hierarchy_key = "0".to_owned();
    device.folder_sync();
    assert_eq!(kinds(&device), [1, 1, 1]);
}

#[test]
fn birthdays_by_device() {
    let world = World::start();
    let anton = world.anton();
    let day = 331_776_000_000_i64;
    let contact = anton.create_contact(json!({"last_name": "Berg", "display_name": "Berg", "birthday": day}));
    // device, what it gets; all send what they got
    let cases = [
        (PHONE, "1980-07-07T00:00:00.000Z"),
        (GMAIL, "1980-07-07T00:00:00.000Z"),
        (SAMSUNG, "1980-07-07T00:00:00.000Z"),
        (IPHONE, "1980-07-07T00:00:00.000Z"),
        (AOSP, "1980-07-07T08:00:00.000Z"),
        (BLACKBERRY, "1980-07-07T11:00:00.000Z"),
    ];
    for (name, expected) in cases {
        let mut device = ready(&world, name, V14_1);
        let folder = device.folder(CONTACTS);
        let id = device.sync(&folder).added.remove(0);
        assert_eq!(
            property(device.item(&folder, &id), contacts::BIRTHDAY),
            expected,
            "{name:?}"
        );
        let mut data = device.item(&folder, &id).children().to_vec();
        data.retain(|child| child.tag != contacts::JOB_TITLE);
        data.push(Element::text(contacts::JOB_TITLE, name.1));
        device.change(&folder, &id, data);
        device.sync(&folder);
        let object = anton.object(Module::Contacts, contact).unwrap();
        assert_eq!(
            (&object["birthday"], &object["position"]),
            (&json!(day), &json!(name.1)),
            "{name:?}"
        );
    }
}

/// Status and Estimate of a key that is not known.
fn estimate(device: &Device, folder: &str, key: &str) -> (i64, Option<i64>) {
    let children = [
        Element::text(airsync::SYNC_KEY, key),
        Element::text(getitemestimate::COLLECTION_ID, folder),
    ];
    let wanted = Element::parent(getitemestimate::COLLECTION, children);
    let wanted = Element::parent(getitemestimate::COLLECTIONS, [wanted]);
    let root = Element::parent(getitemestimate::GET_ITEM_ESTIMATE, [wanted]);
    let answer = device.link.document("GetItemEstimate", &root);
    let response = answer.child(getitemestimate::RESPONSE).expect("a Response");
    let counted = response.child(getitemestimate::COLLECTION);
    (
        number(response, getitemestimate::STATUS),
        counted.map(|counted| number(counted, getitemestimate::ESTIMATE)),
    )
}

#[test]
fn estimates_of_unknown_keys() {
    let world = World::start();
    // device, answer to an unknown key, to none; an unknown folder is one for all
    let cases = [(PHONE, (4, None), (3, None)), (AOSP, (1, Some(1)), (1, Some(1)))];
    for (name, unknown, first) in cases {
        let mut device = ready(&world, name, V14_1);
        let folder = device.folder(CONTACTS);
        device.sync(&folder);
        assert_eq!(estimate(&device, &folder, "4711"), unknown, "{name:?}");
        assert_eq!(estimate(&device, &folder, "0"), first, "{name:?}");
        assert_eq!(estimate(&device, "4711", "1"), (2, None), "{name:?}");
        let key = device.collection(&folder).key.clone();
        assert_eq!(estimate(&device, &folder, &key), (1, Some(0)), "{name:?}");
    }
}

/// A Sync of a folder of the device and of one that is not there.
pub(crate) fn sync_with_unknown(device: &mut Device) -> Element {
    let folder = device.folder(CONTACTS);
    let known = device.collection(&folder).request(V14_1);
    let unknown = Element::parent(
        airsync::COLLECTION,
        [
            Element::text(airsync::SYNC_KEY, "17"),
            Element::text(airsync::COLLECTION_ID, "4711"),
        ],
    );
    device.link.document("Sync", &sync_document(vec![known, unknown], []))
}

#[test]
fn status_12_by_device() {
    let world = World::start();
    for name in [PHONE, IPHONE, OUTLOOK] {
        let answer = sync_with_unknown(&mut ready(&world, name, V14_1));
        assert!(answer.child(airsync::STATUS).is_none());
        let collections = answer.child(airsync::COLLECTIONS).expect("Collections").children();
        let statuses: Vec<i64> = collections
            .iter()
            .map(|answer| number(answer, airsync::STATUS))
            .collect();
        assert_eq!(statuses, [1, 12], "{name:?}");
    }
    let answer = sync_with_unknown(&mut ready(&world, BLACKBERRY, V14_1));
    assert_eq!(number(&answer, airsync::STATUS), 12);
    assert!(answer.child(airsync::COLLECTIONS).is_none());
}

#[test]
fn names_of_people() {
    let nameless = User::new(3, "anton", "secret").name("", "");
    let world = World::plan().standin(|builder| builder.user(nameless)).start();
    let world = world.expect("SQLite is always there");
    for (name, expected) in [(PHONE, None), (NOKIA, Some(""))] {
        let device = ready(&world, name, V12_1);
        let store = [
            Element::text(search::NAME, "GAL"),
            Element::text(search::QUERY, "anton"),
        ];
        let root = Element::parent(search::SEARCH, [Element::parent(search::STORE, store)]);
        let answer = device.link.document("Search", &root);
        let result = answer
            .child(search::RESPONSE)
            .and_then(|response| response.child(search::STORE));
        let result = result.and_then(|store| store.child(search::RESULT)).expect("a Result");
        let properties = result.child(search::PROPERTIES).expect("Properties");
        for tag in [gal::FIRST_NAME, gal::LAST_NAME] {
            assert_eq!(properties.child_text(tag), expected, "{name:?} {tag:?}");
        }
    }
}

#[test]
fn what_a_contact_lacks() {
    let world = World::start();
    let anton = world.anton();
    anton.create_contact(json!({"last_name": "Berg", "display_name": "Berg", "position": "Clerk"}));
    for (name, expected) in [(PHONE, None), (NOKIA, Some(""))] {
        let mut device = ready(&world, name, V14_1);
        let folder = device.folder(CONTACTS);
        let id = device.sync(&folder).added.remove(0);
        let item = device.item(&folder, &id);
        for tag in [
            contacts::FIRST_NAME,
            contacts::EMAIL1_ADDRESS,
            contacts::BIRTHDAY,
            contacts2::NICK_NAME,
        ] {
            assert_eq!(item.child_text(tag), expected, "{name:?} {tag:?}");
        }
        assert_eq!(item.child_text(contacts::LAST_NAME), Some("Berg"));
        // Containers are never empty.
        assert!(item.child(contacts::CATEGORIES).is_none() && item.child(contacts::CHILDREN).is_none());
        // What comes back as it was shown changes nothing.
        let data = item.children().to_vec();
        device.change(&folder, &id, data);
        let updates = || world.standin.calls().of("contacts", "update");
        let before = updates();
        device.sync(&folder);
        assert_eq!(updates(), before);
    }
}

/// Outlook moves its own copy when MoveItems succeeds; all others wait to be told.
#[test]
fn moves_by_device() {
    let world = World::start();
    let anton = world.anton();
    for (name, carries_out) in [(PHONE, false), (OUTLOOK, true)] {
        anton.receive(&mail("Move me", "Text."));
        let mut device = ready(&world, name, V14_1);
        let (inbox, trash) = (device.folder(INBOX), device.folder(TRASH));
        device.sync(&trash);
        let id = device.sync(&inbox).added.remove(0);
        let (status, new_id) = device
            .move_items(&[(&id, &inbox, &trash)])
            .remove(&id)
            .expect("an answer");
        let new_id = new_id.expect("the new id");
        assert_eq!(status, 3);
        if carries_out {
            let item = device.collection(&inbox).items.remove(&id).expect("the mail");
            device.collection(&trash).items.insert(new_id.clone(), item);
        }
        let (out, into) = (device.sync(&inbox), device.sync(&trash));
        let told: (&[String], &[String]) = match carries_out {
            true => (&[], &[]),
            false => (std::slice::from_ref(&id), std::slice::from_ref(&new_id)),
        };
        assert_eq!((&out.deleted[..], &into.added[..]), told, "{name:?}");
        // From here on it is a mail as any other.
        let at_ox = anton.mails("default0/INBOX/Trash").pop().expect("the mail");
        anton.set_flags("default0/INBOX/Trash", &at_ox.id, SEEN, 0);
        assert_eq!(device.sync(&trash).changed, std::slice::from_ref(&new_id), "{name:?}");
        // Who starts anew gets it.
        device.collection(&trash).key = "0".to_owned();
        device.collection(&trash).items.clear();
        assert!(device.sync(&trash).added.contains(&new_id), "{name:?}");
        anton.delete_mail("default0/INBOX/Trash", &at_ox.id);
    }
}
