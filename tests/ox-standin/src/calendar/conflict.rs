//! Double bookings: what a new or changed appointment collides with.
//!
//! Implements "Conflict handling" of the OX HTTP API: collisions are data, not errors; only appointments that lie in the
//! future count; a booked resource cannot be overruled.

use crate::calendar::FREE;
use crate::calendar::day_list;
use crate::calendar::is_master;
use crate::calendar::master_of;
use crate::calendar::participants;
use crate::calendar::recurrence::Series;
use crate::call::Call;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::read;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Instants compared per appointment.
const MOST_TIMES: usize = 999;

/// The conflicts of an appointment about to be saved, as the answer shows them; empty when it may be saved.
pub(crate) fn find(world: &World, call: &Call, candidate: &Object, ignore: bool) -> Vec<Value> {
    if candidate.number("shown_as") == Some(FREE) {
        return Vec::new();
    }
    let now = world.clock.now();
    let times: Vec<(i64, i64)> = times(candidate).into_iter().filter(|(_, end)| *end > now).collect();
    let mine = Booked::of(world, candidate);
    let appointments = world
        .objects
        .range((Module::Calendar, 0)..=(Module::Calendar, u32::MAX))
        .map(|(_, object)| object);
    let others = appointments.filter(|other| !same_series(candidate, other) && other.number("shown_as") != Some(FREE));
    others
        .filter_map(|other| {
            let shared = mine.shared(&Booked::of(world, other));
            let hard = !shared.resources.is_empty();
            let relevant = hard || (!ignore && !shared.users.is_empty());
            let hit = relevant.then(|| overlap(&times, other)).flatten()?;
            Some(describe(world, call, other, hit, &shared))
        })
        .collect()
}

/// Who and what an appointment occupies.
struct Booked {
    users: Vec<u32>,
    resources: Vec<u32>,
}

impl Booked {
    fn of(world: &World, object: &Object) -> Self {
        let Some(list) = object.fields.get("participants") else {
            return Self {
                users: Vec::new(),
                resources: Vec::new(),
            };
        };
        let mut users = participants::user_ids(world, list);
        users.retain(|user| participants::status_of(object, *user) != Some(participants::DECLINED));
        Self {
            users,
            resources: participants::resource_ids(list),
        }
    }

    fn shared(&self, other: &Self) -> Self {
        let common = |a: &[u32], b: &[u32]| a.iter().copied().filter(|id| b.contains(id)).collect();
        Self {
            users: common(&self.users, &other.users),
            resources: common(&self.resources, &other.resources),
        }
    }
}

/// An appointment does not collide with itself, nor with other parts of its series.
fn same_series(a: &Object, b: &Object) -> bool {
    let root = |object: &Object| master_of(object).unwrap_or(object.id);
    root(a) == root(b) && root(a) != 0
}

fn times(object: &Object) -> Vec<(i64, i64)> {
    let single = || {
        vec![(
            object.number("start_date").unwrap_or(0),
            object.number("end_date").unwrap_or(0),
        )]
    };
    let Some(series) = Series::of(&object.fields).filter(|_| is_master(object)) else {
        return single();
    };
    let mut gone = day_list(object, "change_exceptions");
    gone.extend(day_list(object, "delete_exceptions"));
    let left = series
        .occurrences()
        .filter(|occurrence| !gone.contains(&occurrence.day));
    left.map(|occurrence| (occurrence.start, occurrence.end))
        .take(MOST_TIMES)
        .collect()
}

/// The first of the other's instants that meets one of ours.
fn overlap(times_of_ours: &[(i64, i64)], other: &Object) -> Option<(i64, i64)> {
    let (first, last) = (times_of_ours.first()?.0, times_of_ours.last()?.1);
    let theirs = times(other);
    let near = theirs.into_iter().filter(|(start, end)| *start < last && *end > first);
    near.into_iter()
        .find(|(start, end)| times_of_ours.iter().any(|(from, to)| start < to && end > from))
}

fn describe(world: &World, call: &Call, other: &Object, at: (i64, i64), shared: &Booked) -> Value {
    let readable = other.folders.iter().copied().find(|folder| {
        let found = read::find(world, call.user, Module::Calendar, *folder, other.id);
        found.is_ok_and(|object| !crate::calendar::hidden_from(object, call.user))
    });
    let mut view: Map<String, Value> = read::view(world, call, Module::Calendar, other, readable.unwrap_or(0));
    view.insert("start_date".to_owned(), json!(at.0));
    view.insert("end_date".to_owned(), json!(at.1));
    let always = ["start_date", "end_date", "full_time", "shown_as", "created_by"];
    let open = ["id", "folder_id", "title", "location"];
    view.retain(|key, _| always.contains(&key.as_str()) || (readable.is_some() && open.contains(&key.as_str())));
    let mut conflict = world.wire(&call.zone).object(&Module::Calendar.fields(), &view);
    let users = shared.users.iter().map(|id| {
        let name = world.user(*id).map(crate::users::User::display_name);
        json!({"id": id, "type": participants::USER, "display_name": name})
    });
    let resources = shared
        .resources
        .iter()
        .map(|id| json!({"id": id, "type": participants::RESOURCE}));
    conflict.insert("participants".to_owned(), users.chain(resources).collect());
    conflict.insert("hard_conflict".to_owned(), json!(!shared.resources.is_empty()));
    Value::Object(conflict)
}
