//! Every tag of the class is shown by some appointment, or there is a reason why not.

use super::*;
use crate::content::calendar::properties::PROPERTIES;
use crate::content::property::laws;

/// What no device is ever shown, and why.
const UNMAPPED: &[(Tag, &str)] = &[
    (calendar::COMPRESSED_RTF, "notes are plain text in OX"),
    (calendar::ATTACHMENTS, ATTACHMENTS),
    (calendar::ATTACHMENT, ATTACHMENTS),
    (calendar::ATT_NAME, ATTACHMENTS),
    (calendar::ATT_SIZE, ATTACHMENTS),
    (calendar::ATT_OID, ATTACHMENTS),
    (calendar::ATT_METHOD, ATTACHMENTS),
    (calendar::ATT_REMOVED, ATTACHMENTS),
    (calendar::DISPLAY_NAME, ATTACHMENTS),
    (
        calendar::APPOINTMENT_REPLY_TIME,
        "OX does not keep when somebody answered",
    ),
    (calendar::IS_LEAP_MONTH, "OX counts in the Gregorian calendar only"),
    (
        calendar::ONLINE_MEETING_CONF_LINK,
        "a link of Microsoft's servers, which OX does not have",
    ),
    (
        calendar::ONLINE_MEETING_EXTERNAL_LINK,
        "a link of Microsoft's servers, which OX does not have",
    ),
    (
        calendar::CLIENT_UID,
        "sent by devices only; ClientId already tells a repeated Add",
    ),
];

/// No class document has these tags: only the table of tokens names them.
const ATTACHMENTS: &str = "unused by every version";

/// Appointments that together have everything: the patterns of recurrence, attendees, an alarm, exceptions.
fn appointments() -> Vec<(Object, Vec<Object>)> {
    let extended = |more: Value| {
        let mut map = team().as_map().clone();
        map.extend(object(more).into_map());
        Object::from_map(map)
    };
    let until = ms("20250101");
    let monthly = json!({"recurrence_type": 3, "days": 2, "day_in_month": 2, "occurrences": null, "until": until});
    let yearly = json!({"recurrence_type": 4, "days": null, "day_in_month": 8, "month": 3});
    let rich = json!({"location": "Room 1", "categories": "Work", "note": "Bring cake", "delete_exceptions": [ms("20240205")]});
    vec![
        (extended(rich), vec![late_team()]),
        (extended(monthly), Vec::new()),
        (extended(yearly), Vec::new()),
    ]
}

#[test]
fn every_tag_is_accounted_for() {
    let mut found = Vec::new();
    for version in ProtocolVersion::ALL {
        with(version, "Europe/Berlin", |context| {
            for (master, exceptions) in appointments() {
                found.push(shown(&master, &exceptions, context));
            }
        });
    }
    laws::all_accounted_for(&found, &[calendar::SUBJECT.page], UNMAPPED);
}

#[test]
fn each_tag_stands_in_one_row() {
    for (position, row) in PROPERTIES.iter().enumerate() {
        assert!(
            PROPERTIES[..position].iter().all(|other| other.tag != row.tag),
            "{:?}",
            row.tag
        );
    }
}
