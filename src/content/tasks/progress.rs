//! Whether a task is done.
//!
//! ActiveSync knows done or not; OX has five states and a percentage, which it wants to agree: a task not started is
//! at 0 %, one that is done at 100 %. So both are written together, and only when done becomes not done or the other
//! way round: a task in progress stays in progress. Implements [MS-ASTASK] Complete and DateCompleted.

use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::date;
use crate::content::property::Sent;
use crate::ox::Object;
use crate::ox::columns::common;
use crate::ox::columns::tasks as columns;
use crate::wbxml::Element;
use crate::wbxml::codepage::tasks;

/// OX's states; 2 is in progress, 4 waiting, 5 deferred.
const NOT_STARTED: i64 = 1;
const DONE: i64 = 3;

/// `DateCompleted` is required when `Complete` is 1: where OX has none, the last change is the best that is known. Never
/// the present, which is another one whenever it is asked for.
pub(super) fn to_eas(object: &Object, _: &Context<'_>) -> Vec<Element> {
    if !is_done(object) {
        return vec![Element::flag(tasks::COMPLETE, false)];
    }
    let completed = object.time(columns::DATE_COMPLETED);
    let completed = completed.or_else(|| object.time(common::LAST_MODIFIED));
    let completed = date::hyphenated(completed.unwrap_or_default());
    vec![
        Element::flag(tasks::COMPLETE, true),
        Element::text(tasks::DATE_COMPLETED, completed),
    ]
}

pub(super) fn to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    let Some(is_done_now) = sent.flag(tasks::COMPLETE)? else {
        return Ok(());
    };
    let completed = sent.instant(tasks::DATE_COMPLETED);
    match (sent.current.map(is_done), is_done_now) {
        (None | Some(true), false) => set(fields, NOT_STARTED, 0, None),
        (None | Some(false), true) => set(fields, DONE, 100, Some(completed.unwrap_or(sent.context.now))),
        (Some(false), false) => {}
        (Some(true), true) => correct_date(sent, completed, fields),
    }
    Ok(())
}

/// A task that was done before and has another date now. Devices may drop the milliseconds; and where OX has no date,
/// what comes back is a guess of ours.
fn correct_date(sent: &Sent<'_>, completed: Option<i64>, fields: &mut Object) {
    let old = sent.current.and_then(|current| current.time(columns::DATE_COMPLETED));
    let (Some(old), Some(new)) = (old, completed) else {
        return;
    };
    if old.div_euclid(1000) != new.div_euclid(1000) {
        set(fields, DONE, 100, Some(new));
    }
}

fn is_done(object: &Object) -> bool {
    object.number(columns::STATUS) == Some(DONE)
}

fn set(fields: &mut Object, status: i64, percent: i64, completed: Option<i64>) {
    fields.set(columns::STATUS, status);
    fields.set(columns::PERCENT_COMPLETED, percent);
    fields.set(columns::DATE_COMPLETED, completed);
}
