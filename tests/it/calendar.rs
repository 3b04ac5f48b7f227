//! Appointments, field by field: what stands at OX is on the phone, and the other way round; series and their exceptions.

use ox_standin::Module;
use ox_standin::Profile;
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
use crate::items::property;
use crate::items::tomorrow;
use crate::world::World;

pub(crate) const VERSIONS: [ProtocolVersion; 5] = [V2_5, V12_1, V14_1, V16_0, V16_1];

/// Monday, 4 January 2027, 00:00 UTC: winter in Berlin, and far from any change of the clocks.
pub(crate) const MONDAY: i64 = 1_799_020_800_000;

pub(crate) fn synced(world: &World, version: ProtocolVersion) -> (Device, String) {
    let mut device = world.ready_device(version);
    let folder = device.folder(CALENDAR);
    device.sync(&folder);
    (device, folder)
}

pub(crate) fn ox_folder(world: &World) -> u32 {
    world.anton().default_folder(Module::Calendar)
}

/// What OX keeps of `shown_as`: from 7.10 on only whether the time is taken. "Transparent 4; 2 and 3 are read back as 1".
pub(crate) fn kept(world: &World, shown_as: i64) -> i64 {
    match (world.standin.profile() >= Profile::V7_10, shown_as) {
        (true, 2 | 3) => 1,
        _ => shown_as,
    }
}

/// BusyStatus of a `shown_as`.
pub(crate) fn busy(shown_as: i64) -> &'static str {
    match shown_as {
        1 => "2",
        2 => "1",
        3 => "3",
        _ => "0",
    }
}

/// The only appointment of that title.
pub(crate) fn at_ox(world: &World, title: &str) -> Value {
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

pub(crate) fn shown_place(version: ProtocolVersion, data: &Element) -> String {
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
                (tag::BUSY_STATUS, busy(kept(&world, 3))),
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
        ("shown_as", json!(kept(world, 3))),
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
    for ox in 1..=4 {
        let (eas, shown) = (busy(ox), busy(kept(&world, ox)));
        let title = format!("shown as {ox}");
        world.anton().create_appointment(
            json!({"title": title, "start_date": MONDAY, "end_date": MONDAY + HOUR, "shown_as": ox}),
        );
        let id = device.sync(&folder).added.remove(0);
        assert_eq!(property(device.item(&folder, &id), tag::BUSY_STATUS), shown, "{ox}");
        let mut data = appointment(V14_1, &format!("busy-{eas}"), &format!("busy {eas}"), MONDAY);
        data.retain(|element| element.tag != tag::BUSY_STATUS);
        data.push(Element::text(tag::BUSY_STATUS, eas));
        device.add(&folder, data);
        device.sync(&folder);
        assert_eq!(
            at_ox(&world, &format!("busy {eas}"))["shown_as"],
            kept(&world, ox),
            "{eas}"
        );
        assert!(device.sync(&folder).is_quiet(), "{eas}");
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
        assert!(emails.contains(&"carl@example.org"), "{emails:?}");
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

/// OX names its own users by their number: a phone sees their addresses.
#[test]
fn colleagues_are_attendees() {
    let world = World::start();
    let (mut device, folder) = synced(&world, V14_1);
    world.anton().create_appointment(
        json!({"title": "Meeting", "start_date": MONDAY, "end_date": MONDAY + HOUR,
        "shown_as": 1, "participants": [{"type": 1, "id": 3}, {"type": 1, "id": 4}]}),
    );
    let id = device.sync(&folder).added.remove(0);
    let attendees = property(device.item(&folder, &id), tag::ATTENDEES);
    assert!(attendees.contains("Email=berta@example.com"), "{attendees}");
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
