//! The driver of one collection: loads, looks, carries a plan out, commits.
//!
//! An exchange goes through five types, each of which can only become the next: [`Opened`] has the state behind the
//! device's key; [`Looked`] knows what OX holds; [`Decided`] knows what will be written; [`Pending`] has written the device's
//! changes to OX and knows what the device lacks; [`Committed`] is in the store. What objects look like to a device is the
//! caller's business, in between.

mod exchange;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ox;
use crate::ox::Item;
use crate::ox::Module;
use crate::ox::revision::same_mail;
use crate::store;
use crate::store::Note;
use crate::store::SessionId;
use crate::store::Store;
use crate::usm::conflict::Policy;
use crate::usm::course::Shown;
use crate::usm::generations::Generations;
use crate::usm::generations::Loaded;
use crate::usm::generations::Place;
use crate::usm::generations::States;
use crate::usm::journal::Applied;
use crate::usm::listing::Listing;
use crate::usm::listing::Listings;
use crate::usm::plan::Change;
use crate::usm::plan::Options;
use crate::usm::plan::Plan;
use crate::usm::plan::Send;
use crate::usm::plan::What;
use crate::usm::plan::plan as plan_of;
use crate::usm::repetition::Repetition;
use crate::usm::settle::Answer;
use crate::usm::settle::Delivery;
use crate::usm::settle::Outcome;
use crate::usm::settle::settle;
use crate::usm::snapshot::Filter;
use crate::usm::snapshot::Revision;
use crate::usm::snapshot::Snapshot;
use crate::usm::state::Held;
use crate::usm::state::State;
use crate::usm::telling::Begun;
use crate::usm::telling::Tellings;
use crate::usm::telling::Untold;
use crate::usm::write::Write;

pub use exchange::Decided;

/// Why an exchange failed as a whole. Nothing was committed: the device repeats its request and loses nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is none that the device can have, or what it knew cannot be read any more.
    #[error("the sync key is not known")]
    UnknownKey,
    /// Another request of the same device was faster.
    #[error("another request of this device committed first")]
    Superseded,
    /// Somebody changed an item at OX after the look on which the plan was made; see [`Looked::looks_again`].
    #[error("an item was changed at Open-Xchange in this very moment")]
    Overtaken,
    #[error(transparent)]
    Ox(#[from] ox::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// One folder as one device syncs it.
#[derive(Clone, Copy)]
pub struct Collection<'a> {
    pub store: &'a Store,
    pub ox: &'a ox::Session,
    pub listings: &'a Listings,
    pub generations: Generations,
    pub device: SessionId,
    /// As of [`Sending`](crate::usm::sending::Sending).
    pub node: &'a str,
    /// The id the device knows.
    pub id: u32,
    pub module: Module,
    /// The folder's id at OX.
    pub folder: &'a str,
}

impl<'a> Collection<'a> {
    /// Starts anew: the device knows nothing, and gets this key.
    pub async fn reset(&self, options: Vec<u8>, now: i64) -> Result<u64, Error> {
        let state = State {
            options,
            ..State::default()
        };
        self.states(&self.object()).reset(&state, now).await
    }

    /// The state behind a key.
    pub async fn open(self, key: u64) -> Result<Opened<'a>, Error> {
        let loaded = self.states(&self.object()).load(key).await?;
        Ok(Opened::new(self, loaded))
    }

    /// The state the device will come with next, if it synced this collection before.
    pub async fn open_newest(self) -> Result<Option<Opened<'a>>, Error> {
        let loaded = self.states(&self.object()).load_newest().await?;
        Ok(loaded.map(|loaded| Opened::new(self, loaded)))
    }

    async fn list(&self, now: i64) -> Result<Arc<Listing>, Error> {
        let items = ox::list(self.ox, self.module, self.folder).await?;
        Ok(Arc::new(Listing::new(items, now)))
    }

    fn states<'b>(&'b self, object: &'b str) -> States<'b> {
        let Self {
            store,
            device,
            generations,
            ..
        } = *self;
        States {
            store,
            device,
            object,
            generations,
        }
    }

    /// The collection's name in the store.
    pub(super) fn object(&self) -> String {
        self.id.to_string()
    }
}

/// A collection with the state behind the device's key.
pub struct Opened<'a> {
    collection: Collection<'a>,
    place: Place,
    state: State,
}

impl<'a> Opened<'a> {
    fn new(collection: Collection<'a>, Loaded { state, place }: Loaded) -> Self {
        Self {
            collection,
            place,
            state,
        }
    }

    /// What the device asked for when this state was made.
    pub fn options(&self) -> &[u8] {
        &self.state.options
    }

    pub const fn key(&self) -> u64 {
        self.place.key
    }

    /// Ids of the items the device may name: those that OX gave them at first.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.state.items.keys().map(String::as_str)
    }

    /// The id under which OX has one of them now.
    pub fn ox_id<'b>(&'b self, id: &'b str) -> &'b str {
        self.state.ox_id(id)
    }

    /// How many items the device lacks. Writes nothing.
    pub async fn pending(&self, filter: Filter, now: i64) -> Result<usize, Error> {
        Ok(self.pending_of(&self.renamed(self.collection.list(now).await?), &filter))
    }

    /// The same for a list that was fetched before.
    pub fn pending_in(&self, items: Vec<Item>, filter: Filter, now: i64) -> usize {
        self.pending_of(&self.renamed(Arc::new(Listing::new(items, now))), &filter)
    }

    fn tellings(&self, notes: &[Note], now: i64) -> Tellings<'a> {
        Tellings::read(self.collection, self.key(), notes, now)
    }

    async fn notes(&self) -> Result<Vec<Note>, Error> {
        let Collection { store, device, .. } = self.collection;
        Ok(store.notes(device, &self.collection.object(), self.key()).await?)
    }

    fn renamed(&self, mut listing: Arc<Listing>) -> Arc<Listing> {
        if !self.state.replaced.is_empty() {
            Arc::make_mut(&mut listing).rename(&self.state.replaced);
        }
        listing
    }

    fn pending_of(&self, listing: &Listing, filter: &Filter) -> usize {
        let options = Options {
            policy: Policy::OxWins,
            window: 0,
            wants_changes: true,
            holds_deletions: false,
        };
        let snapshot = listing.snapshot(filter);
        let lacking = plan_of(&self.state, &Applied::default(), &snapshot, &[], options).lacking();
        // What OX only lists, no Sync would bring: a device that is told of it asks again and again.
        lacking.saturating_sub(ghosts(&self.state, &snapshot))
    }

    /// The folder's list. What the device has and the list lacks is asked for where a list proves nothing.
    async fn list(&self, now: i64) -> Result<Arc<Listing>, Error> {
        let mut listing = self.renamed(self.collection.list(now).await?);
        let missing: Vec<&str> = self.known().filter(|id| !listing.contains(id)).collect();
        let Collection {
            ox: session,
            module,
            folder,
            ..
        } = self.collection;
        for id in ox::unlisted(session, module, folder, &missing).await? {
            if let Some(held) = self.state.items.get(&id) {
                Arc::make_mut(&mut listing).keep(id, held.revision);
            }
        }
        Ok(listing)
    }

    /// Looks at OX. A device that brings no changes goes on with the list that its window before was cut from.
    pub async fn look(mut self, brings_changes: bool, now: i64) -> Result<Looked<'a>, Error> {
        let notes = match brings_changes {
            true => Some(self.notes().await?),
            false => None,
        };
        let applied = notes.as_deref().map(applied_by).unwrap_or_default();
        let replaced = applied.replaced(self.state.items.keys());
        self.state.replaced.extend(replaced);
        let Collection {
            listings, device, id, ..
        } = self.collection;
        let kept = listings.take(device, id, self.key(), now).filter(|_| !brings_changes);
        let continued = kept.is_some();
        let listing = match kept {
            Some(listing) => listing,
            None => self.list(now).await?,
        };
        Ok(Looked {
            opened: self,
            notes,
            applied,
            listing,
            continued,
            looks_again: false,
            now,
        })
    }
}

/// A collection with its state and what OX holds now.
pub struct Looked<'a> {
    opened: Opened<'a>,
    /// Of the key, where the device brings changes.
    notes: Option<Vec<Note>>,
    /// What was written when the device sent this key before.
    applied: Applied,
    listing: Arc<Listing>,
    /// The list is that of the window before.
    continued: bool,
    looks_again: bool,
    now: i64,
}

impl<'a> Looked<'a> {
    /// Whether the caller looks once more when somebody has changed an item since: [`Decided::write`] then ends with
    /// [`Error::Overtaken`], and what it has written is known to be. Otherwise the change is refused, as if OX had won.
    pub fn looks_again(mut self, looks_again: bool) -> Self {
        self.looks_again = looks_again;
        self
    }

    /// The key that the device sent.
    pub const fn key(&self) -> u64 {
        self.opened.key()
    }

    /// What the list says of an item.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.listing.get(id)
    }

    /// What both sides agreed on last of an item, if that is known: by what the device wrote since it got the key, if it
    /// wrote.
    pub fn agreed(&self, id: &str) -> Option<&[u8]> {
        let written = self.applied.find(&What::Change { id: id.to_owned() });
        match written {
            Some(done) => done.agreed.as_deref(),
            None => self.opened.state.agreed.get(id).map(Vec::as_slice),
        }
    }

    /// Whether OX shows another version of an item than the device has.
    pub fn is_changed(&self, id: &str) -> bool {
        let held = self.opened.state.items.get(id);
        let seen = self.listing.get(id);
        held.zip(seen)
            .is_some_and(|(held, seen)| !held.is_current(Revision(seen.revision)))
    }

    /// Decides, and writes at once: for a protocol that does not tell what is lost.
    pub async fn exchange(
        self,
        changes: Vec<(Change, Write)>,
        options: Options,
        filter: Filter,
    ) -> Result<Pending<'a>, Error> {
        self.decide(changes, options, filter).await?.write().await
    }

    /// Decides what is done with the device's changes: each comes with what to write where OX must be written to.
    pub async fn decide(
        self,
        changes: Vec<(Change, Write)>,
        options: Options,
        filter: Filter,
    ) -> Result<Decided<'a>, Error> {
        let Self {
            opened,
            notes,
            applied,
            mut listing,
            continued,
            looks_again,
            now,
        } = self;
        let changes = changes.into_iter().map(|(change, write)| opened.guarded(change, write));
        let (changes, writes): (Vec<Change>, Vec<Write>) = changes.unzip();
        let mut plan = opened.plan(&applied, &listing, &filter, &changes, options);
        if continued && !plan.more_available() {
            // The last window of an old list: what came since belongs to it. Two of them would take twice the memory.
            drop((plan, listing));
            listing = opened.list(now).await?;
            plan = opened.plan(&applied, &listing, &filter, &changes, options);
        }
        let tellings = notes.map(|notes| opened.tellings(&notes, now));
        Ok(Decided {
            opened,
            applied,
            tellings,
            listing,
            plan,
            changes,
            writes,
            looks_again,
            now,
        })
    }
}

fn applied_by(notes: &[Note]) -> Applied {
    let notes = notes.iter().cloned();
    Applied::read(notes.map(|note| (note.operation, note.outcome)))
}

/// How many items OX has listed before as it lists them now, and did not have.
fn ghosts(state: &State, snapshot: &Snapshot<'_>) -> usize {
    let is_ghost = |id: &str, held: &Held| {
        let seen = snapshot.get(id);
        seen.is_some_and(|seen| seen.within && held.is_ghost(seen.revision))
    };
    state.items.iter().filter(|(id, held)| is_ghost(id, held)).count()
}

/// Whether what a device has and what OX lists under one id can be the same mail. Revisions that OX never has tell nothing
/// of the mail but that the device lacks its newest state.
pub(super) fn may_be_same(held: Revision, seen: Revision) -> bool {
    let revisions = [held, held.unless(true)];
    held == Revision(0) || revisions.iter().any(|held| same_mail(held.0, seen.0))
}

/// The device's changes are at OX; what it lacks is known. Not committed yet.
pub struct Pending<'a> {
    opened: Opened<'a>,
    listing: Arc<Listing>,
    plan: Plan,
    changes: Vec<Change>,
    outcomes: Vec<Outcome>,
    repetition: Repetition,
    tellings: Tellings<'a>,
    untold: Vec<Untold>,
    now: i64,
}

impl Pending<'_> {
    /// How an item is to be sent: a device that did not get past it gets less of it.
    pub fn shown(&self, id: &str) -> Shown {
        self.repetition.course.shown.get(id).copied().unwrap_or_default()
    }

    /// What the device gets, in the order of sending.
    pub fn to_device(&self) -> &[Send] {
        &self.plan.to_device
    }

    /// Lets so many items more into the answer, for a device that would see nothing of those before. `false` if there are
    /// none.
    pub fn open_window(&mut self, window: usize) -> bool {
        self.plan.open_window(window.min(self.repetition.course.window))
    }

    /// What the list said of an item.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.listing.get(id)
    }

    /// What both sides agreed on before this exchange, of an item that the device does not change in it.
    pub fn agreed_before(&self, id: &str) -> Option<&[u8]> {
        let is_own = self
            .changes
            .iter()
            .any(|change| change.what.id().is_some_and(|own| own == id));
        let agreed = self.opened.state.agreed.get(id);
        agreed.map(Vec::as_slice).filter(|_| !is_own)
    }

    /// What was overridden, and nobody was told of: in this exchange, and in those before it that did not come to their end.
    pub fn untold(&self) -> &[Untold] {
        &self.untold
    }

    /// Notes that some of [`Pending::untold`] are being told now. [`Error::Superseded`] if another gateway does.
    pub async fn begin_telling(&mut self, names: &[Vec<u8>]) -> Result<Begun, Error> {
        self.tellings.begin(names).await
    }

    /// Notes that they are told.
    pub async fn end_telling(&mut self, names: Vec<Vec<u8>>) -> Result<(), Error> {
        self.tellings.end(names).await
    }

    /// Once an item of [`Pending::to_device`] is sent, this is what both sides agree on.
    pub fn agree(&mut self, id: &str, agreed: Vec<u8>) {
        self.plan.told.insert(id.to_owned(), agreed);
    }

    /// Commits. `deliveries` say what became of each item of [`Pending::to_device`]; where nothing changed nothing is
    /// written, and the key stays, unless `force_new_key`.
    pub async fn settle(
        self,
        deliveries: &[Delivery],
        options: Vec<u8>,
        force_new_key: bool,
    ) -> Result<Committed, Error> {
        let Self {
            opened,
            listing,
            plan,
            changes,
            outcomes,
            repetition,
            now,
            ..
        } = self;
        let Opened {
            collection,
            place,
            state,
        } = opened;
        let wrote = outcomes.iter().any(|outcome| {
            matches!(
                outcome,
                Outcome::Done { .. } | Outcome::Replaced { .. } | Outcome::Sent { .. }
            )
        });
        // A list from before a write shows the item as it was, and would send it back to the device that changed it.
        let is_current = outcomes.is_empty();
        let settled = settle(state, plan, &changes, outcomes, deliveries, options);
        let mut committed = Committed {
            key: place.key,
            replaced: settled.state.replaced.clone(),
            healed: settled.healed,
            answers: settled.answers,
            more_available: settled.more_available,
            wrote,
        };
        if settled.is_changed || !changes.is_empty() || force_new_key {
            let object = collection.object();
            committed.key = collection.states(&object).commit(&place, &settled.state).await?;
            let next = settled.more_available.then_some(committed.key);
            collection.note_answer(&repetition, place.key, next, now).await?;
        }
        if settled.more_available && is_current {
            collection
                .listings
                .keep(collection.device, collection.id, committed.key, listing);
        }
        Ok(committed)
    }
}

/// In the store: the answer may go out.
#[derive(Debug)]
pub struct Committed {
    pub key: u64,
    /// Items that OX has under another id than the device.
    replaced: BTreeMap<String, String>,
    /// Items that were withheld from the device, and are not any more: it has them, or they are gone.
    pub healed: Vec<String>,
    /// One for each change of the device, in its order.
    pub answers: Vec<Answer>,
    pub more_available: bool,
    /// OX was written to: other devices want to know.
    pub wrote: bool,
}

impl Committed {
    /// The id under which OX has an item.
    pub fn ox_id<'a>(&'a self, id: &'a str) -> &'a str {
        self.replaced.get(id).map_or(id, String::as_str)
    }
}
