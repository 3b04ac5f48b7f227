//! Mail folders that the web user renames and moves: OX gives them other ids, and phones keep theirs, their keys and their mails.

use ox_standin::Fault;
use ox_standin::Profile;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::folderhierarchy as tag;
use rusqlite::Connection;
use serde_json::json;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::TRASH;
use crate::device::Tree;
use crate::items::mail;
use crate::world::World;

const VERSIONS: [ProtocolVersion; 4] = [V2_5, V12_1, V14_1, V16_1];

/// Bit of OX: the mail was read.
const SEEN: u32 = 32;

/// The folders `Outer`, with `Inner` below, and `Other`, all in the inbox, with mails in the first two.
fn prepare(world: &World) {
    let anton = world.anton();
    anton.create_folder("default0/INBOX", "Outer", "mail");
    anton.create_folder("default0/INBOX/Outer", "Inner", "mail");
    anton.create_folder("default0/INBOX", "Other", "mail");
    let now = crate::items::now();
    for (number, folder) in ["Outer", "Outer/Inner"].into_iter().enumerate() {
        for mails in 0..3_i64 {
            let received = now - 3_600_000 * (1 + mails) - i64::try_from(number).unwrap() * 1_000;
            anton.deliver_mail_at(
                &format!("default0/INBOX/{folder}"),
                &mail(&format!("{folder} {mails}"), "Text."),
                received,
                0,
            );
        }
    }
}

/// A phone that has synced them.
fn synced(world: &World, version: ProtocolVersion) -> Device {
    let mut device = world.ready_device(version);
    for name in ["Outer", "Inner", "Other"] {
        let id = device.folder_named(name);
        device.sync(&id);
    }
    device
}

/// The phone marks the first mail of a folder as read; the next Sync tells the server.
fn read_one(device: &mut Device, folder: &str) -> String {
    let item = device.items(folder).keys().next().unwrap().clone();
    device.change(folder, &item, vec![Element::flag(email::READ, true)]);
    item
}

fn has_read(world: &World, folder: &str) -> usize {
    let mails = world.anton().mails(folder);
    mails.iter().filter(|mail| mail.flags & SEEN != 0).count()
}

/// The tree after these folders got other names or places, and no more.
fn only_changed(ids: &[&str]) -> Tree {
    Tree {
        changed: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..Tree::default()
    }
}

/// Renamed, moved, and both: the phone is told the name and the place, nothing comes again, and what it did lands.
#[test]
fn folders_are_followed() {
    for version in VERSIONS {
        let world = World::start();
        prepare(&world);
        let anton = world.anton();
        let mut device = synced(&world, version);
        let [outer, inner, other] = ["Outer", "Inner", "Other"].map(|name| device.folder_named(name));
        let inbox = device.folder(INBOX);
        // What happens at OX, the parent on the phone, the name, the id at OX then.
        let cases = [
            (json!({"title": "Renamed"}), &inbox, "Renamed", "default0/INBOX/Renamed"),
            (
                json!({"folder_id": "default0/INBOX/Other"}),
                &other,
                "Renamed",
                "default0/INBOX/Other/Renamed",
            ),
            (
                json!({"folder_id": "default0/INBOX", "title": "Both"}),
                &inbox,
                "Both",
                "default0/INBOX/Both",
            ),
        ];
        let mut at_ox = "default0/INBOX/Outer".to_owned();
        for (change, parent, name, expected) in cases {
            let read = read_one(&mut device, &outer);
            at_ox = anton.update_folder(&at_ox, change);
            assert_eq!(at_ox, expected, "{version}");
            anton.deliver_mail(&at_ox, &mail("new", "Text."));
            assert_eq!(device.folder_sync(), only_changed(&[&outer]), "{version} {name}");
            let folder = &device.folders[&outer];
            assert_eq!((&folder.parent, folder.name.as_str()), (parent, name), "{version}");
            let synced = device.sync(&outer);
            assert_eq!((synced.added.len(), synced.commands()), (1, 1), "{version}: {synced:?}");
            assert_eq!(
                has_read(&world, &at_ox),
                1,
                "{version} {name}: what the phone did is lost"
            );
            assert!(device.sync(&inner).is_quiet(), "{version} {name}");
            assert_eq!(device.items(&inner).len(), 3, "{version}");
            device.change(&outer, &read, vec![Element::flag(email::READ, false)]);
            device.sync(&outer);
            assert_eq!(has_read(&world, &at_ox), 0, "{version} {name}");
            device.delete(&inner, &device.items(&inner).keys().next().unwrap().clone());
            device.sync(&inner);
            assert_eq!(anton.mails(&format!("{at_ox}/Inner")).len(), 2, "{version}");
            anton.deliver_mail(&format!("{at_ox}/Inner"), &mail("back", "Text."));
            assert_eq!(device.sync(&inner).added.len(), 1, "{version}");
        }
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
    }
}

/// The phone comes with a Sync or a Ping first, and is sent to look at the tree.
#[test]
fn whatever_sees_it_first() {
    for version in VERSIONS {
        let world = World::start();
        prepare(&world);
        let mut device = synced(&world, version);
        let outer = device.folder_named("Outer");
        let key = device.collection(&outer).key.clone();
        device.ping(1, &[&outer]);
        let renamed = world.anton().rename_folder("default0/INBOX/Outer", "First");
        read_one(&mut device, &outer);
        assert_eq!(device.try_sync(&outer).status, 12, "{version}");
        assert_eq!(device.folder_sync(), only_changed(&[&outer]), "{version}");
        assert_eq!(device.collection(&outer).key, key, "{version}");
        assert!(device.sync(&outer).is_quiet(), "{version}");
        assert_eq!(has_read(&world, &renamed), 1, "{version}");
        world.anton().rename_folder(&renamed, "Second");
        assert_eq!(device.ping(1, &[&outer]).status, 7, "{version}");
        assert_eq!(device.folder_sync(), only_changed(&[&outer]), "{version}");
        assert!(device.sync(&outer).is_quiet(), "{version}");
        assert_eq!(device.ping(1, &[&outer]).status, 1, "{version}");
    }
}

/// Each phone follows by what it has itself.
#[test]
fn two_phones() {
    let world = World::start();
    prepare(&world);
    let mut phones = [V2_5, V16_1].map(|version| synced(&world, version));
    let renamed = world.anton().rename_folder("default0/INBOX/Outer", "Renamed");
    for device in &mut phones {
        let [outer, inner] = ["Outer", "Inner"].map(|name| device.folder_named(name));
        assert_eq!(device.folder_sync(), only_changed(&[&outer]));
        assert!(device.sync(&outer).is_quiet() && device.sync(&inner).is_quiet());
    }
    let [first, second] = &mut phones;
    let outer = first.folder_named("Renamed");
    read_one(first, &outer);
    first.sync(&outer);
    assert_eq!(has_read(&world, &renamed), 1);
    let outer = second.folder_named("Renamed");
    assert_eq!(second.sync(&outer).changed.len(), 1);
}

/// An empty folder is followed while nothing else can be meant; two of them are not.
#[test]
fn empty_folders() {
    for version in VERSIONS {
        let world = World::start();
        prepare(&world);
        let anton = world.anton();
        let mut device = synced(&world, version);
        let other = device.folder_named("Other");
        anton.rename_folder("default0/INBOX/Other", "Renamed");
        assert_eq!(device.folder_sync(), only_changed(&[&other]), "{version}");
        anton.create_folder("default0/INBOX", "Twin", "mail");
        device.folder_sync();
        let twin = device.folder_named("Twin");
        device.sync(&twin);
        anton.rename_folder("default0/INBOX/Renamed", "One");
        anton.rename_folder("default0/INBOX/Twin", "Two");
        let tree = device.folder_sync();
        assert_eq!((tree.added.len(), tree.deleted.len()), (2, 2), "{version}: {tree:?}");
    }
}

/// Two folders change their names: nothing vanishes at OX, and the phone gets what is there.
#[test]
fn names_are_swapped() {
    for version in VERSIONS {
        let world = World::start();
        prepare(&world);
        let anton = world.anton();
        let mut device = synced(&world, version);
        let [outer, other] = ["Outer", "Other"].map(|name| device.folder_named(name));
        read_one(&mut device, &outer);
        anton.rename_folder("default0/INBOX/Other", "Between");
        anton.rename_folder("default0/INBOX/Outer", "Other");
        anton.rename_folder("default0/INBOX/Between", "Outer");
        device.folder_sync();
        for _ in 0..3 {
            device.sync(&outer);
            device.sync(&other);
        }
        assert_eq!(
            (device.items(&outer).len(), device.items(&other).len()),
            (0, 3),
            "{version}"
        );
        assert_eq!(anton.mails("default0/INBOX/Other").len(), 3, "{version}");
        assert!(device.sync(&other).is_quiet(), "{version}");
    }
}

/// What the web user deletes goes to the trash, and is gone for the phone; a phone that deletes it too does not
/// delete it for good.
#[test]
fn deleted_folders_are_not_followed() {
    for version in VERSIONS {
        let world = World::start();
        prepare(&world);
        let anton = world.anton();
        let mut device = synced(&world, version);
        let [outer, inner] = ["Outer", "Inner"].map(|name| device.folder_named(name));
        let trash = device.folder(TRASH);
        anton.update_folder("default0/INBOX/Outer", json!({"folder_id": "default0/INBOX/Trash"}));
        let delete = [
            Element::text(tag::SYNC_KEY, device.hierarchy_key.clone()),
            Element::text(tag::SERVER_ID, outer.clone()),
        ];
        let answer = device
            .link
            .document("FolderDelete", &Element::parent(tag::FOLDER_DELETE, delete));
        assert_eq!(answer.child_text(tag::STATUS), Some("4"), "{version}");
        let tree = device.folder_sync();
        assert_eq!((tree.added.len(), tree.deleted.len()), (2, 2), "{version}: {tree:?}");
        let again = device.folder_named("Outer");
        assert_eq!(device.folders[&again].parent, trash, "{version}");
        assert!(![&outer, &inner].contains(&&again), "{version}");
        assert_eq!(anton.mails("default0/INBOX/Trash/Outer").len(), 3, "{version}");
    }
}

/// Some mail servers give the mails of a renamed folder other ids: then nothing tells what it was, and the phone gets it anew.
#[test]
fn mails_get_other_ids() {
    for version in VERSIONS {
        let plan = World::plan().standin(ox_standin::Builder::renumbers_renamed);
        let world = plan.start().expect("SQLite is always there");
        prepare(&world);
        let mut device = synced(&world, version);
        let outer = device.folder_named("Outer");
        world.anton().rename_folder("default0/INBOX/Outer", "Renamed");
        let tree = device.folder_sync();
        assert_eq!((tree.added.len(), tree.deleted.len()), (2, 2), "{version}: {tree:?}");
        let renamed = device.folder_named("Renamed");
        assert_ne!(renamed, outer, "{version}");
        assert_eq!(device.sync(&renamed).added.len(), 3, "{version}");
        assert_eq!(world.anton().mails("default0/INBOX/Renamed").len(), 3, "{version}");
    }
}

/// OX is down at the moment when it is asked which mails are where: the phone is told nothing, and tries again.
#[test]
fn trouble_postpones() {
    for version in VERSIONS {
        let world = World::start();
        prepare(&world);
        let mut device = synced(&world, version);
        let outer = device.folder_named("Outer");
        world.anton().rename_folder("default0/INBOX/Outer", "Renamed");
        world.standin.faults().always("mail", "list", Fault::Status(503));
        let request = device.link.wbxml("FolderSync", &device.folder_sync_request());
        device.link.exchange(&request);
        world.standin.faults().clear();
        assert_eq!(device.folder_sync(), only_changed(&[&outer]), "{version}");
        assert!(device.sync(&outer).is_quiet(), "{version}");
    }
}

/// The gateway dies between the two writes, when the ids are changed and the phone's tree is not: the next one goes on from there.
#[test]
fn a_crash_in_between() {
    for version in VERSIONS {
        let mut world = World::start();
        prepare(&world);
        let mut device = synced(&world, version);
        let outer = device.folder_named("Outer");
        world.anton().rename_folder("default0/INBOX/Outer", "Renamed");
        let database = Connection::open(world.database()).unwrap();
        let refuse = "CREATE TRIGGER refusal BEFORE INSERT ON USMDataStorage BEGIN SELECT RAISE(FAIL, 'no'); END";
        database.execute_batch(refuse).unwrap();
        let request = device.link.wbxml("FolderSync", &device.folder_sync_request());
        device.link.exchange(&request);
        world.kill();
        database.execute_batch("DROP TRIGGER refusal").unwrap();
        let renamed = "SELECT ShortID FROM usmIdMapping WHERE LongID = 'mail/default0/INBOX/Renamed'";
        let id: u32 = database.query_row(renamed, [], |row| row.get(0)).unwrap();
        assert_eq!(id.to_string(), outer, "{version}: the first write was made");
        world.restart();
        assert_eq!(device.folder_sync(), only_changed(&[&outer]), "{version}");
        assert!(device.sync(&outer).is_quiet(), "{version}");
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
    }
}

/// The answer with the new name is lost, and the gateway dies after it: the phone asks again with the key before.
#[test]
fn lost_answers() {
    for version in VERSIONS {
        let mut world = World::start();
        prepare(&world);
        let mut device = synced(&world, version);
        let outer = device.folder_named("Outer");
        world.anton().rename_folder("default0/INBOX/Outer", "Renamed");
        let request = device.link.wbxml("FolderSync", &device.folder_sync_request());
        device.link.exchange(&request);
        world.restart();
        assert_eq!(device.folder_sync(), only_changed(&[&outer]), "{version}");
        assert!(device.sync(&outer).is_quiet(), "{version}");
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
    }
}

/// While no folder has vanished, and one has appeared or not, nothing more is asked of OX than the folders.
#[test]
fn the_ordinary_case_costs_nothing() {
    // Older servers list their folders level by level.
    let world = World::since(Profile::V6_20);
    prepare(&world);
    let mut device = synced(&world, V14_1);
    let mut cost = || {
        let before = world.standin.calls().requests;
        let tree = device.folder_sync();
        (world.standin.calls().requests - before, tree)
    };
    assert_eq!(cost(), (1, Tree::default()));
    world.anton().create_folder("default0/INBOX", "New", "mail");
    assert_eq!(cost().0, 1);
    world.anton().delete_folder("default0/INBOX/New");
    assert_eq!(cost().0, 1);
    world.anton().rename_folder("default0/INBOX/Outer", "Renamed");
    assert_eq!(
        cost().0,
        2,
        "one request for the tree, one for what is in the new folders"
    );
    assert_eq!(cost(), (1, Tree::default()));
}
