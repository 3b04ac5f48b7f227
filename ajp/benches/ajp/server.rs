//! The servers that are measured: the crate with a trivial handler, and one that answers without reading.

use std::convert::Infallible;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener as StdListener;
use std::net::TcpStream as StdStream;
use std::thread;

use bytes::Bytes;
use http::HeaderValue;
use http::Request;
use http::Response;
use http::header;
use http_body_util::BodyExt;
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::ANSWER;

/// Reads the body and answers 300 bytes; `/park` waits for what never comes.
#[tokio::main]
pub(crate) async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let (_release, released) = watch::channel(());
    let config = ajp::Config {
        max_connections: 100_000,
        ..ajp::Config::default()
    };
    let service = ajp::service_fn(move |request: Request<ajp::Body>| {
        let released = released.clone();
        handle(request, released)
    });
    ajp::Server::new(config)
        .serve(listener, service, std::future::pending())
        .await
}

async fn handle(
    request: Request<ajp::Body>,
    mut released: watch::Receiver<()>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_park = request.uri().path() == "/park";
    let body = request.into_body().collect().await;
    if body.is_ok() && is_park {
        let _ = released.changed().await;
    }
    let mut response = Response::new(Full::new(Bytes::from_static(&[b'x'; ANSWER])));
    let content_type = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(response)
}

/// Answers each segment with the same bytes: what no back end can beat.
pub(crate) fn constant() -> io::Result<()> {
    let listener = StdListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || answer(stream));
    }
    Ok(())
}

fn answer(mut stream: StdStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let head: &[u8] = b"AB\0\x2F\x04\0\xC8\0\x02OK\0\0\x02\xA0\x01\0\x18application/octet-stream\0\xA0\x03\0\x03300\0";
    let answer = [head, b"AB\x01\x30\x03\x01\x2C", &[b'x'; ANSWER], b"\0AB\0\x02\x05\x01"].concat();
    let mut received = vec![0; 8192];
    let mut pending = 0;
    loop {
        // A request is one FORWARD_REQUEST and one DATA, which may come in two segments; DATA of 100 bytes ends it.
        let length = stream.read(&mut received[pending..])?;
        if length == 0 {
            return Ok(());
        }
        pending += length;
        if received[..pending].ends_with(&[b'y'; 100]) {
            stream.write_all(&answer)?;
            pending = 0;
        }
    }
}
