//! How handlers, connections and the server come to their end.

use std::convert::Infallible;
use std::time::Duration;

use ajp::Config;
use ajp::client::Client;
use ajp::packet::ToWebServer;
use bytes::Bytes;
use http::Request;
use http::Response;
use http::StatusCode;
use tokio::sync::mpsc;
use tokio::sync::watch;

use crate::samples::bytes;
use crate::support::Parts;
use crate::support::Running;
use crate::support::closed;
use crate::support::data;
use crate::support::echo;
use crate::support::forward;
use crate::support::get;
use crate::support::post;
use crate::support::post_chunked;
use crate::support::soon;
use crate::support::start;

/// What a parked handler reports.
#[derive(Debug, PartialEq)]
enum Parked {
    Began,
    Dropped,
}

/// Reports when its handler is dropped without having finished.
struct Watch {
    report: mpsc::UnboundedSender<Parked>,
    finished: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.finished {
            let _ = self.report.send(Parked::Dropped);
        }
    }
}

/// A server whose handlers wait until they are released; they do not look at their bodies.
struct Parking {
    server: Running,
    reports: mpsc::UnboundedReceiver<Parked>,
    release: watch::Sender<bool>,
}

async fn parking(config: Config) -> Parking {
    let (report, reports) = mpsc::unbounded_channel();
    let (release, released) = watch::channel(false);
    let handler = move |_: Request<ajp::Body>| {
        let (report, mut released) = (report.clone(), released.clone());
        async move {
            report.send(Parked::Began).expect("a test");
            let mut watch = Watch {
                report,
                finished: false,
            };
            released.wait_for(|released| *released).await.expect("a test");
            watch.finished = true;
            Ok::<_, Infallible>(Response::new("released".to_owned()))
        }
    };
    Parking {
        server: start(config, handler).await,
        reports,
        release,
    }
}

impl Parking {
    async fn reports(&mut self, expected: Parked) {
        assert_eq!(soon("report", self.reports.recv()).await, Some(expected));
    }

    /// A client whose request is parked.
    async fn parked(&mut self, packets: &[u8]) -> Client {
        let mut client = self.server.client().await;
        client.send(packets).await.expect("sent");
        self.reports(Parked::Began).await;
        client
    }
}

#[tokio::test]
async fn a_handler_is_dropped_when_its_connection_closes() {
    let mut parking = parking(Config::default()).await;
    // With nothing owed, with the body still to come, with the body come and not read, and with a body half there.
    let waiting = [
        forward(&get("/")),
        forward(&post("/", 5)),
        forward(&post_chunked("/")),
        [forward(&post("/", 5)), data(b"hello")].concat(),
        [forward(&post("/", 5)), data(b"hello")[..7].to_vec()].concat(),
    ];
    for packets in waiting {
        let client = parking.parked(&packets).await;
        drop(client);
        parking.reports(Parked::Dropped).await;
    }
}

#[tokio::test]
async fn a_handler_is_dropped_when_something_comes_unasked() {
    let mut parking = parking(Config::default()).await;
    for packet in [
        bytes("12 34 00 01 0A"),
        forward(&get("/")),
        data(b"hello"),
        b"x".to_vec(),
    ] {
        let mut client = parking.parked(&forward(&get("/"))).await;
        client.send(&packet).await.expect("sent");
        parking.reports(Parked::Dropped).await;
        closed(&mut client).await;
    }
}

#[tokio::test]
async fn a_parked_request_is_answered_when_its_time_has_come() {
    let mut parking = parking(Config::default()).await;
    let mut client = parking.parked(&[forward(&post("/", 5)), data(b"hello")].concat()).await;
    parking.release.send_replace(true);
    let answer = soon("answer", client.answer(b"")).await.expect("an answer");
    assert_eq!(answer.response.body(), "released");
    soon("pong", client.cping()).await.expect("the body was taken off");
}

#[tokio::test]
async fn the_web_server_is_told_that_a_parked_request_lives() {
    let config = Config {
        parked_flush: Some(Duration::from_millis(5)),
        ..Config::default()
    };
    let mut parking = parking(config).await;
    let mut client = parking.parked(&forward(&get("/"))).await;
    for _ in 0..3 {
        let flush = soon("flush", client.receive()).await.expect("a packet");
        assert_eq!(flush, ToWebServer::SendBodyChunk(Bytes::new()));
    }
    parking.release.send_replace(true);
    let answer = soon("answer", client.answer(b"")).await.expect("an answer");
    assert_eq!(answer.response.body(), "released");
}

#[tokio::test]
async fn shutdown_lets_running_requests_finish() {
    let mut parking = parking(Config::default()).await;
    let mut idle = parking.server.client().await;
    soon("pong", idle.cping()).await.expect("a pong");
    let mut running = parking.parked(&forward(&get("/"))).await;
    let address = parking.server.address;
    let stopped = parking.server.stop();
    closed(&mut idle).await;
    parking.release.send_replace(true);
    let answer = soon("answer", running.answer(b"")).await.expect("an answer");
    assert_eq!(
        (answer.response.body(), answer.reuse),
        (&Bytes::from("released"), false)
    );
    closed(&mut running).await;
    drop(running);
    soon("stop", stopped).await.expect("no panic").expect("no error");
    assert!(Client::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn while_old_requests_run_new_ones_are_let_in() {
    let mut parking = parking(Config::default()).await;
    let mut running = parking.parked(&forward(&get("/"))).await;
    let address = parking.server.address;
    let stopped = parking.server.stop();
    // Pings are answered as long as there is a connection, and a request on a fresh one is served, but its last.
    let mut fresh = soon("connection", Client::connect(address)).await.expect("not refused");
    soon("pong", fresh.cping()).await.expect("a pong");
    fresh.send(&forward(&get("/"))).await.expect("sent");
    assert_eq!(soon("report", parking.reports.recv()).await, Some(Parked::Began));
    parking.release.send_replace(true);
    for client in [&mut running, &mut fresh] {
        let answer = soon("answer", client.answer(b"")).await.expect("an answer");
        assert_eq!(
            (answer.response.body(), answer.reuse),
            (&Bytes::from("released"), false)
        );
    }
    drop((running, fresh));
    soon("stop", stopped).await.expect("no panic").expect("no error");
    assert!(Client::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn who_is_idle_at_the_stop_may_still_be_heard() {
    let server = start(Config::default(), echo).await;
    let mut client = server.client().await;
    soon("pong", client.cping()).await.expect("a pong");
    let stopped = server.stop();
    // Apache has taken this connection out of its pool before it could learn of the stop.
    let answer = soon("answer", client.request(&post("/", 5), b"hello"))
        .await
        .expect("an answer");
    assert_eq!(
        (answer.response.body(), answer.reuse),
        (&Bytes::from("POST / hello"), false)
    );
    drop(client);
    soon("stop", stopped).await.expect("no panic").expect("no error");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let mut parking = parking(Config {
        shutdown_timeout: Duration::from_millis(20),
        ..Config::default()
    })
    .await;
    let mut client = parking.parked(&forward(&get("/"))).await;
    let stopped = parking.server.stop();
    soon("stop", stopped).await.expect("no panic").expect("no error");
    assert_eq!(soon("report", parking.reports.recv()).await, Some(Parked::Dropped));
    closed(&mut client).await;
}

#[tokio::test]
async fn a_packet_that_is_never_completed_ends_its_connection() {
    let config = Config {
        packet_timeout: Duration::from_millis(20),
        ..Config::default()
    };
    let server = start(config, echo).await;
    let whole = forward(&get("/"));
    for length in [1, 3, 4, whole.len() - 1] {
        let mut client = server.client().await;
        client.send(&whole[..length]).await.expect("sent");
        closed(&mut client).await;
    }
    // DATA, too.
    let mut client = server.client().await;
    client
        .send(&[forward(&post("/", 5)), data(b"hello")[..7].to_vec()].concat())
        .await
        .expect("sent");
    closed(&mut client).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_an_error() {
    let config = Config {
        body_timeout: Duration::from_millis(20),
        ..Config::default()
    };
    let server = start(config, echo).await;
    let mut client = server.client().await;
    client.send(&forward(&post("/", 5))).await.expect("sent");
    let answer = soon("answer", client.answer(b"")).await.expect("an answer");
    assert_eq!(answer.response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(answer.response.body(), "the request body did not arrive in time");
    // Its DATA is still owed, and is not waited for without end either.
    closed(&mut client).await;
}

/// A part of a body; without end they fill every socket.
const LONG: &str = match std::str::from_utf8(&[b'x'; 100_000]) {
    Ok(text) => text,
    Err(_) => "",
};

#[tokio::test]
async fn who_does_not_read_is_not_waited_for() {
    let config = Config {
        write_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let (report, mut reports) = mpsc::unbounded_channel();
    let server = start(config, move |_: Request<ajp::Body>| {
        let (pen, body) = mpsc::channel(1);
        let report = report.clone();
        tokio::spawn(async move {
            while pen.send(Ok(LONG)).await.is_ok() {}
            report.send(Parked::Dropped).expect("a test");
        });
        async move { Ok::<_, Infallible>(Response::new(Parts(body))) }
    })
    .await;
    let mut client = server.client().await;
    client.send(&forward(&get("/"))).await.expect("sent");
    assert_eq!(soon("report", reports.recv()).await, Some(Parked::Dropped));
}

#[tokio::test]
async fn an_idle_connection_lasts_as_long_as_configured() {
    let config = Config {
        idle_timeout: Some(Duration::from_millis(20)),
        ..Config::default()
    };
    let server = start(config, echo).await;
    let mut client = server.client().await;
    soon("pong", client.cping()).await.expect("a pong");
    closed(&mut client).await;
}

#[tokio::test]
async fn further_connections_wait_until_there_is_room() {
    let server = start(
        Config {
            max_connections: 1,
            ..Config::default()
        },
        echo,
    )
    .await;
    let mut first = server.client().await;
    soon("pong", first.cping()).await.expect("a pong");
    let mut second = server.client().await;
    let waiting = tokio::spawn(async move { second.cping().await });
    soon("pong", first.cping()).await.expect("a pong");
    assert!(!waiting.is_finished());
    drop(first);
    soon("room", waiting).await.expect("no panic").expect("a pong");
}
