//! Writing of appointments: `new`, `update`, `delete`, `confirm`, `copy`.
//!
//! Implements the rules of the chapter "Calendar" of the OX HTTP API: who becomes a participant, when people are asked
//! again, what a change of the pattern does to exceptions, and in which folders an appointment shows up.

use crate::calendar;
use crate::calendar::RESERVED;
use crate::calendar::check;
use crate::calendar::conflict;
use crate::calendar::exception;
use crate::calendar::participants;
use crate::calendar::people;
use crate::calendar::recurrence::Occurrence;
use crate::calendar::recurrence::PATTERN_KEYS;
use crate::calendar::recurrence::Series;
use crate::call::Answer;
use crate::call::Call;
use crate::call::Envelope;
use crate::call::id_of;
use crate::call::id_under;
use crate::error::JSON_SYNTAX;
use crate::error::OxError;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::Tombstone;
use crate::pim::errors::Errors;
use crate::pim::read;
use crate::pim::write;
use crate::profile::Profile;
use crate::world::World;
use crate::zone;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// `new`.
pub(super) fn new(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let body = world
        .wire(&call.zone)
        .read(&Module::Calendar.fields(), &call.json_object()?)?;
    create(world, call, body)
}

/// Creates an appointment from stored form; also used for the web user.
pub(crate) fn create(world: &mut World, call: &Call, mut body: Map<String, Value>) -> Result<Answer, OxError> {
    let folder = body.remove("folder_id").as_ref().and_then(id_of);
    let folder = folder.ok_or_else(|| OxError::new("APP-0031", 1, "The folder of the appointment is missing."))?;
    write::check_create(world, call.user, Module::Calendar, folder)?;
    let ignore = body.remove("ignore_conflicts") == Some(json!(true));
    let alarm = body.remove("alarm");
    let stamp = world.stamp();
    let mut object = Object::new(0, folder, stamp, call.user);
    let notification = body.get("notification") == Some(&json!(true));
    object.fields = stored(body);
    check::basics(&object)?;
    set_defaults(world, call.user, &mut object);
    people::set_people(world, call.user, &mut object, true)?;
    people::set_alarm(world, call.user, &mut object, alarm);
    align_start(world, &mut object);
    check::whole(world, call.user, &object)?;
    if let Some(conflicts) = refused(world, call, &object, ignore) {
        return conflicts;
    }
    if notification {
        people::notify(world, call.user, &object);
    }
    let id = store_new(world, object);
    Ok(Answer::stamped(json!({"id": world.wire(&call.zone).id(id)}), stamp))
}

/// `update`, of a whole appointment or of one occurrence of a series.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let body = world
        .wire(&call.zone)
        .read(&Module::Calendar.fields(), &call.json_object()?)?;
    let (id, folder) = (call.require_id("id")?, call.require_id("folder")?);
    let timestamp = call.require_number("timestamp")?;
    change(world, call, folder, id, timestamp, body)
}

/// Changes an appointment by a body in stored form; also used for the web user.
pub(crate) fn change(
    world: &mut World,
    call: &Call,
    folder: u32,
    id: u32,
    timestamp: i64,
    mut body: Map<String, Value>,
) -> Result<Answer, OxError> {
    write::check_update(world, call.user, Module::Calendar, folder, id, timestamp)?;
    let old = read::find(world, call.user, Module::Calendar, folder, id)?.clone();
    check::organizer(world, call.user, folder, &old, &body)?;
    let to_series = body.get("recurrence_type").and_then(Value::as_i64).unwrap_or(0) != 0;
    if calendar::is_master(&old)
        && !to_series
        && let Some(occurrence) = exception::named(world, &old, &body)?
    {
        if let Some(existing) = exception::existing(world, id, occurrence.day) {
            return change(world, call, folder, existing, i64::MAX, body);
        }
        return create_exception(world, call, &old, occurrence, body);
    }
    if calendar::master_of(&old).is_some() && to_series {
        return Err(OxError::new("APP-0099", 1, "An exception cannot become a series."));
    }
    let target = exception::target_folder(&mut body, folder);
    if let Some(target) = target {
        check::folder_move(world, call.user, &old, folder, target)?;
    }
    let ignore = body.remove("ignore_conflicts") == Some(json!(true));
    let alarm = body.remove("alarm");
    let stamp = world.stamp();
    let mut object = old.clone();
    let notification = body.get("notification") == Some(&json!(true));
    merge(&mut object, body);
    people::set_alarm(world, call.user, &mut object, alarm);
    let with_people = object.fields.get("participants") != old.fields.get("participants");
    if with_people {
        people::set_people(world, call.user, &mut object, false)?;
    }
    if moved_in_time(&old, &object) {
        let organizer = object.number("organizerId").and_then(|id| u32::try_from(id).ok());
        participants::reset_status(&mut object, &[call.user, organizer.unwrap_or(call.user)]);
    }
    align_start(world, &mut object);
    check::whole(world, call.user, &object)?;
    let booking = moved_in_time(&old, &object) || with_people || object.number("shown_as") != old.number("shown_as");
    if booking && let Some(conflicts) = refused(world, call, &object, ignore) {
        return conflicts;
    }
    object.touch(stamp, call.user);
    if notification {
        people::notify(world, call.user, &object);
    }
    store_changed(world, &old, object);
    if let Some(target) = target {
        world.transfer(Module::Calendar, id, folder, target);
    }
    Ok(Answer::stamped(json!({"id": world.wire(&call.zone).id(id)}), stamp))
}

/// `delete`: appointments, series, occurrences, or only the caller's participation.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let timestamp = call.require_number("timestamp")?;
    for entry in write::deletions(world, call)? {
        let id = id_under(&entry, &["id"]).ok_or(JSON_SYNTAX)?;
        let folder = id_under(&entry, &["folder", "folder_id"]).ok_or(JSON_SYNTAX)?;
        let names = entry.as_object().cloned().unwrap_or_default();
        remove(world, call.user, folder, id, timestamp, &names)?;
    }
    Ok(Answer::stamped(json!([]), world.stamp()))
}

/// Deletes one entry; also used for the web user.
pub(crate) fn remove(
    world: &mut World,
    user: u32,
    folder: u32,
    id: u32,
    timestamp: i64,
    names: &Map<String, Value>,
) -> Result<(), OxError> {
    write::check_delete(world, user, Module::Calendar, folder, id, timestamp)?;
    let object = read::find(world, user, Module::Calendar, folder, id)?.clone();
    let occurrence = if calendar::is_master(&object) {
        exception::named(world, &object, names)?
    } else {
        None
    };
    if people::only_takes_part(world, &object, user, folder) {
        let left = match occurrence {
            Some(occurrence) => occurrence_object(world, user, &object, occurrence),
            None => id,
        };
        people::leave(world, user, folder, left);
    } else if let Some(occurrence) = occurrence {
        exception::delete_occurrence(world, user, id, occurrence.day);
    } else if let (Some(master), Some(day)) = (calendar::master_of(&object), object.number("recurrence_date_position"))
    {
        world.bury(Module::Calendar, id);
        exception::delete_occurrence(world, user, master, day);
    } else {
        exception::drop_exceptions(world, id, |_| false);
        world.bury(Module::Calendar, id);
    }
    Ok(())
}

/// `confirm`: the caller's status, or with `occurrence` that of one occurrence only.
pub(super) fn confirm(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let body = call.json_object()?;
    let id = call.require_id("id")?;
    let folder = call.require_id("folder")?;
    let stamp = world.stamp();
    let object = read::find(world, call.user, Module::Calendar, folder, id)?.clone();
    let mut target = id;
    // "7.6+": older servers answer for the whole series.
    let knows_occurrences = world.profile() >= Profile::V7_8 && calendar::is_master(&object);
    if let Some(position) = call.number("occurrence")?.filter(|_| knows_occurrences) {
        let mut names = Map::new();
        names.insert("recurrence_position".to_owned(), json!(position));
        if let Some(occurrence) = exception::named(world, &object, &names)? {
            target = occurrence_object(world, call.user, &object, occurrence);
        }
    }
    let not_found = Errors::of(Module::Calendar, world.profile()).not_found;
    let object = world.objects.get_mut(&(Module::Calendar, target)).ok_or(not_found)?;
    participants::set_status(object, call.user, &body);
    object.touch(stamp, call.user);
    Ok(Answer::stamped(json!({}), stamp))
}

/// `copy`: a new appointment without the old one's identity.
pub(super) fn copy(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let (id, folder) = (call.require_id("id")?, call.require_id("folder")?);
    call.require("ignore_conflicts")?;
    let target = id_under(&call.json()?, &["folder_id"]).ok_or(JSON_SYNTAX)?;
    let object = read::find(world, call.user, Module::Calendar, folder, id)?;
    let mut body = object.fields.clone();
    for key in [
        "uid",
        "recurrence_id",
        "change_exceptions",
        "delete_exceptions",
        "users",
        "confirmations",
    ] {
        body.remove(key);
    }
    body.insert("folder_id".to_owned(), json!(target));
    body.insert("ignore_conflicts".to_owned(), json!(call.flag("ignore_conflicts")));
    create(world, call, body)
}

/// Conflicts as an answer: success without an id.
fn refused(world: &World, call: &Call, object: &Object, ignore: bool) -> Option<Result<Answer, OxError>> {
    let conflicts = conflict::find(world, call, object, ignore);
    if conflicts.is_empty() {
        return None;
    }
    if ignore && world.profile().emulated_calendar() {
        return Some(Err(OxError::new("CAL-4092", 9, "The resource is booked already.")));
    }
    let data = Some(json!({"conflicts": conflicts}));
    Some(Ok(Answer::Data(Envelope {
        data,
        timestamp: Some(0),
        warnings: Vec::new(),
    })))
}

/// Drops keys that are commands and keeps "last" as 5.
fn stored(mut body: Map<String, Value>) -> Map<String, Value> {
    for key in [
        "notification",
        "ignore_outdated_sequence",
        "recurrence_position",
        "recurrence_date_position",
    ] {
        body.remove(key);
    }
    if body.get("day_in_month").and_then(Value::as_i64) == Some(-1) {
        body.insert("day_in_month".to_owned(), json!(5));
    }
    body
}

/// Writes a body over an appointment. The UID stays what it was created with.
fn merge(object: &mut Object, body: Map<String, Value>) {
    let mut body = stored(body);
    body.remove("uid");
    object.fields.extend(body);
    if object.number("recurrence_type").unwrap_or(0) == 0 && calendar::master_of(object).is_none() {
        for key in PATTERN_KEYS.iter().chain(&["recurrence_id"]) {
            object.fields.remove(*key);
        }
        object.set("recurrence_type", 0);
    }
    if object.truth("full_time") {
        for key in ["start_date", "end_date"] {
            if let Some(value) = object.number(key) {
                object.set(key, zone::day_of(value));
            }
        }
    }
}

fn set_defaults(world: &World, user: u32, object: &mut Object) {
    let owner = world
        .folders
        .get(object.folder())
        .and_then(|folder| folder.owner)
        .unwrap_or(user);
    let address = |id: u32| world.user(id).map(|user| user.primary_address().to_owned());
    let defaults = [
        ("full_time", json!(false)),
        ("shown_as", json!(RESERVED)),
        ("recurrence_type", json!(0)),
        ("private_flag", json!(false)),
        ("color_label", json!(0)),
        ("timezone", json!(world.zone_of(user).name())),
        ("sequence", json!(0)),
    ];
    for (key, value) in defaults {
        let unset = object.fields.get(key).is_none_or(Value::is_null);
        if unset {
            object.set(key, value);
        }
    }
    // An organizer from outside stays; otherwise it is the owner of the folder, for whom the caller may act.
    if object.text("organizer").is_empty() {
        object.set("organizer", json!(address(owner)));
    }
    if let Some(organizer) = world.user_by_address(object.text("organizer")) {
        object.set("organizerId", organizer.id);
    }
    if owner != user {
        object.set("principal", json!(address(owner)));
        object.set("principalId", owner);
    }
}

/// The old calendar moves a series to the first day that fits; the newer one keeps the start.
fn align_start(world: &World, object: &mut Object) {
    if world.profile().emulated_calendar() || !calendar::is_master(object) {
        return;
    }
    let Some(series) = Series::of(&object.fields) else {
        return;
    };
    if let Some(start) = series.aligned_start() {
        object.set("start_date", start);
        object.set("end_date", start + (series.end - series.start));
    }
}

fn moved_in_time(old: &Object, new: &Object) -> bool {
    let times = ["start_date", "end_date", "full_time"];
    times.iter().chain(PATTERN_KEYS).any(|key| differs(old, new, key))
}

fn differs(old: &Object, new: &Object, key: &str) -> bool {
    let value = |object: &Object| object.fields.get(key).filter(|value| !value.is_null()).cloned();
    value(old) != value(new)
}

/// Stores a new appointment and gives it its identity.
fn store_new(world: &mut World, mut object: Object) -> u32 {
    let id = world.next_id(Module::Calendar.name());
    object.id = id;
    object
        .fields
        .entry("uid")
        .or_insert_with(|| json!(format!("appointment-{id}@standin")));
    if object.number("recurrence_type").unwrap_or(0) != 0 {
        object.set("recurrence_id", id);
    }
    world.objects.insert((Module::Calendar, id), object);
    id
}

/// Stores a changed appointment: exceptions of a changed series go, folders of removed participants get tombstones.
fn store_changed(world: &mut World, old: &Object, mut object: Object) {
    let id = object.id;
    if calendar::is_master(&object) {
        object.set("recurrence_id", id);
    }
    for folder in old.folders.iter().filter(|folder| !object.folders.contains(folder)) {
        let stone = Tombstone {
            module: Module::Calendar,
            folder: *folder,
            id,
            stamp: object.modified,
        };
        world.tombstones.push(stone);
    }
    let repatterned = PATTERN_KEYS
        .iter()
        .chain(&["start_date"])
        .any(|key| differs(old, &object, key));
    let series = Series::of(&object.fields);
    world.objects.insert((Module::Calendar, id), object);
    if calendar::is_master(old) && repatterned {
        let keeps = world.profile().emulated_calendar();
        exception::drop_exceptions(world, id, |day| {
            keeps && series.as_ref().is_some_and(|series| series.on_day(day).is_some())
        });
    }
}

/// Turns an occurrence into an object of its own, changed by the body.
fn create_exception(
    world: &mut World,
    call: &Call,
    master: &Object,
    occurrence: Occurrence,
    mut body: Map<String, Value>,
) -> Result<Answer, OxError> {
    if exception::target_folder(&mut body, master.folder()).is_some_and(|target| !master.folders.contains(&target)) {
        return Err(OxError::new(
            "APP-0066",
            1,
            "An exception cannot be moved to another folder.",
        ));
    }
    let ignore = body.remove("ignore_conflicts") == Some(json!(true));
    let stamp = world.stamp();
    let mut object = exception::split_off(master, occurrence, stamp, call.user);
    let alarm = body.remove("alarm");
    merge(&mut object, body.clone());
    people::set_alarm(world, call.user, &mut object, alarm.clone());
    if body.contains_key("participants") {
        people::set_people(world, call.user, &mut object, false)?;
    }
    check::whole(world, call.user, &object)?;
    if let Some(conflicts) = refused(world, call, &object, ignore) {
        return conflicts;
    }
    let id = finish_exception(world, call.user, master.id, occurrence.day, object);
    Ok(Answer::stamped(json!({"id": world.wire(&call.zone).id(id)}), stamp))
}

/// The object of an occurrence for a change of people only, made if there is none yet.
fn occurrence_object(world: &mut World, user: u32, master: &Object, occurrence: Occurrence) -> u32 {
    if let Some(existing) = exception::existing(world, master.id, occurrence.day) {
        return existing;
    }
    let stamp = world.stamp();
    let object = exception::split_off(master, occurrence, stamp, user);
    finish_exception(world, user, master.id, occurrence.day, object)
}

/// Stores a new exception and notes its day at the master; answers its id.
fn finish_exception(world: &mut World, user: u32, master: u32, day: i64, mut object: Object) -> u32 {
    let id = world.next_id(Module::Calendar.name());
    let stamp = object.modified;
    object.id = id;
    world.objects.insert((Module::Calendar, id), object);
    if let Some(master) = world.objects.get_mut(&(Module::Calendar, master)) {
        exception::note_day(master, "change_exceptions", day);
        master.touch(stamp, user);
    }
    id
}
