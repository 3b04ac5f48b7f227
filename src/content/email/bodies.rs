//! The body of a mail: which texts it has, and which form of them a device gets.
//!
//! The elements themselves are made by `content::body`. Implements [MS-ASAIRS] BodyPreference, Body, BodyPart, Preview,
//! NativeBodyType; [MS-ASCMD] MIMESupport; and MIMEData of 2.5.

use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::content::Context;
use crate::content::body;
use crate::content::body::LegacyBody;
use crate::content::email::class;
use crate::content::email::flowed;
use crate::content::email::mail::Mail;
use crate::content::email::mail::Part;
use crate::content::email::seven_bit::seven_bit;
use crate::content::html;
use crate::content::text;
use crate::version::ProtocolVersion;
use crate::wbxml::Element;
use crate::wbxml::codepage;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::email;

const TEXT: LegacyBody = LegacyBody {
    body: email::BODY,
    size: Some(email::BODY_SIZE),
    truncated: email::BODY_TRUNCATED,
};

const MIME: LegacyBody = LegacyBody {
    body: email::MIME_DATA,
    size: Some(email::MIME_SIZE),
    truncated: email::MIME_TRUNCATED,
};

/// Whether the device wants this mail as MIME. It says so by MIMESupport, and by listing Type 4 where it lists types
/// at all. Without MIMESupport, a device that lists nothing but Type 4 gets it: nothing else would be of use to it.
pub(super) fn wants_mime(options: &BodyOptions, secure: bool) -> bool {
    let mut kinds = options
        .preferences
        .iter()
        .map(|preference| preference.kind == BodyType::Mime);
    let (listed, only) = (kinds.clone().any(|mime| mime), kinds.all(|mime| mime));
    let only = listed && only;
    let listed = listed || options.preferences.is_empty();
    match options.mime_support {
        0 => only,
        1 => only || (listed && secure),
        _ => listed,
    }
}

/// Whether the body of this mail is sent as MIME.
pub(super) fn is_mime(mail: &Mail, options: &BodyOptions) -> bool {
    mail.source.is_some() && wants_mime(options, class::is_secure(mail))
}

/// Body and BodyPart. There is always one of them: devices take a mail without a body for one to be fetched.
pub(super) fn elements(mail: &Mail, texts: &Texts<'_>, context: &Context<'_>) -> Vec<Element> {
    let has_parts = codepage::token(airsyncbase::BODY_PART).is_some_and(|it| it.versions.contains(context.version));
    let part = context.bodies.part.as_ref().filter(|_| has_parts);
    // [MS-ASAIRS] BodyPartPreference: "only one given: only that one; both: both".
    let mut elements = match part {
        Some(_) if context.bodies.preferences.is_empty() => Vec::new(),
        _ => body_elements(mail, texts, context),
    };
    elements.extend(part.map(|part| with_preview(body::part(&texts.html(), part), texts, Some(part))));
    elements
}

fn body_elements(mail: &Mail, texts: &Texts<'_>, context: &Context<'_>) -> Vec<Element> {
    let options = context.bodies;
    let legacy = is_legacy(context.version);
    if let Some(source) = mail.source.as_deref().filter(|_| is_mime(mail, options)) {
        let message = seven_bit(source);
        if legacy {
            return body::legacy(&message, options.mime_truncation, MIME);
        }
        let preference = preference(options, BodyType::Mime);
        return vec![with_preview(
            body::body(BodyType::Mime, &message, preference),
            texts,
            preference,
        )];
    }
    if legacy {
        return body::legacy(&texts.plain(), options.truncation, TEXT);
    }
    let (kind, data, preference) = choose(texts, options);
    let body = body::body(kind, &data, preference);
    // [MS-ASAIRS] Preview: of no use beside the plain text itself.
    let shown = kind == BodyType::Plain && body.child(airsyncbase::DATA).is_some();
    match shown {
        true => vec![body],
        false => vec![with_preview(body, texts, preference)],
    }
}

/// Whether the version has its own body tags, as 2.5 does.
fn is_legacy(version: ProtocolVersion) -> bool {
    codepage::token(email::BODY).is_some_and(|token| token.versions.contains(version))
}

fn preference(options: &BodyOptions, kind: BodyType) -> Option<&BodyPreference> {
    options.preferences.iter().find(|preference| preference.kind == kind)
}

/// The native form if the device lists it, else the first one listed that can be made. One that does not fit and
/// may not be cut gives way to the next; if none fits, the first one is sent without data.
fn choose<'a>(texts: &Texts<'_>, options: &'a BodyOptions) -> (BodyType, String, Option<&'a BodyPreference>) {
    let native = texts.native();
    let listed = options.preferences.iter();
    let mut candidates: Vec<&BodyPreference> = listed
        .filter(|preference| matches!(preference.kind, BodyType::Plain | BodyType::Html))
        .collect();
    candidates.sort_by_key(|preference| preference.kind != native);
    let mut first = None;
    for candidate in candidates {
        let data = texts.as_type(candidate.kind);
        let limit = candidate.truncation_size.filter(|_| candidate.all_or_none);
        let fits = limit.is_none_or(|limit| u64::try_from(data.len()).is_ok_and(|size| size <= limit));
        let choice = (candidate.kind, data, Some(candidate));
        if fits {
            return choice;
        }
        first.get_or_insert(choice);
    }
    // Nothing listed that we have: plain text is what every device can show, as long as the device allows.
    first.unwrap_or_else(|| (BodyType::Plain, texts.plain(), options.preferences.first()))
}

/// Adds the preview that was asked for, if there is text to preview.
fn with_preview(mut body: Element, texts: &Texts<'_>, preference: Option<&BodyPreference>) -> Element {
    if let Some(characters) = preference.and_then(|preference| preference.preview) {
        let preview = text::preview(&texts.plain(), usize::from(characters));
        if !preview.is_empty() {
            body.push(Element::text(airsyncbase::PREVIEW, preview));
        }
    }
    body
}

/// The texts of a mail in order: each once, in the forms that the mail has.
#[derive(Debug)]
pub(super) struct Texts<'a> {
    segments: Vec<Segment<'a>>,
    /// Shown if there is no other text: what a bare invitation says.
    description: String,
}

/// Parts that are forms of one text.
#[derive(Debug, Default)]
struct Segment<'a> {
    alternative: Option<usize>,
    plain: Vec<&'a Part>,
    html: Vec<&'a Part>,
}

impl<'a> Texts<'a> {
    pub(super) fn of(mail: &'a Mail) -> Self {
        let mut segments: Vec<Segment<'a>> = Vec::new();
        for part in mail.parts.iter().filter(|part| part.is_body()) {
            let segment = segments.last_mut();
            let same = segment.filter(|segment| part.alternative.is_some() && segment.alternative == part.alternative);
            let mut new = Segment {
                alternative: part.alternative,
                ..Segment::default()
            };
            let known = same.is_some();
            let segment = same.unwrap_or(&mut new);
            match part.is_html() {
                true => segment.html.push(part),
                false => segment.plain.push(part),
            }
            if !known {
                segments.push(new);
            }
        }
        let calendar = mail.part(&["text/calendar"]).and_then(|part| part.text.as_deref());
        Self {
            segments,
            description: calendar.map(class::description).unwrap_or_default(),
        }
    }

    /// [MS-ASAIRS] NativeBodyType: HTML if any of it is HTML.
    pub(super) fn native(&self) -> BodyType {
        match self.segments.iter().any(Segment::has_html) {
            true => BodyType::Html,
            false => BodyType::Plain,
        }
    }

    fn as_type(&self, kind: BodyType) -> String {
        match kind {
            BodyType::Html => self.html(),
            _ => self.plain(),
        }
    }

    /// Everything as plain text.
    pub(super) fn plain(&self) -> String {
        let texts = self.segments.iter().map(Segment::plain);
        let texts: Vec<String> = texts.filter(|text| !text.trim().is_empty()).collect();
        match texts.is_empty() {
            true => body::crlf(&self.description),
            false => body::crlf(&texts.join("\n")),
        }
    }

    /// Everything as HTML; empty if there is no text at all.
    pub(super) fn html(&self) -> String {
        let documents = self.segments.iter().map(Segment::html);
        let documents = documents.filter(|document| !document.trim().is_empty());
        let html = documents
            .reduce(|first, next| append(&first, &next))
            .unwrap_or_default();
        match html.is_empty() && !self.description.is_empty() {
            true => body::crlf(&html::from_text(&self.description)),
            false => body::crlf(&html),
        }
    }

    /// Content ids that the HTML shows.
    pub(super) fn content_ids(&self) -> Vec<&'a str> {
        let parts = self.segments.iter().flat_map(|segment| &segment.html);
        let texts = parts.filter_map(|part| part.text.as_deref());
        texts
            .flat_map(|html| html.split("cid:").skip(1))
            .filter_map(|rest| rest.split(['"', '\'', '<', '>', ')', ' ', '\r', '\n']).next())
            .filter(|id| !id.is_empty())
            .collect()
    }
}

impl Segment<'_> {
    fn has_html(&self) -> bool {
        !is_blank(&self.html)
    }

    /// The plain text; if the mail has only a pretence of one, the text of the HTML.
    fn plain(&self) -> String {
        if !is_blank(&self.plain) || self.html.is_empty() {
            return join(&self.plain, unflowed);
        }
        let plain = join(&self.html, |part| {
            html::to_text(part.text.as_deref().unwrap_or_default())
        });
        match plain.trim().is_empty() && self.has_html() {
            // Not nothing: the mail shows something.
            true => "[...]".to_owned(),
            false => plain,
        }
    }

    fn html(&self) -> String {
        match self.has_html() {
            true => join(&self.html, |part| part.text.clone().unwrap_or_default()),
            false if is_blank(&self.plain) => String::new(),
            false => html::from_text(&join(&self.plain, unflowed)),
        }
    }
}

fn is_blank(parts: &[&Part]) -> bool {
    parts
        .iter()
        .all(|part| part.text.as_deref().unwrap_or_default().trim().is_empty())
}

fn join(parts: &[&Part], text: impl Fn(&Part) -> String) -> String {
    let texts: Vec<String> = parts.iter().map(|part| text(part)).collect();
    texts.join("\n")
}

/// The text of a part, in paragraphs if it is flowed.
pub(super) fn unflowed(part: &Part) -> String {
    let content = part.text.as_deref().unwrap_or_default();
    let parameter = |name, value: &str| {
        let own = part.content_type.parameter(name);
        own.is_some_and(|own| own.eq_ignore_ascii_case(value))
    };
    match parameter("format", "flowed") {
        true => flowed::join(content, parameter("delsp", "yes")),
        false => content.to_owned(),
    }
}

/// Puts a document before the end of another one's body.
pub(super) fn append(first: &str, next: &str) -> String {
    let lower = first.to_ascii_lowercase();
    let end = lower.rfind("</body").unwrap_or(first.len());
    let (body, rest) = first.split_at(end);
    [body, "<br>", next, rest].concat()
}
