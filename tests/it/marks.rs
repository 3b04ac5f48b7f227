//! Additions whose answer was lost, and what became of the object before the phone came again.
//!
//! A contact or a task is known again by the UID that the gateway gave it, where OX keeps that; else by what it says, as long
//! as nobody has changed it. An addition is never lost for that: what cannot be known again is added once more.

use ox_standin::Fault;
use ox_standin::Module;
use ox_standin::Profile;
use ox_standin::Uids;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use serde_json::Value;
use serde_json::json;

use crate::device::Device;
use crate::items::CLASSES;
use crate::items::Class;
use crate::items::contact;
use crate::items::task;
use crate::world::World;

const TITLE: &str = "Uncertain";

/// Contacts and tasks; with the fields that others change.
fn classes() -> impl Iterator<Item = &'static Class> {
    CLASSES.iter().filter(|class| class.module != Module::Calendar)
}

fn data(class: &Class) -> Vec<Element> {
    match class.module {
        Module::Contacts => contact("Eva", TITLE),
        _ => task(TITLE),
    }
}

/// A phone, and a folder that it has synced.
struct Scene {
    world: World,
    device: Device,
    folder: String,
    class: &'static Class,
    /// The first write of an addition that OX may take.
    first: usize,
}

/// From here on the documents have a UID for the objects of a class.
fn has_column(class: &Class, profile: Profile) -> bool {
    class.module == Module::Contacts || profile >= Profile::V7_8
}

impl Scene {
    fn of(class: &'static Class, profile: Profile, uids: Uids) -> Self {
        let world = World::plan()
            .standin(|ox| ox.profile(profile).uids(uids))
            .start()
            .expect("a world");
        let mut device = world.ready_device(V14_1);
        let folder = device.folder(class.kind);
        device.sync(&folder);
        Self {
            world,
            device,
            folder,
            class,
            first: if uids == Uids::Refused && has_column(class, profile) {
                2
            } else {
                1
            },
        }
    }

    /// The phone adds an item, and OX's answer does not come.
    fn add_and_lose(&mut self, fault: Fault) {
        let faults = self.world.standin.faults();
        faults.nth(self.first, self.class.module.name(), "new", fault);
        self.device.add(&self.folder, data(self.class));
        assert_ne!(self.device.try_sync(&self.folder).status, 1, "it is told to come again");
    }

    fn at_ox(&self) -> Vec<Value> {
        let anton = self.world.anton();
        anton.objects(self.class.module, anton.default_folder(self.class.module))
    }

    /// The only object, by its number.
    fn id(&self) -> u32 {
        let objects = self.at_ox();
        assert_eq!(objects.len(), 1, "{objects:?}");
        u32::try_from(objects[0]["id"].as_u64().expect("a number")).expect("a small one")
    }

    fn change(&self, change: Value) {
        let anton = self.world.anton();
        let folder = anton.default_folder(self.class.module);
        anton.update(self.class.module, folder, self.id(), change);
    }

    /// The phone comes again: it and OX have so many items then, and the same ones.
    fn end(mut self, count: usize, case: &str) {
        self.device.sync(&self.folder);
        let titles: Vec<Value> = self
            .at_ox()
            .iter()
            .map(|object| object[self.class.field].clone())
            .collect();
        assert_eq!(titles.len(), count, "{case}: {titles:?} at OX");
        self.device.sync(&self.folder);
        let mut on_phone: Vec<Value> = self
            .device
            .items(&self.folder)
            .values()
            .map(|data| json!(data.child_text(self.class.title)))
            .collect();
        let mut titles = titles;
        titles.sort_by_key(Value::to_string);
        on_phone.sort_by_key(Value::to_string);
        assert_eq!(on_phone, titles, "{case}");
        assert!(self.device.sync(&self.folder).is_quiet(), "{case}");
    }
}

#[test]
fn an_addition_that_nobody_touched_is_known_on_every_server() {
    for (class, profile) in classes().flat_map(|class| Profile::ALL.map(|profile| (class, profile))) {
        for uids in Uids::ALL {
            let mut scene = Scene::of(class, profile, uids);
            scene.add_and_lose(Fault::LoseAnswer);
            let case = format!("{} {profile:?} {uids:?}", class.module.name());
            scene.end(1, &case);
        }
    }
}

/// What the phone gets then is what OX has.
#[test]
fn an_addition_that_somebody_changed_is_known_where_uids_are_kept() {
    for (class, profile) in classes().flat_map(|class| Profile::ALL.map(|profile| (class, profile))) {
        for uids in Uids::ALL {
            let mut scene = Scene::of(class, profile, uids);
            scene.add_and_lose(Fault::LoseAnswer);
            scene.change(json!({class.field: "Changed"}));
            let is_known = uids == Uids::Kept && has_column(class, profile);
            let case = format!("{} {profile:?} {uids:?}", class.module.name());
            scene.end(if is_known { 1 } else { 2 }, &case);
        }
    }
}

/// Nobody can know that: `updates` tells the ids of what is gone, and the phone's addition has none yet.
#[test]
fn an_addition_that_somebody_deleted_is_added_once_more() {
    for class in classes() {
        let mut scene = Scene::of(class, Profile::default(), Uids::Kept);
        scene.add_and_lose(Fault::LoseAnswer);
        let anton = scene.world.anton();
        anton.delete(class.module, anton.default_folder(class.module), scene.id());
        scene.end(1, class.module.name());
    }
}

/// OX has an item that says the same, and it is another one's: neither is taken for the other.
#[test]
fn what_another_phone_added_is_another_item() {
    for class in classes() {
        let mut scene = Scene::of(class, Profile::default(), Uids::Kept);
        scene.add_and_lose(Fault::Reset);
        let mut other = scene.world.ready_device(V14_1);
        other.sync(&scene.folder);
        other.add(&scene.folder, data(class));
        other.sync(&scene.folder);
        scene.end(2, class.module.name());
    }
}

/// The same of two items of one phone that say the same, on every server.
#[test]
fn two_items_that_say_the_same_stay_two() {
    for (class, uids) in classes().flat_map(|class| Uids::ALL.map(|uids| (class, uids))) {
        let mut scene = Scene::of(class, Profile::default(), uids);
        let name = class.module.name();
        let faults = scene.world.standin.faults();
        faults.nth(scene.first + 1, name, "new", Fault::Reset);
        for _ in 0..2 {
            scene.device.add(&scene.folder, data(class));
        }
        assert_ne!(scene.device.try_sync(&scene.folder).status, 1, "{uids:?}");
        assert_eq!(scene.at_ox().len(), 1, "{uids:?}");
        scene.end(2, &format!("{name} {uids:?}"));
    }
}

/// OX fails by a fault of its own, whatever it has done before.
#[test]
fn an_ox_that_stumbles_has_the_item_once() {
    for (class, uids) in classes().flat_map(|class| Uids::ALL.map(|uids| (class, uids))) {
        let mut scene = Scene::of(class, Profile::default(), uids);
        let faults = scene.world.standin.faults();
        faults.nth(1, class.module.name(), "new", Fault::error("OX-9999", 8));
        scene.device.add(&scene.folder, data(class));
        scene.end(1, &format!("{} {uids:?}", class.module.name()));
    }
}

/// In the ordinary case there is no call more than the write itself, and its look at the folder.
#[test]
fn a_mark_costs_no_call() {
    for (class, uids) in classes().flat_map(|class| Uids::ALL.map(|uids| (class, uids))) {
        let mut scene = Scene::of(class, Profile::default(), uids);
        for number in 1..=3 {
            let calls = scene.world.standin.calls().requests;
            scene.device.add(&scene.folder, data(class));
            assert_eq!(scene.device.sync_once(&scene.folder).status, 1);
            let cost = scene.world.standin.calls().requests - calls;
            // A server that refuses marks is asked once.
            let once = if number == 1 { scene.first as u64 - 1 } else { 0 };
            assert_eq!(cost, 2 + once, "{} {uids:?}, addition {number}", class.module.name());
        }
        let marked = scene.at_ox().into_iter().filter(|object| {
            let uid = object["uid"].as_str();
            uid.is_some_and(|uid| uid.ends_with("@oxtender"))
        });
        assert_eq!(marked.count(), if uids == Uids::Kept { 3 } else { 0 }, "{uids:?}");
    }
}
