//! The module `attachment`: files at appointments, tasks and contacts.
//!
//! Implements the chapter "Attachments" of the OX HTTP API: attaching and detaching changes the object's stamp.

use crate::call::Answer;
use crate::call::Call;
use crate::call::id_of;
use crate::call::id_under;
use crate::error::JSON_SYNTAX;
use crate::error::NO_UPLOAD;
use crate::error::OxError;
use crate::fields::Column;
use crate::fields::Field;
use crate::fields::Kind;
use crate::fields::text;
use crate::pim::Attachment;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::errors::Errors;
use crate::pim::read;
use crate::pim::write;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Fields of attachments.
const FIELDS: &[Field] = &[
    Field::new(1, "id", Kind::Id),
    Field::new(2, "created_by", Kind::Number),
    Field::new(4, "creation_date", Kind::Time),
    Field::new(800, "folder", Kind::Id),
    Field::new(801, "attached", Kind::Id),
    Field::new(802, "module", Kind::Number),
    Field::text(803, "filename", 255),
    Field::new(804, "file_size", Kind::Number),
    Field::text(805, "file_mimetype", 255),
    Field::new(806, "rtf_flag", Kind::Bool),
];

/// Answers a call of the module; `None` for an unknown action.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "all" | "list" => rows(world, call)?,
        "updates" => updates(world, call)?,
        "get" => get(world, call)?,
        "document" => document(world, call)?,
        "attach" => attach(world, call)?,
        "detach" => detach(world, call)?,
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// The object that the parameters name.
struct Target {
    module: Module,
    folder: u32,
    id: u32,
}

impl Target {
    fn of(module: Option<i64>, folder: u32, id: u32) -> Result<Self, OxError> {
        let known = Module::ALL
            .into_iter()
            .find(|known| Some(i64::from(known.number())) == module);
        let module = known.ok_or_else(|| OxError::new("ATT-0100", 1, "Invalid module for attachments."))?;
        Ok(Self { module, folder, id })
    }

    fn named(call: &Call) -> Result<Self, OxError> {
        Self::of(
            call.number("module")?,
            call.require_id("folder")?,
            call.require_id("attached")?,
        )
    }

    fn object<'a>(&self, world: &'a World, user: u32) -> Result<&'a Object, OxError> {
        read::find(world, user, self.module, self.folder, self.id)
    }

    fn view(&self, attachment: &Attachment) -> Map<String, Value> {
        let values = [
            ("id", json!(attachment.id)),
            ("created_by", json!(attachment.created_by)),
            ("creation_date", json!(attachment.created)),
            ("folder", json!(self.folder)),
            ("attached", json!(self.id)),
            ("module", json!(self.module.number())),
            ("filename", json!(attachment.name)),
            ("file_size", json!(attachment.bytes.len())),
            ("file_mimetype", json!(attachment.content_type)),
            ("rtf_flag", json!(false)),
        ];
        values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// `all`, and `list` of the ids in the body.
fn rows(world: &World, call: &Call) -> Result<Answer, OxError> {
    let target = Target::named(call)?;
    let object = target.object(world, call.user)?;
    let columns: Vec<Column> = call.columns()?;
    let wire = world.wire(&call.zone);
    let row = |attachment: &Attachment| wire.row(&[FIELDS], &target.view(attachment), &columns);
    let data: Vec<Value> = if call.action == "list" {
        let ids: Vec<u32> = call.json_array()?.iter().filter_map(id_of).collect();
        ids.iter()
            .filter_map(|id| object.attachments.iter().find(|attachment| attachment.id == *id))
            .map(row)
            .collect()
    } else {
        object.attachments.iter().map(row).collect()
    };
    Ok(Answer::stamped(data, object.attachments_changed.unwrap_or(0)))
}

fn updates(world: &World, call: &Call) -> Result<Answer, OxError> {
    let target = Target::named(call)?;
    let since = call.require_number("timestamp")?;
    let object = target.object(world, call.user)?;
    let columns = call.columns()?;
    let wire = world.wire(&call.zone);
    let fresh = object
        .attachments
        .iter()
        .filter(|attachment| attachment.created > since);
    let data: Vec<Value> = fresh
        .map(|attachment| wire.row(&[FIELDS], &target.view(attachment), &columns))
        .collect();
    Ok(Answer::stamped(
        data,
        object.attachments_changed.unwrap_or(0).max(since),
    ))
}

fn one<'a>(object: &'a Object, call: &Call) -> Result<&'a Attachment, OxError> {
    let id = call.require_id("id")?;
    let found = object.attachments.iter().find(|attachment| attachment.id == id);
    found.ok_or_else(|| OxError::new("ATT-0405", 1, "The attachment could not be found."))
}

fn get(world: &World, call: &Call) -> Result<Answer, OxError> {
    let target = Target::named(call)?;
    let object = target.object(world, call.user)?;
    let attachment = one(object, call)?;
    let data = world.wire(&call.zone).object(&[FIELDS], &target.view(attachment));
    Ok(Answer::stamped(data, attachment.created))
}

fn document(world: &World, call: &Call) -> Result<Answer, OxError> {
    let target = Target::named(call)?;
    let attachment = one(target.object(world, call.user)?, call)?;
    let content_type = call
        .parameter("content_type")
        .unwrap_or(&attachment.content_type)
        .to_owned();
    Ok(Answer::Bytes {
        content_type,
        bytes: attachment.bytes.clone(),
    })
}

/// `attach`: pairs `json_0` and `file_0`, `json_1` and `file_1`, … without a gap.
fn attach(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let crate::call::Body::Parts(parts) = &call.body else {
        return Err(NO_UPLOAD.into());
    };
    let mut ids = Vec::new();
    let mut stamp = 0;
    for index in 0.. {
        let part = |kind: &str| parts.iter().find(|part| part.name == format!("{kind}_{index}"));
        let (Some(json), Some(file)) = (part("json"), part("file")) else {
            break;
        };
        let json: Value = serde_json::from_slice(&json.bytes).map_err(|_| OxError::from(JSON_SYNTAX))?;
        let folder = id_under(&json, &["folder"]).ok_or(JSON_SYNTAX)?;
        let attached = id_under(&json, &["attached"]).ok_or(JSON_SYNTAX)?;
        let target = Target::of(json.get("module").and_then(Value::as_i64), folder, attached)?;
        write::check_update(world, call.user, target.module, folder, attached, i64::MAX)?;
        let named = |key: &str| json.get(key).and_then(text);
        let name = named("filename").or_else(|| file.file_name.clone());
        let content_type = named("file_mimetype").or_else(|| file.content_type.clone());
        stamp = world.stamp();
        let attachment = Attachment {
            id: world.next_id("attachment"),
            name: name.unwrap_or_else(|| "attachment".to_owned()),
            content_type: content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            bytes: file.bytes.clone(),
            created: stamp,
            created_by: call.user,
        };
        ids.push(json!(attachment.id));
        touch(world, &target, call.user, |attachments| attachments.push(attachment))?;
    }
    if ids.is_empty() {
        Err(NO_UPLOAD.into())
    } else {
        Ok(Answer::stamped(ids, stamp))
    }
}

fn detach(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let target = Target::named(call)?;
    let ids: Vec<u32> = call.json_array()?.iter().filter_map(id_of).collect();
    write::check_update(world, call.user, target.module, target.folder, target.id, i64::MAX)?;
    touch(world, &target, call.user, |attachments| {
        attachments.retain(|attachment| !ids.contains(&attachment.id))
    })?;
    Ok(Answer::stamped("", world.stamp()))
}

/// Changes the attachments of an object, and with them its stamp.
fn touch(
    world: &mut World,
    target: &Target,
    user: u32,
    change: impl FnOnce(&mut Vec<Attachment>),
) -> Result<(), OxError> {
    let stamp = world.stamp();
    let not_found = Errors::of(target.module, world.profile()).not_found;
    let object = world.objects.get_mut(&(target.module, target.id)).ok_or(not_found)?;
    change(&mut object.attachments);
    object.attachments_changed = Some(stamp);
    object.touch(stamp, user);
    Ok(())
}
