//! FolderSync: the tree of folders, whole or what changed in it.
//!
//! Implements [MS-ASCMD] FolderSync. Which OX folders a device is offered, and as which type, is decided here.

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Module;
use crate::ox::Standard;
use crate::usm::collection;
use crate::usm::hierarchy::Changes;
use crate::usm::hierarchy::Folder;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::folderhierarchy as tag;

/// Status 9: the key is not known; the device starts anew.
const INVALID_SYNC_KEY: i64 = 9;

/// Status 10: the request lacks its key.
const MALFORMED: i64 = 10;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let key = call.root()?.child_text(tag::SYNC_KEY).map(str::trim);
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Ok(refused(MALFORMED));
    };
    let folders = offered(call).await?;
    let changes = match key {
        "0" => call.hierarchy().reset(&folders, call.now).await,
        key => match key.parse() {
            Ok(key) => call.hierarchy().sync(key, &folders).await,
            Err(_) => Err(collection::Error::UnknownKey),
        },
    };
    match changes {
        Ok(changes) => Ok(Reply::Document(answer(&changes))),
        Err(collection::Error::UnknownKey) => Ok(refused(INVALID_SYNC_KEY)),
        Err(error) => Err(error.into()),
    }
}

/// The folders a device gets: those whose items the user may read, or those of them that he chose, if he can. The global
/// address book is for searching.
pub(super) async fn offered(call: &Call<'_>) -> Result<Vec<ox::Folder>, Error> {
    let mut folders = call.device.ox.folders().await?;
    folders.retain(|folder| folder.own_rights.can_read() && !folder.is_global_address_book);
    if call.services.folder_selection {
        let selected = call.device.ox.selected_folders().await?;
        folders.retain(|folder| selected.contains(&folder.id));
    }
    Ok(folders)
}

fn refused(status: i64) -> Reply {
    Reply::Document(Element::parent(
        tag::FOLDER_SYNC,
        [Element::number(tag::STATUS, status)],
    ))
}

fn answer(changes: &Changes) -> Element {
    let count = changes.added.len() + changes.changed.len() + changes.deleted.len();
    let mut list = vec![Element::text(tag::COUNT, count.to_string())];
    list.extend(changes.changed.iter().map(|folder| described(tag::UPDATE, folder)));
    list.extend(
        changes
            .deleted
            .iter()
            .map(|id| Element::parent(tag::DELETE, [Element::text(tag::SERVER_ID, id.to_string())])),
    );
    list.extend(changes.added.iter().map(|folder| described(tag::ADD, folder)));
    Element::parent(
        tag::FOLDER_SYNC,
        [
            Element::number(tag::STATUS, 1),
            Element::text(tag::SYNC_KEY, changes.key.to_string()),
            Element::parent(tag::CHANGES, list),
        ],
    )
}

fn described(tag: Tag, folder: &Folder) -> Element {
    Element::parent(
        tag,
        [
            Element::text(tag::SERVER_ID, folder.id.to_string()),
            Element::text(tag::PARENT_ID, folder.parent.to_string()),
            Element::text(tag::DISPLAY_NAME, folder.folder.title.clone()),
            Element::number(tag::TYPE, folder_type(&folder.folder)),
        ],
    )
}

/// [MS-ASCMD] Type (FolderSync): 2 to 11 are default folders, of which there is one each.
pub(super) fn folder_type(folder: &ox::Folder) -> i64 {
    match (folder.standard, folder.module) {
        (Some(Standard::Inbox), _) => 2,
        (Some(Standard::Drafts), _) => 3,
        (Some(Standard::Trash), _) => 4,
        (Some(Standard::Sent), _) => 5,
        (Some(Standard::Tasks), _) => 7,
        (Some(Standard::Calendar), _) => 8,
        (Some(Standard::Contacts), _) => 9,
        (_, Module::Mail) => 12,
        (_, Module::Calendar) => 13,
        (_, Module::Contacts) => 14,
        (_, Module::Tasks) => 15,
    }
}
