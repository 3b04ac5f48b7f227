//! What is different from a map, beside the map: a folder has a hundred thousand items, a request touches a hundred of
//! them, and a copy of all would cost more than everything else that is done for it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter::from_fn;

/// By id, an entry that differs from that of a map, which comes as `base`; `None` where there is none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Overlay<V>(BTreeMap<String, Option<V>>);

impl<V> Default for Overlay<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V: PartialEq> Overlay<V> {
    pub(super) fn insert(&mut self, id: String, value: V) {
        self.0.insert(id, Some(value));
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.0.insert(id.to_owned(), None);
    }

    pub(super) fn get<'a>(&'a self, base: &'a BTreeMap<String, V>, id: &str) -> Option<&'a V> {
        match self.0.get(id) {
            Some(value) => value.as_ref(),
            None => base.get(id),
        }
    }

    /// All entries, in the order of their ids.
    pub(super) fn iter<'a>(&'a self, base: &'a BTreeMap<String, V>) -> impl Iterator<Item = (&'a str, &'a V)> {
        let base = base.iter().map(|(id, value)| (id.as_str(), value));
        let own = self.0.iter().map(|(id, value)| (id.as_str(), value));
        joined(base, own).filter_map(|(id, base, own)| match own {
            Some(own) => Some((id, own.as_ref()?)),
            None => Some((id, base?)),
        })
    }

    /// What is different, or was set to what it is.
    pub(super) fn touched(&self) -> impl Iterator<Item = (&str, Option<&V>)> {
        self.0.iter().map(|(id, value)| (id.as_str(), value.as_ref()))
    }

    /// Makes the difference in the map itself, and tells whether there was one.
    pub(super) fn apply(self, base: &mut BTreeMap<String, V>) -> bool {
        let mut is_changed = false;
        for (id, value) in self.0 {
            is_changed |= base.get(&id) != value.as_ref();
            match value {
                Some(value) => drop(base.insert(id, value)),
                None => drop(base.remove(&id)),
            }
        }
        is_changed
    }
}

/// Two lists in the order of their ids, side by side.
pub(super) fn joined<'a, A, B>(
    left: impl Iterator<Item = (&'a str, A)>,
    right: impl Iterator<Item = (&'a str, B)>,
) -> impl Iterator<Item = (&'a str, Option<A>, Option<B>)> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    from_fn(move || {
        let first = match (left.peek(), right.peek()) {
            (Some((left, _)), Some((right, _))) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        match first {
            Ordering::Less => left.next().map(|(id, left)| (id, Some(left), None)),
            Ordering::Greater => right.next().map(|(id, right)| (id, None, Some(right))),
            Ordering::Equal => left
                .next()
                .map(|(id, left)| (id, Some(left), right.next().map(|(_, right)| right))),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As if the map itself had been changed.
        #[test]
        fn as_a_changed_copy(
            base in prop::collection::btree_map("[a-f]{1,2}", 0..4_u8, 0..20),
            changes in prop::collection::vec(("[a-f]{1,2}", prop::option::of(0..4_u8)), 0..12),
        ) {
            let (mut overlay, mut copy) = (Overlay::default(), base.clone());
            for (id, value) in changes {
                match value {
                    Some(value) => {
                        overlay.insert(id.clone(), value);
                        copy.insert(id.clone(), value);
                    }
                    None => {
                        overlay.remove(&id);
                        copy.remove(&id);
                    }
                }
                prop_assert_eq!(overlay.get(&base, &id), copy.get(&id));
            }
            let all: Vec<_> = overlay.iter(&base).collect();
            let expected: Vec<_> = copy.iter().map(|(id, value)| (id.as_str(), value)).collect();
            prop_assert_eq!(all, expected);
            let mut applied = base.clone();
            prop_assert_eq!(overlay.apply(&mut applied), copy != base);
            prop_assert_eq!(applied, copy);
        }
    }
}
