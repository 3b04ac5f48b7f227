//! The middle of an exchange: what is decided, carried out.
//!
//! Part of the driver of a collection; what is decided how, [`plan`](mod@crate::usm::plan) says.

use std::sync::Arc;

use crate::ox::Module;
use crate::usm::collection::Error;
use crate::usm::collection::Opened;
use crate::usm::collection::Pending;
use crate::usm::collection::applied_by;
use crate::usm::collection::may_be_same;
use crate::usm::generations::Place;
use crate::usm::journal::Applied;
use crate::usm::listing::Listing;
use crate::usm::loss::Loss;
use crate::usm::loss::foreseen;
use crate::usm::loss::losses;
use crate::usm::plan::Change;
use crate::usm::plan::Options;
use crate::usm::plan::Plan;
use crate::usm::plan::What;
use crate::usm::plan::plan as plan_of;
use crate::usm::settle::Outcome;
use crate::usm::snapshot::Filter;
use crate::usm::snapshot::Revision;
use crate::usm::telling::Tellings;
use crate::usm::write::Write;
use crate::usm::write::Writer;
use crate::usm::write::Written;

/// What is done with the device's changes is known, and nothing is written yet.
pub struct Decided<'a> {
    pub(super) opened: Opened<'a>,
    pub(super) applied: Applied,
    /// Where the device brings changes.
    pub(super) tellings: Option<Tellings<'a>>,
    pub(super) listing: Arc<Listing>,
    pub(super) plan: Plan,
    pub(super) changes: Vec<Change>,
    /// One for each change.
    pub(super) writes: Vec<Write>,
    pub(super) looks_again: bool,
    pub(super) now: i64,
}

impl<'a> Decided<'a> {
    /// What OX is going to lose by the writes, by the place of the change.
    pub fn losses(&self) -> Vec<(usize, Loss)> {
        foreseen(&self.plan, &self.changes)
    }

    /// Notes one of [`Decided::losses`], so that it can be told whatever happens after the write. `words` come back with
    /// [`Pending::untold`] of a later exchange, and are of less than 1 MiB.
    pub async fn foresee(&mut self, place: usize, loss: Loss, words: Vec<u8>) -> Result<(), Error> {
        match (&mut self.tellings, self.changes.get(place)) {
            (Some(tellings), Some(change)) => tellings.foresee(change, loss, &self.listing, words).await,
            _ => Ok(()),
        }
    }

    /// Writes the device's changes.
    pub async fn write(self) -> Result<Pending<'a>, Error> {
        let Self {
            opened,
            applied,
            mut tellings,
            mut listing,
            mut plan,
            changes,
            writes,
            looks_again,
            now,
        } = self;
        let mut writer = Writer::new(
            opened.collection,
            (opened.key(), &opened.state, &applied),
            &listing,
            looks_again,
            now,
        );
        let mut outcomes = Vec::new();
        for (place, ((change, write), step)) in changes.iter().zip(writes).zip(&plan.steps).enumerate() {
            if !step.writes() {
                continue;
            }
            let unseen = matches!(&change.what, What::Change { id } if plan.unseen.contains(id));
            let noted = applied.find(&change.what);
            match (writer.write(change, write, step, noted, unseen).await, &mut tellings) {
                (Ok(written), _) => outcomes.push((change, written)),
                (Err(Error::Overtaken), Some(tellings)) => {
                    let mut not_made = foreseen(&plan, &changes);
                    not_made.retain(|(of, _)| *of >= place);
                    tellings.withdraw(&not_made, &changes, &listing).await?;
                    return Err(Error::Overtaken);
                }
                (Err(error), _) => return Err(error),
            }
        }
        let (outcomes, fresh) = opened.with_revisions(outcomes, &writer, now).await?;
        plan.adopt(&changes, &outcomes);
        let Place { key, .. } = opened.place;
        let repetition = opened
            .collection
            .repetition(key, opened.place.is_repeated(), &plan.to_device)
            .await?;
        plan.limit(repetition.course.window);
        let (applied, mut tellings) = match tellings {
            Some(tellings) => (applied, tellings),
            None => (applied_by(&repetition.notes), opened.tellings(&repetition.notes, now)),
        };
        let losses = losses(&plan, &changes, &outcomes);
        let untold = tellings.untold(&losses, &changes, &applied, &listing).await?;
        if let Some(fresh) = fresh.filter(|_| !plan.replaced.is_empty()) {
            Arc::make_mut(&mut listing).replace(&plan.replaced, &fresh);
        }
        Ok(Pending {
            opened,
            listing,
            plan,
            changes,
            outcomes,
            repetition,
            tellings,
            untold,
            now,
        })
    }
}

impl Opened<'_> {
    /// Where an id means another item than before, the one before is gone: the device is told so now, and gets the other
    /// afterwards. What it did to the one before does not happen to the other.
    pub(super) fn plan(
        &self,
        applied: &Applied,
        listing: &Listing,
        filter: &Filter,
        changes: &[Change],
        options: Options,
    ) -> Plan {
        let mut snapshot = listing.snapshot(filter);
        let before = snapshot.len();
        if self.collection.module == Module::Mail {
            let held = |id: &str| self.state.items.get(id);
            // What the device itself wrote in the place of an item, it has.
            let own = applied.replaced(self.state.items.keys());
            snapshot.retain(|id, seen| {
                let touched = || {
                    changes
                        .iter()
                        .any(|change| change.what.id().is_some_and(|own| own == id))
                };
                held(id).is_none_or(|held| match held.is_stub() {
                    // Devices take no other content for a mail that they have: a stub goes before the mail comes.
                    true => held.is_current(seen.revision) || touched(),
                    false => may_be_same(held.revision, seen.revision),
                }) || own.contains_key(id)
            });
        }
        let mut plan = plan_of(&self.state, applied, &snapshot, changes, options);
        if !plan.to_device.is_empty() {
            plan.later += before - snapshot.len();
        }
        plan
    }

    /// What a device wrote into a stub is nothing of the item: only flags and deletions are meant for that.
    pub(super) fn guarded(&self, change: Change, write: Write) -> (Change, Write) {
        let held = change.what.id().and_then(|id| self.state.items.get(id));
        match write {
            Write::Flags { .. } | Write::Delete { .. } => (change, write),
            _ if held.is_some_and(|held| held.is_stub()) => (change, Write::Refused),
            _ => (change, write),
        }
    }

    /// Fills in the revisions that OX did not tell, by one more look at the folder, which is returned as well, and notes
    /// them.
    async fn with_revisions(
        &self,
        outcomes: Vec<(&Change, Written)>,
        writer: &Writer<'_>,
        now: i64,
    ) -> Result<(Vec<Outcome>, Option<Arc<Listing>>), Error> {
        let incomplete = |(_, written): &(&Change, Written)| {
            matches!(written, Written::Done { revision: None, .. } | Written::Replaced { .. })
        };
        let listing = match outcomes.iter().any(incomplete) {
            true => Some(self.collection.list(now).await?),
            false => None,
        };
        let revision = |id: &str| {
            let item = listing.as_ref().and_then(|listing| listing.get(id));
            Revision(item.map_or(0, |item| item.revision))
        };
        let mut complete = Vec::with_capacity(outcomes.len());
        for (change, written) in outcomes {
            complete.push(match written {
                Written::Not(outcome) => outcome,
                Written::Sent { id } => Outcome::Sent { id },
                Written::Done {
                    id,
                    revision: Some(revision),
                    resend,
                } => Outcome::Done { id, revision, resend },
                Written::Done { id, resend, .. } => {
                    let revision = revision(&id);
                    writer.confirm(change, &id, Some(revision.unless(resend))).await?;
                    Outcome::Done { id, revision, resend }
                }
                Written::Replaced { by, resend } => {
                    let revision = revision(&by);
                    writer.confirm(change, &by, Some(revision.unless(resend))).await?;
                    Outcome::Replaced { by, revision, resend }
                }
            });
        }
        Ok((complete, listing))
    }
}
