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
    let limit = preference.and_then(|preference| preference.truncation_size);
    let all_or_none = preference.is_some_and(|preference| preference.all_or_none);
    let mut cut = truncate(data, limit);
    if all_or_none && cut.len() < data.len() {
        cut = "";
    }
    let mut element = Element::empty(airsyncbase::BODY);
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
