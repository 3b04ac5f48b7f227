//! Searches for contacts: `search`, `advancedSearch`, `autocomplete`.
//!
//! Implements the search bodies of the chapter "Contacts" and the prefix notation of search filters of the OX HTTP API.

use crate::call::Answer;
use crate::call::Call;
use crate::call::id_of;
use crate::error::JSON_SYNTAX;
use crate::error::OxError;
use crate::fields::text;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::errors::Errors;
use crate::pim::read;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use std::cmp::Ordering;

/// Fields that a `pattern` looks into.
const PATTERN_FIELDS: &[&str] = &[
    "display_name",
    "first_name",
    "last_name",
    "email1",
    "email2",
    "email3",
    "company",
];
/// Fields that a search body may name.
const SEARCHABLE: &[&str] = &[
    "last_name",
    "first_name",
    "display_name",
    "second_name",
    "nickname",
    "email1",
    "email2",
    "email3",
    "company",
    "department",
    "street_business",
    "city_business",
    "categories",
];

/// `search` by a pattern or by fields.
pub(super) fn search(world: &World, call: &Call) -> Result<Answer, OxError> {
    let body = call.json_object()?;
    let folders = folders(world, call, body.get("folder"));
    let Some(pattern) = body.get("pattern").and_then(text) else {
        let search = FieldSearch::of(world, &body)?;
        return answer(world, call, &folders, &|object| search.finds(object));
    };
    check_length(world, &pattern)?;
    let first_letter = body.get("startletter") == Some(&Value::Bool(true));
    let pattern = if first_letter { format!("{pattern}*") } else { pattern };
    answer(world, call, &folders, &|object| {
        PATTERN_FIELDS.iter().any(|key| like(object.text(key), &pattern, false))
    })
}

/// Conditions on fields: all must hold, or with `orSearch` any.
struct FieldSearch {
    conditions: Vec<(&'static str, String)>,
    any: bool,
    /// `emailAutoComplete`: only contacts with an address.
    with_mail: bool,
}

impl FieldSearch {
    fn of(world: &World, body: &Map<String, Value>) -> Result<Self, OxError> {
        let set = |key: &str| body.get(key) == Some(&Value::Bool(true));
        let conditions: Vec<(&'static str, String)> = SEARCHABLE
            .iter()
            .filter_map(|key| Some((*key, body.get(*key).and_then(text)?)))
            .collect();
        for (_, pattern) in &conditions {
            check_length(world, pattern)?;
        }
        let with_mail = set("emailAutoComplete");
        Ok(Self {
            conditions,
            any: with_mail || set("orSearch"),
            with_mail,
        })
    }

    fn finds(&self, object: &Object) -> bool {
        let mut conditions = self.conditions.iter();
        let mut holds = |(key, pattern): &(&'static str, String)| like(object.text(key), pattern, self.any);
        let matched = if self.any {
            conditions.any(&mut holds)
        } else {
            conditions.all(&mut holds)
        };
        let has_mail = ["email1", "email2", "email3"]
            .iter()
            .any(|key| !object.text(key).is_empty());
        matched && (has_mail || !self.with_mail)
    }
}

/// `advancedSearch` by a filter in prefix notation.
pub(super) fn advanced(world: &World, call: &Call) -> Result<Answer, OxError> {
    let body = call.json_object()?;
    let filter = body.get("filter").cloned().ok_or(JSON_SYNTAX)?;
    let folders = folders(world, call, body.get("folder"));
    answer(world, call, &folders, &move |object| holds(&filter, object))
}

/// `autocomplete`: prefixes of names and addresses, by default only contacts with an address.
pub(super) fn autocomplete(world: &World, call: &Call) -> Result<Answer, OxError> {
    let query = call.require("query")?.to_owned();
    check_length(world, &query)?;
    let with_mail = call.parameter("email") != Some("false");
    let folder = call.number("folder")?.map(Value::from);
    let folders = folders(world, call, folder.as_ref());
    answer(world, call, &folders, &move |object| {
        let has_mail = !object.text("email1").is_empty() || object.truth("mark_as_distributionlist");
        (has_mail || !with_mail) && PATTERN_FIELDS.iter().any(|key| like(object.text(key), &query, true))
    })
}

fn answer(world: &World, call: &Call, folders: &[u32], test: &dyn Fn(&Object) -> bool) -> Result<Answer, OxError> {
    let columns = read::columns(world, call, Module::Contacts)?;
    let mut views = Vec::new();
    let mut timestamp = 0;
    for folder in folders {
        for object in read::readable(world, call.user, Module::Contacts, *folder)? {
            if test(object) {
                timestamp = timestamp.max(object.modified);
                views.push(read::view(world, call, Module::Contacts, object, *folder));
            }
        }
    }
    let views = call.limited(read::sorted(call, Module::Contacts, views)?)?;
    let wire = world.wire(&call.zone);
    let rows: Vec<Value> = views
        .iter()
        .map(|view| wire.row(&Module::Contacts.fields(), view, &columns))
        .collect();
    Ok(Answer::stamped(rows, timestamp))
}

/// The folders to search: one, several, or all visible ones.
fn folders(world: &World, call: &Call, wanted: Option<&Value>) -> Vec<u32> {
    match wanted {
        Some(Value::Array(list)) => list.iter().filter_map(id_of).collect(),
        Some(one) if id_of(one).is_some() => id_of(one).into_iter().collect(),
        _ => world
            .visible_folders(call.user, Module::Contacts.content())
            .map(|folder| folder.id)
            .collect(),
    }
}

fn check_length(world: &World, pattern: &str) -> Result<(), OxError> {
    let length = pattern.chars().filter(|c| !matches!(c, '*' | '?')).count();
    let short = length < world.options.minimum_search_characters;
    if short {
        Err(Errors::of(Module::Contacts, world.profile()).pattern_short.into())
    } else {
        Ok(())
    }
}

/// Whether a value matches: with `*` and `?` as a whole, without them as substring, or with `prefix` at its beginning.
fn like(value: &str, pattern: &str, prefix: bool) -> bool {
    let (value, pattern) = (value.to_lowercase(), pattern.to_lowercase());
    if pattern.is_empty() || value.is_empty() {
        return false;
    }
    if pattern.contains(['*', '?']) {
        let (value, pattern): (Vec<char>, Vec<char>) = (value.chars().collect(), pattern.chars().collect());
        return glob(&value, &pattern);
    }
    if prefix {
        value.starts_with(&pattern)
    } else {
        value.contains(&pattern)
    }
}

/// `*` for any characters, `?` for one.
fn glob(value: &[char], pattern: &[char]) -> bool {
    let (mut v, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while v < value.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, v));
                p += 1;
            }
            Some(c) if *c == '?' || value.get(v) == Some(c) => {
                v += 1;
                p += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                v = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// A filter in prefix notation: `["and", …]`, `["=", {"field": "last_name"}, "Meier*"]`.
fn holds(filter: &Value, object: &Object) -> bool {
    let Some((operator, operands)) = filter.as_array().and_then(|list| list.split_first()) else {
        return false;
    };
    match operator.as_str().unwrap_or("") {
        "and" => operands.iter().all(|operand| holds(operand, object)),
        "or" => operands.iter().any(|operand| holds(operand, object)),
        "not" => operands.first().is_some_and(|operand| !holds(operand, object)),
        comparison => compares(comparison, operands, object),
    }
}

fn compares(operator: &str, operands: &[Value], object: &Object) -> bool {
    let [left, right] = operands else { return false };
    let Some(key) = left.get("field").and_then(Value::as_str) else {
        return false;
    };
    let stored = object.fields.get(key).unwrap_or(&Value::Null);
    let constant = text(right).unwrap_or_default();
    if let (Some(a), Ok(b)) = (stored.as_i64(), constant.parse::<i64>()) {
        return ordered(operator, a.cmp(&b));
    }
    let value = text(stored).unwrap_or_default();
    match operator {
        "=" if constant.contains(['*', '?']) => like(&value, &constant, false),
        "<>" if constant.contains(['*', '?']) => !like(&value, &constant, false),
        _ => ordered(operator, value.to_lowercase().cmp(&constant.to_lowercase())),
    }
}

fn ordered(operator: &str, order: Ordering) -> bool {
    match operator {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        // Value, pattern, prefix only, result.
        let cases = [
            ("Bergmann, Bea", "be*", true, true),
            ("Anna Berg", "be*", true, false),
            ("Anna Berg", "*be*", false, true),
            ("Anna Berg", "berg", false, true),
            ("Anna Berg", "berg", true, false),
            ("Meier", "m??er", false, true),
            ("Meier", "m?er", false, false),
            ("", "*", false, false),
        ];
        for (value, pattern, prefix, expected) in cases {
            assert_eq!(like(value, pattern, prefix), expected, "{value} like {pattern}");
        }
    }
}
