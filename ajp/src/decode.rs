//! Bytes to packets: pure functions, no state, no I/O.
//!
//! Two steps. [`packet`] finds the borders of the next packet in whatever has arrived: a payload and the rest,
//! [`DecodeError::Incomplete`], or [`DecodeError::Malformed`]. [`to_container`], [`data`] and [`to_web_server`] then
//! read one whole payload, where nothing can be incomplete any more: a field that runs over its packet is malformed,
//! whatever may lie behind it in the buffer. Nothing is allocated because a length says so.
//!
//! Implements "Apache JServ Protocol version 1.3" (AJPv13, Apache Tomcat Connectors), "Basic Packet Structure",
//! "Request Packet Structure" and "Response Packet Structure". It is stricter where the description leaves room for
//! two readings.

use bytes::Buf;
use bytes::Bytes;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::Version;
use http::header;
use http::uri::PathAndQuery;
use nom::IResult;
use nom::Parser;
use nom::bytes::complete::take;
use nom::bytes::streaming;
use nom::error::ErrorKind;
use nom::error::ParseError;
use nom::multi::length_data;
use nom::number::complete::be_u8;
use nom::number::complete::be_u16;
use nom::sequence::preceded;
use nom::sequence::terminated;

use crate::codes;
use crate::codes::Table;
use crate::codes::attribute;
use crate::codes::message;
use crate::packet::Attributes;
use crate::packet::ForwardRequest;
use crate::packet::Peer;
use crate::packet::STRING_ATTRIBUTES;
use crate::packet::Secret;
use crate::packet::ToContainer;
use crate::packet::ToWebServer;

/// Why there is no packet at the start of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// What is there is the beginning of a packet; read on.
    #[error("the packet has not arrived completely")]
    Incomplete,
    /// No continuation can make it a packet.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// What is wrong with a packet. The peer is at fault in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The packet does not begin with the two bytes of its direction.
    #[error("wrong magic")]
    Magic,
    /// A field runs over the end of its packet.
    #[error("a field runs over the end of the packet")]
    Overrun,
    /// More bytes in a packet than its fields account for.
    #[error("the packet is longer than its fields")]
    Excess,
    /// A message type that does not exist in this direction.
    #[error("message type {0} has no meaning here")]
    MessageType(u8),
    /// A method code without a method.
    #[error("method code {0} is unknown")]
    MethodCode(u8),
    /// The method is announced as stored, but missing or not a token.
    #[error("the stored method is missing or not a token")]
    StoredMethod,
    /// The protocol is no version of HTTP.
    #[error("the protocol is no version of HTTP")]
    Protocol,
    /// The path or the query is none.
    #[error("the request has no valid path and query")]
    Target,
    /// A header code without a header.
    #[error("header code {0:#06x} is unknown")]
    HeaderCode(u16),
    /// A header name that is not a token.
    #[error("a header name is not a token")]
    HeaderName,
    /// A header value with control bytes.
    #[error("a header value has control bytes")]
    HeaderValue,
    /// An attribute code whose value has no known shape, so that nothing behind it can be read.
    #[error("attribute code {0:#04x} is unknown")]
    AttributeCode(u8),
    /// A Content-Length that is not plain decimal digits within 63 bits.
    #[error("the Content-Length is not a number")]
    ContentLength,
    /// A Transfer-Encoding other than `chunked`.
    #[error("the Transfer-Encoding is not chunked")]
    TransferEncoding,
    /// Several headers that each decide the length of the body.
    #[error("more than one header gives the length of the body")]
    AmbiguousLength,
    /// A status outside 100..=999.
    #[error("the status is not one")]
    Status,
}

/// Finds the first packet of one direction: its payload, and what follows it.
pub fn packet(magic: [u8; 2], input: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let length = nom::number::streaming::be_u16;
    let mut whole = preceded(streaming::tag(&magic[..]), length_data(length));
    let parsed: IResult<&[u8], &[u8], ()> = whole.parse(input);
    match parsed {
        Ok((rest, payload)) => Ok((payload, rest)),
        Err(nom::Err::Incomplete(_)) => Err(DecodeError::Incomplete),
        Err(_) => Err(DecodeError::Malformed(Malformed::Magic)),
    }
}

/// Reads the payload of a packet from the web server that is not DATA.
pub fn to_container(payload: &[u8]) -> Result<ToContainer, Malformed> {
    let (rest, code) = finish(be_u8(payload))?;
    match code {
        message::FORWARD_REQUEST => {
            let (_, request) = finish(forward_request(rest))?;
            Ok(ToContainer::ForwardRequest(Box::new(request)))
        }
        message::SHUTDOWN => Ok(ToContainer::Shutdown),
        message::PING => Ok(ToContainer::Ping),
        message::CPING => Ok(ToContainer::CPing),
        other => Err(Malformed::MessageType(other)),
    }
}

/// Reads the payload of a DATA packet: the body bytes, none at the end of the body.
///
/// The end comes in two forms: as a length of zero, and as a packet with nothing at all.
pub fn data(mut payload: Bytes) -> Result<Bytes, Malformed> {
    if payload.is_empty() {
        return Ok(payload);
    }
    let length = usize::from(payload.try_get_u16().map_err(|_| Malformed::Overrun)?);
    match length.cmp(&payload.len()) {
        std::cmp::Ordering::Less => Err(Malformed::Excess),
        std::cmp::Ordering::Equal => Ok(payload),
        std::cmp::Ordering::Greater => Err(Malformed::Overrun),
    }
}

/// Reads the payload of a packet from the container, as a web server would.
pub fn to_web_server(payload: &[u8]) -> Result<ToWebServer, Malformed> {
    let (rest, code) = finish(be_u8(payload))?;
    let (rest, packet) = match code {
        message::SEND_BODY_CHUNK => {
            let (rest, chunk) = finish(terminated(length_data(be_u16), take(1_usize)).parse(rest))?;
            (rest, ToWebServer::SendBodyChunk(Bytes::copy_from_slice(chunk)))
        }
        message::SEND_HEADERS => finish(send_headers(rest))?,
        message::END_RESPONSE => {
            let (rest, reuse) = finish(be_u8(rest))?;
            (rest, ToWebServer::EndResponse { reuse: reuse != 0 })
        }
        message::GET_BODY_CHUNK => {
            let (rest, wanted) = finish(be_u16(rest))?;
            (rest, ToWebServer::GetBodyChunk(wanted))
        }
        message::CPONG => (rest, ToWebServer::CPong),
        other => return Err(Malformed::MessageType(other)),
    };
    if rest.is_empty() {
        Ok(packet)
    } else {
        Err(Malformed::Excess)
    }
}

fn forward_request(input: &[u8]) -> IResult<&[u8], ForwardRequest, Malformed> {
    let (input, method) = be_u8(input)?;
    let (input, version) = string(input)?;
    let (input, path) = string(input)?;
    let (input, remote_addr) = text(input)?;
    let (input, remote_host) = text(input)?;
    let (input, server_name) = text(input)?;
    let (input, server_port) = be_u16(input)?;
    let (input, is_ssl) = be_u8(input)?;
    let (input, headers) = headers(&codes::REQUEST_HEADERS, input)?;
    let (input, tail) = tail(input)?;
    let peer = Peer {
        remote_addr: remote_addr.unwrap_or_default(),
        remote_port: tail.remote_port,
        remote_host,
        server_name: server_name.unwrap_or_default(),
        server_port,
        is_ssl: is_ssl != 0,
        attributes: tail.attributes,
    };
    let request = ForwardRequest {
        // The stored method comes late, so the method is known only now.
        method: self::method(method, tail.stored_method).map_err(nom::Err::Failure)?,
        version: self::version(version).map_err(nom::Err::Failure)?,
        target: target(path, tail.query).map_err(nom::Err::Failure)?,
        peer,
        headers,
        secrets: tail.secrets,
    };
    Ok((input, request))
}

fn send_headers(input: &[u8]) -> IResult<&[u8], ToWebServer, Malformed> {
    let (input, status) = be_u16(input)?;
    let status = StatusCode::from_u16(status).map_err(|_| nom::Err::Failure(Malformed::Status))?;
    let (input, reason) = text(input)?;
    let (input, headers) = headers(&codes::RESPONSE_HEADERS, input)?;
    Ok((
        input,
        ToWebServer::SendHeaders {
            status,
            reason,
            headers,
        },
    ))
}

/// What follows the headers of a FORWARD_REQUEST.
#[derive(Default)]
struct Tail<'a> {
    attributes: Attributes,
    remote_port: Option<u16>,
    query: Option<&'a [u8]>,
    stored_method: Option<&'a [u8]>,
    secrets: Vec<Secret>,
}

/// Reads attributes up to the end mark. Bytes behind the mark are ignored; they are never another packet.
fn tail(mut input: &[u8]) -> IResult<&[u8], Tail<'_>, Malformed> {
    let mut tail = Tail::default();
    loop {
        let (rest, code) = be_u8(input)?;
        if code == attribute::END {
            return Ok((rest, tail));
        }
        input = one_attribute(code, rest, &mut tail)?;
    }
}

/// Reads the value of one attribute and returns what follows it.
fn one_attribute<'a>(code: u8, input: &'a [u8], tail: &mut Tail<'a>) -> Result<&'a [u8], nom::Err<Malformed>> {
    if let Some(row) = STRING_ATTRIBUTES.iter().find(|row| row.code == code) {
        let (rest, value) = text(input)?;
        *(row.field_mut)(&mut tail.attributes) = value;
        return Ok(rest);
    }
    match code {
        attribute::QUERY_STRING => {
            let (rest, query) = string(input)?;
            tail.query = query;
            Ok(rest)
        }
        attribute::REQ_ATTRIBUTE => {
            let (rest, name) = text(input)?;
            let (rest, value) = text(rest)?;
            named_attribute(name.unwrap_or_default(), value.unwrap_or_default(), tail);
            Ok(rest)
        }
        attribute::SSL_KEY_SIZE => {
            let (rest, bits) = be_u16(input)?;
            tail.attributes.ssl_key_size = Some(bits);
            Ok(rest)
        }
        attribute::SECRET => {
            let (rest, secret) = string(input)?;
            tail.secrets.push(Secret::from_wire(secret));
            Ok(rest)
        }
        attribute::STORED_METHOD => {
            let (rest, method) = string(input)?;
            tail.stored_method = method;
            Ok(rest)
        }
        other => Err(nom::Err::Failure(Malformed::AttributeCode(other))),
    }
}

fn named_attribute(name: String, value: String, tail: &mut Tail<'_>) {
    match value.parse() {
        Ok(port) if name == codes::REMOTE_PORT => tail.remote_port = Some(port),
        _ => tail.attributes.named.push((name, value)),
    }
}

fn method(code: u8, stored: Option<&[u8]>) -> Result<Method, Malformed> {
    if code == codes::STORED_METHOD {
        return Method::from_bytes(stored.unwrap_or_default()).map_err(|_| Malformed::StoredMethod);
    }
    let name = codes::METHODS.name(code).ok_or(Malformed::MethodCode(code))?;
    Method::from_bytes(name.as_bytes()).map_err(|_| Malformed::MethodCode(code))
}

fn version(protocol: Option<&[u8]>) -> Result<Version, Malformed> {
    let name = protocol.and_then(|name| std::str::from_utf8(name).ok());
    name.and_then(|name| codes::VERSIONS.code(name))
        .ok_or(Malformed::Protocol)
}

/// Joins path and query. The path begins with a slash, except for `OPTIONS *`.
fn target(path: Option<&[u8]>, query: Option<&[u8]>) -> Result<PathAndQuery, Malformed> {
    let path = path.unwrap_or_default();
    if !path.starts_with(b"/") && path != b"*" {
        return Err(Malformed::Target);
    }
    let mut target = escaped(path, b'?')?;
    if let Some(query) = query {
        target.push('?');
        target.push_str(&escaped(query, b'#')?);
    }
    PathAndQuery::try_from(target).map_err(|_| Malformed::Target)
}

/// Percent-encodes what the `http` crate does not take in a path or query but clients send all the same, and the byte
/// that would end this part. Blanks and control bytes are refused.
fn escaped(part: &[u8], end: u8) -> Result<String, Malformed> {
    let mut escaped = String::with_capacity(part.len());
    for &byte in part {
        match byte {
            0..=b' ' | 0x7F => return Err(Malformed::Target),
            b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'}' | 0x80.. => {
                escaped.push_str(&format!("%{byte:02X}"));
            }
            _ if byte == end => escaped.push_str(&format!("%{byte:02X}")),
            _ => escaped.push(char::from(byte)),
        }
    }
    Ok(escaped)
}

/// A number of headers, then their names and values. The number is the peer's claim, so nothing is reserved for it.
fn headers<'a>(coded: &Table<u16>, input: &'a [u8]) -> IResult<&'a [u8], Vec<(HeaderName, HeaderValue)>, Malformed> {
    let (mut input, count) = be_u16(input)?;
    let mut headers = Vec::new();
    for _ in 0..count {
        let (rest, name) = header_name(coded, input)?;
        let (rest, value) = header_value(&name, rest)?;
        headers.push((name, value));
        input = rest;
    }
    Ok((input, headers))
}

/// A code if the first byte says so, else a string, whose length then is below 0xA000.
fn header_name<'a>(coded: &Table<u16>, input: &'a [u8]) -> IResult<&'a [u8], HeaderName, Malformed> {
    let (rest, code) = be_u16(input)?;
    let (rest, name) = if code.to_be_bytes().first() == Some(&codes::CODED_HEADER) {
        let name = coded.name(code).ok_or(nom::Err::Failure(Malformed::HeaderCode(code)))?;
        (rest, name.as_bytes())
    } else {
        let (rest, name) = string(input)?;
        (rest, name.unwrap_or_default())
    };
    let name = HeaderName::from_bytes(name).map_err(|_| nom::Err::Failure(Malformed::HeaderName))?;
    Ok((rest, name))
}

fn header_value<'a>(name: &HeaderName, input: &'a [u8]) -> IResult<&'a [u8], HeaderValue, Malformed> {
    let (rest, value) = string(input)?;
    let value = HeaderValue::from_bytes(value.unwrap_or_default());
    let mut value = value.map_err(|_| nom::Err::Failure(Malformed::HeaderValue))?;
    // Credentials do not show in anybody's debug output.
    value.set_sensitive([header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE].contains(name));
    Ok((rest, value))
}

/// A string: a length, so many bytes, one byte of terminator. The null string is `None`.
fn string(input: &[u8]) -> IResult<&[u8], Option<&[u8]>, Malformed> {
    let (input, length) = be_u16(input)?;
    if length == codes::NULL_STRING {
        return Ok((input, None));
    }
    terminated(take(length), take(1_usize)).map(Some).parse(input)
}

/// A string as text.
fn text(input: &[u8]) -> IResult<&[u8], Option<String>, Malformed> {
    let (rest, bytes) = string(input)?;
    Ok((rest, bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())))
}

/// The parsers of payloads only ever miss bytes, so every error of nom's own means that a field overran.
impl ParseError<&[u8]> for Malformed {
    fn from_error_kind(_: &[u8], _: ErrorKind) -> Self {
        Self::Overrun
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

fn finish<I, O>(parsed: IResult<I, O, Malformed>) -> Result<(I, O), Malformed> {
    parsed.map_err(|error| match error {
        nom::Err::Error(malformed) | nom::Err::Failure(malformed) => malformed,
        nom::Err::Incomplete(_) => Malformed::Overrun,
    })
}
