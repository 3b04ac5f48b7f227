//! The body of a request: an [`http_body::Body`] whose parts are fetched from the web server when they are wanted.
//!
//! Between the reader and its connection is a window with room for one part. A reader that finds it empty leaves a wish
//! there, and the connection sends GET_BODY_CHUNK. A body that is not read costs nothing, and a slow reader slows the web
//! server down.
//!
//! A body ends in exactly one of two ways: complete, or with a [`BodyError`]. The end of the connection is never the
//! end of a body, so that half a message is never taken for a whole one.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bytes::Bytes;
use http_body::Frame;
use http_body::SizeHint;

use crate::packet::BodyLength;

/// What the connection answers: a part, `None` at the end, or why there is no end.
pub(crate) type Part = Result<Option<Bytes>, BodyError>;

/// The body of a request, fetched part by part with GET_BODY_CHUNK.
#[derive(Debug)]
pub struct Body {
    /// None where nothing is to be fetched.
    window: Option<Arc<Window>>,
    /// Whether a wish has been left and no part has come for it.
    awaiting: bool,
    left: Left,
}

/// The connection's side of a body. The reader learns when it goes.
#[derive(Debug)]
pub(crate) struct Feed(Option<Arc<Window>>);

#[derive(Debug, Default)]
struct Window(Mutex<Pane>);

#[derive(Debug, Default)]
struct Pane {
    wish: bool,
    part: Option<Part>,
    /// The connection will bring nothing more.
    closed: bool,
    reader: Option<Waker>,
    connection: Option<Waker>,
}

impl Window {
    /// Nothing in here can panic, so that a poisoned lock is as good as any.
    fn open(&self) -> MutexGuard<'_, Pane> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    /// A body, and the connection's side of it.
    pub(crate) fn new(length: BodyLength) -> (Self, Feed) {
        let left = match length {
            BodyLength::Empty => Left::Over,
            BodyLength::Known(bytes) => Left::Bytes(bytes),
            BodyLength::Chunked => Left::Unknown,
        };
        let window = (left != Left::Over).then(Arc::<Window>::default);
        let feed = Feed(window.clone());
        let body = Self {
            window,
            awaiting: false,
            left,
        };
        (body, feed)
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
        let Some(window) = self.window.clone() else {
            return Poll::Ready(None);
        };
        let mut pane = window.open();
        let part = match pane.part.take() {
            Some(part) => part,
            None if pane.closed => Err(BodyError::Closed),
            None => {
                pane.reader = Some(cx.waker().clone());
                let connection = if self.awaiting {
                    None
                } else {
                    pane.wish = true;
                    pane.connection.take()
                };
                drop(pane);
                self.awaiting = true;
                if let Some(connection) = connection {
                    connection.wake();
                }
                return Poll::Pending;
            }
        };
        drop(pane);
        self.awaiting = false;
        Poll::Ready(self.account(part))
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

impl Feed {
    /// Waits until the reader wants a part and none is there for it.
    pub(crate) async fn wish(&self) {
        poll_fn(|cx| {
            let Some(window) = &self.0 else { return Poll::Pending };
            let mut pane = window.open();
            if mem::take(&mut pane.wish) {
                return Poll::Ready(());
            }
            pane.connection = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Gives the reader a part, whether it has wished for it or not.
    pub(crate) fn give(&self, part: Part) {
        let Some(window) = &self.0 else { return };
        let mut pane = window.open();
        pane.part = Some(part);
        let reader = pane.reader.take();
        drop(pane);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let Some(window) = &self.0 else { return };
        let mut pane = window.open();
        pane.closed = true;
        let reader = pane.reader.take();
        drop(pane);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    async fn read(length: BodyLength, parts: Vec<Part>) -> (Vec<u8>, Option<BodyError>) {
        let (mut body, feed) = Body::new(length);
        let connection = tokio::spawn(async move {
            for part in parts {
                feed.wish().await;
                feed.give(part);
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
            // The connection goes away.
            (BodyLength::Known(5), vec![part("he")], BodyError::Closed),
            (BodyLength::Chunked, vec![part("he")], BodyError::Closed),
        ];
        for (length, parts, error) in cases {
            assert_eq!(read(length, parts).await, (b"he".to_vec(), Some(error)));
        }
    }

    #[tokio::test]
    async fn what_has_come_already_needs_no_wish() {
        let (mut body, feed) = Body::new(BodyLength::Known(5));
        feed.give(part("hello"));
        let frame = body.frame().await.expect("a part").expect("no error");
        assert_eq!(frame.into_data().expect("data"), "hello");
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_reader_that_gave_up_can_come_back() {
        let (mut body, feed) = Body::new(BodyLength::Chunked);
        for _ in 0..2 {
            tokio::select! {
                biased;
                _ = body.frame() => panic!("nothing has come"),
                () = tokio::task::yield_now() => {}
            }
        }
        feed.wish().await;
        feed.give(part("hello"));
        assert!(body.frame().await.is_some());
        // Two attempts were one wish.
        tokio::select! {
            biased;
            () = feed.wish() => panic!("nobody wants anything"),
            () = tokio::task::yield_now() => {}
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
