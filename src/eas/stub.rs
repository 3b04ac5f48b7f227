//! Stubs: what a device gets in the place of an item that cannot be shown to it, so that its user knows of the item and
//! where to read it.
//!
//! What stands in a stub is in `content`; here it is asked of OX, by other ways than those that failed.

use crate::content;
use crate::content::Class;
use crate::content::Unconvertible;
use crate::content::email;
use crate::content::email::Mail;
use crate::eas::items::Items;
use crate::eas::items::Loaded;
use crate::eas::items::Wanted;
use crate::eas::items::attempt;
use crate::eas::items::class_of;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::ErrorKind;
use crate::ox::Fetched;
use crate::ox::Module;
use crate::wbxml::Element;

/// Why an item cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// For the log.
    pub reason: Unconvertible,
    /// For the user, as the rest of a sentence.
    pub plain: String,
}

impl From<Unconvertible> for Broken {
    fn from(reason: Unconvertible) -> Self {
        let plain = format!("its content has no form that the device understands ({reason})");
        Self { reason, plain }
    }
}

impl From<&ox::Error> for Broken {
    fn from(error: &ox::Error) -> Self {
        let plain = match error.kind {
            ErrorKind::TooLarge => "it is too large".to_owned(),
            ErrorKind::PermissionDenied => "the server does not allow to read it".to_owned(),
            _ => format!("the server itself cannot open it ({})", error.code()),
        };
        Self {
            reason: Unconvertible(error.to_string()),
            plain,
        }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.reason.fmt(f)
    }
}

/// What is known of an item that cannot be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stub {
    /// Empty if it is not known.
    pub subject: String,
    /// The children of ApplicationData; `None` if too little is certain for any.
    pub data: Option<Vec<Element>>,
}

impl Items<'_> {
    /// One item, for a device that asks for it; its stub if it cannot be shown.
    pub async fn show(&self, wanted: &Wanted) -> Result<Loaded, Error> {
        let loaded = self.load(std::slice::from_ref(wanted)).await?.pop();
        let Some(Loaded::Unconvertible(broken)) = loaded else {
            return Ok(loaded.unwrap_or(Loaded::Vanished));
        };
        let stub = self.stub(wanted, &broken.plain).await?;
        let of_stub = |data| Loaded::Item { data, agreed: None };
        Ok(stub.data.map_or(Loaded::Unconvertible(broken), of_stub))
    }

    /// What is the matter with a mail that OX lists and does not find; nothing if it is gone indeed.
    pub async fn ghost(&self, wanted: &Wanted) -> Result<Option<Broken>, Error> {
        if self.module != Module::Mail {
            return Ok(None);
        }
        let row = ox::mail::head(&self.call.device.ox, self.folder, &wanted.item.id).await?;
        Ok(row.map(|_| Broken {
            reason: Unconvertible("OX lists the mail and does not find it".to_owned()),
            plain: "the server itself does not find it".to_owned(),
        }))
    }

    /// The stub of an item. Fails only where OX is gone.
    pub async fn stub(&self, wanted: &Wanted, why: &str) -> Result<Stub, Error> {
        let text = text(class_of(self.module), why);
        match self.module {
            Module::Mail => self.stub_of_mail(wanted, &text).await,
            _ => self.stub_of_object(wanted, &text).await,
        }
    }

    async fn stub_of_mail(&self, wanted: &Wanted, text: &str) -> Result<Stub, Error> {
        let id = &wanted.item.id;
        let row = ox::mail::head(&self.call.device.ox, self.folder, id).await?;
        let collection = self.collection.to_string();
        let known = row.and_then(|row| attempt(|| Mail::from_json(&row, &collection)).ok());
        let known = known.unwrap_or_else(|| Mail::from_source(&[], self.envelope(id, wanted.envelope)));
        let stub = email::stub(&known, text, &self.call.user);
        Ok(Stub {
            subject: known.subject,
            data: attempt(|| email::to_eas(&stub, &self.context())).ok(),
        })
    }

    async fn stub_of_object(&self, wanted: &Wanted, text: &str) -> Result<Stub, Error> {
        let fetched = self.fetch(std::slice::from_ref(&wanted.item)).await?.pop();
        let Some(Ok(Fetched { id, object, .. })) = fetched else {
            return Ok(Stub::default());
        };
        let class = class_of(self.module);
        let stub = Fetched {
            id,
            object: content::stub::stub(class, &object, text),
            parts: Vec::new(),
        };
        Ok(Stub {
            subject: content::stub::name_of(class, &object).to_owned(),
            data: self.converted(&stub, None).ok(),
        })
    }
}

/// What a user reads in the place of the content.
fn text(class: Class, why: &str) -> String {
    let (what, advice) = match class {
        Class::Email => ("message", "You can read it in the web client."),
        Class::Calendar => ("appointment", ELSEWHERE),
        Class::Contacts => ("contact", ELSEWHERE),
        Class::Tasks => ("task", ELSEWHERE),
    };
    format!("This {what} cannot be shown on this device: {why}.\n\n{advice}")
}

const ELSEWHERE: &str = "You can read and change it in the web client. What is changed here is not kept.";
