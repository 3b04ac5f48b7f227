//! Builds the parts, opens the doors, routes by path, compresses answers, and drains at the stop.
//!
//! One handler stands behind both doors: AJP13 for mod_proxy_ajp and plain HTTP/1.1 for other web servers. A third, for the
//! administrator, has `/health` and `/metrics`.

mod admin;
mod doors;
mod health;
mod housekeeping;
mod http_door;
mod origin;
mod reload;
mod serving;
mod waits;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
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
pub use self::doors::check_exposure;
use self::http_door::Handler;
use self::http_door::HttpDoor;
pub use self::reload::Reloader;
use self::serving::Lasting;
use self::serving::Serving;
use crate::coding;
use crate::config::Config;
use crate::config::Doors;
use crate::config::Values;
use crate::config::Warning;
use crate::config::keys;
use crate::eas;
use crate::eas::origin::Origin;
use crate::notify::Notifier;
use crate::ox::Ox;
use crate::session::Sessions;
use crate::store::Store;

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
    values: Values,
}

impl Server {
    /// Builds everything and opens the doors; requests are answered once [`Server::run`] runs.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Ok(Self {
            gateway: Gateway::build(&config).await?,
            listeners: Listeners::open(&config.doors).await?,
            config: config.doors,
            values: config.values,
        })
    }

    /// What the administrator should know of the configuration in force; `/health` shows it.
    pub fn note_configuration(&self, warnings: &[Warning]) {
        self.gateway.lasting.health.note_configuration(warnings);
    }

    /// Changes its configuration while it runs.
    pub fn reloader(&self) -> Reloader {
        Reloader {
            gateway: self.gateway.clone(),
            values: self.values.clone(),
        }
    }

    /// Serves until `shutdown` is ready, then comes to rest within [`Doors::stop_timeout`]: no new requests; running ones
    /// end; who waits for changes is answered early, one device after the other.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self {
            gateway,
            listeners,
            config,
            ..
        } = self;
        let stop = CancellationToken::new();
        let mut doors = JoinSet::new();
        let ajp = ajp_server(&config);
        gateway.lasting.health.note_listeners(&listeners, ajp.clone());
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
        tokio::join!(ended, gateway.lasting.sessions.stop(config.stop_timeout / SPREAD));
        // A session that is not logged out ends by itself at OX.
        let logged_out = gateway.lasting.sessions.sweep(Duration::ZERO);
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
        let origin = origin::of_ajp(&peer, request.headers(), &gateway.serving().trusted_proxies);
        async move { Ok::<_, Infallible>(gateway.handle(origin, request).await) }
    });
    if let Err(error) = server.serve(listener, service, stop.cancelled_owned()).await {
        log::error!("the AJP door is closed: {error}");
    }
}

/// What all doors share.
#[derive(Clone)]
struct Gateway {
    /// For the requests that come now; another one when the configuration was read again.
    serving: Arc<RwLock<Arc<Serving>>>,
    lasting: Lasting,
    store: Arc<Store>,
    ox: Ox,
}

impl Gateway {
    async fn build(config: &Config) -> Result<Self, StartError> {
        let ox = Ox::new(config.ox.url.as_str())?;
        let store = Arc::new(Store::open(&config.database).await?);
        let sessions = Sessions::new(ox.clone(), store.clone(), serving::access(config), eas::PROTOCOL);
        let lasting = Lasting::new(sessions, Notifier::new(config.ping.poll_interval));
        let serving = Arc::new(Serving::new(config, &lasting));
        Ok(Self {
            serving: Arc::new(RwLock::new(serving)),
            lasting,
            store,
            ox,
        })
    }

    fn serving(&self) -> Arc<Serving> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves new requests with this configuration.
    fn follow(&self, config: &Config) {
        let serving = Arc::new(Serving::new(config, &self.lasting));
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = serving;
        self.lasting.follow(config);
    }

    /// Who asks for it gets his answer compressed.
    async fn handle<B>(&self, origin: Origin, mut request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let accepts_gzip = coding::accepts_gzip(request.headers());
        let eas = &self.serving().eas;
        let mut response = match eas.endpoint(request.uri().path()) {
            Some(endpoint) => {
                request.extensions_mut().insert(origin);
                eas.handle(endpoint, request).await
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
        let origin = origin::of_http(peer, request.headers(), &self.serving().trusted_proxies);
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
