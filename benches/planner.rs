//! `make bench-planner`: what the pure engine costs, how that grows, and whether a state may be written as a whole.
//!
//! Three questions, each a table; a folder in which one item in a hundred changed since the state of the device:
//!
//! 1. Time and allocations for each item of the folder in `plan`, `settle`, and the state's bytes both ways, and how that
//!    grows from ten thousand to a million items: 1.0 in the last column is linear.
//! 2. The size of a state in the store.
//! 3. How long a commit takes when ten of ten thousand items changed, beside a commit of next to nothing: what could be
//!    won by writing the difference only.
//!
//! One thread, medians of its processor time; of commits, which wait for the disk, of the clock's. Ratios in one run mean something; the figures alone do not.

use std::alloc::System;
use std::fs;
use std::hint::black_box;
use std::time::Duration;
use std::time::Instant;

use oxtender::config::Database;
use oxtender::store;
use oxtender::store::Store;
use oxtender::usm::conflict::Common;
use oxtender::usm::conflict::Policy;
use oxtender::usm::journal::Applied;
use oxtender::usm::journal::fingerprint;
use oxtender::usm::plan;
use oxtender::usm::plan::Change;
use oxtender::usm::plan::Options;
use oxtender::usm::plan::What;
use oxtender::usm::settle;
use oxtender::usm::settle::Delivery;
use oxtender::usm::settle::Outcome;
use oxtender::usm::snapshot::Revision;
use oxtender::usm::snapshot::Seen;
use oxtender::usm::snapshot::Snapshot;
use oxtender::usm::state::Held;
use oxtender::usm::state::State;
use stats_alloc::INSTRUMENTED_SYSTEM;
use stats_alloc::Region;
use stats_alloc::StatsAlloc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Items of a folder.
const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// One item in so many changed.
const RARITY: u64 = 100;

/// Items worked on between two looks at the clock.
const SAMPLE: u64 = 2_000_000;

const OPTIONS: Options = Options {
    policy: Policy::OxWins,
    window: usize::MAX,
    wants_changes: true,
    holds_deletions: false,
};

fn main() {
    println!("One item in {RARITY} changed; for each item of the folder:\n");
    println!(
        "{:<10} {:>10} {:>8} {:>12} {:>14}",
        "step", "items", "ns", "allocations", "growth in time"
    );
    let folders = SIZES.map(Folder::new);
    table("plan", &folders, |folder| {
        black_box(folder.plan(&[]));
    });
    table("  + writes", &folders, |folder| {
        black_box(folder.plan(&folder.changes));
    });
    table("settle", &folders, |folder| {
        let plan = folder.plan(&folder.changes);
        let deliveries = vec![Delivery::Sent; plan.to_device.len()];
        let outcomes = folder.outcomes();
        black_box(settle(
            folder.state.clone(),
            plan,
            &folder.changes,
            outcomes,
            &deliveries,
            Vec::new(),
        ));
    });
    table("encode", &folders, |folder| {
        black_box(folder.state.encode());
    });
    table("decode", &folders, |folder| {
        black_box(State::decode(&folder.bytes).ok());
    });
    println!("\n(settle with the plan it follows from)\n");
    for folder in &folders {
        let bytes = folder.bytes.len();
        println!(
            "{:>8} mails: {bytes:>9} bytes in the store, {:.1} a mail",
            folder.items,
            bytes as f64 / folder.items as f64
        );
    }
    println!();
    commits(&folders[0]);
}

/// A state, and what OX holds now.
struct Folder {
    items: u64,
    state: State,
    bytes: Vec<u8>,
    seen: Vec<(String, Seen)>,
    /// What the device did: as many changes as OX has.
    changes: Vec<Change>,
}

impl Folder {
    fn new(items: u64) -> Self {
        let id = |number: u64| (1_000_000 + number).to_string();
        let item = |number: u64| (id(number), Held::on_device(mail(number, 0)));
        let state = State {
            items: (0..items).map(item).collect(),
            options: vec![0; 32],
            ..State::default()
        };
        // In turn: another flag, gone, new.
        let seen = |number: u64| {
            let changed = number.is_multiple_of(RARITY);
            let (number, flags) = match number / RARITY % 3 {
                0 if changed => (number, 32),
                1 if changed => return None,
                2 if changed => (items + number, 0),
                _ => (number, 0),
            };
            let seen = Seen {
                revision: mail(number, flags),
                within: true,
                newest: 1_700_000_000_000 + i64::try_from(number).unwrap_or(0),
            };
            Some((id(number), seen))
        };
        let change = |number: u64| Change {
            what: What::Change { id: id(number) },
            fingerprint: fingerprint(&number.to_le_bytes()),
            common: Common::Unknown,
            agreed: None,
        };
        Self {
            items,
            bytes: state.encode(),
            state,
            seen: (0..items).filter_map(seen).collect(),
            changes: (0..items / RARITY).map(|number| change(number * RARITY + 1)).collect(),
        }
    }

    fn plan(&self, changes: &[Change]) -> plan::Plan {
        plan(&self.state, &Applied::default(), &self.snapshot(), changes, OPTIONS)
    }

    fn snapshot(&self) -> Snapshot<'_> {
        self.seen.iter().map(|(id, seen)| (id.as_str(), *seen)).collect()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |change: &Change| match &change.what {
            What::Add { client_id: id } | What::Change { id } | What::Delete { id } => Outcome::Done {
                id: id.clone(),
                revision: Revision(1),
                resend: false,
            },
        };
        self.changes.iter().map(outcome).collect()
    }
}

/// As OX has it: a digest of the date, and flags.
const fn mail(number: u64, flags: u64) -> Revision {
    Revision((number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 << 32 | flags)
}

fn table(step: &str, folders: &[Folder], work: impl Fn(&Folder)) {
    let mut least = None;
    for folder in folders {
        let region = Region::new(ALLOCATOR);
        work(folder);
        let allocations = region.change().allocations;
        // As many items in each sample, since the kernel counts the time of a thread in steps.
        let repeats = SAMPLE.div_ceil(folder.items);
        let taken = median(
            5,
            processor,
            |before| processor() - before,
            || {
                (0..repeats).for_each(|_| work(folder));
            },
        );
        let nanoseconds = taken.as_nanos() as f64 / (repeats * folder.items) as f64;
        let growth = nanoseconds / *least.get_or_insert(nanoseconds);
        println!(
            "{step:<10} {:>10} {nanoseconds:>8.0} {:>12.2} {growth:>14.1}",
            folder.items,
            allocations as f64 / folder.items as f64
        );
    }
}

/// By the clock that `now` reads.
fn median<T: Copy>(
    times: usize,
    now: impl Fn() -> T,
    since: impl Fn(T) -> Duration,
    mut work: impl FnMut(),
) -> Duration {
    let mut taken: Vec<Duration> = (0..times)
        .map(|_| {
            let started = now();
            work();
            since(started)
        })
        .collect();
    taken.sort_unstable();
    taken.get(times / 2).copied().unwrap_or_default()
}

/// How long this thread has run: whatever else the machine does meanwhile does not count.
fn processor() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").expect("a thread of Linux");
    let nanoseconds = told.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// Commits the state of ten thousand mails, ten of them changed, and one of ten mails, to a file of our own.
fn commits(folder: &Folder) {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let database = Database::Sqlite(directory.path().join("store.db"));
    let store = runtime.block_on(Store::open(&database)).expect("a store");
    runtime.block_on(store.prepare(1)).expect("tables");
    let device = runtime.block_on(store.session(1, 3, "EAS", "phone")).expect("a device");
    let few = Folder::new(10);
    let mut key = 0;
    let mut commit = |object: &str, state: &State| {
        let before = key;
        key += 1;
        let bytes = state.encode();
        let row = store::State { key, bytes };
        let expected = runtime.block_on(store.states(device, object)).expect("states");
        let expected = expected.first().map(|state| state.key);
        let done = runtime.block_on(store.commit(device, object, expected, row, &[before]));
        assert!(done.expect("a commit"));
    };
    let mut state = folder.state.clone();
    let whole = median(
        101,
        Instant::now,
        |since| since.elapsed(),
        || {
            for held in state.items.values_mut().take(10) {
                held.revision.0 ^= 32;
            }
            commit("1", &state);
        },
    );
    let least = median(101, Instant::now, |since| since.elapsed(), || commit("2", &few.state));
    println!("A state read, encoded and committed to SQLite, both generations kept:");
    println!("  10 of 10,000 mails changed, all written: {whole:?}");
    println!("  of 10 mails altogether:                  {least:?}");
    println!(
        "  the difference is {:.1} times the lesser",
        whole.as_secs_f64() / least.as_secs_f64() - 1.0
    );
}
