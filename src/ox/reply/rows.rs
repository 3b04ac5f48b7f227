//! An envelope read row by row.
//!
//! The list of a folder with a hundred thousand mails is three megabytes on the wire and forty as JSON values. So each row of
//! `data` is handed on when it has been read, and the next one takes its place.

use std::fmt;

use serde::de::Deserialize as _;
use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use serde_json::Map;
use serde_json::Value;

const DATA: &str = "data";

/// The envelope without its rows, which `row` gets; `None` if the bytes are no JSON object.
pub(super) fn read(body: &[u8], row: &mut impl FnMut(Value)) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let envelope = reader.deserialize_map(Envelope(row)).ok()?;
    reader.end().ok()?;
    Some(Value::Object(envelope))
}

/// The same for an envelope that has been read already.
pub(super) fn give_away(mut envelope: Value, row: &mut impl FnMut(Value)) -> Value {
    if let Some(Value::Array(rows)) = envelope.get_mut(DATA) {
        rows.drain(..).for_each(row);
    }
    envelope
}

struct Envelope<'f, F>(&'f mut F);

impl<'de, F: FnMut(Value)> Visitor<'de> for Envelope<'_, F> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = match name.as_str() {
                DATA => members.next_value_seed(Rows(self.0))?,
                _ => members.next_value()?,
            };
            envelope.insert(name, value);
        }
        Ok(envelope)
    }
}

/// The rows of `data`; an empty array is left of them. Anything else that may stand there stays as it is.
struct Rows<'f, F>(&'f mut F);

impl<'de, F: FnMut(Value)> DeserializeSeed<'de> for Rows<'_, F> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, data: D) -> Result<Value, D::Error> {
        data.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Value)> Visitor<'de> for Rows<'_, F> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows, an object or null")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Value, A::Error> {
        while let Some(row) = rows.next_element()? {
            (self.0)(row);
        }
        Ok(Value::Array(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(members))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_handed_on_and_the_rest_stays() {
        // Envelope, rows in it, what is left of its data.
        let cases = [
            (json!({"data": [["1", 2], null], "timestamp": 5}), 2, Some(json!([]))),
            (json!({"timestamp": 5, "more": true, "data": []}), 0, Some(json!([]))),
            (json!({"data": null}), 0, Some(Value::Null)),
            (json!({"data": {"id": 1}}), 0, Some(json!({"id": 1}))),
            (json!({"error": "no", "code": "FLD-0008"}), 0, None),
        ];
        for (envelope, count, left) in cases {
            let mut rows = Vec::new();
            let read = read(envelope.to_string().as_bytes(), &mut |row| rows.push(row)).unwrap();
            assert_eq!(read.get(DATA).cloned(), left, "{envelope}");
            assert_eq!(rows.len(), count);
            let mut again = Vec::new();
            assert_eq!(give_away(envelope, &mut |row| again.push(row)), read);
            assert_eq!(again, rows);
        }
    }

    #[test]
    fn what_is_no_envelope() {
        for text in [
            "",
            "{",
            "[1]",
            "{\"data\": [1, }",
            "{\"data\": [1]} x",
            "{\"data\": \"x\"}",
            "{\"data\": 7}",
        ] {
            assert_eq!(read(text.as_bytes(), &mut |_| ()), None, "{text}");
        }
    }
}
