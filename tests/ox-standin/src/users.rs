//! Users, groups and resources of the context, and the modules that list them (`user`, `group`, `resource`).
//!
//! Implements the chapters "User", "Group" and "Resource" of the OX HTTP API as far as a sync client reads them.

use crate::call::Answer;
use crate::call::Call;
use crate::call::id_of;
use crate::error::OxError;
use crate::fields::Column;
use crate::fields::contacts;
use crate::fields::text;
use crate::pim::Module;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// A user of the server.
#[derive(Clone, Debug)]
pub struct User {
    pub(crate) id: u32,
    pub(crate) login: String,
    pub(crate) password: String,
    pub(crate) given_name: String,
    pub(crate) surname: String,
    /// Own addresses, the primary one first.
    pub(crate) addresses: Vec<String>,
    pub(crate) locale: String,
    pub(crate) zone: Option<String>,
    /// Capabilities taken away.
    pub(crate) denied: Vec<String>,
    /// No copy of sent mail is kept.
    pub(crate) no_copy_to_sent: bool,
    pub(crate) contact_id: u32,
}

impl User {
    /// A user who logs in with `login` and `password`; named after the login, at `example.com`, with all capabilities.
    pub fn new(id: u32, login: &str, password: &str) -> Self {
        let mut given_name = login.to_owned();
        if let Some(first) = given_name.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        Self {
            id,
            login: login.to_owned(),
            password: password.to_owned(),
            given_name,
            surname: String::new(),
            addresses: vec![format!("{login}@example.com")],
            locale: "de_DE".to_owned(),
            zone: None,
            denied: Vec::new(),
            no_copy_to_sent: false,
            contact_id: 0,
        }
    }

    /// Given name and surname.
    pub fn name(mut self, given_name: &str, surname: &str) -> Self {
        given_name.clone_into(&mut self.given_name);
        surname.clone_into(&mut self.surname);
        self
    }

    /// One more address of the user's own.
    pub fn address(mut self, address: &str) -> Self {
        self.addresses.push(address.to_owned());
        self
    }

    /// Locale of the titles of folders: `de_DE` (default) or `en_US`.
    pub fn locale(mut self, locale: &str) -> Self {
        locale.clone_into(&mut self.locale);
        self
    }

    /// A zone other than the server's.
    pub fn zone(mut self, zone: &str) -> Self {
        self.zone = Some(zone.to_owned());
        self
    }

    /// Takes a capability away: `tasks`, `webmail`, `active_sync`, …
    pub fn without(mut self, capability: &str) -> Self {
        self.denied.push(capability.to_owned());
        self
    }

    /// Switches the setting that keeps no copy of sent mail on.
    pub fn no_copy_to_sent(mut self) -> Self {
        self.no_copy_to_sent = true;
        self
    }

    pub(crate) fn display_name(&self) -> String {
        if self.surname.is_empty() {
            self.given_name.clone()
        } else {
            format!("{}, {}", self.surname, self.given_name)
        }
    }

    pub(crate) fn primary_address(&self) -> &str {
        self.addresses.first().map_or("", String::as_str)
    }

    pub(crate) fn may(&self, capability: &str) -> bool {
        !self.denied.iter().any(|denied| denied == capability)
    }
}

/// A group of users.
#[derive(Clone, Debug)]
pub struct Group {
    /// Group id; 0 holds everybody.
    pub id: u32,
    /// Display name.
    pub name: String,
    /// User ids.
    pub members: Vec<u32>,
}

/// Something that can be booked.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Resource id.
    pub id: u32,
    /// Display name.
    pub name: String,
    /// Its mail address.
    pub address: String,
}

/// The module `user`.
pub(crate) fn user(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "get" | "me" | "" => {
            let id = if call.action == "get" { call.number("id")? } else { None };
            let id = id.map_or(Some(call.user), |id| u32::try_from(id).ok());
            let user = id.and_then(|id| world.user(id)).ok_or_else(unknown_user)?;
            Answer::stamped(Value::Object(user_object(world, user)), world.clock.now())
        }
        "all" | "search" => {
            let pattern = if call.action == "search" {
                search_pattern(call)?
            } else {
                String::new()
            };
            let columns = call.columns()?;
            let users = world
                .users
                .iter()
                .filter(|user| matches(&user.display_name(), &pattern));
            rows(world, users, &columns)
        }
        "list" => {
            let columns = call.columns()?;
            let ids = call.json_array()?;
            let users = ids
                .iter()
                .filter_map(|id| id_of(id.get("id").unwrap_or(id)))
                .filter_map(|id| world.user(id));
            rows(world, users, &columns)
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// The module `group`.
pub(crate) fn group(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let object = |group: &Group| {
        json!({"id": group.id, "name": group.name, "display_name": group.name, "members": group.members,
               "last_modified_utc": 0})
    };
    list_action(call, &world.groups, |group| group.id, |group| &group.name, object)
}

/// The module `resource`.
pub(crate) fn resource(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let object = |resource: &Resource| {
        json!({"id": resource.id, "name": resource.name, "display_name": resource.name,
               "mailaddress": resource.address, "availability": true})
    };
    list_action(
        call,
        &world.resources,
        |resource| resource.id,
        |resource| &resource.name,
        object,
    )
}

/// The reading actions that groups and resources share; their answers are arrays of objects.
fn list_action<T>(
    call: &Call,
    all: &[T],
    id: impl Fn(&T) -> u32,
    name: impl Fn(&T) -> &String,
    object: impl Fn(&T) -> Value,
) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "all" => all.iter().map(object).collect(),
        "search" => {
            let pattern = search_pattern(call)?;
            all.iter()
                .filter(|entry| matches(name(entry), &pattern))
                .map(object)
                .collect()
        }
        "list" => {
            let ids: Vec<u32> = call
                .json_array()?
                .iter()
                .filter_map(|entry| id_of(entry.get("id").unwrap_or(entry)))
                .collect();
            ids.iter()
                .filter_map(|wanted| all.iter().find(|entry| id(entry) == *wanted))
                .map(object)
                .collect()
        }
        "get" => {
            let wanted = call.require_id("id")?;
            all.iter()
                .find(|entry| id(entry) == wanted)
                .map(object)
                .ok_or_else(unknown_user)?
        }
        _ => return Ok(None),
    };
    Ok(Some(Answer::stamped(answer, 0)))
}

fn rows<'a>(world: &World, users: impl Iterator<Item = &'a User>, columns: &[Column]) -> Answer {
    let rows: Vec<Value> = users
        .map(|user| {
            let object = user_object(world, user);
            columns.iter().map(|column| cell(&object, column)).collect()
        })
        .collect();
    Answer::stamped(rows, world.clock.now())
}

/// Columns of users beside those of contacts; their numbers differ from the contacts' own.
const USER_COLUMNS: &[(u32, &str)] = &[
    (1, "id"),
    (20, "folder_id"),
    (610, "aliases"),
    (611, "timezone"),
    (612, "locale"),
    (613, "groups"),
    (614, "contact_id"),
    (615, "login_info"),
];

fn cell(object: &Map<String, Value>, column: &Column) -> Value {
    let Column::Number(number) = column else {
        return Value::Null;
    };
    let own = USER_COLUMNS
        .iter()
        .find(|(column, _)| column == number)
        .map(|(_, key)| *key);
    let contact = || {
        contacts::FIELDS
            .iter()
            .find(|field| field.column == *number)
            .map(|field| field.key)
    };
    own.or_else(contact)
        .and_then(|key| object.get(key))
        .cloned()
        .unwrap_or_default()
}

fn user_object(world: &World, user: &User) -> Map<String, Value> {
    let contact = world.objects.get(&(Module::Contacts, user.contact_id));
    let mut object = contact.map(|contact| contact.fields.clone()).unwrap_or_default();
    let groups: Vec<u32> = world
        .groups
        .iter()
        .filter(|group| group.members.contains(&user.id))
        .map(|group| group.id)
        .collect();
    let own = [
        ("id", json!(user.id)),
        ("folder_id", json!(6)),
        ("aliases", json!(user.addresses)),
        ("timezone", json!(world.zone_of(user.id).name())),
        ("locale", json!(user.locale)),
        ("groups", json!(groups)),
        ("contact_id", json!(user.contact_id)),
        ("login_info", json!(user.login)),
        ("creation_date", json!(contact.map(|contact| contact.created))),
    ];
    for (key, value) in own {
        object.insert(key.to_owned(), value);
    }
    object
}

fn search_pattern(call: &Call) -> Result<String, OxError> {
    Ok(call.json_object()?.get("pattern").and_then(text).unwrap_or_default())
}

/// Whether a name holds the pattern; `*` on its own matches all.
fn matches(name: &str, pattern: &str) -> bool {
    let bare = pattern.trim_matches('*').to_lowercase();
    name.to_lowercase().contains(&bare)
}

fn unknown_user() -> OxError {
    OxError::new("USR-0010", 8, "Cannot find user.")
}
