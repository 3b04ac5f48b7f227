//! Text from devices and from OX, made fit for the other side.
//!
//! Knows nothing of properties and mails. Implements the characters a string of [MS-ASDTYPE] may hold, the address
//! forms of [MS-ASDTYPE] "E-Mail Address", and the plain text of [MS-ASAIRS] bodies of other types.

use crate::content::BodyType;
use crate::content::html;

/// More bytes than any column for a line of text holds; the columns themselves are shorter, and OX names those that
/// are not long enough.
const LONGEST_LINE: usize = 4096;

/// Without control characters and surrounding blanks, lines ended by LF.
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text.chars().filter(|character| is_allowed(*character)).collect();
    text.trim().to_owned()
}

/// The same, not longer than a line of text may be.
pub fn line(text: &str) -> String {
    let mut text = clean(text);
    text.truncate(text.floor_char_boundary(LONGEST_LINE));
    text
}

/// `"Name" <a@example.com>` becomes `a@example.com`; what has no angle brackets stays.
pub fn bare_address(text: &str) -> &str {
    let inside = text
        .trim()
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'))
        .map(|(_, address)| address.trim());
    inside.filter(|address| !address.is_empty()).unwrap_or(text)
}

/// The plain text of a body, lines ended by LF; `None` for a type that has none we can read: RTF and MIME.
pub fn plain(kind: BodyType, body: &str) -> Option<String> {
    match kind {
        BodyType::Plain => Some(clean(body)),
        BodyType::Html => Some(clean(&html::to_text(body))),
        BodyType::Rtf | BodyType::Mime => None,
    }
}

/// The first characters of a text, white space folded, without the invisible characters that newsletters pad with.
pub fn preview(text: &str, characters: usize) -> String {
    let invisible = |c: &char| matches!(c, '\u{AD}' | '\u{34F}' | '\u{200B}' | '\u{200C}' | '\u{FEFF}');
    let mut preview = String::new();
    let words = text
        .split_whitespace()
        .map(|word| word.chars().filter(|c| !invisible(c)).collect::<String>());
    for word in words.filter(|word| !word.is_empty()) {
        if !preview.is_empty() {
            preview.push(' ');
        }
        preview.push_str(&word);
        // No character has more than four bytes.
        if preview.len() > characters * 4 {
            break;
        }
    }
    preview
        .chars()
        .take(characters)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// [XML 1.0] Char, less the controls of the second range, which no device shows.
fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => !character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cleaning_keeps_what_can_be_read() {
        let cases = [
            (" two\r\nlines\r", "two\nlines"),
            ("bell\u{7} and \u{0}nul", "bell and nul"),
            ("tab\there", "tab\there"),
            ("\u{FFFE}\u{FFFF}\u{85}", ""),
            ("Zoë 🎂", "Zoë 🎂"),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected, "{text:?}");
        }
        // Two bytes a letter, and an odd number of bytes before them.
        assert_eq!(line(&format!("a{}", "ä".repeat(LONGEST_LINE))).len(), LONGEST_LINE - 1);
    }

    #[test]
    fn addresses_lose_their_names() {
        let cases = [
            ("\"Doe, John\" <john@example.com>", "john@example.com"),
            ("John <john@example.com> ", "john@example.com"),
            ("<john@example.com>", "john@example.com"),
            ("a < b <john@example.com>", "john@example.com"),
            ("john@example.com", "john@example.com"),
            ("john <>", "john <>"),
            ("not an address", "not an address"),
        ];
        for (text, expected) in cases {
            assert_eq!(bare_address(text), expected, "{text:?}");
        }
    }

    #[test]
    fn bodies_become_plain_text() {
        let html = "<html><body><p>First &amp; <b>second</b></p><p>third<br>fourth</p></body></html>";
        assert_eq!(plain(BodyType::Html, html).unwrap(), "First & second\n\nthird\nfourth");
        assert_eq!(plain(BodyType::Plain, "a\r\nb").unwrap(), "a\nb");
        assert_eq!(plain(BodyType::Rtf, "e1xydGYx"), None);
    }

    #[test]
    fn previews() {
        assert_eq!(preview(" a\r\n\t b\u{AD}c \u{34F} d ", 255), "a bc d");
        assert_eq!(preview("\u{fc}\u{fc} \u{fc}\u{fc}", 3), "\u{fc}\u{fc}");
        assert_eq!(preview("x", 0), "");
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>()) {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once);
        }
    }
}
