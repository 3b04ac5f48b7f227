//! FolderSync: the tree of folders, whole or what changed in it.
//!
//! Implements [MS-ASCMD] FolderSync. Which OX folders a device is offered, and as which type, is decided here.

use std::collections::HashSet;

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Module;
use crate::ox::Standard;
use crate::quirk::Bend;
use crate::quirk::Quirks;
use crate::session::Device;
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
    if changes.is_ok() && call.device.recall(UNKNOWN).is_some() {
        call.device.keep(UNKNOWN, vec![0]);
    }
    match changes {
        Ok(changes) if goes_in_circles(call.device, &changes) => Ok(refused(INVALID_SYNC_KEY)),
        Ok(changes) if key == "0" => Ok(Reply::Beginning(answer(&changes))),
        Ok(changes) => Ok(Reply::Document(answer(&changes))),
        Err(collection::Error::UnknownKey) => start_anew(call, &folders).await,
        Err(error) => Err(error.into()),
    }
}

/// Device memory: how often in a row its key was not known.
const UNKNOWN: &str = "tree.unknown";

/// A device that was told so often to start anew, and did not, does not know how.
const DEAF: u8 = 2;

/// Tells a device whose key is not known to start anew; one that does not listen is given the whole tree as if it had.
async fn start_anew(call: &Call<'_>, folders: &[ox::Folder]) -> Result<Reply, Error> {
    let told = counted(call.device, UNKNOWN);
    if told < DEAF {
        call.device.keep(UNKNOWN, vec![told + 1]);
        return Ok(refused(INVALID_SYNC_KEY));
    }
    log::warn!(
        "{}: does not start anew when it is told to, and gets the whole tree",
        call.device_label()
    );
    call.device.keep(UNKNOWN, vec![0]);
    let changes = call.hierarchy().reset(folders, call.now).await?;
    Ok(Reply::Beginning(answer(&changes)))
}

/// Device memory: how often Sync sent the device here since the tree last changed for it.
const ROUNDS: &str = "tree.rounds";

/// So many rounds without a change are a circle: the device holds on to a folder that it should not have.
const CIRCLE: u8 = 2;

/// What is kept when the device was told to start anew. Once is enough: if it did not help, it would not help again.
const TOLD: u8 = u8::MAX;

/// Sync sends the device here, because a folder is not there.
pub(super) fn sent_here(device: &Device) {
    let rounds = rounds(device);
    if rounds < CIRCLE {
        device.keep(ROUNDS, vec![rounds + 1]);
    }
}

/// Whether the device keeps coming from Sync and finds nothing changed.
fn goes_in_circles(device: &Device, changes: &Changes) -> bool {
    let rounds = rounds(device);
    let is_fruitless = changes.added.is_empty() && changes.changed.is_empty() && changes.deleted.is_empty();
    match (rounds, is_fruitless) {
        (CIRCLE, true) => {
            device.keep(ROUNDS, vec![TOLD]);
            true
        }
        (1..=CIRCLE, false) => {
            device.keep(ROUNDS, vec![0]);
            false
        }
        _ => false,
    }
}

fn rounds(device: &Device) -> u8 {
    counted(device, ROUNDS)
}

fn counted(device: &Device, name: &'static str) -> u8 {
    let kept = device.recall(name);
    kept.and_then(|kept| kept.first().copied()).unwrap_or(0)
}

/// The answer to a device that nobody will know again.
pub(super) fn empty_tree() -> Reply {
    let changes = Changes {
        key: 1,
        ..Changes::default()
    };
    Reply::Document(answer(&changes))
}

/// The folders a device gets: those whose items the user may read, or of them the default folders and those that he chose, if
/// he can. The global address book is for searching.
pub(super) async fn offered(call: &Call<'_>) -> Result<Vec<ox::Folder>, Error> {
    let mut folders = call.device.ox.folders().await?;
    let session = &call.device.ox;
    let mut chosen = match call.services.folder_selection {
        true => session.selected_folders().await?,
        false => None,
    };
    let renamed = call
        .hierarchy()
        .renamed_at_ox(session, &folders, chosen.as_ref())
        .await?;
    if let Some(chosen) = &mut chosen {
        choose_anew(call, &renamed, chosen).await?;
    }
    call.hierarchy().follow(&renamed).await?;
    folders.retain(|folder| {
        folder.own_rights.can_read() && !folder.is_global_address_book && !is_surplus(folder, call.quirks)
    });
    if let Some(chosen) = chosen {
        folders.retain(|folder| folder.standard.is_some() || chosen.contains(&folder.id));
    }
    Ok(folders)
}

/// What a device has was chosen; and no document says whether OX keeps a choice under the new id of a mail folder. Where it
/// does not, the folder is chosen anew. That comes before the device's id follows, so that a gateway that dies in between does
/// both again.
async fn choose_anew(call: &Call<'_>, renamed: &[(String, String)], chosen: &mut HashSet<String>) -> Result<(), Error> {
    let new = renamed.iter().map(|(_, new)| new);
    let lost: Vec<String> = new.filter(|folder| !chosen.contains(*folder)).cloned().collect();
    if select(call, &lost).await? {
        chosen.extend(lost);
    }
    Ok(())
}

/// Chooses folders for the user's devices, where he has a choice; `false` where OX does not let us.
pub(super) async fn select(call: &Call<'_>, folders: &[String]) -> Result<bool, Error> {
    if folders.is_empty() || !call.services.folder_selection {
        return Ok(true);
    }
    match call.device.ox.select_folders(folders).await {
        Err(error) if error.is_about_the_item() => {
            let label = call.device_label();
            log::warn!(
                "{label}: OX does not put {folders:?} among the folders for devices, which will lose them: {error}"
            );
            Ok(false)
        }
        selected => Ok(selected.map(|()| true)?),
    }
}

/// Of some kinds some devices take the default folder only. Mail is not among them.
fn is_surplus(folder: &ox::Folder, quirks: Quirks) -> bool {
    let bend = match folder.module {
        Module::Mail => return false,
        Module::Calendar => Bend::OneCalendar,
        Module::Contacts => Bend::OneContacts,
        Module::Tasks => Bend::OneTasks,
    };
    folder.standard.is_none() && quirks.has(bend)
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
