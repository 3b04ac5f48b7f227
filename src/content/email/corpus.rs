//! A corpus of mail of every shape (`tests/fixtures/mail`) and what devices must see of it; tests only.
//!
//! One table says what each mail holds; the matrix shows each mail under every preference and holds the bodies against
//! what must be true of all of them.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;

use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::content::Context;
use crate::content::User;
use crate::content::email::Envelope;
use crate::content::email::FlagChange;
use crate::content::email::Mail;
use crate::content::email::Need;
use crate::content::email::bodies::Texts;
use crate::content::email::class;
use crate::content::email::need;
use crate::content::email::to_eas;
use crate::content::email::wants_source;
use crate::ox::Object;
use crate::quirk::Quirks;
use crate::version::ProtocolVersion;
use crate::wbxml::Content;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::email;
use crate::wbxml::codepage::email2;

/// What a mail of the corpus holds.
struct Row {
    file: &'static str,
    /// Without the line end at its end.
    plain: &'static str,
    /// `None` if the mail has no HTML of its own.
    html: Option<&'static str>,
    /// Name, method, decoded size, whether it is inline.
    attachments: &'static [(&'static str, u8, u64, bool)],
    class: &'static str,
}

const fn row(file: &'static str, plain: &'static str) -> Row {
    Row {
        file,
        plain,
        html: None,
        attachments: &[],
        class: "IPM.Note",
    }
}

const TABLE: &[Row] = &[
    row("plain", "Gr\u{fc}\u{df}e aus K\u{f6}ln"),
    Row {
        html: Some("<p>rich <b>words</b></p>"),
        ..row("alternative", "plain words")
    },
    Row {
        html: Some("<p>rich <b>words</b></p>"),
        attachments: &[("report.pdf", 1, 9, false)],
        ..row("mixed", "plain words")
    },
    Row {
        html: Some("<p>logo: <img src=\"cid:logo%40example.org\" alt=\"Logo\"></p>"),
        attachments: &[("logo.png", 1, 70, true)],
        ..row("related", "logo: Logo")
    },
    Row {
        attachments: &[("attachment-2.png", 1, 70, false)],
        ..row("two-texts", "first\r\nlist footer")
    },
    Row {
        attachments: &[("Inner_ \u{fc}.eml", 5, 126, false)],
        ..row("nested", "see below")
    },
    Row {
        class: "IPM.Schedule.Meeting.Request",
        ..row("invitation", "Please come")
    },
    Row {
        class: "IPM.Schedule.Meeting.Request",
        ..row("bare-invitation", "Bring cake")
    },
    Row {
        class: "IPM.Note.SMIME.MultipartSigned",
        ..row("signed", "signed words")
    },
    Row {
        attachments: &[("smime.p7m", 1, 3, false)],
        class: "IPM.Note.SMIME",
        ..row("encrypted", "")
    },
    row("iso-8859-1", "Gr\u{fc}\u{df}e"),
    row("windows-1252", "\u{201e}quote\u{201c} 5 \u{20ac}"),
    row("koi8-r", "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}"),
    row("iso-2022-jp", "\u{3053}\u{3093}\u{306b}\u{3061}\u{306f}"),
    row("gb18030", "\u{4f60}\u{597d}"),
    row("emoji", "hi \u{1f600}"),
    row("undeclared", "Gr\u{fc}\u{df}e"),
    Row {
        attachments: &[
            ("\u{fc}1.bin", 1, 3, false),
            ("\u{fc}2.bin", 1, 3, false),
            ("\u{fc}3.bin", 1, 3, false),
            ("\u{fc}4.bin", 1, 3, false),
            ("plain5.bin", 1, 3, false),
            ("attachment-6", 1, 3, false),
        ],
        ..row("names", "")
    },
    row("raw-headers", "x"),
    row("no-headers", "just a body"),
    row("no-from", "body"),
    row("empty", ""),
    row("flowed", "One long paragraph.\r\nAnother."),
    Row {
        attachments: &[("cut.png", 1, 6, false)],
        ..row("truncated", "start")
    },
    row("uuencode", "file follows\r\nbegin 644 a.txt\r\n#86)C\r\n`\r\nend"),
    Row {
        html: Some("<p>only here</p>"),
        ..row("blank-alternative", "only here")
    },
    Row {
        attachments: &[("attachment-2", 1, 69, false)],
        class: "REPORT.IPM.NOTE.NDR",
        ..row("bounce", "Not delivered")
    },
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail")
}

fn source(file: &str) -> Vec<u8> {
    let path = folder().join(file).with_extension("eml");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files, so that none is forgotten.
pub(super) fn files() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the corpus");
    let names = entries.map(|entry| entry.expect("an entry").path());
    let mut names: Vec<String> = names
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

pub(super) fn mail(file: &str) -> Mail {
    let envelope = Envelope {
        collection_id: "f7".to_owned(),
        id: "1042".to_owned(),
        flags: 32,
        received: Some(1_270_750_560_000),
    };
    Mail::from_source(&source(file), envelope)
}

/// Whose mail it is.
pub(super) fn user() -> User {
    User {
        id: 3,
        name: "Anton".to_owned(),
        address: "anton@example.com".to_owned(),
        addresses: vec!["anton@example.com".to_owned()],
        zone: TimeZone::UTC,
    }
}

pub(super) fn shown(mail: &Mail, version: ProtocolVersion, bodies: &BodyOptions) -> Element {
    let context = Context {
        quirks: Quirks::NONE,
        version,
        user: &user(),
        bodies,
        now: 0,
    };
    let properties = to_eas(mail, &context).expect("every mail can be shown");
    Element::parent(crate::wbxml::codepage::airsync::APPLICATION_DATA, properties)
}

fn prefer(kind: BodyType) -> BodyPreference {
    BodyPreference {
        kind,
        truncation_size: None,
        all_or_none: false,
        preview: None,
    }
}

fn options(preferences: &[BodyPreference], mime_support: u8) -> BodyOptions {
    BodyOptions {
        preferences: preferences.to_vec(),
        mime_support,
        ..BodyOptions::default()
    }
}

fn number(element: &Element, tag: Tag) -> Option<usize> {
    element.child_text(tag).map(|text| text.parse().expect("a number"))
}

#[test]
fn every_mail_shows_what_it_holds() {
    for row in TABLE {
        let mail = mail(row.file);
        let texts = Texts::of(&mail);
        assert_eq!(texts.plain().trim_end(), row.plain, "{}", row.file);
        let own_html = (texts.native() == BodyType::Html).then(|| texts.html());
        assert_eq!(own_html.as_deref().map(str::trim_end), row.html, "{}", row.file);
        assert_eq!(class::message_class(&mail), row.class, "{}", row.file);
        let properties = shown(&mail, ProtocolVersion::V14_1, &options(&[prefer(BodyType::Html)], 0));
        let attachments = properties.child(airsyncbase::ATTACHMENTS).map(Element::children);
        let found: Vec<_> = attachments.unwrap_or_default().iter().map(attachment).collect();
        assert_eq!(found, row.attachments, "{}", row.file);
    }
    let missing: Vec<String> = files()
        .into_iter()
        .filter(|file| file != "long-line" && !TABLE.iter().any(|row| row.file == file))
        .collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
}

fn attachment(element: &Element) -> (&str, u8, u64, bool) {
    let number = |tag| element.child_text(tag).and_then(|text| text.parse().ok());
    (
        element.child_text(airsyncbase::DISPLAY_NAME).unwrap_or_default(),
        number(airsyncbase::METHOD)
            .and_then(|method| u8::try_from(method).ok())
            .unwrap_or_default(),
        number(airsyncbase::ESTIMATED_DATA_SIZE).unwrap_or_default(),
        element.child(airsyncbase::IS_INLINE).is_some(),
    )
}

/// Shape x preference x truncation: what must be true of every body.
#[test]
fn bodies_keep_their_word_under_every_preference() {
    let kinds: [&[BodyType]; 6] = [
        &[],
        &[BodyType::Plain],
        &[BodyType::Html],
        &[BodyType::Rtf],
        &[BodyType::Plain, BodyType::Html],
        &[BodyType::Html, BodyType::Plain, BodyType::Mime],
    ];
    let limits = [None, Some(0), Some(1), Some(7), Some(40), Some(100_000)];
    for file in files() {
        let mail = mail(&file);
        for (kinds, limit) in kinds.iter().flat_map(|kinds| limits.map(|limit| (kinds, limit))) {
            for (all_or_none, mime_support) in [(false, 0), (true, 0), (false, 1), (false, 2)] {
                let preferences: Vec<_> = kinds
                    .iter()
                    .map(|kind| BodyPreference {
                        kind: *kind,
                        truncation_size: limit,
                        all_or_none,
                        preview: Some(20),
                    })
                    .collect();
                let options = options(&preferences, mime_support);
                let properties = shown(&mail, ProtocolVersion::V16_1, &options);
                let body = properties.child(airsyncbase::BODY).expect("a body, always");
                check_body(body, &mail, &options, &format!("{file} {options:?}"));
            }
        }
    }
}

fn check_body(body: &Element, mail: &Mail, options: &BodyOptions, case: &str) {
    let kind = number(body, airsyncbase::TYPE).expect("a type");
    let size = number(body, airsyncbase::ESTIMATED_DATA_SIZE).expect("a size");
    let data = body.child_text(airsyncbase::DATA).unwrap_or_default();
    let truncated = body.child_text(airsyncbase::TRUNCATED);
    let preference = options
        .preferences
        .iter()
        .find(|preference| preference.kind as usize == kind);
    let limit = preference.and_then(|preference| preference.truncation_size);
    assert_eq!(
        truncated.is_some(),
        data.len() < size,
        "Truncated if and only if cut: {case}"
    );
    assert!(truncated.is_none_or(|flag| flag == "1"), "{case}");
    assert!(limit.is_none_or(|limit| data.len() as u64 <= limit), "{case}");
    assert!(!data.replace("\r\n", "").contains(['\r', '\n']), "CR LF: {case}");
    let full: &[BodyPreference] = &options
        .preferences
        .iter()
        .map(|own| prefer(own.kind))
        .collect::<Vec<_>>();
    let full = BodyOptions {
        preferences: full.to_vec(),
        ..options.clone()
    };
    let whole = shown(mail, ProtocolVersion::V16_1, &full);
    let whole = whole.child(airsyncbase::BODY).expect("a body");
    // With AllOrNone another type may have been chosen.
    if number(whole, airsyncbase::TYPE) == Some(kind) {
        let whole = whole.child_text(airsyncbase::DATA).unwrap_or_default();
        assert!(whole.starts_with(data), "{case}");
        assert_eq!(whole.len(), size, "EstimatedDataSize is true: {case}");
    }
    let silent = Texts::of(mail).plain().trim().is_empty();
    assert!(silent || size > 0, "never empty if the mail is not: {case}");
    if let Some(preview) = body.child_text(airsyncbase::PREVIEW) {
        assert!(
            preview.chars().count() <= 20 && !preview.contains(['\r', '\n', '<']),
            "{case}"
        );
    }
}

#[test]
fn legacy_bodies_keep_their_word() {
    for file in files() {
        let mail = mail(&file);
        for (truncation, mime_support) in [(None, 0), (Some(0), 0), (Some(9), 0), (Some(9), 2)] {
            let options = BodyOptions {
                truncation,
                mime_truncation: truncation,
                mime_support,
                ..BodyOptions::default()
            };
            let properties = shown(&mail, ProtocolVersion::V2_5, &options);
            let tags = match mime_support {
                0 => [email::BODY, email::BODY_SIZE, email::BODY_TRUNCATED],
                _ => [email::MIME_DATA, email::MIME_SIZE, email::MIME_TRUNCATED],
            };
            let data = properties.child_text(tags[0]).unwrap_or_default();
            let size = number(&properties, tags[1]).expect("a size");
            let cut = properties.child_text(tags[2]) == Some("1");
            assert_eq!(cut, data.len() < size, "{file}");
            assert!(truncation.is_none_or(|limit| data.len() as u64 <= limit), "{file}");
            assert!(properties.child(airsyncbase::BODY).is_none(), "{file}");
        }
    }
}

#[test]
fn signed_mail_is_handed_over_byte_for_byte() {
    let options = options(&[prefer(BodyType::Html), prefer(BodyType::Mime)], 1);
    let properties = shown(&mail("signed"), ProtocolVersion::V14_1, &options);
    let body = properties.child(airsyncbase::BODY).expect("a body");
    assert_eq!(body.child_text(airsyncbase::TYPE), Some("4"));
    assert_eq!(
        body.child_text(airsyncbase::DATA).map(str::as_bytes),
        Some(&source("signed")[..])
    );
    let attachments = properties.child(airsyncbase::ATTACHMENTS).map(Element::children);
    let names: Vec<_> = attachments
        .unwrap_or_default()
        .iter()
        .map(|element| attachment(element).0)
        .collect();
    assert_eq!(names, ["smime.p7s"]);
    // Ordinary mail of the same collection stays readable.
    let properties = shown(&mail("alternative"), ProtocolVersion::V14_1, &options);
    let body = properties.child(airsyncbase::BODY).expect("a body");
    assert_eq!(body.child_text(airsyncbase::TYPE), Some("2"));
}

#[test]
fn mime_of_every_mail_says_the_same() {
    for file in files() {
        let mime = super::seven_bit::seven_bit(&source(&file));
        let again = Mail::from_source(mime.as_bytes(), Envelope::default());
        let first = mail(&file);
        let view = |mail: &Mail| {
            let texts = Texts::of(mail);
            (
                mail.from.clone(),
                mail.to.clone(),
                mail.subject.clone(),
                texts.plain(),
                texts.html(),
                mail.parts.len(),
            )
        };
        assert_eq!(view(&again), view(&first), "{file}");
    }
}

#[test]
fn what_has_to_be_fetched() {
    use BodyType::{Html, Mime};
    // types listed, MIMESupport, need of all mails, whether a signed one needs its source
    let cases: [(&[BodyType], u8, Need, bool); 7] = [
        (&[Html], 0, Need::Json, false),
        (&[Html], 2, Need::Json, false),
        (&[Html, Mime], 0, Need::Json, false),
        (&[Html, Mime], 1, Need::Json, true),
        (&[Html, Mime], 2, Need::Source, true),
        (&[Mime], 0, Need::Source, true),
        (&[], 1, Need::Json, true),
    ];
    for (kinds, mime_support, expected, signed) in cases {
        let preferences: Vec<_> = kinds.iter().map(|kind| prefer(*kind)).collect();
        let options = options(&preferences, mime_support);
        assert_eq!(need(&options), expected, "{options:?}");
        let mut mail = mail("signed");
        mail.source = None;
        assert_eq!(wants_source(&mail, &options), signed, "{options:?}");
    }
}

/// The object as OX gives it for `alternative` with an attachment.
fn object() -> Object {
    let object = json!({
        "id": 1042, "folder_id": "default0/INBOX", "flags": 1 + 8 + 32, "received_date": 1_270_750_560_000_i64,
        "from": [["Anna", "anna@example.org"]], "to": [["Doe, John", "john@example.org"], [null, "anton@example.com"]],
        "cc": null, "subject": "Re: Lunch", "priority": 1, "content_type": "multipart/mixed; boundary=m",
        "headers": {"message-id": "<b@x>", "References": "<a@x>"},
        "attachments": [
            {"id": "1.1", "content_type": "text/plain; charset=UTF-8", "content": "plain\nwords", "size": 11, "disp": "inline"},
            {"id": "1.2.1", "content_type": "text/html", "content": "<p>rich <img src='cid:i@x'></p>", "disp": "inline"},
            {"id": "1.2.2", "content_type": "image/png", "content": null, "size": 70, "disp": "inline", "cid": "<i@x>"},
            {"id": "2", "content_type": "application/pdf; name=a.pdf", "filename": "a.pdf", "size": 9, "disp": "attachment"}
        ],
        "nested_msgs": [{"id": "3", "subject": "Inner", "size": 50}]
    });
    match object {
        serde_json::Value::Object(map) => Object::from_map(map),
        _ => Object::new(),
    }
}

#[test]
fn an_object_of_ox_in_every_property() {
    let mail = Mail::from_json(&object(), "f7").expect("a mail");
    let properties = shown(&mail, ProtocolVersion::V16_1, &options(&[prefer(BodyType::Html)], 0));
    let expected = [
        (email::TO, "\"Doe, John\" <john@example.org>, anton@example.com"),
        (email::FROM, "\"Anna\" <anna@example.org>"),
        (email::SUBJECT, "Re: Lunch"),
        (email::DATE_RECEIVED, "2010-04-08T18:16:00.000Z"),
        (email::DISPLAY_TO, "Doe, John;anton@example.com"),
        (email::THREAD_TOPIC, "Lunch"),
        (email::IMPORTANCE, "2"),
        (email::READ, "1"),
        (email::MESSAGE_CLASS, "IPM.Note"),
        (email::INTERNET_CPID, "65001"),
        (email::CONTENT_CLASS, "urn:content-classes:message"),
        (airsyncbase::NATIVE_BODY_TYPE, "2"),
        (email::CATEGORIES, ""),
        (email2::LAST_VERB_EXECUTED, "1"),
        (email2::LAST_VERB_EXECUTION_TIME, "2010-04-08T18:16:00.000Z"),
    ];
    for (tag, text) in expected {
        assert_eq!(properties.child_text(tag), Some(text), "{tag:?}");
    }
    assert_eq!(
        properties
            .child(email::FLAG)
            .and_then(|flag| flag.child_text(email::STATUS)),
        Some("2")
    );
    assert!(properties.child(email::CC).is_none() && properties.child(email2::BCC).is_none());
    let attachments = properties.child(airsyncbase::ATTACHMENTS).map(Element::children);
    let found: Vec<_> = attachments.unwrap_or_default().iter().map(attachment).collect();
    assert_eq!(
        found,
        [
            ("attachment-1.2.2.png", 1, 70, true),
            ("a.pdf", 1, 9, false),
            ("Inner.eml", 5, 50, false)
        ]
    );
    let plain = shown(&mail, ProtocolVersion::V16_1, &options(&[prefer(BodyType::Plain)], 0));
    let body = plain.child(airsyncbase::BODY).expect("a body");
    assert_eq!(body.child_text(airsyncbase::DATA), Some("plain\r\nwords"));
    let id = properties
        .child(email2::CONVERSATION_ID)
        .map(|element| &element.content);
    assert!(matches!(id, Some(Content::Opaque(bytes)) if bytes.len() == 16));
}

#[test]
fn objects_that_lack_everything() {
    let parse = |value: serde_json::Value| match value {
        serde_json::Value::Object(map) => Mail::from_json(&Object::from_map(map), "f7"),
        _ => panic!("an object"),
    };
    assert!(parse(json!({})).is_err());
    let mail =
        parse(json!({"id": "1", "attachments": [{}, 1, {"id": "1"}], "headers": [], "from": {}})).expect("a mail");
    let properties = shown(&mail, ProtocolVersion::V16_1, &BodyOptions::default());
    assert_eq!(properties.child_text(email::FROM), Some("unknown@unknown.invalid"));
    assert!(properties.child(airsyncbase::BODY).is_some());
}

proptest! {
    #[test]
    fn any_source_can_be_shown(bytes: Vec<u8>, cut in 0_usize..2000, at in 0_usize..30) {
        let files = files();
        let mut source = source(&files[at % files.len()]);
        source.truncate(cut);
        source.extend_from_slice(&bytes);
        let mail = Mail::from_source(&source, Envelope::default());
        for version in [ProtocolVersion::V2_5, ProtocolVersion::V16_1] {
            shown(&mail, version, &options(&[prefer(BodyType::Plain)], 0));
            shown(&mail, version, &options(&[prefer(BodyType::Mime)], 2));
        }
    }

    #[test]
    fn shown_flags_read_back(flags: u32) {
        let mail = Mail { envelope: Envelope { flags, ..Envelope::default() }, ..Mail::default() };
        let change = super::to_ox(&shown(&mail, ProtocolVersion::V16_1, &BodyOptions::default()));
        let set = flags & 40;
        prop_assert_eq!(change, Ok(FlagChange { set, clear: 40 & !set }));
    }
}
