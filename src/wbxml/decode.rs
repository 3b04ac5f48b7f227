//! From bytes to a tree of elements. Pure: no I/O, no versions; what a tree means, and whether the device's version has
//! its tags, is asked later ([`unknown_in`](crate::wbxml::codepage::unknown_in)).
//!
//! Implements WAP-192 "Binary XML Content Format" as far as [MS-ASWBXML] uses it: SWITCH_PAGE, END, STR_I, OPAQUE and
//! tags without attributes; everything else is refused. Tolerant where devices differ:
//!
//! - `<Tag/>`, a tag closed at once, and a tag around an empty string all become [`Content::Empty`].
//! - Strings and byte arrays that follow each other are joined before they are read as UTF-8, since devices cut long
//!   strings anywhere, even within a character. If one of the pieces is a byte array, so is the whole.
//! - Bytes that are not UTF-8 become U+FFFD: one bad name must not stop a folder.
//! - Text beside child elements is dropped; ActiveSync has no mixed content.
//! - Unknown pages and tokens survive as [`Tag`]s.
//! - What follows the root element is not looked at: some devices pad their requests.

use nom::IResult;
use nom::bytes::complete::{tag, take, take_till};
use nom::error::{ErrorKind, ParseError};
use nom::number::complete::u8 as byte;
use thiserror::Error;

use crate::wbxml::{Content, Element, Tag};

/// What a document may ask of us at most; checked while reading, so that nothing is allocated on its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open elements at the same time. The deepest schema of ActiveSync needs about ten.
    pub depth: usize,
    /// Elements in the whole document. A tree takes up to 160 bytes for each, where a document may take one.
    pub elements: usize,
    /// Bytes of the whole document, and so of all strings.
    pub bytes: usize,
}

impl Default for Limits {
    /// 64 deep, 200,000 elements, 64 MiB: a few times what the largest sane request needs.
    fn default() -> Self {
        Self {
            depth: 64,
            elements: 200_000,
            bytes: 64 << 20,
        }
    }
}

/// Why bytes are no document, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("invalid WBXML at byte {offset}: {reason}")]
pub struct DecodeError {
    /// Counted from 0; the first byte of the token that could not be read.
    pub offset: usize,
    pub reason: Reason,
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    #[error("the document ends before its root element does; was the request cut off?")]
    Truncated,
    #[error("the first byte is 0x{0:02X} instead of 0x03, WBXML version 1.3; is this a WBXML document?")]
    Version(u8),
    #[error("character set {0} is neither UTF-8 (106) nor US-ASCII (3)")]
    Charset(u32),
    #[error("a number has more than 32 bits")]
    Number,
    #[error("byte 0x{0:02X} is a WBXML token that ActiveSync does not use")]
    Token(u8),
    #[error("tag 0x{0:02X} has attributes, which ActiveSync does not use")]
    Attributes(u8),
    #[error("there is content outside of the root element")]
    NoRoot,
    #[error("elements are nested deeper than {0}")]
    TooDeep(usize),
    #[error("there are more than {0} elements")]
    TooManyElements(usize),
    #[error("the document is longer than {0} bytes")]
    TooLong(usize),
}

/// Reads one document.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Element, DecodeError> {
    if bytes.len() > limits.bytes {
        return Err(DecodeError {
            offset: limits.bytes,
            reason: Reason::TooLong(limits.bytes),
        });
    }
    match document(bytes, limits) {
        Ok((_, root)) => Ok(root),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(DecodeError {
            offset: bytes.len() - fault.rest.len(),
            reason: fault.reason,
        }),
        Err(nom::Err::Incomplete(_)) => Err(DecodeError {
            offset: bytes.len(),
            reason: Reason::Truncated,
        }),
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, Fault<'a>>;

/// A [`DecodeError`] whose offset is still expressed as nom does: by what is left to read.
#[derive(Debug)]
struct Fault<'a> {
    rest: &'a [u8],
    reason: Reason,
}

impl<'a> ParseError<&'a [u8]> for Fault<'a> {
    /// The parsers used here fail by themselves only when the input ends.
    fn from_error_kind(rest: &'a [u8], _: ErrorKind) -> Self {
        Self {
            rest,
            reason: Reason::Truncated,
        }
    }

    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

const fn refuse(rest: &[u8], reason: Reason) -> nom::Err<Fault<'_>> {
    nom::Err::Failure(Fault { rest, reason })
}

fn document<'a>(input: &'a [u8], limits: &Limits) -> Parsed<'a, Element> {
    let (mut input, ()) = header(input)?;
    let mut builder = Builder::new(limits);
    loop {
        let (rest, token) = token(input)?;
        let root = builder.accept(token).map_err(|reason| refuse(input, reason))?;
        if let Some(root) = root {
            return Ok((rest, root));
        }
        input = rest;
    }
}

/// Version, public id, character set and string table. ActiveSync refers to none of the strings in the table.
fn header(input: &[u8]) -> Parsed<'_, ()> {
    const UTF_8: u32 = 106;
    const US_ASCII: u32 = 3;

    let (rest, version) = byte(input)?;
    if version != 0x03 {
        return Err(refuse(input, Reason::Version(version)));
    }
    let (rest, public_id) = number(rest)?;
    // "publicid = mb_u_int32 | ( zero index )": a zero says that the id stands in the string table.
    let rest = if public_id == 0 { number(rest)?.0 } else { rest };
    let at_charset = rest;
    let (rest, charset) = number(rest)?;
    if charset != UTF_8 && charset != US_ASCII {
        return Err(refuse(at_charset, Reason::Charset(charset)));
    }
    let (rest, _strings) = counted(rest)?;
    Ok((rest, ()))
}

/// A piece of the body.
enum Token<'a> {
    SwitchPage(u8),
    End,
    String(&'a [u8]),
    Opaque(&'a [u8]),
    /// The token of a tag without its flags, and whether content and an END follow.
    Tag(u8, bool),
}

fn token(input: &[u8]) -> Parsed<'_, Token<'_>> {
    const CONTENT: u8 = 0x40;
    const ATTRIBUTES: u8 = 0x80;

    let (rest, first) = byte(input)?;
    match first {
        0x00 => byte(rest).map(|(rest, page)| (rest, Token::SwitchPage(page))),
        0x01 => Ok((rest, Token::End)),
        0x03 => terminated(rest).map(|(rest, string)| (rest, Token::String(string))),
        0xC3 => counted(rest).map(|(rest, bytes)| (rest, Token::Opaque(bytes))),
        // ENTITY, LITERAL and its flags, EXT, PI, STR_T: whatever the flags, the lowest tag is 5.
        _ if first & 0x3F < 0x05 => Err(refuse(input, Reason::Token(first))),
        _ if first & ATTRIBUTES != 0 => Err(refuse(input, Reason::Attributes(first))),
        _ => Ok((rest, Token::Tag(first & 0x3F, first & CONTENT != 0))),
    }
}

/// Bytes up to a NUL, which is read too.
fn terminated(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, string) = take_till(|byte| byte == 0)(input)?;
    let (rest, _) = tag(&[0][..])(rest)?;
    Ok((rest, string))
}

/// As many bytes as the number before them says.
fn counted(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, length) = number(input)?;
    take(length)(rest)
}

/// mb_u_int32: seven bits a byte, most significant first; the high bit says that more follow.
fn number(input: &[u8]) -> Parsed<'_, u32> {
    const LONGEST: usize = 5;

    let mut value: u32 = 0;
    let mut rest = input;
    for _ in 0..LONGEST {
        let (after, next) = byte(rest)?;
        rest = after;
        if value > u32::MAX >> 7 {
            break;
        }
        value = value << 7 | u32::from(next & 0x7F);
        if next & 0x80 == 0 {
            return Ok((rest, value));
        }
    }
    Err(refuse(input, Reason::Number))
}

/// Makes a tree of tokens; a stack instead of recursion, so that depth is a number and no risk.
struct Builder<'l> {
    limits: &'l Limits,
    /// Sticky: stays until the next SWITCH_PAGE, across END.
    page: u8,
    elements: usize,
    open: Vec<Open>,
}

/// An element whose END has not been read yet.
struct Open {
    tag: Tag,
    children: Vec<Element>,
    value: Vec<u8>,
    opaque: bool,
}

impl<'l> Builder<'l> {
    const fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            page: 0,
            elements: 0,
            open: Vec::new(),
        }
    }

    /// The root element, once it is complete.
    fn accept(&mut self, token: Token<'_>) -> Result<Option<Element>, Reason> {
        match token {
            Token::SwitchPage(page) => self.page = page,
            Token::Tag(token, has_content) => return self.start(token, has_content),
            Token::String(string) => self.innermost()?.value.extend_from_slice(string),
            Token::Opaque(bytes) => {
                let element = self.innermost()?;
                element.opaque = true;
                element.value.extend_from_slice(bytes);
            }
            Token::End => {
                let element = self.open.pop().ok_or(Reason::NoRoot)?;
                return Ok(self.finish(element.close()));
            }
        }
        Ok(None)
    }

    fn start(&mut self, token: u8, has_content: bool) -> Result<Option<Element>, Reason> {
        let tag = Tag { page: self.page, token };
        if self.elements == self.limits.elements {
            return Err(Reason::TooManyElements(self.limits.elements));
        }
        if self.open.len() == self.limits.depth {
            return Err(Reason::TooDeep(self.limits.depth));
        }
        self.elements += 1;
        if !has_content {
            return Ok(self.finish(Element::empty(tag)));
        }
        self.open.push(Open {
            tag,
            children: Vec::new(),
            value: Vec::new(),
            opaque: false,
        });
        Ok(None)
    }

    /// Hands a complete element to its parent; gives it back if it has none, being the root.
    fn finish(&mut self, element: Element) -> Option<Element> {
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.push(element);
                None
            }
            None => Some(element),
        }
    }

    fn innermost(&mut self) -> Result<&mut Open, Reason> {
        self.open.last_mut().ok_or(Reason::NoRoot)
    }
}

impl Open {
    fn close(self) -> Element {
        if !self.children.is_empty() {
            Element::parent(self.tag, self.children)
        } else if self.value.is_empty() {
            Element::empty(self.tag)
        } else if self.opaque {
            Element::opaque(self.tag, self.value)
        } else {
            Element {
                tag: self.tag,
                content: Content::Text(into_text(self.value)),
            }
        }
    }
}

/// Copies only what has to be repaired.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wbxml::codepage::{airsync, email};

    /// The header every device sends, and a body.
    fn document(body: &[u8]) -> Vec<u8> {
        [&[0x03, 0x01, 0x6A, 0x00], body].concat()
    }

    fn decoded(bytes: &[u8]) -> Result<Element, DecodeError> {
        decode(bytes, &Limits::default())
    }

    /// The offset counts from the start of the body.
    fn refused(body: &[u8]) -> (usize, Reason) {
        let error = decoded(&document(body)).expect_err("refused");
        (error.offset - 4, error.reason)
    }

    #[test]
    fn headers_that_devices_send() {
        let headers: &[&[u8]] = &[
            &[0x03, 0x01, 0x6A, 0x00],
            // US-ASCII, as very old devices have it
            &[0x03, 0x01, 0x03, 0x00],
            // a public id of two bytes, and a string table
            &[0x03, 0x9F, 0x53, 0x6A, 0x03, b'a', b'b', 0x00],
            // a public id in the string table, at index 0
            &[0x03, 0x00, 0x00, 0x6A, 0x02, b'a', 0x00],
        ];
        for header in headers {
            let document = [header, &[0x05][..]].concat();
            assert_eq!(decoded(&document), Ok(Element::empty(airsync::SYNC)), "{header:02X?}");
        }
    }

    #[test]
    fn headers_that_are_refused() {
        // header, offset, reason
        let cases: &[(&[u8], usize, Reason)] = &[
            (&[0x02, 0x01, 0x6A, 0x00], 0, Reason::Version(2)),
            (b"<?xml version='1.0'?>", 0, Reason::Version(b'<')),
            // ISO-8859-1
            (&[0x03, 0x01, 0x04, 0x00], 2, Reason::Charset(4)),
            // a string table that claims 2^32 - 1 bytes
            (&[0x03, 0x01, 0x6A, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F], 8, Reason::Truncated),
            // a number of 33 bits, and one of six bytes
            (&[0x03, 0x01, 0x6A, 0x90, 0x80, 0x80, 0x80, 0x00], 3, Reason::Number),
            (&[0x03, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 1, Reason::Number),
        ];
        for &(header, offset, reason) in cases {
            assert_eq!(decoded(header), Err(DecodeError { offset, reason }), "{header:02X?}");
        }
    }

    #[test]
    fn values() {
        let text = |text: &str| Content::Text(text.into());
        // what stands between Subject (page 2, 0x14, with content) and its END
        let cases: &[(&[u8], Content)] = &[
            (b"", Content::Empty),
            (b"\x03\0", Content::Empty),
            (b"\x03\0\x03\0", Content::Empty),
            (b"\xC3\x00", Content::Empty),
            (b"\x03Hello\0", text("Hello")),
            (b"\x03Hel\0\x03lo\0", text("Hello")),
            // SWITCH_PAGE noise between the pieces
            (b"\x03Hel\0\x00\x02\x03lo\0", text("Hello")),
            // an e-acute cut in two
            (b"\x03caf\xC3\0\x03\xA9\0", text("caf\u{E9}")),
            (b"\x03caf\xE9\0", text("caf\u{FFFD}")),
            (b"\xC3\x03a\0b", Content::Opaque(b"a\0b".to_vec())),
            (b"\xC3\x01a\xC3\x01b", Content::Opaque(b"ab".to_vec())),
            (b"\x03a\0\xC3\x01b", Content::Opaque(b"ab".to_vec())),
            // a length that is longer than it need be
            (b"\xC3\x80\x01a", Content::Opaque(b"a".to_vec())),
            // text beside children
            (
                b"\x03a\0\x14\x03b\0",
                Content::Children(vec![Element::empty(email::SUBJECT)]),
            ),
        ];
        for (value, content) in cases {
            let body = [b"\x00\x02\x54", *value, b"\x01"].concat();
            let expected = Element {
                tag: email::SUBJECT,
                content: content.clone(),
            };
            assert_eq!(decoded(&document(&body)), Ok(expected), "{value:02X?}");
        }
    }

    #[test]
    fn the_page_is_sticky_and_starts_at_zero() {
        // Sync of page 0; within it, page 2: Subject, twice; Subject, closed; back to page 0: Add
        let body = b"\x45\x00\x02\x00\x02\x14\x54\x01\x00\x00\x07\x01";
        let expected = Element::parent(
            airsync::SYNC,
            [email::SUBJECT, email::SUBJECT, airsync::ADD].map(Element::empty),
        );
        assert_eq!(decoded(&document(body)), Ok(expected));
    }

    #[test]
    fn unknown_pages_and_tokens_survive() {
        let unknown = Tag { page: 254, token: 0x3F };
        let body = b"\x00\xFE\x7F\x05\x01";
        let expected = Element::parent(unknown, [Element::empty(Tag { page: 254, token: 5 })]);
        assert_eq!(decoded(&document(body)), Ok(expected));
    }

    #[test]
    fn trailing_bytes_are_not_looked_at() {
        let sync = Element::empty(airsync::SYNC);
        for body in [&b"\x05\0"[..], b"\x05\x05", b"\x45\x01\x01\xFF"] {
            assert_eq!(decoded(&document(body)), Ok(sync.clone()), "{body:02X?}");
        }
    }

    #[test]
    fn what_activesync_does_not_use_is_refused() {
        let globals = [
            0x02, 0x04, 0x40, 0x41, 0x42, 0x43, 0x44, 0x80, 0x81, 0x82, 0x83, 0x84, 0xC0, 0xC1, 0xC2, 0xC4,
        ];
        for token in globals {
            assert_eq!(refused(&[0x45, token, 0x01]), (1, Reason::Token(token)));
        }
        assert_eq!(refused(&[0x85, 0x01]), (0, Reason::Attributes(0x85)));
        assert_eq!(refused(&[0x45, 0xC5, 0x01]), (1, Reason::Attributes(0xC5)));
        assert_eq!(refused(b"\x01"), (0, Reason::NoRoot));
        assert_eq!(refused(b"\x00\x00\x03Hello\0"), (2, Reason::NoRoot));
        assert_eq!(refused(b"\xC3\x01a"), (0, Reason::NoRoot));
    }

    #[test]
    fn lengths_beyond_the_input() {
        assert_eq!(refused(b"\x45\xC3\x8F\xFF\xFF\xFF\x7Fabc"), (7, Reason::Truncated));
        assert_eq!(refused(b"\x45\xC3\x90\x80\x80\x80\x00abc"), (2, Reason::Number));
        assert_eq!(refused(b"\x45\x03no NUL"), (8, Reason::Truncated));
        assert_eq!(refused(b"\x45"), (1, Reason::Truncated));
        assert_eq!(refused(b"\x00"), (1, Reason::Truncated));
    }

    #[test]
    fn limits_hold() {
        let limits = Limits {
            depth: 3,
            elements: 4,
            bytes: 16,
        };
        let reason = |body: &[u8]| decode(&document(body), &limits).map_err(|error| error.reason);
        // as deep, as many, as long as allowed, and one more
        assert!(reason(b"\x45\x45\x05\x01\x01").is_ok());
        assert_eq!(reason(b"\x45\x45\x45\x05\x01\x01\x01"), Err(Reason::TooDeep(3)));
        assert!(reason(b"\x45\x05\x05\x05\x01").is_ok());
        assert_eq!(reason(b"\x45\x05\x05\x05\x05\x01"), Err(Reason::TooManyElements(4)));
        assert!(reason(b"\x45\x03123456789").is_err());
        assert!(reason(b"\x45\x0312345678\0\x01").is_ok());
        assert_eq!(reason(b"\x45\x03123456789\0\x01"), Err(Reason::TooLong(16)));
    }

    #[test]
    fn depth_costs_no_stack() {
        let body = vec![0x45; 1_000_000];
        assert_eq!(refused(&body), (64, Reason::TooDeep(64)));
    }

    #[test]
    fn errors_help_an_administrator() {
        let error = decoded(b"<Sync/>").expect_err("refused");
        assert_eq!(
            error.to_string(),
            "invalid WBXML at byte 0: the first byte is 0x3C instead of 0x03, WBXML version 1.3; is this a WBXML document?"
        );
    }
}
