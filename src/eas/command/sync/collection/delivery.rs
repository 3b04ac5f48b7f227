//! What a device lacks of a collection, as commands; and what became of each item.
//!
//! Item by item: one that cannot be shown is replaced by a stub, or left out where even that cannot be. Either is told to the
//! administrator by the [attention list](crate::usm::attention), until the item can be shown or is gone. A ghost, which OX lists and
//! does not have, is nobody's trouble.

use tokio::time::Instant;

use crate::content::agreed::Agreed;
use crate::content::agreed::DeviceCopy;
use crate::content::email;
use crate::content::email::FlagChanges;
use crate::eas::command::moved;
use crate::eas::command::sync::collection::FETCH;
use crate::eas::command::sync::collection::FETCH_SOURCES;
use crate::eas::command::sync::collection::Failure;
use crate::eas::command::sync::collection::One;
use crate::eas::command::sync::collection::Opening;
use crate::eas::items::Items;
use crate::eas::items::Loaded;
use crate::eas::items::Wanted;
use crate::eas::items::size;
use crate::eas::status::Error;
use crate::eas::stub::Broken;
use crate::eas::stub::Stub;
use crate::ox::Module;
use crate::ox::revision;
use crate::usm::attention;
use crate::usm::attention::Cause;
use crate::usm::attention::Entry;
use crate::usm::collection;
use crate::usm::collection::Committed;
use crate::usm::collection::Pending;
use crate::usm::course::Shown;
use crate::usm::ids;
use crate::usm::plan::Send;
use crate::usm::settle::Delivery;
use crate::usm::snapshot::Revision;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsync as tag;

/// What goes into the answer, and what became of each item that was planned for it.
#[derive(Default)]
pub(super) struct Delivered {
    pub(super) commands: Vec<Element>,
    /// In the order of the plan; what did not fit is missing at the end.
    pub(super) deliveries: Vec<Delivery>,
    /// What both sides agree on by them, by the id at OX.
    pub(super) agreed: Vec<(String, Vec<u8>)>,
    /// Items that the device does not get as they are.
    withheld: Vec<Entry>,
}

/// Why there is no command for an item.
enum Missing {
    Vanished,
    Broken(Broken),
}

impl One<'_> {
    /// The items the device lacks, as commands. Of a window that shows the device nothing it would hear nothing but
    /// MoreAvailable, and ask again at once: the next one is opened, for as long as there is time.
    pub(super) async fn deliver(
        &self,
        pending: &mut Pending<'_>,
        items: &Items<'_>,
        opening: Opening,
    ) -> Result<Delivered, Failure> {
        let mut delivered = Delivered::default();
        loop {
            self.deliver_window(pending, items, opening, &mut delivered).await?;
            let is_through = delivered.deliveries.len() == pending.to_device().len();
            if !delivered.commands.is_empty() || !is_through || !pending.open_window(opening.window) {
                return Ok(delivered);
            }
        }
    }

    /// The same for one window, which begins behind what was delivered before.
    async fn deliver_window(
        &self,
        pending: &Pending<'_>,
        items: &Items<'_>,
        Opening { bytes, sent_key, .. }: Opening,
        delivered: &mut Delivered,
    ) -> Result<(), Failure> {
        let sends = pending
            .to_device()
            .get(delivered.deliveries.len()..)
            .unwrap_or_default();
        let mut held = 0;
        let at_a_time = match self.module == Module::Mail && email::need(items.bodies) == email::Need::Source {
            true => FETCH_SOURCES,
            false => FETCH,
        };
        for sends in sends.chunks(at_a_time) {
            let count = delivered.deliveries.len();
            if held >= bytes || self.deadline.has_passed(count, Instant::now()) {
                break;
            }
            let mut loaded = self.load(pending, items, sends).await?.into_iter();
            for send in sends {
                if held >= bytes {
                    return Ok(());
                }
                let item = match self.needs_object(send) {
                    true => loaded.next(),
                    false => None,
                };
                let before = delivered.commands.len();
                let delivery = self.deliver_one(pending, items, send, item, sent_key, delivered);
                let delivery = delivery.await?;
                delivered.deliveries.push(delivery);
                held += delivered.commands.iter().skip(before).map(size).sum::<usize>();
            }
        }
        Ok(())
    }

    async fn deliver_one(
        &self,
        pending: &Pending<'_>,
        items: &Items<'_>,
        send: &Send,
        mut item: Option<Loaded>,
        sent_key: u64,
        delivered: &mut Delivered,
    ) -> Result<Delivery, Error> {
        if self.is_own_move(send, sent_key).await? {
            return Ok(Delivery::Sent);
        }
        let shown = pending.shown(send.id());
        let (agreed, has_copy) = match &mut item {
            Some(Loaded::Item { data, agreed }) => self.agreed(pending, send, data, agreed.take()),
            _ => (None, false),
        };
        let command = match self.command(send, item) {
            Ok(command) => Ok(command),
            Err(Missing::Broken(broken)) => Err(broken),
            Err(Missing::Vanished) => match items.ghost(&wanted(pending, send)).await? {
                Some(broken) => Err(broken),
                None if self.module == Module::Mail => return Ok(Delivery::Vanished),
                None => return Ok(self.ghost(send)),
            },
        };
        let trouble = match (shown, command) {
            (Shown::Whole, Ok(command)) => {
                delivered.commands.extend(command.filter(|_| !has_copy));
                delivered
                    .agreed
                    .extend(agreed.map(|agreed| (send.id().to_owned(), agreed)));
                return Ok(Delivery::Sent);
            }
            (Shown::Whole, Err(broken)) => Trouble::of(&broken),
            (Shown::Stub | Shown::Nothing, _) => Trouble::choking(),
        };
        let stub = items.stub(&wanted(pending, send), &trouble.plain).await?;
        Ok(self.withhold(send, stub, shown, &trouble, delivered))
    }

    /// What both sides agree on by an item, and whether the device has it as it is already: OX has written it anew, and it says
    /// the same, as with subscriptions that are read again.
    fn agreed(
        &self,
        pending: &Pending<'_>,
        send: &Send,
        data: &[Element],
        agreed: Option<Agreed>,
    ) -> (Option<Vec<u8>>, bool) {
        let copy = |revision: Revision| DeviceCopy::of(data, self.call.version, revision.0);
        let (from, to) = match send {
            Send::Add { revision, .. } => (None, *revision),
            Send::Change { from, to, .. } => (Some(*from), *to),
            Send::Delete { .. } | Send::SoftDelete { .. } => return (None, false),
        };
        let before = pending.agreed_before(send.id()).and_then(Agreed::decode);
        let before = before.and_then(|before| before.copy());
        let agreed = agreed.map(|mut agreed| {
            agreed.set_copy(copy(to));
            agreed.encode()
        });
        (agreed, before.is_some() && before == from.map(copy))
    }

    /// OX lists an object and does not have it: it was deleted a moment ago, or the list is ahead of the rest of OX, or behind
    /// it. The device keeps what it has, and hears of it when OX has it or lists it no more.
    fn ghost(&self, send: &Send) -> Delivery {
        log::debug!(
            "{}: item {} of {} folder {} is listed and not there",
            self.call.device_label(),
            ids::server_id(self.id, send.id()),
            self.module.name(),
            self.folder,
        );
        Delivery::Ghost
    }

    /// Puts a stub in the place of an item, if there is one that the device can have.
    fn withhold(
        &self,
        send: &Send,
        stub: Stub,
        shown: Shown,
        trouble: &Trouble,
        delivered: &mut Delivered,
    ) -> Delivery {
        // A mail that a device has does not change; and what it did not get past as a stub it gets no more.
        let has_it = self.module == Module::Mail && matches!(send, Send::Change { .. });
        let data = stub.data.filter(|_| !has_it && shown != Shown::Nothing);
        let (delivery, instead) = match data {
            Some(_) => (Delivery::Stub, "is replaced by a stub"),
            None => (Delivery::LeftOut, "is left out"),
        };
        let entry = self.entry(send, stub.subject, trouble);
        log::warn!(
            "{}: item {} of {} folder {} {instead}: {}",
            self.call.device_label(),
            entry.server_id,
            self.module.name(),
            self.folder,
            trouble.reason,
        );
        let command = data.map(|data| with_data(tag_of(send), &entry.server_id, data));
        delivered.commands.extend(command);
        delivered.withheld.push(entry);
        delivery
    }

    fn entry(&self, send: &Send, subject: String, trouble: &Trouble) -> Entry {
        let revision = match send {
            Send::Add { revision, .. } | Send::Change { to: revision, .. } => revision.0,
            Send::Delete { .. } | Send::SoftDelete { .. } => 0,
        };
        Entry {
            cause: trouble.cause,
            server_id: ids::server_id(self.id, send.id()),
            folder: self.folder.to_owned(),
            subject,
            reason: format!("It cannot be shown on this device: {}.", trouble.plain),
            revision,
            since: self.call.now,
        }
    }

    /// Enters what is withheld now, and takes off the list what is not any more.
    pub(super) async fn tell_administrator(
        &self,
        delivered: &Delivered,
        committed: &Committed,
    ) -> Result<(), collection::Error> {
        let (store, device) = (&self.call.device.store, self.call.device.id);
        for entry in &delivered.withheld {
            attention::report(store, device, entry).await?;
        }
        let healed = committed.healed.iter().map(|id| ids::server_id(self.id, id));
        let healed: Vec<String> = healed.collect();
        let healed: Vec<&str> = healed.iter().map(String::as_str).collect();
        Ok(attention::clear(store, device, &healed).await?)
    }

    /// A device that begins anew is sent everything again: nothing is withheld from it yet.
    pub(super) async fn forget_withheld(&self) -> Result<(), collection::Error> {
        let (store, device) = (&self.call.device.store, self.call.device.id);
        let listed = attention::list(store, device).await?;
        let of_here = listed.iter().filter(|entry| {
            matches!(entry.cause, Cause::Unreadable | Cause::Loop)
                && ids::collection_of(&entry.server_id) == Some(self.id)
        });
        let of_here: Vec<&str> = of_here.map(|entry| entry.server_id.as_str()).collect();
        Ok(attention::clear(store, device, &of_here).await?)
    }

    /// Whether this comes of a move that the device carried out by itself.
    async fn is_own_move(&self, send: &Send, sent_key: u64) -> Result<bool, Error> {
        match send {
            Send::Add { id, .. } | Send::Delete { id } if self.module == Module::Mail => {
                moved::is_known(self.call, (self.id, id), sent_key).await
            }
            _ => Ok(false),
        }
    }

    /// Fetches what has to be fetched, in the order of `sends`.
    async fn load(&self, pending: &Pending<'_>, items: &Items<'_>, sends: &[Send]) -> Result<Vec<Loaded>, Error> {
        let needed = sends.iter().filter(|send| self.needs_object(send));
        let wanted: Vec<Wanted> = needed.map(|send| wanted(pending, send)).collect();
        items.load(&wanted).await
    }

    /// A mail whose flags alone changed is told without being fetched, if flags can tell it.
    fn flags(&self, send: &Send) -> Option<FlagChanges> {
        let Send::Change { from, to, .. } = send else {
            return None;
        };
        if self.module != Module::Mail || !revision::same_mail(from.0, to.0) {
            return None;
        }
        let (from, to) = (revision::flags_of(from.0), revision::flags_of(to.0));
        Some(email::flag_changes(from, to, self.call.version)).filter(|changes| *changes != FlagChanges::Whole)
    }

    fn needs_object(&self, send: &Send) -> bool {
        matches!(send, Send::Add { .. } | Send::Change { .. }) && self.flags(send).is_none()
    }

    /// The command for one item; `None` if the device's version shows nothing of the change.
    fn command(&self, send: &Send, item: Option<Loaded>) -> Result<Option<Element>, Missing> {
        let server_id = ids::server_id(self.id, send.id());
        let tag = tag_of(send);
        if matches!(send, Send::Delete { .. } | Send::SoftDelete { .. }) {
            return Ok(Some(Element::parent(tag, [Element::text(tag::SERVER_ID, server_id)])));
        }
        match self.flags(send) {
            Some(FlagChanges::Partial(data)) => return Ok(Some(with_data(tag, &server_id, data))),
            Some(FlagChanges::Nothing) => return Ok(None),
            Some(FlagChanges::Whole) | None => {}
        }
        match item {
            Some(Loaded::Item { data, .. }) => Ok(Some(with_data(tag, &server_id, data))),
            Some(Loaded::Unconvertible(broken)) => Err(Missing::Broken(broken)),
            Some(Loaded::Vanished) | None => Err(Missing::Vanished),
        }
    }
}

/// Why an item is withheld from a device.
struct Trouble {
    cause: Cause,
    /// For the log.
    reason: String,
    /// For the user, as the rest of a sentence.
    plain: String,
}

impl Trouble {
    fn of(broken: &Broken) -> Self {
        Self {
            cause: Cause::Unreadable,
            reason: broken.to_string(),
            plain: broken.plain.clone(),
        }
    }

    fn choking() -> Self {
        let plain = "the device did not get past it, however often it was sent";
        Self {
            cause: Cause::Loop,
            reason: plain.to_owned(),
            plain: plain.to_owned(),
        }
    }
}

fn wanted(pending: &Pending<'_>, send: &Send) -> Wanted {
    pending
        .item(send.id())
        .map_or_else(|| Wanted::by_id(send.id()), Wanted::from)
}

const fn tag_of(send: &Send) -> Tag {
    match send {
        Send::Add { .. } => tag::ADD,
        Send::Change { .. } => tag::CHANGE,
        Send::Delete { .. } => tag::DELETE,
        Send::SoftDelete { .. } => tag::SOFT_DELETE,
    }
}

fn with_data(tag: Tag, server_id: &str, data: Vec<Element>) -> Element {
    let data = Element::parent(tag::APPLICATION_DATA, data);
    Element::parent(tag, [Element::text(tag::SERVER_ID, server_id), data])
}
