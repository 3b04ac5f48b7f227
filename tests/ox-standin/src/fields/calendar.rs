//! Fields of appointments, after "Detailed appointment data" and "Detailed task and appointment data" of the OX HTTP API.

use super::Field;
use super::Kind;
use super::UID;
use crate::profile::Profile;

/// All fields beside the common ones.
pub(crate) const FIELDS: &[Field] = &[
    Field::text(200, "title", 255),
    Field::new(201, "start_date", Kind::When),
    Field::new(202, "end_date", Kind::When),
    Field::text(203, "note", 65_535),
    Field::new(204, "alarm", Kind::Number),
    Field::computed(206, "recurrence_id", Kind::Id),
    Field::new(207, "recurrence_position", Kind::Number),
    Field::new(208, "recurrence_date_position", Kind::Date),
    Field::new(209, "recurrence_type", Kind::Number),
    Field::computed(210, "change_exceptions", Kind::Json),
    Field::new(211, "delete_exceptions", Kind::Json),
    Field::new(212, "days", Kind::Number),
    Field::new(213, "day_in_month", Kind::Number),
    Field::new(214, "month", Kind::Number),
    Field::new(215, "interval", Kind::Number),
    Field::new(216, "until", Kind::Date),
    Field::new(217, "notification", Kind::Bool),
    Field::new(220, "participants", Kind::Json),
    Field::computed(221, "users", Kind::Json),
    Field::new(222, "occurrences", Kind::Number),
    UID,
    Field::text(224, "organizer", 255),
    Field::new(225, "sequence", Kind::Number),
    Field::computed(226, "confirmations", Kind::Json),
    Field::new(227, "organizerId", Kind::Number).since(Profile::V6_20),
    Field::text(228, "principal", 255).since(Profile::V6_20),
    Field::new(229, "principalId", Kind::Number).since(Profile::V6_20),
    Field::text(400, "location", 255),
    Field::new(401, "full_time", Kind::Bool),
    Field::new(402, "shown_as", Kind::Number),
    Field::text(408, "timezone", 64),
    Field::computed(410, "recurrence_start", Kind::When),
    Field::new(0, "ignore_conflicts", Kind::Bool),
    Field::new(0, "ignore_outdated_sequence", Kind::Bool),
];
