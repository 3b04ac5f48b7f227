//! USM, the Universal Synchronization Module: what one device knows of a folder, what OX holds, and what must be done
//! so that both agree.
//!
//! Knows nothing of ActiveSync: it sees ids, revisions and opaque options, never an element or a status. The pure files
//! decide, the drivers act:
//!
//! ```text
//! plan(state, applied, snapshot, device changes, options)  -> Plan { to_ox, to_device, answers, more_available }
//! settle(state, plan, outcomes of the writes, deliveries)  -> new state, answers
//! ```
//!
//! Three ideas carry it:
//!
//! * **Generations.** The state that the newest sync key names and the one before it are both kept; up to four, where phones
//!   come back from backups ([`generations`]). A device that never saw an answer repeats the older key and is planned for
//!   from the older state.
//! * **The record of what was applied.** Each write that OX confirmed is noted ([`journal`]) under the key it was based
//!   on, before the next one is made. A repeated request, or one that a crash cut off, is answered from the record; an
//!   addition that was under way when all went dark is looked for at OX before it is made again.
//! * **Commit by compare and set.** A request leaves the old state or the new one; of two at once one wins.
//!
//! | pure | | drivers | |
//! |---|---|---|---|
//! | [`ids`] | ids for devices | [`collection`] | the items of one folder |
//! | [`snapshot`], [`state`] | what OX holds, what the device knows | [`hierarchy`] | the folders |
//! | [`journal`] | what was applied already | [`generations`], `repetition` | states in the store, keys that come again |
//! | [`course`] | what a device gets past | | |
//! | `overlay` | what differs from a state | | |
//! | [`renames`](mod@renames) | which mail folder became which | `following` | the same, in the store |
//! | | | [`sending`] | messages that go out once |
//! | [`conflict`], [`plan`](mod@plan), [`settle`](mod@settle), [`loss`] | decisions | [`write`](mod@write), [`draft`], [`listing`], [`telling`] | parts of a collection |
//! | [`brake`] | too many deletions | [`attention`] | items that need a look |
//!
//! # What a protocol uses
//!
//! ActiveSync is one protocol on this engine; `tests/it/lines.rs` is another, in two hundred lines, and a good place to begin.
//! A protocol brings a codec, its own words for what an item is, and the options of its devices as bytes. The rest is here:
//!
//! | | |
//! |---|---|
//! | sessions | [`crate::session::Sessions`], which is beside the engine: `open` gives a device, logged in at OX and entered in the store under the protocol's name, with a number that never comes back |
//! | folders | [`hierarchy::Hierarchy`]: `follow` what OX has renamed, `numbered` and `resolve` between its folders and the short ids of the device; `reset`, `sync` and `adopt` where the device has a key for its tree |
//! | items | [`collection::Collection`]: `reset` for the first key; then `open` a key, `look` at OX, `exchange` changes (or `decide` and `write` them), `settle`. Each step is a type that only the step before it makes |
//! | plan | [`collection::Pending::to_device`] is what the device must be sent, as ids; the protocol fetches and converts the items |
//! | settle | takes a [`Delivery`](settle::Delivery) for each of them; gives an [`Answer`](settle::Answer) to each change and the next key, both in the store already |
//! | conflicts | are of whole items, by [`conflict::Policy`]. Of properties where the protocol says with each change what it has in [`common`](conflict::Common) with OX and [what is left of it](write::Shares), and tells what a device agreed to by taking an item (`agree`); [`loss`] says what was overridden, and [`telling`] that it is told once, whatever happens |
//! | accidents | [`Pending::shown`](collection::Pending::shown) is how an item is to be sent that the device did not get past; [`brake::Brakes`] counts its deletions, and [`plan::Options::holds_deletions`] lets them come back; [`attention`] has what an administrator should see |
//! | events | [`crate::notify::Notifier`], beside the engine as well: `watch` folders, and tell it of own writes (`touched`) |

pub mod attention;
pub mod brake;
pub mod collection;
pub mod conflict;
pub mod course;
pub mod draft;
mod following;
pub mod generations;
pub mod hierarchy;
pub mod ids;
pub mod journal;
pub mod listing;
pub mod loss;
mod overlay;
pub mod plan;
pub mod renames;
mod repetition;
pub mod sending;
pub mod settle;
pub mod snapshot;
pub mod state;
pub mod telling;
pub mod write;

#[cfg(test)]
mod draft_model;
#[cfg(test)]
mod model;

pub use plan::plan;
pub use settle::settle;
