//! Tests of the crate from outside: the codec by known answers, the connection by its laws, the server over sockets.

mod codec;
mod connection;
mod samples;
