//! What Autodiscover answers, as text.
//!
//! Pure. The document of an answer has one namespace outside and another inside, and one of a refusal only the outer one:
//! Windows Phone insists on it. Implements [MS-ASCMD] Autodiscover, the response, and the JSON of the second version.

use quick_xml::escape::escape;
use serde_json::json;

use super::request::Refusal;

const OUTER: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
const INNER: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";

/// Whom a device is told about.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// Left out if empty.
    pub name: String,
    /// The primary address; the device uses it from then on.
    pub address: String,
}

/// Where a user is served.
pub fn settings(user: &User, url: &str) -> String {
    let name = match user.name.is_empty() {
        true => String::new(),
        false => format!("<DisplayName>{}</DisplayName>", text(&user.name)),
    };
    let (address, url) = (text(&user.address), text(url));
    format!(
        "{DECLARATION}<Autodiscover xmlns=\"{OUTER}\"><Response xmlns=\"{INNER}\"><Culture>en:us</Culture>\
         <User>{name}<EMailAddress>{address}</EMailAddress></User>\
         <Action><Settings><Server><Type>MobileSync</Type><Url>{url}</Url><Name>{url}</Name></Server></Settings></Action>\
         </Response></Autodiscover>"
    )
}

/// Why there is nothing. `time` is the time of day as `hh:mm:ss.fffffff`, and `id` tells one refusal from another.
pub fn refusal(refusal: Refusal, time: &str, id: u32) -> String {
    let (code, time) = (refusal.code(), text(time));
    format!(
        "{DECLARATION}<Autodiscover xmlns=\"{OUTER}\"><Response><Error Time=\"{time}\" Id=\"{id}\">\
         <ErrorCode>{code}</ErrorCode><Message>{refusal}</Message><DebugData/></Error></Response></Autodiscover>"
    )
}

/// Where a protocol is served, in JSON.
pub fn json_settings(protocol: &str, url: &str) -> String {
    json!({ "Protocol": protocol, "Url": url }).to_string()
}

/// Why there is nothing, in JSON.
pub fn json_refusal(code: &str, message: &str) -> String {
    json!({ "ErrorCode": code, "ErrorMessage": message }).to_string()
}

/// Text without what XML does not have, and with references for what would be taken for markup.
fn text(text: &str) -> String {
    let is_character =
        |c: &char| !matches!(c, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}');
    let text: String = text.chars().filter(is_character).collect();
    escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_user_is_served() {
        let user = User {
            name: "Berg & <Söhne>\u{7}".to_owned(),
            address: "o'neil@example.com".to_owned(),
        };
        let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
            <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\
            <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006\">\
            <Culture>en:us</Culture>\
            <User><DisplayName>Berg &amp; &lt;Söhne&gt;</DisplayName><EMailAddress>o&apos;neil@example.com</EMailAddress></User>\
            <Action><Settings><Server><Type>MobileSync</Type>\
            <Url>https://mail.example/Microsoft-Server-ActiveSync</Url>\
            <Name>https://mail.example/Microsoft-Server-ActiveSync</Name></Server></Settings></Action>\
            </Response></Autodiscover>";
        assert_eq!(
            settings(&user, "https://mail.example/Microsoft-Server-ActiveSync"),
            expected
        );
        let nameless = User {
            name: String::new(),
            ..user
        };
        assert!(!settings(&nameless, "https://mail.example/").contains("DisplayName"));
    }

    #[test]
    fn why_there_is_nothing() {
        let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
            <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\
            <Response><Error Time=\"10:00:00.0000000\" Id=\"7\"><ErrorCode>601</ErrorCode>\
            <Message>Provider is not available</Message><DebugData/></Error></Response></Autodiscover>";
        assert_eq!(refusal(Refusal::NoProvider, "10:00:00.0000000", 7), expected);
    }

    #[test]
    fn json() {
        assert_eq!(
            json_settings("ActiveSync", "https://mail.example/"),
            "{\"Protocol\":\"ActiveSync\",\"Url\":\"https://mail.example/\"}"
        );
        assert_eq!(
            json_refusal("ProtocolNotSupported", "No."),
            "{\"ErrorCode\":\"ProtocolNotSupported\",\"ErrorMessage\":\"No.\"}"
        );
    }
}
