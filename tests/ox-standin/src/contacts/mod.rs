//! The module `contacts`.
//!
//! Implements "Detailed contact data" of the OX HTTP API: pictures by upload and by base64, an error for updates that
//! change nothing, distribution lists, the global address book in folder 6. Searches are in `search`.

mod search;

use crate::call::Answer;
use crate::call::Body;
use crate::call::Call;
use crate::call::id_of;
use crate::error::NO_UPLOAD;
use crate::error::OxError;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::Picture;
use crate::pim::errors;
use crate::pim::read;
use crate::pim::write;
use crate::uids;
use crate::users::User;
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Answers a call of the module; `None` for an unknown action.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "all" => read::all(world, call, Module::Contacts)?,
        "list" => read::list(world, call, Module::Contacts)?,
        "get" => read::get(world, call, Module::Contacts)?,
        "updates" => read::updates(world, call, Module::Contacts)?,
        "new" => new(world, call)?,
        "update" => update(world, call)?,
        "delete" => write::delete(world, call, Module::Contacts)?,
        "search" => search::search(world, call)?,
        "advancedSearch" => search::advanced(world, call)?,
        "autocomplete" => search::autocomplete(world, call)?,
        "getuser" => user_contact(world, call)?,
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// Name and addresses of a user, for the global address book.
pub(crate) fn of_user(user: &User) -> Map<String, Value> {
    let mut fields = Map::new();
    let values = [
        ("display_name", user.display_name()),
        ("first_name", user.given_name.clone()),
        ("last_name", user.surname.clone()),
        ("email1", user.primary_address().to_owned()),
        ("uid", format!("user-{}@standin", user.id)),
    ];
    for (key, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
        fields.insert(key.to_owned(), Value::String(value));
    }
    fields.insert("user_id".to_owned(), json!(user.id));
    fields
}

/// Adds what is computed: the picture's columns and the size of a distribution list.
pub(crate) fn complete_view(world: &World, session: &str, object: &Object, view: &mut Map<String, Value>) {
    let picture = object.picture.as_ref();
    view.insert("number_of_images".to_owned(), json!(u8::from(picture.is_some())));
    if let Some(list) = object.fields.get("distribution_list").and_then(Value::as_array) {
        view.insert("number_of_distribution_list".to_owned(), json!(list.len()));
    }
    let Some(picture) = picture else { return };
    view.insert("image_last_modified".to_owned(), json!(picture.modified));
    view.insert("image1_content_type".to_owned(), json!(picture.content_type));
    if world.profile().picture_in_json() {
        let url = format!(
            "{}image/contact/picture?folder={}&id={}&session={session}&timestamp={}",
            world.options.prefix,
            object.folder(),
            object.id,
            picture.modified
        );
        view.insert("image1".to_owned(), json!(url));
        view.insert("image1_url".to_owned(), json!(url));
    } else {
        view.insert("image1".to_owned(), json!(STANDARD.encode(&picture.bytes)));
    }
}

/// The picture behind `image1_url`.
pub(crate) fn picture(world: &World, call: &Call) -> Result<Answer, OxError> {
    let (folder, id) = (call.require_id("folder")?, call.require_id("id")?);
    let object = read::find(world, call.user, Module::Contacts, folder, id)?;
    let picture = object
        .picture
        .as_ref()
        .ok_or_else(|| OxError::new("CON-0101", 1, "The contact has no image."))?;
    Ok(Answer::Bytes {
        content_type: picture.content_type.clone(),
        bytes: picture.bytes.clone(),
    })
}

/// A write in stored form, with what it does to the picture.
pub(crate) struct Write {
    pub(crate) fields: Map<String, Value>,
    pub(crate) picture: PictureChange,
}

/// What a write does to the picture.
pub(crate) enum PictureChange {
    Keep,
    Remove,
    Set { content_type: String, bytes: Bytes },
}

fn new(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    uids::check_body(world, call)?;
    let write = read_write(world, call)?;
    let (id, stamp) = create(world, call.user, write)?;
    Ok(Answer::stamped(json!({"id": world.wire(&call.zone).id(id)}), stamp))
}

/// Creates a contact from stored form; also used for the web user.
pub(crate) fn create(world: &mut World, user: u32, mut write: Write) -> Result<(u32, i64), OxError> {
    let folder = write.fields.remove("folder_id").as_ref().and_then(id_of);
    let folder = folder.ok_or_else(|| OxError::new("CON-0105", 1, "The folder of the contact is missing."))?;
    write::check_create(world, user, Module::Contacts, folder)?;
    let stamp = world.stamp();
    let mut object = Object::new(0, folder, stamp, user);
    object.fields = write.fields;
    apply_picture(&mut object, write.picture, stamp);
    check(world, user, &object)?;
    object.id = world.next_id(Module::Contacts.name());
    let id = object.id;
    world.options.uids.settle(Module::Contacts, id, &mut object.fields);
    world.objects.insert((Module::Contacts, id), object);
    Ok((id, stamp))
}

fn update(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let (id, folder) = (call.require_id("id")?, call.require_id("folder")?);
    let timestamp = call.require_number("timestamp")?;
    let write = read_write(world, call)?;
    let stamp = change(world, call.user, folder, id, timestamp, write)?;
    Ok(Answer::stamped(json!({}), stamp))
}

/// Changes a contact by a write in stored form; also used for the web user.
pub(crate) fn change(
    world: &mut World,
    user: u32,
    folder: u32,
    id: u32,
    timestamp: i64,
    mut write: Write,
) -> Result<i64, OxError> {
    write::check_update(world, user, Module::Contacts, folder, id, timestamp)?;
    let target = write
        .fields
        .remove("folder_id")
        .as_ref()
        .and_then(id_of)
        .filter(|target| *target != folder);
    if let Some(target) = target {
        write::check_move(world, user, Module::Contacts, id, folder, target)?;
    }
    let stamp = world.stamp();
    let old = read::find(world, user, Module::Contacts, folder, id)?;
    let mut object = old.clone();
    object.fields.extend(write.fields);
    object.fields.retain(|_, value| !value.is_null());
    apply_picture(&mut object, write.picture, stamp);
    if target.is_none() && object.fields == old.fields && object.picture == old.picture {
        return Err(OxError::new("CON-0122", 1, "No changes found. No update requested."));
    }
    check(world, user, &object)?;
    object.touch(stamp, user);
    world.objects.insert((Module::Contacts, id), object);
    if let Some(target) = target {
        world.transfer(Module::Contacts, id, folder, target);
    }
    Ok(stamp)
}

/// Fields and picture out of the request, whichever way the picture came.
fn read_write(world: &World, call: &Call) -> Result<Write, OxError> {
    let body = call.json_object()?;
    let fields = world.wire(&call.zone).read(&Module::Contacts.fields(), &body)?;
    if let Body::Parts(_) = call.body {
        let file = call.files().next().ok_or(NO_UPLOAD)?;
        let content_type = file.content_type.clone().unwrap_or_else(|| "image/jpeg".to_owned());
        let picture = checked_picture(content_type, file.bytes.clone())?;
        return Ok(Write { fields, picture });
    }
    let picture = match body.get("image1") {
        None => PictureChange::Keep,
        Some(_) if !world.profile().picture_in_json() => PictureChange::Keep,
        Some(Value::String(text)) if !text.is_empty() => {
            let bytes = STANDARD.decode(text).map_err(|_| bad_image())?;
            let content_type = body
                .get("image1_content_type")
                .and_then(Value::as_str)
                .unwrap_or("image/jpeg");
            checked_picture(content_type.to_owned(), bytes.into())?
        }
        Some(_) => PictureChange::Remove,
    };
    Ok(Write { fields, picture })
}

/// Refuses what does not begin like a JPEG, PNG, GIF or BMP.
fn checked_picture(content_type: String, bytes: Bytes) -> Result<PictureChange, OxError> {
    const LARGEST: usize = 4 * 1024 * 1024;
    const MAGIC: [&[u8]; 4] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM"];
    if bytes.len() > LARGEST {
        return Err(OxError::new("CON-0172", 1, "The image is too large."));
    }
    if !MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(bad_image());
    }
    Ok(PictureChange::Set { content_type, bytes })
}

fn bad_image() -> OxError {
    OxError::new("CON-0158", 1, "The image is broken or of an unsupported type.")
}

fn apply_picture(object: &mut Object, change: PictureChange, stamp: i64) {
    match change {
        PictureChange::Keep => {}
        PictureChange::Remove => object.picture = None,
        PictureChange::Set { content_type, bytes } => {
            let same = object.picture.as_ref().is_some_and(|old| old.bytes == bytes);
            if !same {
                object.picture = Some(Picture {
                    content_type,
                    bytes,
                    modified: stamp,
                });
            }
        }
    }
}

fn check(world: &World, user: u32, object: &Object) -> Result<(), OxError> {
    errors::check_lengths(Module::Contacts, world.profile(), &object.fields)?;
    let texts = object
        .fields
        .iter()
        .filter_map(|(key, value)| value.as_str().map(|text| (key, text)));
    for (key, text) in texts {
        // The database keeps three bytes a character.
        if text
            .chars()
            .any(|c| u32::from(c) > 0xffff || (c.is_control() && !matches!(c, '\n' | '\r' | '\t')))
        {
            return Err(OxError::new(
                "CON-0168",
                1,
                format!("Illegal character in field {key}."),
            ));
        }
    }
    for key in ["email1", "email2", "email3"] {
        let address = object.text(key);
        if !address.is_empty() && (!address.contains('@') || address.contains(['<', '>', ' '])) {
            return Err(OxError::new(
                "CON-0100",
                1,
                format!("Invalid e-mail address: {address}"),
            ));
        }
    }
    let folder = world.folders.get(object.folder());
    if object.truth("private_flag") && folder.is_some_and(|folder| folder.owner != Some(user)) {
        return Err(OxError::new(
            "CON-0171",
            1,
            "Private contacts are allowed in private folders only.",
        ));
    }
    let list = object.fields.get("distribution_list").and_then(Value::as_array);
    let nameless = |member: &Value| member.get("mail").and_then(Value::as_str).is_none_or(str::is_empty);
    if list.is_some_and(|members| members.iter().any(nameless)) {
        return Err(OxError::new(
            "CON-0177",
            1,
            "A member of the distribution list has no address.",
        ));
    }
    Ok(())
}

/// `getuser`: the contact of a user.
fn user_contact(world: &World, call: &Call) -> Result<Answer, OxError> {
    let id = call.require_id("id")?;
    let not_found = errors::Errors::of(Module::Contacts, world.profile()).not_found;
    let contact = world.user(id).map(|user| user.contact_id).ok_or(not_found)?;
    let object = world.objects.get(&(Module::Contacts, contact)).ok_or(not_found)?;
    let view = read::view(world, call, Module::Contacts, object, object.folder());
    Ok(Answer::stamped(
        world.wire(&call.zone).object(&Module::Contacts.fields(), &view),
        object.modified,
    ))
}
