//! A container that tells what it was asked: `cargo run -p ajp --example hello -- 127.0.0.1:8009`.
//!
//! Put `ProxyPass "/hello" "ajp://127.0.0.1:8009/hello"` into Apache's configuration and ask Apache for `/hello`.
//! A body is counted, and `/hello?wait=10` answers after ten seconds unless the connection closes before.

use std::time::Duration;

use http::Request;
use http::Response;
use http_body_util::BodyExt;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8009".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let config = ajp::Config {
        secret: std::env::var("AJP_SECRET").ok(),
        ..ajp::Config::default()
    };
    let shutdown = async { drop(tokio::signal::ctrl_c().await) };
    println!("listening on {}", listener.local_addr()?);
    ajp::Server::new(config)
        .serve(listener, ajp::service_fn(hello), shutdown)
        .await
}

async fn hello(request: Request<ajp::Body>) -> Result<Response<String>, ajp::BodyError> {
    let (parts, body) = request.into_parts();
    let length = body.collect().await?.to_bytes().len();
    if let Some(seconds) = parts.uri.query().and_then(|query| query.strip_prefix("wait=")) {
        tokio::time::sleep(Duration::from_secs(seconds.parse().unwrap_or(0))).await;
    }
    let peer = parts.extensions.get::<ajp::Peer>();
    let text = format!(
        "{} {} with {length} bytes of body\n{peer:#?}\n",
        parts.method, parts.uri
    );
    Ok(Response::new(text))
}
