//! The module `mail`.
//!
//! `list` shows folders, `get` single mails as JSON or bytes, `structure` the MIME tree, `write` changes flags and moves,
//! `send` takes raw mails, `search` looks for words. Implements the chapter "Mail" of the OX HTTP API.

pub(crate) mod fields;
pub(crate) mod get;
pub(crate) mod html;
pub(crate) mod list;
pub(crate) mod meta;
pub(crate) mod search;
pub(crate) mod send;
pub(crate) mod store;
pub(crate) mod structure;
pub(crate) mod write;

use crate::call::Answer;
use crate::call::Call;
use crate::error::MAIL_FOLDER_NO_MESSAGES;
use crate::error::MAIL_FOLDER_NOT_FOUND;
use crate::error::OxError;
use crate::fields::text;
use crate::mail::store::MailFolder;
use crate::mail::store::Mailbox;
use crate::world::World;
use serde_json::Value;
use serde_json::json;

/// Answers a call of the module; `None` for an unknown action.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Option<Answer>, OxError> {
    let answer = match call.action.as_str() {
        "all" => list::all(world, call)?,
        "list" => list::list(world, call)?,
        "count" => list::count(world, call)?,
        "examine" => list::examine(world, call)?,
        // There is no log of changes behind mail.
        "updates" => Answer::data(json!([])),
        "search" => search::search(world, call)?,
        "get" => get::get(world, call)?,
        "get_structure" => structure::get(world, call)?,
        "attachment" => get::attachment(world, call)?,
        "update" => write::update(world, call)?,
        "copy" => write::copy(world, call)?,
        "delete" => write::delete(world, call)?,
        "clear" => write::clear(world, call)?,
        "expunge" => write::expunge(world, call)?,
        "all_seen" => write::all_seen(world, call)?,
        "new" => send::new(world, call)?,
        "transport" => send::transport(world, call)?,
        "import" => send::import(world, call)?,
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// The caller's mailbox.
pub(crate) fn mailbox(world: &World, user: u32) -> Result<&Mailbox, OxError> {
    world
        .mailboxes
        .get(&user)
        .ok_or_else(|| OxError::new("MSG-0013", 3, "No access to mail."))
}

pub(crate) fn mailbox_mut(world: &mut World, user: u32) -> Result<&mut Mailbox, OxError> {
    world
        .mailboxes
        .get_mut(&user)
        .ok_or_else(|| OxError::new("MSG-0013", 3, "No access to mail."))
}

/// Full name of a folder that holds mails.
pub(crate) fn full_name(id: &str) -> Result<String, OxError> {
    let name = store::full_name(id).ok_or(MAIL_FOLDER_NOT_FOUND)?;
    if name.is_empty() {
        Err(MAIL_FOLDER_NO_MESSAGES.into())
    } else {
        Ok(name.to_owned())
    }
}

/// A folder of a mailbox.
pub(crate) fn folder<'a>(mailbox: &'a Mailbox, full_name: &str) -> Result<&'a MailFolder, OxError> {
    mailbox
        .folders
        .get(full_name)
        .ok_or_else(|| MAIL_FOLDER_NOT_FOUND.into())
}

/// Folder and UID of a mail named in a body: `{"folder": …, "id": …}`.
pub(crate) fn reference(entry: &Value) -> Option<(String, u32)> {
    let folder = ["folder", "folder_id"]
        .iter()
        .find_map(|key| entry.get(*key))
        .and_then(text)?;
    let uid = entry.get("id").and_then(crate::call::id_of)?;
    Some((full_name(&folder).ok()?, uid))
}

/// Folder and UID of the mail that the parameters name, by `id` or by `message_id`.
pub(crate) fn named(world: &World, call: &Call) -> Result<(String, u32), OxError> {
    let name = full_name(call.require("folder")?)?;
    let found = folder(mailbox(world, call.user)?, &name)?;
    let uid = match (call.parameter("id"), call.parameter("message_id")) {
        (None, Some(wanted)) => {
            let mut mails = found.mails.iter();
            mails
                .find(|(_, mail)| mail.meta.message_id.as_deref() == Some(wanted))
                .map(|(uid, _)| *uid)
        }
        _ => call.require("id")?.parse().ok(),
    };
    // An opaque id that is no number belongs to no mail.
    Ok((name, uid.unwrap_or(0)))
}

/// The answer that names a mail.
pub(crate) fn location(full_name: &str, uid: Option<u32>) -> Value {
    json!({"folder_id": store::folder_id(full_name), "id": uid.map(|uid| uid.to_string())})
}
