//! The commands: one table, one file per command.
//!
//! OPTIONS, the base64 codes, the version gate and the label in the log follow from the row of a command. A row
//! without `run` is a command that we know and do not offer: it is answered with the documented Status.
//! Implements [MS-ASCMD] "Commands" and [MS-ASHTTP] "Command Codes".

pub mod conformance;
mod find;
mod folder_change;
mod folder_sync;
mod get_attachment;
mod get_hierarchy;
mod get_item_estimate;
mod item_operations;
mod meeting_response;
mod move_items;
mod moved;
mod ping;
mod provision;
mod resolve_recipients;
mod search;
mod send_mail;
mod settings;
mod smart_mail;
mod submission;
mod sync;
mod validate_cert;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::content::User;
use crate::eas::Services;
use crate::eas::request::Request;
use crate::eas::status::Error;
use crate::notify::UserKey;
use crate::ox;
use crate::ox::Module;
use crate::ox::Standard;
use crate::quirk::Quirks;
use crate::session::Device;
use crate::session::Turn;
use crate::usm::collection::Collection;
use crate::usm::hierarchy::Hierarchy;
use crate::usm::ids;
use crate::usm::sending::Sending;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V12_0;
use crate::version::ProtocolVersion::V12_1;
use crate::version::ProtocolVersion::V16_0;
use crate::version::ProtocolVersion::V16_1;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage as page;

/// One row of the table.
pub struct Command {
    pub name: &'static str,
    /// The command's code in the base64 query.
    pub code: u8,
    pub versions: VersionRange,
    /// In which versions the body is WBXML; otherwise it is what the command takes it for, mostly MIME.
    pub wbxml: Wbxml,
    /// The root element of request and answer, and the Status below it.
    pub root: Option<(Tag, Tag)>,
    pub run: Option<Run>,
}

/// Whether a command's body is a WBXML document.
#[derive(Clone, Copy)]
pub enum Wbxml {
    /// It must be there.
    Required(VersionRange),
    /// In every version, and in these an empty body has a meaning of its own.
    Optional(VersionRange),
    Never,
}

/// A command at work.
pub type Run = for<'a> fn(&'a Call<'a>) -> Work<'a>;

/// What a command is doing until it can answer.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>>;

/// A request of a device with everything that is needed to answer it.
pub struct Call<'a> {
    pub request: &'a Request,
    pub version: ProtocolVersion,
    /// What is bent for this device.
    pub quirks: Quirks,
    /// The body, where it is WBXML and not empty.
    pub document: Option<Element>,
    /// The body as it came.
    pub body: Bytes,
    pub device: &'a Device,
    pub user: User,
    pub services: &'a Services,
    pub turn: &'a Turn,
    /// Milliseconds since 1970, when the request came.
    pub now: i64,
}

/// An answer.
#[derive(Debug)]
pub enum Reply {
    /// HTTP 200 without a body.
    Nothing,
    Document(Element),
    /// A document with which a device begins anew: what we offer is told with it.
    Beginning(Element),
    /// Bytes of the type that stands before them.
    Raw(String, Bytes),
    /// A document, and parts that it refers to by their number, counted from 1.
    Multipart(Element, Vec<Bytes>),
}

/// ServerId, CollectionId, SyncKey, ClientId and the like are no longer than this; what is longer is none of ours.
const LONGEST_ID: usize = 64;

const ALL: VersionRange = VersionRange::ALL;
const UNTIL_12_1: VersionRange = VersionRange::until(V12_1);
const SINCE_12_0: VersionRange = VersionRange::since(V12_0);
const SINCE_12_1: VersionRange = VersionRange::since(V12_1);
const SINCE_14_0: VersionRange = VersionRange::since(ProtocolVersion::V14_0);

macro_rules! commands {
    ($($name:literal $code:literal $versions:ident $wbxml:expr, $root:expr, $run:expr;)*) => {
        &[$(Command { name: $name, code: $code, versions: $versions, wbxml: $wbxml, root: $root, run: $run },)*]
    };
}

use Wbxml::Never;
use Wbxml::Optional;
use Wbxml::Required;

const SINCE_16_1: VersionRange = VersionRange::since(V16_1);

/// Devices add and change drafts in these versions.
const WRITES_DRAFTS: VersionRange = VersionRange::since(V16_0);

/// All commands, in the order of `MS-ASProtocolCommands`.
pub static COMMANDS: &[Command] = commands! {
    "Sync" 0 ALL Optional(SINCE_12_1), Some((page::airsync::SYNC, page::airsync::STATUS)),
        Some(|call| Box::pin(sync::run(call)));
    "SendMail" 1 ALL Required(SINCE_14_0), Some((page::composemail::SEND_MAIL, page::composemail::STATUS)),
        Some(|call| Box::pin(send_mail::run(call)));
    "SmartForward" 2 ALL Required(SINCE_14_0), Some((page::composemail::SMART_FORWARD, page::composemail::STATUS)),
        Some(|call| Box::pin(smart_mail::forward(call)));
    "SmartReply" 3 ALL Required(SINCE_14_0), Some((page::composemail::SMART_REPLY, page::composemail::STATUS)),
        Some(|call| Box::pin(smart_mail::reply(call)));
    "GetAttachment" 4 UNTIL_12_1 Never, None, Some(|call| Box::pin(get_attachment::run(call)));
    "GetHierarchy" 5 UNTIL_12_1 Never, None, Some(|call| Box::pin(get_hierarchy::run(call)));
    "CreateCollection" 6 UNTIL_12_1 Never, None, None;
    "DeleteCollection" 7 UNTIL_12_1 Never, None, None;
    "MoveCollection" 8 UNTIL_12_1 Never, None, None;
    "FolderSync" 9 ALL Required(ALL), Some((page::folderhierarchy::FOLDER_SYNC, page::folderhierarchy::STATUS)),
        Some(|call| Box::pin(folder_sync::run(call)));
    "FolderCreate" 10 ALL Required(ALL), Some((page::folderhierarchy::FOLDER_CREATE, page::folderhierarchy::STATUS)),
        Some(|call| Box::pin(folder_change::create(call)));
    "FolderDelete" 11 ALL Required(ALL), Some((page::folderhierarchy::FOLDER_DELETE, page::folderhierarchy::STATUS)),
        Some(|call| Box::pin(folder_change::delete(call)));
    "FolderUpdate" 12 ALL Required(ALL), Some((page::folderhierarchy::FOLDER_UPDATE, page::folderhierarchy::STATUS)),
        Some(|call| Box::pin(folder_change::update(call)));
    "MoveItems" 13 ALL Required(ALL), Some((page::moveitems::MOVE_ITEMS, page::moveitems::STATUS)),
        Some(|call| Box::pin(move_items::run(call)));
    "GetItemEstimate" 14 ALL Required(ALL), Some((page::getitemestimate::GET_ITEM_ESTIMATE, page::getitemestimate::STATUS)),
        Some(|call| Box::pin(get_item_estimate::run(call)));
    "MeetingResponse" 15 ALL Required(ALL), Some((page::meetingresponse::MEETING_RESPONSE, page::meetingresponse::STATUS)),
        Some(|call| Box::pin(meeting_response::run(call)));
    "Search" 16 ALL Required(ALL), Some((page::search::SEARCH, page::search::STATUS)),
        Some(|call| Box::pin(search::run(call)));
    "Settings" 17 SINCE_12_0 Required(ALL), Some((page::settings::SETTINGS, page::settings::STATUS)),
        Some(|call| Box::pin(settings::run(call)));
    "Ping" 18 ALL Optional(ALL), Some((page::ping::PING, page::ping::STATUS)),
        Some(|call| Box::pin(ping::run(call)));
    "ItemOperations" 19 SINCE_12_0 Required(ALL), Some((page::itemoperations::ITEM_OPERATIONS, page::itemoperations::STATUS)),
        Some(|call| Box::pin(item_operations::run(call)));
    "Provision" 20 ALL Required(ALL), Some((page::provision::PROVISION, page::provision::STATUS)),
        Some(|call| Box::pin(provision::run(call)));
    "ResolveRecipients" 21 ALL Required(ALL),
        Some((page::resolverecipients::RESOLVE_RECIPIENTS, page::resolverecipients::STATUS)),
        Some(|call| Box::pin(resolve_recipients::run(call)));
    "ValidateCert" 22 ALL Required(ALL), Some((page::validatecert::VALIDATE_CERT, page::validatecert::STATUS)),
        Some(|call| Box::pin(validate_cert::run(call)));
    "Find" 23 SINCE_16_1 Required(ALL), Some((page::find::FIND, page::find::STATUS)),
        Some(|call| Box::pin(find::run(call)));
};

/// The row of a command, by its name in any letter case.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name.eq_ignore_ascii_case(name))
}

/// The name behind a command's code in the base64 query.
pub fn name_of(code: u8) -> Option<&'static str> {
    COMMANDS
        .iter()
        .find(|command| command.code == code)
        .map(|command| command.name)
}

/// The value of `MS-ASProtocolCommands`: what works.
pub fn offered() -> String {
    let offered: Vec<&str> = COMMANDS
        .iter()
        .filter(|row| row.run.is_some())
        .map(|row| row.name)
        .collect();
    offered.join(",")
}

/// The answer to a device that only tries whether it gets in, which it does by FolderSync.
pub fn answer_to_attempt(command: &Command) -> Option<Reply> {
    (command.name == "FolderSync").then(folder_sync::empty_tree)
}

impl Wbxml {
    pub const fn is_expected(self, version: ProtocolVersion) -> bool {
        match self {
            Self::Required(versions) => versions.contains(version),
            Self::Optional(_) => true,
            Self::Never => false,
        }
    }

    /// Whether a request without a body means something.
    pub const fn may_be_absent(self, version: ProtocolVersion) -> bool {
        match self {
            Self::Optional(versions) => versions.contains(version),
            Self::Required(_) | Self::Never => false,
        }
    }
}

impl Call<'_> {
    /// The document; a command that requires one is not run without.
    pub fn root(&self) -> Result<&Element, Error> {
        self.document.as_ref().ok_or(Error::Device(
            crate::eas::status::Status::INVALID_CONTENT,
            "the body is empty",
        ))
    }

    pub fn hierarchy(&self) -> Hierarchy<'_> {
        Hierarchy {
            store: &self.device.store,
            generations: self.services.generations,
            device: self.device.id,
        }
    }

    pub fn collection<'b>(&'b self, id: u32, module: Module, folder: &'b str) -> Collection<'b> {
        Collection {
            store: &self.device.store,
            ox: &self.device.ox,
            listings: &self.services.listings,
            generations: self.services.generations,
            device: self.device.id,
            node: &self.services.node,
            id,
            module,
            folder,
        }
    }

    pub fn sending(&self) -> Sending<'_> {
        Sending {
            store: &self.device.store,
            device: self.device.id,
            node: &self.services.node,
            now: self.now,
        }
    }

    /// The folder behind a CollectionId, if this device was ever told of it.
    pub async fn folder(&self, collection_id: &str) -> Result<Option<(u32, Module, String)>, Error> {
        let Ok(id) = collection_id.trim().parse::<u32>() else {
            return Ok(None);
        };
        let folder = self.hierarchy().resolve(id).await?;
        Ok(folder.map(|(module, folder)| (id, module, folder)))
    }

    /// Whether a folder is the user's own for drafts: its mails change, and keep the ids that devices have.
    pub async fn is_drafts(&self, module: Module, folder: &str) -> Result<bool, ox::Error> {
        if module != Module::Mail {
            return Ok(false);
        }
        let settings = self.device.ox.settings().await?;
        Ok(settings.standard(Standard::Drafts) == Some(folder))
    }

    /// Whether the device may write the mails of a folder.
    pub async fn takes_drafts(&self, module: Module, folder: &str) -> Result<bool, ox::Error> {
        Ok(WRITES_DRAFTS.contains(self.version) && self.is_drafts(module, folder).await?)
    }

    /// The OX id of an item that the device names; digests and drafts are looked up in what the device has.
    pub async fn item(
        &self,
        collection: u32,
        module: Module,
        folder: &str,
        server_id: &str,
    ) -> Result<Option<String>, Error> {
        let plain = ids::ox_id(collection, server_id, []);
        if plain.is_some() && !self.is_drafts(module, folder).await? {
            return Ok(plain);
        }
        let Some(opened) = self.collection(collection, module, folder).open_newest().await? else {
            return Ok(plain);
        };
        let known = plain.or_else(|| ids::ox_id(collection, server_id, opened.known()));
        Ok(known.map(|id| opened.ox_id(&id).to_owned()))
    }

    /// User and device, for the log.
    pub fn device_label(&self) -> String {
        format!("{} {}", self.device.ox.name(), self.request.device_id)
    }

    /// Whom to wake when something of this user changes.
    pub fn user_key(&self) -> UserKey {
        (self.device.ox.context_id(), self.device.ox.user_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique() {
        for (index, command) in COMMANDS.iter().enumerate() {
            assert_eq!(usize::from(command.code), index, "{}", command.name);
            assert_eq!(name_of(command.code), Some(command.name));
            assert!(std::ptr::eq(find(&command.name.to_uppercase()).unwrap(), command));
        }
    }

    #[test]
    fn offered_are_those_that_run() {
        assert_eq!(
            offered(),
            "Sync,SendMail,SmartForward,SmartReply,GetAttachment,GetHierarchy,FolderSync,FolderCreate,FolderDelete,\
             FolderUpdate,MoveItems,GetItemEstimate,MeetingResponse,Search,Settings,Ping,ItemOperations,Provision,\
             ResolveRecipients,ValidateCert,Find"
        );
    }
}
