//! The table machine: a class is a table of rows, each joining tags with columns; one pair of functions walks it.
//!
//! Knows the kinds of rows and the rules of omission, not the properties: those are the rows of `contacts` and
//! `tasks`. Implements [MS-ASCMD] Supported and the rules on omitted and empty elements of [MS-ASCNTC] and
//! [MS-ASTASK]. Which version has a tag stands in the code pages.
//!
//! Two ideas keep writes few. What comes back as the device was shown it has not changed, however lossy the showing
//! was. And a row writes all of its columns or none, so that OX never sees half a recurrence.

use serde_json::Map;
use serde_json::Value;

use crate::content::Context;
use crate::content::Ghosted;
use crate::content::Unconvertible;
use crate::content::birthday;
use crate::content::body;
use crate::content::body::LegacyBody;
use crate::content::date;
use crate::content::text;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::ColumnName;
use crate::ox::columns::Date;
use crate::ox::columns::Text;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::airsyncbase;

/// [MS-ASCNTC] and [MS-ASTASK]: at most so many entries in a list.
pub const MOST_ENTRIES: usize = 300;

/// One row. Make it with [`text`], [`date`](fn@date) and their like.
pub struct Property {
    /// The top-level tags of the property; omission is judged by the first.
    tags: Tags,
    /// What stands inside, for the law that every tag is accounted for.
    inner: &'static [Tag],
    kept_when_omitted: bool,
    kind: Kind,
}

enum Tags {
    One([Tag; 1]),
    Several(&'static [Tag]),
}

enum Kind {
    Text(Column<Text>),
    Address(Column<Text>),
    Date(Column<Date>),
    List(Tag, Column<Text>),
    Note(LegacyBody, Tag, Column<Text>),
    Custom {
        columns: &'static [ColumnName],
        to_eas: fn(&Object, &Context<'_>) -> Vec<Element>,
        to_ox: fn(&Sent<'_>, &mut Object) -> Result<(), Unconvertible>,
    },
}

/// Text on one or a few lines.
pub const fn text(tag: Tag, column: Column<Text>) -> Property {
    single(tag, Kind::Text(column))
}

/// An e-mail address; `"Name" <address>` is stripped to the address.
pub const fn address(tag: Tag, column: Column<Text>) -> Property {
    single(tag, Kind::Address(column))
}

/// A calendar day: a birthday.
pub const fn date(tag: Tag, column: Column<Date>) -> Property {
    single(tag, Kind::Date(column))
}

/// A list of texts, which OX keeps as one text with commas.
pub const fn list(tag: Tag, entry: &'static [Tag; 1], column: Column<Text>) -> Property {
    let [entry_tag] = *entry;
    let mut property = single(tag, Kind::List(entry_tag, column));
    property.inner = entry;
    property
}

/// The notes of an item. `tags` are `AirSyncBase:Body` and those of the class's own body, `CompressedRTF` last.
pub const fn note(tags: &'static [Tag; 5], column: Column<Text>) -> Property {
    let [_, body, size, truncated, compressed_rtf] = *tags;
    let legacy = LegacyBody {
        body,
        size: Some(size),
        truncated,
    };
    several(tags, Kind::Note(legacy, compressed_rtf, column)).kept_when_omitted()
}

/// Anything else. `to_ox` is asked when one of the tags was sent, and when omitting all of them clears the property;
/// it writes the fields as they shall be, null for cleared ones.
pub const fn custom(
    tags: &'static [Tag],
    columns: &'static [ColumnName],
    to_eas: fn(&Object, &Context<'_>) -> Vec<Element>,
    to_ox: fn(&Sent<'_>, &mut Object) -> Result<(), Unconvertible>,
) -> Property {
    several(tags, Kind::Custom { columns, to_eas, to_ox })
}

const fn single(tag: Tag, kind: Kind) -> Property {
    Property {
        tags: Tags::One([tag]),
        inner: &[],
        kept_when_omitted: false,
        kind,
    }
}

const fn several(tags: &'static [Tag], kind: Kind) -> Property {
    Property {
        tags: Tags::Several(tags),
        inner: &[],
        kept_when_omitted: false,
        kind,
    }
}

impl Property {
    /// Omitting it never clears it, whatever the device supports.
    pub const fn kept_when_omitted(mut self) -> Self {
        self.kept_when_omitted = true;
        self
    }

    /// The tags inside a container.
    pub const fn containing(mut self, inner: &'static [Tag]) -> Self {
        self.inner = inner;
        self
    }

    fn tags(&self) -> &[Tag] {
        match &self.tags {
            Tags::One(tag) => tag,
            Tags::Several(tags) => tags,
        }
    }

    fn columns(&self) -> Vec<ColumnName> {
        match &self.kind {
            Kind::Text(column) | Kind::Address(column) | Kind::List(_, column) | Kind::Note(_, _, column) => {
                vec![column.name()]
            }
            Kind::Date(column) => vec![column.name()],
            Kind::Custom { columns, .. } => columns.to_vec(),
        }
    }

    /// Whether a Change that has none of the tags clears the property. A device cannot omit what its version does not
    /// have.
    fn cleared_when_omitted(&self, ghosted: &Ghosted, context: &Context<'_>) -> bool {
        let Some(&tag) = self.tags().first() else {
            return false;
        };
        let row = codepage::token(tag);
        let known = row.is_some_and(|row| row.versions.contains(context.version));
        known && !self.kept_when_omitted && !ghosted.keeps(tag)
    }

    fn to_eas(&self, object: &Object, context: &Context<'_>) -> Vec<Element> {
        let tag = self.tags().first().copied();
        let one = |text: Option<String>| tag.zip(text).map(|(tag, text)| Element::text(tag, text));
        let element = match &self.kind {
            Kind::Text(column) | Kind::Address(column) => one(shown_text(object, *column)),
            Kind::Date(column) => one(object.date(*column).map(birthday::write)),
            Kind::List(entry, column) => {
                let entries = entries(object.text(*column).unwrap_or_default());
                let children = entries.into_iter().map(|text| Element::text(*entry, text));
                let children: Vec<Element> = children.take(MOST_ENTRIES).collect();
                // Devices choke on an empty container.
                tag.filter(|_| !children.is_empty())
                    .map(|tag| Element::parent(tag, children))
            }
            Kind::Note(legacy, _, column) => return body::plain(object.text(*column), context.bodies, *legacy),
            Kind::Custom { to_eas, .. } => return to_eas(object, context),
        };
        element.into_iter().collect()
    }

    fn to_ox(&self, sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
        let Some(&tag) = self.tags().first() else {
            return Ok(());
        };
        match &self.kind {
            Kind::Text(column) => fields.set(*column, sent.text(tag)),
            Kind::Address(column) => {
                let address = sent.text(tag).map(|text| text::bare_address(&text).to_owned());
                fields.set(*column, address);
            }
            Kind::Date(column) => match sent.text(tag) {
                None => fields.clear(*column),
                Some(text) => {
                    let current = sent.current.and_then(|current| current.date(*column));
                    // A malformed date costs the date, not the item.
                    if let Some(day) = birthday::read(&text, current, &sent.context.user.zone) {
                        fields.set(*column, day);
                    }
                }
            },
            Kind::List(entry, column) => list_to_ox(sent, tag, *entry, *column, fields),
            Kind::Note(legacy, compressed_rtf, column) => {
                note_to_ox(sent, *legacy, *compressed_rtf, *column, fields);
            }
            Kind::Custom { to_ox, .. } => to_ox(sent, fields)?,
        }
        Ok(())
    }

    /// Whether the device sent exactly what it was shown.
    fn unchanged(&self, sent: &Sent<'_>) -> bool {
        let Some(current) = sent.current else {
            return false;
        };
        let elements = sent.application_data.children().iter();
        let elements: Vec<&Element> = elements.filter(|element| self.tags().contains(&element.tag)).collect();
        let shown = self.to_eas(current, sent.context);
        elements.len() == shown.len()
            && elements
                .iter()
                .all(|element| shown.iter().any(|shown| same(shown, element)))
    }
}

/// What a device sent of an item.
pub struct Sent<'a> {
    pub application_data: &'a Element,
    /// The object as it is in OX; `None` for an Add.
    pub current: Option<&'a Object>,
    pub context: &'a Context<'a>,
}

impl Sent<'_> {
    pub fn has(&self, tag: Tag) -> bool {
        self.application_data.child(tag).is_some()
    }

    /// Cleaned text; `None` if it is absent or empty.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let text = text::line(self.application_data.child_text(tag)?);
        Some(text).filter(|text| !text.is_empty())
    }

    /// `None` if it is absent or empty.
    pub fn number(&self, tag: Tag) -> Result<Option<i64>, Unconvertible> {
        let number = self.text(tag).map(|text| text.parse().map_err(|_| unusable(tag)));
        number.transpose()
    }

    /// [MS-ASDTYPE] boolean; an element without content is true. `None` if it is absent.
    pub fn flag(&self, tag: Tag) -> Result<Option<bool>, Unconvertible> {
        match self.application_data.child_text(tag).map(str::trim) {
            None => Ok(None),
            Some("" | "1") => Ok(Some(true)),
            Some("0") => Ok(Some(false)),
            Some(_) => Err(unusable(tag)),
        }
    }

    /// An instant; `None` if it is absent, and if it is malformed: that costs the date, not the item.
    pub fn instant(&self, tag: Tag) -> Option<i64> {
        date::parse(self.application_data.child_text(tag)?)
    }
}

/// For a value the specification does not have.
pub fn unusable(tag: Tag) -> Unconvertible {
    Unconvertible(format!("unusable {}", tag.name()))
}

/// The columns the rows need, each once.
pub fn columns(rows: &[Property]) -> Vec<ColumnName> {
    let mut columns = Vec::new();
    for column in rows.iter().flat_map(Property::columns) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// The children of ApplicationData, in the order of the rows.
pub fn to_eas(rows: &[Property], object: &Object, context: &Context<'_>) -> Vec<Element> {
    rows.iter().flat_map(|row| row.to_eas(object, context)).collect()
}

/// The fields to create, or those to change: only what differs, null for what is cleared.
pub fn to_ox(rows: &[Property], sent: &Sent<'_>, ghosted: &Ghosted) -> Result<Object, Unconvertible> {
    let mut changed = Map::new();
    for row in rows {
        let present = row.tags().iter().any(|tag| sent.has(*tag));
        let cleared = sent.current.is_some() && row.cleared_when_omitted(ghosted, sent.context);
        if !(present || cleared) || row.unchanged(sent) {
            continue;
        }
        let mut fields = Object::new();
        row.to_ox(sent, &mut fields)?;
        if differs(&fields, sent.current) {
            changed.extend(fields.into_map());
        }
    }
    if sent.current.is_none() {
        changed.retain(|_, value| !value.is_null());
    }
    Ok(Object::from_map(changed))
}

fn shown_text(object: &Object, column: Column<Text>) -> Option<String> {
    let text = text::line(object.text(column)?);
    Some(text).filter(|text| !text.is_empty())
}

/// The entries of a text with commas; no entry twice.
pub fn entries(text: &str) -> Vec<String> {
    let mut entries = Vec::new();
    for entry in text.split(',').map(text::line) {
        if !entry.is_empty() && !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// The entries of a container, as OX keeps them: a comma would split an entry.
pub fn joined(container: &Element, entry: Tag) -> String {
    let texts = container.children_of(entry).filter_map(Element::as_text);
    let texts = texts.map(|text| text.replace(',', " ")).take(MOST_ENTRIES);
    entries(&texts.collect::<Vec<_>>().join(",")).join(", ")
}

fn list_to_ox(sent: &Sent<'_>, tag: Tag, entry: Tag, column: Column<Text>, fields: &mut Object) {
    let container = sent.application_data.child(tag);
    let text = container.map(|container| joined(container, entry)).unwrap_or_default();
    let current = sent.current.and_then(|current| current.text(column));
    let (mut old, mut new) = (entries(current.unwrap_or_default()), entries(&text));
    old.sort();
    new.sort();
    // The order says nothing.
    if old != new {
        fields.set(column, Some(text).filter(|text| !text.is_empty()));
    }
}

fn note_to_ox(sent: &Sent<'_>, legacy: LegacyBody, compressed_rtf: Tag, column: Column<Text>, fields: &mut Object) {
    let shown = sent
        .current
        .map(|current| body::plain(current.text(column), sent.context.bodies, legacy));
    let shown = Element::parent(airsync::APPLICATION_DATA, shown.unwrap_or_default());
    let shown = body::sent(&shown, legacy.body);
    match body::sent(sent.application_data, legacy.body) {
        body::Sent::Text(kind, text) => {
            // A body that was shown cut and comes back cut is no change.
            if let body::Sent::Text(shown_kind, shown) = shown
                && shown_kind == kind
                && text::clean(shown) == text::clean(text)
            {
                return;
            }
            if let Some(text) = text::plain(kind, text) {
                fields.set(column, text);
            }
        }
        // Old devices send an empty body beside notes in RTF, which stay as they are in OX.
        body::Sent::Cleared if sent.text(compressed_rtf).is_none() => fields.clear(column),
        body::Sent::Cleared | body::Sent::Absent => {}
    }
}

/// Whether two elements say the same; what cleaning removes does not count.
fn same(shown: &Element, sent: &Element) -> bool {
    if shown.tag != sent.tag {
        return false;
    }
    match (shown.as_text(), sent.as_text()) {
        (Some(shown), Some(sent)) => text::clean(shown) == text::clean(sent),
        (None, None) => {
            let (shown, sent) = (shown.children(), sent.children());
            shown.len() == sent.len() && shown.iter().zip(sent).all(|(shown, sent)| same(shown, sent))
        }
        _ => false,
    }
}

fn differs(fields: &Object, current: Option<&Object>) -> bool {
    fields.as_map().iter().any(|(key, new)| {
        let old = current.and_then(|current| current.as_map().get(key));
        !equal(old.unwrap_or(&Value::Null), new)
    })
}

/// OX writes some numbers as text, and nothing as null, empty text or `false`.
fn equal(old: &Value, new: &Value) -> bool {
    let is_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    match (old, new) {
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            *text == number.to_string()
        }
        _ => old == new || (is_nothing(old) && is_nothing(new)),
    }
}

/// What must hold for the table of every class, and a user to test it with.
#[cfg(test)]
pub(super) mod laws {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::content::User;

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
}
