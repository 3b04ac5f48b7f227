//! MeetingResponse: the user accepts an invitation, perhaps, or declines it.
//!
//! The answer goes into the appointment at OX, which is made if the invitation came from outside. Up to 14.1 the device tells the
//! organizer by a mail of its own; from 16.0 on it says whether we shall. Organizers at the same OX hear of it from OX. A
//! declined meeting stays at OX, where the user may think better of it, and is shown to no device. Each answer that was
//! carried out is noted before the request mail goes, so that a repeated request is answered. Implements [MS-ASCMD]
//! MeetingResponse.

mod history;
mod request;
pub(super) mod subject;

use crate::content::BodyOptions;
use crate::content::calendar::meeting;
use crate::content::calendar::meeting::NoOccurrence;
use crate::content::calendar::meeting::Occurrence;
use crate::content::date;
use crate::content::itip;
use crate::content::itip::Answer;
use crate::content::itip::Invitation;
use crate::content::itip::Meeting;
use crate::content::itip::Method;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::meeting_response::history::History;
use crate::eas::command::meeting_response::request::Request;
use crate::eas::command::meeting_response::request::SendResponse;
use crate::eas::command::meeting_response::subject::Item;
use crate::eas::command::meeting_response::subject::Stored;
use crate::eas::command::submission::Submission;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox;
use crate::ox::ErrorKind;
use crate::ox::Module;
use crate::ox::Standard;
use crate::ox::columns::calendar;
use crate::quirk::Bend;
use crate::usm::ids;
use crate::version::ProtocolVersion::V14_1;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::codepage::meetingresponse as tag;

const SUCCESS: i64 = 1;
const INVALID_REQUEST: i64 = 2;
const MAILBOX_ERROR: i64 = 3;
const SERVER_ERROR: i64 = 4;
const INVALID_DATE_TIME: i64 = Status::INVALID_DATE_TIME.0 as i64;
const NO_RECURRENCE: i64 = Status::NO_RECURRENCE_IN_CALENDAR.0 as i64;

/// More requests than this in one are refused.
pub(super) const MOST_REQUESTS: usize = 100;

/// The versions in which devices tell the organizer by a mail of their own.
const DEVICE_MAILS: VersionRange = VersionRange::until(V14_1);

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let requests: Vec<&Element> = call.root()?.children_of(tag::REQUEST).collect();
    if requests.is_empty() || requests.len() > MOST_REQUESTS {
        return Err(Error::Device(
            Status::INVALID_XML,
            "MeetingResponse without a Request, or with too many",
        ));
    }
    let mut results = Vec::with_capacity(requests.len());
    for request in requests {
        results.push(result(call, request).await?);
    }
    Ok(Reply::Document(Element::parent(tag::MEETING_RESPONSE, results)))
}

/// One Result: its Status, what identifies the request, and the appointment.
async fn result(call: &Call<'_>, element: &Element) -> Result<Element, Error> {
    let outcome = match Request::read(element, call.version) {
        Ok(request) => respond(call, &request).await?,
        Err(status) => Err(status),
    };
    let (status, calendar_id) = match outcome {
        Ok(calendar_id) => (SUCCESS, calendar_id),
        Err(status) => (status, None),
    };
    let mut result = Element::parent(tag::RESULT, element.child(tag::REQUEST_ID).cloned());
    result.push(Element::number(tag::STATUS, status));
    result.extend(calendar_id.map(|id| Element::text(tag::CALENDAR_ID, id)));
    result.extend(element.child(tag::INSTANCE_ID).cloned());
    Ok(result)
}

/// CalendarId, which a declined meeting has none of; or the Status that says what is wrong.
type Outcome = Result<Option<String>, i64>;

async fn respond(call: &Call<'_>, request: &Request) -> Result<Outcome, Error> {
    let Some(item) = subject::locate(call, &request.place).await? else {
        return Ok(Err(INVALID_REQUEST));
    };
    let name = format!("{}\n{}\n{}", item.module.name(), item.folder, item.id);
    let history = History::read(call, &name, request).await?;
    let response = Response { call, request, history };
    let outcome = match item.module {
        Module::Mail => response.to_mail(&item).await,
        Module::Calendar => response.to_appointment(&item).await,
        Module::Contacts | Module::Tasks => return Ok(Err(INVALID_REQUEST)),
    };
    let status = match &outcome {
        Err(Error::Ox(error)) if error.kind == ErrorKind::NotFound => INVALID_REQUEST,
        Err(Error::Ox(error)) if error.is_about_the_item() => MAILBOX_ERROR,
        Err(Error::Device(..)) => SERVER_ERROR,
        _ => return outcome,
    };
    if let Err(error) = &outcome {
        log::warn!("{}: a meeting is not answered: {error}", call.device_label());
    }
    Ok(Err(status))
}

/// One answer at work.
struct Response<'a> {
    call: &'a Call<'a>,
    request: &'a Request,
    history: History,
}

impl Response<'_> {
    /// The answer to an invitation in a mail, which is done with then.
    async fn to_mail(&self, item: &Item) -> Result<Outcome, Error> {
        let call = self.call;
        let settings = call.device.ox.settings().await?;
        let Some(calendar) = settings.standard(Standard::Calendar) else {
            return Ok(Err(MAILBOX_ERROR));
        };
        let Some((invitation, part)) = subject::invitation(call, item).await? else {
            // Gone, because it was answered before: the device has not heard of it.
            return match self.history.repeated() {
                Some(appointment) => Ok(Ok(self.calendar_id(calendar, appointment).await?)),
                None => Ok(Err(INVALID_REQUEST)),
            };
        };
        let Invitation { method, meeting } = &invitation;
        let is_own = meeting.is_organized_by(&call.user);
        if *method != Method::Request || is_own || self.request.instance.is_some() {
            return Ok(Err(INVALID_REQUEST));
        }
        let part = ox::InvitationPart {
            folder: &item.folder,
            mail: &item.id,
            part: &part,
        };
        let known = subject::known(call, calendar, meeting, part).await?;
        if known.as_ref().is_some_and(|known| known.is_organized_by(&call.user)) {
            return Ok(Err(INVALID_REQUEST));
        }
        let stored = match known {
            Some(known) => Some(known),
            // Nothing is in the calendar, and nothing shall be.
            None if self.request.answer == Answer::Declined => None,
            None => subject::add(call, calendar, meeting, part, self.confirmation(&self.message(true))).await?,
        };
        if let Some(stored) = &stored {
            let occurrence = match meeting.occurrence {
                Some(start) => match self.occurrence(stored, &date::compact(start)) {
                    Ok(occurrence) => Some(occurrence),
                    // The user is invited to this occurrence alone.
                    Err(NO_RECURRENCE) => None,
                    Err(status) => return Ok(Err(status)),
                },
                None => None,
            };
            self.confirm(stored, occurrence).await?;
        }
        let is_internal = stored.as_ref().is_some_and(|stored| stored.appointment.is_internal);
        self.tell_organizer(meeting, is_internal).await?;
        let appointment = stored.map(|stored| stored.id).unwrap_or_default();
        self.note(&appointment).await?;
        self.discard(item, settings.standard(Standard::Trash)).await;
        self.touched(Module::Calendar, calendar);
        Ok(Ok(self.calendar_id(calendar, &appointment).await?))
    }

    /// The answer to an appointment, as a whole or one occurrence of it. Given again it does no harm, but is mailed once.
    async fn to_appointment(&self, item: &Item) -> Result<Outcome, Error> {
        let Some(stored) = subject::stored(self.call, &item.folder, &item.id).await? else {
            return Ok(Err(INVALID_REQUEST));
        };
        if !stored.appointment.is_invited {
            return Ok(Err(INVALID_REQUEST));
        }
        let occurrence = self.request.instance.as_deref();
        let occurrence = match occurrence
            .map(|instance| self.occurrence(&stored, instance))
            .transpose()
        {
            Ok(occurrence) => occurrence,
            Err(status) => return Ok(Err(status)),
        };
        self.confirm(&stored, occurrence).await?;
        let mut meeting = stored.appointment.meeting.clone();
        if let Some(Occurrence { period, .. }) = occurrence {
            meeting.occurrence = Some(period.start);
            meeting.period = period;
            meeting.recurrence = None;
        }
        self.tell_organizer(&meeting, stored.appointment.is_internal).await?;
        self.note(&stored.id).await?;
        self.touched(Module::Calendar, &item.folder);
        Ok(Ok(self.calendar_id(&item.folder, &stored.id).await?))
    }

    fn occurrence(&self, stored: &Stored, instance: &str) -> Result<Occurrence, i64> {
        let bodies = BodyOptions::default();
        let context = subject::context(self.call, &bodies);
        match meeting::occurrence(&stored.object, instance, &context) {
            Ok(Ok(occurrence)) => Ok(occurrence),
            Ok(Err(NoOccurrence::NotRecurring)) => Err(NO_RECURRENCE),
            Ok(Err(NoOccurrence::NotThere)) | Err(_) => Err(INVALID_REQUEST),
        }
    }

    async fn confirm(&self, stored: &Stored, occurrence: Option<Occurrence>) -> Result<(), Error> {
        let place = (stored.folder.as_str(), stored.id.as_str(), stored.timestamp());
        let message = self.message(stored.appointment.is_internal);
        let occurrence = occurrence.map(|Occurrence { day, position, .. }| ox::Occurrence { day, position });
        let alarm = stored.object.number(calendar::ALARM);
        let confirmation = self.confirmation(&message);
        Ok(ox::confirm(&self.call.device.ox, place, confirmation, occurrence, alarm).await?)
    }

    fn confirmation<'b>(&self, message: &'b str) -> ox::Confirmation<'b> {
        ox::Confirmation {
            status: self.request.answer.to_ox(),
            message,
        }
    }

    /// What OX keeps with the answer. It knows no proposals: an organizer who gets no mail reads another time here.
    fn message(&self, is_internal: bool) -> String {
        let Some(send) = &self.request.send else {
            return String::new();
        };
        let proposal = send.proposal.as_ref().filter(|_| is_internal);
        let proposal = proposal.map(|period| itip::proposal(period, &self.call.user.zone));
        let parts = [send.comment.clone(), proposal.unwrap_or_default()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }

    /// A mail for an organizer elsewhere, where it is ours to send.
    async fn tell_organizer(&self, meeting: &Meeting, is_internal: bool) -> Result<(), Error> {
        let call = self.call;
        let silent = SendResponse::default();
        let is_ours = DEVICE_MAILS.contains(call.version) && call.quirks.has(Bend::ServerMailsReplies);
        let Some(send) = self.request.send.as_ref().or_else(|| is_ours.then_some(&silent)) else {
            return Ok(());
        };
        if is_internal {
            return Ok(());
        }
        let answer = self.request.answer;
        match itip::reply(meeting, answer, &send.comment, send.proposal, &call.user, call.now) {
            Some(mime) => Submission::send_own(call, &mime, &self.history.identity()).await,
            None => Ok(()),
        }
    }

    async fn note(&self, appointment: &str) -> Result<(), Error> {
        match self.history.repeated() {
            Some(_) => Ok(()),
            None => self.history.note(self.call, appointment).await,
        }
    }

    /// The answer counts, whatever becomes of the mail.
    async fn discard(&self, item: &Item, trash: Option<&str>) {
        if trash == Some(item.folder.as_str()) {
            return;
        }
        if let Err(error) = ox::mail::delete(&self.call.device.ox, &item.folder, &item.id, false).await {
            log::warn!("{}: an answered invitation stays: {error}", self.call.device_label());
        }
        self.touched(Module::Mail, &item.folder);
    }

    fn touched(&self, module: Module, folder: &str) {
        let folder = (module, folder.to_owned());
        self.call.services.notifier.touched(self.call.user_key(), &folder);
    }

    async fn calendar_id(&self, folder: &str, appointment: &str) -> Result<Option<String>, Error> {
        if self.request.answer == Answer::Declined || appointment.is_empty() {
            return Ok(None);
        }
        let collection = self.call.hierarchy().assign(Module::Calendar, folder).await?;
        Ok(Some(ids::server_id(collection, appointment)))
    }
}
