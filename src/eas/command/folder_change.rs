//! FolderCreate, FolderUpdate and FolderDelete: a device changes the tree of folders.
//!
//! Each change that OX confirmed is noted, so that a repeated request is answered and not carried out again; and the state
//! behind the next key has it, so that no FolderSync tells the device what it did itself. A mail folder gets a new id at OX
//! when it is renamed or moved, and so do those below it; the device's ids stay. Implements [MS-ASCMD] FolderCreate,
//! FolderUpdate and FolderDelete.

use std::collections::BTreeSet;

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::folder_sync;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::ErrorKind;
use crate::ox::MAIL_ROOT;
use crate::ox::Module;
use crate::usm::collection;
use crate::usm::hierarchy::Folder;
use crate::usm::hierarchy::Own;
use crate::usm::journal::Fingerprint;
use crate::usm::journal::fingerprint;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::folderhierarchy as tag;

const SUCCESS: i64 = 1;
/// FolderCreate and FolderUpdate: the name is taken. FolderUpdate: the folder has a special part.
const EXISTS: i64 = 2;
/// FolderCreate: nothing can be made there. FolderDelete: the folder has a special part. All: it is the recipient
/// information cache.
const SPECIAL: i64 = 3;
const NOT_FOUND: i64 = 4;
const PARENT_NOT_FOUND: i64 = 5;
const INVALID_SYNC_KEY: i64 = 9;
const MALFORMED: i64 = 10;

/// [MS-ASCMD] DisplayName (FolderCreate), in characters.
pub(super) const LONGEST_NAME: usize = 256;

/// The recipient information cache, of which nothing can be made or changed.
const RECIPIENT_CACHE: &str = "RI";

/// The parent of the user's own folders of all modules but mail.
const PRIVATE_ROOT: &str = "1";

/// The journal that remembers what was done to folders.
const JOURNAL: &str = "folders";

/// An outcome in it, before the old id of the folder: OX, or the way to it, failed, and nobody knows whether it was done.
const UNCERTAIN: &str = "?";

/// [MS-ASCMD] Type (FolderCreate): those that OX has, and what they hold. A generic folder is one for mail.
const TYPES: [(&str, Module); 5] = [
    ("1", Module::Mail),
    ("12", Module::Mail),
    ("13", Module::Calendar),
    ("14", Module::Contacts),
    ("15", Module::Tasks),
];

/// What was done, or the Status that says why not.
type Outcome<T> = Result<Result<T, i64>, Error>;

pub(super) async fn create(call: &Call<'_>) -> Result<Reply, Error> {
    let outcome = try_create(call, call.root()?).await?;
    let answer = outcome.map(|(key, id)| (key, Some(id)));
    Ok(answered(tag::FOLDER_CREATE, answer))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Reply, Error> {
    let outcome = try_update(call, call.root()?).await?;
    Ok(answered(tag::FOLDER_UPDATE, outcome.map(|key| (key, None))))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Reply, Error> {
    let outcome = try_delete(call, call.root()?).await?;
    Ok(answered(tag::FOLDER_DELETE, outcome.map(|key| (key, None))))
}

fn answered(root: Tag, outcome: Result<(u64, Option<u32>), i64>) -> Reply {
    let children = match outcome {
        Err(status) => vec![Element::number(tag::STATUS, status)],
        Ok((key, id)) => {
            let mut children = vec![
                Element::number(tag::STATUS, SUCCESS),
                Element::text(tag::SYNC_KEY, key.to_string()),
            ];
            children.extend(id.map(|id| Element::text(tag::SERVER_ID, id.to_string())));
            children
        }
    };
    Reply::Document(Element::parent(root, children))
}

async fn try_create(call: &Call<'_>, root: &Element) -> Outcome<(u64, u32)> {
    let (key, operation) = match begin(call, root).await? {
        Ok(begun) => begun,
        Err(status) => return Ok(Err(status)),
    };
    let kind = text(root, tag::TYPE).unwrap_or_default();
    let module = TYPES
        .iter()
        .find(|(known, _)| *known == kind)
        .map(|(_, module)| *module);
    let (Some(module), Some(title), Some(parent_id)) = (module, name(root), text(root, tag::PARENT_ID)) else {
        return Ok(Err(MALFORMED));
    };
    let tree = Tree::load(call).await?;
    let parent = match tree.parent(parent_id, module) {
        Ok(parent) => parent,
        Err(status) => return Ok(Err(status)),
    };
    let noted = noted(call, &operation).await?;
    let folder = match (noted.as_deref(), tree.named(parent.id, module, title)) {
        (Some(UNCERTAIN), Some(made)) => made.folder.id.clone(),
        (Some(made), _) if made != UNCERTAIN => made.to_owned(),
        _ if tree.is_taken(parent.id, title, None) => return Ok(Err(EXISTS)),
        _ => match call.device.ox.create_folder(module, &parent.folder, title).await {
            Ok(made) => made,
            Err(error) => return refused(call, &operation, error, "", PARENT_NOT_FOUND, SPECIAL).await,
        },
    };
    let id = call.hierarchy().assign(module, &folder).await?;
    // Made by a request that broke off, and since then taken for another folder by its new name: FolderSync says so.
    if noted.as_deref() == Some(UNCERTAIN) && call.hierarchy().has(key, id).await? {
        return Ok(Err(EXISTS));
    }
    remember(call, &operation, &folder).await?;
    // What a device made is chosen with that.
    folder_sync::select(call, &[folder]).await?;
    let own = Own::Written {
        id,
        parent: parent.id,
        title: title.to_owned(),
    };
    Ok(Ok((call.hierarchy().adopt(key, &own).await?, id)))
}

async fn try_update(call: &Call<'_>, root: &Element) -> Outcome<u64> {
    let (key, operation) = match begin(call, root).await? {
        Ok(begun) => begun,
        Err(status) => return Ok(Err(status)),
    };
    let (Some(id), Some(title), Some(parent_id)) = (id(root), name(root), text(root, tag::PARENT_ID)) else {
        return Ok(Err(MALFORMED));
    };
    let tree = Tree::load(call).await?;
    // What was done before has the old and the new id of the folder, a line each.
    let noted = noted(call, &operation).await?.unwrap_or_default();
    let (old, new, parent_id) = match noted.split_once('\n') {
        Some((old, new)) => (old.to_owned(), new.to_owned(), parent_id.parse().unwrap_or(0)),
        None => {
            let uncertain = noted.strip_prefix(UNCERTAIN);
            let Some(done) = try_change(call, &tree, id, parent_id, title, uncertain).await? else {
                return Ok(Err(NOT_FOUND));
            };
            match done {
                Changed::Done { old, new, parent } => (old, new, parent),
                Changed::Refused(status) => return Ok(Err(status)),
                Changed::Failed { old, error } => {
                    return refused(call, &operation, error, &old, NOT_FOUND, EXISTS).await;
                }
            }
        }
    };
    remember(call, &operation, &format!("{old}\n{new}")).await?;
    let renamed = call.hierarchy().renamed(id, &old, &new).await?;
    if old != new {
        let offered = renamed.iter().filter(|(old, _)| tree.has(old));
        let mut offered: BTreeSet<String> = offered.map(|(_, new)| new.clone()).collect();
        offered.insert(new);
        folder_sync::select(call, &offered.into_iter().collect::<Vec<_>>()).await?;
    }
    let own = Own::Written {
        id,
        parent: parent_id,
        title: title.to_owned(),
    };
    Ok(Ok(call.hierarchy().adopt(key, &own).await?))
}

/// What came of renaming or moving a folder.
enum Changed {
    /// Its ids at OX, and its parent for the device.
    Done {
        old: String,
        new: String,
        parent: u32,
    },
    Refused(i64),
    Failed {
        old: String,
        error: ox::Error,
    },
}

/// Checks and carries out; `None` if there is no such folder. `uncertain` is the old id at OX, if this was tried before and
/// nobody knows what came of it: then the folder may be where it should be already.
async fn try_change(
    call: &Call<'_>,
    tree: &Tree,
    id: u32,
    parent_id: &str,
    title: &str,
    uncertain: Option<&str>,
) -> Result<Option<Changed>, Error> {
    let Some(folder) = tree.find(id) else {
        let Some(old) = uncertain else { return Ok(None) };
        let parent = parent_id.parse().unwrap_or(0);
        let done = tree.named(parent, Module::Mail, title).map(|folder| Changed::Done {
            old: old.to_owned(),
            new: folder.folder.id.clone(),
            parent,
        });
        return Ok(done);
    };
    let module = folder.folder.module;
    if folder.folder.standard.is_some() {
        return Ok(Some(Changed::Refused(EXISTS)));
    }
    let parent = match tree.parent(parent_id, module) {
        Ok(parent) => parent,
        Err(status) => return Ok(Some(Changed::Refused(status))),
    };
    if tree.is_taken(parent.id, title, Some(id)) {
        return Ok(Some(Changed::Refused(EXISTS)));
    }
    let old = folder.folder.id.clone();
    Ok(Some(match change(call, folder, &parent, title).await {
        Ok(new) => Changed::Done {
            old,
            new,
            parent: parent.id,
        },
        Err(error) => Changed::Failed { old, error },
    }))
}

/// Renames a folder, moves it, or both, as far as anything is to be changed. Its id at OX afterwards.
async fn change(call: &Call<'_>, folder: &Folder, parent: &Parent, title: &str) -> Result<String, ox::Error> {
    let ox = &call.device.ox;
    let id = &folder.folder.id;
    match (folder.parent == parent.id, folder.folder.title == title) {
        (true, true) => Ok(id.clone()),
        (true, false) => ox.rename_folder(id, title).await,
        (false, true) => ox.move_folder(id, &parent.folder).await,
        (false, false) => ox.change_folder(id, &parent.folder, title).await,
    }
}

async fn try_delete(call: &Call<'_>, root: &Element) -> Outcome<u64> {
    let (key, operation) = match begin(call, root).await? {
        Ok(begun) => begun,
        Err(status) => return Ok(Err(status)),
    };
    let Some(id) = id(root) else {
        return Ok(Err(MALFORMED));
    };
    if !is_done(noted(call, &operation).await?) {
        let tree = Tree::load(call).await?;
        let Some(folder) = tree.find(id) else {
            return Ok(Err(NOT_FOUND));
        };
        let special = |id: &u32| tree.find(*id).is_some_and(|folder| folder.folder.standard.is_some());
        if tree.below(id).iter().any(special) {
            return Ok(Err(SPECIAL));
        }
        if let Err(error) = call.device.ox.delete_folder(&folder.folder.id).await {
            return refused(call, &operation, error, "", NOT_FOUND, SPECIAL).await;
        }
    }
    remember(call, &operation, &id.to_string()).await?;
    Ok(Ok(call.hierarchy().adopt(key, &Own::Deleted(id)).await?))
}

/// Whether what was noted of a request says that OX has carried it out.
fn is_done(noted: Option<String>) -> bool {
    noted.is_some_and(|noted| noted != UNCERTAIN)
}

/// The key, which must be one of the hierarchy, and what the request is noted under: everything that it says.
async fn begin(call: &Call<'_>, root: &Element) -> Outcome<(u64, Fingerprint)> {
    let Some(key) = text(root, tag::SYNC_KEY) else {
        return Ok(Err(MALFORMED));
    };
    let Ok(key) = key.parse() else {
        return Ok(Err(INVALID_SYNC_KEY));
    };
    match call.hierarchy().knows(key).await {
        Ok(()) => {}
        Err(collection::Error::UnknownKey) => return Ok(Err(INVALID_SYNC_KEY)),
        Err(error) => return Err(error.into()),
    }
    // A Status belongs into the answer.
    if root.child(tag::STATUS).is_some() {
        return Ok(Err(MALFORMED));
    }
    if text(root, tag::SERVER_ID) == Some(RECIPIENT_CACHE) {
        return Ok(Err(SPECIAL));
    }
    let all = [tag::SERVER_ID, tag::PARENT_ID, tag::DISPLAY_NAME, tag::TYPE];
    let said: Vec<&str> = all.iter().map(|tag| text(root, *tag).unwrap_or_default()).collect();
    let operation = format!("{}\n{key}\n{}", root.tag.name(), said.join("\n"));
    Ok(Ok((key, fingerprint(operation.as_bytes()))))
}

async fn remember(call: &Call<'_>, operation: &Fingerprint, outcome: &str) -> Result<(), Error> {
    Ok(call
        .device
        .note(JOURNAL, operation, outcome.as_bytes(), call.now)
        .await?)
}

async fn noted(call: &Call<'_>, operation: &Fingerprint) -> Result<Option<String>, Error> {
    let noted = call.device.noted(JOURNAL, operation).await?;
    Ok(noted.map(|outcome| String::from_utf8_lossy(&outcome).into_owned()))
}

/// The Status for what OX refused; an error where OX itself is in trouble, which may have done it all the same.
async fn refused<T>(
    call: &Call<'_>,
    operation: &Fingerprint,
    error: ox::Error,
    old: &str,
    not_found: i64,
    denied: i64,
) -> Outcome<T> {
    if !error.is_about_the_item() {
        remember(call, operation, &format!("{UNCERTAIN}{old}")).await?;
        return Err(error.into());
    }
    log::warn!("{}: OX does not change a folder: {error}", call.device_label());
    Ok(Err(match error.kind {
        ErrorKind::Exists => EXISTS,
        ErrorKind::NotFound => not_found,
        ErrorKind::PermissionDenied => denied,
        ErrorKind::Invalid | ErrorKind::Truncated => MALFORMED,
        _ => return Err(error.into()),
    }))
}

/// The text of a child that is there and not empty.
fn text(root: &Element, tag: Tag) -> Option<&str> {
    root.child_text(tag).map(str::trim).filter(|text| !text.is_empty())
}

fn name(root: &Element) -> Option<&str> {
    text(root, tag::DISPLAY_NAME).filter(|name| name.chars().count() <= LONGEST_NAME)
}

/// The id of the folder that is changed. One that cannot be ours is that of no folder.
fn id(root: &Element) -> Option<u32> {
    Some(text(root, tag::SERVER_ID)?.parse().unwrap_or(0))
}

/// The folders as the device may know them.
struct Tree(Vec<Folder>);

/// Where a folder is made or moved to.
struct Parent {
    /// For the device; 0 is the root.
    id: u32,
    /// At OX.
    folder: String,
}

impl Tree {
    async fn load(call: &Call<'_>) -> Result<Self, Error> {
        let offered = folder_sync::offered(call).await?;
        Ok(Self(call.hierarchy().numbered(&offered).await?))
    }

    fn find(&self, id: u32) -> Option<&Folder> {
        self.0.iter().find(|folder| folder.id == id)
    }

    /// Whether a mail folder is among them, by its id at OX.
    fn has(&self, folder: &str) -> bool {
        let mut mails = self.0.iter().filter(|folder| folder.folder.module == Module::Mail);
        mails.any(|mail| mail.folder.id == folder)
    }

    /// The folder that a ParentId names, if what the module has can lie there.
    fn parent(&self, parent_id: &str, module: Module) -> Result<Parent, i64> {
        if parent_id == RECIPIENT_CACHE {
            return Err(SPECIAL);
        }
        let id = parent_id.parse().map_err(|_| PARENT_NOT_FOUND)?;
        if id == 0 {
            let root = if module == Module::Mail {
                MAIL_ROOT
            } else {
                PRIVATE_ROOT
            };
            return Ok(Parent {
                id,
                folder: root.to_owned(),
            });
        }
        let parent = self.find(id).ok_or(PARENT_NOT_FOUND)?;
        match parent.folder.module == module {
            true => Ok(Parent {
                id,
                folder: parent.folder.id.clone(),
            }),
            false => Err(SPECIAL),
        }
    }

    /// Whether another folder has that name there, whatever it holds.
    fn is_taken(&self, parent: u32, title: &str, but: Option<u32>) -> bool {
        self.0
            .iter()
            .any(|folder| folder.parent == parent && folder.folder.title == title && Some(folder.id) != but)
    }

    fn named(&self, parent: u32, module: Module, title: &str) -> Option<&Folder> {
        self.0
            .iter()
            .find(|folder| folder.parent == parent && folder.folder.module == module && folder.folder.title == title)
    }

    /// A folder and all below it: parents come before their children.
    fn below(&self, id: u32) -> Vec<u32> {
        let mut found = vec![id];
        for folder in &self.0 {
            if found.contains(&folder.parent) && !found.contains(&folder.id) {
                found.push(folder.id);
            }
        }
        found
    }
}
