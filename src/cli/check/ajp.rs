//! `oxtender check ajp`: asks a port whether AJP13 is spoken there, and what stands behind it.
//!
//! Plays the web server with [`ajp::client`]; changes nothing and needs no login. What is found is a [`Finding`] each, so
//! that words and exit status stand in one place.

use std::fmt;
use std::io;
use std::time::Duration;
use std::time::Instant;

use ajp::client::Client;
use ajp::client::ClientError;
use ajp::packet::ForwardRequest;
use bytes::Bytes;
use clap::Args;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::Response;
use http::StatusCode;
use http::header;
use http::uri::PathAndQuery;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long each step may take. What is on the same machine or in the next rack answers in a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Present in every answer of an ActiveSync server.
const ACTIVE_SYNC: &str = "ms-server-activesync";

#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the AJP port is: a name or an address, and the port. IPv6 in brackets.
    #[arg(value_name = "HOST:PORT")]
    pub address: String,
    /// The secret of the AJP port (com.openexchange.usm.eas.ajp.secret).
    #[arg(long, value_name = "WORD")]
    pub secret: Option<String>,
    /// The path to ask for.
    #[arg(long, default_value = "/Microsoft-Server-ActiveSync")]
    pub path: PathAndQuery,
}

/// Where phones ask.
pub(super) const fn default_path() -> PathAndQuery {
    PathAndQuery::from_static("/Microsoft-Server-ActiveSync")
}

/// One thing that was found. `Display` says it in plain words, with what to do where something is wrong.
#[derive(Debug)]
pub enum Finding {
    Unreachable { address: String, reason: String },
    Reachable { address: String },
    SpeaksHttp { server: Option<String> },
    NotAjp { reason: String },
    Pong { took: Duration },
    NoAnswer { reason: String },
    SecretMissing,
    SecretRefused,
    SecretAccepted,
    SecretNotAsked,
    NothingThere { path: String },
    ActiveSync { version: String, status: StatusCode },
    SomethingElse { server: Option<String>, status: StatusCode },
}

impl Finding {
    /// Whether this is as it should be.
    pub const fn is_good(&self) -> bool {
        matches!(
            self,
            Self::Reachable { .. }
                | Self::Pong { .. }
                | Self::SecretAccepted
                | Self::SecretNotAsked
                | Self::ActiveSync { .. }
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_good() { "ok    " } else { "WRONG " })?;
        let named = |server: &Option<String>| match server {
            Some(server) => format!(" (Server: {server})"),
            None => String::new(),
        };
        match self {
            Self::Unreachable { address, reason } => write!(
                f,
                "{address} cannot be reached: {reason}. Is the gateway running, is this its ajp.listen, is a firewall between?"
            ),
            Self::Reachable { address } => write!(f, "{address} can be reached."),
            Self::SpeaksHttp { server } => write!(
                f,
                "This port speaks HTTP, not AJP{}. Open-Xchange 7 and later have HTTP on port 8009: there, reach the gateway \
                 at another port, or let the web server use http:// instead of ajp://.",
                named(server)
            ),
            Self::NotAjp { reason } => write!(f, "This port speaks neither AJP nor HTTP: {reason}."),
            Self::Pong { took } => write!(
                f,
                "It is an AJP port: it answers CPING in {:.1} ms.",
                took.as_secs_f64() * 1000.0
            ),
            Self::NoAnswer { reason } => write!(f, "It does not answer a request: {reason}."),
            Self::SecretMissing => f.write_str(
                "It refuses requests without a secret (403). Try --secret with the value of ajp.secret; the web server needs \
                 it, too (ProxyPass ... secret=...).",
            ),
            Self::SecretRefused => f.write_str(
                "It refuses this secret (403). The web server must have the value of ajp.secret (ProxyPass ... secret=...).",
            ),
            Self::SecretAccepted => f.write_str("It takes this secret, or asks for none."),
            Self::SecretNotAsked => f.write_str("It asks for no secret."),
            Self::NothingThere { path } => write!(
                f,
                "Something answers, but it has nothing at {path} (404). Is it another program's AJP port, or is eas.alias \
                 another path?"
            ),
            Self::ActiveSync { version, status } => {
                write!(f, "An ActiveSync server stands behind it (version {version}")?;
                match *status {
                    StatusCode::UNAUTHORIZED => f.write_str("); it asks for a login, as it should."),
                    status => write!(f, "); it answers {status}."),
                }
            }
            Self::SomethingElse { server, status } => write!(
                f,
                "Something that is no ActiveSync server stands behind it; it answers {status}{}.",
                named(server)
            ),
        }
    }
}

/// Asks the port, telling each finding as it is found. Whether all were good.
pub async fn run(arguments: &Arguments, mut tell: impl FnMut(&Finding)) -> bool {
    let mut good = true;
    let mut tell = |finding: Finding| {
        good &= finding.is_good();
        tell(&finding);
    };
    if let Err(finding) = look(arguments, &mut tell).await {
        tell(finding);
    }
    good
}

/// Step by step, up to the first that goes wrong.
async fn look(arguments: &Arguments, tell: &mut impl FnMut(Finding)) -> Result<(), Finding> {
    let address = &arguments.address;
    let unreachable = |error: ClientError| Finding::Unreachable {
        address: address.clone(),
        reason: reason(&error),
    };
    let connecting = within(async { Client::connect(address).await.map_err(ClientError::from) });
    let mut client = connecting.await.map_err(unreachable)?;
    tell(Finding::Reachable {
        address: address.clone(),
    });
    let asked = Instant::now();
    if let Err(error) = within(client.cping()).await {
        return Err(other_protocol(address, &error).await);
    }
    tell(Finding::Pong { took: asked.elapsed() });
    let request = request(arguments);
    let answer = within(client.request(&request, b"")).await;
    let answer = answer.map_err(|error| Finding::NoAnswer { reason: reason(&error) })?;
    // A container that refuses the secret ends the connection, so that a 403 of what stands behind is told apart.
    if answer.response.status() == StatusCode::FORBIDDEN && !answer.reuse {
        return Err(match arguments.secret {
            Some(_) => Finding::SecretRefused,
            None => Finding::SecretMissing,
        });
    }
    tell(match arguments.secret {
        Some(_) => Finding::SecretAccepted,
        None => Finding::SecretNotAsked,
    });
    tell(behind(&answer.response, &arguments.path));
    Ok(())
}

fn request(arguments: &Arguments) -> ForwardRequest {
    let request = ForwardRequest::new(Method::OPTIONS, arguments.path.clone());
    let agent = HeaderValue::from_static(concat!("oxtender/", env!("CARGO_PKG_VERSION"), " check"));
    let request = request.header(header::USER_AGENT, agent);
    match &arguments.secret {
        Some(secret) => request.secret(secret),
        None => request,
    }
}

/// What the answer says about who gave it.
fn behind(response: &Response<Bytes>, path: &PathAndQuery) -> Finding {
    let status = response.status();
    let text = |name: HeaderName| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    match (text(HeaderName::from_static(ACTIVE_SYNC)), status) {
        (Some(version), _) => Finding::ActiveSync { version, status },
        (None, StatusCode::NOT_FOUND) => Finding::NothingThere { path: path.to_string() },
        (None, _) => Finding::SomethingElse {
            server: text(header::SERVER),
            status,
        },
    }
}

/// What a port speaks that does not know CPING.
async fn other_protocol(address: &str, error: &ClientError) -> Finding {
    match timeout(PATIENCE, speak_http(address)).await {
        Ok(Ok(answer)) if answer.starts_with("HTTP/") => {
            let mut lines = answer.lines().filter_map(|line| line.split_once(':'));
            let server = lines.find(|(name, _)| name.eq_ignore_ascii_case("server"));
            Finding::SpeaksHttp {
                server: server.map(|(_, value)| value.trim().to_owned()),
            }
        }
        _ => Finding::NotAjp { reason: reason(error) },
    }
}

/// The beginning of what comes back for an HTTP request.
async fn speak_http(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("OPTIONS / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn within<T>(step: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
    match timeout(PATIENCE, step).await {
        Ok(done) => done,
        Err(_) => Err(ClientError::Io(io::ErrorKind::TimedOut.into())),
    }
}

fn reason(error: &ClientError) -> String {
    match error {
        ClientError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            format!("no answer within {} s", PATIENCE.as_secs())
        }
        ClientError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => "it closes the connection".to_owned(),
        error => error.to_string(),
    }
}
