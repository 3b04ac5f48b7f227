//! From a tree of elements to bytes, for one protocol version. The inverse of [`decode`](crate::wbxml::decode()), but
//! strict: it writes one form of everything, with which all devices get along.
//!
//! Implements WAP-192 "Binary XML Content Format" as far as [MS-ASWBXML] uses it. Does not know commands or schemas:
//! an element goes out because its tag stands in the table of [`codepage`] with the version asked for.

use crate::version::ProtocolVersion;
use crate::wbxml::codepage;
use crate::wbxml::{Content, Element, Tag};

/// WBXML 1.3, unknown public id, UTF-8, no string table.
const HEADER: [u8; 4] = [0x03, 0x01, 0x6A, 0x00];

const SWITCH_PAGE: u8 = 0x00;
const END: u8 = 0x01;
const STR_I: u8 = 0x03;
const OPAQUE: u8 = 0xC3;
/// Set in the token of a tag that has content and an END.
const HAS_CONTENT: u8 = 0x40;

/// Writes a document.
///
/// Elements that `version` does not have are left out with all they contain; so is a container that loses all its
/// children in this way, since an empty one would say something else. Text loses the characters that XML 1.0 does not
/// have: devices drop a whole answer because of one. If nothing remains of the root, the header stands alone.
pub fn encode(root: &Element, version: ProtocolVersion) -> Vec<u8> {
    let mut writer = Writer {
        version,
        page: 0,
        out: HEADER.to_vec(),
    };
    writer.element(root);
    writer.out
}

/// Whether XML 1.0 has this character ("Char" in its grammar).
pub(super) const fn is_xml(character: char) -> bool {
    !matches!(character, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}')
}

struct Writer {
    version: ProtocolVersion,
    page: u8,
    out: Vec<u8>,
}

impl Writer {
    fn element(&mut self, element: &Element) {
        if !self.says_something(element) {
            return;
        }
        match &element.content {
            Content::Children(children) if !children.is_empty() => {
                self.open(element.tag);
                for child in children {
                    self.element(child);
                }
                self.out.push(END);
            }
            Content::Text(text) if text.contains(is_xml) => {
                self.open(element.tag);
                self.string(text);
                self.out.push(END);
            }
            Content::Opaque(bytes) if !bytes.is_empty() => {
                self.open(element.tag);
                self.byte_array(bytes);
                self.out.push(END);
            }
            _ => self.tag(element.tag, 0),
        }
    }

    /// Whether the version has this element and, if it has children, one of them.
    fn says_something(&self, element: &Element) -> bool {
        let children = element.children();
        codepage::has(self.version, element.tag)
            && (children.is_empty() || children.iter().any(|child| self.says_something(child)))
    }

    fn open(&mut self, tag: Tag) {
        self.tag(tag, HAS_CONTENT);
    }

    fn tag(&mut self, tag: Tag, flags: u8) {
        if tag.page != self.page {
            self.out.extend([SWITCH_PAGE, tag.page]);
            self.page = tag.page;
        }
        self.out.push(tag.token | flags);
    }

    fn string(&mut self, text: &str) {
        self.out.push(STR_I);
        for piece in text.split(|character| !is_xml(character)) {
            self.out.extend_from_slice(piece.as_bytes());
        }
        self.out.push(0);
    }

    fn byte_array(&mut self, bytes: &[u8]) {
        self.out.push(OPAQUE);
        self.number(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// mb_u_int32: seven bits a byte, most significant first; the high bit says that more follow.
    fn number(&mut self, number: usize) {
        let groups = (usize::BITS - number.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            self.out.push((number >> (7 * group)) as u8 & 0x7F | more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::ProtocolVersion::{V2_5, V12_0, V14_0, V16_0, V16_1};
    use crate::wbxml::codepage::{airsync, airsyncbase, composemail, email, email2};

    /// What follows the header.
    fn body(root: &Element, version: ProtocolVersion) -> Vec<u8> {
        let bytes = encode(root, version);
        assert_eq!(bytes[..4], HEADER);
        bytes[4..].to_vec()
    }

    #[test]
    fn values() {
        // content of Subject (page 2, 0x14), what is written for it
        let text = |text: &str| Content::Text(text.into());
        let cases: &[(Content, &[u8])] = &[
            (Content::Empty, b"\x14"),
            (text(""), b"\x14"),
            (Content::Opaque(Vec::new()), b"\x14"),
            (Content::Children(Vec::new()), b"\x14"),
            (text("\0\x0B"), b"\x14"),
            (text("Hello"), b"\x54\x03Hello\0\x01"),
            (text("caf\u{E9}"), b"\x54\x03caf\xC3\xA9\0\x01"),
            (text("a\0b\x01c\u{FFFE}d\u{FFFF}"), b"\x54\x03abcd\0\x01"),
            (text("\t\r\n\x7F\u{85}"), b"\x54\x03\t\r\n\x7F\xC2\x85\0\x01"),
            (Content::Opaque(b"a\0b".to_vec()), b"\x54\xC3\x03a\0b\x01"),
        ];
        for (content, expected) in cases {
            let element = Element {
                tag: email::SUBJECT,
                content: content.clone(),
            };
            let expected = [b"\x00\x02", *expected].concat();
            assert_eq!(body(&element, V14_0), expected, "{content:?}");
        }
    }

    #[test]
    fn lengths_of_byte_arrays() {
        // length, as mb_u_int32
        let cases: &[(usize, &[u8])] = &[
            (1, &[0x01]),
            (127, &[0x7F]),
            (128, &[0x81, 0x00]),
            // the example of WAP-192
            (0xA0, &[0x81, 0x20]),
            (16_383, &[0xFF, 0x7F]),
            (16_384, &[0x81, 0x80, 0x00]),
        ];
        for (length, expected) in cases {
            let written = body(&Element::opaque(composemail::MIME, vec![b'x'; *length]), V14_0);
            let expected = [b"\x00\x15\x50\xC3", *expected, b"x"].concat();
            assert!(written.starts_with(&expected), "{length}");
            assert_eq!(written.len(), expected.len() + length);
        }
    }

    #[test]
    fn pages_are_switched_when_they_change() {
        let subject = Element::text(email::SUBJECT, "a");
        let root = Element::parent(
            airsync::SYNC,
            [subject.clone(), subject, Element::empty(airsync::MORE_AVAILABLE)],
        );
        let expected = b"\x45\x00\x02\x54\x03a\0\x01\x54\x03a\0\x01\x00\x00\x14\x01";
        assert_eq!(body(&root, V12_0), expected);
    }

    #[test]
    fn what_a_version_lacks_is_left_out() {
        let unknown = Element::empty(Tag { page: 254, token: 5 });
        let bodies = Element::parent(airsyncbase::BODY, [Element::number(airsyncbase::TYPE, 1)]);
        let data = Element::parent(
            airsync::APPLICATION_DATA,
            [
                Element::text(email::SUBJECT, "a"),
                Element::text(email::BODY, "b"),
                bodies,
                Element::flag(email2::IS_DRAFT, true),
                unknown,
            ],
        );
        // version, the tags that remain
        let cases: &[(ProtocolVersion, &[Tag])] = &[
            (V2_5, &[email::SUBJECT, email::BODY]),
            (V12_0, &[email::SUBJECT, airsyncbase::BODY]),
            (V16_0, &[email::SUBJECT, airsyncbase::BODY, email2::IS_DRAFT]),
        ];
        for (version, expected) in cases {
            let bytes = encode(&data, *version);
            let root = crate::wbxml::decode(&bytes, &crate::wbxml::Limits::default()).expect("our own");
            let tags: Vec<Tag> = root.children().iter().map(|child| child.tag).collect();
            assert_eq!(tags, *expected, "{version}");
        }
    }

    #[test]
    fn a_container_that_lost_all_is_left_out_but_an_empty_one_stays() {
        let lost = Element::parent(email::FLAG, [Element::empty(Tag { page: 254, token: 5 })]);
        let empty = Element::empty(email::FLAG);
        let data = Element::parent(airsync::APPLICATION_DATA, [lost.clone(), empty]);
        assert_eq!(body(&data, V16_1), b"\x5D\x00\x02\x3A\x01");
        assert_eq!(body(&lost, V16_1), b"");
    }
}
