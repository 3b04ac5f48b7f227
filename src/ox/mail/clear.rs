//! Emptying mail folders.
//!
//! Implements the API documentation, "Module mail", action "clear".

use serde_json::Value;
use serde_json::json;

use crate::ox::call::Call;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::session::Session;
use crate::ox::value::id_text;

/// Deletes all mails of a folder; folders below it stay. What is deleted elsewhere than in the trash goes there first.
pub async fn clear(session: &Session, folder: &str) -> Result<(), Error> {
    let call = Call::put("mail", "clear", json!([folder]));
    let reply = session.call(&call).await?;
    // "→ array of not cleared ids".
    let left = reply.data.as_array().map(Vec::as_slice).unwrap_or_default();
    match left.iter().filter_map(id_of).any(|id| id == folder) {
        false => Ok(()),
        true => Err(Error::new(
            ErrorKind::PermissionDenied,
            session.describe(&call),
            "OX did not empty the folder",
        )),
    }
}

fn id_of(entry: &Value) -> Option<String> {
    id_text(entry.get("id").unwrap_or(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;

    #[tokio::test]
    async fn what_is_left_is_an_error() {
        let cases = [
            (json!([]), true),
            (Value::Null, true),
            (json!(["default0/Trash"]), false),
            (json!([{"id": "default0/Trash"}]), false),
        ];
        for (answer, cleared) in cases {
            let (server, session) = Server::with_session(move |_| data(answer.clone())).await;
            assert_eq!(clear(&session, "default0/Trash").await.is_ok(), cleared);
            assert_eq!(server.only().json(), json!(["default0/Trash"]));
        }
    }
}
