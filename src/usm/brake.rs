//! The brake on deletions: how many a device may delete at a time before that is taken for an accident.
//!
//! A device that lost its data, or was given to somebody else, can empty a folder. What is deleted within an hour is a spell;
//! where it is more than a number of items and also more than a share of the folder, the rest is held back. The decision
//! is pure; the spells are kept in memory, since a restart costs no more than a new spell.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

/// How long a spell lasts after its latest deletions, in milliseconds.
const SPELL: i64 = 60 * 60 * 1000;

/// The field of a device that says when deletions were released, in milliseconds since 1970.
pub const RELEASED: &str = "deletions.released";

/// Above both of them, a device is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// 0: devices are never held back.
    pub items: usize,
    /// Of what was in the folder when the spell began.
    pub percent: usize,
}

/// The deletions of one request.
#[derive(Clone, Copy, Debug)]
pub struct Deletions {
    /// The key that the device sent: what comes with it again is a repetition.
    pub key: u64,
    pub number: usize,
    /// Items the device had in the folder.
    pub of: usize,
}

/// What a device deleted in a folder lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spell {
    latest: i64,
    /// Items in the folder when it began.
    of: usize,
    /// With earlier keys, and with the latest one.
    earlier: usize,
    key: u64,
    number: usize,
}

impl Spell {
    /// Adds a request, at a time in milliseconds since 1970.
    fn enter(&mut self, request: Deletions, now: i64) {
        if now - self.latest >= SPELL {
            *self = Self {
                of: request.of,
                ..Self::default()
            };
        }
        if self.key != request.key {
            self.earlier += self.number;
        }
        (self.key, self.number, self.latest) = (request.key, request.number, now);
    }

    const fn deleted(&self) -> usize {
        self.earlier.saturating_add(self.number)
    }

    /// Whether these are too many.
    const fn exceeds(&self, limits: Limits) -> bool {
        let share = self.of.saturating_mul(limits.percent);
        limits.items > 0 && self.deleted() > limits.items && self.deleted().saturating_mul(100) > share
    }
}

/// Context, device and collection.
pub type Place = (u32, u32, u32);

/// The spells of all devices.
#[derive(Debug, Default)]
pub struct Brakes(Mutex<HashMap<Place, Spell>>);

/// That a device deletes too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// Items deleted in the spell, with those of this request; what came back and was deleted again counts once.
    pub deleted: usize,
    /// Items in the folder when it began.
    pub of: usize,
}

impl Brakes {
    /// Enters what a request deletes in a folder; `Some` if that has to be held back.
    pub fn enter(&self, place: Place, request: Deletions, limits: Limits, now: i64) -> Option<Excess> {
        let mut spells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spells.retain(|_, spell| now - spell.latest < SPELL);
        let spell = spells.entry(place).or_default();
        spell.enter(request, now);
        let excess = Excess {
            deleted: spell.deleted().min(spell.of),
            of: spell.of,
        };
        spell.exceeds(limits).then_some(excess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { items: 50, percent: 20 };
    const HOUR: i64 = SPELL;

    #[test]
    fn both_limits_must_be_exceeded() {
        // Deletions, of so many; limits; held back.
        let cases = [
            (50, 50, LIMITS, false),
            (51, 51, LIMITS, true),
            (51, 254, LIMITS, true),
            (51, 255, LIMITS, false), // a fifth, and not more
            (1_000, 5_000, LIMITS, false),
            (1_001, 5_000, LIMITS, true),
            (5_000, 5_000, Limits { items: 0, percent: 20 }, false),
            (1, 1, Limits { items: 0, percent: 0 }, false),
            (2, 9, Limits { items: 1, percent: 0 }, true),
            (9, 9, Limits { items: 1, percent: 100 }, false),
        ];
        for (number, of, limits, expected) in cases {
            let mut spell = Spell::default();
            spell.enter(Deletions { key: 1, number, of }, HOUR);
            assert_eq!(spell.exceeds(limits), expected, "{number} of {of}, {limits:?}");
        }
    }

    /// Deletions come in portions, repeated ones count once, and an hour without any ends a spell.
    #[test]
    fn requests_add_up() {
        // Time, key, deletions, items left; held back.
        let requests = [
            (HOUR, 7, 30, 100, None),
            (HOUR + 1, 7, 30, 100, None), // the same again
            (HOUR + 2, 8, 20, 70, None),
            (HOUR + 3, 9, 1, 50, Some(51)),
            (HOUR + 4, 9, 2, 50, Some(52)),
            (2 * HOUR + 3, 10, 1, 50, Some(53)),
            (3 * HOUR + 3, 11, 50, 50, None),
        ];
        let brakes = Brakes::default();
        for (now, key, number, of, deleted) in requests {
            let request = Deletions { key, number, of };
            let expected = deleted.map(|deleted| Excess { deleted, of: 100 });
            assert_eq!(brakes.enter((1, 2, 5), request, LIMITS, now), expected, "{request:?}");
        }
        let (all, now) = (
            Deletions {
                key: 1,
                number: 60,
                of: 60,
            },
            4 * HOUR,
        );
        assert!(
            brakes.enter((1, 2, 6), all, LIMITS, now).is_some(),
            "each folder by itself"
        );
        assert_eq!(brakes.0.lock().unwrap().len(), 2);
        let few = Deletions {
            key: 2,
            number: 9,
            of: 60,
        };
        brakes.enter((1, 2, 7), few, LIMITS, now + HOUR);
        assert_eq!(brakes.0.lock().unwrap().len(), 1, "what is over is forgotten");
    }
}
