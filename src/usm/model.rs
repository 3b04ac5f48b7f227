//! The engine against random histories: one device, one OX in memory, lost answers, crashes between two writes.
//!
//! A test, not a part of the program. Each history is made from a seed that a failure prints; after it went quiet, device and OX
//! must hold the same, every Add of the device must stand at OX exactly once, and nothing the device did itself may
//! have come back to it.

use std::collections::BTreeMap;

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

    fn snapshot(&self) -> Snapshot {
        let seen = |item: &Item| Seen {
            revision: Revision(item.revision),
            within: true,
            newest: 0,
        };
        Snapshot {
            items: self.items.iter().map(|(id, item)| (id.clone(), seen(item))).collect(),
        }
    }
}

/// What the store keeps: two generations, and the notes of each key.
struct Store {
    generations: Vec<(u64, State)>,
    notes: BTreeMap<u64, Applied>,
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
fn serve(store: &mut Store, ox: &mut Ox, request: &Request, crash_after: Option<usize>) -> Option<Response> {
    let state = store
        .generations
        .iter()
        .find(|(key, _)| *key == request.key)
        .map(|(_, state)| state.clone());
    let state = state.expect("the device has one of the two last keys");
    let notes = store.notes.entry(request.key).or_default();
    let changes: Vec<Change> = request.changes.iter().map(|(change, _)| change.clone()).collect();
    let options = Options {
        policy: request.policy,
        window: request.window,
        wants_changes: true,
    };
    let plan = plan(&state, notes, &ox.snapshot(), &changes, options);
    let mut outcomes = Vec::new();
    for ((change, content), step) in request.changes.iter().zip(&plan.steps) {
        if *step != Step::Write {
            continue;
        }
        if crash_after == Some(outcomes.len()) {
            return None;
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
        let done = Done {
            fingerprint: change.fingerprint,
            id: id.clone(),
            revision: Some(revision),
        };
        notes.insert(journal::operation(&change.what), done);
        outcomes.push(Outcome::Done { id, revision });
    }
    let sends: Vec<_> = plan
        .to_device
        .iter()
        .map(|send| (send.clone(), ox.items.get(send.id()).copied()))
        .collect();
    let deliveries = vec![Delivery::Sent; sends.len()];
    let settled = settle(plan, &changes, outcomes, &deliveries, Vec::new());
    let newest = store.generations.iter().map(|(key, _)| *key).max().unwrap_or_default();
    let mut key = request.key;
    if settled.state != state || !changes.is_empty() {
        key = newest + 1;
        store.generations.retain(|(key, _)| *key == request.key);
        store.generations.push((key, settled.state));
    }
    Some(Response {
        key,
        answers: settled.answers,
        sends,
        more: settled.more_available,
    })
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
                is_moot: false,
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

fn history(seed: u64) {
    let random = &mut Random(seed);
    let mut ox = Ox::default();
    for _ in 0..random.below(6) {
        ox.create(random.below(1_000), false);
    }
    let mut store = Store {
        generations: vec![(100, State::default())],
        notes: BTreeMap::new(),
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
        let Some(response) = serve(&mut store, &mut ox, &request, crash_after) else {
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
            assert!(
                !echo || wins,
                "seed {seed}, round {round}: {send:?} is the device's own"
            );
        }
        device.pending.clear();
        let more = response.more;
        device.take(request, response);
        assert!(round < 59 || !more, "seed {seed}: never finished");
    }
    let at_ox: BTreeMap<String, u64> = ox.items.iter().map(|(id, item)| (id.clone(), item.content)).collect();
    assert_eq!(device.items, at_ox, "seed {seed}");
    let mut contents: Vec<u64> = at_ox
        .values()
        .copied()
        .filter(|content| *content >= 1_000_000)
        .collect();
    contents.sort_unstable();
    let count = contents.len();
    contents.dedup();
    assert_eq!(contents.len(), count, "seed {seed}: something stands twice at OX");
    let ids = added.len();
    added.sort();
    added.dedup_by(|a, b| a.0 == b.0);
    assert_eq!(added.len(), ids, "seed {seed}: two Adds became one item");
}

#[test]
fn random_histories_converge() {
    for seed in 0..HISTORIES {
        history(seed);
    }
}
