//! Format 1, read and not written any more: options, then the items in order.
//!
//! An item is the number of bytes its id shares with the id before, the number of its own bytes, these, the revision in
//! eight bytes, and a byte that is 1 if the item was left out. Nothing tells damage.

use crate::usm::snapshot::Revision;
use crate::usm::state::Held;
use crate::usm::state::State;
use crate::usm::state::bytes::Ids;
use crate::usm::state::bytes::Reader;

pub(super) const FORMAT: u8 = 1;

/// What follows the number of the format.
pub(super) fn decode(bytes: &[u8]) -> Option<State> {
    let mut reader = Reader(bytes);
    let length = reader.length()?;
    let options = reader.take(length)?.to_vec();
    let count = reader.number()?;
    let mut ids = Ids::default();
    let items = (0..count).map(|_| item(&mut reader, &mut ids)).collect::<Option<_>>()?;
    let state = State {
        items,
        options,
        ..State::default()
    };
    reader.is_at_end().then_some(state)
}

fn item(reader: &mut Reader<'_>, ids: &mut Ids) -> Option<(String, Held)> {
    let (shared, own) = (reader.length()?, reader.length()?);
    let id = ids.next(shared, reader.take(own)?)?;
    let revision = Revision(u64::from_le_bytes(reader.take(8)?.try_into().ok()?));
    let left_out = reader.byte()? == 1;
    Some((id, Held { revision, left_out }))
}

/// As the release wrote that had this format: the samples of the tests are made so.
#[cfg(test)]
pub(super) fn encode(state: &State) -> Vec<u8> {
    use crate::usm::state::bytes::shared;
    use crate::usm::state::bytes::write_number;

    let mut bytes = vec![FORMAT];
    write_number(&mut bytes, state.options.len() as u64);
    bytes.extend_from_slice(&state.options);
    write_number(&mut bytes, state.items.len() as u64);
    let mut previous: &[u8] = &[];
    for (id, held) in &state.items {
        let id = id.as_bytes();
        let shared = shared(previous, id);
        write_number(&mut bytes, shared as u64);
        write_number(&mut bytes, (id.len() - shared) as u64);
        bytes.extend_from_slice(&id[shared..]);
        bytes.extend_from_slice(&held.revision.0.to_le_bytes());
        bytes.push(u8::from(held.left_out));
        previous = id;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes() {
        let bytes = [
            1, // format
            2, 3, 1, // options
            2, // items
            0, 4, b'1', b'0', b'4', b'3', 32, 0, 0, 0, 0, 0, 0, 0, 0, //
            3, 1, b'4', 255, 255, 255, 255, 255, 255, 255, 255, 1,
        ];
        let held = |revision, left_out| Held {
            revision: Revision(revision),
            left_out,
        };
        let state = State {
            items: [
                ("1043".to_owned(), held(32, false)),
                ("1044".to_owned(), held(u64::MAX, true)),
            ]
            .into(),
            options: vec![3, 1],
            ..State::default()
        };
        assert_eq!(encode(&state), bytes);
        assert_eq!(State::decode(&bytes), Ok(state));
        for end in 0..bytes.len() {
            assert!(State::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
