//! The socket of one connection: whole packets in, buffers out, with the deadlines for both.
//!
//! No memory is held while nothing has arrived, so that a parked connection costs a task and a socket only.

use std::io;
use std::time::Duration;

use bytes::Buf;
use bytes::Bytes;
use bytes::BytesMut;
use socket2::SockRef;
use socket2::TcpKeepalive;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::deadline::Deadline;
use crate::codes::MAGIC_TO_CONTAINER;
use crate::config::Config;
use crate::decode;
use crate::decode::DecodeError;
use crate::decode::Malformed;

/// How far the buffer grows at a time. It grows because bytes came, never because a length announced them.
const GROWTH: usize = 8192;

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

    async fn read(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            if self.received.capacity() == self.received.len() {
                self.received.reserve(GROWTH);
            }
            match self.stream.try_read_buf(&mut self.received) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(self.write_timeout, self.stream.write_all(bytes)).await?
    }

    /// Says that nothing more will be said, and takes in and drops whatever still comes until the peer closes: closing over unread bytes would reset the
    /// connection, and a reset that meets the web server still sending turns our answer into its own error.
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
