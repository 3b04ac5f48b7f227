//! The ways into a gateway that may be started again at other ports: AJP13 as a web server speaks it, and plain HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use http::HeaderName;
use http::HeaderValue;
use http::Method;

use crate::device::http::Answer;
use crate::device::http::Door;
use crate::device::http::HOST;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::device::strict;
use crate::world::DEADLINE;
use crate::world::lock;
use crate::world::runtime;

/// The options that open the doors.
pub(crate) const AJP: &str = "com.openexchange.usm.eas.ajp.listen";
pub(crate) const HTTP: &str = "com.openexchange.usm.eas.http.listen";
pub(crate) const ADMIN: &str = "com.openexchange.usm.eas.admin.listen";

/// Where the gateway listens now, by the option that opened the door.
#[derive(Debug, Default)]
pub(crate) struct Doors(Mutex<Vec<(String, SocketAddr)>>);

impl Doors {
    pub(crate) fn set(&self, doors: Vec<(String, SocketAddr)>) {
        *lock(&self.0) = doors;
    }

    pub(crate) fn of(&self, key: &str) -> SocketAddr {
        let doors = lock(&self.0);
        doors
            .iter()
            .find(|(known, _)| known == key)
            .expect("the gateway has this door")
            .1
    }
}

/// Plain HTTP, wherever the gateway listens now.
pub(crate) struct PlainDoor(pub(crate) Arc<Doors>);

impl Door for PlainDoor {
    fn carry(&self, request: &Request) -> io::Result<Answer> {
        HttpDoor(self.0.of(HTTP)).carry(request)
    }

    fn hang_up(&self, request: &Request) -> io::Result<()> {
        HttpDoor(self.0.of(HTTP)).hang_up(request)
    }
}

/// AJP13, as a web server would forward it, with a connection for each request.
pub(crate) struct AjpDoor {
    pub(crate) doors: Arc<Doors>,
    pub(crate) secret: Option<String>,
}

impl AjpDoor {
    fn forward(&self, request: &Request) -> ajp::packet::ForwardRequest {
        let method = Method::from_bytes(request.method.as_bytes()).unwrap();
        let mut forward = ajp::packet::ForwardRequest::new(method, request.target.parse().unwrap());
        let length = request
            .body
            .as_ref()
            .map(|body| ("Content-Length", body.len().to_string()));
        let names_host = request.headers.iter().any(|(name, _)| *name == "Host");
        let host = (!names_host).then(|| ("Host", HOST.to_owned()));
        for (name, value) in request.headers.iter().cloned().chain(length).chain(host) {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            forward = forward.header(name, HeaderValue::from_str(&value).unwrap());
        }
        match &self.secret {
            Some(secret) => forward.secret(secret),
            None => forward,
        }
    }
}

impl Door for AjpDoor {
    fn carry(&self, request: &Request) -> io::Result<Answer> {
        let body = request.body.as_deref().unwrap_or_default();
        runtime().block_on(async {
            let mut client = ajp::client::Client::connect(self.doors.of(AJP)).await?;
            let forward = self.forward(request);
            let exchange = client.request(&forward, body);
            let answer = tokio::time::timeout(2 * DEADLINE, exchange).await?;
            Ok(answer_of(&answer.map_err(io::Error::other)?.response))
        })
    }

    fn hang_up(&self, request: &Request) -> io::Result<()> {
        let body = request.body.as_deref().unwrap_or_default();
        let size = ajp::packet::PacketSize::new(ajp::packet::PacketSize::MIN);
        let mut packets = bytes::BytesMut::new();
        ajp::encode::forward_request(&mut packets, &self.forward(request), size).map_err(io::Error::other)?;
        let sent = ajp::encode::data(&mut packets, body, size);
        assert_eq!(sent, body.len(), "a request of one DATA packet");
        runtime().block_on(async {
            let mut client = ajp::client::Client::connect(self.doors.of(AJP)).await?;
            client.send(&packets).await
        })
    }
}

fn answer_of(response: &http::Response<bytes::Bytes>) -> Answer {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value)));
    Answer::new(response.status().as_u16(), headers.collect(), response.body().to_vec())
}

/// What a door does with every answer, for tests that speak AJP13 themselves.
pub(crate) fn check(forward: &ajp::packet::ForwardRequest, body: &[u8], response: &http::Response<bytes::Bytes>) {
    const VERSION: &str = "MS-ASProtocolVersion";
    let version = forward
        .headers
        .iter()
        .find(|(name, _)| name.as_str().eq_ignore_ascii_case(VERSION));
    let version = version.map(|(_, value)| (VERSION, String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let request = Request {
        method: if forward.method == Method::OPTIONS {
            "OPTIONS"
        } else {
            "POST"
        },
        target: forward.target.to_string(),
        // The others count by their size only.
        headers: version
            .into_iter()
            .chain([("X-Others", format!("{:?}", forward.headers))])
            .collect(),
        body: Some(body.to_vec()),
    };
    strict::check(&request, &answer_of(response));
}
