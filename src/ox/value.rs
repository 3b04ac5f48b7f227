//! Numbers and ids in JSON, which OX writes in more than one way.
//!
//! Implements the advice of the API documentation: accept ids as numbers or text, and numbers as text.

use serde_json::Value;

/// A whole number. Costs are decimal fractions on newer servers, and any number may be text.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    }
}

/// The whole part of a number that is not out of all bounds.
fn whole(number: f64) -> Option<i64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    (number.abs() <= LARGEST).then_some(number as i64)
}

/// An id, or any other text that is not empty; numbers become text.
pub fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An id in a JSON body. Servers of the 6.x line write numbers there, and all later ones read them.
pub fn id_value(id: &str) -> Value {
    match id.parse::<i64>() {
        Ok(number) if number.to_string() == id => number.into(),
        _ => id.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_numbers_where_they_look_like_numbers() {
        assert_eq!(id_value("815"), json!(815));
        assert_eq!(id_value("default0/INBOX"), json!("default0/INBOX"));
        assert_eq!(id_value("007"), json!("007"));
        assert_eq!(id_value("99999999999999999999"), json!("99999999999999999999"));
    }

    #[test]
    fn ids_are_read_as_text() {
        let cases = [
            (json!(815), Some("815")),
            (json!("default0/INBOX"), Some("default0/INBOX")),
            (json!(""), None),
            (json!(null), None),
            (json!({"id": 1}), None),
        ];
        for (value, id) in cases {
            assert_eq!(id_text(&value).as_deref(), id, "{value}");
        }
    }
}
