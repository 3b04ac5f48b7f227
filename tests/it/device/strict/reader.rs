//! The notation of the rules: that of the specifications' trees, so that each rule can be held against its source line by line.
//!
//! ```text
//! Page:Root{ ... };                a rule for documents with this root
//! $Name Page:{ ... };              children that several rules share, and the page of their names
//!
//! A  A?  A*  A+                    exactly one, at most one, any number, at least one
//! A@12.0..  A@..12.1  A@14.0..14.1 only in these versions; elsewhere A must not be there
//! A{ B, C }                        children in this order; A < B, C > in any order
//! A{ .. }/{ .. }/$Name/empty       one of several shapes, by what fits first
//! [ B, C | D ]  [ B | C ]?         one of these, one of these or none
//! page:A                           a name of another page; otherwise the page of what is around it
//! A=type                           what the text must be; without a type, any text but none
//! ```
//!
//! Types: [`Value`]. A container without children fits only where `empty` is one of its shapes.

use std::collections::BTreeMap;
use std::str::Chars;

use oxtender::version::ProtocolVersion;
use oxtender::version::VersionRange;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage;

use super::grammar::Grammar;
use super::grammar::Item;
use super::grammar::Part;
use super::grammar::Shape;
use super::grammar::Value;

impl Grammar {
    /// Reads rules; panics at what is none, since they are a part of the test.
    pub(crate) fn read(text: &str) -> Self {
        let mut grammar = Self {
            roots: BTreeMap::new(),
            shared: BTreeMap::new(),
        };
        let mut reader = Reader(text.chars());
        while reader.peek().is_some() {
            if reader.take('$') {
                let name = reader.word();
                let page = reader.word();
                reader.expect(':');
                let shapes = reader.shapes(&page);
                assert!(grammar.shared.insert(name.clone(), shapes).is_none(), "${name} twice");
            } else {
                let root = reader.item("");
                assert!(grammar.roots.insert(root.tag, root).is_none(), "a root twice");
            }
            reader.expect(';');
        }
        grammar
    }
}

/// What is left of the rules.
struct Reader<'a>(Chars<'a>);

impl Reader<'_> {
    /// The next character that is no space, comma or comment.
    fn peek(&mut self) -> Option<char> {
        loop {
            let next = self.0.clone().next()?;
            match next {
                '#' => drop(self.0.by_ref().find(|c| *c == '\n')),
                ',' | ' ' | '\n' => drop(self.0.next()),
                other => return Some(other),
            }
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.0.next();
        }
        found
    }

    fn expect(&mut self, wanted: char) {
        assert!(self.take(wanted), "{wanted:?} is missing before {:?}", self.rest());
    }

    fn word(&mut self) -> String {
        self.peek();
        self.run(|c| c.is_ascii_alphanumeric())
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let text = self.0.as_str();
        let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
        self.0 = text[end..].chars();
        text[..end].to_owned()
    }

    fn rest(&self) -> String {
        self.0.as_str().chars().take(40).collect()
    }

    /// `page:Name?@12.0..=type`, with shapes.
    fn item(&mut self, page: &str) -> Item {
        self.peek();
        let before = self.0.as_str();
        let mut name = self.word();
        let mut own_page = page.to_owned();
        if self.take(':') {
            own_page = std::mem::replace(&mut name, self.word());
        }
        let (least, most) = match self.peek() {
            Some('?') => (0, 1),
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            _ => (1, 1),
        };
        if (least, most) != (1, 1) {
            self.0.next();
        }
        let versions = if self.take('@') {
            self.versions()
        } else {
            VersionRange::ALL
        };
        let shapes = match self.peek() {
            Some('=' | '{' | '<' | '$') => {
                self.take('=');
                self.shapes(&own_page)
            }
            _ => vec![Shape::Value(Value::Some)],
        };
        let text = before[..before.len() - self.0.as_str().len()].split_whitespace();
        Item {
            tag: tag(&own_page, &name),
            least,
            most,
            versions,
            shapes,
            text: text.collect::<Vec<_>>().join(" "),
        }
    }

    fn versions(&mut self) -> VersionRange {
        let text = self.run(|c| c.is_ascii_digit() || c == '.');
        let (first, last) = text.split_once("..").unwrap_or_else(|| panic!("{text} is no range"));
        let version = |name: &str| ProtocolVersion::from_name(name).unwrap_or_else(|| panic!("{name} is no version"));
        match (first, last) {
            (first, "") => VersionRange::since(version(first)),
            ("", last) => VersionRange::until(version(last)),
            (first, last) => VersionRange::between(version(first), version(last)),
        }
    }

    fn shapes(&mut self, page: &str) -> Vec<Shape> {
        let mut shapes = Vec::new();
        loop {
            shapes.push(match self.peek() {
                Some('{') => Shape::Ordered(self.list('{', '}', page)),
                Some('<') => Shape::AnyOrder(self.list('<', '>', page)),
                Some('$') => {
                    self.take('$');
                    Shape::Shared(self.word())
                }
                _ => Shape::Value(self.value()),
            });
            if !self.take('/') {
                return shapes;
            }
        }
    }

    fn list(&mut self, open: char, close: char, page: &str) -> Vec<Part> {
        self.expect(open);
        let mut parts = Vec::new();
        while !self.take(close) {
            parts.push(self.part(page));
        }
        parts
    }

    fn part(&mut self, page: &str) -> Part {
        match self.peek() {
            Some('[') => self.choice(page),
            Some('<') => Part::AnyOrder(self.list('<', '>', page)),
            _ => Part::One(self.item(page)),
        }
    }

    fn choice(&mut self, page: &str) -> Part {
        self.expect('[');
        let mut alternatives = vec![Vec::new()];
        while !self.take(']') {
            if self.take('|') {
                alternatives.push(Vec::new());
                continue;
            }
            let part = self.part(page);
            alternatives.last_mut().unwrap().push(part);
        }
        if self.take('?') {
            alternatives.push(Vec::new());
        }
        Part::Choice(alternatives)
    }

    fn value(&mut self) -> Value {
        let name = self.word();
        let argument = if self.0.as_str().starts_with('(') {
            self.0.next();
            let argument = self.run(|c| c != ')');
            self.expect(')');
            Some(argument)
        } else {
            None
        };
        match (name.as_str(), argument) {
            ("text", argument) => Value::Text(argument.map(|most| most.parse().unwrap())),
            ("num", argument) => Value::Number(argument.as_deref().map_or_else(Vec::new, ranges)),
            ("some", None) => Value::Some,
            ("empty", None) => Value::Empty,
            ("bool", None) => Value::Bool,
            ("id", None) => Value::Id,
            ("key", None) => Value::Key,
            ("compact", None) => Value::Compact,
            ("dashed", None) => Value::Dashed,
            ("opaque", None) => Value::Opaque,
            ("base64", None) => Value::Base64,
            ("zone", None) => Value::Zone,
            (other, _) => panic!("{other:?} is no type before {:?}", self.rest()),
        }
    }
}

/// `1|3|5..9`
fn ranges(text: &str) -> Vec<(i64, i64)> {
    let one = |text: &str| match text.split_once("..") {
        Some((first, last)) => (first.parse().unwrap(), last.parse().unwrap()),
        None => (text.parse().unwrap(), text.parse().unwrap()),
    };
    text.split('|').map(one).collect()
}

fn tag(page: &str, name: &str) -> Tag {
    let found = codepage::PAGES
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(page));
    let found = found.unwrap_or_else(|| panic!("there is no page {page:?} for {name}"));
    found
        .tag_by_name(name)
        .unwrap_or_else(|| panic!("{page} has no {name}"))
}
