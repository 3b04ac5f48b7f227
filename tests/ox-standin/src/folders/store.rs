//! Folders of calendar, tasks, contacts and infostore as they are kept: system folders, owners, permissions, tombstones.
//!
//! Mail folders live in the mailboxes. Implements the folder model of the OX HTTP API: well known system folders, the
//! permission bits of `own_rights`.

use crate::users::User;
use std::collections::BTreeMap;

/// Everything in a folder, and its administration.
pub(crate) const ALL_RIGHTS: u32 = 403_710_016;
/// See the folder, read all objects.
pub(crate) const READ_ALL: u32 = 257;
/// The folder with all users of the context.
pub(crate) const GLOBAL_ADDRESS_BOOK: u32 = 6;

/// What a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    System,
    Tasks,
    Calendar,
    Contacts,
    Infostore,
}

impl Content {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Tasks => "tasks",
            Self::Calendar => "calendar",
            Self::Contacts => "contacts",
            Self::Infostore => "infostore",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [
            Self::System,
            Self::Tasks,
            Self::Calendar,
            Self::Contacts,
            Self::Infostore,
        ]
        .into_iter()
        .find(|content| content.name() == name)
    }

    /// `standard_folder_type` of the default folder.
    pub(crate) fn standard_type(self) -> u32 {
        match self {
            Self::System => 0,
            Self::Tasks => 1,
            Self::Calendar => 2,
            Self::Contacts => 3,
            Self::Infostore => 8,
        }
    }
}

/// Who may do what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Permission {
    pub(crate) entity: u32,
    pub(crate) group: bool,
    pub(crate) bits: u32,
}

/// One folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) id: u32,
    pub(crate) parent: u32,
    pub(crate) title: String,
    pub(crate) content: Content,
    /// `Some`: a private folder of this user; `None`: public or system.
    pub(crate) owner: Option<u32>,
    pub(crate) permissions: Vec<Permission>,
    /// The owner's default folder of its module.
    pub(crate) default: bool,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) created_by: u32,
    pub(crate) modified_by: u32,
}

impl Folder {
    /// Rights of a user, the most generous of all permissions in each part.
    pub(crate) fn rights(&self, user: u32, groups: &[u32]) -> Rights {
        let mine = self.permissions.iter().filter(|permission| {
            if permission.group {
                groups.contains(&permission.entity)
            } else {
                permission.entity == user
            }
        });
        Rights(mine.fold(0, |all, permission| merge(all, permission.bits)))
    }
}

/// The bit field of `own_rights`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rights(pub(crate) u32);

impl Rights {
    fn part(self, shift: u32) -> u32 {
        (self.0 >> shift) & 0x7f
    }

    pub(crate) fn see(self) -> bool {
        self.part(0) >= 1
    }

    pub(crate) fn create(self) -> bool {
        self.part(0) >= 2
    }

    pub(crate) fn create_folders(self) -> bool {
        self.part(0) >= 4
    }

    pub(crate) fn read(self, own: bool) -> bool {
        self.part(7) >= if own { 1 } else { 2 }
    }

    pub(crate) fn write(self, own: bool) -> bool {
        self.part(14) >= if own { 1 } else { 2 }
    }

    pub(crate) fn delete(self, own: bool) -> bool {
        self.part(21) >= if own { 1 } else { 2 }
    }

    pub(crate) fn admin(self) -> bool {
        self.0 >> 28 & 1 == 1
    }
}

/// The larger of each part.
fn merge(a: u32, b: u32) -> u32 {
    let part = |shift: u32| ((a >> shift) & 0x7f).max((b >> shift) & 0x7f) << shift;
    part(0) | part(7) | part(14) | part(21) | ((a | b) & (1 << 28))
}

/// All folders beside mail.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    all: BTreeMap<u32, Folder>,
    /// Deleted folders and when.
    pub(crate) tombstones: Vec<(u32, i64)>,
    next: u32,
}

/// System folders: id, parent, title, content, rights of all users.
const SYSTEM: &[(u32, u32, &str, Content, u32)] = &[
    (1, 0, "private", Content::System, 4),
    (2, 0, "public", Content::System, 4),
    (3, 0, "shared", Content::System, 1),
    (4, 0, "system", Content::System, 0),
    (5, 4, "system_global", Content::System, 0),
    (6, 2, "global_address_book", Content::Contacts, READ_ALL),
    (7, 4, "internal_users", Content::Contacts, 0),
    (9, 0, "infostore", Content::Infostore, 1),
    (10, 9, "user_store", Content::Infostore, 1),
    (11, 2, "other_tasks", Content::System, 0),
    (12, 2, "other_calendars", Content::System, 0),
    (13, 2, "other_contacts", Content::System, 0),
    (14, 9, "other_infostore", Content::System, 0),
    (15, 9, "public_infostore", Content::Infostore, 1),
    (16, 4, "guest_contacts", Content::Contacts, 0),
];

impl Default for Folders {
    fn default() -> Self {
        let all = SYSTEM.iter().map(|&(id, parent, title, content, bits)| {
            let everyone = Permission {
                entity: 0,
                group: true,
                bits,
            };
            let folder = Folder {
                id,
                parent,
                title: title.to_owned(),
                content,
                owner: None,
                permissions: vec![everyone],
                default: false,
                created: 0,
                modified: 1_690_000_000_000,
                created_by: 0,
                modified_by: 0,
            };
            (id, folder)
        });
        Self {
            all: all.collect(),
            tombstones: Vec::new(),
            next: 1000,
        }
    }
}

impl Folders {
    /// The default folders of a user: 31 to 34 for the first, 41 to 44 for the second, and so on.
    pub(crate) fn add_defaults(&mut self, user: &User, index: usize, stamp: i64) {
        let base = 31 + 10 * u32::try_from(index).unwrap_or(0);
        let defaults = [
            (base, 1, Content::Calendar, "calendar"),
            (base + 1, 10, Content::Infostore, "files"),
            (base + 2, 1, Content::Contacts, "contacts"),
            (base + 3, 1, Content::Tasks, "tasks"),
        ];
        for (id, parent, content, title) in defaults {
            let title = localized(&user.locale, title).to_owned();
            let folder = Folder {
                default: true,
                ..Self::private(id, parent, title, content, user.id, stamp)
            };
            self.all.insert(id, folder);
        }
        // Group numbers of default folders must not meet those of later ones.
        self.next = self.next.max(base + 100);
    }

    /// A new private folder with all rights for its owner.
    pub(crate) fn private(id: u32, parent: u32, title: String, content: Content, owner: u32, stamp: i64) -> Folder {
        Folder {
            id,
            parent,
            title,
            content,
            owner: Some(owner),
            permissions: vec![Permission {
                entity: owner,
                group: false,
                bits: ALL_RIGHTS,
            }],
            default: false,
            created: stamp,
            modified: stamp,
            created_by: owner,
            modified_by: owner,
        }
    }

    pub(crate) fn next_id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Folder> {
        self.all.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Folder> {
        self.all.get_mut(&id)
    }

    pub(crate) fn insert(&mut self, folder: Folder) {
        self.all.insert(folder.id, folder);
    }

    /// Removes a folder and leaves its tombstone.
    pub(crate) fn remove(&mut self, id: u32, stamp: i64) -> Option<Folder> {
        let folder = self.all.remove(&id)?;
        self.tombstones.push((id, stamp));
        Some(folder)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Folder> {
        self.all.values()
    }

    pub(crate) fn children(&self, parent: u32) -> impl Iterator<Item = &Folder> {
        self.all.values().filter(move |folder| folder.parent == parent)
    }

    /// The user's default folder for a content.
    pub(crate) fn default_of(&self, user: u32, content: Content) -> Option<u32> {
        let own = |folder: &&Folder| folder.default && folder.owner == Some(user) && folder.content == content;
        self.all.values().find(own).map(|folder| folder.id)
    }
}

/// Titles by locale: key, German, English.
const TITLES: &[(&str, &str, &str)] = &[
    ("private", "Persönliche Ordner", "My folders"),
    ("public", "Öffentliche Ordner", "Public folders"),
    ("shared", "Freigegebene Ordner", "Shared folders"),
    ("global_address_book", "Globales Adressbuch", "Global address book"),
    ("calendar", "Kalender", "Calendar"),
    ("contacts", "Kontakte", "Contacts"),
    ("tasks", "Aufgaben", "Tasks"),
    ("files", "Meine Dateien", "My files"),
    ("inbox", "Posteingang", "Inbox"),
    ("drafts", "Entwürfe", "Drafts"),
    ("sent", "Gesendete Objekte", "Sent objects"),
    ("trash", "Papierkorb", "Trash"),
    ("spam", "Spam", "Spam"),
];

/// The title of a folder in the user's language; other titles stay as they are.
pub(crate) fn localized<'a>(locale: &str, title: &'a str) -> &'a str {
    let row = TITLES.iter().find(|(key, _, _)| *key == title);
    row.map_or(
        title,
        |(_, german, english)| if locale.starts_with("de") { german } else { english },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_part_by_part() {
        let author = Rights(2_113_794);
        assert!(Rights(ALL_RIGHTS).admin() && Rights(ALL_RIGHTS).delete(false) && Rights(ALL_RIGHTS).create_folders());
        assert!(Rights(READ_ALL).read(false) && !Rights(READ_ALL).create() && !Rights(READ_ALL).write(true));
        assert!(author.write(true) && !author.write(false));
        assert_eq!(merge(READ_ALL, 2), 258);
    }
}
