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
use crate::content::judged;
use crate::content::text;
use crate::content::typed;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::ColumnName;
use crate::ox::columns::Date;
use crate::ox::columns::Text;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage;
use crate::wbxml::codepage::airsync;

/// [MS-ASCNTC] and [MS-ASTASK]: at most so many entries in a list.
pub const MOST_ENTRIES: usize = 300;

/// One row, made by [`text()`], [`date()`] and their like. Both sides are typed, so that a row the wrong way round, or
/// one that takes text from a column of days, does not compile:
///
/// ```
/// use oxtender::content::property;
/// use oxtender::ox::columns::contacts as columns;
/// use oxtender::wbxml::codepage::contacts;
///
/// property::text(contacts::PAGER_NUMBER, columns::TELEPHONE_PAGER);
/// property::date(contacts::BIRTHDAY, columns::BIRTHDAY);
/// ```
///
/// ```compile_fail
/// use oxtender::content::property;
/// use oxtender::ox::columns::contacts as columns;
/// use oxtender::wbxml::codepage::contacts;
///
/// property::text(contacts::BIRTHDAY, columns::BIRTHDAY);
/// ```
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

    /// What a user would call it.
    fn name(&self) -> String {
        let tag = self.tags().first().and_then(|tag| codepage::token(*tag));
        match self.kind {
            Kind::Note(..) => "Notes".to_owned(),
            _ => tag.map_or_else(String::new, |tag| judged::words(tag.name)),
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
            Kind::Date(column) => one(object
                .date(*column)
                .map(|day| birthday::write(day, context.quirks.birthday_hour()))),
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
        typed::line(self.application_data.child(tag)?)
    }

    /// `None` if it is absent or empty.
    pub fn number(&self, tag: Tag) -> Result<Option<i64>, Unconvertible> {
        let element = self.application_data.child(tag);
        element.map_or(Ok(None), typed::number)
    }

    /// An element without content is true; `None` if it is absent.
    pub fn flag(&self, tag: Tag) -> Result<Option<bool>, Unconvertible> {
        self.application_data.child(tag).map(typed::flag).transpose()
    }

    /// An instant; `None` if it is absent, and if it is malformed: that costs the date, not the item.
    pub fn instant(&self, tag: Tag) -> Option<i64> {
        date::parse(self.application_data.child_text(tag)?)
    }
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

/// The rows as properties to judge changes by. A column that has a row of its own is judged there; `unjudged` are only
/// written with the others of their row.
pub(in crate::content) fn judged(rows: &[Property], unjudged: &[ColumnName]) -> Vec<judged::Property> {
    let single = rows.iter().map(Property::columns).filter(|columns| columns.len() == 1);
    let single: Vec<ColumnName> = single.flatten().collect();
    let judged = rows.iter().map(|row| {
        let columns = row.columns();
        let is_single = columns.len() == 1;
        let own = columns
            .into_iter()
            .filter(|column| is_single || !single.contains(column));
        let (with, columns) = own.partition(|column| unjudged.contains(column));
        judged::Property {
            name: row.name(),
            columns,
            with,
        }
    });
    judged.collect()
}

/// The children of ApplicationData, in the order of the rows.
pub fn to_eas(rows: &[Property], object: &Object, context: &Context<'_>) -> Vec<Element> {
    rows.iter().flat_map(|row| row.to_eas(object, context)).collect()
}

/// An empty element for each text, address and date that `children` lack: for devices that keep what is not mentioned.
pub fn emptied(rows: &[Property], children: &[Element]) -> Vec<Element> {
    let is_leaf = |row: &&Property| matches!(row.kind, Kind::Text(_) | Kind::Address(_) | Kind::Date(_));
    let leaves = rows.iter().filter(is_leaf).flat_map(Property::tags);
    let lacking = leaves.filter(|tag| children.iter().all(|child| child.tag != **tag));
    lacking.copied().map(Element::empty).collect()
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

#[cfg(test)]
pub(super) mod laws;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::content::BodyOptions;
    use crate::ox::columns::common;
    use crate::ox::columns::tasks as columns;
    use crate::quirk::Quirks;
    use crate::version::ProtocolVersion;
    use crate::wbxml::codepage::tasks;

    /// A row whose first tag came with 12.0, and that always writes two columns.
    fn pair() -> Property {
        custom(
            &[tasks::ORDINAL_DATE, tasks::SUB_ORDINAL_DATE],
            const { &[columns::STATUS.name(), columns::PERCENT_COMPLETED.name()] },
            |object, _| {
                let status = object.number(columns::STATUS);
                let status = status.map(|status| Element::number(tasks::ORDINAL_DATE, status));
                status.into_iter().collect()
            },
            |sent, fields| {
                fields.set(columns::STATUS, sent.number(tasks::ORDINAL_DATE)?);
                fields.set(columns::PERCENT_COMPLETED, 7);
                Ok(())
            },
        )
    }

    /// The fields a version writes for a change of an object with the status 1.
    fn changed(rows: &[Property], children: Vec<Element>, version: ProtocolVersion) -> Value {
        let (user, bodies) = (laws::user(), BodyOptions::default());
        let context = Context {
            quirks: Quirks::NONE,
            version,
            user: &user,
            bodies: &bodies,
            now: 0,
        };
        let mut current = Object::new();
        current.set(columns::STATUS, "1");
        current.set(columns::PERCENT_COMPLETED, 7);
        let sent = Sent {
            application_data: &Element::parent(airsync::APPLICATION_DATA, children),
            current: Some(&current),
            context: &context,
        };
        Value::Object(to_ox(rows, &sent, &Ghosted::Nothing).unwrap().into_map())
    }

    #[test]
    fn a_version_cannot_omit_what_it_does_not_have() {
        let rows = [pair()];
        assert_eq!(changed(&rows, Vec::new(), ProtocolVersion::V2_5), json!({}));
        let cleared = json!({"status": null, "percent_completed": 7});
        assert_eq!(changed(&rows, Vec::new(), ProtocolVersion::V12_0), cleared);
        let rows = [pair().kept_when_omitted()];
        assert_eq!(changed(&rows, Vec::new(), ProtocolVersion::V12_0), json!({}));
    }

    #[test]
    fn a_row_writes_all_of_its_columns_or_none() {
        let status = |text: &str| vec![Element::text(tasks::ORDINAL_DATE, text)];
        let version = ProtocolVersion::V16_1;
        assert_eq!(changed(&[pair()], status("1"), version), json!({}));
        let both = json!({"status": 2, "percent_completed": 7});
        assert_eq!(changed(&[pair()], status("2"), version), both);
    }

    #[test]
    fn columns_are_asked_for_once() {
        let rows = [
            pair(),
            pair(),
            list(tasks::CATEGORIES, &[tasks::CATEGORY], common::CATEGORIES),
        ];
        let keys: Vec<&str> = columns(&rows).iter().map(|column| column.key).collect();
        assert_eq!(keys, ["status", "percent_completed", "categories"]);
    }

    #[test]
    fn lists_are_texts_with_commas() {
        assert_eq!(entries(" a,b ,, a,\u{7}c d"), ["a", "b", "c d"]);
        let texts = ["a, b", "", "c", "c"].map(|text| Element::text(tasks::CATEGORY, text));
        let container = Element::parent(tasks::CATEGORIES, texts);
        assert_eq!(joined(&container, tasks::CATEGORY), "a  b, c");
        let many = (0..400).map(|number| Element::number(tasks::CATEGORY, number));
        let container = Element::parent(tasks::CATEGORIES, many);
        assert_eq!(entries(&joined(&container, tasks::CATEGORY)).len(), MOST_ENTRIES);
    }

    #[test]
    fn values_that_say_the_same_are_equal() {
        // old, new, equal
        let cases = [
            (json!(null), json!(""), true),
            (json!(null), json!(false), true),
            (json!("3"), json!(3), true),
            (json!(3), json!("3"), true),
            (json!(0), json!(null), false),
            (json!("a"), json!("A"), false),
            (json!(true), json!(false), false),
        ];
        for (old, new, expected) in cases {
            assert_eq!(equal(&old, &new), expected, "{old} {new}");
        }
    }
}
