//! Searching mail folders.
//!
//! OX searches one folder at a time; many folders go in one request. What to search for comes as the body of the call: a
//! filter, or an empty list for everything. Implements the API documentation, "Module mail", actions "search" and "all".

use serde_json::Value;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::mail;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::items::objects;
use crate::ox::multiple::multiple;
use crate::ox::refusals::Feature;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::value::id_text;

/// A mail that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The place of its folder among those that were searched.
    pub folder: usize,
    pub id: String,
    /// Milliseconds since 1970, UTC.
    pub received: i64,
}

const COLUMNS: &[ColumnName] = &[mail::ID.name(), mail::RECEIVED_DATE.name(), mail::FLAGS.name()];

/// Flag of a mail that is deleted but not yet expunged.
const DELETED: i64 = 2;

/// What says to which conversation a mail belongs.
const THREAD_COLUMNS: &[ColumnName] = &[
    mail::ID.name(),
    mail::RECEIVED_DATE.name(),
    mail::FLAGS.name(),
    mail::SUBJECT.name(),
    mail::SENT_DATE.name(),
];

/// The headers that follow the columns above, in this order.
const THREAD_HEADERS: [&str; 4] = ["Message-ID", "References", "In-Reply-To", "Thread-Index"];

/// The mails in these folders that the filter finds, the newest first. Folders that are gone or closed hold none. `None`: the
/// server does not know filters.
pub async fn search(session: &Session, folders: &[String], filter: &Value) -> Result<Option<Vec<Found>>, Error> {
    if session.ox().refusals().has(Feature::Filters) {
        return Ok(None);
    }
    let call = |folder: &String| {
        Call::put("mail", "search", filter.clone())
            .with("folder", folder)
            .with_columns(COLUMNS)
            .with("sort", mail::RECEIVED_DATE.id)
            .with("order", "desc")
    };
    let calls: Vec<_> = folders.iter().map(call).collect();
    let mut found = Vec::new();
    for (folder, outcome) in multiple(session, &calls).await?.into_iter().enumerate() {
        let rows = match rows(outcome) {
            Err(error) if matches!(error.kind, ErrorKind::Invalid | ErrorKind::Unsupported) => {
                log::info!("{error}; this server is searched by columns, without the content of mails");
                session.ox().refusals().remember(Feature::Filters);
                return Ok(None);
            }
            rows => objects(COLUMNS, rows?),
        };
        found.extend(rows.filter_map(|row| found_in(folder, &row)));
    }
    newest_first(&mut found);
    Ok(Some(found))
}

/// The same on servers without filters. `patterns` is a list of columns and patterns, one of which must fit; of what has
/// one, `is_wanted` sees these columns, the first three of which are id, time of arrival and flags.
pub async fn search_columns(
    session: &Session,
    folders: &[String],
    patterns: &Value,
    columns: &'static [ColumnName],
    is_wanted: impl Fn(&Object) -> bool,
) -> Result<Vec<Found>, Error> {
    let call = |folder: &String| {
        Call::put("mail", "search", patterns.clone())
            .with("folder", folder)
            .with_columns(columns)
    };
    let calls: Vec<_> = folders.iter().map(call).collect();
    let mut found = Vec::new();
    for (folder, outcome) in multiple(session, &calls).await?.into_iter().enumerate() {
        let wanted = objects(columns, rows(outcome)?).filter(|row| is_wanted(row));
        found.extend(wanted.filter_map(|row| found_in(folder, &row)));
    }
    newest_first(&mut found);
    Ok(found)
}

/// The mails in these folders whose conversation is the wanted one, the newest first. `is_wanted` sees subject and dates of a
/// mail and, below `headers`, what ties it to others. Servers that list no headers find only mails that start a conversation.
pub async fn conversations(
    session: &Session,
    folders: &[String],
    is_wanted: impl Fn(&Object) -> bool,
) -> Result<Vec<Found>, Error> {
    let rows = threads(session, folders).await?;
    let mut found: Vec<Found> = rows
        .into_iter()
        .filter_map(|(found, row)| is_wanted(&row).then_some(found))
        .collect();
    newest_first(&mut found);
    Ok(found)
}

/// All mails in these folders, each with what ties it to others, as in [`conversations`].
pub async fn threads(session: &Session, folders: &[String]) -> Result<Vec<(Found, Object)>, Error> {
    let call = |folder: &String| {
        Call::get("mail", "all")
            .with("folder", folder)
            .with_columns(THREAD_COLUMNS)
            .with("headers", THREAD_HEADERS.join(","))
    };
    let calls: Vec<_> = folders.iter().map(call).collect();
    let mut found = Vec::new();
    for (folder, outcome) in multiple(session, &calls).await?.into_iter().enumerate() {
        let rows = rows(outcome)?.into_iter().filter_map(with_headers);
        found.extend(rows.filter_map(|row| Some((found_in(folder, &row)?, row))));
    }
    Ok(found)
}

fn rows(outcome: Result<Reply, Error>) -> Result<Vec<Value>, Error> {
    match outcome {
        Ok(reply) => match reply.data {
            Value::Array(rows) => Ok(rows),
            _ => Ok(Vec::new()),
        },
        // MSG-0050: "folder holds no messages".
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::PermissionDenied) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// A row of columns and headers as an object that looks like a mail.
fn with_headers(row: Value) -> Option<Object> {
    let Value::Array(mut row) = row else {
        return None;
    };
    let headers = row.split_off(THREAD_COLUMNS.len().min(row.len()));
    let headers = THREAD_HEADERS.iter().map(|name| (*name).to_owned()).zip(headers);
    let mut object = Object::from_row(THREAD_COLUMNS, row).into_map();
    object.insert("headers".to_owned(), Value::Object(headers.collect()));
    Some(Object::from_map(object))
}

fn found_in(folder: usize, row: &Object) -> Option<Found> {
    if row.number(mail::FLAGS).unwrap_or_default() & DELETED != 0 {
        return None;
    }
    Some(Found {
        folder,
        id: row.as_map().get(mail::ID.key).and_then(id_text)?,
        received: row.time(mail::RECEIVED_DATE).unwrap_or_default(),
    })
}

fn newest_first(found: &mut [Found]) {
    found.sort_by(|one, other| {
        let key = |found: &Found| (std::cmp::Reverse(found.received), found.folder);
        key(one).cmp(&key(other)).then_with(|| one.id.cmp(&other.id))
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::testing::Server;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;

    fn folders() -> Vec<String> {
        ["A", "B", "C"].map(str::to_owned).to_vec()
    }

    #[tokio::test]
    async fn several_folders_in_one_request() {
        let (server, session) = Server::with_session(|request| {
            each(request, |entry| match entry["folder"].as_str() {
                Some("A") => json!({"data": [["1", 10, 0], ["2", 30, 0], ["3", 40, 2]]}),
                Some("B") => envelope("MSG-0066", 1),
                _ => json!({"data": [[7, 20, 32]]}),
            })
        })
        .await;
        let found = search(&session, &folders(), &json!([])).await.unwrap().unwrap();
        let ids: Vec<_> = found
            .iter()
            .map(|found| (found.folder, found.id.as_str(), found.received))
            .collect();
        assert_eq!(ids, [(0, "2", 30), (2, "7", 20), (0, "1", 10)]);
        assert_eq!(server.names(), ["multiple"]);
    }

    #[tokio::test]
    async fn a_server_without_filters_is_remembered() {
        let (server, session) = Server::with_session(|request| {
            each(request, |entry| match entry["data"].is_array() {
                true => json!({"data": [["1", 10, 0, "S"], ["2", 30, 0, "T"]]}),
                false => envelope("SVL-0009", 8),
            })
        })
        .await;
        const SUBJECTS: &[ColumnName] = &[
            mail::ID.name(),
            mail::RECEIVED_DATE.name(),
            mail::FLAGS.name(),
            mail::SUBJECT.name(),
        ];
        for _ in 0..2 {
            let filter = json!({"filter": ["=", {"field": "subject"}, "S"]});
            assert_eq!(search(&session, &folders(), &filter).await.unwrap(), None);
            let patterns = json!([{"col": 607, "pattern": "S"}]);
            let wanted = |row: &Object| row.text(mail::SUBJECT) == Some("S");
            let found = search_columns(&session, &folders()[..1], &patterns, SUBJECTS, wanted).await;
            assert_eq!(found.unwrap().len(), 1);
        }
        assert_eq!(server.names(), ["multiple", "multiple", "multiple"]);
    }

    #[tokio::test]
    async fn headers_stand_behind_the_columns() {
        let (_server, session) = Server::with_session(|request| {
            each(
                request,
                |_| json!({"data": [["1", 10, 0, "S", 9, "<a@x>", null, "<b@x>"], ["2", 10, 0]]}),
            )
        })
        .await;
        let wanted = |row: &Object| row.as_map()["headers"]["In-Reply-To"] == "<b@x>";
        let found = conversations(&session, &folders()[..1], wanted).await.unwrap();
        assert_eq!(found.len(), 1);
    }
}
