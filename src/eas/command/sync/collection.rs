//! One collection of a Sync.

mod delivery;

use std::collections::HashMap;

use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::eas::command::Call;
use crate::eas::command::sync::brake;
use crate::eas::command::sync::changes;
use crate::eas::command::sync::changes::Changes;
use crate::eas::command::sync::deadline::Deadline;
use crate::eas::command::sync::drafts;
use crate::eas::command::sync::overridden::Overridden;
use crate::eas::command::sync::request;
use crate::eas::command::sync::request::Command;
use crate::eas::command::sync::response;
use crate::eas::items::Items;
use crate::eas::items::Loaded;
use crate::eas::items::Wanted;
use crate::eas::items::class_of;
use crate::eas::items::filter;
use crate::eas::items::size;
use crate::eas::options::Options;
use crate::eas::options::Sticky;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Module;
use crate::usm::collection;
use crate::usm::collection::Committed;
use crate::usm::collection::Looked;
use crate::usm::collection::Opened;
use crate::usm::ids;
use crate::usm::plan;
use crate::usm::settle::Answer;
use crate::version::ProtocolVersion::V14_0;
use crate::version::ProtocolVersion::V16_0;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync as tag;
use crate::wbxml::codepage::calendar;

/// An answer is ended when its items are larger than this, in bytes of text: what is left comes with the next.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// ConversationMode came with this version.
const HAS_CONVERSATIONS: VersionRange = VersionRange::since(V14_0);

/// In these versions the server makes the UID of an appointment, and says so in the answer to its Add.
const RETURNS_UID: VersionRange = VersionRange::since(V16_0);

/// How often a folder is looked at because somebody changes at OX what the device is changing.
const MOST_LOOKS: usize = 3;

/// Items fetched at a time.
const FETCH: usize = 100;

/// The same where each costs a call of its own: between two fetches it is seen whether there is time for more.
const FETCH_SOURCES: usize = 10;

/// What still fits into the answer, over all collections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    items: usize,
    /// Of text, roughly.
    bytes: usize,
}

impl Room {
    pub(super) const fn new(items: usize) -> Self {
        Self {
            items,
            bytes: LARGEST_ANSWER,
        }
    }

    fn window(&self, wanted: usize) -> usize {
        if self.bytes == 0 { 0 } else { wanted.min(self.items) }
    }

    fn take(&mut self, commands: &[Element]) {
        self.items = self.items.saturating_sub(commands.len());
        self.bytes = self.bytes.saturating_sub(commands.iter().map(size).sum());
    }
}

/// Serves one collection, as far as there is room.
pub(super) async fn sync(
    call: &Call<'_>,
    wanted: &request::Collection,
    room: &mut Room,
    deadline: Deadline,
) -> Result<response::Collection, Error> {
    let failed = |status, class| response::Collection {
        class,
        ..response::Collection::failed(&wanted.id, &wanted.sync_key, status)
    };
    let Some((id, module, folder)) = call.folder(&wanted.id).await? else {
        return Ok(failed(response::HIERARCHY_CHANGED, wanted.class));
    };
    let one = One {
        call,
        wanted,
        id,
        module,
        folder: &folder,
        deadline,
    };
    let mut looks = 0;
    loop {
        looks += 1;
        match one.run(*room, looks < MOST_LOOKS).await {
            Ok(answer) => {
                room.take(&answer.commands);
                return Ok(answer);
            }
            Err(Failure::Overtaken) => {}
            Err(Failure::Status(status)) => return Ok(failed(status, Some(class_of(module)))),
            Err(Failure::Whole(error)) => return Err(error),
        }
    }
}

/// How much of what the device lacks goes out.
#[derive(Clone, Copy)]
struct Opening {
    /// Items.
    window: usize,
    /// Of text, roughly.
    bytes: usize,
    /// The key that the device came with.
    sent_key: u64,
}

/// Why a collection is not served.
enum Failure {
    /// The device is told so for this collection.
    Status(i64),
    /// Somebody was faster: what was decided is not true any more.
    Overtaken,
    Whole(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Whole(error)
    }
}

impl From<collection::Error> for Failure {
    fn from(error: collection::Error) -> Self {
        match error {
            collection::Error::UnknownKey => Self::Status(response::INVALID_SYNC_KEY),
            collection::Error::Overtaken => Self::Overtaken,
            // The folder is gone: the device has to look at the tree.
            collection::Error::Ox(error) if error.kind == ox::ErrorKind::NotFound => {
                Self::Status(response::HIERARCHY_CHANGED)
            }
            error => Self::Whole(error.into()),
        }
    }
}

/// A collection that is being served.
struct One<'a> {
    call: &'a Call<'a>,
    wanted: &'a request::Collection,
    id: u32,
    module: Module,
    folder: &'a str,
    deadline: Deadline,
}

impl One<'_> {
    /// `looks_again`: it can be run once more, and what was written is known then.
    async fn run(&self, room: Room, looks_again: bool) -> Result<response::Collection, Failure> {
        let collection = self.call.collection(self.id, self.module, self.folder);
        let has_conversations = self.module == Module::Mail && HAS_CONVERSATIONS.contains(self.call.version);
        if self.wanted.conversations.is_some() && !has_conversations {
            return Err(Failure::Status(response::PROTOCOL_ERROR));
        }
        if self.wanted.sync_key == "0" {
            // The first key brings nothing but itself.
            if self.wanted.wants_changes {
                return Err(Failure::Status(response::PROTOCOL_ERROR));
            }
            let sticky = self.sticky(&[]);
            self.options(&sticky)?;
            let key = collection
                .reset(sticky.to_bytes(self.call.version), self.call.now)
                .await?;
            self.forget_withheld().await?;
            return Ok(self.answer(key));
        }
        let key = self
            .wanted
            .sync_key
            .parse()
            .map_err(|_| Failure::Status(response::INVALID_SYNC_KEY))?;
        let opened = collection.open(key).await?;
        let sticky = self.sticky(opened.options());
        let options = self.options(&sticky)?;
        self.exchange(opened, &sticky, &options, room, looks_again).await
    }

    /// What the device asks for now, else what it asked for last.
    fn sticky(&self, stored: &[u8]) -> Sticky {
        let mut sticky = Sticky::from_bytes(stored);
        if self.wanted.sync_key == "0" {
            sticky.supported.clone_from(&self.wanted.supported);
        }
        if let Some(new) = self.wanted.options.clone() {
            sticky.replace(new, class_of(self.module));
        }
        sticky.conversations = self.wanted.conversations.unwrap_or(sticky.conversations);
        sticky
    }

    fn options(&self, sticky: &Sticky) -> Result<Options, Failure> {
        Options::read(sticky, class_of(self.module), self.call.version)
            .map_err(|_| Failure::Status(response::PROTOCOL_ERROR))
    }

    async fn exchange(
        &self,
        opened: Opened<'_>,
        sticky: &Sticky,
        options: &Options,
        room: Room,
        looks_again: bool,
    ) -> Result<response::Collection, Failure> {
        let sent_key = opened.key();
        let count = opened.known().count();
        // Only a command names an item.
        let named = opened.known().take_while(|_| !self.wanted.commands.is_empty());
        let known: Vec<String> = named.map(str::to_owned).collect();
        let call = self.call;
        let takes_drafts = call
            .takes_drafts(self.module, self.folder)
            .await
            .map_err(collection::Error::from)?;
        let filter = filter(call, self.module, self.folder, options)
            .await
            .map_err(collection::Error::from)?;
        let looked = opened.look(!self.wanted.commands.is_empty(), self.call.now).await?;
        let looked = looked.looks_again(looks_again);
        let items = self.items(&options.bodies);
        let changes = self.changes(&looked, &items, options, &known, takes_drafts).await?;
        let brake = brake::Folder {
            call,
            collection: self.id,
            module: self.module,
            folder: self.folder,
            key: sent_key,
            items: count,
        };
        let holds_deletions = brake.holds(&self.wanted.commands, self.wanted.deletes_as_moves).await?;
        let plan = plan::Options {
            policy: options.policy,
            window: room.window(self.wanted.window),
            wants_changes: self.wanted.wants_changes,
            holds_deletions,
        };
        let mut decided = looked.decide(changes.list.clone(), plan, filter).await?;
        let overridden = self.overridden(&changes);
        overridden.foresee(&mut decided).await?;
        let mut pending = decided.write().await?;
        overridden.tell(&mut pending).await?;
        let opening = Opening {
            window: plan.window,
            bytes: room.bytes,
            sent_key,
        };
        let mut delivered = self.deliver(&mut pending, &items, opening).await?;
        for (id, agreed) in std::mem::take(&mut delivered.agreed) {
            pending.agree(&id, agreed);
        }
        let force = self.call.services.new_key_on_empty_sync;
        let committed = pending
            .settle(&delivered.deliveries, sticky.to_bytes(self.call.version), force)
            .await?;
        self.tell_administrator(&delivered, &committed).await?;
        let commands = delivered.commands;
        if committed.wrote {
            self.call
                .services
                .notifier
                .touched(self.call.user_key(), &(self.module, self.folder.to_owned()));
        }
        let drafts = match takes_drafts {
            true => self.draft_answers(&changes, &committed).await?,
            false => HashMap::new(),
        };
        let mut responses = self.responses(&changes, &committed, drafts);
        responses.extend(self.fetched(&known, &committed).await?);
        Ok(response::Collection {
            more_available: committed.more_available,
            is_news: committed.key != sent_key
                || committed.more_available
                || !responses.is_empty()
                || !commands.is_empty(),
            responses,
            commands,
            ..self.answer(committed.key)
        })
    }

    fn answer(&self, key: u64) -> response::Collection {
        response::Collection {
            class: Some(class_of(self.module)),
            ..response::Collection::failed(&self.wanted.id, &key.to_string(), response::SUCCESS)
        }
    }

    fn overridden<'b>(&'b self, changes: &'b Changes) -> Overridden<'b> {
        Overridden {
            call: self.call,
            collection: self.id,
            module: self.module,
            folder: self.folder,
            changes,
            commands: &self.wanted.commands,
        }
    }

    const fn items<'b>(&'b self, bodies: &'b BodyOptions) -> Items<'b> {
        Items {
            call: self.call,
            collection: self.id,
            module: self.module,
            folder: self.folder,
            bodies,
        }
    }

    async fn changes(
        &self,
        looked: &Looked<'_>,
        items: &Items<'_>,
        options: &Options,
        known: &[String],
        takes_drafts: bool,
    ) -> Result<Changes, Failure> {
        let source = changes::Source {
            call: self.call,
            collection: self.id,
            module: self.module,
            folder: self.folder,
            key: looked.key(),
            deletes_as_moves: self.wanted.deletes_as_moves,
            options,
            known,
            takes_drafts,
        };
        Ok(changes::read(&source, looked, items, &self.wanted.commands).await?)
    }

    /// What the server made of drafts that were stored, by the place of their commands.
    async fn draft_answers(
        &self,
        changes: &Changes,
        committed: &Committed,
    ) -> Result<HashMap<usize, Vec<Element>>, Error> {
        let mut made = HashMap::new();
        for (place, (command, change)) in self.wanted.commands.iter().zip(&changes.of_command).enumerate() {
            let answer = change.and_then(|index| committed.answers.get(index));
            let (Some(Answer::Done { id }), Some(data)) = (answer, drafts::answered(command)) else {
                continue;
            };
            let id = committed.ox_id(id);
            made.insert(place, drafts::answer(self.call, self.id, self.folder, id, data).await?);
        }
        Ok(made)
    }

    /// Adds are always answered, the other changes only when they failed. `made`: what the server made of a command, by
    /// its place.
    fn responses(
        &self,
        changes: &Changes,
        committed: &Committed,
        mut made: HashMap<usize, Vec<Element>>,
    ) -> Vec<Element> {
        let mut responses = Vec::new();
        for (place, (command, change)) in self.wanted.commands.iter().zip(&changes.of_command).enumerate() {
            if let Command::TextMessage { client_id } = command {
                let server_id = ids::text_message_id(self.id, client_id);
                responses.push(response::text_message(client_id, &server_id));
                continue;
            }
            let answer = match change {
                Some(index) => committed.answers.get(*index).unwrap_or(&Answer::Rejected),
                None => &Answer::NotFound,
            };
            let status = response::status_of(answer);
            let element = match (command, answer) {
                (Command::Add { client_id, .. }, Answer::Done { id }) => {
                    let uid = change.and_then(|index| changes.uid(index));
                    let uid = uid.filter(|_| RETURNS_UID.contains(self.call.version));
                    let uid = uid.map(|uid| Element::text(calendar::UID, uid));
                    let made = made.remove(&place).unwrap_or_default();
                    let made = uid.into_iter().chain(made).collect();
                    response::added(client_id, &ids::server_id(self.id, id), made)
                }
                (Command::Add { client_id, .. }, _) => response::not_added(client_id, status),
                (Command::Change { server_id, .. }, Answer::Done { .. }) => match made.remove(&place) {
                    Some(made) => response::changed(server_id, made),
                    None => continue,
                },
                (Command::Fetch { .. } | Command::TextMessage { .. }, _) | (_, Answer::Done { .. }) => continue,
                (
                    Command::Change {
                        server_id, instance, ..
                    },
                    _,
                ) => response::failed(tag::CHANGE, server_id, instance.as_deref(), status),
                // What the device does not have any more it need not be told of.
                (Command::Delete { .. }, Answer::NotFound) => continue,
                (Command::Delete { server_id, instance }, _) => {
                    response::failed(tag::DELETE, server_id, instance.as_deref(), status)
                }
            };
            responses.push(element);
        }
        responses
    }

    /// The items a device wants whole, with bodies that are not cut; as many as one request may fetch.
    async fn fetched(&self, known: &[String], committed: &Committed) -> Result<Vec<Element>, Error> {
        let server_ids: Vec<&String> = self
            .wanted
            .commands
            .iter()
            .filter_map(|command| {
                if let Command::Fetch { server_id } = command {
                    Some(server_id)
                } else {
                    None
                }
            })
            .collect();
        let mut responses = Vec::new();
        let whole = whole_bodies();
        let items = self.items(&whole);
        let mut held = 0;
        for server_id in server_ids {
            if held >= self.call.services.most_fetched {
                responses.push(response::failed(tag::FETCH, server_id, None, response::SERVER_ERROR));
                continue;
            }
            let id = ids::ox_id(self.id, server_id, known.iter().map(String::as_str));
            let wanted = id.map(|id| Wanted::by_id(committed.ox_id(&id)));
            let item = match wanted {
                Some(wanted) => items.show(&wanted).await?,
                None => Loaded::Vanished,
            };
            let fetched = response::fetched(server_id, item);
            held += size(&fetched);
            responses.push(fetched);
        }
        Ok(responses)
    }
}

fn whole_bodies() -> BodyOptions {
    let whole = |kind| BodyPreference {
        kind,
        truncation_size: None,
        all_or_none: false,
        preview: None,
    };
    BodyOptions {
        preferences: vec![whole(BodyType::Html), whole(BodyType::Plain)],
        ..BodyOptions::default()
    }
}
