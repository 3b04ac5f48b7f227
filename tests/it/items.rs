//! Samples of what phones and people at the web interface write, and a way to compare what arrives.

use std::collections::BTreeMap;

use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::tasks;

use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::TASKS;

/// What is the same for the classes that a phone may add to: where they are, and how one property travels.
pub(crate) struct Class {
    pub(crate) kind: i64,
    pub(crate) module: Module,
    /// The title, for the phone and at OX.
    pub(crate) title: Tag,
    pub(crate) field: &'static str,
}

pub(crate) const CLASSES: [Class; 3] = [
    Class {
        kind: CONTACTS,
        module: Module::Contacts,
        title: contacts::LAST_NAME,
        field: "last_name",
    },
    Class {
        kind: CALENDAR,
        module: Module::Calendar,
        title: calendar::SUBJECT,
        field: "title",
    },
    Class {
        kind: TASKS,
        module: Module::Tasks,
        title: tasks::SUBJECT,
        field: "title",
    },
];

/// Milliseconds since 1970.
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// 00:00 UTC of tomorrow.
pub(crate) fn tomorrow() -> i64 {
    (now() / DAY + 1) * DAY
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// `20261125T093000Z`
pub(crate) fn compact(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .unwrap()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// `2026-11-25T09:30:00.000Z`
pub(crate) fn dashed(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .unwrap()
        .strftime("%Y-%m-%dT%H:%M:%S.000Z")
        .to_string()
}

/// A plain text body in the form of the version; `plain` is the tag of 2.5.
pub(crate) fn body(version: ProtocolVersion, plain: Tag, text: &str) -> Element {
    if version < V12_0 {
        return Element::text(plain, text);
    }
    let kind = Element::number(airsyncbase::TYPE, 1);
    Element::parent(airsyncbase::BODY, [kind, Element::text(airsyncbase::DATA, text)])
}

pub(crate) fn contact(first: &str, last: &str) -> Vec<Element> {
    vec![
        Element::text(contacts::FILE_AS, format!("{last}, {first}")),
        Element::text(contacts::FIRST_NAME, first),
        Element::text(contacts::LAST_NAME, last),
    ]
}

/// An appointment of an hour, as a phone in UTC sends it.
pub(crate) fn appointment(version: ProtocolVersion, uid: &str, subject: &str, start: i64) -> Vec<Element> {
    // Bias 0, no daylight saving time.
    let zone = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [0_u8; 172]);
    let mut data = vec![
        Element::text(calendar::TIMEZONE, zone),
        Element::number(calendar::ALL_DAY_EVENT, 0),
        Element::number(calendar::BUSY_STATUS, 2),
        Element::text(calendar::END_TIME, compact(start + HOUR)),
        Element::number(calendar::SENSITIVITY, 0),
        Element::text(calendar::START_TIME, compact(start)),
        Element::text(calendar::SUBJECT, subject),
        Element::number(calendar::MEETING_STATUS, 0),
    ];
    if version < ProtocolVersion::V16_0 {
        data.push(Element::text(calendar::DT_STAMP, compact(now())));
        data.push(Element::text(calendar::UID, uid));
    }
    data
}

pub(crate) fn task(subject: &str) -> Vec<Element> {
    vec![
        Element::text(tasks::SUBJECT, subject),
        Element::number(tasks::IMPORTANCE, 1),
        Element::number(tasks::COMPLETE, 0),
        Element::number(tasks::SENSITIVITY, 0),
        Element::number(tasks::REMINDER_SET, 0),
    ]
}

/// A message to Anton with a plain text.
pub(crate) fn mail(subject: &str, text: &str) -> Vec<u8> {
    format!(
        "From: Berta Berg <berta@example.com>\r\nTo: Anton Anders <anton@example.com>\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@example.com>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

/// The properties of an item: `Contacts:FirstName` to its text; containers as `{Name=text ...}`.
pub(crate) fn properties(data: &Element) -> BTreeMap<String, String> {
    let named = |child: &Element| (format!("{:?}", child.tag), shown(child));
    data.children().iter().map(named).collect()
}

/// One property as in [`properties`]; panics where there is none.
pub(crate) fn property(data: &Element, tag: Tag) -> String {
    let child = data.child(tag);
    shown(child.unwrap_or_else(|| panic!("no {tag:?}: {:#?}", properties(data))))
}

/// Requires each of these properties; others may be there.
#[track_caller]
pub(crate) fn assert_properties(data: &Element, expected: &[(Tag, &str)]) {
    for (tag, text) in expected {
        assert_eq!(property(data, *tag), *text, "{tag:?} of {:#?}", properties(data));
    }
}

fn shown(element: &Element) -> String {
    if element.children().is_empty() {
        return String::from_utf8_lossy(element.as_bytes()).into_owned();
    }
    let children = element
        .children()
        .iter()
        .map(|child| format!("{}={}", child.tag.name(), shown(child)));
    format!("{{{}}}", children.collect::<Vec<_>>().join(" "))
}
