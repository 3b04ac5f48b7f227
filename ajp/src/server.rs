//! The listener: accepts connections, serves each in a task of its own, and comes to rest in good order.
//!
//! What happens on one connection is in `conversation`, its socket in `link`. Nothing here knows a packet.

mod conversation;
mod deadline;
mod exchange;
mod link;
mod work;

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::Response;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service;

use crate::body::Body;
use crate::config::Config;

/// How long to wait after a failed accept. It fails for want of file descriptors, and those come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An AJP13 server.
#[derive(Debug, Clone)]
pub struct Server {
    config: Arc<Config>,
}

impl Server {
    /// A server with these settings.
    pub fn new(config: Config) -> Self {
        Self {
            config: Arc::new(config),
        }
    }

    /// Serves until `shutdown` is ready, then ends idle connections, lets running requests finish within
    /// [`Config::shutdown_timeout`], and returns.
    ///
    /// Every request goes to a clone of `service` made for its connection. The handler's future is polled by the
    /// connection's task: it is dropped at once when the web server closes the connection, and its panic is answered
    /// with 500.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if the secret is empty, or if there is none and the listener is not bound to a
    /// loopback address: whoever reaches an AJP13 port may claim to be any client.
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
        self.check_exposure(&listener)?;
        let places = Arc::new(Semaphore::new(
            self.config.max_connections.clamp(1, Semaphore::MAX_PERMITS),
        ));
        let (stop, stopping) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let (stream, place) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener, &places) => accepted,
                // Finished tasks are collected as they come, or their results would pile up.
                Some(_) = connections.join_next() => continue,
            };
            let connection = conversation::serve(stream, service.clone(), self.config.clone(), stopping.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        }
        drop(listener);
        stop.send_replace(true);
        let finished = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.config.shutdown_timeout, finished)
            .await
            .is_err()
        {
            log::warn!("AJP: requests were still running at the end of the shutdown timeout and are cut off");
            connections.shutdown().await;
        }
        Ok(())
    }

    fn check_exposure(&self, listener: &TcpListener) -> io::Result<()> {
        let refusal = match self.config.secret.as_deref() {
            Some("") => "the AJP secret is empty",
            None if !listener.local_addr()?.ip().is_loopback() => {
                "an AJP listener on other than a loopback address needs a secret"
            }
            _ => return Ok(()),
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, refusal))
    }
}

/// Waits for a free place first, so that what cannot be served stays in the kernel's queue.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, impl Send + use<>) {
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
