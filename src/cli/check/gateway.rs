//! A gateway that runs here already: what it says about itself.

use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use serde_json::Value;
use tokio::net::lookup_host;

use super::apache::Certificates;
use super::apache::ask;
use super::finding::Report;
use crate::config::Config;

const PART: &str = "gateway";

const PATIENCE: Duration = Duration::from_secs(20);

/// Parts of `/health`. What is wrong with Open-Xchange and the database was found by looking at them; they are here all the
/// same, since the gateway may have another configuration than its files have by now.
const PARTS: [&str; 4] = ["configuration", "ox", "database", "listeners"];

/// What is known of a gateway that runs; all empty if there is none, or if it has no admin port.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// By the name of the door.
    addresses: Vec<(String, SocketAddr)>,
}

impl Running {
    /// Whether the gateway has this address at that door.
    pub(super) fn holds(&self, door: &str, address: SocketAddr) -> bool {
        let same = |(of, bound): &(String, SocketAddr)| {
            let everywhere = bound.ip().is_unspecified() && bound.port() == address.port();
            of == door && (*bound == address || everywhere)
        };
        self.addresses.iter().any(same)
    }
}

pub(super) async fn check(config: &Config, report: &mut Report<'_>) -> Running {
    let Some(admin) = config.doors.admin.as_ref().filter(|admin| admin.port != 0) else {
        return Running::default();
    };
    let url = format!("http://{admin}/health");
    let answer = match url.parse() {
        Ok(url) => ask(Method::GET, url, Vec::new(), PATIENCE, Certificates::Trusted).await,
        Err(_) => return Running::default(),
    };
    // What stands there if it is no gateway is the business of the ports.
    let health: Option<Value> = answer.ok().and_then(|answer| serde_json::from_slice(&answer.body).ok());
    let Some(health) = health.filter(|health| health["state"].is_string()) else {
        report.ok(PART, format!("none runs at {url}"));
        return Running::default();
    };
    tell(&url, &health, report);
    Running {
        addresses: addresses(&health),
    }
}

fn tell(url: &str, health: &Value, report: &mut Report<'_>) {
    let version = health["version"].as_str().unwrap_or("unknown");
    match version == env!("CARGO_PKG_VERSION") {
        true => report.ok(PART, format!("{url}: runs, version {version}")),
        false => report.warning(
            PART,
            format!(
                "{url}: version {version} runs, and this is {}",
                env!("CARGO_PKG_VERSION")
            ),
            "systemctl restart oxtender",
        ),
    }
    for part in PARTS {
        let health = &health[part];
        if let Some(reason) = health["reason"].as_str() {
            report.error(
                PART,
                format!("{part}: {reason}"),
                "as it says; if that is done, systemctl restart oxtender",
            );
        }
        for warning in health["warnings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            report.warning(PART, format!("{part}: {warning}"), "as it says");
        }
    }
}

fn addresses(health: &Value) -> Vec<(String, SocketAddr)> {
    let doors = health["listeners"].as_object().into_iter().flatten();
    let of_door = |(door, addresses): (&String, &Value)| {
        let addresses = addresses.as_array().cloned().unwrap_or_default();
        let bound = addresses.iter().filter_map(|address| address.as_str()?.parse().ok());
        bound.map(|address| (door.clone(), address)).collect::<Vec<_>>()
    };
    doors.flat_map(of_door).collect()
}

/// The addresses of a name and port.
pub(super) async fn resolve(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    Ok(lookup_host((host, port)).await?.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn doors_are_known_by_their_addresses() {
        let running = Running {
            addresses: addresses(&json!({
                "listeners": { "ok": true, "ajp": ["127.0.0.1:8009", "[::1]:8009"], "http": [], "admin": ["0.0.0.0:8011"] }
            })),
        };
        // door, address, whether it is the gateway's
        for (door, address, expected) in [
            ("ajp", "127.0.0.1:8009", true),
            ("ajp", "[::1]:8009", true),
            ("http", "127.0.0.1:8009", false),
            ("ajp", "127.0.0.1:8010", false),
            ("admin", "127.0.0.1:8011", true),
        ] {
            assert_eq!(
                running.holds(door, address.parse().unwrap()),
                expected,
                "{door} {address}"
            );
        }
        assert!(addresses(&json!({"state": "serving"})).is_empty());
    }
}
