//! Series: the pattern of a recurring appointment or task, and its occurrences.
//!
//! Implements the recurrence fields of "Detailed task and appointment data" of the OX HTTP API. Weeks begin on Monday;
//! days that a month does not have are skipped; series are cut after 999 occurrences.

use crate::error::OxError;
use crate::zone;
use crate::zone::Zone;
use jiff::Span;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Map;
use serde_json::Value;

/// The server computes no more occurrences than this.
const MOST_OCCURRENCES: usize = 999;
/// Periods (days, weeks, months, years) looked at before a pattern counts as empty.
const MOST_PERIODS: i32 = 20_000;

/// Keys that make up a pattern; a change of one is a change of the pattern.
pub(crate) const PATTERN_KEYS: &[&str] = &[
    "recurrence_type",
    "interval",
    "days",
    "day_in_month",
    "month",
    "until",
    "occurrences",
];

/// How an object recurs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern {
    rule: Rule,
    interval: i32,
    until: Option<Date>,
    count: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    Daily,
    /// A mask of week days, Sunday is bit 0.
    Weekly(i64),
    /// The day of the month.
    MonthlyByDate(i64),
    /// The n-th day of a mask, 5 for the last.
    MonthlyByDay {
        days: i64,
        nth: i64,
    },
    /// Month from 1.
    YearlyByDate {
        month: i8,
        day: i64,
    },
    YearlyByDay {
        month: i8,
        days: i64,
        nth: i64,
    },
}

impl Pattern {
    /// The pattern in an object's fields, `None` if it does not recur.
    pub(crate) fn of(fields: &Map<String, Value>) -> Result<Option<Self>, OxError> {
        let number = |key: &str| fields.get(key).and_then(Value::as_i64);
        let need = |key: &str, code: &'static str| {
            number(key).ok_or_else(|| OxError::new(code, 1, format!("The recurrence lacks its field {key}.")))
        };
        let kind = number("recurrence_type").unwrap_or(0);
        if kind == 0 {
            return Ok(None);
        }
        let interval = need("interval", "APP-0087")?;
        let interval = i32::try_from(interval)
            .ok()
            .filter(|interval| (1..=9999).contains(interval));
        let interval = interval.ok_or_else(|| OxError::new("APP-0055", 1, "The interval must be at least 1."))?;
        let days = number("days").filter(|days| *days != 0);
        if days.is_some_and(|days| !(1..=127).contains(&days)) {
            return Err(OxError::new("APP-0056", 1, "The mask of days is invalid."));
        }
        // Both -1 and 5 say "last".
        let nth = |value: i64| if value == -1 { 5 } else { value };
        let rule = match (kind, days) {
            (1, _) => Rule::Daily,
            (2, Some(days)) => Rule::Weekly(days),
            (2, None) => return Err(OxError::new("APP-0088", 1, "A weekly series needs its days.")),
            (3, None) => Rule::MonthlyByDate(need("day_in_month", "APP-0089")?),
            (3, Some(days)) => Rule::MonthlyByDay {
                days,
                nth: nth(need("day_in_month", "APP-0090")?),
            },
            (4, days) => {
                let month = need("month", "APP-0091")?;
                let month = i8::try_from(month + 1).ok().filter(|month| (1..=12).contains(month));
                let month = month.ok_or_else(|| OxError::new("APP-0045", 1, "The month is invalid."))?;
                let day = need("day_in_month", "APP-0092")?;
                match days {
                    None => Rule::YearlyByDate { month, day },
                    Some(days) => Rule::YearlyByDay {
                        month,
                        days,
                        nth: nth(day),
                    },
                }
            }
            _ => return Err(OxError::new("APP-0107", 1, "Unknown recurrence type.")),
        };
        let until = number("until").map(zone::civil_day);
        let count = number("occurrences")
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| *count > 0);
        if until.is_some() && count.is_some() {
            return Err(OxError::new(
                "APP-0095",
                1,
                "A series ends by date or by number, not by both.",
            ));
        }
        Ok(Some(Self {
            rule,
            interval,
            until,
            count,
        }))
    }

    /// The first day at or after `start` that fits the rule.
    pub(crate) fn first(&self, start: Date) -> Option<Date> {
        self.matching(start).next()
    }

    /// Days of all occurrences of a series that begins on `start`. A start that does not fit the rule counts as well.
    pub(crate) fn days(&self, start: Date) -> impl Iterator<Item = Date> + '_ {
        let odd = (self.first(start) != Some(start)).then_some(start);
        let until = self.until;
        let all = odd.into_iter().chain(self.matching(start));
        all.take_while(move |day| until.is_none_or(|until| *day <= until))
            .take(self.count.unwrap_or(MOST_OCCURRENCES).min(MOST_OCCURRENCES))
    }

    fn matching(&self, start: Date) -> impl Iterator<Item = Date> + '_ {
        (0..MOST_PERIODS)
            .map_while(move |period| self.period(start, period))
            .flatten()
            .filter(move |day| *day >= start)
    }

    /// Days of the rule in the n-th period after the one that holds `start`; `None` at the end of time.
    fn period(&self, start: Date, period: i32) -> Option<Vec<Date>> {
        let steps = period.checked_mul(self.interval)?;
        let first_of_month = || {
            start
                .first_of_month()
                .checked_add(Span::new().try_months(steps).ok()?)
                .ok()
        };
        let first_of_year = |month: i8| {
            let year = start.year().checked_add(i16::try_from(steps).ok()?)?;
            Date::new(year, month, 1).ok()
        };
        match self.rule {
            Rule::Daily => Some(vec![start.checked_add(Span::new().try_days(steps).ok()?).ok()?]),
            Rule::Weekly(days) => {
                let monday = start
                    .checked_sub(i64::from(start.weekday().to_monday_zero_offset()).days())
                    .ok()?;
                let week = monday.checked_add(Span::new().try_weeks(steps).ok()?).ok()?;
                let all = (0..7).filter_map(|day: i64| week.checked_add(day.days()).ok());
                Some(all.filter(|day| in_mask(*day, days)).collect())
            }
            Rule::MonthlyByDate(day) => Some(day_of_month(first_of_month()?, day).into_iter().collect()),
            Rule::MonthlyByDay { days, nth } => Some(nth_of_month(first_of_month()?, days, nth).into_iter().collect()),
            Rule::YearlyByDate { month, day } => Some(day_of_month(first_of_year(month)?, day).into_iter().collect()),
            Rule::YearlyByDay { month, days, nth } => {
                Some(nth_of_month(first_of_year(month)?, days, nth).into_iter().collect())
            }
        }
    }
}

fn in_mask(day: Date, mask: i64) -> bool {
    mask >> day.weekday().to_sunday_zero_offset() & 1 == 1
}

fn day_of_month(first: Date, day: i64) -> Option<Date> {
    Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok()
}

fn nth_of_month(first: Date, mask: i64, nth: i64) -> Option<Date> {
    let all = (1..=first.days_in_month()).filter_map(|day| Date::new(first.year(), first.month(), day).ok());
    let mut fitting = all.filter(|day| in_mask(*day, mask));
    if nth >= 5 {
        fitting.next_back()
    } else {
        fitting.nth(usize::try_from(nth - 1).ok()?)
    }
}

/// A recurring appointment in time: its pattern, first occurrence and zone.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) pattern: Pattern,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) full_time: bool,
    pub(crate) zone: Zone,
}

/// One occurrence of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Occurrence {
    /// Counted from 1, exceptions included.
    pub(crate) position: i64,
    /// 00:00 UTC of its day in the series' zone: `recurrence_date_position`.
    pub(crate) day: i64,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Series {
    /// The series of an appointment's fields, `None` if it does not recur or cannot be computed.
    pub(crate) fn of(fields: &Map<String, Value>) -> Option<Self> {
        let pattern = Pattern::of(fields).ok().flatten()?;
        let number = |key: &str| fields.get(key).and_then(Value::as_i64);
        let zone = fields.get("timezone").and_then(Value::as_str).and_then(Zone::named);
        Some(Self {
            pattern,
            start: number("start_date")?,
            end: number("end_date")?,
            full_time: fields.get("full_time") == Some(&Value::Bool(true)),
            zone: zone.unwrap_or_else(Zone::utc),
        })
    }

    /// The zone whose wall clock counts: full days are days in UTC.
    fn clock(&self) -> Zone {
        if self.full_time { Zone::utc() } else { self.zone.clone() }
    }

    /// All occurrences, exceptions included. The duration is that of the first one.
    pub(crate) fn occurrences(&self) -> impl Iterator<Item = Occurrence> + '_ {
        let clock = self.clock();
        let first = clock.wall(self.start);
        let duration = self.end - self.start;
        self.pattern.days(first.date()).zip(1..).map(move |(day, position)| {
            let start = clock.instant(day.to_datetime(first.time()));
            Occurrence {
                position,
                day: zone::day_ms(day),
                start,
                end: start + duration,
            }
        })
    }

    /// The occurrence whose original day is `day`.
    pub(crate) fn on_day(&self, day: i64) -> Option<Occurrence> {
        self.occurrences().find(|occurrence| occurrence.day == day)
    }

    /// The n-th occurrence, counted from 1.
    pub(crate) fn at_position(&self, position: i64) -> Option<Occurrence> {
        self.occurrences().find(|occurrence| occurrence.position == position)
    }

    /// The start moved to the first day that fits the rule.
    pub(crate) fn aligned_start(&self) -> Option<i64> {
        let clock = self.clock();
        let wall = clock.wall(self.start);
        let day = self.pattern.first(wall.date())?;
        Some(if day == wall.date() {
            self.start
        } else {
            clock.instant(day.to_datetime(wall.time()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use serde_json::json;

    fn pattern(fields: &Value) -> Pattern {
        let fields = fields.as_object().expect("an object");
        Pattern::of(fields)
            .expect("a valid pattern")
            .expect("a recurring object")
    }

    #[test]
    fn days_of_patterns() {
        // Fields, start, first days.
        let cases = [
            (
                json!({"recurrence_type": 1, "interval": 2, "occurrences": 3}),
                date(2024, 2, 28),
                vec!["2024-02-28", "2024-03-01", "2024-03-03"],
            ),
            (
                json!({"recurrence_type": 2, "interval": 2, "days": 2 + 32}),
                date(2024, 1, 1),
                vec!["2024-01-01", "2024-01-05", "2024-01-15"],
            ),
            (
                json!({"recurrence_type": 3, "interval": 1, "day_in_month": 31}),
                date(2024, 1, 31),
                vec!["2024-01-31", "2024-03-31", "2024-05-31"],
            ),
            // The last working day of the month, written both ways.
            (
                json!({"recurrence_type": 3, "interval": 1, "day_in_month": -1, "days": 62}),
                date(2024, 3, 29),
                vec!["2024-03-29", "2024-04-30", "2024-05-31"],
            ),
            (
                json!({"recurrence_type": 3, "interval": 1, "day_in_month": 5, "days": 62}),
                date(2024, 3, 29),
                vec!["2024-03-29", "2024-04-30", "2024-05-31"],
            ),
            (
                json!({"recurrence_type": 3, "interval": 2, "day_in_month": 2, "days": 4}),
                date(2024, 1, 9),
                vec!["2024-01-09", "2024-03-12", "2024-05-14"],
            ),
            (
                json!({"recurrence_type": 4, "interval": 1, "month": 1, "day_in_month": 29}),
                date(2024, 2, 29),
                vec!["2024-02-29", "2028-02-29", "2032-02-29"],
            ),
            (
                json!({"recurrence_type": 4, "interval": 1, "month": 10, "day_in_month": 4, "days": 16}),
                date(2024, 11, 28),
                vec!["2024-11-28", "2025-11-27", "2026-11-26"],
            ),
        ];
        for (fields, start, expected) in cases {
            let days: Vec<String> = pattern(&fields)
                .days(start)
                .take(3)
                .map(|day| day.to_string())
                .collect();
            assert_eq!(days, expected, "{fields}");
        }
    }

    #[test]
    fn the_last_day_is_included_and_an_impossible_day_ends() {
        let until = pattern(&json!({"recurrence_type": 1, "interval": 1, "until": 1_704_240_000_000_i64}));
        assert_eq!(until.days(date(2024, 1, 1)).count(), 3);
        let never = pattern(&json!({"recurrence_type": 4, "interval": 1, "month": 1, "day_in_month": 30}));
        assert_eq!(never.first(date(2024, 1, 1)), None);
    }

    #[test]
    fn incomplete_patterns_are_refused() {
        // Fields, code.
        let cases = [
            (json!({"recurrence_type": 2, "interval": 1}), "APP-0088"),
            (json!({"recurrence_type": 2, "days": 2}), "APP-0087"),
            (json!({"recurrence_type": 1, "interval": 0}), "APP-0055"),
            (
                json!({"recurrence_type": 1, "interval": 1, "until": 0, "occurrences": 2}),
                "APP-0095",
            ),
            (
                json!({"recurrence_type": 4, "interval": 1, "day_in_month": 3}),
                "APP-0091",
            ),
        ];
        for (fields, code) in cases {
            let error = Pattern::of(fields.as_object().expect("an object")).expect_err("refused");
            assert_eq!(error.code, code, "{fields}");
        }
    }

    #[test]
    fn the_wall_clock_stays_when_clocks_change() {
        let fields = json!({"recurrence_type": 1, "interval": 1, "occurrences": 2, "timezone": "Europe/Berlin",
            "start_date": 1_711_785_600_000_i64, "end_date": 1_711_789_200_000_i64});
        let series = Series::of(fields.as_object().expect("an object")).expect("a series");
        let starts: Vec<i64> = series.occurrences().map(|occurrence| occurrence.start).collect();
        // 2024-03-30 09:00 is 08:00 UTC, the day after 07:00 UTC.
        assert_eq!(starts, [1_711_785_600_000, 1_711_868_400_000]);
    }
}
