//! Series: occurrences, exceptions, and what becomes of them when the pattern changes.

use crate::calendar::HOUR;
use crate::calendar::JAN_8;
use crate::calendar::JAN_15;
use crate::calendar::JAN_22;
use crate::calendar::JAN_29;
use crate::calendar::TUESDAY;
use crate::calendar::all;
use crate::calendar::dentist;
use crate::calendar::team;
use crate::calendar::update;
use crate::client::Client;
use crate::client::House;
use crate::client::NOW;
use crate::client::coded;
use crate::client::error;
use ox_standin::Module;
use ox_standin::Profile;
use ox_standin::Standin;
use serde_json::json;

#[test]
fn occurrences_are_rows_without_recurrence_master() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(team());
    anton.delete_occurrence(31, id, JAN_15);
    let call = format!("calendar?action=all&folder=31&start={JAN_8}&end={JAN_29}&timezone=UTC&columns=1,201,207,208");
    assert_eq!(
        house.anton.get(&call)["data"],
        json!([[id, JAN_8 + 9 * HOUR, 2, JAN_8], [id, JAN_22 + 9 * HOUR, 4, JAN_22]])
    );
    let one = house.anton.get(&format!(
        "calendar?action=get&id={id}&folder=31&recurrence_position=4&timezone=UTC"
    ));
    assert_eq!(
        (&one["data"]["start_date"], &one["data"]["recurrence_date_position"]),
        (&json!(JAN_22 + 9 * HOUR), &json!(JAN_22))
    );
    let none = house
        .anton
        .get(&format!("calendar?action=get&id={id}&folder=31&recurrence_position=40"));
    assert_eq!(error(&none), coded("APP-0074", 1));
    assert_eq!(
        house.anton.get("calendar?action=all&folder=31&columns=1")["code"],
        "SVL-0002"
    );
}

/// One occurrence since 7.6; before, the parameter is not known, and the whole series is answered.
#[test]
fn confirming_one_occurrence() {
    for (profile, series) in [(Profile::V6_20, 2), (Profile::V7_8, 0)] {
        let house = House::with(Standin::builder().profile(profile));
        let anton = house.standin.web("anton");
        let id = anton.create_appointment(json!({"title": "x", "start_date": TUESDAY, "end_date": TUESDAY + HOUR,
            "recurrence_type": 1, "interval": 1, "occurrences": 5, "participants": [{"id": 4, "type": 1}]}));
        let berta = Client::login(&house.running, "berta");
        let call = format!("calendar?action=confirm&id={id}&folder=41&timestamp={NOW}&occurrence=2");
        berta.put(&call, json!({"confirmation": 2}));
        let master = anton.object(Module::Calendar, id).expect("it");
        assert_eq!(master["users"][1]["confirmation"], series, "{profile:?}");
    }
}

#[test]
fn exceptions_are_made_changed_and_deleted() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(team());
    let moved = json!({"recurrence_date_position": JAN_22, "start_date": JAN_22 + 10 * HOUR, "end_date": JAN_22 + 11 * HOUR, "full_time": false, "ignore_conflicts": true});
    house.later(1000);
    let answer = update(&house.anton, id, NOW, moved);
    let exception = answer["data"]["id"]
        .as_u64()
        .and_then(|id| u32::try_from(id).ok())
        .expect("an id");
    assert_ne!(exception, id);
    house.later(1000);
    let deleted = house.anton.put(
        &format!("calendar?action=delete&timestamp={}", NOW + 1000),
        json!({"id": id, "folder": 31, "recurrence_date_position": JAN_29}),
    );
    assert_eq!(deleted, json!({"data": [], "timestamp": NOW + 2000}));
    let updates = format!(
        "calendar?action=updates&folder=31&timestamp={NOW}&recurrence_master=true&timezone=UTC&columns=1,6,206,210,211"
    );
    assert_eq!(
        house.anton.get(&updates),
        json!({"data": [[id, NOW + 2000, id, [JAN_22], [JAN_29]], [exception, NOW + 1000, id, null, null]], "timestamp": NOW + 2000})
    );
    // The same day again changes the exception that is there.
    let again = update(
        &house.anton,
        id,
        NOW + 2000,
        json!({"recurrence_position": 4, "title": "Zwei"}),
    );
    assert_eq!(again["data"]["id"], exception);
    let gone = update(
        &house.anton,
        id,
        NOW + 2000,
        json!({"recurrence_position": 5, "title": "x"}),
    );
    assert_eq!(error(&gone), coded("APP-0074", 1));
    // Deleting the exception deletes the occurrence.
    house.later(1000);
    house.anton.put(
        &format!("calendar?action=delete&timestamp={}", NOW + 9000),
        json!({"id": exception, "folder": 31}),
    );
    let row = json!([id, NOW + 3000, id, null, [JAN_22, JAN_29]]);
    assert_eq!(house.anton.get(&updates)["data"], json!([row, exception]));
}

#[test]
fn a_new_pattern_drops_exceptions_or_keeps_those_that_fit() {
    // Profile, whether the exception of a Monday survives a change to Mondays and Tuesdays.
    for (profile, survives) in [(Profile::V7_8, false), (Profile::V7_10, true)] {
        let house = House::with(Standin::builder().profile(profile));
        let anton = house.standin.web("anton");
        let id = anton.create_appointment(team());
        let exception = anton.update(
            Module::Calendar,
            31,
            id,
            json!({"recurrence_date_position": JAN_8, "title": "x"}),
        );
        anton.delete_occurrence(31, id, JAN_15);
        let pattern =
            json!({"recurrence_type": 2, "interval": 1, "days": 6, "occurrences": 20, "ignore_conflicts": true});
        let answer = update(&house.anton, id, NOW, pattern);
        assert_eq!(answer["data"]["id"], id, "{answer}");
        assert_eq!(
            anton.object(Module::Calendar, exception).is_some(),
            survives,
            "{profile:?}"
        );
        let days = anton.object(Module::Calendar, id).expect("it")["delete_exceptions"].clone();
        assert_eq!(days, if survives { json!([JAN_15]) } else { json!([]) }, "{profile:?}");
    }
}

#[test]
fn deleting_a_series_deletes_its_exceptions() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(team());
    let exception = anton.update(
        Module::Calendar,
        31,
        id,
        json!({"recurrence_position": 2, "title": "x"}),
    );
    house.later(1);
    anton.delete(Module::Calendar, 31, id);
    let updates = house.anton.get(&format!(
        "calendar?action=updates&folder=31&timestamp={NOW}&recurrence_master=true&columns=1"
    ));
    assert_eq!(updates["data"], json!([exception, id]));
}

#[test]
fn the_last_day_is_written_in_two_ways() {
    let house = House::new();
    let id = house
        .standin
        .web("anton")
        .create_appointment(json!({"title": "x", "start_date": JAN_29, "end_date": JAN_29 + HOUR,
        "recurrence_type": 3, "interval": 1, "days": 2, "day_in_month": -1}));
    let got = house.anton.get(&format!("calendar?action=get&id={id}&folder=31"));
    assert_eq!(got["data"]["day_in_month"], -1);
    assert_eq!(all(&house, "213"), json!([[5]]));
}

#[test]
fn a_start_off_the_pattern_moves_on_old_calendars() {
    for (profile, start) in [(Profile::V7_8, JAN_8 + 8 * HOUR), (Profile::V7_10, TUESDAY)] {
        let house = House::with(Standin::builder().profile(profile));
        let mut body = dentist();
        body["recurrence_type"] = json!(2);
        body["interval"] = json!(1);
        body["days"] = json!(2);
        house.standin.web("anton").create_appointment(body);
        assert_eq!(all(&house, "201"), json!([[start]]), "{profile:?}");
    }
}

#[test]
fn old_servers_hide_exceptions_in_objects_and_fail_whole_lists() {
    let house = House::with(Standin::builder().profile(Profile::V6_20));
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(team());
    anton.delete_occurrence(31, id, JAN_15);
    assert!(
        house.anton.get(&format!("calendar?action=get&id={id}&folder=31"))["data"]
            .get("delete_exceptions")
            .is_none()
    );
    assert_eq!(all(&house, "211"), json!([[[JAN_15]]]), "the columns always work");
    let list = json!([{"id": id, "folder": 31}, {"id": 999, "folder": 31}]);
    assert_eq!(
        house.anton.put("calendar?action=list&columns=1", list.clone())["code"],
        "APP-0001"
    );
    let newer = House::new();
    let id = newer.standin.web("anton").create_appointment(team());
    assert_eq!(
        newer.anton.put("calendar?action=list&columns=1", list)["data"],
        json!([[id]])
    );
}

#[test]
fn an_attendee_leaves_a_single_occurrence() {
    let house = House::new();
    let mut body = team();
    body["participants"] = json!([{"id": 4, "type": 1}]);
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(body);
    house.standin.web("berta").delete_occurrence(41, id, JAN_15);
    let berta = Client::login(&house.running, "berta");
    let hers =
        berta.get("calendar?action=all&folder=41&start=0&end=2208988800000&recurrence_master=true&columns=1,210");
    assert_eq!(
        hers["data"],
        json!([[id, [JAN_15]]]),
        "the series stays, the day is an exception without her"
    );
    let rows = all(&house, "1,208,220");
    assert_eq!(rows[1], json!([id + 1, JAN_15, [{"id": 3, "type": 1}]]));
}
