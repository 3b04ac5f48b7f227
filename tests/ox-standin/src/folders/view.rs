//! Folders as a caller sees them: groupware folders, mail folders and the virtual owner nodes below "shared", in one form.
//!
//! Implements "Detailed folder data" of the OX HTTP API; one row per field.

use crate::fields::Field;
use crate::fields::Kind;
use crate::fields::Wire;
use crate::folders::store::ALL_RIGHTS;
use crate::folders::store::Folder;
use crate::folders::store::localized;
use crate::mail::store::DEFAULTS;
use crate::mail::store::flag;
use crate::mail::store::folder_id;
use crate::mail::store::last_name;
use crate::mail::store::parent_of;
use crate::profile::Profile;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Fields of folders.
pub(crate) const FIELDS: &[Field] = &[
    Field::new(1, "id", Kind::Json),
    Field::new(2, "created_by", Kind::Json),
    Field::new(3, "modified_by", Kind::Json),
    Field::new(4, "creation_date", Kind::Time),
    Field::new(5, "last_modified", Kind::Time),
    Field::new(6, "last_modified_utc", Kind::Stamp),
    Field::new(20, "folder_id", Kind::Json),
    Field::new(300, "title", Kind::Json),
    Field::new(301, "module", Kind::Json),
    Field::new(302, "type", Kind::Number),
    Field::new(304, "subfolders", Kind::Bool),
    Field::new(305, "own_rights", Kind::Number),
    Field::new(306, "permissions", Kind::Json),
    Field::new(307, "summary", Kind::Json),
    Field::new(308, "standard_folder", Kind::Bool),
    Field::new(309, "total", Kind::Number),
    Field::new(310, "new", Kind::Number),
    Field::new(311, "unread", Kind::Number),
    Field::new(312, "deleted", Kind::Number),
    Field::new(313, "capabilities", Kind::Number),
    Field::new(314, "subscribed", Kind::Bool),
    Field::new(315, "subscr_subflds", Kind::Bool),
    Field::new(316, "standard_folder_type", Kind::Number).since(Profile::V7_8),
    Field::new(317, "supported_capabilities", Kind::Json).since(Profile::V7_8),
    Field::new(318, "account_id", Kind::Json).since(Profile::V7_8),
];

/// `type`: whose folder it is.
const PRIVATE: u32 = 1;
const PUBLIC: u32 = 2;
const SHARED: u32 = 3;
const SYSTEM: u32 = 5;
/// Newer servers give mail folders a type of their own.
const MAIL: u32 = 7;

/// A view as object.
pub(crate) fn object(wire: &Wire, view: &Map<String, Value>) -> Value {
    Value::Object(wire.object(&[FIELDS], view))
}

/// A groupware folder.
pub(crate) fn groupware(world: &World, user: u32, folder: &Folder) -> Map<String, Value> {
    let rights = world.rights(folder, user);
    let locale = world.user(user).map_or("", |user| user.locale.as_str());
    let shared = folder.owner.is_some_and(|owner| owner != user);
    let own_default = folder.default && !shared;
    let parent = match folder.owner {
        Some(owner) if shared => format!("u:{owner}"),
        _ => folder.parent.to_string(),
    };
    let kind = match folder.owner {
        Some(_) if shared => SHARED,
        Some(_) => PRIVATE,
        None if folder.id < 20 && folder.content.name() == "system" => SYSTEM,
        None => PUBLIC,
    };
    let title = if shared && folder.default {
        shared_title(world, folder)
    } else {
        localized(locale, &folder.title).to_owned()
    };
    let children = world
        .folders
        .children(folder.id)
        .any(|child| world.rights(child, user).see());
    let permissions: Vec<Value> = folder
        .permissions
        .iter()
        .map(|permission| json!({"bits": permission.bits, "entity": permission.entity, "group": permission.group}))
        .collect();
    view([
        ("id", json!(folder.id.to_string())),
        ("created_by", json!(folder.created_by.to_string())),
        ("modified_by", json!(folder.modified_by.to_string())),
        ("creation_date", json!(folder.created)),
        ("last_modified", json!(folder.modified)),
        ("last_modified_utc", json!(folder.modified)),
        ("folder_id", json!(parent)),
        ("title", json!(title)),
        ("module", json!(folder.content.name())),
        ("type", json!(kind)),
        ("subfolders", json!(children || matches!(folder.id, 1..=3))),
        ("own_rights", json!(rights.0)),
        ("permissions", json!(permissions)),
        ("standard_folder", json!(own_default)),
        (
            "standard_folder_type",
            json!(if own_default { folder.content.standard_type() } else { 0 }),
        ),
        ("subscribed", json!(true)),
        ("subscr_subflds", json!(children)),
        ("supported_capabilities", json!(["permissions"])),
    ])
}

fn shared_title(world: &World, folder: &Folder) -> String {
    let owner = folder
        .owner
        .and_then(|owner| world.user(owner))
        .map(crate::users::User::display_name);
    format!("{}: {}", owner.unwrap_or_default(), folder.title)
}

/// The virtual node of an owner below "shared".
pub(crate) fn owner_node(world: &World, owner: u32) -> Map<String, Value> {
    let title = world.user(owner).map(crate::users::User::display_name);
    view([
        ("id", json!(format!("u:{owner}"))),
        ("created_by", json!(owner.to_string())),
        ("folder_id", json!("3")),
        ("title", json!(title)),
        ("module", json!("system")),
        ("type", json!(SYSTEM)),
        ("subfolders", json!(true)),
        ("own_rights", json!(1)),
        ("standard_folder", json!(false)),
        ("standard_folder_type", json!(0)),
        ("subscribed", json!(true)),
    ])
}

/// A mail folder by its full name; the empty name is the account's root.
pub(crate) fn mail(world: &World, user: u32, full_name: &str) -> Option<Map<String, Value>> {
    let mailbox = world.mailboxes.get(&user)?;
    let below = if full_name.is_empty() {
        String::new()
    } else {
        format!("{full_name}/")
    };
    let children = mailbox
        .folders
        .keys()
        .any(|name| *name != full_name && name.starts_with(&below));
    let kind = if world.profile() >= Profile::V7_8 {
        MAIL
    } else {
        PRIVATE
    };
    let locale = world.user(user).map_or("", |user| user.locale.as_str());
    let default = DEFAULTS.iter().find(|(name, _, _)| *name == full_name);
    let title = match default {
        _ if full_name.is_empty() => "E-Mail",
        Some((_, key, _)) => localized(locale, key),
        None => last_name(full_name),
    };
    let mut view = view([
        ("id", json!(folder_id(full_name))),
        (
            "folder_id",
            json!(parent_of(full_name).map_or_else(|| "1".to_owned(), folder_id)),
        ),
        ("title", json!(title)),
        ("module", json!("mail")),
        ("type", json!(kind)),
        ("subfolders", json!(children)),
        ("own_rights", json!(if full_name.is_empty() { 1 } else { ALL_RIGHTS })),
        (
            "permissions",
            json!([{"bits": ALL_RIGHTS, "entity": user, "group": false}]),
        ),
        ("standard_folder", json!(default.is_some())),
        ("standard_folder_type", json!(default.map_or(0, |(_, _, kind)| *kind))),
        ("capabilities", json!(0)),
        ("subscribed", json!(true)),
        ("subscr_subflds", json!(children)),
        ("account_id", json!("default0")),
    ]);
    if full_name.is_empty() {
        return Some(view);
    }
    let folder = mailbox.folders.get(full_name)?;
    let count = |bit: u32| folder.mails.values().filter(|mail| mail.flags & bit != 0).count();
    let unread = folder.mails.len() - count(flag::SEEN);
    let counters = [
        ("total", json!(folder.mails.len())),
        ("new", json!(count(flag::RECENT))),
        ("unread", json!(unread)),
        ("deleted", json!(count(flag::DELETED))),
        ("summary", json!(format!("({unread})"))),
        ("subscribed", json!(folder.subscribed)),
    ];
    view.extend(counters.map(|(key, value)| (key.to_owned(), value)));
    Some(view)
}

fn view<const N: usize>(values: [(&str, Value); N]) -> Map<String, Value> {
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
