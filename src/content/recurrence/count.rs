//! Counting the occurrences of a series.
//!
//! OX names an occurrence by its number where it takes an answer for it. Days are 00:00 UTC, as everywhere; time zones are the
//! caller's business. Implements the API documentation, "recurrence_position".

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::content::date::DAY;
use crate::content::recurrence::End;
use crate::content::recurrence::LAST;
use crate::content::recurrence::Pattern;
use crate::content::recurrence::Recurrence;

/// Days that are looked at: a century. What lies beyond is no occurrence.
const MOST_DAYS: i64 = 36_525;

impl Recurrence {
    /// The number, counted from 1, of the occurrence on a day; `None` if there is none on that day. `first` is the day of
    /// the first occurrence. Deleted occurrences count, as in OX.
    pub fn position(&self, first: i64, day: i64) -> Option<i64> {
        let days = day.saturating_sub(first).div_euclid(DAY);
        let is_over = matches!(self.end, End::Until(last) if day > last);
        if !(0..=MOST_DAYS).contains(&days) || is_over || !self.falls_on(first, day) {
            return None;
        }
        let before = (0..days).filter(|index| self.falls_on(first, first.saturating_add(index * DAY)));
        let position = i64::try_from(before.count()).ok()?.checked_add(1)?;
        match self.end {
            End::Occurrences(count) if position > count => None,
            _ => Some(position),
        }
    }

    /// Whether the pattern meets a day that is not before the first.
    fn falls_on(&self, first: i64, day: i64) -> bool {
        let (start, date) = (civil(first), civil(day));
        let in_step = |distance: i64| distance % self.interval == 0;
        let months = months_since_year_0(date) - months_since_year_0(start);
        let years = i64::from(date.year()) - i64::from(start.year());
        let is = |month: i64, day: i64| i64::from(date.month()) == month && i64::from(date.day()) == day;
        match self.pattern {
            Pattern::Daily => in_step((day - first) / DAY),
            Pattern::Weekly { days } => {
                let weeks = (week_begin(day, date) - week_begin(first, start)) / (7 * DAY);
                in_step(weeks) && days & bit(date) != 0
            }
            Pattern::Monthly { day } => in_step(months) && i64::from(date.day()) == day,
            Pattern::MonthlyNth { week, days } => in_step(months) && is_nth(date, week, days),
            Pattern::Yearly { month, day } => in_step(years) && is(month, day),
            Pattern::YearlyNth { month, week, days } => {
                in_step(years) && i64::from(date.month()) == month && is_nth(date, week, days)
            }
        }
    }
}

/// Whether a date is the n-th of its month among those days.
fn is_nth(date: Date, week: i64, days: i64) -> bool {
    let matches = |day: i8| {
        let other = Date::new(date.year(), date.month(), day);
        other.is_ok_and(|other| days & bit(other) != 0)
    };
    if !matches(date.day()) {
        return false;
    }
    if week == LAST {
        return !(date.day() + 1..=date.days_in_month()).any(matches);
    }
    let position = (1..=date.day()).filter(|day| matches(*day)).count();
    i64::try_from(position).is_ok_and(|position| position == week)
}

/// The Monday of the week.
fn week_begin(day: i64, date: Date) -> i64 {
    day - i64::from(date.weekday().to_monday_zero_offset()) * DAY
}

fn months_since_year_0(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month())
}

/// The bit of its weekday: 1 Sunday to 64 Saturday.
fn bit(date: Date) -> i64 {
    1 << date.weekday().to_sunday_zero_offset()
}

fn civil(day: i64) -> Date {
    let timestamp = Timestamp::from_millisecond(day).unwrap_or_default();
    TimeZone::UTC.to_datetime(timestamp).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::date;

    fn day(text: &str) -> i64 {
        date::parse(text).expect("a date")
    }

    #[test]
    fn occurrences_are_counted() {
        // pattern, interval, end, first day, day, its number
        let cases = [
            (Pattern::Daily, 2, End::Never, "2026-01-01", "2026-01-05", Some(3)),
            (Pattern::Daily, 2, End::Never, "2026-01-01", "2026-01-04", None),
            (Pattern::Daily, 1, End::Never, "2026-01-02", "2026-01-01", None),
            // Mondays and Thursdays from a Thursday on, every second week.
            (
                Pattern::Weekly { days: 18 },
                2,
                End::Never,
                "2026-01-01",
                "2026-01-12",
                Some(2),
            ),
            (
                Pattern::Weekly { days: 18 },
                2,
                End::Never,
                "2026-01-01",
                "2026-01-05",
                None,
            ),
            // Months without a 31st are skipped.
            (
                Pattern::Monthly { day: 31 },
                1,
                End::Never,
                "2026-01-31",
                "2026-05-31",
                Some(3),
            ),
            // The last Friday, the second Tuesday.
            (
                Pattern::MonthlyNth { week: 5, days: 32 },
                1,
                End::Never,
                "2026-01-30",
                "2026-02-27",
                Some(2),
            ),
            (
                Pattern::MonthlyNth { week: 2, days: 4 },
                1,
                End::Never,
                "2026-01-13",
                "2026-03-10",
                Some(3),
            ),
            (
                Pattern::MonthlyNth { week: 2, days: 4 },
                1,
                End::Never,
                "2026-01-13",
                "2026-03-03",
                None,
            ),
            // The last working day.
            (
                Pattern::MonthlyNth { week: 5, days: 62 },
                1,
                End::Never,
                "2026-01-30",
                "2026-02-27",
                Some(2),
            ),
            (
                Pattern::Yearly { month: 2, day: 29 },
                1,
                End::Never,
                "2024-02-29",
                "2028-02-29",
                Some(2),
            ),
            (
                Pattern::YearlyNth {
                    month: 10,
                    week: 5,
                    days: 1,
                },
                1,
                End::Never,
                "2025-10-26",
                "2026-10-25",
                Some(2),
            ),
            (
                Pattern::Daily,
                1,
                End::Occurrences(3),
                "2026-01-01",
                "2026-01-03",
                Some(3),
            ),
            (Pattern::Daily, 1, End::Occurrences(3), "2026-01-01", "2026-01-04", None),
            (
                Pattern::Daily,
                1,
                End::Until(1_767_398_400_000),
                "2026-01-01",
                "2026-01-03",
                Some(3),
            ),
            (
                Pattern::Daily,
                1,
                End::Until(1_767_398_400_000),
                "2026-01-01",
                "2026-01-04",
                None,
            ),
            (Pattern::Daily, 1, End::Never, "2026-01-01", "2226-01-01", None),
        ];
        for (pattern, interval, end, first, wanted, expected) in cases {
            let series = Recurrence { pattern, interval, end };
            assert_eq!(
                series.position(day(first), day(wanted)),
                expected,
                "{series:?} {wanted}"
            );
        }
    }
}
