//! USM, the Universal Synchronization Module: what one device knows of a folder, what OX holds, and what must be done
//! so that both agree.
//!
//! Knows nothing of ActiveSync: it sees ids, revisions and opaque options, never an element or a status. The pure files
//! decide, the drivers act:
//!
//! ```text
//! plan(state, applied, snapshot, device changes, options)  -> Plan { to_ox, to_device, answers, more_available }
//! settle(plan, outcomes of the writes, deliveries)         -> new state, answers
//! ```
//!
//! Three ideas carry it:
//!
//! * **Two generations.** The state that the newest sync key names and the one before it are both kept. A device that
//!   never saw an answer repeats the older key and is planned for from the older state.
//! * **The record of what was applied.** Each write that OX confirmed is noted ([`journal`]) under the key it was based
//!   on, before the next one is made. A repeated request, or one that a crash cut off, is answered from the record; an
//!   addition that was under way when all went dark is looked for at OX before it is made again.
//! * **Commit by compare and set.** A request leaves the old state or the new one; of two at once one wins.
//!
//! | pure | | drivers | |
//! |---|---|---|---|
//! | [`ids`] | ids for devices | [`collection`] | the items of one folder |
//! | [`snapshot`], [`state`] | what OX holds, what the device knows | [`hierarchy`] | the folders |
//! | [`journal`] | what was applied already | [`write`](mod@write), [`draft`], [`listing`] | its parts |
//! | [`conflict`], [`plan`](mod@plan), [`settle`](mod@settle) | decisions | | |

pub mod collection;
pub mod conflict;
pub mod draft;
pub mod hierarchy;
pub mod ids;
pub mod journal;
pub mod listing;
pub mod plan;
pub mod settle;
pub mod snapshot;
pub mod state;
pub mod write;

#[cfg(test)]
mod draft_model;
#[cfg(test)]
mod model;

pub use plan::plan;
pub use settle::settle;
