//! What must be done so that device and OX agree: compared, decided, and returned as data.
//!
//! Pure: no I/O, no clock. The drivers carry a plan out, [`settle`](mod@crate::usm::settle) draws the conclusions. GetItemEstimate and
//! Ping ask the same function, with no changes of the device, and carry nothing out.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::usm::conflict;
use crate::usm::conflict::Common;
use crate::usm::conflict::Policy;
use crate::usm::conflict::Verdict;
use crate::usm::journal::Applied;
use crate::usm::journal::Done;
use crate::usm::journal::Fingerprint;
use crate::usm::overlay::Overlay;
use crate::usm::overlay::joined;
use crate::usm::settle::Outcome;
use crate::usm::snapshot::Revision;
use crate::usm::snapshot::Seen;
use crate::usm::snapshot::Snapshot;
use crate::usm::state::Held;
use crate::usm::state::State;

/// So many items beyond the window are known to a plan one by one, for an answer in which a device would see nothing of those
/// within it.
const BEYOND: usize = 5_000;

/// One change a device made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub what: What,
    pub fingerprint: Fingerprint,
    /// With what OX holds now.
    pub common: Common,
    /// What both sides agree on once the change is at OX as the device made it; opaque, and `None` if nobody knows.
    pub agreed: Option<Vec<u8>>,
}

/// Items are named by their OX id; an Add has none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Add { client_id: String },
    Change { id: String },
    Delete { id: String },
}

impl What {
    /// The item that is changed or deleted.
    pub fn id(&self) -> Option<&String> {
        match self {
            Self::Add { .. } => None,
            Self::Change { id } | Self::Delete { id } => Some(id),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub policy: Policy,
    /// At most so many items are sent.
    pub window: usize,
    /// Otherwise the device only wants its own changes applied.
    pub wants_changes: bool,
    /// What the device deletes stays at OX, and comes back to it.
    pub holds_deletions: bool,
}

/// What must be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// For each change of the device, in its order.
    pub steps: Vec<Step>,
    /// In the order of sending.
    pub to_device: Vec<Send>,
    /// What waits beyond the window, in the same order.
    pub(super) beyond: Vec<Send>,
    /// Items behind those, or that no answer to this request can bring.
    pub(super) later: usize,
    /// [`State::items`], as far as they are different without the writes.
    pub(super) held: Overlay<Held>,
    /// [`State::replaced`], the same way, but whole.
    pub(super) replaced: BTreeMap<String, String>,
    /// [`State::agreed`], as far as it is different.
    pub(super) agreed: Overlay<Vec<u8>>,
    /// What is agreed on of the items in `to_device`, once they are sent.
    pub(super) told: BTreeMap<String, Vec<u8>>,
    /// Items that the device writes to without having seen all that OX has of them: until they are sent, it does not have
    /// what it wrote.
    pub(super) unseen: BTreeSet<String>,
}

impl Plan {
    /// Sends no more than so many items now.
    pub(super) fn limit(&mut self, window: usize) {
        let beyond = self.to_device.split_off(window.min(self.to_device.len()));
        self.beyond.splice(..0, beyond);
    }

    /// How many items the device lacks.
    pub const fn lacking(&self) -> usize {
        self.to_device.len() + self.beyond.len() + self.later
    }

    /// Whether anything waits beyond the window.
    pub const fn more_available(&self) -> bool {
        !self.beyond.is_empty() || self.later > 0
    }

    /// Opens the next window, of so many items, behind what is to be sent. `false` if there is none.
    pub(super) fn open_window(&mut self, window: usize) -> bool {
        let rest = self.beyond.split_off(window.min(self.beyond.len()));
        let opened = std::mem::replace(&mut self.beyond, rest);
        let is_open = !opened.is_empty();
        self.to_device.extend(opened);
        is_open
    }

    /// Items that were written meanwhile are sent as they are after the write; what turned out to be the device's own
    /// addition, it has; what was sent as a message, it has no longer. `outcomes`: one for each step that writes.
    pub fn adopt(&mut self, changes: &[Change], outcomes: &[Outcome]) {
        let written = changes.iter().zip(&self.steps).filter(|(_, step)| step.writes());
        for ((change, _), outcome) in written.zip(outcomes) {
            let (id, own, revision) = match (outcome, &change.what) {
                (Outcome::Done { id, revision, .. }, _) => (id, id, *revision),
                (Outcome::Replaced { by, revision, .. }, What::Change { id }) => {
                    self.replaced.insert(id.clone(), by.clone());
                    (id, by, *revision)
                }
                (Outcome::Sent { id }, _) => {
                    for sends in [&mut self.to_device, &mut self.beyond] {
                        sends.retain(|send| send.id() != id);
                    }
                    self.to_device.insert(0, Send::Delete { id: id.clone() });
                    continue;
                }
                _ => continue,
            };
            for sends in [&mut self.to_device, &mut self.beyond] {
                sends.retain(|send| !matches!(send, Send::Add { id, .. } if id == own));
            }
            for send in self.to_device.iter_mut().chain(&mut self.beyond) {
                if let Send::Change { id: sent, to, .. } = send
                    && sent == id
                {
                    *to = revision;
                }
            }
        }
    }
}

/// What becomes of one change of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write it to OX.
    Write,
    /// Write what of it the device itself has changed.
    Merge,
    /// Write what of it the device alone has changed. OX's version of the rest wins.
    Yield,
    /// Write it, unless OX has it: a write of it was begun before, and nobody knows how that ended.
    WriteUnlessThere,
    /// Its message went out when the request came before: the draft is left to be taken away.
    Finish,
    /// It was written when the request came before: the item's id at OX.
    Applied { id: String },
    /// The same, but for a part that was refused.
    AppliedInPart { id: String },
    /// OX's version wins; the device gets it.
    Refused,
    /// The item is not there (any more).
    Gone,
    /// Nothing has to be done.
    Agreed,
    /// A deletion that does not happen: the device gets the item again.
    HeldBack,
}

impl Step {
    /// Whether OX is written to.
    pub const fn writes(&self) -> bool {
        matches!(
            self,
            Self::Write | Self::Merge | Self::Yield | Self::WriteUnlessThere | Self::Finish
        )
    }
}

/// One item that the device gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Send {
    Add {
        id: String,
        revision: Revision,
    },
    Change {
        id: String,
        from: Revision,
        to: Revision,
    },
    Delete {
        id: String,
    },
    /// The item left the window of the filter; it still exists at OX.
    SoftDelete {
        id: String,
    },
}

impl Send {
    pub fn id(&self) -> &str {
        match self {
            Self::Add { id, .. } | Self::Change { id, .. } | Self::Delete { id } | Self::SoftDelete { id } => id,
        }
    }
}

pub fn plan(state: &State, applied: &Applied, snapshot: &Snapshot<'_>, changes: &[Change], options: Options) -> Plan {
    let mut plan = Plan {
        replaced: state.replaced.clone(),
        ..Plan::default()
    };
    // What the device never got is forgotten without a word when it goes.
    let left_out = state.items.iter().filter(|(_, held)| held.left_out);
    left_out
        .filter(|(id, _)| !snapshot.get(id).is_some_and(|seen| seen.within))
        .for_each(|(id, _)| plan.held.remove(id));
    let mut own = BTreeSet::new();
    let mut send_anyway = BTreeSet::new();
    for change in changes {
        let mut step = step(
            &mut plan,
            state,
            applied,
            snapshot,
            change,
            options.policy,
            &mut send_anyway,
        );
        if let What::Delete { id } = &change.what
            && options.holds_deletions
            && step.writes()
        {
            plan.held.remove(id);
            step = Step::HeldBack;
        }
        if step.writes()
            && let What::Change { id } | What::Delete { id } = &change.what
        {
            own.insert(id.as_str());
        }
        plan.steps.push(step);
    }
    let mut first = First::new(options.window.saturating_add(BEYOND));
    for lack in differences(&plan.held, state, snapshot, &own, &send_anyway) {
        if options.wants_changes || send_anyway.contains(lack.id) {
            first.push(lack);
        }
    }
    (plan.to_device, plan.later) = first.into_sends();
    plan.limit(options.window);
    plan
}

/// Decides on one change, and moves `held` to what the device knows after a write that was applied before.
fn step(
    Plan {
        held, unseen, agreed, ..
    }: &mut Plan,
    state: &State,
    applied: &Applied,
    snapshot: &Snapshot<'_>,
    change: &Change,
    policy: Policy,
    send_anyway: &mut BTreeSet<String>,
) -> Step {
    let done = applied.find(&change.what);
    let (id, device) = match &change.what {
        What::Add { .. } => {
            let Some(done) = done.filter(|done| done.fingerprint == change.fingerprint) else {
                let uncertain = applied.is_uncertain(&change.what);
                return if uncertain { Step::WriteUnlessThere } else { Step::Write };
            };
            if done.id.is_empty() {
                return Step::Finish;
            }
            know(held, state, &done.id, done.revision);
            let known = held.get(&state.items, &done.id);
            agree(agreed, &done.id, change, done, snapshot, known);
            return Step::Applied { id: done.id.clone() };
        }
        // Only what replaces an item is uncertain: what there was before may be gone already.
        What::Change { .. } if applied.is_uncertain(&change.what) => return Step::WriteUnlessThere,
        What::Change { id } => (id, conflict::Device::Changed),
        What::Delete { id } => (id, conflict::Device::Deleted),
    };
    if let Some(done) = done {
        if device == conflict::Device::Deleted {
            held.remove(id);
            return Step::Applied { id: id.clone() };
        }
        if done.id.is_empty() {
            match done.fingerprint == change.fingerprint {
                true => return Step::Finish,
                // The message is out, and the device wants another one sent.
                false => return Step::Write,
            }
        }
        // The item is at this revision by the device's own doing: no conflict, and nothing to send.
        know(held, state, id, done.revision);
        if done.fingerprint == change.fingerprint {
            agree(agreed, id, change, done, snapshot, held.get(&state.items, id));
            return match done.in_part {
                true => Step::AppliedInPart { id: id.clone() },
                false => Step::Applied { id: id.clone() },
            };
        }
        if done.revision.is_none()
            && let Some(seen) = snapshot.get(id)
        {
            // Probably nobody was there in between, so it is no conflict; but that is not known.
            held.insert(id.clone(), Held::on_device(seen.revision));
            unseen.insert(id.clone());
        }
    }
    let Some(known) = held.get(&state.items, id).copied() else {
        return if device == conflict::Device::Deleted {
            Step::Agreed
        } else {
            Step::Gone
        };
    };
    let ox = match snapshot.get(id) {
        None => conflict::Ox::Deleted,
        Some(seen) if known.is_current(seen.revision) => conflict::Ox::Unchanged,
        Some(_) => conflict::Ox::Changed,
    };
    match conflict::decide(device, ox, change.common, policy) {
        Verdict::Write => Step::Write,
        Verdict::WriteUnseen => {
            unseen.insert(id.clone());
            Step::Write
        }
        Verdict::WriteThenSend => {
            send_anyway.insert(id.clone());
            unseen.insert(id.clone());
            Step::Write
        }
        Verdict::MergeThenSend => {
            send_anyway.insert(id.clone());
            unseen.insert(id.clone());
            Step::Merge
        }
        Verdict::YieldThenSend => {
            send_anyway.insert(id.clone());
            unseen.insert(id.clone());
            Step::Yield
        }
        // Both sides say the same; the device gets what else has changed.
        Verdict::Send => {
            send_anyway.insert(id.clone());
            Step::Applied { id: id.clone() }
        }
        Verdict::RefuseThenSend => {
            send_anyway.insert(id.clone());
            Step::Refused
        }
        Verdict::Gone => {
            send_anyway.insert(id.clone());
            Step::Gone
        }
        Verdict::Agreed => {
            held.remove(id);
            Step::Agreed
        }
    }
}

/// The device knows an item at this revision; where OX did not tell it, at none that OX has, so that the item is sent.
fn know(held: &mut Overlay<Held>, state: &State, id: &str, revision: Option<Revision>) {
    let before = held.get(&state.items, id).copied();
    held.insert(id.to_owned(), Held::written(before, revision.unwrap_or(Revision(0))));
}

/// A write of the device was confirmed before. What was noted with it is agreed on, whoever has changed the item since; where
/// nothing was noted, what the device says, if nobody has.
fn agree(
    agreed: &mut Overlay<Vec<u8>>,
    id: &str,
    change: &Change,
    done: &Done,
    snapshot: &Snapshot<'_>,
    held: Option<&Held>,
) {
    let seen = snapshot.get(id).map(|seen| seen.revision);
    let is_untouched = seen.is_some() && seen == held.map(|held| held.revision);
    let said = || change.agreed.clone().filter(|_| is_untouched);
    match done.agreed.clone().or_else(said) {
        Some(now) => agreed.insert(id.to_owned(), now),
        None => agreed.remove(id),
    };
}

/// What the device lacks, in the order of the ids. `own` are items the device itself is writing now.
fn differences<'a>(
    held: &'a Overlay<Held>,
    state: &'a State,
    snapshot: &Snapshot<'a>,
    own: &BTreeSet<&str>,
    send_anyway: &BTreeSet<String>,
) -> impl Iterator<Item = Lack<'a>> {
    let items = joined(held.iter(&state.items), snapshot.iter());
    items.filter_map(|(id, held, seen)| {
        let what = lack(held, seen)?;
        let is_sent_anyway = held.is_some() && send_anyway.contains(id);
        if own.contains(id) && !is_sent_anyway {
            return None;
        }
        let rank = match what {
            _ if is_sent_anyway => 0,
            // What OX did not have when it listed it before comes behind all that it has.
            _ if held.zip(seen).is_some_and(|(held, seen)| held.is_ghost(seen.revision)) => 4,
            Missing::Deletion | Missing::SoftDeletion => 1,
            Missing::Change { .. } => 2,
            Missing::Item(_) => 3,
        };
        let newest = seen.filter(|_| held.is_none()).map_or(0, |seen| seen.newest);
        let order = newest.saturating_neg();
        Some(Lack { rank, order, id, what })
    })
}

fn lack(held: Option<&Held>, seen: Option<Seen>) -> Option<Missing> {
    Some(match (held, seen) {
        (Some(_), None) => Missing::Deletion,
        (Some(_), Some(seen)) if !seen.within => Missing::SoftDeletion,
        (Some(held), Some(seen)) if held.is_current(seen.revision) => return None,
        (Some(held), Some(seen)) if !held.left_out => Missing::Change {
            from: held.revision,
            to: seen.revision,
        },
        (_, Some(seen)) if seen.within => Missing::Item(seen.revision),
        (None, _) | (_, Some(_)) => return None,
    })
}

/// Something that a device lacks.
struct Lack<'a> {
    /// Winners of conflicts come first, so that they come in this very answer, then what goes, what changed, and what is new.
    rank: u8,
    /// Of what is new, the newest.
    order: i64,
    id: &'a str,
    what: Missing,
}

enum Missing {
    Item(Revision),
    Change { from: Revision, to: Revision },
    Deletion,
    SoftDeletion,
}

impl Lack<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        let place = |lack: &Self| (lack.rank, lack.order);
        place(self).cmp(&place(other)).then_with(|| self.id.cmp(other.id))
    }

    fn send(&self) -> Send {
        let id = self.id.to_owned();
        match self.what {
            Missing::Item(revision) => Send::Add { id, revision },
            Missing::Change { from, to } => Send::Change { id, from, to },
            Missing::Deletion => Send::Delete { id },
            Missing::SoftDeletion => Send::SoftDelete { id },
        }
    }
}

/// The first of many in the order of sending. Of a new folder a device lacks everything, and gets a window of it.
struct First<'a> {
    most: usize,
    /// Twice `most` at most, in no order.
    lacks: Vec<Lack<'a>>,
    /// How many are not among the first.
    others: usize,
}

impl<'a> First<'a> {
    const fn new(most: usize) -> Self {
        Self {
            most,
            lacks: Vec::new(),
            others: 0,
        }
    }

    fn push(&mut self, lack: Lack<'a>) {
        self.lacks.push(lack);
        if self.lacks.len() >= self.most.saturating_mul(2) {
            self.drop_others();
        }
    }

    fn drop_others(&mut self) {
        if self.lacks.len() <= self.most {
            return;
        }
        self.others += self.lacks.len() - self.most;
        self.lacks.select_nth_unstable_by(self.most, Lack::compare);
        self.lacks.truncate(self.most);
    }

    /// In their order, and how many more there are.
    fn into_sends(mut self) -> (Vec<Send>, usize) {
        self.drop_others();
        self.lacks.sort_unstable_by(Lack::compare);
        (self.lacks.iter().map(Lack::send).collect(), self.others)
    }
}
