//! Dates as ActiveSync writes them, and calendar days: between text, milliseconds since 1970, and a user's zone.
//!
//! Which property has which form is the business of the class; reading takes every form everywhere, because devices
//! mix them. Implements [MS-ASDTYPE] "dateTime Data Type" and "Compact DateTime".
//!
//! An *instant* is milliseconds since 1970 in UTC. A *day* is the instant of 00:00 UTC on a calendar day, as OX
//! writes columns of the type Date. *Wall clock* is what a clock in a zone shows, written as if it were UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Milliseconds of a day without a change of clocks.
pub const DAY: i64 = 24 * 60 * 60 * 1000;

/// 0001-01-01T00:00:00Z: earlier years do not fit four digits.
const FIRST: i64 = -62_135_596_800_000;

/// Reads an instant in any of the forms; a date without a time is its midnight. A missing `Z` changes nothing: all
/// times of the protocol are UTC. `None` if it is no date.
///
/// `2010-04-08T18:16:00.000Z`, `2010-04-08T18:16:00Z`, `20100408T181600Z`, `2010-04-08`, `20100408`,
/// `2010-04-08T20:16:00+02:00`.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time.trim())),
        None => (text.trim_end_matches(['Z', 'z']), None),
    };
    let [year, month, day] = date_fields(date)?;
    let (clock, offset) = match time {
        Some(time) => split_offset(time)?,
        None => ("000000", 0),
    };
    let ([hour, minute, second], milliseconds) = time_fields(clock)?;
    let civil = DateTime::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        // A leap second counts as the second before it.
        i8::try_from(second.min(59)).ok()?,
        0,
    );
    let instant = digits_as_utc(civil.ok()?)? + milliseconds - offset;
    (instant >= FIRST && Timestamp::from_millisecond(instant).is_ok()).then_some(instant)
}

/// `2010-04-08T18:16:00.000Z`: the form of contacts, tasks, mail and everything that is not a calendar property.
pub fn hyphenated(instant: i64) -> String {
    let civil = civil(instant);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second(),
        civil.millisecond()
    )
}

/// `2010-04-08 18:16`: for people, who want no more of a wall clock.
pub fn readable(wall_clock: i64) -> String {
    let minutes = hyphenated(wall_clock).replace('T', " ");
    minutes.chars().take("2010-04-08 18:16".len()).collect()
}

/// `20100408T181600Z`: the form of calendar properties. Has no place for milliseconds.
pub fn compact(instant: i64) -> String {
    let civil = civil(instant);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second()
    )
}

/// The day whose date digits this instant has: 18:16 on 8 April becomes 00:00 on 8 April.
pub const fn midnight(instant: i64) -> i64 {
    instant.saturating_sub(instant.rem_euclid(DAY))
}

/// What clocks in the zone show at this instant, written as if it were UTC.
pub fn wall_clock(instant: i64, zone: &TimeZone) -> i64 {
    let seconds = zone.to_offset(timestamp(instant)).seconds();
    instant.saturating_add(i64::from(seconds) * 1000)
}

/// The instant at which clocks in the zone show this. Of two such instants the earlier; where clocks skip it, the
/// time that would have been without the skip.
pub fn from_wall_clock(wall_clock: i64, zone: &TimeZone) -> i64 {
    let wanted = civil(wall_clock);
    match zone.to_timestamp(wanted) {
        Ok(instant) => instant.as_millisecond(),
        Err(_) => wall_clock,
    }
}

/// The day in the zone on which this instant falls.
pub fn day_in(instant: i64, zone: &TimeZone) -> i64 {
    midnight(wall_clock(instant, zone))
}

/// The instant at which this day begins in the zone.
pub fn start_of_day_in(day: i64, zone: &TimeZone) -> i64 {
    from_wall_clock(midnight(day), zone)
}

/// Year, month and day.
fn date_fields(date: &str) -> Option<[u16; 3]> {
    match date.len() {
        8 => Some([number(date, 0, 4)?, number(date, 4, 2)?, number(date, 6, 2)?]),
        10 if date.get(4..5) == Some("-") && date.get(7..8) == Some("-") => {
            Some([number(date, 0, 4)?, number(date, 5, 2)?, number(date, 8, 2)?])
        }
        _ => None,
    }
}

/// Hour, minute and second, and milliseconds. Seconds may be missing.
fn time_fields(clock: &str) -> Option<([u16; 3], i64)> {
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let milliseconds = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(3)
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let hyphenated = clock.contains(':');
    let fields = match (clock.len(), hyphenated) {
        (8, true) if clock.get(5..6) == Some(":") => [number(clock, 0, 2)?, number(clock, 3, 2)?, number(clock, 6, 2)?],
        (5, true) => [number(clock, 0, 2)?, number(clock, 3, 2)?, 0],
        (6, false) => [number(clock, 0, 2)?, number(clock, 2, 2)?, number(clock, 4, 2)?],
        (4, false) => [number(clock, 0, 2)?, number(clock, 2, 2)?, 0],
        _ => return None,
    };
    Some((fields, milliseconds))
}

/// Takes `Z` or `+02:00` off a time; the offset in milliseconds.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    let time = time.trim_end_matches(['Z', 'z']);
    let Some(position) = time.find(['+', '-']) else {
        return Some((time, 0));
    };
    let (clock, offset) = time.split_at_checked(position)?;
    let ([hours, minutes, _], _) = time_fields(offset.get(1..)?)?;
    if hours > 14 || minutes > 59 {
        return None;
    }
    let size = (i64::from(hours) * 60 + i64::from(minutes)) * 60_000;
    Some((clock, if offset.starts_with('-') { -size } else { size }))
}

/// Digits only: `parse` of the standard library would take a sign.
fn number(text: &str, start: usize, length: usize) -> Option<u16> {
    let digits = text.get(start..start + length)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    digits.parse().ok()
}

fn civil(instant: i64) -> DateTime {
    TimeZone::UTC.to_datetime(timestamp(instant))
}

fn digits_as_utc(civil: DateTime) -> Option<i64> {
    let instant = TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(instant.as_millisecond())
}

/// Instants outside the years 1 to 9999 become the nearest inside.
fn timestamp(instant: i64) -> Timestamp {
    Timestamp::from_millisecond(instant.max(FIRST)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2010-04-08T18:16:00Z
    const EXAMPLE: i64 = 1_270_750_560_000;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn reads_every_form() {
        let midnight = EXAMPLE - (18 * 60 + 16) * 60_000;
        let cases = [
            ("2010-04-08T18:16:00.000Z", Some(EXAMPLE)),
            ("2010-04-08T18:16:00Z", Some(EXAMPLE)),
            ("2010-04-08T18:16:00", Some(EXAMPLE)),
            ("2010-04-08T18:16Z", Some(EXAMPLE)),
            ("2010-04-08 18:16:00", Some(EXAMPLE)),
            (" 20100408T181600Z\n", Some(EXAMPLE)),
            ("20100408T1816Z", Some(EXAMPLE)),
            ("20100408T181600.000Z", Some(EXAMPLE)),
            ("2010-04-08T20:16:00.000+02:00", Some(EXAMPLE)),
            ("2010-04-08T12:46:00-0530", Some(EXAMPLE)),
            ("2010-04-08T18:16:00.5Z", Some(EXAMPLE + 500)),
            ("2010-04-08T18:16:00.1234567Z", Some(EXAMPLE + 123)),
            ("2010-04-08T18:15:60Z", Some(EXAMPLE - 1000)),
            ("2010-04-08", Some(midnight)),
            ("20100408", Some(midnight)),
            ("2010-04-08Z", Some(midnight)),
            ("1969-12-31T23:59:59.999Z", Some(-1)),
            ("0001-01-01", Some(FIRST)),
            ("", None),
            ("T", None),
            ("2010-04-31", None),
            ("2010-13-01", None),
            ("2010-4-8", None),
            ("2010/04/08", None),
            ("+010-04-08", None),
            ("0000-01-01", None),
            ("20100408T", None),
            ("20100408T250000Z", None),
            ("20100408T18160-Z", None),
            ("2010-04-08T18:16:00+99:00", None),
            ("2010-04-08T18:16:00.+Z", None),
            ("tomorrow", None),
            ("２０１０-04-08", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn writes_the_documented_forms() {
        // instant, hyphenated, compact
        let cases = [
            (EXAMPLE, "2010-04-08T18:16:00.000Z", "20100408T181600Z"),
            (EXAMPLE + 7, "2010-04-08T18:16:00.007Z", "20100408T181600Z"),
            (-1, "1969-12-31T23:59:59.999Z", "19691231T235959Z"),
            (i64::MIN, "0001-01-01T00:00:00.000Z", "00010101T000000Z"),
        ];
        for (instant, expected_hyphenated, expected_compact) in cases {
            assert_eq!(hyphenated(instant), expected_hyphenated);
            assert_eq!(compact(instant), expected_compact);
        }
        assert!(compact(i64::MAX).starts_with("9999"));
    }

    #[test]
    fn days_and_wall_clocks_follow_the_zone() {
        let berlin = zone("Europe/Berlin");
        let day = parse("2010-04-08").unwrap();
        assert_eq!(midnight(EXAMPLE), day);
        assert_eq!(midnight(-1), -DAY);
        assert_eq!(hyphenated(wall_clock(EXAMPLE, &berlin)), "2010-04-08T20:16:00.000Z");
        assert_eq!(compact(start_of_day_in(day, &berlin)), "20100407T220000Z");
        assert_eq!(day_in(start_of_day_in(day, &berlin), &berlin), day);
        // Clocks go from 02:00 to 03:00: half past two becomes half past three.
        let skipped = parse("2010-03-28T02:30:00Z").unwrap();
        assert_eq!(compact(from_wall_clock(skipped, &berlin)), "20100328T013000Z");
        // Clocks go back from 03:00 to 02:00: the earlier of the two.
        let doubled = parse("2010-10-31T02:30:00Z").unwrap();
        assert_eq!(compact(from_wall_clock(doubled, &berlin)), "20101031T003000Z");
    }

    proptest! {
        #[test]
        fn both_forms_round_trip(instant in FIRST..253_402_000_000_000_i64) {
            prop_assert_eq!(parse(&hyphenated(instant)), Some(instant));
            let seconds = instant - instant.rem_euclid(1000);
            prop_assert_eq!(parse(&compact(instant)), Some(seconds));
        }

        #[test]
        fn a_day_survives_every_zone(day in -30_000_i64..60_000, name in 0..5_usize) {
            // Havana changes its clocks at midnight, so that some days begin at 01:00.
            let names = ["Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles", "Asia/Kolkata", "America/Havana"];
            let zone = zone(names[name]);
            prop_assert_eq!(day_in(start_of_day_in(day * DAY, &zone), &zone), day * DAY);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}", instant in any::<i64>()) {
            let _ = parse(&text);
            let _ = (hyphenated(instant), compact(instant), midnight(instant));
            let _ = (wall_clock(instant, &zone("Asia/Kolkata")), start_of_day_in(instant, &zone("Asia/Kolkata")));
        }
    }
}
