//! The socket of one connection: whole packets in, buffers out, with the deadlines for both.
//!
//! No memory is held while nothing has arrived, so that a parked connection costs a task and a socket only.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use bytes::Buf;
use bytes::Bytes;
use bytes::BytesMut;
use socket2::SockRef;
use socket2::TcpKeepalive;
use tokio::io::AsyncRead;
use tokio::io::AsyncWriteExt;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::deadline::Deadline;
use crate::codes::MAGIC_TO_CONTAINER;
use crate::config::Config;
use crate::decode;
use crate::decode::DecodeError;
use crate::decode::Malformed;

/// The most bytes taken at a time. Buffers grow because bytes came, never because a length announced them.
const READ_SIZE: usize = 16 * 1024;

pub(super) struct Link {
    stream: TcpStream,
    received: BytesMut,
    /// When the packet that has begun to arrive must be complete.
    packet_deadline: Option<Deadline>,
    packet_timeout: Duration,
    write_timeout: Duration,
}

impl Link {
    pub(super) fn new(stream: TcpStream, config: &Config) -> Self {
        // A response is one write; waiting for more to send would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            log::debug!("AJP: TCP_NODELAY: {error}");
        }
        if let Some(silence) = config.tcp_keepalive {
            let asking = TcpKeepalive::new().with_time(silence);
            if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&asking) {
                log::debug!("AJP: TCP keep-alive: {error}");
            }
        }
        Self {
            stream,
            received: BytesMut::new(),
            packet_deadline: None,
            packet_timeout: config.packet_timeout,
            write_timeout: config.write_timeout,
        }
    }

    /// Whether bytes have arrived that no packet has been made of.
    pub(super) fn has_bytes(&self) -> bool {
        !self.received.is_empty()
    }

    /// The payload of the next packet, if all of it has arrived.
    pub(super) fn take_packet(&mut self) -> Result<Option<Bytes>, Malformed> {
        let (head, payload) = match decode::packet(MAGIC_TO_CONTAINER, &self.received) {
            Ok((payload, rest)) => {
                let whole = self.received.len().saturating_sub(rest.len());
                (whole.saturating_sub(payload.len()), whole)
            }
            Err(DecodeError::Incomplete) => return Ok(None),
            Err(DecodeError::Malformed(malformed)) => return Err(malformed),
        };
        let mut packet = self.received.split_to(payload).freeze();
        packet.advance(head);
        self.packet_deadline = None;
        if self.received.is_empty() {
            self.received = BytesMut::new();
        }
        Ok(Some(packet))
    }

    /// Waits for more bytes. An error also at the end of the stream, and when a packet is not complete in time.
    ///
    /// May be dropped and called again without loss.
    pub(super) async fn fill(&mut self) -> io::Result<()> {
        if self.received.is_empty() {
            return self.read().await;
        }
        let timeout = self.packet_timeout;
        let deadline = *self.packet_deadline.get_or_insert_with(|| Deadline::after(timeout));
        tokio::select! {
            read = self.read() => read,
            () = deadline.passed() => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Reads by way of the stack, so that a connection holds the bytes that came and no room for more. A read that does
    /// not fill the space there also tells tokio that nothing is left, which saves asking the kernel again.
    async fn read(&mut self) -> io::Result<()> {
        poll_fn(|cx| {
            let mut space = [MaybeUninit::uninit(); READ_SIZE];
            let mut read = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.received.extend_from_slice(read.filled());
            Poll::Ready(Ok(()))
        })
        .await
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(self.write_timeout, self.stream.write_all(bytes)).await?
    }

    /// Says that nothing more will be said, and takes in and drops whatever still comes until the peer closes: closing
    /// over unread bytes would reset the connection, and a reset that meets the web server still sending turns our
    /// answer into its own error.
    pub(super) async fn linger(mut self, most: Duration) {
        let run_out = async {
            if self.stream.shutdown().await.is_err() {
                return;
            }
            while self.read().await.is_ok() {
                self.received.clear();
            }
        };
        // Whether the peer closed or the time ran out, there is nothing left to do.
        let _ = timeout(most, run_out).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What is configured is what the kernel has.
    #[tokio::test]
    async fn a_silent_peer_is_asked_whether_it_lives() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for silence in [None, Some(Duration::from_secs(45))] {
            let (_peer, accepted) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
            let config = Config {
                tcp_keepalive: silence,
                ..Config::default()
            };
            let link = Link::new(accepted.unwrap().0, &config);
            let socket = SockRef::from(&link.stream);
            let asked_after = socket
                .keepalive()
                .unwrap()
                .then(|| socket.tcp_keepalive_time().unwrap());
            assert_eq!(asked_after, silence);
        }
    }
}
