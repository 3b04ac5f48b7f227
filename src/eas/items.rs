//! Items for a device: fetched from OX, turned into ApplicationData.
//!
//! Sync, GetItemEstimate and ItemOperations get their items here. One bad item never fails the others: it comes back
//! with the reason why it is not one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use crate::content;
use crate::content::BodyOptions;
use crate::content::Class;
use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::agreed::Agreed;
use crate::content::email::Mail;
use crate::eas::command::Call;
use crate::eas::options::Options;
use crate::eas::status::Error;
use crate::eas::stub::Broken;
use crate::ox;
use crate::ox::Failed;
use crate::ox::Fetched;
use crate::ox::Item;
use crate::ox::Module;
use crate::ox::Object;
use crate::ox::revision;
use crate::usm::snapshot::Filter;
use crate::wbxml::Element;

/// One folder's items, as one device wants them.
pub struct Items<'a> {
    pub call: &'a Call<'a>,
    /// The id that file references carry.
    pub collection: u32,
    pub module: Module,
    pub folder: &'a str,
    pub bodies: &'a BodyOptions,
}

/// The largest mail whose source is read, in bytes.
const LARGEST_MAIL: usize = 100 * 1024 * 1024;

/// What one request fetches unless it is configured otherwise, in bytes.
pub const MOST_FETCHED: usize = 2 * LARGEST_MAIL;

/// The largest invitation that is read, in bytes.
const LARGEST_INVITATION: usize = 1024 * 1024;

/// An item that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub item: ox::Wanted,
    /// Of a mail, if the folder was listed.
    pub envelope: Option<Envelope>,
}

/// What the list of a folder says of a mail.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    flags: u32,
    received: i64,
}

impl Wanted {
    /// An item of which nothing but its id is known.
    pub fn by_id(id: &str) -> Self {
        Self {
            item: ox::Wanted {
                id: id.to_owned(),
                parts: Vec::new(),
            },
            envelope: None,
        }
    }
}

impl From<&Item> for Wanted {
    fn from(item: &Item) -> Self {
        let envelope = Envelope {
            flags: revision::flags_of(item.revision),
            received: item.modified,
        };
        Self {
            item: item.into(),
            envelope: Some(envelope),
        }
    }
}

/// What became of it.
#[derive(Debug)]
pub enum Loaded {
    Item {
        /// The children of ApplicationData.
        data: Vec<Element>,
        /// What both sides agree on once the device has it, for the engine; mail has none.
        agreed: Option<Agreed>,
    },
    Unconvertible(Broken),
    Vanished,
}

pub const fn class_of(module: Module) -> Class {
    match module {
        Module::Mail => Class::Email,
        Module::Calendar => Class::Calendar,
        Module::Contacts => Class::Contacts,
        Module::Tasks => Class::Tasks,
    }
}

/// Which items of a folder a device gets now.
pub async fn filter(call: &Call<'_>, module: Module, folder: &str, options: &Options) -> Result<Filter, ox::Error> {
    let mut filter = options.filter(class_of(module), &call.services.limits, call.now);
    if call.takes_drafts(module, folder).await? {
        // A draft is of today, however old it is.
        filter.since = None;
    }
    if let Some(since) = filter.since.filter(|_| options.conversations) {
        filter.also = Arc::new(conversations(call, folder, since).await?);
    }
    Ok(filter)
}

/// [MS-ASCMD] ConversationMode: the mails of all conversations that have one from this time on or later.
async fn conversations(call: &Call<'_>, folder: &str, since: i64) -> Result<BTreeSet<String>, ox::Error> {
    let rows = ox::mail::threads(&call.device.ox, &[folder.to_owned()]).await?;
    let mails = rows.into_iter().filter_map(|(found, row)| {
        let mail = Mail::from_json(&row, "").ok()?;
        Some((found, content::email::conversation_id(&mail)))
    });
    let mails: Vec<_> = mails.collect();
    let recent: BTreeSet<&[u8]> = mails
        .iter()
        .filter(|(found, _)| found.received >= since)
        .map(|(_, conversation)| conversation.as_slice())
        .collect();
    let of_recent = mails
        .iter()
        .filter(|(_, conversation)| recent.contains(conversation.as_slice()));
    Ok(of_recent.map(|(found, _)| found.id.clone()).collect())
}

impl Items<'_> {
    /// All wanted items, in their order, in as few calls as OX allows.
    pub async fn load(&self, wanted: &[Wanted]) -> Result<Vec<Loaded>, Error> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        match self.module {
            Module::Mail => self.mails(wanted).await,
            _ => self.objects(wanted).await,
        }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            version: self.call.version,
            quirks: self.call.quirks,
            user: &self.call.user,
            bodies: self.bodies,
            now: self.call.now,
        }
    }

    /// Most mails are read as JSON, many in one call; the source is read where the device wants it, or where JSON fails.
    async fn mails(&self, wanted: &[Wanted]) -> Result<Vec<Loaded>, Error> {
        let from_source = |wanted: &Wanted| {
            wanted
                .envelope
                .filter(|_| content::email::need(self.bodies) == content::email::Need::Source)
        };
        let ids: Vec<String> = wanted
            .iter()
            .filter(|it| from_source(it).is_none())
            .map(|it| it.item.id.clone())
            .collect();
        let fetched = ox::mail::fetch_json(&self.call.device.ox, self.folder, &ids).await?;
        let mut fetched = fetched.into_iter();
        let mut loaded = Vec::with_capacity(wanted.len());
        for it in wanted {
            let id = &it.item.id;
            loaded.push(match from_source(it) {
                Some(envelope) => self.mail_from_source(id, envelope).await?,
                None => self.mail(id, it.envelope, fetched.next()).await?,
            });
        }
        Ok(loaded)
    }

    /// A mail as JSON, unless its source is wanted after all.
    async fn mail(
        &self,
        id: &str,
        envelope: Option<Envelope>,
        fetched: Option<Result<Map<String, Value>, Failed>>,
    ) -> Result<Loaded, Error> {
        let json = match (fetched, envelope) {
            (None, _) => return Ok(Loaded::Vanished),
            (Some(Ok(json)), _) => Object::from_map(json),
            (Some(Err(Failed { error, .. })), _) if error.kind == ox::ErrorKind::NotFound => {
                return Ok(Loaded::Vanished);
            }
            // OX stumbles over this one: its bytes may still be readable.
            (Some(Err(Failed { error, .. })), Some(envelope)) if error.is_about_the_item() => {
                return self.mail_from_source(id, envelope).await;
            }
            (Some(Err(failed)), _) => return unreadable(failed.error),
        };
        let mut mail = match attempt(|| Mail::from_json(&json, &self.collection.to_string())) {
            Ok(mail) => mail,
            Err(reason) => return Ok(Loaded::Unconvertible(reason.into())),
        };
        if !content::email::wants_source(&mail, self.bodies) {
            complete_calendar(self.call, self.folder, &mut mail).await?;
            return Ok(attempt(|| content::email::to_eas(&mail, &self.context())).into());
        }
        let envelope = Envelope {
            flags: mail.envelope.flags,
            received: mail.envelope.received.unwrap_or_default(),
        };
        self.mail_from_source(id, envelope).await
    }

    async fn mail_from_source(&self, id: &str, envelope: Envelope) -> Result<Loaded, Error> {
        let source = ox::mail::source(&self.call.device.ox, self.folder, id, LARGEST_MAIL).await;
        let source = match source {
            Ok(source) => source,
            Err(error) => return unreadable(error),
        };
        let envelope = self.envelope(id, Some(envelope));
        let convert = || content::email::to_eas(&Mail::from_source(&source, envelope), &self.context());
        Ok(attempt(convert).into())
    }

    /// What the list of the folder says of a mail, for its content.
    pub(super) fn envelope(&self, id: &str, listed: Option<Envelope>) -> content::email::Envelope {
        content::email::Envelope {
            collection_id: self.collection.to_string(),
            id: id.to_owned(),
            flags: listed.map_or(0, |listed| listed.flags),
            received: listed.map(|listed| listed.received),
        }
    }

    async fn objects(&self, wanted: &[Wanted]) -> Result<Vec<Loaded>, Error> {
        let wanted: Vec<ox::Wanted> = wanted.iter().map(|wanted| wanted.item.clone()).collect();
        let fetched = self.fetch(&wanted).await?;
        let mut loaded = Vec::with_capacity(fetched.len());
        for item in fetched {
            loaded.push(match item {
                Ok(fetched) => self.convert(&fetched).await?,
                Err(failed) => unreadable(failed.error)?,
            });
        }
        Ok(loaded)
    }

    /// Objects as OX has them, in the order wanted.
    pub async fn fetch(&self, wanted: &[ox::Wanted]) -> Result<Vec<Result<Fetched, Failed>>, Error> {
        let columns = match self.module {
            Module::Calendar => content::calendar::columns(),
            Module::Contacts => [content::contacts::columns(), ox::PHOTO_COLUMNS.to_vec()].concat(),
            Module::Tasks => content::tasks::columns(),
            Module::Mail => return Ok(Vec::new()),
        };
        let session = &self.call.device.ox;
        let mut fetched = ox::fetch(session, self.module, self.folder, wanted, &columns).await?;
        if self.module == Module::Calendar {
            ox::name_people(session, fetched.iter_mut().flatten()).await?;
        }
        Ok(fetched)
    }

    async fn convert(&self, fetched: &Fetched) -> Result<Loaded, Error> {
        let photo = match self.module {
            Module::Contacts => self.photo(fetched).await?,
            _ => None,
        };
        let mut loaded = Loaded::from(self.converted(fetched, photo.as_deref()));
        if let Loaded::Item { agreed, .. } = &mut loaded {
            let object = match self.module {
                Module::Contacts => Cow::Owned(content::contacts::with_photo(&fetched.object, photo.as_deref())),
                _ => Cow::Borrowed(&fetched.object),
            };
            *agreed = Some(Agreed::of(class_of(self.module), &object, &fetched.parts));
        }
        Ok(loaded)
    }

    /// An object that is no mail, as ApplicationData.
    pub(super) fn converted(&self, fetched: &Fetched, photo: Option<&[u8]>) -> Result<Vec<Element>, Unconvertible> {
        let (object, context) = (&fetched.object, self.context());
        attempt(|| match self.module {
            Module::Calendar => content::calendar::to_eas(object, &fetched.parts, &context),
            Module::Tasks => content::tasks::to_eas(object, &context),
            Module::Contacts => content::contacts::to_eas(object, photo, &context),
            Module::Mail => Err(Unconvertible("a mail is no object".to_owned())),
        })
    }

    /// A contact without its photo is better than none: only an OX that is gone is an error.
    async fn photo(&self, fetched: &Fetched) -> Result<Option<Vec<u8>>, Error> {
        let photo = ox::photo(&self.call.device.ox, &fetched.object).await;
        match photo {
            Ok(None) => Ok(None),
            Ok(Some((_, bytes))) => {
                // Scaling keeps a processor busy: not one that others wait for.
                let fitting = tokio::task::spawn_blocking(|| content::contacts::fitting(bytes)).await;
                Ok(fitting.unwrap_or_else(|error| {
                    log::error!("the photo of contact {} is left out: {error}", fetched.id);
                    None
                }))
            }
            Err(error) if error.is_temporary() => Err(error.into()),
            Err(error) => {
                log::warn!("the photo of contact {} is left out: {error}", fetched.id);
                Ok(None)
            }
        }
    }
}

/// Fetches the invitation in a mail, if there is one that OX has not given with the mail. Without it the mail is shown as
/// any other: only an OX that is gone is an error.
pub async fn complete_calendar(call: &Call<'_>, folder: &str, mail: &mut Mail) -> Result<(), Error> {
    let Some(part) = mail.missing_calendar() else {
        return Ok(());
    };
    let id = &mail.envelope.id;
    match ox::mail::attachment(&call.device.ox, folder, id, part, LARGEST_INVITATION).await {
        Ok(download) => mail.set_calendar(&download.bytes),
        Err(error) if error.is_about_the_item() => {
            log::warn!(
                "{}: the invitation in mail {id} cannot be read: {error}",
                call.device_label()
            );
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What an error says about the one item that was asked for.
fn unreadable(error: ox::Error) -> Result<Loaded, Error> {
    match error.kind {
        ox::ErrorKind::NotFound => Ok(Loaded::Vanished),
        _ if error.is_about_the_item() => Ok(Loaded::Unconvertible((&error).into())),
        _ => Err(error.into()),
    }
}

/// A rough size of what the device gets, in bytes.
pub fn size(element: &Element) -> usize {
    element.as_bytes().len() + 4 + element.children().iter().map(size).sum::<usize>()
}

/// Converts one item. Should a defect of ours show in it, it is this item's trouble and none of the others'.
pub(super) fn attempt<T>(convert: impl FnOnce() -> Result<T, Unconvertible>) -> Result<T, Unconvertible> {
    // Nothing that the conversion has in hand is seen again afterwards.
    catch_unwind(AssertUnwindSafe(convert))
        .unwrap_or_else(|_| Err(Unconvertible("the gateway stumbles over it".to_owned())))
}

impl From<Result<Vec<Element>, Unconvertible>> for Loaded {
    fn from(converted: Result<Vec<Element>, Unconvertible>) -> Self {
        match converted {
            Ok(data) => Self::Item { data, agreed: None },
            Err(reason) => Self::Unconvertible(reason.into()),
        }
    }
}
