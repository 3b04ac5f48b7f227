//! Devices whose time is over: not seen for long, or of a user whom Open-Xchange has deleted.
//!
//! Open-Xchange removes our rows with a context, and with nothing else. Several gateways may do this at once, and the device
//! may come back meanwhile: whether it is still stale is asked once more under its lock. It knows no calendar of its own, nor
//! when to do all this.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mysql_async::TxOpts;
use rusqlite::Connection;

use super::Backend;
use super::Entry;
use super::SessionId;
use super::Store;
use super::admin;
use super::admin::Joined;
use super::error::Error;
use super::mysql;
use super::mysql::Mysql;
use super::schema::Schema;
use super::schema::first;
use super::schema::rows;
use super::sqlite;
use super::sqlite::Sqlite;

/// The field with the day on which a device came last, such as `2026-11-25`. Whoever serves the device sets it, once a day.
pub const LAST_SEEN: &str = "last_seen";

/// The day it is, in UTC, so that it is the same for all gateways on a database.
pub fn today() -> Date {
    TimeZone::UTC.to_datetime(Timestamp::now()).date()
}

/// Why a device is to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// It came last before this day.
    UnseenSince(Date),
    /// Its user is gone. Found only where the tables are in the schemas of Open-Xchange, and never while a context is
    /// disabled, or has no users at all: then it is on its way from one schema to another.
    WithoutUser,
}

impl Stale {
    /// Devices that did not come for so many whole days before `today`.
    pub fn unseen_for(lifetime: Duration, today: Date) -> Self {
        Self::UnseenSince(today.checked_sub(lifetime).unwrap_or(Date::MIN))
    }
}

/// What is asked of a row `s` of `USMSession`.
struct Condition(String);

impl Condition {
    /// The device has no [`LAST_SEEN`].
    fn undated() -> Self {
        Self(format!("NOT {}", last_seen("")))
    }
}

impl From<Stale> for Condition {
    fn from(stale: Stale) -> Self {
        Self(match stale {
            // A date is digits and dashes, so that it can stand in the text.
            Stale::UnseenSince(day) => last_seen(&format!("AND f.value < '{day}'")),
            Stale::WithoutUser => "NOT EXISTS (SELECT 1 FROM {user} u WHERE u.cid = s.cid AND u.id = s.id)
                AND EXISTS (SELECT 1 FROM {user} u WHERE u.cid = s.cid)"
                .to_owned(),
        })
    }
}

fn last_seen(and: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {{USMSessionFields}} f
            WHERE f.cid = s.cid AND f.usmSessionId = s.usmSessionId AND f.field = '{LAST_SEEN}' {and})"
    )
}

impl Condition {
    /// The devices that fulfil it, at most `most`.
    fn entries(&self, most: u32) -> String {
        let Self(condition) = self;
        admin::select_entries(&format!(
            "(SELECT s.* FROM {{USMSession}} s WHERE {condition} ORDER BY s.cid, s.usmSessionId LIMIT {most})"
        ))
    }

    /// Whether a device, whose numbers are the parameters, fulfils it.
    fn of_one(&self) -> String {
        let Self(condition) = self;
        format!("SELECT s.usmSessionId FROM {{USMSession}} s WHERE s.cid = ? AND s.usmSessionId = ? AND {condition}")
    }
}

impl Entry {
    /// What an administrator reads about a device that is stale.
    pub fn reason(&self, stale: Stale) -> String {
        match (stale, self.fields.get(LAST_SEEN)) {
            (Stale::WithoutUser, _) => "whose user Open-Xchange has deleted".to_owned(),
            (Stale::UnseenSince(_), Some(day)) => format!("last seen on {}", day.escape_debug()),
            (Stale::UnseenSince(day), None) => format!("last seen before {day}"),
        }
    }
}

impl Store {
    /// Devices that are to be forgotten, at most `most` of each schema.
    pub async fn stale(&self, stale: Stale, most: u32) -> Result<Vec<Entry>, Error> {
        self.count_read();
        match (&self.backend, stale) {
            (Backend::Sqlite(_), Stale::WithoutUser) => Ok(Vec::new()),
            (Backend::Sqlite(file), _) => file.those(&stale.into(), most).await,
            (Backend::Mysql(server), Stale::WithoutUser) if !server.is_with_users() => Ok(Vec::new()),
            (Backend::Mysql(server), _) => server.those(&stale.into(), most).await,
        }
    }

    /// Forgets the device, if it is still stale. Whether it was.
    pub async fn remove_stale(&self, session: SessionId, stale: Stale) -> Result<bool, Error> {
        self.count_write();
        match &self.backend {
            Backend::Sqlite(file) => file.remove_if(session, &stale.into()).await,
            Backend::Mysql(server) => server.remove_if(session, &stale.into()).await,
        }
    }

    /// Lets the time of devices begin `today` that nobody dated, since an earlier release served them; at most `most` of each
    /// schema.
    pub async fn date_undated(&self, today: Date, most: u32) -> Result<(), Error> {
        self.count_read();
        let undated = match &self.backend {
            Backend::Sqlite(file) => file.those(&Condition::undated(), most).await?,
            Backend::Mysql(server) => server.those(&Condition::undated(), most).await?,
        };
        let today = today.to_string();
        for entry in undated {
            match self
                .set_fields(entry.session, &[(LAST_SEEN, Some(today.as_str()))])
                .await
            {
                Err(error) if error.is_removed() => {}
                done => done?,
            }
        }
        Ok(())
    }
}

impl Mysql {
    async fn those(&self, condition: &Condition, most: u32) -> Result<Vec<Entry>, Error> {
        let mut those = Vec::new();
        for schema in self.schemas().await? {
            for entry in those_of(&schema, condition, most).await? {
                if self.is_at_home(entry.session, &schema).await {
                    those.push(entry);
                }
            }
        }
        Ok(those)
    }

    /// Whether the context is served from this schema, and not disabled, moved or deleted.
    async fn is_at_home(&self, session: SessionId, schema: &Arc<Schema>) -> bool {
        let home = self.schema(session.cid).await;
        home.is_ok_and(|home| home.place == schema.place)
    }

    async fn remove_if(&self, session: SessionId, condition: &Condition) -> Result<bool, Error> {
        let schema = self.schema(session.cid).await?;
        let mut connection = schema.connect().await?;
        let remove = async {
            let mut tx = connection.start_transaction(TxOpts::default()).await?;
            let is_known = mysql::lock(&mut tx, &schema, session).await?;
            let one = first(&mut tx, schema.sql(&condition.of_one()), (session.cid, session.id));
            let still: Option<(u32,)> = one.await?;
            if !is_known || still.is_none() {
                tx.rollback().await?;
                return Ok(false);
            }
            mysql::delete_rows(&mut tx, &schema, session).await?;
            tx.commit().await?;
            Ok(true)
        };
        schema.wait(remove).await
    }
}

/// Those of one schema; none where a table is missing, ours or that of the users.
async fn those_of(schema: &Schema, condition: &Condition, most: u32) -> Result<Vec<Entry>, Error> {
    let mut connection = schema.connect().await?;
    let select = schema.sql(&condition.entries(most));
    let found: Result<Vec<Joined>, Error> = schema.wait(rows(&mut connection, select, ())).await;
    match found {
        Err(error) if error.is_missing_table() => Ok(Vec::new()),
        found => Ok(admin::gathered(found?)),
    }
}

impl Sqlite {
    async fn those(&self, condition: &Condition, most: u32) -> Result<Vec<Entry>, Error> {
        self.read_entries(condition.entries(most)).await
    }

    async fn remove_if(&self, session: SessionId, condition: &Condition) -> Result<bool, Error> {
        let select = sqlite::sql(&condition.of_one());
        let remove = move |connection: &mut Connection| {
            let tx = sqlite::begin(connection)?;
            let is_stale = tx.prepare(&select)?.exists([session.cid, session.id])?;
            if is_stale {
                sqlite::delete_rows(&tx, session)?;
                tx.commit()?;
            }
            Ok(is_stale)
        };
        self.run(remove).await
    }
}
