//! Two sides change one item: what one of them alone has changed stands, of the rest the option decides, and what loses is
//! told.

use ox_standin::Fault;
use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::tasks;
use serde_json::Value;
use serde_json::json;

use crate::administration::told;
use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::Loss;
use crate::items::CLASSES;
use crate::items::Class;
use crate::items::DAY;
use crate::items::HOUR;
use crate::items::appointment;
use crate::items::body;
use crate::items::compact;
use crate::items::contact;
use crate::items::task;
use crate::items::tomorrow;
use crate::world::World;

const VERSIONS: [ProtocolVersion; 3] = [V2_5, V14_1, V16_1];

/// The values of [MS-ASCMD] Conflict: who wins.
const OX_WINS: i64 = 1;
const DEVICE_WINS: i64 = 0;

/// Three properties of an item: one that the phone changes, one that somebody changes at the web interface, one that both
/// do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Three<'a>(&'a str, &'a str, &'a str);

const BEFORE: Three<'_> = Three("one", "two", "three");

/// Their fields at OX.
const fn fields(kind: i64) -> [&'static str; 3] {
    match kind {
        CONTACTS => ["cellular_telephone1", "street_home", "note"],
        CALENDAR => ["title", "location", "note"],
        _ => ["title", "categories", "note"],
    }
}

fn object(kind: i64, Three(one, two, three): Three<'_>) -> Value {
    let mut object = match kind {
        CONTACTS => json!({"first_name": "Ada", "last_name": "Berg", "display_name": "Berg, Ada"}),
        CALENDAR => json!({"start_date": tomorrow(), "end_date": tomorrow() + HOUR}),
        _ => json!({}),
    };
    for (field, value) in fields(kind).into_iter().zip([one, two, three]) {
        object[field] = value.into();
    }
    object
}

/// The whole item, as a phone sends it, whatever it has changed.
fn data(kind: i64, version: ProtocolVersion, Three(one, two, three): Three<'_>) -> Vec<Element> {
    let list = |tag, entry| Element::parent(tag, [Element::text(entry, two)]);
    match kind {
        CONTACTS => {
            let mut data = contact("Ada", "Berg");
            data.push(Element::text(contacts::MOBILE_PHONE_NUMBER, one));
            data.push(Element::text(contacts::HOME_ADDRESS_STREET, two));
            data.push(body(version, contacts::BODY, three));
            data
        }
        CALENDAR => {
            let mut data = appointment(version, "uid", one, tomorrow());
            data.push(match version < V16_0 {
                true => Element::text(calendar::LOCATION, two),
                false => Element::parent(airsyncbase::LOCATION, [Element::text(airsyncbase::DISPLAY_NAME, two)]),
            });
            data.push(body(version, calendar::BODY, three));
            data
        }
        _ => {
            let mut data = task(one);
            data.push(list(tasks::CATEGORIES, tasks::CATEGORY));
            data.push(body(version, tasks::BODY, three));
            data
        }
    }
}

/// A phone with one item of a class.
struct Scene {
    world: World,
    device: Device,
    folder: String,
    class: &'static Class,
    version: ProtocolVersion,
    /// For the phone.
    id: String,
    /// At OX.
    number: u32,
}

impl Scene {
    /// `is_own`: the phone has added the item.
    fn new(world: World, class: &'static Class, version: ProtocolVersion, option: i64, is_own: bool) -> Self {
        let mut device = world.ready_device(version);
        let folder = device.folder(class.kind);
        device.collection(&folder).options = vec![Element::number(airsync::CONFLICT, option)];
        device.sync(&folder);
        let anton = world.anton();
        let id = if is_own {
            let client_id = device.add(&folder, data(class.kind, version, BEFORE));
            device.sync(&folder).new_ids.remove(&client_id).expect("a ServerId")
        } else {
            anton.create(class.module, object(class.kind, BEFORE));
            device.sync(&folder).added.remove(0)
        };
        Self {
            number: the_item(&world, class),
            world,
            device,
            folder,
            class,
            version,
            id,
        }
    }

    fn of_web(&self, changes: Value) {
        let anton = self.world.anton();
        anton.update(
            self.class.module,
            anton.default_folder(self.class.module),
            self.number,
            changes,
        );
    }

    fn of_phone(&mut self, three: Three<'_>) {
        let data = data(self.class.kind, self.version, three);
        self.device.change(&self.folder, &self.id, data);
    }

    #[track_caller]
    fn assert_at_ox(&self, three: Three<'_>) {
        let object = self.world.anton().object(self.class.module, self.number);
        let object = object.unwrap_or_else(|| panic!("it is gone"));
        let found = fields(self.class.kind).map(|field| object[field].as_str().unwrap_or_default());
        let Three(one, two, other) = three;
        assert_eq!(found, [one, two, other], "{} {:?}", self.version, self.class.module);
    }

    /// The notices in the inbox.
    fn notices(&self) -> Vec<String> {
        let mails = self.world.anton().mails("default0/INBOX");
        let texts = mails
            .into_iter()
            .map(|mail| String::from_utf8_lossy(&mail.raw).into_owned());
        texts.filter(|text| text.contains("was not kept")).collect()
    }

    /// What an administrator is shown.
    fn attention(&self) -> String {
        told(&self.world, &format!("device show {}", self.device.link.device_id))
    }
}

/// The only item of a class at OX.
fn the_item(world: &World, class: &Class) -> u32 {
    let anton = world.anton();
    let objects = anton.objects(class.module, anton.default_folder(class.module));
    assert_eq!(objects.len(), 1);
    u32::try_from(objects[0]["id"].as_u64().expect("an id")).expect("a small id")
}

/// The cases: each class, each version, whoever wins, whoever has made the item.
fn scenes(mut run: impl FnMut(Scene, i64)) {
    for version in VERSIONS {
        for class in &CLASSES {
            for (option, is_own) in [(OX_WINS, false), (DEVICE_WINS, true)] {
                run(Scene::new(World::start(), class, version, option, is_own), option);
            }
        }
    }
}

#[test]
fn different_properties_both_stand() {
    scenes(|mut scene, _| {
        scene.of_web(json!({fields(scene.class.kind)[1]: "web"}));
        scene.of_phone(Three("phone", "two", "three"));
        let synced = scene.device.sync(&scene.folder.clone());
        assert_eq!(synced.refused, [], "{}", scene.version);
        assert_eq!(
            synced.changed,
            std::slice::from_ref(&scene.id),
            "the phone gets what it does not know"
        );
        scene.assert_at_ox(Three("phone", "web", "three"));
        // Once more, the other way round: what was agreed on by the answer counts.
        scene.of_web(json!({fields(scene.class.kind)[0]: "web too"}));
        scene.of_phone(Three("phone", "phone too", "three"));
        assert_eq!(scene.device.sync(&scene.folder.clone()).refused, []);
        scene.assert_at_ox(Three("web too", "phone too", "three"));
        assert!(scene.device.sync(&scene.folder.clone()).is_quiet());
        assert_eq!(scene.notices(), [] as [String; 0]);
    });
}

/// A change that nobody contested is agreed on as well, once it is confirmed.
#[test]
fn what_the_phone_wrote_is_agreed_on() {
    scenes(|mut scene, _| {
        scene.of_phone(Three("phone", "two", "phone"));
        assert!(scene.device.sync(&scene.folder.clone()).is_quiet());
        scene.of_web(json!({fields(scene.class.kind)[1]: "web"}));
        scene.of_phone(Three("phone", "two", "again"));
        assert_eq!(scene.device.sync(&scene.folder.clone()).refused, []);
        scene.assert_at_ox(Three("phone", "web", "again"));
        assert_eq!(scene.notices(), [] as [String; 0]);
    });
}

#[test]
fn of_one_property_the_option_decides() {
    scenes(|mut scene, option| {
        scene.of_web(json!({fields(scene.class.kind)[1]: "web", "note": "note of the web"}));
        scene.of_phone(Three("phone", "two", "note of the phone"));
        let synced = scene.device.sync(&scene.folder.clone());
        let (note, lost) = match option {
            OX_WINS => ("note of the web", "note of the phone"),
            _ => ("note of the phone", "note of the web"),
        };
        let refused = [(scene.id.clone(), 7)];
        let refused = if option == OX_WINS { &refused[..] } else { &[] };
        assert_eq!(synced.refused, refused, "{}", scene.version);
        assert_eq!(synced.changed, std::slice::from_ref(&scene.id));
        scene.assert_at_ox(Three("phone", "web", note));
        assert!(scene.device.sync(&scene.folder.clone()).is_quiet());
        let notices = scene.notices();
        assert_eq!(notices.len(), 1, "{notices:#?}");
        assert!(notices[0].contains(&format!("not kept: {lost}")), "{}", notices[0]);
        assert!(notices[0].contains(&format!("    kept: {note}")), "{}", notices[0]);
        let listed = scene.attention();
        assert!(listed.contains("overridden") && listed.contains(lost), "{listed}");
    });
}

/// The answer is lost, somebody else goes on, and the phone's user as well: what the phone wrote before is its own.
#[test]
fn a_change_after_a_lost_answer() {
    scenes(|mut scene, _| {
        scene.of_phone(Three("phone", "two", "three"));
        let request = scene.device.sync_request(&[&scene.folder]);
        assert_eq!(scene.device.link.exchange(&request).status, 200);
        scene.of_web(json!({fields(scene.class.kind)[1]: "web"}));
        scene.device.collection(&scene.folder.clone()).pending.clear();
        scene.of_phone(Three("again", "two", "three"));
        assert_eq!(scene.device.sync(&scene.folder.clone()).refused, []);
        scene.assert_at_ox(Three("again", "web", "three"));
        assert_eq!(scene.notices(), [] as [String; 0]);
    });
}

/// The same of an addition, which the phone sends again before it asks for news.
#[test]
fn a_change_after_a_lost_answer_to_an_addition() {
    for version in VERSIONS {
        let options = |class| [(class, OX_WINS), (class, DEVICE_WINS)];
        for (class, option) in CLASSES.iter().flat_map(options) {
            let world = World::start();
            let mut device = world.ready_device(version);
            let folder = device.folder(class.kind);
            device.collection(&folder).options = vec![Element::number(airsync::CONFLICT, option)];
            device.sync(&folder);
            let client_id = device.add(&folder, data(class.kind, version, BEFORE));
            device.sync_and_lose(&folder, Loss::Forgotten);
            let number = the_item(&world, class);
            let place = world.anton().default_folder(class.module);
            let change = json!({fields(class.kind)[1]: "web"});
            world.anton().update(class.module, place, number, change);
            device.collection(&folder).wants_changes = false;
            let id = device.sync(&folder).new_ids.remove(&client_id).expect("a ServerId");
            device.collection(&folder).wants_changes = true;
            let mut scene = Scene {
                world,
                device,
                folder,
                class,
                version,
                id,
                number,
            };
            scene.of_phone(Three("phone", "two", "three"));
            assert_eq!(scene.device.sync(&scene.folder.clone()).refused, []);
            scene.assert_at_ox(Three("phone", "web", "three"));
            assert_eq!(scene.notices(), [] as [String; 0]);
        }
    }
}

/// OX says each time that somebody was faster. It is looked at again, but not for ever: then the phone's change is refused,
/// whoever should win, since nobody has seen what it would replace; and its user is told.
#[test]
fn an_item_that_is_never_at_rest() {
    // Who wins, how often OX says so, whether the phone's change is refused.
    let cases = [
        (OX_WINS, 2, false),
        (OX_WINS, 3, true),
        (DEVICE_WINS, 2, false),
        (DEVICE_WINS, 3, true),
    ];
    for (option, times, is_refused) in cases {
        let case = format!("option {option}, {times} times");
        let mut scene = Scene::new(World::start(), &CLASSES[0], V14_1, option, false);
        for time in 1..=times {
            let faults = scene.world.standin.faults();
            faults.nth(time, "contacts", "update", Fault::error("CON-0119", 9));
        }
        scene.of_phone(Three("phone", "two", "three"));
        scene.world.standin.reset_calls();
        let synced = scene.device.sync(&scene.folder.clone());
        let refused: Vec<i64> = synced.refused.iter().map(|(_, status)| *status).collect();
        assert_eq!(refused, if is_refused { vec![7] } else { Vec::new() }, "{case}");
        assert_eq!(scene.world.standin.calls().of("contacts", "update"), 3, "{case}");
        assert_eq!(scene.notices().len(), usize::from(is_refused), "{case}");
        let value = if is_refused { "one" } else { "phone" };
        scene.assert_at_ox(Three(value, "two", "three"));
        // A phone whose change was refused gets what OX has.
        scene.device.sync(&scene.folder.clone());
        assert!(scene.device.sync(&scene.folder.clone()).is_quiet(), "{case}");
    }
}

/// The answer is lost, and the phone asks again: the same is told once, whoever won.
#[test]
fn a_repeated_request_tells_nothing_twice() {
    for (option, note) in [(OX_WINS, "web"), (DEVICE_WINS, "phone")] {
        let mut scene = Scene::new(World::start(), &CLASSES[0], V14_1, option, false);
        scene.of_web(json!({"note": "web"}));
        scene.of_phone(Three("one", "two", "phone"));
        let request = scene.device.sync_request(&[&scene.folder]);
        for _ in 0..3 {
            assert_eq!(scene.device.link.exchange(&request).status, 200);
        }
        let synced = scene.device.sync(&scene.folder.clone());
        let refused = synced.refused.iter().map(|(_, status)| *status);
        let expected = if option == OX_WINS { vec![7] } else { Vec::new() };
        assert_eq!(refused.collect::<Vec<_>>(), expected, "the repetition says it again");
        scene.assert_at_ox(Three("one", "two", note));
        assert_eq!(scene.notices().len(), 1, "option {option}");
    }
}

/// A deletion wins, and what the phone had is told.
#[test]
fn a_change_of_what_was_deleted() {
    for version in VERSIONS {
        let mut scene = Scene::new(World::start(), &CLASSES[0], version, DEVICE_WINS, false);
        let anton = scene.world.anton();
        anton.delete(Module::Contacts, anton.default_folder(Module::Contacts), scene.number);
        scene.of_phone(Three("phone", "two", "three"));
        let synced = scene.device.sync(&scene.folder.clone());
        assert_eq!(synced.refused, [(scene.id.clone(), 8)], "{version}");
        let notices = scene.notices();
        assert_eq!(notices.len(), 1, "{version}");
        assert!(notices[0].contains("Mobile phone number"), "{}", notices[0]);
        assert!(notices[0].contains("not kept: phone"), "{}", notices[0]);
    }
}

/// The other way round: the phone deletes what somebody had changed, and that is told. What only looks like a change is not.
#[test]
fn a_deletion_of_what_was_changed() {
    scenes(|mut scene, _| {
        scene.of_web(json!({fields(scene.class.kind)[1]: "web"}));
        scene.device.delete(&scene.folder, &scene.id);
        assert_eq!(scene.device.sync(&scene.folder.clone()).refused, []);
        assert!(scene.world.anton().object(scene.class.module, scene.number).is_none());
        let notices = scene.notices();
        assert_eq!(notices.len(), 1, "{}", scene.version);
        assert!(notices[0].contains("not kept: web"), "{}", notices[0]);
        assert!(!notices[0].contains("three"), "{}", notices[0]);
        assert!(scene.attention().contains("deleted by the device"));
    });
    scenes(|mut scene, _| {
        for value in ["web", "two"] {
            scene.of_web(json!({fields(scene.class.kind)[1]: value}));
        }
        scene.device.delete(&scene.folder, &scene.id);
        scene.device.sync(&scene.folder.clone());
        assert_eq!(scene.notices(), [] as [String; 0], "{}", scene.version);
    });
}

#[test]
fn notes_go_where_the_administrator_wants_them() {
    // The option, mails, on the list
    for (value, mails, is_listed) in [("mail", 1, true), ("list", 0, true), ("off", 0, false)] {
        let world = World::plan().property("eas.conflict.note", value).start().unwrap();
        let mut scene = Scene::new(world, &CLASSES[2], V14_1, OX_WINS, false);
        scene.of_web(json!({"note": "web"}));
        scene.of_phone(Three("one", "two", "phone"));
        scene.device.sync(&scene.folder.clone());
        assert_eq!(scene.notices().len(), mails, "{value}");
        assert_eq!(scene.attention().contains("overridden"), is_listed, "{value}");
    }
}

/// One occurrence is changed on the phone, another one deleted at the web interface, and the series has another place.
#[test]
fn occurrences_are_properties() {
    for option in [OX_WINS, DEVICE_WINS] {
        let world = World::start();
        let anton = world.anton();
        let (folder_at_ox, start) = (anton.default_folder(Module::Calendar), tomorrow() + 8 * HOUR);
        let series = anton.create_appointment(json!({
            "title": "Stand-up", "start_date": start, "end_date": start + HOUR, "recurrence_type": 1, "interval": 1,
            "occurrences": 9,
        }));
        let mut device = world.ready_device(V16_1);
        let folder = device.folder(CALENDAR);
        device.collection(&folder).options = vec![Element::number(airsync::CONFLICT, option)];
        device.sync(&folder);
        let id = device.items(&folder).keys().next().cloned().expect("a series");
        anton.delete_occurrence(folder_at_ox, series, tomorrow() + 2 * DAY);
        anton.update(Module::Calendar, folder_at_ox, series, json!({"location": "web"}));
        let title = Element::text(calendar::SUBJECT, "phone");
        device.change_instance(&folder, &id, &compact(start + DAY), vec![title]);
        assert_eq!(device.sync(&folder).refused, [], "option {option}");
        let objects = anton.objects(Module::Calendar, folder_at_ox);
        let titles: Vec<&str> = objects.iter().filter_map(|object| object["title"].as_str()).collect();
        assert!(
            titles.contains(&"phone") && titles.contains(&"Stand-up"),
            "{objects:#?}"
        );
        let master = anton.object(Module::Calendar, series).expect("the series");
        assert_eq!(master["location"], "web");
        let deleted = master["delete_exceptions"].as_array().map_or(0, Vec::len);
        assert_eq!(deleted, 1, "{master:#?}");
        assert!(device.sync(&folder).is_quiet());
    }
}
