//! Appointments: rows and objects, series and exceptions, people, conflicts, locking.

use crate::client::Client;
use crate::client::House;
use crate::client::NOW;
use crate::client::coded;
use crate::client::error;
use ox_standin::Group;
use ox_standin::Module;
use ox_standin::Profile;
use ox_standin::Resource;
use ox_standin::Standin;
use serde_json::Value;
use serde_json::json;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Monday 2024-01-01, 09:00 UTC.
const MONDAY: i64 = 1_704_099_600_000;
/// Tuesday 2024-01-02, 08:00 UTC.
const TUESDAY: i64 = 1_704_182_400_000;
/// Days of the transcript.
const JAN_8: i64 = 1_704_672_000_000;
const JAN_15: i64 = 1_705_276_800_000;
const JAN_22: i64 = 1_705_881_600_000;
const JAN_29: i64 = 1_706_486_400_000;
const FEB_1: i64 = 1_706_745_600_000;
const FAR: &str = "start=0&end=2208988800000&recurrence_master=true&timezone=UTC";

fn dentist() -> Value {
    json!({"folder_id": 31, "title": "Zahnarzt", "start_date": TUESDAY, "end_date": TUESDAY + HOUR, "full_time": false})
}

/// Every Monday at 09:00 UTC.
fn team() -> Value {
    json!({"folder_id": 31, "title": "Team", "start_date": MONDAY, "end_date": MONDAY + HOUR, "full_time": false,
        "recurrence_type": 2, "interval": 1, "days": 2, "occurrences": 20, "alarm": 15})
}

fn all(house: &House, columns: &str) -> Value {
    house
        .anton
        .get(&format!("calendar?action=all&folder=31&{FAR}&columns={columns}"))["data"]
        .clone()
}

fn update(client: &Client, id: u32, timestamp: i64, body: Value) -> Value {
    client.put(
        &format!("calendar?action=update&id={id}&folder=31&timestamp={timestamp}&timezone=UTC"),
        body,
    )
}

#[test]
fn rows_of_the_transcript() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let dentist = anton.create_appointment(dentist());
    let team = anton.create_appointment(team());
    let holiday = anton.create_appointment(
        json!({"title": "Urlaub", "start_date": FEB_1, "end_date": FEB_1 + 3 * DAY, "full_time": true}),
    );
    let late = anton.update(
        Module::Calendar,
        31,
        team,
        json!({"recurrence_date_position": JAN_8, "title": "Team (spät)",
        "start_date": JAN_8 + 13 * HOUR, "end_date": JAN_8 + 14 * HOUR}),
    );
    anton.delete_occurrence(31, team, JAN_15);
    let rows = all(&house, "1,20,200,201,202,401,206,208,209,210,211");
    assert_eq!(
        rows,
        json!([
            [
                dentist,
                31,
                "Zahnarzt",
                TUESDAY,
                TUESDAY + HOUR,
                false,
                null,
                null,
                0,
                null,
                null
            ],
            [
                team,
                31,
                "Team",
                MONDAY,
                MONDAY + HOUR,
                false,
                team,
                null,
                2,
                [JAN_8],
                [JAN_15]
            ],
            [
                holiday,
                31,
                "Urlaub",
                FEB_1,
                FEB_1 + 3 * DAY,
                true,
                null,
                null,
                0,
                null,
                null
            ],
            [
                late,
                31,
                "Team (spät)",
                JAN_8 + 13 * HOUR,
                JAN_8 + 14 * HOUR,
                false,
                team,
                JAN_8,
                0,
                null,
                null
            ],
        ])
    );
    let shifted = house
        .anton
        .get("calendar?action=all&folder=31&start=0&end=2208988800000&recurrence_master=true&columns=201");
    assert_eq!(
        shifted["data"],
        json!([[TUESDAY + HOUR], [MONDAY + HOUR], [FEB_1], [JAN_8 + 14 * HOUR]]),
        "Dates stay"
    );
}

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

#[test]
fn an_object_has_people_and_no_empty_lists() {
    let house = House::new();
    let mut body = team();
    body["participants"] = json!([{"id": 3, "type": 1}, {"type": 5, "mail": "bert@example.org", "display_name": "Bert"},
        {"type": 5, "mail": "BERTA@example.com"}]);
    let new = house.anton.put("calendar?action=new&timezone=UTC", body);
    let id = new["data"]["id"].as_u64().expect("an id");
    let got = house
        .anton
        .get(&format!("calendar?action=get&id={id}&folder=31&timezone=UTC"))["data"]
        .clone();
    assert_eq!(
        got["participants"],
        json!([{"id": 3, "type": 1}, {"type": 5, "mail": "bert@example.org", "display_name": "Bert"}, {"id": 4, "type": 1}])
    );
    assert_eq!(
        got["users"],
        json!([{"id": 3, "display_name": "Anders, Anton", "confirmation": 1}, {"id": 4, "display_name": "Berg, Berta", "confirmation": 0}])
    );
    assert_eq!(got["confirmations"][0]["status"], 0);
    assert_eq!(
        (&got["organizer"], &got["organizerId"], &got["alarm"]),
        (&json!("anton@example.com"), &json!(3), &json!(15))
    );
    assert_eq!(
        (&got["recurrence_id"], &got["timezone"], &got["sequence"]),
        (&json!(id), &json!("Europe/Berlin"), &json!(0))
    );
    assert!(
        got.get("change_exceptions").is_none() && got.get("recurrence_position").is_none(),
        "{got}"
    );
    // Berta sees the same object in her own calendar, without Anton's alarm.
    let berta = Client::login(&house.running, "berta");
    let hers = berta.get(&format!("calendar?action=get&id={id}&folder=41&timezone=UTC"))["data"].clone();
    assert_eq!((&hers["folder_id"], hers.get("alarm")), (&json!(41), None));
}

#[test]
fn confirming_changes_the_own_status_only() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(json!({"title": "x", "start_date": TUESDAY, "end_date": TUESDAY + HOUR,
        "participants": [{"id": 4, "type": 1}]}));
    let berta = Client::login(&house.running, "berta");
    house.later(7);
    let answer = berta.put(
        &format!("calendar?action=confirm&id={id}&folder=41&timestamp={NOW}"),
        json!({"confirmation": 3, "confirmmessage": "vielleicht"}),
    );
    assert_eq!(answer, json!({"data": {}, "timestamp": NOW + 7}));
    let status = |index: usize| anton.object(Module::Calendar, id).expect("it")["users"][index]["confirmation"].clone();
    assert_eq!((status(0), status(1)), (json!(1), json!(3)));
    // A new time asks her again, a new title does not.
    update(&house.anton, id, NOW + 7, json!({"title": "y"}));
    assert_eq!(status(1), json!(3));
    let later = json!({"start_date": TUESDAY + HOUR, "end_date": TUESDAY + 2 * HOUR, "full_time": false, "ignore_conflicts": true});
    update(&house.anton, id, NOW + 7, later);
    assert_eq!((status(0), status(1)), (json!(1), json!(0)));
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

/// `notification`: the server writes to everybody but the caller, and only then.
#[test]
fn people_are_told_on_request() {
    let house = House::new();
    let people = json!([{"id": 4, "type": 1}, {"type": 5, "mail": "carl@example.org"}]);
    let appointment = json!({"folder_id": 31, "title": "x", "start_date": TUESDAY, "end_date": TUESDAY + HOUR,
        "full_time": false, "ignore_conflicts": true, "participants": people});
    let mut told = appointment.clone();
    told["notification"] = json!(true);
    for (body, expected) in [(appointment, 0), (told, 1)] {
        house.anton.put("calendar?action=new&timezone=UTC", body);
        assert_eq!(house.standin.web("anton").sent().len(), expected);
    }
    let sent = house.standin.web("anton").sent();
    assert_eq!(sent[0].recipients, ["berta@example.com", "carl@example.org"]);
}

#[test]
fn people_see_and_lose_appointments() {
    let house = House::with(Standin::builder().group(Group {
        id: 9,
        name: "Both".to_owned(),
        members: vec![3, 4],
    }));
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(json!({"title": "x", "start_date": TUESDAY, "end_date": TUESDAY + HOUR,
        "participants": [{"id": 9, "type": 2}]}));
    let berta = Client::login(&house.running, "berta");
    let hers = |since: i64| {
        berta.get(&format!(
            "calendar?action=updates&folder=41&timestamp={since}&recurrence_master=true&columns=1"
        ))["data"]
            .clone()
    };
    assert_eq!(hers(0), json!([[id]]), "members of a group see it");
    assert_eq!(
        anton.object(Module::Calendar, id).expect("it")["participants"],
        json!([{"id": 9, "type": 2}])
    );
    house.later(5);
    update(&house.anton, id, NOW, json!({"participants": [{"id": 3, "type": 1}]}));
    assert_eq!(hers(NOW), json!([id]));
    house.later(5);
    update(
        &house.anton,
        id,
        NOW + 5,
        json!({"participants": [{"id": 3, "type": 1}, {"id": 4, "type": 1}]}),
    );
    house.later(5);
    berta.put(
        &format!("calendar?action=delete&timestamp={}", NOW + 10),
        json!({"id": id, "folder": 41}),
    );
    assert_eq!(hers(NOW + 10), json!([id]), "she only leaves");
    let left = anton.object(Module::Calendar, id).expect("still there");
    assert_eq!(left["participants"], json!([{"id": 3, "type": 1}]));
    let removed = update(
        &house.anton,
        id,
        NOW + 99,
        json!({"participants": [{"id": 4, "type": 1}]}),
    );
    assert_eq!(error(&removed), coded("APP-0076", 1));
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
fn conflicts_are_data_and_nothing_is_saved() {
    let house = House::with(Standin::builder().resource(Resource {
        id: 7,
        name: "Beamer".to_owned(),
        address: "beamer@example.com".to_owned(),
    }));
    let first = house.standin.web("anton").create_appointment(
        json!({"title": "Audit", "start_date": TUESDAY, "end_date": TUESDAY + HOUR,
        "participants": [{"id": 3, "type": 1}, {"id": 7, "type": 3}]}),
    );
    let new = |changes: Value| {
        let mut body = dentist();
        body.as_object_mut()
            .expect("an object")
            .extend(changes.as_object().expect("an object").clone());
        house.anton.put("calendar?action=new&timezone=UTC", body)
    };
    let refused = new(json!({}));
    let conflict = &refused["data"]["conflicts"][0];
    assert!(
        refused.get("error").is_none() && refused["data"].get("id").is_none(),
        "{refused}"
    );
    assert_eq!(
        (&conflict["id"], &conflict["title"], &conflict["hard_conflict"]),
        (&json!(first), &json!("Audit"), &json!(false))
    );
    assert_eq!(conflict["participants"][0]["display_name"], "Anders, Anton");
    assert_eq!(house.standin.web("anton").objects(Module::Calendar, 31).len(), 1);
    assert!(new(json!({"shown_as": 4}))["data"]["id"].is_number());
    assert!(
        new(json!({"start_date": TUESDAY + HOUR, "end_date": TUESDAY + 2 * HOUR}))["data"]["id"].is_number(),
        "the end is exclusive"
    );
    assert!(new(json!({"ignore_conflicts": true}))["data"]["id"].is_number());
    let booked = json!({"ignore_conflicts": true, "participants": [{"id": 3, "type": 1}, {"id": 7, "type": 3}]});
    assert_eq!(new(booked)["data"]["conflicts"][0]["hard_conflict"], true);
    house.standin.clock().set(TUESDAY + DAY);
    let late = Client::login(&house.running, "anton").put("calendar?action=new&timezone=UTC", dentist());
    assert!(late["data"]["id"].is_number(), "the past has no conflicts: {late}");
}

#[test]
fn stale_and_missing_by_generation() {
    // Profile, conflict, not found.
    let cases = [
        (Profile::V6_20, "APP-0001", "APP-0001"),
        (Profile::V7_8, "OX-0001", "OX-0001"),
        (Profile::V7_10, "CAL-4120", "CAL-4040"),
    ];
    for (profile, conflict, missing) in cases {
        let house = House::with(Standin::builder().profile(profile));
        let id = house.standin.web("anton").create_appointment(dentist());
        assert_eq!(
            error(&update(&house.anton, id, 1_600_000_000_000, json!({"title": "x"}))),
            coded(conflict, 9)
        );
        assert_eq!(
            error(&update(&house.anton, 999, NOW, json!({"title": "x"}))),
            coded(missing, 1)
        );
    }
}

#[test]
fn writes_are_checked() {
    let house = House::new();
    // Changes to a good body, code.
    let cases = [
        (json!({"title": null}), "APP-0028"),
        (json!({"start_date": null}), "APP-0026"),
        (json!({"end_date": null}), "APP-0027"),
        (json!({"end_date": 0}), "APP-0020"),
        (json!({"color_label": 11}), "APP-0021"),
        (json!({"recurrence_type": 2, "interval": 1}), "APP-0088"),
        (json!({"recurrence_type": 1, "interval": 1, "until": 0}), "APP-0086"),
        (
            json!({"recurrence_type": 1, "interval": 1, "until": JAN_29, "occurrences": 3}),
            "APP-0095",
        ),
        (
            json!({"private_flag": true, "participants": [{"id": 3, "type": 1}, {"id": 4, "type": 1}]}),
            "APP-0023",
        ),
        (json!({"participants": [{"type": 5}]}), "APP-0008"),
        (json!({"title": "x".repeat(256)}), "APP-0072"),
        (json!({"folder_id": 34}), "APP-0054"),
    ];
    for (changes, code) in cases {
        let mut body = dentist();
        body.as_object_mut()
            .expect("an object")
            .extend(changes.as_object().expect("an object").clone());
        assert_eq!(
            house.anton.put("calendar?action=new&timezone=UTC", body)["code"],
            code,
            "{changes}"
        );
    }
}

#[test]
fn times_without_full_time_are_times() {
    let house = House::new();
    let holiday = house
        .standin
        .web("anton")
        .create_appointment(json!({"title": "x", "start_date": FEB_1, "end_date": FEB_1 + DAY, "full_time": true}));
    // Without full_time the value is read as a Time: an hour less, and so the day before.
    house.anton.put(
        &format!("calendar?action=update&id={holiday}&folder=31&timestamp={NOW}"),
        json!({"start_date": FEB_1}),
    );
    let stored = house
        .standin
        .web("anton")
        .object(Module::Calendar, holiday)
        .expect("it");
    assert_eq!(stored["start_date"], FEB_1 - DAY);
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
fn moves_leave_a_tombstone_and_series_stay() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let target = anton.create_folder("1", "Zwei", "calendar");
    let (single, series) = (anton.create_appointment(dentist()), anton.create_appointment(team()));
    house.later(1);
    assert_eq!(
        update(&house.anton, single, NOW, json!({"folder_id": target}))["data"]["id"],
        single
    );
    assert_eq!(
        error(&update(&house.anton, series, NOW, json!({"folder_id": target}))),
        coded("APP-0034", 1)
    );
    let updates = |folder: &str| {
        house.anton.get(&format!(
            "calendar?action=updates&folder={folder}&timestamp={NOW}&recurrence_master=true&columns=1"
        ))["data"]
            .clone()
    };
    assert_eq!((updates("31"), updates(&target)), (json!([single]), json!([[single]])));
}

#[test]
fn private_appointments_of_others_are_hidden_or_anonymous() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.update_folder("31", json!({"permissions": [{"entity": 3, "group": false, "bits": 403_710_016}, {"entity": 4, "group": false, "bits": 257}]}));
    let mut body = dentist();
    body["private_flag"] = json!(true);
    body["location"] = json!("Praxis");
    let id = anton.create_appointment(body);
    let berta = Client::login(&house.running, "berta");
    let call = format!("calendar?action=all&folder=31&{FAR}&columns=1,200,400");
    assert_eq!(berta.get(&call)["data"], json!([]));
    assert_eq!(
        berta.get(&format!("{call}&showPrivate=true"))["data"],
        json!([[id, "Private", null]])
    );
    let got = berta.get(&format!("calendar?action=get&id={id}&folder=31"))["data"].clone();
    assert!(got["title"] == "Private" && got.get("participants").is_none(), "{got}");
    let busy = berta.get("calendar?action=freebusy&id=3&type=1&start=0&end=2208988800000&timezone=UTC")["data"].clone();
    assert_eq!(
        busy,
        json!([{"start_date": TUESDAY, "end_date": TUESDAY + HOUR, "full_time": false, "shown_as": 1}])
    );
}

#[test]
fn the_emulation_knows_less() {
    let house = House::with(Standin::builder().profile(Profile::V7_10));
    let mut body = dentist();
    body["shown_as"] = json!(3);
    body["private_flag"] = json!(true);
    let id = house.standin.web("anton").create_appointment(body);
    assert_eq!(all(&house, "101,402"), json!([[null, 1]]));
    assert_eq!(
        house.anton.get(&format!("calendar?action=get&id={id}&folder=31"))["data"]["private_flag"],
        true
    );
    let shared = house.standin.web("anton").create_appointment(
        json!({"title": "x", "start_date": FEB_1, "end_date": FEB_1 + HOUR, "participants": [{"id": 4, "type": 1}]}),
    );
    let berta = Client::login(&house.running, "berta");
    let call = format!("calendar?action=update&id={shared}&folder=41&timestamp={NOW}");
    assert_eq!(error(&berta.put(&call, json!({"title": "mine"}))), coded("CAL-4038", 3));
    assert_eq!(berta.put(&call, json!({"alarm": 5}))["data"]["id"], shared);
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
fn an_empty_folder_has_the_timestamp_zero_and_uids_are_found() {
    let house = House::new();
    assert_eq!(
        house
            .anton
            .get(&format!("calendar?action=all&folder=31&{FAR}&columns=1")),
        json!({"data": [], "timestamp": 0})
    );
    let mut body = dentist();
    body["uid"] = json!("c0ffee");
    let id = house.standin.web("anton").create_appointment(body);
    assert_eq!(
        house.anton.get("calendar?action=resolveuid&uid=c0ffee")["data"],
        json!({"id": id})
    );
    assert_eq!(house.anton.get("calendar?action=resolveuid&uid=none")["category"], 1);
}

#[test]
fn files_at_an_appointment_change_its_stamp() {
    let house = House::new();
    let id = house.standin.web("anton").create_appointment(dentist());
    house.later(10);
    let json = json!({"folder": 31, "attached": id, "module": 1, "filename": "a.txt"}).to_string();
    let parts: &[(&str, Option<&str>, &str, &[u8])] = &[
        ("json_0", None, "text/plain", json.as_bytes()),
        ("file_0", Some("x.txt"), "text/plain", b"content"),
    ];
    let attached = house.anton.upload("attachment?action=attach", parts).callback("attach");
    assert_eq!(attached, json!({"data": [1], "timestamp": NOW + 10}));
    let target = format!("module=1&attached={id}&folder=31");
    let rows = house.anton.get(&format!(
        "attachment?action=all&{target}&columns=1,803,804,805&timezone=UTC"
    ));
    assert_eq!(rows["data"], json!([[1, "a.txt", 7, "text/plain"]]));
    assert_eq!(
        house
            .anton
            .fetch(&format!("attachment?action=document&{target}&id=1"))
            .text(),
        "content"
    );
    assert_eq!(
        error(&update(&house.anton, id, NOW, json!({"title": "x"}))),
        coded("OX-0001", 9)
    );
    assert_eq!(all(&house, "104,105,6"), json!([[1, NOW + 10, NOW + 10]]));
    house.later(1);
    assert_eq!(
        house
            .anton
            .put(&format!("attachment?action=detach&{target}"), json!([1])),
        json!({"data": "", "timestamp": NOW + 11})
    );
    assert_eq!(all(&house, "104"), json!([[0]]));
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
