//! What a command answered, or why it failed, as HTTP.
//!
//! | HTTP | sent when |
//! |---|---|
//! | 200 | a command was carried out, or says in its document why not; a Sync without news and a sent mail have no body |
//! | 302 | Autodiscover was asked without TLS |
//! | 400 | the query, a header or the body cannot be understood; the version does not have the command |
//! | 401 | credentials are missing, of another kind than Basic, or wrong |
//! | 403 | the user may not sync |
//! | 404 | the path is none of ours |
//! | 405, 501 | a method of which Autodiscover, or ActiveSync, has no use; 501 also for commands that are not known or not offered |
//! | 413 | the body is too large, also when inflated |
//! | 415 | the body is in another coding than gzip |
//! | 451 | the user belongs to the host that `X-MS-Location` names |
//! | 500 | OX or we failed for good |
//! | 503 | OX or the database does not answer; with `Retry-After` |
//! | 505 | the device speaks ActiveSync 1.0 |
//! | 507 | the storage of the user is full |
//!
//! From 14.0 on a command tells 400, 500, 503 and 507 by a Status in its document instead, as [`crate::eas::status`] says.
//! Implements [MS-ASHTTP] "Response Headers" and the multipart form of [MS-ASCMD] ItemOperations.

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::Response;
use http::StatusCode;
use http::header;

use crate::coding;
use crate::coding::Compressible;
use crate::eas::command::Command;
use crate::eas::command::Reply;
use crate::eas::record::Record;
use crate::eas::request::BadRequest;
use crate::eas::status::Error;
use crate::eas::status::Told;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V2_5;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage;

/// After so many seconds a device may try again when OX or the database did not answer.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

/// What `MS-Server-ActiveSync` says: some clients take a server without it for none.
const SERVER: HeaderValue = HeaderValue::from_static("16.1");

const WBXML_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.ms-sync.wbxml");
const MULTIPART_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.ms-sync.multipart");
const BINARY_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// [MS-ASHTTP] 451: the user is served elsewhere. (HTTP itself has given the number another meaning since.)
pub(super) const REDIRECT: StatusCode = StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS;

const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"ActiveSync\", charset=\"UTF-8\"");

/// The answer as HTTP. `None` if it cannot be: it never is.
pub(super) fn encode(reply: Reply, version: ProtocolVersion) -> Option<Response<Bytes>> {
    let is_document = matches!(reply, Reply::Document(_) | Reply::Beginning(_));
    let (content_type, body) = match reply {
        Reply::Nothing => return Some(empty(StatusCode::OK)),
        // An empty attachment has no type either.
        Reply::Raw(_, bytes) if bytes.is_empty() => return Some(empty(StatusCode::OK)),
        Reply::Raw(content_type, bytes) => (HeaderValue::try_from(content_type).unwrap_or(BINARY_TYPE), bytes),
        Reply::Document(root) | Reply::Beginning(root) => (WBXML_TYPE, Bytes::from(encode_document(&root, version))),
        Reply::Multipart(root, parts) => (MULTIPART_TYPE, multipart(encode_document(&root, version), &parts)?),
    };
    let mut response = empty(StatusCode::OK);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    if is_document {
        response.extensions_mut().insert(Compressible);
    }
    *response.body_mut() = body;
    Some(response)
}

fn encode_document(root: &Element, version: ProtocolVersion) -> Vec<u8> {
    if log::log_enabled!(log::Level::Trace) {
        log::trace!("answer\n{}", wbxml::xml::to_text(root, wbxml::xml::Detail::Redacted));
    }
    wbxml::encode(root, version)
}

/// [MS-ASCMD] "Delivery of Content Requested by Fetch": the number of parts, where each lies, and the parts. All numbers
/// are 32 bits, little-endian.
fn multipart(document: Vec<u8>, parts: &[Bytes]) -> Option<Bytes> {
    let all: Vec<&[u8]> = std::iter::once(&document[..])
        .chain(parts.iter().map(|part| &part[..]))
        .collect();
    let mut offset = u32::try_from(4 + 8 * all.len()).ok()?;
    let mut bytes = u32::try_from(all.len()).ok()?.to_le_bytes().to_vec();
    for part in &all {
        let length = u32::try_from(part.len()).ok()?;
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        offset = offset.checked_add(length)?;
    }
    all.iter().for_each(|part| bytes.extend_from_slice(part));
    Some(bytes.into())
}

/// An error, logged once and told in the words of the version.
pub(super) fn tell(
    command: &Command,
    error: &Error,
    version: ProtocolVersion,
    record: &mut Record,
) -> Option<Response<Bytes>> {
    log_error(command.name, error, record);
    let (http, status) = match (error.told(version), command.root) {
        // Nothing can be said in a document whose root the version does not have.
        (Told::Body(status), Some((root, tag))) if codepage::has(version, root) => {
            record.status = Some(status.0);
            return encode(
                Reply::Document(Element::parent(root, [Element::number(tag, status.0)])),
                version,
            );
        }
        (Told::Body(status), _) => (status.http(), Some(status)),
        (Told::Http(http), _) => (http, None),
    };
    record.status = status.map(|status| status.0);
    Some(refused(http))
}

/// An error, logged once and told where there is no document to tell it in.
pub(super) fn in_http(name: &str, error: &Error, record: &mut Record) -> Response<Bytes> {
    log_error(name, error, record);
    refused(match error.told(V2_5) {
        Told::Http(http) => http,
        Told::Body(status) => status.http(),
    })
}

fn log_error(name: &str, error: &Error, record: &mut Record) {
    record.fault = Some(error.fault());
    let level = match record.is_known {
        true => log::Level::Debug,
        false => error.level(),
    };
    log::log!(level, "{} {} {name}: {error}", record.user, record.device);
}

fn refused(http: StatusCode) -> Response<Bytes> {
    let mut response = empty(http);
    let headers = response.headers_mut();
    match http {
        StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, CHALLENGE),
        StatusCode::SERVICE_UNAVAILABLE => headers.insert(header::RETRY_AFTER, RETRY_AFTER),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => headers.insert(header::ACCEPT_ENCODING, coding::GZIP),
        _ => None,
    };
    response
}

pub(super) fn bad_request(reason: BadRequest) -> Response<Bytes> {
    let status = match reason {
        BadRequest::ObsoleteVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        _ => StatusCode::BAD_REQUEST,
    };
    log::info!("a request is answered with {}: {reason}", status.as_u16());
    empty(status)
}

/// A method that ActiveSync does not have.
pub(super) fn not_implemented(allowed: &'static str) -> Response<Bytes> {
    allow(StatusCode::NOT_IMPLEMENTED, allowed)
}

/// A method that does not fit the path.
pub(super) fn method_not_allowed(allowed: &'static str) -> Response<Bytes> {
    allow(StatusCode::METHOD_NOT_ALLOWED, allowed)
}

fn allow(status: StatusCode, allowed: &'static str) -> Response<Bytes> {
    let mut response = empty(status);
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// The response with more headers.
pub(super) fn with(mut response: Response<Bytes>, headers: HeaderMap) -> Response<Bytes> {
    response.headers_mut().extend(headers);
    response
}

pub(super) fn unauthorized() -> Response<Bytes> {
    refused(StatusCode::UNAUTHORIZED)
}

/// The headers that every answer has. An empty body has no type and is never compressed.
pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert("ms-server-activesync", SERVER);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    response
}

pub(super) fn status_in(command: &Command, reply: &Reply) -> Option<u16> {
    let (Reply::Document(root) | Reply::Beginning(root) | Reply::Multipart(root, _)) = reply else {
        return None;
    };
    root.child_text(command.root?.1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_parts() {
        let bytes = multipart(b"doc".to_vec(), &[Bytes::from_static(b"ab"), Bytes::new()]).unwrap();
        let expected = [
            3, 0, 0, 0, // parts
            28, 0, 0, 0, 3, 0, 0, 0, // the document
            31, 0, 0, 0, 2, 0, 0, 0, //
            33, 0, 0, 0, 0, 0, 0, 0, //
            b'd', b'o', b'c', b'a', b'b',
        ];
        assert_eq!(bytes[..], expected);
    }
}
