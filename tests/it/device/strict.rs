//! What a strict phone does not forgive: each answer is held against the specifications, whatever the test is about.
//!
//! Every [`Door`](super::http::Door) checks what goes through it, so no test can forget it. Checked are the headers, the
//! bytes of the document ([`wire`]), which elements it has in this version ([`grammar`] with the rules of `answers.txt` and
//! `items.txt`, which were written from the specifications and not from the gateway), and a few rules that a grammar cannot
//! say. Every failure shows the whole document as text.

#[path = "strict/grammar.rs"]
mod grammar;
#[cfg(test)]
#[path = "strict/mutations.rs"]
mod mutations;
#[path = "strict/reader.rs"]
mod reader;
#[path = "strict/wire.rs"]
mod wire;

use std::io::Read as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use flate2::read::GzDecoder;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::wbxml;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage;
use oxtender::wbxml::codepage::folderhierarchy;
use oxtender::wbxml::codepage::itemoperations;
use oxtender::wbxml::codepage::tasks;
use oxtender::wbxml::xml;

use super::http::Answer;
use super::http::Request;
use super::link::CODES;
use super::link::MULTIPART;
use super::link::PATH;
use super::link::WBXML;
use grammar::Context;
use grammar::Grammar;

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::read(concat!(
        include_str!("strict/answers.txt"),
        include_str!("strict/items.txt")
    ))
});

/// [MS-ASHTTP] "Status Codes": those that a gateway may send.
/// RFC 9110 has one more, for a body in a coding that is not known.
const HTTP_STATUSES: [u16; 13] = [200, 400, 401, 403, 413, 415, 449, 451, 500, 501, 503, 505, 507];

/// [MS-ASCMD] "Common Status Codes", and the first version that has them.
const COMMON: [(std::ops::RangeInclusive<i64>, ProtocolVersion); 5] = [
    (101..=156, V14_0),
    (160..=163, V14_0),
    (164..=177, ProtocolVersion::V14_1),
    (178..=179, ProtocolVersion::V16_0),
    (183..=184, ProtocolVersion::V16_0),
];

/// Commands whose success may be told by a body of no bytes, and from which version on.
const MAY_BE_EMPTY: [(&str, ProtocolVersion); 5] = [
    ("Sync", V12_1),
    ("SendMail", V2_5),
    ("SmartReply", V2_5),
    ("SmartForward", V2_5),
    ("GetAttachment", V2_5),
];

/// No phone sends headers of so many bytes; tests of limits do.
const LARGE_HEAD: usize = 3000;

/// What a request is, as far as its answer depends on it.
#[derive(Debug)]
struct Asked {
    /// Empty for OPTIONS and for what is no query.
    command: String,
    version: ProtocolVersion,
    /// ItemOperations with the properties that it wants.
    restricted: bool,
}

/// Nokia's phones need empty elements that the schemas do not have.
fn is_bent(request: &Request) -> bool {
    let mut agents = request.headers.iter().filter(|(name, _)| *name == "User-Agent");
    agents.any(|(_, agent)| agent.starts_with("Nokia"))
}

/// A panic unless the answer is one that a phone takes to this request.
pub(crate) fn check(request: &Request, answer: &Answer) {
    if !is_ours(request, answer) || is_bent(request) {
        return;
    }
    let asked = Asked::read(request);
    let mut wrong = headers(request, &asked, answer);
    let document = document(&asked, answer, &mut wrong);
    let text = document.as_ref().map(text_of).unwrap_or_default();
    assert!(
        wrong.is_empty(),
        "{} {}: {}\nHTTP {} {:?}\n{text}",
        asked.command,
        asked.version,
        wrong.join("\n"),
        answer.status,
        answer.headers,
    );
}

/// A document for the eye.
pub(crate) fn text_of(root: &Element) -> String {
    xml::to_text(root, xml::Detail::Full)
}

/// Everything that is wrong with a document.
fn faults(root: &Element, version: ProtocolVersion, restricted: bool) -> Vec<String> {
    let unknown = codepage::unknown_in(root, version);
    let mut wrong: Vec<String> = unknown
        .iter()
        .map(|tag| format!("{version} does not have {tag:?}"))
        .collect();
    if !is_common_refusal(root, version) {
        wrong.extend(GRAMMAR.check(root, Context { version, restricted }));
    }
    further_rules(root, &mut wrong);
    wrong
}

/// A common Status stands alone below the root. Folders, the root of GetHierarchy, has none.
fn is_common_refusal(root: &Element, version: ProtocolVersion) -> bool {
    let [child] = root.children() else { return false };
    let status = child
        .as_text()
        .and_then(|text| text.parse::<i64>().ok())
        .unwrap_or_default();
    let mut known = COMMON.iter();
    let known = known.any(|(statuses, since)| statuses.contains(&status) && version >= *since);
    known && child.tag.page == root.tag.page && child.tag.name() == "Status"
}

/// What a grammar cannot say.
fn further_rules(element: &Element, wrong: &mut Vec<String>) {
    if let Some(count) = element.child_text(folderhierarchy::COUNT) {
        let changes = element.children().len() - 1;
        if count != changes.to_string() {
            wrong.push(format!("Count is {count} of {changes}"));
        }
    }
    if element.child_text(tasks::COMPLETE) == Some("1") && element.child(tasks::DATE_COMPLETED).is_none() {
        wrong.push("a task that is done, and nobody knows when".to_owned());
    }
    for [one, other] in PAIRS {
        if element.child(one).is_some() != element.child(other).is_some() {
            wrong.push(format!("{one:?} and {other:?} belong together"));
        }
    }
    element.children().iter().for_each(|child| further_rules(child, wrong));
}

/// "Send both of a pair or none", also within a Flag.
const PAIRS: [[wbxml::Tag; 2]; 2] = [
    [tasks::START_DATE, tasks::UTC_START_DATE],
    [tasks::DUE_DATE, tasks::UTC_DUE_DATE],
];

/// Whether the answer is the protocol's: not of another path, not to a browser, not to a head that is too large to be looked at, and not of a
/// web server that cannot reach the gateway or does not know its secret.
fn is_ours(request: &Request, answer: &Answer) -> bool {
    let path = request
        .target
        .split('?')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let of_web_server = answer.status >= 400
        && answer.header("MS-Server-ActiveSync").is_none()
        && answer
            .header("Server")
            .is_some_and(|server| server.starts_with("Apache"));
    let head: usize = request.headers.iter().map(|(_, value)| value.len()).sum();
    let not_looked_at = head > LARGE_HEAD && [400, 431].contains(&answer.status);
    let of_browser = ["GET", "HEAD"].contains(&request.method);
    path.starts_with(&PATH.to_ascii_lowercase())
        && !of_browser
        && answer.status != 404
        && !not_looked_at
        && !of_web_server
}

fn headers(request: &Request, asked: &Asked, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut wants = |what: bool, rule: &str| {
        if !what {
            wrong.push(rule.to_owned());
        }
    };
    let has = |name| answer.header(name).is_some();
    let (status, empty) = (answer.status, answer.body.is_empty());
    wants(
        HTTP_STATUSES.contains(&status),
        "an HTTP status that phones do not know",
    );
    wants(has("MS-Server-ActiveSync"), "names no server");
    wants(
        answer.header("Cache-Control") == Some("private"),
        "may be kept by a cache",
    );
    // Apache from 2.4.59 on makes its own framing, unless it is told to trust what is behind it.
    if !has("Server") {
        let length = answer.body.len().to_string();
        wants(
            !has("Transfer-Encoding"),
            "comes in chunks, which old phones do not read",
        );
        wants(
            answer.header("Content-Length") == Some(&length),
            "does not say how long it is",
        );
    }
    wants(has("Content-Type") != empty, "a body has a type, no body has none");
    wants(!empty || !has("Content-Encoding"), "an empty body is not compressed");
    wants(status == 200 || status == 449 || empty, "an error with a body");
    wants(
        (status == 401) == has("WWW-Authenticate"),
        "401 asks for credentials, and nothing else does",
    );
    wants(
        (status == 503) == has("Retry-After"),
        "503 says when to try again, and nothing else does",
    );
    if request.method == "OPTIONS" {
        wants(empty, "OPTIONS with a body");
        for name in ["MS-ASProtocolVersions", "MS-ASProtocolCommands", "Public", "Allow"] {
            wants(status != 200 || has(name), name);
        }
    } else if status == 200 && empty {
        let may = MAY_BE_EMPTY
            .iter()
            .any(|(name, since)| *name == asked.command && asked.version >= *since);
        wants(may, "an empty answer to a command that has none");
    }
    wrong
}

/// The document of an answer, checked. An attachment comes as it is.
fn document(asked: &Asked, answer: &Answer, wrong: &mut Vec<String>) -> Option<Element> {
    if answer.body.is_empty() || asked.command == "GetAttachment" {
        return None;
    }
    let parts = match answer.header("Content-Type") {
        Some(WBXML) => vec![inflated(answer)],
        Some(MULTIPART) if asked.command == "ItemOperations" => parts(&answer.body, wrong),
        other => {
            wrong.push(format!("a body of type {other:?}"));
            return None;
        }
    };
    let document = parts.first()?;
    if let Some(fault) = wire::fault(document) {
        wrong.push(format!("{fault}: {document:02X?}"));
        return None;
    }
    let root = match wbxml::decode(document, &wbxml::Limits::default()) {
        Ok(root) => root,
        Err(error) => {
            wrong.push(error.to_string());
            return None;
        }
    };
    let expected = if asked.command == "GetHierarchy" {
        "Folders"
    } else {
        &asked.command
    };
    if root.tag.name() != expected {
        wrong.push(format!("{:?} answers {}", root.tag, asked.command));
    }
    wrong.extend(faults(&root, asked.version, asked.restricted));
    let mut named = Vec::new();
    named_parts(
        &root,
        answer.header("Content-Type") == Some(MULTIPART),
        &mut named,
        wrong,
    );
    named.sort_unstable();
    let there: Vec<usize> = (1..parts.len()).collect();
    if named != there {
        wrong.push(format!("parts {named:?} are named, {there:?} are there"));
    }
    Some(root)
}

/// The body as it was before its coding.
fn inflated(answer: &Answer) -> Vec<u8> {
    let mut body = Vec::new();
    match answer.header("Content-Encoding") {
        Some(coding) => {
            assert_eq!(coding, "gzip");
            GzDecoder::new(&answer.body[..])
                .read_to_end(&mut body)
                .expect("what gzip makes");
        }
        None => body.clone_from(&answer.body),
    }
    body
}

/// Where content stands: in parts of its own, or in the document, never both ways.
fn named_parts(element: &Element, in_parts: bool, named: &mut Vec<usize>, wrong: &mut Vec<String>) {
    if element.tag == itemoperations::PART {
        named.extend(element.as_text().and_then(|text| text.parse::<usize>().ok()));
    }
    if in_parts && [itemoperations::DATA, codepage::airsyncbase::DATA].contains(&element.tag) {
        wrong.push(format!("{:?} in an answer of several parts", element.tag));
    }
    for child in element.children() {
        named_parts(child, in_parts, named, wrong);
    }
}

/// [MS-ASCMD] "Delivery of Content Requested by Fetch": all parts, the document first; they fill the body.
fn parts(body: &[u8], wrong: &mut Vec<String>) -> Vec<Vec<u8>> {
    let word = |at: usize| -> Option<usize> {
        let bytes = body.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let count = word(0).unwrap_or_default();
    let mut parts = Vec::new();
    let mut next = 4 + 8 * count;
    for index in 0..count {
        let place = word(4 + 8 * index).zip(word(8 + 8 * index));
        let part = place.and_then(|(offset, length)| body.get(offset..offset + length).filter(|_| offset == next));
        let Some(part) = part else {
            wrong.push(format!("part {index} is not where it should be"));
            return parts;
        };
        next += part.len();
        parts.push(part.to_vec());
    }
    if next != body.len() {
        wrong.push("bytes that are no part".to_owned());
    }
    parts
}

impl Asked {
    fn read(request: &Request) -> Self {
        let header = |wanted: &str| {
            let mut headers = request.headers.iter();
            headers
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.as_str())
        };
        let query = request
            .target
            .split_once('?')
            .map(|(_, query)| query)
            .unwrap_or_default();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let plain = pairs.find(|(name, _)| name.eq_ignore_ascii_case("cmd"));
        let unescaped = percent_encoding::percent_decode_str(query).decode_utf8_lossy();
        let encoded = STANDARD_NO_PAD
            .decode(unescaped.trim_end_matches('='))
            .unwrap_or_default();
        let (command, version) = match (plain, encoded.as_slice()) {
            (Some((_, command)), _) => {
                let known = CODES.iter().find(|(name, _)| name.eq_ignore_ascii_case(command));
                // Of a header that stands twice, the first counts.
                let version = header("MS-ASProtocolVersion").and_then(|versions| versions.split(',').next());
                (
                    known.map_or(command, |(name, _)| name),
                    version.and_then(ProtocolVersion::from_name),
                )
            }
            (None, [version, code, ..]) => {
                let command = CODES.iter().find(|(_, known)| known == code);
                (
                    command.map_or("", |(name, _)| name),
                    ProtocolVersion::from_code(*version),
                )
            }
            (None, _) => ("", None),
        };
        let document = wbxml::decode(request.body.as_deref().unwrap_or_default(), &wbxml::Limits::default());
        Self {
            command: command.to_owned(),
            version: version.unwrap_or(V2_5),
            restricted: document.is_ok_and(|root| has_schema(&root)),
        }
    }
}

fn has_schema(element: &Element) -> bool {
    element.tag == itemoperations::SCHEMA || element.children().iter().any(has_schema)
}
