//! An attachment of a mail, by the reference that a device has: its bytes, and the type that the mail gives it.
//!
//! GetAttachment and ItemOperations share this. Implements [MS-ASAIRS] FileReference and ContentType.

use crate::content::email;
use crate::content::email::AttachmentId;
use crate::content::email::Mail;
use crate::eas::command::Call;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Download;
use crate::ox::Module;

/// The largest attachment that is fetched, in bytes.
const LARGEST_ATTACHMENT: usize = 100 * 1024 * 1024;

/// The attachment behind a FileReference, or the AttName of 2.5; `None` if there is none.
pub async fn fetch(call: &Call<'_>, reference: &str) -> Result<Option<Download>, Error> {
    let Some(wanted) = email::parse_file_reference(reference.trim()) else {
        return Ok(None);
    };
    let Some((_, Module::Mail, folder)) = call.folder(&wanted.collection_id).await? else {
        return Ok(None);
    };
    let ox = &call.device.ox;
    let attachment = ox::mail::attachment(ox, &folder, &wanted.mail_id, &wanted.part_id, LARGEST_ATTACHMENT).await;
    let attachment = match attachment {
        Ok(attachment) => attachment,
        Err(error) if error.is_about_the_item() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let content_type = content_type(call, &folder, &wanted).await?;
    Ok(Some(Download {
        content_type: content_type.unwrap_or(attachment.content_type),
        bytes: attachment.bytes,
    }))
}

/// The type that the mail gives its part: OX hands out every file as a mere sequence of bytes.
async fn content_type(call: &Call<'_>, folder: &str, wanted: &AttachmentId) -> Result<Option<String>, Error> {
    let mails = ox::mail::fetch_json(&call.device.ox, folder, std::slice::from_ref(&wanted.mail_id)).await?;
    let Some(Ok(json)) = mails.into_iter().next() else {
        return Ok(None);
    };
    let mail = Mail::from_json(&ox::Object::from_map(json), "").ok();
    Ok(mail.and_then(|mail| mail.type_of(&wanted.part_id).map(str::to_owned)))
}
