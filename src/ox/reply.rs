//! What an answer means: success with data, or an error. The one place that decides it.
//!
//! Takes an HTTP answer that has been read completely. Nearly everything is status 200 and a JSON envelope; uploads are
//! answered by an HTML page around one, and downloads that fail by an HTML page around or instead of one. Implements the
//! API documentation, "Low level protocol" and "Error handling".

mod rows;

use std::time::Duration;

use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;

use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::error::TooLong;
use crate::ox::error::category;
use crate::ox::error::classify;
use crate::ox::value::integer;

/// An HTTP answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The call that it answers, for errors.
    pub(super) call: String,
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) location: Option<String>,
    pub(super) retry_after: Option<Duration>,
    /// The values of its `Set-Cookie` headers.
    pub(super) cookies: Vec<String>,
    pub(super) body: Bytes,
}

/// A successful answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The payload; null when there is none.
    pub data: Value,
    /// The newest modification time among the objects of the answer, in milliseconds since 1970, UTC. Zero is left out: old
    /// servers write it when they mean nothing.
    pub timestamp: Option<i64>,
    /// OX had more to say than it did: the list is cut off.
    pub more: bool,
    /// What OX was not quite happy with, though it did what was asked.
    pub warnings: Vec<Warning>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub code: String,
    pub category: Option<i64>,
    pub text: String,
}

/// A downloaded file.
#[derive(Clone, Debug)]
pub struct Download {
    /// As OX says; `application/octet-stream` where it does not want to say.
    pub content_type: String,
    pub bytes: Bytes,
}

/// Reads the answer as JSON: an envelope, an array of envelopes, or the answer of a login.
pub(super) fn json(answer: Answer) -> Result<Value, Error> {
    let value = parse(&answer.body);
    match value {
        Some(value) if answer.status == 200 => Ok(value),
        Some(value) if envelope_error(&value).is_some() => Ok(value),
        _ if answer.status != 200 => Err(http_error(&answer)),
        Some(_) | None => Err(garbled(&answer)),
    }
}

/// Reads the answer as JSON, and gives the rows in its `data` away one by one: a long list never stands in memory as a whole.
/// What is left has no rows.
pub(super) fn json_rows(answer: Answer, row: &mut impl FnMut(Value)) -> Result<Value, Error> {
    let body = answer.body.trim_ascii();
    if answer.status != 200 || !body.starts_with(b"{") {
        return json(answer).map(|envelope| rows::give_away(envelope, row));
    }
    rows::read(body, row).ok_or_else(|| garbled(&answer))
}

/// Reads the answer as the bytes of a file.
pub(super) fn download(answer: Answer) -> Result<Download, Error> {
    if let Some(envelope) = error_in_place_of_file(&answer) {
        read(envelope, &answer.call)?;
    }
    if answer.status != 200 {
        return Err(http_error(&answer));
    }
    Ok(Download {
        content_type: answer.content_type,
        bytes: answer.body,
    })
}

/// The envelope of an error. A file that happens to be JSON is none.
fn error_in_place_of_file(answer: &Answer) -> Option<Value> {
    let is_text = ["text/html", "javascript", "json"]
        .iter()
        .any(|kind| answer.content_type.contains(kind));
    if !is_text && answer.status == 200 {
        return None;
    }
    parse(&answer.body).filter(|value| value.get("error").is_some() && value.get("code").is_some())
}

/// An HTML page in place of a file that cannot be HTML: the error is written in it somewhere.
pub(super) fn html_page_error(page: &[u8], call: &str) -> Error {
    let text = String::from_utf8_lossy(page);
    let code = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .find(|word| is_code(word));
    let Some(code) = code else {
        return Error::new(ErrorKind::Server, call, "OX sent an HTML page in place of the file");
    };
    Error::new(
        classify(code, None),
        call,
        "OX sent an HTML error page in place of the file",
    )
    .with_code(code)
}

/// Whether a word looks like `MSG-0032`.
fn is_code(word: &str) -> bool {
    let Some((prefix, number)) = word.split_once('-') else {
        return false;
    };
    (2..=12).contains(&prefix.len())
        && prefix.bytes().all(|byte| byte.is_ascii_uppercase())
        && (4..=6).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// JSON as such or inside the script of an HTML callback page. Some servers send blanks ahead during slow requests.
fn parse(body: &[u8]) -> Option<Value> {
    let body = body.trim_ascii();
    if !body.starts_with(b"<") {
        return serde_json::from_slice(body).ok();
    }
    let text = std::str::from_utf8(body).ok()?;
    let start = text.find("({")? + 1;
    let end = text.rfind("})")? + 1;
    serde_json::from_str(text.get(start..end)?).ok()
}

/// Decides on an envelope.
///
/// "Warnings are mirrored": the first warning of a success is also written where an error would stand, with category 13.
/// So an error counts only if it is none of those.
pub(super) fn read(envelope: Value, call: &str) -> Result<Reply, Error> {
    let Value::Object(mut envelope) = envelope else {
        return Err(Error::new(ErrorKind::Garbled, call, "the answer is no JSON object"));
    };
    let data = envelope.remove("data").unwrap_or(Value::Null);
    let mut warnings = warnings(envelope.get("warnings"));
    if let Some(error) = envelope.get("error").filter(|error| !error.is_null()) {
        let is_warning = category_of(&envelope) == Some(category::WARNING);
        if !is_warning && (warnings.is_empty() || data.is_null()) {
            return Err(failure(&envelope, error, call));
        }
        if warnings.is_empty() {
            warnings.push(warning(&envelope));
        }
    }
    Ok(Reply {
        data,
        timestamp: envelope
            .get("timestamp")
            .and_then(integer)
            .filter(|timestamp| *timestamp > 0),
        more: envelope.get("more").and_then(Value::as_bool).unwrap_or(false),
        warnings,
    })
}

/// The error of an envelope, success or not, as the login needs it: code, category, text.
pub(super) fn envelope_error(value: &Value) -> Option<Warning> {
    let envelope = value.as_object()?;
    envelope.get("error").filter(|error| !error.is_null())?;
    Some(warning(envelope))
}

fn failure(envelope: &Map<String, Value>, error: &Value, call: &str) -> Error {
    let code = envelope.get("code").and_then(Value::as_str).unwrap_or_default();
    let kind = classify(code, category_of(envelope));
    Error::new(kind, call, text(error))
        .with_code(code)
        .with_too_long(too_long(envelope))
}

/// "`truncated`: array of column ids; `problematic`: `{id, length, max_size}`".
fn too_long(envelope: &Map<String, Value>) -> Vec<TooLong> {
    let entries = |key| envelope.get(key).and_then(Value::as_array).into_iter().flatten();
    let column = |value: &Value| integer(value).and_then(|column| u16::try_from(column).ok());
    let sized: Vec<_> = entries("problematic")
        .filter_map(|entry| {
            Some(TooLong {
                column: column(entry.get("id")?)?,
                max_size: entry
                    .get("max_size")
                    .and_then(integer)
                    .and_then(|size| usize::try_from(size).ok()),
            })
        })
        .collect();
    if !sized.is_empty() {
        return sized;
    }
    entries("truncated")
        .filter_map(column)
        .map(|column| TooLong { column, max_size: None })
        .collect()
}

fn warnings(value: Option<&Value>) -> Vec<Warning> {
    match value {
        Some(Value::Object(one)) => vec![warning(one)],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_object).map(warning).collect(),
        _ => Vec::new(),
    }
}

fn warning(entry: &Map<String, Value>) -> Warning {
    Warning {
        code: entry.get("code").and_then(Value::as_str).unwrap_or_default().to_owned(),
        category: category_of(entry),
        text: entry.get("error").map(text).unwrap_or_default(),
    }
}

/// Servers before 6.20 write the number only; later ones the names as well, as text or array.
fn category_of(entry: &Map<String, Value>) -> Option<i64> {
    if let Some(category) = entry.get("category").and_then(integer) {
        return Some(category);
    }
    let name = match entry.get("categories")? {
        Value::Array(names) => names.first()?,
        name => name,
    };
    category::from_name(name.as_str()?)
}

fn text(error: &Value) -> String {
    error.as_str().map_or_else(|| error.to_string(), str::to_owned)
}

/// An answer with another status than 200 and no envelope: from a proxy, or from OX's servlet layer.
fn http_error(answer: &Answer) -> Error {
    let (kind, text) = match answer.status {
        300..=399 => {
            let target = answer.location.as_deref().unwrap_or("elsewhere");
            (ErrorKind::Configuration, format!("the server redirects to {target}"))
        }
        400 => (ErrorKind::Invalid, "the server calls the request malformed".to_owned()),
        401 | 403 => (ErrorKind::PermissionDenied, "the server refuses the request".to_owned()),
        404 => (ErrorKind::Unsupported, "there is nothing at this URL".to_owned()),
        405 => (
            ErrorKind::Unsupported,
            "the server does not allow the method".to_owned(),
        ),
        413 => (ErrorKind::TooLarge, "the server finds the request too large".to_owned()),
        429 => (
            ErrorKind::Temporary,
            "the server's rate limiter holds the gateway back; it should exempt its User-Agent".to_owned(),
        ),
        _ => (
            ErrorKind::Temporary,
            "the server, or one in front of it, cannot answer now".to_owned(),
        ),
    };
    let mut error = Error::new(kind, &answer.call, text).with_code(format!("HTTP {}", answer.status));
    error.retry_after = answer.retry_after;
    error
}

fn garbled(answer: &Answer) -> Error {
    let text = match answer.body.trim_ascii() {
        [] => "the answer is empty".to_owned(),
        [b'{' | b'[', ..] => format!("the answer is cut off or broken JSON of {} bytes", answer.body.len()),
        _ => format!("the answer is not JSON but {:?}", answer.content_type),
    };
    Error::new(ErrorKind::Garbled, &answer.call, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer {
            call: "GET http://ox/ajax/x?action=y".to_owned(),
            status,
            content_type: content_type.to_owned(),
            location: None,
            retry_after: None,
            cookies: Vec::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn decide(body: &str) -> Result<Reply, Error> {
        read(json(answer(200, "text/javascript; charset=UTF-8", body))?, "GET x")
    }

    #[test]
    fn success() {
        let reply = decide(r#"{"data":{"id":4711},"timestamp":1393842000123}"#).unwrap();
        assert_eq!(reply.data, json!({"id": 4711}));
        assert_eq!(reply.timestamp, Some(1_393_842_000_123));
        // Blanks ahead, a timestamp that says nothing, an error that is null.
        assert_eq!(
            decide(" \n {\"data\":[],\"timestamp\":0,\"error\":null}")
                .unwrap()
                .timestamp,
            None
        );
        assert_eq!(decide("{}").unwrap(), Reply::default());
    }

    #[test]
    fn failure_keeps_code_and_text() {
        let error = decide(
            r#"{"error":"Your session expired. Please login again.","error_params":[],"categories":"TRY_AGAIN","category":4,
               "code":"SES-0203","error_id":"1868225431-12"}"#,
        )
        .unwrap_err();
        assert_eq!((error.kind, error.code()), (ErrorKind::Session, "SES-0203"));
        assert_eq!(error.text(), "Your session expired. Please login again.");
    }

    #[test]
    fn categories_may_be_names_only() {
        let error = decide(r#"{"error":"x","code":"OX-0001","categories":["CONFLICT","ERROR"]}"#).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict);
        let error = decide(r#"{"error":"x","code":"OX-0001","categories":"PERMISSION_DENIED"}"#).unwrap_err();
        assert_eq!(error.kind, ErrorKind::PermissionDenied);
    }

    #[test]
    fn mirrored_warnings_are_success() {
        let reply = decide(
            r#"{"data":["default0/INBOX/Old"],"warnings":{"error":"w","code":"FLD-1026","category":3},"error":"w",
               "code":"FLD-1026","category":13}"#,
        )
        .unwrap();
        assert_eq!(reply.data, json!(["default0/INBOX/Old"]));
        assert_eq!(
            reply.warnings,
            [Warning {
                code: "FLD-1026".to_owned(),
                category: Some(3),
                text: "w".to_owned()
            }]
        );
        // A category of its own, but data and warnings; an array of warnings; no data, but category 13.
        assert!(decide(r#"{"data":{},"warnings":[{"error":"w","category":3}],"error":"w","category":3}"#).is_ok());
        assert!(decide(r#"{"warnings":{},"error":"w","code":"MSG-0043","category":13}"#).is_ok());
        // Warnings beside an error, and nothing done.
        assert!(decide(r#"{"warnings":[{"error":"w","category":3}],"error":"w","category":3}"#).is_err());
    }

    #[test]
    fn too_long_fields_are_named() {
        let error = decide(
            r#"{"error":"too long","code":"CON-0154","category":12,"truncated":[502],
               "problematic":[{"id":502,"length":200,"max_size":128},{"name":"x"}]}"#,
        )
        .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated);
        assert_eq!(
            error.too_long(),
            [TooLong {
                column: 502,
                max_size: Some(128)
            }]
        );
        let error =
            decide(r#"{"error":"too long","code":"TSK-0041","category":12,"truncated":[200,"203"]}"#).unwrap_err();
        assert_eq!(
            error.too_long().iter().map(|field| field.column).collect::<Vec<_>>(),
            [200, 203]
        );
    }

    #[test]
    fn html_callback_pages_hold_json() {
        let page = r#"<!DOCTYPE html PUBLIC "-//W3C//DTD"><html><head><script type="text/javascript">
            (parent["callback_new"] || window.opener && window.opener["callback_new"])({"data":{"id":17,"t":"<\/b>({x})"},
            "timestamp":1393842000123})
            </script></head></html>"#;
        let reply = decide(page).unwrap();
        assert_eq!(reply.data, json!({"id": 17, "t": "</b>({x})"}));
    }

    #[test]
    fn other_answers_are_garbled() {
        for body in [
            "",
            "  ",
            r#"{"data":[["1",2"#,
            "<html>Apache</html>",
            "\u{fffd}",
            "({)}",
        ] {
            let error = decide(body).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Garbled, "{body}");
        }
        // JSON, but no envelope.
        assert_eq!(decide("[1]").unwrap_err().kind, ErrorKind::Garbled);
    }

    #[test]
    fn an_envelope_that_is_cut_off_is_garbled_wherever_it_ends() {
        let envelope = r#"{"data":[["1",{"x":"({y})"}]],"timestamp":1393842000123}"#;
        for end in 0..envelope.len() {
            let error = decide(&envelope[..end]).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Garbled, "{end}");
        }
        assert!(decide(envelope).is_ok());
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), html in any::<bool>()) {
            let content_type = if html { "text/html" } else { "text/javascript" };
            let mut answer = answer(200, content_type, "");
            answer.body = Bytes::from(body);
            let _ = download(answer.clone());
            let _ = html_page_error(&answer.body, "GET x");
            let _ = json(answer).and_then(|value| read(value, "GET x"));
        }
    }

    #[test]
    fn http_status_counts_only_without_an_envelope() {
        let cases = [
            (302, ErrorKind::Configuration),
            (400, ErrorKind::Invalid),
            (403, ErrorKind::PermissionDenied),
            (404, ErrorKind::Unsupported),
            (413, ErrorKind::TooLarge),
            (429, ErrorKind::Temporary),
            (500, ErrorKind::Temporary),
            (503, ErrorKind::Temporary),
        ];
        for (status, kind) in cases {
            let error = json(answer(status, "text/html", "<html>no</html>")).unwrap_err();
            assert_eq!((error.kind, error.code()), (kind, format!("HTTP {status}").as_str()));
        }
        let value = json(answer(
            403,
            "text/html",
            r#"<html>({"error":"x","code":"SES-0203","category":4})"#,
        ))
        .unwrap();
        assert_eq!(read(value, "GET x").unwrap_err().kind, ErrorKind::Session);
    }

    #[test]
    fn downloads_that_fail_come_as_text() {
        let page = r#"<script>(parent["callback_error"])({"error":"gone","code":"MSG-0032","category":1})</script>"#;
        let error = download(answer(200, "text/html; charset=UTF-8", page)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        let error = download(answer(404, "text/html", "<html>")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        // Files that merely look like it.
        assert!(download(answer(200, "application/octet-stream", page)).is_ok());
        assert!(download(answer(200, "text/html", "<p>an \"error\" story</p>")).is_ok());
        assert!(download(answer(200, "application/json", r#"{"error":1}"#)).is_ok());
    }

    #[test]
    fn codes_are_found_in_pages() {
        let error = html_page_error(b"<h1>Mail not found (MSG-0032, 17-4)</h1>", "GET x");
        assert_eq!((error.kind, error.code()), (ErrorKind::NotFound, "MSG-0032"));
        let error = html_page_error(b"<h1>UTF-8 500 Internal-Error</h1>", "GET x");
        assert_eq!((error.kind, error.code()), (ErrorKind::Server, ""));
    }
}
