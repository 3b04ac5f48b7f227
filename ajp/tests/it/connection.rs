//! The laws of a connection: what is owed is DATA, and DATA is never a request.

use ajp::codes::MAGIC_TO_CONTAINER;
use ajp::connection::Connection;
use ajp::connection::Event;
use ajp::connection::NextBody;
use ajp::connection::Refusal;
use ajp::connection::Rules;
use ajp::connection::Violation;
use ajp::decode;
use ajp::decode::Malformed;
use ajp::encode;
use ajp::packet::BodyLength;
use ajp::packet::ForwardRequest;
use ajp::packet::PacketSize;
use ajp::packet::Secret;
use bytes::Bytes;
use bytes::BytesMut;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::header;
use proptest::prelude::*;

use crate::samples;
use crate::samples::bytes;

/// The payload of a request with one header.
fn request(name: HeaderName, value: &str) -> Bytes {
    payload(&ForwardRequest::new(Method::POST, "/".parse().unwrap()).header(name, value.parse().unwrap()))
}

fn payload(request: &ForwardRequest) -> Bytes {
    let mut out = BytesMut::new();
    encode::forward_request(&mut out, request, PacketSize::new(8192)).expect("it fits");
    out.freeze().slice(4..)
}

fn data(body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode::data(&mut out, body, PacketSize::new(8192));
    out.freeze().slice(4..)
}

/// A connection with a request in work.
fn open(payload: Bytes) -> Connection {
    let mut connection = Connection::new(Rules::default());
    assert!(matches!(connection.receive(payload), Event::Request(..)));
    connection
}

#[test]
fn a_body_of_known_length_is_owed_once_and_then_asked_for() {
    let mut connection = open(request(header::CONTENT_LENGTH, "5"));
    assert_eq!((connection.owed(), connection.next_body()), (1, NextBody::Wait));
    assert_eq!(connection.receive(data(b"he")), Event::Body(Bytes::from_static(b"he")));
    assert_eq!((connection.owed(), connection.next_body()), (0, NextBody::Ask));
    assert_eq!((connection.owed(), connection.next_body()), (1, NextBody::Wait));
    assert_eq!(
        connection.receive(data(b"llo")),
        Event::Body(Bytes::from_static(b"llo"))
    );
    assert_eq!((connection.owed(), connection.next_body()), (0, NextBody::End));
    connection.end_response(true);
    assert_eq!(connection.receive(bytes("0A").into()), Event::CPing);
}

#[test]
fn a_body_of_unknown_length_is_never_owed_unasked() {
    let mut connection = open(request(header::TRANSFER_ENCODING, "chunked"));
    assert_eq!((connection.owed(), connection.next_body()), (0, NextBody::Ask));
    assert_eq!(connection.receive(data(b"he")), Event::Body(Bytes::from_static(b"he")));
    assert_eq!(connection.next_body(), NextBody::Ask);
    assert_eq!(connection.receive(data(b"")), Event::BodyEnd);
    assert_eq!((connection.owed(), connection.next_body()), (0, NextBody::End));
}

#[test]
fn without_a_body_nothing_is_owed() {
    for value in ["0", "00"] {
        let mut connection = open(request(header::CONTENT_LENGTH, value));
        assert_eq!((connection.owed(), connection.next_body()), (0, NextBody::End));
        assert_eq!(connection.receive(data(b"x")), Event::Close(Violation::Unasked));
    }
}

#[test]
fn an_early_end_is_no_end() {
    for end in [data(b""), Bytes::new()] {
        let mut connection = open(request(header::CONTENT_LENGTH, "5"));
        assert_eq!(connection.receive(data(b"he")), Event::Body(Bytes::from_static(b"he")));
        assert_eq!(connection.next_body(), NextBody::Ask);
        assert_eq!(connection.receive(end), Event::BodyTruncated);
        assert_eq!((connection.owed(), connection.next_body()), (0, NextBody::Truncated));
    }
}

#[test]
fn more_body_than_announced_is_refused() {
    let mut connection = open(request(header::CONTENT_LENGTH, "5"));
    assert_eq!(connection.receive(data(b"hello!")), Event::Refuse(Refusal::BodyTooLong));
    let mut connection = open(request(header::CONTENT_LENGTH, "5"));
    let overrun = Refusal::Malformed(Malformed::Overrun);
    assert_eq!(
        connection.receive(bytes(r#"00 09 "hello""#).into()),
        Event::Refuse(overrun)
    );
}

#[test]
fn a_body_that_nobody_read_is_taken_off_before_the_next_request() {
    // Its first bytes are the length 0x0200, which without the count would be a FORWARD_REQUEST.
    let attack = data(&[b'x'; 0x200]);
    let mut connection = open(request(header::CONTENT_LENGTH, "9000"));
    connection.end_response(true);
    assert_eq!(connection.owed(), 1);
    assert_eq!(connection.receive(attack), Event::Dropped);
    assert_eq!(connection.owed(), 0);
    assert!(matches!(
        connection.receive(samples::options()[4..].to_vec().into()),
        Event::Request(..)
    ));
}

#[test]
fn an_unanswered_question_is_taken_off_too() {
    let mut connection = open(request(header::TRANSFER_ENCODING, "chunked"));
    assert_eq!(connection.next_body(), NextBody::Ask);
    connection.end_response(true);
    assert_eq!(connection.receive(data(b"he")), Event::Dropped);
    assert_eq!(connection.receive(bytes("0A").into()), Event::CPing);
}

#[test]
fn what_comes_unasked_ends_the_connection() {
    let unasked = Event::Close(Violation::Unasked);
    // Anything while a request is in work and nothing is owed, be it a ping or another request.
    for payload in [bytes("0A"), samples::options()[4..].to_vec(), bytes("00 00"), vec![]] {
        let mut connection = open(samples::options()[4..].to_vec().into());
        assert_eq!(connection.receive(payload.into()), unasked);
        assert_eq!(
            connection.receive(bytes("0A").into()),
            unasked,
            "a closed connection stays closed"
        );
    }
    let cases = [
        ("", Violation::Malformed(Malformed::Overrun)),
        ("00 00", Violation::Malformed(Malformed::MessageType(0))),
        ("04", Violation::Malformed(Malformed::MessageType(4))),
        ("07", Violation::Shutdown),
        ("08", Violation::Shutdown),
    ];
    for (text, violation) in cases {
        let mut connection = Connection::new(Rules::default());
        assert_eq!(
            connection.receive(bytes(text).into()),
            Event::Close(violation),
            "{text}"
        );
    }
}

#[test]
fn after_a_response_without_reuse_nothing_is_taken() {
    let mut connection = open(samples::options()[4..].to_vec().into());
    connection.end_response(false);
    assert_eq!(connection.receive(bytes("0A").into()), Event::Close(Violation::Unasked));
}

#[test]
fn the_secret_is_asked_for_before_anything_else() {
    let rules = Rules {
        secret: Some(Secret::new("s")),
        max_headers: Some(0),
        ..Rules::default()
    };
    let bad = ForwardRequest::new(Method::GET, "/".parse().unwrap())
        .header(header::CONTENT_LENGTH, HeaderValue::from_static("x"));
    let mut connection = Connection::new(rules.clone());
    assert_eq!(connection.receive(payload(&bad)), Event::Refuse(Refusal::Secret));
    let mut connection = Connection::new(rules.clone());
    assert_eq!(
        connection.receive(payload(&bad.clone().secret("s"))),
        Event::Refuse(Refusal::HeaderLimit)
    );
    let mut connection = Connection::new(Rules {
        max_headers: None,
        ..rules
    });
    let length = Refusal::Malformed(Malformed::ContentLength);
    assert_eq!(connection.receive(payload(&bad.secret("s"))), Event::Refuse(length));
}

#[test]
fn the_limit_of_header_bytes_counts_the_packet() {
    let payload = Bytes::from(samples::options()[4..].to_vec());
    for (most, allowed) in [(50, false), (51, true)] {
        let mut connection = Connection::new(Rules {
            max_header_bytes: Some(most),
            ..Rules::default()
        });
        assert_eq!(
            matches!(connection.receive(payload.clone()), Event::Request(..)),
            allowed
        );
    }
}

#[test]
fn a_body_may_be_as_long_as_allowed_and_no_longer() {
    let limited = || {
        Connection::new(Rules {
            max_body_bytes: Some(5),
            ..Rules::default()
        })
    };
    // With a length it is known at once; the DATA that comes all the same is no request.
    let mut connection = limited();
    assert_eq!(
        connection.receive(request(header::CONTENT_LENGTH, "6")),
        Event::BodyTooLarge
    );
    assert_eq!((connection.owed(), connection.next_body()), (1, NextBody::Truncated));
    connection.end_response(true);
    assert_eq!(connection.receive(data(&[2; 0x200])), Event::Dropped);
    assert!(matches!(
        connection.receive(request(header::CONTENT_LENGTH, "5")),
        Event::Request(_, BodyLength::Known(5))
    ));

    // Without one, the parts are counted.
    let mut connection = limited();
    connection.receive(request(header::TRANSFER_ENCODING, "chunked"));
    for (part, event) in [
        (&b"hel"[..], Event::Body(Bytes::from_static(b"hel"))),
        (b"lo", Event::Body(Bytes::from_static(b"lo"))),
        (b"!", Event::BodyTooLarge),
    ] {
        assert_eq!(connection.next_body(), NextBody::Ask);
        assert_eq!(connection.receive(data(part)), event);
    }
    assert_eq!((connection.owed(), connection.next_body()), (0, NextBody::Truncated));
    connection.end_response(true);
    assert_eq!(connection.receive(bytes("0A").into()), Event::CPing);
}

/// What a web server that obeys the protocol does, in random order against a handler that reads or does not.
#[derive(Debug, Clone)]
enum Step {
    /// A request with this body; `chunked` hides its length.
    Request {
        body: Vec<u8>,
        chunked: bool,
    },
    CPing,
}

/// What the handler does with the request's body: how many parts it wants.
fn steps() -> impl Strategy<Value = Vec<(Step, usize)>> {
    // Bodies look like packets themselves: requests, pings, or their beginnings.
    let part = prop_oneof![
        Just(samples::options()),
        Just(samples::options()[4..].to_vec()),
        Just(bytes("12 34 00 01 0A")),
        Just(vec![0x0A; 300]),
        prop::collection::vec(any::<u8>(), 0..600),
    ];
    let body = prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat());
    let request = (body, any::<bool>()).prop_map(|(body, chunked)| Step::Request { body, chunked });
    let step = prop_oneof![4 => request, 1 => Just(Step::CPing)];
    prop::collection::vec((step, 0..6_usize), 1..12)
}

/// A web server that sends one step after the other, each when the one before has been answered.
struct WebServer {
    steps: std::vec::IntoIter<(Step, usize)>,
    part_size: usize,
    /// What is on its way.
    wire: Vec<u8>,
    /// The parts of the body that have not been asked for.
    parts: Vec<Vec<u8>>,
    busy: bool,
    /// The targets of the requests sent.
    sent: Vec<String>,
}

impl WebServer {
    fn new(steps: Vec<(Step, usize)>, part_size: usize) -> Self {
        Self {
            steps: steps.into_iter(),
            part_size,
            wire: Vec::new(),
            parts: Vec::new(),
            busy: false,
            sent: Vec::new(),
        }
    }

    /// The next bytes on the wire, as many as are there and wanted.
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        if !self.busy {
            self.next_step();
        }
        let length = length.min(self.wire.len());
        self.wire.drain(..length).collect()
    }

    fn next_step(&mut self) {
        let Some((step, _)) = self.steps.next() else { return };
        self.busy = true;
        let Step::Request { body, chunked } = step else {
            self.wire.extend(encode::CPING);
            return;
        };
        let (name, value) = if chunked {
            (header::TRANSFER_ENCODING, "chunked".to_owned())
        } else {
            (header::CONTENT_LENGTH, body.len().to_string())
        };
        let target = format!("/{}", self.sent.len());
        let forward = ForwardRequest::new(Method::POST, target.parse().unwrap()).header(name, value.parse().unwrap());
        self.sent.push(target);
        self.put(&payload(&forward));
        self.parts = body.chunks(self.part_size).rev().map(<[u8]>::to_vec).collect();
        if !chunked && !body.is_empty() {
            self.asked();
        }
    }

    /// GET_BODY_CHUNK has come.
    fn asked(&mut self) {
        let part = self.parts.pop().unwrap_or_default();
        self.put(&data(&part));
    }

    /// END_RESPONSE or CPONG has come.
    fn answered(&mut self) {
        self.busy = false;
    }

    fn put(&mut self, payload: &[u8]) {
        self.wire.extend(MAGIC_TO_CONTAINER);
        self.wire.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        self.wire.extend(payload);
    }
}

proptest! {
    /// Whatever the bodies contain, however much of them is read: each request that was sent is seen once and as it
    /// was, no other is, and what is read of a body is its beginning.
    #[test]
    fn data_is_never_a_request(steps in steps(), part_size in 1..700_usize) {
        let mut connection = Connection::new(Rules::default());
        for (number, (step, wanted)) in steps.into_iter().enumerate() {
            let Step::Request { body, chunked } = step else {
                prop_assert_eq!(connection.receive(bytes("0A").into()), Event::CPing);
                continue;
            };
            let length = body.len().to_string();
            let target = format!("/{number}");
            let (name, value) = if chunked {
                (header::TRANSFER_ENCODING, "chunked")
            } else {
                (header::CONTENT_LENGTH, &*length)
            };
            let forward = ForwardRequest::new(Method::POST, target.parse().unwrap())
                .header(name, value.parse().unwrap());
            match connection.receive(payload(&forward)) {
                Event::Request(seen, _) => prop_assert_eq!(*seen, forward),
                other => prop_assert!(false, "{:?}", other),
            }

            // The web server's parts: the first unasked if the length is known.
            let mut parts = body.chunks(part_size);
            let mut on_the_way = usize::from(!chunked && !body.is_empty());
            let mut read = Vec::new();
            for _ in 0..wanted {
                match connection.next_body() {
                    NextBody::Ask => on_the_way += 1,
                    NextBody::Wait => {}
                    NextBody::End => break,
                    NextBody::Truncated => prop_assert!(false, "nothing is missing"),
                }
                prop_assert_eq!(connection.owed() as usize, on_the_way);
                on_the_way -= 1;
                match connection.receive(data(parts.next().unwrap_or_default())) {
                    Event::Body(part) => read.extend_from_slice(&part),
                    Event::BodyEnd => break,
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert!(body.starts_with(&read));

            connection.end_response(true);
            prop_assert_eq!(connection.owed() as usize, on_the_way);
            for _ in 0..on_the_way {
                let part = parts.next().unwrap_or_default();
                prop_assert_eq!(connection.receive(data(part)), Event::Dropped);
            }
        }
    }

    /// The same over a wire that cuts the bytes anywhere, with a handler that reads, waits and answers in any order: the
    /// requests that come out are the requests that went in.
    #[test]
    fn no_split_and_no_order_makes_a_request_of_data(
        steps in steps(),
        part_size in 1..700_usize,
        moves in prop::collection::vec((0..3_u8, 1..900_usize), 1..400),
    ) {
        let mut web_server = WebServer::new(steps, part_size);
        let mut connection = Connection::new(Rules::default());
        let mut received = Vec::new();
        let mut seen = Vec::new();
        let mut open = false;
        let mut asked = false;
        // The moves are played again and again, so that most conversations come to their end.
        for (what, length) in moves.iter().cycle().take(3_000) {
            match what {
                // The handler wants more, if it has what it wanted before.
                0 if open && !asked => match connection.next_body() {
                    NextBody::Ask => {
                        web_server.asked();
                        asked = true;
                    }
                    NextBody::Wait => asked = true,
                    NextBody::End => {}
                    NextBody::Truncated => prop_assert!(false, "nothing is missing"),
                },
                // It answers, whether it has read all or not.
                1 if open => {
                    connection.end_response(true);
                    web_server.answered();
                    (open, asked) = (false, false);
                }
                _ => received.extend(web_server.bytes(*length)),
            }
            while let Ok((payload, rest)) = decode::packet(MAGIC_TO_CONTAINER, &received) {
                match connection.receive(Bytes::copy_from_slice(payload)) {
                    Event::Request(request, _) => {
                        prop_assert!(!open);
                        open = true;
                        seen.push(request.target.to_string());
                    }
                    Event::Body(_) | Event::BodyEnd => asked = false,
                    Event::CPing => web_server.answered(),
                    Event::Dropped => {}
                    other => prop_assert!(false, "{:?}", other),
                }
                received = rest.to_vec();
            }
        }
        // The last may still be on its way.
        prop_assert!(web_server.sent.starts_with(&seen) && web_server.sent.len() - seen.len() <= 1);
    }

    /// Random payloads in any state: no panic, and a request only comes out of a request that went in between two.
    #[test]
    fn random_payloads_never_panic(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10)) {
        let mut connection = open(request(header::CONTENT_LENGTH, "1000"));
        for payload in payloads {
            let owed = connection.owed();
            let event = connection.receive(payload.into());
            prop_assert!(!matches!(event, Event::Request(..)), "the first request is still in work");
            if owed == 0 {
                prop_assert_eq!(event, Event::Close(Violation::Unasked));
            }
            connection.next_body();
        }
    }
}

#[test]
fn the_length_is_told_with_the_request() {
    let mut connection = Connection::new(Rules::default());
    let event = connection.receive(request(header::CONTENT_LENGTH, "5"));
    assert!(matches!(event, Event::Request(_, BodyLength::Known(5))));
}
