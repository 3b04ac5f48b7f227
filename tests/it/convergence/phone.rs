//! A phone of a history: its copies, its user's deeds that it has not told yet, and what must never come to it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;

use super::kinds;
use super::kinds::ARCHIVE;
use super::kinds::AtOx;
use super::kinds::Fields;
use super::kinds::KINDS;
use super::kinds::MAIL;
use super::kinds::is_mail;
use super::ledger::Ledger;
use super::memory::Memory;
use super::script;
use super::site::Site;
use super::site::Way;
use crate::device::Device;
use crate::device::collection::Local;
use crate::device::collection::Synced;
use crate::device::commands::body_preference;

/// A phone, and what its user did that it has not told yet.
pub(super) struct Phone {
    pub(super) number: usize,
    pub(super) device: Device,
    /// The phone's folder of each kind.
    pub(super) folders: BTreeMap<usize, String>,
    /// What the phone has not been told about yet, of each kind, in the order of its collection's.
    pub(super) pending: BTreeMap<usize, Vec<Pending>>,
    /// Titles of what it made or changed itself, and was told so.
    own: BTreeSet<String>,
    /// Titles that it changed in a request that broke off within, or was under way twice: they may come back.
    pub(super) disturbed: BTreeSet<String>,
    /// Its filter keeps old mail away.
    recent_only: bool,
    /// Answers, or what may have been one, that it did not get in a row, by kind.
    pub(super) unheard: [usize; KINDS.len()],
    /// What the gateway may have forgotten of it.
    pub(super) memory: Memory,
}

pub(super) struct Pending {
    pub(super) title: String,
    pub(super) what: What,
    /// A request with it, or with an earlier form of it, broke off within or was under way twice.
    pub(super) disturbed: bool,
}

/// In the words of the ledger.
pub(super) enum What {
    Add,
    Change {
        fields: Fields,
        /// By field: its write in the ledger.
        writes: BTreeMap<usize, usize>,
        overtaken: Vec<usize>,
    },
    Delete {
        overtaken: Vec<usize>,
    },
}

impl Phone {
    /// With its tree, and the first key of each collection.
    pub(super) fn set_up(site: &Arc<Site>, number: usize, phone: script::Phone, kinds: &[usize]) -> Self {
        let way = Arc::new(Way(site.clone()));
        let mut device = Device::new(way, "anton", "secret", &format!("phone{number}"), phone.version);
        device.folder_sync();
        let mut folders = BTreeMap::new();
        for kind in kinds {
            let folder = match *kind {
                ARCHIVE => device.folder_named(kinds::ARCHIVE_NAME),
                kind => device.folder(KINDS[kind].folder),
            };
            let mut options = body_preference(phone.version, 1, None);
            if !is_mail(*kind) && phone.wins {
                options.insert(0, Element::number(airsync::CONFLICT, 0));
            }
            device.collection(&folder).options = options;
            folders.insert(*kind, folder);
        }
        let ids: Vec<&str> = folders.values().map(String::as_str).collect();
        device.sync_together(&ids);
        Self {
            number,
            device,
            folders,
            pending: BTreeMap::new(),
            own: BTreeSet::new(),
            disturbed: BTreeSet::new(),
            recent_only: false,
            unheard: [0; KINDS.len()],
            memory: Memory::default(),
        }
    }

    pub(super) fn push(&mut self, kind: usize, title: String, what: What, disturbed: bool) {
        let pending = Pending { title, what, disturbed };
        self.pending.entry(kind).or_default().push(pending);
    }

    pub(super) fn filter(&mut self, recent_only: bool) {
        self.recent_only = recent_only;
        for kind in [MAIL, ARCHIVE] {
            let Some(folder) = self.folders.get(&kind) else {
                continue;
            };
            let options = &mut self.device.collection(folder).options;
            options.retain(|option| option.tag != airsync::FILTER_TYPE);
            // Three days.
            options.insert(
                0,
                Element::number(airsync::FILTER_TYPE, if recent_only { 2 } else { 0 }),
            );
        }
    }

    /// An item that its user still sees.
    pub(super) fn pick(&self, kind: usize, which: usize) -> Option<(String, String, Fields)> {
        let collection = &self.device.collections[&self.folders[&kind]];
        let is_deleted = |id: &String| {
            let mut pending = collection.pending.iter();
            pending.any(|local| local.id() == id && matches!(local, Local::Delete { .. }))
        };
        let read = |(id, data): (&String, &Element)| {
            let (title, fields) = kinds::on_phone(kind, data);
            (id.clone(), title, fields)
        };
        let items = collection.items.iter().filter(|(id, _)| !is_deleted(id));
        let items: Vec<_> = items.map(read).collect();
        pick(&items, which).cloned()
    }

    /// What the phone shows of an item whose change it has not told yet.
    pub(super) fn changed(&self, kind: usize, server_id: &str) -> Option<&Fields> {
        let sent = &self.device.collections[&self.folders[&kind]].pending;
        let pending = self.pending.get(&kind)?.iter();
        pending.zip(sent).find_map(|(pending, local)| match &pending.what {
            What::Change { fields, .. } if local.id() == server_id => Some(fields),
            _ => None,
        })
    }

    /// Takes back a change that was not confirmed, to replace it. By its id: an item that was rightly doubled has its title
    /// twice.
    pub(super) fn withdraw(&mut self, kind: usize, server_id: &str) -> Option<Pending> {
        let pending = self.pending.entry(kind).or_default();
        let sent = &mut self.device.collection(&self.folders[&kind]).pending;
        assert_eq!(pending.len(), sent.len());
        let of_item = |local: &Local| local.id() == server_id && matches!(local, Local::Change { .. });
        let index = sent.iter().position(of_item)?;
        sent.remove(index);
        Some(pending.remove(index))
    }

    /// What it has to tell is in a request that may be carried out and not told, or more than once.
    pub(super) fn disturb(&mut self, kinds: &[usize]) {
        let pending = self.pending.iter_mut().filter(|(kind, _)| kinds.contains(kind));
        for pending in pending.flat_map(|(_, pending)| pending) {
            pending.disturbed = true;
            self.disturbed.insert(pending.title.clone());
        }
    }

    /// A change that says what the phone has, and that nobody else can have made, is its own and must not come back.
    pub(super) fn look_for_echoes(
        &mut self,
        kind: usize,
        before: &BTreeMap<String, Element>,
        own: BTreeMap<String, Fields>,
        synced: &Synced,
        ledger: &Ledger,
    ) {
        let number = self.number;
        let items = self.device.items(&self.folders[&kind]);
        for id in &synced.changed {
            // Deleted again in the same answer.
            let Some(data) = items.get(id) else { continue };
            let (title, fields) = kinds::on_phone(kind, data);
            let had = before.get(id).map(|data| kinds::on_phone(kind, data).1);
            let had = own.get(&title).cloned().or(had);
            let is_own = self.own.contains(&title) && !ledger.is_touched_by_others(&title, Some(number));
            let echo = is_own && had.as_ref() == Some(&fields);
            assert!(
                !echo || self.disturbed.contains(&title),
                "{title} comes back to the phone that made it: {fields:?}"
            );
        }
        let mut titles = BTreeSet::new();
        for (id, data) in items {
            let (title, _) = kinds::on_phone(kind, data);
            self.memory.check(kind, &title, id, ledger);
            let is_new = titles.insert(title.clone()) || ledger.may_be_doubled(&title);
            assert!(is_new, "phone {number} has {title} twice");
        }
        let new = synced.new_ids.values().filter_map(|id| items.get(id));
        let new = new.map(|data| kinds::on_phone(kind, data).0);
        self.own.extend(new.chain(own.into_keys()));
    }

    /// When all is quiet: it has what OX has.
    pub(super) fn check(&self, kind: usize, at_ox: &[AtOx]) {
        let version = self.device.version();
        let seen = |title: String, mut fields: Fields| {
            for (field, value) in fields.iter_mut().enumerate() {
                if !kinds::is_visible(kind, field, version) {
                    value.clear();
                }
            }
            (title, fields)
        };
        let mut expected: Vec<_> = at_ox
            .iter()
            .filter(|item| !self.recent_only || !kinds::is_old(&item.title))
            .map(|item| seen(item.title.clone(), item.fields.clone()))
            .collect();
        let items = self.device.items(&self.folders[&kind]).values();
        let mut found: Vec<_> = items
            .map(|data| kinds::on_phone(kind, data))
            .map(|(title, fields)| seen(title, fields))
            .collect();
        expected.sort();
        found.sort();
        let name = KINDS[kind].name;
        assert_eq!(
            found, expected,
            "{name} on phone {} (left) and at OX (right)",
            self.number
        );
    }
}

/// One of these, whatever the number.
pub(super) fn pick<T>(items: &[T], which: usize) -> Option<&T> {
    items.get(which.checked_rem(items.len())?)
}
