//! Mail that a device sends: what of it may reach OX, and how a repetition is recognised.
//!
//! OX takes a message as ASCII, sends it to the recipients in its header, and removes Bcc itself. Implements [MS-ASCMD]
//! SendMail and RFC 5322 "Originator Fields".

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use sha2::Digest;
use sha2::Sha256;

use crate::content::User;
use crate::content::email::address::Address;
use crate::content::email::header;
use crate::content::email::mime::Entity;
use crate::content::email::seven_bit::address_field;
use crate::content::email::seven_bit::seven_bit;
use crate::content::email::source::all_addresses;
use crate::content::email::transfer;

/// Why a message is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// [MS-ASCMD] Status 107: no header field at all.
    #[error("the message cannot be read")]
    Unparsable,
    /// [MS-ASCMD] Status 119.
    #[error("the message has no recipient")]
    NoRecipient,
    /// A recipient that cannot be written in ASCII; sending to anything like it could reach a stranger.
    #[error("the message has a recipient that cannot be addressed")]
    BadRecipient,
}

/// Fields that the gateway writes itself; the rest stays as it is. A Return-Path is for the last server to write.
const REPLACED: [&str; 3] = ["from", "sender", "return-path"];

/// Fields that every message needs.
const REQUIRED: [&str; 3] = ["date", "message-id", "mime-version"];

/// The message as OX may send it. `now` is in milliseconds since 1970.
///
/// From becomes an address of the user. Date, Message-ID and MIME-Version are added if missing; the Message-ID depends on
/// the message alone, so that a repetition has the same one.
pub fn outgoing(mime: &[u8], user: &User, now: i64) -> Result<Vec<u8>, Refused> {
    let root = Entity::parse(mime);
    if root.fields.is_empty() {
        return Err(Refused::Unparsable);
    }
    check_recipients(&root, mime)?;
    let mut message = address_field("From", &[sender(&root, mime, user)]).into_bytes();
    for name in REQUIRED {
        if !root.fields.iter().any(|field| field.name == name) {
            message.extend_from_slice(required_field(name, mime, user, now).as_bytes());
        }
    }
    for field in root
        .fields
        .iter()
        .filter(|field| !REPLACED.contains(&field.name.as_str()))
    {
        let raw = mime.get(field.range.clone()).unwrap_or_default();
        message.extend_from_slice(raw.trim_ascii_end());
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"\r\n");
    message.extend_from_slice(mime.get(root.body.clone()).unwrap_or_default());
    Ok(seven_bit(&message).into_bytes())
}

/// A draft as OX may send it. Its author may have left a recipient half written, which [`outgoing`] would pass over:
/// here it is one that cannot be addressed.
pub fn outgoing_draft(mime: &[u8], user: &User, now: i64) -> Result<Vec<u8>, Refused> {
    let half_written = |recipient: &Address| !recipient.address.contains('@');
    match recipients(&Entity::parse(mime), mime).iter().any(half_written) {
        true => Err(Refused::BadRecipient),
        false => outgoing(mime, user, now),
    }
}

fn recipients(root: &Entity, mime: &[u8]) -> Vec<Address> {
    ["to", "cc", "bcc"].map(|name| all_addresses(root, mime, name)).concat()
}

fn check_recipients(root: &Entity, mime: &[u8]) -> Result<(), Refused> {
    let recipients = recipients(root, mime);
    let addresses = || recipients.iter().map(|recipient| recipient.address.as_str());
    if !addresses().any(|address| address.contains('@')) {
        return Err(Refused::NoRecipient);
    }
    match addresses().all(str::is_ascii) {
        true => Ok(()),
        false => Err(Refused::BadRecipient),
    }
}

/// The mailbox that the device chose if it is the user's own, else the user's primary one.
pub(super) fn sender(root: &Entity, mime: &[u8], user: &User) -> Address {
    let chosen = all_addresses(root, mime, "from").into_iter();
    let name = (!user.name.is_empty()).then(|| user.name.clone());
    match chosen.into_iter().find(|address| user.owns(&address.address)) {
        Some(own) => Address {
            name: own.name.or(name),
            address: own.address,
        },
        None => Address {
            name,
            address: user.address.clone(),
        },
    }
}

pub(super) fn required_field(name: &str, mime: &[u8], user: &User, now: i64) -> String {
    match name {
        "date" => {
            let timestamp = Timestamp::from_millisecond(now).unwrap_or_default();
            let date = rfc2822::to_string(&timestamp.to_zoned_datetime(user.zone.clone())).unwrap_or_default();
            format!("Date: {date}\r\n")
        }
        "message-id" => {
            let id: String = digest(mime).chars().take(32).collect();
            format!("Message-ID: <{id}@{}>\r\n", domain(&user.address))
        }
        _ => "MIME-Version: 1.0\r\n".to_owned(),
    }
}

/// The Message-ID field's value for a message that is told from all others by these letters and digits.
pub fn message_id_of(mark: &str, user: &User) -> String {
    format!("<{mark}@{}>", domain(&user.address))
}

/// The domain of an address, as far as it can stand in a Message-ID.
fn domain(address: &str) -> String {
    let (_, domain) = address.rsplit_once('@').unwrap_or_default();
    let domain: String = domain
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .collect();
    match domain.is_empty() {
        true => "localhost".to_owned(),
        false => domain,
    }
}

/// The field for a message whose id must be the same whenever it is made again.
pub fn message_id_field(identity: &[u8], user: &User) -> String {
    let id: String = identity.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Message-ID: <{id}@{}>\r\n", domain(&user.address))
}

/// The Message-ID of a message, without angle brackets.
pub fn message_id(mime: &[u8]) -> Option<String> {
    let root = Entity::parse(mime);
    header::ids(root.field(mime, "message-id")?).into_iter().next()
}

/// A digest of the message as the device sent it: equal for a repetition. 64 hexadecimal digits.
pub fn digest(mime: &[u8]) -> String {
    let digest = Sha256::digest(transfer::crlf(mime));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn user() -> User {
        User {
            id: 3,
            name: "Anton \u{dc}bel".to_owned(),
            address: "anton@example.com".to_owned(),
            addresses: vec!["anton@example.com".to_owned(), "sales@example.com".to_owned()],
            zone: TimeZone::UTC,
        }
    }

    fn sent(mime: &[u8]) -> Result<String, Refused> {
        let message = outgoing(mime, &user(), 1_270_750_560_000)?;
        Ok(String::from_utf8(message).expect("ASCII"))
    }

    #[test]
    fn complete_messages_keep_what_they_have() {
        let mime = "From: \"Sales\" <SALES@example.com>\r\nDate: Thu, 8 Apr 2010 18:16:00 +0000\r\nMessage-ID: <a@x>\r\n\
            MIME-Version: 1.0\r\nTo: b@x.org\r\nBcc: c@x.org\r\nSubject: s\r\n\r\nbody\r\n";
        assert_eq!(sent(mime.as_bytes()).as_deref(), Ok(mime));
    }

    #[test]
    fn what_is_missing_is_added() {
        let message = sent(b"To: b@x.org\nSubject: \xC3\xBC\n\nbody").expect("a recipient");
        let id = &digest(b"To: b@x.org\nSubject: \xC3\xBC\n\nbody")[..32];
        assert_eq!(
            message,
            format!(
                "From: =?utf-8?B?QW50b24gw5xiZWw=?= <anton@example.com>\r\nDate: Thu, 8 Apr 2010 18:16:00 +0000\r\n\
                 Message-ID: <{id}@example.com>\r\nMIME-Version: 1.0\r\nTo: b@x.org\r\nSubject: =?utf-8?B?w7w=?=\r\n\r\nbody"
            )
        );
        assert_eq!(message_id(message.as_bytes()), Some(format!("{id}@example.com")));
    }

    #[test]
    fn nobody_sends_as_someone_else() {
        // From field, expected start
        let cases = [
            (
                "From: boss@example.com\r\n",
                "From: =?utf-8?B?QW50b24gw5xiZWw=?= <anton@example.com>\r\n",
            ),
            ("From: A <anton@example.com>\r\n", "From: \"A\" <anton@example.com>\r\n"),
            (
                "From: boss@x.org, S <sales@example.com>\r\nSender: boss@x.org\r\n",
                "From: \"S\" <sales@example.com>\r\n",
            ),
            (
                "From: anton@example.com\r\nFrom: boss@x.org\r\n",
                "From: =?utf-8?B?QW50b24gw5xiZWw=?= <anton@example.com>\r\n",
            ),
        ];
        for (from, expected) in cases {
            let message = sent(format!("{from}To: b@x.org\r\n\r\n").as_bytes()).expect("a recipient");
            assert!(message.starts_with(expected), "{message}");
            assert!(!message.contains("boss"), "{message}");
        }
    }

    #[test]
    fn refusals() {
        // message, expected
        let cases: [(&[u8], Refused); 6] = [
            (b"", Refused::Unparsable),
            (b"just text", Refused::Unparsable),
            (b"Subject: s\r\n\r\n", Refused::NoRecipient),
            (b"To: undisclosed-recipients:;\r\n\r\n", Refused::NoRecipient),
            (b"To: nobody\r\n\r\n", Refused::NoRecipient),
            ("To: a@x.org, \u{fc}@x.org\r\n\r\n".as_bytes(), Refused::BadRecipient),
        ];
        for (mime, expected) in cases {
            assert_eq!(sent(mime), Err(expected));
        }
        assert!(sent(b"Bcc: a@x.org\r\n\r\n").is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_clean(mime: Vec<u8>) {
            if let Ok(message) = sent(&mime) {
                prop_assert!(transfer::is_clean(message.as_bytes()));
            }
        }

        #[test]
        fn no_field_is_smuggled_in(name in "[a-z\r\n:<>@\"\u{e4} ]{0,40}", subject in "[a-z\r:<>@\u{0}\u{e4} ]{0,40}") {
            let mime = format!("To: b@x.org\nSubject: {subject}\n\nbody");
            let user = User { name, ..user() };
            let message = outgoing(mime.as_bytes(), &user, 0).expect("a recipient");
            let root = Entity::parse(&message);
            let names: Vec<_> = root.fields.iter().map(|field| field.name.as_str()).collect();
            prop_assert_eq!(names, ["from", "date", "message-id", "mime-version", "to", "subject"]);
        }
    }
}
