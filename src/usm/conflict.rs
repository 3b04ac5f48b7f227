//! Who wins when device and OX both touched an item since they last agreed: one table.
//!
//! Implements [MS-ASCMD] Conflict: a deletion beats a change from the other side; of two changes, the option decides, as far
//! as they collide. The specification decides whole items; here what one side alone has changed is nobody's loss.

/// What the device did to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    Changed,
    Deleted,
}

/// What happened to it at OX since the state the device's change is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ox {
    Unchanged,
    Changed,
    Deleted,
}

/// What a change of the device and one at OX have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Common {
    /// Nobody remembers what both sides agreed on, so that it cannot be said who changed what.
    #[default]
    Unknown,
    /// They touch different properties.
    Nothing,
    /// They make different values of one property.
    Something,
    /// OX holds already what the change of the device says.
    Everything,
}

/// Whose change counts when both changed the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Policy {
    #[default]
    OxWins,
    DeviceWins,
    /// Changes are single switches that do not exclude each other: the flags of mail.
    Merge,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The device's change is written.
    Write,
    /// Its deletion is written, over a change that it has not seen.
    WriteUnseen,
    /// It is written, and the device gets the result, which holds more than it knows.
    WriteThenSend,
    /// What the device itself has changed is written, and the device gets the result.
    MergeThenSend,
    /// What the device alone has changed is written, the rest is refused, and the device gets the result.
    YieldThenSend,
    /// It is refused, and the device gets what OX has.
    RefuseThenSend,
    /// There is nothing to write, and the device gets what OX has.
    Send,
    /// The item is gone: the device is told so.
    Gone,
    /// Both did the same.
    Agreed,
}

pub const fn decide(device: Device, ox: Ox, common: Common, policy: Policy) -> Verdict {
    match (device, ox, common, policy) {
        (_, Ox::Unchanged, _, _) => Verdict::Write,
        (Device::Changed, Ox::Changed, Common::Everything, _) => Verdict::Send,
        (Device::Changed, Ox::Changed, Common::Nothing, _) => Verdict::MergeThenSend,
        (Device::Changed, Ox::Changed, Common::Something, Policy::OxWins) => Verdict::YieldThenSend,
        (Device::Changed, Ox::Changed, Common::Something, Policy::DeviceWins | Policy::Merge) => Verdict::MergeThenSend,
        (Device::Changed, Ox::Changed, Common::Unknown, Policy::OxWins) => Verdict::RefuseThenSend,
        (Device::Changed, Ox::Changed, Common::Unknown, Policy::DeviceWins | Policy::Merge) => Verdict::WriteThenSend,
        (Device::Changed, Ox::Deleted, _, _) => Verdict::Gone,
        (Device::Deleted, Ox::Changed, _, _) => Verdict::WriteUnseen,
        (Device::Deleted, Ox::Deleted, _, _) => Verdict::Agreed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICIES: [Policy; 3] = [Policy::OxWins, Policy::DeviceWins, Policy::Merge];
    const COMMONS: [Common; 4] = [Common::Unknown, Common::Nothing, Common::Something, Common::Everything];

    #[test]
    fn two_changes() {
        // In common, then the verdict for each policy.
        let cases = [
            // As [MS-ASCMD] has it: one side has the whole item.
            (
                Common::Unknown,
                [Verdict::RefuseThenSend, Verdict::WriteThenSend, Verdict::WriteThenSend],
            ),
            // Nobody loses anything, so nobody has to win.
            (Common::Nothing, [Verdict::MergeThenSend; 3]),
            // The option decides what collides, and nothing else.
            (
                Common::Something,
                [Verdict::YieldThenSend, Verdict::MergeThenSend, Verdict::MergeThenSend],
            ),
            (Common::Everything, [Verdict::Send; 3]),
        ];
        for (common, verdicts) in cases {
            for (policy, verdict) in POLICIES.into_iter().zip(verdicts) {
                let decided = decide(Device::Changed, Ox::Changed, common, policy);
                assert_eq!(decided, verdict, "{common:?} {policy:?}");
            }
        }
    }

    /// Where there are no two changes, neither the option nor what they have in common says anything.
    #[test]
    fn all_the_rest() {
        // Device, OX, verdict.
        let cases = [
            (Device::Changed, Ox::Unchanged, Verdict::Write),
            (Device::Deleted, Ox::Unchanged, Verdict::Write),
            (Device::Changed, Ox::Deleted, Verdict::Gone),
            (Device::Deleted, Ox::Changed, Verdict::WriteUnseen),
            (Device::Deleted, Ox::Deleted, Verdict::Agreed),
        ];
        for (device, ox, verdict) in cases {
            for common in COMMONS {
                for policy in POLICIES {
                    assert_eq!(
                        decide(device, ox, common, policy),
                        verdict,
                        "{device:?} {ox:?} {common:?} {policy:?}"
                    );
                }
            }
        }
    }
}
