//! What was applied at OX already, for one folder and one sync key.
//!
//! Each write that OX confirmed is noted at once. A device that repeats a request, because it never saw the answer or
//! because we crashed, gets its answers from here instead of a second write.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use sha2::Digest as _;
use sha2::Sha256;

use crate::usm::plan::What;
use crate::usm::snapshot::Revision;
use crate::usm::state::Reader;
use crate::usm::state::write_text;

/// A digest of what a change says, so that a repetition is told from another change of the same item.
pub type Fingerprint = [u8; 16];

/// The first 16 bytes of SHA-256.
pub fn fingerprint(bytes: &[u8]) -> Fingerprint {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(digest.split_at(16).0);
    fingerprint
}

/// A write that OX confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub fingerprint: Fingerprint,
    /// The item's id at OX; another one than before if the write replaced it. Empty if the write is only half done: a
    /// draft was sent, and is still there.
    pub id: String,
    /// Its revision after the write, if OX told.
    pub revision: Option<Revision>,
    /// Of a change: what both sides agree on since; opaque, and `None` if nobody knows.
    pub agreed: Option<Vec<u8>>,
    /// Of a change: a part of it was refused.
    pub in_part: bool,
}

/// What follows the revision, if anything does: that the revision itself is not known, and the rest of [`Done`].
const NO_REVISION: u8 = 1;
const IN_PART: u8 = 2;
const AGREED: u8 = 4;

impl Done {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.fingerprint.to_vec();
        write_text(&mut bytes, &self.id);
        let is_more = self.in_part || self.agreed.is_some();
        if self.revision.is_some() || is_more {
            let revision = self.revision.unwrap_or(Revision(0));
            bytes.extend_from_slice(&revision.0.to_le_bytes());
        }
        if is_more {
            let mark = |holds, mark| if holds { mark } else { 0 };
            bytes.push(
                mark(self.revision.is_none(), NO_REVISION)
                    | mark(self.in_part, IN_PART)
                    | mark(self.agreed.is_some(), AGREED),
            );
            bytes.extend(self.agreed.iter().flatten());
        }
        bytes
    }

    /// `None` for bytes that [`Done::encode`] did not write.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let fingerprint = reader.take(16)?.try_into().ok()?;
        let id = reader.text()?;
        if reader.is_at_end() {
            return Some(Self {
                fingerprint,
                id,
                revision: None,
                agreed: None,
                in_part: false,
            });
        }
        let revision = Revision(u64::from_le_bytes(reader.take(8)?.try_into().ok()?));
        let marks = reader.byte().unwrap_or_default();
        Some(Self {
            fingerprint,
            id,
            revision: (marks & NO_REVISION == 0).then_some(revision),
            agreed: (marks & AGREED != 0).then(|| reader.0.to_vec()),
            in_part: marks & IN_PART != 0,
        })
    }
}

/// What is noted of a write that may have been carried out: OX, or the way to it, failed while it was under way.
pub const UNCERTAIN: &[u8] = b"";

/// The notes of one sync key, by operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    done: BTreeMap<Vec<u8>, Done>,
    uncertain: BTreeSet<Vec<u8>>,
}

impl Applied {
    /// From the store's pairs of operation and outcome; what cannot be read is as if it had not been noted.
    pub fn read(notes: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        let mut applied = Self::default();
        for (operation, outcome) in notes {
            if outcome == UNCERTAIN {
                applied.uncertain.insert(operation);
            } else if let Some(done) = Done::decode(&outcome) {
                applied.insert(operation, done);
            }
        }
        applied
    }

    pub fn insert(&mut self, operation: Vec<u8>, done: Done) {
        self.uncertain.remove(&operation);
        self.done.insert(operation, done);
    }

    pub fn find(&self, what: &What) -> Option<&Done> {
        self.done.get(&operation(what))
    }

    /// The ids of all that was written.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.done.values().map(|done| done.id.as_str())
    }

    /// The ids of those items that were replaced, with what OX has in their place.
    pub fn replaced<'a>(&self, ids: impl IntoIterator<Item = &'a String>) -> BTreeMap<String, String> {
        if self.done.is_empty() {
            return BTreeMap::new();
        }
        let replaced = |id: &String| {
            let change = What::Change { id: id.clone() };
            let done = self
                .find(&change)
                .filter(|done| !done.id.is_empty() && done.id != *id)?;
            Some((id.clone(), done.id.clone()))
        };
        ids.into_iter().filter_map(replaced).collect()
    }

    /// Whether a write was begun of which nobody knows how it ended.
    pub fn is_uncertain(&self, what: &What) -> bool {
        self.uncertain.contains(&operation(what))
    }
}

/// The key under which a change is noted: its kind and a digest of the item's id.
pub fn operation(what: &What) -> Vec<u8> {
    let (kind, id) = match what {
        What::Add { client_id } => (b'A', client_id),
        What::Change { id } => (b'C', id),
        What::Delete { id } => (b'D', id),
    };
    let mut key = vec![kind];
    key.extend_from_slice(&fingerprint(id.as_bytes()));
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn outcomes_both_ways() {
        // Revision, agreed, in part, bytes behind the id.
        let cases = [
            (None, None, false, &[][..]),
            (Some(7), None, false, &[7, 0, 0, 0, 0, 0, 0, 0]),
            (Some(7), None, true, &[7, 0, 0, 0, 0, 0, 0, 0, 2]),
            (None, Some(&b"ab"[..]), false, &[0, 0, 0, 0, 0, 0, 0, 0, 5, b'a', b'b']),
            (Some(7), Some(b""), true, &[7, 0, 0, 0, 0, 0, 0, 0, 6]),
        ];
        for (revision, agreed, in_part, expected) in cases {
            let done = Done {
                fingerprint: fingerprint(b"x"),
                id: "815".into(),
                revision: revision.map(Revision),
                agreed: agreed.map(<[u8]>::to_vec),
                in_part,
            };
            let bytes = done.encode();
            assert_eq!(bytes[20..], *expected);
            assert_eq!(Done::decode(&bytes), Some(done));
        }
        assert_eq!(Done::decode(&[0; 10]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(done) = Done::decode(&bytes) {
                prop_assert_eq!(Done::decode(&done.encode()), Some(done));
            }
        }
    }

    #[test]
    fn what_is_uncertain_until_it_is_done() {
        let add = What::Add { client_id: "1".into() };
        let mut applied = Applied::read([(operation(&add), UNCERTAIN.to_vec()), (vec![9], vec![1])]);
        assert!(applied.is_uncertain(&add) && applied.find(&add).is_none());
        let done = Done {
            fingerprint: fingerprint(b"x"),
            id: "815".into(),
            revision: None,
            agreed: None,
            in_part: false,
        };
        applied.insert(operation(&add), done);
        assert!(!applied.is_uncertain(&add) && applied.find(&add).is_some());
    }

    #[test]
    fn operations_differ_by_kind_and_id() {
        let add = operation(&What::Add { client_id: "1".into() });
        let change = operation(&What::Change { id: "1".into() });
        assert_ne!(add, change);
        assert_ne!(change, operation(&What::Change { id: "2".into() }));
        assert!(add.len() <= 64);
    }
}
