//! Header fields: the raw block split into fields, and field bodies decoded to text, addresses, ids and parameters.
//!
//! Reading only; writing is the business of `seven_bit`. Fields are decoded one by one, so that raw 8-bit text in one
//! cannot spoil another. Implements RFC 5322 "Header Fields", RFC 2047 encoded-words, RFC 2231 parameters.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::DateTime;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use crate::content::email::address::Address;
use crate::content::email::transfer;

/// A header field: where it stands in the message. Both ranges include the line end and folded lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// In lower case.
    pub name: String,
    /// Name and body.
    pub range: Range<usize>,
    pub body: Range<usize>,
}

/// Splits a header block that starts at `start` in `source`. Returns its fields and where the body starts. Lines that
/// are no fields are left out.
pub(super) fn split(source: &[u8], start: usize, end: usize) -> (Vec<Field>, usize) {
    let mut fields: Vec<Field> = Vec::new();
    let mut position = start;
    // Whether a folded line would belong to the last field.
    let mut open = false;
    for line in source
        .get(start..end)
        .unwrap_or_default()
        .split_inclusive(|byte| *byte == b'\n')
    {
        let range = position..position + line.len();
        position = range.end;
        if matches!(line, b"\n" | b"\r\n" | b"\r") {
            break;
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some(field) = fields.last_mut().filter(|_| open) {
                field.range.end = range.end;
                field.body.end = range.end;
            }
            continue;
        }
        let name = field_name(line);
        open = name.is_some();
        if let Some((name, colon)) = name {
            let body = range.start + colon + 1..range.end;
            fields.push(Field { name, range, body });
        }
    }
    (fields, position)
}

/// The name before the colon, and where the colon is.
fn field_name(line: &[u8]) -> Option<(String, usize)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(line.get(..colon)?).ok()?.trim_end();
    let valid = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    valid.then(|| (name.to_ascii_lowercase(), colon))
}

/// Unstructured text, such as a subject: unfolded, encoded-words decoded.
pub(super) fn text(body: &[u8]) -> String {
    match MessageStream::new(&prepared(body)).parse_unstructured() {
        HeaderValue::Text(text) => clean(&text),
        HeaderValue::TextList(list) => clean(&list.join(" ")),
        _ => String::new(),
    }
}

/// The mailboxes of an address list; groups are flattened.
pub(super) fn addresses(body: &[u8]) -> Vec<Address> {
    let prepared = prepared(body);
    let value = MessageStream::new(&prepared).parse_address();
    let Some(list) = value.as_address() else {
        return Vec::new();
    };
    let addresses = list.iter().map(|address| Address {
        name: address.name.as_deref().map(clean).filter(|name| !name.is_empty()),
        address: address.address.as_deref().map(clean).unwrap_or_default(),
    });
    addresses
        .filter(|address| address.name.is_some() || !address.address.is_empty())
        .collect()
}

/// Message ids without angle brackets, in order.
pub(super) fn ids(body: &[u8]) -> Vec<String> {
    let text = transfer::guess(body);
    let bracketed: Vec<String> = text
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(id, _)| id.split_whitespace().collect())
        .filter(|id: &String| !id.is_empty())
        .collect();
    if !bracketed.is_empty() {
        return bracketed;
    }
    text.split_whitespace().map(str::to_owned).collect()
}

/// An instant in milliseconds since 1970.
pub(super) fn date(body: &[u8]) -> Option<i64> {
    let prepared = prepared(body);
    match MessageStream::new(&prepared).parse_date() {
        HeaderValue::DateTime(date) => instant(&date),
        _ => None,
    }
}

fn instant(date: &DateTime) -> Option<i64> {
    (date.is_valid() && date.year > 0).then(|| date.to_timestamp().saturating_mul(1000))
}

/// A media type or a disposition with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ContentType {
    /// `text/plain` or `attachment`, in lower case.
    pub kind: String,
    /// Names in lower case.
    pub parameters: Vec<(String, String)>,
}

impl ContentType {
    pub(super) fn new(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The body of Content-Type or Content-Disposition; `None` if there is no value.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let prepared = prepared(body);
        let HeaderValue::ContentType(parsed) = MessageStream::new(&prepared).parse_content_type() else {
            return None;
        };
        let kind = match parsed.subtype() {
            Some(subtype) => format!("{}/{subtype}", parsed.ctype()),
            None => parsed.ctype().to_owned(),
        };
        let parameters = parsed.attributes().unwrap_or_default().iter();
        Some(Self {
            kind: kind.trim().to_ascii_lowercase(),
            parameters: parameters
                .map(|parameter| (parameter.name.to_ascii_lowercase(), decoded(&parameter.value)))
                .collect(),
        })
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    pub(super) fn is_multipart(&self) -> bool {
        self.kind.starts_with("multipart/")
    }

    pub(super) fn is_message(&self) -> bool {
        matches!(self.kind.as_str(), "message/rfc822" | "message/global")
    }
}

/// Encoded-words that stand where RFC 2047 does not allow them, as in `filename="=?utf-8?Q?=C3=BC?="`.
fn decoded(value: &str) -> String {
    if value.contains("=?") {
        text(value.as_bytes())
    } else {
        clean(value)
    }
}

/// Text without control characters and folding.
fn clean(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if matches!(c, '\t' | '\r' | '\n') { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    spaced.trim().to_owned()
}

/// A field body that the parser understands: text in UTF-8, runs of encoded-words joined, one line end at its end.
fn prepared(body: &[u8]) -> Vec<u8> {
    let text = transfer::guess(body);
    let mut prepared = join_words(text.trim_ascii()).into_bytes();
    prepared.push(b'\n');
    prepared
}

/// Rewrites each run of encoded-words as one word in UTF-8: senders cut characters of several bytes in two, and use
/// character sets of every kind.
fn join_words(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        joined.push_str(before);
        let Some((decoded, after)) = decode_run(from) else {
            joined.push_str("=?");
            rest = from.get(2..).unwrap_or_default();
            continue;
        };
        joined.push_str("=?utf-8?B?");
        joined.push_str(&STANDARD.encode(decoded));
        joined.push_str("?=");
        rest = after;
    }
    joined.push_str(rest);
    joined
}

/// Decodes the run of encoded-words at the start; white space between them is no text.
fn decode_run(text: &str) -> Option<(String, &str)> {
    let (first, mut rest) = Word::parse(text)?;
    let mut decoded = String::new();
    let mut charset = first.charset;
    let mut bytes = first.bytes;
    while let Some((word, after)) = Word::parse(rest.trim_ascii_start()) {
        if !word.charset.eq_ignore_ascii_case(charset) {
            decoded.push_str(&transfer::decode_charset(&bytes, Some(charset)));
            bytes.clear();
            charset = word.charset;
        }
        bytes.extend_from_slice(&word.bytes);
        rest = after;
    }
    decoded.push_str(&transfer::decode_charset(&bytes, Some(charset)));
    // A line break inside a word would start a field of its own.
    Some((clean_word(&decoded), rest))
}

fn clean_word(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `=?charset?encoding?text?=`
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

impl<'a> Word<'a> {
    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let rest = text.strip_prefix("=?")?;
        let (charset, rest) = rest.split_once('?')?;
        let (encoding, rest) = rest.split_once('?')?;
        let (content, rest) = rest.split_once("?=")?;
        // RFC 2231 adds a language: `utf-8*de`.
        let charset = charset.split('*').next()?;
        if charset.is_empty() || charset.contains(char::is_whitespace) {
            return None;
        }
        let bytes = match encoding {
            "B" | "b" => transfer::decode_base64(content.as_bytes()),
            "Q" | "q" => transfer::decode_q(content),
            _ => return None,
        };
        Some((Self { charset, bytes }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_folding_and_rubbish() {
        let source = b"From x\r\nSubject: a\r\n b\r\nnonsense\r\n lost\r\nTO : c\r\n\r\nbody: x\r\n";
        let (fields, body) = split(source, 0, source.len());
        let found: Vec<_> = fields
            .iter()
            .map(|field| (field.name.as_str(), &source[field.body.clone()]))
            .collect();
        assert_eq!(found, [("subject", &b" a\r\n b\r\n"[..]), ("to", b" c\r\n")]);
        assert_eq!(&source[body..], b"body: x\r\n");
    }

    #[test]
    fn subjects() {
        // field body, expected
        let cases: [(&[u8], &str); 12] = [
            (b" plain\r\n", "plain"),
            (b" folded\r\n  twice\r\n", "folded twice"),
            (
                b" =?ISO-8859-1?Q?Gr=FC=DFe_aus?= =?ISO-8859-1?Q?_Bonn?=",
                "Gr\u{fc}\u{df}e aus Bonn",
            ),
            (b" =?utf-8?B?w7w=?= x", "\u{fc} x"),
            // One character of two bytes in two words.
            (b" =?utf-8?Q?=C3?=\r\n =?utf-8?Q?=BC?=", "\u{fc}"),
            (b" =?utf-8*de?Q?=C3=BC?=", "\u{fc}"),
            (b" =?koi8-r?B?8NLJ18XU?=", "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}"),
            (b" =?gb18030?B?xOO6ww==?=", "\u{4f60}\u{597d}"),
            (b" Gr\xFC\xDFe", "Gr\u{fc}\u{df}e"),
            (b" =?broken", "=?broken"),
            (b" =?utf-8?Q?a=0D=0AEvil:_x?=", "a  Evil: x"),
            (b"", ""),
        ];
        for (body, expected) in cases {
            assert_eq!(text(body), expected, "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn parameters_of_six_encodings() {
        // field body, expected file name
        let cases: [(&[u8], &str); 8] = [
            (b" attachment; filename=plain.txt", "plain.txt"),
            (
                b" attachment; filename=\"two words; really.txt\"",
                "two words; really.txt",
            ),
            (b" attachment; filename*=utf-8''%C3%BCber.txt", "\u{fc}ber.txt"),
            (
                b" attachment;\r\n filename*0*=utf-8''%C3%BC;\r\n filename*1=ber.txt",
                "\u{fc}ber.txt",
            ),
            (b" attachment; filename=\"=?utf-8?Q?=C3=BCber.txt?=\"", "\u{fc}ber.txt"),
            (b" attachment; filename==?iso-8859-1?Q?=FCber.txt?=", "\u{fc}ber.txt"),
            (b" attachment; filename=\"\xFCber.txt\"", "\u{fc}ber.txt"),
            (b" attachment; filename=\"\xC3\xBCber.txt\"", "\u{fc}ber.txt"),
        ];
        for (body, expected) in cases {
            let parsed = ContentType::parse(body).expect("a disposition");
            assert!(parsed.is("attachment"));
            assert_eq!(
                parsed.parameter("filename"),
                Some(expected),
                "{:?}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn addresses_in_all_their_forms() {
        // field body, expected: names and addresses
        let cases: [(&[u8], &str); 8] = [
            (b" a@x.org", "/a@x.org"),
            (b" Anna <a@x.org>, b@x.org", "Anna/a@x.org /b@x.org"),
            (b" \"Doe, John\" <j@x.org>", "Doe, John/j@x.org"),
            (b" =?utf-8?Q?J=C3=BCrgen?= <j@x.org>", "J\u{fc}rgen/j@x.org"),
            (b" \"=?utf-8?Q?J=C3=BCrgen?=\" <j@x.org>", "J\u{fc}rgen/j@x.org"),
            (b" J\xFCrgen <j@x.org>", "J\u{fc}rgen/j@x.org"),
            (b" undisclosed-recipients:;", ""),
            (b" team: a@x.org, b@x.org;", "/a@x.org /b@x.org"),
        ];
        for (body, expected) in cases {
            let found = addresses(body).into_iter();
            let found: Vec<_> = found
                .map(|found| format!("{}/{}", found.name.unwrap_or_default(), found.address))
                .collect();
            assert_eq!(found.join(" "), expected, "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn ids_and_dates() {
        assert_eq!(ids(b" <a@x>\r\n <b@x> junk"), ["a@x", "b@x"]);
        assert_eq!(ids(b" bare@x"), ["bare@x"]);
        assert_eq!(date(b" Thu, 8 Apr 2010 20:16:00 +0200"), Some(1_270_750_560_000));
        assert_eq!(date(b" yesterday"), None);
    }
}
