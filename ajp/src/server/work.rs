//! Two ways to run a future that is not ours: without its panic, and without its patience.

use std::any::Any;
use std::fmt::Display;
use std::future::Future;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use http::Request;
use tower_service::Service;

use crate::body::Body;
use crate::packet::ForwardRequest;

/// Runs a future, and turns its error and its panic into a text.
pub(super) struct Catching<F>(pub(super) F);

impl<T, E: Display, F: Future<Output = Result<T, E>> + Unpin> Future for Catching<F> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, String>> {
        match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.0).poll(cx))) {
            Ok(polled) => polled.map_err(|error| error.to_string()),
            Err(panic) => Poll::Ready(Err(format!("panic: {}", panic_message(&*panic)))),
        }
    }
}

/// A service at work on one request. Its future is boxed, so that connections without a request do not hold room for it.
pub(super) struct Handling<'a, S: Service<Request<Body>>> {
    service: &'a mut S,
    /// Until the service is ready.
    request: Option<(Box<ForwardRequest>, Body)>,
    response: Option<Pin<Box<S::Future>>>,
}

impl<'a, S: Service<Request<Body>>> Handling<'a, S> {
    pub(super) fn new(service: &'a mut S, request: Box<ForwardRequest>, body: Body) -> Self {
        Self {
            service,
            request: Some((request, body)),
            response: None,
        }
    }
}

impl<S: Service<Request<Body>>> Future for Handling<'_, S> {
    type Output = Result<S::Response, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.request.is_some() {
            ready!(this.service.poll_ready(cx))?;
        }
        if let Some((request, body)) = this.request.take() {
            this.response = Some(Box::pin(this.service.call(request.into_http(body))));
        }
        match &mut this.response {
            Some(response) => response.as_mut().poll(cx),
            // Only after a panic of the service's, which nobody polls on.
            None => Poll::Pending,
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

/// The result of a future if it is ready when asked once.
pub(super) async fn at_once<F: Future + Unpin>(work: &mut F) -> Option<F::Output> {
    poll_fn(|cx| match Pin::new(&mut *work).poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
