//! Folder tree 20: the folders that a user has chosen for his devices, and those that OX adds to them.
//!
//! Implements "Folder selection tree" of the notes on the synchronisation client, and the action "subscribe" of the chapter
//! "Folders" of the OX HTTP API. Choices are kept by the id of the folder: a mail folder that gets another one leaves the tree,
//! unless the server was built otherwise.

use crate::call::Answer;
use crate::call::Call;
use crate::error::FOLDER_NO_STORAGE;
use crate::error::OxError;
use crate::fields::text;
use crate::folders::View;
use crate::folders::find;
use crate::folders::store::Content;
use crate::mail::store::DEFAULTS;
use crate::mail::store::SEPARATOR;
use crate::mail::store::folder_id;
use crate::world::World;
use serde_json::json;
use std::collections::BTreeSet;

/// Its number.
pub(super) const TREE: &str = "20";

/// The root, below which all of them lie.
const ROOT: &str = "1";

/// "OX adds on the fly (parent = root `1`, subscribed): default calendar, contact, task folders, INBOX, then trash, drafts,
/// sent, spam (only those that exist)."
pub(super) fn children(world: &World, user: u32, parent: &str) -> Result<Vec<View>, OxError> {
    if !world.options.selection_tree {
        return Err(FOLDER_NO_STORAGE.into());
    }
    if parent != ROOT {
        return Ok(Vec::new());
    }
    let contents = [Content::Calendar, Content::Contacts, Content::Tasks].into_iter();
    let groupware = contents.filter_map(|content| world.folders.default_of(user, content));
    let mail = DEFAULTS.iter().map(|(name, _, _)| folder_id(name));
    let chosen = world.selections.get(&user).into_iter().flatten().cloned();
    let ids: BTreeSet<String> = groupware.map(|id| id.to_string()).chain(mail).chain(chosen).collect();
    let views = ids.iter().filter_map(|id| find(world, user, id).ok());
    Ok(views
        .map(|mut view| {
            let here = [
                ("folder_id", json!(ROOT)),
                ("subscribed", json!(true)),
                ("subfolders", json!(false)),
            ];
            view.extend(here.map(|(key, value)| (key.to_owned(), value)));
            view
        })
        .collect())
}

/// `subscribe`: puts folders into a tree, or takes them out.
pub(super) fn subscribe(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    for entry in call.json_array()? {
        let tree = entry.get("tree").and_then(text);
        let tree = tree.or_else(|| call.parameter("tree").map(str::to_owned));
        let id = entry.get("id").and_then(text).unwrap_or_default();
        if tree.as_deref() != Some(TREE) || !world.options.selection_tree {
            return Err(FOLDER_NO_STORAGE.into());
        }
        find(world, call.user, &id)?;
        choose(world, call.user, &id, entry.get("subscribe") != Some(&json!(false)));
    }
    Ok(Answer::data(json!([])))
}

/// Puts a folder into the tree, or takes it out.
pub(crate) fn choose(world: &mut World, user: u32, id: &str, is_chosen: bool) {
    let chosen = world.selections.entry(user).or_default();
    match is_chosen {
        true => drop(chosen.insert(id.to_owned())),
        false => drop(chosen.remove(id)),
    }
}

/// Keeps the choice of a mail folder, and of those below it, under their new ids; where the server is one that does.
pub(super) fn follow(world: &mut World, user: u32, old: &str, new: &str) {
    if !world.options.selection_follows {
        return;
    }
    let Some(chosen) = world.selections.get_mut(&user) else {
        return;
    };
    let renamed = chosen.iter().map(|id| match id.strip_prefix(old) {
        Some(rest) if rest.is_empty() || rest.starts_with(SEPARATOR) => format!("{new}{rest}"),
        _ => id.clone(),
    });
    *chosen = renamed.collect();
}
