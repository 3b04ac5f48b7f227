//! The messages that carry a meeting: an answer for its organizer, and the invitation for others.
//!
//! A message is RFC 5322 with characters beyond ASCII, for [`crate::content::email::outgoing`], which gives it its sender and
//! makes it fit for the wire. Texts are in English, and times in them name their zone, since nobody knows the reader's.
//! Implements RFC 6047 "Electronic Mail Bindings".

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::content::User;
use crate::content::email;
use crate::content::itip::Answer;
use crate::content::itip::Attendee;
use crate::content::itip::Invitation;
use crate::content::itip::Meeting;
use crate::content::itip::Method;
use crate::content::itip::Period;
use crate::content::itip::Person;
use crate::content::itip::write;

/// Answer, and how the subject of its mail begins.
const SUBJECTS: [(Answer, &str); 3] = [
    (Answer::Accepted, "Accepted"),
    (Answer::Declined, "Declined"),
    (Answer::Tentative, "Tentative"),
];

/// The user's answer. With a `proposal` it asks for that other time. `None` if nobody organizes the meeting.
pub fn reply(
    meeting: &Meeting,
    answer: Answer,
    comment: &str,
    proposal: Option<Period>,
    user: &User,
    now: i64,
) -> Option<Vec<u8>> {
    let organizer = meeting.organizer.clone()?;
    let invited = meeting.own(user).map(|own| own.person.address.clone());
    let own = Attendee {
        person: Person {
            name: user.name.clone(),
            address: invited.unwrap_or_else(|| user.address.clone()),
        },
        answer,
        rsvp: None,
    };
    let subject = match proposal {
        Some(_) => "New Time Proposed",
        None => SUBJECTS
            .iter()
            .find(|(own, _)| *own == answer)
            .map_or("", |(_, text)| text),
    };
    let suggested = proposal.map(|period| self::proposal(&period, &meeting.zone));
    let text = [comment.to_owned(), suggested.unwrap_or_default(), summary(meeting)];
    let invitation = Invitation {
        method: if proposal.is_some() {
            Method::Counter
        } else {
            Method::Reply
        },
        meeting: Meeting {
            stamp: Some(now),
            period: proposal.unwrap_or(meeting.period),
            // [RFC 5546] Only who answers.
            attendees: vec![own],
            description: String::new(),
            ..meeting.clone()
        },
    };
    Some(message(
        &[organizer],
        &format!("{subject}: {}", meeting.summary),
        &paragraphs(&text),
        &invitation,
        comment,
    ))
}

/// Another time in words, where there is no calendar object to hold it.
pub fn proposal(period: &Period, zone: &TimeZone) -> String {
    format!("Proposed: {}", when(period, zone))
}

/// The invitation for others. Its organizer stays who he is: they will answer to him.
pub fn forward(meeting: &Meeting, to: &[Person], comment: &str, now: i64) -> Vec<u8> {
    let text = paragraphs(&[comment.to_owned(), summary(meeting), meeting.description.clone()]);
    let invited = to.iter().map(|person| Attendee {
        person: person.clone(),
        answer: Answer::None,
        rsvp: Some(true),
    });
    let known = meeting.attendees.iter().filter(|attendee| {
        let mut to = to.iter();
        !to.any(|person| person.address.eq_ignore_ascii_case(&attendee.person.address))
    });
    let invitation = Invitation {
        method: Method::Request,
        meeting: Meeting {
            stamp: Some(now),
            attendees: known.cloned().chain(invited).collect(),
            ..meeting.clone()
        },
    };
    message(to, &format!("FW: {}", meeting.summary), &text, &invitation, "")
}

/// A meeting in the form of the mail that a device takes it for when it forwards it with words of its own.
pub fn original(meeting: &Meeting, now: i64) -> Vec<u8> {
    let text = paragraphs(&[summary(meeting), meeting.description.clone()]);
    let invitation = Invitation {
        method: Method::Request,
        meeting: Meeting {
            stamp: Some(now),
            ..meeting.clone()
        },
    };
    message(&[], &meeting.summary, &text, &invitation, "")
}

/// [RFC 6047] The text, and beside it the calendar object as another form of it.
fn message(to: &[Person], subject: &str, text: &str, invitation: &Invitation, comment: &str) -> Vec<u8> {
    let calendar = write::write(invitation, comment);
    // A line that stands in neither part, since it holds their digest.
    let digest = email::digest([text, &calendar].concat().as_bytes());
    let boundary: String = digest.chars().take(32).collect();
    let address = |name: &str, people: &[Person]| match people.is_empty() {
        true => String::new(),
        false => {
            let mailboxes: Vec<String> = people.iter().map(mailbox).collect();
            format!("{name}: {}\r\n", mailboxes.join(",\r\n "))
        }
    };
    let from = address("From", invitation.meeting.organizer.as_slice());
    let to = address("To", to);
    let subject = one_line(subject);
    let method = invitation.method.name();
    format!(
        "{from}{to}Subject: {subject}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=\"={boundary}\"\r\n\r\n\
         --={boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n\
         --={boundary}\r\nContent-Type: text/calendar; charset=utf-8; method={method}\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{calendar}\r\n--={boundary}--\r\n"
    )
    .into_bytes()
}

fn mailbox(person: &Person) -> String {
    let address: String = person
        .address
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | ','))
        .collect();
    match person.name.is_empty() {
        true => address,
        false => {
            let name = one_line(&person.name).replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{name}\" <{address}>")
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What and when it is about, for readers without a calendar.
fn summary(meeting: &Meeting) -> String {
    let mut period = meeting.period;
    if let Some(start) = meeting.occurrence.filter(|_| meeting.recurrence.is_some()) {
        period.end = start.saturating_add(period.end.saturating_sub(period.start));
        period.start = start;
    }
    let rows = [
        ("What", one_line(&meeting.summary)),
        ("When", when(&period, &meeting.zone)),
        ("Where", one_line(&meeting.location)),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let rows: Vec<String> = rows.map(|(name, value)| format!("{name}: {value}")).collect();
    rows.join("\n")
}

/// `Tuesday, 5 January 2027, 10:00 - 11:00 (Europe/Berlin)`
fn when(period: &Period, zone: &TimeZone) -> String {
    const DATE: &str = "%A, %-d %B %Y";
    let utc = TimeZone::UTC;
    let zone = if period.all_day { &utc } else { zone };
    let local = |instant: i64, format: &str| {
        let timestamp = Timestamp::from_millisecond(instant).unwrap_or_default();
        timestamp.to_zoned_datetime(zone.clone()).strftime(format).to_string()
    };
    // The end of whole days is the midnight after them.
    let end = if period.all_day {
        period.end.saturating_sub(1)
    } else {
        period.end
    };
    let days = [local(period.start, DATE), local(end, DATE)];
    let [first, last] = &days;
    if period.all_day {
        return if first == last {
            first.clone()
        } else {
            format!("{first} - {last}")
        };
    }
    let (start, end) = (local(period.start, "%H:%M"), local(end, "%H:%M"));
    let name = zone.iana_name().unwrap_or("UTC");
    match first == last {
        true => format!("{first}, {start} - {end} ({name})"),
        false => format!("{first}, {start} - {last}, {end} ({name})"),
    }
}

fn paragraphs(parts: &[String]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n\n").replace("\r\n", "\n").replace('\n', "\r\n")
}
