//! Writes a meeting as iCalendar text.
//!
//! What is written is what other calendars read from us: a reply for the organizer, another time that the user wants, or the
//! invitation for somebody it is forwarded to. Implements RFC 5545 "iCalendar Object" and RFC 5546 "REPLY", "COUNTER" and
//! "REQUEST".

use calcard::common::PartialDateTime;
use calcard::icalendar::ICalendar;
use calcard::icalendar::ICalendarClassification;
use calcard::icalendar::ICalendarComponent;
use calcard::icalendar::ICalendarComponentType;
use calcard::icalendar::ICalendarEntry;
use calcard::icalendar::ICalendarParameter;
use calcard::icalendar::ICalendarProperty as Property;
use calcard::icalendar::ICalendarTransparency;
use calcard::icalendar::ICalendarValue;
use calcard::icalendar::ICalendarValueType;
use calcard::icalendar::Uri;

use crate::content::date;
use crate::content::itip::Attendee;
use crate::content::itip::Busy;
use crate::content::itip::Invitation;
use crate::content::itip::Method;
use crate::content::itip::Period;
use crate::content::itip::Person;
use crate::content::itip::Visibility;
use crate::content::itip::pattern;

const PRODUCT: &str = "-//OXtender//ActiveSync gateway//EN";

/// The text, with the comment of whoever sends it; empty for none.
pub(super) fn write(invitation: &Invitation, comment: &str) -> String {
    let mut calendar = ICalendarComponent::new(ICalendarComponentType::VCalendar);
    calendar.add_property(Property::Prodid, PRODUCT);
    calendar.add_property(Property::Version, "2.0");
    calendar.add_property(Property::Method, invitation.method.name());
    calendar.component_ids = vec![1];
    let mut calendar = ICalendar {
        components: vec![calendar, event(invitation, comment)],
    };
    calendar.add_missing_timezones();
    calendar.to_string()
}

fn event(invitation: &Invitation, comment: &str) -> ICalendarComponent {
    let meeting = &invitation.meeting;
    let mut event = ICalendarComponent::new(ICalendarComponentType::VEvent);
    event.add_property(Property::Uid, meeting.uid.as_str());
    event.add_property(Property::Sequence, meeting.sequence);
    let stamp = meeting.stamp.unwrap_or_default();
    event.add_property(Property::Dtstamp, PartialDateTime::from_utc_timestamp(stamp / 1000));
    let writer = Times { invitation };
    event
        .entries
        .push(writer.entry(Property::Dtstart, meeting.period.start));
    event.entries.push(writer.entry(Property::Dtend, meeting.period.end));
    if let Some(occurrence) = meeting.occurrence {
        event.entries.push(writer.entry(Property::RecurrenceId, occurrence));
    }
    // [RFC 5546] An answer names the series by its UID alone.
    if let (Some(recurrence), Method::Request) = (&meeting.recurrence, invitation.method) {
        let rule = pattern::write(recurrence, &meeting.period, &meeting.zone);
        event.add_property(Property::Rrule, ICalendarValue::RecurrenceRule(Box::new(rule)));
    }
    if let Some(organizer) = &meeting.organizer {
        event.entries.push(person(Property::Organizer, organizer));
    }
    event.entries.extend(meeting.attendees.iter().map(attendee));
    let texts = [
        (Property::Summary, meeting.summary.as_str()),
        (Property::Location, meeting.location.as_str()),
        (Property::Description, meeting.description.as_str()),
        (Property::Comment, comment),
    ];
    for (property, text) in texts {
        if !text.is_empty() {
            event.add_property(property, text);
        }
    }
    if invitation.method == Method::Request {
        event.entries.extend(visibility(meeting.visibility));
        let transparency = match meeting.busy {
            Busy::Free | Busy::WorkingElsewhere => ICalendarTransparency::Transparent,
            _ => ICalendarTransparency::Opaque,
        };
        event.add_property(Property::Transp, transparency);
    }
    event
}

fn visibility(visibility: Visibility) -> Option<ICalendarEntry> {
    let class = match visibility {
        Visibility::Public => return None,
        Visibility::Private => ICalendarClassification::Private,
        Visibility::Confidential => ICalendarClassification::Confidential,
    };
    let value = ICalendarValue::Classification(class);
    Some(ICalendarEntry::new(Property::Class).with_value(value))
}

/// How the times of one event are written.
struct Times<'a> {
    invitation: &'a Invitation,
}

impl Times<'_> {
    /// Days as such; the times of a series by the clock of its zone, which carries them over changes of the clocks; all
    /// others in UTC.
    fn entry(&self, property: Property, time: i64) -> ICalendarEntry {
        let meeting = &self.invitation.meeting;
        let entry = ICalendarEntry::new(property);
        let Period { all_day, .. } = meeting.period;
        if all_day {
            let value = PartialDateTime::from_date_timestamp(time / 1000);
            let kind = ICalendarParameter::value(ICalendarValueType::Date);
            return entry.with_param(kind).with_value(value);
        }
        let zone = meeting
            .zone
            .iana_name()
            .filter(|name| !matches!(*name, "UTC" | "Etc/UTC"));
        match zone.filter(|_| meeting.recurrence.is_some()) {
            Some(zone) => {
                let local = date::wall_clock(time, &meeting.zone);
                let value = PartialDateTime::from_naive_timestamp(local / 1000);
                let zone = ICalendarParameter::tzid(zone.to_owned());
                entry.with_param(zone).with_value(value)
            }
            None => entry.with_value(PartialDateTime::from_utc_timestamp(time / 1000)),
        }
    }
}

fn attendee(attendee: &Attendee) -> ICalendarEntry {
    let status = attendee.answer.name().to_owned();
    let entry = person(Property::Attendee, &attendee.person).with_param(ICalendarParameter::partstat(status));
    match attendee.rsvp {
        Some(rsvp) => entry.with_param(ICalendarParameter::rsvp(rsvp)),
        None => entry,
    }
}

fn person(property: Property, person: &Person) -> ICalendarEntry {
    // Nothing in an address may end its line.
    let address: String = person
        .address
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect();
    let entry = ICalendarEntry::new(property).with_value(Uri::Location(format!("mailto:{address}")));
    match person.name.is_empty() {
        true => entry,
        false => entry.with_param(ICalendarParameter::cn(person.name.clone())),
    }
}
