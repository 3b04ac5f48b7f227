//! Mails: reading, flags, moving, deleting, sending and storing.
//!
//! Every reading asks for `unseen=true`, since OX marks as read what it hands out. Bytes are read and written as they are:
//! MIME is made and understood elsewhere. Implements the API documentation, "Module mail".

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::call::Part;
use crate::ox::columns::ColumnName;
use crate::ox::columns::mail;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::fetch::Failed;
use crate::ox::items::objects;
use crate::ox::multiple::multiple;
use crate::ox::reply::Download;
use crate::ox::reply::Reply;
use crate::ox::reply::html_page_error;
use crate::ox::session::Session;

/// How many mails are read in one call.
const CHUNK: usize = 100;
/// How long a server is not asked again for what it refused; it may be updated in the meantime.
const REFUSAL_LIFE: Duration = Duration::from_secs(6 * 60 * 60);
/// "Sent, but no copy in Sent" twice, and "flag update after send failed".
const SENT_ALL_THE_SAME: &[&str] = &["MSG-0042", "MSG-0043", "MSG-0082"];

/// What this server has turned out not to do.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    several_mails: Mutex<Option<Instant>>,
}

impl Refusals {
    /// Whether the server refused recently to give several mails at once.
    fn several_mails(&self) -> bool {
        let refused = *self.several_mails.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|when| when.elapsed() < REFUSAL_LIFE)
    }

    fn remember_several_mails(&self) {
        *self.several_mails.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Where a mail was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub folder: String,
    pub id: String,
}

/// Reads mails of a folder as JSON objects, in the order they are asked for: headers, bodies and the list of attachments.
/// Bodies are unharmed (`view=raw`): other views escape plain text and clean up HTML.
pub async fn fetch_json(
    session: &Session,
    folder: &str,
    ids: &[String],
) -> Result<Vec<Result<Map<String, Value>, Failed>>, Error> {
    let mut outcomes = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let mut mails = read_at_once(session, folder, chunk).await?;
        let missing: Vec<_> = chunk.iter().filter(|id| !mails.contains_key(*id)).collect();
        let single = read_singly(session, folder, &missing).await?;
        let mut single: HashMap<_, _> = missing.into_iter().zip(single).collect();
        outcomes.extend(chunk.iter().map(|id| match (mails.remove(id), single.remove(id)) {
            (Some(mail), _) => Ok(mail),
            (None, Some(outcome)) => outcome.map_err(|error| Failed { id: id.clone(), error }),
            (None, None) => {
                let error = Error::new(ErrorKind::NotFound, "get", "the mail was asked for twice");
                Err(Failed { id: id.clone(), error })
            }
        }));
    }
    Ok(outcomes)
}

/// "`PUT` with body `[{"folder":…,"id":…}]` for several." What the server does not give is missing.
async fn read_at_once(
    session: &Session,
    folder: &str,
    ids: &[String],
) -> Result<HashMap<String, Map<String, Value>>, Error> {
    let refusals = session.ox().refusals();
    if ids.len() < 2 || refusals.several_mails() {
        return Ok(HashMap::new());
    }
    let body: Vec<_> = ids.iter().map(|id| json!({"folder": folder, "id": id})).collect();
    let call = Call::put("mail", "get", body).with("view", "raw").with("unseen", true);
    let data = match session.call(&call).await {
        Ok(reply) => reply.data,
        Err(error) if error.kind.concerns_one_call() => {
            if matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Invalid) {
                log::debug!("{error}; this server gives one mail at a time");
                refusals.remember_several_mails();
            }
            return Ok(HashMap::new());
        }
        Err(error) => return Err(error),
    };
    let Value::Array(mails) = data else {
        refusals.remember_several_mails();
        return Ok(HashMap::new());
    };
    let mails = mails.into_iter().filter_map(|mail| match mail {
        Value::Object(mail) => Some((id_of(&mail)?, mail)),
        _ => None,
    });
    Ok(mails.filter(|(id, _)| ids.contains(id)).collect())
}

/// One call a mail, many calls a request.
async fn read_singly(
    session: &Session,
    folder: &str,
    ids: &[&String],
) -> Result<Vec<Result<Map<String, Value>, Error>>, Error> {
    let calls: Vec<_> = ids.iter().map(|id| get(folder, id).with("view", "raw")).collect();
    let outcomes = multiple(session, &calls).await?;
    let mails = calls.iter().zip(outcomes).map(|(call, outcome)| match outcome?.data {
        Value::Object(mail) => Ok(mail),
        _ => Err(Error::new(
            ErrorKind::Garbled,
            session.describe(call),
            "the answer is no mail",
        )),
    });
    Ok(mails.collect())
}

fn get(folder: &str, id: &str) -> Call {
    Call::get("mail", "get")
        .with("folder", folder)
        .with("id", id)
        .with("unseen", true)
}

/// The RFC 822 source, byte for byte, if it has no more than `limit` bytes ([`ErrorKind::TooLarge`]).
pub async fn source(session: &Session, folder: &str, id: &str, limit: usize) -> Result<Bytes, Error> {
    let call = get(folder, id).with("src", 1).with("save", 1);
    Ok(file(session, &call, limit).await?.bytes)
}

/// A part of a mail, decoded. `part` is its id in the list of attachments. The content type is often
/// `application/octet-stream`, because only for downloads OX leaves HTML unfiltered.
pub async fn attachment(
    session: &Session,
    folder: &str,
    id: &str,
    part: &str,
    limit: usize,
) -> Result<Download, Error> {
    let call = Call::get("mail", "attachment")
        .with("folder", folder)
        .with("id", id)
        .with("attachment", part)
        .with("save", 1)
        .with("unseen", true);
    file(session, &call, limit).await
}

/// A file that is sent as `application/octet-stream`; an HTML page in its place is an error message.
async fn file(session: &Session, call: &Call, limit: usize) -> Result<Download, Error> {
    let download = session.download(call, limit).await?;
    if download.content_type.starts_with("text/html") && is_error_page(&download.bytes) {
        return Err(html_page_error(&download.bytes, &session.describe(call)));
    }
    Ok(download)
}

/// Old servers might keep the type of an HTML attachment, which is no error page.
fn is_error_page(page: &[u8]) -> bool {
    let head = String::from_utf8_lossy(page.get(..4096).unwrap_or(page)).to_ascii_lowercase();
    head.contains("error") || head.contains("callback_")
}

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
    if let Some(new) = moved.data.get("id").and_then(text) {
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
    let found = alike.next().and_then(|row| id_of(row.as_map()));
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

/// Sends a mail to the recipients named in it. It has to be 7-bit clean: many versions turn the body into ASCII.
pub async fn send(session: &Session, mime: &[u8], save_in_sent: bool) -> Result<(), Error> {
    let mut call = new(mime);
    if !save_in_sent {
        call = call.with("copy2Sent", false);
    }
    let reply = match session.call(&call).await {
        Err(error) if SENT_ALL_THE_SAME.contains(&error.code()) => {
            log::warn!("{error}; the mail was sent all the same");
            return Ok(());
        }
        reply => reply?,
    };
    let copy = stored(&reply.data).filter(|_| !save_in_sent);
    if let Some(copy) = copy {
        // An older server, which stores a copy whatever was asked for. The mail is out: nothing here may fail it.
        if let Err(error) = delete(session, &copy.folder, &copy.id, true).await {
            log::warn!("a copy of a sent mail stays in {}: {error}", copy.folder);
        }
    }
    Ok(())
}

/// Stores a mail in a folder, with flags such as 4 for a draft, and returns where, if OX says so. Nothing is sent.
pub async fn append(session: &Session, folder: &str, flags: u32, mime: &[u8]) -> Result<Option<Stored>, Error> {
    let is_clean = mime.is_ascii();
    let call = if is_clean { new(mime) } else { import(mime) };
    let call = call.with("folder", folder).with("flags", flags).with("force", true);
    let reply = session.call(&call).await?;
    // `import` reports a mail that failed inside a success.
    if let Some(error) = reply.data.get(0).and_then(|first| first.get("Error")) {
        let text = error
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or("OX did not store the mail");
        return Err(Error::new(ErrorKind::Server, session.describe(&call), text));
    }
    Ok(stored(&reply.data))
}

fn new(mime: &[u8]) -> Call {
    Call::raw(
        "mail",
        "new",
        "text/plain; charset=us-ascii",
        Bytes::copy_from_slice(mime),
    )
}

/// The way for mails that are not 7-bit clean.
fn import(mime: &[u8]) -> Call {
    let file = Part {
        name: "file",
        file: Some(("mail.eml", "message/rfc822".to_owned())),
        bytes: Bytes::copy_from_slice(mime),
    };
    Call::upload("mail", "import", vec![file])
}

/// `{"folder_id":…,"id":…}`, an array of such, or the path `folder/id` in one text.
fn stored(data: &Value) -> Option<Stored> {
    match data {
        Value::Array(several) => several.first().and_then(stored),
        Value::Object(one) => Some(Stored {
            folder: one.get("folder_id").or_else(|| one.get("folder")).and_then(text)?,
            id: id_of(one)?,
        }),
        Value::String(path) => {
            let (folder, id) = path.rsplit_once('/')?;
            Some(Stored {
                folder: folder.to_owned(),
                id: id.to_owned(),
            })
        }
        _ => None,
    }
}

fn id_of(mail: &Map<String, Value>) -> Option<String> {
    mail.get("id").and_then(text)
}

/// Ids of mails are text, but some servers write numbers.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::callback_page;
    use crate::ox::testing::data;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;
    use crate::ox::testing::failure;

    const INBOX: &str = "default0/INBOX";
    const MIME: &[u8] = b"From: anton@example.com\r\nSubject: Hi\r\n\r\nHello\r\n";

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn subjects(mails: Vec<Result<Map<String, Value>, Failed>>) -> Vec<Result<String, (String, ErrorKind)>> {
        let subject = |mail: Map<String, Value>| mail["subject"].as_str().unwrap().to_owned();
        mails
            .into_iter()
            .map(|mail| mail.map(subject).map_err(|failed| (failed.id, failed.error.kind)))
            .collect()
    }

    #[tokio::test]
    async fn mails_are_read_at_once_and_stay_unread() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            "mail?get" => data(json!([{"id": "2", "subject": "B"}, null, {"id": 1, "subject": "A"}])),
            _ => each(request, |_| envelope("MSG-0032", 1)),
        })
        .await;
        let mails = fetch_json(&session, INBOX, &ids(&["1", "2", "3"])).await.unwrap();
        assert_eq!(
            subjects(mails),
            [
                Ok("A".to_owned()),
                Ok("B".to_owned()),
                Err(("3".to_owned(), ErrorKind::NotFound))
            ]
        );
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(
            (requests[0].parameter("unseen"), requests[0].parameter("view")),
            ("true", "raw")
        );
        assert_eq!(requests[0].json()[0], json!({"folder": INBOX, "id": "1"}));
        assert_eq!(
            requests[1].json(),
            json!([{"module": "mail", "action": "get", "folder": INBOX, "id": "3", "unseen": "true", "view": "raw",
                    "timezone": "UTC"}])
        );
    }

    #[tokio::test]
    async fn a_server_that_gives_one_mail_at_a_time_is_remembered() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            "mail?get" => failure("SVL-0002", 8),
            _ => each(request, |entry| json!({"data": {"id": entry["id"], "subject": "S"}})),
        })
        .await;
        for _ in 0..2 {
            let mails = fetch_json(&session, INBOX, &ids(&["1", "2"])).await.unwrap();
            assert_eq!(subjects(mails), [Ok("S".to_owned()), Ok("S".to_owned())]);
        }
        assert_eq!(server.names(), ["mail?get", "multiple", "multiple"]);
    }

    #[tokio::test]
    async fn a_bad_mail_is_not_remembered_as_a_bad_server() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            "mail?get" => failure("MSG-0032", 1),
            _ => each(request, |entry| json!({"data": {"id": entry["id"], "subject": "S"}})),
        })
        .await;
        for _ in 0..2 {
            fetch_json(&session, INBOX, &ids(&["1", "2"])).await.unwrap();
        }
        assert_eq!(server.names(), ["mail?get", "multiple", "mail?get", "multiple"]);
    }

    #[tokio::test]
    async fn the_source_is_exact() {
        let (server, session) =
            Server::with_session(|_| Response::text("application/octet-stream", b"Subject: \xfc\r\n".to_vec())).await;
        let source = source(&session, INBOX, "1044", 1000).await.unwrap();
        assert_eq!(&source[..], b"Subject: \xfc\r\n");
        let request = server.only();
        let parameters = ["folder", "id", "unseen", "src", "save"].map(|name| request.parameter(name).to_owned());
        assert_eq!(parameters, [INBOX, "1044", "true", "1", "1"]);
    }

    #[tokio::test]
    async fn error_pages_are_no_mails() {
        // Answer, kind.
        let cases = [
            (callback_page(&envelope("MSG-0032", 1)), ErrorKind::NotFound),
            (
                Response::text("text/html", "<h1>Error: MSG-0032</h1>"),
                ErrorKind::NotFound,
            ),
            (
                Response::text("text/html;charset=UTF-8", "<h1>An error occurred</h1>"),
                ErrorKind::Server,
            ),
            (failure("MSG-0032", 1), ErrorKind::NotFound),
        ];
        for (response, kind) in cases {
            let (_server, session) = Server::with_session(move |_| response.clone()).await;
            assert_eq!(source(&session, INBOX, "1", 1000).await.unwrap_err().kind, kind);
        }
    }

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

    #[tokio::test]
    async fn sends_and_stores_a_copy() {
        let (server, session) =
            Server::with_session(|_| data(json!({"folder_id": "default0/INBOX/Sent", "id": "5"}))).await;
        send(&session, MIME, true).await.unwrap();
        let request = server.only();
        assert_eq!((request.method.as_str(), request.name().as_str()), ("PUT", "mail?new"));
        assert_eq!(request.header("content-type"), "text/plain; charset=us-ascii");
        assert_eq!(request.body.as_bytes(), MIME);
        assert_eq!((request.parameter("copy2Sent"), request.parameter("folder")), ("", ""));
    }

    #[tokio::test]
    async fn an_unwanted_copy_is_removed() {
        // What the server says it stored, where the copy is.
        let cases = [
            (json!({"folder_id": "default0/INBOX/Sent", "id": "5"}), Some("5")),
            (json!("default0/INBOX/Sent/78"), Some("78")),
            (Value::Null, None),
        ];
        for (stored, copy) in cases {
            let (server, session) = Server::with_session(move |request| match request.action() {
                "new" => data(stored.clone()),
                // Even if that fails, the mail is out.
                _ => failure("MSG-0039", 11),
            })
            .await;
            send(&session, MIME, false).await.unwrap();
            let requests = server.requests();
            assert_eq!(requests[0].parameter("copy2Sent"), "false");
            let deleted = requests.get(1).map(|request| request.json());
            let expected = copy.map(|id| json!([{"folder": "default0/INBOX/Sent", "id": id}]));
            assert_eq!(deleted, expected);
        }
    }

    #[tokio::test]
    async fn sent_is_sent() {
        // Answer, error.
        let cases = [
            (failure("MSG-0042", 11), None),
            (failure("MSG-0043", 13), None),
            (failure("MSG-0082", 8), None),
            (data(Value::Null), None),
            (failure("MSG-0056", 1), Some(ErrorKind::SenderRefused)),
            (failure("MSG-0035", 8), Some(ErrorKind::Server)),
            (failure("MSG-0075", 4), Some(ErrorKind::Temporary)),
        ];
        for (response, kind) in cases {
            let (server, session) = Server::with_session(move |_| response.clone()).await;
            let outcome = send(&session, MIME, true).await;
            assert_eq!(outcome.err().map(|error| error.kind), kind);
            server.only();
        }
    }

    #[tokio::test]
    async fn drafts_are_stored_and_not_sent() {
        let (server, session) = Server::with_session(|_| data(json!({"folder_id": "default0/Drafts", "id": 9}))).await;
        let stored = append(&session, "default0/Drafts", 4, MIME).await.unwrap().unwrap();
        assert_eq!((stored.folder.as_str(), stored.id.as_str()), ("default0/Drafts", "9"));
        let request = server.only();
        assert_eq!(request.method, "PUT");
        assert_eq!(
            (request.parameter("folder"), request.parameter("flags")),
            ("default0/Drafts", "4")
        );
    }

    #[tokio::test]
    async fn mails_of_eight_bits_are_imported() {
        let stored = json!({"data": [{"folder_id": INBOX, "id": "1050"}]});
        let failed = json!({"data": [{"folder_id": INBOX, "Filename": "mail.eml", "Error": {"error": "no"}}]});
        // Answer, id.
        let cases = [
            (callback_page(&stored), Some("1050")),
            (Response::from(stored), Some("1050")),
            (Response::from(failed), None),
        ];
        for (response, id) in cases {
            let (server, session) = Server::with_session(move |_| response.clone()).await;
            let outcome = append(&session, INBOX, 0, "Subject: ü\r\n\r\n".as_bytes()).await;
            assert_eq!(outcome.ok().flatten().map(|stored| stored.id).as_deref(), id);
            let request = server.only();
            assert_eq!(
                (request.method.as_str(), request.name().as_str()),
                ("POST", "mail?import")
            );
            assert!(
                request
                    .body
                    .contains("Content-Type: message/rfc822\r\n\r\nSubject: ü\r\n")
            );
        }
    }
}
