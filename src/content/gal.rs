//! People of the address book, as a search shows them.
//!
//! Pure. Implements the properties of [MS-ASCMD] Search and Find in the global address list.

use crate::content::text;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::Text;
use crate::ox::columns::contacts;
use crate::quirk::Bend;
use crate::quirk::Quirks;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::gal;

/// Property and column, in the order in which they are sent. DisplayName, Alias and EmailAddress need more than a column.
const ROWS: [(Tag, Column<Text>); 9] = [
    (gal::PHONE, contacts::TELEPHONE_BUSINESS1),
    (gal::OFFICE, contacts::ROOM_NUMBER),
    (gal::TITLE, contacts::POSITION),
    (gal::COMPANY, contacts::COMPANY),
    (gal::FIRST_NAME, contacts::FIRST_NAME),
    (gal::LAST_NAME, contacts::LAST_NAME),
    (gal::HOME_PHONE, contacts::TELEPHONE_HOME1),
    (gal::MOBILE_PHONE, contacts::CELLULAR_TELEPHONE1),
    (gal::EMAIL_ADDRESS, contacts::EMAIL1),
];

/// Some devices need these, if only empty.
const NAMES: [Tag; 2] = [gal::FIRST_NAME, gal::LAST_NAME];

/// Properties of a person; those without a value are left out, DisplayName and Alias are always there.
pub fn properties(person: &Object, quirks: Quirks) -> Vec<Element> {
    let mut properties = vec![
        Element::text(gal::DISPLAY_NAME, display_name(person)),
        Element::text(gal::ALIAS, alias(person)),
    ];
    let rows = ROWS.iter().filter_map(|(tag, column)| match person.text(*column) {
        Some(text) => Some(Element::text(*tag, text::line(text))),
        None if quirks.has(Bend::PeopleHaveBothNames) && NAMES.contains(tag) => Some(Element::empty(*tag)),
        None => None,
    });
    properties.extend(rows);
    properties
}

/// The name to show, and to sort by: as OX has it, or of first and last name, or the address.
pub fn display_name(person: &Object) -> String {
    if let Some(name) = person.text(contacts::DISPLAY_NAME) {
        return text::line(name);
    }
    let names = [contacts::FIRST_NAME, contacts::LAST_NAME].map(|column| person.text(column));
    let names: Vec<&str> = names.into_iter().flatten().collect();
    match names.is_empty() {
        true => addresses(person).into_iter().next().unwrap_or_default(),
        false => text::line(&names.join(" ")),
    }
}

/// The addresses of a person, the main one first.
pub fn addresses(person: &Object) -> Vec<String> {
    let columns = [contacts::EMAIL1, contacts::EMAIL2, contacts::EMAIL3];
    let addresses = columns.into_iter().filter_map(|column| person.text(column));
    addresses.map(|address| text::line(address.trim())).collect()
}

/// OX has no aliases: the local part of the address is what Exchange makes an alias of.
fn alias(person: &Object) -> String {
    let address = addresses(person).into_iter().next();
    let local = address.as_deref().and_then(|address| address.split('@').next());
    match local {
        Some(local) => local.to_owned(),
        None => display_name(person),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(fields: &[(Column<Text>, &str)]) -> Object {
        let mut person = Object::new();
        for (column, value) in fields {
            person.set(*column, *value);
        }
        person
    }

    #[test]
    fn only_what_there_is() {
        let anton = person(&[
            (contacts::DISPLAY_NAME, "Anders, Anton"),
            (contacts::EMAIL1, "a.anton@example.com"),
            (contacts::POSITION, "Clerk"),
            (contacts::ROOM_NUMBER, ""),
        ]);
        let expected = [
            Element::text(gal::DISPLAY_NAME, "Anders, Anton"),
            Element::text(gal::ALIAS, "a.anton"),
            Element::text(gal::TITLE, "Clerk"),
            Element::text(gal::EMAIL_ADDRESS, "a.anton@example.com"),
        ];
        assert_eq!(properties(&anton, Quirks::NONE), expected);
        let with_names = properties(&anton, Quirks::NONE.with(Bend::PeopleHaveBothNames));
        assert_eq!(with_names[3..5], NAMES.map(Element::empty));
    }

    #[test]
    fn everybody_has_a_name() {
        // fields, name, alias
        let cases = [
            (
                vec![(contacts::FIRST_NAME, "Anna"), (contacts::LAST_NAME, "Berg")],
                "Anna Berg",
                "Anna Berg",
            ),
            (vec![(contacts::EMAIL2, "b@example.com")], "b@example.com", "b"),
            (vec![], "", ""),
        ];
        for (fields, name, short) in cases {
            let person = person(&fields);
            assert_eq!((display_name(&person).as_str(), alias(&person).as_str()), (name, short));
        }
    }
}
