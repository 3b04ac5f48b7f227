//! An ActiveSync gateway for Open-Xchange: phones sync mail, calendar, contacts and tasks.
//!
//! ```text
//! phone -> HTTPS -> Apache mod_proxy_ajp -> ajp -> eas -> usm -> OX HTTP API
//!                                                         usm -> the oxdatabase tables
//! ```
//!
//! One Sync request, from the outside in: `ajp` (or hyper) makes it an HTTP request; [`server`] routes it by its path; [`coding`]
//! inflates its body;
//! [`eas`] reads query and headers; [`session`] finds the OX session and the device, and takes the device's turn; the row of
//! [`eas::command::COMMANDS`] says which file serves it; [`wbxml`] decodes the body; [`content`] turns what the device
//! changed into OX objects; [`usm`] compares what the device knows with what OX holds, decides, writes, and commits;
//! [`content`] turns OX objects into what the device gets; [`wbxml`] encodes the answer for the version.
//!
//! Three ideas hold it together:
//!
//! * **What must not fail is pure.** Decoders, converters and the sync engine see bytes and values and do no I/O, so that every
//!   case can be tried, and every failure replayed.
//! * **Versions are data, and so are quirks.** Only tables say what a protocol version has, and what a device does not cope
//!   with ([`quirk`]); a handler never asks who it serves.
//! * **Nothing is done twice, nothing is lost.** A write that OX confirmed is noted before the next one; a state is committed
//!   before the answer leaves; a device that never saw the answer repeats its request and gets the same.

pub mod cli;
pub mod coding;
pub mod config;
pub mod content;
pub mod eas;
pub mod metrics;
pub mod notify;
pub mod ox;
pub mod quirk;
pub mod server;
pub mod session;
pub mod store;
pub mod usm;
pub mod version;
pub mod wbxml;
