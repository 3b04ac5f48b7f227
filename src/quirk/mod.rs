//! Quirks: where a device gets something else than the documents say, because it is known not to cope with what they say.
//!
//! Pure data, and the finding of it. [`table`] has one row for each known peculiarity: whom it applies to, what is bent, and
//! why. From who a device says it is ([`Identity`]) follows a set of [`Bend`]s, made once a request and handed down like
//! the protocol version; whoever bends asks the set, and nobody else knows the names of devices. What is right for all
//! devices is no quirk and has no row. Rows are read by administrators in `docs/quirks.md`, which a test keeps equal to the
//! table; beside the rows it lists the peculiarities that need none.

pub mod identity;
pub mod table;

#[cfg(test)]
mod answers;
#[cfg(test)]
mod document;

use std::time::Duration;

pub use identity::Identity;

use crate::quirk::table::ROWS;
use crate::quirk::table::Row;

/// What is bent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bend {
    /// The device only tries whether it gets in: nothing of it is kept.
    OnlyTries,
    /// Of calendars it gets the default one.
    OneCalendar,
    /// Of folders of contacts it gets the default one.
    OneContacts,
    /// Of folders of tasks it gets the default one.
    OneTasks,
    /// Birthdays are written at 08:00 UTC.
    BirthdaysAt8,
    /// Birthdays are written at 11:00 UTC.
    BirthdaysAt11,
    /// GetItemEstimate answers a key that is not known by success and one change.
    EstimatesAnyKey,
    /// An answer to Sync is put together for at most 85 seconds.
    Waits85Seconds,
    /// An answer to Sync is put together for at most 240 seconds.
    Waits240Seconds,
    /// Status 12 of a collection stands for the whole Sync.
    TreeChangedAtTheTop,
    /// People of the address book have FirstName and LastName, if only empty ones.
    PeopleHaveBothNames,
    /// What a contact lacks is said by empty elements.
    EmptyElementsClear,
    /// The device carries out its moves of mails itself, and is not told of them again.
    MovesMailsItself,
    /// The answer to a meeting request is mailed by the server, whatever the version.
    ServerMailsReplies,
}

impl Bend {
    /// All of them, in the order of the enum.
    pub const ALL: [Self; 14] = [
        Self::OnlyTries,
        Self::OneCalendar,
        Self::OneContacts,
        Self::OneTasks,
        Self::BirthdaysAt8,
        Self::BirthdaysAt11,
        Self::EstimatesAnyKey,
        Self::Waits85Seconds,
        Self::Waits240Seconds,
        Self::TreeChangedAtTheTop,
        Self::PeopleHaveBothNames,
        Self::EmptyElementsClear,
        Self::MovesMailsItself,
        Self::ServerMailsReplies,
    ];
}

/// Hours of UTC at which birthdays are written; 0 where no bend says otherwise.
const BIRTHDAYS: [(Bend, i64); 2] = [(Bend::BirthdaysAt8, 8), (Bend::BirthdaysAt11, 11)];

/// How long devices wait for an answer that does not wait itself, in seconds, less what the way takes.
const PATIENCE: [(Bend, u64); 2] = [(Bend::Waits85Seconds, 85), (Bend::Waits240Seconds, 240)];

/// Many devices give up after 30 seconds, and nobody knows which.
const LEAST_PATIENCE: u64 = 28;

/// A set of bends: what is bent for one device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks(u32);

impl Quirks {
    /// Nothing is bent.
    pub const NONE: Self = Self(0);

    /// What is bent for a device that says it is this.
    pub fn of(identity: &Identity<'_>) -> Self {
        Self::by(ROWS, identity)
    }

    /// The same by other rows: tests take one away.
    pub fn by<'a>(rows: impl IntoIterator<Item = &'a Row>, identity: &Identity<'_>) -> Self {
        let bends = rows.into_iter().flat_map(|row| row.bends(identity));
        bends.fold(Self::NONE, |quirks, bend| quirks.with(*bend))
    }

    #[must_use]
    pub const fn with(self, bend: Bend) -> Self {
        Self(self.0 | 1 << bend as u32)
    }

    pub const fn has(self, bend: Bend) -> bool {
        self.0 & (1 << bend as u32) != 0
    }

    /// The hour of UTC at which birthdays are written.
    pub fn birthday_hour(self) -> i64 {
        self.first(&BIRTHDAYS).unwrap_or(0)
    }

    /// How long an answer to Sync may be put together.
    pub fn patience(self) -> Duration {
        Duration::from_secs(self.first(&PATIENCE).unwrap_or(LEAST_PATIENCE))
    }

    fn first<T: Copy>(self, values: &[(Bend, T)]) -> Option<T> {
        values.iter().find(|(bend, _)| self.has(*bend)).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in() {
        for bend in Bend::ALL {
            assert!(!Quirks::NONE.has(bend));
            let one = Quirks::NONE.with(bend);
            let found: Vec<Bend> = Bend::ALL.into_iter().filter(|other| one.has(*other)).collect();
            assert_eq!(found, [bend]);
        }
    }

    #[test]
    fn values_by_bend() {
        // bends, hour of birthdays, seconds
        let cases = [
            (Quirks::NONE, 0, 28),
            (Quirks::NONE.with(Bend::BirthdaysAt8), 8, 28),
            (Quirks::NONE.with(Bend::BirthdaysAt11), 11, 28),
            (Quirks::NONE.with(Bend::Waits85Seconds), 0, 85),
            (Quirks::NONE.with(Bend::Waits240Seconds), 0, 240),
        ];
        for (quirks, hour, seconds) in cases {
            assert_eq!(quirks.birthday_hour(), hour, "{quirks:?}");
            assert_eq!(quirks.patience(), Duration::from_secs(seconds), "{quirks:?}");
        }
    }
}
