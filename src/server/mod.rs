//! Builds the parts, opens the doors, routes by path, compresses answers, and drains at the stop.
//!
//! One handler stands behind both doors: AJP13 for mod_proxy_ajp and plain HTTP/1.1 for other web servers. A third, for the
//! administrator, has `/health` and `/metrics`.

mod admin;
mod doors;
mod housekeeping;
mod http_door;
mod origin;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use sd_notify::NotifyState;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::admin::Admin;
use self::doors::Listeners;
use self::http_door::Handler;
use self::http_door::HttpDoor;
use crate::coding;
use crate::config::Cache;
use crate::config::Config;
use crate::config::Doors;
use crate::config::Networks;
use crate::config::keys;
use crate::eas;
use crate::eas::Eas;
use crate::eas::Heartbeat;
use crate::eas::Services;
use crate::eas::address::Addresses;
use crate::eas::options::Limits;
use crate::eas::origin::Origin;
use crate::eas::record;
use crate::eas::redirect::Redirects;
use crate::eas::results::Results;
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::ox::Ox;
use crate::session::Access;
use crate::session::Sessions;
use crate::store::Store;
use crate::usm::brake;
use crate::usm::brake::Brakes;
use crate::usm::generations::Generations;
use crate::usm::listing::Listings;

/// Connections of those who watch us: more of them are a mistake.
const ADMIN_CONNECTIONS: usize = 64;

/// At the stop, the waits of all devices are ended within this part of the time that requests have.
const SPREAD: u32 = 4;

/// Why the gateway cannot start. The texts say what to change; what lies beneath is the source.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the OX URL cannot be used")]
    Ox(#[from] crate::ox::Error),
    #[error("the database cannot be used")]
    Store(#[from] crate::store::Error),
    #[error(
        "cannot listen on {address} ({key}); is another server using the port? Stop it, or change {key} in \
         eas.properties"
    )]
    Listen {
        key: &'static str,
        address: String,
        source: std::io::Error,
    },
    #[error(
        "the service manager hands over a socket called {name:?}, which cannot be used: {reason}; \
         name the sockets ajp, http and admin with FileDescriptorName= in their socket units"
    )]
    Inherited { name: String, reason: String },
    #[error(
        "the AJP port on {address} ({listen}) can be reached from other machines and asks for no secret, so that anybody there \
         could pose as the web server; in eas.properties, set {secret} and give the web server the same one \
         (ProxyPass ... secret=...), or set {listen} to an address of this machine only (127.0.0.1:8009), or, if a firewall \
         keeps everybody else from the port, set {allow}=true",
        listen = keys::AJP_LISTEN.name,
        secret = keys::AJP_SECRET.name,
        allow = keys::AJP_ALLOW_REMOTE_WITHOUT_SECRET.name
    )]
    Exposed { address: String },
}

/// The gateway with its doors open.
pub struct Server {
    gateway: Gateway,
    listeners: Listeners,
    config: Doors,
}

impl Server {
    /// Builds everything and opens the doors; requests are answered once [`Server::run`] runs.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Ok(Self {
            gateway: Gateway::build(&config).await?,
            listeners: Listeners::open(&config.doors).await?,
            config: config.doors,
        })
    }

    /// Serves until `shutdown` is ready, then comes to rest within [`Doors::stop_timeout`]: no new requests; running ones
    /// end; who waits for changes is answered early, one device after the other.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self {
            gateway,
            listeners,
            config,
        } = self;
        let stop = CancellationToken::new();
        let mut doors = JoinSet::new();
        let ajp = ajp_server(&config);
        for listener in listeners.ajp {
            doors.spawn(serve_ajp(ajp.clone(), listener, gateway.clone(), stop.clone()));
        }
        for listener in listeners.http {
            let door = HttpDoor {
                handler: gateway.clone(),
                max_connections: config.http.max_connections,
                stop_timeout: config.stop_timeout,
                stop: stop.clone(),
            };
            doors.spawn(door.serve(listener));
        }
        // The administrator sees how the others stop; what is his ends when this function does.
        let mut watched = JoinSet::new();
        for listener in listeners.admin {
            let door = HttpDoor {
                handler: Admin {
                    gateway: gateway.clone(),
                    stop: stop.clone(),
                },
                max_connections: ADMIN_CONNECTIONS,
                stop_timeout: config.stop_timeout,
                stop: CancellationToken::new(),
            };
            watched.spawn(door.serve(listener));
        }
        watched.spawn(housekeeping::keep_house(gateway.clone()));
        tell_service_manager(NotifyState::Ready);
        shutdown.await;
        tell_service_manager(NotifyState::Stopping);
        let end = Instant::now() + config.stop_timeout;
        log::info!(
            "stopping: running requests may take {} s to end",
            config.stop_timeout.as_secs()
        );
        stop.cancel();
        let ended = async { while doors.join_next().await.is_some() {} };
        tokio::join!(ended, gateway.sessions.stop(config.stop_timeout / SPREAD));
        // A session that is not logged out ends by itself at OX.
        let logged_out = gateway.sessions.sweep(Duration::ZERO);
        if tokio::time::timeout_at(end, logged_out).await.is_err() {
            log::info!("not all sessions at OX were logged out in time");
        }
    }
}

fn tell_service_manager(state: NotifyState<'_>) {
    // A start script listens for readiness only, and is gone at the stop.
    let level = match state {
        NotifyState::Ready => log::Level::Warn,
        _ => log::Level::Debug,
    };
    if let Err(error) = sd_notify::notify(&[state]) {
        log::log!(level, "the service manager cannot be told: {error}");
    }
}

fn ajp_server(config: &Doors) -> ajp::Server {
    let door = &config.ajp;
    ajp::Server::new(ajp::Config {
        secret: door.secret.as_ref().map(|secret| secret.expose_secret().to_owned()),
        allow_remote_without_secret: door.allow_remote_without_secret,
        packet_size: door.packet_size,
        max_connections: door.max_connections,
        max_header_bytes: door.max_header_bytes,
        packet_timeout: door.packet_timeout,
        body_timeout: door.body_timeout,
        write_timeout: door.write_timeout,
        idle_timeout: door.idle_timeout,
        parked_flush: door.flush_interval,
        shutdown_timeout: config.stop_timeout,
        ..ajp::Config::default()
    })
}

async fn serve_ajp(server: ajp::Server, listener: TcpListener, gateway: Gateway, stop: CancellationToken) {
    let service = ajp::service_fn(move |mut request: Request<ajp::Body>| {
        let gateway = gateway.clone();
        let peer = request.extensions_mut().remove::<ajp::Peer>().unwrap_or_default();
        let origin = origin::of_ajp(&peer, request.headers(), &gateway.trusted_proxies);
        async move { Ok::<_, Infallible>(gateway.handle(origin, request).await) }
    });
    if let Err(error) = server.serve(listener, service, stop.cancelled_owned()).await {
        log::error!("the AJP door is closed: {error}");
    }
}

/// What all doors share.
#[derive(Clone)]
struct Gateway {
    eas: Eas,
    trusted_proxies: Arc<Networks>,
    sessions: Arc<Sessions>,
    notifier: Notifier,
    store: Arc<Store>,
    ox: Ox,
    metrics: Arc<Metrics>,
    cache: Cache,
    /// How long the journal is kept.
    journal_lifetime: Duration,
}

impl Gateway {
    async fn build(config: &Config) -> Result<Self, StartError> {
        let ox = Ox::new(config.ox.url.as_str())?;
        let store = Arc::new(Store::open(&config.database).await?);
        let access = Access {
            module: config.access.module.clone(),
            active_sync: config.access.active_sync,
        };
        let sessions = Arc::new(Sessions::new(ox.clone(), store.clone(), access, eas::PROTOCOL));
        let notifier = Notifier::new(config.ping.poll_interval);
        let pattern = config.eas.login_pattern.clone();
        let services = Services {
            notifier: notifier.clone(),
            listings: Listings::default(),
            brakes: Brakes::default(),
            generations: Generations::new(config.history.generations),
            clock: Box::new(|| jiff::Timestamp::now().as_millisecond()),
            results: Results::default(),
            heartbeat: Heartbeat {
                min: config.ping.min_heartbeat,
                max: config.ping.max_heartbeat,
            },
            limits: Limits {
                mail_age: config.limits.mail_age,
                objects_per_folder: config.limits.objects_per_folder,
                deletions: brake::Limits {
                    items: config.limits.deletions,
                    percent: config.limits.deletions_percent,
                },
            },
            largest_body: config.limits.body_bytes,
            new_key_on_empty_sync: config.eas.new_sync_key_on_empty_sync,
            folder_selection: config.eas.folder_selection,
            login: Box::new(move |domain, user| pattern.login(domain, user)),
            addresses: Addresses {
                alias: config.eas.alias.clone(),
                autodiscover: config.eas.autodiscover_alias.clone(),
                public_url: config.eas.public_url.clone(),
            },
            redirects: Redirects::new(
                config
                    .eas
                    .redirects
                    .iter()
                    .map(|rule| (rule.logins.clone(), rule.url.clone())),
            ),
        };
        let metrics = Arc::new(Metrics::new());
        let counted = metrics.clone();
        let eas = Eas::new(services, sessions.clone(), move |record| {
            counted.request(
                record::label(&record.command),
                &record.version,
                record.http,
                record.status,
                record.took,
                record.ox_calls,
            );
            if !record.ignored.is_empty() {
                counted.ignored(&record.version, record.ignored.len());
            }
        });
        Ok(Self {
            eas,
            trusted_proxies: Arc::new(config.doors.http.trusted_proxies.clone()),
            sessions,
            notifier,
            store,
            ox,
            metrics,
            cache: config.cache.clone(),
            journal_lifetime: config.history.journal_lifetime,
        })
    }

    /// Who asks for it gets his answer compressed.
    async fn handle<B>(&self, origin: Origin, mut request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let accepts_gzip = coding::accepts_gzip(request.headers());
        let mut response = match self.eas.endpoint(request.uri().path()) {
            Some(endpoint) => {
                request.extensions_mut().insert(origin);
                self.eas.handle(endpoint, request).await
            }
            None => {
                let (method, path) = (request.method(), request.uri().path());
                log::info!("{method} {path} from={origin}: there is nothing here");
                plain(StatusCode::NOT_FOUND, "text/plain", "there is nothing here\n".into())
            }
        };
        if accepts_gzip {
            coding::compress(&mut response);
        }
        response.map(Full::new)
    }
}

impl Handler for Gateway {
    async fn handle(&self, peer: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let origin = origin::of_http(peer, request.headers(), &self.trusted_proxies);
        Self::handle(self, origin, request).await
    }
}

fn plain(status: StatusCode, content_type: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}
