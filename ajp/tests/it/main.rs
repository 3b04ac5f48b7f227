//! Tests of the crate from outside: the codec by known answers, the connection by its laws, the server over sockets.

mod apache;
mod behind_apache;
mod codec;
mod connection;
mod http;
mod lifetime;
mod refusals;
mod relay;
mod requests;
mod responses;
mod samples;
mod support;
mod traffic;
mod tshark;
