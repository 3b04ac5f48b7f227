//! Conversations: ConversationId, ConversationIndex and ThreadTopic.
//!
//! The same mail always gives the same values, in whichever folder it lies and however it was read. Implements
//! [MS-ASEMAIL] ConversationId, ConversationIndex, ThreadTopic and [MS-OXOMSG] "PidTagConversationIndex".

use mail_parser::parsers::fields::thread::thread_name;
use sha2::Digest;
use sha2::Sha256;

use crate::content::email::mail::Mail;

/// From 1601, where FILETIME starts, to 1970, in units of 100 nanoseconds.
const FILETIME_OF_1970: i64 = 116_444_736_000_000_000;

/// Length of a Thread-Index header before the blocks of replies: a reserved byte, five bytes of time, a GUID.
const HEADER: usize = 22;

/// 16 bytes that all mails of a thread share: of the first id in References, which is the root of the thread; for the
/// root itself of its Message-ID. Mail without ids falls back to Outlook's GUID, then to topic and time.
pub fn conversation_id(mail: &Mail) -> Vec<u8> {
    let root = mail.references.first().or(mail.message_id.as_ref());
    if let Some(root) = root {
        return digest(root.as_bytes());
    }
    if let Some(guid) = mail.thread_index.as_deref().and_then(|index| index.get(6..HEADER)) {
        return guid.to_vec();
    }
    let time = mail.sent.or(mail.envelope.received).unwrap_or_default();
    digest(format!("{}\0{time}", topic(mail)).as_bytes())
}

/// Five bytes for the time of the thread's first message, five more for each reply. Mail that brings none gets the
/// first five from its own time.
pub(super) fn conversation_index(mail: &Mail) -> Vec<u8> {
    if let Some(index) = mail.thread_index.as_deref() {
        let time = index.get(1..6).unwrap_or_default();
        let replies = index.get(HEADER..).unwrap_or_default();
        let whole = replies.len() - replies.len() % 5;
        return [time, replies.get(..whole).unwrap_or_default()].concat();
    }
    let time = mail.sent.or(mail.envelope.received).unwrap_or_default();
    let filetime = time.saturating_mul(10_000).saturating_add(FILETIME_OF_1970);
    filetime.to_be_bytes().get(1..6).unwrap_or_default().to_vec()
}

/// The subject without prefixes of replies and forwards.
pub(super) fn topic(mail: &Mail) -> &str {
    thread_name(&mail.subject)
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).iter().copied().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(message_id: Option<&str>, references: &[&str]) -> Mail {
        Mail {
            message_id: message_id.map(str::to_owned),
            references: references.iter().map(|id| (*id).to_owned()).collect(),
            sent: Some(1_270_750_560_000),
            ..Mail::default()
        }
    }

    #[test]
    fn a_thread_shares_its_root() {
        let root = conversation_id(&mail(Some("a@x"), &[]));
        assert_eq!(root.len(), 16);
        assert_eq!(conversation_id(&mail(Some("b@x"), &["a@x"])), root);
        assert_eq!(conversation_id(&mail(None, &["a@x", "b@x"])), root);
        assert_ne!(conversation_id(&mail(Some("c@x"), &[])), root);
        assert_eq!(conversation_id(&mail(None, &[])), conversation_id(&mail(None, &[])));
    }

    #[test]
    fn index_from_outlook_or_from_the_time() {
        // 2010-04-08T18:16:00Z is FILETIME 0x01CAD7478A837000; its first byte is left out.
        let own = conversation_index(&mail(None, &[]));
        assert_eq!(own, [0xCA, 0xD7, 0x47, 0x8A, 0x83]);
        let mut outlook = mail(None, &[]);
        let index: Vec<u8> = (0..27).collect();
        outlook.thread_index = Some(index.clone());
        assert_eq!(conversation_index(&outlook), [&index[1..6], &index[22..27]].concat());
        assert_eq!(conversation_id(&outlook), &index[6..22]);
    }

    #[test]
    fn topics() {
        for (subject, expected) in [
            ("Re: Lunch", "Lunch"),
            ("AW: Re[2]: Lunch", "Lunch"),
            ("Lunch", "Lunch"),
            ("", ""),
        ] {
            let mail = Mail {
                subject: subject.to_owned(),
                ..Mail::default()
            };
            assert_eq!(topic(&mail), expected, "{subject}");
        }
    }
}
