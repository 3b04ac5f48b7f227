//! Writes of which nobody knows whether OX carried them out: it did, and its answer was lost.
//!
//! The device is told to come again. What it brings then is found at OX, and neither written twice nor taken for a conflict.

use ox_standin::Fault;
use ox_standin::Module;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::composemail;
use oxtender::wbxml::codepage::contacts;

use crate::items::appointment;
use crate::items::contact;
use crate::items::mail;
use crate::items::task;
use crate::items::tomorrow;
use crate::world::World;

#[test]
fn an_addition_is_found_again() {
    // folder type, module, name of the module, what is added
    let cases = [
        (9, Module::Contacts, "contacts", contact("Eva", "Uncertain")),
        (7, Module::Tasks, "tasks", task("Uncertain")),
        (
            8,
            Module::Calendar,
            "calendar",
            appointment(V14_1, "uid-1", "Uncertain", tomorrow()),
        ),
    ];
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    for (kind, module, name, data) in cases {
        let folder = device.folder(kind);
        device.sync(&folder);
        let before = world
            .anton()
            .objects(module, world.anton().default_folder(module))
            .len();
        world.standin.faults().nth(1, name, "new", Fault::LoseAnswer);
        device.add(&folder, data);
        assert_ne!(
            device.try_sync(&folder).status,
            1,
            "{name}: the device is told to come again"
        );
        device.sync(&folder);
        device.sync(&folder);
        let after = world
            .anton()
            .objects(module, world.anton().default_folder(module))
            .len();
        assert_eq!(after, before + 1, "{name}: stands at OX once");
        assert_eq!(device.items(&folder).len(), after, "{name}: stands on the device once");
    }
}

#[test]
fn a_change_is_no_conflict_with_itself() {
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(9);
    device.sync(&folder);
    device.add(&folder, contact("Eva", "Meier"));
    device.sync(&folder);
    let server_id = device.items(&folder).keys().next().expect("one contact").clone();
    let mut changed = contact("Eva", "Meier");
    changed.push(Element::text(contacts::MOBILE_PHONE_NUMBER, "0170 1"));
    world.standin.faults().nth(1, "contacts", "update", Fault::LoseAnswer);
    device.change(&folder, &server_id, changed);
    assert_ne!(device.try_sync(&folder).status, 1, "the device is told to come again");
    let synced = device.sync(&folder);
    assert!(synced.refused.is_empty(), "no conflict: {synced:?}");
    device.sync(&folder);
    let item = device.item(&folder, &server_id);
    assert_eq!(item.child_text(contacts::MOBILE_PHONE_NUMBER), Some("0170 1"));
}

#[test]
fn a_message_is_sent_once() {
    let world = World::start();
    let device = world.ready_device(V14_1);
    let message = mail("Once", "Text.");
    let request = device.send_mail_request("client-1", &message);
    world.standin.faults().nth(1, "mail", "new", Fault::LoseAnswer);
    let told = device.link.read(&device.link.exchange(&request)).expect("a Status");
    assert_eq!(
        told.child_text(composemail::STATUS),
        Some("111"),
        "the device is told to come again"
    );
    assert_eq!(device.link.exchange(&request).status, 200);
    let again = device.link.read(&device.link.exchange(&request)).expect("a Status");
    assert_eq!(again.child_text(composemail::STATUS), Some("118"));
    assert_eq!(world.anton().sent().len(), 1);
}
