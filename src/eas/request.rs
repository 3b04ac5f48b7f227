//! What a device asks for, read from the URI and the headers of its request.
//!
//! Pure. Both forms of the query: plain text and base64. Implements [MS-ASHTTP] "Request-URI" and "Request Headers";
//! where devices are known to differ from it, the reading is tolerant.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use crate::session::Credentials;
use crate::version::ProtocolVersion;

/// The longest DeviceId that is taken; the documents say 32, devices go beyond.
const LONGEST_DEVICE_ID: usize = 64;

/// A request of a device, apart from its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `Cmd`, or the name of the command's code; as the device wrote it.
    pub command: String,
    pub device_id: String,
    pub device_type: String,
    /// `None` on a request without `MS-ASProtocolVersion`.
    pub version: Option<ProtocolVersion>,
    /// `None` stands for "not provisioned", as does 0.
    pub policy_key: Option<u32>,
    pub user_agent: String,
    pub parameters: Parameters,
}

/// What single commands take from the URI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pub attachment_name: Option<String>,
    pub collection_id: Option<String>,
    pub item_id: Option<String>,
    pub long_id: Option<String>,
    pub occurrence: Option<String>,
    /// Keep a copy of what is sent.
    pub save_in_sent: bool,
    /// The answer may have several parts.
    pub accept_multipart: bool,
}

/// Why a request cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    #[error("the query names no command")]
    Command,
    #[error("the DeviceId is missing or not one")]
    DeviceId,
    #[error("the DeviceType is missing")]
    DeviceType,
    #[error("the protocol version is none of ours")]
    Version,
    /// ActiveSync 1.0, which came before all of ours.
    #[error("the protocol version is 1.0")]
    ObsoleteVersion,
    #[error("the base64 query is cut off or not one")]
    Query,
}

/// Reads query and headers. `command_name` gives the name of a command's code in the base64 form.
pub fn parse(
    query: &str,
    headers: &HeaderMap,
    command_name: impl Fn(u8) -> Option<&'static str>,
) -> Result<Request, BadRequest> {
    let mut request = match is_plain(query) {
        true => plain(query),
        false => encoded(query, command_name)?,
    };
    request.user_agent = text(headers, "user-agent").unwrap_or_default();
    if request.version.is_none() {
        request.version = match word(headers, "ms-asprotocolversion") {
            Some(version) if version == "1.0" => return Err(BadRequest::ObsoleteVersion),
            Some(version) => Some(ProtocolVersion::from_name(&version).ok_or(BadRequest::Version)?),
            None => None,
        };
    }
    if request.policy_key.is_none() {
        request.policy_key = word(headers, "x-ms-policykey").and_then(|key| key.trim_matches('"').parse().ok());
    }
    request.policy_key = request.policy_key.filter(|key| *key != 0);
    request.parameters.accept_multipart |=
        word(headers, "ms-asacceptmultipart").is_some_and(|flag| flag.eq_ignore_ascii_case("t"));
    if request.command.is_empty() {
        return Err(BadRequest::Command);
    }
    if !is_device_id(&request.device_id) {
        return Err(BadRequest::DeviceId);
    }
    if request.device_type.is_empty() {
        return Err(BadRequest::DeviceType);
    }
    Ok(request)
}

/// Basic credentials. Login and password are UTF-8, else Latin-1: Outlook sends that.
pub fn credentials(headers: &HeaderMap, login: impl Fn(&str, &str) -> String) -> Option<Credentials> {
    let value = word(headers, header::AUTHORIZATION.as_str())?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = LENIENT.decode(encoded.trim()).ok()?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
    };
    let (name, password) = text.split_once(':')?;
    let name = match name.split_once('\\') {
        Some(("", user)) => user.to_owned(),
        Some((domain, user)) => login(domain, user),
        None => name.to_owned(),
    };
    (!name.is_empty()).then(|| Credentials {
        login: name,
        password: SecretString::from(password.to_owned()),
    })
}

/// Base64 with or without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn is_plain(query: &str) -> bool {
    let names = query.split('&').filter_map(|pair| pair.split_once('='));
    names
        .into_iter()
        .any(|(name, value)| !value.is_empty() && is_parameter(name))
        || query.is_empty()
}

fn is_parameter(name: &str) -> bool {
    ["cmd", "user", "deviceid", "devicetype"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// `Cmd=Sync&User=...`; names in any letter case, a plus is a plus.
fn plain(query: &str) -> Request {
    let mut request = Request::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        let parameters = &mut request.parameters;
        match name.to_ascii_lowercase().as_str() {
            "cmd" => request.command = value,
            "deviceid" => request.device_id = value,
            "devicetype" => request.device_type = value,
            "attachmentname" => parameters.attachment_name = Some(value),
            "collectionid" => parameters.collection_id = Some(value),
            "itemid" => parameters.item_id = Some(value),
            "longid" => parameters.long_id = Some(value),
            "occurrence" => parameters.occurrence = Some(value),
            "saveinsent" => parameters.save_in_sent = value.eq_ignore_ascii_case("t"),
            _ => {}
        }
    }
    request
}

/// Version, command code, locale, DeviceId, policy key, DeviceType and parameters in one string of bytes.
fn encoded(query: &str, command_name: impl Fn(u8) -> Option<&'static str>) -> Result<Request, BadRequest> {
    let query = percent_decode_str(query).decode_utf8().map_err(|_| BadRequest::Query)?;
    let bytes = LENIENT.decode(query.trim()).map_err(|_| BadRequest::Query)?;
    let mut fields = Fields(&bytes);
    let version = ProtocolVersion::from_code(fields.byte()?).ok_or(BadRequest::Version)?;
    let command = command_name(fields.byte()?).ok_or(BadRequest::Command)?;
    let _locale = fields.bytes(2)?;
    let device_id = fields.counted()?;
    let policy_key = match fields.counted()? {
        [] => None,
        key => Some(u32::from_le_bytes(key.try_into().map_err(|_| BadRequest::Query)?)),
    };
    let device_type = fields.counted()?;
    let mut request = Request {
        command: command.to_owned(),
        device_id: device_id_text(device_id),
        device_type: String::from_utf8_lossy(device_type).into_owned(),
        version: Some(version),
        policy_key,
        ..Request::default()
    };
    while !fields.0.is_empty() {
        let tag = fields.byte()?;
        let value = fields.counted()?;
        parameter(&mut request.parameters, tag, value);
    }
    Ok(request)
}

/// Exchange-style devices send the 16 bytes of a GUID: shown as hexadecimal digits.
fn device_id_text(bytes: &[u8]) -> String {
    match bytes.iter().all(u8::is_ascii_graphic) {
        true => String::from_utf8_lossy(bytes).into_owned(),
        false => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
    }
}

/// [MS-ASHTTP] "Command Parameters". `Options` has a bit for each flag.
fn parameter(parameters: &mut Parameters, tag: u8, value: &[u8]) {
    let text = Some(String::from_utf8_lossy(value).into_owned());
    match tag {
        0 => parameters.attachment_name = text,
        1 => parameters.collection_id = text,
        3 => parameters.item_id = text,
        4 => parameters.long_id = text,
        6 => parameters.occurrence = text,
        7 => {
            let options = value.first().copied().unwrap_or_default();
            parameters.save_in_sent = options & 0x01 != 0;
            parameters.accept_multipart = options & 0x02 != 0;
        }
        _ => {}
    }
}

/// The rest of the bytes of a base64 query.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Result<u8, BadRequest> {
        let (byte, rest) = self.0.split_first().ok_or(BadRequest::Query)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], BadRequest> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(BadRequest::Query)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn counted(&mut self) -> Result<&'a [u8], BadRequest> {
        let count = self.byte()?;
        self.bytes(usize::from(count))
    }
}

fn is_device_id(id: &str) -> bool {
    (1..=LONGEST_DEVICE_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned())
}

/// A header that has one value. Of one that was sent twice the first counts, also where Apache has joined the lines with commas.
fn word(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = text(headers, name)?;
    Some(text.split(',').next().unwrap_or_default().trim().to_owned())
}

/// The base64 query of a request; for devices that we play.
pub fn encode_query(request: &Request, version: ProtocolVersion, command: u8) -> String {
    let mut bytes = vec![version.code(), command, 0x09, 0x04];
    let mut counted = |field: &[u8]| {
        bytes.push(field.len().min(255) as u8);
        bytes.extend_from_slice(field.split_at(field.len().min(255)).0);
    };
    counted(request.device_id.as_bytes());
    match request.policy_key {
        Some(key) => counted(&key.to_le_bytes()),
        None => counted(&[]),
    }
    counted(request.device_type.as_bytes());
    let parameters = &request.parameters;
    let options = u8::from(parameters.save_in_sent) | u8::from(parameters.accept_multipart) << 1;
    let texts = [
        (0, &parameters.attachment_name),
        (1, &parameters.collection_id),
        (3, &parameters.item_id),
        (4, &parameters.long_id),
        (6, &parameters.occurrence),
    ];
    for (tag, text) in texts {
        if let Some(text) = text {
            bytes.push(tag);
            bytes.push(text.len().min(255) as u8);
            bytes.extend_from_slice(text.as_bytes().split_at(text.len().min(255)).0);
        }
    }
    if options != 0 {
        bytes.extend_from_slice(&[7, 1, options]);
    }
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn names(code: u8) -> Option<&'static str> {
        [(0, "Sync"), (1, "SendMail"), (18, "Ping"), (19, "ItemOperations")]
            .into_iter()
            .find(|(known, _)| *known == code)
            .map(|(_, name)| name)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn plain_query() {
        let headers = headers(&[
            ("MS-ASProtocolVersion", "14.1"),
            ("X-MS-PolicyKey", "307199584"),
            ("User-Agent", "x/1"),
        ]);
        let query =
            "Cmd=SendMail&User=anton%40example.com&DeviceId=v140Device&DeviceType=SP&saveinsent=T&ItemId=7%3A1+2";
        let request = parse(query, &headers, names).unwrap();
        assert_eq!(request.command, "SendMail");
        assert_eq!(request.device_id, "v140Device");
        assert_eq!(request.device_type, "SP");
        assert_eq!(request.version, Some(ProtocolVersion::V14_1));
        assert_eq!(request.policy_key, Some(307_199_584));
        assert_eq!(request.user_agent, "x/1");
        assert!(request.parameters.save_in_sent);
        assert_eq!(request.parameters.item_id.as_deref(), Some("7:1+2"));
    }

    #[test]
    fn base64_query() {
        // The example of [MS-ASHTTP]: 14.0, Sync, en-US, id v140Device, no key, type SmartPhone.
        let query = "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l";
        for query in [query.to_owned(), format!("{query}%3D"), format!("{query}=")] {
            let request = parse(
                query.trim_end_matches("%3D").trim_end_matches('='),
                &HeaderMap::new(),
                names,
            )
            .unwrap();
            assert_eq!(request.command, "Sync");
            assert_eq!(request.device_id, "v140Device");
            assert_eq!(request.device_type, "SmartPhone");
            assert_eq!(request.version, Some(ProtocolVersion::V14_0));
            assert_eq!(request.policy_key, None);
        }
    }

    #[test]
    fn base64_query_with_key_parameters_and_guid() {
        let mut bytes = vec![161, 19, 7, 4, 16];
        bytes.extend_from_slice(&[0xAB; 16]);
        bytes.extend_from_slice(&[4, 0x20, 0x73, 0x4F, 0x12, 2, b'S', b'P', 7, 1, 3, 1, 2, b'1', b'2']);
        let request = parse(&STANDARD.encode(bytes), &HeaderMap::new(), names).unwrap();
        assert_eq!(request.command, "ItemOperations");
        assert_eq!(request.device_id, "AB".repeat(16));
        assert_eq!(request.policy_key, Some(0x124F_7320));
        assert!(request.parameters.save_in_sent && request.parameters.accept_multipart);
        assert_eq!(request.parameters.collection_id.as_deref(), Some("12"));
    }

    #[test]
    fn what_cannot_be_understood() {
        let version = headers(&[("ms-asprotocolversion", "14.1")]);
        // query, expected
        let cases = [
            ("Cmd=Sync&User=u&DeviceType=SP", BadRequest::DeviceId),
            ("Cmd=Sync&User=u&DeviceId=a,b&DeviceType=SP", BadRequest::DeviceId),
            ("Cmd=Sync&User=u&DeviceId=a", BadRequest::DeviceType),
            ("User=u&DeviceId=a&DeviceType=SP", BadRequest::Command),
            ("", BadRequest::Command),
            ("jAAJBAp2MTQw", BadRequest::Query),
            ("CgAJBAE", BadRequest::Version),
            ("!!!", BadRequest::Query),
        ];
        for (query, expected) in cases {
            assert_eq!(parse(query, &version, names), Err(expected), "{query}");
        }
        let unknown = headers(&[("ms-asprotocolversion", "17.0")]);
        let query = "Cmd=Sync&User=u&DeviceId=a&DeviceType=SP";
        assert_eq!(parse(query, &unknown, names), Err(BadRequest::Version));
    }

    #[test]
    fn basic_credentials() {
        let pattern = |domain: &str, user: &str| format!("{user}@{domain}");
        // bytes before base64, expected login and password
        let cases = [
            (&b"anton:secret"[..], Some(("anton", "secret"))),
            (b"anton:se:cret", Some(("anton", "se:cret"))),
            ("jörg:pässword".as_bytes(), Some(("jörg", "pässword"))),
            (b"j\xF6rg:p\xE4ss", Some(("jörg", "päss"))),
            (b"example.com\\anton:x", Some(("anton@example.com", "x"))),
            (b"\\anton:x", Some(("anton", "x"))),
            (b"anton", None),
        ];
        for (bytes, expected) in cases {
            let value = format!("Basic {}", STANDARD.encode(bytes));
            let found = credentials(&headers(&[("authorization", &value)]), pattern);
            let found = found
                .as_ref()
                .map(|found| (found.login.as_str(), found.password.expose_secret()));
            assert_eq!(found, expected);
        }
        assert!(credentials(&headers(&[("authorization", "Bearer x")]), pattern).is_none());
    }

    proptest! {
        #[test]
        fn any_query_is_survived(query in ".{0,80}") {
            let _ = parse(&query, &HeaderMap::new(), names);
        }

        #[test]
        fn encoded_queries_both_ways(id in "[A-Za-z0-9]{1,32}", key in any::<Option<u32>>(), item in "[0-9]{1,5}:[0-9]{1,5}") {
            let parameters = Parameters { item_id: Some(item), save_in_sent: true, ..Parameters::default() };
            let request = Request {
                command: "Sync".into(),
                device_id: id,
                device_type: "SP".into(),
                version: Some(ProtocolVersion::V16_1),
                policy_key: key.filter(|key| *key != 0),
                parameters,
                ..Request::default()
            };
            let query = encode_query(&request, ProtocolVersion::V16_1, 0);
            prop_assert_eq!(parse(&query, &HeaderMap::new(), names), Ok(request));
        }
    }
}
