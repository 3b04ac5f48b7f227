//! Notices that somebody cuts off waiting devices: the web server's timeout is shorter than what they wait for.
//!
//! A device that loses its network leaves after any time; a timeout ends all waits after the same. Reads no clock.

use std::time::Duration;

/// So many waits in a row must end alike.
const ALIKE: u32 = 3;

/// By how much their lengths may differ.
const TOLERANCE: Duration = Duration::from_millis(500);

/// What is shorter was no wait.
const SHORTEST: Duration = Duration::from_millis(700);

/// The waits that lately ended with their connection.
#[derive(Debug, Default)]
pub(super) struct Waits {
    length: Duration,
    count: u32,
}

impl Waits {
    /// A wait is over: after what time, and whether there was an answer. The length of all that were cut off, when the
    /// first of them shows that it is no accident.
    pub(super) fn over(&mut self, took: Duration, answered: bool) -> Option<Duration> {
        if answered {
            if took > self.length + TOLERANCE {
                *self = Self::default();
            }
            return None;
        }
        if took < SHORTEST {
            return None;
        }
        match took.abs_diff(self.length) <= TOLERANCE {
            true => self.count = self.count.saturating_add(1),
            false => {
                self.length = took;
                self.count = 1;
            }
        }
        (self.count == ALIKE).then_some(self.length)
    }

    /// After what time waits are cut off, if they are.
    pub(super) fn cut_off_after(&self) -> Option<Duration> {
        (self.count >= ALIKE).then_some(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each case: milliseconds and whether there was an answer, of one wait after the other; after what time they are cut off.
    #[test]
    fn equal_lengths_are_no_accident() {
        let cases = [
            (&[][..], None),
            (&[(60_010, false), (60_020, false)], None),
            (&[(60_010, false), (60_020, false), (60_001, false)], Some(60_010)),
            // Networks that are lost.
            (&[(60_010, false), (31_000, false), (60_001, false)], None),
            // Answers to shorter waits say nothing, one to a longer wait says that the timeout is gone.
            (
                &[(60_010, false), (9_000, true), (60_020, false), (60_001, false)],
                Some(60_010),
            ),
            (
                &[(60_010, false), (60_020, false), (60_001, false), (300_000, true)],
                None,
            ),
            // Not waits at all.
            (&[(10, false), (11, false), (12, false)], None),
            (
                &[(60_010, false), (60_020, false), (5, false), (60_001, false)],
                Some(60_010),
            ),
        ];
        for (over, expected) in cases {
            let mut waits = Waits::default();
            for &(took, answered) in over {
                waits.over(Duration::from_millis(took), answered);
            }
            assert_eq!(waits.cut_off_after(), expected.map(Duration::from_millis), "{over:?}");
        }
    }

    #[test]
    fn it_is_said_once() {
        let mut waits = Waits::default();
        let said = (0..5)
            .filter_map(|_| waits.over(Duration::from_secs(60), false))
            .count();
        assert_eq!(said, 1);
    }
}
