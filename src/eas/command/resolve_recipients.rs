//! ResolveRecipients: whom a name means, whether they are free, and their pictures.
//!
//! Looks into the global address book and the user's own contacts. OX keeps no certificates. Implements [MS-ASCMD]
//! ResolveRecipients.

use crate::content::calendar::free_busy;
use crate::content::calendar::free_busy::Taken;
use crate::content::date;
use crate::content::gal;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::people;
use crate::eas::people::PictureTags;
use crate::eas::people::Pictures;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::FolderKind;
use crate::ox::Module;
use crate::ox::Object;
use crate::ox::columns::common;
use crate::ox::columns::contacts;
use crate::wbxml::Element;
use crate::wbxml::codepage::resolverecipients as tag;

/// Statuses of the command.
const SUCCESS: i64 = 1;
const PROTOCOL_ERROR: i64 = 5;

/// Statuses of one name.
const RESOLVED: i64 = 1;
const AMBIGUOUS: i64 = 2;
const AMBIGUOUS_PARTIAL: i64 = 3;
const UNRESOLVED: i64 = 4;

/// Status of the certificates of somebody who has none.
const NO_CERTIFICATE: i64 = 7;

/// Types of a recipient.
const TYPE_GLOBAL: i64 = 1;
const TYPE_CONTACT: i64 = 2;

/// "ResolveRecipients To 100".
pub(super) const MOST_NAMES: usize = 100;

/// Suggestions for a name that means several, where the device does not say how many.
const SUGGESTIONS: usize = 20;

/// CertificateRetrieval: the device does not want certificates.
const NO_RETRIEVAL: &str = "1";

/// Availability without an end is for so long, and never for longer than the second; in milliseconds.
const DEFAULT_SPAN: i64 = 7 * date::DAY;
const LONGEST_SPAN: i64 = 42 * date::DAY;

const PICTURE_TAGS: PictureTags = PictureTags {
    picture: tag::PICTURE,
    status: tag::STATUS,
    data: tag::DATA,
    max_size: tag::MAX_SIZE,
    max_pictures: tag::MAX_PICTURES,
};

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let root = call.root()?;
    let names: Vec<&str> = root.children_of(tag::TO).filter_map(Element::as_text).collect();
    let wanted = Wanted::read(root.child(tag::OPTIONS));
    let mut children = vec![Element::number(tag::STATUS, SUCCESS)];
    match wanted {
        Some(mut wanted) if !names.is_empty() && names.len() <= MOST_NAMES => {
            let folders = address_books(call).await?;
            for name in names {
                children.push(response(call, &folders, name, &mut wanted).await?);
            }
        }
        _ => children = vec![Element::number(tag::STATUS, PROTOCOL_ERROR)],
    }
    Ok(Reply::Document(Element::parent(tag::RESOLVE_RECIPIENTS, children)))
}

/// What the device wants to know of each recipient.
struct Wanted {
    certificates: bool,
    suggestions: usize,
    /// From and until, in milliseconds since 1970.
    availability: Option<(i64, i64)>,
    pictures: Option<Pictures>,
}

impl Wanted {
    /// `None` for a time that is none, or too short or long.
    fn read(options: Option<&Element>) -> Option<Self> {
        let text = |tag| options.and_then(|options| options.child_text(tag)).map(str::trim);
        let availability = options.and_then(|options| options.child(tag::AVAILABILITY));
        let suggestions = text(tag::MAX_AMBIGUOUS_RECIPIENTS).and_then(|text| text.parse().ok());
        Some(Self {
            certificates: text(tag::CERTIFICATE_RETRIEVAL).is_some_and(|wanted| wanted != NO_RETRIEVAL),
            // Some devices send 0 and want some all the same.
            suggestions: suggestions.filter(|most| *most > 0).unwrap_or(SUGGESTIONS),
            availability: match availability {
                Some(availability) => Some(span(availability)?),
                None => None,
            },
            pictures: Pictures::wanted(options, tag::PICTURE, PICTURE_TAGS),
        })
    }
}

/// "EndTime < StartTime + 30 min, more than 42 days, or invalid": refused.
fn span(availability: &Element) -> Option<(i64, i64)> {
    let start = date::parse(availability.child_text(tag::START_TIME)?)?;
    let end = match availability.child_text(tag::END_TIME).map(str::trim) {
        None | Some("") => start + DEFAULT_SPAN,
        Some(text) => date::parse(text)?,
    };
    let length = end - start;
    (free_busy::SLOT..=LONGEST_SPAN)
        .contains(&length)
        .then_some((start, end))
}

/// The global address book, and the user's own.
async fn address_books(call: &Call<'_>) -> Result<Vec<String>, Error> {
    let folders = call.device.ox.folders().await?;
    let own = folders
        .into_iter()
        .filter(|folder| folder.module == Module::Contacts && folder.kind == FolderKind::Private)
        .filter(|folder| !folder.is_global_address_book)
        .map(|folder| folder.id);
    Ok(std::iter::once(ox::GLOBAL_ADDRESS_BOOK.to_owned()).chain(own).collect())
}

async fn response(call: &Call<'_>, folders: &[String], name: &str, wanted: &mut Wanted) -> Result<Element, Error> {
    let people = matching(call, folders, name).await?;
    let (status, shown) = match people.len() {
        0 => (UNRESOLVED, people.as_slice()),
        1 => (RESOLVED, people.as_slice()),
        count if count <= wanted.suggestions => (AMBIGUOUS, people.as_slice()),
        _ => (AMBIGUOUS_PARTIAL, people.get(..wanted.suggestions).unwrap_or_default()),
    };
    let mut response = Element::parent(
        tag::RESPONSE,
        [Element::text(tag::TO, name), Element::number(tag::STATUS, status)],
    );
    if people.is_empty() {
        return Ok(response);
    }
    response.push(Element::text(tag::RECIPIENT_COUNT, people.len().to_string()));
    for person in shown {
        response.push(recipient(call, person, status == RESOLVED, wanted).await?);
    }
    Ok(response)
}

/// Those whose name or address is the one asked for; if there are none, all in whom it begins one. Only who can be
/// written to is a recipient, and each address is one.
async fn matching(call: &Call<'_>, folders: &[String], name: &str) -> Result<Vec<Object>, Error> {
    let mut found: Vec<Object> = Vec::new();
    // Own contacts may repeat what the global address book has, which then counts.
    let (global, own) = folders.split_at(1.min(folders.len()));
    for folders in [global, own] {
        for person in people::find(call, folders, name).await? {
            let address = gal::addresses(&person).into_iter().next();
            let is_known = |known: &Object| {
                let known = gal::addresses(known).into_iter().next();
                known
                    .zip(address.as_ref())
                    .is_some_and(|(known, new)| known.eq_ignore_ascii_case(new))
            };
            if address.is_some() && !found.iter().any(is_known) {
                found.push(person);
            }
        }
    }
    let wanted = name.trim().to_lowercase();
    let is_exact = |person: &Object| {
        let addresses = gal::addresses(person);
        addresses
            .iter()
            .chain([&gal::display_name(person)])
            .any(|own| own.to_lowercase() == wanted)
    };
    if found.iter().any(is_exact) {
        found.retain(is_exact);
    }
    Ok(found)
}

async fn recipient(call: &Call<'_>, person: &Object, resolved: bool, wanted: &mut Wanted) -> Result<Element, Error> {
    let is_global = person.id(common::FOLDER_ID).as_deref() == Some(ox::GLOBAL_ADDRESS_BOOK);
    let address = gal::addresses(person).into_iter().next().unwrap_or_default();
    let mut recipient = Element::parent(
        tag::RECIPIENT,
        [
            Element::number(tag::TYPE, if is_global { TYPE_GLOBAL } else { TYPE_CONTACT }),
            Element::text(tag::DISPLAY_NAME, gal::display_name(person)),
            Element::text(tag::EMAIL_ADDRESS, address),
        ],
    );
    // "No Availability for ambiguous names."
    if let Some((start, end)) = wanted.availability.filter(|_| resolved) {
        recipient.push(availability(call, person, start, end).await?);
    }
    if wanted.certificates {
        recipient.push(Element::parent(
            tag::CERTIFICATES,
            [Element::number(tag::STATUS, NO_CERTIFICATE)],
        ));
    }
    if let Some(pictures) = &mut wanted.pictures {
        recipient.push(pictures.of(call, person).await?);
    }
    Ok(recipient)
}

/// The digits of a user; of everybody else nothing is known.
async fn availability(call: &Call<'_>, person: &Object, start: i64, end: i64) -> Result<Element, Error> {
    let user = person.number(contacts::USER_ID).filter(|user| *user > 0);
    let busy = match user {
        Some(user) => ox::free_busy(&call.device.ox, &[user], start, end)
            .await?
            .pop()
            .flatten(),
        None => None,
    };
    let digits = match busy {
        Some(busy) => {
            let taken: Vec<Taken> = busy.iter().map(|busy| taken(call, busy)).collect();
            free_busy::merged(start, end, &taken)
        }
        None => free_busy::no_data(start, end),
    };
    Ok(Element::parent(
        tag::AVAILABILITY,
        [
            Element::number(tag::STATUS, SUCCESS),
            Element::text(tag::MERGED_FREE_BUSY, digits),
        ],
    ))
}

fn taken(call: &Call<'_>, busy: &ox::Busy) -> Taken {
    match busy.whole_days {
        true => Taken::whole_days(busy.start, busy.end, busy.shown_as, &call.user.zone),
        false => Taken {
            start: busy.start,
            end: busy.end,
            shown_as: busy.shown_as,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let start = "2026-11-25T08:00:00.000Z";
        // end, length in half hours
        let cases = [
            (Some("2026-11-25T08:30:00.000Z"), Some(1)),
            (Some("2026-11-25T08:29:00.000Z"), None),
            (Some("2026-11-24T08:30:00.000Z"), None),
            (Some("2027-01-06T08:00:00.000Z"), Some(42 * 48)),
            (Some("2027-01-06T08:00:01.000Z"), None),
            (Some("soon"), None),
            (None, Some(7 * 48)),
        ];
        for (end, expected) in cases {
            let mut availability = Element::parent(tag::AVAILABILITY, [Element::text(tag::START_TIME, start)]);
            availability.extend(end.map(|end| Element::text(tag::END_TIME, end)));
            let length = span(&availability).map(|(start, end)| (end - start) / free_busy::SLOT);
            assert_eq!(length, expected, "{end:?}");
        }
        assert_eq!(span(&Element::empty(tag::AVAILABILITY)), None);
    }
}
