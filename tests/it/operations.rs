//! What the administrator sees: health, metrics, and a log that tells what happened and nothing about anybody.

use std::net::SocketAddr;

use oxtender::version::ProtocolVersion::V14_1;

use crate::device::CONTACTS;
use crate::device::INBOX;
use crate::device::http::Answer;
use crate::device::http::Door as _;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::items::contact;
use crate::items::mail;
use crate::world::World;
use crate::world::wait_for;

/// What the administrator's door says.
pub(crate) fn ask(world: &World, path: &str) -> Answer {
    let request = Request {
        method: "GET",
        target: path.to_owned(),
        headers: Vec::new(),
        body: None,
    };
    HttpDoor(world.admin_address()).exchange(&request).unwrap()
}

#[test]
fn health() {
    let mut world = World::start();
    let parts = |answer: &Answer| {
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        (
            answer.status,
            body["ok"] == true,
            body["ox"]["ok"] == true,
            body["database"]["ok"] == true,
        )
    };
    let told = |world: &World, line: &str| wait_for(line, || world.log().contains(line).then_some(()));
    told(&world, "Open-Xchange and the database answer");
    assert_eq!(parts(&ask(&world, "/health")), (200, true, true, true));
    world.stop_ox();
    assert_eq!(parts(&ask(&world, "/health")), (503, false, false, true));
    world.start_ox();
    assert_eq!(parts(&ask(&world, "/health")), (200, true, true, true));
    assert_eq!(ask(&world, "/other").status, 404);
    let body: serde_json::Value = serde_json::from_slice(&ask(&world, "/health").body).unwrap();
    assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    let address = |door: &str| {
        body["listeners"][door][0]
            .as_str()
            .unwrap()
            .parse::<SocketAddr>()
            .unwrap()
    };
    assert_eq!(
        (address("ajp"), address("admin")),
        (world.ajp_address(), world.admin_address())
    );
    assert_eq!(body["configuration"], serde_json::json!({ "ok": true }));
    // The log hears of what changes, and once.
    told(&world, "ox is well again");
    assert_eq!(world.log().matches("ox is not well: POST http://").count(), 1);
}

/// What the administrator was told at the start stands there, too.
#[test]
fn health_tells_of_unknown_options() {
    let world = World::plan().property("no_such_key", "1").start().unwrap();
    let body: serde_json::Value = serde_json::from_slice(&ask(&world, "/health").body).unwrap();
    let warning = body["configuration"]["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("unknown option com.openexchange.usm.no_such_key"),
        "{warning}"
    );
    assert_eq!(
        (&body["ok"], &body["configuration"]["ok"]),
        (&true.into(), &true.into())
    );
}

#[test]
fn metrics_count_requests() {
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    device.link.password = "wrong".to_owned();
    let request = device.sync_request(&[&folder]);
    assert_eq!(device.link.exchange(&request).status, 401);
    let text = wait_for("the error", || {
        let text = String::from_utf8(ask(&world, "/metrics").body).unwrap();
        Some(text).filter(|text| text.contains("oxtender_errors_total{fault=\"user\"} 1"))
    });
    for command in ["Provision", "FolderSync", "Sync"] {
        let counted = text
            .lines()
            .any(|line| !line.starts_with('#') && line.contains(&format!("\"{command}\"")));
        assert!(counted, "{command}:\n{text}");
    }
}

/// One line a request, with the names of user, device and command; never a password, never content.
#[test]
fn the_log_keeps_secrets() {
    let world = World::start();
    let anton = world.anton();
    anton.change_password("Pass-w0rd");
    anton.receive(&mail("Subject-of-mail", "Text-of-mail"));
    let mut device = world.device(V14_1);
    device.link.password = "Pass-w0rd".to_owned();
    device.set_up();
    let (inbox, contacts) = (device.folder(INBOX), device.folder(CONTACTS));
    device.sync(&inbox);
    device.add(&contacts, contact("Firstname", "Lastname"));
    device.sync(&contacts);
    device.send_mail("id-1", &mail("Subject-of-sent", "Text-of-sent"));
    let is_told = |line: &str| line.contains("anton phone1 SendMail 14.1 from=") && line.contains(" http=200 ");
    // The line comes by another way than the answer, and perhaps later.
    let log = wait_for("the line of the request", || {
        Some(world.log()).filter(|log| log.lines().any(is_told))
    });
    assert_eq!(log.lines().filter(|line| is_told(line)).count(), 1, "{log}");
    let encoded = device.link.authorization();
    for secret in [
        "Pass-w0rd",
        &encoded[6..],
        "-of-mail",
        "-of-sent",
        "Firstname",
        "Lastname",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
