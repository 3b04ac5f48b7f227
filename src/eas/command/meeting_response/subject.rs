//! What is answered: the mail with the invitation, and the appointment at OX, which is made if it is not there yet.
//!
//! An invitation from outside may be in the calendar already, since newer servers take it in by themselves, or in another
//! version, or not at all. Implements the API documentation, "Meeting requests in mails".

use crate::content;
use crate::content::BodyOptions;
use crate::content::Context;
use crate::content::User;
use crate::content::calendar::meeting;
use crate::content::calendar::meeting::Appointment;
use crate::content::email::Mail;
use crate::content::itip::Invitation;
use crate::content::itip::Meeting;
use crate::eas::command::Call;
use crate::eas::command::meeting_response::request::Place;
use crate::eas::items::complete_calendar;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::ErrorKind;
use crate::ox::Module;
use crate::ox::Object;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::usm::ids;

/// A mail or an appointment that a device has named.
pub(in crate::eas::command) struct Item {
    pub(in crate::eas::command) module: Module,
    pub(in crate::eas::command) folder: String,
    pub(in crate::eas::command) id: String,
}

/// The appointment as OX has it.
pub(in crate::eas::command) struct Stored {
    pub(in crate::eas::command) folder: String,
    pub(in crate::eas::command) id: String,
    pub(in crate::eas::command) object: Object,
    pub(in crate::eas::command) appointment: Appointment,
}

impl Stored {
    /// Whether OX says that the user organizes it. Old servers do not say who does.
    pub(super) fn is_organized_by(&self, user: &User) -> bool {
        let organizer = self.object.text(calendar::ORGANIZER);
        organizer.is_some_and(|address| user.owns(address.trim_start_matches("mailto:")))
    }

    /// The newest timestamp known of it.
    pub(super) fn timestamp(&self) -> i64 {
        let own = self.object.timestamp(common::LAST_MODIFIED_UTC);
        let own = own.or_else(|| self.object.time(common::LAST_MODIFIED));
        own.unwrap_or(ox::revision::ANY_TIMESTAMP)
    }
}

/// The item behind the ids of a device; `None` if they are nobody's.
pub(super) async fn locate(call: &Call<'_>, place: &Place) -> Result<Option<Item>, Error> {
    let (collection, id) = match place {
        Place::Item { collection, id } => (collection.clone(), id.clone()),
        Place::Long(long) => match ids::parse_long_id(long) {
            Some((collection, id)) => (collection.to_string(), ids::server_id(collection, &id)),
            None => return Ok(None),
        },
    };
    // The id of an item names its collection, which some devices leave out.
    let named = ids::collection_of(&id).map(|collection| collection.to_string());
    let collection = if collection.is_empty() {
        named.unwrap_or_default()
    } else {
        collection
    };
    let Some((number, module, folder)) = call.folder(&collection).await? else {
        return Ok(None);
    };
    let id = call.item(number, module, &folder, &id).await?;
    Ok(id.map(|id| Item { module, folder, id }))
}

/// The invitation in a mail, and the part of the mail that holds it. `None` if the mail is gone, or is no invitation.
pub(super) async fn invitation(call: &Call<'_>, item: &Item) -> Result<Option<(Invitation, String)>, Error> {
    let fetched = ox::mail::fetch_json(&call.device.ox, &item.folder, std::slice::from_ref(&item.id)).await?;
    let json = match fetched.into_iter().next() {
        Some(Ok(json)) => Object::from_map(json),
        // An id that OX cannot even read is one that the device has made up.
        Some(Err(failed)) if matches!(failed.error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => return Ok(None),
        Some(Err(failed)) => return Err(failed.error.into()),
        None => return Ok(None),
    };
    let Ok(mut mail) = Mail::from_json(&json, "") else {
        return Ok(None);
    };
    complete_calendar(call, &item.folder, &mut mail).await?;
    let found = mail.invitation(&call.user.zone);
    Ok(found.map(|(invitation, part)| (invitation, part.to_owned())))
}

/// The appointment of a folder; `None` if it is gone.
pub(in crate::eas::command) async fn stored(call: &Call<'_>, folder: &str, id: &str) -> Result<Option<Stored>, Error> {
    let session = &call.device.ox;
    let wanted = ox::Wanted {
        id: id.to_owned(),
        parts: Vec::new(),
    };
    let columns = content::calendar::columns();
    let mut fetched = ox::fetch(session, Module::Calendar, folder, &[wanted], &columns).await?;
    ox::name_people(session, fetched.iter_mut().flatten()).await?;
    let object = match fetched.into_iter().next() {
        Some(Ok(fetched)) => fetched.object,
        // An id that OX cannot even read is one that the device has made up.
        Some(Err(failed)) if matches!(failed.error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => return Ok(None),
        Some(Err(failed)) => return Err(failed.error.into()),
        None => return Ok(None),
    };
    let bodies = BodyOptions::default();
    match meeting::read(&object, &context(call, &bodies)) {
        Ok(appointment) => Ok(Some(Stored {
            folder: folder.to_owned(),
            id: id.to_owned(),
            object,
            appointment,
        })),
        Err(reason) => {
            log::warn!("{}: appointment {id} cannot be read: {reason}", call.device_label());
            Ok(None)
        }
    }
}

pub(in crate::eas::command) const fn context<'a>(call: &'a Call<'a>, bodies: &'a BodyOptions) -> Context<'a> {
    Context {
        version: call.version,
        user: &call.user,
        bodies,
        quirks: call.quirks,
        now: call.now,
    }
}

/// The user's appointment of an invitation, if there is one, brought up to date with it.
pub(super) async fn known(
    call: &Call<'_>,
    calendar: &str,
    meeting: &Meeting,
    part: ox::InvitationPart<'_>,
) -> Result<Option<Stored>, Error> {
    let Some(id) = ox::resolve_uid(&call.device.ox, &meeting.uid).await? else {
        return Ok(None);
    };
    let Some(found) = stored(call, calendar, &id).await? else {
        return Ok(None);
    };
    if !is_newer(meeting, &found) {
        return Ok(Some(found));
    }
    if !ox::apply_update(&call.device.ox, part).await? {
        update(call, meeting, &found).await?;
    }
    stored(call, calendar, &id).await
}

/// Whether an invitation is of a later version than the appointment, and may change it: it is of the same organizer, and not
/// of a user of this OX, who changes the appointment there. One occurrence is not the series.
fn is_newer(meeting: &Meeting, found: &Stored) -> bool {
    let sequence = found.object.number(calendar::SEQUENCE).unwrap_or(0);
    let organizers = [&found.appointment.meeting.organizer, &meeting.organizer];
    let [known, claimed] = organizers.map(|organizer| organizer.as_ref().map(|person| person.address.to_lowercase()));
    let is_same = known.is_some() && known == claimed;
    is_same && !found.appointment.is_internal && meeting.occurrence.is_none() && meeting.sequence > sequence
}

/// What the server does not take stays as it was: the answer counts all the same.
async fn update(call: &Call<'_>, meeting: &Meeting, found: &Stored) -> Result<(), Error> {
    let mut fields = meeting::to_update(meeting);
    fields.set(calendar::SEQUENCE, meeting.sequence);
    let written = ox::update(
        &call.device.ox,
        Module::Calendar,
        &found.folder,
        &found.id,
        found.timestamp(),
        fields,
    )
    .await;
    match written {
        Ok(_) => Ok(()),
        Err(error) if error.is_about_the_item() => {
            log::warn!(
                "{}: appointment {} stays as it was: {error}",
                call.device_label(),
                found.id
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts an invitation from outside into the user's calendar, with the user's answer.
pub(super) async fn add(
    call: &Call<'_>,
    calendar: &str,
    meeting: &Meeting,
    part: ox::InvitationPart<'_>,
    confirmation: ox::Confirmation<'_>,
) -> Result<Option<Stored>, Error> {
    let session = &call.device.ox;
    let id = match ox::add_invitation(session, part, calendar, confirmation).await? {
        Some(id) => id,
        None => {
            let object = meeting::to_new(meeting, &call.user);
            match ox::create(session, Module::Calendar, calendar, object).await {
                Ok(written) => written.id,
                // Somebody was faster: the server itself, or the user at another place.
                Err(error) if error.kind == ErrorKind::Exists => match ox::resolve_uid(session, &meeting.uid).await? {
                    Some(id) => id,
                    None => return Err(error.into()),
                },
                Err(error) => return Err(error.into()),
            }
        }
    };
    stored(call, calendar, &id).await
}
