//! The module `calendar`: the interface of old, which newer servers emulate.
//!
//! `read` answers questions, `write` changes appointments, `exception` the single occurrences of series; `check` refuses,
//! `conflict` looks for double bookings, `recurrence` computes series, `participants` and `people` say who takes part;
//! `itip` reads invitations (`ical`). Implements the chapter "Calendar" of the OX
//! HTTP API.

pub(crate) mod check;
pub(crate) mod conflict;
pub(crate) mod exception;
mod ical;
pub(crate) mod itip;
pub(crate) mod participants;
pub(crate) mod people;
pub(crate) mod read;
pub(crate) mod recurrence;
pub(crate) mod write;

use crate::call::Answer;
use crate::call::Call;
use crate::error::OxError;
use crate::pim::Object;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// `shown_as` of an appointment that blocks no time.
pub(crate) const FREE: i64 = 4;
/// `shown_as` of an ordinary appointment.
pub(crate) const RESERVED: i64 = 1;

/// Answers a call of the module; `None` for an unknown action.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "all" => read::all(world, call)?,
        "list" => read::list(world, call)?,
        "get" => read::get(world, call)?,
        "updates" => read::updates(world, call)?,
        "resolveuid" => read::resolve_uid(world, call)?,
        "freebusy" => read::free_busy(world, call)?,
        "search" => read::search(world, call)?,
        "has" => read::has(world, call)?,
        "getChangeExceptions" => read::change_exceptions(world, call)?,
        "new" => write::new(world, call)?,
        "update" => write::update(world, call)?,
        "delete" => write::delete(world, call)?,
        "confirm" => write::confirm(world, call)?,
        "copy" => write::copy(world, call)?,
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// Adds what depends on the caller: his alarm, and what a stranger may know of a private appointment.
pub(crate) fn complete_view(world: &World, user: u32, object: &Object, view: &mut Map<String, Value>) {
    if let Some(minutes) = object.alarms.get(&user) {
        view.insert("alarm".to_owned(), json!(minutes));
    }
    if world.profile().emulated_calendar() {
        // Only opaque and transparent survive in the newer calendar.
        let free = view.get("shown_as").and_then(Value::as_i64) == Some(FREE);
        view.insert("shown_as".to_owned(), json!(if free { FREE } else { RESERVED }));
    }
    if hidden_from(object, user) {
        let secret = [
            "location",
            "note",
            "participants",
            "users",
            "confirmations",
            "alarm",
            "shown_as",
            "categories",
            "organizer",
        ];
        secret.iter().for_each(|key| drop(view.remove(*key)));
        view.insert("title".to_owned(), json!("Private"));
    }
}

/// Private, and the user neither made it nor takes part.
pub(crate) fn hidden_from(object: &Object, user: u32) -> bool {
    object.truth("private_flag") && object.created_by != user && participants::status_of(object, user).is_none()
}

/// Id of the master when the object is a change exception.
pub(crate) fn master_of(object: &Object) -> Option<u32> {
    let master = object.number("recurrence_id").and_then(|id| u32::try_from(id).ok())?;
    (master != object.id && master != 0).then_some(master)
}

/// Whether the object is the master of a series.
pub(crate) fn is_master(object: &Object) -> bool {
    object.number("recurrence_type").unwrap_or(0) != 0 && master_of(object).is_none()
}

/// A list of days such as `delete_exceptions`.
pub(crate) fn day_list(object: &Object, key: &str) -> Vec<i64> {
    let list = object.fields.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_i64).collect()
}
