//! Numbers and lengths in bytes that we store: written compactly, read with care.

/// The first bytes that neighbours share are counted no further: a small row cannot claim a large memory.
pub(super) const MOST_SHARED: usize = 255;

/// As in LEB128: seven bits a byte, the lowest first, the top bit says that more follow.
pub(in crate::usm) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Text, behind its length.
pub(in crate::usm) fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// How many bytes at their start two neighbours have in common.
pub(super) fn shared(previous: &[u8], id: &[u8]) -> usize {
    let pairs = previous.iter().zip(id).take(MOST_SHARED);
    pairs.take_while(|(a, b)| a == b).count()
}

/// Reads what [`write_number`] and its callers wrote; every step fails softly at the end of the bytes.
pub(in crate::usm) struct Reader<'a>(pub(in crate::usm) &'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::usm) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub(in crate::usm) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(in crate::usm) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(in crate::usm) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// What [`write_text`] wrote.
    pub(in crate::usm) fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    pub(in crate::usm) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

/// The ids of a state in their order, each read as what it does not share with the one before.
#[derive(Default)]
pub(super) struct Ids(Option<Vec<u8>>);

impl Ids {
    /// `None` for ids that are out of order, no text, or share more than there is.
    pub(super) fn next(&mut self, shared: usize, own: &[u8]) -> Option<String> {
        let is_first = self.0.is_none();
        let previous = self.0.get_or_insert_default();
        let replaced = previous.get(shared..).filter(|_| shared <= MOST_SHARED)?;
        if replaced >= own && !is_first {
            return None;
        }
        previous.truncate(shared);
        previous.extend_from_slice(own);
        String::from_utf8(previous.clone()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_both_ways() {
        // Number, bytes.
        let cases = [
            (0, &[0][..]),
            (127, &[127]),
            (128, &[128, 1]),
            (300, &[172, 2]),
            (u64::MAX, &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        ];
        for (number, expected) in cases {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            assert_eq!(bytes, expected);
            assert_eq!(Reader(&bytes).number(), Some(number));
            assert_eq!(Reader(&bytes[..bytes.len() - 1]).number(), None);
        }
        assert_eq!(Reader(&[128; 11]).number(), None, "without end");
    }

    #[test]
    fn ids_come_in_order_and_share_what_is_there() {
        // Shared, own, id.
        let cases = [
            (0, &b"2"[..], Some("2")),
            (3, b"4", Some("1044")),
            (4, b"0", Some("10430")),
            // The same once more, an earlier one, more than there is, no text.
            (0, b"1043", None),
            (0, b"1", None),
            (5, b"0", None),
            (usize::MAX, b"0", None),
            (0, b"\xFF", None),
        ];
        for (shared, own, id) in cases {
            let mut ids = Ids(Some(b"1043".to_vec()));
            assert_eq!(ids.next(shared, own).as_deref(), id, "{shared} {own:?}");
        }
        let mut ids = Ids::default();
        assert_eq!(ids.next(0, b"").as_deref(), Some(""));
        assert_eq!(ids.next(0, b""), None, "twice");
    }
}
