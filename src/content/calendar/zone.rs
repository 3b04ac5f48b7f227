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

/// SYSTEMTIME. With year 0 it is a rule, and `day` says the how manieth weekday of the month; 5 is the last.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bias, StandardDate, DaylightDate, DaylightBias; the rest of the structure is zero.
    fn blob(bias: i32, standard: [u16; 8], daylight: [u16; 8], daylight_bias: i32) -> String {
        let date = |fields: [u16; 8]| fields.map(u16::to_le_bytes).concat();
        let mut bytes = vec![0; LENGTH];
        put(&mut bytes, BIAS, &bias.to_le_bytes());
        put(&mut bytes, STANDARD_DATE, &date(standard));
        put(&mut bytes, DAYLIGHT_DATE, &date(daylight));
        put(&mut bytes, DAYLIGHT_BIAS, &daylight_bias.to_le_bytes());
        BASE64.encode(bytes)
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn guess(blob: &str, year: i16, preferred: &[&str]) -> Option<String> {
        decode(blob, &[year], preferred)?.name
    }

    const NEVER: [u16; 8] = [0; 8];

    #[test]
    fn known_answers_both_ways() {
        // zone, year, bias, StandardDate, DaylightDate, DaylightBias
        let cases = [
            (
                "Europe/Berlin",
                2024,
                -60,
                [0, 10, 0, 5, 3, 0, 0, 0],
                [0, 3, 0, 5, 2, 0, 0, 0],
                -60,
            ),
            (
                "America/New_York",
                2024,
                300,
                [0, 11, 0, 1, 2, 0, 0, 0],
                [0, 3, 0, 2, 2, 0, 0, 0],
                -60,
            ),
            // Before 2007 the rule was another one.
            (
                "America/New_York",
                2006,
                300,
                [0, 10, 0, 5, 2, 0, 0, 0],
                [0, 4, 0, 1, 2, 0, 0, 0],
                -60,
            ),
            (
                "Pacific/Auckland",
                2024,
                -720,
                [0, 4, 0, 1, 3, 0, 0, 0],
                [0, 9, 0, 5, 2, 0, 0, 0],
                -60,
            ),
            // Half an hour of summer time.
            (
                "Australia/Lord_Howe",
                2024,
                -630,
                [0, 4, 0, 1, 2, 0, 0, 0],
                [0, 10, 0, 1, 2, 0, 0, 0],
                -30,
            ),
            // Winter is the exception by law, but not on the wire.
            (
                "Europe/Dublin",
                2024,
                0,
                [0, 10, 0, 5, 2, 0, 0, 0],
                [0, 3, 0, 5, 1, 0, 0, 0],
                -60,
            ),
            ("Asia/Kolkata", 2024, -330, NEVER, NEVER, 0),
            ("Asia/Kathmandu", 2024, -345, NEVER, NEVER, 0),
            ("UTC", 2024, 0, NEVER, NEVER, 0),
            // Summer time for good, from that spring on.
            ("Europe/Istanbul", 2016, -180, NEVER, NEVER, 0),
        ];
        for (name, year, bias, standard, daylight, daylight_bias) in cases {
            let expected = blob(bias, standard, daylight, daylight_bias);
            assert_eq!(encode(&zone(name), year), expected, "{name} {year}");
            assert_eq!(guess(&expected, year, &[name]).as_deref(), Some(name), "{name} {year}");
        }
        let berlin = encode(&zone("Europe/Berlin"), 2024);
        assert_eq!(berlin.len(), 232);
        assert!(berlin.starts_with("xP///w"), "{berlin}");
    }

    #[test]
    fn names_are_ignored_and_windows_midnights_understood() {
        let mut bytes = BASE64.decode(encode(&zone("Europe/Berlin"), 2024)).unwrap();
        bytes[4..6].copy_from_slice(b"W\0");
        assert_eq!(
            guess(&BASE64.encode(&bytes), 2024, &[]).as_deref(),
            Some("Europe/Berlin")
        );

        // Beirut changes its clocks at midnight. In 2022 that is the end of Saturday 26 March and of Saturday
        // 29 October: the fourth and the last of their months.
        let standard = [0, 10, 6, 5, 23, 59, 59, 999];
        let daylight = [0, 3, 6, 4, 23, 59, 59, 999];
        let beirut = blob(-120, standard, daylight, -60);
        assert_eq!(guess(&beirut, 2022, &[]).as_deref(), Some("Asia/Beirut"));
    }

    #[test]
    fn the_preferred_zone_wins_among_equals_and_only_there() {
        let berlin = encode(&zone("Europe/Berlin"), 2024);
        // preferred, expected
        let cases: [(&[&str], &str); 5] = [
            (&[], "Europe/Berlin"),
            (&["Europe/Paris"], "Europe/Paris"),
            (&["Europe/Rome", "Europe/Paris"], "Europe/Rome"),
            (&["America/New_York", "Europe/Paris"], "Europe/Paris"),
            (&["no zone", "Europe/London"], "Europe/Berlin"),
        ];
        for (preferred, expected) in cases {
            assert_eq!(
                guess(&berlin, 2024, preferred).as_deref(),
                Some(expected),
                "{preferred:?}"
            );
        }
    }

    #[test]
    fn odd_blobs() {
        let garbage = [7, 13, 9, 99, 77, 0, 0, 0];
        // what, blob, name
        let cases = [
            (
                "garbage dates without a difference",
                blob(-330, garbage, garbage, 0),
                Some("Asia/Kolkata"),
            ),
            (
                "garbage dates with a difference",
                blob(-330, garbage, garbage, -60),
                Some("Asia/Kolkata"),
            ),
            (
                "a difference that never comes",
                blob(-60, NEVER, NEVER, -60),
                Some("Africa/Lagos"),
            ),
            ("no such zone", blob(-7, NEVER, NEVER, 0), None),
            // A rule by a device's own reckoning: the fourth Sunday instead of the last.
            (
                "nearly Berlin",
                blob(-60, [0, 10, 0, 4, 3, 0, 0, 0], [0, 3, 0, 4, 2, 0, 0, 0], -60),
                Some("Europe/Berlin"),
            ),
            // The lesser offset called daylight time.
            (
                "turned round",
                blob(-120, [0, 3, 0, 5, 2, 0, 0, 0], [0, 10, 0, 5, 3, 0, 0, 0], 60),
                Some("Europe/Berlin"),
            ),
            // Once only: 31 March and 27 October 2024.
            (
                "dates of one year",
                blob(-60, [2024, 10, 0, 27, 3, 0, 0, 0], [2024, 3, 0, 31, 2, 0, 0, 0], -60),
                Some("Europe/Berlin"),
            ),
        ];
        for (what, blob, expected) in cases {
            let guess = decode(&blob, &[2024], &[]).unwrap();
            assert_eq!(guess.name.as_deref(), expected, "{what}");
        }
        let odd = decode(&blob(-7, NEVER, NEVER, 0), &[2024], &[]).unwrap();
        assert_eq!(odd.zone.to_offset(Timestamp::UNIX_EPOCH).seconds(), 420);
        for text in [
            "",
            "AAAA",
            "not base64",
            &blob(i32::MIN, NEVER, NEVER, 0),
            &blob(90_000, NEVER, NEVER, 0),
        ] {
            assert!(decode(text, &[2024], &[]).is_none(), "{text}");
        }
    }

    #[test]
    fn the_rules_of_the_event_or_of_today() {
        // A device that knows only today's rules sends an event of 2006.
        let today = encode(&zone("America/New_York"), 2024);
        let guess = decode(&today, &[2006, 2024], &[]).unwrap();
        assert_eq!(guess.name.as_deref(), Some("America/New_York"));
    }

    #[test]
    fn summer_time_twice_a_year_is_joined() {
        // Cairo had summer time from 30 April to 1 October 2010 but for Ramadan.
        let cairo = YearRules::of(&zone("Africa/Cairo"), 2010);
        let summer = cairo.summer.unwrap();
        assert_eq!((cairo.standard, summer.offset), (120, 180));
        assert_eq!((summer.begins.month(), summer.ends.month()), (4, 10));
    }

    #[test]
    fn every_zone_comes_back_as_one_with_the_same_rules() {
        for name in jiff::tz::db().available() {
            let zone = zone(name.as_str());
            let guess = decode(&encode(&zone, 2024), &[2024], &[name.as_str()]).unwrap();
            assert_eq!(guess.name.as_deref(), Some(name.as_str()));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 172), year in any::<i16>()) {
            decode(&BASE64.encode(bytes), &[year], &["Europe/Berlin"]);
        }

        #[test]
        fn any_text_is_survived(text in ".{0,300}") {
            prop_assert!(decode(&text, &[2024], &[]).is_none());
        }
    }
}
