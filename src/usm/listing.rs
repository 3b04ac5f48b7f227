//! The list of a folder, and lists that are kept until all windows cut from them are sent.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::ox::Item;
use crate::ox::revision::ANY_TIMESTAMP;
use crate::store::SessionId;
use crate::usm::snapshot::Filter;
use crate::usm::snapshot::Revision;
use crate::usm::snapshot::Seen;
use crate::usm::snapshot::Snapshot;

/// How long the list of a folder serves the windows that follow each other, in milliseconds.
const LIFETIME: i64 = 60_000;

/// A folder's list at one moment.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// By the id that the device knows.
    pub(super) items: HashMap<String, Item>,
    /// Milliseconds since 1970.
    pub(super) at: i64,
}

impl Listing {
    pub(super) fn new(items: Vec<Item>, at: i64) -> Self {
        let items = items.into_iter().map(|item| (item.id.clone(), item)).collect();
        Self { items, at }
    }

    /// Adds an item that exists though OX did not list it, as the device has it.
    pub(super) fn keep(&mut self, id: String, revision: Revision) {
        let item = Item {
            id: id.clone(),
            revision: revision.0,
            modified: ANY_TIMESTAMP,
            ends: None,
            done: false,
            parts: Vec::new(),
        };
        self.items.insert(id, item);
    }

    /// Names items that OX has under a new id as the device knows them.
    pub(super) fn rename(&mut self, replaced: &BTreeMap<String, String>) {
        for (known, new) in replaced {
            // A mail with the old id means that the folder was made anew: then the new one is another mail, too.
            if !self.items.contains_key(known)
                && let Some(item) = self.items.remove(new)
            {
                self.items.insert(known.clone(), item);
            }
        }
    }

    /// Takes over what a later list says of items that were replaced since.
    pub(super) fn replace(&mut self, replaced: &BTreeMap<String, String>, later: &Self) {
        for (known, new) in replaced {
            if let Some(item) = later.items.get(new) {
                self.items.insert(known.clone(), item.clone());
            }
        }
    }

    pub(super) fn snapshot(&self, filter: &Filter) -> Snapshot {
        let seen = |item: &Item| Seen {
            revision: Revision(item.revision),
            within: filter.passes(&item.id, item.ends, item.done),
            newest: item.ends.unwrap_or(item.modified),
        };
        let items = self.items.iter().map(|(id, item)| (id.clone(), seen(item))).collect();
        let mut snapshot = Snapshot { items };
        snapshot.limit(filter.most.unwrap_or(usize::MAX));
        snapshot
    }
}

/// Lists of folders whose windows are not all sent yet, so that a large folder is not listed anew for each window.
/// At most one for each collection of a device, each used once.
#[derive(Debug, Default)]
pub struct Listings(Mutex<HashMap<(SessionId, u32), Kept>>);

/// A list, and the key that the device has to come with to go on from there.
#[derive(Debug)]
struct Kept {
    key: u64,
    listing: Arc<Listing>,
}

impl Listings {
    pub(super) fn keep(&self, device: SessionId, collection: u32, key: u64, listing: Arc<Listing>) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, kept| listing.at - kept.listing.at < LIFETIME);
        lists.insert((device, collection), Kept { key, listing });
    }

    /// The list that the window before was cut from, if it is not too old and the device goes on from there.
    pub(super) fn take(&self, device: SessionId, collection: u32, key: u64, now: i64) -> Option<Arc<Listing>> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lists.remove(&(device, collection))?;
        (kept.key == key && now - kept.listing.at < LIFETIME).then_some(kept.listing)
    }
}
