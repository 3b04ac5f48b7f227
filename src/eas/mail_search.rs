//! Searching the mail folders of a device: which folders, what was found, and the mails of a page.
//!
//! Search and Find share this; what they ask and how they answer is theirs.

use std::collections::BTreeSet;

use crate::content::BodyOptions;
use crate::content::email::Mail;
use crate::content::email::conversation_id;
use crate::content::email::old_query;
use crate::content::email::query::Query;
use crate::eas::command::Call;
use crate::eas::items::Items;
use crate::eas::items::Loaded;
use crate::eas::items::Wanted;
use crate::eas::results::Hit;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Module;
use crate::ox::Object;
use crate::wbxml::Element;

/// The mail folders to search: CollectionId for the device, OX id.
pub type Folders = Vec<(u32, String)>;

/// The folders that the device names, with those below them if `deep`; all mail folders if it names none, or 0. `None`: it
/// has to look at its folders first.
pub async fn folders(call: &Call<'_>, named: &[&str], deep: bool) -> Result<Option<Folders>, Error> {
    let known = call.hierarchy().all().await?;
    let mut all: Folders = known
        .into_iter()
        .filter(|(_, (module, _))| *module == Module::Mail)
        .map(|(id, (_, folder))| (id, folder))
        .collect();
    all.sort();
    if all.is_empty() {
        return Ok(None);
    }
    let named: Vec<&str> = named.iter().map(|id| id.trim()).filter(|id| !id.is_empty()).collect();
    if named.is_empty() || named.contains(&"0") {
        return Ok(Some(all));
    }
    let is_named = |id: u32| named.iter().any(|named| named.parse() == Ok(id));
    let mut wanted: BTreeSet<String> = all
        .iter()
        .filter(|(id, _)| is_named(*id))
        .map(|(_, folder)| folder.clone())
        .collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    if deep {
        add_children(call, &mut wanted).await?;
    }
    all.retain(|(_, folder)| wanted.contains(folder));
    Ok(Some(all))
}

/// Adds the folders below these, whatever the depth.
pub async fn add_children(call: &Call<'_>, wanted: &mut BTreeSet<String>) -> Result<(), Error> {
    let tree = call.device.ox.folders().await?;
    loop {
        let before = wanted.len();
        for folder in tree.iter().filter(|folder| folder.module == Module::Mail) {
            if wanted.contains(&folder.parent) {
                wanted.insert(folder.id.clone());
            }
        }
        if wanted.len() == before {
            return Ok(());
        }
    }
}

/// The mails that a query finds, the newest first.
pub async fn search(call: &Call<'_>, folders: &Folders, query: &Query) -> Result<Vec<Hit>, Error> {
    let (session, ids) = (&call.device.ox, ox_ids(folders));
    let found = match ox::mail::search(session, &ids, &query.body()).await? {
        Some(found) => found,
        None => {
            let is_wanted = |row: &Object| query.finds(row);
            ox::mail::search_columns(session, &ids, &query.columns(), old_query::COLUMNS, is_wanted).await?
        }
    };
    Ok(hits(folders, found))
}

/// The mails of a conversation, the newest first.
pub async fn conversation(call: &Call<'_>, folders: &Folders, id: &[u8]) -> Result<Vec<Hit>, Error> {
    let is_wanted = |row: &Object| Mail::from_json(row, "").is_ok_and(|mail| conversation_id(&mail) == id);
    let found = ox::mail::conversations(&call.device.ox, &ox_ids(folders), is_wanted).await?;
    Ok(hits(folders, found))
}

fn ox_ids(folders: &Folders) -> Vec<String> {
    folders.iter().map(|(_, folder)| folder.clone()).collect()
}

fn hits(folders: &Folders, found: Vec<ox::mail::Found>) -> Vec<Hit> {
    let hit = |found: ox::mail::Found| {
        let (collection, folder) = folders.get(found.folder)?;
        Some(Hit {
            collection: *collection,
            folder: folder.clone(),
            id: found.id,
        })
    };
    found.into_iter().filter_map(hit).collect()
}

/// The properties of the mails on a page, folder by folder in as few calls as OX allows; `None` for a mail that has
/// gone meanwhile.
pub async fn load(call: &Call<'_>, hits: &[Hit], bodies: &BodyOptions) -> Result<Vec<Option<Vec<Element>>>, Error> {
    let mut loaded: Vec<Option<Vec<Element>>> = vec![None; hits.len()];
    let collections: BTreeSet<u32> = hits.iter().map(|hit| hit.collection).collect();
    for collection in collections {
        let of_folder = || hits.iter().enumerate().filter(|(_, hit)| hit.collection == collection);
        let Some((_, first)) = of_folder().next() else {
            continue;
        };
        let items = Items {
            call,
            collection,
            module: Module::Mail,
            folder: &first.folder,
            bodies,
        };
        let wanted: Vec<Wanted> = of_folder().map(|(_, hit)| Wanted::by_id(&hit.id)).collect();
        for ((place, hit), item) in of_folder().zip(items.load(&wanted).await?) {
            match item {
                Loaded::Item { data: properties, .. } => {
                    if let Some(slot) = loaded.get_mut(place) {
                        *slot = Some(properties);
                    }
                }
                Loaded::Unconvertible(reason) => {
                    log::warn!("{}: found mail {} is left out: {reason}", call.device_label(), hit.id);
                }
                Loaded::Vanished => {}
            }
        }
    }
    Ok(loaded)
}
