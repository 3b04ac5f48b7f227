//! Waiting for changes: Ping, and Sync with a heartbeat.

use std::thread;
use std::time::Duration;
use std::time::Instant;

use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::ping as tag;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Connection;
use crate::device::http::Request;
use crate::device::link::Parameters;
use crate::device::link::WBXML;
use crate::device::sync_document;
use crate::items::contact;
use crate::items::mail;
use crate::listening::http_address;
use crate::operations::ask;
use crate::world::World;
use crate::world::wait_for;

/// Much shorter than the heartbeats of these tests, much longer than an answer takes.
const SOON: Duration = Duration::from_secs(10);

const LONG: u64 = 50;

/// A phone that has synced its inbox and its contacts.
fn phone(world: &World) -> (Device, String, String) {
    let mut device = world.ready_device(V14_1);
    let (inbox, contacts) = (device.folder(INBOX), device.folder(CONTACTS));
    device.sync(&inbox);
    device.sync(&contacts);
    (device, inbox, contacts)
}

/// Waits until the gateway looks at OX for somebody.
fn wait_until_parked(world: &World, calls: u64) {
    wait_for("a look at OX", || {
        (world.standin.calls().of("mail", "all") > calls).then_some(())
    });
}

/// A Sync of that folder which waits for so many seconds.
fn waiting_sync(device: &mut Device, folder: &str, seconds: u64) -> Request {
    let collection = device.collection(folder).request(V14_1);
    let heartbeat = Element::text(airsync::HEARTBEAT_INTERVAL, seconds.to_string());
    device.link.wbxml("Sync", &sync_document(vec![collection], [heartbeat]))
}

fn looks(world: &World) -> u64 {
    world.standin.calls().of("mail", "all")
}

#[test]
fn intervals_have_bounds() {
    let world = World::plan()
        .property("eas.ping.min_heartbeat", "2")
        .property("eas.ping.max_heartbeat", "100")
        .start()
        .unwrap();
    let (mut device, inbox, _) = phone(&world);
    // asked, status, bound
    let cases = [(1, 5, Some(2)), (101, 5, Some(100)), (3600, 5, Some(100)), (2, 1, None)];
    for (asked, status, bound) in cases {
        let pinged = device.ping(asked, &[&inbox]);
        assert_eq!((pinged.status, pinged.heartbeat), (status, bound), "{asked}");
    }
}

#[test]
fn parameters_are_kept() {
    let world = World::start();
    let (mut device, inbox, contacts) = phone(&world);
    let empty = device.link.request("Ping", Parameters::default(), WBXML, None);
    assert_eq!(device.link.ping(&empty).status, 3, "nothing is kept yet");
    let only_interval = Element::parent(tag::PING, [Element::text(tag::HEARTBEAT_INTERVAL, "1")]);
    let only_interval = device.link.wbxml("Ping", &only_interval);
    assert_eq!(device.link.ping(&only_interval).status, 3, "the folders are missing");
    assert_eq!(device.ping(1, &[&inbox, &contacts]).status, 1);
    assert_eq!(device.link.ping(&empty).status, 1);
    world.anton().receive(&mail("new", "Text."));
    let woken = device.link.ping(&empty);
    assert_eq!((woken.status, &woken.folders[..]), (2, &[inbox.clone()][..]));
    device.sync(&inbox);
    assert_eq!(device.link.ping(&only_interval).status, 1);
    assert_eq!(device.ping(1, &[&inbox, &inbox]).status, 4, "a folder twice");
}

/// Kept by the store, not by the process.
#[test]
fn parameters_survive_a_restart() {
    let mut world = World::start();
    let (mut device, inbox, _) = phone(&world);
    assert_eq!(device.ping(1, &[&inbox]).status, 1);
    world.restart();
    let empty = device.link.request("Ping", Parameters::default(), WBXML, None);
    assert_eq!(device.link.ping(&empty).status, 1);
}

#[test]
fn a_newer_request_ends_the_wait() {
    let world = World::start();
    let (mut device, inbox, contacts) = phone(&world);
    for newer in ["Ping", "Sync"] {
        let calls = looks(&world);
        let waiting = device.start_ping(LONG, &[&inbox]);
        wait_until_parked(&world, calls);
        let started = Instant::now();
        match newer {
            "Ping" => assert_eq!(device.ping(1, &[&inbox]).status, 1),
            _ => assert!(device.sync(&contacts).is_quiet()),
        }
        assert_eq!(waiting.join().unwrap().status, 1, "superseded by {newer}");
        assert!(started.elapsed() < SOON, "{newer} waited for the one before");
    }
}

/// How many phones wait, as `/metrics` has it, in a Ping and in a Sync.
fn waiting(world: &World) -> (u64, u64) {
    let text = String::from_utf8(ask(world, "/metrics").body).unwrap();
    let of = |command: &str| {
        let name = format!("oxtender_waiting_devices{{command=\"{command}\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&name)).expect(&name);
        value.parse().expect("a number")
    };
    (of("Ping"), of("Sync"))
}

/// Whoever stops waiting is counted no longer, for whatever reason.
#[test]
fn those_who_wait_are_counted() {
    let world = World::start();
    let (mut first, inbox, contacts) = phone(&world);
    let (mut second, ..) = phone(&world);
    let (mut third, ..) = phone(&world);
    let expect = |what: &str, expected| wait_for(what, || (waiting(&world) == expected).then_some(()));
    assert_eq!(waiting(&world), (0, 0));

    let ping = first.start_ping(LONG, &[&inbox]);
    expect("the Ping to be counted", (1, 0));
    let sync = {
        let request = waiting_sync(&mut second, &inbox, LONG);
        let link = second.link.clone();
        thread::spawn(move || link.exchange(&request))
    };
    expect("the Sync to be counted", (1, 1));
    // Nothing is heard again of this one.
    let mut lost = Connection::open(http_address(&world)).unwrap();
    lost.send(&third.ping_request(LONG, &[&contacts])).unwrap();
    expect("the other Ping to be counted", (2, 1));
    drop(lost);
    expect("a lost connection to count no longer", (1, 1));

    assert!(first.sync(&contacts).is_quiet());
    assert_eq!(ping.join().unwrap().status, 1, "superseded");
    expect("a superseded Ping to count no longer", (0, 1));
    world.anton().receive(&mail("new", "Text."));
    assert!(!sync.join().unwrap().body.is_empty());
    expect("an answered Sync to count no longer", (0, 0));
}

/// A phone that went away does not keep its successor waiting.
#[test]
fn a_dead_connection_ends_the_wait() {
    let world = World::start();
    let (mut device, inbox, _) = phone(&world);
    let request = device.ping_request(LONG, &[&inbox]);
    device.link.door.hang_up(&request).unwrap();
    let started = Instant::now();
    assert_eq!(device.ping(1, &[&inbox]).status, 1);
    assert!(started.elapsed() < SOON);
}

/// Looks at OX are an hour apart here: only the gateway's own knowledge can wake.
#[test]
fn woken_by_the_users_other_device() {
    let world = World::plan()
        .property("eas.ping.poll_interval", "3600")
        .start()
        .unwrap();
    let (mut tablet, _, contacts) = phone(&world);
    let (mut phone, _, same) = phone(&world);
    let request = tablet.ping_request(LONG, &[&contacts]);
    let link = tablet.link.clone();
    let calls = world.standin.calls().of("contacts", "all");
    let waiting = thread::spawn(move || link.ping(&request));
    wait_for("a look at OX", || {
        (world.standin.calls().of("contacts", "all") > calls).then_some(())
    });
    let started = Instant::now();
    phone.add(&same, contact("Otto", "New"));
    phone.sync(&same);
    let pinged = waiting.join().unwrap();
    assert_eq!((pinged.status, &pinged.folders[..]), (2, &[contacts.clone()][..]));
    assert!(started.elapsed() < SOON);
    assert_eq!(tablet.sync(&contacts).added.len(), 1);
    assert!(phone.sync(&same).is_quiet());
}

#[test]
fn own_changes_do_not_wake() {
    let world = World::start();
    let (mut device, inbox, contacts) = phone(&world);
    device.add(&contacts, contact("Otto", "Own"));
    device.sync(&contacts);
    assert_eq!(device.ping(3, &[&inbox, &contacts]).status, 1);
}

#[test]
fn the_tree_changes() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, inbox, _) = phone(&world);
    let folder = anton.create_folder("default0/INBOX", "Projects", "mail");
    assert_eq!(device.ping(1, &[&inbox]).status, 7, "a new folder");
    device.folder_sync();
    let projects = device.folder_named("Projects");
    device.sync(&projects);
    assert_eq!(device.ping(1, &[&inbox, &projects]).status, 1);
    anton.delete_folder(&folder);
    assert_eq!(device.ping(1, &[&inbox]).status, 7, "a folder that is gone");
    device.folder_sync();
    assert!(!device.folders.contains_key(&projects));
    assert_eq!(device.ping(1, &[&inbox]).status, 1);
}

/// A folder disappears while a phone waits for it.
#[test]
fn a_folder_goes_while_it_is_waited_for() {
    let world = World::start();
    let anton = world.anton();
    let folder = anton.create_folder("default0/INBOX", "Projects", "mail");
    let (mut device, inbox, _) = phone(&world);
    let projects = device.folder_named("Projects");
    device.sync(&projects);
    let calls = looks(&world);
    let waiting = device.start_ping(LONG, &[&inbox, &projects]);
    wait_until_parked(&world, calls);
    anton.delete_folder(&folder);
    assert_eq!(waiting.join().unwrap().status, 7);
}

#[test]
fn an_unknown_folder() {
    let world = World::start();
    let (mut device, inbox, _) = phone(&world);
    let mut request = device.ping_request(1, &[&inbox]);
    let folder = Element::parent(
        tag::FOLDER,
        [Element::text(tag::ID, "4711"), Element::text(tag::CLASS, "Email")],
    );
    let root = Element::parent(
        tag::PING,
        [
            Element::text(tag::HEARTBEAT_INTERVAL, "1"),
            Element::parent(tag::FOLDERS, [folder]),
        ],
    );
    request.body = Some(oxtender::wbxml::encode(&root, V14_1));
    assert_eq!(device.link.ping(&request).status, 7);
}

/// Sync waits as Ping does: until something comes, or with nothing to say at the end.
#[test]
fn sync_waits() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, inbox, _) = phone(&world);
    let request = waiting_sync(&mut device, &inbox, 1);
    let started = Instant::now();
    let answer = device.link.exchange(&request);
    assert!(answer.body.is_empty(), "nothing to say");
    assert!(started.elapsed() >= Duration::from_secs(1));

    let request = waiting_sync(&mut device, &inbox, LONG);
    let calls = looks(&world);
    let link = device.link.clone();
    let waiting = {
        let request = request.clone();
        thread::spawn(move || link.exchange(&request))
    };
    wait_until_parked(&world, calls + 1);
    anton.receive(&mail("new", "Text."));
    let answer = waiting.join().unwrap();
    let root = device.link.read(&answer).expect("news");
    let collection = root
        .child(airsync::COLLECTIONS)
        .and_then(|all| all.child(airsync::COLLECTION))
        .unwrap();
    assert_eq!(device.collection(&inbox).apply(collection).added.len(), 1);
    assert!(device.sync(&inbox).is_quiet());
}

/// Bounds of Wait are told in its own unit.
#[test]
fn sync_waits_within_bounds() {
    let world = World::plan().property("eas.ping.max_heartbeat", "120").start().unwrap();
    let (mut device, inbox, _) = phone(&world);
    // element, asked, Limit
    let cases = [
        (airsync::HEARTBEAT_INTERVAL, "121", "120"),
        (airsync::WAIT, "3", "2"),
        (airsync::WAIT, "59", "2"),
    ];
    for (tag, asked, limit) in cases {
        let collection = device.collection(&inbox).request(V14_1);
        let root = sync_document(vec![collection], [Element::text(tag, asked)]);
        let answer = device.link.document("Sync", &root);
        assert_eq!(answer.child_text(airsync::STATUS), Some("14"), "{tag:?} {asked}");
        assert_eq!(answer.child_text(airsync::LIMIT), Some(limit), "{tag:?} {asked}");
    }
}

/// A stop of the gateway answers those who wait, at once.
#[test]
fn a_stop_ends_the_wait() {
    let mut world = World::start();
    let mut device = world.ready_device(V12_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let calls = looks(&world);
    let waiting = device.start_ping(LONG, &[&inbox]);
    wait_until_parked(&world, calls);
    assert!(world.terminate() < SOON);
    assert_eq!(waiting.join().unwrap().status, 1);
}
