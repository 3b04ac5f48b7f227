//! Searches in one mail folder, by columns and patterns or by a filter in prefix notation.
//!
//! Implements `search` of the chapter "Mail" and the search filters of the OX HTTP API.

use crate::call::Answer;
use crate::call::Call;
use crate::call::id_under;
use crate::error::JSON_SYNTAX;
use crate::error::MAIL_PATTERN_SHORT;
use crate::error::OxError;
use crate::fields::Column;
use crate::fields::integer;
use crate::fields::text;
use crate::mail;
use crate::mail::fields;
use crate::mail::fields::View;
use crate::mail::list;
use crate::world::World;
use serde_json::Value;

/// `search`: rows as in `all`.
pub(super) fn search(world: &World, call: &Call) -> Result<Answer, OxError> {
    let name = mail::full_name(call.require("folder")?)?;
    let folder = mail::folder(mail::mailbox(world, call.user)?, &name)?;
    let columns = list::columns(world, call)?;
    let body = call.json()?;
    let conditions = match (&body, body.get("filter")) {
        (Value::Array(list), _) => Conditions::Columns(columns_and_patterns(world, list)?),
        (_, Some(filter)) if world.profile().searches_by_filter() => Conditions::Filter(filter),
        _ => return Err(JSON_SYNTAX.into()),
    };
    let views = folder.mails.iter().map(|(uid, mail)| View {
        folder: &name,
        uid: *uid,
        mail,
        zone: &call.zone,
    });
    let found = views.filter(|view| conditions.hold(*view)).collect();
    let found = call.limited(list::sorted(call, found)?)?;
    Ok(Answer::data(
        found
            .into_iter()
            .map(|view| fields::row(view, &columns))
            .collect::<Vec<Value>>(),
    ))
}

enum Conditions<'a> {
    /// Any of them; none at all finds everything.
    Columns(Vec<(u32, String)>),
    Filter(&'a Value),
}

impl Conditions<'_> {
    fn hold(&self, view: View) -> bool {
        match self {
            Self::Columns(list) => {
                let mut list = list.iter();
                list.len() == 0 || list.any(|(column, pattern)| contains(&value_of(view, *column), pattern))
            }
            Self::Filter(filter) => holds(filter, view),
        }
    }
}

fn columns_and_patterns(world: &World, list: &[Value]) -> Result<Vec<(u32, String)>, OxError> {
    let mut conditions = Vec::new();
    for entry in list {
        let column = id_under(entry, &["col"]).ok_or(JSON_SYNTAX)?;
        let pattern = entry.get("pattern").and_then(text).ok_or(JSON_SYNTAX)?;
        if pattern.trim_matches('*').chars().count() < world.options.minimum_search_characters {
            return Err(MAIL_PATTERN_SHORT.into());
        }
        conditions.push((column, pattern));
    }
    Ok(conditions)
}

/// The searchable text of a column; columns that are none stand for the content.
fn value_of(view: View, column: u32) -> String {
    flatten(&fields::cell(view, &Column::Number(column)))
}

fn flatten(value: &Value) -> String {
    match value {
        Value::Array(list) => list.iter().map(flatten).collect::<Vec<String>>().join(" "),
        other => text(other).unwrap_or_default(),
    }
}

fn contains(value: &str, pattern: &str) -> bool {
    value.to_lowercase().contains(&pattern.trim_matches('*').to_lowercase())
}

/// `["and", …]`, `["=", {"field": "subject"}, "x"]`, `[">", {"field": "received_date"}, 1700000000000]`.
fn holds(filter: &Value, view: View) -> bool {
    let Some((operator, operands)) = filter.as_array().and_then(|list| list.split_first()) else {
        return false;
    };
    match (operator.as_str().unwrap_or(""), operands) {
        ("and", operands) => operands.iter().all(|operand| holds(operand, view)),
        ("or", operands) => operands.iter().any(|operand| holds(operand, view)),
        ("not", [operand, ..]) => !holds(operand, view),
        (comparison, [left, right]) => compares(comparison, left, right, view),
        _ => false,
    }
}

fn compares(operator: &str, left: &Value, right: &Value, view: View) -> bool {
    if let Some(header) = left.get("header").and_then(Value::as_str) {
        return contains(
            view.mail.meta.header(header).unwrap_or(""),
            &text(right).unwrap_or_default(),
        );
    }
    let field = left.get("field").and_then(Value::as_str).unwrap_or("");
    let number = match field {
        "received_date" => Some(view.mail.received),
        "sent_date" | "date" => view.mail.meta.sent,
        "size" => i64::try_from(view.mail.raw.len()).ok(),
        "flags" => {
            let wanted = integer(right).unwrap_or(0);
            let set = i64::from(fields::flags(view.mail)) & wanted == wanted;
            return if operator == "<>" { !set } else { set };
        }
        "priority" => Some(i64::from(view.mail.meta.priority)),
        "color_label" => Some(i64::from(view.mail.color)),
        _ => None,
    };
    if let (Some(number), Some(bound)) = (number, integer(right)) {
        return match operator {
            "=" => number == bound,
            "<>" => number != bound,
            "<" => number < bound,
            ">" => number > bound,
            "<=" => number <= bound,
            ">=" => number >= bound,
            _ => false,
        };
    }
    let pattern = text(right).unwrap_or_default();
    let value = if field == "content" {
        view.mail.meta.text.clone()
    } else {
        let known = fields::FIELDS.iter().find(|known| known.key == field);
        known.map(|known| flatten(&(known.value)(view))).unwrap_or_default()
    };
    contains(&value, &pattern) == (operator != "<>")
}
