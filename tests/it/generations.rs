//! Keys of before: how many of them a phone may come back with, and states that this release cannot read.

use oxtender::version::ProtocolVersion::V14_1;
use rusqlite::Connection;
use serde_json::json;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::Loss;
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
