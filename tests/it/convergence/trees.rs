//! Histories of folders: phones and the web user make, rename, move and delete them.
//!
//! In every folder lies one item, which tells which folder it is, whatever its name and place. On a phone, the id of a folder
//! never comes to mean another one; it stays the same, and its item does not come again, unless OX itself gave the
//! folder another id behind that phone's back, and the phone did not have the item by which a folder is known again: of mail, by
//! renaming and moving. In the end every phone has the tree of OX.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ox_standin::StoredFolder;
use ox_standin::WebUser;
use oxtender::version::ProtocolVersion;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage::folderhierarchy as tag;
use serde_json::json;

use super::History;
use super::kinds;
use super::kinds::CONTACT;
use super::kinds::KINDS;
use super::kinds::MAIL;
use super::kinds::Place;
use super::ox::Ox;
use super::phone::pick;
use super::random::Random;
use super::script;
use super::script::Trouble;
use super::site::GATEWAYS;
use super::site::Site;
use super::site::Way;
use crate::device::Device;
use crate::device::Folder;
use crate::device::Tree;
use crate::device::collection::number;
use crate::device::commands::body_preference;
use crate::items::HOUR;
use crate::items::mail;

/// Type on a phone, and module at OX, of the folders that users make of each kind.
const MADE: [(i64, &str); 4] = [(12, "mail"), (14, "contacts"), (15, "tasks"), (13, "calendar")];

/// What a phone can be told: done; the name is taken; nothing can be done there; no such folder; no such parent.
const STATUSES: [i64; 5] = [1, 2, 3, 4, 5];
const DONE: i64 = 1;
/// It was done by a request that broke off.
const EXISTS: i64 = 2;

/// More rounds than a request needs that failed.
const MOST_ATTEMPTS: usize = 3;

#[derive(Clone, Debug)]
pub(super) struct Script {
    ox: Ox,
    phones: Vec<ProtocolVersion>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Web {
        kind: usize,
        act: Act,
    },
    Phone {
        phone: usize,
        kind: usize,
        act: Act,
        gateway: usize,
        trouble: Trouble,
    },
    /// FolderSync, and a Sync of each folder.
    Sync {
        phone: usize,
        gateway: usize,
        trouble: Trouble,
    },
    Restart,
}

/// Numbers are taken modulo what is there; as a parent, that is the default folder and those that were made.
#[derive(Clone, Copy, Debug)]
enum Act {
    Create { parent: usize },
    Rename { which: usize },
    Move { which: usize, parent: usize },
    Delete { which: usize },
}

impl History for Script {
    fn of(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let phones: Vec<ProtocolVersion> = (0..1 + random.below(2)).map(|_| random.of(&script::VERSIONS)).collect();
        let kinds = match random.below(3) {
            0 => vec![MAIL, random.below(MADE.len())],
            1 => vec![CONTACT + random.below(3)],
            _ => vec![MAIL],
        };
        let calm = random.one_in(4);
        let steps = (0..8 + random.below(16)).map(|_| step(random, phones.len(), &kinds, calm));
        let steps = steps.collect();
        let ox = Ox::of(seed);
        Self { ox, phones, steps }
    }

    fn len(&self) -> usize {
        self.steps.len()
    }

    fn without(&self, index: usize) -> Self {
        let mut shorter = self.clone();
        shorter.steps.remove(index);
        shorter
    }

    fn play(&self) {
        let mut player = Player::new(self);
        for step in &self.steps {
            player.step(step);
        }
        player.check();
    }
}

fn step(random: &mut Random, phones: usize, kinds: &[usize], calm: bool) -> Step {
    let (phone, gateway) = (random.below(phones), random.below(GATEWAYS));
    let kind = random.of(kinds);
    let trouble = match calm {
        true => Trouble::None,
        false => script::trouble(random),
    };
    match random.below(10) {
        0..=2 => Step::Web { kind, act: act(random) },
        3..=6 => Step::Phone {
            phone,
            kind,
            act: act(random),
            gateway,
            trouble,
        },
        7 if !calm && random.one_in(4) => Step::Restart,
        _ => Step::Sync {
            phone,
            gateway,
            trouble,
        },
    }
}

fn act(random: &mut Random) -> Act {
    let (which, parent) = (random.below(1000), random.below(1000));
    match random.below(6) {
        0 | 1 => Act::Create { parent },
        2 => Act::Delete { which },
        3 => Act::Move { which, parent },
        _ => Act::Rename { which },
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.ox)?;
        for (number, version) in self.phones.iter().enumerate() {
            writeln!(f, "phone {number}: {version}")?;
        }
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{number:>3}: {step:?}")?;
        }
        Ok(())
    }
}

struct Player {
    site: Arc<Site>,
    web: WebUser,
    phones: Vec<Phone>,
    /// Numbers names and items.
    counter: usize,
}

/// Folders are told apart by the titles of their items.
struct Phone {
    device: Device,
    /// What each id has ever meant.
    meanings: BTreeMap<String, String>,
    /// Under which id it has each folder.
    homes: BTreeMap<String, String>,
    /// Folders that have got, or may have got, another id at OX since it looked.
    uprooted: BTreeSet<String>,
}

impl Player {
    fn new(script: &Script) -> Self {
        let site = Site::new(&script.ox);
        let web = site.standin.web("anton");
        let phone = |(number, version): (usize, &ProtocolVersion)| {
            let way = Arc::new(Way(site.clone()));
            let mut device = Device::new(way, "anton", "secret", &format!("phone{number}"), *version);
            device.folder_sync();
            Phone {
                device,
                meanings: BTreeMap::new(),
                homes: BTreeMap::new(),
                uprooted: BTreeSet::new(),
            }
        };
        let phones = script.phones.iter().enumerate().map(phone).collect();
        let counter = 0;
        Self {
            site,
            web,
            phones,
            counter,
        }
    }

    fn step(&mut self, step: &Step) {
        self.site.standin.clock().advance(1000);
        match step {
            Step::Web { kind, act } => self.web(*kind, *act),
            Step::Phone {
                phone,
                kind,
                act,
                gateway,
                trouble,
            } => self.act_on_phone(*phone, *kind, *act, *gateway, trouble),
            Step::Sync {
                phone,
                gateway,
                trouble,
            } => self.sync(*phone, *gateway, trouble),
            Step::Restart => self.site.restart(),
        }
        self.plant();
    }

    fn name(&mut self) -> String {
        self.counter += 1;
        format!("folder{}", self.counter)
    }

    /// The folders that were made, of one kind.
    fn made(&self, kind: usize) -> Vec<StoredFolder> {
        let folders = self.web.folders().into_iter();
        folders
            .filter(|folder| folder.module == MADE[kind].1 && is_made(&folder.title))
            .collect()
    }

    /// A new folder gets its item as soon as it is there.
    fn plant(&mut self) {
        for kind in 0..MADE.len() {
            for folder in self.made(kind) {
                if self.item_in(kind, &folder.id).is_none() {
                    self.counter += 1;
                    plant(kind, &self.web, &folder.id, &format!("item{}", self.counter));
                }
            }
        }
    }

    fn item_in(&self, kind: usize, folder: &str) -> Option<String> {
        kinds::in_folder(kind, &self.web, folder).pop().map(|item| item.title)
    }

    fn web(&mut self, kind: usize, act: Act) {
        let made = self.made(kind);
        let parent = |number: usize| match pick(&made, number % (made.len() + 1)) {
            Some(folder) if number % (made.len() + 1) < made.len() => folder.id.clone(),
            _ => default_folder(kind, &self.web),
        };
        match act {
            Act::Create { parent: above } => {
                let above = parent(above);
                let name = self.name();
                self.web.create_folder(&above, &name, MADE[kind].1);
            }
            Act::Rename { which } => {
                let Some(folder) = pick(&made, which) else { return };
                self.uproot(kind, &folder.id, None, true);
                let name = self.name();
                self.web.rename_folder(&folder.id, &name);
            }
            Act::Move { which, parent: above } => {
                let Some(folder) = pick(&made, which) else { return };
                let above = parent(above);
                if is_below(&made, &above, &folder.id) {
                    return;
                }
                self.uproot(kind, &folder.id, None, !above.contains("Trash"));
                self.web.update_folder(&folder.id, json!({"folder_id": above}));
            }
            Act::Delete { which } => {
                let Some(folder) = pick(&made, which) else { return };
                self.web.delete_folder(&folder.id);
            }
        }
    }

    /// A mail folder and all below it get other ids at OX, which the phone that did it can follow, and perhaps those that have
    /// the items.
    fn uproot(&mut self, kind: usize, folder: &str, but: Option<usize>, followed: bool) {
        if kind != MAIL {
            return;
        }
        let made = self.made(kind);
        let below = made.iter().filter(|other| is_below(&made, &other.id, folder));
        let items: Vec<String> = below.filter_map(|folder| self.item_in(kind, &folder.id)).collect();
        let phones = self.phones.iter_mut().enumerate();
        for (_, phone) in phones.filter(|(number, _)| Some(*number) != but) {
            let lost = items.iter().filter(|item| !followed || !phone.has(item));
            let lost: Vec<String> = lost.cloned().collect();
            phone.uprooted.extend(lost);
        }
    }

    fn act_on_phone(&mut self, phone: usize, kind: usize, act: Act, gateway: usize, trouble: &Trouble) {
        let device = &self.phones[phone].device;
        let of_kind = device.folders.iter().filter(|(_, folder)| folder.kind == MADE[kind].0);
        let own: Vec<(String, Folder)> = of_kind
            .filter(|(_, folder)| is_made(&folder.name))
            .map(|(id, folder)| (id.clone(), folder.clone()))
            .collect();
        let mut parents: Vec<String> = own.iter().map(|(id, _)| id.clone()).collect();
        parents.push(device.folder(KINDS[kind].folder));
        let Some(change) = self.change_of(act, &own, &parents, MADE[kind].0) else {
            return;
        };
        let is_certain = matches!(trouble, Trouble::None | Trouble::AnswerLost | Trouble::HungUp { .. });
        let before = change.before.as_ref();
        if let Some(folder) = before.and_then(|before| self.meant(phone, kind, before)) {
            let follows = is_certain && change.after.is_some();
            self.uproot(kind, &folder.id, follows.then_some(phone), false);
        }
        let (status, key, id) = self.ask(phone, &change.document(&self.phones[phone].device), gateway, trouble);
        assert!(STATUSES.contains(&status), "Status {status} of {change:?}");
        let is_new = change.before.is_none();
        assert!(
            !(is_new && status == EXISTS && is_certain),
            "nobody had taken the name of {change:?}"
        );
        if status == DONE {
            self.take(phone, kind, change, key, id);
        }
    }

    /// The folder at OX that a phone means: with the item that lies in it there, whatever its name is by now, or of its name.
    fn meant(&self, phone: usize, kind: usize, (id, folder): &(String, Folder)) -> Option<StoredFolder> {
        let made = self.made(kind);
        let item = self.phones[phone].meanings.get(id);
        let has_item = |made: &&StoredFolder| item.is_some() && self.item_in(kind, &made.id).as_ref() == item;
        let has_name = |made: &&StoredFolder| made.title == folder.name;
        let found = made.iter().find(has_item);
        found.or_else(|| made.iter().find(has_name)).cloned()
    }

    fn change_of(&mut self, act: Act, own: &[(String, Folder)], parents: &[String], kind: i64) -> Option<Change> {
        let after = |name: String, parent: String| Some(Folder { parent, name, kind });
        let (before, after) = match act {
            Act::Create { parent } => (None, after(self.name(), pick(parents, parent)?.clone())),
            Act::Rename { which } => {
                let before = pick(own, which)?.clone();
                let parent = before.1.parent.clone();
                (Some(before), after(self.name(), parent))
            }
            Act::Move { which, parent } => {
                let before = pick(own, which)?.clone();
                let parent = pick(parents, parent)?.clone();
                let mut above = Some(&parent);
                while let Some(id) = above {
                    if *id == before.0 {
                        return None;
                    }
                    above = own.iter().find(|(own, _)| own == id).map(|(_, folder)| &folder.parent);
                }
                let name = before.1.name.clone();
                (Some(before), after(name, parent))
            }
            Act::Delete { which } => (Some(pick(own, which)?.clone()), None),
        };
        Some(Change { before, after })
    }

    /// Sends a request until there is an answer: Status, SyncKey and ServerId.
    fn ask(&self, phone: usize, document: &Element, gateway: usize, trouble: &Trouble) -> (i64, String, String) {
        let link = &self.phones[phone].device.link;
        let request = link.wbxml(&document.tag.name(), document);
        let mut trouble = trouble;
        for _ in 0..MOST_ATTEMPTS {
            let answer = self.site.send(gateway, &request, trouble);
            let troubled = *trouble != Trouble::None;
            trouble = &Trouble::None;
            let Some(answer) = answer else { continue };
            if troubled && answer.status != 200 {
                continue;
            }
            let root = link.read(&answer).expect("a document");
            let text = |tag| root.child_text(tag).unwrap_or_default().to_owned();
            let status = root
                .child_text(tag::STATUS)
                .and_then(|status| status.parse().ok())
                .unwrap_or_else(|| number(&root, tag::STATUS));
            if !troubled || STATUSES.contains(&status) {
                return (status, text(tag::SYNC_KEY), text(tag::SERVER_ID));
            }
        }
        panic!("{document:?} is never answered");
    }

    /// The phone takes the success of what it did in; so it must be at OX.
    fn take(&mut self, phone: usize, kind: usize, change: Change, key: String, new_id: String) {
        let made = self.made(kind);
        let count = |name: &str| made.iter().filter(|folder| folder.title == name).count();
        self.phones[phone].device.hierarchy_key = key;
        match (change.before, change.after) {
            (before, Some(after)) => {
                assert_eq!(count(&after.name), 1, "{after:?} of {made:?}");
                let id = before.map_or(new_id, |(id, _)| id);
                self.phones[phone].device.folders.insert(id, after);
            }
            (Some(before), None) => {
                self.check_deleted(phone, kind, &before);
                forget(&mut self.phones[phone].device, &before.0);
            }
            (None, None) => {}
        }
    }

    /// The folder that the phone deleted is gone, or in the trash; unless OX gave it another id that the phone could not follow.
    fn check_deleted(&self, phone: usize, kind: usize, before: &(String, Folder)) {
        let left = self.meant(phone, kind, before);
        let is_in_trash = |folder: &StoredFolder| folder.id.contains("Trash") || folder.id.contains("trash");
        let uprooted = &self.phones[phone].uprooted;
        let is_uprooted = |folder: &StoredFolder| {
            self.item_in(kind, &folder.id)
                .is_some_and(|item| uprooted.contains(&item))
        };
        assert!(
            left.as_ref().is_none_or(|left| is_in_trash(left) || is_uprooted(left)),
            "{left:?} is deleted"
        );
    }

    fn sync(&mut self, phone: usize, gateway: usize, trouble: &Trouble) {
        let one = &mut self.phones[phone];
        match trouble {
            Trouble::None | Trouble::HungUp { .. } => {}
            trouble => {
                let request = one.device.link.wbxml("FolderSync", &one.device.folder_sync_request());
                self.site.send(gateway, &request, trouble);
            }
        }
        one.look();
    }

    /// Every phone has the tree of OX, and one more look changes nothing.
    fn check(&mut self) {
        for phone in &mut self.phones {
            phone.look();
            phone.look();
            assert_eq!(phone.look(), (Tree::default(), 0), "it never comes to rest");
        }
        for (kind, (type_of, _)) in MADE.iter().enumerate() {
            let made = self.made(kind);
            let title_of = |id: &str| {
                made.iter()
                    .find(|folder| folder.id == id)
                    .map(|folder| folder.title.clone())
            };
            let mut expected: Vec<_> = made
                .iter()
                .map(|folder| {
                    let item = self.item_in(kind, &folder.id);
                    (folder.title.clone(), title_of(&folder.parent), item)
                })
                .collect();
            expected.sort();
            for phone in &self.phones {
                let folders = &phone.device.folders;
                let of_kind = folders
                    .iter()
                    .filter(|(_, folder)| folder.kind == *type_of && is_made(&folder.name));
                let mut found: Vec<_> = of_kind
                    .map(|(id, folder)| {
                        let above = folders.get(&folder.parent).map(|folder| folder.name.clone());
                        let above = above.filter(|name| is_made(name));
                        (folder.name.clone(), above, phone.item(kind, id))
                    })
                    .collect();
                found.sort();
                assert_eq!(found, expected, "on a phone (left) and at OX (right)");
            }
        }
    }
}

/// What a phone does to a folder; both: it is renamed or moved.
#[derive(Debug)]
struct Change {
    before: Option<(String, Folder)>,
    after: Option<Folder>,
}

impl Change {
    fn document(&self, device: &Device) -> Element {
        let text = |tag: Tag, text: &str| Element::text(tag, text);
        let mut children = vec![text(tag::SYNC_KEY, &device.hierarchy_key)];
        children.extend(self.before.iter().map(|(id, _)| text(tag::SERVER_ID, id)));
        if let Some(after) = &self.after {
            children.push(text(tag::PARENT_ID, &after.parent));
            children.push(text(tag::DISPLAY_NAME, &after.name));
        }
        let root = match (&self.before, &self.after) {
            (None, Some(after)) => {
                children.push(Element::number(tag::TYPE, after.kind));
                tag::FOLDER_CREATE
            }
            (_, Some(_)) => tag::FOLDER_UPDATE,
            (_, None) => tag::FOLDER_DELETE,
        };
        Element::parent(root, children)
    }
}

impl Phone {
    /// FolderSync, and a Sync of each folder that was made. Answers what changed in the tree, and how many items came.
    fn look(&mut self) -> (Tree, usize) {
        let tree = self.device.folder_sync();
        let mut came = 0;
        for (kind, (type_of, _)) in MADE.iter().enumerate() {
            let of_kind = self.device.folders.iter().filter(|(_, folder)| folder.kind == *type_of);
            let made = of_kind.filter(|(_, folder)| is_made(&folder.name));
            let ids: Vec<String> = made.map(|(id, _)| id.clone()).collect();
            for id in ids {
                let options = body_preference(self.device.version(), 1, None);
                self.device.collection(&id).options = options;
                came += self.device.sync(&id).commands();
                if let Some(item) = self.item(kind, &id) {
                    self.recognize(&id, item);
                }
            }
        }
        self.uprooted.clear();
        (tree, came)
    }

    /// Whether it has the item of a folder.
    fn has(&self, item: &str) -> bool {
        let home = self
            .homes
            .get(item)
            .filter(|home| self.device.folders.contains_key(*home));
        let copy = home.and_then(|home| self.device.collections.get(home));
        copy.is_some_and(|copy| !copy.items.is_empty())
    }

    fn item(&self, kind: usize, id: &str) -> Option<String> {
        let mut items = self.device.items(id).values();
        let item = items.next().map(|data| kinds::on_phone(kind, data).0);
        assert!(items.next().is_none(), "more than one item in {id}");
        item
    }

    fn recognize(&mut self, id: &str, item: String) {
        let meant = self.meanings.entry(id.to_owned()).or_insert_with(|| item.clone());
        assert_eq!(*meant, item, "the folder {id} has become another one");
        let home = self.homes.insert(item.clone(), id.to_owned());
        let stays = home.as_ref().is_none_or(|home| home == id);
        assert!(
            stays || self.uprooted.contains(&item),
            "the folder of {item} was {home:?} and is {id}"
        );
    }
}

fn is_made(name: &str) -> bool {
    name.starts_with("folder")
}

/// The folder itself as well.
fn is_below(made: &[StoredFolder], id: &str, ancestor: &str) -> bool {
    let parent = || made.iter().find(|folder| folder.id == id).map(|folder| &folder.parent);
    id == ancestor || parent().is_some_and(|parent| is_below(made, parent, ancestor))
}

/// With those below it.
fn forget(device: &mut Device, id: &str) {
    device.folders.remove(id);
    device.collections.remove(id);
    let below = device.folders.iter().filter(|(_, folder)| folder.parent == id);
    let below: Vec<String> = below.map(|(id, _)| id.clone()).collect();
    for id in below {
        forget(device, &id);
    }
}

fn default_folder(kind: usize, web: &WebUser) -> String {
    match KINDS[kind].place {
        Place::Mail(folder) => folder.to_owned(),
        Place::Module(module) => web.default_folder(module).to_string(),
    }
}

fn plant(kind: usize, web: &WebUser, folder: &str, title: &str) {
    let Place::Module(module) = KINDS[kind].place else {
        web.deliver_mail(folder, &mail(title, "Text."));
        return;
    };
    let start = kinds::TOMORROW;
    let object = match kind {
        CONTACT => json!({"last_name": title, "display_name": title}),
        kinds::TASK => json!({"title": title}),
        _ => json!({"title": title, "start_date": start, "end_date": start + HOUR}),
    };
    let mut object = object;
    object["folder_id"] = json!(folder.parse::<u32>().unwrap());
    web.create(module, object);
}
