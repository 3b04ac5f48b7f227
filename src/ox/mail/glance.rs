//! A glance into mail folders: whether they hold certain mails, or any, without listing them.
//!
//! Implements the API documentation, "Module mail", actions "list" and "all".

use serde_json::Value;
use serde_json::json;

use crate::ox::call::Call;
use crate::ox::columns::mail;
use crate::ox::error::Error;
use crate::ox::items::Item;
use crate::ox::items::MAIL_COLUMNS;
use crate::ox::items::mail_item;
use crate::ox::items::objects;
use crate::ox::multiple::multiple;
use crate::ox::reply::Reply;
use crate::ox::session::Session;

/// What a glance into a folder brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Those of the mails in question that are there.
    pub mails: Vec<Item>,
    pub is_empty: bool,
}

/// Looks for mails of these ids in each of these folders. One HTTP request for 25 folders. Nothing for a folder into which
/// OX does not let us look.
pub async fn glances(session: &Session, folders: &[&str], ids: &[&str]) -> Result<Vec<Option<Glance>>, Error> {
    let calls = folders.iter().flat_map(|folder| {
        let search = (!ids.is_empty()).then(|| search(folder, ids));
        search.into_iter().chain([newest(folder)])
    });
    let mut outcomes = multiple(session, &calls.collect::<Vec<Call>>()).await?.into_iter();
    let mut glances = Vec::with_capacity(folders.len());
    for _ in folders {
        let found = match ids.is_empty() {
            true => Some(Vec::new()),
            false => next(&mut outcomes)?,
        };
        let newest = next(&mut outcomes)?;
        glances.push(found.zip(newest).map(|(found, newest)| Glance {
            mails: objects(MAIL_COLUMNS, found).filter_map(|row| mail_item(&row)).collect(),
            is_empty: newest.is_empty(),
        }));
    }
    Ok(glances)
}

fn search(folder: &str, ids: &[&str]) -> Call {
    let mails: Vec<Value> = ids.iter().map(|id| json!({"folder": folder, "id": id})).collect();
    Call::put("mail", "list", mails).with_columns(MAIL_COLUMNS)
}

fn newest(folder: &str) -> Call {
    Call::get("mail", "all")
        .with("folder", folder)
        .with_columns(MAIL_COLUMNS)
        .with("sort", mail::RECEIVED_DATE.id)
        .with("order", "desc")
        .with("left_hand_limit", 0)
        .with("right_hand_limit", 1)
}

/// The rows of the next answer; nothing where it is this folder that OX has no answer for.
fn next(outcomes: &mut impl Iterator<Item = Result<Reply, Error>>) -> Result<Option<Vec<Value>>, Error> {
    match outcomes.next() {
        Some(Ok(reply)) => Ok(match reply.data {
            Value::Array(rows) => Some(rows),
            Value::Null => Some(Vec::new()),
            _ => None,
        }),
        Some(Err(error)) if !error.is_about_the_item() => Err(error),
        Some(Err(_)) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::error::ErrorKind;
    use crate::ox::testing::Server;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;

    const RECEIVED: i64 = 1_700_000_300_000;

    #[tokio::test]
    async fn mails_are_looked_for_in_folders() {
        let (server, session) = Server::with_session(|request| {
            each(request, |entry| match (entry["action"].as_str(), entry.to_string()) {
                (_, text) if text.contains("Gone") => envelope("MSG-0066", 1),
                (Some("list"), text) if text.contains("Full") => json!({"data": [["7", RECEIVED, 32], null]}),
                (Some("all"), text) if text.contains("Full") => json!({"data": [["9", RECEIVED, 0]]}),
                _ => json!({"data": []}),
            })
        })
        .await;
        let folders = ["default0/Full", "default0/Gone", "default0/Empty"];
        let glances = glances(&session, &folders, &["7", "8"]).await.unwrap();
        let found = |glance: &Option<Glance>| {
            let glance = glance.as_ref()?;
            let ids: Vec<String> = glance.mails.iter().map(|mail| mail.id.clone()).collect();
            Some((ids, glance.is_empty))
        };
        let expected = [Some((vec!["7".to_owned()], false)), None, Some((vec![], true))];
        assert_eq!(glances.iter().map(found).collect::<Vec<_>>(), expected);
        let entries = server.only().json();
        assert_eq!(entries.as_array().unwrap().len(), 6);
        assert_eq!(
            entries[0]["data"],
            json!([{"folder": "default0/Full", "id": "7"}, {"folder": "default0/Full", "id": "8"}])
        );
        assert_eq!(
            (&entries[1]["right_hand_limit"], &entries[1]["columns"]),
            (&json!("1"), &json!("600,610,611"))
        );
    }

    #[tokio::test]
    async fn whether_they_are_empty() {
        let (server, session) = Server::with_session(|request| each(request, |_| json!({"data": []}))).await;
        let glances = glances(&session, &["default0/A", "default0/B"], &[]).await.unwrap();
        let empty = Glance {
            mails: Vec::new(),
            is_empty: true,
        };
        assert_eq!(glances, [Some(empty.clone()), Some(empty)]);
        assert_eq!(server.only().json().as_array().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn trouble_is_no_answer() {
        let (_server, session) = Server::with_session(|request| each(request, |_| envelope("MSG-1016", 6))).await;
        let error = glances(&session, &["default0/A"], &["7"]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Temporary);
    }
}
