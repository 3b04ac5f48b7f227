//! Drafts: what a device says of a message that is not sent yet, as MIME.
//!
//! A new draft is made whole; of a changed one, what the device leaves out stays as it is, byte for byte. Devices either name
//! properties, or give the whole message as a body of Type 4; then the properties beside it that the message says itself
//! are passed over. Implements [MS-ASEMAIL] "Drafts", Bcc and Importance, and [MS-ASAIRS] Add, Delete and Content of
//! attachments.

use crate::content::BodyType;
use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::body;
use crate::content::email::Mail;
use crate::content::email::address::Address;
use crate::content::email::attachment::file_reference;
use crate::content::email::attachment::parse_file_reference;
use crate::content::email::compose;
use crate::content::email::flag;
use crate::content::email::header;
use crate::content::email::header::ContentType;
use crate::content::email::mail::Part;
use crate::content::email::mail::flags;
use crate::content::email::mime::Entity;
use crate::content::email::send;
use crate::content::email::seven_bit::address_field;
use crate::content::email::seven_bit::parameter_field;
use crate::content::email::seven_bit::seven_bit;
use crate::content::email::seven_bit::text_field;
use crate::content::email::source::all_addresses;
use crate::content::email::thread;
use crate::content::email::transfer;
use crate::content::html;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::email;
use crate::wbxml::codepage::email2;

/// Properties that make a Change of a draft more than a change of its flags.
const EDITED: [Tag; 8] = [
    email::TO,
    email::CC,
    email2::BCC,
    email::REPLY_TO,
    email::SUBJECT,
    email::IMPORTANCE,
    airsyncbase::BODY,
    airsyncbase::ATTACHMENTS,
];

/// Properties that are lists of mailboxes, the field of each, and its name in lower case.
const MAILBOXES: [(Tag, &str, &str); 4] = [
    (email::TO, "To", "to"),
    (email::CC, "Cc", "cc"),
    (email2::BCC, "Bcc", "bcc"),
    (email::REPLY_TO, "Reply-To", "reply-to"),
];

/// Fields that every version of a draft gets anew.
const RENEWED: [&str; 5] = ["from", "sender", "date", "message-id", "mime-version"];

/// Fields that say how important a message is.
const IMPORTANCE: [&str; 4] = ["importance", "x-priority", "priority", "x-msmail-priority"];

/// [MS-ASAIRS] Method of an attachment that is a message.
const EMBEDDED_MESSAGE: &str = "5";

/// A draft as OX has it.
#[derive(Clone, Copy, Debug)]
pub struct Current<'a> {
    /// OX id of the mail within its folder.
    pub id: &'a str,
    /// The RFC 5322 source.
    pub source: &'a [u8],
    /// OX column `flags`.
    pub flags: u32,
}

/// A draft as the device wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The whole message, for [`stored`] or [`outgoing_draft`](super::outgoing_draft).
    pub mime: Vec<u8>,
    /// OX column `flags`, that of a draft included.
    pub flags: u32,
    pub has_attachments: bool,
}

/// Whether a Change is one of the message, and not of its flags alone.
pub fn edits_draft(application_data: &Element) -> bool {
    EDITED.iter().any(|tag| application_data.child(*tag).is_some())
}

/// The draft that results from what a device says, and from what was there before. `message_id` with angle brackets.
pub fn draft(
    application_data: &Element,
    current: Option<Current<'_>>,
    message_id: &str,
    context: &Context<'_>,
) -> Result<Draft, Unconvertible> {
    let body = Body::of(application_data)?;
    let base = match (&body, current) {
        (Some(Body::Mime(mime)), _) => *mime,
        (_, Some(current)) => current.source,
        (_, None) => &[],
    };
    let root = Entity::parse(base);
    let is_whole = matches!(body, Some(Body::Mime(_)));
    if is_whole && root.fields.is_empty() {
        return Err(Unconvertible("a Body of Type 4 that is no message".to_owned()));
    }
    let mut mime = renewed(&root, base, message_id, context).into_bytes();
    mime.extend(fields(application_data, &root, base, is_whole));
    let deleted = match current.filter(|_| !is_whole) {
        Some(current) => deleted(application_data, current.id)?,
        None => Vec::new(),
    };
    let (content, has_attachments) = content(application_data, body.as_ref(), &root, base, &deleted);
    mime.extend(content);
    Ok(Draft {
        mime,
        flags: new_flags(application_data, current)?,
        has_attachments,
    })
}

/// A draft as OX may store it.
pub fn stored(mime: &[u8]) -> Vec<u8> {
    seven_bit(mime).into_bytes()
}

/// What is told of a draft that was stored: where its new attachments are, and its conversation.
pub fn answer(application_data: &Element, stored: &Mail) -> Vec<Element> {
    let client_ids: Vec<&str> = additions(application_data)
        .filter(|add| add.child(airsyncbase::CONTENT).is_some())
        .map(|add| add.child_text(airsyncbase::CLIENT_ID).unwrap_or_default())
        .collect();
    let parts: Vec<&Part> = stored.parts.iter().filter(|part| is_attached(part)).collect();
    // The new ones stand last.
    let new = parts
        .get(parts.len().saturating_sub(client_ids.len())..)
        .unwrap_or_default();
    let attachments = client_ids.iter().zip(new).map(|(client_id, part)| {
        let reference = file_reference(&stored.envelope.collection_id, &stored.envelope.id, &part.id);
        Element::parent(
            airsyncbase::ATTACHMENT,
            [
                Element::text(airsyncbase::CLIENT_ID, *client_id),
                Element::text(airsyncbase::FILE_REFERENCE, reference),
            ],
        )
    });
    let mut elements = Vec::new();
    if !client_ids.is_empty() {
        elements.push(Element::parent(airsyncbase::ATTACHMENTS, attachments));
    }
    elements.push(Element::opaque(
        email2::CONVERSATION_ID,
        thread::conversation_id(stored),
    ));
    elements.push(Element::opaque(
        email2::CONVERSATION_INDEX,
        thread::conversation_index(stored),
    ));
    elements
}

/// The body that a device gives.
enum Body<'a> {
    Plain(&'a str),
    Html(&'a str),
    Mime(&'a [u8]),
}

impl<'a> Body<'a> {
    fn of(application_data: &'a Element) -> Result<Option<Self>, Unconvertible> {
        let Some(element) = application_data.child(airsyncbase::BODY) else {
            return Ok(None);
        };
        // Without Data, the text is what it was.
        let Some(data) = element.child(airsyncbase::DATA) else {
            return Ok(None);
        };
        let written = element.child_text(airsyncbase::DATA).unwrap_or_default();
        let kind = element
            .child_text(airsyncbase::TYPE)
            .map_or(Ok(1), |kind| kind.trim().parse());
        let kind = kind.ok().and_then(BodyType::from_code);
        match kind {
            Some(BodyType::Mime) => Ok(Some(Self::Mime(data.as_bytes()))),
            Some(BodyType::Html) => Ok(Some(Self::Html(written))),
            Some(BodyType::Plain) => Ok(Some(Self::Plain(written))),
            Some(BodyType::Rtf) | None => Err(Unconvertible("Type of Body".to_owned())),
        }
    }

    /// Text as one entity; HTML has its plain form beside it.
    fn entity(&self) -> Vec<u8> {
        match self {
            Self::Plain(text) => compose::entity_of_text("text/plain", &body::crlf(text)),
            Self::Html(html) => {
                let plain = body::crlf(&html::to_text(html));
                let forms = [
                    compose::entity_of_text("text/plain", &plain),
                    compose::entity_of_text("text/html", &body::crlf(html)),
                ];
                compose::multipart("multipart/alternative", &forms)
            }
            Self::Mime(_) => Vec::new(),
        }
    }
}

/// The fields of [`RENEWED`].
fn renewed(root: &Entity, base: &[u8], message_id: &str, context: &Context<'_>) -> String {
    [
        address_field("From", &[send::sender(root, base, context.user)]),
        send::required_field("date", base, context.user, context.now),
        format!("Message-ID: {message_id}\r\n"),
        send::required_field("mime-version", base, context.user, context.now),
    ]
    .concat()
}

/// The other fields that are not about content: those that the device names, then what is left of those there were.
fn fields(application_data: &Element, root: &Entity, base: &[u8], is_whole: bool) -> Vec<u8> {
    let mut written = String::new();
    let mut done: Vec<&str> = RENEWED.to_vec();
    for (tag, field, name) in MAILBOXES {
        let said = application_data.child_text(tag).filter(|_| !is_whole);
        let mailboxes = match said {
            Some(list) => mailboxes(list),
            None => all_addresses(root, base, name),
        };
        // What is there stays as it is, but for addresses that cannot stand in a message.
        if said.is_none() && mailboxes.iter().all(|mailbox| mailbox.address.is_ascii()) {
            continue;
        }
        done.push(name);
        if !mailboxes.is_empty() {
            let mailboxes: Vec<Address> = mailboxes.into_iter().map(writable).collect();
            written.push_str(&address_field(field, &mailboxes));
        }
    }
    if let Some(subject) = application_data.child_text(email::SUBJECT).filter(|_| !is_whole) {
        done.push("subject");
        written.push_str(&text_field("Subject", subject));
    }
    if let Some(importance) = application_data.child_text(email::IMPORTANCE) {
        done.extend(IMPORTANCE);
        written.push_str(match importance.trim() {
            "0" => "Importance: low\r\nX-Priority: 5\r\n",
            "2" => "Importance: high\r\nX-Priority: 1\r\n",
            _ => "",
        });
    }
    let mut fields = written.into_bytes();
    compose::append_fields(&mut fields, root, base, |name| {
        !compose::is_about_content(name) && !done.contains(&name)
    });
    fields
}

/// Mailboxes that are separated by commas or, as some devices do, by semicolons. What is none becomes a name without an
/// address, to which nothing is sent.
fn mailboxes(list: &str) -> Vec<Address> {
    let pieces = pieces(list)
        .into_iter()
        .map(str::trim)
        .filter(|piece| !piece.is_empty());
    let read = |piece: &str| match header::addresses(piece.as_bytes()).into_iter().next() {
        Some(mailbox) => mailbox,
        None => nameless(piece),
    };
    pieces.map(read).collect()
}

/// Cuts at separators that stand neither in quotes nor in an address.
fn pieces(list: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped, mut bracketed) = (0, false, false, false);
    for (place, c) in list.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ',' | ';' if !quoted && !bracketed => {
                pieces.push(list.get(start..place).unwrap_or_default());
                start = place + 1;
            }
            _ => {}
        }
    }
    pieces.push(list.get(start..).unwrap_or_default());
    pieces
}

/// An address beyond ASCII would be written with other characters, and could then be a stranger's.
fn writable(mailbox: Address) -> Address {
    match mailbox.address.is_ascii() {
        true => mailbox,
        false => nameless(&mailbox.address),
    }
}

fn nameless(text: &str) -> Address {
    Address {
        name: Some(text.to_owned()),
        address: String::new(),
    }
}

/// Ids of the parts that the device took out. References to another mail are of an older version of the draft, and could
/// mean anything now.
fn deleted(application_data: &Element, mail_id: &str) -> Result<Vec<String>, Unconvertible> {
    let attachments = application_data.child(airsyncbase::ATTACHMENTS);
    let deletions = attachments
        .into_iter()
        .flat_map(|it| it.children_of(airsyncbase::DELETE));
    deletions
        .map(|delete| {
            let reference = delete.child_text(airsyncbase::FILE_REFERENCE).unwrap_or_default();
            let id = parse_file_reference(reference).filter(|id| id.mail_id == mail_id);
            id.map(|id| id.part_id)
                .ok_or_else(|| Unconvertible("FileReference of an attachment that is not there".to_owned()))
        })
        .collect()
}

fn additions(application_data: &Element) -> impl Iterator<Item = &Element> {
    let attachments = application_data.child(airsyncbase::ATTACHMENTS);
    attachments.into_iter().flat_map(|it| it.children_of(airsyncbase::ADD))
}

/// Fields about content, an empty line, and the content; and whether there is more than text.
fn content(
    application_data: &Element,
    body: Option<&Body<'_>>,
    root: &Entity,
    base: &[u8],
    deleted: &[String],
) -> (Vec<u8>, bool) {
    let mail = Mail::from_source(base, crate::content::email::Envelope::default());
    let added: Vec<Vec<u8>> = additions(application_data).filter_map(added).collect();
    let copied = |part: &Part| compose::find(root, &part.id).map(|entity| compose::copy(entity, base));
    let written = body.filter(|body| !matches!(body, Body::Mime(_)));
    if written.is_none() && added.is_empty() && deleted.is_empty() {
        let has_attachments = mail.parts.iter().any(is_attached);
        return (compose::copy(root, base), has_attachments);
    }
    let kept = mail
        .parts
        .iter()
        .filter(|part| is_attached(part) && !deleted.contains(&part.id));
    let attached: Vec<Vec<u8>> = kept.filter_map(copied).chain(added).collect();
    let text = match written {
        Some(body) => vec![body.entity()],
        None => texts(&mail, copied),
    };
    let has_attachments = !attached.is_empty();
    let mut parts = [text, attached].concat();
    let content = match parts.len() {
        0 => compose::entity_of_text("text/plain", ""),
        1 => parts.remove(0),
        _ => compose::multipart("multipart/mixed", &parts),
    };
    (content, has_attachments)
}

/// The texts of a message as they are, with those that are forms of one another in one entity.
fn texts(mail: &Mail, copied: impl Fn(&Part) -> Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let bodies: Vec<&Part> = mail.parts.iter().filter(|part| part.is_body()).collect();
    let same = |one: &&Part, other: &&Part| one.alternative.is_some() && one.alternative == other.alternative;
    let group = |forms: &[&Part]| {
        let mut forms: Vec<Vec<u8>> = forms.iter().filter_map(|part| copied(part)).collect();
        match forms.len() {
            0 | 1 => forms.pop(),
            _ => Some(compose::multipart("multipart/alternative", &forms)),
        }
    };
    bodies.chunk_by(same).filter_map(group).collect()
}

fn is_attached(part: &Part) -> bool {
    !part.is_body() && !part.is_signature()
}

/// A new attachment as an entity. Some devices name one again that they sent before, without its content: it is there.
fn added(add: &Element) -> Option<Vec<u8>> {
    let content = add.child(airsyncbase::CONTENT)?.as_bytes();
    let text = |tag| add.child_text(tag).unwrap_or_default().trim();
    let is_message = text(airsyncbase::METHOD) == EMBEDDED_MESSAGE;
    let name = match text(airsyncbase::DISPLAY_NAME) {
        "" => "attachment",
        name => name,
    };
    let mut content_type = match is_message {
        true => ContentType::new("message/rfc822"),
        false => content_type(text(airsyncbase::CONTENT_TYPE)),
    };
    // Text in line would be a part of the body.
    let is_inline = add
        .child(airsyncbase::IS_INLINE)
        .is_some_and(|_| text(airsyncbase::IS_INLINE) != "0")
        && content_type.kind.starts_with("image/");
    content_type.parameters = vec![("name".to_owned(), name.to_owned())];
    let disposition = ContentType {
        kind: if is_inline { "inline" } else { "attachment" }.to_owned(),
        parameters: vec![("filename".to_owned(), name.to_owned())],
    };
    let mut entity = parameter_field("Content-Type", &content_type);
    entity.push_str(&parameter_field("Content-Disposition", &disposition));
    let id: String = text(airsyncbase::CONTENT_ID)
        .chars()
        .filter(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>'))
        .collect();
    if !id.is_empty() {
        entity.push_str(&format!("Content-ID: <{id}>\r\n"));
    }
    if is_message {
        return Some([entity.as_bytes(), b"\r\n", content].concat());
    }
    entity.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
    entity.push_str(&transfer::base64_lines(content));
    Some(entity.into_bytes())
}

/// The type that the device names, if a part can be of it.
fn content_type(named: &str) -> ContentType {
    let parsed = ContentType::parse(named.as_bytes()).filter(|parsed| {
        let valid = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+/".contains(c);
        parsed.kind.contains('/') && parsed.kind.chars().all(valid)
    });
    match parsed {
        Some(parsed) if !parsed.is_multipart() && !parsed.is_message() => ContentType::new(&parsed.kind),
        _ => ContentType::new("application/octet-stream"),
    }
}

/// What the author has written, the author has read.
fn new_flags(application_data: &Element, current: Option<Current<'_>>) -> Result<u32, Unconvertible> {
    let change = flag::to_ox(application_data)?;
    let before = current.map_or(flags::SEEN, |current| current.flags);
    Ok((before | change.set) & !change.clear | flags::DRAFT)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::content::BodyOptions;
    use crate::content::User;
    use crate::content::email::Envelope;
    use crate::content::email::Importance;
    use crate::content::email::Refused;
    use crate::content::email::outgoing_draft;
    use crate::version::ProtocolVersion::V16_1;

    const STORED: &str = "From: anton@example.com\r\nMessage-ID: <old@x>\r\nTo: a@x.org\r\nBcc: b@x.org\r\nSubject: s\r\n\
        References: <r@x>\r\nX-Priority: 1\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
        --m\r\nContent-Type: text/plain\r\n\r\nwords\r\n--m\r\nContent-Type: application/pdf; name=a.pdf\r\n\
        Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--m--\r\n";

    fn user() -> User {
        User {
            id: 3,
            name: "Anton".to_owned(),
            address: "anton@example.com".to_owned(),
            addresses: vec!["anton@example.com".to_owned()],
            zone: TimeZone::UTC,
        }
    }

    fn with_context<T>(use_it: impl FnOnce(&Context<'_>) -> T) -> T {
        use_it(&Context {
            version: V16_1,
            user: &user(),
            bodies: &BodyOptions::default(),
            now: 1_270_750_560_000,
        })
    }

    fn written(properties: Vec<Element>, current: Option<&str>) -> Result<Draft, Unconvertible> {
        let data = Element::parent(crate::wbxml::codepage::airsync::APPLICATION_DATA, properties);
        let current = current.map(|source| Current {
            id: "7",
            source: source.as_bytes(),
            flags: flags::DRAFT | flags::FLAGGED,
        });
        with_context(|context| draft(&data, current, "<new@x>", context))
    }

    fn mime(properties: Vec<Element>, current: Option<&str>) -> String {
        let draft = written(properties, current).expect("a draft");
        String::from_utf8(stored(&draft.mime)).expect("ASCII")
    }

    fn body(kind: u8, data: &str) -> Element {
        let kind = Element::number(airsyncbase::TYPE, kind);
        Element::parent(airsyncbase::BODY, [kind, Element::text(airsyncbase::DATA, data)])
    }

    #[test]
    fn a_new_draft_is_whole() {
        let properties = vec![
            Element::text(email::TO, "\"Doe, J\" <j@x.org>;k@x.org"),
            Element::text(email::SUBJECT, "\u{fc}"),
            Element::number(email::IMPORTANCE, 0),
            body(1, "Text\n"),
        ];
        assert_eq!(
            mime(properties, None),
            "From: \"Anton\" <anton@example.com>\r\nDate: Thu, 8 Apr 2010 18:16:00 +0000\r\nMessage-ID: <new@x>\r\n\
             MIME-Version: 1.0\r\nTo: \"Doe, J\" <j@x.org>,\r\n k@x.org\r\nSubject: =?utf-8?B?w7w=?=\r\n\
             Importance: low\r\nX-Priority: 5\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\nText\r\n"
        );
        assert_eq!(
            written(Vec::new(), None).map(|draft| draft.flags),
            Ok(flags::DRAFT | flags::SEEN)
        );
    }

    #[test]
    fn what_is_left_out_stays_byte_for_byte() {
        let content = &STORED[STORED.find("Content-Type: multipart").expect("content")..];
        let changed = mime(vec![Element::text(email::SUBJECT, "t")], Some(STORED));
        let head = "Subject: t\r\nTo: a@x.org\r\nBcc: b@x.org\r\nReferences: <r@x>\r\nX-Priority: 1\r\n";
        assert!(changed.ends_with(&format!("{head}{content}")), "{changed}");
        // property, what is gone, what is there
        let cases = [
            (Element::text(email::TO, ""), "To: a@x.org", "Subject: s"),
            (Element::text(email2::BCC, "c@x.org"), "b@x.org", "Bcc: c@x.org"),
            (Element::number(email::IMPORTANCE, 1), "X-Priority", "a.pdf"),
            (body(1, "other"), "words", "a.pdf"),
            (body(2, "<p>other</p>"), "words", "multipart/alternative"),
            (Element::text(email::REPLY_TO, "r@x.org"), "old@x", "Reply-To: r@x.org"),
        ];
        for (property, gone, there) in cases {
            let changed = mime(vec![property], Some(STORED));
            assert!(
                !changed.contains(gone) && changed.contains(there),
                "{gone}, {there}:\n{changed}"
            );
            assert!(changed.contains("References: <r@x>"), "{changed}");
        }
        // A Body without Data says nothing of the text.
        let bare = Element::parent(airsyncbase::BODY, [Element::number(airsyncbase::TYPE, 1)]);
        assert!(mime(vec![bare], Some(STORED)).ends_with(content));
    }

    #[test]
    fn attachments_come_and_go() {
        let attachments = |children| Element::parent(airsyncbase::ATTACHMENTS, children);
        let delete = |reference: &str| {
            let reference = Element::text(airsyncbase::FILE_REFERENCE, reference);
            attachments(vec![Element::parent(airsyncbase::DELETE, [reference])])
        };
        let deleted = written(vec![delete("12:7:2")], Some(STORED)).expect("a draft");
        assert!(!deleted.has_attachments);
        let text = String::from_utf8(deleted.mime).expect("ASCII");
        assert!(text.ends_with("\r\nwords") && !text.contains("multipart"), "{text}");
        // Of another version of the draft, of nothing.
        for reference in ["12:6:2", "", "x"] {
            assert!(written(vec![delete(reference)], Some(STORED)).is_err(), "{reference}");
        }
        let add = |method: &str, kind: &str, content: &[u8]| {
            Element::parent(
                airsyncbase::ADD,
                [
                    Element::text(airsyncbase::CLIENT_ID, "c1"),
                    Element::opaque(airsyncbase::CONTENT, content),
                    Element::text(airsyncbase::DISPLAY_NAME, "\u{fc}.x"),
                    Element::text(airsyncbase::METHOD, method),
                    Element::text(airsyncbase::CONTENT_TYPE, kind),
                    Element::text(airsyncbase::CONTENT_ID, "<i@x>"),
                    Element::empty(airsyncbase::IS_INLINE),
                ],
            )
        };
        // method, declared type, type and disposition in the message
        let cases = [
            ("1", "image/png", "image/png", Some("inline;")),
            ("1", "text/plain", "text/plain", Some("attachment;")),
            ("1", "multipart/mixed", "application/octet-stream", Some("attachment;")),
            ("1", "evil\r\nBcc: x", "application/octet-stream", Some("attachment;")),
            ("1", "", "application/octet-stream", Some("attachment;")),
            ("5", "", "message/rfc822", None),
        ];
        for (method, kind, expected, disposition) in cases {
            let properties = vec![attachments(vec![add(method, kind, b"Subject: n\r\n\r\nx")])];
            let data = Element::parent(crate::wbxml::codepage::airsync::APPLICATION_DATA, properties.clone());
            let text = mime(properties, Some(STORED));
            let envelope = Envelope {
                collection_id: "12".to_owned(),
                id: "8".to_owned(),
                ..Envelope::default()
            };
            let mail = Mail::from_source(text.as_bytes(), envelope);
            assert_eq!(mail.type_of("3"), Some(expected), "{text}");
            assert!(
                disposition.is_none_or(|it| text.contains(&format!("Content-Disposition: {it}"))),
                "{text}"
            );
            let answer = answer(&data, &mail);
            let reference = answer[0].children()[0].child_text(airsyncbase::FILE_REFERENCE);
            assert_eq!(reference, Some("12:8:3"));
        }
    }

    #[test]
    fn whole_messages_speak_for_themselves() {
        let message = "From: boss@x.org\r\nTo: a@x.org\r\nMessage-ID: <own@x>\r\nSubject: s\r\n\r\nbody";
        let properties = vec![
            Element::text(email::TO, "b@x.org"),
            Element::number(email::IMPORTANCE, 2),
            body(4, message),
        ];
        let text = mime(properties, Some(STORED));
        assert!(
            text.contains("To: a@x.org") && text.contains("Importance: high"),
            "{text}"
        );
        let absent = ["boss", "b@x.org", "own@x", "old@x"];
        assert!(
            absent.iter().all(|it| !text.contains(it)) && text.ends_with("\r\n\r\nbody"),
            "{text}"
        );
        assert!(written(vec![body(4, "no message")], None).is_err());
        assert!(written(vec![body(3, "rtf")], None).is_err());
    }

    #[test]
    fn recipients() {
        // list, as a device reads it back, what hinders sending
        let cases = [
            ("a@x.org, B <b@x.org>", "a@x.org, \"B\" <b@x.org>", None),
            (
                "\"Doe, J; jr\" <j@x.org>; <k@x.org>;;",
                "\"Doe, J; jr\" <j@x.org>, k@x.org",
                None,
            ),
            ("\"a\\\",b\" <a@x.org>", "\"a\\\",b\" <a@x.org>", None),
            ("", "", Some(Refused::NoRecipient)),
            ("joh", "\"joh\"", Some(Refused::BadRecipient)),
            ("a@x.org;joh", "a@x.org, \"joh\"", Some(Refused::BadRecipient)),
            (
                "j\u{fc}rgen@x.org",
                "\"j\u{fc}rgen@x.org\"",
                Some(Refused::BadRecipient),
            ),
        ];
        for (list, expected, hindrance) in cases {
            let draft = written(vec![Element::text(email::TO, list)], None).expect("a draft");
            let mail = Mail::from_source(&stored(&draft.mime), Envelope::default());
            let shown = crate::content::email::address::list(&mail.to).unwrap_or_default();
            assert_eq!(shown, expected, "{list}");
            assert_eq!(outgoing_draft(&draft.mime, &user(), 0).err(), hindrance, "{list}");
            // Once stored, it is no better.
            let again = outgoing_draft(&stored(&draft.mime), &user(), 0);
            assert_eq!(again.err(), hindrance, "{list}");
        }
        let high = written(vec![Element::number(email::IMPORTANCE, 2)], None).expect("a draft");
        let mail = Mail::from_source(&high.mime, Envelope::default());
        assert_eq!(mail.importance, Importance::High);
    }

    proptest! {
        #[test]
        fn no_field_is_smuggled_in(to in "[a-z\r\n:<>@\",;\\\\\u{e4} ]{0,40}", subject in "[a-z\r\n:\u{0}\u{e4} ]{0,40}") {
            let properties = vec![Element::text(email::TO, to), Element::text(email::SUBJECT, subject)];
            let text = mime(properties, None);
            let root = Entity::parse(text.as_bytes());
            let known = ["from", "date", "message-id", "mime-version", "to", "subject", "content-type", "content-transfer-encoding"];
            for field in &root.fields {
                prop_assert!(known.contains(&field.name.as_str()), "{}", text);
            }
            prop_assert!(transfer::is_clean(text.as_bytes()));
        }

        #[test]
        fn any_draft_can_be_changed(source: Vec<u8>, data: Vec<u8>) {
            let current = Current { id: "7", source: &source, flags: 0 };
            let body = Element::parent(airsyncbase::BODY, [
                Element::number(airsyncbase::TYPE, 4),
                Element::opaque(airsyncbase::DATA, data),
            ]);
            for property in [body, Element::text(airsyncbase::BODY, ""), Element::text(email::TO, "a@x.org")] {
                let data = Element::parent(crate::wbxml::codepage::airsync::APPLICATION_DATA, [property]);
                if let Ok(draft) = with_context(|context| draft(&data, Some(current), "<new@x>", context)) {
                    prop_assert!(transfer::is_clean(&stored(&draft.mime)));
                }
            }
        }
    }
}
