//! Known answers, both ways, and what all tests of the calendar share.

use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::content::BodyOptions;
use crate::content::Ghosted;
use crate::content::User;
use crate::content::date;
use crate::quirk::Quirks;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V2_5;
use crate::version::ProtocolVersion::V12_1;
use crate::version::ProtocolVersion::V14_0;
use crate::version::ProtocolVersion::V14_1;
use crate::version::ProtocolVersion::V16_0;
use crate::version::ProtocolVersion::V16_1;
use crate::wbxml::Content;
use crate::wbxml::Tag;
use crate::wbxml::codepage;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::calendar;

mod attendees;
mod laws;
mod series;
mod tags;
mod whole_days;

/// 2023-11-14T22:13:20Z
const NOW: i64 = 1_700_000_000_000;

/// Anton, user 3, as in the transcripts of the API.
fn user_in(zone: &str) -> User {
    User {
        id: 3,
        name: "Anton".to_owned(),
        address: "anton@example.com".to_owned(),
        addresses: vec!["anton@example.com".to_owned(), "a.anton@example.com".to_owned()],
        zone: TimeZone::get(zone).unwrap(),
    }
}

/// Runs with a context of this version and zone.
fn with<T>(version: ProtocolVersion, zone: &str, run: impl FnOnce(&Context<'_>) -> T) -> T {
    let user = user_in(zone);
    let bodies = BodyOptions::default();
    run(&Context {
        quirks: Quirks::NONE,
        version,
        user: &user,
        bodies: &bodies,
        now: NOW,
    })
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(map) => Object::from_map(map),
        _ => panic!("no object"),
    }
}

fn ms(text: &str) -> i64 {
    date::parse(text).unwrap()
}

/// ApplicationData as it arrives: without the tags a version does not have.
fn on_the_wire(elements: Vec<Element>, version: ProtocolVersion) -> Element {
    fn known(element: Element, version: ProtocolVersion) -> Option<Element> {
        let token = codepage::token(element.tag)?;
        token.versions.contains(version).then(|| match element.content {
            Content::Children(children) => {
                let children = children.into_iter().filter_map(|child| known(child, version));
                Element::parent(element.tag, children)
            }
            _ => element,
        })
    }
    let elements = elements.into_iter().filter_map(|element| known(element, version));
    Element::parent(airsync::APPLICATION_DATA, elements)
}

fn shown(master: &Object, exceptions: &[Object], context: &Context<'_>) -> Element {
    on_the_wire(to_eas(master, exceptions, context).unwrap(), context.version)
}

fn request(children: &[(Tag, &str)]) -> Element {
    let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
    Element::parent(airsync::APPLICATION_DATA, children)
}

/// The request with a child put in place of the present one of the same tag, or added.
fn replaced(request: &Element, child: Element) -> Element {
    let others = without(request, child.tag);
    Element::parent(request.tag, others.children().iter().cloned().chain([child]))
}

fn without(request: &Element, tag: Tag) -> Element {
    let children = request.children().iter().filter(|child| child.tag != tag);
    Element::parent(request.tag, children.cloned())
}

fn fields(write: &Write) -> Value {
    Value::Object(write.fields.as_map().clone())
}

/// One line an element: `Subject=Team`, `Attendee{Email=… Name=…}`.
fn line(element: &Element) -> String {
    match &element.content {
        Content::Empty => format!("{}", element.tag.name()),
        Content::Children(children) => {
            let children: Vec<String> = children.iter().map(line).collect();
            format!("{}{{{}}}", element.tag.name(), children.join(" "))
        }
        _ => format!("{}={}", element.tag.name(), element.as_text().unwrap_or("(bytes)")),
    }
}

fn lines(element: &Element) -> Vec<String> {
    element.children().iter().map(line).collect()
}

/// 816 of the transcripts: every Monday at 10:00 in Berlin from 1 January 2024, with one external attendee.
fn team() -> Object {
    object(json!({
        "id": 816, "folder_id": 31, "title": "Team",
        "start_date": 1_704_099_600_000_i64, "end_date": 1_704_103_200_000_i64, "full_time": false,
        "timezone": "Europe/Berlin", "recurrence_id": 816, "recurrence_type": 2, "interval": 1, "days": 2,
        "occurrences": 20, "shown_as": 1, "alarm": 15, "private_flag": false, "color_label": 0, "uid": "c0ffee-816",
        "organizer": "anton@example.com", "organizerId": 3, "sequence": 0, "created_by": 3, "modified_by": 3,
        "participants": [{"id": 3, "type": 1}, {"type": 5, "mail": "berta@example.org", "display_name": "Berta"}],
        "users": [{"id": 3, "display_name": "Anton", "confirmation": 1}],
        "confirmations": [{"type": 5, "mail": "berta@example.org", "status": 0}],
        "change_exceptions": [1_704_672_000_000_i64], "delete_exceptions": [1_705_276_800_000_i64],
        "creation_date": 1_700_000_000_200_i64, "last_modified": 1_700_000_000_200_i64,
        "last_modified_utc": 1_700_000_000_200_i64,
    }))
}

/// 820 of the transcripts: the occurrence of 8 January moved to 14:00 and renamed.
fn late_team() -> Object {
    let mut late = team();
    late.set(common::ID, 820);
    late.set(columns::TITLE, "Team (spät)");
    late.set(columns::START_DATE, 1_704_718_800_000_i64);
    late.set(columns::END_DATE, 1_704_722_400_000_i64);
    late.set(columns::RECURRENCE_DATE_POSITION, 1_704_672_000_000_i64);
    late.set(columns::RECURRENCE_TYPE, 0);
    late.set(common::LAST_MODIFIED, 1_700_000_000_300_i64);
    for column in [columns::INTERVAL, columns::DAYS, columns::OCCURRENCES] {
        late.remove(column);
    }
    late.remove(columns::CHANGE_EXCEPTIONS);
    late.remove(columns::DELETE_EXCEPTIONS);
    late
}

#[test]
fn the_columns_are_those_of_the_documentation() {
    let ids: Vec<u16> = columns().iter().map(|column| column.id).collect();
    let expected = [
        1, 20, 2, 4, 5, 6, 100, 101, 102, 104, 105, 200, 201, 202, 203, 204, 206, 207, 208, 209, 210, 211, 212, 213,
        214, 215, 216, 220, 221, 222, 223, 224, 225, 226, 400, 401, 402, 408,
    ];
    let sorted = |ids: &[u16]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(&ids), sorted(&expected));
}

#[test]
fn a_series_with_exceptions_as_14_1_and_16_1_see_it() {
    let berlin = zone::encode(&TimeZone::get("Europe/Berlin").unwrap(), 2024);
    let timezone = format!("Timezone={berlin}");
    let expected_14 = [
        timezone.as_str(),
        "DtStamp=20231114T221320Z",
        "StartTime=20240101T090000Z",
        "Subject=Team",
        "UID=c0ffee-816",
        "OrganizerName=Anton",
        "OrganizerEmail=anton@example.com",
        "Attendees{Attendee{Email=berta@example.org Name=Berta AttendeeStatus=5 AttendeeType=1}}",
        "EndTime=20240101T100000Z",
        "Recurrence{Type=1 Occurrences=20 Interval=1 DayOfWeek=2 FirstDayOfWeek=1}",
        "Sensitivity=0",
        "BusyStatus=2",
        "AllDayEvent=0",
        "Reminder=15",
        "MeetingStatus=1",
        "ResponseRequested=1",
        "DisallowNewTimeProposal=0",
        "ResponseType=1",
        "Exceptions{Exception{ExceptionStartTime=20240108T090000Z DtStamp=20231114T221320Z StartTime=20240108T130000Z \
         Subject=Team (spät) EndTime=20240108T140000Z} Exception{ExceptionStartTime=20240115T090000Z Deleted=1}}",
    ];
    with(V14_1, "Europe/Berlin", |context| {
        assert_eq!(lines(&shown(&team(), &[late_team()], context)), expected_14);
    });
    with(V16_1, "Europe/Berlin", |context| {
        let expected = expected_14.map(|line| line.replace("ExceptionStartTime", "InstanceId"));
        assert_eq!(lines(&shown(&team(), &[late_team()], context)), expected);
    });
    with(V2_5, "Europe/Berlin", |context| {
        let shown = lines(&shown(&team(), &[late_team()], context));
        assert!(
            shown.contains(&"Attendees{Attendee{Email=berta@example.org Name=Berta}}".to_owned()),
            "{shown:?}"
        );
        assert!(!shown.iter().any(|line| line.starts_with("Response")));
    });
}

#[test]
fn each_property_is_shown() {
    // column and value, version, element
    let cases = [
        (json!({"title": "Lunch"}), V14_1, "Subject=Lunch"),
        (json!({"location": "Room 1"}), V14_1, "Location=Room 1"),
        (json!({"location": "Room 1"}), V16_0, "Location{DisplayName=Room 1}"),
        (
            json!({"categories": "Work, Play"}),
            V14_1,
            "Categories{Category=Work Category=Play}",
        ),
        (json!({"private_flag": true}), V14_1, "Sensitivity=2"),
        (json!({"private_flag": null}), V14_1, "Sensitivity=0"),
        (json!({"shown_as": 1}), V14_1, "BusyStatus=2"),
        (json!({"shown_as": 2}), V14_1, "BusyStatus=1"),
        (json!({"shown_as": 3}), V14_1, "BusyStatus=3"),
        (json!({"shown_as": 4}), V14_1, "BusyStatus=0"),
        (json!({"alarm": 0}), V14_1, "Reminder=0"),
        (json!({"alarm": 15}), V2_5, "Reminder=15"),
        (json!({"note": "a\nb"}), V2_5, "Body=a\r\nb"),
        (
            json!({"note": "a\nb"}),
            V12_1,
            "Body{Type=1 EstimatedDataSize=4 Data=a\r\nb}",
        ),
        (json!({"note": "a"}), V12_1, "NativeBodyType=1"),
        (json!({}), V14_0, "OrganizerEmail=anton@example.com"),
        (json!({}), V14_0, "MeetingStatus=0"),
        (json!({}), V14_0, "ResponseType=0"),
        (json!({"uid": "abc"}), V16_1, "UID=abc"),
    ];
    for (value, version, expected) in cases {
        let mut whole = object(json!({"start_date": NOW, "end_date": NOW + 1000}));
        for (key, value) in value.as_object().unwrap() {
            let mut map = whole.into_map();
            map.insert(key.clone(), value.clone());
            whole = Object::from_map(map);
        }
        with(version, "Europe/Berlin", |context| {
            let lines = lines(&shown(&whole, &[], context));
            assert!(lines.contains(&expected.to_owned()), "{version} {value}: {lines:?}");
        });
    }
    // What is not there is not shown.
    with(V14_1, "Europe/Berlin", |context| {
        let bare = object(json!({"start_date": NOW, "end_date": NOW, "alarm": -1, "note": "", "location": null}));
        let shown = shown(&bare, &[], context);
        for tag in [
            calendar::REMINDER,
            calendar::LOCATION,
            airsyncbase::BODY,
            calendar::CATEGORIES,
            calendar::SUBJECT,
        ] {
            assert!(shown.child(tag).is_none(), "{tag:?}");
        }
    });
}

#[test]
fn an_appointment_without_a_start_is_refused() {
    with(V14_1, "Europe/Berlin", |context| {
        assert!(to_eas(&object(json!({"title": "Team"})), &[], context).is_err());
    });
}

#[test]
fn an_add_has_all_fields() {
    let data = request(&[
        (
            calendar::TIMEZONE,
            &zone::encode(&TimeZone::get("America/New_York").unwrap(), 2024),
        ),
        (calendar::DT_STAMP, "20231114T221320Z"),
        (calendar::START_TIME, "20240102T140000Z"),
        (calendar::END_TIME, "20240102T150000Z"),
        (calendar::SUBJECT, " Lunch "),
        (calendar::UID, "0123ABC"),
        (calendar::LOCATION, "Room 1"),
        (calendar::REMINDER, "10"),
        (calendar::SENSITIVITY, "2"),
        (calendar::BUSY_STATUS, "3"),
        (calendar::ALL_DAY_EVENT, "0"),
        (calendar::MEETING_STATUS, "0"),
    ]);
    let data = replaced(
        &data,
        Element::parent(
            airsyncbase::BODY,
            [
                Element::text(airsyncbase::TYPE, "1"),
                Element::text(airsyncbase::DATA, "a\r\nb"),
            ],
        ),
    );
    let categories = ["Work", "Play, too"].map(|name| Element::text(calendar::CATEGORY, name));
    let data = replaced(&data, Element::parent(calendar::CATEGORIES, categories));
    let expected = json!({
        "title": "Lunch", "shown_as": 3, "start_date": ms("20240102T140000Z"), "end_date": ms("20240102T150000Z"),
        "full_time": false, "timezone": "America/New_York", "location": "Room 1", "alarm": 10, "private_flag": true,
        "categories": "Work, Play  too", "note": "a\nb", "uid": "0123ABC", "participants": [{"id": 3, "type": 1}],
    });
    with(V14_1, "Europe/Berlin", |context| {
        let write = to_ox(&data, None, &Ghosted::Nothing, context).unwrap();
        assert_eq!(fields(&write), expected);
        assert!(write.occurrences.is_empty() && !write.refused);
    });
}

#[test]
fn an_add_may_lack_nearly_everything() {
    // version, what is sent, fields that follow
    let cases = [
        // 23:13 in Berlin: the next half hour.
        (
            V14_1,
            request(&[]),
            json!({"start_date": ms("20231114T223000Z"), "end_date": ms("20231114T230000Z"), "title": "(No title)", "shown_as": 1, "timezone": "Europe/Berlin"}),
        ),
        (
            V14_1,
            request(&[(calendar::END_TIME, "20231115T000000Z")]),
            json!({"start_date": ms("20231114T223000Z"), "end_date": ms("20231115T000000Z")}),
        ),
        (
            V14_1,
            request(&[(calendar::START_TIME, "20231114T200000Z")]),
            json!({"start_date": ms("20231114T200000Z"), "end_date": ms("20231114T230000Z")}),
        ),
        (V14_1, request(&[(calendar::REMINDER, "")]), json!({"alarm": null})),
        (V14_1, request(&[(calendar::BUSY_STATUS, "4")]), json!({"shown_as": 4})),
        (
            V14_1,
            request(&[(calendar::SENSITIVITY, "1")]),
            json!({"private_flag": null}),
        ),
        (
            V14_1,
            request(&[(calendar::SENSITIVITY, "3")]),
            json!({"private_flag": true}),
        ),
        // From 16.0 on the server gives the UID.
        (V16_0, request(&[(calendar::UID, "abc")]), json!({"uid": null})),
        // A blob that nobody can read is not GMT.
        (
            V14_1,
            request(&[(calendar::TIMEZONE, "????")]),
            json!({"timezone": "Europe/Berlin"}),
        ),
    ];
    for (version, data, expected) in cases {
        with(version, "Europe/Berlin", |context| {
            let write = to_ox(&data, None, &Ghosted::Nothing, context).unwrap();
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(
                    fields(&write).get(key).unwrap_or(&Value::Null),
                    value,
                    "{key} of {data:?}"
                );
            }
        });
    }
}

#[test]
fn unusable_values_are_refused() {
    let cases = [
        (calendar::START_TIME, "tomorrow"),
        (calendar::END_TIME, "20100101T000000Z"),
        (calendar::START_TIME, "20300101T000000Z"),
        (calendar::ALL_DAY_EVENT, "yes"),
        (calendar::BUSY_STATUS, "-1"),
        (calendar::BUSY_STATUS, "5"),
        (calendar::SENSITIVITY, "4"),
        (calendar::REMINDER, "soon"),
        (calendar::REMINDER, "-5"),
    ];
    for (tag, text) in cases {
        with(V14_1, "Europe/Berlin", |context| {
            let result = to_ox(&request(&[(tag, text)]), None, &Ghosted::Nothing, context);
            assert!(result.is_err(), "{tag:?} {text}");
        });
    }
}

#[test]
fn a_change_writes_what_differs() {
    let mut object = team();
    object.set(columns::NOTE, "old");
    object.set(columns::LOCATION, "Room 1");
    object.set(common::CATEGORIES, "Work");
    // what the device changes of what it was shown, fields
    let cases = [
        (Element::text(calendar::SUBJECT, "Crew"), json!({"title": "Crew"})),
        (Element::text(calendar::LOCATION, ""), json!({"location": null})),
        (Element::text(calendar::REMINDER, "5"), json!({"alarm": 5})),
        (Element::text(calendar::REMINDER, ""), json!({"alarm": -1})),
        (Element::text(calendar::BUSY_STATUS, "0"), json!({"shown_as": 4})),
        (Element::empty(calendar::CATEGORIES), json!({"categories": null})),
        (
            Element::parent(calendar::CATEGORIES, [Element::text(calendar::CATEGORY, "Work")]),
            json!({}),
        ),
        (
            Element::parent(airsyncbase::BODY, [Element::text(airsyncbase::DATA, "new")]),
            json!({"note": "new"}),
        ),
        (Element::empty(airsyncbase::BODY), json!({"note": null})),
        (Element::text(calendar::SENSITIVITY, "1"), json!({})),
        // Only the server knows these.
        (Element::text(calendar::UID, "other"), json!({})),
        (Element::text(calendar::ORGANIZER_EMAIL, "berta@example.org"), json!({})),
        (Element::text(calendar::MEETING_STATUS, "3"), json!({})),
        (Element::text(calendar::DT_STAMP, "20300101T000000Z"), json!({})),
        (Element::text(calendar::RESPONSE_TYPE, "3"), json!({})),
        (
            Element::text(calendar::END_TIME, "20240101T103000Z"),
            json!({"start_date": ms("20240101T090000Z"), "end_date": ms("20240101T103000Z"), "full_time": false}),
        ),
    ];
    with(V14_1, "Europe/Berlin", |context| {
        let shown = shown(&object, &[late_team()], context);
        for (child, expected) in cases {
            let data = replaced(&shown, child.clone());
            let write = to_ox(&data, Some((&object, &[late_team()])), &Ghosted::Nothing, context).unwrap();
            assert_eq!(fields(&write), expected, "{child:?}");
            assert_eq!(write.occurrences, [], "{child:?}");
        }
    });
}

#[test]
fn what_a_change_leaves_out() {
    let mut object = team();
    object.set(columns::NOTE, "old");
    object.set(columns::LOCATION, "Room 1");
    object.set(common::CATEGORIES, "Work");
    // tag left out, fields if nothing is ghosted
    let cases = [
        (calendar::LOCATION, json!({"location": null})),
        (calendar::CATEGORIES, json!({"categories": null})),
        (calendar::REMINDER, json!({"alarm": -1})),
        (calendar::RECURRENCE, json!({"recurrence_type": 0})),
        // These stay in any case.
        (calendar::SUBJECT, json!({})),
        (calendar::BUSY_STATUS, json!({})),
        (airsyncbase::BODY, json!({})),
        (calendar::ATTENDEES, json!({})),
        (calendar::ORGANIZER_EMAIL, json!({})),
        (calendar::TIMEZONE, json!({})),
        (calendar::EXCEPTIONS, json!({})),
        (calendar::END_TIME, json!({})),
        // Without StartTime it is no whole item, and nothing is cleared.
        (calendar::START_TIME, json!({})),
    ];
    with(V14_1, "Europe/Berlin", |context| {
        let shown = shown(&object, &[late_team()], context);
        for (tag, expected) in cases {
            let data = without(&shown, tag);
            let current = Some((&object, &[late_team()][..]));
            let write = |ghosted| fields(&to_ox(&data, current, &ghosted, context).unwrap());
            assert_eq!(write(Ghosted::Nothing), expected, "{tag:?}");
            assert_eq!(write(Ghosted::AllBut(vec![calendar::SUBJECT])), expected, "{tag:?}");
            assert_eq!(write(Ghosted::Everything), json!({}), "{tag:?}");
            assert_eq!(write(Ghosted::AllBut(Vec::new())), json!({}), "{tag:?}");
        }
    });
}

#[test]
fn a_text_that_was_shown_cut_is_not_cut_in_ox() {
    let mut object = team();
    object.set(columns::NOTE, "a long text");
    let user = user_in("Europe/Berlin");
    let bodies = BodyOptions {
        truncation: Some(6),
        ..BodyOptions::default()
    };
    let context = Context {
        quirks: Quirks::NONE,
        version: V2_5,
        user: &user,
        bodies: &bodies,
        now: NOW,
    };
    let shown = shown(&object, &[], &context);
    assert_eq!(shown.child_text(calendar::BODY), Some("a long"));
    let write = to_ox(&shown, Some((&object, &[])), &Ghosted::Nothing, &context).unwrap();
    assert_eq!(fields(&write), json!({}));
}
