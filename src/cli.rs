//! Arguments only.

use std::path::PathBuf;

use clap::Parser;
use clap::Subcommand;

/// ActiveSync gateway for Open-Xchange: phones sync mail, calendar, contacts and tasks.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve devices in the foreground, logging to standard error, until SIGTERM or SIGINT.
    ///
    /// RUST_LOG sets what is logged: info by default, one line a request; debug says why; trace shows WBXML as text.
    /// Exit status: 0 after a clean stop, 1 if the gateway could not start, 2 if the configuration is wrong.
    Serve {
        /// The directory of usm.properties and eas.properties.
        ///
        /// Without it: /opt/open-xchange/etc, then /opt/open-xchange/etc/groupware.
        #[arg(long, value_name = "DIR")]
        etc: Option<PathBuf>,
    },
}
