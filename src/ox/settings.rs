//! What OX says about the user: read once in a session.
//!
//! Comes from the module `config`, which is there from 6.10 to 8, and from the user object. A branch of the configuration
//! is asked for as a whole; where a server does not answer that, leaf by leaf. What is missing is "not set" and no error,
//! since the paths differ between versions. Implements the API documentation, "Module config" and "Module user".

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::common;
use crate::ox::columns::contacts;
use crate::ox::error::Error;
use crate::ox::module::Module;
use crate::ox::module::Standard;
use crate::ox::session::Session;
use crate::ox::value::id_text;

/// The user, as far as syncing needs it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Zone id such as `Europe/Berlin`; `UTC` if OX did not say.
    pub timezone: String,
    /// Display name; the login name if OX did not say.
    pub name: String,
    /// Primary mail address; empty without mail.
    pub address: String,
    /// All own addresses, the primary one first.
    pub addresses: Vec<String>,
    /// Server version; a cautious guess if OX did not say.
    pub version: Version,
    /// When the user was entered at OX, in milliseconds since 1970: tells one who was deleted from another who got his
    /// number. `None` if OX did not say.
    pub created: Option<i64>,
    standards: HashMap<Standard, String>,
    modules: Map<String, Value>,
}

/// Major and minor version of the OX server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
}

impl Version {
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Reads the beginning of `7.10.6-Rev12`, `6.20.7 Rev5` or `8.12.0`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split(|c: char| !c.is_ascii_digit());
        Some(Self::new(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

/// A server that does not name its version is taken for an old one.
impl Default for Version {
    fn default() -> Self {
        Self::new(6, 18)
    }
}

impl Settings {
    /// The id of one of the user's own default folders.
    pub fn standard(&self, standard: Standard) -> Option<&str> {
        self.standards.get(&standard).map(String::as_str)
    }

    /// Whether the user may use a module; yes, if OX does not say no.
    pub fn has_module(&self, module: Module) -> bool {
        let allowed = self.modules.get(module.name()).and_then(|module| module.get("module"));
        allowed.and_then(Value::as_bool).unwrap_or(true)
    }
}

impl Session {
    /// The user's settings, asked for once.
    pub async fn settings(&self) -> Result<Arc<Settings>, Error> {
        let settings = self.settings_cell().get_or_try_init(|| read(self)).await?;
        Ok(Arc::clone(settings))
    }

    /// Those of these columns that the server has: "unknown column numbers: in some modules an error".
    pub(super) async fn known(&self, columns: &[ColumnName]) -> Result<Vec<ColumnName>, Error> {
        if !columns.iter().any(|column| column.is_later()) {
            return Ok(columns.to_vec());
        }
        let version = self.settings().await?.version;
        let known = columns.iter().copied().filter(|column| column.is_known(version));
        Ok(known.collect())
    }
}

async fn read(session: &Session) -> Result<Arc<Settings>, Error> {
    let (folders, mail, modules, timezone, version, user) = tokio::try_join!(
        branch(session, "config/folder", &["tasks", "calendar", "contacts"]),
        branch(session, "config/mail", &["addresses", "defaultaddress"]),
        config(session, "config/modules"),
        config(session, "config/timezone"),
        config(session, "config/serverVersion"),
        user(session),
    )?;
    let mail_folders = match mail.get("folder") {
        Some(Value::Object(folders)) => folders.clone(),
        _ => {
            branch(
                session,
                "config/mail/folder",
                &["inbox", "drafts", "sent", "trash", "spam"],
            )
            .await?
        }
    };
    let mut settings = Settings {
        timezone: timezone.as_ref().and_then(id_text).unwrap_or_else(|| "UTC".to_owned()),
        name: user
            .text(contacts::DISPLAY_NAME)
            .unwrap_or_else(|| session.name())
            .to_owned(),
        version: version
            .as_ref()
            .and_then(id_text)
            .and_then(|text| Version::parse(&text))
            .unwrap_or_default(),
        modules: modules.and_then(into_map).unwrap_or_default(),
        created: user.time(common::CREATION_DATE),
        ..Settings::default()
    };
    settings.take_standards("config/folder", &folders);
    settings.take_standards("config/mail/folder", &mail_folders);
    settings.take_addresses(&mail, user.text(contacts::EMAIL1));
    Ok(Arc::new(settings))
}

impl Settings {
    fn take_standards(&mut self, branch: &str, folders: &Map<String, Value>) {
        for (standard, leaf) in Standard::in_branch(branch) {
            if let Some(id) = folders.get(leaf).and_then(id_text) {
                self.standards.insert(standard, id);
            }
        }
    }

    fn take_addresses(&mut self, mail: &Map<String, Value>, contact: Option<&str>) {
        let own = mail.get("addresses").and_then(Value::as_array).into_iter().flatten();
        let own: Vec<_> = own.filter_map(id_text).collect();
        let primary = mail
            .get("defaultaddress")
            .and_then(id_text)
            .or_else(|| contact.map(str::to_owned))
            .or_else(|| own.first().cloned());
        for address in primary.iter().cloned().chain(own) {
            if !self.addresses.iter().any(|known| known.eq_ignore_ascii_case(&address)) {
                self.addresses.push(address);
            }
        }
        self.address = primary.unwrap_or_default();
    }
}

/// A branch as an object of its leaves, in one call where the server can do that.
async fn branch(session: &Session, path: &str, leaves: &[&str]) -> Result<Map<String, Value>, Error> {
    if let Some(Value::Object(branch)) = config(session, path).await?
        && leaves.iter().any(|leaf| branch.contains_key(*leaf))
    {
        return Ok(branch);
    }
    let mut branch = Map::new();
    for leaf in leaves {
        if let Some(value) = config(session, &format!("{path}/{leaf}")).await? {
            branch.insert((*leaf).to_owned(), value);
        }
    }
    Ok(branch)
}

/// A value of the configuration. "Treat any error but a session error as not set": but one that is about the server as a
/// whole would only make us believe wrong things.
pub(super) async fn config(session: &Session, path: &str) -> Result<Option<Value>, Error> {
    match session.call(&Call::get(path, "")).await {
        Ok(reply) => Ok(Some(reply.data).filter(|value| !value.is_null())),
        Err(error) if error.kind.concerns_one_call() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The user's own contact data; empty on servers that do not tell.
async fn user(session: &Session) -> Result<Object, Error> {
    for (module, action) in [("user", "get"), ("contacts", "getuser")] {
        let call = Call::get(module, action).with("id", session.user_id());
        match session.call(&call).await.map(|reply| reply.data) {
            Ok(Value::Object(user)) => return Ok(Object::from_map(user)),
            Ok(_) => {}
            Err(error) if error.kind.concerns_one_call() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Object::new())
}

fn into_map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::error::ErrorKind;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;

    fn new_server(request: &Request) -> Response {
        data(match request.name().as_str() {
            "config/folder" => json!({"tasks": 34, "calendar": 31, "contacts": "33", "infostore": 35}),
            "config/mail" => json!({"addresses": ["a.anton@example.com", "anton@example.com"],
                "defaultaddress": "anton@example.com",
                "folder": {"inbox": "default0/INBOX", "sent": "default0/INBOX/Sent", "spam": null}}),
            "config/modules" => json!({"mail": {"module": true}, "tasks": {"module": false}}),
            "config/timezone" => json!("Europe/Berlin"),
            "config/serverVersion" => json!("7.8.4-Rev33"),
            "user?get" => json!({"id": 3, "display_name": "Anton Anders", "email1": "other@example.com",
                "creation_date": 1_600_000_000_000_i64}),
            name => panic!("{name}"),
        })
    }

    #[tokio::test]
    async fn few_calls_tell_everything_once() {
        let (server, session) = Server::with_session(new_server).await;
        let settings = session.settings().await.unwrap();
        assert_eq!(settings.timezone, "Europe/Berlin");
        assert_eq!(settings.name, "Anton Anders");
        assert_eq!(settings.created, Some(1_600_000_000_000));
        assert_eq!(settings.address, "anton@example.com");
        assert_eq!(settings.addresses, ["anton@example.com", "a.anton@example.com"]);
        assert_eq!(settings.version, Version::new(7, 8));
        assert_eq!(settings.standard(Standard::Calendar), Some("31"));
        assert_eq!(settings.standard(Standard::Contacts), Some("33"));
        assert_eq!(settings.standard(Standard::Sent), Some("default0/INBOX/Sent"));
        assert_eq!(settings.standard(Standard::Spam), None);
        assert!(settings.has_module(Module::Mail) && settings.has_module(Module::Calendar));
        assert!(!settings.has_module(Module::Tasks));
        session.settings().await.unwrap();
        assert_eq!(server.requests().len(), 6);
    }

    /// A server that knows leaves only, and little else.
    fn old_server(request: &Request) -> Response {
        match request.name().as_str() {
            "config/folder/calendar" => data(json!(31)),
            "config/mail/addresses" => data(json!(["anton@example.com"])),
            "config/mail/folder/trash" => data(json!("default0/INBOX/Trash")),
            "contacts?getuser" => data(json!({"display_name": "Anton Anders"})),
            _ => failure("SVL-0001", 8),
        }
    }

    #[tokio::test]
    async fn old_servers_are_asked_leaf_by_leaf() {
        let (_server, session) = Server::with_session(old_server).await;
        let settings = session.settings().await.unwrap();
        assert_eq!(
            (settings.timezone.as_str(), settings.name.as_str()),
            ("UTC", "Anton Anders")
        );
        assert_eq!(settings.address, "anton@example.com");
        assert_eq!(settings.version, Version::new(6, 18));
        assert_eq!(settings.standard(Standard::Calendar), Some("31"));
        assert_eq!(settings.standard(Standard::Trash), Some("default0/INBOX/Trash"));
        assert_eq!(settings.standard(Standard::Inbox), None);
    }

    #[tokio::test]
    async fn trouble_is_not_taken_for_missing_settings() {
        let (_server, session) = Server::with_session(|_| failure("OX-9999", 5)).await;
        assert_eq!(session.settings().await.unwrap_err().kind, ErrorKind::Temporary);
    }

    #[test]
    fn versions() {
        let cases = [
            ("7.10.6-Rev12", Some(Version::new(7, 10))),
            ("6.20.7 Rev5", Some(Version::new(6, 20))),
            ("8.12.0", Some(Version::new(8, 12))),
            ("8", None),
            ("develop", None),
            ("", None),
        ];
        for (text, version) in cases {
            assert_eq!(Version::parse(text), version, "{text}");
        }
        assert!(Version::new(7, 8) < Version::new(7, 10) && Version::new(7, 10) < Version::new(8, 0));
    }
}
