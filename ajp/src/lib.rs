//! AJP13 for the server side: stand behind Apache httpd's mod_proxy_ajp and serve [`http`] requests.
//!
//! ```no_run
//! use std::convert::Infallible;
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8009").await?;
//!     let service = ajp::service_fn(async |request: http::Request<ajp::Body>| {
//!         let client = request.extensions().get::<ajp::Peer>().map(|peer| peer.remote_addr.clone());
//!         let text = format!("{} from {}\n", request.uri(), client.unwrap_or_default());
//!         Ok::<_, Infallible>(http::Response::new(text))
//!     });
//!     let config = ajp::Config { secret: Some("s3cret".to_owned()), ..ajp::Config::default() };
//!     let shutdown = async { drop(tokio::signal::ctrl_c().await) };
//!     ajp::Server::new(config).serve(listener, service, shutdown).await
//! }
//! ```
//!
//! and in Apache's configuration:
//!
//! ```text
//! ProxyPass "/app" "ajp://127.0.0.1:8009/app" secret=s3cret
//! ```
//!
//! # What it does
//!
//! Any [`tower_service::Service`] from `http::Request<`[`Body`]`>` to `http::Response<impl http_body::Body>` can be
//! served, so the same handler can also stand behind an HTTP server.
//!
//! - The request's extensions hold a [`Peer`]: the client's address, whether it came over TLS, and the attributes.
//! - The [`Body`] is fetched when it is read. It ends complete or with a [`BodyError`], never in between.
//! - A handler runs for as long as its connection lasts. When the web server closes it, also in the middle of an
//!   hour of long polling, the handler's future is dropped at once. What must survive that, spawn as a task.
//! - A handler that fails or panics is answered with 500, and the connection lives on.
//! - A response is written at once if its body is ready; a body that makes the client wait is flushed part by part.
//!
//! # How it is built
//!
//! Bytes become packets in [`decode`], packets become bytes in [`encode`]; both work from the tables in [`codes`]
//! and the types in [`packet`]. [`connection`] knows what a packet means when it comes, and counts the DATA packets
//! that are still to come, since nothing else tells them from requests. None of these does I/O. [`server`] moves the
//! bytes and runs the handler; [`client`] is the other side, small, for tests and checks.
//!
//! # What it is not
//!
//! It is no HTTP server and no TLS: both are Apache's part. AJP trusts its peer with the client's address and
//! identity, so a [`Server`] listens beyond the loopback interface only with a secret. It does not authenticate
//! users, whatever [`Attributes::remote_user`](packet::Attributes::remote_user) says.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::arithmetic_side_effects
    )
)]
#![deny(missing_docs)]

pub mod body;
pub mod client;
pub mod codes;
pub mod config;
pub mod connection;
pub mod decode;
pub mod encode;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod packet;
pub mod server;
pub mod service;

pub use body::Body;
pub use body::BodyError;
pub use config::Config;
pub use packet::Peer;
pub use server::Server;
pub use service::service_fn;
