//! RRULE and the recurrences that OX and devices have in common, both ways.
//!
//! RRULE can say far more than either: what does not fit is no pattern, and the meeting is shown by its first occurrence.
//! Implements RFC 5545 "Recurrence Rule".

use calcard::common::PartialDateTime;
use calcard::icalendar::ICalendarDay;
use calcard::icalendar::ICalendarFrequency as Frequency;
use calcard::icalendar::ICalendarMonth;
use calcard::icalendar::ICalendarRecurrenceRule;
use calcard::icalendar::ICalendarWeekday;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::content::date;
use crate::content::itip::Period;
use crate::content::itip::read;
use crate::content::recurrence::End;
use crate::content::recurrence::Pattern;
use crate::content::recurrence::Recurrence;

/// Days of the week, in the order of their bits in a mask.
const WEEKDAYS: [ICalendarWeekday; 7] = [
    ICalendarWeekday::Sunday,
    ICalendarWeekday::Monday,
    ICalendarWeekday::Tuesday,
    ICalendarWeekday::Wednesday,
    ICalendarWeekday::Thursday,
    ICalendarWeekday::Friday,
    ICalendarWeekday::Saturday,
];

/// The last week of a month.
const LAST: i64 = 5;
const MOST_INTERVAL: i64 = 999;
const MOST_OCCURRENCES: i64 = 999;

/// The pattern of a rule whose first occurrence is `first`.
pub(super) fn read(rule: &ICalendarRecurrenceRule, first: &Period, zone: &TimeZone) -> Option<Recurrence> {
    let unknown = !rule.byyearday.is_empty()
        || !rule.byweekno.is_empty()
        || rule.byhour.len() > 1
        || rule.byminute.len() > 1
        || rule.bysecond.len() > 1;
    let interval = i64::from(rule.interval.unwrap_or(1).max(1));
    if unknown || interval > MOST_INTERVAL {
        return None;
    }
    let day = if first.all_day {
        first.start
    } else {
        date::day_in(first.start, zone)
    };
    Some(Recurrence {
        pattern: pattern(rule, civil(day))?,
        interval,
        end: end(rule, zone)?,
    })
}

fn pattern(rule: &ICalendarRecurrenceRule, first: Date) -> Option<Pattern> {
    let days = mask(&rule.byday);
    let is_plain = rule.byday.iter().all(|day| day.ordwk.is_none());
    let dates = (rule.bymonthday.as_slice(), rule.byday.is_empty());
    match rule.freq {
        Frequency::Daily if rule.bymonthday.is_empty() && rule.bymonth.is_empty() && is_plain => Some(match days {
            0 => Pattern::Daily,
            days => Pattern::Weekly { days },
        }),
        Frequency::Weekly if is_plain && rule.bymonth.is_empty() && rule.bysetpos.is_empty() => Some(Pattern::Weekly {
            days: if days == 0 { bit(first) } else { days },
        }),
        Frequency::Monthly if rule.bymonth.is_empty() => match dates {
            ([], true) => Some(Pattern::Monthly {
                day: first.day().into(),
            }),
            (dates, true) => Some(Pattern::Monthly {
                day: day_of_month(dates, rule)?,
            }),
            ([], false) => {
                let (week, days) = nth(rule)?;
                Some(Pattern::MonthlyNth { week, days })
            }
            _ => None,
        },
        Frequency::Yearly => {
            let month = match rule.bymonth.as_slice() {
                [] => first.month().into(),
                [month] if !month.is_leap() => i64::from(month.month()),
                _ => return None,
            };
            match dates {
                ([], true) => Some(Pattern::Yearly {
                    month,
                    day: first.day().into(),
                }),
                (dates, true) => Some(Pattern::Yearly {
                    month,
                    day: day_of_month(dates, rule)?,
                }),
                ([], false) if !rule.bymonth.is_empty() => {
                    let (week, days) = nth(rule)?;
                    Some(Pattern::YearlyNth { month, week, days })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// BYMONTHDAY. The last day of a month is the 31st in calendars that take it for the last where there is none.
fn day_of_month(dates: &[i8], rule: &ICalendarRecurrenceRule) -> Option<i64> {
    match dates {
        [day @ 1..=31] if rule.bysetpos.is_empty() => Some(i64::from(*day)),
        [-1] => Some(31),
        // Outlook's 31st: `BYMONTHDAY=28,29,30,31;BYSETPOS=-1`.
        [28, .., last @ 29..=31] if rule.bysetpos == [-1] => Some(i64::from(*last)),
        _ => None,
    }
}

/// `BYDAY=2TU`, or `BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1`: which week, and the days as a mask.
fn nth(rule: &ICalendarRecurrenceRule) -> Option<(i64, i64)> {
    let week = match (rule.byday.as_slice(), rule.bysetpos.as_slice()) {
        ([day], []) => day.ordwk.map(i32::from)?,
        (days, [position]) if days.iter().all(|day| day.ordwk.is_none()) => *position,
        _ => return None,
    };
    let week = match week {
        -1 | 5 => LAST,
        1..=4 => i64::from(week),
        _ => return None,
    };
    Some((week, mask(&rule.byday)))
}

/// `None` for an end that nobody can read: an endless series instead would be worse than none.
fn end(rule: &ICalendarRecurrenceRule, zone: &TimeZone) -> Option<End> {
    if let Some(count) = rule.count {
        let count = i64::from(count);
        return (1..=MOST_OCCURRENCES)
            .contains(&count)
            .then_some(End::Occurrences(count));
    }
    let Some(until) = &rule.until else {
        return Some(End::Never);
    };
    let local = read::wall_clock(until)?;
    Some(End::Until(match read::offset(until) {
        Some(offset) if until.hour.is_some() => date::day_in(local.saturating_sub(offset), zone),
        _ => date::midnight(local),
    }))
}

/// The rule, for a series whose first occurrence is `first`.
pub(super) fn write(recurrence: &Recurrence, first: &Period, zone: &TimeZone) -> ICalendarRecurrenceRule {
    let mut rule = ICalendarRecurrenceRule {
        interval: u16::try_from(recurrence.interval).ok(),
        ..ICalendarRecurrenceRule::default()
    };
    match recurrence.pattern {
        Pattern::Daily => rule.freq = Frequency::Daily,
        Pattern::Weekly { days } => {
            rule.freq = Frequency::Weekly;
            rule.byday = weekdays(days, None);
        }
        Pattern::Monthly { day } => {
            rule.freq = Frequency::Monthly;
            rule.bymonthday = i8::try_from(day).into_iter().collect();
        }
        Pattern::MonthlyNth { week, days } => {
            rule.freq = Frequency::Monthly;
            write_nth(&mut rule, week, days);
        }
        Pattern::Yearly { month, day } => {
            rule.freq = Frequency::Yearly;
            rule.bymonth = month_of(month);
            rule.bymonthday = i8::try_from(day).into_iter().collect();
        }
        Pattern::YearlyNth { month, week, days } => {
            rule.freq = Frequency::Yearly;
            rule.bymonth = month_of(month);
            write_nth(&mut rule, week, days);
        }
    }
    match recurrence.end {
        End::Never => {}
        End::Occurrences(count) => rule.count = u32::try_from(count).ok(),
        // [RFC 5545] UNTIL has the type of DTSTART, and is in UTC; inclusive, so that the last second of the day is right.
        End::Until(day) if first.all_day => rule.until = Some(PartialDateTime::from_date_timestamp(day / 1000)),
        End::Until(day) => {
            let after = date::start_of_day_in(day.saturating_add(date::DAY), zone);
            rule.until = Some(PartialDateTime::from_utc_timestamp(after / 1000 - 1));
        }
    }
    rule
}

fn write_nth(rule: &mut ICalendarRecurrenceRule, week: i64, days: i64) {
    let week: i16 = match week {
        1..=4 => week as i16,
        _ => -1,
    };
    let is_single = days.count_ones() == 1;
    rule.byday = weekdays(days, is_single.then_some(week));
    if !is_single {
        rule.bysetpos = vec![week.into()];
    }
}

fn month_of(month: i64) -> Vec<ICalendarMonth> {
    let month = u8::try_from(month).ok().map(|month| ICalendarMonth::new(month, false));
    month.into_iter().collect()
}

fn mask(days: &[ICalendarDay]) -> i64 {
    let bit = |day: &ICalendarDay| WEEKDAYS.iter().position(|own| *own == day.weekday);
    days.iter().filter_map(bit).fold(0, |mask, index| mask | 1 << index)
}

fn weekdays(mask: i64, ordwk: Option<i16>) -> Vec<ICalendarDay> {
    let days = WEEKDAYS.iter().enumerate();
    days.filter(|(index, _)| mask & (1 << index) != 0)
        .map(|(_, weekday)| ICalendarDay {
            ordwk,
            weekday: *weekday,
        })
        .collect()
}

fn bit(date: Date) -> i64 {
    1 << date.weekday().to_sunday_zero_offset()
}

fn civil(day: i64) -> Date {
    TimeZone::UTC
        .to_datetime(Timestamp::from_millisecond(day).unwrap_or_default())
        .date()
}
