//! Known blobs, odd ones, and every zone of the tz database there and back.

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
