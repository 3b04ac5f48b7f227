//! Deletions that are held back: a device that empties a folder of a sudden does not empty it at OX.
//!
//! Guarded is what OX has no trash for: appointments, contacts, tasks, and mails that are not to go into the trash and do
//! not lie there. What is held back comes back to the device at once. The user finds a notice in his inbox; he releases
//! the deletions by flagging it, the administrator by `oxtender device release`. Released is what the device deletes
//! from then on, for a day.

use std::collections::BTreeMap;

use crate::content::date::DAY;
use crate::content::email::Mail;
use crate::content::email::mail::flags;
use crate::eas::command::Call;
use crate::eas::command::sync::request::Command;
use crate::eas::notice;
use crate::ox;
use crate::ox::Module;
use crate::ox::Object;
use crate::ox::Standard;
use crate::usm::attention;
use crate::usm::attention::Cause;
use crate::usm::attention::Entry;
use crate::usm::brake::Deletions;
use crate::usm::brake::Excess;
use crate::usm::brake::RELEASED;
use crate::usm::collection::Error;

/// The folder of a request.
pub(super) struct Folder<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) collection: u32,
    pub(super) module: Module,
    /// Its id at OX.
    pub(super) folder: &'a str,
    pub(super) key: u64,
    /// Items the device has.
    pub(super) items: usize,
}

impl Folder<'_> {
    /// Whether the deletions among these commands are held back.
    pub(super) async fn holds(&self, commands: &[Command], deletes_as_moves: bool) -> Result<bool, Error> {
        let is_deletion = |command: &&Command| matches!(command, Command::Delete { instance: None, .. });
        let number = commands.iter().filter(is_deletion).count();
        if number == 0 || !self.is_guarded(deletes_as_moves).await? {
            return Ok(false);
        }
        let request = Deletions {
            key: self.key,
            number,
            of: self.items,
        };
        let services = self.call.services;
        let device = self.call.device.id;
        let place = (device.cid, device.id, self.collection);
        let excess = services
            .brakes
            .enter(place, request, services.limits.deletions, self.call.now);
        match excess {
            Some(excess) => self.stop(excess).await,
            None => Ok(false),
        }
    }

    async fn is_guarded(&self, deletes_as_moves: bool) -> Result<bool, Error> {
        if self.module != Module::Mail {
            return Ok(true);
        }
        if deletes_as_moves {
            return Ok(false);
        }
        let settings = self.call.device.ox.settings().await?;
        let is_own = |standard| settings.standard(standard) == Some(self.folder);
        Ok(!is_own(Standard::Trash) && !is_own(Standard::Spam))
    }

    /// Too many: unless they were released, they are held back, and it is told.
    async fn stop(&self, excess: Excess) -> Result<bool, Error> {
        let device = self.call.device;
        let fields = device.store.fields(device.id).await?;
        let now = self.call.now;
        // For so long a release counts, and a notice stands for what is held back.
        let is_recent = |time: i64| now.saturating_sub(time) < DAY;
        let released = fields.get(RELEASED).and_then(|time| time.parse().ok());
        if released.is_some_and(is_recent) {
            return Ok(false);
        }
        let mark = self.collection.to_string();
        let listed = attention::entries(&fields)
            .into_iter()
            .find(|entry| entry.server_id == mark);
        let listed = listed.filter(|entry| is_recent(entry.since));
        let since = listed.as_ref().map_or(now, |entry| entry.since);
        if listed.is_none() {
            self.tell(excess).await?;
        } else if self.is_released_by_the_user(&fields).await? {
            device
                .store
                .set_fields(device.id, &[(RELEASED, Some(now.to_string().as_str()))])
                .await?;
            attention::clear(&device.store, device.id, &[mark.as_str()]).await?;
            log::info!("{}: its user released deletions", self.call.device_label());
            return Ok(false);
        }
        let Excess { deleted, of } = excess;
        log::warn!(
            "{}: deleted {deleted} of {of} items of {} folder {} within an hour; they are kept and sent back \
             (oxtender device release lets them go)",
            self.call.device_label(),
            self.module.name(),
            self.folder
        );
        let entry = Entry {
            cause: Cause::HeldBack,
            server_id: mark,
            folder: self.folder.to_owned(),
            subject: format!("{deleted} of {of} items deleted"),
            reason: "more than a device may delete within an hour; the items are kept, and sent back to it".to_owned(),
            revision: 0,
            since,
        };
        attention::report(&device.store, device.id, &entry).await?;
        Ok(true)
    }

    async fn tell(&self, Excess { deleted, of }: Excess) -> Result<(), Error> {
        let what = match self.module {
            Module::Mail => "mails",
            Module::Calendar => "appointments",
            Module::Contacts => "contacts",
            Module::Tasks => "tasks",
        };
        let device = &self.call.request.device_id;
        let subject = format!("Your phone deleted {deleted} of {of} {what}: they were kept");
        let text = format!(
            "Within an hour, your phone {device} has asked to delete {deleted} of the {of} {what} in one folder. That can be \
             a mistake, so they were kept, and your phone gets them back.\n\n\
             If you meant it: flag this message (star it), and delete them on the phone once more within a day.\n\n\
             If you did not, there is nothing to do. Should it happen again, ask your administrator to look at the phone."
        );
        let id = notice::post(self.call, &subject, &text).await?;
        let store = &self.call.device.store;
        let field = self.notice_field();
        Ok(store
            .set_fields(self.call.device.id, &[(field.as_str(), id.as_deref())])
            .await?)
    }

    /// Whether the notice is flagged. A notice that is gone releases nothing.
    async fn is_released_by_the_user(&self, fields: &BTreeMap<String, String>) -> Result<bool, Error> {
        let Some(id) = fields.get(&self.notice_field()) else {
            return Ok(false);
        };
        let session = &self.call.device.ox;
        let settings = session.settings().await?;
        let Some(inbox) = settings.standard(Standard::Inbox) else {
            return Ok(false);
        };
        let Some(found) = ox::mail::find_message(session, inbox, &format!("<{id}>")).await? else {
            return Ok(false);
        };
        let read = ox::mail::fetch_json(session, inbox, &[found]).await?.into_iter().next();
        let Some(Ok(json)) = read else {
            return Ok(false);
        };
        let mail = Mail::from_json(&Object::from_map(json), "").ok();
        Ok(mail.is_some_and(|mail| mail.envelope.flags & flags::FLAGGED != 0))
    }

    /// Where the Message-ID of the notice is kept.
    fn notice_field(&self) -> String {
        format!("deletions.notice.{}", self.collection)
    }
}
