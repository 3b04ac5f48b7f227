//! Reading of appointments: `all`, `list`, `get`, `updates`, searches and free/busy.
//!
//! Series come as one row (`recurrence_master=true`) or as a row per occurrence. Implements the actions of the chapter
//! "Calendar" of the OX HTTP API.

use crate::calendar;
use crate::calendar::FREE;
use crate::calendar::participants;
use crate::calendar::recurrence::Occurrence;
use crate::calendar::recurrence::Series;
use crate::call::Answer;
use crate::call::Call;
use crate::call::id_under;
use crate::error::MISSING_PARAMETER;
use crate::error::OxError;
use crate::fields::Column;
use crate::fields::Wire;
use crate::fields::integer;
use crate::fields::text;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::errors::Errors;
use crate::pim::read;
use crate::profile::Profile;
use crate::world::World;
use crate::zone::DAY;
use crate::zone::LATEST;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// A span of time, the end excluded.
#[derive(Clone, Copy, Debug)]
struct Range {
    start: i64,
    end: i64,
}

impl Range {
    const EVERYTHING: Self = Self {
        start: i64::MIN,
        end: i64::MAX,
    };

    fn touches(self, start: i64, end: i64) -> bool {
        start < self.end && (end > self.start || (start == end && end == self.start))
    }
}

/// `all`: appointments of a folder, or of all folders of the user, in a range.
pub(super) fn all(world: &World, call: &Call) -> Result<Answer, OxError> {
    let range = range(world, call)?;
    let mut views = Vec::new();
    let mut timestamp = 0;
    for folder in folders(world, call)? {
        for object in visible(world, call, folder)? {
            let found = views_in(world, call, object, folder, range);
            if !found.is_empty() {
                timestamp = timestamp.max(object.modified);
            }
            views.extend(found);
        }
    }
    Ok(Answer::stamped(rows(world, call, views)?, timestamp))
}

/// `updates`: changes and deletions since.
pub(super) fn updates(world: &World, call: &Call) -> Result<Answer, OxError> {
    let since = call.require_number("timestamp")?;
    let everywhere = matches!(call.parameter("folder"), None | Some("0"));
    let ignore = call.parameter("ignore").unwrap_or("");
    if everywhere
        && !(ignore.contains("deleted") && call.parameter("start").is_some() && call.parameter("end").is_some())
    {
        return Err(MISSING_PARAMETER.into());
    }
    let range = if call.parameter("start").is_some() {
        range(world, call)?
    } else {
        Range::EVERYTHING
    };
    let mut views = Vec::new();
    let mut timestamp = since;
    for folder in folders(world, call)? {
        for object in visible(world, call, folder)? {
            if object.modified > since && !ignore.contains("changed") {
                timestamp = timestamp.max(object.modified);
                views.extend(views_in(world, call, object, folder, range));
            }
        }
    }
    let mut data = rows(world, call, views)?;
    if !everywhere && !ignore.contains("deleted") {
        let folder = call.require_id("folder")?;
        for (id, stamp) in read::tombstones(world, Module::Calendar, folder, since) {
            timestamp = timestamp.max(stamp);
            data.push(world.wire(&call.zone).id(id));
        }
    }
    Ok(Answer::stamped(data, timestamp))
}

/// `get`: a single appointment, the master of a series, or one occurrence by `recurrence_position`.
pub(super) fn get(world: &World, call: &Call) -> Result<Answer, OxError> {
    let folder = call.require_id("folder")?;
    let object = read::find(world, call.user, Module::Calendar, folder, call.require_id("id")?)?;
    let mut view = read::view(world, call, Module::Calendar, object, folder);
    if let Some(position) = call.number("recurrence_position")?.filter(|position| *position > 0) {
        let occurrence = Series::of(&object.fields).and_then(|series| series.at_position(position));
        set_occurrence(&mut view, occurrence.ok_or_else(|| unknown_position(world))?);
    }
    let old = world.profile() < Profile::V7_8;
    for key in ["change_exceptions", "delete_exceptions"] {
        // The oldest servers leave them to the columns; newer ones write no empty lists.
        let empty = view.get(key).and_then(Value::as_array).is_none_or(Vec::is_empty);
        if old || empty {
            view.remove(key);
        }
    }
    let last = view
        .get("day_in_month")
        .and_then(Value::as_i64)
        .is_some_and(|day| day >= 5);
    if last && view.get("days").and_then(Value::as_i64).unwrap_or(0) != 0 {
        view.insert("day_in_month".to_owned(), json!(-1));
    }
    if view.get("recurrence_id").is_none_or(Value::is_null) {
        view.remove("recurrence_position");
    }
    Ok(Answer::stamped(
        world.wire(&call.zone).object(&Module::Calendar.fields(), &view),
        object.modified,
    ))
}

/// `list`: rows of named appointments. Old servers fail as a whole when one has gone, and name none twice.
pub(super) fn list(world: &World, call: &Call) -> Result<Answer, OxError> {
    let columns = read::columns(world, call, Module::Calendar)?;
    let wire = world.wire(&call.zone);
    let old = world.profile() < Profile::V7_8;
    let mut entries = call.json_array()?;
    if old {
        entries.sort_by_key(|entry| id_under(entry, &["id"]));
        entries.dedup_by_key(|entry| id_under(entry, &["id"]));
    }
    let mut data = Vec::new();
    let mut timestamp = 0;
    for entry in entries {
        let id = id_under(&entry, &["id"]).unwrap_or(0);
        let folder = id_under(&entry, &["folder", "folder_id"]).unwrap_or(0);
        let object = match read::find(world, call.user, Module::Calendar, folder, id) {
            Ok(object) => object,
            Err(error) if old => return Err(error),
            Err(_) => continue,
        };
        timestamp = timestamp.max(object.modified);
        let mut view = read::view(world, call, Module::Calendar, object, folder);
        let position = entry
            .get("recurrence_position")
            .or_else(|| entry.get("pos"))
            .and_then(integer);
        if let Some(position) = position.filter(|position| *position > 0) {
            let occurrence = Series::of(&object.fields).and_then(|series| series.at_position(position));
            set_occurrence(&mut view, occurrence.ok_or_else(|| unknown_position(world))?);
        }
        data.push(row(&wire, &view, &columns));
    }
    Ok(Answer::stamped(data, timestamp))
}

/// `resolveuid`: the id of the visible appointment with that iCal UID.
pub(super) fn resolve_uid(world: &World, call: &Call) -> Result<Answer, OxError> {
    let uid = call.require("uid")?;
    let mine: Vec<u32> = world
        .visible_folders(call.user, Module::Calendar.content())
        .map(|folder| folder.id)
        .collect();
    let appointments = world
        .objects
        .range((Module::Calendar, 0)..=(Module::Calendar, u32::MAX))
        .map(|(_, object)| object);
    let mut found = appointments.filter(|object| object.text("uid") == uid && calendar::master_of(object).is_none());
    let found = found.find(|object| object.folders.iter().any(|folder| mine.contains(folder)));
    let found = found.ok_or_else(|| Errors::of(Module::Calendar, world.profile()).not_found)?;
    Ok(Answer::stamped(
        json!({"id": world.wire(&call.zone).id(found.id)}),
        found.modified,
    ))
}

/// `freebusy`: what blocks the time of a user or a resource; details only where the caller may read.
pub(super) fn free_busy(world: &World, call: &Call) -> Result<Answer, OxError> {
    let whose = call.require_id("id")?;
    let resource = call.require_number("type")? == participants::RESOURCE;
    let range = range(world, call)?;
    let wire = world.wire(&call.zone);
    let mut data = Vec::new();
    for (_, object) in world
        .objects
        .range((Module::Calendar, 0)..=(Module::Calendar, u32::MAX))
    {
        let takes_part = if resource {
            object
                .fields
                .get("participants")
                .is_some_and(|list| participants::resource_ids(list).contains(&whose))
        } else {
            participants::status_of(object, whose).is_some_and(|status| status != participants::DECLINED)
        };
        if !takes_part || object.number("shown_as") == Some(FREE) {
            continue;
        }
        let folder = object.folders.iter().copied().find(|folder| {
            let found = read::find(world, call.user, Module::Calendar, *folder, object.id);
            found.is_ok_and(|object| !calendar::hidden_from(object, call.user))
        });
        for (start, end) in times(object, range) {
            let mut view = read::view(world, call, Module::Calendar, object, folder.unwrap_or(0));
            view.insert("start_date".to_owned(), json!(start));
            view.insert("end_date".to_owned(), json!(end));
            // What blocks the time may be known of private appointments, too.
            view.entry("shown_as")
                .or_insert_with(|| json!(object.number("shown_as")));
            let open = ["id", "folder_id", "title", "location", "color_label", "private_flag"];
            let always = ["start_date", "end_date", "full_time", "shown_as"];
            view.retain(|key, _| always.contains(&key.as_str()) || (folder.is_some() && open.contains(&key.as_str())));
            data.push(Value::Object(wire.object(&Module::Calendar.fields(), &view)));
        }
    }
    Ok(Answer::stamped(data, 0))
}

/// `search` by title.
pub(super) fn search(world: &World, call: &Call) -> Result<Answer, OxError> {
    let body = call.json_object()?;
    let pattern = body.get("pattern").and_then(text).unwrap_or_default();
    let bare = pattern.trim_matches('*').to_lowercase();
    if bare.chars().count() < world.options.minimum_search_characters {
        return Err(Errors::of(Module::Calendar, world.profile()).pattern_short.into());
    }
    let range = if call.parameter("start").is_some() {
        range(world, call)?
    } else {
        Range::EVERYTHING
    };
    let folders: Vec<u32> = match body.get("folder").and_then(crate::call::id_of) {
        Some(folder) => vec![folder],
        None => world
            .visible_folders(call.user, Module::Calendar.content())
            .map(|folder| folder.id)
            .collect(),
    };
    let mut views = Vec::new();
    for folder in folders {
        let found = visible(world, call, folder)?
            .into_iter()
            .filter(|object| object.text("title").to_lowercase().contains(&bare) && !times(object, range).is_empty());
        views.extend(found.map(|object| read::view(world, call, Module::Calendar, object, folder)));
    }
    Ok(Answer::stamped(rows(world, call, views)?, 0))
}

/// `has`: for each day of the range whether there is an appointment.
pub(super) fn has(world: &World, call: &Call) -> Result<Answer, OxError> {
    let range = range(world, call)?;
    let days = ((range.end - range.start) / DAY).clamp(0, 400);
    let mut busy = Vec::new();
    for folder in folders(world, call)? {
        busy.extend(
            visible(world, call, folder)?
                .into_iter()
                .flat_map(|object| times(object, range)),
        );
    }
    let has = (0..days).map(|day| {
        let day = Range {
            start: range.start + day * DAY,
            end: range.start + (day + 1) * DAY,
        };
        busy.iter().any(|(start, end)| day.touches(*start, *end))
    });
    Ok(Answer::data(has.map(Value::from).collect::<Vec<Value>>()))
}

/// `getChangeExceptions`: rows of a series' changed occurrences.
pub(super) fn change_exceptions(world: &World, call: &Call) -> Result<Answer, OxError> {
    let (folder, id) = (call.require_id("folder")?, call.require_id("id")?);
    read::find(world, call.user, Module::Calendar, folder, id)?;
    let objects = visible(world, call, folder)?
        .into_iter()
        .filter(|object| calendar::master_of(object) == Some(id));
    let views = objects
        .map(|object| read::view(world, call, Module::Calendar, object, folder))
        .collect();
    Ok(Answer::stamped(rows(world, call, views)?, 0))
}

/// An occurrence that does not exist.
pub(super) fn unknown_position(world: &World) -> OxError {
    let code = if world.profile().emulated_calendar() {
        "CAL-4042"
    } else {
        "APP-0074"
    };
    OxError::new(code, 1, "The occurrence could not be found.")
}

/// Instants of an appointment in a range, occurrences of series one by one.
fn times(object: &Object, range: Range) -> Vec<(i64, i64)> {
    match Series::of(&object.fields).filter(|_| calendar::is_master(object)) {
        Some(series) => remaining(object, &series, range)
            .map(|occurrence| (occurrence.start, occurrence.end))
            .collect(),
        None => {
            let (start, end) = span(object);
            if range.touches(start, end) {
                vec![(start, end)]
            } else {
                Vec::new()
            }
        }
    }
}

fn span(object: &Object) -> (i64, i64) {
    (
        object.number("start_date").unwrap_or(0),
        object.number("end_date").unwrap_or(0),
    )
}

/// Occurrences of a series in a range without its exceptions.
fn remaining<'a>(object: &'a Object, series: &'a Series, range: Range) -> impl Iterator<Item = Occurrence> + use<'a> {
    let mut gone = calendar::day_list(object, "change_exceptions");
    gone.extend(calendar::day_list(object, "delete_exceptions"));
    let all = series
        .occurrences()
        .take_while(move |occurrence| occurrence.start < range.end);
    all.filter(move |occurrence| range.touches(occurrence.start, occurrence.end) && !gone.contains(&occurrence.day))
}

/// The rows' views of one appointment: itself, the master of a series, or its occurrences.
fn views_in(world: &World, call: &Call, object: &Object, folder: u32, range: Range) -> Vec<Map<String, Value>> {
    let view = || read::view(world, call, Module::Calendar, object, folder);
    let Some(series) = Series::of(&object.fields).filter(|_| calendar::is_master(object)) else {
        let (start, end) = span(object);
        return if range.touches(start, end) {
            vec![view()]
        } else {
            Vec::new()
        };
    };
    if call.flag("recurrence_master") {
        // Old servers write a master only while an occurrence remains; newer ones whenever one falls into the range.
        let old = world.profile() < Profile::V7_8;
        let shown = if old {
            remaining(object, &series, range).next().is_some()
        } else {
            series
                .occurrences()
                .any(|occurrence| range.touches(occurrence.start, occurrence.end))
        };
        return if shown { vec![view()] } else { Vec::new() };
    }
    let occurrences = remaining(object, &series, range);
    occurrences
        .map(|occurrence| {
            let mut view = view();
            set_occurrence(&mut view, occurrence);
            view.insert("recurrence_start".to_owned(), json!(series.start));
            view
        })
        .collect()
}

fn set_occurrence(view: &mut Map<String, Value>, occurrence: Occurrence) {
    let values = [
        ("start_date", occurrence.start),
        ("end_date", occurrence.end),
        ("recurrence_position", occurrence.position),
        ("recurrence_date_position", occurrence.day),
    ];
    for (key, value) in values {
        view.insert(key.to_owned(), json!(value));
    }
}

fn rows(world: &World, call: &Call, views: Vec<Map<String, Value>>) -> Result<Vec<Value>, OxError> {
    let columns = read::columns(world, call, Module::Calendar)?;
    let wire = world.wire(&call.zone);
    let views = call.limited(read::sorted(call, Module::Calendar, views)?)?;
    Ok(views.iter().map(|view| row(&wire, view, &columns)).collect())
}

/// One row. Lists of exceptions are `null` when empty; the emulation does not know the private flag in rows.
fn row(wire: &Wire, view: &Map<String, Value>, columns: &[Column]) -> Value {
    let mut view = view.clone();
    view.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    if wire.profile.emulated_calendar() {
        view.remove("private_flag");
    }
    wire.row(&Module::Calendar.fields(), &view, columns)
}

/// The folders asked for: the named one, or all visible ones.
fn folders(world: &World, call: &Call) -> Result<Vec<u32>, OxError> {
    match call.parameter("folder") {
        None | Some("0") => Ok(world
            .visible_folders(call.user, Module::Calendar.content())
            .map(|folder| folder.id)
            .collect()),
        Some(_) => Ok(vec![call.require_id("folder")?]),
    }
}

/// Appointments of a folder; private ones of others only anonymised and on request (`showPrivate`).
fn visible<'a>(world: &'a World, call: &Call, folder: u32) -> Result<Vec<&'a Object>, OxError> {
    let (found, rights) = read::open(world, call.user, Module::Calendar, folder)?;
    if !rights.read(true) {
        return Err(Errors::of(Module::Calendar, world.profile()).no_read.into());
    }
    let own_folder = found.owner == Some(call.user);
    let show_private = call.flag("showPrivate");
    let objects = world.objects_in(Module::Calendar, folder).filter(|object| {
        let secret = !own_folder && calendar::hidden_from(object, call.user);
        rights.read(object.created_by == call.user) && (!secret || show_private)
    });
    Ok(objects.collect())
}

/// `start` and `end`, shifted back by the zone. The oldest servers take the user's zone whatever is asked.
fn range(world: &World, call: &Call) -> Result<Range, OxError> {
    let (start, end) = (call.require_number("start")?, call.require_number("end")?);
    let zone = if world.profile() < Profile::V7_8 {
        world.zone_of(call.user)
    } else {
        call.zone.clone()
    };
    let sane = |time: i64| zone.to_utc(time.clamp(-LATEST, LATEST));
    Ok(Range {
        start: sane(start),
        end: sane(end),
    })
}
