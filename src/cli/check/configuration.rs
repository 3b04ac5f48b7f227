//! The files: values, keys, and who can read them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

use super::finding::Report;
use crate::config;
use crate::config::ConfigError;
use crate::config::Database;
use crate::config::Warning;
use crate::config::keys;
use crate::config::keys::Key;
use crate::config::properties::ReadError;
use crate::config::review::Review;

const PART: &str = "configuration";

/// Whom the service runs as, where the package was installed.
const ACCOUNT: &str = "open-xchange";

/// The files of Open-Xchange that are read with `configdb`; the first holds a password.
const OF_CONFIGDB: [&str; 2] = ["configdb.properties", "system.properties"];

pub(super) fn check(review: &Review, report: &mut Report<'_>) {
    for error in &review.errors {
        report.error(PART, error.to_string(), remedy(error, review));
    }
    for warning in &review.warnings {
        let change = match warning {
            Warning::MissingFile { file } => format!("none if all defaults are right; else make {}", file.display()),
            Warning::UnknownKey { .. } => {
                "correct the key, or remove the line; oxtender config show lists all".to_owned()
            }
            Warning::UnusedKey { .. } => "none; the line may be removed".to_owned(),
        };
        report.warning(PART, warning.to_string(), change);
    }
    let others = of_configdb(review);
    for file in review.files.iter().chain(&others) {
        let holds_password = review.secret_files.contains(file) || others.first() == Some(file);
        check_file(file, holds_password, report);
    }
}

fn remedy(error: &ConfigError, review: &Review) -> String {
    match error {
        ConfigError::Value { key, .. } => {
            let key: Option<&Key> = keys::find(key);
            key.map(|key| review.line(key, key.default)).unwrap_or_default()
        }
        ConfigError::NoDirectory(_) => "--etc with the directory of usm.properties and eas.properties".to_owned(),
        ConfigError::Read(ReadError::Io { file, .. }) => readable(file),
        ConfigError::Read(ReadError::Syntax { .. }) | ConfigError::Layers(_) => "correct that line".to_owned(),
    }
}

fn of_configdb(review: &Review) -> Vec<PathBuf> {
    match review.config.as_ref().map(|config| &config.database) {
        Some(Database::Configdb { directories }) => {
            let files = OF_CONFIGDB.iter().filter_map(|name| config::locate(directories, name));
            files.collect()
        }
        _ => Vec::new(),
    }
}

fn check_file(file: &Path, holds_password: bool, report: &mut Report<'_>) {
    // What cannot be read at all was said before.
    let Ok(metadata) = fs::metadata(file) else { return };
    let name = file.display();
    if holds_password && metadata.mode() & 0o004 != 0 {
        let what = format!("{name} holds a password, and every user of this host can read it");
        report.warning(PART, what, readable(file));
    }
    match Account::of_service() {
        Some(account) if !account.may_read(file) => {
            let what = format!("{name} cannot be read by {ACCOUNT}, whom the service runs as");
            report.error(PART, what, readable(file));
        }
        _ => report.ok(PART, format!("{name} is read")),
    }
}

fn readable(file: &Path) -> String {
    let file = file.display();
    format!("chown root:{ACCOUNT} {file}; chmod 640 {file}")
}

/// A user of this host, by the files that say so.
struct Account {
    uid: u32,
    groups: Vec<u32>,
}

impl Account {
    /// Whom the service runs as, if root asks, who himself may read everything.
    fn of_service() -> Option<Self> {
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let files = ["/etc/passwd", "/etc/group"].map(|file| fs::read_to_string(file).unwrap_or_default());
        let [users, groups] = &files;
        is_root.then(|| Self::find(ACCOUNT, users, groups)).flatten()
    }

    /// `users` and `groups` as in passwd(5) and group(5).
    fn find(name: &str, users: &str, groups: &str) -> Option<Self> {
        let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let user = lines.find(|fields| fields.first() == Some(&name))?;
        let number = |fields: &[&str], index: usize| fields.get(index)?.parse().ok();
        let member = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let members = fields.get(3)?;
            members
                .split(',')
                .any(|member| member == name)
                .then(|| number(&fields, 2))?
        };
        let primary: u32 = number(&user, 3)?;
        Some(Self {
            uid: number(&user, 2)?,
            groups: std::iter::once(primary)
                .chain(groups.lines().filter_map(member))
                .collect(),
        })
    }

    /// Whether file and directories let this user in.
    fn may_read(&self, file: &Path) -> bool {
        let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let may =
            |path: &Path, wanted: u32| fs::metadata(path).is_ok_and(|m| self.may((m.uid(), m.gid(), m.mode()), wanted));
        may(&file, 0o4) && file.ancestors().skip(1).all(|directory| may(directory, 0o1))
    }

    /// The bits of the owner count for the owner alone, those of the group for its members.
    fn may(&self, (uid, gid, mode): (u32, u32, u32), wanted: u32) -> bool {
        let bits = if uid == self.uid {
            mode >> 6
        } else if self.groups.contains(&gid) {
            mode >> 3
        } else {
            mode
        };
        self.uid == 0 || bits & wanted != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nopen-xchange:x:104:110::/opt/open-xchange:/usr/sbin/nologin\n";
    const GROUPS: &str = "root:x:0:\nopen-xchange:x:110:\nssl-cert:x:111:www-data,open-xchange\nadm:x:4:syslog\n";

    #[test]
    fn accounts_are_found_with_their_groups() {
        let account = Account::find("open-xchange", USERS, GROUPS).unwrap();
        assert_eq!((account.uid, account.groups), (104, vec![110, 111]));
        assert!(Account::find("open", USERS, GROUPS).is_none());
    }

    #[test]
    fn bits_count_for_whom_they_are() {
        let account = Account::find("open-xchange", USERS, GROUPS).unwrap();
        // owner, group, mode; whether it may read
        for (owner, group, mode, expected) in [
            (0, 110, 0o640, true),
            (0, 0, 0o640, false),
            (0, 0, 0o644, true),
            (104, 0, 0o600, true),
            (104, 0, 0o044, false),
            (0, 111, 0o604, false),
        ] {
            assert_eq!(
                account.may((owner, group, mode), 0o4),
                expected,
                "{owner}:{group} {mode:o}"
            );
        }
    }
}
