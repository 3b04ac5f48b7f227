//! Mailboxes as they are kept: folders with UIDs, mails as bytes with what was parsed out of them once.
//!
//! The RFC 822 bytes are the truth; the metadata beside them exists so that listing thousands of mails stays fast.

use crate::mail::meta::Meta;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bits of the column 611.
pub mod flag {
    /// Answered.
    pub const ANSWERED: u32 = 1;
    /// Marked as deleted, not yet expunged; such mails stay listed.
    pub const DELETED: u32 = 2;
    /// A draft.
    pub const DRAFT: u32 = 4;
    /// Flagged.
    pub const FLAGGED: u32 = 8;
    /// Arrived since the last visit.
    pub const RECENT: u32 = 16;
    /// Seen.
    pub const SEEN: u32 = 32;
    /// Has user flags.
    pub const USER: u32 = 64;
    /// Spam.
    pub const SPAM: u32 = 128;
    /// Forwarded.
    pub const FORWARDED: u32 = 256;
}

/// Prefix of the primary account in folder ids.
pub(crate) const ACCOUNT: &str = "default0";
/// Between the names of a path.
pub(crate) const SEPARATOR: char = '/';

/// Default folders: full name, key of the title and of the config path, `standard_folder_type`.
pub(crate) const DEFAULTS: &[(&str, &str, u32)] = &[
    ("INBOX", "inbox", 7),
    ("INBOX/Drafts", "drafts", 9),
    ("INBOX/Sent", "sent", 10),
    ("INBOX/Spam", "spam", 11),
    ("INBOX/Trash", "trash", 12),
];

/// Full name of the default folder `inbox`, `drafts`, `sent`, `spam` or `trash`.
pub(crate) fn default_folder(key: &str) -> &'static str {
    DEFAULTS
        .iter()
        .find(|(_, name, _)| *name == key)
        .map_or("INBOX", |(full_name, _, _)| full_name)
}

/// The mail of one user.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    /// By full name: `INBOX/Drafts`.
    pub(crate) folders: BTreeMap<String, MailFolder>,
    next_validity: u64,
}

/// One mail folder.
#[derive(Clone, Debug)]
pub(crate) struct MailFolder {
    pub(crate) validity: u64,
    pub(crate) next_uid: u32,
    pub(crate) mails: BTreeMap<u32, Mail>,
    pub(crate) subscribed: bool,
}

/// One mail.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) raw: Bytes,
    pub(crate) meta: Arc<Meta>,
    /// Arrival in UTC ms (INTERNALDATE).
    pub(crate) received: i64,
    pub(crate) flags: u32,
    pub(crate) color: u32,
    pub(crate) keywords: Vec<String>,
}

/// A mail that has left the house.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Who sent it.
    pub user: u32,
    /// Envelope sender.
    pub from: String,
    /// Envelope recipients: To, Cc and Bcc.
    pub recipients: Vec<String>,
    /// The transmitted bytes, without Bcc.
    pub raw: Bytes,
}

impl Mail {
    pub(crate) fn new(raw: Bytes, received: i64, flags: u32) -> Self {
        let meta = Arc::new(Meta::of(&raw));
        Self {
            raw,
            meta,
            received,
            flags,
            color: 0,
            keywords: Vec::new(),
        }
    }

    pub(crate) fn seen(&self) -> bool {
        self.flags & flag::SEEN != 0
    }
}

impl Mailbox {
    pub(crate) fn new(stamp: i64) -> Self {
        let mut mailbox = Self {
            folders: BTreeMap::new(),
            next_validity: u64::try_from(stamp / 1000).unwrap_or(1),
        };
        for (full_name, _, _) in DEFAULTS {
            mailbox.add_folder(full_name);
        }
        mailbox
    }

    /// Creates an empty folder with a UIDVALIDITY of its own.
    pub(crate) fn add_folder(&mut self, full_name: &str) {
        self.next_validity += 1;
        let folder = MailFolder {
            validity: self.next_validity,
            next_uid: 1,
            mails: BTreeMap::new(),
            subscribed: true,
        };
        self.folders.insert(full_name.to_owned(), folder);
    }

    /// Stores a mail; answers its new UID, `None` if there is no such folder.
    pub(crate) fn append(&mut self, full_name: &str, mail: Mail) -> Option<u32> {
        let folder = self.folders.get_mut(full_name)?;
        let uid = folder.next_uid;
        folder.next_uid += 1;
        folder.mails.insert(uid, mail);
        Some(uid)
    }

    pub(crate) fn mail(&self, full_name: &str, uid: u32) -> Option<&Mail> {
        self.folders.get(full_name)?.mails.get(&uid)
    }

    pub(crate) fn mail_mut(&mut self, full_name: &str, uid: u32) -> Option<&mut Mail> {
        self.folders.get_mut(full_name)?.mails.get_mut(&uid)
    }

    pub(crate) fn remove(&mut self, full_name: &str, uid: u32) -> Option<Mail> {
        self.folders.get_mut(full_name)?.mails.remove(&uid)
    }

    /// Gives a mail another UID, which none has now: as after the restoration of a mailbox.
    pub(crate) fn renumber(&mut self, full_name: &str, uid: u32, to: u32) {
        if let Some(mail) = self.remove(full_name, uid)
            && let Some(folder) = self.folders.get_mut(full_name)
        {
            folder.mails.insert(to, mail);
        }
    }

    /// Moves a mail; it gets the next UID of the target.
    pub(crate) fn transfer(&mut self, from: &str, uid: u32, to: &str) -> Option<u32> {
        if !self.folders.contains_key(to) {
            return None;
        }
        let mail = self.remove(from, uid)?;
        self.append(to, mail)
    }

    /// Renames a folder and all below it. The mails keep their UIDs, but the validity is a new one.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let below = format!("{from}{SEPARATOR}");
        let names: Vec<String> = self
            .folders
            .keys()
            .filter(|name| *name == from || name.starts_with(&below))
            .cloned()
            .collect();
        for name in names {
            let Some(mut folder) = self.folders.remove(&name) else {
                continue;
            };
            self.next_validity += 1;
            folder.validity = self.next_validity;
            let rest = name.strip_prefix(from).unwrap_or("");
            self.folders.insert(format!("{to}{rest}"), folder);
        }
    }

    /// Gives all mails of a folder, and of those below it, UIDs that none of them had.
    pub(crate) fn renumber_all(&mut self, full_name: &str) {
        let below = format!("{full_name}{SEPARATOR}");
        let folders = self.folders.iter_mut();
        for (_, folder) in folders.filter(|(name, _)| *name == full_name || name.starts_with(&below)) {
            for mail in std::mem::take(&mut folder.mails).into_values() {
                folder.mails.insert(folder.next_uid, mail);
                folder.next_uid += 1;
            }
        }
    }

    /// Removes a folder and all below it.
    pub(crate) fn remove_folder(&mut self, full_name: &str) {
        let below = format!("{full_name}{SEPARATOR}");
        self.folders
            .retain(|name, _| name != full_name && !name.starts_with(&below));
    }

    /// Bytes of all mails.
    pub(crate) fn size(&self) -> usize {
        self.folders
            .values()
            .flat_map(|folder| folder.mails.values())
            .map(|mail| mail.raw.len())
            .sum()
    }
}

/// The id of a folder by its full name; the empty name is the account's root.
pub(crate) fn folder_id(full_name: &str) -> String {
    if full_name.is_empty() {
        ACCOUNT.to_owned()
    } else {
        format!("{ACCOUNT}{SEPARATOR}{full_name}")
    }
}

/// The full name behind a folder id, `None` if it is no mail folder of the primary account.
pub(crate) fn full_name(id: &str) -> Option<&str> {
    let rest = id.strip_prefix(ACCOUNT)?;
    if rest.is_empty() {
        Some("")
    } else {
        rest.strip_prefix(SEPARATOR)
    }
}

/// Full name of the parent, `None` for the account's root.
pub(crate) fn parent_of(full_name: &str) -> Option<&str> {
    if full_name.is_empty() {
        None
    } else {
        Some(full_name.rsplit_once(SEPARATOR).map_or("", |(parent, _)| parent))
    }
}

/// Last name of a path.
pub(crate) fn last_name(full_name: &str) -> &str {
    full_name.rsplit_once(SEPARATOR).map_or(full_name, |(_, name)| name)
}
