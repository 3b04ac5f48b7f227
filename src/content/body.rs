//! Bodies: which form a device gets, cut to what it asked for, and what it sends.
//!
//! Serves all classes. Where the texts come from (a note column, the parts of a mail) is the business of the class.
//! Implements [MS-ASAIRS] Body, BodyPreference, Truncated, EstimatedDataSize, and the bodies of 2.5.

use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsyncbase;

/// The tags of a class's own body in 2.5; the encoder leaves out what a version does not have.
#[derive(Clone, Copy, Debug)]
pub struct LegacyBody {
    pub body: Tag,
    /// Calendar has no BodySize.
    pub size: Option<Tag>,
    pub truncated: Tag,
}

/// The body elements of an item that has plain text only: `AirSyncBase:Body` and its form in 2.5. Without text there
/// are none: an empty Body makes Windows Phone fail.
pub fn plain(text: Option<&str>, options: &BodyOptions, legacy: LegacyBody) -> Vec<Element> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Vec::new();
    };
    let text = crlf(text);
    let preference = options
        .preferences
        .iter()
        .find(|preference| preference.kind == BodyType::Plain);
    let mut elements = vec![body(BodyType::Plain, &text, preference)];
    elements.extend(self::legacy(&text, options.truncation, legacy));
    elements
}

/// The body elements of 2.5: the text cut to `limit` bytes, its full size, and whether it was cut.
pub fn legacy(text: &str, limit: Option<u64>, tags: LegacyBody) -> Vec<Element> {
    let cut = truncate(text, limit);
    let mut elements = Vec::new();
    if !cut.is_empty() {
        elements.push(Element::text(tags.body, cut));
    }
    if let Some(size) = tags.size {
        elements.push(Element::text(size, text.len().to_string()));
    }
    elements.push(Element::flag(tags.truncated, cut.len() < text.len()));
    elements
}

/// `AirSyncBase:Body` in the documented order. Truncated is present only when it is 1, Data only when there is any.
pub fn body(kind: BodyType, data: &str, preference: Option<&BodyPreference>) -> Element {
    filled(Element::empty(airsyncbase::BODY), kind, data, preference)
}

/// `AirSyncBase:BodyPart`. It holds the whole text: nothing at OX says which part of it other mails do not have.
pub fn part(data: &str, preference: &BodyPreference) -> Element {
    let status = Element::number(airsyncbase::STATUS, 1);
    let element = Element::parent(airsyncbase::BODY_PART, [status]);
    filled(element, BodyType::Html, data, Some(preference))
}

fn filled(mut element: Element, kind: BodyType, data: &str, preference: Option<&BodyPreference>) -> Element {
    let limit = preference.and_then(|preference| preference.truncation_size);
    let all_or_none = preference.is_some_and(|preference| preference.all_or_none);
    let mut cut = truncate(data, limit);
    if all_or_none && cut.len() < data.len() {
        cut = "";
    }
    element.push(Element::text(airsyncbase::TYPE, (kind as u8).to_string()));
    element.push(Element::text(airsyncbase::ESTIMATED_DATA_SIZE, data.len().to_string()));
    if cut.len() < data.len() {
        element.push(Element::flag(airsyncbase::TRUNCATED, true));
    }
    if !cut.is_empty() {
        element.push(Element::text(airsyncbase::DATA, cut));
    }
    element
}

/// At most `limit` bytes, never half a character nor half a line end.
pub fn truncate(text: &str, limit: Option<u64>) -> &str {
    let limit = limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(usize::MAX);
    if text.len() <= limit {
        return text;
    }
    let cut = text.get(..text.floor_char_boundary(limit)).unwrap_or_default();
    cut.strip_suffix('\r').unwrap_or(cut)
}

/// Lines ended by CR LF, whatever ended them before: safe with every device. Characters that XML 1.0 does not have are
/// left out here already, so that sizes count what is sent.
pub fn crlf(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / 32);
    let mut before = None;
    for c in text.chars() {
        match c {
            '\n' if before == Some('\r') => {}
            '\r' | '\n' => lines.push_str("\r\n"),
            '\t' | '\u{20}'..='\u{FFFD}' | '\u{10000}'.. => lines.push(c),
            _ => {}
        }
        before = Some(c);
    }
    lines
}

/// What a device sent as the body of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent<'a> {
    /// No body element: the text stays as it is.
    Absent,
    /// A body without text: the text is to be removed.
    Cleared,
    Text(BodyType, &'a str),
}

/// Reads the body among the properties of an item. Where both forms are there, the one with text counts.
pub fn sent<'a>(application_data: &'a Element, legacy: Tag) -> Sent<'a> {
    let modern = application_data.child(airsyncbase::BODY).map(|body| {
        let kind = body
            .child_text(airsyncbase::TYPE)
            .and_then(|code| code.trim().parse().ok());
        let kind = kind.and_then(BodyType::from_code).unwrap_or(BodyType::Plain);
        (kind, body.child_text(airsyncbase::DATA).unwrap_or_default())
    });
    let legacy = application_data.child_text(legacy).map(|text| (BodyType::Plain, text));
    let forms = [modern, legacy];
    if let Some((kind, text)) = forms.iter().flatten().find(|(_, text)| !text.is_empty()) {
        return Sent::Text(*kind, text);
    }
    if forms.iter().any(Option::is_some) {
        Sent::Cleared
    } else {
        Sent::Absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wbxml::codepage::airsync;
    use crate::wbxml::codepage::tasks;
    use proptest::prelude::*;

    const TASK: LegacyBody = LegacyBody {
        body: tasks::BODY,
        size: Some(tasks::BODY_SIZE),
        truncated: tasks::BODY_TRUNCATED,
    };

    fn preference(truncation_size: Option<u64>, all_or_none: bool) -> BodyPreference {
        BodyPreference {
            kind: BodyType::Plain,
            truncation_size,
            all_or_none,
            preview: None,
        }
    }

    #[test]
    fn bodies_say_whether_they_are_cut() {
        // data, limit, AllOrNone, expected size, Truncated, Data
        let cases = [
            ("abc", None, false, "3", None, Some("abc")),
            ("abc", Some(3), true, "3", None, Some("abc")),
            ("abc", Some(2), false, "3", Some("1"), Some("ab")),
            ("abc", Some(2), true, "3", Some("1"), None),
            ("abc", Some(0), false, "3", Some("1"), None),
            ("a\u{e4}", Some(2), false, "3", Some("1"), Some("a")),
            ("", Some(0), false, "0", None, None),
        ];
        for (data, limit, all_or_none, size, truncated, expected) in cases {
            let body = body(BodyType::Plain, data, Some(&preference(limit, all_or_none)));
            assert_eq!(body.child_text(airsyncbase::TYPE), Some("1"));
            assert_eq!(
                body.child_text(airsyncbase::ESTIMATED_DATA_SIZE),
                Some(size),
                "{data} {limit:?}"
            );
            assert_eq!(body.child_text(airsyncbase::TRUNCATED), truncated, "{data} {limit:?}");
            assert_eq!(body.child_text(airsyncbase::DATA), expected, "{data} {limit:?}");
        }
    }

    #[test]
    fn plain_text_in_both_forms() {
        let options = BodyOptions {
            truncation: Some(4),
            ..BodyOptions::default()
        };
        let item = Element::parent(airsync::APPLICATION_DATA, plain(Some("a\nb\u{0}c"), &options, TASK));
        let body = item.child(airsyncbase::BODY).expect("a body");
        assert_eq!(body.child_text(airsyncbase::DATA), Some("a\r\nbc"));
        assert_eq!(item.child_text(tasks::BODY), Some("a\r\nb"));
        assert_eq!(item.child_text(tasks::BODY_SIZE), Some("5"));
        assert_eq!(item.child_text(tasks::BODY_TRUNCATED), Some("1"));
        assert!(plain(Some(""), &options, TASK).is_empty() && plain(None, &options, TASK).is_empty());
    }

    #[test]
    fn line_ends() {
        // text, expected
        let cases = [
            ("a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd"),
            ("\n\r", "\r\n\r\n"),
            ("a\u{1b}\u{fffe}\u{ffff}\tb\u{1f600}", "a\tb\u{1f600}"),
        ];
        for (text, expected) in cases {
            assert_eq!(crlf(text), expected, "{text:?}");
        }
        assert_eq!(truncate("a\r\nb", Some(2)), "a");
    }

    #[test]
    fn what_a_device_sent() {
        let modern = |data: &str| {
            let children = [
                Element::number(airsyncbase::TYPE, 2),
                Element::text(airsyncbase::DATA, data),
            ];
            Element::parent(airsyncbase::BODY, children)
        };
        let legacy = |text: &str| Element::text(tasks::BODY, text);
        // properties, expected
        let cases = [
            (vec![], Sent::Absent),
            (vec![modern("x")], Sent::Text(BodyType::Html, "x")),
            (vec![modern("")], Sent::Cleared),
            (vec![Element::empty(airsyncbase::BODY)], Sent::Cleared),
            (vec![legacy("y")], Sent::Text(BodyType::Plain, "y")),
            (vec![modern(""), legacy("y")], Sent::Text(BodyType::Plain, "y")),
        ];
        for (properties, expected) in cases {
            let item = Element::parent(airsync::APPLICATION_DATA, properties);
            assert_eq!(sent(&item, tasks::BODY), expected);
        }
    }

    proptest! {
        #[test]
        fn cuts_are_short_and_whole(text: String, limit in 0_u64..40) {
            let cut = truncate(&text, Some(limit));
            prop_assert!(cut.len() as u64 <= limit && text.starts_with(cut));
            prop_assert_eq!(crlf(&crlf(&text)), crlf(&text));
        }
    }
}
