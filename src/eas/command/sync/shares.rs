//! Changes of a device held against what both sides agreed on: who has changed what.
//!
//! Pure. What is found goes with the change into the engine, which knows whether OX has changed the item at all, and
//! whose change counts. Serves [MS-ASCMD] Conflict.

use crate::content::Class;
use crate::content::agreed::Agreed;
use crate::content::merge::Item;
use crate::content::merge::Whose;
use crate::ox::Fetched;
use crate::ox::Object;
use crate::usm::conflict::Common;
use crate::usm::plan::Change;
use crate::usm::write::Edit;
use crate::usm::write::Occurrence;
use crate::usm::write::Shares;
use crate::usm::write::Write;

/// Completes a change. `current`: the object as OX has it; `agreed`: what the engine remembers of it, as bytes of
/// [`Agreed`].
pub(super) fn complete(
    class: Class,
    change: &mut Change,
    write: &mut Write,
    current: Option<&Fetched>,
    agreed: Option<&[u8]>,
) {
    match write {
        // Of a new series OX may have left some occurrence as the others.
        Write::Create { object, occurrences } if occurrences.is_empty() && class != Class::Email => {
            change.agreed = Some(Agreed::of(class, object, &[]).encode());
        }
        Write::Update {
            fields,
            occurrences,
            resend,
            shares,
        } => {
            let Some(current) = current else {
                return;
            };
            let item = item(class, current);
            let before = agreed.and_then(Agreed::decode);
            let written = occurrences.iter().map(|one| (one.day, one.fields.as_ref()));
            change.agreed = Some(item.agreed_with(fields, written, before.as_ref()).encode());
            if fields.is_empty() && occurrences.is_empty() && !*resend {
                change.common = Common::Everything;
            } else if let Some(before) = before {
                (change.common, *shares) = shared(&item, fields, occurrences, &before);
            }
        }
        _ => {}
    }
}

pub(super) fn item(class: Class, current: &Fetched) -> Item<'_> {
    Item {
        class,
        object: &current.object,
        exceptions: &current.parts,
    }
}

/// Of what the device would write, that which OX has changed too.
pub(super) fn contested(shares: &Shares) -> Edit {
    let yielded = &shares.yielded;
    let mut fields = shares.merged.fields.as_map().clone();
    fields.retain(|key, _| !yielded.fields.as_map().contains_key(key));
    let mut occurrences = shares.merged.occurrences.clone();
    occurrences.retain(|one| yielded.occurrences.iter().all(|other| other.day != one.day));
    Edit {
        fields: Object::from_map(fields),
        occurrences,
        ..Edit::default()
    }
}

fn shared(
    item: &Item<'_>,
    fields: &Object,
    occurrences: &[Occurrence],
    before: &Agreed,
) -> (Common, Option<Box<Shares>>) {
    if !occurrences.is_empty() && item.is_moved(fields, before) {
        return (Common::Unknown, None);
    }
    let split = item.fields(fields, before);
    let of = |whose: &[Whose]| {
        let is_of = |one: &&Occurrence| whose.contains(&item.occurrence(one.day, one.fields.as_ref(), before));
        occurrences.iter().filter(is_of).cloned().collect::<Vec<_>>()
    };
    let both = of(&[Whose::Both]);
    let common = match split.both.is_empty() && both.is_empty() {
        true => Common::Nothing,
        false => Common::Something,
    };
    let mut merged = split.device.as_map().clone();
    merged.extend(split.both.into_map());
    let edit = |fields: Object, occurrences: Vec<Occurrence>| {
        let written = occurrences.iter().map(|one| (one.day, one.fields.as_ref()));
        Edit {
            agreed: item.agreed_in_part(&fields, written, before).encode(),
            fields: item.completed(fields),
            occurrences,
        }
    };
    let shares = Shares {
        merged: edit(Object::from_map(merged), of(&[Whose::Device, Whose::Both])),
        yielded: edit(split.device, of(&[Whose::Device])),
    };
    (common, Some(Box::new(shares)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::usm::journal::fingerprint;
    use crate::usm::plan::What;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(map) => Object::from_map(map),
            other => unreachable!("{other}"),
        }
    }

    /// What a change comes to of which the device writes these fields.
    fn completed(class: Class, agreed: Option<Value>, at_ox: Value, fields: Value) -> (Change, Write) {
        let agreed = agreed.map(|agreed| Agreed::of(class, &object(agreed), &[]).encode());
        let current = Fetched {
            id: "9".to_owned(),
            object: object(at_ox),
            parts: Vec::new(),
        };
        let mut change = Change {
            what: What::Change { id: "9".to_owned() },
            fingerprint: fingerprint(b"x"),
            common: Common::Unknown,
            agreed: None,
        };
        let mut write = Write::Update {
            fields: object(fields),
            occurrences: Vec::new(),
            resend: false,
            shares: None,
        };
        complete(class, &mut change, &mut write, Some(&current), agreed.as_deref());
        (change, write)
    }

    #[test]
    fn by_property() {
        let agreed = json!({"first_name": "John", "last_name": "Doe", "display_name": "Doe, John", "note": "a",
            "telephone_home1": "1"});
        let with = |changes: Value| {
            let mut all = agreed.clone();
            for (key, value) in changes.as_object().unwrap() {
                all[key] = value.clone();
            }
            all
        };
        // At OX, what of the device differs from that, in common, what is merged, what is yielded.
        let cases = [
            // The device has changed one thing, OX another; the device says what OX had before.
            (
                json!({"street_home": "X"}),
                json!({"telephone_home1": "2", "street_home": null}),
                Common::Nothing,
                json!({"telephone_home1": "2"}),
                json!({"telephone_home1": "2"}),
            ),
            // Both have changed one thing, and the device another.
            (
                json!({"note": "b"}),
                json!({"note": "c", "telephone_home1": "2"}),
                Common::Something,
                json!({"note": "c", "telephone_home1": "2"}),
                json!({"telephone_home1": "2"}),
            ),
            // One clears what the other changes.
            (
                json!({"note": "b"}),
                json!({"note": null}),
                Common::Something,
                json!({"note": null}),
                json!({}),
            ),
            // Each has changed one half of a name.
            (
                json!({"first_name": "Jane", "display_name": "Doe, Jane"}),
                json!({"first_name": "John", "last_name": "Roe", "display_name": "Roe, John"}),
                Common::Nothing,
                json!({"last_name": "Roe", "display_name": "Roe, Jane"}),
                json!({"last_name": "Roe", "display_name": "Roe, Jane"}),
            ),
            // The device has changed nothing.
            (
                json!({"first_name": "Jane", "display_name": "Doe, Jane"}),
                json!({"first_name": "John", "display_name": "Doe, John"}),
                Common::Nothing,
                json!({}),
                json!({}),
            ),
            // A picture is written, since OX does not tell whether it has another one.
            (
                json!({"note": "b", "image1_url": "/x"}),
                json!({"note": "a", "image1": "AAAA", "image1_content_type": "image/png"}),
                Common::Nothing,
                json!({"image1": "AAAA", "image1_content_type": "image/png"}),
                json!({"image1": "AAAA", "image1_content_type": "image/png"}),
            ),
        ];
        for (at_ox, fields, common, merged, yielded) in cases {
            let case = format!("{at_ox} {fields}");
            let (change, write) = completed(Class::Contacts, Some(agreed.clone()), with(at_ox), fields);
            let Write::Update {
                shares: Some(shares), ..
            } = write
            else {
                panic!("{case}: {write:?}");
            };
            assert_eq!(change.common, common, "{case}");
            assert_eq!(shares.merged.fields, object(merged), "{case}");
            assert_eq!(shares.yielded.fields, object(yielded), "{case}");
        }
    }

    #[test]
    fn what_nobody_remembers_is_not_judged() {
        let (change, write) = completed(Class::Tasks, None, json!({"title": "b"}), json!({"title": "a"}));
        assert_eq!(change.common, Common::Unknown);
        assert!(matches!(write, Write::Update { shares: None, .. }));
        assert_eq!(
            change.agreed,
            Some(Agreed::of(Class::Tasks, &object(json!({"title": "a"})), &[]).encode())
        );
        let (change, _) = completed(Class::Tasks, None, json!({"title": "b"}), json!({}));
        assert_eq!(change.common, Common::Everything);
    }
}
