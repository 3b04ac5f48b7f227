//! The listener: accepts connections, serves each in a task of its own, and comes to rest in good order.
//!
//! What happens on one connection is in `conversation`, its socket in `link`. Nothing here knows a packet.

mod conversation;
mod deadline;
mod exchange;
mod link;
mod stop;
mod work;

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::Response;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower_service::Service;

use crate::body::Body;
use crate::config::Config;
use stop::Stop;
use stop::Stopping;

/// How long to wait after a failed accept. It fails for want of file descriptors, and those come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An AJP13 server.
#[derive(Debug, Clone)]
pub struct Server {
    config: Arc<Config>,
    refused_secrets: Arc<AtomicU64>,
}

impl Server {
    /// A server with these settings.
    pub fn new(config: Config) -> Self {
        Self {
            config: Arc::new(config),
            refused_secrets: Arc::default(),
        }
    }

    /// How many requests came with a wrong secret, or with none where one is needed; counted over all clones. A web server
    /// that was given another secret shows here.
    pub fn refused_secrets(&self) -> u64 {
        self.refused_secrets.load(Ordering::Relaxed)
    }

    /// Whether this server may listen on `address`. [`Server::serve`] asks the same; a program asks beforehand to end
    /// with a message instead of an error out of the middle.
    ///
    /// # Errors
    ///
    /// [`Exposed`] if the secret is empty, or if there is none and the address is not a loopback address.
    pub fn check(&self, address: SocketAddr) -> Result<(), Exposed> {
        match self.config.secret.as_deref() {
            Some("") => Err(Exposed::EmptySecret),
            None if !is_loopback(address.ip()) && !self.config.allow_remote_without_secret => {
                Err(Exposed::NoSecret(address))
            }
            _ => Ok(()),
        }
    }

    /// Serves until `shutdown` is ready, then comes to rest and returns.
    ///
    /// Every request goes to a clone of `service` made for its connection. The handler's future is polled by the
    /// connection's task: it is dropped at once when the web server closes the connection, and its panic is answered
    /// with 500.
    ///
    /// Coming to rest takes [`Config::shutdown_timeout`] at most. Running requests finish, every response announces the
    /// end of its connection, idle connections end after a second. As long as connections from before are at work, for
    /// half of that time at most, new ones are let in; then those that the kernel has already accepted, and nobody more.
    /// A second process with the same listening socket can take over at any time without a refused connection.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] with [`Exposed`] inside if [`Server::check`] objects to the listener's address.
    pub async fn serve<S, B>(
        self,
        listener: TcpListener,
        service: S,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()>
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Display,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Display,
    {
        self.check(listener.local_addr()?)
            .map_err(|exposed| io::Error::new(io::ErrorKind::InvalidInput, exposed))?;
        let (stop, stopping) = Stop::new();
        let mut door = Door::new(listener, &self, service, stopping);
        let mut before = JoinSet::new();
        door.serve_until(shutdown, &mut before).await;

        stop.ask();
        let deadline = tokio::time::sleep(self.config.shutdown_timeout);
        let mut after = JoinSet::new();
        let half = tokio::time::sleep(self.config.shutdown_timeout.checked_div(2).unwrap_or_default());
        let old_ones_ended = async { while before.join_next().await.is_some() {} };
        let enough = async {
            tokio::select! {
                () = old_ones_ended => {}
                () = half => {}
            }
        };
        door.serve_until(enough, &mut after).await;
        door.close(&mut after);

        let finished = async {
            while before.join_next().await.is_some() {}
            while after.join_next().await.is_some() {}
        };
        let in_time = tokio::select! {
            () = finished => true,
            () = deadline => false,
        };
        if !in_time {
            log::warn!("AJP: requests were still running at the end of the shutdown timeout and are cut off");
            before.shutdown().await;
            after.shutdown().await;
        }
        Ok(())
    }
}

/// Why a server does not listen. Whoever reaches an AJP13 port may claim to be any client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exposed {
    /// A secret without a byte is none.
    #[error("the AJP secret is empty; remove it, or set it to the secret= of Apache's worker")]
    EmptySecret,
    /// Others than this machine's programs could connect.
    #[error(
        "{0} can be reached from other machines, and whoever reaches an AJP port may claim to be any client: \
         listen on 127.0.0.1, or set a secret, here and as secret= of Apache's worker"
    )]
    NoSecret(SocketAddr),
}

/// An IPv4 address may come in the clothes of IPv6.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The listening socket and what every connection is given.
struct Door<S> {
    listener: TcpListener,
    places: Arc<Semaphore>,
    config: Arc<Config>,
    refused_secrets: Arc<AtomicU64>,
    service: S,
    stopping: Stopping,
}

impl<S, B> Door<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Display,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Display,
{
    fn new(listener: TcpListener, server: &Server, service: S, stopping: Stopping) -> Self {
        let places = server.config.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            listener,
            places: Arc::new(Semaphore::new(places)),
            config: server.config.clone(),
            refused_secrets: server.refused_secrets.clone(),
            service,
            stopping,
        }
    }

    async fn serve_until(&mut self, end: impl Future<Output = ()>, connections: &mut JoinSet<()>) {
        let mut end = pin!(end);
        loop {
            let (stream, place) = tokio::select! {
                biased;
                () = &mut end => return,
                accepted = accept(&self.listener, &self.places) => accepted,
                // Finished tasks are collected as they come, or their results would pile up.
                Some(_) = connections.join_next() => continue,
            };
            self.serve(stream, place, connections);
        }
    }

    /// Takes in whom the kernel has accepted already: closing over them would reset their connections.
    fn close(self, connections: &mut JoinSet<()>) {
        let mut cx = Context::from_waker(Waker::noop());
        while let Ok(place) = self.places.clone().try_acquire_owned() {
            match self.listener.poll_accept(&mut cx) {
                Poll::Ready(Ok((stream, _))) => self.serve(stream, Some(place), connections),
                Poll::Ready(Err(_)) | Poll::Pending => return,
            }
        }
    }

    fn serve(&self, stream: TcpStream, place: Option<OwnedSemaphorePermit>, connections: &mut JoinSet<()>) {
        let connection = conversation::serve(
            stream,
            self.service.clone(),
            (self.config.clone(), self.refused_secrets.clone()),
            self.stopping.clone(),
            place,
        );
        connections.spawn(connection);
    }
}

/// Waits for a free place first, so that what cannot be served stays in the kernel's queue.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                log::error!("AJP: cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
