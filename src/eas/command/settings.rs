//! Settings: what a device tells of itself, and what it asks about its user.
//!
//! DevicePassword is refused, since passwords are not recovered here; rights management is told to be disabled. Properties
//! are answered in the order of the request, each with a Status of its own.
//! Implements [MS-ASCMD] Settings.

mod oof;

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::identity;
use crate::eas::status::Error;
use crate::version::ProtocolVersion::V14_0;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::settings as tag;

/// The addresses stand directly below Get in these versions, in an account later.
const PLAIN_ADDRESSES: VersionRange = VersionRange::until(V14_0);

/// Statuses of a property: done; the request is malformed; not offered here; a value is wrong; refused by policy.
const SUCCESS: i64 = 1;
const PROTOCOL_ERROR: i64 = 2;
const UNAVAILABLE: i64 = 4;
const INVALID_ARGUMENTS: i64 = 5;
const DENIED_BY_POLICY: i64 = 7;
/// A common Status, where a property's is expected.
const RIGHTS_MANAGEMENT_DISABLED: i64 = 168;

/// Device fields are named after the element, with this before it.
const FIELD_PREFIX: &str = "device.";

/// Longer values are cut: the documents allow 1024 characters.
const LONGEST_VALUE: usize = 1024;

/// [MS-ASCMD] Password (Settings), in characters.
const LONGEST_PASSWORD: usize = 255;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let mut children = vec![Element::number(tag::STATUS, SUCCESS)];
    let properties = call.root()?.children();
    let is_first =
        |(index, property): (usize, &Element)| properties.iter().position(|it| it.tag == property.tag) == Some(index);
    // "A malformed request": nothing of it is done.
    let well_formed = properties.iter().enumerate().all(is_first);
    for property in properties.iter().filter(|_| well_formed) {
        children.extend(answer(call, property).await?);
    }
    if children.len() == 1 {
        children = vec![Element::number(tag::STATUS, PROTOCOL_ERROR)];
    }
    Ok(Reply::Document(Element::parent(tag::SETTINGS, children)))
}

/// The answer to one property; `None` for what we do not know.
async fn answer(call: &Call<'_>, property: &Element) -> Result<Option<Element>, Error> {
    let children = match property.tag {
        tag::DEVICE_INFORMATION => match remember_device(call, property).await? {
            true => vec![status(SUCCESS)],
            false => vec![status(PROTOCOL_ERROR)],
        },
        tag::USER_INFORMATION if property.child(tag::GET).is_some() => user_information(call),
        tag::DEVICE_PASSWORD => vec![status(device_password(property))],
        tag::OOF => oof::answer(call, property).await?,
        tag::RIGHTS_MANAGEMENT_INFORMATION if property.child(tag::GET).is_some() => {
            vec![status(RIGHTS_MANAGEMENT_DISABLED)]
        }
        tag::USER_INFORMATION | tag::RIGHTS_MANAGEMENT_INFORMATION => vec![status(PROTOCOL_ERROR)],
        _ => return Ok(None),
    };
    Ok(Some(Element::parent(property.tag, children)))
}

fn status(status: i64) -> Element {
    Element::number(tag::STATUS, status)
}

/// Passwords are not kept, so there is none to clear either.
fn device_password(property: &Element) -> i64 {
    let password = property.child(tag::SET).and_then(|set| set.child_text(tag::PASSWORD));
    match password.map(|password| password.chars().count()) {
        None => PROTOCOL_ERROR,
        Some(0) => SUCCESS,
        Some(length) if length > LONGEST_PASSWORD => INVALID_ARGUMENTS,
        Some(_) => DENIED_BY_POLICY,
    }
}

fn user_information(call: &Call<'_>) -> Vec<Element> {
    let user = &call.user;
    let smtp = |address: &String| Element::text(tag::SMTP_ADDRESS, address.clone());
    let mut addresses: Vec<Element> = user.addresses.iter().map(smtp).collect();
    if PLAIN_ADDRESSES.contains(call.version) {
        let addresses = Element::parent(tag::EMAIL_ADDRESSES, addresses);
        return vec![status(SUCCESS), Element::parent(tag::GET, [addresses])];
    }
    addresses.push(Element::text(tag::PRIMARY_SMTP_ADDRESS, user.address.clone()));
    let account = Element::parent(
        tag::ACCOUNT,
        [
            Element::text(tag::USER_DISPLAY_NAME, user.name.clone()),
            Element::parent(tag::EMAIL_ADDRESSES, addresses),
        ],
    );
    vec![
        status(SUCCESS),
        Element::parent(tag::GET, [Element::parent(tag::ACCOUNTS, [account])]),
    ]
}

/// Keeps what a device says of itself; `false` if it says nothing. Values it leaves out are kept.
pub(super) async fn remember_device(call: &Call<'_>, information: &Element) -> Result<bool, Error> {
    let Some(set) = information.child(tag::SET) else {
        return Ok(false);
    };
    let values: Vec<(String, &str)> = set
        .children()
        .iter()
        .filter_map(|value| named(value.tag, value))
        .collect();
    let known = call.device.fields().await?;
    let news: Vec<(&str, Option<&str>)> = values
        .iter()
        .filter(|(name, value)| known.get(name).map(String::as_str) != Some(*value))
        .map(|(name, value)| (name.as_str(), Some(*value)))
        .collect();
    if !news.is_empty() {
        call.device.remember(&news).await?;
        identity::tell(call.device, set);
    }
    Ok(!values.is_empty())
}

fn named(tag: Tag, value: &Element) -> Option<(String, &str)> {
    let text = value.as_text()?;
    let end = text
        .char_indices()
        .nth(LONGEST_VALUE)
        .map_or(text.len(), |(end, _)| end);
    let cut = text.get(..end).unwrap_or_default();
    Some((format!("{FIELD_PREFIX}{}", tag.name()), cut))
}
