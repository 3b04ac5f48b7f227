//! A closure as a service, for programs that do not need a tower of layers.

use std::future::Future;
use std::task::Context;
use std::task::Poll;

use http::Request;
use http::Response;
use tower_service::Service;

use crate::body::Body;

/// Makes a service of a closure from request to response.
///
/// ```
/// let service = ajp::service_fn(async |request: http::Request<ajp::Body>| {
///     Ok::<_, std::convert::Infallible>(http::Response::new(request.uri().to_string()))
/// });
/// # let _ = service;
/// ```
pub fn service_fn<F, R, B, E>(function: F) -> ServiceFn<F>
where
    F: FnMut(Request<Body>) -> R,
    R: Future<Output = Result<Response<B>, E>>,
{
    ServiceFn { function }
}

/// The service made by [`service_fn`].
#[derive(Debug, Clone, Copy)]
pub struct ServiceFn<F> {
    function: F,
}

impl<F, R, B, E> Service<Request<Body>> for ServiceFn<F>
where
    F: FnMut(Request<Body>) -> R,
    R: Future<Output = Result<Response<B>, E>>,
{
    type Response = Response<B>;
    type Error = E;
    type Future = R;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> R {
        (self.function)(request)
    }
}
