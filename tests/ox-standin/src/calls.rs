//! What was asked of the server: counters and a log.
//!
//! A `multiple` counts as one HTTP request, as one call of `multiple`, and as one call for each of its entries.

use std::collections::BTreeMap;
use std::collections::VecDeque;

/// How many log entries are kept.
const LOG_LIMIT: usize = 2000;

/// Counters of calls, and the latest of them.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// HTTP requests below the API's path, answered or not.
    pub requests: u64,
    /// Calls by `module?action`, entries of `multiple` included: `mail?all`, `config/timezone`.
    pub by_action: BTreeMap<String, u64>,
    /// The latest calls, oldest first.
    pub log: VecDeque<LoggedCall>,
}

/// One line of the log.
#[derive(Clone, Debug)]
pub struct LoggedCall {
    /// `module?action`.
    pub call: String,
    /// Parameters without session and password.
    pub parameters: String,
    /// HTTP status of the answer; 0 when the connection was dropped, 200 for entries of `multiple`.
    pub status: u16,
    /// `code` of the envelope if it was an error.
    pub code: Option<String>,
}

impl Calls {
    /// How often `module?action` was called, inside `multiple` or not.
    pub fn of(&self, module: &str, action: &str) -> u64 {
        self.by_action.get(&label(module, action)).copied().unwrap_or(0)
    }

    /// The log as text, a line a call.
    pub fn text(&self) -> String {
        self.log.iter().map(|entry| format!("{entry}\n")).collect()
    }

    pub(crate) fn count(&mut self, module: &str, action: &str) {
        *self.by_action.entry(label(module, action)).or_default() += 1;
    }

    pub(crate) fn note(&mut self, entry: LoggedCall) {
        if self.log.len() == LOG_LIMIT {
            self.log.pop_front();
        }
        self.log.push_back(entry);
    }
}

impl std::fmt::Display for LoggedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.as_deref().unwrap_or("ok");
        write!(f, "{} {} {} {}", self.status, self.call, code, self.parameters)
    }
}

/// `module?action`, or the path alone for modules without actions.
pub(crate) fn label(module: &str, action: &str) -> String {
    if action.is_empty() {
        module.to_owned()
    } else {
        format!("{module}?{action}")
    }
}
