//! Mail: properties, flags, bodies, attachments; sent, moved and deleted.

use ox_standin::flag;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::email as tag;
use oxtender::wbxml::codepage::email2;
use oxtender::wbxml::codepage::itemoperations;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::Loss;
use crate::device::TRASH;
use crate::device::commands::body_preference;
use crate::device::strict::text_of;
use crate::items::DAY;
use crate::items::assert_properties;
use crate::items::dashed;
use crate::items::mail;
use crate::items::now;
use crate::items::properties;
use crate::items::property;
use crate::world::World;

const AT_INBOX: &str = "default0/INBOX";
const AT_TRASH: &str = "default0/INBOX/Trash";
const PDF: &[u8] = b"%PDF-1.4\nnot much of a document\n";

pub(crate) fn synced(world: &World, version: ProtocolVersion) -> (Device, String) {
    let mut device = world.ready_device(version);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    (device, inbox)
}

/// Text, HTML with a picture in it, and a file.
fn rich() -> Vec<u8> {
    let pdf = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, PDF);
    format!(
        "From: =?utf-8?Q?Anna_M=C3=BCller?= <anna@example.org>\r\nTo: Anton <anton@example.com>, carl@example.org\r\n\
         Cc: \"Berg, Berta\" <berta@example.com>\r\nReply-To: list@example.org\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\
         Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <rich@example.org>\r\nX-Priority: 1\r\nImportance: high\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
         --m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
         --a\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSchöne Grüße, plain\r\n\
         --a\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>Schöne Grüße, <b>rich</b></p>\r\n\
         --a--\r\n\
         --m\r\nContent-Type: application/pdf; name=\"report.pdf\"\r\nContent-Disposition: attachment; filename=\"report.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{pdf}\r\n--m--\r\n"
    )
    .into_bytes()
}

#[test]
fn properties_of_a_mail() {
    for version in [V2_5, V12_0, V12_1, V14_0, V14_1, V16_1] {
        let world = World::start();
        let (mut device, inbox) = synced(&world, version);
        let received = now() - DAY;
        world.anton().deliver_mail_at(AT_INBOX, &rich(), received, 0);
        let id = device.sync(&inbox).added.remove(0);
        let data = device.item(&inbox, &id);
        assert_properties(
            data,
            &[
                (tag::SUBJECT, "Grüße"),
                (tag::DATE_RECEIVED, &dashed_exactly(received)),
                (tag::IMPORTANCE, "2"),
                (tag::READ, "0"),
                (tag::MESSAGE_CLASS, "IPM.Note"),
                (tag::INTERNET_CPID, "65001"),
            ],
        );
        let from = property(data, tag::FROM);
        assert!(
            from.contains("Anna Müller") && from.contains("<anna@example.org>"),
            "{from}"
        );
        let to = property(data, tag::TO);
        assert!(
            to.contains("anton@example.com") && to.contains("carl@example.org"),
            "{to}"
        );
        assert!(property(data, tag::CC).contains("\"Berg, Berta\" <berta@example.com>"));
        assert!(property(data, tag::REPLY_TO).contains("list@example.org"));
        assert_eq!(data.child(tag::FLAG).is_some(), version >= V12_0, "{version}");
        assert_eq!(
            data.child(email2::CONVERSATION_ID).is_some(),
            version >= V14_0,
            "{version}"
        );
        assert_eq!(data.child(airsyncbase::BODY).is_some(), version >= V12_0, "{version}");
        assert_eq!(
            data.child(tag::BODY).is_some(),
            version == V2_5,
            "{version}: {:#?}",
            properties(data)
        );
    }
}

fn dashed_exactly(ms: i64) -> String {
    let millis = ms.rem_euclid(1000);
    dashed(ms).replace(".000Z", &format!(".{millis:03}Z"))
}

/// Read and unread, flagged, done and not flagged, from both sides.
#[test]
fn flags_both_ways() {
    for version in [V2_5, V12_1, V14_1, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, inbox) = synced(&world, version);
        let ox_id = anton.receive(&mail("flags", "Text."));
        let id = device.sync(&inbox).added.remove(0);
        let at_ox = |wanted: u32| anton.mails(AT_INBOX)[0].flags & wanted != 0;
        let active = || {
            Element::parent(
                tag::FLAG,
                [
                    Element::number(tag::STATUS, 2),
                    Element::text(tag::FLAG_TYPE, "Flag for follow up"),
                ],
            )
        };

        for read in [true, false, true] {
            device.change(&inbox, &id, vec![Element::flag(tag::READ, read)]);
            assert!(
                device.sync(&inbox).is_quiet(),
                "{version}: the phone's own change comes back"
            );
            assert_eq!(at_ox(flag::SEEN), read, "{version}");
        }
        anton.set_flags(AT_INBOX, &ox_id, 0, flag::SEEN);
        assert_eq!(device.sync(&inbox).changed, [id.as_str()]);
        assert_eq!(property(device.item(&inbox, &id), tag::READ), "0");
        if version == V2_5 {
            continue;
        }
        device.change(&inbox, &id, vec![active()]);
        assert!(device.sync(&inbox).is_quiet());
        assert!(at_ox(flag::FLAGGED), "{version}");
        assert!(!at_ox(flag::SEEN), "{version}: flagged is not read");
        device.change(&inbox, &id, vec![Element::empty(tag::FLAG)]);
        assert!(device.sync(&inbox).is_quiet());
        assert!(!at_ox(flag::FLAGGED), "{version}");
        anton.set_flags(AT_INBOX, &ox_id, flag::FLAGGED, 0);
        assert_eq!(device.sync(&inbox).changed, [id.as_str()]);
        let shown = device
            .item(&inbox, &id)
            .child(tag::FLAG)
            .and_then(|flag| flag.child_text(tag::STATUS));
        assert_eq!(shown, Some("2"), "{version}");
        anton.set_flags(AT_INBOX, &ox_id, 0, flag::FLAGGED);
        device.sync(&inbox);
        assert_eq!(
            device.item(&inbox, &id).child(tag::FLAG),
            Some(&Element::empty(tag::FLAG)),
            "{version}"
        );
    }
}

/// Flags changed on both sides at once do not undo each other.
#[test]
fn flags_from_both_sides_at_once() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, inbox) = synced(&world, V14_1);
    let ox_id = anton.receive(&mail("flags", "Text."));
    let id = device.sync(&inbox).added.remove(0);
    anton.set_flags(AT_INBOX, &ox_id, flag::FLAGGED, 0);
    device.change(&inbox, &id, vec![Element::number(tag::READ, 1)]);
    device.sync(&inbox);
    device.sync(&inbox);
    let flags = anton.mails(AT_INBOX)[0].flags;
    assert_eq!(flags & (flag::SEEN | flag::FLAGGED), flag::SEEN | flag::FLAGGED);
    let data = device.item(&inbox, &id);
    assert_eq!(property(data, tag::READ), "1");
    assert_eq!(
        data.child(tag::FLAG).and_then(|flag| flag.child_text(tag::STATUS)),
        Some("2")
    );
}

/// BodyPreference: Type, TruncationSize, and what is told of what was cut.
#[test]
fn bodies() {
    let text = "ä".repeat(1000);
    let message = mail("long", &text);
    let world = World::start();
    world.anton().receive(&message);
    world.anton().receive(&rich());
    // Type, TruncationSize, bytes of Data of the long mail, Truncated
    let cases = [
        (1, None, 2002, false),
        (1, Some(500), 500, true),
        (1, Some(501), 500, true),
        (1, Some(0), 0, true),
        (1, Some(5000), 2002, false),
    ];
    for version in [V12_0, V14_1, V16_1] {
        for (kind, truncation, expected, truncated) in cases {
            let mut device = world.ready_device(version);
            let inbox = device.folder(INBOX);
            device.collection(&inbox).options = body_preference(version, kind, truncation);
            device.sync(&inbox);
            let label = format!("{version} {truncation:?}");
            let body = body_of(&device, &inbox, "long");
            let data = body.child_text(airsyncbase::DATA).unwrap_or_default();
            let slack = 2;
            assert!(
                data.len() <= expected && data.len() + slack >= expected,
                "{label}: {} bytes",
                data.len()
            );
            assert_eq!(
                body.child_text(airsyncbase::TRUNCATED),
                truncated.then_some("1"),
                "{label}"
            );
            let whole: usize = body
                .child_text(airsyncbase::ESTIMATED_DATA_SIZE)
                .unwrap()
                .parse()
                .unwrap();
            assert!((2000..=2002).contains(&whole), "{label}: EstimatedDataSize {whole}");
        }
    }
    // Type, what is in the rich mail's body
    for (kind, expected) in [(1, "Schöne Grüße, plain"), (2, "<b>rich</b>"), (4, "boundary=")] {
        let mut device = world.ready_device(V14_1);
        let inbox = device.folder(INBOX);
        device.collection(&inbox).options = body_preference(V14_1, kind, None);
        device
            .collection(&inbox)
            .options
            .push(Element::number(airsync::MIME_SUPPORT, if kind == 4 { 2 } else { 0 }));
        device.sync(&inbox);
        let body = body_of(&device, &inbox, "Grüße");
        assert_eq!(body.child_text(airsyncbase::TYPE), Some(&*kind.to_string()));
        let data = body.child_text(airsyncbase::DATA).unwrap_or_default();
        assert!(data.contains(expected), "Type {kind}: {data}");
    }
}

fn item_of<'a>(device: &'a Device, inbox: &str, subject: &str) -> (&'a String, &'a Element) {
    let mut items = device.items(inbox).iter();
    let found = items.find(|(_, data)| data.child_text(tag::SUBJECT) == Some(subject));
    found.unwrap_or_else(|| panic!("no mail {subject:?}"))
}

fn body_of<'a>(device: &'a Device, inbox: &str, subject: &str) -> &'a Element {
    let (_, data) = item_of(device, inbox, subject);
    data.child(airsyncbase::BODY)
        .unwrap_or_else(|| panic!("no body: {}", text_of(data)))
}

/// 2.5: the text in the class's own tags, cut by Truncation, and fetched whole by Sync.
#[test]
fn bodies_of_2_5() {
    let world = World::start();
    let text = "x".repeat(3000);
    world.anton().receive(&mail("long", &text));
    let mut device = world.ready_device(V2_5);
    let inbox = device.folder(INBOX);
    device.collection(&inbox).options = vec![Element::number(airsync::TRUNCATION, 1)];
    let id = device.sync(&inbox).added.remove(0);
    let data = device.item(&inbox, &id);
    assert_eq!(property(data, tag::BODY).len(), 512);
    assert_eq!(property(data, tag::BODY_TRUNCATED), "1");
    let size: usize = property(data, tag::BODY_SIZE).parse().unwrap();
    assert!((3000..=3002).contains(&size), "BodySize {size}");
    device.fetch(&inbox, &id);
    let synced = device.sync(&inbox);
    let fetched = &synced.fetched[&id];
    assert!(
        property(fetched, tag::BODY).starts_with(&text),
        "{}",
        property(fetched, tag::BODY).len()
    );
}

/// A mail fetched by ItemOperations stays unread.
#[test]
fn fetching_an_item() {
    for (version, multipart) in [(V12_0, false), (V12_1, true), (V14_1, false), (V16_1, true)] {
        let world = World::start();
        let anton = world.anton();
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        device.collection(&inbox).options = body_preference(version, 1, Some(10));
        anton.receive(&mail("long", &"word ".repeat(1000)));
        let id = device.sync(&inbox).added.remove(0);
        let fetched = device.fetch_item(&inbox, &id, body_preference(version, 1, None), multipart);
        assert_eq!((fetched.status, fetched.multipart), (1, multipart), "{version}");
        let text = String::from_utf8(fetched.bytes.expect("a body")).unwrap();
        assert_eq!(text.matches("word ").count(), 1000, "{version}");
        let properties = fetched.properties.unwrap();
        assert_eq!(properties.child_text(tag::SUBJECT), Some("long"));
        let body = properties.child(airsyncbase::BODY).unwrap();
        assert_eq!(body.child(airsyncbase::DATA).is_some(), !multipart, "{version}");
        assert_eq!(body.child(itemoperations::PART).is_some(), multipart, "{version}");
        assert_eq!(
            anton.mails(AT_INBOX)[0].flags & flag::SEEN,
            0,
            "{version}: fetching is not reading"
        );
        assert_eq!(
            device
                .fetch_item(&inbox, &format!("{inbox}:4711"), Vec::new(), multipart)
                .status,
            6
        );
        assert_eq!(device.fetch_item("4711", &id, Vec::new(), multipart).status, 6);
    }
}

#[test]
fn attachments() {
    for version in [V12_0, V12_1, V14_1, V16_1] {
        let world = World::start();
        let (mut device, inbox) = synced(&world, version);
        world.anton().receive(&rich());
        let id = device.sync(&inbox).added.remove(0);
        let attachments = device
            .item(&inbox, &id)
            .child(airsyncbase::ATTACHMENTS)
            .expect("attachments")
            .clone();
        assert_eq!(attachments.children().len(), 1, "{}", text_of(&attachments));
        let attachment = &attachments.children()[0];
        assert_properties(
            attachment,
            &[(airsyncbase::DISPLAY_NAME, "report.pdf"), (airsyncbase::METHOD, "1")],
        );
        assert!(attachment.child(airsyncbase::ESTIMATED_DATA_SIZE).is_some());
        let reference = property(attachment, airsyncbase::FILE_REFERENCE);
        for multipart in [false, true] {
            let whole = device.fetch_attachment(&reference, None, multipart);
            assert_eq!((whole.status, whole.multipart), (1, multipart));
            assert_eq!(whole.bytes.as_deref(), Some(PDF), "{version}");
            let properties = whole.properties.unwrap();
            assert_eq!(
                properties.child_text(airsyncbase::CONTENT_TYPE),
                Some("application/pdf")
            );
            assert!(
                properties.child(itemoperations::RANGE).is_none(),
                "iOS shows an error for a Range it did not ask for"
            );
            let part = device.fetch_attachment(&reference, Some("5-7"), multipart);
            assert_eq!(part.bytes.as_deref(), Some(&PDF[5..=7]));
            let properties = part.properties.unwrap();
            assert_eq!(properties.child_text(itemoperations::RANGE), Some("5-7"));
            assert_eq!(
                properties.child_text(itemoperations::TOTAL),
                Some(&*PDF.len().to_string())
            );
        }
        assert_eq!(device.fetch_attachment(&reference, Some("9000-9001"), false).status, 8);
        assert_eq!(device.fetch_attachment("nonsense", None, false).status, 15);
    }
}

/// Moved once; a repeated request gets the same answer.
#[test]
fn moving() {
    for version in [V2_5, V14_1, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, inbox) = synced(&world, version);
        let trash = device.folder(TRASH);
        device.sync(&trash);
        anton.receive(&mail("one", "Text."));
        anton.receive(&mail("two", "Text."));
        device.sync(&inbox);
        let one = item_of(&device, &inbox, "one").0.clone();
        let moved = device.move_items(&[(&one, &inbox, &trash)]);
        let (status, new_id) = moved[&one].clone();
        let new_id = new_id.expect("a new id");
        assert_eq!(status, 3, "{version}");
        let again = device.move_items(&[(&one, &inbox, &trash)]);
        assert_eq!(again[&one], (3, Some(new_id.clone())), "{version}: repeated");
        assert_eq!(
            (anton.mails(AT_INBOX).len(), anton.mails(AT_TRASH).len()),
            (1, 1),
            "{version}"
        );
        assert_eq!(device.sync(&inbox).deleted, [one.as_str()], "{version}");
        assert_eq!(device.sync(&trash).added, [new_id], "{version}: the id that was told");

        let two = item_of(&device, &inbox, "two").0.clone();
        // item, from, to, Status
        let cases = [
            ("4711:1", "4711", trash.as_str(), 1),
            (two.as_str(), inbox.as_str(), "4711", 2),
            (two.as_str(), inbox.as_str(), inbox.as_str(), 4),
        ];
        for (id, from, to, expected) in cases {
            assert_eq!(
                device.move_items(&[(id, from, to)])[id].0,
                expected,
                "{version} {id} {from} {to}"
            );
        }
        let gone = format!("{inbox}:4711");
        assert_eq!(device.move_items(&[(&gone, &inbox, &trash)])[&gone].0, 1, "{version}");
    }
}

/// DeletesAsMoves: into the trash, unless the phone says otherwise or it is there already.
#[test]
fn deleting() {
    // DeletesAsMoves, mails in the trash afterwards
    for (as_moves, in_trash) in [(None, 1), (Some(true), 1), (Some(false), 0)] {
        for version in [V2_5, V14_1] {
            let world = World::start();
            let anton = world.anton();
            let (mut device, inbox) = synced(&world, version);
            anton.receive(&mail("one", "Text."));
            let id = device.sync(&inbox).added.remove(0);
            device.collection(&inbox).deletes_as_moves = as_moves;
            device.delete(&inbox, &id);
            assert!(device.sync(&inbox).refused.is_empty());
            let label = format!("{version} {as_moves:?}");
            assert!(anton.mails(AT_INBOX).is_empty(), "{label}");
            assert_eq!(anton.mails(AT_TRASH).len(), in_trash, "{label}");
            if in_trash == 1 {
                let trash = device.folder(TRASH);
                let id = device.sync(&trash).added.remove(0);
                device.delete(&trash, &id);
                device.sync(&trash);
                assert!(anton.mails(AT_TRASH).is_empty(), "{label}: out of the trash");
            }
        }
    }
}

/// Deleted on both sides, and deleted again after a lost answer.
#[test]
fn deleting_what_is_gone() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, inbox) = synced(&world, V14_1);
    let ox_id = anton.receive(&mail("one", "Text."));
    let id = device.sync(&inbox).added.remove(0);
    anton.delete_mail(AT_INBOX, &ox_id);
    device.delete(&inbox, &id);
    device.sync_and_lose(&inbox, Loss::Forgotten);
    let synced = device.sync(&inbox);
    assert!(
        synced.refused.is_empty() && device.items(&inbox).is_empty(),
        "{synced:?}"
    );
    assert!(device.sync(&inbox).is_quiet());
}

/// FilterType: mail of the last days only, and the rest when the phone wants more.
#[test]
fn filters() {
    let world = World::start();
    let anton = world.anton();
    for days in [0, 2, 5, 20, 90] {
        anton.deliver_mail_at(AT_INBOX, &mail(&format!("{days} days"), "Text."), now() - days * DAY, 0);
    }
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    // FilterType, mails on the phone
    for (filter, expected) in [(1, 1), (2, 2), (3, 3), (5, 4), (0, 5), (2, 2)] {
        device.collection(&inbox).options = vec![Element::number(airsync::FILTER_TYPE, filter)];
        let synced = device.sync(&inbox);
        assert!(
            synced.deleted.is_empty(),
            "what leaves the window is not deleted: {synced:?}"
        );
        assert_eq!(device.items(&inbox).len(), expected, "FilterType {filter}");
    }
    assert_eq!(anton.mails(AT_INBOX).len(), 5);
}
