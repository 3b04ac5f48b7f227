//! Search: people in the global address book, mails, and documents.
//!
//! Implements [MS-ASCMD] Search.

mod library;
mod mailbox;

use crate::content::gal;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::people;
use crate::eas::people::PictureTags;
use crate::eas::people::Pictures;
use crate::eas::results;
use crate::eas::status::Error;
use crate::version::ProtocolVersion::V12_0;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::codepage::gal as gal_tag;
use crate::wbxml::codepage::search as tag;

/// The stores, and the versions that have them.
const STORES: [(&str, VersionRange); 3] = [
    (GAL, VersionRange::ALL),
    (MAILBOX, VersionRange::since(V12_0)),
    (DOCUMENT_LIBRARY, VersionRange::since(V12_0)),
];
const GAL: &str = "GAL";
const MAILBOX: &str = "Mailbox";
const DOCUMENT_LIBRARY: &str = "DocumentLibrary";

/// Statuses of the store.
const SUCCESS: i64 = 1;
const INVALID_REQUEST: i64 = 2;
const BAD_LINK: i64 = 4;
const ACCESS_DENIED: i64 = 5;
const NOT_FOUND: i64 = 6;
const TOO_COMPLEX: i64 = 8;
const FOLDER_SYNC_REQUIRED: i64 = 11;
const END_OF_RANGE: i64 = 12;
const ACCESS_BLOCKED: i64 = 13;

/// Results on a page, at most and without a Range.
pub(super) const MOST_RESULTS: usize = 100;

const PICTURE_TAGS: PictureTags = PictureTags {
    picture: gal_tag::PICTURE,
    status: gal_tag::STATUS,
    data: gal_tag::DATA,
    max_size: tag::MAX_SIZE,
    max_pictures: tag::MAX_PICTURES,
};

/// The children of the answer's Store, or its Status.
type Found = Result<Vec<Element>, i64>;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let found = match call.root()?.child(tag::STORE) {
        Some(store) => search(call, store).await?,
        None => Err(INVALID_REQUEST),
    };
    let (status, results) = match found {
        Ok(results) => (SUCCESS, results),
        Err(status) => (status, Vec::new()),
    };
    let status = Element::number(tag::STATUS, status);
    let store = Element::parent(tag::STORE, std::iter::once(status).chain(results));
    let response = Element::parent(tag::RESPONSE, [store]);
    Ok(Reply::Document(Element::parent(
        tag::SEARCH,
        [Element::number(tag::STATUS, SUCCESS), response],
    )))
}

async fn search(call: &Call<'_>, store: &Element) -> Result<Found, Error> {
    let name = store.child_text(tag::NAME).unwrap_or_default().trim();
    let known = STORES
        .iter()
        .find(|(known, versions)| known.eq_ignore_ascii_case(name) && versions.contains(call.version));
    match known.map(|(name, _)| *name) {
        Some(GAL) => address_book(call, store).await,
        Some(MAILBOX) => mailbox::search(call, store).await,
        Some(_) => library::search(call, store).await,
        None => Ok(Err(INVALID_REQUEST)),
    }
}

async fn address_book(call: &Call<'_>, store: &Element) -> Result<Found, Error> {
    let options = store.child(tag::OPTIONS);
    let range = options.and_then(|options| options.child_text(tag::RANGE));
    let query = store.child_text(tag::QUERY).map(str::trim);
    let Some((page, query)) = results::page(range, MOST_RESULTS).zip(query) else {
        return Ok(Err(INVALID_REQUEST));
    };
    let people = people::find_global(call, query).await?;
    if *page.start() > 0 && *page.start() >= people.len() {
        return Ok(Err(END_OF_RANGE));
    }
    let mut pictures = Pictures::wanted(options, tag::PICTURE, PICTURE_TAGS);
    let mut answer = Vec::new();
    for person in results::on_page(&people, &page) {
        let mut properties = gal::properties(person, call.quirks);
        if let Some(pictures) = &mut pictures {
            properties.push(pictures.of(call, person).await?);
        }
        let properties = Element::parent(tag::PROPERTIES, properties);
        answer.push(Element::parent(tag::RESULT, [properties]));
    }
    answer.extend(range_and_total(*page.start(), answer.len(), people.len()));
    Ok(Ok(answer))
}

/// Android needs both wherever something was found.
fn range_and_total(first: usize, count: usize, total: usize) -> Vec<Element> {
    let range = results::sent(first, count).map(|range| Element::text(tag::RANGE, range));
    let total = Element::text(tag::TOTAL, total.to_string());
    range.into_iter().chain([total]).collect()
}
