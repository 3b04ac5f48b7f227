//! Invitations: meetings as they travel in mails between calendars of any make.
//!
//! `read` takes an iCalendar text apart, `write` makes one, `pattern` joins its RRULE with the recurrences of
//! [`content::recurrence`](crate::content::recurrence), and `mail` makes the messages that carry one. What a device is shown of
//! an invitation is the business of [`content::email`](crate::content::email), what OX keeps of it that of
//! [`content::calendar`](crate::content::calendar); nothing here knows ActiveSync. Implements RFC 5545 (iCalendar), RFC 5546
//! (iTIP) and RFC 6047 (iMIP) as far as one event goes: to-dos, free/busy and journals are none of ours.

use jiff::tz::TimeZone;

use crate::content::User;
use crate::content::recurrence::Recurrence;

mod mail;
mod pattern;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use mail::forward;
pub use mail::original;
pub use mail::proposal;
pub use mail::reply;

/// [RFC 5546] What the sender wants of the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// An invitation, or a newer version of one.
    Request,
    /// The meeting, or one occurrence of it, does not take place.
    Cancel,
    /// What an attendee has answered.
    Reply,
    /// An attendee wants another time.
    Counter,
}

/// Method and its name in iCalendar and in the Content-Type of a mail.
const METHODS: [(Method, &str); 4] = [
    (Method::Request, "REQUEST"),
    (Method::Cancel, "CANCEL"),
    (Method::Reply, "REPLY"),
    (Method::Counter, "COUNTER"),
];

impl Method {
    pub fn from_name(name: &str) -> Option<Self> {
        let row = METHODS.iter().find(|(_, own)| own.eq_ignore_ascii_case(name.trim()));
        row.map(|(method, _)| *method)
    }

    pub fn name(self) -> &'static str {
        let row = METHODS.iter().find(|(method, _)| *method == self);
        row.map_or("REQUEST", |(_, name)| name)
    }
}

/// [RFC 5545] PARTSTAT, as far as OX and ActiveSync tell answers apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    #[default]
    None,
    Accepted,
    Declined,
    Tentative,
}

/// Answer, PARTSTAT, OX's `confirmation`.
const ANSWERS: [(Answer, &str, i64); 4] = [
    (Answer::None, "NEEDS-ACTION", 0),
    (Answer::Accepted, "ACCEPTED", 1),
    (Answer::Declined, "DECLINED", 2),
    (Answer::Tentative, "TENTATIVE", 3),
];

impl Answer {
    /// PARTSTAT; what is not listed counts as no answer.
    fn from_name(name: &str) -> Self {
        let row = ANSWERS.iter().find(|(_, own, _)| own.eq_ignore_ascii_case(name));
        row.map(|(answer, ..)| *answer).unwrap_or_default()
    }

    fn name(self) -> &'static str {
        let row = ANSWERS.iter().find(|(answer, ..)| *answer == self);
        row.map_or("NEEDS-ACTION", |(_, name, _)| name)
    }

    pub fn from_ox(confirmation: i64) -> Self {
        let row = ANSWERS.iter().find(|(.., own)| *own == confirmation);
        row.map(|(answer, ..)| *answer).unwrap_or_default()
    }

    /// OX's `confirmation`.
    pub fn to_ox(self) -> i64 {
        let row = ANSWERS.iter().find(|(answer, ..)| *answer == self);
        row.map_or(0, |(.., confirmation)| *confirmation)
    }
}

/// Somebody with an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Empty if nobody told.
    pub name: String,
    pub address: String,
}

/// Somebody who is invited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attendee {
    pub person: Person,
    pub answer: Answer,
    /// RSVP, where it is said.
    pub rsvp: Option<bool>,
}

/// When a meeting is. Of whole days `start` and `end` are days, 00:00 UTC; else instants. Milliseconds since 1970; the end is
/// exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    pub all_day: bool,
    pub start: i64,
    pub end: i64,
}

/// [RFC 5545] CLASS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    #[default]
    Public,
    Private,
    Confidential,
}

/// How the time of the meeting shall be shown, by TRANSP and by Outlook's property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Busy {
    Free,
    Tentative,
    #[default]
    Busy,
    OutOfOffice,
    WorkingElsewhere,
}

/// One event: a meeting, a series of meetings, or one occurrence of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    pub uid: String,
    /// Grows with each new version of the meeting.
    pub sequence: i64,
    /// When this version was made; milliseconds since 1970.
    pub stamp: Option<i64>,
    pub period: Period,
    /// In which the times are meant and the series is calculated.
    pub zone: TimeZone,
    /// The original start of the one occurrence that is meant: a day if `all_day`, else an instant.
    pub occurrence: Option<i64>,
    /// `None` for a single meeting, and for a pattern that neither OX nor a device can express.
    pub recurrence: Option<Recurrence>,
    pub organizer: Option<Person>,
    pub attendees: Vec<Attendee>,
    pub summary: String,
    pub location: String,
    pub description: String,
    /// Seconds before the start.
    pub reminder: Option<i64>,
    pub visibility: Visibility,
    pub busy: Busy,
    pub allows_counter: bool,
}

/// An event and what is wanted with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub method: Method,
    pub meeting: Meeting,
}

impl Meeting {
    pub fn is_organized_by(&self, user: &User) -> bool {
        self.organizer
            .as_ref()
            .is_some_and(|organizer| user.owns(&organizer.address))
    }

    /// The user's own entry among the invited.
    pub fn own(&self, user: &User) -> Option<&Attendee> {
        self.attendees
            .iter()
            .find(|attendee| user.owns(&attendee.person.address))
    }
}
