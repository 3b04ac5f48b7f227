//! Laws that hold for all documents, tried with random ones. A failure prints its seed and the smallest case.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::version::ProtocolVersion;
use crate::wbxml::codepage::{self, unknown_in};
use crate::wbxml::xml::{Detail, parse, to_text};
use crate::wbxml::{Element, Limits, Tag, decode, encode};

/// Text that XML has, long and short, and never empty.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ -~]{1,12}",
        2 => "[ \t\r\n\u{85}\u{A0}\u{2028}a&<>\"']{1,6}",
        1 => "[\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]{1,200}",
    ]
}

/// A tree of these tags, in the form that decoding gives.
fn tree(tags: Vec<Tag>) -> impl Strategy<Value = Element> {
    let tag = select(tags);
    let leaf = prop_oneof![
        1 => tag.clone().prop_map(Element::empty),
        3 => (tag.clone(), text()).prop_map(|(tag, text)| Element::text(tag, text)),
        1 => (tag.clone(), vec(any::<u8>(), 1..300)).prop_map(|(tag, bytes)| Element::opaque(tag, bytes)),
    ];
    leaf.prop_recursive(6, 60, 8, move |child| {
        (tag.clone(), vec(child, 1..8)).prop_map(|(tag, children)| Element::parent(tag, children))
    })
}

fn tags_of(version: ProtocolVersion) -> Vec<Tag> {
    codepage::PAGES
        .iter()
        .flat_map(|page| page.tokens)
        .filter(|token| token.versions.contains(version))
        .map(|token| token.tag)
        .collect()
}

/// A version and a document that it has.
fn document() -> impl Strategy<Value = (ProtocolVersion, Element)> {
    select(&ProtocolVersion::ALL[..]).prop_flat_map(|version| (Just(version), tree(tags_of(version))))
}

/// A document with any tags, known or not.
fn foreign() -> impl Strategy<Value = Element> {
    let pages = [0, 2, 17, 25, 26, 254, 255];
    let tags = pages
        .into_iter()
        .flat_map(|page| (0x05..=0x3F).map(move |token| Tag { page, token }));
    tree(tags.collect())
}

/// Bytes that get past the header, made of what documents are made of.
fn almost_wbxml() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        3 => Just(vec![0x01]),
        2 => any::<u8>().prop_map(|page| vec![0x00, page]),
        3 => "[a-z]{0,4}".prop_map(|text| [b"\x03", text.as_bytes(), b"\0"].concat()),
        1 => vec(any::<u8>(), 0..4).prop_map(|bytes| [&[0xC3, bytes.len() as u8], &bytes[..]].concat()),
        6 => (0x05_u8..0x80).prop_map(|token| vec![token]),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    vec(token, 0..60).prop_map(|tokens| [vec![0x03, 0x01, 0x6A, 0x00], tokens.concat()].concat())
}

proptest! {
    #[test]
    fn encode_then_decode_is_identity((version, root) in document()) {
        prop_assert_eq!(unknown_in(&root, version), []);
        prop_assert_eq!(decode(&encode(&root, version), &Limits::default()), Ok(root));
    }

    #[test]
    fn every_version_can_read_what_it_is_sent((_, root) in document()) {
        for version in ProtocolVersion::ALL {
            let bytes = encode(&root, version);
            match decode(&bytes, &Limits::default()) {
                Ok(sent) => prop_assert_eq!(unknown_in(&sent, version), []),
                Err(_) => prop_assert_eq!(bytes.len(), 4, "nothing but a header"),
            }
        }
    }

    #[test]
    fn text_then_parse_is_identity(root in foreign()) {
        let text = to_text(&root, Detail::Full);
        prop_assert_eq!(parse(&text).expect("our own text"), root);
    }

    #[test]
    fn text_has_a_line_for_each_element_and_its_end(root in foreign()) {
        fn lines(element: &Element) -> usize {
            let children: usize = element.children().iter().map(lines).sum();
            children + if element.children().is_empty() { 1 } else { 2 }
        }
        for detail in [Detail::Full, Detail::Redacted] {
            let text = to_text(&root, detail);
            prop_assert_eq!(text.split(['\n', '\r', '\u{85}', '\u{2028}']).count(), lines(&root) + 1);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, &Limits::default());
    }

    #[test]
    fn near_misses_never_panic_and_what_is_read_keeps_the_limits(bytes in almost_wbxml()) {
        fn depth(element: &Element) -> usize {
            1 + element.children().iter().map(depth).max().unwrap_or(0)
        }
        let limits = Limits { depth: 5, ..Limits::default() };
        match decode(&bytes, &limits) {
            Ok(root) => prop_assert!(depth(&root) <= limits.depth),
            Err(error) => prop_assert!(error.offset <= bytes.len()),
        }
    }

    #[test]
    fn damaged_documents_never_panic((version, root) in document(), at in any::<Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&root, version);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode(&bytes, &Limits::default());
    }

    #[test]
    fn cut_documents_are_refused((version, root) in document(), at in any::<Index>()) {
        let bytes = encode(&root, version);
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert!(decode(cut, &Limits::default()).is_err());
    }

    #[test]
    fn random_text_never_panics(text in "[<>/&;=\"' xmlns:AirSync#0-9\n]{0,80}") {
        let _ = parse(&text);
    }
}
