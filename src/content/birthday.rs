//! Birthdays and anniversaries: days that devices send with an arbitrary time.
//!
//! Implements [MS-ASCNTC] Birthday and Anniversary, of which only the date counts, and what devices make of it.

use jiff::tz::TimeZone;

use crate::content::date;
use crate::content::date::DAY;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// The day a device means. Seen times: 00:00, 08:00, 11:59 and 12:00 UTC with the digits of the day, and midnight of
/// the device's zone in UTC. So, in this order:
///
/// 1. If the day that OX has is one of the readings below, it has not changed. Else a device in a zone where they
///    differ would move the day with every edit.
/// 2. Midnight in the user's zone is the day in that zone.
/// 3. Up to 12:00 UTC the digits are the day; later it is the next one: midnight east of Greenwich.
///
/// `None` if it is no date.
pub fn read(text: &str, current: Option<i64>, zone: &TimeZone) -> Option<i64> {
    let instant = date::parse(text)?;
    let digits = date::midnight(instant);
    let nearest = if instant - digits <= DAY / 2 {
        digits
    } else {
        digits + DAY
    };
    let local = date::day_in(instant, zone);
    let local = (date::start_of_day_in(local, zone) == instant).then_some(local);
    let unchanged = current.filter(|day| *day == nearest || Some(*day) == local);
    unchanged.or(local).or(Some(nearest))
}

/// An hour of the day in UTC. At 0, most devices read the day of the digits; the others have a quirk.
pub fn write(day: i64, hour: i64) -> String {
    date::hyphenated(date::midnight(day).saturating_add(hour * HOUR))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn every_device_means_the_same_day() {
        let day = "1980-07-14";
        // what the device sends, zone of the user, why
        let cases = [
            (
                "1980-07-14T00:00:00.000Z",
                "Europe/Berlin",
                "Samsung, Nine, Windows Phone",
            ),
            ("1980-07-14T08:00:00.000Z", "Europe/Berlin", "Android's own"),
            ("1980-07-14T11:59:00.000Z", "Europe/Berlin", "Outlook"),
            ("1980-07-14T12:00:00.000Z", "Europe/Berlin", "Gmail"),
            ("1980-07-13T22:00:00.000Z", "Europe/Berlin", "iOS in summer"),
            (
                "1980-07-13T23:00:00.000Z",
                "Europe/Berlin",
                "iOS with the offset of winter",
            ),
            ("1980-07-14T04:00:00.000Z", "America/New_York", "iOS west of Greenwich"),
            ("1980-07-14T08:00:00.000Z", "Europe/London", "Android's own"),
            ("1980-07-13T23:00:00.000Z", "Europe/London", "iOS in summer"),
            ("1980-07-13T18:30:00.000Z", "Asia/Kolkata", "iOS, half an hour"),
            ("1980-07-13T12:00:00.000Z", "Pacific/Auckland", "iOS, twelve hours east"),
            (
                "1980-07-13T11:00:00.000Z",
                "Pacific/Tongatapu",
                "iOS, thirteen hours east",
            ),
            ("1980-07-14", "Europe/Berlin", "a date without a time"),
            ("19800714T000000Z", "Europe/Berlin", "the other form"),
        ];
        for (text, name, why) in cases {
            let day = date::parse(day).unwrap();
            assert_eq!(read(text, None, &zone(name)), Some(day), "{text} in {name}: {why}");
            assert_eq!(read(text, Some(day), &zone(name)), Some(day), "{text} in {name}: {why}");
        }
        assert_eq!(read("1980-07-32", None, &zone("Europe/Berlin")), None);
        assert_eq!(read("", Some(0), &zone("Europe/Berlin")), None);
    }

    #[test]
    fn a_day_that_can_be_meant_has_not_changed() {
        // Gmail sends noon; in Auckland that is also midnight of the next day.
        let auckland = zone("Pacific/Auckland");
        let noon = "1980-07-14T12:00:00.000Z";
        let (digits, next) = (date::parse("1980-07-14"), date::parse("1980-07-15"));
        assert_eq!(read(noon, digits, &auckland), digits);
        assert_eq!(read(noon, next, &auckland), next);
        assert_eq!(read(noon, Some(0), &auckland), next);
    }

    #[test]
    fn written_at_an_hour() {
        assert_eq!(write(-DAY, 0), "1969-12-31T00:00:00.000Z");
        assert_eq!(write(-DAY, 11), "1969-12-31T11:00:00.000Z");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(day in -40_000_i64..40_000, name in 0..4_usize, hour in 0..=12_i64) {
            let zone = zone(["Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"][name]);
            prop_assert_eq!(read(&write(day * DAY, hour), Some(day * DAY), &zone), Some(day * DAY));
            prop_assert_eq!(read(&write(day * DAY, 0), None, &zone), Some(day * DAY));
            // And midnight in the user's zone, which is what iOS sends.
            let midnight = date::hyphenated(date::start_of_day_in(day * DAY, &zone));
            prop_assert_eq!(read(&midnight, Some(day * DAY), &zone), Some(day * DAY));
        }
    }
}
