//! A server on a free port, handlers for it, and the words that the tests speak to it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use ajp::Config;
use ajp::Server;
use ajp::client::Client;
use ajp::packet::ForwardRequest;
use bytes::Bytes;
use bytes::BytesMut;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// No test waits longer for what must happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server. It stops without grace when the test ends.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    /// Another handle on it.
    pub(crate) server: Server,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Asks the server to stop.
    pub(crate) fn stop(self) -> JoinHandle<std::io::Result<()>> {
        let _ = self.stop.send(());
        self.task
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await.expect("the server listens")
    }
}

/// Starts a server for a closure.
pub(crate) async fn start<F, R, B, E>(config: Config, handler: F) -> Running
where
    F: FnMut(Request<ajp::Body>) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
    E: std::fmt::Display + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let shutdown = async { drop(stopped.await) };
    let server = Server::new(config);
    let task = tokio::spawn(server.clone().serve(listener, ajp::service_fn(handler), shutdown));
    Running {
        address,
        server,
        stop,
        task,
    }
}

/// Answers with method, target and body; 400 with the error's text if the body is not complete.
pub(crate) async fn echo(request: Request<ajp::Body>) -> Result<Response<String>, Infallible> {
    let (parts, body) = request.into_parts();
    Ok(match body.collect().await {
        Ok(body) => {
            let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            Response::new(format!("{} {} {text}", parts.method, parts.uri))
        }
        Err(error) => answer(StatusCode::BAD_REQUEST, error.to_string()),
    })
}

/// Answers 401 without a look at the body.
pub(crate) async fn unauthorized(_: Request<ajp::Body>) -> Result<Response<String>, Infallible> {
    Ok(answer(StatusCode::UNAUTHORIZED, "who are you?".to_owned()))
}

pub(crate) fn answer(status: StatusCode, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response
}

/// A piece of a response body, or why there is none.
pub(crate) type Part = Result<&'static str, String>;

/// A body made of what comes through a channel; an error breaks it, and a text "panic" does so more rudely.
pub(crate) struct Parts(pub(crate) mpsc::Receiver<Part>);

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = String;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        self.0.poll_recv(cx).map(|part| {
            part.map(|part| {
                assert_ne!(part, Ok("panic"));
                part.map(|text| Frame::data(Bytes::from_static(text.as_bytes())))
            })
        })
    }
}

pub(crate) fn get(target: &str) -> ForwardRequest {
    ForwardRequest::new(Method::GET, target.parse().expect("a target"))
}

/// A POST that announces the length of its body.
pub(crate) fn post(target: &str, length: usize) -> ForwardRequest {
    ForwardRequest::new(Method::POST, target.parse().expect("a target"))
        .header(header::CONTENT_LENGTH, HeaderValue::from(length))
}

/// A POST that does not.
pub(crate) fn post_chunked(target: &str) -> ForwardRequest {
    ForwardRequest::new(Method::POST, target.parse().expect("a target"))
        .header(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"))
}

/// The bytes of a FORWARD_REQUEST packet.
pub(crate) fn forward(request: &ForwardRequest) -> Vec<u8> {
    let size = ajp::packet::PacketSize::new(8192);
    let mut out = BytesMut::new();
    ajp::encode::forward_request(&mut out, request, size).expect("it fits");
    out.to_vec()
}

/// The bytes of a DATA packet.
pub(crate) fn data(body: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    ajp::encode::data(&mut out, body, ajp::packet::PacketSize::new(8192));
    out.to_vec()
}

/// Waits for what must happen soon.
pub(crate) async fn soon<T>(what: &str, happening: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, happening).await {
        Ok(happened) => happened,
        Err(_) => panic!("{what}: nothing happened"),
    }
}

/// Waits until the server closes the connection without another packet.
pub(crate) async fn closed(client: &mut Client) {
    match soon("close", client.receive()).await {
        Err(ajp::client::ClientError::Io(_)) => {}
        other => panic!("the connection should be closed: {other:?}"),
    }
}
