//! What a server has turned out not to do, so that it is not asked again at every turn.
//!
//! Knows features and times, no calls. Implements the advice of the API documentation, "Compatibility": "remember
//! \"unsupported\" for that server for some hours".

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// How long a server is not asked again for what it refused; it may be updated in the meantime.
const LIFE: Duration = Duration::from_secs(6 * 60 * 60);

/// What some servers do not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Feature {
    /// Giving several mails at once.
    SeveralMails,
    /// Searching mails by a filter.
    Filters,
    /// Listing all folders of a module at once.
    AllVisible,
}

/// When one server refused what.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<Feature, Instant>>);

impl Refusals {
    pub(super) fn remember(&self, feature: Feature) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert(feature, Instant::now());
    }

    /// Whether the server refused it recently.
    pub(super) fn has(&self, feature: Feature) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(&feature).is_some_and(|when| when.elapsed() < LIFE)
    }
}
