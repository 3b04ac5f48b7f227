//! The properties of an item as its user knows them: what is judged when two sides have changed it.
//!
//! A property is one or a few columns that make sense only together: nobody changes half a recurrence. Values are held against
//! each other by what they say to a device, so that what showing them loses is no change: a task is done or not,
//! whatever its percentage; a list has no order. Follows the tables of `contacts`, `tasks` and `calendar`, and
//! [MS-ASCMD] Conflict, which leaves open what of two changes collides.

use std::sync::LazyLock;

use serde_json::Value;

use crate::content::Class;
use crate::content::calendar;
use crate::content::contacts;
use crate::content::date;
use crate::content::property;
use crate::content::tasks;
use crate::content::text;
use crate::ox::Object;
use crate::ox::columns::ColumnName;
use crate::ox::integer;

/// One property of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// In plain words: `Mobile phone number`.
    pub name: String,
    /// By which it is judged.
    pub columns: Vec<ColumnName>,
    /// Written with those, and not judged.
    pub with: Vec<ColumnName>,
}

static CONTACTS: LazyLock<Vec<Property>> = LazyLock::new(contacts::judged);
static TASKS: LazyLock<Vec<Property>> = LazyLock::new(tasks::judged);
static CALENDAR: LazyLock<Vec<Property>> = LazyLock::new(calendar::judged);

/// The properties of a class; of mail none, whose flags do not exclude each other.
pub fn of(class: Class) -> &'static [Property] {
    match class {
        Class::Contacts => &CONTACTS,
        Class::Tasks => &TASKS,
        Class::Calendar => &CALENDAR,
        Class::Email => &[],
    }
}

/// How values are compared that are not simply text, number or flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A text with commas.
    List,
    Address,
    /// Milliseconds, of which the day counts.
    Day,
    /// Milliseconds, of which devices see the seconds.
    Instant,
    /// The state of a task, of which devices see whether it is the last.
    Done,
    /// A priority, of which the middle one is as good as none.
    Priority,
    /// A list of participants.
    People,
    /// The bytes of a picture.
    Picture,
}

const FORMS: &[(Class, &str, Form)] = &[
    (Class::Contacts, "categories", Form::List),
    (Class::Contacts, "number_of_children", Form::List),
    (Class::Contacts, "email1", Form::Address),
    (Class::Contacts, "email2", Form::Address),
    (Class::Contacts, "email3", Form::Address),
    (Class::Contacts, "birthday", Form::Day),
    (Class::Contacts, "anniversary", Form::Day),
    (Class::Contacts, PICTURE, Form::Picture),
    (Class::Tasks, "categories", Form::List),
    (Class::Tasks, "start_date", Form::Day),
    (Class::Tasks, "end_date", Form::Day),
    (Class::Tasks, "alarm", Form::Instant),
    (Class::Tasks, "until", Form::Day),
    (Class::Tasks, "status", Form::Done),
    (Class::Tasks, "priority", Form::Priority),
    (Class::Calendar, "categories", Form::List),
    (Class::Calendar, "start_date", Form::Instant),
    (Class::Calendar, "end_date", Form::Instant),
    (Class::Calendar, "until", Form::Day),
    (Class::Calendar, "participants", Form::People),
];

/// The key of a contact's picture.
const PICTURE: &str = "image1";
/// OX's state of a task that is done.
const DONE: i64 = 3;
/// OX's priority in the middle.
const NORMAL: i64 = 2;
/// The type of a participant whom OX knows by address alone.
const EXTERNAL: i64 = 5;

fn form(class: Class, key: &str) -> Option<Form> {
    let row = FORMS.iter().find(|(of, name, _)| *of == class && *name == key);
    row.map(|(.., form)| *form)
}

impl Property {
    /// What the property says, in a form of its own; `None` if it has no value.
    pub(in crate::content) fn said(&self, class: Class, object: &Object) -> Option<String> {
        let said = |column: &ColumnName| said(form(class, column.key), object.as_map().get(column.key)?);
        let said: Vec<Option<String>> = self.columns.iter().map(said).collect();
        if said.iter().all(Option::is_none) {
            return None;
        }
        let said: Vec<String> = said.into_iter().map(Option::unwrap_or_default).collect();
        Some(said.join("\0"))
    }

    /// OX does not tell it before it is asked for the bytes.
    pub(in crate::content) fn is_picture(&self) -> bool {
        self.columns.iter().any(|column| column.key == PICTURE)
    }

    /// Whether fields that are about to be written are of this property.
    pub fn is_in(&self, fields: &Object) -> bool {
        self.keys().any(|key| fields.as_map().contains_key(key))
    }

    /// The keys of all its columns.
    pub(in crate::content) fn keys(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.columns.iter().chain(&self.with).map(|column| column.key)
    }

    /// The value for its user; empty if there is none. Times are those of the zone.
    pub fn shown(&self, class: Class, object: &Object, zone: &jiff::tz::TimeZone) -> String {
        let shown = self.columns.iter().filter_map(|column| {
            let text = shown(form(class, column.key), object.as_map().get(column.key)?, zone)?;
            Some(match self.columns.len() {
                1 => text,
                _ => format!("{} {text}", column.key.replace('_', " ")),
            })
        });
        shown.collect::<Vec<String>>().join(", ")
    }
}

fn said(form: Option<Form>, value: &Value) -> Option<String> {
    let number = || integer(value).filter(|number| !is_nothing(*number));
    let text = || value.as_str().map(text::clean).filter(|text| !text.is_empty());
    match form {
        Some(Form::List) => {
            let mut entries = property::entries(value.as_str()?);
            entries.sort();
            Some(entries.join(",")).filter(|list| !list.is_empty())
        }
        Some(Form::Address) => text().map(|text| text::bare_address(&text).to_owned()),
        Some(Form::Day) => number().map(|instant| date::midnight(instant).to_string()),
        Some(Form::Instant) => number().map(|instant| instant.div_euclid(1000).to_string()),
        Some(Form::Done) => number().filter(|state| *state == DONE).map(|_| "done".to_owned()),
        Some(Form::Priority) => number()
            .filter(|priority| *priority != NORMAL)
            .map(|priority| priority.to_string()),
        Some(Form::People) => {
            let mut people: Vec<String> = value.as_array()?.iter().filter_map(person).collect();
            people.sort();
            Some(people.join(",")).filter(|list| !list.is_empty())
        }
        Some(Form::Picture) => value.as_str().filter(|picture| !picture.is_empty()).map(str::to_owned),
        None => match value {
            Value::Null | Value::Bool(false) => None,
            Value::Number(_) => number().map(|number| number.to_string()),
            Value::String(_) => text(),
            other => Some(other.to_string()),
        },
    }
}

/// Where OX has no value it writes one of these, or nothing; a reminder of none is -1.
const fn is_nothing(number: i64) -> bool {
    matches!(number, 0 | -1)
}

/// Users, groups and resources go by id, others by address.
fn person(entry: &Value) -> Option<String> {
    let kind = integer(entry.get("type")?)?;
    match kind {
        EXTERNAL => Some(entry.get("mail")?.as_str()?.trim().to_lowercase()),
        _ => Some(format!("{kind}:{}", integer(entry.get("id")?)?)),
    }
}

/// The longest value that is shown, in characters.
const LONGEST: usize = 2000;

fn shown(form: Option<Form>, value: &Value, zone: &jiff::tz::TimeZone) -> Option<String> {
    let number = || integer(value).filter(|number| !is_nothing(*number));
    match form {
        Some(Form::Day) => number().map(|day| date::readable(day).chars().take("2026-11-25".len()).collect()),
        Some(Form::Instant) => number().map(|time| date::readable(date::wall_clock(time, zone))),
        Some(Form::Done) => number().map(|state| if state == DONE { "done" } else { "not done" }.to_owned()),
        Some(Form::Priority) => number().map(|priority| {
            match priority {
                1 => "low",
                NORMAL => "normal",
                _ => "high",
            }
            .to_owned()
        }),
        Some(Form::People) => {
            let name = |entry: &Value| {
                let name = |key: &str| entry.get(key)?.as_str().filter(|name| !name.is_empty());
                name("display_name").or_else(|| name("mail")).map(str::to_owned)
            };
            Some(value.as_array()?.iter().filter_map(name).collect::<Vec<_>>().join(", "))
        }
        Some(Form::Picture) => value.as_str().map(|_| "a picture".to_owned()),
        Some(Form::List | Form::Address) | None => match value {
            Value::Null => None,
            Value::Bool(flag) => Some(if *flag { "yes" } else { "no" }.to_owned()),
            Value::String(text) => Some(text::clean(text).chars().take(LONGEST).collect()),
            Value::Number(_) => number().map(|number| number.to_string()),
            other => Some(other.to_string().chars().take(LONGEST).collect()),
        },
    }
}

/// The name of a tag as words: `MobilePhoneNumber` becomes `Mobile phone number`.
pub(in crate::content) fn words(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (place, character) in characters.iter().enumerate() {
        let lower = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|c| !c.is_uppercase());
        let begins = character.is_uppercase() && place > 0 && lower(place.checked_sub(1));
        if begins {
            words.push(' ');
        }
        let is_in_abbreviation = !lower(Some(place + 1)) && place + 1 < characters.len();
        match begins && !is_in_abbreviation {
            true => words.extend(character.to_lowercase()),
            false => words.push(*character),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;

    const CLASSES: [Class; 3] = [Class::Contacts, Class::Tasks, Class::Calendar];

    #[test]
    fn each_column_is_of_one_property() {
        for class in CLASSES {
            let keys: Vec<&str> = of(class).iter().flat_map(Property::keys).collect();
            let once: BTreeSet<&str> = keys.iter().copied().collect();
            assert_eq!(keys.len(), once.len(), "{class:?}: {keys:?}");
            let names: BTreeSet<&str> = of(class).iter().map(|property| property.name.as_str()).collect();
            assert_eq!(names.len(), of(class).len(), "{class:?}: {names:?}");
            for property in of(class) {
                let first = property.columns.first().map_or(0, |column| column.id);
                assert!(first > 0, "{property:?} has no number");
            }
            let known = |key: &&str| once.contains(key);
            let forms = FORMS.iter().filter(|(of, ..)| *of == class).map(|(_, key, _)| *key);
            assert!(
                forms.clone().all(|key| known(&key)),
                "{class:?}: {:?}",
                forms.collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn names_are_words() {
        // tag, words
        let cases = [
            ("MobilePhoneNumber", "Mobile phone number"),
            ("FileAs", "File as"),
            ("Email1Address", "Email1 address"),
            ("IMAddress", "IMAddress"),
            ("Children", "Children"),
        ];
        for (tag, expected) in cases {
            assert_eq!(words(tag), expected);
        }
        let names: Vec<&str> = of(Class::Tasks).iter().map(|property| property.name.as_str()).collect();
        let expected = [
            "Subject",
            "Importance",
            "Start date",
            "Due date",
            "Complete",
            "Reminder set",
            "Sensitivity",
            "Categories",
            "Recurrence",
            "Notes",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_says_the_same() {
        // class, key, one value, another, whether they say the same
        let cases = [
            (Class::Contacts, "note", json!(null), json!(""), true),
            (Class::Contacts, "note", json!("a\r\nb "), json!("a\nb"), true),
            (Class::Contacts, "note", json!("a"), json!("A"), false),
            (
                Class::Contacts,
                "categories",
                json!("red,green"),
                json!("green, red"),
                true,
            ),
            (Class::Contacts, "email1", json!("\"A\" <a@b.c>"), json!("a@b.c"), true),
            (Class::Contacts, "birthday", json!(86_400_000), json!(86_400_007), true),
            (Class::Tasks, "status", json!(1), json!(2), true),
            (Class::Tasks, "status", json!(2), json!(3), false),
            (Class::Tasks, "priority", json!(null), json!("2"), true),
            (Class::Tasks, "priority", json!("3"), json!(3), true),
            (Class::Calendar, "alarm", json!(-1), json!(null), true),
            (Class::Calendar, "start_date", json!(5_400), json!(5_000), true),
            (Class::Calendar, "start_date", json!(5_400), json!(6_000), false),
            (Class::Calendar, "private_flag", json!(false), json!(null), true),
            (
                Class::Calendar,
                "participants",
                json!([{"type": 1, "id": 3, "confirmation": 1}, {"type": 5, "mail": "A@b.c"}]),
                json!([{"type": 5, "mail": "a@b.c", "display_name": "A"}, {"type": 1, "id": "3"}]),
                true,
            ),
        ];
        for (class, key, one, other, expected) in cases {
            let property = of(class)
                .iter()
                .find(|property| property.keys().any(|known| known == key))
                .unwrap();
            let said = |value: &Value| {
                let object = Object::from_map([(key.to_owned(), value.clone())].into_iter().collect());
                property.said(class, &object)
            };
            assert_eq!(said(&one) == said(&other), expected, "{key}: {one} {other}");
        }
    }

    #[test]
    fn values_for_a_reader() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        // class, property, object, text
        let cases = [
            (
                Class::Contacts,
                "Birthday",
                json!({"birthday": 197_769_600_000_i64}),
                "1976-04-08",
            ),
            (Class::Contacts, "Picture", json!({"image1": "AAAA"}), "a picture"),
            (Class::Tasks, "Complete", json!({"status": 3}), "done"),
            (Class::Tasks, "Importance", json!({"priority": "1"}), "low"),
            (Class::Calendar, "Private", json!({"private_flag": true}), "yes"),
            (Class::Calendar, "Title", json!({"title": null}), ""),
            (
                Class::Calendar,
                "Time",
                json!({"start_date": 1_764_061_200_000_i64, "end_date": 1_764_064_800_000_i64, "full_time": false}),
                "start date 2025-11-25 10:00, end date 2025-11-25 11:00, full time no",
            ),
        ];
        for (class, name, object, expected) in cases {
            let property = of(class).iter().find(|property| property.name == name).unwrap();
            let Value::Object(map) = object else { unreachable!() };
            assert_eq!(property.shown(class, &Object::from_map(map), &zone), expected, "{name}");
        }
    }
}
