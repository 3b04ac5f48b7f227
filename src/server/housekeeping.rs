//! What the gateway does by itself, whoever asks or not.

use std::time::Duration;
use std::time::Instant;

use super::Gateway;

/// How often old notes are cleared away.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// Creates tables where they are missing, sees whether Open-Xchange answers, logs out idle devices, forgets old notes, and says now and then how it goes.
pub(super) async fn keep_house(gateway: Gateway) {
    let mut hour = Interval::new(HOUSEKEEPING);
    let mut log = Interval::new(gateway.cache.log_interval);
    prepare_tables(&gateway).await;
    let (mut well, _) = gateway.health.look(&gateway, false).await;
    if well {
        log::info!("Open-Xchange and the database answer");
    }
    forget_old_notes(&gateway).await;
    loop {
        tokio::time::sleep(gateway.cache.check_interval).await;
        gateway.sessions.sweep(gateway.cache.session_timeout).await;
        if log.is_over() {
            let (devices, users) = (gateway.sessions.count(), gateway.notifier.count());
            log::info!(
                "{devices} devices, {users} users waited for, {} OX calls",
                gateway.ox.calls()
            );
        }
        if hour.is_over() {
            prepare_tables(&gateway).await;
            forget_old_notes(&gateway).await;
        } else if !gateway.health.has_tables() {
            prepare_tables(&gateway).await;
        }
        // What was not well is looked at until it is; the log tells.
        if !well {
            (well, _) = gateway.health.look(&gateway, false).await;
        }
    }
}

/// OX can move a context only into a schema that has the tables, so that they must not wait for a first login.
async fn prepare_tables(gateway: &Gateway) {
    let failure = gateway.store.prepare_all().await.err();
    if let Some(error) = &failure {
        log::warn!("creating tables: {error}");
    }
    gateway.health.note_tables(failure.map(|error| error.to_string()));
}

async fn forget_old_notes(gateway: &Gateway) {
    let lifetime = i64::try_from(gateway.journal_lifetime.as_millis()).unwrap_or(i64::MAX);
    let before = jiff::Timestamp::now().as_millisecond().saturating_sub(lifetime);
    if let Err(error) = gateway.store.forget_notes_before(before).await {
        log::warn!("clearing away old notes: {error}");
    }
}

/// A time that passes again and again.
struct Interval {
    length: Duration,
    since: Instant,
}

impl Interval {
    fn new(length: Duration) -> Self {
        Self {
            length,
            since: Instant::now(),
        }
    }

    /// Once for each time that the interval has passed.
    fn is_over(&mut self) -> bool {
        if self.since.elapsed() < self.length {
            return false;
        }
        self.since = Instant::now();
        true
    }
}
