//! The TimeZone blob: 172 bytes of bias and transition rules, to and from the zones of the tz database.
//!
//! A blob has no zone name to rely on, and holds the rules of one year only; so it is written from the rules in force
//! in a given year, and read by looking for a zone with the same rules in that year. Nothing here ever falls back to
//! GMT: an unreadable blob is `None`, and the caller keeps the zone it has.
//! Implements [MS-ASDTYPE] TimeZone and, inside it, the SYSTEMTIME structure of [MS-DTYP].

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Time;
use jiff::civil::Weekday;
use jiff::tz::Offset;
use jiff::tz::TimeZone;

/// Length of the structure in bytes.
const LENGTH: usize = 172;
const BIAS: usize = 0;
const STANDARD_DATE: usize = 68;
const STANDARD_BIAS: usize = 84;
const DAYLIGHT_DATE: usize = 152;
const DAYLIGHT_BIAS: usize = 168;

/// Some devices leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Many zones share their rules. Where neither the event nor the user says which one is meant, the best known is
/// taken, in this order.
const COMMON: [&str; 32] = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Helsinki",
    "Europe/Moscow",
    "Europe/Istanbul",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Phoenix",
    "America/Anchorage",
    "America/Halifax",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Bogota",
    "Pacific/Honolulu",
    "UTC",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Brisbane",
    "Australia/Sydney",
    "Australia/Darwin",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "Africa/Nairobi",
];

/// The blob of a zone, by the rules in force in a year. The names are left empty: some devices show or mis-parse them.
pub fn encode(zone: &TimeZone, year: i16) -> String {
    let rules = YearRules::of(zone, year);
    let mut bytes = [0; LENGTH];
    put(&mut bytes, BIAS, &(-rules.standard).to_le_bytes());
    if let Some(summer) = rules.summer {
        let ends = SystemTime::rule(summer.ends, zone, year);
        let begins = SystemTime::rule(summer.begins, zone, year);
        put(&mut bytes, STANDARD_DATE, &ends.to_bytes());
        put(&mut bytes, DAYLIGHT_DATE, &begins.to_bytes());
        let bias = rules.standard - summer.offset;
        put(&mut bytes, DAYLIGHT_BIAS, &bias.to_le_bytes());
    }
    BASE64.encode(bytes)
}

/// What a blob was understood to mean.
#[derive(Clone, Debug)]
pub struct ZoneGuess {
    pub zone: TimeZone,
    /// Name in the tz database; `None` if it has no such zone and `zone` is only a fixed offset.
    pub name: Option<String>,
}

/// Finds the zone that a blob means. `years` are those whose rules the blob may hold: of the event, and the current
/// one, which many devices send whatever the event's year. `preferred` are names of zones to try before all others.
/// `None` if the text is not a TimeZone blob.
pub fn decode(blob: &str, years: &[i16], preferred: &[&str]) -> Option<ZoneGuess> {
    let blob = Blob::read(blob)?;
    for same in [YearRules::agrees_with, YearRules::resembles] {
        let others = COMMON.into_iter().map(str::to_owned);
        let others = others.chain(jiff::tz::db().available().map(|name| name.to_string()));
        let names = preferred.iter().map(|name| (*name).to_owned()).chain(others);
        for name in names {
            let Ok(zone) = TimeZone::get(&name) else {
                continue;
            };
            let found = years
                .iter()
                .any(|&year| same(&YearRules::of(&zone, year), &blob.in_year(year)));
            if found {
                return Some(ZoneGuess { zone, name: Some(name) });
            }
        }
    }
    fixed(blob.standard)
}

/// A zone without transitions. The tz database has whole hours only; the sign in their names is turned round.
fn fixed(minutes: i32) -> Option<ZoneGuess> {
    let offset = Offset::from_seconds(minutes.checked_mul(60)?).ok()?;
    let hours = (minutes % 60 == 0).then(|| format!("Etc/GMT{:+}", -(minutes / 60)));
    let name = hours.filter(|name| TimeZone::get(name).is_ok());
    Some(ZoneGuess {
        zone: TimeZone::fixed(offset),
        name,
    })
}

/// The rules of one year. Standard time is the lesser offset, also where the law calls it the summer's exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct YearRules {
    /// Minutes east of Greenwich.
    standard: i32,
    summer: Option<Summer>,
}

/// Summer time: both moments are shown by the local clock before it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Summer {
    /// Minutes east of Greenwich.
    offset: i32,
    begins: DateTime,
    ends: DateTime,
}

impl YearRules {
    /// In a year with another number of transitions than two, the first begin and the last end of summer time count;
    /// where these do not belong together, what lasts beyond the year.
    fn of(zone: &TimeZone, year: i16) -> Self {
        let transitions = transitions(zone, year);
        let begins = transitions
            .iter()
            .find(|transition| transition.after > transition.before);
        let ends = transitions
            .iter()
            .rfind(|transition| transition.after < transition.before);
        if let (Some(begins), Some(ends)) = (begins, ends)
            && begins.after == ends.before
            && begins.before == ends.after
        {
            let summer = Summer {
                offset: begins.after,
                begins: begins.local,
                ends: ends.local,
            };
            return Self {
                standard: begins.before,
                summer: Some(summer),
            };
        }
        let standard = transitions.last().map(|transition| transition.after);
        Self {
            standard: standard.unwrap_or_else(|| offset(zone, first_of(year))),
            summer: None,
        }
    }

    fn agrees_with(&self, other: &Self) -> bool {
        self == other
    }

    /// The same offsets and months: what is left when a device reckons the rule out of its own calendar.
    fn resembles(&self, other: &Self) -> bool {
        let months = |summer: Summer| (summer.offset, summer.begins.month(), summer.ends.month());
        self.standard == other.standard && self.summer.map(months) == other.summer.map(months)
    }
}

/// A change of the offset from UTC, in minutes.
#[derive(Clone, Copy, Debug)]
struct Transition {
    before: i32,
    after: i32,
    /// By the clock before the change.
    local: DateTime,
}

fn transitions(zone: &TimeZone, year: i16) -> Vec<Transition> {
    let end = first_of(year.saturating_add(1));
    let start = first_of(year);
    let mut before = offset(zone, start);
    let mut transitions = Vec::new();
    for transition in zone
        .following(start)
        .take_while(|transition| transition.timestamp() < end)
    {
        let after = minutes(transition.offset());
        if after != before {
            let local = wall_clock(transition.timestamp(), before);
            transitions.push(Transition { before, after, local });
        }
        before = after;
    }
    transitions
}

fn first_of(year: i16) -> Timestamp {
    let first = Date::new(year, 1, 1).map(|date| TimeZone::UTC.to_timestamp(date.into()));
    match first {
        Ok(Ok(timestamp)) => timestamp,
        _ => Timestamp::UNIX_EPOCH,
    }
}

fn offset(zone: &TimeZone, at: Timestamp) -> i32 {
    minutes(zone.to_offset(at))
}

fn minutes(offset: Offset) -> i32 {
    offset.seconds().div_euclid(60)
}

fn wall_clock(at: Timestamp, minutes: i32) -> DateTime {
    let utc = TimeZone::UTC.to_datetime(at);
    utc.checked_add(SignedDuration::from_mins(minutes.into()))
        .unwrap_or(utc)
}

/// A blob as read: rules that are not yet those of a certain year.
#[derive(Clone, Copy, Debug)]
struct Blob {
    standard: i32,
    summer: Option<(i32, SystemTime, SystemTime)>,
}

impl Blob {
    fn read(text: &str) -> Option<Self> {
        let text: String = text.split_ascii_whitespace().collect();
        let bytes = BASE64.decode(text).ok()?;
        let bias = long(&bytes, BIAS)?;
        let standard = bias.checked_add(long(&bytes, STANDARD_BIAS)?)?.checked_neg()?;
        let summer = bias.checked_add(long(&bytes, DAYLIGHT_BIAS)?)?.checked_neg()?;
        let ends = SystemTime::read(bytes.get(STANDARD_DATE..STANDARD_BIAS)?)?;
        let begins = SystemTime::read(bytes.get(DAYLIGHT_DATE..DAYLIGHT_BIAS)?)?;
        Offset::from_seconds(standard.checked_mul(60)?).ok()?;
        Some(Self {
            standard,
            // Without a difference the dates may be anything.
            summer: (summer != standard).then_some((summer, begins, ends)),
        })
    }

    fn in_year(&self, year: i16) -> YearRules {
        let fixed = YearRules {
            standard: self.standard,
            summer: None,
        };
        let Some((offset, begins, ends)) = self.summer else {
            return fixed;
        };
        let (Some(begins), Some(ends)) = (begins.in_year(year), ends.in_year(year)) else {
            return fixed;
        };
        if offset > self.standard {
            let summer = Some(Summer { offset, begins, ends });
            return YearRules { summer, ..fixed };
        }
        // Written the other way round: "daylight time" is the lesser offset.
        let summer = Summer {
            offset: self.standard,
            begins: ends,
            ends: begins,
        };
        YearRules {
            standard: offset,
            summer: Some(summer),
        }
    }
}

/// SYSTEMTIME. With year 0 it is a rule, and `day` counts the weekdays of that name in the month; 5 is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SystemTime {
    year: u16,
    month: u16,
    weekday: u16,
    day: u16,
    time: Time,
}

impl SystemTime {
    const LAST: i8 = 5;

    /// The rule behind the transition at `local` in a year. A day from the 22nd on may be both the fourth and the last
    /// weekday of its month: other years decide.
    fn rule(local: DateTime, zone: &TimeZone, year: i16) -> Self {
        let nth = nth(local.date()).unwrap_or_else(|| {
            let years = (year..year.saturating_add(7)).chain(year.saturating_sub(7)..year);
            years
                .flat_map(|year| transitions(zone, year))
                .map(|transition| transition.local)
                .filter(|other| other.month() == local.month() && other.weekday() == local.weekday())
                .find_map(|other| nth(other.date()).filter(|nth| *nth >= 4))
                .unwrap_or(Self::LAST)
        });
        Self {
            year: 0,
            month: local.month().unsigned_abs().into(),
            weekday: local.weekday().to_sunday_zero_offset().unsigned_abs().into(),
            day: nth.unsigned_abs().into(),
            time: local.time(),
        }
    }

    fn to_bytes(self) -> [u8; 16] {
        let fields = [
            self.year,
            self.month,
            self.weekday,
            self.day,
            self.time.hour().unsigned_abs().into(),
            self.time.minute().unsigned_abs().into(),
            self.time.second().unsigned_abs().into(),
            self.time.millisecond().unsigned_abs(),
        ];
        let mut bytes = [0; 16];
        for (index, field) in fields.into_iter().enumerate() {
            put(&mut bytes, 2 * index, &field.to_le_bytes());
        }
        bytes
    }

    /// Values out of range make a moment that never comes, as month 0 does.
    fn read(bytes: &[u8]) -> Option<Self> {
        let field = |index: usize| {
            let pair = bytes.get(2 * index..2 * index + 2)?;
            Some(u16::from_le_bytes(pair.try_into().ok()?))
        };
        let small = |index: usize| Some(i8::try_from(field(index)?).unwrap_or(-1));
        let milliseconds = i32::from(field(7)?.min(999));
        let time = Time::new(small(4)?, small(5)?, small(6)?, milliseconds * 1_000_000);
        Some(Self {
            year: field(0)?,
            month: if time.is_ok() { field(1)? } else { 0 },
            weekday: field(2)?,
            day: field(3)?,
            time: time.unwrap_or_default(),
        })
    }

    /// The moment in a year. Windows writes midnight as the last millisecond before it.
    fn in_year(&self, year: i16) -> Option<DateTime> {
        let month = i8::try_from(self.month).ok()?;
        let day = i8::try_from(self.day).ok()?;
        let date = if self.year == 0 {
            let weekday = Weekday::from_sunday_zero_offset(i8::try_from(self.weekday).ok()?).ok()?;
            let nth = if day == Self::LAST { -1 } else { day };
            Date::new(year, month, 1)
                .ok()?
                .nth_weekday_of_month(nth, weekday)
                .ok()?
        } else {
            Date::new(year, month, day).ok()?
        };
        let before_midnight = Time::constant(23, 59, 59, 0);
        if self.time >= before_midnight {
            return Some(date.tomorrow().ok()?.into());
        }
        Some(date.to_datetime(self.time))
    }
}

/// Which weekday of its month a day is: 1 to 5; `None` if it is both the fourth and the last.
fn nth(date: Date) -> Option<i8> {
    let nth = (date.day() - 1) / 7 + 1;
    let ambiguous = nth == 4 && date.day() + 7 > date.days_in_month();
    (!ambiguous).then_some(nth)
}

fn long(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    for (byte, value) in bytes.iter_mut().skip(at).zip(value) {
        *byte = *value;
    }
}

#[cfg(test)]
mod tests;
