//! One line of the log: what is known of a request when it was answered, or when its connection went away.

use std::fmt;
use std::time::Duration;

use crate::eas::autodiscover;
use crate::eas::command;
use crate::eas::origin::Origin;
use crate::eas::status::Fault;
use crate::wbxml::Tag;

/// What is known of a request when it is over.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub user: String,
    pub device: String,
    pub command: String,
    pub version: String,
    pub from: Origin,
    /// `None`: the connection went away before there was an answer.
    pub http: Option<u16>,
    /// The Status in the root of the answer, or of the error.
    pub status: Option<u16>,
    pub took: Duration,
    pub ox_calls: u64,
    /// Elements of the request that its version does not have; they were ignored, each is named once.
    pub ignored: Vec<Tag>,
    /// How many this device has sent by now, since it came into memory.
    pub ignored_of_device: usize,
    /// Of the error that the answer tells.
    pub fault: Option<Fault>,
    /// The log has told the same of this device before.
    pub is_known: bool,
}

/// What is asked in requests that are no commands, or are answered before they are known to be.
const OTHERS: [&str; 5] = ["OPTIONS", "POST", "GET", "HEAD", autodiscover::NAME];

/// The name under which a command is counted: one of a few, whatever devices ask for.
pub fn label(command: &str) -> &'static str {
    let known = command::find(command).map(|command| command.name);
    let other = || OTHERS.into_iter().find(|other| *other == command);
    known.or_else(other).unwrap_or("other")
}

/// Names of ignored elements in a line, at most.
const NAMED: usize = 10;

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &str| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text.replace(char::is_whitespace, "_")
            }
        };
        write!(
            f,
            "{} {} {} {} from={}",
            word(&self.user),
            word(&self.device),
            word(&self.command),
            word(&self.version),
            self.from
        )?;
        match self.http {
            Some(http) => write!(f, " http={http}")?,
            None => f.write_str(" http=gone")?,
        }
        match self.status {
            Some(status) => write!(f, " status={status}")?,
            None => f.write_str(" status=-")?,
        }
        write!(f, " {} ms, {} OX calls", self.took.as_millis(), self.ox_calls)?;
        if self.ignored.is_empty() {
            return Ok(());
        }
        let names = self.ignored.iter().take(NAMED).map(|tag| format!("{tag:?}"));
        let names: Vec<String> = names.collect();
        write!(
            f,
            ", ignored={} ({} of this device)",
            names.join(","),
            self.ignored_of_device
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_under_few_names() {
        for (command, expected) in [
            ("Sync", "Sync"),
            ("OPTIONS", "OPTIONS"),
            ("Autodiscover", "Autodiscover"),
            ("BREW", "other"),
            ("", "other"),
        ] {
            assert_eq!(label(command), expected);
        }
    }

    #[test]
    fn a_line_of_the_log_has_no_holes() {
        let mut record = Record {
            user: "an ton".into(),
            http: Some(200),
            ..Record::default()
        };
        assert_eq!(
            record.to_string(),
            "an_ton - - - from=- http=200 status=- 0 ms, 0 OX calls"
        );
        record.from.address = Some("192.0.2.7".parse().unwrap());
        record.http = None;
        assert_eq!(
            record.to_string(),
            "an_ton - - - from=192.0.2.7 http=gone status=- 0 ms, 0 OX calls"
        );
    }
    #[test]
    fn ignored_elements_are_named() {
        let record = Record {
            ignored: vec![Tag { page: 0, token: 0x3F }, Tag { page: 99, token: 5 }],
            ignored_of_device: 7,
            ..Record::default()
        };
        assert!(
            record
                .to_string()
                .ends_with(", ignored=AirSync:0x3F,99:0x05 (7 of this device)")
        );
    }
}
