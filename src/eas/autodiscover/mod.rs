//! Autodiscover: a device that knows an address and a password learns where its user is served.
//!
//! It is no command: the body is XML, the path is another, and there is no device. The first version ([`request`],
//! [`answer`]) tells a user with credentials his own primary address; the second, in JSON, asks for none, and so says nothing
//! that depends on whether an address exists. Implements [MS-ASCMD] Autodiscover and [MS-ASHTTP] "Redirect" for it.

pub mod answer;
pub mod request;

use bytes::Bytes;
use http::HeaderValue;
use http::Method;
use http::Request as HttpRequest;
use http::Response;
use http::StatusCode;
use http::header;
use http::request::Parts;
use http_body::Body;
use percent_encoding::percent_decode_str;
use url::Url;

use self::answer::User;
use self::request::Refusal;
use self::request::Request;
use super::Eas;
use super::response;
use crate::coding;
use crate::coding::Compressible;
use crate::eas::origin::Origin;
use crate::eas::record::Record;
use crate::eas::request::credentials;
use crate::eas::status::Error;
use crate::session;
use crate::session::Credentials;

/// The name of both versions in the log and in the metrics.
pub(super) const NAME: &str = "Autodiscover";

/// Bytes of the largest body that is read: a request has some hundred.
const LARGEST_BODY: usize = 64 * 1024;

const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Eas {
    /// Answers the first version. POST asks; GET is how a device without TLS looks for the way to it.
    pub(super) async fn autodiscover<B>(&self, request: HttpRequest<B>, record: &mut Record) -> Response<Bytes>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        NAME.clone_into(&mut record.command);
        let (head, body) = request.into_parts();
        let is_get = match head.method {
            Method::POST => false,
            Method::GET | Method::HEAD => true,
            _ => return response::method_not_allowed("GET,HEAD,POST"),
        };
        if is_get && !record.from.is_https {
            return self.way_to_tls(&record.from);
        }
        let Some(credentials) = credentials(&head.headers, &*self.services.login) else {
            return response::unauthorized();
        };
        record.user.clone_from(&credentials.login);
        let asked = match is_get {
            true => Err(Refusal::InvalidRequest),
            false => match coding::read(&head.headers, body, LARGEST_BODY).await {
                Ok(body) => request::parse(&body),
                Err(error) => return response::in_http(NAME, &error.into(), record),
            },
        };
        let found = match asked {
            Ok(asked) => self.found(&credentials, asked, &record.from).await,
            // Says nothing about the user, so that OX need not be asked for him: Outlook comes often.
            Err(refusal) => {
                record.status = Some(refusal.code());
                let time = jiff::Timestamp::now().strftime("%H:%M:%S.%7f").to_string();
                return body_of(XML, answer::refusal(refusal, &time, rand::random()));
            }
        };
        match found {
            Ok(Some((user, url))) => body_of(XML, answer::settings(&user, url.as_str())),
            Ok(None) => response::empty(StatusCode::BAD_REQUEST),
            Err(error) => response::in_http(NAME, &error, record),
        }
    }

    /// Who the user is, and where he is served; `None` if the device named no host. A user who belongs elsewhere is not looked
    /// for at OX, which may not know him any more.
    async fn found(
        &self,
        credentials: &Credentials,
        asked: Request,
        origin: &Origin,
    ) -> Result<Option<(User, Url)>, Error> {
        let (redirects, login) = (&self.services.redirects, &credentials.login);
        let by_address = || redirects.of_login(asked.address.as_deref()?);
        let elsewhere = redirects.of_login(login).or_else(by_address);
        let elsewhere = elsewhere.filter(|url| !self.services.addresses.is_own(url, origin));
        let given = asked.address.as_ref().unwrap_or(login);
        if let Some(url) = elsewhere {
            let user = User {
                address: given.clone(),
                ..User::default()
            };
            return Ok(Some((user, url.clone())));
        }
        let settings = match self.sessions.settings(credentials).await {
            Err(session::Error::Credentials) => {
                let other = under_address(credentials, asked.address.as_deref()).ok_or(Error::Credentials)?;
                self.sessions.settings(&other).await?
            }
            settings => settings?,
        };
        let address = Some(&settings.address).filter(|address| !address.is_empty());
        let user = User {
            name: settings.name.clone(),
            address: address.unwrap_or(given).clone(),
        };
        let url = self.services.addresses.active_sync(origin);
        Ok(url.map(|url| (user, url)))
    }

    /// [MS-ASCMD]: "the client sends an unauthenticated GET request", and expects to be sent to a host with TLS.
    fn way_to_tls(&self, origin: &Origin) -> Response<Bytes> {
        let url = self.services.addresses.autodiscover(origin);
        let Some(location) = url.and_then(|url| HeaderValue::from_str(url.as_str()).ok()) else {
            return response::empty(StatusCode::BAD_REQUEST);
        };
        let mut response = response::empty(StatusCode::FOUND);
        response.headers_mut().insert(header::LOCATION, location);
        response
    }

    /// Answers the second version, to anybody. `address` is what the path says.
    pub(super) fn autodiscover_json(
        &self,
        head: &Parts,
        address: Option<&str>,
        record: &mut Record,
    ) -> Response<Bytes> {
        NAME.clone_into(&mut record.command);
        if ![Method::GET, Method::HEAD].contains(&head.method) {
            return response::method_not_allowed("GET,HEAD");
        }
        let query = head.uri.query().unwrap_or_default();
        let address = address.map(str::to_owned).or_else(|| parameter(query, "email"));
        let protocol = parameter(query, "protocol").unwrap_or_default();
        let (addresses, origin) = (&self.services.addresses, &record.from);
        let (protocol, url) = if protocol.eq_ignore_ascii_case("activesync") {
            let elsewhere = self
                .services
                .redirects
                .of_domain(address.as_deref().unwrap_or_default());
            let elsewhere = elsewhere.filter(|url| !addresses.is_own(url, origin)).cloned();
            ("ActiveSync", elsewhere.or_else(|| addresses.active_sync(origin)))
        } else if protocol.eq_ignore_ascii_case("autodiscoverv1") {
            ("AutodiscoverV1", addresses.autodiscover(origin))
        } else if protocol.is_empty() {
            return json_refusal("MandatoryParameterMissing", "The parameter Protocol is missing.");
        } else {
            let message = "The protocol is not supported. Supported are ActiveSync and AutodiscoverV1.";
            return json_refusal("ProtocolNotSupported", message);
        };
        match url {
            Some(url) => body_of(JSON, answer::json_settings(protocol, url.as_str())),
            None => response::empty(StatusCode::BAD_REQUEST),
        }
    }
}

/// The same password with the address as the login, for a device that sent only what stands before its `@`.
fn under_address(credentials: &Credentials, address: Option<&str>) -> Option<Credentials> {
    let address = address?;
    let (local, _) = address.rsplit_once('@')?;
    local.eq_ignore_ascii_case(&credentials.login).then(|| Credentials {
        login: address.to_owned(),
        password: credentials.password.clone(),
    })
}

/// The first value of a parameter, by its name in lower case.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn json_refusal(code: &str, message: &str) -> Response<Bytes> {
    let mut response = body_of(JSON, answer::json_refusal(code, message));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn body_of(content_type: HeaderValue, text: String) -> Response<Bytes> {
    let mut response = response::empty(StatusCode::OK);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.extensions_mut().insert(Compressible);
    *response.body_mut() = text.into();
    response
}
