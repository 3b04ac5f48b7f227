//! The writes of one exchange: carried out one after the other, each noted before the next.
//!
//! A crash or a lost connection can thus repeat no more than the write in flight.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::ox;
use crate::ox::Item;
use crate::ox::Mark;
use crate::ox::Module;
use crate::ox::Object;
use crate::ox::columns::common;
use crate::ox::revision::ANY_TIMESTAMP;
use crate::store::Note;
use crate::usm::collection::Collection;
use crate::usm::collection::Error;
use crate::usm::draft::Draft;
use crate::usm::journal;
use crate::usm::journal::Applied;
use crate::usm::journal::Done;
use crate::usm::journal::UNCERTAIN;
use crate::usm::listing::Listing;
use crate::usm::plan::Change;
use crate::usm::plan::Step;
use crate::usm::plan::What;
use crate::usm::settle::Outcome;
use crate::usm::settle::Unsendable;
use crate::usm::snapshot::Revision;
use crate::usm::state::State;

/// What a change of the device writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A new object; of a series, with what is different in single occurrences.
    Create {
        object: Object,
        occurrences: Vec<Occurrence>,
    },
    /// The changed fields of an object, and of single occurrences of a series.
    Update {
        fields: Object,
        occurrences: Vec<Occurrence>,
        /// Not all that the device changed is written: it gets the object as OX has it.
        resend: bool,
        /// What is written instead where OX has changed too; `None` if nobody knows who changed what.
        shares: Option<Box<Shares>>,
    },
    /// The flags of a mail.
    Flags { set: u32, clear: u32 },
    /// A mail that is not sent yet, or the message that became of it.
    Draft(Draft),
    /// `hard`: not into the trash.
    Delete { hard: bool },
    /// What the device sent cannot be written; its answer says so.
    Refused,
    /// The same, of a draft that the device wants sent.
    Unsendable(Unsendable),
}

/// A change of the device, held against what both sides agreed on before.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// What the device has changed.
    pub merged: Edit,
    /// What the device alone has changed, and OX has not.
    pub yielded: Edit,
}

/// What is written of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    pub fields: Object,
    pub occurrences: Vec<Occurrence>,
    /// What both sides agree on once it is written; opaque.
    pub agreed: Vec<u8>,
}

impl Write {
    /// What both sides agree on once a step has written it; `unseen` as in [`Writer::write`].
    fn agreed(&self, change: &Change, step: &Step, unseen: bool) -> Option<Vec<u8>> {
        match (self, step) {
            (Self::Update { shares, .. }, Step::Merge) => Some(shares.as_ref()?.merged.agreed.clone()),
            (Self::Update { shares, .. }, Step::Yield) => Some(shares.as_ref()?.yielded.agreed.clone()),
            (Self::Create { .. } | Self::Update { resend: false, .. }, _) if !unseen => change.agreed.clone(),
            _ => None,
        }
    }

    /// What of it a step writes.
    fn of_step(self, step: &Step) -> Self {
        match (self, step) {
            (
                Self::Update {
                    shares: Some(shares),
                    resend,
                    ..
                },
                Step::Merge | Step::Yield,
            ) => {
                let Edit {
                    fields, occurrences, ..
                } = match step {
                    Step::Merge => shares.merged,
                    _ => shares.yielded,
                };
                Self::Update {
                    fields,
                    occurrences,
                    resend,
                    shares: None,
                }
            }
            (write, _) => write,
        }
    }
}

/// The change of one occurrence of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// The day of its original start, as OX names occurrences.
    pub day: i64,
    /// `None` deletes it.
    pub fields: Option<Object>,
}

/// A write as OX answered it.
pub(super) enum Written {
    Done {
        id: String,
        /// After the write, if OX told it.
        revision: Option<Revision>,
        /// The device does not have what OX has: its next Sync brings it.
        resend: bool,
    },
    /// OX has another item, of this id, in the place of the changed one.
    Replaced {
        by: String,
        resend: bool,
    },
    /// OX sent what the item was made of. The device knows it by this id.
    Sent {
        id: String,
    },
    Not(Outcome),
}

/// What is noted of a write beside its outcome, as in [`Done`].
#[derive(Clone, Debug, Default)]
struct Noted {
    agreed: Option<Vec<u8>>,
    in_part: bool,
}

/// Carries the writes of one exchange out, one after the other.
pub(super) struct Writer<'a> {
    pub(super) collection: Collection<'a>,
    /// The key of the state that the writes are based on, and the state.
    base: u64,
    pub(super) state: &'a State,
    listing: &'a Listing,
    /// Where somebody was faster than a change, the whole exchange is made again.
    looks_again: bool,
    /// What OX said last of the items written here, so that two changes of one item do not collide.
    modified: BTreeMap<String, i64>,
    /// What was noted of the writes so far, by operation.
    noted: BTreeMap<Vec<u8>, Noted>,
    /// Ids of what the writes of this key have become.
    written: BTreeSet<String>,
    pub(super) now: i64,
}

impl<'a> Writer<'a> {
    /// `applied`: what was written before under this key. `now` in milliseconds since 1970.
    pub(super) fn new(
        collection: Collection<'a>,
        (base, state, applied): (u64, &'a State, &Applied),
        listing: &'a Listing,
        looks_again: bool,
        now: i64,
    ) -> Self {
        let modified = BTreeMap::new();
        let noted = BTreeMap::new();
        let written = applied.ids().map(str::to_owned).collect();
        Self {
            collection,
            base,
            state,
            listing,
            looks_again,
            modified,
            noted,
            written,
            now,
        }
    }

    /// Writes one change and notes it before anything else happens. An error is OX's or the store's: the request
    /// fails, and what was noted is not written again when it is repeated. `step` says whether this is a repetition,
    /// `noted` what was written before, `unseen` whether the device has not seen all that OX has of the item.
    pub(super) async fn write(
        &mut self,
        change: &Change,
        write: Write,
        step: &Step,
        noted: Option<&Done>,
        unseen: bool,
    ) -> Result<Written, Error> {
        let agreed = write.agreed(change, step, unseen);
        let in_part = *step == Step::Yield;
        let write = write.of_step(step);
        if let Write::Draft(mut draft) = write {
            draft.resend |= unseen;
            return self.write_draft(change, &draft, step, noted).await;
        }
        let is_addition = matches!(write, Write::Create { .. });
        if is_addition && *step == Step::Write {
            // OX takes a repeated addition for another one: should we die now, the repetition looks for it.
            self.claim(change, noted).await?;
        }
        let mut written = self.attempt(change, write.clone(), step, true).await;
        if matches!(&written, Err(error) if error.kind == ox::ErrorKind::Server) {
            // OX stumbled over itself. That happens once, and what it did before nobody knows. Should it have been the mark,
            // there is none now.
            written = self.attempt(change, write, &Step::WriteUnlessThere, false).await;
        }
        let mut written = match written {
            Ok(written) => written,
            Err(error) if error.kind == ox::ErrorKind::Conflict && self.looks_again && !is_addition => {
                return Err(Error::Overtaken);
            }
            Err(error) => return refusal(error).map(Written::Not),
        };
        if let Written::Done { id, revision, resend } = &mut written {
            *resend |= unseen;
            let revision = revision.map(|revision| revision.unless(*resend));
            // An object that was there already may say more than the device did.
            let agreed = agreed.filter(|_| !(is_addition && *resend));
            self.noted
                .insert(journal::operation(&change.what), Noted { agreed, in_part });
            self.written.insert(id.clone());
            match is_addition {
                true => self.confirm_addition(change, id, revision).await?,
                false => self.confirm(change, id, revision).await?,
            }
        }
        Ok(written)
    }

    /// Notes that an addition begins, unless another gateway, where the device is with the same request, has done so since
    /// we looked. `noted` is what there was then.
    pub(super) async fn claim(&self, change: &Change, noted: Option<&Done>) -> Result<(), Error> {
        let noted = noted.map(Done::encode);
        match self.note_if(change, UNCERTAIN.to_vec(), noted.as_deref()).await? {
            true => Ok(()),
            false => Err(Error::Superseded),
        }
    }

    /// Notes an addition that OX has carried out. If another gateway was faster, OX has it twice, and this one goes again.
    async fn confirm_addition(&self, change: &Change, id: &str, revision: Option<Revision>) -> Result<(), Error> {
        let Collection {
            ox: session,
            module,
            folder,
            ..
        } = self.collection;
        if self.confirm_claimed(change, id, revision).await? {
            return Ok(());
        }
        if self.listing.get(id).is_none() {
            ox::delete(session, module, folder, id, ANY_TIMESTAMP).await?;
        }
        Err(Error::Superseded)
    }

    /// Notes a write that was claimed, and that OX has carried out. `false` if another gateway has noted it, with another item.
    pub(super) async fn confirm_claimed(
        &self,
        change: &Change,
        id: &str,
        revision: Option<Revision>,
    ) -> Result<bool, Error> {
        let Collection { store, device, .. } = self.collection;
        let done = self.done(change, id, revision);
        if self.note_if(change, done.encode(), Some(UNCERTAIN)).await? {
            return Ok(true);
        }
        let notes = store.notes(device, &self.collection.object(), self.base).await?;
        let notes = Applied::read(notes.into_iter().map(|note| (note.operation, note.outcome)));
        Ok(notes.find(&change.what).is_some_and(|noted| noted.id == id))
    }

    async fn note_if(&self, change: &Change, outcome: Vec<u8>, expected: Option<&[u8]>) -> Result<bool, Error> {
        let Collection { store, device, .. } = self.collection;
        let note = self.note_of(change, outcome);
        Ok(store.note_if(device, &self.collection.object(), note, expected).await?)
    }

    /// Notes a write that OX has carried out, and the revision that the device has by that.
    pub(super) async fn confirm(&self, change: &Change, id: &str, revision: Option<Revision>) -> Result<(), Error> {
        let done = self.done(change, id, revision);
        self.note(change, done.encode()).await
    }

    fn done(&self, change: &Change, id: &str, revision: Option<Revision>) -> Done {
        let noted = self.noted.get(&journal::operation(&change.what));
        let Noted { agreed, in_part } = noted.cloned().unwrap_or_default();
        Done {
            fingerprint: change.fingerprint,
            id: id.to_owned(),
            revision,
            agreed,
            in_part,
        }
    }

    async fn note(&self, change: &Change, outcome: Vec<u8>) -> Result<(), Error> {
        let Collection { store, device, .. } = self.collection;
        let note = self.note_of(change, outcome);
        Ok(store.note(device, &self.collection.object(), note).await?)
    }

    fn note_of(&self, change: &Change, outcome: Vec<u8>) -> Note {
        Note {
            base: self.base,
            operation: journal::operation(&change.what),
            outcome,
            created: self.now,
        }
    }

    /// `marks`: what is added gets a mark.
    async fn attempt(&mut self, change: &Change, write: Write, step: &Step, marks: bool) -> Result<Written, ox::Error> {
        let Collection {
            ox: session, folder, ..
        } = self.collection;
        match (&change.what, write) {
            (What::Add { client_id }, Write::Create { object, occurrences }) => {
                // An appointment is known by its UID, which the device knows as well.
                let mark = (!object.has(common::UID)).then(|| self.mark(client_id, change));
                if *step == Step::WriteUnlessThere
                    && let Some((id, resend)) = self.twin(&object, mark.as_ref()).await?
                {
                    return Ok(Written::Done {
                        id,
                        revision: None,
                        resend,
                    });
                }
                self.create(object, mark.filter(|_| marks), occurrences).await
            }
            (What::Change { id }, Write::Flags { set, clear }) => {
                ox::mail::set_flags(session, folder, self.state.ox_id(id), set, clear).await?;
                let flags = self
                    .listing
                    .get(id)
                    .map(|item| ox::revision::with_flags(item.revision, set, clear));
                Ok(Written::Done {
                    id: id.clone(),
                    revision: flags.map(Revision),
                    resend: false,
                })
            }
            (
                What::Change { id },
                Write::Update {
                    fields,
                    occurrences,
                    resend,
                    ..
                },
            ) => {
                let revision = self.update(id, fields, occurrences).await?;
                Ok(Written::Done {
                    id: id.clone(),
                    revision,
                    resend,
                })
            }
            (What::Delete { id }, Write::Delete { hard }) => {
                self.delete(self.state.ox_id(id), hard).await?;
                Ok(Written::Done {
                    id: id.clone(),
                    revision: Some(Revision(0)),
                    resend: false,
                })
            }
            (_, Write::Unsendable(reason)) => Ok(Written::Not(Outcome::Unsendable(reason))),
            _ => Ok(Written::Not(Outcome::Rejected)),
        }
    }

    /// By which an addition is known at OX: the same when the request is repeated, and never again, since keys do not repeat.
    fn mark(&self, client_id: &str, change: &Change) -> Mark {
        let Collection { device, id, .. } = self.collection;
        let place = format!("{} {} {id} {} {client_id} ", device.cid, device.id, self.base);
        Mark::new(journal::fingerprint(&[place.as_bytes(), &change.fingerprint].concat()))
    }

    /// What a write that was begun before has left at OX, and whether somebody has changed it since.
    async fn twin(&self, object: &Object, mark: Option<&Mark>) -> Result<Option<(String, bool)>, ox::Error> {
        let Collection {
            ox: session,
            module,
            folder,
            ..
        } = self.collection;
        let listed = ox::list(session, module, folder).await?;
        let is_new = |item: &&Item| !self.state.items.contains_key(&item.id) && !self.written.contains(&item.id);
        let mut candidates: Vec<&Item> = listed.iter().filter(is_new).collect();
        candidates.sort_by_key(|item| std::cmp::Reverse(item.modified));
        let wanted: Vec<ox::Wanted> = candidates.iter().copied().map(ox::Wanted::from).collect();
        if let Some(twin) = ox::find_twin(session, module, folder, &wanted, object, mark).await? {
            return Ok(Some((twin.id, !twin.is_same)));
        }
        let Some(uid) = object.text(common::UID) else {
            return Ok(None);
        };
        let found = ox::resolve_uid(session, uid).await?;
        let found = found.filter(|id| candidates.iter().any(|item| item.id == *id));
        Ok(found.map(|id| (id, true)))
    }

    async fn create(
        &mut self,
        object: Object,
        mark: Option<Mark>,
        occurrences: Vec<Occurrence>,
    ) -> Result<Written, ox::Error> {
        let Collection {
            ox: session,
            module,
            folder,
            ..
        } = self.collection;
        let uid = object.text(common::UID).map(str::to_owned);
        let created = match ox::create_marked(session, module, folder, object, mark.as_ref()).await {
            // An invitation that OX knows already, or a write that was carried out though we heard nothing of it.
            Err(error) if error.kind == ox::ErrorKind::Exists => {
                let id = ox::resolve_uid(session, uid.as_deref().unwrap_or_default())
                    .await?
                    .ok_or(error)?;
                return Ok(Written::Done {
                    id,
                    revision: None,
                    resend: true,
                });
            }
            created => created?,
        };
        let id = created.id;
        self.seen(&id, created.modified);
        let single = occurrences.is_empty();
        // The series stands: an occurrence that OX does not take is no reason to add the series once more.
        if let Err(error) = self.occurrences(&id, occurrences).await {
            if !error.is_about_the_item() {
                return Err(error);
            }
            log::warn!("an occurrence of the new series {id} is left as the others: {error}");
        }
        let revision = if single { revision(created.modified) } else { None };
        Ok(Written::Done {
            id,
            revision,
            resend: false,
        })
    }

    /// The revision after the changes, if OX told it.
    async fn update(
        &mut self,
        id: &str,
        fields: Object,
        occurrences: Vec<Occurrence>,
    ) -> Result<Option<Revision>, ox::Error> {
        let Collection {
            ox: session,
            module,
            folder,
            ..
        } = self.collection;
        let item = self.listing.get(id);
        let series = item.is_some_and(|item| !item.parts.is_empty()) || !occurrences.is_empty();
        let unchanged = fields.is_empty() && occurrences.is_empty();
        if !fields.is_empty() {
            let written = ox::update(session, module, folder, id, self.timestamp(id), fields).await?;
            self.seen(id, written.modified);
        }
        self.occurrences(id, occurrences).await?;
        Ok(match (unchanged, series) {
            (true, _) => item.map(|item| Revision(item.revision)),
            (false, true) => None,
            (false, false) => self.modified.get(id).and_then(|modified| revision(Some(*modified))),
        })
    }

    async fn occurrences(&mut self, id: &str, occurrences: Vec<Occurrence>) -> Result<(), ox::Error> {
        let Collection {
            ox: session, folder, ..
        } = self.collection;
        for Occurrence { day, fields } in occurrences {
            let timestamp = self.timestamp(id);
            let modified = match fields {
                Some(fields) => {
                    ox::update_occurrence(session, folder, id, timestamp, day, fields)
                        .await?
                        .modified
                }
                None => ox::delete_occurrence(session, folder, id, timestamp, day).await?,
            };
            self.seen(id, modified);
        }
        Ok(())
    }

    async fn delete(&mut self, id: &str, hard: bool) -> Result<(), ox::Error> {
        let Collection {
            ox: session,
            module,
            folder,
            ..
        } = self.collection;
        if module == Module::Mail {
            return ox::mail::delete(session, folder, id, hard).await;
        }
        // A deletion beats a change from the other side, so there is nothing to collide with.
        ox::delete(session, module, folder, id, ANY_TIMESTAMP).await
    }

    fn timestamp(&self, id: &str) -> i64 {
        let listed = self.listing.get(id).map(|item| item.modified);
        self.modified.get(id).copied().or(listed).unwrap_or(ANY_TIMESTAMP)
    }

    fn seen(&mut self, id: &str, modified: Option<i64>) {
        let modified = modified.unwrap_or(ANY_TIMESTAMP);
        self.modified.insert(id.to_owned(), modified);
    }
}

fn revision(modified: Option<i64>) -> Option<Revision> {
    let modified = modified.filter(|modified| *modified != ANY_TIMESTAMP)?;
    u64::try_from(modified).ok().map(Revision)
}

/// What an error of OX means for one item; errors that are not the item's end the request.
pub(super) fn refusal(error: ox::Error) -> Result<Outcome, Error> {
    match error.kind {
        ox::ErrorKind::Conflict => Ok(Outcome::Conflict),
        ox::ErrorKind::NotFound => Ok(Outcome::NotFound),
        ox::ErrorKind::Quota => Ok(Outcome::Full),
        // The folder was listed a moment ago, so OX has the module: what says otherwise is a proxy whose node restarts.
        ox::ErrorKind::Unsupported => Err(Error::Ox(error.into_temporary())),
        _ if error.is_about_the_item() => {
            log::warn!("OX does not take a change: {error}");
            Ok(Outcome::Rejected)
        }
        _ => Err(Error::Ox(error)),
    }
}
