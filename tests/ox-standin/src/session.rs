//! Sessions: login and logout, secret cookies, the check before each call.
//!
//! Implements the chapter "Login" of the OX HTTP API and the binding of a session to its cookies: the name of the secret
//! cookie holds a hash of User-Agent and client, so that a client that changes its agent loses its session.

use crate::error::DUPLICATE_AUTH_ID;
use crate::error::INVALID_CREDENTIALS;
use crate::error::INVALID_PARAMETER;
use crate::error::MISSING_PARAMETER;
use crate::error::NO_SESSION_PARAMETER;
use crate::error::OxError;
use crate::error::SESSION_EXPIRED;
use crate::error::TOO_MANY_SESSIONS;
use crate::error::WRONG_ADDRESS;
use crate::error::WRONG_SECRET;
use crate::world::CONTEXT;
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// A session ends after this time without a call.
const LIFE: i64 = 3_600_000;
/// Failed logins count for this long.
const FAILURE_WINDOW: i64 = 300_000;
/// The node's name at the end of `JSESSIONID`.
const ROUTE: &str = ".OX1";

/// All sessions, and what the logins before left behind.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: BTreeMap<String, Session>,
    auth_ids: BTreeSet<String>,
    /// Failed logins by name: when.
    failures: BTreeMap<String, Vec<i64>>,
    counter: u64,
}

#[derive(Clone, Debug)]
struct Session {
    user: u32,
    client: String,
    secret: String,
    address: String,
    last_used: i64,
}

/// What the HTTP layer knows about a caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) user_agent: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Source address; tests pretend another one by a header.
    pub(crate) address: String,
}

/// A successful login: the answer and the cookies to set.
pub(crate) struct LoggedIn {
    pub(crate) answer: Value,
    pub(crate) cookies: Vec<String>,
}

/// `login?action=login`. `query` are the parameters of the URL, `form` those of the body.
pub(crate) fn login(
    world: &mut World,
    caller: &Caller,
    query: &BTreeMap<String, String>,
    form: &BTreeMap<String, String>,
) -> Result<LoggedIn, OxError> {
    let in_url = ["name", "password"].iter().any(|key| query.contains_key(*key));
    if in_url && world.profile().refuses_url_password() {
        let text = "The parameters \"name\" and \"password\" are not allowed in the URL.";
        return Err(OxError::new(INVALID_PARAMETER.0, INVALID_PARAMETER.1, text));
    }
    let parameter = |key: &str| form.get(key).or_else(|| query.get(key)).cloned();
    let name = parameter("name").ok_or(MISSING_PARAMETER)?;
    let password = parameter("password").ok_or(MISSING_PARAMETER)?;
    let client = parameter("client").unwrap_or_else(|| "default".to_owned());
    check_failures(world, &name)?;
    if let Some(auth_id) = parameter("authId")
        && !world.sessions.auth_ids.insert(auth_id)
    {
        return Err(DUPLICATE_AUTH_ID.into());
    }
    let now = world.clock.now();
    let Some(user) = world
        .user_by_login(&name)
        .filter(|user| user.password == password)
        .cloned()
    else {
        world.sessions.failures.entry(name).or_default().push(now);
        return Err(INVALID_CREDENTIALS.into());
    };
    let open = world
        .sessions
        .by_id
        .values()
        .filter(|session| session.user == user.id)
        .count();
    if open >= world.options.max_sessions_per_user {
        return Err(TOO_MANY_SESSIONS.into());
    }
    let (id, secret) = (
        world.sessions.fresh("session", now),
        world.sessions.fresh("secret", now),
    );
    let cookie = secret_cookie(&caller.user_agent, &client);
    let session = Session {
        user: user.id,
        client,
        secret: secret.clone(),
        address: caller.address.clone(),
        last_used: now,
    };
    world.sessions.by_id.insert(id.clone(), session);
    let mut answer = json!({"session": id, "user": user.login, "user_id": user.id});
    if world.profile().login_has_context() {
        answer["context_id"] = json!(CONTEXT);
    } else {
        answer["random"] = json!(world.sessions.fresh("random", now));
    }
    answer["locale"] = json!(user.locale);
    if parameter("modules").as_deref() == Some("true") {
        answer["modules"] = crate::config::modules(world, user.id);
    }
    let secure = if world.options.secure_cookies { "; Secure" } else { "" };
    let servlet = world.sessions.fresh("servlet", now);
    let cookies = vec![
        format!("JSESSIONID={servlet}{ROUTE}; Path=/; HttpOnly{secure}"),
        format!("{cookie}={secret}; Path=/; HttpOnly{secure}"),
    ];
    Ok(LoggedIn { answer, cookies })
}

/// The caller's user, if session and cookies belong together.
pub(crate) fn check(world: &mut World, caller: &Caller, session: Option<&str>) -> Result<u32, OxError> {
    let id = session.ok_or(NO_SESSION_PARAMETER)?;
    let now = world.clock.now();
    let strict = world.options.strict_route;
    let route = caller
        .cookies
        .get("JSESSIONID")
        .is_some_and(|value| value.ends_with(ROUTE));
    let found = world
        .sessions
        .by_id
        .get_mut(id)
        .filter(|_| route || !strict)
        .ok_or(SESSION_EXPIRED)?;
    if now - found.last_used > LIFE {
        world.sessions.by_id.remove(id);
        return Err(SESSION_EXPIRED.into());
    }
    if found.address != caller.address {
        world.sessions.by_id.remove(id);
        return Err(WRONG_ADDRESS.into());
    }
    let cookie = secret_cookie(&caller.user_agent, &found.client);
    if caller.cookies.get(&cookie) != Some(&found.secret) {
        return Err(WRONG_SECRET.into());
    }
    found.last_used = now;
    Ok(found.user)
}

/// Too many failed logins of one name in a short time.
fn check_failures(world: &mut World, name: &str) -> Result<(), OxError> {
    let now = world.clock.now();
    let limit = world.options.max_login_failures;
    let Some(failures) = world.sessions.failures.get_mut(name) else {
        return Ok(());
    };
    failures.retain(|at| now - at < FAILURE_WINDOW);
    if failures.len() < limit {
        return Ok(());
    }
    Err(OxError::new("LGI-0003", 4, "Too many failed logins.").with_status(429))
}

/// Name of the secret cookie, as the server computes it anew on each request.
fn secret_cookie(user_agent: &str, client: &str) -> String {
    let digest = Sha256::digest(format!("{user_agent}{client}replaceMe1234567890").as_bytes());
    let hash: String = STANDARD
        .encode(digest)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(22)
        .collect();
    format!("open-xchange-secret-{hash}")
}

impl Sessions {
    /// 32 hexadecimal digits that no session had before.
    fn fresh(&mut self, purpose: &str, now: i64) -> String {
        self.counter += 1;
        let digest = Sha256::digest(format!("{purpose} {} {now}", self.counter).as_bytes());
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn end(&mut self, id: &str) -> bool {
        self.by_id.remove(id).is_some()
    }

    pub(crate) fn end_all(&mut self) {
        self.by_id.clear();
    }

    pub(crate) fn count(&self) -> usize {
        self.by_id.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_depends_on_agent_and_client() {
        let name = secret_cookie("Open-Xchange USM HTTP Client", "USM-EAS");
        assert_eq!(name, secret_cookie("Open-Xchange USM HTTP Client", "USM-EAS"));
        assert_ne!(name, secret_cookie("Other", "USM-EAS"));
        assert_ne!(name, secret_cookie("Open-Xchange USM HTTP Client", "default"));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
    }
}
