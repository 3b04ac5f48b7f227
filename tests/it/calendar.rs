//! Appointments, field by field: what stands at OX is on the phone, and the other way round; series and their exceptions.

use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::calendar as tag;
use serde_json::Value;
use serde_json::json;

use crate::device::CALENDAR;
use crate::device::Device;
use crate::items::DAY;
use crate::items::HOUR;
use crate::items::appointment;
use crate::items::assert_properties;
use crate::items::body;
use crate::items::compact;
use crate::items::properties;
use crate::items::property;
use crate::items::tomorrow;
use crate::world::World;

const VERSIONS: [ProtocolVersion; 5] = [V2_5, V12_1, V14_1, V16_0, V16_1];

/// Monday, 4 January 2027, 00:00 UTC: winter in Berlin, and far from any change of the clocks.
const MONDAY: i64 = 1_799_020_800_000;

fn synced(world: &World, version: ProtocolVersion) -> (Device, String) {
    let mut device = world.ready_device(version);
    let folder = device.folder(CALENDAR);
    device.sync(&folder);
    (device, folder)
}

fn ox_folder(world: &World) -> u32 {
    world.anton().default_folder(Module::Calendar)
}

/// The only appointment of that title.
fn at_ox(world: &World, title: &str) -> Value {
    let objects = world.anton().objects(Module::Calendar, ox_folder(world));
    let mut found = objects.into_iter().filter(|object| object["title"] == title);
    let object = found.next().unwrap_or_else(|| panic!("OX has no {title:?}"));
    assert!(found.next().is_none(), "{title:?} twice");
    object
}

fn place(version: ProtocolVersion, name: &str) -> Element {
    match version {
        V16_0 | V16_1 => Element::parent(airsyncbase::LOCATION, [Element::text(airsyncbase::DISPLAY_NAME, name)]),
        _ => Element::text(tag::LOCATION, name),
    }
}

fn shown_place(version: ProtocolVersion, data: &Element) -> String {
    match version {
        V16_0 | V16_1 => property(
            data.child(airsyncbase::LOCATION).expect("a place"),
            airsyncbase::DISPLAY_NAME,
        ),
        _ => property(data, tag::LOCATION),
    }
}

fn shown_note(version: ProtocolVersion, data: &Element) -> String {
    match version {
        V2_5 => property(data, tag::BODY),
        _ => property(data.child(airsyncbase::BODY).expect("a body"), airsyncbase::DATA),
    }
}

#[test]
fn from_ox_to_the_phone() {
    for version in VERSIONS {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        let start = MONDAY + 9 * HOUR;
        world.anton().create_appointment(json!({
            "title": "Planning", "start_date": start, "end_date": start + 2 * HOUR, "location": "Room 7", "note": "Bring ideas",
            "alarm": 15, "shown_as": 3, "private_flag": true, "categories": "work,plan",
        }));
        let id = device.sync(&folder).added.remove(0);
        let data = device.item(&folder, &id);
        let (start, end) = (compact(start), compact(start + 2 * HOUR));
        assert_properties(
            data,
            &[
                (tag::SUBJECT, "Planning"),
                (tag::START_TIME, &start),
                (tag::END_TIME, &end),
                (tag::ALL_DAY_EVENT, "0"),
                (tag::REMINDER, "15"),
                (tag::BUSY_STATUS, "3"),
                (tag::SENSITIVITY, "2"),
                (tag::CATEGORIES, "{Category=work Category=plan}"),
                (tag::MEETING_STATUS, "0"),
            ],
        );
        assert_eq!(shown_place(version, data), "Room 7", "{version}");
        assert_eq!(shown_note(version, data), "Bring ideas", "{version}");
        assert!(
            data.child(tag::DT_STAMP).is_some() && data.child(tag::UID).is_some(),
            "{version}"
        );
        assert_eq!(property(data, tag::TIMEZONE).len(), 232, "{version}");
        assert!(
            data.child(tag::ATTENDEES).is_none() && data.child(tag::RECURRENCE).is_none(),
            "{version}"
        );
    }
}

fn full(version: ProtocolVersion, subject: &str, start: i64) -> Vec<Element> {
    let mut data = appointment(version, "full-1", subject, start);
    data.retain(|element| ![tag::SENSITIVITY, tag::BUSY_STATUS].contains(&element.tag));
    let categories = ["work", "plan"].map(|name| Element::text(tag::CATEGORY, name));
    data.extend([
        place(version, "Room 7"),
        Element::number(tag::REMINDER, 15),
        Element::number(tag::BUSY_STATUS, 3),
        Element::number(tag::SENSITIVITY, 2),
        Element::parent(tag::CATEGORIES, categories),
        body(version, tag::BODY, "Bring ideas"),
    ]);
    data
}

#[test]
fn from_the_phone_to_ox() {
    for version in VERSIONS {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        let start = MONDAY + 9 * HOUR;
        device.add(&folder, full(version, "Planning", start));
        let added = device.sync(&folder);
        assert!(added.refused.is_empty() && added.is_quiet(), "{version}: {added:?}");
        let object = compare(&world, "Planning", start, version);
        match version {
            V16_0 | V16_1 => assert!(object["uid"].as_str().is_some_and(|uid| !uid.is_empty())),
            _ => assert_eq!(object["uid"], "full-1", "{version}"),
        }

        let id = added.new_ids.into_values().next().unwrap();
        let mut data = full(version, "Planning, later", start + DAY);
        data.retain(|element| element.tag != tag::UID);
        device.change(&folder, &id, data);
        assert!(device.sync(&folder).refused.is_empty());
        let changed = compare(&world, "Planning, later", start + DAY, version);
        assert_eq!(changed["uid"], object["uid"]);
        assert!(device.sync(&folder).is_quiet());
    }
}

fn compare(world: &World, title: &str, start: i64, version: ProtocolVersion) -> Value {
    let object = at_ox(world, title);
    let expected = [
        ("start_date", json!(start)),
        ("end_date", json!(start + HOUR)),
        ("location", json!("Room 7")),
        ("note", json!("Bring ideas")),
        ("alarm", json!(15)),
        ("shown_as", json!(3)),
        ("private_flag", json!(true)),
    ];
    for (field, expected) in expected {
        assert_eq!(object[field], expected, "{version} {field}");
    }
    let categories = object["categories"].as_str().unwrap_or_default().replace(", ", ",");
    assert_eq!(categories, "work,plan", "{version}");
    assert_ne!(object["full_time"], json!(true), "{version}");
    object
}

/// BusyStatus and `shown_as`.
#[test]
fn busy_status() {
    let world = World::start();
    let (mut device, folder) = synced(&world, V14_1);
    for (ox, eas) in [(1, "2"), (2, "1"), (3, "3"), (4, "0")] {
        let title = format!("shown as {ox}");
        world.anton().create_appointment(
            json!({"title": title, "start_date": MONDAY, "end_date": MONDAY + HOUR, "shown_as": ox}),
        );
        let id = device.sync(&folder).added.remove(0);
        assert_eq!(property(device.item(&folder, &id), tag::BUSY_STATUS), eas, "{ox}");
        let mut data = appointment(V14_1, &format!("busy-{eas}"), &format!("busy {eas}"), MONDAY);
        data.retain(|element| element.tag != tag::BUSY_STATUS);
        data.push(Element::text(tag::BUSY_STATUS, eas));
        device.add(&folder, data);
        device.sync(&folder);
        assert_eq!(at_ox(&world, &format!("busy {eas}"))["shown_as"], ox, "{eas}");
    }
}

/// Whole days: dates at OX; on the phone, midnight of Berlin up to 14.1, and dates without a zone from 16.0 on.
#[test]
fn whole_days() {
    for version in VERSIONS {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        world.anton().create_appointment(
            json!({"title": "Fair", "start_date": MONDAY, "end_date": MONDAY + 2 * DAY,
            "full_time": true, "shown_as": 4}),
        );
        let id = device.sync(&folder).added.remove(0);
        let data = device.item(&folder, &id);
        let shift = if version >= V16_0 { 0 } else { HOUR };
        let (start, end) = (compact(MONDAY - shift), compact(MONDAY + 2 * DAY - shift));
        assert_properties(
            data,
            &[
                (tag::ALL_DAY_EVENT, "1"),
                (tag::START_TIME, &start),
                (tag::END_TIME, &end),
            ],
        );
        assert_eq!(data.child(tag::TIMEZONE).is_none(), version >= V16_0, "{version}");

        // The same item back under another title.
        let mut copy: Vec<Element> = data.children().to_vec();
        let ours = [
            tag::SUBJECT,
            tag::UID,
            tag::DT_STAMP,
            tag::ORGANIZER_EMAIL,
            tag::ORGANIZER_NAME,
        ];
        copy.retain(|element| !ours.contains(&element.tag));
        copy.push(Element::text(tag::SUBJECT, "Copy"));
        if version < V16_0 {
            copy.push(Element::text(tag::UID, "copy-1"));
        }
        device.add(&folder, copy);
        let added = device.sync(&folder);
        assert!(added.refused.is_empty(), "{version}: {added:?}");
        let object = at_ox(&world, "Copy");
        let days = (&object["full_time"], &object["start_date"], &object["end_date"]);
        assert_eq!(
            days,
            (&json!(true), &json!(MONDAY), &json!(MONDAY + 2 * DAY)),
            "{version}"
        );
    }
}

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
        assert_eq!(synced.changed, [id.clone()], "{version}: {synced:?}");
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

/// People: Berta is invited by Anton, and Anton by Berta.
#[test]
fn meetings() {
    for version in [V12_1, V14_1, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, folder) = synced(&world, version);
        let participants = json!([{"type": 1, "id": 3}, {"type": 1, "id": 4}, {"type": 5, "mail": "carl@example.org", "display_name": "Carl"}]);
        let start = MONDAY + 9 * HOUR;
        anton.create_appointment(
            json!({"title": "Meeting", "start_date": start, "end_date": start + HOUR, "shown_as": 1,
            "participants": participants}),
        );
        let id = device.sync(&folder).added.remove(0);
        let data = device.item(&folder, &id);
        assert_properties(
            data,
            &[(tag::MEETING_STATUS, "1"), (tag::ORGANIZER_EMAIL, "anton@example.com")],
        );
        let attendees = data.child(tag::ATTENDEES).map_or(&[][..], Element::children);
        let emails: Vec<&str> = attendees
            .iter()
            .filter_map(|attendee| attendee.child_text(tag::EMAIL))
            .collect();
        assert!(
            emails.contains(&"berta@example.com") && emails.contains(&"carl@example.org"),
            "{emails:?}"
        );
        assert!(
            !emails.contains(&"anton@example.com"),
            "the organizer is no attendee: {emails:?}"
        );

        // A phone that changes the title leaves the people alone.
        let mut changed: Vec<Element> = data.children().to_vec();
        changed.retain(|element| {
            ![tag::SUBJECT, tag::UID].contains(&element.tag) || version < V16_0 && element.tag == tag::UID
        });
        changed.push(Element::text(tag::SUBJECT, "Meeting, renamed"));
        let unsent = [tag::DT_STAMP, tag::ORGANIZER_EMAIL, tag::ORGANIZER_NAME];
        changed.retain(|element| version < V16_0 || !unsent.contains(&element.tag));
        device.change(&folder, &id, changed);
        assert!(device.sync(&folder).refused.is_empty());
        let object = at_ox(&world, "Meeting, renamed");
        let people = object["participants"].as_array().unwrap();
        assert_eq!(people.len(), 3, "{version}: {people:#?}");
    }
    for version in [V12_1, V14_1, V16_1] {
        let world = World::start();
        let berta = world.standin.web("berta");
        let (mut device, folder) = synced(&world, version);
        let start = MONDAY + 9 * HOUR;
        berta.create_appointment(
            json!({"title": "Invitation", "start_date": start, "end_date": start + HOUR, "shown_as": 1,
            "participants": [{"type": 1, "id": 3}, {"type": 1, "id": 4}]}),
        );
        let id = device.sync(&folder).added.remove(0);
        let data = device.item(&folder, &id);
        assert_properties(
            data,
            &[(tag::MEETING_STATUS, "3"), (tag::ORGANIZER_EMAIL, "berta@example.com")],
        );
        if version >= V14_1 {
            assert_eq!(property(data, tag::RESPONSE_TYPE), "5", "not answered yet");
        }
    }
}

/// A phone invites: the people are at OX.
#[test]
fn an_invitation_from_the_phone() {
    for version in [V14_1, V16_1] {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        let start = MONDAY + 9 * HOUR;
        let attendee = |email: &str, name: &str| {
            Element::parent(
                tag::ATTENDEE,
                [
                    Element::text(tag::EMAIL, email),
                    Element::text(tag::NAME, name),
                    Element::number(tag::ATTENDEE_TYPE, 1),
                ],
            )
        };
        let people = [
            attendee("berta@example.com", "Berta"),
            attendee("carl@example.org", "Carl"),
        ];
        let mut data = appointment(version, "meeting-1", "Meeting", start);
        data.retain(|element| element.tag != tag::MEETING_STATUS);
        data.push(Element::number(tag::MEETING_STATUS, 1));
        data.push(Element::parent(tag::ATTENDEES, people));
        device.add(&folder, data);
        let added = device.sync(&folder);
        assert!(added.refused.is_empty(), "{version}: {added:?}");
        let object = at_ox(&world, "Meeting");
        let participants = object["participants"].as_array().unwrap();
        let berta = participants.iter().any(|one| one["type"] == 1 && one["id"] == 4);
        let carl = participants.iter().any(|one| one["mail"] == "carl@example.org");
        assert!(berta && carl, "{version}: {participants:#?}");
    }
}

/// FilterType: what ended before the window stays away; what leaves it is taken away softly.
#[test]
fn filters() {
    let world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(CALENDAR);
    let filter = |weeks: i64| vec![Element::number(airsync::FILTER_TYPE, weeks)];
    device.collection(&folder).options = filter(4);
    let at = |title: &str, days: i64| {
        let start = tomorrow() + days * DAY;
        json!({"title": title, "start_date": start, "end_date": start + HOUR, "shown_as": 1})
    };
    anton.create_appointment(at("old", -40));
    anton.create_appointment(at("recent", -10));
    anton.create_appointment(at("future", 400));
    let mut series = at("old series that goes on", -400);
    series["recurrence_type"] = json!(1);
    series["interval"] = json!(1);
    anton.create_appointment(series);
    let titles = |device: &Device| -> Vec<String> {
        let subjects = device.items(&folder).values().map(|data| property(data, tag::SUBJECT));
        let mut subjects: Vec<String> = subjects.collect();
        subjects.sort();
        subjects
    };
    device.sync(&folder);
    assert_eq!(titles(&device), ["future", "old series that goes on", "recent"]);
    device.collection(&folder).options = filter(6);
    device.sync(&folder);
    assert_eq!(titles(&device), ["future", "old", "old series that goes on", "recent"]);
    device.collection(&folder).options = filter(4);
    let synced = device.sync(&folder);
    assert_eq!((synced.soft_deleted.len(), synced.deleted.len()), (1, 0), "{synced:?}");
}
