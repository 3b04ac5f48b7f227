//! What the server does not put up with, and how it says so.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use ajp::Config;
use ajp::Server;
use ajp::client::Client;
use ajp::packet::ForwardRequest;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header;
use tokio::net::TcpListener;

use crate::samples::bytes;
use crate::support::closed;
use crate::support::data;
use crate::support::echo;
use crate::support::forward;
use crate::support::get;
use crate::support::post;
use crate::support::post_chunked;
use crate::support::soon;
use crate::support::start;

/// The server answers with this status, announces the end, and closes.
async fn refused(client: &mut Client, status: StatusCode) {
    let answer = soon("answer", client.answer(b"")).await.expect("an answer");
    assert_eq!((answer.response.status(), answer.reuse), (status, false));
    assert!(answer.response.body().is_empty(), "nothing more is said");
    closed(client).await;
}

#[tokio::test]
async fn without_the_secret_no_handler_runs() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let config = Config {
        secret: Some("s3cret".to_owned()),
        ..Config::default()
    };
    let handler = move |request| {
        counted.fetch_add(1, Ordering::Relaxed);
        echo(request)
    };
    let server = start(config, handler).await;
    let wrong = [
        get("/"),
        get("/").secret(""),
        get("/").secret("s3cre"),
        get("/").secret("S3cret"),
        get("/").secret("s3cret").secret("other"),
        // The rest of a refused upload does not turn the answer into a reset.
        post("/", 50_000),
    ];
    for request in wrong {
        let mut client = server.client().await;
        client.send(&forward(&request)).await.expect("sent");
        if request.method == Method::POST {
            client.send(&data(&[b'x'; 8186])).await.expect("sent");
        }
        refused(&mut client, StatusCode::FORBIDDEN).await;
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(
        server.server.refused_secrets(),
        6,
        "a mistake of the web server is seen"
    );

    // It is asked for again with every request.
    let mut client = server.client().await;
    let answer = soon("answer", client.request(&get("/").secret("s3cret"), b""))
        .await
        .expect("an answer");
    assert_eq!(answer.response.status(), StatusCode::OK);
    client.send(&forward(&get("/"))).await.expect("sent");
    refused(&mut client, StatusCode::FORBIDDEN).await;
}

#[tokio::test]
async fn a_request_that_can_be_read_two_ways_is_refused() {
    let server = start(Config::default(), echo).await;
    let length = |value| (header::CONTENT_LENGTH, HeaderValue::from_static(value));
    let coding = |value| (header::TRANSFER_ENCODING, HeaderValue::from_static(value));
    let cases = [
        vec![length("5"), length("5")],
        vec![length("5"), coding("chunked")],
        vec![length("+5")],
        vec![coding("gzip, chunked")],
    ];
    for headers in cases {
        let mut client = server.client().await;
        let request = ForwardRequest { headers, ..get("/") };
        client.send(&forward(&request)).await.expect("sent");
        refused(&mut client, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn a_malformed_request_is_answered() {
    let server = start(Config::default(), echo).await;
    for packet in ["12 34 00 01 02", "12 34 00 05 02 02 00 08 48", "12 34 00 02 02 FE"] {
        let mut client = server.client().await;
        client.send(&bytes(packet)).await.expect("sent");
        refused(&mut client, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn a_body_longer_than_announced_is_refused() {
    let server = start(Config::default(), echo).await;
    for part in [data(b"hello!"), bytes("12 34 00 03 00 05 41")] {
        let mut client = server.client().await;
        client
            .send(&[forward(&post("/", 5)), part].concat())
            .await
            .expect("sent");
        refused(&mut client, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn limits_are_kept() {
    let config = Config {
        max_headers: 2,
        max_header_bytes: 500,
        ..Config::default()
    };
    let server = start(config, echo).await;
    let with = |count: usize, length: usize| {
        let mut request = get("/");
        for _ in 0..count {
            request = request.header(
                header::ACCEPT,
                HeaderValue::from_str(&"x".repeat(length)).expect("a value"),
            );
        }
        request
    };
    let mut client = server.client().await;
    let answer = soon("answer", client.request(&with(2, 100), b""))
        .await
        .expect("an answer");
    assert_eq!(answer.response.status(), StatusCode::OK);
    for request in [with(3, 1), with(1, 500)] {
        let mut client = server.client().await;
        client.send(&forward(&request)).await.expect("sent");
        refused(&mut client, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn what_is_no_packet_ends_its_connection_only() {
    let server = start(Config::default(), echo).await;
    let mut bystander = server.client().await;
    let cases = [
        "\"GET / HTTP/1.1\"",
        "41 42 00 01 0A",
        // SHUTDOWN, PING, an unknown code, and a packet without anything.
        "12 34 00 01 07",
        "12 34 00 01 08",
        "12 34 00 01 63",
        "12 34 00 00",
    ];
    for packet in cases {
        let mut client = server.client().await;
        client.send(&bytes(packet)).await.expect("sent");
        closed(&mut client).await;
        soon("pong", bystander.cping()).await.expect("the server lives");
    }
}

#[tokio::test]
async fn a_packet_larger_than_ours_is_taken() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    let mut body = b"12 34".to_vec();
    body.resize(65_000, b'x');
    let length = u16::try_from(body.len()).expect("a short body");
    let mut packet = vec![0x12, 0x34];
    packet.extend((length + 2).to_be_bytes());
    packet.extend(length.to_be_bytes());
    packet.extend(&body);
    client
        .send(&[forward(&post("/", body.len())), packet].concat())
        .await
        .expect("sent");
    let answer = soon("answer", client.answer(b"")).await.expect("an answer");
    assert_eq!(answer.response.body().len(), "POST / ".len() + body.len());
}

#[tokio::test]
async fn too_much_body_is_413_and_read_no_further_than_needed() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let config = Config {
        max_body_bytes: Some(20_000),
        ..Config::default()
    };
    let handler = move |request| {
        counted.fetch_add(1, Ordering::Relaxed);
        echo(request)
    };
    let server = start(config, handler).await;
    let mut client = server.client().await;
    let body = vec![b'x'; 50_000];
    // With a length nothing is asked for and no handler runs; without one, the third part is too much.
    for (request, asked, handled) in [(post("/", 50_000), 0, 0), (post_chunked("/"), 3, 1)] {
        let answer = soon("answer", client.request(&request, &body))
            .await
            .expect("an answer");
        assert_eq!(answer.response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!((answer.asked, answer.reuse), (asked, true));
        assert_eq!(calls.load(Ordering::Relaxed), handled);
    }
    // The connection lives, and what is not too much passes.
    for request in [post("/", 20_000), post_chunked("/")] {
        let answer = soon("answer", client.request(&request, &body[..20_000]))
            .await
            .expect("an answer");
        assert_eq!(answer.response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn nobody_listens_to_the_world_without_a_secret() {
    let cases = [("0.0.0.0:0", None), ("127.0.0.1:0", Some(String::new()))];
    for (address, secret) in cases {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let config = Config {
            secret,
            ..Config::default()
        };
        let served = Server::new(config).serve(listener, ajp::service_fn(echo), std::future::pending());
        let error = soon("refusal", served).await.expect_err("exposed");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_program_can_ask_whether_it_would_be_exposed() {
    let server = |secret: Option<&str>, allow_remote_without_secret| {
        Server::new(Config {
            secret: secret.map(str::to_owned),
            allow_remote_without_secret,
            ..Config::default()
        })
    };
    let cases = [
        // Loopback in all its forms needs nothing.
        ("127.0.0.1:8009", None, false, true),
        ("127.1.2.3:8009", None, false, true),
        ("[::1]:8009", None, false, true),
        ("[::ffff:127.0.0.1]:8009", None, false, true),
        ("0.0.0.0:8009", None, false, false),
        ("[::]:8009", None, false, false),
        ("192.0.2.1:8009", None, false, false),
        ("[::ffff:192.0.2.1]:8009", None, false, false),
        ("192.0.2.1:8009", Some("s"), false, true),
        ("192.0.2.1:8009", None, true, true),
        // An empty secret is a mistake everywhere.
        ("127.0.0.1:8009", Some(""), true, false),
    ];
    for (address, secret, allowed, may) in cases {
        let checked = server(secret, allowed).check(address.parse().expect("an address"));
        assert_eq!(checked.is_ok(), may, "{address} {secret:?} {allowed}");
    }
    let refused = server(None, false).check(([192, 0, 2, 1], 8009).into());
    let text = refused.expect_err("exposed").to_string();
    for part in ["192.0.2.1:8009", "127.0.0.1", "secret="] {
        assert!(text.contains(part), "the error explains: {text}");
    }
}
