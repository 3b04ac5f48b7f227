//! The engine against random histories: one device, one OX in memory, lost answers, crashes between two writes.
//!
//! A test, not a part of the program. Each history is made from a seed that a failure prints; after it went quiet, device and OX
//! must hold the same, every Add of the device must stand at OX exactly once, and nothing the device did itself may
//! have come back to it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::usm::conflict::Common;
use crate::usm::conflict::Policy;
use crate::usm::journal;
use crate::usm::journal::Applied;
use crate::usm::journal::Done;
use crate::usm::journal::fingerprint;
use crate::usm::plan::Change;
use crate::usm::plan::Options;
use crate::usm::plan::Send;
use crate::usm::plan::Step;
use crate::usm::plan::What;
use crate::usm::plan::plan;
use crate::usm::settle::Answer;
use crate::usm::settle::Delivery;
use crate::usm::settle::Outcome;
use crate::usm::settle::settle;
use crate::usm::snapshot::Revision;
use crate::usm::snapshot::Seen;
use crate::usm::snapshot::Snapshot;
use crate::usm::state::State;

const HISTORIES: u64 = 4_000;

/// Parts of the engine without which some history must fail; otherwise the part is not needed, or this test is blind.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Missing {
    /// What was applied on a key is not consulted.
    Record,
    /// Only the newest state is kept.
    SecondGeneration,
    /// The record serves one repetition, and is not carried along for the next.
    CarryingOn,
    /// The revision after a write is not taken for the device's own.
    EchoCheck,
    /// A write is noted with the commit, and not when OX has confirmed it.
    CrashNote,
}

/// SplitMix64: small, and the same on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    pub(super) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Item {
    revision: u64,
    content: u64,
    /// Who wrote it last.
    by_device: bool,
}

#[derive(Default)]
struct Ox {
    items: BTreeMap<String, Item>,
    clock: u64,
    ids: u64,
}

impl Ox {
    fn create(&mut self, content: u64, by_device: bool) -> String {
        self.ids += 1;
        let id = self.ids.to_string();
        self.write(&id, content, by_device);
        id
    }

    fn write(&mut self, id: &str, content: u64, by_device: bool) -> u64 {
        self.clock += 1;
        self.items.insert(
            id.to_owned(),
            Item {
                revision: self.clock,
                content,
                by_device,
            },
        );
        self.clock
    }

    fn snapshot(&self) -> Snapshot<'_> {
        let seen = |item: &Item| Seen {
            revision: Revision(item.revision),
            within: true,
            newest: 0,
        };
        self.items.iter().map(|(id, item)| (id.as_str(), seen(item))).collect()
    }
}

/// What the store keeps: two generations, and the notes of each key.
struct Store {
    generations: Vec<(u64, State)>,
    notes: BTreeMap<u64, Applied>,
    /// Items that both sides changed: the device gets what came of it, even if that is what it wrote.
    contested: BTreeSet<String>,
}

struct Request {
    key: u64,
    changes: Vec<(Change, u64)>,
    window: usize,
    policy: Policy,
}

struct Response {
    key: u64,
    answers: Vec<Answer>,
    sends: Vec<(Send, Option<Item>)>,
    more: bool,
}

/// A request as the driver carries it out; `crash_after` writes it dies without a commit.
fn serve(
    store: &mut Store,
    ox: &mut Ox,
    request: &Request,
    crash_after: Option<usize>,
    missing: Option<Missing>,
) -> Result<Option<Response>, String> {
    let state = store
        .generations
        .iter()
        .find(|(key, _)| *key == request.key)
        .map(|(_, state)| state.clone());
    let state = state.ok_or("the key that the device has is not known")?;
    let mut notes = match missing {
        Some(Missing::Record) => Applied::default(),
        Some(Missing::CarryingOn) => store.notes.remove(&request.key).unwrap_or_default(),
        _ => store.notes.get(&request.key).cloned().unwrap_or_default(),
    };
    let changes: Vec<Change> = request.changes.iter().map(|(change, _)| change.clone()).collect();
    let options = Options {
        policy: request.policy,
        window: request.window,
        wants_changes: true,
        holds_deletions: false,
    };
    let plan = plan(&state, &notes, &ox.snapshot(), &changes, options);
    store.contested.extend(plan.unseen.iter().cloned());
    let carried = match missing {
        Some(Missing::CarryingOn) => Applied::default(),
        _ => notes.clone(),
    };
    let mut outcomes = Vec::new();
    notes = carried;
    for ((change, content), step) in request.changes.iter().zip(&plan.steps) {
        if *step != Step::Write {
            continue;
        }
        if crash_after == Some(outcomes.len()) {
            return Ok(None);
        }
        let (id, revision) = match &change.what {
            What::Add { .. } => {
                let id = ox.create(*content, true);
                (id, ox.clock)
            }
            What::Change { id } => (id.clone(), ox.write(id, *content, true)),
            What::Delete { id } => {
                ox.items.remove(id);
                (id.clone(), 0)
            }
        };
        let revision = Revision(revision);
        let known = revision.unless(plan.unseen.contains(&id) || missing == Some(Missing::EchoCheck));
        let done = Done {
            fingerprint: change.fingerprint,
            id: id.clone(),
            revision: Some(known),
            agreed: None,
            in_part: false,
        };
        notes.insert(journal::operation(&change.what), done);
        if missing != Some(Missing::CrashNote) {
            store.notes.insert(request.key, notes.clone());
        }
        let resend = known != revision;
        outcomes.push(Outcome::Done { id, revision, resend });
    }
    store.notes.insert(request.key, notes);
    let sends: Vec<_> = plan
        .to_device
        .iter()
        .map(|send| (send.clone(), ox.items.get(send.id()).copied()))
        .collect();
    let deliveries = vec![Delivery::Sent; sends.len()];
    let settled = settle(state.clone(), plan, &changes, outcomes, &deliveries, Vec::new());
    require(settled.is_changed == (settled.state != state), || {
        format!("changed: {}, from {state:?} to {:?}", settled.is_changed, settled.state)
    })?;
    let newest = store.generations.iter().map(|(key, _)| *key).max().unwrap_or_default();
    let mut key = request.key;
    if settled.is_changed || !changes.is_empty() {
        key = newest + 1;
        let keeps = missing != Some(Missing::SecondGeneration);
        store.generations.retain(|(key, _)| keeps && *key == request.key);
        store.generations.push((key, settled.state));
    }
    Ok(Some(Response {
        key,
        answers: settled.answers,
        sends,
        more: settled.more_available,
    }))
}

struct Device {
    key: u64,
    /// Content by OX id.
    items: BTreeMap<String, u64>,
    /// Made here and not yet answered, in order.
    pending: Vec<(Change, u64)>,
    client_ids: u64,
}

impl Device {
    fn act(&mut self, random: &mut Random) {
        let content = 1_000_000 + random.below(1_000_000);
        let existing = pick(&self.items, random);
        let taken = |id: &str| {
            self.pending.iter().any(|(change, _)| {
                matches!(&change.what, What::Change { id: other } | What::Delete { id: other } if other == id)
            })
        };
        let what = match (random.below(3), existing) {
            (0, Some(id)) if !taken(&id) => {
                self.items.insert(id.clone(), content);
                What::Change { id }
            }
            (1, Some(id)) if !taken(&id) => {
                self.items.remove(&id);
                What::Delete { id }
            }
            _ => {
                self.client_ids += 1;
                What::Add {
                    client_id: self.client_ids.to_string(),
                }
            }
        };
        self.pending.push((
            Change {
                what,
                fingerprint: fingerprint(&content.to_le_bytes()),
                common: Common::Unknown,
                agreed: None,
            },
            content,
        ));
    }

    fn take(&mut self, request: Request, response: Response) {
        self.key = response.key;
        for ((change, content), answer) in request.changes.into_iter().zip(response.answers) {
            if let (What::Add { .. }, Answer::Done { id }) = (change.what, answer) {
                self.items.insert(id, content);
            }
        }
        for (send, item) in response.sends {
            match (send, item) {
                (Send::Add { id, .. } | Send::Change { id, .. }, Some(item)) => {
                    self.items.insert(id, item.content);
                }
                (send, _) => {
                    self.items.remove(send.id());
                }
            }
        }
    }
}

fn pick(items: &BTreeMap<String, impl Sized>, random: &mut Random) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    let index = random.below(items.len() as u64) as usize;
    items.keys().nth(index).cloned()
}

fn history(seed: u64, missing: Option<Missing>) -> Result<(), String> {
    let random = &mut Random(seed);
    let mut ox = Ox::default();
    for _ in 0..random.below(6) {
        ox.create(random.below(1_000), false);
    }
    let mut store = Store {
        generations: vec![(100, State::default())],
        notes: BTreeMap::new(),
        contested: BTreeSet::new(),
    };
    let mut device = Device {
        key: 100,
        items: BTreeMap::new(),
        pending: Vec::new(),
        client_ids: 0,
    };
    let policy = if random.one_in(2) {
        Policy::OxWins
    } else {
        Policy::DeviceWins
    };
    let mut added = Vec::new();
    for round in 0..60 {
        let quiet = round >= 40;
        if !quiet {
            for _ in 0..random.below(3) {
                device.act(random);
            }
            for _ in 0..random.below(3) {
                let content = random.below(1_000);
                match (random.below(3), pick(&ox.items, random)) {
                    (0, Some(id)) => {
                        ox.write(&id, content, false);
                    }
                    (1, Some(id)) => {
                        ox.items.remove(&id);
                    }
                    _ => {
                        ox.create(content, false);
                    }
                }
            }
        }
        let request = Request {
            key: device.key,
            changes: device.pending.clone(),
            window: 1 + random.below(4) as usize,
            policy,
        };
        let crash_after = (!quiet && random.one_in(4)).then(|| random.below(3) as usize);
        let Some(response) = serve(&mut store, &mut ox, &request, crash_after, missing)? else {
            continue;
        };
        if !quiet && random.one_in(3) {
            continue; // the answer is lost
        }
        for ((change, content), answer) in request.changes.iter().zip(&response.answers) {
            if let (What::Add { .. }, Answer::Done { id }) = (&change.what, answer) {
                added.push((id.clone(), *content));
            }
        }
        for (send, item) in &response.sends {
            let echo = item.is_some_and(|item| item.by_device && device.items.get(send.id()) == Some(&item.content));
            let wins = request.changes.iter().any(
                |(change, _)| matches!(&change.what, What::Change { id } | What::Delete { id } if id == send.id()),
            );
            require(!echo || wins || store.contested.contains(send.id()), || {
                format!("round {round}: {send:?} is the device's own")
            })?;
        }
        device.pending.clear();
        let more = response.more;
        device.take(request, response);
        require(round < 59 || !more, || "it never comes to rest".to_owned())?;
    }
    let at_ox: BTreeMap<String, u64> = ox.items.iter().map(|(id, item)| (id.clone(), item.content)).collect();
    require(device.items == at_ox, || {
        format!("the device has {:?}, OX {at_ox:?}", device.items)
    })?;
    let mut contents: Vec<u64> = at_ox
        .values()
        .copied()
        .filter(|content| *content >= 1_000_000)
        .collect();
    contents.sort_unstable();
    let count = contents.len();
    contents.dedup();
    require(contents.len() == count, || "something stands twice at OX".to_owned())?;
    let ids = added.len();
    added.sort();
    added.dedup_by(|a, b| a.0 == b.0);
    require(added.len() == ids, || "two Adds became one item".to_owned())
}

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

#[test]
fn random_histories_converge() {
    for seed in 0..HISTORIES {
        history(seed, None).unwrap_or_else(|reason| panic!("seed {seed}: {reason}"));
    }
}

#[test]
fn no_part_of_the_engine_is_idle() {
    // what is missing, what a history then shows
    let cases = [
        (Missing::Record, "twice at OX"),
        (Missing::SecondGeneration, "is not known"),
        (Missing::CarryingOn, "twice at OX"),
        (Missing::EchoCheck, "the device's own"),
        (Missing::CrashNote, "twice at OX"),
    ];
    for (missing, shown) in cases {
        let failures = (0..HISTORIES).filter_map(|seed| history(seed, Some(missing)).err());
        let failures: Vec<String> = failures.take(100).collect();
        assert!(
            failures.iter().any(|reason| reason.contains(shown)),
            "without {missing:?}: {failures:?}"
        );
    }
}
