//! Fields of objects: one row per field with column number, key and kind; rows and objects both come from it.
//!
//! Objects are stored and viewed as JSON maps by key, times in real UTC. The functions here translate between that form
//! and the wire: the user's zone, Dates against Times, numbers given as text, ids as numbers or text. Implements "Column
//! identifiers", "Common object data" and "Date and time" of the OX HTTP API.

pub(crate) mod calendar;
pub(crate) mod contacts;
pub(crate) mod tasks;

use crate::error::OxError;
use crate::profile::Profile;
use crate::zone;
use crate::zone::Zone;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// How the value of a field is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Identifier: number or text, as the server is switched.
    Id,
    Number,
    Bool,
    /// Text of at most so many characters.
    Text(usize),
    /// 00:00 UTC of a day, never shifted.
    Date,
    /// An instant, shifted by the zone on the wire.
    Time,
    /// An instant in real UTC.
    Stamp,
    /// A Date when the object's `full_time` is true, else a Time.
    When,
    /// Anything else, passed through.
    Json,
}

/// One field of a module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// 0 for fields that are no column.
    pub(crate) column: u32,
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    /// Clients may write it.
    pub(crate) writable: bool,
    pub(crate) since: Profile,
}

impl Field {
    pub(crate) const fn new(column: u32, key: &'static str, kind: Kind) -> Self {
        Self {
            column,
            key,
            kind,
            writable: true,
            since: Profile::V6_16,
        }
    }

    pub(crate) const fn text(column: u32, key: &'static str, max: usize) -> Self {
        Self::new(column, key, Kind::Text(max))
    }

    /// Written by the server only.
    pub(crate) const fn computed(column: u32, key: &'static str, kind: Kind) -> Self {
        Self {
            writable: false,
            ..Self::new(column, key, kind)
        }
    }

    pub(crate) const fn since(self, since: Profile) -> Self {
        Self { since, ..self }
    }
}

/// Fields that calendar, tasks and contacts share.
pub(crate) const COMMON: &[Field] = &[
    Field::computed(1, "id", Kind::Id),
    Field::computed(2, "created_by", Kind::Number),
    Field::computed(3, "modified_by", Kind::Number),
    Field::computed(4, "creation_date", Kind::Time),
    Field::computed(5, "last_modified", Kind::Time),
    Field::computed(6, "last_modified_utc", Kind::Stamp),
    Field::new(20, "folder_id", Kind::Id),
    Field::text(100, "categories", 255),
    Field::new(101, "private_flag", Kind::Bool),
    Field::new(102, "color_label", Kind::Number),
    Field::computed(104, "number_of_attachments", Kind::Number),
    Field::computed(105, "lastModifiedOfNewestAttachmentUTC", Kind::Stamp),
];

/// The iCalendar UID, which came to the modules at different times.
pub(crate) const UID: Field = Field::text(223, "uid", 1024);

/// What a request asks a row to hold: a column number, or in mail a header name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    Number(u32),
    Name(String),
}

impl Column {
    /// The comma separated list of the parameter `columns`.
    pub(crate) fn list(text: &str) -> Vec<Self> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| part.parse().map_or_else(|_| Self::Name(part.to_owned()), Self::Number))
            .collect()
    }
}

/// How values are written for one caller.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) zone: Zone,
    pub(crate) profile: Profile,
    pub(crate) ids_as_text: bool,
}

impl Wire {
    /// A row: the asked columns in order, unknown and unset ones `null`.
    pub(crate) fn row(&self, fields: &[&[Field]], view: &Map<String, Value>, columns: &[Column]) -> Value {
        columns.iter().map(|column| self.cell(fields, view, column)).collect()
    }

    /// An object: all fields that have a value.
    pub(crate) fn object(&self, fields: &[&[Field]], view: &Map<String, Value>) -> Map<String, Value> {
        let known = fields
            .iter()
            .copied()
            .flatten()
            .filter(|field| field.since <= self.profile);
        known
            .filter_map(|field| {
                let value = view.get(field.key).filter(|value| !value.is_null())?;
                Some((field.key.to_owned(), self.value(field, value, view)))
            })
            .collect()
    }

    fn cell(&self, fields: &[&[Field]], view: &Map<String, Value>, column: &Column) -> Value {
        let wanted = |field: &&Field| match column {
            Column::Number(number) => field.column == *number,
            Column::Name(name) => field.key == name,
        };
        let Some(field) = fields
            .iter()
            .copied()
            .flatten()
            .find(wanted)
            .filter(|field| field.since <= self.profile)
        else {
            return Value::Null;
        };
        view.get(field.key)
            .map_or(Value::Null, |value| self.value(field, value, view))
    }

    /// One value in wire form.
    pub(crate) fn value(&self, field: &Field, value: &Value, view: &Map<String, Value>) -> Value {
        match (field.kind, value) {
            (Kind::Id, Value::Number(number)) if self.ids_as_text => json!(number.to_string()),
            (Kind::Time, Value::Number(_)) => self.shifted(value),
            (Kind::When, Value::Number(_)) if view.get("full_time") != Some(&json!(true)) => self.shifted(value),
            _ => value.clone(),
        }
    }

    pub(crate) fn id(&self, id: u32) -> Value {
        if self.ids_as_text {
            json!(id.to_string())
        } else {
            json!(id)
        }
    }

    fn shifted(&self, value: &Value) -> Value {
        value
            .as_i64()
            .map_or_else(|| value.clone(), |utc| json!(self.zone.to_wire(utc)))
    }

    /// What a client wrote, in stored form: known writable fields only, times in UTC, `""` as `null`.
    pub(crate) fn read(&self, fields: &[&[Field]], body: &Map<String, Value>) -> Result<Map<String, Value>, OxError> {
        let full_time = body.get("full_time").is_some_and(|value| truth(value) == Some(true));
        let mut stored = Map::new();
        for field in fields
            .iter()
            .copied()
            .flatten()
            .filter(|field| field.writable && field.since <= self.profile)
        {
            if let Some(value) = body.get(field.key) {
                stored.insert(field.key.to_owned(), self.stored(field, value, full_time)?);
            }
        }
        Ok(stored)
    }

    fn stored(&self, field: &Field, value: &Value, full_time: bool) -> Result<Value, OxError> {
        if value.is_null() || value.as_str() == Some("") {
            return Ok(Value::Null);
        }
        let invalid = || OxError::new("SVL-0010", 1, "Invalid value").with_details(json!([{"name": field.key}]), None);
        let sane = |ms: &i64| (-zone::LATEST..=zone::LATEST).contains(ms);
        let instant = || integer(value).filter(sane).ok_or_else(invalid);
        Ok(match field.kind {
            Kind::Id | Kind::Number => json_number(value).ok_or_else(invalid)?,
            Kind::Bool => json!(truth(value).ok_or_else(invalid)?),
            Kind::Text(_) => json!(text(value).ok_or_else(invalid)?),
            Kind::Date => json!(zone::day_of(instant()?)),
            Kind::When if full_time => json!(zone::day_of(instant()?)),
            Kind::Time | Kind::When => json!(self.zone.to_utc(instant()?)),
            Kind::Stamp => json!(instant()?),
            Kind::Json => value.clone(),
        })
    }
}

/// Texts longer than their columns: `problematic` and `truncated` of the envelope, if there are any.
pub(crate) fn too_long(fields: &[&[Field]], object: &Map<String, Value>) -> Option<(Value, Value)> {
    let mut problematic = Vec::new();
    let mut truncated = Vec::new();
    for field in fields.iter().copied().flatten() {
        let Kind::Text(max) = field.kind else { continue };
        let length = object
            .get(field.key)
            .and_then(Value::as_str)
            .map_or(0, |text| text.chars().count());
        if length > max {
            problematic.push(json!({"id": field.column, "length": length, "max_size": max}));
            truncated.push(json!(field.column));
        }
    }
    (!truncated.is_empty()).then(|| (Value::Array(problematic), Value::Array(truncated)))
}

/// A whole number, as number or as text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        // Fractions are cut off, as Java's long value does.
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and the fraction is unwanted")]
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn json_number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => text
            .trim()
            .parse::<i64>()
            .map(|number| json!(number))
            .ok()
            .or_else(|| text.trim().parse::<f64>().map(|number| json!(number)).ok()),
        _ => None,
    }
}

/// true and false, as Boolean or as text.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A text; numbers are taken as their digits.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(zone: &str) -> Wire {
        Wire {
            zone: Zone::named(zone).expect("a known zone"),
            profile: Profile::V7_8,
            ids_as_text: false,
        }
    }

    #[test]
    fn columns_and_keys_are_unique_per_module() {
        for fields in [calendar::FIELDS, tasks::FIELDS, contacts::FIELDS] {
            let all: Vec<&Field> = COMMON.iter().chain(fields).collect();
            for (index, field) in all.iter().enumerate() {
                let twin = all
                    .iter()
                    .skip(index + 1)
                    .find(|other| other.key == field.key || (other.column == field.column && field.column != 0));
                assert!(twin.is_none(), "{field:?} and {twin:?}");
            }
        }
    }

    #[test]
    fn a_time_is_shifted_and_a_date_is_not() {
        let berlin = wire("Europe/Berlin");
        let fields: &[&[Field]] = &[COMMON, calendar::FIELDS];
        let body = json!({"start_date": 1_704_186_000_000_i64});
        let stored = berlin
            .read(fields, body.as_object().expect("an object"))
            .expect("readable");
        assert_eq!(stored["start_date"], json!(1_704_182_400_000_i64));
        let body = json!({"start_date": 1_704_153_600_000_i64, "full_time": true});
        let stored = berlin
            .read(fields, body.as_object().expect("an object"))
            .expect("readable");
        assert_eq!(stored["start_date"], json!(1_704_153_600_000_i64));
        let columns = Column::list("201,401,999");
        assert_eq!(
            berlin.row(fields, &stored, &columns),
            json!([1_704_153_600_000_i64, true, null])
        );
    }
}
