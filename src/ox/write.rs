//! Making, changing, moving and deleting appointments, contacts and tasks.
//!
//! One object a call: the oldest servers know nothing else, and an array that fails in the middle is half done.
//! Implements the API documentation, actions "new", "update" and "delete" of the modules.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::call::id_value;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::contacts;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::module::Module;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::shorten::shorten;

/// What OX says about an object it has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its id; a new one after a change of one occurrence, and after some moves.
    pub id: String,
    /// Its new timestamp, for the next write. OX does not always say.
    pub modified: Option<i64>,
}

/// Makes an object in a folder.
pub async fn create(session: &Session, module: Module, folder: &str, mut object: Object) -> Result<Written, Error> {
    object.set(common::FOLDER_ID, id_value(folder));
    let reply = write(session, module, "new", &[], object).await?;
    let id = new_id(&reply.data);
    let id = id.ok_or_else(|| {
        let call = session.describe(&Call::put(module.name(), "new", Value::Null));
        Error::new(ErrorKind::Garbled, call, "OX did not name the new object")
    })?;
    Ok(Written {
        id,
        modified: reply.timestamp,
    })
}

/// Changes an object: fields that are absent stay as they are. `timestamp` is the newest one known of the object.
pub async fn update(
    session: &Session,
    module: Module,
    folder: &str,
    id: &str,
    timestamp: i64,
    change: Object,
) -> Result<Written, Error> {
    let timestamp = timestamp.to_string();
    let place = [("id", id), ("folder", folder), ("timestamp", timestamp.as_str())];
    let reply = write(session, module, "update", &place, change).await?;
    Ok(Written {
        id: new_id(&reply.data).unwrap_or_else(|| id.to_owned()),
        modified: reply.timestamp,
    })
}

/// Moves an object into another folder of its module.
pub async fn move_to(
    session: &Session,
    module: Module,
    folder: &str,
    id: &str,
    timestamp: i64,
    target: &str,
) -> Result<Written, Error> {
    let mut change = Object::new();
    change.set(common::FOLDER_ID, id_value(target));
    update(session, module, folder, id, timestamp, change).await
}

/// Deletes an object. One that is gone already is deleted.
pub async fn delete(session: &Session, module: Module, folder: &str, id: &str, timestamp: i64) -> Result<(), Error> {
    let object = json!({"id": id_value(id), "folder": id_value(folder)});
    let call = Call::put(module.name(), "delete", object).with("timestamp", timestamp);
    match session.call(&call).await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        reply => reply.map(drop),
    }
}

/// Writes, and once more with shorter text if OX finds some too long.
async fn write(
    session: &Session,
    module: Module,
    action: &str,
    place: &[(&'static str, &str)],
    mut object: Object,
) -> Result<Reply, Error> {
    if module == Module::Calendar {
        // Otherwise OX saves nothing and answers with the other appointments; a device could not ask its user.
        object.set(calendar::IGNORE_CONFLICTS, true);
    }
    match write_once(session, module, action, place, object.clone()).await {
        Err(error) if error.kind == ErrorKind::Truncated && shorten(&mut object, module, &error.too_long) => {
            log::debug!("{error}; repeating with shorter text");
            write_once(session, module, action, place, object).await
        }
        outcome => outcome,
    }
}

async fn write_once(
    session: &Session,
    module: Module,
    action: &str,
    place: &[(&'static str, &str)],
    object: Object,
) -> Result<Reply, Error> {
    if module == Module::Contacts {
        return contacts::write(session, action, place, object).await;
    }
    let call = put(module, action, place, object.into_map());
    let reply = session.call(&call).await?;
    // "Conflicts return success without `error`": with `ignore_conflicts` only those of resources.
    match reply.data.get("conflicts").and_then(Value::as_array) {
        Some(conflicts) if !conflicts.is_empty() => {
            let text = "a resource is taken at that time";
            Err(Error::new(ErrorKind::Booked, session.describe(&call), text))
        }
        _ => Ok(reply),
    }
}

pub(super) fn put(module: Module, action: &str, place: &[(&'static str, &str)], object: Map<String, Value>) -> Call {
    let call = Call::put(module.name(), action, object);
    place.iter().fold(call, |call, (name, value)| call.with(*name, value))
}

fn new_id(data: &Value) -> Option<String> {
    match data.get("id")? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
