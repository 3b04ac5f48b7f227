//! The OX HTTP API: the client of an Open-Xchange server, 6.10 to 8.
//!
//! An ordinary client, as a browser is one; it needs nothing installed at OX. It knows no devices, no ActiveSync and no
//! other module of this crate. Where to look:
//!
//! | file | subject |
//! |---|---|
//! | `client` | [`Ox`]: URL, connections, one request |
//! | `login`, `session`, `cookies` | [`Session`]: logging in, and renewing itself |
//! | `call`, `reply`, `multiple` | a request; what its answer means; many in one |
//! | `refusals` | what the server does not do |
//! | `error` | [`Error`] and [`ErrorKind`]: the only place that knows error codes |
//! | `settings`, `access` | what OX says about the user; whether ActiveSync is permitted |
//! | `folder`, `tree`, `folder_change`, `selection`, `module` | listing and changing folders; those that the user chose for devices |
//! | `items`, `fetch`, `write` | listing, reading and writing of appointments, contacts and tasks |
//! | `twin`, `mark` | knowing again what a write left whose answer was lost |
//! | `calendar`, `occurrence`, `contacts`, `shorten` | what is special about them |
//! | `invitation` | answering meetings, and taking in invitations |
//! | `mail` | mails |
//! | `contact_search`, `free_busy`, `vacation` | people by name, when they are busy, out-of-office notices |
//! | `columns`, `object`, `value` | the typed columns of objects, which others share; JSON values |
//!
//! Three things matter throughout. Success and failure both come with HTTP status 200, and `reply` alone decides which it
//! is. Every call asks for `timezone=UTC`, so that all times are UTC. And a lost session is no error: it is renewed and the
//! call repeated, once.
//!
//! ```no_run
//! # async fn sizes(password: secrecy::SecretString) -> Result<(), oxtender::ox::Error> {
//! use oxtender::ox;
//!
//! let ox = ox::Ox::new("https://ox.example.com/ajax/")?;
//! let session = ox.login("anton@example.com", &password).await?;
//! for folder in session.folders().await? {
//!     let items = ox::list(&session, folder.module, &folder.id).await?;
//!     println!("{}: {} items", folder.title, items.len());
//! }
//! session.logout().await
//! # }
//! ```

mod access;
mod calendar;
mod call;
mod client;
pub mod columns;
mod contact_search;
mod contacts;
mod cookies;
mod error;
mod fetch;
mod files;
mod folder;
mod folder_change;
mod free_busy;
mod invitation;
mod items;
mod login;
pub mod mail;
mod mark;
mod module;
mod multiple;
pub mod object;
mod occurrence;
mod people;
mod refusals;
mod reply;
pub mod revision;
mod selection;
mod series;
mod session;
mod settings;
mod shorten;
#[cfg(test)]
mod testing;
mod tree;
mod twin;
mod vacation;
mod value;
mod write;

pub use calendar::resolve_uid;
pub use call::Call;
pub use call::Part;
pub use client::Ox;
pub use client::http_client;
pub use contact_search::GLOBAL_ADDRESS_BOOK;
pub use contact_search::PERSON_COLUMNS;
pub use contact_search::people;
pub use contacts::PHOTO_COLUMNS;
pub use contacts::photo;
pub use error::Error;
pub use error::ErrorKind;
pub use error::TooLong;
pub use fetch::Failed;
pub use fetch::Fetched;
pub use fetch::Wanted;
pub use fetch::fetch;
pub use fetch::unlisted;
pub use files::File;
pub use files::FileFolder;
pub use files::download;
pub use files::file_folders;
pub use files::files;
pub use folder::Folder;
pub use folder::FolderKind;
pub use folder::MAIL_ROOT;
pub use folder::Rights;
pub use folder::mail_separator;
pub use free_busy::Busy;
pub use free_busy::free_busy;
pub use invitation::Confirmation;
pub use invitation::InvitationPart;
pub use invitation::Occurrence;
pub use invitation::add_invitation;
pub use invitation::apply_update;
pub use invitation::confirm;
pub use items::Item;
pub use items::list;
pub use items::lists;
pub use items::probe;
pub use mark::Mark;
pub use mark::create_marked;
pub use module::Module;
pub use module::Standard;
pub use multiple::multiple;
pub use object::Object;
pub use occurrence::delete_occurrence;
pub use occurrence::update_occurrence;
pub use people::name_people;
pub use reply::Download;
pub use reply::Reply;
pub use reply::Warning;
pub use series::copy_series;
pub use session::Session;
pub use settings::Settings;
pub use settings::Version;
pub use twin::Twin;
pub use twin::find_twin;
pub use vacation::save_vacation;
pub use vacation::vacation;
pub use value::id_text;
pub use value::id_value;
pub use value::integer;
pub use write::Written;
pub use write::create;
pub use write::delete;
pub use write::move_to;
pub use write::update;
