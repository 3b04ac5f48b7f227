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

/// A folder's list at one moment. It may be long, and is kept for a while: so each item stands in it once.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// In the order of their ids.
    items: Vec<Item>,
    /// Ids that the device knows of items that OX has under another one by now.
    replaced: BTreeMap<String, String>,
    /// Milliseconds since 1970.
    at: i64,
}

impl Listing {
    pub(super) fn new(mut items: Vec<Item>, at: i64) -> Self {
        items.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        items.dedup_by(|one, other| one.id == other.id);
        items.shrink_to_fit();
        let replaced = BTreeMap::new();
        Self { items, replaced, at }
    }

    /// An item, by the id that the device knows.
    pub(super) fn get(&self, id: &str) -> Option<&Item> {
        let id = self.replaced.get(id).map_or(id, String::as_str);
        self.items.get(self.place(id).ok()?)
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.get(id).is_some()
    }

    /// Where an item is, or where it would have to be, by the id that OX has.
    fn place(&self, id: &str) -> Result<usize, usize> {
        self.items.binary_search_by(|item| item.id.as_str().cmp(id))
    }

    /// Adds an item that exists though OX did not list it, as the device has it.
    pub(super) fn keep(&mut self, id: String, revision: Revision) {
        let Err(place) = self.place(&id) else {
            return;
        };
        let item = Item {
            id,
            revision: revision.0,
            modified: ANY_TIMESTAMP,
            ends: None,
            done: false,
            parts: Vec::new(),
        };
        self.items.insert(place, item);
    }

    /// Names items that OX has under a new id as the device knows them.
    pub(super) fn rename(&mut self, replaced: &BTreeMap<String, String>) {
        for (known, new) in replaced {
            // A mail with the old id means that the folder was made anew: then the new one is another mail, too.
            if self.place(known).is_err() && self.place(new).is_ok() {
                self.replaced.insert(known.clone(), new.clone());
            }
        }
    }

    /// Takes over what a later list says of items that were replaced since.
    pub(super) fn replace(&mut self, replaced: &BTreeMap<String, String>, later: &Self) {
        for (known, new) in replaced {
            let Some(item) = later.get(new) else { continue };
            if let Err(place) = self.place(new) {
                self.items.insert(place, item.clone());
            }
            self.replaced.insert(known.clone(), new.clone());
        }
    }

    /// By the ids that the device knows.
    pub(super) fn snapshot(&self, filter: &Filter) -> Snapshot<'_> {
        let known: HashMap<&str, &str> = self.replaced.iter().map(|(known, new)| (&**new, &**known)).collect();
        let seen = |item: &Item| Seen {
            revision: Revision(item.revision),
            within: filter.passes(&item.id, item.ends, item.done),
            newest: item.ends.unwrap_or(item.modified),
        };
        let items = self.items.iter();
        let mut snapshot: Snapshot<'_> = items
            .map(|item| (known.get(&*item.id).copied().unwrap_or(&item.id), seen(item)))
            .collect();
        snapshot.limit(filter.most.unwrap_or(usize::MAX));
        snapshot
    }
}

/// Lists of folders whose windows are not all sent yet, so that a large folder is not listed anew for each window.
/// At most one for each collection of a device, each used once. A clone is the same lists.
#[derive(Clone, Debug, Default)]
pub struct Listings(Arc<Mutex<HashMap<(SessionId, u32), Kept>>>);

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

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(ids: &[&str]) -> Listing {
        let item = |id: &&str| Item {
            id: (*id).to_owned(),
            revision: id.parse().unwrap(),
            modified: 0,
            ends: None,
            done: false,
            parts: Vec::new(),
        };
        Listing::new(ids.iter().map(item).collect(), 0)
    }

    /// Of each item its id as devices know it, and its revision, which is its id at OX.
    fn known(listing: &Listing) -> Vec<(String, u64)> {
        let snapshot = listing.snapshot(&Filter::default());
        snapshot
            .iter()
            .map(|(id, seen)| (id.to_owned(), seen.revision.0))
            .collect()
    }

    #[test]
    fn replaced_items_have_the_ids_that_devices_know() {
        let replaced: BTreeMap<String, String> = [("1", "9"), ("2", "7"), ("3", "8")]
            .map(|(known, new)| (known.to_owned(), new.to_owned()))
            .into();
        let mut listing = listing(&["9", "5", "2", "7"]);
        listing.rename(&replaced);
        // Under the id of the second OX has another mail, the one in place of the third is gone.
        let expected = [("1", 9), ("2", 2), ("5", 5), ("7", 7)].map(|(id, at_ox)| (id.to_owned(), at_ox));
        assert_eq!(known(&listing), expected);
        assert_eq!(listing.get("1").map(|item| item.id.as_str()), Some("9"));
        assert!(listing.contains("1") && listing.contains("5") && !listing.contains("3"));
    }

    #[test]
    fn what_was_replaced_since_comes_from_the_later_list() {
        let replaced = [("1".to_owned(), "9".to_owned()), ("5".to_owned(), "8".to_owned())].into();
        let mut listing = listing(&["1", "5"]);
        listing.replace(&replaced, &self::listing(&["9"]));
        assert_eq!(listing.get("1").map(|item| item.revision), Some(9));
        assert_eq!(listing.get("5").map(|item| item.revision), Some(5), "not there later");
    }
}
