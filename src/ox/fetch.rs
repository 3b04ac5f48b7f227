//! Whole appointments, contacts and tasks, many at once.
//!
//! Rows of a list are matched by id, never by position: old servers keep no order, and leave out what is gone or refuse
//! the whole list because of it. One broken object never fails the others: what a list cannot give is asked for one by one,
//! though still in one request. Implements the API documentation, actions "list" and "get" of the modules.

use std::collections::HashMap;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::calendar as appointments;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::items::Item;
use crate::ox::module::Module;
use crate::ox::multiple::multiple;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::settings::Version;
use crate::ox::value::id_value;

/// How many objects are listed in one call.
const CHUNK: usize = 100;
/// From here on lists lack what only `get` tells of an appointment: whether it is private.
const POOR_LISTS: Version = Version::new(7, 10);

/// From here on lists leave nothing out.
const COMPLETE_LISTS: Version = Version::new(7, 0);

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
    let needs_more = module == Module::Calendar && columns.contains(&common::PRIVATE_FLAG.name());
    let poor_lists = needs_more && session.settings().await?.version >= POOR_LISTS;
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

/// Which of these items still exist, though the list of their folder lacks them. Old servers leave a series out of lists
/// when they cannot compute it; of everything else the list is the truth, and nothing is asked.
pub async fn unlisted(session: &Session, module: Module, folder: &str, ids: &[&str]) -> Result<Vec<String>, Error> {
    if ids.is_empty() || module != Module::Calendar || session.settings().await?.version >= COMPLETE_LISTS {
        return Ok(Vec::new());
    }
    let owner = appointments::owner(session, module, folder).await?;
    let mut found = Vec::new();
    for (id, outcome) in ids.iter().zip(get(session, module, folder, ids).await?) {
        match outcome {
            // Not listed because the user has declined it.
            Ok(object) if appointments::is_declined(&object, owner) => {}
            Ok(_) => found.push((*id).to_owned()),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
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
    let objects = calls.iter().zip(outcomes).map(|(call, outcome)| {
        let error = |kind, text| Error::new(kind, session.describe(call), text);
        match outcome? {
            Reply {
                data: Value::Object(map),
                ..
            } if !map.is_empty() => Ok(Object::from_map(map)),
            reply if says_nothing(&reply) => Err(error(ErrorKind::NotFound, "the answer holds no object")),
            _ => Err(error(ErrorKind::Garbled, "the answer is no object")),
        }
    });
    Ok(objects.collect())
}

/// Not even that something could not be read.
fn says_nothing(Reply { data, warnings, .. }: &Reply) -> bool {
    let is_empty = data.is_null() || data.as_object().is_some_and(Map::is_empty);
    is_empty && warnings.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::columns::contacts;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;
    use crate::ox::testing::failure;

    const CONTACT_COLUMNS: &[ColumnName] = &[contacts::LAST_NAME.name()];
    const CALENDAR_COLUMNS: &[ColumnName] = &[
        common::PRIVATE_FLAG.name(),
        calendar::PARTICIPANTS.name(),
        calendar::CHANGE_EXCEPTIONS.name(),
        calendar::IGNORE_CONFLICTS.name(),
    ];

    fn wanted(ids: &[&str]) -> Vec<Wanted> {
        let one = |id: &&str| Wanted {
            id: (*id).to_owned(),
            parts: Vec::new(),
        };
        ids.iter().map(one).collect()
    }

    /// What came of each item: the named field, or the kind of its error.
    fn outcomes(fetched: &[Result<Fetched, Failed>]) -> Vec<Result<(&str, Option<&str>), ErrorKind>> {
        let fetched = fetched.iter().map(Result::as_ref);
        let named = fetched.map(|item| item.map(|item| (item.id.as_str(), item.object.text(contacts::LAST_NAME))));
        named.map(|item| item.map_err(|failed| failed.error.kind)).collect()
    }

    #[tokio::test]
    async fn rows_are_matched_by_id() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            // Another order, one twice, one missing, one nobody asked for.
            "contacts?list" => data(json!([
                ["7", "33", "Sieben"],
                [5, 33, "Fünf"],
                [5, 33, "Fünf"],
                null,
                [99, 33, "X"]
            ])),
            "multiple" => each(request, |_| envelope("CON-0125", 1)),
            name => panic!("{name}"),
        })
        .await;
        let fetched = fetch(
            &session,
            Module::Contacts,
            "33",
            &wanted(&["5", "6", "7"]),
            CONTACT_COLUMNS,
        )
        .await
        .unwrap();
        assert_eq!(
            outcomes(&fetched),
            [
                Ok(("5", Some("Fünf"))),
                Err(ErrorKind::NotFound),
                Ok(("7", Some("Sieben")))
            ]
        );
        let list = &server.requests()[0];
        assert_eq!(list.parameter("columns"), "1,20,502");
        assert_eq!(list.json()[0], json!({"id": 5, "folder": 33}));
    }

    fn single(entry: &Value) -> Value {
        match entry["id"].as_str() {
            Some("6") => envelope("CON-0125", 1),
            Some("13") => envelope("OX-9999", 8),
            id => json!({"data": {"id": id, "last_name": format!("Nr. {}", id.unwrap())}}),
        }
    }

    #[tokio::test]
    async fn one_bad_object_does_not_fail_the_list() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            "contacts?list" => failure("OX-0001", 1),
            _ => each(request, single),
        })
        .await;
        let fetched = fetch(
            &session,
            Module::Contacts,
            "33",
            &wanted(&["5", "6", "13"]),
            CONTACT_COLUMNS,
        )
        .await
        .unwrap();
        assert_eq!(
            outcomes(&fetched),
            [
                Ok(("5", Some("Nr. 5"))),
                Err(ErrorKind::NotFound),
                Err(ErrorKind::Server)
            ]
        );
        assert_eq!(server.names(), ["contacts?list", "multiple"]);
        assert_eq!(
            server.requests()[1].json()[0],
            json!({"module": "contacts", "action": "get", "id": "5", "folder": "33", "timezone": "UTC"})
        );
    }

    /// An object of which OX has nothing to say is not there; one that it could not read, is.
    #[tokio::test]
    async fn an_answer_that_says_nothing() {
        let warning = json!({"error": "The server is slow.", "code": "OX-1101", "category": 13});
        let cases = [
            (json!({"data": null}), ErrorKind::NotFound),
            (json!({}), ErrorKind::NotFound),
            (json!({"data": {}}), ErrorKind::NotFound),
            (json!({"data": [5]}), ErrorKind::Garbled),
            (warning, ErrorKind::Garbled),
        ];
        for (answer, kind) in cases {
            let (_server, session) = Server::with_session(move |request| match request.name().as_str() {
                "multiple" => each(request, |_| answer.clone()),
                _ => data(json!([])),
            })
            .await;
            let fetched = fetch(&session, Module::Contacts, "33", &wanted(&["5"]), CONTACT_COLUMNS)
                .await
                .unwrap();
            assert_eq!(outcomes(&fetched), [Err(kind)]);
        }
    }

    #[tokio::test]
    async fn trouble_fails_the_whole() {
        let (server, session) = Server::with_session(|_| failure("SVL-0019", 4)).await;
        let error = fetch(&session, Module::Contacts, "33", &wanted(&["5"]), CONTACT_COLUMNS)
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Temporary);
        server.only();
    }

    #[tokio::test]
    async fn many_are_listed_in_chunks() {
        let (server, session) = Server::with_session(|request| {
            let rows = request
                .json()
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| json!([entry["id"], 33, "x"]))
                .collect();
            data(Value::Array(rows))
        })
        .await;
        let ids: Vec<_> = (0..250).map(|id| id.to_string()).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let fetched = fetch(&session, Module::Contacts, "33", &wanted(&ids), CONTACT_COLUMNS)
            .await
            .unwrap();
        assert!(fetched.len() == 250 && fetched.iter().all(Result::is_ok));
        assert_eq!(server.requests().len(), 3);
    }

    fn calendar_server(version: &'static str) -> impl Fn(&Request) -> Response {
        move |request| match request.name().as_str() {
            "config/serverVersion" => data(json!(version)),
            // Columns: id, folder, private flag, participants, change exceptions.
            "calendar?list" => data(json!([
                [816, 31, false, [{"id": 3, "type": 1}], [1_704_672_000_000_i64]],
                [820, 31, null, null, null],
            ])),
            "multiple" => each(request, |entry| match entry["id"].as_str() {
                Some("999") => envelope("OX-0001", 1),
                Some("13") => envelope("CAL-5071", 8),
                id => json!({"data": {"id": id, "private_flag": true, "participants": [{"id": 3, "type": 1}]}}),
            }),
            _ => failure("SVL-0001", 8),
        }
    }

    fn series() -> Vec<Wanted> {
        vec![Wanted {
            id: "816".to_owned(),
            parts: ["820", "999", "13"].map(str::to_owned).to_vec(),
        }]
    }

    #[tokio::test]
    async fn people_who_are_missing_in_a_list_are_asked_for() {
        let (server, session) = Server::with_session(calendar_server("6.20.7 Rev5")).await;
        let fetched = fetch(&session, Module::Calendar, "31", &series(), CALENDAR_COLUMNS)
            .await
            .unwrap();
        let item = fetched[0].as_ref().unwrap();
        assert_eq!(item.object.flag(common::PRIVATE_FLAG), Some(false));
        assert!(item.object.has(calendar::CHANGE_EXCEPTIONS));
        // 999 is gone and 13 broken; the rest of the series does not suffer.
        let parts: Vec<_> = item.parts.iter().map(|part| part.id(common::ID)).collect();
        assert_eq!(parts, [Some("820".to_owned())]);
        assert!(item.parts[0].has(calendar::PARTICIPANTS));
        let asked: Vec<_> = server
            .requests()
            .pop()
            .unwrap()
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["id"].clone())
            .collect();
        assert_eq!(asked, ["820", "999", "13"]);
        let list = server
            .requests()
            .into_iter()
            .find(|request| request.action() == "list")
            .unwrap();
        assert_eq!(list.parameter("columns"), "1,20,101,220,210");
    }

    #[tokio::test]
    async fn lists_of_newer_servers_do_not_tell_what_is_private() {
        let (_server, session) = Server::with_session(calendar_server("7.10.6-Rev12")).await;
        let fetched = fetch(&session, Module::Calendar, "31", &series(), CALENDAR_COLUMNS)
            .await
            .unwrap();
        let item = fetched[0].as_ref().unwrap();
        assert_eq!(item.object.flag(common::PRIVATE_FLAG), Some(true));
        assert!(item.object.has(calendar::CHANGE_EXCEPTIONS), "from the list");
    }
}
