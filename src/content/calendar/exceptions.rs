//! How the changed and deleted occurrences of a series are shown.
//!
//! Reading them is in `request`, by the same comparison with the series. Implements [MS-ASCAL] Exceptions, Exception,
//! ExceptionStartTime, Deleted and, for 16.0, [MS-ASAIRS] InstanceId.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::content::calendar::properties::Item;
use crate::content::calendar::properties::OWN_ALL_DAY;
use crate::content::calendar::properties::PROPERTIES;
use crate::content::calendar::properties::Property;
use crate::content::date;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::Json;
use crate::ox::columns::calendar as columns;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::calendar;

/// [MS-ASCAL] the schema takes so many exceptions; of more, the latest are shown.
const MOST: usize = 1000;

/// By which an exception says which occurrence it is: one of them is in each version.
pub(super) const KEYS: [Tag; 2] = [calendar::EXCEPTION_START_TIME, airsyncbase::INSTANCE_ID];

/// What is known of the occurrences of a series that differ from it.
#[derive(Default)]
pub(super) struct Exceptions<'a> {
    pub(super) changed: BTreeMap<i64, Item<'a>>,
    pub(super) deleted: BTreeSet<i64>,
}

impl<'a> Exceptions<'a> {
    pub(super) fn of(master: &Item<'a>, objects: &'a [Object]) -> Self {
        let mut changed = BTreeMap::new();
        let mut declined = BTreeSet::new();
        let mut is_complete = true;
        for object in objects {
            match exception(master, object) {
                // Whoever declines one occurrence does not see it any more.
                Some((day, item)) if item.people.role.declines() => {
                    declined.insert(day);
                }
                Some((day, item)) => {
                    changed.insert(day, item);
                }
                None => is_complete = false,
            }
        }
        let mut deleted: BTreeSet<i64> = days(master.object, columns::DELETE_EXCEPTIONS).collect();
        // Whoever is taken out of one occurrence does not see its object: for them it does not take place.
        if is_complete {
            deleted.extend(days(master.object, columns::CHANGE_EXCEPTIONS));
        }
        deleted.retain(|day| !changed.contains_key(day));
        deleted.extend(declined);
        Self { changed, deleted }
    }
}

/// An exception that can be shown, and its day.
fn exception<'a>(master: &Item<'a>, object: &'a Object) -> Option<(i64, Item<'a>)> {
    let day = date::midnight(object.date(columns::RECURRENCE_DATE_POSITION)?);
    let item = Item::new(object, master.context).ok()?;
    let clock = master.clock.clone();
    let mut times = item.times;
    if !OWN_ALL_DAY.contains(master.context.version) {
        times = clock.turned(&times, master.times.all_day);
    }
    let item = Item { clock, times, ..item };
    Some((day, item))
}

fn days(object: &Object, column: Column<Json>) -> impl Iterator<Item = i64> {
    let list = object.json(column).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_i64).map(date::midnight)
}

/// Exceptions; `None` if there are none, or if it is no series.
pub(super) fn to_eas(master: &Item<'_>, objects: &[Object]) -> Option<Element> {
    master.recurrence()?;
    let exceptions = Exceptions::of(master, objects);
    let mut all: BTreeMap<i64, Element> = BTreeMap::new();
    for day in &exceptions.deleted {
        let deleted = Element::flag(calendar::DELETED, true);
        all.insert(
            *day,
            Element::parent(calendar::EXCEPTION, key(master, *day).into_iter().chain([deleted])),
        );
    }
    for (day, item) in &exceptions.changed {
        let differences = PROPERTIES
            .iter()
            .filter_map(|property| difference(property, item, master));
        all.insert(
            *day,
            Element::parent(calendar::EXCEPTION, key(master, *day).into_iter().chain(differences)),
        );
    }
    let surplus = all.len().saturating_sub(MOST);
    let shown: Vec<Element> = all.into_values().skip(surplus).collect();
    (!shown.is_empty()).then(|| Element::parent(calendar::EXCEPTIONS, shown))
}

/// The original start, by the tag that the version has.
fn key(master: &Item<'_>, day: i64) -> Option<Element> {
    let text = master.clock.write_occurrence(day, &master.times);
    let known =
        |tag: &&Tag| codepage::token(**tag).is_some_and(|token| token.versions.contains(master.context.version));
    KEYS.iter().find(known).map(|tag| Element::text(*tag, text))
}

/// What an exception says of a property: nothing if it is as in the series. Its own times are always said.
pub(super) fn difference(property: &Property, item: &Item<'_>, master: &Item<'_>) -> Option<Element> {
    let version = item.context.version;
    if !property.is_in_exceptions(version) {
        return None;
    }
    let own = item.shown(property);
    let always = [calendar::START_TIME, calendar::END_TIME, calendar::DT_STAMP];
    if own == master.shown(property) && !always.contains(&property.tag) {
        return None;
    }
    own.or_else(|| property.removed(version))
}
