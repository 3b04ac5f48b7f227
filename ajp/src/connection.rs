//! One AJP13 connection as a state machine without I/O: payloads in, events out.
//!
//! Its one subtle duty is the count of *owed* DATA packets. DATA has no message type; only this count tells it from
//! the next request. A server that gets it wrong reads the bytes of a stranger's upload as a request, which is the
//! classic hole of AJP13 back ends. So the count lives here, next to nothing else, and whatever comes unasked ends
//! the connection.
//!
//! It reads and writes nothing: [`crate::server`] moves the bytes. Implements "Apache JServ Protocol version 1.3"
//! (AJPv13, Apache Tomcat Connectors), with mod_proxy_ajp's habit that exactly one DATA packet follows a request with
//! a Content-Length unasked, and none follows any other request.

use bytes::Bytes;
use http::StatusCode;

use crate::codes::message;
use crate::decode;
use crate::decode::Malformed;
use crate::packet::BodyLength;
use crate::packet::ForwardRequest;
use crate::packet::Secret;
use crate::packet::ToContainer;

/// What a connection demands of every request.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The secret that every request must carry.
    pub secret: Option<Secret>,
    /// The most bytes of a FORWARD_REQUEST; `None` for as many as a packet holds.
    pub max_header_bytes: Option<usize>,
    /// The most headers of a request; `None` for as many as a packet holds.
    pub max_headers: Option<usize>,
    /// The most bytes of a request's body; `None` for any number.
    pub max_body_bytes: Option<u64>,
}

/// What a received packet means.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// Answer CPONG.
    CPing,
    /// A request begins. Its body, if any, is fetched by [`Connection::next_body`].
    Request(Box<ForwardRequest>, BodyLength),
    /// A part of the body of the request in work, at least one byte.
    Body(Bytes),
    /// The body of the request in work is over, and complete.
    BodyEnd,
    /// The body of the request in work is over, but bytes are missing.
    BodyTruncated,
    /// The body of the request that begins, or is in work, is longer than allowed. No more of it can be had; answer 413
    /// as to any request, and the connection may be used again.
    BodyTooLarge,
    /// DATA that belonged to an answered request, now taken off the connection.
    Dropped,
    /// Answer the refusal's status with END_RESPONSE reuse=0, let the rest run out, and close.
    Refuse(Refusal),
    /// Close without an answer.
    Close(Violation),
}

/// Why a request is answered by the connection itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The packet cannot be understood.
    #[error("malformed packet: {0}")]
    Malformed(#[from] Malformed),
    /// The secret is missing or wrong.
    #[error("missing or wrong secret; the web server must send the one of this port (secret= of Apache's worker)")]
    Secret,
    /// More header bytes or headers than allowed.
    #[error("more header bytes or headers than allowed")]
    HeaderLimit,
    /// More body than Content-Length announced.
    #[error("more body than Content-Length announced")]
    BodyTooLong,
}

impl Refusal {
    /// The status that the client is told.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Secret => StatusCode::FORBIDDEN,
            Self::Malformed(_) | Self::HeaderLimit | Self::BodyTooLong => StatusCode::BAD_REQUEST,
        }
    }
}

/// Why a connection ends without an answer. Apache does none of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A packet that nobody was waiting for.
    #[error("a packet that was not asked for")]
    Unasked,
    /// SHUTDOWN, or the ping of AJP14. They stop nothing but their own connection.
    #[error("a SHUTDOWN or PING packet")]
    Shutdown,
    /// A packet that cannot be understood, where no request is there to be answered.
    #[error("malformed packet: {0}")]
    Malformed(#[from] Malformed),
}

/// How the next part of a body comes; the answer of [`Connection::next_body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextBody {
    /// Send GET_BODY_CHUNK, then wait. The packet is already counted as owed.
    Ask,
    /// A DATA packet is on its way; wait.
    Wait,
    /// The body is complete.
    End,
    /// The body ended before its Content-Length.
    Truncated,
}

/// The state of one connection.
///
/// ```text
///              FORWARD_REQUEST                       END_RESPONSE, owed = 0
///     Idle ──────────────────────────► Open ───────────────────────────────────► Idle
///     ▲  │ CPING                       │  ▲ DATA: owed − 1
///     │  └─► CPONG, Idle               │  └ GET_BODY_CHUNK: owed + 1
///     │                                │
///     │  DATA: owed − 1, until 0       │ END_RESPONSE, owed > 0
///     └──────────────── Draining ◄─────┘
///
///     from any state, by anything else: Closed
/// ```
#[derive(Debug)]
pub struct Connection {
    rules: Rules,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Idle,
    Open { owed: u32, body: Remaining },
    Draining { owed: u32 },
    Closed,
}

/// What is still to come of the body of the request in work.
#[derive(Debug, Clone, Copy)]
enum Remaining {
    Bytes(u64),
    /// It may be as long as this.
    Unknown {
        allowed: Option<u64>,
    },
    Nothing,
    Missing,
}

impl Connection {
    /// A connection on which nothing has been said.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::Idle,
        }
    }

    /// How many DATA packets the web server will still send.
    pub fn owed(&self) -> u32 {
        match self.state {
            State::Open { owed, .. } | State::Draining { owed } => owed,
            State::Idle | State::Closed => 0,
        }
    }

    /// Takes the payload of one packet.
    pub fn receive(&mut self, payload: Bytes) -> Event {
        let (state, event) = match self.state {
            State::Idle => self.between_requests(&payload),
            State::Open { owed: 0, .. } | State::Closed => (State::Closed, Event::Close(Violation::Unasked)),
            State::Open { owed, body } => body_part(owed.saturating_sub(1), body, payload),
            State::Draining { owed } => drop_data(owed.saturating_sub(1), payload),
        };
        self.state = state;
        event
    }

    /// The request's handler wants more body. It is asked for only if none is on its way.
    pub fn next_body(&mut self) -> NextBody {
        let State::Open { owed, body } = &mut self.state else {
            return NextBody::Truncated;
        };
        match body {
            Remaining::Nothing => NextBody::End,
            Remaining::Missing => NextBody::Truncated,
            Remaining::Bytes(_) | Remaining::Unknown { .. } if *owed > 0 => NextBody::Wait,
            Remaining::Bytes(_) | Remaining::Unknown { .. } => {
                *owed = owed.saturating_add(1);
                NextBody::Ask
            }
        }
    }

    /// END_RESPONSE has been written. With `reuse`, what is still owed is taken off before the next request.
    pub fn end_response(&mut self, reuse: bool) {
        self.state = match self.state {
            State::Open { owed: 0, .. } if reuse => State::Idle,
            State::Open { owed, .. } if reuse => State::Draining { owed },
            _ => State::Closed,
        };
    }

    fn between_requests(&self, payload: &[u8]) -> (State, Event) {
        match decode::to_container(payload) {
            Ok(ToContainer::CPing) => (State::Idle, Event::CPing),
            Ok(ToContainer::ForwardRequest(request)) => self.open(request, payload.len()),
            Ok(ToContainer::Shutdown | ToContainer::Ping) => (State::Closed, Event::Close(Violation::Shutdown)),
            // A request that cannot be read still has somebody waiting for its answer.
            Err(malformed) if payload.first() == Some(&message::FORWARD_REQUEST) => refuse(malformed.into()),
            Err(malformed) => (State::Closed, Event::Close(malformed.into())),
        }
    }

    /// The secret comes before everything else that could be said about a request.
    fn open(&self, request: Box<ForwardRequest>, bytes: usize) -> (State, Event) {
        if self.rules.secret.as_ref().is_some_and(|secret| !request.knows(secret)) {
            return refuse(Refusal::Secret);
        }
        let too_large = self.rules.max_header_bytes.is_some_and(|most| bytes > most);
        if too_large || self.rules.max_headers.is_some_and(|most| request.headers.len() > most) {
            return refuse(Refusal::HeaderLimit);
        }
        let (owed, body, length) = match BodyLength::of(&request.headers) {
            Ok(length @ BodyLength::Empty) => (0, Remaining::Nothing, length),
            Ok(BodyLength::Known(bytes)) if self.rules.max_body_bytes.is_some_and(|most| bytes > most) => {
                return body_too_large(1);
            }
            Ok(length @ BodyLength::Known(bytes)) => (1, Remaining::Bytes(bytes), length),
            Ok(length @ BodyLength::Chunked) => {
                let allowed = self.rules.max_body_bytes;
                (0, Remaining::Unknown { allowed }, length)
            }
            Err(malformed) => return refuse(malformed.into()),
        };
        (State::Open { owed, body }, Event::Request(request, length))
    }
}

/// DATA for the request in work.
fn body_part(owed: u32, body: Remaining, payload: Bytes) -> (State, Event) {
    let data = match decode::data(payload) {
        Ok(data) => data,
        Err(malformed) => return refuse(malformed.into()),
    };
    let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
    let (body, event) = match body {
        Remaining::Bytes(_) if data.is_empty() => (Remaining::Missing, Event::BodyTruncated),
        Remaining::Bytes(left) => match left.checked_sub(length) {
            Some(0) => (Remaining::Nothing, Event::Body(data)),
            Some(left) => (Remaining::Bytes(left), Event::Body(data)),
            None => return refuse(Refusal::BodyTooLong),
        },
        Remaining::Unknown { .. } if data.is_empty() => (Remaining::Nothing, Event::BodyEnd),
        Remaining::Unknown { allowed: None } => (body, Event::Body(data)),
        Remaining::Unknown { allowed: Some(most) } => match most.checked_sub(length) {
            Some(most) => (Remaining::Unknown { allowed: Some(most) }, Event::Body(data)),
            None => return body_too_large(owed),
        },
        // It was owed to a body of which no more is wanted.
        Remaining::Missing => (body, Event::Dropped),
        // Nothing is owed to a body that is over, so this packet was counted for no body at all.
        Remaining::Nothing => return (State::Closed, Event::Close(Violation::Unasked)),
    };
    (State::Open { owed, body }, event)
}

/// A body of which no more is wanted, though DATA may still be owed.
fn body_too_large(owed: u32) -> (State, Event) {
    let body = Remaining::Missing;
    (State::Open { owed, body }, Event::BodyTooLarge)
}

/// DATA for a request that has been answered.
fn drop_data(owed: u32, payload: Bytes) -> (State, Event) {
    match decode::data(payload) {
        Ok(_) if owed == 0 => (State::Idle, Event::Dropped),
        Ok(_) => (State::Draining { owed }, Event::Dropped),
        Err(malformed) => (State::Closed, Event::Close(malformed.into())),
    }
}

fn refuse(refusal: Refusal) -> (State, Event) {
    (State::Closed, Event::Refuse(refusal))
}
