//! GetHierarchy: the mail folders, all of them at once.
//!
//! The way of devices before FolderSync; the ids are the same. Implements [MS-ASCMD] GetHierarchy.

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::folder_sync;
use crate::eas::status::Error;
use crate::ox::Module;
use crate::wbxml::Element;
use crate::wbxml::codepage::folderhierarchy as tag;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let offered = folder_sync::offered(call).await?;
    let folders = call.hierarchy().numbered(&offered).await?;
    let mails = folders.iter().filter(|folder| folder.folder.module == Module::Mail);
    let described = mails.map(|folder| {
        Element::parent(
            tag::FOLDER,
            [
                Element::text(tag::DISPLAY_NAME, folder.folder.title.clone()),
                Element::text(tag::SERVER_ID, folder.id.to_string()),
                Element::number(tag::TYPE, folder_sync::folder_type(&folder.folder)),
                Element::text(tag::PARENT_ID, folder.parent.to_string()),
            ],
        )
    });
    Ok(Reply::Document(Element::parent(tag::FOLDERS, described)))
}
