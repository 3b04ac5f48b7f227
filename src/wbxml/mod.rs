//! WBXML as ActiveSync uses it: documents as trees of [`Element`], decoded, encoded, and shown as text.
//!
//! Knows tags and versions, not commands: what a tree means is the business of `eas` and `content`.
//! Implements [MS-ASWBXML] and the subset of WAP-192 "Binary XML Content Format" that it names.
//!
//! - [`codepage`]: the table of all tags, each with the versions that have it
//! - [`decode()`]: bytes to a tree; takes what devices send, within [`Limits`]
//! - [`encode()`]: a tree to bytes; writes only what a version has
//! - [`xml`]: a tree as text for logs, whole or redacted, and back for fixtures
//!
//! The codec is tolerant in one direction and strict in the other: an unknown tag is decoded to a value, which nobody
//! looks for, and is never encoded.

pub mod codepage;
pub mod decode;
pub mod encode;
pub mod xml;

pub use decode::{DecodeError, Limits, Reason, decode};
pub use encode::encode;

/// A tag: code page and token. An unknown one survives as a value and is shown by its numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    pub page: u8,
    /// Bits 0 to 5 of the token byte: 0x05..=0x3F.
    pub token: u8,
}

impl Tag {
    /// `Sync`, or `0x3F` for a token no version has.
    pub fn name(self) -> std::borrow::Cow<'static, str> {
        match codepage::token(self) {
            Some(token) => token.name.into(),
            None => format!("0x{:02X}", self.token).into(),
        }
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match codepage::page(self.page) {
            Some(page) => write!(f, "{}:{}", page.name, self.name()),
            None => write!(f, "{}:0x{:02X}", self.page, self.token),
        }
    }
}

/// What stands inside an element. ActiveSync has no mixed content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// `<Tag/>`; a tag that is opened and closed at once, or holds an empty string or byte array, decodes to the same.
    Empty,
    Text(String),
    /// A byte array (OPAQUE).
    Opaque(Vec<u8>),
    Children(Vec<Element>),
}

/// A tag with what stands inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub tag: Tag,
    pub content: Content,
}

impl Element {
    /// `<Tag/>`
    pub const fn empty(tag: Tag) -> Self {
        Self {
            tag,
            content: Content::Empty,
        }
    }

    /// `<Tag>text</Tag>`; an empty text makes the same as [`Element::empty`]. Characters that XML 1.0 does not have are
    /// left out when encoding.
    pub fn text(tag: Tag, text: impl Into<String>) -> Self {
        let text = text.into();
        let content = if text.is_empty() {
            Content::Empty
        } else {
            Content::Text(text)
        };
        Self { tag, content }
    }

    /// `<Tag>17</Tag>`
    pub fn number(tag: Tag, number: impl Into<i64>) -> Self {
        Self::text(tag, number.into().to_string())
    }

    /// `<Tag>1</Tag>` or `<Tag>0</Tag>`
    pub fn flag(tag: Tag, flag: bool) -> Self {
        Self::text(tag, if flag { "1" } else { "0" })
    }

    /// `<Tag>` around a byte array; an empty one makes the same as [`Element::empty`].
    pub fn opaque(tag: Tag, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let content = if bytes.is_empty() {
            Content::Empty
        } else {
            Content::Opaque(bytes)
        };
        Self { tag, content }
    }

    /// `<Tag>children</Tag>`; without children the same as [`Element::empty`].
    pub fn parent(tag: Tag, children: impl IntoIterator<Item = Self>) -> Self {
        let children: Vec<Self> = children.into_iter().collect();
        let content = if children.is_empty() {
            Content::Empty
        } else {
            Content::Children(children)
        };
        Self { tag, content }
    }

    /// Appends a child; text or bytes that stood here before are replaced.
    pub fn push(&mut self, child: Self) {
        match &mut self.content {
            Content::Children(children) => children.push(child),
            other => *other = Content::Children(vec![child]),
        }
    }

    /// Appends children.
    pub fn extend(&mut self, children: impl IntoIterator<Item = Self>) {
        for child in children {
            self.push(child);
        }
    }

    /// The children, in the order sent; none for text and empty elements.
    pub fn children(&self) -> &[Self] {
        match &self.content {
            Content::Children(children) => children,
            _ => &[],
        }
    }

    /// The first child with this tag.
    pub fn child(&self, tag: Tag) -> Option<&Self> {
        self.children().iter().find(|child| child.tag == tag)
    }

    /// All children with this tag.
    pub fn children_of(&self, tag: Tag) -> impl Iterator<Item = &Self> {
        self.children().iter().filter(move |child| child.tag == tag)
    }

    /// The text of an element; empty for `<Tag/>`. Devices send byte arrays where text is meant: those that are
    /// UTF-8 are taken as text. `None` if there are children or other bytes.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Empty => Some(""),
            Content::Text(text) => Some(text),
            Content::Opaque(bytes) => std::str::from_utf8(bytes).ok(),
            Content::Children(_) => None,
        }
    }

    /// The text of a child; `None` if there is no such child.
    pub fn child_text(&self, tag: Tag) -> Option<&str> {
        self.child(tag)?.as_text()
    }

    /// The bytes of a byte array, or of text.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.content {
            Content::Text(text) => text.as_bytes(),
            Content::Opaque(bytes) => bytes,
            Content::Empty | Content::Children(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests;
