//! A history as a script: made from a seed, printed a line a step, and shortened by leaving steps out.
//!
//! A step names nothing that could be missing: which item it is about is a number that the player takes modulo what is
//! there. So any part of a script is a script.

use std::fmt;

use ox_standin::Fault;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;

use super::History;
use super::kinds::ARCHIVE;
use super::kinds::KINDS;
use super::kinds::MAIL;
use super::kinds::is_mail;
use super::ox::Ox;
use super::player;
use super::random::Random;
use super::site::GATEWAYS;

/// Every phone is one of these.
pub(super) const VERSIONS: [ProtocolVersion; 4] = [V2_5, V12_1, V14_1, V16_1];

/// Few requests make more.
const MOST_CALLS_AT_OX: usize = 12;
const MOST_CALLS_AT_DATABASE: usize = 20;

#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) ox: Ox,
    pub(super) phones: Vec<Phone>,
    /// Those that are synced, in order.
    pub(super) kinds: Vec<usize>,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Phone {
    pub(super) version: ProtocolVersion,
    /// [MS-ASCMD] Conflict 0: of two changes, the phone's counts.
    pub(super) wins: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Somebody at the web interface.
    Web { kind: usize, act: Act },
    /// Somebody at a phone, which tells nobody yet.
    Touch { phone: usize, kind: usize, act: Act },
    /// A phone syncs some kinds in one request.
    Sync {
        phone: usize,
        kinds: Vec<usize>,
        window: usize,
        /// GetChanges.
        wants_changes: bool,
        gateway: usize,
        trouble: Trouble,
    },
    /// A phone moves a mail between inbox and archive, and asks again if there is no answer.
    Move {
        phone: usize,
        from: usize,
        which: usize,
        gateway: usize,
        trouble: Trouble,
    },
    /// A phone wants mail of the last days only, or all of it.
    Filter { phone: usize, recent_only: bool },
    /// OX forgets all sessions.
    Expire,
    /// All gateways stop and start.
    Restart,
    /// The database is saved.
    BackUp,
    /// The database goes back to what it was when it was saved.
    Restore,
}

/// `which`: modulo the number of items there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Add,
    Change {
        which: usize,
        field: usize,
    },
    Delete {
        which: usize,
    },
    /// Mail only.
    Move {
        which: usize,
    },
    /// OX writes the item anew, and nobody sees a difference. All but mail.
    Rewrite {
        which: usize,
    },
}

/// What goes wrong with a request. Calls and writes are counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trouble {
    None,
    /// Served, and the phone never hears of it.
    AnswerLost,
    /// The phone hangs up at this moment; the request goes on.
    HungUp {
        at: Moment,
    },
    /// All gateways die at this moment.
    Crash {
        at: Moment,
    },
    /// From this write on the database refuses all of them; perhaps that is the end of the gateways.
    StoreFails {
        write: usize,
        crash: bool,
    },
    /// The request comes at two gateways at once: one is served from its beginning to its end while the other is held at
    /// this moment.
    Twice {
        at: Moment,
        /// The phone takes the answer of the one that came first, and finished last.
        takes_first: bool,
    },
    /// This call at OX goes wrong.
    OxFails {
        call: usize,
        fault: Fault,
    },
}

impl Trouble {
    /// Whether a request may end somewhere within.
    pub(super) const fn breaks_off(&self) -> bool {
        matches!(
            self,
            Self::Crash { .. } | Self::StoreFails { .. } | Self::OxFails { .. }
        )
    }
}

/// Between two steps of a request. One that makes fewer calls does not come there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moment {
    /// Within this call, before or after OX has carried it out.
    Ox { call: usize, carried_out: bool },
    /// Behind this call at the database, which is carried out. Before it, all is as behind the call before.
    Database { call: usize },
}

impl History for Script {
    fn of(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let phones: Vec<Phone> = (0..1 + random.below(3).div_ceil(2))
            .map(|_| Phone {
                version: random.of(&VERSIONS),
                wins: random.one_in(2),
            })
            .collect();
        // Most histories are of one or two kinds, so that what happens meets.
        let mut kinds: Vec<usize> = match random.below(4) {
            0 => (0..ARCHIVE).collect(),
            1 => vec![random.below(ARCHIVE), random.below(ARCHIVE)],
            _ => vec![random.below(ARCHIVE)],
        };
        if kinds.contains(&MAIL) && !random.one_in(3) {
            kinds.push(ARCHIVE);
        }
        kinds.sort_unstable();
        kinds.dedup();
        let calm = random.one_in(4);
        let mut steps = Vec::new();
        for _ in 0..random.below(5) {
            let kind = random.of(&kinds);
            steps.push(Step::Web { kind, act: Act::Add });
        }
        for _ in 0..10 + random.below(20) {
            steps.push(step(random, &phones, &kinds, calm));
        }
        Self {
            ox: Ox::of(seed),
            phones,
            kinds,
            steps,
        }
    }

    fn len(&self) -> usize {
        self.steps.len()
    }

    fn without(&self, index: usize) -> Self {
        let mut shorter = self.clone();
        shorter.steps.remove(index);
        shorter
    }

    fn play(&self) {
        player::play(self);
    }
}

fn step(random: &mut Random, phones: &[Phone], kinds: &[usize], calm: bool) -> Step {
    let kind = random.of(kinds);
    let phone = random.below(phones.len());
    match random.below(20) {
        0..=4 => Step::Web {
            kind,
            act: act(random, kinds),
        },
        5..=9 => Step::Touch {
            phone,
            kind,
            act: act(random, kinds),
        },
        10 | 11 if is_mail(kind) && random.one_in(2) => match kinds.contains(&ARCHIVE) && !random.one_in(3) {
            true => Step::Move {
                phone,
                from: kind,
                which: random.below(1000),
                gateway: random.below(GATEWAYS),
                trouble: if calm { Trouble::None } else { trouble(random) },
            },
            false => Step::Filter {
                phone,
                recent_only: random.one_in(2),
            },
        },
        10 if !calm && random.one_in(2) => match random.below(8) {
            0..=2 => Step::Expire,
            3..=5 => Step::Restart,
            6 => Step::BackUp,
            _ => Step::Restore,
        },
        _ => Step::Sync {
            phone,
            kinds: some_of(random, kinds),
            window: 1 + random.below(5),
            wants_changes: !random.one_in(8),
            gateway: random.below(GATEWAYS),
            trouble: if calm { Trouble::None } else { trouble(random) },
        },
    }
}

fn act(random: &mut Random, kinds: &[usize]) -> Act {
    let which = random.below(1000);
    match random.below(7) {
        0 | 1 => Act::Add,
        2 => Act::Delete { which },
        3 if kinds.contains(&ARCHIVE) => Act::Move { which },
        3 if random.one_in(2) => Act::Rewrite { which },
        _ => Act::Change {
            which,
            field: random.below(2),
        },
    }
}

fn some_of(random: &mut Random, kinds: &[usize]) -> Vec<usize> {
    let mut some: Vec<usize> = kinds.iter().copied().filter(|_| !random.one_in(3)).collect();
    if some.is_empty() {
        some.push(random.of(kinds));
    }
    some.sort_unstable();
    some.dedup();
    some
}

pub(super) fn trouble(random: &mut Random) -> Trouble {
    let at = moment(random);
    match random.below(14) {
        0 | 1 => Trouble::AnswerLost,
        2 => Trouble::HungUp { at },
        3..=5 => Trouble::Crash { at },
        6 => Trouble::StoreFails {
            write: 1 + random.below(6),
            crash: random.one_in(2),
        },
        7 => Trouble::OxFails {
            call: 1 + random.below(MOST_CALLS_AT_OX),
            fault: fault(random),
        },
        8 | 9 => Trouble::Twice {
            at,
            takes_first: random.one_in(2),
        },
        _ => Trouble::None,
    }
}

fn moment(random: &mut Random) -> Moment {
    match random.one_in(2) {
        true => Moment::Ox {
            call: 1 + random.below(MOST_CALLS_AT_OX),
            carried_out: random.one_in(2),
        },
        false => Moment::Database {
            call: 1 + random.below(MOST_CALLS_AT_DATABASE),
        },
    }
}

fn fault(random: &mut Random) -> Fault {
    match random.below(8) {
        0 => Fault::Status(503),
        1 => Fault::Reset,
        2 | 3 => Fault::LoseAnswer,
        4 => Fault::HtmlPage,
        5 => Fault::TruncatedJson,
        6 => Fault::SessionExpired,
        _ => Fault::error("OX-9999", 8),
    }
}

/// A line a step; with the seed, all that is needed to follow a failure.
impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.ox)?;
        for (number, phone) in self.phones.iter().enumerate() {
            let winner = if phone.wins { "the phone" } else { "OX" };
            writeln!(f, "phone {number}: {}, in conflicts {winner} wins", phone.version)?;
        }
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{number:>3}: {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web { kind, act } => write!(f, "web: {act} in {}", KINDS[*kind].name),
            Self::Touch { phone, kind, act } => write!(f, "phone {phone}: {act} in {}", KINDS[*kind].name),
            Self::Sync {
                phone,
                kinds,
                window,
                wants_changes,
                gateway,
                trouble,
            } => {
                let names: Vec<&str> = kinds.iter().map(|kind| KINDS[*kind].name).collect();
                let names = names.join(", ");
                write!(f, "phone {phone}: syncs {names} at gateway {gateway}, window {window}")?;
                if !wants_changes {
                    f.write_str(", own changes only")?;
                }
                match trouble {
                    Trouble::None => Ok(()),
                    trouble => write!(f, "; {trouble:?}"),
                }
            }
            Self::Move {
                phone,
                from,
                which,
                gateway,
                trouble,
            } => {
                let name = KINDS[*from].name;
                write!(
                    f,
                    "phone {phone}: moves item {which} out of {name} at gateway {gateway}; {trouble:?}"
                )
            }
            Self::Filter { phone, recent_only } => write!(f, "phone {phone}: wants recent mail only: {recent_only}"),
            Self::Expire => f.write_str("OX forgets all sessions"),
            Self::Restart => f.write_str("the gateways are restarted"),
            Self::BackUp => f.write_str("the database is saved"),
            Self::Restore => f.write_str("the database is restored"),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add => f.write_str("adds"),
            Self::Change { which, field } => write!(f, "changes field {field} of item {which}"),
            Self::Delete { which } => write!(f, "deletes item {which}"),
            Self::Move { which } => write!(f, "moves item {which}"),
            Self::Rewrite { which } => write!(f, "writes item {which} anew"),
        }
    }
}
