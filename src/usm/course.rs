//! What a device is sent that comes with the same key again and again: it may choke on something in the answer.
//!
//! Pure. Answers get lost every day, so the first repetitions are answered as ever. From the third on items come one by one,
//! until the device goes on; then two at a time, four, eight, for as long as it keeps up. An item that the device does not
//! get past even alone is isolated: a stub takes its place, and where that is no better, nothing. What was sent that way
//! stands in the state as what could not be converted does, and is tried again when the item changes.
//!
//! Among a hundred items one that chokes a device is found within 35 requests, and all others arrive. Nobody
//! loses an item to a bad connection: that takes nine answers in a row, six of them of this one item.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::usm::plan::Send;
use crate::usm::state::Reader;
use crate::usm::state::write_number;
use crate::usm::state::write_text;

/// From this repetition of a key on, items come one by one.
const PATIENCE: u64 = 3;

/// So often an item is repeated alone before it is sent as less than that.
const TRIALS: u64 = 3;

/// When so many items at a time were taken, the device is trusted again.
const TRUSTED: u64 = 256;

/// How an item is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    #[default]
    Whole,
    /// The device did not get past it.
    Stub,
    /// Nor past its stub.
    Nothing,
}

/// What is noted of a key. The one of a key that was never repeated is the default, and not noted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// How often the device came with the key after it was answered.
    times: u64,
    /// The device is on probation since it repeated the key before: so many items at a time. 0 is no limit.
    window: u64,
    /// The item that was sent alone last.
    suspect: Option<Suspect>,
    /// Items that the device gets nothing of any more.
    left_out: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Suspect {
    id: String,
    shown: Shown,
    /// How often the device came back when it was sent like this.
    times: u64,
}

/// What is sent of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// So many of the planned items, from the first on.
    pub window: usize,
    /// How those are sent that are not sent whole, by their ids.
    pub shown: BTreeMap<String, Shown>,
}

impl History {
    /// The device has come with the key once more, and would be sent this.
    pub fn again(&mut self, sends: &[Send]) -> Course {
        self.times = self.times.saturating_add(1);
        if self.is_singling() {
            self.single(sends);
        }
        self.course(sends)
    }

    /// What is sent of these.
    pub fn course(&self, sends: &[Send]) -> Course {
        let window = match (self.is_singling(), self.window) {
            (true, _) => self.first(sends).map_or(sends.len(), |place| place + 1),
            (false, 0) => usize::MAX,
            (false, window) => usize::try_from(window).unwrap_or(usize::MAX),
        };
        let nothing = self.left_out.iter().map(|id| (id.clone(), Shown::Nothing));
        let suspect = self.suspect.iter().map(|suspect| (suspect.id.clone(), suspect.shown));
        Course {
            window,
            shown: nothing.chain(suspect).collect(),
        }
    }

    /// What is noted of the next key, when the device gets it with more to come; `None` if nothing is worth a note.
    pub fn next(&self) -> Option<Self> {
        let window = match (self.is_singling(), self.window) {
            (true, _) => 2,
            (false, window) => window.saturating_mul(2),
        };
        (1..TRUSTED).contains(&window).then(|| Self {
            window,
            ..Self::default()
        })
    }

    const fn is_singling(&self) -> bool {
        let patience = if self.window == 0 { PATIENCE } else { 1 };
        self.times >= patience
    }

    /// The place of the first item of which something is sent.
    fn first(&self, sends: &[Send]) -> Option<usize> {
        sends.iter().position(|send| !self.left_out.contains(send.id()))
    }

    /// Puts the blame for this repetition on the item that was sent alone before; else on the one that is sent now.
    fn single(&mut self, sends: &[Send]) {
        let Some(send) = self.first(sends).and_then(|place| sends.get(place)) else {
            return;
        };
        // No device chokes on a deletion.
        if matches!(send, Send::Delete { .. } | Send::SoftDelete { .. }) {
            self.suspect = None;
            return;
        }
        let suspect = match self.suspect.take() {
            Some(suspect) if suspect.id == send.id() => suspect.after_another_trial(),
            _ => Suspect::new(send.id()),
        };
        if suspect.shown == Shown::Nothing {
            self.left_out.insert(suspect.id);
            // Something else comes in its place, if there is anything else.
            self.single(sends);
            return;
        }
        self.suspect = Some(suspect);
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_number(&mut bytes, self.times);
        write_number(&mut bytes, self.window);
        write_number(&mut bytes, u64::from(self.suspect.is_some()));
        if let Some(Suspect { id, shown, times }) = &self.suspect {
            write_text(&mut bytes, id);
            write_number(&mut bytes, u64::from(*shown == Shown::Stub));
            write_number(&mut bytes, *times);
        }
        for id in &self.left_out {
            write_text(&mut bytes, id);
        }
        bytes
    }

    /// `None` for bytes that [`History::encode`] did not write.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut history = Self {
            times: reader.number()?,
            window: reader.number()?,
            ..Self::default()
        };
        if reader.number()? > 0 {
            history.suspect = Some(Suspect {
                id: reader.text()?,
                shown: match reader.number()? {
                    0 => Shown::Whole,
                    _ => Shown::Stub,
                },
                times: reader.number()?,
            });
        }
        while !reader.is_at_end() {
            history.left_out.insert(reader.text()?);
        }
        Some(history)
    }
}

impl Suspect {
    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            shown: Shown::Whole,
            times: 0,
        }
    }

    fn after_another_trial(mut self) -> Self {
        self.times += 1;
        if self.times < TRIALS {
            return self;
        }
        Self {
            shown: match self.shown {
                Shown::Whole => Shown::Stub,
                Shown::Stub | Shown::Nothing => Shown::Nothing,
            },
            times: 0,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::usm::snapshot::Revision;

    use super::*;

    fn add(id: &str) -> Send {
        Send::Add {
            id: id.to_owned(),
            revision: Revision(1),
        }
    }

    fn adds(ids: std::ops::Range<usize>) -> Vec<Send> {
        ids.map(|id| add(&format!("{id:03}"))).collect()
    }

    /// What a device does with an item.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Bad {
        /// It chokes on the item, and takes its stub.
        Whole,
        /// It chokes on both.
        Both,
    }

    /// A device that syncs so many items and chokes on some of them. Returns what it has in the end, the others as they
    /// were isolated, and the number of requests.
    fn played(count: usize, window: usize, bad: &BTreeMap<usize, Bad>) -> (Vec<usize>, BTreeMap<usize, Shown>, usize) {
        let (mut whole, mut isolated) = (Vec::new(), BTreeMap::new());
        let mut history = History::default();
        let mut requests = 0;
        let mut lacks: Vec<usize> = (0..count).collect();
        while !lacks.is_empty() {
            let sends: Vec<Send> = lacks.iter().map(|id| add(&id.to_string())).collect();
            let planned = &sends[..sends.len().min(window)];
            let mut course = history.course(planned);
            for attempt in 0.. {
                assert!(attempt < 40, "stuck: {history:?}");
                if attempt > 0 {
                    course = history.again(planned);
                    history = History::decode(&history.encode()).unwrap();
                }
                requests += 1;
                let sent = &lacks[..planned.len().min(course.window)];
                let shown = |id: &usize| course.shown.get(&id.to_string()).copied().unwrap_or_default();
                let chokes = |id: &&usize| match bad.get(id) {
                    Some(Bad::Whole) => shown(id) == Shown::Whole,
                    Some(Bad::Both) => shown(id) != Shown::Nothing,
                    None => false,
                };
                if sent.iter().any(|id| chokes(&id)) {
                    continue;
                }
                for id in sent {
                    match shown(id) {
                        Shown::Whole => whole.push(*id),
                        shown => drop(isolated.insert(*id, shown)),
                    }
                }
                lacks.drain(..sent.len());
                break;
            }
            history = history.next().unwrap_or_default();
        }
        (whole, isolated, requests)
    }

    #[test]
    fn two_lost_answers_change_nothing() {
        let sends = adds(0..50);
        let mut history = History::default();
        for _ in 0..2 {
            let course = history.again(&sends);
            assert_eq!((course.window, course.shown.len()), (usize::MAX, 0));
            assert_eq!(history.next(), None, "and nothing of it is noted for the next key");
        }
        assert_eq!(history.again(&sends).window, 1);
    }

    /// A device that chokes on the only item: window, how it is shown, by repetition.
    #[test]
    fn from_whole_to_stub_to_nothing() {
        let sends = adds(7..8);
        let mut history = History::default();
        let mut seen = Vec::new();
        for _ in 1..=12 {
            let course = history.again(&sends);
            seen.push(course.shown.get("007").copied().unwrap_or_default());
        }
        use Shown::{Nothing, Stub, Whole};
        assert_eq!(
            seen,
            [
                Whole, Whole, Whole, Whole, Whole, Stub, Stub, Stub, Nothing, Nothing, Nothing, Nothing
            ]
        );
    }

    #[test]
    fn what_is_left_out_takes_no_room() {
        let sends = [add("1"), Send::Delete { id: "2".into() }, add("3")];
        let mut history = History {
            times: 8,
            left_out: ["1".to_owned()].into(),
            ..History::default()
        };
        let course = history.again(&sends);
        assert_eq!(
            (course.window, history.suspect.clone()),
            (2, None),
            "a deletion is no suspect"
        );
        let course = history.again(&[add("1"), add("3")]);
        assert_eq!(course.window, 2);
        assert_eq!(history.suspect, Some(Suspect::new("3")));
        let course = history.again(&[add("1")]);
        assert_eq!(course.window, 1);
        assert_eq!(course.shown.get("1"), Some(&Shown::Nothing));
    }

    #[test]
    fn known_bytes() {
        let history = History {
            times: 7,
            window: 4,
            suspect: Some(Suspect {
                id: "ab".into(),
                shown: Shown::Stub,
                times: 2,
            }),
            left_out: ["x".to_owned()].into(),
        };
        let bytes = [7, 4, 1, 2, b'a', b'b', 1, 2, 1, b'x'];
        assert_eq!(history.encode(), bytes);
        assert_eq!(History::decode(&bytes), Some(history));
        assert_eq!(History::decode(&[0, 0, 0]), Some(History::default()));
        for end in [0, 1, 2, 3, 4, 5, 6, 7, 9] {
            assert_eq!(History::decode(&bytes[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn one_among_a_hundred_is_found_soon() {
        for place in 0..100 {
            let (whole, isolated, requests) = played(100, 100, &[(place, Bad::Whole)].into());
            assert_eq!((whole.len(), isolated), (99, [(place, Shown::Stub)].into()));
            assert!(requests <= 35, "place {place}: {requests} requests");
        }
    }

    proptest! {
        /// Whatever chokes the device, all others arrive whole, and each of these as the most that the device takes.
        #[test]
        fn all_others_arrive(
            count in 1..60_usize,
            window in 1..50_usize,
            bad in prop::collection::btree_map(0..60_usize, prop::sample::select(vec![Bad::Whole, Bad::Both]), 0..5),
        ) {
            let bad: BTreeMap<usize, Bad> = bad.into_iter().filter(|(id, _)| *id < count).collect();
            let (whole, isolated, requests) = played(count, window, &bad);
            let good: Vec<usize> = (0..count).filter(|id| !bad.contains_key(id)).collect();
            prop_assert_eq!(whole, good);
            let expected = bad.iter().map(|(id, bad)| (*id, match bad {
                Bad::Whole => Shown::Stub,
                Bad::Both => Shown::Nothing,
            }));
            prop_assert_eq!(isolated, expected.collect());
            prop_assert!(requests <= 2 * count + 4 + 40 * bad.len(), "{requests} requests");
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = History::decode(&bytes);
        }
    }
}
