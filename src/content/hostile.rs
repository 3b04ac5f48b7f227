//! Objects as OX should never send them: every column with a value of any kind. Whatever is made of them, nothing fails in
//! another way than by refusal.
//!
//! A test, not a part of the program. Contacts and tasks have this law beside their tables, too.

use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::content::Class;
use crate::content::Context;
use crate::content::Ghosted;
use crate::content::agreed::Agreed;
use crate::content::calendar;
use crate::content::contacts;
use crate::content::date;
use crate::content::email;
use crate::content::email::Mail;
use crate::content::merge::Item;
use crate::content::property::laws;
use crate::content::stub;
use crate::content::tasks;
use crate::ox::Object;
use crate::ox::columns::calendar as columns;
use crate::quirk::Quirks;
use crate::version::ProtocolVersion;
use crate::wbxml::Element;
use crate::wbxml::codepage;
use crate::wbxml::codepage::airsync;

const CLASSES: [Class; 3] = [Class::Contacts, Class::Tasks, Class::Calendar];

/// 2024-01-01T00:00:00Z
const MIDNIGHT: i64 = 1_704_067_200_000;

/// What stands in the JSON of a mail.
const OF_MAIL: [&str; 20] = [
    "id",
    "flags",
    "headers",
    "from",
    "to",
    "cc",
    "bcc",
    "reply_to",
    "subject",
    "sent_date",
    "received_date",
    "priority",
    "content_type",
    "attachments",
    "nested_msgs",
    "size",
    "color_label",
    "folder_id",
    "unread",
    "user",
];

/// What stands in the objects within them.
const WITHIN: [&str; 22] = [
    "id",
    "type",
    "mail",
    "display_name",
    "confirmation",
    "confirmmessage",
    "content_type",
    "content",
    "disp",
    "filename",
    "size",
    "cid",
    "content_location",
    "subject",
    "content-type",
    "message-id",
    "references",
    "thread-index",
    "in-reply-to",
    "sender",
    "importance",
    "field",
];

/// Numbers at which something ends, among others that mean something.
fn number() -> impl Strategy<Value = Value> {
    let ends = [
        i64::MIN,
        i64::MIN + 1,
        -1,
        0,
        1,
        2,
        3,
        5,
        127,
        1 << 31,
        1 << 53,
        date::DAY,
        253_402_300_799_999,
        i64::MAX - 1,
        i64::MAX,
    ];
    prop_oneof![
        4 => prop::sample::select(ends.to_vec()).prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        2 => (0..2_000_000_000_000_i64).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ]
}

fn text() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        " ",
        "0",
        "-1",
        "9223372036854775808",
        "Europe/Berlin",
        "nowhere",
        "anton@example.com",
        "\"A\" <a@b.c>",
        "<",
        "text/html; charset=x",
        "text/plain",
        "multipart/mixed; boundary=",
        "attachment",
        "1.2",
        "AQ==",
    ];
    prop_oneof![
        3 => prop::sample::select(texts.to_vec()).prop_map(Value::from),
        1 => "\\PC{0,12}".prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        4 => number(),
        4 => text(),
    ];
    leaf.prop_recursive(3, 30, 4, |inner| {
        let field = (prop::sample::select(WITHIN.to_vec()), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(field, 0..6).prop_map(|fields| {
                let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(fields.collect())
            }),
        ]
    })
}

fn object(keys: Vec<&'static str>) -> impl Strategy<Value = Object> {
    let field = (prop::sample::select(keys), value());
    prop::collection::vec(field, 0..30).prop_map(|fields| {
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
        Object::from_map(fields.collect())
    })
}

fn keys(class: Class) -> Vec<&'static str> {
    let columns = match class {
        Class::Contacts => contacts::columns(),
        Class::Tasks => tasks::columns(),
        Class::Calendar | Class::Email => calendar::columns(),
    };
    let mut keys: Vec<&str> = columns.iter().map(|column| column.key).collect();
    keys.push("image1");
    keys
}

/// A class, and three objects of it.
fn item() -> impl Strategy<Value = (Class, Object, Object, Object)> {
    prop::sample::select(CLASSES.to_vec()).prop_flat_map(|class| {
        let object = || object(keys(class));
        (Just(class), object(), object(), object())
    })
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop::sample::select(ProtocolVersion::ALL.to_vec())
}

fn bodies() -> BodyOptions {
    let preference = |kind| BodyPreference {
        kind,
        truncation_size: Some(5),
        all_or_none: false,
        preview: Some(3),
    };
    BodyOptions {
        preferences: [BodyType::Plain, BodyType::Html, BodyType::Mime].map(preference).into(),
        ..BodyOptions::default()
    }
}

proptest! {
    /// Who changed what is told of them, and what is agreed on is read as it was written.
    #[test]
    fn any_objects_are_merged((class, at_ox, fields, exception) in item(), day in any::<i64>()) {
        let zone = laws::user().zone;
        let exceptions = [exception];
        let agreed = Agreed::of(class, &at_ox, &exceptions);
        prop_assert_eq!(Agreed::decode(&agreed.encode()), Some(agreed.clone()));
        let item = Item { class, object: &at_ox, exceptions: &exceptions };
        let split = item.fields(&fields, &Agreed::default());
        let written = [(day, Some(&fields)), (0, None)];
        let _ = item.agreed_with(&fields, written, Some(&agreed));
        let _ = item.agreed_in_part(&split.device, written, &agreed);
        let _ = item.completed(split.both);
        let _ = item.is_moved(&fields, &agreed);
        let _ = item.differences(&fields, &zone);
        for (day, fields) in written {
            let _ = item.occurrence(day, fields, &agreed);
            let _ = item.differences_of_occurrence(day, fields, &zone);
        }
        let stub = stub::stub(class, &at_ox, stub::name_of(class, &at_ox));
        prop_assert!(stub.as_map().len() <= 11);
    }

    /// Shown to a device, and changed by it.
    #[test]
    fn any_appointment_is_shown_and_changed(
        master in object(keys(Class::Calendar)), mut exception in object(keys(Class::Calendar)), version in version(),
        timed in any::<bool>(),
    ) {
        let (user, bodies) = (laws::user(), bodies());
        let context = Context { version, quirks: Quirks::NONE, user: &user, bodies: &bodies, now: 0 };
        let mut master = master;
        if timed {
            // Without these nothing else is looked at.
            master.set(columns::START_DATE, MIDNIGHT);
            master.set(columns::END_DATE, MIDNIGHT + 3_600_000);
            exception.set(columns::RECURRENCE_DATE_POSITION, MIDNIGHT);
        }
        let exceptions = [exception];
        let _ = calendar::to_eas(&master, &exceptions, &context);
        let change = Element::parent(airsync::APPLICATION_DATA, [Element::text(codepage::calendar::SUBJECT, "x")]);
        let current = (&master, &exceptions[..]);
        let _ = calendar::to_ox(&change, Some(current), &Ghosted::Everything, &context);
        let _ = calendar::instance_to_ox("20240101T000000Z", Some(&change), current, &context);
    }

    #[test]
    fn any_mail_is_shown(mut mail in object(OF_MAIL.to_vec()).prop_map(Object::into_map), version in version()) {
        mail.entry("id").or_insert(json!(7));
        let (user, bodies) = (laws::user(), bodies());
        let context = Context { version, quirks: Quirks::NONE, user: &user, bodies: &bodies, now: 0 };
        if let Ok(mail) = Mail::from_json(&Object::from_map(mail), "5") {
            let _ = email::to_eas(&mail, &context);
            let _ = email::stub(&mail, "Why.", &user);
            let _ = email::to_eas(&email::stub(&mail, "Why.", &user), &context);
        }
    }
}
