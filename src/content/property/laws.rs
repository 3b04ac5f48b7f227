//! What must hold for the table of every class, and a user to test it with.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::*;
use crate::content::User;
use crate::wbxml::codepage::airsyncbase;

/// A user in Berlin.
pub(in crate::content) fn user() -> User {
    User {
        id: 5,
        name: "John Doe".to_owned(),
        address: "john@example.com".to_owned(),
        addresses: vec!["john@example.com".to_owned()],
        zone: TimeZone::get("Europe/Berlin").unwrap(),
    }
}

/// Each tag stands in one row; each column in one row, unless a custom row reads it too; every tag of the code
/// pages is in a row or in `unmapped`, not both.
pub(in crate::content) fn check(rows: &[Property], pages: &[u8], unmapped: &[(Tag, &str)]) {
    let mapped: Vec<Tag> = rows.iter().flat_map(|row| row.tags()).copied().collect();
    for (position, tag) in mapped.iter().enumerate() {
        assert!(!mapped[..position].contains(tag), "{tag:?} twice");
    }
    let plain_rows = rows.iter().filter(|row| !matches!(row.kind, Kind::Custom { .. }));
    let columns: Vec<ColumnName> = plain_rows.flat_map(Property::columns).collect();
    for (position, column) in columns.iter().enumerate() {
        assert!(!columns[..position].contains(column), "{} twice", column.key);
    }
    let inner: Vec<Tag> = rows.iter().flat_map(|row| row.inner).copied().collect();
    let tokens = pages.iter().filter_map(|page| codepage::page(*page));
    for token in tokens.flat_map(|page| page.tokens) {
        let is_mapped = mapped.contains(&token.tag) || inner.contains(&token.tag);
        let reason = unmapped.iter().find(|(tag, _)| *tag == token.tag);
        assert!(
            is_mapped != reason.is_some(),
            "{:?} is neither mapped nor unmapped, or both",
            token.tag
        );
        assert!(reason.is_none_or(|(_, reason)| !reason.is_empty()), "{:?}", token.tag);
    }
    let own = |tag: &Tag| pages.contains(&tag.page) || tag.page == airsyncbase::BODY.page;
    assert!(mapped.iter().all(own));
}

/// For classes without rows of tags: every tag of the code pages is shown by some item or stands in `unmapped`, not both.
pub(in crate::content) fn all_accounted_for(shown: &[Element], pages: &[u8], unmapped: &[(Tag, &str)]) {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Element> = shown.iter().collect();
    while let Some(element) = open.pop() {
        found.insert(element.tag);
        open.extend(element.children());
    }
    let tokens = pages.iter().filter_map(|page| codepage::page(*page));
    let wrong = tokens.flat_map(|page| page.tokens).filter(|token| {
        let reason = unmapped.iter().find(|(tag, _)| *tag == token.tag);
        found.contains(&token.tag) == reason.is_some()
    });
    let wrong: Vec<Tag> = wrong.map(|token| token.tag).collect();
    assert!(wrong.is_empty(), "neither shown nor unmapped, or both: {wrong:?}");
    assert!(
        unmapped
            .iter()
            .all(|(tag, reason)| pages.contains(&tag.page) && !reason.is_empty())
    );
}

/// Simple rows survive the way to a device and back.
pub(in crate::content) fn round_trip(rows: &[Property], context: &Context<'_>) {
    for row in rows {
        let mut object = Object::new();
        match row.kind {
            Kind::Text(column) | Kind::Address(column) | Kind::Note(_, _, column) => {
                object.set(column, "some text");
            }
            Kind::List(_, column) => object.set(column, "one, two"),
            Kind::Date(column) => object.set(column, -86_400_000_i64),
            Kind::Custom { .. } => continue,
        }
        let children = row.to_eas(&object, context);
        let application_data = Element::parent(airsync::APPLICATION_DATA, children);
        let sent = Sent {
            application_data: &application_data,
            current: None,
            context,
        };
        let back = to_ox(std::slice::from_ref(row), &sent, &Ghosted::Nothing).unwrap();
        assert_eq!(back, object, "{:?}", row.tags().first());
    }
}
