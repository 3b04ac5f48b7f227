//! Fetch of bytes: attachments of mails, and documents of the library, whole or in part.
//!
//! Implements [MS-ASCMD] Fetch (ItemOperations), FileReference, LinkId and Range.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::ATTACHMENT_INVALID;
use super::Fetched;
use super::NOT_FOUND;
use super::PROTOCOL_ERROR;
use super::TOO_LARGE;
use super::add_part;
use crate::content::date;
use crate::eas::attachment;
use crate::eas::command::Call;
use crate::eas::library;
use crate::eas::library::Link;
use crate::eas::status::Error;
use crate::ox;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::documentlibrary;
use crate::wbxml::codepage::itemoperations as tag;

const BAD_LINK: i64 = 4;
const LIBRARY_DENIED: i64 = 5;
const INVALID_RANGE: i64 = 8;
const FILE_EMPTY: i64 = 10;

/// The largest file that is fetched, in bytes.
const LARGEST_FILE: usize = 100 * 1024 * 1024;

pub(super) async fn attachment(
    call: &Call<'_>,
    operation: &Element,
    reference: &str,
    parts: &mut Option<Vec<Bytes>>,
) -> Result<Fetched, Error> {
    Ok(match attachment::fetch(call, reference).await? {
        Some(attachment) => content(operation, attachment, parts),
        None => Err(ATTACHMENT_INVALID),
    })
}

/// A document of the library.
pub(super) async fn document(
    call: &Call<'_>,
    operation: &Element,
    parts: &mut Option<Vec<Bytes>>,
) -> Result<Fetched, Error> {
    let Some(link) = operation.child_text(documentlibrary::LINK_ID) else {
        return Ok(Err(PROTOCOL_ERROR));
    };
    let Some(link) = Link::parse(link) else {
        return Ok(Err(BAD_LINK));
    };
    let mut version = None;
    let file = match library::find(call, &link).await {
        Ok(Some(library::Found::File(folder, file))) => {
            version = file.modified.map(date::hyphenated);
            ox::download(&call.device.ox, &folder.id, &file.id, LARGEST_FILE).await
        }
        // A folder has no content.
        Ok(Some(_) | None) => return Ok(Err(NOT_FOUND)),
        Err(error) => Err(error),
    };
    match file {
        Ok(file) if file.bytes.is_empty() => Ok(Err(FILE_EMPTY)),
        Ok(file) => Ok(content(operation, file, parts).map(|(class, mut properties)| {
            properties.extend(version.map(|version| Element::text(tag::VERSION, version)));
            (class, properties)
        })),
        Err(error) => match error.kind {
            ox::ErrorKind::PermissionDenied | ox::ErrorKind::Unsupported => Ok(Err(LIBRARY_DENIED)),
            ox::ErrorKind::NotFound => Ok(Err(NOT_FOUND)),
            ox::ErrorKind::TooLarge => Ok(Err(TOO_LARGE)),
            _ => Err(error.into()),
        },
    }
}

/// The bytes of a file, or the Range of them that is asked for.
fn content(operation: &Element, file: ox::Download, parts: &mut Option<Vec<Bytes>>) -> Fetched {
    let asked = operation
        .child(tag::OPTIONS)
        .and_then(|options| options.child_text(tag::RANGE));
    let total = file.bytes.len();
    let range = match asked.map(|asked| byte_range(asked, total)) {
        Some(None) => return Err(INVALID_RANGE),
        Some(Some(range)) => range,
        None => 0..total,
    };
    let bytes = file.bytes.slice(range.clone());
    let mut properties = vec![match parts {
        Some(parts) => Element::text(tag::PART, add_part(parts, bytes)),
        None => Element::text(tag::DATA, STANDARD.encode(bytes)),
    }];
    // A range that was not asked for confuses iOS.
    if asked.is_some() {
        let last = range.end.saturating_sub(1);
        properties.push(Element::text(tag::RANGE, format!("{}-{last}", range.start)));
        properties.push(Element::text(tag::TOTAL, total.to_string()));
    }
    properties.push(Element::text(airsyncbase::CONTENT_TYPE, file.content_type));
    Ok((None, properties))
}

/// `m-n`, both included, counted from 0; the end is cut to what is there. `None` if it begins beyond the end.
fn byte_range(text: &str, total: usize) -> Option<Range<usize>> {
    let (first, last) = text.trim().split_once('-')?;
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && first < total).then(|| first..last.saturating_add(1).min(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        // asked, size, expected
        let cases = [
            ("0-9", 100, Some(0..10)),
            ("90-200", 100, Some(90..100)),
            ("99-99", 100, Some(99..100)),
            ("100-110", 100, None),
            ("9-0", 100, None),
            ("x", 100, None),
            ("0-18446744073709551615", 5, Some(0..5)),
        ];
        for (asked, total, expected) in cases {
            assert_eq!(byte_range(asked, total), expected, "{asked}");
        }
    }
}
