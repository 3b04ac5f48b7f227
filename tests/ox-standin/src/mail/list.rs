//! Lists of mails: `all`, `list`, `count`, `examine`.
//!
//! Implements those actions of the chapter "Mail" of the OX HTTP API. Mails marked as deleted are listed like others.

use crate::call::Answer;
use crate::call::Call;
use crate::error::OxError;
use crate::fields::Column;
use crate::mail;
use crate::mail::fields;
use crate::mail::fields::View;
use crate::mail::store::flag;
use crate::pim::read::compare;
use crate::profile::Profile;
use crate::world::World;
use serde_json::Value;
use serde_json::json;

/// `all`: rows of a folder, newest first unless asked otherwise.
pub(super) fn all(world: &World, call: &Call) -> Result<Answer, OxError> {
    let name = mail::full_name(call.require("folder")?)?;
    let folder = mail::folder(mail::mailbox(world, call.user)?, &name)?;
    let columns = columns(world, call)?;
    let views = folder.mails.iter().map(|(uid, mail)| View {
        folder: &name,
        uid: *uid,
        mail,
        zone: &call.zone,
    });
    let views = views.filter(|view| wanted(call, view)).collect();
    let views = call.limited(sorted(call, views)?)?;
    Ok(Answer::data(
        views
            .into_iter()
            .map(|view| fields::row(view, &columns))
            .collect::<Vec<Value>>(),
    ))
}

/// `unseen=true` and `deleted=false` of newer servers.
fn wanted(call: &Call, view: &View) -> bool {
    let hides_seen = call.flag("unseen") && view.mail.seen();
    let hides_deleted = call.parameter("deleted") == Some("false") && view.mail.flags & flag::DELETED != 0;
    !hides_seen && !hides_deleted
}

/// Sorts by the column `sort`, by default by arrival, newest first. `sort` needs `order`.
pub(super) fn sorted<'a>(call: &Call, mut views: Vec<View<'a>>) -> Result<Vec<View<'a>>, OxError> {
    let (column, descending) = match call.parameter("sort") {
        None => (610, true),
        Some("thread") => (610, true),
        Some(_) => {
            let column = u32::try_from(call.require_number("sort")?).unwrap_or(610);
            (column, call.require("order")?.eq_ignore_ascii_case("desc"))
        }
    };
    if column == 610 {
        views.sort_by_key(|view| (view.mail.received, view.uid));
    } else {
        let column = Column::Number(column);
        views.sort_by_cached_key(|view| SortKey(fields::cell(*view, &column), view.uid));
    }
    if descending {
        views.reverse();
    }
    Ok(views)
}

/// A value that sorts as columns do; equal values stand in order of their UIDs.
struct SortKey(Value, u32);

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        compare(Some(&first_text(&self.0)), Some(&first_text(&other.0))).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SortKey {}

/// Addresses sort by their first name or address.
fn first_text(value: &Value) -> Value {
    let Some(first) = value.as_array().and_then(|list| list.first()) else {
        return value.clone();
    };
    let name = first.get(0).filter(|name| !name.is_null()).or_else(|| first.get(1));
    name.cloned().unwrap_or_default()
}

/// The asked columns; newer servers know aliases.
pub(super) fn columns(world: &World, call: &Call) -> Result<Vec<Column>, OxError> {
    match call.require("columns")? {
        "all" | "list" if world.profile() >= Profile::V7_8 => Ok(Column::list("600,601")),
        text => {
            let headers = call.parameter("headers").unwrap_or("");
            Ok(Column::list(&format!("{text},{headers}")))
        }
    }
}

/// `list`: rows of named mails in the order asked; those that have gone are `null`, or left out by old servers.
pub(super) fn list(world: &World, call: &Call) -> Result<Answer, OxError> {
    let columns = columns(world, call)?;
    let mailbox = mail::mailbox(world, call.user)?;
    let mut rows = Vec::new();
    for entry in call.json_array()? {
        let found = mail::reference(&entry)
            .and_then(|(folder, uid)| mailbox.mail(&folder, uid).map(|mail| (folder, uid, mail)));
        match found {
            Some((folder, uid, mail)) => {
                rows.push(fields::row(
                    View {
                        folder: &folder,
                        uid,
                        mail,
                        zone: &call.zone,
                    },
                    &columns,
                ));
            }
            None if world.profile() >= Profile::V7_8 => rows.push(Value::Null),
            None => {}
        }
    }
    Ok(Answer::data(rows))
}

/// `count`: number of mails, or of unseen ones.
pub(super) fn count(world: &World, call: &Call) -> Result<Answer, OxError> {
    let name = mail::full_name(call.require("folder")?)?;
    let folder = mail::folder(mail::mailbox(world, call.user)?, &name)?;
    let unseen = call.flag("unseen");
    Ok(Answer::data(
        folder.mails.values().filter(|mail| !unseen || !mail.seen()).count(),
    ))
}

/// `examine`: UIDVALIDITY, UIDNEXT and counters as texts.
pub(super) fn examine(world: &World, call: &Call) -> Result<Answer, OxError> {
    let name = mail::full_name(call.require("folder")?)?;
    let folder = mail::folder(mail::mailbox(world, call.user)?, &name)?;
    let unread = folder.mails.values().filter(|mail| !mail.seen()).count();
    Ok(Answer::data(json!({
        "validity": folder.validity.to_string(),
        "total": folder.mails.len().to_string(),
        "unread": unread.to_string(),
        "next": folder.next_uid.to_string(),
    })))
}
