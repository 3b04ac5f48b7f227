//! What was overridden when device and OX changed the same, kept for the user to read.
//!
//! Nothing that somebody wrote is lost without a trace: it is entered in the attention list of the device, and a mail to the
//! user has the values, by which he can put right what the option decided otherwise than he would have. A repeated request
//! tells nothing twice. What counts is decided elsewhere: in [`conflict`](crate::usm::conflict).

use std::fmt::Write as _;

use crate::content;
use crate::content::BodyOptions;
use crate::content::Class;
use crate::content::Context;
use crate::content::Ghosted;
use crate::content::date;
use crate::content::merge;
use crate::content::merge::Difference;
use crate::eas::ConflictNotes;
use crate::eas::command::Call;
use crate::eas::command::sync::changes::Changes;
use crate::eas::command::sync::request::Command;
use crate::eas::command::sync::shares;
use crate::eas::items::class_of;
use crate::eas::notice;
use crate::eas::status::Error;
use crate::ox::Module;
use crate::ox::Object;
use crate::usm::attention;
use crate::usm::attention::Cause;
use crate::usm::attention::Entry;
use crate::usm::collection;
use crate::usm::collection::Pending;
use crate::usm::ids;
use crate::usm::journal::fingerprint;
use crate::usm::loss::Loss;
use crate::usm::plan::Change;
use crate::usm::plan::What;
use crate::usm::write::Edit;
use crate::usm::write::Write;

/// The folder that is synced.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) collection: u32,
    pub(super) module: Module,
    /// Its id at OX.
    pub(super) folder: &'a str,
}

/// An item of which something was overridden.
struct Overridden {
    id: String,
    /// Under which the engine notes that its user was told.
    mark: Vec<u8>,
    subject: String,
    loss: Loss,
    /// What is lost, and what is in its place.
    values: Vec<Difference>,
}

/// How many items one mail lists.
const MOST: usize = 100;

/// Tells the user of what was overridden in an exchange, if he was not told before.
///
/// # Errors
/// Those of the store. A mail that OX does not take is no error: the list has what it says.
pub(super) async fn tell(
    call: &Call<'_>,
    place: &Place<'_>,
    changes: &Changes,
    commands: &[Command],
    pending: &Pending<'_>,
) -> Result<(), Error> {
    let mut items = Vec::new();
    for (index, loss) in pending.losses() {
        let Some(item) = overridden(call, place, changes, commands, (index, loss)) else {
            continue;
        };
        if !pending.is_noted(&item.mark).await? {
            items.push(item);
        }
    }
    if items.is_empty() {
        return Ok(());
    }
    for item in &items {
        log::info!(
            "{}: of two changes of item {} in {} folder {} one is not kept: {:?}",
            call.device_label(),
            item.id,
            place.module.name(),
            place.folder,
            item.loss
        );
    }
    if call.services.conflict_notes != ConflictNotes::Off {
        for item in &items {
            let entry = entry(call, place, item);
            attention::report(&call.device.store, call.device.id, &entry)
                .await
                .map_err(collection::Error::Store)?;
        }
    }
    if call.services.conflict_notes == ConflictNotes::Mail {
        let (subject, text) = (subject(&items), text(call, place.module, &items));
        if let Err(error) = notice::post(call, &subject, &text).await {
            log::warn!("{}: a notice is not stored: {subject}: {error}", call.device_label());
        }
    }
    for item in items {
        pending.note(item.mark, call.now).await?;
    }
    Ok(())
}

/// `None` if nothing of it can be shown, or nothing was lost after all.
fn overridden(
    call: &Call<'_>,
    place: &Place<'_>,
    changes: &Changes,
    commands: &[Command],
    (index, loss): (usize, Loss),
) -> Option<Overridden> {
    let class = class_of(place.module);
    let zone = &call.user.zone;
    let (change, write) = changes.list.get(index)?;
    let What::Change { id } = &change.what else {
        return None;
    };
    let (values, subject) = match (write, changes.current.get(id)) {
        (_, _) if class == Class::Email => return None,
        (
            Write::Update {
                fields,
                occurrences,
                shares,
                ..
            },
            Some(current),
        ) => {
            let all = || Edit {
                fields: fields.clone(),
                occurrences: occurrences.clone(),
                ..Edit::default()
            };
            let lost = match loss {
                Loss::OfDeviceInPart | Loss::OfOxInPart => shares::contested(shares.as_ref()?),
                Loss::OfDevice | Loss::OfDeviceWithItem | Loss::OfOx => all(),
            };
            let item = shares::item(class, current);
            let mut values = item.differences(&lost.fields, zone);
            for one in &lost.occurrences {
                values.extend(item.differences_of_occurrence(one.day, one.fields.as_ref(), zone));
            }
            (values, name_of(class, &current.object))
        }
        (_, None) => {
            let fields = sent(call, class, changes, commands, index)?;
            (merge::properties(class, &fields, zone), name_of(class, &fields))
        }
        _ => return None,
    };
    (!values.is_empty()).then(|| Overridden {
        id: id.clone(),
        mark: mark(change, id),
        subject,
        loss,
        values,
    })
}

/// What a device says of an item that OX does not have any more, as fields of an object.
fn sent(call: &Call<'_>, class: Class, changes: &Changes, commands: &[Command], index: usize) -> Option<Object> {
    let place = changes.of_command.iter().position(|change| *change == Some(index))?;
    let Some(Command::Change {
        data, instance: None, ..
    }) = commands.get(place)
    else {
        return None;
    };
    let (bodies, ghosted) = (BodyOptions::default(), Ghosted::Everything);
    let context = Context {
        version: call.version,
        quirks: call.quirks,
        user: &call.user,
        bodies: &bodies,
        now: call.now,
    };
    match class {
        Class::Contacts => content::contacts::to_ox(data, None, &ghosted, &context).ok(),
        Class::Tasks => content::tasks::to_ox(data, None, &ghosted, &context).ok(),
        Class::Calendar => {
            let write = content::calendar::to_ox(data, None, &ghosted, &context).ok()?;
            Some(write.fields)
        }
        Class::Email => None,
    }
}

fn name_of(class: Class, object: &Object) -> String {
    match content::stub::name_of(class, object) {
        "" => "(no name)".to_owned(),
        name => name.to_owned(),
    }
}

/// Neither letter nor digests are those under which writes are noted.
fn mark(change: &Change, id: &str) -> Vec<u8> {
    [
        b"N",
        fingerprint(id.as_bytes()).as_slice(),
        change.fingerprint.as_slice(),
    ]
    .concat()
}

impl Overridden {
    /// What is lost and what is kept of a value.
    fn sides<'a>(&self, value: &'a Difference) -> (&'a str, &'a str) {
        match self.loss {
            Loss::OfDevice | Loss::OfDeviceInPart | Loss::OfDeviceWithItem => (&value.device, &value.ox),
            Loss::OfOx | Loss::OfOxInPart => (&value.ox, &value.device),
        }
    }
}

fn entry(call: &Call<'_>, place: &Place<'_>, item: &Overridden) -> Entry {
    let whose = match item.loss {
        Loss::OfDevice | Loss::OfDeviceInPart => "changed elsewhere too, which is kept; not kept of the device",
        Loss::OfDeviceWithItem => "deleted elsewhere; not kept of the device",
        Loss::OfOx | Loss::OfOxInPart => "the device's change is kept; it replaced",
    };
    let lost = item.values.iter().map(|value| {
        let (lost, _) = item.sides(value);
        format!("{} {}", value.name, quoted(lost))
    });
    Entry {
        cause: Cause::Overridden,
        server_id: ids::server_id(place.collection, &item.id),
        folder: place.folder.to_owned(),
        subject: item.subject.clone(),
        reason: format!("{whose}: {}", lost.collect::<Vec<_>>().join("; ")),
        revision: 0,
        since: call.now,
    }
}

fn quoted(value: &str) -> String {
    match value.is_empty() {
        true => "(empty)".to_owned(),
        false => format!("\"{value}\""),
    }
}

fn subject(items: &[Overridden]) -> String {
    match items {
        [item] => format!("Two changes of {}: one was not kept", quoted(&item.subject)),
        _ => format!("Two changes of each of {} items: one was not kept", items.len()),
    }
}

fn text(call: &Call<'_>, module: Module, items: &[Overridden]) -> String {
    let time = date::readable(date::wall_clock(call.now, &call.user.zone));
    let request = call.request;
    let mut text = format!(
        "At {time} the device {} ({}) sent changes of what somebody else, or you yourself in the web interface or with \
         another device, had changed as well. Where both had changed the same, only one could be kept. What was not is \
         here, so that you can put it right by hand.\n",
        request.device_type, request.device_id
    );
    for item in items.iter().take(MOST) {
        let _ = write!(
            text,
            "\n{} {}\n{}\n",
            kind(module),
            quoted(&item.subject),
            what(item.loss)
        );
        for value in &item.values {
            let (lost, kept) = item.sides(value);
            let _ = write!(text, "\n{}\n    not kept: {}\n", value.name, indented(lost));
            if item.loss != Loss::OfDeviceWithItem {
                let _ = writeln!(text, "    kept: {}", indented(kept));
            }
        }
    }
    if let Some(more) = items.len().checked_sub(MOST).filter(|more| *more > 0) {
        let _ = write!(text, "\nAnd {more} more items.\n");
    }
    text
}

const fn kind(module: Module) -> &'static str {
    match module {
        Module::Mail => "Mail",
        Module::Calendar => "Appointment",
        Module::Contacts => "Contact",
        Module::Tasks => "Task",
    }
}

const fn what(loss: Loss) -> &'static str {
    match loss {
        Loss::OfDevice => "What had been changed elsewhere is kept, and nothing of what the device had changed.",
        Loss::OfDeviceInPart => "What had been changed elsewhere is kept; so is what the device alone had changed.",
        Loss::OfDeviceWithItem => "It had been deleted elsewhere, and stays deleted. The device had:",
        Loss::OfOx => "What the device had is kept. This is what it replaced:",
        Loss::OfOxInPart => "What the device had changed is kept; so is what had been changed elsewhere alone.",
    }
}

fn indented(value: &str) -> String {
    match value {
        "" => "(empty)".to_owned(),
        _ => value.replace('\n', "\n        "),
    }
}
