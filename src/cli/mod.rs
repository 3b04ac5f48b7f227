//! Arguments, and the commands of an administrator.

pub mod check;
pub mod config;
pub mod db;
pub mod device;
pub mod wbxml;

use std::path::PathBuf;

use clap::Args;
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
    /// SIGHUP: reads the configuration again. What is new counts for the requests that come then; phones that wait go on
    /// waiting. The log names the options that changed, and those that need a restart. With a mistake in the files nothing
    /// changes, and the log names it.
    ///
    /// Exit status: 0 after a clean stop, 1 if the gateway could not start, 2 if the configuration is wrong.
    Serve(Etc),
    /// Look at everything between a phone and its mail, and say in plain words what was found.
    ///
    /// Configuration, Open-Xchange, databases, ports, a gateway that runs, and the web server, as far as the options let it.
    /// One line a finding: ok, warning or error, the part, what is wrong and where, and behind -> the line to change. Changes
    /// nothing. Run it as root or as open-xchange.
    ///
    /// Exit status: 0 if nothing is wrong, warnings allowed, 1 if there is an error.
    Check(check::Check),
    /// What is configured.
    #[command(subcommand)]
    Config(config::Config),
    /// The tables of the gateway in its databases.
    #[command(subcommand)]
    Db(db::Db),
    /// The phones.
    #[command(subcommand)]
    Device(device::Device),
    /// Show a captured request or answer as text.
    Wbxml(wbxml::Wbxml),
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub struct Etc {
    /// The directory of usm.properties and eas.properties.
    ///
    /// Without it: /opt/open-xchange/etc, and for a file that is there, /opt/open-xchange/etc/groupware (Open-Xchange 6).
    #[arg(long, value_name = "DIR")]
    pub etc: Option<PathBuf>,
}
