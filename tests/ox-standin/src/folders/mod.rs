//! The module `folders`: the tree over groupware and mail folders.
//!
//! `store` keeps groupware folders, `view` shows all kinds alike, `write` changes them; here are the reading actions.
//! Implements the chapter "Folders" of the OX HTTP API for the trees 0 and 1; `selection` is tree 20.

pub(crate) mod selection;
pub(crate) mod store;
pub(crate) mod view;
pub(crate) mod write;

use crate::call::Answer;
use crate::call::Call;
use crate::call::invalid;
use crate::error::FOLDER_NO_STORAGE;
use crate::error::FOLDER_NOT_FOUND;
use crate::error::FOLDER_NOT_VISIBLE;
use crate::error::MAIL_FOLDER_NOT_FOUND;
use crate::error::OxError;
use crate::fields::Column;
use crate::folders::store::Content;
use crate::folders::store::Folder;
use crate::mail::store::full_name;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// A folder in wire form before columns are picked.
type View = Map<String, Value>;

/// Answers a call of the module; `None` for an unknown action.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "root" => root(world, call)?,
        "list" => list(world, call)?,
        "get" => get(world, call)?,
        "path" => path(world, call)?,
        "allVisible" => all_visible(world, call)?,
        "updates" => updates(world, call)?,
        "new" => write::new(world, call)?,
        "update" => write::update(world, call)?,
        "delete" => write::delete(world, call)?,
        "clear" => write::clear(world, call)?,
        "subscribe" => selection::subscribe(world, call)?,
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn root(world: &World, call: &Call) -> Result<Answer, OxError> {
    answer_rows(world, call, children(world, call.user, "0")?)
}

fn list(world: &World, call: &Call) -> Result<Answer, OxError> {
    if call.parameter("tree") == Some(selection::TREE) {
        let views = selection::children(world, call.user, call.require("parent")?)?;
        return answer_rows(world, call, views);
    }
    let mut views = children(world, call.user, call.require("parent")?)?;
    if let Some(modules) = call.parameter("allowed_modules") {
        let allowed: Vec<&str> = modules.split(',').map(str::trim).collect();
        views.retain(|view| {
            let module = view.get("module").and_then(Value::as_str).unwrap_or("");
            module == "system" || allowed.contains(&module)
        });
    }
    if !call.flag("all") {
        views.retain(|view| view.get("subscribed") != Some(&json!(false)));
    }
    answer_rows(world, call, views)
}

fn get(world: &World, call: &Call) -> Result<Answer, OxError> {
    let view = find(world, call.user, call.require("id")?)?;
    let timestamp = view.get("last_modified_utc").and_then(Value::as_i64).unwrap_or(0);
    Ok(Answer::stamped(view::object(&world.wire(&call.zone), &view), timestamp))
}

/// Rows from the folder up to the root.
fn path(world: &World, call: &Call) -> Result<Answer, OxError> {
    let mut views = Vec::new();
    let mut id = call.require("id")?.to_owned();
    while id != "0" {
        let view = find(world, call.user, &id)?;
        let parent = view.get("folder_id").and_then(Value::as_str).unwrap_or("0").to_owned();
        views.push(view);
        id = parent;
    }
    answer_rows(world, call, views)
}

/// All folders of one content, by whose they are; sections without folders are left out.
fn all_visible(world: &World, call: &Call) -> Result<Answer, OxError> {
    let content = call.require("content_type")?;
    let columns = call.columns()?;
    let wire = world.wire(&call.zone);
    let mut sections: Vec<(&str, Vec<View>)> =
        vec![("private", Vec::new()), ("public", Vec::new()), ("shared", Vec::new())];
    if content == "mail" {
        let names = world
            .mailboxes
            .get(&call.user)
            .into_iter()
            .flat_map(|mailbox| &mailbox.folders);
        let wanted = names.filter(|(_, folder)| folder.subscribed || call.flag("all"));
        let views = std::iter::once("").chain(wanted.map(|(name, _)| name.as_str()));
        sections[0].1 = views.filter_map(|name| view::mail(world, call.user, name)).collect();
    } else {
        let content = Content::named(content).ok_or_else(|| invalid("content_type", content))?;
        for folder in world.visible_folders(call.user, content) {
            let mut view = view::groupware(world, call.user, folder);
            let section = match folder.owner {
                None => 1,
                Some(owner) if owner == call.user => 0,
                Some(_) => 2,
            };
            if section == 2 {
                view.insert("folder_id".to_owned(), json!("3"));
            }
            sections[section].1.push(view);
        }
    }
    let timestamp = sections
        .iter()
        .flat_map(|(_, views)| views)
        .filter_map(stamp)
        .max()
        .unwrap_or(0);
    let data: Map<String, Value> = sections
        .into_iter()
        .filter(|(_, views)| !views.is_empty())
        .map(|(name, views)| {
            (
                name.to_owned(),
                views
                    .iter()
                    .map(|view| wire.row(&[view::FIELDS], view, &columns))
                    .collect(),
            )
        })
        .collect();
    Ok(Answer::stamped(data, timestamp))
}

fn stamp(view: &View) -> Option<i64> {
    view.get("last_modified_utc").and_then(Value::as_i64)
}

/// Changed groupware folders of the whole tree, whatever `parent` says, then ids of those that have gone from sight.
fn updates(world: &World, call: &Call) -> Result<Answer, OxError> {
    let since = call.require_number("timestamp")?;
    let columns = call.columns()?;
    let wire = world.wire(&call.zone);
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    let mut timestamp = since;
    for folder in world.folders.iter().filter(|folder| folder.modified > since) {
        timestamp = timestamp.max(folder.modified);
        if world.rights(folder, call.user).see() {
            rows.push(wire.row(&[view::FIELDS], &view::groupware(world, call.user, folder), &columns));
        } else if folder.id >= 20 {
            gone.push(json!(folder.id.to_string()));
        }
    }
    if call.flag("mail") {
        let names = world
            .mailboxes
            .get(&call.user)
            .into_iter()
            .flat_map(|mailbox| mailbox.folders.keys());
        let views = names.filter_map(|name| view::mail(world, call.user, name));
        rows.extend(views.map(|view| wire.row(&[view::FIELDS], &view, &columns)));
    }
    for (id, stamp) in world.folders.tombstones.iter().filter(|(_, stamp)| *stamp > since) {
        timestamp = timestamp.max(*stamp);
        gone.push(json!(id.to_string()));
    }
    if !call.parameter("ignore").unwrap_or("").contains("deleted") {
        rows.extend(gone);
    }
    Ok(Answer::stamped(rows, timestamp))
}

/// Direct children of any kind of folder.
fn children(world: &World, user: u32, parent: &str) -> Result<Vec<View>, OxError> {
    if let Some(name) = full_name(parent) {
        let mailbox = world.mailboxes.get(&user).ok_or(MAIL_FOLDER_NOT_FOUND)?;
        if !name.is_empty() && !mailbox.folders.contains_key(name) {
            return Err(MAIL_FOLDER_NOT_FOUND.into());
        }
        let names = mailbox
            .folders
            .keys()
            .filter(|other| crate::mail::store::parent_of(other) == Some(name));
        return Ok(names.filter_map(|name| view::mail(world, user, name)).collect());
    }
    if let Some(owner) = parent.strip_prefix("u:") {
        let owner = owner.parse().map_err(|_| OxError::from(FOLDER_NO_STORAGE))?;
        return Ok(shared(world, user)
            .filter(|folder| folder.owner == Some(owner))
            .map(|folder| view::groupware(world, user, folder))
            .collect());
    }
    let id: u32 = parent.parse().map_err(|_| OxError::from(FOLDER_NO_STORAGE))?;
    if id == 3 {
        let mut owners: Vec<u32> = shared(world, user).filter_map(|folder| folder.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        return Ok(owners.into_iter().map(|owner| view::owner_node(world, owner)).collect());
    }
    let visible = world.folders.children(id).filter(|folder| {
        let foreign = folder.owner.is_some_and(|owner| owner != user);
        world.rights(folder, user).see() && !foreign
    });
    let mut views: Vec<View> = visible.map(|folder| view::groupware(world, user, folder)).collect();
    if id == 1 {
        views.extend(view::mail(world, user, ""));
    }
    Ok(views)
}

/// Folders of others that the user sees.
fn shared(world: &World, user: u32) -> impl Iterator<Item = &Folder> {
    world
        .folders
        .iter()
        .filter(move |folder| folder.owner.is_some_and(|owner| owner != user) && world.rights(folder, user).see())
}

/// Any folder by its id.
fn find(world: &World, user: u32, id: &str) -> Result<View, OxError> {
    if let Some(name) = full_name(id) {
        return view::mail(world, user, name).ok_or_else(|| MAIL_FOLDER_NOT_FOUND.into());
    }
    if let Some(owner) = id.strip_prefix("u:") {
        let owner = owner.parse().map_err(|_| OxError::from(FOLDER_NO_STORAGE))?;
        return Ok(view::owner_node(world, owner));
    }
    let number: u32 = id.parse().map_err(|_| OxError::from(FOLDER_NO_STORAGE))?;
    let folder = world.folders.get(number).ok_or(FOLDER_NOT_FOUND)?;
    if !world.rights(folder, user).see() {
        return Err(FOLDER_NOT_VISIBLE.into());
    }
    Ok(view::groupware(world, user, folder))
}

fn answer_rows(world: &World, call: &Call, views: Vec<View>) -> Result<Answer, OxError> {
    let columns: Vec<Column> = call.columns()?;
    let wire = world.wire(&call.zone);
    let timestamp = views.iter().filter_map(stamp).max();
    let rows: Vec<Value> = views
        .iter()
        .map(|view| wire.row(&[view::FIELDS], view, &columns))
        .collect();
    Ok(match timestamp {
        Some(timestamp) => Answer::stamped(rows, timestamp),
        None => Answer::data(rows),
    })
}

impl World {
    /// Folders of one content that a user sees.
    pub(crate) fn visible_folders(&self, user: u32, content: Content) -> impl Iterator<Item = &Folder> {
        self.folders
            .iter()
            .filter(move |folder| folder.content == content && self.rights(folder, user).see())
    }
}
