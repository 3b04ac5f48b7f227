//! By what two changes of an appointment are told apart.
//!
//! When it takes place is one property, with its repetition: one half of the old and one of the new would be a series that
//! nobody wants. See [`judged`](crate::content::judged) for what this is about.

use crate::content::judged::Property;
use crate::content::recurrence;
use crate::ox::columns::ColumnName;
use crate::ox::columns::calendar as columns;
use crate::ox::columns::common;

pub(in crate::content) fn judged() -> Vec<Property> {
    let mut time = vec![
        columns::START_DATE.name(),
        columns::END_DATE.name(),
        columns::FULL_TIME.name(),
    ];
    time.extend(recurrence::COLUMNS);
    let row = |name: &str, columns: Vec<ColumnName>, with: Vec<ColumnName>| Property {
        name: name.to_owned(),
        columns,
        with,
    };
    let single = |name, column| row(name, vec![column], Vec::new());
    vec![
        single("Title", columns::TITLE.name()),
        single("Location", columns::LOCATION.name()),
        row("Time", time, vec![columns::TIMEZONE.name()]),
        single("Categories", common::CATEGORIES.name()),
        single("Notes", columns::NOTE.name()),
        single("Private", common::PRIVATE_FLAG.name()),
        single("Show as", columns::SHOWN_AS.name()),
        single("Reminder", columns::ALARM.name()),
        single("Attendees", columns::PARTICIPANTS.name()),
    ]
}
