//! What revisions and timestamps are made of.
//!
//! The revision of a mail in a list is when it was received, and its flags. Of other items it is a number and nothing more.

/// A timestamp beyond all: OX writes without asking what changed meanwhile.
pub const ANY_TIMESTAMP: i64 = 1 << 53;

/// The flags of a mail that its revision holds, since a device shows them: answered, draft, flagged, seen, forwarded.
pub(super) const FLAGS: u32 = 1 | 4 | 8 | 32 | 256;

/// Whether two revisions are of the same message, with other flags at most.
pub const fn same_mail(one: u64, other: u64) -> bool {
    one >> 32 == other >> 32
}

/// The flags in a revision.
pub const fn flags_of(revision: u64) -> u32 {
    revision as u32 & FLAGS
}

/// The revision of a mail after flags were set and cleared.
pub const fn with_flags(revision: u64, set: u32, clear: u32) -> u64 {
    let flags = (flags_of(revision) | set) & !clear & FLAGS;
    revision >> 32 << 32 | flags as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_move_and_the_message_stays() {
        let revision = 0x1234_5678_0000_0008;
        let read = with_flags(revision, 32, 8);
        assert_eq!(flags_of(read), 32);
        assert!(same_mail(revision, read));
        assert!(!same_mail(revision, 8));
        assert_eq!(with_flags(revision, 16, 0), revision);
    }
}
