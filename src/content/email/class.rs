//! What kind of mail it is: MessageClass and ContentClass by MIME structure.
//!
//! Implements [MS-ASEMAIL] MessageClass and ContentClass, RFC 5751 for S/MIME, RFC 6047 for invitations, RFC 3462 for
//! reports. PGP is none of the classes: its signed mail is an ordinary note.

use crate::content::email::mail::Mail;
use crate::content::email::mail::Part;

const OPAQUE: [&str; 2] = ["application/pkcs7-mime", "application/x-pkcs7-mime"];
const SIGNATURE: [&str; 2] = ["application/pkcs7-signature", "application/x-pkcs7-signature"];

const NOTE: &str = "IPM.Note";
const ENCRYPTED: &str = "IPM.Note.SMIME";
const SIGNED: &str = "IPM.Note.SMIME.MultipartSigned";

/// Prefix of all classes of invitations and their answers.
const MEETING: &str = "IPM.Schedule.Meeting";

/// iTIP method, PARTSTAT of an answer (empty: any), class.
const MEETINGS: [(&str, &str, &str); 6] = [
    ("REQUEST", "", "IPM.Schedule.Meeting.Request"),
    ("CANCEL", "", "IPM.Schedule.Meeting.Canceled"),
    ("COUNTER", "", "IPM.Schedule.Meeting.Resp.Tent"),
    ("REPLY", "ACCEPTED", "IPM.Schedule.Meeting.Resp.Pos"),
    ("REPLY", "DECLINED", "IPM.Schedule.Meeting.Resp.Neg"),
    ("REPLY", "TENTATIVE", "IPM.Schedule.Meeting.Resp.Tent"),
];

/// Action of a delivery report, class.
const DELIVERY: [(&str, &str); 3] = [
    ("delayed", "REPORT.IPM.NOTE.DELAYED"),
    ("delivered", "REPORT.IPM.NOTE.DR"),
    ("relayed", "REPORT.IPM.NOTE.DR"),
];

/// [MS-ASEMAIL] MessageClass.
pub(super) fn message_class(mail: &Mail) -> &'static str {
    if is_opaque_mail(mail) {
        return ENCRYPTED;
    }
    if is_signed(mail) {
        return SIGNED;
    }
    if mail.part(&["message/disposition-notification"]).is_some() {
        return "REPORT.IPM.NOTE.IPNRN";
    }
    if let Some(report) = mail.part(&["message/delivery-status"]) {
        return delivery_class(report.text.as_deref().unwrap_or_default());
    }
    meeting_class(mail).unwrap_or(NOTE)
}

/// [MS-ASEMAIL] ContentClass.
pub(super) fn content_class(message_class: &str) -> &'static str {
    match message_class.starts_with(MEETING) {
        true => "urn:content-classes:calendarmessage",
        false => "urn:content-classes:message",
    }
}

/// Whether the mail is S/MIME: devices need its source to decrypt or verify it.
pub(super) fn is_secure(mail: &Mail) -> bool {
    is_opaque_mail(mail) || is_signed(mail)
}

/// A part that is encrypted, or signed together with its content.
pub(super) fn is_opaque(part: &Part) -> bool {
    OPAQUE.contains(&part.content_type.kind.as_str())
}

/// The mail is nothing but one opaque part.
fn is_opaque_mail(mail: &Mail) -> bool {
    let [part] = mail.parts.as_slice() else {
        return false;
    };
    is_opaque(part)
}

/// Clear-signed. Where the type of the mail is unknown, its signature tells.
fn is_signed(mail: &Mail) -> bool {
    let signed = mail.content_type.is_none() || mail.is("multipart/signed");
    signed && mail.part(&SIGNATURE).is_some()
}

fn delivery_class(report: &str) -> &'static str {
    let mut actions = report.lines().filter_map(|line| line.split_once(':'));
    let action = actions.find(|(name, _)| name.trim().eq_ignore_ascii_case("action"));
    let action = action.map(|(_, action)| action.trim()).unwrap_or_default();
    let row = DELIVERY.iter().find(|(own, _)| own.eq_ignore_ascii_case(action));
    row.map_or("REPORT.IPM.NOTE.NDR", |(_, class)| class)
}

fn meeting_class(mail: &Mail) -> Option<&'static str> {
    let part = mail.part(&["text/calendar"])?;
    let calendar = part.text.as_deref().unwrap_or_default();
    let method = part.content_type.parameter("method");
    let method = method.or_else(|| property(calendar, "METHOD")).unwrap_or_default();
    let status = calendar
        .split_once("PARTSTAT=")
        .map(|(_, rest)| rest)
        .unwrap_or_default();
    let status: String = status.chars().take_while(char::is_ascii_alphabetic).collect();
    let row = MEETINGS.iter().find(|(own, answer, _)| {
        own.eq_ignore_ascii_case(method.trim()) && (answer.is_empty() || answer.eq_ignore_ascii_case(&status))
    });
    row.map(|(_, _, class)| *class)
}

/// The text of an invitation that comes without any: its DESCRIPTION, else its SUMMARY.
pub(super) fn description(calendar: &str) -> String {
    let unfolded = calendar.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let text = property(&unfolded, "DESCRIPTION").or_else(|| property(&unfolded, "SUMMARY"));
    let mut description = String::new();
    let mut escaped = false;
    for c in text.unwrap_or_default().chars() {
        match (escaped, c) {
            (true, 'n' | 'N') => description.push('\n'),
            (false, '\\') => {}
            _ => description.push(c),
        }
        escaped = !escaped && c == '\\';
    }
    description
}

/// The first value of a property that is not empty, as written.
fn property<'a>(calendar: &'a str, name: &str) -> Option<&'a str> {
    calendar.lines().find_map(|line| {
        let head = line.get(..name.len())?;
        let rest = line.get(name.len()..)?;
        let value = rest.starts_with([':', ';']).then(|| rest.split_once(':'))??.1;
        (head.eq_ignore_ascii_case(name) && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::email::mail::Envelope;

    #[test]
    fn classes_by_structure() {
        // head of the message, expected
        let cases = [
            ("Content-Type: text/plain\n\nx", NOTE),
            (
                "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx",
                ENCRYPTED,
            ),
            (
                "Content-Type: text/calendar; method=REQUEST\n\nx",
                "IPM.Schedule.Meeting.Request",
            ),
            (
                "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:CANCEL\n",
                "IPM.Schedule.Meeting.Canceled",
            ),
            (
                "Content-Type: text/calendar; method=reply\n\nATTENDEE;PARTSTAT=DECLINED:mailto:a@x\n",
                "IPM.Schedule.Meeting.Resp.Neg",
            ),
            ("Content-Type: text/calendar; method=PUBLISH\n\nx", NOTE),
            (
                "Content-Type: message/delivery-status\n\nAction: delayed\n",
                "REPORT.IPM.NOTE.DELAYED",
            ),
            (
                "Content-Type: message/delivery-status\n\nAction: failed\n",
                "REPORT.IPM.NOTE.NDR",
            ),
            (
                "Content-Type: message/disposition-notification\n\nx",
                "REPORT.IPM.NOTE.IPNRN",
            ),
            (
                "Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/pkcs7-signature\n\n",
                SIGNED,
            ),
            (
                "Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/pgp-signature\n\n",
                NOTE,
            ),
        ];
        for (source, expected) in cases {
            let mail = Mail::from_source(source.as_bytes(), Envelope::default());
            assert_eq!(message_class(&mail), expected, "{source}");
        }
    }

    #[test]
    fn text_of_an_invitation() {
        let calendar = "SUMMARY:Lunch\r\nDESCRIPTION;LANGUAGE=de:Bring\\, please:\\nca\r\n ke\r\n";
        assert_eq!(description(calendar), "Bring, please:\ncake");
        assert_eq!(description("SUMMARY:Lunch\nDESCRIPTION:\n"), "Lunch");
        assert_eq!(description("nothing"), "");
    }
}
