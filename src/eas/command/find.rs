//! Find: mails by keywords, and people, for the search field of newer mail programs.
//!
//! Implements [MS-ASCMD] Find.

use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::content::Class;
use crate::content::email::query;
use crate::content::gal;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::mail_search;
use crate::eas::people;
use crate::eas::people::PictureTags;
use crate::eas::people::Pictures;
use crate::eas::results;
use crate::eas::results::Hit;
use crate::eas::status::Error;
use crate::usm::ids;
use crate::usm::journal::fingerprint;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::email;
use crate::wbxml::codepage::email2;
use crate::wbxml::codepage::find as tag;
use crate::wbxml::codepage::gal as gal_tag;
use crate::wbxml::codepage::itemoperations;

/// Statuses of the command, and of its Response.
const SUCCESS: i64 = 1;
const INVALID_REQUEST: i64 = 2;
const FOLDER_SYNC_REQUIRED: i64 = 3;
const INVALID_RANGE: i64 = 4;

/// "0 ≤ m ≤ n ≤ 999".
const LAST_RESULT: usize = 999;
/// Results on a page, at most and without a Range.
const MOST_RESULTS: usize = 100;

/// Characters of a preview.
const PREVIEW: u8 = 255;

const PICTURE_TAGS: PictureTags = PictureTags {
    picture: gal_tag::PICTURE,
    status: gal_tag::STATUS,
    data: gal_tag::DATA,
    max_size: tag::MAX_SIZE,
    max_pictures: tag::MAX_PICTURES,
};

/// Property of a mail, and what it is called in a result, in the order in which they are sent.
const SHOWN: [(Tag, Tag); 8] = [
    (email::SUBJECT, email::SUBJECT),
    (email::DATE_RECEIVED, email::DATE_RECEIVED),
    (email::DISPLAY_TO, email::DISPLAY_TO),
    (email::CC, tag::DISPLAY_CC),
    (email2::BCC, tag::DISPLAY_BCC),
    (email::IMPORTANCE, email::IMPORTANCE),
    (email::READ, email::READ),
    (email2::IS_DRAFT, email2::IS_DRAFT),
];

/// The results, where they begin, and how many there are in all.
struct Page {
    results: Vec<Element>,
    first: usize,
    /// Results that the page stands for, those included that are gone meanwhile.
    count: usize,
    total: usize,
}

/// A page, or the Statuses of the command and of its Response.
type Found = Result<Page, (i64, Option<i64>)>;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let root = call.root()?;
    let search = root.child(tag::EXECUTE_SEARCH);
    let criterion = |wanted| search.and_then(|search| search.child(wanted));
    let search_id = root
        .child_text(tag::SEARCH_ID)
        .map(str::trim)
        .filter(|id| !id.is_empty());
    let (mails, people) = (
        criterion(tag::MAIL_BOX_SEARCH_CRITERION),
        criterion(tag::GAL_SEARCH_CRITERION),
    );
    let (store, found) = match (search_id, mails, people) {
        (Some(id), Some(criterion), None) => ("Mailbox", mailbox(call, id, criterion).await?),
        (Some(_), None, Some(criterion)) => ("GAL", address_book(call, criterion).await?),
        _ => ("", Err((INVALID_REQUEST, None))),
    };
    Ok(Reply::Document(answer(store, found)))
}

fn answer(store: &str, found: Found) -> Element {
    let status = |status| Element::number(tag::STATUS, status);
    let store = Element::text(itemoperations::STORE, store);
    match found {
        Ok(page) => {
            let mut response = Element::parent(tag::RESPONSE, [store, status(SUCCESS)]);
            response.extend(page.results);
            response.extend(results::sent(page.first, page.count).map(|range| Element::text(tag::RANGE, range)));
            response.push(Element::text(tag::TOTAL, page.total.to_string()));
            Element::parent(tag::FIND, [status(SUCCESS), response])
        }
        Err((command, None)) => Element::parent(tag::FIND, [status(command)]),
        Err((command, Some(inner))) => {
            let response = Element::parent(tag::RESPONSE, [store, status(inner)]);
            Element::parent(tag::FIND, [status(command), response])
        }
    }
}

/// The Range of a criterion, or the Status that refuses it.
fn page(options: Option<&Element>) -> Result<std::ops::RangeInclusive<usize>, (i64, Option<i64>)> {
    let text = options.and_then(|options| options.child_text(tag::RANGE));
    results::page(text, MOST_RESULTS)
        .filter(|page| *page.end() <= LAST_RESULT)
        .ok_or((SUCCESS, Some(INVALID_RANGE)))
}

async fn mailbox(call: &Call<'_>, search_id: &str, criterion: &Element) -> Result<Found, Error> {
    let options = criterion.child(tag::OPTIONS);
    let page = match page(options) {
        Ok(page) => page,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(asked) = criterion.child(tag::QUERY) else {
        return Ok(Err((INVALID_REQUEST, None)));
    };
    let text = asked.child_text(tag::FREE_TEXT).map(str::trim).unwrap_or_default();
    if text.is_empty() {
        return Ok(Err((SUCCESS, Some(INVALID_REQUEST))));
    }
    let question = fingerprint(format!("{search_id}\n{asked:?}").as_bytes());
    let hits = if *page.start() == 0 {
        let query = query::keywords(text, call.now, &call.user.zone);
        let named: Vec<&str> = asked
            .children_of(airsync::COLLECTION_ID)
            .filter_map(Element::as_text)
            .collect();
        let deep = options.is_some_and(|options| options.child(tag::DEEP_TRAVERSAL).is_some());
        let Some(folders) = mail_search::folders(call, &named, deep).await? else {
            return Ok(Err((FOLDER_SYNC_REQUIRED, None)));
        };
        let hits = mail_search::search(call, &folders, &query).await?;
        call.services
            .results
            .keep(&call.device_label(), &question, hits, call.now)
    } else {
        // "The first request of a SearchId must start at 0."
        match call.services.results.find(&call.device_label(), &question, call.now) {
            Some(hits) => hits,
            None => return Ok(Err((SUCCESS, Some(INVALID_RANGE)))),
        }
    };
    let on_page = results::on_page(&hits, &page);
    let loaded = mail_search::load(call, on_page, &bodies()).await?;
    let found = on_page
        .iter()
        .zip(loaded)
        .filter_map(|(hit, properties)| Some(mail(hit, properties?)));
    Ok(Ok(Page {
        results: found.collect(),
        first: *page.start(),
        count: on_page.len(),
        total: hits.len(),
    }))
}

/// No body, but a preview of it.
fn bodies() -> BodyOptions {
    let preference = BodyPreference {
        kind: BodyType::Plain,
        truncation_size: Some(0),
        all_or_none: false,
        preview: Some(PREVIEW),
    };
    BodyOptions {
        preferences: vec![preference],
        ..BodyOptions::default()
    }
}

/// A mail as a result: some of its properties, some under another name.
fn mail(hit: &Hit, data: Vec<Element>) -> Element {
    let data = Element::parent(airsync::APPLICATION_DATA, data);
    let mut properties: Vec<Element> = SHOWN
        .iter()
        .filter_map(|(own, shown)| Some(Element::text(*shown, data.child_text(*own)?)))
        .collect();
    if data.child(email2::IS_DRAFT).is_none() {
        properties.push(Element::flag(email2::IS_DRAFT, false));
    }
    let preview = data
        .child(airsyncbase::BODY)
        .and_then(|body| body.child_text(airsyncbase::PREVIEW));
    properties.extend(preview.map(|preview| Element::text(tag::PREVIEW, preview)));
    let has_attachments = data.child(airsyncbase::ATTACHMENTS).is_some();
    properties.push(Element::flag(tag::HAS_ATTACHMENTS, has_attachments));
    properties.extend(data.child(email::FROM).cloned());
    Element::parent(
        tag::RESULT,
        [
            Element::text(airsync::CLASS, Class::Email.name()),
            Element::text(airsync::SERVER_ID, ids::server_id(hit.collection, &hit.id)),
            Element::text(airsync::COLLECTION_ID, hit.collection.to_string()),
            Element::parent(tag::PROPERTIES, properties),
        ],
    )
}

async fn address_book(call: &Call<'_>, criterion: &Element) -> Result<Found, Error> {
    let options = criterion.child(tag::OPTIONS);
    let page = match page(options) {
        Ok(page) => page,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(text) = criterion.child_text(tag::QUERY).map(str::trim) else {
        return Ok(Err((INVALID_REQUEST, None)));
    };
    let people = people::find_global(call, text).await?;
    let mut pictures = Pictures::wanted(options, tag::PICTURE, PICTURE_TAGS);
    let mut found = Vec::new();
    for person in results::on_page(&people, &page) {
        let mut properties = gal::properties(person, call.quirks);
        if let Some(pictures) = &mut pictures {
            properties.push(pictures.of(call, person).await?);
        }
        found.push(Element::parent(
            tag::RESULT,
            [Element::parent(tag::PROPERTIES, properties)],
        ));
    }
    Ok(Ok(Page {
        first: *page.start(),
        count: found.len(),
        results: found,
        total: people.len(),
    }))
}
