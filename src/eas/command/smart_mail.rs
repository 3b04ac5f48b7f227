//! SmartReply and SmartForward: a message goes out with the mail it answers or forwards, which the device does not have whole.
//!
//! The original is read from OX as its source and put below the device's text, unless the device says that its message is
//! complete. After OX accepted the message, the original is marked as answered or forwarded. Implements [MS-ASCMD]
//! SmartReply and SmartForward; appointments are in `appointment`.

mod appointment;

use bytes::Bytes;
use jiff::Timestamp;

use crate::content::email;
use crate::content::email::Verb;
use crate::content::email::mail::flags;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::submission::Source;
use crate::eas::command::submission::Submission;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox;
use crate::ox::Module;
use crate::usm::ids;
use crate::wbxml::codepage::composemail as tag;

/// The largest mail that is answered or forwarded with its content, in bytes.
const LARGEST_ORIGINAL: usize = 100 * 1024 * 1024;

pub(super) async fn reply(call: &Call<'_>) -> Result<Reply, Error> {
    run(call, Verb::Reply).await
}

pub(super) async fn forward(call: &Call<'_>) -> Result<Reply, Error> {
    match call
        .document
        .as_ref()
        .filter(|root| root.child(tag::FORWARDEES).is_some())
    {
        Some(root) => appointment::invite(call, root).await,
        None => run(call, Verb::Forward).await,
    }
}

/// What is answered or forwarded, as a mail.
struct Original {
    source: Bytes,
    /// Folder and id of a mail, which is marked afterwards; an appointment is not.
    mail: Option<(String, String)>,
}

async fn run(call: &Call<'_>, verb: Verb) -> Result<Reply, Error> {
    let mut submission = Submission::read(call)?;
    submission.refuse_repetition(call).await?;
    let Some(original) = original(call, &submission.source, verb).await? else {
        submission.send(call, submission.mime).await?;
        return Ok(Reply::Nothing);
    };
    let message = match submission.replace_mime {
        true => email::threaded(submission.mime, &original.source),
        false => email::compose(submission.mime, &original.source, verb, &call.user),
    };
    submission.send(call, &message).await?;
    mark(call, &original, verb).await;
    Ok(Reply::Nothing)
}

/// The original, or `None` where the text goes out without it.
async fn original(call: &Call<'_>, source: &Source<'_>, verb: Verb) -> Result<Option<Original>, Error> {
    let Some((collection, module, folder, server_id)) = locate(call, source).await? else {
        return missing(source);
    };
    match (module, verb) {
        (Module::Mail, _) => {}
        (Module::Calendar, Verb::Forward) => {
            return appointment::original(call, (collection, &folder), &server_id, source).await;
        }
        _ => return not_a_mail(source, verb),
    }
    if !source.instance.is_empty() {
        return Err(Error::Device(
            Status::NO_RECURRENCE_IN_CALENDAR,
            "an occurrence of a mail",
        ));
    }
    let Some(id) = call.item(collection, module, &folder, &server_id).await? else {
        return missing(source);
    };
    match ox::mail::source(&call.device.ox, &folder, &id, LARGEST_ORIGINAL).await {
        Ok(source) => Ok(Some(Original {
            source,
            mail: Some((folder, id)),
        })),
        Err(error) if error.kind == ox::ErrorKind::TooLarge => Err(Error::Device(
            Status::ATTACHMENT_IS_TOO_LARGE,
            "the original is too large",
        )),
        Err(error) if error.is_about_the_item() => missing(source),
        Err(error) => Err(error.into()),
    }
}

/// Folder and item that the device names: by both of their ids, or by one that holds both.
async fn locate(call: &Call<'_>, source: &Source<'_>) -> Result<Option<(u32, Module, String, String)>, Error> {
    if !source.instance.is_empty() && source.instance.parse::<Timestamp>().is_err() {
        return Err(Error::Device(Status::INVALID_DATE_TIME, "the occurrence is no time"));
    }
    let (folder, item) = match (source.long, source.item) {
        ("", "") => return Err(Error::Device(Status::INVALID_XML, "there is no original")),
        ("", item) => (source.folder.to_owned(), item.to_owned()),
        (long, "") if source.folder.is_empty() => match ids::parse_long_id(long) {
            Some((collection, id)) => (collection.to_string(), ids::server_id(collection, &id)),
            None => return Ok(None),
        },
        _ => {
            return Err(Error::Device(
                Status::INVALID_COMBINATION_OF_IDS,
                "a LongId beside other ids",
            ));
        }
    };
    let folder = call.folder(&folder).await?;
    Ok(folder.map(|(id, module, folder)| (id, module, folder, item)))
}

fn missing(source: &Source<'_>) -> Result<Option<Original>, Error> {
    match source.is_needed {
        true => Err(Error::Device(Status::ITEM_NOT_FOUND, "the original is gone")),
        false => Ok(None),
    }
}

/// Words to the people of an appointment need nothing of it; forwarded without it they would be all there is.
fn not_a_mail(source: &Source<'_>, verb: Verb) -> Result<Option<Original>, Error> {
    match verb {
        Verb::Forward if source.is_needed => Err(Error::Device(
            Status::UNEXPECTED_ITEM_CLASS,
            "only mails and appointments are forwarded",
        )),
        Verb::Reply | Verb::Forward => Ok(None),
    }
}

/// The message is out: nothing here may fail it.
async fn mark(call: &Call<'_>, original: &Original, verb: Verb) {
    let flag = match verb {
        Verb::Reply => flags::ANSWERED,
        Verb::Forward => flags::FORWARDED,
    };
    let Some((folder, id)) = &original.mail else {
        return;
    };
    match ox::mail::set_flags(&call.device.ox, folder, id, flag, 0).await {
        Ok(()) => {
            let folder = (Module::Mail, folder.clone());
            call.services.notifier.touched(call.user_key(), &folder);
        }
        Err(error) => log::warn!("{}: the original is not marked: {error}", call.device_label()),
    }
}
