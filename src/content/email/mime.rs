//! The tree of a message: its entities, where each stands in the source, and their numbers.
//!
//! Only structure: bodies stay undecoded. Ranges point into the source, so that a part can be replaced without touching
//! any other byte. Implements RFC 2046 "Multipart Media Type" and "Message Media Type"; numbers as in RFC 3501 "FETCH",
//! which OX uses as ids of attachments.

use std::ops::Range;

use crate::content::email::header;
use crate::content::email::header::ContentType;
use crate::content::email::header::Field;

/// Multiparts in multiparts; deeper ones are taken as a part without parts.
const MAX_DEPTH: usize = 32;

/// Entities of a message; what follows belongs to the last one.
const MAX_PARTS: usize = 1000;

/// A message or a part of one.
#[derive(Debug)]
pub(super) struct Entity {
    /// `1`, `2.1`; empty for a message that is a multipart.
    pub id: String,
    pub fields: Vec<Field>,
    pub content_type: ContentType,
    /// Where the header starts.
    pub start: usize,
    pub body: Range<usize>,
    /// The parts of a multipart; the one message in a `message/rfc822`.
    pub children: Vec<Self>,
}

impl Entity {
    /// Reads a whole message; everything is a message, if only a body without header.
    pub(super) fn parse(source: &[u8]) -> Self {
        let mut parser = Parser {
            source,
            left: MAX_PARTS,
        };
        parser.entity(0..source.len(), String::new(), "text/plain", 0)
    }

    /// The body of the first field with this name, in lower case.
    pub(super) fn field<'a>(&self, source: &'a [u8], name: &str) -> Option<&'a [u8]> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        source.get(field.body.clone())
    }

    /// Content-Transfer-Encoding, without comments and parameters.
    pub(super) fn encoding(&self, source: &[u8]) -> String {
        let text = header::text(self.field(source, "content-transfer-encoding").unwrap_or_default());
        text.split([';', '(', ' '])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    }

    /// Whether the body is opaque: neither a multipart nor a message that could be read.
    pub(super) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }
}

struct Parser<'a> {
    source: &'a [u8],
    left: usize,
}

impl Parser<'_> {
    /// `id` is the number of a part, or empty for a message of its own.
    fn entity(&mut self, range: Range<usize>, id: String, default: &str, depth: usize) -> Entity {
        self.left = self.left.saturating_sub(1);
        let (fields, start) = header::split(self.source, range.start, range.end);
        let declared = fields
            .iter()
            .find(|field| field.name == "content-type")
            .and_then(|field| self.source.get(field.body.clone()))
            .and_then(ContentType::parse)
            .filter(|content_type| content_type.kind.contains('/'));
        let mut entity = Entity {
            id,
            fields,
            start: range.start,
            content_type: declared.unwrap_or_else(|| ContentType::new(default)),
            body: start..range.end,
            children: Vec::new(),
        };
        if depth < MAX_DEPTH {
            entity.children = self.children(&entity, depth);
        }
        if entity.id.is_empty() && !entity.content_type.is_multipart() {
            "1".clone_into(&mut entity.id);
        }
        entity
    }

    fn children(&mut self, entity: &Entity, depth: usize) -> Vec<Entity> {
        if entity.content_type.is_message() {
            // RFC 2046 forbids to encode a message; one that is encoded all the same stays opaque.
            let encoding = entity.encoding(self.source);
            let plain = !matches!(encoding.as_str(), "base64" | "quoted-printable");
            return match plain && self.left > 0 {
                true => vec![self.entity(entity.body.clone(), String::new(), "text/plain", depth + 1)],
                false => Vec::new(),
            };
        }
        let boundary = entity.content_type.parameter("boundary").unwrap_or_default();
        if !entity.content_type.is_multipart() || boundary.is_empty() {
            return Vec::new();
        }
        let default = match entity.content_type.is("multipart/digest") {
            true => "message/rfc822",
            false => "text/plain",
        };
        let ranges = split_parts(self.source, entity.body.clone(), boundary.as_bytes(), self.left);
        ranges
            .into_iter()
            .enumerate()
            .map(|(index, range)| {
                let id = match entity.id.as_str() {
                    "" => format!("{}", index + 1),
                    parent => format!("{parent}.{}", index + 1),
                };
                self.entity(range, id, default, depth + 1)
            })
            .collect()
    }
}

/// The ranges of at most `limit` parts. The line end before a delimiter belongs to the delimiter; a missing last
/// delimiter is the end of the body.
fn split_parts(source: &[u8], body: Range<usize>, boundary: &[u8], limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    let mut position = body.start;
    for line in source
        .get(body.clone())
        .unwrap_or_default()
        .split_inclusive(|byte| *byte == b'\n')
    {
        let start = position;
        position += line.len();
        let Some(last) = delimiter(line, boundary) else {
            continue;
        };
        if let Some(first) = open.take() {
            parts.push(first..without_line_end(source, first, start));
        }
        if last || parts.len() >= limit {
            return parts;
        }
        open = Some(position);
    }
    if let Some(first) = open {
        parts.push(first..body.end);
    }
    parts
}

/// Whether a line is `--boundary` (`false`) or `--boundary--` (`true`).
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    match rest.trim_ascii_end() {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

fn without_line_end(source: &[u8], start: usize, end: usize) -> usize {
    let part = source.get(start..end).unwrap_or_default();
    let part = part
        .strip_suffix(b"\n")
        .map_or(part, |part| part.strip_suffix(b"\r").unwrap_or(part));
    start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(source: &[u8], entity: &Entity) -> String {
        if entity.is_leaf() {
            let body = String::from_utf8_lossy(&source[entity.body.clone()]).into_owned();
            return format!("{} {} {body:?}", entity.id, entity.content_type.kind);
        }
        let children: Vec<_> = entity.children.iter().map(|child| shape(source, child)).collect();
        format!("{} {} [{}]", entity.id, entity.content_type.kind, children.join(", "))
    }

    #[test]
    fn trees_and_numbers() {
        // source, expected
        let cases: [(&str, &str); 7] = [
            ("a: b\n\nhello\n", r#"1 text/plain "hello\n""#),
            ("a: b", r#"1 text/plain """#),
            (
                "Content-Type: multipart/mixed; boundary=x\n\npre\n--x\n\none\n--x\nContent-Type: text/html\n\ntwo\r\n--x--\nend",
                r#" multipart/mixed [1 text/plain "one", 2 text/html "two"]"#,
            ),
            // The last delimiter is missing.
            (
                "Content-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x\n\ntw",
                r#" multipart/mixed [1 text/plain "one", 2 text/plain "tw"]"#,
            ),
            // No boundary, no parts.
            ("Content-Type: multipart/mixed\n\n--x\n", r#" multipart/mixed "--x\n""#),
            (
                "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/alternative; boundary=xy\n\n--xy\n\na\n--xy--\n--x--\n",
                r#" multipart/mixed [1 multipart/alternative [1.1 text/plain "a"]]"#,
            ),
            (
                "Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: s\n\nbody\n--x--\n",
                r#" multipart/digest [1 message/rfc822 [1 text/plain "body"]]"#,
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(shape(source.as_bytes(), &Entity::parse(source.as_bytes())), expected);
        }
    }

    #[test]
    fn hostile_trees_stay_small() {
        let nested = "Content-Type: message/rfc822\n\n".repeat(10_000);
        let mut depth = 0;
        let root = Entity::parse(nested.as_bytes());
        let mut entity = &root;
        while let Some(child) = entity.children.first() {
            entity = child;
            depth += 1;
        }
        assert_eq!(depth, MAX_DEPTH);
        let wide = format!(
            "Content-Type: multipart/mixed; boundary=x\n\n{}",
            "--x\n\n".repeat(10_000)
        );
        assert!(Entity::parse(wide.as_bytes()).children.len() <= MAX_PARTS);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message(source: Vec<u8>) {
            prop_assert!(Entity::parse(&source).body.end <= source.len());
        }

        #[test]
        fn ranges_lie_within_the_parent(
            parts in prop::collection::vec("(--x(--)?|Content-Type: (multipart/mixed; boundary=x|message/rfc822|text/html)|[a-z: ]{0,8})?\r?\n", 0..40),
        ) {
            let source = format!("Content-Type: multipart/mixed; boundary=x\n\n{}", parts.concat());
            let mut open = vec![Entity::parse(source.as_bytes())];
            while let Some(entity) = open.pop() {
                for child in entity.children {
                    prop_assert!(entity.body.start <= child.body.start && child.body.end <= entity.body.end);
                    open.push(child);
                }
            }
        }
    }
}
