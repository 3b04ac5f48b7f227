//! What an ordinary request costs: calls at OX, and writes to the database.

use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use rusqlite::Connection;
use serde_json::json;

use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::TASKS;
use crate::items::HOUR;
use crate::items::mail;
use crate::items::tomorrow;
use crate::world::World;

const FOLDERS: [i64; 4] = [INBOX, CALENDAR, CONTACTS, TASKS];

/// Counts commits of others: SQLite's own number of the last change changes with each.
struct Commits(Connection);

impl Commits {
    fn of(world: &World) -> Self {
        Self(Connection::open(world.database()).unwrap())
    }

    fn stamp(&self) -> i64 {
        self.0.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap()
    }
}

/// A phone that has synced ten items of each class.
fn synced_phone(world: &World, version: ProtocolVersion) -> Device {
    let anton = world.anton();
    for number in 0..10 {
        let title = format!("number {number}");
        let start = tomorrow() + number * HOUR;
        anton.receive(&mail(&title, "Text."));
        anton.create_contact(json!({"last_name": title, "display_name": title}));
        anton.create_task(json!({"title": title}));
        anton.create_appointment(json!({"title": title, "start_date": start, "end_date": start + HOUR, "shown_as": 1}));
    }
    let mut device = world.ready_device(version);
    for kind in FOLDERS {
        let folder = device.folder(kind);
        device.sync(&folder);
    }
    device
}

#[test]
fn a_sync_without_changes_costs_one_call_and_no_write() {
    for version in [ProtocolVersion::V2_5, ProtocolVersion::V14_1, ProtocolVersion::V16_1] {
        let world = World::start();
        let mut device = synced_phone(&world, version);
        let commits = Commits::of(&world);
        let before = commits.stamp();
        for kind in FOLDERS {
            let folder = device.folder(kind);
            let calls = world.standin.calls().requests;
            assert!(device.sync_once(&folder).is_quiet());
            let cost = world.standin.calls().requests - calls;
            assert!(cost <= 1, "type {kind}, {version}: {cost} calls");
        }
        assert_eq!(
            commits.stamp(),
            before,
            "{version}: a Sync without changes wrote to the database"
        );
    }
}

#[test]
fn all_collections_in_one_request_cost_one_call_each() {
    let world = World::start();
    let mut device = synced_phone(&world, ProtocolVersion::V14_1);
    let folders: Vec<String> = FOLDERS.iter().map(|kind| device.folder(*kind)).collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let commits = Commits::of(&world);
    let (before, calls) = (commits.stamp(), world.standin.calls().requests);
    let synced = device.sync_together(&folders);
    assert!(
        synced.values().all(|synced| synced.status == 1 && synced.is_quiet()),
        "{synced:?}"
    );
    let cost = world.standin.calls().requests - calls;
    assert!(cost <= 4, "{cost} calls");
    assert_eq!(commits.stamp(), before);
}

/// Questions write nothing either.
#[test]
fn questions_write_nothing() {
    let world = World::start();
    let mut device = synced_phone(&world, ProtocolVersion::V14_1);
    let inbox = device.folder(INBOX);
    // The parameters of Ping are kept at its first use.
    device.ping(1, &[&inbox]);
    let commits = Commits::of(&world);
    let before = commits.stamp();
    world.anton().receive(&mail("new", "Text."));
    assert_eq!(device.estimate(&inbox), 1);
    assert_eq!(device.ping(1, &[&inbox]).status, 2);
    assert_eq!(device.folder_sync(), Default::default());
    device.settings();
    let item = device.items(&inbox).keys().next().unwrap().clone();
    assert_eq!(device.fetch_item(&inbox, &item, Vec::new(), false).status, 1);
    assert_eq!(commits.stamp(), before);
}

/// The counter of this file counts.
#[test]
fn a_sync_with_changes_writes() {
    let world = World::start();
    let mut device = synced_phone(&world, ProtocolVersion::V14_1);
    let folder = device.folder(CONTACTS);
    let commits = Commits::of(&world);
    let before = commits.stamp();
    world
        .anton()
        .create(Module::Contacts, json!({"last_name": "New", "display_name": "New"}));
    assert_eq!(device.sync_once(&folder).added.len(), 1);
    assert_ne!(commits.stamp(), before);
}
