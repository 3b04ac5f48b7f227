//! Time zones, and the "Time" values of the API.
//!
//! A *Time* is real UTC plus the offset of the user's zone: read as if it were UTC it shows the wall clock. Implements
//! "Date and time" of the OX HTTP API, including its fault: input is taken back by the offset *at the shifted value*,
//! which is off by an hour close to a change of the clocks.

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// A day in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;

/// The end of the year 9999; later and correspondingly earlier instants are nonsense.
pub(crate) const LATEST: i64 = 253_402_300_799_999;

/// A time zone with its name.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// The zone of that name, if there is one.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let zone = if name == "UTC" || name == "GMT" {
            TimeZone::UTC
        } else {
            TimeZone::get(name).ok()?
        };
        Some(Self {
            name: name.to_owned(),
            zone,
        })
    }

    /// As the server takes the parameter `timezone`: an unknown zone is UTC.
    pub(crate) fn named_or_utc(name: &str) -> Self {
        Self::named(name).unwrap_or_else(Self::utc)
    }

    pub(crate) fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Offset from UTC at the instant `utc`, in milliseconds.
    pub(crate) fn offset(&self, utc: i64) -> i64 {
        Timestamp::from_millisecond(utc).map_or(0, |at| i64::from(self.zone.to_offset(at).seconds()) * 1000)
    }

    /// UTC to the *Time* of the wire.
    pub(crate) fn to_wire(&self, utc: i64) -> i64 {
        utc.saturating_add(self.offset(utc))
    }

    /// The *Time* of the wire to UTC, with the server's own inaccuracy.
    pub(crate) fn to_utc(&self, time: i64) -> i64 {
        time.saturating_sub(self.offset(time))
    }

    /// The wall clock at an instant.
    pub(crate) fn wall(&self, utc: i64) -> civil::DateTime {
        Timestamp::from_millisecond(utc).map_or_else(|_| civil::DateTime::default(), |at| self.zone.to_datetime(at))
    }

    /// The instant at which the wall clock shows `wall`; a skipped hour moves on, a repeated one is the first.
    pub(crate) fn instant(&self, wall: civil::DateTime) -> i64 {
        self.zone.to_timestamp(wall).map_or(0, Timestamp::as_millisecond)
    }
}

/// 00:00 UTC of the day that holds `ms`.
pub(crate) fn day_of(ms: i64) -> i64 {
    ms.div_euclid(DAY) * DAY
}

/// 00:00 UTC of a calendar day.
pub(crate) fn day_ms(date: civil::Date) -> i64 {
    Zone::utc().instant(date.to_datetime(civil::Time::midnight()))
}

/// The calendar day of an instant read as UTC.
pub(crate) fn civil_day(ms: i64) -> civil::Date {
    Zone::utc().wall(ms).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shifted_by_the_zone() {
        let berlin = Zone::named("Europe/Berlin").expect("a known zone");
        // 2024-01-02 08:00 UTC is 09:00 in Berlin.
        assert_eq!(berlin.to_wire(1_704_182_400_000), 1_704_186_000_000);
        assert_eq!(berlin.to_utc(1_704_186_000_000), 1_704_182_400_000);
        // 2024-03-31 00:30 UTC is 01:30 in Berlin; as a value it lies before the change at 01:00 UTC only when unshifted.
        assert_eq!(berlin.to_wire(1_711_845_000_000), 1_711_848_600_000);
        assert_eq!(
            berlin.to_utc(1_711_848_600_000),
            1_711_841_400_000,
            "off by an hour, as the server is"
        );
    }

    #[test]
    fn days_are_counted_in_utc() {
        assert_eq!(day_of(-1), -DAY);
        assert_eq!(day_ms(civil::date(2024, 1, 8)), 1_704_672_000_000);
        assert_eq!(civil_day(1_704_672_000_000), civil::date(2024, 1, 8));
    }
}
