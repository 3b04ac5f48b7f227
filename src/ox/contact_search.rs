//! People by a part of their name or address.
//!
//! Finds contacts, not distribution lists. Implements the API documentation, "Module contacts", action "search".

use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::common;
use crate::ox::columns::contacts;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::session::Session;
use crate::ox::value::id_value;

/// The folder of all users of the context: "ids are the same in each context".
pub const GLOBAL_ADDRESS_BOOK: &str = "6";

/// What is known of a person that was found.
pub const PERSON_COLUMNS: &[ColumnName] = &[
    common::ID.name(),
    common::FOLDER_ID.name(),
    contacts::DISPLAY_NAME.name(),
    contacts::FIRST_NAME.name(),
    contacts::LAST_NAME.name(),
    contacts::NICKNAME.name(),
    contacts::EMAIL1.name(),
    contacts::EMAIL2.name(),
    contacts::EMAIL3.name(),
    contacts::TELEPHONE_BUSINESS1.name(),
    contacts::TELEPHONE_HOME1.name(),
    contacts::CELLULAR_TELEPHONE1.name(),
    contacts::COMPANY.name(),
    contacts::POSITION.name(),
    contacts::ROOM_NUMBER.name(),
    contacts::USER_ID.name(),
    contacts::MARK_AS_DISTRIBUTIONLIST.name(),
    contacts::IMAGE1.name(),
    contacts::IMAGE1_URL.name(),
    contacts::IMAGE1_CONTENT_TYPE.name(),
];

/// The fields that are looked into.
const SEARCHED: [&str; 7] = [
    "display_name",
    "first_name",
    "last_name",
    "nickname",
    "email1",
    "email2",
    "email3",
];

/// The contacts of these folders of whom a name or an address begins with the text, in any letter case. A folder that the
/// user may not see holds nobody; a text that OX thinks too short finds nobody.
pub async fn people(session: &Session, folders: &[String], text: &str) -> Result<Vec<Object>, Error> {
    let pattern: String = text.trim().chars().filter(|c| !matches!(c, '*' | '?' | '%')).collect();
    if pattern.is_empty() || folders.is_empty() {
        return Ok(Vec::new());
    }
    let folders: Vec<Value> = folders.iter().map(|folder| id_value(folder)).collect();
    let mut body = json!({"folder": folders, "orSearch": true});
    if let [folder] = folders.as_slice() {
        body["folder"] = folder.clone();
    }
    for field in SEARCHED {
        body[field] = format!("{pattern}*").into();
    }
    let columns = session.known(PERSON_COLUMNS).await?;
    let call = Call::put("contacts", "search", body).with_columns(&columns);
    let rows = match session.call(&call).await {
        Ok(reply) => reply.data,
        Err(error) if finds_nobody(error.kind) => {
            log::debug!("{error}; nobody is found");
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let Value::Array(rows) = rows else {
        return Ok(Vec::new());
    };
    let people = rows.into_iter().filter_map(|row| match row {
        Value::Array(row) => Some(Object::from_row(&columns, row)),
        _ => None,
    });
    Ok(people
        .filter(|person| person.flag(contacts::MARK_AS_DISTRIBUTIONLIST) != Some(true))
        .collect())
}

/// The address book is not there for this user, or OX does not search for so little.
const fn finds_nobody(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::PermissionDenied | ErrorKind::NotFound | ErrorKind::Unsupported | ErrorKind::Invalid
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;

    fn server_of(version: &'static str) -> impl Fn(&Request) -> Response {
        move |request| match request.name().as_str() {
            "config/serverVersion" => data(json!(version)),
            "contacts?search" => rows(request.parameter("columns")),
            _ => failure("SVL-0001", 8),
        }
    }

    /// A person and a list, in these columns.
    fn rows(columns: &str) -> Response {
        let cell = |column: &str, name: &str, list: bool| match column {
            "500" => json!(name),
            "602" => json!(list),
            _ => Value::Null,
        };
        let row = |name, list| -> Value { columns.split(',').map(|column| cell(column, name, list)).collect() };
        data(json!([row("Anton", false), row("All", true), null]))
    }

    #[tokio::test]
    async fn lists_are_no_people() {
        // Version, whether it has the column of URLs.
        for (version, has_urls) in [("7.8.4-Rev33", true), ("6.20.7 Rev5", false)] {
            let (server, session) = Server::with_session(server_of(version)).await;
            let found = people(&session, &["6".to_owned()], " a*n ").await.unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].text(contacts::DISPLAY_NAME), Some("Anton"));
            let asked = server
                .requests()
                .into_iter()
                .find(|request| request.action() == "search")
                .unwrap();
            let body = asked.json();
            assert_eq!((&body["folder"], &body["email1"]), (&json!(6), &json!("an*")));
            let columns = asked.parameter("columns");
            assert_eq!(
                columns.split(',').any(|column| column == "606"),
                has_urls,
                "{version}: {columns}"
            );
        }
    }

    #[tokio::test]
    async fn a_hidden_address_book_is_empty() {
        for code in ["CON-0104", "FLD-0003", "CON-1000"] {
            let (_server, session) = Server::with_session(move |_| failure(code, 3)).await;
            let found = people(&session, &["6".to_owned()], "a").await.unwrap();
            assert!(found.is_empty(), "{code}");
        }
    }
}
