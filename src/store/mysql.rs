//! The store in MySQL or MariaDB: in one schema, or in the schema of each context.
//!
//! Only plain statements: no stored procedures, no auto-increment, no foreign keys, nothing that a cluster with row
//! replication refuses. Calls that change a device lock its row in `USMSession` first; that orders them, and spares
//! the other tables the gap locks that make devices wait for each other. A consistent read after that lock sees what
//! the holder before us committed.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use mysql_async::Conn;
use mysql_async::Params;
use mysql_async::Transaction;
use mysql_async::TxOpts;
use mysql_async::Value;
use mysql_async::prelude::Queryable;
use sha2::Digest;
use sha2::Sha256;

use crate::config::MysqlUrl;

use super::Note;
use super::SessionId;
use super::State;
use super::configdb::Configdb;
use super::create;
use super::error::Error;
use super::layout;
use super::schema::Schema;
use super::schema::Server;
use super::schema::first;
use super::schema::rows;

/// For how long a schema is believed to have our tables. A call that misses one looks at once.
const PREPARED_FOR: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct Mysql {
    route: Route,
    /// When the tables of a schema were last seen, by its place.
    prepared: Mutex<HashMap<String, Instant>>,
}

/// From a context to its schema.
#[derive(Debug)]
enum Route {
    One(Arc<Schema>),
    Configdb(Box<Configdb>),
}

impl Mysql {
    pub(super) fn one_schema(url: &MysqlUrl) -> Self {
        let schema = Schema::new(Server::new(url), &url.schema);
        Self::new(Route::One(Arc::new(schema)))
    }

    pub(super) fn configdb(directories: &[PathBuf]) -> Result<Self, Error> {
        Ok(Self::new(Route::Configdb(Box::new(Configdb::read(directories)?))))
    }

    fn new(route: Route) -> Self {
        Self {
            route,
            prepared: Mutex::default(),
        }
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        match &self.route {
            Route::One(schema) => {
                let mut connection = schema.connect().await?;
                schema.wait(connection.ping()).await
            }
            Route::Configdb(configdb) => configdb.ping().await,
        }
    }

    pub(super) async fn prepare(&self, cid: u32) -> Result<(), Error> {
        let schema = self.schema(cid).await?;
        self.prepare_schema(&schema).await
    }

    /// The tables of all contexts. Open-Xchange can move a context only to a schema that has them.
    pub(super) async fn prepare_all(&self) -> Result<(), Error> {
        for schema in self.schemas().await? {
            self.prepare_schema(&schema).await?;
        }
        Ok(())
    }

    async fn prepare_schema(&self, schema: &Schema) -> Result<(), Error> {
        let fresh = |seen: &Instant| seen.elapsed() < PREPARED_FOR;
        if self.lock_prepared().get(&schema.place).is_some_and(fresh) {
            return Ok(());
        }
        create::tables(schema).await?;
        self.lock_prepared().insert(schema.place.clone(), Instant::now());
        Ok(())
    }

    /// Forgets what is believed of the context, where its schema is included.
    pub(super) async fn forget_preparation(&self, cid: u32) {
        if let Ok(schema) = self.schema(cid).await {
            self.lock_prepared().remove(&schema.place);
        }
        self.forget_route(cid);
    }

    /// After a surprise: the context may have been moved.
    fn forget_route(&self, cid: u32) {
        if let Route::Configdb(configdb) = &self.route {
            configdb.forget(cid);
        }
    }

    pub(super) async fn find_session(
        &self,
        cid: u32,
        user_id: u32,
        protocol: &str,
        device: &str,
    ) -> Result<Option<u32>, Error> {
        let (schema, mut connection) = self.connect(cid).await?;
        let row = (cid, user_id, protocol, device);
        schema.wait(find_session(&mut connection, &schema, row)).await
    }

    /// The id of the device, which is entered unless another call was faster.
    pub(super) async fn create_session(
        &self,
        cid: u32,
        user_id: u32,
        protocol: &str,
        device: &str,
    ) -> Result<u32, Error> {
        // A device must not be entered in a schema that its context has left.
        self.forget_route(cid);
        let (schema, mut connection) = self.connect(cid).await?;
        let create = async {
            let mut tx = connection.start_transaction(TxOpts::default()).await?;
            // Takes the lock of the context's sequence at once, so that two calls come one after the other.
            let draw =
                "INSERT INTO {usmSessionIdSequenceTable} (cid, id) VALUES (?, 1) ON DUPLICATE KEY UPDATE id = id + 1";
            tx.exec_drop(schema.sql(draw), (cid,)).await?;
            if let Some(id) = find_session(&mut tx, &schema, (cid, user_id, protocol, device)).await? {
                tx.rollback().await?;
                return Ok(id);
            }
            let drawn = "SELECT id FROM {usmSessionIdSequenceTable} WHERE cid = ?";
            let drawn: Option<u32> = first(&mut tx, schema.sql(drawn), (cid,)).await?;
            let id = drawn.unwrap_or(1);
            let insert = "INSERT INTO {USMSession} (cid, usmSessionId, id, protocol, device) VALUES (?, ?, ?, ?, ?)";
            tx.exec_drop(schema.sql(insert), (cid, id, user_id, protocol, device))
                .await?;
            tx.commit().await?;
            Ok(id)
        };
        schema.wait(create).await
    }

    pub(super) async fn remove_session(&self, session: SessionId) -> Result<(), Error> {
        let (schema, mut connection) = self.connect(session.cid).await?;
        let remove = async {
            let mut tx = connection.start_transaction(TxOpts::default()).await?;
            lock(&mut tx, &schema, session).await?;
            delete_rows(&mut tx, &schema, session).await?;
            tx.commit().await
        };
        schema.wait(remove).await
    }

    pub(super) async fn fields(&self, session: SessionId) -> Result<Vec<(String, String)>, Error> {
        let (schema, mut connection) = self.connect(session.cid).await?;
        let select = schema.sql("SELECT field, value FROM {USMSessionFields} WHERE cid = ? AND usmSessionId = ?");
        schema
            .wait(rows(&mut connection, select, (session.cid, session.id)))
            .await
    }

    /// `false` when there is no such device.
    pub(super) async fn set_fields(&self, session: SessionId, fields: &[(&str, Option<&str>)]) -> Result<bool, Error> {
        let (schema, mut connection) = self.connect(session.cid).await?;
        let SessionId { cid, id } = session;
        let set = async {
            let mut tx = connection.start_transaction(TxOpts::default()).await?;
            if !lock(&mut tx, &schema, session).await? {
                tx.rollback().await?;
                return Ok(false);
            }
            for &(field, value) in fields {
                match value {
                    Some(value) => {
                        let insert = "INSERT INTO {USMSessionFields} (cid, usmSessionId, field, value)
                            VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE value = ?";
                        tx.exec_drop(schema.sql(insert), (cid, id, field, value, value)).await?;
                    }
                    None => {
                        let delete = "DELETE FROM {USMSessionFields} WHERE cid = ? AND usmSessionId = ? AND field = ?";
                        tx.exec_drop(schema.sql(delete), (cid, id, field)).await?;
                    }
                }
            }
            tx.commit().await?;
            Ok(true)
        };
        schema.wait(set).await
    }

    pub(super) async fn folder_ids(&self, session: SessionId) -> Result<Vec<(u32, String)>, Error> {
        let (schema, mut connection) = self.connect(session.cid).await?;
        schema.wait(folder_ids(&mut connection, &schema, session)).await
    }

    /// The ids of all folders, these now among them; `None` when there is no such device.
    pub(super) async fn assign_folder_ids(
        &self,
        session: SessionId,
        folders: &[&str],
    ) -> Result<Option<Vec<(u32, String)>>, Error> {
        let (schema, mut connection) = self.connect(session.cid).await?;
        let SessionId { cid, id } = session;
        let assign = async {
            let mut tx = connection.start_transaction(TxOpts::default()).await?;
            if !lock(&mut tx, &schema, session).await? {
                tx.rollback().await?;
                return Ok(None);
            }
            let mut ids = folder_ids(&mut tx, &schema, session).await?;
            let mut known: HashSet<String> = ids.iter().map(|(_, long)| long.clone()).collect();
            let last = "SELECT id FROM {usmIdSequenceTable} WHERE cid = ? AND usmSessionId = ?";
            let last: Option<u32> = first(&mut tx, schema.sql(last), (cid, id)).await?;
            let unknown = folders.iter().filter(|&&folder| known.insert(folder.to_owned()));
            let new: Vec<(u32, String)> = (last.unwrap_or_default().saturating_add(1)..)
                .zip(unknown.map(|&folder| folder.to_owned()))
                .collect();
            let Some(&(last, _)) = new.last() else {
                tx.rollback().await?;
                return Ok(Some(ids));
            };
            insert_folder_ids(&mut tx, &schema, session, &new).await?;
            let draw = "INSERT INTO {usmIdSequenceTable} (cid, usmSessionId, id) VALUES (?, ?, ?)
                ON DUPLICATE KEY UPDATE id = ?";
            tx.exec_drop(schema.sql(draw), (cid, id, last, last)).await?;
            tx.commit().await?;
            ids.extend(new);
            Ok(Some(ids))
        };
        schema.wait(assign).await
    }

    /// `false` when there is no such device.
    pub(super) async fn rename_folder_ids(
        &self,
        session: SessionId,
        names: &[(String, String)],
    ) -> Result<bool, Error> {
        let (schema, mut connection) = self.connect(session.cid).await?;
        let SessionId { cid, id } = session;
        let rename = async {
            let mut tx = connection.start_transaction(TxOpts::default()).await?;
            if !lock(&mut tx, &schema, session).await? {
                tx.rollback().await?;
                return Ok(false);
            }
            let (lost, new) = super::renamed(&folder_ids(&mut tx, &schema, session).await?, names);
            let delete = schema.sql("DELETE FROM {usmIdMapping} WHERE cid = ? AND usmSessionId = ? AND ShortID = ?");
            for short in lost {
                tx.exec_drop(&*delete, (cid, id, short)).await?;
            }
            insert_folder_ids(&mut tx, &schema, session, &new).await?;
            tx.commit().await?;
            Ok(true)
        };
        schema.wait(rename).await
    }

    pub(super) async fn states(&self, session: SessionId, object: &str) -> Result<Vec<State>, Error> {
        let (schema, mut connection) = self.connect(session.cid).await?;
        let select = "SELECT SyncKey, Element FROM {USMDataStorage}
            WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? ORDER BY SyncKey DESC";
        let parameters = (session.cid, session.id, object);
        let states: Vec<(u64, Vec<u8>)> = schema
            .wait(rows(&mut connection, schema.sql(select), parameters))
            .await?;
        Ok(states.into_iter().map(|(key, bytes)| State { key, bytes }).collect())
    }

    pub(super) async fn commit(
        &self,
        session: SessionId,
        object: &str,
        expected: Option<u64>,
        new: &State,
        keep: &[u64],
    ) -> Result<bool, Error> {
        let (schema, mut connection) = self.connect(session.cid).await?;
        let SessionId { cid, id } = session;
        let commit = async {
            let mut tx = connection.start_transaction(TxOpts::default()).await?;
            let known = lock(&mut tx, &schema, session).await?;
            let select = "SELECT SyncKey FROM {USMDataStorage}
                WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? ORDER BY SyncKey DESC";
            let keys: Vec<(u64,)> = rows(&mut tx, schema.sql(select), (cid, id, object)).await?;
            if !known {
                self.forget_route(cid);
            }
            if !known || keys.first().map(|&(key,)| key) != expected {
                tx.rollback().await?;
                return Ok(false);
            }
            let insert = "INSERT INTO {USMDataStorage} (cid, usmSessionId, ObjectID, SyncKey, Element)
                VALUES (?, ?, ?, ?, ?)";
            tx.exec_drop(schema.sql(insert), (cid, id, object, new.key, &new.bytes))
                .await?;
            // By full key each, which locks these rows only.
            let delete = "DELETE FROM {USMDataStorage}
                WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND SyncKey = ?";
            for (key,) in keys.into_iter().filter(|(key,)| !keep.contains(key)) {
                tx.exec_drop(schema.sql(delete), (cid, id, object, key)).await?;
            }
            tx.commit().await?;
            Ok(true)
        };
        schema.wait(commit).await
    }

    pub(super) async fn forget(&self, session: SessionId, object: &str) -> Result<(), Error> {
        let delete = "DELETE FROM {USMDataStorage} WHERE cid = ? AND usmSessionId = ? AND ObjectID = ?";
        self.change(session.cid, delete, (session.cid, session.id, object))
            .await
    }

    pub(super) async fn note(&self, session: SessionId, object: &str, note: &Note) -> Result<(), Error> {
        let insert = "INSERT INTO {easUIDMapping}
            (cid, usmSessionId, ObjectID, SyncKey, operation, outcome, created) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON DUPLICATE KEY UPDATE outcome = ?, created = ?";
        let Note {
            base,
            operation,
            outcome,
            created,
        } = note;
        let SessionId { cid, id } = session;
        let row = (cid, id, object, base, operation, outcome, created, outcome, created);
        self.change(cid, insert, row).await
    }

    pub(super) async fn note_if(
        &self,
        session: SessionId,
        object: &str,
        note: &Note,
        expected: Option<&[u8]>,
    ) -> Result<bool, Error> {
        let insert = "INSERT IGNORE INTO {easUIDMapping}
            (outcome, created, cid, usmSessionId, ObjectID, SyncKey, operation) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let update = "UPDATE {easUIDMapping} SET outcome = ?, created = ?
            WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND SyncKey = ? AND operation = ? AND outcome = ?";
        let Note {
            base,
            operation,
            outcome,
            created,
        } = note;
        let SessionId { cid, id } = session;
        let (schema, mut connection) = self.connect(cid).await?;
        let statement = schema.sql(if expected.is_some() { update } else { insert });
        let mut row: Vec<Value> = vec![
            outcome.into(),
            created.into(),
            cid.into(),
            id.into(),
            object.into(),
            base.into(),
            operation.into(),
        ];
        row.extend(expected.map(Value::from));
        let enter = async {
            connection.exec_drop(statement, row).await?;
            Ok(connection.affected_rows() > 0)
        };
        schema.wait(enter).await
    }

    pub(super) async fn notes(&self, session: SessionId, object: &str, base: u64) -> Result<Vec<Note>, Error> {
        let select = "SELECT SyncKey, operation, outcome, created FROM {easUIDMapping}
            WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND SyncKey = ? ORDER BY created, operation";
        self.read_notes(session, select, (session.cid, session.id, object, base))
            .await
    }

    pub(super) async fn note_of(
        &self,
        session: SessionId,
        object: &str,
        operation: &[u8],
    ) -> Result<Option<Note>, Error> {
        let select = "SELECT SyncKey, operation, outcome, created FROM {easUIDMapping}
            WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND operation = ?
            ORDER BY created DESC, SyncKey DESC LIMIT 1";
        let parameters = (session.cid, session.id, object, operation);
        Ok(self.read_notes(session, select, parameters).await?.into_iter().next())
    }

    pub(super) async fn forget_notes(&self, session: SessionId, object: &str, base: u64) -> Result<(), Error> {
        let delete = "DELETE FROM {easUIDMapping} WHERE cid = ? AND usmSessionId = ? AND ObjectID = ? AND SyncKey = ?";
        self.change(session.cid, delete, (session.cid, session.id, object, base))
            .await
    }

    pub(super) async fn forget_notes_before(&self, created: i64) -> Result<(), Error> {
        for schema in self.schemas().await? {
            let mut connection = schema.connect().await?;
            let delete = schema.sql("DELETE FROM {easUIDMapping} WHERE created < ?");
            match schema.wait(connection.exec_drop(delete, (created,))).await {
                // A schema in which nobody synchronises yet.
                Err(e) if e.is_missing_table() => {}
                done => done?,
            }
        }
        Ok(())
    }

    /// Whether the tables stand beside those of Open-Xchange, that of the users among them.
    pub(super) const fn is_with_users(&self) -> bool {
        matches!(self.route, Route::Configdb(_))
    }

    pub(super) async fn schemas(&self) -> Result<Vec<Arc<Schema>>, Error> {
        match &self.route {
            Route::One(schema) => Ok(vec![schema.clone()]),
            Route::Configdb(configdb) => configdb.schemas().await,
        }
    }

    pub(super) async fn schema(&self, cid: u32) -> Result<Arc<Schema>, Error> {
        match &self.route {
            Route::One(schema) => Ok(schema.clone()),
            Route::Configdb(configdb) => configdb.schema(cid).await,
        }
    }

    /// The configuration database, where there is one.
    pub(super) fn route(&self) -> Option<&Configdb> {
        match &self.route {
            Route::One(_) => None,
            Route::Configdb(configdb) => Some(configdb),
        }
    }

    async fn connect(&self, cid: u32) -> Result<(Arc<Schema>, Conn), Error> {
        let schema = self.schema(cid).await?;
        let connection = schema.connect().await?;
        Ok((schema, connection))
    }

    /// One statement, which is its own transaction.
    async fn change(&self, cid: u32, statement: &str, parameters: impl Into<Params>) -> Result<(), Error> {
        let parameters: Params = parameters.into();
        let (schema, mut connection) = self.connect(cid).await?;
        schema
            .wait(connection.exec_drop(schema.sql(statement), parameters))
            .await
    }

    async fn read_notes(
        &self,
        session: SessionId,
        select: &str,
        parameters: impl Into<Params>,
    ) -> Result<Vec<Note>, Error> {
        let parameters: Params = parameters.into();
        let (schema, mut connection) = self.connect(session.cid).await?;
        let notes: Vec<(u64, Vec<u8>, Vec<u8>, i64)> = schema
            .wait(rows(&mut connection, schema.sql(select), parameters))
            .await?;
        let note = |(base, operation, outcome, created)| Note {
            base,
            operation,
            outcome,
            created,
        };
        Ok(notes.into_iter().map(note).collect())
    }

    fn lock_prepared(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the device's turn until the end of the transaction. `false` when there is no such device.
pub(super) async fn lock(
    tx: &mut Transaction<'_>,
    schema: &Schema,
    session: SessionId,
) -> Result<bool, mysql_async::Error> {
    let select = "SELECT usmSessionId FROM {USMSession} WHERE cid = ? AND usmSessionId = ? FOR UPDATE";
    let row: Option<(u32,)> = first(tx, schema.sql(select), (session.cid, session.id)).await?;
    Ok(row.is_some())
}

/// All rows of a device whose turn was taken.
pub(super) async fn delete_rows(
    tx: &mut Transaction<'_>,
    schema: &Schema,
    session: SessionId,
) -> Result<(), mysql_async::Error> {
    for table in layout::of_session() {
        let delete = format!("DELETE FROM {{{table}}} WHERE cid = ? AND usmSessionId = ?");
        tx.exec_drop(schema.sql(&delete), (session.cid, session.id)).await?;
    }
    Ok(())
}

async fn find_session(
    connection: &mut impl Queryable,
    schema: &Schema,
    row: (u32, u32, &str, &str),
) -> Result<Option<u32>, mysql_async::Error> {
    let select = "SELECT usmSessionId FROM {USMSession} WHERE cid = ? AND id = ? AND protocol = ? AND device = ?";
    let found: Option<(u32,)> = first(connection, schema.sql(select), row).await?;
    Ok(found.map(|(id,)| id))
}

async fn folder_ids(
    connection: &mut impl Queryable,
    schema: &Schema,
    session: SessionId,
) -> Result<Vec<(u32, String)>, mysql_async::Error> {
    let select = "SELECT ShortID, LongID FROM {usmIdMapping} WHERE cid = ? AND usmSessionId = ? ORDER BY ShortID";
    rows(connection, schema.sql(select), (session.cid, session.id)).await
}

async fn insert_folder_ids(
    tx: &mut Transaction<'_>,
    schema: &Schema,
    session: SessionId,
    ids: &[(u32, String)],
) -> Result<(), mysql_async::Error> {
    // Some hundred folders in a few statements; a statement has at most 65535 parameters.
    for ids in ids.chunks(100) {
        let rows = vec!["(?, ?, ?, ?, ?)"; ids.len()].join(", ");
        let insert = format!("INSERT INTO {{usmIdMapping}} (cid, usmSessionId, ShortID, digest, LongID) VALUES {rows}");
        let parameters: Vec<Value> = ids
            .iter()
            .flat_map(|(short, long)| {
                let digest = Sha256::digest(long).to_vec();
                [
                    session.cid.into(),
                    session.id.into(),
                    short.into(),
                    digest.into(),
                    long.into(),
                ]
            })
            .collect();
        tx.exec_drop(schema.sql(&insert), parameters).await?;
    }
    Ok(())
}
