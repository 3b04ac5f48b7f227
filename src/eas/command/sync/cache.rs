//! The last Sync request of a device, for requests that leave out what did not change.
//!
//! Pure. An empty request repeats the last one: its keys are those the device sent, since an answer that brought new
//! keys would have been followed by a request that names them. A Partial request names what is different: if it comes
//! with a key from the last answer, the device has that answer, and what it does not name goes on from there too; else the
//! answer may be lost, and what it brought comes once more. Implements [MS-ASCMD] "Empty Sync Request" and Partial.

use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsync as tag;

/// What of a collection is repeated. Changes of the device are not, and Supported belongs to the first request alone.
const REPEATED: [Tag; 8] = [
    tag::CLASS,
    tag::SYNC_KEY,
    tag::COLLECTION_ID,
    tag::DELETES_AS_MOVES,
    tag::GET_CHANGES,
    tag::WINDOW_SIZE,
    tag::CONVERSATION_MODE,
    tag::OPTIONS,
];

/// What stands beside the collections; a request that names one of them replaces it.
const GLOBAL: [Tag; 3] = [tag::WAIT, tag::HEARTBEAT_INTERVAL, tag::WINDOW_SIZE];

/// What is kept of a whole request; `None` if nothing of it can be repeated.
pub(super) fn kept(root: &Element) -> Option<Element> {
    let collections = root
        .child(tag::COLLECTIONS)?
        .children_of(tag::COLLECTION)
        .filter(|it| has_state(it));
    let collections: Vec<Element> = collections.map(repeatable).collect();
    if collections.is_empty() {
        return None;
    }
    let mut kept = Element::parent(tag::SYNC, [Element::parent(tag::COLLECTIONS, collections)]);
    kept.extend(
        root.children()
            .iter()
            .filter(|child| GLOBAL.contains(&child.tag))
            .cloned(),
    );
    Some(kept)
}

/// A Partial request made whole: collections it does not name are those of the request before.
/// `answered` has the keys of the last answer.
pub(super) fn completed(partial: &Element, last: &Element, answered: Option<&Element>) -> Element {
    let named = collections(partial);
    let is_named = |collection: &Element| named.iter().any(|other| id(other) == id(collection));
    let keys: Vec<(Option<&str>, Option<&str>)> = answered
        .map(collections)
        .unwrap_or_default()
        .into_iter()
        .map(|collection| (id(collection), key(collection)))
        .collect();
    let was_sent = |collection: &Element| {
        let before = collections(last).into_iter().find(|other| id(other) == id(collection));
        before.and_then(key) == key(collection)
    };
    let has_answer = named
        .iter()
        .any(|collection| !was_sent(collection) && keys.contains(&(id(collection), key(collection))));
    let unnamed = collections(last).into_iter().filter(|collection| !is_named(collection));
    let unnamed = unnamed.map(|collection| {
        let newer = keys.iter().find(|(of, _)| has_answer && *of == id(collection));
        match newer {
            Some((_, Some(newer))) => with_key(collection, newer),
            _ => collection.clone(),
        }
    });
    let all: Vec<Element> = named.iter().copied().cloned().chain(unnamed).collect();
    let mut whole = Element::parent(tag::SYNC, [Element::parent(tag::COLLECTIONS, all)]);
    let waits = |root: &Element| {
        root.child(tag::WAIT)
            .or_else(|| root.child(tag::HEARTBEAT_INTERVAL))
            .cloned()
    };
    whole.extend(waits(partial).or_else(|| waits(last)));
    let window = |root: &Element| root.child(tag::WINDOW_SIZE).cloned();
    whole.extend(window(partial).or_else(|| window(last)));
    whole
}

/// The ids and keys of an answer, for [`completed`].
pub(super) fn answered<'a>(keys: impl Iterator<Item = (&'a str, &'a str)>) -> Element {
    let collections = keys.map(|(id, key)| {
        Element::parent(
            tag::COLLECTION,
            [Element::text(tag::SYNC_KEY, key), Element::text(tag::COLLECTION_ID, id)],
        )
    });
    Element::parent(tag::SYNC, [Element::parent(tag::COLLECTIONS, collections)])
}

/// Partial alone says nothing.
pub(super) fn says_something(partial: &Element) -> bool {
    partial
        .children()
        .iter()
        .any(|child| child.tag == tag::COLLECTIONS || GLOBAL.contains(&child.tag))
}

fn collections(root: &Element) -> Vec<&Element> {
    root.child(tag::COLLECTIONS)
        .into_iter()
        .flat_map(|list| list.children_of(tag::COLLECTION))
        .collect()
}

fn id(collection: &Element) -> Option<&str> {
    collection.child_text(tag::COLLECTION_ID).map(str::trim)
}

fn key(collection: &Element) -> Option<&str> {
    collection.child_text(tag::SYNC_KEY).map(str::trim)
}

fn with_key(collection: &Element, key: &str) -> Element {
    let children = collection.children().iter().map(|child| match child.tag {
        tag::SYNC_KEY => Element::text(tag::SYNC_KEY, key),
        _ => child.clone(),
    });
    Element::parent(tag::COLLECTION, children)
}

/// A first request is never repeated: it would start anew.
fn has_state(collection: &Element) -> bool {
    key(collection).is_some_and(|key| key != "0")
}

fn repeatable(collection: &Element) -> Element {
    let children = collection
        .children()
        .iter()
        .filter(|child| REPEATED.contains(&child.tag))
        .cloned();
    Element::parent(tag::COLLECTION, children)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection(id: &str, key: &str, more: Vec<Element>) -> Element {
        let mut collection = Element::parent(
            tag::COLLECTION,
            [Element::text(tag::SYNC_KEY, key), Element::text(tag::COLLECTION_ID, id)],
        );
        collection.extend(more);
        collection
    }

    fn sync(collections: Vec<Element>, more: Vec<Element>) -> Element {
        let mut root = Element::parent(tag::SYNC, [Element::parent(tag::COLLECTIONS, collections)]);
        root.extend(more);
        root
    }

    #[test]
    fn changes_and_first_requests_are_not_kept() {
        let commands = Element::parent(tag::COMMANDS, [Element::empty(tag::DELETE)]);
        let wait = Element::text(tag::WAIT, "8");
        let root = sync(
            vec![collection("1", "5", vec![commands]), collection("2", "0", Vec::new())],
            vec![wait.clone()],
        );
        let expected = sync(vec![collection("1", "5", Vec::new())], vec![wait]);
        assert_eq!(kept(&root), Some(expected));
        assert_eq!(kept(&sync(vec![collection("2", "0", Vec::new())], Vec::new())), None);
        assert_eq!(kept(&Element::empty(tag::SYNC)), None);
    }

    #[test]
    fn a_partial_request_overrides_what_it_names() {
        let seconds = |text| Element::text(tag::HEARTBEAT_INTERVAL, text);
        let last = sync(
            vec![collection("1", "5", Vec::new()), collection("2", "7", Vec::new())],
            vec![seconds("600")],
        );
        let partial = sync(
            vec![collection("2", "8", Vec::new())],
            vec![Element::empty(tag::PARTIAL)],
        );
        let expected = sync(
            vec![collection("2", "8", Vec::new()), collection("1", "5", Vec::new())],
            vec![seconds("600")],
        );
        assert_eq!(completed(&partial, &last, None), expected);
        let longer = Element::parent(tag::SYNC, [seconds("900"), Element::empty(tag::PARTIAL)]);
        assert_eq!(
            completed(&longer, &last, None).child(tag::HEARTBEAT_INTERVAL),
            Some(&seconds("900"))
        );
        assert!(says_something(&longer));
        assert!(!says_something(&Element::parent(
            tag::SYNC,
            [Element::empty(tag::PARTIAL)]
        )));
    }

    /// The key of 1 that the device comes with, and the key of 2 that is gone on from: 1 was 5 and 2 was 7, and the answer
    /// brought 6 and 8.
    #[test]
    fn who_has_the_last_answer_goes_on_from_it() {
        let last = sync(
            vec![collection("1", "5", Vec::new()), collection("2", "7", Vec::new())],
            Vec::new(),
        );
        let answered = answered([("1", "6"), ("2", "8")].into_iter());
        for (sent, expected) in [("6", "8"), ("5", "7"), ("4", "7")] {
            let partial = sync(vec![collection("1", sent, Vec::new())], Vec::new());
            let whole = completed(&partial, &last, Some(&answered));
            assert_eq!(key(collections(&whole)[1]), Some(expected), "{sent}");
        }
    }
}
