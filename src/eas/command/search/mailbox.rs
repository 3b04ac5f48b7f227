//! Search in the mailbox: the operators of the query, pages of a kept result set, mails with bodies as the device wants them.
//!
//! Only mail is searched; other classes find nothing. Implements [MS-ASCMD] Search, Mailbox Search.

use super::END_OF_RANGE;
use super::FOLDER_SYNC_REQUIRED;
use super::Found;
use super::INVALID_REQUEST;
use super::MOST_RESULTS;
use super::TOO_COMPLEX;
use super::range_and_total;
use crate::content::Class;
use crate::content::date;
use crate::content::email::query;
use crate::content::email::query::Query;
use crate::eas::command::Call;
use crate::eas::mail_search;
use crate::eas::options;
use crate::eas::results;
use crate::eas::results::Hit;
use crate::eas::status::Error;
use crate::usm::ids;
use crate::usm::journal::fingerprint;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::email;
use crate::wbxml::codepage::search as tag;

/// Operators deeper in one another than this are too complex.
const DEEPEST: usize = 8;

pub(super) async fn search(call: &Call<'_>, store: &Element) -> Result<Found, Error> {
    let options = store.child(tag::OPTIONS);
    let has = |wanted| options.is_some_and(|options| options.child(wanted).is_some());
    let range = options.and_then(|options| options.child_text(tag::RANGE));
    options.map_or(Ok(()), options::check_body_part)?;
    let bodies = options.map(options::bodies).transpose();
    let query = store.child(tag::QUERY);
    let (Some(page), Ok(bodies), Some(query)) = (results::page(range, MOST_RESULTS), bodies, query) else {
        return Ok(Err(INVALID_REQUEST));
    };
    let asked = match Asked::read(query, call) {
        Ok(asked) => asked,
        Err(status) => return Ok(Err(status)),
    };
    let deep = has(tag::DEEP_TRAVERSAL);
    let mut question = wbxml::encode(query, call.version);
    question.push(u8::from(deep));
    let question = fingerprint(&question);
    let kept = match has(tag::REBUILD_RESULTS) || *page.start() == 0 {
        true => None,
        false => call.services.results.find(&call.device_label(), &question, call.now),
    };
    let hits = match kept {
        Some(hits) => hits,
        None => {
            let Some(hits) = asked.hits(call, deep).await? else {
                return Ok(Err(FOLDER_SYNC_REQUIRED));
            };
            call.services
                .results
                .keep(&call.device_label(), &question, hits, call.now)
        }
    };
    if *page.start() > 0 && *page.start() >= hits.len() {
        return Ok(Err(END_OF_RANGE));
    }
    let on_page = results::on_page(&hits, &page);
    let loaded = mail_search::load(call, on_page, &bodies.unwrap_or_default()).await?;
    let mut answer: Vec<Element> = on_page
        .iter()
        .zip(loaded)
        .filter_map(|(hit, properties)| result(hit, properties?))
        .collect();
    let count = on_page.len();
    if answer.is_empty() {
        // A search that finds nothing has one empty Result.
        answer.push(Element::empty(tag::RESULT));
    }
    answer.extend(range_and_total(*page.start(), count, hits.len()));
    Ok(Ok(answer))
}

fn result(hit: &Hit, properties: Vec<Element>) -> Option<Element> {
    Some(Element::parent(
        tag::RESULT,
        [
            Element::text(airsync::CLASS, Class::Email.name()),
            Element::text(tag::LONG_ID, ids::long_id(hit.collection, &hit.id)?),
            Element::text(airsync::COLLECTION_ID, hit.collection.to_string()),
            Element::parent(tag::PROPERTIES, properties),
        ],
    ))
}

/// What the query asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    /// Whether mail is among the classes.
    mail: bool,
    collections: Vec<&'a str>,
    conversation: Option<&'a [u8]>,
    query: Query,
}

impl<'a> Asked<'a> {
    /// Reads a Query, or says with which Status it is refused. "Class, CollectionId, ConversationId outside And, several
    /// Ands": too complex.
    fn read(query: &'a Element, call: &Call<'_>) -> Result<Self, i64> {
        let ands: Vec<&Element> = query.children_of(tag::AND).collect();
        let criteria = match ands.as_slice() {
            [] if query.children().is_empty() => {
                let words = query.as_text().map(str::trim).filter(|text| !text.is_empty());
                return Ok(Self {
                    mail: true,
                    collections: Vec::new(),
                    conversation: None,
                    query: query::keywords(words.ok_or(INVALID_REQUEST)?, call.now, &call.user.zone),
                });
            }
            [] => query,
            [and] if query.children().len() == 1 => and,
            _ => return Err(TOO_COMPLEX),
        };
        let places = [airsync::CLASS, airsync::COLLECTION_ID, tag::CONVERSATION_ID];
        let outside = ands.is_empty() && query.children().iter().any(|child| places.contains(&child.tag));
        if outside {
            return Err(TOO_COMPLEX);
        }
        let texts = |tag| criteria.children_of(tag).filter_map(Element::as_text);
        let mut classes = texts(airsync::CLASS).peekable();
        let mail = classes.peek().is_none() || classes.any(|class| class.trim() == Class::Email.name());
        let operators = criteria.children().iter().filter(|child| !places.contains(&child.tag));
        let parts: Result<Vec<Query>, i64> = operators.map(|child| operator(child, call, 0)).collect();
        Ok(Self {
            mail,
            collections: texts(airsync::COLLECTION_ID).collect(),
            conversation: criteria.child(tag::CONVERSATION_ID).map(Element::as_bytes),
            query: Query::All(parts?),
        })
    }

    /// What is found; `None` if the device has to look at its folders first.
    async fn hits(&self, call: &Call<'_>, deep: bool) -> Result<Option<Vec<Hit>>, Error> {
        if !self.mail {
            return Ok(Some(Vec::new()));
        }
        let Some(folders) = mail_search::folders(call, &self.collections, deep).await? else {
            return Ok(None);
        };
        let everything = Query::All(Vec::new());
        let Some(conversation) = self.conversation else {
            return Ok(Some(mail_search::search(call, &folders, &self.query).await?));
        };
        let mut hits = mail_search::conversation(call, &folders, conversation).await?;
        if self.query != everything && !hits.is_empty() {
            let found = mail_search::search(call, &folders, &self.query).await?;
            hits.retain(|hit| found.contains(hit));
        }
        Ok(Some(hits))
    }
}

/// One operator of a query.
fn operator(element: &Element, call: &Call<'_>, depth: usize) -> Result<Query, i64> {
    if depth > DEEPEST {
        return Err(TOO_COMPLEX);
    }
    let parts = || -> Result<Vec<Query>, i64> {
        let children = element.children().iter();
        children.map(|child| operator(child, call, depth + 1)).collect()
    };
    match element.tag {
        tag::AND => parts().map(Query::All),
        tag::OR => parts().map(Query::Any),
        tag::FREE_TEXT => {
            let text = element.as_text().ok_or(INVALID_REQUEST)?;
            Ok(query::keywords(text, call.now, &call.user.zone))
        }
        tag::GREATER_THAN => bound(element).map(Query::received_after),
        tag::LESS_THAN => bound(element).map(Query::received_before),
        _ => Err(INVALID_REQUEST),
    }
}

/// The time in a comparison with DateReceived.
fn bound(comparison: &Element) -> Result<i64, i64> {
    let value = comparison.child_text(tag::VALUE).and_then(date::parse);
    comparison.child(email::DATE_RECEIVED).and(value).ok_or(INVALID_REQUEST)
}
