//! A tree of elements as text, in full or redacted.

use std::collections::BTreeSet;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{local_name, page_name, redact};
use crate::wbxml::encode::is_xml;
use crate::wbxml::{Content, Element};

/// How much a text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Everything: for the eyes of the user whose data it is, and for fixtures.
    Full,
    /// Structure, numbers and states; of what people write or own, only the size.
    Redacted,
}

/// One element a line, indented by two spaces, with a line break after the last.
pub fn to_text(root: &Element, detail: Detail) -> String {
    let mut printer = Printer {
        detail,
        root_page: root.tag.page,
        out: String::new(),
    };
    printer.element(root, &declarations(root), 0);
    printer.out
}

/// `xmlns` of the root's page and of every other page in use.
fn declarations(root: &Element) -> String {
    fn collect(element: &Element, pages: &mut BTreeSet<u8>) {
        pages.insert(element.tag.page);
        for child in element.children() {
            collect(child, pages);
        }
    }
    let mut pages = BTreeSet::new();
    collect(root, &mut pages);
    pages.remove(&root.tag.page);

    let mut declarations = format!(" xmlns=\"{}\"", page_name(root.tag.page));
    for page in pages.into_iter().map(page_name) {
        declarations += &format!(" xmlns:{page}=\"{page}\"");
    }
    declarations
}

struct Printer {
    detail: Detail,
    /// Names of this page have no prefix.
    root_page: u8,
    out: String,
}

impl Printer {
    fn element(&mut self, element: &Element, attributes: &str, depth: usize) {
        let mut name = local_name(element.tag);
        if element.tag.page != self.root_page {
            name = format!("{}:{name}", page_name(element.tag.page)).into();
        }
        let indent = "  ".repeat(depth);
        self.out += &format!("{indent}<{name}{attributes}");
        match &element.content {
            content if is_empty(content) => self.out += "/>\n",
            Content::Children(children) => {
                self.out += ">\n";
                for child in children {
                    self.element(child, "", depth + 1);
                }
                self.out += &format!("{indent}</{name}>\n");
            }
            _ if self.hides(element) => {
                self.out += &format!(" bytes=\"{}\"/>\n", element.as_bytes().len());
            }
            Content::Opaque(bytes) => {
                self.out += &format!(" encoding=\"base64\">{}</{name}>\n", BASE64.encode(bytes));
            }
            Content::Text(text) => {
                self.out.push('>');
                self.text(text);
                self.out += &format!("</{name}>\n");
            }
            Content::Empty => {}
        }
    }

    fn hides(&self, element: &Element) -> bool {
        let quotable = matches!(element.content, Content::Text(_)) && redact::is_plain(element.tag);
        self.detail == Detail::Redacted && !quotable
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.out += "&amp;",
                '<' => self.out += "&lt;",
                '>' => self.out += "&gt;",
                _ if !is_xml(character) => self.out.push(char::REPLACEMENT_CHARACTER),
                _ if character.is_control() || breaks_line(character) => {
                    // Writing to a String cannot fail.
                    let _ = write!(self.out, "&#x{:X};", u32::from(character));
                }
                _ => self.out.push(character),
            }
        }
    }
}

const fn is_empty(content: &Content) -> bool {
    match content {
        Content::Empty => true,
        Content::Text(text) => text.is_empty(),
        Content::Opaque(bytes) => bytes.is_empty(),
        Content::Children(children) => children.is_empty(),
    }
}

/// LINE SEPARATOR and PARAGRAPH SEPARATOR, which are no control characters.
const fn breaks_line(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wbxml::Tag;
    use crate::wbxml::codepage::{airsync, composemail, email, folderhierarchy};

    #[test]
    fn a_document_in_full_and_redacted() {
        let data = [
            Element::text(email::SUBJECT, "Fish & <chips>"),
            Element::flag(email::READ, false),
            Element::empty(email::FLAG),
            Element::opaque(composemail::MIME, [0xFF, 0x00]),
            Element::text(Tag { page: 254, token: 0x05 }, "x"),
            Element::empty(Tag { page: 2, token: 0x04 }),
        ];
        let root = Element::parent(
            airsync::SYNC,
            [
                Element::number(airsync::SYNC_KEY, 7),
                Element::parent(airsync::APPLICATION_DATA, data),
            ],
        );
        let full = r#"<Sync xmlns="AirSync" xmlns:Email="Email" xmlns:ComposeMail="ComposeMail" xmlns:page254="page254">
  <SyncKey>7</SyncKey>
  <ApplicationData>
    <Email:Subject>Fish &amp; &lt;chips&gt;</Email:Subject>
    <Email:Read>0</Email:Read>
    <Email:Flag/>
    <ComposeMail:Mime encoding="base64">/wA=</ComposeMail:Mime>
    <page254:token05>x</page254:token05>
    <Email:token04/>
  </ApplicationData>
</Sync>
"#;
        assert_eq!(to_text(&root, Detail::Full), full);
        let redacted = full
            .replace(">Fish &amp; &lt;chips&gt;</Email:Subject>", " bytes=\"14\"/>")
            .replace(" encoding=\"base64\">/wA=</ComposeMail:Mime>", " bytes=\"2\"/>")
            .replace(">x</page254:token05>", " bytes=\"1\"/>");
        assert_eq!(to_text(&root, Detail::Redacted), redacted);
    }

    #[test]
    fn no_text_breaks_a_line() {
        // text, as shown
        let cases = [
            ("a\r\nb\tc", "a&#xD;&#xA;b&#x9;c"),
            ("\u{85}\u{2028}\u{2029}\u{7F}", "&#x85;&#x2028;&#x2029;&#x7F;"),
            ("a\0b\u{FFFF}", "a\u{FFFD}b\u{FFFD}"),
            ("]]>\"'", "]]&gt;\"'"),
            (" \u{A0} ", " \u{A0} "),
        ];
        for (text, shown) in cases {
            let root = Element::text(folderhierarchy::DISPLAY_NAME, text);
            let expected = format!("<DisplayName xmlns=\"FolderHierarchy\">{shown}</DisplayName>\n");
            assert_eq!(to_text(&root, Detail::Full), expected);
        }
    }

    #[test]
    fn the_forms_of_empty_look_the_same() {
        let contents = [
            Content::Empty,
            Content::Text(String::new()),
            Content::Opaque(Vec::new()),
            Content::Children(Vec::new()),
        ];
        for content in contents {
            let tag = airsync::SYNC;
            assert_eq!(
                to_text(&Element { tag, content }, Detail::Redacted),
                "<Sync xmlns=\"AirSync\"/>\n"
            );
        }
    }
}
