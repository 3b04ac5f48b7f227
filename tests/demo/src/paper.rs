//! How the account looks: titles, steps with their cost, details below them.
//!
//! Colours only where a person watches: on a terminal, and unless NO_COLOR is set.

use std::env;
use std::io;
use std::io::IsTerminal as _;
use std::io::Write as _;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Paper {
    coloured: bool,
}

impl Paper {
    pub(crate) fn new() -> Self {
        Self {
            coloured: io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none(),
        }
    }

    pub(crate) fn title(&self, text: &str) {
        println!("{}", self.styled("1", text));
    }

    pub(crate) fn line(&self, text: &str) {
        println!("{text}");
    }

    pub(crate) fn blank(&self) {
        println!();
    }

    /// The heads of the columns that [`Self::begin`] and [`Self::end`] fill.
    pub(crate) fn heads(&self) {
        println!(
            "{}",
            self.styled("2", "  command            time  OX calls  what the phone saw")
        );
    }

    /// The step that goes on now; whoever waits, or sees it fail, knows which.
    pub(crate) fn begin(&self, step: &str) {
        print!("  {}", self.styled("1", &format!("{step:<12}")));
        // A terminal that has gone away is noticed by the next line.
        let _ = io::stdout().flush();
    }

    pub(crate) fn end(&self, took: Duration, calls: u64, saw: &str) {
        println!("{:>11} {calls:>9}  {saw}", time(took));
    }

    /// A line below a step.
    pub(crate) fn detail(&self, text: &str) {
        println!("{}", self.styled("2", &format!("{:36}{}", "", shortened(text))));
    }

    fn styled(&self, style: &str, text: &str) -> String {
        match self.coloured {
            true => format!("\x1b[{style}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// `38 ms`, `1.24 s`
pub(crate) fn time(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.2} s", took.as_secs_f64()),
    }
}

/// One line that fits beside the margin.
fn shortened(text: &str) -> String {
    const ROOM: usize = 72;
    let line = text.lines().next().unwrap_or_default();
    match line.chars().count() {
        0..=ROOM => line.to_owned(),
        _ => line.chars().take(ROOM - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let cases = [
            (0, "0 ms"),
            (38, "38 ms"),
            (999, "999 ms"),
            (1_240, "1.24 s"),
            (61_000, "61.00 s"),
        ];
        for (millis, shown) in cases {
            assert_eq!(time(Duration::from_millis(millis)), shown);
        }
    }

    #[test]
    fn long_lines_are_cut_at_characters() {
        assert_eq!(shortened("short\nmore"), "short");
        assert_eq!(shortened(&"ü".repeat(100)).chars().count(), 72);
    }
}
