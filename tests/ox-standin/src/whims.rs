//! Whims: answers written differently from one time to the next, in every way that the documents leave open.
//!
//! No fault: the same call is carried out and says the same. Only what a client must not rely on changes: whether an id is a
//! number or a text ("ids may be numbers or strings depending on version/module"), the order of rows that nobody sorted, a
//! warning that is mirrored as an error, keys and columns that are new to the client, absent or `null` data, the
//! content type; and, once for all, what becomes of the UIDs of contacts and tasks. Made from a seed, so that a test meets the same whims again.

use crate::call::Call;
use crate::call::Envelope;
use crate::envelope;
use crate::error::OxError;
use crate::modules;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Content types that answers come with.
const CONTENT_TYPES: &[&str] = &[
    "text/javascript; charset=UTF-8",
    "application/json; charset=UTF-8",
    "text/javascript;charset=utf-8",
];

/// Keys that newer servers put beside the data; nothing is to be learned from them.
const NEW_KEYS: &[&str] = &["cached", "error_params", "x-served-by"];

/// Modules whose ids are numbers or texts.
const NUMBERED: &[&str] = &["calendar", "tasks", "contacts", "user"];

/// Members of an object that hold ids.
const ID_KEYS: &[&str] = &["id", "folder_id", "recurrence_id"];

/// The columns of the same.
const ID_COLUMNS: &[&str] = &["1", "20", "206"];

const WARNING_CODE: &str = "OX-1101";
const WARNING_CATEGORY: u8 = 13;

/// The envelope of a call that succeeded as JSON, varied if the server has whims.
pub(crate) fn success(world: &mut World, call: &Call, mut envelope: Envelope) -> Value {
    let profile = world.profile();
    let Some(whims) = &mut world.options.whims else {
        return envelope::success(profile, envelope);
    };
    whims.vary(call, &mut envelope);
    let mut json = envelope::success(profile, envelope);
    whims.decorate(&mut json);
    json
}

/// The source of whims: a linear congruential generator, which needs to be varied and not to be good.
#[derive(Clone, Debug)]
pub(crate) struct Whims(u64);

impl Whims {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// What a call that succeeded has found.
    fn vary(&mut self, call: &Call, envelope: &mut Envelope) {
        let module = modules::root_of(&call.module);
        if let Some(data) = envelope.data.as_mut().filter(|_| NUMBERED.contains(&module)) {
            self.vary_ids(call, data);
            self.vary_order(call, data);
        }
        // A warning with data in it is a success whatever it says.
        let says_something = envelope.data.as_ref().is_some_and(|data| !data.is_null());
        if says_something && envelope.warnings.is_empty() && self.one_in(8) {
            let text = "The answer took longer than usual.";
            envelope
                .warnings
                .push(OxError::new(WARNING_CODE, WARNING_CATEGORY, text));
        }
        if envelope.data.is_none() && self.one_in(2) {
            envelope.data = Some(Value::Null);
        }
    }

    /// The finished envelope.
    fn decorate(&mut self, envelope: &mut Value) {
        let Value::Object(envelope) = envelope else { return };
        for key in NEW_KEYS {
            if self.one_in(4) {
                envelope.entry(*key).or_insert_with(|| json!([]));
            }
        }
    }

    pub(crate) fn content_type(&mut self) -> &'static str {
        let which = self.below(CONTENT_TYPES.len());
        CONTENT_TYPES.get(which).copied().unwrap_or_default()
    }

    /// Each id by itself: a number here, a text there.
    fn vary_ids(&mut self, call: &Call, data: &mut Value) {
        let columns: Vec<&str> = call
            .parameter("columns")
            .map(|columns| columns.split(',').map(str::trim).collect())
            .unwrap_or_default();
        match data {
            Value::Array(entries) => {
                for entry in entries {
                    match entry {
                        Value::Array(row) => {
                            let ids = columns.iter().zip(row);
                            ids.filter(|(column, _)| ID_COLUMNS.contains(column))
                                .for_each(|(_, id)| self.vary_id(id));
                        }
                        Value::Object(object) => self.vary_object(object),
                        // The id of what was deleted.
                        other => self.vary_id(other),
                    }
                }
            }
            Value::Object(object) => self.vary_object(object),
            _ => {}
        }
    }

    fn vary_object(&mut self, object: &mut Map<String, Value>) {
        for key in ID_KEYS {
            if let Some(id) = object.get_mut(*key) {
                self.vary_id(id);
            }
        }
        if self.one_in(4) {
            object.insert("x_new_in_this_version".to_owned(), Value::Null);
        }
    }

    fn vary_id(&mut self, id: &mut Value) {
        let other = match &*id {
            Value::Number(number) => Some(json!(number.to_string())),
            Value::String(text) => text.parse::<u64>().ok().map(|number| json!(number)),
            _ => None,
        };
        if let Some(other) = other.filter(|_| self.one_in(2)) {
            *id = other;
        }
    }

    /// The rows of a list that nobody asked to be sorted, in any order: old servers collect them in a hash map.
    fn vary_order(&mut self, call: &Call, data: &mut Value) {
        let is_list = matches!(call.action.as_str(), "all" | "list" | "search");
        let is_ordered = ["sort", "limit", "left_hand_limit"]
            .map(|name| call.parameter(name).is_some())
            .contains(&true);
        let Value::Array(rows) = data else { return };
        if !is_list || is_ordered {
            return;
        }
        for last in (1..rows.len()).rev() {
            let other = self.below(last + 1);
            rows.swap(last, other);
        }
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn below(&mut self, count: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % count.max(1)
    }
}
