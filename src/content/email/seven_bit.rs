//! A message as 7-bit text: what an element of text can carry to a device, and what OX takes for sending.
//!
//! Parts that are 7-bit already stay as they are, byte for byte, so that signatures hold; others are encoded. Only line
//! ends are made CR LF throughout. Implements RFC 2045 "Content-Transfer-Encoding Header Field", RFC 2047, RFC 2231.

use std::fmt::Write;
use std::ops::Range;

use crate::content::email::address::Address;
use crate::content::email::header;
use crate::content::email::header::ContentType;
use crate::content::email::header::Field;
use crate::content::email::mime::Entity;
use crate::content::email::transfer;

/// RFC 2047: an encoded-word is at most 75 characters long; this many bytes in base64 fit beside its frame.
const WORD: usize = 45;

/// Fields that hold mailboxes: only display names can be encoded.
const ADDRESSES: [&str; 9] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "resent-from",
    "resent-to",
    "disposition-notification-to",
];

/// The message in ASCII with CR LF at line ends.
pub(super) fn seven_bit(source: &[u8]) -> String {
    let root = Entity::parse(source);
    let mut edits = Edits::new(source);
    edits.entity(&root);
    let message = transfer::crlf(&edits.apply());
    // Outside of fields and bodies, between parts: nothing that anyone reads.
    let clean = |byte: u8| match transfer::is_clean(&[byte]) {
        true => char::from(byte),
        false => '?',
    };
    message.into_iter().map(clean).collect()
}

/// Replacements of ranges of the source, in order.
pub(super) struct Edits<'a> {
    source: &'a [u8],
    found: Vec<(Range<usize>, Vec<u8>)>,
}

impl<'a> Edits<'a> {
    pub(super) const fn new(source: &'a [u8]) -> Self {
        Self {
            source,
            found: Vec::new(),
        }
    }

    /// Gives a part without parts another text, in UTF-8 and quoted-printable.
    pub(super) fn text(&mut self, entity: &Entity, text: &str) {
        let mut content_type = match entity.content_type.kind.starts_with("text/") {
            true => entity.content_type.clone(),
            // A multipart without parts, which is read as text.
            false => ContentType::new("text/plain"),
        };
        let stale = ["charset", "format", "delsp"];
        content_type
            .parameters
            .retain(|(name, _)| !stale.contains(&name.as_str()));
        content_type.parameters.push(("charset".to_owned(), "utf-8".to_owned()));
        for field in entity.fields.iter().filter(|field| is_of_encoding(field)) {
            self.replace(field.range.clone(), Vec::new());
        }
        let lines = transfer::quoted_printable(text.as_bytes());
        self.encoded(entity, &content_type, "quoted-printable", lines);
    }

    fn entity(&mut self, entity: &Entity) {
        let body = self.source.get(entity.body.clone()).unwrap_or_default();
        let encode = entity.is_leaf()
            && !body.is_empty()
            && !(transfer::is_clean(body) && entity.encoding(self.source) != "binary");
        for field in &entity.fields {
            let owned = encode && is_of_encoding(field);
            let raw = self.source.get(field.range.clone()).unwrap_or_default();
            if owned {
                self.replace(field.range.clone(), Vec::new());
            } else if !transfer::is_clean(raw) || has_bare_return(raw) {
                self.replace(field.range.clone(), encoded_field(field, self.source));
            }
        }
        if encode {
            self.leaf(entity, body);
        }
        for child in &entity.children {
            self.entity(child);
        }
    }

    /// Gives a part a new encoding, with the fields that say so.
    fn leaf(&mut self, entity: &Entity, body: &[u8]) {
        let encoding = entity.encoding(self.source);
        let mut content_type = entity.content_type.clone();
        // A message that is too deeply nested to be read cannot be encoded as one.
        if content_type.is_message() || content_type.is_multipart() {
            content_type = ContentType::new("application/octet-stream");
        }
        let content = transfer::decode(&encoding, body);
        let text = content_type.kind.starts_with("text/");
        if text {
            declare_charset(&mut content_type, &content);
        }
        let (encoding, lines) = match text && encoding != "base64" {
            true => ("quoted-printable", transfer::quoted_printable(&content)),
            false => ("base64", transfer::base64_lines(&content)),
        };
        self.encoded(entity, &content_type, encoding, lines);
    }

    /// Puts an encoded body in the place of the one there is, and the fields that say so behind the others.
    fn encoded(&mut self, entity: &Entity, content_type: &ContentType, encoding: &str, lines: String) {
        let fields = format!(
            "{}Content-Transfer-Encoding: {encoding}\r\n",
            parameter_field("Content-Type", content_type)
        );
        let end = entity.fields.last().map_or(entity.start, |field| field.range.end);
        // A part without any field may have no empty line either.
        let separator = if entity.body.start == entity.start { "\r\n" } else { "" };
        self.replace(end..end, [&fields, separator].concat().into_bytes());
        self.replace(entity.body.clone(), lines.into_bytes());
    }

    fn replace(&mut self, range: Range<usize>, bytes: Vec<u8>) {
        self.found.push((range, bytes));
    }

    pub(super) fn apply(mut self) -> Vec<u8> {
        // Stable: an insertion after a field that is replaced stays behind it.
        self.found.sort_by_key(|(range, _)| (range.start, range.end));
        let mut result = Vec::with_capacity(self.source.len());
        let mut position = 0;
        for (range, bytes) in &self.found {
            result.extend_from_slice(self.source.get(position..range.start).unwrap_or_default());
            result.extend_from_slice(bytes);
            position = position.max(range.end);
        }
        result.extend_from_slice(self.source.get(position..).unwrap_or_default());
        result
    }
}

/// Whether a field says how a body is encoded.
fn is_of_encoding(field: &Field) -> bool {
    matches!(field.name.as_str(), "content-type" | "content-transfer-encoding")
}

/// A CR that ends no line. Made a line end, it would turn the rest of a field into a field of its own.
fn has_bare_return(field: &[u8]) -> bool {
    let mut pairs = field.windows(2);
    pairs.any(|pair| pair.starts_with(b"\r") && !pair.ends_with(b"\n")) || field.last() == Some(&b'\r')
}

/// 8-bit text in a set that does not have it, or in none, gets the set that it is read as.
fn declare_charset(content_type: &mut ContentType, content: &[u8]) {
    let declared = content_type.parameter("charset").unwrap_or_default();
    if !(declared.is_empty() || declared.eq_ignore_ascii_case("us-ascii")) || content.is_ascii() {
        return;
    }
    let charset = match std::str::from_utf8(content) {
        Ok(_) => "utf-8",
        Err(_) => "windows-1252",
    };
    content_type.parameters.retain(|(name, _)| name != "charset");
    content_type.parameters.push(("charset".to_owned(), charset.to_owned()));
}

/// A field with everything encoded that is not ASCII.
fn encoded_field(field: &Field, source: &[u8]) -> Vec<u8> {
    let name = source.get(field.range.start..field.body.start).unwrap_or_default();
    let name = String::from_utf8_lossy(name);
    let name = name.trim_end_matches(':').trim_end();
    let body = source.get(field.body.clone()).unwrap_or_default();
    let line = match field.name.as_str() {
        "content-type" | "content-disposition" => match ContentType::parse(body) {
            Some(parsed) => parameter_field(name, &parsed),
            None => text_field(name, &header::text(body)),
        },
        own if ADDRESSES.contains(&own) => address_field(name, &header::addresses(body)),
        _ => text_field(name, &header::text(body)),
    };
    line.into_bytes()
}

/// `Subject: =?utf-8?B?...?=`
pub(super) fn text_field(name: &str, text: &str) -> String {
    format!("{name}: {}\r\n", encoded_words(text))
}

/// A field of mailboxes, one on a line.
pub(super) fn address_field(name: &str, addresses: &[Address]) -> String {
    let mailboxes: Vec<String> = addresses.iter().map(mailbox).collect();
    format!("{name}: {}\r\n", mailboxes.join(",\r\n "))
}

/// A mailbox with its display name encoded where needed. What cannot stand in an address is left out, so that no
/// address can end its field.
fn mailbox(address: &Address) -> String {
    let bare: String = address
        .address
        .chars()
        .map(|c| if c.is_ascii() { c } else { '?' })
        .filter(|c| !c.is_control() && !matches!(c, '<' | '>'))
        .collect();
    let Some(name) = address.display_name() else {
        return bare;
    };
    if transfer::is_clean(name.as_bytes()) && !name.contains(['\r', '\n']) {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{quoted}\" <{bare}>");
    }
    format!("{} <{bare}>", encoded_words(name))
}

/// Text as encoded-words on a line each, if it needs them.
fn encoded_words(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.is_ascii() && !text.contains("=?") {
        return text;
    }
    let mut words = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD));
        if !words.is_empty() {
            words.push_str("\r\n ");
        }
        let encoded = transfer::base64_lines(word.as_bytes());
        // Writing to a string cannot fail.
        let _ = write!(words, "=?utf-8?B?{}?=", encoded.trim_end());
        rest = after;
    }
    words
}

/// A field with parameters, one on a line; what is not ASCII as RFC 2231 has it.
pub(super) fn parameter_field(name: &str, value: &ContentType) -> String {
    let mut field = format!("{name}: {}", ascii(&value.kind));
    for (name, value) in &value.parameters {
        let name = ascii(name);
        let _ = match transfer::is_clean(value.as_bytes()) && !value.contains(['\r', '\n']) {
            true => {
                let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
                write!(field, ";\r\n {name}=\"{quoted}\"")
            }
            false => write!(field, ";\r\n {name}*=utf-8''{}", percent_encoded(value)),
        };
    }
    field.push_str("\r\n");
    field
}

fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

fn percent_encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn checked(source: &[u8]) -> String {
        let message = seven_bit(source);
        assert!(transfer::is_clean(message.as_bytes()));
        assert!(!message.replace("\r\n", "").contains(['\r', '\n']));
        assert_eq!(seven_bit(message.as_bytes()), message, "encoding twice changes nothing");
        message
    }

    #[test]
    fn clean_messages_stay_byte_for_byte() {
        let signed = "Subject: =?utf-8?Q?=C3=BC?=\r\nX-Odd:   spaces \r\nContent-Type: multipart/signed;\r\n\tboundary=\"b\"\r\n\r\npre\r\n\
            --b\r\nContent-Type: text/plain\r\n\r\nsigned  \r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\nepilogue";
        assert_eq!(checked(signed.as_bytes()), signed);
    }

    #[test]
    fn only_what_needs_it_is_encoded() {
        // source, expected
        let cases: [(&[u8], &str); 7] = [
            (b"Subject: Gr\xFC\xDFe\nTo: a@x\n\nx\n", "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nTo: a@x\r\n\r\nx\r\n"),
            (b"From: J\xC3\xBCrgen <j@x.org>\r\n\r\n", "From: =?utf-8?B?SsO8cmdlbg==?= <j@x.org>\r\n\r\n"),
            (
                b"A: b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xFC\r\n",
                "A: b\r\nContent-Type: text/plain;\r\n charset=\"iso-8859-1\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=FC\r\n",
            ),
            (
                b"A: b\r\n\r\n\xC3\xBC",
                "A: b\r\nContent-Type: text/plain;\r\n charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC",
            ),
            (
                b"A: b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\x89PN\nG",
                "A: b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBOCkc=\r\n",
            ),
            (
                b"Content-Disposition: attachment; filename=\"\xFC.txt\"\r\n\r\n",
                "Content-Disposition: attachment;\r\n filename*=utf-8''%C3%BC%2Etxt\r\n\r\n",
            ),
            (
                b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\xFC\r\n--b\r\n\r\nx\r\n--b\r\n\r\n\xFC\r\n--b--\r\n",
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n?\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: text/plain;\r\n \
                 charset=\"windows-1252\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=FC\r\n--b--\r\n",
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(checked(source), expected);
        }
    }

    #[test]
    fn names_cannot_end_their_field() {
        let evil = Address {
            name: Some("a\r\nBcc: x@y".to_owned()),
            address: "a@x>\r\nBcc: <x@y".to_owned(),
        };
        let field = address_field("From", &[evil]);
        assert_eq!(field.matches("\r\n").count(), 1, "{field}");
        assert_eq!(header::split(field.as_bytes(), 0, field.len()).0.len(), 1, "{field}");
    }

    proptest! {
        #[test]
        fn any_bytes_become_clean(source: Vec<u8>) {
            let message = seven_bit(&source);
            prop_assert!(transfer::is_clean(message.as_bytes()));
        }

        #[test]
        fn any_subject_survives(subject in "[a-z\u{e4}\u{20ac}\u{1f600}=?_ ]{1,120}") {
            let source = format!("Subject: {subject}\r\n\r\n");
            let message = seven_bit(source.as_bytes());
            let root = Entity::parse(message.as_bytes());
            let read = header::text(root.field(message.as_bytes(), "subject").expect("a subject"));
            prop_assert_eq!(read, header::text(subject.as_bytes()));
        }
    }
}
