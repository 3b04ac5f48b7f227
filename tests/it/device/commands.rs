//! The commands of a phone apart from Sync.
//!
//! What a phone can only take as success is asserted; what a test wants to see fail has a method that returns the status.

use std::collections::BTreeMap;
use std::thread;
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::composemail;
use oxtender::wbxml::codepage::folderhierarchy;
use oxtender::wbxml::codepage::getitemestimate;
use oxtender::wbxml::codepage::itemoperations;
use oxtender::wbxml::codepage::moveitems;
use oxtender::wbxml::codepage::ping;
use oxtender::wbxml::codepage::provision;
use oxtender::wbxml::codepage::settings;

use super::Device;
use super::Folder;
use super::collection::number;
use super::http::Answer;
use super::http::Request;
use super::link::Link;
use super::link::MULTIPART;
use super::link::Parameters;
use super::link::WBXML;
use super::strict::text_of;

/// The answer to a Ping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pinged {
    pub(crate) status: i64,
    /// ServerIds of folders with changes.
    pub(crate) folders: Vec<String>,
    /// The nearest interval that is allowed.
    pub(crate) heartbeat: Option<u64>,
}

/// What FolderSync brought, by ServerId.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) added: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) deleted: Vec<String>,
}

/// What ItemOperations brought of one item or attachment.
#[derive(Clone, Debug)]
pub(crate) struct Operated {
    pub(crate) status: i64,
    pub(crate) properties: Option<Element>,
    /// Attachment content or body, from wherever it stood.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) multipart: bool,
}

impl Device {
    /// Asks what the server can do, and finds what a phone needs. Answers the versions on offer.
    pub(crate) fn options(&self) -> Vec<String> {
        let answer = self.link.exchange(&self.link.options());
        assert_eq!(answer.status, 200);
        let list = |header: &str| -> Vec<String> {
            let value = answer.header(header).unwrap_or_else(|| panic!("no {header}"));
            value.split(',').map(str::to_owned).collect()
        };
        let versions = list("MS-ASProtocolVersions");
        assert!(versions.contains(&self.version().name().to_owned()), "{versions:?}");
        let commands = list("MS-ASProtocolCommands");
        for command in [
            "Sync",
            "FolderSync",
            "Ping",
            "Provision",
            "SendMail",
            "MoveItems",
            "GetItemEstimate",
        ] {
            assert!(
                commands.iter().any(|offered| offered == command),
                "{command}: {commands:?}"
            );
        }
        versions
    }

    /// The handshake in two phases; the phone has a key afterwards.
    pub(crate) fn provision(&mut self) {
        let (temporary, policy) = self.provision_once(None);
        assert!(
            policy.child(provision::DATA).is_some(),
            "no policy:\n{}",
            text_of(&policy)
        );
        let (key, policy) = self.provision_once(Some(temporary));
        assert!(
            policy.child(provision::DATA).is_none(),
            "the policy again:\n{}",
            text_of(&policy)
        );
        assert_ne!(key, temporary);
        self.link.policy_key = key;
    }

    fn provision_once(&self, acknowledged: Option<u32>) -> (u32, Element) {
        let version = self.version();
        let kind = match version {
            V2_5 => "MS-WAP-Provisioning-XML",
            _ => "MS-EAS-Provisioning-WBXML",
        };
        let mut policy = Element::parent(provision::POLICY, [Element::text(provision::POLICY_TYPE, kind)]);
        if let Some(key) = acknowledged {
            policy.push(Element::text(provision::POLICY_KEY, key.to_string()));
            policy.push(Element::number(provision::STATUS, 1));
        }
        let mut root = Element::parent(provision::PROVISION, []);
        if version >= V14_1 && acknowledged.is_none() {
            root.push(device_information());
        }
        root.push(Element::parent(provision::POLICIES, [policy]));
        let answer = self.link.document("Provision", &root);
        assert_eq!(number(&answer, provision::STATUS), 1, "{}", text_of(&answer));
        let policy = answer
            .child(provision::POLICIES)
            .and_then(|policies| policies.child(provision::POLICY));
        let policy = policy.unwrap_or_else(|| panic!("no Policy:\n{}", text_of(&answer)));
        assert_eq!(number(policy, provision::STATUS), 1, "{}", text_of(&answer));
        assert_eq!(policy.child_text(provision::POLICY_TYPE), Some(kind));
        let key = policy
            .child_text(provision::POLICY_KEY)
            .and_then(|key| key.parse().ok())
            .unwrap_or_default();
        assert_ne!(key, 0, "PolicyKey:\n{}", text_of(&answer));
        (key, policy.clone())
    }

    /// Settings: tells what the phone is, asks for the addresses of its user. Versions from 12.0.
    pub(crate) fn settings(&self) -> Vec<String> {
        let user = Element::parent(settings::USER_INFORMATION, [Element::empty(settings::GET)]);
        let root = Element::parent(settings::SETTINGS, [device_information(), user]);
        let answer = self.link.document("Settings", &root);
        assert_eq!(number(&answer, settings::STATUS), 1, "{}", text_of(&answer));
        let get = answer
            .child(settings::USER_INFORMATION)
            .and_then(|user| user.child(settings::GET));
        let get = get.unwrap_or_else(|| panic!("no UserInformation:\n{}", text_of(&answer)));
        let addresses = match self.version() {
            version if version <= V14_0 => get.child(settings::EMAIL_ADDRESSES),
            _ => get
                .child(settings::ACCOUNTS)
                .and_then(|accounts| accounts.child(settings::ACCOUNT))
                .and_then(|account| account.child(settings::EMAIL_ADDRESSES)),
        };
        let addresses = addresses.unwrap_or_else(|| panic!("no addresses:\n{}", text_of(&answer)));
        let smtp = addresses
            .children_of(settings::SMTP_ADDRESS)
            .filter_map(Element::as_text);
        smtp.map(str::to_owned).collect()
    }

    /// Brings the tree up to date.
    pub(crate) fn folder_sync(&mut self) -> Tree {
        let root = self.folder_sync_request();
        let answer = self.link.document("FolderSync", &root);
        assert_eq!(number(&answer, folderhierarchy::STATUS), 1, "{}", text_of(&answer));
        self.take_tree(&answer)
    }

    pub(crate) fn folder_sync_request(&self) -> Element {
        let key = Element::text(folderhierarchy::SYNC_KEY, self.hierarchy_key.clone());
        Element::parent(folderhierarchy::FOLDER_SYNC, [key])
    }

    fn take_tree(&mut self, answer: &Element) -> Tree {
        if self.hierarchy_key == "0" {
            self.folders.clear();
        }
        let key = answer.child_text(folderhierarchy::SYNC_KEY).unwrap_or_default();
        assert!(!key.is_empty() && key != "0", "SyncKey:\n{}", text_of(answer));
        self.hierarchy_key = key.to_owned();
        let changes = answer.child(folderhierarchy::CHANGES);
        let changes = changes.unwrap_or_else(|| panic!("no Changes:\n{}", text_of(answer)));
        let mut tree = Tree::default();
        for change in changes
            .children()
            .iter()
            .filter(|change| change.tag != folderhierarchy::COUNT)
        {
            let id = change
                .child_text(folderhierarchy::SERVER_ID)
                .unwrap_or_default()
                .to_owned();
            let known = self.folders.contains_key(&id);
            match change.tag {
                folderhierarchy::DELETE => {
                    assert!(known, "{id} is deleted and unknown:\n{}", text_of(answer));
                    self.folders.remove(&id);
                    self.collections.remove(&id);
                    tree.deleted.push(id);
                }
                folderhierarchy::UPDATE | folderhierarchy::ADD => {
                    let is_new = change.tag == folderhierarchy::ADD;
                    assert_eq!(is_new, !known, "{id}:\n{}", text_of(answer));
                    let folder = folder(change);
                    // What changed stands before what is new, in which its parent may be.
                    assert!(
                        !is_new || self.has_parent(&folder),
                        "{id} comes before its parent:\n{}",
                        text_of(answer)
                    );
                    self.folders.insert(id.clone(), folder);
                    if is_new { &mut tree.added } else { &mut tree.changed }.push(id);
                }
                other => panic!("{other:?}:\n{}", text_of(answer)),
            }
        }
        for id in &tree.changed {
            let folder = self.folders.get(id).filter(|folder| self.has_parent(folder));
            assert!(folder.is_some(), "{id} has no parent:\n{}", text_of(answer));
        }
        let count = tree.added.len() + tree.changed.len() + tree.deleted.len();
        assert_eq!(
            number(changes, folderhierarchy::COUNT),
            i64::try_from(count).unwrap(),
            "{}",
            text_of(answer)
        );
        tree
    }

    fn has_parent(&self, folder: &Folder) -> bool {
        folder.parent == "0" || self.folders.contains_key(&folder.parent)
    }

    /// How many changes the server has for a collection.
    pub(crate) fn estimate(&mut self, id: &str) -> i64 {
        let version = self.version();
        let collection = self.collection(id);
        let key = Element::text(airsync::SYNC_KEY, collection.key.clone());
        let name = Element::text(getitemestimate::COLLECTION_ID, id);
        let options = Element::parent(airsync::OPTIONS, collection.options.clone());
        let children = match version {
            // The older shape has class and filter between the id and the key.
            V2_5 | V12_0 | V12_1 => {
                let class = Element::text(getitemestimate::CLASS, collection.class);
                let filter = collection
                    .options
                    .iter()
                    .find(|option| option.tag == airsync::FILTER_TYPE);
                let filter = filter
                    .cloned()
                    .unwrap_or_else(|| Element::text(airsync::FILTER_TYPE, "0"));
                vec![class, name, filter, key]
            }
            _ if collection.options.is_empty() => vec![key, name],
            _ => vec![key, name, options],
        };
        let wanted = Element::parent(getitemestimate::COLLECTION, children);
        let wanted = Element::parent(getitemestimate::COLLECTIONS, [wanted]);
        let root = Element::parent(getitemestimate::GET_ITEM_ESTIMATE, [wanted]);
        let answer = self.link.document("GetItemEstimate", &root);
        let response = answer.child(getitemestimate::RESPONSE);
        let response = response.unwrap_or_else(|| panic!("no Response:\n{}", text_of(&answer)));
        assert_eq!(number(response, getitemestimate::STATUS), 1, "{}", text_of(&answer));
        let counted = response.child(getitemestimate::COLLECTION);
        let counted = counted.unwrap_or_else(|| panic!("no Collection:\n{}", text_of(&answer)));
        assert_eq!(
            counted.child_text(getitemestimate::COLLECTION_ID),
            Some(id),
            "{}",
            text_of(&answer)
        );
        number(counted, getitemestimate::ESTIMATE)
    }

    /// A Ping with both parameters: seconds, and the folders to wait for.
    pub(crate) fn ping_request(&mut self, heartbeat: u64, folders: &[&str]) -> Request {
        let folder = |id: &&str| {
            let class = self.collection(id).class;
            Element::parent(
                ping::FOLDER,
                [Element::text(ping::ID, *id), Element::text(ping::CLASS, class)],
            )
        };
        let folders: Vec<Element> = folders.iter().map(folder).collect();
        let interval = Element::text(ping::HEARTBEAT_INTERVAL, heartbeat.to_string());
        let root = Element::parent(ping::PING, [interval, Element::parent(ping::FOLDERS, folders)]);
        self.link.wbxml("Ping", &root)
    }

    pub(crate) fn ping(&mut self, heartbeat: u64, folders: &[&str]) -> Pinged {
        let request = self.ping_request(heartbeat, folders);
        self.link.ping(&request)
    }

    /// A Ping that waits in a thread of its own.
    pub(crate) fn start_ping(&mut self, heartbeat: u64, folders: &[&str]) -> JoinHandle<Pinged> {
        let request = self.ping_request(heartbeat, folders);
        let link = self.link.clone();
        thread::spawn(move || link.ping(&request))
    }

    /// SendMail in the form of the version. `client_id` is used from 14.0 on.
    pub(crate) fn send_mail_request(&self, client_id: &str, mime: &[u8]) -> Request {
        if self.version() < V14_0 {
            let parameters = Parameters {
                save_in_sent: true,
                ..Parameters::default()
            };
            return self
                .link
                .request("SendMail", parameters, "message/rfc822", Some(mime.to_vec()));
        }
        let root = Element::parent(
            composemail::SEND_MAIL,
            [
                Element::text(composemail::CLIENT_ID, client_id),
                Element::empty(composemail::SAVE_IN_SENT_ITEMS),
                Element::opaque(composemail::MIME, mime),
            ],
        );
        self.link.wbxml("SendMail", &root)
    }

    /// Sends a message; a phone takes an empty 200 for success.
    pub(crate) fn send_mail(&self, client_id: &str, mime: &[u8]) {
        let answer = self.link.exchange(&self.send_mail_request(client_id, mime));
        let refusal = self.link.read(&answer);
        assert!(
            refusal.is_none(),
            "{}",
            refusal.as_ref().map(text_of).unwrap_or_default()
        );
    }

    /// MoveItems: ServerId, from, to.
    pub(crate) fn move_request(&self, moves: &[(&str, &str, &str)]) -> Request {
        let one = |(id, from, to): &(&str, &str, &str)| {
            Element::parent(
                moveitems::MOVE,
                [
                    Element::text(moveitems::SRC_MSG_ID, *id),
                    Element::text(moveitems::SRC_FLD_ID, *from),
                    Element::text(moveitems::DST_FLD_ID, *to),
                ],
            )
        };
        let root = Element::parent(moveitems::MOVE_ITEMS, moves.iter().map(one));
        self.link.wbxml("MoveItems", &root)
    }

    /// Moves items: ServerId, from, to. Answers Status and new ServerId by old ServerId.
    pub(crate) fn move_items(&self, moves: &[(&str, &str, &str)]) -> BTreeMap<String, (i64, Option<String>)> {
        let answer = self.link.exchange(&self.move_request(moves));
        let answer = self.link.read(&answer).expect("MoveItems has an answer");
        let responses = answer.children_of(moveitems::RESPONSE).map(|response| {
            let id = response
                .child_text(moveitems::SRC_MSG_ID)
                .unwrap_or_default()
                .to_owned();
            let new = response.child_text(moveitems::DST_MSG_ID).map(str::to_owned);
            (id, (number(response, moveitems::STATUS), new))
        });
        let responses: BTreeMap<_, _> = responses.collect();
        assert_eq!(responses.len(), moves.len(), "{}", text_of(&answer));
        responses
    }

    /// ItemOperations: one item, with Options.
    pub(crate) fn fetch_item(
        &self,
        collection: &str,
        server_id: &str,
        options: Vec<Element>,
        multipart: bool,
    ) -> Operated {
        let mut wanted = vec![
            Element::text(airsync::COLLECTION_ID, collection),
            Element::text(airsync::SERVER_ID, server_id),
        ];
        if !options.is_empty() {
            wanted.push(Element::parent(itemoperations::OPTIONS, options));
        }
        self.operate(wanted, multipart)
    }

    /// ItemOperations: these attachments, in one request.
    pub(crate) fn fetch_attachments(&self, references: &[String], multipart: bool) -> Vec<Operated> {
        let wanted = references.iter();
        let wanted = wanted.map(|reference| vec![Element::text(airsyncbase::FILE_REFERENCE, reference.clone())]);
        self.operate_all(wanted.collect(), multipart)
    }

    /// ItemOperations: one attachment, or a range of its bytes.
    pub(crate) fn fetch_attachment(&self, reference: &str, range: Option<&str>, multipart: bool) -> Operated {
        let mut wanted = vec![Element::text(airsyncbase::FILE_REFERENCE, reference)];
        if let Some(range) = range {
            let range = Element::text(itemoperations::RANGE, range);
            wanted.push(Element::parent(itemoperations::OPTIONS, [range]));
        }
        self.operate(wanted, multipart)
    }

    fn operate(&self, wanted: Vec<Element>, multipart: bool) -> Operated {
        self.operate_all(vec![wanted], multipart).remove(0)
    }

    fn operate_all(&self, wanted: Vec<Vec<Element>>, multipart: bool) -> Vec<Operated> {
        let count = wanted.len();
        let store = || Element::text(itemoperations::STORE, "Mailbox");
        let fetch = |wanted| {
            Element::parent(
                itemoperations::FETCH,
                std::iter::once(store()).chain::<Vec<Element>>(wanted),
            )
        };
        let root = Element::parent(itemoperations::ITEM_OPERATIONS, wanted.into_iter().map(fetch));
        let parameters = Parameters {
            accept_multipart: multipart,
            ..Parameters::default()
        };
        let body = oxtender::wbxml::encode(&root, self.version());
        let answer = self
            .link
            .exchange(&self.link.request("ItemOperations", parameters, WBXML, Some(body)));
        assert_eq!(answer.status, 200);
        let (root, parts) = self.parts(&answer);
        assert_eq!(number(&root, itemoperations::STATUS), 1, "{}", text_of(&root));
        let response = root.child(itemoperations::RESPONSE);
        let fetched = response
            .into_iter()
            .flat_map(|response| response.children_of(itemoperations::FETCH));
        let operated = fetched.map(|fetched| {
            let properties = fetched.child(itemoperations::PROPERTIES);
            let bytes = properties.and_then(|properties| content(properties, &parts));
            Operated {
                status: number(fetched, itemoperations::STATUS),
                properties: properties.cloned(),
                bytes,
                multipart: !parts.is_empty(),
            }
        });
        let operated: Vec<Operated> = operated.collect();
        assert_eq!(operated.len(), count, "{}", text_of(&root));
        operated
    }

    /// The document of an answer and the parts beside it.
    fn parts(&self, answer: &Answer) -> (Element, Vec<Vec<u8>>) {
        if answer.header("Content-Type") != Some(MULTIPART) {
            return (self.link.read(answer).expect("a document"), Vec::new());
        }
        let body = &answer.body;
        let word = |at: usize| {
            let bytes = body.get(at..at + 4).unwrap_or_else(|| panic!("cut off: {body:02X?}"));
            usize::try_from(u32::from_le_bytes(bytes.try_into().unwrap())).unwrap()
        };
        let part = |index: usize| {
            let (offset, length) = (word(4 + 8 * index), word(8 + 8 * index));
            body.get(offset..offset + length)
                .unwrap_or_else(|| panic!("part {index} is not there"))
                .to_vec()
        };
        let mut parts: Vec<Vec<u8>> = (0..word(0)).map(part).collect();
        let document = parts.remove(0);
        (self.link.decode(&document), parts)
    }
}

impl Link {
    pub(crate) fn ping(&self, request: &Request) -> Pinged {
        let answer = self.exchange(request);
        let root = self.read(&answer).expect("a Ping is never answered with nothing");
        let folders = root.child(ping::FOLDERS).map_or(&[][..], Element::children);
        Pinged {
            status: number(&root, ping::STATUS),
            folders: folders.iter().filter_map(Element::as_text).map(str::to_owned).collect(),
            heartbeat: root
                .child_text(ping::HEARTBEAT_INTERVAL)
                .and_then(|text| text.parse().ok()),
        }
    }
}

fn device_information() -> Element {
    let set = [
        Element::text(settings::MODEL, "Simulated"),
        Element::text(settings::FRIENDLY_NAME, "Phone of the tests"),
        Element::text(settings::OS, "Test 1.0"),
    ];
    Element::parent(settings::DEVICE_INFORMATION, [Element::parent(settings::SET, set)])
}

fn folder(change: &Element) -> Folder {
    let text = |tag| change.child_text(tag).unwrap_or_default().to_owned();
    let folder = Folder {
        parent: text(folderhierarchy::PARENT_ID),
        name: text(folderhierarchy::DISPLAY_NAME),
        kind: number(change, folderhierarchy::TYPE),
    };
    assert!(
        !folder.parent.is_empty() && !folder.name.is_empty(),
        "{}",
        text_of(change)
    );
    folder
}

/// Inline base64, a part, or the text of a body.
fn content(properties: &Element, parts: &[Vec<u8>]) -> Option<Vec<u8>> {
    let part = |parent: &Element| {
        let index: usize = parent.child_text(itemoperations::PART)?.parse().ok()?;
        Some(
            parts
                .get(index - 1)
                .unwrap_or_else(|| panic!("no part {index}"))
                .clone(),
        )
    };
    if let Some(data) = properties.child_text(itemoperations::DATA) {
        return Some(STANDARD.decode(data).expect("base64"));
    }
    let body = properties.child(airsyncbase::BODY);
    part(properties)
        .or_else(|| part(body?))
        .or_else(|| Some(body?.child(airsyncbase::DATA)?.as_bytes().to_vec()))
}

/// A preference for bodies of this type (1 text, 2 HTML, 4 MIME), for Options of a collection.
pub(crate) fn body_preference(version: ProtocolVersion, kind: i64, truncation: Option<u64>) -> Vec<Element> {
    if version < V12_0 {
        return Vec::new();
    }
    let mut children = vec![Element::number(airsyncbase::TYPE, kind)];
    children.extend(truncation.map(|size| Element::text(airsyncbase::TRUNCATION_SIZE, size.to_string())));
    vec![Element::parent(airsyncbase::BODY_PREFERENCE, children)]
}
