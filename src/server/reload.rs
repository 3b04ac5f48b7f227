//! A configuration that was read again, put in force without a restart.
//!
//! Who reads the files, and when, is the caller's business; a configuration that comes here is a good one.

use super::Gateway;
use crate::config::Config;
use crate::config::Values;
use crate::config::Warning;
use crate::config::keys::Key;

/// Changes a gateway that runs.
pub struct Reloader {
    pub(super) gateway: Gateway,
    /// What is in force.
    pub(super) values: Values,
}

impl Reloader {
    /// Lets new requests be served with this configuration, as far as that needs no restart, and logs what that changed.
    pub fn reload(&mut self, config: &Config, warnings: &[Warning]) {
        self.gateway.follow(config);
        self.gateway.lasting.health.note_configuration(warnings);
        let changes = self.values.take_over(&config.values);
        match changes.in_force.is_empty() {
            true => log::info!("the configuration was read again: nothing else is in force"),
            false => log::info!(
                "the configuration was read again: changed and in force for new requests: {}",
                names(&changes.in_force)
            ),
        }
        if !changes.need_restart.is_empty() {
            log::warn!(
                "changed, and in force after a restart only: {}",
                names(&changes.need_restart)
            );
        }
    }
}

fn names(keys: &[&Key]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    names.join(", ")
}
