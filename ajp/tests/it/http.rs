//! A small HTTP/1.1 client for the requests that go through Apache: it writes what it is told and reads one response.

use std::net::SocketAddr;

use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufStream;
use tokio::net::TcpStream;

use crate::support::soon;

pub(crate) struct Http(BufStream<TcpStream>);

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The lines after the first, as they came.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The value of the first header with this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.iter().filter_map(|line| line.split_once(": "));
        lines
            .filter(|row| row.0.eq_ignore_ascii_case(name))
            .map(|row| row.1)
            .next()
    }
}

impl Http {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("Apache listens");
        stream.set_nodelay(true).expect("a socket");
        Self(BufStream::new(stream))
    }

    /// Sends a request line, further header lines and a body as they are.
    pub(crate) async fn send(&mut self, line: &str, headers: &str, body: &[u8]) {
        let head = format!("{line} HTTP/1.1\r\nHost: mail.example.com\r\n{headers}\r\n");
        self.raw(head.as_bytes()).await;
        self.raw(body).await;
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        // A server that has answered already need not take the rest.
        let _ = self.0.write_all(bytes).await;
        let _ = self.0.flush().await;
    }

    /// Sends a body with its length and reads the answer.
    pub(crate) async fn post(&mut self, target: &str, body: &[u8]) -> Answer {
        let headers = format!("Content-Length: {}\r\n", body.len());
        self.send(&format!("POST {target}"), &headers, body).await;
        self.answer(false).await.expect("an answer")
    }

    /// Sends a body without its length, `part` bytes in each chunk, and reads the answer.
    pub(crate) async fn post_chunked(&mut self, target: &str, body: &[u8], part: usize) -> Answer {
        self.send(&format!("POST {target}"), "Transfer-Encoding: chunked\r\n", b"")
            .await;
        for chunk in body.chunks(part) {
            let head = format!("{:x}\r\n", chunk.len());
            self.raw(&[head.as_bytes(), chunk, b"\r\n"].concat()).await;
        }
        self.raw(b"0\r\n\r\n").await;
        self.answer(false).await.expect("an answer")
    }

    pub(crate) async fn get(&mut self, target: &str) -> Answer {
        self.send(&format!("GET {target}"), "", b"").await;
        self.answer(false).await.expect("an answer")
    }

    /// Reads one response; `None` if it does not come or breaks off.
    pub(crate) async fn answer(&mut self, is_head: bool) -> Option<Answer> {
        soon("answer", self.read_answer(is_head)).await
    }

    async fn read_answer(&mut self, is_head: bool) -> Option<Answer> {
        let first = self.line().await?;
        let status = first.get(9..12)?.parse().ok()?;
        let mut answer = Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            match self.line().await? {
                line if line.is_empty() => break,
                line => answer.headers.push(line),
            }
        }
        if status == 100 {
            return Box::pin(self.read_answer(is_head)).await;
        }
        if is_head || status == 204 || status == 304 {
            return Some(answer);
        }
        if let Some(length) = answer.header("content-length") {
            answer.body.resize(length.parse().ok()?, 0);
            self.0.read_exact(&mut answer.body).await.ok()?;
            return Some(answer);
        }
        if answer.header("transfer-encoding").is_none() {
            self.0.read_to_end(&mut answer.body).await.ok()?;
            return Some(answer);
        }
        loop {
            let length = usize::from_str_radix(&self.line().await?, 16).ok()?;
            let start = answer.body.len();
            answer.body.resize(start + length, 0);
            self.0.read_exact(&mut answer.body[start..]).await.ok()?;
            self.line().await?;
            if length == 0 {
                return Some(answer);
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let length = self.0.read_until(b'\n', &mut line).await.ok()?;
        line.ends_with(b"\r\n").then_some(())?;
        line.truncate(length - 2);
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}
