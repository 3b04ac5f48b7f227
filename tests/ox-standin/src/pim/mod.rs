//! What calendar, tasks and contacts share: objects with a folder and a stamp, tombstones, rights, optimistic locking.
//!
//! Implements "Common object data", "updates" and the use of `timestamp` in the OX HTTP API.

pub(crate) mod attachments;
pub(crate) mod errors;
pub(crate) mod read;
pub(crate) mod write;

use crate::fields::COMMON;
use crate::fields::Field;
use crate::fields::calendar;
use crate::fields::contacts;
use crate::fields::tasks;
use crate::folders::store::Content;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;

/// A module of objects with numbers for ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Module {
    /// Appointments.
    Calendar,
    /// Tasks.
    Tasks,
    /// Contacts.
    Contacts,
}

impl Module {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Calendar, Self::Tasks, Self::Contacts];

    /// The word in URLs.
    pub fn name(self) -> &'static str {
        self.content().name()
    }

    /// The module of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|module| module.name() == name)
    }

    /// The number by which attachments and reminders name it.
    pub fn number(self) -> u32 {
        match self {
            Self::Calendar => 1,
            Self::Tasks => 4,
            Self::Contacts => 7,
        }
    }

    pub(crate) fn content(self) -> Content {
        match self {
            Self::Calendar => Content::Calendar,
            Self::Tasks => Content::Tasks,
            Self::Contacts => Content::Contacts,
        }
    }

    /// Tables of fields: the common ones and the module's own.
    pub(crate) fn fields(self) -> [&'static [Field]; 2] {
        let own = match self {
            Self::Calendar => calendar::FIELDS,
            Self::Tasks => tasks::FIELDS,
            Self::Contacts => contacts::FIELDS,
        };
        [COMMON, own]
    }
}

/// A stored object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: u32,
    /// Where it is seen: one folder, for appointments one for each internal participant.
    pub(crate) folders: Vec<u32>,
    /// Written and computed fields by key, times in UTC.
    pub(crate) fields: Map<String, Value>,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) created_by: u32,
    pub(crate) modified_by: u32,
    /// Minutes before the start, by user. Appointments only.
    pub(crate) alarms: BTreeMap<u32, i64>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) attachments_changed: Option<i64>,
    /// Contacts only.
    pub(crate) picture: Option<Picture>,
}

/// A file at an object.
#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) created: i64,
    pub(crate) created_by: u32,
}

/// A contact's picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Picture {
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) modified: i64,
}

/// What is left of an object that has gone from a folder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tombstone {
    pub(crate) module: Module,
    pub(crate) folder: u32,
    pub(crate) id: u32,
    pub(crate) stamp: i64,
}

impl Object {
    pub(crate) fn new(id: u32, folder: u32, stamp: i64, user: u32) -> Self {
        Self {
            id,
            folders: vec![folder],
            fields: Map::new(),
            created: stamp,
            modified: stamp,
            created_by: user,
            modified_by: user,
            alarms: BTreeMap::new(),
            attachments: Vec::new(),
            attachments_changed: None,
            picture: None,
        }
    }

    /// The folder in which it was created, or to which it was moved.
    pub(crate) fn folder(&self) -> u32 {
        self.folders.first().copied().unwrap_or(0)
    }

    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        self.fields.get(key).and_then(Value::as_i64)
    }

    pub(crate) fn truth(&self, key: &str) -> bool {
        self.fields.get(key) == Some(&Value::Bool(true))
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or("")
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    /// Notes a change of the object.
    pub(crate) fn touch(&mut self, stamp: i64, user: u32) {
        self.modified = stamp;
        self.modified_by = user;
    }
}
