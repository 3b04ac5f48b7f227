//! Requests and their bodies over real sockets.

use std::convert::Infallible;

use ajp::Config;
use ajp::Peer;
use ajp::packet::PacketSize;
use ajp::packet::ToWebServer;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http_body_util::BodyExt;

use crate::samples;
use crate::support::closed;
use crate::support::data;
use crate::support::echo;
use crate::support::forward;
use crate::support::get;
use crate::support::post;
use crate::support::post_chunked;
use crate::support::soon;
use crate::support::start;
use crate::support::unauthorized;

#[tokio::test]
async fn without_a_body_nothing_is_asked_for() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    for request in [get("/a?b=c"), post("/a?b=c", 0)] {
        let answer = soon("answer", client.request(&request, b"")).await.expect("an answer");
        assert_eq!(answer.response.status(), StatusCode::OK);
        assert_eq!(answer.response.body(), &format!("{} /a?b=c ", request.method));
        assert_eq!((answer.asked, answer.reuse), (0, true));
    }
}

#[tokio::test]
async fn a_body_is_fetched_part_by_part() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    // Length, and how often it is asked for: with a length once less, as the first part comes unasked; without one
    // once more, to learn of the end.
    let cases = [(1, 0, 2), (8186, 0, 2), (8187, 1, 3), (50_000, 6, 8)];
    for (length, asked, asked_chunked) in cases {
        let body = "x".repeat(length);
        for (request, expected) in [(post("/", length), asked), (post_chunked("/"), asked_chunked)] {
            let answer = soon("answer", client.request(&request, body.as_bytes()))
                .await
                .expect("an answer");
            assert_eq!(answer.response.body(), &format!("POST / {body}"));
            assert_eq!((answer.asked, answer.reuse), (expected, true), "{length}");
        }
    }
}

#[tokio::test]
async fn any_method_may_have_a_body() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    for method in [Method::GET, Method::OPTIONS, Method::PATCH] {
        let mut request = post("/", 5);
        request.method = method.clone();
        let answer = soon("answer", client.request(&request, b"hello"))
            .await
            .expect("an answer");
        assert_eq!(answer.response.body(), &format!("{method} / hello"));
    }
}

#[tokio::test]
async fn a_short_part_is_not_the_last() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    client
        .send(&[forward(&post("/", 10)), data(b"0123")].concat())
        .await
        .expect("sent");
    for part in [&b"456"[..], b"789"] {
        assert_eq!(
            soon("question", client.receive()).await.unwrap(),
            ToWebServer::GetBodyChunk(8186)
        );
        client.send(&data(part)).await.expect("sent");
    }
    let answer = soon("answer", client.answer(b"")).await.expect("an answer");
    assert_eq!(
        (answer.asked, &answer.response.body()[..]),
        (0, &b"POST / 0123456789"[..])
    );
}

/// Each case: the packets' size, and into how many questions and chunks the body and its echo go.
#[tokio::test]
async fn larger_packets_carry_more_at_a_time() {
    let body = "0123456789".repeat(20_000);
    for (packet_size, asked, chunks) in [(PacketSize::MIN, 24, 25), (PacketSize::MAX, 3, 4)] {
        let config = Config {
            packet_size,
            ..Config::default()
        };
        let server = start(config, echo).await;
        let mut client = server.client().await.with_packet_size(PacketSize::new(packet_size));
        let request = post("/", 200_000);
        let answer = soon("answer", client.request(&request, body.as_bytes())).await;
        let answer = answer.expect("an answer");
        assert_eq!((answer.asked, answer.chunks), (asked, chunks), "{packet_size}");
        assert!(*answer.response.body() == format!("POST / {body}"), "{packet_size}");
    }
}

#[tokio::test]
async fn both_forms_of_the_end_are_understood() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    for end in ["12 34 00 02 00 00", "12 34 00 00"] {
        client.send(&forward(&post_chunked("/"))).await.expect("sent");
        assert_eq!(
            soon("question", client.receive()).await.unwrap(),
            ToWebServer::GetBodyChunk(8186)
        );
        client.send(&data(b"hello")).await.expect("sent");
        assert_eq!(
            soon("question", client.receive()).await.unwrap(),
            ToWebServer::GetBodyChunk(8186)
        );
        client.send(&samples::bytes(end)).await.expect("sent");
        let answer = soon("answer", client.answer(b"")).await.expect("an answer");
        assert_eq!(answer.response.body(), "POST / hello");
    }
}

#[tokio::test]
async fn a_body_with_missing_bytes_is_an_error_and_the_connection_lives() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    let answer = soon("answer", client.request(&post("/", 10), b"0123"))
        .await
        .expect("an answer");
    assert_eq!(answer.response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        answer.response.body(),
        "the request body ended before its Content-Length"
    );
    let answer = soon("answer", client.request(&get("/"), b"")).await.expect("an answer");
    assert_eq!(answer.response.body(), "GET / ");
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_disturb_the_next_request() {
    let server = start(Config::default(), unauthorized).await;
    let mut client = server.client().await;
    // A length of 0x0A00 or 0x0200 would look like CPING or FORWARD_REQUEST.
    for length in [1, 0x0200, 0x0A00, 50_000] {
        let body = vec![b'x'; length];
        for request in [post("/", length), post_chunked("/"), get("/")] {
            let answer = soon("answer", client.request(&request, &body))
                .await
                .expect("an answer");
            assert_eq!(answer.response.status(), StatusCode::UNAUTHORIZED);
            assert_eq!((answer.asked, answer.reuse), (0, true));
        }
    }
}

#[tokio::test]
async fn an_answer_may_come_before_the_body() {
    let server = start(Config::default(), unauthorized).await;
    let mut client = server.client().await;
    client.send(&forward(&post("/", 5))).await.expect("sent");
    assert!(soon("answer", client.answer(b"")).await.expect("an answer").reuse);
    client
        .send(&[data(b"hello"), forward(&get("/"))].concat())
        .await
        .expect("sent");
    let answer = soon("answer", client.answer(b"")).await.expect("an answer");
    assert_eq!(answer.response.status(), StatusCode::UNAUTHORIZED);
}

/// Wants one part of the body, and does not wait for it.
async fn impatient(request: Request<ajp::Body>) -> Result<Response<String>, Infallible> {
    let mut body = request.into_body();
    tokio::select! {
        _ = body.frame() => {}
        // The connection has the question once this task has given way to it.
        () = tokio::task::yield_now() => {}
    }
    Ok(Response::new("enough".to_owned()))
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_does_not_disturb_the_next_request() {
    let server = start(Config::default(), impatient).await;
    let mut client = server.client().await;
    for _ in 0..3 {
        let answer = soon("answer", client.request(&post_chunked("/"), b"hello"))
            .await
            .expect("an answer");
        assert_eq!(answer.response.body(), "enough");
    }
}

#[tokio::test]
async fn packets_may_come_in_any_pieces() {
    let server = start(Config::default(), echo).await;
    let stream = [
        ajp::encode::CPING.to_vec(),
        forward(&post("/first", 5)),
        data(b"hello"),
        ajp::encode::CPING.to_vec(),
        forward(&get("/second")),
    ];
    // A web server sends the next request only after the answer to this one.
    let (first, second) = (stream[..3].concat(), stream[3..].concat());
    for cut in 0..first.len() {
        let mut client = server.client().await;
        let second_cut = cut.min(second.len());
        for (packets, at, expected) in [
            (&first, cut, "POST /first hello"),
            (&second, second_cut, "GET /second "),
        ] {
            client.send(&packets[..at]).await.expect("sent");
            tokio::task::yield_now().await;
            client.send(&packets[at..]).await.expect("sent");
            assert_eq!(soon("pong", client.receive()).await.unwrap(), ToWebServer::CPong);
            let answer = soon("answer", client.answer(b"")).await.expect("an answer");
            assert_eq!(answer.response.body(), expected, "cut at {at}");
        }
    }
    let mut client = server.client().await;
    for byte in &first {
        client.send(&[*byte]).await.expect("sent");
        tokio::task::yield_now().await;
    }
    assert_eq!(soon("pong", client.receive()).await.unwrap(), ToWebServer::CPong);
    assert_eq!(
        soon("answer", client.answer(b""))
            .await
            .expect("an answer")
            .response
            .body(),
        "POST /first hello"
    );
}

#[tokio::test]
async fn cping_is_answered_anywhere_between_requests() {
    let config = Config {
        secret: Some("s".to_owned()),
        ..Config::default()
    };
    let server = start(config, echo).await;
    let mut client = server.client().await;
    for _ in 0..3 {
        soon("pong", client.cping()).await.expect("a pong");
        soon("pong", client.cping()).await.expect("a pong");
        let answer = soon("answer", client.request(&post("/", 2).secret("s"), b"ab"))
            .await
            .expect("an answer");
        assert_eq!(answer.response.body(), "POST / ab");
    }
}

#[tokio::test]
async fn the_handler_learns_who_asks() {
    async fn who(request: Request<ajp::Body>) -> Result<Response<String>, Infallible> {
        let peer = request.extensions().get::<Peer>().expect("a peer");
        let text = format!(
            "{} {:?} {} {}:{} {} {:?} {:?}",
            peer.remote_addr,
            peer.remote_port,
            request.uri(),
            peer.server_name,
            peer.server_port,
            peer.is_ssl,
            peer.attributes.ssl_key_size,
            request.version(),
        );
        Ok(Response::new(text))
    }
    let server = start(Config::default(), who).await;
    let mut client = server.client().await;
    client
        .send(&[samples::post(), samples::data()].concat())
        .await
        .expect("sent");
    let answer = soon("answer", client.answer(b"")).await.expect("an answer");
    let expected = "198.51.100.7 Some(54321) /Microsoft-Server-ActiveSync?Cmd=Sync mail.example.com:443 true Some(256) \
                    HTTP/1.1";
    assert_eq!(answer.response.body(), expected);
}

#[tokio::test]
async fn the_end_of_the_connection_is_not_the_end_of_a_body() {
    let (result, mut results) = tokio::sync::mpsc::channel(1);
    let reader = move |request: Request<ajp::Body>| {
        let result = result.clone();
        async move {
            // Read in a task that outlives the handler.
            tokio::spawn(async move {
                let read = request.into_body().collect().await;
                result.send(read.map(|body| body.to_bytes())).await.expect("a test");
            });
            std::future::pending::<Result<Response<String>, Infallible>>().await
        }
    };
    let server = start(Config::default(), reader).await;
    for request in [post("/", 10), post_chunked("/")] {
        let mut client = server.client().await;
        client.send(&forward(&request)).await.expect("sent");
        if request.headers[0].0 == http::header::TRANSFER_ENCODING {
            assert_eq!(
                soon("question", client.receive()).await.unwrap(),
                ToWebServer::GetBodyChunk(8186)
            );
        }
        client.send(&data(b"0123")).await.expect("sent");
        assert_eq!(
            soon("question", client.receive()).await.unwrap(),
            ToWebServer::GetBodyChunk(8186)
        );
        drop(client);
        let read = soon("error", results.recv()).await.expect("a result");
        assert_eq!(read.err(), Some(ajp::BodyError::Closed));
    }
}

#[tokio::test]
async fn a_pipelined_request_is_refused_while_the_first_is_in_work() {
    let waits = |_: Request<ajp::Body>| std::future::pending::<Result<Response<String>, Infallible>>();
    let server = start(Config::default(), waits).await;
    let mut client = server.client().await;
    client
        .send(&[forward(&get("/")), forward(&get("/"))].concat())
        .await
        .expect("sent");
    closed(&mut client).await;
}
