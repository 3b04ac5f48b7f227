//! Drafts: what a device says of a message that is not sent yet, as MIME.
//!
//! A new draft is made whole; of a changed one, what the device leaves out stays as it is, byte for byte. Devices either name
//! properties, or give the whole message as a body of Type 4; then the properties beside it that the message says itself
//! are passed over. Implements [MS-ASEMAIL] "Drafts", Bcc and Importance, and [MS-ASAIRS] Body; `attached` has the attachments.

mod attached;
#[cfg(test)]
mod tests;

use crate::content::BodyType;
use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::body;
use crate::content::email::Mail;
use crate::content::email::address::Address;
use crate::content::email::attachment::file_reference;
use crate::content::email::compose;
use crate::content::email::draft::attached::added;
use crate::content::email::draft::attached::additions;
use crate::content::email::draft::attached::deleted;
use crate::content::email::draft::attached::is_attached;
use crate::content::email::flag;
use crate::content::email::header;
use crate::content::email::mail::Part;
use crate::content::email::mail::flags;
use crate::content::email::mime::Entity;
use crate::content::email::send;
use crate::content::email::seven_bit::address_field;
use crate::content::email::seven_bit::seven_bit;
use crate::content::email::seven_bit::text_field;
use crate::content::email::source::all_addresses;
use crate::content::email::thread;
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

/// What the author has written, the author has read.
fn new_flags(application_data: &Element, current: Option<Current<'_>>) -> Result<u32, Unconvertible> {
    let change = flag::to_ox(application_data)?;
    let before = current.map_or(flags::SEEN, |current| current.flags);
    Ok((before | change.set) & !change.clear | flags::DRAFT)
}
