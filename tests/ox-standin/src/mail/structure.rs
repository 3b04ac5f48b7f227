//! `get_structure`: the whole MIME tree as JSON, made for sync clients.
//!
//! Implements "Get the structure of a mail" of the OX HTTP API: lower case header names, text parts as UTF-8 text,
//! everything else as base64, parts above `max_size` without data.

use crate::call::Answer;
use crate::call::Call;
use crate::error::MAIL_NOT_FOUND;
use crate::error::OxError;
use crate::mail;
use crate::mail::fields;
use crate::mail::get::decoded;
use crate::mail::meta::Mailbox;
use crate::mail::meta::Meta;
use crate::mail::meta::header_text;
use crate::mail::meta::part_type;
use crate::mail::store::flag;
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::ContentType;
use mail_parser::DateTime;
use mail_parser::HeaderName;
use mail_parser::Message;
use mail_parser::MessageParser;
use mail_parser::MessagePart;
use mail_parser::MimeHeaders;
use mail_parser::PartType;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

const DEEPEST: usize = 8;

/// Answers the tree of one mail. Reading marks as seen, as with `get`.
pub(super) fn get(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let (name, uid) = mail::named(world, call)?;
    let max_size = call
        .number("max_size")?
        .and_then(|max| usize::try_from(max).ok())
        .filter(|max| *max > 0);
    let found = mail::mailbox_mut(world, call.user)?
        .mail_mut(&name, uid)
        .ok_or(MAIL_NOT_FOUND)?;
    if !call.flag("unseen") {
        found.flags |= flag::SEEN;
    }
    let message = MessageParser::default().parse(&found.raw).ok_or(MAIL_NOT_FOUND)?;
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(uid.to_string()));
    object.insert("folder_id".to_owned(), json!(mail::store::folder_id(&name)));
    object.insert("flags".to_owned(), json!(fields::flags(found)));
    object.insert("color_label".to_owned(), json!(found.color));
    object.insert("user".to_owned(), json!(found.keywords));
    let received = DateTime::from_timestamp(found.received.div_euclid(1000));
    object.insert(
        "received_date".to_owned(),
        json!({"utc": found.received, "date": received.to_rfc822()}),
    );
    let tree = Tree {
        raw: &found.raw,
        max_size,
    };
    tree.message(&mut object, &message, &found.meta, 0);
    Ok(Answer::data(Value::Object(object)))
}

struct Tree<'a> {
    raw: &'a [u8],
    max_size: Option<usize>,
}

impl Tree<'_> {
    fn message(&self, object: &mut Map<String, Value>, message: &Message, meta: &Meta, depth: usize) {
        let Some(root) = message.parts.first() else { return };
        let mut headers = message_headers(meta);
        headers.extend(part_headers(root));
        let start = usize::try_from(root.offset_header).unwrap_or(0);
        let end = usize::try_from(root.offset_body).unwrap_or(0);
        let block = self.raw.get(start..end).unwrap_or(&[]);
        headers.insert("x-original-headers".to_owned(), json!(STANDARD.encode(block)));
        object.insert("headers".to_owned(), Value::Object(headers));
        object.insert("body".to_owned(), self.body(message, root, "", depth));
    }

    /// Of a multipart the array of its parts, of everything else a single object.
    fn body(&self, message: &Message, part: &MessagePart, id: &str, depth: usize) -> Value {
        if let PartType::Multipart(children) = &part.body {
            let children = children.iter().zip(1..).filter_map(|(number, index)| {
                let id = if id.is_empty() {
                    index.to_string()
                } else {
                    format!("{id}.{index}")
                };
                let child = message.part(*number)?;
                let body = self.body(message, child, &id, depth);
                Some(json!({"headers": part_headers(child), "body": body}))
            });
            return children.collect();
        }
        let id = if id.is_empty() { "1" } else { id };
        if let PartType::Message(inner) = &part.body
            && depth < DEEPEST
        {
            let mut object = Map::new();
            object.insert("id".to_owned(), json!(id));
            let root = inner.parts.first();
            let start = root.map_or(0, |root| usize::try_from(root.offset_header).unwrap_or(0));
            let end = root.map_or(0, |root| usize::try_from(root.offset_end).unwrap_or(0));
            let meta = Meta::of(inner.raw_message.get(start..end).unwrap_or(&[]));
            Tree {
                raw: &inner.raw_message,
                max_size: self.max_size,
            }
            .message(&mut object, inner, &meta, depth + 1);
            return Value::Object(object);
        }
        let bytes = decoded(self.raw, part);
        if self.max_size.is_some_and(|max| bytes.len() > max) {
            return json!({"id": id, "data": null, "exact_size": bytes.len()});
        }
        let data = match &part.body {
            PartType::Text(text) | PartType::Html(text) => text.to_string(),
            _ => STANDARD.encode(bytes),
        };
        json!({"id": id, "data": data})
    }
}

fn message_headers(meta: &Meta) -> Map<String, Value> {
    let addresses = |list: &[Mailbox]| -> Value {
        list.iter()
            .map(|entry| json!({"personal": entry.name, "address": entry.address}))
            .collect()
    };
    let mut headers = Map::new();
    for (name, value) in &meta.headers {
        let name = name.to_ascii_lowercase();
        if name.starts_with("content-") {
            continue;
        }
        let value = match name.as_str() {
            "subject" => json!(meta.subject),
            "from" => addresses(&meta.from),
            "to" => addresses(&meta.to),
            "cc" => addresses(&meta.cc),
            "bcc" => addresses(&meta.bcc),
            "reply-to" => addresses(&meta.reply_to),
            "date" => json!({"utc": meta.sent, "date": value}),
            _ => match headers.remove(&name) {
                None => json!(value),
                Some(Value::Array(mut list)) => {
                    list.push(json!(value));
                    Value::Array(list)
                }
                Some(first) => json!([first, value]),
            },
        };
        headers.insert(name, value);
    }
    headers
}

/// The Content headers of a part. Text is delivered as UTF-8, so its charset says so and its encoding is gone.
fn part_headers(part: &MessagePart) -> Map<String, Value> {
    let mut headers = Map::new();
    let text = matches!(part.body, PartType::Text(_) | PartType::Html(_));
    let mut parameters = part.content_type().map(parameters).unwrap_or_default();
    if text {
        parameters.insert("charset".to_owned(), json!("UTF-8"));
    }
    headers.insert(
        "content-type".to_owned(),
        json!({"type": part_type(part), "params": parameters}),
    );
    if let Some(disposition) = part.content_disposition() {
        let kind = disposition.ctype().to_ascii_lowercase();
        headers.insert(
            "content-disposition".to_owned(),
            json!({"type": kind, "params": self::parameters(disposition)}),
        );
    }
    if let Some(id) = part.content_id() {
        headers.insert("content-id".to_owned(), json!(format!("<{id}>")));
    }
    let encoding = part.header_text(&HeaderName::ContentTransferEncoding);
    if let Some(encoding) = encoding.filter(|_| !text) {
        headers.insert("content-transfer-encoding".to_owned(), json!(encoding));
    }
    headers
}

fn parameters(header: &ContentType) -> Map<String, Value> {
    let all = header.attributes().into_iter().flatten();
    all.map(|attribute| (attribute.name.to_ascii_lowercase(), json!(attribute.value)))
        .collect()
}

/// Text of a header of a part.
trait HeaderText {
    fn header_text(&self, name: &HeaderName<'static>) -> Option<String>;
}

impl HeaderText for MessagePart<'_> {
    fn header_text(&self, name: &HeaderName<'static>) -> Option<String> {
        let header = self.headers.iter().find(|header| header.name == *name)?;
        header_text(&header.value)
    }
}
