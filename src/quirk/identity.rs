//! Who a device says it is, and patterns that recognise it.
//!
//! Pure. No single field can be relied on: some devices name their maker in the DeviceType, some in the User-Agent, some
//! only in the DeviceInformation of Settings, which most send after their first Sync or never. A pattern is a list of
//! conditions that all must hold; where a range of releases is meant, the release is read out of the same field.

use std::ops::RangeInclusive;

use crate::version::ProtocolVersion;

/// What a device says of itself; what it does not say is empty.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    pub device_id: &'a str,
    pub device_type: &'a str,
    pub user_agent: &'a str,
    /// DeviceInformation: OS.
    pub os: &'a str,
    /// DeviceInformation: Model.
    pub model: &'a str,
    /// The version it speaks in this request.
    pub version: ProtocolVersion,
}

/// Where a condition looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    DeviceId,
    DeviceType,
    UserAgent,
    Os,
    Model,
}

/// A release as a pair of numbers, `4.4` or `1607.92`. The second one may be left out: it is 0 then.
pub type Release = (u32, u32);

/// The field begins with a text, in any letter case; and the release that follows the text is within a range, if
/// there is one.
#[derive(Clone, Debug)]
pub struct Condition {
    pub field: Field,
    pub begins: &'static str,
    /// Nothing follows the text.
    pub whole: bool,
    pub releases: Option<RangeInclusive<Release>>,
}

pub const fn device_id(begins: &'static str) -> Condition {
    condition(Field::DeviceId, begins)
}

pub const fn device_type(begins: &'static str) -> Condition {
    condition(Field::DeviceType, begins)
}

pub const fn user_agent(begins: &'static str) -> Condition {
    condition(Field::UserAgent, begins)
}

pub const fn model(begins: &'static str) -> Condition {
    condition(Field::Model, begins)
}

pub const fn os(begins: &'static str) -> Condition {
    condition(Field::Os, begins)
}

const fn condition(field: Field, begins: &'static str) -> Condition {
    Condition {
        field,
        begins,
        whole: false,
        releases: None,
    }
}

/// The last release of a line: `upto(4)` is everything that begins with 4.
pub const fn upto(major: u32) -> Release {
    (major, u32::MAX)
}

impl Condition {
    /// Releases from the first to the last, both included.
    #[must_use]
    pub const fn releases(mut self, first: Release, last: Release) -> Self {
        self.releases = Some(RangeInclusive::new(first, last));
        self
    }

    /// The field is this text and no more.
    #[must_use]
    pub const fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    pub fn holds(&self, identity: &Identity<'_>) -> bool {
        let text = match self.field {
            Field::DeviceId => identity.device_id,
            Field::DeviceType => identity.device_type,
            Field::UserAgent => identity.user_agent,
            Field::Os => identity.os,
            Field::Model => identity.model,
        };
        let Some((start, rest)) = text.trim_start().split_at_checked(self.begins.len()) else {
            return false;
        };
        let is_within = |range: &RangeInclusive<Release>| release(rest).is_some_and(|release| range.contains(&release));
        start.eq_ignore_ascii_case(self.begins)
            && (rest.is_empty() || !self.whole)
            && self.releases.as_ref().is_none_or(is_within)
    }
}

/// The release in what follows a name: behind the slash of a User-Agent (`iPhone6C2/1607.92`), else the first number.
fn release(rest: &str) -> Option<Release> {
    let rest = rest.split_once('/').map_or(rest, |(_, behind)| behind);
    let start = rest.find(|c: char| c.is_ascii_digit())?;
    let digits = rest.get(start..)?;
    let mut numbers = digits.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    let follows_a_dot = digits.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('.');
    let minor = numbers.next().filter(|_| follows_a_dot);
    Some((major, minor.and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOBODY: Identity<'_> = Identity {
        device_id: "",
        device_type: "",
        user_agent: "",
        os: "",
        model: "",
        version: ProtocolVersion::V14_1,
    };

    #[test]
    fn releases_in_what_devices_send() {
        // what follows the name, expected
        let cases = [
            ("iPhone6C2/1607.92", Some((1607, 92))),
            ("4.4.2-EAS-1.3", Some((4, 4))),
            ("10-EAS-2.0", Some((10, 0))),
            ("GT-I9300/101.403", Some((101, 403))),
            ("15.0 (15.0.4420.1017; MSI; x86)", Some((15, 0))),
            (" 13.7 17H35", Some((13, 7))),
            ("8.10.12359", Some((8, 10))),
            ("5", Some((5, 0))),
            ("5.x", Some((5, 0))),
            ("", None),
            ("none", None),
            ("99999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(release(text), expected, "{text}");
        }
    }

    #[test]
    fn conditions() {
        let ios = user_agent("Apple-").releases((1607, 0), upto(1707));
        let of = |user_agent| Identity { user_agent, ..NOBODY };
        // condition, identity, expected
        let cases = [
            (ios.clone(), of("Apple-iPhone6C2/1606.99"), false),
            (ios.clone(), of("Apple-iPhone6C2/1607"), true),
            (ios.clone(), of("apple-iphone6c2/1707.80"), true),
            (ios.clone(), of("Apple-iPhone6C2/1708.1"), false),
            (ios.clone(), of("Apple-iPhone"), false),
            (ios.clone(), of("An Apple-iPhone6C2/1607"), false),
            (ios, NOBODY, false),
            (user_agent("Outlook/"), of("Outlook-iOS-Android/1.0"), false),
            (user_agent("Outlook/"), of(" Outlook/15.0"), true),
            (user_agent("Outlook/15").whole(), of("Outlook/15.0"), false),
            (user_agent("Outlook/15").whole(), of("outlook/15"), true),
            (user_agent("Ä"), of("Ö"), false),
            (user_agent("AB"), of("AÖ"), false),
        ];
        for (condition, identity, expected) in cases {
            assert_eq!(condition.holds(&identity), expected, "{condition:?} {identity:?}");
        }
    }

    #[test]
    fn each_field_is_looked_at() {
        let identity = Identity {
            device_id: "id",
            device_type: "type",
            user_agent: "agent",
            os: "os",
            model: "model",
            ..NOBODY
        };
        let conditions = [
            device_id("id"),
            device_type("type"),
            user_agent("agent"),
            os("os"),
            model("model"),
        ];
        for (place, condition) in conditions.iter().enumerate() {
            assert!(condition.holds(&identity), "{condition:?}");
            assert!(!condition.holds(&NOBODY));
            let others = conditions.iter().enumerate().filter(|(other, _)| *other != place);
            for (_, other) in others {
                let wrong = Condition {
                    field: condition.field,
                    ..other.clone()
                };
                assert!(!wrong.holds(&identity), "{wrong:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".*", begins in prop::sample::select(vec!["", "Apple-", "ä", "Android/"])) {
            let condition = user_agent(begins).releases((1, 0), upto(2));
            let _ = condition.holds(&Identity { user_agent: &text, ..NOBODY });
        }
    }
}
