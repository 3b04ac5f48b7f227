//! Contacts, tasks and appointments in the place of those that cannot be shown: what is certain of them, and a note that
//! says why there is no more.
//!
//! A stub is an object like any other, and shown in the same way; never write one to OX.

use crate::content::Class;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::ColumnName;
use crate::ox::columns::Text;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::columns::contacts;
use crate::ox::columns::tasks;

/// By which an item is known at all: name, title, time.
const CONTACT: [ColumnName; 4] = [
    common::ID.name(),
    contacts::DISPLAY_NAME.name(),
    contacts::FIRST_NAME.name(),
    contacts::LAST_NAME.name(),
];
const TASK: [ColumnName; 2] = [common::ID.name(), tasks::TITLE.name()];
const APPOINTMENT: [ColumnName; 10] = [
    common::ID.name(),
    common::FOLDER_ID.name(),
    common::UID.name(),
    common::CREATION_DATE.name(),
    common::LAST_MODIFIED_UTC.name(),
    calendar::TITLE.name(),
    calendar::START_DATE.name(),
    calendar::END_DATE.name(),
    calendar::FULL_TIME.name(),
    calendar::TIMEZONE.name(),
];

/// The stub of an object that is no mail.
pub fn stub(class: Class, object: &Object, text: &str) -> Object {
    let (certain, note) = match class {
        Class::Contacts => (&CONTACT[..], contacts::NOTE),
        Class::Calendar => (&APPOINTMENT[..], calendar::NOTE),
        Class::Tasks | Class::Email => (&TASK[..], tasks::NOTE),
    };
    let fields = object.as_map().iter();
    let fields = fields.filter(|(key, _)| certain.iter().any(|column| column.key == key.as_str()));
    let mut stub = Object::from_map(fields.map(|(key, value)| (key.clone(), value.clone())).collect());
    stub.set(note, text);
    stub
}

/// What its user calls an object; empty where it has no name.
pub fn name_of(class: Class, object: &Object) -> &str {
    let columns: &[Column<Text>] = match class {
        Class::Contacts => &[contacts::DISPLAY_NAME, contacts::LAST_NAME, contacts::COMPANY],
        Class::Calendar => &[calendar::TITLE],
        Class::Tasks | Class::Email => &[tasks::TITLE],
    };
    let names = columns.iter().filter_map(|column| object.text(*column));
    let mut names = names.filter(|name| !name.is_empty());
    names.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_certain_stays_and_all_else_goes() {
        // class, object, stub, name
        let cases = [
            (
                Class::Contacts,
                json!({"id": 7, "display_name": "Otto", "last_name": "O", "email1": "o@example.com", "note": "secret"}),
                json!({"id": 7, "display_name": "Otto", "last_name": "O", "note": "Why."}),
                "Otto",
            ),
            (
                Class::Contacts,
                json!({"id": 7, "display_name": "", "company": "Otto's"}),
                json!({"id": 7, "display_name": "", "note": "Why."}),
                "Otto's",
            ),
            (
                Class::Tasks,
                json!({"id": 7, "title": "Buy milk", "recurrence_type": 9}),
                json!({"id": 7, "title": "Buy milk", "note": "Why."}),
                "Buy milk",
            ),
            (
                Class::Calendar,
                json!({"id": 7, "uid": "u", "start_date": 5, "recurrence_type": 9, "users": []}),
                json!({"id": 7, "uid": "u", "start_date": 5, "note": "Why."}),
                "",
            ),
        ];
        for (class, object, expected, name) in cases {
            let object = Object::from_map(object.as_object().unwrap().clone());
            assert_eq!(json!(stub(class, &object, "Why.").as_map()), expected);
            assert_eq!(name_of(class, &object), name);
        }
    }
}
