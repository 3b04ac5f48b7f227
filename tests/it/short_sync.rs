//! Sync requests that leave out what did not change: without a body, and Partial.

use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;

use crate::device::Device;
use crate::device::link::Parameters;
use crate::device::sync_document;
use crate::items::mail;
use crate::world::World;

const INBOX: i64 = 2;

/// What a Sync without a body brings; `None` if its answer is empty, too.
fn empty_sync(device: &Device) -> Option<Element> {
    let request = device.link.request("Sync", Parameters::default(), "", None);
    device.link.read(&device.link.exchange(&request))
}

fn collection_in(root: &Element) -> &Element {
    let collections = root.child(airsync::COLLECTIONS).expect("Collections");
    collections.child(airsync::COLLECTION).expect("Collection")
}

fn phone(world: &World) -> (Device, String) {
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    assert!(device.sync(&inbox).is_quiet());
    (device, inbox)
}

#[test]
fn nothing_to_repeat() {
    let world = World::start();
    let device = world.ready_device(V14_1);
    let refused = empty_sync(&device).expect("a Status");
    assert_eq!(refused.child_text(airsync::STATUS), Some("13"));
    let partial = Element::parent(
        airsync::SYNC,
        [
            Element::text(airsync::WINDOW_SIZE, "5"),
            Element::empty(airsync::PARTIAL),
        ],
    );
    assert_eq!(
        device.link.document("Sync", &partial).child_text(airsync::STATUS),
        Some("13")
    );
    let alone = Element::parent(airsync::SYNC, [Element::empty(airsync::PARTIAL)]);
    assert_eq!(
        device.link.document("Sync", &alone).child_text(airsync::STATUS),
        Some("4")
    );
}

/// An empty request is the last one again. Its answer may be lost, as any other.
#[test]
fn an_empty_request_repeats_the_last() {
    let world = World::start();
    let (mut device, inbox) = phone(&world);
    assert_eq!(empty_sync(&device), None, "nothing changed");
    world.anton().receive(&mail("first", "Text."));
    let lost = empty_sync(&device).expect("news");
    let again = empty_sync(&device).expect("the same news");
    let added = |root: &Element| collection_in(root).child(airsync::COMMANDS).cloned();
    assert_eq!(added(&lost), added(&again));
    assert_eq!(device.collection(&inbox).apply(collection_in(&again)).added.len(), 1);
    assert!(device.sync(&inbox).is_quiet());
}

/// A device that waits sends nothing more for hours; that we were restarted is not its business.
#[test]
fn a_waiting_request_survives_a_restart() {
    let mut world = World::start();
    let (mut device, inbox) = phone(&world);
    let collection = device.collection(&inbox).request(V14_1);
    let heartbeat = Element::text(airsync::HEARTBEAT_INTERVAL, "1");
    let request = device.link.wbxml("Sync", &sync_document(vec![collection], [heartbeat]));
    assert!(device.link.exchange(&request).body.is_empty());
    world.kill();
    world.restart();
    device.link.door = world.http();
    world.anton().receive(&mail("second", "Text."));
    let news = empty_sync(&device).expect("news");
    assert_eq!(device.collection(&inbox).apply(collection_in(&news)).added.len(), 1);
}

/// What a Partial request does not name is as before.
#[test]
fn a_partial_request_names_what_is_different() {
    let world = World::start();
    let (mut device, inbox) = phone(&world);
    for subject in ["one", "two", "three"] {
        world.anton().receive(&mail(subject, "Text."));
    }
    let partial = Element::parent(
        airsync::SYNC,
        [
            Element::text(airsync::WINDOW_SIZE, "2"),
            Element::empty(airsync::PARTIAL),
        ],
    );
    let answer = device.link.document("Sync", &partial);
    assert!(collection_in(&answer).child(airsync::MORE_AVAILABLE).is_some());
    assert_eq!(device.collection(&inbox).apply(collection_in(&answer)).added.len(), 2);
    assert_eq!(device.sync(&inbox).added.len(), 1);
}
