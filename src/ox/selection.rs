//! Folder tree 20: the folders that a user chose for his devices.
//!
//! OX adds the default folders to it by itself. Implements the API documentation, "Module folders", actions "list" and
//! "subscribe".

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use serde_json::Value;
use serde_json::json;

use crate::ox::call::Call;
use crate::ox::columns::folders;
use crate::ox::error::Error;
use crate::ox::folder::COLUMNS;
use crate::ox::folder::objects;
use crate::ox::multiple::multiple;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::tree::MAX_DEPTH;

const TREE: &str = "20";
/// The root, below which OX hangs what is in the tree.
const ROOT: &str = "1";

/// What is known of the tree at this server.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// It was read at least once: an error that comes later is trouble, and no sign of a server without it.
    is_there: AtomicBool,
    /// That it is not there was logged.
    is_missed: AtomicBool,
}

impl Session {
    /// The ids of the folders that the user chose for his devices; nothing where OX has no such choice, which is logged once.
    pub async fn selected_folders(&self) -> Result<Option<HashSet<String>>, Error> {
        let known = self.ox().selection();
        let (selected, reason) = match read(self).await {
            Ok(selected) if selected.is_empty() => (None, "it is empty, even without default folders".to_owned()),
            Ok(selected) => (Some(selected), String::new()),
            Err(error) if error.is_about_the_item() && !known.is_there.load(Ordering::Relaxed) => {
                (None, error.to_string())
            }
            Err(error) => return Err(error),
        };
        match &selected {
            Some(_) => known.is_there.store(true, Ordering::Relaxed),
            None if known.is_missed.swap(true, Ordering::Relaxed) => {}
            None => log::warn!(
                "OX has no folder tree {TREE}, so devices get all folders: {reason}; set \
                 com.openexchange.usm.eas.allow_folder_selection to the same value here and in OX"
            ),
        }
        Ok(selected)
    }

    /// Adds folders to those that the user chose for his devices.
    pub async fn select_folders(&self, ids: &[String]) -> Result<(), Error> {
        let entries: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "subscribe": true, "tree": TREE}))
            .collect();
        let call = Call::put("folders", "subscribe", entries).with("tree", 0);
        self.call(&call).await.map(drop)
    }
}

/// The tree, level by level, as far as OX says that it has levels.
async fn read(session: &Session) -> Result<HashSet<String>, Error> {
    let mut selected = HashSet::new();
    let mut parents = selected_in(session.call(&children(ROOT)).await?, &mut selected);
    for _ in 0..MAX_DEPTH {
        let calls: Vec<Call> = parents.iter().map(|parent| children(parent)).collect();
        parents.clear();
        for outcome in multiple(session, &calls).await? {
            match outcome {
                Ok(reply) => parents.extend(selected_in(reply, &mut selected)),
                Err(error) if error.is_about_the_item() => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(selected)
}

fn children(parent: &str) -> Call {
    Call::get("folders", "list")
        .with("parent", parent)
        .with("tree", TREE)
        .with("all", 1)
        .with_columns(COLUMNS)
}

/// Takes the folders of an answer in, and returns those that have others below them.
fn selected_in(reply: Reply, selected: &mut HashSet<String>) -> Vec<String> {
    let mut parents = Vec::new();
    for object in objects(reply.data) {
        let Some(id) = object.id(folders::ID) else { continue };
        let is_new = object.flag(folders::SUBSCRIBED) == Some(false) || selected.insert(id.clone());
        if is_new && object.flag(folders::SUBFOLDERS) == Some(true) {
            parents.push(id);
        }
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::error::ErrorKind;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::each;
    use crate::ox::testing::failure;

    /// Columns: id, parent, title, module, type, subfolders, own_rights, subscribed, standard_folder_type.
    fn row(id: &str, has_children: bool, is_subscribed: bool) -> Value {
        json!([id, "1", id, "mail", 7, has_children, 403_710_016, is_subscribed, 0])
    }

    #[tokio::test]
    async fn the_tree_is_read_level_by_level() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            "folders?list" => data(json!([
                row("31", false, true),
                row("default0/A", true, true),
                row("default0/B", false, false)
            ])),
            _ => each(request, |entry| match entry["parent"].as_str() {
                Some("default0/A") => json!({"data": [row("default0/A/x", true, true)]}),
                _ => json!({"data": [row("default0/A", true, true)]}),
            }),
        })
        .await;
        let mut selected: Vec<String> = session.selected_folders().await.unwrap().unwrap().into_iter().collect();
        selected.sort();
        assert_eq!(selected, ["31", "default0/A", "default0/A/x"]);
        let requests = server.requests();
        assert_eq!(requests.len(), 3, "a circle has an end");
        assert_eq!(
            (requests[0].parameter("tree"), requests[0].parameter("parent")),
            ("20", "1")
        );
    }

    #[tokio::test]
    async fn servers_without_the_tree() {
        // Answer, what comes of it.
        let cases = [
            (data(json!([])), Ok(false)),
            (failure("FLD-1004", 8), Ok(false)),
            (failure("SVL-0001", 8), Ok(false)),
            (failure("FLD-1035", 4), Err(ErrorKind::Temporary)),
            (data(json!([row("31", false, true)])), Ok(true)),
        ];
        for (answer, expected) in cases {
            let (_server, session) = Server::with_session(move |_| answer.clone()).await;
            let selected = session.selected_folders().await;
            let found = selected.map(|selected| selected.is_some()).map_err(|error| error.kind);
            assert_eq!(found, expected);
        }
    }

    #[tokio::test]
    async fn what_was_there_once_does_not_vanish_by_an_error() {
        let answers = std::sync::atomic::AtomicUsize::new(0);
        let (_server, session) = Server::with_session(move |_| match answers.fetch_add(1, Ordering::Relaxed) {
            0 => data(json!([row("31", false, true)])),
            _ => failure("FLD-1001", 8),
        })
        .await;
        assert!(session.selected_folders().await.unwrap().is_some());
        assert!(session.selected_folders().await.is_err());
    }

    #[tokio::test]
    async fn folders_are_selected() {
        let (server, session) = Server::with_session(|_| data(json!([]))).await;
        session.select_folders(&["default0/A".to_owned()]).await.unwrap();
        let request = server.only();
        assert_eq!(request.name(), "folders?subscribe");
        assert_eq!(
            request.json(),
            json!([{"id": "default0/A", "subscribe": true, "tree": "20"}])
        );
    }
}
