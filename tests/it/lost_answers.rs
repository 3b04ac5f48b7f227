//! Answers that never arrive: the phone repeats its request under the old key, and nothing may be doubled or lost.
//!
//! Every kind of Sync loses its answer, once or twice, forgotten after it arrived or never waited for. Between loss and
//! repetition the world goes on at OX. Both stores must pass.

use std::collections::BTreeSet;

use ox_standin::Module;
use ox_standin::WebUser;
use oxtender::version::ProtocolVersion;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::email;
use serde_json::json;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::Loss;
use crate::items::CLASSES;
use crate::items::Class;
use crate::items::HOUR;
use crate::items::appointment;
use crate::items::contact;
use crate::items::mail;
use crate::items::task;
use crate::items::tomorrow;
use crate::world::Store;
use crate::world::World;

macro_rules! losses {
    ($($name:ident $store:ident $loss:ident $times:literal;)*) => {
        $(
            #[test]
            fn $name() {
                let Some(world) = World::with(Store::$store) else { return };
                for class in &CLASSES {
                    let mut phone = Phone::new(&world, class, Loss::$loss, $times);
                    phone.first_sync();
                    phone.additions();
                    phone.changes();
                    phone.deletions();
                    phone.everything_at_once();
                }
            }
        )*
    };
}

losses! {
    forgotten_once_sqlite Sqlite Forgotten 1;
    forgotten_twice_sqlite Sqlite Forgotten 2;
    hung_up_once_sqlite Sqlite HungUp 1;
    hung_up_twice_sqlite Sqlite HungUp 2;
    forgotten_once_mariadb MariaDb Forgotten 1;
    forgotten_twice_mariadb MariaDb Forgotten 2;
    hung_up_once_mariadb MariaDb HungUp 1;
    hung_up_twice_mariadb MariaDb HungUp 2;
}

/// A phone with a bad connection, and the same folder at OX.
struct Phone<'a> {
    device: Device,
    folder: String,
    class: &'a Class,
    anton: WebUser,
    ox_folder: u32,
    loss: Loss,
    times: usize,
    /// What both sides must have.
    expected: BTreeSet<String>,
}

impl<'a> Phone<'a> {
    fn new(world: &World, class: &'a Class, loss: Loss, times: usize) -> Self {
        let device = world.ready_device(ProtocolVersion::V14_1);
        let anton = world.anton();
        Self {
            folder: device.folder(class.kind),
            ox_folder: anton.default_folder(class.module),
            device,
            class,
            anton,
            loss,
            times,
            expected: BTreeSet::new(),
        }
    }

    /// The answer with the first key, and the one with the first items.
    fn first_sync(&mut self) {
        self.create_at_web("web 1");
        self.create_at_web("web 2");
        self.lose();
        self.device.sync_once(&self.folder);
        self.lose();
        self.device.sync(&self.folder);
        self.agree("the first items");
    }

    fn additions(&mut self) {
        for title in ["phone 1", "phone 2", "phone 3"] {
            self.add_on_phone(title);
        }
        self.lose();
        self.create_at_web("web 3");
        self.device.sync(&self.folder);
        self.agree("additions");
    }

    fn changes(&mut self) {
        self.change_on_phone("phone 1", "phone 1, changed");
        self.change_at_web("web 1", "web 1, changed");
        self.lose();
        self.change_at_web("web 2", "web 2, changed");
        self.device.sync(&self.folder);
        self.agree("changes");
    }

    fn deletions(&mut self) {
        self.delete_on_phone("phone 2");
        self.delete_at_web("web 3");
        self.lose();
        self.delete_at_web("web 2, changed");
        self.device.sync(&self.folder);
        self.agree("deletions");
    }

    fn everything_at_once(&mut self) {
        self.add_on_phone("phone 4");
        self.change_on_phone("phone 3", "phone 3, changed");
        self.delete_on_phone("phone 1, changed");
        self.create_at_web("web 4");
        self.lose();
        // What the phone was told of in the lost answer disappears before it hears of it.
        self.delete_at_web("web 4");
        self.create_at_web("web 5");
        // The phone goes on working before it repeats.
        self.add_on_phone("phone 5");
        self.device.sync(&self.folder);
        self.agree("everything");
        assert!(self.device.sync(&self.folder).is_quiet());
    }

    fn lose(&mut self) {
        for _ in 0..self.times {
            self.device.sync_and_lose(&self.folder, self.loss);
        }
    }

    /// The titles on both sides are the expected ones, each once.
    fn agree(&self, what: &str) {
        let on_phone = self.device.items(&self.folder).values();
        let mut on_phone: Vec<&str> = on_phone.filter_map(|data| data.child_text(self.class.title)).collect();
        let objects = self.anton.objects(self.class.module, self.ox_folder);
        let mut at_ox: Vec<&str> = objects
            .iter()
            .filter_map(|object| object[self.class.field].as_str())
            .collect();
        on_phone.sort_unstable();
        at_ox.sort_unstable();
        let expected: Vec<&str> = self.expected.iter().map(String::as_str).collect();
        assert_eq!(at_ox, expected, "at OX after {what}");
        assert_eq!(on_phone, expected, "on the phone after {what}");
    }

    fn data(&self, title: &str) -> Vec<Element> {
        match self.class.module {
            Module::Contacts => contact("Otto", title),
            Module::Calendar => appointment(self.device.version(), &title.replace(' ', "-"), title, tomorrow()),
            Module::Tasks => task(title),
        }
    }

    fn add_on_phone(&mut self, title: &str) {
        let data = self.data(title);
        self.device.add(&self.folder, data);
        self.expected.insert(title.to_owned());
    }

    fn change_on_phone(&mut self, title: &str, new: &str) {
        let id = self.on_phone(title);
        let mut data = self.data(new);
        data.retain(|element| element.tag != calendar::UID);
        self.device.change(&self.folder, &id, data);
        self.rename(title, new);
    }

    fn delete_on_phone(&mut self, title: &str) {
        let id = self.on_phone(title);
        self.device.delete(&self.folder, &id);
        self.expected.remove(title);
    }

    fn create_at_web(&mut self, title: &str) {
        let object = match self.class.module {
            Module::Contacts => json!({"last_name": title, "display_name": title}),
            Module::Calendar => {
                json!({"title": title, "start_date": tomorrow(), "end_date": tomorrow() + HOUR, "shown_as": 1})
            }
            Module::Tasks => json!({"title": title}),
        };
        self.anton.create(self.class.module, object);
        self.expected.insert(title.to_owned());
    }

    fn change_at_web(&mut self, title: &str, new: &str) {
        let id = self.at_ox(title);
        self.anton
            .update(self.class.module, self.ox_folder, id, json!({self.class.field: new}));
        self.rename(title, new);
    }

    fn delete_at_web(&mut self, title: &str) {
        let id = self.at_ox(title);
        self.anton.delete(self.class.module, self.ox_folder, id);
        self.expected.remove(title);
    }

    fn rename(&mut self, title: &str, new: &str) {
        self.expected.remove(title);
        self.expected.insert(new.to_owned());
    }

    fn on_phone(&self, title: &str) -> String {
        let mut items = self.device.items(&self.folder).iter();
        let found = items.find(|(_, data)| data.child_text(self.class.title) == Some(title));
        found.unwrap_or_else(|| panic!("the phone has no {title:?}")).0.clone()
    }

    fn at_ox(&self, title: &str) -> u32 {
        let objects = self.anton.objects(self.class.module, self.ox_folder);
        let found = objects.iter().find(|object| object[self.class.field] == title);
        let id = found.and_then(|object| object["id"].as_u64());
        u32::try_from(id.unwrap_or_else(|| panic!("OX has no {title:?}"))).unwrap()
    }
}

/// Mail: the phone changes flags and deletes, the server adds.
#[test]
fn mail_loses_its_answers() {
    for loss in [Loss::Forgotten, Loss::HungUp] {
        let world = World::start();
        let anton = world.anton();
        let mut device = world.ready_device(ProtocolVersion::V14_1);
        let inbox = device.folder(INBOX);
        for subject in ["one", "two", "three"] {
            anton.receive(&mail(subject, "Text."));
        }
        device.sync(&inbox);
        let id = |device: &Device, subject: &str| {
            let mut items = device.items(&inbox).iter();
            let found = items.find(|(_, data)| data.child_text(email::SUBJECT) == Some(subject));
            found.unwrap_or_else(|| panic!("no {subject:?}")).0.clone()
        };
        let (one, two) = (id(&device, "one"), id(&device, "two"));
        device.change(&inbox, &one, vec![Element::number(email::READ, 1)]);
        device.delete(&inbox, &two);
        device.sync_and_lose(&inbox, loss);
        anton.receive(&mail("four", "Text."));
        device.sync_and_lose(&inbox, loss);
        device.sync(&inbox);
        assert!(device.sync(&inbox).is_quiet());
        assert_eq!(device.item(&inbox, &one).child_text(email::READ), Some("1"));
        let at_ox: Vec<(String, bool)> = anton
            .mails("default0/INBOX")
            .iter()
            .map(|mail| (mail.id.clone(), mail.flags & ox_standin::flag::SEEN != 0))
            .collect();
        let seen: Vec<bool> = at_ox.iter().map(|(_, seen)| *seen).collect();
        assert_eq!(seen, [true, false, false]);
        assert_eq!(device.items(&inbox).len(), 3);
        let trash = anton.mails("default0/INBOX/Trash");
        assert_eq!(trash.len(), 1, "deleted once, into the trash");
    }
}

/// A key that is neither of the two generations costs a new start, and no doubles.
#[test]
fn a_key_of_long_ago_means_a_new_start() {
    let world = World::start();
    let anton = world.anton();
    let mut device = world.ready_device(ProtocolVersion::V14_1);
    let folder = device.folder(CONTACTS);
    device.sync_once(&folder);
    let old = device.collection(&folder).key.clone();
    for last in ["A", "B", "C"] {
        anton.create_contact(json!({"last_name": last, "display_name": last}));
        device.sync(&folder);
    }
    device.collection(&folder).key = old;
    assert_eq!(device.try_sync(&folder).status, 3);
    let collection = device.collection(&folder);
    collection.key = "0".to_owned();
    let ids: Vec<String> = std::mem::take(&mut collection.items).into_keys().collect();
    device.sync(&folder);
    assert_eq!(
        device.items(&folder).keys().cloned().collect::<Vec<_>>(),
        ids,
        "the same ids after a new start"
    );
}
