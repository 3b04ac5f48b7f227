//! Tasks, field by field: what stands at OX is on the phone, and the other way round.

use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::tasks as tag;
use serde_json::Value;
use serde_json::json;

use crate::device::Device;
use crate::device::TASKS;
use crate::items::DAY;
use crate::items::HOUR;
use crate::items::assert_properties;
use crate::items::body;
use crate::items::dashed;
use crate::items::property;
use crate::items::task;
use crate::items::tomorrow;
use crate::world::World;

const VERSIONS: [ProtocolVersion; 4] = [V2_5, V12_1, V14_1, V16_1];

fn synced(world: &World, version: ProtocolVersion) -> (Device, String) {
    let mut device = world.ready_device(version);
    let folder = device.folder(TASKS);
    device.sync(&folder);
    (device, folder)
}

/// All tasks at OX; there is one.
fn only(world: &World) -> Value {
    let anton = world.anton();
    let mut objects = anton.objects(Module::Tasks, anton.default_folder(Module::Tasks));
    assert_eq!(objects.len(), 1, "{objects:#?}");
    objects.remove(0)
}

/// 00:00 UTC of the day that a time lies in for somebody in Berlin is the date of OX.
#[test]
fn from_ox_to_the_phone() {
    for version in VERSIONS {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        let (start, due, alarm) = (tomorrow(), tomorrow() + 3 * DAY, tomorrow() + 8 * HOUR);
        world.anton().create_task(json!({
            "title": "Write tests", "note": "Many of them", "priority": 3, "start_date": start, "end_date": due,
            "alarm": alarm, "private_flag": true, "categories": "work, code", "status": 2, "percent_completed": 50,
        }));
        let id = device.sync(&folder).added.remove(0);
        let data = device.item(&folder, &id);
        let (start, due, alarm) = (dashed(start), dashed(due), dashed(alarm));
        assert_properties(
            data,
            &[
                (tag::SUBJECT, "Write tests"),
                (tag::IMPORTANCE, "2"),
                (tag::START_DATE, &start),
                (tag::DUE_DATE, &due),
                (tag::REMINDER_SET, "1"),
                (tag::REMINDER_TIME, &alarm),
                (tag::SENSITIVITY, "2"),
                (tag::CATEGORIES, "{Category=work Category=code}"),
                (tag::COMPLETE, "0"),
            ],
        );
        assert!(
            data.child(tag::UTC_START_DATE).is_some() && data.child(tag::UTC_DUE_DATE).is_some(),
            "both or none"
        );
        assert!(data.child(tag::DATE_COMPLETED).is_none(), "not completed yet");
        let note = match version {
            V2_5 => property(data, tag::BODY),
            _ => property(data.child(airsyncbase::BODY).expect("a body"), airsyncbase::DATA),
        };
        assert_eq!(note, "Many of them");
    }
}

#[test]
fn from_the_phone_to_ox() {
    for version in VERSIONS {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        let (start, due, alarm) = (tomorrow(), tomorrow() + 3 * DAY, tomorrow() + 8 * HOUR);
        device.add(&folder, full(version, "Write tests", (start, due, alarm)));
        let added = device.sync(&folder);
        assert!(added.refused.is_empty() && added.is_quiet(), "{version}: {added:?}");
        compare(&only(&world), "Write tests", (start, due, alarm), version);

        let id = added.new_ids.into_values().next().unwrap();
        let later = (start + DAY, due + DAY, alarm + DAY);
        device.change(&folder, &id, full(version, "Write more tests", later));
        assert!(device.sync(&folder).refused.is_empty());
        compare(&only(&world), "Write more tests", later, version);
        assert!(device.sync(&folder).is_quiet());
    }
}

/// A phone in UTC: its local times are UTC.
fn full(version: ProtocolVersion, subject: &str, (start, due, alarm): (i64, i64, i64)) -> Vec<Element> {
    let categories = ["work", "code"].map(|name| Element::text(tag::CATEGORY, name));
    vec![
        Element::text(tag::SUBJECT, subject),
        Element::number(tag::IMPORTANCE, 2),
        Element::text(tag::UTC_START_DATE, dashed(start)),
        Element::text(tag::START_DATE, dashed(start)),
        Element::text(tag::UTC_DUE_DATE, dashed(due)),
        Element::text(tag::DUE_DATE, dashed(due)),
        Element::number(tag::COMPLETE, 0),
        Element::number(tag::REMINDER_SET, 1),
        Element::text(tag::REMINDER_TIME, dashed(alarm)),
        Element::number(tag::SENSITIVITY, 2),
        Element::parent(tag::CATEGORIES, categories),
        body(version, tag::BODY, "Many of them"),
    ]
}

fn compare(object: &Value, title: &str, (start, due, alarm): (i64, i64, i64), version: ProtocolVersion) {
    let expected = [
        ("title", json!(title)),
        ("priority", json!(3)),
        ("start_date", json!(start)),
        ("end_date", json!(due)),
        ("alarm", json!(alarm)),
        ("private_flag", json!(true)),
        ("note", json!("Many of them")),
    ];
    for (field, expected) in expected {
        assert_eq!(object[field], expected, "{version} {field}");
    }
    let categories = object["categories"].as_str().unwrap_or_default().replace(", ", ",");
    assert_eq!(categories, "work,code", "{version}");
}

/// Done on one side, done on the other; what OX knows beyond done and not done survives.
#[test]
fn completion() {
    let world = World::start();
    let anton = world.anton();
    let ox_folder = anton.default_folder(Module::Tasks);
    let (mut device, folder) = synced(&world, V14_1);
    let object = anton.create_task(json!({"title": "Half done", "status": 2, "percent_completed": 50,
        "target_duration": "90", "trip_meter": "12 km"}));
    let id = device.sync(&folder).added.remove(0);
    let mut data = task("Half done, renamed");
    device.change(&folder, &id, data.clone());
    device.sync(&folder);
    let stored = anton.object(Module::Tasks, object).unwrap();
    assert_eq!(
        (&stored["status"], &stored["percent_completed"]),
        (&json!(2), &json!(50)),
        "{stored:#}"
    );
    assert_eq!(
        (&stored["target_duration"], &stored["trip_meter"]),
        (&json!("90"), &json!("12 km"))
    );

    data.retain(|element| element.tag != tag::COMPLETE);
    data.push(Element::number(tag::COMPLETE, 1));
    data.push(Element::text(tag::DATE_COMPLETED, dashed(tomorrow() - DAY)));
    device.change(&folder, &id, data);
    device.sync(&folder);
    let stored = anton.object(Module::Tasks, object).unwrap();
    assert_eq!(
        (&stored["status"], &stored["percent_completed"]),
        (&json!(3), &json!(100)),
        "{stored:#}"
    );

    let other = anton.create_task(json!({"title": "Other"}));
    let other_id = device.sync(&folder).added.remove(0);
    anton.update(
        Module::Tasks,
        ox_folder,
        other,
        json!({"status": 3, "percent_completed": 100}),
    );
    assert_eq!(device.sync(&folder).changed, [other_id.as_str()]);
    let data = device.item(&folder, &other_id);
    assert_eq!(property(data, tag::COMPLETE), "1");
    assert!(data.child(tag::DATE_COMPLETED).is_some(), "required when complete");
}

/// Repetition: pattern at OX ("Detailed task and appointment data") and [MS-ASTASK] Recurrence.
#[test]
fn series() {
    // OX, and what a phone is told of the pattern
    let cases = [
        (json!({"recurrence_type": 1, "interval": 2}), "Type=0 Interval=2"),
        (
            json!({"recurrence_type": 2, "interval": 1, "days": 2 + 8}),
            "Type=1 Interval=1 DayOfWeek=10",
        ),
        (
            json!({"recurrence_type": 3, "interval": 3, "day_in_month": 15}),
            "Type=2 Interval=3 DayOfMonth=15",
        ),
        (
            json!({"recurrence_type": 3, "interval": 1, "day_in_month": 2, "days": 32}),
            "Type=3 Interval=1 DayOfWeek=32 WeekOfMonth=2",
        ),
        (
            json!({"recurrence_type": 4, "interval": 1, "day_in_month": 24, "month": 11}),
            "Type=5 DayOfMonth=24 MonthOfYear=12",
        ),
        (
            json!({"recurrence_type": 2, "interval": 1, "days": 4, "occurrences": 5}),
            "Type=1 Occurrences=5 DayOfWeek=4",
        ),
    ];
    let world = World::start();
    let anton = world.anton();
    let (mut device, folder) = synced(&world, V14_1);
    for (pattern, told) in cases {
        let mut object = json!({"title": "Series", "start_date": tomorrow(), "end_date": tomorrow()});
        let fields = pattern.as_object().unwrap().clone();
        object.as_object_mut().unwrap().extend(fields.clone());
        let first = anton.create_task(object);
        let id = device.sync(&folder).added.remove(0);
        let recurrence = device.item(&folder, &id).child(tag::RECURRENCE).cloned();
        let recurrence = recurrence.unwrap_or_else(|| panic!("{pattern}: no Recurrence"));
        for part in told.split(' ') {
            let (name, value) = part.split_once('=').unwrap();
            let found = recurrence.children().iter().find(|child| child.tag.name() == name);
            assert_eq!(
                found.and_then(Element::as_text),
                Some(value),
                "{pattern}: {name} of {recurrence:?}"
            );
        }
        // And back: the same pattern under a new task is the same at OX.
        let mut data = task("Copy");
        data.extend([
            Element::text(tag::START_DATE, dashed(tomorrow())),
            Element::text(tag::UTC_START_DATE, dashed(tomorrow())),
            Element::text(tag::DUE_DATE, dashed(tomorrow())),
            Element::text(tag::UTC_DUE_DATE, dashed(tomorrow())),
            recurrence,
        ]);
        device.add(&folder, data);
        let added = device.sync(&folder);
        assert!(added.refused.is_empty(), "{pattern}: {added:?}");
        let objects = anton.objects(Module::Tasks, anton.default_folder(Module::Tasks));
        let copy = objects.iter().find(|object| object["title"] == "Copy").unwrap();
        for (field, expected) in &fields {
            assert_eq!(copy[field], *expected, "{pattern}: {field}");
        }
        let copy = u32::try_from(copy["id"].as_u64().unwrap()).unwrap();
        for object in [first, copy] {
            anton.delete(Module::Tasks, anton.default_folder(Module::Tasks), object);
        }
        assert_eq!(device.sync(&folder).deleted.len(), 2);
    }
}

/// FilterType 8: only what is not done yet.
#[test]
fn only_incomplete_tasks() {
    let world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(TASKS);
    device.collection(&folder).options = vec![Element::number(airsync::FILTER_TYPE, 8)];
    let open = anton.create_task(json!({"title": "Open"}));
    anton.create_task(json!({"title": "Done", "status": 3, "percent_completed": 100}));
    assert_eq!(device.sync(&folder).added.len(), 1);
    anton.update(
        Module::Tasks,
        anton.default_folder(Module::Tasks),
        open,
        json!({"status": 3, "percent_completed": 100}),
    );
    let synced = device.sync(&folder);
    assert_eq!((synced.soft_deleted.len(), synced.deleted.len()), (1, 0), "{synced:?}");
    device.collection(&folder).options.clear();
    device
        .collection(&folder)
        .options
        .push(Element::number(airsync::FILTER_TYPE, 0));
    assert_eq!(device.sync(&folder).added.len(), 2);
}
