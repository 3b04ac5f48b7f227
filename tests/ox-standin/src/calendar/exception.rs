//! Single occurrences of a series: changed ones become objects of their own, deleted ones a day in the master's list.
//!
//! Implements "Exceptions" of the OX HTTP API's calendar: occurrences are addressed by position or by day.

use crate::calendar;
use crate::calendar::read::unknown_position;
use crate::calendar::recurrence::Occurrence;
use crate::calendar::recurrence::PATTERN_KEYS;
use crate::calendar::recurrence::Series;
use crate::call::id_of;
use crate::error::OxError;
use crate::fields::integer;
use crate::pim::Module;
use crate::pim::Object;
use crate::world::World;
use crate::zone;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The occurrence that a body names, if it names one.
pub(super) fn named(world: &World, master: &Object, body: &Map<String, Value>) -> Result<Option<Occurrence>, OxError> {
    let number = |key: &str| body.get(key).and_then(integer).filter(|value| *value != 0);
    let day = number("recurrence_date_position").filter(|_| world.profile().names_occurrences_by_day());
    let day = day.map(zone::day_of);
    let position = number("recurrence_position").or_else(|| number("pos"));
    if day.is_none() && position.is_none() {
        return Ok(None);
    }
    let series = Series::of(&master.fields).ok_or_else(|| unknown_position(world))?;
    let found = match (day, position) {
        (Some(day), _) => series.on_day(day),
        (None, position) => series.at_position(position.unwrap_or(0)),
    };
    let found = found.filter(|found| !calendar::day_list(master, "delete_exceptions").contains(&found.day));
    found.map(Some).ok_or_else(|| unknown_position(world))
}

/// A body that names an occurrence by its day, in words that every generation knows.
pub(crate) fn in_old_words(world: &World, master: u32, mut body: Map<String, Value>) -> Map<String, Value> {
    let master = world.objects.get(&(Module::Calendar, master));
    let series = master.and_then(|master| Series::of(&master.fields));
    let day = body.get("recurrence_date_position").and_then(integer).map(zone::day_of);
    if let Some(occurrence) = series.zip(day).and_then(|(series, day)| series.on_day(day)) {
        body.insert("recurrence_position".to_owned(), json!(occurrence.position));
    }
    body
}

/// The change exception of a master on a day, if there is one already.
pub(super) fn existing(world: &World, master: u32, day: i64) -> Option<u32> {
    let objects = world
        .objects
        .range((Module::Calendar, 0)..=(Module::Calendar, u32::MAX))
        .map(|(_, object)| object);
    let mut mine = objects.filter(|object| calendar::master_of(object) == Some(master));
    mine.find(|object| object.number("recurrence_date_position") == Some(day))
        .map(|object| object.id)
}

/// An occurrence as a copy of its master, not stored yet.
pub(super) fn split_off(master: &Object, occurrence: Occurrence, stamp: i64, user: u32) -> Object {
    let mut exception = master.clone();
    exception.id = 0;
    exception.created = stamp;
    exception.touch(stamp, user);
    exception.attachments.clear();
    exception.attachments_changed = None;
    for key in PATTERN_KEYS.iter().chain(&["change_exceptions", "delete_exceptions"]) {
        exception.fields.remove(*key);
    }
    exception.set("recurrence_type", 0);
    exception.set("recurrence_id", master.id);
    exception.set("recurrence_position", occurrence.position);
    exception.set("recurrence_date_position", occurrence.day);
    exception.set("start_date", occurrence.start);
    exception.set("end_date", occurrence.end);
    exception
}

/// Adds a day to one of the master's lists, in order.
pub(super) fn note_day(master: &mut Object, list: &str, day: i64) {
    let mut days = calendar::day_list(master, list);
    if !days.contains(&day) {
        days.push(day);
        days.sort_unstable();
    }
    master.set(list, json!(days));
}

/// Deletes one occurrence of a series: its change exception goes, the day joins the deleted ones.
pub(super) fn delete_occurrence(world: &mut World, user: u32, master: u32, day: i64) {
    if let Some(exception) = existing(world, master, day) {
        world.bury(Module::Calendar, exception);
    }
    let stamp = world.stamp();
    let Some(master) = world.objects.get_mut(&(Module::Calendar, master)) else {
        return;
    };
    let mut changed = calendar::day_list(master, "change_exceptions");
    changed.retain(|other| *other != day);
    master.set("change_exceptions", json!(changed));
    note_day(master, "delete_exceptions", day);
    master.touch(stamp, user);
}

/// Deletes all change exceptions of a series that `keep` does not want.
pub(super) fn drop_exceptions(world: &mut World, master: u32, keep: impl Fn(i64) -> bool) {
    let objects = world
        .objects
        .range((Module::Calendar, 0)..=(Module::Calendar, u32::MAX))
        .map(|(_, object)| object);
    let mine = objects.filter(|object| calendar::master_of(object) == Some(master));
    let doomed: Vec<u32> = mine
        .filter(|object| !object.number("recurrence_date_position").is_some_and(&keep))
        .map(|object| object.id)
        .collect();
    for id in doomed {
        world.bury(Module::Calendar, id);
    }
    let Some(master) = world.objects.get_mut(&(Module::Calendar, master)) else {
        return;
    };
    for list in ["change_exceptions", "delete_exceptions"] {
        let kept: Vec<i64> = calendar::day_list(master, list)
            .into_iter()
            .filter(|day| keep(*day))
            .collect();
        master.set(list, json!(kept));
    }
}

/// Id of a folder that a body moves to.
pub(super) fn target_folder(body: &mut Map<String, Value>, folder: u32) -> Option<u32> {
    body.remove("folder_id")
        .as_ref()
        .and_then(id_of)
        .filter(|target| *target != folder)
}
