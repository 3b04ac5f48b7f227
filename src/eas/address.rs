//! Where we are found: the paths that are ours, and the URLs that devices are told.
//!
//! Pure. Paths are compared in any letter case, since devices and people write them as they like. Implements [MS-ASHTTP]
//! "Request-URI" and the locations of [MS-ASCMD] Autodiscover.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::eas::origin::Origin;

/// Devices make this path of a host that they are told, and ask for no other.
const ACTIVE_SYNC: &str = "/Microsoft-Server-ActiveSync";

/// The path at which every client looks for Autodiscover.
const AUTODISCOVER: &str = "/autodiscover/autodiscover.xml";

/// Where the gateway is found, from both sides of the web server.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The path of ActiveSync; begins with a slash and does not end with one.
    pub alias: String,
    /// The path above those of Autodiscover, likewise.
    pub autodiscover: String,
    /// The URL of ActiveSync as devices reach it; `None`: at the host that they ask.
    pub public_url: Option<Url>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    ActiveSync,
    /// The XML of Autodiscover.
    Autodiscover,
    /// The JSON of its second version; the address as far as it is part of the path.
    AutodiscoverJson {
        address: Option<String>,
    },
}

impl Addresses {
    /// What stands at a path of ours.
    pub fn endpoint(&self, path: &str) -> Option<Endpoint> {
        if let Some(rest) = below(path, &self.alias) {
            let is_default = rest.eq_ignore_ascii_case("/default.eas");
            return (is_default || is_end(rest)).then_some(Endpoint::ActiveSync);
        }
        let rest = below(path, &self.autodiscover)?;
        if let Some(rest) = below(rest, "/autodiscover.xml") {
            return is_end(rest).then_some(Endpoint::Autodiscover);
        }
        let rest = below(rest, "/autodiscover.json")?;
        if is_end(rest) {
            return Some(Endpoint::AutodiscoverJson { address: None });
        }
        let (_version, address) = rest.strip_prefix('/')?.split_once('/')?;
        let address = percent_decode_str(address).decode_utf8_lossy().into_owned();
        Some(Endpoint::AutodiscoverJson { address: Some(address) })
    }

    /// The URL of ActiveSync, always with TLS. `None` if the device did not name a host that can be one.
    pub fn active_sync(&self, origin: &Origin) -> Option<Url> {
        if let Some(url) = &self.public_url {
            return Some(url.clone());
        }
        let mut url = asked(origin)?;
        url.set_path(ACTIVE_SYNC);
        Some(url)
    }

    /// The URL of Autodiscover, likewise.
    pub fn autodiscover(&self, origin: &Origin) -> Option<Url> {
        let mut url = self.public_url.clone().or_else(|| asked(origin))?;
        url.set_path(AUTODISCOVER);
        Some(url)
    }

    /// Whether a URL leads back here.
    pub fn is_own(&self, url: &Url, origin: &Origin) -> bool {
        let own = [self.public_url.clone(), asked(origin)];
        own.iter().flatten().any(|own| own.host() == url.host())
    }
}

/// The URL of the host that the device asked. A port is kept if it is that of TLS.
fn asked(origin: &Origin) -> Option<Url> {
    let host = origin.host.as_deref()?;
    let mut url = Url::parse(&format!("https://{host}")).ok()?;
    if host.contains(['/', '\\', '?', '#', '@']) || !url.has_host() {
        return None;
    }
    if !origin.is_https {
        url.set_port(None).ok()?;
    }
    Some(url)
}

/// What follows `base` in a path.
fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    let (head, rest) = path.split_at_checked(base.len())?;
    head.eq_ignore_ascii_case(base).then_some(rest)
}

fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest == "/"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(public_url: Option<&str>) -> Addresses {
        Addresses {
            alias: "/Microsoft-Server-ActiveSync".to_owned(),
            autodiscover: "/autodiscover".to_owned(),
            public_url: public_url.map(|url| url.parse().unwrap()),
        }
    }

    fn origin(host: Option<&str>, is_https: bool) -> Origin {
        Origin {
            host: host.map(str::to_owned),
            is_https,
            ..Origin::default()
        }
    }

    #[test]
    fn paths() {
        let active_sync = || Some(Endpoint::ActiveSync);
        let json = |address: Option<&str>| {
            let address = address.map(str::to_owned);
            Some(Endpoint::AutodiscoverJson { address })
        };
        let cases = [
            ("/Microsoft-Server-ActiveSync", active_sync()),
            ("/microsoft-server-activesync", active_sync()),
            ("/Microsoft-Server-ActiveSync/", active_sync()),
            ("/Microsoft-Server-ActiveSync/default.eas", active_sync()),
            ("/MICROSOFT-SERVER-ACTIVESYNC/Default.EAS", active_sync()),
            ("/Microsoft-Server-ActiveSync2", None),
            ("/Microsoft-Server-ActiveSync//", None),
            ("/Microsoft-Server-ActiveSyn", None),
            ("/", None),
            ("/Micro\u{17f}oft-Server-ActiveSync", None),
            ("/autodiscover/autodiscover.xml", Some(Endpoint::Autodiscover)),
            ("/Autodiscover/Autodiscover.xml", Some(Endpoint::Autodiscover)),
            ("/AutoDiscover/AutoDiscover.XML/", Some(Endpoint::Autodiscover)),
            ("/autodiscover/autodiscover.xml2", None),
            ("/autodiscover", None),
            ("/autodiscover/autodiscover.svc", None),
            ("/autodiscover/autodiscover.json", json(None)),
            ("/Autodiscover/Autodiscover.json/", json(None)),
            (
                "/autodiscover/autodiscover.json/v1.0/anton%40example.com",
                json(Some("anton@example.com")),
            ),
            ("/autodiscover/autodiscover.json/v1.0", None),
        ];
        for (path, expected) in cases {
            assert_eq!(addresses(None).endpoint(path), expected, "{path}");
        }
    }

    #[test]
    fn urls_have_tls_and_the_host_that_was_asked() {
        // Host, over TLS, URL
        let cases = [
            (Some("mail.example"), true, Some("https://mail.example")),
            (Some("mail.example:443"), true, Some("https://mail.example")),
            (Some("mail.example:8443"), true, Some("https://mail.example:8443")),
            (Some("mail.example:8080"), false, Some("https://mail.example")),
            (Some("[2001:db8::1]:8443"), true, Some("https://[2001:db8::1]:8443")),
            (None, true, None),
            (Some(""), true, None),
            (Some("mail.example/path"), true, None),
            (Some("user@mail.example"), true, None),
            (Some("a\"><b"), true, None),
        ];
        for (host, is_https, expected) in cases {
            let url = addresses(None).active_sync(&origin(host, is_https));
            let expected = expected.map(|base| format!("{base}/Microsoft-Server-ActiveSync"));
            assert_eq!(url.map(String::from), expected, "{host:?}");
        }
        let public = addresses(Some("https://phones.example:444/Microsoft-Server-ActiveSync"));
        let origin = origin(Some("autodiscover.example"), true);
        assert_eq!(
            public.active_sync(&origin).unwrap().as_str(),
            "https://phones.example:444/Microsoft-Server-ActiveSync"
        );
        assert_eq!(
            public.autodiscover(&origin).unwrap().as_str(),
            "https://phones.example:444/autodiscover/autodiscover.xml"
        );
    }

    #[test]
    fn ways_that_lead_back() {
        let public = addresses(Some("https://phones.example/Microsoft-Server-ActiveSync"));
        let origin = origin(Some("Mail.example:443"), true);
        for (url, own) in [
            ("https://phones.example/x", true),
            ("https://mail.example/x", true),
            ("https://other.example/x", false),
        ] {
            assert_eq!(public.is_own(&url.parse().unwrap(), &origin), own, "{url}");
        }
    }
}
