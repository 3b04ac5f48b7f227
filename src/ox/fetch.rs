//! Whole appointments, contacts and tasks, many at once.
//!
//! Rows of a list are matched by id, never by position: old servers keep no order, and leave out what is gone or refuse
//! the whole list because of it. One broken object never fails the others: what a list cannot give is asked for one by one,
//! though still in one request. Implements the API documentation, actions "list" and "get" of the modules.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::call::id_value;
use crate::ox::columns::ColumnName;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::items::Item;
use crate::ox::module::Module;
use crate::ox::multiple::multiple;
use crate::ox::session::Session;
use crate::ox::settings::Version;

/// How many objects are listed in one call.
const CHUNK: usize = 100;
/// From here on lists lack what only `get` tells of an appointment: whether it is private.
const POOR_LISTS: Version = Version::new(7, 10);

/// Which item to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub id: String,
    /// As in [`Item::parts`].
    pub parts: Vec<String>,
}

impl From<&Item> for Wanted {
    fn from(item: &Item) -> Self {
        Self {
            id: item.id.clone(),
            parts: item.parts.clone(),
        }
    }
}

/// An item with its contents.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    pub id: String,
    pub object: Object,
    /// The changed occurrences of a series.
    pub parts: Vec<Object>,
}

/// An item that could not be had; [`ErrorKind::NotFound`] if it is gone.
#[derive(Clone, Debug)]
pub struct Failed {
    pub id: String,
    pub error: Error,
}

/// Fetches items of a folder, in the order they are asked for. Fails as a whole when OX cannot be asked at all.
pub async fn fetch(
    session: &Session,
    module: Module,
    folder: &str,
    wanted: &[Wanted],
    columns: &[ColumnName],
) -> Result<Vec<Result<Fetched, Failed>>, Error> {
    let columns = with_ids(columns);
    let ids: Vec<_> = wanted
        .iter()
        .flat_map(|item| [&item.id].into_iter().chain(&item.parts))
        .map(String::as_str)
        .collect();
    let poor_lists = module == Module::Calendar && session.settings().await?.version >= POOR_LISTS;
    let mut objects = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let mut listed = list(session, module, folder, chunk, &columns).await?;
        let is_poor = |object: &Object| poor_lists || lacks_people(module, &columns, object);
        let incomplete: Vec<_> = chunk
            .iter()
            .copied()
            .filter(|id| listed.get(*id).is_none_or(is_poor))
            .collect();
        let single = get(session, module, folder, &incomplete).await?;
        for (id, outcome) in incomplete.into_iter().zip(single) {
            let listed = listed.remove(id);
            objects.insert(id.to_owned(), outcome.map(|object| merge(listed, object)));
        }
        objects.extend(listed.into_iter().map(|(id, object)| (id, Ok(object))));
    }
    Ok(wanted.iter().map(|item| assemble(item, &objects)).collect())
}

/// The columns, with those that say which object a row is.
fn with_ids(columns: &[ColumnName]) -> Vec<ColumnName> {
    let ids = [common::ID.name(), common::FOLDER_ID.name()];
    let others = columns
        .iter()
        .copied()
        .filter(|column| column.id != 0 && !ids.contains(column));
    ids.into_iter().chain(others).collect()
}

/// What a list gives of these objects; nothing if the server refuses it because of one of them.
async fn list(
    session: &Session,
    module: Module,
    folder: &str,
    ids: &[&str],
    columns: &[ColumnName],
) -> Result<HashMap<String, Object>, Error> {
    let body: Vec<_> = ids
        .iter()
        .map(|id| json!({"id": id_value(id), "folder": id_value(folder)}))
        .collect();
    let mut call = Call::put(module.name(), "list", body).with_columns(columns);
    if module == Module::Calendar {
        call = call.with("recurrence_master", true);
    }
    let rows = match session.call(&call).await {
        Ok(reply) => match reply.data {
            Value::Array(rows) => rows,
            _ => Vec::new(),
        },
        Err(error) if error.kind.concerns_one_call() => {
            log::debug!("{error}; asking for each object by itself");
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let objects = rows.into_iter().filter_map(|row| match row {
        Value::Array(row) => Some(Object::from_row(columns, row)),
        _ => None,
    });
    Ok(objects
        .filter_map(|object| Some((object.id(common::ID)?, object)))
        .collect())
}

/// Old servers leave the people out of lists. An appointment has at least one.
fn lacks_people(module: Module, columns: &[ColumnName], object: &Object) -> bool {
    module == Module::Calendar
        && columns.contains(&calendar::PARTICIPANTS.name())
        && object.json(calendar::PARTICIPANTS).is_none()
        && object.json(calendar::USERS).is_none()
}

async fn get(
    session: &Session,
    module: Module,
    folder: &str,
    ids: &[&str],
) -> Result<Vec<Result<Object, Error>>, Error> {
    let calls: Vec<_> = ids
        .iter()
        .map(|id| Call::get(module.name(), "get").with("id", id).with("folder", folder))
        .collect();
    let outcomes = multiple(session, &calls).await?;
    let objects = calls.iter().zip(outcomes).map(|(call, outcome)| match outcome?.data {
        Value::Object(map) => Ok(Object::from_map(map)),
        _ => Err(Error::new(
            ErrorKind::Garbled,
            session.describe(call),
            "the answer is no object",
        )),
    });
    Ok(objects.collect())
}

/// `get` knows more, but old servers leave out of it what their lists have: the exceptions of a series.
fn merge(listed: Option<Object>, single: Object) -> Object {
    let mut map = listed.unwrap_or_default().into_map();
    map.extend(single.into_map());
    Object::from_map(map)
}

fn assemble(item: &Wanted, objects: &HashMap<String, Result<Object, Error>>) -> Result<Fetched, Failed> {
    let failed = |error: &Error| Failed {
        id: item.id.clone(),
        error: error.clone(),
    };
    let missing = || Error::new(ErrorKind::NotFound, "list", "OX left the object out");
    let object = match objects.get(&item.id) {
        Some(Ok(object)) => object.clone(),
        Some(Err(error)) => return Err(failed(error)),
        None => return Err(failed(&missing())),
    };
    let mut parts = Vec::new();
    for part in &item.parts {
        match objects.get(part) {
            Some(Ok(part)) => parts.push(part.clone()),
            // It will be there next time; without it the device would show the original occurrence.
            Some(Err(error)) if !error.kind.concerns_one_call() => return Err(failed(error)),
            Some(Err(error)) if error.kind != ErrorKind::NotFound => {
                log::warn!("the changed occurrence {part} of {} is left out: {error}", item.id);
            }
            _ => {}
        }
    }
    Ok(Fetched {
        id: item.id.clone(),
        object,
        parts,
    })
}
