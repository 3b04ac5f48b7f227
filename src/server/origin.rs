//! Finds out where a request comes from: what the web server tells by its protocol, and what proxies tell in headers.
//!
//! `X-Forwarded-*` are words that anybody can write. They count as far as they were written by a proxy that the
//! administrator named: the list in `X-Forwarded-For` grows at its right end, so it is read from there, and the first
//! address that is no such proxy is the device's. AJP13's `remote_user` and all its other attributes are ignored.

use std::net::IpAddr;
use std::net::SocketAddr;

use http::HeaderMap;
use http::HeaderName;
use http::header;

use crate::config::Networks;
use crate::eas::origin::Origin;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Of a request that came over AJP13.
pub(super) fn of_ajp(peer: &ajp::Peer, headers: &HeaderMap, trusted: &Networks) -> Origin {
    let nearest = Origin {
        address: peer.ip().map(|address| address.to_canonical()),
        port: peer.remote_port,
        is_https: peer.is_ssl,
        host: host(headers).or_else(|| Some(peer.server_name.clone()).filter(|name| !name.is_empty())),
    };
    forwarded(nearest, headers, trusted)
}

/// Of a request that came over HTTP, from `peer`.
pub(super) fn of_http(peer: SocketAddr, headers: &HeaderMap, trusted: &Networks) -> Origin {
    let nearest = Origin {
        address: Some(peer.ip().to_canonical()),
        port: Some(peer.port()),
        is_https: false,
        host: host(headers),
    };
    forwarded(nearest, headers, trusted)
}

/// What is behind the nearest peer, if that is a proxy we trust.
fn forwarded(nearest: Origin, headers: &HeaderMap, trusted: &Networks) -> Origin {
    let is_trusted = |origin: &Origin| origin.address.is_some_and(|address| trusted.contains(address));
    if !is_trusted(&nearest) {
        return nearest;
    }
    let mut origin = nearest;
    for text in list(headers, &FORWARDED_FOR).iter().rev() {
        let Some((address, port)) = address(text) else { break };
        origin.address = Some(address);
        origin.port = port;
        if !is_trusted(&origin) {
            break;
        }
    }
    // The last word is that of the proxy next to us; what stands before it may be the device's own.
    if let Some(scheme) = list(headers, &FORWARDED_PROTO).pop() {
        origin.is_https = scheme.eq_ignore_ascii_case("https");
    }
    if let Some(host) = list(headers, &FORWARDED_HOST).pop() {
        origin.host = Some(host.to_owned());
    }
    origin
}

/// The parts of a header that is a list, though it came in several lines.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let parts = lines.flat_map(|line| line.split(',')).map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

/// An address as proxies write it: with or without a port, IPv6 then in brackets.
fn address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(text).parse::<IpAddr>() {
        return Some((address.to_canonical(), None));
    }
    let with_port = text.parse::<SocketAddr>().ok()?;
    Some((with_port.ip().to_canonical(), Some(with_port.port())))
}

fn host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(host.to_owned()).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    /// Two proxies are trusted: ourselves, and a network.
    fn trusted() -> Networks {
        "127.0.0.1,10.0.0.0/8".parse().unwrap()
    }

    #[test]
    fn the_first_address_that_is_no_proxy_of_ours() {
        let peer = "127.0.0.1:40000";
        // who connects, X-Forwarded-For, where the request comes from
        let cases = [
            (peer, "", peer),
            (peer, "192.0.2.7", "192.0.2.7"),
            (peer, "192.0.2.7, 10.1.1.1", "192.0.2.7"),
            // What the device itself wrote stands on the left.
            (peer, "203.0.113.9, 192.0.2.7, 10.1.1.1", "192.0.2.7"),
            (peer, "10.2.2.2, 10.1.1.1", "10.2.2.2"),
            (peer, "192.0.2.7:50123", "192.0.2.7:50123"),
            (peer, "[2001:db8::7]:50123", "[2001:db8::7]:50123"),
            (peer, "[2001:db8::7]", "2001:db8::7"),
            (peer, "::ffff:192.0.2.7", "192.0.2.7"),
            // What is no address ends the search.
            (peer, "192.0.2.7, unknown", peer),
            (peer, "192.0.2.7, unknown, 10.1.1.1", "10.1.1.1"),
            // Nobody knows this peer.
            ("198.51.100.1:40000", "192.0.2.7", "198.51.100.1:40000"),
            ("[::ffff:127.0.0.1]:40000", "192.0.2.7", "192.0.2.7"),
        ];
        for (peer, list, expected) in cases {
            let headers = headers(&[("x-forwarded-for", list)]);
            let origin = of_http(peer.parse().unwrap(), &headers, &trusted());
            assert_eq!(origin.to_string(), expected, "{peer} {list}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let headers = headers(&[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "10.1.1.1")]);
        let origin = of_http("127.0.0.1:40000".parse().unwrap(), &headers, &trusted());
        assert_eq!(origin.to_string(), "192.0.2.7");
    }

    #[test]
    fn scheme_and_host_are_believed_of_the_same_proxies() {
        let headers = headers(&[
            ("host", "gateway:8010"),
            ("x-forwarded-proto", "http, https"),
            ("x-forwarded-host", "forged.example, mail.example"),
        ]);
        let of = |peer: &str| of_http(peer.parse().unwrap(), &headers, &trusted());
        let (known, unknown) = (of("10.9.9.9:1"), of("192.0.2.7:1"));
        assert_eq!((known.scheme(), known.host.as_deref()), ("https", Some("mail.example")));
        assert_eq!(
            (unknown.scheme(), unknown.host.as_deref()),
            ("http", Some("gateway:8010"))
        );
    }

    #[test]
    fn what_the_web_server_tells_over_ajp() {
        let peer = ajp::Peer {
            remote_addr: "192.0.2.7".to_owned(),
            remote_port: Some(50123),
            server_name: "mail.example".to_owned(),
            is_ssl: true,
            ..ajp::Peer::default()
        };
        let forged = headers(&[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "http")]);
        let origin = of_ajp(&peer, &forged, &trusted());
        assert_eq!(origin.to_string(), "192.0.2.7:50123");
        assert_eq!(
            (origin.scheme(), origin.host.as_deref()),
            ("https", Some("mail.example"))
        );

        // A balancer in front of the web server.
        let peer = ajp::Peer {
            remote_addr: "10.1.1.1".to_owned(),
            ..peer
        };
        assert_eq!(of_ajp(&peer, &forged, &trusted()).to_string(), "203.0.113.9");

        let peer = ajp::Peer {
            remote_addr: "no address".to_owned(),
            ..peer
        };
        assert_eq!(of_ajp(&peer, &forged, &trusted()).address, None);
    }
}
