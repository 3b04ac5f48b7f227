//! ActiveSync over HTTP: from a request to its answer.
//!
//! One path for every command: who asks ([`request`]), does he belong here ([`redirect`]), may he ([`crate::session`]), what
//! does he ask ([`command`]), and how an error is told ([`status`]). Beside it stands [`autodiscover`], by which devices find
//! us. Implements [MS-ASHTTP].

pub mod address;
pub mod attachment;
pub mod autodiscover;
pub mod command;
pub mod identity;
pub mod items;
pub mod library;
pub mod mail_search;
pub mod notice;
mod offer;
pub mod options;
pub mod origin;
pub mod people;
pub mod policy;
pub mod record;
pub mod redirect;
pub mod request;
mod response;
pub mod results;
pub mod status;
pub mod stub;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
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
use jiff::tz::TimeZone;

use crate::coding;
use crate::coding::Compressible;
use crate::content::User;
use crate::eas::address::Addresses;
use crate::eas::address::Endpoint;
use crate::eas::command::Call;
use crate::eas::command::Command;
use crate::eas::command::Reply;
use crate::eas::options::Limits;
use crate::eas::origin::Origin;
use crate::eas::record::Record;
use crate::eas::redirect::Redirects;
use crate::eas::request::Request;
use crate::eas::results::Results;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::notify::Notifier;
use crate::quirk::Bend;
use crate::session;
use crate::session::Credentials;
use crate::session::Device;
use crate::session::Sessions;
use crate::usm::brake::Brakes;
use crate::usm::generations::Generations;
use crate::usm::listing::Listings;
use crate::version::ProtocolVersion;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage;

/// What all commands use.
pub struct Services {
    pub notifier: Notifier,
    pub listings: Listings,
    pub brakes: Brakes,
    pub generations: Generations,
    /// What devices have found, for their next pages.
    pub results: Results,
    pub heartbeat: Heartbeat,
    pub limits: Limits,
    /// Bytes of the largest body that is read.
    pub largest_body: usize,
    /// When what one request fetches is larger than this, in bytes, it fetches nothing more: a device asks for one or a few
    /// large things at a time, and memory has an end.
    pub most_fetched: usize,
    pub new_key_on_empty_sync: bool,
    /// How a user hears of changes that were overridden.
    pub conflict_notes: ConflictNotes,
    /// Only the folders that the user chose for his devices.
    pub folder_selection: bool,
    /// How `DOMAIN\user` becomes a login at OX.
    pub login: Box<LoginOf>,
    pub addresses: Addresses,
    /// Who belongs to another host.
    pub redirects: Redirects,
    /// As of [`Sending`](crate::usm::sending::Sending).
    pub node: String,
    /// The time in milliseconds since 1970.
    pub clock: Box<Clock>,
}

/// The name of the protocol in the store.
pub const PROTOCOL: &str = "EAS";

/// Domain and user to login.
pub type LoginOf = dyn Fn(&str, &str) -> String + Send + Sync;

/// Tells the time, so that tests can let days go by.
pub type Clock = dyn Fn() -> i64 + Send + Sync;

/// Where that is kept what lost when two sides changed the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ConflictNotes {
    /// In a mail to the user, and on the attention list of the device.
    #[default]
    Mail,
    /// On the list.
    List,
    /// Nowhere.
    Off,
}

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
    /// Told of each request that is over, for metrics.
    observer: Arc<Observer>,
    /// Users and devices that were refused, and of which the log has told.
    refused: Arc<Mutex<HashSet<(String, String)>>>,
}

/// As many refused devices are remembered.
const MOST_REFUSED: usize = 10_000;

type Observer = dyn Fn(&Record) + Send + Sync;

/// Tells what is known of a request when it is over, which it also is when the connection goes away and its future is
/// dropped.
struct Account<'a> {
    record: Record,
    started: Instant,
    observer: &'a Observer,
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        self.record.took = self.started.elapsed();
        log::info!("{}", self.record);
        (self.observer)(&self.record);
    }
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
            refused: Arc::default(),
        }
    }

    /// What stands at a path; `None` if it is not ours.
    pub fn endpoint(&self, path: &str) -> Option<Endpoint> {
        self.services.addresses.endpoint(path)
    }

    /// Answers one request. The body is read only after the credentials were found good. When the returned future is dropped,
    /// because the connection is gone, a wait ends, and a command that writes is finished all the same.
    pub async fn handle<B>(&self, endpoint: Endpoint, request: HttpRequest<B>) -> Response<Bytes>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut account = Account {
            record: Record {
                from: request.extensions().get::<Origin>().cloned().unwrap_or_default(),
                ..Record::default()
            },
            started: Instant::now(),
            observer: &*self.observer,
        };
        let record = &mut account.record;
        let response = match endpoint {
            Endpoint::ActiveSync => self.answer(request, record).await,
            Endpoint::Autodiscover => self.autodiscover(request, record).await,
            Endpoint::AutodiscoverJson { address } => {
                let (head, _) = request.into_parts();
                self.autodiscover_json(&head, address.as_deref(), record)
            }
        };
        account.record.http = Some(response.status().as_u16());
        response
    }

    async fn answer<B>(&self, request: HttpRequest<B>, record: &mut Record) -> Response<Bytes>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        record.command = head.method.to_string();
        if head.method == Method::GET || head.method == Method::HEAD {
            return page();
        }
        let Some(credentials) = request::credentials(&head.headers, &*self.services.login) else {
            return response::unauthorized();
        };
        record.user.clone_from(&credentials.login);
        if let Some(response) = self.redirect(&credentials, &record.from) {
            return response;
        }
        if head.method == Method::OPTIONS {
            return self.options(&credentials).await;
        }
        if head.method != Method::POST {
            return response::not_implemented("OPTIONS,POST");
        }
        let parsed = request::parse(head.uri.query().unwrap_or_default(), &head.headers, command::name_of);
        let request = match parsed {
            Ok(request) => request,
            Err(reason) => return response::bad_request(reason),
        };
        record.device.clone_from(&request.device_id);
        record.command.clone_from(&request.command);
        // [MS-ASHTTP]: a request without a version is of the oldest.
        let version = request.version.unwrap_or(ProtocolVersion::V2_5);
        record.version = version.to_string();
        let Some(command) = command::find(&request.command) else {
            return response::empty(StatusCode::NOT_IMPLEMENTED);
        };
        record.command = command.name.to_owned();
        let body = coding::read(&head.headers, body, self.services.largest_body);
        let result = self.serve(command, request, version, credentials, body, record).await;
        let response = match result {
            Ok(served) => {
                record.status = response::status_in(command, &served.reply);
                let response = response::encode(served.reply, version);
                response.map(|response| match served.is_renewed {
                    true => response::with(response, offer::renewed()),
                    false => response,
                })
            }
            Err(error) => {
                record.is_known = matches!(error, Error::Forbidden(_)) && !self.is_first_refusal(record);
                response::tell(command, &error, version, record)
            }
        };
        response.unwrap_or_else(|| response::empty(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// Whether a device is refused for the first time: phones of users without the permission come again for ever.
    fn is_first_refusal(&self, record: &Record) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST_REFUSED {
            refused.clear();
        }
        refused.insert((record.user.clone(), record.device.clone()))
    }

    /// What we can do. Answered without OX as long as the credentials are not known to be wrong.
    async fn options(&self, credentials: &Credentials) -> Response<Bytes> {
        match self.sessions.verify(credentials).await {
            Err(session::Error::Credentials) => return response::unauthorized(),
            Err(error) => log::warn!("OPTIONS is answered without asking OX: {error}"),
            Ok(()) => {}
        }
        let mut response = response::with(response::empty(StatusCode::OK), offer::headers());
        for (name, value) in [
            // Windows Mobile looks here.
            ("public", "OPTIONS,POST"),
            ("allow", "OPTIONS,POST"),
            // Nine speaks 16.x only to who says this.
            ("x-aspnet-version", "4.0.30319"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// The answer to a device whose user belongs to another host. OX is not asked, since it may not know him any more.
    fn redirect(&self, credentials: &Credentials, origin: &Origin) -> Option<Response<Bytes>> {
        let url = self.services.redirects.of_login(&credentials.login)?;
        if self.services.addresses.is_own(url, origin) {
            return None;
        }
        let location = HeaderValue::from_str(url.as_str()).ok()?;
        let mut response = response::empty(response::REDIRECT);
        response.headers_mut().insert("x-ms-location", location);
        Some(response)
    }

    async fn serve(
        &self,
        command: &'static Command,
        request: Request,
        version: ProtocolVersion,
        credentials: Credentials,
        body: impl Future<Output = Result<Bytes, coding::ReadError>> + Send,
        record: &mut Record,
    ) -> Result<Served, Error> {
        if identity::quirks_of_request(&request, version).has(Bend::OnlyTries) {
            let reply = self.attempt(command, &credentials).await?;
            return Ok(Served {
                reply,
                is_renewed: false,
            });
        }
        let device = self.sessions.open(&credentials, &request.device_id).await?;
        let calls = device.ox.calls();
        let body = body.await?;
        let outcome = self
            .command(command, request, version, device.clone(), body, record)
            .await;
        record.ox_calls = device.ox.calls().saturating_sub(calls);
        match outcome {
            // The password was changed meanwhile: the device is not served with the old one any more.
            Err(Error::Credentials) => self.sessions.refuse(&credentials, &record.device).await,
            // Perhaps somebody removed the device from the store: its next request makes it anew.
            Err(Error::Superseded) => self.sessions.forget(&credentials, &record.device).await,
            _ => {}
        }
        let reply = outcome?;
        let is_changed = offer::is_news(&device).await;
        let is_renewed = is_changed || matches!(reply, Reply::Beginning(_));
        Ok(Served { reply, is_renewed })
    }

    /// Answers a device that only tries whether it gets in.
    async fn attempt(&self, command: &Command, credentials: &Credentials) -> Result<Reply, Error> {
        self.sessions.admit(credentials).await?;
        command::answer_to_attempt(command).ok_or(Error::Device(
            Status::DEVICE_ID_MISSING,
            "this DeviceId is for trying the credentials only",
        ))
    }

    /// Runs a command to its end, whatever becomes of the connection.
    async fn command(
        &self,
        command: &'static Command,
        request: Request,
        version: ProtocolVersion,
        device: Arc<Device>,
        body: Bytes,
        record: &mut Record,
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
        if let Some(root) = &document {
            record.ignored = codepage::unknown_in(root, version);
            record.ignored_of_device = device.count_ignored(record.ignored.len());
        }
        let document = document.map(codepage::without_unknown);
        let turn = device.turn().await?;
        let gone = turn.superseded.clone().drop_guard();
        let services = self.services.clone();
        let work = tokio::spawn(async move {
            let user = user(&device).await?;
            let now = (services.clock)();
            let quirks = identity::quirks(&request, version, &device).await?;
            let (request, services, turn, device) = (&request, &*services, &turn, &*device);
            run(&Call {
                request,
                version,
                quirks,
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

/// A command's answer, and whether the device is told what we offer.
struct Served {
    reply: Reply,
    is_renewed: bool,
}

/// What somebody sees who opens our address with a browser. It asks for no password, and says nothing of us that helps an
/// attacker.
fn page() -> Response<Bytes> {
    let mut response = response::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response.extensions_mut().insert(Compressible);
    *response.body_mut() = Bytes::from_static(include_bytes!("page.html"));
    response
}

/// The body as a document, if that is what the command takes in this version.
fn document(command: &Command, version: ProtocolVersion, body: &Bytes) -> Result<Option<Element>, Error> {
    if !command.wbxml.is_expected(version) {
        return Ok(None);
    }
    if body.is_empty() {
        return match command.wbxml.may_be_absent(version) {
            true => Ok(None),
            false => Err(Error::Device(Status::INVALID_CONTENT, "the body is empty")),
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
