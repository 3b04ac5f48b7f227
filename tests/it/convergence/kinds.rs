//! The kinds of items: what of each is compared, on a phone and at OX.
//!
//! An item has a title, which never changes and nobody else has, and two fields. Values are texts that are the same on both
//! sides.

use ox_standin::Module;
use ox_standin::WebUser;
use ox_standin::flag;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::tasks;
use serde_json::Value;
use serde_json::json;

use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::INBOX;
use crate::device::TASKS;
use crate::items::DAY;
use crate::items::HOUR;
use crate::items::appointment;
use crate::items::body;
use crate::items::compact;
use crate::items::contact;
use crate::items::mail;
use crate::items::task;

/// The values of an item's fields.
pub(super) type Fields = [String; 2];

/// A mail's fields are switches.
pub(super) const MAIL: usize = 0;
/// Mail as well, in another folder: items move between the two.
pub(super) const ARCHIVE: usize = 4;
pub(super) const CONTACT: usize = 1;
pub(super) const TASK: usize = 2;
pub(super) const APPOINTMENT: usize = 3;

pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Type of its default folder on the phone.
    pub(super) folder: i64,
    pub(super) place: Place,
}

/// Where its items are at OX.
pub(super) enum Place {
    /// A folder of mail.
    Mail(&'static str),
    /// The default folder of a module.
    Module(Module),
}

pub(super) const KINDS: [Kind; 5] = [
    Kind {
        name: "mail",
        folder: INBOX,
        place: Place::Mail("default0/INBOX"),
    },
    Kind {
        name: "contacts",
        folder: CONTACTS,
        place: Place::Module(Module::Contacts),
    },
    Kind {
        name: "tasks",
        folder: TASKS,
        place: Place::Module(Module::Tasks),
    },
    Kind {
        name: "calendar",
        folder: CALENDAR,
        place: Place::Module(Module::Calendar),
    },
    Kind {
        name: "archive",
        folder: USER_MAIL,
        place: Place::Mail("default0/INBOX/Archive"),
    },
];

pub(super) const ARCHIVE_NAME: &str = "Archive";

/// [MS-ASCMD] Type: a folder of mail that the user made.
const USER_MAIL: i64 = 12;

/// When histories begin, at OX and for the gateway, in milliseconds since 1970: 2026-11-25, 10:30 UTC. Always the same, so that a
/// seed replays for good.
pub(super) const NOW: i64 = 1_795_602_600_000;

pub(super) const TOMORROW: i64 = (NOW / DAY + 1) * DAY;

/// Older than the filter of phones lets pass.
const OLD: i64 = 10 * DAY;

pub(super) const fn is_mail(kind: usize) -> bool {
    kind == MAIL || kind == ARCHIVE
}

/// The folder that is not there at the start.
pub(super) fn create_archive(web: &WebUser) {
    web.create_folder("default0/INBOX", ARCHIVE_NAME, "mail");
}

/// Whether a phone with a filter goes without the item.
pub(super) fn is_old(title: &str) -> bool {
    title.starts_with("old")
}

/// The value that the `number`-th change of a history writes into a field; numbers make values different where a field
/// has many.
pub(super) fn value(kind: usize, field: usize, number: usize) -> String {
    match (kind, field) {
        (MAIL | ARCHIVE, _) => (number % 2).to_string(),
        (TASK, 1) => (number % 3).to_string(),
        (APPOINTMENT, 1) => compact(TOMORROW + i64::try_from(number % 500).unwrap() * HOUR),
        _ => format!("v{number}"),
    }
}

/// Whether no two writes of a history put the same value into a field.
pub(super) const fn tells_writes_apart(kind: usize, field: usize) -> bool {
    !(is_mail(kind) || kind == TASK && field == 1)
}

/// Whether a phone of this version sees a field.
pub(super) fn is_visible(kind: usize, field: usize, version: ProtocolVersion) -> bool {
    !is_mail(kind) || field == 0 || version >= V12_0
}

/// What a phone sends: the whole item, or of a mail the fields in `changed`.
pub(super) fn to_phone(
    kind: usize,
    version: ProtocolVersion,
    title: &str,
    fields: &Fields,
    changed: &[usize],
) -> Vec<Element> {
    let [first, second] = fields;
    match kind {
        MAIL | ARCHIVE => changed.iter().map(|field| switch(*field, &fields[*field])).collect(),
        CONTACT => {
            let mut data = contact("Otto", title);
            data.push(Element::text(contacts::MOBILE_PHONE_NUMBER, first.clone()));
            data.push(Element::text(contacts::COMPANY_NAME, second.clone()));
            data
        }
        TASK => {
            let mut data = task(title);
            data.retain(|element| element.tag != tasks::IMPORTANCE);
            data.push(body(version, tasks::BODY, first));
            data.push(Element::text(tasks::IMPORTANCE, second.clone()));
            data
        }
        _ => {
            let mut data = appointment(version, title, title, start_of(second));
            data.push(body(version, calendar::BODY, first));
            data
        }
    }
}

fn switch(field: usize, value: &str) -> Element {
    if field == 0 {
        return Element::text(email::READ, value);
    }
    let status = Element::text(email::STATUS, if value == "1" { "2" } else { "0" });
    let kind = Element::text(email::FLAG_TYPE, "for Follow Up");
    Element::parent(email::FLAG, [status, kind])
}

/// Title and fields of an item on a phone.
pub(super) fn on_phone(kind: usize, data: &Element) -> (String, Fields) {
    let text = |tag: Tag| data.child_text(tag).unwrap_or_default().trim().to_owned();
    let note = |plain: Tag| {
        let body = data.child(airsyncbase::BODY);
        let note = body.map_or_else(|| data.child_text(plain), |body| body.child_text(airsyncbase::DATA));
        note.unwrap_or_default().trim().to_owned()
    };
    match kind {
        MAIL | ARCHIVE => {
            let flag = data.child(email::FLAG).and_then(|flag| flag.child_text(email::STATUS));
            let flagged = if flag == Some("2") { "1" } else { "0" };
            (text(email::SUBJECT), [text(email::READ), flagged.to_owned()])
        }
        CONTACT => (
            text(contacts::LAST_NAME),
            [text(contacts::MOBILE_PHONE_NUMBER), text(contacts::COMPANY_NAME)],
        ),
        TASK => (text(tasks::SUBJECT), [note(tasks::BODY), text(tasks::IMPORTANCE)]),
        _ => (
            text(calendar::SUBJECT),
            [note(calendar::BODY), text(calendar::START_TIME)],
        ),
    }
}

/// An item at OX, and where it is.
#[derive(Clone, Debug)]
pub(super) struct AtOx {
    pub(super) title: String,
    pub(super) id: String,
    pub(super) fields: Fields,
}

/// All items of a kind.
pub(super) fn at_ox(kind: usize, web: &WebUser) -> Vec<AtOx> {
    match KINDS[kind].place {
        Place::Mail(folder) => mails(web, folder),
        Place::Module(module) => in_folder(kind, web, &web.default_folder(module).to_string()),
    }
}

/// All items of a folder of a kind.
pub(super) fn in_folder(kind: usize, web: &WebUser, folder: &str) -> Vec<AtOx> {
    match KINDS[kind].place {
        Place::Mail(_) => mails(web, folder),
        Place::Module(module) => {
            let objects = web.objects(module, folder.parse().unwrap()).into_iter();
            objects.map(|object| read(kind, &object)).collect()
        }
    }
}

fn mails(web: &WebUser, folder: &str) -> Vec<AtOx> {
    let bit = |flags: u32, bit: u32| u8::from(flags & bit != 0).to_string();
    let mails = web.mails(folder).into_iter();
    mails
        .map(|mail| AtOx {
            title: subject(&mail.raw),
            id: mail.id,
            fields: [bit(mail.flags, flag::SEEN), bit(mail.flags, flag::FLAGGED)],
        })
        .collect()
}

fn read(kind: usize, object: &Value) -> AtOx {
    let text = |key: &str| object[key].as_str().unwrap_or_default().trim().to_owned();
    let (title, fields) = match kind {
        CONTACT => ("last_name", [text("cellular_telephone1"), text("company")]),
        TASK => {
            let importance = object["priority"].as_i64().unwrap_or(2) - 1;
            ("title", [text("note"), importance.to_string()])
        }
        _ => {
            let start = object["start_date"].as_i64().unwrap_or_default();
            ("title", [text("note"), compact(start)])
        }
    };
    AtOx {
        title: text(title),
        id: object["id"].to_string(),
        fields,
    }
}

fn subject(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let subject = text.lines().find_map(|line| line.strip_prefix("Subject: "));
    subject.unwrap_or_default().to_owned()
}

/// Somebody at the web interface makes an item; mail comes from elsewhere.
pub(super) fn create(kind: usize, web: &WebUser, title: &str, fields: &Fields) {
    let module = match KINDS[kind].place {
        Place::Module(module) => module,
        Place::Mail(folder) => {
            let age = if is_old(title) { OLD } else { 0 };
            web.deliver_mail_at(folder, &mail(title, "Text."), NOW - age, 0);
            return;
        }
    };
    let mut object = json!({});
    match kind {
        CONTACT => {
            object["last_name"] = title.into();
            object["display_name"] = title.into();
        }
        _ => object["title"] = title.into(),
    }
    for (field, value) in fields.iter().enumerate() {
        set(kind, &mut object, field, value);
    }
    web.create(module, object);
}

/// Somebody at the web interface changes one field.
pub(super) fn update(kind: usize, web: &WebUser, id: &str, field: usize, value: &str) {
    match KINDS[kind].place {
        Place::Mail(folder) => {
            let bit = [flag::SEEN, flag::FLAGGED][field];
            let (set, clear) = if value == "1" { (bit, 0) } else { (0, bit) };
            web.set_flags(folder, id, set, clear);
        }
        Place::Module(module) => {
            let mut object = json!({});
            set(kind, &mut object, field, value);
            web.update(module, web.default_folder(module), id.parse().unwrap(), object);
        }
    }
}

/// OX writes an item anew: what changes, phones do not see.
pub(super) fn rewrite(kind: usize, web: &WebUser, id: &str, number: usize) {
    if let Place::Module(module) = KINDS[kind].place {
        let unseen = json!({"color_label": 1 + number % 10});
        let folder = web.default_folder(module);
        // Otherwise OX would find nothing to write.
        if web
            .object(module, id.parse().unwrap())
            .is_some_and(|object| object["color_label"] != unseen["color_label"])
        {
            web.update(module, folder, id.parse().unwrap(), unseen);
        }
    }
}

pub(super) fn delete(kind: usize, web: &WebUser, id: &str) {
    match KINDS[kind].place {
        Place::Mail(folder) => web.delete_mail(folder, id),
        Place::Module(module) => web.delete(module, web.default_folder(module), id.parse().unwrap()),
    }
}

/// Somebody at the web interface moves a mail from one of its kinds to the other.
pub(super) fn relocate(kind: usize, web: &WebUser, id: &str) {
    if let (Place::Mail(from), Place::Mail(to)) = (&KINDS[kind].place, &KINDS[MAIL + ARCHIVE - kind].place) {
        web.move_mail(from, id, to);
    }
}

fn set(kind: usize, object: &mut Value, field: usize, value: &str) {
    match (kind, field) {
        (CONTACT, 0) => object["cellular_telephone1"] = value.into(),
        (CONTACT, _) => object["company"] = value.into(),
        (TASK, 1) => object["priority"] = (value.parse::<i64>().unwrap() + 1).into(),
        (APPOINTMENT, 1) => {
            let start = start_of(value);
            object["start_date"] = start.into();
            object["end_date"] = (start + HOUR).into();
        }
        _ => object["note"] = value.into(),
    }
}

fn start_of(compact: &str) -> i64 {
    let time: jiff::Timestamp = compact.parse().unwrap();
    time.as_millisecond()
}
