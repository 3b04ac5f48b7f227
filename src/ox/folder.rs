//! The folders a user sees, and their making, renaming, moving and deleting.
//!
//! Always in tree 0, whose parents are the real ones. Implements the API documentation, "Module folders" and "Detailed
//! folder data".

use std::collections::HashMap;
use std::collections::HashSet;

use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::folders;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::error::category;
use crate::ox::error::classify;
use crate::ox::module::Module;
use crate::ox::module::Standard;
use crate::ox::multiple::multiple;
use crate::ox::reply::Reply;
use crate::ox::session::Session;

/// The root of the primary mail account. Other accounts are not synced: their roots are called `default1` and so on.
pub const MAIL_ROOT: &str = "default0";
/// The folder of all users of the context. "System folders: ids are the same in each context".
const GLOBAL_ADDRESS_BOOK: &str = "6";
/// The parents of private, public and shared folders.
const GROUPWARE_ROOTS: [&str; 3] = ["1", "2", "3"];
/// How deep folders are followed on servers that list them level by level.
const MAX_DEPTH: usize = 32;
/// A timestamp later than any change: the write takes place whatever happened since.
pub(super) const FAR_FUTURE: i64 = 1 << 53;

const COLUMNS: &[ColumnName] = &[
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

    /// Makes a folder and returns its id.
    pub async fn create_folder(&self, module: Module, parent: &str, title: &str) -> Result<String, Error> {
        let call = Call::put("folders", "new", json!({"title": title, "module": module.name()}))
            .with("folder_id", parent)
            .with("tree", 0);
        let reply = self.call(&call).await?;
        id(&reply.data).ok_or_else(|| {
            Error::new(
                ErrorKind::Garbled,
                self.describe(&call),
                "OX did not name the new folder",
            )
        })
    }

    /// Renames a folder and returns its id, which is a new one for a mail folder.
    pub async fn rename_folder(&self, folder: &str, title: &str) -> Result<String, Error> {
        self.update_folder(folder, json!({"title": title})).await
    }

    /// Moves a folder below another one and returns its id, which is a new one for a mail folder.
    pub async fn move_folder(&self, folder: &str, parent: &str) -> Result<String, Error> {
        self.update_folder(folder, json!({"folder_id": parent})).await
    }

    /// Renames and moves a folder in one step.
    pub async fn change_folder(&self, folder: &str, parent: &str, title: &str) -> Result<String, Error> {
        self.update_folder(folder, json!({"folder_id": parent, "title": title}))
            .await
    }

    async fn update_folder(&self, folder: &str, change: Value) -> Result<String, Error> {
        let call = Call::put("folders", "update", change)
            .with("id", folder)
            .with("tree", 0)
            .with("timestamp", FAR_FUTURE);
        let reply = self.call(&call).await?;
        Ok(id(&reply.data).unwrap_or_else(|| folder.to_owned()))
    }

    /// Deletes a folder with all that is in it; a mail folder goes to the trash first. One that is gone already is deleted.
    pub async fn delete_folder(&self, folder: &str) -> Result<(), Error> {
        let call = Call::put("folders", "delete", json!([folder]))
            .with("tree", 0)
            .with("timestamp", FAR_FUTURE);
        let reply = match self.call(&call).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            reply => reply?,
        };
        refused(&reply, folder, &self.describe(&call))
    }
}

/// "`data`: array of ids that were not deleted"; the reason stands among the warnings.
fn refused(reply: &Reply, folder: &str, call: &str) -> Result<(), Error> {
    let left = reply.data.as_array().into_iter().flatten().filter_map(id);
    if !left.into_iter().any(|left| left == folder) {
        return Ok(());
    }
    let Some(warning) = reply.warnings.first() else {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            call,
            "OX did not delete the folder",
        ));
    };
    let category = warning.category.filter(|category| *category != category::WARNING);
    match classify(&warning.code, category.or(Some(category::PERMISSION_DENIED))) {
        ErrorKind::NotFound => Ok(()),
        kind => Err(Error::new(kind, call, &warning.text).with_code(&warning.code)),
    }
}

/// One request for all modules; nothing on servers that do not know the action.
async fn all_visible(session: &Session) -> Result<Option<Vec<Folder>>, Error> {
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
            Err(error) if error.kind == ErrorKind::Unsupported => return Ok(None),
            // A module that the user may not use has no folders.
            Err(error) if error.kind == ErrorKind::PermissionDenied => {}
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

/// Children of children, one request a level.
async fn level_by_level(session: &Session) -> Result<Vec<Folder>, Error> {
    let mut parents: Vec<String> = GROUPWARE_ROOTS
        .into_iter()
        .chain([MAIL_ROOT])
        .map(str::to_owned)
        .collect();
    let mut seen: HashSet<String> = parents.iter().cloned().collect();
    let mut rows = Vec::new();
    for _ in 0..MAX_DEPTH {
        if parents.is_empty() {
            break;
        }
        let calls: Vec<_> = parents.iter().map(|parent| children(parent)).collect();
        let mut next = Vec::new();
        for outcome in multiple(session, &calls).await? {
            let reply = match outcome {
                Ok(reply) => reply,
                Err(error) if matches!(error.kind, ErrorKind::PermissionDenied | ErrorKind::NotFound) => continue,
                Err(error) => return Err(error),
            };
            for object in objects(reply.data) {
                let Some(id) = object.id(folders::ID).filter(|id| seen.insert(id.clone())) else {
                    continue;
                };
                if object.flag(folders::SUBFOLDERS) != Some(false) {
                    next.push(id);
                }
                let module = object.text(folders::MODULE).and_then(Module::from_name);
                rows.extend(module.and_then(|module| row(&object, module, kind(&object))));
            }
        }
        parents = next;
    }
    Ok(rows)
}

fn children(parent: &str) -> Call {
    Call::get("folders", "list")
        .with("parent", parent)
        .with("tree", 0)
        .with("all", 1)
        .with("allowed_modules", "mail,calendar,contacts,tasks")
        .with_columns(COLUMNS)
}

/// "Type: 1 private, 2 public, 3 shared"; mail folders give other numbers in places.
fn kind(object: &Object) -> FolderKind {
    match object.number(folders::TYPE) {
        Some(2) => FolderKind::Public,
        Some(3) => FolderKind::Shared,
        _ => FolderKind::Private,
    }
}

fn objects(rows: Value) -> impl Iterator<Item = Object> {
    let rows = match rows {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    };
    rows.into_iter().filter_map(|row| match row {
        Value::Array(row) => Some(Object::from_row(COLUMNS, row)),
        _ => None,
    })
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
    let rest = id.strip_prefix(MAIL_ROOT).and_then(|rest| rest.chars().next());
    rest.is_some_and(|separator| !separator.is_alphanumeric())
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

fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => object.get("id").and_then(id),
        _ => None,
    }
}
