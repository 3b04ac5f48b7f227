//! Format 3, the one that is written: format 2, and what both sides agreed on of single items.
//!
//! ```text
//! state    = format (1)  checksum (4)  length  options  count  item ...  count  agreed ...  replaced ...
//! agreed   = distance  length  bytes
//! item, replaced, checksum: as in format 2
//! ```
//!
//! An item is named by its distance in the list of items: how many stand between it and the one before of which anything
//! is agreed. Mail has none of this, and ten thousand mails are as large as in format 2, but for one byte.

use std::collections::BTreeMap;

use crate::usm::state::State;
use crate::usm::state::bytes::Reader;
use crate::usm::state::bytes::write_number;
use crate::usm::state::format2;

pub(super) const FORMAT: u8 = 3;

pub(super) fn encode(state: &State) -> Vec<u8> {
    let mut body = Vec::new();
    format2::write_items(&mut body, state);
    write_agreed(&mut body, state);
    format2::write_replaced(&mut body, state);
    format2::sealed(FORMAT, &body)
}

fn write_agreed(body: &mut Vec<u8>, State { items, agreed, .. }: &State) {
    let known = || {
        items
            .keys()
            .enumerate()
            .filter_map(|(place, id)| Some((place, agreed.get(id)?)))
    };
    write_number(body, known().count() as u64);
    let mut next = 0;
    for (place, bytes) in known() {
        write_number(body, (place - next) as u64);
        write_number(body, bytes.len() as u64);
        body.extend_from_slice(bytes);
        next = place + 1;
    }
}

/// What follows the number of the format.
pub(super) fn decode(bytes: &[u8]) -> Option<State> {
    let mut reader = Reader(format2::unsealed(bytes)?);
    let state = format2::read_items(&mut reader)?;
    let agreed = read_agreed(&mut reader, &state)?;
    let replaced = format2::read_replaced(&mut reader)?;
    Some(State {
        agreed,
        replaced,
        ..state
    })
}

fn read_agreed(reader: &mut Reader<'_>, state: &State) -> Option<BTreeMap<String, Vec<u8>>> {
    let count = reader.number()?;
    let mut ids = state.items.keys();
    let mut agreed = BTreeMap::new();
    for _ in 0..count {
        let id = ids.nth(reader.length()?)?;
        let length = reader.length()?;
        agreed.insert(id.clone(), reader.take(length)?.to_vec());
    }
    Some(agreed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usm::snapshot::Revision;
    use crate::usm::state::Held;

    #[test]
    fn known_bytes() {
        let body = [
            1, 9, // options
            4, // items
            0x10, b'1', 7, 0, 0x10, b'2', 7, 0, 0x10, b'3', 7, 0, 0x10, b'4', 7, 0, // one own, none shared
            2, // of two of them something is agreed on
            1, 3, b'a', b'b', b'c', // one item is passed over
            1, 0, // another one; nothing has a value
            1, b'2', 2, b'7', b'7', // replaced
        ];
        let item = |id: &str| (id.to_owned(), Held::on_device(Revision(7)));
        let state = State {
            items: ["1", "2", "3", "4"].map(item).into(),
            replaced: [("2".to_owned(), "77".to_owned())].into(),
            agreed: [("2".to_owned(), b"abc".to_vec()), ("4".to_owned(), Vec::new())].into(),
            options: vec![9],
        };
        let bytes = encode(&state);
        assert_eq!(bytes[0], FORMAT);
        assert_eq!(bytes[5..], body);
        assert_eq!(State::decode(&bytes), Ok(state));
    }

    /// What is agreed of an item that the device does not have is not stored.
    #[test]
    fn nobodys_agreement_is_dropped() {
        let state = State {
            agreed: [("2".to_owned(), b"abc".to_vec())].into(),
            ..State::default()
        };
        assert_eq!(State::decode(&encode(&state)), Ok(State::default()));
    }
}
