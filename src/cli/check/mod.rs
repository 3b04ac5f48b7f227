//! `oxtender check`: everything between a phone and its mail, looked at from the host of the gateway.
//!
//! Each file is one part; each part writes what it found as it goes, good or bad, and what to change. It asks the same code
//! that serves phones, changes nothing, and needs no gateway that runs.

pub mod ajp;
mod apache;
mod apache_config;
mod configuration;
mod database;
mod finding;
mod gateway;
mod ox;
mod password;
mod ports;

use std::io;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use url::Url;

use self::finding::Report;
use super::Etc;
use crate::config::keys;
use crate::config::review::Review;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Check {
    #[command(subcommand)]
    only: Option<Only>,
    #[command(flatten)]
    arguments: Arguments,
}

#[derive(Debug, Subcommand)]
enum Only {
    /// Ask an AJP port what it is and what stands behind it.
    ///
    /// Connects, sends a CPING, then one OPTIONS request without a login, as the web server would. Tells a closed port,
    /// a port that speaks HTTP instead, a wrong secret and a wrong path apart.
    ///
    /// Exit status: 0 if an ActiveSync server answers there, 1 if not.
    Ajp(ajp::Arguments),
}

#[derive(Debug, Args)]
struct Arguments {
    #[command(flatten)]
    etc: Etc,
    /// Log in at Open-Xchange as this user: its version, its modules, and whether he may sync.
    ///
    /// The password is the value of the environment variable OXTENDER_PASSWORD, else it is asked for on the terminal, else it
    /// is the first line of the standard input.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The web server as phones reach it, https://HOST: does it lead to an ActiveSync server?
    #[arg(long, value_name = "URL")]
    apache: Option<Url>,
    /// Its configuration: a file with those that it includes, or a directory such as /etc/apache2. Paths, ports, secret, timeouts
    /// and limits are compared with what the gateway has.
    #[arg(long, value_name = "FILE|DIR")]
    apache_config: Option<PathBuf>,
}

impl Check {
    /// Does it, and writes what it found: whether nothing is wrong.
    ///
    /// # Errors
    ///
    /// Nobody takes what is written, or gives the password.
    pub async fn run(&self, out: &mut impl Write) -> io::Result<bool> {
        let Some(Only::Ajp(arguments)) = &self.only else {
            return self.arguments.run(out).await;
        };
        // Whoever reads along may stop reading; the exit status tells all the same.
        Ok(ajp::run(arguments, |finding| drop(writeln!(out, "{finding}"))).await)
    }
}

impl Arguments {
    async fn run(&self, out: &mut impl Write) -> io::Result<bool> {
        // Before anything else, so that nobody has to wait for the question.
        let user = match &self.user {
            Some(name) => Some((name.as_str(), password::read(name)?)),
            None => None,
        };
        let review = Review::load(self.etc.etc.as_deref());
        let mut report = Report::new(out);
        configuration::check(&review, &mut report);
        if let Some(config) = &review.config {
            match review.is_wrong(&keys::OX_URL) {
                true => report.skip("ox", "its URL is wrong"),
                false => ox::check(config, &review, user, &mut report).await,
            }
            match review.is_wrong(&keys::DATABASE_URL) {
                true => report.skip("database", "its URL is wrong"),
                false => database::check(config, &review, &mut report).await,
            }
            let running = gateway::check(config, &mut report).await;
            ports::check(config, &review, &running, &mut report).await;
            if let Some(place) = &self.apache_config {
                apache_config::check(place, config, &review, &mut report);
            }
            if let Some(url) = &self.apache {
                apache::check(url, config, &review, &mut report).await;
            }
        }
        report.end()
    }
}
