//! A scripted OX server for the tests of this module: it answers as a function says, and notes what it was asked.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpListener;
use url::form_urlencoded;

use crate::ox::client::Ox;
use crate::ox::session::Session;

/// What the client asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without the prefix `/ajax/`.
    pub(super) module: String,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
}

impl Request {
    pub(super) fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(super) fn action(&self) -> &str {
        self.parameter("action")
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The call as text, for short expectations: `mail?all`, or `config/modules`.
    pub(super) fn name(&self) -> String {
        match self.action() {
            "" => self.module.clone(),
            action => format!("{}?{action}", self.module),
        }
    }
}

/// What the server answers.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn text(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
        }
    }

    pub(super) fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

impl From<Value> for Response {
    fn from(value: Value) -> Self {
        Self::text("text/javascript; charset=UTF-8", value.to_string())
    }
}

/// A running server; it ends with the test.
pub(super) struct Server {
    pub(super) url: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ajax", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted) = (Arc::new(answer), Arc::clone(&log));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                let service = service_fn(move |request| serve(request, Arc::clone(&answer), Arc::clone(&noted)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, log }
    }

    /// A server that lets Anton in and answers the rest as the function says; and Anton's session.
    pub(super) async fn with_session(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Self, Session) {
        let server = Self::start(move |request| match request.name().as_str() {
            "login?login" => logged_in(),
            _ => answer(request),
        })
        .await;
        let session = server.login().await;
        server.forget();
        (server, session)
    }

    pub(super) async fn login(&self) -> Session {
        self.ox().login("anton", &password()).await.unwrap()
    }

    pub(super) fn ox(&self) -> Ox {
        Ox::new(&self.url).unwrap()
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// The names of the calls so far.
    pub(super) fn names(&self) -> Vec<String> {
        self.requests().iter().map(Request::name).collect()
    }

    /// The one request so far.
    pub(super) fn only(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{:?}", self.names());
        requests.into_iter().next().unwrap()
    }

    pub(super) fn forget(&self) {
        self.log.lock().unwrap().clear();
    }
}

async fn serve(
    request: http::Request<Incoming>,
    answer: Arc<impl Fn(&Request) -> Response>,
    log: Arc<Mutex<Vec<Request>>>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let query = head.uri.query().unwrap_or_default();
    let request = Request {
        method: head.method.to_string(),
        module: head.uri.path().trim_start_matches("/ajax/").to_owned(),
        parameters: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    log.lock().unwrap().push(request.clone());
    let response = answer(&request);
    let mut built = http::Response::builder().status(response.status);
    for (name, value) in response.headers {
        built = built.header(name, value);
    }
    Ok(built.body(Full::new(response.body.into())).unwrap())
}

pub(super) const SESSION: &str = "8f4d0c0c8b3a4dd2a8f8b0ad41d7a1f0";

pub(super) fn password() -> SecretString {
    SecretString::from("geheim & sicher")
}

pub(super) fn logged_in() -> Response {
    Response::from(json!({"session": SESSION, "user": "anton", "user_id": 3, "context_id": 1, "locale": "de_DE"}))
        .with("set-cookie", "JSESSIONID=4711abcd.OX1; Path=/; HttpOnly")
        .with(
            "set-cookie",
            "open-xchange-secret-Yq1UuXk0a9=0a1b2c; Path=/; HttpOnly; Secure",
        )
}

pub(super) fn data(data: Value) -> Response {
    Response::from(json!({ "data": data }))
}

/// A failure with code and category.
pub(super) fn failure(code: &str, category: i64) -> Response {
    Response::from(envelope(code, category))
}

pub(super) fn envelope(code: &str, category: i64) -> Value {
    json!({"error": format!("Fehler in {SESSION}."), "error_params": [], "category": category, "code": code, "error_id": "1392-4"})
}

/// An HTML page as uploads are answered.
pub(super) fn callback_page(envelope: &Value) -> Response {
    let json = envelope.to_string().replace("</", "<\\/");
    let page = format!(
        "<!DOCTYPE html PUBLIC \"x\"><html><head><script type=\"text/javascript\">\n(parent[\"callback_x\"] || window.opener \
         && window.opener[\"callback_x\"])({json})\n</script></head></html>"
    );
    Response::text("text/html; charset=UTF-8", page)
}

/// Answers each entry of a `multiple` call by itself.
pub(super) fn each(request: &Request, answer: impl Fn(&Value) -> Value) -> Response {
    let entries = request.json();
    Response::from(Value::Array(entries.as_array().unwrap().iter().map(answer).collect()))
}
