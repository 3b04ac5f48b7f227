//! Free and busy times as a row of digits.
//!
//! Pure. Implements [MS-ASCMD] MergedFreeBusy: one digit for each half hour from the start asked for, whatever the clock
//! shows then; where several appointments overlap, the highest digit counts.

use jiff::tz::TimeZone;

use crate::content::date;

/// Milliseconds that a digit stands for.
pub const SLOT: i64 = 30 * 60 * 1000;

/// Column `shown_as` and digit: reserved, temporary, absent, free.
const DIGITS: [(i64, u8); 4] = [(1, b'2'), (2, b'1'), (3, b'3'), (4, b'0')];

const FREE: u8 = b'0';
const NO_DATA: u8 = b'4';

/// A time that is taken: from `start` until just before `end`, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub start: i64,
    pub end: i64,
    /// As in column `shown_as`; unknown values count as reserved.
    pub shown_as: i64,
}

impl Taken {
    /// A whole-day appointment lasts from midnight to midnight where the user is.
    pub fn whole_days(first: i64, end: i64, shown_as: i64, zone: &TimeZone) -> Self {
        Self {
            start: date::start_of_day_in(first, zone),
            end: date::start_of_day_in(end, zone),
            shown_as,
        }
    }
}

/// The digits from `start` to `end`; a last slot that is begun counts whole.
pub fn merged(start: i64, end: i64, taken: &[Taken]) -> String {
    let mut digits = vec![FREE; slots(start, end)];
    for one in taken.iter().filter(|one| one.start < end && one.end > start) {
        let first = usize::try_from((one.start - start).div_euclid(SLOT)).unwrap_or(0);
        let last = slots(start, one.end.min(end));
        let digit = DIGITS
            .iter()
            .find(|(shown_as, _)| *shown_as == one.shown_as)
            .map_or(b'2', |(_, digit)| *digit);
        let begun = digits.get_mut(first..last).into_iter().flatten();
        begun.for_each(|slot| *slot = digit.max(*slot));
    }
    digits.into_iter().map(char::from).collect()
}

/// The digits for somebody of whom nothing is known.
pub fn no_data(start: i64, end: i64) -> String {
    char::from(NO_DATA).to_string().repeat(slots(start, end))
}

fn slots(start: i64, end: i64) -> usize {
    usize::try_from((end - start).max(0).saturating_add(SLOT - 1) / SLOT).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_digit_counts() {
        let minutes = |start: i64, end: i64, shown_as| Taken {
            start: start * 60_000,
            end: end * 60_000,
            shown_as,
        };
        // minutes from the start to the end, what is taken, expected
        let cases = [
            (120, vec![], "0000"),
            (100, vec![], "0000"),
            (120, vec![minutes(30, 60, 1)], "0200"),
            // It ends when the time asked for begins, or begins when it ends.
            (120, vec![minutes(-60, 0, 1), minutes(120, 180, 1)], "0000"),
            (120, vec![minutes(-60, 1, 3)], "3000"),
            (120, vec![minutes(29, 31, 2)], "1100"),
            (
                120,
                vec![minutes(0, 60, 2), minutes(30, 90, 1), minutes(0, 120, 4)],
                "1220",
            ),
            (120, vec![minutes(0, 30, 99)], "2000"),
            (120, vec![minutes(-600, 600, 3)], "3333"),
            (0, vec![minutes(0, 30, 1)], ""),
        ];
        for (until, taken, expected) in cases {
            assert_eq!(merged(0, until * 60_000, &taken), expected, "{taken:?}");
        }
        assert_eq!(no_data(0, 3 * SLOT), "444");
    }

    #[test]
    fn slots_are_not_snapped_to_the_clock() {
        let start = 7 * 60_000;
        let taken = Taken {
            start: SLOT,
            end: 2 * SLOT,
            shown_as: 1,
        };
        assert_eq!(merged(start, start + 3 * SLOT, &[taken]), "220");
    }

    #[test]
    fn whole_days_are_days_of_the_user() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let taken = Taken::whole_days(0, date::DAY, 3, &zone);
        assert_eq!((taken.start, taken.end), (-3_600_000, date::DAY - 3_600_000));
    }
}
