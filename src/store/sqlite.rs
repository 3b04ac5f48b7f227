//! The store in an SQLite file of our own: one connection, one writer, no server.
//!
//! SQLite blocks, so every call runs on a thread of tokio's blocking pool. Another process may have the file open too
//! (the command line looks at devices while the service runs), so a transaction takes the write lock at its begin and
//! waits for it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::chown;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use rusqlite::config::DbConfig;
use rusqlite::params;
use sha2::Digest;
use sha2::Sha256;
use tokio::task;

use super::Note;
use super::SessionId;
use super::State;
use super::error::Error;
use super::layout;
use super::layout::Column;
use super::layout::Dialect;
use super::layout::Table;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More statements than there are here; each is prepared once.
const STATEMENTS: usize = 64;

/// The user whom a command of an administrator runs as.
const ROOT: u32 = 0;

#[derive(Debug)]
pub(super) struct Sqlite {
    file: Arc<File>,
    prepared: AtomicBool,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Sqlite {
    /// Opens the file, or creates it; its directory must exist.
    pub(super) async fn open(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        let open = move || {
            let connection = connect(&path).map_err(|e| sort(&path, e))?;
            Ok(File {
                path,
                connection: Mutex::new(connection),
            })
        };
        Ok(Self {
            file: Arc::new(blocking(open).await?),
            prepared: AtomicBool::new(false),
        })
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        self.run(|c| c.query_row("SELECT 1", [], |_| Ok(()))).await
    }

    pub(super) async fn prepare(&self, _cid: u32) -> Result<(), Error> {
        if self.prepared.load(Ordering::Relaxed) {
            return Ok(());
        }
        let missing = self.missing().await?;
        if !missing.is_empty() {
            log::info!("creating {} tables in {}", missing.len(), self.file.path.display());
            let create = move |c: &mut Connection| -> rusqlite::Result<()> {
                let tx = begin(c)?;
                for table in missing {
                    tx.execute_batch(table.definition(Dialect::Sqlite))?;
                }
                tx.commit()
            };
            self.run(create).await?;
            // Whoever was faster may have been another product.
            self.missing().await?;
        }
        self.prepared.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) async fn prepare_all(&self) -> Result<(), Error> {
        self.prepare(0).await
    }

    pub(super) fn place(&self) -> String {
        self.file.path.display().to_string()
    }

    pub(super) async fn missing(&self) -> Result<Vec<&'static Table>, Error> {
        let columns = self.run(|c| columns(c)).await?;
        layout::missing(&self.place(), Dialect::Sqlite, &columns)
    }

    pub(super) async fn forget_preparation(&self, _cid: u32) {
        self.prepared.store(false, Ordering::Relaxed);
    }

    pub(super) async fn find_session(
        &self,
        cid: u32,
        user_id: u32,
        protocol: &str,
        device: &str,
    ) -> Result<Option<u32>, Error> {
        let (protocol, device) = (protocol.to_owned(), device.to_owned());
        self.run(move |c| find_session(c, cid, user_id, &protocol, &device))
            .await
    }

    /// The id of the device, which is entered unless another call was faster.
    pub(super) async fn create_session(
        &self,
        cid: u32,
        user_id: u32,
        protocol: &str,
        device: &str,
    ) -> Result<u32, Error> {
        let (protocol, device) = (protocol.to_owned(), device.to_owned());
        let create = move |c: &mut Connection| {
            let tx = begin(c)?;
            if let Some(id) = find_session(&tx, cid, user_id, &protocol, &device)? {
                return Ok(id);
            }
            let draw = "INSERT INTO usmSessionIdSequenceTable (cid, id) VALUES (?, 1)
                ON CONFLICT (cid) DO UPDATE SET id = id + 1 RETURNING id";
            let id: u32 = query_row(&tx, draw, [cid], |row| row.get(0))?;
            let insert = "INSERT INTO USMSession (cid, usmSessionId, id, protocol, device) VALUES (?, ?, ?, ?, ?)";
            execute(&tx, insert, params![cid, id, user_id, protocol, device])?;
            tx.commit()?;
            Ok(id)
        };
        self.run(create).await
    }

    pub(super) async fn remove_session(&self, session: SessionId) -> Result<(), Error> {
        let remove = move |c: &mut Connection| -> rusqlite::Result<()> {
            let tx = begin(c)?;
            delete_rows(&tx, session)?;
            tx.commit()
        };
        self.run(remove).await
    }

    pub(super) async fn fields(&self, session: SessionId) -> Result<Vec<(String, String)>, Error> {
        let select = "SELECT field, value FROM USMSessionFields WHERE cid = ? AND usmSessionId = ?";
        self.run(move |c| all(c, select, params![session.cid, session.id], pair))
            .await
    }

    /// `false` when there is no such device.
    pub(super) async fn set_fields(&self, session: SessionId, fields: &[(&str, Option<&str>)]) -> Result<bool, Error> {
        let owned = |(field, value): &(&str, Option<&str>)| ((*field).to_owned(), value.map(str::to_owned));
        let fields: Vec<_> = fields.iter().map(owned).collect();
        let set = move |c: &mut Connection| {
            let tx = begin(c)?;
            if !is_known(&tx, session)? {
                return Ok(false);
            }
            for (field, value) in &fields {
                match value {
                    Some(value) => execute(
                        &tx,
                        "INSERT OR REPLACE INTO USMSessionFields (cid, usmSessionId, field, value) VALUES (?, ?, ?, ?)",
                        params![session.cid, session.id, field, value],
                    )?,
                    None => execute(
                        &tx,
                        "DELETE FROM USMSessionFields WHERE cid = ? AND usmSessionId = ? AND field = ?",
                        params![session.cid, session.id, field],
                    )?,
                };
            }
            tx.commit()?;
            Ok(true)
        };
        self.run(set).await
    }

    pub(super) async fn folder_ids(&self, session: SessionId) -> Result<Vec<(u32, String)>, Error> {
        self.run(move |c| folder_ids(c, session)).await
    }

    /// The ids of these folders; `None` when there is no such device.
    pub(super) async fn assign_folder_ids(
        &self,
        session: SessionId,
        folders: &[&str],
    ) -> Result<Option<Vec<(u32, String)>>, Error> {
        let folders: Vec<String> = folders.iter().map(|&f| f.to_owned()).collect();
        let assign = move |c: &mut Connection| {
            let tx = begin(c)?;
            if !is_known(&tx, session)? {
                return Ok(None);
            }
            let insert = "INSERT INTO usmIdMapping (cid, usmSessionId, ShortID, digest, LongID)
                VALUES (?, ?, ?, ?, ?) ON CONFLICT (cid, usmSessionId, digest) DO NOTHING";
            let last = "SELECT id FROM usmIdSequenceTable WHERE cid = ? AND usmSessionId = ?";
            let key = params![session.cid, session.id];
            let mut short: u32 = query_row(&tx, last, key, |row| row.get(0))
                .optional()?
                .unwrap_or_default();
            for folder in &folders {
                let digest: [u8; 32] = Sha256::digest(folder).into();
                let row = params![session.cid, session.id, short + 1, digest, folder];
                // A folder that another call has entered in the meantime keeps its id.
                if execute(&tx, insert, row)? > 0 {
                    short += 1;
                }
            }
            execute(
                &tx,
                "INSERT OR REPLACE INTO usmIdSequenceTable (cid, usmSessionId, id) VALUES (?, ?, ?)",
                params![session.cid, session.id, short],
            )?;
            let ids = folder_ids(&tx, session)?;
            tx.commit()?;
            Ok(Some(ids))
        };
        self.run(assign).await
    }

    /// `false` when there is no such device.
    pub(super) async fn rename_folder_ids(
        &self,
        session: SessionId,
        names: &[(String, String)],
    ) -> Result<bool, Error> {
        let names = names.to_vec();
        let rename = move |c: &mut Connection| {
            let tx = begin(c)?;
            if !is_known(&tx, session)? {
                return Ok(false);
            }
            let (lost, new) = super::renamed(&folder_ids(&tx, session)?, &names);
            let delete = "DELETE FROM usmIdMapping WHERE cid = ? AND usmSessionId = ? AND ShortID = ?";
            for short in lost {
                execute(&tx, delete, params![session.cid, session.id, short])?;
            }
            let insert = "INSERT INTO usmIdMapping (cid, usmSessionId, ShortID, digest, LongID) VALUES (?, ?, ?, ?, ?)";
            for (short, long) in new {
                let digest: [u8; 32] = Sha256::digest(&long).into();
                execute(&tx, insert, params![session.cid, session.id, short, digest, long])?;
            }
            tx.commit()?;
            Ok(true)
        };
        self.run(rename).await
    }

    pub(super) async fn states(&self, session: SessionId, object: &str) -> Result<Vec<State>, Error> {
        let object = object.to_owned();
        let select = "SELECT SyncKey, Element FROM USMDataStorage
            WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? ORDER BY SyncKey DESC";
        let state = |row: &Row<'_>| {
            Ok(State {
                key: unsigned(row, 0)?,
                bytes: row.get(1)?,
            })
        };
        self.run(move |c| all(c, select, params![session.cid, session.id, object], state))
            .await
    }

    pub(super) async fn commit(
        &self,
        session: SessionId,
        object: &str,
        expected: Option<u64>,
        new: &State,
        keep: &[u64],
    ) -> Result<bool, Error> {
        let (object, new, keep) = (object.to_owned(), new.clone(), keep.to_vec());
        let commit = move |c: &mut Connection| {
            let tx = begin(c)?;
            let select = "SELECT SyncKey FROM USMDataStorage
                WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? ORDER BY SyncKey DESC";
            let keys = all(&tx, select, params![session.cid, session.id, object], |row| {
                unsigned(row, 0)
            })?;
            if keys.first().copied() != expected || !is_known(&tx, session)? {
                return Ok(false);
            }
            let insert =
                "INSERT INTO USMDataStorage (cid, usmSessionId, ObjectID, SyncKey, Element) VALUES (?, ?, ?, ?, ?)";
            execute(
                &tx,
                insert,
                params![session.cid, session.id, object, signed(new.key), new.bytes],
            )?;
            let delete = "DELETE FROM USMDataStorage
                WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND SyncKey = ?";
            for key in keys.into_iter().filter(|key| !keep.contains(key)) {
                execute(&tx, delete, params![session.cid, session.id, object, signed(key)])?;
            }
            tx.commit()?;
            Ok(true)
        };
        self.run(commit).await
    }

    pub(super) async fn forget(&self, session: SessionId, object: &str) -> Result<(), Error> {
        let object = object.to_owned();
        let delete = "DELETE FROM USMDataStorage WHERE cid = ? AND usmSessionId = ? AND ObjectID = ?";
        self.run(move |c| execute(c, delete, params![session.cid, session.id, object]).map(drop))
            .await
    }

    pub(super) async fn note(&self, session: SessionId, object: &str, note: &Note) -> Result<(), Error> {
        let (object, note) = (object.to_owned(), note.clone());
        let insert = "INSERT OR REPLACE INTO easUIDMapping
            (cid, usmSessionId, ObjectID, SyncKey, operation, outcome, created) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let enter = move |c: &mut Connection| {
            let Note {
                base,
                operation,
                outcome,
                created,
            } = &note;
            let row = params![
                session.cid,
                session.id,
                object,
                signed(*base),
                operation,
                outcome,
                created
            ];
            execute(c, insert, row).map(drop)
        };
        self.run(enter).await
    }

    pub(super) async fn note_if(
        &self,
        session: SessionId,
        object: &str,
        note: &Note,
        expected: Option<&[u8]>,
    ) -> Result<bool, Error> {
        let (object, note, expected) = (object.to_owned(), note.clone(), expected.map(<[u8]>::to_vec));
        let insert = "INSERT OR IGNORE INTO easUIDMapping
            (outcome, created, cid, usmSessionId, ObjectID, SyncKey, operation) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let update = "UPDATE easUIDMapping SET outcome = ?, created = ?
            WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND SyncKey = ? AND operation = ? AND outcome = ?";
        let enter = move |c: &mut Connection| {
            let Note {
                base,
                operation,
                outcome,
                created,
            } = &note;
            let (cid, id, base) = (session.cid, session.id, signed(*base));
            let entered = match &expected {
                None => execute(c, insert, params![outcome, created, cid, id, object, base, operation])?,
                Some(expected) => execute(
                    c,
                    update,
                    params![outcome, created, cid, id, object, base, operation, expected],
                )?,
            };
            Ok(entered > 0)
        };
        self.run(enter).await
    }

    pub(super) async fn notes(&self, session: SessionId, object: &str, base: u64) -> Result<Vec<Note>, Error> {
        let object = object.to_owned();
        let select = "SELECT SyncKey, operation, outcome, created FROM easUIDMapping
            WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND SyncKey = ? ORDER BY created, operation";
        self.run(move |c| all(c, select, params![session.cid, session.id, object, signed(base)], note))
            .await
    }

    pub(super) async fn note_of(
        &self,
        session: SessionId,
        object: &str,
        operation: &[u8],
    ) -> Result<Option<Note>, Error> {
        let (object, operation) = (object.to_owned(), operation.to_vec());
        let select = "SELECT SyncKey, operation, outcome, created FROM easUIDMapping
            WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND operation = ?
            ORDER BY created DESC, SyncKey DESC LIMIT 1";
        let find = move |c: &mut Connection| {
            query_row(c, select, params![session.cid, session.id, object, operation], note).optional()
        };
        self.run(find).await
    }

    pub(super) async fn forget_notes(&self, session: SessionId, object: &str, base: u64) -> Result<(), Error> {
        let object = object.to_owned();
        let delete = "DELETE FROM easUIDMapping WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND SyncKey = ?";
        let forget = move |c: &mut Connection| {
            execute(c, delete, params![session.cid, session.id, object, signed(base)]).map(drop)
        };
        self.run(forget).await
    }

    pub(super) async fn forget_notes_before(&self, created: i64) -> Result<(), Error> {
        self.prepare(0).await?;
        self.run(move |c| execute(c, "DELETE FROM easUIDMapping WHERE created < ?", [created]).map(drop))
            .await
    }

    /// Runs `work` on a thread that may block.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let file = self.file.clone();
        blocking(move || {
            // A thread that panicked has rolled its transaction back.
            let mut connection = file.connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection).map_err(|e| sort(&file.path, e))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(Error::unavailable("sqlite", e.to_string())),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let is_new = !path.exists();
    let connection = Connection::open(path)?;
    if is_new && let Err(error) = leave_to_service(path) {
        log::warn!(
            "{} cannot be given to the owner of its directory: {error}",
            path.display()
        );
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise SQLite prepares a statement anew whenever a value is bound in its condition, in case the plan depends on it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Readers of other processes do not wait for us, and what was confirmed survives a power failure.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// The service could not write to a file that root made (`oxtender db create`), so it gets the owner of its directory. The
/// files that SQLite puts beside it follow by themselves.
fn leave_to_service(path: &Path) -> io::Result<()> {
    let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) else {
        return Ok(());
    };
    let directory = fs::metadata(directory)?;
    if fs::metadata(path)?.uid() != ROOT || directory.uid() == ROOT {
        return Ok(());
    }
    chown(path, Some(directory.uid()), Some(directory.gid()))
}

/// A transaction that has the write lock from its begin, so that what it reads stays true until it commits.
pub(super) fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// All rows of a device.
pub(super) fn delete_rows(connection: &Connection, session: SessionId) -> rusqlite::Result<()> {
    for table in layout::of_session() {
        let delete = format!("DELETE FROM {table} WHERE cid = ? AND usmSessionId = ?");
        connection.execute(&delete, [session.cid, session.id])?;
    }
    Ok(())
}

/// A statement that is written for both databases, with each `{table}` in this one.
pub(super) fn sql(statement: &str) -> String {
    statement.replace(['{', '}'], "")
}

fn columns(connection: &Connection) -> rusqlite::Result<Vec<Column>> {
    let select = "SELECT t.name, c.name, c.type FROM sqlite_master t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table' ORDER BY t.name, c.cid";
    let column = |row: &Row<'_>| {
        Ok(Column {
            table: row.get(0)?,
            name: row.get(1)?,
            kind: row.get(2)?,
        })
    };
    all(connection, select, [], column)
}

fn find_session(
    connection: &Connection,
    cid: u32,
    user_id: u32,
    protocol: &str,
    device: &str,
) -> rusqlite::Result<Option<u32>> {
    let select = "SELECT usmSessionId FROM USMSession WHERE cid = ? AND id = ? AND protocol = ? AND device = ?";
    query_row(connection, select, params![cid, user_id, protocol, device], |row| {
        row.get(0)
    })
    .optional()
}

fn is_known(connection: &Connection, session: SessionId) -> rusqlite::Result<bool> {
    let select = "SELECT EXISTS (SELECT 1 FROM USMSession WHERE cid = ? AND usmSessionId = ?)";
    query_row(connection, select, [session.cid, session.id], |row| row.get(0))
}

fn folder_ids(connection: &Connection, session: SessionId) -> rusqlite::Result<Vec<(u32, String)>> {
    let select = "SELECT ShortID, LongID FROM usmIdMapping WHERE cid = ? AND usmSessionId = ? ORDER BY ShortID";
    all(connection, select, [session.cid, session.id], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

fn pair(row: &Row<'_>) -> rusqlite::Result<(String, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn note(row: &Row<'_>) -> rusqlite::Result<Note> {
    Ok(Note {
        base: unsigned(row, 0)?,
        operation: row.get(1)?,
        outcome: row.get(2)?,
        created: row.get(3)?,
    })
}

/// Changes rows, and answers how many. The statement stays prepared, since each call at the database is made again and again.
fn execute(connection: &Connection, statement: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<usize> {
    connection.prepare_cached(statement)?.execute(parameters)
}

fn query_row<T>(
    connection: &Connection,
    select: &str,
    parameters: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.prepare_cached(select)?.query_row(parameters, read)
}

pub(super) fn all<T>(
    connection: &Connection,
    select: &str,
    parameters: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection
        .prepare_cached(select)?
        .query_map(parameters, read)?
        .collect()
}

/// SQLite's integers are signed. The store has checked that the key fits.
fn signed(key: u64) -> i64 {
    i64::try_from(key).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn sort(path: &Path, error: rusqlite::Error) -> Error {
    use rusqlite::Error::FromSqlConversionFailure;
    use rusqlite::Error::IntegralValueOutOfRange;
    use rusqlite::Error::InvalidColumnType;
    use rusqlite::Error::SqlInputError;
    use rusqlite::Error::SqliteFailure;

    let place = path.display().to_string();
    let reason = error.to_string();
    let code = match &error {
        SqliteFailure(failure, _) => failure.code,
        SqlInputError { error, .. } => error.code,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => {
            return Error::corrupt(&place, reason);
        }
        _ => return Error::other(&place, reason),
    };
    match code {
        _ if reason.contains("no such table") => Error::MissingTable { place, reason },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::unavailable(&place, reason),
        ErrorCode::DiskFull | ErrorCode::SystemIoFailure => {
            Error::unavailable(&place, format!("{reason}; look at the disk it is on"))
        }
        ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            let hint = "its directory must exist and both must be writable for the service";
            Error::other(&place, format!("{reason}; {hint}"))
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::corrupt(&place, reason),
        _ => Error::other(&place, reason),
    }
}
