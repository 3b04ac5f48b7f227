//! From an HTTP request to a call, and from its answer to an HTTP response.
//!
//! Implements "Low level protocol" of the OX HTTP API: status 200 with an envelope for nearly everything, pages with a
//! callback for uploads, binary bodies for downloads whose errors are pages. Faults on request happen here.

use crate::call::Answer;
use crate::call::Body;
use crate::call::Call;
use crate::call::Method;
use crate::calls::LoggedCall;
use crate::calls::label;
use crate::envelope;
use crate::error::BAD_REQUEST;
use crate::error::OxError;
use crate::error::SESSION_EXPIRED;
use crate::fault::Fault;
use crate::modules;
use crate::multipart;
use crate::multiple;
use crate::profile::Profile;
use crate::session;
use crate::session::Caller;
use crate::whims;
use crate::world::World;
use crate::zone::Zone;
use bytes::Bytes;
use http::HeaderMap;
use http::Response;
use http::StatusCode;
use http::header;
use serde_json::Value;
use std::collections::BTreeMap;
use url::form_urlencoded;

/// Content type of nearly all answers.
const JAVASCRIPT: &str = "text/javascript; charset=UTF-8";
const HTML: &str = "text/html; charset=UTF-8";
/// The agent for which some errors are written differently.
const USM_AGENT: &str = "Open-Xchange USM HTTP Client";
/// Agents that the rate limiter lets pass.
const LENIENT_AGENTS: &[&str] = &[
    "Open-Xchange .NET HTTP Client",
    "Open-Xchange USM HTTP Client",
    "Jakarta Commons-HttpClient",
];
/// Window of the rate limiter.
const RATE_WINDOW: i64 = 300_000;
/// Tests pretend another source address by this header.
const ADDRESS_HEADER: &str = "x-standin-address";

/// A request with its body read.
#[derive(Debug)]
pub(crate) struct Incoming {
    method: http::Method,
    /// Below the prefix.
    module: String,
    query: BTreeMap<String, String>,
    caller: Caller,
    content_type: String,
    accept: Option<String>,
    body: Bytes,
}

/// A response ready to be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(header::HeaderName, String)>,
    pub(crate) body: Bytes,
    /// `code` of the envelope, for the log.
    pub(crate) code: Option<String>,
}

impl Incoming {
    /// Takes a request apart; `module` is its path below the prefix.
    pub(crate) fn new(parts: &http::request::Parts, module: &str, address: &str, body: Bytes) -> Self {
        let text = |name: header::HeaderName| header_text(&parts.headers, &name);
        let address = parts
            .headers
            .get(ADDRESS_HEADER)
            .and_then(|value| value.to_str().ok())
            .unwrap_or(address);
        let caller = Caller {
            user_agent: text(header::USER_AGENT).unwrap_or_default(),
            cookies: cookies(&parts.headers),
            address: address.to_owned(),
        };
        Self {
            method: parts.method.clone(),
            module: percent_decoded(module),
            query: parameters(parts.uri.query().unwrap_or("").as_bytes()),
            caller,
            content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
            accept: text(header::ACCEPT),
            body,
        }
    }

    fn action(&self) -> &str {
        self.query.get("action").map_or("", String::as_str)
    }

    fn session(&self) -> Option<&str> {
        self.query.get("session").map(String::as_str)
    }

    /// Whether the client takes JSON: no Accept at all, or one that names it with full weight.
    fn takes_json(&self) -> bool {
        let Some(accept) = &self.accept else { return true };
        accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let json = matches!(parts.next(), Some("*/*" | "application/json" | "text/javascript"));
            json && !parts.any(|parameter| parameter.starts_with("q=0"))
        })
    }

    fn is_upload(&self) -> bool {
        self.content_type.to_ascii_lowercase().starts_with("multipart/")
    }

    /// Calls that answer with bytes, and with a page when they fail.
    fn is_download(&self) -> bool {
        let set = |key: &str| matches!(self.query.get(key).map(String::as_str), Some("1" | "true"));
        match (self.module.as_str(), self.action()) {
            ("mail" | "attachment", "attachment" | "document") => true,
            ("mail", "get") => set("src") && set("save"),
            (module, _) => modules::root_of(module) == "image",
        }
    }

    /// A login in which nobody logs in: any answer shows that somebody is there.
    fn is_sign_of_life(&self) -> bool {
        self.module == "login" && self.action() == "login" && self.body.is_empty() && !self.query.contains_key("name")
    }

    fn log_line(&self, outgoing: Option<&Outgoing>) -> LoggedCall {
        LoggedCall {
            call: label(&self.module, self.action()),
            parameters: multiple::parameters_text(&self.query),
            status: outgoing.map_or(0, |outgoing| outgoing.status.as_u16()),
            code: outgoing.and_then(|outgoing| outgoing.code.clone()),
        }
    }
}

/// Counts a request and finds the fault that waits for it. A gateway looks for signs of life whenever it likes, so that those
/// neither count nor take the fault of another.
pub(crate) fn announce(world: &mut World, incoming: &Incoming) -> Option<Fault> {
    if incoming.is_sign_of_life() {
        return None;
    }
    world.calls.requests += 1;
    world.calls.count(&incoming.module, incoming.action());
    world.faults.take(&incoming.module, incoming.action())
}

/// Answers a request under the fault that waited for it. `None`: the connection is reset.
pub(crate) fn answer(world: &mut World, incoming: &Incoming, fault: Option<Fault>) -> Option<Outgoing> {
    let outgoing = match fault {
        Some(fault) => under_fault(world, incoming, fault),
        None => {
            let (outgoing, entry_fault) = carry_out(world, incoming, None);
            match entry_fault {
                Some(fault) => spoil(world, incoming, outgoing, fault),
                None => Some(outgoing),
            }
        }
    };
    let line = incoming.log_line(outgoing.as_ref());
    world.calls.note(line);
    outgoing
}

/// Faults that come before the call; the others are carried out first.
fn under_fault(world: &mut World, incoming: &Incoming, fault: Fault) -> Option<Outgoing> {
    match fault {
        Fault::LoseAnswer
        | Fault::Silence
        | Fault::TruncatedJson
        | Fault::LeadingBlank
        | Fault::Delay(_)
        | Fault::Hold { .. } => {
            let (outgoing, _) = carry_out(world, incoming, None);
            spoil(world, incoming, outgoing, fault)
        }
        Fault::Warning { code, category } => {
            let warning = OxError::new(code, category, "A fault on request.");
            Some(carry_out(world, incoming, Some(warning)).0)
        }
        Fault::Error { code, category } => Some(failure(
            world.profile(),
            incoming,
            &OxError::new(code, category, "A fault on request."),
        )),
        other => {
            let nothing = Outgoing::json(&Value::Null);
            spoil(world, incoming, nothing, other)
        }
    }
}

/// What a fault makes of a finished answer.
fn spoil(world: &mut World, incoming: &Incoming, outgoing: Outgoing, fault: Fault) -> Option<Outgoing> {
    match fault {
        Fault::Reset | Fault::LoseAnswer | Fault::Silence | Fault::Timeout => None,
        Fault::Status(status) => Some(Outgoing::page(status, "Error", "A fault on request.")),
        Fault::RateLimited(seconds) => Some(rate_limited(seconds)),
        Fault::HtmlPage => Some(Outgoing::page(200, "Error", "A fault on request.")),
        Fault::TruncatedJson => {
            let half = outgoing.body.len() / 2;
            Some(Outgoing {
                body: outgoing.body.slice(..half),
                ..outgoing
            })
        }
        Fault::LeadingBlank => {
            let mut body = b"   \n".to_vec();
            body.extend_from_slice(&outgoing.body);
            Some(Outgoing {
                body: body.into(),
                ..outgoing
            })
        }
        Fault::SessionExpired => {
            if let Some(session) = incoming.session() {
                world.sessions.end(session);
            }
            Some(failure(world.profile(), incoming, &SESSION_EXPIRED.into()))
        }
        Fault::Delay(_) | Fault::Hold { .. } | Fault::Error { .. } | Fault::Warning { .. } => Some(outgoing),
    }
}

/// The normal way, with the fault of the connection that an entry of `multiple` may have met.
fn carry_out(world: &mut World, incoming: &Incoming, warning: Option<OxError>) -> (Outgoing, Option<Fault>) {
    let profile = world.profile();
    if let Some(refused) = refused(world, incoming) {
        return (refused, None);
    }
    if incoming.module == "login" {
        return (login(world, incoming), None);
    }
    let user = match session::check(world, &incoming.caller, incoming.session()) {
        Ok(user) => user,
        Err(error) if incoming.takes_json() => return (failure(profile, incoming, &error), None),
        Err(error) => return (Outgoing::page(403, &error.code, &error.text), None),
    };
    let call = match call(world, incoming, user) {
        Ok(call) => call,
        Err(error) => return (failure(profile, incoming, &error), None),
    };
    if call.module == "multiple" {
        return match multiple::run(world, &call) {
            Ok(outcome) => (Outgoing::json(&outcome.answers), outcome.fault),
            Err(error) => (failure(profile, incoming, &error), None),
        };
    }
    let outgoing = match modules::dispatch(world, &call) {
        Ok(Answer::Data(mut envelope)) => {
            envelope.warnings.extend(warning);
            let code = envelope.warnings.first().map(|warning| warning.code.to_string());
            let json = whims::success(world, &call, envelope);
            let outgoing = wrapped(profile, incoming, &json);
            let content_type = match &mut world.options.whims {
                Some(whims) if outgoing.content_type == JAVASCRIPT => whims.content_type().to_owned(),
                _ => outgoing.content_type,
            };
            Outgoing {
                code,
                content_type,
                ..outgoing
            }
        }
        Ok(Answer::Bytes { content_type, bytes }) => Outgoing::new(StatusCode::OK, &content_type, bytes),
        Err(error) => failure(profile, incoming, &error),
    };
    (outgoing, None)
}

/// What is refused before anybody asks who calls: unknown paths, methods, and too many requests.
fn refused(world: &mut World, incoming: &Incoming) -> Option<Outgoing> {
    if !modules::exists(world, &incoming.module) {
        return Some(Outgoing::page(404, "Not Found", "No servlet at this path."));
    }
    if !matches!(
        incoming.method,
        http::Method::GET | http::Method::PUT | http::Method::POST
    ) {
        return Some(Outgoing::page(405, "Method Not Allowed", "GET, PUT or POST."));
    }
    let lenient = LENIENT_AGENTS
        .iter()
        .any(|agent| incoming.caller.user_agent.starts_with(agent));
    if lenient {
        return None;
    }
    let (now, limit) = (world.clock.now(), world.options.max_rate);
    let requests = world.rates.entry(incoming.caller.address.clone()).or_default();
    requests.retain(|at| now - at < RATE_WINDOW);
    requests.push(now);
    (requests.len() > limit).then(|| rate_limited(300))
}

fn rate_limited(seconds: u32) -> Outgoing {
    let mut outgoing = Outgoing::page(429, "Too Many Requests", "Too many requests from your address.");
    outgoing.headers.push((header::RETRY_AFTER, seconds.to_string()));
    outgoing
}

/// The module `login`, which has no session yet.
fn login(world: &mut World, incoming: &Incoming) -> Outgoing {
    let profile = world.profile();
    match incoming.action() {
        "login" => {
            if incoming.method != http::Method::POST && profile.refuses_url_password() {
                return Outgoing::page(405, "Method Not Allowed", "Login takes POST.");
            }
            let form = parameters(&incoming.body);
            match session::login(world, &incoming.caller, &incoming.query, &form) {
                Ok(logged_in) => {
                    let mut outgoing = Outgoing::json(&logged_in.answer);
                    outgoing
                        .headers
                        .extend(logged_in.cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
                    outgoing
                }
                Err(error) => failure(profile, incoming, &error),
            }
        }
        "logout" => {
            let Some(session) = incoming.session() else {
                return Outgoing::page(403, "Forbidden", "The session parameter is missing.");
            };
            world.sessions.end(session);
            Outgoing::new(StatusCode::OK, HTML, Bytes::new())
        }
        "store" | "refreshSecret" => match session::check(world, &incoming.caller, incoming.session()) {
            Ok(_) => Outgoing::json(&serde_json::json!({"data": "1"})),
            Err(error) => failure(profile, incoming, &error),
        },
        action => {
            let text = format!("Unknown action \"{action}\" in module \"login\"");
            failure(profile, incoming, &OxError::new(profile.unknown_action(), 8, text))
        }
    }
}

/// The request as a call.
fn call(world: &World, incoming: &Incoming, user: u32) -> Result<Call, OxError> {
    let body = if incoming.is_upload() {
        let boundary = multipart::boundary(&incoming.content_type).ok_or(BAD_REQUEST)?;
        Body::Parts(multipart::parts(&incoming.body, &boundary))
    } else if incoming.body.is_empty() {
        Body::None
    } else {
        Body::Bytes(incoming.body.clone())
    };
    let method = match incoming.method {
        http::Method::GET => Method::Get,
        http::Method::POST => Method::Post,
        _ => Method::Put,
    };
    let zone = incoming.query.get("timezone").map(|name| Zone::named_or_utc(name));
    Ok(Call {
        module: incoming.module.clone(),
        action: incoming.action().to_owned(),
        parameters: incoming.query.clone(),
        body,
        user,
        session: incoming.session().unwrap_or_default().to_owned(),
        zone: zone.unwrap_or_else(|| world.zone_of(user)),
        method,
    })
}

/// JSON in the form the request asked for: plain, in a callback page, or as a function call.
fn wrapped(profile: Profile, incoming: &Incoming, json: &Value) -> Outgoing {
    let text = json.to_string();
    let action = incoming.action();
    let plain_import = action == "import" && profile.plain_import_answer();
    let html = incoming
        .query
        .get("respondWithHTML")
        .is_some_and(|value| value == "true");
    if let Some(function) = incoming.query.get("jsonp") {
        return Outgoing::new(StatusCode::OK, JAVASCRIPT, format!("{function}({text});").into());
    }
    if (incoming.is_upload() && !plain_import) || html || incoming.query.contains_key("callback") {
        let name = incoming.query.get("callback").map_or(action, String::as_str);
        return Outgoing::new(StatusCode::OK, HTML, envelope::callback_page(name, &text).into());
    }
    Outgoing::json(json)
}

fn failure(profile: Profile, incoming: &Incoming, error: &OxError) -> Outgoing {
    let json = envelope::failure(profile, error);
    let code = Some(error.code.to_string());
    let download = incoming.is_download();
    let outgoing = if download && incoming.caller.user_agent == USM_AGENT {
        let page = envelope::callback_page(incoming.action(), &json.to_string());
        Outgoing::new(StatusCode::OK, HTML, page.into())
    } else if download {
        Outgoing::page(200, &error.code, &format!("{} \"error\"", error.text))
    } else if error.status == 429 {
        rate_limited(300)
    } else if error.status == 200 {
        wrapped(profile, incoming, &json)
    } else {
        Outgoing::page(error.status, &error.code, &error.text)
    };
    Outgoing { code, ..outgoing }
}

impl Outgoing {
    fn new(status: StatusCode, content_type: &str, body: Bytes) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            headers: Vec::new(),
            body,
            code: None,
        }
    }

    pub(crate) fn json(json: &Value) -> Self {
        Self::new(StatusCode::OK, JAVASCRIPT, json.to_string().into())
    }

    pub(crate) fn page(status: u16, title: &str, text: &str) -> Self {
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(code, HTML, envelope::error_page(title, text).into())
    }

    /// As a response of the HTTP library.
    pub(crate) fn into_response(self) -> Response<http_body_util::Full<Bytes>> {
        let mut response = Response::new(http_body_util::Full::new(self.body));
        *response.status_mut() = self.status;
        if let Ok(value) = self.content_type.parse() {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        for (name, value) in self.headers {
            if let Ok(value) = value.parse() {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

fn header_text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn cookies(headers: &HeaderMap) -> BTreeMap<String, String> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// `a=1&b=2`; of repeated names the last one counts.
pub(crate) fn parameters(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn percent_decoded(path: &str) -> String {
    // A plus sign in a path is itself; the form decoder would make it a blank.
    let encoded = format!("x={}", path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D"));
    parameters(encoded.as_bytes())
        .remove("x")
        .unwrap_or_default()
        .trim_end_matches('/')
        .to_owned()
}
