//! Mails of the gateway to the user of a device, made of a line and some paragraphs.
//!
//! Pure text, fit for OX and for any reader. Implements RFC 5322.

use crate::content::User;
use crate::content::body;
use crate::content::email::address::Address;
use crate::content::email::compose::entity_of_text;
use crate::content::email::send::required_field;
use crate::content::email::seven_bit::address_field;
use crate::content::email::seven_bit::text_field;

/// A mail from the user to himself, all in ASCII; `now` in milliseconds since 1970. `message_id` has angle brackets; without
/// it, the Message-ID is of the mail alone: the same notice, made at the same time, has the same.
pub fn notice(subject: &str, text: &str, message_id: Option<&str>, user: &User, now: i64) -> Vec<u8> {
    let entity = entity_of_text("text/plain", &body::crlf(text));
    let own = Address {
        name: (!user.name.is_empty()).then(|| user.name.clone()),
        address: user.address.clone(),
    };
    let mut head = ["From", "To"]
        .map(|name| address_field(name, std::slice::from_ref(&own)))
        .concat();
    head.push_str(&text_field("Subject", subject));
    let identity = [head.as_bytes(), now.to_string().as_bytes(), entity.as_slice()].concat();
    for name in ["date", "message-id", "mime-version"] {
        match message_id.filter(|_| name == "message-id") {
            Some(id) => head.push_str(&format!("Message-ID: {id}\r\n")),
            None => head.push_str(&required_field(name, &identity, user, now)),
        }
    }
    // What answers by itself shall not answer this (RFC 3834).
    head.push_str("Auto-Submitted: auto-generated\r\n");
    [head.into_bytes(), entity].concat()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn known_mail() {
        let user = User {
            id: 3,
            name: "Anton Übel".to_owned(),
            address: "anton@example.com".to_owned(),
            addresses: vec!["anton@example.com".to_owned()],
            zone: TimeZone::UTC,
        };
        let mail = notice(
            "Gelöscht",
            "Zwölf Kontakte.\n\nUnd mehr.",
            None,
            &user,
            1_700_000_000_000,
        );
        assert!(mail.is_ascii());
        let text = String::from_utf8(mail).unwrap();
        let id = text.lines().find(|line| line.starts_with("Message-ID: ")).unwrap();
        assert_eq!(
            text,
            format!(
                "From: =?utf-8?B?QW50b24gw5xiZWw=?= <anton@example.com>\r\n\
                 To: =?utf-8?B?QW50b24gw5xiZWw=?= <anton@example.com>\r\n\
                 Subject: =?utf-8?B?R2Vsw7ZzY2h0?=\r\n\
                 Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\
                 {id}\r\n\
                 MIME-Version: 1.0\r\n\
                 Auto-Submitted: auto-generated\r\n\
                 Content-Type: text/plain; charset=utf-8\r\n\
                 Content-Transfer-Encoding: quoted-printable\r\n\r\n\
                 Zw=C3=B6lf Kontakte.\r\n\r\nUnd mehr."
            )
        );
        let id = "<1@example.com>";
        let mail = notice("Gelöscht", "Zwölf Kontakte.", Some(id), &user, 1_700_000_000_000);
        let text = String::from_utf8(mail).unwrap();
        assert!(text.contains("\r\nMessage-ID: <1@example.com>\r\n"), "{text}");
    }
}
