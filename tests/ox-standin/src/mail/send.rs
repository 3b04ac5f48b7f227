//! Raw mails on their way out or into a folder: `new`, `transport`, `import`.
//!
//! Implements "Send/Save mail as MIME data block" and "Import of mails" of the OX HTTP API. A raw mail is turned into
//! bytes by ASCII, so that 8-bit text is lost; an import keeps every byte.

use crate::call::Answer;
use crate::call::Body;
use crate::call::Call;
use crate::error::JSON_SYNTAX;
use crate::error::MAIL_FOLDER_NOT_FOUND;
use crate::error::MAIL_INVALID_SENDER;
use crate::error::MAIL_NO_COPY;
use crate::error::MAIL_NO_RECIPIENT;
use crate::error::NO_UPLOAD;
use crate::error::OxError;
use crate::mail;
use crate::mail::meta::Mailbox;
use crate::mail::meta::Meta;
use crate::mail::store::Mail;
use crate::mail::store::Sent;
use crate::mail::store::default_folder;
use crate::mail::store::flag;
use crate::world::World;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;

/// `new`: stores the mail if a folder is given, else sends it and keeps a copy.
pub(super) fn new(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let raw = raw_body(world, call)?;
    if let Some(folder) = call.parameter("folder") {
        let name = mail::full_name(folder)?;
        return store(world, call, &name, raw);
    }
    send(world, call, raw, call.parameter("copy2Sent") != Some("false"))
}

/// `transport`: sends without a copy; `recipients` overrides the headers.
pub(super) fn transport(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let raw = raw_body(world, call)?;
    send(world, call, raw, false)
}

/// `import`: stores uploaded mails byte by byte.
pub(super) fn import(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let name = mail::full_name(call.require("folder")?)?;
    mail::folder(mail::mailbox(world, call.user)?, &name)?;
    let flags = flags(call)?;
    let force = call.flag("force");
    let files: Vec<Bytes> = call.files().map(|file| file.bytes.clone()).collect();
    if files.is_empty() {
        return Err(NO_UPLOAD.into());
    }
    let received = world.clock.now();
    let mut answers = Vec::new();
    for raw in files {
        let stored = Mail::new(raw, received, flags);
        let allowed = force || own_sender(world, call.user, &stored.meta.from).is_some();
        answers.push(if allowed {
            let uid = mail::mailbox_mut(world, call.user)?.append(&name, stored);
            mail::location(&name, uid)
        } else {
            let error = OxError::from(MAIL_INVALID_SENDER);
            json!({"folder_id": mail::store::folder_id(&name), "Filename": "", "Error": crate::envelope::error_fields(&error)})
        });
    }
    Ok(Answer::data(Value::Array(answers)))
}

/// The body as mail: everything beyond ASCII becomes a question mark.
fn raw_body(world: &World, call: &Call) -> Result<Bytes, OxError> {
    let bytes = match &call.body {
        Body::Bytes(bytes) => bytes.clone(),
        Body::Json(Value::String(text)) => Bytes::from(text.clone()),
        _ => return Err(JSON_SYNTAX.into()),
    };
    if !world.options.seven_bit || bytes.is_ascii() {
        return Ok(bytes);
    }
    // The server decodes the body as text first: one question mark for each character, not for each byte.
    let text = String::from_utf8_lossy(&bytes);
    Ok(text
        .chars()
        .map(|c| if c.is_ascii() { c } else { '?' })
        .collect::<String>()
        .into())
}

fn flags(call: &Call) -> Result<u32, OxError> {
    Ok(call
        .number("flags")?
        .and_then(|flags| u32::try_from(flags).ok())
        .unwrap_or(0)
        & !flag::DELETED)
}

fn store(world: &mut World, call: &Call, name: &str, raw: Bytes) -> Result<Answer, OxError> {
    let flags = flags(call)?;
    let received = world.clock.now();
    let (quota, force) = (world.options.mail_quota, call.flag("force"));
    let stored = Mail::new(raw, received, flags);
    if !force && !stored.meta.from.is_empty() && own_sender(world, call.user, &stored.meta.from).is_none() {
        return Err(MAIL_INVALID_SENDER.into());
    }
    let mailbox = mail::mailbox_mut(world, call.user)?;
    mail::folder(mailbox, name)?;
    if quota > 0 && mailbox.size() + stored.raw.len() > quota {
        let code = if flags & flag::DRAFT == 0 {
            "MSG-0117"
        } else {
            "MSG-0116"
        };
        return Err(OxError::new(code, 11, "The mail could not be saved: quota exceeded."));
    }
    let uid = mailbox.append(name, stored);
    Ok(Answer::data(mail::location(name, uid)))
}

fn send(world: &mut World, call: &Call, raw: Bytes, keep_copy: bool) -> Result<Answer, OxError> {
    let (raw, meta) = with_sender(world, call.user, raw);
    let from = match own_sender(world, call.user, &meta.from) {
        Some(from) => from,
        None if call.flag("force") => meta.from.first().map(|from| from.address.clone()).unwrap_or_default(),
        None => return Err(MAIL_INVALID_SENDER.into()),
    };
    let recipients: Vec<String> = match call.parameter("recipients") {
        Some(list) => list.split(',').map(|address| address.trim().to_owned()).collect(),
        None => meta.recipients().map(|recipient| recipient.address.clone()).collect(),
    };
    if recipients.is_empty() {
        return Err(MAIL_NO_RECIPIENT.into());
    }
    let transmitted = without_bcc(&raw);
    deliver_locally(world, &recipients, &transmitted);
    world.outbox.push(Sent {
        user: call.user,
        from,
        recipients,
        raw: transmitted,
    });
    let no_copy = world.user(call.user).is_some_and(|user| user.no_copy_to_sent);
    if !keep_copy || no_copy {
        return Ok(Answer::data(Value::Null));
    }
    let received = world.clock.now();
    let quota = world.options.mail_quota;
    let mailbox = mail::mailbox_mut(world, call.user)?;
    if quota > 0 && mailbox.size() + raw.len() > quota {
        return Ok(Answer::warned(Value::Null, vec![MAIL_NO_COPY.into()]));
    }
    let sent = default_folder("sent");
    let uid = mailbox
        .append(sent, Mail::new(raw, received, flag::SEEN))
        .ok_or(MAIL_FOLDER_NOT_FOUND)?;
    Ok(Answer::data(mail::location(sent, Some(uid))))
}

/// A mail without From gets the sender's own.
fn with_sender(world: &World, user: u32, raw: Bytes) -> (Bytes, Meta) {
    let meta = Meta::of(&raw);
    let Some(user) = world.user(user).filter(|_| meta.from.is_empty()) else {
        return (raw, meta);
    };
    let mut whole = format!("From: {}\r\n", user.primary_address()).into_bytes();
    whole.extend_from_slice(&raw);
    let meta = Meta::of(&whole);
    (whole.into(), meta)
}

/// The From address if it is one of the user's own.
fn own_sender(world: &World, user: u32, from: &[Mailbox]) -> Option<String> {
    let address = &from.first()?.address;
    let user = world.user(user)?;
    user.addresses
        .iter()
        .any(|own| own.eq_ignore_ascii_case(address))
        .then(|| address.clone())
}

/// Users of this server find the mail in their inbox.
fn deliver_locally(world: &mut World, recipients: &[String], raw: &Bytes) {
    let mut users: Vec<u32> = recipients
        .iter()
        .filter_map(|address| world.user_by_address(address))
        .map(|user| user.id)
        .collect();
    users.sort_unstable();
    users.dedup();
    let received = world.clock.now();
    for user in users {
        if let Some(mailbox) = world.mailboxes.get_mut(&user) {
            mailbox.append(default_folder("inbox"), Mail::new(raw.clone(), received, flag::RECENT));
        }
    }
}

/// The bytes without Bcc headers and their continuation lines.
fn without_bcc(raw: &[u8]) -> Bytes {
    let mut kept = Vec::with_capacity(raw.len());
    let mut rest = raw;
    let mut dropping = false;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        let continued = line.starts_with(b" ") || line.starts_with(b"\t");
        dropping = if continued {
            dropping
        } else {
            line.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"bcc:"))
        };
        if !dropping {
            kept.extend_from_slice(line);
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcc_is_cut_with_its_continuation() {
        let raw = b"To: a@x\r\nBCC: b@x,\r\n c@x\r\nSubject: s\r\n\r\nBcc: stays\r\n";
        assert_eq!(&without_bcc(raw)[..], b"To: a@x\r\nSubject: s\r\n\r\nBcc: stays\r\n");
    }
}
