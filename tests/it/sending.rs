//! SendMail: in both forms of the wire, once however often it is repeated, with and without a copy.

use ox_standin::Fault;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::composemail;
use oxtender::wbxml::codepage::email as tag;
use oxtender::wbxml::codepage::rightsmanagement;

use crate::device::SENT;
use crate::device::link::Parameters;
use crate::items::assert_properties;
use crate::items::mail;
use crate::world::World;

/// Sent once, however often the phone repeats it; a copy is kept. Both forms on the wire.
#[test]
fn sending() {
    for version in [V2_5, V12_1, V14_0, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let device = world.ready_device(version);
        let message = b"From: anton@example.com\r\nTo: Carl <carl@example.org>\r\nBcc: berta@example.com\r\n\
            Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello Carl.\r\n";
        device.send_mail("id-1", message);
        assert_eq!(anton.sent().len(), 1);
        let sent = &anton.sent()[0];
        assert!(
            sent.recipients.iter().any(|to| to.contains("carl@example.org")),
            "{:?}",
            sent.recipients
        );
        assert!(
            sent.recipients.iter().any(|to| to.contains("berta@example.com")),
            "{:?}",
            sent.recipients
        );
        let raw = String::from_utf8_lossy(&sent.raw);
        assert!(raw.contains("Hello Carl.") && !raw.contains("Bcc"), "{raw}");

        // The answer was lost: the phone sends it again.
        for _ in 0..2 {
            let answer = device.link.exchange(&device.send_mail_request("id-1", message));
            let told = device
                .link
                .read(&answer)
                .map(|root| root.child_text(composemail::STATUS).map(str::to_owned));
            let expected = (version >= V14_0).then(|| Some("118".to_owned()));
            assert_eq!(told, expected, "{version}");
        }
        assert_eq!(anton.sent().len(), 1, "{version}: sent twice");
        device.send_mail("id-2", &mail("another", "Text."));
        assert_eq!(anton.sent().len(), 2);
        let copies = anton.mails("default0/INBOX/Sent");
        assert_eq!(copies.len(), 2, "{version}: a copy of each");
    }
}

/// A copy only where the phone wants one.
#[test]
fn sending_without_a_copy() {
    let world = World::start();
    let anton = world.anton();
    let device = world.ready_device(V14_1);
    let root = Element::parent(
        composemail::SEND_MAIL,
        [
            Element::text(composemail::CLIENT_ID, "id-1"),
            Element::opaque(composemail::MIME, mail("no copy", "Text.")),
        ],
    );
    let answer = device.link.exchange(&device.link.wbxml("SendMail", &root));
    assert!(device.link.read(&answer).is_none());
    assert_eq!(anton.sent().len(), 1);
    assert!(anton.mails("default0/INBOX/Sent").is_empty());
}

/// What was sent is in Sent on the phone, too.
#[test]
fn the_copy_comes_to_the_phone() {
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let sent = device.folder(SENT);
    device.sync(&sent);
    device.send_mail("id-1", &mail("hello", "Text."));
    let id = device.sync(&sent).added.remove(0);
    assert_properties(device.item(&sent, &id), &[(tag::SUBJECT, "hello"), (tag::READ, "1")]);
}

/// Messages that cannot go out.
#[test]
fn messages_that_are_refused() {
    let world = World::start();
    let device = world.ready_device(V14_1);
    // message, Status
    let cases: [(&[u8], &str); 2] = [(b"", "107"), (b"Subject: nobody\r\n\r\nText.\r\n", "119")];
    for (message, expected) in cases {
        let answer = device.link.exchange(&device.send_mail_request("id-1", message));
        let root = device.link.read(&answer).expect("a refusal");
        assert_eq!(
            root.child_text(composemail::STATUS),
            Some(expected),
            "{}",
            String::from_utf8_lossy(message)
        );
    }
    assert!(world.anton().sent().is_empty());
}

/// What is wrong with a request, in the words of both forms.
#[test]
fn refusals_of_both_forms() {
    let world = World::start();
    let [old, new] = [V12_1, V14_1].map(|version| world.ready_device(version));
    let message = mail("hello", "Text.");
    // message, what OX says, HTTP status until 12.1, Status from 14.0 on
    let cases: [(&[u8], Option<Fault>, u16, &str); 7] = [
        (b"", None, 400, "107"),
        (b"no message", None, 400, "107"),
        (b"Subject: nobody\r\n\r\nText.\r\n", None, 400, "119"),
        (&message, Some(Fault::Status(413)), 413, "122"),
        (&message, Some(Fault::error("MSG-0035", 1)), 500, "120"),
        (&message, Some(Fault::error("MSG-0039", 11)), 507, "115"),
        (
            "To: a@x.org, \u{fc}@x.org\r\n\r\nText.\r\n".as_bytes(),
            None,
            400,
            "116",
        ),
    ];
    for (message, fault, http, expected) in cases {
        if let Some(fault) = fault {
            world.standin.faults().always("mail", "new", fault);
        }
        assert_eq!(
            old.link.exchange(&old.send_mail_request("", message)).status,
            http,
            "{expected}"
        );
        let answer = new.link.exchange(&new.send_mail_request("id-1", message));
        let root = new.link.read(&answer).expect("a refusal");
        assert_eq!(root.child_text(composemail::STATUS), Some(expected));
        world.standin.faults().clear();
    }
    // what stands beside the message, Status
    let cases = [
        (Element::text(composemail::ACCOUNT_ID, "7"), "166"),
        (
            Element::text(rightsmanagement::TEMPLATE_ID, "f40c3bd6-1f1b-4b8c-9f2e-0e0a5c1d7b11"),
            "168",
        ),
    ];
    for (beside, expected) in cases {
        let document = Element::parent(
            composemail::SEND_MAIL,
            [
                Element::text(composemail::CLIENT_ID, "id-1"),
                beside,
                Element::opaque(composemail::MIME, message.clone()),
            ],
        );
        let root = new.link.document("SendMail", &document);
        assert_eq!(root.child_text(composemail::STATUS), Some(expected));
        assert_eq!(root.children().len(), 1, "the Status and nothing else: {root:?}");
    }
    assert!(world.anton().sent().is_empty());
}

/// The older form says in its parameters whether a copy is wanted.
#[test]
fn the_older_form_without_a_copy() {
    for (version, keep_copy) in [(V2_5, false), (V2_5, true), (V12_1, false)] {
        let world = World::start();
        let device = world.ready_device(version);
        let parameters = Parameters {
            save_in_sent: keep_copy,
            ..Parameters::default()
        };
        let message = mail("hello", "Text.");
        let request = device
            .link
            .request("SendMail", parameters, "message/rfc822", Some(message));
        let answer = device.link.exchange(&request);
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{version}");
        assert_eq!(world.anton().sent().len(), 1);
        let copies = world.anton().mails("default0/INBOX/Sent").len();
        assert_eq!(copies, usize::from(keep_copy), "{version}");
    }
}

/// What every message needs is added where a phone leaves it out.
#[test]
fn missing_fields_are_added() {
    for version in [V2_5, V14_1] {
        let world = World::start();
        let device = world.ready_device(version);
        device.send_mail("id-1", b"To: carl@example.org\nSubject: bare\n\nText.\n");
        let sent = String::from_utf8(world.anton().sent()[0].raw.to_vec()).unwrap();
        for field in ["From: ", "Date: ", "Message-ID: <", "MIME-Version: 1.0"] {
            assert_eq!(sent.matches(field).count(), 1, "{version}: {field:?} in\n{sent}");
        }
        assert!(
            !sent.replace("\r\n", "").contains('\n'),
            "{version}: a bare line end in\n{sent}"
        );
    }
}
