//! Fields of mails: one row each with column number, key and where the value comes from; rows and objects use the same.
//!
//! Implements "Detailed mail data" of the OX HTTP API.

use crate::fields::Column;
use crate::mail::meta::Mailbox;
use crate::mail::store::Mail;
use crate::mail::store::flag;
use crate::mail::store::folder_id;
use crate::zone::Zone;
use serde_json::Value;
use serde_json::json;

/// A mail in its folder, as one caller sees it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) folder: &'a str,
    pub(crate) uid: u32,
    pub(crate) mail: &'a Mail,
    pub(crate) zone: &'a Zone,
}

/// One field.
pub(crate) struct MailField {
    pub(crate) column: u32,
    /// Empty for columns that objects do not have.
    pub(crate) key: &'static str,
    pub(crate) value: fn(View) -> Value,
}

const fn field(column: u32, key: &'static str, value: fn(View) -> Value) -> MailField {
    MailField { column, key, value }
}

pub(crate) const FIELDS: &[MailField] = &[
    field(102, "color_label", |view| json!(view.mail.color)),
    field(600, "id", |view| json!(view.uid.to_string())),
    field(601, "folder_id", |view| json!(folder_id(view.folder))),
    field(602, "attachment", |view| json!(view.mail.meta.has_attachment)),
    field(603, "from", |view| addresses(&view.mail.meta.from)),
    field(604, "to", |view| addresses(&view.mail.meta.to)),
    field(605, "cc", |view| addresses(&view.mail.meta.cc)),
    field(606, "bcc", |view| addresses(&view.mail.meta.bcc)),
    field(607, "subject", |view| json!(view.mail.meta.subject)),
    field(608, "size", |view| json!(view.mail.raw.len())),
    field(609, "sent_date", |view| {
        json!(view.mail.meta.sent.map(|sent| view.zone.to_wire(sent)))
    }),
    field(610, "received_date", |view| {
        json!(view.zone.to_wire(view.mail.received))
    }),
    field(611, "flags", |view| json!(flags(view.mail))),
    field(612, "level", |_| json!(0)),
    // A receipt is asked for once: not of a mail that has been seen.
    field(613, "disp_notification_to", |view| {
        if view.mail.seen() || view.mail.meta.notify.is_empty() {
            Value::Null
        } else {
            addresses(&view.mail.meta.notify)
        }
    }),
    field(614, "priority", |view| json!(view.mail.meta.priority)),
    field(615, "msgref", |view| json!(view.mail.meta.header("X-OX-Msgref"))),
    field(650, "", |view| json!(crate::mail::store::last_name(view.folder))),
    field(651, "", |view| json!(view.mail.seen())),
    field(652, "account_name", |_| json!("E-Mail")),
    field(653, "account_id", |_| json!(0)),
    field(654, "", |view| json!(view.uid.to_string())),
    field(655, "", |view| json!(folder_id(view.folder))),
    field(656, "content_type", |view| json!(view.mail.meta.content_type)),
    field(661, "date", |view| {
        json!(view.zone.to_wire(view.mail.meta.sent.unwrap_or(view.mail.received)))
    }),
];

/// All user flags show in one bit.
pub(crate) fn flags(mail: &Mail) -> u32 {
    mail.flags | if mail.keywords.is_empty() { 0 } else { flag::USER }
}

pub(crate) fn addresses(list: &[Mailbox]) -> Value {
    list.iter().map(Mailbox::to_json).collect()
}

/// One value; a column that is a name is a header.
pub(crate) fn cell(view: View, column: &Column) -> Value {
    match column {
        Column::Number(number) => FIELDS
            .iter()
            .find(|field| field.column == *number)
            .map_or(Value::Null, |field| (field.value)(view)),
        Column::Name(name) => json!(view.mail.meta.header(name)),
    }
}

pub(crate) fn row(view: View, columns: &[Column]) -> Value {
    columns.iter().map(|column| cell(view, column)).collect()
}
