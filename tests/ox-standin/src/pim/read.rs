//! Reading of objects: `all`, `list`, `get` and `updates` for tasks and contacts, and the steps the calendar shares.
//!
//! Implements "updates" of the OX HTTP API with its differences by module: what a missing `ignore` means, and which
//! timestamp comes back.

use crate::calendar;
use crate::call::Answer;
use crate::call::Call;
use crate::call::id_under;
use crate::contacts;
use crate::error::FOLDER_NOT_FOUND;
use crate::error::FOLDER_NOT_VISIBLE;
use crate::error::OxError;
use crate::fields::Column;
use crate::folders::store::Folder;
use crate::folders::store::Rights;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::errors::Errors;
use crate::uids;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::cmp::Ordering;

/// A folder that the caller opens for objects of `module`.
pub(crate) fn open(world: &World, user: u32, module: Module, folder: u32) -> Result<(&Folder, Rights), OxError> {
    let found = world.folders.get(folder).ok_or(FOLDER_NOT_FOUND)?;
    let rights = world.rights(found, user);
    let errors = Errors::of(module, world.profile());
    if !rights.see() {
        let known = if module == Module::Contacts {
            errors.no_read
        } else {
            FOLDER_NOT_VISIBLE
        };
        return Err(known.into());
    }
    if found.content != module.content() {
        return Err(errors.wrong_folder.into());
    }
    Ok((found, rights))
}

/// Objects of a folder that the caller may read, in order of their ids.
pub(crate) fn readable(world: &World, user: u32, module: Module, folder: u32) -> Result<Vec<&Object>, OxError> {
    let (found, rights) = open(world, user, module, folder)?;
    if !rights.read(true) {
        return Err(Errors::of(module, world.profile()).no_read.into());
    }
    let objects = world.objects_in(module, folder);
    Ok(objects.filter(|object| may_read(object, user, found, rights)).collect())
}

/// Whether the folder's rights and the private flag let the caller see an object (of the calendar: anonymised at least).
fn may_read(object: &Object, user: u32, folder: &Folder, rights: Rights) -> bool {
    let own = object.created_by == user;
    let private = object.truth("private_flag") && folder.owner != Some(user) && !own;
    rights.read(own) && !private
}

/// One object in one folder, as far as the caller may read it.
pub(crate) fn find(world: &World, user: u32, module: Module, folder: u32, id: u32) -> Result<&Object, OxError> {
    let (_, rights) = open(world, user, module, folder)?;
    let errors = Errors::of(module, world.profile());
    let object = world.objects.get(&(module, id)).ok_or(errors.not_found)?;
    if !object.folders.contains(&folder) || world.ghosts.contains(&(module, id)) {
        return Err(errors.not_found.into());
    }
    if !rights.read(object.created_by == user) {
        return Err(errors.no_read.into());
    }
    Ok(object)
}

/// An object as the caller sees it in a folder: all fields by key, times in UTC.
pub(crate) fn view(world: &World, call: &Call, module: Module, object: &Object, folder: u32) -> Map<String, Value> {
    let mut view = object.fields.clone();
    let common = [
        ("id", json!(object.id)),
        ("folder_id", json!(folder)),
        ("created_by", json!(object.created_by)),
        ("modified_by", json!(object.modified_by)),
        ("creation_date", json!(object.created)),
        ("last_modified", json!(object.modified)),
        ("last_modified_utc", json!(object.modified)),
        ("number_of_attachments", json!(object.attachments.len())),
        ("lastModifiedOfNewestAttachmentUTC", json!(object.attachments_changed)),
    ];
    for (key, value) in common {
        view.insert(key.to_owned(), value);
    }
    match module {
        Module::Calendar => calendar::complete_view(world, call.user, object, &mut view),
        Module::Contacts => contacts::complete_view(world, &call.session, object, &mut view),
        Module::Tasks => {}
    }
    view
}

/// Rows of objects, sorted and limited as asked.
pub(crate) fn rows(
    world: &World,
    call: &Call,
    module: Module,
    objects: &[&Object],
    folder: u32,
) -> Result<Vec<Value>, OxError> {
    let columns = columns(world, call, module)?;
    let views = objects
        .iter()
        .map(|object| view(world, call, module, object, folder))
        .collect();
    let views = call.limited(sorted(call, module, views)?)?;
    let wire = world.wire(&call.zone);
    Ok(views
        .iter()
        .map(|view| wire.row(&module.fields(), view, &columns))
        .collect())
}

/// Sorts views by the parameters `sort` and `order`, which must come together.
pub(crate) fn sorted(
    call: &Call,
    module: Module,
    mut views: Vec<Map<String, Value>>,
) -> Result<Vec<Map<String, Value>>, OxError> {
    let Some(sort) = call.number("sort")? else {
        return Ok(views);
    };
    let descending = call.require("order")?.eq_ignore_ascii_case("desc");
    let wanted = u32::try_from(sort).unwrap_or(0);
    let Some(field) = module
        .fields()
        .iter()
        .copied()
        .flatten()
        .find(|field| field.column == wanted)
    else {
        return Ok(views);
    };
    views.sort_by(|a, b| {
        let order = compare(a.get(field.key), b.get(field.key));
        if descending { order.reverse() } else { order }
    });
    Ok(views)
}

/// Numbers by value, texts without regard to case, missing values first.
pub(crate) fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let rank = |value: Option<&Value>| match value {
        None | Some(Value::Null) => 0,
        Some(Value::Number(_) | Value::Bool(_)) => 1,
        Some(_) => 2,
    };
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Some(Value::String(a)), Some(Value::String(b))) => a.to_lowercase().cmp(&b.to_lowercase()),
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// The asked columns; newer servers know the aliases `all` and `list`.
pub(crate) fn columns(world: &World, call: &Call, module: Module) -> Result<Vec<Column>, OxError> {
    let text = call.require("columns")?;
    let known = matches!(text, "all" | "list") && !world.profile().module_prefixes();
    if !known {
        let columns = call.columns()?;
        uids::check_columns(world, module, &columns)?;
        return Ok(columns);
    }
    Ok(Column::list(match module {
        Module::Calendar => "1,20,207,206,2",
        Module::Tasks => "1,20,2,5",
        Module::Contacts => "20,1,5,2,602",
    }))
}

/// `all`: rows of one folder, with the newest stamp among them.
pub(crate) fn all(world: &World, call: &Call, module: Module) -> Result<Answer, OxError> {
    let folder = call.require_id("folder")?;
    let objects = readable(world, call.user, module, folder)?;
    let timestamp = objects.iter().map(|object| object.modified).max().unwrap_or(0);
    Ok(Answer::stamped(rows(world, call, module, &objects, folder)?, timestamp))
}

/// `get`: one object.
pub(crate) fn get(world: &World, call: &Call, module: Module) -> Result<Answer, OxError> {
    let folder = call.require_id("folder")?;
    let object = find(world, call.user, module, folder, call.require_id("id")?)?;
    let view = view(world, call, module, object, folder);
    Ok(Answer::stamped(
        world.wire(&call.zone).object(&module.fields(), &view),
        object.modified,
    ))
}

/// `list`: rows of named objects in the order asked; those that have gone are left out.
pub(crate) fn list(world: &World, call: &Call, module: Module) -> Result<Answer, OxError> {
    let columns = columns(world, call, module)?;
    let wire = world.wire(&call.zone);
    let mut rows = Vec::new();
    let mut timestamp = 0;
    for entry in call.json_array()? {
        let (Some(id), Some(folder)) = (id_under(&entry, &["id"]), id_under(&entry, &["folder", "folder_id"])) else {
            continue;
        };
        let Ok(object) = find(world, call.user, module, folder, id) else {
            continue;
        };
        timestamp = timestamp.max(object.modified);
        rows.push(wire.row(&module.fields(), &view(world, call, module, object, folder), &columns));
    }
    Ok(Answer::stamped(rows, timestamp))
}

/// `updates`: rows of what changed after `timestamp`, then bare ids of what has gone since.
pub(crate) fn updates(world: &World, call: &Call, module: Module) -> Result<Answer, OxError> {
    let folder = call.require_id("folder")?;
    let since = call.require_number("timestamp")?;
    let hidden = ignored(world, call, module);
    let mut objects = readable(world, call.user, module, folder)?;
    objects.retain(|object| object.modified > since && !hidden.changed);
    let newest = objects.iter().map(|object| object.modified).max().unwrap_or(0);
    let mut data = rows(world, call, module, &objects, folder)?;
    let gone = if hidden.deleted {
        Vec::new()
    } else {
        tombstones(world, module, folder, since)
    };
    let newest_gone = gone.iter().map(|(_, stamp)| *stamp).max().unwrap_or(0);
    data.extend(gone.iter().map(|(id, _)| world.wire(&call.zone).id(*id)));
    // Contacts of newer servers report the newest returned object, even if that is nothing at all.
    let forgets = module == Module::Contacts && !world.profile().contacts_ignore_deleted();
    let timestamp = if forgets {
        newest
    } else {
        newest.max(newest_gone).max(since)
    };
    Ok(Answer::stamped(data, timestamp))
}

/// What `updates` leaves out.
struct Ignored {
    changed: bool,
    deleted: bool,
}

/// The parameter `ignore`; when it is missing, some modules hide deletions.
fn ignored(world: &World, call: &Call, module: Module) -> Ignored {
    let Some(text) = call.parameter("ignore") else {
        let deleted = match module {
            Module::Calendar => false,
            Module::Tasks => true,
            Module::Contacts => world.profile().contacts_ignore_deleted(),
        };
        return Ignored {
            changed: false,
            deleted,
        };
    };
    Ignored {
        changed: module == Module::Calendar && text.contains("changed"),
        deleted: text.contains("deleted"),
    }
}

/// Ids that have gone from a folder since, oldest first, each once with its latest stamp.
pub(crate) fn tombstones(world: &World, module: Module, folder: u32, since: i64) -> Vec<(u32, i64)> {
    let mut gone: Vec<(u32, i64)> = Vec::new();
    let here = world
        .tombstones
        .iter()
        .filter(|stone| stone.module == module && stone.folder == folder);
    for stone in here.filter(|stone| stone.stamp > since) {
        match gone.iter_mut().find(|(id, _)| *id == stone.id) {
            Some((_, stamp)) => *stamp = stone.stamp.max(*stamp),
            None => gone.push((stone.id, stone.stamp)),
        }
    }
    gone
}

impl World {
    /// Groups of a user; everybody is in group 0.
    pub(crate) fn groups_of(&self, user: u32) -> Vec<u32> {
        let mine = self.groups.iter().filter(|group| group.members.contains(&user));
        std::iter::once(0).chain(mine.map(|group| group.id)).collect()
    }

    /// What a user may do in a folder.
    pub(crate) fn rights(&self, folder: &Folder, user: u32) -> Rights {
        let hidden = folder.id == crate::folders::store::GLOBAL_ADDRESS_BOOK && !self.options.global_address_book;
        if hidden {
            Rights(0)
        } else {
            folder.rights(user, &self.groups_of(user))
        }
    }

    /// Objects of a folder in order of their ids.
    pub(crate) fn objects_in(&self, module: Module, folder: u32) -> impl Iterator<Item = &Object> {
        let range = self.objects.range((module, 0)..=(module, u32::MAX));
        range
            .map(|(_, object)| object)
            .filter(move |object| object.folders.contains(&folder))
    }
}
