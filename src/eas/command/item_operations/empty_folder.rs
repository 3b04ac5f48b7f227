//! EmptyFolderContents: all mails of a folder deleted, and with DeleteSubFolders the folders below it.
//!
//! Doing it twice does nothing more, so a repeated request needs no memory. Implements [MS-ASCMD] EmptyFolderContents.

use std::collections::BTreeSet;

use super::NOT_FOUND;
use super::PROTOCOL_ERROR;
use super::SUCCESS;
use super::echoed;
use crate::eas::command::Call;
use crate::eas::command::LONGEST_ID;
use crate::eas::mail_search::add_children;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Module;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::itemoperations as tag;

const SERVER_ERROR: i64 = 3;
const ACCESS_DENIED: i64 = 16;
const PARTIAL_SUCCESS: i64 = 17;

pub(super) async fn answer(call: &Call<'_>, operation: &Element) -> Result<Element, Error> {
    let status = match operation.child(airsync::COLLECTION_ID) {
        Some(id) => empty(call, operation, id.as_text().unwrap_or_default()).await?,
        None => PROTOCOL_ERROR,
    };
    let mut answer = Element::parent(tag::EMPTY_FOLDER_CONTENTS, [Element::number(tag::STATUS, status)]);
    answer.extend(echoed(operation, airsync::COLLECTION_ID, LONGEST_ID));
    Ok(answer)
}

async fn empty(call: &Call<'_>, operation: &Element, id: &str) -> Result<i64, Error> {
    let Some((_, module, folder)) = call.folder(id).await? else {
        return Ok(NOT_FOUND);
    };
    // Nobody wants to lose an address book by a slip of the finger.
    if module != Module::Mail {
        return Ok(ACCESS_DENIED);
    }
    let mut below = BTreeSet::from([folder.clone()]);
    add_children(call, &mut below).await?;
    below.remove(&folder);
    let options = operation.child(tag::OPTIONS);
    let keep_below = options.is_none_or(|options| options.child(tag::DELETE_SUB_FOLDERS).is_none());
    // OX empties the trash together with the folders in it.
    let emptied = match keep_below && !below.is_empty() {
        true => delete_mails(call, &folder).await,
        false => ox::mail::clear(&call.device.ox, &folder).await,
    };
    if let Err(error) = emptied {
        return status_of(call, error);
    }
    let touched = |folder: &String| {
        let key = (Module::Mail, folder.clone());
        call.services.notifier.touched(call.user_key(), &key);
    };
    touched(&folder);
    if keep_below {
        return Ok(SUCCESS);
    }
    // Children sort behind their parents: the deepest go first.
    for folder in below.iter().rev() {
        match call.device.ox.delete_folder(folder).await {
            Ok(()) => touched(folder),
            Err(error) if error.kind == ox::ErrorKind::NotFound => {}
            Err(error) => {
                return Ok(match status_of(call, error)? {
                    SERVER_ERROR => SERVER_ERROR,
                    _ => PARTIAL_SUCCESS,
                });
            }
        }
    }
    Ok(SUCCESS)
}

/// Mail by mail, and nothing else.
async fn delete_mails(call: &Call<'_>, folder: &str) -> Result<(), ox::Error> {
    for mail in ox::list(&call.device.ox, Module::Mail, folder).await? {
        ox::mail::delete(&call.device.ox, folder, &mail.id, false).await?;
    }
    Ok(())
}

fn status_of(call: &Call<'_>, error: ox::Error) -> Result<i64, Error> {
    log::info!("{}: a folder is not emptied: {error}", call.device_label());
    match error.kind {
        ox::ErrorKind::NotFound => Ok(NOT_FOUND),
        ox::ErrorKind::PermissionDenied => Ok(ACCESS_DENIED),
        _ if error.is_about_the_item() => Ok(SERVER_ERROR),
        _ => Err(error.into()),
    }
}
