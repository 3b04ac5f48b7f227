//! Reads a mail from its RFC 5322 source.
//!
//! Never fails: everything is a mail, if only a body without header. Implements RFC 5322 and RFC 2045 to 2049,
//! RFC 2392 for content ids, RFC 3676 by way of `flowed`.

use crate::content::email::address::Address;
use crate::content::email::header;
use crate::content::email::header::ContentType;
use crate::content::email::mail::Disposition;
use crate::content::email::mail::Envelope;
use crate::content::email::mail::Importance;
use crate::content::email::mail::Mail;
use crate::content::email::mail::Part;
use crate::content::email::mime::Entity;
use crate::content::email::transfer;

impl Mail {
    /// Reads the bytes that OX gives with `src=1&save=1`, or that a device sent.
    pub fn from_source(source: &[u8], envelope: Envelope) -> Self {
        let root = Entity::parse(source);
        let field = |name| root.field(source, name).unwrap_or_default();
        let addresses = |name| all_addresses(&root, source, name);
        let mut parts = Parts {
            source,
            found: Vec::new(),
            alternatives: 0,
        };
        parts.read(&root, None);
        Self {
            from: addresses("from"),
            sender: addresses("sender").into_iter().next(),
            to: addresses("to"),
            cc: addresses("cc"),
            bcc: addresses("bcc"),
            reply_to: addresses("reply-to"),
            subject: header::text(field("subject")),
            sent: header::date(field("date")),
            importance: importance(|name| header::text(field(name))),
            message_id: header::ids(field("message-id")).into_iter().next(),
            references: references(field("references"), field("in-reply-to")),
            thread_index: thread_index(field("thread-index")),
            content_type: Some(root.content_type.clone()),
            parts: parts.found,
            source: Some(source.to_vec()),
            envelope,
        }
    }
}

/// The addresses of all fields of a name: some senders write one To a recipient.
pub(super) fn all_addresses(root: &Entity, source: &[u8], name: &str) -> Vec<Address> {
    let fields = root.fields.iter().filter(|field| field.name == name);
    fields
        .filter_map(|field| source.get(field.body.clone()))
        .flat_map(header::addresses)
        .collect()
}

/// X-Priority, else Importance, else Priority.
pub(super) fn importance(field: impl Fn(&'static str) -> String) -> Importance {
    let priority = field("x-priority");
    if let Some(level) = priority.chars().next().and_then(|digit| digit.to_digit(10)) {
        return Importance::from_priority(level.into());
    }
    let word = [field("importance"), field("priority")].concat().to_ascii_lowercase();
    match word.as_str() {
        "high" | "urgent" => Importance::High,
        "low" | "non-urgent" => Importance::Low,
        _ => Importance::Normal,
    }
}

/// References, and In-Reply-To where that adds something.
pub(super) fn references(references: &[u8], in_reply_to: &[u8]) -> Vec<String> {
    let mut ids = header::ids(references);
    for id in header::ids(in_reply_to) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

pub(super) fn thread_index(field: &[u8]) -> Option<Vec<u8>> {
    Some(transfer::decode_base64(field)).filter(|index| index.len() >= 22)
}

struct Parts<'a> {
    source: &'a [u8],
    found: Vec<Part>,
    alternatives: usize,
}

impl Parts<'_> {
    fn read(&mut self, entity: &Entity, alternative: Option<usize>) {
        if entity.is_leaf() || entity.content_type.is_message() {
            self.found.push(self.part(entity, alternative));
            return;
        }
        let alternative = alternative.or_else(|| {
            let new = entity.content_type.is("multipart/alternative");
            self.alternatives += usize::from(new);
            new.then_some(self.alternatives)
        });
        for child in &entity.children {
            self.read(child, alternative);
        }
    }

    fn part(&self, entity: &Entity, alternative: Option<usize>) -> Part {
        let field = |name| entity.field(self.source, name);
        let raw = self.source.get(entity.body.clone()).unwrap_or_default();
        let body = transfer::decode(&entity.encoding(self.source), raw);
        let disposition = field("content-disposition").and_then(ContentType::parse);
        let file_name = disposition
            .as_ref()
            .and_then(|disposition| disposition.parameter("filename"))
            .or_else(|| entity.content_type.parameter("name"));
        // A multipart without parts is a broken mail: its text is all there is.
        let content_type = match entity.content_type.is_multipart() {
            true => ContentType::new("text/plain"),
            false => entity.content_type.clone(),
        };
        let textual = content_type.kind.starts_with("text/") || content_type.is("message/delivery-status");
        let text = textual.then(|| transfer::decode_charset(&body, content_type.parameter("charset")));
        let attached = disposition
            .as_ref()
            .is_some_and(|disposition| disposition.is("attachment"));
        let nested_subject = entity.children.first().filter(|_| entity.content_type.is_message());
        let nested_subject = nested_subject
            .and_then(|message| message.field(self.source, "subject"))
            .map(header::text);
        Part {
            id: match entity.id.as_str() {
                "" => "1".to_owned(),
                id => id.to_owned(),
            },
            disposition: if attached {
                Disposition::Attachment
            } else {
                Disposition::Inline
            },
            file_name: file_name
                .map(str::to_owned)
                .or(nested_subject)
                .filter(|name| !name.is_empty()),
            content_id: field("content-id").and_then(|body| header::ids(body).into_iter().next()),
            location: field("content-location")
                .map(header::text)
                .filter(|text| !text.is_empty()),
            size: u64::try_from(body.len()).ok(),
            content_type,
            text,
            alternative,
        }
    }
}
