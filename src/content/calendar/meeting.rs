//! An appointment as a meeting: to be answered, to be forwarded, and made of an invitation from outside.
//!
//! Joins OX's objects with the invitations of [`content::itip`](crate::content::itip); which calls that takes is not known
//! here. Implements the API documentation, "Detailed appointment data", and [MS-ASCMD] InstanceId.

use serde_json::Value;

use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::User;
use crate::content::calendar::attendees;
use crate::content::calendar::attendees::Role;
use crate::content::calendar::properties::Item;
use crate::content::calendar::properties::NO_TITLE;
use crate::content::calendar::properties::shown_as;
use crate::content::calendar::times::Times;
use crate::content::date;
use crate::content::itip;
use crate::content::itip::Answer;
use crate::content::itip::Busy;
use crate::content::itip::Period;
use crate::ox::Object;
use crate::ox::columns::calendar as columns;
use crate::ox::columns::common;

/// An appointment with what its answer depends on.
#[derive(Clone, Debug)]
pub struct Appointment {
    pub meeting: itip::Meeting,
    /// Whether the user is invited by somebody else. Nobody answers to himself.
    pub is_invited: bool,
    /// Whether a user of this OX organizes it: OX tells them what is answered.
    pub is_internal: bool,
}

/// An occurrence of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// As in `recurrence_date_position`.
    pub day: i64,
    /// As in `recurrence_position`: counted from 1.
    pub position: i64,
    /// Start and end, had nobody moved it.
    pub period: Period,
}

/// Why there is no such occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoOccurrence {
    /// The appointment is no series.
    NotRecurring,
    /// The series does not take place then, or not any more.
    NotThere,
}

/// An object in the form of `get` with [`columns()`](super::columns()), its people with their addresses.
pub fn read(object: &Object, context: &Context<'_>) -> Result<Appointment, Unconvertible> {
    let item = Item::new(object, context)?;
    let user = context.user;
    let (organizer, is_internal) = item.people.organized_by();
    let own = match item.people.role {
        Role::Attendee { confirmation } => Some(itip::Attendee {
            person: itip::Person {
                name: user.name.clone(),
                address: user.address.clone(),
            },
            answer: Answer::from_ox(confirmation),
            rsvp: None,
        }),
        Role::Organizer => None,
    };
    let others = item.people.invited().into_iter();
    let others = others.filter(|attendee| !user.owns(&attendee.person.address));
    let meeting = itip::Meeting {
        uid: object.text(common::UID).unwrap_or_default().to_owned(),
        sequence: object.number(columns::SEQUENCE).unwrap_or(0).max(0),
        stamp: object.time(common::LAST_MODIFIED),
        period: period(&item.times),
        zone: item.clock.zone.clone(),
        occurrence: None,
        recurrence: item.recurrence(),
        organizer: (!organizer.address.is_empty()).then_some(organizer),
        attendees: own.into_iter().chain(others).collect(),
        summary: object.text(columns::TITLE).unwrap_or_default().to_owned(),
        location: object.text(columns::LOCATION).unwrap_or_default().to_owned(),
        description: object.text(columns::NOTE).unwrap_or_default().to_owned(),
        reminder: None,
        visibility: itip::Visibility::Public,
        busy: match object.number(columns::SHOWN_AS) {
            Some(shown_as::FREE) => Busy::Free,
            _ => Busy::Busy,
        },
        allows_counter: true,
    };
    Ok(Appointment {
        meeting,
        is_invited: item.people.is_meeting && item.people.role != Role::Organizer,
        is_internal,
    })
}

/// The occurrence that InstanceId names, by its original start.
pub fn occurrence(
    object: &Object,
    instance_id: &str,
    context: &Context<'_>,
) -> Result<Result<Occurrence, NoOccurrence>, Unconvertible> {
    let item = Item::new(object, context)?;
    let Some(recurrence) = item.recurrence() else {
        return Ok(Err(NoOccurrence::NotRecurring));
    };
    let first = match item.times.all_day {
        true => item.times.start,
        false => date::day_in(item.times.start, &item.clock.zone),
    };
    let day = item.clock.read_occurrence(instance_id, &item.times);
    let position = day.and_then(|day| Some((day, recurrence.position(first, day)?)));
    let deleted = object.json(columns::DELETE_EXCEPTIONS).and_then(Value::as_array);
    let is_deleted = |day: i64| {
        let mut days = deleted.into_iter().flatten().filter_map(Value::as_i64);
        days.any(|deleted| date::midnight(deleted) == day)
    };
    Ok(match position {
        Some((day, position)) if !is_deleted(day) => Ok(Occurrence {
            day,
            position,
            period: period(&item.clock.occurrence_on(day, &item.times)),
        }),
        _ => Err(NoOccurrence::NotThere),
    })
}

/// The appointment that an invitation asks for, as a new object without `folder_id`.
pub fn to_new(meeting: &itip::Meeting, user: &User) -> Object {
    let mut fields = to_update(meeting);
    fields.set(common::UID, meeting.uid.as_str());
    if let Some(organizer) = &meeting.organizer {
        fields.set(columns::ORGANIZER, organizer.address.as_str());
    }
    fields.set(columns::SEQUENCE, meeting.sequence);
    fields.set(columns::PARTICIPANTS, attendees::participants_of(meeting, user));
    if let Some(seconds) = meeting.reminder {
        fields.set(columns::ALARM, seconds / 60);
    }
    fields.set(
        columns::SHOWN_AS,
        match meeting.busy {
            Busy::Free | Busy::WorkingElsewhere => shown_as::FREE,
            Busy::Tentative => shown_as::TEMPORARY,
            Busy::Busy => shown_as::RESERVED,
            Busy::OutOfOffice => shown_as::ABSENT,
        },
    );
    let mut map = fields.into_map();
    map.retain(|_, value| !value.is_null());
    Object::from_map(map)
}

/// What a newer version of an invitation may have changed.
pub fn to_update(meeting: &itip::Meeting) -> Object {
    let mut fields = Object::new();
    let title = if meeting.summary.is_empty() {
        NO_TITLE
    } else {
        &meeting.summary
    };
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    fields.set(columns::TITLE, title);
    fields.set(columns::LOCATION, text(&meeting.location));
    fields.set(columns::NOTE, text(&meeting.description));
    let Period { all_day, start, end } = meeting.period;
    Times { all_day, start, end }.to_ox(&mut fields);
    if let Some(name) = meeting.zone.iana_name() {
        fields.set(columns::TIMEZONE, name);
    }
    if let Some(recurrence) = meeting.recurrence {
        recurrence.to_ox(&mut fields);
    }
    fields
}

const fn period(times: &Times) -> Period {
    Period {
        all_day: times.all_day,
        start: times.start,
        end: times.end,
    }
}
