//! Tasks: a task of OX as ApplicationData, and back.
//!
//! Implements [MS-ASTASK] and the API documentation, "Detailed task and appointment data". Participants, costs and
//! the state between begun and done have no form in ActiveSync and are neither shown nor written.

use crate::content::Context;
use crate::content::Ghosted;
use crate::content::Unconvertible;
use crate::content::judged;
use crate::content::property;
use crate::content::property::Property;
use crate::content::property::Sent;
use crate::content::property::custom;
use crate::content::property::list;
use crate::content::property::note;
use crate::content::property::text;
use crate::content::recurrence;
use crate::content::typed::unusable;
use crate::ox::Object;
use crate::ox::columns::ColumnName;
use crate::ox::columns::common;
use crate::ox::columns::tasks as columns;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::tasks;

mod dates;
mod progress;
mod series;

static ROWS: &[Property] = &[
    text(tasks::SUBJECT, columns::TITLE),
    custom(
        &[tasks::IMPORTANCE],
        &[columns::PRIORITY.name()],
        importance_to_eas,
        importance_to_ox,
    ),
    custom(
        &[tasks::START_DATE, tasks::UTC_START_DATE],
        &[columns::START_DATE.name()],
        dates::start_to_eas,
        dates::start_to_ox,
    ),
    custom(
        &[tasks::DUE_DATE, tasks::UTC_DUE_DATE],
        &[columns::END_DATE.name()],
        dates::due_to_eas,
        dates::due_to_ox,
    ),
    // [MS-ASTASK] Complete is required; a Change without it says nothing about it.
    custom(
        &[tasks::COMPLETE, tasks::DATE_COMPLETED],
        &[
            columns::STATUS.name(),
            columns::PERCENT_COMPLETED.name(),
            columns::DATE_COMPLETED.name(),
            common::LAST_MODIFIED.name(),
        ],
        progress::to_eas,
        progress::to_ox,
    )
    .kept_when_omitted(),
    custom(
        &[tasks::REMINDER_SET, tasks::REMINDER_TIME],
        &[columns::ALARM.name()],
        dates::reminder_to_eas,
        dates::reminder_to_ox,
    ),
    custom(
        &[tasks::SENSITIVITY],
        &[common::PRIVATE_FLAG.name()],
        sensitivity_to_eas,
        sensitivity_to_ox,
    ),
    list(tasks::CATEGORIES, &[tasks::CATEGORY], common::CATEGORIES),
    custom(
        &[tasks::RECURRENCE],
        &recurrence::COLUMNS,
        series::to_eas,
        series::to_ox,
    )
    .containing(&[
        tasks::TYPE,
        tasks::START,
        tasks::UNTIL,
        tasks::OCCURRENCES,
        tasks::INTERVAL,
        tasks::DAY_OF_MONTH,
        tasks::DAY_OF_WEEK,
        tasks::WEEK_OF_MONTH,
        tasks::MONTH_OF_YEAR,
        tasks::DEAD_OCCUR,
        tasks::CALENDAR_TYPE,
        tasks::FIRST_DAY_OF_WEEK,
    ]),
    note(
        &[
            airsyncbase::BODY,
            tasks::BODY,
            tasks::BODY_SIZE,
            tasks::BODY_TRUNCATED,
            tasks::COMPRESSED_RTF,
        ],
        columns::NOTE,
    ),
];

/// The columns a task is read with.
pub fn columns() -> Vec<ColumnName> {
    property::columns(ROWS)
}

/// By what two changes of a task are told apart. Devices see that it is done, not how far it is.
pub(in crate::content) fn judged() -> Vec<judged::Property> {
    let unjudged = [
        columns::PERCENT_COMPLETED.name(),
        columns::DATE_COMPLETED.name(),
        common::LAST_MODIFIED.name(),
    ];
    property::judged(ROWS, &unjudged)
}

/// The children of ApplicationData.
pub fn to_eas(object: &Object, context: &Context<'_>) -> Result<Vec<Element>, Unconvertible> {
    Ok(property::to_eas(ROWS, object, context))
}

/// For an Add (`current` is `None`) the fields of the new task. For a Change the fields that differ from `current`,
/// null for those to be cleared; none if nothing changed. Status and percentage always come together, and so do the
/// fields of a recurrence.
pub fn to_ox(
    application_data: &Element,
    current: Option<&Object>,
    ghosted: &Ghosted,
    context: &Context<'_>,
) -> Result<Object, Unconvertible> {
    let sent = Sent {
        application_data,
        current,
        context,
    };
    let mut fields = property::to_ox(ROWS, &sent, ghosted)?;
    series::complete(&sent, &mut fields);
    Ok(fields)
}

/// Importance and OX's priority: low, normal, high.
const IMPORTANCES: [(i64, i64); 3] = [(0, 1), (1, 2), (2, 3)];
const NORMAL_IMPORTANCE: i64 = 1;

/// Always sent: some devices take an absent one for low.
fn importance_to_eas(object: &Object, _: &Context<'_>) -> Vec<Element> {
    vec![Element::number(tasks::IMPORTANCE, importance(object))]
}

fn importance(object: &Object) -> i64 {
    let priority = object.number(columns::PRIORITY);
    let row = IMPORTANCES.iter().find(|row| Some(row.1) == priority);
    row.map_or(NORMAL_IMPORTANCE, |row| row.0)
}

/// [MS-ASTASK] Importance: other values are not refused. OX has none for them, so that they change nothing.
fn importance_to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    let importance_sent = sent.number(tasks::IMPORTANCE)?.unwrap_or(NORMAL_IMPORTANCE);
    // No priority is shown as a normal one and stays none.
    if sent.current.map(importance) == Some(importance_sent) {
        return Ok(());
    }
    if let Some((_, priority)) = IMPORTANCES.iter().find(|row| row.0 == importance_sent) {
        fields.set(columns::PRIORITY, *priority);
    }
    Ok(())
}

/// [MS-ASTASK] Sensitivity: normal, personal, private, confidential.
const NORMAL: i64 = 0;
const PRIVATE: i64 = 2;

fn sensitivity_to_eas(object: &Object, _: &Context<'_>) -> Vec<Element> {
    let is_private = object.flag(common::PRIVATE_FLAG) == Some(true);
    let sensitivity = if is_private { PRIVATE } else { NORMAL };
    vec![Element::number(tasks::SENSITIVITY, sensitivity)]
}

/// OX knows one step: whatever is not for everybody is private.
fn sensitivity_to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    match sent.number(tasks::SENSITIVITY)?.unwrap_or(NORMAL) {
        NORMAL => fields.set(common::PRIVATE_FLAG, false),
        1..=3 => fields.set(common::PRIVATE_FLAG, true),
        _ => return Err(unusable(tasks::SENSITIVITY)),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
