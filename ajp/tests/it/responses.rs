//! Responses over real sockets: their form, their size, and what becomes of handlers that fail.

use std::convert::Infallible;

use ajp::Config;
use ajp::packet::ForwardRequest;
use ajp::packet::ToWebServer;
use bytes::Bytes;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::samples::bytes;
use crate::support::Part;
use crate::support::Parts;
use crate::support::Running;
use crate::support::answer;
use crate::support::closed;
use crate::support::echo;
use crate::support::forward;
use crate::support::get;
use crate::support::soon;
use crate::support::start;

#[tokio::test]
async fn a_small_response_is_one_write_and_these_bytes() {
    let server = start(Config::default(), |_| async {
        Ok::<_, Infallible>(Response::new("hi".to_owned()))
    })
    .await;
    let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
    stream.write_all(&forward(&get("/"))).await.expect("sent");
    let mut received = [0; 1000];
    let length = soon("answer", stream.read(&mut received)).await.expect("an answer");
    let expected = bytes(
        r#"41 42 00 10  04  00 C8  00 02 "OK" 00  00 01  A0 03 00 01 "2" 00
           41 42 00 06  03 00 02 "hi" 00
           41 42 00 02  05 01"#,
    );
    assert_eq!(received[..length], expected);
}

#[tokio::test]
async fn a_large_response_comes_in_chunks_that_fit() {
    for (packet_size, most) in [(8192, 8184), (65536, 65528)] {
        let config = Config {
            packet_size,
            ..Config::default()
        };
        let server = start(config, |_| async {
            Ok::<_, Infallible>(Response::new("x".repeat(300_000)))
        })
        .await;
        let mut client = server.client().await;
        client.send(&forward(&get("/"))).await.expect("sent");
        let mut lengths = Vec::new();
        loop {
            match soon("packet", client.receive()).await.expect("a packet") {
                ToWebServer::SendBodyChunk(chunk) => lengths.push(chunk.len()),
                ToWebServer::SendHeaders { headers, .. } => {
                    assert_eq!(headers, [(header::CONTENT_LENGTH, HeaderValue::from_static("300000"))]);
                }
                ToWebServer::EndResponse { reuse } => break assert!(reuse),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(lengths.iter().sum::<usize>(), 300_000);
        assert_eq!(lengths.iter().max(), Some(&most));
    }
}

#[tokio::test]
async fn where_no_body_belongs_none_is_sent() {
    let server = start(Config::default(), |request: Request<ajp::Body>| async move {
        let status = request.uri().path().trim_start_matches('/').parse().expect("a status");
        let mut response = answer(status, "a body".to_owned());
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from_static("6"));
        Ok::<_, Infallible>(response)
    })
    .await;
    let mut client = server.client().await;
    let head = ForwardRequest {
        method: Method::HEAD,
        ..get("/200")
    };
    for (request, chunks) in [
        (get("/200"), 1),
        (head, 0),
        (get("/204"), 0),
        (get("/304"), 0),
        (get("/404"), 1),
    ] {
        let answer = soon("answer", client.request(&request, b"")).await.expect("an answer");
        assert_eq!((answer.chunks, answer.reuse), (chunks, true), "{}", request.target);
        assert_eq!(answer.response.headers()[header::CONTENT_LENGTH], "6");
    }
}

#[tokio::test]
async fn the_connection_is_kept_whatever_the_client_wants() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    let mut request = get("/").header(header::CONNECTION, HeaderValue::from_static("close"));
    request.version = http::Version::HTTP_10;
    assert!(
        soon("answer", client.request(&request, b""))
            .await
            .expect("an answer")
            .reuse
    );
    soon("pong", client.cping()).await.expect("a pong");
}

#[tokio::test]
async fn a_response_that_cannot_be_sent_becomes_500() {
    let server = start(Config::default(), |request: Request<ajp::Body>| async move {
        match request.uri().path() {
            "/panic" => panic!("for the test"),
            "/error" => Err("for the test"),
            "/huge" => {
                let mut response = answer(StatusCode::OK, "body".to_owned());
                let huge = HeaderValue::from_str(&"x".repeat(9000)).expect("a value");
                response.headers_mut().insert("x-huge", huge);
                Ok(response)
            }
            _ => Ok(answer(StatusCode::SWITCHING_PROTOCOLS, String::new())),
        }
    })
    .await;
    let mut client = server.client().await;
    for target in ["/panic", "/error", "/huge", "/101"] {
        let answer = soon("answer", client.request(&get(target), b""))
            .await
            .expect("an answer");
        assert_eq!(answer.response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{target}");
        assert!(answer.reuse && answer.response.body().is_empty(), "{target}");
    }
}

/// A server whose response bodies are written by the test: for each request, the pen comes out of the channel.
async fn streaming() -> (Running, mpsc::Receiver<mpsc::Sender<Part>>) {
    let (pens, requests) = mpsc::channel(1);
    let server = start(Config::default(), move |_| {
        let pens = pens.clone();
        async move {
            let (pen, body) = mpsc::channel(1);
            pens.send(pen).await.expect("a test");
            Ok::<_, Infallible>(Response::new(Parts(body)))
        }
    })
    .await;
    (server, requests)
}

#[tokio::test]
async fn a_body_that_makes_wait_is_passed_on_part_by_part() {
    let (server, mut requests) = streaming().await;
    let mut client = server.client().await;
    client.send(&forward(&get("/"))).await.expect("sent");
    let pen = soon("request", requests.recv()).await.expect("a request");
    let headers = soon("headers", client.receive()).await.expect("a packet");
    assert!(matches!(
        headers,
        ToWebServer::SendHeaders {
            status: StatusCode::OK,
            ..
        }
    ));
    let flush = ToWebServer::SendBodyChunk(Bytes::new());
    assert_eq!(soon("flush", client.receive()).await.expect("a packet"), flush);
    for text in ["one", "two"] {
        pen.send(Ok(text)).await.expect("a body");
        let chunk = soon("chunk", client.receive()).await.expect("a packet");
        assert_eq!(chunk, ToWebServer::SendBodyChunk(Bytes::from_static(text.as_bytes())));
        assert_eq!(soon("flush", client.receive()).await.expect("a packet"), flush);
    }
    drop(pen);
    assert_eq!(
        soon("end", client.receive()).await.expect("a packet"),
        ToWebServer::EndResponse { reuse: true }
    );
    soon("pong", client.cping()).await.expect("a pong");
}

#[tokio::test]
async fn a_body_that_fails_is_never_taken_for_a_whole_one() {
    for failure in [Err("for the test".to_owned()), Ok("panic")] {
        let (server, mut requests) = streaming().await;
        let mut client = server.client().await;
        client.send(&forward(&get("/"))).await.expect("sent");
        let pen = soon("request", requests.recv()).await.expect("a request");
        let headers = soon("headers", client.receive()).await.expect("a packet");
        assert!(matches!(headers, ToWebServer::SendHeaders { .. }));
        pen.send(failure).await.expect("a body");
        let flush = soon("flush", client.receive()).await.expect("a packet");
        assert_eq!(flush, ToWebServer::SendBodyChunk(Bytes::new()));
        // The status is out, so no other can be given; and no END_RESPONSE says that all is well.
        closed(&mut client).await;
    }
}

#[tokio::test]
async fn a_body_that_fails_before_anything_was_sent_becomes_500() {
    for failure in [Err("for the test".to_owned()), Ok("panic")] {
        let server = start(Config::default(), move |_| {
            let (pen, body) = mpsc::channel(1);
            pen.try_send(failure.clone()).expect("an empty channel");
            async move { Ok::<_, Infallible>(Response::new(Parts(body))) }
        })
        .await;
        let mut client = server.client().await;
        let answer = soon("answer", client.request(&get("/"), b"")).await.expect("an answer");
        assert_eq!(
            (answer.response.status(), answer.reuse),
            (StatusCode::INTERNAL_SERVER_ERROR, true)
        );
    }
}
