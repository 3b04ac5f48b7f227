//! Who takes part in an appointment, in which folders they see it, and how they leave.
//!
//! Implements the rules on participants of the chapter "Calendar" of the OX HTTP API.

use crate::calendar::participants;
use crate::call::id_of;
use crate::error::OxError;
use crate::folders::store::Content;
use crate::mail::store::Sent;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::Tombstone;
use crate::world::World;
use serde_json::Value;
use serde_json::json;

/// `notification`: the server itself writes to everybody but the caller.
pub(super) fn notify(world: &mut World, user: u32, object: &Object) {
    let listed = object.fields.get("participants").cloned().unwrap_or(Value::Null);
    let users = participants::user_ids(world, &listed)
        .into_iter()
        .filter(|id| *id != user);
    let users = users.filter_map(|id| world.user(id).map(|user| user.primary_address().to_owned()));
    let externals = listed.as_array().into_iter().flatten();
    let externals = externals.filter(|entry| participants::kind(entry) == participants::EXTERNAL);
    let externals = externals.filter_map(|entry| entry.get("mail")?.as_str().map(str::to_owned));
    let recipients: Vec<String> = users.chain(externals).collect();
    let Some(from) = world.user(user).map(|user| user.primary_address().to_owned()) else {
        return;
    };
    if recipients.is_empty() {
        return;
    }
    let raw = format!(
        "From: {from}\r\nSubject: {}\r\n\r\nSent by OX.\r\n",
        object.text("title")
    );
    world.outbox.push(Sent {
        user,
        from,
        recipients,
        raw: raw.into(),
    });
}

/// Resolves participants, adds the owner of a private folder, and finds the folders where everybody sees it.
pub(super) fn set_people(world: &World, user: u32, object: &mut Object, fresh: bool) -> Result<(), OxError> {
    let owner = world.folders.get(object.folder()).and_then(|folder| folder.owner);
    let given = object.fields.get("participants").cloned().unwrap_or(Value::Null);
    let mut resolved = participants::resolve_internal(world, &given);
    if let (Some(owner), Value::Array(list)) = (owner, &mut resolved)
        && fresh
        && !participants::user_ids(world, &Value::Array(list.clone())).contains(&owner)
    {
        list.insert(0, json!({"id": owner, "type": participants::USER}));
    }
    if resolved.as_array().is_none_or(Vec::is_empty) {
        return Err(OxError::new("APP-0009", 1, "The appointment has no participants."));
    }
    if owner.is_some_and(|owner| !participants::user_ids(world, &resolved).contains(&owner)) && !fresh {
        return Err(OxError::new(
            "APP-0076",
            1,
            "The owner of the folder cannot be removed.",
        ));
    }
    let nameless = |entry: &Value| entry.get("mail").and_then(Value::as_str).is_none_or(str::is_empty);
    let mut list = resolved.as_array().into_iter().flatten();
    if list.any(|entry| participants::kind(entry) == participants::EXTERNAL && nameless(entry)) {
        return Err(OxError::new("APP-0008", 1, "An external participant has no address."));
    }
    let known = |object: &Object, key: &str| {
        object
            .fields
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let users = participants::users(world, &resolved, owner.or(Some(user)), &known(object, "users"));
    let confirmations = participants::confirmations(&resolved, &known(object, "confirmations"));
    let external = confirmations.as_array().is_some_and(|list| !list.is_empty());
    object.set("users", users);
    object.set("confirmations", if external { confirmations } else { Value::Null });
    if owner.is_some() {
        object.folders = placements(world, object, &participants::user_ids(world, &resolved));
    }
    object.set("participants", resolved);
    Ok(())
}

/// The folders of all participants: where it is already, else their default calendars.
fn placements(world: &World, object: &Object, users: &[u32]) -> Vec<u32> {
    let owner_of = |folder: &u32| world.folders.get(*folder).and_then(|folder| folder.owner);
    let mut folders: Vec<u32> = vec![object.folder()];
    for user in users {
        let present = object
            .folders
            .iter()
            .copied()
            .find(|folder| owner_of(folder) == Some(*user));
        let place = present.or_else(|| world.folders.default_of(*user, Content::Calendar));
        if let Some(place) = place
            && !folders.iter().any(|folder| owner_of(folder) == Some(*user))
        {
            folders.push(place);
        }
    }
    folders
}

pub(super) fn set_alarm(world: &World, user: u32, object: &mut Object, alarm: Option<Value>) {
    let Some(alarm) = alarm else { return };
    let owner = world.folders.get(object.folder()).and_then(|folder| folder.owner);
    let whose = if participants::status_of(object, user).is_some() {
        user
    } else {
        owner.unwrap_or(user)
    };
    match alarm.as_i64().filter(|minutes| *minutes >= 0) {
        Some(minutes) => object.alarms.insert(whose, minutes),
        None => object.alarms.remove(&whose),
    };
}

/// Invited by somebody else, and deleting the own copy in the own folder.
pub(super) fn only_takes_part(world: &World, object: &Object, user: u32, folder: u32) -> bool {
    let own_folder = world
        .folders
        .get(folder)
        .is_some_and(|folder| folder.owner == Some(user));
    own_folder && object.folder() != folder && object.created_by != user
}

/// Takes the user off the list and the appointment out of the folder.
pub(super) fn leave(world: &mut World, user: u32, folder: u32, id: u32) {
    let stamp = world.stamp();
    let Some(object) = world.objects.get_mut(&(Module::Calendar, id)) else {
        return;
    };
    let is_user = |entry: &Value| {
        participants::kind(entry) == participants::USER && entry.get("id").and_then(id_of) == Some(user)
    };
    for key in ["participants", "users"] {
        if let Some(list) = object.fields.get_mut(key).and_then(Value::as_array_mut) {
            list.retain(|entry| !is_user(entry));
        }
    }
    object.folders.retain(|other| *other != folder);
    object.touch(stamp, user);
    world.tombstones.push(Tombstone {
        module: Module::Calendar,
        folder,
        id,
        stamp,
    });
}
