//! SendMail: a message goes out once, however often the device sends it.
//!
//! Success is answered after OX accepted the message. Implements [MS-ASCMD] SendMail.

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::submission::Submission;
use crate::eas::status::Error;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let mut submission = Submission::read(call)?;
    submission.refuse_repetition(call).await?;
    submission.send(call, submission.mime).await?;
    Ok(Reply::Nothing)
}
