//! Move: all mails of a conversation to one folder, but for those that the user sent.
//!
//! Moves what is there now; mail of the conversation that comes later stays where it arrives, since OX has no rule for that. A
//! repeated request finds nothing left to move. Implements [MS-ASCMD] Move (ItemOperations).

use super::NOT_FOUND;
use super::PROTOCOL_ERROR;
use super::SUCCESS;
use crate::eas::command::Call;
use crate::eas::mail_search;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Module;
use crate::ox::Standard;
use crate::wbxml::Element;
use crate::wbxml::codepage::itemoperations as tag;

const INVALID_COMBINATION_OF_IDS: i64 = 105;
const ITEMS_LOST: i64 = 153;
const NOT_ALWAYS: i64 = 155;
const INVALID_DESTINATION: i64 = 156;

/// The recipient information cache, which is no target.
const RECIPIENT_CACHE: &str = "RI";

pub(super) async fn answer(call: &Call<'_>, operation: &Element) -> Result<Element, Error> {
    let conversation = operation.child(tag::CONVERSATION_ID);
    let status = match conversation.map(Element::as_bytes) {
        Some(id) if !id.is_empty() => move_all(call, operation, id).await?,
        _ => PROTOCOL_ERROR,
    };
    let name = conversation.map(Element::as_bytes).filter(|id| !id.is_empty());
    let mut answer = Element::parent(tag::MOVE, name.map(|id| Element::opaque(tag::CONVERSATION_ID, id)));
    answer.push(Element::number(tag::STATUS, status));
    Ok(answer)
}

async fn move_all(call: &Call<'_>, operation: &Element, conversation: &[u8]) -> Result<i64, Error> {
    let always = operation
        .child(tag::OPTIONS)
        .and_then(|options| options.child(tag::MOVE_ALWAYS));
    if always.is_none() {
        return Ok(NOT_ALWAYS);
    }
    let target = operation.child_text(tag::DST_FLD_ID).unwrap_or_default().trim();
    if target == RECIPIENT_CACHE {
        return Ok(INVALID_COMBINATION_OF_IDS);
    }
    let Some((target, module, target_folder)) = call.folder(target).await? else {
        return Ok(NOT_FOUND);
    };
    if module != Module::Mail {
        return Ok(INVALID_DESTINATION);
    }
    let Some(mut folders) = mail_search::folders(call, &[], false).await? else {
        return Ok(NOT_FOUND);
    };
    let settings = call.device.ox.settings().await?;
    folders.retain(|(_, folder)| settings.standard(Standard::Sent) != Some(folder.as_str()));
    let hits = mail_search::conversation(call, &folders, conversation).await?;
    if hits.is_empty() {
        return Ok(NOT_FOUND);
    }
    let mut lost = false;
    for hit in hits.iter().filter(|hit| hit.collection != target) {
        match ox::mail::move_to(&call.device.ox, &hit.folder, &hit.id, &target_folder).await {
            Ok(_) => {
                for folder in [&hit.folder, &target_folder] {
                    let key = (Module::Mail, folder.clone());
                    call.services.notifier.touched(call.user_key(), &key);
                }
            }
            Err(error) if error.kind == ox::ErrorKind::NotFound => {}
            Err(error) if error.is_about_the_item() => {
                log::warn!("{}: mail {} is not moved: {error}", call.device_label(), hit.id);
                lost = true;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(if lost { ITEMS_LOST } else { SUCCESS })
}
