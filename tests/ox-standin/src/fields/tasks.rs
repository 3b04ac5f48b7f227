//! Fields of tasks, after "Detailed task data" and "Detailed task and appointment data" of the OX HTTP API.

use super::Field;
use super::Kind;
use super::UID;
use crate::profile::Profile;

/// All fields beside the common ones.
pub(crate) const FIELDS: &[Field] = &[
    Field::text(200, "title", 256),
    Field::new(201, "start_date", Kind::Date),
    Field::new(202, "end_date", Kind::Date),
    Field::text(203, "note", 65_535),
    // Unlike an appointment's, the alarm of a task is an instant.
    Field::new(204, "alarm", Kind::Time),
    Field::computed(206, "recurrence_id", Kind::Id),
    Field::new(209, "recurrence_type", Kind::Number),
    Field::new(212, "days", Kind::Number),
    Field::new(213, "day_in_month", Kind::Number),
    Field::new(214, "month", Kind::Number),
    Field::new(215, "interval", Kind::Number),
    Field::new(216, "until", Kind::Date),
    Field::new(217, "notification", Kind::Bool),
    Field::new(220, "participants", Kind::Json),
    Field::computed(221, "users", Kind::Json),
    Field::new(222, "occurrences", Kind::Number),
    // "Newer", the documents say.
    UID.since(Profile::V7_8),
    Field::new(300, "status", Kind::Number),
    Field::new(301, "percent_completed", Kind::Number),
    Field::new(302, "actual_costs", Kind::Json),
    Field::text(303, "actual_duration", 255),
    Field::new(304, "after_complete", Kind::Date),
    Field::text(305, "billing_information", 255),
    Field::new(307, "target_costs", Kind::Json),
    Field::text(308, "target_duration", 255),
    Field::new(309, "priority", Kind::Number),
    Field::text(312, "currency", 10),
    Field::text(313, "trip_meter", 255),
    Field::text(314, "companies", 255),
    Field::new(315, "date_completed", Kind::Stamp),
    Field::new(316, "start_time", Kind::When).since(Profile::V7_8),
    Field::new(317, "end_time", Kind::When).since(Profile::V7_8),
    Field::new(401, "full_time", Kind::Bool).since(Profile::V7_8),
];
