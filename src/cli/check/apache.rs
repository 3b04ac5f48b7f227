//! The web server as phones see it: does it lead to the gateway, and does it take their mail?
//!
//! Asks without a login, and for no longer than an answer takes: how long it would let a phone wait stands in its
//! configuration, see `apache_config`. A certificate that this host does not trust is a finding of its own, and what lies
//! behind it is looked at all the same.

use std::error;
use std::io;
use std::iter;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::Method;
use http::StatusCode;
use http::header;
use reqwest::redirect::Policy;
use rustls::CertificateError;
use url::Url;

use super::finding::Report;
use crate::config::Config;
use crate::config::keys;
use crate::config::review::Review;
use crate::ox;

const PART: &str = "apache";

const PATIENCE: Duration = Duration::from_secs(20);

/// More than the 1 MiB that nginx takes by default; a photograph in a mail is larger.
const LARGE: usize = 2 << 20;

/// In every answer of an ActiveSync server.
const ACTIVE_SYNC: &str = "ms-server-activesync";

/// What came back.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    fn text(&self, name: impl header::AsHeaderName) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}

/// Why nothing came back, with its causes.
pub(super) struct Silence {
    reason: String,
    /// What is wrong with the certificate, if it is that.
    certificate: Option<CertificateError>,
}

impl From<reqwest::Error> for Silence {
    fn from(error: reqwest::Error) -> Self {
        let error: &(dyn error::Error + 'static) = &error;
        let causes = || iter::successors(Some(error), |error| error.source());
        Self {
            reason: causes().map(ToString::to_string).collect::<Vec<_>>().join(": "),
            certificate: causes().find_map(certificate_error),
        }
    }
}

/// An error of TLS travels in one of input and output, which hides it from those who ask for its source.
fn certificate_error(error: &(dyn error::Error + 'static)) -> Option<CertificateError> {
    if let Some(carrier) = error.downcast_ref::<io::Error>() {
        return certificate_error(carrier.get_ref()?);
    }
    match error.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(reason) => Some(reason.clone()),
        _ => None,
    }
}

/// Whose certificates are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certificates {
    /// Those that this host trusts.
    Trusted,
    /// Everybody's. Nothing is sent but what anybody may know.
    Any,
}

/// One request without a login.
pub(super) async fn ask(
    method: Method,
    url: Url,
    body: Vec<u8>,
    patience: Duration,
    certificates: Certificates,
) -> Result<Answer, Silence> {
    let asking = async {
        let client = match certificates {
            Certificates::Trusted => ox::http_client(&url)?,
            Certificates::Any => reqwest::Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .tls_danger_accept_invalid_certs(true)
                .build()?,
        };
        let agent = concat!("oxtender/", env!("CARGO_PKG_VERSION"), " check");
        let request = client.request(method, url).header(header::USER_AGENT, agent);
        let response = request.timeout(patience).body(body).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await?;
        Ok(Answer { status, headers, body })
    };
    asking.await.map_err(|error: reqwest::Error| error.into())
}

pub(super) async fn check(url: &Url, config: &Config, review: &Review, report: &mut Report<'_>) {
    let mut url = url.clone();
    url.set_path(&config.eas.alias);
    match url.scheme() {
        "https" => {}
        "http" => report.warning(
            PART,
            format!("{url}: phones send passwords, which anybody on the way can read without TLS"),
            "https, and SSLEngine on in the virtual host",
        ),
        _ => {
            return report.error(
                PART,
                format!("{url} is no URL of a web server"),
                "--apache https://HOST",
            );
        }
    }
    let options = |certificates| ask(Method::OPTIONS, url.clone(), Vec::new(), PATIENCE, certificates);
    let mut certificates = Certificates::Trusted;
    let mut answer = options(certificates).await;
    if let Err(Silence {
        certificate: Some(reason),
        ..
    }) = &answer
    {
        bad_certificate(&url, reason, report);
        certificates = Certificates::Any;
        answer = options(certificates).await;
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(Silence { reason, .. }) => {
            let change =
                "the name, the firewall, or Listen and SSLEngine of the web server: a phone would see the same";
            return report.error(PART, format!("{url} does not answer: {reason}"), change);
        }
    };
    let status = answer.status;
    if let Some(version) = answer.text(ACTIVE_SYNC) {
        report.ok(
            PART,
            format!("{url} leads to an ActiveSync server (version {version}), which answers {status}"),
        );
        return large_body(&url, certificates, review, config, report).await;
    }
    let server = answer
        .text(header::SERVER)
        .map_or_else(String::new, |server| format!(" (Server: {server})"));
    let (what, change) = elsewhere(status, config, review);
    report.error(PART, format!("{url} answers {status}{server}: {what}"), change);
}

/// An authority that nobody here knows may be one that the phones know; what is wrong otherwise is wrong for them, too.
fn bad_certificate(url: &Url, reason: &CertificateError, report: &mut Report<'_>) {
    let host = url.host_str().unwrap_or_default();
    match reason {
        CertificateError::UnknownIssuer => report.warning(
            PART,
            format!("{url}: this host does not know who issued the certificate of the web server ({reason}); phones that do not know either refuse it, or ask their user"),
            "SSLCertificateFile, with the certificates up to a known authority; if the authority is your own, give its certificate to the \
             phones, and to this host (/usr/local/share/ca-certificates/NAME.crt, then update-ca-certificates)",
        ),
        _ => report.error(
            PART,
            format!("{url}: phones refuse the certificate of the web server: {reason}"),
            format!("SSLCertificateFile of the virtual host: a certificate that names {host} and is valid today"),
        ),
    }
}

/// What an answer means that does not come from the gateway, and what to change.
fn elsewhere(status: StatusCode, config: &Config, review: &Review) -> (&'static str, String) {
    let alias = &config.eas.alias;
    let listen = config.doors.ajp.listen.as_ref().map(ToString::to_string);
    let listen = listen.unwrap_or_else(|| "HOST:PORT".to_owned());
    let line = format!("ProxyPass {alias} ajp://{listen}{alias} smax=0 ttl=60 retry=5 timeout=3700");
    match status.as_u16() {
        403 if config.doors.ajp.secret.is_some() => (
            "the web server sends the gateway another secret, or none, or itself lets nobody in",
            format!(
                "secret=WORD at the end of the ProxyPass line, with the value of {}",
                keys::AJP_SECRET.name
            ),
        ),
        300..=399 => (
            "the web server sends phones elsewhere, and they do not follow",
            "the Redirect or RewriteRule that covers this path".to_owned(),
        ),
        502..=504 => (
            "the web server does not reach the gateway",
            format!(
                "start the gateway, or the address in {line}, or {}",
                review.line(&keys::AJP_LISTEN, &listen)
            ),
        ),
        _ => ("the web server does not forward this path to the gateway", line),
    }
}

/// A request as large as one with a small photograph. It has no login, so that it is refused, but by whom?
async fn large_body(url: &Url, certificates: Certificates, review: &Review, config: &Config, report: &mut Report<'_>) {
    let answer = ask(Method::POST, url.clone(), vec![0; LARGE], PATIENCE, certificates).await;
    let megabytes = LARGE >> 20;
    match answer {
        Ok(answer) if answer.status == StatusCode::PAYLOAD_TOO_LARGE && config.limits.body_bytes < LARGE => report
            .warning(
                PART,
                format!("the gateway takes no request of {megabytes} MiB, so that mail with a picture is lost"),
                review.line(&keys::MAX_BODY_BYTES, keys::MAX_BODY_BYTES.default),
            ),
        Ok(answer) if answer.status == StatusCode::PAYLOAD_TOO_LARGE => report.error(
            PART,
            format!("{url}: the web server takes no request of {megabytes} MiB, so that mail with a picture is lost"),
            format!(
                "LimitRequestBody {} (nginx: client_max_body_size)",
                config.limits.body_bytes
            ),
        ),
        Ok(_) => report.ok(PART, format!("requests of {megabytes} MiB come through")),
        // Refused before it was read, and the connection closed: nothing is learned from that.
        Err(_) => {}
    }
}
