//! Attachments of a mail, and the FileReference by which a device fetches one.
//!
//! Implements [MS-ASAIRS] Attachments, FileReference, Method, EstimatedDataSize, ContentId, IsInline; and Attachments of
//! 2.5 in [MS-ASEMAIL].

use std::fmt::Write;

use crate::content::Context;
use crate::content::email::bodies;
use crate::content::email::bodies::Texts;
use crate::content::email::class;
use crate::content::email::mail::Disposition;
use crate::content::email::mail::Mail;
use crate::content::email::mail::Part;
use crate::content::email::transfer;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::email;

/// [MS-ASAIRS] Method.
const NORMAL: u8 = 1;
const EMBEDDED_MESSAGE: u8 = 5;

/// Names for parts without one, by type; others get no extension.
const EXTENSIONS: [(&str, &str); 12] = [
    ("application/pdf", "pdf"),
    ("application/pkcs7-mime", "p7m"),
    ("application/pkcs7-signature", "p7s"),
    ("application/x-pkcs7-mime", "p7m"),
    ("application/x-pkcs7-signature", "p7s"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("text/calendar", "ics"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/vcard", "vcf"),
];

/// The attachments in both forms; the encoder leaves out what a version does not have. None if there are none.
pub(super) fn elements(mail: &Mail, texts: &Texts<'_>, context: &Context<'_>) -> Vec<Element> {
    let mime = bodies::is_mime(mail, context.bodies);
    let shown = texts.content_ids();
    let parts: Vec<&Part> = mail.parts.iter().filter(|part| is_listed(part, mail, mime)).collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let modern = parts.iter().map(|part| modern(part, mail, &shown));
    let legacy = parts.iter().map(|part| legacy(part, mail));
    vec![
        Element::parent(airsyncbase::ATTACHMENTS, modern),
        Element::parent(email::ATTACHMENTS, legacy),
    ]
}

/// Everything that is not shown as body. A signature is listed only beside the MIME source, which it belongs to; a
/// message secured as a whole has no other attachments then. Invitations show as meeting requests.
fn is_listed(part: &Part, mail: &Mail, mime: bool) -> bool {
    if part.is_body() {
        return false;
    }
    if mime && class::is_secure(mail) {
        return part.is_signature() || class::is_opaque(part);
    }
    let invitation = part.content_type.is("text/calendar")
        && part.disposition == Disposition::Inline
        && (part.file_name.is_none() || part.alternative.is_some());
    !invitation && !part.is_signature()
}

fn modern(part: &Part, mail: &Mail, shown: &[&str]) -> Element {
    let reference = file_reference(&mail.envelope.collection_id, &mail.envelope.id, &part.id);
    let mut attachment = Element::parent(
        airsyncbase::ATTACHMENT,
        [
            Element::text(airsyncbase::DISPLAY_NAME, display_name(part)),
            Element::text(airsyncbase::FILE_REFERENCE, reference),
            Element::number(airsyncbase::METHOD, method(part)),
            Element::text(airsyncbase::ESTIMATED_DATA_SIZE, size(part).to_string()),
        ],
    );
    if let Some(id) = &part.content_id {
        attachment.push(Element::text(airsyncbase::CONTENT_ID, id));
    }
    if let Some(location) = &part.location {
        attachment.push(Element::text(airsyncbase::CONTENT_LOCATION, location));
    }
    let is_shown = |id: &String| shown.iter().any(|shown| is_same_id(shown, id));
    if part.content_id.as_ref().is_some_and(is_shown) {
        attachment.push(Element::flag(airsyncbase::IS_INLINE, true));
    }
    attachment
}

fn legacy(part: &Part, mail: &Mail) -> Element {
    let reference = file_reference(&mail.envelope.collection_id, &mail.envelope.id, &part.id);
    let mut attachment = Element::parent(
        email::ATTACHMENT,
        [
            Element::text(email::ATT_METHOD, method(part).to_string()),
            Element::text(email::ATT_SIZE, size(part).to_string()),
            Element::text(email::DISPLAY_NAME, display_name(part)),
            Element::text(email::ATT_NAME, reference),
        ],
    );
    if let Some(id) = &part.content_id {
        attachment.push(Element::text(email::ATT_OID, id));
    }
    attachment
}

/// In `cid:` URLs some characters are escaped (RFC 2392).
fn is_same_id(shown: &str, id: &str) -> bool {
    shown == id
        || percent_encoding::percent_decode_str(shown)
            .decode_utf8()
            .is_ok_and(|shown| shown == id)
}

fn method(part: &Part) -> u8 {
    match part.content_type.is_message() {
        true => EMBEDDED_MESSAGE,
        false => NORMAL,
    }
}

/// Devices show an attachment of size 0 as one without content, so an unknown size is not 0.
fn size(part: &Part) -> u64 {
    part.size.unwrap_or(1)
}

/// The file name without a path; made up where there is none. Devices open embedded messages by the ending `.eml`.
pub(super) fn display_name(part: &Part) -> String {
    let name = part.file_name.as_deref().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .map(|c| if matches!(c, '/' | '\\' | ':') { '_' } else { c })
        .collect();
    let name = name.trim();
    if part.content_type.is_message() {
        let name = if name.is_empty() { "message" } else { name };
        let ended = name.to_ascii_lowercase().ends_with(".eml");
        return if ended { name.to_owned() } else { format!("{name}.eml") };
    }
    if !name.is_empty() {
        return name.to_owned();
    }
    let kind = part.content_type.kind.as_str();
    match EXTENSIONS.iter().find(|(own, _)| *own == kind) {
        Some((_, extension)) => format!("attachment-{}.{extension}", part.id),
        None => format!("attachment-{}", part.id),
    }
}

/// Where an attachment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentId {
    pub collection_id: String,
    pub mail_id: String,
    /// As OX names it in `mail?action=attachment`.
    pub part_id: String,
}

/// A FileReference of letters, digits and `.` `_` `:` alone, since some devices URL-encode it and others do not: the
/// three ids separated by colons, every other character as `_` and two hexadecimal digits a byte.
pub fn file_reference(collection_id: &str, mail_id: &str, part_id: &str) -> String {
    [collection_id, mail_id, part_id].map(escape).join(":")
}

/// Reads a FileReference, or the AttName of 2.5; `None` if it is none of ours.
pub fn parse_file_reference(reference: &str) -> Option<AttachmentId> {
    // Ours has no percent sign, so one means that the device encoded it.
    let reference = percent_encoding::percent_decode_str(reference.trim())
        .decode_utf8()
        .ok()?;
    let mut ids = reference.split(':').map(unescape);
    let id = AttachmentId {
        collection_id: ids.next()??,
        mail_id: ids.next()??,
        part_id: ids.next()??,
    };
    ids.next().is_none().then_some(id)
}

fn escape(id: &str) -> String {
    let mut escaped = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "_{byte:02X}");
        }
    }
    escaped
}

fn unescape(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'_' {
            let high = transfer::hex(rest.next()?)?;
            let low = transfer::hex(rest.next()?)?;
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::email::header::ContentType;
    use proptest::prelude::*;

    #[test]
    fn known_references() {
        assert_eq!(file_reference("f12", "1042", "2.1"), "f12:1042:2.1");
        assert_eq!(file_reference("a:b", "\u{fc}", "x_1"), "a_3Ab:_C3_BC:x_5F1");
        let id = parse_file_reference("f12%3A1042%3A2.1").expect("ours");
        assert_eq!(
            (id.collection_id.as_str(), id.mail_id.as_str(), id.part_id.as_str()),
            ("f12", "1042", "2.1")
        );
        for foreign in ["", "a:b", "a:b:c:d", "a:b:_Z1", "a:b:_", "a:b:_FF"] {
            assert_eq!(parse_file_reference(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn names_that_devices_can_open() {
        // type, name, expected
        let cases = [
            ("message/rfc822", Some("Re: lunch"), "Re_ lunch.eml"),
            ("message/rfc822", Some("a.EML"), "a.EML"),
            ("message/rfc822", None, "message.eml"),
            ("image/png", None, "attachment-2.png"),
            ("x/y", None, "attachment-2"),
            ("x/y", Some("../../etc/passwd"), ".._.._etc_passwd"),
            ("x/y", Some(" \u{fc}\r\n.txt "), "\u{fc}.txt"),
        ];
        for (kind, name, expected) in cases {
            let part = Part {
                id: "2".to_owned(),
                content_type: ContentType::new(kind),
                file_name: name.map(str::to_owned),
                ..Part::default()
            };
            assert_eq!(display_name(&part), expected);
        }
    }

    proptest! {
        #[test]
        fn references_are_safe_and_come_back(collection_id: String, mail_id: String, part_id: String) {
            let reference = file_reference(&collection_id, &mail_id, &part_id);
            let safe = |byte: u8| byte.is_ascii_alphanumeric() || b":._-".contains(&byte);
            prop_assert!(reference.bytes().all(safe));
            prop_assert_eq!(parse_file_reference(&reference), Some(AttachmentId { collection_id, mail_id, part_id }));
        }

        #[test]
        fn any_text_is_refused_or_read(text: String) {
            parse_file_reference(&text);
        }
    }
}
