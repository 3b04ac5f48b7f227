//! The body of a request: an [`http_body::Body`] whose parts are fetched from the web server when they are wanted.
//!
//! The body holds no bytes and no socket. Each time its reader wants a part, it hands a return ticket to the
//! connection, which answers from what has arrived or sends GET_BODY_CHUNK first. A body that is not read costs
//! nothing, and a slow reader slows the web server down.
//!
//! A body ends in exactly one of two ways: complete, or with a [`BodyError`]. The end of the connection is never the
//! end of a body, so that half a message is never taken for a whole one.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use http_body::Frame;
use http_body::SizeHint;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::packet::BodyLength;

/// What the connection answers: a part, `None` at the end, or why there is no end.
pub(crate) type Part = Result<Option<Bytes>, BodyError>;

/// A reader's ticket for the next part.
pub(crate) type Ticket = oneshot::Sender<Part>;

/// The body of a request, fetched part by part with GET_BODY_CHUNK.
#[derive(Debug)]
pub struct Body {
    tickets: mpsc::Sender<Ticket>,
    awaited: Option<oneshot::Receiver<Part>>,
    left: Left,
}

/// Why a request body is not complete. What has been read of it must not be acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The web server reported the end before Content-Length bytes had come.
    #[error("the request body ended before its Content-Length")]
    Truncated,
    /// The web server did not send the next part in time.
    #[error("the request body did not arrive in time")]
    TimedOut,
    /// The body is longer than [`Config::max_body_bytes`](crate::Config::max_body_bytes) allows.
    #[error("the request body is longer than allowed")]
    TooLarge,
    /// The connection closed, or the response was complete before the body had been read.
    #[error("the connection ended before the request body")]
    Closed,
}

/// What the reader knows about the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Bytes(u64),
    Unknown,
    /// The end was reached, or an error was reported.
    Over,
}

impl Body {
    /// A body, and the place where its tickets arrive.
    pub(crate) fn new(length: BodyLength) -> (Self, mpsc::Receiver<Ticket>) {
        // One reader waits for one part, so one place is enough.
        let (tickets, arriving) = mpsc::channel(1);
        let left = match length {
            BodyLength::Empty => Left::Over,
            BodyLength::Known(bytes) => Left::Bytes(bytes),
            BodyLength::Chunked => Left::Unknown,
        };
        (
            Self {
                tickets,
                awaited: None,
                left,
            },
            arriving,
        )
    }

    /// Books one part and says what the reader gets.
    fn account(&mut self, part: Part) -> Option<Result<Frame<Bytes>, BodyError>> {
        let left = self.left;
        self.left = Left::Over;
        let data = match (part, left) {
            (Ok(Some(data)), _) => data,
            (Ok(None), Left::Bytes(_)) => return Some(Err(BodyError::Truncated)),
            (Ok(None), _) => return None,
            (Err(error), _) => return Some(Err(error)),
        };
        self.left = match left {
            Left::Bytes(bytes) => match bytes.saturating_sub(u64::try_from(data.len()).unwrap_or(u64::MAX)) {
                0 => Left::Over,
                bytes => Left::Bytes(bytes),
            },
            left => left,
        };
        Some(Ok(Frame::data(data)))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.left == Left::Over {
            return Poll::Ready(None);
        }
        let mut awaited = match self.awaited.take() {
            Some(awaited) => awaited,
            None => {
                let (ticket, awaited) = oneshot::channel();
                if self.tickets.try_send(ticket).is_err() {
                    return Poll::Ready(self.account(Err(BodyError::Closed)));
                }
                awaited
            }
        };
        match Pin::new(&mut awaited).poll(cx) {
            Poll::Pending => {
                self.awaited = Some(awaited);
                Poll::Pending
            }
            Poll::Ready(part) => Poll::Ready(self.account(part.unwrap_or(Err(BodyError::Closed)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == Left::Over
    }

    fn size_hint(&self) -> SizeHint {
        match self.left {
            Left::Bytes(bytes) => SizeHint::with_exact(bytes),
            Left::Unknown => SizeHint::default(),
            Left::Over => SizeHint::with_exact(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    async fn read(length: BodyLength, parts: Vec<Part>) -> (Vec<u8>, Option<BodyError>) {
        let (mut body, mut tickets) = Body::new(length);
        let connection = tokio::spawn(async move {
            for part in parts {
                tickets.recv().await.expect("a ticket").send(part).expect("a reader");
            }
        });
        let mut read = Vec::new();
        let error = loop {
            match body.frame().await {
                Some(Ok(frame)) => read.extend(frame.into_data().expect("data")),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        assert!(body.frame().await.is_none(), "nothing follows the end or an error");
        connection.await.expect("every part was asked for, and no more");
        (read, error)
    }

    fn part(text: &'static str) -> Part {
        Ok(Some(Bytes::from_static(text.as_bytes())))
    }

    #[tokio::test]
    async fn a_known_length_ends_by_itself() {
        let parts = vec![part("he"), part("llo")];
        assert_eq!(read(BodyLength::Known(5), parts).await, (b"hello".to_vec(), None));
    }

    #[tokio::test]
    async fn an_unknown_length_ends_when_the_web_server_says_so() {
        let parts = vec![part("he"), part("llo"), Ok(None)];
        assert_eq!(read(BodyLength::Chunked, parts).await, (b"hello".to_vec(), None));
    }

    #[tokio::test]
    async fn an_empty_body_asks_for_nothing() {
        assert_eq!(read(BodyLength::Empty, vec![]).await, (vec![], None));
    }

    #[tokio::test]
    async fn missing_bytes_are_an_error() {
        let cases = [
            (BodyLength::Known(5), vec![part("he"), Ok(None)], BodyError::Truncated),
            (
                BodyLength::Known(5),
                vec![part("he"), Err(BodyError::TimedOut)],
                BodyError::TimedOut,
            ),
            // The connection goes away with the tickets.
            (BodyLength::Known(5), vec![part("he")], BodyError::Closed),
            (BodyLength::Chunked, vec![part("he")], BodyError::Closed),
        ];
        for (length, parts, error) in cases {
            assert_eq!(read(length, parts).await, (b"he".to_vec(), Some(error)));
        }
    }

    #[tokio::test]
    async fn the_size_is_known_beforehand_where_it_was_announced() {
        assert_eq!(Body::new(BodyLength::Known(5)).0.size_hint().exact(), Some(5));
        assert_eq!(Body::new(BodyLength::Empty).0.size_hint().exact(), Some(0));
        assert_eq!(Body::new(BodyLength::Chunked).0.size_hint().exact(), None);
        assert!(!Body::new(BodyLength::Known(5)).0.is_end_stream());
    }
}
