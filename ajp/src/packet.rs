//! The packets of AJP13 as values: what a decoder returns and an encoder takes.
//!
//! A value of these types is well-formed: the method exists, the path is a path, header names are tokens. What they
//! do not say is whether a packet is *allowed* at this moment; that is the business of [`crate::connection`].
//!
//! Implements the packets of "Apache JServ Protocol version 1.3" (AJPv13, Apache Tomcat Connectors), and for
//! [`BodyLength`] the rules of RFC 9112, "Message Body Length", in their strictest reading.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::Version;
use http::header;
use http::uri::PathAndQuery;
use subtle::ConstantTimeEq;

use crate::codes::attribute;
use crate::decode::Malformed;

/// A packet from the web server that begins with a message type. DATA has none and is told apart by the state of the
/// connection alone.
#[derive(Debug, Clone, PartialEq)]
pub enum ToContainer {
    /// A request.
    ForwardRequest(Box<ForwardRequest>),
    /// The order to shut down, which nobody should obey.
    Shutdown,
    /// The login ping of AJP14, which was never used.
    Ping,
    /// Are you there? Answered by [`ToWebServer::CPong`].
    CPing,
}

/// A packet to the web server.
#[derive(Debug, Clone, PartialEq)]
pub enum ToWebServer {
    /// Status and headers, exactly once for each request.
    SendHeaders {
        /// The status.
        status: StatusCode,
        /// The reason phrase; `None` lets the web server choose.
        reason: Option<String>,
        /// Headers in order.
        headers: Vec<(HeaderName, HeaderValue)>,
    },
    /// A part of the body; empty means flush.
    SendBodyChunk(Bytes),
    /// The response is complete.
    EndResponse {
        /// Whether the connection may carry another request.
        reuse: bool,
    },
    /// The next DATA packet is wanted, with at most this many bytes.
    GetBodyChunk(u16),
    /// The answer to [`ToContainer::CPing`].
    CPong,
}

/// A request without its body.
#[derive(Debug, Clone, PartialEq)]
pub struct ForwardRequest {
    /// The method, whether it came as a code or by name.
    pub method: Method,
    /// The version the *client* spoke.
    pub version: Version,
    /// Path and query. Apache has normalised the path; the query is as the client sent it.
    pub target: PathAndQuery,
    /// Who asks, and through which door.
    pub peer: Peer,
    /// Headers in the client's order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Every secret attribute of the packet.
    pub secrets: Vec<Secret>,
}

impl ForwardRequest {
    /// A request over HTTP/1.1 with neither headers nor attributes, from an unnamed peer.
    pub fn new(method: Method, target: PathAndQuery) -> Self {
        Self {
            method,
            version: Version::HTTP_11,
            target,
            peer: Peer::default(),
            headers: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// The same with one more header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with a secret.
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(Secret::new(secret));
        self
    }

    /// Whether the packet carries the expected secret: at least one, and all of them equal to it.
    pub fn knows(&self, expected: &Secret) -> bool {
        !self.secrets.is_empty() && self.secrets.iter().all(|secret| secret.matches(expected))
    }

    /// The request as the `http` crate has it, with the [`Peer`] among its extensions.
    pub fn into_http<B>(self, body: B) -> http::Request<B> {
        let mut request = http::Request::new(body);
        *request.method_mut() = self.method;
        *request.version_mut() = self.version;
        *request.uri_mut() = self.target.into();
        // More than 32768 headers cannot be held, and cannot fit into a packet with their lengths either.
        for (name, value) in self.headers {
            if request.headers_mut().try_append(name, value).is_err() {
                break;
            }
        }
        request.extensions_mut().insert(self.peer);
        request
    }
}

/// Who asks, and through which door: what AJP13 tells beside the HTTP request. It rides in the request's extensions.
///
/// All of it is the web server's word and as trustworthy as the web server. Texts are bytes of no stated character
/// set; what is not UTF-8 arrives with replacement characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    /// The client's address in text form, after mod_remoteip where that is in use.
    pub remote_addr: String,
    /// The client's TCP port, if the web server tells it (Apache does).
    pub remote_port: Option<u16>,
    /// The client's host name; Apache sends it only with `HostnameLookups on`.
    pub remote_host: Option<String>,
    /// The host part of the Host header, or the configured ServerName.
    pub server_name: String,
    /// The port of the web server's socket, which need not be the one in the Host header.
    pub server_port: u16,
    /// Whether the client came over TLS.
    pub is_ssl: bool,
    /// Everything else.
    pub attributes: Attributes,
}

impl Peer {
    /// The client's address, if its text form is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.remote_addr.parse().ok()
    }
}

/// The optional attributes of a request. None of them should steer which file or handler is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Servlet context; never sent by Apache.
    pub context: Option<String>,
    /// Servlet path; never sent by Apache.
    pub servlet_path: Option<String>,
    /// The user whom the web server itself authenticated. Believe it only if the site says so.
    pub remote_user: Option<String>,
    /// How the web server authenticated that user, such as "Basic".
    pub auth_type: Option<String>,
    /// The route that the balancer found in the session cookie.
    pub jvm_route: Option<String>,
    /// The client's certificate (the leaf only), PEM.
    pub ssl_cert: Option<String>,
    /// Name of the TLS cipher suite.
    pub ssl_cipher: Option<String>,
    /// TLS session id in hexadecimal.
    pub ssl_session: Option<String>,
    /// Bits of the cipher's key.
    pub ssl_key_size: Option<u16>,
    /// Named attributes in order, such as `AJP_SSL_PROTOCOL`, `AJP_LOCAL_ADDR`, or what `SetEnv AJP_...` adds.
    pub named: Vec<(String, String)>,
}

impl Attributes {
    /// The value of the first named attribute with this name.
    pub fn named(&self, name: &str) -> Option<&str> {
        self.named.iter().find(|row| row.0 == name).map(|row| row.1.as_str())
    }
}

/// An attribute that is one string: its code and its field in [`Attributes`], for reading and for writing.
pub(crate) struct StringAttribute {
    pub(crate) code: u8,
    pub(crate) field: fn(&Attributes) -> &Option<String>,
    pub(crate) field_mut: fn(&mut Attributes) -> &mut Option<String>,
}

macro_rules! string_attributes {
    ($($code:ident $field:ident,)*) => {
        [$(StringAttribute { code: attribute::$code, field: |all| &all.$field, field_mut: |all| &mut all.$field },)*]
    };
}

/// In the order in which mod_proxy_ajp writes them. QUERY_STRING, SECRET and STORED_METHOD belong to other fields of
/// [`ForwardRequest`] and are not among them.
pub(crate) static STRING_ATTRIBUTES: [StringAttribute; 8] = string_attributes![
    CONTEXT context,
    SERVLET_PATH servlet_path,
    REMOTE_USER remote_user,
    AUTH_TYPE auth_type,
    JVM_ROUTE jvm_route,
    SSL_CERT ssl_cert,
    SSL_CIPHER ssl_cipher,
    SSL_SESSION ssl_session,
];

/// The secret shared by web server and container. It is compared in constant time and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Option<Bytes>);

impl Secret {
    /// A secret with this text.
    pub fn new(text: &str) -> Self {
        Self(Some(Bytes::copy_from_slice(text.as_bytes())))
    }

    /// The secret as it stood in the packet; `None` is the null string, which matches nothing.
    pub(crate) fn from_wire(bytes: Option<&[u8]>) -> Self {
        Self(bytes.map(Bytes::copy_from_slice))
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }

    /// Compares the whole value in a time that depends on its length only.
    pub fn matches(&self, expected: &Self) -> bool {
        match (&self.0, &expected.0) {
            (Some(given), Some(expected)) => given.ct_eq(expected).into(),
            _ => false,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// How much body follows a FORWARD_REQUEST, decided by its headers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// No body. The web server sends no DATA packet.
    Empty,
    /// So many bytes, at least one. The web server sends the first DATA packet unasked.
    Known(u64),
    /// A body of unknown length. Even its first part must be asked for.
    Chunked,
}

impl BodyLength {
    /// Reads the headers, and refuses what two readers could understand in two ways.
    pub fn of(headers: &[(HeaderName, HeaderValue)]) -> Result<Self, Malformed> {
        let mut lengths = headers.iter().filter(|row| row.0 == header::CONTENT_LENGTH);
        let mut codings = headers.iter().filter(|row| row.0 == header::TRANSFER_ENCODING);
        match (lengths.next(), codings.next()) {
            _ if lengths.next().is_some() || codings.next().is_some() => Err(Malformed::AmbiguousLength),
            (Some(_), Some(_)) => Err(Malformed::AmbiguousLength),
            (Some((_, length)), None) => content_length(length.as_bytes()),
            (None, Some((_, coding))) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(Self::Chunked),
            (None, Some(_)) => Err(Malformed::TransferEncoding),
            (None, None) => Ok(Self::Empty),
        }
    }
}

/// Plain decimal digits within 63 bits; no sign, no blank.
fn content_length(text: &[u8]) -> Result<BodyLength, Malformed> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(Malformed::ContentLength);
    }
    let number = std::str::from_utf8(text)
        .ok()
        .and_then(|digits| digits.parse::<i64>().ok());
    match number.and_then(|number| u64::try_from(number).ok()) {
        Some(0) => Ok(BodyLength::Empty),
        Some(length) => Ok(BodyLength::Known(length)),
        None => Err(Malformed::ContentLength),
    }
}

/// The size of the largest packet, as both ends must have configured it alike; it is not negotiated.
///
/// Apache's is `iobuffersize` of the worker, or `ProxyIOBufferSize`: 8192 bytes unless changed, at most 65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketSize(usize);

impl PacketSize {
    /// Apache's default, and the least that it accepts.
    pub const MIN: usize = 8192;
    /// The most that Apache accepts.
    pub const MAX: usize = 65536;

    /// A size in bytes, brought into the range that Apache accepts.
    pub fn new(bytes: usize) -> Self {
        Self(bytes.clamp(Self::MIN, Self::MAX))
    }

    /// The most bytes after the four of the packet's head.
    pub fn max_payload(self) -> usize {
        self.0.saturating_sub(4)
    }

    /// The most body bytes in a DATA packet: less packet head and length.
    pub fn max_data(self) -> usize {
        self.0.saturating_sub(6)
    }

    /// The most body bytes in a SEND_BODY_CHUNK: less packet head, type, length and final zero.
    pub fn max_chunk(self) -> usize {
        self.0.saturating_sub(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers from a text with one on each line.
    fn headers(lines: &str) -> Vec<(HeaderName, HeaderValue)> {
        let row = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.parse().unwrap(), value.parse().unwrap())
        };
        lines.lines().map(row).collect()
    }

    #[test]
    fn body_length_follows_from_the_headers() {
        let cases = [
            ("", Ok(BodyLength::Empty)),
            ("host: h", Ok(BodyLength::Empty)),
            ("content-length: 0", Ok(BodyLength::Empty)),
            ("Content-Length: 5", Ok(BodyLength::Known(5))),
            // Leading zeros are digits.
            ("content-length: 005", Ok(BodyLength::Known(5))),
            // 63 bits are allowed, 64 are not.
            (
                "content-length: 9223372036854775807",
                Ok(BodyLength::Known(i64::MAX as u64)),
            ),
            ("content-length: 9223372036854775808", Err(Malformed::ContentLength)),
            ("content-length: +5", Err(Malformed::ContentLength)),
            ("content-length: -5", Err(Malformed::ContentLength)),
            ("content-length: 5 ", Err(Malformed::ContentLength)),
            ("content-length: 0x5", Err(Malformed::ContentLength)),
            ("content-length: 5, 5", Err(Malformed::ContentLength)),
            ("content-length: ", Err(Malformed::ContentLength)),
            // Twice, even if equal, and in any spelling.
            ("content-length: 5\nContent-Length: 5", Err(Malformed::AmbiguousLength)),
            (
                "content-length: 5\ntransfer-encoding: chunked",
                Err(Malformed::AmbiguousLength),
            ),
            (
                "content-length: 0\ntransfer-encoding: chunked",
                Err(Malformed::AmbiguousLength),
            ),
            (
                "transfer-encoding: chunked\ntransfer-encoding: chunked",
                Err(Malformed::AmbiguousLength),
            ),
            ("transfer-encoding: chunked", Ok(BodyLength::Chunked)),
            ("Transfer-Encoding: CHUNKED", Ok(BodyLength::Chunked)),
            ("transfer-encoding: gzip, chunked", Err(Malformed::TransferEncoding)),
            ("transfer-encoding: chunked, chunked", Err(Malformed::TransferEncoding)),
            ("transfer-encoding: identity", Err(Malformed::TransferEncoding)),
            ("transfer-encoding:  chunked", Err(Malformed::TransferEncoding)),
        ];
        for (lines, expected) in cases {
            assert_eq!(BodyLength::of(&headers(lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn every_secret_in_the_packet_must_match_and_one_must_be_there() {
        let expected = Secret::new("s3cret");
        let request = || ForwardRequest::new(Method::GET, PathAndQuery::from_static("/"));
        let with_null = ForwardRequest {
            secrets: vec![Secret::from_wire(None)],
            ..request()
        };
        let cases = [
            (request(), false),
            (request().secret("s3cret"), true),
            (request().secret("s3cret").secret("s3cret"), true),
            (request().secret("s3cret").secret("other"), false),
            (request().secret("s3cre"), false),
            (request().secret("s3cret "), false),
            (request().secret(""), false),
            (with_null, false),
        ];
        for (request, known) in cases {
            assert_eq!(request.knows(&expected), known, "{:?}", request.secrets.len());
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("s3cret")), "Secret(..)");
    }

    #[test]
    fn sizes_count_the_whole_packet() {
        let size = PacketSize::new(8192);
        assert_eq!(
            (size.max_payload(), size.max_data(), size.max_chunk()),
            (8188, 8186, 8184)
        );
        assert_eq!(PacketSize::new(0), size);
        let size = PacketSize::new(1 << 20);
        assert_eq!(
            (size.max_payload(), size.max_data(), size.max_chunk()),
            (65532, 65530, 65528)
        );
    }
}
