//! What a device did, as writes to OX.
//!
//! The objects that a device changed are read first, because what it leaves out must survive. What cannot be converted
//! becomes a refused write: the device is told for this item, and the others go on.

use std::collections::HashMap;

use crate::content;
use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::agreed::Agreed;
use crate::content::merge::Difference;
use crate::eas::command::Call;
use crate::eas::command::sync::drafts::Drafts;
use crate::eas::command::sync::request::Command;
use crate::eas::command::sync::shares;
use crate::eas::items::Items;
use crate::eas::items::class_of;
use crate::eas::options::Options;
use crate::eas::status::Error;
use crate::ox::Fetched;
use crate::ox::Module;
use crate::ox::Object;
use crate::ox::Wanted;
use crate::ox::columns::common;
use crate::usm::collection::Looked;
use crate::usm::conflict::Common;
use crate::usm::ids;
use crate::usm::journal::fingerprint;
use crate::usm::plan::Change;
use crate::usm::plan::What;
use crate::usm::write::Occurrence;
use crate::usm::write::Write;
use crate::version::ProtocolVersion;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage::calendar;

/// Where the commands come from.
pub(super) struct Source<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) collection: u32,
    pub(super) module: Module,
    /// The folder's id at OX.
    pub(super) folder: &'a str,
    /// The sync key that the device sent.
    pub(super) key: u64,
    pub(super) deletes_as_moves: bool,
    pub(super) options: &'a Options,
    /// OX ids of the items the device has.
    pub(super) known: &'a [String],
    /// Mails of this folder are drafts, and the device may write them.
    pub(super) takes_drafts: bool,
}

/// The device's changes, and which of them each command became.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) list: Vec<(Change, Write)>,
    /// `None`: a Fetch, a text message, or an id that is nobody's.
    pub(super) of_command: Vec<Option<usize>>,
    /// The objects that the device changed, as OX had them before; those that it deleted, if OX had changed them.
    pub(super) current: HashMap<String, Fetched>,
    /// Of those that it deleted, what OX had changed.
    pub(super) deleted: HashMap<String, Vec<Difference>>,
}

pub(super) async fn read(
    source: &Source<'_>,
    looked: &Looked<'_>,
    items: &Items<'_>,
    commands: &[Command],
) -> Result<Changes, Error> {
    let current = source.current(looked, items, commands).await?;
    let drafts = Drafts::read(source, looked, commands).await?;
    let mut changes = Changes::default();
    for command in commands {
        let change = source.change(command, &current, drafts.as_ref());
        let index = change.map(|(change, write)| changes.push(change, write));
        changes.of_command.push(index);
    }
    for (change, write) in &mut changes.list {
        let (current, agreed) = match &change.what {
            What::Change { id } => (current.get(id), looked.agreed(id)),
            What::Add { .. } | What::Delete { .. } => (None, None),
        };
        shares::complete(class_of(source.module), change, write, current, agreed);
    }
    changes.deleted = source.deleted(looked, commands, &current);
    changes.current = current;
    Ok(changes)
}

impl Changes {
    /// The UID that a new appointment got.
    pub(super) fn uid(&self, index: usize) -> Option<&str> {
        match self.list.get(index) {
            Some((_, Write::Create { object, .. })) => object.text(common::UID),
            _ => None,
        }
    }

    /// Occurrences of one series are one change, whatever the number of commands; and a ClientId stands for one item.
    fn push(&mut self, change: Change, write: Write) -> usize {
        if matches!(change.what, What::Add { .. })
            && let Some(index) = self.list.iter().position(|(earlier, _)| earlier.what == change.what)
        {
            return index;
        }
        if let Write::Update {
            fields, occurrences, ..
        } = &write
            && fields.is_empty()
            && let Some(index) = self.list.iter().position(|(earlier, _)| earlier.what == change.what)
            && let Some((earlier, Write::Update { occurrences: all, .. })) = self.list.get_mut(index)
        {
            all.extend(occurrences.iter().cloned());
            earlier.fingerprint = fingerprint(&[earlier.fingerprint, change.fingerprint].concat());
            return index;
        }
        self.list.push((change, write));
        self.list.len() - 1
    }
}

impl Source<'_> {
    /// The objects that the device changed, as OX has them now, and those that it deletes and OX has changed; mail needs
    /// none.
    async fn current(
        &self,
        looked: &Looked<'_>,
        items: &Items<'_>,
        commands: &[Command],
    ) -> Result<HashMap<String, Fetched>, Error> {
        let mut wanted = Vec::new();
        for command in commands {
            let id = match command {
                Command::Change { server_id, .. }
                | Command::Delete {
                    server_id,
                    instance: Some(_),
                } => self.ox_id(server_id),
                Command::Delete { server_id, .. } => self.ox_id(server_id).filter(|id| looked.is_changed(id)),
                _ => None,
            };
            if let Some(item) = id.as_deref().and_then(|id| looked.item(id)) {
                wanted.push(Wanted::from(item));
            }
        }
        wanted.sort_by(|a, b| a.id.cmp(&b.id));
        wanted.dedup();
        if self.module == Module::Mail || wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let fetched = items.fetch(&wanted).await?;
        Ok(fetched
            .into_iter()
            .flatten()
            .map(|item| (item.id.clone(), item))
            .collect())
    }

    /// What OX has changed of objects that the device deletes.
    fn deleted(
        &self,
        looked: &Looked<'_>,
        commands: &[Command],
        current: &HashMap<String, Fetched>,
    ) -> HashMap<String, Vec<Difference>> {
        let deleted = commands.iter().filter_map(|command| match command {
            Command::Delete {
                server_id,
                instance: None,
            } => self.ox_id(server_id),
            _ => None,
        });
        let changed = deleted.filter_map(|id| {
            let item = shares::item(class_of(self.module), current.get(&id)?);
            let agreed = looked.agreed(&id).and_then(Agreed::decode);
            let changed = item.changed(agreed.as_ref(), &self.call.user.zone);
            Some((id, changed))
        });
        changed.collect()
    }

    fn change(
        &self,
        command: &Command,
        current: &HashMap<String, Fetched>,
        drafts: Option<&Drafts>,
    ) -> Option<(Change, Write)> {
        let version = self.call.version;
        let (what, said, write) = match command {
            Command::Fetch { .. } | Command::TextMessage { .. } => return None,
            Command::Add { client_id, data, send } => {
                let what = What::Add {
                    client_id: client_id.clone(),
                };
                let said = said(data, None, *send, version);
                let write = match drafts {
                    Some(drafts) => drafts.write(self, &what, data, *send, &said),
                    None => self.create(data, client_id, &said),
                };
                (what, said, write)
            }
            Command::Change {
                server_id,
                instance,
                data,
                send,
            } => {
                let id = self.ox_id(server_id)?;
                let said = said(data, instance.as_deref(), *send, version);
                let what = What::Change { id: id.clone() };
                let write = match drafts.filter(|_| *send || content::email::edits_draft(data)) {
                    Some(drafts) => drafts.write(self, &what, data, *send, &said),
                    None => self.update(data, instance.as_deref(), current.get(&id)),
                };
                (what, said, write)
            }
            Command::Delete {
                server_id,
                instance: Some(instance),
            } => {
                let id = self.ox_id(server_id)?;
                let write = self.occurrence(instance, None, current.get(&id));
                (What::Change { id }, instance.clone().into_bytes(), write)
            }
            Command::Delete {
                server_id,
                instance: None,
            } => {
                let id = self.ox_id(server_id)?;
                (
                    What::Delete { id },
                    Vec::new(),
                    Ok(Write::Delete {
                        hard: !self.deletes_as_moves,
                    }),
                )
            }
        };
        let write = write.unwrap_or_else(|reason| {
            log::warn!(
                "{}: a change of the device is refused: {reason}",
                self.call.device_label()
            );
            Write::Refused
        });
        let change = Change {
            what,
            fingerprint: fingerprint(&said),
            common: Common::Unknown,
            agreed: None,
        };
        Some((change, write))
    }

    fn create(&self, data: &Element, client_id: &str, said: &[u8]) -> Result<Write, Unconvertible> {
        let context = self.context();
        let ghosted = &self.options.ghosted;
        let (object, occurrences) = match self.module {
            Module::Contacts => (content::contacts::to_ox(data, None, ghosted, &context)?, Vec::new()),
            Module::Tasks => (content::tasks::to_ox(data, None, ghosted, &context)?, Vec::new()),
            Module::Calendar => {
                let mut write = content::calendar::to_ox(data, None, ghosted, &context)?;
                if !write.fields.has(common::UID) {
                    write.fields.set(common::UID, self.uid(data, client_id, said));
                }
                (write.fields, write.occurrences.into_iter().map(occurrence).collect())
            }
            Module::Mail => return Err(Unconvertible("mail is sent, not added".to_owned())),
        };
        Ok(Write::Create { object, occurrences })
    }

    /// The UID of an appointment whose device leaves it to us: the same when the request is repeated, so that OX knows it
    /// again. ClientUid marks a repetition across requests.
    fn uid(&self, data: &Element, client_id: &str, said: &[u8]) -> String {
        let mark = match data.child_text(calendar::CLIENT_UID).map(str::trim) {
            Some(uid) if !uid.is_empty() => format!("user {} uid {uid}", self.call.user.id).into_bytes(),
            _ => [
                format!("{:?} {} {} ", self.call.device.id, self.key, client_id).as_bytes(),
                said,
            ]
            .concat(),
        };
        fingerprint(&mark).iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn update(
        &self,
        data: &Element,
        instance: Option<&str>,
        current: Option<&Fetched>,
    ) -> Result<Write, Unconvertible> {
        if self.module == Module::Mail {
            let change = content::email::to_ox(data)?;
            return Ok(Write::Flags {
                set: change.set,
                clear: change.clear,
            });
        }
        if let Some(instance) = instance {
            return self.occurrence(instance, Some(data), current);
        }
        // Gone meanwhile: the plan knows, and nothing of this is written.
        let Some(Fetched { object, parts, .. }) = current else {
            return Ok(Write::Refused);
        };
        let context = self.context();
        let ghosted = &self.options.ghosted;
        let plain = |fields| Write::Update {
            fields,
            occurrences: Vec::new(),
            resend: false,
            shares: None,
        };
        Ok(match self.module {
            Module::Contacts => plain(content::contacts::to_ox(data, Some(object), ghosted, &context)?),
            Module::Tasks => plain(content::tasks::to_ox(data, Some(object), ghosted, &context)?),
            _ => {
                let write = content::calendar::to_ox(data, Some((object, parts)), ghosted, &context)?;
                Write::Update {
                    fields: write.fields,
                    occurrences: write.occurrences.into_iter().map(occurrence).collect(),
                    resend: write.refused,
                    shares: None,
                }
            }
        })
    }

    /// From 16.0 on, one occurrence of a series is changed or deleted by a command of its own.
    fn occurrence(
        &self,
        instance: &str,
        data: Option<&Element>,
        current: Option<&Fetched>,
    ) -> Result<Write, Unconvertible> {
        if self.module != Module::Calendar {
            return Err(Unconvertible("InstanceId of what is no appointment".to_owned()));
        }
        let Some(Fetched { object, parts, .. }) = current else {
            return Ok(Write::Refused);
        };
        let change = content::calendar::instance_to_ox(instance, data, (object, parts), &self.context())?;
        Ok(Write::Update {
            fields: Object::new(),
            occurrences: vec![occurrence(change)],
            resend: false,
            shares: None,
        })
    }

    pub(super) fn ox_id(&self, server_id: &str) -> Option<String> {
        ids::ox_id(self.collection, server_id, self.known.iter().map(String::as_str))
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            version: self.call.version,
            quirks: self.call.quirks,
            user: &self.call.user,
            bodies: &self.options.bodies,
            now: self.call.now,
        }
    }
}

/// The bytes of a command, by which its repetition is known.
fn said(data: &Element, instance: Option<&str>, send: bool, version: ProtocolVersion) -> Vec<u8> {
    let mut said = wbxml::encode(data, version);
    said.extend_from_slice(instance.unwrap_or_default().as_bytes());
    said.extend_from_slice(if send { b"send" } else { b"" });
    said
}

fn occurrence(change: content::calendar::Occurrence) -> Occurrence {
    let fields = match change.change {
        content::calendar::OccurrenceChange::Deleted => None,
        content::calendar::OccurrenceChange::Changed(fields) => Some(fields),
    };
    Occurrence {
        day: change.day,
        fields,
    }
}
