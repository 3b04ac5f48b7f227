//! One connection in work: reads packets, runs the handler beside the socket, writes the response.
//!
//! The handler's future, the tickets of the request body and the socket are waited for together, in one task. So the
//! end of the connection drops the handler, a body part is fetched the moment it is wanted, and there is exactly one
//! writer. The rules of the conversation are in [`crate::connection`]; here bytes are moved.

use std::any::Any;
use std::fmt::Display;
use std::future::Future;
use std::future::poll_fn;
use std::io;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use bytes::BytesMut;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tower_service::Service;

use super::deadline::Deadline;
use super::link::Link;
use crate::body::Body;
use crate::body::BodyError;
use crate::body::Part;
use crate::body::Ticket;
use crate::config::Config;
use crate::connection::Connection;
use crate::connection::Event;
use crate::connection::NextBody;
use crate::connection::Refusal;
use crate::connection::Violation;
use crate::decode::Malformed;
use crate::encode;
use crate::packet::BodyLength;
use crate::packet::ForwardRequest;
use crate::packet::PacketSize;

/// So many bytes of a response are collected before they are written. A small answer is one write.
const WRITE_SIZE: usize = 64 * 1024;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    /// The peer closed, the socket failed, or a deadline passed.
    #[error("{0}")]
    Gone(#[from] io::Error),
    #[error("{0}")]
    Refused(Refusal),
    #[error("{0}")]
    Violated(#[from] Violation),
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

/// Serves one connection to its end.
pub(super) async fn serve<S, B>(stream: TcpStream, service: S, config: Arc<Config>, stopping: watch::Receiver<bool>)
where
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
        stopping,
    };
    let Err(end) = conversation.run(service).await;
    match end {
        End::Gone(_) | End::Idle => log::debug!("AJP: connection ends: {end}"),
        End::Done => conversation.link.linger(conversation.config.linger_timeout).await,
        End::Refused(refusal) => {
            log::warn!("AJP: refused: {refusal}");
            conversation.refuse(refusal).await;
        }
        End::Violated(_) | End::BrokenResponse => log::warn!("AJP: closing: {end}"),
    }
}

struct Conversation {
    link: Link,
    connection: Connection,
    config: Arc<Config>,
    stopping: watch::Receiver<bool>,
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
                Event::Request(request, length) => self.exchange(*request, length, &mut service).await?,
                Event::Dropped => {}
                Event::Refuse(refusal) => return Err(End::Refused(refusal)),
                Event::Close(violation) => return Err(violation.into()),
                // Parts of a body belong to a request, and none is in work here.
                Event::Body(_) | Event::BodyEnd | Event::BodyTruncated => return Err(Violation::Unasked.into()),
            }
        }
    }

    /// The next packet between requests. An idle connection ends when the server stops.
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
                _ = self.stopping.wait_for(|stop| *stop), if idle => return Err(End::Idle),
                () = deadline.passed(), if idle => return Err(End::Idle),
            }
        }
    }

    /// One request: run the handler, send its response.
    async fn exchange<S, B>(&mut self, request: ForwardRequest, length: BodyLength, service: &mut S) -> Result<(), End>
    where
        S: Service<Request<Body>, Response = Response<B>>,
        S::Error: Display,
        B: http_body::Body<Data = Bytes>,
        B::Error: Display,
    {
        let is_head = request.method == Method::HEAD;
        let (body, tickets) = Body::new(length);
        let request = request.into_http(body);
        let mut exchange = Exchange {
            size: self.config.size(),
            link: &mut self.link,
            connection: &mut self.connection,
            config: &self.config,
            tickets,
            early: None,
            waiting: None,
            next_flush: Deadline::default(),
        };
        let handler = catching(async {
            poll_fn(|cx| service.poll_ready(cx))
                .await
                .map_err(|error| error.to_string())?;
            service.call(request).await.map_err(|error| error.to_string())
        });
        let mut out = match exchange.park(handler).await? {
            Ok(response) => exchange.respond(response, is_head).await?,
            Err(error) => {
                log::error!("AJP: the handler failed: {error}");
                internal_server_error(exchange.size)
            }
        };
        drop(exchange);
        let reuse = !*self.stopping.borrow();
        encode::end_response(&mut out, reuse);
        self.link.write(&out).await?;
        self.connection.end_response(reuse);
        if reuse { Ok(()) } else { Err(End::Done) }
    }

    /// Answers a request that no handler has seen, or one whose body turned out impossible.
    async fn refuse(mut self, refusal: Refusal) {
        let mut out = BytesMut::new();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
        if encode::send_headers(&mut out, refusal.status(), &headers, self.config.size()).is_err() {
            return;
        }
        encode::end_response(&mut out, false);
        if self.link.write(&out).await.is_ok() {
            self.link.linger(self.config.linger_timeout).await;
        }
    }
}

/// A request in work.
struct Exchange<'a> {
    link: &'a mut Link,
    connection: &'a mut Connection,
    config: &'a Config,
    size: PacketSize,
    tickets: mpsc::Receiver<Ticket>,
    /// The DATA packet that came before anybody wanted it. There is one at most: further ones come when asked for.
    early: Option<Part>,
    /// The reader that waits for DATA, and until when.
    waiting: Option<(Ticket, Deadline)>,
    /// When to tell the web server that we are alive, as long as nothing has been sent.
    next_flush: Deadline,
}

impl Exchange<'_> {
    /// Waits for the handler, telling the web server now and then that we are alive.
    async fn park<T>(&mut self, handler: impl Future<Output = T>) -> Result<T, End> {
        self.next_flush = Deadline::after_some(self.config.parked_flush);
        let done = self.beside(handler).await;
        self.next_flush = Deadline::default();
        done
    }

    /// Waits for `work` while serving the request body and watching the socket. If the connection ends, `work` is
    /// dropped unfinished.
    async fn beside<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut work = pin!(work);
        loop {
            self.take_data()?;
            let body_deadline = self.waiting.as_ref().map(|waiting| waiting.1).unwrap_or_default();
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                Some(ticket) = self.tickets.recv(), if self.waiting.is_none() => self.serve_ticket(ticket).await?,
                filled = self.link.fill() => filled?,
                () = body_deadline.passed() => self.hand_over(Err(BodyError::TimedOut)),
                () = self.next_flush.passed() => {
                    self.link.write(&encode::FLUSH).await?;
                    self.next_flush = Deadline::after_some(self.config.parked_flush);
                }
            }
        }
    }

    /// Takes DATA out of what has arrived. Bytes that come when nothing is owed are no part of the protocol.
    fn take_data(&mut self) -> Result<(), End> {
        while self.connection.owed() > 0 {
            let malformed = |malformed: Malformed| End::Violated(malformed.into());
            let Some(payload) = self.link.take_packet().map_err(malformed)? else {
                return Ok(());
            };
            match self.connection.receive(payload) {
                Event::Body(data) => self.hand_over(Ok(Some(data))),
                Event::BodyEnd => self.hand_over(Ok(None)),
                Event::BodyTruncated => self.hand_over(Err(BodyError::Truncated)),
                Event::Refuse(refusal) => return Err(End::Refused(refusal)),
                Event::Close(violation) => return Err(violation.into()),
                Event::CPing | Event::Request(..) | Event::Dropped => return Err(Violation::Unasked.into()),
            }
        }
        if self.link.has_bytes() {
            Err(Violation::Unasked.into())
        } else {
            Ok(())
        }
    }

    /// Gives a part to the reader that waits for it, or keeps it.
    fn hand_over(&mut self, part: Part) {
        match self.waiting.take() {
            // A reader that has gone meanwhile does not want it any more.
            Some((ticket, _)) => drop(ticket.send(part)),
            None => self.early = Some(part),
        }
    }

    /// A reader wants a part.
    async fn serve_ticket(&mut self, ticket: Ticket) -> Result<(), End> {
        let deadline = Deadline::after(self.config.body_timeout);
        self.waiting = Some((ticket, deadline));
        if let Some(part) = self.early.take() {
            self.hand_over(part);
            return Ok(());
        }
        match self.connection.next_body() {
            NextBody::Wait => {}
            NextBody::End => self.hand_over(Ok(None)),
            NextBody::Truncated => self.hand_over(Err(BodyError::Truncated)),
            NextBody::Ask => {
                let mut out = BytesMut::new();
                encode::get_body_chunk(&mut out, self.size);
                self.link.write(&out).await?;
            }
        }
        Ok(())
    }

    /// Sends the response and returns its tail, to which only END_RESPONSE is to be added.
    async fn respond<B>(&mut self, response: Response<B>, is_head: bool) -> Result<BytesMut, End>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Display,
    {
        let (mut parts, body) = response.into_parts();
        let bodiless = is_head || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&parts.status);
        if let Some(length) = body.size_hint().exact().filter(|_| !bodiless) {
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let mut out = BytesMut::new();
        if let Err(error) = encode::send_headers(&mut out, parts.status, &parts.headers, self.size) {
            log::error!("AJP: a response cannot be sent: {error}");
            return Ok(internal_server_error(self.size));
        }
        if bodiless {
            return Ok(out);
        }
        self.send_body(body, out).await
    }

    /// Sends all but the last part of a body. A part that is not there yet makes Apache pass on what it has.
    async fn send_body<B>(&mut self, body: B, mut out: BytesMut) -> Result<BytesMut, End>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Display,
    {
        let mut body = pin!(body);
        let mut begun = false;
        loop {
            let mut next = pin!(catching(next_data(body.as_mut())));
            let data = match at_once(next.as_mut()).await {
                Some(data) => data,
                None => {
                    if !out.is_empty() {
                        out.extend_from_slice(&encode::FLUSH);
                        self.link.write(&out).await?;
                        out.clear();
                        begun = true;
                    }
                    // The status has been sent, so a refusal cannot be any more.
                    self.beside(next).await.map_err(|end| match end {
                        End::Refused(_) => End::BrokenResponse,
                        end => end,
                    })?
                }
            };
            match data {
                Ok(Some(data)) => encode::send_body_chunks(&mut out, &data, self.size),
                Ok(None) => return Ok(out),
                Err(error) => {
                    log::error!("AJP: the response body failed: {error}");
                    // A status that is still with us can be changed.
                    return if begun {
                        Err(End::BrokenResponse)
                    } else {
                        Ok(internal_server_error(self.size))
                    };
                }
            }
            if out.len() >= WRITE_SIZE {
                self.link.write(&out).await?;
                out.clear();
                begun = true;
            }
        }
    }
}

/// The bytes of the next frame, or `None` at the end. AJP13 has no trailers.
async fn next_data<B>(mut body: Pin<&mut B>) -> Result<Option<Bytes>, String>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Display,
{
    let frame = poll_fn(|cx| body.as_mut().poll_frame(cx).map_err(|error| error.to_string())).await;
    Ok(frame.transpose()?.map(|frame| frame.into_data().unwrap_or_default()))
}

/// SEND_HEADERS for the case that there is nothing better to say.
fn internal_server_error(size: PacketSize) -> BytesMut {
    let mut out = BytesMut::new();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
    // It fits, and the status is one.
    let _ = encode::send_headers(&mut out, StatusCode::INTERNAL_SERVER_ERROR, &headers, size);
    out
}

/// Runs a future, and turns its panic into an error.
async fn catching<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let mut work = pin!(work);
    poll_fn(move |cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        polled.unwrap_or_else(|panic| Poll::Ready(Err(format!("panic: {}", panic_message(&*panic)))))
    })
    .await
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

/// The result of a future if it is ready when asked once.
async fn at_once<F: Future>(mut work: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
