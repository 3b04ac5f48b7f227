//! What requests are served with: the options that need no restart, in their places.
//!
//! Built at the start, and once more whenever the configuration is read again. A request keeps to the end what it began with,
//! so that a device which waits notices nothing. What devices have on the way (sessions, waits, lists) is handed from one to
//! the next.

use std::fs;
use std::sync::Arc;

use super::health::Health;
use crate::config::Cache;
use crate::config::Config;
use crate::config::ConflictNote;
use crate::config::History;
use crate::config::Networks;
use crate::eas::ConflictNotes;
use crate::eas::Eas;
use crate::eas::Heartbeat;
use crate::eas::Services;
use crate::eas::address::Addresses;
use crate::eas::options::Limits;
use crate::eas::record;
use crate::eas::redirect::Redirects;
use crate::eas::results::Results;
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::session::Access;
use crate::session::Sessions;
use crate::usm::brake;
use crate::usm::brake::Brakes;
use crate::usm::generations::Generations;
use crate::usm::listing::Listings;

/// The commands in which devices wait.
pub(super) const WAITING: [&str; 2] = ["Ping", "Sync"];

pub(super) struct Serving {
    pub(super) eas: Eas,
    pub(super) trusted_proxies: Networks,
    pub(super) cache: Cache,
    pub(super) history: History,
}

/// What is handed on.
#[derive(Clone)]
pub(super) struct Lasting {
    pub(super) sessions: Arc<Sessions>,
    pub(super) notifier: Notifier,
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
    listings: Listings,
    brakes: Brakes,
    results: Results,
}

impl Lasting {
    pub(super) fn new(sessions: Sessions, notifier: Notifier) -> Self {
        Self {
            sessions: Arc::new(sessions),
            notifier,
            metrics: Arc::new(Metrics::new()),
            health: Arc::new(Health::default()),
            listings: Listings::default(),
            brakes: Brakes::default(),
            results: Results::default(),
        }
    }

    /// Tells those who last what is new.
    pub(super) fn follow(&self, config: &Config) {
        self.sessions.set_access(access(config));
        self.notifier.set_interval(config.ping.poll_interval);
    }
}

impl Serving {
    pub(super) fn new(config: &Config, lasting: &Lasting) -> Self {
        let (metrics, health) = (lasting.metrics.clone(), lasting.health.clone());
        let eas = Eas::new(services(config, lasting), lasting.sessions.clone(), move |record| {
            metrics.request(
                record::label(&record.command),
                &record.version,
                record.http,
                record.status,
                record.took,
                record.ox_calls,
            );
            if WAITING.contains(&record::label(&record.command)) {
                health.note_wait(record.took, record.http.is_some());
            }
            if let Some(fault) = record.fault {
                metrics.error(fault.name());
            }
            if !record.ignored.is_empty() {
                metrics.ignored(&record.version, record.ignored.len());
            }
        });
        Self {
            eas,
            trusted_proxies: config.doors.http.trusted_proxies.clone(),
            cache: config.cache.clone(),
            history: config.history.clone(),
        }
    }
}

/// What a user must be allowed.
pub(super) fn access(config: &Config) -> Access {
    Access {
        module: config.access.module.clone(),
        active_sync: config.access.active_sync,
    }
}

fn services(config: &Config, lasting: &Lasting) -> Services {
    let pattern = config.eas.login_pattern.clone();
    let redirects = config.eas.redirects.iter();
    Services {
        notifier: lasting.notifier.clone(),
        listings: lasting.listings.clone(),
        brakes: lasting.brakes.clone(),
        generations: Generations::new(config.history.generations),
        clock: Box::new(|| jiff::Timestamp::now().as_millisecond()),
        results: lasting.results.clone(),
        heartbeat: Heartbeat {
            min: config.ping.min_heartbeat,
            max: config.ping.max_heartbeat,
        },
        limits: Limits {
            mail_age: config.limits.mail_age,
            objects_per_folder: config.limits.objects_per_folder,
            deletions: brake::Limits {
                items: config.limits.deletions,
                percent: config.limits.deletions_percent,
            },
        },
        largest_body: config.limits.body_bytes,
        most_fetched: config.limits.fetched_bytes,
        new_key_on_empty_sync: config.eas.new_sync_key_on_empty_sync,
        conflict_notes: match config.eas.conflict_note {
            ConflictNote::Mail => ConflictNotes::Mail,
            ConflictNote::List => ConflictNotes::List,
            ConflictNote::Off => ConflictNotes::Off,
        },
        folder_selection: config.eas.folder_selection,
        login: Box::new(move |domain, user| pattern.login(domain, user)),
        addresses: Addresses {
            alias: config.eas.alias.clone(),
            autodiscover: config.eas.autodiscover_alias.clone(),
            public_url: config.eas.public_url.clone(),
        },
        redirects: Redirects::new(redirects.map(|rule| (rule.logins.clone(), rule.url.clone()))),
        node: node(config),
    }
}

/// Where Linux tells the name of the host.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// The host, and where the gateway listens on it.
fn node(config: &Config) -> String {
    let host = fs::read_to_string(HOST_NAME).unwrap_or_default();
    let ports = [&config.doors.ajp.listen, &config.doors.http.listen];
    let ports = ports.into_iter().flatten().map(ToString::to_string);
    [vec![host.trim().to_owned()], ports.collect()].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::config::keys;
    use crate::eas::items;

    /// The document of conformance tells limits as they are unless they are configured.
    #[test]
    fn limits_are_told_as_they_are() {
        assert_eq!(keys::MAX_FETCHED_BYTES.default, items::MOST_FETCHED.to_string());
    }
}
