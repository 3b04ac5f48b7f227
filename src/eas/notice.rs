//! Notices: mails by which the gateway tells a user what it did, or did not do, with what his device asked for.
//!
//! A notice is stored in the user's own inbox, from himself to himself; nothing is sent. It is a courtesy: where OX does
//! not take it, the log has it, and nothing fails for want of it.

use crate::content::email;
use crate::eas::command::Call;
use crate::ox;
use crate::ox::Standard;

/// Stores a notice: a line as its subject, and paragraphs of plain text. Returns its Message-ID, without angle brackets, if
/// it is there.
///
/// # Errors
/// An OX that is gone. Who lets the request fail with it is asked for the notice once more by the repetition.
pub async fn post(call: &Call<'_>, subject: &str, text: &str) -> Result<Option<String>, ox::Error> {
    let settings = call.device.ox.settings().await?;
    let Some(inbox) = settings.standard(Standard::Inbox) else {
        log::warn!("{}: a notice finds no inbox: {subject}", call.device_label());
        return Ok(None);
    };
    let mime = email::notice(subject, text, &call.user, call.now);
    match ox::mail::append(&call.device.ox, inbox, 0, &mime).await {
        Ok(_) => Ok(email::message_id(&mime)),
        Err(error) if error.is_temporary() => Err(error),
        Err(error) => {
            log::warn!("{}: a notice is not stored: {subject}: {error}", call.device_label());
            Ok(None)
        }
    }
}
