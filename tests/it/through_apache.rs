//! The way of real installations: phone, Apache with mod_proxy_ajp, gateway.

use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;

use crate::apache;
use crate::apache::Apache;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Connection;
use crate::device::http::Door;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::device::link::Query;
use crate::items::mail;
use crate::versions::core;
use crate::world::World;
use crate::world::wait_for;

/// A phone behind Apache.
fn device(world: &World, apache: &Apache, version: ProtocolVersion) -> Device {
    let mut device = world.device(version);
    device.link.door = Arc::new(HttpDoor(apache.address));
    device
}

#[test]
fn the_core_scenario() {
    for (version, query) in [(V2_5, Query::Plain), (V14_1, Query::Plain), (V16_1, Query::Base64)] {
        let world = World::start();
        let Some(apache) = Apache::start(world.ajp_address(), "timeout=3700") else {
            return;
        };
        let mut device = device(&world, &apache, version);
        device.link.query = query;
        core(&world, &mut device);
    }
}

/// Phones that write the path in letters of another case get through by the line that is shipped for them.
#[test]
fn letter_case() {
    let world = World::start();
    let lines = apache::shipped("ajp.conf", world.ajp_address());
    let with_line: Vec<&str> = lines
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(line) if line.contains("(microsoft-server-activesync") => line,
            _ => line,
        })
        .collect();
    let (without, with) = (Apache::with_line(&lines), Apache::with_line(&with_line.join("\n")));
    let (Some(without), Some(with)) = (without, with) else {
        return;
    };
    for (path, alone) in [
        ("/Microsoft-Server-ActiveSync", 200),
        ("/Microsoft-Server-ActiveSync/", 200),
        ("/Microsoft-Server-ActiveSync/default.eas", 200),
        ("/microsoft-server-activesync", 403),
        ("/MICROSOFT-SERVER-ACTIVESYNC/Default.eas", 403),
    ] {
        let request = Request {
            target: path.to_owned(),
            ..world.device(V14_1).link.options()
        };
        let status = |apache: &Apache| HttpDoor(apache.address).exchange(&request).unwrap().status;
        assert_eq!((status(&without), status(&with)), (alone, 200), "{path}");
    }
}

/// Old devices do not read chunks; Apache keeps the length of an answer when it is told to trust it.
#[test]
fn answers_have_a_length() {
    let world = World::start();
    let gateway = world.ajp_address();
    let Some(apache) = Apache::with_line(&format!(
        "SetEnv ap_trust_cgilike_cl 1\n\
         ProxyPass /Microsoft-Server-ActiveSync ajp://{gateway}/Microsoft-Server-ActiveSync smax=0 ttl=60 retry=5"
    )) else {
        return;
    };
    let device = device(&world, &apache, V14_1);
    let request = device.link.wbxml("FolderSync", &device.folder_sync_request());
    let answer = device.link.exchange(&request);
    let length = answer.body.len().to_string();
    assert_eq!(
        (answer.header("Content-Length"), answer.header("Transfer-Encoding")),
        (Some(length.as_str()), None)
    );
}

/// The same handler behind plain HTTP.
#[test]
fn the_http_door() {
    let world = World::start();
    let mut device = world.device(V14_1);
    device.link.door = world.http();
    core(&world, &mut device);
}

#[test]
fn a_secret() {
    let world = World::plan().secret("sesame").start().unwrap();
    let Some(friend) = Apache::start(world.ajp_address(), "secret=sesame") else {
        return;
    };
    device(&world, &friend, V14_1).set_up();
    for options in ["", "secret=wrong"] {
        let Some(stranger) = Apache::start(world.ajp_address(), options) else {
            return;
        };
        let request = world.device(V14_1).link.options();
        assert_eq!(
            HttpDoor(stranger.address).exchange(&request).unwrap().status,
            403,
            "{options:?}"
        );
    }
    device(&world, &friend, V14_1).set_up();
}

/// Three megabytes go through in hundreds of packets, and come out as they went in.
#[test]
fn a_large_message() {
    let world = World::start();
    let Some(apache) = Apache::start(world.ajp_address(), "") else {
        return;
    };
    let anton = world.anton();
    let line = "A line of text that is neither short nor long, number ";
    let text: String = (0..50_000).map(|number| format!("{line}{number}\r\n")).collect();
    let message = mail("large", &text);
    for (count, version) in [V2_5, V14_1].into_iter().enumerate() {
        let device = device(&world, &apache, version);
        device.send_mail("large-1", &message);
        let sent = anton.sent();
        assert_eq!(sent.len(), count + 1);
        let raw = String::from_utf8_lossy(&sent[count].raw);
        assert!(
            raw.contains(&format!("{line}0\r\n")) && raw.contains(&format!("{line}49999\r\n")),
            "{version}"
        );
        assert_eq!(raw.matches(line).count(), 50_000, "{version}");
    }
    // And back: one answer of megabytes, in chunks that fit into packets.
    anton.receive(&message);
    let mut device = device(&world, &apache, V14_1);
    device.set_up();
    let inbox = device.folder(INBOX);
    device.collection(&inbox).options = crate::device::commands::body_preference(V14_1, 1, None);
    device.sync(&inbox);
    let item = device.items(&inbox).values().next().unwrap();
    assert!(
        crate::items::property(item, oxtender::wbxml::codepage::airsyncbase::BODY).contains(&format!("{line}49999"))
    );
}

/// A refusal leaves the body of its request unread; the requests behind it on the same connections are good.
#[test]
fn a_refusal_with_an_unread_body() {
    let world = World::start();
    let Some(apache) = Apache::start(world.ajp_address(), "max=1") else {
        return;
    };
    let mut phone = device(&world, &apache, V14_1);
    let bodies = [10, 8_186, 8_187, 20_000, 200_000];
    let mut connection = Connection::open(apache.address).unwrap();
    for size in bodies {
        let body = mail("refused", &"x".repeat(size));
        phone.link.password = "wrong".to_owned();
        let refused = phone.send_mail_request("refused", &body);
        let answer = connection.exchange(&refused).unwrap();
        assert_eq!(answer.status, 401, "{size}");
        assert!(answer.header("WWW-Authenticate").is_some());
        phone.link.password = "secret".to_owned();
        let answer = connection.exchange(&phone.link.options()).unwrap();
        assert_eq!(answer.status, 200, "the request after a body of {size}");
        let client_id = format!("good-{size}");
        let answer = connection
            .exchange(&phone.send_mail_request(&client_id, &mail(&client_id, "Text.")))
            .unwrap();
        assert_eq!(
            (answer.status, answer.body.len()),
            (200, 0),
            "the message after a body of {size}"
        );
    }
    assert_eq!(world.anton().sent().len(), bodies.len());
}

/// Phones that wait in Apache do not keep the gateway from stopping, nor others from being served.
#[test]
fn waiting_phones_and_a_stop() {
    let mut world = World::start();
    let Some(apache) = Apache::start(world.ajp_address(), "") else {
        return;
    };
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let mut device = device(&world, &apache, V14_1);
        device.set_up();
        let inbox = device.folder(INBOX);
        device.sync(&inbox);
        waiting.push(device.start_ping(50, &[&inbox]));
    }
    wait_for("a look at OX", || {
        (world.standin.calls().of("mail", "all") > 10).then_some(())
    });
    let mut other = device(&world, &apache, V14_1);
    other.set_up();
    assert!(world.terminate() < Duration::from_secs(10));
    for waiting in waiting {
        let pinged = waiting.join().unwrap();
        assert_eq!(pinged.status, 1);
    }
    // Nobody is there now, and then again somebody.
    let request = other.link.options();
    assert_eq!(other.link.door.exchange(&request).unwrap().status, 503);
}

/// Apache gives up before the heartbeat ends: the phone sees an error, tries again, and misses nothing.
#[test]
fn apache_gives_up() {
    let world = World::start();
    let Some(apache) = Apache::start(world.ajp_address(), "timeout=2") else {
        return;
    };
    let anton = world.anton();
    let mut device = device(&world, &apache, V14_1);
    device.set_up();
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let request = device.ping_request(40, &[&inbox]);
    let started = Instant::now();
    let answer = device.link.door.exchange(&request).unwrap();
    assert!((500..=504).contains(&answer.status), "{}", answer.status);
    assert!(started.elapsed() < Duration::from_secs(20));
    anton.receive(&mail("new", "Text."));
    assert_eq!(device.ping(1, &[&inbox]).status, 2);
    assert_eq!(device.sync(&inbox).added.len(), 1);
}

/// A phone hangs up behind Apache, which does not tell; its next request is served at once.
#[test]
fn a_phone_that_is_gone() {
    let world = World::start();
    let Some(apache) = Apache::start(world.ajp_address(), "") else {
        return;
    };
    let mut device = device(&world, &apache, V14_1);
    device.set_up();
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    for _ in 0..3 {
        let request = device.ping_request(50, &[&inbox]);
        let link = device.link.clone();
        thread::spawn(move || link.door.hang_up(&request))
            .join()
            .unwrap()
            .unwrap();
        let started = Instant::now();
        assert!(device.sync(&inbox).is_quiet());
        assert_eq!(device.ping(1, &[&inbox]).status, 1);
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
