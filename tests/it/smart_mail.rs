//! SmartReply and SmartForward: what the phone wrote goes out with the mail that it does not have whole.

use std::fs;
use std::path::Path;

use ox_standin::Fault;
use oxtender::eas;
use oxtender::usm::ids;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::composemail as tag;
use oxtender::wbxml::codepage::email2;

use crate::device::CALENDAR;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Answer;
use crate::device::http::Request;
use crate::device::link::PATH;
use crate::device::link::Parameters;
use crate::items::assert_properties;
use crate::items::mail;
use crate::world::World;

const INBOX_AT_OX: &str = "default0/INBOX";
const ANSWERED: u32 = 1;
const FORWARDED: u32 = 256;

/// What a phone writes; the rest is the server's.
const OWN: &[u8] =
    b"From: anton@example.com\r\nTo: Carl <carl@example.org>\r\nBcc: berta@example.com\r\nSubject: Re: one\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\xC3\xBC\xC3\x9Fe\r\n";

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail");
    fs::read(folder.join(name)).unwrap()
}

/// A mail that the phone has, and the phone.
fn with_mail(world: &World, version: ProtocolVersion, source: &[u8]) -> (Device, String, String) {
    let mut device = world.ready_device(version);
    let inbox = device.folder(INBOX);
    world.anton().receive(source);
    let added = device.sync(&inbox).added;
    let id = added.last().unwrap().clone();
    (device, inbox, id)
}

/// The request in the form of the version, with a copy in Sent.
fn request(device: &Device, command: &str, client_id: &str, folder: &str, item: &str) -> Request {
    if device.version() < V14_0 {
        let parameters = Parameters {
            save_in_sent: true,
            ..Parameters::default()
        };
        let mut request = device
            .link
            .request(command, parameters, "message/rfc822", Some(OWN.to_vec()));
        request
            .target
            .push_str(&format!("&CollectionId={folder}&ItemId={item}"));
        return request;
    }
    let source = [Element::text(tag::FOLDER_ID, folder), Element::text(tag::ITEM_ID, item)];
    device.link.wbxml(command, &document(command, client_id, source, []))
}

fn document(
    command: &str,
    client_id: &str,
    source: impl IntoIterator<Item = Element>,
    more: impl IntoIterator<Item = Element>,
) -> Element {
    let root = match command {
        "SmartReply" => tag::SMART_REPLY,
        _ => tag::SMART_FORWARD,
    };
    let mut root = Element::parent(
        root,
        [
            Element::text(tag::CLIENT_ID, client_id),
            Element::parent(tag::SOURCE, source),
            Element::empty(tag::SAVE_IN_SENT_ITEMS),
        ],
    );
    root.extend(more);
    root.push(Element::opaque(tag::MIME, OWN));
    root
}

/// The Status of an answer; `None` is success.
fn refusal(device: &Device, answer: &Answer) -> Option<String> {
    let root = device.link.read(answer)?;
    root.child_text(tag::STATUS).map(str::to_owned)
}

fn flags(world: &World) -> u32 {
    world.anton().mails(INBOX_AT_OX).last().unwrap().flags & (ANSWERED | FORWARDED)
}

/// The text of what went out last, with its transfer encoding undone as far as the tests need it.
fn last_sent(world: &World) -> String {
    let sent = world.anton().sent();
    let raw = String::from_utf8(sent.last().unwrap().raw.to_vec()).expect("7-bit");
    assert!(raw.is_ascii(), "{raw}");
    raw.replace("=\r\n", "").replace("=3D", "=")
}

/// Text quoted, thread kept, original marked; sent once however often the answer is lost.
#[test]
fn a_reply_quotes_and_marks() {
    for version in [V2_5, V12_1, V14_0, V14_1, V16_1] {
        let world = World::start();
        let (mut device, inbox, id) = with_mail(&world, version, &mail("one", "The first."));
        let wanted = request(&device, "SmartReply", "id-1", &inbox, &id);
        assert_eq!(refusal(&device, &device.link.exchange(&wanted)), None, "{version}");
        let text = last_sent(&world);
        for part in [
            "Gr=C3=BC=C3=9Fe",
            "-----Original Message-----",
            "> The first.",
            "In-Reply-To: <one@example.com>",
        ] {
            assert!(text.contains(part), "{version}: {part} is not in\n{text}");
        }
        assert!(!text.contains("Bcc:"), "{text}");
        let recipients = &world.anton().sent()[0].recipients;
        assert_eq!(recipients.len(), 2, "{version}: {recipients:?}");
        assert_eq!(flags(&world), ANSWERED, "{version}");
        for _ in 0..2 {
            let again = device.link.exchange(&wanted);
            let expected = (version >= V14_0).then(|| "118".to_owned());
            assert_eq!(refusal(&device, &again), expected, "{version}");
        }
        assert_eq!(world.anton().sent().len(), 1, "{version}: sent twice");
        assert_eq!(world.anton().mails("default0/INBOX/Sent").len(), 1, "{version}");
        // The phone learns that its mail was answered, where its version has a word for it.
        let synced = device.sync(&inbox);
        assert_eq!(synced.changed.contains(&id), version >= V14_0, "{version}");
        if version >= V14_0 {
            assert_properties(device.item(&inbox, &id), &[(email2::LAST_VERB_EXECUTED, "1")]);
        }
    }
}

/// The same words to two mails are two messages, though the older form has no ClientId to tell them apart.
#[test]
fn the_same_words_answer_two_mails() {
    let world = World::start();
    let (mut device, inbox, first) = with_mail(&world, V12_1, &mail("one", "The first."));
    world.anton().receive(&mail("two", "The second."));
    let second = device.sync(&inbox).added.remove(0);
    for id in [&first, &second, &first] {
        device.link.exchange(&request(&device, "SmartReply", "", &inbox, id));
    }
    assert_eq!(world.anton().sent().len(), 2);
}

/// The parameters of the older form in one base64 string.
#[test]
fn the_original_is_named_in_base64() {
    let world = World::start();
    let (device, inbox, id) = with_mail(&world, V12_1, &mail("one", "The first."));
    let mut wanted = request(&device, "SmartForward", "", &inbox, &id);
    let named = eas::request::Request {
        device_id: device.link.device_id.clone(),
        device_type: "Phone".to_owned(),
        policy_key: Some(device.link.policy_key),
        parameters: eas::request::Parameters {
            collection_id: Some(inbox),
            item_id: Some(id),
            ..eas::request::Parameters::default()
        },
        ..eas::request::Request::default()
    };
    // The code of SmartForward is 2.
    let query = eas::request::encode_query(&named, V12_1, 2);
    wanted.target = format!("{PATH}?{query}");
    assert_eq!(refusal(&device, &device.link.exchange(&wanted)), None);
    assert!(last_sent(&world).contains("The first."));
    assert_eq!(
        world.anton().mails("default0/INBOX/Sent").len(),
        0,
        "no copy was wanted"
    );
}

/// A forward carries what the original holds; a signed original goes as a whole.
#[test]
fn a_forward_carries_everything() {
    // file, what must stand in the message
    let cases: [(&str, &[&str]); 3] = [
        (
            "mixed.eml",
            &["report.pdf", "plain words", "-----Original Message-----"],
        ),
        ("nested.eml", &["message/rfc822", "see below"]),
        (
            "signed.eml",
            &["message/rfc822", "application/pkcs7-signature", "signed words"],
        ),
    ];
    for version in [V2_5, V12_1, V14_0, V14_1, V16_1] {
        for (file, parts) in cases {
            let world = World::start();
            let source = fixture(file);
            let (device, inbox, id) = with_mail(&world, version, &source);
            let wanted = request(&device, "SmartForward", file, &inbox, &id);
            assert_eq!(
                refusal(&device, &device.link.exchange(&wanted)),
                None,
                "{version} {file}"
            );
            let text = last_sent(&world);
            for part in parts {
                assert!(text.contains(part), "{version} {file}: {part} is not in\n{text}");
            }
            assert_eq!(flags(&world), FORWARDED, "{version} {file}");
            if file == "signed.eml" {
                let lines = String::from_utf8(source)
                    .unwrap()
                    .replace("\r\n", "\n")
                    .replace('\n', "\r\n");
                let raw = String::from_utf8(world.anton().sent()[0].raw.to_vec()).unwrap();
                assert!(
                    raw.contains(lines.trim_end()),
                    "{version}: the signed mail was touched:\n{raw}"
                );
            }
        }
    }
}

/// ReplaceMime: the message is complete, and goes as it is; the original is marked all the same.
#[test]
fn a_complete_message_is_not_added_to() {
    for (command, flag) in [("SmartReply", ANSWERED), ("SmartForward", FORWARDED)] {
        let world = World::start();
        let (device, inbox, id) = with_mail(&world, V14_1, &fixture("mixed.eml"));
        let source = [Element::text(tag::FOLDER_ID, inbox), Element::text(tag::ITEM_ID, id)];
        let document = document(command, "id-1", source, [Element::empty(tag::REPLACE_MIME)]);
        let answer = device.link.exchange(&device.link.wbxml(command, &document));
        assert_eq!(refusal(&device, &answer), None, "{command}");
        let text = last_sent(&world);
        assert!(
            text.contains("Gr=C3=BC=C3=9Fe") && !text.contains("Original Message"),
            "{text}"
        );
        assert!(!text.contains("report.pdf"), "{text}");
        assert_eq!(flags(&world), flag, "{command}");
    }
}

/// The original is gone: the older form sends the text all the same, the newer one says so.
#[test]
fn the_original_is_gone() {
    for version in [V2_5, V12_1, V14_0, V16_1] {
        let world = World::start();
        let (device, inbox, id) = with_mail(&world, version, &mail("one", "The first."));
        let at_ox = world.anton().mails(INBOX_AT_OX)[0].id.clone();
        world.anton().delete_mail(INBOX_AT_OX, &at_ox);
        for (command, folder) in [("SmartReply", inbox.as_str()), ("SmartForward", "4711")] {
            let answer = device.link.exchange(&request(&device, command, command, folder, &id));
            let expected = (version >= V14_0).then(|| "150".to_owned());
            assert_eq!(refusal(&device, &answer), expected, "{version} {command}");
        }
        let expected = if version >= V14_0 { 0 } else { 2 };
        assert_eq!(world.anton().sent().len(), expected, "{version}");
    }
}

/// What is wrong with a request is told, and nothing is sent.
#[test]
fn what_is_refused() {
    let world = World::start();
    let (device, inbox, id) = with_mail(&world, V16_1, &mail("one", "The first."));
    let calendar = device.folder(CALENDAR);
    let folder = |id: &str| Element::text(tag::FOLDER_ID, id);
    let item = || Element::text(tag::ITEM_ID, id.clone());
    // As Search gives it: collection and item in one.
    let long = || {
        let (collection, item) = id.split_once(':').expect("a ServerId");
        let long_id = ids::long_id(collection.parse().expect("a number"), item).expect("a short id");
        Element::text(tag::LONG_ID, long_id)
    };
    let instance = |text: &str| Element::text(tag::INSTANCE_ID, text);
    let forwardee = || Element::parent(tag::FORWARDEE, [Element::text(tag::EMAIL, "carl@example.org")]);
    // command, source, more, Status
    let cases = [
        ("SmartReply", vec![], vec![], "103"),
        ("SmartReply", vec![long(), folder(&inbox), item()], vec![], "105"),
        (
            "SmartReply",
            vec![folder(&inbox), item(), instance("soon")],
            vec![],
            "104",
        ),
        (
            "SmartReply",
            vec![folder(&inbox), item(), instance("2010-03-20T22:40:00.000Z")],
            vec![],
            "146",
        ),
        ("SmartForward", vec![folder(&calendar), item()], vec![], "150"),
        (
            "SmartReply",
            vec![folder(&inbox), Element::text(tag::ITEM_ID, "x")],
            vec![],
            "150",
        ),
        (
            "SmartReply",
            vec![folder(&inbox), item()],
            vec![Element::text(tag::ACCOUNT_ID, "7")],
            "166",
        ),
        (
            "SmartForward",
            vec![folder(&inbox), item()],
            vec![Element::parent(tag::FORWARDEES, [forwardee()])],
            "178",
        ),
    ];
    for (number, (command, source, more, expected)) in cases.into_iter().enumerate() {
        let document = document(command, &format!("id-{number}"), source, more);
        let answer = device.link.exchange(&device.link.wbxml(command, &document));
        assert_eq!(refusal(&device, &answer).as_deref(), Some(expected), "{document:?}");
    }
    let bare = |more: Vec<Element>| {
        let mut children = vec![Element::text(tag::CLIENT_ID, "id-bare")];
        children.push(Element::parent(tag::SOURCE, [folder(&inbox), item()]));
        children.extend(more);
        Element::parent(tag::SMART_FORWARD, children)
    };
    // without a message, expected
    let cases = [
        (bare(vec![]), "107"),
        (bare(vec![Element::empty(tag::FORWARDEES)]), "179"),
        (bare(vec![Element::parent(tag::FORWARDEES, [forwardee()])]), "179"),
    ];
    for (document, expected) in cases {
        let answer = device.link.exchange(&device.link.wbxml("SmartForward", &document));
        assert_eq!(refusal(&device, &answer).as_deref(), Some(expected), "{document:?}");
    }
    assert_eq!(world.anton().sent().len(), 0);
    // One id that holds both is as good.
    let document = document("SmartReply", "id-long", [long()], []);
    let answer = device.link.exchange(&device.link.wbxml("SmartReply", &document));
    assert_eq!(refusal(&device, &answer), None);
    assert_eq!(world.anton().sent().len(), 1);
}

/// OX does not take the message: the phone hears so, the original stays unmarked, and the next attempt is no repetition.
#[test]
fn only_what_ox_accepted_was_sent() {
    // fault, Status
    let cases = [
        (Fault::error("MSG-0035", 1), "120"),
        (Fault::error("MSG-0039", 11), "115"),
        (Fault::Status(503), "111"),
        (Fault::Status(413), "122"),
    ];
    for (fault, expected) in cases {
        let world = World::start();
        let (device, inbox, id) = with_mail(&world, V14_1, &mail("one", "The first."));
        let wanted = request(&device, "SmartReply", "id-1", &inbox, &id);
        world.standin.faults().always("mail", "new", fault.clone());
        let answer = device.link.exchange(&wanted);
        assert_eq!(refusal(&device, &answer).as_deref(), Some(expected), "{fault:?}");
        world.standin.faults().clear();
        assert_eq!(flags(&world), 0);
        assert_eq!(refusal(&device, &device.link.exchange(&wanted)), None);
        assert_eq!((world.anton().sent().len(), flags(&world)), (1, ANSWERED));
    }
}

/// The flag is not worth an error: the message is out.
#[test]
fn a_mark_that_fails_fails_nothing() {
    let world = World::start();
    let (device, inbox, id) = with_mail(&world, V14_1, &mail("one", "The first."));
    world
        .standin
        .faults()
        .always("mail", "update", Fault::error("MSG-0045", 3));
    let answer = device
        .link
        .exchange(&request(&device, "SmartReply", "id-1", &inbox, &id));
    assert_eq!(refusal(&device, &answer), None);
    assert_eq!((world.anton().sent().len(), flags(&world)), (1, 0));
}
