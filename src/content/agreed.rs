//! What both sides agreed on last of an item, in a few bytes: a digest for each property that has a value; and what a device
//! was sent last.
//!
//! Three bytes a property say who has changed what since, and nothing else: no value can be read out of them. Two
//! values in 65,536 have the same digest; it takes that and a conflict for a change of the device to pass for none.
//! Implements nothing from outside; [MS-ASCMD] Conflict is served by it.
//!
//! ```text
//! agreed = property ...
//! property = distance  digest (2)
//! ```
//!
//! A property goes by the number of its first column, an occurrence that differs from its series by 65,536 and the days
//! from 1970 to its own. The device's copy has a longer digest, in four pieces. They come in the order of these numbers, each told by its distance from the one before, seven
//! bits a byte, the lowest first.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::Digest as _;
use sha2::Sha256;

use crate::content::Class;
use crate::content::date;
use crate::content::judged;
use crate::content::judged::Property;
use crate::content::recurrence;
use crate::ox::Object;
use crate::ox::columns::calendar as columns;
use crate::version::ProtocolVersion;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::calendar;

/// Above the numbers of all columns.
const OCCURRENCES: u32 = 0x1_0000;

/// Above the numbers of all columns as well, and below those of occurrences.
const COPY: [u32; 4] = [0xFF00, 0xFF01, 0xFF02, 0xFF03];

/// A digest of what a device was sent of an item: long enough to keep what says the same from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceCopy([[u8; 2]; 4]);

impl DeviceCopy {
    /// `data` are the children of ApplicationData. The time of the last change is left out, which nobody sees. `revision` is
    /// OX's, at which the device has them: what it has changed itself is at another one.
    pub fn of(data: &[Element], version: ProtocolVersion, revision: u64) -> Self {
        let root = without_stamps(&Element::parent(airsync::APPLICATION_DATA, data.to_vec()));
        let mut hasher = Sha256::new();
        hasher.update(revision.to_le_bytes());
        hasher.update(wbxml::encode(&root, version));
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hasher.finalize().into();
        Self([[a, b], [c, d], [e, f], [g, h]])
    }
}

fn without_stamps(element: &Element) -> Element {
    if element.children().is_empty() {
        return element.clone();
    }
    let children = element
        .children()
        .iter()
        .filter(|child| child.tag != calendar::DT_STAMP);
    Element::parent(element.tag, children.map(without_stamps).collect::<Vec<_>>())
}

/// Digests by the number of the property or the occurrence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed(BTreeMap<u32, [u8; 2]>);

/// Of an occurrence that differs from its series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exception<'a> {
    Deleted,
    Changed(&'a Object),
}

impl Agreed {
    /// Of an item that both sides have as it is here. `exceptions` are the changed occurrences of a series; a picture
    /// is judged by what stands in `image1`.
    pub fn of(class: Class, object: &Object, exceptions: &[Object]) -> Self {
        let mut agreed = Self::default();
        for property in judged::of(class) {
            agreed.set(number(property), digest_of(class, property, object));
        }
        for day in deleted_days(object) {
            agreed.set_occurrence(day, Exception::Deleted);
        }
        for exception in exceptions {
            if let Some(day) = exception.date(columns::RECURRENCE_DATE_POSITION) {
                agreed.set_occurrence(day, Exception::Changed(exception));
            }
        }
        agreed
    }

    pub fn of_property(&self, property: &Property) -> Option<[u8; 2]> {
        self.0.get(&number(property)).copied()
    }

    /// `day` as in `recurrence_date_position`.
    pub fn of_occurrence(&self, day: i64) -> Option<[u8; 2]> {
        self.0.get(&occurrence(day)?).copied()
    }

    /// For an item of which one property is agreed on anew.
    pub fn set_property(&mut self, property: &Property, digest: Option<[u8; 2]>) {
        self.set(number(property), digest);
    }

    pub fn set_occurrence(&mut self, day: i64, exception: Exception<'_>) {
        if let Some(number) = occurrence(day) {
            self.set(number, Some(digest_of_occurrence(exception)));
        }
    }

    pub fn copy(&self) -> Option<DeviceCopy> {
        let [first, second, third, fourth] = COPY.map(|piece| self.0.get(&piece).copied());
        Some(DeviceCopy([first?, second?, third?, fourth?]))
    }

    pub fn set_copy(&mut self, DeviceCopy(pieces): DeviceCopy) {
        self.0.extend(COPY.into_iter().zip(pieces));
    }

    fn set(&mut self, number: u32, digest: Option<[u8; 2]>) {
        match digest {
            Some(digest) => self.0.insert(number, digest),
            None => self.0.remove(&number),
        };
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(3 * self.0.len() + 1);
        let mut before = 0;
        for (number, digest) in &self.0 {
            let mut distance = number - before;
            while distance >= 0x80 {
                bytes.push((distance & 0x7F) as u8 | 0x80);
                distance >>= 7;
            }
            bytes.push(distance as u8);
            bytes.extend_from_slice(digest);
            before = *number;
        }
        bytes
    }

    /// `None` for bytes that [`Agreed::encode`] did not write.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut digests = BTreeMap::new();
        let (mut rest, mut number) = (bytes.iter().copied().peekable(), 0_u32);
        while rest.peek().is_some() {
            number = number.checked_add(distance(&mut rest)?)?;
            digests.insert(number, [rest.next()?, rest.next()?]);
        }
        Some(Self(digests))
    }
}

/// `None` for what has no end, or is no number of 32 bits.
fn distance(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut distance = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = bytes.next()?;
        distance |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(distance).ok();
        }
    }
    None
}

/// The first bytes of SHA-256 over what a property says.
pub(in crate::content) fn digest_of(class: Class, property: &Property, object: &Object) -> Option<[u8; 2]> {
    property.said(class, object).map(|said| digest(said.as_bytes()))
}

pub(in crate::content) fn digest_of_occurrence(exception: Exception<'_>) -> [u8; 2] {
    let Exception::Changed(object) = exception else {
        return digest(b"deleted");
    };
    let object = &single(object);
    let properties = judged::of(Class::Calendar).iter();
    let said = properties.map(|property| match property.said(Class::Calendar, object) {
        Some(said) => format!("{}\0{said}\0", property.name),
        None => String::new(),
    });
    digest(said.collect::<String>().as_bytes())
}

/// An occurrence without the pattern of its series, which some servers repeat in it.
pub(in crate::content) fn single(object: &Object) -> Object {
    let mut map = object.as_map().clone();
    map.retain(|key, _| recurrence::COLUMNS.iter().all(|column| column.key != key));
    Object::from_map(map)
}

/// The days of the occurrences of a series that do not take place.
pub(in crate::content) fn deleted_days(object: &Object) -> impl Iterator<Item = i64> {
    let days = object.json(columns::DELETE_EXCEPTIONS).and_then(Value::as_array);
    days.into_iter().flatten().filter_map(Value::as_i64).map(date::midnight)
}

fn digest(bytes: &[u8]) -> [u8; 2] {
    let [first, second, ..]: [u8; 32] = Sha256::digest(bytes).into();
    [first, second]
}

fn number(property: &Property) -> u32 {
    property.columns.first().map_or(0, |column| column.id.into())
}

fn occurrence(day: i64) -> Option<u32> {
    u32::try_from(day.div_euclid(date::DAY)).ok()?.checked_add(OCCURRENCES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::version::ProtocolVersion::V14_1;

    #[test]
    fn a_copy_is_what_was_sent() {
        let data = |subject: &str, stamp: &str| {
            let exception = Element::parent(calendar::EXCEPTION, [Element::text(calendar::DT_STAMP, stamp)]);
            vec![
                Element::text(calendar::DT_STAMP, stamp),
                Element::text(calendar::SUBJECT, subject),
                Element::parent(calendar::EXCEPTIONS, [exception]),
            ]
        };
        let copy = DeviceCopy::of(&data("Tea", "1"), V14_1, 7);
        // Subject, time of the change, version, revision, whether it is the same.
        let cases = [
            ("Tea", "1", V14_1, 7, true),
            ("Tea", "2", V14_1, 7, true),
            ("Milk", "1", V14_1, 7, false),
            ("Tea", "1", V14_1, 8, false),
        ];
        for (subject, stamp, version, revision, is_same) in cases {
            let other = DeviceCopy::of(&data(subject, stamp), version, revision);
            assert_eq!(other == copy, is_same, "{subject} {stamp} {revision}");
        }
        let mut agreed = Agreed::of(Class::Calendar, &object(json!({"title": "Tea"})), &[]);
        assert_eq!(agreed.copy(), None);
        agreed.set_copy(copy);
        let read = Agreed::decode(&agreed.encode()).unwrap();
        assert_eq!(read.copy(), Some(copy));
        let mut properties = judged::of(Class::Calendar).iter();
        let is_title = |property: &&Property| property.columns.contains(&columns::TITLE.name());
        let title = properties.find(is_title).expect("a title");
        assert!(agreed.of_property(title).is_some());
        assert_eq!(read.of_property(title), agreed.of_property(title));
    }

    fn object(value: Value) -> Object {
        let Value::Object(map) = value else { unreachable!() };
        Object::from_map(map)
    }

    /// Digests that stand in databases: they may not change without another format of the state.
    #[test]
    fn known_bytes() {
        // class, object, exceptions, bytes
        let contact = json!({"first_name": "John", "last_name": "Doe", "birthday": 197_769_600_000_i64, "note": "",
            "display_name": "Doe, John", "userfield01": "x", "categories": "b, a"});
        let task = json!({"title": "Tea", "status": 1, "percent_completed": 0, "priority": 2, "alarm": null});
        let series = json!({"title": "Tea", "delete_exceptions": [86_400_000]});
        let exception = json!({"title": "Coffee", "recurrence_date_position": 172_800_000});
        let cases = [
            (Class::Contacts, contact, Vec::new(), KNOWN[0]),
            (Class::Tasks, task, Vec::new(), KNOWN[1]),
            (Class::Calendar, series, vec![exception], KNOWN[2]),
            (Class::Email, json!({"subject": "Tea"}), Vec::new(), &[]),
        ];
        for (class, item, exceptions, bytes) in cases {
            let exceptions: Vec<Object> = exceptions.into_iter().map(object).collect();
            let agreed = Agreed::of(class, &object(item), &exceptions);
            assert_eq!(agreed.encode(), bytes, "{class:?}");
            assert_eq!(Agreed::decode(bytes), Some(agreed), "{class:?}");
        }
    }

    const KNOWN: [&[u8]; 3] = [
        // categories, first_name, last_name, birthday
        &[100, 30, 183, 145, 3, 168, 207, 1, 253, 83, 9, 140, 184],
        // title
        &[200, 1, 1, 121],
        // title, the first day after 1970-01-01, the second
        &[200, 1, 1, 121, 185, 254, 3, 17, 133, 1, 250, 244],
    ];

    proptest! {
        #[test]
        fn both_ways(digests in prop::collection::btree_map(any::<u32>(), any::<[u8; 2]>(), 0..60)) {
            let agreed = Agreed(digests);
            prop_assert_eq!(Agreed::decode(&agreed.encode()), Some(agreed));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Agreed::decode(&bytes);
        }
    }
}
