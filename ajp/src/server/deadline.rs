//! A moment that may never come.

use std::time::Duration;

use tokio::time::Instant;
use tokio::time::sleep_until;

/// When to stop waiting; the default is never.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// The moment after this time from now. A time beyond what clocks can hold is never.
    pub(super) fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// The same, where no time means never.
    pub(super) fn after_some(time: Option<Duration>) -> Self {
        time.map(Self::after).unwrap_or_default()
    }

    /// Waits for it.
    pub(super) async fn passed(self) {
        match self.0 {
            Some(moment) => sleep_until(moment).await,
            None => std::future::pending().await,
        }
    }
}
