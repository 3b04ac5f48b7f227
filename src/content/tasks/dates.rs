//! Start, due date and reminder of a task.
//!
//! OX keeps days, in UTC. Devices get each day twice: as local midnight written as if it were UTC, and as the real
//! instant of that midnight. Implements [MS-ASTASK] StartDate, UtcStartDate, DueDate, UtcDueDate, ReminderSet and
//! ReminderTime. OX's times of day are left alone: a day that has not changed is not written.

use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::date;
use crate::content::property::Sent;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::Date;
use crate::ox::columns::tasks as columns;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::tasks;

pub(super) fn start_to_eas(object: &Object, context: &Context<'_>) -> Vec<Element> {
    pair(
        object.date(columns::START_DATE),
        tasks::START_DATE,
        tasks::UTC_START_DATE,
        context,
    )
}

pub(super) fn due_to_eas(object: &Object, context: &Context<'_>) -> Vec<Element> {
    pair(
        object.date(columns::END_DATE),
        tasks::DUE_DATE,
        tasks::UTC_DUE_DATE,
        context,
    )
}

pub(super) fn start_to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    pair_to_ox(
        sent,
        tasks::START_DATE,
        tasks::UTC_START_DATE,
        columns::START_DATE,
        fields,
    );
    Ok(())
}

pub(super) fn due_to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    pair_to_ox(sent, tasks::DUE_DATE, tasks::UTC_DUE_DATE, columns::END_DATE, fields);
    Ok(())
}

/// `ReminderSet`, and `ReminderTime` when it is set. An instant on both sides.
pub(super) fn reminder_to_eas(object: &Object, _: &Context<'_>) -> Vec<Element> {
    let alarm = object.time(columns::ALARM);
    let mut elements = vec![Element::flag(tasks::REMINDER_SET, alarm.is_some())];
    elements.extend(alarm.map(|alarm| Element::text(tasks::REMINDER_TIME, date::hyphenated(alarm))));
    elements
}

/// A reminder without a usable time changes nothing.
pub(super) fn reminder_to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    let time = sent.instant(tasks::REMINDER_TIME);
    let is_set = sent.flag(tasks::REMINDER_SET)?;
    match (is_set.unwrap_or_else(|| sent.has(tasks::REMINDER_TIME)), time) {
        (true, Some(time)) => fields.set(columns::ALARM, time),
        (true, None) => {}
        (false, _) => fields.clear(columns::ALARM),
    }
    Ok(())
}

/// The day a device means with an instant in real UTC: digits if the time is 00:00, for devices that write days that
/// way; else the day in the user's zone.
pub(super) fn day_meant(instant: i64, context: &Context<'_>) -> i64 {
    if date::midnight(instant) == instant {
        return instant;
    }
    date::day_in(instant, &context.user.zone)
}

fn pair(day: Option<i64>, local: Tag, utc: Tag, context: &Context<'_>) -> Vec<Element> {
    let Some(day) = day.map(date::midnight) else {
        return Vec::new();
    };
    let begins = date::start_of_day_in(day, &context.user.zone);
    vec![
        Element::text(utc, date::hyphenated(begins)),
        Element::text(local, date::hyphenated(day)),
    ]
}

/// The digits of the local date count; the other of the pair only where that is missing.
fn pair_to_ox(sent: &Sent<'_>, local: Tag, utc: Tag, column: Column<Date>, fields: &mut Object) {
    let of_local = sent.instant(local).map(date::midnight);
    let of_utc = || sent.instant(utc).map(|instant| day_meant(instant, sent.context));
    match of_local.or_else(of_utc) {
        Some(day) => fields.set(column, day),
        // Malformed dates cost the date, not the item.
        None if sent.text(local).is_some() || sent.text(utc).is_some() => {}
        None => fields.clear(column),
    }
}
