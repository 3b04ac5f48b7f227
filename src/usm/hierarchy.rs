//! The driver of the hierarchy: the folders of a user as a collection of the same engine.
//!
//! The items are folders, their revision is a digest of what a device sees of them. Which folders a device is offered is the
//! caller's business.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use crate::ox;
use crate::ox::Module;
use crate::ox::Standard;
use crate::store::SessionId;
use crate::store::Store;
use crate::usm::attention;
use crate::usm::collection::Error;
use crate::usm::conflict::Policy;
use crate::usm::generations::Generations;
use crate::usm::generations::Loaded;
use crate::usm::generations::States;
use crate::usm::journal::Applied;
use crate::usm::journal::fingerprint;
use crate::usm::plan::Options;
use crate::usm::plan::Send;
use crate::usm::plan::plan;
use crate::usm::settle::Delivery;
use crate::usm::settle::settle;
use crate::usm::snapshot::Revision;
use crate::usm::snapshot::Seen;
use crate::usm::snapshot::Snapshot;
use crate::usm::state::Held;
use crate::usm::state::State;

/// The longest name of a folder, in characters.
const LONGEST_NAME: usize = 256;

/// The hierarchy's name in the store; collections have numbers.
const OBJECT: &str = "hierarchy";

/// A folder under the id the device knows.
#[derive(Clone, Debug)]
pub struct Folder {
    pub id: u32,
    /// 0 for the root.
    pub parent: u32,
    pub folder: ox::Folder,
}

/// What a device has to change in its tree.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The key the device comes with next.
    pub key: u64,
    /// Parents come before their children.
    pub added: Vec<Folder>,
    pub changed: Vec<Folder>,
    pub deleted: Vec<u32>,
}

/// What a device did to its tree itself.
#[derive(Clone, Debug)]
pub enum Own {
    /// Made, renamed or moved a folder of no special part.
    Written { id: u32, parent: u32, title: String },
    /// Deleted a folder, with those that it believed to lie below it.
    Deleted(u32),
}

/// The folders of one device.
#[derive(Clone, Copy)]
pub struct Hierarchy<'a> {
    pub store: &'a Store,
    pub generations: Generations,
    pub device: SessionId,
}

impl Hierarchy<'_> {
    /// Starts anew: the device gets everything.
    pub async fn reset(&self, folders: &[ox::Folder], now: i64) -> Result<Changes, Error> {
        let numbered = self.numbered(folders).await?;
        let (changes, state) = compare(&State::default(), &numbered);
        let is_gone = |id| numbered.iter().all(|folder| folder.id != id);
        attention::forget_folders(self.store, self.device, is_gone).await?;
        let key = self.states().reset(&state, now).await?;
        Ok(Changes { key, ..changes })
    }

    /// What changed since the state behind a key. Where nothing did, nothing is written and the key stays.
    pub async fn sync(&self, key: u64, folders: &[ox::Folder]) -> Result<Changes, Error> {
        let Loaded { state, place } = self.states().load(key).await?;
        let numbered = self.numbered(folders).await?;
        let (changes, next) = compare(&state, &numbered);
        if next == state {
            return Ok(Changes {
                key,
                ..Changes::default()
            });
        }
        if !changes.deleted.is_empty() {
            attention::forget_folders(self.store, self.device, |id| changes.deleted.contains(&id)).await?;
        }
        let key = self.states().commit(&place, &next).await?;
        Ok(Changes { key, ..changes })
    }

    /// Whether the device may come with this key.
    pub async fn knows(&self, key: u64) -> Result<(), Error> {
        self.states().load(key).await.map(drop)
    }

    /// Takes in what the device did itself on top of a key, and returns the next one: what OX has made of it, if that is
    /// something else, is a change for the next FolderSync. The same once more has the same result.
    pub async fn adopt(&self, key: u64, own: &Own) -> Result<u64, Error> {
        let Loaded { mut state, place } = self.states().load(key).await?;
        let mut parents = Parents::read(&state.options);
        match own {
            Own::Written { id, parent, title } => {
                let held = Held::on_device(revision(*parent, None, title));
                state.items.insert(id.to_string(), held);
                parents.0.insert(*id, *parent);
            }
            Own::Deleted(root) => {
                let below = parents.below(*root);
                attention::forget_folders(self.store, self.device, |id| below.contains(&id)).await?;
                for id in below {
                    state.items.remove(&id.to_string());
                    parents.0.remove(&id);
                }
            }
        }
        state.options = parents.bytes();
        self.states().commit(&place, &state).await
    }

    /// The short id of a new folder.
    pub async fn assign(&self, module: Module, folder: &str) -> Result<u32, Error> {
        let name = long_id(module, folder);
        let ids = self.store.assign_folder_ids(self.device, &[name]).await?;
        ids.first().map(|(id, _)| *id).ok_or(Error::Superseded)
    }

    /// Keeps the ids of a mail folder and of all below it, when it has got another id at OX.
    pub async fn renamed(&self, old: &str, new: &str) -> Result<(), Error> {
        if old == new {
            return Ok(());
        }
        let ids = self.ids().await?;
        let names = ids.into_iter().filter_map(|(_, name)| {
            let (module, folder) = parse_long_id(&name)?;
            let rest = within(&folder, old).filter(|_| module == Module::Mail)?;
            Some((name, long_id(module, &format!("{new}{rest}"))))
        });
        Ok(self
            .store
            .rename_folder_ids(self.device, &names.collect::<Vec<_>>())
            .await?)
    }

    /// Whether the device's tree is out of date; `true` as well if it never had one. Writes nothing.
    pub async fn is_stale(&self, folders: &[ox::Folder]) -> Result<bool, Error> {
        let Some(Loaded { state, .. }) = self.states().load_newest().await? else {
            return Ok(true);
        };
        let known: HashMap<String, u32> = self.ids().await?.into_iter().map(|(id, name)| (name, id)).collect();
        let names: Vec<String> = folders
            .iter()
            .map(|folder| long_id(folder.module, &folder.id))
            .collect();
        if names.iter().any(|name| !known.contains_key(name)) {
            return Ok(true);
        }
        let numbered = number(folders, &known);
        Ok(compare(&state, &numbered).1 != state)
    }

    /// Module and OX id of all folders the device was ever told of, by the id it knows.
    pub async fn all(&self) -> Result<HashMap<u32, (Module, String)>, Error> {
        let ids = self.ids().await?.into_iter();
        Ok(ids.filter_map(|(id, name)| Some((id, parse_long_id(&name)?))).collect())
    }

    /// Module and OX id of the folder behind a device's id.
    pub async fn resolve(&self, id: u32) -> Result<Option<(Module, String)>, Error> {
        Ok(self.all().await?.remove(&id))
    }

    /// All folders the device was ever told of: its id and the name in the store.
    async fn ids(&self) -> Result<Vec<(u32, String)>, Error> {
        Ok(self.store.folder_ids(self.device).await?)
    }

    /// The folders under the ids the device knows, parents before their children.
    pub async fn numbered(&self, folders: &[ox::Folder]) -> Result<Vec<Folder>, Error> {
        let names: Vec<String> = folders
            .iter()
            .map(|folder| long_id(folder.module, &folder.id))
            .collect();
        let ids = self.store.assign_folder_ids(self.device, &names).await?;
        let ids: HashMap<String, u32> = ids.into_iter().map(|(id, name)| (name, id)).collect();
        Ok(number(folders, &ids))
    }

    const fn states(&self) -> States<'_> {
        States {
            store: self.store,
            device: self.device,
            object: OBJECT,
            generations: self.generations,
        }
    }
}

fn number(folders: &[ox::Folder], ids: &HashMap<String, u32>) -> Vec<Folder> {
    let by_ox_id: HashMap<&str, u32> = folders
        .iter()
        .filter_map(|folder| Some((folder.id.as_str(), *ids.get(&long_id(folder.module, &folder.id))?)))
        .collect();
    let numbered = folders.iter().filter_map(|folder| {
        let id = *by_ox_id.get(folder.id.as_str())?;
        let parent = by_ox_id
            .get(folder.parent.as_str())
            .copied()
            .filter(|parent| *parent != id)
            .unwrap_or(0);
        Some(Folder {
            id,
            parent,
            folder: folder.clone(),
        })
    });
    named_apart(parents_first(numbered.collect()))
}

/// Gives folders names that a device can bear: not empty, not too long, and under one parent none twice. OX has folders of
/// the same name in different modules, which all hang under the root here; the one with the smallest id keeps its name.
fn named_apart(mut folders: Vec<Folder>) -> Vec<Folder> {
    let mut by_id: Vec<&mut Folder> = folders.iter_mut().collect();
    by_id.sort_by_key(|folder| folder.id);
    let mut taken: HashSet<(u32, String)> = HashSet::new();
    for folder in by_id {
        let title = match folder.folder.title.trim() {
            "" => folder.folder.id.as_str(),
            title => title,
        };
        let names = (1_u32..).map(|number| name(title, number));
        let free = names
            .into_iter()
            .find(|name| !taken.contains(&(folder.parent, name.clone())));
        if let Some(free) = free {
            taken.insert((folder.parent, free.clone()));
            folder.folder.title = free;
        }
    }
    folders
}

/// A name, or the second, third and so on of that name, within the length that is allowed.
fn name(title: &str, number: u32) -> String {
    let mark = match number {
        1 => String::new(),
        number => format!(" ({number})"),
    };
    let room = LONGEST_NAME - mark.len();
    title.chars().take(room).chain(mark.chars()).collect()
}

/// Devices drop a folder whose parent they do not know. A folder in a circle of parents is hung under the root.
fn parents_first(folders: Vec<Folder>) -> Vec<Folder> {
    let mut placed: HashSet<u32> = [0].into();
    let mut ordered = Vec::with_capacity(folders.len());
    let mut waiting = folders;
    loop {
        let (ready, rest): (Vec<Folder>, Vec<Folder>) =
            waiting.into_iter().partition(|folder| placed.contains(&folder.parent));
        if ready.is_empty() {
            ordered.extend(rest.into_iter().map(|folder| Folder { parent: 0, ..folder }));
            return ordered;
        }
        placed.extend(ready.iter().map(|folder| folder.id));
        ordered.extend(ready);
        waiting = rest;
    }
}

/// What differs between the device's state and the folders now, and the state after.
fn compare(state: &State, folders: &[Folder]) -> (Changes, State) {
    let by_id: BTreeMap<String, &Folder> = folders.iter().map(|folder| (folder.id.to_string(), folder)).collect();
    let seen = |folder: &Folder| Seen {
        revision: revision(folder.parent, folder.folder.standard, &folder.folder.title),
        within: true,
        newest: 0,
    };
    let snapshot: Snapshot<'_> = by_id.iter().map(|(id, folder)| (id.as_str(), seen(folder))).collect();
    let options = Options {
        policy: Policy::OxWins,
        window: usize::MAX,
        wants_changes: true,
        holds_deletions: false,
    };
    let plan = plan(state, &Applied::default(), &snapshot, &[], options);
    let mut changes = Changes::default();
    for send in &plan.to_device {
        match send {
            Send::Change { id, .. } => changes.changed.extend(by_id.get(id).map(|folder| (*folder).clone())),
            Send::Delete { id } | Send::SoftDelete { id } => changes.deleted.extend(id.parse::<u32>()),
            Send::Add { .. } => {}
        }
    }
    // In the order of the tree, which the plan does not know.
    let is_new = |folder: &&Folder| !state.items.contains_key(&folder.id.to_string());
    changes.added = folders.iter().filter(is_new).cloned().collect();
    let deliveries = vec![Delivery::Sent; plan.to_device.len()];
    let parents = Parents(folders.iter().map(|folder| (folder.id, folder.parent)).collect());
    let settled = settle(state.clone(), plan, &[], Vec::new(), &deliveries, parents.bytes());
    (changes, settled.state)
}

/// Where the device believes its folders to lie: the parent of each. It is kept in the state, where collections keep what
/// the device asked for; a device that deletes a folder deletes those that it believes to lie below, wherever OX has them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parents(BTreeMap<u32, u32>);

impl Parents {
    /// What is not a pair of numbers is passed over.
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let pair = |line: &str| {
            let (id, parent) = line.split_once(' ')?;
            Some((id.parse().ok()?, parent.parse().ok()?))
        };
        Self(text.lines().filter_map(pair).collect())
    }

    fn bytes(&self) -> Vec<u8> {
        let lines: Vec<String> = self.0.iter().map(|(id, parent)| format!("{id} {parent}")).collect();
        lines.join("\n").into_bytes()
    }

    /// A folder and all below it.
    fn below(&self, root: u32) -> HashSet<u32> {
        let mut below: HashSet<u32> = [root].into();
        loop {
            let known = below.len();
            let children = self.0.iter().filter(|(_, parent)| below.contains(parent));
            let children: Vec<u32> = children.map(|(id, _)| *id).collect();
            below.extend(children);
            if below.len() == known {
                return below;
            }
        }
    }
}

/// A digest of what a device sees of a folder.
fn revision(parent: u32, standard: Option<Standard>, title: &str) -> Revision {
    let seen = format!("{parent}\n{standard:?}\n{title}");
    let digest = fingerprint(seen.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(digest.split_at(8).0);
    Revision(u64::from_le_bytes(bytes))
}

/// How a folder is called in the store: its module and its id at OX.
fn long_id(module: Module, folder: &str) -> String {
    format!("{}/{folder}", module.name())
}

/// The rest of the id of a mail folder that lies below another one, or is it.
fn within<'a>(folder: &'a str, above: &str) -> Option<&'a str> {
    let rest = folder.strip_prefix(above)?;
    let is_below = rest.is_empty() || separator_of(above).is_some_and(|separator| rest.starts_with(separator));
    is_below.then_some(rest)
}

/// What stands between the names in the id of a mail folder.
fn separator_of(folder: &str) -> Option<char> {
    folder.strip_prefix(ox::MAIL_ROOT)?.chars().next()
}

fn parse_long_id(name: &str) -> Option<(Module, String)> {
    let (module, id) = name.split_once('/')?;
    Some((Module::from_name(module)?, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: u32, parent: u32, title: &str) -> Folder {
        Folder {
            id,
            parent,
            folder: ox::Folder {
                id: format!("ox{id}"),
                parent: String::new(),
                title: title.to_owned(),
                module: Module::Mail,
                kind: ox::FolderKind::Private,
                standard: None,
                own_rights: ox::Rights(0),
                subscribed: true,
                is_global_address_book: false,
            },
        }
    }

    #[test]
    fn what_lies_below() {
        let parents = Parents([(1, 0), (2, 1), (3, 2), (4, 0), (5, 9), (9, 5)].into());
        assert_eq!(parents.bytes(), b"1 0\n2 1\n3 2\n4 0\n5 9\n9 5");
        assert_eq!(Parents::read(&parents.bytes()), parents);
        assert_eq!(Parents::read(b"1\nx 2\n3 4 5\n"), Parents::default());
        // Folder, with those below it; a circle has an end, and so has what nobody knows.
        let cases: [(u32, &[u32]); 5] = [(1, &[1, 2, 3]), (3, &[3]), (4, &[4]), (5, &[5, 9]), (77, &[77])];
        for (root, expected) in cases {
            assert_eq!(parents.below(root), expected.iter().copied().collect(), "{root}");
        }
    }

    #[test]
    fn siblings_have_different_names() {
        let long = "x".repeat(300);
        // id, parent, title, what the device is told
        let cases = [
            (5, 0, "Work", "Work (2)"),
            (2, 0, "Work", "Work"),
            (9, 0, "Work", "Work (4)"),
            (7, 0, "Work (3)", "Work (3)"),
            (8, 2, "Work", "Work"),
            (3, 0, "  ", "ox3"),
            (4, 0, &long, &long[..256]),
            (6, 0, &long, &format!("{} (2)", &long[..252])),
        ];
        let folders = named_apart(
            cases
                .iter()
                .map(|(id, parent, title, _)| folder(*id, *parent, title))
                .collect(),
        );
        for (folder, (id, _, _, expected)) in folders.iter().zip(cases) {
            assert_eq!((folder.id, folder.folder.title.as_str()), (id, expected));
        }
    }
}
