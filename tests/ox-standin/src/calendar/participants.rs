//! Participants of appointments and tasks: users, groups, resources, externals, and who has said yes.
//!
//! Implements "User participant object", "Group/Resource/External participants" and the replacement of externals by
//! internal users of the OX HTTP API.

use crate::call::id_of;
use crate::fields::integer;
use crate::pim::Object;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

pub(crate) const USER: i64 = 1;
const GROUP: i64 = 2;
pub(crate) const RESOURCE: i64 = 3;
pub(crate) const EXTERNAL: i64 = 5;
/// Status of somebody who has not answered.
const NONE: i64 = 0;
pub(crate) const ACCEPTED: i64 = 1;
pub(crate) const DECLINED: i64 = 2;

/// Kind of an entry.
pub(crate) fn kind(entry: &Value) -> i64 {
    entry.get("type").and_then(integer).unwrap_or(USER)
}

/// The list as it is kept: externals with an internal address have become users, doubles are gone.
pub(crate) fn resolve_internal(world: &World, entries: &Value) -> Value {
    let mut resolved: Vec<Value> = Vec::new();
    for entry in entries.as_array().into_iter().flatten() {
        let entry = resolve_entry(world, entry);
        let key = |entry: &Value| (kind(entry), entry.get("id").cloned(), entry.get("mail").cloned());
        if !resolved.iter().any(|other| key(other) == key(&entry)) {
            resolved.push(entry);
        }
    }
    Value::Array(resolved)
}

fn resolve_entry(world: &World, entry: &Value) -> Value {
    if kind(entry) != EXTERNAL {
        return json!({"id": entry.get("id").and_then(id_of), "type": kind(entry)});
    }
    // Old clients write the address as id.
    let address = entry
        .get("mail")
        .or_else(|| entry.get("id"))
        .and_then(Value::as_str)
        .unwrap_or("");
    if let Some(user) = world.user_by_address(address) {
        return json!({"id": user.id, "type": USER});
    }
    let mut external = Map::new();
    external.insert("type".to_owned(), json!(EXTERNAL));
    external.insert("mail".to_owned(), json!(address));
    if let Some(name) = entry.get("display_name").filter(|name| name.is_string()) {
        external.insert("display_name".to_owned(), name.clone());
    }
    Value::Object(external)
}

/// Internal users behind a resolved list, members of groups included, in order and once each.
pub(crate) fn user_ids(world: &World, resolved: &Value) -> Vec<u32> {
    let mut ids = Vec::new();
    for entry in resolved.as_array().into_iter().flatten() {
        let Some(id) = entry.get("id").and_then(id_of) else {
            continue;
        };
        let found = match kind(entry) {
            USER => vec![id],
            GROUP if id == 0 => world.users.iter().map(|user| user.id).collect(),
            GROUP => world
                .groups
                .iter()
                .filter(|group| group.id == id)
                .flat_map(|group| group.members.clone())
                .collect(),
            _ => Vec::new(),
        };
        for id in found {
            if world.user(id).is_some() && !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    ids
}

/// Ids of the resources in a resolved list.
pub(crate) fn resource_ids(resolved: &Value) -> Vec<u32> {
    let entries = resolved.as_array().into_iter().flatten();
    entries
        .filter(|entry| kind(entry) == RESOURCE)
        .filter_map(|entry| entry.get("id").and_then(id_of))
        .collect()
}

/// `users`: everybody internal with the status known so far; `accepted` has said yes by acting.
pub(crate) fn users(world: &World, resolved: &Value, accepted: Option<u32>, known: &[Value]) -> Value {
    let ids = user_ids(world, resolved);
    let entries = ids.into_iter().map(|id| {
        let old = known.iter().find(|entry| entry.get("id").and_then(id_of) == Some(id));
        old.cloned().unwrap_or_else(|| {
            let name = world.user(id).map(crate::users::User::display_name).unwrap_or_default();
            let status = if accepted == Some(id) { ACCEPTED } else { NONE };
            json!({"id": id, "display_name": name, "confirmation": status})
        })
    });
    entries.collect()
}

/// `confirmations`: everybody external with the status known so far.
pub(crate) fn confirmations(resolved: &Value, known: &[Value]) -> Value {
    let externals = resolved
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| kind(entry) == EXTERNAL);
    let entries = externals.map(|entry| {
        let mail = entry.get("mail");
        let old = known.iter().find(|known| known.get("mail") == mail);
        old.cloned().unwrap_or_else(|| {
            let mut fresh = entry.clone();
            if let Value::Object(fresh) = &mut fresh {
                fresh.insert("status".to_owned(), json!(NONE));
            }
            fresh
        })
    });
    entries.collect()
}

/// Everybody but `keep` is asked again.
pub(crate) fn reset_status(object: &mut Object, keep: &[u32]) {
    for (list, status) in [("users", "confirmation"), ("confirmations", "status")] {
        for entry in entries_mut(object, list) {
            let kept = entry.get("id").and_then(id_of).is_some_and(|id| keep.contains(&id));
            if !kept && let Value::Object(entry) = entry {
                entry.insert(status.to_owned(), json!(NONE));
            }
        }
    }
}

/// Writes an answer of `confirm`: the caller's own, that of the folder's owner (`id`), or of an external (`mail`).
pub(crate) fn set_status(object: &mut Object, user: u32, body: &Map<String, Value>) {
    let status = body.get("confirmation").and_then(integer).unwrap_or(NONE);
    let message = body
        .get("confirmmessage")
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_owned();
    if let Some(mail) = body
        .get("mail")
        .filter(|_| body.get("type").and_then(integer) == Some(EXTERNAL))
    {
        for entry in entries_mut(object, "confirmations").filter(|entry| entry.get("mail") == Some(mail)) {
            if let Value::Object(entry) = entry {
                entry.insert("status".to_owned(), json!(status));
                entry.insert("message".to_owned(), json!(message));
            }
        }
        return;
    }
    let whose = body
        .get("id")
        .and_then(id_of)
        .filter(|id| *id != object.id)
        .unwrap_or(user);
    for entry in entries_mut(object, "users").filter(|entry| entry.get("id").and_then(id_of) == Some(whose)) {
        if let Value::Object(entry) = entry {
            entry.insert("confirmation".to_owned(), json!(status));
            entry.insert("confirmmessage".to_owned(), json!(message));
        }
    }
}

/// Status of one user, `None` if not invited.
pub(crate) fn status_of(object: &Object, user: u32) -> Option<i64> {
    let users = object.fields.get("users").and_then(Value::as_array)?;
    let entry = users
        .iter()
        .find(|entry| entry.get("id").and_then(id_of) == Some(user))?;
    entry.get("confirmation").and_then(integer)
}

fn entries_mut<'a>(object: &'a mut Object, list: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .fields
        .get_mut(list)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}
