//! Tasks: the transcript, the rules of status and percentage, series.

use crate::client::House;
use crate::client::NOW;
use crate::client::coded;
use crate::client::error;
use ox_standin::Module;
use ox_standin::Profile;
use ox_standin::Standin;
use serde_json::Value;
use serde_json::json;

fn task() -> Value {
    json!({"folder_id": 34, "title": "Steuer", "status": 1, "percent_completed": 0, "priority": 3,
        "start_date": 1_704_067_200_000_i64, "end_date": 1_704_672_000_000_i64, "alarm": 1_704_610_800_000_i64})
}

#[test]
fn the_transcript() {
    let house = House::new();
    let gone = house.standin.web("anton").create_task(json!({"title": "alt"}));
    let before = house.later(1000);
    let new = house.anton.put("tasks?action=new&timezone=UTC", task());
    let id = new["data"]["id"].as_u64().expect("an id");
    assert_eq!(new, json!({"data": {"id": id}, "timestamp": before}));
    house.later(1000);
    let done = json!({"status": 3, "percent_completed": 100, "date_completed": 1_704_300_000_000_i64});
    let update = house.anton.put(
        &format!("tasks?action=update&id={id}&folder=34&timestamp={before}&timezone=UTC"),
        done,
    );
    assert_eq!(update, json!({"data": {}, "timestamp": before + 1000}));
    house.later(500);
    house.standin.web("anton").delete(Module::Tasks, 34, gone);
    let updates = format!("tasks?action=updates&folder=34&timestamp={before}&columns=1,20,6,300&timezone=UTC");
    let row = json!([id, 34, before + 1000, 3]);
    assert_eq!(
        house.anton.get(&format!("{updates}&ignore=false")),
        json!({"data": [row, gone], "timestamp": before + 1500})
    );
    assert_eq!(
        house.anton.get(&updates)["data"],
        json!([row]),
        "deletions are hidden by default"
    );
    let delete = house.anton.put(
        &format!("tasks?action=delete&timestamp={}", before + 1000),
        json!({"id": id, "folder": 34}),
    );
    assert_eq!(delete, json!({"data": [], "timestamp": before + 1000}));
}

#[test]
fn status_and_percentage_must_agree() {
    let house = House::new();
    // Fields, code.
    let cases = [
        (json!({"status": 1, "percent_completed": 10}), "TSK-0031"),
        (json!({"status": 3, "percent_completed": 50}), "TSK-0038"),
        (json!({"status": 2, "percent_completed": 101}), "TSK-0030"),
        (json!({"priority": 9}), "TSK-0057"),
        (json!({"start_date": 86_400_000, "end_date": 0}), "TSK-0040"),
        (json!({"recurrence_type": 1, "interval": 1, "end_date": 0}), "TSK-0036"),
        (
            json!({"recurrence_type": 1, "interval": 1, "start_date": 0}),
            "TSK-0037",
        ),
    ];
    for (mut fields, code) in cases {
        fields["folder_id"] = json!(34);
        assert_eq!(
            house.anton.put("tasks?action=new", fields.clone())["code"],
            code,
            "{fields}"
        );
    }
}

#[test]
fn a_stale_timestamp_is_a_conflict_and_a_missing_task_an_error() {
    let house = House::new();
    let id = house.standin.web("anton").create_task(task());
    let update = |id: u32, timestamp: i64| {
        house.anton.put(
            &format!("tasks?action=update&id={id}&folder=34&timestamp={timestamp}"),
            json!({"title": "x"}),
        )
    };
    assert_eq!(error(&update(id, NOW - 1)), coded("TSK-0007", 9));
    assert_eq!(error(&update(999, NOW)), coded("TSK-0019", 8));
    assert_eq!(update(id, NOW)["data"], json!({}));
}

#[test]
fn days_are_dates_and_alarms_are_times() {
    let house = House::new();
    let new = house.anton.put("tasks?action=new", task());
    let id = new["data"]["id"].clone();
    let stored = house.standin.web("anton").object(Module::Tasks, 1).expect("the task");
    assert_eq!(stored["start_date"], 1_704_067_200_000_i64);
    assert_eq!(stored["alarm"], 1_704_607_200_000_i64, "taken back by an hour");
    let get = house.anton.get(&format!("tasks?action=get&id={id}&folder=34"));
    assert_eq!(get["data"]["alarm"], 1_704_610_800_000_i64);
    assert_eq!(get["data"]["last_modified"], NOW + 3_600_000);
    assert_eq!(get["data"]["last_modified_utc"], NOW);
    assert_eq!(
        (&get["data"]["full_time"], &get["data"]["start_time"]),
        (&json!(true), &get["data"]["start_date"])
    );
    let old = House::with(Standin::builder().profile(Profile::V6_20));
    old.anton.put("tasks?action=new", task());
    let get = old.anton.get("tasks?action=get&id=1&folder=34");
    assert!(
        get["data"].get("start_time").is_none() && get["data"].get("full_time").is_none(),
        "{get}"
    );
}

#[test]
fn a_done_instance_leaves_the_next_one() {
    let house = House::new();
    let mut weekly = task();
    weekly["recurrence_type"] = json!(2);
    weekly["interval"] = json!(1);
    weekly["days"] = json!(2);
    let id = house.standin.web("anton").create_task(weekly);
    let since = house.standin.clock().now();
    house.later(10);
    let done = json!({"status": 3, "percent_completed": 100});
    house.anton.put(
        &format!("tasks?action=update&id={id}&folder=34&timestamp={since}"),
        done,
    );
    let updates = house.anton.get(&format!(
        "tasks?action=updates&folder=34&timestamp={since}&columns=1,209,300,201,204&timezone=UTC"
    ));
    let next = id + 1;
    assert_eq!(
        updates["data"],
        json!([
            [id, 0, 3, 1_704_067_200_000_i64, 1_704_610_800_000_i64],
            [next, 2, 1, 1_704_672_000_000_i64, 1_705_215_600_000_i64],
        ])
    );
}

#[test]
fn moves_leave_a_tombstone() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let target: u32 = anton.create_folder("1", "Zwei", "tasks").parse().expect("a number");
    let id = anton.create_task(task());
    let since = house.standin.clock().now();
    house.later(5);
    house.anton.put(
        &format!("tasks?action=update&id={id}&folder=34&timestamp={since}"),
        json!({"folder_id": target}),
    );
    let updates = |folder: u32| {
        house.anton.get(&format!(
            "tasks?action=updates&folder={folder}&timestamp={since}&columns=1&ignore=false"
        ))["data"]
            .clone()
    };
    assert_eq!((updates(34), updates(target)), (json!([id]), json!([[id]])));
}

#[test]
fn old_servers_delete_single_objects_only() {
    let house = House::with(Standin::builder().profile(Profile::V6_20));
    let id = house.standin.web("anton").create_task(task());
    let body = json!({"id": id, "folder": 34});
    let call = format!("tasks?action=delete&timestamp={NOW}");
    assert_eq!(house.anton.put(&call, json!([body]))["code"], "SVL-0009");
    assert_eq!(house.anton.put(&call, body)["data"], json!([]));
}

#[test]
fn ids_may_be_texts() {
    let house = House::with(Standin::builder().ids_as_text());
    let new = house.anton.put("tasks?action=new", task());
    assert_eq!(new["data"]["id"], "1");
    house.later(1);
    house.standin.web("anton").delete(Module::Tasks, 34, 1);
    let updates = house
        .anton
        .get("tasks?action=updates&folder=34&timestamp=0&columns=1&ignore=false");
    assert_eq!(updates["data"], json!(["1"]));
}
