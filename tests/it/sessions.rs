//! Sessions at OX come and go: lost in the middle of each command, bound to an address, ended by a new password.

use std::collections::BTreeMap;

use ox_standin::Fault;
use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::email;
use serde_json::json;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::TRASH;
use crate::device::commands::Pinged;
use crate::device::commands::body_preference;
use crate::items::contact;
use crate::items::mail;
use crate::world::World;

/// A command with all that is to be seen of its success, good for any number of runs.
type Run = fn(&World, &mut Device);

macro_rules! in_the_middle_of {
    ($($name:ident: $run:expr;)*) => {
        $(
            #[test]
            fn $name() {
                lose_the_session_at_every_call($run);
            }
        )*
    };
}

in_the_middle_of! {
    folder_sync: |world, device| {
        let anton = world.anton();
        let number = device.folders.len();
        anton.create_folder("default0/INBOX", &format!("folder {number}"), "mail");
        assert_eq!(device.folder_sync().added.len(), 1);
    };
    sync_of_contacts: |world, device| {
        let anton = world.anton();
        let ox_folder = anton.default_folder(Module::Contacts);
        let folder = device.folder(CONTACTS);
        anton.create_contact(json!({"last_name": "Web", "display_name": "Web"}));
        device.add(&folder, contact("Otto", "New"));
        let known: Vec<String> = device.items(&folder).keys().take(2).cloned().collect();
        device.change(&folder, &known[0], contact("Otto", &format!("Changed {}", device.items(&folder).len())));
        device.delete(&folder, &known[1]);
        let before = device.items(&folder).len();
        let synced = device.sync_once(&folder);
        assert_eq!((synced.status, synced.added.len(), synced.new_ids.len(), synced.refused.len()), (1, 1, 1, 0));
        assert_eq!(device.items(&folder).len(), before + 1);
        assert_eq!(anton.objects(Module::Contacts, ox_folder).len(), before + 1);
    };
    sync_of_mail: |world, device| {
        let anton = world.anton();
        let inbox = device.folder(INBOX);
        anton.receive(&mail("new", "Text."));
        let known: Vec<String> = device.items(&inbox).keys().take(2).cloned().collect();
        let read = device.item(&inbox, &known[0]).child_text(email::READ) == Some("1");
        device.change(&inbox, &known[0], vec![Element::flag(email::READ, !read)]);
        device.delete(&inbox, &known[1]);
        let synced = device.sync_once(&inbox);
        assert_eq!((synced.status, synced.added.len(), synced.refused.len()), (1, 1, 0));
        assert_eq!(device.items(&inbox).len(), anton.mails("default0/INBOX").len());
        assert!(device.sync(&inbox).is_quiet());
    };
    sync_of_whole_messages: |world, device| {
        let inbox = device.folder(INBOX);
        device.collection(&inbox).options = body_preference(ProtocolVersion::V14_1, 4, None);
        world.anton().receive(&mail("whole", "Text."));
        let synced = device.sync_once(&inbox);
        assert_eq!((synced.status, synced.added.len()), (1, 1));
    };
    get_item_estimate: |world, device| {
        let folder = device.folder(CONTACTS);
        world.anton().create_contact(json!({"last_name": "Web", "display_name": "Web"}));
        assert_eq!(device.estimate(&folder), 1);
        device.sync(&folder);
    };
    ping: |world, device| {
        let inbox = device.folder(INBOX);
        world.anton().receive(&mail("new", "Text."));
        let expected = Pinged { status: 2, folders: vec![inbox.clone()], heartbeat: None };
        assert_eq!(device.ping(20, &[&inbox]), expected);
        device.sync(&inbox);
    };
    send_mail: |world, device| {
        let sent = world.anton().sent().len();
        device.send_mail(&format!("send-{sent}"), &mail(&format!("number {sent}"), "Text."));
        assert_eq!(world.anton().sent().len(), sent + 1);
    };
    move_items: |world, device| {
        let anton = world.anton();
        let (inbox, trash) = (device.folder(INBOX), device.folder(TRASH));
        anton.receive(&mail("old", "Text."));
        let id = device.sync(&inbox).added.remove(0);
        let there = anton.mails("default0/INBOX/Trash").len();
        let moved = device.move_items(&[(&id, &inbox, &trash)]);
        assert_eq!(moved[&id].0, 3);
        assert_eq!(anton.mails("default0/INBOX/Trash").len(), there + 1);
        device.sync(&inbox);
    };
    item_operations: |_, device| {
        let inbox = device.folder(INBOX);
        let id = device.items(&inbox).keys().next().unwrap().clone();
        let fetched = device.fetch_item(&inbox, &id, body_preference(ProtocolVersion::V14_1, 1, None), false);
        assert_eq!(fetched.status, 1);
        assert!(fetched.bytes.is_some());
    };
}

/// A phone that has mails and contacts in stock.
fn stocked(world: &World) -> Device {
    let anton = world.anton();
    for number in 0..10 {
        anton.receive(&mail(&format!("stock {number}"), "Text."));
        anton.create_contact(json!({"last_name": format!("Stock {number}"), "display_name": "Stock"}));
    }
    let mut device = world.ready_device(ProtocolVersion::V14_1);
    for kind in [INBOX, CONTACTS] {
        let folder = device.folder(kind);
        device.sync(&folder);
    }
    device
}

/// Runs a command once to learn which calls it makes at OX, then again for each of them, with the session lost there.
fn lose_the_session_at_every_call(run: Run) {
    let world = World::start();
    let mut device = stocked(&world);
    world.standin.reset_calls();
    run(&world, &mut device);
    let used: BTreeMap<String, u64> = world.standin.calls().by_action;
    let mut lost = 0;
    for (call, times) in &used {
        let (module, action) = call.split_once('?').unwrap_or((call, ""));
        if ["login", "multiple"].contains(&module) {
            continue;
        }
        for nth in 1..=usize::try_from(*times).unwrap().min(3) {
            let logins = world.standin.calls().of("login", "login");
            world.standin.faults().nth(nth, module, action, Fault::SessionExpired);
            run(&world, &mut device);
            if !world.standin.faults().are_spent() {
                // How often a Ping looks at OX depends on the time it takes.
                assert!(nth > 1, "{call} was not called");
                world.standin.faults().clear();
                continue;
            }
            assert_eq!(
                world.standin.calls().of("login", "login"),
                logins + 1,
                "logins after losing {call} {nth}"
            );
            lost += 1;
        }
    }
    assert!(lost > 0, "the command makes no call: {used:?}");
}

/// Every way in which OX says that a session is not good, among them that it is bound to another address.
#[test]
fn every_session_error_is_one_login() {
    let world = World::start();
    let mut device = stocked(&world);
    let folder = device.folder(CONTACTS);
    for code in ["SES-0202", "SES-0203", "SES-0205", "SES-0206"] {
        let logins = world.standin.calls().of("login", "login");
        world.standin.faults().nth(1, "contacts", "all", Fault::error(code, 4));
        assert!(device.sync_once(&folder).is_quiet(), "{code}");
        assert!(world.standin.faults().are_spent(), "{code}");
        assert_eq!(world.standin.calls().of("login", "login"), logins + 1, "{code}");
    }
}

/// OX restarts and knows no session any more, while several phones wait and sync.
#[test]
fn all_sessions_at_once() {
    let world = World::start();
    let mut devices = [stocked(&world), world.ready_device(ProtocolVersion::V16_1)];
    for round in 0..3 {
        world.standin.expire_sessions();
        for device in &mut devices {
            let inbox = device.folder(INBOX);
            assert_eq!(device.sync(&inbox).status, 1, "round {round}");
        }
    }
}

#[test]
fn a_new_password() {
    let world = World::start();
    let mut device = stocked(&world);
    let folder = device.folder(CONTACTS);
    world.anton().change_password("better");
    world.standin.expire_sessions();
    let request = device.sync_request(&[&folder]);
    assert_eq!(device.link.exchange(&request).status, 401);
    let logins = world.standin.calls().of("login", "login");
    for _ in 0..3 {
        let answer = device.link.exchange(&request);
        assert_eq!(answer.status, 401);
        assert!(answer.header("WWW-Authenticate").is_some());
    }
    assert_eq!(
        world.standin.calls().of("login", "login"),
        logins,
        "OX is asked again for a password it refused"
    );
    device.link.password = "better".to_owned();
    assert!(
        device.sync(&folder).is_quiet(),
        "nothing is synced anew because of a password"
    );
}
