//! The properties of an appointment: one row a tag, in the order they are sent.
//!
//! A row says how a tag is shown, whether exceptions have it, and who decides about it. Which version has a tag at all
//! stands in the code pages. Properties that make sense only together (times, people, the pattern) are shown by their
//! rows and read elsewhere. Implements [MS-ASCAL] "Elements" and [MS-ASAIRS] Body and Location in calendar items.

use crate::content::BodyType;
use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::body;
use crate::content::body::LegacyBody;
use crate::content::calendar::attendees::People;
use crate::content::calendar::attendees::Role;
use crate::content::calendar::attendees::confirmation;
use crate::content::calendar::times::Clock;
use crate::content::calendar::times::Times;
use crate::content::date;
use crate::content::recurrence;
use crate::content::recurrence::Recurrence;
use crate::content::text;
use crate::content::typed::line;
use crate::content::typed::number;
use crate::content::typed::unusable;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::Text;
use crate::ox::columns::calendar as columns;
use crate::ox::columns::common;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V14_0;
use crate::version::ProtocolVersion::V14_1;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::calendar;

/// OX refuses an appointment without a title.
pub(super) const NO_TITLE: &str = "(No title)";
/// OX's `alarm` of an appointment without one, when writing.
const NO_ALARM: i64 = -1;
/// [MS-ASCAL] Category: at most so many.
const MOST_CATEGORIES: usize = 300;

/// The tags of the body in 2.5.
pub(super) const LEGACY_BODY: LegacyBody = LegacyBody {
    body: calendar::BODY,
    size: None,
    truncated: calendar::BODY_TRUNCATED,
};

/// OX's `shown_as` and BusyStatus. Somebody working elsewhere is not in the way of a meeting, so counts as free.
const BUSY_STATUS: [(i64, i64); 5] = [
    (shown_as::RESERVED, busy_status::BUSY),
    (shown_as::TEMPORARY, busy_status::TENTATIVE),
    (shown_as::ABSENT, busy_status::OUT_OF_OFFICE),
    (shown_as::FREE, busy_status::FREE),
    (shown_as::FREE, busy_status::WORKING_ELSEWHERE),
];

/// `shown_as` of an appointment whose BusyStatus nobody has said.
pub(super) const SHOWN_AS_BUSY: i64 = shown_as::RESERVED;

pub(super) mod shown_as {
    pub(in crate::content::calendar) const RESERVED: i64 = 1;
    pub(in crate::content::calendar) const TEMPORARY: i64 = 2;
    pub(in crate::content::calendar) const ABSENT: i64 = 3;
    pub(in crate::content::calendar) const FREE: i64 = 4;
}

mod busy_status {
    pub(super) const FREE: i64 = 0;
    pub(super) const TENTATIVE: i64 = 1;
    pub(super) const BUSY: i64 = 2;
    pub(super) const OUT_OF_OFFICE: i64 = 3;
    pub(super) const WORKING_ELSEWHERE: i64 = 4;
}

/// OX's `private_flag` and Sensitivity: normal, private; personal hides nothing, confidential does.
const SENSITIVITY: [(bool, i64); 4] = [(false, 0), (true, 2), (false, 1), (true, 3)];

/// An appointment, or an exception, with all that showing it takes.
pub(super) struct Item<'a> {
    pub(super) object: &'a Object,
    pub(super) times: Times,
    pub(super) clock: Clock,
    pub(super) people: People,
    pub(super) context: &'a Context<'a>,
}

impl<'a> Item<'a> {
    pub(super) fn new(object: &'a Object, context: &'a Context<'a>) -> Result<Self, Unconvertible> {
        Ok(Self {
            object,
            times: Times::of(object)?,
            clock: Clock::of(object, context),
            people: People::of(object, context.user),
            context,
        })
    }

    /// The pattern of a series, as a device sees it. Some servers repeat it in the changed occurrences; one of those
    /// that is an item of its own, because the user takes no part in its series, is a single appointment.
    pub(super) fn recurrence(&self) -> Option<Recurrence> {
        if self.object.date(columns::RECURRENCE_DATE_POSITION).is_some() {
            return None;
        }
        Recurrence::from_ox(self.object).map(|recurrence| recurrence.shown(&recurrence::CALENDAR))
    }

    /// What is shown for a row, if the version of the device has it.
    pub(super) fn shown(&self, property: &Property) -> Option<Element> {
        property
            .exists_in(self.context.version)
            .then(|| (property.to_eas)(self))
            .flatten()
    }
}

/// One row.
pub(super) struct Property {
    pub(super) tag: Tag,
    to_eas: fn(&Item<'_>) -> Option<Element>,
    /// The versions in which exceptions have it.
    exceptions: Option<VersionRange>,
    /// The versions in which an exception that lacks it says so by an empty tag.
    emptied: Option<VersionRange>,
    pub(super) reading: Reading,
}

/// How a row is read.
pub(super) enum Reading {
    /// By itself: writes fields, clears them for an empty element. `kept` if omitting it does not clear it.
    Alone {
        to_ox: fn(&Element, &mut Object) -> Result<(), Unconvertible>,
        kept: bool,
    },
    /// With others, elsewhere.
    Together,
    /// What devices say about it does not count.
    Never,
}

impl Property {
    const fn new(tag: Tag, to_eas: fn(&Item<'_>) -> Option<Element>) -> Self {
        Self {
            tag,
            to_eas,
            exceptions: None,
            emptied: None,
            reading: Reading::Never,
        }
    }

    const fn in_exceptions(mut self, versions: VersionRange) -> Self {
        self.exceptions = Some(versions);
        self
    }

    const fn emptied(mut self, versions: VersionRange) -> Self {
        self.emptied = Some(versions);
        self
    }

    const fn together(mut self) -> Self {
        self.reading = Reading::Together;
        self
    }

    const fn read(mut self, to_ox: fn(&Element, &mut Object) -> Result<(), Unconvertible>) -> Self {
        self.reading = Reading::Alone { to_ox, kept: false };
        self
    }

    const fn read_but_kept(mut self, to_ox: fn(&Element, &mut Object) -> Result<(), Unconvertible>) -> Self {
        self.reading = Reading::Alone { to_ox, kept: true };
        self
    }

    pub(super) fn exists_in(&self, version: ProtocolVersion) -> bool {
        codepage::token(self.tag).is_some_and(|token| token.versions.contains(version))
    }

    pub(super) fn is_in_exceptions(&self, version: ProtocolVersion) -> bool {
        self.exists_in(version) && self.exceptions.is_some_and(|versions| versions.contains(version))
    }

    /// The tag of an exception that lacks what its series has.
    pub(super) fn removed(&self, version: ProtocolVersion) -> Option<Element> {
        let says_so = self.emptied.is_some_and(|versions| versions.contains(version));
        says_so.then(|| Element::empty(self.tag))
    }
}

const ALL: VersionRange = VersionRange::ALL;
/// [MS-ASCAL] AllDayEvent: from 16.0 on exceptions have that of their series.
pub(super) const OWN_ALL_DAY: VersionRange = VersionRange::until(V14_1);
const SINCE_14_0: VersionRange = VersionRange::since(V14_0);

/// All rows but Exceptions, in the order they are sent.
pub(super) const PROPERTIES: [Property; 25] = [
    Property::new(calendar::TIMEZONE, |item| {
        let blob = item.clock.blob(&item.times)?;
        Some(Element::text(calendar::TIMEZONE, blob))
    })
    .together(),
    Property::new(calendar::DT_STAMP, |item| {
        let modified = item.object.time(common::LAST_MODIFIED);
        let modified = modified.or_else(|| item.object.timestamp(common::LAST_MODIFIED_UTC))?;
        Some(Element::text(calendar::DT_STAMP, date::compact(modified)))
    })
    .in_exceptions(ALL),
    Property::new(calendar::START_TIME, |item| {
        let text = item.clock.write(item.times.all_day, item.times.start);
        Some(Element::text(calendar::START_TIME, text))
    })
    .in_exceptions(ALL)
    .together(),
    Property::new(calendar::SUBJECT, |item| {
        shown_text(calendar::SUBJECT, item, columns::TITLE)
    })
    .in_exceptions(ALL)
    .read_but_kept(|element, fields| {
        fields.set(columns::TITLE, line(element).unwrap_or_else(|| NO_TITLE.to_owned()));
        Ok(())
    }),
    Property::new(calendar::UID, |item| shown_text(calendar::UID, item, common::UID)),
    Property::new(calendar::ORGANIZER_NAME, |item| {
        item.people.organizer_name(item.context.user)
    }),
    Property::new(calendar::ORGANIZER_EMAIL, |item| {
        item.people.organizer_email(item.context.user)
    }),
    Property::new(calendar::ATTENDEES, |item| item.people.attendees())
        .in_exceptions(SINCE_14_0)
        .together(),
    // Up to 14.1, and from 16.0 on; the code pages say so.
    Property::new(calendar::LOCATION, |item| {
        shown_text(calendar::LOCATION, item, columns::LOCATION)
    })
    .in_exceptions(ALL)
    .emptied(SINCE_14_0)
    .read(|element, fields| {
        fields.set(columns::LOCATION, line(element));
        Ok(())
    }),
    Property::new(airsyncbase::LOCATION, |item| {
        let name = shown_text(airsyncbase::DISPLAY_NAME, item, columns::LOCATION)?;
        Some(Element::parent(airsyncbase::LOCATION, [name]))
    })
    .in_exceptions(ALL)
    .emptied(SINCE_14_0)
    .read(|element, fields| {
        fields.set(columns::LOCATION, place(element));
        Ok(())
    }),
    Property::new(calendar::END_TIME, |item| {
        let text = item.clock.write(item.times.all_day, item.times.end);
        Some(Element::text(calendar::END_TIME, text))
    })
    .in_exceptions(ALL)
    .together(),
    Property::new(calendar::RECURRENCE, |item| {
        let recurrence = item.recurrence()?;
        Some(recurrence.to_eas(&recurrence::CALENDAR, |day| item.clock.write_until(day, &item.times)))
    })
    .together(),
    Property::new(calendar::CATEGORIES, |item| {
        let categories = item.object.text(common::CATEGORIES)?.split(',').map(str::trim);
        let categories = categories.filter(|name| !name.is_empty()).take(MOST_CATEGORIES);
        let children: Vec<Element> = categories.map(|name| Element::text(calendar::CATEGORY, name)).collect();
        (!children.is_empty()).then(|| Element::parent(calendar::CATEGORIES, children))
    })
    .in_exceptions(ALL)
    .emptied(SINCE_14_0)
    .read(|element, fields| {
        // OX separates categories by commas.
        let names = element.children_of(calendar::CATEGORY).filter_map(line);
        let names: Vec<String> = names.map(|name| name.replace(',', " ")).collect();
        fields.set(common::CATEGORIES, (!names.is_empty()).then(|| names.join(", ")));
        Ok(())
    }),
    Property::new(airsyncbase::BODY, |item| body_element(item, airsyncbase::BODY))
        .in_exceptions(ALL)
        .together(),
    Property::new(calendar::BODY, |item| body_element(item, calendar::BODY))
        .in_exceptions(ALL)
        .together(),
    Property::new(calendar::BODY_TRUNCATED, |item| {
        body_element(item, calendar::BODY_TRUNCATED)
    })
    .in_exceptions(ALL),
    Property::new(calendar::SENSITIVITY, |item| {
        // Lists of some servers lack the flag; then nothing is private, and a device that says so has changed nothing.
        let private = item.object.flag(common::PRIVATE_FLAG).unwrap_or(false);
        let (_, code) = SENSITIVITY.iter().find(|(flag, _)| *flag == private)?;
        Some(Element::number(calendar::SENSITIVITY, *code))
    })
    .in_exceptions(ALL)
    .read(|element, fields| {
        let code = number(element)?.unwrap_or(0);
        let known = SENSITIVITY.iter().find(|(_, eas)| *eas == code);
        let (private, _) = known.ok_or_else(|| unusable(calendar::SENSITIVITY))?;
        fields.set(common::PRIVATE_FLAG, *private);
        Ok(())
    }),
    Property::new(calendar::BUSY_STATUS, |item| {
        Some(Element::number(calendar::BUSY_STATUS, busy_status(item)))
    })
    .in_exceptions(ALL)
    .read_but_kept(|element, fields| {
        let code = number(element)?.unwrap_or(busy_status::BUSY);
        let known = BUSY_STATUS.iter().find(|(_, eas)| *eas == code);
        let (ox, _) = known.ok_or_else(|| unusable(calendar::BUSY_STATUS))?;
        fields.set(columns::SHOWN_AS, *ox);
        Ok(())
    }),
    Property::new(calendar::ALL_DAY_EVENT, |item| {
        Some(Element::flag(calendar::ALL_DAY_EVENT, item.times.all_day))
    })
    .in_exceptions(VersionRange::until(V14_1))
    .together(),
    Property::new(calendar::REMINDER, |item| {
        let minutes = item.object.number(columns::ALARM).filter(|minutes| *minutes >= 0)?;
        Some(Element::number(calendar::REMINDER, minutes))
    })
    .in_exceptions(ALL)
    .emptied(VersionRange::since(V14_1))
    .read(|element, fields| {
        let minutes = number(element)?.unwrap_or(NO_ALARM);
        if minutes < NO_ALARM {
            return Err(unusable(calendar::REMINDER));
        }
        fields.set(columns::ALARM, minutes);
        Ok(())
    }),
    Property::new(calendar::MEETING_STATUS, |item| {
        Some(Element::number(calendar::MEETING_STATUS, item.people.meeting_status()))
    })
    .in_exceptions(ALL),
    Property::new(calendar::RESPONSE_REQUESTED, |item| {
        Some(Element::flag(calendar::RESPONSE_REQUESTED, item.people.is_meeting))
    }),
    Property::new(calendar::DISALLOW_NEW_TIME_PROPOSAL, |_| {
        Some(Element::flag(calendar::DISALLOW_NEW_TIME_PROPOSAL, false))
    }),
    Property::new(calendar::RESPONSE_TYPE, |item| {
        Some(Element::number(calendar::RESPONSE_TYPE, item.people.response_type()))
    })
    .in_exceptions(SINCE_14_0),
    Property::new(airsyncbase::NATIVE_BODY_TYPE, |item| {
        item.object.text(columns::NOTE)?;
        Some(Element::number(airsyncbase::NATIVE_BODY_TYPE, BodyType::Plain as i64))
    }),
];

/// One of the elements of the body. An exception without text is not said to lack it: an empty body makes Windows
/// Phone fail.
fn body_element(item: &Item<'_>, tag: Tag) -> Option<Element> {
    let elements = body::plain(item.object.text(columns::NOTE), item.context.bodies, LEGACY_BODY);
    elements.into_iter().find(|element| element.tag == tag)
}

/// An invitation that is not accepted yet takes its time only tentatively.
fn busy_status(item: &Item<'_>) -> i64 {
    let shown_as = item.object.number(columns::SHOWN_AS);
    let known = BUSY_STATUS.iter().find(|(ox, _)| Some(*ox) == shown_as);
    let code = known.map_or(busy_status::BUSY, |(_, eas)| *eas);
    let unanswered = [confirmation::NONE, confirmation::TENTATIVE];
    match item.people.role {
        Role::Attendee { confirmation } if code == busy_status::BUSY && unanswered.contains(&confirmation) => {
            busy_status::TENTATIVE
        }
        _ => code,
    }
}

/// One line out of a Location: its name, or else its address.
fn place(location: &Element) -> Option<String> {
    let part = |tag| location.child(tag).and_then(line);
    if let Some(name) = part(airsyncbase::DISPLAY_NAME) {
        return Some(name);
    }
    let city = [airsyncbase::POSTAL_CODE, airsyncbase::CITY].map(part);
    let city: Vec<String> = city.into_iter().flatten().collect();
    let lines = [
        part(airsyncbase::STREET),
        (!city.is_empty()).then(|| city.join(" ")),
        part(airsyncbase::STATE),
        part(airsyncbase::COUNTRY),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// An element with the clean text of a column.
fn shown_text(tag: Tag, item: &Item<'_>, column: Column<Text>) -> Option<Element> {
    let text = text::line(item.object.text(column)?);
    (!text.is_empty()).then(|| Element::text(tag, text))
}
