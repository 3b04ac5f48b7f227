use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::content::BodyOptions;
use crate::content::User;
use crate::content::date;
use crate::content::property::laws;
use crate::quirk::Quirks;
use crate::version::ProtocolVersion;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsync;

/// What has no counterpart in OX, and why.
const UNMAPPED: &[(Tag, &str)] = &[
    (tasks::ORDINAL_DATE, "a hint for sorting, which OX cannot keep"),
    (tasks::SUB_ORDINAL_DATE, "a hint for sorting, which OX cannot keep"),
    (tasks::REGENERATE, "OX has no tasks that recur after they are done"),
    (tasks::IS_LEAP_MONTH, "OX counts in the Gregorian calendar only"),
];

/// 2024-05-20T09:30:00Z
const NOW: i64 = 1_716_197_400_000;
/// 2024-05-20 and 2024-05-31
const MONDAY: i64 = 1_716_163_200_000;
const FRIDAY: i64 = 1_717_113_600_000;

fn context<'a>(user: &'a User, bodies: &'a BodyOptions, version: ProtocolVersion) -> Context<'a> {
    Context {
        quirks: Quirks::NONE,
        version,
        user,
        bodies,
        now: NOW,
    }
}

/// With a context of version 14.1 and a user in Berlin.
fn with_context<T>(run: impl FnOnce(&Context<'_>) -> T) -> T {
    let (user, bodies) = (laws::user(), BodyOptions::default());
    run(&context(&user, &bodies, ProtocolVersion::V14_1))
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(map) => Object::from_map(map),
        _ => panic!("no object"),
    }
}

fn application_data(children: impl IntoIterator<Item = Element>) -> Element {
    Element::parent(airsync::APPLICATION_DATA, children)
}

fn texts(children: &[(Tag, &str)]) -> Element {
    application_data(children.iter().map(|(tag, text)| Element::text(*tag, *text)))
}

fn series(children: &[(Tag, &str)]) -> Element {
    let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
    Element::parent(tasks::RECURRENCE, children)
}

fn convert(sent: &Element, current: Option<Value>, ghosted: &Ghosted) -> Result<Value, Unconvertible> {
    let current = current.map(object);
    let fields = with_context(|context| to_ox(sent, current.as_ref(), ghosted, context));
    fields.map(|fields| Value::Object(fields.into_map()))
}

/// The fields of a new task.
fn added(sent: &Element) -> Value {
    convert(sent, None, &Ghosted::Nothing).unwrap()
}

/// The fields to change when omission keeps everything.
fn changed(sent: &Element, current: &Value) -> Value {
    convert(sent, Some(current.clone()), &Ghosted::Everything).unwrap()
}

fn shown(value: &Value) -> Vec<Element> {
    with_context(|context| to_eas(&object(value.clone()), context)).unwrap()
}

fn shown_text(value: &Value, tag: Tag) -> Option<String> {
    let shown = application_data(shown(value));
    shown.child_text(tag).map(str::to_owned)
}

#[test]
fn the_table_keeps_the_laws() {
    laws::check(ROWS, &[tasks::SUBJECT.page], UNMAPPED);
    with_context(|context| laws::round_trip(ROWS, context));
    assert!(columns().iter().all(|column| column.id != 0));
}

#[test]
fn a_task_both_ways() {
    let ox = json!({
        "title": "Tax", "priority": 3, "start_date": MONDAY, "end_date": FRIDAY, "status": 1, "percent_completed": 0,
        "alarm": NOW, "private_flag": true, "categories": "Home", "recurrence_type": 3, "interval": 1,
        "day_in_month": 31, "occurrences": 9, "note": "one\ntwo",
    });
    let children = vec![
        Element::text(tasks::SUBJECT, "Tax"),
        Element::text(tasks::IMPORTANCE, "2"),
        Element::text(tasks::UTC_START_DATE, "2024-05-19T22:00:00.000Z"),
        Element::text(tasks::START_DATE, "2024-05-20T00:00:00.000Z"),
        Element::text(tasks::UTC_DUE_DATE, "2024-05-30T22:00:00.000Z"),
        Element::text(tasks::DUE_DATE, "2024-05-31T00:00:00.000Z"),
        Element::text(tasks::COMPLETE, "0"),
        Element::text(tasks::REMINDER_SET, "1"),
        Element::text(tasks::REMINDER_TIME, "2024-05-20T09:30:00.000Z"),
        Element::text(tasks::SENSITIVITY, "2"),
        Element::parent(tasks::CATEGORIES, [Element::text(tasks::CATEGORY, "Home")]),
        series(&[
            (tasks::TYPE, "2"),
            (tasks::START, "2024-05-19T22:00:00.000Z"),
            (tasks::OCCURRENCES, "9"),
            (tasks::INTERVAL, "1"),
            (tasks::DAY_OF_MONTH, "31"),
            (tasks::CALENDAR_TYPE, "0"),
        ]),
        Element::parent(
            airsyncbase::BODY,
            [
                Element::text(airsyncbase::TYPE, "1"),
                Element::text(airsyncbase::ESTIMATED_DATA_SIZE, "8"),
                Element::text(airsyncbase::DATA, "one\r\ntwo"),
            ],
        ),
        Element::text(tasks::BODY, "one\r\ntwo"),
        Element::text(tasks::BODY_SIZE, "8"),
        Element::text(tasks::BODY_TRUNCATED, "0"),
    ];
    assert_eq!(shown(&ox), children);
    let sent = application_data(children);
    assert_eq!(object(added(&sent)), object(ox.clone()));
    assert_eq!(convert(&sent, Some(ox), &Ghosted::Nothing), Ok(json!({})));
}

#[test]
fn the_least_a_task_has() {
    assert_eq!(
        shown(&json!({"title": "x"})),
        [
            Element::text(tasks::SUBJECT, "x"),
            Element::text(tasks::IMPORTANCE, "1"),
            Element::text(tasks::COMPLETE, "0"),
            Element::text(tasks::REMINDER_SET, "0"),
            Element::text(tasks::SENSITIVITY, "0"),
        ]
    );
    let sent = texts(&[(tasks::SUBJECT, "x"), (tasks::COMPLETE, "0")]);
    assert_eq!(added(&sent), json!({"title": "x", "status": 1, "percent_completed": 0}));
}

#[test]
fn done_and_not_done() {
    let completed = "2024-05-19T12:00:00.000Z";
    let at = date::parse(completed).unwrap();
    let done = |at: i64| json!({"status": 3, "percent_completed": 100, "date_completed": at});
    let reopened = json!({"status": 1, "percent_completed": 0, "date_completed": null});
    let kept = json!({});
    // status, percent, Complete, DateCompleted, fields to write
    let cases = [
        (1, 0, Some("0"), None, &kept),
        (1, 0, Some("1"), None, &done(NOW)),
        (1, 0, Some("1"), Some(completed), &done(at)),
        (2, 25, Some("0"), None, &kept),
        (2, 25, Some("1"), Some(completed), &done(at)),
        (2, 100, Some("0"), None, &kept),
        (4, 50, Some("0"), None, &kept),
        (4, 50, Some("1"), None, &done(NOW)),
        (5, 0, Some("0"), None, &kept),
        (5, 0, None, None, &kept),
        (3, 100, Some("1"), None, &kept),
        (3, 100, Some("1"), Some("2024-05-20T09:30:00Z"), &kept),
        (3, 100, Some("1"), Some(completed), &done(at)),
        (3, 100, Some("0"), None, &reopened),
        (3, 100, Some("0"), Some(completed), &reopened),
        (3, 100, None, None, &kept),
        // An element without content is true.
        (1, 0, Some(""), None, &done(NOW)),
        (1, 0, Some("1"), Some("garbage"), &done(NOW)),
    ];
    for (status, percent, complete, date_completed, expected) in cases {
        let mut current = json!({"title": "x", "status": status, "percent_completed": percent});
        if status == 3 {
            current["date_completed"] = json!(NOW + 123);
        }
        let complete = complete.map(|text| Element::text(tasks::COMPLETE, text));
        let date_completed = date_completed.map(|text| Element::text(tasks::DATE_COMPLETED, text));
        let sent = application_data(complete.into_iter().chain(date_completed));
        assert_eq!(&changed(&sent, &current), expected, "{status} {sent:?}");
    }
    assert!(convert(&texts(&[(tasks::COMPLETE, "2")]), None, &Ghosted::Nothing).is_err());
}

#[test]
fn a_task_that_is_done_always_has_a_date() {
    let cases = [
        (
            json!({"status": 3, "date_completed": MONDAY, "last_modified": 0}),
            "2024-05-20T00:00:00.000Z",
        ),
        (
            json!({"status": 3, "last_modified": FRIDAY}),
            "2024-05-31T00:00:00.000Z",
        ),
        (json!({"status": 3}), "1970-01-01T00:00:00.000Z"),
    ];
    for (task, expected) in cases {
        assert_eq!(shown_text(&task, tasks::COMPLETE).as_deref(), Some("1"));
        assert_eq!(shown_text(&task, tasks::DATE_COMPLETED).as_deref(), Some(expected));
    }
}

#[test]
fn the_digits_of_the_local_date_are_the_day() {
    // StartDate, UtcStartDate, expected day
    let cases = [
        (
            Some("2024-05-20T00:00:00.000Z"),
            Some("2024-05-19T22:00:00.000Z"),
            Some(MONDAY),
        ),
        (
            Some("2024-05-20T23:59:00.000Z"),
            Some("2024-05-20T21:59:00.000Z"),
            Some(MONDAY),
        ),
        (Some("2024-05-20T00:00:00.000Z"), None, Some(MONDAY)),
        (Some("20240520T080000Z"), None, Some(MONDAY)),
        (None, Some("2024-05-19T22:00:00.000Z"), Some(MONDAY)),
        (None, Some("2024-05-20T21:59:59.000Z"), Some(MONDAY)),
        (None, Some("2024-05-20T00:00:00.000Z"), Some(MONDAY)),
        (Some("garbage"), Some("2024-05-19T22:00:00.000Z"), Some(MONDAY)),
        (Some("garbage"), None, None),
    ];
    for (local, utc, expected) in cases {
        let local = local.map(|text| Element::text(tasks::START_DATE, text));
        let utc = utc.map(|text| Element::text(tasks::UTC_START_DATE, text));
        let sent = application_data(local.into_iter().chain(utc));
        let day = added(&sent).get("start_date").and_then(Value::as_i64);
        assert_eq!(day, expected, "{sent:?}");
        // A time of day in OX is left alone while the day is the same.
        let current = json!({"start_date": MONDAY, "start_time": NOW, "full_time": false});
        assert_eq!(changed(&sent, &current), json!({}), "{sent:?}");
    }
    let emptied = texts(&[(tasks::START_DATE, ""), (tasks::UTC_START_DATE, "")]);
    assert_eq!(
        changed(&emptied, &json!({"start_date": MONDAY})),
        json!({"start_date": null})
    );
}

#[test]
fn reminders_are_instants() {
    let time = "2024-05-20T09:30:00.000Z";
    let later = NOW + 1000;
    // sent, alarm in OX, fields to write
    let cases = [
        (
            vec![(tasks::REMINDER_SET, "1"), (tasks::REMINDER_TIME, time)],
            None,
            json!({"alarm": NOW}),
        ),
        (
            vec![(tasks::REMINDER_SET, "1"), (tasks::REMINDER_TIME, time)],
            Some(NOW),
            json!({}),
        ),
        (
            vec![(tasks::REMINDER_SET, "1"), (tasks::REMINDER_TIME, time)],
            Some(later),
            json!({"alarm": NOW}),
        ),
        (vec![(tasks::REMINDER_TIME, time)], None, json!({"alarm": NOW})),
        (
            vec![(tasks::REMINDER_SET, "0"), (tasks::REMINDER_TIME, time)],
            Some(NOW),
            json!({"alarm": null}),
        ),
        (vec![(tasks::REMINDER_SET, "0")], None, json!({})),
        (vec![(tasks::REMINDER_SET, "1")], Some(later), json!({})),
        (
            vec![(tasks::REMINDER_SET, "1"), (tasks::REMINDER_TIME, "soon")],
            Some(later),
            json!({}),
        ),
        (vec![], Some(later), json!({})),
    ];
    for (sent, alarm, expected) in cases {
        let current = json!({"title": "x", "alarm": alarm});
        assert_eq!(changed(&texts(&sent), &current), expected, "{sent:?} {alarm:?}");
    }
    assert!(convert(&texts(&[(tasks::REMINDER_SET, "2")]), None, &Ghosted::Nothing).is_err());
}

#[test]
fn importance_and_sensitivity() {
    for (importance, priority) in [("0", 1), ("1", 2), ("2", 3)] {
        let task = json!({"priority": priority});
        assert_eq!(shown_text(&task, tasks::IMPORTANCE).as_deref(), Some(importance));
        assert_eq!(added(&texts(&[(tasks::IMPORTANCE, importance)])), task);
    }
    let high = json!({"priority": 3});
    assert_eq!(changed(&texts(&[(tasks::IMPORTANCE, "7")]), &high), json!({}));
    assert_eq!(changed(&texts(&[(tasks::IMPORTANCE, "1")]), &json!({})), json!({}));
    assert!(convert(&texts(&[(tasks::IMPORTANCE, "high")]), None, &Ghosted::Nothing).is_err());

    // Sensitivity, private before, fields to write
    let cases = [
        ("0", true, json!({"private_flag": false})),
        ("0", false, json!({})),
        ("1", false, json!({"private_flag": true})),
        ("2", false, json!({"private_flag": true})),
        ("3", false, json!({"private_flag": true})),
        ("3", true, json!({})),
    ];
    for (sensitivity, before, expected) in cases {
        let sent = texts(&[(tasks::SENSITIVITY, sensitivity)]);
        assert_eq!(
            changed(&sent, &json!({"private_flag": before})),
            expected,
            "{sensitivity} {before}"
        );
    }
    assert!(convert(&texts(&[(tasks::SENSITIVITY, "4")]), None, &Ghosted::Nothing).is_err());
}

#[test]
fn omission_follows_supported() {
    let current = json!({
        "title": "x", "priority": 3, "start_date": MONDAY, "end_date": FRIDAY, "status": 3, "percent_completed": 100,
        "alarm": NOW, "private_flag": true, "categories": "Home", "note": "kept", "companies": "kept",
    });
    let cleared = json!({
        "title": null, "priority": 2, "start_date": null, "end_date": null, "alarm": null, "private_flag": false,
        "categories": null,
    });
    let cases = [
        (Ghosted::Nothing, cleared),
        (Ghosted::AllBut(vec![tasks::SUBJECT]), json!({"title": null})),
        (Ghosted::AllBut(vec![tasks::DUE_DATE]), json!({"end_date": null})),
        (Ghosted::AllBut(Vec::new()), json!({})),
        (Ghosted::Everything, json!({})),
    ];
    for (ghosted, expected) in cases {
        let fields = convert(&texts(&[]), Some(current.clone()), &ghosted);
        assert_eq!(fields, Ok(expected), "{ghosted:?}");
    }
}

#[test]
fn a_changed_pattern_is_written_whole() {
    let weekly = json!({
        "title": "x", "start_date": MONDAY, "end_date": MONDAY, "recurrence_type": 2, "interval": 1, "days": 2,
    });
    let same = [
        (tasks::INTERVAL, "1"),
        (tasks::DAY_OF_WEEK, "2"),
        (tasks::START, "2024-05-19T22:00:00.000Z"),
        (tasks::TYPE, "1"),
    ];
    let every_other_week = [(tasks::TYPE, "1"), (tasks::DAY_OF_WEEK, "2"), (tasks::INTERVAL, "2")];
    let until = [
        (tasks::TYPE, "1"),
        (tasks::DAY_OF_WEEK, "2"),
        (tasks::UNTIL, "2024-05-30T22:00:00.000Z"),
    ];
    let whole = |interval: i64, until: Option<i64>| {
        json!({
            "recurrence_type": 2, "interval": interval, "days": 2, "day_in_month": null, "month": null,
            "until": until, "occurrences": null,
        })
    };
    // sent, fields to write
    let cases = [
        (series(&same), json!({})),
        (series(&every_other_week), whole(2, None)),
        (series(&until), whole(1, Some(FRIDAY))),
        (Element::empty(tasks::RECURRENCE), json!({"recurrence_type": 0})),
    ];
    for (recurrence, expected) in cases {
        let sent = application_data([recurrence]);
        assert_eq!(changed(&sent, &weekly), expected, "{sent:?}");
    }
    let omitted = convert(
        &texts(&[
            (tasks::SUBJECT, "x"),
            (tasks::START_DATE, "2024-05-20"),
            (tasks::DUE_DATE, "2024-05-20"),
        ]),
        Some(weekly.clone()),
        &Ghosted::Nothing,
    );
    assert_eq!(omitted, Ok(json!({"recurrence_type": 0})));
    // A series that OX cannot tell completely was not shown and is not removed.
    let odd = json!({"title": "x", "start_date": MONDAY, "end_date": MONDAY, "recurrence_type": 2});
    assert_eq!(
        changed(&application_data([Element::empty(tasks::RECURRENCE)]), &odd),
        json!({})
    );
    let forbidden = application_data([series(&[
        (tasks::TYPE, "1"),
        (tasks::DAY_OF_WEEK, "2"),
        (tasks::DAY_OF_MONTH, "1"),
    ])]);
    assert!(convert(&forbidden, Some(weekly), &Ghosted::Nothing).is_err());
}

#[test]
fn a_series_has_start_and_end() {
    let daily = series(&[(tasks::TYPE, "0"), (tasks::START, "2024-05-19T22:00:00.000Z")]);
    let date = |tag, text: &str| Element::text(tag, text);
    // beside the series, start, end
    let cases = [
        (vec![], MONDAY, MONDAY),
        (vec![date(tasks::DUE_DATE, "2024-05-31")], FRIDAY, FRIDAY),
        (vec![date(tasks::START_DATE, "2024-05-20")], MONDAY, MONDAY),
        (
            vec![
                date(tasks::START_DATE, "2024-05-20"),
                date(tasks::DUE_DATE, "2024-05-31"),
            ],
            MONDAY,
            FRIDAY,
        ),
    ];
    for (mut children, start, end) in cases {
        children.push(daily.clone());
        let fields = added(&application_data(children));
        assert_eq!(
            (&fields["start_date"], &fields["end_date"]),
            (&json!(start), &json!(end))
        );
    }
    let current = json!({"start_date": MONDAY, "end_date": MONDAY, "recurrence_type": 1, "interval": 1});
    let start_removed = texts(&[(tasks::START_DATE, ""), (tasks::DUE_DATE, "2024-05-31")]);
    assert_eq!(
        changed(&start_removed, &current),
        json!({"start_date": FRIDAY, "end_date": FRIDAY})
    );
}

#[test]
fn a_finished_occurrence_is_a_single_task() {
    let finished = application_data([
        Element::text(tasks::SUBJECT, "x"),
        Element::text(tasks::COMPLETE, "1"),
        series(&[
            (tasks::DEAD_OCCUR, "1"),
            (tasks::TYPE, "0"),
            (tasks::START, "2024-05-20"),
        ]),
    ]);
    assert_eq!(
        added(&finished),
        json!({"title": "x", "status": 3, "percent_completed": 100, "date_completed": NOW})
    );
}

#[test]
fn the_start_of_a_series_follows_the_version() {
    let (user, bodies) = (laws::user(), BodyOptions::default());
    let daily = object(json!({"recurrence_type": 1, "interval": 1, "start_date": MONDAY, "end_date": MONDAY}));
    for (version, expected) in [
        (ProtocolVersion::V14_1, "2024-05-19T22:00:00.000Z"),
        (ProtocolVersion::V16_1, "2024-05-20T00:00:00.000Z"),
    ] {
        let children = to_eas(&daily, &context(&user, &bodies, version)).unwrap();
        let shown = application_data(children);
        let recurrence = shown.child(tasks::RECURRENCE).unwrap();
        assert_eq!(recurrence.child_text(tasks::START), Some(expected));
    }
}

/// An object with some columns filled, and with what OX should never send.
fn any_object() -> impl Strategy<Value = Object> {
    let value = prop_oneof![
        3 => "[a-z ,\\r\\n\u{7}\u{e4}]{0,12}".prop_map(Value::from),
        4 => (-2..40_i64).prop_map(Value::from),
        2 => (0..4_000_000_000_000_i64).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let keys: Vec<&'static str> = columns().iter().map(|column| column.key).collect();
    prop::collection::vec((prop::sample::select(keys), value), 0..30).prop_map(|fields| {
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
        Object::from_map(fields.collect())
    })
}

/// Any elements of the class, nested where they should not be.
fn any_application_data() -> impl Strategy<Value = Element> {
    let tag = (5..=0x27_u8, prop::sample::select(vec![9_u8, 9, 9, 17])).prop_map(|(token, page)| Tag { page, token });
    let text = prop_oneof![
        "\\PC{0,10}",
        "[0-9]{1,3}",
        (0..4_000_000_000_000_i64).prop_map(date::hyphenated)
    ];
    let leaf = (tag.clone(), text).prop_map(|(tag, text)| Element::text(tag, text));
    let element = leaf.prop_recursive(2, 12, 6, move |inner| {
        (tag.clone(), prop::collection::vec(inner, 0..6)).prop_map(|(tag, children)| Element::parent(tag, children))
    });
    prop::collection::vec(element, 0..20).prop_map(application_data)
}

proptest! {
    #[test]
    fn what_is_shown_and_comes_back_is_no_change(object in any_object(), version in 0..7_usize) {
        let (user, bodies) = (laws::user(), BodyOptions::default());
        let context = context(&user, &bodies, ProtocolVersion::ALL[version]);
        let children = to_eas(&object, &context).unwrap();
        for ghosted in [Ghosted::Nothing, Ghosted::Everything] {
            let fields = to_ox(&application_data(children.clone()), Some(&object), &ghosted, &context).unwrap();
            prop_assert_eq!(fields, Object::new());
        }
    }

    #[test]
    fn any_input_is_read_or_refused(sent in any_application_data(), current in prop::option::of(any_object())) {
        let (user, bodies) = (laws::user(), BodyOptions::default());
        let context = context(&user, &bodies, ProtocolVersion::V2_5);
        if let Ok(fields) = to_ox(&sent, current.as_ref(), &Ghosted::Nothing, &context) {
            // OX wants status and percentage to agree.
            prop_assert_eq!(fields.has(columns::STATUS), fields.has(columns::PERCENT_COMPLETED));
            let _ = to_eas(&fields, &context);
        }
    }
}
