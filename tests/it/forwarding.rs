//! Appointments that are forwarded: with a message of the phone, and to people it names.

use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::composemail;
use serde_json::json;

use crate::device::CALENDAR;
use crate::device::INBOX;
use crate::device::link::Parameters;
use crate::items::HOUR;
use crate::items::dashed;
use crate::items::mail;
use crate::items::property;
use crate::items::tomorrow;
use crate::meetings::sent;
use crate::meetings::synced;
use crate::world::World;

/// An appointment goes to others as an invitation of its organizer.
#[test]
fn forwarded_with_words_of_the_phone() {
    for version in [V12_1, V14_0, V14_1, V16_1] {
        let world = World::start();
        let mut device = synced(&world, version);
        let folder = device.folder(CALENDAR);
        let start = tomorrow() + 9 * HOUR;
        world
            .standin
            .web("berta")
            .create_appointment(json!({"title": "Meeting", "start_date": start,
            "end_date": start + HOUR, "participants": [{"type": 1, "id": 3}, {"type": 1, "id": 4}]}));
        let id = device.sync(&folder).added.remove(0);
        let own = b"From: anton@example.com\r\nTo: carl@example.org\r\nSubject: Fwd\r\nContent-Type: text/plain\r\n\r\nLook!\r\n";
        let answer = if version < V14_0 {
            let mut wanted = device.link.request(
                "SmartForward",
                Parameters::default(),
                "message/rfc822",
                Some(own.to_vec()),
            );
            wanted.target.push_str(&format!("&CollectionId={folder}&ItemId={id}"));
            device.link.exchange(&wanted)
        } else {
            let source = [
                Element::text(composemail::FOLDER_ID, &folder),
                Element::text(composemail::ITEM_ID, &id),
            ];
            let root = Element::parent(
                composemail::SMART_FORWARD,
                [
                    Element::text(composemail::CLIENT_ID, "id-1"),
                    Element::parent(composemail::SOURCE, source),
                    Element::opaque(composemail::MIME, own),
                ],
            );
            device.link.exchange(&device.link.wbxml("SmartForward", &root))
        };
        assert!(device.link.read(&answer).is_none(), "{version}");
        let sent = sent(&world);
        assert_eq!(sent.len(), 1, "{version}");
        for part in [
            "Look!",
            "METHOD:REQUEST",
            "ORGANIZER",
            "mailto:berta@example.com",
            "To: carl@example.org",
        ] {
            assert!(sent[0].contains(part), "{version}: {part} is not in\n{}", sent[0]);
        }
    }
}

/// From 16.0 on a phone names people alone; its mistakes have statuses.
#[test]
fn forwardees() {
    for version in [V16_0, V16_1] {
        let world = World::start();
        let mut device = synced(&world, version);
        let (inbox, folder) = (device.folder(INBOX), device.folder(CALENDAR));
        let start = tomorrow() + 9 * HOUR;
        world
            .anton()
            .create_appointment(json!({"title": "Daily", "start_date": start, "end_date": start + HOUR,
            "timezone": "UTC", "recurrence_type": 1, "interval": 1, "occurrences": 5}));
        let id = device.sync(&folder).added.remove(0);
        world.anton().receive(&mail("no meeting", "Text."));
        let plain = device.sync(&inbox).added.remove(0);
        let forwardee = || {
            let fields = [
                Element::text(composemail::EMAIL, "carl@example.org"),
                Element::text(composemail::NAME, "Carl"),
            ];
            Element::parent(
                composemail::FORWARDEES,
                [Element::parent(composemail::FORWARDEE, fields)],
            )
        };
        let forward = |client_id: &str, collection: &str, item: &str, instance: Option<String>, more: Vec<Element>| {
            let mut source = vec![
                Element::text(composemail::FOLDER_ID, collection),
                Element::text(composemail::ITEM_ID, item),
            ];
            source.extend(instance.map(|instance| Element::text(composemail::INSTANCE_ID, instance)));
            let mut root = Element::parent(
                composemail::SMART_FORWARD,
                [
                    Element::text(composemail::CLIENT_ID, client_id),
                    Element::parent(composemail::SOURCE, source),
                ],
            );
            root.extend(more);
            let answer = device.link.exchange(&device.link.wbxml("SmartForward", &root));
            device
                .link
                .read(&answer)
                .map(|root| property(&root, composemail::STATUS))
        };
        let status = |text: &str| Some(text.to_owned());
        let mime = Element::opaque(composemail::MIME, "x");
        assert_eq!(forward("1", &folder, &id, None, vec![forwardee(), mime]), status("178"));
        assert_eq!(
            forward("2", &folder, &id, None, vec![Element::empty(composemail::FORWARDEES)]),
            status("179")
        );
        assert_eq!(forward("3", &inbox, &plain, None, vec![forwardee()]), status("179"));
        assert_eq!(
            forward("4", &folder, "1:nobody", None, vec![forwardee()]),
            status("150")
        );
        let late = Some(dashed(start + 30 * 24 * HOUR));
        assert_eq!(forward("5", &folder, &id, late, vec![forwardee()]), status("150"));
        assert_eq!(
            forward("6", &folder, &id, Some("soon".to_owned()), vec![forwardee()]),
            status("104")
        );
        assert_eq!(sent(&world).len(), 0);

        let body = Element::parent(
            airsyncbase::BODY,
            [
                Element::number(airsyncbase::TYPE, 1),
                Element::text(airsyncbase::DATA, "Join us"),
            ],
        );
        assert_eq!(
            forward("7", &folder, &id, None, vec![forwardee(), body]),
            None,
            "{version}"
        );
        assert_eq!(
            forward("7", &folder, &id, None, vec![forwardee()]),
            status("118"),
            "a repetition"
        );
        let second = Some(dashed(start + 24 * HOUR));
        assert_eq!(forward("8", &folder, &id, second, vec![forwardee()]), None, "{version}");
        let sent = sent(&world);
        assert_eq!(sent.len(), 2);
        assert!(
            sent[0].contains("RRULE:FREQ=DAILY") && sent[0].contains("Join us"),
            "{}",
            sent[0]
        );
        assert!(sent[0].contains("Subject: FW: Daily"), "{}", sent[0]);
        assert!(
            sent[1].contains("RECURRENCE-ID") && !sent[1].contains("RRULE"),
            "{}",
            sent[1]
        );
    }
}
