//! Our packets read by somebody else: Wireshark's AJP13 dissector, if it is installed.

use std::io::Write as _;
use std::process::Command;
use std::process::Stdio;

use ajp::encode;
use ajp::packet::PacketSize;
use bytes::BytesMut;
use http::HeaderMap;
use http::HeaderValue;
use http::StatusCode;
use http::header;

use crate::relay::From;
use crate::support::data;
use crate::support::forward;
use crate::support::post;

/// A capture file: one TCP connection to port 8009 over raw IPv4, a packet for each segment.
pub(crate) fn capture(segments: &[(From, Vec<u8>)]) -> Vec<u8> {
    // Magic, version 2.4, no zone, no accuracy, length limit, link type 101: raw IP.
    let mut file = Vec::new();
    file.extend(0xA1B2_C3D4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 101, 0, 0, 0]);
    let mut sent = [1000_u32, 2000];
    for (number, (from, payload)) in segments.iter().enumerate() {
        let (me, ports, addresses) = match from {
            From::WebServer => (0, [40000_u16, 8009], [[10, 0, 0, 1], [10, 0, 0, 2]]),
            From::Container => (1, [8009, 40000], [[10, 0, 0, 2], [10, 0, 0, 1]]),
        };
        let mut packet = vec![0x45, 0];
        packet.extend(u16::try_from(40 + payload.len()).expect("a small packet").to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        packet.extend(addresses.concat());
        packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        packet.extend(sent[me].to_be_bytes());
        packet.extend(sent[1 - me].to_be_bytes());
        // Header of five words, PSH and ACK, window, no checksum, no urgent data.
        packet.extend([0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
        packet.extend(payload);
        sent[me] += u32::try_from(payload.len()).expect("a small packet");

        let length = u32::try_from(packet.len()).expect("a small packet").to_le_bytes();
        file.extend(u32::try_from(number).expect("few packets").to_le_bytes());
        file.extend([0; 4]);
        file.extend(length);
        file.extend(length);
        file.extend(packet);
    }
    file
}

/// What the dissector reads, or nothing where it is not installed.
pub(crate) fn dissected(capture: &[u8]) -> Option<String> {
    let arguments = ["-r", "-", "-d", "tcp.port==8009,ajp13", "-O", "ajp13"];
    let started = Command::new("tshark")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut tshark) = started else {
        eprintln!("skipped: tshark is not installed");
        return None;
    };
    tshark
        .stdin
        .take()
        .expect("a pipe")
        .write_all(capture)
        .expect("tshark reads");
    let output = tshark.wait_with_output().expect("tshark ends");
    assert!(output.status.success());
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn another_reader_understands_our_packets() {
    let size = PacketSize::new(8192);
    let mut response = BytesMut::new();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert("x-ours", HeaderValue::from_static("a value"));
    encode::send_headers(&mut response, StatusCode::UNAUTHORIZED, &headers, size).expect("it fits");
    let mut chunk = BytesMut::new();
    encode::send_body_chunks(&mut chunk, b"who are you?", size);
    let mut question = BytesMut::new();
    encode::get_body_chunk(&mut question, size);
    let mut request = post("/some/path?a=b", 9000)
        .secret("s")
        .header(header::HOST, HeaderValue::from_static("mail.example.com"));
    request.peer.remote_addr = "198.51.100.7".to_owned();
    request.peer.is_ssl = true;
    request.peer.server_port = 443;
    request.peer.attributes.ssl_key_size = Some(256);
    request
        .peer
        .attributes
        .named
        .push(("AJP_SSL_PROTOCOL".to_owned(), "TLSv1.3".to_owned()));

    let segments = [
        // First, since the dissector of Wireshark takes a CPING behind a request with a body for DATA.
        (From::WebServer, encode::CPING.to_vec()),
        (From::Container, encode::CPONG.to_vec()),
        (From::WebServer, forward(&request)),
        (From::WebServer, data(&[b'x'; 8186])),
        (From::Container, question.to_vec()),
        (From::WebServer, data(&[b'x'; 814])),
        (From::Container, response.to_vec()),
        (From::Container, chunk.to_vec()),
        (From::Container, encode::END_RESPONSE_REUSE.to_vec()),
    ];
    let Some(text) = dissected(&capture(&segments)) else {
        return;
    };
    let expected = [
        "Code: CPING (10)",
        "Code: CPONG (9)",
        "Code: FORWARD REQUEST (2)",
        "Method: POST (4)",
        "URI: /some/path",
        "RADDR: 198.51.100.7",
        "PORT: 443",
        "SSLP: True",
        "NHDR: 2",
        "Content-Length: 9000",
        "Host: mail.example.com",
        "Secret: s",
        "Query-String: a=b",
        "SSL-Key-Size: 256",
        "AJP_SSL_PROTOCOL: TLSv1.3",
        "Code: GET BODY CHUNK (6)",
        "RLEN: 8186",
        "Code: SEND HEADERS (4)",
        "RSTATUS: 401",
        "RSMSG: Unauthorized",
        "Content-Type: text/plain",
        "x-ours: a value",
        "Code: SEND BODY CHUNK (3)",
        "Data: who are you?",
        "Code: END RESPONSE (5)",
        "REUSEP: 1",
    ];
    // Each in its turn.
    let mut lines = text.lines().map(str::trim);
    for expected in expected {
        assert!(lines.any(|line| line == expected), "{expected} is missing in:\n{text}");
    }
    assert!(!text.contains("Malformed"), "{text}");
}
