//! HTTP/1.1 as phones speak it: one request, its answer, over a plain connection.
//!
//! Small on purpose: no redirects, no pools, no TLS. A [`Door`] is any way to reach the gateway; [`HttpDoor`] is the plain
//! one, which is also what a web server in front looks like.

use std::collections::VecDeque;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use super::strict;

/// An answer must come within this time; longer waits are the business of heartbeats, and tests have short ones.
const PATIENCE: Duration = Duration::from_secs(60);

/// The host that is asked where a request names no other.
pub(crate) const HOST: &str = "phone.test";

/// A request, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// `None`: no body and no Content-Length.
    pub(crate) body: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A way to reach the gateway. What comes back through it is checked as a strict phone would.
pub(crate) trait Door: Send + Sync {
    /// Sends a request and brings the answer as it is.
    fn carry(&self, request: &Request) -> io::Result<Answer>;

    /// The same; a panic if the answer is none that a phone may be given.
    fn exchange(&self, request: &Request) -> io::Result<Answer> {
        let answer = self.carry(request)?;
        strict::check(request, &answer);
        Ok(answer)
    }

    /// Sends a request and hangs up without reading.
    fn hang_up(&self, request: &Request) -> io::Result<()>;
}

/// Plain HTTP, with a connection for each request.
#[derive(Clone, Debug)]
pub(crate) struct HttpDoor(pub(crate) SocketAddr);

impl Door for HttpDoor {
    fn carry(&self, request: &Request) -> io::Result<Answer> {
        Connection::open(self.0)?.exchange(request)
    }

    fn hang_up(&self, request: &Request) -> io::Result<()> {
        Connection::open(self.0)?.send(request)
    }
}

/// A connection that carries one request after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    /// Requests whose answers have not come yet.
    asked: VecDeque<Request>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            received: Vec::new(),
            asked: VecDeque::new(),
        })
    }

    pub(crate) fn exchange(&mut self, request: &Request) -> io::Result<Answer> {
        self.send(request)?;
        match request.method {
            "HEAD" => self.receive_head(),
            _ => self.receive(),
        }
    }

    /// Sends the body only when told to go on. Answers whether that happened, and how the request ended.
    pub(crate) fn exchange_expecting(&mut self, request: &Request) -> io::Result<(bool, Answer)> {
        let mut head = head(request);
        head.truncate(head.len() - 2);
        head.push_str("Expect: 100-continue\r\n\r\n");
        self.stream.write_all(head.as_bytes())?;
        let answer = self.receive_head()?;
        if answer.status != 100 {
            return Ok((false, self.receive_body(answer)?));
        }
        self.stream.write_all(request.body.as_deref().unwrap_or_default())?;
        Ok((true, self.receive()?))
    }

    pub(crate) fn send(&mut self, request: &Request) -> io::Result<()> {
        let mut bytes = head(request).into_bytes();
        bytes.extend(request.body.iter().flatten());
        self.asked.push_back(request.clone());
        self.stream.write_all(&bytes)
    }

    /// The next answer; a panic if it is none that a phone may be given.
    pub(crate) fn receive(&mut self) -> io::Result<Answer> {
        let answer = self.next_answer()?;
        if let Some(request) = self.asked.pop_front() {
            strict::check(&request, &answer);
        }
        Ok(answer)
    }

    fn next_answer(&mut self) -> io::Result<Answer> {
        loop {
            let answer = self.receive_head()?;
            if answer.status != 100 {
                return self.receive_body(answer);
            }
        }
    }

    fn receive_head(&mut self) -> io::Result<Answer> {
        let end = loop {
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                break end;
            }
            self.read_more()?;
        };
        let head: Vec<u8> = self.received.drain(..end + 4).collect();
        let (status, headers) = parse_head(&head)?;
        Ok(Answer::new(status, headers, Vec::new()))
    }

    fn receive_body(&mut self, mut answer: Answer) -> io::Result<Answer> {
        answer.body = match (answer.header("Content-Length"), answer.header("Transfer-Encoding")) {
            (Some(length), _) => {
                let length = length.parse().map_err(|_| malformed("Content-Length"))?;
                self.take(length)?
            }
            (None, Some("chunked")) => self.chunks()?,
            (None, _) => return Err(malformed("an answer of unknown length")),
        };
        Ok(answer)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = find(&self.received, b"\r\n") {
                    break end;
                }
                self.read_more()?;
            };
            let line = self.take(end + 2)?;
            let size = std::str::from_utf8(&line[..end])
                .ok()
                .and_then(|line| line.split(';').next());
            let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
            let size = size.ok_or_else(|| malformed("the size of a chunk"))?;
            body.extend(self.take(size)?);
            self.take(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.received.len() < length {
            self.read_more()?;
        }
        Ok(self.received.drain(..length).collect())
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.received.extend_from_slice(&buffer[..count]);
                Ok(())
            }
        }
    }
}

impl Answer {
    pub(crate) fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { status, headers, body }
    }

    /// The value of a header, by its name in any letter case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Request line and headers, with the empty line. A request without a host of its own has one.
fn head(request: &Request) -> String {
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    if !request.headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str(&format!("Host: {HOST}\r\n"));
    }
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &request.body {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text
}

fn parse_head(head: &[u8]) -> io::Result<(u16, Vec<(String, String)>)> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| malformed("the status line"))?;
    let fields = lines.filter_map(|line| line.split_once(':'));
    Ok((
        status,
        fields
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
    ))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed: {what}"))
}
