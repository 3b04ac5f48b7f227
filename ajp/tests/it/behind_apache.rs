//! The server behind a real Apache httpd: what travels, what it takes, and what nobody may notice.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use ajp::Config;
use ajp::Peer;
use ajp::Server;
use bytes::Bytes;
use http::HeaderValue;
use http::Request;
use http::Response;
use http::StatusCode;
use http_body::Body as _;
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::Either;
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;

use crate::apache::Apache;
use crate::http::Http;
use crate::relay::Relay;
use crate::support::soon;
use crate::support::start;

/// The longest body.
const LONGEST: usize = 50_000_000;

/// All bodies are beginnings of these bytes, in which no two packets look alike and every shift shows.
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| {
    let words = (0..LONGEST / 4 + 1).map(|word| u32::try_from(word).unwrap_or_default().to_le_bytes());
    words.collect::<Vec<_>>().concat().into()
});

/// The first bytes of the pattern, sent in parts.
struct Download {
    sent: usize,
    length: usize,
}

impl http_body::Body for Download {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let end = self.length.min(self.sent + 100_000);
        let part = PATTERN.slice(self.sent..end);
        self.sent = end;
        Poll::Ready(
            Some(part)
                .filter(|part| !part.is_empty())
                .map(|part| Ok(Frame::data(part))),
        )
    }
}

/// `/download/N` answers N bytes; anything else counts the bytes of the body and tells whether they are the pattern.
async fn transfer(request: Request<ajp::Body>) -> Result<Response<Either<Download, String>>, ajp::BodyError> {
    if let Some(length) = request.uri().path().strip_prefix("/download/") {
        let length = length.parse().expect("a number");
        return Ok(Response::new(Either::Left(Download { sent: 0, length })));
    }
    let mut body = request.into_body();
    let (mut count, mut is_pattern) = (0, true);
    while let Some(frame) = body.frame().await {
        let part = frame?.into_data().unwrap_or_default();
        is_pattern &= PATTERN[count..].starts_with(&part);
        count += part.len();
    }
    assert!(body.is_end_stream());
    Ok(Response::new(Either::Right(format!("{count} {is_pattern}"))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_every_size_arrive_whole() {
    for packet_size in [8192, 65536] {
        let config = Config {
            secret: Some("s3cret".to_owned()),
            packet_size,
            ..Config::default()
        };
        let server = start(config, transfer).await;
        let options = format!("secret=s3cret ping=2 flushpackets=on iobuffersize={packet_size}");
        let Some(apache) = Apache::before(server.address, &options) else {
            return;
        };
        let mut http = Http::connect(apache.address).await;
        // Around the borders of a packet, and up to 50 MB.
        for length in [1, 8185, 8186, 8187, 20_000, 65_530, 65_531, 1_000_000, LONGEST] {
            let body = PATTERN.slice(..length);
            let expected = format!("{length} true");
            assert_eq!(http.post("/", &body).await.text(), expected);
            assert_eq!(http.post_chunked("/", &body, 100_000).await.text(), expected);
            let answer = http.get(&format!("/download/{length}")).await;
            assert!(answer.status == 200 && answer.body == body, "{length} bytes down");
        }
    }
}

/// Answers with the status in the path, a text, and without a look at the body.
async fn status_in_path(request: Request<ajp::Body>) -> Result<Response<String>, Infallible> {
    let mut response = Response::new("text".to_owned());
    *response.status_mut() = request.uri().path()[1..].parse().expect("a status");
    Ok(response)
}

#[tokio::test]
async fn statuses_without_a_body_and_unread_bodies_leave_the_connection_clean() {
    let server = start(Config::default(), status_in_path).await;
    let relay = Relay::to(server.address).await;
    let Some(apache) = Apache::before(relay.address, "") else {
        return;
    };
    let mut http = Http::connect(apache.address).await;
    // Without statuses such as 400 and 500, at which Apache closes the connection to its client. An inner length of 0x0200 or 0x0A00 would be a FORWARD_REQUEST or a CPING to a server out of step.
    for length in [0x0200, 0x0A00, 50_000] {
        let body = vec![2; length];
        for (method, status, text) in [
            ("POST", 401, "text"),
            ("HEAD", 200, ""),
            ("POST", 204, ""),
            ("GET", 304, ""),
            ("OPTIONS", 200, "text"),
            ("PUT", 403, "text"),
            ("POST", 404, "text"),
        ] {
            http.send(
                &format!("{method} /{status}"),
                &format!("Content-Length: {length}\r\n"),
                &body,
            )
            .await;
            let answer = http.answer(method == "HEAD").await.expect("an answer");
            assert_eq!((answer.status, answer.text()), (status, text), "{method} {length}");
            let answer = http.post_chunked("/401", &body, 1000).await;
            assert_eq!((answer.status, answer.text()), (401, "text"), "chunked {length}");
        }
    }
    assert_eq!(relay.connections(), 1, "every request was told apart on one connection");
}

/// Tells what arrived, a line for each thing.
async fn tell(request: Request<ajp::Body>) -> Result<Response<String>, ajp::BodyError> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut lines = vec![format!("{} {} {:?}", parts.method, parts.uri, parts.version)];
    for (name, value) in &parts.headers {
        lines.push(format!("{name}: {}", value.as_bytes().escape_ascii()));
    }
    let peer = parts.extensions.get::<Peer>().expect("a peer");
    lines.push(format!("peer {} {}", peer.remote_addr, peer.remote_port.is_some()));
    lines.push(format!("named {:?}", peer.attributes.named("FOO")));
    lines.push(format!("body {}", body.escape_ascii()));
    Ok(Response::new(lines.join("\n")))
}

#[tokio::test]
async fn http_travels_as_it_should() {
    let server = start(Config::default(), tell).await;
    let lines = format!(
        "SetEnv AJP_FOO x\nProxyPass /wide/ ajp://{0}/ iobuffersize=65536\nProxyPass / ajp://{0}/",
        server.address
    );
    let Some(apache) = Apache::start(&lines) else {
        return;
    };
    // Request line, header lines, body as sent; what the handler sees of it.
    let cases: [(&str, &str, &str, &[&str]); 14] = [
        // The path is decoded, resolved and encoded anew; the query comes as it was.
        (
            "GET /a%41/./b//..//%7e%20%c3%a9;x=1?%0d%0a+%e9",
            "",
            "",
            &["GET /aA/~%20%C3%A9;x=1?%0d%0a+%e9 HTTP/1.1"],
        ),
        ("GET /%0d%0a", "", "", &["GET /%0D%0A HTTP/1.1"]),
        ("GET /?", "", "", &["GET /? HTTP/1.1"]),
        // Methods without a code, and with one that mod_proxy_ajp does not use.
        ("PATCH /", "", "", &["PATCH / HTTP/1.1"]),
        ("SEARCH /", "", "", &["SEARCH / HTTP/1.1"]),
        ("FROBNICATE /", "", "", &["FROBNICATE / HTTP/1.1"]),
        ("OPTIONS /", "Content-Length: 5\r\n", "hello", &["body hello"]),
        // Headers: joined, empty, not ASCII, folded; those of the hop are there and steer nothing.
        ("GET /", "X-A: 1\r\nX-A: 2\r\n", "", &["x-a: 1, 2"]),
        ("GET /", "X-A:\r\n", "", &["x-a: "]),
        ("GET /", "X-A: \u{e9}\r\n", "", &["x-a: \\xc3\\xa9"]),
        ("GET /", "Cookie: a=1\r\nUpgrade: foo\r\n", "", &["cookie: a=1"]),
        // Who asks, and what SetEnv adds.
        ("GET /", "", "", &["peer 127.0.0.1 true", "named Some(\"x\")"]),
        // A chunked body keeps its header and has no length.
        (
            "POST /",
            "Transfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n0\r\nX-Trailer: x\r\n\r\n",
            &["transfer-encoding: chunked", "body hello"],
        ),
        (
            "POST /",
            "Expect: 100-continue\r\nContent-Length: 5\r\n",
            "hello",
            &["expect: 100-continue", "body hello"],
        ),
    ];
    let mut http = Http::connect(apache.address).await;
    for (line, headers, body, expected) in cases {
        http.send(line, headers, body.as_bytes()).await;
        let answer = http.answer(false).await.expect("an answer");
        for expected in expected {
            let seen = answer.text().lines().any(|line| line == *expected);
            assert!(seen, "{line} {headers:?}: {expected} is not in\n{}", answer.text());
        }
        assert!(!answer.text().contains("x-trailer"));
    }
    // As much as fits a packet: a long query and many headers, or wide ones in a wide packet.
    let query = "q".repeat(6000);
    let many: String = (0..90).map(|number| format!("X-{number}: x\r\n")).collect();
    let wide: String = (0..7)
        .map(|number| format!("X-{number}: {}\r\n", "x".repeat(8000)))
        .collect();
    for (target, headers, count) in [(format!("/?{query}"), many, 90), ("/wide/".to_owned(), wide, 7)] {
        http.send(&format!("GET {target}"), &headers, b"").await;
        let answer = http.answer(false).await.expect("an answer");
        let headers = answer.text().lines().filter(|line| line.starts_with("x-"));
        assert_eq!((answer.status, headers.count()), (200, count), "{target}");
    }
    // The version is the client's, and the answer arrives all the same.
    let mut http = Http::connect(apache.address).await;
    http.raw(b"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
        .await;
    let answer = http.answer(false).await.expect("an answer");
    assert!(answer.text().starts_with("GET / HTTP/1.0\n"));
}

#[tokio::test]
async fn smuggled_requests_reach_no_handler() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let server = start(Config::default(), move |request: Request<ajp::Body>| {
        counted.fetch_add(1, Ordering::Relaxed);
        tell(request)
    })
    .await;
    let Some(apache) = Apache::before(server.address, "") else {
        return;
    };
    for headers in [
        "Content-Length: +5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
    ] {
        let mut http = Http::connect(apache.address).await;
        http.send("POST /", headers, b"5\r\nhello\r\n0\r\n\r\n").await;
        let answer = http.answer(false).await.expect("an answer");
        assert!((400..=501).contains(&answer.status), "{headers:?}: {}", answer.status);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    // Of a length and a coding together Apache leaves the coding, so that only one reading is possible.
    let mut http = Http::connect(apache.address).await;
    let headers = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
    http.send("POST /", headers, b"5\r\nhello\r\n0\r\n\r\n").await;
    let answer = http.answer(false).await.expect("an answer");
    assert!(answer.text().ends_with("body hello") && !answer.text().contains("content-length"));
}

/// Goes wrong in the way that the path names.
async fn go_wrong(request: Request<ajp::Body>) -> Result<Response<Either<String, Broken>>, String> {
    let mut response = Response::new(Either::Left("well".to_owned()));
    match request.uri().path() {
        "/panic" => panic!("for the test"),
        "/error" => return Err("for the test".to_owned()),
        "/broken" => *response.body_mut() = Either::Right(Broken(false)),
        "/500" => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        "/huge" => {
            let huge = HeaderValue::from_str(&"x".repeat(9000)).expect("a value");
            response.headers_mut().insert("x-huge", huge);
        }
        "/hop" => {
            response
                .headers_mut()
                .insert("connection", HeaderValue::from_static("x-foo"));
            response.headers_mut().insert("upgrade", HeaderValue::from_static("x"));
        }
        "/slow" => tokio::time::sleep(Duration::from_millis(2500)).await,
        _ => {}
    }
    Ok(response)
}

/// A body that breaks after its beginning.
struct Broken(bool);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if self.0 {
            return Poll::Ready(Some(Err("for the test")));
        }
        self.0 = true;
        // More than is gathered before it is sent.
        cx.waker().wake_by_ref();
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; 200_000])))))
    }
}

#[tokio::test]
async fn nothing_takes_us_out_of_a_balancer() {
    let config = Config {
        secret: Some("s".to_owned()),
        max_headers: 20,
        parked_flush: Some(Duration::from_millis(300)),
        ..Config::default()
    };
    let server = start(config, go_wrong).await;
    let address = server.address;
    let lines = format!(
        "<Proxy balancer://right>\nBalancerMember ajp://{address} secret=s retry=60 timeout=1\n</Proxy>\n\
         <Proxy balancer://wrong>\nBalancerMember ajp://{address} secret=t retry=60\n</Proxy>\n\
         ProxyPass /wrong balancer://wrong/\nProxyPass / balancer://right/"
    );
    let Some(apache) = Apache::start(&lines) else {
        return;
    };
    let well = async || {
        let answer = Http::connect(apache.address).await.get("/").await;
        assert_eq!((answer.status, answer.text()), (200, "well"));
    };
    for target in ["/panic", "/error", "/huge", "/500"] {
        let answer = Http::connect(apache.address).await.get(target).await;
        assert_eq!(answer.status, 500, "{target}");
        well().await;
    }
    // A body that breaks is cut off where the client can see it.
    let mut http = Http::connect(apache.address).await;
    http.send("GET /broken", "", b"").await;
    assert!(http.answer(false).await.is_none(), "half a body is none");
    well().await;

    // Longer than Apache's timeout: it is told that we live.
    let answer = Http::connect(apache.address).await.get("/slow").await;
    assert_eq!((answer.status, answer.text()), (200, "well"));

    // Headers of one hop go no further.
    let answer = Http::connect(apache.address).await.get("/hop").await;
    assert_eq!((answer.header("upgrade"), answer.header("x-foo")), (None, None));
    assert_ne!(answer.header("connection"), Some("x-foo"));

    // Too many headers, and an upload that meets a refusal: the answer is ours, not Apache's 500 for a reset.
    let mut http = Http::connect(apache.address).await;
    let headers: String = (0..30).map(|number| format!("X-{number}: x\r\n")).collect();
    http.send("GET /", &headers, b"").await;
    assert_eq!(http.answer(false).await.expect("an answer").status, 400);
    well().await;
    for _ in 0..5 {
        let answer = Http::connect(apache.address)
            .await
            .post("/wrong", &vec![2; 1_000_000])
            .await;
        assert_eq!((answer.status, answer.text()), (403, ""));
    }
    well().await;
}

/// Says when it begins and when it is dropped.
struct Parked(mpsc::UnboundedSender<&'static str>);

impl Drop for Parked {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

#[tokio::test]
async fn a_parked_request_ends_with_apache_or_its_patience() {
    let (report, mut reports) = mpsc::unbounded_channel();
    let server = start(Config::default(), move |request: Request<ajp::Body>| {
        let report = report.clone();
        async move {
            request.into_body().collect().await.expect("a body");
            let _parked = Parked(report.clone());
            let _ = report.send("began");
            std::future::pending::<Result<Response<String>, Infallible>>().await
        }
    })
    .await;
    let lines = format!(
        "ProxyPass /short ajp://{0}/ timeout=1\nProxyPass / ajp://{0}/ timeout=3700",
        server.address
    );
    let Some(apache) = Apache::start(&lines) else {
        return;
    };
    let mut http = Http::connect(apache.address).await;
    http.send("POST /short", "Content-Length: 5\r\n", b"hello").await;
    assert_eq!(soon("report", reports.recv()).await, Some("began"));
    assert_eq!(soon("report", reports.recv()).await, Some("dropped"));

    let mut http = Http::connect(apache.address).await;
    http.send("POST /", "Content-Length: 5\r\n", b"hello").await;
    assert_eq!(soon("report", reports.recv()).await, Some("began"));
    apache.stop();
    assert_eq!(soon("report", reports.recv()).await, Some("dropped"));
}

/// Clients that ask without a pause until they are told to stop. Each counts its good answers; the first bad one ends
/// the test.
struct Load {
    clients: JoinSet<()>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Load {
    fn on(apache: SocketAddr) -> Self {
        let mut load = Self {
            clients: JoinSet::new(),
            stop: Arc::default(),
            answered: Arc::default(),
        };
        for _ in 0..8 {
            let (stop, answered) = (load.stop.clone(), load.answered.clone());
            load.clients.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let mut http = Http::connect(apache).await;
                    let headers = "Connection: close\r\nContent-Length: 5\r\n";
                    http.send("POST /", headers, b"hello").await;
                    let answer = http.answer(false).await.expect("an answer");
                    assert_eq!((answer.status, answer.text()), (200, "hello"), "{:?}", answer.headers);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        load
    }

    /// Waits until so many more requests have been answered.
    async fn goes_on(&mut self, more: usize) {
        let target = self.answered.load(Ordering::Relaxed) + more;
        let reached = async {
            while self.answered.load(Ordering::Relaxed) < target {
                tokio::select! {
                    Some(ended) = self.clients.join_next() => ended.expect("every request is answered"),
                    () = tokio::time::sleep(Duration::from_millis(2)) => {}
                }
            }
        };
        soon("load", reached).await;
    }

    async fn ends(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = soon("end", self.clients.join_next()).await {
            ended.expect("every request is answered");
        }
    }
}

async fn mirror(request: Request<ajp::Body>) -> Result<Response<Full<Bytes>>, ajp::BodyError> {
    let body = request.into_body().collect().await?.to_bytes();
    Ok(Response::new(Full::new(body)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_restart_of_apache_costs_no_request() {
    let server = start(Config::default(), mirror).await;
    let Some(apache) = Apache::before(server.address, "") else {
        return;
    };
    let mut load = Load::on(apache.address);
    for restart in 1..=3 {
        load.goes_on(50).await;
        apache.graceful_restart();
        while apache.starts() <= restart {
            load.goes_on(1).await;
        }
        load.goes_on(50).await;
    }
    load.ends().await;
}

/// A server on a listener of one's own; ends when told to.
fn serve(listener: TcpListener) -> (oneshot::Sender<()>, JoinHandle<std::io::Result<()>>) {
    let (stop, stopped) = oneshot::channel();
    let shutdown = async { drop(stopped.await) };
    let task = tokio::spawn(Server::new(Config::default()).serve(listener, ajp::service_fn(mirror), shutdown));
    (stop, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_behind_a_balancer_costs_no_request() {
    let other = start(Config::default(), mirror).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let lines = format!(
        "<Proxy balancer://two>\nBalancerMember ajp://{address} ping=2 retry=1\nBalancerMember ajp://{} ping=2 retry=1\n</Proxy>\n\
         ProxyPass / balancer://two/",
        other.address
    );
    let Some(apache) = Apache::start(&lines) else {
        return;
    };
    let mut server = serve(listener);
    let mut load = Load::on(apache.address);
    for _ in 0..3 {
        load.goes_on(50).await;
        server.0.send(()).expect("a running server");
        soon("stop", server.1).await.expect("no panic").expect("no error");
        load.goes_on(50).await;
        server = serve(TcpListener::bind(address).await.expect("the port is free again"));
    }
    load.goes_on(50).await;
    load.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_over_of_the_listening_socket_costs_no_request() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    let shared = || TcpListener::from_std(listener.try_clone().expect("a socket")).expect("a runtime");
    let Some(apache) = Apache::before(address, "") else {
        return;
    };
    let mut server = serve(shared());
    let mut load = Load::on(apache.address);
    for _ in 0..3 {
        load.goes_on(50).await;
        let next = serve(shared());
        server.0.send(()).expect("a running server");
        soon("stop", server.1).await.expect("no panic").expect("no error");
        server = next;
        load.goes_on(50).await;
    }
    load.ends().await;
}

#[tokio::test]
async fn a_balancer_follows_the_route() {
    let route = |name: &'static str| {
        move |request: Request<ajp::Body>| async move {
            let peer = request.extensions().get::<Peer>().expect("a peer");
            let asked = peer.attributes.jvm_route.as_deref().unwrap_or("none");
            Ok::<_, Infallible>(Response::new(format!("{name} asked for {asked}")))
        }
    };
    let (a, b) = (
        start(Config::default(), route("a")).await,
        start(Config::default(), route("b")).await,
    );
    let lines = format!(
        "<Proxy balancer://two>\nBalancerMember ajp://{} route=a\nBalancerMember ajp://{} route=b\n\
         ProxySet stickysession=SESSION\n</Proxy>\nProxyPass / balancer://two/",
        a.address, b.address
    );
    let Some(apache) = Apache::start(&lines) else {
        return;
    };
    let mut http = Http::connect(apache.address).await;
    for name in ["a", "b", "b", "a", "a"] {
        http.send("GET /", &format!("Cookie: SESSION=x.{name}\r\n"), b"").await;
        let answer = http.answer(false).await.expect("an answer");
        assert_eq!(answer.text(), format!("{name} asked for {name}"));
    }
}
