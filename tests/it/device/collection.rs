//! A phone's copy of one folder, and what was done there that the server does not know yet.
//!
//! The copy believes nothing: an item that comes twice, or a change of an item that is not there, ends the test with
//! the answer as text. Implements the device's side of [MS-ASCMD] Sync.

use std::collections::BTreeMap;

use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage::airsync as tag;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::email2;

use super::strict::text_of;

/// Something done on the phone, until the server confirms it.
#[derive(Clone, Debug)]
pub(crate) enum Local {
    Add {
        client_id: String,
        data: Vec<Element>,
        /// 16.x: a draft that goes out at once.
        send: bool,
    },
    Change {
        server_id: String,
        /// 16.x: one occurrence of a series.
        instance: Option<String>,
        data: Vec<Element>,
        /// 16.x: a draft that goes out.
        send: bool,
    },
    Delete {
        server_id: String,
        instance: Option<String>,
    },
    Fetch {
        server_id: String,
    },
}

/// One folder on the phone.
#[derive(Clone, Debug)]
pub(crate) struct Collection {
    pub(crate) id: String,
    /// `Email`, `Calendar`, `Contacts` or `Tasks`.
    pub(crate) class: &'static str,
    pub(crate) key: String,
    /// ServerId to ApplicationData.
    pub(crate) items: BTreeMap<String, Element>,
    /// Sent with every request, unless empty.
    pub(crate) options: Vec<Element>,
    pub(crate) window: usize,
    pub(crate) supported: Option<Element>,
    /// `None`: what the protocol says when it is absent.
    pub(crate) deletes_as_moves: Option<bool>,
    pub(crate) wants_changes: bool,
    pub(crate) pending: Vec<Local>,
}

/// What one or more answers brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Synced {
    /// Of the collection; 1 is success.
    pub(crate) status: i64,
    /// ServerIds, in the order they came.
    pub(crate) added: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) deleted: Vec<String>,
    pub(crate) soft_deleted: Vec<String>,
    /// ClientId to ServerId, of Adds that succeeded.
    pub(crate) new_ids: BTreeMap<String, String>,
    /// ClientId or ServerId and Status, of what failed.
    pub(crate) refused: Vec<(String, i64)>,
    /// ClientId or ServerId, and what the server says that it made of an item.
    pub(crate) made: BTreeMap<String, Element>,
    /// What Fetch brought.
    pub(crate) fetched: BTreeMap<String, Element>,
    pub(crate) more_available: bool,
    /// Requests it took.
    pub(crate) rounds: usize,
}

impl Synced {
    /// Whether nothing at all came from the server.
    pub(crate) fn is_quiet(&self) -> bool {
        self.commands() == 0
    }

    pub(crate) fn commands(&self) -> usize {
        self.added.len() + self.changed.len() + self.deleted.len() + self.soft_deleted.len()
    }

    pub(crate) fn append(&mut self, next: Self) {
        self.status = next.status;
        self.added.extend(next.added);
        self.changed.extend(next.changed);
        self.deleted.extend(next.deleted);
        self.soft_deleted.extend(next.soft_deleted);
        self.new_ids.extend(next.new_ids);
        self.refused.extend(next.refused);
        self.made.extend(next.made);
        self.fetched.extend(next.fetched);
        self.more_available = next.more_available;
        self.rounds += next.rounds;
    }
}

impl Collection {
    pub(crate) fn new(id: &str, class: &'static str) -> Self {
        Self {
            id: id.to_owned(),
            class,
            key: "0".to_owned(),
            items: BTreeMap::new(),
            options: Vec::new(),
            window: 100,
            supported: None,
            deletes_as_moves: None,
            wants_changes: true,
            pending: Vec::new(),
        }
    }

    /// The collection in a Sync request, its children in the documented order.
    pub(crate) fn request(&self, version: ProtocolVersion) -> Element {
        let first = self.key == "0";
        let mut children = Vec::new();
        if version <= V12_1 {
            children.push(Element::text(tag::CLASS, self.class));
        }
        children.push(Element::text(tag::SYNC_KEY, self.key.clone()));
        children.push(Element::text(tag::COLLECTION_ID, self.id.clone()));
        if first {
            children.extend(self.supported.clone());
        } else {
            children.extend(
                self.deletes_as_moves
                    .map(|flag| Element::flag(tag::DELETES_AS_MOVES, flag)),
            );
            children.push(Element::flag(tag::GET_CHANGES, self.wants_changes));
            children.push(Element::text(tag::WINDOW_SIZE, self.window.to_string()));
        }
        if !self.options.is_empty() {
            children.push(Element::parent(tag::OPTIONS, self.options.clone()));
        }
        if !first && !self.pending.is_empty() {
            children.push(Element::parent(tag::COMMANDS, self.pending.iter().map(Local::command)));
        }
        Element::parent(tag::COLLECTION, children)
    }

    /// Takes an answer in: the key, the answers to what was sent, the changes from the server.
    pub(crate) fn apply(&mut self, answer: &Element) -> Synced {
        let mut synced = Synced {
            status: number(answer, tag::STATUS),
            more_available: answer.child(tag::MORE_AVAILABLE).is_some(),
            ..Synced::default()
        };
        if synced.status != 1 {
            return synced;
        }
        let first = self.key == "0";
        let key = answer.child_text(tag::SYNC_KEY).unwrap_or_default();
        assert!(
            !key.is_empty() && key != "0" && key.len() <= 64,
            "SyncKey:\n{}",
            text_of(answer)
        );
        self.key = key.to_owned();
        let sent = if first {
            Vec::new()
        } else {
            std::mem::take(&mut self.pending)
        };
        let responses = answer.child(tag::RESPONSES).map_or(&[][..], Element::children);
        self.take_responses(sent, responses, &mut synced, answer);
        let commands = answer.child(tag::COMMANDS).map_or(&[][..], Element::children);
        assert!(
            !first || commands.is_empty(),
            "items before the first key is used:\n{}",
            text_of(answer)
        );
        assert!(
            commands.len() <= self.window,
            "more than {} commands:\n{}",
            self.window,
            text_of(answer)
        );
        // A phone would ask again at once, for nothing.
        assert!(
            !synced.more_available || !commands.is_empty() || !responses.is_empty(),
            "MoreAvailable without anything:\n{}",
            text_of(answer)
        );
        for command in commands {
            self.take_command(command, &mut synced, answer);
        }
        synced
    }

    /// Every Add is answered; of the others, only what failed.
    fn take_responses(&mut self, sent: Vec<Local>, responses: &[Element], synced: &mut Synced, answer: &Element) {
        let mut left: Vec<&Element> = responses.iter().collect();
        for local in sent {
            let place = left.iter().position(|response| local.is_answered_by(response));
            let response = place.map(|place| left.remove(place));
            let status = response.map_or(1, |response| number(response, tag::STATUS));
            let id = local.id().to_owned();
            if status != 1 {
                synced.refused.push((id, status));
                continue;
            }
            if let Some(data) = response.and_then(|response| response.child(tag::APPLICATION_DATA)) {
                synced.made.insert(id, data.clone());
            }
            match local {
                Local::Add { client_id, data, .. } => {
                    let response =
                        response.unwrap_or_else(|| panic!("{client_id} has no answer:\n{}", text_of(answer)));
                    let server_id = id_of(response, answer);
                    let data = Element::parent(tag::APPLICATION_DATA, data);
                    let before = self.items.insert(server_id.clone(), data);
                    assert!(before.is_none(), "{server_id} is given twice:\n{}", text_of(answer));
                    synced.new_ids.insert(client_id, server_id);
                }
                Local::Change {
                    server_id,
                    instance: None,
                    data,
                    ..
                } => {
                    if let Some(item) = self.items.get_mut(&server_id) {
                        merge(item, &data);
                    }
                }
                Local::Delete {
                    server_id,
                    instance: None,
                } => drop(self.items.remove(&server_id)),
                Local::Change { .. } | Local::Delete { .. } => {}
                Local::Fetch { server_id } => {
                    let data = response.and_then(|response| response.child(tag::APPLICATION_DATA));
                    let data = data.unwrap_or_else(|| panic!("{server_id} is not fetched:\n{}", text_of(answer)));
                    synced.fetched.insert(server_id, data.clone());
                }
            }
        }
        assert!(
            left.is_empty(),
            "answers to what was not sent: {left:?}\n{}",
            text_of(answer)
        );
    }

    fn take_command(&mut self, command: &Element, synced: &mut Synced, answer: &Element) {
        let id = id_of(command, answer);
        let known = self.items.contains_key(&id);
        let data = || {
            let data = command.child(tag::APPLICATION_DATA);
            data.unwrap_or_else(|| panic!("{id} has no ApplicationData:\n{}", text_of(answer)))
                .clone()
        };
        match command.tag {
            tag::ADD => {
                assert!(!known, "{id} is added again:\n{}", text_of(answer));
                self.items.insert(id.clone(), data());
                synced.added.push(id);
            }
            tag::CHANGE => {
                let partial = self.class == "Email";
                let item = self.items.get_mut(&id);
                let item = item.unwrap_or_else(|| panic!("{id} is changed and unknown:\n{}", text_of(answer)));
                match partial {
                    true => merge(item, data().children()),
                    false => *item = data(),
                }
                synced.changed.push(id);
            }
            tag::DELETE | tag::SOFT_DELETE => {
                assert!(known, "{id} is deleted and unknown:\n{}", text_of(answer));
                self.items.remove(&id);
                match command.tag {
                    tag::DELETE => synced.deleted.push(id),
                    _ => synced.soft_deleted.push(id),
                }
            }
            other => panic!("{other:?} is no command:\n{}", text_of(answer)),
        }
    }
}

impl Local {
    fn command(&self) -> Element {
        let data = |data: &[Element]| Element::parent(tag::APPLICATION_DATA, data.to_vec());
        let server_id = |id: &str| Element::text(tag::SERVER_ID, id);
        let instance_id = |id: &String| Element::text(airsyncbase::INSTANCE_ID, id.clone());
        match self {
            Self::Add {
                client_id,
                data: it,
                send,
            } => {
                let mut add = Element::parent(tag::ADD, [Element::text(tag::CLIENT_ID, client_id.clone()), data(it)]);
                add.extend(send.then(|| Element::empty(email2::SEND)));
                add
            }
            Self::Change {
                server_id: id,
                instance,
                data: it,
                send,
            } => {
                let mut change = Element::parent(tag::CHANGE, [server_id(id)]);
                change.extend(instance.as_ref().map(instance_id));
                change.push(data(it));
                change.extend(send.then(|| Element::empty(email2::SEND)));
                change
            }
            Self::Delete {
                server_id: id,
                instance,
            } => {
                let mut delete = Element::parent(tag::DELETE, [server_id(id)]);
                delete.extend(instance.as_ref().map(instance_id));
                delete
            }
            Self::Fetch { server_id: id } => Element::parent(tag::FETCH, [server_id(id)]),
        }
    }

    /// ClientId of an Add, else ServerId.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Add { client_id, .. } => client_id,
            Self::Change { server_id, .. } | Self::Delete { server_id, .. } | Self::Fetch { server_id } => server_id,
        }
    }

    fn is_answered_by(&self, response: &Element) -> bool {
        let (tag, id) = match self {
            Self::Add { .. } => (tag::ADD, tag::CLIENT_ID),
            Self::Change { .. } => (tag::CHANGE, tag::SERVER_ID),
            Self::Delete { .. } => (tag::DELETE, tag::SERVER_ID),
            Self::Fetch { .. } => (tag::FETCH, tag::SERVER_ID),
        };
        response.tag == tag && response.child_text(id) == Some(self.id())
    }
}

/// Puts properties over those of the same name.
fn merge(item: &mut Element, data: &[Element]) {
    let kept = item
        .children()
        .iter()
        .filter(|old| data.iter().all(|new| new.tag != old.tag))
        .cloned();
    *item = Element::parent(item.tag, kept.chain(data.iter().cloned()).collect::<Vec<_>>());
}

fn id_of(element: &Element, answer: &Element) -> String {
    let id = element.child_text(tag::SERVER_ID).unwrap_or_default();
    let harmless = |c: char| c.is_ascii_alphanumeric() || ":._~-".contains(c);
    let good = (1..=64).contains(&id.len()) && id.chars().all(harmless);
    assert!(good, "ServerId {id:?}:\n{}", text_of(answer));
    id.to_owned()
}

pub(crate) fn number(parent: &Element, tag: Tag) -> i64 {
    let number = parent.child_text(tag).and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("{tag:?} is no number:\n{}", text_of(parent)))
}
