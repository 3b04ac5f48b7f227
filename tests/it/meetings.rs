//! Meetings: answers to invitations and to appointments, and who writes to whom.
//!
//! Everybody from outside is at `example.org`; Anton and Berta are users of the same OX.

use std::fs;
use std::path::Path;

use ox_standin::Fault;
use ox_standin::Module;
use ox_standin::Profile;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::meetingresponse as tag;
use oxtender::wbxml::codepage::search;
use serde_json::Value;
use serde_json::json;

use crate::device::CALENDAR;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::link::Parameters;
use crate::device::link::WBXML;
use crate::items::HOUR;
use crate::items::appointment;
use crate::items::assert_properties;
use crate::items::dashed;
use crate::items::mail;
use crate::items::property;
use crate::items::tomorrow;
use crate::world::World;

pub(crate) const INBOX_AT_OX: &str = "default0/INBOX";
pub(crate) const TRASH_AT_OX: &str = "default0/INBOX/Trash";
pub(crate) const ACCEPT: i64 = 1;
pub(crate) const TENTATIVE: i64 = 2;
const DECLINE: i64 = 3;

/// A mail with an invitation as another form of its text.
pub(crate) fn invitation(calendar: &str, method: &str) -> Vec<u8> {
    let calendar = calendar.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "From: Gerda <gerda@example.org>\r\nTo: anton@example.com\r\nSubject: Invitation\r\nMessage-ID: <i@example.org>\r\n\
         Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Please come.\r\n--b\r\nContent-Type: text/calendar; charset=utf-8; method={method}\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{calendar}\r\n--b--\r\n"
    )
    .into_bytes()
}

pub(crate) fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/invitations");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A phone that has synced calendar and inbox.
pub(crate) fn synced(world: &World, version: ProtocolVersion) -> Device {
    let mut device = world.ready_device(version);
    for kind in [CALENDAR, INBOX] {
        let folder = device.folder(kind);
        device.sync(&folder);
    }
    device
}

/// A phone with an invitation from Google in its inbox, and the mail's id.
pub(crate) fn invited(world: &World, version: ProtocolVersion) -> (Device, String) {
    let mut device = synced(world, version);
    world.anton().receive(&invitation(&fixture("google.ics"), "REQUEST"));
    let inbox = device.folder(INBOX);
    let id = device.sync(&inbox).added.remove(0);
    (device, id)
}

pub(crate) fn request(response: i64, collection: &str, id: &str, more: impl IntoIterator<Item = Element>) -> Element {
    let mut request = Element::parent(
        tag::REQUEST,
        [
            Element::number(tag::USER_RESPONSE, response),
            Element::text(tag::COLLECTION_ID, collection),
            Element::text(tag::REQUEST_ID, id),
        ],
    );
    request.extend(more);
    request
}

/// Status and CalendarId of each Result.
fn respond(device: &Device, requests: Vec<Element>) -> Vec<(i64, Option<String>)> {
    let root = Element::parent(tag::MEETING_RESPONSE, requests);
    let answer = device.link.document("MeetingResponse", &root);
    let results = answer.children_of(tag::RESULT);
    results
        .map(|result| {
            let status = property(result, tag::STATUS).parse().unwrap();
            (status, result.child_text(tag::CALENDAR_ID).map(str::to_owned))
        })
        .collect()
}

pub(crate) fn respond_once(device: &Device, request: Element) -> (i64, Option<String>) {
    respond(device, vec![request]).remove(0)
}

/// An empty SendResponse, where the version has one.
pub(crate) fn send(version: ProtocolVersion) -> Option<Element> {
    (version >= V16_0).then(|| Element::empty(tag::SEND_RESPONSE))
}

pub(crate) fn appointments(world: &World) -> Vec<Value> {
    let anton = world.anton();
    anton.objects(Module::Calendar, anton.default_folder(Module::Calendar))
}

/// Anton's confirmation.
pub(crate) fn confirmation(object: &Value) -> Value {
    let users = object["users"].as_array().unwrap();
    let own = users.iter().find(|user| user["id"] == 3).unwrap();
    own["confirmation"].clone()
}

pub(crate) fn sent(world: &World) -> Vec<String> {
    let sent = world.anton().sent();
    let text = |raw: &[u8]| {
        String::from_utf8_lossy(raw)
            .replace("=\r\n", "")
            .replace("=3D", "=")
            .replace("\r\n ", "")
    };
    sent.iter().map(|sent| text(&sent.raw)).collect()
}

/// An external invitation is accepted: it is in the calendar, with the user's answer, and the mail is in the trash.
#[test]
fn accepted_by_mail() {
    for profile in [Profile::V6_20, Profile::V7_8, Profile::V7_10] {
        for version in ProtocolVersion::ALL {
            let world = World::plan()
                .standin(|builder| builder.profile(profile))
                .start()
                .unwrap();
            let (mut device, id) = invited(&world, version);
            let inbox = device.folder(INBOX);
            let (status, calendar_id) = respond_once(&device, request(ACCEPT, &inbox, &id, send(version)));
            assert_eq!(status, 1, "{profile:?} {version}");
            let stored = appointments(&world);
            assert_eq!(stored.len(), 1, "{stored:#?}");
            assert_eq!(stored[0]["uid"], "7kukuqrfedlm2f9t7a3s@google.com");
            assert_eq!(
                (&stored[0]["organizer"], confirmation(&stored[0])),
                (&json!("gerda@example.org"), json!(1))
            );
            assert_eq!(world.anton().mails(INBOX_AT_OX).len(), 0);
            assert_eq!(world.anton().mails(TRASH_AT_OX).len(), 1);

            // The phone finds the appointment under the id that it was told.
            let folder = device.folder(CALENDAR);
            let added = device.sync(&folder).added;
            assert_eq!(added, [calendar_id.expect("a CalendarId")], "{version}");
            let data = device.item(&folder, &added[0]);
            assert_properties(data, &[(calendar::MEETING_STATUS, "3"), (calendar::SUBJECT, "Plans")]);
            assert_eq!(device.sync(&inbox).deleted, [id], "{version}");

            // Up to 14.1 the phone writes to the organizer itself.
            let sent = sent(&world);
            assert_eq!(sent.len(), usize::from(version >= V16_0), "{version}: {sent:?}");
            if let Some(reply) = sent.first() {
                assert!(
                    reply.contains("METHOD:REPLY") && reply.contains("PARTSTAT=ACCEPTED"),
                    "{reply}"
                );
                assert!(
                    reply.contains("\r\nTo: ") && reply.contains("<gerda@example.org>"),
                    "{reply}"
                );
            }
        }
    }
}

/// A server without the conversion of invitations gets the appointment as any other.
#[test]
fn accepted_without_help() {
    let world = World::start();
    let (device, id) = invited(&world, V14_1);
    world
        .standin
        .faults()
        .always("conversion", "convert", Fault::error("CNV-0001", 8));
    assert_eq!(
        respond_once(&device, request(TENTATIVE, &device.folder(INBOX), &id, [])).0,
        1
    );
    let stored = appointments(&world);
    assert_eq!(stored.len(), 1);
    assert_eq!(
        (&stored[0]["organizer"], confirmation(&stored[0])),
        (&json!("gerda@example.org"), json!(3))
    );
    assert_eq!(stored[0]["location"], "Café Grün, Berlin");
}

/// Accepted at the web before: one appointment, not two.
#[test]
fn accepted_twice_is_one_meeting() {
    let world = World::start();
    let (device, id) = invited(&world, V14_1);
    world.anton().create_appointment(
        json!({"title": "Plans", "start_date": tomorrow(), "end_date": tomorrow() + HOUR,
        "uid": "7kukuqrfedlm2f9t7a3s@google.com", "organizer": "gerda@example.org",
        "participants": [{"type": 1, "id": 3}, {"type": 5, "mail": "gerda@example.org"}]}),
    );
    assert_eq!(
        respond_once(&device, request(ACCEPT, &device.folder(INBOX), &id, [])).0,
        1
    );
    assert_eq!(appointments(&world).len(), 1);
}

/// A newer version of the invitation changes the appointment that is there.
#[test]
fn an_update_is_accepted() {
    for profile in [Profile::V6_20, Profile::V7_8, Profile::V7_10] {
        let world = World::plan()
            .standin(|builder| builder.profile(profile))
            .start()
            .unwrap();
        let (mut device, id) = invited(&world, V14_1);
        let inbox = device.folder(INBOX);
        respond_once(&device, request(ACCEPT, &inbox, &id, []));
        let newer = fixture("google.ics")
            .replace("T090000Z", "T110000Z")
            .replace("T100000Z", "T120000Z");
        world
            .anton()
            .receive(&invitation(&newer.replace("SEQUENCE:0", "SEQUENCE:1"), "REQUEST"));
        let id = device.sync(&inbox).added.remove(0);
        assert_eq!(
            respond_once(&device, request(TENTATIVE, &inbox, &id, [])).0,
            1,
            "{profile:?}"
        );
        let stored = appointments(&world);
        assert_eq!(stored.len(), 1, "{profile:?}");
        assert_eq!(
            (&stored[0]["start_date"], confirmation(&stored[0])),
            (&json!(1_799_146_800_000_i64), json!(3))
        );
    }
}

/// Declined: the meeting stays at OX for a change of mind, and is on no phone.
#[test]
fn declined() {
    for version in ProtocolVersion::ALL {
        let world = World::start();
        let mut device = synced(&world, version);
        let folder = device.folder(CALENDAR);
        let berta = world.standin.web("berta");
        let start = tomorrow() + 9 * HOUR;
        let id = berta.create_appointment(
            json!({"title": "Meeting", "start_date": start, "end_date": start + HOUR,
            "participants": [{"type": 1, "id": 3}, {"type": 1, "id": 4}]}),
        );
        let on_phone = device.sync(&folder).added.remove(0);
        assert_eq!(
            respond_once(&device, request(DECLINE, &folder, &on_phone, [])),
            (1, None),
            "{version}"
        );
        assert_eq!(confirmation(&appointments(&world)[0]), 2);
        assert_eq!(
            device.sync(&folder).deleted,
            std::slice::from_ref(&on_phone),
            "{version}"
        );
        // The other way round at the web.
        let anton = world.anton();
        anton.confirm(anton.default_folder(Module::Calendar), id, 1);
        assert_eq!(device.sync(&folder).added, [on_phone], "{version}");
        assert_eq!(sent(&world).len(), 0, "{version}: OX tells its own users");
    }
}

/// An invitation from outside that is declined leaves nothing but the answer.
#[test]
fn declined_by_mail() {
    for version in [V2_5, V14_1, V16_1] {
        let world = World::start();
        let (device, id) = invited(&world, version);
        let wanted = request(DECLINE, &device.folder(INBOX), &id, send(version));
        assert_eq!(respond_once(&device, wanted), (1, None), "{version}");
        assert_eq!(appointments(&world).len(), 0, "{version}");
        assert_eq!(world.anton().mails(TRASH_AT_OX).len(), 1, "{version}");
        assert_eq!(sent(&world).len(), usize::from(version >= V16_0), "{version}");
    }
}

/// One occurrence of a series, from 14.1 on; and the whole of it.
#[test]
fn occurrences() {
    for profile in [Profile::V6_20, Profile::V7_8, Profile::V7_10] {
        for version in [V14_1, V16_0, V16_1] {
            let world = World::plan()
                .standin(|builder| builder.profile(profile))
                .start()
                .unwrap();
            let mut device = synced(&world, version);
            let folder = device.folder(CALENDAR);
            let start = tomorrow() + 9 * HOUR;
            world.standin.web("berta").create_appointment(
                json!({"title": "Daily", "start_date": start, "end_date": start + HOUR, "timezone": "UTC",
                "recurrence_type": 1, "interval": 1, "occurrences": 5, "participants": [{"type": 1, "id": 3}, {"type": 1, "id": 4}]}),
            );
            let id = device.sync(&folder).added.remove(0);
            let instance = |days: i64| Element::text(tag::INSTANCE_ID, dashed(start + days * 24 * HOUR));
            // days after the first, Status
            for (days, expected) in [(2, 1), (7, 2)] {
                let (status, _) = respond_once(&device, request(DECLINE, &folder, &id, [instance(days)]));
                assert_eq!(status, expected, "{profile:?} {version} {days}");
            }
            let (status, calendar_id) = respond_once(&device, request(ACCEPT, &folder, &id, []));
            assert_eq!((status, calendar_id), (1, Some(id.clone())));
            device.sync(&folder);
            let exceptions = property(device.item(&folder, &id), calendar::EXCEPTIONS);
            assert_eq!(
                exceptions.matches("Deleted=1").count(),
                1,
                "{profile:?} {version}: {exceptions}"
            );
        }
    }
}

/// The statuses, in the versions that have them.
#[test]
fn what_is_refused() {
    let world = World::start();
    let (mut device, invitation_id) = invited(&world, V14_1);
    let (inbox, folder) = (device.folder(INBOX), device.folder(CALENDAR));
    world.anton().receive(&mail("no meeting", "Text."));
    let plain = device.sync(&inbox).added.remove(0);
    let start = tomorrow() + 9 * HOUR;
    let own = json!({"title": "Own", "start_date": start, "end_date": start + HOUR, "participants": [{"type": 1, "id": 3}, {"type": 1, "id": 4}]});
    world.anton().create_appointment(own.clone());
    let own_id = device.sync(&folder).added.remove(0);
    world.standin.web("berta").create_appointment(own);
    let single = device.sync(&folder).added.remove(0);
    let instance = |text: &str| [Element::text(tag::INSTANCE_ID, text)];
    let dashed = dashed(start);
    let cases = [
        (request(ACCEPT, &inbox, &plain, []), 2),
        (request(ACCEPT, &folder, &own_id, []), 2),
        (request(ACCEPT, &folder, "1:nobody", []), 2),
        (request(ACCEPT, "4711", "4711:1", []), 2),
        (request(7, &folder, &single, []), 2),
        (request(ACCEPT, &folder, &single, instance("soon")), 104),
        (request(ACCEPT, &folder, &single, instance(&dashed)), 146),
        (request(ACCEPT, &inbox, &invitation_id, instance(&dashed)), 2),
        (request(ACCEPT, &folder, &single, []), 1),
    ];
    let (requests, expected): (Vec<_>, Vec<i64>) = cases.into_iter().unzip();
    let statuses: Vec<i64> = respond(&device, requests)
        .into_iter()
        .map(|(status, _)| status)
        .collect();
    assert_eq!(statuses, expected, "each by itself, in one request");
    assert_eq!(world.anton().mails(INBOX_AT_OX).len(), 2, "what was not answered stays");

    let many = |count| {
        let requests = vec![request(ACCEPT, &inbox, "x", []); count];
        let root = Element::parent(tag::MEETING_RESPONSE, requests);
        let answer = device.link.document("MeetingResponse", &root);
        answer.child_text(tag::STATUS).map(str::to_owned)
    };
    assert_eq!(many(100), None);
    assert_eq!(many(101).as_deref(), Some("103"));
    assert_eq!(many(0).as_deref(), Some("103"));
}

/// A search result names the mail by itself, from 14.0 on.
#[test]
fn answered_by_long_id() {
    for version in [V12_1, V14_0, V14_1, V16_1] {
        let world = World::start();
        let (device, id) = invited(&world, version);
        let (collection, mail) = id.split_once(':').unwrap();
        let long_id = oxtender::usm::ids::long_id(collection.parse().unwrap(), mail).unwrap();
        let fields = [
            Element::number(tag::USER_RESPONSE, ACCEPT),
            Element::text(search::LONG_ID, long_id),
        ];
        let (status, _) = respond_once(&device, Element::parent(tag::REQUEST, fields));
        let expected = if version >= V14_0 { 1 } else { 2 };
        assert_eq!(status, expected, "{version}");
    }
}

/// 16.x: a mail goes out only if the phone says so, with its words; 16.1 proposes another time.
#[test]
fn words_for_the_organizer() {
    let body = |text: &str| {
        let fields = [
            Element::number(airsyncbase::TYPE, 1),
            Element::text(airsyncbase::DATA, text),
        ];
        Element::parent(airsyncbase::BODY, fields)
    };
    let start = 1_799_150_400_000;
    let proposal = [
        Element::text(tag::PROPOSED_START_TIME, dashed(start)),
        Element::text(tag::PROPOSED_END_TIME, dashed(start + HOUR)),
    ];
    // version, SendResponse, what the mail says
    let with_words = |more: Vec<Element>| {
        let mut send = Element::parent(tag::SEND_RESPONSE, [body("Late, sorry")]);
        send.extend(more);
        Some(send)
    };
    let cases: [(_, _, &[&str]); 4] = [
        (V16_0, None, &[]),
        (
            V16_0,
            with_words(vec![]),
            &["METHOD:REPLY", "PARTSTAT=TENTATIVE", "Late, sorry", "(Europe/Berlin)"],
        ),
        (V16_1, with_words(vec![]), &["METHOD:REPLY", "Late, sorry"]),
        (
            V16_1,
            with_words(proposal.to_vec()),
            &[
                "METHOD:COUNTER",
                "DTSTART:20270105T120000Z",
                "Subject: New Time Proposed: Plans",
            ],
        ),
    ];
    for (version, send, expected) in cases {
        let world = World::start();
        let (device, id) = invited(&world, version);
        assert_eq!(
            respond_once(&device, request(TENTATIVE, &device.folder(INBOX), &id, send)).0,
            1
        );
        let sent = sent(&world);
        assert_eq!(sent.len(), usize::from(!expected.is_empty()), "{version}");
        for part in expected {
            assert!(sent[0].contains(part), "{version}: {part} is not in\n{}", sent[0]);
        }
    }
}

/// iOS 12.4 to 13.7 answers without a mail of its own.
#[test]
fn silent_ios() {
    for (user_agent, mails) in [("Apple-iPhone6C2/1607.83", 1), ("Apple-iPhone6C2/1801.393", 0)] {
        let world = World::start();
        let (device, id) = invited(&world, V14_1);
        let root = Element::parent(tag::MEETING_RESPONSE, [request(ACCEPT, &device.folder(INBOX), &id, [])]);
        let body = oxtender::wbxml::encode(&root, V14_1);
        let mut wanted = device
            .link
            .request("MeetingResponse", Parameters::default(), WBXML, Some(body));
        wanted.headers.retain(|(name, _)| *name != "User-Agent");
        wanted.headers.push(("User-Agent", user_agent.to_owned()));
        let answer = device.link.exchange(&wanted);
        assert!(device.link.read(&answer).is_some());
        assert_eq!(sent(&world).len(), mails, "{user_agent}");
    }
}

/// A meeting that a phone makes, changes and touches without changing it: OX writes from 16.0 on, and only then.
#[test]
fn who_writes_to_the_invited() {
    for version in ProtocolVersion::ALL {
        let world = World::start();
        let mut device = synced(&world, version);
        let folder = device.folder(CALENDAR);
        let attendee = |email: &str| {
            let fields = [
                Element::text(calendar::EMAIL, email),
                Element::text(calendar::NAME, "X"),
            ];
            Element::parent(calendar::ATTENDEE, fields)
        };
        let mut data = appointment(version, "meeting-1", "Meeting", tomorrow() + 9 * HOUR);
        data.retain(|element| element.tag != calendar::MEETING_STATUS);
        data.push(Element::number(calendar::MEETING_STATUS, 1));
        data.push(Element::parent(
            calendar::ATTENDEES,
            [attendee("berta@example.com"), attendee("carl@example.org")],
        ));
        device.add(&folder, data.clone());
        device.sync(&folder);
        let mails = |count: usize| if version >= V16_0 { count } else { 0 };
        assert_eq!(world.anton().sent().len(), mails(1), "{version}: made");
        let id = device.items(&folder).keys().next().unwrap().clone();
        let unsent = [calendar::UID, calendar::CLIENT_UID];
        data.retain(|element| !unsent.contains(&element.tag) && element.tag != calendar::SUBJECT);
        data.push(Element::text(calendar::SUBJECT, "Renamed"));
        device.change(&folder, &id, data.clone());
        assert!(device.sync(&folder).refused.is_empty(), "{version}");
        assert_eq!(world.anton().sent().len(), mails(2), "{version}: renamed");
        data.push(Element::number(calendar::REMINDER, 5));
        device.change(&folder, &id, data);
        device.sync(&folder);
        assert_eq!(
            world.anton().sent().len(),
            mails(2),
            "{version}: a reminder is nobody else's business"
        );
    }
}
