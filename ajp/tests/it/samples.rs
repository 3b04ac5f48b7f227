//! Packets as bytes, laid down from the protocol description and from what Apache httpd puts on the wire; never
//! made by our own encoder.

/// Bytes from a text of hexadecimal pairs and quoted ASCII.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (position, part) in text.split('"').enumerate() {
        if position % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        for pair in part.split_whitespace() {
            bytes.push(u8::from_str_radix(pair, 16).expect("two hexadecimal digits"));
        }
    }
    bytes
}

/// `OPTIONS /x` with one header and a secret: the shortest useful request.
pub(crate) fn options() -> Vec<u8> {
    bytes(
        r#"12 34 00 33  02 01
           00 08 "HTTP/1.1" 00   00 02 "/x" 00   00 07 "1.2.3.4" 00   FF FF   00 01 "h" 00   00 50   00
           00 01   A0 0B 00 01 "h" 00
           0C 00 01 "s" 00
           FF"#,
    )
}

/// A POST over TLS as a phone sends it through Apache, with every attribute that Apache can send.
pub(crate) fn post() -> Vec<u8> {
    bytes(
        r#"12 34 01 49  02 04
           00 08 "HTTP/1.1" 00
           00 1C "/Microsoft-Server-ActiveSync" 00
           00 0C "198.51.100.7" 00
           00 0B "phone.local" 00
           00 10 "mail.example.com" 00
           01 BB   01
           00 04
           A0 0B 00 10 "mail.example.com" 00
           A0 07 00 1D "application/vnd.ms-sync.wbxml" 00
           00 14 "ms-asprotocolversion" 00 00 04 "14.1" 00
           A0 08 00 01 "3" 00
           0C 00 01 "s" 00
           03 00 05 "anton" 00
           04 00 05 "Basic" 00
           05 00 08 "Cmd=Sync" 00
           06 00 02 "r1" 00
           07 00 03 "PEM" 00
           08 00 16 "TLS_AES_256_GCM_SHA384" 00
           09 00 02 "0a" 00
           0B 01 00
           0A 00 0F "AJP_REMOTE_PORT" 00 00 05 "54321" 00
           0A 00 10 "AJP_SSL_PROTOCOL" 00 00 07 "TLSv1.3" 00
           FF"#,
    )
}

/// `PATCH /`, whose method has no code.
pub(crate) fn patch() -> Vec<u8> {
    bytes(
        r#"12 34 00 2C  02 FF
           00 08 "HTTP/1.1" 00   00 01 "/" 00   00 03 "::1" 00   FF FF   00 01 "h" 00   1F 90   00
           00 00
           0D 00 05 "PATCH" 00
           FF"#,
    )
}

/// A GET as Apache httpd 2.4 put it on the wire, with a secret and a header that is not ASCII.
pub(crate) fn apache() -> Vec<u8> {
    bytes(
        r#"12 34 00 BF  02 02
           00 08 "HTTP/1.1" 00
           00 04 "/get" 00
           00 09 "127.0.0.1" 00
           FF FF
           00 10 "mail.example.com" 00
           97 67   00
           00 04
           A0 0B 00 10 "mail.example.com" 00
           A0 0E 00 05 "phone" 00
           00 05 "X-Own" 00 00 02 C3 A9 00
           A0 09 00 03 "a=b" 00
           0C 00 06 "s3cret" 00
           05 00 09 "a=%0d&b=+" 00
           0A 00 0F "AJP_REMOTE_PORT" 00 00 05 "49880" 00
           0A 00 0E "AJP_LOCAL_ADDR" 00 00 09 "127.0.0.1" 00
           FF"#,
    )
}

/// Three bytes of body.
pub(crate) fn data() -> Vec<u8> {
    bytes(r#"12 34 00 05  00 03 "abc""#)
}

/// All packets to the container that begin with a message type.
pub(crate) fn to_container() -> Vec<Vec<u8>> {
    vec![
        options(),
        post(),
        patch(),
        apache(),
        bytes("12 34 00 01 0A"),
        bytes("12 34 00 01 07"),
        bytes("12 34 00 01 08"),
    ]
}

/// A response's headers.
pub(crate) fn send_headers() -> Vec<u8> {
    bytes(
        r#"41 42 00 3E  04  01 91  00 0C "Unauthorized" 00
           00 02
           A0 0B 00 0E "Basic realm=ox" 00
           00 0D "x-ms-protocol" 00 00 04 "14.1" 00"#,
    )
}

/// All packets to the web server.
pub(crate) fn to_web_server() -> Vec<Vec<u8>> {
    vec![
        send_headers(),
        bytes(r#"41 42 00 07  03 00 03 "abc" 00"#),
        bytes("41 42 00 04 03 00 00 00"),
        bytes("41 42 00 02 05 01"),
        bytes("41 42 00 02 05 00"),
        bytes("41 42 00 03 06 1F FA"),
        bytes("41 42 00 01 09"),
    ]
}
