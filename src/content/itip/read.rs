//! Reads an invitation from iCalendar text.
//!
//! Senders break every rule, so that nearly everything may be missing; without UID and start there is no invitation. Of
//! several events the series counts, or else the first. Implements RFC 5545 "iCalendar Object", RFC 5546 "Methods" and the
//! properties of Outlook from [MS-OXCICAL].

use calcard::Entry;
use calcard::Parser;
use calcard::common::PartialDateTime;
use calcard::icalendar::ICalendar;
use calcard::icalendar::ICalendarComponent;
use calcard::icalendar::ICalendarComponentType;
use calcard::icalendar::ICalendarDuration;
use calcard::icalendar::ICalendarEntry;
use calcard::icalendar::ICalendarParameterName as Parameter;
use calcard::icalendar::ICalendarParameterValue;
use calcard::icalendar::ICalendarProperty as Property;
use calcard::icalendar::ICalendarRelated;
use calcard::icalendar::ICalendarValue;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::content::date;
use crate::content::date::DAY;
use crate::content::itip::Answer;
use crate::content::itip::Attendee;
use crate::content::itip::Busy;
use crate::content::itip::Invitation;
use crate::content::itip::Meeting;
use crate::content::itip::Method;
use crate::content::itip::Period;
use crate::content::itip::Person;
use crate::content::itip::Visibility;
use crate::content::itip::pattern;
use crate::content::text;

/// Text that is longer, in bytes, is no invitation: it is not read.
const LONGEST: usize = 1024 * 1024;

/// Attendees that are kept at most.
const MOST_ATTENDEES: usize = 1000;

const SECOND: i64 = 1000;

/// Outlook's way to say how the time is to be shown.
const INTENDED_STATUS: [(&str, Busy); 5] = [
    ("FREE", Busy::Free),
    ("TENTATIVE", Busy::Tentative),
    ("BUSY", Busy::Busy),
    ("OOF", Busy::OutOfOffice),
    ("WORKINGELSEWHERE", Busy::WorkingElsewhere),
];

impl Invitation {
    /// Reads the text of a `text/calendar` part. `home` is the user's zone, in which times without a zone are meant. `None` if
    /// it is no invitation, nor an answer to one.
    pub fn read(text: &str, home: &TimeZone) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let calendar = calendar(text)?;
        let component = calendar.components.first()?;
        let method = Method::from_name(property_text(component, &Property::Method)?)?;
        let events = || {
            let components = calendar.components.iter();
            components.filter(|component| component.component_type == ICalendarComponentType::VEvent)
        };
        let series = events().find(|event| !event.is_recurrence_override());
        let event = series.or_else(|| events().next())?;
        let reader = Reader {
            calendar: &calendar,
            event,
            home,
        };
        Some(Self {
            method,
            meeting: reader.meeting()?,
        })
    }
}

/// The first calendar of a text, after whatever stands before it.
fn calendar(text: &str) -> Option<ICalendar> {
    let mut parser = Parser::new(text);
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => return Some(calendar),
            Entry::Eof | Entry::TooManyComponents => return None,
            _ => {}
        }
    }
}

/// One event within its calendar.
struct Reader<'a> {
    calendar: &'a ICalendar,
    event: &'a ICalendarComponent,
    home: &'a TimeZone,
}

/// A value of DATE or DATE-TIME: a day or an instant.
#[derive(Clone, Copy)]
struct Moment {
    is_day: bool,
    time: i64,
}

impl Reader<'_> {
    fn meeting(&self) -> Option<Meeting> {
        let uid = self.text(&Property::Uid).filter(|uid| !uid.is_empty())?;
        let start = self.event.property(&Property::Dtstart)?;
        let zone = self.zone(start);
        let period = self.period(self.moment(start)?);
        let recurrence = self
            .value(&Property::Rrule)
            .and_then(|value| match value {
                ICalendarValue::RecurrenceRule(rule) => Some(rule),
                _ => None,
            })
            .and_then(|rule| pattern::read(rule, &period, &zone));
        Some(Meeting {
            uid: uid.to_owned(),
            sequence: self.number(&Property::Sequence).unwrap_or(0).max(0),
            stamp: self.instant(&Property::Dtstamp),
            occurrence: self.occurrence(&period),
            period,
            zone,
            recurrence,
            organizer: self.event.property(&Property::Organizer).and_then(person),
            attendees: self.attendees(),
            summary: text::line(self.text(&Property::Summary).unwrap_or_default()),
            location: text::line(self.text(&Property::Location).unwrap_or_default()),
            description: self.text(&Property::Description).unwrap_or_default().to_owned(),
            reminder: self.reminder(),
            visibility: match self.word(&Property::Class).as_str() {
                "PRIVATE" => Visibility::Private,
                "CONFIDENTIAL" => Visibility::Confidential,
                _ => Visibility::Public,
            },
            busy: self.busy(),
            allows_counter: !self
                .outlook("X-MICROSOFT-DISALLOW-COUNTER")
                .eq_ignore_ascii_case("TRUE"),
        })
    }

    /// [RFC 5545] DTEND, or DURATION; without both a day, or a moment.
    fn period(&self, start: Moment) -> Period {
        let outlook_day = self.outlook("X-MICROSOFT-CDO-ALLDAYEVENT").eq_ignore_ascii_case("TRUE");
        let end = self.event.property(&Property::Dtend).and_then(|end| self.moment(end));
        let length = match self.value(&Property::Duration) {
            Some(ICalendarValue::Duration(duration)) => seconds(duration).saturating_mul(SECOND),
            _ if start.is_day => DAY,
            _ => 0,
        };
        let end = end.map_or_else(|| start.time.saturating_add(length), |end| end.time);
        let all_day = start.is_day || (outlook_day && date::midnight(start.time) == start.time);
        let least = if all_day {
            start.time.saturating_add(DAY)
        } else {
            start.time
        };
        Period {
            all_day,
            start: start.time,
            end: end.max(least),
        }
    }

    /// RECURRENCE-ID in the kind of the start: a day of a series of days, else an instant.
    fn occurrence(&self, period: &Period) -> Option<i64> {
        let entry = self.event.property(&Property::RecurrenceId)?;
        let moment = self.moment(entry)?;
        match (moment.is_day, period.all_day) {
            (false, true) => Some(date::day_in(moment.time, &self.zone(entry))),
            (true, false) => Some(date::start_of_day_in(moment.time, self.home)),
            _ => Some(moment.time),
        }
    }

    fn moment(&self, entry: &ICalendarEntry) -> Option<Moment> {
        let value = entry.values.first()?.as_partial_date_time()?;
        let local = wall_clock(value)?;
        if value.hour.is_none() {
            return Some(Moment {
                is_day: true,
                time: local,
            });
        }
        Some(Moment {
            is_day: false,
            time: match offset(value) {
                Some(offset) => local.saturating_sub(offset),
                None => date::from_wall_clock(local, &self.zone(entry)),
            },
        })
    }

    /// The zone of a time, by its TZID; the user's own for times in UTC or without a zone.
    fn zone(&self, entry: &ICalendarEntry) -> TimeZone {
        let named = entry
            .tz_id()
            .and_then(|id| self.calendar.build_tz_resolver().resolve(id));
        let name = named.and_then(|zone| zone.name());
        let zone = name.and_then(|name| TimeZone::get(&name).ok());
        zone.unwrap_or_else(|| self.home.clone())
    }

    fn attendees(&self) -> Vec<Attendee> {
        let entries = self.event.properties(&Property::Attendee);
        let attendees = entries.filter_map(|entry| {
            let status = entry
                .parameter(&Parameter::Partstat)
                .and_then(ICalendarParameterValue::as_text);
            Some(Attendee {
                person: person(entry)?,
                answer: status.map(Answer::from_name).unwrap_or_default(),
                rsvp: entry
                    .parameter(&Parameter::Rsvp)
                    .and_then(ICalendarParameterValue::as_bool),
            })
        });
        attendees.take(MOST_ATTENDEES).collect()
    }

    /// The TRIGGER of the first alarm that counts from the start; negative ones are after it, and no reminders.
    fn reminder(&self) -> Option<i64> {
        let ids = self.event.component_ids.iter();
        let components = ids.filter_map(|id| self.calendar.component_by_id(*id));
        let alarms = components.filter(|component| component.component_type == ICalendarComponentType::VAlarm);
        let triggers = alarms.filter_map(|alarm| alarm.property(&Property::Trigger));
        let from_start = triggers.filter(|trigger| {
            trigger.parameter(&Parameter::Related) != Some(&ICalendarParameterValue::Related(ICalendarRelated::End))
        });
        let seconds = from_start.filter_map(|trigger| match trigger.values.first()? {
            ICalendarValue::Duration(duration) => Some(-seconds(duration)),
            _ => None,
        });
        seconds.into_iter().find(|seconds| *seconds >= 0)
    }

    fn busy(&self) -> Busy {
        let intended = self.outlook("X-MICROSOFT-CDO-INTENDEDSTATUS");
        let row = INTENDED_STATUS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(intended));
        match row {
            Some((_, busy)) => *busy,
            None if self.word(&Property::Transp) == "TRANSPARENT" => Busy::Free,
            None => Busy::Busy,
        }
    }

    fn value(&self, property: &Property) -> Option<&ICalendarValue> {
        self.event.property(property)?.values.first()
    }

    fn text(&self, property: &Property) -> Option<&str> {
        property_text(self.event, property)
    }

    /// A value that is one of a list of words, in upper case.
    fn word(&self, property: &Property) -> String {
        self.text(property).unwrap_or_default().trim().to_ascii_uppercase()
    }

    fn number(&self, property: &Property) -> Option<i64> {
        match self.value(property)? {
            ICalendarValue::Integer(number) => Some(*number),
            value => value.as_text()?.trim().parse().ok(),
        }
    }

    fn instant(&self, property: &Property) -> Option<i64> {
        let moment = self.moment(self.event.property(property)?)?;
        Some(moment.time)
    }

    /// A property of Outlook's own.
    fn outlook(&self, name: &str) -> &str {
        self.text(&Property::Other(name.to_owned())).unwrap_or_default().trim()
    }
}

fn property_text<'a>(component: &'a ICalendarComponent, property: &Property) -> Option<&'a str> {
    component.property(property)?.values.first()?.as_text()
}

/// Organizer or attendee; `None` without an address that a mail could reach.
fn person(entry: &ICalendarEntry) -> Option<Person> {
    let value = entry.calendar_address().or_else(|| entry.values.first()?.as_text())?;
    let value = value.trim();
    let address = match value.split_at_checked(7) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address.trim(),
        _ => value,
    };
    let name = entry
        .parameter(&Parameter::Cn)
        .and_then(ICalendarParameterValue::as_text);
    let name = text::line(name.unwrap_or_default());
    let is_address = address.contains('@') && !address.contains(char::is_whitespace);
    is_address.then(|| Person {
        name: if name.eq_ignore_ascii_case(address) {
            String::new()
        } else {
            name
        },
        address: address.to_owned(),
    })
}

/// What the clock shows at that moment, written as if it were UTC; midnight of a day without time.
pub(super) fn wall_clock(value: &PartialDateTime) -> Option<i64> {
    let part = |part: Option<u8>| i8::try_from(part.unwrap_or(0)).ok();
    let civil = DateTime::new(
        i16::try_from(value.year?).ok()?,
        i8::try_from(value.month?).ok()?,
        i8::try_from(value.day?).ok()?,
        part(value.hour)?,
        part(value.minute)?,
        // A leap second counts as the second before it.
        part(value.second)?.min(59),
        0,
    );
    let instant = TimeZone::UTC.to_timestamp(civil.ok()?).ok()?;
    Some(instant.as_millisecond())
}

/// The offset that stands in a time itself, in milliseconds: 0 for UTC.
pub(super) fn offset(value: &PartialDateTime) -> Option<i64> {
    let minutes = i64::from(value.tz_hour?) * 60 + i64::from(value.tz_minute.unwrap_or(0));
    let size = minutes * 60 * SECOND;
    Some(if value.tz_minus { -size } else { size })
}

fn seconds(duration: &ICalendarDuration) -> i64 {
    let parts = [
        (duration.weeks, 7 * 24 * 3600),
        (duration.days, 24 * 3600),
        (duration.hours, 3600),
        (duration.minutes, 60),
        (duration.seconds, 1),
    ];
    let size: i64 = parts.into_iter().map(|(count, unit)| i64::from(count) * unit).sum();
    if duration.neg { -size } else { size }
}
