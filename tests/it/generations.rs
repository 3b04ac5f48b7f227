//! Keys of before: how many of them a phone may come back with, states that this release cannot read, and databases that
//! know less than the phone.

use std::fs;
use std::path::Path;

use ox_standin::Module;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::codepage::folderhierarchy;
use rusqlite::Connection;
use serde_json::json;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::Loss;
use crate::items::contact;
use crate::world::World;
use crate::world::wait_for;

/// Keys and copies of a phone, the newest last, each as a backup of it would have them.
struct Backups {
    world: World,
    device: Device,
    folder: String,
    keys: Vec<String>,
}

impl Backups {
    /// Of a phone that got one more contact before each backup.
    fn take(generations: &str) -> Self {
        let plan = World::plan().property("syncstate.generations", generations);
        let world = plan.start().expect("SQLite is always there");
        let mut device = world.ready_device(V14_1);
        let folder = device.folder(CONTACTS);
        let mut keys = Vec::new();
        for last in ["A", "B", "C", "D", "E", "F"] {
            create(&world, last);
            device.sync(&folder);
            keys.push(device.collection(&folder).key.clone());
        }
        Self {
            world,
            device,
            folder,
            keys,
        }
    }

    /// The phone with the key that is so many behind the newest, and what it had then.
    fn restore(&mut self, behind: usize) {
        let at = self.keys.len() - 1 - behind;
        let folder = self.folder.clone();
        let collection = self.device.collection(&folder);
        collection.key.clone_from(&self.keys[at]);
        // Ids at OX grow, and so do those that the phone knows.
        let mut had: Vec<String> = collection.items.keys().cloned().collect();
        had.sort_by_key(|id| (id.len(), id.clone()));
        for id in had.split_off(at + 1) {
            collection.items.remove(&id);
        }
    }
}

fn create(world: &World, last: &str) {
    world
        .anton()
        .create_contact(json!({"last_name": last, "display_name": last}));
}

#[test]
fn a_restored_phone_goes_on_within_the_generations() {
    // Generations, how far back, whether it is served.
    let cases = [
        ("2", 1, true),
        ("2", 2, false),
        ("3", 2, true),
        ("3", 3, false),
        ("4", 3, true),
        ("4", 4, false),
    ];
    for (generations, behind, is_served) in cases {
        let mut backups = Backups::take(generations);
        backups.restore(behind);
        let folder = backups.folder.clone();
        let synced = backups.device.try_sync(&folder);
        if !is_served {
            assert_eq!(synced.status, 3, "{generations} generations, {behind} behind");
            continue;
        }
        assert_eq!(
            (synced.status, synced.added.len()),
            (1, behind),
            "{generations} generations"
        );
        assert_eq!(backups.device.items(&folder).len(), 6);
        // It goes on from there, also after another lost answer.
        create(&backups.world, "G");
        backups.device.sync_and_lose(&folder, Loss::Forgotten);
        assert_eq!(backups.device.sync(&folder).added.len(), 1);
        assert!(backups.device.sync(&folder).is_quiet());
    }
}

/// No row is written where nothing changes, and no more rows are kept than generations.
#[test]
fn rows_are_as_many_as_generations() {
    for (generations, expected) in [("2", 2), ("4", 4)] {
        let mut backups = Backups::take(generations);
        let database = Connection::open(backups.world.database()).unwrap();
        let rows = || -> Vec<i64> {
            let select = "SELECT SyncKey FROM USMDataStorage WHERE ObjectID = ? ORDER BY SyncKey";
            let mut statement = database.prepare(select).unwrap();
            let keys = statement.query_map([&backups.folder], |row| row.get(0)).unwrap();
            keys.map(Result::unwrap).collect()
        };
        let before = rows();
        assert_eq!(before.len(), expected);
        let folder = backups.folder.clone();
        for _ in 0..3 {
            assert!(backups.device.sync_once(&folder).is_quiet());
        }
        assert_eq!(rows(), before);
    }
}

/// After a downgrade, or when a row was damaged: this folder starts anew, the log says why, and nothing else happens.
#[test]
fn a_state_that_cannot_be_read_costs_a_resync_of_its_folder() {
    // What is done to the rows, what the log says.
    let cases = [
        ("x'63010203'", "a newer release of the gateway wrote it (format 99"),
        ("x''", "it is damaged"),
        ("substr(Element, 1, length(Element) - 1)", "it is damaged"),
    ];
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(CONTACTS);
    for last in ["A", "B"] {
        create(&world, last);
    }
    device.sync(&folder);
    let ids: Vec<String> = device.items(&folder).keys().cloned().collect();
    let database = Connection::open(world.database()).unwrap();
    for (bytes, reason) in cases {
        let update = format!("UPDATE USMDataStorage SET Element = {bytes} WHERE ObjectID = ?");
        assert!(database.execute(&update, [&folder]).unwrap() > 0);
        assert_eq!(device.try_sync(&folder).status, 3, "{bytes}");
        wait_for(reason, || world.log().contains(reason).then_some(()));
        let collection = device.collection(&folder);
        collection.key = "0".to_owned();
        collection.items.clear();
        device.sync(&folder);
        assert_eq!(
            device.items(&folder).keys().cloned().collect::<Vec<_>>(),
            ids,
            "{bytes}"
        );
    }
    // The hierarchy likewise: the phone asks for its folders again, and finds them under the ids it knows.
    let folders: Vec<String> = device.folders.keys().cloned().collect();
    let update = "UPDATE USMDataStorage SET Element = x'63' WHERE ObjectID = 'hierarchy'";
    assert!(database.execute(update, []).unwrap() > 0);
    device.hierarchy_key = "0".to_owned();
    device.folder_sync();
    assert_eq!(device.folders.keys().cloned().collect::<Vec<_>>(), folders);
    assert!(device.sync(&folder).is_quiet());
}

/// What becomes of the database behind the back of a phone that goes on: each costs its folders a start from the beginning, and
/// nothing is doubled, neither on the phone nor at OX.
#[test]
fn a_database_that_is_not_what_it_was() {
    type Damage = fn(&Path, &Path);
    // What happens; whether the phone still has its tree.
    let cases: [(&str, Damage, bool); 3] = [
        (
            "the rows are deleted",
            |database, _| {
                let connection = Connection::open(database).unwrap();
                let delete = "DELETE FROM USMDataStorage WHERE ObjectID <> 'hierarchy'";
                assert!(connection.execute(delete, []).unwrap() > 0);
            },
            true,
        ),
        (
            "it is restored from a backup",
            |database, backup| {
                fs::copy(backup, database).unwrap();
            },
            true,
        ),
        ("it is lost", |database, _| fs::remove_file(database).unwrap(), false),
    ];
    for (case, damage, has_tree) in cases {
        let mut world = World::start();
        let mut device = world.ready_device(V14_1);
        let folder = device.folder(CONTACTS);
        create(&world, "Web");
        device.sync(&folder);
        world.terminate();
        let backup = world.database().with_extension("backup");
        fs::copy(world.database(), &backup).unwrap();
        world.restart();
        let added = device.add(&folder, contact("Ada", "Phone"));
        let added = device.sync(&folder).new_ids.remove(&added).unwrap();
        create(&world, "Later");
        device.sync(&folder);
        let ids: Vec<String> = device.items(&folder).keys().cloned().collect();
        let tree: Vec<String> = device.folders.keys().cloned().collect();
        world.terminate();
        damage(&world.database(), &backup);
        world.restart();

        let unsent = device.add(&folder, contact("Ada", "Unsent"));
        let status = device.try_sync(&folder).status;
        assert_eq!(status, if has_tree { 3 } else { 12 }, "{case}");
        if !has_tree {
            let request = device.folder_sync_request();
            let answer = device.link.document("FolderSync", &request);
            assert_eq!(answer.child_text(folderhierarchy::STATUS), Some("9"), "{case}");
            device.hierarchy_key = "0".to_owned();
            device.folder_sync();
            assert_eq!(device.folders.keys().cloned().collect::<Vec<_>>(), tree, "{case}");
        }
        let collection = device.collection(&folder);
        collection.key = "0".to_owned();
        collection.items.clear();
        let synced = device.sync(&folder);
        let unsent = synced.new_ids[&unsent].clone();
        assert!(synced.added.contains(&added), "{case}");
        let found: Vec<String> = device
            .items(&folder)
            .keys()
            .filter(|id| **id != unsent)
            .cloned()
            .collect();
        assert_eq!(found, ids, "{case}");
        let anton = world.anton();
        let at_ox = anton.objects(Module::Contacts, anton.default_folder(Module::Contacts));
        assert_eq!(at_ox.len(), ids.len() + 1, "{case}");
        assert!(device.sync(&folder).is_quiet(), "{case}");
    }
}
