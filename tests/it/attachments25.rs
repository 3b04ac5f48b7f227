//! GetAttachment and GetHierarchy, which devices up to 12.1 have.

use std::collections::BTreeMap;

use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::folderhierarchy;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Answer;
use crate::device::link::Parameters;
use crate::world::World;

/// A picture of eight bytes, and nothing of a file.
const SOURCE: &[u8] = b"From: berta@example.com\r\nTo: anton@example.com\r\nSubject: files\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\ntext\r\n\
    --x\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: attachment; filename=a.png\r\n\
    Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n\
    --x\r\nContent-Type: application/x-nothing\r\nContent-Disposition: attachment; filename=b.bin\r\n\r\n\r\n--x--\r\n";

fn attachment(device: &Device, name: &str) -> Answer {
    let mut request = device.link.request("GetAttachment", Parameters::default(), "", None);
    request.target.push_str(&format!("&AttachmentName={name}"));
    device.link.exchange(&request)
}

/// The names under which the mail's attachments are fetched.
fn names(device: &Device, inbox: &str, id: &str) -> Vec<String> {
    let item = device.item(inbox, id);
    let (list, name) = match device.version() {
        V2_5 => (email::ATTACHMENTS, email::ATT_NAME),
        _ => (airsyncbase::ATTACHMENTS, airsyncbase::FILE_REFERENCE),
    };
    let attachments = item.child(list).map_or(&[][..], Element::children);
    let names = attachments.iter().filter_map(|attachment| attachment.child_text(name));
    names.map(str::to_owned).collect()
}

#[test]
fn attachments_come_as_they_are() {
    for version in [V2_5, V12_0, V12_1] {
        let world = World::start();
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        let at_ox = world.anton().receive(SOURCE);
        let id = device.sync(&inbox).added.remove(0);
        let names = names(&device, &inbox, &id);
        assert_eq!(names.len(), 2, "{version}");
        let answer = attachment(&device, &names[0]);
        assert_eq!(
            (answer.status, answer.header("Content-Type")),
            (200, Some("image/png")),
            "{version}"
        );
        assert_eq!(answer.body, b"\x89PNG\r\n\x1a\n", "{version}");
        let empty = attachment(&device, &names[1]);
        assert_eq!((empty.status, empty.body.len()), (200, 0), "{version}");
        let seen = world.anton().mails("default0/INBOX")[0].flags & ox_standin::flag::SEEN;
        assert_eq!(seen, 0, "{version}: fetching is not reading");

        // Names of nobody, and of what is gone.
        for name in ["", "x", "99:1:2", &names[0].replace(":2", ":77")] {
            assert_eq!(attachment(&device, name).status, 500, "{version} {name}");
        }
        world.anton().delete_mail("default0/INBOX", &at_ox);
        assert_eq!(attachment(&device, &names[0]).status, 500, "{version}");
    }
}

/// All mail folders and no other ones, under the ids of FolderSync.
#[test]
fn the_hierarchy_is_that_of_folder_sync() {
    for version in [V2_5, V12_0, V12_1] {
        let world = World::start();
        world.anton().create_folder("default0/INBOX", "Projekt", "mail");
        let device = world.ready_device(version);
        let request = device.link.request("GetHierarchy", Parameters::default(), "", None);
        let root = device.link.read(&device.link.exchange(&request)).expect("a document");
        assert_eq!(root.tag, folderhierarchy::FOLDERS);
        let text = |folder: &Element, tag| folder.child_text(tag).unwrap_or_default().to_owned();
        let shown: BTreeMap<String, (String, String, String)> = root
            .children()
            .iter()
            .map(|folder| {
                let place = (
                    text(folder, folderhierarchy::PARENT_ID),
                    text(folder, folderhierarchy::DISPLAY_NAME),
                    text(folder, folderhierarchy::TYPE),
                );
                (text(folder, folderhierarchy::SERVER_ID), place)
            })
            .collect();
        let mails = device
            .folders
            .iter()
            .filter(|(_, folder)| matches!(folder.kind, 1..=6 | 12));
        let expected: BTreeMap<_, _> = mails
            .map(|(id, folder)| {
                let place = (folder.parent.clone(), folder.name.clone(), folder.kind.to_string());
                (id.clone(), place)
            })
            .collect();
        assert_eq!(shown, expected, "{version}");
    }
}
