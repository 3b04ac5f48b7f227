//! A small grammar of documents: which elements an element has, in which order, how often, in which versions, of what type.
//!
//! [`Grammar::check`] names every place where a document is not what the rules say; `reader.rs` reads the rules.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oxtender::version::ProtocolVersion;
use oxtender::version::VersionRange;
use oxtender::wbxml::Content;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;

/// Rules for documents, by the tag of the root, and what they share, by name.
#[derive(Debug)]
pub(crate) struct Grammar {
    pub(super) roots: BTreeMap<Tag, Item>,
    pub(super) shared: BTreeMap<String, Vec<Shape>>,
}

/// An element where a rule names it.
#[derive(Debug)]
pub(crate) struct Item {
    pub(super) tag: Tag,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) versions: VersionRange,
    pub(super) shapes: Vec<Shape>,
    /// The rule as it is written, for messages.
    pub(super) text: String,
}

/// What may stand in an element.
#[derive(Debug)]
pub(super) enum Shape {
    Value(Value),
    Ordered(Vec<Part>),
    AnyOrder(Vec<Part>),
    Shared(String),
}

#[derive(Debug)]
pub(super) enum Part {
    One(Item),
    /// Alternatives; an empty one stands for `?`.
    Choice(Vec<Vec<Self>>),
    /// Within an ordered list, some that have no order among them.
    AnyOrder(Vec<Self>),
}

/// What a text may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// `text`: any, also none; `text(64)`: of 1 to 64 characters.
    Text(Option<usize>),
    /// `some`: any but none. This is meant where no type is written.
    Some,
    /// `empty`: a tag without content.
    Empty,
    /// `bool`: 0 or 1.
    Bool,
    /// `num`, `num(1|3|5..9)`.
    Number(Vec<(i64, i64)>),
    /// `id`: 1 to 64 characters that need no escaping.
    Id,
    /// `key`: a key that can be sent back, so not 0.
    Key,
    /// `compact`: `20261125T093000Z`.
    Compact,
    /// `dashed`: `2026-11-25T09:30:00.000Z`.
    Dashed,
    /// `opaque`: a byte array.
    Opaque,
    /// `base64`, also of nothing.
    Base64,
    /// `zone`: 172 bytes in base64.
    Zone,
}

/// What a check depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) version: ProtocolVersion,
    /// The device named the properties it wants: shared lists lack the others.
    pub(crate) restricted: bool,
}

/// What an element is recognized by.
#[derive(Debug, Clone, Copy)]
struct Sight {
    version: ProtocolVersion,
    /// By its tag, whatever it says: to tell what is wrong with a document, not whether.
    by_tag: bool,
}

impl Grammar {
    pub(crate) fn roots(&self) -> impl Iterator<Item = Tag> {
        self.roots.keys().copied()
    }

    /// Everything that is wrong with a document, each with the path to its place.
    pub(crate) fn check(&self, root: &Element, context: Context) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.roots.get(&root.tag) {
            Some(item) => self.element(root, item, context, &root.tag.name(), &mut wrong),
            None => wrong.push(format!("there is no rule for {:?}", root.tag)),
        }
        wrong
    }

    fn element(&self, element: &Element, item: &Item, context: Context, path: &str, wrong: &mut Vec<String>) {
        let shapes = self.spread(&item.shapes, context.restricted);
        if shapes
            .iter()
            .any(|(shape, _)| matches!(shape, Shape::Value(value) if value.fits(element)))
        {
            return;
        }
        for by_tag in [false, true] {
            let sight = Sight {
                version: context.version,
                by_tag,
            };
            let Some(placed) = shapes.iter().find_map(|shape| placed(*shape, element, sight)) else {
                continue;
            };
            let before = wrong.len();
            for (child, item) in placed {
                self.element(child, item, context, &format!("{path}/{}", child.tag.name()), wrong);
            }
            if !by_tag || wrong.len() > before {
                return;
            }
        }
        let reasons = shapes
            .iter()
            .filter_map(|(shape, _)| reasons(shape, element, context.version));
        let reasons = reasons.min_by_key(Vec::len).unwrap_or_default().join(", ");
        wrong.push(format!("{path}: {} is not {} ({reasons})", shown(element), item.text));
    }

    /// The shapes with the shared ones in their places; and whether a shared list may lack what it names.
    fn spread<'a>(&'a self, shapes: &'a [Shape], restricted: bool) -> Vec<(&'a Shape, bool)> {
        let spread = shapes.iter().flat_map(|shape| match shape {
            Shape::Shared(name) => {
                let shared = self.shared.get(name).unwrap_or_else(|| panic!("there is no ${name}"));
                let inner = self.spread(shared, restricted);
                inner.into_iter().map(|(shape, _)| (shape, restricted)).collect()
            }
            other => vec![(other, false)],
        });
        spread.collect()
    }
}

type Placed<'a> = Vec<(&'a Element, &'a Item)>;

/// Which item each child of an element is, if they all have one. An empty element has no children to be placed.
fn placed<'a>((shape, restricted): (&'a Shape, bool), element: &'a Element, sight: Sight) -> Option<Placed<'a>> {
    match shape {
        Shape::Ordered(parts) if !element.children().is_empty() => {
            let parts: Vec<&Part> = parts.iter().collect();
            ordered(&parts, element.children(), sight)
        }
        Shape::AnyOrder(parts) if !element.children().is_empty() => {
            any_order(parts, element.children(), sight, restricted)
        }
        _ => None,
    }
}

fn ordered<'a>(parts: &[&'a Part], children: &'a [Element], sight: Sight) -> Option<Placed<'a>> {
    let Some((first, rest)) = parts.split_first() else {
        return children.is_empty().then(Vec::new);
    };
    match first {
        Part::One(item) if !item.versions.contains(sight.version) => ordered(rest, children, sight),
        Part::One(item) => {
            let fitting = children.iter().take_while(|child| item.fits(child, sight)).count();
            let most = fitting.min(item.most);
            (item.least..=most).rev().find_map(|count| {
                let after = ordered(rest, &children[count..], sight)?;
                Some(
                    children[..count]
                        .iter()
                        .map(|child| (child, item))
                        .chain(after)
                        .collect(),
                )
            })
        }
        Part::Choice(alternatives) => alternatives.iter().find_map(|alternative| {
            let parts: Vec<&Part> = alternative.iter().chain(rest.iter().copied()).collect();
            ordered(&parts, children, sight)
        }),
        Part::AnyOrder(inner) => {
            let count = children
                .iter()
                .take_while(|child| items(inner).any(|item| item.fits(child, sight)))
                .count();
            let mut placed = any_order(inner, &children[..count], sight, false)?;
            placed.extend(ordered(rest, &children[count..], sight)?);
            Some(placed)
        }
    }
}

fn any_order<'a>(parts: &'a [Part], children: &'a [Element], sight: Sight, restricted: bool) -> Option<Placed<'a>> {
    let mut placed = Vec::new();
    for part in parts {
        let alternatives: Vec<&Item> = items(std::slice::from_ref(part))
            .filter(|item| item.versions.contains(sight.version))
            .collect();
        let fitting = children.iter().filter_map(|child| {
            let item = alternatives.iter().find(|item| item.fits(child, sight))?;
            Some((child, *item))
        });
        let before = placed.len();
        placed.extend(fitting);
        let count = placed.len() - before;
        let (least, most) = match part {
            _ if alternatives.is_empty() => (0, 0),
            Part::One(item) => (item.least, item.most),
            Part::Choice(alternatives) => (usize::from(alternatives.iter().all(|one| !one.is_empty())), 1),
            Part::AnyOrder(_) => panic!("a list without order within another"),
        };
        if (count < least && !restricted) || count > most {
            return None;
        }
    }
    (placed.len() == children.len()).then_some(placed)
}

/// Which children of an element, and which that it lacks, do not fit a list without order.
fn reasons(shape: &Shape, element: &Element, version: ProtocolVersion) -> Option<Vec<String>> {
    let Shape::AnyOrder(parts) = shape else { return None };
    let known: Vec<&Item> = items(parts).filter(|item| item.versions.contains(version)).collect();
    let count = |tag| element.children_of(tag).count();
    let strange = element
        .children()
        .iter()
        .filter(|child| known.iter().all(|item| item.tag != child.tag));
    let strange = strange.map(|child| format!("{:?} is not among them", child.tag));
    let amiss = known
        .iter()
        .filter(|item| !(item.least..=item.most).contains(&count(item.tag)));
    let amiss = amiss.map(|item| format!("{} is there {} times", item.text, count(item.tag)));
    Some(strange.chain(amiss).collect())
}

/// The items of parts of which each stands for single elements.
fn items(parts: &[Part]) -> impl Iterator<Item = &Item> {
    let mut found = Vec::new();
    for part in parts {
        match part {
            Part::One(item) => found.push(item),
            Part::Choice(alternatives) => found.extend(alternatives.iter().flat_map(|one| items(one))),
            Part::AnyOrder(inner) => found.extend(items(inner)),
        }
    }
    found.into_iter()
}

impl Item {
    /// Whether an element can be this: by its tag and, where it is to have a text, by that.
    fn fits(&self, element: &Element, sight: Sight) -> bool {
        let mut values = self.shapes.iter().map(|shape| match shape {
            Shape::Value(value) => Some(value.fits(element)),
            _ => None,
        });
        self.tag == element.tag
            && (sight.by_tag || values.clone().any(|fits| fits.is_none()) || values.any(|fits| fits == Some(true)))
    }
}

impl Value {
    fn fits(&self, element: &Element) -> bool {
        if let Content::Opaque(_) = element.content {
            return *self == Self::Opaque;
        }
        let Some(text) = element.as_text() else {
            return false;
        };
        match self {
            Self::Text(None) => true,
            Self::Text(Some(most)) => (1..=*most).contains(&text.chars().count()),
            Self::Some => !text.is_empty(),
            Self::Empty => text.is_empty(),
            Self::Bool => matches!(text, "0" | "1"),
            Self::Number(ranges) => is_number(text, ranges),
            Self::Id => {
                (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || ":._~-".contains(c))
            }
            Self::Key => (1..=64).contains(&text.len()) && text != "0",
            Self::Compact => has_form(text, "ddddddddTddddddZ"),
            Self::Dashed => has_form(text, "dddd-dd-ddTdd:dd:dd.dddZ"),
            Self::Opaque => false,
            Self::Base64 => STANDARD.decode(text).is_ok(),
            Self::Zone => STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 172),
        }
    }
}

/// Decimal digits as a number is written, within one of the ranges; without ranges, any that is not negative.
fn is_number(text: &str, ranges: &[(i64, i64)]) -> bool {
    let Ok(number) = text.parse::<i64>() else {
        return false;
    };
    let in_range = ranges.iter().any(|(first, last)| (*first..=*last).contains(&number));
    number.to_string() == text && (in_range || ranges.is_empty() && number >= 0)
}

/// `d` stands for a digit, everything else for itself; and it must be a day that the calendar has.
fn has_form(text: &str, form: &str) -> bool {
    let same = |(c, f): (char, char)| if f == 'd' { c.is_ascii_digit() } else { c == f };
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    text.chars().count() == form.chars().count()
        && text.chars().zip(form.chars()).all(same)
        && jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", digits).is_ok()
}

/// An element with its children, one level deep.
fn shown(element: &Element) -> String {
    let mut text = element.tag.name().into_owned();
    match &element.content {
        Content::Empty => text.push_str("/empty"),
        Content::Text(value) => text += &format!("={value:?}"),
        Content::Opaque(bytes) => text += &format!("=<{} bytes>", bytes.len()),
        Content::Children(children) => {
            let children = children.iter().map(|child| match child.children() {
                [] => shown(child),
                _ => format!("{}{{..}}", child.tag.name()),
            });
            text += &format!("{{ {} }}", children.collect::<Vec<_>>().join(", "));
        }
    }
    text
}
