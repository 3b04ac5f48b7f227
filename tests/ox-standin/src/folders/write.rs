//! Writing of folders: `new`, `update`, `delete`, `clear`.
//!
//! Implements those actions of the chapter "Folders" of the OX HTTP API: a renamed mail folder has a new id, as have all
//! below it; `delete` answers the ids that are still there, with a warning mirrored as an error.

use crate::call::Answer;
use crate::call::Call;
use crate::call::Envelope;
use crate::call::id_of;
use crate::error::FOLDER_CHANGED;
use crate::error::FOLDER_EXISTS;
use crate::error::FOLDER_MOVE_DENIED;
use crate::error::FOLDER_NO_STORAGE;
use crate::error::FOLDER_NO_SUBFOLDERS;
use crate::error::FOLDER_NOT_DELETABLE;
use crate::error::FOLDER_NOT_FOUND;
use crate::error::FOLDER_NOT_VISIBLE;
use crate::error::JSON_SYNTAX;
use crate::error::MAIL_BAD_FOLDER_NAME;
use crate::error::MAIL_DEFAULT_FOLDER_DELETE;
use crate::error::MAIL_DEFAULT_FOLDER_RENAME;
use crate::error::MAIL_FOLDER_EXISTS;
use crate::error::MAIL_FOLDER_NOT_FOUND;
use crate::error::OxError;
use crate::fields::integer;
use crate::fields::text;
use crate::folders::selection;
use crate::folders::store::Content;
use crate::folders::store::Folder;
use crate::folders::store::Folders;
use crate::folders::store::Permission;
use crate::mail;
use crate::mail::store::DEFAULTS;
use crate::mail::store::SEPARATOR;
use crate::mail::store::default_folder;
use crate::mail::store::folder_id;
use crate::mail::store::full_name;
use crate::mail::store::last_name;
use crate::mail::store::parent_of;
use crate::pim::Module;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// `new`.
pub(super) fn new(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let body = folder_body(call)?;
    let id = create(world, call.user, call.require("folder_id")?, &body)?;
    Ok(match full_name(&id) {
        Some(_) => Answer::data(id),
        None => Answer::stamped(id, world.stamp()),
    })
}

/// Creates a folder below any kind of parent; answers its id.
pub(crate) fn create(world: &mut World, user: u32, parent: &str, body: &Map<String, Value>) -> Result<String, OxError> {
    let title = body
        .get("title")
        .and_then(text)
        .filter(|title| !title.trim().is_empty())
        .ok_or(JSON_SYNTAX)?;
    if let Some(parent) = full_name(parent) {
        return create_mail_folder(world, user, parent, &title);
    }
    let parent: u32 = parent.parse().map_err(|_| OxError::from(FOLDER_NO_STORAGE))?;
    let content = body
        .get("module")
        .and_then(Value::as_str)
        .and_then(Content::named)
        .ok_or(JSON_SYNTAX)?;
    let above = world.folders.get(parent).ok_or(FOLDER_NOT_FOUND)?.clone();
    check_parent(world, user, &above, content)?;
    check_free(world, parent, &title, None)?;
    let id = world.folders.next_id();
    let stamp = world.stamp();
    let private = parent == 1 || above.owner.is_some();
    let owner = above.owner.unwrap_or(user);
    let mut folder = Folders::private(id, parent, title, content, owner, stamp);
    folder.created_by = user;
    folder.modified_by = user;
    if !private {
        folder.owner = None;
    }
    if let Some(list) = permissions(body) {
        folder.permissions = list;
    } else if above.id >= 20 {
        folder.permissions.clone_from(&above.permissions);
    }
    world.folders.insert(folder);
    touch(world, parent, user);
    Ok(id.to_string())
}

fn check_parent(world: &World, user: u32, above: &Folder, content: Content) -> Result<(), OxError> {
    let rights = world.rights(above, user);
    if !rights.see() {
        return Err(FOLDER_NOT_VISIBLE.into());
    }
    let fits = above.content == content || above.content == Content::System || matches!(above.id, 1 | 2);
    if rights.create_folders() && fits {
        Ok(())
    } else {
        Err(FOLDER_NO_SUBFOLDERS.into())
    }
}

fn check_free(world: &World, parent: u32, title: &str, except: Option<u32>) -> Result<(), OxError> {
    let mut twins = world.folders.children(parent);
    let taken = twins.any(|folder| folder.title.eq_ignore_ascii_case(title) && Some(folder.id) != except);
    if taken { Err(FOLDER_EXISTS.into()) } else { Ok(()) }
}

fn permissions(body: &Map<String, Value>) -> Option<Vec<Permission>> {
    let list = body.get("permissions")?.as_array()?;
    let entry = |entry: &Value| {
        Some(Permission {
            entity: entry.get("entity").and_then(id_of)?,
            group: entry.get("group") == Some(&json!(true)),
            bits: entry
                .get("bits")
                .and_then(integer)
                .and_then(|bits| u32::try_from(bits).ok())?,
        })
    };
    Some(list.iter().filter_map(entry).collect())
}

/// A changed child changes the parent's stamp; system folders are left alone.
fn touch(world: &mut World, id: u32, user: u32) {
    let stamp = world.stamp();
    if let Some(folder) = world.folders.get_mut(id).filter(|folder| folder.id >= 20) {
        folder.modified = stamp;
        folder.modified_by = user;
    }
}

fn create_mail_folder(world: &mut World, user: u32, parent: &str, title: &str) -> Result<String, OxError> {
    if title.contains(SEPARATOR) {
        return Err(MAIL_BAD_FOLDER_NAME.into());
    }
    let mailbox = mail::mailbox_mut(world, user)?;
    if !parent.is_empty() {
        mail::folder(mailbox, parent)?;
    }
    let name = join(parent, title);
    if mailbox.folders.contains_key(&name) {
        return Err(MAIL_FOLDER_EXISTS.into());
    }
    mailbox.add_folder(&name);
    Ok(folder_id(&name))
}

fn join(parent: &str, title: &str) -> String {
    if parent.is_empty() {
        title.to_owned()
    } else {
        format!("{parent}{SEPARATOR}{title}")
    }
}

/// `update`: title, parent, permissions.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let body = folder_body(call)?;
    let id = call.require("id")?;
    let timestamp = call.number("timestamp")?;
    let id = change(world, call.user, id, timestamp, &body)?;
    Ok(match full_name(&id) {
        Some(_) => Answer::data(id),
        None => Answer::stamped(id, world.stamp()),
    })
}

/// Changes a folder; answers its id, which is a new one for renamed and moved mail folders.
pub(crate) fn change(
    world: &mut World,
    user: u32,
    id: &str,
    timestamp: Option<i64>,
    body: &Map<String, Value>,
) -> Result<String, OxError> {
    let title = body
        .get("title")
        .and_then(text)
        .filter(|title| !title.trim().is_empty());
    let target = body.get("folder_id").and_then(text);
    if let Some(name) = full_name(id) {
        return change_mail_folder(world, user, name, title, target, body);
    }
    let number: u32 = id.parse().map_err(|_| OxError::from(FOLDER_NO_STORAGE))?;
    let folder = world.folders.get(number).ok_or(FOLDER_NOT_FOUND)?.clone();
    let rights = world.rights(&folder, user);
    if !rights.see() || !rights.admin() {
        return Err(FOLDER_NOT_VISIBLE.into());
    }
    if timestamp.is_some_and(|timestamp| folder.modified > timestamp) {
        return Err(FOLDER_CHANGED.into());
    }
    let mut changed = folder.clone();
    if let Some(target) = target {
        let target: u32 = target.parse().map_err(|_| OxError::from(FOLDER_MOVE_DENIED))?;
        let above = world.folders.get(target).ok_or(FOLDER_NOT_FOUND)?;
        if folder.default || target == number || is_below(world, target, number) {
            return Err(FOLDER_MOVE_DENIED.into());
        }
        check_parent(world, user, above, folder.content)?;
        changed.parent = target;
    }
    if let Some(title) = title {
        changed.title = title;
    }
    check_free(world, changed.parent, &changed.title, Some(number))?;
    if let Some(list) = permissions(body) {
        changed.permissions = list;
    }
    changed.modified = world.stamp();
    changed.modified_by = user;
    world.folders.insert(changed);
    Ok(id.to_owned())
}

fn is_below(world: &World, mut id: u32, ancestor: u32) -> bool {
    while let Some(folder) = world.folders.get(id) {
        if folder.parent == ancestor {
            return true;
        }
        id = folder.parent;
    }
    false
}

fn change_mail_folder(
    world: &mut World,
    user: u32,
    name: &str,
    title: Option<String>,
    target: Option<String>,
    body: &Map<String, Value>,
) -> Result<String, OxError> {
    let renumbers = world.options.renumbers_renamed;
    let mailbox = mail::mailbox_mut(world, user)?;
    mail::folder(mailbox, name)?;
    let target = target
        .map(|target| full_name(&target).map(str::to_owned).ok_or(MAIL_FOLDER_NOT_FOUND))
        .transpose()?;
    let parent = target.unwrap_or_else(|| parent_of(name).unwrap_or("").to_owned());
    let title = title.unwrap_or_else(|| last_name(name).to_owned());
    if let Some(folder) = mailbox.folders.get_mut(name)
        && let Some(subscribed) = body.get("subscribed")
    {
        folder.subscribed = subscribed == &json!(true) || integer(subscribed) == Some(1);
    }
    let renamed = join(&parent, &title);
    if renamed == name {
        return Ok(folder_id(name));
    }
    if DEFAULTS.iter().any(|(default, _, _)| *default == name) {
        return Err(MAIL_DEFAULT_FOLDER_RENAME.into());
    }
    if title.contains(SEPARATOR) {
        return Err(MAIL_BAD_FOLDER_NAME.into());
    }
    if mailbox.folders.contains_key(&renamed) {
        return Err(MAIL_FOLDER_EXISTS.into());
    }
    if renamed.starts_with(&format!("{name}{SEPARATOR}")) {
        return Err(FOLDER_MOVE_DENIED.into());
    }
    if !parent.is_empty() {
        mail::folder(mailbox, &parent)?;
    }
    mailbox.rename(name, &renamed);
    if renumbers {
        mailbox.renumber_all(&renamed);
    }
    selection::follow(world, user, &folder_id(name), &folder_id(&renamed));
    Ok(folder_id(&renamed))
}

/// `delete`: answers the ids that could not be deleted, and why the first of them could not.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let hard = call.flag("hardDelete");
    let timestamp = call.number("timestamp")?;
    let (mut failed, mut warnings) = (Vec::new(), Vec::new());
    for id in call.json_array()?.iter().filter_map(text) {
        if let Err(error) = remove(world, call.user, &id, timestamp, hard) {
            if call.flag("failOnError") {
                return Err(error);
            }
            failed.push(json!(id));
            warnings.push(error);
        }
    }
    let timestamp = Some(world.stamp());
    Ok(Answer::Data(Envelope {
        data: Some(Value::Array(failed)),
        timestamp,
        warnings,
    }))
}

/// Deletes one folder of any kind with everything below.
pub(crate) fn remove(
    world: &mut World,
    user: u32,
    id: &str,
    timestamp: Option<i64>,
    hard: bool,
) -> Result<(), OxError> {
    if let Some(name) = full_name(id) {
        return remove_mail_folder(world, user, name, hard);
    }
    let number: u32 = id.parse().map_err(|_| OxError::from(FOLDER_NO_STORAGE))?;
    let folder = world.folders.get(number).ok_or(FOLDER_NOT_FOUND)?.clone();
    let rights = world.rights(&folder, user);
    if !rights.see() {
        return Err(FOLDER_NOT_VISIBLE.into());
    }
    if folder.default || folder.id < 20 || !rights.admin() {
        return Err(FOLDER_NOT_DELETABLE.into());
    }
    if timestamp.is_some_and(|timestamp| folder.modified > timestamp) {
        return Err(FOLDER_CHANGED.into());
    }
    let below: Vec<u32> = world.folders.children(number).map(|child| child.id).collect();
    for child in below {
        remove(world, user, &child.to_string(), None, hard)?;
    }
    empty(world, number);
    let stamp = world.stamp();
    world.folders.remove(number, stamp);
    touch(world, folder.parent, user);
    Ok(())
}

/// Deletes all objects of a groupware folder.
fn empty(world: &mut World, folder: u32) {
    for module in Module::ALL {
        let ids: Vec<u32> = world.objects_in(module, folder).map(|object| object.id).collect();
        for id in ids {
            world.bury(module, id);
        }
    }
}

/// The first deletion moves a mail folder into the trash, one from there is final.
fn remove_mail_folder(world: &mut World, user: u32, name: &str, hard: bool) -> Result<(), OxError> {
    let mailbox = mail::mailbox_mut(world, user)?;
    mail::folder(mailbox, name)?;
    if DEFAULTS.iter().any(|(default, _, _)| *default == name) {
        return Err(MAIL_DEFAULT_FOLDER_DELETE.into());
    }
    let trash = default_folder("trash");
    if hard || name.starts_with(&format!("{trash}{SEPARATOR}")) {
        mailbox.remove_folder(name);
        return Ok(());
    }
    let mut target = join(trash, last_name(name));
    while mailbox.folders.contains_key(&target) {
        target.push('_');
    }
    mailbox.rename(name, &target);
    Ok(())
}

/// `clear`: empties folders; answers the ids not emptied.
pub(super) fn clear(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let mut failed = Vec::new();
    for id in call.json_array()?.iter().filter_map(text) {
        let cleared = match (full_name(&id), id.parse::<u32>()) {
            (Some(_), _) => mail::write::empty(world, call.user, &id, call.flag("hardDelete")).is_ok(),
            (None, Ok(number)) => clear_groupware(world, call.user, number),
            (None, Err(_)) => false,
        };
        if !cleared {
            failed.push(json!(id));
        }
    }
    Ok(Answer::data(failed))
}

fn clear_groupware(world: &mut World, user: u32, id: u32) -> bool {
    let allowed = world
        .folders
        .get(id)
        .is_some_and(|folder| world.rights(folder, user).delete(false));
    if allowed {
        empty(world, id);
    }
    allowed
}

/// The body, plain or wrapped as `{"folder": …, "notification": …}`.
fn folder_body(call: &Call) -> Result<Map<String, Value>, OxError> {
    let mut body = call.json_object()?;
    match body.remove("folder") {
        Some(Value::Object(wrapped)) => Ok(wrapped),
        _ => Ok(body),
    }
}
