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
    store(call, subject, text, None).await
}

/// Stores a notice that has a name, of hexadecimal digits. `is_again`: it is not stored if it is in the inbox.
///
/// # Errors
/// As those of [`post`].
pub async fn post_once(
    call: &Call<'_>,
    name: &str,
    is_again: bool,
    subject: &str,
    text: &str,
) -> Result<(), ox::Error> {
    let message_id = email::message_id_of(name, &call.user);
    if is_again && let Some(inbox) = call.device.ox.settings().await?.standard(Standard::Inbox) {
        let found = ox::mail::find_message(&call.device.ox, inbox, &message_id).await?;
        if found.is_some() {
            return Ok(());
        }
    }
    store(call, subject, text, Some(&message_id)).await?;
    Ok(())
}

async fn store(
    call: &Call<'_>,
    subject: &str,
    text: &str,
    message_id: Option<&str>,
) -> Result<Option<String>, ox::Error> {
    let settings = call.device.ox.settings().await?;
    let Some(inbox) = settings.standard(Standard::Inbox) else {
        log::warn!("{}: a notice finds no inbox: {subject}", call.device_label());
        return Ok(None);
    };
    let mime = email::notice(subject, text, message_id, &call.user, call.now);
    match ox::mail::append(&call.device.ox, inbox, 0, &mime).await {
        Ok(_) => Ok(email::message_id(&mime)),
        Err(error) if error.is_temporary() => Err(error),
        Err(error) => {
            log::warn!("{}: a notice is not stored: {subject}: {error}", call.device_label());
            Ok(None)
        }
    }
}
