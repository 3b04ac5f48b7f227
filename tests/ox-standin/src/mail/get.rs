//! One mail: `get` as JSON, as source text or as exact bytes, and `attachment`.
//!
//! Implements "Get a mail" and "Get an attachment" of the OX HTTP API: reading marks a mail as seen unless `unseen=true`;
//! the source as JSON text is lossy, only `src=1&save=1` is exact. Part ids are those of IMAP.

use crate::call::Answer;
use crate::call::Call;
use crate::call::Method;
use crate::error::MAIL_ATTACHMENT_NOT_FOUND;
use crate::error::MAIL_NOT_FOUND;
use crate::error::OxError;
use crate::mail;
use crate::mail::fields;
use crate::mail::fields::View;
use crate::mail::html;
use crate::mail::meta::Meta;
use crate::mail::meta::part_type;
use crate::mail::store::Mail;
use crate::mail::store::flag;
use crate::world::World;
use bytes::Bytes;
use mail_parser::Encoding;
use mail_parser::Message;
use mail_parser::MessageParser;
use mail_parser::MessagePart;
use mail_parser::MimeHeaders;
use mail_parser::PartType;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Nested messages are followed this deep.
const DEEPEST: usize = 8;

/// `get`: one mail by parameters, or several by a body of `{folder, id}`.
pub(super) fn get(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let several = call.parameter("id").is_none()
        && call.parameter("message_id").is_none()
        && matches!(call.method, Method::Put | Method::Entry);
    if !several {
        let (name, uid) = mail::named(world, call)?;
        return one(world, call, &name, uid);
    }
    let mut found = Vec::new();
    for entry in call.json_array()? {
        let (name, uid) = mail::reference(&entry).ok_or(MAIL_NOT_FOUND)?;
        if let Answer::Data(envelope) = one(world, call, &name, uid)? {
            found.push(envelope.data.unwrap_or_default());
        }
    }
    Ok(Answer::data(Value::Array(found)))
}

fn one(world: &mut World, call: &Call, name: &str, uid: u32) -> Result<Answer, OxError> {
    let unseen = call.flag("unseen");
    let image_url = format!(
        "{}image/mail/picture?folder={}&id={uid}&session={}&uid=",
        world.options.prefix,
        url::form_urlencoded::byte_serialize(mail::store::folder_id(name).as_bytes()).collect::<String>(),
        call.session
    );
    let mailbox = mail::mailbox_mut(world, call.user)?;
    let found = mailbox.mail_mut(name, uid).ok_or(MAIL_NOT_FOUND)?;
    let was_unread = !found.seen();
    if !unseen {
        found.flags |= flag::SEEN;
    }
    if call.flag("src") && call.flag("save") && call.method != Method::Entry {
        return Ok(Answer::Bytes {
            content_type: "application/octet-stream".to_owned(),
            bytes: found.raw.clone(),
        });
    }
    if call.flag("src") {
        return Ok(Answer::data(String::from_utf8_lossy(&found.raw).into_owned()));
    }
    if call.flag("hdr") {
        return Ok(Answer::data(header_block(&found.raw)));
    }
    let style = Style {
        view: call.parameter("view").unwrap_or("html"),
        max_size: call.number("max_size")?,
        image_url: &image_url,
    };
    let view = View {
        folder: name,
        uid,
        mail: found,
        zone: &call.zone,
    };
    let mut object = object(view, &style);
    object.insert("unread".to_owned(), json!(was_unread && unseen));
    if call.flag("attach_src") {
        object.insert("source".to_owned(), json!(String::from_utf8_lossy(&found.raw)));
    }
    Ok(Answer::data(Value::Object(object)))
}

/// How bodies are shown.
struct Style<'a> {
    view: &'a str,
    max_size: Option<i64>,
    image_url: &'a str,
}

impl Style<'_> {
    fn raw(&self) -> bool {
        self.view == "raw"
    }

    fn text(&self) -> bool {
        self.view.starts_with("text")
    }
}

fn header_block(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let end = text
        .find("\r\n\r\n")
        .or_else(|| text.find("\n\n"))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or("").to_owned()
}

fn object(view: View, style: &Style) -> Map<String, Value> {
    let mut object = Map::new();
    for field in fields::FIELDS.iter().filter(|field| !field.key.is_empty()) {
        let value = (field.value)(view);
        if !value.is_null() {
            object.insert(field.key.to_owned(), value);
        }
    }
    if !view.mail.keywords.is_empty() {
        object.insert("user".to_owned(), json!(view.mail.keywords));
    }
    object.insert("modified".to_owned(), json!(0));
    content(&mut object, &view.mail.raw, &view.mail.meta, style, 0);
    object
}

/// Headers, parts and nested messages.
fn content(object: &mut Map<String, Value>, raw: &[u8], meta: &Meta, style: &Style, depth: usize) {
    if !meta.reply_to.is_empty() {
        object.insert("reply_to".to_owned(), fields::addresses(&meta.reply_to));
    }
    object.insert("headers".to_owned(), Value::Object(headers(meta)));
    let Some(message) = MessageParser::default().parse(raw) else {
        return;
    };
    let mut attachments = Vec::new();
    let mut nested = Vec::new();
    let mut truncated = false;
    for leaf in leaves(&message) {
        match &leaf.part.body {
            PartType::Message(inner) if depth < DEEPEST => nested.push(nested_message(&leaf, inner, style, depth)),
            _ => attachments.push(attachment_object(raw, &leaf, style, &mut truncated)),
        }
    }
    object.insert("attachments".to_owned(), Value::Array(attachments));
    if !nested.is_empty() {
        object.insert("nested_msgs".to_owned(), Value::Array(nested));
    }
    if truncated {
        object.insert("truncated".to_owned(), json!(true));
    }
}

/// Headers beside those that have keys of their own; repeated ones as arrays.
fn headers(meta: &Meta) -> Map<String, Value> {
    const OWN_KEYS: &[&str] = &["from", "to", "cc", "bcc", "reply-to", "subject", "date", "content-type"];
    let mut headers = Map::new();
    for (name, value) in meta
        .headers
        .iter()
        .filter(|(name, _)| !OWN_KEYS.contains(&name.to_ascii_lowercase().as_str()))
    {
        match headers.get_mut(name) {
            Some(Value::Array(list)) => list.push(json!(value)),
            Some(first) => *first = json!([first.clone(), value]),
            None => drop(headers.insert(name.clone(), json!(value))),
        }
    }
    headers
}

/// A part that is no multipart, with its id and where it stands.
pub(super) struct Leaf<'a> {
    pub(super) id: String,
    pub(super) part: &'a MessagePart<'a>,
    /// One of several forms of the same content.
    alternative: bool,
}

/// All parts of a message in order.
pub(super) fn leaves<'a>(message: &'a Message<'a>) -> Vec<Leaf<'a>> {
    let mut found = Vec::new();
    let Some(root) = message.parts.first() else {
        return found;
    };
    match &root.body {
        PartType::Multipart(children) => {
            let alternative = part_type(root) == "multipart/alternative";
            for (index, child) in children.iter().enumerate() {
                visit(message, *child, (index + 1).to_string(), alternative, &mut found);
            }
        }
        _ => found.push(Leaf {
            id: "1".to_owned(),
            part: root,
            alternative: false,
        }),
    }
    found
}

fn visit<'a>(message: &'a Message<'a>, number: u32, id: String, alternative: bool, found: &mut Vec<Leaf<'a>>) {
    let Some(part) = message.part(number) else { return };
    let PartType::Multipart(children) = &part.body else {
        found.push(Leaf { id, part, alternative });
        return;
    };
    let inner = part_type(part) == "multipart/alternative";
    for (index, child) in children.iter().enumerate() {
        // Of a group inside an alternative only the first part is the form, the others belong to it.
        let alternative = inner || (alternative && index == 0);
        visit(message, *child, format!("{id}.{}", index + 1), alternative, found);
    }
}

fn attachment_object(raw: &[u8], leaf: &Leaf, style: &Style, truncated: &mut bool) -> Value {
    let part = leaf.part;
    let mut object = Map::new();
    let kind = part_type(part);
    object.insert("id".to_owned(), json!(leaf.id));
    object.insert("content_type".to_owned(), json!(kind));
    object.insert("size".to_owned(), json!(decoded(raw, part).len()));
    object.insert("disp".to_owned(), json!(disposition(leaf)));
    object.insert("filename".to_owned(), json!(part.attachment_name()));
    if let Some(id) = part.content_id() {
        object.insert("cid".to_owned(), json!(format!("<{id}>")));
    }
    object.insert(
        "content".to_owned(),
        if is_body(part) {
            shown(part, style, truncated)
        } else {
            Value::Null
        },
    );
    if style.text() && is_body(part) {
        object.insert("content_type".to_owned(), json!("text/plain"));
    }
    Value::Object(object)
}

/// Text that is shown as part of the mail, not offered as a file.
fn is_body(part: &MessagePart) -> bool {
    let attached = part
        .content_disposition()
        .is_some_and(|disposition| disposition.is_attachment());
    let shown = matches!(&part.body, PartType::Text(_) | PartType::Html(_));
    let readable = matches!(part_type(part).as_str(), "text/plain" | "text/html" | "text/enriched");
    shown && readable && !attached && part.attachment_name().is_none()
}

fn disposition(leaf: &Leaf) -> &'static str {
    match leaf.part.content_disposition() {
        Some(disposition) if disposition.is_attachment() => "attachment",
        Some(_) => "inline",
        None if leaf.alternative => "alternative",
        None if is_body(leaf.part) || leaf.part.content_id().is_some() => "inline",
        None => "attachment",
    }
}

fn shown(part: &MessagePart, style: &Style, truncated: &mut bool) -> Value {
    let text = match &part.body {
        PartType::Html(html) if style.raw() => html.to_string(),
        PartType::Html(html) if style.text() => html::escape(&html::to_text(html)),
        PartType::Html(html) => html::sanitize(html, style.image_url),
        PartType::Text(text) if style.raw() => text.to_string(),
        PartType::Text(text) => html::escape(text),
        _ => return Value::Null,
    };
    json!(cut(text, style.max_size, truncated))
}

/// At most `max_size` bytes, which is never less than 10,000, cut between characters.
fn cut(mut text: String, max_size: Option<i64>, truncated: &mut bool) -> String {
    let Some(max) = max_size.filter(|max| *max > 0) else {
        return text;
    };
    let max = usize::try_from(max).unwrap_or(usize::MAX).max(10_000);
    if text.len() > max {
        text.truncate((0..=max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0));
        *truncated = true;
    }
    text
}

fn nested_message(leaf: &Leaf, inner: &Message, style: &Style, depth: usize) -> Value {
    let raw = message_bytes(inner);
    let meta = Meta::of(raw);
    let mut object = Map::new();
    let lists = [
        ("from", &meta.from),
        ("to", &meta.to),
        ("cc", &meta.cc),
        ("bcc", &meta.bcc),
    ];
    object.insert("id".to_owned(), json!(leaf.id));
    for (key, list) in lists {
        object.insert(key.to_owned(), fields::addresses(list));
    }
    object.insert("subject".to_owned(), json!(meta.subject));
    object.insert("sent_date".to_owned(), json!(meta.sent));
    object.insert("size".to_owned(), json!(raw.len()));
    object.insert("content_type".to_owned(), json!(meta.content_type));
    object.insert("filename".to_owned(), json!(leaf.part.attachment_name()));
    content(&mut object, raw, &meta, style, depth + 1);
    Value::Object(object)
}

/// The bytes of a nested message within its parent.
fn message_bytes<'a>(message: &'a Message) -> &'a [u8] {
    let Some(root) = message.parts.first() else { return &[] };
    message
        .raw_message
        .get(to_usize(root.offset_header)..to_usize(root.offset_end))
        .unwrap_or(&[])
}

/// A part's bytes without transfer encoding, in its own charset.
pub(super) fn decoded(raw: &[u8], part: &MessagePart) -> Vec<u8> {
    let encoded = raw
        .get(to_usize(part.offset_body)..to_usize(part.offset_end))
        .unwrap_or(&[]);
    let decoded = match part.encoding {
        Encoding::None => None,
        Encoding::Base64 => base64_decode(encoded),
        Encoding::QuotedPrintable => quoted_printable_decode(encoded),
    };
    decoded.unwrap_or_else(|| encoded.to_vec())
}

fn to_usize(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// `attachment`: the bytes of one part, by part id or content id.
pub(super) fn attachment(world: &World, call: &Call) -> Result<Answer, OxError> {
    let (name, uid) = mail::named(world, call)?;
    let found = mail::mailbox(world, call.user)?
        .mail(&name, uid)
        .ok_or(MAIL_NOT_FOUND)?;
    let (content_type, bytes) = part(found, call.parameter("attachment"), call.parameter("cid"))?;
    let content_type = if call.flag("save") {
        "application/octet-stream".to_owned()
    } else {
        content_type
    };
    Ok(Answer::Bytes { content_type, bytes })
}

/// The picture behind a re-linked `cid:` of an HTML view.
pub(crate) fn picture(world: &World, call: &Call) -> Result<Answer, OxError> {
    let (name, uid) = mail::named(world, call)?;
    let found = mail::mailbox(world, call.user)?
        .mail(&name, uid)
        .ok_or(MAIL_NOT_FOUND)?;
    let (content_type, bytes) = part(found, None, call.parameter("uid"))?;
    Ok(Answer::Bytes { content_type, bytes })
}

/// Type and bytes of a part; ids reach into nested messages (`2.1`).
pub(crate) fn part(found: &Mail, id: Option<&str>, cid: Option<&str>) -> Result<(String, Bytes), OxError> {
    let message = MessageParser::default()
        .parse(&found.raw)
        .ok_or(MAIL_ATTACHMENT_NOT_FOUND)?;
    let cid = cid.map(|cid| cid.trim_matches(['<', '>']));
    let (found_type, bytes) = search_part(&found.raw, &message, "", id, cid, 0).ok_or(MAIL_ATTACHMENT_NOT_FOUND)?;
    Ok((found_type, bytes.into()))
}

fn search_part(
    raw: &[u8],
    message: &Message,
    prefix: &str,
    id: Option<&str>,
    cid: Option<&str>,
    depth: usize,
) -> Option<(String, Vec<u8>)> {
    for leaf in leaves(message) {
        let own = format!("{prefix}{}", leaf.id);
        let wanted = id == Some(own.as_str()) || (cid.is_some() && leaf.part.content_id() == cid);
        match &leaf.part.body {
            PartType::Message(inner) if wanted => return Some((part_type(leaf.part), message_bytes(inner).to_vec())),
            PartType::Message(inner) if depth < DEEPEST => {
                let deeper = search_part(message_bytes_root(inner), inner, &format!("{own}."), id, cid, depth + 1);
                if deeper.is_some() {
                    return deeper;
                }
            }
            _ if wanted => return Some((part_type(leaf.part), decoded(raw, leaf.part))),
            _ => {}
        }
    }
    None
}

/// The bytes that the offsets of a nested message's parts count in.
fn message_bytes_root<'a>(message: &'a Message) -> &'a [u8] {
    &message.raw_message
}
