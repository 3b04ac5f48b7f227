//! Drafts against random histories: they are replaced and sent in steps, and between any two of them all may go dark.
//!
//! A test, not a part of the program. It plays the driver of [`draft`](mod@crate::usm::draft) on an OX in memory, with the
//! engine that ships. When a history has gone quiet, device and OX hold the same drafts, each that the device wrote at most
//! once, and every message that the device was told of went out exactly once.

use std::collections::BTreeMap;

use crate::usm::conflict::Common;
use crate::usm::conflict::Policy;
use crate::usm::journal;
use crate::usm::journal::Applied;
use crate::usm::journal::Done;
use crate::usm::journal::fingerprint;
use crate::usm::model::Random;
use crate::usm::plan::Change;
use crate::usm::plan::Options;
use crate::usm::plan::Plan;
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

const HISTORIES: u64 = 2_000;

/// Mails never change, so its content says which one it is; its revision is its id.
#[derive(Default)]
struct Ox {
    drafts: BTreeMap<String, u64>,
    /// Contents, in the order they went out.
    sent: Vec<u64>,
    ids: u64,
    /// Calls until all goes dark; `None`: it does not.
    left: Option<u64>,
}

/// The connection, or the gateway, is gone.
struct Dark;

impl Ox {
    /// One call: the next one may be the last, and its answer is lost.
    fn call<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Result<T, Dark> {
        if self.left == Some(0) {
            return Err(Dark);
        }
        let answer = act(self);
        self.left = self.left.map(|left| left - 1);
        match self.left {
            Some(0) => Err(Dark),
            _ => Ok(answer),
        }
    }

    fn store(&mut self, content: u64) -> String {
        self.ids += 1;
        self.drafts.insert(self.ids.to_string(), content);
        self.ids.to_string()
    }

    fn find(&self, content: u64) -> Option<String> {
        let found = self.drafts.iter().find(|(_, own)| **own == content);
        found.map(|(id, _)| id.clone())
    }

    /// As the device knows the drafts.
    fn snapshot<'a>(&'a self, replaced: &'a BTreeMap<String, String>) -> Snapshot<'a> {
        let known = |id: &'a String| {
            let found = replaced.iter().find(|(_, new)| *new == id);
            found.map_or(id, |(known, _)| known).as_str()
        };
        let seen = |id: &str| Seen {
            revision: revision(id),
            within: true,
            newest: 0,
        };
        self.drafts.keys().map(|id| (known(id), seen(id))).collect()
    }
}

fn revision(id: &str) -> Revision {
    Revision(id.parse().unwrap_or_default())
}

/// What the device did: a change, its content, and whether the draft goes out.
type Wanted = (Change, u64, bool);

struct Store {
    generations: Vec<(u64, State)>,
    /// Under each key, in the order they were made.
    notes: BTreeMap<u64, Vec<Note>>,
}

#[derive(Clone)]
struct Note {
    operation: Vec<u8>,
    outcome: Vec<u8>,
}

struct Response {
    key: u64,
    answers: Vec<Answer>,
    sends: Vec<(Send, Option<u64>)>,
}

/// A request as the drivers carry it out.
fn serve(store: &mut Store, ox: &mut Ox, key: u64, wanted: &[Wanted]) -> Result<Response, Dark> {
    let found = store.generations.iter().find(|(known, _)| *known == key);
    let mut state = found.expect("one of the two last keys").1.clone();
    let notes = store.notes.get(&key).cloned().unwrap_or_default();
    let applied = Applied::read(notes.into_iter().map(|note| (note.operation, note.outcome)));
    state.replaced.extend(applied.replaced(state.items.keys()));
    let changes: Vec<Change> = wanted.iter().map(|(change, ..)| change.clone()).collect();
    let options = Options {
        policy: Policy::Merge,
        window: 100,
        wants_changes: true,
        holds_deletions: false,
    };
    let mut plan = plan(&state, &applied, &ox.snapshot(&state.replaced), &changes, options);
    let mut outcomes = Vec::new();
    for (one, step) in wanted.iter().zip(&plan.steps).filter(|(_, step)| step.writes()) {
        let mut note = |outcome: Vec<u8>| {
            let notes = store.notes.entry(key).or_default();
            let operation = journal::operation(&one.0.what);
            // As in the store: one note of an operation.
            notes.retain(|note| note.operation != operation);
            notes.push(Note { operation, outcome });
        };
        outcomes.push(write(ox, &state, one, step, &mut note)?);
    }
    plan.adopt(&changes, &outcomes);
    let sends = told(&plan, ox);
    let deliveries = vec![Delivery::Sent; sends.len()];
    let settled = settle(state, plan, &changes, outcomes, &deliveries, Vec::new());
    let newest = store.generations.iter().map(|(key, _)| *key).max().unwrap_or_default();
    store.generations.retain(|(known, _)| *known == key);
    store.generations.push((newest + 1, settled.state));
    Ok(Response {
        key: newest + 1,
        answers: settled.answers,
        sends,
    })
}

fn told(plan: &Plan, ox: &Ox) -> Vec<(Send, Option<u64>)> {
    let content = |send: &Send| {
        let id = plan.replaced.get(send.id()).map_or_else(|| send.id(), String::as_str);
        ox.drafts.get(id).copied()
    };
    plan.to_device
        .iter()
        .map(|send| (send.clone(), content(send)))
        .collect()
}

/// The steps of the writer of drafts.
fn write(
    ox: &mut Ox,
    state: &State,
    (change, content, send): &Wanted,
    step: &Step,
    note: &mut impl FnMut(Vec<u8>),
) -> Result<Outcome, Dark> {
    let old = match &change.what {
        What::Delete { id } => {
            ox.call(|ox| ox.drafts.remove(state.ox_id(id)))?;
            let (id, revision) = (id.clone(), Revision(0));
            return Ok(Outcome::Done {
                id,
                revision,
                resend: false,
            });
        }
        What::Change { id } => Some(state.ox_id(id).to_owned()),
        What::Add { .. } => None,
    };
    let done = |id: &str| Done {
        fingerprint: change.fingerprint,
        id: id.to_owned(),
        revision: None,
        agreed: None,
        in_part: false,
    };
    if *step != Step::Finish {
        note(journal::UNCERTAIN.to_vec());
    }
    // The source of what is gone cannot be read.
    let is_there = old.as_ref().is_none_or(|old| ox.drafts.contains_key(old));
    if *send {
        let known = *step == Step::WriteUnlessThere && ox.sent.contains(content);
        if *step != Step::Finish && !known {
            if !is_there {
                return Ok(Outcome::NotFound);
            }
            ox.call(|ox| ox.sent.push(*content))?;
            note(done("").encode());
        }
        if let Some(old) = &old {
            ox.call(|ox| ox.drafts.remove(old))?;
        }
        let id = match &change.what {
            What::Change { id } => id.clone(),
            _ => format!("sent-{content}"),
        };
        note(done(&id).encode());
        return Ok(Outcome::Sent { id });
    }
    let found = ox.find(*content).filter(|_| *step == Step::WriteUnlessThere);
    let new = match found {
        Some(found) => found,
        None if is_there => ox.call(|ox| ox.store(*content))?,
        None => return Ok(Outcome::NotFound),
    };
    if let Some(old) = &old {
        ox.call(|ox| ox.drafts.remove(old))?;
    }
    note(done(&new).encode());
    let revision = revision(&new);
    Ok(match old {
        Some(_) => Outcome::Replaced {
            by: new,
            revision,
            resend: false,
        },
        None => Outcome::Done {
            id: new,
            revision,
            resend: false,
        },
    })
}

#[derive(Default)]
struct Device {
    key: u64,
    drafts: BTreeMap<String, u64>,
    pending: Vec<Wanted>,
    /// Contents it was told went out.
    sent: Vec<u64>,
    contents: u64,
}

impl Device {
    /// Writes, changes, sends or deletes a draft; a draft once in a request, as phones do.
    fn act(&mut self, random: &mut Random) {
        self.contents += 1;
        let content = 1_000_000 + self.contents;
        let named = |id: &str| self.pending.iter().any(|(change, ..)| name(change) == id);
        let free: Vec<String> = self.drafts.keys().filter(|id| !named(id)).cloned().collect();
        let picked = free.get(random.below(1 + free.len() as u64) as usize);
        let what = match (picked, random.below(5)) {
            (Some(id), 0) => What::Delete { id: id.clone() },
            (Some(id), _) => What::Change { id: id.clone() },
            (None, _) => What::Add {
                client_id: content.to_string(),
            },
        };
        let send = !matches!(what, What::Delete { .. }) && random.one_in(3);
        match &what {
            What::Change { id } => drop(self.drafts.insert(id.clone(), content)),
            What::Delete { id } => drop(self.drafts.remove(id)),
            What::Add { .. } => {}
        }
        let change = Change {
            what,
            fingerprint: fingerprint(&content.to_le_bytes()),
            common: Common::Unknown,
            agreed: None,
        };
        self.pending.push((change, content, send));
    }

    fn take(&mut self, response: Response) {
        self.key = response.key;
        for ((change, content, send), answer) in std::mem::take(&mut self.pending).into_iter().zip(response.answers) {
            let Answer::Done { id } = answer else { continue };
            if send {
                self.sent.push(content);
            }
            if matches!(change.what, What::Add { .. }) {
                self.drafts.insert(id, content);
            }
        }
        for (send, content) in response.sends {
            match (send, content) {
                (Send::Add { id, .. }, Some(content)) => {
                    let before = self.drafts.insert(id.clone(), content);
                    assert_eq!(before, None, "{id} comes twice");
                }
                (Send::Change { id, .. }, Some(content)) => drop(self.drafts.insert(id, content)),
                (send, _) => drop(self.drafts.remove(send.id())),
            }
        }
    }
}

fn name(change: &Change) -> &str {
    match &change.what {
        What::Add { client_id } => client_id,
        What::Change { id } | What::Delete { id } => id,
    }
}

fn history(seed: u64) {
    let random = &mut Random(seed);
    let mut ox = Ox::default();
    let mut device = Device {
        key: 100,
        ..Device::default()
    };
    let mut store = Store {
        generations: vec![(100, State::default())],
        notes: BTreeMap::new(),
    };
    for round in 0..40 {
        let quiet = round >= 30;
        if !quiet && device.pending.is_empty() {
            for _ in 0..random.below(4) {
                device.act(random);
            }
        }
        if !quiet && random.one_in(4) {
            // The web interface: a new draft, or one less.
            ox.store(random.below(1_000_000));
            let ids: Vec<String> = ox.drafts.keys().cloned().collect();
            if let Some(id) = ids.get(random.below(3 * ids.len() as u64) as usize) {
                ox.drafts.remove(id);
            }
        }
        ox.left = (!quiet && random.one_in(2)).then(|| 1 + random.below(8));
        let answer = serve(&mut store, &mut ox, device.key, &device.pending);
        ox.left = None;
        let Ok(response) = answer else { continue };
        if !quiet && random.one_in(3) {
            continue; // the answer is lost
        }
        device.take(response);
    }
    let sorted = |contents: &mut dyn Iterator<Item = u64>| {
        let mut contents: Vec<u64> = contents.collect();
        contents.sort_unstable();
        contents
    };
    let at_ox = sorted(&mut ox.drafts.values().copied());
    assert_eq!(sorted(&mut device.drafts.values().copied()), at_ox, "seed {seed}");
    let own = at_ox.iter().filter(|content| **content >= 1_000_000);
    let mut all: Vec<u64> = own.chain(&ox.sent).copied().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "seed {seed}: a draft stands or went out twice");
    assert!(
        device.sent.iter().all(|content| ox.sent.contains(content)),
        "seed {seed}"
    );
}

#[test]
fn random_histories_converge() {
    for seed in 0..HISTORIES {
        history(seed);
    }
}
