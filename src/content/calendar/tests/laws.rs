//! What holds for every appointment: nothing comes back unchanged and is written, no edit touches an exception, no
//! input makes it fail in any other way than by refusal.

use proptest::prelude::*;

use super::*;
use crate::content::date::DAY;

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Havana",
    "UTC",
];

fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop::sample::select(ProtocolVersion::ALL.to_vec())
}

fn zone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ZONES.to_vec())
}

fn pattern() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"recurrence_type": 0})),
        (1..5_i64).prop_map(|interval| json!({"recurrence_type": 1, "interval": interval})),
        (1..128_i64).prop_map(|days| json!({"recurrence_type": 2, "interval": 1, "days": days, "occurrences": 1200})),
        (1..32_i64, 0..900_i64).prop_map(|(day, days)| {
            json!({"recurrence_type": 3, "interval": 1, "day_in_month": day, "until": ms("20250101") + days * DAY})
        }),
        // A pattern that no device can be shown.
        Just(json!({"recurrence_type": 2, "interval": 1})),
    ]
}

/// An appointment as OX might have it.
fn appointment() -> impl Strategy<Value = Object> {
    let texts = prop::collection::vec("[ a-c,\\r\\n<&ä]{0,12}", 4);
    let numbers = (0..6_i64, -1..120_i64, any::<bool>(), any::<bool>(), 0..4_i64);
    let times = (0..400_i64, 0..86_400_i64, 0..3_i64, zone());
    (texts, numbers, times, pattern(), any::<bool>()).prop_map(|(texts, numbers, times, pattern, is_meeting)| {
        let (shown_as, alarm, private, full_time, confirmation) = numbers;
        let (day, second, length, zone) = times;
        let start = ms("20240101") + day * DAY + if full_time { 0 } else { second * 1000 + 7 };
        let organizer = if is_meeting {
            "cara@example.com"
        } else {
            "anton@example.com"
        };
        let mut map = json!({
            "title": texts[0], "location": texts[1], "note": texts[2], "categories": texts[3], "start_date": start,
            "end_date": start + length * DAY, "full_time": full_time, "timezone": zone, "shown_as": shown_as,
            "alarm": alarm, "private_flag": private, "organizer": organizer, "last_modified": NOW,
            "participants": [{"id": 3, "type": 1}, {"type": 5, "mail": "x@y.example"}, {"id": 7, "type": 2}],
            "users": [{"id": 3, "confirmation": confirmation}],
            "delete_exceptions": [ms("20240205")], "change_exceptions": [ms("20240212"), ms("20240219")],
        });
        let map = map.as_object_mut().unwrap();
        map.extend(pattern.as_object().unwrap().clone());
        Object::from_map(map.clone())
    })
}

/// A changed occurrence of a series.
fn exception_of(other: &Object) -> Object {
    let mut exception = other.clone();
    exception.set(columns::RECURRENCE_DATE_POSITION, ms("20240212"));
    for column in [columns::RECURRENCE_TYPE, columns::INTERVAL, columns::DAYS] {
        exception.remove(column);
    }
    exception
}

/// Anything a request may hold, with half of the texts of some meaning.
fn any_request() -> impl Strategy<Value = Element> {
    let texts = prop_oneof![
        any::<String>(),
        "[0-9]{1,6}",
        Just("20240108T090000Z".to_owned()),
        Just("20240101".to_owned()),
        Just(String::new()),
    ];
    let tag = (4..5_u8, 5..0x3D_u8).prop_map(|(page, token)| Tag { page, token });
    let tag = prop_oneof![
        tag,
        prop::sample::select(vec![
            airsyncbase::BODY,
            airsyncbase::TYPE,
            airsyncbase::DATA,
            airsyncbase::LOCATION,
            airsyncbase::DISPLAY_NAME,
            airsyncbase::INSTANCE_ID,
        ]),
    ];
    let leaf = (tag.clone(), texts).prop_map(|(tag, text)| Element::text(tag, text));
    let element = leaf.prop_recursive(3, 40, 8, move |inner| {
        (tag.clone(), prop::collection::vec(inner, 0..8)).prop_map(|(tag, children)| Element::parent(tag, children))
    });
    prop::collection::vec(element, 0..12).prop_map(|children| Element::parent(airsync::APPLICATION_DATA, children))
}

proptest! {
    #[test]
    fn what_comes_back_unchanged_writes_nothing(
        master in appointment(), other in appointment(), version in version(), zone in zone(),
    ) {
        with(version, zone, |context| {
            let exceptions = [exception_of(&other)];
            let data = shown(&master, &exceptions, context);
            for ghosted in [Ghosted::Nothing, Ghosted::Everything] {
                let write = to_ox(&data, Some((&master, &exceptions)), &ghosted, context);
                prop_assert_eq!(write, Ok(Write::default()));
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_edit_of_one_property_leaves_the_exceptions_alone(
        master in appointment(), other in appointment(), version in version(), zone in zone(), edit in 0..7_usize,
    ) {
        let edits = [
            Element::text(calendar::SUBJECT, "edited"),
            Element::text(calendar::LOCATION, "edited"),
            Element::text(calendar::REMINDER, "77"),
            Element::text(calendar::SENSITIVITY, "0"),
            Element::text(calendar::BUSY_STATUS, "3"),
            Element::parent(calendar::CATEGORIES, [Element::text(calendar::CATEGORY, "edited")]),
            Element::parent(airsyncbase::BODY, [Element::text(airsyncbase::DATA, "edited")]),
        ];
        with(version, zone, |context| {
            let exceptions = [exception_of(&other)];
            let data = replaced(&shown(&master, &exceptions, context), edits[edit].clone());
            let write = to_ox(&data, Some((&master, &exceptions)), &Ghosted::Nothing, context).unwrap();
            prop_assert_eq!(&write.occurrences, &[]);
            for key in ["start_date", "end_date", "recurrence_type", "participants", "timezone"] {
                prop_assert!(!write.fields.as_map().contains_key(key), "{}", key);
            }
            Ok(())
        })?;
    }

    #[test]
    fn showing_is_the_same_each_time(master in appointment(), version in version(), zone in zone()) {
        with(version, zone, |context| {
            prop_assert_eq!(to_eas(&master, &[], context), to_eas(&master, &[], context));
            Ok(())
        })?;
    }

    #[test]
    fn any_request_is_read_or_refused(
        data in any_request(), master in appointment(), version in version(), id in "\\PC{0,20}|20240108T090000Z",
    ) {
        with(version, "Europe/Berlin", |context| {
            let exceptions = [exception_of(&master)];
            let current = (&master, &exceptions[..]);
            let _ = to_ox(&data, None, &Ghosted::Nothing, context);
            let _ = to_ox(&data, Some(current), &Ghosted::Nothing, context);
            let _ = instance_to_ox(&id, Some(&data), current, context);
            let _ = instance_to_ox(&id, None, current, context);
        });
    }

    #[test]
    fn any_object_is_shown_or_refused(
        start in any::<i64>(), end in any::<i64>(), full_time in any::<bool>(), day in any::<i64>(), kind in 0..5_i64,
        version in version(), zone in zone(),
    ) {
        let master = object(json!({
            "start_date": start, "end_date": end, "full_time": full_time, "recurrence_type": kind, "days": 2,
            "day_in_month": 5, "month": 3, "until": day, "delete_exceptions": [day, "x", null],
            "participants": [{}, 5, {"type": "5", "mail": 7}], "users": {"id": 3}, "organizer": "<",
        }));
        let mut exception = master.clone();
        exception.set(columns::RECURRENCE_DATE_POSITION, day);
        with(version, zone, |context| {
            let _ = to_eas(&master, &[exception], context);
        });
    }
}
