//! What a real Apache and our server say to each other, recorded and read again: by our decoders, which must find every
//! byte accounted for and our encoders making the same bytes of it, and by Wireshark where it is installed.

use ajp::Config;
use ajp::codes::MAGIC_TO_CONTAINER;
use ajp::codes::MAGIC_TO_WEB_SERVER;
use ajp::connection::Connection;
use ajp::connection::Event;
use ajp::connection::NextBody;
use ajp::connection::Rules;
use ajp::decode;
use ajp::encode;
use ajp::packet::ForwardRequest;
use ajp::packet::PacketSize;
use ajp::packet::ToContainer;
use ajp::packet::ToWebServer;
use bytes::Bytes;
use bytes::BytesMut;
use http::HeaderMap;
use http::Method;
use http::header;

use crate::apache::Apache;
use crate::http::Http;
use crate::relay::From;
use crate::relay::Relay;
use crate::relay::Tape;
use crate::support::echo;
use crate::support::start;
use crate::tshark;

const SIZE: usize = 8192;

/// One side of a tape, cut into payloads.
fn payloads(tape: &Tape, from: From) -> Vec<Bytes> {
    let bytes: Vec<u8> = tape
        .iter()
        .filter(|row| row.0 == from)
        .flat_map(|row| row.1.clone())
        .collect();
    let magic = match from {
        From::WebServer => MAGIC_TO_CONTAINER,
        From::Container => MAGIC_TO_WEB_SERVER,
    };
    let mut payloads = Vec::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let (payload, behind) = decode::packet(magic, rest).expect("whole packets, and nothing else");
        payloads.push(Bytes::copy_from_slice(payload));
        rest = behind;
    }
    payloads
}

/// Reads Apache's side with the state machine that the server uses; a body is read whole. Checks each packet against
/// our encoders on the way.
fn read_web_server(payloads: &[Bytes]) -> Vec<(ForwardRequest, Vec<u8>)> {
    let mut connection = Connection::new(Rules::default());
    let mut requests = Vec::new();
    for payload in payloads {
        let mut again = BytesMut::new();
        match connection.receive(payload.clone()) {
            Event::CPing => again.extend_from_slice(&encode::CPING),
            Event::Request(request, _) => {
                encode::forward_request(&mut again, &request, PacketSize::new(SIZE)).expect("it fits");
                requests.push((*request, Vec::new()));
            }
            Event::Body(part) => {
                encode::data(&mut again, &part, PacketSize::new(SIZE));
                requests.last_mut().expect("a request").1.extend_from_slice(&part);
            }
            Event::BodyEnd => assert_eq!(encode::data(&mut again, b"", PacketSize::new(SIZE)), 0),
            other => panic!("{other:?}"),
        }
        // Header names are ours in lower case, whatever the client wrote.
        let same = again.get(4..).is_some_and(|again| again.eq_ignore_ascii_case(payload));
        assert!(same, "{again:?} is not {payload:?}");
        // The next packet is a request if the body is over.
        if !requests.is_empty() && connection.next_body() == NextBody::End {
            connection.end_response(true);
        }
    }
    requests
}

#[tokio::test]
async fn recorded_traffic_reads_the_same_to_everybody() {
    let config = Config {
        secret: Some("s3cret".to_owned()),
        ..Config::default()
    };
    let server = start(config, echo).await;
    let relay = Relay::to(server.address).await;
    let Some(apache) = Apache::before(relay.address, "secret=s3cret ping=2") else {
        return;
    };
    let mut http = Http::connect(apache.address).await;
    let body = vec![b'x'; 20_000];
    let headers = "User-Agent: phone\r\nX-Own: \u{e9}\r\nCookie: a=b\r\n";
    http.send("GET /get?a=%0d&b=+", headers, b"").await;
    http.answer(false).await.expect("an answer");
    http.post("/length", &body).await;
    http.post_chunked("/chunked", &body, 7000).await;
    http.send("PROPPATCH /dav", "", b"").await;
    http.answer(false).await.expect("an answer");
    http.send("PATCH /stored", "Content-Length: 0\r\n", b"").await;
    http.answer(false).await.expect("an answer");

    let tapes = relay.tapes();
    assert_eq!(tapes.len(), 1, "one connection carried everything");
    let from_apache = payloads(&tapes[0], From::WebServer);
    let pings = from_apache.iter().filter(|payload| payload[..] == [10]).count();
    assert_eq!(pings, 5, "one before each request");

    let requests = read_web_server(&from_apache);
    let expected = [
        (Method::GET, "/get?a=%0d&b=+", 0),
        (Method::POST, "/length", 20_000),
        (Method::POST, "/chunked", 20_000),
        (Method::from_bytes(b"PROPPATCH").expect("a method"), "/dav", 0),
        (Method::PATCH, "/stored", 0),
    ];
    let seen: Vec<_> = requests
        .iter()
        .map(|(request, body)| (request.method.clone(), request.target.as_str(), body.len()))
        .collect();
    assert_eq!(seen, expected);
    let first = &requests[0].0;
    assert_eq!(
        (first.peer.remote_addr.as_str(), first.peer.server_port),
        ("127.0.0.1", apache.address.port())
    );
    assert_eq!(first.peer.server_name, "mail.example.com");
    assert!(first.peer.remote_host.is_none() && first.peer.remote_port.is_some() && !first.peer.is_ssl);
    assert_eq!(first.peer.attributes.named("AJP_LOCAL_ADDR"), Some("127.0.0.1"));
    assert!(first.knows(&ajp::packet::Secret::new("s3cret")));
    let names: Vec<_> = first.headers.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(names, ["host", "user-agent", "x-own", "cookie"]);

    read_container(&payloads(&tapes[0], From::Container), &requests);
    another_reader_agrees(&tapes[0]);
}

/// Reads our side, checks its order, and makes it anew.
fn read_container(payloads: &[Bytes], requests: &[(ForwardRequest, Vec<u8>)]) {
    let mut answers = 0;
    let mut length = 0;
    for payload in payloads {
        let mut again = BytesMut::new();
        match decode::to_web_server(payload).expect("a packet") {
            ToWebServer::CPong => again.extend_from_slice(&encode::CPONG),
            ToWebServer::GetBodyChunk(wanted) => {
                assert_eq!(wanted, 8186);
                encode::get_body_chunk(&mut again, PacketSize::new(SIZE));
            }
            ToWebServer::SendHeaders { status, headers, .. } => {
                let map: HeaderMap = headers.into_iter().collect();
                length = map[header::CONTENT_LENGTH]
                    .to_str()
                    .expect("digits")
                    .parse()
                    .expect("a number");
                encode::send_headers(&mut again, status, &map, PacketSize::new(SIZE)).expect("it fits");
            }
            ToWebServer::SendBodyChunk(chunk) => {
                length -= chunk.len();
                encode::send_body_chunks(&mut again, &chunk, PacketSize::new(SIZE));
            }
            ToWebServer::EndResponse { reuse } => {
                assert_eq!((length, reuse), (0, true), "all that was announced has been sent");
                answers += 1;
                encode::end_response(&mut again, reuse);
            }
        }
        assert_eq!(again.get(4..), Some(&payload[..]), "our encoder says the same");
    }
    assert_eq!(answers, requests.len());
}

/// Wireshark reads what we read. Its dissector is out of step behind a body, so it gets each exchange by itself, a segment
/// for each packet, and no pings.
fn another_reader_agrees(tape: &Tape) {
    let expected: [&[&str]; 5] = [
        &[
            "Method: GET (2)",
            "URI: /get",
            "SRV: mail.example.com",
            "User-Agent: phone",
            "Secret: s3cret",
            "Query-String: a=%0d&b=+",
            "RSTATUS: 200",
            "REUSEP: 1",
        ],
        &[
            "Method: POST (4)",
            "URI: /length",
            "Content-Length: 20000",
            "Code: GET BODY CHUNK (6)",
            "Code: SEND HEADERS (4)",
            "Content-Length: 20013",
            "Code: SEND BODY CHUNK (3)",
        ],
        &["URI: /chunked", "transfer-encoding: chunked", "RLEN: 8186", "REUSEP: 1"],
        &["Method: PROPPATCH (9)", "URI: /dav"],
        &["URI: /stored", "Content-Length: 0"],
    ];
    let exchanges = exchanges(tape);
    assert_eq!(exchanges.len(), expected.len());
    for (exchange, expected) in exchanges.iter().zip(expected) {
        let Some(text) = tshark::dissected(&tshark::capture(exchange)) else {
            return;
        };
        let mut lines = text.lines().map(str::trim);
        for expected in expected {
            let found = lines.any(|line| line.eq_ignore_ascii_case(expected));
            assert!(found, "{expected} is missing in:\n{text}");
        }
        assert!(!text.contains("Malformed"), "{text}");
    }
}

/// The packets up to each END_RESPONSE, without pings.
fn exchanges(tape: &Tape) -> Vec<Tape> {
    let mut exchanges = vec![Tape::new()];
    // The sides take turns, so that a packet in two pieces has nothing in between.
    let mut pending = Vec::new();
    for (from, bytes) in tape {
        pending.extend_from_slice(bytes);
        while let Some(length) = pending.get(2..4) {
            let whole = usize::from(u16::from_be_bytes([length[0], length[1]])) + 4;
            if pending.len() < whole {
                break;
            }
            let packet: Vec<u8> = pending.drain(..whole).collect();
            if packet == encode::CPING || packet == encode::CPONG {
                continue;
            }
            let is_end = packet == encode::END_RESPONSE_REUSE;
            exchanges.last_mut().expect("one").push((*from, packet));
            if is_end {
                exchanges.push(Tape::new());
            }
        }
    }
    exchanges.retain(|exchange| !exchange.is_empty());
    exchanges
}

/// A request as Apache httpd 2.4 put it on the wire (`GET /get?a=%0d` with `secret=s3cret`), for machines without one.
#[test]
fn a_request_of_apache_for_machines_without_one() {
    let sample = crate::samples::apache();
    let (payload, rest) = decode::packet(MAGIC_TO_CONTAINER, &sample).expect("a packet");
    assert!(rest.is_empty());
    let Ok(ToContainer::ForwardRequest(request)) = decode::to_container(payload) else {
        panic!("no request")
    };
    assert_eq!(request.target, "/get?a=%0d&b=+");
    let mut again = BytesMut::new();
    encode::forward_request(&mut again, &request, PacketSize::new(SIZE)).expect("it fits");
    assert!(
        again.eq_ignore_ascii_case(&sample),
        "but for the letter case of header names"
    );
}
