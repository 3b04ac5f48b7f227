//! The module `tasks`.
//!
//! Implements "Detailed task data" of the OX HTTP API: status and percentage must agree, days are Dates while the alarm
//! is an instant, and a recurring task that is done leaves its next instance behind.

use crate::calendar::participants;
use crate::calendar::recurrence::Pattern;
use crate::call::Answer;
use crate::call::Call;
use crate::call::id_of;
use crate::error::OxError;
use crate::fields::text;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::errors;
use crate::pim::errors::Errors;
use crate::pim::read;
use crate::pim::write;
use crate::profile::Profile;
use crate::uids;
use crate::world::World;
use crate::zone;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

const NOT_STARTED: i64 = 1;
const DONE: i64 = 3;

/// Answers a call of the module; `None` for an unknown action.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "all" => read::all(world, call, Module::Tasks)?,
        "list" => read::list(world, call, Module::Tasks)?,
        "get" => read::get(world, call, Module::Tasks)?,
        "updates" => read::updates(world, call, Module::Tasks)?,
        "new" => new(world, call)?,
        "update" => update(world, call)?,
        "delete" => write::delete(world, call, Module::Tasks)?,
        "confirm" => confirm(world, call)?,
        "search" => search(world, call)?,
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn new(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    uids::check_body(world, call)?;
    let body = world
        .wire(&call.zone)
        .read(&Module::Tasks.fields(), &call.json_object()?)?;
    let (id, stamp) = create(world, call.user, body)?;
    Ok(Answer::stamped(json!({"id": world.wire(&call.zone).id(id)}), stamp))
}

/// Creates a task from stored form; also used for the web user.
pub(crate) fn create(world: &mut World, user: u32, mut body: Map<String, Value>) -> Result<(u32, i64), OxError> {
    let folder = body.remove("folder_id").as_ref().and_then(id_of);
    let folder = folder.ok_or_else(|| OxError::new("TSK-0005", 1, "Folder id is missing."))?;
    write::check_create(world, user, Module::Tasks, folder)?;
    let stamp = world.stamp();
    let mut object = Object::new(0, folder, stamp, user);
    object.fields = body;
    for (key, value) in [
        ("status", json!(NOT_STARTED)),
        ("percent_completed", json!(0)),
        ("recurrence_type", json!(0)),
    ] {
        object.fields.entry(key).or_insert(value);
    }
    let written = object.fields.clone();
    settle(world, user, &mut object, &written)?;
    object.id = world.next_id(Module::Tasks.name());
    let id = object.id;
    world.options.uids.settle(Module::Tasks, id, &mut object.fields);
    world.objects.insert((Module::Tasks, id), object);
    Ok((id, stamp))
}

fn update(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let (id, folder) = (call.require_id("id")?, call.require_id("folder")?);
    let timestamp = call.require_number("timestamp")?;
    let body = world
        .wire(&call.zone)
        .read(&Module::Tasks.fields(), &call.json_object()?)?;
    let stamp = change(world, call.user, folder, id, timestamp, body)?;
    Ok(Answer::stamped(json!({}), stamp))
}

/// Changes a task by a body in stored form; also used for the web user.
pub(crate) fn change(
    world: &mut World,
    user: u32,
    folder: u32,
    id: u32,
    timestamp: i64,
    mut body: Map<String, Value>,
) -> Result<i64, OxError> {
    write::check_update(world, user, Module::Tasks, folder, id, timestamp)?;
    let target = body
        .remove("folder_id")
        .as_ref()
        .and_then(id_of)
        .filter(|target| *target != folder);
    if let Some(target) = target {
        write::check_move(world, user, Module::Tasks, id, folder, target)?;
    }
    let stamp = world.stamp();
    let mut object = read::find(world, user, Module::Tasks, folder, id)?.clone();
    if body.get("uid").is_some_and(|uid| object.fields.get("uid") != Some(uid)) {
        return Err(OxError::new("TSK-0053", 1, "The UID of a task cannot be changed."));
    }
    let was_done = object.number("status") == Some(DONE);
    object.fields.extend(body.clone());
    settle(world, user, &mut object, &body)?;
    object.touch(stamp, user);
    let completed = !was_done && object.number("status") == Some(DONE);
    if completed {
        continue_series(world, &mut object, stamp);
    }
    world.objects.insert((Module::Tasks, id), object);
    if let Some(target) = target {
        world.transfer(Module::Tasks, id, folder, target);
    }
    Ok(stamp)
}

/// The rules of a whole task after a write of the fields `written`.
fn settle(world: &World, user: u32, object: &mut Object, written: &Map<String, Value>) -> Result<(), OxError> {
    if let Some(entries) = written.get("participants") {
        let resolved = participants::resolve_internal(world, entries);
        object.set("users", participants::users(world, &resolved, None, &[]));
        object.set("participants", resolved);
    }
    join_days(world.profile(), object, written);
    check(world, user, object)?;
    errors::check_lengths(Module::Tasks, world.profile(), &object.fields)
}

/// Keeps the two representations of the days together; the pair that was written wins.
fn join_days(profile: Profile, object: &mut Object, written: &Map<String, Value>) {
    if profile < Profile::V7_8 {
        return;
    }
    let pairs = [("start_date", "start_time"), ("end_date", "end_time")];
    let times_written = pairs.iter().any(|(_, time)| written.contains_key(*time));
    let days_written = pairs.iter().any(|(day, _)| written.contains_key(*day));
    if times_written {
        for (day, time) in pairs.iter().filter(|(_, time)| written.contains_key(*time)) {
            let value = object.number(time).map(zone::day_of);
            object.set(day, json!(value));
        }
    } else if days_written {
        object.set("full_time", true);
        for (day, time) in pairs {
            let value = json!(object.number(day));
            object.set(time, value);
        }
    }
}

fn check(world: &World, user: u32, object: &Object) -> Result<(), OxError> {
    let refuse = |code: &'static str, text: &'static str| Err(OxError::new(code, 1, text));
    let percent = object.number("percent_completed").unwrap_or(0);
    let status = object.number("status").unwrap_or(NOT_STARTED);
    if !(0..=100).contains(&percent) {
        return refuse("TSK-0030", "The percentage is not between 0 and 100.");
    }
    if !(1..=5).contains(&status) {
        return refuse("TSK-0055", "Invalid status.");
    }
    if status == NOT_STARTED && percent != 0 {
        return refuse("TSK-0031", "The percentage of a task that is not started must be 0.");
    }
    if status == DONE && percent != 100 {
        return refuse("TSK-0038", "The percentage of a task that is done must be 100.");
    }
    if object
        .number("priority")
        .is_some_and(|priority| !(1..=3).contains(&priority))
    {
        return refuse("TSK-0057", "Invalid priority.");
    }
    let (start, end) = (object.number("start_date"), object.number("end_date"));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return refuse("TSK-0040", "The start date lies after the end date.");
    }
    if object.number("recurrence_type").unwrap_or(0) != 0 {
        if start.is_none() {
            return refuse("TSK-0036", "A recurring task needs a start date.");
        }
        if end.is_none() {
            return refuse("TSK-0037", "A recurring task needs an end date.");
        }
    }
    let delegated = object
        .fields
        .get("participants")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty());
    let folder = world.folders.get(object.folder());
    if object.truth("private_flag") && folder.is_some_and(|folder| folder.owner != Some(user)) {
        return Err(OxError::new(
            "TSK-0008",
            3,
            "Private tasks are allowed in private folders only.",
        ));
    }
    if object.truth("private_flag") && delegated {
        return refuse("TSK-0028", "A private task must not be delegated.");
    }
    if delegated && world.user(user).is_some_and(|user| !user.may("delegate_tasks")) {
        return Err(OxError::new("TSK-0026", 3, "You are not allowed to delegate tasks."));
    }
    Ok(())
}

/// A done task of a series: its next instance becomes a new object, the done one leaves the series.
fn continue_series(world: &mut World, done: &mut Object, stamp: i64) {
    let Ok(Some(pattern)) = Pattern::of(&done.fields) else {
        return;
    };
    let (Some(start), Some(end)) = (done.number("start_date"), done.number("end_date")) else {
        return;
    };
    let mut next = done.clone();
    for key in [
        "recurrence_type",
        "interval",
        "days",
        "day_in_month",
        "month",
        "until",
        "occurrences",
        "recurrence_id",
    ] {
        done.fields.remove(key);
    }
    done.set("recurrence_type", 0);
    let Some(day) = pattern.days(zone::civil_day(start)).nth(1).map(zone::day_ms) else {
        return;
    };
    let left = next.number("occurrences").map(|count| count - 1);
    next.id = world.next_id(Module::Tasks.name());
    next.created = stamp;
    next.set("start_date", day);
    next.set("end_date", day + (end - start));
    for (time, value) in [("start_time", day), ("end_time", day + (end - start))] {
        if next.fields.contains_key(time) {
            next.set(time, value);
        }
    }
    if let Some(alarm) = next.number("alarm") {
        next.set("alarm", alarm + (day - start));
    }
    next.set("occurrences", json!(left));
    next.set("status", NOT_STARTED);
    next.set("percent_completed", 0);
    next.fields.remove("date_completed");
    next.fields.remove("uid");
    world.options.uids.settle(Module::Tasks, next.id, &mut next.fields);
    world.objects.insert((Module::Tasks, next.id), next);
}

/// `confirm`: the caller's status; old clients name the task in the body.
fn confirm(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let body = call.json_object()?;
    let id = match body.get("id").and_then(id_of) {
        Some(id) if call.parameter("id").is_none() => id,
        _ => call.require_id("id")?,
    };
    let stamp = world.stamp();
    let not_found = Errors::of(Module::Tasks, world.profile()).not_found;
    let object = world.objects.get_mut(&(Module::Tasks, id)).ok_or(not_found)?;
    participants::set_status(object, call.user, &body);
    object.touch(stamp, call.user);
    Ok(Answer::stamped(json!({}), stamp))
}

fn search(world: &World, call: &Call) -> Result<Answer, OxError> {
    let body = call.json_object()?;
    let pattern = body.get("pattern").and_then(text).unwrap_or_default();
    let bare = pattern.trim_matches('*').to_lowercase();
    if bare.chars().count() < world.options.minimum_search_characters {
        return Err(Errors::of(Module::Tasks, world.profile()).pattern_short.into());
    }
    let wanted = body.get("folder").and_then(id_of);
    let folders: Vec<u32> = match wanted {
        Some(folder) => vec![folder],
        None => world
            .visible_folders(call.user, Module::Tasks.content())
            .map(|folder| folder.id)
            .collect(),
    };
    let mut data = Vec::new();
    for folder in folders {
        let mut objects = read::readable(world, call.user, Module::Tasks, folder)?;
        objects.retain(|object| {
            object.text("title").to_lowercase().contains(&bare) || object.text("note").to_lowercase().contains(&bare)
        });
        data.extend(read::rows(world, call, Module::Tasks, &objects, folder)?);
    }
    Ok(Answer::stamped(data, 0))
}
