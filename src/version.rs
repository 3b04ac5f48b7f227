//! The versions of the ActiveSync protocol, and ranges of them.
//!
//! A version is data here: tables carry a [`VersionRange`] for each row, and only tables compare versions.
//! A handler that asks which version it serves is a sign of a missing column.
//! Implements the list of [MS-ASHTTP] "MS-ASProtocolVersion" and of the base64 query's first byte.

use std::fmt;

/// A protocol version, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolVersion {
    V2_5,
    V12_0,
    V12_1,
    V14_0,
    V14_1,
    V16_0,
    V16_1,
}

use ProtocolVersion::{V2_5, V12_0, V12_1, V14_0, V14_1, V16_0, V16_1};

impl ProtocolVersion {
    /// All versions, oldest first: the order of `MS-ASProtocolVersions`.
    pub const ALL: [Self; 7] = [V2_5, V12_0, V12_1, V14_0, V14_1, V16_0, V16_1];

    /// As in `MS-ASProtocolVersion`.
    pub const fn name(self) -> &'static str {
        match self {
            V2_5 => "2.5",
            V12_0 => "12.0",
            V12_1 => "12.1",
            V14_0 => "14.0",
            V14_1 => "14.1",
            V16_0 => "16.0",
            V16_1 => "16.1",
        }
    }

    /// As in the first byte of the base64 query: the version times ten.
    pub const fn code(self) -> u8 {
        match self {
            V2_5 => 25,
            V12_0 => 120,
            V12_1 => 121,
            V14_0 => 140,
            V14_1 => 141,
            V16_0 => 160,
            V16_1 => 161,
        }
    }

    /// Reads `MS-ASProtocolVersion`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name.trim())
    }

    /// Reads the first byte of the base64 query.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.code() == code)
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The versions from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    pub first: ProtocolVersion,
    pub last: ProtocolVersion,
}

impl VersionRange {
    pub const ALL: Self = Self {
        first: V2_5,
        last: V16_1,
    };

    pub const fn since(first: ProtocolVersion) -> Self {
        Self { first, last: V16_1 }
    }

    pub const fn until(last: ProtocolVersion) -> Self {
        Self { first: V2_5, last }
    }

    /// Refused when compiling, in a constant, if the bounds are the wrong way round.
    pub const fn between(first: ProtocolVersion, last: ProtocolVersion) -> Self {
        assert!(first as u8 <= last as u8, "an empty range of versions");
        Self { first, last }
    }

    pub const fn contains(self, version: ProtocolVersion) -> bool {
        self.first as u8 <= version as u8 && version as u8 <= self.last as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_both_ways() {
        for version in ProtocolVersion::ALL {
            assert_eq!(ProtocolVersion::from_name(version.name()), Some(version));
            assert_eq!(ProtocolVersion::from_code(version.code()), Some(version));
        }
        assert_eq!(ProtocolVersion::from_name(" 14.1 "), Some(V14_1));
        assert_eq!(ProtocolVersion::from_name("14"), None);
        assert_eq!(ProtocolVersion::from_code(10), None);
    }

    #[test]
    fn ranges_include_both_bounds() {
        // range, version, expected
        let cases = [
            (VersionRange::ALL, V2_5, true),
            (VersionRange::since(V12_1), V12_0, false),
            (VersionRange::since(V12_1), V12_1, true),
            (VersionRange::until(V12_1), V12_1, true),
            (VersionRange::until(V12_1), V14_0, false),
            (VersionRange::between(V12_0, V14_0), V14_0, true),
            (VersionRange::between(V12_0, V14_0), V14_1, false),
        ];
        for (range, version, expected) in cases {
            assert_eq!(range.contains(version), expected, "{range:?} {version}");
        }
    }
}
