//! A user's session at OX, which renews itself.
//!
//! ```text
//!             login                     session error            login
//!   (closed) ------> open, generation 1 -------------> renewing ------> open, generation 2 ...
//!                                                         |
//!                                                         | credentials refused
//!                                                         v
//!                                                       dead: every further renewal fails at once
//! ```
//!
//! OX loses sessions at any time: after an hour of rest, when a node restarts, when a user ends it in the web interface. So
//! on any session error there is exactly one login, however many calls noticed at once, and each of them is repeated once.
//! Implements the API documentation, "Session management".

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use secrecy::ExposeSecret;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::ox::access::Capabilities;
use crate::ox::call::Call;
use crate::ox::client::MAX_JSON;
use crate::ox::client::Ox;
use crate::ox::cookies::Cookies;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::login;
use crate::ox::mark::Receptions;
use crate::ox::reply;
use crate::ox::reply::Answer;
use crate::ox::reply::Download;
use crate::ox::reply::Reply;
use crate::ox::settings::Settings;

/// A session. Cheap to clone; all clones are the same session.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    ox: Ox,
    name: String,
    password: SecretString,
    user_id: i64,
    context_id: i64,
    locale: String,
    calls: AtomicU64,
    current: Mutex<Current>,
    /// Held while a login is under way; holds why the last one failed.
    renewal: tokio::sync::Mutex<Option<Error>>,
    /// How many renewals have failed.
    failures: AtomicU64,
    settings: OnceCell<Arc<Settings>>,
    capabilities: OnceCell<Capabilities>,
    mark_receptions: Receptions,
}

/// What changes when a session is renewed.
#[derive(Clone)]
struct Current {
    generation: u64,
    id: SecretString,
    cookies: Cookies,
}

impl Session {
    pub(super) async fn open(ox: Ox, name: &str, password: &SecretString) -> Result<Self, Error> {
        let login = login::login(&ox, name, password).await?;
        Ok(Self(Arc::new(Inner {
            ox,
            name: name.to_owned(),
            password: password.clone(),
            user_id: login.user_id,
            context_id: login.context_id,
            locale: login.locale,
            calls: AtomicU64::new(login.calls),
            current: Mutex::new(Current {
                generation: 1,
                id: login.session,
                cookies: login.cookies,
            }),
            renewal: tokio::sync::Mutex::new(None),
            failures: AtomicU64::new(0),
            settings: OnceCell::new(),
            capabilities: OnceCell::new(),
            mark_receptions: Receptions::default(),
        })))
    }

    /// The number of the user in the context; participants and permissions refer to it.
    pub fn user_id(&self) -> i64 {
        self.0.user_id
    }

    /// The number of the context, OX's word for a client of the hoster.
    pub fn context_id(&self) -> i64 {
        self.0.context_id
    }

    /// The user's language as `de_DE`; empty if OX did not say.
    pub fn locale(&self) -> &str {
        &self.0.locale
    }

    /// The login name this session was opened with.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub fn ox(&self) -> &Ox {
        &self.0.ox
    }

    /// How many HTTP requests this session has cost so far, logins included.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// Ends the session at OX. Whoever uses a clone afterwards opens a new one by that.
    pub async fn logout(&self) -> Result<(), Error> {
        let current = self.current();
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        login::logout(&self.0.ox, current.id.expose_secret(), &current.cookies).await
    }

    /// Makes a call and decides whether it succeeded.
    pub async fn call(&self, call: &Call) -> Result<Reply, Error> {
        self.exchange(call, MAX_JSON, |answer| {
            let name = answer.call.clone();
            reply::read(reply::json(answer)?, &name)
        })
        .await
    }

    /// Makes a call whose answer has many rows, and turns each of them into something smaller while they are read. The reply
    /// has no rows any more.
    pub(super) async fn call_for_rows<T>(
        &self,
        call: &Call,
        row: impl Fn(Value) -> Option<T>,
    ) -> Result<(Vec<T>, Reply), Error> {
        self.exchange(call, MAX_JSON, |answer| {
            let name = answer.call.clone();
            let mut rows = Vec::new();
            let envelope = reply::json_rows(answer, &mut |value| rows.extend(row(value)))?;
            Ok((rows, reply::read(envelope, &name)?))
        })
        .await
    }

    /// Makes a call whose answer may be an array in place of an envelope: `multiple`.
    pub(super) async fn call_for_array(&self, call: &Call) -> Result<Vec<Value>, Error> {
        self.exchange(call, MAX_JSON, |answer| {
            let name = answer.call.clone();
            match reply::json(answer)? {
                Value::Array(answers) => Ok(answers),
                // A failing session is answered by one envelope.
                envelope => match reply::read(envelope, &name)?.data {
                    Value::Array(answers) => Ok(answers),
                    _ => Err(Error::new(ErrorKind::Garbled, name, "the answer is no array")),
                },
            }
        })
        .await
    }

    /// Downloads a file of at most `limit` bytes.
    pub async fn download(&self, call: &Call, limit: usize) -> Result<Download, Error> {
        self.exchange(call, limit, reply::download).await
    }

    pub(super) fn describe(&self, call: &Call) -> String {
        call.describe(self.0.ox.base())
    }

    pub(super) fn settings_cell(&self) -> &OnceCell<Arc<Settings>> {
        &self.0.settings
    }

    pub(super) fn capabilities_cell(&self) -> &OnceCell<Capabilities> {
        &self.0.capabilities
    }

    pub(super) fn mark_receptions(&self) -> &Receptions {
        &self.0.mark_receptions
    }

    /// One attempt, and a second one with a new session if OX does not know this one any more.
    async fn exchange<T>(
        &self,
        call: &Call,
        limit: usize,
        read: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let current = self.current();
        let generation = current.generation;
        match self.attempt(call, limit, current, &read).await {
            Err(error) if error.kind == ErrorKind::Session => {
                log::debug!("{error}; renewing the session of {}", self.0.name);
                self.renew(generation).await?;
                self.attempt(call, limit, self.current(), &read).await
            }
            outcome => outcome,
        }
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        limit: usize,
        current: Current,
        read: &impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let id = current.id.expose_secret();
        let answer = self.0.ox.send(call, Some(id), &current.cookies, limit).await?;
        self.keep(current.generation, &answer.cookies);
        read(answer).map_err(|error| error.without(id))
    }

    /// Keeps the cookies of an answer, unless the session has been renewed meanwhile.
    fn keep(&self, generation: u64, cookies: &[String]) {
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.generation == generation {
            current.cookies.take(cookies);
        }
    }

    fn current(&self) -> Current {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs in again, unless someone else has replaced the session of this generation in the meantime. Who waited for a
    /// login that failed shares its error, and after one that was refused nobody tries again.
    pub(super) async fn renew(&self, generation: u64) -> Result<(), Error> {
        let failures_before = self.0.failures.load(Ordering::Relaxed);
        let mut failure = self.0.renewal.lock().await;
        if self.generation() != generation {
            return Ok(());
        }
        let waited = self.0.failures.load(Ordering::Relaxed) != failures_before;
        if let Some(error) = failure.as_ref().filter(|error| waited || is_final(error)) {
            return Err(error.clone());
        }
        match self.login_again().await {
            Ok(login) => {
                let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
                *current = Current {
                    generation: generation + 1,
                    id: login.session,
                    cookies: login.cookies,
                };
                Ok(())
            }
            Err(error) => {
                self.0.failures.fetch_add(1, Ordering::Relaxed);
                *failure = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn login_again(&self) -> Result<login::Login, Error> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let login = login::login(&self.0.ox, &self.0.name, &self.0.password).await?;
        self.0.calls.fetch_add(login.calls.saturating_sub(1), Ordering::Relaxed);
        if (login.context_id, login.user_id) == (self.0.context_id, self.0.user_id) {
            return Ok(login);
        }
        // The user was deleted and made anew: what was read in this session is about somebody else.
        let text = format!("{} is another user now; the session cannot go on", self.0.name);
        Err(Error::new(ErrorKind::Credentials, self.0.ox.base().as_str(), text))
    }

    /// Takes the session id out of an error's text.
    pub(super) fn censor(&self, error: Error) -> Error {
        error.without(self.current().id.expose_secret())
    }

    pub(super) fn generation(&self) -> u64 {
        self.current().generation
    }
}

/// Whether a login with the same password can never succeed.
const fn is_final(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Credentials | ErrorKind::Denied)
}

/// Who it is, and no secret.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.0.name)
            .field("context_id", &self.0.context_id)
            .field("user_id", &self.0.user_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::AtomicUsize;

    use serde_json::json;

    use super::*;
    use crate::ox::Module;
    use crate::ox::fetch;
    use crate::ox::list;
    use crate::ox::mail;
    use crate::ox::testing::Response;
    use crate::ox::testing::SESSION;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;
    use crate::ox::testing::logged_in;

    #[tokio::test]
    async fn every_call_carries_session_cookies_and_agent() {
        let (server, session) = Server::with_session(|_| data(json!("Europe/Berlin"))).await;
        assert_eq!(
            (session.user_id(), session.context_id(), session.locale()),
            (3, 1, "de_DE")
        );
        session.call(&Call::get("config/timezone", "")).await.unwrap();
        let request = server.only();
        assert_eq!(request.method, "GET");
        assert_eq!(request.name(), "config/timezone");
        assert_eq!(request.parameter("session"), SESSION);
        assert_eq!(request.parameter("timezone"), "UTC");
        assert_eq!(request.header("user-agent"), "Open-Xchange USM HTTP Client");
        assert_eq!(
            request.header("cookie"),
            "JSESSIONID=4711abcd.OX1; open-xchange-secret-Yq1UuXk0a9=0a1b2c"
        );
        assert_eq!((session.calls(), session.ox().calls()), (2, 2));
    }

    /// A server whose sessions are `s1`, `s2`, ...; only the `valid`-th and later ones are known to it.
    async fn forgetful(valid: usize) -> Server {
        let logins = AtomicUsize::new(0);
        Server::start(move |request| {
            if request.name() == "login?login" {
                let number = logins.fetch_add(1, Ordering::Relaxed) + 1;
                let session = format!("s{number}");
                return Response::from(json!({"session": session, "user_id": 3, "context_id": 1}))
                    .with("set-cookie", &format!("secret={number}"));
            }
            let number: usize = request.parameter("session").trim_start_matches('s').parse().unwrap();
            assert_eq!(request.header("cookie"), format!("secret={number}"));
            match number >= valid {
                true => data(json!(number)),
                false => failure("SES-0203", 4),
            }
        })
        .await
    }

    #[tokio::test]
    async fn a_lost_session_is_renewed_once_for_all() {
        let server = forgetful(2).await;
        let session = server.login().await;
        let call = Call::get("config/timezone", "");
        let (a, b, c) = tokio::join!(session.call(&call), session.call(&call), session.call(&call));
        for reply in [a, b, c] {
            assert_eq!(reply.unwrap().data, json!(2));
        }
        let logins = server.names().iter().filter(|name| *name == "login?login").count();
        assert_eq!(logins, 2);
        assert_eq!(session.calls(), session.ox().calls());
    }

    #[tokio::test]
    async fn a_second_failure_is_an_error() {
        let server = forgetful(100).await;
        let session = server.login().await;
        let error = session.call(&Call::get("config/timezone", "")).await.unwrap_err();
        assert_eq!((error.kind, error.code()), (ErrorKind::Session, "SES-0203"));
        assert_eq!(
            server.names(),
            ["login?login", "config/timezone", "login?login", "config/timezone"]
        );
    }

    #[tokio::test]
    async fn a_changed_password_ends_the_session_for_good() {
        let changed = AtomicBool::new(false);
        let server = Server::start(move |request| match request.name().as_str() {
            "login?login" if changed.swap(true, Ordering::Relaxed) => failure("LGI-0006", 1),
            "login?login" => logged_in(),
            _ => failure("SES-0203", 4),
        })
        .await;
        let session = server.login().await;
        for _ in 0..3 {
            let error = session.call(&Call::get("config/timezone", "")).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Credentials);
        }
        let logins = server.names().iter().filter(|name| *name == "login?login").count();
        assert_eq!(logins, 2, "bad credentials are never repeated");
    }

    #[tokio::test]
    async fn who_waits_for_a_login_that_fails_shares_the_failure() {
        let again = AtomicBool::new(false);
        let server = Server::start(move |request| match request.name().as_str() {
            "login?login" if again.swap(true, Ordering::Relaxed) => failure("LGI-0010", 5),
            "login?login" => logged_in(),
            _ => failure("SES-0203", 4),
        })
        .await;
        let session = server.login().await;
        let generation = session.generation();
        let outcomes = tokio::join!(
            session.renew(generation),
            session.renew(generation),
            session.renew(generation)
        );
        for outcome in [outcomes.0, outcomes.1, outcomes.2] {
            assert_eq!(outcome.unwrap_err().kind, ErrorKind::Temporary);
        }
        assert_eq!(server.requests().len(), 2);
        // A later call may try again.
        assert!(session.renew(generation).await.is_err());
        assert_eq!(server.requests().len(), 3);
    }

    /// Calls are made from tasks that move between threads.
    #[test]
    fn futures_can_be_sent() {
        fn sendable(_: impl Send) {}
        let check = |session: &Session| {
            sendable(session.folders());
            sendable(session.settings());
            sendable(list(session, Module::Mail, ""));
            sendable(fetch(session, Module::Mail, "", &[], &[]));
            sendable(mail::move_to(session, "", "", ""));
        };
        let _ = check;
    }

    #[tokio::test]
    async fn another_user_of_the_same_name_is_not_let_in() {
        let again = AtomicBool::new(false);
        let server = Server::start(move |request| match request.name().as_str() {
            "login?login" if again.swap(true, Ordering::Relaxed) => {
                json!({"session": "x", "user_id": 99, "context_id": 1}).into()
            }
            "login?login" => logged_in(),
            _ => failure("SES-0203", 4),
        })
        .await;
        let session = server.login().await;
        let error = session.call(&Call::get("config/timezone", "")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Credentials);
    }

    #[tokio::test]
    async fn cookies_of_later_answers_are_kept() {
        let (server, session) = Server::with_session(|_| {
            data(json!(1))
                .with("set-cookie", "JSESSIONID=new.OX2")
                .with("set-cookie", "open-xchange-shard=a")
        })
        .await;
        for _ in 0..2 {
            session.call(&Call::get("config/timezone", "")).await.unwrap();
        }
        assert_eq!(
            server.requests()[1].header("cookie"),
            "open-xchange-secret-Yq1UuXk0a9=0a1b2c; JSESSIONID=new.OX2; open-xchange-shard=a"
        );
    }

    #[tokio::test]
    async fn logout_ends_the_session() {
        let (server, session) = Server::with_session(|_| Response::text("text/html", "")).await;
        session.logout().await.unwrap();
        let request = server.only();
        assert_eq!(
            (request.name().as_str(), request.parameter("session")),
            ("login?logout", SESSION)
        );
    }

    #[tokio::test]
    async fn nothing_shown_is_secret() {
        let (_server, session) = Server::with_session(|_| failure("OX-9999", 8)).await;
        let error = session
            .call(&Call::get("mail", "all").with("folder", "private"))
            .await
            .unwrap_err();
        let shown = format!("{session:?} {:?} {error} {error:?}", session.ox());
        for secret in [SESSION, "geheim", "0a1b2c", "folder=private"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(error.text().starts_with("Fehler in ***"));
    }

    #[tokio::test]
    async fn downloads_have_a_limit() {
        let (_server, session) =
            Server::with_session(|_| Response::text("application/octet-stream", vec![b'x'; 1000])).await;
        let call = Call::get("mail", "attachment");
        assert_eq!(session.download(&call, 1000).await.unwrap().bytes.len(), 1000);
        assert_eq!(
            session.download(&call, 999).await.unwrap_err().kind,
            ErrorKind::TooLarge
        );
    }
}
