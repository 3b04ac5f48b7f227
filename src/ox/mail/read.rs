//! Reading mails: as JSON objects, as source, and their attachments.
//!
//! Every reading asks for `unseen=true`, since OX marks as read what it hands out. Implements the API documentation,
//! "Module mail", "Get a mail" and "Get an attachment".

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::mail;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::fetch::Failed;
use crate::ox::items::objects;
use crate::ox::multiple::multiple;
use crate::ox::refusals::Feature;
use crate::ox::reply::Download;
use crate::ox::reply::Reply;
use crate::ox::reply::html_page_error;
use crate::ox::session::Session;
use crate::ox::value::id_text;

const HEAD_COLUMNS: &[ColumnName] = &[
    mail::ID.name(),
    mail::FROM.name(),
    mail::TO.name(),
    mail::SUBJECT.name(),
    mail::SENT_DATE.name(),
    mail::RECEIVED_DATE.name(),
    mail::FLAGS.name(),
];

/// How many mails are read in one call.
const CHUNK: usize = 100;

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
    if ids.len() < 2 || refusals.has(Feature::SeveralMails) {
        return Ok(HashMap::new());
    }
    let body: Vec<_> = ids.iter().map(|id| json!({"folder": folder, "id": id})).collect();
    let call = Call::put("mail", "get", body).with("view", "raw").with("unseen", true);
    let data = match session.call(&call).await {
        Ok(reply) => reply.data,
        Err(error) if error.kind.concerns_one_call() => {
            if matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Invalid) {
                log::debug!("{error}; this server gives one mail at a time");
                refusals.remember(Feature::SeveralMails);
            }
            return Ok(HashMap::new());
        }
        Err(error) => return Err(error),
    };
    let Value::Array(mails) = data else {
        refusals.remember(Feature::SeveralMails);
        return Ok(HashMap::new());
    };
    let mails = mails.into_iter().filter_map(|mail| match mail {
        Value::Object(mail) => Some((mail.get("id").and_then(id_text)?, mail)),
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

/// What the list of a folder tells of a mail that cannot be read: sender, recipients, subject and dates. `None` if it is
/// gone, or if OX does not tell that either.
pub async fn head(session: &Session, folder: &str, id: &str) -> Result<Option<Object>, Error> {
    let body = vec![json!({"folder": folder, "id": id})];
    let call = Call::put("mail", "list", body).with_columns(HEAD_COLUMNS);
    match session.call(&call).await {
        Ok(Reply {
            data: Value::Array(rows),
            ..
        }) => Ok(objects(HEAD_COLUMNS, rows).next()),
        Ok(_) => Ok(None),
        Err(error) if error.is_about_the_item() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The RFC 822 source, byte for byte, if it has no more than `limit` bytes ([`ErrorKind::TooLarge`]).
pub async fn source(session: &Session, folder: &str, id: &str, limit: usize) -> Result<Bytes, Error> {
    let call = get(folder, id).with("src", 1).with("save", 1);
    let download = session.download(&call, limit).await?;
    match is_html(&download) {
        true => Err(html_page_error(&download.bytes, &session.describe(&call))),
        false => Ok(download.bytes),
    }
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
    let download = session.download(&call, limit).await?;
    // A file is sent as `application/octet-stream`; but an old server might keep the type of HTML.
    if is_html(&download) && is_error_page(&download.bytes) {
        return Err(html_page_error(&download.bytes, &session.describe(&call)));
    }
    Ok(download)
}

fn is_html(download: &Download) -> bool {
    download.content_type.starts_with("text/html")
}

fn is_error_page(page: &[u8]) -> bool {
    let head = String::from_utf8_lossy(page.get(..4096).unwrap_or(page)).to_ascii_lowercase();
    head.contains("error") || head.contains("callback_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::callback_page;
    use crate::ox::testing::data;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;
    use crate::ox::testing::failure;

    const INBOX: &str = "default0/INBOX";

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
            (Response::text("text/html", "<h1>Sorry</h1>"), ErrorKind::Server),
            (failure("MSG-0032", 1), ErrorKind::NotFound),
        ];
        for (response, kind) in cases {
            let (_server, session) = Server::with_session(move |_| response.clone()).await;
            assert_eq!(source(&session, INBOX, "1", 1000).await.unwrap_err().kind, kind);
        }
    }

    #[tokio::test]
    async fn attachments_are_downloaded_as_they_are() {
        // Content type and body of the answer; error.
        let cases = [
            ("application/octet-stream", "<p>An error story</p>", None),
            ("text/html", "<p>A story</p>", None),
            ("text/html", "<h1>Error MSG-0049</h1>", Some(ErrorKind::NotFound)),
        ];
        for (content_type, body, kind) in cases {
            let (server, session) = Server::with_session(move |_| Response::text(content_type, body)).await;
            let outcome = attachment(&session, INBOX, "1", "2.1", 1000).await;
            assert_eq!(outcome.as_ref().err().map(|error| error.kind), kind);
            assert!(outcome.is_err() || outcome.is_ok_and(|file| file.bytes == body));
            let request = server.only();
            assert_eq!(
                (request.parameter("attachment"), request.parameter("save")),
                ("2.1", "1")
            );
        }
    }
}
