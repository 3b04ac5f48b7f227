//! What was overridden when device and OX changed the same, kept for the user to read.
//!
//! Nothing that somebody wrote is lost without a trace: it is entered in the attention list of the device, and a mail to the
//! user has the values, by which he can put right what the option decided otherwise than he would have. What OX loses is noted
//! before it is overridden, and a repeated request tells what the one before it did not come to, and nothing twice
//! ([`telling`](crate::usm::telling)). What counts is decided elsewhere: in [`conflict`](crate::usm::conflict).

use std::fmt::Write as _;

use serde::Deserialize;
use serde::Serialize;

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
use crate::usm::collection::Decided;
use crate::usm::collection::Pending;
use crate::usm::ids;
use crate::usm::loss::Loss;
use crate::usm::telling::Begun;
use crate::usm::telling::Of;
use crate::usm::write::Edit;
use crate::usm::write::Write;

/// The changes of a device in one folder, of which something may be overridden.
#[derive(Clone, Copy)]
pub(super) struct Overridden<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) collection: u32,
    pub(super) module: Module,
    /// Its id at OX.
    pub(super) folder: &'a str,
    pub(super) changes: &'a Changes,
    pub(super) commands: &'a [Command],
}

/// What is lost of an item. It is noted as JSON, before the write that loses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lost {
    id: String,
    subject: String,
    loss: Loss,
    /// When the device came with its change; milliseconds since 1970.
    at: i64,
    /// What is lost, and what is in its place.
    values: Vec<Difference>,
    /// The request with it was interrupted, and it is not sure that the write was carried out.
    #[serde(skip)]
    is_unsure: bool,
}

/// How many items one mail lists.
const MOST: usize = 100;

/// Most bytes of a note: somewhat less than the store takes.
const LONGEST_NOTE: usize = 1000 * 1024;

/// How many values are noted, and how many characters of each: the first row that makes a note which is short enough.
const CUTS: [(usize, usize); 4] = [(usize::MAX, usize::MAX), (1000, 10_000), (1000, 100), (100, 100)];

impl Overridden<'_> {
    /// Notes what OX is going to lose by the writes: should we die behind them, nobody else has it.
    ///
    /// # Errors
    /// Those of the store, and that another gateway has the same request.
    pub(super) async fn foresee(&self, decided: &mut Decided<'_>) -> Result<(), Error> {
        if self.call.services.conflict_notes == ConflictNotes::Off {
            return Ok(());
        }
        for (index, loss) in decided.losses() {
            if let Some(lost) = self.lost(index, loss) {
                decided.foresee(index, loss, lost.encode()).await?;
            }
        }
        Ok(())
    }

    /// Tells the user of what was overridden, if he was not told before; in a request before this one as well, if it did not
    /// come to its end.
    ///
    /// # Errors
    /// Those of the store, and that another gateway tells. A mail that OX does not take is no error: the list has what it
    /// says.
    pub(super) async fn tell(&self, pending: &mut Pending<'_>) -> Result<(), Error> {
        let (mut names, mut items) = (Vec::new(), Vec::new());
        for untold in pending.untold() {
            let item = match &untold.of {
                Of::This { place, loss } => self.lost(*place, *loss),
                Of::Earlier { words, is_certain } => Lost::decode(words, *is_certain),
            };
            if let Some(item) = item {
                names.push(untold.name.clone());
                items.push(item);
            }
        }
        if items.is_empty() {
            return Ok(());
        }
        let begun = pending.begin_telling(&names).await?;
        self.log(&items);
        if self.call.services.conflict_notes != ConflictNotes::Off {
            self.enter(&items).await?;
        }
        if self.call.services.conflict_notes == ConflictNotes::Mail {
            self.post(&items, begun).await;
        }
        pending.end_telling(names).await?;
        Ok(())
    }

    fn log(&self, items: &[Lost]) {
        for item in items {
            log::info!(
                "{}: of two changes of item {} in {} folder {} one is not kept: {:?}",
                self.call.device_label(),
                item.id,
                self.module.name(),
                self.folder,
                item.loss
            );
        }
    }

    /// Enters them in the list: one entry an item, whatever happened to it.
    async fn enter(&self, items: &[Lost]) -> Result<(), Error> {
        let mut entries: Vec<Entry> = Vec::new();
        for item in items {
            let entry = self.entry(item);
            match entries.iter_mut().find(|earlier| earlier.server_id == entry.server_id) {
                Some(earlier) => earlier.reason = format!("{}. Before: {}", entry.reason, earlier.reason),
                None => entries.push(entry),
            }
        }
        for entry in entries {
            attention::report(&self.call.device.store, self.call.device.id, &entry)
                .await
                .map_err(collection::Error::Store)?;
        }
        Ok(())
    }

    async fn post(&self, items: &[Lost], begun: Begun) {
        let (subject, text) = (subject(items), self.text(items));
        let name: String = begun.mark.iter().map(|byte| format!("{byte:02x}")).collect();
        let posted = notice::post_once(self.call, &name, begun.is_again, &subject, &text).await;
        if let Err(error) = posted {
            log::warn!(
                "{}: a notice is not stored: {subject}: {error}",
                self.call.device_label()
            );
        }
    }

    /// What is lost of a change; `None` if nothing of it can be shown, or nothing is lost after all.
    fn lost(&self, index: usize, loss: Loss) -> Option<Lost> {
        let class = class_of(self.module);
        let zone = &self.call.user.zone;
        let (change, write) = self.changes.list.get(index)?;
        let id = change.what.id()?;
        let (values, subject) = match (write, self.changes.current.get(id)) {
            (_, _) if class == Class::Email => return None,
            (Write::Delete { .. }, Some(current)) => {
                let values = self.changes.deleted.get(id)?.clone();
                (values, name_of(class, &current.object))
            }
            (Write::Delete { .. }, None) => return None,
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
                    Loss::OfDevice | Loss::OfDeviceWithItem | Loss::OfOx | Loss::OfOxWithItem => all(),
                };
                let item = shares::item(class, current);
                let mut values = item.differences(&lost.fields, zone);
                for one in &lost.occurrences {
                    values.extend(item.differences_of_occurrence(one.day, one.fields.as_ref(), zone));
                }
                (values, name_of(class, &current.object))
            }
            (_, None) => {
                let fields = self.sent(class, index)?;
                (merge::properties(class, &fields, zone), name_of(class, &fields))
            }
            _ => return None,
        };
        (!values.is_empty()).then(|| Lost {
            id: id.clone(),
            subject,
            loss,
            at: self.call.now,
            values,
            is_unsure: false,
        })
    }

    /// What a device says of an item that OX does not have any more, as fields of an object.
    fn sent(&self, class: Class, index: usize) -> Option<Object> {
        let call = self.call;
        let place = self
            .changes
            .of_command
            .iter()
            .position(|change| *change == Some(index))?;
        let Some(Command::Change {
            data, instance: None, ..
        }) = self.commands.get(place)
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

    fn entry(&self, item: &Lost) -> Entry {
        let whose = match item.loss {
            Loss::OfDevice | Loss::OfDeviceInPart => "changed elsewhere too, which is kept; not kept of the device",
            Loss::OfDeviceWithItem => "deleted elsewhere; not kept of the device",
            Loss::OfOx | Loss::OfOxInPart => "the device's change is kept; it replaced",
            Loss::OfOxWithItem => "deleted by the device; changed elsewhere before",
        };
        let lost = item.values.iter().map(|value| {
            let (lost, _) = item.sides(value);
            format!("{} {}", value.name, quoted(lost))
        });
        Entry {
            cause: Cause::Overridden,
            server_id: ids::server_id(self.collection, &item.id),
            folder: self.folder.to_owned(),
            subject: item.subject.clone(),
            reason: format!("{whose}: {}", lost.collect::<Vec<_>>().join("; ")),
            revision: 0,
            since: item.at,
        }
    }

    fn text(&self, items: &[Lost]) -> String {
        let first = items.iter().map(|item| item.at).min().unwrap_or(self.call.now);
        let time = date::readable(date::wall_clock(first, &self.call.user.zone));
        let request = self.call.request;
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
                kind(self.module),
                quoted(&item.subject),
                what(item.loss)
            );
            if item.is_unsure {
                text.push_str(UNSURE);
            }
            for value in &item.values {
                let (lost, kept) = item.sides(value);
                let _ = write!(text, "\n{}\n    not kept: {}\n", value.name, indented(lost));
                if !matches!(item.loss, Loss::OfDeviceWithItem | Loss::OfOxWithItem) {
                    let _ = writeln!(text, "    kept: {}", indented(kept));
                }
            }
        }
        if let Some(more) = items.len().checked_sub(MOST).filter(|more| *more > 0) {
            let _ = write!(text, "\nAnd {more} more items.\n");
        }
        text
    }
}

fn name_of(class: Class, object: &Object) -> String {
    match content::stub::name_of(class, object) {
        "" => "(no name)".to_owned(),
        name => name.to_owned(),
    }
}

impl Lost {
    /// At most [`LONGEST_NOTE`] bytes.
    fn encode(&self) -> Vec<u8> {
        let encoded = CUTS.map(|(values, characters)| {
            let mut lost = self.clone();
            lost.values.truncate(values);
            for value in &mut lost.values {
                for side in [&mut value.device, &mut value.ox] {
                    cut(side, characters);
                }
            }
            serde_json::to_vec(&lost).unwrap_or_default()
        });
        let short = encoded.into_iter().find(|note| note.len() <= LONGEST_NOTE);
        short.unwrap_or_default()
    }

    fn decode(words: &[u8], is_certain: bool) -> Option<Self> {
        let lost: Self = serde_json::from_slice(words).ok()?;
        Some(Self {
            is_unsure: !is_certain,
            ..lost
        })
    }

    /// What is lost and what is kept of a value.
    fn sides<'a>(&self, value: &'a Difference) -> (&'a str, &'a str) {
        match self.loss {
            Loss::OfDevice | Loss::OfDeviceInPart | Loss::OfDeviceWithItem => (&value.device, &value.ox),
            Loss::OfOx | Loss::OfOxInPart | Loss::OfOxWithItem => (&value.ox, &value.device),
        }
    }
}

fn quoted(value: &str) -> String {
    match value.is_empty() {
        true => "(empty)".to_owned(),
        false => format!("\"{value}\""),
    }
}

fn subject(items: &[Lost]) -> String {
    match items {
        [item] => format!("Two changes of {}: one was not kept", quoted(&item.subject)),
        _ => format!("Two changes of each of {} items: one was not kept", items.len()),
    }
}

fn cut(text: &mut String, characters: usize) {
    if let Some((end, _)) = text.char_indices().nth(characters) {
        text.truncate(end);
        text.push_str(" [...]");
    }
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
        Loss::OfOxWithItem => "The device deleted it, and it stays deleted. Elsewhere had been changed:",
    }
}

/// What is said of a write of which nobody knows.
const UNSURE: &str = "The gateway was interrupted at that moment: please look which of both the item has now.\n";

fn indented(value: &str) -> String {
    match value {
        "" => "(empty)".to_owned(),
        _ => value.replace('\n', "\n        "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(values: usize, characters: usize) -> Lost {
        let value = |number: usize| Difference {
            name: format!("Value {number}"),
            device: "\u{fc}".repeat(characters),
            ox: "\u{1}".repeat(characters),
        };
        Lost {
            id: "9".to_owned(),
            subject: "Berg, Ada".to_owned(),
            loss: Loss::OfOxInPart,
            at: 1_700_000_000_000,
            values: (0..values).map(value).collect(),
            is_unsure: false,
        }
    }

    #[test]
    fn a_note_is_never_too_long() {
        // Values, characters of each, values that are noted, characters of each but for the mark of a cut.
        let cases = [
            (3, 100, 3, 100),
            (3, 1_000_000, 3, 10_000),
            (2_000, 1_000, 1_000, 100),
            (2_000, 100, 1_000, 100),
        ];
        for (values, characters, noted, most) in cases {
            let words = lost(values, characters).encode();
            assert!(words.len() <= LONGEST_NOTE, "{values} of {characters}: {}", words.len());
            let read = Lost::decode(&words, false).unwrap();
            assert!(read.is_unsure);
            assert_eq!(read.values.len(), noted, "{values} of {characters}");
            let kept = read.values[0].device.trim_end_matches(" [...]").chars().count();
            assert_eq!(kept, most, "{values} of {characters}");
        }
        let short = lost(3, 100);
        assert_eq!(Lost::decode(&short.encode(), true), Some(short));
        assert_eq!(Lost::decode(b"", true), None);
    }
}
