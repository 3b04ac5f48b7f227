//! Mails: reading, flags, moving, deleting, sending and storing.
//!
//! Bytes are read and written as they are: MIME is made and understood elsewhere. Implements the API documentation,
//! "Module mail".

use serde_json::Map;
use serde_json::Value;

mod change;
mod read;
mod send;

pub use change::delete;
pub use change::move_to;
pub use change::set_flags;
pub(super) use read::Refusals;
pub use read::attachment;
pub use read::fetch_json;
pub use read::source;
pub use send::Stored;
pub use send::append;
pub use send::send;

fn id_of(mail: &Map<String, Value>) -> Option<String> {
    mail.get("id").and_then(text)
}

/// Ids of mails are text, but some servers write numbers.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
