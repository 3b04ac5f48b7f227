//! Whether a user may use ActiveSync at all, as OX's permissions say.
//!
//! Servers from 7.4.2 on list capabilities; older ones have the same permissions in the configuration tree, and the oldest
//! know only the one that was made for SyncML and is called "mobility" elsewhere. Implements the API documentation,
//! "Module capabilities" and "Module config".

use std::collections::HashSet;

use serde_json::Value;

use crate::ox::call::Call;
use crate::ox::error::Error;
use crate::ox::session::Session;
use crate::ox::settings::config;

/// The ids of the user's capabilities; nothing on servers that have no such module.
#[derive(Debug)]
pub(super) struct Capabilities(Option<HashSet<String>>);

/// Name in the configuration of the gateway, capability, path in OX's configuration tree.
const PERMISSIONS: [(&str, &str, &str); 4] = [
    ("syncml", "mobility", SYNCML),
    ("mobility", "mobility", SYNCML),
    ("usm", "usm", "config/modules/com.openexchange.usm/module"),
    (
        "active_sync",
        "active_sync",
        "config/modules/com.openexchange.usm.eas/module",
    ),
];

/// The permission of the time before ActiveSync had one.
const SYNCML: &str = "config/modules/interfaces/syncml";

impl Session {
    /// Whether OX grants the user a permission: `active_sync`, `usm`, `syncml`, or the name of any other capability.
    /// Always, if the name is empty or `none`.
    pub async fn may_use(&self, permission: &str) -> Result<bool, Error> {
        let name = permission.trim().to_ascii_lowercase();
        if name.is_empty() || name == "none" {
            return Ok(true);
        }
        let row = PERMISSIONS.iter().find(|row| row.0 == name);
        let capability = row.map_or(name.as_str(), |row| row.1);
        let Capabilities(known) = self.capabilities_cell().get_or_try_init(|| read(self)).await?;
        if let Some(known) = known {
            return Ok(known.contains(capability));
        }
        let own = format!("config/modules/{name}/module");
        let paths: &[&str] = match row {
            Some((_, _, path)) => &[path, SYNCML],
            None => &[own.as_str()],
        };
        for path in paths {
            if let Some(Value::Bool(granted)) = config(self, path).await? {
                return Ok(granted);
            }
        }
        Ok(false)
    }
}

async fn read(session: &Session) -> Result<Capabilities, Error> {
    let reply = match session.call(&Call::get("capabilities", "all")).await {
        Ok(reply) => reply,
        Err(error) if error.kind.concerns_one_call() => return Ok(Capabilities(None)),
        Err(error) => return Err(error),
    };
    let entries = reply
        .data
        .as_array()
        .map(|entries| entries.iter().filter_map(id).collect());
    Ok(Capabilities(entries))
}

/// "Array of objects with id"; plain ids will do as well.
fn id(entry: &Value) -> Option<String> {
    let id = entry.get("id").unwrap_or(entry).as_str()?;
    Some(id.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;

    #[tokio::test]
    async fn capabilities_decide_where_there_are_any() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            "capabilities?all" => {
                data(json!([{"id": "webmail", "attributes": {}}, {"id": "Active_Sync"}, {"id": "mobility"}]))
            }
            name => panic!("{name}"),
        })
        .await;
        // Permission, granted.
        let cases = [
            ("active_sync", true),
            ("ACTIVE_SYNC", true),
            ("syncml", true),
            ("usm", false),
            ("webmail", true),
            ("", true),
            ("none", true),
        ];
        for (permission, granted) in cases {
            assert_eq!(session.may_use(permission).await.unwrap(), granted, "{permission}");
        }
        assert_eq!(server.requests().len(), 1);
    }

    #[tokio::test]
    async fn old_servers_have_it_in_their_configuration() {
        let (_server, session) = Server::with_session(|request| match request.name().as_str() {
            "capabilities?all" => failure("SVL-0006", 8),
            "config/modules/interfaces/syncml" => data(json!(true)),
            "config/modules/com.openexchange.usm/module" => data(json!(false)),
            _ => failure("USS-0001", 8),
        })
        .await;
        // Permission, granted.
        for (permission, granted) in [
            ("syncml", true),
            ("active_sync", true),
            ("usm", false),
            ("other", false),
        ] {
            assert_eq!(session.may_use(permission).await.unwrap(), granted, "{permission}");
        }
    }

    #[tokio::test]
    async fn what_nobody_grants_is_not_granted() {
        let (_server, session) = Server::with_session(|_| Response::text("text/html", "").with_status(404)).await;
        assert!(!session.may_use("active_sync").await.unwrap());
    }
}
