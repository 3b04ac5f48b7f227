//! The module `infostore`: files in folders, for reading.
//!
//! Implements "Infostore / files" of the OX HTTP API: the actions `all` and `document`. Files come from the web user.

use crate::call::Answer;
use crate::call::Call;
use crate::error::FOLDER_NOT_FOUND;
use crate::error::FOLDER_NOT_VISIBLE;
use crate::error::OxError;
use crate::fields::Field;
use crate::fields::Kind;
use crate::folders::store::Content;
use crate::world::World;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

const FIELDS: &[Field] = &[
    Field::new(1, "id", Kind::Id),
    Field::new(2, "created_by", Kind::Number),
    Field::new(4, "creation_date", Kind::Time),
    Field::new(5, "last_modified", Kind::Time),
    Field::new(20, "folder_id", Kind::Id),
    Field::new(700, "title", Kind::Text(255)),
    Field::new(702, "filename", Kind::Text(255)),
    Field::new(703, "file_mimetype", Kind::Text(255)),
    Field::new(704, "file_size", Kind::Number),
    Field::new(705, "version", Kind::Number),
];

/// One file in its only version.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) folder: u32,
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) created_by: u32,
    pub(crate) stamp: i64,
}

/// Answers a call of the module; `None` for an unknown action.
pub(crate) fn handle(world: &World, call: &Call) -> Result<Option<Answer>, OxError> {
    Ok(match call.action.as_str() {
        "all" => Some(all(world, call)?),
        "document" => Some(document(world, call)?),
        _ => None,
    })
}

fn all(world: &World, call: &Call) -> Result<Answer, OxError> {
    let folder = call.require_id("folder")?;
    let columns = call.columns()?;
    check_readable(world, call.user, folder)?;
    let wire = world.wire(&call.zone);
    let files = world.files.iter().filter(|(_, file)| file.folder == folder);
    let rows: Vec<Value> = files
        .map(|(id, file)| wire.row(&[FIELDS], &view(*id, file), &columns))
        .collect();
    Ok(Answer::stamped(rows, world.stamp()))
}

fn document(world: &World, call: &Call) -> Result<Answer, OxError> {
    let id = call.require_id("id")?;
    let file = world.files.get(&id);
    let file = file.ok_or_else(|| OxError::new("IFO-0300", 8, "The file does not exist."))?;
    check_readable(world, call.user, file.folder)?;
    Ok(Answer::Bytes {
        content_type: file.content_type.clone(),
        bytes: file.bytes.clone(),
    })
}

fn check_readable(world: &World, user: u32, folder: u32) -> Result<(), OxError> {
    let folder = world.folders.get(folder).ok_or(FOLDER_NOT_FOUND)?;
    if folder.content != Content::Infostore || !world.rights(folder, user).read(true) {
        return Err(FOLDER_NOT_VISIBLE.into());
    }
    Ok(())
}

fn view(id: u32, file: &File) -> Map<String, Value> {
    let view = json!({
        "id": id,
        "created_by": file.created_by,
        "creation_date": file.stamp,
        "last_modified": file.stamp,
        "folder_id": file.folder,
        "title": file.name,
        "filename": file.name,
        "file_mimetype": file.content_type,
        "file_size": file.bytes.len(),
        "version": 1,
    });
    view.as_object().cloned().unwrap_or_default()
}
