//! One request in work: runs the handler beside the socket, fetches the body, sends the response.
//!
//! The handler's future, the wishes of the request body's reader and the socket are waited for together, in one task. So the
//! end of the connection drops the handler, a body part is fetched the moment it is wanted, and there is exactly one
//! writer.

use std::fmt::Display;
use std::future::Future;
use std::future::poll_fn;
use std::pin::Pin;
use std::pin::pin;

use bytes::Bytes;
use bytes::BytesMut;
use http::HeaderMap;
use http::HeaderValue;
use http::Response;
use http::StatusCode;
use http::header;

use super::conversation::End;
use super::deadline::Deadline;
use super::link::Link;
use super::work::Catching;
use super::work::at_once;
use crate::body::BodyError;
use crate::body::Feed;
use crate::body::Part;
use crate::config::Config;
use crate::connection::Connection;
use crate::connection::Event;
use crate::connection::NextBody;
use crate::connection::Violation;
use crate::decode::Malformed;
use crate::encode;
use crate::packet::PacketSize;

/// So many bytes of a response are collected before they are written. A small answer is one write.
const WRITE_SIZE: usize = 64 * 1024;

/// Room for a small response, so that it need not grow.
const SMALL: usize = 1024;

/// A request in work.
pub(super) struct Exchange<'a> {
    link: &'a mut Link,
    connection: &'a mut Connection,
    config: &'a Config,
    size: PacketSize,
    /// Where DATA goes. There is one at most that nobody has wished for: further ones come when asked for.
    feed: Feed,
    /// Until when the reader waits for DATA; never if it does not.
    waiting: Deadline,
    /// When to tell the web server that we are alive, as long as nothing has been sent.
    next_flush: Deadline,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(link: &'a mut Link, connection: &'a mut Connection, config: &'a Config, feed: Feed) -> Self {
        Self {
            link,
            connection,
            config,
            size: config.size(),
            feed,
            waiting: Deadline::default(),
            next_flush: Deadline::default(),
        }
    }

    /// Waits for the handler, telling the web server now and then that we are alive.
    pub(super) async fn park<T>(&mut self, handler: impl Future<Output = T> + Unpin) -> Result<T, End> {
        self.next_flush = Deadline::after_some(self.config.parked_flush);
        let done = self.beside(handler).await;
        self.next_flush = Deadline::default();
        done
    }

    /// Waits for `work` while serving the request body and watching the socket. If the connection ends, `work` is
    /// dropped unfinished.
    async fn beside<T>(&mut self, mut work: impl Future<Output = T> + Unpin) -> Result<T, End> {
        loop {
            self.take_data()?;
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = self.feed.wish() => self.fulfil().await?,
                filled = self.link.fill() => filled?,
                () = self.waiting.passed() => self.hand_over(Err(BodyError::TimedOut)),
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
                Event::BodyTooLarge => {
                    self.hand_over(Err(BodyError::TooLarge));
                    return Err(End::BodyTooLarge);
                }
                Event::Dropped => {}
                Event::Refuse(refusal) => return Err(End::Refused(refusal)),
                Event::Close(violation) => return Err(violation.into()),
                Event::CPing | Event::Request(..) => return Err(Violation::Unasked.into()),
            }
        }
        if self.link.has_bytes() {
            Err(Violation::Unasked.into())
        } else {
            Ok(())
        }
    }

    fn hand_over(&mut self, part: Part) {
        self.waiting = Deadline::default();
        self.feed.give(part);
    }

    /// The reader wants a part, and what had come it has taken.
    async fn fulfil(&mut self) -> Result<(), End> {
        match self.connection.next_body() {
            NextBody::Wait => {}
            NextBody::End => {
                self.feed.give(Ok(None));
                return Ok(());
            }
            NextBody::Truncated => {
                self.feed.give(Err(BodyError::Truncated));
                return Ok(());
            }
            NextBody::Ask => {
                let mut out = BytesMut::new();
                encode::get_body_chunk(&mut out, self.size);
                self.link.write(&out).await?;
            }
        }
        self.waiting = Deadline::after(self.config.body_timeout);
        Ok(())
    }

    /// Sends the response and returns its tail, to which only END_RESPONSE is to be added.
    pub(super) async fn respond<B>(&mut self, response: Response<B>, is_head: bool) -> Result<BytesMut, End>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Display,
    {
        let (mut parts, body) = response.into_parts();
        let bodiless = is_head || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&parts.status);
        if let Some(length) = body.size_hint().exact().filter(|_| !bodiless) {
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let mut out = BytesMut::with_capacity(SMALL);
        if let Err(error) = encode::send_headers(&mut out, parts.status, &parts.headers, self.size) {
            log::error!("AJP: a response cannot be sent: {error}");
            return Ok(bare_response(StatusCode::INTERNAL_SERVER_ERROR, self.size));
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
            let mut next = Catching(pin!(next_data(body.as_mut())));
            let data = match at_once(&mut next).await {
                Some(data) => data,
                None => {
                    if !out.is_empty() {
                        out.extend_from_slice(&encode::FLUSH);
                        self.link.write(&out).await?;
                        out.clear();
                        begun = true;
                    }
                    // The status has been sent, so no other can be any more.
                    self.beside(next).await.map_err(|end| match end {
                        End::Refused(_) | End::BodyTooLarge => End::BrokenResponse,
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
                        Ok(bare_response(StatusCode::INTERNAL_SERVER_ERROR, self.size))
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

/// SEND_HEADERS of a response that consists of its status.
pub(super) fn bare_response(status: StatusCode, size: PacketSize) -> BytesMut {
    let mut out = BytesMut::new();
    let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(0))]);
    // It fits, and our own statuses are those of responses.
    let _ = encode::send_headers(&mut out, status, &headers, size);
    out
}
