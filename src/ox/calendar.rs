//! Appointments: how a series and its changed occurrences become one item.
//!
//! At OX a changed occurrence is an object of its own that points to its series; a device knows it only as a part of the
//! series. Implements the API documentation, "Module calendar" and "Detailed task and appointment data".

use std::collections::BTreeMap;
use std::collections::HashSet;

use serde_json::Value;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::error::Error;
use crate::ox::items::Item;
use crate::ox::items::hash;
use crate::ox::items::modified;
use crate::ox::module::Module;
use crate::ox::module::Standard;
use crate::ox::session::Session;
use crate::ox::value::id_text;
use crate::ox::value::integer;

/// The range that means everything: 1970 to 2040.
const WHOLE_TIME: (i64, i64) = (0, 2_208_988_800_000);

pub(super) const DAY: i64 = 24 * 60 * 60 * 1000;

/// What [`fold`] needs.
pub(super) const COLUMNS: &[ColumnName] = &[
    common::ID.name(),
    common::FOLDER_ID.name(),
    common::LAST_MODIFIED.name(),
    common::LAST_MODIFIED_UTC.name(),
    calendar::START_DATE.name(),
    calendar::END_DATE.name(),
    calendar::RECURRENCE_ID.name(),
    calendar::RECURRENCE_TYPE.name(),
    calendar::DAYS.name(),
    calendar::DAY_IN_MONTH.name(),
    calendar::INTERVAL.name(),
    calendar::UNTIL.name(),
    calendar::OCCURRENCES.name(),
    calendar::USERS.name(),
];

/// What `users` says of somebody who does not come.
const DECLINED: i64 = 2;

/// Asks for every appointment, and for a series once instead of once for each occurrence.
pub(super) fn whole_time(call: Call) -> Call {
    let (start, end) = WHOLE_TIME;
    call.with("start", start)
        .with("end", end)
        .with("recurrence_master", true)
}

/// Makes items of rows: changed occurrences go into the item of their series. One whose series is not in the folder stands
/// alone; that happens when the user takes part in this occurrence only. What `user` has declined is not in the list, and a
/// declined series not with any of its occurrences: it stays at OX for a change of mind. In somebody else's calendar, where
/// there is no such user, everything is.
pub(super) fn fold(rows: impl Iterator<Item = Object>, user: Option<i64>) -> Vec<Item> {
    let mut items = BTreeMap::new();
    let mut exceptions = Vec::new();
    let mut declined = HashSet::new();
    for row in rows {
        let Some(id) = row.id(common::ID) else {
            continue;
        };
        match series(&row).filter(|series| *series != id) {
            Some(series) => exceptions.push((series, id, row)),
            None if is_declined(&row, user) => drop(declined.insert(id)),
            // Without `recurrence_master` a server would repeat a series for each occurrence.
            None => drop(items.entry(id).or_insert_with(|| Members::of(row))),
        }
    }
    let mut folded = HashSet::new();
    for (series, id, row) in exceptions {
        if declined.contains(&series) || !folded.insert(id.clone()) {
            continue;
        }
        match items.get_mut(&series).filter(|members| members.is_series()) {
            // A declined one among them as well: the series is shown without it.
            Some(members) => drop(members.exceptions.insert(id, row)),
            None if is_declined(&row, user) => {}
            None => drop(items.insert(id, Members::of(row))),
        }
    }
    items.into_iter().map(|(id, members)| members.item(id)).collect()
}

/// Whether a user does not come. Old servers leave that out of their lists: then it looks as if everybody came.
pub(super) fn is_declined(row: &Object, user: Option<i64>) -> bool {
    let people = row.json(calendar::USERS).and_then(Value::as_array);
    let number = |entry: &Value, key: &str| entry.get(key).and_then(integer);
    user.is_some()
        && people
            .into_iter()
            .flatten()
            .any(|entry| number(entry, "id") == user && number(entry, "confirmation") == Some(DECLINED))
}

/// Whose answers decide what a calendar shows: the user's, in their own calendar.
pub(super) async fn owner(session: &Session, module: Module, folder: &str) -> Result<Option<i64>, Error> {
    if module != Module::Calendar {
        return Ok(None);
    }
    let settings = session.settings().await?;
    let is_own = settings.standard(Standard::Calendar) == Some(folder);
    Ok(is_own.then(|| session.user_id()))
}

/// The id of the series an appointment belongs to: its own, if it is the series. "Absent/0 otherwise".
fn series(row: &Object) -> Option<String> {
    row.number(calendar::RECURRENCE_ID)
        .filter(|id| *id != 0)
        .map(|id| id.to_string())
}

/// An appointment with the changed occurrences of its series.
struct Members {
    master: Object,
    exceptions: BTreeMap<String, Object>,
}

impl Members {
    const fn of(master: Object) -> Self {
        Self {
            master,
            exceptions: BTreeMap::new(),
        }
    }

    fn is_series(&self) -> bool {
        self.master
            .number(calendar::RECURRENCE_TYPE)
            .is_some_and(|kind| kind > 0)
            || series(&self.master) == self.master.id(common::ID)
    }

    fn item(self, id: String) -> Item {
        let modified = modified(&self.master);
        Item {
            revision: self.revision(&id, modified),
            modified,
            ends: self.ends(),
            done: false,
            parts: self.exceptions.into_keys().collect(),
            id,
        }
    }

    /// The device has to hear of a change of the series and of any of its parts.
    fn revision(&self, id: &str, modified_at: i64) -> u64 {
        if self.exceptions.is_empty() {
            return modified_at.unsigned_abs();
        }
        let parts = self.exceptions.iter().map(|(id, part)| (id.as_str(), modified(part)));
        let members: Vec<_> = [(id, modified_at)]
            .into_iter()
            .chain(parts)
            .map(|(id, modified)| (id, modified.to_be_bytes()))
            .collect();
        hash(members.iter().flat_map(|(id, modified)| [id.as_bytes(), &modified[..]]))
    }

    fn ends(&self) -> Option<i64> {
        let own = ends(&self.master)?;
        let parts = self
            .exceptions
            .values()
            .filter_map(|part| part.time(calendar::END_DATE));
        parts.chain([own]).max()
    }
}

/// The end of an appointment, or an upper bound for the end of the last occurrence of a series. Exact would mean to expand
/// the series; a filter by age needs only to be safe.
fn ends(appointment: &Object) -> Option<i64> {
    let end = appointment
        .time(calendar::END_DATE)
        .or_else(|| appointment.time(calendar::START_DATE))?;
    let Some(period) = longest_period(appointment) else {
        return Some(end);
    };
    // "If `occurrences` is set, ignore `until`", which may hold a computed value then.
    if let Some(count) = appointment.number(calendar::OCCURRENCES).filter(|count| *count > 0) {
        return Some(end.saturating_add(period.saturating_mul(count)));
    }
    let until = appointment.date(calendar::UNTIL)?;
    let start = appointment.time(calendar::START_DATE).unwrap_or(end);
    let length = end.saturating_sub(start).max(0);
    // The day is one in the zone of the series, and may be over up to half a day later than in UTC.
    Some(until.saturating_add(2 * DAY).saturating_add(length))
}

/// The longest time from one occurrence to the next; nothing for a single appointment.
fn longest_period(appointment: &Object) -> Option<i64> {
    let days = match appointment.number(calendar::RECURRENCE_TYPE)? {
        1 => 1,
        2 => 7,
        3 => 31,
        4 => 366,
        _ => return None,
    };
    let interval = appointment.number(calendar::INTERVAL).unwrap_or(1).max(1);
    // A day that some months do not have is skipped there: the 31st up to six times in a row, 29 February up to eight.
    let by_date = appointment.number(calendar::DAYS).unwrap_or_default() == 0;
    let late = appointment.number(calendar::DAY_IN_MONTH).is_some_and(|day| day > 28);
    let skipped = if by_date && late { 8 } else { 1 };
    Some(interval.saturating_mul(days * skipped * DAY))
}

/// The id of the appointment with this iCalendar UID, if the user can see one.
pub async fn resolve_uid(session: &Session, uid: &str) -> Result<Option<String>, Error> {
    let call = Call::get("calendar", "resolveuid").with("uid", uid);
    match session.call(&call).await {
        Ok(reply) => Ok(reply.data.get("id").and_then(id_text)),
        Err(error) if error.kind.concerns_one_call() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MONDAY: i64 = 1_704_099_600_000; // 2024-01-01 09:00 UTC
    const HOUR: i64 = 60 * 60 * 1000;

    /// A row from the fields that matter in a case.
    fn row(fields: Value) -> Object {
        match fields {
            Value::Object(map) => Object::from_map(map),
            other => panic!("{other}"),
        }
    }

    /// 816 is a weekly series, 820 its changed occurrence, 815 single, 830 of a series the user does not see.
    fn calendar() -> Vec<Object> {
        vec![
            row(
                json!({"id": 820, "last_modified_utc": 300, "start_date": MONDAY, "end_date": MONDAY + HOUR, "recurrence_id": 816}),
            ),
            row(
                json!({"id": 815, "last_modified_utc": 100, "start_date": MONDAY, "end_date": MONDAY + HOUR, "recurrence_type": 0}),
            ),
            row(
                json!({"id": "816", "last_modified_utc": 200, "start_date": MONDAY, "end_date": MONDAY + HOUR,
                       "recurrence_id": 816, "recurrence_type": 2, "interval": 1, "days": 2}),
            ),
            row(
                json!({"id": 830, "last_modified": 400, "start_date": MONDAY, "end_date": MONDAY + HOUR, "recurrence_id": 999}),
            ),
        ]
    }

    #[test]
    fn changed_occurrences_are_parts_of_their_series() {
        let items = fold(calendar().into_iter(), None);
        let found: Vec<_> = items
            .iter()
            .map(|item| (item.id.as_str(), item.modified, item.parts.clone(), item.ends))
            .collect();
        assert_eq!(
            found,
            [
                ("815", 100, vec![], Some(MONDAY + HOUR)),
                ("816", 200, vec!["820".to_owned()], None),
                ("830", 400, vec![], Some(MONDAY + HOUR)),
            ]
        );
        assert_eq!((items[0].revision, items[2].revision), (100, 400));
    }

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let mut reversed = calendar();
        reversed.reverse();
        assert_eq!(fold(reversed.into_iter(), None), fold(calendar().into_iter(), None));
    }

    #[test]
    fn the_revision_of_a_series_tells_of_its_parts() {
        let revision = |rows: Vec<Object>| {
            let items = fold(rows.into_iter(), None);
            items
                .into_iter()
                .find(|item| item.id == "816")
                .map(|item| item.revision)
        };
        let with_part = revision(calendar());
        let without_part = revision(calendar().into_iter().skip(1).collect());
        let mut changed = calendar();
        changed[0].set(common::LAST_MODIFIED_UTC, 301);
        assert_eq!(without_part, Some(200));
        assert_ne!(with_part, without_part);
        assert_ne!(with_part, revision(changed));
        assert_eq!(with_part, revision(calendar()));
    }

    #[test]
    fn a_series_that_is_repeated_is_one_item() {
        let mut rows = calendar();
        rows.extend(calendar());
        assert_eq!(fold(rows.into_iter(), None), fold(calendar().into_iter(), None));
    }

    #[test]
    fn an_exception_of_something_that_is_no_series_stands_alone() {
        let rows = [
            row(json!({"id": 815, "last_modified_utc": 100, "recurrence_type": 0})),
            row(json!({"id": 820, "last_modified_utc": 300, "recurrence_id": 815})),
        ];
        let ids: Vec<_> = fold(rows.into_iter(), None).into_iter().map(|item| item.id).collect();
        assert_eq!(ids, ["815", "820"]);
    }

    #[test]
    fn what_the_user_has_declined_is_not_listed() {
        let people = |confirmation: i64| json!([{"id": 3, "confirmation": confirmation}, {"id": 4, "confirmation": 1}]);
        let rows = || {
            [
                row(json!({"id": 815, "users": people(2)})),
                row(json!({"id": 816, "users": people(1), "recurrence_id": 816, "recurrence_type": 2})),
                row(json!({"id": 820, "users": people(2), "recurrence_id": 816})),
                row(json!({"id": 817, "users": people(2), "recurrence_id": 817, "recurrence_type": 2})),
                row(json!({"id": 821, "users": people(0), "recurrence_id": 817})),
                row(json!({"id": 830, "users": people(2), "recurrence_id": 999})),
                row(json!({"id": "840"})),
            ]
        };
        let listed = |user| {
            let items = fold(rows().into_iter(), user);
            let ids = items.into_iter().map(|item| (item.id, item.parts.join(" ")));
            ids.collect::<Vec<_>>()
        };
        let pair = |id: &str, parts: &str| (id.to_owned(), parts.to_owned());
        assert_eq!(listed(Some(3)), [pair("816", "820"), pair("840", "")]);
        assert_eq!(listed(None).len(), 5);
    }

    #[test]
    fn the_end_of_a_series_is_an_upper_bound() {
        let until = 1_704_672_000_000_i64; // 2024-01-08
        // Fields of the pattern; end.
        let cases = [
            (json!({"recurrence_type": 0}), Some(MONDAY + HOUR)),
            (json!({"recurrence_type": 1, "interval": 1}), None),
            (
                json!({"recurrence_type": 1, "interval": 1, "until": until}),
                Some(until + 2 * DAY + HOUR),
            ),
            (
                json!({"recurrence_type": 1, "interval": 2, "occurrences": 5}),
                Some(MONDAY + HOUR + 10 * DAY),
            ),
            // The count wins over a computed end.
            (
                json!({"recurrence_type": 2, "interval": 1, "occurrences": 3, "until": until}),
                Some(MONDAY + HOUR + 21 * DAY),
            ),
            (
                json!({"recurrence_type": 3, "interval": 1, "day_in_month": 1, "occurrences": 2}),
                Some(MONDAY + HOUR + 62 * DAY),
            ),
            // Months without a 31st are skipped.
            (
                json!({"recurrence_type": 3, "interval": 1, "day_in_month": 31, "occurrences": 2}),
                Some(MONDAY + HOUR + 8 * 62 * DAY),
            ),
            (
                json!({"recurrence_type": 4, "interval": 1, "month": 0, "day_in_month": 1, "occurrences": 2}),
                Some(MONDAY + HOUR + 732 * DAY),
            ),
            // Nonsense does no harm.
            (
                json!({"recurrence_type": 1, "interval": i64::MAX, "occurrences": i64::MAX}),
                Some(i64::MAX),
            ),
            (json!({"recurrence_type": 1, "interval": -5, "occurrences": -5}), None),
        ];
        for (pattern, expected) in cases {
            let mut appointment = row(pattern.clone());
            appointment.set(calendar::START_DATE, MONDAY);
            appointment.set(calendar::END_DATE, MONDAY + HOUR);
            assert_eq!(ends(&appointment), expected, "{pattern}");
        }
        assert_eq!(ends(&Object::new()), None);
    }

    #[test]
    fn a_part_that_was_moved_far_out_keeps_the_series() {
        let rows = [
            row(
                json!({"id": 816, "recurrence_id": 816, "recurrence_type": 1, "start_date": 0, "end_date": 1, "until": 0}),
            ),
            row(json!({"id": 820, "recurrence_id": 816, "end_date": MONDAY})),
        ];
        assert_eq!(fold(rows.into_iter(), None)[0].ends, Some(MONDAY));
    }
}
