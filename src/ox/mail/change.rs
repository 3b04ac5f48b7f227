//! Changing mails: flags, folder, existence.
//!
//! Implements the API documentation, "Module mail", "Update a mail" and "Delete mails".

use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::mail;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::items::objects;
use crate::ox::multiple::multiple;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::value::id_text;

/// Sets and clears flags: 1 answered, 8 flagged, 32 seen, 256 forwarded.
pub async fn set_flags(session: &Session, folder: &str, id: &str, set: u32, clear: u32) -> Result<(), Error> {
    let body = match (set, clear) {
        (0, 0) => return Ok(()),
        // The form that every version knows.
        (flags, 0) => json!({"flags": flags, "value": true}),
        (0, flags) => json!({"flags": flags, "value": false}),
        (set, clear) => json!({"set_flags": set, "clear_flags": clear}),
    };
    session.call(&update(folder, id, body)).await.map(drop)
}

fn update(folder: &str, id: &str, body: Value) -> Call {
    Call::put("mail", "update", body).with("folder", folder).with("id", id)
}

/// Deletes a mail: for good if `hard` or if it is in the trash, else into the trash. One that is gone already is deleted.
pub async fn delete(session: &Session, folder: &str, id: &str, hard: bool) -> Result<(), Error> {
    let mut call = Call::put("mail", "delete", json!([{"folder": folder, "id": id}]));
    if hard {
        call = call.with("harddelete", 1);
    }
    let reply = match session.call(&call).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
        reply => reply?,
    };
    // "Older: array of not deleted objects."
    match reply.data {
        Value::Array(left) if !left.is_empty() => {
            let text = reply
                .warnings
                .first()
                .map_or("OX did not delete the mail", |warning| &warning.text);
            Err(Error::new(ErrorKind::PermissionDenied, session.describe(&call), text))
        }
        _ => Ok(()),
    }
}

/// What tells a mail after a move, if OX does not.
const TRACES: &[ColumnName] = &[
    mail::ID.name(),
    mail::SUBJECT.name(),
    mail::SIZE.name(),
    mail::SENT_DATE.name(),
    mail::RECEIVED_DATE.name(),
];

/// Moves a mail and returns its new id. Some mail servers do not tell it; then the mail is looked for, and if nothing or
/// more than one thing like it is found, there is no id.
pub async fn move_to(session: &Session, folder: &str, id: &str, target: &str) -> Result<Option<String>, Error> {
    let look = Call::put("mail", "list", json!([{"folder": folder, "id": id}])).with_columns(TRACES);
    let calls = [look, update(folder, id, json!({"folder_id": target}))];
    let mut outcomes = multiple(session, &calls).await?.into_iter();
    let (before, moved) = (outcomes.next(), outcomes.next());
    let moved = moved.unwrap_or_else(|| Err(Error::new(ErrorKind::Garbled, "multiple", "no answer to the move")))?;
    if let Some(new) = moved.data.get("id").and_then(id_text) {
        return Ok(Some(new));
    }
    let Some(mail) = before.and_then(Result::ok).and_then(|reply| rows(reply).next()) else {
        return Ok(None);
    };
    find(session, target, &mail).await
}

/// The one mail of a folder that looks exactly like another one.
async fn find(session: &Session, folder: &str, mail: &Object) -> Result<Option<String>, Error> {
    let call = Call::get("mail", "all").with("folder", folder).with_columns(TRACES);
    let reply = session.call(&call).await?;
    let mut alike = rows(reply).filter(|row| looks(row) == looks(mail));
    let found = alike.next().and_then(|row| row.as_map().get("id").and_then(id_text));
    Ok(found.filter(|_| alike.next().is_none()))
}

/// What a move leaves as it is.
fn looks(row: &Object) -> (Option<&str>, Option<i64>, Option<i64>, Option<i64>) {
    (
        row.text(mail::SUBJECT),
        row.number(mail::SIZE),
        row.time(mail::SENT_DATE),
        row.time(mail::RECEIVED_DATE),
    )
}

fn rows(reply: Reply) -> impl Iterator<Item = Object> {
    let rows = match reply.data {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    };
    objects(TRACES, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::each;
    use crate::ox::testing::failure;

    const INBOX: &str = "default0/INBOX";

    #[tokio::test]
    async fn flags_are_set_and_cleared() {
        // Set, clear, body.
        let cases = [
            (32, 0, json!({"flags": 32, "value": true})),
            (0, 8, json!({"flags": 8, "value": false})),
            (32, 8, json!({"set_flags": 32, "clear_flags": 8})),
        ];
        for (set, clear, body) in cases {
            let (server, session) = Server::with_session(|_| data(json!({"folder_id": INBOX, "id": "1"}))).await;
            set_flags(&session, INBOX, "1", set, clear).await.unwrap();
            let request = server.only();
            assert_eq!((request.name().as_str(), request.parameter("id")), ("mail?update", "1"));
            assert_eq!(request.json(), body);
        }
        let (server, session) = Server::with_session(|_| data(json!({}))).await;
        set_flags(&session, INBOX, "1", 0, 0).await.unwrap();
        assert!(server.requests().is_empty());
    }

    #[tokio::test]
    async fn deletes() {
        // Answer, error.
        let cases = [
            (data(json!([])), None),
            (failure("MSG-0032", 1), None),
            (failure("MSG-0039", 11), Some(ErrorKind::Quota)),
            (
                data(json!([{"folder": INBOX, "id": "1"}])),
                Some(ErrorKind::PermissionDenied),
            ),
        ];
        for (response, kind) in cases {
            let (server, session) = Server::with_session(move |_| response.clone()).await;
            let outcome = delete(&session, INBOX, "1", kind.is_none()).await;
            assert_eq!(outcome.err().map(|error| error.kind), kind);
            let request = server.only();
            assert_eq!(request.json(), json!([{"folder": INBOX, "id": "1"}]));
            assert_eq!(request.parameter("harddelete"), if kind.is_none() { "1" } else { "" });
        }
    }

    fn moving(new_id: Value, found: Value) -> impl Fn(&Request) -> Response {
        move |request| match request.name().as_str() {
            "multiple" => each(request, |entry| match entry["action"].as_str() {
                Some("list") => json!({"data": [["1", "Hi", 100, 5, 6]]}),
                _ => json!({"data": {"folder_id": "default0/Archiv", "id": new_id}}),
            }),
            "mail?all" => data(found.clone()),
            name => panic!("{name}"),
        }
    }

    #[tokio::test]
    async fn a_move_gives_a_new_id() {
        let (server, session) = Server::with_session(moving(json!("12"), json!([]))).await;
        assert_eq!(
            move_to(&session, INBOX, "1", "default0/Archiv")
                .await
                .unwrap()
                .as_deref(),
            Some("12")
        );
        let request = server.only();
        assert_eq!(request.json()[1]["data"], json!({"folder_id": "default0/Archiv"}));
    }

    #[tokio::test]
    async fn a_mail_without_new_id_is_looked_for() {
        let twin = json!([["7", "Hi", 100, 5, 6], ["8", "Ho", 100, 5, 6]]);
        let twins = json!([["7", "Hi", 100, 5, 6], ["8", "Hi", 100, 5, 6]]);
        for (found, id) in [(twin, Some("7")), (twins, None), (json!([]), None)] {
            let (_server, session) = Server::with_session(moving(Value::Null, found)).await;
            assert_eq!(
                move_to(&session, INBOX, "1", "default0/Archiv")
                    .await
                    .unwrap()
                    .as_deref(),
                id
            );
        }
    }
}
