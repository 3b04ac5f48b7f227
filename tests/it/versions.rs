//! The core scenario, once per protocol version and once per generation of OX: everything a phone does in its first days.

use ox_standin::Module;
use ox_standin::Profile;
use oxtender::version::ProtocolVersion;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::email;
use serde_json::Value;
use serde_json::json;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::link::Query;
use crate::items::CLASSES;
use crate::items::Class;
use crate::items::HOUR;
use crate::items::appointment;
use crate::items::contact;
use crate::items::mail;
use crate::items::property;
use crate::items::task;
use crate::items::tomorrow;
use crate::world::World;

macro_rules! versions {
    ($($name:ident $version:ident $query:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let world = World::start();
                let mut device = world.device(ProtocolVersion::$version);
                device.link.query = Query::$query;
                core(&world, &mut device);
            }
        )*
    };
}

versions! {
    version_2_5 V2_5 Plain;
    version_12_0 V12_0 Plain;
    version_12_1 V12_1 Base64;
    version_14_0 V14_0 Plain;
    version_14_1 V14_1 Base64;
    version_16_0 V16_0 Plain;
    version_16_1 V16_1 Base64;
}

macro_rules! servers {
    ($($name:ident $profile:ident $version:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let world = World::plan()
                    .standin(|builder| builder.profile(Profile::$profile).whims(WHIMS))
                    .start()
                    .expect("SQLite");
                core(&world, &mut world.device(ProtocolVersion::$version));
            }
        )*
    };
}

/// Any number: the whims of the servers.
const WHIMS: u64 = 5;

// Every generation of servers, each of which writes its answers now this way and now that.
servers! {
    server_6_16 V6_16 V12_1;
    server_6_20 V6_20 V14_1;
    server_7_8 V7_8 V2_5;
    server_7_10 V7_10 V16_1;
    server_8 V8 V16_1;
}

/// The scenario, for any door and version.
pub(crate) fn core(world: &World, device: &mut Device) {
    device.set_up();
    if device.version() >= ProtocolVersion::V12_0 {
        assert!(device.settings().contains(&"anton@example.com".to_owned()));
    }
    for class in &CLASSES {
        both_ways(world, device, class);
    }
    mail_arrives(world, device);
}

fn at_web(class: &Class, title: &str) -> Value {
    match class.module {
        Module::Contacts => json!({"last_name": title, "first_name": "Eva", "display_name": title}),
        Module::Calendar => {
            json!({"title": title, "start_date": tomorrow() + 9 * HOUR, "end_date": tomorrow() + 10 * HOUR,
            "shown_as": 1})
        }
        Module::Tasks => json!({"title": title}),
    }
}

fn on_phone(class: &Class, version: ProtocolVersion, title: &str) -> Vec<Element> {
    match class.module {
        Module::Contacts => contact("Otto", title),
        Module::Calendar => appointment(version, "core-1", title, tomorrow() + 12 * HOUR),
        Module::Tasks => task(title),
    }
}

/// First Sync, then an addition, a change and a deletion from each side.
fn both_ways(world: &World, device: &mut Device, class: &Class) {
    let anton = world.anton();
    let ox_folder = anton.default_folder(class.module);
    let at_ox = |id: u32| anton.object(class.module, id).map(|object| object[class.field].clone());
    let first = anton.create(class.module, at_web(class, "First"));
    let folder = device.folder(class.kind);
    let before = device.sync(&folder);
    let first_id = one_with_title(device, &folder, class, "First");
    assert!(before.added.contains(&first_id), "{before:?}");
    assert!(device.sync(&folder).is_quiet());

    // Additions, with an estimate that knows of one of them.
    let second = anton.create(class.module, at_web(class, "Second"));
    assert_eq!(device.estimate(&folder), 1);
    let data = on_phone(class, device.version(), "Third");
    let client_id = device.add(&folder, data);
    let synced = device.sync(&folder);
    assert_eq!((synced.added.len(), synced.new_ids.len()), (1, 1), "{synced:?}");
    let second_id = one_with_title(device, &folder, class, "Second");
    let third_id = synced.new_ids[&client_id].clone();
    let objects = anton.objects(class.module, ox_folder);
    let third = objects
        .iter()
        .filter(|object| object[class.field] == "Third")
        .collect::<Vec<_>>();
    assert_eq!(third.len(), 1, "{objects:#?}");
    let third = u32::try_from(third[0]["id"].as_u64().unwrap()).unwrap();

    // Changes.
    anton.update(
        class.module,
        ox_folder,
        second,
        json!({class.field: "Second, changed at the web"}),
    );
    let mut data = on_phone(class, device.version(), "Third, changed on the phone");
    data.retain(|element| element.tag != calendar::UID);
    device.change(&folder, &third_id, data);
    let synced = device.sync(&folder);
    assert_eq!(
        (&synced.changed[..], &synced.refused[..]),
        (&[second_id.clone()][..], &[][..]),
        "{synced:?}"
    );
    assert_eq!(
        property(device.item(&folder, &second_id), class.title),
        "Second, changed at the web"
    );
    assert_eq!(at_ox(third), Some("Third, changed on the phone".into()));

    // Deletions.
    anton.delete(class.module, ox_folder, second);
    device.delete(&folder, &third_id);
    let synced = device.sync(&folder);
    assert_eq!(
        (&synced.deleted[..], &synced.refused[..]),
        (&[second_id][..], &[][..]),
        "{synced:?}"
    );
    assert_eq!(at_ox(third), None);
    assert!(at_ox(first).is_some());
    assert!(device.sync(&folder).is_quiet());
    assert_eq!(device.estimate(&folder), 0);
}

fn one_with_title(device: &Device, folder: &str, class: &Class, title: &str) -> String {
    let items = device.items(folder).iter();
    let mut found = items
        .filter(|(_, data)| data.child_text(class.title) == Some(title))
        .map(|(id, _)| id.clone());
    let id = found
        .next()
        .unwrap_or_else(|| panic!("the phone has no {title:?}: {:#?}", device.items(folder)));
    assert_eq!(found.next(), None, "{title:?} twice");
    id
}

/// A first mail, then a Ping that a second one wakes; read on one side, deleted on the other.
fn mail_arrives(world: &World, device: &mut Device) {
    let anton = world.anton();
    let first = anton.receive(&mail("one", "The first."));
    let inbox = device.folder(INBOX);
    assert_eq!(device.sync(&inbox).added.len(), 1);
    assert_eq!(device.ping(1, &[&inbox]).status, 1);
    let waiting = device.start_ping(60, &[&inbox]);
    anton.receive(&mail("two", "The second."));
    let pinged = waiting.join().unwrap();
    assert_eq!((pinged.status, &pinged.folders[..]), (2, &[inbox.clone()][..]));
    let second = device.sync(&inbox).added.remove(0);
    assert_eq!(property(device.item(&inbox, &second), email::SUBJECT), "two");

    device.change(&inbox, &second, vec![Element::number(email::READ, 1)]);
    anton.delete_mail("default0/INBOX", &first);
    let synced = device.sync(&inbox);
    assert_eq!((synced.deleted.len(), synced.changed.len()), (1, 0), "{synced:?}");
    let mails = anton.mails("default0/INBOX");
    assert_eq!(mails.len(), 1);
    assert_ne!(mails[0].flags & ox_standin::flag::SEEN, 0);
    device.delete(&inbox, &second);
    assert!(device.sync(&inbox).is_quiet());
    assert!(anton.mails("default0/INBOX").is_empty());
}
