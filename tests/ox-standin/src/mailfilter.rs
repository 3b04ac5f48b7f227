//! The module `mailfilter`: rules of the mail server, kept but never run.
//!
//! Implements "Mailfilter" of the OX HTTP API as far as an out-of-office notice needs it.

use crate::call::Answer;
use crate::call::Call;
use crate::call::id_under;
use crate::error::JSON_SYNTAX;
use crate::error::OxError;
use crate::world::World;
use serde_json::Value;
use serde_json::json;

/// Answers a call of the module; `None` for an unknown action.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "config" => json!({
            "tests": [{"test": "true"}, {"test": "allof"}, {"test": "currentdate", "comparison": ["ge", "le", "is"]}],
            "actioncommands": ["vacation", "redirect", "keep", "fileinto"],
        }),
        "list" => {
            let flag = call.parameter("flag").map(|flag| json!(flag));
            let rules = world.filters.get(&call.user).into_iter().flatten();
            let wanted = rules.filter(|rule| {
                let flags = rule.get("flags").and_then(Value::as_array);
                flag.as_ref()
                    .is_none_or(|flag| flags.is_some_and(|flags| flags.contains(flag)))
            });
            wanted.cloned().map(Value::Object).collect()
        }
        "new" => {
            let mut rule = call.json_object()?;
            let id = world.next_id("mailfilter");
            rule.insert("id".to_owned(), json!(id));
            let rules = world.filters.entry(call.user).or_default();
            rule.entry("position").or_insert(json!(rules.len()));
            rules.push(rule);
            json!(id)
        }
        "update" => {
            let changes = call.json_object()?;
            let id = changes.get("id").and_then(crate::call::id_of).ok_or(JSON_SYNTAX)?;
            rule_mut(world, call.user, id)?.extend(changes);
            Value::Null
        }
        "delete" => {
            let id = id_under(&call.json()?, &["id"]).ok_or(JSON_SYNTAX)?;
            rule_mut(world, call.user, id)?;
            if let Some(rules) = world.filters.get_mut(&call.user) {
                rules.retain(|rule| rule.get("id") != Some(&json!(id)));
            }
            Value::Null
        }
        _ => return Ok(None),
    };
    Ok(Some(Answer::data(answer)))
}

fn rule_mut(world: &mut World, user: u32, id: u32) -> Result<&mut serde_json::Map<String, Value>, OxError> {
    let rules = world.filters.entry(user).or_default();
    let found = rules.iter_mut().find(|rule| rule.get("id") == Some(&json!(id)));
    found.ok_or_else(|| OxError::new("MAIL_FILTER-0010", 1, "The rule could not be found."))
}
