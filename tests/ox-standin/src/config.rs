//! Settings and permissions: `config`, `capabilities`, `jslob`, `quota`.
//!
//! Implements the config tree of the OX HTTP API as far as a sync client reads it, and the capabilities of newer servers.

use crate::call::Answer;
use crate::call::Call;
use crate::call::Method;
use crate::error::OxError;
use crate::folders::store::Content;
use crate::mail::store::default_folder;
use crate::mail::store::folder_id;
use crate::users::User;
use crate::world::CONTEXT;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Capabilities of a user with all permissions.
const CAPABILITIES: &[&str] = &[
    "webmail",
    "calendar",
    "contacts",
    "tasks",
    "infostore",
    "ical",
    "vcard",
    "mobility",
    "edit_public_folders",
    "read_create_shared_folders",
    "delegate_tasks",
    "edit_password",
    "collect_email_addresses",
    "multiple_mail_accounts",
    "active_sync",
    "usm",
    "olox20",
    "mailfilter",
    "gab",
];

/// `config/<path>`: reads a value or a whole branch; PUT writes the few writable ones.
pub(crate) fn config(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let path = call
        .module
        .strip_prefix("config")
        .unwrap_or("")
        .trim_matches('/')
        .to_owned();
    if path.is_empty() && call.action == "get_property" {
        let name = call.require("name")?;
        return Ok(Answer::data(json!({"name": name, "value": null})));
    }
    let writes = call.method == Method::Put;
    if writes {
        let value = call.json()?;
        let key = (call.user, path);
        world.settings.insert(key, value);
        return Ok(Answer::data(Value::Null));
    }
    if let Some(value) = world.settings.get(&(call.user, path.clone())) {
        return Ok(Answer::data(value.clone()));
    }
    let tree = tree(world, call.user).ok_or_else(unknown_setting)?;
    let mut value = &tree;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        value = value.get(name).ok_or_else(unknown_setting)?;
    }
    Ok(Answer::data(value.clone()))
}

fn unknown_setting() -> OxError {
    OxError::new("USS-0001", 8, "The setting could not be found.")
}

/// The branch `modules`: permissions and module settings.
pub(crate) fn modules(world: &World, user: u32) -> Value {
    tree(world, user)
        .and_then(|mut tree| tree.get_mut("modules").map(Value::take))
        .unwrap_or_default()
}

fn tree(world: &World, user: u32) -> Option<Value> {
    let user = world.user(user)?;
    let zone = world.zone_of(user.id);
    let now = world.clock.now();
    let mail = mail_settings(user);
    let mut mail_module = mail.clone();
    mail_module["module"] = json!(user.may("webmail"));
    mail_module["defaultFolder"] = mail["folder"].clone();
    Some(json!({
        "identifier": user.id,
        "context_id": CONTEXT,
        "contact_id": user.contact_id,
        "timezone": zone.name(),
        "language": user.locale,
        "serverVersion": world.profile().server_version(),
        "currentTime": zone.to_wire(now),
        "minimumSearchCharacters": world.options.minimum_search_characters,
        "availableModules": ["mail", "calendar", "contacts", "tasks", "infostore"],
        "folder": folders(world, user),
        "mail": mail,
        "participants": {"autoSearch": true, "maximumNumberParticipants": 0, "showWithoutEmail": true},
        "modules": {
            "mail": mail_module,
            "calendar": {"module": user.may("calendar"), "calendar_conflict": true, "calendar_freebusy": true,
                "calendar_teamview": true},
            "contacts": {"module": user.may("contacts")},
            "tasks": {"module": user.may("tasks"), "delegate_tasks": user.may("delegate_tasks")},
            "infostore": {"module": user.may("infostore")},
            "folder": {"public_folders": user.may("edit_public_folders"),
                "read_create_shared_folders": user.may("read_create_shared_folders"), "tree": 0},
            "interfaces": {"ical": user.may("ical"), "vcard": user.may("vcard"), "syncml": user.may("mobility")},
            "olox20": {"module": user.may("olox20")},
        },
    }))
}

/// Default folders; those of modules that the user lacks are absent.
fn folders(world: &World, user: &User) -> Value {
    let mut folders = Map::new();
    let contents = [Content::Tasks, Content::Calendar, Content::Contacts, Content::Infostore];
    for content in contents.into_iter().filter(|content| user.may(content.name())) {
        if let Some(id) = world.folders.default_of(user.id, content) {
            folders.insert(content.name().to_owned(), json!(id));
        }
    }
    folders.insert("eas".to_owned(), json!(true));
    Value::Object(folders)
}

fn mail_settings(user: &User) -> Value {
    let id = |key: &str| folder_id(default_folder(key));
    json!({
        "addresses": user.addresses,
        "defaultaddress": user.primary_address(),
        "sendaddress": user.primary_address(),
        "folder": {"inbox": id("inbox"), "drafts": id("drafts"), "sent": id("sent"), "trash": id("trash"),
            "spam": id("spam")},
        "harddelete": false,
        "nocopytosent": user.no_copy_to_sent,
        "vcard": false,
        "spambutton": true,
        "msgpreview": false,
    })
}

/// The module `capabilities`; `None` for an unknown action.
pub(crate) fn capabilities(world: &World, call: &Call) -> Result<Option<Answer>, OxError> {
    let user = world.user(call.user);
    let has = |id: &str| user.is_some_and(|user| user.may(id));
    let object = |id: &str| json!({"id": id, "attributes": {}});
    Ok(match call.action.as_str() {
        "all" => {
            let mine = CAPABILITIES.iter().filter(|id| has(id)).map(|id| object(id));
            Some(Answer::data(mine.collect::<Vec<Value>>()))
        }
        "get" => {
            let id = call.require("id")?;
            let known = CAPABILITIES.contains(&id) && has(id);
            Some(Answer::data(if known { object(id) } else { json!({}) }))
        }
        _ => None,
    })
}

/// The module `jslob`, reading only; `None` for an unknown action.
pub(crate) fn jslob(world: &World, call: &Call) -> Result<Option<Answer>, OxError> {
    let wanted: Vec<Value> = match call.action.as_str() {
        "all" => vec![json!("io.ox/core"), json!("io.ox/mail")],
        "list" => call.json_array()?,
        _ => return Ok(None),
    };
    let tree = tree(world, call.user).ok_or_else(unknown_setting)?;
    let objects = wanted.iter().map(|id| {
        let content = match id.as_str() {
            Some("io.ox/core") => json!({"folder": tree["folder"], "timezone": tree["timezone"]}),
            Some("io.ox/mail") => {
                json!({"defaultFolder": tree["mail"]["folder"], "defaultSendAddress": tree["mail"]["sendaddress"]})
            }
            _ => json!({}),
        };
        json!({"id": id, "tree": content, "meta": {}})
    });
    Ok(Some(Answer::data(objects.collect::<Vec<Value>>())))
}

/// The module `quota`; `None` for an unknown action.
pub(crate) fn quota(world: &World, call: &Call) -> Option<Answer> {
    match call.action.as_str() {
        "mail" => {
            let used = world
                .mailboxes
                .get(&call.user)
                .map_or(0, crate::mail::store::Mailbox::size);
            let quota = world.options.mail_quota;
            Some(Answer::data(
                json!({"quota": if quota == 0 { json!(-1) } else { json!(quota) }, "use": used}),
            ))
        }
        "filestore" => Some(Answer::data(json!({"quota": -1, "use": 0}))),
        "get" => Some(Answer::data(json!({"mail": {"display_name": "Mail", "accounts": []}}))),
        _ => None,
    }
}
