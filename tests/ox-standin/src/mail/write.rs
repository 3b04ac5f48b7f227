//! Changes of mails: flags, colours, moves, copies, deletion.
//!
//! Implements `update`, `copy`, `delete`, `clear` and `expunge` of the chapter "Mail" of the OX HTTP API: a moved mail has
//! a new id, a deleted one goes to the trash first.

use crate::call::Answer;
use crate::call::Call;
use crate::error::JSON_SYNTAX;
use crate::error::MAIL_NOT_FOUND;
use crate::error::MAIL_TRASH_FULL;
use crate::error::OxError;
use crate::fields::integer;
use crate::fields::text;
use crate::fields::truth;
use crate::mail;
use crate::mail::store::Mail;
use crate::mail::store::default_folder;
use crate::mail::store::flag;
use crate::mail::store::folder_id;
use crate::world::World;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Bits that a client may set.
const SETTABLE: u32 = flag::ANSWERED | flag::DRAFT | flag::FLAGGED | flag::SEEN | flag::SPAM | flag::FORWARDED;

/// `update`: flags, colour and folder of one mail, or of all mails of a folder.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let body = call.json_object()?;
    let change = Change::of(&body)?;
    let one = call.parameter("id").is_some() || call.parameter("message_id").is_some();
    if !one {
        let name = mail::full_name(call.require("folder")?)?;
        let mailbox = mail::mailbox_mut(world, call.user)?;
        mail::folder(mailbox, &name)?;
        for found in mailbox
            .folders
            .get_mut(&name)
            .into_iter()
            .flat_map(|folder| folder.mails.values_mut())
        {
            change.apply(found);
        }
        return Ok(Answer::data(json!({"folder_id": folder_id(&name)})));
    }
    let (name, uid) = mail::named(world, call)?;
    let hides_ids = world.options.hides_moved_ids;
    let mailbox = mail::mailbox_mut(world, call.user)?;
    let found = mailbox.mail_mut(&name, uid).ok_or(MAIL_NOT_FOUND)?;
    change.apply(found);
    let Some(target) = change.target.filter(|target| *target != name) else {
        return Ok(Answer::data(mail::location(&name, Some(uid))));
    };
    mail::folder(mailbox, &target)?;
    let moved = mailbox.transfer(&name, uid, &target);
    Ok(Answer::data(mail::location(&target, moved.filter(|_| !hides_ids))))
}

/// What the body of an update asks for.
struct Change {
    set: u32,
    clear: u32,
    color: Option<u32>,
    add_keywords: Vec<String>,
    remove_keywords: Vec<String>,
    target: Option<String>,
}

impl Change {
    fn of(body: &Map<String, Value>) -> Result<Self, OxError> {
        let bits = |key: &str| {
            body.get(key)
                .and_then(integer)
                .and_then(|bits| u32::try_from(bits).ok())
                .unwrap_or(0)
        };
        let words = |key: &str| -> Vec<String> {
            body.get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(text)
                .collect()
        };
        let (mut set, mut clear) = (bits("set_flags"), bits("clear_flags"));
        if body.contains_key("flags") {
            let value = body.get("value").and_then(truth).ok_or(JSON_SYNTAX)?;
            *(if value { &mut set } else { &mut clear }) |= bits("flags");
        }
        let target = body
            .get("folder_id")
            .and_then(text)
            .map(|id| mail::full_name(&id))
            .transpose()?;
        Ok(Self {
            set: set & SETTABLE,
            clear: clear & SETTABLE,
            color: body.contains_key("color_label").then(|| bits("color_label")),
            add_keywords: words("set_user_flags"),
            remove_keywords: words("clear_user_flags"),
            target,
        })
    }

    fn apply(&self, mail: &mut Mail) {
        mail.flags = (mail.flags | self.set) & !self.clear;
        if let Some(color) = self.color {
            mail.color = color;
        }
        mail.keywords.retain(|keyword| !self.remove_keywords.contains(keyword));
        for keyword in &self.add_keywords {
            if !mail.keywords.contains(keyword) {
                mail.keywords.push(keyword.clone());
            }
        }
    }
}

/// `copy`.
pub(super) fn copy(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let (name, uid) = mail::named(world, call)?;
    let target = call.json_object()?.get("folder_id").and_then(text).ok_or(JSON_SYNTAX)?;
    let target = mail::full_name(&target)?;
    let mailbox = mail::mailbox_mut(world, call.user)?;
    let copied = mailbox.mail(&name, uid).ok_or(MAIL_NOT_FOUND)?.clone();
    mail::folder(mailbox, &target)?;
    let uid = mailbox.append(&target, copied);
    Ok(Answer::data(mail::location(&target, uid)))
}

/// `delete`: into the trash, or for good from there and with `harddelete`. Mails that have gone are no error.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let hard = call.flag("harddelete");
    let quota = world.options.mail_quota;
    let entries = match call.json()? {
        Value::Array(entries) => entries,
        object @ Value::Object(_) => vec![object],
        _ => return Err(JSON_SYNTAX.into()),
    };
    let mailbox = mail::mailbox_mut(world, call.user)?;
    for (name, uid) in entries.iter().filter_map(mail::reference) {
        if hard || in_trash(&name) {
            mailbox.remove(&name, uid);
            continue;
        }
        if quota > 0 && mailbox.size() >= quota {
            return Err(MAIL_TRASH_FULL.into());
        }
        mailbox.transfer(&name, uid, default_folder("trash"));
    }
    Ok(Answer::data(json!([])))
}

fn in_trash(full_name: &str) -> bool {
    let trash = default_folder("trash");
    full_name == trash || full_name.strip_prefix(trash).is_some_and(|rest| rest.starts_with('/'))
}

/// `clear`: empties folders, through the trash unless `hard_delete`; answers the ids not emptied.
pub(super) fn clear(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let hard = call.flag("hard_delete") || call.flag("harddelete");
    let mut failed = Vec::new();
    for id in call.json_array()?.iter().filter_map(text) {
        if empty(world, call.user, &id, hard).is_err() {
            failed.push(json!(id));
        }
    }
    Ok(Answer::data(failed))
}

/// Empties one folder; what lies below the trash goes with it.
pub(crate) fn empty(world: &mut World, user: u32, id: &str, hard: bool) -> Result<(), OxError> {
    let name = mail::full_name(id)?;
    let mailbox = mail::mailbox_mut(world, user)?;
    let uids: Vec<u32> = mail::folder(mailbox, &name)?.mails.keys().copied().collect();
    let for_good = hard || in_trash(&name);
    for uid in uids {
        if for_good {
            mailbox.remove(&name, uid);
        } else {
            mailbox.transfer(&name, uid, default_folder("trash"));
        }
    }
    if in_trash(&name) {
        let below: Vec<String> = mailbox
            .folders
            .keys()
            .filter(|other| **other != name && in_trash(other) && other.starts_with(&name))
            .cloned()
            .collect();
        for folder in below {
            mailbox.remove_folder(&folder);
        }
    }
    Ok(())
}

/// `expunge`: removes mails marked as deleted.
pub(super) fn expunge(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let mailbox = mail::mailbox_mut(world, call.user)?;
    for id in call.json_array()?.iter().filter_map(text) {
        let name = mail::full_name(&id)?;
        mail::folder(mailbox, &name)?;
        if let Some(folder) = mailbox.folders.get_mut(&name) {
            folder.mails.retain(|_, mail| mail.flags & flag::DELETED == 0);
        }
    }
    Ok(Answer::data(json!([])))
}

/// `all_seen`: marks a folder as read.
pub(super) fn all_seen(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let name = mail::full_name(call.require("folder")?)?;
    let mailbox = mail::mailbox_mut(world, call.user)?;
    mail::folder(mailbox, &name)?;
    for found in mailbox
        .folders
        .get_mut(&name)
        .into_iter()
        .flat_map(|folder| folder.mails.values_mut())
    {
        found.flags |= flag::SEEN;
    }
    Ok(Answer::data(true))
}
