//! What the calendar refuses, and with which code.
//!
//! Implements the error codes APP and CAL of the chapter "Calendar" of the OX HTTP API.

use crate::calendar;
use crate::calendar::recurrence::Pattern;
use crate::error::OxError;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::errors;
use crate::pim::write;
use crate::world::World;
use crate::zone;
use crate::zone::Zone;
use serde_json::Map;
use serde_json::Value;

pub(super) fn basics(object: &Object) -> Result<(), OxError> {
    for (key, code) in [("start_date", "APP-0026"), ("end_date", "APP-0027")] {
        if object.number(key).is_none() {
            return Err(OxError::new(code, 1, format!("The field {key} is missing.")));
        }
    }
    Ok(())
}

pub(super) fn whole(world: &World, user: u32, object: &Object) -> Result<(), OxError> {
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
pub(super) fn organizer(
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

pub(super) fn folder_move(world: &World, user: u32, object: &Object, from: u32, to: u32) -> Result<(), OxError> {
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
