//! ItemOperations: single items and attachments, fetched whole; folders emptied; conversations moved.
//!
//! Fetch is here, inline and in several parts. Implements [MS-ASCMD] ItemOperations.

mod content;
mod empty_folder;
mod move_conversation;

use bytes::Bytes;

use crate::eas::command::Call;
use crate::eas::command::LONGEST_ID;
use crate::eas::command::Reply;
use crate::eas::items::Items;
use crate::eas::items::Loaded;
use crate::eas::items::Wanted;
use crate::eas::items::class_of;
use crate::eas::items::size;
use crate::eas::options;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Module;
use crate::usm::collection;
use crate::usm::ids;
use crate::wbxml::Content;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::documentlibrary;
use crate::wbxml::codepage::itemoperations as tag;
use crate::wbxml::codepage::rightsmanagement;
use crate::wbxml::codepage::search;

const SUCCESS: i64 = 1;
const PROTOCOL_ERROR: i64 = 2;
const NOT_FOUND: i64 = 6;
const STORE_UNKNOWN: i64 = 9;
const TOO_LARGE: i64 = 11;
const CONVERSION_FAILED: i64 = 14;
const ATTACHMENT_INVALID: i64 = 15;
/// A common Status, where an operation's is expected.
const RIGHTS_MANAGEMENT_DISABLED: i64 = 168;

/// What a request is made of.
const OPERATIONS: [Tag; 3] = [tag::FETCH, tag::EMPTY_FOLDER_CONTENTS, tag::MOVE];

/// [MS-ASCMD] LongId, in bytes; other names of single things are no longer.
const LONGEST_NAME: usize = 256;

/// More operations than this in one request are refused.
pub(super) const MOST_OPERATIONS: usize = 100;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let operations = call.root()?.children();
    let is_malformed = operations.is_empty() || operations.iter().any(|it| !OPERATIONS.contains(&it.tag));
    if is_malformed || operations.len() > MOST_OPERATIONS {
        let status = if is_malformed { PROTOCOL_ERROR } else { TOO_LARGE };
        return Ok(Reply::Document(Element::parent(
            tag::ITEM_OPERATIONS,
            [Element::number(tag::STATUS, status)],
        )));
    }
    let mut parts = call.request.parameters.accept_multipart.then(Vec::new);
    let mut answers = Vec::with_capacity(operations.len());
    for operation in operations {
        answers.push(match operation.tag {
            tag::FETCH => {
                let is_full = held(&answers, parts.as_deref()) >= call.services.most_fetched;
                fetch(call, operation, is_full, &mut parts).await?
            }
            tag::EMPTY_FOLDER_CONTENTS => empty_folder::answer(call, operation).await?,
            _ => move_conversation::answer(call, operation).await?,
        });
    }
    let response = Element::parent(tag::RESPONSE, answers);
    let root = Element::parent(tag::ITEM_OPERATIONS, [Element::number(tag::STATUS, SUCCESS), response]);
    Ok(match parts {
        Some(parts) => Reply::Multipart(root, parts),
        None => Reply::Document(root),
    })
}

/// What was fetched so far, in bytes.
fn held(answers: &[Element], parts: Option<&[Bytes]>) -> usize {
    let parts = parts.unwrap_or_default().iter().map(Bytes::len);
    answers.iter().map(size).chain(parts).sum()
}

/// One Fetch: its Status, what identifies the item, and its properties. `is_full`: no more may be fetched.
async fn fetch(
    call: &Call<'_>,
    operation: &Element,
    is_full: bool,
    parts: &mut Option<Vec<Bytes>>,
) -> Result<Element, Error> {
    let names = [
        (airsync::COLLECTION_ID, LONGEST_ID),
        (airsync::SERVER_ID, LONGEST_ID),
        (search::LONG_ID, LONGEST_NAME),
        (airsyncbase::FILE_REFERENCE, LONGEST_NAME),
        (documentlibrary::LINK_ID, LONGEST_NAME),
    ];
    let names = names.into_iter().filter_map(|(tag, most)| echoed(operation, tag, most));
    let store = operation.child_text(tag::STORE).unwrap_or_default().trim();
    let unprotect = operation.child(rightsmanagement::REMOVE_RIGHTS_MANAGEMENT_PROTECTION);
    let reference = operation.child_text(airsyncbase::FILE_REFERENCE);
    let fetched = if is_full {
        Err(TOO_LARGE)
    } else if store.is_empty() {
        Err(PROTOCOL_ERROR)
    } else if unprotect.is_some() {
        Err(RIGHTS_MANAGEMENT_DISABLED)
    } else if store.eq_ignore_ascii_case("documentlibrary") {
        content::document(call, operation, parts).await?
    } else if !store.eq_ignore_ascii_case("mailbox") {
        Err(STORE_UNKNOWN)
    } else if operation.children_of(airsyncbase::FILE_REFERENCE).count() > 1 {
        Err(PROTOCOL_ERROR)
    } else if let Some(reference) = reference {
        content::attachment(call, operation, reference.trim(), parts).await?
    } else {
        item(call, operation, parts).await?
    };
    let (status, class, properties) = match fetched {
        Ok((class, properties)) => (SUCCESS, class, properties),
        Err(status) => (status, None, Vec::new()),
    };
    let mut answer = Element::parent(tag::FETCH, [Element::number(tag::STATUS, status)]);
    answer.extend(names);
    answer.extend(class.map(|class: &str| Element::text(airsync::CLASS, class)));
    if !properties.is_empty() {
        answer.push(Element::parent(tag::PROPERTIES, properties));
    }
    Ok(answer)
}

/// What identifies an item comes back as it was sent, unless it cannot be a name at all.
fn echoed(operation: &Element, tag: Tag, most: usize) -> Option<Element> {
    let name = operation
        .child_text(tag)
        .filter(|name| (1..=most).contains(&name.len()))?;
    Some(Element::text(tag, name))
}

/// Class and properties, or the Status that says why there are none.
type Fetched = Result<(Option<&'static str>, Vec<Element>), i64>;

async fn item(call: &Call<'_>, operation: &Element, parts: &mut Option<Vec<Bytes>>) -> Result<Fetched, Error> {
    let (collection, server_id) = match place(operation) {
        Ok(place) => place,
        Err(status) => return Ok(Err(status)),
    };
    let Some((id, module, folder)) = call.folder(&collection).await? else {
        return Ok(Err(NOT_FOUND));
    };
    let options = operation.child(tag::OPTIONS);
    if let Some(Err(Error::Device(status, _))) = options.map(options::check_body_part) {
        return Ok(Err(status.0.into()));
    }
    let bodies = match options.map(options::bodies).transpose() {
        Ok(bodies) => bodies.unwrap_or_default(),
        Err(options::Invalid) => return Ok(Err(PROTOCOL_ERROR)),
    };
    let Some(wanted) = wanted(call, id, module, &folder, &server_id).await? else {
        return Ok(Err(NOT_FOUND));
    };
    let items = Items {
        call,
        collection: id,
        module,
        folder: &folder,
        bodies: &bodies,
    };
    let mut data = match items.show(&wanted).await? {
        Loaded::Item { data, .. } => data,
        Loaded::Unconvertible(reason) => {
            log::warn!("{}: item {server_id} cannot be fetched: {reason}", call.device_label());
            return Ok(Err(CONVERSION_FAILED));
        }
        Loaded::Vanished => return Ok(Err(NOT_FOUND)),
    };
    if let Some(schema) = options.and_then(|options| options.child(tag::SCHEMA)) {
        keep_only(&mut data, schema);
    }
    if let Some(parts) = parts {
        data.iter_mut().for_each(|element| move_body(element, parts));
    }
    Ok(Ok((Some(class_of(module).name()), data)))
}

/// CollectionId and ServerId of an item that is named by them, or by the LongId of a search; or the Status that says why not.
fn place(operation: &Element) -> Result<(String, String), i64> {
    let text = |tag| operation.child_text(tag).map(str::trim).filter(|text| !text.is_empty());
    match (text(search::LONG_ID), text(airsync::SERVER_ID)) {
        (Some(long_id), None) => {
            let (collection, id) = ids::parse_long_id(long_id).ok_or(NOT_FOUND)?;
            Ok((collection.to_string(), ids::server_id(collection, &id)))
        }
        (None, Some(server_id)) => {
            let collection = text(airsync::COLLECTION_ID).unwrap_or_default();
            Ok((collection.to_owned(), server_id.to_owned()))
        }
        _ => Err(PROTOCOL_ERROR),
    }
}

/// [MS-ASCMD] Schema: "the properties to return". An empty one restricts nothing.
fn keep_only(data: &mut Vec<Element>, schema: &Element) {
    if !schema.children().is_empty() {
        data.retain(|property| schema.child(property.tag).is_some());
    }
}

/// The item with the parts that the folder's list says it has: a series has its exceptions as parts.
async fn wanted(
    call: &Call<'_>,
    collection: u32,
    module: Module,
    folder: &str,
    server_id: &str,
) -> Result<Option<Wanted>, Error> {
    if module == Module::Mail
        && let Some(id) = call.item(collection, module, folder, server_id).await?
    {
        return Ok(Some(Wanted::by_id(&id)));
    }
    let listed = match ox::list(&call.device.ox, module, folder).await {
        Ok(listed) => listed,
        Err(error) => return not_found_is_none(error),
    };
    let found = ids::ox_id(collection, server_id, listed.iter().map(|item| item.id.as_str()));
    Ok(listed
        .iter()
        .find(|item| Some(&item.id) == found.as_ref())
        .map(Wanted::from))
}

fn not_found_is_none<T>(error: ox::Error) -> Result<Option<T>, Error> {
    match error.kind {
        ox::ErrorKind::NotFound => Ok(None),
        _ => Err(collection::Error::from(error).into()),
    }
}

/// In an answer of several parts, the text of a body is a part of its own, also that of an exception within a series: there is
/// no Data in such an answer.
fn move_body(element: &mut Element, parts: &mut Vec<Bytes>) {
    let is_body = [airsyncbase::BODY, airsyncbase::BODY_PART].contains(&element.tag);
    let Content::Children(children) = &mut element.content else {
        return;
    };
    for child in children {
        if is_body && child.tag == airsyncbase::DATA {
            let part = add_part(parts, Bytes::copy_from_slice(child.as_bytes()));
            *child = Element::text(tag::PART, part);
        } else {
            move_body(child, parts);
        }
    }
}

/// Parts are counted from 1: part 0 is the document.
fn add_part(parts: &mut Vec<Bytes>, bytes: Bytes) -> String {
    parts.push(bytes);
    parts.len().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wbxml::codepage::calendar;

    fn body_of(text: &str) -> Element {
        Element::parent(airsyncbase::BODY, [Element::text(airsyncbase::DATA, text)])
    }

    #[test]
    fn one_name_an_item() {
        let text = |tag, text: &str| Element::text(tag, text);
        let long_id = || text(search::LONG_ID, "7.MTA0NA");
        let server_id = || text(airsync::SERVER_ID, "7:1044");
        let collection = || text(airsync::COLLECTION_ID, "7");
        let found = || Ok(("7".to_owned(), "7:1044".to_owned()));
        let cases = [
            (vec![long_id()], found()),
            (vec![collection(), long_id()], found()),
            (vec![collection(), server_id()], found()),
            (vec![server_id(), long_id()], Err(PROTOCOL_ERROR)),
            (vec![collection()], Err(PROTOCOL_ERROR)),
            (vec![text(search::LONG_ID, "?")], Err(NOT_FOUND)),
        ];
        for (names, expected) in cases {
            assert_eq!(place(&Element::parent(tag::FETCH, names)), expected);
        }
    }

    #[test]
    fn what_is_held_inline_and_in_parts() {
        let answer = Element::parent(tag::FETCH, [body_of(&"x".repeat(1000))]);
        let part = Bytes::from_static(b"123");
        let inline = held(std::slice::from_ref(&answer), None);
        assert!((1000..1050).contains(&inline), "{inline}");
        assert_eq!(
            held(&[answer.clone(), answer], Some(&[part.clone(), part])),
            2 * inline + 6
        );
    }

    #[test]
    fn bodies_become_parts() {
        let mut parts = vec![Bytes::from_static(b"first")];
        let mut body = Element::parent(
            airsyncbase::BODY,
            [
                Element::text(airsyncbase::TYPE, "1"),
                Element::text(airsyncbase::DATA, "text"),
            ],
        );
        move_body(&mut body, &mut parts);
        assert_eq!(body.child_text(tag::PART), Some("2"));
        assert!(body.child(airsyncbase::DATA).is_none());
        assert_eq!(parts[1], "text");

        // An appointment has a body, and its exceptions have theirs.
        let exception = Element::parent(calendar::EXCEPTION, [body_of("moved")]);
        let mut series = [body_of("whole"), Element::parent(calendar::EXCEPTIONS, [exception])];
        series.iter_mut().for_each(|element| move_body(element, &mut parts));
        assert_eq!(parts[2..], ["whole", "moved"]);
        let exception = &series[1].children()[0].children()[0];
        assert_eq!(
            exception,
            &Element::parent(airsyncbase::BODY, [Element::text(tag::PART, "4")])
        );
    }
}
