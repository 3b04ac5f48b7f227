//! Faults on request, and the administrator's door.

use crate::client::Client;
use crate::client::House;
use crate::client::coded;
use crate::client::error;
use ox_standin::Fault;
use ox_standin::Module;
use serde_json::json;
use std::time::Duration;
use std::time::Instant;

const CALL: &str = "tasks?action=all&folder=34&columns=1";

#[test]
fn each_fault_hits_once() {
    let house = House::new();
    let faults = house.standin.faults();
    faults.next(Fault::Status(503));
    assert_eq!(house.anton.fetch(CALL).status, 503);
    faults.next(Fault::RateLimited(7));
    let limited = house.anton.fetch(CALL);
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    faults.next(Fault::HtmlPage);
    let page = house.anton.fetch(CALL);
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=UTF-8"))
    );
    faults.next(Fault::TruncatedJson);
    assert!(serde_json::from_slice::<serde_json::Value>(&house.anton.fetch(CALL).body).is_err());
    faults.next(Fault::LeadingBlank);
    assert!(house.anton.fetch(CALL).text().starts_with(' '));
    faults.next(Fault::error("MSG-0074", 6));
    assert_eq!(error(&house.anton.get(CALL)), coded("MSG-0074", 6));
    faults.next(Fault::Warning {
        code: "FLD-1034".to_owned(),
        category: 3,
    });
    let warned = house.anton.get(CALL);
    assert_eq!((error(&warned), &warned["data"]), (coded("FLD-1034", 13), &json!([])));
    assert!(house.standin.faults().are_spent());
    assert_eq!(house.anton.get(CALL)["data"], json!([]));
}

#[test]
fn connections_break_before_or_after_the_work() {
    let house = House::new();
    let call = format!("tasks?action=new&session={}", house.anton.session);
    let body = json!({"folder_id": 34, "title": "x"}).to_string();
    // Fault, tasks afterwards.
    for (fault, tasks) in [(Fault::Reset, 0), (Fault::LoseAnswer, 1)] {
        house.standin.faults().nth(1, "tasks", "new", fault.clone());
        assert!(
            house.anton.send("PUT", &call, "", body.as_bytes()).is_err(),
            "{fault:?}"
        );
        assert_eq!(
            house.standin.web("anton").objects(Module::Tasks, 34).len(),
            tasks,
            "{fault:?}"
        );
    }
    let calls = house.standin.calls();
    assert_eq!(calls.of("tasks", "new"), 2);
    assert!(calls.text().contains("0 tasks?new"), "{}", calls.text());
}

#[test]
fn a_timeout_keeps_the_client_waiting_and_the_server_stoppable() {
    let house = House::new();
    house.standin.faults().next(Fault::Timeout);
    let client = house.anton.clone();
    let waiting = std::thread::spawn(move || client.send("GET", CALL, "", b"").is_err());
    let deadline = Instant::now() + Duration::from_secs(5);
    while house.standin.calls().of("tasks", "all") == 0 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    drop(house);
    assert!(waiting.join().expect("no panic"));
}

#[test]
fn a_delay_is_only_a_delay() {
    let house = House::new();
    house.standin.faults().next(Fault::Delay(Duration::from_millis(30)));
    let begin = Instant::now();
    assert_eq!(house.anton.get(CALL)["data"], json!([]));
    assert!(begin.elapsed() >= Duration::from_millis(30));
}

#[test]
fn an_expired_session_stays_expired() {
    let house = House::new();
    house.standin.faults().nth(2, "tasks", "all", Fault::SessionExpired);
    assert_eq!(house.anton.get(CALL)["data"], json!([]));
    assert_eq!(house.anton.get(CALL)["code"], "SES-0203");
    assert_eq!(house.anton.get(CALL)["code"], "SES-0203");
    assert_eq!(Client::login(&house.running, "anton").get(CALL)["data"], json!([]));
}

#[test]
fn entries_of_multiple_are_hit_too() {
    let house = House::new();
    let entry = json!({"module": "tasks", "action": "all", "folder": 34, "columns": "1"});
    let body = json!([entry, entry, entry]);
    house
        .standin
        .faults()
        .nth(2, "tasks", "all", Fault::error("OX-0001", 9));
    let answers = house.anton.put("multiple?continue=true", body.clone());
    assert_eq!(answers[1]["code"], "OX-0001");
    assert_eq!(answers[2]["data"], json!([]));
    house.standin.faults().always("tasks", "*", Fault::Status(502));
    assert_eq!(
        house.anton.put_bytes("multiple", body.to_string().as_bytes()).status,
        502
    );
    house.standin.faults().clear();
    assert_eq!(house.anton.get(CALL)["data"], json!([]));
}

#[test]
fn a_change_may_appear_later_than_its_stamp() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let first = anton.create_task(json!({"title": "one"}));
    house.standin.clock().set_stamp_lag(50);
    let second = anton.create_task(json!({"title": "two"}));
    let stamp = |id| anton.object(Module::Tasks, id).expect("the task")["last_modified"].as_i64();
    assert_eq!(stamp(second), stamp(first).map(|stamp| stamp - 50));
}

#[test]
fn the_administrators_door() {
    let house = House::new();
    let client = Client::new(&house.running);
    let post = |command: &str, body: &[u8]| client.send("POST", command, "", body).expect("an answer");
    assert_eq!(
        post("/standin/mail?user=anton&folder=default0/INBOX", b"Subject: x\r\n\r\nx").json(),
        json!({"data": "1"})
    );
    assert_eq!(
        post("/standin/object?user=anton&module=tasks", br#"{"title":"x"}"#).json(),
        json!({"data": 1})
    );
    assert_eq!(post("/standin/mail?user=nobody", b"x").status, 400);
    assert_eq!(post("/standin/mail?folder=default0/No", b"x").status, 400);
    assert_eq!(post("/standin/object?module=tasks", b"[]").status, 400);
    post(
        "/standin/faults",
        br#"{"fault":"status","status":500,"module":"tasks","action":"all"}"#,
    );
    assert_eq!(house.anton.fetch(CALL).status, 500);
    assert_eq!(post("/standin/faults", br#"{"fault":"earthquake"}"#).status, 400);
    let calls = client.send("GET", "/standin/calls", "", b"").expect("an answer").json();
    assert_eq!(calls["data"]["by_action"]["tasks?all"], 1);
    post("/standin/sessions/expire", b"");
    assert_eq!(house.anton.get(CALL)["code"], "SES-0203");
    let now = post("/standin/clock", br#"{"advance":1000}"#).json();
    assert_eq!(now["data"], crate::client::NOW + 1000);
}

#[test]
fn a_ghost_is_listed_and_not_there() {
    let house = House::new();
    let web = house.standin.web("anton");
    for (module, fields) in [
        (Module::Contacts, json!({"last_name": "x"})),
        (Module::Tasks, json!({"title": "x"})),
        (
            Module::Calendar,
            json!({"title": "x", "start_date": 0, "end_date": 3_600_000}),
        ),
    ] {
        let (name, folder) = (module.name(), web.default_folder(module));
        let id = web.create(module, fields);
        house.standin.faults().haunt(module, id);
        let all =
            format!("{name}?action=all&folder={folder}&columns=1&start=0&end=4102444800000&recurrence_master=true");
        assert_eq!(house.anton.get(&all)["data"], json!([[id]]), "{name}");
        let get = format!("{name}?action=get&folder={folder}&id={id}");
        assert!(house.anton.get(&get)["data"].is_null(), "{name}");
        let list = house.anton.put(
            &format!("{name}?action=list&columns=1"),
            json!([{"id": id, "folder": folder}]),
        );
        assert_eq!(list["data"], json!([]), "{name}");
        house.standin.faults().lay(module, id);
        assert!(house.anton.get(&get)["data"].is_object(), "{name}");
    }
}
