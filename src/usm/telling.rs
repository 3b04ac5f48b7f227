//! Losses in the store, so that each is told, and told once, whenever the gateway dies.
//!
//! What OX loses is gone with the write that overrides it. So what it says is noted before that write, under the key that the
//! device sent; where the gateway dies between the write and the word, the next request with the key finds the note. What a
//! device loses is in its request, which it repeats. Of both is noted that their telling begins, for who can look whether it
//! was heard already, and that it is over. A note is taken only from the hand it was left in: of two gateways with one
//! request, one tells.
//!
//! Notes are read with those of the writes, and of what is sent; a request without a loss reads and writes no more than those.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::store::Note;
use crate::usm::collection::Collection;
use crate::usm::collection::Error;
use crate::usm::journal::Applied;
use crate::usm::journal::Fingerprint;
use crate::usm::journal::fingerprint;
use crate::usm::listing::Listing;
use crate::usm::loss::Loss;
use crate::usm::plan::Change;
use crate::usm::plan::What;
use crate::usm::snapshot::Revision;
use crate::usm::state::Reader;
use crate::usm::state::write_text;

/// What the names of the notes begin with: no change's does.
const OPERATION: u8 = b'N';

/// How far a telling has come: the first byte of its note. Behind the last two stands what is lost, as far as OX loses it.
mod stage {
    /// The write was refused: nothing is lost.
    pub(super) const VOID: u8 = 0;
    pub(super) const TOLD: u8 = 1;
    /// The write comes next.
    pub(super) const FORESEEN: u8 = 2;
    pub(super) const BEGUN: u8 = 3;
}

/// A loss that nobody was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// For [`Pending::begin_telling`](crate::usm::collection::Pending::begin_telling).
    pub name: Vec<u8>,
    pub of: Of,
}

/// Which request made a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// This one, by the place of the change.
    This { place: usize, loss: Loss },
    /// One before it, which did not come to its end.
    Earlier {
        /// As the protocol wrote it down.
        words: Vec<u8>,
        /// OX has confirmed the write; else OX has another version than before, by whatever cause.
        is_certain: bool,
    },
}

/// A telling that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// It was begun before: perhaps it was heard.
    pub is_again: bool,
    /// Of these losses of this device, and no others.
    pub mark: Fingerprint,
}

/// What OX loses by a write.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AtOx {
    /// Of the change that is written.
    change: Fingerprint,
    id: String,
    /// The version that is overridden.
    revision: Revision,
    words: Vec<u8>,
}

/// The tellings under one key of one collection.
pub(super) struct Tellings<'a> {
    collection: Collection<'a>,
    key: u64,
    now: i64,
    /// What is noted of each, by its name.
    noted: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Those that this exchange has noted before its writes.
    foreseen: BTreeSet<Vec<u8>>,
}

/// The name of a loss. A version of OX is lost once, whatever overrides it; a change of the device as well.
fn name(change: &Change, loss: Loss, listing: &Listing) -> Vec<u8> {
    let id = change.what.id().map(String::as_str).unwrap_or_default();
    let what = match loss.is_of_ox() {
        true => fingerprint(&revision(listing, id).0.to_le_bytes()),
        false => change.fingerprint,
    };
    [&[OPERATION], fingerprint(id.as_bytes()).as_slice(), what.as_slice()].concat()
}

/// 0 of what OX does not have.
fn revision(listing: &Listing, id: &str) -> Revision {
    Revision(listing.get(id).map_or(0, |item| item.revision))
}

impl<'a> Tellings<'a> {
    /// From all notes of the key.
    pub(super) fn read(collection: Collection<'a>, key: u64, notes: &[Note], now: i64) -> Self {
        let own = notes.iter().filter(|note| note.operation.first() == Some(&OPERATION));
        Self {
            collection,
            key,
            now,
            noted: own.map(|note| (note.operation.clone(), note.outcome.clone())).collect(),
            foreseen: BTreeSet::new(),
        }
    }

    fn is_told(&self, name: &[u8]) -> bool {
        self.stage(name) == Some(stage::TOLD)
    }

    fn stage(&self, name: &[u8]) -> Option<u8> {
        self.noted.get(name)?.first().copied()
    }

    /// Notes what OX is going to lose by a change.
    pub(super) async fn foresee(
        &mut self,
        change: &Change,
        loss: Loss,
        listing: &Listing,
        words: Vec<u8>,
    ) -> Result<(), Error> {
        let Some(id) = change.what.id() else {
            return Ok(());
        };
        let name = name(change, loss, listing);
        if self.is_told(&name) {
            return Ok(());
        }
        let lost = AtOx {
            change: change.fingerprint,
            id: id.clone(),
            revision: revision(listing, id),
            words,
        };
        self.take(&name, lost.encode()).await?;
        self.foreseen.insert(name);
        Ok(())
    }

    /// What is to be told after the writes of an exchange. `applied`: what was noted of the writes of requests before it;
    /// `listing`: what OX had before its own.
    pub(super) async fn untold(
        &mut self,
        losses: &[(usize, Loss)],
        changes: &[Change],
        applied: &Applied,
        listing: &Listing,
    ) -> Result<Vec<Untold>, Error> {
        let losses = losses.iter().filter_map(|&(place, loss)| {
            let name = name(changes.get(place)?, loss, listing);
            let of = Of::This { place, loss };
            Some(Untold { name, of })
        });
        let losses: Vec<Untold> = losses.collect();
        let came = |name: &Vec<u8>| losses.iter().any(|loss| loss.name == *name);
        let not_made = self.foreseen.iter().filter(|name| !came(name)).cloned().collect();
        self.end_with(stage::VOID, not_made).await?;
        let mut untold = self.left(applied, listing);
        untold.retain(|left| !self.foreseen.contains(&left.name));
        untold.extend(losses);
        untold.retain(|loss| !self.is_told(&loss.name));
        Ok(untold)
    }

    /// Takes back what was foreseen and does not come.
    pub(super) async fn withdraw(
        &mut self,
        losses: &[(usize, Loss)],
        changes: &[Change],
        listing: &Listing,
    ) -> Result<(), Error> {
        let names = losses
            .iter()
            .filter_map(|&(place, loss)| Some(name(changes.get(place)?, loss, listing)));
        let names = names.filter(|name| self.foreseen.contains(name)).collect();
        self.end_with(stage::VOID, names).await
    }

    /// What requests before this one have overridden, or may have, and did not come to tell.
    fn left(&self, applied: &Applied, listing: &Listing) -> Vec<Untold> {
        let left = self.noted.iter().filter_map(|(name, noted)| {
            let lost = AtOx::decode(noted)?;
            if revision(listing, &lost.id) == lost.revision {
                return None;
            }
            let id = || lost.id.clone();
            let mut done = [What::Change { id: id() }, What::Delete { id: id() }].into_iter();
            let is_certain = done.any(|what| {
                let done = applied.find(&what);
                done.is_some_and(|done| done.fingerprint == lost.change)
            });
            let of = Of::Earlier {
                words: lost.words,
                is_certain,
            };
            Some(Untold { name: name.clone(), of })
        });
        left.collect()
    }

    /// Notes that losses are being told.
    pub(super) async fn begin(&mut self, names: &[Vec<u8>]) -> Result<Begun, Error> {
        let mut is_again = false;
        for name in names {
            match self.stage(name) {
                Some(stage::BEGUN) => is_again = true,
                _ => {
                    let mut noted = self.noted.get(name).cloned().unwrap_or_default();
                    match noted.first_mut() {
                        Some(first) if *first == stage::FORESEEN => *first = stage::BEGUN,
                        _ => noted = vec![stage::BEGUN],
                    }
                    self.take(name, noted).await?;
                }
            }
        }
        let place = format!("{:?} {} {}", self.collection.device, self.collection.id, self.key);
        let names: BTreeSet<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let names: Vec<u8> = names.into_iter().flatten().copied().collect();
        let mark = fingerprint(&[place.as_bytes(), &names].concat());
        Ok(Begun { is_again, mark })
    }

    pub(super) async fn end(&mut self, names: Vec<Vec<u8>>) -> Result<(), Error> {
        self.end_with(stage::TOLD, names).await
    }

    async fn end_with(&mut self, stage: u8, names: Vec<Vec<u8>>) -> Result<(), Error> {
        for name in names {
            self.note(name, vec![stage]).await?;
        }
        Ok(())
    }

    /// Notes something unless another gateway has done so since we looked.
    async fn take(&mut self, name: &[u8], outcome: Vec<u8>) -> Result<(), Error> {
        let Collection { store, device, .. } = self.collection;
        let note = self.note_of(name.to_vec(), outcome.clone());
        let expected = self.noted.get(name).map(Vec::as_slice);
        if expected == Some(&outcome) {
            return Ok(());
        }
        if !store.note_if(device, &self.collection.object(), note, expected).await? {
            return Err(Error::Superseded);
        }
        self.noted.insert(name.to_vec(), outcome);
        Ok(())
    }

    async fn note(&mut self, name: Vec<u8>, outcome: Vec<u8>) -> Result<(), Error> {
        let Collection { store, device, .. } = self.collection;
        let note = self.note_of(name.clone(), outcome.clone());
        store.note(device, &self.collection.object(), note).await?;
        self.noted.insert(name, outcome);
        Ok(())
    }

    const fn note_of(&self, name: Vec<u8>, outcome: Vec<u8>) -> Note {
        Note {
            base: self.key,
            operation: name,
            outcome,
            created: self.now,
        }
    }
}

impl AtOx {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![stage::FORESEEN];
        bytes.extend_from_slice(&self.change);
        bytes.extend_from_slice(&self.revision.0.to_le_bytes());
        write_text(&mut bytes, &self.id);
        bytes.extend_from_slice(&self.words);
        bytes
    }

    /// `None` for what is over, or was never OX's.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if !matches!(reader.byte()?, stage::FORESEEN | stage::BEGUN) {
            return None;
        }
        Some(Self {
            change: reader.take(16)?.try_into().ok()?,
            revision: Revision(u64::from_le_bytes(reader.take(8)?.try_into().ok()?)),
            id: reader.text()?,
            words: reader.0.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lost() -> AtOx {
        AtOx {
            change: fingerprint(b"x"),
            id: "815".to_owned(),
            revision: Revision(7),
            words: b"ab".to_vec(),
        }
    }

    #[test]
    fn notes_both_ways() {
        let mut bytes = lost().encode();
        assert_eq!(bytes[17..], [7, 0, 0, 0, 0, 0, 0, 0, 3, b'8', b'1', b'5', b'a', b'b']);
        for (stage, expected) in [
            (stage::FORESEEN, Some(lost())),
            (stage::BEGUN, Some(lost())),
            (stage::TOLD, None),
            (stage::VOID, None),
        ] {
            bytes[0] = stage;
            assert_eq!(AtOx::decode(&bytes), expected, "stage {stage}");
        }
        let whole = lost().encode().len() - lost().words.len();
        for length in 0..whole {
            assert_eq!(AtOx::decode(&lost().encode()[..length]), None, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(lost) = AtOx::decode(&bytes) {
                prop_assert_eq!(AtOx::decode(&lost.encode()), Some(lost));
            }
        }
    }
}
