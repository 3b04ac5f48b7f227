//! The requests of one device, one after the other: a newer one ends the wait of those before it.
//!
//! A request that only waits for changes is of no use once its device has sent another: it went away, or changed its mind. That
//! holds whether the older one is at work already or comes to it while the newer one stands behind.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

/// The turns of one device.
#[derive(Debug, Default)]
pub(super) struct Turns {
    queue: Arc<tokio::sync::Mutex<()>>,
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    /// How many have come.
    ticket: u64,
    /// Of the request that is at work.
    running: CancellationToken,
}

/// The right to be the only request of a device.
#[derive(Debug)]
pub struct Turn {
    /// Cancelled when the next request of the device has come, or the gateway goes down: whoever waits for changes answers now.
    pub superseded: CancellationToken,
    _guard: OwnedMutexGuard<()>,
}

impl Turns {
    /// Waits for those before, at most so long; `None` if that was not enough. `stop` is what ends all waits.
    pub(super) async fn next(&self, patience: Duration, stop: &CancellationToken) -> Option<Turn> {
        let ticket = self.enter();
        let guard = tokio::time::timeout(patience, self.queue.clone().lock_owned())
            .await
            .ok()?;
        let superseded = stop.child_token();
        let mut latest = self.latest();
        latest.running = superseded.clone();
        if latest.ticket != ticket {
            superseded.cancel();
        }
        Some(Turn {
            superseded,
            _guard: guard,
        })
    }

    /// Whether no request is at work.
    pub(super) fn is_free(&self) -> bool {
        self.queue.try_lock().is_ok()
    }

    /// The token of the request that is at work.
    pub(super) fn running(&self) -> CancellationToken {
        self.latest().running.clone()
    }

    fn enter(&self) -> u64 {
        let mut latest = self.latest();
        latest.running.cancel();
        latest.ticket += 1;
        latest.ticket
    }

    fn latest(&self) -> std::sync::MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Of three requests the second gets its turn while the third stands behind it: it must not wait for changes.
    #[tokio::test]
    async fn who_is_followed_does_not_wait() {
        let (turns, stop) = (Arc::new(Turns::default()), CancellationToken::new());
        let first = turns.next(PATIENCE, &stop).await.unwrap();
        assert!(!first.superseded.is_cancelled());
        let follower = || {
            let (turns, stop) = (turns.clone(), stop.clone());
            tokio::spawn(async move { turns.next(PATIENCE, &stop).await.unwrap() })
        };
        let second = follower();
        first.superseded.cancelled().await;
        let third = follower();
        while turns.latest().ticket < 3 {
            tokio::task::yield_now().await;
        }
        drop(first);
        let second = second.await.unwrap();
        assert!(second.superseded.is_cancelled());
        drop(second);
        let third = third.await.unwrap();
        assert!(!third.superseded.is_cancelled());
        stop.cancel();
        assert!(third.superseded.is_cancelled());
    }

    #[tokio::test]
    async fn patience_has_an_end() {
        let (turns, stop) = (Turns::default(), CancellationToken::new());
        let first = turns.next(PATIENCE, &stop).await;
        assert!(!turns.is_free());
        assert!(turns.next(Duration::ZERO, &stop).await.is_none());
        drop(first);
        assert!(turns.is_free());
        assert!(turns.next(PATIENCE, &stop).await.is_some());
    }
}
