//! How the gateway is doing, part by part: what `/health` says, and a line in the log when a part changes.
//!
//! A part is well or not, and then says why and what to do. What goes wrong between others, as a secret that the web server
//! does not have, is a warning: to take the gateway for dead and start it again would not help.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use super::Gateway;
use super::doors::Listeners;
use super::waits::Waits;
use crate::config::Warning;
use crate::config::keys;

/// What is remembered for those who ask.
#[derive(Debug, Default)]
pub(super) struct Health {
    configuration: Mutex<Vec<String>>,
    /// Why the tables could not be created, the last time it was tried.
    tables: Mutex<Option<String>>,
    waits: Mutex<Waits>,
    addresses: OnceLock<BTreeMap<&'static str, Vec<SocketAddr>>>,
    ajp: OnceLock<ajp::Server>,
    /// What the log was told last of each part.
    told: Mutex<BTreeMap<&'static str, String>>,
}

/// One part, in the words of the log and of `/health`.
struct Part {
    name: &'static str,
    /// Why it is not well.
    reason: Option<String>,
    warnings: Vec<String>,
}

impl Health {
    /// What the administrator should know of the configuration in force.
    pub(super) fn note_configuration(&self, warnings: &[Warning]) {
        *lock(&self.configuration) = warnings.iter().map(ToString::to_string).collect();
    }

    pub(super) fn note_tables(&self, failure: Option<String>) {
        *lock(&self.tables) = failure;
    }

    /// Whether the tables of all databases were there or could be created.
    pub(super) fn has_tables(&self) -> bool {
        lock(&self.tables).is_none()
    }

    pub(super) fn note_listeners(&self, listeners: &Listeners, ajp: ajp::Server) {
        let _ = self.addresses.set(listeners.addresses());
        let _ = self.ajp.set(ajp);
    }

    /// A request that may have waited is over.
    pub(super) fn note_wait(&self, took: Duration, answered: bool) {
        if let Some(length) = lock(&self.waits).over(took, answered) {
            log::warn!("{}", cut_off(length));
        }
    }

    /// The state of all parts: whether all are well, and the object that says so.
    pub(super) async fn look(&self, gateway: &Gateway, stopping: bool) -> (bool, Value) {
        let (ox, database) = tokio::join!(gateway.ox.alive(), self.database(gateway));
        let parts = [
            Part {
                name: "configuration",
                reason: None,
                warnings: lock(&self.configuration).clone(),
            },
            Part {
                name: "ox",
                reason: ox.err().map(|error| error.to_string()),
                warnings: gateway.lasting.sessions.missing_permission().into_iter().collect(),
            },
            database,
            Part {
                name: "listeners",
                reason: None,
                warnings: self.of_listeners(),
            },
        ];
        let well = parts.iter().all(|part| part.reason.is_none()) && !stopping;
        let mut body = json!({
            "ok": well,
            "state": if stopping { "stopping" } else { "serving" },
            "version": env!("CARGO_PKG_VERSION"),
        });
        for part in parts {
            self.tell(&part);
            body[part.name] = part.json();
        }
        for (door, addresses) in self.addresses.get().into_iter().flatten() {
            body["listeners"][*door] = addresses.iter().map(ToString::to_string).collect();
        }
        (well, body)
    }

    async fn database(&self, gateway: &Gateway) -> Part {
        let reason = match gateway.store.ping().await {
            Ok(()) => lock(&self.tables).clone(),
            Err(error) => Some(error.to_string()),
        };
        let disabled = match reason {
            None => gateway.store.disabled_contexts().await.ok().flatten(),
            Some(_) => None,
        };
        Part {
            name: "database",
            reason,
            warnings: disabled.iter().map(ToString::to_string).collect(),
        }
    }

    fn of_listeners(&self) -> Vec<String> {
        let cut_off = lock(&self.waits).cut_off_after().map(cut_off);
        let refused = self.ajp.get().map_or(0, ajp::Server::refused_secrets);
        let secrets = (refused > 0).then(|| {
            format!(
                "{refused} requests over AJP came with a wrong secret or none; the web server needs the value of {} \
                 (ProxyPass ... secret=...)",
                keys::AJP_SECRET.name
            )
        });
        secrets.into_iter().chain(cut_off).collect()
    }

    /// The log hears of a part when it changes; a part that is well for the first time is no news.
    fn tell(&self, part: &Part) {
        let text = part.reason.clone().unwrap_or_default();
        let before = lock(&self.told).insert(part.name, text.clone()).unwrap_or_default();
        match (before == text, text.is_empty()) {
            (true, _) => {}
            (false, true) => log::info!("{} is well again", part.name),
            (false, false) => log::warn!("{} is not well: {text}", part.name),
        }
    }
}

impl Part {
    fn json(&self) -> Value {
        let mut value = json!({ "ok": self.reason.is_none() });
        if let Some(reason) = &self.reason {
            value["reason"] = reason.as_str().into();
        }
        if !self.warnings.is_empty() {
            value["warnings"] = self.warnings.clone().into();
        }
        value
    }
}

/// What it means that all waits end after this time.
fn cut_off(length: Duration) -> String {
    format!(
        "waiting devices are cut off after {} s: the timeout of the web server, or of something before it, is shorter than they \
         wait. Give its line a longer one (ProxyPass ... timeout=3700), or lower {}",
        length.as_secs_f64().round(),
        keys::PING_MAX_HEARTBEAT.name
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
