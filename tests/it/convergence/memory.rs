//! A phone that the gateway may have forgotten: the database went back to what it was before.
//!
//! That costs the phone a Sync of its folders from the beginning, under the ids that they had; so have their items. What the
//! phone has added and not told yet it keeps; what it has changed or deleted is gone with its copies, as on real phones.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::kinds;
use super::kinds::is_mail;
use super::ledger::Ledger;
use super::ledger::Told;
use super::phone::Pending;
use super::phone::Phone;
use super::phone::What;
use crate::device::collection::Local;

/// [MS-ASCMD] Status of a Sync.
const INVALID_SYNC_KEY: i64 = 3;

#[derive(Default)]
pub(super) struct Memory {
    /// Folders by kind whose keys the gateway may not know.
    folders: BTreeSet<usize>,
    /// By kind and title, what it had when it started over.
    ids: BTreeMap<(usize, String), String>,
}

impl Memory {
    /// An item is the same item after a start from the beginning. A mail that is moved is not.
    pub(super) fn check(&self, kind: usize, title: &str, id: &str, ledger: &Ledger) {
        if is_mail(kind) || ledger.may_be_doubled(title) {
            return;
        }
        let had = self.ids.get(&(kind, title.to_owned()));
        assert!(had.is_none_or(|had| had == id), "{title} was {had:?} and is {id}");
    }
}

impl Phone {
    /// The database is not what it was. What the phone was not told of may have been carried out, and nobody remembers.
    pub(super) fn may_be_unknown(&mut self, ledger: &mut Ledger) {
        let kinds: Vec<usize> = self.folders.keys().copied().collect();
        for kind in &kinds {
            if self.unheard[*kind] == 0 {
                continue;
            }
            self.disturb(&[*kind]);
            let pending = self.pending.get(kind).into_iter().flatten();
            for pending in pending.filter(|pending| matches!(pending.what, What::Add)) {
                ledger.forget(&pending.title);
            }
        }
        self.memory.folders.extend(kinds);
    }

    /// The gateway has a state for its key.
    pub(super) fn is_known(&mut self, kind: usize) {
        self.memory.folders.remove(&kind);
    }

    /// Begins a folder anew, if this Status is the gateway's to say.
    pub(super) fn starts_over(&mut self, kind: usize, status: i64, ledger: &mut Ledger) -> bool {
        if status != INVALID_SYNC_KEY || !self.memory.folders.remove(&kind) {
            return false;
        }
        let folder = self.folders[&kind].clone();
        let collection = self.device.collection(&folder);
        "0".clone_into(&mut collection.key);
        for (id, data) in std::mem::take(&mut collection.items) {
            let (title, _) = kinds::on_phone(kind, &data);
            self.memory.ids.insert((kind, title), id);
        }
        collection.pending.retain(|local| matches!(local, Local::Add { .. }));
        let pending = self.pending.remove(&kind).unwrap_or_default();
        let (kept, dropped) = pending
            .into_iter()
            .partition(|pending| matches!(pending.what, What::Add));
        self.pending.insert(kind, kept);
        for pending in dropped {
            self.drop_deed(pending, ledger);
        }
        true
    }

    /// Its user does not know what became of it.
    fn drop_deed(&self, pending: Pending, ledger: &mut Ledger) {
        let Pending { title, what, .. } = pending;
        let writes: Vec<usize> = match what {
            What::Add => Vec::new(),
            What::Change { writes, overtaken, .. } => writes.into_values().chain(overtaken).collect(),
            What::Delete { overtaken } => {
                ledger.tell_deletion(&title, Some(self.number), Told::Overtaken);
                overtaken
            }
        };
        for write in writes {
            ledger.tell_write(&title, write, Told::Overtaken, true);
        }
    }
}
