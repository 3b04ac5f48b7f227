//! One schema on a MySQL or MariaDB server: how it is reached, how its statements are written, what its errors mean.
//!
//! Knows no table of ours. A statement names its tables in braces, `{USMSession}`, and is written with the schema's name in
//! front of each: a pool serves all schemas of its server, and a prepared statement would keep to the schema in which
//! it was prepared.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use mysql_async::Conn;
use mysql_async::DriverError;
use mysql_async::Opts;
use mysql_async::OptsBuilder;
use mysql_async::Params;
use mysql_async::Pool;
use mysql_async::PoolConstraints;
use mysql_async::PoolOpts;
use mysql_async::Row;
use mysql_async::from_row_opt;
use mysql_async::prelude::FromRow;
use mysql_async::prelude::Queryable;
use secrecy::ExposeSecret;

use crate::config::MysqlUrl;

use super::error::Error;

/// A database that is down must not keep a device waiting until the web server gives up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// As long as Open-Xchange itself waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Connections to one server at most. Our statements are short, and Open-Xchange needs most of what a server allows.
const MAX_CONNECTIONS: usize = 32;
/// Idle connections are closed after this time, as Open-Xchange does.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A server and the connections to it. `Debug` shows its address only, since the options hold a password.
#[derive(Clone)]
pub(super) struct Server {
    pool: Pool,
    options: Opts,
    address: String,
}

impl Server {
    /// Nothing is connected yet. The schema of the address is not used.
    pub(super) fn new(url: &MysqlUrl) -> Self {
        let constraints = PoolConstraints::new(0, MAX_CONNECTIONS).unwrap_or_default();
        let options = OptsBuilder::default()
            .ip_or_hostname(url.host.clone())
            .tcp_port(url.port)
            .user(Some(url.user.clone()))
            .pass(Some(url.password.expose_secret().to_owned()))
            // A socket found by chance may belong to another server than host and port say.
            .prefer_socket(false)
            .pool_opts(
                PoolOpts::default()
                    .with_constraints(constraints)
                    .with_inactive_connection_ttl(IDLE_TIMEOUT)
                    // Statements name their schema and set no variable, so there is nothing to reset. A reset would
                    // also forget the prepared statements.
                    .with_reset_connection(false),
            );
        let options = Opts::from(options);
        Self {
            pool: Pool::new(options.clone()),
            options,
            address: format!("{}:{}", url.host, url.port),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Schema {
    server: Server,
    pub(super) name: String,
    /// For error messages: `host:port/schema`.
    pub(super) place: String,
}

impl Schema {
    pub(super) fn new(server: Server, name: &str) -> Self {
        Self {
            place: format!("{}/{name}", server.address),
            server,
            name: name.to_owned(),
        }
    }

    /// A connection of the pool.
    pub(super) async fn connect(&self) -> Result<Conn, Error> {
        self.connected(self.server.pool.get_conn()).await
    }

    /// A connection that is closed when it is dropped, and with it whatever it has locked or chosen.
    pub(super) async fn connect_apart(&self) -> Result<Conn, Error> {
        self.connected(Conn::new(self.server.options.clone())).await
    }

    async fn connected(
        &self,
        connecting: impl Future<Output = Result<Conn, mysql_async::Error>>,
    ) -> Result<Conn, Error> {
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|e| self.sort(e)),
            Err(_) => {
                let reason = format!("no connection within {} s", CONNECT_TIMEOUT.as_secs());
                Err(Error::unavailable(&self.place, reason))
            }
        }
    }

    /// Waits for a piece of work on a connection, not for ever.
    pub(super) async fn wait<T>(&self, work: impl Future<Output = Result<T, mysql_async::Error>>) -> Result<T, Error> {
        match tokio::time::timeout(ANSWER_TIMEOUT, work).await {
            Ok(done) => done.map_err(|e| self.sort(e)),
            Err(_) => {
                let reason = format!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
                Err(Error::unavailable(&self.place, reason))
            }
        }
    }

    /// The statement with each `{table}` in this schema.
    pub(super) fn sql(&self, statement: &str) -> String {
        let schema = self.quoted();
        statement.replace('{', &format!("{schema}.`")).replace('}', "`")
    }

    /// The name as an identifier.
    pub(super) fn quoted(&self) -> String {
        format!("`{}`", self.name.replace('`', "``"))
    }

    /// See the list of server error codes in the MySQL manual; MariaDB has the same.
    fn sort(&self, error: mysql_async::Error) -> Error {
        let place = self.place.clone();
        let reason = error.to_string();
        let server = match error {
            mysql_async::Error::Server(server) => server,
            mysql_async::Error::Driver(DriverError::FromRow { .. } | DriverError::FromValue { .. }) => {
                return Error::corrupt(&place, reason);
            }
            _ => {
                return Error::Unavailable {
                    place,
                    reason,
                    again: true,
                };
            }
        };
        match server.code {
            // No such table.
            1146 => Error::MissingTable { place, reason },
            // Lock wait timeout, deadlock, query interrupted, duplicate key (lost a race), connection killed.
            1205 | 1213 | 1317 | 1062 | 1927 => Error::Unavailable {
                place,
                reason,
                again: true,
            },
            // Too many connections (server, user), shutdown, disk full, no memory, read only, lost Galera quorum.
            1040 | 1203 | 1226 | 1053 | 1021 | 1037 | 1041 | 1290 | 1836 | 1047 => Error::unavailable(&place, reason),
            1044 | 1045 | 1142 => Error::other(
                &place,
                format!("{reason}; look at user, password and permissions of the database"),
            ),
            1049 => Error::other(&place, format!("{reason}; create the schema, or name another one")),
            _ => Error::other(&place, reason),
        }
    }
}

/// All rows of a query. A row that is not what was asked for is an error, where the driver would panic.
pub(super) async fn rows<T: FromRow + Send + 'static>(
    connection: &mut impl Queryable,
    statement: String,
    parameters: impl Into<Params> + Send,
) -> Result<Vec<T>, mysql_async::Error> {
    let parameters: Params = parameters.into();
    let rows: Vec<Row> = connection.exec(statement, parameters).await?;
    let read = |row| from_row_opt(row).map_err(|e| mysql_async::Error::Driver(DriverError::FromRow { row: e.0 }));
    rows.into_iter().map(read).collect()
}

/// The first row of a query, if any.
pub(super) async fn first<T: FromRow + Send + 'static>(
    connection: &mut impl Queryable,
    statement: String,
    parameters: impl Into<Params> + Send,
) -> Result<Option<T>, mysql_async::Error> {
    Ok(rows(connection, statement, parameters).await?.into_iter().next())
}
