//! The folders a user sees.
//!
//! Always in tree 0, whose parents are the real ones. Implements the API documentation, "Module folders" and "Detailed
//! folder data".

use std::collections::HashMap;
use std::collections::HashSet;

use serde_json::Value;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::folders;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::items;
use crate::ox::module::Module;
use crate::ox::module::Standard;
use crate::ox::multiple::multiple;
use crate::ox::refusals::Feature;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::tree;
use crate::ox::tree::MAX_DEPTH;

/// The root of the primary mail account. Other accounts are not synced: their roots are called `default1` and so on.
pub const MAIL_ROOT: &str = "default0";
/// What stands between the names in the id of a mail folder: "separator after the prefix is that of the IMAP server".
pub fn mail_separator(folder: &str) -> Option<char> {
    folder.strip_prefix(MAIL_ROOT)?.chars().next()
}

/// The folder of all users of the context. "System folders: ids are the same in each context".
const GLOBAL_ADDRESS_BOOK: &str = "6";
/// The parents of private, public and shared folders, and of mail folders.
const ROOTS: [&str; 4] = ["1", "2", "3", MAIL_ROOT];

pub(super) const COLUMNS: &[ColumnName] = &[
    folders::ID.name(),
    folders::FOLDER_ID.name(),
    folders::TITLE.name(),
    folders::MODULE.name(),
    folders::TYPE.name(),
    folders::SUBFOLDERS.name(),
    folders::OWN_RIGHTS.name(),
    folders::SUBSCRIBED.name(),
    folders::STANDARD_FOLDER_TYPE.name(),
];

/// A folder with items that the user may at least read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Opaque. The id of a mail folder changes when it or a folder above it is renamed or moved.
    pub id: String,
    /// The folder above it: another folder of the list, or a root that is not.
    pub parent: String,
    pub title: String,
    pub module: Module,
    pub kind: FolderKind,
    pub standard: Option<Standard>,
    pub own_rights: Rights,
    pub subscribed: bool,
    /// The address book of all users, which may be huge.
    pub is_global_address_book: bool,
}

/// Whose folder it is, as seen by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FolderKind {
    /// The user's own.
    Private,
    /// Nobody's own.
    Public,
    /// Somebody else's.
    Shared,
}

/// What the user may do in a folder: the bit field of column `own_rights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rights(pub u32);

impl Rights {
    const EVERYTHING: Self = Self(403_710_016);

    /// At least own items; others are missing silently.
    pub const fn can_read(self) -> bool {
        self.part(7) >= 1
    }

    pub const fn can_read_all(self) -> bool {
        self.part(7) >= 2
    }

    pub const fn can_create(self) -> bool {
        self.part(0) >= 2
    }

    /// At least own items.
    pub const fn can_write(self) -> bool {
        self.part(14) >= 1
    }

    /// At least own items.
    pub const fn can_delete(self) -> bool {
        self.part(21) >= 1
    }

    /// Each part of seven bits is a level: 0 none, 1 own items, 2 all items; more is more.
    const fn part(self, shift: u32) -> u32 {
        (self.0 >> shift) & 0x7f
    }
}

impl Session {
    /// All folders of the four modules that the user can read: private, public and shared, and of mail the primary account.
    pub async fn folders(&self) -> Result<Vec<Folder>, Error> {
        let rows = match all_visible(self).await? {
            Some(rows) => rows,
            None => level_by_level(self).await?,
        };
        let rows = rows
            .into_iter()
            .filter(|row| row.module != Module::Mail || is_in_primary_account(&row.id))
            .collect();
        let mut folders = without_unreadable(rows);
        self.mark_standard(&mut folders).await?;
        Ok(folders)
    }

    /// Old servers do not mark the default folders; the configuration names them.
    async fn mark_standard(&self, folders: &mut [Folder]) -> Result<(), Error> {
        let marked: HashSet<_> = folders.iter().filter_map(|folder| folder.standard).collect();
        let expected = [
            Standard::Calendar,
            Standard::Contacts,
            Standard::Tasks,
            Standard::Inbox,
            Standard::Sent,
            Standard::Trash,
        ];
        let modules: HashSet<_> = folders.iter().map(|folder| folder.module).collect();
        if expected
            .iter()
            .all(|standard| marked.contains(standard) || !modules.contains(&standard.module()))
        {
            return Ok(());
        }
        let settings = self.settings().await?;
        for folder in folders.iter_mut().filter(|folder| folder.standard.is_none()) {
            let named = Standard::ALL
                .into_iter()
                .find(|standard| settings.standard(*standard) == Some(folder.id.as_str()));
            folder.standard = named.filter(|standard| standard.module() == folder.module && !marked.contains(standard));
        }
        Ok(())
    }
}

/// One request for all modules; nothing on servers that do not know the action.
async fn all_visible(session: &Session) -> Result<Option<Vec<Folder>>, Error> {
    let refusals = session.ox().refusals();
    if refusals.has(Feature::AllVisible) {
        return Ok(None);
    }
    let calls = Module::ALL.map(|module| {
        Call::get("folders", "allVisible")
            .with("content_type", module.name())
            .with("tree", 0)
            .with("all", 1)
            .with_columns(COLUMNS)
    });
    let mut rows = Vec::new();
    for (module, outcome) in Module::ALL.into_iter().zip(multiple(session, &calls).await?) {
        match outcome {
            Ok(reply) => rows.extend(sections(module, reply)),
            Err(error) if error.kind == ErrorKind::Unsupported => {
                log::debug!("{error}; this server lists folders level by level");
                refusals.remember(Feature::AllVisible);
                return Ok(None);
            }
            // A module that the user may not use has no folders.
            Err(error) if matches!(error.kind, ErrorKind::PermissionDenied | ErrorKind::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(rows))
}

/// "`data: {"private":[rows],"public":[rows],"shared":[rows]}`; keys missing when empty".
fn sections(module: Module, reply: Reply) -> Vec<Folder> {
    let Value::Object(mut data) = reply.data else {
        return Vec::new();
    };
    let kinds = [
        ("private", FolderKind::Private),
        ("public", FolderKind::Public),
        ("shared", FolderKind::Shared),
    ];
    let mut rows = Vec::new();
    for (name, kind) in kinds {
        let section = data.remove(name).unwrap_or_default();
        rows.extend(objects(section).filter_map(|object| row(&object, module, kind)));
    }
    rows
}

/// The same where they have to be looked for.
async fn level_by_level(session: &Session) -> Result<Vec<Folder>, Error> {
    let found = tree::below(session, &ROOTS, "mail,calendar,contacts,tasks", COLUMNS).await?;
    let rows = found.into_iter().filter_map(|object| {
        let module = object.text(folders::MODULE).and_then(Module::from_name)?;
        row(&object, module, kind(&object))
    });
    Ok(rows.collect())
}

/// "Type: 1 private, 2 public, 3 shared"; mail folders give other numbers in places.
fn kind(object: &Object) -> FolderKind {
    match object.number(folders::TYPE) {
        Some(2) => FolderKind::Public,
        Some(3) => FolderKind::Shared,
        _ => FolderKind::Private,
    }
}

pub(super) fn objects(rows: Value) -> impl Iterator<Item = Object> {
    let rows = match rows {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    };
    items::objects(COLUMNS, rows)
}

fn row(object: &Object, module: Module, kind: FolderKind) -> Option<Folder> {
    let id = object.id(folders::ID)?;
    let standard = object
        .number(folders::STANDARD_FOLDER_TYPE)
        .and_then(Standard::from_type);
    let rights = object
        .number(folders::OWN_RIGHTS)
        .map(|bits| Rights(u32::try_from(bits).unwrap_or_default()));
    Some(Folder {
        parent: object.id(folders::FOLDER_ID).unwrap_or_default(),
        title: object.text(folders::TITLE).unwrap_or(&id).to_owned(),
        module,
        kind,
        // A folder that is another user's calendar is not this user's.
        standard: standard.filter(|standard| standard.module() == module && kind == FolderKind::Private),
        own_rights: rights.unwrap_or(Rights::EVERYTHING),
        subscribed: object.flag(folders::SUBSCRIBED).unwrap_or(true),
        is_global_address_book: module == Module::Contacts && id == GLOBAL_ADDRESS_BOOK,
        id,
    })
}

/// Whether a mail folder belongs to the primary account and is not its root. The rest of the id is opaque.
fn is_in_primary_account(id: &str) -> bool {
    mail_separator(id).is_some_and(|separator| !separator.is_alphanumeric())
}

/// Drops folders without readable items, such as mail folders that hold only folders. Their children move up.
fn without_unreadable(rows: Vec<Folder>) -> Vec<Folder> {
    let (mut kept, dropped): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.own_rights.can_read());
    let above: HashMap<_, _> = dropped.into_iter().map(|row| (row.id, row.parent)).collect();
    for folder in &mut kept {
        for _ in 0..MAX_DEPTH {
            match above.get(&folder.parent) {
                Some(parent) => folder.parent.clone_from(parent),
                None => break,
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;
    use crate::ox::testing::failure;

    const ALL: u32 = 403_710_016;

    fn visible(entry: &Value) -> Value {
        // Columns: id, parent, title, module, type, subfolders, own_rights, subscribed, standard_folder_type.
        let data = match entry["content_type"].as_str() {
            Some("mail") => json!({"private": [
                ["default0", "1", "E-Mail", "mail", 1, true, 1, true, 0],
                ["default0/INBOX", "default0", "Posteingang", "mail", 7, true, ALL, true, 7],
                ["default0/Lists", "default0", "Lists", "mail", 7, true, 4, true, 0],
                ["default0/Lists/rust", "default0/Lists", "rust", "mail", 7, false, ALL, false, 0],
                ["default0/Trash", "default0", "Papierkorb", "mail", 7, false, ALL, true, 12],
                ["default0/Sent", "default0", "Gesendet", "mail", 7, false, ALL, true, 10],
                ["default1/INBOX", "default1", "Other", "mail", 7, false, ALL, true, 7]]}),
            Some("contacts") => json!({
                "private": [["33", "1", "Kontakte", "contacts", 1, false, ALL, true, 3]],
                "public": [["6", "2", "Globales Adressbuch", "contacts", 2, false, 257, true, 0]]}),
            Some("calendar") => json!({
                "private": [[31, 1, "Kalender", "calendar", 1, false, ALL, true, 2]],
                "shared": [["57", "3", "Boss", "calendar", 3, false, 257, true, 2], ["58", "3", "Hidden", "calendar", 3, false, 1, true, 0]]}),
            _ => return envelope("FLD-0003", 3),
        };
        json!({"data": data, "timestamp": 1_700_000_000_500_i64})
    }

    fn summary(folders: &[Folder]) -> Vec<(&str, &str, FolderKind, Option<Standard>)> {
        let mut rows: Vec<_> = folders
            .iter()
            .map(|folder| (folder.id.as_str(), folder.parent.as_str(), folder.kind, folder.standard))
            .collect();
        rows.sort_by_key(|row| row.0);
        rows
    }

    #[tokio::test]
    async fn one_request_lists_all_modules() {
        let (server, session) = Server::with_session(|request| each(request, visible)).await;
        let folders = session.folders().await.unwrap();
        assert_eq!(
            summary(&folders),
            [
                ("31", "1", FolderKind::Private, Some(Standard::Calendar)),
                ("33", "1", FolderKind::Private, Some(Standard::Contacts)),
                ("57", "3", FolderKind::Shared, None),
                ("6", "2", FolderKind::Public, None),
                ("default0/INBOX", "default0", FolderKind::Private, Some(Standard::Inbox)),
                // "Lists" holds no mails.
                ("default0/Lists/rust", "default0", FolderKind::Private, None),
                ("default0/Sent", "default0", FolderKind::Private, Some(Standard::Sent)),
                ("default0/Trash", "default0", FolderKind::Private, Some(Standard::Trash)),
            ]
        );
        let book = folders.iter().find(|folder| folder.id == "6").unwrap();
        assert!(book.is_global_address_book && book.own_rights.can_read_all() && !book.own_rights.can_create());
        assert!(!folders.iter().find(|folder| folder.title == "rust").unwrap().subscribed);
        let request = server.only();
        assert_eq!(request.json().as_array().unwrap().len(), 4);
        assert_eq!(request.json()[0]["columns"], "1,20,300,301,302,304,305,314,316");
    }

    /// A server before 6.18.2, which does not mark default folders either.
    fn old_server(request: &Request) -> Response {
        match request.name().as_str() {
            "multiple" => each(request, |entry| {
                let rows = match (entry["action"].as_str(), entry["parent"].as_str()) {
                    (Some("allVisible"), _) => return envelope("SVL-0001", 8),
                    (_, Some("1")) => json!([
                        [31, 1, "Kalender", "calendar", 1, true, ALL, true, null],
                        ["default0", 1, "E-Mail", "mail", 7, true, 1, true, null]
                    ]),
                    (_, Some("3")) => json!([["u:5", 3, "Boss", "system", 5, true, 1, true, null]]),
                    (_, Some("u:5")) => json!([[57, "u:5", "Boss", "calendar", 3, false, 257, true, null]]),
                    (_, Some("31")) => json!([
                        [40, 31, "Projekt", "calendar", 1, false, ALL, true, null],
                        [31, 40, "a loop", "calendar", 1, true, ALL, true, null]
                    ]),
                    (_, Some("default0")) => json!([[
                        "default0/INBOX",
                        "default0",
                        "Posteingang",
                        "mail",
                        7,
                        false,
                        ALL,
                        true,
                        null
                    ]]),
                    (_, Some("2")) => return envelope("FLD-0003", 3),
                    other => panic!("{other:?}"),
                };
                json!({"data": rows})
            }),
            "config/folder" => data(json!({"calendar": 31})),
            "config/mail" => data(json!({"addresses": [], "folder": {"inbox": "default0/INBOX"}})),
            _ => failure("SVL-0001", 8),
        }
    }

    #[tokio::test]
    async fn old_servers_list_level_by_level() {
        let (server, session) = Server::with_session(old_server).await;
        let folders = session.folders().await.unwrap();
        let asked = |requests: Vec<Request>| {
            let bodies = requests.into_iter().filter(|request| request.module == "multiple");
            bodies.filter(|request| request.body.contains("allVisible")).count()
        };
        assert_eq!(asked(server.requests()), 1);
        server.forget();
        assert_eq!(session.folders().await.unwrap(), folders);
        assert_eq!(asked(server.requests()), 0, "what it refused is not asked again");
        assert_eq!(
            summary(&folders),
            [
                ("31", "1", FolderKind::Private, Some(Standard::Calendar)),
                ("40", "31", FolderKind::Private, None),
                ("57", "u:5", FolderKind::Shared, None),
                ("default0/INBOX", "default0", FolderKind::Private, Some(Standard::Inbox)),
            ]
        );
    }

    #[tokio::test]
    async fn trouble_with_one_module_is_no_empty_list() {
        let (_server, session) = Server::with_session(|request| {
            each(request, |entry| match entry["content_type"].as_str() {
                Some("tasks") => envelope("OX-9999", 6),
                _ => visible(entry),
            })
        })
        .await;
        assert_eq!(session.folders().await.unwrap_err().kind, ErrorKind::Temporary);
    }

    #[test]
    fn rights_are_levels() {
        // Bits; read, read all, create, write, delete.
        let cases = [
            (403_710_016, [true, true, true, true, true]),
            (135_274_560, [true, true, true, true, true]),
            (257, [true, true, false, false, false]),
            (2_113_794 + (1 << 14), [true, true, true, true, true]),
            (1, [false, false, false, false, false]),
            (129, [true, false, false, false, false]),
            (0, [false; 5]),
        ];
        for (bits, expected) in cases {
            let rights = Rights(bits);
            let found = [
                rights.can_read(),
                rights.can_read_all(),
                rights.can_create(),
                rights.can_write(),
                rights.can_delete(),
            ];
            assert_eq!(found, expected, "{bits}");
        }
    }

    #[test]
    fn other_accounts_are_not_the_primary_one() {
        for (id, is_primary) in [
            ("default0/INBOX", true),
            ("default0.INBOX", true),
            ("default0", false),
            ("default01/x", false),
            ("default1/INBOX", false),
        ] {
            assert_eq!(is_in_primary_account(id), is_primary, "{id}");
        }
    }
}
