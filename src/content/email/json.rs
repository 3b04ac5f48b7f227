//! Reads a mail from the JSON that OX gives for `mail?action=get` with `view=raw`.
//!
//! Versions differ in what they send: nearly every key may be missing, numbers may be text, headers may be named in any
//! case. Implements the API documentation, "Detailed mail data" and "Attachment".

use serde_json::Value;

use crate::content::Unconvertible;
use crate::content::email::address::Address;
use crate::content::email::header;
use crate::content::email::header::ContentType;
use crate::content::email::mail::Disposition;
use crate::content::email::mail::Envelope;
use crate::content::email::mail::Importance;
use crate::content::email::mail::Mail;
use crate::content::email::mail::Part;
use crate::content::email::source;
use crate::ox::Object;
use crate::ox::columns::mail as columns;

impl Mail {
    /// Reads a mail object. It must have been asked for with `view=raw`: other views escape plain text.
    pub fn from_json(json: &Object, collection_id: &str) -> Result<Self, Unconvertible> {
        let id = json.as_map().get("id").and_then(text_or_number);
        let id = id.ok_or_else(|| Unconvertible("mail without id".to_owned()))?;
        let flags = json.number(columns::FLAGS).unwrap_or_default();
        let headers = Headers(json.as_map().get("headers"));
        let list = |key| Address::list_from_json(json.as_map().get(key));
        let priority = json.number(columns::PRIORITY).filter(|priority| *priority > 0);
        Ok(Self {
            envelope: Envelope {
                collection_id: collection_id.to_owned(),
                id,
                // Unknown higher bits are dropped.
                flags: u32::try_from(flags & 0xFFFF_FFFF).unwrap_or_default(),
                received: json.time(columns::RECEIVED_DATE),
            },
            from: list("from"),
            sender: header::addresses(headers.body("sender").as_bytes()).into_iter().next(),
            to: list("to"),
            cc: list("cc"),
            bcc: list("bcc"),
            reply_to: reply_to(json, &headers),
            subject: header::text(json.text(columns::SUBJECT).unwrap_or_default().as_bytes()),
            sent: json.time(columns::SENT_DATE),
            importance: match priority {
                Some(priority) => Importance::from_priority(priority),
                None => source::importance(|name| headers.body(name)),
            },
            message_id: header::ids(headers.body("message-id").as_bytes()).into_iter().next(),
            references: source::references(
                headers.body("references").as_bytes(),
                headers.body("in-reply-to").as_bytes(),
            ),
            thread_index: source::thread_index(headers.body("thread-index").as_bytes()),
            content_type: content_type(json, &headers),
            parts: parts(json, &headers),
            source: None,
        })
    }
}

/// The object `headers`: text, or an array of texts for a repeated field.
struct Headers<'a>(Option<&'a Value>);

impl Headers<'_> {
    /// The first field body; the name in any case.
    fn body(&self, name: &str) -> String {
        let fields = self.0.and_then(Value::as_object);
        let value = fields.and_then(|fields| {
            let mut fields = fields.iter();
            fields
                .find(|(own, _)| own.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        });
        let value = match value {
            Some(Value::Array(values)) => values.first(),
            other => other,
        };
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

fn reply_to(json: &Object, headers: &Headers<'_>) -> Vec<Address> {
    let list = Address::list_from_json(json.as_map().get("reply_to"));
    if list.is_empty() {
        return header::addresses(headers.body("reply-to").as_bytes());
    }
    list
}

/// The type of the whole mail: a key of its own from OX 7.8 on, a header before.
fn content_type(json: &Object, headers: &Headers<'_>) -> Option<ContentType> {
    let key = json
        .as_map()
        .get("content_type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let parsed = |body: &str| ContentType::parse(body.as_bytes()).filter(|parsed| parsed.kind.contains('/'));
    parsed(key).or_else(|| parsed(&headers.body("content-type")))
}

fn parts(json: &Object, headers: &Headers<'_>) -> Vec<Part> {
    let array = |key| json.as_map().get(key).and_then(Value::as_array).into_iter().flatten();
    let mut parts: Vec<Part> = array("attachments").filter_map(part).collect();
    for message in array("nested_msgs").filter_map(nested) {
        if !parts.iter().any(|part| part.id == message.id) {
            parts.push(message);
        }
    }
    let mixed = content_type(json, headers).is_some_and(|kind| kind.is("multipart/mixed"));
    pair_alternatives(&mut parts, mixed);
    parts
}

fn part(value: &Value) -> Option<Part> {
    let text = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    let content_type = text("content_type").and_then(|kind| ContentType::parse(kind.as_bytes()));
    let content_type = content_type.unwrap_or_else(|| ContentType::new("application/octet-stream"));
    let textual = content_type.kind.starts_with("text/") || content_type.is("message/delivery-status");
    let content = value
        .get("content")
        .and_then(Value::as_str)
        .filter(|_| textual)
        .map(str::to_owned);
    let file_name = text("filename").map(|name| header::text(name.as_bytes()));
    let size = value.get("size").and_then(number).filter(|size| *size > 0);
    Some(Part {
        id: value.get("id").and_then(text_or_number)?,
        disposition: match text("disp") {
            Some("attachment") => Disposition::Attachment,
            _ => Disposition::Inline,
        },
        file_name: file_name.or_else(|| content_type.parameter("name").map(str::to_owned)),
        content_id: text("cid").map(|cid| cid.trim_matches(['<', '>']).to_owned()),
        location: text("content_location").map(str::to_owned),
        size: size.or_else(|| content.as_ref().and_then(|text| u64::try_from(text.len()).ok())),
        text: content,
        content_type,
        alternative: None,
    })
}

/// A message in the mail, which OX lists apart.
fn nested(value: &Value) -> Option<Part> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    Some(Part {
        id: value.get("id").and_then(text_or_number)?,
        content_type: ContentType::new("message/rfc822"),
        disposition: Disposition::Attachment,
        file_name: text("filename")
            .or_else(|| text("subject"))
            .map(|name| header::text(name.as_bytes())),
        size: value.get("size").and_then(number).filter(|size| *size > 0),
        ..Part::default()
    })
}

/// The list does not tell which texts are forms of one another, but ids do: plain text and the HTML after it are, if
/// both are children of the same multipart, or the HTML sits one level deeper with its pictures (`1` and `2.1`). On
/// the top level of a `multipart/mixed` they are not.
fn pair_alternatives(parts: &mut [Part], mixed: bool) {
    let mut group = 0;
    for index in 1..parts.len() {
        let (before, after) = parts.split_at_mut(index);
        let (Some(plain), Some(html)) = (before.last_mut(), after.first_mut()) else {
            continue;
        };
        let forms = plain.is_body() && html.is_body() && !plain.is_html() && html.is_html();
        if forms && are_siblings(&plain.id, &html.id, mixed) {
            group += 1;
            plain.alternative = Some(group);
            html.alternative = Some(group);
        }
    }
}

fn are_siblings(plain: &str, html: &str, mixed: bool) -> bool {
    let (parent, number) = plain.rsplit_once('.').unwrap_or(("", plain));
    if parent.is_empty() && mixed {
        return false;
    }
    let prefix = if parent.is_empty() {
        String::new()
    } else {
        format!("{parent}.")
    };
    let Some(next) = number.parse::<u32>().ok().and_then(|number| number.checked_add(1)) else {
        return false;
    };
    let sibling = format!("{prefix}{next}");
    html == sibling || html.strip_prefix(&sibling).is_some_and(|rest| rest.starts_with('.'))
}

fn text_or_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
