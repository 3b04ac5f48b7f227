//! Writing of appointments: `new`, `update`, `delete`, `confirm`, `copy`.
//!
//! Implements the rules of the chapter "Calendar" of the OX HTTP API: who becomes a participant, when people are asked
//! again, what a change of the pattern does to exceptions, and in which folders an appointment shows up.

use crate::calendar;
use crate::calendar::RESERVED;
use crate::calendar::conflict;
use crate::calendar::exception;
use crate::calendar::participants;
use crate::calendar::recurrence::Occurrence;
use crate::calendar::recurrence::PATTERN_KEYS;
use crate::calendar::recurrence::Pattern;
use crate::calendar::recurrence::Series;
use crate::call::Answer;
use crate::call::Call;
use crate::call::Envelope;
use crate::call::id_of;
use crate::call::id_under;
use crate::error::JSON_SYNTAX;
use crate::error::OxError;
use crate::folders::store::Content;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::Tombstone;
use crate::pim::errors;
use crate::pim::errors::Errors;
use crate::pim::read;
use crate::pim::write;
use crate::world::World;
use crate::zone;
use crate::zone::Zone;
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
    object.fields = stored(body);
    require_basics(&object)?;
    set_defaults(world, call.user, &mut object);
    set_people(world, call.user, &mut object, true)?;
    set_alarm(world, call.user, &mut object, alarm);
    align_start(world, &mut object);
    check(world, call.user, &object)?;
    if let Some(conflicts) = refused(world, call, &object, ignore) {
        return conflicts;
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
    check_organizer(world, call.user, folder, &old, &body)?;
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
        check_move(world, call.user, &old, folder, target)?;
    }
    let ignore = body.remove("ignore_conflicts") == Some(json!(true));
    let alarm = body.remove("alarm");
    let stamp = world.stamp();
    let mut object = old.clone();
    merge(&mut object, body);
    set_alarm(world, call.user, &mut object, alarm);
    let with_people = object.fields.get("participants") != old.fields.get("participants");
    if with_people {
        set_people(world, call.user, &mut object, false)?;
    }
    if moved_in_time(&old, &object) {
        let organizer = object.number("organizerId").and_then(|id| u32::try_from(id).ok());
        participants::reset_status(&mut object, &[call.user, organizer.unwrap_or(call.user)]);
    }
    align_start(world, &mut object);
    check(world, call.user, &object)?;
    let booking = moved_in_time(&old, &object) || with_people || object.number("shown_as") != old.number("shown_as");
    if booking && let Some(conflicts) = refused(world, call, &object, ignore) {
        return conflicts;
    }
    object.touch(stamp, call.user);
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
    if only_takes_part(world, &object, user, folder) {
        leave(world, user, folder, &object);
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
    if let Some(position) = call.number("occurrence")?.filter(|_| calendar::is_master(&object)) {
        let mut names = Map::new();
        names.insert("recurrence_position".to_owned(), json!(position));
        if let Some(occurrence) = exception::named(world, &object, &names)? {
            let existing = exception::existing(world, id, occurrence.day);
            target =
                existing.unwrap_or_else(|| store_exception(world, call.user, &object, occurrence, Map::new(), stamp));
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

fn require_basics(object: &Object) -> Result<(), OxError> {
    for (key, code) in [("start_date", "APP-0026"), ("end_date", "APP-0027")] {
        if object.number(key).is_none() {
            return Err(OxError::new(code, 1, format!("The field {key} is missing.")));
        }
    }
    Ok(())
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

/// Resolves participants, adds the owner of a private folder, and finds the folders where everybody sees it.
fn set_people(world: &World, user: u32, object: &mut Object, fresh: bool) -> Result<(), OxError> {
    let owner = world.folders.get(object.folder()).and_then(|folder| folder.owner);
    let given = object.fields.get("participants").cloned().unwrap_or(Value::Null);
    let mut resolved = participants::resolve_internal(world, &given);
    if let (Some(owner), Value::Array(list)) = (owner, &mut resolved)
        && fresh
        && !participants::user_ids(world, &Value::Array(list.clone())).contains(&owner)
    {
        list.insert(0, json!({"id": owner, "type": participants::USER}));
    }
    if resolved.as_array().is_none_or(Vec::is_empty) {
        return Err(OxError::new("APP-0009", 1, "The appointment has no participants."));
    }
    if owner.is_some_and(|owner| !participants::user_ids(world, &resolved).contains(&owner)) && !fresh {
        return Err(OxError::new(
            "APP-0076",
            1,
            "The owner of the folder cannot be removed.",
        ));
    }
    let nameless = |entry: &Value| entry.get("mail").and_then(Value::as_str).is_none_or(str::is_empty);
    let mut list = resolved.as_array().into_iter().flatten();
    if list.any(|entry| participants::kind(entry) == participants::EXTERNAL && nameless(entry)) {
        return Err(OxError::new("APP-0008", 1, "An external participant has no address."));
    }
    let known = |object: &Object, key: &str| {
        object
            .fields
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let users = participants::users(world, &resolved, owner.or(Some(user)), &known(object, "users"));
    let confirmations = participants::confirmations(&resolved, &known(object, "confirmations"));
    let external = confirmations.as_array().is_some_and(|list| !list.is_empty());
    object.set("users", users);
    object.set("confirmations", if external { confirmations } else { Value::Null });
    if owner.is_some() {
        object.folders = placements(world, object, &participants::user_ids(world, &resolved));
    }
    object.set("participants", resolved);
    Ok(())
}

/// The folders of all participants: where it is already, else their default calendars.
fn placements(world: &World, object: &Object, users: &[u32]) -> Vec<u32> {
    let owner_of = |folder: &u32| world.folders.get(*folder).and_then(|folder| folder.owner);
    let mut folders: Vec<u32> = vec![object.folder()];
    for user in users {
        let present = object
            .folders
            .iter()
            .copied()
            .find(|folder| owner_of(folder) == Some(*user));
        let place = present.or_else(|| world.folders.default_of(*user, Content::Calendar));
        if let Some(place) = place
            && !folders.iter().any(|folder| owner_of(folder) == Some(*user))
        {
            folders.push(place);
        }
    }
    folders
}

fn set_alarm(world: &World, user: u32, object: &mut Object, alarm: Option<Value>) {
    let Some(alarm) = alarm else { return };
    let owner = world.folders.get(object.folder()).and_then(|folder| folder.owner);
    let whose = if participants::status_of(object, user).is_some() {
        user
    } else {
        owner.unwrap_or(user)
    };
    match alarm.as_i64().filter(|minutes| *minutes >= 0) {
        Some(minutes) => object.alarms.insert(whose, minutes),
        None => object.alarms.remove(&whose),
    };
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

fn check(world: &World, user: u32, object: &Object) -> Result<(), OxError> {
    let emulated = world.profile().emulated_calendar();
    let code = |old: &'static str, new: &'static str| if emulated { new } else { old };
    if object.text("title").is_empty() && !emulated {
        return Err(OxError::new("APP-0028", 1, "The title is missing."));
    }
    let (start, end) = (object.number("start_date"), object.number("end_date"));
    if start > end {
        return Err(OxError::new(
            code("APP-0020", "CAL-4221"),
            1,
            "The end lies before the start.",
        ));
    }
    if object
        .number("color_label")
        .is_some_and(|label| !(0..=10).contains(&label))
    {
        return Err(OxError::new("APP-0021", 1, "The colour label is invalid."));
    }
    if Zone::named(object.text("timezone")).is_none() {
        return Err(OxError::new("APP-0078", 1, "The time zone is unknown."));
    }
    if object.truth("private_flag") {
        let foreign = world
            .folders
            .get(object.folder())
            .is_some_and(|folder| folder.owner != Some(user));
        let several = object
            .fields
            .get("participants")
            .and_then(Value::as_array)
            .is_some_and(|list| list.len() > 1);
        if foreign {
            return Err(OxError::new(
                code("APP-0022", "CAL-4222"),
                3,
                "Private appointments belong into own folders.",
            ));
        }
        if several && !emulated {
            return Err(OxError::new(
                "APP-0023",
                1,
                "A private appointment must not have other participants.",
            ));
        }
    }
    if Pattern::of(&object.fields)?.is_some()
        && object.number("until") < start.map(zone::day_of)
        && object.number("until").is_some()
    {
        return Err(OxError::new("APP-0086", 1, "The series ends before it begins."));
    }
    errors::check_lengths(Module::Calendar, world.profile(), &object.fields)
}

/// In the newer calendar only the organizer changes more than what is the attendee's own.
fn check_organizer(
    world: &World,
    user: u32,
    folder: u32,
    object: &Object,
    body: &Map<String, Value>,
) -> Result<(), OxError> {
    const OWN: &[&str] = &[
        "alarm",
        "color_label",
        "folder_id",
        "ignore_conflicts",
        "notification",
        "shown_as",
    ];
    let organizer = object.number("organizerId").and_then(|id| u32::try_from(id).ok());
    // In the organizer's folder, or in a public one, others act on his behalf.
    let owner = world.folders.get(folder).and_then(|folder| folder.owner);
    let acts_for_organizer = organizer == Some(user) || owner.is_none() || organizer == owner;
    let external = organizer.is_none() && !object.text("organizer").is_empty();
    let changes_more = body.keys().any(|key| !OWN.contains(&key.as_str()));
    if world.profile().emulated_calendar() && changes_more && (external || !acts_for_organizer) {
        return Err(OxError::new(
            "CAL-4038",
            3,
            "Only the organizer may change the appointment.",
        ));
    }
    Ok(())
}

fn check_move(world: &World, user: u32, object: &Object, from: u32, to: u32) -> Result<(), OxError> {
    if calendar::master_of(object).is_some() {
        return Err(OxError::new(
            "APP-0066",
            1,
            "An exception cannot be moved to another folder.",
        ));
    }
    if calendar::is_master(object) {
        return Err(OxError::new(
            "APP-0034",
            1,
            "A recurring appointment cannot be moved to another folder.",
        ));
    }
    write::check_move(world, user, Module::Calendar, object.id, from, to)
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
    set_alarm(world, call.user, &mut object, alarm.clone());
    if body.contains_key("participants") {
        set_people(world, call.user, &mut object, false)?;
    }
    check(world, call.user, &object)?;
    if let Some(conflicts) = refused(world, call, &object, ignore) {
        return conflicts;
    }
    let id = world.next_id(Module::Calendar.name());
    finish_exception(world, call.user, master.id, occurrence.day, id, object, stamp);
    Ok(Answer::stamped(json!({"id": world.wire(&call.zone).id(id)}), stamp))
}

/// As `create_exception` for a change of status only.
fn store_exception(
    world: &mut World,
    user: u32,
    master: &Object,
    occurrence: Occurrence,
    body: Map<String, Value>,
    stamp: i64,
) -> u32 {
    let mut object = exception::split_off(master, occurrence, stamp, user);
    merge(&mut object, body);
    let id = world.next_id(Module::Calendar.name());
    finish_exception(world, user, master.id, occurrence.day, id, object, stamp);
    id
}

fn finish_exception(world: &mut World, user: u32, master: u32, day: i64, id: u32, mut object: Object, stamp: i64) {
    object.id = id;
    world.objects.insert((Module::Calendar, id), object);
    if let Some(master) = world.objects.get_mut(&(Module::Calendar, master)) {
        exception::note_day(master, "change_exceptions", day);
        master.touch(stamp, user);
    }
}

/// Invited by somebody else, and deleting the own copy in the own folder.
fn only_takes_part(world: &World, object: &Object, user: u32, folder: u32) -> bool {
    let own_folder = world
        .folders
        .get(folder)
        .is_some_and(|folder| folder.owner == Some(user));
    own_folder && object.folder() != folder && object.created_by != user
}

/// Takes the user off the list and the appointment out of the folder.
fn leave(world: &mut World, user: u32, folder: u32, object: &Object) {
    let stamp = world.stamp();
    let mut object = object.clone();
    let is_user = |entry: &Value| {
        participants::kind(entry) == participants::USER && entry.get("id").and_then(id_of) == Some(user)
    };
    for key in ["participants", "users"] {
        if let Some(list) = object.fields.get_mut(key).and_then(Value::as_array_mut) {
            list.retain(|entry| !is_user(entry));
        }
    }
    object.folders.retain(|other| *other != folder);
    object.touch(stamp, user);
    world.tombstones.push(Tombstone {
        module: Module::Calendar,
        folder,
        id: object.id,
        stamp,
    });
    world.objects.insert((Module::Calendar, object.id), object);
}
