//! The attachments of a draft: what a device puts in and takes out.
//!
//! Implements [MS-ASAIRS] Add, Delete, Content, Method, ContentType and IsInline.

use crate::content::Unconvertible;
use crate::content::email::attachment::parse_file_reference;
use crate::content::email::header::ContentType;
use crate::content::email::mail::Part;
use crate::content::email::seven_bit::parameter_field;
use crate::content::email::transfer;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsyncbase;

/// [MS-ASAIRS] Method of an attachment that is a message.
const EMBEDDED_MESSAGE: &str = "5";

/// Ids of the parts that the device took out. References to another mail are of an older version of the draft, and could
/// mean anything now.
pub(super) fn deleted(application_data: &Element, mail_id: &str) -> Result<Vec<String>, Unconvertible> {
    let attachments = application_data.child(airsyncbase::ATTACHMENTS);
    let deletions = attachments
        .into_iter()
        .flat_map(|it| it.children_of(airsyncbase::DELETE));
    deletions
        .map(|delete| {
            let reference = delete.child_text(airsyncbase::FILE_REFERENCE).unwrap_or_default();
            let id = parse_file_reference(reference).filter(|id| id.mail_id == mail_id);
            id.map(|id| id.part_id)
                .ok_or_else(|| Unconvertible("FileReference of an attachment that is not there".to_owned()))
        })
        .collect()
}

/// What the device put in, in its order.
pub(super) fn additions(application_data: &Element) -> impl Iterator<Item = &Element> {
    let attachments = application_data.child(airsyncbase::ATTACHMENTS);
    attachments.into_iter().flat_map(|it| it.children_of(airsyncbase::ADD))
}

/// Whether a part is a file to the reader.
pub(super) fn is_attached(part: &Part) -> bool {
    !part.is_body() && !part.is_signature()
}

/// A new attachment as an entity. Some devices name one again that they sent before, without its content: it is there.
pub(super) fn added(add: &Element) -> Option<Vec<u8>> {
    let content = add.child(airsyncbase::CONTENT)?.as_bytes();
    let text = |tag| add.child_text(tag).unwrap_or_default().trim();
    let is_message = text(airsyncbase::METHOD) == EMBEDDED_MESSAGE;
    let name = match text(airsyncbase::DISPLAY_NAME) {
        "" => "attachment",
        name => name,
    };
    let mut content_type = match is_message {
        true => ContentType::new("message/rfc822"),
        false => content_type(text(airsyncbase::CONTENT_TYPE)),
    };
    // Text in line would be a part of the body.
    let is_inline = add
        .child(airsyncbase::IS_INLINE)
        .is_some_and(|_| text(airsyncbase::IS_INLINE) != "0")
        && content_type.kind.starts_with("image/");
    content_type.parameters = vec![("name".to_owned(), name.to_owned())];
    let disposition = ContentType {
        kind: if is_inline { "inline" } else { "attachment" }.to_owned(),
        parameters: vec![("filename".to_owned(), name.to_owned())],
    };
    let mut entity = parameter_field("Content-Type", &content_type);
    entity.push_str(&parameter_field("Content-Disposition", &disposition));
    let id: String = text(airsyncbase::CONTENT_ID)
        .chars()
        .filter(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>'))
        .collect();
    if !id.is_empty() {
        entity.push_str(&format!("Content-ID: <{id}>\r\n"));
    }
    if is_message {
        return Some([entity.as_bytes(), b"\r\n", content].concat());
    }
    entity.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
    entity.push_str(&transfer::base64_lines(content));
    Some(entity.into_bytes())
}

/// The type that the device names, if a part can be of it.
fn content_type(named: &str) -> ContentType {
    let parsed = ContentType::parse(named.as_bytes()).filter(|parsed| {
        let valid = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+/".contains(c);
        parsed.kind.contains('/') && parsed.kind.chars().all(valid)
    });
    match parsed {
        Some(parsed) if !parsed.is_multipart() && !parsed.is_message() => ContentType::new(&parsed.kind),
        _ => ContentType::new("application/octet-stream"),
    }
}
