//! Requests that are wrong in every way: each is told so in the documented words, and nothing is done at OX.
//!
//! The documents are text with names for what the phone knows; they go out as bytes that no encoder has cleaned. Every answer
//! is held against the specifications by the door it comes through. After each request the phone is served as before.

use std::collections::BTreeMap;

use oxtender::eas::command;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::version::VersionRange;
use oxtender::wbxml::Content;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::xml;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Answer;
use crate::device::link::Parameters;
use crate::device::link::WBXML;
use crate::items::mail;
use crate::repeated::without_keys;
use crate::world::World;

/// What a wrong request is told.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// A common Status, and the HTTP status up to 12.1.
    Common(u16, u16),
    /// A Status at this place in the document, in every version.
    At(&'static str, &'static str),
}

use Told::At;
use Told::Common;

const ALL: VersionRange = VersionRange::ALL;
const SINCE_12_0: VersionRange = VersionRange::since(V12_0);
const SINCE_12_1: VersionRange = VersionRange::since(V12_1);
const SINCE_14_0: VersionRange = VersionRange::since(V14_0);
const SINCE_14_1: VersionRange = VersionRange::since(V14_1);
const ONLY_16_1: VersionRange = VersionRange::since(V16_1);

const COLLECTION: &str = "Collections/Collection/Status";
const MOVED: &str = "Response/Status";

/// Command, versions, document, what is told. `KEY` is the key of the tree, `INBOX` and `CONTACTS` are folders with their
/// keys `INBOXKEY` and `CONTACTSKEY`, `MAIL` and `CONTACT` are items; `LONG` is longer than anything may be, and `MANY[...]`
/// repeats what it holds 1001 times.
#[rustfmt::skip]
const CASES: &[(&str, VersionRange, &str, Told)] = &[
    ("FolderSync", ALL, "<FolderSync xmlns='FolderHierarchy'/>", At("Status", "10")),
    ("FolderSync", ALL, "<FolderSync xmlns='FolderHierarchy'>text</FolderSync>", At("Status", "10")),
    ("FolderSync", ALL, "<FolderSync xmlns='FolderHierarchy'><SyncKey><Count>1</Count></SyncKey></FolderSync>", At("Status", "10")),
    ("FolderSync", ALL, "<FolderSync xmlns='FolderHierarchy'><Changes><SyncKey>0</SyncKey></Changes></FolderSync>", At("Status", "10")),
    ("FolderSync", ALL, "<FolderSync xmlns='FolderHierarchy'><SyncKey>x</SyncKey></FolderSync>", At("Status", "9")),
    ("FolderSync", ALL, "<FolderSync xmlns='FolderHierarchy'><SyncKey>LONG</SyncKey></FolderSync>", At("Status", "9")),

    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'/>", At("Status", "10")),
    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'><ParentId>0</ParentId><DisplayName>N</DisplayName><Type>12</Type></FolderCreate>", At("Status", "10")),
    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><DisplayName>N</DisplayName><Type>12</Type></FolderCreate>", At("Status", "10")),
    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><ParentId>0</ParentId><Type>12</Type></FolderCreate>", At("Status", "10")),
    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><ParentId>0</ParentId><DisplayName>N</DisplayName></FolderCreate>", At("Status", "10")),
    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><ParentId>0</ParentId><DisplayName>LONG</DisplayName><Type>12</Type></FolderCreate>", At("Status", "10")),
    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><ParentId>0</ParentId><DisplayName>N</DisplayName><Type>mail</Type></FolderCreate>", At("Status", "10")),
    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><ParentId>x</ParentId><DisplayName>N</DisplayName><Type>12</Type></FolderCreate>", At("Status", "5")),
    ("FolderCreate", ALL, "<FolderCreate xmlns='FolderHierarchy'><SyncKey>x</SyncKey><ParentId>0</ParentId><DisplayName>N</DisplayName><Type>12</Type></FolderCreate>", At("Status", "9")),
    ("FolderUpdate", ALL, "<FolderUpdate xmlns='FolderHierarchy'><ServerId>CONTACTS</ServerId><ParentId>0</ParentId><DisplayName>N</DisplayName></FolderUpdate>", At("Status", "10")),
    ("FolderUpdate", ALL, "<FolderUpdate xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><ParentId>0</ParentId><DisplayName>N</DisplayName></FolderUpdate>", At("Status", "10")),
    ("FolderUpdate", ALL, "<FolderUpdate xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><ServerId>LONG</ServerId><ParentId>0</ParentId><DisplayName>N</DisplayName></FolderUpdate>", At("Status", "4")),
    ("FolderDelete", ALL, "<FolderDelete xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey></FolderDelete>", At("Status", "10")),
    ("FolderDelete", ALL, "<FolderDelete xmlns='FolderHierarchy'><ServerId>CONTACTS</ServerId></FolderDelete>", At("Status", "10")),
    ("FolderDelete", ALL, "<FolderDelete xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey><ServerId>x</ServerId></FolderDelete>", At("Status", "4")),

    ("Sync", ALL, "<Sync xmlns='AirSync'/>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'>text</Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collection><SyncKey>0</SyncKey><CollectionId>INBOX</CollectionId></Collection></Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><CollectionId>INBOX</CollectionId></Collection></Collections></Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>0</SyncKey></Collection></Collections></Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>LONG</SyncKey><CollectionId>INBOX</CollectionId></Collection></Collections></Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>x</SyncKey><CollectionId>INBOX</CollectionId></Collection></Collections></Sync>", At(COLLECTION, "3")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>0</SyncKey><CollectionId>x</CollectionId></Collection></Collections></Sync>", At(COLLECTION, "12")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>INBOXKEY</SyncKey><CollectionId>INBOX</CollectionId><WindowSize>much</WindowSize></Collection></Collections></Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>INBOXKEY</SyncKey><CollectionId>INBOX</CollectionId><Options><FilterType>6</FilterType></Options></Collection></Collections></Sync>", At(COLLECTION, "4")),
    ("Sync", SINCE_12_0, "<Sync xmlns='AirSync' xmlns:B='AirSyncBase'><Collections><Collection><SyncKey>INBOXKEY</SyncKey><CollectionId>INBOX</CollectionId><Options><B:BodyPreference><B:Type>1</B:Type></B:BodyPreference><B:BodyPreference><B:Type>1</B:Type></B:BodyPreference></Options></Collection></Collections></Sync>", At(COLLECTION, "4")),
    ("Sync", SINCE_12_0, "<Sync xmlns='AirSync' xmlns:B='AirSyncBase'><Collections><Collection><SyncKey>INBOXKEY</SyncKey><CollectionId>INBOX</CollectionId><Options><B:BodyPreference><B:Type>1</B:Type><B:AllOrNone>x</B:AllOrNone></B:BodyPreference></Options></Collection></Collections></Sync>", At(COLLECTION, "4")),
    ("Sync", SINCE_14_0, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>INBOXKEY</SyncKey><CollectionId>INBOX</CollectionId></Collection></Collections><Wait>1</Wait><HeartbeatInterval>60</HeartbeatInterval></Sync>", At("Status", "4")),
    ("Sync", SINCE_12_1, "<Sync xmlns='AirSync'><Partial/></Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>CONTACTSKEY</SyncKey><CollectionId>CONTACTS</CollectionId><Commands><Add><ApplicationData/></Add></Commands></Collection></Collections></Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>CONTACTSKEY</SyncKey><CollectionId>CONTACTS</CollectionId><Commands><Add><ClientId>LONG</ClientId><ApplicationData/></Add></Commands></Collection></Collections></Sync>", At("Status", "4")),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>CONTACTSKEY</SyncKey><CollectionId>CONTACTS</CollectionId><Commands>MANY[<Delete><ServerId>CONTACT</ServerId></Delete>]</Commands></Collection></Collections></Sync>", At("Status", "4")),

    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate'/>", Common(103, 400)),
    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate'><Collections/></GetItemEstimate>", Common(103, 400)),
    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate'><Collections>text</Collections></GetItemEstimate>", Common(103, 400)),
    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate'><Collections>MANY[<Collection><CollectionId>INBOX</CollectionId></Collection>]</Collections></GetItemEstimate>", Common(103, 400)),
    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate' xmlns:A='AirSync'><Collections><Collection><A:SyncKey>INBOXKEY</A:SyncKey></Collection></Collections></GetItemEstimate>", At(MOVED, "2")),
    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate' xmlns:A='AirSync'><Collections><Collection><CollectionId>INBOX</CollectionId><A:SyncKey>0</A:SyncKey></Collection></Collections></GetItemEstimate>", At(MOVED, "3")),
    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate' xmlns:A='AirSync'><Collections><Collection><CollectionId>INBOX</CollectionId><A:SyncKey>x</A:SyncKey></Collection></Collections></GetItemEstimate>", At(MOVED, "4")),
    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate' xmlns:A='AirSync'><Collections><Collection><CollectionId>INBOX</CollectionId><A:FilterType>7</A:FilterType><A:SyncKey>INBOXKEY</A:SyncKey></Collection></Collections></GetItemEstimate>", Common(110, 500)),

    ("MoveItems", ALL, "<MoveItems xmlns='Move'/>", Common(103, 400)),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'><Move/></MoveItems>", Common(103, 400)),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'><Move><SrcMsgId>LONG</SrcMsgId></Move></MoveItems>", Common(103, 400)),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'><SrcMsgId>MAIL</SrcMsgId><SrcFldId>INBOX</SrcFldId></MoveItems>", Common(103, 400)),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'>MANY[<Move><SrcMsgId>MAIL</SrcMsgId><SrcFldId>INBOX</SrcFldId><DstFldId>x</DstFldId></Move>]</MoveItems>", Common(103, 400)),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'><Move><SrcMsgId>MAIL</SrcMsgId><DstFldId>CONTACTS</DstFldId></Move></MoveItems>", At(MOVED, "1")),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'><Move><SrcMsgId>x</SrcMsgId><SrcFldId>CONTACTS</SrcFldId><DstFldId>CONTACTS</DstFldId></Move></MoveItems>", At(MOVED, "4")),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'><Move><SrcMsgId>MAIL</SrcMsgId><SrcFldId>INBOX</SrcFldId></Move></MoveItems>", At(MOVED, "2")),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'><Move><SrcMsgId>MAIL</SrcMsgId><SrcFldId>INBOX</SrcFldId><DstFldId>CONTACTS</DstFldId></Move></MoveItems>", At(MOVED, "2")),
    ("MoveItems", ALL, "<MoveItems xmlns='Move'><Move><SrcMsgId>MAIL</SrcMsgId><SrcFldId>INBOX</SrcFldId><DstFldId>CONTACTS</DstFldId><DstFldId>INBOX</DstFldId></Move></MoveItems>", At(MOVED, "5")),

    ("Ping", ALL, "<Ping xmlns='Ping'><HeartbeatInterval/></Ping>", At("Status", "3")),
    ("Ping", ALL, "<Ping xmlns='Ping'><HeartbeatInterval>long</HeartbeatInterval></Ping>", At("Status", "4")),
    ("Ping", ALL, "<Ping xmlns='Ping'><HeartbeatInterval>99999</HeartbeatInterval></Ping>", At("Status", "5")),
    ("Ping", ALL, "<Ping xmlns='Ping'><HeartbeatInterval>60</HeartbeatInterval><Folders><Folder><Id>INBOX</Id></Folder><Folder><Id>INBOX</Id></Folder></Folders></Ping>", At("Status", "4")),
    ("Ping", ALL, "<Ping xmlns='Ping'><HeartbeatInterval>60</HeartbeatInterval><Folders><Folder><Id/></Folder></Folders></Ping>", At("Status", "4")),
    ("Ping", ALL, "<Ping xmlns='Ping'><HeartbeatInterval>60</HeartbeatInterval><Folders><Folder><Id>x</Id></Folder></Folders></Ping>", At("Status", "7")),
    ("Ping", ALL, "<Ping xmlns='Ping'><HeartbeatInterval>60</HeartbeatInterval><Folders>MANY[<Folder><Id>INBOX</Id></Folder>]</Folders></Ping>", At("Status", "6")),

    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations'/>", At("Status", "2")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations'><Store>Mailbox</Store></ItemOperations>", At("Status", "2")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations'>MANY[<Fetch/>]</ItemOperations>", At("Status", "11")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations'><Fetch/></ItemOperations>", At("Response/Fetch/Status", "2")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations'><Fetch><Store>Mailbox</Store></Fetch></ItemOperations>", At("Response/Fetch/Status", "2")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations' xmlns:A='AirSync'><Fetch><Store>Mailbox</Store><A:CollectionId>LONG</A:CollectionId><A:ServerId>LONG</A:ServerId></Fetch></ItemOperations>", At("Response/Fetch/Status", "6")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations' xmlns:A='AirSync' xmlns:S='Search'><Fetch><Store>Mailbox</Store><A:ServerId>MAIL</A:ServerId><S:LongId>x</S:LongId></Fetch></ItemOperations>", At("Response/Fetch/Status", "2")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations' xmlns:B='AirSyncBase'><Fetch><Store>Mailbox</Store><B:FileReference/></Fetch></ItemOperations>", At("Response/Fetch/Status", "15")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations' xmlns:B='AirSyncBase'><Fetch><Store>Mailbox</Store><B:FileReference>a</B:FileReference><B:FileReference>b</B:FileReference></Fetch></ItemOperations>", At("Response/Fetch/Status", "2")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations'><EmptyFolderContents/></ItemOperations>", At("Response/EmptyFolderContents/Status", "2")),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations' xmlns:A='AirSync'><EmptyFolderContents><A:CollectionId>LONG</A:CollectionId></EmptyFolderContents></ItemOperations>", At("Response/EmptyFolderContents/Status", "6")),
    ("ItemOperations", SINCE_14_0, "<ItemOperations xmlns='ItemOperations'><Move><DstFldId>INBOX</DstFldId></Move></ItemOperations>", At("Response/Move/Status", "2")),
    ("ItemOperations", SINCE_14_0, "<ItemOperations xmlns='ItemOperations'><Move><ConversationId>text</ConversationId><DstFldId>INBOX</DstFldId></Move></ItemOperations>", At("Response/Move/Status", "155")),

    ("Search", ALL, "<Search xmlns='Search'/>", At("Response/Store/Status", "2")),
    ("Search", ALL, "<Search xmlns='Search'><Store>GAL</Store></Search>", At("Response/Store/Status", "2")),
    ("Search", ALL, "<Search xmlns='Search'><Store><Name>Nowhere</Name><Query>x</Query></Store></Search>", At("Response/Store/Status", "2")),
    ("Search", ALL, "<Search xmlns='Search'><Store><Name>GAL</Name></Store></Search>", At("Response/Store/Status", "2")),
    ("Search", ALL, "<Search xmlns='Search'><Store><Name>GAL</Name><Query>a</Query><Options><Range>9-0</Range></Options></Store></Search>", At("Response/Store/Status", "2")),
    ("Search", SINCE_12_0, "<Search xmlns='Search'><Store><Name>Mailbox</Name><Query><And><GreaterThan><Value>soon</Value></GreaterThan></And></Query></Store></Search>", At("Response/Store/Status", "2")),
    ("Search", SINCE_12_0, "<Search xmlns='Search' xmlns:A='AirSync'><Store><Name>Mailbox</Name><Query><A:Class>Email</A:Class><FreeText>a</FreeText></Query></Store></Search>", At("Response/Store/Status", "8")),

    ("Find", ONLY_16_1, "<Find xmlns='Find'/>", At("Status", "2")),
    ("Find", ONLY_16_1, "<Find xmlns='Find'><SearchId>a</SearchId><ExecuteSearch/></Find>", At("Status", "2")),
    ("Find", ONLY_16_1, "<Find xmlns='Find'><ExecuteSearch><GalSearchCriterion><Query>a</Query></GalSearchCriterion></ExecuteSearch></Find>", At("Status", "2")),
    ("Find", ONLY_16_1, "<Find xmlns='Find'><SearchId>a</SearchId><ExecuteSearch><GalSearchCriterion><Query>a</Query><Options><Range>1000-1001</Range></Options></GalSearchCriterion></ExecuteSearch></Find>", At("Response/Status", "4")),

    ("Settings", SINCE_12_0, "<Settings xmlns='Settings'/>", At("Status", "2")),
    ("Settings", SINCE_12_0, "<Settings xmlns='Settings'>text</Settings>", At("Status", "2")),
    ("Settings", SINCE_12_0, "<Settings xmlns='Settings'><Oof/></Settings>", At("Oof/Status", "2")),
    ("Settings", SINCE_12_0, "<Settings xmlns='Settings'><Oof><Get/></Oof></Settings>", At("Oof/Status", "2")),
    ("Settings", SINCE_12_0, "<Settings xmlns='Settings'><Oof><Get/><Set/></Oof></Settings>", At("Oof/Status", "2")),
    ("Settings", SINCE_12_0, "<Settings xmlns='Settings'><Oof><Set><OofState>2</OofState><StartTime>2026-11-25T09:30:00.000Z</StartTime></Set></Oof></Settings>", At("Oof/Status", "2")),
    ("Settings", SINCE_12_0, "<Settings xmlns='Settings'><DeviceInformation/></Settings>", At("DeviceInformation/Status", "2")),

    ("ResolveRecipients", ALL, "<ResolveRecipients xmlns='ResolveRecipients'/>", At("Status", "5")),
    ("ResolveRecipients", ALL, "<ResolveRecipients xmlns='ResolveRecipients'>MANY[<To>a</To>]</ResolveRecipients>", At("Status", "5")),
    ("ResolveRecipients", SINCE_14_0, "<ResolveRecipients xmlns='ResolveRecipients'><To>a</To><Options><Availability><StartTime>now</StartTime></Availability></Options></ResolveRecipients>", At("Status", "5")),
    ("ValidateCert", ALL, "<ValidateCert xmlns='ValidateCert'/>", At("Status", "2")),
    ("ValidateCert", ALL, "<ValidateCert xmlns='ValidateCert'><Certificates>MANY[<Certificate>YQ==</Certificate>]</Certificates></ValidateCert>", At("Status", "2")),
    ("ValidateCert", ALL, "<ValidateCert xmlns='ValidateCert'><Certificates><Certificate>!</Certificate></Certificates></ValidateCert>", At("Certificate/Status", "10")),

    ("Provision", ALL, "<Provision xmlns='Provision'><Policies/></Provision>", At("Status", "2")),
    ("Provision", ALL, "<Provision xmlns='Provision'><Policies><Policy><PolicyType/></Policy></Policies></Provision>", At("Status", "2")),
    ("Provision", ALL, "<Provision xmlns='Provision'><Policies><Policy><PolicyType>x</PolicyType><PolicyKey>1</PolicyKey></Policy></Policies></Provision>", At("Policies/Policy/Status", "3")),
    ("Provision", SINCE_14_1, "<Provision xmlns='Provision'><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType></Policy></Policies></Provision>", Common(165, 400)),
    ("Provision", SINCE_12_0, "<Provision xmlns='Provision'><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><PolicyKey>x</PolicyKey></Policy></Policies></Provision>", At("Policies/Policy/Status", "5")),

    ("SendMail", SINCE_14_0, "<SendMail xmlns='ComposeMail'/>", Common(103, 400)),
    ("SendMail", SINCE_14_0, "<SendMail xmlns='ComposeMail'><ClientId>a</ClientId></SendMail>", Common(107, 400)),
    ("SendMail", SINCE_14_0, "<SendMail xmlns='ComposeMail'><ClientId>b</ClientId><Mime>Subject: nobody</Mime></SendMail>", Common(119, 400)),
    ("SendMail", SINCE_14_0, "<SendMail xmlns='ComposeMail'><ClientId>c</ClientId><Mime><ClientId>c</ClientId></Mime></SendMail>", Common(107, 400)),
    ("SendMail", SINCE_14_1, "<SendMail xmlns='ComposeMail'><ClientId>d</ClientId><AccountId>x</AccountId><Mime>To: a@example.com</Mime></SendMail>", Common(166, 400)),
    ("SmartReply", SINCE_14_0, "<SmartReply xmlns='ComposeMail'><ClientId>e</ClientId><Mime>To: a@example.com</Mime></SmartReply>", Common(103, 400)),
    ("SmartReply", SINCE_14_0, "<SmartReply xmlns='ComposeMail'><ClientId>f</ClientId><Source><FolderId>INBOX</FolderId><ItemId>MAIL</ItemId><LongId>x</LongId></Source><Mime>To: a@example.com</Mime></SmartReply>", Common(105, 400)),
    ("SmartForward", SINCE_14_0, "<SmartForward xmlns='ComposeMail'><ClientId>g</ClientId><Source><FolderId>INBOX</FolderId><ItemId>x</ItemId></Source><Mime>To: a@example.com</Mime></SmartForward>", Common(150, 400)),
    ("SmartForward", SINCE_14_0, "<SmartForward xmlns='ComposeMail'><ClientId>h</ClientId><Source><FolderId>INBOX</FolderId><ItemId>MAIL</ItemId><InstanceId>soon</InstanceId></Source><Mime>To: a@example.com</Mime></SmartForward>", Common(104, 400)),
];

/// A phone with a mail and a contact, and names for what it knows.
struct Phone {
    device: Device,
    names: Vec<(&'static str, String)>,
}

impl Phone {
    fn new(world: &World, version: ProtocolVersion) -> Self {
        let mut device = world.ready_device(version);
        let (inbox, contacts) = (device.folder(INBOX), device.folder(CONTACTS));
        device.sync(&inbox);
        device.sync(&contacts);
        let key = |device: &mut Device, id: &str| device.collection(id).key.clone();
        let first = |device: &Device, id: &str| device.items(id).keys().next().unwrap().clone();
        let names = vec![
            ("INBOXKEY", key(&mut device, &inbox)),
            ("CONTACTSKEY", key(&mut device, &contacts)),
            ("INBOX", inbox.clone()),
            ("CONTACTS", contacts.clone()),
            ("MAIL", first(&device, &inbox)),
            ("CONTACT", first(&device, &contacts)),
            ("KEY", device.hierarchy_key.clone()),
            ("LONG", "x".repeat(300)),
        ];
        Self { device, names }
    }

    /// The document of a case.
    fn document(&self, text: &str) -> Element {
        let mut text = text.replace('\'', "\"");
        if let Some((before, rest)) = text.split_once("MANY[") {
            let (repeated, after) = rest.split_once(']').unwrap();
            text = format!("{before}{}{after}", repeated.repeat(1001));
        }
        for (name, value) in &self.names {
            text = replace_word(&text, name, value);
        }
        xml::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn send(&self, command: &str, body: Vec<u8>) -> Answer {
        let request = self
            .device
            .link
            .request(command, Parameters::default(), WBXML, Some(body));
        self.device.link.exchange(&request)
    }

    /// HTTP status, and the text at a place below the root of the document.
    fn told(&self, answer: &Answer, place: &str) -> (u16, Option<String>) {
        let root = (!answer.body.is_empty()).then(|| self.device.link.decode(&answer.body));
        let found = root.and_then(|root| at(&root, place));
        (answer.status, found)
    }

    fn is_served(&mut self) {
        assert_eq!(self.device.folder_sync(), crate::device::Tree::default());
    }
}

/// Replaces the text of elements that is exactly this word.
fn replace_word(text: &str, name: &str, value: &str) -> String {
    text.replace(&format!(">{name}<"), &format!(">{value}<"))
}

fn at(root: &Element, place: &str) -> Option<String> {
    let found = place.split('/').try_fold(root, |element, name| {
        element.children().iter().find(|child| child.tag.name() == name)
    });
    found.and_then(Element::as_text).map(str::to_owned)
}

/// A document in bytes, whatever the version has and whatever makes sense.
fn raw(root: &Element) -> Vec<u8> {
    fn write(element: &Element, page: &mut u8, out: &mut Vec<u8>) {
        if element.tag.page != *page {
            *page = element.tag.page;
            out.extend([0, *page]);
        }
        match &element.content {
            Content::Empty => return out.push(element.tag.token),
            _ => out.push(element.tag.token | 0x40),
        }
        match &element.content {
            Content::Children(children) => children.iter().for_each(|child| write(child, page, out)),
            _ => {
                out.push(3);
                out.extend_from_slice(element.as_bytes());
                out.push(0);
            }
        }
        out.push(1);
    }
    let mut out = vec![3, 1, 0x6A, 0];
    write(root, &mut 0, &mut out);
    out
}

/// What was written at OX, by call.
pub(crate) fn writes(world: &World) -> BTreeMap<String, u64> {
    const WRITING: [&str; 6] = ["new", "update", "delete", "clear", "import", "reorder"];
    let calls = world.standin.calls().by_action.clone();
    let is_write = |call: &str| {
        call.split_once('?')
            .is_some_and(|(_, action)| WRITING.contains(&action))
    };
    calls.into_iter().filter(|(call, _)| is_write(call)).collect()
}

fn prepared() -> World {
    let world = World::start();
    let anton = world.anton();
    anton.receive(&mail("one", "Text."));
    anton.create_contact(serde_json::json!({"last_name": "One", "display_name": "One"}));
    world
}

/// Each case in every version that has the command.
#[test]
fn documented_refusals() {
    let world = prepared();
    for version in ProtocolVersion::ALL {
        let mut phone = Phone::new(&world, version);
        let before = writes(&world);
        for (command, versions, text, told) in CASES {
            let row = command::find(command).unwrap_or_else(|| panic!("{command}"));
            if !versions.contains(version) || !row.versions.contains(version) {
                continue;
            }
            let answer = phone.send(command, raw(&phone.document(text)));
            let (found, expected) = match told {
                Common(_, http) if version < V14_0 => ((answer.status, None), (*http, None)),
                Common(status, _) => (phone.told(&answer, "Status"), (200, Some(status.to_string()))),
                At(place, status) => (phone.told(&answer, place), (200, Some((*status).to_owned()))),
            };
            assert_eq!(found, expected, "{version} {command} {text}");
        }
        assert_eq!(writes(&world), before, "{version}: something was written");
        phone.is_served();
    }
}

/// Bodies that are no document of the command: cut off anywhere, of another command, nested without end, empty.
#[test]
fn bodies_of_something_else() {
    let world = prepared();
    for version in ProtocolVersion::ALL {
        let mut phone = Phone::new(&world, version);
        let before = writes(&world);
        for row in command::COMMANDS {
            let Some((root, _)) = row.root.filter(|_| row.run.is_some()) else {
                continue;
            };
            if !row.versions.contains(version) || !row.wbxml.is_expected(version) {
                continue;
            }
            let whole = raw(&Element::parent(
                root,
                [Element::text(
                    Tag {
                        page: root.page,
                        token: 0x3F,
                    },
                    "x",
                )],
            ));
            let deep = [&whole[..4], &[0, root.page][..], &[root.token | 0x40; 70]].concat();
            let other = if root.name() == "Ping" { "Search" } else { "Ping" };
            let other = command::find(other).and_then(|other| other.root).unwrap().0;
            let mut bodies = vec![
                (deep, 102),
                (raw(&Element::empty(other)), 103),
                (b"hello".to_vec(), 102),
            ];
            bodies.extend((1..whole.len()).map(|length| (whole[..length].to_vec(), 102)));
            if !row.wbxml.may_be_absent(version) {
                bodies.push((Vec::new(), 101));
            }
            for (body, status) in bodies {
                let answer = phone.send(row.name, body.clone());
                let found = phone.told(&answer, "Status");
                let expected = match version < V14_0 {
                    true => (400, None),
                    false => (200, Some(status.to_string())),
                };
                assert_eq!(found, expected, "{version} {} {body:02X?}", row.name);
            }
        }
        assert_eq!(writes(&world), before, "{version}: something was written");
        phone.is_served();
    }
}

/// A request for each command that reads, in which everything is right.
#[rustfmt::skip]
const RIGHT: &[(&str, VersionRange, &str)] = &[
    ("FolderSync", ALL, "<FolderSync xmlns='FolderHierarchy'><SyncKey>KEY</SyncKey></FolderSync>"),
    ("Sync", ALL, "<Sync xmlns='AirSync'><Collections><Collection><SyncKey>INBOXKEY</SyncKey><CollectionId>INBOX</CollectionId><GetChanges>1</GetChanges><WindowSize>10</WindowSize><Options><FilterType>0</FilterType><MIMESupport>0</MIMESupport></Options></Collection></Collections></Sync>"),
    ("GetItemEstimate", ALL, "<GetItemEstimate xmlns='GetItemEstimate' xmlns:A='AirSync'><Collections><Collection><Class>Email</Class><CollectionId>INBOX</CollectionId><A:FilterType>0</A:FilterType><A:SyncKey>INBOXKEY</A:SyncKey></Collection></Collections></GetItemEstimate>"),
    ("Ping", ALL, "<Ping xmlns='Ping'><HeartbeatInterval>1</HeartbeatInterval><Folders><Folder><Id>x</Id><Class>Email</Class></Folder></Folders></Ping>"),
    ("Search", ALL, "<Search xmlns='Search'><Store><Name>GAL</Name><Query>a</Query><Options><Range>0-9</Range></Options></Store></Search>"),
    ("Search", SINCE_12_0, "<Search xmlns='Search' xmlns:A='AirSync'><Store><Name>Mailbox</Name><Query><And><A:Class>Email</A:Class><A:CollectionId>INBOX</A:CollectionId><FreeText>Text</FreeText></And></Query><Options><Range>0-9</Range><DeepTraversal/></Options></Store></Search>"),
    ("Find", ONLY_16_1, "<Find xmlns='Find' xmlns:A='AirSync'><SearchId>a</SearchId><ExecuteSearch><MailBoxSearchCriterion><Query><A:Class>Email</A:Class><FreeText>Text</FreeText></Query><Options><Range>0-9</Range></Options></MailBoxSearchCriterion></ExecuteSearch></Find>"),
    ("Settings", SINCE_12_0, "<Settings xmlns='Settings'><Oof><Get><BodyType>Text</BodyType></Get></Oof><DeviceInformation><Set><Model>M</Model></Set></DeviceInformation><UserInformation><Get/></UserInformation></Settings>"),
    ("ItemOperations", SINCE_12_0, "<ItemOperations xmlns='ItemOperations' xmlns:A='AirSync' xmlns:B='AirSyncBase'><Fetch><Store>Mailbox</Store><A:CollectionId>INBOX</A:CollectionId><A:ServerId>MAIL</A:ServerId><Options><B:BodyPreference><B:Type>1</B:Type><B:TruncationSize>9</B:TruncationSize></B:BodyPreference></Options></Fetch></ItemOperations>"),
    ("ResolveRecipients", ALL, "<ResolveRecipients xmlns='ResolveRecipients'><To>anton</To><Options><CertificateRetrieval>2</CertificateRetrieval><MaxAmbiguousRecipients>3</MaxAmbiguousRecipients></Options></ResolveRecipients>"),
    ("ValidateCert", ALL, "<ValidateCert xmlns='ValidateCert'><Certificates><Certificate>MAA=</Certificate></Certificates><CheckCRL>0</CheckCRL></ValidateCert>"),
    ("Provision", ALL, "<Provision xmlns='Provision'><Policies><Policy><PolicyType>x</PolicyType><PolicyKey>1</PolicyKey><Status>1</Status></Policy></Policies></Provision>"),
];

/// Right requests made wrong in every place: what is left out, doubled, emptied, too long, of the wrong type, or a text where a
/// container belongs. Whatever the answer is, the door finds that it is a proper one; the server has no fault of its own.
#[test]
fn right_requests_made_wrong() {
    let world = prepared();
    for version in [V2_5, V12_1, V14_1, V16_1] {
        let mut phone = Phone::new(&world, version);
        let before = writes(&world);
        for (command, versions, text) in RIGHT.iter().filter(|(_, versions, _)| versions.contains(version)) {
            let root = phone.document(text);
            let mut mutants = Vec::new();
            mutate(&root, &mut |mutant| mutants.push(mutant));
            for mutant in mutants {
                let answer = phone.send(command, raw(&mutant));
                let is_fine = [200, 400, 500].contains(&answer.status);
                assert!(
                    is_fine,
                    "{version} {command} {versions:?} HTTP {}: {mutant:?}",
                    answer.status
                );
            }
        }
        assert_eq!(writes(&world), before, "{version}: something was written");
        phone.is_served();
    }
}

/// Every mutant of an element, its children's mutants included.
fn mutate(element: &Element, found: &mut dyn FnMut(Element)) {
    let texts = ["".to_owned(), "x".to_owned(), "y".repeat(300)];
    texts
        .into_iter()
        .for_each(|text| found(Element::text(element.tag, text)));
    let children = element.children();
    for index in 0..children.len() {
        let with = |change: &dyn Fn(&mut Vec<Element>)| {
            let mut children = children.to_vec();
            change(&mut children);
            Element::parent(element.tag, children)
        };
        found(with(&|children| drop(children.remove(index))));
        found(with(&|children| children.insert(index, children[index].clone())));
        found(with(&|children| {
            children[index].content = Content::Children(vec![Element::empty(element.tag)])
        }));
        mutate(&children[index], &mut |mutant| {
            let mut children = children.to_vec();
            children[index] = mutant;
            found(Element::parent(element.tag, children));
        });
    }
}

/// Elements that nobody knows, of known pages and of others, change nothing; they are counted, and the log names them.
#[test]
fn what_is_unknown_is_ignored_and_counted() {
    let world = prepared();
    let mut expected = 0;
    for version in ProtocolVersion::ALL {
        let phone = Phone::new(&world, version);
        for (command, _, text) in RIGHT.iter().filter(|(_, versions, _)| versions.contains(version)) {
            let root = phone.document(text);
            let decorated = with_unknown(&root);
            let known = phone.send(command, raw(&root));
            let answer = phone.send(command, raw(&decorated));
            let said = |answer: &Answer| {
                let root = phone.device.link.read(answer);
                root.map(|root| without_keys(&root))
            };
            assert_eq!(said(&answer), said(&known), "{version} {command}: {decorated:?}");
            expected += 2;
        }
    }
    let log = world.log();
    assert!(log.contains("ignored=AirSync:0x3E,99:0x05"), "{log}");
    let metrics = crate::operations::ask(&world, "/metrics");
    let metrics = String::from_utf8(metrics.body).unwrap();
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("oxtender_ignored_elements_total"));
    let counted: u64 = lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert!(counted >= expected, "{counted} of {expected}");
}

/// An unknown token and an unknown page before and behind the children of every container.
fn with_unknown(element: &Element) -> Element {
    let Content::Children(children) = &element.content else {
        return element.clone();
    };
    let strange = |page, token| Element::text(Tag { page, token }, "strange");
    // Page 0 has no such token.
    let mut all = vec![strange(0, 0x3E)];
    all.extend(children.iter().map(with_unknown));
    all.push(strange(99, 5));
    Element::parent(element.tag, all)
}
