//! Until when an answer may be put together: devices hang up on a server that takes too long.
//!
//! Looks at no clock. What is not ready then comes with the next answer, which MoreAvailable announces.

use std::time::Duration;

use tokio::time::Instant;

/// The end of a device's patience.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn new(begun: Instant, patience: Duration) -> Self {
        Self(begun + patience)
    }

    /// Whether the answer has to go out, with as many items of a collection as it has. Something is always sent: an answer
    /// of nothing but MoreAvailable makes devices loop.
    pub(super) fn has_passed(self, items: usize, now: Instant) -> bool {
        items > 0 && now >= self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quirk::Bend;
    use crate::quirk::Quirks;

    #[test]
    fn by_device() {
        let begun = Instant::now();
        // bends, items, seconds, whether it has passed
        let cases = [
            (Quirks::NONE, 1, 27, false),
            (Quirks::NONE, 1, 28, true),
            (Quirks::NONE, 0, 3600, false),
            (Quirks::NONE.with(Bend::Waits85Seconds), 1, 84, false),
            (Quirks::NONE.with(Bend::Waits85Seconds), 1, 85, true),
            (Quirks::NONE.with(Bend::Waits240Seconds), 100, 239, false),
            (Quirks::NONE.with(Bend::Waits240Seconds), 100, 240, true),
        ];
        for (quirks, items, seconds, expected) in cases {
            let deadline = Deadline::new(begun, quirks.patience());
            let passed = deadline.has_passed(items, begun + Duration::from_secs(seconds));
            assert_eq!(passed, expected, "{quirks:?} {items} {seconds}");
        }
    }
}
