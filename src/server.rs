//! Builds the parts, opens the doors, routes by path, and drains on shutdown.
//!
//! One handler stands behind both doors: AJP13 for mod_proxy_ajp and plain HTTP/1.1 for other proxies. A third, for the
//! administrator, has `/health` and `/metrics`.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use http_body::Body;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Cache;
use crate::config::Config;
use crate::config::HostPort;
use crate::eas::Eas;
use crate::eas::Heartbeat;
use crate::eas::Services;
use crate::eas::options::Limits;
use crate::eas::results::Results;
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::ox::Ox;
use crate::session::Access;
use crate::session::Sessions;
use crate::store::Store;
use crate::usm::listing::Listings;

/// How long requests that are running at the time of the signal may take to end.
const DRAIN: Duration = Duration::from_secs(20);

/// Notes of what was applied are kept for so long: a phone that comes back later repeats nothing.
const NOTES_LIFETIME: Duration = Duration::from_secs(14 * 24 * 3600);

/// How often old notes are cleared away.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// Why the gateway cannot start. The texts say what to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the OX URL cannot be used: {0}")]
    Ox(#[from] crate::ox::Error),
    #[error("the database cannot be used: {0}")]
    Store(#[from] crate::store::Error),
    #[error(
        "cannot listen on {address} ({key}): {source}; \
         is another server using the port? Stop it, or change {key} in eas.properties"
    )]
    Listen {
        key: &'static str,
        address: String,
        source: std::io::Error,
    },
}

/// The gateway with its doors open.
pub struct Server {
    gateway: Gateway,
    ajp: Option<(TcpListener, ajp::Server)>,
    http: Option<TcpListener>,
    admin: Option<TcpListener>,
}

impl Server {
    /// Builds everything and binds the doors; requests are answered once [`Server::run`] runs.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let gateway = Gateway::build(&config).await?;
        let listen = &config.listen;
        let secret = listen
            .ajp_secret
            .as_ref()
            .map(|secret| secret.expose_secret().to_owned());
        let ajp = bind("com.openexchange.usm.eas.ajp.listen", &listen.ajp).await?;
        let http = bind("com.openexchange.usm.eas.http.listen", &listen.http).await?;
        let admin = bind("com.openexchange.usm.eas.admin.listen", &listen.admin).await?;
        let ajp = ajp.map(|listener| {
            (
                listener,
                ajp::Server::new(ajp::Config {
                    secret,
                    ..ajp::Config::default()
                }),
            )
        });
        Ok(Self {
            gateway,
            ajp,
            http,
            admin,
        })
    }

    /// Serves until `shutdown` is ready, then lets the running requests end: who waits for changes is answered now.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self {
            gateway,
            ajp,
            http,
            admin,
        } = self;
        let stop = CancellationToken::new();
        let mut doors = JoinSet::new();
        if let Some((listener, server)) = ajp {
            let service = gateway.clone();
            let service = ajp::service_fn(move |request| {
                let service = service.clone();
                async move { Ok::<_, Infallible>(service.handle(request).await) }
            });
            let stopped = stop.clone().cancelled_owned();
            doors.spawn(async move {
                if let Err(error) = server.serve(listener, service, stopped).await {
                    log::error!("the AJP door is closed: {error}");
                }
            });
        }
        if let Some(listener) = http {
            doors.spawn(serve_http(listener, gateway.clone(), stop.clone()));
        }
        if let Some(listener) = admin {
            doors.spawn(serve_http(listener, Admin(gateway.clone()), stop.clone()));
        }
        let housekeeping = tokio::spawn(keep_house(gateway.clone()));
        shutdown.await;
        log::info!("stopping: running requests may take {} s to end", DRAIN.as_secs());
        stop.cancel();
        gateway.sessions.stop();
        if tokio::time::timeout(DRAIN, async { while doors.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            log::warn!("requests that did not end in time are cut off");
        }
        housekeeping.abort();
        gateway.sessions.sweep(Duration::ZERO).await;
    }
}

async fn bind(key: &'static str, address: &Option<HostPort>) -> Result<Option<TcpListener>, StartError> {
    let Some(address) = address else { return Ok(None) };
    let failed = |source| StartError::Listen {
        key,
        address: address.to_string(),
        source,
    };
    let listener = TcpListener::bind((address.host.as_str(), address.port))
        .await
        .map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    log::info!("listening on {bound} ({key})");
    Ok(Some(listener))
}

/// What all doors share.
#[derive(Clone)]
struct Gateway {
    eas: Eas,
    alias: Arc<str>,
    sessions: Arc<Sessions>,
    notifier: Notifier,
    store: Arc<Store>,
    ox: Ox,
    metrics: Arc<Metrics>,
    cache: Cache,
}

impl Gateway {
    async fn build(config: &Config) -> Result<Self, StartError> {
        let ox = Ox::new(config.ox.url.as_str())?;
        let store = Arc::new(Store::open(&config.database).await?);
        let access = Access {
            module: config.access.module.clone(),
            active_sync: config.access.active_sync,
        };
        let sessions = Arc::new(Sessions::new(ox.clone(), store.clone(), access));
        let notifier = Notifier::new(config.ping.poll_interval);
        let pattern = config.eas.login_pattern.clone();
        let services = Services {
            notifier: notifier.clone(),
            listings: Listings::default(),
            results: Results::default(),
            heartbeat: Heartbeat {
                min: config.ping.min_heartbeat,
                max: config.ping.max_heartbeat,
            },
            limits: Limits {
                mail_age: config.limits.mail_age,
                objects_per_folder: config.limits.objects_per_folder,
            },
            new_key_on_empty_sync: config.eas.new_sync_key_on_empty_sync,
            folder_selection: config.eas.folder_selection,
            login: Box::new(move |domain, user| pattern.login(domain, user)),
        };
        let metrics = Arc::new(Metrics::new());
        let counted = metrics.clone();
        let eas = Eas::new(services, sessions.clone(), move |record| {
            counted.request(
                &record.command,
                &record.version,
                record.http,
                record.status,
                record.took,
                record.ox_calls,
            );
        });
        Ok(Self {
            eas,
            alias: config.eas.alias.as_str().into(),
            sessions,
            notifier,
            store,
            ox,
            metrics,
            cache: config.cache.clone(),
        })
    }

    /// The path of the alias in any letter case, with a slash or `default.eas` behind it, is ActiveSync; nothing else is.
    async fn handle<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let response = match is_alias(request.uri().path(), &self.alias) {
            true => self.eas.handle(request).await,
            false => {
                log::info!("{} {}: there is nothing here", request.method(), request.uri().path());
                plain(StatusCode::NOT_FOUND, "text/plain", "there is nothing here\n".into())
            }
        };
        response.map(Full::new)
    }
}

fn is_alias(path: &str, alias: &str) -> bool {
    let Some((head, rest)) = path.split_at_checked(alias.len()) else {
        return false;
    };
    head.eq_ignore_ascii_case(alias) && (rest.is_empty() || rest == "/" || rest.eq_ignore_ascii_case("/default.eas"))
}

/// What stands behind an HTTP door.
trait Handler: Clone + Send + Sync + 'static {
    fn handle(&self, request: Request<hyper::body::Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

impl Handler for Gateway {
    async fn handle(&self, request: Request<hyper::body::Incoming>) -> Response<Full<Bytes>> {
        Self::handle(self, request).await
    }
}

/// The administrator's door.
#[derive(Clone)]
struct Admin(Gateway);

impl Handler for Admin {
    async fn handle(&self, request: Request<hyper::body::Incoming>) -> Response<Full<Bytes>> {
        let gateway = &self.0;
        let response = match request.uri().path() {
            "/health" => health(gateway).await,
            "/metrics" => {
                gateway
                    .metrics
                    .gauges(gateway.sessions.count(), gateway.notifier.count(), gateway.ox.calls());
                plain(StatusCode::OK, Metrics::CONTENT_TYPE, gateway.metrics.text())
            }
            _ => plain(
                StatusCode::NOT_FOUND,
                "text/plain",
                "/health and /metrics are here\n".into(),
            ),
        };
        response.map(Full::new)
    }
}

/// 200 if OX and the database answer, else 503; why not stands beside the part.
async fn health(gateway: &Gateway) -> Response<Bytes> {
    let (ox, store) = tokio::join!(gateway.ox.alive(), gateway.store.ping());
    let ox = ox.map_err(|error| error.to_string());
    let store = store.map_err(|error| error.to_string());
    let well = ox.is_ok() && store.is_ok();
    let part = |result: Result<(), String>| match result {
        Ok(()) => serde_json::json!({ "ok": true }),
        Err(reason) => serde_json::json!({ "ok": false, "reason": reason }),
    };
    let body = serde_json::json!({ "ok": well, "ox": part(ox), "database": part(store) });
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    plain(status, "application/json", format!("{body}\n"))
}

fn plain(status: StatusCode, content_type: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

/// HTTP/1.1 until the stop, then until the connections have ended.
async fn serve_http(listener: TcpListener, handler: impl Handler, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: connections that end make room.
                log::warn!("accepting a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let handler = handler.clone();
        let service = hyper::service::service_fn(move |request| {
            let handler = handler.clone();
            async move { Ok::<_, Infallible>(handler.handle(request).await) }
        });
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                log::debug!("an HTTP connection broke off: {error}");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Creates tables where they are missing, logs out idle devices, forgets old notes, and says now and then how it goes.
async fn keep_house(gateway: Gateway) {
    let mut hour = Interval::new(HOUSEKEEPING);
    let mut log = Interval::new(gateway.cache.log_interval);
    prepare_tables(&gateway).await;
    loop {
        tokio::time::sleep(gateway.cache.check_interval).await;
        gateway.sessions.sweep(gateway.cache.session_timeout).await;
        if log.is_over() {
            let (devices, users) = (gateway.sessions.count(), gateway.notifier.count());
            log::info!(
                "{devices} devices, {users} users waited for, {} OX calls",
                gateway.ox.calls()
            );
        }
        if hour.is_over() {
            prepare_tables(&gateway).await;
            forget_old_notes(&gateway).await;
        }
    }
}

/// OX can move a context only into a schema that has the tables, so that they must not wait for a first login.
async fn prepare_tables(gateway: &Gateway) {
    if let Err(error) = gateway.store.prepare_all().await {
        log::warn!("creating tables: {error}");
    }
}

async fn forget_old_notes(gateway: &Gateway) {
    let lifetime = i64::try_from(NOTES_LIFETIME.as_millis()).unwrap_or(i64::MAX);
    let before = jiff::Timestamp::now().as_millisecond().saturating_sub(lifetime);
    if let Err(error) = gateway.store.forget_notes_before(before).await {
        log::warn!("clearing away old notes: {error}");
    }
}

/// A time that passes again and again.
struct Interval {
    length: Duration,
    since: Instant,
}

impl Interval {
    fn new(length: Duration) -> Self {
        Self {
            length,
            since: Instant::now(),
        }
    }

    /// Once for each time that the interval has passed.
    fn is_over(&mut self) -> bool {
        if self.since.elapsed() < self.length {
            return false;
        }
        self.since = Instant::now();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_alias() {
        let alias = "/Microsoft-Server-ActiveSync";
        let cases = [
            ("/Microsoft-Server-ActiveSync", true),
            ("/microsoft-server-activesync", true),
            ("/Microsoft-Server-ActiveSync/", true),
            ("/Microsoft-Server-ActiveSync/default.eas", true),
            ("/Microsoft-Server-ActiveSync2", false),
            ("/Microsoft-Server-ActiveSyn", false),
            ("/", false),
            ("/Micro\u{17f}oft-Server-ActiveSync", false),
        ];
        for (path, expected) in cases {
            assert_eq!(is_alias(path, alias), expected, "{path}");
        }
    }
}
