//! GetAttachment: an attachment as it is.
//!
//! Versions from 14.0 on fetch attachments by ItemOperations. Implements [MS-ASCMD] GetAttachment.

use crate::content::email;
use crate::content::email::AttachmentId;
use crate::content::email::Mail;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox;
use crate::ox::Module;

/// The largest attachment that is fetched, in bytes.
const LARGEST_ATTACHMENT: usize = 100 * 1024 * 1024;

/// [MS-ASHTTP]: 500 for an attachment that vanished.
const GONE: Error = Error::Device(Status::SERVER_ERROR, "there is no such attachment");

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let name = call.request.parameters.attachment_name.as_deref().unwrap_or_default();
    let wanted = email::parse_file_reference(name.trim()).ok_or(GONE)?;
    let Some((_, Module::Mail, folder)) = call.folder(&wanted.collection_id).await? else {
        return Err(GONE);
    };
    let ox = &call.device.ox;
    let attachment = ox::mail::attachment(ox, &folder, &wanted.mail_id, &wanted.part_id, LARGEST_ATTACHMENT).await;
    let attachment = match attachment {
        Ok(attachment) => attachment,
        Err(error) if error.is_about_the_item() => return Err(GONE),
        Err(error) => return Err(error.into()),
    };
    let content_type = content_type(call, &folder, &wanted).await?;
    let content_type = content_type.unwrap_or(attachment.content_type);
    Ok(Reply::Raw(content_type, attachment.bytes))
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
