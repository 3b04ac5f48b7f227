//! What can be chosen about a [`Server`](crate::Server): the secret, the size of packets, and the limits.

use std::time::Duration;

use crate::connection::Rules;
use crate::packet::PacketSize;
use crate::packet::Secret;

/// The settings of a server. Start from [`Config::default`] and change what differs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The secret that every request must carry (`secret=` of Apache's worker). Without one the server listens on
    /// loopback addresses only.
    pub secret: Option<String>,
    /// Listen on other than loopback addresses even without a secret. Whoever reaches the port can then claim to be any
    /// client; only a firewall stands in between.
    pub allow_remote_without_secret: bool,
    /// Bytes of the largest packet *sent*; brought into 8192..=65536. It must be the web server's (`iobuffersize=` of
    /// Apache's worker): more breaks every large response. Packets of any size are received.
    pub packet_size: usize,
    /// The most bytes of a request's line, headers and attributes; more is answered with 400.
    pub max_header_bytes: usize,
    /// The most headers of a request; more is answered with 400. Apache's own limit is 100.
    pub max_headers: usize,
    /// The most bytes of a request's body; a longer one is answered with 413, as soon as its Content-Length or the
    /// part that is too much has come, and nothing more of it is asked for. `None` for any number: a body is never
    /// gathered here, so this guards the handler.
    pub max_body_bytes: Option<u64>,
    /// The most connections served at once; further ones wait in the kernel's queue. Every parked request holds one,
    /// and a web server whose connection is not accepted takes us out of service, so let this be large.
    pub max_connections: usize,
    /// The longest time from the first byte of a packet to its last.
    pub packet_timeout: Duration,
    /// The longest wait for DATA that is owed, counted for each packet.
    pub body_timeout: Duration,
    /// The longest time that one write may take.
    pub write_timeout: Duration,
    /// How long a connection may stay idle between requests; `None` for ever, which is what Apache likes best.
    pub idle_timeout: Option<Duration>,
    /// How long the rest of a refused request is taken in before the connection closes.
    pub linger_timeout: Duration,
    /// How long running requests may go on after shutdown was asked for. For up to half of it, while connections from
    /// before are still at work, new ones are let in too: one that is refused takes us out of Apache's balancer.
    pub shutdown_timeout: Duration,
    /// While a handler has not answered, how often an empty chunk tells Apache that we are alive, so that its
    /// `timeout=` begins anew; `None` for never.
    pub parked_flush: Option<Duration>,
    /// After how much silence TCP asks whether the web server's machine is still there; `None` for never. It finds the
    /// connections of a machine that went without a word.
    pub tcp_keepalive: Option<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            secret: None,
            allow_remote_without_secret: false,
            packet_size: PacketSize::MIN,
            max_header_bytes: PacketSize::MAX,
            max_headers: 200,
            max_body_bytes: None,
            max_connections: 16_384,
            packet_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            idle_timeout: None,
            linger_timeout: Duration::from_secs(2),
            shutdown_timeout: Duration::from_secs(30),
            parked_flush: None,
            tcp_keepalive: Some(Duration::from_secs(60)),
        }
    }
}

impl Config {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            secret: self.secret.as_deref().map(Secret::new),
            max_header_bytes: Some(self.max_header_bytes),
            max_headers: Some(self.max_headers),
            max_body_bytes: self.max_body_bytes,
        }
    }

    pub(crate) fn size(&self) -> PacketSize {
        PacketSize::new(self.packet_size)
    }
}
