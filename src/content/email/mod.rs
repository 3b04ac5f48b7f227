//! Mail: what OX gives as JSON or as source, as ApplicationData; what devices change of it; and what they send.
//!
//! `json` and `source` read a mail into the one form in `mail`; `to_eas` shows that form, with the help of `bodies`,
//! `attachment`, `class`, `thread` and `meeting_request`. Below the readers lie `mime` (structure), `header` (fields), `transfer` (encodings)
//! and `flowed` (paragraphs). `flag` is the way back for received mail, `send` the way out for new mail; `compose` puts the
//! original into a reply, and `draft` makes messages of what is not sent yet. Nothing here talks to OX. Implements [MS-ASEMAIL] and the mail side of [MS-ASAIRS] and [MS-ASCMD].

use crate::content::BodyOptions;
use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::date;
use crate::content::email::bodies::Texts;
use crate::content::email::mail::flags;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::email;
use crate::wbxml::codepage::email2;

mod address;
mod attachment;
mod bodies;
mod class;
mod compose;
mod draft;
mod flag;
mod flowed;
mod global_id;
mod header;
mod json;
pub mod mail;
mod meeting_request;
mod mime;
mod notice;
pub mod old_query;
pub mod query;
mod send;
mod seven_bit;
mod source;
mod stub;
mod thread;
mod transfer;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tags;

pub use address::Address;
pub use attachment::AttachmentId;
pub use attachment::file_reference;
pub use attachment::parse_file_reference;
pub use compose::Verb;
pub use compose::compose;
pub use compose::threaded;
pub use draft::Current;
pub use draft::Draft;
pub use draft::answer as answer_to_draft;
pub use draft::draft;
pub use draft::edits_draft;
pub use draft::stored;
pub use flag::FlagChange;
pub use flag::FlagChanges;
pub use flag::flag_changes;
pub use flag::to_ox;
pub use mail::Envelope;
pub use mail::Importance;
pub use mail::Mail;
pub use notice::notice;
pub use send::Refused;
pub use send::digest;
pub use send::message_id;
pub use send::message_id_field;
pub use send::message_id_of;
pub use send::outgoing;
pub use send::outgoing_draft;
pub use stub::stub;
pub use thread::conversation_id;

/// The text was converted to UTF-8, whatever it was.
const UTF_8: &str = "65001";

/// Mail without any sender: a missing From makes some devices hide the mail. Nobody can have this address.
const NO_SENDER: &str = "unknown@unknown.invalid";

/// What has to be asked of OX before a mail can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// `mail?action=get&view=raw&unseen=true`, many in one call.
    Json,
    /// `mail?action=get&src=1&save=1&unseen=true`, one by one.
    Source,
}

/// What to fetch of all mails of a collection.
pub fn need(options: &BodyOptions) -> Need {
    match bodies::wants_mime(options, false) {
        true => Need::Source,
        false => Need::Json,
    }
}

/// Whether a mail that came as JSON has to be fetched again as source: it is S/MIME, and the device wants to decrypt or
/// verify it.
pub fn wants_source(mail: &Mail, options: &BodyOptions) -> bool {
    mail.source.is_none() && bodies::wants_mime(options, class::is_secure(mail))
}

/// The properties of a mail, in the documented order. The encoder leaves out what the version does not have.
pub fn to_eas(mail: &Mail, context: &Context<'_>) -> Result<Vec<Element>, Unconvertible> {
    let texts = Texts::of(mail);
    let mut properties = addresses(mail);
    properties.extend(optional(email::SUBJECT, Some(mail.subject.clone())));
    let received = mail.envelope.received.or(mail.sent).map(date::hyphenated);
    properties.extend(optional(email::DATE_RECEIVED, received.clone()));
    properties.extend(optional(email::DISPLAY_TO, address::display(&mail.to)));
    properties.extend(optional(email::THREAD_TOPIC, Some(thread::topic(mail).to_owned())));
    properties.push(Element::number(email::IMPORTANCE, mail.importance as u8));
    properties.push(flag::read(mail.envelope.flags));
    properties.extend(attachment::elements(mail, &texts, context));
    properties.extend(bodies::elements(mail, &texts, context));
    let message_class = class::message_class(mail);
    properties.extend([
        Element::text(email::MESSAGE_CLASS, message_class),
        Element::text(email::INTERNET_CPID, UTF_8),
        flag::flag(mail.envelope.flags),
        Element::text(email::CONTENT_CLASS, class::content_class(message_class)),
        Element::number(airsyncbase::NATIVE_BODY_TYPE, texts.native() as u8),
        // OX has no categories for mail; without the element some devices wait for them.
        Element::empty(email::CATEGORIES),
        Element::opaque(email2::CONVERSATION_ID, conversation_id(mail)),
        Element::opaque(email2::CONVERSATION_INDEX, thread::conversation_index(mail)),
    ]);
    properties.extend(meeting_request::element(mail, context));
    properties.extend(last_verb(mail, received));
    if mail.has(flags::DRAFT) {
        properties.push(Element::flag(email2::IS_DRAFT, true));
    }
    Ok(properties)
}

/// To, Cc, Bcc, From, Sender, ReplyTo.
fn addresses(mail: &Mail) -> Vec<Element> {
    let from = mail.from.first().or(mail.sender.as_ref());
    let sender = mail.sender.as_ref().filter(|sender| {
        let own = from.map(|from| from.address.as_str()).unwrap_or_default();
        !sender.address.eq_ignore_ascii_case(own)
    });
    // Others never see a Bcc; the author of a draft does.
    let bcc = address::list(&mail.bcc).filter(|_| mail.has(flags::DRAFT));
    let rows = [
        (email::TO, address::list(&mail.to)),
        (email::CC, address::list(&mail.cc)),
        (email2::BCC, bcc),
        (
            email::FROM,
            Some(from.map_or_else(|| NO_SENDER.to_owned(), Address::to_string)),
        ),
        (email2::SENDER, sender.map(Address::to_string)),
        (email::REPLY_TO, address::reply_to(&mail.reply_to)),
    ];
    rows.into_iter().filter_map(|(tag, text)| optional(tag, text)).collect()
}

/// A property that is left out without text.
fn optional(tag: Tag, text: Option<String>) -> Option<Element> {
    text.filter(|text| !text.is_empty())
        .map(|text| Element::text(tag, text))
}

/// LastVerbExecuted and its time. OX does not know when a mail was answered, so the time is that of the mail itself: it
/// must not change from one Sync to the next.
fn last_verb(mail: &Mail, time: Option<String>) -> Vec<Element> {
    let verb = match (mail.has(flags::ANSWERED), mail.has(flags::FORWARDED)) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => return Vec::new(),
    };
    let time = optional(email2::LAST_VERB_EXECUTION_TIME, time);
    let verb = Element::number(email2::LAST_VERB_EXECUTED, verb);
    std::iter::once(verb).chain(time).collect()
}
