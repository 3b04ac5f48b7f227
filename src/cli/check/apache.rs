//! The web server as phones see it: does it lead to the gateway, and does it take their mail?
//!
//! Asks without a login, and for no longer than an answer takes: how long it would let a phone wait stands in its
//! configuration, see `apache_config`.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::Method;
use http::StatusCode;
use http::header;
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

/// One request without a login. The error says why there is no answer, and its causes.
pub(super) async fn ask(method: Method, url: Url, body: Vec<u8>, patience: Duration) -> Result<Answer, String> {
    let asking = async {
        let client = ox::http_client(&url)?;
        let agent = concat!("oxtender/", env!("CARGO_PKG_VERSION"), " check");
        let request = client.request(method, url).header(header::USER_AGENT, agent);
        let response = request.timeout(patience).body(body).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await?;
        Ok(Answer { status, headers, body })
    };
    asking.await.map_err(|error: reqwest::Error| {
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    })
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
    let answer = match ask(Method::OPTIONS, url.clone(), Vec::new(), PATIENCE).await {
        Ok(answer) => answer,
        Err(reason) => {
            let change =
                "the name, the firewall, or SSLCertificateFile of the virtual host: a phone would see the same";
            return report.error(PART, format!("{url} does not answer: {reason}"), change);
        }
    };
    let status = answer.status;
    if let Some(version) = answer.text(ACTIVE_SYNC) {
        report.ok(
            PART,
            format!("{url} leads to an ActiveSync server (version {version}), which answers {status}"),
        );
        return large_body(&url, review, config, report).await;
    }
    let server = answer
        .text(header::SERVER)
        .map_or_else(String::new, |server| format!(" (Server: {server})"));
    let (what, change) = elsewhere(status, config, review);
    report.error(PART, format!("{url} answers {status}{server}: {what}"), change);
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
async fn large_body(url: &Url, review: &Review, config: &Config, report: &mut Report<'_>) {
    let answer = ask(Method::POST, url.clone(), vec![0; LARGE], PATIENCE).await;
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
