//! Drafts in a Sync: what a device wrote of a mail, as a write to OX, and what it is told of it.
//!
//! From 16.0 on devices write drafts: they add and change them in the folder for drafts, and send them from there.
//! Implements [MS-ASCMD] Send and the part of Add and Change that is about mail.

use std::collections::HashMap;

use bytes::Bytes;

use crate::content::Unconvertible;
use crate::content::email;
use crate::content::email::Envelope;
use crate::content::email::Mail;
use crate::eas::command::Call;
use crate::eas::command::sync::changes::Source;
use crate::eas::command::sync::request::Command;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::revision;
use crate::usm::collection::Looked;
use crate::usm::draft::Draft;
use crate::usm::journal::fingerprint;
use crate::usm::journal::operation;
use crate::usm::plan::What;
use crate::usm::settle::Unsendable;
use crate::usm::write::Write;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsyncbase;

/// The largest draft that is changed, in bytes.
const LARGEST_DRAFT: usize = 100 * 1024 * 1024;

/// The drafts that a device changed, as OX has them.
pub(super) struct Drafts(HashMap<String, Stored>);

struct Stored {
    /// OX id within the folder.
    id: String,
    flags: u32,
    source: Bytes,
}

impl Drafts {
    /// `None` in a folder where the device writes no drafts.
    pub(super) async fn read(
        source: &Source<'_>,
        looked: &Looked<'_>,
        commands: &[Command],
    ) -> Result<Option<Self>, Error> {
        if !source.takes_drafts {
            return Ok(None);
        }
        let mut stored = HashMap::new();
        for command in commands {
            let Command::Change {
                server_id, data, send, ..
            } = command
            else {
                continue;
            };
            let known = source.ox_id(server_id).filter(|_| *send || email::edits_draft(data));
            let Some((known, item)) = known.and_then(|id| looked.item(&id).map(|item| (id, item))) else {
                continue;
            };
            let session = &source.call.device.ox;
            match ox::mail::source(session, source.folder, &item.id, LARGEST_DRAFT).await {
                Ok(bytes) => {
                    let stored_draft = Stored {
                        id: item.id.clone(),
                        flags: revision::flags_of(item.revision),
                        source: bytes,
                    };
                    stored.insert(known, stored_draft);
                }
                Err(error) if error.is_about_the_item() => {
                    log::warn!("{}: a draft cannot be read: {error}", source.call.device_label());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(Self(stored)))
    }

    /// What is to be written where a device added a draft or changed one. `said`: the bytes of the command.
    pub(super) fn write(
        &self,
        source: &Source<'_>,
        what: &What,
        data: &Element,
        send: bool,
        said: &[u8],
    ) -> Result<Write, Unconvertible> {
        let message_id = message_id(source, what, said);
        let stored = match what {
            What::Change { id } => self.0.get(id),
            What::Add { .. } | What::Delete { .. } => None,
        };
        let is_gone = stored.is_none() && matches!(what, What::Change { .. });
        let mut write = Draft {
            mime: None,
            message_id,
            flags: 0,
            send,
            resend: false,
        };
        if is_gone {
            // Deleted at OX; or stored or sent already by the request that this one repeats.
            return Ok(Write::Draft(write));
        }
        let current = stored.map(|stored| email::Current {
            id: &stored.id,
            source: &stored.source,
            flags: stored.flags,
        });
        let context = source.context();
        let draft = email::draft(data, current, &write.message_id, &context)?;
        write.flags = draft.flags;
        // Where the attachments are is said anew, since OX has another mail now.
        write.resend = current.is_some() && draft.has_attachments;
        write.mime = Some(match send {
            false => email::stored(&draft.mime),
            true => match email::outgoing_draft(&draft.mime, context.user, context.now) {
                Ok(message) => message,
                Err(email::Refused::Unparsable) => return Err(Unconvertible("a draft that is no message".to_owned())),
                Err(email::Refused::NoRecipient | email::Refused::BadRecipient) => {
                    return Ok(Write::Unsendable(Unsendable::Recipients));
                }
            },
        });
        Ok(Write::Draft(write))
    }
}

/// The Message-ID of one version of a draft. It follows from what the device asked for and nothing else.
fn message_id(source: &Source<'_>, what: &What, said: &[u8]) -> String {
    let place = format!("{:?} {} {} ", source.call.device.id, source.collection, source.key);
    let mark = fingerprint(&[place.as_bytes(), &operation(what), said].concat());
    let mark: String = mark.iter().map(|byte| format!("{byte:02x}")).collect();
    email::message_id_of(&mark, &source.call.user)
}

/// What a command says of a draft, if the device waits to hear what was made of it: always after an Add, and after a Change
/// that brought attachments. Of what was sent there is nothing to tell.
pub(super) fn answered(command: &Command) -> Option<&Element> {
    match command {
        Command::Add { data, send: false, .. } => Some(data),
        Command::Change { data, send: false, .. } => {
            let attachments = data.child(airsyncbase::ATTACHMENTS)?;
            attachments.child(airsyncbase::ADD).map(|_| data)
        }
        _ => None,
    }
}

/// What the server made of a draft that it stored.
pub(super) async fn answer(
    call: &Call<'_>,
    collection: u32,
    folder: &str,
    id: &str,
    data: &Element,
) -> Result<Vec<Element>, Error> {
    let source = match ox::mail::source(&call.device.ox, folder, id, LARGEST_DRAFT).await {
        Ok(source) => source,
        // Stored, and gone: the device will hear of that next.
        Err(error) => {
            log::warn!("{}: a stored draft cannot be read: {error}", call.device_label());
            return Ok(Vec::new());
        }
    };
    let envelope = Envelope {
        collection_id: collection.to_string(),
        id: id.to_owned(),
        ..Envelope::default()
    };
    Ok(email::answer_to_draft(data, &Mail::from_source(&source, envelope)))
}
