//! The call that makes a session, and the one that ends it.
//!
//! The login is the only call whose success has no envelope. Implements the API documentation, module "login".

use secrecy::ExposeSecret;
use secrecy::SecretString;
use serde_json::Value;
use url::form_urlencoded;

use crate::ox::call::Call;
use crate::ox::client::MAX_JSON;
use crate::ox::client::Ox;
use crate::ox::cookies::Cookies;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::error::classify_login;
use crate::ox::reply;
use crate::ox::value::integer;

/// The client id: OX counts such sessions as ActiveSync, and keeps its Unified Mail folders from them.
const CLIENT: &str = "USM-EAS";

/// What a login yields.
pub(super) struct Login {
    pub(super) session: SecretString,
    pub(super) cookies: Cookies,
    pub(super) user_id: i64,
    pub(super) context_id: i64,
    /// As `de_DE`.
    pub(super) locale: String,
    /// How many HTTP requests it took.
    pub(super) calls: u64,
}

/// Logs in by form: "name and password in the URL are rejected" by servers from 7.8.0 on.
pub(super) async fn login(ox: &Ox, name: &str, password: &SecretString) -> Result<Login, Error> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("name", name)
        .append_pair("password", password.expose_secret())
        .append_pair("client", CLIENT)
        .append_pair("version", env!("CARGO_PKG_VERSION"))
        .finish();
    let call = Call::form("login", "login", form).with("authId", auth_id());
    let described = call.describe(ox.base());
    let mut cookies = Cookies::default();
    let answer = ox.send(&call, None, &cookies, MAX_JSON).await?;
    cookies.take(&answer.cookies);
    let value = reply::json(answer).map_err(wrong_place)?;
    let text = |key| value.get(key).and_then(Value::as_str);
    let Some(session) = text("session") else {
        return Err(refused(&value, &described).without(password.expose_secret()));
    };
    let mut login = Login {
        session: SecretString::from(session),
        cookies,
        user_id: value.get("user_id").and_then(integer).unwrap_or_default(),
        context_id: value.get("context_id").and_then(integer).unwrap_or_default(),
        locale: text("locale").unwrap_or_default().to_owned(),
        calls: 1,
    };
    complete(ox, &mut login).await?;
    Ok(login)
}

/// Ids that old servers leave out of the answer stand in the configuration.
async fn complete(ox: &Ox, login: &mut Login) -> Result<(), Error> {
    if login.context_id == 0 {
        login.context_id = config_number(ox, login, "config/context_id").await?;
    }
    if login.user_id == 0 {
        login.user_id = config_number(ox, login, "config/identifier").await?;
    }
    Ok(())
}

async fn config_number(ox: &Ox, login: &mut Login, path: &str) -> Result<i64, Error> {
    let call = Call::get(path, "");
    let described = call.describe(ox.base());
    login.calls += 1;
    let session = login.session.expose_secret();
    let answer = ox.send(&call, Some(session), &login.cookies, MAX_JSON).await?;
    let reply = reply::read(reply::json(answer)?, &described).map_err(|error| error.without(session))?;
    integer(&reply.data).ok_or_else(|| Error::new(ErrorKind::Garbled, described, "the answer is no number"))
}

/// Ends a session at OX. The answer is empty, and of no interest.
pub(super) async fn logout(ox: &Ox, session: &str, cookies: &Cookies) -> Result<(), Error> {
    let call = Call::get("login", "logout");
    ox.send(&call, Some(session), cookies, MAX_JSON).await.map(drop)
}

/// Asks for a login without credentials: any envelope, naturally one with an error, shows that OX is up.
pub(super) async fn alive(ox: &Ox) -> Result<(), Error> {
    let call = Call::form("login", "login", String::new());
    let answer = ox.send(&call, None, &Cookies::default(), MAX_JSON).await?;
    reply::json(answer).map(drop).map_err(wrong_place)
}

fn refused(value: &Value, call: &str) -> Error {
    match reply::envelope_error(value) {
        Some(error) => Error::new(classify_login(&error.code, error.category), call, error.text).with_code(error.code),
        None => Error::new(
            ErrorKind::Garbled,
            call,
            "the answer holds neither a session nor an error",
        ),
    }
}

/// Every OX has a login, so a server without one is not an OX.
fn wrong_place(error: Error) -> Error {
    match error.kind {
        ErrorKind::Unsupported => error.with_kind(ErrorKind::Configuration),
        _ => error,
    }
}

/// A random UUID. OX refuses one it has seen (SES-0008).
fn auth_id() -> String {
    let digits = format!("{:032x}", rand::random::<u128>());
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
    groups
        .map(|group| digits.get(group).unwrap_or_default().to_owned())
        .join("-")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::ox::testing::Response;
    use crate::ox::testing::SESSION;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;
    use crate::ox::testing::logged_in;
    use crate::ox::testing::password;

    #[tokio::test]
    async fn the_login_holds_all_and_nothing_in_the_url() {
        let server = Server::start(|_| logged_in()).await;
        server.login().await;
        let request = server.only();
        assert_eq!(request.method, "POST");
        assert_eq!(request.name(), "login?login");
        assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            request.body,
            format!("name=anton&password=geheim+%26+sicher&client=USM-EAS&version={version}")
        );
        let names: Vec<_> = request.parameters.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["action", "authId", "timezone"]);
        let groups: Vec<_> = request.parameter("authId").split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
    }

    #[tokio::test]
    async fn old_servers_tell_the_context_elsewhere() {
        let server = Server::start(|request| match request.name().as_str() {
            "login?login" => json!({"session": SESSION, "user_id": "3"}).into(),
            "config/context_id" => data(json!(7)),
            name => panic!("{name}"),
        })
        .await;
        let session = server.login().await;
        assert_eq!((session.user_id(), session.context_id(), session.locale()), (3, 7, ""));
        assert_eq!(session.calls(), 2);
    }

    #[tokio::test]
    async fn refused_logins_say_why_and_nothing_secret() {
        // Answer, kind, code.
        let cases = [
            (failure("LGI-0006", 1), ErrorKind::Credentials, "LGI-0006"),
            (failure("LGI-0010", 5), ErrorKind::Temporary, "LGI-0010"),
            (failure("SES-0007", 2), ErrorKind::TooManySessions, "SES-0007"),
            (
                json!({"error": "wrong: geheim & sicher", "code": "LGI-0006", "category": 1}).into(),
                ErrorKind::Credentials,
                "LGI-0006",
            ),
            (json!({"data": 1}).into(), ErrorKind::Garbled, ""),
            (
                Response::text("text/html", "<html>It works!</html>"),
                ErrorKind::Garbled,
                "",
            ),
            (
                Response::text("text/html", "not found").with_status(404),
                ErrorKind::Configuration,
                "HTTP 404",
            ),
            (
                Response::text("text/html", "")
                    .with_status(302)
                    .with("location", "https://x/?token=1"),
                ErrorKind::Configuration,
                "HTTP 302",
            ),
            (
                Response::text("text/html", "")
                    .with_status(503)
                    .with("retry-after", "30"),
                ErrorKind::Temporary,
                "HTTP 503",
            ),
        ];
        for (response, kind, code) in cases {
            let server = Server::start(move |_| response.clone()).await;
            let error = server.ox().login("anton", &password()).await.unwrap_err();
            assert_eq!((error.kind, error.code()), (kind, code));
            let text = format!("{error} {error:?}");
            assert!(text.contains("/ajax/login?action=login"), "{text}");
            assert!(!text.contains("geheim") && !text.contains("token="), "{text}");
            if code == "HTTP 503" {
                assert_eq!(error.retry_after, Some(Duration::from_secs(30)));
            }
        }
    }

    #[tokio::test]
    async fn alive_means_any_envelope() {
        let server = Server::start(|_| failure("SVL-0002", 8)).await;
        server.ox().alive().await.unwrap();
        assert_eq!(server.only().name(), "login?login");
        let server = Server::start(|_| Response::text("text/html", "no").with_status(503)).await;
        assert_eq!(server.ox().alive().await.unwrap_err().kind, ErrorKind::Temporary);
    }
}
