//! What must be done so that device and OX agree: compared, decided, and returned as data.
//!
//! Pure: no I/O, no clock. The drivers carry a plan out, [`settle`](mod@crate::usm::settle) draws the conclusions. GetItemEstimate and
//! Ping ask the same function, with no changes of the device, and carry nothing out.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::usm::conflict;
use crate::usm::conflict::Common;
use crate::usm::conflict::Policy;
use crate::usm::conflict::Verdict;
use crate::usm::journal::Applied;
use crate::usm::journal::Fingerprint;
use crate::usm::settle::Outcome;
use crate::usm::snapshot::Revision;
use crate::usm::snapshot::Snapshot;
use crate::usm::state::Held;
use crate::usm::state::State;

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
    /// Items that no answer to this request can bring.
    pub(super) later: usize,
    /// What the device has, as far as the plan knows without the writes.
    pub(super) held: BTreeMap<String, Held>,
    /// [`State::replaced`], the same way.
    pub(super) replaced: BTreeMap<String, String>,
    /// [`State::agreed`], the same way.
    pub(super) agreed: BTreeMap<String, Vec<u8>>,
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

pub fn plan(state: &State, applied: &Applied, snapshot: &Snapshot, changes: &[Change], options: Options) -> Plan {
    let mut plan = Plan {
        held: state.items.clone(),
        replaced: state.replaced.clone(),
        agreed: state.agreed.clone(),
        ..Plan::default()
    };
    // What the device never got is forgotten without a word when it goes.
    plan.held
        .retain(|id, held| !held.left_out || snapshot.items.get(id).is_some_and(|seen| seen.within));
    let mut own = BTreeSet::new();
    let mut send_anyway = BTreeSet::new();
    for change in changes {
        let mut step = step(&mut plan, applied, snapshot, change, options.policy, &mut send_anyway);
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
    let mut sends = differences(&plan.held, snapshot, &own, &send_anyway);
    if !options.wants_changes {
        sends.retain(|send| send_anyway.contains(send.id()));
    }
    plan.to_device = sends;
    plan.limit(options.window);
    plan
}

/// Decides on one change, and moves `held` to what the device knows after a write that was applied before.
fn step(
    Plan {
        held, unseen, agreed, ..
    }: &mut Plan,
    applied: &Applied,
    snapshot: &Snapshot,
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
            know(held, &done.id, done.revision);
            agree(agreed, &done.id, change, snapshot, held);
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
        know(held, id, done.revision);
        if done.fingerprint == change.fingerprint {
            agree(agreed, id, change, snapshot, held);
            return match done.in_part {
                true => Step::AppliedInPart { id: id.clone() },
                false => Step::Applied { id: id.clone() },
            };
        }
        if done.revision.is_none()
            && let Some(seen) = snapshot.items.get(id)
        {
            // Probably nobody was there in between, so it is no conflict; but that is not known.
            held.insert(id.clone(), Held::on_device(seen.revision));
            unseen.insert(id.clone());
        }
    }
    let Some(known) = held.get(id).copied() else {
        return if device == conflict::Device::Deleted {
            Step::Agreed
        } else {
            Step::Gone
        };
    };
    let ox = match snapshot.items.get(id) {
        None => conflict::Ox::Deleted,
        Some(seen) if known.is_current(seen.revision) => conflict::Ox::Unchanged,
        Some(_) => conflict::Ox::Changed,
    };
    match conflict::decide(device, ox, change.common, policy) {
        Verdict::Write => Step::Write,
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
fn know(held: &mut BTreeMap<String, Held>, id: &str, revision: Option<Revision>) {
    let before = held.get(id).copied();
    held.insert(id.to_owned(), Held::written(before, revision.unwrap_or(Revision(0))));
}

/// A write of the device was confirmed before. What it says is agreed on, if nobody has changed the item since.
fn agree(
    agreed: &mut BTreeMap<String, Vec<u8>>,
    id: &str,
    change: &Change,
    snapshot: &Snapshot,
    held: &BTreeMap<String, Held>,
) {
    let seen = snapshot.items.get(id).map(|seen| seen.revision);
    let is_untouched = seen.is_some() && seen == held.get(id).map(|held| held.revision);
    match change.agreed.clone().filter(|_| is_untouched) {
        Some(now) => agreed.insert(id.to_owned(), now),
        None => agreed.remove(id),
    };
}

/// What the device lacks: winners of conflicts first, so that they come in this very answer, then what goes, what
/// changed, and what is new, newest first. `own` are items the device itself is writing now.
fn differences(
    held: &BTreeMap<String, Held>,
    snapshot: &Snapshot,
    own: &BTreeSet<&str>,
    send_anyway: &BTreeSet<String>,
) -> Vec<Send> {
    let mut sends: Vec<(u8, i64, Send)> = Vec::new();
    for (id, held) in held {
        if own.contains(id.as_str()) && !send_anyway.contains(id) {
            continue;
        }
        let send = match snapshot.items.get(id) {
            None => Send::Delete { id: id.clone() },
            Some(seen) if !seen.within => Send::SoftDelete { id: id.clone() },
            Some(seen) if held.is_current(seen.revision) => continue,
            Some(seen) if held.left_out => Send::Add {
                id: id.clone(),
                revision: seen.revision,
            },
            Some(seen) => Send::Change {
                id: id.clone(),
                from: held.revision,
                to: seen.revision,
            },
        };
        let rank = if send_anyway.contains(id) { 0 } else { rank(&send) };
        sends.push((rank, 0, send));
    }
    for (id, seen) in &snapshot.items {
        if seen.within && !held.contains_key(id) && !own.contains(id.as_str()) {
            sends.push((
                3,
                seen.newest.saturating_neg(),
                Send::Add {
                    id: id.clone(),
                    revision: seen.revision,
                },
            ));
        }
    }
    // Stable: items of one rank stay in the order of their ids.
    sends.sort_by_key(|(rank, order, _)| (*rank, *order));
    sends.into_iter().map(|(_, _, send)| send).collect()
}

const fn rank(send: &Send) -> u8 {
    match send {
        Send::Delete { .. } | Send::SoftDelete { .. } => 1,
        Send::Change { .. } => 2,
        Send::Add { .. } => 3,
    }
}
