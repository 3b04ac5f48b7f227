//! What a device asks of Autodiscover.
//!
//! Pure, and tolerant: elements are found by their names, whatever their namespaces; what a device leaves out is what the
//! credentials say. A document type is skipped and its entities are not known, so that nothing can be made to grow.
//! Implements [MS-ASCMD] Autodiscover, the request.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::BytesRef;
use quick_xml::events::Event;

/// What the answer is to be made of: ours is the only schema we know.
const MOBILE_SYNC: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";

/// Elements are not nested deeper than a few.
const DEEPEST: usize = 16;

/// The longest address, of which there are shorter ones only.
const LONGEST_ADDRESS: usize = 320;

/// A request that we can answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What the user gave as his address; `None` if the device did not send one.
    pub address: Option<String>,
}

/// Why there is no answer, as the codes of the framework say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Invalid Request")]
    InvalidRequest,
    /// Outlook asks so, and goes on with other means.
    #[error("Provider is not available")]
    NoProvider,
}

impl Refusal {
    /// The ErrorCode.
    pub const fn code(self) -> u16 {
        match self {
            Self::InvalidRequest => 600,
            Self::NoProvider => 601,
        }
    }
}

/// Reads a body. An empty one asks for mobilesync: old Android sends nothing but credentials.
pub fn parse(body: &[u8]) -> Result<Request, Refusal> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    if text.trim().is_empty() {
        return Ok(Request::default());
    }
    let found = Found::read(&text).ok_or(Refusal::InvalidRequest)?;
    if found.requests != 1 || found.addresses.len() > 1 {
        return Err(Refusal::InvalidRequest);
    }
    let is_ours = |schema: &String| schema.trim() == MOBILE_SYNC;
    if !found.schemas.is_empty() && !found.schemas.iter().any(is_ours) {
        return Err(Refusal::NoProvider);
    }
    let address = found.addresses.into_iter().next();
    let address = address.map(|address| address.trim().to_owned());
    Ok(Request {
        address: address.filter(|address| is_address(address)),
    })
}

/// Whether a text can be a mail address at all.
fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    text.len() <= LONGEST_ADDRESS && text.contains('@') && !text.contains(odd)
}

/// The parts of the document that matter.
#[derive(Default)]
struct Found {
    requests: usize,
    addresses: Vec<String>,
    schemas: Vec<String>,
}

impl Found {
    /// `None` if this is no document of Autodiscover.
    fn read(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut found = Self::default();
        let mut path: Vec<String> = Vec::new();
        let mut is_complete = false;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if path.len() < DEEPEST && !is_complete => {
                    path.push(start.local_name().as_ref().to_owned());
                    found.open(&path)?;
                }
                Event::Start(_) => return None,
                Event::End(_) => {
                    path.pop()?;
                    is_complete = path.is_empty();
                }
                Event::Text(text) => found.text(&path, &text),
                Event::CData(text) => found.text(&path, &text),
                Event::GeneralRef(reference) => found.text(&path, &resolve(&reference)?),
                Event::Eof => return is_complete.then_some(found),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn open(&mut self, path: &[String]) -> Option<()> {
        match names(path).as_slice() {
            ["Autodiscover"] => {}
            // Any other root.
            [_] => return None,
            ["Autodiscover", "Request"] => self.requests += 1,
            ["Autodiscover", "Request", "EMailAddress"] => self.addresses.push(String::new()),
            ["Autodiscover", "Request", "AcceptableResponseSchema"] => self.schemas.push(String::new()),
            _ => {}
        }
        Some(())
    }

    fn text(&mut self, path: &[String], text: &str) {
        let list = match names(path).as_slice() {
            ["Autodiscover", "Request", "EMailAddress"] => &mut self.addresses,
            ["Autodiscover", "Request", "AcceptableResponseSchema"] => &mut self.schemas,
            _ => return,
        };
        if let Some(last) = list.last_mut() {
            last.push_str(text);
        }
    }
}

fn names(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// A character by its number, or one of the five entities that XML itself has.
fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.into());
    }
    resolve_xml_entity(reference).map(Into::into)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: &str = "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/mobilesync/\
        responseschema/2006</AcceptableResponseSchema>";
    const OUTLOOK: &str = "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/\
        responseschema/2006a</AcceptableResponseSchema>";
    const ANTON: &str = "<EMailAddress>anton@example.com</EMailAddress>";

    fn request(inside: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover \
             xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006\">\n\
             <Request>{inside}</Request></Autodiscover>\n"
        )
    }

    #[test]
    fn requests() {
        let of = |address: &str| {
            let address = Some(address.to_owned());
            Ok(Request { address })
        };
        let nobody = || Ok(Request::default());
        let (invalid, no_provider) = (Err(Refusal::InvalidRequest), Err(Refusal::NoProvider));
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        // body, what it asks
        let cases = [
            (request(&format!("{ANTON}{OURS}")), of("anton@example.com")),
            (request(&format!("{OURS}\n{ANTON}")), of("anton@example.com")),
            (
                format!("\u{feff}{}", request(&format!("{ANTON}{OURS}"))),
                of("anton@example.com"),
            ),
            (
                request(&format!(
                    "<EMailAddress> o&apos;neil&#64;example.com\n</EMailAddress>{OURS}"
                )),
                of("o'neil@example.com"),
            ),
            (
                request(&format!("<EMailAddress><![CDATA[a@b]]></EMailAddress>{OURS}")),
                of("a@b"),
            ),
            // Left out by old Android, or all of it.
            (request(ANTON), of("anton@example.com")),
            (request(OURS), nobody()),
            (request(""), nobody()),
            (String::new(), nobody()),
            ("\r\n".to_owned(), nobody()),
            // No address.
            (request(&format!("<EMailAddress>anton</EMailAddress>{OURS}")), nobody()),
            (request(&format!("<EMailAddress/>{OURS}")), nobody()),
            (
                request(&format!("<EMailAddress>{}@b</EMailAddress>{OURS}", "a".repeat(400))),
                nobody(),
            ),
            // Outlook, alone or with us.
            (request(&format!("{ANTON}{OUTLOOK}")), no_provider.clone()),
            (request(&format!("{ANTON}{OUTLOOK}{OURS}")), of("anton@example.com")),
            // More than one of what there is one of.
            (request(&format!("{ANTON}{ANTON}{OURS}")), invalid.clone()),
            (
                format!("<Autodiscover><Request>{ANTON}</Request><Request>{ANTON}</Request></Autodiscover>"),
                invalid.clone(),
            ),
            // None of ours.
            ("<Autodiscover/>".to_owned(), invalid.clone()),
            ("<Request/>".to_owned(), invalid.clone()),
            ("hello".to_owned(), invalid.clone()),
            ("<Autodiscover><Request>".to_owned(), invalid.clone()),
            ("<Autodiscover><Request></Autodiscover>".to_owned(), invalid.clone()),
            (format!("{}{}", request(ANTON), request(ANTON)), invalid.clone()),
            (request(&deep), invalid.clone()),
            // Entities of one's own are not known, and so cannot grow, nor read files.
            (
                format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", request(ANTON)),
                of("anton@example.com"),
            ),
            (
                "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>".to_owned()
                    + &request("<EMailAddress>&b;</EMailAddress>"),
                invalid.clone(),
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(parse(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(parse(b"\xFF\xFE<\0A\0"), invalid);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_text_is_survived(inside in "[<>&;/!\\[\\]A-Za-z@ \"'=?-]{0,80}") {
            let _ = parse(request(&inside).as_bytes());
        }
    }
}
