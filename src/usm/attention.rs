//! The attention list of a device: items with which something is not as its user would expect, and why.
//!
//! One entry an item, in the fields of the device, so that an administrator sees them beside all else that is known of
//! it, and so that they go with it. Entries are written when something happens and removed when it is over; a request
//! with which all is well neither reads nor writes them.

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use crate::store;
use crate::store::SessionId;
use crate::store::Store;
use crate::usm::hierarchy::parse_long_id;

/// What the names of the fields begin with.
const PREFIX: &str = "attention.";

/// Entries of one device, at most: more of them are one trouble with the whole, and the oldest tell it.
const MOST: usize = 100;

/// The longest subject and the longest reason, in characters.
const LONGEST: usize = 300;

/// What is the matter with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It cannot be converted: the device has a stub in its place, or goes without it.
    Unreadable,
    /// The device did not get past it, again and again.
    Loop,
    /// The device deleted it together with many others, and OX keeps it.
    HeldBack,
    /// A change of one side was overridden by one of the other.
    Overridden,
}

impl Cause {
    /// As it is stored, and shown to administrators.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Loop => "loop",
            Self::HeldBack => "held-back",
            Self::Overridden => "overridden",
        }
    }
}

/// One item on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub cause: Cause,
    /// The id by which the device knows it.
    pub server_id: String,
    /// The id of its folder at OX, as it was then; mail folders get others. See [`with_present_folders`].
    pub folder: String,
    /// What its user calls it.
    pub subject: String,
    /// A sentence for its user.
    pub reason: String,
    /// At which it happened; 0 if that does not matter.
    pub revision: u64,
    /// Milliseconds since 1970.
    pub since: i64,
}

/// Enters an item; one that is on the list already gets the new entry. A full list takes no more.
pub async fn report(store: &Store, device: SessionId, entry: &Entry) -> Result<(), store::Error> {
    let mut entry = entry.clone();
    for text in [&mut entry.subject, &mut entry.reason] {
        *text = text.chars().take(LONGEST).collect();
    }
    let field = field(&entry.server_id);
    let fields = store.fields(device).await?;
    let listed = fields.keys().filter(|name| is_entry(name)).count();
    if listed >= MOST && !fields.contains_key(&field) {
        log::warn!(
            "the attention list of device {} in context {} is full; {:?} is not entered: {}",
            device.id,
            device.cid,
            entry.subject,
            entry.reason
        );
        return Ok(());
    }
    let value = serde_json::to_string(&entry).unwrap_or_default();
    store
        .set_fields(device, &[(field.as_str(), Some(value.as_str()))])
        .await
}

/// Takes items off the list.
pub async fn clear(store: &Store, device: SessionId, server_ids: &[&str]) -> Result<(), store::Error> {
    let names: Vec<String> = server_ids.iter().map(|id| field(id)).collect();
    let fields: Vec<(&str, Option<&str>)> = names.iter().map(|name| (name.as_str(), None)).collect();
    store.set_fields(device, &fields).await
}

/// Takes the items of folders off the list that the device does not have any more, and what was the matter with such a folder
/// as a whole.
pub async fn forget_folders(
    store: &Store,
    device: SessionId,
    is_gone: impl Fn(u32) -> bool,
) -> Result<(), store::Error> {
    let listed = list(store, device).await?;
    let of_gone = listed.iter().map(|entry| entry.server_id.as_str());
    let of_gone = of_gone.filter(|id| collection(id).is_some_and(&is_gone));
    clear(store, device, &of_gone.collect::<Vec<_>>()).await
}

/// The folder of an item, or a folder as a whole, by the id that the device knows.
fn collection(server_id: &str) -> Option<u32> {
    server_id.split(':').next()?.parse().ok()
}

/// All entries, the oldest first.
pub async fn list(store: &Store, device: SessionId) -> Result<Vec<Entry>, store::Error> {
    Ok(entries(&store.fields(device).await?))
}

/// The entries among the fields of a device, the oldest first. What cannot be read is passed over.
pub fn entries<'a>(fields: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Entry> {
    let listed = fields.into_iter().filter(|(name, _)| is_entry(name));
    let mut entries: Vec<Entry> = listed
        .filter_map(|(_, value)| serde_json::from_str(value).ok())
        .collect();
    entries.sort_by_key(|entry| entry.since);
    entries
}

/// The same entries with the ids that their folders have now; `folders` are those that the device was told of, its ids and
/// their names in the store.
pub fn with_present_folders(mut entries: Vec<Entry>, folders: &[(u32, String)]) -> Vec<Entry> {
    for entry in &mut entries {
        let number = collection(&entry.server_id);
        let known = folders.iter().find(|(id, _)| Some(*id) == number);
        if let Some((_, present)) = known.and_then(|(_, name)| parse_long_id(name)) {
            entry.folder = present;
        }
    }
    entries
}

/// Whether a field of a device is an entry.
pub fn is_entry(field: &str) -> bool {
    field.starts_with(PREFIX)
}

/// A name as short as names of fields are, whatever ids look like.
fn field(server_id: &str) -> String {
    let digest = Sha256::digest(server_id.as_bytes());
    let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{digits}")
}

#[cfg(test)]
mod tests {
    use crate::config::Database;

    use super::*;

    fn entry(server_id: &str, since: i64) -> Entry {
        Entry {
            cause: Cause::Unreadable,
            server_id: server_id.to_owned(),
            folder: "default0/INBOX".to_owned(),
            subject: "Offer".to_owned(),
            reason: "its structure is damaged".to_owned(),
            revision: 7,
            since,
        }
    }

    #[tokio::test]
    async fn entries_come_and_go() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(directory.path().join("store.db"));
        let store = Store::open(&database).await.unwrap();
        store.prepare(1).await.unwrap();
        let device = store.session(1, 3, "EAS", "phone").await.unwrap();
        store
            .set_fields(device, &[("device.Model", Some("Lumia"))])
            .await
            .unwrap();
        for (id, since) in [("5:2", 20), ("5:1", 10), ("5:3", 30)] {
            report(&store, device, &entry(id, since)).await.unwrap();
        }
        let longer = Entry {
            subject: "ü".repeat(5_000),
            ..entry("5:3", 40)
        };
        report(&store, device, &longer).await.unwrap();
        clear(&store, device, &["5:2", "5:9"]).await.unwrap();
        let listed = list(&store, device).await.unwrap();
        let cut = Entry {
            subject: "ü".repeat(LONGEST),
            ..entry("5:3", 40)
        };
        assert_eq!(listed, [entry("5:1", 10), cut]);
        for (id, since) in [("7", 50), ("7:1", 60), ("77:1", 70)] {
            report(&store, device, &entry(id, since)).await.unwrap();
        }
        forget_folders(&store, device, |folder| folder == 7).await.unwrap();
        let listed = list(&store, device).await.unwrap();
        let left: Vec<&str> = listed.iter().map(|entry| entry.server_id.as_str()).collect();
        assert_eq!(left, ["5:1", "5:3", "77:1"]);
        for number in 0..2 * MOST {
            report(&store, device, &entry(&number.to_string(), 50)).await.unwrap();
        }
        assert_eq!(list(&store, device).await.unwrap().len(), MOST);
        assert!(store.fields(device).await.unwrap().contains_key("device.Model"));
    }

    #[test]
    fn folders_are_named_as_they_are_now() {
        let folders = [
            (5, "mail/default0/INBOX/Renamed".to_owned()),
            (6, "tasks/34".to_owned()),
        ];
        // The id of the item, the folder that is shown.
        let cases = [
            ("5:1", "default0/INBOX/Renamed"),
            ("5", "default0/INBOX/Renamed"),
            ("6:1", "34"),
            ("7:1", "default0/INBOX"),
            ("x", "default0/INBOX"),
        ];
        for (id, folder) in cases {
            let entries = with_present_folders(vec![entry(id, 10)], &folders);
            assert_eq!(entries[0].folder, folder, "{id}");
        }
    }

    #[test]
    fn names_are_what_is_stored() {
        for cause in [Cause::Unreadable, Cause::Loop, Cause::HeldBack, Cause::Overridden] {
            assert_eq!(serde_json::to_string(&cause).unwrap(), format!("{:?}", cause.name()));
        }
    }

    #[test]
    fn known_bytes() {
        assert_eq!(field("5:1").len(), PREFIX.len() + 32);
        let text = serde_json::to_string(&Entry {
            cause: Cause::HeldBack,
            ..entry("5:1", 10)
        });
        assert_eq!(
            text.unwrap(),
            r#"{"cause":"held-back","server_id":"5:1","folder":"default0/INBOX","subject":"Offer","reason":"its structure is damaged","revision":7,"since":10}"#
        );
    }
}
