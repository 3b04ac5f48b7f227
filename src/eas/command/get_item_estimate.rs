//! GetItemEstimate: how many changes the next Sync would bring.
//!
//! Asks the same plan as Sync and writes nothing. Both shapes of the request: options below the collection, or in Options.
//! Implements [MS-ASCMD] GetItemEstimate.

use crate::content::Class;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::items::class_of;
use crate::eas::items::filter;
use crate::eas::options::Options;
use crate::eas::options::Sticky;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox;
use crate::quirk::Bend;
use crate::usm::collection;
use crate::version::ProtocolVersion::V12_1;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::getitemestimate as tag;

/// The class is echoed in these versions.
const ECHOES_CLASS: VersionRange = VersionRange::until(V12_1);

const SUCCESS: i64 = 1;
const UNKNOWN_COLLECTION: i64 = 2;
const NOT_PRIMED: i64 = 3;
const INVALID_SYNC_KEY: i64 = 4;

/// More collections than this in one request are refused.
pub(super) const MOST_COLLECTIONS: usize = 1000;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let malformed = Error::Device(
        Status::INVALID_XML,
        "GetItemEstimate without Collections, or with too many",
    );
    let Some(collections) = call.root()?.child(tag::COLLECTIONS) else {
        return Err(malformed);
    };
    if !(1..=MOST_COLLECTIONS).contains(&collections.children_of(tag::COLLECTION).count()) {
        return Err(malformed);
    }
    let mut children = vec![Element::number(tag::STATUS, SUCCESS)];
    for collection in collections.children_of(tag::COLLECTION) {
        let (status, counted) = match estimate(call, collection).await? {
            Ok(counted) => (SUCCESS, Some(counted)),
            Err(NOT_PRIMED | INVALID_SYNC_KEY) if call.quirks.has(Bend::EstimatesAnyKey) => {
                (SUCCESS, Some(one_change(call, collection)))
            }
            Err(status) => (status, None),
        };
        let mut response = Element::parent(tag::RESPONSE, [Element::number(tag::STATUS, status)]);
        response.extend(counted);
        children.push(response);
    }
    Ok(Reply::Document(Element::parent(tag::GET_ITEM_ESTIMATE, children)))
}

/// The blocks of options in either shape; `None` where they ask for what only the recipient information cache has.
fn blocks(wanted: &Element, class: Class) -> Result<Option<Vec<Element>>, Error> {
    let mut blocks: Vec<Element> = wanted.children_of(airsync::OPTIONS).cloned().collect();
    if let Some(filter) = wanted.child(airsync::FILTER_TYPE) {
        let class = Element::text(airsync::CLASS, class.name());
        blocks.push(Element::parent(airsync::OPTIONS, [class, filter.clone()]));
    }
    let filters = blocks.iter().filter_map(|block| block.child_text(airsync::FILTER_TYPE));
    // "FilterType: 9 and above: 103"; what a class does not have is another matter.
    let is_known = |filter: &str| filter.trim().is_empty() || filter.trim().parse().is_ok_and(|code: u8| code < 9);
    if !filters.into_iter().all(is_known) {
        return Err(Error::Device(Status::INVALID_XML, "a FilterType that is none"));
    }
    let has_items = blocks.iter().any(|block| block.child(airsync::MAX_ITEMS).is_some());
    Ok((!has_items).then_some(blocks))
}

/// The counted collection, or the Status that says why it is not.
async fn estimate(call: &Call<'_>, wanted: &Element) -> Result<Result<Element, i64>, Error> {
    let collection_id = wanted.child_text(tag::COLLECTION_ID).unwrap_or_default().trim();
    let Some((id, module, folder)) = call.folder(collection_id).await? else {
        return Ok(Err(UNKNOWN_COLLECTION));
    };
    let key = wanted.child_text(airsync::SYNC_KEY).unwrap_or_default().trim();
    if key == "0" {
        return Ok(Err(NOT_PRIMED));
    }
    let Ok(key) = key.parse() else {
        return Ok(Err(INVALID_SYNC_KEY));
    };
    let collection = call.collection(id, module, &folder);
    let opened = match collection.open(key).await {
        Ok(opened) => opened,
        Err(collection::Error::UnknownKey) => {
            let is_primed = collection.open_newest().await?.is_some();
            return Ok(Err(if is_primed { INVALID_SYNC_KEY } else { NOT_PRIMED }));
        }
        Err(error) => return Err(error.into()),
    };
    let class = class_of(module);
    let Some(blocks) = blocks(wanted, class)? else {
        return Ok(Err(UNKNOWN_COLLECTION));
    };
    let mut sticky = Sticky::from_bytes(opened.options());
    sticky.replace(blocks, class);
    if let Some(mode) = wanted.child_text(airsync::CONVERSATION_MODE) {
        if class != Class::Email {
            return Err(Error::Device(
                Status::INVALID_XML,
                "ConversationMode of what is no mail",
            ));
        }
        sticky.conversations = mode.trim() != "0";
    }
    let options = Options::read(&sticky, class, call.version)
        .map_err(|_| Error::Device(Status::SERVER_ERROR, "a FilterType that the class does not have"))?;
    let filter = filter(call, module, &folder, &options).await?;
    let count = match opened.pending(filter, call.now).await {
        Ok(count) => count,
        Err(collection::Error::Ox(error)) if error.kind == ox::ErrorKind::NotFound => {
            return Ok(Err(UNKNOWN_COLLECTION));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Ok(counted(call, class.name(), collection_id, count)))
}

fn counted(call: &Call<'_>, class: &str, collection_id: &str, count: usize) -> Element {
    let mut counted = Element::empty(tag::COLLECTION);
    if ECHOES_CLASS.contains(call.version) {
        counted.push(Element::text(tag::CLASS, class));
    }
    counted.push(Element::text(tag::COLLECTION_ID, collection_id));
    counted.push(Element::text(tag::ESTIMATE, count.to_string()));
    counted
}

/// For a device that a Status would stop: its next Sync tells it that the key is not good.
fn one_change(call: &Call<'_>, wanted: &Element) -> Element {
    let text = |tag| wanted.child_text(tag).unwrap_or_default().trim();
    counted(call, text(tag::CLASS), text(tag::COLLECTION_ID), 1)
}
