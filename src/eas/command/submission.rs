//! What SendMail, SmartReply, SmartForward and MeetingResponse share: reading what is to be sent, and sending it once.
//!
//! What OX accepted is noted under the device's ClientId, or, in the form without one, under a digest of the request.
//! Implements [MS-ASCMD] ClientId, AccountId, Mime, SaveInSentItems, ReplaceMime and Source; TemplateID is refused.

use crate::content::email;
use crate::eas::command::Call;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox;
use crate::ox::Standard;
use crate::usm::journal::Fingerprint;
use crate::usm::journal::fingerprint;
use crate::usm::sending::Before;
use crate::wbxml::Element;
use crate::wbxml::codepage::composemail as tag;
use crate::wbxml::codepage::rightsmanagement as rm;

/// A message that a device wants sent.
pub(super) struct Submission<'a> {
    pub(super) mime: &'a [u8],
    pub(super) keep_copy: bool,
    /// The message is complete: nothing of the original is added.
    pub(super) replace_mime: bool,
    pub(super) source: Source<'a>,
    operation: Fingerprint,
    before: Before,
}

/// The mail that is answered or forwarded, in the words of the device; empty where it names none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Source<'a> {
    pub(super) folder: &'a str,
    pub(super) item: &'a str,
    pub(super) long: &'a str,
    pub(super) instance: &'a str,
    /// In the older form the text goes out even if there is no such mail.
    pub(super) is_needed: bool,
}

impl<'a> Submission<'a> {
    /// From a document that has no message in it: the gateway makes one.
    pub(super) fn read_without_message(root: &'a Element) -> Result<Self, Error> {
        Self::from_document(root)
    }

    /// From the document, or from a body that is MIME and the parameters beside it.
    pub(super) fn read(call: &'a Call<'_>) -> Result<Self, Error> {
        let submission = match &call.document {
            Some(root) => Self::from_document(root)?,
            None => Self::from_parameters(call),
        };
        match submission.mime.is_empty() {
            true => Err(Error::Device(Status::INVALID_MIME, "there is no message")),
            false => Ok(submission),
        }
    }

    fn from_document(root: &'a Element) -> Result<Self, Error> {
        let client_id = root.child_text(tag::CLIENT_ID).unwrap_or_default().trim();
        if client_id.is_empty() {
            return Err(Error::Device(Status::INVALID_XML, "there is no ClientId"));
        }
        // The primary account has no AccountId, and there is no other.
        if root.child(tag::ACCOUNT_ID).is_some() {
            return Err(Error::Device(Status::INVALID_ACCOUNT_ID, "there is no such account"));
        }
        // No templates are offered; without the protection that it stands for, a message may not go out.
        let template = root.child_text(rm::TEMPLATE_ID).unwrap_or_default().trim();
        if !template.chars().all(|c| matches!(c, '0' | '-' | '{' | '}')) {
            return Err(Error::Device(
                Status::IRM_FEATURE_DISABLED,
                "there are no templates of protection",
            ));
        }
        let source = root.child(tag::SOURCE);
        let text = |tag| {
            source
                .and_then(|source| source.child_text(tag))
                .unwrap_or_default()
                .trim()
        };
        Ok(Self {
            mime: root.child(tag::MIME).map(Element::as_bytes).unwrap_or_default(),
            keep_copy: root.child(tag::SAVE_IN_SENT_ITEMS).is_some(),
            replace_mime: root.child(tag::REPLACE_MIME).is_some(),
            source: Source {
                folder: text(tag::FOLDER_ID),
                item: text(tag::ITEM_ID),
                long: text(tag::LONG_ID),
                instance: text(tag::INSTANCE_ID),
                is_needed: true,
            },
            operation: fingerprint(format!("id {client_id}").as_bytes()),
            before: Before::Nothing,
        })
    }

    fn from_parameters(call: &'a Call<'_>) -> Self {
        let parameters = &call.request.parameters;
        let source = Source {
            folder: parameters.collection_id.as_deref().unwrap_or_default(),
            item: parameters.item_id.as_deref().unwrap_or_default(),
            long: parameters.long_id.as_deref().unwrap_or_default(),
            instance: parameters.occurrence.as_deref().unwrap_or_default(),
            is_needed: false,
        };
        // The same words may well answer two mails.
        let to = [source.folder, source.item, source.long, source.instance].join("\n");
        let identity = match source.item.is_empty() && source.long.is_empty() {
            true => call.body.to_vec(),
            false => [
                call.request.command.to_ascii_lowercase().as_bytes(),
                to.as_bytes(),
                &call.body,
            ]
            .join(&b'\n'),
        };
        Self {
            mime: &call.body,
            keep_copy: parameters.save_in_sent,
            replace_mime: false,
            source,
            operation: fingerprint(&identity),
            before: Before::Nothing,
        }
    }

    /// Ends a request that is the repetition of one whose message went out: Status 118; or of one that another gateway is
    /// serving.
    pub(super) async fn refuse_repetition(&mut self, call: &Call<'_>) -> Result<(), Error> {
        self.before = call.sending().before(&self.operation).await?;
        match self.before {
            Before::Sent => Err(Error::Device(
                Status::MESSAGE_PREVIOUSLY_SENT,
                "this message was sent before",
            )),
            Before::Nothing | Before::Attempt(_) => Ok(()),
        }
    }

    /// Sends a message, and remembers it when OX has accepted it.
    pub(super) async fn send(&self, call: &Call<'_>, mime: &[u8]) -> Result<(), Error> {
        let outgoing = email::outgoing(mime, &call.user, call.now).map_err(refused)?;
        let sending = call.sending();
        let may_be_sent = matches!(self.before, Before::Attempt(_));
        if may_be_sent && self.keep_copy && was_sent(call, &outgoing).await? {
            return Ok(sending.end(&self.operation, true).await?);
        }
        // Should we die now, or the answer be lost, the repetition looks for the message among those that were sent.
        sending.begin(&self.operation, &self.before).await?;
        let outcome = ox::mail::send(&call.device.ox, &outgoing, self.keep_copy).await;
        sending.end(&self.operation, outcome.is_ok()).await?;
        outcome.map_err(|error| not_sent(call, error))
    }

    /// A message of the gateway's own, sent once: `identity` is the same for a repetition.
    pub(super) async fn send_own(call: &Call<'_>, mime: &[u8], identity: &Fingerprint) -> Result<(), Error> {
        let mut submission = Submission {
            mime,
            keep_copy: true,
            replace_mime: false,
            source: Source::default(),
            operation: *identity,
            before: Before::Nothing,
        };
        match submission.refuse_repetition(call).await {
            Err(Error::Device(Status::MESSAGE_PREVIOUSLY_SENT, _)) => return Ok(()),
            known => known?,
        }
        let identified = [email::message_id_field(identity, &call.user).as_bytes(), mime].concat();
        submission.send(call, &identified).await
    }
}

/// What a device is told of a message that OX did not take, or perhaps did not.
fn not_sent(call: &Call<'_>, error: ox::Error) -> Error {
    let (status, reason) = match error.kind {
        ox::ErrorKind::TooLarge => (Status::ATTACHMENT_IS_TOO_LARGE, "OX finds the message too large"),
        ox::ErrorKind::Quota => (Status::SEND_QUOTA_EXCEEDED, "the mailbox is too full to send"),
        _ if error.is_about_the_item() => (Status::MAIL_SUBMISSION_FAILED, "OX refused the message"),
        _ => return error.into(),
    };
    log::warn!("{}: OX does not send a message: {error}", call.device_label());
    Error::Device(status, reason)
}

/// Whether OX sent a message though it did not say so: then its copy is in the folder for sent mail.
async fn was_sent(call: &Call<'_>, outgoing: &[u8]) -> Result<bool, Error> {
    let settings = call.device.ox.settings().await?;
    let (Some(folder), Some(id)) = (settings.standard(Standard::Sent), email::message_id(outgoing)) else {
        return Ok(false);
    };
    let found = ox::mail::find_message(&call.device.ox, folder, &format!("<{id}>")).await?;
    Ok(found.is_some())
}

const fn refused(refused: email::Refused) -> Error {
    match refused {
        email::Refused::Unparsable => Error::Device(Status::INVALID_MIME, "the message cannot be read"),
        email::Refused::BadRecipient => {
            Error::Device(Status::MESSAGE_RECIPIENT_UNRESOLVED, "a recipient cannot be addressed")
        }
        email::Refused::NoRecipient => Error::Device(Status::MESSAGE_HAS_NO_RECIPIENT, "the message has no recipient"),
    }
}
