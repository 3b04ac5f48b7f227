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
    /// Held while a login is under way; holds why renewing is pointless from now on.
    renewal: tokio::sync::Mutex<Option<Error>>,
    settings: OnceCell<Arc<Settings>>,
    capabilities: OnceCell<Capabilities>,
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
            settings: OnceCell::new(),
            capabilities: OnceCell::new(),
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
        let mut current = self.current();
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        login::logout(&self.0.ox, current.id.expose_secret(), &mut current.cookies).await
    }

    /// Makes a call and decides whether it succeeded.
    pub async fn call(&self, call: &Call) -> Result<Reply, Error> {
        self.exchange(call, MAX_JSON, |answer| {
            let name = answer.call.clone();
            reply::read(reply::json(answer)?, &name)
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
        mut current: Current,
        read: &impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let before = current.cookies.header();
        let id = current.id.expose_secret();
        let answer = self.0.ox.send(call, Some(id), &mut current.cookies, limit).await;
        let outcome = answer.and_then(read).map_err(|error| error.without(id));
        if current.cookies.header() != before {
            self.keep(current);
        }
        outcome
    }

    /// Keeps the cookies of an answer, unless the session has been renewed meanwhile.
    fn keep(&self, newer: Current) {
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.generation == newer.generation {
            *current = newer;
        }
    }

    fn current(&self) -> Current {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs in again, unless someone else has replaced the session of this generation in the meantime.
    pub(super) async fn renew(&self, generation: u64) -> Result<(), Error> {
        let mut dead = self.0.renewal.lock().await;
        if self.current().generation != generation {
            return Ok(());
        }
        if let Some(error) = &*dead {
            return Err(error.clone());
        }
        let renewed = self.login_again().await;
        let login = match renewed {
            Ok(login) => login,
            Err(error) => {
                if matches!(error.kind, ErrorKind::Credentials | ErrorKind::Denied) {
                    *dead = Some(error.clone());
                }
                return Err(error);
            }
        };
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Current {
            generation: generation + 1,
            id: login.session,
            cookies: login.cookies,
        };
        Ok(())
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

    pub(super) fn generation(&self) -> u64 {
        self.current().generation
    }
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
