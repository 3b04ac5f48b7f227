//! The codec: known answers both ways, packets that stop too early, and bytes that are no packets.

use ajp::codes::MAGIC_TO_CONTAINER;
use ajp::codes::MAGIC_TO_WEB_SERVER;
use ajp::decode;
use ajp::decode::DecodeError;
use ajp::decode::Malformed;
use ajp::encode;
use ajp::packet::Attributes;
use ajp::packet::ForwardRequest;
use ajp::packet::PacketSize;
use ajp::packet::ToContainer;
use ajp::packet::ToWebServer;
use bytes::Bytes;
use bytes::BytesMut;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header;
use proptest::prelude::*;

use crate::samples;
use crate::samples::bytes;

/// The payload of a sample that is one whole packet.
fn payload(magic: [u8; 2], sample: &[u8]) -> &[u8] {
    let (payload, rest) = decode::packet(magic, sample).expect("a whole packet");
    assert!(rest.is_empty(), "{} bytes too many in the sample", rest.len());
    payload
}

fn forward_request(sample: &[u8]) -> ForwardRequest {
    match decode::to_container(payload(MAGIC_TO_CONTAINER, sample)) {
        Ok(ToContainer::ForwardRequest(request)) => *request,
        other => panic!("{other:?}"),
    }
}

fn encoded(request: &ForwardRequest) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode::forward_request(&mut out, request, PacketSize::new(8192)).expect("it fits");
    out.to_vec()
}

#[test]
fn the_shortest_useful_request() {
    let request = forward_request(&samples::options());
    let mut expected = ForwardRequest::new(Method::OPTIONS, "/x".parse().unwrap())
        .header(header::HOST, HeaderValue::from_static("h"))
        .secret("s");
    expected.peer.remote_addr = "1.2.3.4".to_owned();
    expected.peer.server_name = "h".to_owned();
    expected.peer.server_port = 80;
    assert_eq!(request, expected);
    assert_eq!(encoded(&request), samples::options());
}

#[test]
fn a_request_with_every_attribute() {
    let request = forward_request(&samples::post());
    let peer = &request.peer;
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.target, "/Microsoft-Server-ActiveSync?Cmd=Sync");
    assert_eq!(peer.ip(), Some([198, 51, 100, 7].into()));
    assert_eq!(peer.remote_port, Some(54321));
    assert_eq!(peer.remote_host.as_deref(), Some("phone.local"));
    assert_eq!(
        (peer.server_name.as_str(), peer.server_port, peer.is_ssl),
        ("mail.example.com", 443, true)
    );
    let expected = Attributes {
        remote_user: Some("anton".to_owned()),
        auth_type: Some("Basic".to_owned()),
        jvm_route: Some("r1".to_owned()),
        ssl_cert: Some("PEM".to_owned()),
        ssl_cipher: Some("TLS_AES_256_GCM_SHA384".to_owned()),
        ssl_session: Some("0a".to_owned()),
        ssl_key_size: Some(256),
        named: vec![("AJP_SSL_PROTOCOL".to_owned(), "TLSv1.3".to_owned())],
        ..Attributes::default()
    };
    assert_eq!(peer.attributes, expected);
    assert_eq!(peer.attributes.named("AJP_SSL_PROTOCOL"), Some("TLSv1.3"));
    let names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["host", "content-type", "ms-asprotocolversion", "content-length"]
    );
    assert_eq!(encoded(&request), samples::post());
}

#[test]
fn a_method_without_a_code() {
    let request = forward_request(&samples::patch());
    assert_eq!(request.method, Method::PATCH);
    assert_eq!(encoded(&request), samples::patch());
}

#[test]
fn a_plain_header_name_means_the_same_as_its_code() {
    // Seven and eight letters have the low byte of a code in their length: A007 and A008 are codes, 0007 and 0008 not.
    let sample = bytes(
        r#"12 34 00 4E  02 02
           00 08 "HTTP/1.1" 00   00 01 "/" 00   00 03 "::1" 00   FF FF   00 01 "h" 00   00 50   00
           00 03
           00 07 "x-seven" 00  00 01 "7" 00
           00 0E "CONTENT-LENGTH" 00  00 01 "5" 00
           00 02 "te" 00  00 00 00
           FF"#,
    );
    let request = forward_request(&sample);
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    assert_eq!(headers, [("x-seven", &b"7"[..]), ("content-length", b"5"), ("te", b"")]);
}

#[test]
fn packets_to_the_web_server() {
    let expected = [
        ToWebServer::SendHeaders {
            status: StatusCode::UNAUTHORIZED,
            reason: Some("Unauthorized".to_owned()),
            headers: vec![
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=ox")),
                (
                    HeaderName::from_static("x-ms-protocol"),
                    HeaderValue::from_static("14.1"),
                ),
            ],
        },
        ToWebServer::SendBodyChunk(Bytes::from_static(b"abc")),
        ToWebServer::SendBodyChunk(Bytes::new()),
        ToWebServer::EndResponse { reuse: true },
        ToWebServer::EndResponse { reuse: false },
        ToWebServer::GetBodyChunk(8186),
        ToWebServer::CPong,
    ];
    for (sample, expected) in samples::to_web_server().iter().zip(expected) {
        assert_eq!(
            decode::to_web_server(payload(MAGIC_TO_WEB_SERVER, sample)),
            Ok(expected)
        );
    }
}

#[test]
fn packets_to_the_web_server_are_written_as_they_are_read() {
    let size = PacketSize::new(8192);
    let mut out = BytesMut::new();
    let mut headers = HeaderMap::new();
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=ox"));
    headers.insert("x-ms-protocol", HeaderValue::from_static("14.1"));
    encode::send_headers(&mut out, StatusCode::UNAUTHORIZED, &headers, size).expect("it fits");
    encode::send_body_chunks(&mut out, b"abc", size);
    out.extend_from_slice(&encode::FLUSH);
    encode::end_response(&mut out, true);
    encode::end_response(&mut out, false);
    encode::get_body_chunk(&mut out, size);
    out.extend_from_slice(&encode::CPONG);
    assert_eq!(out.to_vec(), samples::to_web_server().concat());
}

#[test]
fn data_is_written_and_read() {
    let mut out = BytesMut::new();
    assert_eq!(encode::data(&mut out, b"abc", PacketSize::new(8192)), 3);
    assert_eq!(out.to_vec(), samples::data());
    let data = |text: &str| decode::data(Bytes::from(bytes(text)));
    assert_eq!(data(r#"00 03 "abc""#), Ok(Bytes::from_static(b"abc")));
    // Both forms of the end.
    assert_eq!(data("00 00"), Ok(Bytes::new()));
    assert_eq!(data(""), Ok(Bytes::new()));
    assert_eq!(data("00"), Err(Malformed::Overrun));
    assert_eq!(data(r#"00 04 "abc""#), Err(Malformed::Overrun));
    assert_eq!(data(r#"00 02 "abc""#), Err(Malformed::Excess));
}

#[test]
fn chunks_and_data_fill_packets_exactly() {
    for (bytes, chunk, data) in [(8192, 8184, 8186), (65536, 65528, 65530)] {
        let size = PacketSize::new(bytes);
        let body = vec![7; 100_000];
        let mut out = BytesMut::new();
        encode::send_body_chunks(&mut out, &body, size);
        let mut lengths = Vec::new();
        let mut rest = &out[..];
        while let Ok((payload, behind)) = decode::packet(MAGIC_TO_WEB_SERVER, rest) {
            assert!(payload.len() + 4 <= bytes, "no packet may exceed the configured size");
            let Ok(ToWebServer::SendBodyChunk(part)) = decode::to_web_server(payload) else {
                panic!("no chunk")
            };
            lengths.push(part.len());
            rest = behind;
        }
        assert_eq!(lengths.iter().sum::<usize>(), body.len());
        assert_eq!(lengths.first(), Some(&chunk));
        assert_eq!(encode::data(&mut BytesMut::new(), &body, size), data);
    }
}

#[test]
fn headers_of_one_hop_stay_here() {
    let mut headers = HeaderMap::new();
    for name in ajp::codes::HOP_BY_HOP {
        headers.insert(name, HeaderValue::from_static("x"));
    }
    headers.insert(header::CONNECTION, HeaderValue::from_static("close, X-Mine"));
    headers.insert("x-mine", HeaderValue::from_static("x"));
    headers.append(header::SET_COOKIE, HeaderValue::from_static("a=1"));
    headers.append(header::SET_COOKIE, HeaderValue::from_static("b=2"));
    let mut out = BytesMut::new();
    encode::send_headers(&mut out, StatusCode::OK, &headers, PacketSize::new(8192)).expect("it fits");
    let Ok(ToWebServer::SendHeaders { headers, .. }) = decode::to_web_server(payload(MAGIC_TO_WEB_SERVER, &out)) else {
        panic!("no headers")
    };
    let kept: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    assert_eq!(kept, [("set-cookie", &b"a=1"[..]), ("set-cookie", b"b=2")]);
}

#[test]
fn what_cannot_be_sent_leaves_no_byte_behind() {
    let size = PacketSize::new(8192);
    let mut out = BytesMut::new();
    for status in [100, 101, 103, 199, 600, 999] {
        let status = StatusCode::from_u16(status).expect("a number of a status");
        let refused = encode::send_headers(&mut out, status, &HeaderMap::new(), size);
        assert_eq!(refused, Err(encode::EncodeError::Status(status)));
    }
    let mut headers = HeaderMap::new();
    headers.insert("x", HeaderValue::from_str(&"x".repeat(8192)).expect("a value"));
    assert_eq!(
        encode::send_headers(&mut out, StatusCode::OK, &headers, size),
        Err(encode::EncodeError::TooLarge)
    );
    assert!(out.is_empty());
}

#[test]
fn control_bytes_cannot_become_a_header() {
    for byte in (0..b' ').chain([0x7F]).filter(|byte| *byte != b'\t') {
        assert!(HeaderValue::from_bytes(&[b'a', byte]).is_err(), "{byte:#04x}");
    }
}

#[test]
fn wrong_requests() {
    // The head up to the number of headers, as a frame for one wrong thing at a time.
    let before = r#"00 01 "/" 00  00 03 "::1" 00  FF FF  00 01 "h" 00  00 50  00"#;
    let http = r#"00 08 "HTTP/1.1" 00"#;
    let cases = [
        ("", Malformed::Overrun),
        ("03", Malformed::MessageType(3)),
        ("00", Malformed::MessageType(0)),
        (&*format!("02 00 {http} {before} 00 00 FF"), Malformed::MethodCode(0)),
        (&*format!("02 1C {http} {before} 00 00 FF"), Malformed::MethodCode(28)),
        (&*format!("02 FF {http} {before} 00 00 FF"), Malformed::StoredMethod),
        (
            &*format!(r#"02 FF {http} {before} 00 00 0D 00 03 "A B" 00 FF"#),
            Malformed::StoredMethod,
        ),
        (
            &*format!(r#"02 02 00 08 "HTTP/1.7" 00 {before} 00 00 FF"#),
            Malformed::Protocol,
        ),
        (&*format!("02 02 FF FF {before} 00 00 FF"), Malformed::Protocol),
        (
            &*format!(r#"02 02 {http} 00 01 "x" 00 FF FF FF FF FF FF 00 50 00 00 00 FF"#),
            Malformed::Target,
        ),
        (
            &*format!(r#"02 02 {http} 00 03 "/" 0D 0A 00 FF FF FF FF FF FF 00 50 00 00 00 FF"#),
            Malformed::Target,
        ),
        (
            &*format!(r#"02 02 {http} FF FF FF FF FF FF FF FF 00 50 00 00 00 FF"#),
            Malformed::Target,
        ),
        // A header code that does not exist, at both ends of the range.
        (
            &*format!("02 02 {http} {before} 00 01 A0 00 00 00 00 FF"),
            Malformed::HeaderCode(0xA000),
        ),
        (
            &*format!("02 02 {http} {before} 00 01 A0 0F 00 00 00 FF"),
            Malformed::HeaderCode(0xA00F),
        ),
        (
            &*format!(r#"02 02 {http} {before} 00 01 00 02 "a:" 00 00 00 00 FF"#),
            Malformed::HeaderName,
        ),
        (
            &*format!("02 02 {http} {before} 00 01 00 00 00 00 00 00 FF"),
            Malformed::HeaderName,
        ),
        (
            &*format!(r#"02 02 {http} {before} 00 01 00 01 "a" 00 00 02 0D 0A 00 FF"#),
            Malformed::HeaderValue,
        ),
        // More headers announced than there are.
        (
            &*format!("02 02 {http} {before} FF FF A0 0B 00 00 00 FF"),
            Malformed::Overrun,
        ),
        (
            &*format!("02 02 {http} {before} 00 00 0E 00 00 00 FF"),
            Malformed::AttributeCode(0x0E),
        ),
        (
            &*format!("02 02 {http} {before} 00 00 00 FF"),
            Malformed::AttributeCode(0),
        ),
        // No end mark.
        (&*format!("02 02 {http} {before} 00 00"), Malformed::Overrun),
        // A string whose terminator is missing.
        (
            &*format!(r#"02 02 {http} {before} 00 00 05 00 01 "q""#),
            Malformed::Overrun,
        ),
    ];
    for (text, malformed) in cases {
        assert_eq!(decode::to_container(&bytes(text)), Err(malformed), "{text}");
    }
}

#[test]
fn targets_are_escaped_where_a_uri_needs_it_and_only_there() {
    let cases = [
        // A question mark from `%3F` in a decoded path does not begin the query.
        (r#""/a?b""#, r#""c=d""#, "/a%3Fb?c=d"),
        (r#""/a%20b;x=1""#, r#""%0d%0a+%e9""#, "/a%20b;x=1?%0d%0a+%e9"),
        (r#""/" E9"#, r#""a=" E9 "<>""#, "/%E9?a=%E9%3C%3E"),
        (r#""/""#, r#""a?b#c""#, "/?a?b%23c"),
        // No query is not the same as an empty one, and a server as a whole has none.
        (r#""/""#, "", "/"),
        (r#""*""#, "", "*"),
    ];
    for (path, query, expected) in cases {
        let (path, query) = (bytes(path), bytes(query));
        let mut payload = bytes(r#"02 01 00 08 "HTTP/1.1" 00"#);
        payload.extend([0, path.len() as u8]);
        payload.extend(path);
        payload.extend(bytes("00 FF FF FF FF FF FF 00 50 00 00 00"));
        if !query.is_empty() {
            payload.extend([5, 0, query.len() as u8]);
            payload.extend(query);
            payload.push(0);
        }
        payload.push(0xFF);
        match decode::to_container(&payload) {
            Ok(ToContainer::ForwardRequest(request)) => assert_eq!(request.target, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn a_packet_is_incomplete_at_every_length() {
    let directions = [
        (MAGIC_TO_CONTAINER, samples::to_container()),
        (MAGIC_TO_CONTAINER, vec![samples::data()]),
        (MAGIC_TO_WEB_SERVER, samples::to_web_server()),
    ];
    for (magic, packets) in directions {
        for packet in packets {
            for length in 0..packet.len() {
                assert_eq!(
                    decode::packet(magic, &packet[..length]),
                    Err(DecodeError::Incomplete),
                    "{length}"
                );
            }
            let mut two = packet.clone();
            two.extend_from_slice(&packet);
            assert_eq!(decode::packet(magic, &two), Ok((&packet[4..], &packet[..])));
        }
    }
}

#[test]
fn a_payload_cut_anywhere_is_malformed_and_not_completed_from_behind() {
    for packet in samples::to_container().iter().filter(|packet| packet[4] == 2) {
        for length in 5..packet.len() {
            assert!(decode::to_container(&packet[4..length]).is_err(), "{length}");
        }
    }
    for packet in samples::to_web_server() {
        for length in 4..packet.len() {
            assert!(decode::to_web_server(&packet[4..length]).is_err(), "{length}");
        }
    }
}

#[test]
fn the_wrong_magic_is_known_from_its_first_wrong_byte() {
    for text in ["00", "41", "12 35", "41 42 00 01 0A", "\"GET / HTTP\""] {
        let malformed = Err(DecodeError::Malformed(Malformed::Magic));
        assert_eq!(decode::packet(MAGIC_TO_CONTAINER, &bytes(text)), malformed, "{text}");
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(input in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode::packet(MAGIC_TO_CONTAINER, &input);
        let _ = decode::to_container(&input);
        let _ = decode::to_web_server(&input);
        let _ = decode::data(Bytes::from(input));
    }

    #[test]
    fn a_request_with_any_bytes_changed_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut packet = samples::post();
        for (place, byte) in changes {
            let place = place.index(packet.len());
            packet[place] = byte;
        }
        if let Ok(ToContainer::ForwardRequest(request)) = decode::to_container(&packet[4..]) {
            // What decodes can be said again, and then means the same.
            let again = forward_request(&encoded(&request));
            prop_assert_eq!(again, *request);
        }
    }

    #[test]
    fn data_of_any_length_survives(body in prop::collection::vec(any::<u8>(), 0..9000)) {
        let size = PacketSize::new(8192);
        let mut out = BytesMut::new();
        let sent = encode::data(&mut out, &body, size);
        let payload = Bytes::copy_from_slice(payload(MAGIC_TO_CONTAINER, &out));
        prop_assert_eq!(&decode::data(payload).unwrap()[..], &body[..sent]);
        prop_assert_eq!(sent, body.len().min(size.max_data()));
    }
}
