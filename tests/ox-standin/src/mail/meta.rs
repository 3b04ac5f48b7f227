//! What lists and searches need of a mail, parsed once: addresses, subject, dates, whether files are attached.

use mail_parser::Address;
use mail_parser::HeaderName;
use mail_parser::HeaderValue;
use mail_parser::Message;
use mail_parser::MessageParser;
use mail_parser::MimeHeaders;
use mail_parser::PartType;
use serde_json::Value;
use serde_json::json;

/// Parsed headers and structure of a mail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meta {
    pub(crate) subject: Option<String>,
    pub(crate) from: Vec<Mailbox>,
    pub(crate) to: Vec<Mailbox>,
    pub(crate) cc: Vec<Mailbox>,
    pub(crate) bcc: Vec<Mailbox>,
    pub(crate) reply_to: Vec<Mailbox>,
    /// Where to send a receipt.
    pub(crate) notify: Vec<Mailbox>,
    /// The Date header in UTC ms.
    pub(crate) sent: Option<i64>,
    pub(crate) priority: u32,
    pub(crate) message_id: Option<String>,
    pub(crate) content_type: String,
    pub(crate) has_attachment: bool,
    /// Header names and values as text, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// Text of all text parts, for searches.
    pub(crate) text: String,
}

/// A name, if any, and an address.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mailbox {
    pub(crate) name: Option<String>,
    pub(crate) address: String,
}

impl Mailbox {
    /// `[personal or null, address]`.
    pub(crate) fn to_json(&self) -> Value {
        json!([self.name, self.address])
    }
}

impl Meta {
    pub(crate) fn of(raw: &[u8]) -> Self {
        let Some(message) = MessageParser::default().parse(raw) else {
            return Self {
                content_type: "text/plain".to_owned(),
                ..Self::default()
            };
        };
        let headers = message
            .headers_raw()
            .map(|(name, value)| (name.to_owned(), unfold(value)))
            .collect();
        Self {
            subject: message.subject().map(str::to_owned),
            from: mailboxes(message.from()),
            to: all_mailboxes(&message, HeaderName::To),
            cc: all_mailboxes(&message, HeaderName::Cc),
            bcc: all_mailboxes(&message, HeaderName::Bcc),
            reply_to: mailboxes(message.reply_to()),
            notify: notify(&message),
            sent: message.date().map(|date| date.to_timestamp() * 1000),
            priority: priority(&message),
            message_id: message.message_id().map(|id| format!("<{id}>")),
            content_type: content_type(&message.parts.first().map_or_else(String::new, part_type)),
            has_attachment: has_attachment(&message),
            headers,
            text: text_of(&message),
        }
    }

    /// The value of a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All recipients.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// `type/subtype` of a part in lower case; what says nothing is plain text.
pub(crate) fn part_type(part: &mail_parser::MessagePart) -> String {
    match part.content_type() {
        Some(found) => {
            let subtype = found.subtype().unwrap_or("plain");
            format!("{}/{subtype}", found.ctype()).to_ascii_lowercase()
        }
        None if matches!(part.body, PartType::Message(_)) => "message/rfc822".to_owned(),
        None => "text/plain".to_owned(),
    }
}

fn content_type(found: &str) -> String {
    if found.is_empty() {
        "text/plain".to_owned()
    } else {
        found.to_owned()
    }
}

fn mailboxes(address: Option<&Address>) -> Vec<Mailbox> {
    let Some(address) = address else { return Vec::new() };
    let known = address.iter().map(|entry| Mailbox {
        name: entry.name().map(str::to_owned),
        address: entry.address().unwrap_or("").to_owned(),
    });
    known
        .filter(|entry| !entry.address.is_empty() || entry.name.is_some())
        .collect()
}

/// Addresses of all headers of that name; some senders repeat them.
fn all_mailboxes(message: &Message, name: HeaderName<'static>) -> Vec<Mailbox> {
    message
        .header_values(name)
        .flat_map(|value| mailboxes(value.as_address()))
        .collect()
}

/// The receipt's addressees. The parser does not know the header, so its text is parsed as that of a To header.
fn notify(message: &Message) -> Vec<Mailbox> {
    let Some(text) = message.header_raw("Disposition-Notification-To") else {
        return Vec::new();
    };
    let header = format!("To: {}\r\n\r\n", text.trim());
    MessageParser::default()
        .parse(header.as_bytes())
        .map(|parsed| mailboxes(parsed.to()))
        .unwrap_or_default()
}

/// X-Priority or Importance as 1 (highest) to 5.
fn priority(message: &Message) -> u32 {
    let digit = message
        .header_raw("X-Priority")
        .and_then(|text| text.trim().chars().next()?.to_digit(10));
    let importance = || match message.header_raw("Importance")?.trim().to_ascii_lowercase().as_str() {
        "high" => Some(1),
        "low" => Some(5),
        _ => Some(3),
    };
    digit
        .filter(|digit| (1..=5).contains(digit))
        .or_else(importance)
        .unwrap_or(3)
}

fn has_attachment(message: &Message) -> bool {
    message.parts.iter().any(|part| {
        let disposed = part
            .content_disposition()
            .is_some_and(|disposition| disposition.is_attachment());
        let named = part.attachment_name().is_some() && part.content_id().is_none();
        let nested = matches!(part.body, PartType::Message(_));
        disposed || named || nested
    })
}

fn text_of(message: &Message) -> String {
    let texts = message.parts.iter().filter_map(|part| match &part.body {
        PartType::Text(text) => Some(text.to_string()),
        PartType::Html(html) => Some(crate::mail::html::to_text(html)),
        _ => None,
    });
    texts.collect::<Vec<String>>().join("\n")
}

/// A header value on one line.
fn unfold(value: &str) -> String {
    value.trim().replace("\r\n", "").replace('\n', "").replace('\t', " ")
}

/// Any header value as text.
pub(crate) fn header_text(value: &HeaderValue) -> Option<String> {
    match value {
        HeaderValue::Text(text) => Some(text.to_string()),
        HeaderValue::TextList(list) => Some(list.join(" ")),
        HeaderValue::DateTime(date) => Some(date.to_rfc822()),
        _ => None,
    }
}
