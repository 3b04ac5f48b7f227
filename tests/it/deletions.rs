//! A device that deletes most of a folder of a sudden is held back, and user and administrator can let it go.

use std::collections::BTreeSet;

use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use serde_json::json;

use crate::administration::told;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::TRASH;
use crate::world::World;

const AT_INBOX: &str = "default0/INBOX";
const AT_TRASH: &str = "default0/INBOX/Trash";
const CONTACTS_AT_OX: usize = 100;

/// A phone that has a hundred contacts.
fn synced(world: &World, version: ProtocolVersion) -> (Device, String) {
    let anton = world.anton();
    for number in 0..CONTACTS_AT_OX {
        let name = format!("Contact {number}");
        anton.create_contact(json!({"last_name": name, "display_name": name}));
    }
    let mut device = world.ready_device(version);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    assert_eq!(device.items(&folder).len(), CONTACTS_AT_OX);
    (device, folder)
}

fn at_ox(world: &World) -> usize {
    let anton = world.anton();
    anton
        .objects(Module::Contacts, anton.default_folder(Module::Contacts))
        .len()
}

fn delete(device: &mut Device, folder: &str, number: usize) -> BTreeSet<String> {
    let ids: BTreeSet<String> = device.items(folder).keys().take(number).cloned().collect();
    for id in &ids {
        device.delete(folder, id);
    }
    ids
}

/// The notices in the inbox, by their ids at OX.
fn notices(world: &World) -> Vec<String> {
    let mails = world.anton().mails(AT_INBOX);
    let is_notice = |source: &[u8]| String::from_utf8_lossy(source).contains("they were kept");
    let notices = mails.into_iter().filter(|mail| is_notice(&mail.raw));
    notices.map(|mail| mail.id).collect()
}

/// What goes beyond the limit stays at OX and comes back to the phone with its ids, in each version; the user is told once.
#[test]
fn a_phone_that_empties_a_folder_is_held_back() {
    for version in [V2_5, V14_1, V16_1] {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        delete(&mut device, &folder, 50);
        device.sync(&folder);
        assert_eq!(
            (at_ox(&world), notices(&world).len()),
            (50, 0),
            "{version}: fifty are no accident"
        );
        let held = delete(&mut device, &folder, 50);
        let synced = device.sync(&folder);
        assert_eq!(at_ox(&world), 50, "{version}");
        assert_eq!(synced.added.iter().cloned().collect::<BTreeSet<_>>(), held, "{version}");
        assert_eq!(device.items(&folder).len(), 50, "{version}");
        assert!(device.sync(&folder).is_quiet(), "{version}");
        delete(&mut device, &folder, 9);
        device.sync(&folder);
        assert_eq!(
            (at_ox(&world), notices(&world).len()),
            (50, 1),
            "{version}: one notice for all"
        );
        let shown = told(&world, &format!("device show {}", device.link.device_id));
        assert!(shown.contains("100 of 100 items deleted"), "{shown}");
    }
}

/// A repetition of deletions that were carried out counts once.
#[test]
fn repeated_deletions_are_counted_once() {
    let world = World::start();
    let (mut device, folder) = synced(&world, V14_1);
    delete(&mut device, &folder, 40);
    for _ in 0..3 {
        let request = device.sync_request(&[&folder]);
        device.link.exchange(&request);
    }
    device.sync(&folder);
    assert_eq!((at_ox(&world), notices(&world).len()), (60, 0));
}

#[test]
fn the_user_releases_by_flagging_the_notice() {
    let world = World::start();
    let (mut device, folder) = synced(&world, V14_1);
    delete(&mut device, &folder, CONTACTS_AT_OX);
    device.sync(&folder);
    delete(&mut device, &folder, CONTACTS_AT_OX);
    device.sync(&folder);
    assert_eq!(at_ox(&world), CONTACTS_AT_OX, "not flagged yet");
    let notices = notices(&world);
    assert_eq!(notices.len(), 1);
    world.anton().set_flags(AT_INBOX, &notices[0], 8, 0);
    delete(&mut device, &folder, CONTACTS_AT_OX);
    device.sync(&folder);
    assert_eq!((at_ox(&world), device.items(&folder).len()), (0, 0));
}

#[test]
fn the_administrator_releases() {
    let world = World::start();
    let (mut device, folder) = synced(&world, V14_1);
    delete(&mut device, &folder, CONTACTS_AT_OX);
    device.sync(&folder);
    assert_eq!(at_ox(&world), CONTACTS_AT_OX);
    let id = device.link.device_id.clone();
    assert!(told(&world, &format!("device show {id}")).contains("held-back"));
    told(&world, &format!("device release {id}"));
    assert!(!told(&world, &format!("device show {id}")).contains("held-back"));
    delete(&mut device, &folder, CONTACTS_AT_OX);
    device.sync(&folder);
    assert_eq!((at_ox(&world), device.items(&folder).len()), (0, 0));
}

/// Mails go into the trash, from where they can be had back; past it they are held; and what is deleted there is meant.
#[test]
fn mails_are_held_where_they_would_be_gone() {
    let world = World::start();
    let anton = world.anton();
    for number in 0..60 {
        let mail = format!("From: b@example.com\r\nSubject: {number}\r\n\r\nText\r\n");
        anton.deliver_mail(AT_INBOX, mail.as_bytes());
    }
    let mut device = world.ready_device(V14_1);
    let (inbox, trash) = (device.folder(INBOX), device.folder(TRASH));
    device.sync(&inbox);
    let all = device.items(&inbox).len();
    let empty = |device: &mut Device, folder: &str, as_moves: bool| {
        device.collection(folder).deletes_as_moves = Some(as_moves);
        delete(device, folder, all);
        device.sync(folder);
        [AT_INBOX, AT_TRASH].map(|folder| anton.mails(folder).len())
    };
    let kept = empty(&mut device, &inbox, false);
    assert_eq!(kept, [all + 1, 0], "and the notice");
    assert_eq!(empty(&mut device, &inbox, true), [1, all]);
    device.sync(&trash);
    assert_eq!(empty(&mut device, &trash, false), [1, 0]);
}
