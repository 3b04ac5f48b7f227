//! Drafts: mails that are written on a device, stored in the place of one another, and sent at last.
//!
//! OX cannot change a mail. A changed draft is a new one, and the old one is taken away; the device goes on with the id that
//! it has. Both, and a sending, are steps that a crash or a lost answer can fall between. So each version of a draft
//! has a Message-ID of its own, which depends on nothing but what the device asked for: a repetition finds by it what was
//! stored or sent before. Implements the API documentation, "Module mail", "Send/Save mail as MIME data block".

use crate::ox;
use crate::ox::Standard;
use crate::usm::collection::Collection;
use crate::usm::collection::Error;
use crate::usm::journal::Done;
use crate::usm::journal::fingerprint;
use crate::usm::plan::Change;
use crate::usm::plan::Step;
use crate::usm::plan::What;
use crate::usm::sending::Before;
use crate::usm::sending::Sending;
use crate::usm::settle::Outcome;
use crate::usm::settle::Unsendable;
use crate::usm::snapshot::Revision;
use crate::usm::write::Writer;
use crate::usm::write::Written;
use crate::usm::write::refusal;

/// A draft as it is to be stored, or sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The whole message, in ASCII. `None`: the draft that the device changed cannot be read any more.
    pub mime: Option<Vec<u8>>,
    /// Of the message, with angle brackets: the same when the device repeats the change, another one for any other change.
    pub message_id: String,
    /// Of OX, that of a draft included.
    pub flags: u32,
    /// It goes out instead of being stored.
    pub send: bool,
    /// The device does not know how the draft looks now: its attachments got other references.
    pub resend: bool,
}

impl Writer<'_> {
    /// Stores or sends a draft, and notes how far that came. Errors are those of [`Writer::write`].
    pub(super) async fn write_draft(
        &mut self,
        change: &Change,
        draft: &Draft,
        step: &Step,
        noted: Option<&Done>,
    ) -> Result<Written, Error> {
        let old = match &change.what {
            What::Change { id } => Some(self.state.ox_id(id).to_owned()),
            What::Add { .. } | What::Delete { .. } => None,
        };
        match step {
            Step::Finish => {}
            // Where another gateway has the same request, one of both stores or sends the draft, and the other gives up.
            Step::Write => self.claim(change, noted).await?,
            // Claimed before.
            _ => {}
        }
        if !draft.send {
            return match self.store(change, old.as_deref(), draft, step).await {
                Err(Error::Ox(error)) if error.kind == ox::ErrorKind::TooLarge => Ok(unsendable(Unsendable::TooLarge)),
                Err(Error::Ox(error)) => refusal(error).map(Written::Not),
                written => written,
            };
        }
        let written = self.send(change, old.as_deref(), draft, step).await?;
        if let Written::Sent { id } = &written {
            self.confirm(change, id, Some(Revision(0))).await?;
        }
        Ok(written)
    }

    async fn store(&self, change: &Change, old: Option<&str>, draft: &Draft, step: &Step) -> Result<Written, Error> {
        let (session, folder, message_id) = (self.collection.ox, self.collection.folder, &draft.message_id);
        let found = match step {
            Step::WriteUnlessThere => ox::mail::find_message(session, folder, message_id).await?,
            _ => None,
        };
        let is_found = found.is_some();
        let new = match (found, &draft.mime) {
            (Some(found), _) => found,
            (None, Some(mime)) => ox::mail::store(session, folder, draft.flags, mime, message_id).await?,
            (None, None) => return Ok(Written::Not(Outcome::NotFound)),
        };
        // What another gateway has just taken away there is no second time.
        if let Some(old) = old {
            self.take_away(old).await?;
        }
        if !self.confirm_claimed(change, &new, None).await? {
            // Another gateway looked for the draft before this one had stored it, and was faster: OX has it twice.
            if !is_found {
                self.take_away(&new).await?;
            }
            return Err(Error::Superseded);
        }
        let resend = draft.resend;
        Ok(match old {
            Some(_) => Written::Replaced { by: new, resend },
            None => Written::Done {
                id: new,
                revision: None,
                resend,
            },
        })
    }

    /// What is noted last is that the message is out: whatever happens then, it is not sent again.
    async fn send(&self, change: &Change, old: Option<&str>, draft: &Draft, step: &Step) -> Result<Written, Error> {
        let is_out = match step {
            Step::Finish => true,
            Step::WriteUnlessThere => self.was_sent(draft).await?,
            _ => false,
        };
        if !is_out {
            let Some(mime) = &draft.mime else {
                return Ok(Written::Not(Outcome::NotFound));
            };
            if let Err(error) = self.send_once(draft, mime).await? {
                return not_sent(error);
            }
            // Half done: [`Done::id`](crate::usm::journal::Done::id) is empty.
            self.confirm(change, "", None).await?;
        }
        if let Some(old) = old {
            self.take_away(old).await?;
        }
        let id = match &change.what {
            What::Change { id } | What::Delete { id } => id.clone(),
            // The device has to call it something until it hears that it is gone.
            What::Add { .. } => sent_id(draft),
        };
        Ok(Written::Sent { id })
    }

    /// Sends a message unless it went out before, or is being sent by another gateway, which looked before this one.
    async fn send_once(&self, draft: &Draft, mime: &[u8]) -> Result<Result<(), ox::Error>, Error> {
        let Collection {
            store, device, node, ..
        } = self.collection;
        let sending = Sending {
            store,
            device,
            node,
            now: self.now,
        };
        let message = fingerprint(draft.message_id.as_bytes());
        let before = sending.before(&message).await?;
        if before == Before::Sent {
            return Ok(Ok(()));
        }
        sending.begin(&message, &before).await?;
        let outcome = ox::mail::send(self.collection.ox, mime, true).await;
        sending.end(&message, outcome.is_ok()).await?;
        Ok(outcome)
    }

    /// Whether OX sent the message though we never heard so: then its copy is in the folder for sent mail.
    async fn was_sent(&self, draft: &Draft) -> Result<bool, ox::Error> {
        let settings = self.collection.ox.settings().await?;
        let Some(sent) = settings.standard(Standard::Sent) else {
            return Ok(false);
        };
        let found = ox::mail::find_message(self.collection.ox, sent, &draft.message_id).await?;
        Ok(found.is_some())
    }

    /// Takes the draft away that another one, or a message, was made of. It is no reason to make that once more if OX does
    /// not want to.
    async fn take_away(&self, old: &str) -> Result<(), ox::Error> {
        match ox::mail::delete(self.collection.ox, self.collection.folder, old, true).await {
            Err(error) if error.is_about_the_item() => {
                log::warn!("the older draft {old} stays: {error}");
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// An id that no mail at OX has.
fn sent_id(draft: &Draft) -> String {
    let letters = draft.message_id.bytes().filter(u8::is_ascii_alphanumeric).take(32);
    format!("sent-{}", letters.map(char::from).collect::<String>())
}

const fn unsendable(reason: Unsendable) -> Written {
    Written::Not(Outcome::Unsendable(reason))
}

/// Errors that are not the message's end the request.
fn not_sent(error: ox::Error) -> Result<Written, Error> {
    match error.kind {
        ox::ErrorKind::TooLarge => Ok(unsendable(Unsendable::TooLarge)),
        ox::ErrorKind::Quota => Ok(Written::Not(Outcome::Full)),
        _ if error.is_about_the_item() => {
            log::warn!("OX does not send a draft: {error}");
            Ok(unsendable(Unsendable::Refused))
        }
        _ => Err(Error::Ox(error)),
    }
}
