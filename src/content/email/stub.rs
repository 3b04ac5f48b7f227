//! A mail in the place of one that cannot be shown: what its list told of it, and a few lines that say why.
//!
//! Read like any other mail, so that every device can show it. The same stub has the same bytes whenever it is made.
//! Implements RFC 5322.

use crate::content::User;
use crate::content::body;
use crate::content::email::Mail;
use crate::content::email::compose::entity_of_text;
use crate::content::email::send::required_field;
use crate::content::email::seven_bit::address_field;
use crate::content::email::seven_bit::text_field;

/// The subject of a mail of which nothing is known.
const NO_SUBJECT: &str = "A message that cannot be shown";

/// The stub of a mail of which the envelope is known, and of all else what the list of its folder told.
pub fn stub(known: &Mail, text: &str, user: &User) -> Mail {
    let mut head = String::new();
    for (name, addresses) in [("From", &known.from), ("To", &known.to)] {
        if !addresses.is_empty() {
            head.push_str(&address_field(name, addresses));
        }
    }
    let subject = Some(known.subject.as_str()).filter(|subject| !subject.is_empty());
    head.push_str(&text_field("Subject", subject.unwrap_or(NO_SUBJECT)));
    if let Some(sent) = known.sent.or(known.envelope.received) {
        head.push_str(&required_field("date", &[], user, sent));
    }
    head.push_str(&required_field("mime-version", &[], user, 0));
    let source = [head.into_bytes(), entity_of_text("text/plain", &body::crlf(text))].concat();
    Mail::from_source(&source, known.envelope.clone())
}

#[cfg(test)]
mod tests {
    use crate::content::email::Address;
    use crate::content::email::Envelope;
    use crate::content::email::corpus::user;

    use super::*;

    #[test]
    fn known_mail() {
        let envelope = Envelope {
            collection_id: "5".to_owned(),
            id: "77".to_owned(),
            flags: 32,
            received: Some(1_700_000_000_000),
        };
        let known = Mail {
            envelope: envelope.clone(),
            from: vec![Address {
                name: Some("Berta Übel".to_owned()),
                address: "berta@example.com".to_owned(),
            }],
            subject: "Größe\r\nBcc: x@example.com".to_owned(),
            ..Mail::default()
        };
        let made = stub(&known, "It is broken.", &user());
        let source = String::from_utf8(made.source.clone().unwrap()).unwrap();
        assert_eq!(
            source,
            "From: =?utf-8?B?QmVydGEgw5xiZWw=?= <berta@example.com>\r\n\
             Subject: =?utf-8?B?R3LDtsOfZSAgQmNjOiB4QGV4YW1wbGUuY29t?=\r\n\
             Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\n\
             It is broken."
        );
        assert_eq!((&made.envelope, &made.from), (&envelope, &known.from));
    }

    #[test]
    fn of_nothing_at_all() {
        let made = stub(&Mail::default(), "Why.", &user());
        assert_eq!((made.subject.as_str(), made.sent), (NO_SUBJECT, None));
    }
}
