//! What an item is on both sides: ApplicationData for the device, objects and columns for OX.
//!
//! The only module that speaks both languages. Pure: no I/O, no clock; it sees `wbxml` elements and `ox` objects,
//! never the client. Implements the class documents [MS-ASCNTC], [MS-ASTASK], [MS-ASCAL], [MS-ASEMAIL] and
//! [MS-ASAIRS] for bodies and attachments.

use jiff::tz::TimeZone;

use crate::quirk::Quirks;
use crate::version::ProtocolVersion;

pub mod agreed;
pub mod birthday;
pub mod body;
pub mod calendar;
pub mod contacts;
pub mod date;
pub mod email;
pub mod gal;
pub mod html;
pub mod itip;
pub mod judged;
pub mod merge;
pub mod oof;
pub mod property;
pub mod recurrence;
pub mod stub;
pub mod tasks;
pub mod text;
pub mod typed;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod sameness;

/// The classes of items that are synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Email,
    Calendar,
    Contacts,
    Tasks,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Email, Self::Calendar, Self::Contacts, Self::Tasks];

    /// As in `AirSync:Class`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "Email",
            Self::Calendar => "Calendar",
            Self::Contacts => "Contacts",
            Self::Tasks => "Tasks",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// Whose items are converted, for which device, at what time.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub version: ProtocolVersion,
    pub quirks: Quirks,
    pub user: &'a User,
    pub bodies: &'a BodyOptions,
    /// Milliseconds since 1970, UTC.
    pub now: i64,
}

/// What OX says about the user.
#[derive(Clone, Debug)]
pub struct User {
    /// OX user id.
    pub id: i64,
    /// Display name.
    pub name: String,
    /// Primary address.
    pub address: String,
    /// All own addresses, the primary one included.
    pub addresses: Vec<String>,
    pub zone: TimeZone,
}

impl User {
    /// Whether an address is one of the user's own; letter case does not matter.
    pub fn owns(&self, address: &str) -> bool {
        self.addresses.iter().any(|own| own.eq_ignore_ascii_case(address))
    }
}

/// What a device wants to see of bodies: the Options of a collection, or of one Fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyOptions {
    /// In the order sent; at most one a type. Empty in 2.5.
    pub preferences: Vec<BodyPreference>,
    /// [MS-ASAIRS] BodyPartPreference, of HTML: wanted beside the body, or in its place where no type is listed.
    pub part: Option<BodyPreference>,
    /// [MS-ASCMD] MIMESupport: 0 never, 1 S/MIME messages only, 2 always.
    pub mime_support: u8,
    /// 2.5: the largest plain text in bytes, from Truncation; `None` is no limit.
    pub truncation: Option<u64>,
    /// 2.5: the largest MIME in bytes, from MIMETruncation; `None` is no limit.
    pub mime_truncation: Option<u64>,
}

/// [MS-ASAIRS] BodyPreference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyPreference {
    pub kind: BodyType,
    /// In bytes of UTF-8; `None` is no limit, 0 asks for no data at all.
    pub truncation_size: Option<u64>,
    pub all_or_none: bool,
    /// Characters of plain text, at most 255.
    pub preview: Option<u8>,
}

/// [MS-ASAIRS] Type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyType {
    Plain = 1,
    Html = 2,
    Rtf = 3,
    Mime = 4,
}

impl BodyType {
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Plain, Self::Html, Self::Rtf, Self::Mime]
            .into_iter()
            .find(|kind| *kind as i64 == code)
    }
}

/// Why one item cannot be converted: for the log, and for the Status of that item alone. Names the property,
/// never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unconvertible(pub String);

/// The top-level properties a Change may leave out without deleting them ([MS-ASCMD] Supported).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ghosted {
    /// The device sent no Supported: what it omits is deleted.
    #[default]
    Nothing,
    /// The device sent Supported: everything that is not listed is kept when omitted. An empty list ghosts all.
    AllBut(Vec<crate::wbxml::Tag>),
    /// From 16.0 on, whatever was sent: omission never deletes.
    Everything,
}

impl Ghosted {
    /// Whether omitting this property keeps it.
    pub fn keeps(&self, tag: crate::wbxml::Tag) -> bool {
        match self {
            Self::Nothing => false,
            Self::AllBut(supported) => !supported.contains(&tag),
            Self::Everything => true,
        }
    }
}
