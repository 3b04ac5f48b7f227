//! What an administrator asks of the store: which tables are there, which devices are known, and to be rid of them.
//!
//! These calls go over all schemas, are not repeated after an error, and are never made for a device's request. A table
//! with our name and another layout is reported and never touched.

use std::collections::BTreeMap;
use std::fmt;

use mysql_async::Value;
use mysql_async::prelude::Queryable;
use rusqlite::Connection;
use rusqlite::Row;

use super::Backend;
use super::SessionId;
use super::Store;
use super::create;
use super::error::Error;
use super::layout::PURGE_ORDER;
use super::layout::Table;
use super::mysql::Mysql;
use super::schema::Schema;
use super::schema::first;
use super::schema::rows;
use super::sqlite;
use super::sqlite::Sqlite;

/// What one file or schema holds of ours.
#[derive(Debug)]
pub struct Survey {
    /// The path of a file, or `host:port/schema`.
    pub place: String,
    /// In the order in which the tables are dropped; an error where the place cannot be looked at, or is not ours.
    pub tables: Result<Vec<Rows>, Error>,
}

/// A table of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    pub table: &'static str,
    /// `None`: there is no such table yet.
    pub rows: Option<u64>,
}

/// A device as it is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub session: SessionId,
    pub user_id: u32,
    pub protocol: String,
    pub device: String,
    /// What is remembered of it for good.
    pub fields: BTreeMap<String, String>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (device, user, context) = (self.device.escape_debug(), self.user_id, self.session.cid);
        write!(f, "{device} of user {user} in context {context}")
    }
}

impl Store {
    /// Looks at all places, also at those behind one that fails.
    pub async fn survey(&self) -> Result<Vec<Survey>, Error> {
        match &self.backend {
            Backend::Sqlite(file) => Ok(vec![file.survey().await]),
            Backend::Mysql(server) => {
                let mut surveys = Vec::new();
                for schema in server.schemas().await? {
                    surveys.push(Survey {
                        place: schema.place.clone(),
                        tables: survey(&schema).await,
                    });
                }
                Ok(surveys)
            }
        }
    }

    /// Drops the tables of all places, in the order of the installation guide, and gives what was dropped; a place that is
    /// not ours is left alone. Devices begin anew when they come back; nothing is lost at Open-Xchange.
    pub async fn purge(&self) -> Result<Vec<Survey>, Error> {
        let before = self.survey().await?;
        match &self.backend {
            Backend::Sqlite(file) => file.purge().await?,
            Backend::Mysql(server) => server.purge(&before).await?,
        }
        Ok(before)
    }

    /// All devices of all users, in the order of context, user and device.
    pub async fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut found = match &self.backend {
            Backend::Sqlite(file) => file.entries().await?,
            Backend::Mysql(server) => server.entries().await?,
        };
        found.sort_by(|a, b| (a.session.cid, a.user_id, &a.device).cmp(&(b.session.cid, b.user_id, &b.device)));
        Ok(found)
    }

    /// Removes all states and the journal of a device, but neither the device nor its numbers for folders: it fetches
    /// everything again, and nothing gets another id by that.
    pub async fn forget_states(&self, session: SessionId) -> Result<(), Error> {
        self.count_write();
        match &self.backend {
            Backend::Sqlite(file) => file.forget_states(session).await,
            Backend::Mysql(server) => server.forget_states(session).await,
        }
    }
}

/// The tables with what a device has synchronised.
const OF_STATES: [&str; 2] = ["USMDataStorage", "easUIDMapping"];

/// One row of the join of devices and their fields.
pub(super) type Joined = (u32, u32, u32, String, String, Option<String>, Option<String>);

/// Gathers the fields of each device; its rows come one after the other.
pub(super) fn gathered(rows: impl IntoIterator<Item = Joined>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (cid, id, user_id, protocol, device, field, value) in rows {
        let session = SessionId { cid, id };
        if entries.last().is_none_or(|last| last.session != session) {
            entries.push(Entry {
                session,
                user_id,
                protocol,
                device,
                fields: BTreeMap::new(),
            });
        }
        if let (Some(entry), Some(field), Some(value)) = (entries.last_mut(), field, value) {
            entry.fields.insert(field, value);
        }
    }
    entries
}

/// The devices of `USMSession`, or of a query of it, with their fields.
pub(super) fn select_entries(of: &str) -> String {
    format!(
        "SELECT s.cid, s.usmSessionId, s.id, s.protocol, s.device, f.field, f.value FROM {of} s
         LEFT JOIN {{USMSessionFields}} f ON f.cid = s.cid AND f.usmSessionId = s.usmSessionId
         ORDER BY s.cid, s.usmSessionId"
    )
}

fn is_missing(missing: &[&Table], name: &str) -> bool {
    missing.iter().any(|table| table.name == name)
}

pub(super) async fn survey(schema: &Schema) -> Result<Vec<Rows>, Error> {
    let mut connection = schema.connect().await?;
    let missing = create::missing(&mut connection, schema).await?;
    let mut found = Vec::new();
    for &table in PURGE_ORDER {
        let rows = match is_missing(&missing, table) {
            true => None,
            false => {
                let count = schema.sql(&format!("SELECT COUNT(*) FROM {{{table}}}"));
                schema
                    .wait(first(&mut connection, count, ()))
                    .await?
                    .map(|(count,)| count)
            }
        };
        found.push(Rows { table, rows });
    }
    Ok(found)
}

impl Mysql {
    async fn purge(&self, surveys: &[Survey]) -> Result<(), Error> {
        for schema in self.schemas().await? {
            let ours = |survey: &&Survey| survey.place == schema.place && survey.tables.is_ok();
            if !surveys.iter().any(|survey| ours(&survey)) {
                continue;
            }
            let mut connection = schema.connect().await?;
            for table in PURGE_ORDER {
                let drop = schema.sql(&format!("DROP TABLE IF EXISTS {{{table}}}"));
                schema.wait(connection.query_drop(drop)).await?;
            }
        }
        Ok(())
    }

    async fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        for schema in self.schemas().await? {
            let mut connection = schema.connect().await?;
            let select = schema.sql(&select_entries("{USMSession}"));
            let found: Result<Vec<Joined>, Error> = schema.wait(rows(&mut connection, select, ())).await;
            match found {
                Err(error) if error.is_missing_table() => {}
                found => entries.extend(gathered(found?)),
            }
        }
        Ok(entries)
    }

    async fn forget_states(&self, session: SessionId) -> Result<(), Error> {
        let schema = self.schema(session.cid).await?;
        let mut connection = schema.connect().await?;
        for table in OF_STATES {
            let delete = schema.sql(&format!("DELETE FROM {{{table}}} WHERE cid = ? AND usmSessionId = ?"));
            let of_device: Vec<Value> = vec![session.cid.into(), session.id.into()];
            schema.wait(connection.exec_drop(delete, of_device)).await?;
        }
        Ok(())
    }
}

impl Sqlite {
    async fn survey(&self) -> Survey {
        let tables = async {
            let missing = self.missing().await?;
            let count = move |connection: &mut Connection| {
                let rows = |&table: &&'static str| -> rusqlite::Result<Rows> {
                    if is_missing(&missing, table) {
                        return Ok(Rows { table, rows: None });
                    }
                    let select = format!("SELECT COUNT(*) FROM {table}");
                    let rows = connection.query_row(&select, [], |row| sqlite::unsigned(row, 0))?;
                    Ok(Rows {
                        table,
                        rows: Some(rows),
                    })
                };
                PURGE_ORDER.iter().map(rows).collect()
            };
            self.run(count).await
        };
        Survey {
            place: self.place(),
            tables: tables.await,
        }
    }

    async fn purge(&self) -> Result<(), Error> {
        self.missing().await?;
        let purge = |connection: &mut Connection| {
            let tx = sqlite::begin(connection)?;
            for table in PURGE_ORDER {
                tx.execute(&format!("DROP TABLE IF EXISTS {table}"), [])?;
            }
            tx.commit()
        };
        self.run(purge).await?;
        self.forget_preparation(0).await;
        Ok(())
    }

    async fn entries(&self) -> Result<Vec<Entry>, Error> {
        self.read_entries(select_entries("{USMSession}")).await
    }

    /// None where the tables are not there yet.
    pub(super) async fn read_entries(&self, select: String) -> Result<Vec<Entry>, Error> {
        let read = |row: &Row<'_>| -> rusqlite::Result<Joined> {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
                row.get(6)?,
            ))
        };
        let select = sqlite::sql(&select);
        match self
            .run(move |connection| sqlite::all(connection, &select, [], read))
            .await
        {
            Err(error) if error.is_missing_table() => Ok(Vec::new()),
            found => Ok(gathered(found?)),
        }
    }

    async fn forget_states(&self, session: SessionId) -> Result<(), Error> {
        let forget = move |connection: &mut Connection| {
            let tx = sqlite::begin(connection)?;
            for table in OF_STATES {
                let delete = format!("DELETE FROM {table} WHERE cid = ? AND usmSessionId = ?");
                tx.execute(&delete, [session.cid, session.id])?;
            }
            tx.commit()
        };
        self.run(forget).await
    }
}
