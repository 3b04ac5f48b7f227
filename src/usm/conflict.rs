//! Who wins when device and OX both touched an item since they last agreed: one table.
//!
//! Implements [MS-ASCMD] Conflict: a deletion beats a change from the other side; of two changes, the option decides.

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

/// Whose change counts when both changed the same item.
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
    /// It is written, and the device gets the result, which holds more than it knows.
    WriteThenSend,
    /// It is refused, and the device gets what OX has.
    RefuseThenSend,
    /// The item is gone: the device is told so.
    Gone,
    /// Both did the same.
    Agreed,
}

pub const fn decide(device: Device, ox: Ox, policy: Policy) -> Verdict {
    match (device, ox, policy) {
        (_, Ox::Unchanged, _) => Verdict::Write,
        (Device::Changed, Ox::Changed, Policy::OxWins) => Verdict::RefuseThenSend,
        (Device::Changed, Ox::Changed, Policy::DeviceWins | Policy::Merge) => Verdict::WriteThenSend,
        (Device::Changed, Ox::Deleted, _) => Verdict::Gone,
        (Device::Deleted, Ox::Changed, _) => Verdict::Write,
        (Device::Deleted, Ox::Deleted, _) => Verdict::Agreed,
    }
}
