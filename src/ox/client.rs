//! The connection to one OX server: URL, connection pool, and the sending of a single request.
//!
//! Knows no sessions beyond the id and the cookies it is handed. Implements the API documentation, "Low level protocol":
//! a constant User-Agent, since the names of the session's cookies are derived from it, and no redirects, since the
//! password must not travel to another server than the configured one.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use bytes::BytesMut;
use reqwest::Client;
use reqwest::Method;
use reqwest::RequestBuilder;
use reqwest::Response;
use reqwest::header;
use reqwest::header::HeaderValue;
use reqwest::multipart;
use reqwest::redirect::Policy;
use secrecy::SecretString;
use url::Url;

use crate::ox::call::Body;
use crate::ox::call::Call;
use crate::ox::call::Part;
use crate::ox::cookies::Cookies;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::login;
use crate::ox::people::Directories;
use crate::ox::refusals::Refusals;
use crate::ox::reply::Answer;
use crate::ox::selection::Selection;
use crate::ox::session::Session;

/// OX knows this name: it exempts it from its rate limiter, and sends it neither interim answers nor blanks ahead.
const USER_AGENT: &str = "Open-Xchange USM HTTP Client";
/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long OX may be silent: until the answer begins, and between its parts.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a call may take as a whole, a large mail over a slow line included.
const CALL_TIMEOUT: Duration = Duration::from_secs(300);
/// How long an unused connection is kept. One that OX has closed in the meantime is replaced before anything is sent on it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest JSON answer: a listing of some million mails.
pub(super) const MAX_JSON: usize = 128 * 1024 * 1024;

/// An OX server. Cheap to clone; all clones share connections and counters.
#[derive(Clone)]
pub struct Ox(Arc<Inner>);

struct Inner {
    client: Client,
    base: Url,
    calls: AtomicU64,
    refusals: Refusals,
    selection: Selection,
    directories: Directories,
}

impl Ox {
    /// `base_url` is the URL of the API, such as `https://ox.example.com/ajax/`. Nothing is sent yet.
    pub fn new(base_url: &str) -> Result<Self, Error> {
        let base = base(base_url)?;
        let client = http_client(&base).map_err(|error| {
            let text = format!("cannot set up HTTP: {}", chain(&error));
            Error::new(ErrorKind::Configuration, base.as_str(), text)
        })?;
        Ok(Self(Arc::new(Inner {
            client,
            base,
            calls: AtomicU64::new(0),
            refusals: Refusals::default(),
            selection: Selection::default(),
            directories: Directories::default(),
        })))
    }

    /// The users of the contexts, as far as they were read.
    pub(super) fn directories(&self) -> &Directories {
        &self.0.directories
    }

    /// Logs in, and returns the session. Never repeat it with credentials that were refused.
    pub async fn login(&self, name: &str, password: &SecretString) -> Result<Session, Error> {
        Session::open(self.clone(), name, password).await
    }

    /// Whether OX answers at all; asks without credentials, so that no session is made.
    pub async fn alive(&self) -> Result<(), Error> {
        login::alive(self).await
    }

    /// How many HTTP requests were sent since the start, logins included.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub(super) fn base(&self) -> &Url {
        &self.0.base
    }

    pub(super) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    pub(super) fn selection(&self) -> &Selection {
        &self.0.selection
    }

    /// Sends a request and reads the whole answer, which may have `limit` bytes.
    pub(super) async fn send(
        &self,
        call: &Call,
        session: Option<&str>,
        cookies: &Cookies,
        limit: usize,
    ) -> Result<Answer, Error> {
        let name = call.describe(&self.0.base);
        let started = Instant::now();
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let sent = self.request(call, session, cookies)?.send().await;
        let response = sent.map_err(|error| unreachable(&error, &name))?;
        let answer = answer(response, &name, limit).await?;
        let (status, size) = (answer.status, answer.body.len());
        log::debug!(
            "{name}: HTTP {status}, {size} bytes, {} ms",
            started.elapsed().as_millis()
        );
        Ok(answer)
    }

    fn request(&self, call: &Call, session: Option<&str>, cookies: &Cookies) -> Result<RequestBuilder, Error> {
        let method = match call.method() {
            "PUT" => Method::PUT,
            "POST" => Method::POST,
            _ => Method::GET,
        };
        let mut request = self.0.client.request(method, call.url(&self.0.base, session));
        if let Some(cookies) = cookies.header() {
            request = request.header(header::COOKIE, cookies);
        }
        Ok(match &call.body {
            Body::None => request,
            Body::Json(value) => with_body(request, "text/javascript; charset=UTF-8", value.to_string().into()),
            Body::Raw { content_type, bytes } => with_body(request, content_type, bytes.clone()),
            Body::Form(form) => with_body(request, "application/x-www-form-urlencoded", form.0.clone().into()),
            Body::Parts(parts) => request.multipart(form(parts).map_err(|error| {
                Error::new(
                    ErrorKind::Invalid,
                    call.describe(&self.0.base),
                    chain(&error.without_url()),
                )
            })?),
        })
    }
}

/// The URL only.
impl fmt::Debug for Ox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ox").field(&self.0.base.as_str()).finish()
    }
}

/// The configured URL, with exactly one slash at its end.
fn base(text: &str) -> Result<Url, Error> {
    let wrong = |reason: &str| Error::new(ErrorKind::Configuration, "URL of the OX server", reason);
    let mut base = Url::parse(text.trim()).map_err(|error| wrong(&format!("{text:?} is no URL: {error}")))?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(wrong(&format!("{text:?} is neither http nor https")));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(wrong("it must not hold a user name or password"));
    }
    base.set_query(None);
    base.set_fragment(None);
    let path = format!("{}/", base.path().trim_end_matches('/'));
    base.set_path(&path);
    Ok(base)
}

/// What sends a request to that URL: with its certificate checked, without redirects and proxies, and not for ever.
pub fn http_client(base: &Url) -> Result<Client, reqwest::Error> {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // Fails only where one is installed already, which will do as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT);
    match base.scheme() {
        // Plain HTTP needs no authorities, and a small container may have none.
        "http" => builder.tls_certs_only([]).build(),
        _ => builder.build(),
    }
}

fn with_body(request: RequestBuilder, content_type: &str, bytes: Bytes) -> RequestBuilder {
    request.header(header::CONTENT_TYPE, content_type).body(bytes)
}

fn form(parts: &[Part]) -> Result<multipart::Form, reqwest::Error> {
    let mut form = multipart::Form::new();
    for part in parts {
        let length = part.bytes.len() as u64;
        let mut body = multipart::Part::stream_with_length(part.bytes.clone(), length);
        if let Some((file_name, content_type)) = &part.file {
            body = body.file_name(file_name.clone()).mime_str(content_type)?;
        }
        form = form.part(part.name.clone(), body);
    }
    Ok(form)
}

async fn answer(mut response: Response, call: &str, limit: usize) -> Result<Answer, Error> {
    let text = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let mut answer = Answer {
        call: call.to_owned(),
        status: response.status().as_u16(),
        content_type: text(header::CONTENT_TYPE).unwrap_or_else(|| "application/octet-stream".to_owned()),
        // A target may carry a session or a token in its query.
        location: text(header::LOCATION).map(|target| target.split(['?', ';']).next().unwrap_or_default().to_owned()),
        retry_after: text(header::RETRY_AFTER)
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs),
        cookies: response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .map(lossy)
            .collect(),
        body: Bytes::new(),
    };
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error, call))? {
        if body.len() + chunk.len() > limit {
            let text = format!("the answer is longer than {limit} bytes");
            return Err(Error::new(ErrorKind::TooLarge, call, text));
        }
        body.extend_from_slice(&chunk);
    }
    answer.body = body.freeze();
    Ok(answer)
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// A request that got no complete answer. The error's own text would name the URL, session included.
fn unreachable(error: &reqwest::Error, call: &str) -> Error {
    let text = match (error.is_connect(), error.is_timeout()) {
        (true, _) => "cannot connect",
        (_, true) => "no answer in time",
        _ => "the connection broke",
    };
    let cause = std::error::Error::source(error).map(chain).unwrap_or_default();
    Error::new(ErrorKind::Unreachable, call, format!("{text}: {cause}"))
}

/// An error with its causes, which say the interesting part.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_may_be_written_carelessly() {
        // As configured, as used.
        let cases = [
            ("http://localhost/ajax", "http://localhost/ajax/"),
            (
                " https://ox.example.com:8009/appsuite/api// ",
                "https://ox.example.com:8009/appsuite/api/",
            ),
            ("http://localhost", "http://localhost/"),
            ("http://localhost/ajax?x=1#y", "http://localhost/ajax/"),
        ];
        for (text, url) in cases {
            assert_eq!(base(text).unwrap().as_str(), url);
        }
    }

    #[test]
    fn a_wrong_url_is_explained() {
        for text in [
            "",
            "localhost/ajax",
            "ftp://localhost/",
            "http://anton:secret@localhost/ajax",
        ] {
            let error = Ox::new(text).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Configuration, "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[tokio::test]
    async fn no_server_is_unreachable() {
        // Port 1 is reserved and nothing listens there.
        let ox = Ox::new("http://127.0.0.1:1/ajax/").unwrap();
        let error = ox.alive().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(
            error
                .to_string()
                .starts_with("POST http://127.0.0.1:1/ajax/login?action=login: cannot connect: ")
        );
        assert_eq!(ox.calls(), 1);
    }
}
