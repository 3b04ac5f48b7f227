//! Forwarding an appointment: whoever gets it is invited by its organizer.
//!
//! Up to 14.1 the device writes a message, and the invitation goes with it as with a forwarded mail; from 16.0 on it names people
//! alone, and the message is ours. The list of participants at OX stays as it is: the organizer adds who has answered.
//! Implements [MS-ASCMD] SmartForward, Forwardees and InstanceId.

use bytes::Bytes;

use crate::content::BodyOptions;
use crate::content::BodyType;
use crate::content::calendar::meeting;
use crate::content::calendar::meeting::NoOccurrence;
use crate::content::itip;
use crate::content::itip::Meeting;
use crate::content::itip::Person;
use crate::content::text;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::meeting_response::subject;
use crate::eas::command::smart_mail::Original;
use crate::eas::command::smart_mail::locate;
use crate::eas::command::smart_mail::missing;
use crate::eas::command::submission::Source;
use crate::eas::command::submission::Submission;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox::Module;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::composemail as tag;

/// [MS-ASCMD] Forwardees exclude whatever says something about a message of the device's own.
const EXCLUDED: [Tag; 3] = [tag::MIME, tag::SAVE_IN_SENT_ITEMS, tag::REPLACE_MIME];

/// People who are invited by one request at most.
const MOST_FORWARDEES: usize = 500;

/// An appointment in the form of a mail, for the message of a device to carry.
pub(super) async fn original(
    call: &Call<'_>,
    (collection, folder): (u32, &str),
    server_id: &str,
    source: &Source<'_>,
) -> Result<Option<Original>, Error> {
    let meeting = match call.item(collection, Module::Calendar, folder, server_id).await? {
        Some(id) => found(call, folder, &id, source).await?,
        None => None,
    };
    let Some(meeting) = meeting else {
        return missing(source);
    };
    Ok(Some(Original {
        source: Bytes::from(itip::original(&meeting, call.now)),
        mail: None,
    }))
}

/// Invites the Forwardees of a request.
pub(super) async fn invite(call: &Call<'_>, root: &Element) -> Result<Reply, Error> {
    if EXCLUDED.iter().any(|tag| root.child(*tag).is_some()) {
        return Err(Error::Device(
            Status::INVALID_MIME_BODY_COMBINATION,
            "Forwardees beside a message",
        ));
    }
    let people = forwardees(root).ok_or(Error::Device(
        Status::INVALID_SMART_FORWARD_PARAMETERS,
        "Forwardees that name nobody",
    ))?;
    let mut submission = Submission::read_without_message(root)?;
    submission.refuse_repetition(call).await?;
    let Some((collection, module, folder, server_id)) = locate(call, &submission.source).await? else {
        return Err(gone());
    };
    if module != Module::Calendar {
        return Err(Error::Device(
            Status::INVALID_SMART_FORWARD_PARAMETERS,
            "Forwardees of what is no appointment",
        ));
    }
    let id = call
        .item(collection, module, &folder, &server_id)
        .await?
        .ok_or_else(gone)?;
    let meeting = found(call, &folder, &id, &submission.source).await?.ok_or_else(gone)?;
    let message = itip::forward(&meeting, &people, &comment(root), call.now);
    submission.keep_copy = true;
    submission.send(call, &message).await?;
    Ok(Reply::Nothing)
}

/// The meeting, or the one occurrence of it that the device names.
async fn found(call: &Call<'_>, folder: &str, id: &str, source: &Source<'_>) -> Result<Option<Meeting>, Error> {
    let Some(stored) = subject::stored(call, folder, id).await? else {
        return Ok(None);
    };
    let mut meeting = stored.appointment.meeting;
    if source.instance.is_empty() {
        return Ok(Some(meeting));
    }
    let bodies = BodyOptions::default();
    let context = subject::context(call, &bodies);
    match meeting::occurrence(&stored.object, source.instance, &context) {
        Ok(Ok(occurrence)) => {
            meeting.occurrence = Some(occurrence.period.start);
            meeting.period = occurrence.period;
            meeting.recurrence = None;
            Ok(Some(meeting))
        }
        Ok(Err(NoOccurrence::NotRecurring)) => Err(Error::Device(
            Status::NO_RECURRENCE_IN_CALENDAR,
            "an occurrence of a single appointment",
        )),
        Ok(Err(NoOccurrence::NotThere)) | Err(_) => Ok(None),
    }
}

const fn gone() -> Error {
    Error::Device(Status::ITEM_NOT_FOUND, "the appointment is gone")
}

/// All of them; `None` if there are none, too many, or one that no mail would reach.
fn forwardees(root: &Element) -> Option<Vec<Person>> {
    let list = root.child(tag::FORWARDEES)?.children_of(tag::FORWARDEE);
    let people = list.map(|forwardee| {
        let address = text::bare_address(forwardee.child_text(tag::EMAIL)?.trim());
        let name = text::line(forwardee.child_text(tag::NAME).unwrap_or_default());
        let is_address = address.contains('@') && !address.contains(char::is_whitespace);
        is_address.then(|| Person {
            name,
            address: address.to_owned(),
        })
    });
    let people: Vec<Person> = people.collect::<Option<_>>()?;
    (1..=MOST_FORWARDEES).contains(&people.len()).then_some(people)
}

/// [MS-ASAIRS] Body: the words that go with it.
fn comment(root: &Element) -> String {
    let body = root.child(airsyncbase::BODY);
    let text = |tag| body.and_then(|body| body.child_text(tag)).unwrap_or_default();
    let kind = text(airsyncbase::TYPE)
        .trim()
        .parse()
        .ok()
        .and_then(BodyType::from_code);
    text::plain(kind.unwrap_or(BodyType::Plain), text(airsyncbase::DATA)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_invited() {
        let forwardee = |email: &str, name: &str| {
            let fields = [Element::text(tag::EMAIL, email), Element::text(tag::NAME, name)];
            Element::parent(tag::FORWARDEE, fields)
        };
        let people = |list: Vec<Element>| {
            let list = Element::parent(tag::FORWARDEES, list);
            forwardees(&Element::parent(tag::SMART_FORWARD, [list]))
        };
        let carl = Person {
            name: "Carl".to_owned(),
            address: "carl@example.org".to_owned(),
        };
        assert_eq!(
            people(vec![forwardee("Carl <carl@example.org>", " Carl ")]),
            Some(vec![carl])
        );
        assert_eq!(people(vec![]), None);
        assert_eq!(people(vec![forwardee("carl", "Carl")]), None);
    }
}
