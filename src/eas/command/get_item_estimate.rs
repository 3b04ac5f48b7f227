//! GetItemEstimate: how many changes the next Sync would bring.
//!
//! Asks the same plan as Sync and writes nothing. Both shapes of the request: options below the collection, or in Options.
//! Implements [MS-ASCMD] GetItemEstimate.

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::items::class_of;
use crate::eas::options::Options;
use crate::eas::options::Sticky;
use crate::eas::options::check_filter;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox;
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
const MOST_COLLECTIONS: usize = 1000;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let malformed = Error::Device(
        Status::INVALID_XML,
        "GetItemEstimate without Collections, or with too many",
    );
    let Some(collections) = call.root()?.child(tag::COLLECTIONS) else {
        return Err(malformed);
    };
    if collections.children().len() > MOST_COLLECTIONS {
        return Err(malformed);
    }
    let mut children = vec![Element::number(tag::STATUS, SUCCESS)];
    for collection in collections.children_of(tag::COLLECTION) {
        let (status, counted) = match estimate(call, collection).await? {
            Ok(counted) => (SUCCESS, Some(counted)),
            Err(status) => (status, None),
        };
        let mut response = Element::parent(tag::RESPONSE, [Element::number(tag::STATUS, status)]);
        response.extend(counted);
        children.push(response);
    }
    Ok(Reply::Document(Element::parent(tag::GET_ITEM_ESTIMATE, children)))
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
    let opened = match call.collection(id, module, &folder).open(key).await {
        Ok(opened) => opened,
        Err(collection::Error::UnknownKey) => return Ok(Err(INVALID_SYNC_KEY)),
        Err(error) => return Err(error.into()),
    };
    let class = class_of(module);
    let invalid = |_| Error::Device(Status::SERVER_ERROR, "a FilterType that the class does not have");
    let mut sticky = Sticky::from_bytes(opened.options());
    let blocks: Vec<Element> = wanted.children_of(airsync::OPTIONS).cloned().collect();
    if !blocks.is_empty() {
        sticky.options = blocks;
    }
    let mut options = Options::read(&sticky, class, call.version).map_err(invalid)?;
    if let Some(code) = wanted
        .child_text(airsync::FILTER_TYPE)
        .and_then(|code| code.trim().parse().ok())
    {
        check_filter(code, class).map_err(invalid)?;
        options.filter_type = code;
    }
    let filter = call.filter(&options, module, &folder).await?;
    let count = match opened.pending(filter, call.now).await {
        Ok(count) => count,
        Err(collection::Error::Ox(error)) if error.kind == ox::ErrorKind::NotFound => {
            return Ok(Err(UNKNOWN_COLLECTION));
        }
        Err(error) => return Err(error.into()),
    };
    let mut counted = Element::empty(tag::COLLECTION);
    if ECHOES_CLASS.contains(call.version) {
        counted.push(Element::text(tag::CLASS, class.name()));
    }
    counted.push(Element::text(tag::COLLECTION_ID, collection_id));
    counted.push(Element::text(tag::ESTIMATE, count.to_string()));
    Ok(Ok(counted))
}
