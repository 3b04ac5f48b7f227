//! Creates our tables in a schema on a MySQL or MariaDB server, where they are missing.
//!
//! Several gateways may do so at once, and Open-Xchange may be busy with the same schema: both are waited for, or the
//! caller is told to come again. A table that is not ours is never touched.

use mysql_async::Conn;
use mysql_async::Value;
use mysql_async::prelude::Queryable;

use super::error::Error;
use super::layout;
use super::layout::Column;
use super::layout::Dialect;
use super::layout::TABLES;
use super::layout::Table;
use super::schema::Schema;
use super::schema::first;
use super::schema::rows;

/// Makes sure that the schema has our tables.
pub(super) async fn tables(schema: &Schema) -> Result<(), Error> {
    if missing(&mut schema.connect().await?, schema).await?.is_empty() {
        return Ok(());
    }
    let mut connection = schema.connect_apart().await?;
    refuse_during_update(&mut connection, schema).await?;
    lock(&mut connection, schema).await?;
    // Another gateway may have been faster.
    let missing_tables = missing(&mut connection, schema).await?;
    if missing_tables.is_empty() {
        return Ok(());
    }
    log::info!("creating {} tables in {}", missing_tables.len(), schema.place);
    // The files name no schema.
    let choose = format!("USE {}", schema.quoted());
    schema.wait(connection.query_drop(choose)).await?;
    for table in missing_tables {
        let create = table.definition(Dialect::Mysql);
        schema.wait(connection.query_drop(create)).await?;
    }
    match missing(&mut connection, schema).await?.first() {
        None => Ok(()),
        Some(table) => {
            let reason = format!("the table {} was created and is not there", table.name);
            Err(Error::other(&schema.place, reason))
        }
    }
}

/// Keeps other gateways from doing the same, until the connection is closed.
async fn lock(connection: &mut Conn, schema: &Schema) -> Result<(), Error> {
    // The name of a lock has at most 64 characters and holds for the whole server.
    let name = format!("oxtender {}", schema.name.chars().take(50).collect::<String>());
    let lock = first(connection, "SELECT GET_LOCK(?, 10)".to_owned(), (name,));
    let locked: Option<(Option<i64>,)> = schema.wait(lock).await?;
    match locked {
        Some((Some(1),)) => Ok(()),
        _ => {
            let reason = "another process is creating the tables and does not finish";
            Err(Error::unavailable(&schema.place, reason))
        }
    }
}

/// While Open-Xchange updates its schema, nobody else should alter it. A mark older than a day counts as forgotten, as
/// it does there.
async fn refuse_during_update(connection: &mut Conn, schema: &Schema) -> Result<(), Error> {
    match marks(connection, schema).await?.first() {
        None => Ok(()),
        Some(mark) => Err(Error::unavailable(&schema.place, during_update(mark))),
    }
}

/// The marks of an update that runs, `LOCKED` or `BACKGROUND` with the table they stand in; none in a schema that is not Open-Xchange's.
pub(super) async fn marks(connection: &mut Conn, schema: &Schema) -> Result<Vec<String>, Error> {
    let select = "SELECT taskName FROM {updateTask} WHERE taskName IN ('LOCKED', 'BACKGROUND')
        AND lastModified > (UNIX_TIMESTAMP() - 86400) * 1000";
    let marks: Result<Vec<(String,)>, Error> = schema.wait(rows(connection, schema.sql(select), ())).await;
    match marks {
        Err(e) if e.is_missing_table() => Ok(Vec::new()),
        marks => Ok(marks?
            .into_iter()
            .map(|(mark,)| format!("{mark} in updateTask"))
            .collect()),
    }
}

/// What such a mark means, and what to do about it.
pub(super) fn during_update(mark: &str) -> String {
    format!(
        "Open-Xchange is updating this schema ({mark}); tables are created when it is done. If no \
         update runs, its commands checkdatabase and unblockdatabase find and free the schema"
    )
}

/// The tables that the schema lacks; an error when one is not ours.
pub(super) async fn missing(connection: &mut Conn, schema: &Schema) -> Result<Vec<&'static Table>, Error> {
    let names: Vec<Value> = TABLES.iter().map(|table| table.name.into()).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let select = format!(
        "SELECT TABLE_NAME, COLUMN_NAME, CAST(COLUMN_TYPE AS CHAR) FROM information_schema.COLUMNS
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN ({marks}) ORDER BY TABLE_NAME, ORDINAL_POSITION"
    );
    let mut parameters = vec![Value::from(&schema.name)];
    parameters.extend(names);
    let found: Vec<(String, String, String)> = schema.wait(rows(connection, select, parameters)).await?;
    let column = |(table, name, kind)| Column { table, name, kind };
    let columns: Vec<Column> = found.into_iter().map(column).collect();
    layout::missing(&schema.place, Dialect::Mysql, &columns)
}
