//! The commands of an administrator, on the databases of a gateway that runs.

use std::process::Command;

use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use serde_json::json;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::items::contact;
use crate::world::Store;
use crate::world::World;

/// Runs `oxtender` with the configuration of a world: whether it succeeded, what it wrote, and what it logged.
pub(crate) fn oxtender(world: &World, arguments: &str) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_oxtender"))
        .args(arguments.split(' '))
        .arg("--etc")
        .arg(world.etc())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// Runs it, and it must succeed.
pub(crate) fn told(world: &World, arguments: &str) -> String {
    let (success, told, log) = oxtender(world, arguments);
    assert!(success, "{arguments}: {told}{log}");
    told
}

/// A phone with two contacts, one of its own and one of the web.
fn synced(world: &World) -> (Device, String) {
    world
        .anton()
        .create_contact(json!({"last_name": "Web", "display_name": "Web"}));
    let mut device = world.ready_device(ProtocolVersion::V14_1);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    device.add(&folder, contact("Phone", "p@example.com"));
    device.sync(&folder);
    (device, folder)
}

/// The phone comes back, is told that its states are gone, fetches everything again under the same ids, and nothing is
/// doubled at OX.
fn begins_anew(world: &World, device: &mut Device, folder: &str) {
    let before: Vec<String> = device.items(folder).keys().cloned().collect();
    device.hierarchy_key = "0".to_owned();
    // A gateway that runs notices at the first request, and asks the phone to come again.
    let root = device.folder_sync_request();
    device.link.document("FolderSync", &root);
    device.folder_sync();
    assert_eq!(device.folder(CONTACTS), folder);
    assert_eq!(device.try_sync(folder).status, 3);
    device.collections.clear();
    assert_eq!(device.sync(folder).added.len(), 2);
    let after: Vec<String> = device.items(folder).keys().cloned().collect();
    assert_eq!(after, before, "ids changed");
    let anton = world.anton();
    assert_eq!(
        anton
            .objects(Module::Contacts, anton.default_folder(Module::Contacts))
            .len(),
        2
    );
}

fn tables_are_shown_and_dropped(mut world: World) {
    let (mut device, folder) = synced(&world);
    let status = told(&world, "db status");
    let line = status.lines().find(|line| line.contains("USMSession ")).unwrap();
    assert!(line.ends_with(" 1 rows"), "{status}");

    let preview = told(&world, "db purge");
    assert!(preview.contains("Nothing was dropped"), "{preview}");
    assert!(device.sync(&folder).is_quiet());

    // While the service runs.
    told(&world, "db purge --yes");
    begins_anew(&world, &mut device, &folder);

    // And while it does not.
    world.kill();
    told(&world, "db purge --yes");
    assert!(told(&world, "db status").contains("not there yet"));
    assert!(!told(&world, "db create").contains("not there yet"));
    world.restart();
    begins_anew(&world, &mut device, &folder);
}

fn devices_are_listed_resynced_and_removed(world: World) {
    assert_eq!(told(&world, "device list"), "");
    let (mut device, folder) = synced(&world);
    let id = device.link.device_id.clone();
    assert!(told(&world, "device list").contains(&id));
    let listed: serde_json::Value = serde_json::from_str(&told(&world, "device list --json")).unwrap();
    assert_eq!(listed[0]["device"], json!(id));
    assert!(told(&world, &format!("device show {id}")).contains("folder "));

    told(&world, &format!("device resync {id}"));
    begins_anew(&world, &mut device, &folder);

    told(&world, &format!("device remove {id}"));
    assert_eq!(told(&world, "device list"), "");
    begins_anew(&world, &mut device, &folder);

    let (success, _, log) = oxtender(&world, "device show nobody");
    assert!(!success && log.contains("there is no device \"nobody\""), "{log}");
}

#[test]
fn tables_are_shown_and_dropped_sqlite() {
    if let Some(world) = World::with(Store::Sqlite) {
        tables_are_shown_and_dropped(world);
    }
}

#[test]
fn tables_are_shown_and_dropped_mariadb() {
    if let Some(world) = World::with(Store::MariaDb) {
        tables_are_shown_and_dropped(world);
    }
}

#[test]
fn devices_are_listed_resynced_and_removed_sqlite() {
    if let Some(world) = World::with(Store::Sqlite) {
        devices_are_listed_resynced_and_removed(world);
    }
}

#[test]
fn devices_are_listed_resynced_and_removed_mariadb() {
    if let Some(world) = World::with(Store::MariaDb) {
        devices_are_listed_resynced_and_removed(world);
    }
}

#[test]
fn the_configuration_is_shown_with_its_places() {
    let world = World::plan().secret("sesame").start().unwrap();
    let shown = told(&world, "config show");
    let places = [
        "com.openexchange.usm.eas.ping.max_heartbeat=3540  # default",
        "usm.properties, line 2",
    ];
    assert!(places.iter().all(|place| shown.contains(place)), "{shown}");
    let diff = told(&world, "config diff");
    assert!(
        diff.contains("com.openexchange.usm.eas.ping.poll_interval=1  ("),
        "{diff}"
    );
    assert!(
        diff.contains("\ncom.openexchange.usm.eas.ping.max_heartbeat=3540\n"),
        "{diff}"
    );
    assert!(!format!("{shown}{diff}").contains("sesame"), "the secret is shown");
}
