//! What follows from a plan that was carried out: the state behind the next key, and an answer to each change.
//!
//! Pure. Only what was confirmed enters the new state: a write that OX refused, an item that did not fit into the answer
//! any more, leave it as if they had not been planned.

use crate::usm::overlay::Overlay;
use crate::usm::plan::Change;
use crate::usm::plan::Plan;
use crate::usm::plan::Send;
use crate::usm::plan::Step;
use crate::usm::plan::What;
use crate::usm::snapshot::Revision;
use crate::usm::state::Held;
use crate::usm::state::State;

/// What OX said to one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Confirmed. The id can be a new one; the revision is the one after the write.
    Done {
        id: String,
        revision: Revision,
        /// OX has something else than the device: until the item is sent, the device does not have this revision.
        resend: bool,
    },
    /// Another item stands at OX in the place of the changed one. The device goes on with the id it has.
    Replaced {
        by: String,
        revision: Revision,
        /// As of [`Outcome::Done`].
        resend: bool,
    },
    /// A draft went out as a message: the item, which the device knows by this id, is no more.
    Sent { id: String },
    /// The item changed between our look and our write: OX's version stays, the device gets it next.
    Conflict,
    /// The item is gone.
    NotFound,
    /// OX does not take it, now or later: permission, or a value it does not accept.
    Rejected,
    /// No room at OX.
    Full,
    /// A draft is not stored or sent as it is: the device keeps what it has, and its user can help.
    Unsendable(Unsendable),
}

/// Why a draft stays with the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// It has no recipient, or one that nothing can be sent to.
    Recipients,
    TooLarge,
    /// OX refused to send it.
    Refused,
}

/// What became of one item that was planned for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Sent,
    /// Could not be converted, and a stub was sent in its place.
    Stub,
    /// Could not be converted; the device goes without it until it changes.
    LeftOut,
    /// Did not fit into this answer.
    Deferred,
    /// Vanished before it could be read; the next look will show it.
    Vanished,
    /// The same, and the next look may list it all the same: see [`Held::ghost`].
    Ghost,
}

/// The answer to one change of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Applied: the item's id at OX.
    Done {
        id: String,
    },
    /// OX's version wins.
    Conflict,
    NotFound,
    Rejected,
    Full,
    Unsendable(Unsendable),
}

/// After the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub state: State,
    /// The state is another one than before.
    pub is_changed: bool,
    /// Items that the device lacked in the state before, and lacks no longer.
    pub healed: Vec<String>,
    /// In the order of the changes.
    pub answers: Vec<Answer>,
    pub more_available: bool,
}

/// `state`: what was planned from. `outcomes`: one for each step that writes, in order. `deliveries`: one for each item of `to_device`, in order; where
/// there are fewer, the rest counts as deferred.
pub fn settle(
    mut state: State,
    plan: Plan,
    changes: &[Change],
    outcomes: Vec<Outcome>,
    deliveries: &[Delivery],
    options: Vec<u8>,
) -> Settled {
    let mut more_available = plan.more_available();
    let Plan {
        steps,
        to_device,
        mut held,
        mut replaced,
        mut agreed,
        mut told,
        unseen,
        ..
    } = plan;
    let mut outcomes = outcomes.into_iter();
    let mut answers = Vec::with_capacity(changes.len());
    for (change, step) in changes.iter().zip(steps) {
        let answer = match step {
            Step::Applied { id } => Answer::Done { id },
            Step::Refused | Step::AppliedInPart { .. } => {
                has_other(&mut held, &state, change);
                Answer::Conflict
            }
            Step::Gone => Answer::NotFound,
            // The device hears nothing of a deletion but that the item is there again.
            Step::Agreed | Step::HeldBack => Answer::Done { id: item_of(change) },
            Step::Write | Step::Merge | Step::Yield | Step::WriteUnlessThere | Step::Finish => {
                let outcome = outcomes.next().unwrap_or(Outcome::Rejected);
                // OX's version could not be planned for this answer: the device shall come for it at once.
                more_available |= outcome == Outcome::Conflict;
                let now = match &outcome {
                    Outcome::Done { id, resend: false, .. } => Some(id.clone()),
                    _ => None,
                };
                let answer = conclude(&mut held, &state, change, outcome);
                if let Answer::Done { id } = &answer {
                    // What the device has not seen of an item it cannot have agreed to.
                    let now = now
                        .filter(|id| !unseen.contains(id))
                        .and_then(|_| change.agreed.clone());
                    agree(&mut agreed, id, now);
                }
                match (step, answer) {
                    (Step::Yield, Answer::Done { .. }) => Answer::Conflict,
                    (_, answer) => answer,
                }
            }
        };
        answers.push(answer);
    }
    let mut deliveries = deliveries.iter();
    for send in to_device {
        let delivery = deliveries.next().copied().unwrap_or(Delivery::Deferred);
        more_available |= delivery == Delivery::Deferred;
        if delivery == Delivery::Sent {
            let now = told.remove(send.id());
            agree(&mut agreed, send.id(), now);
        }
        deliver(&mut held, &state, send, delivery);
    }
    forget(&mut agreed, &held, &state);
    let healed = healed(&held, &state);
    let mut is_changed = held.apply(&mut state.items);
    is_changed |= agreed.apply(&mut state.agreed);
    replaced.retain(|id, _| state.items.contains_key(id));
    is_changed |= state.replaced != replaced || state.options != options;
    Settled {
        state: State {
            replaced,
            options,
            ..state
        },
        is_changed,
        healed,
        answers,
        more_available,
    }
}

/// Of what the device does not have nothing is agreed on.
fn forget(agreed: &mut Overlay<Vec<u8>>, held: &Overlay<Held>, state: &State) {
    let touched = held.touched().map(|(id, _)| id);
    let touched = touched.chain(agreed.touched().map(|(id, _)| id));
    let lacks = |id: &str| held.get(&state.items, id).is_none_or(|held| held.left_out);
    let lacking: Vec<String> = touched.filter(|id| lacks(id)).map(str::to_owned).collect();
    lacking.iter().for_each(|id| agreed.remove(id));
}

fn healed(held: &Overlay<Held>, state: &State) -> Vec<String> {
    let was_withheld = |id: &str| state.items.get(id).is_some_and(|held| held.is_withheld());
    let healed = held
        .touched()
        .filter(|(id, held)| was_withheld(id) && !held.is_some_and(|held| held.is_withheld()));
    healed.map(|(id, _)| id.to_owned()).collect()
}

/// `None`: nobody knows.
fn agree(agreed: &mut Overlay<Vec<u8>>, id: &str, now: Option<Vec<u8>>) {
    match now {
        Some(now) => agreed.insert(id.to_owned(), now),
        None => agreed.remove(id),
    };
}

fn item_of(change: &Change) -> String {
    match &change.what {
        What::Add { client_id } => client_id.clone(),
        What::Change { id } | What::Delete { id } => id.clone(),
    }
}

/// The device has what OX has not taken: a revision that OX never has makes the next plan send OX's version. There is
/// nothing better to send in the place of a stub.
fn has_other(held: &mut Overlay<Held>, State { items, .. }: &State, change: &Change) {
    if let What::Change { id } = &change.what
        && let Some(known) = held.get(items, id).copied()
        && !known.is_stub()
    {
        held.insert(id.clone(), known.unless(true));
    }
}

fn conclude(held: &mut Overlay<Held>, state: &State, change: &Change, outcome: Outcome) -> Answer {
    let State { items, .. } = state;
    if let What::Delete { id } = &change.what {
        // Deleted, the item is unknown to both. Not deleted, the device lacks it all the same: the next plan sends it.
        held.remove(id);
    }
    match outcome {
        Outcome::Done { id, revision, resend } => {
            if !matches!(change.what, What::Delete { .. }) {
                let before = held.get(items, &id).copied();
                held.insert(id.clone(), Held::written(before, revision).unless(resend));
            }
            Answer::Done { id }
        }
        Outcome::Replaced { revision, resend, .. } => {
            let id = item_of(change);
            held.insert(id.clone(), Held::on_device(revision.unless(resend)));
            Answer::Done { id }
        }
        Outcome::Sent { id } => {
            // Until the device hears that it is gone, it has it.
            if held.get(items, &id).is_none() {
                held.insert(id.clone(), Held::on_device(Revision(0)));
            }
            Answer::Done { id }
        }
        Outcome::Unsendable(reason) => Answer::Unsendable(reason),
        Outcome::NotFound if matches!(change.what, What::Delete { .. }) => Answer::Done { id: item_of(change) },
        Outcome::NotFound => Answer::NotFound,
        Outcome::Conflict => {
            has_other(held, state, change);
            Answer::Conflict
        }
        Outcome::Rejected | Outcome::Full => {
            has_other(held, state, change);
            if outcome == Outcome::Full {
                Answer::Full
            } else {
                Answer::Rejected
            }
        }
    }
}

fn deliver(held: &mut Overlay<Held>, State { items, .. }: &State, send: Send, delivery: Delivery) {
    match (send, delivery) {
        (_, Delivery::Deferred | Delivery::Vanished) => {}
        (Send::Delete { id } | Send::SoftDelete { id }, _) => {
            held.remove(&id);
        }
        (Send::Add { id, revision } | Send::Change { id, to: revision, .. }, Delivery::Ghost) => {
            let before = held.get(items, &id).copied();
            held.insert(id, Held::ghost(before, revision));
        }
        (Send::Add { id, revision }, Delivery::LeftOut) => {
            held.insert(
                id,
                Held {
                    revision,
                    left_out: true,
                },
            );
        }
        // A Change that cannot be converted leaves the device with what it has, and that is not the item any more.
        (Send::Change { id, to: revision, .. }, Delivery::LeftOut)
        | (Send::Add { id, revision } | Send::Change { id, to: revision, .. }, Delivery::Stub) => {
            held.insert(id, Held::stub(revision));
        }
        (Send::Add { id, revision } | Send::Change { id, to: revision, .. }, Delivery::Sent) => {
            held.insert(id, Held::on_device(revision));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usm::conflict::Common;
    use crate::usm::journal::fingerprint;

    /// The device lacks an item, or has a stub in its place, until it gets it, or the item is gone.
    #[test]
    fn what_is_healed() {
        let (revision, later) = (Revision(1_700_000_000_000), Revision(1_700_000_000_001));
        let left_out = Held {
            revision,
            left_out: true,
        };
        let stub = Held::stub(revision);
        // Before, after, healed.
        let cases = [
            (Some(stub), Some(Held::on_device(later)), true),
            (Some(stub), Some(Held::stub(later)), false),
            (Some(stub), Some(stub.unless(true)), false),
            (Some(stub), None, true),
            // Not the device's business any more, until OX has it.
            (Some(left_out), Some(Held::ghost(Some(left_out), later)), true),
            (
                Some(Held::ghost(None, revision)),
                Some(Held::on_device(revision)),
                false,
            ),
            (Some(left_out), Some(stub), false),
            (Some(left_out), Some(Held::on_device(later)), true),
            (Some(Held::on_device(revision)), None, false),
            (None, Some(stub), false),
        ];
        for (before, after, is_healed) in cases {
            let state = State {
                items: before.into_iter().map(|held| ("7".to_owned(), held)).collect(),
                ..State::default()
            };
            let mut plan = Plan::default();
            match after {
                Some(after) => plan.held.insert("7".to_owned(), after),
                None => plan.held.remove("7"),
            }
            let settled = settle(state, plan, &[], Vec::new(), &[], Vec::new());
            assert_eq!(!settled.healed.is_empty(), is_healed, "{before:?}, {after:?}");
            assert!(settled.is_changed && settled.state.items.get("7").copied() == after);
        }
    }

    /// What is remembered of an item, by what happened to it.
    #[test]
    fn what_is_agreed_on() {
        let done = |resend| Outcome::Done {
            id: "9".to_owned(),
            revision: Revision(2),
            resend,
        };
        let (old, written, sent) = (Some("old"), Some("written"), Some("sent"));
        // Step, what OX says, whether the device has not seen all of it, delivery, what is agreed on then
        let cases = [
            (Step::Write, done(false), false, None, written),
            // The device does not have what OX has until it is sent.
            (Step::Write, done(true), false, None, None),
            (Step::Merge, done(false), true, None, None),
            (Step::Merge, done(false), true, Some(Delivery::Deferred), None),
            (Step::Merge, done(false), true, Some(Delivery::Sent), sent),
            (Step::Yield, done(false), true, Some(Delivery::Sent), sent),
            // Nothing was written: it is as it was.
            (Step::Write, Outcome::Rejected, false, None, old),
            (Step::Write, Outcome::Conflict, false, None, old),
            (Step::Refused, Outcome::Rejected, false, Some(Delivery::LeftOut), old),
            (Step::Refused, Outcome::Rejected, false, Some(Delivery::Sent), sent),
        ];
        for (step, outcome, unseen, delivery, expected) in cases {
            let case = format!("{step:?} {outcome:?} {delivery:?}");
            let bytes = |text: &str| text.as_bytes().to_vec();
            let id = "9".to_owned();
            let send = Send::Change {
                id: id.clone(),
                from: Revision(1),
                to: Revision(2),
            };
            let outcomes = if step.writes() { vec![outcome] } else { Vec::new() };
            let state = State {
                items: [(id.clone(), Held::on_device(Revision(1)))].into(),
                agreed: [(id.clone(), bytes("old"))].into(),
                ..State::default()
            };
            let plan = Plan {
                steps: vec![step],
                to_device: delivery.map(|_| send).into_iter().collect(),
                told: [(id.clone(), bytes("sent"))].into(),
                unseen: unseen.then(|| id.clone()).into_iter().collect(),
                ..Plan::default()
            };
            let changes = [Change {
                what: What::Change { id: id.clone() },
                fingerprint: fingerprint(b"x"),
                common: Common::Something,
                agreed: Some(bytes("written")),
            }];
            let deliveries: Vec<Delivery> = delivery.into_iter().collect();
            let settled = settle(state, plan, &changes, outcomes, &deliveries, Vec::new());
            assert_eq!(settled.state.agreed.get(&id).cloned(), expected.map(bytes), "{case}");
        }
    }
}
