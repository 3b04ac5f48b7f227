//! A small blocking client: one connection a request, cookies kept as the documents ask, nothing clever.

use ox_standin::Builder;
use ox_standin::Running;
use ox_standin::Standin;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

pub(crate) const AGENT: &str = "Open-Xchange USM HTTP Client";
/// The moment at which most transcripts play: 2023-11-14 22:13:20 UTC.
pub(crate) const NOW: i64 = 1_700_000_000_000;

/// A server with a stopped clock, and anton logged in.
pub(crate) struct House {
    pub(crate) standin: Standin,
    pub(crate) running: Running,
    pub(crate) anton: Client,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Standin::builder())
    }

    pub(crate) fn with(builder: Builder) -> Self {
        let standin = builder.now(NOW).build();
        let running = standin.start("127.0.0.1:0").expect("a free port");
        let anton = Client::login(&running, "anton");
        Self {
            standin,
            running,
            anton,
        }
    }

    /// Moves the clock on and answers the time.
    pub(crate) fn later(&self, ms: i64) -> i64 {
        self.standin.clock().advance(ms);
        self.standin.clock().now()
    }
}

/// A client with or without a session.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    pub(crate) agent: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) session: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// A whole response.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The JSON inside a callback page.
    pub(crate) fn callback(&self, action: &str) -> Value {
        let text = self.text();
        let start = text
            .find(&format!("window.opener[\"callback_{action}\"])("))
            .expect("a callback page");
        let rest = &text[start..];
        let json = &rest[rest.find("({").expect("an object") + 1..rest.rfind("})").expect("its end") + 1];
        serde_json::from_str(json).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Client {
    pub(crate) fn new(running: &Running) -> Self {
        Self {
            address: running.address(),
            agent: AGENT.to_owned(),
            cookies: BTreeMap::new(),
            session: String::new(),
            headers: Vec::new(),
        }
    }

    /// A client that has logged in with the password `secret`.
    pub(crate) fn login(running: &Running, name: &str) -> Self {
        let mut client = Self::new(running);
        let answer = client
            .try_login(&format!("name={name}&password=secret&client=USM-EAS&version=1.0"))
            .json();
        client.session = answer["session"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned();
        client
    }

    pub(crate) fn try_login(&mut self, form: &str) -> Reply {
        let form_type = "application/x-www-form-urlencoded";
        let reply = self
            .send("POST", "login?action=login", form_type, form.as_bytes())
            .expect("an answer");
        let cookies = reply.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        for (name, value) in cookies.filter_map(|cookie| cookie.split(';').next()?.split_once('=')) {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        reply
    }

    /// GET of `module?action=…` with the session added.
    pub(crate) fn get(&self, call: &str) -> Value {
        self.fetch(call).json()
    }

    pub(crate) fn fetch(&self, call: &str) -> Reply {
        self.send("GET", &self.with_session(call), "", b"").expect("an answer")
    }

    pub(crate) fn put(&self, call: &str, body: Value) -> Value {
        self.put_bytes(call, body.to_string().as_bytes()).json()
    }

    pub(crate) fn put_bytes(&self, call: &str, body: &[u8]) -> Reply {
        self.send("PUT", &self.with_session(call), "text/javascript; charset=UTF-8", body)
            .expect("an answer")
    }

    /// POST of an upload: name, file name, content type, content of each part.
    pub(crate) fn upload(&self, call: &str, parts: &[(&str, Option<&str>, &str, &[u8])]) -> Reply {
        let mut body = Vec::new();
        for (name, file, content_type, content) in parts {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            let head = format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nContent-Type: {content_type}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--x--\r\n");
        let content_type = "multipart/form-data; boundary=x";
        self.send("POST", &self.with_session(call), content_type, &body)
            .expect("an answer")
    }

    fn with_session(&self, call: &str) -> String {
        let joint = if call.contains('?') { '&' } else { '?' };
        format!("{call}{joint}session={}", self.session)
    }

    /// One request on a connection of its own. The error of a lost connection is the caller's to look at.
    pub(crate) fn send(&self, method: &str, call: &str, content_type: &str, body: &[u8]) -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let path = if call.starts_with('/') {
            call.to_owned()
        } else {
            format!("/ajax/{call}")
        };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: {}\r\n",
            self.agent
        );
        if !cookies.is_empty() {
            head += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        if !content_type.is_empty() {
            head += &format!("Content-Type: {content_type}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let split = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let split = split.ok_or_else(|| std::io::Error::other("no response"))?;
        let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        Ok(Reply {
            status,
            head,
            body: bytes[split + 4..].to_vec(),
        })
    }
}

/// `code` and `category` of an answer.
pub(crate) fn error(answer: &Value) -> (String, i64) {
    let code = answer["code"]
        .as_str()
        .unwrap_or_else(|| panic!("no error: {answer}"))
        .to_owned();
    (code, answer["category"].as_i64().unwrap_or(0))
}

/// The error expected in assertions.
pub(crate) fn coded(code: &str, category: i64) -> (String, i64) {
    (code.to_owned(), category)
}
