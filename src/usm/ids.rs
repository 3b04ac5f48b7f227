//! The ids that devices get: short, of harmless characters, the same after every resync.
//!
//! A collection's id is a number that the store assigns to the OX folder. An item's id is the collection's id and the OX
//! id, or a digest where the OX id has characters or a length that devices cannot bear. Both stay the same as long as the
//! OX id does, so a lost state costs a resync and no duplicates.
//! Implements the limits of [MS-ASCMD] ServerId: at most 64 characters.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest as _;
use sha2::Sha256;

/// Longer OX ids are replaced by a digest; leaves room for the collection's id within 64 characters.
const LONGEST_PLAIN_ID: usize = 40;

/// Marks an id that is a digest. OX ids of its own kind never start so.
const DIGEST_MARK: char = '~';

/// Marks an id that stands for no item at OX; see [`text_message_id`].
const TEXT_MESSAGE_MARK: &str = "sms.";

/// The id of an item, for a device.
pub fn server_id(collection: u32, ox_id: &str) -> String {
    if is_plain(ox_id) {
        return format!("{collection}:{ox_id}");
    }
    format!("{collection}:{DIGEST_MARK}{}", digest(ox_id))
}

/// The OX id behind a device's id. Digests are looked up among the ids the device knows; `None` if the id is
/// another collection's or nobody's.
pub fn ox_id<'a>(collection: u32, server_id: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let (prefix, id) = server_id.split_once(':')?;
    if prefix.parse() != Ok(collection) {
        return None;
    }
    match id.strip_prefix(DIGEST_MARK) {
        None if is_plain(id) => Some(id.to_owned()),
        None => None,
        Some(wanted) => known
            .into_iter()
            .find(|known| digest(known) == wanted)
            .map(str::to_owned),
    }
}

/// The id of a text message that a device uploaded and that is kept nowhere: the same for the same upload.
pub fn text_message_id(collection: u32, client_id: &str) -> String {
    format!("{collection}:{TEXT_MESSAGE_MARK}{}", digest(client_id))
}

/// Whether a device's id was made by [`text_message_id`].
pub fn is_text_message(server_id: &str) -> bool {
    server_id
        .split_once(':')
        .is_some_and(|(_, id)| id.starts_with(TEXT_MESSAGE_MARK))
}

/// The collection that an item's id names.
pub fn collection_of(server_id: &str) -> Option<u32> {
    server_id.split_once(':')?.0.parse().ok()
}

/// [MS-ASCMD] LongId: "up to 256 characters".
const LONGEST_LONG_ID: usize = 256;

/// The id of an item that says by itself where the item is: of search results, which need not be in any synced window.
/// `None` for an OX id of a length that OX never gives.
pub fn long_id(collection: u32, ox_id: &str) -> Option<String> {
    let id = format!("{collection}.{}", URL_SAFE_NO_PAD.encode(ox_id));
    (id.len() <= LONGEST_LONG_ID).then_some(id)
}

/// The collection and the OX id behind a [`long_id`]; `None` if it is none of ours.
pub fn parse_long_id(long_id: &str) -> Option<(u32, String)> {
    let (collection, ox_id) = long_id.trim().split_once('.')?;
    let ox_id = String::from_utf8(URL_SAFE_NO_PAD.decode(ox_id).ok()?).ok()?;
    (!ox_id.is_empty()).then_some((collection.parse().ok()?, ox_id))
}

fn is_plain(ox_id: &str) -> bool {
    !ox_id.is_empty()
        && ox_id.len() <= LONGEST_PLAIN_ID
        && ox_id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn digest(ox_id: &str) -> String {
    let digest = Sha256::digest(ox_id.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.iter().take(16).copied().collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_lead_back() {
        // OX id, expected id in collection 7 (None: a digest)
        let cases = [
            ("1044", Some("7:1044")),
            ("cal-815_x.y", Some("7:cal-815_x.y")),
            ("default0/INBOX", None),
            ("", None),
            ("4711/ä", None),
            ("12345678901234567890123456789012345678901", None),
        ];
        let known: Vec<&str> = cases.iter().map(|(id, _)| *id).collect();
        for (id, expected) in cases {
            let server_id = server_id(7, id);
            assert!(server_id.len() <= 64, "{server_id}");
            if let Some(expected) = expected {
                assert_eq!(server_id, expected);
            }
            assert_eq!(ox_id(7, &server_id, known.iter().copied()).as_deref(), Some(id));
            assert_eq!(ox_id(8, &server_id, known.iter().copied()), None);
            assert_eq!(collection_of(&server_id), Some(7));
        }
    }

    #[test]
    fn long_ids_stand_alone() {
        for ox_id in ["1044", "default0/INBOX", "4711/ä"] {
            let id = long_id(7, ox_id).unwrap();
            assert_eq!(parse_long_id(&id), Some((7, ox_id.to_owned())), "{id}");
        }
        assert_eq!(long_id(7, "1044").as_deref(), Some("7.MTA0NA"));
        assert_eq!(long_id(7, &"x".repeat(200)), None);
        for id in ["", "7", "7.", "x.MTA0NA", "7.!", "7:1044"] {
            assert_eq!(parse_long_id(id), None, "{id}");
        }
    }

    #[test]
    fn text_messages_have_ids_of_their_own() {
        let id = text_message_id(7, "client 1");
        assert_eq!(id, text_message_id(7, "client 1"));
        assert_ne!(id, text_message_id(7, "client 2"));
        assert!(is_text_message(&id) && id.len() <= 64, "{id}");
        assert!(!is_text_message("7:1044") && !is_text_message("sms.1"));
    }

    #[test]
    fn foreign_ids_are_nobodys() {
        for id in ["", "7", "7:", "x:1", "7:a/b", "7:~AAAA", "7:ä"] {
            assert_eq!(ox_id(7, id, ["1"]), None, "{id}");
        }
    }
}
