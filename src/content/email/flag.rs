//! Read and Flag: what changed OX flags look like to a device, and what a device's Change means for them.
//!
//! A device may change nothing else of a received mail. Implements [MS-ASEMAIL] Read, Flag, Status and [MS-ASCMD]
//! "Change (Sync)" for the parts of a mail that change by themselves.
//!
//! OX knows flagged and not flagged. A device that marks a flag as complete clears it, since the task is done; it goes
//! on showing its own mark, because its own changes are not sent back.

use crate::content::Unconvertible;
use crate::content::date;
use crate::content::email::mail::flags;
use crate::version::ProtocolVersion;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage;
use crate::wbxml::codepage::email;
use crate::wbxml::codepage::tasks;

/// [MS-ASEMAIL] FlagType: the customary text.
const FOLLOW_UP: &str = "Flag for follow up";

/// The four dates of a flag, start before due, local before UTC.
const DATES: [Tag; 4] = [
    tasks::START_DATE,
    tasks::DUE_DATE,
    tasks::UTC_START_DATE,
    tasks::UTC_DUE_DATE,
];

/// What a device sees of a change of OX flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagChanges {
    /// Nothing that this version shows.
    Nothing,
    /// The properties of a Change; the others keep their values.
    Partial(Vec<Element>),
    /// Something that only a whole item can tell, such as a new LastVerbExecuted.
    Whole,
}

/// The Change to send when the flags of a mail went from one value to another.
pub fn flag_changes(from: u32, to: u32, version: ProtocolVersion) -> FlagChanges {
    let changed = from ^ to;
    let rows = [
        (flags::ANSWERED | flags::FORWARDED, codepage::email2::LAST_VERB_EXECUTED),
        (flags::DRAFT, codepage::email2::IS_DRAFT),
    ];
    if rows
        .into_iter()
        .any(|(bits, tag)| changed & bits != 0 && has(tag, version))
    {
        return FlagChanges::Whole;
    }
    let rows = [(flags::SEEN, read(to)), (flags::FLAGGED, flag(to))];
    let elements: Vec<Element> = rows
        .into_iter()
        .filter(|(bit, element)| changed & bit != 0 && has(element.tag, version))
        .map(|(_, element)| element)
        .collect();
    match elements.is_empty() {
        true => FlagChanges::Nothing,
        false => FlagChanges::Partial(elements),
    }
}

fn has(tag: Tag, version: ProtocolVersion) -> bool {
    codepage::token(tag).is_some_and(|token| token.versions.contains(version))
}

/// `Read`
pub(super) fn read(flags: u32) -> Element {
    Element::flag(email::READ, flags & flags::SEEN != 0)
}

/// `Flag`; an empty one is no flag. No dates: all or none of them must be there, and OX has none.
pub(super) fn flag(flags: u32) -> Element {
    if flags & flags::FLAGGED == 0 {
        return Element::empty(email::FLAG);
    }
    Element::parent(
        email::FLAG,
        [
            Element::number(email::STATUS, 2),
            Element::text(email::FLAG_TYPE, FOLLOW_UP),
        ],
    )
}

/// Bits to set and to clear in the OX column `flags`; no bit is in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlagChange {
    pub set: u32,
    pub clear: u32,
}

impl FlagChange {
    fn put(&mut self, bit: u32, on: bool) {
        match on {
            true => self.set |= bit,
            false => self.clear |= bit,
        }
    }
}

/// Reads a Change of a received mail. Properties other than Read and Flag are ignored: devices send them back unchanged.
pub fn to_ox(application_data: &Element) -> Result<FlagChange, Unconvertible> {
    let mut change = FlagChange::default();
    if let Some(element) = application_data.child(email::READ) {
        change.put(flags::SEEN, boolean(element, "Read")?);
    }
    if let Some(element) = application_data.child(email::FLAG) {
        change.put(flags::FLAGGED, is_active(element)?);
    }
    Ok(change)
}

/// Whether a Flag is set. A wrong combination of properties is refused as the specification demands, except that a
/// completed flag needs no dates: phones send the Status alone.
fn is_active(flag: &Element) -> Result<bool, Unconvertible> {
    if flag.children().is_empty() {
        return Ok(false);
    }
    let active = match flag.child_text(email::STATUS).map(str::trim) {
        Some("2") => true,
        Some("0" | "1") => false,
        _ => return Err(wrong("Status of Flag")),
    };
    check_dates(flag)?;
    let reminder = flag
        .child(tasks::REMINDER_SET)
        .map(|element| boolean(element, "ReminderSet"));
    let reminder = reminder.transpose()?.unwrap_or_default();
    if reminder && flag.child(tasks::REMINDER_TIME).is_none() {
        return Err(wrong("ReminderSet without ReminderTime"));
    }
    Ok(active)
}

/// All four dates or none; no start after its end. Unreadable dates are not compared.
fn check_dates(flag: &Element) -> Result<(), Unconvertible> {
    let dates = DATES.map(|tag| flag.child_text(tag));
    let present = dates.iter().flatten().count();
    if present != 0 && present != DATES.len() {
        return Err(wrong("dates of Flag, some but not all"));
    }
    let [start, due, utc_start, utc_due] = dates.map(|date| date.and_then(date::parse));
    for (start, due) in [start.zip(due), utc_start.zip(utc_due)].into_iter().flatten() {
        if start > due {
            return Err(wrong("StartDate after DueDate"));
        }
    }
    Ok(())
}

/// [MS-ASDTYPE] boolean: an element without content is true.
fn boolean(element: &Element, name: &str) -> Result<bool, Unconvertible> {
    match element.as_text().map(str::trim) {
        Some("1" | "") => Ok(true),
        Some("0") => Ok(false),
        _ => Err(wrong(name)),
    }
}

fn wrong(what: &str) -> Unconvertible {
    Unconvertible(format!("invalid {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wbxml::codepage::airsync;
    use proptest::prelude::*;

    fn data(children: impl IntoIterator<Item = Element>) -> Element {
        Element::parent(airsync::APPLICATION_DATA, children)
    }

    fn flag_of(children: &[(Tag, &str)]) -> Element {
        let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
        data([Element::parent(email::FLAG, children)])
    }

    #[test]
    fn what_a_change_of_flags_shows() {
        use ProtocolVersion::{V2_5, V12_1, V14_0};
        let partial = |elements: &[Element]| FlagChanges::Partial(elements.to_vec());
        let seen = Element::flag(email::READ, true);
        // from, to, version, expected
        let cases = [
            (0, 32, V14_0, partial(std::slice::from_ref(&seen))),
            (32, 0, V2_5, partial(&[Element::flag(email::READ, false)])),
            (8, 0, V14_0, partial(&[Element::empty(email::FLAG)])),
            (0, 8, V2_5, FlagChanges::Nothing),
            (0, 40, V12_1, partial(&[seen, flag(8)])),
            (0, 64, V14_0, FlagChanges::Nothing),
            (32, 33, V14_0, FlagChanges::Whole),
            (32, 33, V12_1, FlagChanges::Nothing),
            (32, 32, V14_0, FlagChanges::Nothing),
        ];
        for (from, to, version, expected) in cases {
            assert_eq!(flag_changes(from, to, version), expected, "{from} {to} {version}");
        }
    }

    #[test]
    fn what_a_device_means() {
        let set = |set| Ok(FlagChange { set, clear: 0 });
        let clear = |clear| Ok(FlagChange { set: 0, clear });
        let read = |text: &str| data([Element::text(email::READ, text)]);
        // change, expected
        let cases = [
            (read("1"), set(32)),
            (read("0"), clear(32)),
            (data([Element::empty(email::READ)]), set(32)),
            (read("yes"), Err(wrong("Read"))),
            (data([]), set(0)),
            (data([Element::text(email::SUBJECT, "x")]), set(0)),
            (data([Element::empty(email::FLAG)]), clear(8)),
            (flag_of(&[(email::STATUS, "2"), (email::FLAG_TYPE, "x")]), set(8)),
            (flag_of(&[(email::STATUS, "1")]), clear(8)),
            (flag_of(&[(email::STATUS, "0")]), clear(8)),
            (flag_of(&[(email::STATUS, "3")]), Err(wrong("Status of Flag"))),
            (flag_of(&[(email::FLAG_TYPE, "x")]), Err(wrong("Status of Flag"))),
            (
                flag_of(&[(email::STATUS, "2"), (tasks::DUE_DATE, "2010-04-08T00:00:00.000Z")]),
                Err(wrong("dates of Flag, some but not all")),
            ),
            (
                flag_of(&[(email::STATUS, "2"), (tasks::REMINDER_SET, "1")]),
                Err(wrong("ReminderSet without ReminderTime")),
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(to_ox(&change), expected, "{change:?}");
        }
    }

    #[test]
    fn starts_before_it_is_due() {
        let dates = |start, due| {
            flag_of(&[
                (email::STATUS, "2"),
                (tasks::START_DATE, start),
                (tasks::DUE_DATE, due),
                (tasks::UTC_START_DATE, start),
                (tasks::UTC_DUE_DATE, due),
            ])
        };
        let (early, late) = ("2010-04-08T00:00:00.000Z", "20100409T000000Z");
        assert_eq!(to_ox(&dates(early, late)), Ok(FlagChange { set: 8, clear: 0 }));
        assert_eq!(to_ox(&dates(early, early)), Ok(FlagChange { set: 8, clear: 0 }));
        assert_eq!(to_ox(&dates(late, early)), Err(wrong("StartDate after DueDate")));
    }

    proptest! {
        /// What a device is told of new flags, it would send back as the same change.
        #[test]
        fn both_ways_agree(from: u32, to: u32) {
            let shown = flags::SEEN | flags::FLAGGED;
            // Bits that are not shown stay as they are.
            let to = (from & !shown) | (to & shown);
            let elements = match flag_changes(from, to, ProtocolVersion::V16_1) {
                FlagChanges::Partial(elements) => elements,
                other => {
                    prop_assert_eq!(other, FlagChanges::Nothing);
                    Vec::new()
                }
            };
            let change = to_ox(&data(elements)).expect("our own form");
            prop_assert_eq!((from | change.set) & !change.clear, to);
        }
    }
}
