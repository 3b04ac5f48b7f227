//! The gateway dies at any moment and is started again on what it left: nothing is lost, and nothing doubled.

use std::collections::BTreeMap;
use std::thread;

use ox_standin::Fault;
use ox_standin::Module;
use ox_standin::Uids;
use oxtender::version::ProtocolVersion;
use oxtender::wbxml::codepage::contacts;
use serde_json::json;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::Loss;
use crate::items::contact;
use crate::items::mail;
use crate::world::Store;
use crate::world::World;
use crate::world::wait_for;

macro_rules! both_stores {
    ($($scenario:ident: $sqlite:ident $mariadb:ident;)*) => {
        $(
            #[test]
            fn $sqlite() {
                world(Store::Sqlite).map($scenario);
            }

            #[test]
            fn $mariadb() {
                world(Store::MariaDb).map($scenario);
            }
        )*
    };
}

both_stores! {
    between_requests: between_requests_sqlite between_requests_mariadb;
    among_twenty_additions: among_twenty_additions_sqlite among_twenty_additions_mariadb;
    before_the_answer: before_the_answer_sqlite before_the_answer_mariadb;
}

/// With an OX at which the n-th addition is the n-th call: one that refuses UIDs is asked once more for the first.
fn world(store: Store) -> Option<World> {
    World::plan().standin(|ox| ox.uids(Uids::Kept)).store(store).start()
}

/// Killed after every single request; the phone does not notice.
fn between_requests(mut world: World) {
    let anton = world.anton();
    let mut device = world.device(ProtocolVersion::V14_1);
    device.provision();
    world.restart();
    device.folder_sync();
    let folder = device.folder(CONTACTS);
    let inbox = device.folder(INBOX);
    anton.receive(&mail("one", "Text."));
    anton.create_contact(json!({"last_name": "Web", "display_name": "Web"}));
    for id in [&folder, &inbox] {
        world.restart();
        device.sync_once(id);
        world.restart();
        assert_eq!(device.sync_once(id).added.len(), 1);
    }
    for round in 0..3 {
        device.add(&folder, contact("Otto", &format!("Phone {round}")));
        world.restart();
        assert_eq!(device.sync_once(&folder).new_ids.len(), 1);
    }
    world.restart();
    assert!(device.sync(&folder).is_quiet());
    assert_eq!(device.folder_sync().added.len(), 0);
    assert_eq!(device.items(&folder).len(), 4);
    assert_eq!(
        anton
            .objects(Module::Contacts, anton.default_folder(Module::Contacts))
            .len(),
        4
    );
    world.kill();
    assert_eq!(anton.mails("default0/INBOX").len(), 1);
    world.restart();
    assert!(device.sync(&inbox).is_quiet());
}

/// Killed while OX keeps it waiting for the eleventh of twenty.
fn among_twenty_additions(mut world: World) {
    let (mut device, folder) = with_twenty_additions(&world);
    world.standin.faults().nth(11, "contacts", "new", Fault::Timeout);
    send_and_kill(&mut world, &mut device, &folder, 10);
    let synced = device.sync(&folder);
    assert_eq!((synced.new_ids.len(), synced.added.len()), (20, 0), "{synced:?}");
    let doubled: Vec<String> = counted(&world)
        .into_iter()
        .filter(|(_, count)| *count != 1)
        .map(|(name, _)| name)
        .collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    assert_eq!(counted(&world).len(), 20);
    assert!(device.sync(&folder).is_quiet());
}

/// Killed when the eleventh of twenty is at OX, and OX's word of it never came: it is found there.
fn before_the_answer(mut world: World) {
    let (mut device, folder) = with_twenty_additions(&world);
    world.standin.faults().nth(11, "contacts", "new", Fault::LoseAnswer);
    send_and_kill(&mut world, &mut device, &folder, 11);
    let synced = device.sync(&folder);
    assert_eq!(synced.new_ids.len(), 20);
    let counted = counted(&world);
    let doubled: Vec<&String> = counted
        .iter()
        .filter(|(_, count)| **count > 1)
        .map(|(name, _)| name)
        .collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    assert_eq!(counted.len(), 20);
    device.sync(&folder);
    let at_ox: usize = counted.values().sum();
    assert_eq!(device.items(&folder).len(), at_ox, "the phone shows what is there");
    assert!(device.sync(&folder).is_quiet());
}

fn with_twenty_additions(world: &World) -> (Device, String) {
    let mut device = world.ready_device(ProtocolVersion::V14_1);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    for number in 1..=20 {
        device.add(&folder, contact("Otto", &format!("Number {number:02}")));
    }
    (device, folder)
}

/// Sends a Sync, kills the gateway when OX has so many contacts and the fault has struck, and starts it again.
fn send_and_kill(world: &mut World, device: &mut Device, folder: &str, written: usize) {
    device.sync_and_lose(folder, Loss::HungUp);
    wait_for("the additions", || (counted(world).len() == written).then_some(()));
    wait_for("the call that hangs", || {
        world.standin.faults().are_spent().then_some(())
    });
    world.kill();
    world.restart();
}

/// Last names at OX, and how often each is there.
fn counted(world: &World) -> BTreeMap<String, usize> {
    let anton = world.anton();
    let mut counted = BTreeMap::new();
    for object in anton.objects(Module::Contacts, anton.default_folder(Module::Contacts)) {
        let name = object["last_name"].as_str().unwrap_or_default().to_owned();
        *counted.entry(name).or_default() += 1;
    }
    counted
}

/// Killed while OX keeps a SendMail waiting: the message goes out once.
#[test]
fn a_message_is_sent_once() {
    let mut world = World::start();
    let anton = world.anton();
    let device = world.ready_device(ProtocolVersion::V14_1);
    let message = mail("hello", "Once.");
    world.standin.faults().next(Fault::Timeout);
    let link = device.link.clone();
    let request = device.send_mail_request("send-1", &message);
    let sending = thread::spawn(move || link.door.exchange(&request).map(|answer| answer.status));
    wait_for("the call that hangs", || {
        world.standin.faults().are_spent().then_some(())
    });
    world.kill();
    sending.join().unwrap().expect_err("no answer from the dead");
    world.restart();
    device.send_mail("send-1", &message);
    assert_eq!(anton.sent().len(), 1);
    world.restart();
    // What was confirmed survives the next death, too.
    let answer = device.link.exchange(&device.send_mail_request("send-1", &message));
    let refusal = device.link.read(&answer).expect("118");
    assert_eq!(
        refusal.child_text(oxtender::wbxml::codepage::composemail::STATUS),
        Some("118")
    );
    assert_eq!(anton.sent().len(), 1);
}

/// The order of what a phone has does not change by a restart.
#[test]
fn ids_stay_the_same() {
    let mut world = World::start();
    let anton = world.anton();
    anton.create_contact(json!({"last_name": "Web", "display_name": "Web"}));
    let mut device = world.ready_device(ProtocolVersion::V14_1);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    let before: Vec<String> = device.items(&folder).keys().cloned().collect();
    let folders: Vec<String> = device.folders.keys().cloned().collect();
    world.restart();
    device.hierarchy_key = "0".to_owned();
    device.folder_sync();
    device.collections.clear();
    device.sync(&folder);
    assert_eq!(device.items(&folder).keys().cloned().collect::<Vec<_>>(), before);
    assert_eq!(device.folders.keys().cloned().collect::<Vec<_>>(), folders);
    assert_eq!(
        device.item(&folder, &before[0]).child_text(contacts::LAST_NAME),
        Some("Web")
    );
}
