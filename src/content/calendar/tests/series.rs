//! Patterns and single occurrences.

use super::*;

const LATE: i64 = 1_704_672_000_000;
const DROPPED: i64 = 1_705_276_800_000;

fn exception(children: &[(Tag, &str)]) -> Element {
    let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
    Element::parent(calendar::EXCEPTION, children)
}

fn changed(day: i64, fields: Value) -> Occurrence {
    let change = OccurrenceChange::Changed(object(fields));
    Occurrence { day, change }
}

fn deleted(day: i64) -> Occurrence {
    let change = OccurrenceChange::Deleted;
    Occurrence { day, change }
}

/// What becomes of the stored exceptions when a device sends this list.
fn sent(exceptions: &[Element]) -> Write {
    with(V14_1, "Europe/Berlin", |context| {
        let shown = shown(&team(), &[late_team()], context);
        let list = Element::parent(calendar::EXCEPTIONS, exceptions.iter().cloned());
        let data = replaced(&shown, list);
        to_ox(&data, Some((&team(), &[late_team()])), &Ghosted::Nothing, context).unwrap()
    })
}

#[test]
fn an_add_may_bring_its_exceptions() {
    with(V14_1, "Europe/Berlin", |context| {
        let data = shown(&team(), &[late_team()], context);
        let write = to_ox(&data, None, &Ghosted::Nothing, context).unwrap();
        let late = json!({
            "title": "Team (spät)", "full_time": false,
            "start_date": 1_704_718_800_000_i64, "end_date": 1_704_722_400_000_i64,
        });
        assert_eq!(write.occurrences, [changed(LATE, late), deleted(DROPPED)]);
        let pattern = json!({"recurrence_type": 2, "interval": 1, "days": 2, "occurrences": 20});
        for (key, value) in pattern.as_object().unwrap() {
            assert_eq!(write.fields.as_map().get(key), Some(value));
        }
        assert!(!write.fields.as_map().contains_key("until"));
    });
}

#[test]
fn exceptions_of_a_change() {
    use calendar::{DELETED, END_TIME, EXCEPTION_START_TIME, LOCATION, REMINDER, START_TIME, SUBJECT};
    let day = |text: &str| ms(text);
    let ten = json!({
        "start_date": ms("20240122T100000Z"), "end_date": ms("20240122T110000Z"), "full_time": false,
    });
    // exception sent, occurrences to write
    let cases = [
        (
            exception(&[(EXCEPTION_START_TIME, "20240115T090000Z"), (DELETED, "1")]),
            vec![],
        ),
        (
            exception(&[(EXCEPTION_START_TIME, "20240122T090000Z"), (DELETED, "1")]),
            vec![deleted(day("20240122"))],
        ),
        (
            exception(&[(EXCEPTION_START_TIME, "20240108T090000Z"), (DELETED, "1")]),
            vec![deleted(LATE)],
        ),
        // The example of the transcripts.
        (
            exception(&[
                (EXCEPTION_START_TIME, "20240122T090000Z"),
                (START_TIME, "20240122T100000Z"),
                (END_TIME, "20240122T110000Z"),
            ]),
            vec![changed(day("20240122"), ten)],
        ),
        // As the series has it.
        (
            exception(&[
                (EXCEPTION_START_TIME, "20240122T090000Z"),
                (SUBJECT, "Team"),
                (REMINDER, "15"),
            ]),
            vec![],
        ),
        // Without times the occurrence keeps its own.
        (
            exception(&[(EXCEPTION_START_TIME, "20240122T090000Z"), (SUBJECT, "Crew")]),
            vec![changed(
                day("20240122"),
                json!({
                    "title": "Crew", "start_date": ms("20240122T090000Z"), "end_date": ms("20240122T100000Z"),
                    "full_time": false,
                }),
            )],
        ),
        // The stored exception: as it is, one field changed, one inherited again.
        (
            exception(&[
                (EXCEPTION_START_TIME, "20240108T090000Z"),
                (START_TIME, "20240108T130000Z"),
                (END_TIME, "20240108T140000Z"),
                (SUBJECT, "Team (spät)"),
            ]),
            vec![],
        ),
        (
            exception(&[
                (EXCEPTION_START_TIME, "20240108T090000Z"),
                (START_TIME, "20240108T130000Z"),
                (END_TIME, "20240108T140000Z"),
                (SUBJECT, "Team (spät)"),
                (LOCATION, "Room 1"),
            ]),
            vec![changed(LATE, json!({"location": "Room 1"}))],
        ),
        (
            exception(&[
                (EXCEPTION_START_TIME, "20240108T090000Z"),
                (START_TIME, "20240108T130000Z"),
                (END_TIME, "20240108T140000Z"),
            ]),
            vec![changed(LATE, json!({"title": "Team"}))],
        ),
        (
            exception(&[
                (EXCEPTION_START_TIME, "20240108T090000Z"),
                (START_TIME, "20240108T130000Z"),
                (END_TIME, "20240108T140000Z"),
                (SUBJECT, "Team (spät)"),
                (REMINDER, ""),
            ]),
            vec![changed(LATE, json!({"alarm": -1}))],
        ),
        // The date alone, and an hour off after a change of clocks.
        (
            exception(&[(EXCEPTION_START_TIME, "20240122T000000Z"), (DELETED, "1")]),
            vec![deleted(day("20240122"))],
        ),
        (
            exception(&[(EXCEPTION_START_TIME, "20240401T090000Z"), (DELETED, "1")]),
            vec![deleted(day("20240401"))],
        ),
        (exception(&[(DELETED, "1")]), vec![]),
    ];
    for (exception, expected) in cases {
        let write = sent(std::slice::from_ref(&exception));
        assert_eq!(write.occurrences, expected, "{exception:?}");
        assert!(write.fields.is_empty(), "{exception:?}");
    }
}

#[test]
fn a_broken_exception_costs_only_itself() {
    use calendar::{DELETED, EXCEPTION_START_TIME, REMINDER};
    let write = sent(&[
        exception(&[(EXCEPTION_START_TIME, "soon"), (DELETED, "1")]),
        exception(&[(EXCEPTION_START_TIME, "20240122T090000Z"), (REMINDER, "soon")]),
        exception(&[(EXCEPTION_START_TIME, "20240129T090000Z"), (DELETED, "1")]),
    ]);
    assert_eq!(write.occurrences, [deleted(ms("20240129"))]);
    assert!(write.refused);

    // In OX: an exception without a start is shown as the series has it.
    let mut broken = late_team();
    broken.remove(columns::START_DATE);
    with(V14_1, "Europe/Berlin", |context| {
        let shown = shown(&team(), &[broken.clone()], context);
        let exceptions = shown.child(calendar::EXCEPTIONS).unwrap();
        assert_eq!(
            line(exceptions),
            "Exceptions{Exception{ExceptionStartTime=20240115T090000Z Deleted=1}}"
        );
    });
}

#[test]
fn an_occurrence_whose_object_is_not_seen_does_not_take_place() {
    with(V14_1, "Europe/Berlin", |context| {
        let shown = shown(&team(), &[], context);
        assert_eq!(
            line(shown.child(calendar::EXCEPTIONS).unwrap()),
            "Exceptions{Exception{ExceptionStartTime=20240108T090000Z Deleted=1} \
             Exception{ExceptionStartTime=20240115T090000Z Deleted=1}}"
        );
        let write = to_ox(&shown, Some((&team(), &[])), &Ghosted::Nothing, context).unwrap();
        assert_eq!(write, Write::default());
    });
}

#[test]
fn an_exception_says_what_it_lacks() {
    let mut master = team();
    master.set(columns::LOCATION, "Room 1");
    // version, Exception of 8 January
    let cases = [
        (V12_1, false, "Location"),
        (V14_0, true, "Location"),
        (V16_0, true, "Location"),
        (V14_0, false, "Reminder"),
        (V14_1, true, "Reminder"),
        (V16_1, true, "Reminder"),
    ];
    for (version, expected, tag) in cases {
        let mut late = late_team();
        late.set(columns::ALARM, -1);
        with(version, "Europe/Berlin", |context| {
            let shown = shown(&master, &[late], context);
            let exceptions = shown.child(calendar::EXCEPTIONS).unwrap();
            let words = line(exceptions);
            let found = words.split([' ', '{', '}']).any(|word| word == tag);
            assert_eq!(found, expected, "{version} {tag}: {words}");
        });
    }
}

#[test]
fn occurrences_named_by_instance_id() {
    let crew = request(&[(calendar::SUBJECT, "Crew")]);
    let unchanged = request(&[(calendar::SUBJECT, "Team (spät)"), (calendar::REMINDER, "15")]);
    let crew_on_22 = json!({
        "title": "Crew", "start_date": ms("20240122T090000Z"), "end_date": ms("20240122T100000Z"), "full_time": false,
        "notification": true,
    });
    // InstanceId, ApplicationData, occurrence
    let cases = [
        ("20240122T090000Z", None, deleted(ms("20240122"))),
        ("20240108T090000Z", None, deleted(LATE)),
        ("20240122T090000Z", Some(&crew), changed(ms("20240122"), crew_on_22)),
        // The rest of a stored exception stays as it is.
        (
            "20240108T090000Z",
            Some(&crew),
            changed(LATE, json!({"title": "Crew", "notification": true})),
        ),
        ("20240108T090000Z", Some(&unchanged), changed(LATE, json!({}))),
    ];
    with(V16_1, "Europe/Berlin", |context| {
        let current = [late_team()];
        for (id, data, expected) in cases {
            assert_eq!(
                instance_to_ox(id, data, (&team(), &current), context),
                Ok(expected),
                "{id}"
            );
        }
        assert!(instance_to_ox("soon", None, (&team(), &current), context).is_err());
        let single = object(json!({"start_date": NOW, "end_date": NOW}));
        assert!(instance_to_ox("20240108T090000Z", None, (&single, &[]), context).is_err());
    });
}

#[test]
fn a_pattern_is_written_as_a_whole_or_not_at_all() {
    let recurrence = |children: &[(Tag, &str)]| {
        let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
        Element::parent(calendar::RECURRENCE, children)
    };
    use calendar::{DAY_OF_WEEK, INTERVAL, OCCURRENCES, TYPE, UNTIL};
    // what is sent, fields
    let cases = [
        // The same in other words.
        (
            recurrence(&[
                (TYPE, "0"),
                (DAY_OF_WEEK, "2"),
                (OCCURRENCES, "20"),
                (UNTIL, "20300101T000000Z"),
            ]),
            json!({}),
        ),
        (
            recurrence(&[
                (TYPE, "1"),
                (DAY_OF_WEEK, "2"),
                (INTERVAL, "2"),
                (UNTIL, "20240624T080000Z"),
            ]),
            json!({
                "recurrence_type": 2, "interval": 2, "days": 2, "day_in_month": null, "month": null,
                "until": ms("20240624"), "occurrences": null, "notification": true,
            }),
        ),
        (
            Element::empty(calendar::RECURRENCE),
            json!({"recurrence_type": 0, "notification": true}),
        ),
    ];
    with(V16_1, "Europe/Berlin", |context| {
        let shown = shown(&team(), &[late_team()], context);
        for (element, expected) in cases {
            let data = replaced(&shown, element);
            let write = to_ox(&data, Some((&team(), &[late_team()])), &Ghosted::Everything, context).unwrap();
            assert_eq!(fields(&write), expected);
        }
        let bad = replaced(&shown, recurrence(&[(TYPE, "4")]));
        assert!(to_ox(&bad, Some((&team(), &[late_team()])), &Ghosted::Everything, context).is_err());
    });
}

#[test]
fn exceptions_that_ox_deletes_with_the_old_start_are_written_anew() {
    with(V14_1, "Europe/Berlin", |context| {
        // The whole series an hour later; the device sends its exceptions again, by the new start.
        let shown = shown(&team(), &[late_team()], context);
        let data = replaced(&shown, Element::text(calendar::START_TIME, "20240101T100000Z"));
        let data = replaced(&data, Element::text(calendar::END_TIME, "20240101T110000Z"));
        let write = to_ox(&data, Some((&team(), &[late_team()])), &Ghosted::Nothing, context).unwrap();
        assert_eq!(write.fields.time(columns::START_DATE), Some(ms("20240101T100000Z")));
        let days: Vec<i64> = write.occurrences.iter().map(|occurrence| occurrence.day).collect();
        assert_eq!(days, [LATE, DROPPED]);
    });
}

#[test]
fn until_is_the_last_day_however_it_is_written() {
    // zone, time of the first occurrence, Until, last day
    let cases = [
        ("Europe/Berlin", "20240101T090000Z", "20240624T080000Z", "20240624"),
        ("Europe/Berlin", "20240101T090000Z", "20240624T000000Z", "20240624"),
        ("Europe/Berlin", "20240101T090000Z", "20240623T220000Z", "20240624"),
        ("Europe/Berlin", "20240101T090000Z", "20240624T215959Z", "20240624"),
        // 20:00 in New York: its occurrences begin on the next day of UTC.
        ("America/New_York", "20240102T010000Z", "20240625T000000Z", "20240624"),
        ("America/New_York", "20240101T140000Z", "20240624T000000Z", "20240624"),
        ("America/New_York", "20240101T140000Z", "20240625T035959Z", "20240624"),
    ];
    for (zone, start, until, expected) in cases {
        let data = request(&[(calendar::START_TIME, start), (calendar::END_TIME, start)]);
        let children = [
            (calendar::TYPE, "1"),
            (calendar::DAY_OF_WEEK, "2"),
            (calendar::UNTIL, until),
        ];
        let children = children.map(|(tag, text)| Element::text(tag, text));
        let data = replaced(&data, Element::parent(calendar::RECURRENCE, children));
        with(V14_1, zone, |context| {
            let write = to_ox(&data, None, &Ghosted::Nothing, context).unwrap();
            assert_eq!(write.fields.date(columns::UNTIL), Some(ms(expected)), "{zone} {until}");
        });
    }
}

#[test]
fn another_zone_counts_only_with_other_times() {
    with(V14_1, "America/New_York", |context| {
        let shown = shown(&team(), &[late_team()], context);
        let new_york = zone::encode(&context.user.zone, 2024);
        let travelling = replaced(&shown, Element::text(calendar::TIMEZONE, new_york));
        let write = to_ox(&travelling, Some((&team(), &[late_team()])), &Ghosted::Nothing, context).unwrap();
        assert_eq!(write, Write::default());
        let moved = replaced(&travelling, Element::text(calendar::START_TIME, "20240101T093000Z"));
        let write = to_ox(&moved, Some((&team(), &[late_team()])), &Ghosted::Nothing, context).unwrap();
        assert_eq!(write.fields.text(columns::TIMEZONE), Some("America/New_York"));
    });
}

#[test]
fn a_changed_occurrence_without_its_series_is_a_single_appointment() {
    let mut orphan = late_team();
    for (column, value) in [
        (columns::RECURRENCE_TYPE, 2),
        (columns::INTERVAL, 1),
        (columns::DAYS, 2),
    ] {
        orphan.set(column, value);
    }
    with(V14_1, "Europe/Berlin", |context| {
        let shown = shown(&orphan, &[], context);
        assert!(shown.child(calendar::RECURRENCE).is_none());
        let write = to_ox(&shown, Some((&orphan, &[])), &Ghosted::Nothing, context).unwrap();
        assert_eq!(write, Write::default());
    });
}

#[test]
fn a_whole_day_among_timed_occurrences() {
    let mut late = late_team();
    late.set(columns::FULL_TIME, true);
    late.set(columns::START_DATE, ms("20240108"));
    late.set(columns::END_DATE, ms("20240109"));
    // version, what is said of the exception: from 16.0 on it cannot have a flag of its own
    let cases = [
        (
            V14_1,
            "StartTime=20240107T230000Z Subject=Team (spät) EndTime=20240108T230000Z AllDayEvent=1}",
        ),
        (
            V16_1,
            "StartTime=20240107T230000Z Subject=Team (spät) EndTime=20240108T230000Z}",
        ),
    ];
    for (version, expected) in cases {
        with(version, "Europe/Berlin", |context| {
            let shown = shown(&team(), &[late.clone()], context);
            let line = line(&shown.child(calendar::EXCEPTIONS).unwrap().children()[0]);
            assert!(line.ends_with(expected), "{version} {line}");
        });
    }
}
