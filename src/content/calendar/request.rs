//! What a device wants, as changes of OX's objects.
//!
//! One rule decides what is written: a change the device could not see is no change. Each wanted value is compared with
//! what the device was shown of the present one, so that whatever the showing loses stays as it is in OX, and an item
//! that comes back unchanged writes nothing. That matters: OX deletes all exceptions of a series whose pattern or start
//! is written. Implements [MS-ASCAL] as far as requests go, and [MS-ASCMD] Supported.

use crate::content::Context;
use crate::content::Ghosted;
use crate::content::Unconvertible;
use crate::content::User;
use crate::content::calendar::attendees;
use crate::content::calendar::attendees::People;
use crate::content::calendar::attendees::Role;
use crate::content::calendar::exceptions;
use crate::content::calendar::exceptions::Exceptions;
use crate::content::calendar::note;
use crate::content::calendar::properties::Item;
use crate::content::calendar::properties::NO_TITLE;
use crate::content::calendar::properties::PROPERTIES;
use crate::content::calendar::properties::Property;
use crate::content::calendar::properties::Reading;
use crate::content::calendar::properties::SHOWN_AS_BUSY;
use crate::content::calendar::times::Clock;
use crate::content::calendar::times::Times;
use crate::content::recurrence;
use crate::content::recurrence::Recurrence;
use crate::content::typed;
use crate::content::typed::unusable;
use crate::ox::Object;
use crate::ox::columns::calendar as columns;
use crate::ox::columns::common;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V14_1;
use crate::version::ProtocolVersion::V16_0;
use crate::version::VersionRange;
use crate::wbxml::Content;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::calendar;

/// The versions in which a device gives a new item its UID and organizer; later the server does.
const DEVICE_NAMES_ITEMS: VersionRange = VersionRange::until(V14_1);

/// [MS-ASCAL] UID.
const LONGEST_UID: usize = 300;

/// [MS-ASCAL] The versions in which the server tells the people of a meeting; before, devices send them mails of their own,
/// and a second one from OX would be one too many.
const SERVER_MAILS: VersionRange = VersionRange::since(V16_0);

/// Columns that are the user's own business: nobody is told of them.
const OWN: [&str; 4] = ["alarm", "categories", "private_flag", "shown_as"];

/// What to write for one item. Empty if the device has changed nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Write {
    /// For `new`, or for `update` of the master; without `folder_id` and `ignore_conflicts`.
    pub fields: Object,
    /// After the fields: single occurrences, in the order sent.
    pub occurrences: Vec<Occurrence>,
    /// Something was left out because the user may not change it, or because it is unusable in an exception: the
    /// device should be sent the item as it is.
    pub refused: bool,
}

/// A change of one occurrence of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// As in `recurrence_date_position`: 00:00 UTC of the day on which it would begin had nobody moved it.
    pub day: i64,
    pub change: OccurrenceChange,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OccurrenceChange {
    /// It does not take place; an object of its own is deleted with it.
    Deleted,
    /// The fields to write: to its own object if it has one, else with `recurrence_date_position` to the master.
    Changed(Object),
}

/// Reads an Add (`current` is `None`) or a Change of an item whose master and changed occurrences are `current`.
pub fn to_ox(
    application_data: &Element,
    current: Option<(&Object, &[Object])>,
    ghosted: &Ghosted,
    context: &Context<'_>,
) -> Result<Write, Unconvertible> {
    match current {
        None => add(application_data, context),
        Some((master, exceptions)) => change(application_data, master, exceptions, ghosted, context),
    }
}

/// Reads a Change (or a Delete, without `application_data`) of the occurrence that `InstanceId` names. Its fields are
/// empty if it changes nothing.
pub fn instance_to_ox(
    instance_id: &str,
    application_data: Option<&Element>,
    current: (&Object, &[Object]),
    context: &Context<'_>,
) -> Result<Occurrence, Unconvertible> {
    let master = Item::new(current.0, context)?;
    if master.recurrence().is_none() {
        return Err(Unconvertible("InstanceId for an item that is no series".to_owned()));
    }
    let day = master.clock.read_occurrence(instance_id, &master.times);
    let day = day.ok_or_else(|| unusable(airsyncbase::INSTANCE_ID))?;
    let Some(request) = application_data else {
        let change = OccurrenceChange::Deleted;
        return Ok(Occurrence { day, change });
    };
    let stored = Exceptions::of(&master, current.1);
    let series = Series {
        before: &master,
        after: &master,
        stored: &stored,
    };
    let fields = series.occurrence(request, day, Inheritance::Keep)?;
    let (mut fields, _) = permitted(fields, master.people.role);
    notify(&mut fields, &master.people, context.version);
    let change = OccurrenceChange::Changed(fields);
    Ok(Occurrence { day, change })
}

fn add(request: &Element, context: &Context<'_>) -> Result<Write, Unconvertible> {
    let user = context.user;
    let clock = Clock::of(&Object::new(), context).requested(request, context.now);
    let times = clock.times(request, None, context.now)?;
    let mut fields = Object::new();
    fields.set(columns::TITLE, NO_TITLE);
    fields.set(columns::SHOWN_AS, SHOWN_AS_BUSY);
    times.to_ox(&mut fields);
    if let Some(name) = &clock.name {
        fields.set(columns::TIMEZONE, name.as_str());
    }
    let edits = edited(request, &Item::new(&fields, context)?, |_, _| Omitted::Keep)?;
    let mut fields = merged(&fields, &edits);
    if let Some(element) = pattern_element(request) {
        let read_until = |text: &str| clock.read_until(text, &times);
        Recurrence::from_eas(element, &recurrence::CALENDAR, read_until)?.to_ox(&mut fields);
    }
    fields.set(columns::PARTICIPANTS, attendees::new_participants(request, user));
    if DEVICE_NAMES_ITEMS.contains(context.version) {
        name_item(request, user, &mut fields);
    }
    let mut map = fields.into_map();
    map.retain(|_, value| !value.is_null());
    let mut fields = Object::from_map(map);

    let master = Item {
        clock,
        ..Item::new(&fields, context)?
    };
    let stored = Exceptions::default();
    let series = Series {
        before: &master,
        after: &master,
        stored: &stored,
    };
    let (occurrences, unusable) = series.occurrences(request);
    let people = master.people.clone();
    let refused = unusable | only_public_meetings(&mut fields, people.is_meeting);
    notify(&mut fields, &people, context.version);
    Ok(Write {
        fields,
        occurrences,
        refused,
    })
}

/// UID and organizer as the device says.
fn name_item(request: &Element, user: &User, fields: &mut Object) {
    if let Some(organizer) = attendees::foreign_organizer(request, user) {
        fields.set(columns::ORGANIZER, organizer);
    }
    let uid = request.child_text(calendar::UID).map(str::trim).unwrap_or_default();
    if !uid.is_empty() && uid.chars().count() <= LONGEST_UID {
        fields.set(common::UID, uid);
    }
}

fn change(
    request: &Element,
    object: &Object,
    objects: &[Object],
    ghosted: &Ghosted,
    context: &Context<'_>,
) -> Result<Write, Unconvertible> {
    let before = Item::new(object, context)?;
    let clock = before.clock.requested(request, context.now);
    let keeps = keeps_omitted(request, ghosted);
    let omitted = |_: &Property, kept: bool| {
        if kept || keeps {
            Omitted::Keep
        } else {
            Omitted::Become(None)
        }
    };
    let mut fields = edited(request, &before, omitted)?;

    let times = clock.times(request, Some(&before.times), context.now)?;
    let is_moved = times != before.times;
    if is_moved {
        times.to_ox(&mut fields);
    }
    let pattern = changed_pattern(request, &before, &clock, &times, keeps)?;
    let is_repatterned = pattern.is_some();
    match pattern {
        Some(Some(recurrence)) => recurrence.to_ox(&mut fields),
        Some(None) => Recurrence::clear(&mut fields),
        None => {}
    }
    // Devices name the zone they are in, also for what they leave alone; only with new times it counts.
    let is_rezoned = (is_moved || is_repatterned) && !times.all_day && clock.name != before.clock.name;
    if is_rezoned && let Some(name) = &clock.name {
        fields.set(columns::TIMEZONE, name.as_str());
    }
    let (mut fields, mut refused) = permitted(fields, before.people.role);

    let changed = merged(object, &fields);
    let mut after = Item::new(&changed, context)?;
    if times.all_day || is_rezoned {
        after.clock = clock;
    }
    refused |= only_public_meetings(&mut fields, after.people.is_meeting);
    // What OX deletes when the master is written has to be written anew.
    let start_moved = fields.has(columns::START_DATE)
        && (after.times.start, after.times.all_day) != (before.times.start, before.times.all_day);
    let starts_anew = start_moved || fields.has(columns::RECURRENCE_TYPE);
    let stored = if starts_anew {
        Exceptions::default()
    } else {
        Exceptions::of(&before, objects)
    };
    let series = Series {
        before: &before,
        after: &after,
        stored: &stored,
    };
    let (occurrences, unusable) = series.occurrences(request);
    notify(&mut fields, &after.people, context.version);
    Ok(Write {
        fields,
        occurrences,
        refused: refused | unusable,
    })
}

/// Whether what a Change leaves out stays. [MS-ASCAL] lets only properties be ghosted that are never cleared by
/// omission here; a device that sends an empty Supported means all of them. A Change without StartTime is only part of
/// an item, whatever the version.
fn keeps_omitted(request: &Element, ghosted: &Ghosted) -> bool {
    let ghosts_all = match ghosted {
        Ghosted::Everything => true,
        Ghosted::AllBut(supported) => supported.is_empty(),
        Ghosted::Nothing => false,
    };
    ghosts_all || request.child(calendar::START_TIME).is_none()
}

/// What omitting a property means.
enum Omitted {
    Keep,
    /// It becomes this, or is cleared.
    Become(Option<Element>),
}

/// The fields of title, place, text, people and so on that a request changes: all but times and pattern.
fn edited(
    request: &Element,
    item: &Item<'_>,
    omitted: impl Fn(&Property, bool) -> Omitted,
) -> Result<Object, Unconvertible> {
    let mut fields = Object::new();
    for property in PROPERTIES
        .iter()
        .filter(|property| property.exists_in(item.context.version))
    {
        let Reading::Alone { to_ox, kept } = property.reading else {
            continue;
        };
        let wanted = match request.child(property.tag) {
            Some(sent) => Some(sent.clone()),
            None => match omitted(property, kept) {
                Omitted::Keep => continue,
                Omitted::Become(element) => element,
            },
        };
        let shown = item.shown(property);
        if shown == wanted {
            continue;
        }
        let mut change = Object::new();
        to_ox(&wanted.unwrap_or_else(|| Element::empty(property.tag)), &mut change)?;
        let changed = merged(item.object, &change);
        let after = Item {
            object: &changed,
            clock: item.clock.clone(),
            people: item.people.clone(),
            ..*item
        };
        if after.shown(property) != shown {
            fields = merged(&fields, &change);
        }
    }
    if let Some(text) = note::wanted(request, Some(item)) {
        fields.set(columns::NOTE, text);
    }
    if let Some(participants) = item.people.merged(request, item.object, item.context.user) {
        fields.set(columns::PARTICIPANTS, participants);
    }
    Ok(fields)
}

/// `None` if the pattern stays, `Some(None)` if the series becomes a single item.
fn changed_pattern(
    request: &Element,
    before: &Item<'_>,
    clock: &Clock,
    times: &Times,
    keeps: bool,
) -> Result<Option<Option<Recurrence>>, Unconvertible> {
    let shown = before.recurrence();
    let Some(element) = pattern_element(request) else {
        let is_cleared = request.child(calendar::RECURRENCE).is_some() || !keeps;
        return Ok((is_cleared && shown.is_some()).then_some(None));
    };
    let read = |clock: &Clock, times: &Times| {
        Recurrence::from_eas(element, &recurrence::CALENDAR, |text| clock.read_until(text, times))
    };
    if shown.is_some() && shown == Some(read(&before.clock, &before.times)?) {
        return Ok(None);
    }
    let wanted = Some(read(clock, times)?);
    Ok((wanted != shown).then_some(wanted))
}

/// An empty one makes a single item.
fn pattern_element(request: &Element) -> Option<&Element> {
    let element = request.child(calendar::RECURRENCE)?;
    (element.content != Content::Empty).then_some(element)
}

/// What of the fields the user may write, and whether anything is left out. Invited people share one object with the
/// organizer; their own is the alarm alone, and their answer, which goes another way.
fn permitted(fields: Object, role: Role) -> (Object, bool) {
    let Role::Attendee { .. } = role else {
        return (fields, false);
    };
    let mut own = Object::new();
    if let Some(minutes) = fields.number(columns::ALARM) {
        own.set(columns::ALARM, minutes);
    }
    let refused = fields.as_map().len() > own.as_map().len();
    (own, refused)
}

/// Lets OX tell the people of a meeting that the user organizes of a change that concerns them.
fn notify(fields: &mut Object, people: &People, version: ProtocolVersion) {
    let tells = SERVER_MAILS.contains(version);
    let is_organizer = people.is_meeting && people.role == Role::Organizer;
    let concerns_all = fields.as_map().keys().any(|key| !OWN.contains(&key.as_str()));
    if tells && is_organizer && concerns_all {
        fields.set(columns::NOTIFICATION, true);
    }
}

/// For fields that are a part of what a device has changed: whether people are told follows from what is left.
pub(in crate::content) fn settle(fields: &mut Object) {
    let own = |key: &String| OWN.contains(&key.as_str()) || key == columns::NOTIFICATION.name().key;
    if fields.as_map().keys().all(own) {
        fields.remove(columns::NOTIFICATION);
    }
}

/// OX refuses a private appointment with other people; the rest of it is worth keeping.
fn only_public_meetings(fields: &mut Object, is_meeting: bool) -> bool {
    let refused = is_meeting && fields.flag(common::PRIVATE_FLAG) == Some(true);
    if refused {
        fields.remove(common::PRIVATE_FLAG);
    }
    refused
}

fn merged(object: &Object, changes: &Object) -> Object {
    let mut map = object.as_map().clone();
    map.extend(changes.as_map().clone());
    Object::from_map(map)
}

/// Where the occurrences of a request are held against.
struct Series<'a> {
    /// The master as the device was shown it.
    before: &'a Item<'a>,
    /// The master as it will be.
    after: &'a Item<'a>,
    stored: &'a Exceptions<'a>,
}

/// What an exception of a request means by leaving something out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inheritance {
    /// An Exception: it is as in the series.
    Series,
    /// An InstanceId command: it stays.
    Keep,
}

impl Series<'_> {
    /// The occurrences that a request changes; omitted ones stay. An exception that nobody can read costs only itself,
    /// and is told by the flag.
    fn occurrences(&self, request: &Element) -> (Vec<Occurrence>, bool) {
        let mut occurrences: Vec<Occurrence> = Vec::new();
        let mut unusable = false;
        if self.after.recurrence().is_none() {
            return (occurrences, unusable);
        }
        let exceptions = request.child(calendar::EXCEPTIONS);
        for exception in exceptions
            .into_iter()
            .flat_map(|list| list.children_of(calendar::EXCEPTION))
        {
            match self.exception(exception) {
                // Of two for one occurrence the first counts.
                Ok(Some(occurrence)) if occurrences.iter().all(|other| other.day != occurrence.day) => {
                    occurrences.push(occurrence);
                }
                Ok(_) => {}
                Err(_) => unusable = true,
            }
        }
        let role = self.before.people.role;
        occurrences.retain_mut(|occurrence| {
            let OccurrenceChange::Changed(fields) = &mut occurrence.change else {
                return true;
            };
            let (own, refused) = permitted(std::mem::take(fields), role);
            unusable |= refused;
            *fields = own;
            notify(fields, &self.after.people, self.after.context.version);
            !fields.is_empty()
        });
        (occurrences, unusable)
    }

    fn exception(&self, exception: &Element) -> Result<Option<Occurrence>, Unconvertible> {
        let key = exceptions::KEYS.iter().find_map(|tag| exception.child_text(*tag));
        let key = key.ok_or_else(|| Unconvertible("an Exception without its original start".to_owned()))?;
        let day = self.after.clock.read_occurrence(key, &self.after.times);
        let day = day.ok_or_else(|| unusable(calendar::EXCEPTION_START_TIME))?;
        let deleted = exception.child(calendar::DELETED).map(typed::flag).transpose()?;
        if deleted == Some(true) {
            let change = OccurrenceChange::Deleted;
            return Ok((!self.stored.deleted.contains(&day)).then_some(Occurrence { day, change }));
        }
        let fields = self.occurrence(exception, day, Inheritance::Series)?;
        let change = OccurrenceChange::Changed(fields);
        Ok(Some(Occurrence { day, change }))
    }

    /// The fields that a request changes of the occurrence of a day; empty if none.
    fn occurrence(&self, request: &Element, day: i64, inheritance: Inheritance) -> Result<Object, Unconvertible> {
        let unmoved = self.after.clock.occurrence_on(day, &self.after.times);
        let Some(stored) = self.stored.changed.get(&day) else {
            let mut object = self.after.object.clone();
            unmoved.to_ox(&mut object);
            let generated = Item {
                object: &object,
                times: unmoved,
                clock: self.after.clock.clone(),
                people: self.after.people.clone(),
                context: self.after.context,
            };
            let mut fields = self.edit(request, &generated, &unmoved, |_, _| Omitted::Keep)?;
            if !fields.is_empty() && !fields.has(columns::START_DATE) {
                unmoved.to_ox(&mut fields);
            }
            return Ok(fields);
        };
        match inheritance {
            Inheritance::Keep => self.edit(request, stored, &stored.times, |_, _| Omitted::Keep),
            Inheritance::Series => self.edit(request, stored, &unmoved, |property, _| {
                match exceptions::difference(property, stored, self.before) {
                    None => Omitted::Keep,
                    Some(_) => Omitted::Become(self.after.shown(property)),
                }
            }),
        }
    }

    /// The fields that a request changes of an occurrence. `base` are the times it has where the request says none.
    fn edit(
        &self,
        request: &Element,
        item: &Item<'_>,
        base: &Times,
        omitted: impl Fn(&Property, bool) -> Omitted,
    ) -> Result<Object, Unconvertible> {
        let mut fields = edited(request, item, omitted)?;
        // OX has one flag for the whole series.
        fields.remove(common::PRIVATE_FLAG);
        let times = self.after.clock.times(request, Some(base), item.context.now)?;
        let times = times.settled_on(&item.times);
        if times != item.times {
            times.to_ox(&mut fields);
        }
        Ok(fields)
    }
}
