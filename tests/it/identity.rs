//! Whose state it is: users, folders and items that were made anew under a number that was used before.

use ox_standin::Module;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::codepage::email;
use serde_json::json;

use crate::device::CONTACTS;
use crate::device::INBOX;
use crate::items::contact;
use crate::items::mail;
use crate::items::now;
use crate::world::World;
use crate::world::wait_for;

/// Deleted and made anew: the phone of the one before starts from nothing, and what it had changed goes nowhere.
#[test]
fn another_user_with_the_same_number() {
    let mut world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(CONTACTS);
    anton.create_contact(json!({"last_name": "Before", "display_name": "Before"}));
    device.sync(&folder);
    world.restart();
    assert!(device.sync(&folder).is_quiet(), "the same user is known again");

    let ox_folder = anton.default_folder(Module::Contacts);
    for object in anton.objects(Module::Contacts, ox_folder) {
        let id = object["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        anton.delete(Module::Contacts, ox_folder, id.expect("an id"));
    }
    anton.replace();
    world.restart();
    device.add(&folder, contact("Otto", "Old"));
    assert_ne!(device.try_sync(&folder).status, 1, "the key is another one's");
    assert!(
        anton.objects(Module::Contacts, ox_folder).is_empty(),
        "nothing of it arrives"
    );
    let said = "is not the one he was";
    wait_for(said, || world.log().contains(said).then_some(()));
    // From here on he is known.
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    world.restart();
    assert!(device.sync(&folder).is_quiet());
}

/// A folder that is deleted leaves its id behind: the next one of that name is another folder to the phone.
#[test]
fn ids_of_folders_do_not_come_back() {
    let world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(V14_1);
    let mut seen: Vec<String> = device.folders.keys().cloned().collect();
    for round in 0..3 {
        let ox_id = anton.create_folder("1", &format!("Project {round}"), "contacts");
        let added = device.folder_sync().added;
        assert!(added.iter().all(|id| !seen.contains(id)), "{added:?} of {seen:?}");
        assert_eq!(added.len(), 1);
        seen.extend(added);
        anton.delete_folder(&ox_id);
        device.folder_sync();
    }
}

/// A mailbox was moved, and its mails got numbers that meant others before: the phone shows the mail that is there, and what
/// it had done to the other one does not happen to this.
#[test]
fn a_number_that_means_another_mail() {
    let world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    let id = anton.deliver_mail_at("default0/INBOX", &mail("before", "Text."), now() - 5_000_000, 0);
    device.sync(&inbox);
    let shown: Vec<String> = device.items(&inbox).keys().cloned().collect();
    anton.delete_mail("default0/INBOX", &id);
    let other = anton.deliver_mail_at("default0/INBOX", &mail("after", "Text."), now() - 1_000_000, 0);
    anton.renumber_mail("default0/INBOX", &other, &id);
    device.delete(&inbox, &shown[0]);
    device.sync(&inbox);
    device.sync(&inbox);
    let subjects: Vec<_> = device
        .items(&inbox)
        .values()
        .map(|data| data.child_text(email::SUBJECT))
        .collect();
    assert_eq!(subjects, [Some("after")]);
    assert_eq!(
        anton.mails("default0/INBOX").len(),
        1,
        "what was deleted was another mail"
    );
}
