//! HTTP/1.1 for web servers that do not speak AJP13, and for the administrator.
//!
//! It trusts nobody: heads are bounded in size and time, the number of connections is bounded, and what the peer says of
//! others is left to the handler. No TLS, which is the web server's part.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::Request;
use http::Response;
use http::header;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long to wait after a failed accept. It fails for want of file descriptors, and those come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bytes of the largest head, as over AJP; a larger one is answered with 431.
const LARGEST_HEAD: usize = 64 * 1024;

/// The most headers of a request, as over AJP.
const MOST_HEADERS: usize = 200;

/// The longest time from one answer to the end of the next head. Longer than nginx keeps a connection that is idle (60 s),
/// so that it is not us who close one while a request is on its way.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// At the stop, a connection without a request stays open for so long: a request that is on its way is answered.
const GRACE: Duration = Duration::from_secs(1);

/// What stands behind the door.
pub(super) trait Handler: Clone + Send + Sync + 'static {
    /// `peer` is who opened the connection: a web server, as a rule.
    fn handle(
        &self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// A door before it is opened.
pub(super) struct HttpDoor<H> {
    pub(super) handler: H,
    /// Connections served at once; further ones wait in the kernel's queue.
    pub(super) max_connections: usize,
    /// How long requests may go on after the stop.
    pub(super) stop_timeout: Duration,
    pub(super) stop: CancellationToken,
}

impl<H: Handler> HttpDoor<H> {
    /// Serves until the stop, then until the running requests have ended.
    pub(super) async fn serve(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(self.max_connections.min(Semaphore::MAX_PERMITS)));
        let mut connections = JoinSet::new();
        loop {
            let place = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                place = places.clone().acquire_owned() => place,
            };
            let (stream, peer) = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                accepted = accept(&listener) => accepted,
            };
            let connection = converse(stream, peer, self.handler.clone(), self.stop.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.stop_timeout, ended).await.is_err() {
            log::warn!("HTTP: requests that did not end in time are cut off");
        }
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                log::error!("HTTP: cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection. When its peer closes it, a request in work is dropped.
async fn converse(stream: TcpStream, peer: SocketAddr, handler: impl Handler, stop: CancellationToken) {
    // An answer is one write; waiting for more to send would only delay it.
    if let Err(error) = stream.set_nodelay(true) {
        log::debug!("HTTP: TCP_NODELAY: {error}");
    }
    let service = hyper::service::service_fn(|request| async {
        let mut response = handler.handle(peer, request).await;
        if stop.is_cancelled() {
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok::<_, Infallible>(response)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let stopped = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let early = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stopped => None,
    };
    let ended = match early {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        log::debug!("HTTP: a connection broke off: {error}");
    }
}
