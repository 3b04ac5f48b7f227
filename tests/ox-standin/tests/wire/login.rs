//! Login, cookies, session errors, config.

use crate::client::Client;
use crate::client::House;
use crate::client::NOW;
use crate::client::coded;
use crate::client::error;
use ox_standin::Profile;
use ox_standin::Standin;
use serde_json::Value;
use serde_json::json;

#[test]
fn success_is_not_wrapped_and_cookies_are_secure() {
    let house = House::new();
    let mut client = Client::new(&house.running);
    let reply = client.try_login("name=anton&password=secret&client=USM-EAS&version=1.0");
    let answer = reply.json();
    assert_eq!(
        (&answer["user"], &answer["user_id"], &answer["context_id"]),
        (&json!("anton"), &json!(3), &json!(1))
    );
    assert_eq!(answer["locale"], "de_DE");
    assert_eq!(answer["session"].as_str().map(str::len), Some(32));
    assert!(answer.get("data").is_none());
    let cookies: Vec<&str> = reply
        .head
        .lines()
        .filter(|line| line.starts_with("set-cookie"))
        .collect();
    assert!(
        cookies[0].contains("JSESSIONID=") && cookies[0].contains(".OX1"),
        "{cookies:?}"
    );
    assert!(
        cookies[1].contains("open-xchange-secret-") && cookies[1].ends_with("; Secure"),
        "{cookies:?}"
    );
    assert_eq!(reply.header("content-type"), Some("text/javascript; charset=UTF-8"));
}

#[test]
fn failures_are_wrapped_with_status_200() {
    let house = House::new();
    let mut client = Client::new(&house.running);
    // Form, code, category.
    let cases = [
        ("name=anton&password=wrong", "LGI-0006", 1),
        ("name=nobody&password=secret", "LGI-0006", 1),
        ("", "SVL-0002", 8),
    ];
    for (form, code, category) in cases {
        let reply = client.try_login(form);
        assert_eq!(reply.status, 200);
        assert_eq!(error(&reply.json()), coded(code, category), "{form}");
    }
    let in_url = client
        .send("POST", "login?action=login&name=anton&password=secret", "", b"")
        .expect("an answer");
    assert_eq!(in_url.json()["code"], "SVL-0004");
    client.try_login("name=anton&password=secret&authId=a");
    assert_eq!(
        client.try_login("name=anton&password=secret&authId=a").json()["code"],
        "SES-0008"
    );
}

#[test]
fn old_servers_take_passwords_in_the_url_and_name_no_context() {
    let house = House::with(Standin::builder().profile(Profile::V6_20));
    let client = Client::new(&house.running);
    let answer = client
        .send("GET", "login?action=login&name=anton&password=secret", "", b"")
        .expect("an answer")
        .json();
    assert_eq!(answer["user_id"], 3);
    assert!(
        answer.get("context_id").is_none() && answer.get("random").is_some(),
        "{answer}"
    );
}

#[test]
fn sessions_are_bound_to_cookies_agent_and_address() {
    let house = House::new();
    let call = "folders?action=root&columns=1";
    let change = |change: &dyn Fn(&mut Client)| {
        let mut client = Client::login(&house.running, "anton");
        change(&mut client);
        client.get(call)
    };
    assert_eq!(
        error(&change(&|client| client.session = "dead".to_owned())),
        coded("SES-0203", 4)
    );
    assert_eq!(
        error(&change(&|client| client.agent = "Other".to_owned())),
        coded("SES-0206", 4)
    );
    assert_eq!(
        error(&change(&|client| client.cookies.retain(|name, _| name == "JSESSIONID"))),
        coded("SES-0206", 4)
    );
    assert_eq!(
        error(&change(&|client| drop(client.cookies.remove("JSESSIONID")))),
        coded("SES-0203", 4)
    );
    let reply = house
        .anton
        .send("GET", &format!("/ajax/{call}"), "", b"")
        .expect("an answer");
    assert_eq!(reply.json()["code"], "SES-0201");

    let mut moved = house.anton.clone();
    moved
        .headers
        .push(("X-Standin-Address".to_owned(), "10.0.0.9".to_owned()));
    assert_eq!(error(&moved.get(call)), coded("SES-0205", 3));
    assert_eq!(house.anton.get(call)["code"], "SES-0203", "the session is gone");
}

#[test]
fn session_errors_are_pages_for_who_takes_no_json() {
    let house = House::new();
    let mut client = house.anton.clone();
    client.session = "dead".to_owned();
    // Accept, status.
    let cases = [
        ("text/html", 403),
        ("*/*", 200),
        ("text/html, application/json;q=0.9", 403),
        ("text/html, application/json", 200),
    ];
    for (accept, status) in cases {
        client.headers = vec![("Accept".to_owned(), accept.to_owned())];
        assert_eq!(client.fetch("folders?action=root&columns=1").status, status, "{accept}");
    }
}

#[test]
fn sessions_end_by_logout_by_age_and_by_the_administrator() {
    let house = House::new();
    let call = "config/context_id";
    assert_eq!(house.anton.get(call), json!({"data": 1}));
    let reply = house.anton.fetch("login?action=logout");
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(house.anton.get(call)["code"], "SES-0203");
    let client = Client::login(&house.running, "anton");
    house.later(3_500_000);
    assert_eq!(client.get(call), json!({"data": 1}), "each call prolongs the session");
    house.later(3_500_000);
    assert_eq!(client.get(call), json!({"data": 1}));
    house.later(3_600_001);
    assert_eq!(client.get(call)["code"], "SES-0203");
    let client = Client::login(&house.running, "anton");
    house.standin.expire_sessions();
    assert_eq!(client.get(call)["code"], "SES-0203");
    assert_eq!(
        client
            .send("GET", "login?action=logout", "", b"")
            .expect("an answer")
            .status,
        403
    );
}

#[test]
fn too_many_sessions_and_too_many_failures_are_refused() {
    let house = House::with(Standin::builder().max_sessions_per_user(2).max_login_failures(2));
    let mut client = Client::login(&house.running, "anton");
    assert_eq!(
        client.try_login("name=anton&password=secret").json()["code"],
        "SES-0007"
    );
    client.try_login("name=anton&password=wrong");
    client.try_login("name=anton&password=wrong");
    assert_eq!(client.try_login("name=anton&password=wrong").status, 429);
}

#[test]
fn the_config_tree() {
    let house = House::new();
    // Path, value: as in the transcript.
    let cases: Vec<(&str, Value)> = vec![
        ("identifier", json!(3)),
        ("timezone", json!("Europe/Berlin")),
        ("language", json!("de_DE")),
        ("folder/calendar", json!(31)),
        ("folder/contacts", json!(33)),
        ("folder/tasks", json!(34)),
        ("folder/eas", json!(true)),
        ("mail/folder/sent", json!("default0/INBOX/Sent")),
        ("modules/mail/defaultFolder/trash", json!("default0/INBOX/Trash")),
        ("mail/addresses", json!(["anton@example.com", "a.anton@example.com"])),
        ("modules/interfaces/syncml", json!(true)),
        ("serverVersion", json!("7.8.4-Rev33")),
        ("currentTime", json!(NOW + 3_600_000)),
    ];
    for (path, value) in cases {
        assert_eq!(
            house.anton.get(&format!("config/{path}")),
            json!({"data": value}),
            "{path}"
        );
    }
    assert_eq!(house.anton.get("config/modules")["data"]["calendar"]["module"], true);
    assert!(house.anton.get("config/no/such/path")["error"].is_string());
}

#[test]
fn capabilities_exist_on_newer_servers_only() {
    let house = House::new();
    let all = house.anton.get("capabilities?action=all");
    assert!(
        all["data"]
            .as_array()
            .is_some_and(|list| list.iter().any(|entry| entry["id"] == "active_sync")),
        "{all}"
    );
    assert_eq!(
        house.anton.get("capabilities?action=get&id=nonsense"),
        json!({"data": {}})
    );
    let old = House::with(Standin::builder().profile(Profile::V6_20));
    assert_eq!(old.anton.fetch("capabilities?action=all").status, 404);
}
