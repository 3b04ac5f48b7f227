//! Contacts: a contact of OX as ApplicationData, and back.
//!
//! The rows are the mapping; beside them stand the names a contact is listed under and its picture. Implements
//! [MS-ASCNTC] and the API documentation, "Detailed contact data". What OX has more than a device, such as second
//! mobile numbers and user fields, is neither shown nor ever written.

use crate::content::Context;
use crate::content::Ghosted;
use crate::content::Unconvertible;
use crate::content::judged;
use crate::content::property;
use crate::content::property::Property;
use crate::content::property::Sent;
use crate::content::property::address;
use crate::content::property::custom;
use crate::content::property::date;
use crate::content::property::list;
use crate::content::property::note;
use crate::content::property::text;
use crate::ox::Object;
use crate::ox::columns::ColumnName;
use crate::ox::columns::common;
use crate::ox::columns::contacts as columns;
use crate::quirk::Bend;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::contacts;
use crate::wbxml::codepage::contacts2;

mod names;
mod picture;
mod scale;

pub use picture::fitting;
pub use picture::with_photo;

static ROWS: &[Property] = &[
    custom(
        &[contacts::FILE_AS],
        &[
            columns::FILE_AS.name(),
            columns::DISPLAY_NAME.name(),
            columns::FIRST_NAME.name(),
            columns::LAST_NAME.name(),
            columns::COMPANY.name(),
            columns::EMAIL1.name(),
        ],
        names::file_as_to_eas,
        names::file_as_to_ox,
    ),
    text(contacts::FIRST_NAME, columns::FIRST_NAME),
    text(contacts::MIDDLE_NAME, columns::SECOND_NAME),
    text(contacts::LAST_NAME, columns::LAST_NAME),
    text(contacts::SUFFIX, columns::SUFFIX),
    text(contacts::TITLE, columns::TITLE),
    text(contacts::YOMI_FIRST_NAME, columns::YOMI_FIRST_NAME),
    text(contacts::YOMI_LAST_NAME, columns::YOMI_LAST_NAME),
    text(contacts::YOMI_COMPANY_NAME, columns::YOMI_COMPANY),
    text(contacts2::NICK_NAME, columns::NICKNAME),
    text(contacts::COMPANY_NAME, columns::COMPANY),
    text(contacts::DEPARTMENT, columns::DEPARTMENT),
    text(contacts::JOB_TITLE, columns::POSITION),
    text(contacts::OFFICE_LOCATION, columns::ROOM_NUMBER),
    text(contacts2::MANAGER_NAME, columns::MANAGER_NAME),
    text(contacts::ASSISTANT_NAME, columns::ASSISTANT_NAME),
    text(contacts::ASSISTANT_PHONE_NUMBER, columns::TELEPHONE_ASSISTANT),
    address(contacts::EMAIL1_ADDRESS, columns::EMAIL1),
    address(contacts::EMAIL2_ADDRESS, columns::EMAIL2),
    address(contacts::EMAIL3_ADDRESS, columns::EMAIL3),
    text(contacts2::IM_ADDRESS, columns::INSTANT_MESSENGER1),
    text(contacts2::IM_ADDRESS2, columns::INSTANT_MESSENGER2),
    text(contacts::WEB_PAGE, columns::URL),
    text(contacts::MOBILE_PHONE_NUMBER, columns::CELLULAR_TELEPHONE1),
    text(contacts::HOME_PHONE_NUMBER, columns::TELEPHONE_HOME1),
    text(contacts::HOME2_PHONE_NUMBER, columns::TELEPHONE_HOME2),
    text(contacts::HOME_FAX_NUMBER, columns::FAX_HOME),
    text(contacts::BUSINESS_PHONE_NUMBER, columns::TELEPHONE_BUSINESS1),
    text(contacts::BUSINESS2_PHONE_NUMBER, columns::TELEPHONE_BUSINESS2),
    text(contacts::BUSINESS_FAX_NUMBER, columns::FAX_BUSINESS),
    text(contacts2::COMPANY_MAIN_PHONE, columns::TELEPHONE_COMPANY),
    text(contacts::CAR_PHONE_NUMBER, columns::TELEPHONE_CAR),
    text(contacts::PAGER_NUMBER, columns::TELEPHONE_PAGER),
    text(contacts::RADIO_PHONE_NUMBER, columns::TELEPHONE_RADIO),
    text(contacts::HOME_ADDRESS_STREET, columns::STREET_HOME),
    text(contacts::HOME_ADDRESS_CITY, columns::CITY_HOME),
    text(contacts::HOME_ADDRESS_POSTAL_CODE, columns::POSTAL_CODE_HOME),
    text(contacts::HOME_ADDRESS_STATE, columns::STATE_HOME),
    text(contacts::HOME_ADDRESS_COUNTRY, columns::COUNTRY_HOME),
    text(contacts::BUSINESS_ADDRESS_STREET, columns::STREET_BUSINESS),
    text(contacts::BUSINESS_ADDRESS_CITY, columns::CITY_BUSINESS),
    text(contacts::BUSINESS_ADDRESS_POSTAL_CODE, columns::POSTAL_CODE_BUSINESS),
    text(contacts::BUSINESS_ADDRESS_STATE, columns::STATE_BUSINESS),
    text(contacts::BUSINESS_ADDRESS_COUNTRY, columns::COUNTRY_BUSINESS),
    text(contacts::OTHER_ADDRESS_STREET, columns::STREET_OTHER),
    text(contacts::OTHER_ADDRESS_CITY, columns::CITY_OTHER),
    text(contacts::OTHER_ADDRESS_POSTAL_CODE, columns::POSTAL_CODE_OTHER),
    text(contacts::OTHER_ADDRESS_STATE, columns::STATE_OTHER),
    text(contacts::OTHER_ADDRESS_COUNTRY, columns::COUNTRY_OTHER),
    date(contacts::BIRTHDAY, columns::BIRTHDAY),
    date(contacts::ANNIVERSARY, columns::ANNIVERSARY),
    text(contacts::SPOUSE, columns::SPOUSE_NAME),
    custom(
        &[contacts::CHILDREN],
        &[columns::NUMBER_OF_CHILDREN.name()],
        children_to_eas,
        children_to_ox,
    )
    .containing(&[contacts::CHILD]),
    list(contacts::CATEGORIES, &[contacts::CATEGORY], common::CATEGORIES),
    note(
        &[
            airsyncbase::BODY,
            contacts::BODY,
            contacts::BODY_SIZE,
            contacts::BODY_TRUNCATED,
            contacts::COMPRESSED_RTF,
        ],
        columns::NOTE,
    ),
];

/// The columns a contact is read with. Those of its picture are up to who fetches it.
pub fn columns() -> Vec<ColumnName> {
    let mut columns = property::columns(ROWS);
    columns.push(columns::MARK_AS_DISTRIBUTIONLIST.name());
    columns
}

/// By what two changes of a contact are told apart. The name by which OX lists it follows from others.
pub(in crate::content) fn judged() -> Vec<judged::Property> {
    let mut judged = property::judged(ROWS, &[columns::DISPLAY_NAME.name()]);
    judged.push(judged::Property {
        name: "Picture".to_owned(),
        columns: vec![columns::IMAGE1.name()],
        with: vec![columns::IMAGE1_CONTENT_TYPE.name()],
    });
    judged
}

/// Names that follow from other fields, for fields that are a part of what a device has changed.
pub(in crate::content) fn settle(fields: &mut Object, current: &Object) {
    names::settle(fields, Some(current));
}

/// The children of ApplicationData. `photo` is the picture as [`fitting`] makes it, if there is one; one that is too large
/// for a device is left out. Distribution lists have no form in ActiveSync.
pub fn to_eas(object: &Object, photo: Option<&[u8]>, context: &Context<'_>) -> Result<Vec<Element>, Unconvertible> {
    refuse_distribution_list(object)?;
    let mut children = property::to_eas(ROWS, object, context);
    children.extend(photo.and_then(picture::to_eas));
    if context.quirks.has(Bend::EmptyElementsClear) {
        children.extend(property::emptied(ROWS, &children));
    }
    Ok(children)
}

/// For an Add (`current` is `None`) the fields of the new contact, `display_name` always among them. For a Change the
/// fields that differ from `current`, null for those to be cleared; none if nothing changed.
pub fn to_ox(
    application_data: &Element,
    current: Option<&Object>,
    ghosted: &Ghosted,
    context: &Context<'_>,
) -> Result<Object, Unconvertible> {
    current.map_or(Ok(()), refuse_distribution_list)?;
    let sent = Sent {
        application_data,
        current,
        context,
    };
    let mut fields = property::to_ox(ROWS, &sent, ghosted)?;
    names::settle(&mut fields, current);
    picture::to_ox(application_data, &mut fields);
    Ok(fields)
}

fn refuse_distribution_list(object: &Object) -> Result<(), Unconvertible> {
    match object.flag(columns::MARK_AS_DISTRIBUTIONLIST) {
        Some(true) => Err(Unconvertible("a distribution list".to_owned())),
        _ => Ok(()),
    }
}

/// The names of the children; OX has one text for them, where others write their number.
fn children_to_eas(object: &Object, _: &Context<'_>) -> Vec<Element> {
    let names = child_names(object);
    let names = names.into_iter().map(|name| Element::text(contacts::CHILD, name));
    let names: Vec<Element> = names.take(property::MOST_ENTRIES).collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![Element::parent(contacts::CHILDREN, names)]
}

/// Without names from the device, a number in OX stays.
fn children_to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    let container = sent.application_data.child(contacts::CHILDREN);
    let names = container.map(|container| property::joined(container, contacts::CHILD));
    match names.filter(|names| !names.is_empty()) {
        Some(names) => fields.set(columns::NUMBER_OF_CHILDREN, names),
        None if sent.current.is_some_and(|current| !child_names(current).is_empty()) => {
            fields.clear(columns::NUMBER_OF_CHILDREN);
        }
        None => {}
    }
    Ok(())
}

fn child_names(object: &Object) -> Vec<String> {
    let text = object.text(columns::NUMBER_OF_CHILDREN).unwrap_or_default();
    if text.trim().parse::<u32>().is_ok() {
        return Vec::new();
    }
    property::entries(text)
}

#[cfg(test)]
mod tests;
