//! One thing that was found, and the lines that say it.

use std::fmt;
use std::io;
use std::io::Write;

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Ok,
    /// Phones sync, less well than they could, or not for long.
    Warning,
    /// Phones do not sync.
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// `Display` is one line: `error    database      what is wrong, and where -> what to change`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What was looked at.
    pub(super) part: &'static str,
    pub(super) what: String,
    /// The line to change, or the command; empty where all is well.
    pub(super) change: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, what, change, .. } = self;
        write!(f, "{:<8} {part:<14} {}", self.level.name(), one_line(what))?;
        match change.as_str() {
            "" => Ok(()),
            change => write!(f, " -> {}", one_line(change)),
        }
    }
}

/// What others said, without what would break or colour a line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Writes findings as they come, and keeps the worst of them in mind.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    failed: bool,
    written: io::Result<()>,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            failed: false,
            written: Ok(()),
        }
    }

    pub(super) fn ok(&mut self, part: &'static str, what: impl Into<String>) {
        self.tell(Level::Ok, part, what.into(), String::new());
    }

    pub(super) fn warning(&mut self, part: &'static str, what: impl Into<String>, change: impl Into<String>) {
        self.tell(Level::Warning, part, what.into(), change.into());
    }

    pub(super) fn error(&mut self, part: &'static str, what: impl Into<String>, change: impl Into<String>) {
        self.tell(Level::Error, part, what.into(), change.into());
    }

    /// A part that cannot be looked at because of an error before.
    pub(super) fn skip(&mut self, part: &'static str, reason: &str) {
        let what = format!("not looked at, since {reason}");
        self.tell(Level::Warning, part, what, "see the error above".to_owned());
    }

    pub(super) fn tell(&mut self, level: Level, part: &'static str, what: String, change: String) {
        self.failed |= level == Level::Error;
        let finding = Finding {
            level,
            part,
            what,
            change,
        };
        if self.written.is_ok() {
            self.written = writeln!(self.out, "{finding}").and_then(|()| self.out.flush());
        }
    }

    /// Whether nothing is wrong.
    pub(super) fn end(self) -> io::Result<bool> {
        self.written.map(|()| !self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_and_an_error_is_remembered() {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out);
        report.ok("ox", "answers");
        report.warning("apache", "slow\x1b[1m", "timeout=3700");
        assert!(report.end().unwrap());
        let mut report = Report::new(&mut out);
        report.error("database", "two\nlines", "one=1");
        report.ok("ox", "answers");
        assert!(!report.end().unwrap());
        let expected = "ok       ox             answers\n\
                        warning  apache         slow [1m -> timeout=3700\n\
                        error    database       two lines -> one=1\n\
                        ok       ox             answers\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
