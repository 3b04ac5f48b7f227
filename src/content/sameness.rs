//! The same object has the same bytes, whenever and however often it is shown; tests only.
//!
//! A device that is sent an item again compares, and one whose item seems to change at each look never comes to rest. So
//! nothing that is shown may depend on the present, or on the order in which a table happens to be walked.

use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::content::email::Envelope;
use crate::content::email::Mail;
use crate::ox::Object;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync;

/// Two looks, three years apart.
const LOOKS: [i64; 2] = [1_700_000_000_000, 1_800_000_000_000];

/// 2023-11-20T09:00:00Z
const MONDAY: i64 = 1_700_470_800_000;

const HOUR: i64 = 3_600_000;

/// Shows something in each version, with each kind of body, at both looks, twice each: all bytes of a version and kind are
/// the same.
fn is_the_same(name: &str, show: impl Fn(&Context<'_>) -> Vec<Element>) {
    let user = User {
        id: 3,
        name: "Anton".to_owned(),
        address: "anton@example.com".to_owned(),
        addresses: vec!["anton@example.com".to_owned()],
        zone: TimeZone::get("Europe/Berlin").unwrap(),
    };
    for version in ProtocolVersion::ALL {
        for kind in [BodyType::Plain, BodyType::Html, BodyType::Mime] {
            let preference = BodyPreference {
                kind,
                truncation_size: Some(500),
                all_or_none: false,
                preview: Some(80),
            };
            let bodies = BodyOptions {
                preferences: vec![preference],
                mime_support: 2,
                ..BodyOptions::default()
            };
            let bytes = |now| {
                let context = Context {
                    version,
                    quirks: Quirks::NONE,
                    user: &user,
                    bodies: &bodies,
                    now,
                };
                wbxml::encode(&Element::parent(airsync::APPLICATION_DATA, show(&context)), version)
            };
            let first = bytes(LOOKS[0]);
            assert!(first.len() > 10, "{name}, {version}: nothing is shown");
            for look in [LOOKS[0], LOOKS[1], LOOKS[1]] {
                assert_eq!(bytes(look), first, "{name}, {version}, {kind:?}");
            }
        }
    }
}

fn object(value: &Value) -> Object {
    Object::from_map(value.as_object().unwrap().clone())
}

#[test]
fn contacts() {
    let full = json!({
        "id": 7, "display_name": "Otto Oster", "first_name": "Otto", "last_name": "Oster", "title": "Dr.",
        "email1": "o@example.com", "email2": "p@example.com", "cellular_telephone1": "+49 171 1", "birthday": 86_400_000,
        "number_of_children": "Eva, Emil", "categories": "friends, work, chess", "note": "Likes tea.", "company": "Example",
        "street_home": "Weg 1", "city_home": "Köln", "last_modified": MONDAY, "mark_as_distributionlist": false,
    });
    for (name, contact) in [("full", full), ("bare", json!({"display_name": "Otto"}))] {
        is_the_same(name, |context| {
            contacts::to_eas(&object(&contact), Some(&[0xFF, 0xD8, 0xFF]), context).unwrap()
        });
    }
}

#[test]
fn tasks() {
    let day = MONDAY / 86_400_000 * 86_400_000;
    let cases = [
        (
            "open",
            json!({"title": "Tea", "start_date": day, "end_date": day, "alarm": MONDAY, "note": "Green.", "status": 1}),
        ),
        (
            "done",
            json!({"title": "Tea", "status": 3, "percent_completed": 100, "last_modified": MONDAY}),
        ),
        ("done, and nobody knows when", json!({"title": "Tea", "status": 3})),
        (
            "series",
            json!({"title": "Tea", "start_date": day, "end_date": day, "recurrence_type": 2, "days": 42, "interval": 1,
                "categories": "kitchen, home, daily"}),
        ),
    ];
    for (name, task) in cases {
        is_the_same(name, |context| tasks::to_eas(&object(&task), context).unwrap());
    }
}

#[test]
fn calendar() {
    let people = json!([
        {"id": 3, "type": 1, "mail": "anton@example.com", "display_name": "Anton"},
        {"type": 5, "mail": "berta@example.com", "display_name": "Berta"},
        {"type": 5, "mail": "cesar@example.com", "display_name": "Cesar"},
    ]);
    let single = json!({
        "id": 9, "uid": "u-9", "title": "Meeting", "start_date": MONDAY, "end_date": MONDAY + HOUR, "shown_as": 1,
        "timezone": "Europe/Berlin", "note": "Room 5.", "alarm": 15, "participants": people, "organizer": "anton@example.com",
        "users": [{"id": 3, "confirmation": 1}], "confirmations": [{"mail": "berta@example.com", "status": 2}],
        "categories": "work, tea", "location": "Köln", "last_modified": MONDAY,
    });
    let mut bare = json!({"id": 9, "start_date": MONDAY});
    let mut series = single.clone();
    for (key, value) in [
        ("recurrence_id", json!(9)),
        ("recurrence_type", json!(2)),
        ("days", json!(2)),
        ("interval", json!(1)),
    ] {
        series[key] = value;
    }
    series["delete_exceptions"] = json!([MONDAY / 86_400_000 * 86_400_000 + 14 * 86_400_000]);
    let mut moved = single.clone();
    for (key, value) in [
        ("id", json!(10)),
        ("recurrence_id", json!(9)),
        ("recurrence_position", json!(2)),
        (
            "recurrence_date_position",
            json!(MONDAY / 86_400_000 * 86_400_000 + 7 * 86_400_000),
        ),
        ("start_date", json!(MONDAY + 7 * 86_400_000 + HOUR)),
        ("end_date", json!(MONDAY + 7 * 86_400_000 + 2 * HOUR)),
    ] {
        moved[key] = value;
    }
    bare["full_time"] = json!(true);
    let parts = [object(&moved)];
    for (name, master, parts) in [
        ("single", single, &[][..]),
        ("bare", bare, &[]),
        ("series", series, &parts),
    ] {
        is_the_same(name, |context| {
            calendar::to_eas(&object(&master), parts, context).unwrap()
        });
    }
}

/// The corpus, and each as its stub; what OX knows of their arrival, and nothing of it.
#[test]
fn mails() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail");
    let files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() > 20);
    for (file, received) in files.iter().zip([Some(MONDAY), None].into_iter().cycle()) {
        let source = fs::read(file).unwrap();
        let envelope = Envelope {
            collection_id: "5".to_owned(),
            id: "77".to_owned(),
            flags: 33,
            received,
        };
        let name = file.display().to_string();
        is_the_same(&name, |context| {
            let mail = Mail::from_source(&source, envelope.clone());
            email::to_eas(&mail, context).unwrap()
        });
        is_the_same(&format!("the stub of {name}"), |context| {
            let mail = Mail::from_source(&source, envelope.clone());
            email::to_eas(&email::stub(&mail, "It cannot be shown.", context.user), context).unwrap()
        });
    }
}

/// An invitation that does not tell when it was made.
#[test]
fn invitations() {
    let invitation = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u-1\r\nSUMMARY:Tea\r\n\
        DTSTART:20231120T090000Z\r\nDTEND:20231120T100000Z\r\nORGANIZER:mailto:berta@example.com\r\n\
        ATTENDEE:mailto:anton@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let source = format!(
        "From: berta@example.com\r\nTo: anton@example.com\r\nSubject: Tea\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n{invitation}"
    );
    is_the_same("invitation", |context| {
        let mail = Mail::from_source(source.as_bytes(), Envelope::default());
        let shown = email::to_eas(&mail, context).unwrap();
        let has_request = shown
            .iter()
            .any(|element| element.tag == wbxml::codepage::email::MEETING_REQUEST);
        assert!(has_request, "no invitation");
        shown
    });
}
