//! The wish to stop, as the listener says it and its connections hear it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::sleep_until;

/// How long a connection may stay idle once the server stops. Apache may have taken it for a request in the very moment
/// of the stop; closing it then would cost that request.
const QUIET: Duration = Duration::from_secs(1);

/// The listener's end.
pub(super) struct Stop(watch::Sender<Option<Instant>>);

/// The end of a connection.
#[derive(Clone)]
pub(super) struct Stopping(watch::Receiver<Option<Instant>>);

impl Stop {
    pub(super) fn new() -> (Self, Stopping) {
        let (ask, asked) = watch::channel(None);
        (Self(ask), Stopping(asked))
    }

    /// From now on every response ends its connection, and idle ones end after a moment.
    pub(super) fn ask(&self) {
        self.0.send_replace(Some(Instant::now()));
    }
}

impl Stopping {
    pub(super) fn is_asked(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until the stop has been asked for, and then until whoever is idle since may be taken to stay so.
    pub(super) async fn asked_and_quiet(&mut self) {
        let asked = self.0.wait_for(Option::is_some).await.map(|asked| *asked);
        // Without a listener nothing is to be waited for.
        if let Ok(Some(asked)) = asked {
            let begun = asked.max(Instant::now());
            sleep_until(begun.checked_add(QUIET).unwrap_or(begun)).await;
        }
    }
}
