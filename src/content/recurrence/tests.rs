//! Known answers both ways, and what the two sides may and may not say.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::content::date;

/// 2012-12-24
const CHRISTMAS: i64 = 1_356_307_200_000;

fn from_ox(value: serde_json::Value) -> Option<Recurrence> {
    match value {
        serde_json::Value::Object(map) => Recurrence::from_ox(&Object::from_map(map)),
        _ => panic!("no object"),
    }
}

fn to_ox(recurrence: Recurrence) -> serde_json::Value {
    let mut object = Object::new();
    recurrence.to_ox(&mut object);
    object
        .into_map()
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect()
}

fn eas(children: &[(Tag, &str)]) -> Element {
    let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
    Element::parent(tasks::RECURRENCE, children)
}

fn from_eas(element: &Element) -> Result<Recurrence, Unconvertible> {
    Recurrence::from_eas(element, &TASKS, |text| date::parse(text).map(date::midnight))
}

fn to_eas(recurrence: Recurrence) -> Element {
    recurrence.to_eas(&TASKS, date::hyphenated)
}

#[test]
fn every_pattern_both_ways() {
    use tasks::{
        CALENDAR_TYPE, DAY_OF_MONTH, DAY_OF_WEEK, FIRST_DAY_OF_WEEK, INTERVAL, MONTH_OF_YEAR, OCCURRENCES, TYPE, UNTIL,
        WEEK_OF_MONTH,
    };
    // OX's fields, ActiveSync's elements
    let cases = [
        (
            json!({"recurrence_type": 1, "interval": 3}),
            eas(&[(TYPE, "0"), (INTERVAL, "3")]),
        ),
        (
            json!({"recurrence_type": 2, "interval": 1, "days": 62}),
            eas(&[
                (TYPE, "1"),
                (INTERVAL, "1"),
                (DAY_OF_WEEK, "62"),
                (FIRST_DAY_OF_WEEK, "1"),
            ]),
        ),
        (
            json!({"recurrence_type": 3, "interval": 1, "day_in_month": 31, "until": CHRISTMAS}),
            eas(&[
                (TYPE, "2"),
                (UNTIL, "2012-12-24T00:00:00.000Z"),
                (INTERVAL, "1"),
                (DAY_OF_MONTH, "31"),
                (CALENDAR_TYPE, "0"),
            ]),
        ),
        (
            json!({"recurrence_type": 3, "interval": 2, "days": 62, "day_in_month": -1}),
            eas(&[
                (TYPE, "3"),
                (INTERVAL, "2"),
                (WEEK_OF_MONTH, "5"),
                (DAY_OF_WEEK, "62"),
                (CALENDAR_TYPE, "0"),
            ]),
        ),
        (
            json!({"recurrence_type": 4, "interval": 1, "day_in_month": 24, "month": 11, "occurrences": 7}),
            eas(&[
                (TYPE, "5"),
                (OCCURRENCES, "7"),
                (INTERVAL, "1"),
                (MONTH_OF_YEAR, "12"),
                (DAY_OF_MONTH, "24"),
                (CALENDAR_TYPE, "0"),
            ]),
        ),
        (
            json!({"recurrence_type": 4, "interval": 1, "days": 1, "day_in_month": 2, "month": 4}),
            eas(&[
                (TYPE, "6"),
                (INTERVAL, "1"),
                (WEEK_OF_MONTH, "2"),
                (DAY_OF_WEEK, "1"),
                (MONTH_OF_YEAR, "5"),
                (CALENDAR_TYPE, "0"),
            ]),
        ),
    ];
    for (ox, element) in cases {
        let recurrence = from_ox(ox.clone()).unwrap();
        assert_eq!(to_eas(recurrence), element);
        assert_eq!(from_eas(&element), Ok(recurrence));
        assert_eq!(to_ox(recurrence), ox);
    }
}

#[test]
fn reading_ox_is_lenient_where_versions_differ() {
    // The last week may be 5, numbers may be text, and a computed end yields to the occurrences.
    let old =
        json!({"recurrence_type": "3", "interval": 1, "days": 62, "day_in_month": 5, "until": 0, "occurrences": 9});
    let recurrence = Recurrence {
        pattern: Pattern::MonthlyNth { week: 5, days: 62 },
        interval: 1,
        end: End::Occurrences(9),
    };
    assert_eq!(from_ox(old), Some(recurrence));
    let nothing = [
        json!({}),
        json!({"recurrence_type": 0, "interval": 1, "days": 62}),
        json!({"recurrence_type": 2, "interval": 1}),
        json!({"recurrence_type": 2, "interval": 1, "days": 128}),
        json!({"recurrence_type": 3, "interval": 1, "day_in_month": 32}),
        json!({"recurrence_type": 4, "interval": 1, "day_in_month": 1, "month": 12}),
        json!({"recurrence_type": 7}),
    ];
    for object in nothing {
        assert_eq!(from_ox(object.clone()), None, "{object}");
    }
}

#[test]
fn reading_eas_is_lenient_where_devices_differ() {
    // Daily with days of the week is weekly, 0 is the interval 1, Occurrences wins, empty elements are absent.
    let element = eas(&[
        (tasks::OCCURRENCES, " 4 "),
        (tasks::UNTIL, "20121224T000000Z"),
        (tasks::DAY_OF_WEEK, "65"),
        (tasks::DAY_OF_MONTH, ""),
        (tasks::INTERVAL, "0"),
        (tasks::TYPE, "0"),
    ]);
    let expected = Recurrence {
        pattern: Pattern::Weekly { days: 65 },
        interval: 1,
        end: End::Occurrences(4),
    };
    assert_eq!(from_eas(&element), Ok(expected));
}

#[test]
fn forbidden_combinations_are_refused() {
    use tasks::{
        CALENDAR_TYPE, DAY_OF_MONTH, DAY_OF_WEEK, FIRST_DAY_OF_WEEK, INTERVAL, MONTH_OF_YEAR, OCCURRENCES, TYPE, UNTIL,
        WEEK_OF_MONTH,
    };
    let valid: [&[(Tag, &str)]; 6] = [
        &[(TYPE, "0")],
        &[(TYPE, "1"), (DAY_OF_WEEK, "2")],
        &[(TYPE, "2"), (DAY_OF_MONTH, "1")],
        &[(TYPE, "3"), (WEEK_OF_MONTH, "1"), (DAY_OF_WEEK, "2")],
        &[(TYPE, "5"), (DAY_OF_MONTH, "1"), (MONTH_OF_YEAR, "1")],
        &[
            (TYPE, "6"),
            (WEEK_OF_MONTH, "1"),
            (DAY_OF_WEEK, "2"),
            (MONTH_OF_YEAR, "1"),
        ],
    ];
    // Per type: what is forbidden beside the valid elements.
    let forbidden: [&[Tag]; 6] = [
        &[DAY_OF_MONTH, WEEK_OF_MONTH, MONTH_OF_YEAR],
        &[DAY_OF_MONTH, WEEK_OF_MONTH, MONTH_OF_YEAR],
        &[DAY_OF_WEEK, WEEK_OF_MONTH, MONTH_OF_YEAR],
        &[DAY_OF_MONTH, MONTH_OF_YEAR],
        &[DAY_OF_WEEK, WEEK_OF_MONTH],
        &[DAY_OF_MONTH],
    ];
    let unusable: [(Tag, &str); 10] = [
        (INTERVAL, "1000"),
        (OCCURRENCES, "256"),
        (INTERVAL, "-1"),
        (OCCURRENCES, "0"),
        (UNTIL, "soon"),
        (CALENDAR_TYPE, "13"),
        (CALENDAR_TYPE, "99999999999999999999"),
        (FIRST_DAY_OF_WEEK, "7"),
        (INTERVAL, "two"),
        (CALENDAR_TYPE, "-1"),
    ];
    for (valid, forbidden) in valid.iter().zip(forbidden) {
        assert!(from_eas(&eas(valid)).is_ok(), "{valid:?}");
        for missing in 1..valid.len() {
            let mut rest = valid.to_vec();
            rest.remove(missing);
            assert!(from_eas(&eas(&rest)).is_err(), "{rest:?}");
        }
        let extra = forbidden.iter().map(|tag| (*tag, "1")).chain(unusable);
        for (tag, text) in extra {
            let mut all = valid.to_vec();
            all.push((tag, text));
            assert!(from_eas(&eas(&all)).is_err(), "{all:?}");
        }
    }
    let others: [&[(Tag, &str)]; 7] = [
        &[],
        &[(DAY_OF_WEEK, "2")],
        &[(TYPE, "4")],
        &[(TYPE, "1"), (DAY_OF_WEEK, "128")],
        &[(TYPE, "2"), (DAY_OF_MONTH, "32")],
        &[(TYPE, "3"), (WEEK_OF_MONTH, "6"), (DAY_OF_WEEK, "2")],
        // The Hebrew calendar has other months.
        &[(TYPE, "2"), (DAY_OF_MONTH, "1"), (CALENDAR_TYPE, "8")],
    ];
    for other in others {
        assert!(from_eas(&eas(other)).is_err(), "{other:?}");
    }
}

#[test]
fn a_longer_series_than_a_device_knows_is_shown_shorter() {
    let recurrence = Recurrence {
        pattern: Pattern::Daily,
        interval: 1,
        end: End::Occurrences(1000),
    };
    assert_eq!(from_eas(&to_eas(recurrence)), Ok(recurrence.shown(&TASKS)));
    assert_eq!(recurrence.shown(&CALENDAR).end, End::Occurrences(999));
}

#[test]
fn tasks_and_calendar_share_their_columns() {
    use crate::ox::columns::tasks;
    let of_tasks = [
        tasks::RECURRENCE_TYPE.name(),
        tasks::INTERVAL.name(),
        tasks::DAYS.name(),
        tasks::DAY_IN_MONTH.name(),
        tasks::MONTH.name(),
        tasks::UNTIL.name(),
        tasks::OCCURRENCES.name(),
    ];
    assert_eq!(COLUMNS, of_tasks);
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    let (days, week, day, month) = (1..=127_i64, 1..=5_i64, 1..=31_i64, 1..=12_i64);
    prop_oneof![
        Just(Pattern::Daily),
        days.clone().prop_map(|days| Pattern::Weekly { days }),
        day.clone().prop_map(|day| Pattern::Monthly { day }),
        (week.clone(), days.clone()).prop_map(|(week, days)| Pattern::MonthlyNth { week, days }),
        (month.clone(), day).prop_map(|(month, day)| Pattern::Yearly { month, day }),
        (month, week, days).prop_map(|(month, week, days)| Pattern::YearlyNth { month, week, days }),
    ]
}

fn any_end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Never),
        (0..40_000_i64).prop_map(|day| End::Until(day * date::DAY)),
        (1..=255_i64).prop_map(End::Occurrences),
    ]
}

proptest! {
    #[test]
    fn both_sides_round_trip(pattern in any_pattern(), interval in 1..=999_i64, end in any_end()) {
        let recurrence = Recurrence { pattern, interval, end };
        let mut object = Object::new();
        recurrence.to_ox(&mut object);
        prop_assert_eq!(Recurrence::from_ox(&object), Some(recurrence));
        prop_assert_eq!(from_eas(&to_eas(recurrence)), Ok(recurrence));
    }

    #[test]
    fn any_numbers_are_read_or_refused(numbers in prop::array::uniform10(prop::option::of(-2..200_i64))) {
        let tags = [
            tasks::TYPE, tasks::UNTIL, tasks::OCCURRENCES, tasks::INTERVAL, tasks::DAY_OF_MONTH, tasks::DAY_OF_WEEK,
            tasks::WEEK_OF_MONTH, tasks::MONTH_OF_YEAR, tasks::CALENDAR_TYPE, tasks::FIRST_DAY_OF_WEEK,
        ];
        let children = tags.into_iter().zip(numbers);
        let children = children.filter_map(|(tag, number)| Some(Element::number(tag, number?)));
        if let Ok(recurrence) = from_eas(&Element::parent(tasks::RECURRENCE, children)) {
            let mut object = Object::new();
            recurrence.to_ox(&mut object);
            prop_assert_eq!(Recurrence::from_ox(&object), Some(recurrence));
        }
    }
}
