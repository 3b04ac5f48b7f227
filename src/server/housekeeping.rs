//! What the gateway does by itself, whoever asks or not.

use std::time::Duration;
use std::time::Instant;

use super::Gateway;
use super::Lasting;
use crate::store;
use crate::store::Stale;
use crate::store::Store;

/// How often tables are looked for and old notes are cleared away.
const HOUR: Duration = Duration::from_secs(3600);

/// How often devices whose time is over are looked for.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Devices of one schema that are forgotten in a day, for one reason. More wait for the next day, so that a database never has
/// much to do at once.
const MOST: u32 = 5000;

/// Creates tables where they are missing, sees whether Open-Xchange answers, logs out idle devices, forgets old notes and
/// devices that are gone, and says now and then how it goes.
pub(super) async fn keep_house(gateway: Gateway) {
    let (mut hour, mut day) = (Interval::new(), Interval::new());
    let mut log = Interval::new();
    prepare_tables(&gateway).await;
    let (mut well, _) = gateway.lasting.health.look(&gateway, false).await;
    if well {
        log::info!("Open-Xchange and the database answer");
    }
    forget_old_notes(&gateway).await;
    forget_devices(&gateway).await;
    loop {
        // What is configured may change meanwhile.
        let cache = gateway.serving().cache.clone();
        tokio::time::sleep(cache.check_interval).await;
        let Lasting { sessions, notifier, .. } = &gateway.lasting;
        sessions.sweep(cache.session_timeout).await;
        if log.is_over(cache.log_interval) {
            let (devices, users) = (sessions.count(), notifier.count());
            log::info!(
                "{devices} devices, {users} users waited for, {} OX calls",
                gateway.ox.calls()
            );
        }
        if hour.is_over(HOUR) {
            prepare_tables(&gateway).await;
            forget_old_notes(&gateway).await;
        } else if !gateway.lasting.health.has_tables() {
            prepare_tables(&gateway).await;
        }
        // What was not well is looked at until it is; the log tells.
        if !well {
            (well, _) = gateway.lasting.health.look(&gateway, false).await;
        }
        if day.is_over(DAY) {
            forget_devices(&gateway).await;
        }
    }
}

/// OX can move a context only into a schema that has the tables, so that they must not wait for a first login.
async fn prepare_tables(gateway: &Gateway) {
    let failure = gateway.store.prepare_all().await.err();
    if let Some(error) = &failure {
        log::warn!("creating tables: {error}");
    }
    gateway
        .lasting
        .health
        .note_tables(failure.map(|error| error.to_string()));
}

async fn forget_old_notes(gateway: &Gateway) {
    let lifetime = gateway.serving().history.journal_lifetime;
    let lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
    let before = jiff::Timestamp::now().as_millisecond().saturating_sub(lifetime);
    if let Err(error) = gateway.store.forget_notes_before(before).await {
        log::warn!("clearing away old notes: {error}");
    }
}

async fn forget_devices(gateway: &Gateway) {
    let lifetime = gateway.serving().history.device_lifetime;
    let today = store::today();
    if let Err(error) = gateway.store.date_undated(today, MOST).await {
        log::warn!("noting when devices came last: {error}");
    }
    let unseen = lifetime.map(|lifetime| Stale::unseen_for(lifetime, today));
    for stale in unseen.into_iter().chain([Stale::WithoutUser]) {
        if let Err(error) = forget_stale(&gateway.store, stale).await {
            log::warn!("forgetting devices whose time is over: {error}");
        }
    }
}

/// Those that come back meanwhile, and those that another gateway has just forgotten, are passed over.
async fn forget_stale(store: &Store, stale: Stale) -> Result<(), store::Error> {
    for entry in store.stale(stale, MOST).await? {
        if store.remove_stale(entry.session, stale).await? {
            log::info!("forgotten: {entry}, {}", entry.reason(stale));
        }
    }
    Ok(())
}

/// A time that passes again and again.
struct Interval {
    since: Instant,
}

impl Interval {
    fn new() -> Self {
        Self { since: Instant::now() }
    }

    /// Once for each time that so much has passed.
    fn is_over(&mut self, length: Duration) -> bool {
        if self.since.elapsed() < length {
            return false;
        }
        self.since = Instant::now();
        true
    }
}
