//! Messages on their way to OX, so that each goes out once, whichever gateway at the database has the request.
//!
//! A device that waited too long sends its request once more, perhaps to another gateway, while the first one is still sending
//! the message. So it is noted who is sending it. A gateway that finds another one's name lets the device come again later;
//! its own name is that of a request before the last start, since the requests of a device wait for each other. Who died
//! is waited for no longer than a message can be on its way. Knows messages by their digests, and no mail.

use crate::store::Note;
use crate::store::SessionId;
use crate::store::Store;
use crate::usm::collection::Error;
use crate::usm::journal::Fingerprint;

/// The journal that remembers what was sent.
const JOURNAL: &str = "sent";

/// The notes are based on no key.
const BASE: u64 = 0;

/// What is noted: OX has accepted the message; nobody knows whether it has; or it is on its way there, from the gateway
/// whose name stands behind.
const SENT: &[u8] = b"sent";
const UNCERTAIN: &[u8] = b"uncertain";
const ON_ITS_WAY: &[u8] = b"on its way from ";

/// For so long a message can be on its way, in milliseconds: a call may take five minutes, and is made twice where a
/// session has ended.
const LONGEST_WAY: i64 = 11 * 60 * 1000;

/// The messages of one device.
#[derive(Clone, Copy)]
pub struct Sending<'a> {
    pub store: &'a Store,
    pub device: SessionId,
    /// Tells the gateways at one database apart, and is the same after a restart.
    pub node: &'a str,
    /// In milliseconds since 1970.
    pub now: i64,
}

/// What is known of a message before it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Before {
    /// Nobody has tried to send it.
    #[default]
    Nothing,
    /// Somebody has, and it is not known how far it came. What was noted.
    Attempt(Vec<u8>),
    Sent,
}

impl Sending<'_> {
    /// [`Error::Superseded`] while another gateway is sending it.
    pub async fn before(&self, message: &Fingerprint) -> Result<Before, Error> {
        let Some(note) = self.store.note_of(self.device, JOURNAL, message).await? else {
            return Ok(Before::Nothing);
        };
        if note.outcome == SENT {
            return Ok(Before::Sent);
        }
        let node = note.outcome.strip_prefix(ON_ITS_WAY);
        let is_elsewhere = node.is_some_and(|node| node != self.node.as_bytes());
        match is_elsewhere && self.now.saturating_sub(note.created) < LONGEST_WAY {
            true => Err(Error::Superseded),
            false => Ok(Before::Attempt(note.outcome)),
        }
    }

    /// Notes that the message is on its way now. [`Error::Superseded`] if another gateway was faster.
    pub async fn begin(&self, message: &Fingerprint, before: &Before) -> Result<(), Error> {
        let expected = match before {
            Before::Nothing => None,
            Before::Attempt(noted) => Some(noted.as_slice()),
            Before::Sent => Some(SENT),
        };
        let note = self.note(message, [ON_ITS_WAY, self.node.as_bytes()].concat());
        match self.store.note_if(self.device, JOURNAL, note, expected).await? {
            true => Ok(()),
            false => Err(Error::Superseded),
        }
    }

    /// Notes what became of it: OX has it, or nobody knows.
    pub async fn end(&self, message: &Fingerprint, is_sent: bool) -> Result<(), Error> {
        let outcome = if is_sent { SENT } else { UNCERTAIN };
        let note = self.note(message, outcome.to_vec());
        Ok(self.store.note(self.device, JOURNAL, note).await?)
    }

    fn note(&self, message: &Fingerprint, outcome: Vec<u8>) -> Note {
        Note {
            base: BASE,
            operation: message.to_vec(),
            outcome,
            created: self.now,
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::config::Database;
    use crate::usm::journal::fingerprint;

    async fn store() -> (TempDir, Store, SessionId) {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(directory.path().join("store.db"));
        let store = Store::open(&database).await.unwrap();
        store.prepare(1).await.unwrap();
        let device = store.session(1, 3, "EAS", "phone").await.unwrap();
        (directory, store, device)
    }

    fn at<'a>(store: &'a Store, device: SessionId, node: &'a str, now: i64) -> Sending<'a> {
        Sending {
            store,
            device,
            node,
            now,
        }
    }

    fn is_superseded<T>(outcome: &Result<T, Error>) -> bool {
        matches!(outcome, Err(Error::Superseded))
    }

    #[tokio::test]
    async fn one_gateway_at_a_time() {
        let (_directory, store, device) = store().await;
        let message = fingerprint(b"x");
        let [one, two] = ["one", "two"].map(|node| at(&store, device, node, 1_000));
        assert_eq!(one.before(&message).await.unwrap(), Before::Nothing);
        // Both have looked before either began.
        one.begin(&message, &Before::Nothing).await.unwrap();
        assert!(is_superseded(&two.begin(&message, &Before::Nothing).await));
        assert!(is_superseded(&two.before(&message).await));
        // The same gateway was started again; another one waits.
        assert!(matches!(one.before(&message).await.unwrap(), Before::Attempt(_)));
        let soon = at(&store, device, "two", 1_000 + LONGEST_WAY - 1);
        assert!(is_superseded(&soon.before(&message).await));
        let late = at(&store, device, "two", 1_000 + LONGEST_WAY);
        let before = late.before(&message).await.unwrap();
        late.begin(&message, &before).await.unwrap();
        late.end(&message, false).await.unwrap();
        // Nobody is sending it, so nobody has to wait.
        let before = one.before(&message).await.unwrap();
        assert_eq!(before, Before::Attempt(UNCERTAIN.to_vec()));
        one.begin(&message, &before).await.unwrap();
        one.end(&message, true).await.unwrap();
        assert_eq!(two.before(&message).await.unwrap(), Before::Sent);
        assert_eq!(two.before(&fingerprint(b"y")).await.unwrap(), Before::Nothing);
    }
}
