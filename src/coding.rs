//! Content codings: bodies that travel compressed with gzip, in both directions.
//!
//! Reads the body of a request, inflated and within a bound, and compresses that of a response where the peer asked for it
//! and it pays. gzip is the only coding here: no device is known to want another. Which bodies are worth it is told by those
//! who make them. Implements RFC 9110 "Content Codings", "Accept-Encoding" and "Content-Encoding".

use std::io;
use std::io::Write as _;
use std::pin::pin;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::HeaderValue;
use http::Response;
use http::header;
use http_body::Body;
use http_body_util::BodyExt as _;
use http_body_util::LengthLimitError;
use http_body_util::Limited;

/// The one coding that we know, as `Content-Encoding` and `Accept-Encoding` name it.
pub const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Shorter bodies fit into a packet anyway, and iOS does not get over an empty one that is compressed.
const SHORTEST: usize = 1024;

/// Stands in the extensions of a response whose body is text or a document: what is packed already does not shrink.
#[derive(Clone, Copy, Debug)]
pub struct Compressible;

/// Why a body cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("the body is too large")]
    TooLarge,
    #[error("the body is in a coding that is not known here")]
    UnknownCoding,
    #[error("the body is cut off")]
    CutOff,
    #[error("the body is not what gzip makes")]
    NotGzip,
}

/// The whole body as it was before its coding. Of one that is announced as too large nothing is read; of another, no more
/// than `largest` bytes and a part are taken, and no more than `largest` bytes are kept, however small they were on their way.
pub async fn read<B>(headers: &HeaderMap, body: B, largest: usize) -> Result<Bytes, ReadError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let is_compressed = is_compressed(headers)?;
    if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > largest) {
        return Err(ReadError::TooLarge);
    }
    let body = Limited::new(body, largest);
    match is_compressed {
        true => inflate(body, largest).await,
        false => Ok(body.collect().await.map_err(broken)?.to_bytes()),
    }
}

/// Whether the body is compressed with gzip; an error if it is something else.
fn is_compressed(headers: &HeaderMap) -> Result<bool, ReadError> {
    let mut codings = list(headers, header::CONTENT_ENCODING).filter(|coding| !coding.eq_ignore_ascii_case("identity"));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(coding), None) if is_gzip(coding) => Ok(true),
        _ => Err(ReadError::UnknownCoding),
    }
}

/// Inflates part after part, so that neither the compressed body nor what it claims to be is ever in memory as a whole.
async fn inflate<B>(body: Limited<B>, largest: usize) -> Result<Bytes, ReadError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = pin!(body);
    let mut decoder = MultiGzDecoder::new(Bounded {
        bytes: Vec::new(),
        largest,
    });
    let mut is_empty = true;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else {
            continue;
        };
        is_empty &= data.is_empty();
        decoder.write_all(&data).map_err(unreadable)?;
    }
    // Some devices announce the coding of a body that they do not send.
    if is_empty {
        return Ok(Bytes::new());
    }
    let inflated = decoder.finish().map_err(unreadable)?;
    Ok(inflated.bytes.into())
}

fn broken(error: Box<dyn std::error::Error + Send + Sync>) -> ReadError {
    match error.is::<LengthLimitError>() {
        true => ReadError::TooLarge,
        false => ReadError::CutOff,
    }
}

fn unreadable(error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::FileTooLarge => ReadError::TooLarge,
        _ => ReadError::NotGzip,
    }
}

/// Takes so many bytes, and then no more.
struct Bounded {
    bytes: Vec<u8>,
    largest: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.largest.saturating_sub(self.bytes.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a peer takes gzip: it says so by name, or by `*`, and does not weigh it with 0.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any) = (None, None);
    for item in list(headers, header::ACCEPT_ENCODING) {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        match name.trim() {
            "*" => any = Some(weight(parameters)),
            name if is_gzip(name) => gzip = Some(weight(parameters)),
            _ => {}
        }
    }
    gzip.or(any).is_some_and(|weight| weight > 0.0)
}

/// `q=0.5`; 1 where there is none, and 0 where it is no number.
fn weight(parameters: &str) -> f32 {
    let mut pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    let weight = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.map_or(1.0, |(_, weight)| weight.trim().parse().unwrap_or(0.0))
}

/// RFC 9110: "A recipient SHOULD consider 'x-gzip' to be equivalent to 'gzip'."
fn is_gzip(coding: &str) -> bool {
    coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip")
}

/// The parts of a header that is a list, though it came in several lines.
fn list(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    let parts = lines.flat_map(|line| line.split(',')).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

/// Compresses the body of a [`Compressible`] response, if that makes it shorter.
pub fn compress(response: &mut Response<Bytes>) {
    if response.extensions().get::<Compressible>().is_none() || response.body().len() <= SHORTEST {
        return;
    }
    let Some(compressed) = gzip(response.body()) else {
        return;
    };
    *response.body_mut() = compressed;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_ENCODING, GZIP);
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
}

/// The fastest level: it brings most of the gain, and the answer is needed now. `None` if nothing is gained.
fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let compressed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    match compressed {
        Ok(compressed) if compressed.len() < bytes.len() => Some(compressed.into()),
        Ok(_) => None,
        Err(error) => {
            log::error!("an answer cannot be compressed: {error}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use proptest::prelude::*;

    use super::*;

    fn headers(name: header::HeaderName, lines: &[&str]) -> HeaderMap {
        let line = |line: &&str| (name.clone(), HeaderValue::from_str(line).unwrap());
        lines.iter().map(line).collect()
    }

    fn read_all(coding: &[&str], body: &[u8], largest: usize) -> Result<Bytes, ReadError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let headers = headers(header::CONTENT_ENCODING, coding);
        runtime.block_on(read(&headers, Full::new(Bytes::copy_from_slice(body)), largest))
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn who_takes_gzip() {
        // lines of Accept-Encoding, taken
        let cases: [(&[&str], bool); 13] = [
            (&[], false),
            (&[""], false),
            (&["gzip"], true),
            (&["GZIP, deflate"], true),
            (&["deflate", "x-gzip"], true),
            (&["deflate, br"], false),
            (&["gzip;q=0"], false),
            (&["gzip; q=0.001"], true),
            (&["gzip;q=0.0, *"], false),
            (&["*"], true),
            (&["*;q=0"], false),
            (&["identity, *;q=0"], false),
            (&["gzip;q=much"], false),
        ];
        for (lines, taken) in cases {
            assert_eq!(
                accepts_gzip(&headers(header::ACCEPT_ENCODING, lines)),
                taken,
                "{lines:?}"
            );
        }
    }

    #[test]
    fn what_a_body_is() {
        let gzip = gzipped(b"hello");
        let two = [gzipped(b"hel"), gzipped(b"lo")].concat();
        let hello = || Ok(Bytes::from_static(b"hello"));
        // Content-Encoding, body, what is read
        let cases = [
            ("", &b"hello"[..], hello()),
            ("identity", b"hello", hello()),
            ("gzip", &gzip, hello()),
            ("X-GZIP", &gzip, hello()),
            ("gzip", &two, hello()),
            ("gzip", b"", Ok(Bytes::new())),
            ("br", b"", Ok(Bytes::new())),
            ("br", b"hello", Err(ReadError::UnknownCoding)),
            ("gzip, gzip", &gzip, Err(ReadError::UnknownCoding)),
            ("gzip", b"hello", Err(ReadError::NotGzip)),
            ("gzip", gzip.split_at(gzip.len() - 1).0, Err(ReadError::NotGzip)),
        ];
        for (coding, body, expected) in cases {
            assert_eq!(read_all(&[coding], body, 100), expected, "{coding:?} {body:02X?}");
        }
    }

    /// The bound is on what is read and on what is kept.
    #[test]
    fn a_body_is_no_larger_than_allowed() {
        let bomb = gzipped(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert_eq!(read_all(&["gzip"], &bomb, 9_999_999), Err(ReadError::TooLarge));
        assert_eq!(read_all(&["gzip"], &bomb, 1000), Err(ReadError::TooLarge));
        assert_eq!(
            read_all(&["gzip"], &bomb, 10_000_000).map(|bytes| bytes.len()),
            Ok(10_000_000)
        );
        assert_eq!(read_all(&[], &[0; 11], 10), Err(ReadError::TooLarge));
        assert_eq!(read_all(&[], &[0; 10], 10).map(|bytes| bytes.len()), Ok(10));
    }

    #[test]
    fn what_is_compressed() {
        let long = "long ".repeat(1000);
        let short = "short".repeat(100);
        let noise: String = (0..400_u32)
            .map(|number| format!("{:x}", number.wrapping_mul(2_654_435_761)))
            .collect();
        // body, said to be worth it, compressed
        let cases = [
            (&long, true, true),
            (&long, false, false),
            (&short, true, false),
            (&String::new(), true, false),
            (&noise, true, true),
        ];
        for (body, worth, compressed) in cases {
            let mut response = Response::new(Bytes::from(body.clone()));
            if worth {
                response.extensions_mut().insert(Compressible);
            }
            compress(&mut response);
            let coding = response.headers().get(header::CONTENT_ENCODING);
            assert_eq!(coding, compressed.then_some(&GZIP), "{} bytes", body.len());
            let read = match compressed {
                true => read_all(&["gzip"], response.body(), 100_000).unwrap(),
                false => response.body().clone(),
            };
            assert_eq!(read, body.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_all(&["gzip"], &bytes, 1000);
            let headed = [&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3][..], &bytes].concat();
            let _ = read_all(&["gzip"], &headed, 1000);
        }

        #[test]
        fn both_ways(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(read_all(&["gzip"], &gzipped(&bytes), 3000), Ok(Bytes::from(bytes)));
        }
    }
}
