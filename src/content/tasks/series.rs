//! Recurring tasks.
//!
//! Both sides keep one task that moves on when it is done. Devices split the finished occurrence off as a task of its
//! own, marked DeadOccur; OX makes the next one itself, when the status becomes done. Implements [MS-ASTASK]
//! Recurrence, Start and DeadOccur. Regenerate has no counterpart: such a task recurs by its pattern.

use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::date;
use crate::content::property::Sent;
use crate::content::recurrence::Recurrence;
use crate::content::recurrence::TASKS;
use crate::content::tasks::dates::day_meant;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::Date;
use crate::ox::columns::tasks as columns;
use crate::version::ProtocolVersion::V16_1;
use crate::version::VersionRange;
use crate::wbxml::Content;
use crate::wbxml::Element;
use crate::wbxml::codepage::tasks;

/// The versions in which `Start` has the digits of the local date; in the others it is the real instant.
const START_IS_LOCAL: VersionRange = VersionRange::since(V16_1);

pub(super) fn to_eas(object: &Object, context: &Context<'_>) -> Vec<Element> {
    let Some(recurrence) = Recurrence::from_ox(object) else {
        return Vec::new();
    };
    let begins = object
        .date(columns::START_DATE)
        .or_else(|| object.date(columns::END_DATE));
    // Start is required; OX refuses a series without a first day, so that there is one.
    let Some(day) = begins.map(date::midnight) else {
        return Vec::new();
    };
    let start = if START_IS_LOCAL.contains(context.version) {
        day
    } else {
        date::start_of_day_in(day, &context.user.zone)
    };
    let mut element = recurrence.to_eas(&TASKS, |until| date::hyphenated(date::midnight(until)));
    if let Content::Children(children) = &mut element.content {
        // Behind Type.
        children.insert(
            1.min(children.len()),
            Element::text(tasks::START, date::hyphenated(start)),
        );
    }
    vec![element]
}

pub(super) fn to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    let current = sent.current.and_then(|current| shown(current, sent.context));
    let element = sent.application_data.child(tasks::RECURRENCE);
    let wanted = match element.filter(|element| !element.children().is_empty()) {
        Some(element) if !is_dead_occurrence(element) => Some(read(element, sent.context)?),
        _ => None,
    };
    match (current, wanted) {
        (Some(current), Some(wanted)) if current == wanted => {}
        (_, Some(wanted)) => wanted.to_ox(fields),
        (Some(_), None) => Recurrence::clear(fields),
        // A pattern that could not be shown cannot have been removed.
        (None, None) => {}
    }
    Ok(())
}

/// OX refuses a series without start or end; devices may send the day as Recurrence/Start only, or remove a date.
pub(super) fn complete(sent: &Sent<'_>, fields: &mut Object) {
    let recurs = if fields.has(columns::RECURRENCE_TYPE) {
        Recurrence::from_ox(fields).is_some()
    } else {
        let dates_change = fields.has(columns::START_DATE) || fields.has(columns::END_DATE);
        dates_change && sent.current.and_then(Recurrence::from_ox).is_some()
    };
    if !recurs {
        return;
    }
    let recurrence = sent.application_data.child(tasks::RECURRENCE);
    let start = recurrence.and_then(|recurrence| date::parse(recurrence.child_text(tasks::START)?));
    let start = start.map(|start| day_meant(start, sent.context));
    let (starts, ends) = (
        effective(sent, fields, columns::START_DATE),
        effective(sent, fields, columns::END_DATE),
    );
    let Some(day) = starts.or(ends).or(start) else {
        return;
    };
    if starts.is_none() {
        fields.set(columns::START_DATE, day);
    }
    if ends.is_none() {
        fields.set(columns::END_DATE, day);
    }
}

/// The date as it will be.
fn effective(sent: &Sent<'_>, fields: &Object, column: Column<Date>) -> Option<i64> {
    if fields.has(column) {
        return fields.date(column);
    }
    sent.current?.date(column)
}

fn read(element: &Element, context: &Context<'_>) -> Result<Recurrence, Unconvertible> {
    let read_until = |text: &str| date::parse(text).map(|instant| day_meant(instant, context));
    Recurrence::from_eas(element, &TASKS, read_until)
}

/// The pattern a device was shown.
fn shown(object: &Object, context: &Context<'_>) -> Option<Recurrence> {
    let element = to_eas(object, context).pop()?;
    read(&element, context).ok()
}

fn is_dead_occurrence(element: &Element) -> bool {
    let text = element.child_text(tasks::DEAD_OCCUR);
    text.is_some_and(|text| text.trim() != "0")
}
