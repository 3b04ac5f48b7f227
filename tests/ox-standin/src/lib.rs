//! An Open-Xchange (OX) server in memory, over real HTTP: for tests of clients, and for demonstrations.
//!
//! It follows the OX HTTP API even where that is inconvenient, and shares no code with any client. It is no groupware: no
//! data survives, passwords are plain, and only what a sync client can notice is done faithfully.
//!
//! ```
//! use ox_standin::{Fault, Module, Standin};
//! use serde_json::json;
//!
//! let standin = Standin::builder().zone("Europe/Berlin").build();
//! let running = standin.start("127.0.0.1:0")?;
//! assert!(running.url().ends_with("/ajax/"));
//!
//! let anton = standin.web("anton");
//! let id = anton.create_contact(json!({"display_name": "Meier, Eva", "last_name": "Meier"}));
//! assert_eq!(anton.object(Module::Contacts, id).unwrap()["last_name"], "Meier");
//!
//! standin.faults().next(Fault::Status(503));
//! // A client talks to running.url() here; dropping `running` stops the server.
//! assert_eq!(standin.calls().requests, 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # The map
//!
//! | module | holds |
//! |---|---|
//! | `server` | [`Standin`], [`Builder`], [`Running`]; connections |
//! | `http`, `multipart`, `envelope` | requests to calls, answers to responses |
//! | `session` | login, cookies, the check before each call |
//! | `modules`, `multiple` | which module answers; several calls in one |
//! | `call`, `error`, `profile` | a call and its answer; error tables; what differs by generation |
//! | `fields` | one row per field of calendar, tasks, contacts: rows and objects come from it |
//! | `pim` | what those three share: stamps, tombstones, rights, locking, attachments |
//! | `calendar`, `tasks`, `contacts`, `mail`, `folders`, `config`, `users`, `mailfilter` | the modules of the API |
//! | `uids` | what becomes of the UIDs of contacts and tasks |
//! | `world` | the state, behind one lock |
//! | `clock`, `fault`, `calls`, `web` | the test's handles |
//! | `admin`, [`sample`] | the program: its door for administrators, its data |
//!
//! # Ideas
//!
//! * Stored objects are JSON maps in real UTC. Zones, Dates and ids change form only in `fields`, on the way in and out.
//! * A change takes its stamp from [`Clock`]; a removal leaves a tombstone per folder. `updates` is a comparison of those
//!   with the caller's timestamp and nothing else.
//! * Mails are bytes. What lists need is parsed once and kept beside them.
//! * [`WebUser`] acts through the same code as HTTP, so that a test cannot create what the server would refuse.

mod admin;
mod calendar;
mod call;
mod calls;
mod clock;
mod config;
mod contacts;
mod envelope;
mod error;
mod fault;
mod fields;
mod folders;
mod http;
mod infostore;
mod mail;
mod mailfilter;
mod modules;
mod multipart;
mod multiple;
mod pim;
mod profile;
pub mod sample;
mod server;
mod session;
mod tasks;
mod uids;
mod users;
mod web;
mod whims;
mod world;
mod zone;

pub use calls::Calls;
pub use calls::LoggedCall;
pub use clock::Clock;
pub use fault::Fault;
pub use fault::Gate;
pub use mail::store::Sent;
pub use mail::store::flag;
pub use pim::Module;
pub use profile::Profile;
pub use server::Builder;
pub use server::Faults;
pub use server::Running;
pub use server::Standin;
pub use uids::Uids;
pub use users::Group;
pub use users::Resource;
pub use users::User;
pub use web::StoredFolder;
pub use web::StoredMail;
pub use web::WebUser;
