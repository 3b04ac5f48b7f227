//! What a device knows of a folder: the state behind a sync key, and its bytes in the store.
//!
//! The bytes start with the number of their format. The newest format is written (`format3`); those before it are read
//! (`format1`, `format2`), so that an update costs no device a resync. Bytes that cannot be read cost a resync of this folder and
//! nothing else: [`Unreadable`] says why.

mod bytes;
mod format1;
mod format2;
mod format3;
#[cfg(test)]
mod samples;

use std::collections::BTreeMap;

use crate::usm::snapshot::Revision;

pub(super) use bytes::Reader;
pub(super) use bytes::write_number;
pub(super) use bytes::write_text;

/// Behind one sync key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// By the OX id that the item had when the device got it.
    pub items: BTreeMap<String, Held>,
    /// Items that OX has under another id by now, since the device changed what OX cannot change: drafts. By the id in
    /// `items`.
    pub replaced: BTreeMap<String, String>,
    /// Of items, what both sides agreed on last, so that it can be told who changed what; opaque here. By the id in `items`.
    pub agreed: BTreeMap<String, Vec<u8>>,
    /// What the device asked for last, in the words of the protocol; opaque here.
    pub options: Vec<u8>,
}

/// What the device has of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub revision: Revision,
    /// The item could not be converted at this revision: the device does not have it, and it is not tried again
    /// until it changes. Or OX itself did not have it.
    pub left_out: bool,
}

impl Held {
    pub const fn on_device(revision: Revision) -> Self {
        Self {
            revision,
            left_out: false,
        }
    }

    /// The device has a stub in the place of the item, which cannot be shown to it at this revision; or what the item was
    /// before.
    pub const fn stub(revision: Revision) -> Self {
        Self::on_device(revision.of_stub())
    }

    /// OX listed the item at this revision and did not have it. What the device had of it before it keeps, and what it lacks it
    /// lacks; each Sync asks again, and nothing else takes it for a change.
    pub const fn ghost(before: Option<Self>, revision: Revision) -> Self {
        let left_out = match before {
            Some(before) if before.is_stub() => return Self::stub(revision),
            Some(before) => before.left_out,
            None => true,
        };
        Self {
            revision: revision.of_ghost(),
            left_out,
        }
    }

    /// Whether OX did not have the item when it listed it at the revision that it shows now.
    pub fn is_ghost(self, seen: Revision) -> bool {
        self.revision == seen.of_ghost()
    }

    pub const fn is_stub(self) -> bool {
        !self.left_out && self.revision.is_of_stub()
    }

    /// Whether the device lacks the item itself, whatever it has in its place, and OX has it.
    pub const fn is_withheld(self) -> bool {
        self.left_out && !self.revision.is_of_ghost() || self.is_stub()
    }

    /// Whether nothing happened at OX since, if OX shows this revision now.
    pub fn is_current(self, seen: Revision) -> bool {
        self.revision == seen || self.is_stub() && self.revision == seen.of_stub()
    }

    /// As [`Revision::unless`].
    pub const fn unless(self, differs: bool) -> Self {
        Self {
            revision: self.revision.unless(differs),
            ..self
        }
    }

    /// What the device has after a write of its own: a stub stays one.
    pub const fn written(before: Option<Self>, revision: Revision) -> Self {
        match before {
            Some(before) if before.is_stub() => Self::stub(revision),
            _ => Self::on_device(revision),
        }
    }
}

/// Why bytes are no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "a newer release of the gateway wrote it (format {0}, this release reads up to {newest})",
        newest = format3::FORMAT
    )]
    Newer(u8),
    #[error("it is damaged")]
    Damaged,
}

impl State {
    /// In the newest format.
    pub fn encode(&self) -> Vec<u8> {
        format3::encode(self)
    }

    /// The id under which OX has an item.
    pub fn ox_id<'a>(&'a self, id: &'a str) -> &'a str {
        self.replaced.get(id).map_or(id, String::as_str)
    }

    /// From any format that this release knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let read = match bytes.split_first() {
            Some((&format1::FORMAT, rest)) => format1::decode(rest),
            Some((&format2::FORMAT, rest)) => format2::decode(rest),
            Some((&format3::FORMAT, rest)) => format3::decode(rest),
            Some((&format, _)) if format > format3::FORMAT => return Err(Unreadable::Newer(format)),
            _ => None,
        };
        read.ok_or(Unreadable::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_read_says_why() {
        // Bytes, reason.
        let cases = [
            (&[][..], Unreadable::Damaged),
            (&[0, 0, 0], Unreadable::Damaged),
            (&[1], Unreadable::Damaged),
            (&[2], Unreadable::Damaged),
            (&[3, 0, 0], Unreadable::Damaged),
            (&[4, 0, 0], Unreadable::Newer(4)),
            (&[255], Unreadable::Newer(255)),
        ];
        for (bytes, reason) in cases {
            assert_eq!(State::decode(bytes), Err(reason), "{bytes:?}");
        }
        let text = Unreadable::Newer(4).to_string();
        assert!(text.contains("format 4, this release reads up to 3"), "{text}");
    }

    #[test]
    fn stubs_stand_for_items_until_these_come() {
        let revision = Revision(1_700_000_000_000);
        let later = Revision(1_700_000_000_001);
        let left_out = Held {
            revision,
            left_out: true,
        };
        let stub = Held::stub(revision);
        assert!(stub.is_stub() && stub.is_current(revision) && !stub.is_current(later));
        assert!(!left_out.is_stub() && left_out.is_current(revision));
        assert!(!Held::on_device(revision).is_withheld() && !Held::on_device(revision).is_current(later));
        let ghost = Held::ghost(None, revision);
        assert!(ghost.left_out && ghost.is_ghost(revision) && !ghost.is_ghost(later));
        assert!(!ghost.is_current(revision) && !ghost.is_stub(), "it is asked for again");
        assert!(!Held::ghost(Some(Held::on_device(revision)), later).left_out);
        assert_eq!(Held::ghost(Some(ghost), later), Held::ghost(None, later));
        assert_eq!(
            Held::ghost(Some(stub), later),
            Held::stub(later),
            "it has nothing better"
        );
        // What the device has, after a write of its own.
        assert_eq!(Held::written(Some(stub), later), Held::stub(later));
        for before in [None, Some(left_out), Some(Held::on_device(revision))] {
            assert_eq!(Held::written(before, later), Held::on_device(later));
        }
    }

    /// A folder of so many items, as OX numbers them: mail by the date of its receipt and its flags, other items by the time
    /// of their last change.
    fn folder(count: u64, revision: impl Fn(u64) -> u64) -> State {
        let item = |number: u64| {
            (
                (10_000 + number).to_string(),
                Held::on_device(Revision(revision(number))),
            )
        };
        State {
            items: (0..count).map(item).collect(),
            options: vec![0; 32],
            ..State::default()
        }
    }

    /// Scatters numbers as a hash does.
    const fn scatter(number: u64) -> u64 {
        number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn ten_thousand_items_stay_small() {
        let mail = folder(10_000, |number| {
            scatter(number) >> 32 << 32 | [0, 32, 33, 289][number as usize % 4]
        });
        let contacts = folder(10_000, |number| 1_700_000_000_000 + scatter(number) % 60_000_000_000);
        // Nothing in common at all: the worst case.
        let scattered = folder(10_000, scatter);
        for (name, state, most) in [
            ("mail", mail, 85_000),
            ("contacts", contacts, 85_000),
            ("scattered", scattered, 125_000),
        ] {
            let (now, before) = (state.encode().len(), format1::encode(&state).len());
            println!("10,000 items, {name}: {now} bytes, {before} in format 1");
            assert!(
                now <= most && now <= before + 4,
                "{name}: {now} bytes, {before} in format 1"
            );
        }
    }

    /// What merging costs: of a contact with twelve properties, forty bytes beside the eight that each item takes.
    #[test]
    fn what_is_agreed_on_costs_little() {
        let mut contacts = folder(1_000, |number| 1_700_000_000_000 + scatter(number) % 60_000_000_000);
        let bare = contacts.encode().len();
        let twelve = [7; 2 + 12 * 3];
        contacts.agreed = contacts.items.keys().map(|id| (id.clone(), twelve.to_vec())).collect();
        let each = (contacts.encode().len() - bare) / 1_000;
        println!("a contact: {each} bytes more");
        assert_eq!(each, 40);
    }

    proptest! {
        #[test]
        fn both_ways(
            items in prop::collection::btree_map(".{0,20}", (any::<u64>(), any::<bool>()), 0..40),
            replaced in prop::collection::btree_map(".{0,12}", ".{0,12}", 0..4),
            agreed in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), 40),
        ) {
            let items: BTreeMap<String, Held> = items.into_iter().map(|(id, (revision, left_out))| {
                (id, Held { revision: Revision(revision), left_out })
            }).collect();
            let agreed = items.keys().cloned().zip(agreed).filter_map(|(id, bytes)| Some((id, bytes?)));
            let state = State { agreed: agreed.collect(), items, replaced, options: vec![7] };
            prop_assert_eq!(State::decode(&state.encode()), Ok(state.clone()));
            // Format 2 knows nothing of what was agreed on, format 1 nothing of what was replaced either.
            let state = State { agreed: BTreeMap::new(), ..state };
            prop_assert_eq!(State::decode(&format2::encode(&state)), Ok(state.clone()));
            let state = State { replaced: BTreeMap::new(), ..state };
            prop_assert_eq!(State::decode(&format1::encode(&state)), Ok(state));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), format in 0..5_u8) {
            let _ = State::decode(&bytes);
            let _ = State::decode(&[&[format], &bytes[..]].concat());
        }

        /// A row that something has changed is never taken for another state.
        #[test]
        fn damage_is_noticed(count in 0..50_u64, at in any::<prop::sample::Index>(), bits in 1..=255_u8) {
            let mut bytes = folder(count, scatter).encode();
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            prop_assert!(State::decode(&bytes).is_err());
            let whole = folder(count, scatter).encode();
            prop_assert!(State::decode(&whole[..at]).is_err());
        }
    }
}
