//! Sending mails, and storing them without sending.
//!
//! Implements the API documentation, "Module mail", "Send/Save mail as MIME data block" and "Import of mails".

use bytes::Bytes;
use serde_json::Value;

use crate::ox::call::Call;
use crate::ox::call::Part;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::mail::delete;
use crate::ox::session::Session;
use crate::ox::value::id_text;

/// "Sent, but no copy in Sent" twice, and "flag update after send failed".
const SENT_ALL_THE_SAME: &[&str] = &["MSG-0042", "MSG-0043", "MSG-0082"];

/// Where a mail was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub folder: String,
    pub id: String,
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

/// The id of the mail in a folder that has this Message-ID (angle brackets included).
pub async fn find_message(session: &Session, folder: &str, message_id: &str) -> Result<Option<String>, Error> {
    let call = Call::get("mail", "get")
        .with("folder", folder)
        .with("message_id", message_id)
        .with("unseen", true);
    match session.call(&call).await {
        Ok(reply) => Ok(reply.data.get("id").and_then(id_text)),
        Err(error) if error.kind.concerns_one_call() => Ok(None),
        Err(error) => Err(error),
    }
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

/// Stores a mail as [`append`] does, and returns its id. Where OX does not say it, the mail is looked for by its
/// Message-ID (angle brackets included).
pub async fn store(
    session: &Session,
    folder: &str,
    flags: u32,
    mime: &[u8],
    message_id: &str,
) -> Result<String, Error> {
    if let Some(stored) = append(session, folder, flags, mime).await? {
        return Ok(stored.id);
    }
    let found = find_message(session, folder, message_id).await?;
    found.ok_or_else(|| {
        let call = session.describe(&new(&[]));
        Error::new(ErrorKind::Garbled, call, "OX did not name the stored mail")
    })
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
        name: "file".to_owned(),
        file: Some(("mail.eml".to_owned(), "message/rfc822".to_owned())),
        bytes: Bytes::copy_from_slice(mime),
    };
    Call::upload("mail", "import", vec![file])
}

/// `{"folder_id":…,"id":…}`, an array of such, or the path `folder/id` in one text.
fn stored(data: &Value) -> Option<Stored> {
    match data {
        Value::Array(several) => several.first().and_then(stored),
        Value::Object(one) => Some(Stored {
            folder: one.get("folder_id").or_else(|| one.get("folder")).and_then(id_text)?,
            id: one.get("id").and_then(id_text)?,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::callback_page;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;

    const INBOX: &str = "default0/INBOX";
    const MIME: &[u8] = b"From: anton@example.com\r\nSubject: Hi\r\n\r\nHello\r\n";

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
    async fn a_stored_mail_is_found_where_ox_does_not_name_it() {
        let named = json!({"folder_id": "default0/Drafts", "id": "9"});
        let nameless = json!({"folder_id": "default0/Drafts", "id": null});
        // What OX says of the stored mail, what it has by that Message-ID, the id.
        let cases = [
            (named, data(json!({})), Some("9")),
            (nameless.clone(), data(json!({"id": "10"})), Some("10")),
            (nameless, failure("MSG-0032", 1), None),
            (Value::Null, data(json!({"id": 11})), Some("11")),
        ];
        for (stored, found, id) in cases {
            let (server, session) = Server::with_session(move |request| match request.action() {
                "new" => data(stored.clone()),
                _ => found.clone(),
            })
            .await;
            let outcome = store(&session, "default0/Drafts", 4, MIME, "<a@x>").await;
            assert_eq!(outcome.as_deref().ok(), id);
            let requests = server.requests();
            let asked = requests.get(1).map(|request| request.parameter("message_id"));
            assert_eq!(asked, (id != Some("9")).then_some("<a@x>"));
        }
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
