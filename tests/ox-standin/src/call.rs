//! One call as the modules see it, and what they answer.
//!
//! HTTP is already gone here: the same call comes from a request of its own or from an entry of `multiple`.

use crate::error::BAD_REQUEST;
use crate::error::INVALID_PARAMETER;
use crate::error::JSON_SYNTAX;
use crate::error::Known;
use crate::error::MISSING_PARAMETER;
use crate::error::OxError;
use crate::fields::Column;
use crate::fields::integer;
use crate::zone::Zone;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;

/// A call by a user with a valid session.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The path below the prefix: `mail`, `config/folder/tasks`.
    pub(crate) module: String,
    pub(crate) action: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) body: Body,
    /// The caller's user id.
    pub(crate) user: u32,
    pub(crate) session: String,
    /// The zone of Times: the parameter `timezone`, else the user's.
    pub(crate) zone: Zone,
    /// Read only requests come by GET; entries of `multiple` count as both.
    pub(crate) method: Method,
}

/// The request's method as far as it matters to modules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Method {
    Get,
    Put,
    Post,
    /// An entry of `multiple`.
    Entry,
}

/// What came with the call.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    None,
    Bytes(Bytes),
    /// `data` of an entry of `multiple`.
    Json(Value),
    /// Parts of `multipart/form-data`.
    Parts(Vec<Part>),
}

/// One part of an upload.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Bytes,
}

/// What a module answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// An envelope.
    Data(Envelope),
    /// A download.
    Bytes { content_type: String, bytes: Bytes },
}

/// The parts of a successful envelope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    /// `None`: no `data` at all.
    pub(crate) data: Option<Value>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) warnings: Vec<OxError>,
}

impl Answer {
    pub(crate) fn data(data: impl Into<Value>) -> Self {
        Self::Data(Envelope {
            data: Some(data.into()),
            ..Envelope::default()
        })
    }

    pub(crate) fn stamped(data: impl Into<Value>, timestamp: i64) -> Self {
        Self::Data(Envelope {
            data: Some(data.into()),
            timestamp: Some(timestamp),
            warnings: Vec::new(),
        })
    }

    pub(crate) fn warned(data: impl Into<Value>, warnings: Vec<OxError>) -> Self {
        Self::Data(Envelope {
            data: Some(data.into()),
            timestamp: None,
            warnings,
        })
    }
}

impl Call {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub(crate) fn require(&self, name: &str) -> Result<&str, OxError> {
        self.parameter(name).ok_or_else(|| {
            let Known(code, category, text) = MISSING_PARAMETER;
            OxError::new(code, category, format!("{text}: {name}"))
        })
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), Some("true" | "1" | "yes" | "on"))
    }

    /// A whole number; its absence is fine, nonsense is not.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, OxError> {
        let Some(text) = self.parameter(name) else {
            return Ok(None);
        };
        text.trim().parse().map(Some).map_err(|_| invalid(name, text))
    }

    pub(crate) fn require_number(&self, name: &str) -> Result<i64, OxError> {
        let text = self.require(name)?;
        text.trim().parse().map_err(|_| invalid(name, text))
    }

    /// An id of folder or object.
    pub(crate) fn require_id(&self, name: &str) -> Result<u32, OxError> {
        let text = self.require(name)?;
        text.trim().parse().map_err(|_| invalid(name, text))
    }

    pub(crate) fn columns(&self) -> Result<Vec<Column>, OxError> {
        Ok(Column::list(self.require("columns")?))
    }

    /// Body as JSON.
    pub(crate) fn json(&self) -> Result<Value, OxError> {
        match &self.body {
            Body::Json(value) => Ok(value.clone()),
            Body::Bytes(bytes) => serde_json::from_slice(bytes).map_err(|_| JSON_SYNTAX.into()),
            Body::Parts(parts) => {
                let part = parts
                    .iter()
                    .find(|part| matches!(part.name.as_str(), "json" | "json_0"));
                let part = part.ok_or(BAD_REQUEST)?;
                serde_json::from_slice(&part.bytes).map_err(|_| JSON_SYNTAX.into())
            }
            Body::None => Err(JSON_SYNTAX.into()),
        }
    }

    /// Body as a JSON object.
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, OxError> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            _ => Err(JSON_SYNTAX.into()),
        }
    }

    /// Body as a JSON array.
    pub(crate) fn json_array(&self) -> Result<Vec<Value>, OxError> {
        match self.json()? {
            Value::Array(array) => Ok(array),
            _ => Err(JSON_SYNTAX.into()),
        }
    }

    /// Files of an upload, in order.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Part> {
        let parts: &[Part] = if let Body::Parts(parts) = &self.body {
            parts
        } else {
            &[]
        };
        parts.iter().filter(|part| part.file_name.is_some())
    }

    /// Cuts a sorted list by `left_hand_limit` and `right_hand_limit`, or by `limit`.
    pub(crate) fn limited<T>(&self, list: Vec<T>) -> Result<Vec<T>, OxError> {
        let (from, to) = match self.parameter("limit") {
            Some(limit) => limits(limit).ok_or_else(|| invalid("limit", limit))?,
            None => (
                self.number("left_hand_limit")?.unwrap_or(0),
                self.number("right_hand_limit")?.unwrap_or(i64::MAX),
            ),
        };
        let from = usize::try_from(from.max(0)).unwrap_or(usize::MAX);
        let to = usize::try_from(to.max(0)).unwrap_or(usize::MAX);
        Ok(list.into_iter().take(to).skip(from).collect())
    }
}

/// `limit=n` or `limit=from,to`.
fn limits(text: &str) -> Option<(i64, i64)> {
    match text.split_once(',') {
        Some((from, to)) => Some((from.trim().parse().ok()?, to.trim().parse().ok()?)),
        None => Some((0, text.trim().parse().ok()?)),
    }
}

pub(crate) fn invalid(name: &str, value: &str) -> OxError {
    let Known(code, category, text) = INVALID_PARAMETER;
    OxError::new(code, category, format!("{text} {name}: {value}"))
}

/// An id in a JSON body: number or text.
pub(crate) fn id_of(value: &Value) -> Option<u32> {
    integer(value).and_then(|id| u32::try_from(id).ok())
}

/// The id under one of several keys of a JSON object.
pub(crate) fn id_under(object: &Value, keys: &[&str]) -> Option<u32> {
    keys.iter().find_map(|key| object.get(key)).and_then(id_of)
}
