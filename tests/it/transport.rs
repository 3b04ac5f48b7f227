//! What stands around every command: methods, headers that are needed and headers that are not, and what is offered.

use std::sync::Arc;

use ox_standin::Fault;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::folderhierarchy;

use crate::apache::Apache;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Connection;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::device::link::PATH;
use crate::items::mail;
use crate::listening::http_address;
use crate::refusals::told;
use crate::world::World;

const VERSIONS: &str = "2.5,12.0,12.1,14.0,14.1,16.0,16.1";

fn folder_sync(device: &Device, key: &str) -> Request {
    let key = Element::text(folderhierarchy::SYNC_KEY, key);
    device
        .link
        .wbxml("FolderSync", &Element::parent(folderhierarchy::FOLDER_SYNC, [key]))
}

/// Somebody with a browser sees that he is right, and nothing else.
#[test]
fn a_browser_gets_a_page() {
    let world = World::start();
    let Some(apache) = Apache::start(world.ajp_address(), "") else {
        return;
    };
    for door in [world.ajp(), world.http(), Arc::new(HttpDoor(apache.address))] {
        for method in ["GET", "HEAD"] {
            let request = Request {
                method,
                target: PATH.to_owned(),
                headers: Vec::new(),
                body: None,
            };
            let answer = door.exchange(&request).unwrap();
            assert_eq!(answer.status, 200, "{method}");
            assert_eq!(answer.header("Content-Type"), Some("text/html; charset=utf-8"));
            let page = String::from_utf8(answer.body.clone()).unwrap();
            assert_eq!(page.contains("It works"), method == "GET", "{page}");
            let all = format!("{answer:?} {page}").to_lowercase();
            for secret in ["oxtender", env!("CARGO_PKG_VERSION")] {
                assert!(!all.contains(secret), "{secret} is told to everybody: {all}");
            }
        }
    }
    assert_eq!(world.standin.calls().requests, 0);
}

/// What some clients look for in the answer to OPTIONS.
#[test]
fn what_options_says() {
    let mut world = World::start();
    let device = world.device(V14_1);
    let ask = |world: &World, query: &str| {
        let mut request = device.link.options();
        request.target.push_str(query);
        let answer = world.http().exchange(&request).unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        for (name, value) in [
            ("MS-ASProtocolVersions", VERSIONS),
            ("Public", "OPTIONS,POST"),
            ("Allow", "OPTIONS,POST"),
            ("X-AspNet-Version", "4.0.30319"),
            ("Content-Length", "0"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(answer.header("X-MS-RP").is_none());
        assert!(answer.header("Set-Cookie").is_none());
    };
    ask(&world, "");
    ask(&world, "?User=anton&DeviceId=abc");
    // A phone that gets no answer to this asks on and on.
    world.stop_ox();
    ask(&world, "");
}

/// With SyncKey 0 a device begins anew, and is told what there is.
#[test]
fn versions_are_told_at_the_beginning() {
    let world = World::start();
    for version in ProtocolVersion::ALL {
        let mut device = world.device(version);
        device.provision();
        let offered = device.link.exchange(&device.link.options());
        let commands = offered.header("MS-ASProtocolCommands").map(str::to_owned);
        for _ in 0..2 {
            let answer = device.link.exchange(&folder_sync(&device, "0"));
            assert_eq!(answer.header("X-MS-RP"), Some(VERSIONS), "{version}");
            assert_eq!(answer.header("MS-ASProtocolVersions"), Some(VERSIONS));
            assert_eq!(answer.header("MS-ASProtocolCommands"), commands.as_deref());
        }
        device.set_up();
        let inbox = device.folder(INBOX);
        let quiet = [
            folder_sync(&device, &device.hierarchy_key),
            device.sync_request(&[&inbox]),
            folder_sync(&device, "4711"),
        ];
        for request in quiet {
            let answer = device.link.exchange(&request);
            assert_eq!((answer.status, answer.header("X-MS-RP")), (200, None), "{version}");
        }
    }
}

/// Versions that are new with another release of the gateway: each device is told once, whatever it asks.
#[test]
fn versions_that_changed_are_told_once() {
    let mut world = World::start();
    let mut device = world.ready_device(V14_1);
    let other = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let renewed = |device: &mut Device| {
        let request = device.sync_request(&[&inbox]);
        let answer = device.link.exchange(&request);
        device.take_sync(&[&inbox], &request);
        assert_eq!(
            answer.header("X-MS-RP").is_some(),
            answer.header("MS-ASProtocolVersions").is_some()
        );
        answer.header("X-MS-RP").map(str::to_owned)
    };
    assert_eq!(renewed(&mut device), None);
    // The same release again.
    world.restart();
    assert_eq!(renewed(&mut device), None);

    world.kill();
    let database = rusqlite::Connection::open(world.database()).unwrap();
    let changed = database.execute(
        "UPDATE USMSessionFields SET value = '2.5,12.0,12.1' WHERE field = 'offered.versions'",
        (),
    );
    assert_eq!(changed.unwrap(), 2, "each device was noted");
    drop(database);
    world.restart();
    assert_eq!(renewed(&mut device).as_deref(), Some(VERSIONS));
    assert_eq!(renewed(&mut device), None);
    world.restart();
    assert_eq!(renewed(&mut device), None);
    let answer = other.link.exchange(&folder_sync(&other, &other.hierarchy_key));
    assert_eq!(answer.header("X-MS-RP"), Some(VERSIONS));
}

/// Some devices wait to be told to go on before they send a large message. Who is refused need not send it.
#[test]
fn a_body_that_waits_to_be_asked_for() {
    let world = World::start();
    let Some(apache) = Apache::start(world.ajp_address(), "") else {
        return;
    };
    let message = mail("large", &"A line of a large message.\r\n".repeat(40_000));
    assert!(message.len() > 1_000_000);
    for (count, address) in [http_address(&world), apache.address].into_iter().enumerate() {
        for (number, version) in [V2_5, V16_1].into_iter().enumerate() {
            let device = world.device(version);
            let request = device.send_mail_request(&device.link.device_id, &message);
            let (was_told, answer) = Connection::open(address).unwrap().exchange_expecting(&request).unwrap();
            assert!(was_told, "{address} {version}");
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{address} {version}");
            assert_eq!(world.anton().sent().len(), 2 * count + number + 1);
        }
    }
    let mut stranger = world.device(V14_1);
    stranger.link.password = "wrong".to_owned();
    let request = stranger.send_mail_request("id", &message);
    let mut connection = Connection::open(http_address(&world)).unwrap();
    let (was_told, answer) = connection.exchange_expecting(&request).unwrap();
    assert_eq!((was_told, answer.status), (false, 401));
}

/// The gateway sets no cookies, and does not care for those of others.
#[test]
fn cookies() {
    let world = World::start();
    let device = world.device(V16_1);
    for cookie in ["JSESSIONID=123.APP2; X-BackEndCookie=x", "=;;; \u{fc}", ""] {
        for mut request in [device.link.options(), folder_sync(&device, "0")] {
            request.headers.push(("Cookie", cookie.to_owned()));
            let answer = device.link.exchange(&request);
            assert_eq!((answer.status, answer.header("Set-Cookie")), (200, None), "{cookie}");
        }
    }
}

/// A body is what the command takes it for, whatever its type is said to be: devices write many things here.
#[test]
fn content_types() {
    let world = World::start();
    for kind in [
        None,
        Some("application/vnd.ms-sync.wbxml"),
        Some("application/vnd.ms-sync"),
        Some("Application/VND.MS-Sync.WBXML; charset=\"utf-8\""),
        Some("text/html"),
        Some("application/octet-stream"),
        Some("nonsense"),
    ] {
        for (version, name) in [(V12_1, "old"), (V14_1, "new")] {
            let device = world.device(version);
            let as_kind = |mut request: Request| {
                request.headers.retain(|(name, _)| *name != "Content-Type");
                request
                    .headers
                    .extend(kind.map(|kind| ("Content-Type", kind.to_owned())));
                device.link.exchange(&request)
            };
            let answer = as_kind(folder_sync(&device, "0"));
            assert_eq!(told(&device, &answer), (200, Some("1".to_owned())), "{kind:?} {name}");
            let answer = as_kind(device.send_mail_request(&device.link.device_id, &mail("typed", "Text.")));
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{kind:?} {name}");
        }
    }
}

/// The storage is full, OX is busy, and whatever else it may say: an HTTP status up to 12.1, a Status from 14.0 on.
#[test]
fn statuses_of_ox() {
    let world = World::start();
    // module, action, fault, HTTP status, Status
    let cases = [
        (Fault::error("MSG-0039", 11), 507, "113"),
        (Fault::Status(503), 503, "111"),
        (Fault::error("SVL-0015", 8), 500, "110"),
    ];
    for (fault, http, status) in cases {
        for version in [V2_5, V12_1, V14_1, V16_1] {
            let mut device = world.device(version);
            device.provision();
            world.standin.faults().always("folders", "allVisible", fault.clone());
            world.standin.faults().always("folders", "list", fault.clone());
            world.standin.faults().always("folders", "root", fault.clone());
            let answer = device.link.exchange(&folder_sync(&device, "0"));
            world.standin.faults().clear();
            let expected = match version {
                V2_5 | V12_1 => (http, None),
                _ => (200, Some(status.to_owned())),
            };
            assert_eq!(told(&device, &answer), expected, "{fault:?} {version}");
            assert_eq!(answer.header("Retry-After").is_some(), answer.status == 503);
        }
    }
}
