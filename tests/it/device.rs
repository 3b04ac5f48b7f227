//! A simulated phone: it knows the protocol and nothing of the gateway.
//!
//! It provisions, looks at folders, keeps its own copy of every collection it syncs, loses answers when told to, and ends the
//! test when it is told something that a real phone would not survive. Whatever it does goes through a [`http::Door`],
//! so that it works behind a web server as well as before the gateway itself.
//!
//! It shares the WBXML codec with the gateway; other programs decode the same answers in `third_party.rs`.

#![allow(dead_code, reason = "each program that plays a phone needs a part of it")]

#[path = "device/collection.rs"]
pub(crate) mod collection;
#[path = "device/commands.rs"]
pub(crate) mod commands;
#[path = "device/http.rs"]
pub(crate) mod http;
#[path = "device/link.rs"]
pub(crate) mod link;
#[path = "device/strict.rs"]
pub(crate) mod strict;

use std::collections::BTreeMap;
use std::sync::Arc;

use oxtender::version::ProtocolVersion;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;

#[allow(unused_imports, reason = "the demo has no need of it")]
pub(crate) use commands::Tree;

use collection::Collection;
use collection::Local;
use collection::Synced;
use http::Answer;
use http::Door;
use http::Request;
use link::Link;
use link::Query;

/// Folder types of [MS-ASCMD] Type (FolderSync), and the class of what is in them.
pub(crate) const INBOX: i64 = 2;
pub(crate) const DRAFTS: i64 = 3;
pub(crate) const TRASH: i64 = 4;
pub(crate) const SENT: i64 = 5;
pub(crate) const TASKS: i64 = 7;
pub(crate) const CALENDAR: i64 = 8;
pub(crate) const CONTACTS: i64 = 9;
const CLASSES: [(i64, &str); 7] = [
    (TASKS, "Tasks"),
    (CALENDAR, "Calendar"),
    (CONTACTS, "Contacts"),
    (13, "Calendar"),
    (14, "Contacts"),
    (15, "Tasks"),
    (12, "Email"),
];

/// More windows than this are a loop.
const MOST_ROUNDS: usize = 500;

/// A phone.
pub(crate) struct Device {
    pub(crate) link: Link,
    pub(crate) hierarchy_key: String,
    /// By ServerId.
    pub(crate) folders: BTreeMap<String, Folder>,
    /// By ServerId of the folder.
    pub(crate) collections: BTreeMap<String, Collection>,
    next_client_id: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: i64,
}

/// How an answer gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It arrives, and the phone forgets it.
    Forgotten,
    /// The phone hangs up before it comes.
    HungUp,
}

impl Device {
    /// A phone out of its box.
    pub(crate) fn new(door: Arc<dyn Door>, login: &str, password: &str, id: &str, version: ProtocolVersion) -> Self {
        let link = Link {
            door,
            login: login.to_owned(),
            password: password.to_owned(),
            device_id: id.to_owned(),
            version,
            query: Query::Plain,
            policy_key: 0,
            device_type: "Phone".to_owned(),
            user_agent: "Phone/1.0".to_owned(),
        };
        Self {
            link,
            hierarchy_key: "0".to_owned(),
            folders: BTreeMap::new(),
            collections: BTreeMap::new(),
            next_client_id: 1,
        }
    }

    pub(crate) const fn version(&self) -> ProtocolVersion {
        self.link.version
    }

    /// Everything a phone does before its first Sync.
    pub(crate) fn set_up(&mut self) {
        self.options();
        self.provision();
        self.folder_sync();
    }

    /// The id of the folder of that type, which must be the only one.
    pub(crate) fn folder(&self, kind: i64) -> String {
        let mut found = self.folders.iter().filter(|(_, folder)| folder.kind == kind);
        let (id, _) = found
            .next()
            .unwrap_or_else(|| panic!("no folder of type {kind}: {:?}", self.folders));
        assert!(found.next().is_none(), "two folders of type {kind}: {:?}", self.folders);
        id.clone()
    }

    /// The id of the folder of that name.
    pub(crate) fn folder_named(&self, name: &str) -> String {
        let found = self.folders.iter().find(|(_, folder)| folder.name == name);
        found
            .unwrap_or_else(|| panic!("no folder {name:?}: {:?}", self.folders))
            .0
            .clone()
    }

    /// The copy of a folder; an empty one if it was never synced.
    pub(crate) fn collection(&mut self, id: &str) -> &mut Collection {
        let kind = self.folders.get(id).unwrap_or_else(|| panic!("no folder {id}")).kind;
        let class = CLASSES
            .iter()
            .find(|(known, _)| *known == kind)
            .map_or("Email", |(_, class)| class);
        self.collections
            .entry(id.to_owned())
            .or_insert_with(|| Collection::new(id, class))
    }

    pub(crate) fn items(&self, id: &str) -> &BTreeMap<String, Element> {
        &self
            .collections
            .get(id)
            .unwrap_or_else(|| panic!("{id} was never synced"))
            .items
    }

    pub(crate) fn item(&self, collection: &str, server_id: &str) -> &Element {
        let item = self.items(collection).get(server_id);
        item.unwrap_or_else(|| panic!("the phone has no {server_id}: {:?}", self.items(collection).keys()))
    }

    /// Adds an item on the phone; returns its ClientId. The next Sync tells the server.
    pub(crate) fn add(&mut self, collection: &str, data: Vec<Element>) -> String {
        let client_id = format!("new-{}", self.next_client_id);
        self.next_client_id += 1;
        self.collection(collection).pending.push(Local::Add {
            client_id: client_id.clone(),
            data,
            send: false,
        });
        client_id
    }

    /// 16.x: the draft that was added or changed last goes out.
    pub(crate) fn send_draft(&mut self, collection: &str) {
        match self.collection(collection).pending.last_mut() {
            Some(Local::Add { send, .. } | Local::Change { send, .. }) => *send = true,
            other => panic!("{other:?} is no draft"),
        }
    }

    pub(crate) fn change(&mut self, collection: &str, server_id: &str, data: Vec<Element>) {
        self.collection(collection).pending.push(Local::Change {
            server_id: server_id.to_owned(),
            instance: None,
            data,
            send: false,
        });
    }

    /// 16.x: changes one occurrence of a series.
    pub(crate) fn change_instance(&mut self, collection: &str, server_id: &str, instance: &str, data: Vec<Element>) {
        self.collection(collection).pending.push(Local::Change {
            server_id: server_id.to_owned(),
            instance: Some(instance.to_owned()),
            data,
            send: false,
        });
    }

    pub(crate) fn delete(&mut self, collection: &str, server_id: &str) {
        self.collection(collection).pending.push(Local::Delete {
            server_id: server_id.to_owned(),
            instance: None,
        });
    }

    /// 16.x: deletes one occurrence of a series.
    pub(crate) fn delete_instance(&mut self, collection: &str, server_id: &str, instance: &str) {
        self.collection(collection).pending.push(Local::Delete {
            server_id: server_id.to_owned(),
            instance: Some(instance.to_owned()),
        });
    }

    pub(crate) fn fetch(&mut self, collection: &str, server_id: &str) {
        self.collection(collection).pending.push(Local::Fetch {
            server_id: server_id.to_owned(),
        });
    }

    /// Syncs one collection until there is nothing more on either side; panics unless it succeeds.
    pub(crate) fn sync(&mut self, id: &str) -> Synced {
        let synced = self.try_sync(id);
        assert_eq!(synced.status, 1, "Status of collection {id}: {synced:?}");
        synced
    }

    /// The same, and a status other than 1 ends it.
    pub(crate) fn try_sync(&mut self, id: &str) -> Synced {
        let mut synced = Synced::default();
        if self.collection(id).key == "0" {
            let first = self.sync_once(id);
            if first.status != 1 {
                return first;
            }
            assert_eq!(first.commands(), 0);
        }
        loop {
            synced.append(self.sync_once(id));
            if synced.status != 1 || !synced.more_available {
                return synced;
            }
            assert!(synced.rounds < MOST_ROUNDS, "{id} has no end");
        }
    }

    /// One request and its answer.
    pub(crate) fn sync_once(&mut self, id: &str) -> Synced {
        let request = self.sync_request(&[id]);
        let answers = self.take_sync(&[id], &request);
        answers.into_iter().next().map(|(_, synced)| synced).unwrap_or_default()
    }

    /// Several collections in one request.
    pub(crate) fn sync_together(&mut self, ids: &[&str]) -> BTreeMap<String, Synced> {
        let request = self.sync_request(ids);
        self.take_sync(ids, &request)
    }

    /// Sends a Sync whose answer never reaches the phone. What it did locally stays to be sent, under the old key.
    pub(crate) fn sync_and_lose(&mut self, id: &str, loss: Loss) {
        let request = self.sync_request(&[id]);
        match loss {
            Loss::HungUp => self.link.door.hang_up(&request).unwrap(),
            Loss::Forgotten => {
                let answer = self.link.exchange(&request);
                self.link.read(&answer);
            }
        }
    }

    /// The Sync that the phone would send now.
    pub(crate) fn sync_request(&mut self, ids: &[&str]) -> Request {
        let version = self.version();
        let collections: Vec<Element> = ids.iter().map(|id| self.collection(id).request(version)).collect();
        self.link.wbxml("Sync", &sync_document(collections, []))
    }

    /// Sends a Sync and takes its answer in.
    pub(crate) fn take_sync(&mut self, ids: &[&str], request: &Request) -> BTreeMap<String, Synced> {
        let answer = self.link.exchange(request);
        self.take_sync_answer(ids, &answer)
    }

    /// Takes the answer to a Sync in. An empty one is success for all.
    pub(crate) fn take_sync_answer(&mut self, ids: &[&str], answer: &Answer) -> BTreeMap<String, Synced> {
        let mut answers: BTreeMap<String, Synced> = ids
            .iter()
            .map(|id| {
                let quiet = Synced {
                    status: 1,
                    rounds: 1,
                    ..Synced::default()
                };
                ((*id).to_owned(), quiet)
            })
            .collect();
        let Some(root) = self.link.read(answer) else {
            assert!(self.version() >= ProtocolVersion::V12_1, "an empty answer");
            for id in ids {
                let collection = self.collection(id);
                let unanswered = collection
                    .pending
                    .iter()
                    .any(|local| matches!(local, Local::Add { .. }));
                assert!(
                    !unanswered && collection.key != "0",
                    "an empty answer to what needs one"
                );
            }
            return answers;
        };
        assert_eq!(root.tag, airsync::SYNC);
        let Some(collections) = root.child(airsync::COLLECTIONS) else {
            let status = collection::number(&root, airsync::STATUS);
            answers.values_mut().for_each(|synced| synced.status = status);
            return answers;
        };
        for answer in collections.children() {
            let id = answer.child_text(airsync::COLLECTION_ID).unwrap_or_default();
            assert!(ids.contains(&id), "{id} was not asked for:\n{}", strict::text_of(&root));
            let mut synced = self.collection(id).apply(answer);
            synced.rounds = 1;
            answers.insert(id.to_owned(), synced);
        }
        let complete = collections.children().len() == ids.len() || self.version() >= ProtocolVersion::V14_0;
        assert!(complete, "a collection is missing:\n{}", strict::text_of(&root));
        answers
    }
}

/// A Sync request; `more` stands beside Collections (Wait, WindowSize).
pub(crate) fn sync_document(collections: Vec<Element>, more: impl IntoIterator<Item = Element>) -> Element {
    let mut root = Element::parent(airsync::SYNC, [Element::parent(airsync::COLLECTIONS, collections)]);
    root.extend(more);
    root
}
