//! ItemOperations that are no Fetch: folders emptied, conversations moved; and properties that are left out on wish.

use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::email2;
use oxtender::wbxml::codepage::itemoperations as tag;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::TRASH;
use crate::device::strict::text_of;
use crate::items::mail;
use crate::world::World;

/// The Status of the one operation, and what else the answer says.
fn operate(device: &Device, operation: Element) -> (String, Element) {
    let kind = operation.tag;
    let root = Element::parent(tag::ITEM_OPERATIONS, [operation]);
    let answer = device.link.document("ItemOperations", &root);
    assert_eq!(answer.child_text(tag::STATUS), Some("1"), "{}", text_of(&answer));
    let answer = answer
        .child(tag::RESPONSE)
        .and_then(|response| response.child(kind))
        .expect("an answer")
        .clone();
    (answer.child_text(tag::STATUS).unwrap_or_default().to_owned(), answer)
}

fn empty(device: &Device, folder: &str, with_subfolders: bool) -> String {
    let mut operation = Element::parent(
        tag::EMPTY_FOLDER_CONTENTS,
        [Element::text(airsync::COLLECTION_ID, folder)],
    );
    if with_subfolders {
        operation.push(Element::parent(tag::OPTIONS, [Element::empty(tag::DELETE_SUB_FOLDERS)]));
    }
    let (status, answer) = operate(device, operation);
    assert_eq!(answer.child_text(airsync::COLLECTION_ID), Some(folder));
    status
}

#[test]
fn folders_are_emptied_in_every_version() {
    for version in ProtocolVersion::ALL.into_iter().filter(|version| *version >= V12_0) {
        let world = World::start();
        let anton = world.anton();
        let trash_at_ox = "default0/INBOX/Trash";
        let below = anton.create_folder(trash_at_ox, "Below", "mail");
        let deepest = anton.create_folder(&below, "Deepest", "mail");
        for folder in [trash_at_ox, &below, &deepest] {
            anton.deliver_mail(folder, &mail("x", "Text."));
        }
        let mut device = world.ready_device(version);
        let trash = device.folder(TRASH);
        device.sync(&trash);
        assert_eq!(device.items(&trash).len(), 1);
        assert_eq!(empty(&device, &trash, false), "1", "{version}");
        assert!(anton.mails(trash_at_ox).is_empty());
        assert_eq!(anton.mails(&deepest).len(), 1, "subfolders stay");
        device.sync(&trash);
        assert!(device.items(&trash).is_empty());
        for _ in 0..2 {
            assert_eq!(empty(&device, &trash, true), "1", "{version}");
        }
        let tree = device.folder_sync();
        assert_eq!(tree.deleted.len(), 2, "{version} {tree:?}");
        let contacts = device.folder(CONTACTS);
        assert_eq!(empty(&device, &contacts, false), "16");
        assert_eq!(empty(&device, "4711", false), "6");
    }
}

#[test]
fn a_conversation_is_moved() {
    for version in [V14_0, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let reply = |subject: &str| {
            let mail = String::from_utf8(mail(subject, "Text.")).unwrap();
            format!("References: <root@example.com>\r\n{mail}").into_bytes()
        };
        anton.receive(&mail("root", "Text."));
        anton.receive(&reply("reply"));
        anton.receive(&mail("other", "Text."));
        anton.deliver_mail("default0/INBOX/Sent", &reply("own"));
        let mut device = world.ready_device(version);
        let (inbox, trash) = (device.folder(INBOX), device.folder(TRASH));
        device.sync(&inbox);
        let root = device
            .items(&inbox)
            .values()
            .find(|data| data.child_text(email::SUBJECT) == Some("root"))
            .expect("the root");
        let id = root
            .child(email2::CONVERSATION_ID)
            .expect("a ConversationId")
            .as_bytes()
            .to_vec();
        let command = |id: &[u8], target: &str, always: bool| {
            let mut operation = Element::parent(
                tag::MOVE,
                [
                    Element::opaque(tag::CONVERSATION_ID, id),
                    Element::text(tag::DST_FLD_ID, target),
                ],
            );
            if always {
                operation.push(Element::parent(tag::OPTIONS, [Element::empty(tag::MOVE_ALWAYS)]));
            }
            let (status, answer) = operate(&device, operation);
            assert_eq!(answer.child(tag::CONVERSATION_ID).map(Element::as_bytes), Some(id));
            status
        };
        assert_eq!(command(&id, &trash, false), "155");
        assert_eq!(command(&id, &device.folder(CONTACTS), true), "156");
        assert_eq!(command(&id, "4711", true), "6");
        assert_eq!(command(&id, "RI", true), "105");
        assert_eq!(command(b"nothing", &trash, true), "6");
        assert_eq!(anton.mails("default0/INBOX").len(), 3);
        for _ in 0..2 {
            assert_eq!(command(&id, &trash, true), "1", "{version}");
        }
        assert_eq!(anton.mails("default0/INBOX").len(), 1);
        assert_eq!(anton.mails("default0/INBOX/Trash").len(), 2);
        assert_eq!(anton.mails("default0/INBOX/Sent").len(), 1, "what he sent stays");
        device.sync(&inbox);
        assert_eq!(device.items(&inbox).len(), 1);
    }
}

#[test]
fn only_what_the_schema_names() {
    let world = World::start();
    world.anton().receive(&mail("short", "Text."));
    for version in [V12_0, V16_1] {
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        device.sync(&inbox);
        let id = device.items(&inbox).keys().next().expect("a mail").clone();
        let schema = Element::parent(
            tag::SCHEMA,
            [Element::empty(email::SUBJECT), Element::empty(email::FROM)],
        );
        let fetched = device.fetch_item(&inbox, &id, vec![schema], false);
        let properties = fetched.properties.expect("Properties");
        let names: Vec<_> = properties.children().iter().map(|property| property.tag).collect();
        assert!(
            names.contains(&email::SUBJECT) && names.len() == 2,
            "{version} {names:?}"
        );
    }
}
