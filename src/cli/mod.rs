//! Arguments, and the commands that need nothing of the gateway.

pub mod check_ajp;

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
    ///
    /// Sockets that systemd hands over (FileDescriptorName= ajp, http or admin) are used instead of the configured
    /// addresses, so that no connection is refused during a restart. With Type=notify systemd learns when requests are
    /// answered and when the stop begins.
    ///
    /// Exit status: 0 after a clean stop, 1 if the gateway could not start, 2 if the configuration is wrong.
    Serve {
        /// The directory of usm.properties and eas.properties.
        ///
        /// Without it: /opt/open-xchange/etc, then /opt/open-xchange/etc/groupware.
        #[arg(long, value_name = "DIR")]
        etc: Option<PathBuf>,
    },
    /// Try whether something works, and say in plain words what was found.
    #[command(subcommand)]
    Check(Check),
}

#[derive(Debug, Subcommand)]
pub enum Check {
    /// Ask an AJP port what it is and what stands behind it.
    ///
    /// Connects, sends a CPING, then one OPTIONS request without a login, as the web server would. Tells a closed port,
    /// a port that speaks HTTP instead, a wrong secret and a wrong path apart.
    ///
    /// Exit status: 0 if an ActiveSync server answers there, 1 if not.
    Ajp(check_ajp::Arguments),
}
