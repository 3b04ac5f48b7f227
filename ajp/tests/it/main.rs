//! Tests of the crate from outside: the codec by known answers, the connection by its laws, the server over sockets.

mod codec;
mod connection;
mod lifetime;
mod refusals;
mod requests;
mod responses;
mod samples;
mod support;
mod tshark;
