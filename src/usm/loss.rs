//! What was overridden in an exchange: read off a plan that was carried out.
//!
//! Pure. Says whose change it was and how much of it; what it said, the protocol knows.

use serde::Deserialize;
use serde::Serialize;

use crate::usm::conflict::Common;
use crate::usm::plan::Change;
use crate::usm::plan::Plan;
use crate::usm::plan::Step;
use crate::usm::plan::What;
use crate::usm::settle::Outcome;
use crate::usm::snapshot::Revision;

/// What did not last of two changes of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// The whole change of the device: OX has another version.
    OfDevice,
    /// The same, and OX does not have the item any more.
    OfDeviceWithItem,
    /// Of the device's change that part which OX has changed too.
    OfDeviceInPart,
    /// Whatever OX had in the place of the device's change. Nobody knows whether somebody had changed just that.
    OfOx,
    /// Of OX's change that part which the device has changed too.
    OfOxInPart,
    /// OX's change of an item that the device deletes.
    OfOxWithItem,
}

impl Loss {
    /// Whether OX loses something, which nobody has any more once it is overridden.
    pub const fn is_of_ox(self) -> bool {
        matches!(self, Self::OfOx | Self::OfOxInPart | Self::OfOxWithItem)
    }
}

/// What OX is going to lose if the writes of a plan are carried out, by the place of the change.
pub fn foreseen(plan: &Plan, changes: &[Change]) -> Vec<(usize, Loss)> {
    let done = Outcome::Done {
        id: String::new(),
        revision: Revision(0),
        resend: false,
    };
    let writes = plan.steps.iter().filter(|step| step.writes());
    let outcomes: Vec<Outcome> = writes.map(|_| done.clone()).collect();
    let mut losses = losses(plan, changes, &outcomes);
    losses.retain(|(_, loss)| loss.is_of_ox());
    losses
}

/// By the place of the change. `outcomes`: one for each step that writes, in order.
pub fn losses(plan: &Plan, changes: &[Change], outcomes: &[Outcome]) -> Vec<(usize, Loss)> {
    let mut outcomes = outcomes.iter();
    let steps = changes.iter().zip(&plan.steps).enumerate();
    let losses = steps.filter_map(|(place, (change, step))| {
        let outcome = step.writes().then(|| outcomes.next()).flatten();
        Some((place, loss(plan, change, step, outcome)?))
    });
    losses.collect()
}

fn loss(plan: &Plan, change: &Change, step: &Step, outcome: Option<&Outcome>) -> Option<Loss> {
    let id = match &change.what {
        What::Add { .. } => return None,
        What::Change { id } => id,
        What::Delete { id } => {
            let is_done = matches!((step, outcome), (Step::Write, Some(Outcome::Done { .. })));
            return (is_done && plan.unseen.contains(id)).then_some(Loss::OfOxWithItem);
        }
    };
    let is_contested = change.common == Common::Something;
    match (step, outcome) {
        (Step::Refused, _) | (_, Some(Outcome::Conflict)) => Some(Loss::OfDevice),
        (Step::Gone, _) | (_, Some(Outcome::NotFound)) => Some(Loss::OfDeviceWithItem),
        (Step::Yield, Some(Outcome::Done { .. })) | (Step::AppliedInPart { .. }, _) => Some(Loss::OfDeviceInPart),
        (Step::Merge, Some(Outcome::Done { .. })) => is_contested.then_some(Loss::OfOxInPart),
        (Step::Write, Some(Outcome::Done { .. })) => plan.unseen.contains(id).then_some(Loss::OfOx),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usm::conflict::Policy;
    use crate::usm::journal::Applied;
    use crate::usm::journal::fingerprint;
    use crate::usm::plan::Options;
    use crate::usm::plan::plan;
    use crate::usm::snapshot::Seen;
    use crate::usm::snapshot::Snapshot;
    use crate::usm::state::Held;
    use crate::usm::state::State;

    /// OX's revision now, where the device has 1.
    fn lost(what: What, at_ox: Option<u64>, common: Common, policy: Policy, outcome: &Outcome) -> Option<Loss> {
        let state = State {
            items: [("9".to_owned(), Held::on_device(Revision(1)))].into(),
            ..State::default()
        };
        let seen = at_ox.map(|revision| Seen {
            revision: Revision(revision),
            within: true,
            newest: 0,
        });
        let snapshot: Snapshot<'_> = seen.map(|seen| ("9", seen)).into_iter().collect();
        let change = Change {
            what,
            fingerprint: fingerprint(b"x"),
            common,
            agreed: None,
        };
        let options = Options {
            policy,
            window: 1,
            wants_changes: true,
            holds_deletions: false,
        };
        let changes = [change];
        let plan = plan(&state, &Applied::default(), &snapshot, &changes, options);
        let outcomes: Vec<Outcome> = plan
            .steps
            .iter()
            .filter(|step| step.writes())
            .map(|_| outcome.clone())
            .collect();
        let losses = losses(&plan, &changes, &outcomes);
        let lost = losses.first().map(|(_, loss)| *loss);
        if matches!(outcome, Outcome::Done { .. }) {
            let foreseen = foreseen(&plan, &changes);
            assert_eq!(
                foreseen.first().map(|(_, loss)| *loss),
                lost.filter(|loss| loss.is_of_ox())
            );
        }
        lost
    }

    #[test]
    fn who_loses_what() {
        let done = Outcome::Done {
            id: "9".to_owned(),
            revision: Revision(3),
            resend: false,
        };
        let (ox, device) = (Policy::OxWins, Policy::DeviceWins);
        // OX's revision, in common, the option, what OX says to a write, what is lost
        let cases = [
            (Some(1), Common::Something, ox, &done, None),
            (Some(1), Common::Unknown, ox, &Outcome::Conflict, Some(Loss::OfDevice)),
            (Some(2), Common::Unknown, ox, &done, Some(Loss::OfDevice)),
            (Some(2), Common::Unknown, device, &done, Some(Loss::OfOx)),
            (Some(2), Common::Unknown, device, &Outcome::Rejected, None),
            (Some(2), Common::Nothing, ox, &done, None),
            (Some(2), Common::Nothing, device, &done, None),
            (Some(2), Common::Something, ox, &done, Some(Loss::OfDeviceInPart)),
            (Some(2), Common::Something, device, &done, Some(Loss::OfOxInPart)),
            (Some(2), Common::Everything, ox, &done, None),
            (None, Common::Unknown, device, &done, Some(Loss::OfDeviceWithItem)),
            (
                Some(1),
                Common::Unknown,
                ox,
                &Outcome::NotFound,
                Some(Loss::OfDeviceWithItem),
            ),
        ];
        for (at_ox, common, policy, outcome, expected) in cases {
            let case = format!("{at_ox:?} {common:?} {policy:?} {outcome:?}");
            let what = What::Change { id: "9".to_owned() };
            assert_eq!(lost(what, at_ox, common, policy, outcome), expected, "{case}");
        }
    }

    /// Neither the option nor what both have in common says anything.
    #[test]
    fn a_deletion_takes_the_change_of_others_with_it() {
        let done = Outcome::Done {
            id: "9".to_owned(),
            revision: Revision(0),
            resend: false,
        };
        // OX's revision, what OX says to the deletion, what is lost
        let cases = [
            (Some(1), &done, None),
            (Some(2), &done, Some(Loss::OfOxWithItem)),
            (Some(2), &Outcome::Rejected, None),
            (None, &done, None),
        ];
        for (at_ox, outcome, expected) in cases {
            for policy in [Policy::OxWins, Policy::DeviceWins] {
                let what = What::Delete { id: "9".to_owned() };
                let lost = lost(what, at_ox, Common::Unknown, policy, outcome);
                assert_eq!(lost, expected, "{at_ox:?} {policy:?} {outcome:?}");
            }
        }
    }
}
