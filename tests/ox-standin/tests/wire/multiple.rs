//! `multiple`: order, errors inside, what is not possible.

use crate::client::House;
use serde_json::json;

#[test]
fn answers_come_in_order_each_with_its_envelope() {
    let house = House::new();
    let entries = json!([
        {"module": "calendar", "action": "updates", "folder": "31", "timestamp": 1_700_000_012_000_i64, "columns": "1", "recurrence_master": "true", "timezone": "UTC"},
        {"module": "tasks", "action": "updates", "folder": 34, "timestamp": 1_700_000_021_500_i64, "columns": "1", "ignore": "false"},
        {"module": "folders", "action": "get", "id": "default0/INBOX", "tree": "0"},
        {"module": "tasks", "action": "new", "data": {"folder_id": 34, "title": "x"}},
    ]);
    let answers = house.anton.put("multiple?continue=true", entries);
    assert_eq!(answers[0], json!({"data": [], "timestamp": 1_700_000_012_000_i64}));
    assert_eq!(answers[1], json!({"data": [], "timestamp": 1_700_000_021_500_i64}));
    let inbox = &answers[2]["data"];
    assert_eq!(
        (&inbox["title"], &inbox["standard_folder_type"], &inbox["total"]),
        (&json!("Posteingang"), &json!(7), &json!(0))
    );
    assert_eq!(answers[3]["data"], json!({"id": 1}));
    let calls = house.standin.calls();
    assert_eq!((calls.of("multiple", ""), calls.of("tasks", "updates")), (1, 1));
    assert_eq!(calls.requests, 2, "login and one request");
}

#[test]
fn without_continue_the_first_error_ends_it() {
    let house = House::new();
    let entries = json!([
        {"module": "config/timezone"},
        {"module": "tasks", "action": "get", "folder": 34, "id": 9},
        {"module": "login", "action": "login"},
        {"module": "config/timezone"},
    ]);
    let short = house.anton.put("multiple", entries.clone());
    assert_eq!(short.as_array().map(Vec::len), Some(2));
    let long = house.anton.put("multiple?continue=true", entries);
    assert_eq!(
        (&long[1]["code"], &long[2]["code"]),
        (&json!("TSK-0019"), &json!("SVL-0006"))
    );
    assert_eq!(long[3], json!({"data": "Europe/Berlin"}));
}

#[test]
fn a_bad_session_is_an_object_and_a_bad_body_is_400() {
    let house = House::new();
    assert_eq!(house.anton.put_bytes("multiple", b"{}").status, 400);
    let mut stranger = house.anton.clone();
    stranger.session = "dead".to_owned();
    assert_eq!(stranger.put("multiple", json!([]))["code"], "SES-0203");
}
