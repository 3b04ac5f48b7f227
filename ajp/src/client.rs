//! A small web server's side of AJP13: enough for tests and for a check from the command line.
//!
//! It plays mod_proxy_ajp as far as a container can notice: one request at a time, the first DATA unasked if the
//! length is known, every further one for a GET_BODY_CHUNK. It is no pool and no proxy, and it has no deadlines;
//! wrap it in a timeout.
//!
//! ```no_run
//! # async fn check() -> Result<(), ajp::client::ClientError> {
//! let mut client = ajp::client::Client::connect("127.0.0.1:8009").await?;
//! client.cping().await?;
//! let request = ajp::packet::ForwardRequest::new(http::Method::GET, "/status".parse().expect("a path"));
//! let answer = client.request(&request, b"").await?;
//! println!("{} {:?}", answer.response.status(), answer.response.body());
//! # Ok(())
//! # }
//! ```

use std::io;

use bytes::Bytes;
use bytes::BytesMut;
use http::Response;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::ToSocketAddrs;

use crate::codes::MAGIC_TO_WEB_SERVER;
use crate::decode;
use crate::decode::DecodeError;
use crate::decode::Malformed;
use crate::encode;
use crate::encode::EncodeError;
use crate::packet::BodyLength;
use crate::packet::ForwardRequest;
use crate::packet::PacketSize;
use crate::packet::ToWebServer;

/// A connection to a container.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    received: BytesMut,
    size: PacketSize,
}

/// What came back for a request.
#[derive(Debug)]
pub struct Answer {
    /// Status, headers and the whole body.
    pub response: Response<Bytes>,
    /// Whether the container leaves the connection open.
    pub reuse: bool,
    /// How many parts of the request body the container asked for.
    pub asked: usize,
    /// How many chunks the response body came in, flushes not counted.
    pub chunks: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket failed, or the container closed the connection.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The container sent something that is no packet.
    #[error("malformed packet from the container: {0}")]
    Malformed(#[from] Malformed),
    /// The container sent a packet that has no place here.
    #[error("out of turn: {0:?}")]
    OutOfTurn(ToWebServer),
    /// The request does not fit into a packet.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Client {
    /// Connects, with packets of the default size.
    pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: BytesMut::new(),
            size: PacketSize::new(PacketSize::MIN),
        })
    }

    /// Packets of another size; the container must be set to the same.
    #[must_use]
    pub fn with_packet_size(mut self, size: PacketSize) -> Self {
        self.size = size;
        self
    }

    /// Sends CPING and waits for CPONG.
    pub async fn cping(&mut self) -> Result<(), ClientError> {
        self.send(&encode::CPING).await?;
        match self.receive().await? {
            ToWebServer::CPong => Ok(()),
            other => Err(ClientError::OutOfTurn(other)),
        }
    }

    /// Sends a request and gathers the answer. The request's headers say how the body travels: with a
    /// Content-Length or chunked; without either, a body is not sent.
    pub async fn request(&mut self, request: &ForwardRequest, body: &[u8]) -> Result<Answer, ClientError> {
        let mut out = BytesMut::new();
        encode::forward_request(&mut out, request, self.size)?;
        let mut body = body;
        if matches!(BodyLength::of(&request.headers), Ok(BodyLength::Known(_))) {
            self.put_data(&mut out, &mut body);
        }
        self.send(&out).await?;
        self.answer(body).await
    }

    /// Gathers the answer to a request that has been sent, feeding it what is left of the body.
    pub async fn answer(&mut self, mut body: &[u8]) -> Result<Answer, ClientError> {
        let mut asked = 0_usize;
        let mut chunks = 0_usize;
        let mut response = None;
        let mut gathered = BytesMut::new();
        loop {
            match (self.receive().await?, &mut response) {
                (ToWebServer::GetBodyChunk(_), _) => {
                    asked = asked.saturating_add(1);
                    let mut out = BytesMut::new();
                    self.put_data(&mut out, &mut body);
                    self.send(&out).await?;
                }
                (ToWebServer::SendHeaders { status, headers, .. }, empty @ None) => {
                    let head = empty.insert(Response::new(Bytes::new()));
                    *head.status_mut() = status;
                    head.headers_mut()
                        .extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
                }
                // A flush has its place before the headers, too.
                (ToWebServer::SendBodyChunk(chunk), _) if chunk.is_empty() => {}
                (ToWebServer::SendBodyChunk(chunk), Some(_)) => {
                    chunks = chunks.saturating_add(1);
                    gathered.extend_from_slice(&chunk);
                }
                (ToWebServer::EndResponse { reuse }, response @ Some(_)) => {
                    let response = response.take().unwrap_or_default().map(|_| gathered.freeze());
                    return Ok(Answer {
                        response,
                        reuse,
                        asked,
                        chunks,
                    });
                }
                (other, _) => return Err(ClientError::OutOfTurn(other)),
            }
        }
    }

    /// Sends bytes as they are, packets or not.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Waits for the next packet.
    pub async fn receive(&mut self) -> Result<ToWebServer, ClientError> {
        loop {
            match decode::packet(MAGIC_TO_WEB_SERVER, &self.received) {
                Ok((payload, rest)) => {
                    let packet = decode::to_web_server(payload)?;
                    self.received = BytesMut::from(rest);
                    return Ok(packet);
                }
                Err(DecodeError::Malformed(malformed)) => return Err(malformed.into()),
                Err(DecodeError::Incomplete) => {}
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(ClientError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// One DATA packet with the next bytes of the body.
    fn put_data(&self, out: &mut BytesMut, body: &mut &[u8]) {
        let sent = encode::data(out, body, self.size);
        *body = body.get(sent..).unwrap_or_default();
    }
}
