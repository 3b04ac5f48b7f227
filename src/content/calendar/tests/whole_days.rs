//! Whole days: every zone, both forms, the edges of summer time.

use super::*;
use crate::content::date::DAY;

/// With summer time and without, half an hour off, east and west of the date line, changing clocks at midnight.
const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "America/Havana",
    "UTC",
];

/// 817 of the transcripts: three days from 1 February 2024.
fn vacation() -> Object {
    object(json!({
        "id": 817, "title": "Urlaub", "start_date": 1_706_745_600_000_i64, "end_date": 1_707_004_800_000_i64,
        "full_time": true, "timezone": "Europe/Berlin",
    }))
}

#[test]
fn the_forms_of_the_versions() {
    // version, zone of the user, StartTime, EndTime, whether there is a Timezone
    let cases = [
        (V2_5, "Europe/Berlin", "20240131T230000Z", "20240203T230000Z", true),
        (V14_1, "Europe/Berlin", "20240131T230000Z", "20240203T230000Z", true),
        (V14_1, "America/New_York", "20240201T050000Z", "20240204T050000Z", true),
        (V14_1, "Asia/Kolkata", "20240131T183000Z", "20240203T183000Z", true),
        (V14_1, "Pacific/Auckland", "20240131T110000Z", "20240203T110000Z", true),
        (V14_1, "UTC", "20240201T000000Z", "20240204T000000Z", true),
        (V16_0, "Europe/Berlin", "20240201T000000Z", "20240204T000000Z", false),
        (V16_1, "Pacific/Auckland", "20240201T000000Z", "20240204T000000Z", false),
    ];
    for (version, zone, start, end, has_zone) in cases {
        with(version, zone, |context| {
            let shown = shown(&vacation(), &[], context);
            assert_eq!(shown.child_text(calendar::START_TIME), Some(start), "{version} {zone}");
            assert_eq!(shown.child_text(calendar::END_TIME), Some(end), "{version} {zone}");
            assert_eq!(shown.child_text(calendar::ALL_DAY_EVENT), Some("1"));
            let blob = shown.child_text(calendar::TIMEZONE);
            let expected = zone::encode(&context.user.zone, 2024);
            assert_eq!(blob, has_zone.then_some(expected.as_str()), "{version} {zone}");
        });
    }
}

#[test]
fn what_devices_send_for_one_day() {
    let berlin = zone::encode(&TimeZone::get("Europe/Berlin").unwrap(), 2024);
    let new_york = zone::encode(&TimeZone::get("America/New_York").unwrap(), 2024);
    // what, version, zone of the user, Timezone, StartTime, EndTime; all mean 18 May 2024
    let cases = [
        (
            "local midnight",
            V14_1,
            "Europe/Berlin",
            Some(&berlin),
            "20240517T220000Z",
            "20240518T220000Z",
        ),
        (
            "of a zone that is not the user's",
            V14_1,
            "Europe/Berlin",
            Some(&new_york),
            "20240518T040000Z",
            "20240519T040000Z",
        ),
        (
            "without Timezone",
            V14_1,
            "Europe/Berlin",
            None,
            "20240517T220000Z",
            "20240518T220000Z",
        ),
        (
            "digits though 14.1",
            V14_1,
            "Europe/Berlin",
            Some(&berlin),
            "20240518T000000Z",
            "20240519T000000Z",
        ),
        (
            "digits west of Greenwich",
            V14_1,
            "America/New_York",
            Some(&new_york),
            "20240518T000000Z",
            "20240519T000000Z",
        ),
        (
            "an hour off",
            V14_1,
            "Europe/Berlin",
            Some(&berlin),
            "20240517T230000Z",
            "20240518T230000Z",
        ),
        (
            "a zone that is not meant",
            V14_1,
            "Europe/Berlin",
            Some(&new_york),
            "20240517T220000Z",
            "20240518T220000Z",
        ),
        (
            "the last second",
            V14_1,
            "Europe/Berlin",
            Some(&berlin),
            "20240517T220000Z",
            "20240518T215959Z",
        ),
        (
            "no length",
            V14_1,
            "Europe/Berlin",
            Some(&berlin),
            "20240517T220000Z",
            "20240517T220000Z",
        ),
        (
            "digits",
            V16_1,
            "Pacific/Auckland",
            None,
            "20240518T000000Z",
            "20240519T000000Z",
        ),
        (
            "digits without time",
            V16_1,
            "America/New_York",
            None,
            "20240518",
            "20240519",
        ),
        (
            "local midnight though 16.1",
            V16_1,
            "Pacific/Auckland",
            None,
            "20240517T120000Z",
            "20240518T120000Z",
        ),
    ];
    for (what, version, zone, blob, start, end) in cases {
        let mut data = request(&[
            (calendar::ALL_DAY_EVENT, "1"),
            (calendar::START_TIME, start),
            (calendar::END_TIME, end),
        ]);
        if let Some(blob) = blob {
            data.push(Element::text(calendar::TIMEZONE, blob));
        }
        with(version, zone, |context| {
            let write = to_ox(&data, None, &Ghosted::Nothing, context).unwrap();
            assert_eq!(write.fields.time(columns::START_DATE), Some(ms("20240518")), "{what}");
            assert_eq!(write.fields.time(columns::END_DATE), Some(ms("20240519")), "{what}");
            assert_eq!(write.fields.flag(columns::FULL_TIME), Some(true), "{what}");
        });
    }
}

#[test]
fn whole_days_without_the_flag() {
    let berlin = zone::encode(&TimeZone::get("Europe/Berlin").unwrap(), 2024);
    // flag, start, end, expected
    let cases = [
        (None, "20240517T220000Z", "20240518T220000Z", true),
        (None, "20240517T220000Z", "20240518T210000Z", false),
        (None, "20240517T220000Z", "20240517T220000Z", false),
        (Some("0"), "20240517T220000Z", "20240518T220000Z", false),
    ];
    for (flag, start, end, expected) in cases {
        let mut data = request(&[
            (calendar::TIMEZONE, berlin.as_str()),
            (calendar::START_TIME, start),
            (calendar::END_TIME, end),
        ]);
        if let Some(flag) = flag {
            data.push(Element::text(calendar::ALL_DAY_EVENT, flag));
        }
        with(V14_1, "Europe/Berlin", |context| {
            let write = to_ox(&data, None, &Ghosted::Nothing, context).unwrap();
            assert_eq!(
                write.fields.flag(columns::FULL_TIME),
                Some(expected),
                "{flag:?} {start} {end}"
            );
        });
    }
}

#[test]
fn a_timed_appointment_becomes_whole_days_and_back() {
    with(V16_1, "Europe/Berlin", |context| {
        let data = request(&[
            (calendar::ALL_DAY_EVENT, "1"),
            (calendar::START_TIME, "20240101T000000Z"),
            (calendar::END_TIME, "20240102T000000Z"),
        ]);
        let write = to_ox(&data, Some((&team(), &[late_team()])), &Ghosted::Everything, context).unwrap();
        let expected = json!({
            "start_date": ms("20240101"), "end_date": ms("20240102"), "full_time": true, "notification": true,
        });
        assert_eq!(fields(&write), expected);
        let data = request(&[
            (calendar::ALL_DAY_EVENT, "0"),
            (calendar::START_TIME, "20240201T090000Z"),
            (calendar::END_TIME, "20240201T100000Z"),
        ]);
        let write = to_ox(&data, Some((&vacation(), &[])), &Ghosted::Everything, context).unwrap();
        let expected = json!({
            "start_date": ms("20240201T090000Z"), "end_date": ms("20240201T100000Z"), "full_time": false,
        });
        assert_eq!(fields(&write), expected);
    });
}

#[test]
fn a_series_of_whole_days_has_its_exceptions_on_their_days() {
    let mut master = vacation();
    master.set(columns::END_DATE, 1_706_745_600_000_i64 + DAY);
    master.set(columns::RECURRENCE_TYPE, 1);
    master.set(columns::INTERVAL, 1);
    master.set(columns::DELETE_EXCEPTIONS, json!([1_706_745_600_000_i64 + DAY]));
    // version, zone, ExceptionStartTime or InstanceId
    let cases = [
        (V14_1, "Europe/Berlin", "20240201T230000Z"),
        (V14_1, "America/New_York", "20240202T050000Z"),
        (V14_1, "Pacific/Auckland", "20240201T110000Z"),
        (V16_1, "Pacific/Auckland", "20240202T000000Z"),
    ];
    for (version, zone, expected) in cases {
        with(version, zone, |context| {
            let shown = shown(&master, &[], context);
            let exception = &shown.child(calendar::EXCEPTIONS).unwrap().children()[0];
            assert_eq!(exception.children()[0].as_text(), Some(expected), "{version} {zone}");
            let other = instance_to_ox(expected, None, (&master, &[]), context).unwrap();
            assert_eq!(other.day, 1_706_745_600_000_i64 + DAY, "{version} {zone}");
        });
    }
}

#[test]
fn every_day_survives_every_zone_in_both_forms() {
    for zone in ZONES {
        for version in [V2_5, V14_1, V16_1] {
            with(version, zone, |context| {
                for number in 0..366 {
                    let start = ms("20240101") + number * DAY;
                    let mut object = vacation();
                    object.set(columns::START_DATE, start);
                    object.set(columns::END_DATE, start + DAY);
                    let shown = shown(&object, &[], context);
                    let write = to_ox(&shown, None, &Ghosted::Nothing, context).unwrap();
                    assert_eq!(
                        write.fields.time(columns::START_DATE),
                        Some(start),
                        "{version} {zone} {number}"
                    );
                    assert_eq!(
                        write.fields.time(columns::END_DATE),
                        Some(start + DAY),
                        "{version} {zone} {number}"
                    );
                }
            });
        }
    }
}
