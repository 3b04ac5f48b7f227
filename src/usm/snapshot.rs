//! What OX holds in a folder at one moment, as the engine sees it.
//!
//! Always the whole folder: what is missing was deleted. The filter of a device is applied here, so that an item that
//! only leaves the window is told from one that is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Whatever shows that an item changed; the engine only compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// This revision; or, if the device does not have what it stands for, one that OX never has, so that the next
    /// comparison finds a change.
    pub const fn unless(self, differs: bool) -> Self {
        if differs { Self(!self.0) } else { self }
    }

    /// What stands for this revision where the device has a stub in the place of the item.
    pub const fn of_stub(self) -> Self {
        self.marked(Self::STUB)
    }

    /// Whether it is one of [`Revision::of_stub`], if only [unless](Revision::unless) something differs.
    pub const fn is_of_stub(self) -> bool {
        self.0 >> 32 == Self::STUB || !self.0 >> 32 == Self::STUB
    }

    /// What stands for this revision where OX listed the item and did not have it.
    pub const fn of_ghost(self) -> Self {
        self.marked(Self::GHOST)
    }

    const fn marked(self, mark: u64) -> Self {
        let digest = self.0 >> 32 ^ self.0 & 0xFFFF_FFFF;
        Self(mark << 32 | digest)
    }

    /// Whether it is one of [`Revision::of_ghost`].
    pub const fn is_of_ghost(self) -> bool {
        self.0 >> 32 == Self::GHOST
    }

    /// The upper half of the revisions of stubs. Where OX has times these are none of the next thousand years; where it has
    /// digests, one in four thousand millions is taken for a stub, and its item sent once more than needed.
    const STUB: u64 = 0x57AB_57AB;

    /// The same of ghosts.
    const GHOST: u64 = 0x6057_6057;
}

/// The items of a folder by the id that the device knows, in the order of these. Of two that are collected for one id, as
/// while a mail and its replacement are both there, the later one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot<'a>(Vec<(&'a str, Seen)>);

/// One item at OX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub revision: Revision,
    /// Passes the device's filter.
    pub within: bool,
    /// Milliseconds since 1970: items with the largest are sent first.
    pub newest: i64,
}

/// Which items a device wants of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only items that end after this, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Only items that are not done.
    pub open_only: bool,
    /// These however old they are.
    pub also: Arc<BTreeSet<String>>,
    /// Only so many of them, the newest.
    pub most: Option<usize>,
}

impl Filter {
    /// `ends`: when the item stops to matter; `None` if it never does.
    pub fn passes(&self, id: &str, ends: Option<i64>, done: bool) -> bool {
        let recent = match (self.since, ends) {
            (Some(since), Some(ends)) => ends >= since || self.also.contains(id),
            _ => true,
        };
        recent && !(self.open_only && done)
    }
}

impl<'a> FromIterator<(&'a str, Seen)> for Snapshot<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a str, Seen)>>(items: T) -> Self {
        let mut items: Vec<_> = items.into_iter().collect();
        items.sort_by_key(|(id, _)| *id);
        items.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                *kept = *later;
            }
            is_same
        });
        Self(items)
    }
}

impl<'a> Snapshot<'a> {
    pub fn get(&self, id: &str) -> Option<Seen> {
        let place = self.0.binary_search_by_key(&id, |(id, _)| id).ok()?;
        self.0.get(place).map(|(_, seen)| *seen)
    }

    /// In the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Seen)> {
        self.0.iter().copied()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all items but those.
    pub fn retain(&mut self, mut those: impl FnMut(&str, Seen) -> bool) {
        self.0.retain(|(id, seen)| those(id, *seen));
    }

    /// Takes the oldest items out of the device's view until no more than `most` are in it.
    pub fn limit(&mut self, most: usize) {
        if self.len() <= most {
            return;
        }
        let seen = self.0.iter_mut().map(|(_, seen)| seen);
        let mut within: Vec<&mut Seen> = seen.filter(|seen| seen.within).collect();
        let Some(excess) = within.len().checked_sub(most) else {
            return;
        };
        within.sort_by_key(|seen| seen.newest);
        within.into_iter().take(excess).for_each(|seen| seen.within = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_differ_where_their_items_do() {
        let mail = 0x1234_5678_0000_0008;
        let revisions = [0, 1, mail, mail | 32, 1_700_000_000_000, 1_700_000_000_001, u64::MAX].map(Revision);
        for (place, one) in revisions.iter().enumerate() {
            assert!(one.of_stub().is_of_stub() && !one.is_of_stub(), "{one:?}");
            assert!(one.of_stub().unless(true).is_of_stub(), "{one:?}");
            for other in &revisions[..place] {
                assert!(
                    one.of_stub() != other.of_stub() || one.0 == !other.0,
                    "{one:?}, {other:?}"
                );
            }
        }
        // Stored in states, so it must never change.
        assert_eq!(Revision(mail).of_stub(), Revision(0x57AB_57AB_1234_5670));
        assert_eq!(Revision(mail).of_ghost(), Revision(0x6057_6057_1234_5670));
    }

    #[test]
    fn the_newest_stay_in_view() {
        let seen = |newest, within| Seen {
            revision: Revision(0),
            within,
            newest,
        };
        let items = [
            ("a", seen(1, true)),
            ("b", seen(3, true)),
            ("c", seen(2, true)),
            ("d", seen(9, false)),
        ];
        let mut snapshot: Snapshot<'_> = items.into_iter().rev().collect();
        let within = |snapshot: &Snapshot<'_>| {
            let within = snapshot.iter().filter(|(_, seen)| seen.within);
            within.map(|(id, _)| id.to_owned()).collect::<Vec<_>>()
        };
        snapshot.limit(5);
        assert_eq!(within(&snapshot), ["a", "b", "c"]);
        snapshot.limit(2);
        assert_eq!(within(&snapshot), ["b", "c"]);
        snapshot.limit(3);
        assert_eq!(within(&snapshot), ["b", "c"]);
        assert_eq!(snapshot.get("c").map(|seen| seen.newest), Some(2));
        assert_eq!(snapshot.get("e"), None);
    }

    #[test]
    fn an_id_stands_once() {
        let seen = |newest| Seen {
            revision: Revision(1),
            within: true,
            newest,
        };
        let items = [("b", seen(1)), ("a", seen(2)), ("b", seen(3)), ("b", seen(4))];
        let snapshot: Snapshot<'_> = items.into_iter().collect();
        let newest: Vec<_> = snapshot.iter().map(|(id, seen)| (id, seen.newest)).collect();
        assert_eq!(newest, [("a", 2), ("b", 4)]);
    }

    #[test]
    fn filter() {
        let window = Filter {
            since: Some(100),
            ..Filter::default()
        };
        let open = Filter {
            open_only: true,
            ..Filter::default()
        };
        // filter, ends, done, passes
        let with_it = Filter {
            also: Arc::new(["x".to_owned()].into()),
            ..window.clone()
        };
        let without_it = Filter {
            also: Arc::new(["y".to_owned()].into()),
            ..window.clone()
        };
        let cases = [
            (&Filter::default(), Some(0), true, true),
            (&window, Some(99), false, false),
            (&window, Some(100), false, true),
            (&window, None, true, true),
            (&with_it, Some(99), false, true),
            (&without_it, Some(99), false, false),
            (&open, Some(0), false, true),
            (&open, Some(0), true, false),
        ];
        for (filter, ends, done, passes) in cases {
            assert_eq!(filter.passes("x", ends, done), passes, "{filter:?} {ends:?} {done}");
        }
    }
}
