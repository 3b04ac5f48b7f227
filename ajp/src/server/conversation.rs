//! One connection from its first packet to its last: pings, refusals, and one request after the other.
//!
//! What each packet means is decided by [`crate::connection`]; what a request takes is in `exchange`.

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use bytes::BytesMut;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tower_service::Service;

use super::deadline::Deadline;
use super::exchange::Exchange;
use super::exchange::bare_response;
use super::link::Link;
use super::stop::Stopping;
use super::work::Catching;
use super::work::Handling;
use crate::body::Body;
use crate::config::Config;
use crate::connection::Connection;
use crate::connection::Event;
use crate::connection::Refusal;
use crate::connection::Violation;
use crate::encode;
use crate::packet::BodyLength;
use crate::packet::ForwardRequest;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The peer closed, the socket failed, or a deadline passed.
    #[error("{0}")]
    Gone(#[from] io::Error),
    #[error("{0}")]
    Refused(Refusal),
    #[error("{0}")]
    Violated(#[from] Violation),
    /// The request is to be answered with 413; the connection can go on.
    #[error("the request body is longer than allowed")]
    BodyTooLarge,
    /// Nothing happened for long, or the server is shutting down.
    #[error("idle")]
    Idle,
    /// END_RESPONSE announced the end.
    #[error("done")]
    Done,
    /// The response could not be finished after its beginning had been sent.
    #[error("the response broke off")]
    BrokenResponse,
}

/// Serves one connection to its end, and gives its place back then.
pub(super) async fn serve<S, B>(
    stream: TcpStream,
    service: S,
    (config, refused_secrets): (Arc<Config>, Arc<AtomicU64>),
    stop: Stopping,
    _place: Option<OwnedSemaphorePermit>,
) where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Display,
    B: http_body::Body<Data = Bytes>,
    B::Error: Display,
{
    let link = Link::new(stream, &config);
    let connection = Connection::new(config.rules());
    let mut conversation = Conversation {
        link,
        connection,
        config,
        stop,
    };
    let Err(end) = conversation.run(service).await;
    match end {
        End::Gone(_) | End::Idle => log::debug!("AJP: connection ends: {end}"),
        End::Done => conversation.link.linger(conversation.config.linger_timeout).await,
        End::Refused(refusal) => {
            if refusal == Refusal::Secret {
                refused_secrets.fetch_add(1, Ordering::Relaxed);
            }
            log::warn!("AJP: refused: {refusal}");
            conversation.refuse(refusal).await;
        }
        End::Violated(_) | End::BodyTooLarge | End::BrokenResponse => log::warn!("AJP: closing: {end}"),
    }
}

struct Conversation {
    link: Link,
    connection: Connection,
    config: Arc<Config>,
    stop: Stopping,
}

/// A result that is never `Ok`: a conversation only ends for a reason.
enum Never {}

impl Conversation {
    async fn run<S, B>(&mut self, mut service: S) -> Result<Never, End>
    where
        S: Service<Request<Body>, Response = Response<B>>,
        S::Error: Display,
        B: http_body::Body<Data = Bytes>,
        B::Error: Display,
    {
        loop {
            let payload = self.packet().await?;
            match self.connection.receive(payload) {
                Event::CPing => self.link.write(&encode::CPONG).await?,
                Event::Request(request, length) => self.exchange(request, length, &mut service).await?,
                Event::BodyTooLarge => self.finish(self.bare(StatusCode::PAYLOAD_TOO_LARGE)).await?,
                Event::Dropped => {}
                Event::Refuse(refusal) => return Err(End::Refused(refusal)),
                Event::Close(violation) => return Err(violation.into()),
                // Parts of a body belong to a request, and none is in work here.
                Event::Body(_) | Event::BodyEnd | Event::BodyTruncated => return Err(Violation::Unasked.into()),
            }
        }
    }

    /// The next packet between requests. An idle connection ends when the server stops, after a moment in which what
    /// the web server has sent already can arrive.
    async fn packet(&mut self) -> Result<Bytes, End> {
        let patience = match self.connection.owed() {
            0 => self.config.idle_timeout,
            _ => Some(self.config.body_timeout),
        };
        let deadline = Deadline::after_some(patience);
        loop {
            if let Some(payload) = self.link.take_packet().map_err(Violation::Malformed)? {
                return Ok(payload);
            }
            let idle = !self.link.has_bytes();
            tokio::select! {
                biased;
                filled = self.link.fill() => filled?,
                () = self.stop.asked_and_quiet(), if idle => return Err(End::Idle),
                () = deadline.passed(), if idle => return Err(End::Idle),
            }
        }
    }

    /// One request: run the handler, send its response.
    async fn exchange<S, B>(
        &mut self,
        request: Box<ForwardRequest>,
        length: BodyLength,
        service: &mut S,
    ) -> Result<(), End>
    where
        S: Service<Request<Body>, Response = Response<B>>,
        S::Error: Display,
        B: http_body::Body<Data = Bytes>,
        B::Error: Display,
    {
        let is_head = request.method == Method::HEAD;
        let (body, feed) = Body::new(length);
        let mut exchange = Exchange::new(&mut self.link, &mut self.connection, &self.config, feed);
        let handler = Catching(Handling::new(service, request, body));
        let out = match exchange.park(handler).await {
            Ok(Ok(response)) => exchange.respond(response, is_head).await?,
            Ok(Err(error)) => {
                log::error!("AJP: the handler failed: {error}");
                self.bare(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Err(End::BodyTooLarge) => self.bare(StatusCode::PAYLOAD_TOO_LARGE),
            Err(end) => return Err(end),
        };
        self.finish(out).await
    }

    /// Ends a response whose tail is given.
    async fn finish(&mut self, mut out: BytesMut) -> Result<(), End> {
        let reuse = !self.stop.is_asked();
        encode::end_response(&mut out, reuse);
        self.link.write(&out).await?;
        self.connection.end_response(reuse);
        if reuse { Ok(()) } else { Err(End::Done) }
    }

    fn bare(&self, status: StatusCode) -> BytesMut {
        bare_response(status, self.config.size())
    }

    /// Answers a request that no handler has seen, or one whose body turned out impossible.
    async fn refuse(mut self, refusal: Refusal) {
        let mut out = self.bare(refusal.status());
        encode::end_response(&mut out, false);
        if self.link.write(&out).await.is_ok() {
            self.link.linger(self.config.linger_timeout).await;
        }
    }
}
