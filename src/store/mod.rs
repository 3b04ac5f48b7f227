//! The store: what the gateway remembers of the devices, as records and bytes.
//!
//! It knows no synchronisation: what a state holds is the caller's business, and so is its compression. Two databases
//! serve: an SQLite file of our own (`sqlite`), and MySQL or MariaDB (`mysql`), there either one schema or the
//! schema of each context as Open-Xchange finds it (`configdb`). All of them obey the laws in `laws.rs`. The tables
//! are the files in `sql/` (`layout`); their names are those of the installation guide.
//!
//! Three ideas. A device is a *session*, a number never used twice. A state is *committed* only on top of the state it
//! was made from, so that of two requests that race only one wins. And every call may be *repeated*: this file does so
//! once when a connection broke, a deadlock chose us or a table is missing; the databases underneath try once.

mod admin;
mod configdb;
mod create;
mod error;
mod expiry;
mod inspect;
mod layout;
mod mysql;
mod schema;
mod sqlite;

#[cfg(test)]
mod laws;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::config::Database;

pub use admin::Entry;
pub use admin::Rows;
pub use admin::Survey;
pub use error::Error;
pub use expiry::LAST_SEEN;
pub use expiry::Stale;
pub use expiry::today;
pub use inspect::Inspection;
pub use inspect::Trouble;

/// A device of a user, by the number the store gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    /// The context at Open-Xchange.
    pub cid: u32,
    /// Unique within the context, from 1.
    pub id: u32,
}

/// A synchronisation state of a folder or of the hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Grows with each state of an object; at most `i64::MAX`.
    pub key: u64,
    pub bytes: Vec<u8>,
}

/// An entry of the journal: an operation that Open-Xchange has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The key of the state that the device had; at most `i64::MAX`.
    pub base: u64,
    /// What the device asked for, as a digest or id of at most 64 bytes.
    pub operation: Vec<u8>,
    /// What came of it, at most 1 MiB.
    pub outcome: Vec<u8>,
    /// Milliseconds since 1970.
    pub created: i64,
}

/// Calls that reached the database since the start. A repeated call counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub reads: u64,
    pub writes: u64,
}

/// The longest texts and bytes that the tables hold. A server that is not strict would cut what is longer.
mod longest {
    pub(super) const PROTOCOL: usize = 32;
    pub(super) const DEVICE: usize = 255;
    pub(super) const OBJECT: usize = 128;
    pub(super) const FIELD: usize = 64;
    pub(super) const VALUE: usize = 64 * 1024;
    pub(super) const OPERATION: usize = 64;
    pub(super) const OUTCOME: usize = 1024 * 1024;
}

/// One of the stores. Share it through an `Arc`.
#[derive(Debug)]
pub struct Store {
    backend: Backend,
    reads: AtomicU64,
    writes: AtomicU64,
}

#[derive(Debug)]
enum Backend {
    Sqlite(sqlite::Sqlite),
    Mysql(mysql::Mysql),
}

/// Calls one method of whichever database there is.
macro_rules! call {
    ($store:expr, $method:ident ($($argument:expr),*)) => {
        match &$store.backend {
            Backend::Sqlite(database) => database.$method($($argument),*).await,
            Backend::Mysql(database) => database.$method($($argument),*).await,
        }
    };
}

/// The same, repeated once where that can help.
macro_rules! call_twice {
    ($store:expr, $cid:expr, $method:ident $arguments:tt) => {
        match call!($store, $method $arguments) {
            Err(error) => {
                $store.recover($cid, error).await?;
                call!($store, $method $arguments)
            }
            done => done,
        }
    };
}

/// What renaming does to the folders of a device: the short ids that lose their name, and those that get a new one.
fn renamed(ids: &[(u32, String)], names: &[(String, String)]) -> (Vec<u32>, Vec<(u32, String)>) {
    let names: HashMap<&str, &str> = names.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
    let taken: HashSet<&str> = names.values().copied().collect();
    let new: Vec<(u32, String)> = ids
        .iter()
        .filter_map(|(short, long)| Some((*short, (*names.get(long.as_str())?).to_owned())))
        .collect();
    if new.is_empty() {
        return (Vec::new(), new);
    }
    let lost = ids
        .iter()
        .filter(|(_, long)| names.contains_key(long.as_str()) || taken.contains(long.as_str()));
    (lost.map(|(short, _)| *short).collect(), new)
}

impl Store {
    /// Opens the file, or gets ready to connect: a database server that is down is an error of later calls only, so
    /// that the gateway can start before it.
    pub async fn open(database: &Database) -> Result<Self, Error> {
        let backend = match database {
            Database::Sqlite(path) => Backend::Sqlite(sqlite::Sqlite::open(path).await?),
            Database::Mysql(url) => Backend::Mysql(mysql::Mysql::one_schema(url)),
            Database::Configdb { directories } => Backend::Mysql(mysql::Mysql::configdb(directories)?),
        };
        Ok(Self {
            backend,
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        call!(self, ping())
    }

    /// For tests that hold the gateway to few round trips.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
        }
    }

    /// Creates the tables for a context where they are missing, and refuses those that are not ours. Call it at the
    /// first login of a user; it costs nothing when it has lately been done.
    pub async fn prepare(&self, cid: u32) -> Result<(), Error> {
        match call!(self, prepare(cid)) {
            Err(Error::Unavailable { again: true, .. }) => call!(self, prepare(cid)),
            done => done,
        }
    }

    /// The same for all contexts: call it at the start and now and then, since Open-Xchange moves a context only to a
    /// schema that has all tables in which it has rows.
    pub async fn prepare_all(&self) -> Result<(), Error> {
        call!(self, prepare_all())
    }

    /// Finds the device, or enters it. `protocol` has at most 32 bytes, `device` at most 255; case matters.
    pub async fn session(&self, cid: u32, user_id: u32, protocol: &str, device: &str) -> Result<SessionId, Error> {
        if let Some(session) = self.find_session(cid, user_id, protocol, device).await? {
            return Ok(session);
        }
        self.count_write();
        let id = call_twice!(self, cid, create_session(cid, user_id, protocol, device))?;
        Ok(SessionId { cid, id })
    }

    /// The device, if it is known.
    pub async fn find_session(
        &self,
        cid: u32,
        user_id: u32,
        protocol: &str,
        device: &str,
    ) -> Result<Option<SessionId>, Error> {
        self.limit("protocol", protocol.as_bytes(), longest::PROTOCOL)?;
        self.limit("device", device.as_bytes(), longest::DEVICE)?;
        self.count_read();
        let id = call_twice!(self, cid, find_session(cid, user_id, protocol, device))?;
        Ok(id.map(|id| SessionId { cid, id }))
    }

    /// Forgets the device and all that is known of it.
    pub async fn remove_session(&self, session: SessionId) -> Result<(), Error> {
        self.count_write();
        call_twice!(self, session.cid, remove_session(session))
    }

    /// What is remembered of the device for good.
    pub async fn fields(&self, session: SessionId) -> Result<BTreeMap<String, String>, Error> {
        self.count_read();
        let fields = call_twice!(self, session.cid, fields(session))?;
        Ok(fields.into_iter().collect())
    }

    /// Sets fields, all or none; `None` removes one. A name has at most 64 bytes, a value at most 64 KiB.
    pub async fn set_fields(&self, session: SessionId, fields: &[(&str, Option<&str>)]) -> Result<(), Error> {
        for (field, value) in fields {
            self.limit("field", field.as_bytes(), longest::FIELD)?;
            self.limit(field, value.unwrap_or_default().as_bytes(), longest::VALUE)?;
        }
        if fields.is_empty() {
            return Ok(());
        }
        self.count_write();
        let known = call_twice!(self, session.cid, set_fields(session, fields))?;
        self.expect_known(session, known)
    }

    /// The folders that have a short id, in the order of those.
    pub async fn folder_ids(&self, session: SessionId) -> Result<Vec<(u32, String)>, Error> {
        self.count_read();
        call_twice!(self, session.cid, folder_ids(session))
    }

    /// The short id of each folder, in the order given; a folder without one gets the next, counted from 1. A short
    /// id never means another folder later, for as long as the device is known.
    pub async fn assign_folder_ids(&self, session: SessionId, folders: &[String]) -> Result<Vec<(u32, String)>, Error> {
        let mut known: HashMap<String, u32> = HashMap::new();
        let enter = |known: &mut HashMap<String, u32>, ids: Vec<(u32, String)>| {
            known.extend(ids.into_iter().map(|(short, long)| (long, short)));
        };
        enter(&mut known, self.folder_ids(session).await?);
        let missing: Vec<&str> = folders
            .iter()
            .map(String::as_str)
            .filter(|f| !known.contains_key(*f))
            .collect();
        if !missing.is_empty() {
            self.count_write();
            let assigned = call_twice!(self, session.cid, assign_folder_ids(session, &missing))?;
            self.expect_known(session, assigned.is_some())?;
            enter(&mut known, assigned.unwrap_or_default());
        }
        let with_id = |folder: &String| known.get(folder).map(|&short| (short, folder.clone()));
        Ok(folders.iter().filter_map(with_id).collect())
    }

    /// Gives folders that have a short id another name: pairs of the old name and the new one. A short id that had one of
    /// the new names before loses it, and is not used again. Names that are not known are passed over.
    pub async fn rename_folder_ids(&self, session: SessionId, names: &[(String, String)]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        self.count_write();
        let known = call_twice!(self, session.cid, rename_folder_ids(session, names))?;
        self.expect_known(session, known)
    }

    /// The states of a folder or of the hierarchy, the newest first. `object` has at most 128 bytes.
    pub async fn states(&self, session: SessionId, object: &str) -> Result<Vec<State>, Error> {
        self.limit("object", object.as_bytes(), longest::OBJECT)?;
        self.count_read();
        call_twice!(self, session.cid, states(session, object))
    }

    /// Compares and sets: if the newest state has the key `expected` (`None`: there is no state), adds `new` and
    /// removes all states of the object but this and those in `keep`. `false`, and nothing changed, when another
    /// request was faster or the device has been removed. The key of `new` must be larger than `expected`.
    pub async fn commit(
        &self,
        session: SessionId,
        object: &str,
        expected: Option<u64>,
        new: State,
        keep: &[u64],
    ) -> Result<bool, Error> {
        self.limit("object", object.as_bytes(), longest::OBJECT)?;
        self.limit_key(new.key)?;
        if expected.is_some_and(|key| key >= new.key) {
            return Err(self.refuse("the key of a new state is not larger than that of the state before it"));
        }
        self.count_write();
        let error = match call!(self, commit(session, object, expected, &new, keep)) {
            Err(error) => error,
            done => return done,
        };
        self.recover(session.cid, error).await?;
        if call!(self, commit(session, object, expected, &new, keep))? {
            return Ok(true);
        }
        // The first attempt may have been carried out, and only its confirmation was lost.
        Ok(self.states(session, object).await?.contains(&new))
    }

    /// Removes all states of the object.
    pub async fn forget(&self, session: SessionId, object: &str) -> Result<(), Error> {
        self.limit("object", object.as_bytes(), longest::OBJECT)?;
        self.count_write();
        call_twice!(self, session.cid, forget(session, object))
    }

    /// Enters a confirmed operation; one on the same base with the same bytes is replaced.
    pub async fn note(&self, session: SessionId, object: &str, note: Note) -> Result<(), Error> {
        self.limit_note(object, &note)?;
        self.count_write();
        call_twice!(self, session.cid, note(session, object, &note))
    }

    /// Enters a note only if what is noted of the operation on this base is still `expected`; `None`: nothing. Answers whether
    /// it was entered: of two gateways with one request, one is first. If `false`, it may have been entered by a first attempt
    /// whose confirmation was lost.
    pub async fn note_if(
        &self,
        session: SessionId,
        object: &str,
        note: Note,
        expected: Option<&[u8]>,
    ) -> Result<bool, Error> {
        self.limit_note(object, &note)?;
        self.count_write();
        call_twice!(self, session.cid, note_if(session, object, &note, expected))
    }

    /// What was confirmed on top of one state, in the order of its time.
    pub async fn notes(&self, session: SessionId, object: &str, base: u64) -> Result<Vec<Note>, Error> {
        self.limit("object", object.as_bytes(), longest::OBJECT)?;
        self.limit_key(base)?;
        self.count_read();
        call_twice!(self, session.cid, notes(session, object, base))
    }

    /// The newest note of an operation, on whatever base.
    pub async fn note_of(&self, session: SessionId, object: &str, operation: &[u8]) -> Result<Option<Note>, Error> {
        self.limit("object", object.as_bytes(), longest::OBJECT)?;
        self.limit("operation", operation, longest::OPERATION)?;
        self.count_read();
        call_twice!(self, session.cid, note_of(session, object, operation))
    }

    /// Removes the notes on one state.
    pub async fn forget_notes(&self, session: SessionId, object: &str, base: u64) -> Result<(), Error> {
        self.limit("object", object.as_bytes(), longest::OBJECT)?;
        self.limit_key(base)?;
        self.count_write();
        call_twice!(self, session.cid, forget_notes(session, object, base))
    }

    /// Removes the notes of all devices that are older than `created` (milliseconds since 1970).
    pub async fn forget_notes_before(&self, created: i64) -> Result<(), Error> {
        self.count_write();
        call!(self, forget_notes_before(created))
    }

    /// Gets ready to repeat a call, or gives the error back when that is of no use.
    async fn recover(&self, cid: u32, error: Error) -> Result<(), Error> {
        match error {
            Error::Unavailable { again: true, .. } => {
                log::debug!("{error}; trying once more");
                Ok(())
            }
            Error::MissingTable { .. } => {
                log::info!("{error}; looking for the tables again");
                call!(self, forget_preparation(cid));
                self.prepare(cid).await
            }
            error => Err(error),
        }
    }

    fn expect_known(&self, session: SessionId, known: bool) -> Result<(), Error> {
        if known {
            return Ok(());
        }
        let SessionId { cid, id } = session;
        Err(Error::Removed { cid, id })
    }

    fn limit(&self, what: &str, bytes: &[u8], longest: usize) -> Result<(), Error> {
        if bytes.len() <= longest {
            return Ok(());
        }
        Err(self.refuse(&format!(
            "{what} has {} bytes, more than the {longest} allowed",
            bytes.len()
        )))
    }

    fn limit_note(&self, object: &str, note: &Note) -> Result<(), Error> {
        self.limit("object", object.as_bytes(), longest::OBJECT)?;
        self.limit("operation", &note.operation, longest::OPERATION)?;
        self.limit("outcome", &note.outcome, longest::OUTCOME)?;
        self.limit_key(note.base)
    }

    fn limit_key(&self, key: u64) -> Result<(), Error> {
        match i64::try_from(key) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.refuse(&format!("the key {key} is larger than a database can hold"))),
        }
    }

    fn refuse(&self, reason: &str) -> Error {
        Error::other("store", reason)
    }

    fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}
