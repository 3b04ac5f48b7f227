//! Search in the document library: a file, or a folder with what is in it.
//!
//! Implements [MS-ASCMD] Search, Document Library Search.

use super::ACCESS_BLOCKED;
use super::ACCESS_DENIED;
use super::BAD_LINK;
use super::END_OF_RANGE;
use super::Found;
use super::INVALID_REQUEST;
use super::NOT_FOUND;
use super::range_and_total;
use crate::eas::command::Call;
use crate::eas::library;
use crate::eas::library::Link;
use crate::eas::results;
use crate::eas::status::Error;
use crate::ox;
use crate::wbxml::Element;
use crate::wbxml::codepage::documentlibrary;
use crate::wbxml::codepage::search as tag;

/// Results on a page, at most and without a Range.
const MOST_RESULTS: usize = 1000;

pub(super) async fn search(call: &Call<'_>, store: &Element) -> Result<Found, Error> {
    let range = store
        .child(tag::OPTIONS)
        .and_then(|options| options.child_text(tag::RANGE));
    let wanted = store.child(tag::QUERY).and_then(|query| query.child(tag::EQUAL_TO));
    let wanted = wanted.filter(|wanted| wanted.child(documentlibrary::LINK_ID).is_some());
    let text = wanted.and_then(|wanted| wanted.child_text(tag::VALUE));
    let Some((page, text)) = results::page(range, MOST_RESULTS).zip(text) else {
        return Ok(Err(INVALID_REQUEST));
    };
    let Some(link) = Link::parse(text) else {
        return Ok(Err(BAD_LINK));
    };
    let documents = match documents(call, &link).await {
        Ok(Some(documents)) => documents,
        Ok(None) => return Ok(Err(NOT_FOUND)),
        Err(error) => return status_of(error).map(Err),
    };
    if *page.start() > 0 && *page.start() >= documents.len() {
        return Ok(Err(END_OF_RANGE));
    }
    let on_page = results::on_page(&documents, &page).iter();
    let mut answer: Vec<Element> = on_page
        .map(|properties| Element::parent(tag::RESULT, [Element::parent(tag::PROPERTIES, properties.clone())]))
        .collect();
    let count = answer.len();
    if answer.is_empty() {
        // A search that finds nothing has one empty Result.
        answer.push(Element::empty(tag::RESULT));
    }
    answer.extend(range_and_total(*page.start(), count, documents.len()));
    Ok(Ok(answer))
}

async fn documents(call: &Call<'_>, link: &Link) -> Result<Option<Vec<Vec<Element>>>, ox::Error> {
    match library::find(call, link).await? {
        Some(found) => library::documents(call, link, &found).await.map(Some),
        None => Ok(None),
    }
}

fn status_of(error: ox::Error) -> Result<i64, Error> {
    match error.kind {
        ox::ErrorKind::PermissionDenied => Ok(ACCESS_DENIED),
        ox::ErrorKind::NotFound => Ok(NOT_FOUND),
        ox::ErrorKind::Unsupported => Ok(ACCESS_BLOCKED),
        _ => Err(error.into()),
    }
}
