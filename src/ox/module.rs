//! The four modules with items, and the folders that have a special part in them.

/// A module of the API that holds items in folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    Mail,
    Calendar,
    Contacts,
    Tasks,
}

impl Module {
    pub const ALL: [Self; 4] = [Self::Mail, Self::Calendar, Self::Contacts, Self::Tasks];

    /// As in URLs, folder columns and configuration paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Calendar => "calendar",
            Self::Contacts => "contacts",
            Self::Tasks => "tasks",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|module| module.name() == name)
    }
}

/// A folder that each user has once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standard {
    /// The user's own calendar.
    Calendar,
    /// The user's own address book.
    Contacts,
    /// The user's own tasks.
    Tasks,
    Inbox,
    Drafts,
    Sent,
    Trash,
    Spam,
}

/// Folder, its number in column `standard_folder_type`, its branch and its leaf in the configuration.
const STANDARDS: [(Standard, i64, &str, &str); 8] = [
    (Standard::Tasks, 1, "config/folder", "tasks"),
    (Standard::Calendar, 2, "config/folder", "calendar"),
    (Standard::Contacts, 3, "config/folder", "contacts"),
    (Standard::Inbox, 7, "config/mail/folder", "inbox"),
    (Standard::Drafts, 9, "config/mail/folder", "drafts"),
    (Standard::Sent, 10, "config/mail/folder", "sent"),
    (Standard::Spam, 11, "config/mail/folder", "spam"),
    (Standard::Trash, 12, "config/mail/folder", "trash"),
];

impl Standard {
    pub const ALL: [Self; 8] = [
        Self::Calendar,
        Self::Contacts,
        Self::Tasks,
        Self::Inbox,
        Self::Drafts,
        Self::Sent,
        Self::Trash,
        Self::Spam,
    ];

    /// From column `standard_folder_type`. Other numbers, of pictures and documents for instance, are nothing special here.
    pub(super) fn from_type(number: i64) -> Option<Self> {
        let row = STANDARDS.iter().find(|row| row.1 == number)?;
        Some(row.0)
    }

    /// The folders whose ids stand in a branch of the configuration, each with its leaf.
    pub(super) fn in_branch(branch: &str) -> impl Iterator<Item = (Self, &'static str)> {
        STANDARDS
            .iter()
            .filter(move |row| row.2 == branch)
            .map(|row| (row.0, row.3))
    }

    pub const fn module(self) -> Module {
        match self {
            Self::Calendar => Module::Calendar,
            Self::Contacts => Module::Contacts,
            Self::Tasks => Module::Tasks,
            Self::Inbox | Self::Drafts | Self::Sent | Self::Trash | Self::Spam => Module::Mail,
        }
    }
}
