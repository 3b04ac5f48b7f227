//! Recurrence patterns: OX's fields, ActiveSync's elements, and [`Recurrence`] between them.
//!
//! Serves calendar and tasks, whose elements have the same names on different code pages. Does not know when an item
//! begins, nor exceptions, nor how a class writes Until: callers pass that in. Implements [MS-ASCAL] and [MS-ASTASK]
//! Recurrence with its children, and the API documentation, "Detailed task and appointment data".

mod count;

use crate::content::Unconvertible;
use crate::ox::Object;
// Tasks have the same columns; a test holds them against each other.
use crate::ox::columns::calendar as columns;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::calendar;
use crate::wbxml::codepage::tasks;

/// A pattern both sides can express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrence {
    pub pattern: Pattern,
    /// Every how many days, weeks, months or years: 1 to 999.
    pub interval: i64,
    pub end: End,
}

/// On which days. `days` is a mask: 1 Sunday, 2 Monday, 4 Tuesday ... 64 Saturday; the same on both sides.
/// `week` is 1 to 4, or 5 for the last; `day` is 1 to 31, `month` 1 to 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    Daily,
    Weekly { days: i64 },
    Monthly { day: i64 },
    MonthlyNth { week: i64, days: i64 },
    Yearly { month: i64, day: i64 },
    YearlyNth { month: i64, week: i64, days: i64 },
}

/// When it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Never,
    /// The last day on which an occurrence may begin, as 00:00 UTC.
    Until(i64),
    /// After so many occurrences.
    Occurrences(i64),
}

/// The elements of one code page.
#[derive(Clone, Copy, Debug)]
pub struct Tags {
    pub recurrence: Tag,
    pub kind: Tag,
    pub until: Tag,
    pub occurrences: Tag,
    pub interval: Tag,
    pub day_of_month: Tag,
    pub day_of_week: Tag,
    pub week_of_month: Tag,
    pub month_of_year: Tag,
    pub calendar_type: Tag,
    pub first_day_of_week: Tag,
    /// The largest number of occurrences a device knows.
    pub most_occurrences: i64,
}

/// `Calendar:Recurrence`.
pub const CALENDAR: Tags = Tags {
    recurrence: calendar::RECURRENCE,
    kind: calendar::TYPE,
    until: calendar::UNTIL,
    occurrences: calendar::OCCURRENCES,
    interval: calendar::INTERVAL,
    day_of_month: calendar::DAY_OF_MONTH,
    day_of_week: calendar::DAY_OF_WEEK,
    week_of_month: calendar::WEEK_OF_MONTH,
    month_of_year: calendar::MONTH_OF_YEAR,
    calendar_type: calendar::CALENDAR_TYPE,
    first_day_of_week: calendar::FIRST_DAY_OF_WEEK,
    most_occurrences: 999,
};

/// `Tasks:Recurrence`.
pub const TASKS: Tags = Tags {
    recurrence: tasks::RECURRENCE,
    kind: tasks::TYPE,
    until: tasks::UNTIL,
    occurrences: tasks::OCCURRENCES,
    interval: tasks::INTERVAL,
    day_of_month: tasks::DAY_OF_MONTH,
    day_of_week: tasks::DAY_OF_WEEK,
    week_of_month: tasks::WEEK_OF_MONTH,
    month_of_year: tasks::MONTH_OF_YEAR,
    calendar_type: tasks::CALENDAR_TYPE,
    first_day_of_week: tasks::FIRST_DAY_OF_WEEK,
    most_occurrences: 255,
};

/// The recurrence fields of an object, for the list of columns to ask for.
pub const COLUMNS: [crate::ox::columns::ColumnName; 7] = [
    columns::RECURRENCE_TYPE.name(),
    columns::INTERVAL.name(),
    columns::DAYS.name(),
    columns::DAY_IN_MONTH.name(),
    columns::MONTH.name(),
    columns::UNTIL.name(),
    columns::OCCURRENCES.name(),
];

/// OX's `recurrence_type`; 0 is a single item.
mod ox_type {
    pub(super) const NONE: i64 = 0;
    pub(super) const DAILY: i64 = 1;
    pub(super) const WEEKLY: i64 = 2;
    pub(super) const MONTHLY: i64 = 3;
    pub(super) const YEARLY: i64 = 4;
}

/// The last of the weeks in ActiveSync, and in old columns of OX.
const LAST: i64 = 5;
/// The last of the weeks in OX's objects.
const OX_LAST: i64 = -1;
const MOST_INTERVAL: i64 = 999;
/// OX counts weeks from Monday and has no column for another day.
const MONDAY: i64 = 1;

impl Recurrence {
    /// `None` for a single item, and for a pattern whose fields are missing or out of range.
    pub fn from_ox(object: &Object) -> Option<Self> {
        let days = object.number(columns::DAYS).filter(|days| is_days(*days));
        let in_month = object.number(columns::DAY_IN_MONTH);
        let week = in_month
            .map(|week| if week == OX_LAST { LAST } else { week })
            .filter(|week| is_week(*week));
        let day = in_month.filter(|day| is_day(*day));
        let month = object.number(columns::MONTH).map(|month| month + 1);
        let month = month.filter(|month| is_month(*month));
        let pattern = match (object.number(columns::RECURRENCE_TYPE)?, days) {
            (ox_type::DAILY, _) => Pattern::Daily,
            (ox_type::WEEKLY, Some(days)) => Pattern::Weekly { days },
            (ox_type::MONTHLY, None) => Pattern::Monthly { day: day? },
            (ox_type::MONTHLY, Some(days)) => Pattern::MonthlyNth { week: week?, days },
            (ox_type::YEARLY, None) => Pattern::Yearly {
                month: month?,
                day: day?,
            },
            (ox_type::YEARLY, Some(days)) => Pattern::YearlyNth {
                month: month?,
                week: week?,
                days,
            },
            _ => return None,
        };
        let occurrences = object.number(columns::OCCURRENCES).filter(|count| *count > 0);
        let interval = object.number(columns::INTERVAL).unwrap_or(1);
        Some(Self {
            pattern,
            interval: interval.clamp(1, MOST_INTERVAL),
            // Some versions compute `until` for a series that has occurrences.
            end: match (occurrences, object.date(columns::UNTIL)) {
                (Some(count), _) => End::Occurrences(count),
                (None, Some(day)) => End::Until(day),
                (None, None) => End::Never,
            },
        })
    }

    /// Writes all fields of the pattern, because OX refuses incomplete ones; those the pattern does not have become
    /// null, because OX refuses superfluous ones. A new object needs no nulls.
    pub fn to_ox(self, object: &mut Object) {
        let (kind, month, in_month, days) = match self.pattern {
            Pattern::Daily => (ox_type::DAILY, None, None, None),
            Pattern::Weekly { days } => (ox_type::WEEKLY, None, None, Some(days)),
            Pattern::Monthly { day } => (ox_type::MONTHLY, None, Some(day), None),
            Pattern::MonthlyNth { week, days } => (ox_type::MONTHLY, None, Some(ox_week(week)), Some(days)),
            Pattern::Yearly { month, day } => (ox_type::YEARLY, Some(month - 1), Some(day), None),
            Pattern::YearlyNth { month, week, days } => {
                (ox_type::YEARLY, Some(month - 1), Some(ox_week(week)), Some(days))
            }
        };
        let (until, occurrences) = match self.end {
            End::Never => (None, None),
            End::Until(day) => (Some(day), None),
            End::Occurrences(count) => (None, Some(count)),
        };
        object.set(columns::RECURRENCE_TYPE, kind);
        object.set(columns::INTERVAL, self.interval);
        object.set(columns::DAYS, days);
        object.set(columns::DAY_IN_MONTH, in_month);
        object.set(columns::MONTH, month);
        object.set(columns::UNTIL, until);
        object.set(columns::OCCURRENCES, occurrences);
    }

    /// Makes a series a single item.
    pub fn clear(object: &mut Object) {
        object.set(columns::RECURRENCE_TYPE, ox_type::NONE);
    }

    /// As a device sees it. A device that sends this back has not changed the pattern.
    pub fn shown(self, tags: &Tags) -> Self {
        let end = match self.end {
            End::Occurrences(count) => End::Occurrences(count.min(tags.most_occurrences)),
            end => end,
        };
        Self { end, ..self }
    }

    /// `Recurrence` with its children in the documented order. `write_until` turns the last day into the class's form.
    pub fn to_eas(self, tags: &Tags, write_until: impl FnOnce(i64) -> String) -> Element {
        let (code, week, days, month, day) = match self.pattern {
            Pattern::Daily => (0, None, None, None, None),
            Pattern::Weekly { days } => (1, None, Some(days), None, None),
            Pattern::Monthly { day } => (2, None, None, None, Some(day)),
            Pattern::MonthlyNth { week, days } => (3, Some(week), Some(days), None, None),
            Pattern::Yearly { month, day } => (5, None, None, Some(month), Some(day)),
            Pattern::YearlyNth { month, week, days } => (6, Some(week), Some(days), Some(month), None),
        };
        let (until, occurrences) = match self.shown(tags).end {
            End::Never => (None, None),
            End::Until(day) => (Some(write_until(day)), None),
            End::Occurrences(count) => (None, Some(count)),
        };
        let is_weekly = code == 1;
        let has_calendar = code > 1;
        let numbers = [
            (tags.occurrences, occurrences),
            (tags.interval, Some(self.interval)),
            (tags.week_of_month, week),
            (tags.day_of_week, days),
            (tags.month_of_year, month),
            (tags.day_of_month, day),
            // Required for these types by the versions that have it: 0, the default calendar.
            (tags.calendar_type, has_calendar.then_some(0)),
            (tags.first_day_of_week, is_weekly.then_some(MONDAY)),
        ];
        let numbers = numbers
            .into_iter()
            .filter_map(|(tag, number)| Some(Element::number(tag, number?)));
        let until = until.map(|text| Element::text(tags.until, text));
        let kind = Element::number(tags.kind, code);
        Element::parent(tags.recurrence, std::iter::once(kind).chain(until).chain(numbers))
    }

    /// Reads `Recurrence`, refusing combinations the specification forbids. `read_until` turns Until into the last day.
    pub fn from_eas(
        element: &Element,
        tags: &Tags,
        read_until: impl FnOnce(&str) -> Option<i64>,
    ) -> Result<Self, Unconvertible> {
        let fields = Fields { element, tags };
        let kind = fields.number(tags.kind)?;
        let kind = kind.ok_or_else(|| Unconvertible("Recurrence has no Type".to_owned()))?;
        let pattern = fields.pattern(kind)?;
        fields.check_calendar(kind)?;
        fields.optional(tags.first_day_of_week, |day| (0..=6).contains(&day))?;
        // Old servers refuse the interval 0, newer ones take it as 1.
        let interval = fields.optional(tags.interval, |interval| (0..=MOST_INTERVAL).contains(&interval))?;
        let occurrences = fields.optional(tags.occurrences, |count| (1..=tags.most_occurrences).contains(&count))?;
        Ok(Self {
            pattern,
            interval: interval.unwrap_or(1).max(1),
            // Where both are there, Occurrences counts.
            end: match (occurrences, fields.text(tags.until)) {
                (Some(count), _) => End::Occurrences(count),
                (None, None) => End::Never,
                (None, Some(text)) => match read_until(text) {
                    Some(day) => End::Until(day),
                    None => return Err(fields.unusable(tags.until)),
                },
            },
        })
    }
}

/// The children of a `Recurrence`; empty ones count as absent.
struct Fields<'a> {
    element: &'a Element,
    tags: &'a Tags,
}

impl Fields<'_> {
    /// [MS-ASCAL] Type: which other elements it requires and forbids.
    fn pattern(&self, kind: i64) -> Result<Pattern, Unconvertible> {
        let tags = self.tags;
        let day = || self.required(tags.day_of_month, is_day);
        let days = || self.required(tags.day_of_week, is_days);
        let week = || self.required(tags.week_of_month, is_week);
        let month = || self.required(tags.month_of_year, is_month);
        match kind {
            0 => {
                self.forbid(&[tags.day_of_month, tags.week_of_month, tags.month_of_year])?;
                // Daily on some days of the week is weekly on those.
                Ok(match self.optional(tags.day_of_week, is_days)? {
                    Some(days) => Pattern::Weekly { days },
                    None => Pattern::Daily,
                })
            }
            1 => {
                self.forbid(&[tags.day_of_month, tags.week_of_month, tags.month_of_year])?;
                Ok(Pattern::Weekly { days: days()? })
            }
            2 => {
                self.forbid(&[tags.day_of_week, tags.week_of_month, tags.month_of_year])?;
                Ok(Pattern::Monthly { day: day()? })
            }
            3 => {
                self.forbid(&[tags.day_of_month, tags.month_of_year])?;
                let (week, days) = (week()?, days()?);
                Ok(Pattern::MonthlyNth { week, days })
            }
            5 => {
                self.forbid(&[tags.day_of_week, tags.week_of_month])?;
                let (month, day) = (month()?, day()?);
                Ok(Pattern::Yearly { month, day })
            }
            6 => {
                self.forbid(&[tags.day_of_month])?;
                let (month, week, days) = (month()?, week()?, days()?);
                Ok(Pattern::YearlyNth { month, week, days })
            }
            _ => Err(self.unusable(tags.kind)),
        }
    }

    /// [MS-ASCAL] CalendarType: OX counts in the Gregorian calendar only, so those with other months are refused
    /// rather than stored on wrong days. Daily and weekly patterns have no months.
    fn check_calendar(&self, kind: i64) -> Result<(), Unconvertible> {
        let same_months = |code| matches!(code, 0..=5 | 7 | 9..=12);
        let known = |code| matches!(code, 0..=12 | 14 | 15 | 20);
        let accepted = |code| if kind <= 1 { known(code) } else { same_months(code) };
        self.optional(self.tags.calendar_type, accepted).map(|_| ())
    }

    fn text(&self, tag: Tag) -> Option<&str> {
        let text = self.element.child_text(tag)?.trim();
        Some(text).filter(|text| !text.is_empty())
    }

    fn number(&self, tag: Tag) -> Result<Option<i64>, Unconvertible> {
        let number = self.text(tag).map(|text| text.parse().map_err(|_| self.unusable(tag)));
        number.transpose()
    }

    fn optional(&self, tag: Tag, accepted: impl FnOnce(i64) -> bool) -> Result<Option<i64>, Unconvertible> {
        match self.number(tag)? {
            Some(number) if !accepted(number) => Err(self.unusable(tag)),
            number => Ok(number),
        }
    }

    fn required(&self, tag: Tag, accepted: impl FnOnce(i64) -> bool) -> Result<i64, Unconvertible> {
        let number = self.optional(tag, accepted)?;
        number.ok_or_else(|| Unconvertible(format!("Recurrence of this Type has no {}", tag.name())))
    }

    fn forbid(&self, tags: &[Tag]) -> Result<(), Unconvertible> {
        match tags.iter().find(|tag| self.text(**tag).is_some()) {
            Some(tag) => Err(Unconvertible(format!("Recurrence of this Type has {}", tag.name()))),
            None => Ok(()),
        }
    }

    fn unusable(&self, tag: Tag) -> Unconvertible {
        Unconvertible(format!("unusable {} in Recurrence", tag.name()))
    }
}

fn ox_week(week: i64) -> i64 {
    if week == LAST { OX_LAST } else { week }
}

fn is_days(days: i64) -> bool {
    (1..=127).contains(&days)
}

fn is_week(week: i64) -> bool {
    (1..=LAST).contains(&week)
}

fn is_day(day: i64) -> bool {
    (1..=31).contains(&day)
}

fn is_month(month: i64) -> bool {
    (1..=12).contains(&month)
}

#[cfg(test)]
mod tests;
