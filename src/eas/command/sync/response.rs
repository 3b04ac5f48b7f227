//! A Sync answer as elements, in the documented order.
//!
//! Pure. MoreAvailable stands between Status and Responses, Responses before Commands, and no container is ever empty.
//! Implements [MS-ASCMD] Sync (response).

use crate::content::Class;
use crate::eas::items::Loaded;
use crate::eas::options::TEXT_MESSAGE;
use crate::eas::status::Status;
use crate::usm::settle::Answer;
use crate::usm::settle::Unsendable;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V12_1;
use crate::version::ProtocolVersion::V14_0;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsync as tag;
use crate::wbxml::codepage::airsyncbase;

/// The class is echoed first in a collection in these versions.
const ECHOES_CLASS: VersionRange = VersionRange::until(V12_1);

/// An answer without a body says that nothing changed in these versions.
const MAY_BE_EMPTY: VersionRange = VersionRange::since(V12_1);

/// A collection in which nothing changed may be left out in these versions.
const MAY_LEAVE_OUT: VersionRange = VersionRange::since(V14_0);

/// Statuses of a collection.
pub(super) const SUCCESS: i64 = 1;
pub(super) const INVALID_SYNC_KEY: i64 = 3;
pub(super) const PROTOCOL_ERROR: i64 = 4;
pub(super) const SERVER_ERROR: i64 = 5;
pub(super) const OBJECT_NOT_FOUND: i64 = 8;
pub(super) const HIERARCHY_CHANGED: i64 = 12;
pub(super) const NOTHING_CACHED: i64 = 13;
pub(super) const INVALID_WAIT: i64 = 14;
pub(super) const TOO_MANY_COLLECTIONS: i64 = 15;

/// Statuses of an item beside those.
const CONVERSION_ERROR: i64 = 6;
const CONFLICT: i64 = 7;
const NO_ROOM: i64 = 9;

/// What one collection answers.
#[derive(Debug)]
pub(super) struct Collection {
    pub(super) class: Option<Class>,
    pub(super) id: String,
    pub(super) sync_key: String,
    pub(super) status: i64,
    pub(super) more_available: bool,
    pub(super) responses: Vec<Element>,
    pub(super) commands: Vec<Element>,
    /// The device has to take something from this answer, at least a new key.
    pub(super) is_news: bool,
}

impl Collection {
    /// A collection that failed: its key is the one the device sent.
    pub(super) fn failed(id: &str, sync_key: &str, status: i64) -> Self {
        Self {
            class: None,
            id: id.to_owned(),
            sync_key: sync_key.to_owned(),
            status,
            more_available: false,
            responses: Vec::new(),
            commands: Vec::new(),
            is_news: true,
        }
    }
}

/// The whole answer; `None` if it may be empty.
pub(super) fn build(collections: Vec<Collection>, version: ProtocolVersion) -> Option<Element> {
    let nothing_new = collections.iter().all(|collection| !collection.is_news);
    if nothing_new && MAY_BE_EMPTY.contains(version) {
        return None;
    }
    let leave_out = MAY_LEAVE_OUT.contains(version);
    let told = collections
        .into_iter()
        .filter(|collection| collection.is_news || !leave_out);
    let elements: Vec<Element> = told.map(|collection| element(collection, version)).collect();
    if elements.is_empty() {
        // Nothing was asked for, and the version has no empty answer: some devices do not survive empty Collections.
        return Some(refused(SUCCESS, None));
    }
    Some(Element::parent(
        tag::SYNC,
        [Element::parent(tag::COLLECTIONS, elements)],
    ))
}

/// An answer without collections.
pub(super) fn refused(status: i64, limit: Option<u64>) -> Element {
    let mut root = Element::parent(tag::SYNC, [Element::number(tag::STATUS, status)]);
    if let Some(limit) = limit {
        root.push(Element::text(tag::LIMIT, limit.to_string()));
    }
    root
}

fn element(collection: Collection, version: ProtocolVersion) -> Element {
    let mut children = Vec::new();
    if ECHOES_CLASS.contains(version) {
        children.extend(collection.class.map(|class| Element::text(tag::CLASS, class.name())));
    }
    children.push(Element::text(tag::SYNC_KEY, collection.sync_key));
    children.push(Element::text(tag::COLLECTION_ID, collection.id));
    children.push(Element::number(tag::STATUS, collection.status));
    if collection.more_available {
        children.push(Element::empty(tag::MORE_AVAILABLE));
    }
    for (tag, list) in [
        (tag::RESPONSES, collection.responses),
        (tag::COMMANDS, collection.commands),
    ] {
        if !list.is_empty() {
            children.push(Element::parent(tag, list));
        }
    }
    Element::parent(tag::COLLECTION, children)
}

/// [MS-ASCMD] Status (Sync), of one item; of drafts, common statuses as well.
pub(super) fn status_of(answer: &Answer) -> i64 {
    match answer {
        Answer::Done { .. } => SUCCESS,
        Answer::Rejected => CONVERSION_ERROR,
        Answer::Conflict => CONFLICT,
        Answer::NotFound => OBJECT_NOT_FOUND,
        Answer::Full => NO_ROOM,
        Answer::Unsendable(Unsendable::Recipients) => i64::from(Status::INVALID_RECIPIENTS.0),
        Answer::Unsendable(Unsendable::TooLarge) => i64::from(Status::ATTACHMENT_IS_TOO_LARGE.0),
        Answer::Unsendable(Unsendable::Refused) => i64::from(Status::MAIL_SUBMISSION_FAILED.0),
    }
}

/// The answer to an Add: the new id, and what the server made itself.
pub(super) fn added(client_id: &str, server_id: &str, made: Vec<Element>) -> Element {
    let mut element = Element::parent(
        tag::ADD,
        [
            Element::text(tag::CLIENT_ID, client_id),
            Element::text(tag::SERVER_ID, server_id),
            Element::number(tag::STATUS, SUCCESS),
        ],
    );
    if !made.is_empty() {
        element.push(Element::parent(tag::APPLICATION_DATA, made));
    }
    element
}

/// The answer to a Change that succeeded and for which the server made something; others are silent.
pub(super) fn changed(server_id: &str, made: Vec<Element>) -> Element {
    Element::parent(
        tag::CHANGE,
        [
            Element::text(tag::SERVER_ID, server_id),
            Element::number(tag::STATUS, SUCCESS),
            Element::parent(tag::APPLICATION_DATA, made),
        ],
    )
}

/// The answer to the addition of a text message, which is kept nowhere. Its class is not that of the folder.
pub(super) fn text_message(client_id: &str, server_id: &str) -> Element {
    Element::parent(
        tag::ADD,
        [
            Element::text(tag::CLASS, TEXT_MESSAGE),
            Element::text(tag::CLIENT_ID, client_id),
            Element::text(tag::SERVER_ID, server_id),
            Element::number(tag::STATUS, SUCCESS),
        ],
    )
}

/// The answer to an Add that failed.
pub(super) fn not_added(client_id: &str, status: i64) -> Element {
    Element::parent(
        tag::ADD,
        [
            Element::text(tag::CLIENT_ID, client_id),
            Element::number(tag::STATUS, status),
        ],
    )
}

/// The answer to a Change, Delete or Fetch that failed; of the first two, success is silent.
pub(super) fn failed(tag: Tag, server_id: &str, instance: Option<&str>, status: i64) -> Element {
    let mut element = Element::parent(tag, [Element::text(tag::SERVER_ID, server_id)]);
    if let Some(instance) = instance {
        element.push(Element::text(airsyncbase::INSTANCE_ID, instance));
    }
    element.push(Element::number(tag::STATUS, status));
    element
}

/// The answer to a Fetch.
pub(super) fn fetched(server_id: &str, loaded: Loaded) -> Element {
    let (status, data) = match loaded {
        Loaded::Item { data, .. } => (SUCCESS, Some(data)),
        Loaded::Unconvertible(_) => (CONVERSION_ERROR, None),
        Loaded::Vanished => (OBJECT_NOT_FOUND, None),
    };
    let mut element = Element::parent(
        tag::FETCH,
        [
            Element::text(tag::SERVER_ID, server_id),
            Element::number(tag::STATUS, status),
        ],
    );
    if let Some(data) = data {
        element.push(Element::parent(tag::APPLICATION_DATA, data));
    }
    element
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::ProtocolVersion::V2_5;

    fn collection(is_news: bool) -> Collection {
        Collection {
            class: Some(Class::Email),
            is_news,
            more_available: true,
            responses: vec![added("c", "7:1", Vec::new())],
            commands: vec![Element::parent(tag::DELETE, [Element::text(tag::SERVER_ID, "7:2")])],
            ..Collection::failed("7", "13", SUCCESS)
        }
    }

    #[test]
    fn order_of_a_collection() {
        let root = build(vec![collection(true)], V2_5).unwrap();
        let collection = &root.children()[0].children()[0];
        let tags: Vec<_> = collection.children().iter().map(|child| child.tag).collect();
        let expected = [
            tag::CLASS,
            tag::SYNC_KEY,
            tag::COLLECTION_ID,
            tag::STATUS,
            tag::MORE_AVAILABLE,
            tag::RESPONSES,
            tag::COMMANDS,
        ];
        assert_eq!(tags, expected);
    }

    #[test]
    fn nothing_new_by_version() {
        // version, collections in the answer (None: no body)
        let cases = [
            (V2_5, Some(1)),
            (ProtocolVersion::V12_0, Some(1)),
            (V12_1, None),
            (V14_0, None),
        ];
        for (version, expected) in cases {
            let root = build(vec![collection(false)], version);
            assert_eq!(
                root.map(|root| root.children()[0].children().len()),
                expected,
                "{version}"
            );
        }
        assert_eq!(build(Vec::new(), V2_5), Some(refused(SUCCESS, None)));
        let mixed = |version| build(vec![collection(false), collection(true)], version).unwrap();
        assert_eq!(mixed(V12_1).children()[0].children().len(), 2);
        assert_eq!(mixed(V14_0).children()[0].children().len(), 1);
    }
}
