//! Making, changing, moving and deleting appointments, contacts and tasks.
//!
//! One object a call: the oldest servers know nothing else, and an array that fails in the middle is half done.
//! Implements the API documentation, actions "new", "update" and "delete" of the modules.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::contacts;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::module::Module;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::shorten::shorten;
use crate::ox::value::id_text;
use crate::ox::value::id_value;

/// What OX says about an object it has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its id; a new one after a change of one occurrence, and after some moves.
    pub id: String,
    /// Its new timestamp, for the next write. OX does not always say.
    pub modified: Option<i64>,
}

/// Makes an object in a folder.
pub async fn create(session: &Session, module: Module, folder: &str, mut object: Object) -> Result<Written, Error> {
    object.set(common::FOLDER_ID, id_value(folder));
    let reply = write(session, module, "new", &[], object).await?;
    let id = new_id(&reply.data);
    let id = id.ok_or_else(|| {
        let call = session.describe(&Call::put(module.name(), "new", Value::Null));
        Error::new(ErrorKind::Garbled, call, "OX did not name the new object")
    })?;
    Ok(Written {
        id,
        modified: reply.timestamp,
    })
}

/// Changes an object: fields that are absent stay as they are. `timestamp` is the newest one known of the object.
pub async fn update(
    session: &Session,
    module: Module,
    folder: &str,
    id: &str,
    timestamp: i64,
    change: Object,
) -> Result<Written, Error> {
    let timestamp = timestamp.to_string();
    let place = [("id", id), ("folder", folder), ("timestamp", timestamp.as_str())];
    let reply = write(session, module, "update", &place, change).await?;
    Ok(Written {
        id: new_id(&reply.data).unwrap_or_else(|| id.to_owned()),
        modified: reply.timestamp,
    })
}

/// Moves an object into another folder of its module.
pub async fn move_to(
    session: &Session,
    module: Module,
    folder: &str,
    id: &str,
    timestamp: i64,
    target: &str,
) -> Result<Written, Error> {
    let mut change = Object::new();
    change.set(common::FOLDER_ID, id_value(target));
    update(session, module, folder, id, timestamp, change).await
}

/// Deletes an object. One that is gone already is deleted.
pub async fn delete(session: &Session, module: Module, folder: &str, id: &str, timestamp: i64) -> Result<(), Error> {
    let object = json!({"id": id_value(id), "folder": id_value(folder)});
    let call = Call::put(module.name(), "delete", object).with("timestamp", timestamp);
    match session.call(&call).await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        reply => reply.map(drop),
    }
}

/// Writes, and once more with shorter text if OX finds some too long.
async fn write(
    session: &Session,
    module: Module,
    action: &str,
    place: &[(&'static str, &str)],
    mut object: Object,
) -> Result<Reply, Error> {
    if module == Module::Calendar {
        // Otherwise OX saves nothing and answers with the other appointments; a device could not ask its user.
        object.set(calendar::IGNORE_CONFLICTS, true);
    }
    match write_once(session, module, action, place, object.clone()).await {
        Err(error) if error.kind == ErrorKind::Truncated && shorten(&mut object, module, error.too_long()) => {
            log::debug!("{error}; repeating with shorter text");
            write_once(session, module, action, place, object).await
        }
        Err(error) if error.kind == ErrorKind::BadCharacter && simplify(&mut object) => {
            log::debug!("{error}; repeating without the characters that OX cannot store");
            write_once(session, module, action, place, object).await
        }
        outcome => outcome,
    }
}

/// Replaces characters beyond the first 65,536 in all texts; `false` if there are none.
fn simplify(object: &mut Object) -> bool {
    let is_simple = |c: char| c <= '\u{ffff}';
    let mut changed = false;
    let mut map = std::mem::take(object).into_map();
    for value in map.values_mut() {
        if let Value::String(text) = value
            && !text.chars().all(is_simple)
        {
            *text = text
                .chars()
                .map(|c| if is_simple(c) { c } else { '\u{fffd}' })
                .collect();
            changed = true;
        }
    }
    *object = Object::from_map(map);
    changed
}

async fn write_once(
    session: &Session,
    module: Module,
    action: &str,
    place: &[(&'static str, &str)],
    object: Object,
) -> Result<Reply, Error> {
    if module == Module::Contacts {
        return contacts::write(session, action, place, object).await;
    }
    let call = put(module, action, place, object.into_map());
    let reply = session.call(&call).await?;
    // "Conflicts return success without `error`": with `ignore_conflicts` only those of resources.
    match reply.data.get("conflicts").and_then(Value::as_array) {
        Some(conflicts) if !conflicts.is_empty() => {
            let text = "a resource is taken at that time";
            Err(Error::new(ErrorKind::Booked, session.describe(&call), text))
        }
        _ => Ok(reply),
    }
}

pub(super) fn put(module: Module, action: &str, place: &[(&'static str, &str)], object: Map<String, Value>) -> Call {
    let call = Call::put(module.name(), action, object);
    place.iter().fold(call, |call, (name, value)| call.with(*name, value))
}

fn new_id(data: &Value) -> Option<String> {
    data.get("id").and_then(id_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::columns::tasks;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;

    fn titled(title: &str) -> Object {
        let mut object = Object::new();
        object.set(tasks::TITLE, title);
        object
    }

    #[tokio::test]
    async fn creates() {
        let (server, session) =
            Server::with_session(|_| json!({"data": {"id": 66}, "timestamp": 1_700_000_020_000_i64}).into()).await;
        let written = create(&session, Module::Tasks, "34", titled("Steuer")).await.unwrap();
        assert_eq!((written.id.as_str(), written.modified), ("66", Some(1_700_000_020_000)));
        let request = server.only();
        assert_eq!((request.method.as_str(), request.name().as_str()), ("PUT", "tasks?new"));
        assert_eq!(request.header("content-type"), "text/javascript; charset=UTF-8");
        assert_eq!(request.json(), json!({"title": "Steuer", "folder_id": 34}));
    }

    #[tokio::test]
    async fn updates_and_moves() {
        let (server, session) = Server::with_session(|_| json!({"data": {}, "timestamp": 0}).into()).await;
        let written = update(&session, Module::Tasks, "34", "66", 1_700, titled("x"))
            .await
            .unwrap();
        assert_eq!((written.id.as_str(), written.modified), ("66", None));
        move_to(&session, Module::Tasks, "34", "66", 1_700, "35").await.unwrap();
        let requests = server.requests();
        let parameters = |name| requests[0].parameter(name).to_owned();
        assert_eq!(["id", "folder", "timestamp"].map(parameters), ["66", "34", "1700"]);
        assert_eq!(requests[0].json(), json!({"title": "x"}));
        assert_eq!(requests[1].json(), json!({"folder_id": 35}));
    }

    #[tokio::test]
    async fn deletes_what_may_be_gone() {
        // Answer, error.
        let cases = [
            (data(json!([])), None),
            (data(json!({})), None),
            (failure("TSK-0019", 8), None),
            (failure("OX-0001", 1), None),
            (failure("OX-0001", 9), Some(ErrorKind::Conflict)),
            (failure("TSK-0014", 3), Some(ErrorKind::PermissionDenied)),
        ];
        for (response, kind) in cases {
            let (server, session) = Server::with_session(move |_| response.clone()).await;
            let outcome = delete(&session, Module::Tasks, "34", "66", 1_700).await;
            assert_eq!(outcome.err().map(|error| error.kind), kind);
            let request = server.only();
            assert_eq!(request.parameter("timestamp"), "1700");
            assert_eq!(request.json(), json!({"id": 66, "folder": 34}));
        }
    }

    #[tokio::test]
    async fn a_booked_resource_is_an_error_without_error() {
        let (server, session) = Server::with_session(|_| {
            json!({"data": {"conflicts": [{"id": 818, "hard_conflict": true}]}, "timestamp": 5}).into()
        })
        .await;
        let error = create(&session, Module::Calendar, "31", titled("Lunch"))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Booked);
        assert_eq!(server.only().json()["ignore_conflicts"], true);
    }

    #[tokio::test]
    async fn an_answer_without_id_is_garbled() {
        let (_server, session) = Server::with_session(|_| data(json!({}))).await;
        let error = create(&session, Module::Tasks, "34", titled("x")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Garbled);
        assert!(error.call().ends_with("/ajax/tasks?action=new"));
    }

    /// Finds titles of more than five characters too long.
    fn strict(request: &Request) -> Response {
        let title = request.json()["title"].as_str().unwrap().to_owned();
        match title.chars().count() {
            ..=5 => json!({"data": {"id": 1}, "timestamp": 9}).into(),
            _ => json!({"error": "too long", "code": "TSK-0041", "category": 12,
                        "problematic": [{"id": 200, "length": title.len(), "max_size": 5}]})
            .into(),
        }
    }

    #[tokio::test]
    async fn text_that_is_too_long_is_cut_once() {
        let (server, session) = Server::with_session(strict).await;
        create(&session, Module::Tasks, "34", titled("Übermorgen"))
            .await
            .unwrap();
        let titles: Vec<_> = server
            .requests()
            .iter()
            .map(|request| request.json()["title"].clone())
            .collect();
        assert_eq!(titles, [json!("Übermorgen"), json!("Überm")]);
        // Nothing to cut: no second attempt.
        let (server, session) = Server::with_session(|_| {
            json!({"error": "too long", "code": "TSK-0041", "category": 12, "truncated": [203]}).into()
        })
        .await;
        let error = create(&session, Module::Tasks, "34", titled("x")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated);
        server.only();
    }
}
