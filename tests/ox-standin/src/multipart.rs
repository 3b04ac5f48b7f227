//! Bodies of type `multipart/form-data`, cut into their parts (RFC 7578).

use crate::call::Part;
use bytes::Bytes;

/// More parts than this are not read.
const MOST_PARTS: usize = 200;

/// The boundary named by a content type, if it is a multipart.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let found = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"').to_owned())
    });
    found.filter(|boundary| !boundary.is_empty())
}

/// All complete parts.
pub(crate) fn parts(body: &Bytes, boundary: &str) -> Vec<Part> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut starts = Vec::new();
    let mut from = 0;
    while let Some(at) = find(body, &delimiter, from).filter(|_| starts.len() <= MOST_PARTS) {
        starts.push(at);
        from = at + delimiter.len();
    }
    let pairs = starts.iter().zip(starts.iter().skip(1));
    pairs
        .filter_map(|(start, end)| part(&body.slice(start + delimiter.len()..*end)))
        .collect()
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = haystack.get(from..)?;
    rest.windows(needle.len())
        .position(|window| window == needle)
        .map(|at| from + at)
}

/// One part: headers, an empty line, content, and the line end that belongs to the next boundary.
fn part(bytes: &Bytes) -> Option<Part> {
    let split = find(bytes, b"\r\n\r\n", 0)?;
    let headers = String::from_utf8_lossy(bytes.get(..split)?).into_owned();
    let content = bytes.slice(split + 4..);
    let content = if content.ends_with(b"\r\n") {
        content.slice(..content.len() - 2)
    } else {
        content
    };
    let header = |wanted: &str| {
        headers.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim()
                .eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_owned())
        })
    };
    let disposition = header("content-disposition")?;
    Some(Part {
        name: attribute(&disposition, "name")?,
        file_name: attribute(&disposition, "filename"),
        content_type: header("content-type"),
        bytes: content,
    })
}

fn attribute(header: &str, wanted: &str) -> Option<String> {
    header.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case(wanted)
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_byte_by_byte() {
        let body = Bytes::from_static(
            b"--x\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{}\r\n--x\r\nContent-Disposition: form-data; \
              name=\"file\"; filename=\"p.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xff\r\n\x00\r\n--x--\r\n",
        );
        let found = parts(&body, "x");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), &found[0].bytes[..]), ("json", &b"{}"[..]));
        assert_eq!(
            (found[1].file_name.as_deref(), &found[1].bytes[..]),
            (Some("p.jpg"), &b"\xff\r\n\x00"[..])
        );
        assert_eq!(boundary("multipart/form-data; boundary=\"x\"").as_deref(), Some("x"));
        assert_eq!(boundary("application/json; charset=x"), None);
    }
}
