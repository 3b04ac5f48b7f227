//! Ports for programs that have to be told one: a web server, a database.
//!
//! Included by `#[path]` where it is needed. What asks for port 0 gets one of those that the kernel hands out to everybody;
//! given to a program that takes it a moment later, it may belong to a connection of somebody else by then. These here are
//! below that range, where nobody comes by chance, and each is drawn by lot, so that several processes seldom meet. They may
//! still: whoever starts a program makes sure that it is that program which listens, and else tries another port.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher as _;
use std::net::Ipv4Addr;
use std::net::TcpListener;

/// How often a program is started at another port before its failure is believed.
pub(crate) const ATTEMPTS: usize = 5;

/// Below this port well-known servers live.
const FIRST: u16 = 12_000;

/// The first port that the kernel hands out, where it does not say.
const HANDED_OUT: u16 = 32_768;

/// How many lots are drawn before the kernel is asked after all.
const DRAWS: usize = 100;

/// A port of this machine at which nobody listens just now.
pub(crate) fn free() -> u16 {
    let end = handed_out();
    let drawn = (0..DRAWS).filter_map(|_| draw(end));
    let mut free = drawn.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().unwrap_or_else(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        listener.and_then(|listener| listener.local_addr()).unwrap().port()
    })
}

/// A port up to `end`; none if that leaves no room.
fn draw(end: u16) -> Option<u16> {
    let room = u64::from(end.checked_sub(FIRST).filter(|room| *room > 0)?);
    let lot = RandomState::new().hash_one(0) % room;
    u16::try_from(lot).ok()?.checked_add(FIRST)
}

fn handed_out() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first = range.split_whitespace().next();
    first.and_then(|first| first.parse().ok()).unwrap_or(HANDED_OUT)
}
