//! What a device knows of a folder: the state behind a sync key, and its bytes in the store.
//!
//! The bytes start with the number of their format. A format that is not known reads as `None`, which costs the device
//! a resync and nothing else.

use std::collections::BTreeMap;

use crate::usm::snapshot::Revision;

/// Format 1: options, then the items in order; numbers as in LEB128, ids with the prefix they share with the id before.
/// Format 2, where items were replaced: the same, then pairs of ids.
const FORMAT: u8 = 1;
const FORMAT_WITH_REPLACED: u8 = 2;

/// Behind one sync key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// By the OX id that the item had when the device got it.
    pub items: BTreeMap<String, Held>,
    /// Items that OX has under another id by now, since the device changed what OX cannot change: drafts. By the id in
    /// `items`.
    pub replaced: BTreeMap<String, String>,
    /// What the device asked for last, in the words of the protocol; opaque here.
    pub options: Vec<u8>,
}

/// What the device has of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub revision: Revision,
    /// The item could not be converted at this revision: the device does not have it, and it is not tried again
    /// until it changes.
    pub left_out: bool,
}

impl Held {
    pub const fn on_device(revision: Revision) -> Self {
        Self {
            revision,
            left_out: false,
        }
    }
}

impl State {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![match self.replaced.is_empty() {
            true => FORMAT,
            false => FORMAT_WITH_REPLACED,
        }];
        write_number(&mut bytes, self.options.len() as u64);
        bytes.extend_from_slice(&self.options);
        write_number(&mut bytes, self.items.len() as u64);
        let mut previous: &[u8] = &[];
        for (id, held) in &self.items {
            let id = id.as_bytes();
            let shared = previous.iter().zip(id).take_while(|(a, b)| a == b).count();
            write_number(&mut bytes, shared as u64);
            write_number(&mut bytes, (id.len() - shared) as u64);
            bytes.extend_from_slice(id.get(shared..).unwrap_or_default());
            bytes.extend_from_slice(&held.revision.0.to_le_bytes());
            bytes.push(u8::from(held.left_out));
            previous = id;
        }
        if !self.replaced.is_empty() {
            write_number(&mut bytes, self.replaced.len() as u64);
            for id in self.replaced.iter().flat_map(|(old, new)| [old, new]) {
                write_number(&mut bytes, id.len() as u64);
                bytes.extend_from_slice(id.as_bytes());
            }
        }
        bytes
    }

    /// The id under which OX has an item.
    pub fn ox_id<'a>(&'a self, id: &'a str) -> &'a str {
        self.replaced.get(id).map_or(id, String::as_str)
    }

    /// `None` for another format or damaged bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let format = *reader.take(1)?.first()?;
        if ![FORMAT, FORMAT_WITH_REPLACED].contains(&format) {
            return None;
        }
        let length = reader.length()?;
        let options = reader.take(length)?.to_vec();
        let count = reader.number()?;
        let mut items = BTreeMap::new();
        let mut previous = Vec::new();
        for _ in 0..count {
            let shared = reader.length()?;
            let own = reader.length()?;
            previous.truncate(shared);
            if previous.len() != shared {
                return None;
            }
            previous.extend_from_slice(reader.take(own)?);
            let id = String::from_utf8(previous.clone()).ok()?;
            let revision = Revision(u64::from_le_bytes(reader.take(8)?.try_into().ok()?));
            let left_out = reader.take(1)? == [1];
            items.insert(id, Held { revision, left_out });
        }
        let mut replaced = BTreeMap::new();
        if format == FORMAT_WITH_REPLACED {
            for _ in 0..reader.number()? {
                let old = reader.text()?;
                replaced.insert(old, reader.text()?);
            }
        }
        Some(Self {
            items,
            replaced,
            options,
        })
    }
}

pub(crate) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads what [`write_number`] and its callers wrote; every step fails softly at the end of the bytes.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// Text behind its length.
    pub(crate) fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> State {
        let held = |revision, left_out| Held {
            revision: Revision(revision),
            left_out,
        };
        State {
            items: [
                ("1043".to_owned(), held(32, false)),
                ("1044".to_owned(), held(u64::MAX, true)),
            ]
            .into(),
            options: b"\x03\x01".to_vec(),
            ..State::default()
        }
    }

    #[test]
    fn known_bytes_of_format_1() {
        let bytes = [
            1, // format
            2, 3, 1, // options
            2, // items
            0, 4, b'1', b'0', b'4', b'3', 32, 0, 0, 0, 0, 0, 0, 0, 0, //
            3, 1, b'4', 255, 255, 255, 255, 255, 255, 255, 255, 1,
        ];
        assert_eq!(sample().encode(), bytes);
        assert_eq!(State::decode(&bytes), Some(sample()));
        for end in 0..bytes.len() {
            assert_eq!(State::decode(&bytes[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn known_bytes_of_format_2() {
        let mut state = sample();
        state.replaced.insert("1043".to_owned(), "7".to_owned());
        let mut bytes = sample().encode();
        bytes[0] = 2;
        bytes.extend([1, 4, b'1', b'0', b'4', b'3', 1, b'7']);
        assert_eq!(state.encode(), bytes);
        assert_eq!(State::decode(&bytes), Some(state.clone()));
        for end in 0..bytes.len() {
            assert_eq!(State::decode(&bytes[..end]), None, "cut at {end}");
        }
        assert_eq!((state.ox_id("1043"), state.ox_id("1044")), ("7", "1044"));
    }

    #[test]
    fn another_format_is_no_state() {
        assert_eq!(State::decode(&[3, 0, 0]), None);
    }

    #[test]
    fn ten_thousand_mails_stay_small() {
        let items = (10_000..20_000)
            .map(|id| (id.to_string(), Held::on_device(Revision(id << 32))))
            .collect();
        let state = State {
            items,
            ..State::default()
        };
        let bytes = state.encode();
        assert!(bytes.len() <= 250_000, "{}", bytes.len());
    }

    proptest! {
        #[test]
        fn both_ways(
            items in prop::collection::btree_map(".{0,12}", (any::<u64>(), any::<bool>()), 0..40),
            replaced in prop::collection::btree_map(".{0,12}", ".{0,12}", 0..4),
        ) {
            let items = items.into_iter().map(|(id, (revision, left_out))| {
                (id, Held { revision: Revision(revision), left_out })
            });
            let state = State { items: items.collect(), replaced, options: vec![7] };
            prop_assert_eq!(State::decode(&state.encode()), Some(state));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = State::decode(&bytes);
        }
    }
}
