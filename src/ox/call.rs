//! One request of the API, before it is sent: alone, or as an entry of `multiple`.
//!
//! Knows how a request is built and nothing of sessions and answers. Implements the API documentation, "Low level
//! protocol", and module `multiple`.

use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use url::Url;

use crate::ox::columns::ColumnName;

/// A request: module, action, parameters and body. The session is added when it is sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// The module with its sub-path, or a path from the server's root if it begins with a slash.
    path: String,
    action: String,
    parameters: Vec<(String, String)>,
    pub(super) body: Body,
}

/// What goes in the body; it decides the method.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// GET.
    None,
    /// PUT.
    Json(Value),
    /// PUT.
    Raw { content_type: &'static str, bytes: Bytes },
    /// POST with `multipart/form-data`.
    Parts(Vec<Part>),
    /// POST with form fields: the login. The text holds secrets.
    Form(Form),
}

/// A part of a `multipart/form-data` body.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    /// File name and content type; a plain field has none.
    pub file: Option<(String, String)>,
    pub bytes: Bytes,
}

/// An `application/x-www-form-urlencoded` body.
#[derive(Clone)]
pub(super) struct Form(pub(super) String);

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form(***)")
    }
}

impl Call {
    /// Reads. `action` is empty in module `config`, whose path says it all.
    pub fn get(module: &str, action: &str) -> Self {
        Self::new(module, action, Body::None)
    }

    /// Writes, or reads what is named in the body.
    pub fn put(module: &str, action: &str, data: impl Into<Value>) -> Self {
        Self::new(module, action, Body::Json(data.into()))
    }

    /// Writes something that is no JSON.
    pub fn raw(module: &str, action: &str, content_type: &'static str, bytes: Bytes) -> Self {
        Self::new(module, action, Body::Raw { content_type, bytes })
    }

    /// Uploads files. Not possible inside `multiple`.
    pub fn upload(module: &str, action: &str, parts: Vec<Part>) -> Self {
        Self::new(module, action, Body::Parts(parts))
    }

    pub(super) fn form(module: &str, action: &str, form: String) -> Self {
        Self::new(module, action, Body::Form(Form(form)))
    }

    fn new(module: &str, action: &str, body: Body) -> Self {
        Self {
            path: module.to_owned(),
            action: action.to_owned(),
            parameters: Vec::new(),
            body,
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.parameters.push((name.into(), value.to_string()));
        self
    }

    /// Adds the parameter `columns`.
    #[must_use]
    pub fn with_columns(self, columns: &[ColumnName]) -> Self {
        let numbers: Vec<_> = columns
            .iter()
            .filter(|column| column.id != 0)
            .map(|column| column.id.to_string())
            .collect();
        self.with("columns", numbers.join(","))
    }

    pub(super) const fn method(&self) -> &'static str {
        match self.body {
            Body::None => "GET",
            Body::Json(_) | Body::Raw { .. } => "PUT",
            Body::Parts(_) | Body::Form(_) => "POST",
        }
    }

    /// The complete URL. Every call asks for UTC: otherwise the server shifts all times by the user's zone.
    pub(super) fn url(&self, base: &Url, session: Option<&str>) -> Url {
        let mut url = self.place(base);
        let mut query = url.query_pairs_mut();
        query.clear();
        if !self.action.is_empty() {
            query.append_pair("action", &self.action);
        }
        if let Some(session) = session {
            query.append_pair("session", session);
        }
        query.extend_pairs(
            self.parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        query.append_pair("timezone", "UTC");
        drop(query);
        url
    }

    /// For logs and errors: no session and no parameters.
    pub(super) fn describe(&self, base: &Url) -> String {
        let place = self.place(base);
        match self.action.as_str() {
            "" => format!("{} {place}", self.method()),
            action => format!("{} {place}?action={action}", self.method()),
        }
    }

    fn place(&self, base: &Url) -> Url {
        let mut url = base.clone();
        match self.path.starts_with('/') {
            true => url.set_path(&self.path),
            false => url.set_path(&format!("{}{}", base.path(), self.path)),
        }
        url
    }

    /// The call as an entry of `multiple`: parameters become members, the body becomes `data`.
    pub(super) fn entry(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("module".to_owned(), self.path.clone().into());
        entry.insert("action".to_owned(), self.action.clone().into());
        for (name, value) in &self.parameters {
            entry.insert(name.clone(), value.clone().into());
        }
        entry.insert("timezone".to_owned(), "UTC".into());
        if let Body::Json(data) = &self.body {
            entry.insert("data".to_owned(), data.clone());
        }
        Value::Object(entry)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::columns::mail;

    fn base() -> Url {
        Url::parse("https://ox.example.com/ajax/").unwrap()
    }

    #[test]
    fn builds_urls() {
        let call = Call::get("mail", "all")
            .with("folder", "default0/INBOX/Entwürfe & mehr")
            .with_columns(&[mail::ID.name(), mail::FLAGS.name()]);
        assert_eq!(
            call.url(&base(), Some("8f4d")).as_str(),
            "https://ox.example.com/ajax/mail?action=all&session=8f4d&folder=default0%2FINBOX%2FEntw%C3%BCrfe+%26+mehr\
             &columns=600%2C611&timezone=UTC"
        );
        assert_eq!(
            call.describe(&base()),
            "GET https://ox.example.com/ajax/mail?action=all"
        );
    }

    #[test]
    fn config_has_a_path_and_no_action() {
        let call = Call::get("config/mail/folder/sent", "");
        assert_eq!(
            call.url(&base(), Some("s")).as_str(),
            "https://ox.example.com/ajax/config/mail/folder/sent?session=s&timezone=UTC"
        );
        assert_eq!(
            call.describe(&base()),
            "GET https://ox.example.com/ajax/config/mail/folder/sent"
        );
    }

    #[test]
    fn a_path_from_the_root_leaves_the_prefix() {
        let call = Call::get("/image/contact/picture", "").with("id", "5");
        assert_eq!(
            call.url(&base(), None).as_str(),
            "https://ox.example.com/image/contact/picture?id=5&timezone=UTC"
        );
    }

    #[test]
    fn becomes_an_entry_of_multiple() {
        let call = Call::put("mail", "update", json!({"flags": 32, "value": true})).with("id", "17");
        assert_eq!(
            call.entry(),
            json!({"module": "mail", "action": "update", "id": "17", "timezone": "UTC", "data": {"flags": 32, "value": true}})
        );
    }

    #[test]
    fn debug_hides_the_login_form() {
        let call = Call::form("login", "login", "name=anton&password=secret".to_owned());
        assert!(!format!("{call:?}").contains("secret"));
    }
}
