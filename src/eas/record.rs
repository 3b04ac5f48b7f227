//! One line of the log: what is known of a request when it was answered.

use std::fmt;
use std::time::Duration;

/// What is known of a request when it was answered.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub user: String,
    pub device: String,
    pub command: String,
    pub version: String,
    pub http: u16,
    /// The Status in the root of the answer, or of the error.
    pub status: Option<u16>,
    pub took: Duration,
    pub ox_calls: u64,
}

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
            "{} {} {} {}",
            word(&self.user),
            word(&self.device),
            word(&self.command),
            word(&self.version)
        )?;
        write!(f, " http={} status=", self.http)?;
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("-")?,
        }
        write!(f, " {} ms, {} OX calls", self.took.as_millis(), self.ox_calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_has_no_holes() {
        let record = Record {
            user: "an ton".into(),
            http: 200,
            ..Record::default()
        };
        assert_eq!(record.to_string(), "an_ton - - - http=200 status=- 0 ms, 0 OX calls");
    }
}
