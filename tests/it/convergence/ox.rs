//! The OX of a history: its generation, its ways of writing answers, and what its mail server can do.

use std::fmt;

use ox_standin::Profile;
use ox_standin::Standin;
use ox_standin::Uids;

use super::kinds;
use super::random::Random;

/// Zones of the users, who do not all live where the time is that of the world.
const ZONES: [&str; 4] = ["Europe/Berlin", "UTC", "America/New_York", "Pacific/Auckland"];

#[derive(Clone, Copy, Debug)]
pub(super) struct Ox {
    pub(super) profile: Profile,
    /// Answers are written differently from time to time.
    pub(super) whims: Option<u64>,
    /// A moved mail does not tell its new id.
    pub(super) hides_moved_ids: bool,
    pub(super) zone: &'static str,
}

impl Ox {
    /// What most installations are.
    pub(super) const COMMON: Self = Self {
        profile: Profile::V7_8,
        whims: None,
        hides_moved_ids: false,
        zone: "Europe/Berlin",
    };

    /// Drawn apart from the steps, so that a history is the same at another OX.
    pub(super) fn of(seed: u64) -> Self {
        let random = &mut Random::new(!seed);
        Self {
            profile: random.of(&Profile::ALL),
            whims: random.one_in(2).then(|| random.number()),
            hides_moved_ids: random.one_in(4),
            zone: random.of(&ZONES),
        }
    }

    /// Whether an object has the UID that the gateway gives it, for as long as it is there.
    pub(super) fn keeps_uids(&self, kind: usize) -> bool {
        let are_kept = self.whims.map_or(Uids::Kept, Uids::of) == Uids::Kept;
        match kind {
            kinds::CONTACT => are_kept,
            kinds::TASK => are_kept && self.profile >= Profile::V7_8,
            _ => true,
        }
    }

    /// Its clock stands at the beginning of all histories.
    pub(super) fn start(&self) -> Standin {
        let mut builder = Standin::builder()
            .profile(self.profile)
            .zone(self.zone)
            .max_sessions_per_user(10_000)
            .now(kinds::NOW);
        if let Some(seed) = self.whims {
            builder = builder.whims(seed);
        }
        if self.hides_moved_ids {
            builder = builder.hides_moved_ids();
        }
        builder.build()
    }
}

impl fmt::Display for Ox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OX {} in {}", self.profile.server_version(), self.zone)?;
        if let Some(seed) = self.whims {
            write!(f, ", whims {seed}")?;
        }
        if self.hides_moved_ids {
            f.write_str(", hides the ids of moved mails")?;
        }
        Ok(())
    }
}
