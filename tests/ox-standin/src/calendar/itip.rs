//! Invitations in mails: the modules `conversion` and `calendar/itip`.
//!
//! Implements the iCalendar conversion of the chapter "Conversion" and the iTIP actions `analyze`, `accept`, `tentative`,
//! `decline` and `update` of the OX HTTP API. An answer also leaves a reply mail to the organizer in the outbox.

use crate::calendar;
use crate::calendar::ical::Event;
use crate::calendar::participants;
use crate::calendar::write;
use crate::call::Answer;
use crate::call::Call;
use crate::call::id_of;
use crate::error::JSON_SYNTAX;
use crate::error::MAIL_NOT_FOUND;
use crate::error::OxError;
use crate::fields::integer;
use crate::fields::text;
use crate::folders::store::Content;
use crate::mail;
use crate::mail::store::Sent;
use crate::pim::Module;
use crate::pim::read;
use crate::profile::Profile;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

const TENTATIVE: i64 = 3;

/// `conversion?action=convert`: an invitation becomes an appointment, or only the own status changes.
pub(crate) fn conversion(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    if call.action != "convert" {
        return Ok(None);
    }
    let body = call.json()?;
    let source = arguments(&body["datasource"]);
    let handler = arguments(&body["datahandler"]);
    let kind = body["datahandler"]["identifier"].as_str().unwrap_or("");
    let known = body["datasource"]["identifier"] == "com.openexchange.mail.ical" && kind == "com.openexchange.ical";
    if !known {
        return Err(OxError::new("CNV-0001", 8, "Unknown data source or data handler."));
    }
    let event = event_of(world, call.user, &source)?;
    let folder = handler
        .get("com.openexchange.groupware.calendar.folder")
        .and_then(id_of);
    let status = handler
        .get("com.openexchange.groupware.calendar.confirmstatus")
        .and_then(integer);
    let message = handler
        .get("com.openexchange.groupware.calendar.confirmmessage")
        .and_then(text);
    let (folder, id) = apply(world, call, &event, folder, status, message.as_deref())?;
    let wire = world.wire(&call.zone);
    Ok(Some(Answer::data(
        json!([{"folder_id": wire.id(folder), "id": wire.id(id)}]),
    )))
}

/// `calendar/itip`: looks at an invitation, or answers it.
pub(crate) fn itip(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    if world.profile() < Profile::V7_8 {
        return Ok(None);
    }
    if call.action == "update" {
        return bring_up_to_date(world, call).map(Some);
    }
    let status = match call.action.as_str() {
        "analyze" => None,
        "accept" | "accept_and_ignore_conflicts" => Some(participants::ACCEPTED),
        "tentative" => Some(TENTATIVE),
        "decline" => Some(participants::DECLINED),
        _ => return Ok(None),
    };
    let event = event_of(world, call.user, &call.json_object()?)?;
    let Some(status) = status else {
        return Ok(Some(Answer::data(json!([analysis(world, call, &event)]))));
    };
    let (folder, id) = apply(world, call, &event, None, Some(status), call.parameter("message"))?;
    reply(world, call.user, &event, status);
    let object = read::find(world, call.user, Module::Calendar, folder, id)?;
    let view = read::view(world, call, Module::Calendar, object, folder);
    let appointment = world.wire(&call.zone).object(&Module::Calendar.fields(), &view);
    Ok(Some(Answer::stamped(json!([appointment]), object.modified)))
}

/// `update`: takes a newer version of an invitation in, which the attendees themselves may not write.
fn bring_up_to_date(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let event = event_of(world, call.user, &call.json_object()?)?;
    let (folder, id) = existing(world, call.user, &event.uid).ok_or(MAIL_NOT_FOUND)?;
    let stamp = world.stamp();
    let object = world.objects.get_mut(&(Module::Calendar, id)).ok_or(MAIL_NOT_FOUND)?;
    object.set("title", event.title.as_str());
    object.set("location", event.location.as_str());
    object.set("start_date", event.start);
    object.set("end_date", event.end);
    object.set("full_time", event.full_time);
    object.set("sequence", event.sequence);
    object.touch(stamp, call.user);
    let object = read::find(world, call.user, Module::Calendar, folder, id)?;
    let view = read::view(world, call, Module::Calendar, object, folder);
    let appointment = world.wire(&call.zone).object(&Module::Calendar.fields(), &view);
    Ok(Answer::stamped(json!([appointment]), stamp))
}

/// `args` of a data source: an array of objects with one key each.
fn arguments(part: &Value) -> Map<String, Value> {
    let list = part["args"].as_array().into_iter().flatten();
    list.filter_map(Value::as_object).flat_map(Clone::clone).collect()
}

/// The event in the part of a mail that the arguments name.
fn event_of(world: &World, user: u32, source: &Map<String, Value>) -> Result<Event, OxError> {
    let argument = |name: &str| {
        source
            .get(&format!("com.openexchange.mail.conversion.{name}"))
            .and_then(text)
    };
    let (folder, id) = (
        argument("fullname").ok_or(JSON_SYNTAX)?,
        argument("mailid").ok_or(JSON_SYNTAX)?,
    );
    let part = argument("sequenceid").ok_or(JSON_SYNTAX)?;
    let name = mail::full_name(&folder)?;
    let uid = id.parse().map_err(|_| OxError::from(MAIL_NOT_FOUND))?;
    let found = mail::mailbox(world, user)?.mail(&name, uid).ok_or(MAIL_NOT_FOUND)?;
    let (_, bytes) = mail::get::part(found, Some(&part), None)?;
    let event = Event::parse(&String::from_utf8_lossy(&bytes));
    event.ok_or_else(|| OxError::new("ICA-0001", 1, "The iCalendar data cannot be read."))
}

/// Creates the appointment if it is not there yet, and sets the own status. Answers folder and id.
fn apply(
    world: &mut World,
    call: &Call,
    event: &Event,
    folder: Option<u32>,
    status: Option<i64>,
    message: Option<&str>,
) -> Result<(u32, u32), OxError> {
    let (folder, id) = match existing(world, call.user, &event.uid) {
        Some(found) => found,
        None => {
            let folder = folder.or_else(|| world.folders.default_of(call.user, Content::Calendar));
            let folder = folder.ok_or_else(|| OxError::new("APP-0054", 8, "The folder is not a calendar folder."))?;
            (folder, create(world, call, event, folder)?)
        }
    };
    let stamp = world.stamp();
    if let Some(object) = world.objects.get_mut(&(Module::Calendar, id)) {
        let mut answer = Map::new();
        answer.insert("confirmation".to_owned(), json!(status.unwrap_or(0)));
        answer.insert("confirmmessage".to_owned(), json!(message.unwrap_or("")));
        participants::set_status(object, call.user, &answer);
        object.touch(stamp, call.user);
    }
    Ok((folder, id))
}

/// Folder and id of the user's appointment with that UID.
fn existing(world: &World, user: u32, uid: &str) -> Option<(u32, u32)> {
    let appointments = world
        .objects
        .range((Module::Calendar, 0)..=(Module::Calendar, u32::MAX))
        .map(|(_, object)| object);
    let mut found = appointments.filter(|object| object.text("uid") == uid && calendar::master_of(object).is_none());
    let mine = |folder: &u32| {
        world
            .folders
            .get(*folder)
            .is_some_and(|folder| folder.owner == Some(user))
    };
    found.find_map(|object| Some((object.folders.iter().copied().find(mine)?, object.id)))
}

fn create(world: &mut World, call: &Call, event: &Event, folder: u32) -> Result<u32, OxError> {
    let people = std::iter::once(&event.organizer)
        .chain(&event.attendees)
        .filter(|address| !address.is_empty());
    let people: Vec<Value> = people
        .map(|mail| json!({"type": participants::EXTERNAL, "mail": mail}))
        .collect();
    let body = json!({
        "folder_id": folder, "title": event.title, "location": event.location, "note": event.note, "uid": event.uid,
        "start_date": event.start, "end_date": event.end, "full_time": event.full_time, "organizer": event.organizer,
        "participants": people, "ignore_conflicts": true, "sequence": event.sequence,
    });
    let Value::Object(mut body) = body else {
        return Err(JSON_SYNTAX.into());
    };
    if let Some(zone) = &event.timezone {
        body.insert("timezone".to_owned(), json!(zone));
    }
    body.extend(event.pattern.clone());
    match write::create(world, call, body)? {
        Answer::Data(envelope) => {
            let id = envelope.data.as_ref().and_then(|data| data.get("id")).and_then(id_of);
            id.ok_or_else(|| OxError::new("OX-9999", 8, "The appointment could not be created."))
        }
        Answer::Bytes { .. } => Err(JSON_SYNTAX.into()),
    }
}

fn analysis(world: &World, call: &Call, event: &Event) -> Value {
    let current = existing(world, call.user, &event.uid).and_then(|(folder, id)| {
        let object = world.objects.get(&(Module::Calendar, id))?;
        let view = read::view(world, call, Module::Calendar, object, folder);
        Some(world.wire(&call.zone).object(&Module::Calendar.fields(), &view))
    });
    let wire = |ms: i64| if event.full_time { ms } else { call.zone.to_wire(ms) };
    let new = json!({"title": event.title, "location": event.location, "start_date": wire(event.start),
        "end_date": wire(event.end), "full_time": event.full_time, "uid": event.uid, "organizer": event.organizer});
    let kind = if current.is_some() { "update" } else { "create" };
    json!({
        "messageType": event.method.to_ascii_lowercase(), "uid": event.uid, "actions": ["accept", "tentative", "decline"],
        "annotations": [], "changes": [{"type": kind, "newAppointment": new, "currentAppointment": current}],
    })
}

/// The server itself tells the organizer.
fn reply(world: &mut World, user: u32, event: &Event, status: i64) {
    let Some(from) = world.user(user).map(|user| user.primary_address().to_owned()) else {
        return;
    };
    if event.organizer.is_empty() {
        return;
    }
    let answer = match status {
        participants::ACCEPTED => "ACCEPTED",
        participants::DECLINED => "DECLINED",
        _ => "TENTATIVE",
    };
    let raw = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {answer}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REPLY\r\n\
         BEGIN:VEVENT\r\nUID:{uid}\r\nATTENDEE;PARTSTAT={answer}:mailto:{from}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        to = event.organizer,
        uid = event.uid,
    );
    world.outbox.push(Sent {
        user,
        from,
        recipients: vec![event.organizer.clone()],
        raw: raw.into(),
    });
}
