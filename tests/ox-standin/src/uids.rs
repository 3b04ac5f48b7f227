//! What becomes of the UID that a client gives a new contact or task.
//!
//! The OX HTTP API lists the column `uid` for both, of tasks as a newer one, and does not say what a server does with a
//! value of a client, nor what one does that lacks the column: "unknown column numbers: usually ignored with `null`, in some
//! modules an error". Appointments are not concerned: theirs is "writable on create only".

use crate::call::Call;
use crate::error::OxError;
use crate::fields::Column;
use crate::pim::Module;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The key of the column.
const KEY: &str = "uid";
/// Its number.
const COLUMN: u32 = 223;

/// One way of dealing with the UIDs of contacts and tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Uids {
    /// They are kept as the client wrote them; who gives none gets one.
    #[default]
    Kept,
    /// Nobody has one: the key is passed over, the column is `null`.
    Ignored,
    /// Each object gets one of the server's own.
    Replaced,
    /// The key and the column are errors.
    Refused,
}

impl Uids {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Ignored, Self::Replaced, Self::Refused];

    /// What a server does whose whims have this seed.
    pub fn of(seed: u64) -> Self {
        let [kept, ignored, replaced, refused] = Self::ALL;
        match seed % 4 {
            0 => kept,
            1 => ignored,
            2 => replaced,
            _ => refused,
        }
    }

    /// What a new object has for its UID.
    pub(crate) fn settle(self, module: Module, id: u32, fields: &mut Map<String, Value>) {
        let own = || json!(format!("{}-{id}@standin", module.name().trim_end_matches('s')));
        match self {
            Self::Kept => {
                fields.entry(KEY).or_insert_with(own);
            }
            Self::Replaced => {
                fields.insert(KEY.to_owned(), own());
            }
            Self::Ignored | Self::Refused => {
                fields.remove(KEY);
            }
        }
    }
}

/// Refuses a body that has a UID, where that is what the server does.
pub(crate) fn check_body(world: &World, call: &Call) -> Result<(), OxError> {
    if world.options.uids == Uids::Refused && call.json_object()?.contains_key(KEY) {
        let error = OxError::new("SVL-0010", 1, "Unknown field");
        return Err(error.with_details(json!([{"name": KEY}]), None));
    }
    Ok(())
}

/// The same of a list with the column.
pub(crate) fn check_columns(world: &World, module: Module, columns: &[Column]) -> Result<(), OxError> {
    let is_refused = world.options.uids == Uids::Refused && module != Module::Calendar;
    if is_refused && columns.contains(&Column::Number(COLUMN)) {
        return Err(OxError::new("SVL-0004", 1, "Unknown column"));
    }
    Ok(())
}
