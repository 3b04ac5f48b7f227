//! Organizer, attendees and the user's part.

use super::*;

fn attendee(address: &str, name: &str) -> Element {
    let children = [
        Element::text(calendar::EMAIL, address),
        Element::text(calendar::NAME, name),
        Element::text(calendar::ATTENDEE_STATUS, "3"),
    ];
    Element::parent(calendar::ATTENDEE, children)
}

fn attendees(list: &[(&str, &str)]) -> Element {
    let list = list.iter().map(|(address, name)| attendee(address, name));
    Element::parent(calendar::ATTENDEES, list)
}

/// Cara has invited Anton; she is a user too, and so is Dora.
fn invitation(confirmation: i64) -> Object {
    object(json!({
        "id": 840, "title": "Plan", "start_date": NOW, "end_date": NOW + 3_600_000, "full_time": false,
        "timezone": "Europe/Berlin", "shown_as": 1, "organizer": "cara@example.com", "organizerId": 4, "created_by": 4,
        "participants": [
            {"id": 4, "type": 1, "mail": "cara@example.com", "display_name": "Cara"},
            {"id": 3, "type": 1}, {"id": 5, "type": 1, "mail": "dora@example.com"}, {"id": 9, "type": 3},
        ],
        "users": [
            {"id": 4, "confirmation": 1}, {"id": 3, "display_name": "Anton", "confirmation": confirmation},
            {"id": 5, "display_name": "Dora", "confirmation": 2},
        ],
    }))
}

#[test]
fn the_part_of_the_user() {
    // confirmation, MeetingStatus, ResponseType, BusyStatus, own AttendeeStatus
    let cases = [
        (0, "3", "5", "1", "5"),
        (1, "3", "3", "2", "3"),
        (2, "3", "4", "2", "4"),
        (3, "3", "2", "1", "2"),
    ];
    for (confirmation, meeting, response, busy, status) in cases {
        with(V14_1, "Europe/Berlin", |context| {
            let shown = shown(&invitation(confirmation), &[], context);
            assert_eq!(shown.child_text(calendar::MEETING_STATUS), Some(meeting));
            assert_eq!(shown.child_text(calendar::RESPONSE_TYPE), Some(response));
            assert_eq!(shown.child_text(calendar::BUSY_STATUS), Some(busy));
            assert_eq!(shown.child_text(calendar::ORGANIZER_EMAIL), Some("cara@example.com"));
            assert_eq!(shown.child_text(calendar::ORGANIZER_NAME), Some("Cara"));
            // The organizer is not among them, and the room has no address.
            let expected = format!(
                "Attendees{{Attendee{{Email=anton@example.com Name=Anton AttendeeStatus={status} AttendeeType=1}} \
                 Attendee{{Email=dora@example.com Name=Dora AttendeeStatus=4 AttendeeType=1}}}}"
            );
            assert_eq!(line(shown.child(calendar::ATTENDEES).unwrap()), expected);
        });
    }
}

#[test]
fn whose_appointment_it_is() {
    // fields, MeetingStatus, OrganizerEmail
    let cases = [
        (json!({}), "0", Some("anton@example.com")),
        (
            json!({"organizer": "mailto:Anton@example.com", "participants": [{"id": 3, "type": 1}]}),
            "0",
            Some("anton@example.com"),
        ),
        (
            json!({"created_by": 3, "participants": [{"id": 3, "type": 1}, {"id": 7, "type": 2}]}),
            "1",
            Some("anton@example.com"),
        ),
        // Old servers name no organizer of internal meetings: whoever has created it.
        (
            json!({"created_by": 4, "users": [{"id": 3, "confirmation": 0}, {"id": 4, "display_name": "Cara"}]}),
            "3",
            None,
        ),
        // Somebody else's, and the user takes no part.
        (
            json!({"organizer": "x@example.org", "participants": [{"id": 4, "type": 1}]}),
            "1",
            Some("x@example.org"),
        ),
        (
            json!({"organizer": "x@example.org", "participants": [{"type": 5, "mail": "a.anton@example.com"}]}),
            "0",
            Some("anton@example.com"),
        ),
        (
            json!({"organizer": "x@example.org", "participants": [{"id": 3, "type": 1}, {"type": 5, "mail": "x@example.org"}]}),
            "3",
            Some("x@example.org"),
        ),
    ];
    for (value, status, email) in cases {
        let mut map = value.as_object().unwrap().clone();
        map.insert("start_date".to_owned(), json!(NOW));
        with(V14_1, "Europe/Berlin", |context| {
            let shown = shown(&Object::from_map(map), &[], context);
            assert_eq!(shown.child_text(calendar::MEETING_STATUS), Some(status), "{value}");
            assert_eq!(shown.child_text(calendar::ORGANIZER_EMAIL), email, "{value}");
        });
    }
}

#[test]
fn an_attendee_changes_only_their_alarm() {
    // what the device changes, fields, refused
    let cases = [
        (Element::text(calendar::REMINDER, "30"), json!({"alarm": 30}), false),
        (Element::text(calendar::SUBJECT, "Mine"), json!({}), true),
        (Element::text(calendar::START_TIME, "20231114T230000Z"), json!({}), true),
        (Element::text(calendar::BUSY_STATUS, "0"), json!({}), true),
        (attendees(&[("eve@example.org", "Eve")]), json!({}), true),
        (
            Element::text(calendar::ORGANIZER_EMAIL, "anton@example.com"),
            json!({}),
            false,
        ),
        (Element::text(calendar::MEETING_STATUS, "1"), json!({}), false),
        // The answers of others are theirs; his own goes another way.
        (
            attendees(&[("anton@example.com", "Anton"), ("dora@example.com", "Dora")]),
            json!({}),
            false,
        ),
    ];
    for (child, expected, refused) in cases {
        with(V14_1, "Europe/Berlin", |context| {
            let object = invitation(0);
            let data = replaced(&shown(&object, &[], context), child.clone());
            // Dragging the start past the end is no case of its own.
            let data = replaced(&data, Element::text(calendar::END_TIME, "20231114T231320Z"));
            let write = to_ox(&data, Some((&object, &[])), &Ghosted::Nothing, context).unwrap();
            assert_eq!(fields(&write), expected, "{child:?}");
            assert_eq!(write.refused, refused, "{child:?}");
        });
    }
}

#[test]
fn the_organizer_invites_and_uninvites() {
    let mut object = team();
    object.set(
        columns::PARTICIPANTS,
        json!([
            {"id": 3, "type": 1}, {"id": 7, "type": 2}, {"id": 5, "type": 1, "mail": "dora@example.com"},
            {"type": 5, "mail": "berta@example.org", "display_name": "Berta", "confirmation": 1},
        ]),
    );
    let own = json!({"id": 3, "type": 1});
    let group = json!({"id": 7, "type": 2});
    let dora = json!({"id": 5, "type": 1, "mail": "dora@example.com"});
    let berta = json!({"type": 5, "mail": "berta@example.org", "display_name": "Berta", "confirmation": 1});
    let eve = json!({"type": 5, "mail": "eve@example.org", "display_name": "Eve"});
    let (d, b, e) = (
        ("dora@example.com", "Dora"),
        ("\"Berta\" <BERTA@example.org>", ""),
        ("eve@example.org", "Eve"),
    );
    // list sent, participants; `None` if they stay
    let cases = [
        (vec![d, b], None),
        (vec![d, b, e], Some(json!([own, group, dora, berta, eve]))),
        (vec![d, b, e, e], Some(json!([own, group, dora, berta, eve]))),
        (vec![b], Some(json!([own, group, berta]))),
        (vec![e], Some(json!([own, group, eve]))),
        // The user and broken addresses do not count.
        (vec![d, b, ("a.anton@example.com", "Anton"), ("nobody", "Nobody")], None),
        (vec![], None),
    ];
    for (list, expected) in cases {
        with(V14_1, "Europe/Berlin", |context| {
            let data = replaced(&shown(&object, &[late_team()], context), attendees(&list));
            let write = to_ox(&data, Some((&object, &[late_team()])), &Ghosted::Nothing, context).unwrap();
            let expected = expected.map_or_else(|| json!({}), |list| json!({"participants": list}));
            assert_eq!(fields(&write), expected, "{list:?}");
            assert_eq!(write.occurrences, [], "{list:?}");
        });
    }
}

#[test]
fn new_meetings() {
    let list = attendees(&[("Anton@Example.com", "Anton"), ("berta@example.org", "Berta")]);
    let participants = json!([
        {"id": 3, "type": 1}, {"type": 5, "mail": "berta@example.org", "display_name": "Berta"},
    ]);
    // version, OrganizerEmail, MeetingStatus, organizer
    let cases = [
        (V14_1, "anton@example.com", "1", Value::Null),
        (V14_1, "cara@example.com", "3", json!("cara@example.com")),
        (V14_1, "cara@example.com", "1", Value::Null),
        (V16_1, "cara@example.com", "3", Value::Null),
    ];
    for (version, organizer, status, expected) in cases {
        let data = request(&[
            (calendar::ORGANIZER_EMAIL, organizer),
            (calendar::MEETING_STATUS, status),
            (calendar::SENSITIVITY, "2"),
        ]);
        let data = replaced(&data, list.clone());
        with(version, "Europe/Berlin", |context| {
            let write = to_ox(&data, None, &Ghosted::Nothing, context).unwrap();
            let fields = fields(&write);
            assert_eq!(fields["participants"], participants);
            assert_eq!(fields.get("organizer").unwrap_or(&Value::Null), &expected);
            // OX refuses private appointments with others.
            assert_eq!(fields.get("private_flag"), None);
            assert!(write.refused);
        });
    }
}
