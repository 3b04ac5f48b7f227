//! Invitations in mails: what makes buttons of them, in every version, and what that costs.

use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::email2;
use oxtender::wbxml::codepage::meetingresponse as tag;

use crate::device::INBOX;
use crate::items::assert_properties;
use crate::items::mail;
use crate::items::property;
use crate::meetings::appointments;
use crate::meetings::fixture;
use crate::meetings::invitation;
use crate::meetings::sent;
use crate::meetings::synced;
use crate::world::World;

/// Invitations of four makes show as such; nothing is accepted by itself.
#[test]
fn invitations_have_buttons() {
    // file, what is in it whatever the version
    let cases: [(&str, &[(_, &str)]); 4] = [
        (
            "google.ics",
            &[
                (email::START_TIME, "2027-01-05T09:00:00.000Z"),
                (email::END_TIME, "2027-01-05T10:00:00.000Z"),
                (email::INSTANCE_TYPE, "0"),
                (email::RESPONSE_REQUESTED, "1"),
                (email::BUSY_STATUS, "2"),
                (email::ORGANIZER, "\"Gerda Grün\" <gerda@example.org>"),
            ],
        ),
        (
            "outlook.ics",
            &[
                (email::START_TIME, "2027-01-12T09:00:00.000Z"),
                (email::INSTANCE_TYPE, "1"),
                (email::REMINDER, "900"),
                (email::SENSITIVITY, "2"),
                (email::BUSY_STATUS, "3"),
            ],
        ),
        (
            "ios.ics",
            &[
                (email::ALL_DAY_EVENT, "1"),
                (email::RESPONSE_REQUESTED, "0"),
                (email::BUSY_STATUS, "0"),
            ],
        ),
        (
            "ox.ics",
            &[
                (email::INSTANCE_TYPE, "3"),
                (email::RECURRENCE_ID, "2027-03-29T07:00:00.000Z"),
                (email::START_TIME, "2027-03-29T08:00:00.000Z"),
            ],
        ),
    ];
    for version in ProtocolVersion::ALL {
        let world = World::start();
        let mut device = synced(&world, version);
        let inbox = device.folder(INBOX);
        for (file, expected) in cases {
            world.anton().receive(&invitation(&fixture(file), "REQUEST"));
            let id = device.sync(&inbox).added.remove(0);
            let data = device.item(&inbox, &id);
            assert_properties(data, &[(email::MESSAGE_CLASS, "IPM.Schedule.Meeting.Request")]);
            let request = data.child(email::MEETING_REQUEST);
            let request = request.unwrap_or_else(|| panic!("{version} {file}: no MeetingRequest"));
            assert_properties(request, expected);
            assert_eq!(
                request.child(email::GLOBAL_OBJ_ID).is_some(),
                version < V16_0,
                "{version}"
            );
            assert_eq!(request.child(calendar::UID).is_some(), version >= V16_0, "{version}");
            assert_eq!(
                request.child(email2::MEETING_MESSAGE_TYPE).is_some(),
                version >= V14_1,
                "{version}"
            );
            assert_eq!(property(request, email::TIME_ZONE).len(), 232, "{version}");
            if file == "outlook.ics" {
                let recurrence = request
                    .child(email::RECURRENCES)
                    .and_then(|list| list.child(email::RECURRENCE));
                let until = (email::UNTIL, "20271214T090000Z");
                let nth = [
                    (email::TYPE, "3"),
                    (email::WEEK_OF_MONTH, "2"),
                    (email::DAY_OF_WEEK, "4"),
                    until,
                ];
                assert_properties(recurrence.expect("a series"), &nth);
            }
        }
        assert_eq!(appointments(&world).len(), 0, "nothing is accepted by itself");
        assert_eq!(sent(&world).len(), 0);
    }
}

/// What is no invitation for this user: his own, a reply, a calendar that is only published.
#[test]
fn what_has_no_buttons() {
    let world = World::start();
    let mut device = synced(&world, V16_1);
    let inbox = device.folder(INBOX);
    let google = fixture("google.ics");
    let own = google.replace("gerda@example.org", "anton@example.com");
    // mail, MessageClass, MeetingRequest
    let cases = [
        (invitation(&own, "REQUEST"), "IPM.Schedule.Meeting.Request", false),
        (
            invitation(
                &google
                    .replace("METHOD:REQUEST", "METHOD:REPLY")
                    .replace("NEEDS-ACTION", "ACCEPTED"),
                "REPLY",
            ),
            "IPM.Schedule.Meeting.Resp.Pos",
            false,
        ),
        (
            invitation(&google.replace("REQUEST", "CANCEL"), "CANCEL"),
            "IPM.Schedule.Meeting.Canceled",
            true,
        ),
        (
            invitation(&google.replace("REQUEST", "COUNTER"), "COUNTER"),
            "IPM.Schedule.Meeting.Resp.Tent",
            true,
        ),
        (
            invitation(&google.replace("REQUEST", "PUBLISH"), "PUBLISH"),
            "IPM.Note",
            false,
        ),
        (invitation("BEGIN:VCALENDAR\nnonsense", "REQUEST"), "IPM.Note", false),
    ];
    for (source, class, expected) in cases {
        world.anton().receive(&source);
        let id = device.sync(&inbox).added.remove(0);
        let data = device.item(&inbox, &id);
        assert_properties(data, &[(email::MESSAGE_CLASS, class)]);
        let request = data.child(email::MEETING_REQUEST);
        assert_eq!(request.is_some(), expected, "{class}");
        let proposed = request.is_some_and(|request| request.child(tag::PROPOSED_START_TIME).is_some());
        assert_eq!(proposed, class.ends_with("Tent"), "{class}");
    }
}

/// A mail with an invitation costs one call more; others cost nothing.
#[test]
fn invitations_are_fetched_cheaply() {
    let world = World::start();
    let mut device = synced(&world, V14_1);
    let inbox = device.folder(INBOX);
    let mut cost = |invitations: usize, name: &str| {
        for number in 0..5 {
            world.anton().receive(&mail(&format!("{name} {number}"), "Text."));
        }
        for _ in 0..invitations {
            world.anton().receive(&invitation(&fixture("google.ics"), "REQUEST"));
        }
        let before = world.standin.calls().requests;
        assert_eq!(device.sync(&inbox).added.len(), 5 + invitations);
        world.standin.calls().requests - before
    };
    let without = cost(0, "first");
    assert_eq!(cost(2, "second"), without + 2);
}
