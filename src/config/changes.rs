//! What a configuration that was read again changes, and which of its changes wait for a restart.
//!
//! Compares texts, not meanings: a value that is written another way counts as changed, which does no harm.

use std::collections::BTreeMap;
use std::fmt;

use super::keys::Effect;
use super::keys::KEYS;
use super::keys::Key;
use super::keys::Kind;

/// The text of every option. `Debug` shows none, since some are secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Values(BTreeMap<&'static str, String>);

/// The options with another value than before, in the order of the files.
#[derive(Debug, Default)]
pub struct Changes {
    /// Those whose new value counts from now on.
    pub in_force: Vec<&'static Key>,
    /// Those whose old value counts until the next start.
    pub need_restart: Vec<&'static Key>,
}

impl Values {
    pub(super) fn new(text: impl Fn(&Key) -> String) -> Self {
        let used = KEYS.iter().filter(|key| key.kind != Kind::Unused);
        Self(used.map(|key| (key.name, text(key))).collect())
    }

    /// Makes the newer values these, as far as that needs no restart. What does need one is told again the next time.
    pub fn take_over(&mut self, newer: &Self) -> Changes {
        let mut changes = Changes::default();
        for key in KEYS {
            let Some(text) = newer.0.get(key.name).filter(|text| self.0.get(key.name) != Some(text)) else {
                continue;
            };
            match key.effect {
                Effect::Restart => changes.need_restart.push(key),
                Effect::Reload => {
                    self.0.insert(key.name, text.clone());
                    changes.in_force.push(key);
                }
            }
        }
        changes
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").finish_non_exhaustive()
    }
}
