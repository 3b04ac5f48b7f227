//! The clock of the server: real time, or whatever a test says.
//!
//! All stamps of the server come from here, in milliseconds since 1970 UTC. A stopped clock lets several changes share
//! one millisecond; a lag makes a change appear later than its stamp, as a slow transaction does.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// A clock that can be stopped and moved.
#[derive(Debug, Default)]
pub struct Clock {
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// `Some` while the clock stands.
    stopped_at: Option<i64>,
    /// Added to real time while the clock runs.
    offset: i64,
    /// How far the stamps of changes lie in the past.
    lag: i64,
}

impl Clock {
    /// Milliseconds since 1970 UTC.
    pub fn now(&self) -> i64 {
        let state = self.lock();
        state.stopped_at.unwrap_or_else(|| real_now() + state.offset)
    }

    /// Stops the clock at `ms`.
    pub fn set(&self, ms: i64) {
        self.lock().stopped_at = Some(ms);
    }

    /// Moves the clock by `ms`, whether it stands or runs.
    pub fn advance(&self, ms: i64) {
        let mut state = self.lock();
        match &mut state.stopped_at {
            Some(at) => *at += ms,
            None => state.offset += ms,
        }
    }

    /// Lets the clock run on from where it is.
    pub fn run(&self) {
        let mut state = self.lock();
        if let Some(at) = state.stopped_at.take() {
            state.offset = at - real_now();
        }
    }

    /// From now on changes are stamped `ms` before the moment at which they become visible.
    pub fn set_stamp_lag(&self, ms: i64) {
        self.lock().lag = ms;
    }

    /// The stamp for a change made now.
    pub(crate) fn stamp(&self) -> i64 {
        let lag = self.lock().lag;
        self.now() - lag
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn real_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_stands_and_moves_on_request() {
        let clock = Clock::default();
        clock.set(1_700_000_000_000);
        assert_eq!(clock.now(), 1_700_000_000_000);
        clock.advance(5);
        assert_eq!(clock.now(), 1_700_000_000_005);
        clock.set_stamp_lag(3);
        assert_eq!(clock.stamp(), 1_700_000_000_002);
        clock.run();
        assert!(clock.now() >= 1_700_000_000_005);
    }
}
