//! The gateway as the program that ships: `oxtender`, beside this one.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use anyhow::bail;
use anyhow::ensure;

use crate::apache::keep;

const AJP: &str = "com.openexchange.usm.eas.ajp.listen";
const ADMIN: &str = "com.openexchange.usm.eas.admin.listen";

/// Opening a new database is the longest part of a start.
const START: Duration = Duration::from_secs(20);

/// Lines of the log that are shown when something went wrong.
const TAIL: usize = 20;

pub(crate) struct Gateway {
    pub(crate) ajp: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) log: PathBuf,
    process: Child,
}

impl Gateway {
    /// Starts it with a configuration, a database and a log in `directory`; `ox` is the base of the API.
    pub(crate) fn start(directory: &Path, ox: &str) -> anyhow::Result<Self> {
        let program = env::current_exe()?.with_file_name("oxtender");
        ensure!(
            program.exists(),
            "{} is not built; `make demo` builds it",
            program.display()
        );
        configure(directory, ox).context("cannot write the configuration")?;
        let log = directory.join("gateway.log");
        let arguments = ["serve".as_ref(), "--etc".as_ref(), directory.as_os_str()];
        let stderr = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let process = keep(&program, &arguments, stderr).context("cannot start the gateway")?;
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut gateway = Self {
            ajp: nowhere,
            admin: nowhere,
            log,
            process,
        };
        gateway.ajp = gateway.wait_for_door(AJP)?;
        gateway.admin = gateway.wait_for_door(ADMIN)?;
        Ok(gateway)
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// The last lines of its log, under a title.
    pub(crate) fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
        format!("The end of the gateway's log:\n{}", tail.join("\n"))
    }

    fn wait_for_door(&mut self, key: &str) -> anyhow::Result<SocketAddr> {
        let deadline = Instant::now() + START;
        loop {
            let text = fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(address) = text.lines().find_map(|line| door(line, key)) {
                return Ok(address);
            }
            if self.has_ended() || Instant::now() > deadline {
                bail!("the gateway does not start\n\n{}", self.log_tail());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It was asked to end by that; an error means that it had ended before.
        let _ = self.process.wait();
    }
}

/// Free ports, a database of its own, and a short interval so that a visitor need not wait.
fn configure(directory: &Path, ox: &str) -> std::io::Result<()> {
    let usm = format!(
        "com.openexchange.usm.ox.url={ox}\ncom.openexchange.usm.database.url=sqlite:{}\n",
        directory.join("oxtender.db").display()
    );
    let eas = format!(
        "{AJP}=127.0.0.1:0\n{ADMIN}=127.0.0.1:0\n\
         com.openexchange.usm.eas.ping.min_heartbeat=5\ncom.openexchange.usm.eas.ping.poll_interval=1\n"
    );
    fs::write(directory.join("usm.properties"), usm)?;
    fs::write(directory.join("eas.properties"), eas)
}

/// The address in `... listening on 127.0.0.1:40123 (KEY)`.
fn door(line: &str, key: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    let (address, of) = rest.split_once(' ')?;
    (of == format!("({key})")).then(|| address.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_are_read_from_the_log() {
        let line = format!("[2026-11-25T00:00:00Z INFO  oxtender::server] listening on 127.0.0.1:40123 ({AJP})");
        assert_eq!(door(&line, AJP), Some(SocketAddr::from(([127, 0, 0, 1], 40123))));
        assert_eq!(door(&line, ADMIN), None);
        assert_eq!(door("stopped", AJP), None);
    }
}
