//! Rules of all modules: unknown names, methods, limits, envelopes.

use crate::client::Client;
use crate::client::House;
use ox_standin::Profile;
use ox_standin::Standin;
use serde_json::json;

#[test]
fn unknown_modules_are_404_and_unknown_actions_are_200() {
    // Profile, code of an unknown action.
    for (profile, code) in [
        (Profile::V6_20, "SVL-0001"),
        (Profile::V7_8, "SVL-0001"),
        (Profile::V7_10, "SVL-0021"),
    ] {
        let house = House::with(Standin::builder().profile(profile));
        assert_eq!(house.anton.fetch("nonsense?action=all").status, 404);
        for module in ["mail", "calendar", "tasks", "contacts", "folders", "user", "attachment"] {
            let reply = house.anton.fetch(&format!("{module}?action=nonsense"));
            assert_eq!(
                (reply.status, reply.json()["code"].as_str()),
                (200, Some(code)),
                "{module}"
            );
        }
    }
}

#[test]
fn missing_and_malformed_parameters_are_named() {
    let house = House::new();
    assert_eq!(house.anton.get("tasks?action=all&folder=34")["code"], "SVL-0002");
    assert_eq!(
        house.anton.get("tasks?action=updates&folder=34&columns=1&timestamp=x")["code"],
        "SVL-0004"
    );
    assert_eq!(
        house.anton.put_bytes("tasks?action=new", b"{\"title\"").json()["code"],
        "SVL-0009"
    );
    assert_eq!(
        house
            .anton
            .send("DELETE", "mail?action=all", "", b"")
            .expect("an answer")
            .status,
        405
    );
}

#[test]
fn absurd_numbers_are_refused_or_bounded() {
    let house = House::new();
    for number in [i64::MIN, i64::MAX] {
        let task = json!({"folder_id": 34, "title": "x", "start_date": number, "end_date": number, "alarm": number});
        assert_eq!(house.anton.put("tasks?action=new", task)["code"], "SVL-0010");
        for action in ["all", "has"] {
            let call = format!("calendar?action={action}&start={number}&end={number}&columns=1");
            assert_eq!(house.anton.get(&call)["data"], json!([]), "{call}");
        }
        let updates = format!("tasks?action=updates&folder=34&timestamp={number}&columns=1");
        assert_eq!(house.anton.get(&updates)["data"], json!([]));
    }
}

#[test]
fn agents_that_are_not_exempt_are_limited() {
    let house = House::with(Standin::builder().max_rate(2));
    let mut client = Client::new(&house.running);
    client.agent = "curl".to_owned();
    let statuses: Vec<u16> = (0..3).map(|_| client.fetch("config/timezone").status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    let limited = client.fetch("config/timezone");
    assert_eq!(limited.header("retry-after"), Some("300"));
    client.agent = "Open-Xchange USM HTTP Client".to_owned();
    assert_eq!(client.fetch("config/timezone").status, 200);
}

#[test]
fn answers_can_be_asked_for_as_page_or_function() {
    let house = House::new();
    let page = house.anton.fetch("config/context_id?respondWithHTML=true&action=x");
    assert_eq!(page.header("content-type"), Some("text/html; charset=UTF-8"));
    assert_eq!(page.callback("x"), json!({"data": 1}));
    assert_eq!(
        house.anton.fetch("config/context_id?jsonp=f").text(),
        r#"f({"data":1});"#
    );
}

#[test]
fn an_action_or_a_module_can_be_taken_away() {
    let house = House::with(
        Standin::builder()
            .without_action("folders", "allVisible")
            .without_action("mailfilter", "*"),
    );
    let all_visible = "folders?action=allVisible&content_type=calendar&columns=1";
    assert_eq!(house.anton.get(all_visible)["code"], "SVL-0001");
    assert_eq!(house.anton.fetch("mailfilter?action=list").status, 404);
}

#[test]
fn users_without_a_module_are_refused() {
    let user = ox_standin::User::new(3, "anton", "secret").without("tasks");
    let house = House::with(Standin::builder().user(user));
    assert_eq!(
        house.anton.get("tasks?action=all&folder=34&columns=1")["code"],
        "SVL-0016"
    );
    assert!(house.anton.get("config/folder/tasks")["error"].is_string());
}

#[test]
fn vacation_rules_are_kept() {
    let house = House::new();
    let rule = json!({"rulename": "vacation notice", "active": true, "flags": ["vacation"], "test": {"id": "true"},
        "actioncmds": [{"id": "vacation", "days": 7, "text": "Back on Monday"}]});
    let id = house.anton.put("mailfilter?action=new", rule)["data"].clone();
    house
        .anton
        .put("mailfilter?action=update", json!({"id": id, "active": false}));
    let rules = house.anton.get("mailfilter?action=list&flag=vacation");
    assert_eq!(rules["data"][0]["active"], false);
    assert_eq!(rules["data"][0]["rulename"], "vacation notice");
}

#[test]
fn people_are_listed() {
    let house = House::new();
    let users = house.anton.get("user?action=all&columns=1,555,610,612");
    assert_eq!(
        users["data"][1],
        json!([4, "berta@example.com", ["berta@example.com"], "en_US"])
    );
    let me = house.anton.get("user?action=get");
    assert_eq!(
        (&me["data"]["id"], &me["data"]["login_info"]),
        (&json!(3), &json!("anton"))
    );
}
