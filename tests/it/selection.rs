//! Folder tree 20 (`allow_folder_selection`): phones get the folders that their user chose, and the default folders.

use ox_standin::Builder;
use ox_standin::Profile;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::folderhierarchy as tag;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::Tree;
use crate::items::mail;
use crate::world::World;

const VERSIONS: [ProtocolVersion; 3] = [V2_5, V14_1, V16_1];

fn world(of: impl FnOnce(Builder) -> Builder) -> World {
    let plan = World::plan().property("eas.allow_folder_selection", "true").standin(of);
    let world = plan.start().expect("SQLite is always there");
    let anton = world.anton();
    anton.create_folder("default0/INBOX", "Chosen", "mail");
    anton.create_folder("default0/INBOX", "Other", "mail");
    anton.create_folder("1", "Birthdays", "calendar");
    anton.choose_folder("default0/INBOX/Chosen", true);
    anton.deliver_mail("default0/INBOX/Chosen", &mail("one", "Text."));
    world
}

fn has(device: &Device, name: &str) -> bool {
    device.folders.values().any(|folder| folder.name == name)
}

/// What was chosen comes with the default folders; what is not chosen any more goes from the phone and stays at OX, and comes back
/// under its id.
#[test]
fn chosen_folders_come_and_go() {
    for version in VERSIONS {
        let world = world(|builder| builder);
        let anton = world.anton();
        let mut device = world.ready_device(version);
        let mut kinds: Vec<i64> = device.folders.values().map(|folder| folder.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds, [2, 3, 4, 5, 7, 8, 9, 12], "{version}: {:?}", device.folders);
        assert!(
            has(&device, "Chosen") && !has(&device, "Other") && !has(&device, "Birthdays"),
            "{version}"
        );
        let chosen = device.folder_named("Chosen");
        assert_eq!(device.sync(&chosen).added.len(), 1, "{version}");
        anton.choose_folder("default0/INBOX/Chosen", false);
        anton.choose_folder("default0/INBOX/Other", true);
        let tree = device.folder_sync();
        assert_eq!(
            (&tree.deleted, tree.added.len()),
            (&vec![chosen.clone()], 1),
            "{version}"
        );
        assert_eq!(anton.mails("default0/INBOX/Chosen").len(), 1, "{version}");
        assert_ne!(device.folder_named("Other"), chosen, "{version}");
        anton.choose_folder("default0/INBOX/Chosen", true);
        assert_eq!(device.folder_sync().added, std::slice::from_ref(&chosen), "{version}");
        device.collections.remove(&chosen);
        assert_eq!(device.sync(&chosen).added.len(), 1, "{version}");
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
    }
}

/// What the phone makes itself is chosen with that, and stays so when the phone gives it another name.
#[test]
fn own_folders_are_chosen() {
    for version in VERSIONS {
        // Older servers let nobody but their own web pages choose.
        let world = world(|builder| builder.at_least(Profile::V7_8));
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        let ask = |device: &Device, root, children: &[(_, &str)]| {
            let key = Element::text(tag::SYNC_KEY, device.hierarchy_key.clone());
            let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
            let document = Element::parent(root, std::iter::once(key).chain(children));
            let answer = device.link.document(&document.tag.name(), &document);
            assert_eq!(answer.child_text(tag::STATUS), Some("1"), "{version}");
            let text = |tag| answer.child_text(tag).unwrap_or_default().to_owned();
            (text(tag::SYNC_KEY), text(tag::SERVER_ID))
        };
        let made = [
            (tag::PARENT_ID, inbox.as_str()),
            (tag::DISPLAY_NAME, "Made"),
            (tag::TYPE, "12"),
        ];
        let (key, id) = ask(&device, tag::FOLDER_CREATE, &made);
        device.hierarchy_key = key;
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
        let renamed = [
            (tag::SERVER_ID, id.as_str()),
            (tag::PARENT_ID, inbox.as_str()),
            (tag::DISPLAY_NAME, "Renamed"),
        ];
        let (key, _) = ask(&device, tag::FOLDER_UPDATE, &renamed);
        device.hierarchy_key = key;
        assert_eq!(device.folder_sync(), Tree::default(), "{version}");
        let other = world.ready_device(version);
        assert!(has(&other, "Renamed") && !has(&other, "Made"), "{version}");
    }
}

/// A folder that the web user renames stays the same for the phone, whether OX keeps the choice under the new id of the folder
/// or not; and stays chosen for his other phones.
#[test]
fn a_renamed_folder_stays_chosen() {
    for follows in [false, true] {
        for version in VERSIONS {
            let world = world(|builder| {
                // Older servers let nobody but their own web pages choose.
                let builder = builder.at_least(Profile::V7_8);
                if follows { builder.selection_follows() } else { builder }
            });
            let anton = world.anton();
            let mut device = world.ready_device(version);
            let chosen = device.folder_named("Chosen");
            device.sync(&chosen);
            anton.rename_folder("default0/INBOX/Chosen", "Renamed");
            let expected = Tree {
                changed: vec![chosen.clone()],
                ..Tree::default()
            };
            assert_eq!(device.folder_sync(), expected, "{version} {follows}");
            assert!(device.sync(&chosen).is_quiet(), "{version} {follows}");
            assert_eq!(device.folder_sync(), Tree::default(), "{version} {follows}");
            let other = world.ready_device(version);
            assert!(has(&other, "Renamed") && !has(&other, "Chosen"), "{version} {follows}");
            // The user is still the one who decides.
            anton.choose_folder("default0/INBOX/Renamed", false);
            assert_eq!(device.folder_sync().deleted, [chosen], "{version} {follows}");
        }
    }
}

/// Where OX does not let the gateway choose, a renamed folder leaves the phone, and comes back under its id when the user
/// chooses it again. At OX it stays, and so does one that the phone makes; the log says what happens.
#[test]
fn servers_where_only_the_user_chooses() {
    for version in VERSIONS {
        let world = world(|builder| builder.without_action("folders", "subscribe"));
        let anton = world.anton();
        let mut device = world.ready_device(version);
        let chosen = device.folder_named("Chosen");
        device.sync(&chosen);
        let renamed = anton.rename_folder("default0/INBOX/Chosen", "Renamed");
        assert_eq!(device.folder_sync().deleted, std::slice::from_ref(&chosen), "{version}");
        assert!(world.log().contains("does not put"), "{version}");
        assert_eq!(anton.mails(&renamed).len(), 1, "{version}");
        anton.choose_folder(&renamed, true);
        assert_eq!(device.folder_sync().added, [chosen], "{version}");
    }
}

/// A folder that nobody chose does not take the place of one that was deleted.
#[test]
fn a_deleted_folder_is_not_replaced() {
    let world = world(|builder| builder.at_least(Profile::V7_8));
    let anton = world.anton();
    anton.create_folder("default0/INBOX", "Empty", "mail");
    anton.choose_folder("default0/INBOX/Empty", true);
    let mut device = world.ready_device(V14_1);
    let empty = device.folder_named("Empty");
    device.sync(&empty);
    anton.delete_folder("default0/INBOX/Empty");
    assert_eq!(device.folder_sync().deleted, [empty]);
    assert!(!has(&world.ready_device(V14_1), "Other"));
}

/// OX knows no such tree: phones get everything, and the log tells it once.
#[test]
fn servers_without_the_tree() {
    let world = world(Builder::without_selection_tree);
    for version in VERSIONS {
        let device = world.ready_device(version);
        assert!(
            has(&device, "Chosen") && has(&device, "Other") && has(&device, "Birthdays"),
            "{version}"
        );
    }
    let told = world.log().matches("has no folder tree 20").count();
    assert_eq!(told, 1);
}
