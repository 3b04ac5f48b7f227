//! Content-Transfer-Encoding and character sets: bytes of a part to text, and text or bytes to 7-bit lines.
//!
//! Lenient when reading, strict when writing. Knows nothing of parts and headers. Implements RFC 2045
//! "Content-Transfer-Encoding Header Field" and RFC 2046 "Charset Parameter".

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding;
use encoding_rs::ISO_2022_JP;
use encoding_rs::UTF_8;
use encoding_rs::WINDOWS_1252;
use mail_parser::decoders::charsets::map::charset_decoder;

/// RFC 2045: lines of encoded data are at most 76 characters long.
const LINE: usize = 76;

/// Base64 without padding and with leftover bits: what cut-off mail ends in.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Undoes a Content-Transfer-Encoding; unknown ones are taken as none. What does not belong is skipped.
pub(super) fn decode<'a>(encoding: &str, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    if encoding.eq_ignore_ascii_case("base64") {
        return decode_base64(bytes).into();
    }
    if encoding.eq_ignore_ascii_case("quoted-printable") {
        return decode_quoted_printable(bytes).into();
    }
    bytes.into()
}

/// Base64 up to the first padding; other characters are skipped, a last incomplete group gives what it holds.
pub(super) fn decode_base64(bytes: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = bytes
        .iter()
        .copied()
        .take_while(|byte| *byte != b'=')
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .collect();
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    LENIENT.decode(&digits).unwrap_or_default()
}

fn decode_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let ending: &[u8] = match line {
            [.., b'\r', b'\n'] => b"\r\n",
            [.., b'\n'] => b"\n",
            _ => b"",
        };
        // White space before a line end was added on the way.
        let text = line.trim_ascii_end();
        match text.strip_suffix(b"=") {
            Some(soft) => decode_escapes(soft, &mut decoded),
            None => {
                decode_escapes(text, &mut decoded);
                decoded.extend_from_slice(ending);
            }
        }
    }
    decoded
}

/// The Q encoding of encoded-words: quoted-printable with `_` for a space.
pub(super) fn decode_q(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    decode_escapes(text.replace('_', " ").as_bytes(), &mut decoded);
    decoded
}

/// `=41` to `A`; an equals sign that starts no escape stays.
fn decode_escapes(text: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match after {
            [high, low, after @ ..] if byte == b'=' => hex(*high).zip(hex(*low)).zip(Some(after)),
            _ => None,
        };
        match escaped {
            Some(((high, low), after)) => {
                decoded.push(high << 4 | low);
                rest = after;
            }
            None => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
}

pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Text of a declared character set. Without one, with an unknown one, or where the bytes contradict it: UTF-8 if they
/// are, else Windows-1252, which is what undeclared 8-bit mail mostly is.
pub(super) fn decode_charset(bytes: &[u8], label: Option<&str>) -> String {
    let label = label.map(str::trim).filter(|label| !label.is_empty());
    match label.and_then(|label| Encoding::for_label(label.as_bytes())) {
        // The label registry maps US-ASCII and ISO-8859-1 to Windows-1252, and mail lies about both.
        Some(encoding) if encoding != UTF_8 && encoding != WINDOWS_1252 => encoding.decode(bytes).0.into_owned(),
        Some(_) => guess(bytes),
        // UTF-7 and other sets that the web has given up.
        None => match label.and_then(|label| charset_decoder(label.as_bytes())) {
            Some(decoder) => decoder(bytes),
            None => guess(bytes),
        },
    }
}

/// Text of an undeclared character set.
pub(super) fn guess(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let japanese = ["\x1b$B", "\x1b$@", "\x1b(J"]
            .iter()
            .any(|escape| text.contains(escape));
        if !japanese {
            return text.to_owned();
        }
        return ISO_2022_JP.decode(bytes).0.into_owned();
    }
    WINDOWS_1252.decode(bytes).0.into_owned()
}

/// Whether every byte can stand in a message that is handed on as text: ASCII without control characters other than
/// tab and line ends.
pub(super) fn is_clean(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | 0x20..=0x7E))
}

/// Base64 in lines ended by CR LF.
pub(super) fn base64_lines(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE * 2 + 2);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        lines.push_str(line);
        lines.push_str("\r\n");
        rest = after;
    }
    lines
}

/// Quoted-printable of text: line ends become CR LF, everything that is not clean ASCII is escaped.
pub(super) fn quoted_printable(text: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len() + text.len() / 2);
    let mut lines = lines(text).peekable();
    while let Some(line) = lines.next() {
        let mut column = 0;
        for (index, byte) in line.iter().enumerate() {
            let last = index + 1 == line.len();
            let literal = matches!(byte, 0x21..=0x3C | 0x3E..=0x7E) || (matches!(byte, b' ' | b'\t') && !last);
            let width = if literal { 1 } else { 3 };
            if column + width > LINE - 1 {
                encoded.push_str("=\r\n");
                column = 0;
            }
            if literal {
                encoded.push(char::from(*byte));
            } else {
                encoded.push_str(&format!("={byte:02X}"));
            }
            column += width;
        }
        if lines.peek().is_some() {
            encoded.push_str("\r\n");
        }
    }
    encoded
}

/// Lines without their ends, whatever ends them. Text that ends with a line end has an empty last line.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            rest = None;
            return Some(text);
        };
        let (line, after) = text.split_at(end);
        let width = if after.starts_with(b"\r\n") { 2 } else { 1 };
        rest = after.get(width..);
        Some(line)
    })
}

/// The same bytes with every line ended by CR LF.
pub(super) fn crlf(bytes: &[u8]) -> Vec<u8> {
    let mut normal = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let mut lines = lines(bytes).peekable();
    while let Some(line) = lines.next() {
        normal.extend_from_slice(line);
        if lines.peek().is_some() {
            normal.extend_from_slice(b"\r\n");
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn broken_encodings_give_what_they_hold() {
        // encoding, bytes, expected
        let cases: [(&str, &[u8], &[u8]); 9] = [
            ("base64", b"SGFsbG8=", b"Hallo"),
            ("BASE64", b"SGFs\r\nbG8", b"Hallo"),
            ("base64", b"SGFs!bG8*=\r\n", b"Hallo"),
            ("base64", b"SGFsbG8hI", b"Hallo!"),
            (
                "quoted-printable",
                b"Gr=C3=BC=\r\n=C3=9Fe \t\r\nx",
                "Gr\u{fc}\u{df}e\r\nx".as_bytes(),
            ),
            ("quoted-printable", b"1+1=2, =XY =3", b"1+1=2, =XY =3"),
            ("quoted-printable", b"cut=", b"cut"),
            ("7bit", b"=41", b"=41"),
            ("x-unknown", b"\xFF", b"\xFF"),
        ];
        for (encoding, bytes, expected) in cases {
            assert_eq!(
                &*decode(encoding, bytes),
                expected,
                "{encoding} {:?}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn charsets_declared_wrong_or_not_at_all() {
        // bytes, label, expected
        let cases: [(&[u8], Option<&str>, &str); 9] = [
            (b"Gr\xFC\xDFe", Some("iso-8859-1"), "Gr\u{fc}\u{df}e"),
            (b"\x80 5", Some("windows-1252"), "\u{20ac} 5"),
            (b"Gr\xFC\xDFe", None, "Gr\u{fc}\u{df}e"),
            ("Gr\u{fc}\u{df}e".as_bytes(), Some("us-ascii"), "Gr\u{fc}\u{df}e"),
            (b"Gr\xFC\xDFe", Some("utf-8"), "Gr\u{fc}\u{df}e"),
            (b"\xF0\xD2\xC9", Some("KOI8-R"), "\u{41f}\u{440}\u{438}"),
            (b"\x1b$B$3$s\x1b(B", Some("iso-2022-jp"), "\u{3053}\u{3093}"),
            (b"\x1b$B$3$s\x1b(B", None, "\u{3053}\u{3093}"),
            (b"Hi +AOk-", Some("utf-7"), "Hi \u{e9}"),
        ];
        for (bytes, label, expected) in cases {
            assert_eq!(decode_charset(bytes, label), expected, "{label:?}");
        }
    }

    proptest! {
        #[test]
        fn encodings_survive_a_round_trip(bytes: Vec<u8>) {
            let lines = base64_lines(&bytes);
            prop_assert!(is_clean(lines.as_bytes()) && lines.lines().all(|line| line.len() <= LINE));
            prop_assert_eq!(&*decode("base64", lines.as_bytes()), &bytes[..]);
            let lines = quoted_printable(&bytes);
            prop_assert!(is_clean(lines.as_bytes()) && lines.lines().all(|line| line.len() <= LINE));
            prop_assert_eq!(&*decode("quoted-printable", lines.as_bytes()), crlf(&bytes));
        }
    }
}
