//! An OX object: a JSON object read and written through typed columns.
//!
//! Knows how values look on the wire and nothing of what they mean. Implements the API documentation, "Date and time",
//! and its advice to accept numbers as text, ids as either, and null as absent.

use serde_json::Map;
use serde_json::Value;

use crate::ox::columns::Column;
use crate::ox::columns::ColumnName;
use crate::ox::columns::Date;
use crate::ox::columns::Flag;
use crate::ox::columns::Id;
use crate::ox::columns::Json;
use crate::ox::columns::Number;
use crate::ox::columns::Text;
use crate::ox::columns::Time;
use crate::ox::columns::Timestamp;
use crate::ox::value::integer;

/// An appointment, contact, task, mail or folder; or the changed fields of one, where null clears a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Map<String, Value>);

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    pub const fn from_map(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// A row of a list answer; columns beyond the row's end are absent.
    pub fn from_row(columns: &[ColumnName], row: Vec<Value>) -> Self {
        let keys = columns.iter().map(|column| column.key.to_owned());
        Self(keys.zip(row).filter(|(_, value)| !value.is_null()).collect())
    }

    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the field is there at all, null included.
    pub fn has<K>(&self, column: Column<K>) -> bool {
        self.0.contains_key(column.key)
    }

    /// Text that is not empty.
    pub fn text(&self, column: Column<Text>) -> Option<&str> {
        self.0.get(column.key)?.as_str().filter(|text| !text.is_empty())
    }

    pub fn number(&self, column: Column<Number>) -> Option<i64> {
        integer(self.0.get(column.key)?)
    }

    pub fn flag(&self, column: Column<Flag>) -> Option<bool> {
        match self.0.get(column.key)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub fn date(&self, column: Column<Date>) -> Option<i64> {
        integer(self.0.get(column.key)?)
    }

    pub fn time(&self, column: Column<Time>) -> Option<i64> {
        integer(self.0.get(column.key)?)
    }

    pub fn timestamp(&self, column: Column<Timestamp>) -> Option<i64> {
        integer(self.0.get(column.key)?)
    }

    pub fn id(&self, column: Column<Id>) -> Option<String> {
        match self.0.get(column.key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub fn json(&self, column: Column<Json>) -> Option<&Value> {
        self.0.get(column.key).filter(|value| !value.is_null())
    }

    /// Writes a field.
    pub fn set<K>(&mut self, column: Column<K>, value: impl Into<Value>) {
        self.0.insert(column.key.to_owned(), value.into());
    }

    /// Writes null, which clears the field at the server.
    pub fn clear<K>(&mut self, column: Column<K>) {
        self.0.insert(column.key.to_owned(), Value::Null);
    }

    /// Forgets the field, so that a write leaves it alone.
    pub fn remove<K>(&mut self, column: Column<K>) {
        self.0.remove(column.key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::columns::common;
    use crate::ox::columns::tasks;

    #[test]
    fn numbers_come_in_several_forms() {
        // As on the wire, as read.
        let cases = [
            (json!(42), Some(42)),
            (json!("42"), Some(42)),
            (json!(" -7 "), Some(-7)),
            (json!(12.75), Some(12)),
            (json!("12.75"), Some(12)),
            (json!(1e300), None),
            (json!("NaN"), None),
            (json!("many"), None),
            (json!(null), None),
            (json!([1]), None),
        ];
        for (wire, number) in cases {
            let mut task = Object::new();
            task.set(tasks::ACTUAL_COSTS, wire.clone());
            assert_eq!(task.number(tasks::ACTUAL_COSTS), number, "{wire}");
        }
    }

    #[test]
    fn a_row_becomes_an_object_without_its_nulls() {
        let columns = [common::ID.name(), common::FOLDER_ID.name(), common::CATEGORIES.name()];
        let object = Object::from_row(&columns, vec![json!(815), json!(null), json!(""), json!("beyond")]);
        assert_eq!(object.id(common::ID).as_deref(), Some("815"));
        assert!(!object.has(common::FOLDER_ID));
        assert!(object.has(common::CATEGORIES));
        assert_eq!(object.text(common::CATEGORIES), None);
        assert_eq!(object.as_map().len(), 2);
    }
}
