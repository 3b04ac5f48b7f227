//! SendMail: a message goes out once, however often the device sends it.
//!
//! Success is answered after OX accepted the message. What was accepted is noted under the device's ClientId, or, in versions
//! without one, under a digest of the message. Implements [MS-ASCMD] SendMail.

use crate::content::email;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox;
use crate::ox::Standard;
use crate::usm::journal::fingerprint;
use crate::wbxml::codepage::composemail as tag;

/// The journal that remembers what was sent.
const JOURNAL: &str = "sent";

/// Its outcomes: OX accepted the message; or nobody knows yet whether it did.
const SENT: &[u8] = b"sent";
const UNCERTAIN: &[u8] = b"uncertain";

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let (mime, key, keep_copy) = match &call.document {
        Some(root) => {
            let client_id = root.child_text(tag::CLIENT_ID).unwrap_or_default().trim();
            let mime = root.child(tag::MIME).map(|mime| mime.as_bytes()).unwrap_or_default();
            if client_id.is_empty() {
                return Err(Error::Device(Status::INVALID_XML, "SendMail without ClientId"));
            }
            (
                mime,
                format!("id {client_id}").into_bytes(),
                root.child(tag::SAVE_IN_SENT_ITEMS).is_some(),
            )
        }
        None => (&call.body[..], call.body.to_vec(), call.request.parameters.save_in_sent),
    };
    if mime.is_empty() {
        return Err(Error::Device(Status::INVALID_MIME, "SendMail without a message"));
    }
    let key = fingerprint(&key);
    let noted = call.device.noted(JOURNAL, &key).await?;
    if noted.as_deref() == Some(SENT) {
        return Err(Error::Device(
            Status::MESSAGE_PREVIOUSLY_SENT,
            "this message was sent before",
        ));
    }
    let outgoing = email::outgoing(mime, &call.user, call.now).map_err(|refused| match refused {
        email::Refused::Unparsable => Error::Device(Status::INVALID_MIME, "the message cannot be read"),
        email::Refused::BadRecipient => {
            Error::Device(Status::MESSAGE_RECIPIENT_UNRESOLVED, "a recipient cannot be addressed")
        }
        email::Refused::NoRecipient => Error::Device(Status::MESSAGE_HAS_NO_RECIPIENT, "the message has no recipient"),
    })?;
    if noted.as_deref() == Some(UNCERTAIN) && keep_copy && was_sent(call, &outgoing).await? {
        call.device.note(JOURNAL, &key, SENT, call.now).await?;
        return Ok(Reply::Nothing);
    }
    // Should we die now, or the answer be lost, the repetition looks for the message among those that were sent.
    call.device.note(JOURNAL, &key, UNCERTAIN, call.now).await?;
    match ox::mail::send(&call.device.ox, &outgoing, keep_copy).await {
        Ok(()) => {}
        Err(error) if error.is_about_the_item() => {
            log::warn!("{}: OX does not send a message: {error}", call.device_label());
            return Err(Error::Device(Status::MAIL_SUBMISSION_FAILED, "OX refused the message"));
        }
        Err(error) => return Err(error.into()),
    }
    call.device.note(JOURNAL, &key, SENT, call.now).await?;
    Ok(Reply::Nothing)
}

/// Whether OX sent a message though it did not say so: then its copy is in the folder for sent mail.
async fn was_sent(call: &Call<'_>, outgoing: &[u8]) -> Result<bool, Error> {
    let settings = call.device.ox.settings().await?;
    let (Some(folder), Some(id)) = (settings.standard(Standard::Sent), email::message_id(outgoing)) else {
        return Ok(false);
    };
    Ok(ox::mail::has_message(&call.device.ox, folder, &format!("<{id}>")).await?)
}
