//! What a strict phone does not forgive: each is known to break some device, or is forbidden by the documents.
//!
//! Every failure shows the whole document as text.

use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::folderhierarchy;
use oxtender::wbxml::xml;

use super::http::Answer;

/// Containers that are left out where there is nothing to put in.
const NEVER_EMPTY: [Tag; 11] = [
    airsync::SYNC,
    airsync::COLLECTIONS,
    airsync::COLLECTION,
    airsync::COMMANDS,
    airsync::RESPONSES,
    airsync::SYNC_KEY,
    folderhierarchy::CHANGES,
    airsyncbase::ATTACHMENTS,
    airsyncbase::BODY,
    calendar::ATTENDEES,
    contacts::CHILDREN,
];

/// [MS-ASCMD] Collection (Sync response), in the order in which Windows Mobile wants the children.
const COLLECTION: [Tag; 7] = [
    airsync::CLASS,
    airsync::SYNC_KEY,
    airsync::COLLECTION_ID,
    airsync::STATUS,
    airsync::MORE_AVAILABLE,
    airsync::RESPONSES,
    airsync::COMMANDS,
];

/// [MS-ASAIRS] Body (response).
const BODY: [Tag; 6] = [
    airsyncbase::TYPE,
    airsyncbase::ESTIMATED_DATA_SIZE,
    airsyncbase::TRUNCATED,
    airsyncbase::DATA,
    codepage::itemoperations::PART,
    airsyncbase::PREVIEW,
];

/// What every answer of an ActiveSync server has, whatever it says.
pub(crate) fn check_http(answer: &Answer) {
    if answer.status == 404 {
        return;
    }
    let wants = |what: bool, rule: &str| assert!(what, "{rule}: {} {answer:?}", answer.status);
    wants(answer.header("MS-Server-ActiveSync").is_some(), "names no server");
    wants(
        answer.header("Cache-Control") == Some("private"),
        "may be kept by a cache",
    );
    if answer.body.is_empty() {
        wants(answer.header("Content-Type").is_none(), "an empty body has no type");
        wants(
            answer.header("Content-Encoding").is_none(),
            "an empty body is not compressed",
        );
    } else {
        wants(answer.header("Content-Type").is_some(), "a body has a type");
    }
}

/// A document that the phone takes as it is, or a panic.
pub(crate) fn check(root: &Element, version: ProtocolVersion) {
    let unknown = codepage::unknown_in(root, version);
    assert!(
        unknown.is_empty(),
        "{version} does not have {unknown:?}:\n{}",
        text_of(root)
    );
    let mut wrong = Vec::new();
    walk(root, version, &mut wrong);
    assert!(wrong.is_empty(), "{}:\n{}", wrong.join(", "), text_of(root));
}

/// A document for the eye.
pub(crate) fn text_of(root: &Element) -> String {
    xml::to_text(root, xml::Detail::Full)
}

fn walk(element: &Element, version: ProtocolVersion, wrong: &mut Vec<String>) {
    if NEVER_EMPTY.contains(&element.tag) && element.children().is_empty() && element.as_text() == Some("") {
        wrong.push(format!("{:?} is empty", element.tag));
    }
    match element.tag {
        airsync::COLLECTION => {
            in_order(element, &COLLECTION, wrong);
            if element.child(airsync::CLASS).is_some() && version > V12_1 {
                wrong.push("Class in a collection".to_owned());
            }
        }
        // In requests the children of Body come in any order; this is an answer.
        airsyncbase::BODY => in_order(element, &BODY, wrong),
        // Windows Phone stops syncing at an explicit 0.
        airsyncbase::TRUNCATED if element.as_text() != Some("1") => wrong.push("Truncated that is not 1".to_owned()),
        _ => {}
    }
    element.children().iter().for_each(|child| walk(child, version, wrong));
}

/// Known children only, each at most once, in this order.
fn in_order(element: &Element, order: &[Tag], wrong: &mut Vec<String>) {
    let mut next = 0;
    for child in element.children() {
        match order.iter().position(|tag| *tag == child.tag) {
            Some(place) if place >= next => next = place + 1,
            _ => wrong.push(format!("{:?} out of place in {:?}", child.tag, element.tag)),
        }
    }
}
