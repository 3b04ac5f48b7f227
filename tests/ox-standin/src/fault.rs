//! Faults on request: the next call, or the n-th of one action, goes wrong in a chosen way.
//!
//! Faults that concern the answer of one call also hit entries of `multiple`; faults of the connection hit the whole
//! request that holds the entry.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// What happens instead of, or on top of, the normal answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An HTTP status with a small HTML body; the call is not carried out.
    Status(u16),
    /// HTTP 429 with `Retry-After` in seconds.
    RateLimited(u32),
    /// No answer until the client gives up or the server stops; the call is not carried out. At an entry of `multiple` the
    /// connection is reset instead.
    Timeout,
    /// The connection is reset; the call is not carried out.
    Reset,
    /// The call **is** carried out, then the connection is reset.
    LoseAnswer,
    /// The call **is** carried out, then there is no answer until the client gives up.
    Silence,
    /// Status 200 with an HTML error page.
    HtmlPage,
    /// The call is carried out; only the first half of the JSON is sent, with a matching length.
    TruncatedJson,
    /// The session of the caller ends: SES-0203.
    SessionExpired,
    /// An error envelope; the call is not carried out.
    Error {
        /// Such as `MSG-0032`.
        code: String,
        /// Numeric category, 1 to 13.
        category: u8,
    },
    /// The call is carried out, its answer comes with a warning mirrored as a top-level error (category 13).
    Warning {
        /// Such as `MSG-0043`.
        code: String,
        /// Category of the warning itself.
        category: u8,
    },
    /// The call is carried out after this time.
    Delay(Duration),
    /// There is no answer until the gate is opened.
    Hold {
        gate: Gate,
        /// The call is carried out before the wait, else after it.
        carried_out: bool,
    },
    /// The answer is preceded by blanks, as slow answers are.
    LeadingBlank,
}

/// Holds calls until a test opens it. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Gate {
    /// Lets all through that wait, and all that come.
    pub fn open(&self) {
        self.0.close();
    }

    pub(crate) async fn pass(&self) {
        // Nobody ever gets a permit: the gate opens by being closed as a semaphore.
        drop(self.0.acquire().await);
    }
}

impl Fault {
    /// An error envelope.
    pub fn error(code: &str, category: u8) -> Self {
        Self::Error {
            code: code.to_owned(),
            category,
        }
    }

    /// Whether the answer of a single entry can carry it.
    pub(crate) fn fits_entry(&self) -> bool {
        matches!(self, Self::Error { .. } | Self::Warning { .. })
    }
}

/// The faults that wait for their call.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// `None`: every call. The action may be empty for modules without actions.
    call: Option<(String, String)>,
    /// Calls to let pass before.
    skip: usize,
    /// `None`: for ever.
    times: Option<usize>,
    fault: Fault,
}

impl Pending {
    pub(crate) fn add(&mut self, call: Option<(&str, &str)>, skip: usize, times: Option<usize>, fault: Fault) {
        let call = call.map(|(module, action)| (module.to_owned(), action.to_owned()));
        self.rules.push(Rule {
            call,
            skip,
            times,
            fault,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The fault for a request, if one is due. Every rule that matches counts the call; the first due one is used.
    pub(crate) fn take(&mut self, module: &str, action: &str) -> Option<Fault> {
        self.first_due(module, action, true)
    }

    /// As `take` for an entry of `multiple`, which only rules that name it can hit.
    pub(crate) fn take_entry(&mut self, module: &str, action: &str) -> Option<Fault> {
        self.first_due(module, action, false)
    }

    fn first_due(&mut self, module: &str, action: &str, unnamed: bool) -> Option<Fault> {
        let mut found = None;
        for rule in &mut self.rules {
            if !rule.matches(module, action) || (rule.call.is_none() && !unnamed) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if found.is_none() && rule.times != Some(0) {
                rule.times = rule.times.map(|times| times - 1);
                found = Some(rule.fault.clone());
            }
        }
        self.rules.retain(|rule| rule.times != Some(0));
        found
    }
}

impl Rule {
    fn matches(&self, module: &str, action: &str) -> bool {
        self.call
            .as_ref()
            .is_none_or(|(m, a)| m == module && (a == action || a == "*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_is_hit_and_no_other() {
        let mut pending = Pending::default();
        pending.add(Some(("mail", "get")), 1, Some(1), Fault::Reset);
        assert_eq!(pending.take("mail", "all"), None);
        assert_eq!(pending.take("mail", "get"), None);
        assert_eq!(pending.take("mail", "get"), Some(Fault::Reset));
        assert_eq!(pending.take("mail", "get"), None);
        assert!(pending.is_empty());
    }

    #[test]
    fn two_faults_for_the_next_calls_come_one_after_the_other() {
        let mut pending = Pending::default();
        pending.add(None, 0, Some(1), Fault::Status(503));
        pending.add(None, 0, Some(1), Fault::Timeout);
        assert_eq!(pending.take("mail", "get"), Some(Fault::Status(503)));
        assert_eq!(pending.take("mail", "get"), Some(Fault::Timeout));
        assert_eq!(pending.take("mail", "get"), None);
    }
}
