//! What a device asks of a collection: filter, conflicts, bodies, ghosting. Kept with the state until it asks anew.
//!
//! Pure. Implements [MS-ASCMD] Options, Supported, FilterType, Conflict, MIMESupport, Truncation and BodyPreference.

use std::sync::Arc;
use std::time::Duration;

use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::content::Class;
use crate::content::Ghosted;
use crate::content::date::DAY;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::usm::brake;
use crate::usm::conflict::Policy;
use crate::usm::snapshot::Filter;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V16_0;
use crate::version::VersionRange;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::airsyncbase;

/// FilterType, and the days it stands for.
const FILTER_DAYS: [(u8, i64); 7] = [(1, 1), (2, 3), (3, 7), (4, 14), (5, 31), (6, 93), (7, 186)];

/// The FilterType of tasks that are not done.
const INCOMPLETE_TASKS: u8 = 8;

/// Truncation of 2.5, and bytes; 9 is no limit.
const TRUNCATION: [(u8, u64); 9] = [
    (0, 0),
    (1, 512),
    (2, 1024),
    (3, 2048),
    (4, 5120),
    (5, 10_240),
    (6, 20_480),
    (7, 51_200),
    (8, 102_400),
];

/// MIMETruncation, and bytes; 8 is no limit.
const MIME_TRUNCATION: [(u8, u64); 8] = [
    (0, 0),
    (1, 4096),
    (2, 5120),
    (3, 7168),
    (4, 10_240),
    (5, 20_480),
    (6, 51_200),
    (7, 102_400),
];

/// The class of text messages, which we do not have. A second block of options may be about them, and is ignored.
pub(in crate::eas) const TEXT_MESSAGE: &str = "SMS";

/// From here on omission never deletes anything of an appointment, whatever Supported says.
const CALENDAR_GHOSTED: VersionRange = VersionRange::since(V16_0);

/// The elements as sent, for the state: the last Options as a whole, and Supported of the first request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sticky {
    pub supported: Option<Element>,
    pub options: Vec<Element>,
    /// ConversationMode: a filter takes in whole conversations.
    pub conversations: bool,
}

impl Sticky {
    /// The version goes first: the bytes are read with the code pages that wrote them.
    pub fn to_bytes(&self, version: ProtocolVersion) -> Vec<u8> {
        let mode = self
            .conversations
            .then(|| Element::flag(airsync::CONVERSATION_MODE, true));
        let children = self.supported.iter().chain(&self.options).cloned().chain(mode);
        let mut bytes = vec![version.code()];
        bytes.extend(wbxml::encode(&Element::parent(airsync::COLLECTION, children), version));
        bytes
    }

    /// Bytes that cannot be read are as if the device had never asked for anything.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let document = bytes.get(1..).unwrap_or_default();
        let Ok(collection) = wbxml::decode(document, &wbxml::Limits::default()) else {
            return Self::default();
        };
        Self {
            supported: collection.child(airsync::SUPPORTED).cloned(),
            options: collection.children_of(airsync::OPTIONS).cloned().collect(),
            conversations: collection.child(airsync::CONVERSATION_MODE).is_some(),
        }
    }

    /// Takes new blocks of options in: each replaces the one of its class as a whole.
    pub fn replace(&mut self, new: Vec<Element>, class: Class) {
        let is_renewed = |old: &Element| new.iter().any(|new| class_in(new, class) == class_in(old, class));
        self.options.retain(|old| !is_renewed(old));
        self.options.splice(0..0, new);
    }
}

/// The class that a block of options is about: where it does not say so, that of its folder.
fn class_in(block: &Element, class: Class) -> &str {
    match block.child_text(airsync::CLASS) {
        Some(name) => name.trim(),
        None => class.name(),
    }
}

/// [MS-ASCMD] Options: "Two Options blocks only for Email and SMS"; twice the same class is refused as well.
fn check_blocks(blocks: &[Element], class: Class) -> Result<(), Invalid> {
    let mut classes: Vec<&str> = blocks.iter().map(|block| class_in(block, class)).collect();
    classes.sort_unstable();
    match classes.as_slice() {
        [] | [_] => Ok(()),
        [first, second] if *first == Class::Email.name() && *second == TEXT_MESSAGE => Ok(()),
        _ => Err(Invalid),
    }
}

/// The server's own limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub mail_age: Option<Duration>,
    /// The newest so many items of a folder are synced.
    pub objects_per_folder: usize,
    /// How many deletions of a device are no accident.
    pub deletions: brake::Limits,
}

/// The options of one collection, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub filter_type: u8,
    pub policy: Policy,
    pub bodies: BodyOptions,
    pub ghosted: Ghosted,
    /// The filter takes in whole conversations.
    pub conversations: bool,
}

/// An option has a value that the documents do not allow: Status 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

impl Options {
    pub fn read(sticky: &Sticky, class: Class, version: ProtocolVersion) -> Result<Self, Invalid> {
        let mut options = Self {
            ghosted: ghosted(sticky.supported.as_ref(), class, version),
            conversations: sticky.conversations && class == Class::Email,
            ..Self::default()
        };
        if class == Class::Email {
            options.policy = Policy::Merge;
        }
        check_blocks(&sticky.options, class)?;
        let of_class = |block: &&Element| class_in(block, class) == class.name();
        let Some(block) = sticky.options.iter().find(of_class) else {
            return Ok(options);
        };
        if let Some(code) = number(block, airsync::FILTER_TYPE)? {
            options.filter_type = u8::try_from(code).map_err(|_| Invalid)?;
            check_filter(options.filter_type, class)?;
        }
        match number(block, airsync::CONFLICT)? {
            Some(0) if class != Class::Email => options.policy = Policy::DeviceWins,
            None | Some(0 | 1) => {}
            Some(_) => return Err(Invalid),
        }
        options.bodies = bodies(block)?;
        Ok(options)
    }

    /// Which items the device gets now: what it wants, within the server's own limits.
    pub fn filter(&self, class: Class, limits: &Limits, now: i64) -> Filter {
        let of_device = FILTER_DAYS
            .iter()
            .find(|(code, _)| *code == self.filter_type)
            .map(|(_, days)| days * DAY);
        let of_server = limits
            .mail_age
            .filter(|_| class == Class::Email)
            .and_then(|age| i64::try_from(age.as_millis()).ok());
        let age = match class {
            Class::Email | Class::Calendar => of_device.into_iter().chain(of_server).min(),
            Class::Contacts | Class::Tasks => None,
        };
        // Whole days of UTC, so that the window moves once a day and not with every request.
        let midnight = now - now.rem_euclid(DAY);
        Filter {
            since: age.map(|age| midnight - age),
            open_only: class == Class::Tasks && self.filter_type == INCOMPLETE_TASKS,
            also: Arc::default(),
            most: Some(limits.objects_per_folder),
        }
    }
}

/// [MS-ASCMD] FilterType: the values a class allows. Contacts ignore it.
fn check_filter(filter_type: u8, class: Class) -> Result<(), Invalid> {
    let allowed = match class {
        Class::Email => filter_type <= 5,
        Class::Calendar => matches!(filter_type, 0 | 4..=7),
        Class::Tasks => matches!(filter_type, 0 | INCOMPLETE_TASKS),
        Class::Contacts => true,
    };
    if allowed { Ok(()) } else { Err(Invalid) }
}

fn ghosted(supported: Option<&Element>, class: Class, version: ProtocolVersion) -> Ghosted {
    match supported {
        _ if class == Class::Calendar && CALENDAR_GHOSTED.contains(version) => Ghosted::Everything,
        Some(supported) => Ghosted::AllBut(supported.children().iter().map(|child| child.tag).collect()),
        None => Ghosted::Nothing,
    }
}

/// The part of an Options block that is about bodies; ItemOperations has the same.
pub fn bodies(block: &Element) -> Result<BodyOptions, Invalid> {
    let mut bodies = BodyOptions::default();
    for preference in block.children_of(airsyncbase::BODY_PREFERENCE) {
        let preference = body_preference(preference)?;
        if bodies.preferences.iter().any(|other| other.kind == preference.kind) {
            return Err(Invalid);
        }
        bodies.preferences.push(preference);
    }
    bodies.part = block
        .child(airsyncbase::BODY_PART_PREFERENCE)
        .map(body_preference)
        .transpose()?;
    let code = |tag| Ok(number(block, tag)?.and_then(|code| u8::try_from(code).ok()));
    bodies.mime_support = code(airsync::MIME_SUPPORT)?.unwrap_or(0);
    bodies.truncation = code(airsync::TRUNCATION)?.and_then(|code| limit(&TRUNCATION, code));
    bodies.mime_truncation = code(airsync::MIME_TRUNCATION)?.and_then(|code| limit(&MIME_TRUNCATION, code));
    Ok(bodies)
}

/// [MS-ASAIRS] BodyPartPreference: "only Type 2". Another has a Status of its own.
pub fn check_body_part(block: &Element) -> Result<(), Error> {
    let asked = block.child(airsyncbase::BODY_PART_PREFERENCE);
    let kind = asked.map(|asked| asked.child_text(airsyncbase::TYPE).map(str::trim));
    match kind {
        None | Some(Some("2")) => Ok(()),
        Some(_) => Err(Error::Device(
            Status::BODY_PART_PREFERENCE_TYPE_NOT_SUPPORTED,
            "BodyPart of another type than HTML",
        )),
    }
}

fn body_preference(element: &Element) -> Result<BodyPreference, Invalid> {
    let kind = number(element, airsyncbase::TYPE)?
        .and_then(BodyType::from_code)
        .ok_or(Invalid)?;
    let truncation_size = number(element, airsyncbase::TRUNCATION_SIZE)?;
    let preview = number(element, airsyncbase::PREVIEW)?;
    Ok(BodyPreference {
        kind,
        truncation_size: truncation_size.map(|size| u64::try_from(size).unwrap_or(0)),
        all_or_none: match element.child_text(airsyncbase::ALL_OR_NONE).map(str::trim) {
            None | Some("0") => false,
            // An empty boolean is true.
            Some("" | "1") => true,
            Some(_) => return Err(Invalid),
        },
        preview: preview.map(|length| u8::try_from(length.clamp(0, 255)).unwrap_or(u8::MAX)),
    })
}

fn limit(table: &[(u8, u64)], code: u8) -> Option<u64> {
    table.iter().find(|(known, _)| *known == code).map(|(_, bytes)| *bytes)
}

/// The number in a child; an element without content is no number.
fn number(parent: &Element, tag: wbxml::Tag) -> Result<Option<i64>, Invalid> {
    match parent.child_text(tag).map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Invalid),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: i64 = 20_000 * DAY + DAY / 2;

    fn limits(mail_age: Option<Duration>) -> Limits {
        Limits {
            mail_age,
            objects_per_folder: usize::MAX,
            deletions: brake::Limits { items: 50, percent: 20 },
        }
    }

    fn block(children: Vec<Element>) -> Sticky {
        Sticky {
            options: vec![Element::parent(airsync::OPTIONS, children)],
            ..Sticky::default()
        }
    }

    proptest! {
        /// What stands in a state is understood, or as if nothing had been asked for.
        #[test]
        fn any_bytes_are_survived(
            bytes in prop::collection::vec(any::<u8>(), 0..60), filter in any::<u8>(), at in any::<prop::sample::Index>(),
        ) {
            let sticky = block(vec![Element::text(airsync::FILTER_TYPE, filter.to_string())]);
            let version = ProtocolVersion::V14_1;
            prop_assert_eq!(&Sticky::from_bytes(&sticky.to_bytes(version)), &sticky);
            let mut damaged = sticky.to_bytes(version);
            let at = at.index(damaged.len());
            damaged.splice(at.., bytes.iter().copied());
            for bytes in [bytes, damaged] {
                let read = Sticky::from_bytes(&bytes);
                for class in Class::ALL {
                    let _ = Options::read(&read, class, version);
                }
            }
        }
    }

    #[test]
    fn filters_move_at_midnight() {
        let filter = |class, filter_type, server| {
            let options = Options {
                filter_type,
                ..Options::default()
            };
            options
                .filter(class, &limits(server), NOON)
                .since
                .map(|since| (NOON - DAY / 2 - since) / DAY)
        };
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        // class, FilterType, limit of the server, days before today
        let cases = [
            (Class::Email, 0, None, None),
            (Class::Email, 2, None, Some(3)),
            (Class::Email, 5, days(3), Some(3)),
            (Class::Email, 0, days(3), Some(3)),
            (Class::Email, 1, days(3), Some(1)),
            (Class::Calendar, 4, days(3), Some(14)),
            (Class::Contacts, 4, None, None),
            (Class::Tasks, 8, None, None),
        ];
        for (class, filter_type, server, expected) in cases {
            assert_eq!(filter(class, filter_type, server), expected, "{class:?} {filter_type}");
        }
        assert!(
            Options {
                filter_type: 8,
                ..Options::default()
            }
            .filter(Class::Tasks, &limits(None), NOON)
            .open_only
        );
    }

    #[test]
    fn values_that_are_not_allowed() {
        let text = |tag, text: &str| Element::text(tag, text);
        let preference = |children| Element::parent(airsyncbase::BODY_PREFERENCE, children);
        // class, options, allowed
        let cases = [
            (Class::Email, vec![text(airsync::FILTER_TYPE, "5")], true),
            (Class::Email, vec![text(airsync::FILTER_TYPE, "6")], false),
            (Class::Calendar, vec![text(airsync::FILTER_TYPE, "7")], true),
            (Class::Calendar, vec![text(airsync::FILTER_TYPE, "1")], false),
            (Class::Tasks, vec![text(airsync::FILTER_TYPE, "8")], true),
            (Class::Contacts, vec![text(airsync::FILTER_TYPE, "3")], true),
            (Class::Email, vec![text(airsync::FILTER_TYPE, "x")], false),
            (Class::Calendar, vec![text(airsync::CONFLICT, "1")], true),
            (Class::Calendar, vec![text(airsync::CONFLICT, "2")], false),
            (
                Class::Email,
                vec![preference(vec![text(airsyncbase::TYPE, "5")])],
                false,
            ),
            (Class::Email, vec![preference(vec![text(airsyncbase::TYPE, "1")])], true),
            (
                Class::Email,
                vec![
                    preference(vec![text(airsyncbase::TYPE, "1")]),
                    preference(vec![text(airsyncbase::TYPE, "1")]),
                ],
                false,
            ),
        ];
        for (class, children, allowed) in cases {
            let read = Options::read(&block(children.clone()), class, ProtocolVersion::V14_1);
            assert_eq!(read.is_ok(), allowed, "{class:?} {children:?}");
        }
    }

    /// A block for the class of the folder, or for the one that it names.
    fn block_of(class: Option<&str>, filter: &str) -> Element {
        let class = class.map(|class| Element::text(airsync::CLASS, class));
        let filter = Element::text(airsync::FILTER_TYPE, filter);
        Element::parent(airsync::OPTIONS, class.into_iter().chain([filter]))
    }

    #[test]
    fn blocks_of_two_classes() {
        let block = |class| block_of(class, "0");
        // class of the folder, classes of the blocks, allowed
        let cases: [(Class, &[Option<&str>], bool); 8] = [
            (Class::Email, &[None, Some("SMS")], true),
            (Class::Email, &[Some("SMS"), Some("Email")], true),
            (Class::Email, &[Some("SMS")], true),
            (Class::Email, &[None, Some("Email")], false),
            (Class::Email, &[None, None], false),
            (Class::Email, &[Some("Email"), Some("Calendar")], false),
            (Class::Contacts, &[None, Some("SMS")], false),
            (Class::Email, &[None, Some("SMS"), Some("SMS")], false),
        ];
        for (class, classes, allowed) in cases {
            let sticky = Sticky {
                options: classes.iter().copied().map(block).collect(),
                ..Sticky::default()
            };
            let read = Options::read(&sticky, class, ProtocolVersion::V14_1);
            assert_eq!(read.is_ok(), allowed, "{class:?} {classes:?}");
        }
    }

    #[test]
    fn a_block_replaces_the_one_of_its_class() {
        let mut sticky = block(vec![Element::text(airsync::FILTER_TYPE, "2")]);
        sticky.replace(vec![block_of(Some("SMS"), "5")], Class::Email);
        let filter = |sticky: &Sticky| {
            Options::read(sticky, Class::Email, ProtocolVersion::V14_1)
                .unwrap()
                .filter_type
        };
        assert_eq!((sticky.options.len(), filter(&sticky)), (2, 2));
        sticky.replace(vec![block_of(Some("Email"), "3")], Class::Email);
        assert_eq!((sticky.options.len(), filter(&sticky)), (2, 3));
        sticky.replace(vec![Element::empty(airsync::OPTIONS)], Class::Email);
        assert_eq!((sticky.options.len(), filter(&sticky)), (2, 0));
    }

    #[test]
    fn options_survive_in_the_state() {
        let sticky = Sticky {
            supported: Some(Element::empty(airsync::SUPPORTED)),
            options: vec![Element::parent(
                airsync::OPTIONS,
                [
                    Element::text(airsync::TRUNCATION, "4"),
                    Element::text(airsync::CONFLICT, "0"),
                ],
            )],
            conversations: false,
        };
        let read = Sticky::from_bytes(&sticky.to_bytes(ProtocolVersion::V2_5));
        assert_eq!(read, sticky);
        let options = Options::read(&read, Class::Calendar, ProtocolVersion::V2_5).unwrap();
        assert_eq!(options.bodies.truncation, Some(5120));
        assert_eq!(options.policy, Policy::DeviceWins);
        assert_eq!(options.ghosted, Ghosted::AllBut(Vec::new()));
        assert_eq!(Sticky::from_bytes(b""), Sticky::default());
    }
}
