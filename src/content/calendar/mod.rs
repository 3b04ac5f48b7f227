//! Appointments: objects of OX's module `calendar`, and ApplicationData of the class Calendar.
//!
//! A series is one item on a device and several objects in OX: the master, and one object for each changed
//! occurrence. An occurrence goes by its *day*, the one on which it would begin had nobody moved it, as OX writes it in
//! `recurrence_date_position`. What invitations look like in mails is not here.
//! Implements [MS-ASCAL] and the API documentation, "Detailed appointment data".
//!
//! - `properties`: the table of properties, and how each is shown
//! - `times`, `zone`: instants, whole days, time zones
//! - `attendees`: organizer, attendees, the user's part
//! - `exceptions`: how changed and deleted occurrences are shown
//! - `meeting`: an appointment as a meeting to answer or to forward, and one made of an invitation
//! - `note`: the text
//! - `judged`: what collides when two sides have changed one
//! - `request`: what a device wants, as changes of OX's objects

use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::calendar::properties::Item;
use crate::content::calendar::properties::PROPERTIES;
use crate::ox::Object;
use crate::ox::columns::ColumnName;
use crate::ox::columns::calendar as columns;
use crate::ox::columns::common;
use crate::wbxml::Element;

mod attendees;
mod exceptions;
pub mod free_busy;
mod judged;
pub mod meeting;
mod note;
mod properties;
mod request;
mod times;
pub mod zone;

#[cfg(test)]
mod tests;

pub(in crate::content) use judged::judged;
pub use request::Occurrence;
pub use request::OccurrenceChange;
pub use request::Write;
pub use request::instance_to_ox;
pub(in crate::content) use request::settle;
pub use request::to_ox;

/// Every column an appointment is made of.
pub fn columns() -> Vec<ColumnName> {
    vec![
        common::ID.name(),
        common::FOLDER_ID.name(),
        common::CREATED_BY.name(),
        common::CREATION_DATE.name(),
        common::LAST_MODIFIED.name(),
        common::LAST_MODIFIED_UTC.name(),
        common::CATEGORIES.name(),
        common::PRIVATE_FLAG.name(),
        common::COLOR_LABEL.name(),
        common::NUMBER_OF_ATTACHMENTS.name(),
        common::LAST_MODIFIED_OF_NEWEST_ATTACHMENT_UTC.name(),
        columns::TITLE.name(),
        columns::START_DATE.name(),
        columns::END_DATE.name(),
        columns::NOTE.name(),
        columns::ALARM.name(),
        columns::RECURRENCE_ID.name(),
        columns::RECURRENCE_POSITION.name(),
        columns::RECURRENCE_DATE_POSITION.name(),
        columns::RECURRENCE_TYPE.name(),
        columns::CHANGE_EXCEPTIONS.name(),
        columns::DELETE_EXCEPTIONS.name(),
        columns::DAYS.name(),
        columns::DAY_IN_MONTH.name(),
        columns::MONTH.name(),
        columns::INTERVAL.name(),
        columns::UNTIL.name(),
        columns::PARTICIPANTS.name(),
        columns::USERS.name(),
        columns::OCCURRENCES.name(),
        common::UID.name(),
        columns::ORGANIZER.name(),
        columns::SEQUENCE.name(),
        columns::CONFIRMATIONS.name(),
        columns::LOCATION.name(),
        columns::FULL_TIME.name(),
        columns::SHOWN_AS.name(),
        columns::TIMEZONE.name(),
    ]
}

/// The children of ApplicationData. `exceptions` are the objects of the changed occurrences that the user sees; one
/// that cannot be shown is left out, and its occurrence shown as the series has it.
///
/// The objects are in the form of `get` or `list` with [`columns()`] and `timezone=UTC`. People without a `mail` in OX's
/// answer are not shown as attendees, but kept.
pub fn to_eas(master: &Object, exceptions: &[Object], context: &Context<'_>) -> Result<Vec<Element>, Unconvertible> {
    let item = Item::new(master, context)?;
    let mut elements: Vec<Element> = PROPERTIES.iter().filter_map(|property| item.shown(property)).collect();
    elements.extend(exceptions::to_eas(&item, exceptions));
    Ok(elements)
}
