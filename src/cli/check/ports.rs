//! The ports of the gateway: free, its own, or somebody else's?

use std::io;
use std::io::ErrorKind;
use std::net::SocketAddr;

use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

use super::ajp;
use super::finding::Report;
use super::gateway;
use super::gateway::Running;
use crate::config::Config;
use crate::config::HostPort;
use crate::config::keys;
use crate::config::keys::Key;
use crate::config::review::Review;
use crate::server::check_exposure;

const PART: &str = "listeners";

pub(super) async fn check(config: &Config, review: &Review, running: &Running, report: &mut Report<'_>) {
    let doors = &config.doors;
    // door, its option, its address
    let configured: [(&str, &Key, &Option<HostPort>); 3] = [
        ("ajp", &keys::AJP_LISTEN, &doors.ajp.listen),
        ("http", &keys::HTTP_LISTEN, &doors.http.listen),
        ("admin", &keys::ADMIN_LISTEN, &doors.admin),
    ];
    for (door, key, address) in configured {
        let Some(address) = address else { continue };
        let door = Door {
            name: door,
            key,
            address,
            config,
            review,
        };
        door.check(running, report).await;
    }
}

struct Door<'a> {
    name: &'static str,
    key: &'static Key,
    address: &'a HostPort,
    config: &'a Config,
    review: &'a Review,
}

impl Door<'_> {
    async fn check(&self, running: &Running, report: &mut Report<'_>) {
        let (name, address) = (self.name, self.address);
        if address.port == 0 {
            return report.ok(PART, format!("{name}: any free port of {}", address.host));
        }
        let resolved = match gateway::resolve(&address.host, address.port).await {
            Ok(addresses) => addresses,
            Err(error) => {
                let what = format!("{name}: {address} is no address of this host: {error}");
                return report.error(PART, what, self.another());
            }
        };
        let Some(&first) = resolved.first() else {
            return report.error(PART, format!("{name}: {address} is no address"), self.another());
        };
        if name == "ajp"
            && let Err(error) = check_exposure(Ok(first), &self.config.doors.ajp)
        {
            report.error(PART, error.to_string(), self.review.line(&keys::AJP_SECRET, "WORD"));
        }
        if running.holds(name, first) {
            return report.ok(PART, format!("{name}: {address} is the running gateway's"));
        }
        match TcpListener::bind(first).await {
            Ok(_) => report.ok(PART, format!("{name}: {address} is free")),
            Err(error) if error.kind() == ErrorKind::AddrInUse => self.taken(first, report).await,
            Err(error) => self.refused(&error, report),
        }
    }

    /// Somebody has the port: a gateway that did not say so, or another program.
    async fn taken(&self, address: SocketAddr, report: &mut Report<'_>) {
        let who = match self.name {
            "ajp" => self.who(address).await,
            _ => String::new(),
        };
        let what = format!(
            "{}: {} ({}) is taken by another program{who}",
            self.name, self.address, self.key.name
        );
        let change = format!(
            "stop that program (ss -ltnp shows it; systemd there means a socket unit), or {}",
            self.another()
        );
        report.error(PART, what, change);
    }

    async fn who(&self, address: SocketAddr) -> String {
        let secret = self.config.doors.ajp.secret.as_ref();
        let arguments = ajp::Arguments {
            address: address.to_string(),
            secret: secret.map(|secret| secret.expose_secret().to_owned()),
            path: self.config.eas.alias.parse().unwrap_or_else(|_| ajp::default_path()),
        };
        let mut last = String::new();
        ajp::run(&arguments, |finding| last = finding.to_string()).await;
        format!(
            ": {}",
            last.split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
                .trim_end_matches('.')
        )
    }

    fn refused(&self, error: &io::Error, report: &mut Report<'_>) {
        let what = format!(
            "{}: cannot listen on {} ({}): {error}",
            self.name, self.address, self.key.name
        );
        report.error(PART, what, self.another());
    }

    /// The line that gives the door another address.
    fn another(&self) -> String {
        let port = self.address.port.checked_add(10).unwrap_or(self.address.port);
        self.review.line(self.key, &format!("127.0.0.1:{port}"))
    }
}
