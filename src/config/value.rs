//! Reads the text of one value. Every reader answers `None` for what it does not accept; what it does accept stands in
//! [`Kind`], for the error message.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Host;
use url::Url;

use super::ConflictNote;
use super::Database;
use super::keys::Kind;
use super::keys::Unit;

/// Where to listen. The host may be a name or an address; an IPv6 address stands in brackets when written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Without brackets.
    pub host: String,
    /// 0 for any free port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for HostPort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, port) = text.rsplit_once(':').ok_or(())?;
        let host = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            Some(address) => address,
            None if host.contains(':') => return Err(()),
            None => host,
        };
        let odd = |c: char| c.is_whitespace() || "/@[]".contains(c);
        if host.is_empty() || host.contains(odd) {
            return Err(());
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().map_err(|_| ())?,
        })
    }
}

/// How `DOMAIN\user` becomes the login at Open-Xchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPattern(String);

impl LoginPattern {
    /// `None` when the user would not be part of the login.
    pub fn new(text: &str) -> Option<Self> {
        text.contains("$USER").then(|| Self(text.to_owned()))
    }

    /// The login for both parts of `domain\user`.
    pub fn login(&self, domain: &str, user: &str) -> String {
        // Walked once, so that a name which itself contains a variable is not expanded.
        let mut login = String::new();
        let mut rest = self.0.as_str();
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("$USER") {
                login.push_str(user);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("$DOMAIN") {
                login.push_str(domain);
                rest = after;
            } else {
                login.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
        login
    }
}

/// Addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether one of them is or contains the address, an IPv4 address written as IPv6 included.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for Networks {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let network = |text: &str| match text.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address)),
            Err(_) => text.parse::<IpNet>().map_err(|_| ()),
        };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Ok(Self(parts.map(network).collect::<Result<_, _>>()?))
    }
}

/// Users who belong to another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// A login, `*@domain`, or `*` for everybody.
    pub logins: String,
    /// The URL of ActiveSync there.
    pub url: Url,
}

/// A schema of a MySQL or MariaDB server. `Debug` does not show the password.
#[derive(Clone, Debug)]
pub struct MysqlUrl {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: SecretString,
    pub schema: String,
}

pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A number within the bounds of its kind.
pub(super) fn number(text: &str, kind: Kind) -> Option<u64> {
    let Kind::Number { min, max, .. } = kind else {
        return None;
    };
    text.parse().ok().filter(|n| (min..=max).contains(n))
}

/// A number of the unit of its kind.
pub(super) fn duration(text: &str, kind: Kind) -> Option<Duration> {
    let number = number(text, kind)?;
    match kind {
        Kind::Number { unit, .. } => match unit {
            Unit::Milliseconds => Some(Duration::from_millis(number)),
            Unit::Seconds => Some(Duration::from_secs(number)),
            Unit::Days => number.checked_mul(86_400).map(Duration::from_secs),
            Unit::Bytes | Unit::Count => None,
        },
        _ => None,
    }
}

/// The base of an HTTP API, with a slash at its end.
pub(super) fn url(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
        return None;
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Some(url)
}

/// Devices make this path of a host that they are told.
const ACTIVE_SYNC: &str = "/Microsoft-Server-ActiveSync";

pub(super) fn public_url(text: &str) -> Option<Option<Url>> {
    match text {
        "" => Some(None),
        text => endpoint(text).map(Some),
    }
}

/// Where ActiveSync is served: a host with TLS, with the path that devices ask for if there is none.
fn endpoint(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if url.scheme() != "https" || !url.has_host() || !is_plain {
        return None;
    }
    if url.path() == "/" {
        url.set_path(ACTIVE_SYNC);
    }
    Some(url)
}

pub(super) fn conflict_note(text: &str) -> Option<ConflictNote> {
    match text {
        "mail" => Some(ConflictNote::Mail),
        "list" => Some(ConflictNote::List),
        "off" => Some(ConflictNote::Off),
        _ => None,
    }
}

pub(super) fn redirects(text: &str) -> Option<Vec<Redirect>> {
    let rules = text.split(',').map(str::trim).filter(|rule| !rule.is_empty());
    rules.map(redirect).collect()
}

fn redirect(rule: &str) -> Option<Redirect> {
    let (logins, url) = rule.split_once('=').unwrap_or(("*", rule));
    let logins = logins.trim();
    // A star elsewhere would look like a pattern, and be none.
    let name = logins.strip_prefix("*@").unwrap_or(logins);
    let is_clear = logins == "*" || !(name.is_empty() || name.contains('*'));
    is_clear.then_some(Redirect {
        logins: logins.to_owned(),
        url: endpoint(url.trim())?,
    })
}

pub(super) fn url_path(text: &str) -> Option<String> {
    let path = text.trim_end_matches('/');
    let odd = |c: char| c.is_whitespace() || c.is_control() || "?#".contains(c);
    (path.starts_with('/') && !path.contains(odd)).then(|| path.to_owned())
}

pub(super) fn listen(text: &str) -> Option<Option<HostPort>> {
    match text {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    }
}

pub(super) fn networks(text: &str) -> Option<Networks> {
    text.parse().ok()
}

pub(super) fn secret(text: &str) -> Option<Option<SecretString>> {
    Some((!text.is_empty()).then(|| SecretString::from(text)))
}

pub(super) fn module(text: &str) -> Option<Option<String>> {
    let module = text.to_ascii_lowercase();
    if module.is_empty() || module == "none" {
        return Some(None);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    module.chars().all(plain).then_some(Some(module))
}

/// `directories` are where `configdb` will look for its files.
pub(super) fn database(text: &str, directories: &[PathBuf]) -> Option<Database> {
    if text == "configdb" {
        return Some(Database::Configdb {
            directories: directories.to_vec(),
        });
    }
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = Path::new(path);
        let names_a_file = path.is_absolute() && path.file_name().is_some();
        return names_a_file.then(|| Database::Sqlite(path.to_owned()));
    }
    mysql(text).map(Database::Mysql)
}

fn mysql(text: &str) -> Option<MysqlUrl> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "mysql")?;
    let decoded = |part: &str| Some(percent_decode_str(part).decode_utf8().ok()?.into_owned());
    let schema = decoded(url.path().strip_prefix('/')?)?;
    let user = decoded(url.username())?;
    if schema.is_empty() || schema.contains('/') || user.is_empty() {
        return None;
    }
    let host = match url.host()? {
        Host::Ipv6(address) => address.to_string(),
        host => host.to_string(),
    };
    Some(MysqlUrl {
        host,
        port: url.port().unwrap_or(3306),
        user,
        password: SecretString::from(decoded(url.password().unwrap_or_default())?),
        schema,
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn listen_addresses() {
        for (text, host, port) in [
            ("127.0.0.1:8009", "127.0.0.1", 8009),
            ("localhost:0", "localhost", 0),
            ("[::1]:8009", "::1", 8009),
        ] {
            let parsed: HostPort = text.parse().unwrap();
            assert_eq!((parsed.host.as_str(), parsed.port), (host, port));
            assert_eq!(parsed.to_string(), text);
        }
        for text in [
            "8009",
            ":8009",
            "::1:8009",
            "host:",
            "host:65536",
            "http://host:1",
            "a b:1",
            "[]:1",
        ] {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
    }

    /// Each case: pattern, domain, user, login.
    #[test]
    fn login_patterns() {
        for (pattern, domain, user, login) in [
            ("$USER@$DOMAIN", "example.com", "anna", "anna@example.com"),
            ("$USER", "ignored", "anna", "anna"),
            ("$DOMAIN/$USER", "EXAMPLE", "anna", "EXAMPLE/anna"),
            ("ä$USER$", "d", "anna", "äanna$"),
            // What a user is called is not a pattern.
            ("$USER@$DOMAIN", "d", "$DOMAIN", "$DOMAIN@d"),
        ] {
            assert_eq!(LoginPattern::new(pattern).unwrap().login(domain, user), login);
        }
        assert_eq!(LoginPattern::new("$DOMAIN"), None);
    }

    #[test]
    fn networks_of_proxies() {
        let networks = networks("10.1.2.3, 192.168.0.0/16,fd00::/8,").unwrap();
        // address, contained
        let cases = [
            ("10.1.2.3", true),
            ("10.1.2.4", false),
            ("192.168.255.1", true),
            ("::ffff:192.168.0.1", true),
            ("fd12::1", true),
            ("fe80::1", false),
        ];
        for (address, contained) in cases {
            assert_eq!(networks.contains(address.parse().unwrap()), contained, "{address}");
        }
        assert_eq!(super::networks(""), Some(Networks::default()));
        for text in ["proxy.example", "10.0.0.0/33", "10.0.0", "10.0.0.1 10.0.0.2"] {
            assert_eq!(super::networks(text), None, "{text}");
        }
    }

    #[test]
    fn database_urls() {
        let Some(Database::Mysql(url)) = database("mysql://ox:p%40ss@db.example:3307/usm_5", &[]) else {
            panic!("not understood");
        };
        assert_eq!((url.host.as_str(), url.port), ("db.example", 3307));
        assert_eq!((url.user.as_str(), url.schema.as_str()), ("ox", "usm_5"));
        assert_eq!(url.password.expose_secret(), "p@ss");
        assert!(!format!("{url:?}").contains("p@ss"));

        assert!(matches!(database("sqlite:/a/b.db", &[]), Some(Database::Sqlite(p)) if p == Path::new("/a/b.db")));
        let etc = [PathBuf::from("/etc/x")];
        assert!(matches!(database("configdb", &etc), Some(Database::Configdb { directories }) if directories == etc));
        for text in [
            "",
            "sqlite:b.db",
            "sqlite:/",
            "mysql://h/s",
            "mysql://u@h/",
            "mysql://u@h/a/b",
            "pg://u@h/s",
        ] {
            assert!(database(text, &[]).is_none(), "{text}");
        }
    }

    #[test]
    fn urls_end_with_a_slash() {
        assert_eq!(
            url("https://ox.example/ajax").unwrap().as_str(),
            "https://ox.example/ajax/"
        );
        assert_eq!(url("http://ox.example").unwrap().as_str(), "http://ox.example/");
        for text in ["ox.example/ajax", "ftp://ox.example/", "http://", "http://h/?a=b"] {
            assert!(url(text).is_none(), "{text}");
        }
    }

    #[test]
    fn endpoints() {
        // text, URL
        let cases = [
            (
                "https://mail.example",
                Some("https://mail.example/Microsoft-Server-ActiveSync"),
            ),
            (
                "https://mail.example:444/",
                Some("https://mail.example:444/Microsoft-Server-ActiveSync"),
            ),
            ("https://mail.example/eas", Some("https://mail.example/eas")),
            ("http://mail.example", None),
            ("https://user@mail.example", None),
            ("https://mail.example/?a", None),
            ("mail.example", None),
        ];
        for (text, expected) in cases {
            assert_eq!(endpoint(text).as_ref().map(Url::as_str), expected, "{text}");
        }
        assert_eq!(public_url(""), Some(None));
    }

    #[test]
    fn rules_of_redirection() {
        let read = |text| {
            let rules: Option<Vec<Redirect>> = redirects(text);
            let host = |rule: Redirect| (rule.logins, rule.url.host_str().unwrap_or_default().to_owned());
            rules.map(|rules| rules.into_iter().map(host).collect::<Vec<_>>())
        };
        let rule = |logins: &str, host: &str| (logins.to_owned(), host.to_owned());
        assert_eq!(read(""), Some(Vec::new()));
        assert_eq!(read("https://a.example"), Some(vec![rule("*", "a.example")]));
        let all = "anna@x = https://a.example/, *@y=https://b.example,carl=https://c.example,*=https://d.example";
        let expected = [
            ("anna@x", "a.example"),
            ("*@y", "b.example"),
            ("carl", "c.example"),
            ("*", "d.example"),
        ];
        assert_eq!(
            read(all),
            Some(expected.map(|(logins, host)| rule(logins, host)).to_vec())
        );
        for text in [
            "anna=",
            "=https://a.example",
            "a*=https://a.example",
            "*@=https://a.example",
            "https://a.example b",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn paths() {
        assert_eq!(url_path("/a/b/").as_deref(), Some("/a/b"));
        for text in ["", "/", "a", "/a b", "/a?b"] {
            assert!(url_path(text).is_none(), "{text}");
        }
    }
}
