//! GetAttachment: an attachment as it is.
//!
//! Versions from 14.0 on fetch attachments by ItemOperations. Implements [MS-ASCMD] GetAttachment.

use crate::eas::attachment;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::status::Error;
use crate::eas::status::Status;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let name = call.request.parameters.attachment_name.as_deref().unwrap_or_default();
    match attachment::fetch(call, name).await? {
        Some(attachment) => Ok(Reply::Raw(attachment.content_type, attachment.bytes)),
        // [MS-ASHTTP]: 500 for an attachment that vanished.
        None => Err(Error::Device(Status::SERVER_ERROR, "there is no such attachment")),
    }
}
