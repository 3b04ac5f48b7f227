//! The bytes of a document, read by a second pair of eyes: it shares nothing with the codec of the gateway.
//!
//! Implements the subset of WAP-192 "Binary XML Content Format" that [MS-ASWBXML] uses, as strictly as the pickiest device.

use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage::composemail;
use oxtender::wbxml::codepage::email2;
use oxtender::wbxml::codepage::gal;
use oxtender::wbxml::codepage::itemoperations;
use oxtender::wbxml::codepage::resolverecipients;
use oxtender::wbxml::codepage::search;

/// WBXML 1.3, unknown public id, UTF-8, no string table.
const HEADER: [u8; 4] = [0x03, 0x01, 0x6A, 0x00];

/// The elements that hold byte arrays; all others hold strings.
const BYTE_ARRAYS: [Tag; 7] = [
    composemail::MIME,
    email2::CONVERSATION_ID,
    email2::CONVERSATION_INDEX,
    itemoperations::CONVERSATION_ID,
    search::CONVERSATION_ID,
    resolverecipients::DATA,
    gal::DATA,
];

/// An element that is open.
struct Open {
    tag: Tag,
    has_text: bool,
    has_children: bool,
}

/// The first thing that is wrong with the bytes.
pub(super) fn fault(bytes: &[u8]) -> Option<String> {
    let Some(body) = bytes.strip_prefix(&HEADER) else {
        return Some("the header is not 03 01 6A 00".to_owned());
    };
    read(body).err()
}

fn read(body: &[u8]) -> Result<(), String> {
    let mut rest = body;
    let mut page = 0;
    let mut open: Vec<Open> = Vec::new();
    let mut was_root = false;
    while let Some((token, after)) = rest.split_first() {
        let at = body.len() - rest.len() + HEADER.len();
        let wrong = |what: &str| Err(format!("{what}, at byte {at}"));
        rest = after;
        if was_root && open.is_empty() {
            return wrong("something stands behind the root");
        }
        match *token {
            0x00 => {
                let (next, after) = rest.split_first().ok_or("a page is missing")?;
                if *next == page {
                    return wrong("a switch to the page that is current");
                }
                (page, rest) = (*next, after);
            }
            0x01 => match open.pop() {
                Some(element) if element.has_text || element.has_children => {}
                Some(element) => return wrong(&format!("{:?} is empty and has an END", element.tag)),
                None => return wrong("an END too many"),
            },
            0x03 => {
                let end = rest
                    .iter()
                    .position(|byte| *byte == 0)
                    .ok_or("a string without its end")?;
                let text = std::str::from_utf8(&rest[..end]).map_err(|error| format!("{error}, at byte {at}"))?;
                if text.is_empty() || text.chars().any(|c| !is_xml(c)) {
                    return wrong(&format!("{text:?} is no string for XML"));
                }
                content(&mut open, false).or_else(|what| wrong(&what))?;
                rest = &rest[end + 1..];
            }
            0xC3 => {
                let length = number(&mut rest).ok_or("a length is cut off")?;
                rest = rest
                    .get(length..)
                    .filter(|_| length > 0)
                    .ok_or("a byte array of a wrong length")?;
                content(&mut open, true).or_else(|what| wrong(&what))?;
            }
            tag if tag & 0x80 != 0 || tag & 0x3F < 0x05 => return wrong(&format!("token {tag:02X}")),
            tag => {
                if let Some(parent) = open.last_mut() {
                    if parent.has_text {
                        return wrong("text beside elements");
                    }
                    parent.has_children = true;
                }
                was_root = true;
                if tag & 0x40 != 0 {
                    open.push(Open {
                        tag: Tag {
                            page,
                            token: tag & 0x3F,
                        },
                        has_text: false,
                        has_children: false,
                    });
                }
            }
        }
    }
    match open.last() {
        Some(element) => Err(format!("{:?} has no END", element.tag)),
        None if !was_root => Err("there is no root".to_owned()),
        None => Ok(()),
    }
}

/// A string or a byte array goes into the innermost element: one, and of the right kind.
fn content(open: &mut [Open], is_opaque: bool) -> Result<(), String> {
    let element = open.last_mut().ok_or("text outside of the root")?;
    if element.has_text || element.has_children {
        return Err(format!("{:?} has text twice, or beside elements", element.tag));
    }
    element.has_text = true;
    match BYTE_ARRAYS.contains(&element.tag) == is_opaque {
        true => Ok(()),
        false => Err(format!(
            "{:?} is a string for a byte array, or the other way round",
            element.tag
        )),
    }
}

/// mb_u_int32
fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value = value << 7 | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}

/// "Char" of XML 1.0.
const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults() {
        // what follows the header, a part of what is said
        let cases: &[(&[u8], &str)] = &[
            (b"\x45\x5C\x4F\x0E\x01\x01\x01", ""),
            (b"\x45\x4E\x031\0\x01\x01", ""),
            (b"\x45\x00\x02\x54\x03caf\xC3\xA9\0\x01\x01", ""),
            (b"", "no root"),
            (b"\x45", "no END"),
            (b"\x45\x01", "is empty and has an END"),
            (b"\x05\x01", "behind the root"),
            (b"\x45\x4E\x031\0\x01\x01\x05", "behind the root"),
            (b"\x45\x4E\x031\0\x031\0\x01\x01", "text twice"),
            (b"\x45\x031\0\x0E\x01", "text beside"),
            (b"\x45\x0E\x031\0\x01", "beside elements"),
            (b"\x45\x4E\x03\0\x01\x01", "no string"),
            (b"\x45\x4E\x03\x0B\0\x01\x01", "no string"),
            (b"\x45\x4E\x03\xFF\0\x01\x01", "utf-8"),
            (b"\x45\x4E\xC3\x011\x01\x01", "byte array"),
            (b"\x45\x00\x00\x0E\x01", "current"),
            (b"\xC5", "token C5"),
            (b"\x45\x02", "token 02"),
        ];
        for (body, expected) in cases {
            let found = fault(&[&HEADER[..], body].concat()).unwrap_or_default();
            assert!(
                found.contains(expected) && found.is_empty() == expected.is_empty(),
                "{body:02X?}: {found}"
            );
        }
        assert!(fault(b"\x03\x01\x6A\x01a\x05").is_some());
    }
}
