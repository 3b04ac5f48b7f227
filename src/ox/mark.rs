//! Marks: UIDs by which a contact or a task that the gateway adds is known again, whatever became of it.
//!
//! The column `uid` is the one place of an object that nobody sees and nobody changes. The documents list it and do not say
//! what a server does with the value of a client. So nothing depends on it: a mark that OX has not kept is no sign of
//! anything, and one that OX refuses is left out. Appointments need none, since their UID is documented as the client's.
//! Implements the API documentation, "Detailed contact data" and "Detailed task data".

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::ox::Object;
use crate::ox::columns::common;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::module::Module;
use crate::ox::session::Session;
use crate::ox::settings::Version;
use crate::ox::write::Written;
use crate::ox::write::create;

/// From here on a module has the column. Of tasks the documents call it newer than the generation 6.
const COLUMN_SINCE: [(Module, Version); 2] = [
    (Module::Contacts, Version::new(6, 0)),
    (Module::Tasks, Version::new(7, 0)),
];

/// What every mark ends with. OX's own UIDs do not.
const SUFFIX: &str = "@oxtender";

/// The UID of one addition, and of no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// From a digest of all that makes the addition the one it is.
    pub fn new(digest: [u8; 16]) -> Self {
        let digits: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        Self(digits + SUFFIX)
    }

    /// Whether an object bears this mark.
    pub(super) fn is_of(&self, object: &Object) -> bool {
        object.text(common::UID) == Some(&self.0)
    }

    /// Whether an object bears that of another addition.
    pub(super) fn is_anothers(&self, object: &Object) -> bool {
        let uid = object.text(common::UID);
        uid.is_some_and(|uid| uid.ends_with(SUFFIX) && uid != self.0)
    }
}

/// How a server has received the first mark of each module, as far as a session has met it.
#[derive(Debug, Default)]
pub(super) struct Receptions(Mutex<BTreeMap<Module, Reception>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reception {
    /// Whatever it has done with it.
    Taken,
    Refused,
}

impl Receptions {
    fn of(&self, module: Module) -> Option<Reception> {
        let receptions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        receptions.get(&module).copied()
    }

    fn note(&self, module: Module, reception: Reception) {
        let mut receptions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        receptions.insert(module, reception);
    }
}

/// Whether a mark may be written and asked for.
pub(super) async fn is_known(session: &Session, module: Module) -> Result<bool, Error> {
    let Some((_, since)) = COLUMN_SINCE.iter().find(|(known, _)| *known == module) else {
        return Ok(false);
    };
    if session.mark_receptions().of(module) == Some(Reception::Refused) {
        return Ok(false);
    }
    Ok(session.settings().await?.version >= *since)
}

/// Makes an object in a folder, with a mark if OX takes it.
pub async fn create_marked(
    session: &Session,
    module: Module,
    folder: &str,
    object: Object,
    mark: Option<&Mark>,
) -> Result<Written, Error> {
    let Some(mark) = mark else {
        return create(session, module, folder, object).await;
    };
    if !is_known(session, module).await? {
        return create(session, module, folder, object).await;
    }
    let mut marked = object.clone();
    marked.set(common::UID, mark.0.as_str());
    let receptions = session.mark_receptions();
    let is_first = receptions.of(module).is_none();
    match create(session, module, folder, marked).await {
        Ok(written) => {
            receptions.note(module, Reception::Taken);
            Ok(written)
        }
        Err(error) if is_first && may_be_about_a_mark(&error) => {
            let written = create(session, module, folder, object).await?;
            log::info!("OX takes the object without a UID of ours, and did not take it with one: {error}");
            receptions.note(module, Reception::Refused);
            Ok(written)
        }
        Err(error) => Err(error),
    }
}

/// Whether OX has written nothing, and what it says may mean the UID.
fn may_be_about_a_mark(error: &Error) -> bool {
    let is_about_something_else = matches!(
        error.kind,
        // Of a fault of its own nobody knows what it did before.
        ErrorKind::Server
            | ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::Quota
            | ErrorKind::Unsupported
    );
    error.is_about_the_item() && !is_about_something_else
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::ox::columns::contacts;
    use crate::ox::columns::tasks;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;

    const DIGEST: [u8; 16] = [0xAB; 16];
    const UID: &str = "ABABABABABABABABABABABABABABABAB@oxtender";

    fn mark() -> Mark {
        Mark::new(DIGEST)
    }

    fn object(module: Module) -> Object {
        let mut object = Object::new();
        match module {
            Module::Tasks => object.set(tasks::TITLE, "x"),
            _ => object.set(contacts::LAST_NAME, "x"),
        }
        object
    }

    /// A server of a version that answers an object with a UID so, and takes all others.
    fn server(version: &'static str, to_a_uid: Response) -> impl Fn(&Request) -> Response {
        move |request| match request.name().as_str() {
            "config/serverVersion" => data(json!(version)),
            "contacts?new" | "tasks?new" if request.json().get("uid").is_some() => to_a_uid.clone(),
            "contacts?new" | "tasks?new" => json!({"data": {"id": 5}, "timestamp": 7}).into(),
            _ => failure("SVL-0001", 8),
        }
    }

    /// The UIDs of what was to be created.
    fn uids(server: &Server) -> Vec<Value> {
        let requests = server.requests();
        let news = requests.iter().filter(|request| request.name().ends_with("?new"));
        news.map(|request| request.json()["uid"].clone()).collect()
    }

    async fn add(session: &Session, module: Module) -> Result<Written, Error> {
        create_marked(session, module, "33", object(module), Some(&mark())).await
    }

    fn taken() -> Response {
        json!({"data": {"id": 5}, "timestamp": 7}).into()
    }

    #[tokio::test]
    async fn what_the_documents_list_is_written() {
        // module, version, UID
        let cases = [
            (Module::Contacts, "6.16.1", json!(UID)),
            (Module::Contacts, "8.12.0", json!(UID)),
            (Module::Tasks, "6.20.7 Rev5", json!(null)),
            (Module::Tasks, "", json!(null)),
            (Module::Tasks, "7.0.0", json!(UID)),
            (Module::Tasks, "8.12.0", json!(UID)),
        ];
        for (module, version, uid) in cases {
            let (server, session) = Server::with_session(server(version, taken())).await;
            add(&session, module).await.unwrap();
            create_marked(&session, module, "33", object(module), None)
                .await
                .unwrap();
            assert_eq!(uids(&server), [uid, json!(null)], "{module:?} {version}");
        }
    }

    #[tokio::test]
    async fn a_mark_that_is_refused_is_left_out_from_then_on() {
        let too_long = json!({"error": "too long", "code": "CON-0154", "category": 12, "truncated": [223]});
        let refusals = [failure("SVL-0010", 1), failure("CON-9999", 9), too_long.into()];
        for refusal in refusals {
            let (server, session) = Server::with_session(server("7.8.4", refusal)).await;
            for _ in 0..2 {
                assert_eq!(add(&session, Module::Contacts).await.unwrap().id, "5");
            }
            assert_eq!(uids(&server), [json!(UID), json!(null), json!(null)]);
            add(&session, Module::Tasks).await.unwrap();
            assert_eq!(uids(&server)[3], UID, "of tasks nothing is known");
        }
    }

    /// A server that has taken one mark takes all.
    #[tokio::test]
    async fn what_is_refused_later_is_refused_for_another_reason() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            "config/serverVersion" => data(json!("7.8.4")),
            "contacts?new" if request.json()["last_name"] == "x" => taken(),
            "contacts?new" => failure("CON-0100", 1),
            _ => failure("SVL-0001", 8),
        })
        .await;
        add(&session, Module::Contacts).await.unwrap();
        let mut bad = Object::new();
        bad.set(contacts::EMAIL1, "nowhere");
        let refused = create_marked(&session, Module::Contacts, "33", bad, Some(&mark())).await;
        assert_eq!(refused.unwrap_err().code(), "CON-0100");
        assert_eq!(uids(&server), [UID, UID]);
        add(&session, Module::Contacts).await.unwrap();
        assert_eq!(uids(&server)[2], UID);
    }

    /// Nothing is repeated that may have been carried out, or that fails whatever is in it.
    #[tokio::test]
    async fn other_errors_are_not_the_marks() {
        let others = [
            failure("OX-9999", 8),
            failure("OX-0001", 3),
            failure("SVL-0019", 4),
            failure("CON-0125", 8),
        ];
        for other in others {
            let (server, session) = Server::with_session(server("7.8.4", other)).await;
            add(&session, Module::Contacts).await.unwrap_err();
            assert_eq!(uids(&server), [UID]);
        }
    }

    #[test]
    fn whose_mark_an_object_bears() {
        // UID, this addition's, another addition's
        let other = "CDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCD@oxtender";
        let cases = [
            (json!(UID), true, false),
            (json!(other), false, true),
            (json!("7e0d9c1a-0c59-4d1c-9d4b-5f1f7e0c3c11"), false, false),
            (json!(""), false, false),
            (json!(null), false, false),
        ];
        for (uid, own, anothers) in cases {
            let mut object = Object::new();
            object.set(common::UID, uid.clone());
            let found = (mark().is_of(&object), mark().is_anothers(&object));
            assert_eq!(found, (own, anothers), "{uid}");
        }
    }
}
