//! Drafts from 16.0 on: written and changed on the phone, sent from there, and the same drafts in the web interface.
//!
//! Their files are in `files`, and what is lost or cut off on the way in `interruptions`.

mod files;
mod interruptions;

use ox_standin::Fault;
use ox_standin::StoredMail;
use ox_standin::WebUser;
use ox_standin::flag;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::email as tag;
use oxtender::wbxml::codepage::email2;

use crate::device::DRAFTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::commands::body_preference;
use crate::device::sync_document;
use crate::items::assert_properties;
use crate::items::property;
use crate::world::World;

const AT_DRAFTS: &str = "default0/INBOX/Drafts";
const AT_SENT: &str = "default0/INBOX/Sent";

fn ready(world: &World, version: ProtocolVersion) -> (Device, String) {
    let mut device = world.ready_device(version);
    let drafts = device.folder(DRAFTS);
    device.collection(&drafts).options = body_preference(version, 2, None);
    device.sync(&drafts);
    (device, drafts)
}

fn body(kind: i64, data: &str) -> Element {
    Element::parent(
        airsyncbase::BODY,
        [
            Element::number(airsyncbase::TYPE, kind),
            Element::text(airsyncbase::DATA, data),
        ],
    )
}

fn draft(to: &str, subject: &str, text: &str) -> Vec<Element> {
    vec![
        Element::text(tag::TO, to),
        Element::text(tag::SUBJECT, subject),
        body(1, text),
    ]
}

/// The one draft at OX.
fn only(anton: &WebUser) -> StoredMail {
    let mut mails = anton.mails(AT_DRAFTS);
    assert_eq!(mails.len(), 1, "drafts at OX");
    mails.remove(0)
}

fn text_at_ox(anton: &WebUser) -> String {
    String::from_utf8(only(anton).raw.to_vec()).unwrap()
}

/// Everything a phone does with a draft before it is sent, and what the web interface sees of it.
#[test]
fn written_changed_and_deleted() {
    for version in [V16_0, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, drafts) = ready(&world, version);
        let client_id = device.add(
            &drafts,
            vec![
                Element::text(tag::TO, "\"Berg, Berta\" <berta@example.com>; carl@example.org"),
                Element::text(tag::CC, "Zo\u{eb} <zoe@example.org>,joh"),
                Element::text(email2::BCC, "secret@example.org"),
                Element::text(tag::SUBJECT, "Gr\u{fc}\u{df}e"),
                Element::number(tag::IMPORTANCE, 2),
                body(2, "<p>Sch\u{f6}ne <b>Gr\u{fc}\u{df}e</b></p>"),
            ],
        );
        let synced = device.sync(&drafts);
        assert!(synced.is_quiet(), "{version}: {synced:?}");
        let id = synced.new_ids[&client_id].clone();
        let made = &synced.made[&client_id];
        assert!(made.child(email2::CONVERSATION_ID).is_some() && made.child(email2::CONVERSATION_INDEX).is_some());
        assert!(
            device.sync(&drafts).is_quiet(),
            "{version}: the phone's own draft comes back"
        );
        assert_eq!(only(&anton).flags, flag::DRAFT | flag::SEEN);

        let options = body_preference(version, 2, None);
        let fetched = device.fetch_item(&drafts, &id, options.clone(), false);
        let properties = fetched.properties.expect("a draft");
        assert_properties(
            &properties,
            &[
                (tag::SUBJECT, "Gr\u{fc}\u{df}e"),
                (tag::TO, "\"Berg, Berta\" <berta@example.com>, carl@example.org"),
                // Half written, and no address yet.
                (tag::CC, "\"Zo\u{eb}\" <zoe@example.org>, \"joh\""),
                (email2::BCC, "secret@example.org"),
                (email2::IS_DRAFT, "1"),
                (tag::IMPORTANCE, "2"),
                (tag::READ, "1"),
            ],
        );
        assert!(property(&properties, tag::FROM).contains("<anton@example.com>"));
        let html = properties
            .child(airsyncbase::BODY)
            .and_then(|body| body.child_text(airsyncbase::DATA));
        assert!(
            html.is_some_and(|html| html.contains("<b>Gr\u{fc}\u{df}e</b>")),
            "{html:?}"
        );

        // A change of one property leaves the others, and the id, as they are.
        let before = only(&anton).id;
        for subject in ["Changed", "Changed again"] {
            device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, subject)]);
            let synced = device.sync(&drafts);
            assert!(synced.is_quiet() && synced.refused.is_empty(), "{version}: {synced:?}");
            assert!(device.sync(&drafts).is_quiet());
            assert_ne!(only(&anton).id, before, "OX cannot change a mail");
            let fetched = device
                .fetch_item(&drafts, &id, options.clone(), false)
                .properties
                .unwrap();
            assert_properties(
                &fetched,
                &[
                    (tag::SUBJECT, subject),
                    (tag::TO, "\"Berg, Berta\" <berta@example.com>, carl@example.org"),
                    (email2::BCC, "secret@example.org"),
                ],
            );
        }
        // Without recipients, and with another text.
        device.change(&drafts, &id, vec![Element::text(tag::CC, ""), body(1, "Plain now.")]);
        assert!(device.sync(&drafts).is_quiet());
        let text = text_at_ox(&anton);
        assert!(
            !text.contains("zoe@example.org") && text.contains("Plain now."),
            "{text}"
        );
        assert!(!text.contains("Content-Type: text/html"), "{text}");

        // Flags go both ways as those of any mail.
        anton.set_flags(AT_DRAFTS, &only(&anton).id, flag::FLAGGED, 0);
        assert_eq!(device.sync(&drafts).changed, [id.as_str()]);
        device.change(&drafts, &id, vec![Element::flag(tag::READ, false)]);
        assert!(device.sync(&drafts).is_quiet());
        assert_eq!(only(&anton).flags, flag::DRAFT | flag::FLAGGED);

        // The phone fetches it by the id it has, and deletes it so.
        device.fetch(&drafts, &id);
        assert_eq!(
            property(&device.sync(&drafts).fetched[&id], tag::SUBJECT),
            "Changed again"
        );
        device.delete(&drafts, &id);
        device.sync(&drafts);
        assert!(anton.mails(AT_DRAFTS).is_empty());
        assert_eq!(anton.mails("default0/INBOX/Trash").len(), 1);
        assert!(device.items(&drafts).is_empty());
    }
}

/// Sent at once, or after it was stored: it goes out, a copy is kept, and there is no draft any more on either side.
#[test]
fn sent() {
    for version in [V16_0, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, drafts) = ready(&world, version);
        device.add(&drafts, draft("carl@example.org", "at once", "Text."));
        device.send_draft(&drafts);
        let synced = device.sync(&drafts);
        assert_eq!((synced.new_ids.len(), synced.deleted.len()), (1, 1), "{synced:?}");
        assert_eq!(anton.sent().len(), 1);

        let mut later = draft("berta@example.com", "later", "Text.");
        later.push(Element::text(email2::BCC, "dora@example.org"));
        let client_id = device.add(&drafts, later);
        let id = device.sync(&drafts).new_ids[&client_id].clone();
        device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, "later, and better")]);
        device.send_draft(&drafts);
        let synced = device.sync(&drafts);
        assert_eq!(synced.deleted, [id.as_str()], "{synced:?}");
        let sent = anton.sent();
        assert_eq!(sent.len(), 2);
        assert!(sent[1].recipients.iter().any(|to| to.contains("dora@example.org")));
        let raw = String::from_utf8(sent[1].raw.to_vec()).unwrap();
        assert!(
            raw.contains("Subject: later, and better") && !raw.contains("dora"),
            "{raw}"
        );

        assert!(device.items(&drafts).is_empty() && anton.mails(AT_DRAFTS).is_empty());
        assert_eq!(anton.mails(AT_SENT).len(), 2);
        assert!(device.sync(&drafts).is_quiet());
    }
}

/// Nobody to send to, or somebody who is none: the item is answered with 183, and stays where it was. So with what OX says.
#[test]
fn not_sent() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, drafts) = ready(&world, V16_1);
    for to in [
        "",
        "joh",
        "carl@example.org; joh",
        "carl@example.org, j\u{fc}rgen@m\u{fc}ller.example",
    ] {
        let client_id = device.add(&drafts, draft(to, "to nobody", "Text."));
        device.send_draft(&drafts);
        let synced = device.sync(&drafts);
        assert_eq!(synced.refused, [(client_id, 183)], "{to:?}");
        assert!(synced.is_quiet());
    }
    let client_id = device.add(&drafts, draft("joh", "half written", "Text."));
    let id = device.sync(&drafts).new_ids[&client_id].clone();
    // what OX says, Status
    let cases = [
        (None, 183),
        (Some(Fault::error("MSG-0035", 1)), 120),
        (Some(Fault::Status(413)), 122),
        (Some(Fault::error("MSG-0039", 11)), 9),
    ];
    for (fault, expected) in cases {
        let to = if fault.is_some() { "john@example.org" } else { "joh" };
        device.change(&drafts, &id, vec![Element::text(tag::TO, to)]);
        device.send_draft(&drafts);
        if let Some(fault) = fault {
            world.standin.faults().always("mail", "new", fault);
        }
        let synced = device.sync(&drafts);
        world.standin.faults().clear();
        assert_eq!(synced.refused, [(id.clone(), expected)]);
        assert!(synced.is_quiet(), "{synced:?}");
        assert!(text_at_ox(&anton).contains("half written"));
        assert!(anton.sent().is_empty());
    }
    device.sync(&drafts);
    device.change(&drafts, &id, vec![Element::text(tag::TO, "john@example.org")]);
    device.send_draft(&drafts);
    assert_eq!(device.sync(&drafts).deleted, [id]);
    assert_eq!(anton.sent().len(), 1);
}

/// Too much for OX: 122 for this item, and the phone keeps it.
#[test]
fn too_large() {
    let world = World::start();
    let (mut device, drafts) = ready(&world, V16_1);
    let client_id = device.add(&drafts, draft("", "large", "Text."));
    world.standin.faults().always("mail", "new", Fault::Status(413));
    assert_eq!(device.sync(&drafts).refused, [(client_id, 122)]);
}

/// The whole message as a body of Type 4, with properties beside it that it says itself.
#[test]
fn whole_messages() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, drafts) = ready(&world, V16_1);
    let message = |subject: &str| {
        format!(
            "From: someone@else.example\r\nTo: carl@example.org\r\nSubject: {subject}\r\nIn-Reply-To: <first@example.org>\r\n\
             Message-ID: <own@phone.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSchöne Grüße.\r\n"
        )
    };
    let client_id = device.add(
        &drafts,
        vec![
            Element::text(tag::SUBJECT, "passed over"),
            Element::number(tag::IMPORTANCE, 2),
            body(4, &message("one")),
        ],
    );
    let id = device.sync(&drafts).new_ids[&client_id].clone();
    let text = text_at_ox(&anton);
    assert!(text.contains("Subject: one") && !text.contains("passed over"), "{text}");
    assert!(
        text.contains("In-Reply-To: <first@example.org>") && text.contains("Importance: high"),
        "{text}"
    );
    assert!(
        !text.contains("someone@else.example"),
        "nobody writes as someone else: {text}"
    );
    device.change(&drafts, &id, vec![body(4, &message("two"))]);
    device.send_draft(&drafts);
    assert_eq!(device.sync(&drafts).deleted, [id]);
    let sent = anton.sent();
    let raw = String::from_utf8(sent[0].raw.to_vec()).unwrap();
    assert!(raw.contains("Subject: two") && raw.contains("Sch=C3=B6ne"), "{raw}");
    assert!(anton.mails(AT_DRAFTS).is_empty());
}

/// A draft of the web interface shows its Bcc and that it is one, whatever body the phone asks for and however old it is.
#[test]
fn from_the_web() {
    let message = b"From: anton@example.com\r\nTo: carl@example.org\r\nBcc: dora@example.org\r\nSubject: web\r\n\
        MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nNot yet.\r\n";
    for (version, kind) in [(V16_0, 2), (V16_1, 4), (V14_1, 1)] {
        let world = World::start();
        let anton = world.anton();
        let long_ago = crate::items::now() - 400 * crate::items::DAY;
        anton.deliver_mail_at(AT_DRAFTS, message, long_ago, flag::DRAFT | flag::SEEN);
        let mut device = world.ready_device(version);
        let drafts = device.folder(DRAFTS);
        let mut options = vec![Element::number(airsync::FILTER_TYPE, 3)];
        options.extend(body_preference(version, kind, None));
        device.collection(&drafts).options = options;
        let added = device.sync(&drafts).added;
        assert_eq!(
            added.len(),
            usize::from(version >= V16_0),
            "{version}: drafts have no age"
        );
        let Some(id) = added.first() else { continue };
        let expected = [
            (email2::BCC, "dora@example.org"),
            (email2::IS_DRAFT, "1"),
            (tag::SUBJECT, "web"),
        ];
        assert_properties(device.item(&drafts, id), &expected);
        assert_eq!(device.estimate(&drafts), 0, "what is old does not leave again");
        // The phone goes on where the web interface stopped.
        device.change(&drafts, id, vec![Element::text(tag::SUBJECT, "phone")]);
        assert!(device.sync(&drafts).is_quiet());
        assert!(text_at_ox(&anton).contains("Bcc: dora@example.org"));
    }
}

/// Mail is not added below 16.0, nor to other folders; nobody may change a mail that is no draft.
#[test]
fn where_there_are_no_drafts() {
    for (version, kind) in [(V2_5, DRAFTS), (V12_1, DRAFTS), (V14_1, DRAFTS), (V16_1, INBOX)] {
        let world = World::start();
        let anton = world.anton();
        let mut device = world.ready_device(version);
        let folder = device.folder(kind);
        device.sync(&folder);
        let mut data = draft("carl@example.org", "draft", "Text.");
        data.truncate(if version == V2_5 { 2 } else { 3 });
        let client_id = device.add(&folder, data);
        assert_eq!(device.sync(&folder).refused, [(client_id, 6)], "{version}");
        assert!(anton.mails(AT_DRAFTS).is_empty() && anton.sent().is_empty());
    }
}

/// Some phones upload short messages unasked: they are told that all is well.
#[test]
fn short_messages() {
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let mut request = device.collection(&inbox).request(V14_1);
    let data = [Element::text(tag::TO, "\"Carl\" [MOBILE:+491701]"), body(1, "Late!")];
    let commands = |children: Vec<Element>| Element::parent(airsync::COMMANDS, children);
    let add = Element::parent(
        airsync::ADD,
        [
            Element::text(airsync::CLASS, "SMS"),
            Element::text(airsync::CLIENT_ID, "sms 1"),
            Element::parent(airsync::APPLICATION_DATA, data),
        ],
    );
    request.push(commands(vec![add]));
    let answer = device.link.document("Sync", &sync_document(vec![request], []));
    let collection = &answer.child(airsync::COLLECTIONS).unwrap().children()[0];
    let response = &collection.child(airsync::RESPONSES).unwrap().children()[0];
    assert_properties(response, &[(airsync::CLIENT_ID, "sms 1"), (airsync::STATUS, "1")]);
    let id = property(response, airsync::SERVER_ID);
    device.collection(&inbox).key = property(collection, airsync::SYNC_KEY);
    device.change(&inbox, &id, vec![Element::flag(tag::READ, true)]);
    device.delete(&inbox, &id);
    let synced = device.sync(&inbox);
    assert!(synced.is_quiet() && synced.refused.is_empty(), "{synced:?}");
    assert!(world.anton().mails("default0/INBOX").is_empty());
}

/// Both sides at once: a deletion beats a change, flags and text do not exclude each other.
#[test]
fn both_sides() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, drafts) = ready(&world, V16_1);
    let client_id = device.add(&drafts, draft("carl@example.org", "one", "Text."));
    let id = device.sync(&drafts).new_ids[&client_id].clone();
    anton.set_flags(AT_DRAFTS, &only(&anton).id, flag::FLAGGED, 0);
    device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, "two")]);
    device.sync(&drafts);
    device.sync(&drafts);
    assert!(text_at_ox(&anton).contains("Subject: two"));
    assert_eq!(only(&anton).flags & flag::FLAGGED, flag::FLAGGED);
    let shown = device.item(&drafts, &id).child(tag::FLAG);
    assert_eq!(shown.and_then(|flag| flag.child_text(tag::STATUS)), Some("2"));

    // The web interface stores a new version, as it does: another mail.
    anton.delete_mail(AT_DRAFTS, &only(&anton).id);
    anton.deliver_mail_at(
        AT_DRAFTS,
        b"Subject: web\r\n\r\nText.\r\n",
        crate::items::now(),
        flag::DRAFT,
    );
    device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, "three")]);
    let synced = device.sync(&drafts);
    assert_eq!(synced.refused, [(id.clone(), 8)]);
    assert_eq!((synced.deleted, synced.added.len()), (vec![id], 1));
    assert!(text_at_ox(&anton).contains("Subject: web"));
    assert_eq!(device.items(&drafts).len(), 1);
}

/// The draft's id serves other commands, too: it is moved into another folder.
#[test]
fn moved_after_a_change() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, drafts) = ready(&world, V16_1);
    let inbox = device.folder(INBOX);
    let client_id = device.add(&drafts, draft("carl@example.org", "one", "Text."));
    let id = device.sync(&drafts).new_ids[&client_id].clone();
    device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, "two")]);
    device.sync(&drafts);
    assert_eq!(device.estimate(&drafts), 0, "there is nothing new for the phone");
    let moved = device.move_items(&[(&id, &drafts, &inbox)]);
    assert_eq!(moved[&id].0, 3, "{moved:?}");
    assert_eq!(device.sync(&drafts).deleted, [id]);
    assert!(anton.mails(AT_DRAFTS).is_empty());
    assert_eq!(anton.mails("default0/INBOX").len(), 1);
}
