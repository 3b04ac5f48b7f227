//! Text read back into a tree of elements.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use quick_xml::NsReader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use thiserror::Error;

use super::{page_number, tag};
use crate::wbxml::decode::Limits;
use crate::wbxml::{Element, Tag};

/// Why a text is no document, and where.
#[derive(Debug, Error)]
#[error("line {line}: {reason}")]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    pub reason: ParseReason,
}

/// What is wrong with a text.
#[derive(Debug, Error)]
pub enum ParseReason {
    #[error(transparent)]
    Xml(#[from] quick_xml::Error),
    #[error("the code page of its namespace has no element {0}")]
    Name(String),
    #[error("the only attribute of an element can be encoding=\"base64\", not {0}")]
    Attribute(String),
    #[error("the content is redacted")]
    Redacted,
    #[error("this is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("&{0}; is no character")]
    Reference(String),
    #[error("text beside elements")]
    Mixed,
    #[error("content outside of the root element")]
    Outside,
    #[error("elements are nested deeper than {0}")]
    TooDeep(usize),
    #[error("the text ends before its root element does")]
    Truncated,
}

/// Reads what [`to_text`](super::to_text) writes in full, and other XML with the same namespaces; one may end with a colon, as in older
/// specifications (`AirSync:`). Layout between elements, comments and a DOCTYPE do not matter. White space with a line
/// break alone within an element counts as layout, too.
pub fn parse(text: &str) -> Result<Element, ParseError> {
    let mut reader = NsReader::from_str(text);
    read(&mut reader).map_err(|reason| {
        let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let before = text.bytes().take(end);
        ParseError {
            line: 1 + before.filter(|byte| *byte == b'\n').count(),
            reason,
        }
    })
}

fn read(reader: &mut NsReader<&[u8]>) -> Result<Element, ParseReason> {
    let mut tree = Tree::default();
    loop {
        match reader.read_resolved_event()? {
            (namespace, Event::Start(start)) => tree.start(Open::new(&namespace, &start)?)?,
            (namespace, Event::Empty(start)) => {
                tree.start(Open::new(&namespace, &start)?)?;
                tree.end()?;
            }
            (_, Event::End(_)) => tree.end()?,
            (_, Event::Text(text)) => tree.text(&text.xml10_content(), false)?,
            (_, Event::CData(text)) => tree.text(&text.xml10_content(), true)?,
            (_, Event::GeneralRef(reference)) => tree.text(&resolve(&reference)?, true)?,
            (_, Event::Eof) => return tree.finish(),
            (_, Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, ParseReason> {
    let unknown = || ParseReason::Reference(reference.to_string());
    if let Some(character) = reference.resolve_char_ref().map_err(|_| unknown())? {
        return Ok(character.into());
    }
    resolve_xml_entity(reference).map(Into::into).ok_or_else(unknown)
}

/// The elements being read, innermost last, and the root once it is complete.
#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    root: Option<Element>,
}

impl Tree {
    fn start(&mut self, element: Open) -> Result<(), ParseReason> {
        if self.root.is_some() {
            return Err(ParseReason::Outside);
        }
        let deepest = Limits::default().depth;
        if self.open.len() == deepest {
            return Err(ParseReason::TooDeep(deepest));
        }
        self.open.push(element);
        Ok(())
    }

    /// `explicit`: written as a reference or CDATA, and so never mere layout.
    fn text(&mut self, text: &str, explicit: bool) -> Result<(), ParseReason> {
        match self.open.last_mut() {
            Some(element) => {
                element.text += text;
                element.explicit |= explicit;
                Ok(())
            }
            None if explicit || !is_blank(text) => Err(ParseReason::Outside),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), ParseReason> {
        let element = self.open.pop().ok_or(ParseReason::Outside)?.close()?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, ParseReason> {
        if !self.open.is_empty() {
            return Err(ParseReason::Truncated);
        }
        self.root.ok_or(ParseReason::Truncated)
    }
}

/// An element whose end has not been read yet.
struct Open {
    tag: Tag,
    children: Vec<Element>,
    text: String,
    explicit: bool,
    base64: bool,
}

impl Open {
    fn new(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Self, ParseReason> {
        let mut base64 = false;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(quick_xml::Error::from)?;
            match (attribute.key.as_ref(), attribute.value.as_ref()) {
                _ if attribute.key.as_namespace_binding().is_some() => {}
                ("encoding", "base64") => base64 = true,
                ("bytes", _) => return Err(ParseReason::Redacted),
                (key, value) => return Err(ParseReason::Attribute(format!("{key}=\"{value}\""))),
            }
        }
        Ok(Self {
            tag: find(namespace, start).ok_or_else(|| ParseReason::Name(start.name().as_ref().into()))?,
            children: Vec::new(),
            text: String::new(),
            explicit: false,
            base64,
        })
    }

    fn close(self) -> Result<Element, ParseReason> {
        let blank = is_blank(&self.text) && !self.explicit;
        if !self.children.is_empty() {
            if !blank {
                return Err(ParseReason::Mixed);
            }
            return Ok(Element::parent(self.tag, self.children));
        }
        if self.base64 {
            return Ok(Element::opaque(self.tag, BASE64.decode(self.text.trim())?));
        }
        if blank && self.text.contains('\n') {
            return Ok(Element::empty(self.tag));
        }
        Ok(Element::text(self.tag, self.text))
    }
}

fn find(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Option<Tag> {
    let ResolveResult::Bound(Namespace(namespace)) = namespace else {
        return None;
    };
    let page = page_number(namespace.strip_suffix(':').unwrap_or(namespace))?;
    tag(page, start.local_name().as_ref())
}

/// White space as XML has it; a no-break space is text.
fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wbxml::codepage::{airsync, email};

    #[test]
    fn other_ways_to_write_the_same() {
        let subject = |text: &str| Element::parent(airsync::SYNC, [Element::text(email::SUBJECT, text)]);
        // text, the content of Subject
        let cases = [
            // a declaration on each element, with the colon of older specifications; a DOCTYPE, comments
            (
                "<?xml version='1.0'?><!DOCTYPE x><!-- x -->\n<Sync xmlns='AirSync:'>\n<Subject xmlns='Email:'>a</Subject></Sync>\n",
                "a",
            ),
            (
                "<s:Sync xmlns:s='AirSync'><Subject xmlns='Email'>a</Subject></s:Sync>",
                "a",
            ),
            (
                "<page0:Sync xmlns:page0='page0'><e:token14 xmlns:e='Email'>a</e:token14></page0:Sync>",
                "a",
            ),
            // pieces, references, white space
            (
                "<Sync xmlns='AirSync' xmlns:e='Email'><e:Subject>a<!-- x -->&amp;&#98;<![CDATA[<c>]]></e:Subject></Sync>",
                "a&b<c>",
            ),
            (
                "<Sync xmlns='AirSync' xmlns:e='Email'><e:Subject> </e:Subject></Sync>",
                " ",
            ),
            (
                "<Sync xmlns='AirSync' xmlns:e='Email'><e:Subject>&#10;</e:Subject></Sync>",
                "\n",
            ),
            (
                "<Sync xmlns='AirSync' xmlns:e='Email'><e:Subject>\n  </e:Subject></Sync>",
                "",
            ),
            (
                "<Sync xmlns='AirSync' xmlns:e='Email'><e:Subject></e:Subject></Sync>",
                "",
            ),
        ];
        for (text, content) in cases {
            assert_eq!(parse(text).expect(text), subject(content), "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_why() {
        // text, message
        let cases = [
            ("", "line 1: the text ends before its root element does"),
            (
                "\n<Sync xmlns='AirSync'>\n",
                "line 3: the text ends before its root element does",
            ),
            ("\n\nhello", "line 3: content outside of the root element"),
            (
                "<Sync xmlns='AirSync'/><Sync xmlns='AirSync'/>",
                "line 1: content outside of the root element",
            ),
            ("<Sync/>", "line 1: the code page of its namespace has no element Sync"),
            (
                "<Sync xmlns='AirSink'/>",
                "line 1: the code page of its namespace has no element Sync",
            ),
            (
                "<Sync xmlns='AirSync'>\n<Sink/></Sync>",
                "line 2: the code page of its namespace has no element Sink",
            ),
            (
                "<token40 xmlns='AirSync'/>",
                "line 1: the code page of its namespace has no element token40",
            ),
            (
                "<token05 xmlns='page256'/>",
                "line 1: the code page of its namespace has no element token05",
            ),
            (
                "<Sync xmlns='AirSync' id='1'/>",
                "line 1: the only attribute of an element can be encoding=\"base64\", not id=\"1\"",
            ),
            ("<Sync xmlns='AirSync' bytes='1'/>", "line 1: the content is redacted"),
            (
                "<Sync xmlns='AirSync' encoding='base64'>?</Sync>",
                "line 1: this is not base64: Invalid symbol 63, offset 0.",
            ),
            (
                "<Sync xmlns='AirSync'>&eacute;</Sync>",
                "line 1: &eacute; is no character",
            ),
            ("<Sync xmlns='AirSync'>a<Add/></Sync>", "line 1: text beside elements"),
        ];
        for (text, message) in cases {
            assert_eq!(parse(text).expect_err(text).to_string(), message, "{text}");
        }
        assert!(matches!(
            parse("<Sync xmlns='AirSync'></Add>").expect_err("wrong end").reason,
            ParseReason::Xml(_)
        ));
    }

    #[test]
    fn depth_is_limited() {
        let deep = "<Sync xmlns='AirSync'>".repeat(65);
        assert!(matches!(
            parse(&deep).expect_err("too deep").reason,
            ParseReason::TooDeep(64)
        ));
    }
}
