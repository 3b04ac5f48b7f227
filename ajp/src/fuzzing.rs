//! What a fuzzer runs: one function for each decoder, and one for a whole stream of bytes. Any input must pass; a panic
//! is a finding.
//!
//! `fuzz/` calls these with libFuzzer, the tests below with random bytes and disturbed packets for a moment. Compiled for
//! those two only (feature `fuzzing`).

#![allow(missing_docs, reason = "the names say what is fed")]
#![allow(clippy::panic, reason = "a panic is how a fuzzer is told")]

use bytes::Bytes;
use bytes::BytesMut;

use crate::codes::MAGIC_TO_CONTAINER;
use crate::codes::MAGIC_TO_WEB_SERVER;
use crate::connection::Connection;
use crate::connection::Event;
use crate::connection::NextBody;
use crate::connection::Rules;
use crate::decode;
use crate::encode;
use crate::packet::PacketSize;
use crate::packet::ToContainer;

/// The borders of packets: what is found lies within the input, and its prefixes are incomplete.
pub fn packet(input: &[u8]) {
    for magic in [MAGIC_TO_CONTAINER, MAGIC_TO_WEB_SERVER] {
        let Ok((payload, rest)) = decode::packet(magic, input) else {
            continue;
        };
        let whole = payload.len().saturating_add(4);
        assert_eq!(whole.saturating_add(rest.len()), input.len());
        let cut = input.get(..whole.saturating_sub(1)).unwrap_or_default();
        assert_eq!(decode::packet(magic, cut), Err(decode::DecodeError::Incomplete));
    }
}

/// FORWARD_REQUEST and the packets without fields: what decodes can be said again, and then means the same.
pub fn to_container(input: &[u8]) {
    let Ok(ToContainer::ForwardRequest(request)) = decode::to_container(input) else {
        return;
    };
    let mut again = BytesMut::new();
    // Escapes and replacement characters are longer than what they stand for, so it need not fit.
    if encode::forward_request(&mut again, &request, PacketSize::new(PacketSize::MAX)).is_err() {
        return;
    }
    let payload = again.get(4..).unwrap_or_default();
    assert_eq!(decode::to_container(payload), Ok(ToContainer::ForwardRequest(request)));
}

/// The packets of a response.
pub fn to_web_server(input: &[u8]) {
    let _ = decode::to_web_server(input);
}

/// DATA: no byte more and none less than announced.
pub fn data(input: &[u8]) {
    if let Ok(data) = decode::data(Bytes::copy_from_slice(input)) {
        let head = input.len().saturating_sub(data.len());
        assert!(head == 2 || input.is_empty());
    }
}

/// A connection from its first byte to its last, with a handler that reads, answers early, or waits. The first byte of
/// the input decides for each packet which. An own count checks that nothing which was asked for is taken for a request,
/// and nothing else for DATA.
pub fn stream(input: &[u8]) {
    let (&habits, mut rest) = input.split_first().unwrap_or((&0, input));
    let mut connection = Connection::new(Rules {
        max_body_bytes: (habits & 1 != 0).then_some(100),
        ..Rules::default()
    });
    let mut owed = 0_u32;
    let mut open = false;
    let mut turn = 0_u32;
    while let Ok((payload, behind)) = decode::packet(MAGIC_TO_CONTAINER, rest) {
        rest = behind;
        let event = connection.receive(Bytes::copy_from_slice(payload));
        let is_data = matches!(
            event,
            Event::Body(_) | Event::BodyEnd | Event::BodyTruncated | Event::Dropped
        );
        match event {
            Event::Request(..) | Event::CPing if open || owed > 0 => panic!("DATA was taken for something else"),
            Event::Request(..) => {
                open = true;
                owed = connection.owed();
                assert!(owed <= 1, "one DATA comes unasked at most");
            }
            Event::CPing => {}
            // Before the handler by its length, or behind its question.
            Event::BodyTooLarge => {
                owed = connection.owed();
                connection.end_response(true);
                open = false;
                continue;
            }
            Event::Refuse(_) | Event::Close(_) => return,
            _ => {
                assert!(is_data && owed > 0, "DATA that nobody owed");
                owed = owed.saturating_sub(1);
            }
        }
        assert_eq!(owed, connection.owed());
        turn = turn.wrapping_add(1);
        let habit = habits.rotate_left(turn);
        if open && habit & 2 != 0 && connection.next_body() == NextBody::Ask {
            owed = owed.saturating_add(1);
        }
        if open && habit & 4 != 0 {
            connection.end_response(true);
            open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::Instant;

    use http::HeaderValue;
    use http::Method;
    use http::header;

    use super::*;
    use crate::packet::ForwardRequest;

    /// How long each target runs here.
    const MOMENT: Duration = Duration::from_millis(200);

    /// Packets to begin with: a request with a length, one without, DATA, a ping, and each kind of answer.
    fn seeds() -> Vec<Vec<u8>> {
        let size = PacketSize::new(PacketSize::MIN);
        let request = |name, value| {
            let target = "/path?query".parse().unwrap();
            let request = ForwardRequest::new(Method::PATCH, target)
                .header(name, HeaderValue::from_static(value))
                .secret("s");
            let mut out = BytesMut::new();
            encode::forward_request(&mut out, &request, size).unwrap();
            out.to_vec()
        };
        let mut body = BytesMut::new();
        encode::data(&mut body, b"hello", size);
        let mut answer = BytesMut::new();
        encode::send_headers(&mut answer, http::StatusCode::OK, &http::HeaderMap::new(), size).unwrap();
        encode::send_body_chunks(&mut answer, b"hello", size);
        vec![
            request(header::CONTENT_LENGTH, "5"),
            request(header::TRANSFER_ENCODING, "chunked"),
            request(header::HOST, "h"),
            body.to_vec(),
            encode::CPING.to_vec(),
            answer.to_vec(),
            encode::END_RESPONSE_REUSE.to_vec(),
        ]
    }

    /// Numbers that differ in every run (SplitMix64).
    struct Random(u64);

    impl Random {
        fn new() -> Self {
            use std::hash::BuildHasher as _;
            Self(std::hash::RandomState::new().hash_one(0))
        }

        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (mixed ^ (mixed >> 31)) as usize % bound
        }
    }

    /// Runs a target over seeds in random order with a few bytes changed, for a moment. A failure prints its input.
    fn run(target: fn(&[u8]), head: usize) {
        let mut random = Random::new();
        let seeds = seeds();
        let begun = Instant::now();
        while begun.elapsed() < MOMENT {
            let mut input = vec![random.below(256) as u8];
            for _ in 0..random.below(8) {
                input.extend_from_slice(&seeds[random.below(seeds.len())]);
            }
            for _ in 0..random.below(4) {
                let place = random.below(input.len());
                input[place] = random.below(256) as u8;
            }
            let input = input.get(head..).unwrap_or_default();
            let passed = std::panic::catch_unwind(|| target(input));
            assert!(passed.is_ok(), "input {input:?}");
        }
    }

    #[test]
    fn packet_takes_anything() {
        run(packet, 1);
    }

    #[test]
    fn to_container_takes_anything() {
        run(to_container, 5);
    }

    #[test]
    fn to_web_server_takes_anything() {
        run(to_web_server, 5);
    }

    #[test]
    fn data_takes_anything() {
        run(data, 5);
    }

    #[test]
    fn stream_takes_anything() {
        run(stream, 0);
    }
}
