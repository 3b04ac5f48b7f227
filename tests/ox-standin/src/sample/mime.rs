//! Building blocks of mails: encoded words, transfer encodings, multiparts (RFC 2045 to 2047).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding;

/// A header text as encoded words of at most 75 characters, folded.
pub(super) fn encoded_words(charset: &str, text: &str) -> String {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        word.push(c);
        if encode(charset, &word).len() >= 30 {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    let encoded = words
        .iter()
        .map(|word| format!("=?{charset}?B?{}?=", STANDARD.encode(encode(charset, word))));
    encoded.collect::<Vec<String>>().join("\r\n ")
}

/// Text in a charset; characters it does not have become references.
pub(super) fn encode(charset: &str, text: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    encoding.encode(text).0.into_owned()
}

/// Base64 in lines of 76 characters.
pub(super) fn base64_lines(bytes: &[u8]) -> String {
    bytes
        .chunks(57)
        .map(|line| format!("{}\r\n", STANDARD.encode(line)))
        .collect()
}

/// Quoted-printable with soft line breaks.
pub(super) fn quoted_printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut column = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if bytes.get(index..).is_some_and(|rest| rest.starts_with(b"\r\n")) || (*byte == b'\n' && column == 0) {
            if *byte == b'\r' {
                text.push_str("\r\n");
            }
            column = 0;
            continue;
        }
        if *byte == b'\n' && text.ends_with("\r\n") {
            continue;
        }
        let piece = match byte {
            b'=' => "=3D".to_owned(),
            b' '..=b'~' => char::from(*byte).to_string(),
            other => format!("={other:02X}"),
        };
        if column + piece.len() > 75 {
            text.push_str("=\r\n");
            column = 0;
        }
        column += piece.len();
        text.push_str(&piece);
    }
    text
}

/// A text part with its headers.
pub(super) fn text_part(subtype: &str, charset: &str, transfer: &str, text: &str) -> Vec<u8> {
    let bytes = encode(charset, text);
    let mut part =
        format!("Content-Type: text/{subtype}; charset={charset}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n")
            .into_bytes();
    match transfer {
        "base64" => part.extend(base64_lines(&bytes).into_bytes()),
        "quoted-printable" => part.extend(quoted_printable(&bytes).into_bytes()),
        _ => part.extend(bytes),
    }
    part
}

/// A file with its headers.
pub(super) fn file_part(content_type: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    format!(
        "Content-Type: {content_type}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(bytes)
    )
    .into_bytes()
}

/// A picture inside a text, by its content id.
pub(super) fn inline_part(content_type: &str, name: &str, cid: &str, bytes: &[u8]) -> Vec<u8> {
    format!(
        "Content-Type: {content_type}; name=\"{name}\"\r\nContent-Disposition: inline; filename=\"{name}\"\r\n\
         Content-ID: <{cid}>\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(bytes)
    )
    .into_bytes()
}

/// A multipart; `parameters` follow the boundary in its content type.
pub(super) fn multipart(subtype: &str, boundary: &str, parameters: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let head = format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"{parameters}\r\n\r\n");
    let mut whole = head.into_bytes();
    for part in parts {
        whole.extend(format!("--{boundary}\r\n").into_bytes());
        whole.extend(part);
        whole.extend(b"\r\n");
    }
    whole.extend(format!("--{boundary}--\r\n").into_bytes());
    whole
}
