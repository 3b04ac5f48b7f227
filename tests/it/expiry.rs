//! Phones that never come back are forgotten, by the service and by hand; those that come are dated once a day.

use std::process::Command;

use oxtender::version::ProtocolVersion::V14_1;
use rusqlite::Connection;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::world::World;
use crate::world::wait_for;

const LONG_AGO: &str = "2001-01-01";

/// The dates of all phones that have one, in the order of their DeviceIds.
fn dates(world: &World) -> Vec<(String, String)> {
    let select = "SELECT s.device, f.value FROM USMSession s JOIN USMSessionFields f USING (cid, usmSessionId)
        WHERE f.field = 'last_seen' ORDER BY s.device";
    let file = Connection::open(world.database()).unwrap();
    let mut statement = file.prepare(select).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Lets a phone have come last on that day, or on a day that nobody knows.
fn set_date(world: &World, device: &Device, day: Option<&str>) {
    let file = Connection::open(world.database()).unwrap();
    let of_device = "field = 'last_seen' AND usmSessionId = (SELECT usmSessionId FROM USMSession WHERE device = ?2)";
    let changed = match day {
        Some(day) => file.execute(
            &format!("UPDATE USMSessionFields SET value = ?1 WHERE {of_device}"),
            [day, &device.link.device_id],
        ),
        None => file.execute(
            &format!("DELETE FROM USMSessionFields WHERE ?1 = '' AND {of_device}"),
            ["", &device.link.device_id],
        ),
    };
    assert_eq!(changed.unwrap(), 1);
}

fn expire(world: &World, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_oxtender"))
        .args(["device", "expire", "--etc"])
        .arg(world.etc())
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_command_shows_and_forgets_phones_that_stay_away() {
    let world = World::start();
    let (old, mut new) = (world.ready_device(V14_1), world.ready_device(V14_1));
    set_date(&world, &old, Some(LONG_AGO));
    let line = format!(
        "{} of user 3 in context 1, last seen on {LONG_AGO}\n",
        old.link.device_id
    );
    // arguments, what is written
    for (arguments, expected) in [
        (
            &["--days", "0"][..],
            "Nothing was forgotten; --yes forgets these 0 devices.\n".to_owned(),
        ),
        (
            &["--days", "36500"],
            "Nothing was forgotten; --yes forgets these 0 devices.\n".to_owned(),
        ),
        (
            &[],
            format!("{line}Nothing was forgotten; --yes forgets these 1 devices.\n"),
        ),
        (
            &["--days", "1"],
            format!("{line}Nothing was forgotten; --yes forgets these 1 devices.\n"),
        ),
        (
            &["--yes"],
            format!("{line}1 devices are forgotten. One that comes back begins anew.\n"),
        ),
        (
            &["--yes"],
            "0 devices are forgotten. One that comes back begins anew.\n".to_owned(),
        ),
    ] {
        assert_eq!(expire(&world, arguments), expected, "{arguments:?}");
    }
    let left: Vec<String> = dates(&world).into_iter().map(|(device, _)| device).collect();
    assert_eq!(left, [new.link.device_id.clone()]);
    let folder = new.folder(CONTACTS);
    new.sync(&folder);
}

#[test]
fn the_service_does_the_same_when_it_starts() {
    let mut world = World::start();
    let [old, undated, new] = [(); 3].map(|()| world.ready_device(V14_1));
    world.kill();
    set_date(&world, &old, Some(LONG_AGO));
    set_date(&world, &undated, None);
    world.restart();
    wait_for("the old phone to be forgotten", || {
        world
            .log()
            .contains(&format!("forgotten: {} of user 3", old.link.device_id))
            .then_some(())
    });
    let today = oxtender::store::today().to_string();
    // That of an earlier release is dated, and its time begins.
    let expected = [undated, new].map(|device| (device.link.device_id.clone(), today.clone()));
    assert_eq!(dates(&world), expected);
}

/// The phone is dated by its first request of a day; the rest of the day costs nothing.
#[test]
fn a_phone_is_dated_when_it_comes() {
    let mut world = World::plan().property("eas.device.expire_days", "0").start().unwrap();
    let mut device = world.ready_device(V14_1);
    world.kill();
    set_date(&world, &device, Some(LONG_AGO));
    world.restart();
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    let today = oxtender::store::today().to_string();
    assert_eq!(dates(&world)[0].1, today);
    let file = Connection::open(world.database()).unwrap();
    let stamp = || {
        file.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let before = stamp();
    assert!(device.sync_once(&folder).is_quiet());
    assert_eq!(stamp(), before);
}
