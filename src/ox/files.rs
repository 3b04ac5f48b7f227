//! Files: the folders of the infostore, what is in them, and their content.
//!
//! For reading only. Implements the API documentation, "Module infostore" and, of "Module folders", the actions "allVisible"
//! and "list".

use std::collections::HashMap;

use serde_json::Value;

use crate::ox::Object;
use crate::ox::Rights;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::common;
use crate::ox::columns::files;
use crate::ox::columns::folders;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::items;
use crate::ox::refusals::Feature;
use crate::ox::reply::Download;
use crate::ox::session::Session;
use crate::ox::tree;

/// What these folders hold, and the folder above all of them.
const MODULE: &str = "infostore";
const ROOT: &str = "9";

/// Folders without readable files that lie above one another, at most.
const DEEPEST: usize = 32;

const FOLDER_COLUMNS: &[ColumnName] = &[
    folders::ID.name(),
    folders::FOLDER_ID.name(),
    folders::TITLE.name(),
    folders::SUBFOLDERS.name(),
    folders::OWN_RIGHTS.name(),
    common::CREATION_DATE.name(),
    common::LAST_MODIFIED.name(),
];

const FILE_COLUMNS: &[ColumnName] = &[
    common::ID.name(),
    common::CREATION_DATE.name(),
    common::LAST_MODIFIED.name(),
    files::FILENAME.name(),
    files::FILE_MIMETYPE.name(),
    files::FILE_SIZE.name(),
];

/// A folder of files that the user may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFolder {
    pub id: String,
    /// The folder above it: another of the list, or one that is not.
    pub parent: String,
    pub title: String,
    /// Milliseconds since 1970, UTC.
    pub created: Option<i64>,
    pub modified: Option<i64>,
}

/// A file, in its current version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub id: String,
    pub name: String,
    pub content_type: String,
    /// Bytes.
    pub size: Option<i64>,
    /// Milliseconds since 1970, UTC.
    pub created: Option<i64>,
    pub modified: Option<i64>,
}

/// All folders with files that the user can read. Where one above is closed, those below it move up.
pub async fn file_folders(session: &Session) -> Result<Vec<FileFolder>, Error> {
    let rows = match all_visible(session).await? {
        Some(rows) => rows,
        None => tree::below(session, &[ROOT], MODULE, FOLDER_COLUMNS).await?,
    };
    let (kept, closed): (Vec<_>, Vec<_>) = rows.iter().filter_map(folder).partition(|(_, open)| *open);
    let above: HashMap<String, String> = closed
        .into_iter()
        .map(|(folder, _)| (folder.id, folder.parent))
        .collect();
    let mut folders: Vec<FileFolder> = kept.into_iter().map(|(folder, _)| folder).collect();
    for folder in &mut folders {
        for _ in 0..DEEPEST {
            match above.get(&folder.parent) {
                Some(parent) => folder.parent.clone_from(parent),
                None => break,
            }
        }
    }
    Ok(folders)
}

/// At once; nothing on servers that do not know the action.
async fn all_visible(session: &Session) -> Result<Option<Vec<Object>>, Error> {
    let refusals = session.ox().refusals();
    if refusals.has(Feature::AllVisible) {
        return Ok(None);
    }
    let call = Call::get("folders", "allVisible")
        .with("content_type", MODULE)
        .with("tree", 0)
        .with("all", 1)
        .with_columns(FOLDER_COLUMNS);
    let sections = match session.call(&call).await {
        Ok(reply) => match reply.data {
            Value::Object(sections) => sections,
            _ => serde_json::Map::new(),
        },
        Err(error) if error.kind == ErrorKind::Unsupported => {
            log::debug!("{error}; this server lists folders level by level");
            refusals.remember(Feature::AllVisible);
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let rows = sections
        .into_iter()
        .flat_map(|(_, section)| rows(section, FOLDER_COLUMNS));
    Ok(Some(rows.collect()))
}

/// The files in a folder.
pub async fn files(session: &Session, folder: &str) -> Result<Vec<File>, Error> {
    let call = Call::get("infostore", "all")
        .with("folder", folder)
        .with_columns(FILE_COLUMNS);
    let reply = session.call(&call).await?;
    Ok(rows(reply.data, FILE_COLUMNS).filter_map(|row| file(&row)).collect())
}

/// The content of a file, of no more than so many bytes.
pub async fn download(session: &Session, folder: &str, id: &str, limit: usize) -> Result<Download, Error> {
    let call = Call::get("infostore", "document")
        .with("folder", folder)
        .with("id", id)
        .with("delivery", "download");
    session.download(&call, limit).await
}

fn rows(data: Value, columns: &'static [ColumnName]) -> impl Iterator<Item = Object> {
    let rows = match data {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    };
    items::objects(columns, rows)
}

/// A folder, and whether its files can be read.
fn folder(row: &Object) -> Option<(FileFolder, bool)> {
    let rights = row.number(folders::OWN_RIGHTS).unwrap_or_default();
    let folder = FileFolder {
        id: row.id(folders::ID)?,
        parent: row.id(folders::FOLDER_ID).unwrap_or_default(),
        title: row.text(folders::TITLE)?.to_owned(),
        created: row.time(common::CREATION_DATE),
        modified: row.time(common::LAST_MODIFIED),
    };
    Some((folder, Rights(u32::try_from(rights).unwrap_or_default()).can_read()))
}

/// An entry without a file, which is a mere note, is none.
fn file(row: &Object) -> Option<File> {
    let name = row.text(files::FILENAME).filter(|name| !name.is_empty())?;
    Some(File {
        id: row.id(common::ID)?,
        name: name.to_owned(),
        content_type: row
            .text(files::FILE_MIMETYPE)
            .unwrap_or("application/octet-stream")
            .to_owned(),
        size: row.number(files::FILE_SIZE),
        created: row.time(common::CREATION_DATE),
        modified: row.time(common::LAST_MODIFIED),
    })
}
