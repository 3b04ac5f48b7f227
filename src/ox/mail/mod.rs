//! Mails: reading, flags, moving, deleting, sending and storing.
//!
//! Bytes are read and written as they are: MIME is made and understood elsewhere. Implements the API documentation,
//! "Module mail".

mod change;
mod clear;
mod glance;
mod read;
mod search;
mod send;

pub use change::delete;
pub use change::move_to;
pub use change::set_flags;
pub use clear::clear;
pub use glance::Glance;
pub use glance::glances;
pub use read::attachment;
pub use read::fetch_json;
pub use read::head;
pub use read::source;
pub use search::Found;
pub use search::conversations;
pub use search::search;
pub use search::search_columns;
pub use search::threads;
pub use send::Stored;
pub use send::append;
pub use send::find_message;
pub use send::send;
pub use send::store;
