//! Making, renaming, moving and deleting folders.
//!
//! Implements the API documentation, "Module folders".

use serde_json::Value;
use serde_json::json;

use crate::ox::call::Call;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::error::category;
use crate::ox::error::classify;
use crate::ox::module::Module;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::value::id_text;

/// A timestamp later than any change: the write takes place whatever happened since.
const FAR_FUTURE: i64 = 1 << 53;

impl Session {
    /// Makes a folder and returns its id.
    pub async fn create_folder(&self, module: Module, parent: &str, title: &str) -> Result<String, Error> {
        let call = Call::put("folders", "new", json!({"title": title, "module": module.name()}))
            .with("folder_id", parent)
            .with("tree", 0);
        let reply = self.call(&call).await?;
        id(&reply.data).ok_or_else(|| {
            Error::new(
                ErrorKind::Garbled,
                self.describe(&call),
                "OX did not name the new folder",
            )
        })
    }

    /// Renames a folder and returns its id, which is a new one for a mail folder.
    pub async fn rename_folder(&self, folder: &str, title: &str) -> Result<String, Error> {
        self.update_folder(folder, json!({"title": title})).await
    }

    /// Moves a folder below another one and returns its id, which is a new one for a mail folder.
    pub async fn move_folder(&self, folder: &str, parent: &str) -> Result<String, Error> {
        self.update_folder(folder, json!({"folder_id": parent})).await
    }

    /// Renames and moves a folder in one step.
    pub async fn change_folder(&self, folder: &str, parent: &str, title: &str) -> Result<String, Error> {
        self.update_folder(folder, json!({"folder_id": parent, "title": title}))
            .await
    }

    async fn update_folder(&self, folder: &str, change: Value) -> Result<String, Error> {
        let call = Call::put("folders", "update", change)
            .with("id", folder)
            .with("tree", 0)
            .with("timestamp", FAR_FUTURE);
        let reply = self.call(&call).await?;
        Ok(id(&reply.data).unwrap_or_else(|| folder.to_owned()))
    }

    /// Deletes a folder with all that is in it; a mail folder goes to the trash first. One that is gone already is deleted.
    pub async fn delete_folder(&self, folder: &str) -> Result<(), Error> {
        let call = Call::put("folders", "delete", json!([folder]))
            .with("tree", 0)
            .with("timestamp", FAR_FUTURE);
        let reply = match self.call(&call).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            reply => reply?,
        };
        refused(&reply, folder, &self.describe(&call))
    }
}

/// "`data`: array of ids that were not deleted"; the reason stands among the warnings.
fn refused(reply: &Reply, folder: &str, call: &str) -> Result<(), Error> {
    let left = reply.data.as_array().into_iter().flatten().filter_map(id);
    if !left.into_iter().any(|left| left == folder) {
        return Ok(());
    }
    let Some(warning) = reply.warnings.first() else {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            call,
            "OX did not delete the folder",
        ));
    };
    let category = warning.category.filter(|category| *category != category::WARNING);
    match classify(&warning.code, category.or(Some(category::PERMISSION_DENIED))) {
        ErrorKind::NotFound => Ok(()),
        kind => Err(Error::new(kind, call, &warning.text).with_code(&warning.code)),
    }
}

/// The id of a folder; some versions answer with an object that holds it.
fn id(data: &Value) -> Option<String> {
    id_text(data.get("id").unwrap_or(data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;

    #[tokio::test]
    async fn folders_are_made_renamed_and_moved() {
        let (server, session) = Server::with_session(|request| match request.action() {
            "new" => data(json!("default0/INBOX/Projekt")),
            _ => data(json!("default0/INBOX/Projekt B")),
        })
        .await;
        let id = session
            .create_folder(Module::Mail, "default0/INBOX", "Projekt")
            .await
            .unwrap();
        assert_eq!(id, "default0/INBOX/Projekt");
        let new = &server.requests()[0];
        assert_eq!(
            (new.parameter("folder_id"), new.parameter("tree")),
            ("default0/INBOX", "0")
        );
        assert_eq!(new.json(), json!({"title": "Projekt", "module": "mail"}));
        assert_eq!(
            session.rename_folder(&id, "Projekt B").await.unwrap(),
            "default0/INBOX/Projekt B"
        );
        let update = &server.requests()[1];
        assert_eq!(
            (update.name().as_str(), update.parameter("id")),
            ("folders?update", "default0/INBOX/Projekt")
        );
        session.move_folder(&id, "default0/Archiv").await.unwrap();
        assert_eq!(server.requests()[2].json(), json!({"folder_id": "default0/Archiv"}));
    }

    #[tokio::test]
    async fn a_folder_that_is_left_was_not_deleted() {
        // Answer, error.
        let cases = [
            (data(json!([])), None),
            (failure("FLD-0008", 1), None),
            (failure("FLD-1026", 3), Some(ErrorKind::PermissionDenied)),
            (data(json!(["default0/Sent"])), Some(ErrorKind::PermissionDenied)),
            (
                json!({"data": ["default0/Sent"], "error": "no", "code": "MSG-0099", "category": 13, "categories": "WARNING",
                       "warnings": {"error": "no", "code": "MSG-0099", "category": 3}})
                .into(),
                Some(ErrorKind::PermissionDenied),
            ),
        ];
        for (response, kind) in cases {
            let (server, session) = Server::with_session(move |_| response.clone()).await;
            let outcome = session.delete_folder("default0/Sent").await;
            assert_eq!(outcome.err().map(|error| error.kind), kind);
            assert_eq!(server.only().json(), json!(["default0/Sent"]));
        }
    }
}
