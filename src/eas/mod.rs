//! ActiveSync over HTTP: from a request to its answer.
//!
//! One path for every command: who asks ([`request`]), may he ([`crate::session`]), what does he ask ([`command`]), and how
//! an error is told ([`status`]). Implements [MS-ASHTTP].

pub mod command;
pub mod items;
pub mod options;
pub mod policy;
pub mod request;
pub mod status;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderValue;
use http::Method;
use http::Request as HttpRequest;
use http::Response;
use http::StatusCode;
use http::header;
use http_body::Body;
use http_body_util::BodyExt as _;
use http_body_util::LengthLimitError;
use http_body_util::Limited;
use jiff::tz::TimeZone;

use crate::content::User;
use crate::eas::command::Call;
use crate::eas::command::Command;
use crate::eas::command::Reply;
use crate::eas::command::Wbxml;
use crate::eas::options::Limits;
use crate::eas::request::BadRequest;
use crate::eas::request::Request;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::eas::status::Told;
use crate::notify::Notifier;
use crate::session;
use crate::session::Credentials;
use crate::session::Device;
use crate::session::Sessions;
use crate::usm::listing::Listings;
use crate::version::ProtocolVersion;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage;

/// The largest body that is read: what OX takes by default.
const LARGEST_BODY: usize = 100 * 1024 * 1024;

/// After so many seconds a device may try again when OX or the database did not answer.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

/// What `MS-Server-ActiveSync` says: some clients take a server without it for none.
const SERVER: HeaderValue = HeaderValue::from_static("16.1");

const WBXML_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.ms-sync.wbxml");
const MULTIPART_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.ms-sync.multipart");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"ActiveSync\", charset=\"UTF-8\"");

/// What all commands use.
pub struct Services {
    pub notifier: Notifier,
    pub listings: Listings,
    pub heartbeat: Heartbeat,
    pub limits: Limits,
    pub new_key_on_empty_sync: bool,
    /// Only the folders that the user chose for his devices.
    pub folder_selection: bool,
    /// How `DOMAIN\user` becomes a login at OX.
    pub login: Box<LoginOf>,
}

/// Domain and user to login.
pub type LoginOf = dyn Fn(&str, &str) -> String + Send + Sync;

/// The bounds of a wait.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    pub min: Duration,
    pub max: Duration,
}

/// The protocol as a service: many requests at once.
#[derive(Clone)]
pub struct Eas {
    services: Arc<Services>,
    sessions: Arc<Sessions>,
    /// Told of each request that was answered, for metrics.
    observer: Arc<dyn Fn(&Record) + Send + Sync>,
}

/// What is known of a request when it was answered.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub user: String,
    pub device: String,
    pub command: String,
    pub version: String,
    pub http: u16,
    /// The Status in the root of the answer, or of the error.
    pub status: Option<u16>,
    pub took: Duration,
    pub ox_calls: u64,
}

impl Eas {
    pub fn new(
        services: Services,
        sessions: Arc<Sessions>,
        observer: impl Fn(&Record) + Send + Sync + 'static,
    ) -> Self {
        Self {
            services: Arc::new(services),
            sessions,
            observer: Arc::new(observer),
        }
    }

    /// Answers one request. The body is read only after the credentials were found good. When the returned future is dropped,
    /// because the connection is gone, a wait ends, and a command that writes is finished all the same.
    pub async fn handle<B>(&self, request: HttpRequest<B>) -> Response<Bytes>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let started = Instant::now();
        let mut record = Record::default();
        let response = self.answer(request, &mut record).await;
        record.http = response.status().as_u16();
        record.took = started.elapsed();
        log::info!("{record}");
        (self.observer)(&record);
        response
    }

    async fn answer<B>(&self, request: HttpRequest<B>, record: &mut Record) -> Response<Bytes>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        record.command = head.method.to_string();
        let Some(credentials) = request::credentials(&head.headers, &*self.services.login) else {
            return unauthorized();
        };
        record.user.clone_from(&credentials.login);
        if head.method == Method::OPTIONS {
            return self.options(&credentials).await;
        }
        if head.method != Method::POST {
            let mut response = empty(StatusCode::NOT_IMPLEMENTED);
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("OPTIONS,POST"));
            return response;
        }
        let parsed = request::parse(head.uri.query().unwrap_or_default(), &head.headers, command::name_of);
        let request = match parsed {
            Ok(request) => request,
            Err(reason) => return bad_request(reason),
        };
        record.device.clone_from(&request.device_id);
        record.command.clone_from(&request.command);
        // [MS-ASHTTP]: a request without a version is of the oldest.
        let version = request.version.unwrap_or(ProtocolVersion::V2_5);
        record.version = version.to_string();
        let Some(command) = command::find(&request.command) else {
            return empty(StatusCode::NOT_IMPLEMENTED);
        };
        record.command = command.name.to_owned();
        let result = self.serve(command, request, version, credentials, body, record).await;
        let response = match result {
            Ok(reply) => {
                record.status = status_in(command, &reply);
                encode(reply, version)
            }
            Err(error) => tell(command, &error, version, record),
        };
        response.unwrap_or_else(|| empty(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// What we can do. Answered without OX as long as the credentials are not known to be wrong.
    async fn options(&self, credentials: &Credentials) -> Response<Bytes> {
        match self.sessions.verify(credentials).await {
            Err(session::Error::Credentials) => return unauthorized(),
            Err(error) => log::warn!("OPTIONS is answered without asking OX: {error}"),
            Ok(()) => {}
        }
        let versions = ProtocolVersion::ALL.map(ProtocolVersion::name).join(",");
        let headers = [
            ("ms-asprotocolversions", versions.as_str()),
            ("ms-asprotocolcommands", &command::offered()),
            ("public", "OPTIONS,POST"),
            ("allow", "OPTIONS,POST"),
        ];
        let mut response = empty(StatusCode::OK);
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    async fn serve<B>(
        &self,
        command: &'static Command,
        request: Request,
        version: ProtocolVersion,
        credentials: Credentials,
        body: B,
        record: &mut Record,
    ) -> Result<Reply, Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let device = self.sessions.open(&credentials, &request.device_id).await?;
        let calls = device.ox.calls();
        let body = read(body).await?;
        let outcome = self.command(command, request, version, device.clone(), body).await;
        record.ox_calls = device.ox.calls().saturating_sub(calls);
        if matches!(outcome, Err(Error::Credentials | Error::Superseded)) {
            // The password was changed, or the device removed: what is known of it is made anew at its next request.
            self.sessions.forget(&credentials, &record.device).await;
        }
        outcome
    }

    /// Runs a command to its end, whatever becomes of the connection.
    async fn command(
        &self,
        command: &'static Command,
        request: Request,
        version: ProtocolVersion,
        device: Arc<Device>,
        body: Bytes,
    ) -> Result<Reply, Error> {
        if !command.versions.contains(version) {
            return Err(Error::Device(
                Status::VERSION_NOT_SUPPORTED,
                "the version does not have this command",
            ));
        }
        let Some(run) = command.run else {
            return Err(Error::Device(
                Status::COMMAND_NOT_SUPPORTED,
                "this command is not offered",
            ));
        };
        let document = document(command, version, &body)?;
        let turn = device.turn().await?;
        let gone = turn.superseded.clone().drop_guard();
        let services = self.services.clone();
        let work = tokio::spawn(async move {
            let user = user(&device).await?;
            let now = jiff::Timestamp::now().as_millisecond();
            let (request, services, turn, device) = (&request, &*services, &turn, &*device);
            run(&Call {
                request,
                version,
                document,
                body,
                device,
                user,
                services,
                turn,
                now,
            })
            .await
        });
        let outcome = work.await;
        drop(gone);
        outcome.unwrap_or_else(|error| Err(Error::Own(format!("the command broke off: {error}"))))
    }
}

/// The body as a document, if that is what the command takes in this version.
fn document(command: &Command, version: ProtocolVersion, body: &Bytes) -> Result<Option<Element>, Error> {
    if !command.wbxml.is_expected(version) {
        return Ok(None);
    }
    if body.is_empty() {
        return match command.wbxml {
            Wbxml::Optional(_) => Ok(None),
            _ => Err(Error::Device(Status::INVALID_CONTENT, "the body is empty")),
        };
    }
    let document = wbxml::decode(body, &wbxml::Limits::default()).map_err(|error| {
        log::debug!("{}: {error}", command.name);
        Error::Device(Status::INVALID_WBXML, "the body is no WBXML")
    })?;
    if log::log_enabled!(log::Level::Trace) {
        log::trace!(
            "{} request\n{}",
            command.name,
            wbxml::xml::to_text(&document, wbxml::xml::Detail::Redacted)
        );
    }
    if command.root.is_some_and(|(root, _)| root != document.tag) {
        return Err(Error::Device(Status::INVALID_XML, "the body is of another command"));
    }
    Ok(Some(document))
}

async fn read<B>(body: B) -> Result<Bytes, Error>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Error::Device(Status::ATTACHMENT_IS_TOO_LARGE, "the body is too large"))
        }
        Err(_) => Err(Error::Device(Status::INVALID_CONTENT, "the body is cut off")),
    }
}

async fn user(device: &Device) -> Result<User, Error> {
    let settings = device.ox.settings().await?;
    let zone = TimeZone::get(&settings.timezone).unwrap_or_else(|error| {
        log::warn!(
            "OX names the time zone {:?}, which is not known here: {error}",
            settings.timezone
        );
        TimeZone::UTC
    });
    Ok(User {
        id: device.ox.user_id(),
        name: settings.name.clone(),
        address: settings.address.clone(),
        addresses: settings.addresses.clone(),
        zone,
    })
}

/// The answer as HTTP. `None` if it cannot be: it never is.
fn encode(reply: Reply, version: ProtocolVersion) -> Option<Response<Bytes>> {
    let (content_type, body) = match reply {
        Reply::Nothing => return Some(empty(StatusCode::OK)),
        Reply::Document(root) => (WBXML_TYPE, Bytes::from(encode_document(&root, version))),
        Reply::Multipart(root, parts) => (MULTIPART_TYPE, multipart(encode_document(&root, version), &parts)?),
    };
    let mut response = empty(StatusCode::OK);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
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
fn tell(command: &Command, error: &Error, version: ProtocolVersion, record: &mut Record) -> Option<Response<Bytes>> {
    log::log!(
        error.level(),
        "{} {} {}: {error}",
        record.user,
        record.device,
        command.name
    );
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
    if http == StatusCode::UNAUTHORIZED {
        return Some(unauthorized());
    }
    let mut response = empty(http);
    if http == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    Some(response)
}

fn bad_request(reason: BadRequest) -> Response<Bytes> {
    log::info!("a request is answered with 400: {reason}");
    empty(StatusCode::BAD_REQUEST)
}

fn unauthorized() -> Response<Bytes> {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
    response
}

/// The headers that every answer has. An empty body has no type and is never compressed.
fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert("ms-server-activesync", SERVER);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    response
}

fn status_in(command: &Command, reply: &Reply) -> Option<u16> {
    let (Reply::Document(root) | Reply::Multipart(root, _)) = reply else {
        return None;
    };
    root.child_text(command.root?.1)?.parse().ok()
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &str| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text.replace(char::is_whitespace, "_")
            }
        };
        write!(
            f,
            "{} {} {} {}",
            word(&self.user),
            word(&self.device),
            word(&self.command),
            word(&self.version)
        )?;
        write!(f, " http={} status=", self.http)?;
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("-")?,
        }
        write!(f, " {} ms, {} OX calls", self.took.as_millis(), self.ox_calls)
    }
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

    #[test]
    fn a_line_of_the_log_has_no_holes() {
        let record = Record {
            user: "an ton".into(),
            http: 200,
            ..Record::default()
        };
        assert_eq!(record.to_string(), "an_ton - - - http=200 status=- 0 ms, 0 OX calls");
    }
}
