//! The same searches on servers that do not know filters, which are those below OX 6.20.
//!
//! Such a server looks for patterns in columns, and finds what has any of them. So it is asked for a part of the query that
//! every wanted mail must meet, and what it finds is held against the whole. It says nothing of the content of mails: a word
//! that stands there alone is not found. Pure. Implements the API documentation, "Module mail", action "search".

use serde_json::Value;
use serde_json::json;

use crate::content::email::query::Query;
use crate::ox::Object;
use crate::ox::columns::ColumnName;
use crate::ox::columns::mail;

/// Fields of text, and their columns. A mail with attachments is one of the type that [`Query`] asks for.
const TEXTS: [(&str, ColumnName); 5] = [
    ("from", mail::FROM.name()),
    ("to", mail::TO.name()),
    ("cc", mail::CC.name()),
    ("bcc", mail::BCC.name()),
    ("subject", mail::SUBJECT.name()),
];
const CONTENT_TYPE: &str = "content_type";

/// Servers refuse to look for shorter patterns.
const SHORTEST_PATTERN: usize = 3;

/// What has to be listed of a mail to hold it against a query.
pub const COLUMNS: &[ColumnName] = &[
    mail::ID.name(),
    mail::RECEIVED_DATE.name(),
    mail::FLAGS.name(),
    mail::FROM.name(),
    mail::TO.name(),
    mail::CC.name(),
    mail::BCC.name(),
    mail::SUBJECT.name(),
    mail::ATTACHMENT.name(),
    mail::SIZE.name(),
    mail::SENT_DATE.name(),
    mail::PRIORITY.name(),
];

impl Query {
    /// The body of the call: columns and patterns, of which one must fit; none find everything.
    pub fn columns(&self) -> Value {
        let narrow = |part: &Self| match part {
            Self::Contains(fields, text) if text.chars().count() >= SHORTEST_PATTERN => {
                let columns = TEXTS.iter().filter(|(name, _)| fields.contains(name));
                let list: Vec<Value> = columns
                    .map(|(_, column)| json!({"col": column.id, "pattern": text}))
                    .collect();
                (!list.is_empty()).then_some(Value::Array(list))
            }
            _ => None,
        };
        let found = match self {
            Self::All(parts) => parts.iter().find_map(narrow),
            single => narrow(single),
        };
        found.unwrap_or_else(|| json!([]))
    }

    /// Whether a mail with these columns is one that is looked for.
    pub fn finds(&self, row: &Object) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.finds(row)),
            Self::Any(parts) => parts.iter().any(|part| part.finds(row)),
            Self::Not(part) => !part.finds(row),
            Self::Contains(fields, _) if fields.contains(&CONTENT_TYPE) => {
                row.flag(mail::ATTACHMENT).unwrap_or_default()
            }
            Self::Contains(fields, text) => {
                let text = text.to_lowercase();
                let columns = TEXTS.iter().filter(|(name, _)| fields.contains(name));
                columns
                    .filter_map(|(_, column)| row.as_map().get(column.key))
                    .any(|value| contains(value, &text))
            }
            Self::Compare(field, operator, bound) => number(field, row).is_some_and(|number| match *operator {
                "<" => number < *bound,
                ">" => number > *bound,
                _ => number == *bound,
            }),
        }
    }
}

/// Whether a text, or one of the texts in a list of lists, has this one in it, which is in lower case.
fn contains(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own.to_lowercase().contains(text),
        Value::Array(list) => list.iter().any(|value| contains(value, text)),
        _ => false,
    }
}

fn number(field: &str, row: &Object) -> Option<i64> {
    match field {
        "received_date" => row.time(mail::RECEIVED_DATE),
        "sent_date" => row.time(mail::SENT_DATE),
        "size" => row.number(mail::SIZE),
        "priority" => row.number(mail::PRIORITY),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::content::email::query::keywords;

    fn row() -> Object {
        let row = json!({
            "id": "7", "received_date": 1_000_000_i64, "flags": 0, "from": [["Anna", "anna@x.org"]],
            "to": [[null, "anton@x.org"]], "cc": [], "bcc": null, "subject": "Gr\u{fc}\u{df}e", "attachment": true, "size": 4000,
            "priority": 1,
        });
        match row {
            Value::Object(map) => Object::from_map(map),
            _ => Object::new(),
        }
    }

    #[test]
    fn queries_without_filters() {
        let from_anna = json!([{"col": 603, "pattern": "anna"}]);
        let everywhere = |text: &str| {
            let list: Vec<Value> = [603, 604, 605, 607]
                .map(|column| json!({"col": column, "pattern": text}))
                .into();
            Value::Array(list)
        };
        // query, what the server is asked for, whether it finds the mail above
        let cases = [
            ("from:anna", from_anna.clone(), true),
            ("from:ANTON", json!([{"col": 603, "pattern": "ANTON"}]), false),
            ("GR\u{dc}\u{df}E", everywhere("GR\u{dc}\u{df}E"), true),
            ("from:anna size>5kb", from_anna.clone(), false),
            ("size>3kb from:anna", from_anna, true),
            ("from:otto OR subject:gr\u{fc}\u{df}e", json!([]), true),
            ("NOT from:anna", json!([]), false),
            ("hasattachment:true", json!([]), true),
            ("importance:high", json!([]), true),
            ("body:secret", json!([]), false),
            ("from:an", json!([]), true),
            ("", json!([]), true),
        ];
        for (text, asked, found) in cases {
            let query = keywords(text, 0, &TimeZone::UTC);
            assert_eq!(query.columns(), asked, "{text}");
            assert_eq!(query.finds(&row()), found, "{text}");
        }
        assert!(Query::received_after(999_999).finds(&row()));
        assert!(!Query::received_before(1_000_000).finds(&row()));
    }
}
