//! The states of a folder or of the hierarchy in the store: a few generations, each behind the key that a device may
//! come with.
//!
//! The newest is what the device gets with the answer; the one before it is what the device has if that answer is lost.
//! More of them serve a phone that is restored from a backup. A commit keeps what the device can still come with: the
//! state that the new one was made from, and the older ones up to the number configured; and where a request was repeated,
//! the state that came of it before, because that answer may have been under way all the same.

use crate::store;
use crate::store::SessionId;
use crate::store::Store;
use crate::usm::collection::Error;
use crate::usm::state::State;

/// How many states of one object are kept: at least two, at most four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generations(usize);

impl Generations {
    /// The least, which is the rule.
    pub const LEAST: usize = 2;
    pub const MOST: usize = 4;

    /// The nearest number that is allowed.
    pub const fn new(number: usize) -> Self {
        match number {
            0..Self::LEAST => Self(Self::LEAST),
            Self::LEAST..=Self::MOST => Self(number),
            _ => Self(Self::MOST),
        }
    }
}

impl Default for Generations {
    fn default() -> Self {
        Self(Self::LEAST)
    }
}

/// The states of one object of a device.
#[derive(Clone, Copy)]
pub(super) struct States<'a> {
    pub(super) store: &'a Store,
    pub(super) device: SessionId,
    /// The object's name in the store.
    pub(super) object: &'a str,
    pub(super) generations: Generations,
}

/// A state, and where it stands among the others.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) state: State,
    pub(super) place: Place,
}

/// A key among the keys of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) key: u64,
    newest: u64,
    /// The newest first.
    older: Vec<u64>,
}

impl Place {
    /// Whether this key was answered before: the device has not seen the answer, or could not do anything with it.
    pub(super) const fn is_repeated(&self) -> bool {
        self.key < self.newest
    }
}

impl States<'_> {
    /// The state behind a key. A key that is not kept, and a state that cannot be read, is [`Error::UnknownKey`]: the
    /// device starts anew.
    pub(super) async fn load(&self, key: u64) -> Result<Loaded, Error> {
        let rows = self.store.states(self.device, self.object).await?;
        self.pick(rows, Some(key)).ok_or(Error::UnknownKey)
    }

    /// The state that the device will come with next; `None` if it has none.
    pub(super) async fn load_newest(&self) -> Result<Option<Loaded>, Error> {
        let rows = self.store.states(self.device, self.object).await?;
        Ok(self.pick(rows, None))
    }

    /// `rows` have the newest first; `None` picks that.
    fn pick(&self, rows: Vec<store::State>, key: Option<u64>) -> Option<Loaded> {
        let newest = rows.first()?.key;
        let key = key.unwrap_or(newest);
        let older = rows.iter().map(|row| row.key).filter(|older| *older < key).collect();
        let row = rows.into_iter().find(|row| row.key == key)?;
        let place = Place { key, newest, older };
        match State::decode(&row.bytes) {
            Ok(state) => Some(Loaded { state, place }),
            Err(reason) => {
                let SessionId { cid, id } = self.device;
                log::warn!(
                    "the state {key} of the object {} of device {id} in context {cid} cannot be read: {reason}; \
                     the device is told to sync this folder anew",
                    self.object
                );
                None
            }
        }
    }

    /// Starts anew with this state, and returns its key. Keys of one object never repeat, because they start at the
    /// time; `now` in milliseconds since 1970. The newest state is kept until the device comes with its new key: the request
    /// may be one that was held up, and the device have gone on meanwhile.
    pub(super) async fn reset(&self, state: &State, now: i64) -> Result<u64, Error> {
        let rows = self.store.states(self.device, self.object).await?;
        let newest = rows.first().map(|row| row.key);
        let key = newest
            .map_or(0, |key| key + 1)
            .max(u64::try_from(now).unwrap_or_default());
        let kept: Vec<u64> = newest.into_iter().collect();
        self.commit_as(newest, key, state, &kept).await?;
        Ok(key)
    }

    /// Makes `state` the newest, on top of the one at `place`, and returns its key.
    pub(super) async fn commit(&self, place: &Place, state: &State) -> Result<u64, Error> {
        let key = place.newest + 1;
        let kept = [place.key].into_iter().chain(place.older.iter().copied());
        let mut kept: Vec<u64> = kept.take(self.generations.0 - 1).collect();
        if place.newest != place.key {
            kept.push(place.newest);
        }
        self.commit_as(Some(place.newest), key, state, &kept).await?;
        Ok(key)
    }

    async fn commit_as(&self, newest: Option<u64>, key: u64, state: &State, keep: &[u64]) -> Result<(), Error> {
        let bytes = state.encode();
        let row = store::State { key, bytes };
        match self.store.commit(self.device, self.object, newest, row, keep).await? {
            true => Ok(()),
            false => Err(Error::Superseded),
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use crate::config::Database;

    use super::*;

    async fn store() -> (TempDir, Store, SessionId) {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(directory.path().join("store.db"));
        let store = Store::open(&database).await.unwrap();
        store.prepare(1).await.unwrap();
        let device = store.session(1, 3, "EAS", "phone").await.unwrap();
        (directory, store, device)
    }

    fn states(store: &Store, device: SessionId, generations: usize) -> States<'_> {
        let (object, generations) = ("7", Generations::new(generations));
        States {
            store,
            device,
            object,
            generations,
        }
    }

    fn state(number: u8) -> State {
        State {
            options: vec![number],
            ..State::default()
        }
    }

    /// A start that was held up comes after the device has gone on with the answer to its second attempt.
    #[tokio::test]
    async fn a_start_takes_nothing_from_a_device_that_goes_on() {
        let (_directory, store, device) = store().await;
        let states = states(&store, device, Generations::LEAST);
        states.reset(&state(0), 1_000).await.unwrap();
        let started = states.load_newest().await.unwrap().unwrap();
        let key = states.commit(&started.place, &state(1)).await.unwrap();
        let late = states.reset(&state(2), 1_000).await.unwrap();
        assert!(late > key);
        let loaded = states.load(key).await.unwrap();
        assert_eq!((&loaded.state, loaded.place.is_repeated()), (&state(1), true));
        // What was before it is no longer needed; and once the device comes with the new key, nothing of before is.
        assert!(states.load(started.place.key).await.is_err());
        let new = states.load(late).await.unwrap();
        states.commit(&new.place, &state(3)).await.unwrap();
        assert!(states.load(late).await.is_ok());
        assert!(states.load(key).await.is_err());
    }

    #[test]
    fn numbers_that_are_allowed() {
        let allowed = [0, 1, 2, 3, 4, 5, usize::MAX].map(|number| Generations::new(number).0);
        assert_eq!(allowed, [2, 2, 2, 3, 4, 4, 4]);
    }

    /// Each key within the generations is served, and none beyond.
    #[tokio::test]
    async fn as_many_are_kept_as_configured() {
        for generations in Generations::LEAST..=Generations::MOST {
            let (_directory, store, device) = store().await;
            let states = states(&store, device, generations);
            let first = states.reset(&state(0), 1_000).await.unwrap();
            assert_eq!(first, 1_000);
            for number in 1..8 {
                let newest = states.load_newest().await.unwrap().unwrap();
                assert_eq!(
                    states.commit(&newest.place, &state(number)).await.unwrap(),
                    1_000 + u64::from(number)
                );
                for behind in 0..u64::from(number) {
                    let loaded = states.load(1_000 + u64::from(number) - behind).await;
                    let is_kept = behind < generations as u64;
                    assert_eq!(
                        loaded.is_ok(),
                        is_kept,
                        "{generations} generations, {behind} behind {number}"
                    );
                }
            }
        }
    }

    /// A device that goes on from an older state keeps what is older, and the answer that it may get yet.
    #[tokio::test]
    async fn what_was_answered_before_is_kept_for_once() {
        let (_directory, store, device) = store().await;
        let states = states(&store, device, 4);
        let mut place = states.load_place_after_reset().await;
        for number in 1..4 {
            let key = states.commit(&place, &state(number)).await.unwrap();
            place = states.load(key).await.unwrap().place;
        }
        let keys = || async {
            let rows = store.states(device, "7").await.unwrap();
            rows.iter().map(|row| row.key).collect::<Vec<_>>()
        };
        let second = states.load(1_001).await.unwrap().place;
        assert_eq!(states.commit(&second, &state(9)).await.unwrap(), 1_004);
        assert_eq!(keys().await, [1_004, 1_003, 1_001, 1_000], "1002 was given up before");
        assert!(matches!(
            states.commit(&second, &state(9)).await,
            Err(Error::Superseded)
        ));
        let late = states.load(1_003).await.unwrap().place;
        assert_eq!(states.commit(&late, &state(9)).await.unwrap(), 1_005);
        assert_eq!(keys().await, [1_005, 1_004, 1_003, 1_001, 1_000]);
        let newest = states.load(1_005).await.unwrap().place;
        assert_eq!(states.commit(&newest, &state(9)).await.unwrap(), 1_006);
        assert_eq!(keys().await, [1_006, 1_005, 1_004, 1_003]);
    }

    /// A row that a newer release wrote, or that is damaged, costs a new start and nothing else.
    #[tokio::test]
    async fn what_cannot_be_read_is_an_unknown_key() {
        for bytes in [&[99, 1, 2, 3][..], &[], &[1], &[2, 0, 0, 0, 0, 0]] {
            let (_directory, store, device) = store().await;
            let states = states(&store, device, 2);
            let row = store::State {
                key: 5,
                bytes: bytes.to_vec(),
            };
            assert!(store.commit(device, "7", None, row, &[]).await.unwrap());
            assert!(matches!(states.load(5).await, Err(Error::UnknownKey)), "{bytes:?}");
            assert!(states.load_newest().await.unwrap().is_none());
            assert_eq!(states.reset(&state(1), 2).await.unwrap(), 6, "keys grow all the same");
            assert_eq!(states.load(6).await.unwrap().state, state(1));
        }
    }

    impl States<'_> {
        async fn load_place_after_reset(&self) -> Place {
            let key = self.reset(&state(0), 1_000).await.unwrap();
            self.load(key).await.unwrap().place
        }
    }
}
