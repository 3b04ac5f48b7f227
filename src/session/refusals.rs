//! Passwords that OX has refused, so that they are not offered to it again at once.
//!
//! A forgotten phone asks every few minutes with the password of last year; OX would lock the account. Digests are kept, never
//! passwords. Reads no clock.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use crate::session::lock;

/// How long a refused password is refused here, without asking OX.
const LIFETIME: Duration = Duration::from_secs(60);

/// Refusals kept at most; more of them are somebody's guessing, and OX has its own limit.
const MOST: usize = 10_000;

/// Of a login and its password.
pub(super) type Digest = [u8; 32];

/// When which password was refused.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<Digest, Instant>>);

impl Refusals {
    pub(super) fn contains(&self, password: &Digest, now: Instant) -> bool {
        lock(&self.0).get(password).is_some_and(|since| is_fresh(*since, now))
    }

    pub(super) fn remember(&self, password: Digest, now: Instant) {
        let mut refused = lock(&self.0);
        if refused.len() >= MOST {
            refused.retain(|_, since| is_fresh(*since, now));
        }
        if refused.len() < MOST {
            refused.insert(password, now);
        }
    }

    /// Drops those that count no longer.
    pub(super) fn sweep(&self, now: Instant) {
        lock(&self.0).retain(|_, since| is_fresh(*since, now));
    }
}

fn is_fresh(since: Instant, now: Instant) -> bool {
    now.duration_since(since) < LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        digest
    }

    #[test]
    fn for_a_minute_and_no_more_than_there_is_room() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let later = now + LIFETIME;
        let just_before = later.checked_sub(Duration::from_millis(1)).unwrap();
        for number in 0..MOST + 5 {
            refusals.remember(digest(number), now);
        }
        let known = |number, at| refusals.contains(&digest(number), at);
        assert!(known(0, just_before) && known(MOST - 1, now) && !known(MOST, now));
        assert!(!known(0, later));
        refusals.remember(digest(MOST), later);
        assert!(known(MOST, later), "what is over makes room");
        refusals.sweep(later + LIFETIME);
        assert!(lock(&refusals.0).is_empty());
    }
}
