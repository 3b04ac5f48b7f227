//! The out-of-office notice, which is a rule of the mail server.
//!
//! What a rule says is read and written elsewhere. Implements the API documentation, "Module mailfilter".

use serde_json::Map;
use serde_json::Value;

use crate::ox::call::Call;
use crate::ox::error::Error;
use crate::ox::session::Session;

/// The capability of servers that have the newer module, and the two modules.
const NEWER: (&str, &str) = ("mailfilter_v2", "mailfilter/v2");
const OLDER: &str = "mailfilter";

/// The flag that marks the rule.
const FLAG: &str = "vacation";

/// The user's rule, if there is one. Without the package, OX answers `Unsupported` or `PermissionDenied`.
pub async fn vacation(session: &Session) -> Result<Option<Map<String, Value>>, Error> {
    let call = Call::get(module(session).await?, "list").with("flag", FLAG);
    let Value::Array(rules) = session.call(&call).await?.data else {
        return Ok(None);
    };
    let is_vacation = |rule: &Map<String, Value>| {
        let flags = rule.get("flags").and_then(Value::as_array);
        flags.is_some_and(|flags| flags.iter().any(|flag| flag == FLAG))
    };
    // Servers that do not know the parameter list all rules.
    Ok(rules
        .into_iter()
        .filter_map(|rule| match rule {
            Value::Object(rule) => Some(rule),
            _ => None,
        })
        .find(is_vacation))
}

/// Writes a rule: the one with its `id`, or a new one if it has none.
pub async fn save_vacation(session: &Session, rule: Map<String, Value>) -> Result<(), Error> {
    let action = if rule.contains_key("id") { "update" } else { "new" };
    session
        .call(&Call::put(module(session).await?, action, rule))
        .await
        .map(|_| ())
}

async fn module(session: &Session) -> Result<&'static str, Error> {
    let (capability, newer) = NEWER;
    Ok(if session.may_use(capability).await? {
        newer
    } else {
        OLDER
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;

    #[tokio::test]
    async fn the_newer_module_where_there_is_one() {
        for (capability, expected) in [("mailfilter", "mailfilter"), ("mailfilter_v2", "mailfilter/v2")] {
            let (server, session) = Server::with_session(move |request| match request.name().as_str() {
                "capabilities?all" => data(json!([{"id": capability}])),
                _ => data(json!([{"id": 1, "flags": ["spam"]}, {"id": 3, "flags": ["vacation"]}])),
            })
            .await;
            let mut rule = vacation(&session).await.unwrap().unwrap();
            assert_eq!(rule["id"], 3);
            save_vacation(&session, rule.clone()).await.unwrap();
            rule.remove("id");
            save_vacation(&session, rule).await.unwrap();
            let names = server.names();
            let names: Vec<_> = names.iter().filter(|name| name.starts_with("mailfilter")).collect();
            let expected = ["list", "update", "new"].map(|action| format!("{expected}?{action}"));
            assert_eq!(names, expected.iter().collect::<Vec<_>>());
        }
    }
}
