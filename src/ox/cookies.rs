//! The cookies of one OX session.
//!
//! Deliberately less than RFC 6265: one server, one session, so a cookie is a name and a value. `Secure`, `Domain` and
//! `Path` are ignored, because an OX that believes it stands behind HTTPS marks its cookies so although the gateway talks
//! plain HTTP to it inside the data centre. Never shared between sessions: the names may be the same for all users.

use std::fmt;

/// How many cookies a session keeps; OX sets about five.
const MAX_COOKIES: usize = 50;

/// Names and values, in the order they were first set.
#[derive(Clone, Default)]
pub(super) struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// Takes in the cookies of an answer.
    pub(super) fn take(&mut self, headers: &[String]) {
        headers.iter().for_each(|header| self.set(header));
    }

    /// Takes in the value of a `Set-Cookie` header. `Max-Age=0` deletes the cookie.
    fn set(&mut self, header: &str) {
        let mut parts = header.split(';');
        let pair = parts.next().and_then(|pair| pair.split_once('='));
        let Some((name, value)) = pair.map(|(name, value)| (name.trim(), value.trim())) else {
            return;
        };
        self.0.retain(|(known, _)| known != name);
        if name.is_empty() || self.0.len() >= MAX_COOKIES || parts.any(deletes) {
            return;
        }
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// The value of the `Cookie` header; nothing without cookies.
    pub(super) fn header(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some(pairs.join("; "))
    }
}

/// Whether an attribute of `Set-Cookie` says that the cookie is to go. RFC 6265: "if delta-seconds is less than or equal
/// to zero", the cookie has expired.
fn deletes(attribute: &str) -> bool {
    let Some((name, value)) = attribute.split_once('=') else {
        return false;
    };
    name.trim().eq_ignore_ascii_case("max-age") && value.trim().parse::<i64>().is_ok_and(|seconds| seconds <= 0)
}

/// Names only: the values are secrets.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_names_and_values_whatever_the_attributes_say() {
        let mut cookies = Cookies::default();
        assert_eq!(cookies.header(), None);
        cookies.set("JSESSIONID=4711abcd.OX1; Path=/; HttpOnly");
        cookies.set("open-xchange-secret-Yq1UuXk0a9=0a1b2c==; Path=/; HttpOnly; Secure; Domain=.example.com");
        assert_eq!(
            cookies.header().as_deref(),
            Some("JSESSIONID=4711abcd.OX1; open-xchange-secret-Yq1UuXk0a9=0a1b2c==")
        );
        assert_eq!(
            format!("{cookies:?}"),
            r#"["JSESSIONID", "open-xchange-secret-Yq1UuXk0a9"]"#
        );
    }

    #[test]
    fn a_cookie_is_replaced_and_deleted_by_name() {
        let mut cookies = Cookies::default();
        cookies.set("a=1");
        cookies.set("b=2");
        cookies.set("a=3; Max-Age=3600");
        assert_eq!(cookies.header().as_deref(), Some("b=2; a=3"));
        cookies.set("b=; max-age=0; Path=/");
        assert_eq!(cookies.header().as_deref(), Some("a=3"));
    }

    #[test]
    fn nonsense_sets_nothing() {
        let mut cookies = Cookies::default();
        for header in ["", ";", "noequals", "=value", "; Path=/"] {
            cookies.set(header);
        }
        assert_eq!(cookies.header(), None);
    }

    #[test]
    fn their_number_is_limited() {
        let mut cookies = Cookies::default();
        for number in 0..2 * MAX_COOKIES {
            cookies.set(&format!("c{number}=x"));
        }
        assert_eq!(cookies.0.len(), MAX_COOKIES);
    }
}
