//! Ghosts: contacts, tasks and appointments that OX lists and does not have, for a moment or for years.
//!
//! The list may be ahead of the rest of OX, or behind it: a row is left over, a node has not heard of it yet, or the item is
//! deleted between two calls. The others arrive, the phone is told nothing that it would ask for again and again, and the
//! administrator nothing at all.

use ox_standin::Module;
use ox_standin::Profile;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use serde_json::Value;
use serde_json::json;

use crate::administration::told;
use crate::device::Device;
use crate::items::CLASSES;
use crate::items::Class;
use crate::items::HOUR;
use crate::items::tomorrow;
use crate::world::World;

fn object(class: &Class, title: &str) -> Value {
    match class.module {
        Module::Contacts => json!({"last_name": title, "display_name": title}),
        Module::Calendar => {
            json!({"title": title, "start_date": tomorrow(), "end_date": tomorrow() + HOUR, "shown_as": 1})
        }
        Module::Tasks => json!({"title": title}),
    }
}

fn titles(device: &Device, class: &Class, folder: &str) -> Vec<String> {
    let items = device.items(folder).values();
    let titles = items.filter_map(|data| data.child_text(class.title));
    let mut titles: Vec<String> = titles.map(str::to_owned).collect();
    titles.sort();
    titles
}

/// Whatever a phone may ask, it hears of nothing; and the administrator has nothing to do.
fn assert_rest(world: &World, device: &mut Device, folder: &str) {
    for _ in 0..3 {
        let calls = world.standin.calls().requests;
        assert!(device.sync(folder).is_quiet());
        let cost = world.standin.calls().requests - calls;
        assert!(cost <= 3, "the list, and one more try: {cost} calls");
    }
    assert_eq!(device.estimate(folder), 0);
    assert_eq!(device.ping(1, &[folder]).status, 1, "nothing to Sync for");
    let shown = told(world, &format!("device show {}", device.link.device_id));
    assert!(!shown.contains("unreadable"), "{shown}");
}

#[test]
fn an_item_that_the_phone_does_not_have() {
    for (class, version) in CLASSES
        .iter()
        .flat_map(|class| [(class, V2_5), (class, V14_1), (class, V16_1)])
    {
        let world = World::plan()
            .property("eas.ping.min_heartbeat", "1")
            .start()
            .expect("a world");
        let (anton, faults) = (world.anton(), world.standin.faults());
        let mut device = world.ready_device(version);
        let folder = device.folder(class.kind);
        device.sync(&folder);
        let ghost = anton.create(class.module, object(class, "ghost"));
        faults.haunt(class.module, ghost);
        for title in ["one", "two"] {
            anton.create(class.module, object(class, title));
        }
        device.collection(&folder).window = 1;
        device.sync(&folder);
        assert_eq!(titles(&device, class, &folder), ["one", "two"], "{version}");
        assert_rest(&world, &mut device, &folder);

        // Others come and go as ever.
        anton.create(class.module, object(class, "three"));
        assert_eq!(device.estimate(&folder), 1);
        assert_eq!(device.ping(1, &[&folder]).status, 2);
        device.sync(&folder);
        assert_eq!(titles(&device, class, &folder), ["one", "three", "two"], "{version}");

        // It is there after all: as it was listed, or changed.
        faults.lay(class.module, ghost);
        assert_eq!(device.sync(&folder).added.len(), 1, "{version}");
        assert_eq!(titles(&device, class, &folder), ["ghost", "one", "three", "two"]);
        assert_rest(&world, &mut device, &folder);
    }
}

#[test]
fn an_item_that_the_phone_has() {
    // Old servers refuse a list because of a ghost in it, newer ones leave it out.
    let cases = [(V2_5, Profile::V6_20), (V14_1, Profile::V7_8), (V16_1, Profile::V8)];
    for (class, (version, profile)) in CLASSES.iter().flat_map(|class| cases.map(|case| (class, case))) {
        let world = World::plan()
            .standin(|ox| ox.profile(profile))
            .property("eas.ping.min_heartbeat", "1")
            .start()
            .expect("a world");
        let (anton, faults) = (world.anton(), world.standin.faults());
        let ox_folder = anton.default_folder(class.module);
        let item = anton.create(class.module, object(class, "before"));
        let mut device = world.ready_device(version);
        let folder = device.folder(class.kind);
        device.sync(&folder);
        assert_eq!(titles(&device, class, &folder), ["before"]);
        anton.update(class.module, ox_folder, item, json!({class.field: "after"}));
        faults.haunt(class.module, item);
        let synced = device.sync(&folder);
        assert_eq!(synced.commands(), 0, "{version}: it neither changes nor goes");
        assert_rest(&world, &mut device, &folder);
        assert_eq!(titles(&device, class, &folder), ["before"]);

        faults.lay(class.module, item);
        device.sync(&folder);
        assert_eq!(titles(&device, class, &folder), ["after"], "{version}");
        assert_rest(&world, &mut device, &folder);
    }
}

/// A ghost that OX lists no more: the phone that had it is told, and the one that had it not is told nothing.
#[test]
fn an_item_that_is_gone_in_the_end() {
    for class in &CLASSES {
        let world = World::start();
        let (anton, faults) = (world.anton(), world.standin.faults());
        let ox_folder = anton.default_folder(class.module);
        let old = anton.create(class.module, object(class, "old"));
        let mut device = world.ready_device(V14_1);
        let folder = device.folder(class.kind);
        device.sync(&folder);
        anton.update(class.module, ox_folder, old, json!({class.field: "newer"}));
        let new = anton.create(class.module, object(class, "new"));
        for ghost in [old, new] {
            faults.haunt(class.module, ghost);
        }
        device.sync(&folder);
        assert_eq!(titles(&device, class, &folder), ["old"]);
        for ghost in [old, new] {
            faults.lay(class.module, ghost);
            anton.delete(class.module, ox_folder, ghost);
        }
        let synced = device.sync(&folder);
        assert_eq!((synced.deleted.len(), synced.commands()), (1, 1));
        assert!(titles(&device, class, &folder).is_empty() && device.sync(&folder).is_quiet());
    }
}

/// What a phone writes into a ghost is refused, not lost in silence; what it deletes is gone.
#[test]
fn a_phone_that_touches_a_ghost() {
    for class in &CLASSES {
        let world = World::start();
        let (anton, faults) = (world.anton(), world.standin.faults());
        let item = anton.create(class.module, object(class, "before"));
        let mut device = world.ready_device(V14_1);
        let folder = device.folder(class.kind);
        device.sync(&folder);
        faults.haunt(class.module, item);
        let id = device.items(&folder).keys().next().expect("an item").clone();
        let mut data = device.item(&folder, &id).children().to_vec();
        data.retain(|element| element.tag != class.title && element.tag != oxtender::wbxml::codepage::calendar::UID);
        data.push(oxtender::wbxml::Element::text(class.title, "written"));
        device.change(&folder, &id, data);
        assert_eq!(device.sync(&folder).refused.len(), 1);
        assert!(device.sync(&folder).is_quiet());
        device.delete(&folder, &id);
        device.sync(&folder);
        assert!(device.items(&folder).is_empty() && device.sync(&folder).is_quiet());
        // OX has it again: the deletion was never carried out.
        faults.lay(class.module, item);
        device.sync(&folder);
        assert_eq!(titles(&device, class, &folder), ["before"]);
    }
}
