//! Packets to bytes: every function appends whole packets to a buffer. No state, no I/O.
//!
//! What cannot be said in a packet, or would be misunderstood behind the web server, is refused here with an
//! [`EncodeError`], before a byte is written: a response that is too large, a status that is none, and headers that
//! belong to one hop are left out.
//!
//! Implements "Apache JServ Protocol version 1.3" (AJPv13, Apache Tomcat Connectors), "Response Packet Structure",
//! and for the client "Request Packet Structure".

use bytes::BufMut;
use bytes::BytesMut;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::StatusCode;
use http::header;

use crate::codes;
use crate::codes::Table;
use crate::codes::attribute;
use crate::codes::message;
use crate::packet::ForwardRequest;
use crate::packet::PacketSize;
use crate::packet::STRING_ATTRIBUTES;

/// Are you there?
pub const CPING: [u8; 5] = [0x12, 0x34, 0, 1, message::CPING];
/// I am.
pub const CPONG: [u8; 5] = [b'A', b'B', 0, 1, message::CPONG];
/// A chunk without bytes: the web server passes on what it has. Before SEND_HEADERS it does nothing except that the
/// web server's timeout begins anew.
pub const FLUSH: [u8; 8] = [b'A', b'B', 0, 4, message::SEND_BODY_CHUNK, 0, 0, 0];
/// The response is complete and the connection may carry the next request.
pub const END_RESPONSE_REUSE: [u8; 6] = [b'A', b'B', 0, 2, message::END_RESPONSE, 1];
/// The response is complete and the connection will be closed.
pub const END_RESPONSE_CLOSE: [u8; 6] = [b'A', b'B', 0, 2, message::END_RESPONSE, 0];

/// Why a packet cannot be written. The program that asked for it is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The headers do not fit into one packet.
    #[error("the headers do not fit into one packet")]
    TooLarge,
    /// A status outside 200..=599; Apache would pass on a 1xx as if it were final.
    #[error("{0} cannot be the status of a response")]
    Status(StatusCode),
}

/// SEND_HEADERS, without the headers that belong to one hop.
///
/// Header names are tokens and values have no control bytes by their types, so nothing can split the response.
pub fn send_headers(
    out: &mut BytesMut,
    status: StatusCode,
    headers: &HeaderMap,
    size: PacketSize,
) -> Result<(), EncodeError> {
    if !(200..=599).contains(&status.as_u16()) {
        return Err(EncodeError::Status(status));
    }
    let kept = end_to_end(headers);
    let mut payload = BytesMut::new();
    payload.put_u8(message::SEND_HEADERS);
    payload.put_u16(status.as_u16());
    put_string(&mut payload, status.canonical_reason().unwrap_or("Status").as_bytes())?;
    put_headers(&mut payload, &codes::RESPONSE_HEADERS, &kept)?;
    put_packet(out, codes::MAGIC_TO_WEB_SERVER, &payload, size)
}

/// SEND_BODY_CHUNK, as many as the size of a packet makes necessary; none for no bytes.
pub fn send_body_chunks(out: &mut BytesMut, body: &[u8], size: PacketSize) {
    for chunk in body.chunks(size.max_chunk()) {
        // Both lengths fit, since no packet is larger than 65536 bytes.
        out.put_slice(&codes::MAGIC_TO_WEB_SERVER);
        out.put_u16(length_of(chunk).saturating_add(4));
        out.put_u8(message::SEND_BODY_CHUNK);
        out.put_u16(length_of(chunk));
        out.put_slice(chunk);
        out.put_u8(0);
    }
}

/// END_RESPONSE.
pub fn end_response(out: &mut BytesMut, reuse: bool) {
    out.put_slice(if reuse {
        &END_RESPONSE_REUSE
    } else {
        &END_RESPONSE_CLOSE
    });
}

/// GET_BODY_CHUNK for the largest DATA packet. Apache ignores the number and sends what it has.
pub fn get_body_chunk(out: &mut BytesMut, size: PacketSize) {
    out.put_slice(&codes::MAGIC_TO_WEB_SERVER);
    out.put_u16(3);
    out.put_u8(message::GET_BODY_CHUNK);
    out.put_u16(u16::try_from(size.max_data()).unwrap_or(u16::MAX));
}

/// FORWARD_REQUEST, attributes in the order of mod_proxy_ajp.
pub fn forward_request(out: &mut BytesMut, request: &ForwardRequest, size: PacketSize) -> Result<(), EncodeError> {
    let method = codes::METHODS.code(request.method.as_str());
    let peer = &request.peer;
    let mut payload = BytesMut::new();
    payload.put_u8(message::FORWARD_REQUEST);
    payload.put_u8(method.unwrap_or(codes::STORED_METHOD));
    put_string(
        &mut payload,
        codes::VERSIONS.name(request.version).unwrap_or("HTTP/1.1").as_bytes(),
    )?;
    put_string(&mut payload, request.target.path().as_bytes())?;
    put_string(&mut payload, peer.remote_addr.as_bytes())?;
    put_optional(&mut payload, peer.remote_host.as_deref().map(str::as_bytes))?;
    put_string(&mut payload, peer.server_name.as_bytes())?;
    payload.put_u16(peer.server_port);
    payload.put_u8(peer.is_ssl.into());
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| (name, value)).collect();
    put_headers(&mut payload, &codes::REQUEST_HEADERS, &headers)?;
    put_attributes(&mut payload, request)?;
    if method.is_none() {
        payload.put_u8(attribute::STORED_METHOD);
        put_string(&mut payload, request.method.as_str().as_bytes())?;
    }
    put_named_attributes(&mut payload, request)?;
    payload.put_u8(attribute::END);
    put_packet(out, codes::MAGIC_TO_CONTAINER, &payload, size)
}

/// One DATA packet with the first of these bytes, as many as fit; returns how many that were. No bytes mean the end.
pub fn data(out: &mut BytesMut, body: &[u8], size: PacketSize) -> usize {
    let part = body.chunks(size.max_data()).next().unwrap_or_default();
    out.put_slice(&codes::MAGIC_TO_CONTAINER);
    out.put_u16(length_of(part).saturating_add(2));
    out.put_u16(length_of(part));
    out.put_slice(part);
    part.len()
}

/// The headers that may leave this hop: not the fixed ones, and not those that Connection names.
fn end_to_end(headers: &HeaderMap) -> Vec<(&HeaderName, &HeaderValue)> {
    let named: Vec<&[u8]> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .collect();
    let leaves = |name: &HeaderName| {
        let name = name.as_str();
        !codes::HOP_BY_HOP.contains(&name) && !named.iter().any(|other| other.eq_ignore_ascii_case(name.as_bytes()))
    };
    headers.iter().filter(|(name, _)| leaves(name)).collect()
}

fn put_headers(
    payload: &mut BytesMut,
    coded: &Table<u16>,
    headers: &[(&HeaderName, &HeaderValue)],
) -> Result<(), EncodeError> {
    payload.put_u16(u16::try_from(headers.len()).map_err(|_| EncodeError::TooLarge)?);
    for (name, value) in headers {
        match coded.code(name.as_str()) {
            Some(code) => payload.put_u16(code),
            None => put_string(payload, name.as_str().as_bytes())?,
        }
        put_string(payload, value.as_bytes())?;
    }
    Ok(())
}

fn put_attributes(payload: &mut BytesMut, request: &ForwardRequest) -> Result<(), EncodeError> {
    for secret in &request.secrets {
        payload.put_u8(attribute::SECRET);
        put_optional(payload, secret.bytes())?;
    }
    let attributes = &request.peer.attributes;
    let strings = STRING_ATTRIBUTES
        .iter()
        .map(|row| (row.code, (row.field)(attributes).as_deref()));
    // QUERY_STRING stands in the middle of the others; the codes give the order.
    let mut strings: Vec<_> = strings
        .chain([(attribute::QUERY_STRING, request.target.query())])
        .collect();
    strings.sort_by_key(|row| row.0);
    for (code, value) in strings {
        if let Some(value) = value {
            payload.put_u8(code);
            put_string(payload, value.as_bytes())?;
        }
    }
    if let Some(bits) = attributes.ssl_key_size {
        payload.put_u8(attribute::SSL_KEY_SIZE);
        payload.put_u16(bits);
    }
    Ok(())
}

fn put_named_attributes(payload: &mut BytesMut, request: &ForwardRequest) -> Result<(), EncodeError> {
    let port = request
        .peer
        .remote_port
        .map(|port| (codes::REMOTE_PORT.to_owned(), port.to_string()));
    for (name, value) in port.iter().chain(&request.peer.attributes.named) {
        payload.put_u8(attribute::REQ_ATTRIBUTE);
        put_string(payload, name.as_bytes())?;
        put_string(payload, value.as_bytes())?;
    }
    Ok(())
}

/// A string: its length, its bytes, one zero. The length 0xFFFF is taken by the null string.
fn put_string(payload: &mut BytesMut, text: &[u8]) -> Result<(), EncodeError> {
    let length = u16::try_from(text.len())
        .ok()
        .filter(|length| *length != codes::NULL_STRING);
    payload.put_u16(length.ok_or(EncodeError::TooLarge)?);
    payload.put_slice(text);
    payload.put_u8(0);
    Ok(())
}

fn put_optional(payload: &mut BytesMut, text: Option<&[u8]>) -> Result<(), EncodeError> {
    match text {
        Some(text) => put_string(payload, text),
        None => {
            payload.put_u16(codes::NULL_STRING);
            Ok(())
        }
    }
}

fn put_packet(out: &mut BytesMut, magic: [u8; 2], payload: &[u8], size: PacketSize) -> Result<(), EncodeError> {
    if payload.len() > size.max_payload() {
        return Err(EncodeError::TooLarge);
    }
    out.put_slice(&magic);
    out.put_u16(length_of(payload));
    out.put_slice(payload);
    Ok(())
}

/// The length of a part that is known to be shorter than the largest packet.
fn length_of(part: &[u8]) -> u16 {
    u16::try_from(part.len()).unwrap_or(u16::MAX)
}
