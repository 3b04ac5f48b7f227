//! The tree of folders on servers that do not list it at once: level by level.
//!
//! What the folders are is up to the caller. Implements the API documentation, "Module folders", action "list": "before
//! 6.18.2 recursively".

use std::collections::HashSet;

use serde_json::Value;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::folders;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::items::objects;
use crate::ox::multiple::multiple;
use crate::ox::session::Session;

/// How deep folders are followed.
pub(super) const MAX_DEPTH: usize = 32;

/// All folders below these that hold what belongs to these modules, each once; one HTTP request a level. Those whose
/// children the user may not list have none; an error, if none may be listed.
pub(super) async fn below(
    session: &Session,
    roots: &[&str],
    modules: &str,
    columns: &'static [ColumnName],
) -> Result<Vec<Object>, Error> {
    let mut parents: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
    let mut seen: HashSet<String> = parents.iter().cloned().collect();
    let mut found = Vec::new();
    let (mut is_listed, mut refusal) = (false, None);
    for _ in 0..MAX_DEPTH {
        let calls: Vec<Call> = parents
            .iter()
            .map(|parent| children(parent, modules, columns))
            .collect();
        parents.clear();
        for outcome in multiple(session, &calls).await? {
            let rows = match outcome {
                Ok(reply) => {
                    is_listed = true;
                    reply.data
                }
                Err(error) if matches!(error.kind, ErrorKind::PermissionDenied | ErrorKind::NotFound) => {
                    refusal = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            for folder in objects(columns, array(rows)) {
                let Some(id) = folder.id(folders::ID).filter(|id| seen.insert(id.clone())) else {
                    continue;
                };
                if folder.flag(folders::SUBFOLDERS) != Some(false) {
                    parents.push(id);
                }
                found.push(folder);
            }
        }
    }
    match refusal {
        Some(error) if !is_listed => Err(error),
        _ => Ok(found),
    }
}

fn children(parent: &str, modules: &str, columns: &[ColumnName]) -> Call {
    Call::get("folders", "list")
        .with("parent", parent)
        .with("tree", 0)
        .with("all", 1)
        .with("allowed_modules", modules)
        .with_columns(columns)
}

fn array(rows: Value) -> Vec<Value> {
    match rows {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    }
}
