//! Known drafts, and drafts of anything.

use proptest::prelude::*;

use super::*;
use crate::content::BodyOptions;
use crate::content::email::Envelope;
use crate::content::email::Importance;
use crate::content::email::Refused;
use crate::content::email::corpus::user;
use crate::content::email::outgoing_draft;
use crate::content::email::transfer;
use crate::quirk::Quirks;
use crate::version::ProtocolVersion::V16_1;

const STORED: &str = "From: anton@example.com\r\nMessage-ID: <old@x>\r\nTo: a@x.org\r\nBcc: b@x.org\r\nSubject: s\r\n\
    References: <r@x>\r\nX-Priority: 1\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: text/plain\r\n\r\nwords\r\n--m\r\nContent-Type: application/pdf; name=a.pdf\r\n\
    Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--m--\r\n";

fn with_context<T>(use_it: impl FnOnce(&Context<'_>) -> T) -> T {
    use_it(&Context {
        version: V16_1,
        quirks: Quirks::NONE,
        user: &user(),
        bodies: &BodyOptions::default(),
        now: 1_270_750_560_000,
    })
}

fn written(properties: Vec<Element>, current: Option<&str>) -> Result<Draft, Unconvertible> {
    let data = Element::parent(crate::wbxml::codepage::airsync::APPLICATION_DATA, properties);
    let current = current.map(|source| Current {
        id: "7",
        source: source.as_bytes(),
        flags: flags::DRAFT | flags::FLAGGED,
    });
    with_context(|context| draft(&data, current, "<new@x>", context))
}

fn mime(properties: Vec<Element>, current: Option<&str>) -> String {
    let draft = written(properties, current).expect("a draft");
    String::from_utf8(stored(&draft.mime)).expect("ASCII")
}

fn body(kind: u8, data: &str) -> Element {
    let kind = Element::number(airsyncbase::TYPE, kind);
    Element::parent(airsyncbase::BODY, [kind, Element::text(airsyncbase::DATA, data)])
}

#[test]
fn a_new_draft_is_whole() {
    let properties = vec![
        Element::text(email::TO, "\"Doe, J\" <j@x.org>;k@x.org"),
        Element::text(email::SUBJECT, "\u{fc}"),
        Element::number(email::IMPORTANCE, 0),
        body(1, "Text\n"),
    ];
    assert_eq!(
        mime(properties, None),
        "From: \"Anton\" <anton@example.com>\r\nDate: Thu, 8 Apr 2010 18:16:00 +0000\r\nMessage-ID: <new@x>\r\n\
         MIME-Version: 1.0\r\nTo: \"Doe, J\" <j@x.org>,\r\n k@x.org\r\nSubject: =?utf-8?B?w7w=?=\r\n\
         Importance: low\r\nX-Priority: 5\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\nText\r\n"
    );
    assert_eq!(
        written(Vec::new(), None).map(|draft| draft.flags),
        Ok(flags::DRAFT | flags::SEEN)
    );
}

#[test]
fn what_is_left_out_stays_byte_for_byte() {
    let content = &STORED[STORED.find("Content-Type: multipart").expect("content")..];
    let changed = mime(vec![Element::text(email::SUBJECT, "t")], Some(STORED));
    let head = "Subject: t\r\nTo: a@x.org\r\nBcc: b@x.org\r\nReferences: <r@x>\r\nX-Priority: 1\r\n";
    assert!(changed.ends_with(&format!("{head}{content}")), "{changed}");
    // property, what is gone, what is there
    let cases = [
        (Element::text(email::TO, ""), "To: a@x.org", "Subject: s"),
        (Element::text(email2::BCC, "c@x.org"), "b@x.org", "Bcc: c@x.org"),
        (Element::number(email::IMPORTANCE, 1), "X-Priority", "a.pdf"),
        (body(1, "other"), "words", "a.pdf"),
        (body(2, "<p>other</p>"), "words", "multipart/alternative"),
        (Element::text(email::REPLY_TO, "r@x.org"), "old@x", "Reply-To: r@x.org"),
    ];
    for (property, gone, there) in cases {
        let changed = mime(vec![property], Some(STORED));
        assert!(
            !changed.contains(gone) && changed.contains(there),
            "{gone}, {there}:\n{changed}"
        );
        assert!(changed.contains("References: <r@x>"), "{changed}");
    }
    // A Body without Data says nothing of the text.
    let bare = Element::parent(airsyncbase::BODY, [Element::number(airsyncbase::TYPE, 1)]);
    assert!(mime(vec![bare], Some(STORED)).ends_with(content));
}

#[test]
fn attachments_come_and_go() {
    let attachments = |children| Element::parent(airsyncbase::ATTACHMENTS, children);
    let delete = |reference: &str| {
        let reference = Element::text(airsyncbase::FILE_REFERENCE, reference);
        attachments(vec![Element::parent(airsyncbase::DELETE, [reference])])
    };
    let deleted = written(vec![delete("12:7:2")], Some(STORED)).expect("a draft");
    assert!(!deleted.has_attachments);
    let text = String::from_utf8(deleted.mime).expect("ASCII");
    assert!(text.ends_with("\r\nwords") && !text.contains("multipart"), "{text}");
    // Of another version of the draft, of nothing.
    for reference in ["12:6:2", "", "x"] {
        assert!(written(vec![delete(reference)], Some(STORED)).is_err(), "{reference}");
    }
    let add = |method: &str, kind: &str, content: &[u8]| {
        Element::parent(
            airsyncbase::ADD,
            [
                Element::text(airsyncbase::CLIENT_ID, "c1"),
                Element::opaque(airsyncbase::CONTENT, content),
                Element::text(airsyncbase::DISPLAY_NAME, "\u{fc}.x"),
                Element::text(airsyncbase::METHOD, method),
                Element::text(airsyncbase::CONTENT_TYPE, kind),
                Element::text(airsyncbase::CONTENT_ID, "<i@x>"),
                Element::empty(airsyncbase::IS_INLINE),
            ],
        )
    };
    // method, declared type, type and disposition in the message
    let cases = [
        ("1", "image/png", "image/png", Some("inline;")),
        ("1", "text/plain", "text/plain", Some("attachment;")),
        ("1", "multipart/mixed", "application/octet-stream", Some("attachment;")),
        ("1", "evil\r\nBcc: x", "application/octet-stream", Some("attachment;")),
        ("1", "", "application/octet-stream", Some("attachment;")),
        ("5", "", "message/rfc822", None),
    ];
    for (method, kind, expected, disposition) in cases {
        let properties = vec![attachments(vec![add(method, kind, b"Subject: n\r\n\r\nx")])];
        let data = Element::parent(crate::wbxml::codepage::airsync::APPLICATION_DATA, properties.clone());
        let text = mime(properties, Some(STORED));
        let envelope = Envelope {
            collection_id: "12".to_owned(),
            id: "8".to_owned(),
            ..Envelope::default()
        };
        let mail = Mail::from_source(text.as_bytes(), envelope);
        assert_eq!(mail.type_of("3"), Some(expected), "{text}");
        assert!(
            disposition.is_none_or(|it| text.contains(&format!("Content-Disposition: {it}"))),
            "{text}"
        );
        let answer = answer(&data, &mail);
        let reference = answer[0].children()[0].child_text(airsyncbase::FILE_REFERENCE);
        assert_eq!(reference, Some("12:8:3"));
    }
}

#[test]
fn whole_messages_speak_for_themselves() {
    let message = "From: boss@x.org\r\nTo: a@x.org\r\nMessage-ID: <own@x>\r\nSubject: s\r\n\r\nbody";
    let properties = vec![
        Element::text(email::TO, "b@x.org"),
        Element::number(email::IMPORTANCE, 2),
        body(4, message),
    ];
    let text = mime(properties, Some(STORED));
    assert!(
        text.contains("To: a@x.org") && text.contains("Importance: high"),
        "{text}"
    );
    let absent = ["boss", "b@x.org", "own@x", "old@x"];
    assert!(
        absent.iter().all(|it| !text.contains(it)) && text.ends_with("\r\n\r\nbody"),
        "{text}"
    );
    assert!(written(vec![body(4, "no message")], None).is_err());
    assert!(written(vec![body(3, "rtf")], None).is_err());
}

#[test]
fn recipients() {
    // list, as a device reads it back, what hinders sending
    let cases = [
        ("a@x.org, B <b@x.org>", "a@x.org, \"B\" <b@x.org>", None),
        (
            "\"Doe, J; jr\" <j@x.org>; <k@x.org>;;",
            "\"Doe, J; jr\" <j@x.org>, k@x.org",
            None,
        ),
        ("\"a\\\",b\" <a@x.org>", "\"a\\\",b\" <a@x.org>", None),
        ("", "", Some(Refused::NoRecipient)),
        ("joh", "\"joh\"", Some(Refused::BadRecipient)),
        ("a@x.org;joh", "a@x.org, \"joh\"", Some(Refused::BadRecipient)),
        (
            "j\u{fc}rgen@x.org",
            "\"j\u{fc}rgen@x.org\"",
            Some(Refused::BadRecipient),
        ),
    ];
    for (list, expected, hindrance) in cases {
        let draft = written(vec![Element::text(email::TO, list)], None).expect("a draft");
        let mail = Mail::from_source(&stored(&draft.mime), Envelope::default());
        let shown = crate::content::email::address::list(&mail.to).unwrap_or_default();
        assert_eq!(shown, expected, "{list}");
        assert_eq!(outgoing_draft(&draft.mime, &user(), 0).err(), hindrance, "{list}");
        // Once stored, it is no better.
        let again = outgoing_draft(&stored(&draft.mime), &user(), 0);
        assert_eq!(again.err(), hindrance, "{list}");
    }
    let high = written(vec![Element::number(email::IMPORTANCE, 2)], None).expect("a draft");
    let mail = Mail::from_source(&high.mime, Envelope::default());
    assert_eq!(mail.importance, Importance::High);
}

proptest! {
    #[test]
    fn no_field_is_smuggled_in(to in "[a-z\r\n:<>@\",;\\\\\u{e4} ]{0,40}", subject in "[a-z\r\n:\u{0}\u{e4} ]{0,40}") {
        let properties = vec![Element::text(email::TO, to), Element::text(email::SUBJECT, subject)];
        let text = mime(properties, None);
        let root = Entity::parse(text.as_bytes());
        let known = ["from", "date", "message-id", "mime-version", "to", "subject", "content-type", "content-transfer-encoding"];
        for field in &root.fields {
            prop_assert!(known.contains(&field.name.as_str()), "{}", text);
        }
        prop_assert!(transfer::is_clean(text.as_bytes()));
    }

    #[test]
    fn any_draft_can_be_changed(source: Vec<u8>, data: Vec<u8>) {
        let current = Current { id: "7", source: &source, flags: 0 };
        let body = Element::parent(airsyncbase::BODY, [
            Element::number(airsyncbase::TYPE, 4),
            Element::opaque(airsyncbase::DATA, data),
        ]);
        for property in [body, Element::text(airsyncbase::BODY, ""), Element::text(email::TO, "a@x.org")] {
            let data = Element::parent(crate::wbxml::codepage::airsync::APPLICATION_DATA, [property]);
            if let Ok(draft) = with_context(|context| draft(&data, Some(current), "<new@x>", context)) {
                prop_assert!(transfer::is_clean(&stored(&draft.mime)));
            }
        }
    }
}
