//! Appointments: rows and objects, conflicts, locking, times; their series and their people in modules of their own.

mod people;
mod series;

use crate::client::Client;
use crate::client::House;
use crate::client::NOW;
use crate::client::coded;
use crate::client::error;
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
