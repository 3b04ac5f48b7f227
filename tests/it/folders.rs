//! FolderCreate, FolderUpdate and FolderDelete: what a phone does to the tree arrives at OX once, and is not told back.

use ox_standin::Fault;
use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage::folderhierarchy as tag;
use serde_json::json;

use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::Folder;
use crate::device::INBOX;
use crate::device::TASKS;
use crate::device::Tree;
use crate::items::contact;
use crate::items::mail;
use crate::world::World;

const VERSIONS: [ProtocolVersion; 4] = [V2_5, V12_1, V14_1, V16_1];

/// What a phone is told: Status, the next key, and the id of a new folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    status: String,
    key: Option<String>,
    id: Option<String>,
}

fn ask(device: &Device, root: Tag, children: &[(Tag, &str)]) -> Told {
    let key = Element::text(tag::SYNC_KEY, device.hierarchy_key.clone());
    let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
    let document = Element::parent(root, std::iter::once(key).chain(children));
    answer_to(device, &document)
}

fn answer_to(device: &Device, document: &Element) -> Told {
    let answer = device.link.document(&document.tag.name(), document);
    assert_eq!(answer.tag, document.tag);
    let text = |tag| answer.child_text(tag).map(str::to_owned);
    let told = Told {
        status: text(tag::STATUS).expect("a Status"),
        key: text(tag::SYNC_KEY),
        id: text(tag::SERVER_ID),
    };
    let is_new = document.tag == tag::FOLDER_CREATE && told.status == "1";
    assert_eq!(
        (told.key.is_some(), told.id.is_some()),
        (told.status == "1", is_new),
        "{told:?}"
    );
    told
}

fn create(device: &Device, parent: &str, name: &str, kind: &str) -> Told {
    ask(
        device,
        tag::FOLDER_CREATE,
        &[(tag::PARENT_ID, parent), (tag::DISPLAY_NAME, name), (tag::TYPE, kind)],
    )
}

fn update(device: &Device, id: &str, parent: &str, name: &str) -> Told {
    ask(
        device,
        tag::FOLDER_UPDATE,
        &[
            (tag::SERVER_ID, id),
            (tag::PARENT_ID, parent),
            (tag::DISPLAY_NAME, name),
        ],
    )
}

fn delete(device: &Device, id: &str) -> Told {
    ask(device, tag::FOLDER_DELETE, &[(tag::SERVER_ID, id)])
}

/// The phone takes the success of a FolderCreate or FolderUpdate in.
fn take(device: &mut Device, told: &Told, id: &str, parent: &str, name: &str, kind: i64) {
    assert_eq!(told.status, "1");
    device.hierarchy_key = told.key.clone().unwrap();
    let folder = Folder {
        parent: parent.to_owned(),
        name: name.to_owned(),
        kind,
    };
    device.folders.insert(id.to_owned(), folder);
}

fn made(device: &mut Device, parent: &str, name: &str, kind: i64) -> String {
    let told = create(device, parent, name, &kind.to_string());
    let id = told.id.clone().unwrap_or_else(|| panic!("{name}: {told:?}"));
    take(device, &told, &id, parent, name, kind);
    id
}

/// Folders of all kinds, at the root and below others; no FolderSync tells of them.
#[test]
fn folders_are_made() {
    for version in VERSIONS {
        let world = World::start();
        let mut device = world.ready_device(version);
        let (inbox, calendar) = (device.folder(INBOX), device.folder(CALENDAR));
        let (contacts, tasks) = (device.folder(CONTACTS), device.folder(TASKS));
        // parent, name, type
        let cases = [
            (inbox.as_str(), "Projekt \u{fc}", 12),
            (&calendar, "Feiertage", 13),
            (&contacts, "Kunden", 14),
            (&tasks, "Haus", 15),
            ("0", "Reisen", 13),
        ];
        for (parent, name, kind) in cases {
            let id = made(&mut device, parent, name, kind);
            assert_eq!(device.folder_sync(), Tree::default(), "{version} {name}");
            assert!(device.sync(&id).is_quiet(), "{version} {name}");
        }
        let other = world.ready_device(version);
        for (_, name, kind) in cases {
            let folder = &other.folders[&other.folder_named(name)];
            assert_eq!(folder.kind, kind, "{version} {name}");
        }
        // A generic folder holds mail.
        let told = create(&device, &inbox, "Generic", "1");
        let id = told.id.clone().unwrap();
        take(&mut device, &told, &id, &inbox, "Generic", 12);
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
        world
            .anton()
            .deliver_mail("default0/INBOX/Generic", &mail("one", "text"));
        assert_eq!(device.sync(&id).added.len(), 1, "{version}");
    }
}

/// Renaming and moving change the ids of mail folders at OX, and nothing on the phone: keys and items stay.
#[test]
fn folders_are_renamed_and_moved() {
    for version in VERSIONS {
        let world = World::start();
        let anton = world.anton();
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        let outer = made(&mut device, &inbox, "Outer", 12);
        let inner = made(&mut device, &outer, "Inner", 12);
        let outside = made(&mut device, &inbox, "Outer2", 12);
        anton.deliver_mail("default0/INBOX/Outer/Inner", &mail("one", "text"));
        for id in [&outer, &inner, &outside] {
            device.sync(id);
        }
        assert_eq!(device.items(&inner).len(), 1);
        // parent, name, where the mail is at OX then
        let cases = [
            (inbox.as_str(), "Renamed", "default0/INBOX/Renamed/Inner"),
            (&outside, "Renamed", "default0/INBOX/Outer2/Renamed/Inner"),
            (&inbox, "Both", "default0/INBOX/Both/Inner"),
            (&inbox, "Both", "default0/INBOX/Both/Inner"),
        ];
        for (parent, name, at_ox) in cases {
            let told = update(&device, &outer, parent, name);
            take(&mut device, &told, &outer, parent, name, 12);
            assert_eq!(anton.mails(at_ox).len(), 1, "{version} {at_ox}");
            assert_eq!(device.folder_sync(), Tree::default(), "{version} {at_ox}");
            for id in [&outer, &inner, &outside] {
                assert!(device.sync(id).is_quiet(), "{version} {at_ox}");
            }
            anton.deliver_mail(at_ox, &mail("two", "text"));
            assert_eq!(device.sync(&inner).added.len(), 1, "{version} {at_ox}");
            let two = device.items(&inner).keys().next_back().unwrap().clone();
            device.delete(&inner, &two);
            assert!(device.sync(&inner).is_quiet(), "{version} {at_ox}");
            assert_eq!(anton.mails(at_ox).len(), 1, "{version} {at_ox}");
        }
        // Other folders keep their ids at OX.
        let calendar = device.folder(CALENDAR);
        let own = made(&mut device, &calendar, "Own", 13);
        let told = update(&device, &own, &calendar, "Renamed");
        take(&mut device, &told, &own, &calendar, "Renamed", 13);
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
        // Another phone sees the tree as it is.
        let other = world.ready_device(version);
        let inner = &other.folders[&other.folder_named("Inner")];
        assert_eq!(inner.parent, other.folder_named("Both"), "{version}");
    }
}

/// A folder goes with what is below it; a mail folder shows up in the trash, as at the web interface.
#[test]
fn folders_are_deleted() {
    for version in VERSIONS {
        let world = World::start();
        let mut device = world.ready_device(version);
        let (inbox, tasks) = (device.folder(INBOX), device.folder(TASKS));
        let outer = made(&mut device, &inbox, "Outer", 12);
        let inner = made(&mut device, &outer, "Inner", 12);
        let own = made(&mut device, &tasks, "Own", 15);
        for (id, gone) in [(&own, vec![&own]), (&outer, vec![&outer, &inner])] {
            let told = delete(&device, id);
            assert_eq!(told.status, "1", "{version}");
            device.hierarchy_key = told.key.unwrap();
            for id in gone {
                device.folders.remove(id);
            }
        }
        let tree = device.folder_sync();
        assert_eq!(
            (tree.deleted.len(), tree.changed.len()),
            (0, 0),
            "{version}: told of its own change: {tree:?}"
        );
        let names: Vec<&str> = tree.added.iter().map(|id| device.folders[id].name.as_str()).collect();
        assert_eq!(names, ["Outer", "Inner"], "{version}");
        assert!(
            !tree.added.contains(&outer) && !tree.added.contains(&inner),
            "{version}: an id comes back"
        );
        assert_eq!(delete(&device, &outer).status, "4", "{version}");
    }
}

/// The answer is lost, once and twice: the phone repeats its request with the old key, and nothing is done twice.
#[test]
fn lost_answers() {
    for version in VERSIONS {
        let world = World::start();
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        let first = create(&device, &inbox, "Outer", "12");
        let second = create(&device, &inbox, "Outer", "12");
        let third = create(&device, &inbox, "Outer", "12");
        assert_eq!((&first.status, &first.id), (&second.status, &second.id), "{version}");
        assert_eq!((&first.status, &first.id), (&third.status, &third.id), "{version}");
        let id = third.id.clone().unwrap();
        take(&mut device, &third, &id, &inbox, "Outer", 12);
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");

        let mut last = update(&device, &id, &inbox, "Renamed");
        for _ in 0..2 {
            last = update(&device, &id, &inbox, "Renamed");
        }
        take(&mut device, &last, &id, &inbox, "Renamed", 12);
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
        assert!(device.sync(&id).is_quiet(), "{version}");

        let mut last = delete(&device, &id);
        for _ in 0..2 {
            last = delete(&device, &id);
        }
        assert_eq!(last.status, "1", "{version}");
        device.hierarchy_key = last.key.unwrap();
        device.folders.remove(&id);
        assert_eq!(device.folder_sync().added.len(), 1, "{version}: once in the trash");
        let calls = world.standin.calls();
        for action in ["new", "update", "delete"] {
            assert_eq!(calls.of("folders", action), 1, "{version} {action}:\n{}", calls.text());
        }
    }
}

/// OX does what it is asked and its answer is lost: the phone tries again, and finds what it wanted.
#[test]
fn answers_of_ox_are_lost() {
    for version in VERSIONS {
        let world = World::start();
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        let again = |device: &Device, action: &str, document: &dyn Fn(&Device) -> Element| {
            world.standin.faults().always("folders", action, Fault::LoseAnswer);
            let document = document(device);
            let answer = device
                .link
                .exchange(&device.link.wbxml(&document.tag.name(), &document));
            let expected = if version < V14_0 { 503 } else { 200 };
            assert_eq!(answer.status, expected, "{version} {action}");
            world.standin.faults().clear();
            answer_to(device, &document)
        };
        let request = |root: Tag, children: &[(Tag, &str)], device: &Device| {
            let key = Element::text(tag::SYNC_KEY, device.hierarchy_key.clone());
            let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
            Element::parent(root, std::iter::once(key).chain(children))
        };
        let told = again(&device, "new", &|device| {
            let children = [
                (tag::PARENT_ID, inbox.as_str()),
                (tag::DISPLAY_NAME, "Outer"),
                (tag::TYPE, "12"),
            ];
            request(tag::FOLDER_CREATE, &children, device)
        });
        let id = told.id.clone().unwrap_or_else(|| panic!("{version}: {told:?}"));
        take(&mut device, &told, &id, &inbox, "Outer", 12);
        world.anton().deliver_mail("default0/INBOX/Outer", &mail("one", "text"));
        device.sync(&id);
        let told = again(&device, "update", &|device| {
            let children = [
                (tag::SERVER_ID, id.as_str()),
                (tag::PARENT_ID, inbox.as_str()),
                (tag::DISPLAY_NAME, "Renamed"),
            ];
            request(tag::FOLDER_UPDATE, &children, device)
        });
        take(&mut device, &told, &id, &inbox, "Renamed", 12);
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
        assert!(device.sync(&id).is_quiet(), "{version}");
        assert_eq!(device.items(&id).len(), 1, "{version}");
    }
}

/// What is refused changes nothing, and the key stays good.
#[test]
fn what_is_refused() {
    for version in VERSIONS {
        let world = World::start();
        let mut device = world.ready_device(version);
        let (inbox, calendar) = (device.folder(INBOX), device.folder(CALENDAR));
        let one = made(&mut device, &inbox, "One", 12);
        let two = made(&mut device, &inbox, "Two", 12);
        let long = "x".repeat(257);
        // command, ParentId, DisplayName, Type, ServerId, Status
        let create = tag::FOLDER_CREATE;
        let (update, delete) = (tag::FOLDER_UPDATE, tag::FOLDER_DELETE);
        let cases = [
            (create, inbox.as_str(), "One", "12", "", "2"),
            (create, "4711", "New", "12", "", "5"),
            (create, "x", "New", "12", "", "5"),
            (create, &calendar, "New", "12", "", "3"),
            (create, &inbox, "New", "2", "", "10"),
            (create, &inbox, "New", "19", "", "10"),
            (create, &inbox, "New", "17", "", "10"),
            (create, &inbox, "New", "", "", "10"),
            (create, &inbox, "", "12", "", "10"),
            (create, &inbox, &long, "12", "", "10"),
            (create, "", "New", "12", "", "10"),
            (create, &inbox, "a/b", "12", "", "10"),
            (update, &inbox, "Two", "", &one, "2"),
            (update, "0", "Renamed", "", &inbox, "2"),
            (update, "0", "Renamed", "", &calendar, "2"),
            (update, &inbox, "New", "", "4711", "4"),
            (update, "4711", "New", "", &one, "5"),
            (update, &one, "One", "", &one, "2"),
            (update, &inbox, "", "", &one, "10"),
            (update, &inbox, "New", "", "", "10"),
            (delete, "", "", "", &inbox, "3"),
            (delete, "", "", "", &calendar, "3"),
            (delete, "", "", "", "4711", "4"),
            (delete, "", "", "", "", "10"),
        ];
        for (root, parent, name, kind, id, expected) in cases {
            let all = [
                (tag::SERVER_ID, id),
                (tag::PARENT_ID, parent),
                (tag::DISPLAY_NAME, name),
                (tag::TYPE, kind),
            ];
            let given: Vec<(Tag, &str)> = all.into_iter().filter(|(_, text)| !text.is_empty()).collect();
            assert_eq!(
                ask(&device, root, &given).status,
                expected,
                "{version} {root:?} {given:?}"
            );
        }
        // Keys: one of nobody, none, and none that could be one.
        let with_key = |key: Option<&str>| {
            let key = key.map(|key| Element::text(tag::SYNC_KEY, key));
            let id = Element::text(tag::SERVER_ID, two.clone());
            Element::parent(tag::FOLDER_DELETE, key.into_iter().chain([id]))
        };
        for (key, expected) in [(Some("4711"), "9"), (Some("0"), "9"), (Some("x"), "9"), (None, "10")] {
            assert_eq!(answer_to(&device, &with_key(key)).status, expected, "{version} {key:?}");
        }
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
    }
}

/// What others share and what is public is on the phone as well, with what its user may do there; it goes with the permission,
/// and comes back under its id.
#[test]
fn folders_of_others() {
    // Bits of OX: all there is; see and read; see, read, create, and change and delete what is one's own.
    const EVERYTHING: u32 = 403_710_016;
    const READING: u32 = 257;
    const WRITING: u32 = 2 | (2 << 7) | (1 << 14) | (1 << 21);
    for version in VERSIONS {
        let world = World::start();
        let (anton, berta) = (world.anton(), world.standin.web("berta"));
        let may = |user: u32, bits: u32| json!({"entity": user, "group": false, "bits": bits});
        let permissions = |bits: u32| json!([may(berta.id(), EVERYTHING), may(anton.id(), bits)]);
        let shared = |title: &str, bits: u32| {
            berta.create_folder_with(
                "1",
                json!({"title": title, "module": "contacts", "permissions": permissions(bits)}),
            )
        };
        let to_read = shared("To read", READING);
        let to_write = shared("To write", WRITING);
        let public = berta.create_folder_with(
            "2",
            json!({"title": "Public", "module": "contacts", "permissions": permissions(WRITING)}),
        );
        let put = |folder: &str, name: &str| {
            let folder: u32 = folder.parse().expect("a number");
            berta.create_contact(json!({"folder_id": folder, "last_name": name, "display_name": name}))
        };
        let in_first = put(&to_read, "Reader");
        put(&to_write, "Writer");
        put(&public, "Everybody");
        let mut device = world.ready_device(version);
        let folders = ["To read", "To write", "Public"].map(|name| device.folder_named(name));
        for folder in &folders {
            assert_eq!(device.sync(folder).added.len(), 1, "{version}");
        }
        for (folder, at_ox) in folders.iter().zip([&to_read, &to_write, &public]).skip(1) {
            device.add(folder, contact("New", "Ned"));
            assert_eq!(device.sync(folder).new_ids.len(), 1, "{version}");
            let objects = berta.objects(Module::Contacts, at_ox.parse().expect("a number"));
            assert_eq!(objects.len(), 2, "{version}");
        }
        berta.update(
            Module::Contacts,
            to_read.parse().expect("a number"),
            in_first,
            json!({"last_name": "Changed"}),
        );
        assert_eq!(device.sync(&folders[0]).changed.len(), 1, "{version}");
        berta.update_folder(&to_read, json!({"permissions": [may(berta.id(), EVERYTHING)]}));
        assert_eq!(device.folder_sync().deleted, [folders[0].clone()], "{version}");
        berta.update_folder(&to_read, json!({"permissions": permissions(READING)}));
        assert_eq!(device.folder_sync().added.len(), 1, "{version}");
        let again = device.folder_named("To read");
        assert_eq!(again, folders[0], "{version}");
        device.collections.remove(&again);
        assert_eq!(device.sync(&again).added.len(), 1, "{version}");
        assert_eq!(
            berta
                .objects(Module::Contacts, to_read.parse().expect("a number"))
                .len(),
            1,
            "{version}"
        );
    }
}
