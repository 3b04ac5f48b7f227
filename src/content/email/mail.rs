//! A mail as the gateway sees it, whichever way it was read: the one form between OX and ActiveSync.
//!
//! Decoded and bounded; no JSON, no MIME, no WBXML. [`Mail::from_json`](super::Mail::from_json) and
//! [`Mail::from_source`](super::Mail::from_source) fill it, `to_eas` shows it.

use crate::content::email::address::Address;
use crate::content::email::header::ContentType;
use crate::content::email::transfer;

/// Bits of the OX column `flags`.
pub mod flags {
    pub const ANSWERED: u32 = 1;
    pub const DRAFT: u32 = 4;
    pub const FLAGGED: u32 = 8;
    pub const SEEN: u32 = 32;
    pub const FORWARDED: u32 = 256;
}

/// What the list of a folder knows about a mail and its source does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// EAS CollectionId of the folder: the first part of a FileReference.
    pub collection_id: String,
    /// OX id of the mail within its folder.
    pub id: String,
    /// OX column `flags`.
    pub flags: u32,
    /// OX column `received_date`: milliseconds since 1970.
    pub received: Option<i64>,
}

/// A mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    pub envelope: Envelope,
    pub from: Vec<Address>,
    pub sender: Option<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub bcc: Vec<Address>,
    pub reply_to: Vec<Address>,
    pub subject: String,
    /// The Date header: milliseconds since 1970.
    pub sent: Option<i64>,
    pub importance: Importance,
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// Message ids of the thread, its root first, without the mail itself.
    pub references: Vec<String>,
    /// The Thread-Index header of Outlook, decoded.
    pub thread_index: Option<Vec<u8>>,
    /// Type of the whole mail; unknown from some OX versions.
    pub(super) content_type: Option<ContentType>,
    /// Everything that is not a multipart, in order.
    pub(super) parts: Vec<Part>,
    /// The RFC 5322 source, if that is what was read.
    pub source: Option<Vec<u8>>,
}

impl Mail {
    /// The type of a part, by its id at OX.
    pub fn type_of(&self, part_id: &str) -> Option<&str> {
        let part = self.parts.iter().find(|part| part.id == part_id)?;
        Some(&part.content_type.kind)
    }

    pub(super) fn has(&self, flag: u32) -> bool {
        self.envelope.flags & flag != 0
    }

    /// Whether the mail is of this type, parameters aside.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.content_type.as_ref().is_some_and(|own| own.is(kind))
    }

    /// The first part of one of these types.
    pub(super) fn part(&self, kinds: &[&str]) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| kinds.contains(&part.content_type.kind.as_str()))
    }
}

/// [MS-ASEMAIL] Importance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Importance {
    Low = 0,
    #[default]
    Normal = 1,
    High = 2,
}

impl Importance {
    /// From X-Priority and the OX column `priority`: 1 is highest, 5 lowest, everything else no priority at all.
    pub(super) const fn from_priority(priority: i64) -> Self {
        match priority {
            1 | 2 => Self::High,
            4 | 5 => Self::Low,
            _ => Self::Normal,
        }
    }
}

/// A part that is not a multipart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// As OX names it: `1`, `2.1`.
    pub id: String,
    pub content_type: ContentType,
    pub disposition: Disposition,
    pub file_name: Option<String>,
    /// Without angle brackets.
    pub content_id: Option<String>,
    pub location: Option<String>,
    /// Decoded size in bytes; `None` if unknown.
    pub size: Option<u64>,
    /// The text of `text/*` and `message/delivery-status`, decoded; `None` where the reader had none.
    pub text: Option<String>,
    /// Parts with the same number are forms of one text.
    pub alternative: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Disposition {
    #[default]
    Inline,
    Attachment,
}

impl Part {
    /// Takes the content of a text, decoded but for its charset.
    pub(super) fn set_text(&mut self, bytes: &[u8]) {
        let text = transfer::decode_charset(bytes, self.content_type.parameter("charset"));
        self.text = Some(text);
    }

    /// Plain text or HTML that is part of what the reader sees. A name alone makes no attachment of the first part:
    /// some senders name the body.
    pub(super) fn is_body(&self) -> bool {
        let kind = self.content_type.kind.as_str();
        let named = self.file_name.is_some() && !matches!(self.id.as_str(), "1" | "1.1");
        matches!(kind, "text/plain" | "text/html") && self.disposition == Disposition::Inline && !named
    }

    pub(super) fn is_html(&self) -> bool {
        self.content_type.is("text/html")
    }

    /// S/MIME or PGP: of no use to the reader once the signed text is shown.
    pub(super) fn is_signature(&self) -> bool {
        matches!(
            self.content_type.kind.as_str(),
            "application/pkcs7-signature" | "application/x-pkcs7-signature" | "application/pgp-signature"
        )
    }
}
