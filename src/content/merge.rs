//! Two changes of one item, property by property: what the device changed, what OX changed, what both did.
//!
//! Pure, and no judge: whose change counts where both changed the same is decided elsewhere. An occurrence of a series
//! is one property, as long as nobody has moved the series. Serves [MS-ASCMD] Conflict.

use serde::Deserialize;
use serde::Serialize;

use crate::content::Class;
use crate::content::agreed::Agreed;
use crate::content::agreed::Exception;
use crate::content::agreed::deleted_days;
use crate::content::agreed::digest_of;
use crate::content::agreed::digest_of_occurrence;
use crate::content::agreed::single;
use crate::content::calendar;
use crate::content::contacts;
use crate::content::date;
use crate::content::judged;
use crate::content::judged::Property;
use crate::ox::Object;
use crate::ox::columns::calendar as columns;
use crate::ox::columns::contacts as contact_columns;

/// An item at OX, and what both sides agreed on before.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    pub class: Class,
    pub object: &'a Object,
    /// The changed occurrences of a series.
    pub exceptions: &'a [Object],
}

/// Who has changed a property that device and OX have with different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The device alone.
    Device,
    /// OX alone: the device has it as it was.
    Ox,
    Both,
}

/// Fields that the device would write, by who has changed them. Those that OX alone has changed are in neither.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    pub device: Object,
    pub both: Object,
}

/// A property with the values of both sides, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub name: String,
    pub device: String,
    pub ox: String,
}

impl Item<'_> {
    /// `fields` are those by which the device's version differs from OX's.
    pub fn fields(&self, fields: &Object, agreed: &Agreed) -> Fields {
        let mut left = fields.as_map().clone();
        let mut split = Fields::default();
        let wanted = overlaid(self.object, fields);
        for property in judged::of(self.class).iter().filter(|property| property.is_in(fields)) {
            let own = property.keys().filter_map(|key| left.remove_entry(key));
            let own: Vec<_> = own.collect();
            let into = match self.whose(property, &wanted, agreed) {
                Whose::Device => &mut split.device,
                Whose::Both => &mut split.both,
                Whose::Ox => continue,
            };
            let mut map = std::mem::take(into).into_map();
            map.extend(own);
            *into = Object::from_map(map);
        }
        // What is no property belongs to the write.
        let mut map = split.device.into_map();
        map.extend(left);
        split.device = Object::from_map(map);
        split
    }

    fn whose(&self, property: &Property, wanted: &Object, agreed: &Agreed) -> Whose {
        let before = agreed.of_property(property);
        let now = digest_of(self.class, property, self.object);
        let wanted = digest_of(self.class, property, wanted);
        // OX does not tell its picture before it is asked for the bytes.
        let is_known = !property.is_picture();
        whose(before, now.filter(|_| is_known), wanted, is_known)
    }

    /// An occurrence that the device changes, or deletes (`None`).
    pub fn occurrence(&self, day: i64, fields: Option<&Object>, agreed: &Agreed) -> Whose {
        let now = self.exception(day).map(digest_of_occurrence);
        let wanted = match fields {
            None => digest_of_occurrence(Exception::Deleted),
            Some(fields) => digest_of_occurrence(Exception::Changed(&self.changed_occurrence(day, fields))),
        };
        whose(agreed.of_occurrence(day), now, Some(wanted), true)
    }

    /// Whether somebody has moved an appointment, or changed how it repeats: then its occurrences are others.
    pub fn is_moved(&self, fields: &Object, agreed: &Agreed) -> bool {
        let moved = |property: &&Property| property.columns.contains(&columns::START_DATE.name());
        let Some(property) = judged::of(self.class).iter().find(moved) else {
            return false;
        };
        property.is_in(fields) || agreed.of_property(property) != digest_of(self.class, property, self.object)
    }

    /// What both sides agree on when the device's change is written. `before` is what they agreed on until then, for
    /// what OX does not show.
    pub fn agreed_with<'b>(
        &self,
        fields: &Object,
        occurrences: impl IntoIterator<Item = (i64, Option<&'b Object>)>,
        before: Option<&Agreed>,
    ) -> Agreed {
        let object = overlaid(self.object, fields);
        let mut agreed = Agreed::of(self.class, &object, self.exceptions);
        let picture = judged::of(self.class).iter().find(|property| property.is_picture());
        if let Some(picture) = picture.filter(|picture| !picture.is_in(fields)) {
            agreed.set_property(picture, before.and_then(|before| before.of_property(picture)));
        }
        self.agree_occurrences(occurrences, &mut agreed);
        agreed
    }

    /// The same when a part of the change is written, and the device has not seen what OX has changed: they agree on
    /// what is written, and else on what they did before.
    pub fn agreed_in_part<'b>(
        &self,
        fields: &Object,
        occurrences: impl IntoIterator<Item = (i64, Option<&'b Object>)>,
        before: &Agreed,
    ) -> Agreed {
        let (object, mut agreed) = (overlaid(self.object, fields), before.clone());
        for property in judged::of(self.class).iter().filter(|property| property.is_in(fields)) {
            agreed.set_property(property, digest_of(self.class, property, &object));
        }
        self.agree_occurrences(occurrences, &mut agreed);
        agreed
    }

    fn agree_occurrences<'b>(
        &self,
        occurrences: impl IntoIterator<Item = (i64, Option<&'b Object>)>,
        agreed: &mut Agreed,
    ) {
        for (day, fields) in occurrences {
            match fields {
                None => agreed.set_occurrence(day, Exception::Deleted),
                Some(fields) => {
                    agreed.set_occurrence(day, Exception::Changed(&self.changed_occurrence(day, fields)));
                }
            }
        }
    }

    /// What follows from other fields is made anew for those that are left.
    pub fn completed(&self, mut fields: Object) -> Object {
        match self.class {
            Class::Contacts => {
                fields.remove(contact_columns::DISPLAY_NAME);
                contacts::settle(&mut fields, self.object);
            }
            Class::Calendar => calendar::settle(&mut fields),
            Class::Tasks | Class::Email => {}
        }
        fields
    }

    /// The properties among `fields`, as the device has them and as OX has them.
    pub fn differences(&self, fields: &Object, zone: &jiff::tz::TimeZone) -> Vec<Difference> {
        differences(self.class, fields, &overlaid(self.object, fields), self.object, zone)
    }

    /// What OX has changed since both sides agreed, and the device never had; all of the item, if nobody remembers what
    /// that was. Of a picture nobody knows.
    pub fn changed(&self, agreed: Option<&Agreed>, zone: &jiff::tz::TimeZone) -> Vec<Difference> {
        let unknown = Agreed::default();
        let before = agreed.unwrap_or(&unknown);
        let properties = judged::of(self.class).iter().filter(|property| {
            let now = digest_of(self.class, property, self.object);
            !property.is_picture() && before.of_property(property) != now
        });
        let properties =
            properties.map(|property| (property.name.clone(), property.shown(self.class, self.object, zone)));
        let changed = self.exceptions.iter().filter_map(day_of);
        let days = changed.chain(deleted_days(self.object)).filter(|day| {
            let now = self.exception(*day).map(digest_of_occurrence);
            before.of_occurrence(*day) != now
        });
        let occurrences = days.map(|day| (name_of_day(day), said(self.exception(day)).to_owned()));
        let all = properties.chain(occurrences).filter(|(_, ox)| !ox.is_empty());
        let lost = all.map(|(name, ox)| Difference {
            name,
            device: String::new(),
            ox,
        });
        lost.collect()
    }

    /// The same as [`Item::differences`], of an occurrence.
    pub fn differences_of_occurrence(
        &self,
        day: i64,
        fields: Option<&Object>,
        zone: &jiff::tz::TimeZone,
    ) -> Vec<Difference> {
        let name = name_of_day(day);
        let regular = self.changed_occurrence(day, &Object::new());
        let at_ox = self.exception(day);
        match (fields, at_ox) {
            (Some(fields), Some(Exception::Changed(_)) | None) => {
                let wanted = self.changed_occurrence(day, fields);
                let mut list = differences(self.class, fields, &wanted, &regular, zone);
                list.iter_mut()
                    .for_each(|one| one.name = format!("{name}, {}", one.name));
                list
            }
            (fields, at_ox) => vec![Difference {
                name,
                device: fields.map_or("does not take place", |_| "changed").to_owned(),
                ox: said(at_ox).to_owned(),
            }],
        }
    }

    fn exception(&self, day: i64) -> Option<Exception<'_>> {
        let is_day = |object: &&Object| day_of(object) == Some(day);
        let changed = self.exceptions.iter().find(is_day).map(Exception::Changed);
        changed.or_else(|| {
            deleted_days(self.object)
                .find(|deleted| *deleted == day)
                .map(|_| Exception::Deleted)
        })
    }

    /// The object of an occurrence with these fields. One that has none yet is made of the series.
    fn changed_occurrence(&self, day: i64, fields: &Object) -> Object {
        match self.exception(day) {
            Some(Exception::Changed(object)) => single(&overlaid(object, fields)),
            _ => single(&overlaid(self.object, fields)),
        }
    }
}

/// The day of a changed occurrence.
fn day_of(exception: &Object) -> Option<i64> {
    exception.date(columns::RECURRENCE_DATE_POSITION).map(date::midnight)
}

fn name_of_day(day: i64) -> String {
    date::hyphenated(day).chars().take(10).collect()
}

/// What has become of an occurrence, in plain words.
const fn said(exception: Option<Exception<'_>>) -> &'static str {
    match exception {
        Some(Exception::Deleted) => "does not take place",
        Some(Exception::Changed(_)) => "changed",
        None => "as the series",
    }
}

/// The properties among `fields` of an item that OX does not have.
pub fn properties(class: Class, fields: &Object, zone: &jiff::tz::TimeZone) -> Vec<Difference> {
    differences(class, fields, fields, &Object::new(), zone)
}

fn differences(
    class: Class,
    fields: &Object,
    device: &Object,
    ox: &Object,
    zone: &jiff::tz::TimeZone,
) -> Vec<Difference> {
    let properties = judged::of(class).iter().filter(|property| property.is_in(fields));
    let difference = |property: &Property| Difference {
        name: property.name.clone(),
        device: property.shown(class, device, zone),
        ox: property.shown(class, ox, zone),
    };
    let differences = properties.map(difference);
    differences
        .filter(|difference| difference.device != difference.ox)
        .collect()
}

/// `is_known`: whether `now` is what OX has.
fn whose(before: Option<[u8; 2]>, now: Option<[u8; 2]>, wanted: Option<[u8; 2]>, is_known: bool) -> Whose {
    // In this order: that OX has changed nothing is the surer sign, as the values of both sides differ.
    if is_known && now == before {
        return Whose::Device;
    }
    if wanted == before || (is_known && wanted == now) {
        return Whose::Ox;
    }
    if is_known { Whose::Both } else { Whose::Device }
}

fn overlaid(object: &Object, fields: &Object) -> Object {
    let mut map = object.as_map().clone();
    map.extend(fields.as_map().clone());
    Object::from_map(map)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::content::date::DAY;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(map) => Object::from_map(map),
            other => unreachable!("{other}"),
        }
    }

    /// A daily series.
    fn series(changes: Value) -> Object {
        let series = object(
            json!({"title": "Tea", "start_date": 10 * DAY, "end_date": 10 * DAY + 1, "recurrence_type": 1,
            "interval": 1, "delete_exceptions": [11 * DAY]}),
        );
        overlaid(&series, &object(changes))
    }

    fn exception(day: i64, title: &str) -> Object {
        object(json!({"recurrence_date_position": day * DAY, "title": title, "start_date": day * DAY}))
    }

    #[test]
    fn who_has_changed_a_property() {
        let (one, two, three) = (Some([1, 1]), Some([2, 2]), Some([3, 3]));
        // Before, at OX, at the device, whether OX's is known, who has changed it
        let cases = [
            (one, one, two, true, Whose::Device),
            (one, one, None, true, Whose::Device),
            (None, None, two, true, Whose::Device),
            (one, two, one, true, Whose::Ox),
            (one, None, one, true, Whose::Ox),
            (one, two, three, true, Whose::Both),
            (one, None, three, true, Whose::Both),
            (one, two, None, true, Whose::Both),
            // What says the same is no change of the device, whatever the bytes.
            (one, two, two, true, Whose::Ox),
            // The values differ, so one of equal digests is chance.
            (one, one, one, true, Whose::Device),
            (one, None, one, false, Whose::Ox),
            (one, None, two, false, Whose::Device),
        ];
        for (before, now, wanted, is_known, expected) in cases {
            let case = format!("{before:?} {now:?} {wanted:?} {is_known}");
            assert_eq!(whose(before, now, wanted, is_known), expected, "{case}");
        }
    }

    #[test]
    fn what_ox_has_changed() {
        let before = Agreed::of(Class::Calendar, &series(json!({})), &[exception(12, "Coffee")]);
        let now = series(json!({"location": "Kitchen", "delete_exceptions": [11 * DAY, 13 * DAY]}));
        let exceptions = [exception(12, "Milk"), exception(14, "Water")];
        let item = Item {
            class: Class::Calendar,
            object: &now,
            exceptions: &exceptions,
        };
        let changed = item.changed(Some(&before), &TimeZone::UTC);
        let changed: Vec<(&str, &str)> = changed.iter().map(|one| (one.name.as_str(), one.ox.as_str())).collect();
        let expected = [
            ("Location", "Kitchen"),
            ("1970-01-13", "changed"),
            ("1970-01-15", "changed"),
            ("1970-01-14", "does not take place"),
        ];
        assert_eq!(changed, expected);
        let untouched = series(json!({}));
        let untouched = Item {
            object: &untouched,
            exceptions: &[exception(12, "Coffee")],
            ..item
        };
        assert_eq!(untouched.changed(Some(&before), &TimeZone::UTC), []);
        let all = untouched.changed(None, &TimeZone::UTC);
        assert!(all.iter().any(|one| one.ox == "Tea"), "{all:?}");
    }

    #[test]
    fn occurrences_are_properties() {
        let before = Agreed::of(Class::Calendar, &series(json!({})), &[exception(12, "Coffee")]);
        let now = series(json!({"delete_exceptions": [11 * DAY, 13 * DAY]}));
        let exceptions = [exception(12, "Milk"), exception(14, "Water")];
        let item = Item {
            class: Class::Calendar,
            object: &now,
            exceptions: &exceptions,
        };
        let title = |title: &str| Some(object(json!({ "title": title })));
        // Day, what the device writes (nothing deletes it), who has changed it
        let cases = [
            (12, title("Coffee"), Whose::Ox),
            (12, title("Wine"), Whose::Both),
            (12, None, Whose::Both),
            (13, title("Wine"), Whose::Both),
            (14, title("Wine"), Whose::Both),
            (15, title("Wine"), Whose::Device),
            (15, None, Whose::Device),
            (11, title("Wine"), Whose::Device),
        ];
        for (day, fields, expected) in cases {
            let whose = item.occurrence(day * DAY, fields.as_ref(), &before);
            assert_eq!(whose, expected, "day {day}: {fields:?}");
        }
    }

    #[test]
    fn a_series_that_moved_has_other_occurrences() {
        let before = Agreed::of(Class::Calendar, &series(json!({})), &[]);
        // What OX has changed, what the device has, whether the series moved
        let cases = [
            (json!({"title": "Coffee"}), json!({"location": "Home"}), false),
            (json!({"start_date": 9 * DAY}), json!({"location": "Home"}), true),
            (json!({"interval": 2}), json!({}), true),
            (json!({}), json!({"start_date": 9 * DAY, "end_date": 9 * DAY + 1}), true),
        ];
        for (at_ox, fields, expected) in cases {
            let now = series(at_ox.clone());
            let item = Item {
                class: Class::Calendar,
                object: &now,
                exceptions: &[],
            };
            assert_eq!(
                item.is_moved(&object(fields.clone()), &before),
                expected,
                "{at_ox} {fields}"
            );
        }
    }

    /// What a user is told of by a mail is not told when only a part is left that concerns nobody.
    #[test]
    fn what_follows_from_other_fields() {
        let now = series(json!({}));
        let item = Item {
            class: Class::Calendar,
            object: &now,
            exceptions: &[],
        };
        // Fields, what is left of them
        let cases = [
            (json!({"alarm": 5, "notification": true}), json!({"alarm": 5})),
            (
                json!({"title": "x", "notification": true}),
                json!({"title": "x", "notification": true}),
            ),
            (json!({"notification": true}), json!({})),
        ];
        for (fields, expected) in cases {
            assert_eq!(item.completed(object(fields)), object(expected));
        }
    }

    #[test]
    fn differences_in_words() {
        let now = object(json!({"note": "new", "telephone_home1": "1", "display_name": "Doe"}));
        let item = Item {
            class: Class::Contacts,
            object: &now,
            exceptions: &[],
        };
        let fields = object(json!({"note": null, "telephone_home1": "2", "display_name": "Roe"}));
        let row = |name: &str, device: &str, ox: &str| Difference {
            name: name.to_owned(),
            device: device.to_owned(),
            ox: ox.to_owned(),
        };
        let expected = [row("Home phone number", "2", "1"), row("Notes", "", "new")];
        assert_eq!(item.differences(&fields, &TimeZone::UTC), expected);
    }
}
