//! Series of appointments: patterns, and occurrences that were moved or deleted, from both sides.

use ox_standin::Module;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::calendar as tag;
use serde_json::Value;
use serde_json::json;

use crate::calendar::MONDAY;
use crate::calendar::VERSIONS;
use crate::calendar::at_ox;
use crate::calendar::ox_folder;
use crate::calendar::shown_place;
use crate::calendar::synced;
use crate::items::DAY;
use crate::items::HOUR;
use crate::items::appointment;
use crate::items::assert_properties;
use crate::items::compact;
use crate::items::properties;
use crate::items::property;
use crate::world::World;

/// Pattern at OX ("Detailed task and appointment data") and [MS-ASCAL] Recurrence, both ways.
#[test]
fn patterns() {
    // OX, and what a phone is told of the pattern
    let cases = [
        (json!({"recurrence_type": 1, "interval": 2}), "Type=0 Interval=2"),
        (
            json!({"recurrence_type": 2, "interval": 1, "days": 2 + 8}),
            "Type=1 Interval=1 DayOfWeek=10",
        ),
        (
            json!({"recurrence_type": 2, "interval": 2, "days": 2, "occurrences": 10}),
            "Type=1 Occurrences=10 Interval=2 DayOfWeek=2",
        ),
        (
            json!({"recurrence_type": 3, "interval": 1, "day_in_month": 4}),
            "Type=2 Interval=1 DayOfMonth=4",
        ),
        (
            json!({"recurrence_type": 3, "interval": 1, "day_in_month": 1, "days": 2}),
            "Type=3 Interval=1 WeekOfMonth=1 DayOfWeek=2",
        ),
        (
            json!({"recurrence_type": 4, "interval": 1, "day_in_month": 4, "month": 0}),
            "Type=5 DayOfMonth=4 MonthOfYear=1",
        ),
        (
            json!({"recurrence_type": 4, "interval": 1, "day_in_month": 1, "days": 2, "month": 0}),
            "Type=6 WeekOfMonth=1 DayOfWeek=2 MonthOfYear=1",
        ),
    ];
    for version in [V2_5, V14_1, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, folder) = synced(&world, version);
        for (number, (pattern, told)) in cases.iter().enumerate() {
            let (original, copy) = (format!("Series {number}"), format!("Copy {number}"));
            let start = MONDAY + 9 * HOUR;
            let mut object = json!({"title": original, "start_date": start, "end_date": start + HOUR, "shown_as": 1});
            let fields = pattern.as_object().unwrap().clone();
            object.as_object_mut().unwrap().extend(fields.clone());
            anton.create_appointment(object);
            let id = device.sync(&folder).added.remove(0);
            let data = device.item(&folder, &id).clone();
            let recurrence = data.child(tag::RECURRENCE);
            let recurrence = recurrence.unwrap_or_else(|| panic!("{version} {pattern}: no Recurrence"));
            for part in told.split(' ') {
                let (name, value) = part.split_once('=').unwrap();
                let found = recurrence.children().iter().find(|child| child.tag.name() == name);
                let found = found.and_then(Element::as_text);
                assert_eq!(found, Some(value), "{version} {pattern}: {name} of {recurrence:?}");
            }
            let mut data = appointment(version, &format!("copy-{number}"), &copy, start);
            data.push(recurrence.clone());
            device.add(&folder, data);
            let added = device.sync(&folder);
            assert!(added.refused.is_empty(), "{version} {pattern}: {added:?}");
            let stored = at_ox(&world, &copy);
            for (field, expected) in &fields {
                assert_eq!(stored[field], *expected, "{version} {pattern}: {field}");
            }
        }
    }
}

/// A weekly series with one occurrence moved and one deleted at the web, as a phone sees it.
#[test]
fn exceptions_from_ox() {
    for version in VERSIONS {
        let world = World::start();
        let anton = world.anton();
        let (mut device, folder) = synced(&world, version);
        let (series, start) = weekly(&world);
        let id = device.sync(&folder).added.remove(0);
        let change = json!({"recurrence_date_position": MONDAY + 7 * DAY, "title": "Moved", "location": "Elsewhere",
            "start_date": start + 7 * DAY + 2 * HOUR, "end_date": start + 7 * DAY + 3 * HOUR});
        anton.update(Module::Calendar, ox_folder(&world), series, change);
        anton.delete_occurrence(ox_folder(&world), series, MONDAY + 14 * DAY);
        let synced = device.sync(&folder);
        assert_eq!(synced.changed, [id.as_str()], "{version}: {synced:?}");
        let data = device.item(&folder, &id);
        let exceptions = data.child(tag::EXCEPTIONS).map_or(&[][..], Element::children);
        assert_eq!(exceptions.len(), 2, "{version}: {:#?}", properties(data));
        let key = if version >= V16_0 {
            airsyncbase::INSTANCE_ID
        } else {
            tag::EXCEPTION_START_TIME
        };
        let of = |original: i64| {
            let found = exceptions
                .iter()
                .find(|exception| exception.child_text(key) == Some(&compact(original)));
            found.unwrap_or_else(|| panic!("{version}: no exception at {}: {exceptions:#?}", compact(original)))
        };
        let moved = of(start + 7 * DAY);
        let (begins, ends) = (compact(start + 7 * DAY + 2 * HOUR), compact(start + 7 * DAY + 3 * HOUR));
        assert_properties(
            moved,
            &[
                (tag::SUBJECT, "Moved"),
                (tag::START_TIME, &begins),
                (tag::END_TIME, &ends),
            ],
        );
        assert_eq!(shown_place(version, moved), "Elsewhere", "{version}");
        assert_ne!(moved.child_text(tag::DELETED), Some("1"), "{version}");
        assert_eq!(property(of(start + 14 * DAY), tag::DELETED), "1", "{version}");
        assert!(device.sync(&folder).is_quiet());
    }
}

/// A series of ten Mondays at nine, and when it starts.
fn weekly(world: &World) -> (u32, i64) {
    let start = MONDAY + 9 * HOUR;
    let series = world
        .anton()
        .create_appointment(json!({"title": "Weekly", "start_date": start, "end_date": start + HOUR,
        "shown_as": 1, "recurrence_type": 2, "interval": 1, "days": 2, "occurrences": 10}));
    (series, start)
}

/// The series and its changed occurrences at OX.
fn occurrences(world: &World, series: u32) -> (Value, Vec<Value>) {
    let anton = world.anton();
    let master = anton.object(Module::Calendar, series).expect("the series");
    let all = anton.objects(Module::Calendar, ox_folder(world));
    let changed = all.into_iter().filter(|object| {
        object["recurrence_id"].as_u64() == Some(series.into()) && object["id"].as_u64() != Some(series.into())
    });
    (master, changed.collect())
}

/// The same from the phone: Exceptions of the series up to 14.1, commands with InstanceId from 16.0 on.
#[test]
fn exceptions_from_the_phone() {
    for version in VERSIONS {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        let (series, start) = weekly(&world);
        let id = device.sync(&folder).added.remove(0);
        let (second, third) = (start + 7 * DAY, start + 14 * DAY);
        let moved = [
            Element::text(tag::SUBJECT, "Moved"),
            Element::text(tag::START_TIME, compact(second + 2 * HOUR)),
            Element::text(tag::END_TIME, compact(second + 3 * HOUR)),
        ];
        if version >= V16_0 {
            device.change_instance(&folder, &id, &compact(second), moved.to_vec());
            device.delete_instance(&folder, &id, &compact(third));
        } else {
            let key = |original| Element::text(tag::EXCEPTION_START_TIME, compact(original));
            let changed = Element::parent(tag::EXCEPTION, std::iter::once(key(second)).chain(moved));
            let deleted = Element::parent(tag::EXCEPTION, [Element::number(tag::DELETED, 1), key(third)]);
            let mut data: Vec<Element> = device.item(&folder, &id).children().to_vec();
            data.push(Element::parent(tag::EXCEPTIONS, [changed, deleted]));
            device.change(&folder, &id, data);
        }
        let synced = device.sync(&folder);
        assert!(synced.refused.is_empty(), "{version}: {synced:?}");
        let (master, changed) = occurrences(&world, series);
        assert_eq!(changed.len(), 1, "{version}: {changed:#?}");
        let expected = [
            ("title", json!("Moved")),
            ("start_date", json!(second + 2 * HOUR)),
            ("end_date", json!(second + 3 * HOUR)),
            ("recurrence_date_position", json!(MONDAY + 7 * DAY)),
        ];
        for (field, expected) in expected {
            assert_eq!(changed[0][field], expected, "{version} {field}");
        }
        assert_eq!(master["title"], "Weekly", "{version}");
        assert_eq!(master["delete_exceptions"], json!([MONDAY + 14 * DAY]), "{version}");
        device.sync(&folder);
        assert!(device.sync(&folder).is_quiet(), "{version}");
    }
}

/// Losing the answer to a change of an occurrence, and repeating it, changes it once.
#[test]
fn exceptions_from_the_phone_with_a_lost_answer() {
    for version in [V14_1, V16_1] {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        let (series, start) = weekly(&world);
        let id = device.sync(&folder).added.remove(0);
        let third = start + 14 * DAY;
        if version >= V16_0 {
            device.delete_instance(&folder, &id, &compact(third));
        } else {
            let key = Element::text(tag::EXCEPTION_START_TIME, compact(third));
            let deleted = Element::parent(tag::EXCEPTION, [Element::number(tag::DELETED, 1), key]);
            let mut data: Vec<Element> = device.item(&folder, &id).children().to_vec();
            data.push(Element::parent(tag::EXCEPTIONS, [deleted]));
            device.change(&folder, &id, data);
        }
        device.sync_and_lose(&folder, crate::device::Loss::Forgotten);
        let synced = device.sync(&folder);
        assert!(synced.refused.is_empty(), "{version}: {synced:?}");
        let (master, changed) = occurrences(&world, series);
        assert_eq!(
            (&master["delete_exceptions"], changed.len()),
            (&json!([MONDAY + 14 * DAY]), 0),
            "{version}"
        );
    }
}
