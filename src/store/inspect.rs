//! What an administrator should know of the databases before phones come: permissions, limits, locks, disabled contexts.
//!
//! Changes nothing: a permission is tried with a statement that finds nothing to do. Implements what Open-Xchange writes
//! into `updateTask`, `version` and `context`, and the server's own tables of permissions.

use std::collections::HashSet;
use std::fmt;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::Backend;
use super::Store;
use super::Survey;
use super::admin;
use super::configdb::Configdb;
use super::create;
use super::error::Error;
use super::schema::Schema;
use super::schema::first;
use super::schema::rows;

/// Bytes that a statement must be able to have: the largest entry of the journal is 1 MiB, and the state of a folder with as
/// many objects as a device gets by default stays below it.
const LEAST_PACKET: u64 = 4 << 20;

/// Contexts named in one text, at most.
const NAMED: usize = 10;

/// One database, and what is wrong there.
#[derive(Debug)]
pub struct Inspection {
    /// The path of a file, or `host:port/schema`.
    pub place: String,
    /// What it is, in a few words; an error where it cannot be looked at, or is not ours.
    pub facts: Result<String, Error>,
    pub troubles: Vec<Trouble>,
}

/// Something wrong with a database that answers. `Display` says what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such schema, or the account sees nothing of it.
    NoSchema { name: String },
    /// The account lacks permissions.
    Privileges {
        missing: Vec<&'static str>,
        /// `'user'@'host'`, as the server found it.
        account: String,
        schema: String,
    },
    /// The server takes too small statements.
    SmallPackets { bytes: u64 },
    /// The server takes no writes.
    ReadOnly,
    /// Open-Xchange is updating the schema; the mark, and the table it stands in.
    Locked { mark: String },
    /// Open-Xchange has disabled contexts.
    Disabled { contexts: Vec<u32> },
}

impl Trouble {
    /// Whether phones cannot sync, all of them or new ones.
    pub const fn is_error(&self) -> bool {
        !matches!(
            self,
            Self::SmallPackets { .. } | Self::Locked { .. } | Self::Disabled { .. }
        )
    }

    /// The line to change, or the command.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoSchema { name } => format!("CREATE DATABASE `{name}`, or the name of the schema"),
            Self::Privileges {
                missing,
                account,
                schema,
            } => {
                format!("GRANT {} ON `{schema}`.* TO {account}", missing.join(", "))
            }
            Self::SmallPackets { .. } => "max_allowed_packet=16M below [mysqld] in my.cnf".to_owned(),
            Self::ReadOnly => "read_only=0 below [mysqld] in my.cnf, or the address of the master".to_owned(),
            Self::Locked { .. } => "none while the update runs; else unblockdatabase of Open-Xchange".to_owned(),
            Self::Disabled { .. } => "none while they are moved; else enablecontext of Open-Xchange".to_owned(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSchema { name } => write!(f, "there is no schema {name}, or the account has no permission in it"),
            Self::Privileges { missing, account, .. } => {
                write!(f, "the account {account} lacks the permissions {}", missing.join(", "))
            }
            Self::SmallPackets { bytes } => write!(
                f,
                "max_allowed_packet is {bytes}, less than the {LEAST_PACKET} that the state of a large folder may need"
            ),
            Self::ReadOnly => f.write_str("the server takes no writes (read_only)"),
            Self::Locked { mark } => f.write_str(&create::during_update(mark)),
            Self::Disabled { contexts } => f.write_str(&disabled(contexts)),
        }
    }
}

/// What it means that these contexts are disabled.
pub(super) fn disabled(contexts: &[u32]) -> String {
    let named = contexts.iter().take(NAMED).map(ToString::to_string);
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match contexts.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (noun, verb, they) = match contexts {
        [_] => ("context", "is", "it is"),
        _ => ("contexts", "are", "they are"),
    };
    format!(
        "the {noun} {named}{more} {verb} disabled, for maintenance or while {they} moved; phones are told to come later. If \
         that is over, enablecontext of Open-Xchange lets them in"
    )
}

impl Store {
    /// Looks at all databases, also at those behind one that fails.
    ///
    /// # Errors
    ///
    /// Those of the way to the databases: the configuration database does not answer.
    pub async fn inspect(&self) -> Result<Vec<Inspection>, Error> {
        let server = match &self.backend {
            Backend::Sqlite(_) => return Ok(self.survey().await?.into_iter().map(of_file).collect()),
            Backend::Mysql(server) => server,
        };
        let schemas = server.schemas().await?;
        let mut found = Vec::new();
        if let Some(configdb) = server.route() {
            found.push(route(configdb, schemas.len()).await);
        }
        for schema in schemas {
            found.push(inspect(&schema).await);
        }
        Ok(found)
    }

    /// The contexts that Open-Xchange has disabled, where it keeps a list of contexts, and the database is theirs.
    pub async fn disabled_contexts(&self) -> Result<Option<Trouble>, Error> {
        let Backend::Mysql(server) = &self.backend else {
            return Ok(None);
        };
        let Some(configdb) = server.route() else {
            return Ok(None);
        };
        let (_, contexts) = configdb.contexts().await?;
        Ok((!contexts.is_empty()).then_some(Trouble::Disabled { contexts }))
    }
}

fn of_file(survey: Survey) -> Inspection {
    Inspection {
        place: survey.place,
        facts: survey.tables.map(|tables| describe("SQLite", &tables)),
        troubles: Vec::new(),
    }
}

fn describe(server: &str, tables: &[admin::Rows]) -> String {
    match tables.iter().filter(|table| table.rows.is_none()).count() {
        0 => format!("{server}, all {} tables", tables.len()),
        missing => format!(
            "{server}, {missing} of {} tables are not there yet; the service makes them",
            tables.len()
        ),
    }
}

async fn route(configdb: &Configdb, schemas: usize) -> Inspection {
    let contexts = configdb.contexts().await;
    let troubles = match &contexts {
        Ok((_, disabled)) if !disabled.is_empty() => vec![Trouble::Disabled {
            contexts: disabled.clone(),
        }],
        _ => Vec::new(),
    };
    Inspection {
        place: configdb.place().to_owned(),
        facts: contexts.map(|(count, _)| format!("configdb, {count} contexts in {schemas} schemas")),
        troubles,
    }
}

async fn inspect(schema: &Schema) -> Inspection {
    let mut troubles = Vec::new();
    let facts = look(schema, &mut troubles).await;
    Inspection {
        place: schema.place.clone(),
        facts,
        troubles,
    }
}

async fn look(schema: &Schema, troubles: &mut Vec<Trouble>) -> Result<String, Error> {
    let mut connection = schema.connect().await?;
    let server = server(&mut connection, schema, troubles).await?;
    let exists = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
    let exists = first(&mut connection, exists.to_owned(), (&schema.name,));
    let exists: Option<(i64,)> = schema.wait(exists).await?;
    if exists.is_none() {
        troubles.push(Trouble::NoSchema {
            name: schema.name.clone(),
        });
        return Ok(server.version);
    }
    let marks = locks(&mut connection, schema).await?;
    troubles.extend(marks.into_iter().map(|mark| Trouble::Locked { mark }));
    // Without the tables there is nothing to try a permission on.
    let missing = match create::missing(&mut connection, schema).await?.is_empty() {
        true => refused(&mut connection, schema).await?,
        false => not_granted(&mut connection, schema).await?,
    };
    if !missing.is_empty() {
        troubles.push(Trouble::Privileges {
            missing,
            account: server.account,
            schema: schema.name.clone(),
        });
    }
    Ok(describe(&server.version, &admin::survey(schema).await?))
}

struct Server {
    version: String,
    account: String,
}

async fn server(connection: &mut Conn, schema: &Schema, troubles: &mut Vec<Trouble>) -> Result<Server, Error> {
    let select = "SELECT VERSION(), CURRENT_USER(), CAST(@@max_allowed_packet AS UNSIGNED), CAST(@@read_only AS CHAR)";
    let row: Option<(String, String, u64, String)> = schema.wait(first(connection, select.to_owned(), ())).await?;
    let (version, account, packet, read_only) = row.unwrap_or_default();
    if packet < LEAST_PACKET {
        troubles.push(Trouble::SmallPackets { bytes: packet });
    }
    if ["1", "ON"].contains(&read_only.as_str()) {
        troubles.push(Trouble::ReadOnly);
    }
    let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
    Ok(Server {
        version: format!("server {version}"),
        account: format!("'{user}'@'{host}'"),
    })
}

/// What says that Open-Xchange is updating the schema, in the tables of both its ways to update.
async fn locks(connection: &mut Conn, schema: &Schema) -> Result<Vec<String>, Error> {
    let mut marks = create::marks(connection, schema).await?;
    let select = schema.sql("SELECT COUNT(*) FROM {version} WHERE locked <> 0");
    let locked: Result<Option<(u64,)>, Error> = schema.wait(first(connection, select, ())).await;
    // The table is absent from new schemas, and from those that are ours.
    if marks.is_empty() && matches!(locked, Ok(Some((1..,)))) {
        marks.push("locked in version".to_owned());
    }
    Ok(marks)
}

/// What the gateway does, in statements that change nothing.
const TRIALS: [(&str, &str); 5] = [
    ("SELECT", "SELECT 1 FROM {USMSession} LIMIT 0"),
    (
        "INSERT",
        "INSERT INTO {USMSessionFields} SELECT * FROM {USMSessionFields} WHERE 1 = 0",
    ),
    ("UPDATE", "UPDATE {USMSession} SET id = id WHERE 1 = 0"),
    ("DELETE", "DELETE FROM {USMDataStorage} WHERE 1 = 0"),
    ("CREATE", "CREATE TABLE IF NOT EXISTS {USMSession} (cid INT)"),
];

/// The permissions without which the server refuses a trial.
async fn refused(connection: &mut Conn, schema: &Schema) -> Result<Vec<&'static str>, Error> {
    let mut missing = Vec::new();
    for (privilege, statement) in TRIALS {
        let tried = async { Ok(connection.query_drop(schema.sql(statement)).await) };
        match schema.wait(tried).await? {
            // Access to the schema, a table, a column is denied; a permission is needed.
            Err(mysql_async::Error::Server(error)) if [1044, 1142, 1143, 1227].contains(&error.code) => {
                missing.push(privilege);
            }
            _ => {}
        }
    }
    Ok(missing)
}

/// The permissions that stand in no grant; none where the server shows no grants at all.
async fn not_granted(connection: &mut Conn, schema: &Schema) -> Result<Vec<&'static str>, Error> {
    let select = "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES
        UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE ? LIKE TABLE_SCHEMA";
    let granted: Vec<(String,)> = schema
        .wait(rows(connection, select.to_owned(), (&schema.name,)))
        .await?;
    let granted: HashSet<String> = granted.into_iter().map(|(privilege,)| privilege).collect();
    if granted.is_empty() {
        return Ok(Vec::new());
    }
    let needed = TRIALS.iter().map(|(privilege, _)| *privilege);
    Ok(needed.filter(|privilege| !granted.contains(*privilege)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_contexts_are_not_all_named() {
        // contexts, beginning of the text
        for (contexts, expected) in [
            (
                vec![7],
                "the context 7 is disabled, for maintenance or while it is moved",
            ),
            (vec![1, 2], "the contexts 1, 2 are disabled"),
            (
                (1..=12).collect(),
                "the contexts 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more are disabled",
            ),
        ] {
            assert!(disabled(&contexts).starts_with(expected), "{}", disabled(&contexts));
        }
    }
}
