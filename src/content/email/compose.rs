//! Replies and forwards: what the device wrote, and the original below it.
//!
//! The message of the device stays as it is but for the text that the original is quoted under, and the parts of the original
//! are taken over byte for byte: both are cut out of their sources, nothing is built anew. A signature over the device's
//! message is never broken, and an original that is signed or encrypted is forwarded as a message within the message.
//! Implements [MS-ASCMD] SmartReply and SmartForward, and RFC 5322 "Identification Fields".

use jiff::Timestamp;
use sha2::Digest as _;
use sha2::Sha256;

use crate::content::User;
use crate::content::body;
use crate::content::email::Envelope;
use crate::content::email::address;
use crate::content::email::bodies;
use crate::content::email::bodies::Texts;
use crate::content::email::class;
use crate::content::email::header::ContentType;
use crate::content::email::mail::Mail;
use crate::content::email::mail::Part;
use crate::content::email::mime::Entity;
use crate::content::email::seven_bit::Edits;
use crate::content::email::seven_bit::parameter_field;
use crate::content::email::transfer;

/// What is done with the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Its text is quoted.
    Reply,
    /// Its text is quoted, and everything else it holds is attached.
    Forward,
}

/// Ids in References at most: the root of the thread, and the last ones.
const MOST_REFERENCES: usize = 30;

/// The message of the device with the original in it, for [`outgoing`](super::outgoing).
///
/// What is no message, because it has no field, stays as it is.
pub fn compose(mime: &[u8], original: &[u8], verb: Verb, user: &User) -> Vec<u8> {
    if Entity::parse(mime).fields.is_empty() {
        return mime.to_vec();
    }
    let source = Mail::from_source(original, Envelope::default());
    let whole = verb == Verb::Forward && class::is_secure(&source);
    let quoted = match whole {
        true => mime.to_vec(),
        false => quote(mime, &source, verb, user),
    };
    let attached = match verb {
        Verb::Reply => Vec::new(),
        Verb::Forward if whole => vec![as_message(original)],
        Verb::Forward => attachments(original, &source),
    };
    let message = match attached.is_empty() {
        true => quoted,
        false => wrap(&quoted, &attached),
    };
    with_references(&message, &source)
}

/// The message of the device as it is, but part of the original's thread.
pub fn threaded(mime: &[u8], original: &[u8]) -> Vec<u8> {
    with_references(mime, &Mail::from_source(original, Envelope::default()))
}

/// Puts the text of the original below the last text of the message, in each form that this has.
fn quote(mime: &[u8], original: &Mail, verb: Verb, user: &User) -> Vec<u8> {
    let own = Mail::from_source(mime, Envelope::default());
    if class::is_secure(&own) {
        return mime.to_vec();
    }
    let root = Entity::parse(mime);
    let texts = Texts::of(original);
    let targets = last_texts(&own);
    if targets.is_empty() {
        let text = entity_of_text("text/plain", &plain_quotation("", original, &texts, verb, user));
        return wrap(mime, &[text]);
    }
    let mut edits = Edits::new(mime);
    for part in targets {
        let Some(entity) = find(&root, &part.id) else { continue };
        let text = bodies::unflowed(part);
        let text = match part.is_html() {
            true => html_quotation(&text, original, &texts, verb, user),
            false => plain_quotation(&text, original, &texts, verb, user),
        };
        edits.text(entity, &text);
    }
    edits.apply()
}

/// The last text of a message: one part, or its forms, plain and HTML.
fn last_texts(mail: &Mail) -> Vec<&Part> {
    let bodies = || mail.parts.iter().filter(|part| part.is_body());
    let Some(last) = bodies().next_back() else {
        return Vec::new();
    };
    let is_form = |part: &&Part| last.alternative.is_some() && part.alternative == last.alternative;
    let other = bodies().rfind(|part| is_form(part) && part.is_html() != last.is_html());
    other.into_iter().chain([last]).collect()
}

/// The entity that became the part of this id, searched as the reader of parts goes.
pub(super) fn find<'a>(entity: &'a Entity, id: &str) -> Option<&'a Entity> {
    if entity.is_leaf() || entity.content_type.is_message() {
        let is_root_without_number = entity.id.is_empty() && id == "1";
        return (entity.id == id || is_root_without_number).then_some(entity);
    }
    entity.children.iter().find_map(|child| find(child, id))
}

fn plain_quotation(text: &str, original: &Mail, texts: &Texts<'_>, verb: Verb, user: &User) -> String {
    let head: String = quoted_header(original, user)
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let quoted = texts.plain();
    let quoted = match verb {
        Verb::Forward => quoted,
        Verb::Reply => quoted.lines().map(|line| format!("> {line}\n")).collect(),
    };
    body::crlf(&format!(
        "{}\n\n-----Original Message-----\n{head}\n{quoted}",
        text.trim_end()
    ))
}

fn html_quotation(document: &str, original: &Mail, texts: &Texts<'_>, verb: Verb, user: &User) -> String {
    let head: String = quoted_header(original, user)
        .iter()
        .map(|(name, value)| format!("<b>{name}:</b> {}<br>\n", escaped(value)))
        .collect();
    let quoted = without_charset(&texts.html());
    let quoted = match verb {
        Verb::Forward => quoted,
        Verb::Reply => format!("<blockquote type=\"cite\">{quoted}</blockquote>"),
    };
    let quotation = format!("<hr>\n<div>{head}</div><br>\n{quoted}");
    bodies::append(&without_charset(document), &quotation)
}

/// What stands above a quotation. The Bcc of the original is nobody's business.
fn quoted_header(original: &Mail, user: &User) -> Vec<(&'static str, String)> {
    let sent = original.sent.and_then(|sent| Timestamp::from_millisecond(sent).ok());
    let sent = sent.map(|sent| {
        let local = sent.to_zoned_datetime(user.zone.clone());
        local.strftime("%a, %d %b %Y %H:%M %z").to_string()
    });
    let rows = [
        ("From", address::list(&original.from)),
        ("Sent", sent),
        ("To", address::list(&original.to)),
        ("Cc", address::list(&original.cc)),
        ("Subject", Some(original.subject.clone())),
    ];
    rows.into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// HTML without the declarations of a character set: it is UTF-8 now.
fn without_charset(document: &str) -> String {
    let lower = document.to_ascii_lowercase();
    let mut kept = String::with_capacity(document.len());
    let mut position = 0;
    while let Some(start) = lower.get(position..).and_then(|rest| rest.find("<meta")) {
        let start = position + start;
        let end = lower.get(start..).and_then(|rest| rest.find('>'));
        let end = end.map_or(document.len(), |end| start + end + 1);
        let tag = lower.get(start..end).unwrap_or_default();
        kept.push_str(document.get(position..start).unwrap_or_default());
        if !tag.contains("charset") {
            kept.push_str(document.get(start..end).unwrap_or_default());
        }
        position = end;
    }
    kept.push_str(document.get(position..).unwrap_or_default());
    kept
}

/// Everything in the original that is not its text, as entities.
fn attachments(source: &[u8], original: &Mail) -> Vec<Vec<u8>> {
    let root = Entity::parse(source);
    let attached = original
        .parts
        .iter()
        .filter(|part| !part.is_body() && !part.is_signature());
    attached
        .filter_map(|part| find(&root, &part.id))
        .map(|entity| copy(entity, source))
        .collect()
}

/// An entity by itself: its fields about content, and its body as it stands.
pub(super) fn copy(entity: &Entity, source: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !entity.fields.iter().any(|field| field.name == "content-type") {
        bytes.extend_from_slice(parameter_field("Content-Type", &entity.content_type).as_bytes());
    }
    append_fields(&mut bytes, entity, source, is_about_content);
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(source.get(entity.body.clone()).unwrap_or_default());
    bytes
}

fn as_message(source: &[u8]) -> Vec<u8> {
    let head = b"Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"message.eml\"\r\n\r\n";
    [head, source].concat()
}

/// Text as an entity, of `text/plain` or `text/html`.
pub(super) fn entity_of_text(kind: &str, text: &str) -> Vec<u8> {
    let head = format!("Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
    [head, transfer::quoted_printable(text.as_bytes())]
        .concat()
        .into_bytes()
}

/// A message of several parts: what the message was, and what is added.
fn wrap(mime: &[u8], added: &[Vec<u8>]) -> Vec<u8> {
    let root = Entity::parse(mime);
    let parts: Vec<Vec<u8>> = std::iter::once(copy(&root, mime))
        .chain(added.iter().cloned())
        .collect();
    let mut message = Vec::new();
    append_fields(&mut message, &root, mime, |name| !is_about_content(name));
    message.extend(multipart("multipart/mixed", &parts));
    message
}

/// Entities as one, of a multipart type.
pub(super) fn multipart(kind: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let boundary = boundary(parts);
    let mut entity = Vec::with_capacity(parts.iter().map(Vec::len).sum::<usize>() + 1024);
    let mut content_type = ContentType::new(kind);
    content_type.parameters.push(("boundary".to_owned(), boundary.clone()));
    entity.extend_from_slice(parameter_field("Content-Type", &content_type).as_bytes());
    for part in parts {
        entity.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        entity.extend_from_slice(part);
    }
    entity.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    entity
}

/// A line that stands in none of the parts, since it holds their digest.
fn boundary(parts: &[Vec<u8>]) -> String {
    let digest = parts
        .iter()
        .fold(Sha256::new(), |digest, part| digest.chain_update(part));
    let digits: String = digest
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("=_{digits}")
}

pub(super) fn is_about_content(name: &str) -> bool {
    name.starts_with("content-")
}

pub(super) fn append_fields(message: &mut Vec<u8>, entity: &Entity, source: &[u8], wanted: impl Fn(&str) -> bool) {
    for field in entity.fields.iter().filter(|field| wanted(&field.name)) {
        let raw = source.get(field.range.clone()).unwrap_or_default();
        message.extend_from_slice(raw.trim_ascii_end());
        message.extend_from_slice(b"\r\n");
    }
}

/// RFC 5322: In-Reply-To names the original, References its thread and then the original. What the device wrote stays.
fn with_references(mime: &[u8], original: &Mail) -> Vec<u8> {
    let root = Entity::parse(mime);
    let id = original.message_id.as_deref().filter(|id| is_plain_id(id));
    let Some(id) = id.filter(|_| !root.fields.is_empty()) else {
        return mime.to_vec();
    };
    let thread: Vec<&str> = original
        .references
        .iter()
        .map(String::as_str)
        .filter(|id| is_plain_id(id))
        .collect();
    let skipped = thread.len().saturating_sub(MOST_REFERENCES);
    let (first, rest) = thread.split_at(thread.len().min(1));
    let last = rest.get(skipped.min(rest.len())..).unwrap_or_default();
    let references: Vec<String> = first
        .iter()
        .chain(last)
        .chain([&id])
        .map(|id| format!("<{id}>"))
        .collect();
    let rows = [
        ("In-Reply-To", "in-reply-to", format!("<{id}>")),
        ("References", "references", references.join("\r\n ")),
    ];
    let mut message = Vec::with_capacity(mime.len() + 256);
    for (name, own, value) in rows {
        if !root.fields.iter().any(|field| field.name == own) {
            message.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    message.extend_from_slice(mime);
    message
}

/// An id that can stand in a field: whatever a sender wrote must not become a field of its own.
fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 500 && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::content::email::corpus::user;
    use crate::content::email::outgoing;

    /// What reaches OX, read again.
    fn sent(mime: &[u8], original: &[u8], verb: Verb) -> (Vec<u8>, Mail) {
        let message = outgoing(&compose(mime, original, verb, &user()), &user(), 0).expect("a recipient");
        assert!(transfer::is_clean(&message));
        let mail = Mail::from_source(&message, Envelope::default());
        (message, mail)
    }

    fn corpus() -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail");
        let files = std::fs::read_dir(folder)
            .expect("the corpus")
            .map(|entry| entry.expect("a file").path());
        let mut mails: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .map(|path| {
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                (name, std::fs::read(&path).expect("a mail"))
            })
            .collect();
        mails.sort();
        assert!(mails.len() >= 20);
        mails
    }

    /// Decoded content of everything that is not text of the mail, with its type and name. Text has the line ends of mail.
    fn digests(source: &[u8]) -> Vec<(String, Option<String>, Vec<u8>)> {
        let mail = Mail::from_source(source, Envelope::default());
        let root = Entity::parse(source);
        let parts = mail.parts.iter().filter(|part| !part.is_body() && !part.is_signature());
        let digest = |part: &Part| {
            let entity = find(&root, &part.id).expect("an entity for each part");
            let raw = source.get(entity.body.clone()).unwrap_or_default();
            let decoded = transfer::decode(&entity.encoding(source), raw);
            let decoded = match part.text.is_some() || part.content_type.is_message() {
                true => transfer::crlf(&decoded),
                false => decoded.into_owned(),
            };
            let digest = Sha256::digest(decoded).to_vec();
            (part.content_type.kind.clone(), part.file_name.clone(), digest)
        };
        parts.map(digest).collect()
    }

    const PLAIN: &[u8] =
        b"To: b@x.org\r\nSubject: Fwd\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xFC\xDFe\r\n";
    const BOTH: &[u8] = b"To: b@x.org\r\nSubject: Fwd\r\nContent-Type: multipart/alternative; boundary=own\r\n\r\n\
        --own\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xFC\xDFe\r\n\
        --own\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n\
        <html><head><meta charset=iso-8859-1></head><body><p>Gr\xFC\xDFe</p></body></html>\r\n--own--\r\n";
    const ATTACHED: &[u8] = b"To: b@x.org\r\nContent-Type: multipart/mixed; boundary=own\r\n\r\n\
        --own\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--own--\r\n";

    #[test]
    fn forwards_carry_everything_byte_for_byte() {
        for (name, original) in corpus() {
            let secure = class::is_secure(&Mail::from_source(&original, Envelope::default()));
            for own in [PLAIN, BOTH, ATTACHED] {
                let (message, _) = sent(own, &original, Verb::Forward);
                let found = digests(&message);
                if secure {
                    let expected = Sha256::digest(transfer::crlf(&original)).to_vec();
                    let whole = ("message/rfc822".to_owned(), Some("message.eml".to_owned()), expected);
                    assert_eq!(found.last(), Some(&whole), "{name}");
                    continue;
                }
                for attachment in digests(&original) {
                    assert!(
                        found.contains(&attachment),
                        "{name}: {attachment:?} is not among {found:?}"
                    );
                }
                let own = usize::from(own == ATTACHED);
                assert_eq!(found.len(), digests(&original).len() + own, "{name}");
            }
        }
    }

    #[test]
    fn the_text_is_quoted_in_each_form() {
        for (name, original) in corpus() {
            let source = Mail::from_source(&original, Envelope::default());
            let text = Texts::of(&source).plain();
            let words: Vec<&str> = text.split_whitespace().take(3).collect();
            for (verb, mark) in [(Verb::Reply, "> "), (Verb::Forward, "")] {
                if verb == Verb::Forward && class::is_secure(&source) {
                    continue;
                }
                let (_, mail) = sent(BOTH, &original, verb);
                let quoted = Texts::of(&mail);
                let plain = quoted.plain();
                assert!(plain.starts_with("Gr\u{fc}\u{df}e\r\n"), "{name}: {plain}");
                assert!(plain.contains("-----Original Message-----"), "{name}: {plain}");
                for word in &words {
                    assert!(plain.contains(word), "{name}: {word} is not in {plain}");
                }
                let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let is_quoted = first.is_empty() || plain.contains(&format!("{mark}{first}"));
                assert!(is_quoted, "{name}: {plain}");
                let html = quoted.html();
                assert!(
                    html.contains("<p>Gr\u{fc}\u{df}e</p>") && html.contains("<hr>"),
                    "{name}: {html}"
                );
                assert!(!html.to_ascii_lowercase().contains("charset=iso"), "{name}: {html}");
            }
        }
    }

    #[test]
    fn a_reply_has_no_attachments() {
        for (name, original) in corpus() {
            let (message, _) = sent(PLAIN, &original, Verb::Reply);
            assert_eq!(digests(&message), [], "{name}");
        }
    }

    #[test]
    fn a_signed_message_of_the_device_is_not_touched() {
        let own = b"To: b@x.org\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n\
            --s\r\nContent-Type: text/plain\r\n\r\nsigned\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--s--\r\n";
        let original = b"Message-ID: <a@x>\r\nSubject: s\r\n\r\ntext\r\n";
        let composed = compose(own, original, Verb::Reply, &user());
        assert!(composed.ends_with(own), "{}", String::from_utf8_lossy(&composed));
        // With something attached, it is a part, and still the same bytes.
        let picture = b"Subject: s\r\nContent-Type: image/png\r\n\r\nx\r\n";
        let composed = compose(own, picture, Verb::Forward, &user());
        let body = own.windows(4).position(|end| end == b"\r\n\r\n").expect("a body");
        let found = composed.windows(own.len() - body).any(|window| window == &own[body..]);
        assert!(found, "{}", String::from_utf8_lossy(&composed));
    }

    #[test]
    fn threads() {
        let original = b"Message-ID: <c@x>\r\nReferences: <a@x> <b@x>\r\nSubject: s\r\n\r\ntext\r\n";
        // what the device wrote, expected start
        let cases: [(&[u8], &str); 4] = [
            (
                b"To: b@x.org\r\n\r\n",
                "In-Reply-To: <c@x>\r\nReferences: <a@x>\r\n <b@x>\r\n <c@x>\r\nTo:",
            ),
            (
                b"References: <z@x>\r\n\r\n",
                "In-Reply-To: <c@x>\r\nReferences: <z@x>\r\n\r\n",
            ),
            (
                b"In-Reply-To: <z@x>\r\nReferences: <z@x>\r\n\r\n",
                "In-Reply-To: <z@x>\r\nReferences: <z@x>",
            ),
            (b"no message", "no message"),
        ];
        for (own, expected) in cases {
            let message = String::from_utf8(threaded(own, original)).expect("UTF-8");
            assert!(message.starts_with(expected), "{message}");
        }
        // What a stranger wrote cannot add a field.
        let evil = "Message-ID: <a\u{fc}@x>\r\n\r\n".as_bytes();
        assert_eq!(threaded(b"To: b@x.org\r\n\r\n", evil), b"To: b@x.org\r\n\r\n");
        let ids: String = (0..500).map(|n| format!("<{n}@x>\r\n ")).collect();
        let long = format!("Message-ID: <c@x>\r\nReferences: {ids}\r\n\r\n");
        let message = threaded(b"To: b@x.org\r\n\r\n", long.as_bytes());
        let mail = Mail::from_source(&message, Envelope::default());
        assert_eq!(mail.references.len(), MOST_REFERENCES + 1);
        assert_eq!(
            (mail.references[0].as_str(), mail.references[30].as_str()),
            ("0@x", "c@x")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_answered(own: Vec<u8>, original: Vec<u8>) {
            for verb in [Verb::Reply, Verb::Forward] {
                let own = [b"To: b@x.org\r\nX: ", &own[..]].concat();
                // Bytes of any kind can make another recipient, who can be refused.
                if let Ok(message) = outgoing(&compose(&own, &original, verb, &user()), &user(), 0) {
                    prop_assert!(transfer::is_clean(&message));
                }
            }
        }
    }
}
