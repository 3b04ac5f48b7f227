//! From a context to its schema, as Open-Xchange finds it: `configdb.properties` leads to the configuration database, and
//! that to the server and schema of each context.
//!
//! Reads the configuration database and never writes to it. Always the write pool: what a device does next depends on
//! what was written last. Implements the tables `server`, `context`, `context_server2db_pool` and `db_pool`, and the
//! JDBC URLs in them.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use mysql_async::prelude::Queryable;
use secrecy::ExposeSecret;
use secrecy::SecretString;

use crate::config;
use crate::config::MysqlUrl;
use crate::config::properties;
use crate::config::properties::Property;

use super::error::Error;
use super::schema::Schema;
use super::schema::Server;
use super::schema::first;
use super::schema::rows;

/// A context can be moved to another schema at any time, and nobody tells us.
const ASSIGNMENT_TTL: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Configdb {
    schema: Schema,
    /// `SERVER_NAME`, when there is one.
    server_name: Option<String>,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    assignments: HashMap<u32, (Instant, Arc<Schema>)>,
    /// By `db_pool_id`, with the address they were made for.
    servers: HashMap<u32, (MysqlUrl, Server)>,
}

/// A row of `db_pool` as the route needs it.
struct PoolRow {
    id: u32,
    url: String,
    login: String,
    password: String,
}

impl Configdb {
    /// Reads the files; nothing is connected yet.
    pub(super) fn read(directories: &[PathBuf]) -> Result<Self, Error> {
        let (file, entries) = read_file(directories, "configdb.properties")?;
        let url = write_url(&entries).map_err(|reason| Error::other(&file.display().to_string(), reason))?;
        // The file is optional: with one row in `server` there is nothing to choose.
        let server_name = match read_file(directories, "system.properties") {
            Ok((_, entries)) => value(&entries, "SERVER_NAME")
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            Err(_) => None,
        };
        Ok(Self {
            schema: Schema::new(Server::new(&url), &url.schema),
            server_name,
            cache: Mutex::default(),
        })
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        let mut connection = self.schema.connect().await?;
        self.schema.wait(connection.ping()).await
    }

    /// The schema of a context, at most a minute old.
    pub(super) async fn schema(&self, cid: u32) -> Result<Arc<Schema>, Error> {
        if let Some((read, schema)) = self.lock().assignments.get(&cid)
            && read.elapsed() < ASSIGNMENT_TTL
        {
            return Ok(schema.clone());
        }
        let select = "SELECT c.enabled, a.db_schema, p.db_pool_id, p.url, p.login, p.password
            FROM {context_server2db_pool} a
            JOIN {context} c ON c.cid = a.cid
            JOIN {db_pool} p ON p.db_pool_id = a.write_db_pool_id
            WHERE a.server_id = ? AND a.cid = ?";
        let mut connection = self.schema.connect().await?;
        let server = self.server_id(&mut connection).await?;
        let row: Option<(bool, String, u32, String, String, String)> = self
            .schema
            .wait(first(&mut connection, self.schema.sql(select), (server, cid)))
            .await?;
        let Some((enabled, name, id, url, login, password)) = row else {
            return Err(Error::other(
                &self.schema.place,
                format!("there is no context {cid} on the server {server}"),
            ));
        };
        if !enabled {
            let reason = super::inspect::disabled(&[cid]);
            return Err(Error::unavailable(&self.schema.place, reason));
        }
        let pool = PoolRow {
            id,
            url,
            login,
            password,
        };
        let schema = Arc::new(self.schema_on(pool, &name)?);
        let mut cache = self.lock();
        cache.assignments.retain(|_, (read, _)| read.elapsed() < ASSIGNMENT_TTL);
        cache.assignments.insert(cid, (Instant::now(), schema.clone()));
        Ok(schema)
    }

    /// Reads the assignment of the context anew next time.
    pub(super) fn forget(&self, cid: u32) {
        self.lock().assignments.remove(&cid);
    }

    /// The schemas of all contexts.
    pub(super) async fn schemas(&self) -> Result<Vec<Arc<Schema>>, Error> {
        let select = "SELECT DISTINCT a.db_schema, p.db_pool_id, p.url, p.login, p.password
            FROM {context_server2db_pool} a
            JOIN {db_pool} p ON p.db_pool_id = a.write_db_pool_id
            WHERE a.server_id = ?";
        let mut connection = self.schema.connect().await?;
        let server = self.server_id(&mut connection).await?;
        let found: Vec<(String, u32, String, String, String)> = self
            .schema
            .wait(rows(&mut connection, self.schema.sql(select), (server,)))
            .await?;
        let schema = |(name, id, url, login, password): (String, u32, String, String, String)| {
            let pool = PoolRow {
                id,
                url,
                login,
                password,
            };
            self.schema_on(pool, &name).map(Arc::new)
        };
        found.into_iter().map(schema).collect()
    }

    /// Where it is itself, as `host:port/schema`.
    pub(super) fn place(&self) -> &str {
        &self.schema.place
    }

    /// How many contexts there are of this server, and which of them are disabled.
    pub(super) async fn contexts(&self) -> Result<(u64, Vec<u32>), Error> {
        let mut connection = self.schema.connect().await?;
        let server = self.server_id(&mut connection).await?;
        let count = "SELECT COUNT(*) FROM {context_server2db_pool} WHERE server_id = ?";
        let count = first(&mut connection, self.schema.sql(count), (server,));
        let count: Option<(u64,)> = self.schema.wait(count).await?;
        let disabled = "SELECT c.cid FROM {context} c JOIN {context_server2db_pool} a ON a.cid = c.cid
            WHERE a.server_id = ? AND NOT c.enabled ORDER BY c.cid";
        let disabled = rows(&mut connection, self.schema.sql(disabled), (server,));
        let disabled: Vec<(u32,)> = self.schema.wait(disabled).await?;
        let count = count.map_or(0, |(count,)| count);
        Ok((count, disabled.into_iter().map(|(cid,)| cid).collect()))
    }

    async fn server_id(&self, connection: &mut impl Queryable) -> Result<u32, Error> {
        let select = self.schema.sql("SELECT server_id, name FROM {server}");
        let servers: Vec<(u32, String)> = self.schema.wait(rows(connection, select, ())).await?;
        let named = |(_, name): &&(u32, String)| Some(name) == self.server_name.as_ref();
        match (servers.iter().find(named), servers.as_slice()) {
            (Some(&(id, _)), _) | (None, &[(id, _)]) => Ok(id),
            _ => {
                let names: Vec<&str> = servers.iter().map(|(_, name)| name.as_str()).collect();
                let reason = format!(
                    "SERVER_NAME in system.properties must be one of the servers registered there: {}",
                    names.join(", ")
                );
                Err(Error::other(&self.schema.place, reason))
            }
        }
    }

    fn schema_on(&self, row: PoolRow, name: &str) -> Result<Schema, Error> {
        let address = jdbc(&row.url, row.login, row.password)
            .map_err(|reason| Error::other(&self.schema.place, format!("db_pool {}: {reason}", row.id)))?;
        let mut cache = self.lock();
        let server = match cache.servers.get(&row.id) {
            Some((known, server)) if same(known, &address) => server.clone(),
            _ => {
                let server = Server::new(&address);
                cache.servers.insert(row.id, (address, server.clone()));
                server
            }
        };
        Ok(Schema::new(server, name))
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether connections made for one address serve the other.
fn same(a: &MysqlUrl, b: &MysqlUrl) -> bool {
    let plain = |url: &MysqlUrl| (url.host.clone(), url.port, url.user.clone());
    plain(a) == plain(b) && a.password.expose_secret() == b.password.expose_secret()
}

fn read_file(directories: &[PathBuf], name: &str) -> Result<(PathBuf, Vec<Property>), Error> {
    let Some(file) = config::locate(directories, name) else {
        let searched: Vec<String> = directories.iter().map(|d| d.display().to_string()).collect();
        return Err(Error::other(
            name,
            format!("there is no such file in {}", searched.join(" or ")),
        ));
    };
    let entries = read_entries(&file)?;
    Ok((file, entries))
}

fn read_entries(file: &Path) -> Result<Vec<Property>, Error> {
    let entries = properties::read(file).map_err(|e| Error::other("configdb", e.to_string()))?;
    Ok(entries.unwrap_or_default())
}

fn value<'a>(entries: &'a [Property], key: &str) -> Option<&'a str> {
    entries
        .iter()
        .rev()
        .find(|entry| entry.key == key)
        .map(|entry| entry.value.as_str())
}

/// The configuration database as its master is reached. Each `writeProperty.N` holds one more `name=value`.
fn write_url(entries: &[Property]) -> Result<MysqlUrl, String> {
    let url = value(entries, "writeUrl").ok_or("the key writeUrl is missing")?;
    let property = |wanted: &str| {
        let properties = entries.iter().filter(|entry| entry.key.starts_with("writeProperty."));
        let mut pairs = properties.filter_map(|entry| entry.value.split_once('='));
        pairs
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.to_owned())
    };
    let user = property("user").ok_or("no writeProperty holds user=...")?;
    let password = property("password").unwrap_or_default();
    for flag in ["useSSL", "requireSSL"] {
        if property(flag).as_deref() == Some("true") {
            return Err(TLS_UNSUPPORTED.to_owned());
        }
    }
    let url = jdbc(url, user, password)?;
    match url.schema.is_empty() {
        true => Err("writeUrl names no schema".to_owned()),
        false => Ok(url),
    }
}

const TLS_UNSUPPORTED: &str = "TLS to the database is not supported; remove useSSL and requireSSL";

/// Reads `jdbc:mysql://host[:port][,more hosts]/[schema][?name=value&...]`. Of several hosts the first is taken; of the
/// parameters only those that ask for TLS matter.
fn jdbc(text: &str, user: String, password: String) -> Result<MysqlUrl, String> {
    let refuse = || format!("{text} is not a URL of the form jdbc:mysql://host:port/schema");
    let (prefix, rest) = text.split_once("://").ok_or_else(refuse)?;
    let prefix = prefix.strip_prefix("jdbc:").ok_or_else(refuse)?;
    if !matches!(prefix.split(':').next(), Some("mysql" | "mariadb")) {
        return Err(refuse());
    }
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let asks_for_tls = |parameter: &str| matches!(parameter, "useSSL=true" | "requireSSL=true");
    if parameters.split('&').any(asks_for_tls) {
        return Err(TLS_UNSUPPORTED.to_owned());
    }
    let (hosts, schema) = address.split_once('/').unwrap_or((address, ""));
    let host = hosts.split(',').next().unwrap_or_default();
    let (host, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse().map_err(|_| refuse())?),
        _ => (host, 3306),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(refuse());
    }
    Ok(MysqlUrl {
        host: host.to_owned(),
        port,
        user,
        password: SecretString::from(password),
        schema: schema.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each case: the URL; host, port and schema.
    #[test]
    fn jdbc_urls() {
        for (url, host, port, schema) in [
            ("jdbc:mysql://localhost/configdb", "localhost", 3306, "configdb"),
            ("jdbc:mysql://db.example:3307", "db.example", 3307, ""),
            (
                "jdbc:mysql://db.example/?useUnicode=true&useSSL=false",
                "db.example",
                3306,
                "",
            ),
            ("jdbc:mariadb://db.example:3306/x?a=b", "db.example", 3306, "x"),
            ("jdbc:mysql:loadbalance://a:1,b:2/x", "a", 1, "x"),
            ("jdbc:mysql://[::1]:3307/x", "::1", 3307, "x"),
            ("jdbc:mysql://[::1]/x", "::1", 3306, "x"),
        ] {
            let parsed = jdbc(url, "u".into(), "p".into()).unwrap();
            assert_eq!(
                (parsed.host.as_str(), parsed.port, parsed.schema.as_str()),
                (host, port, schema),
                "{url}"
            );
        }
        for url in [
            "mysql://h/x",
            "jdbc:oracle://h/x",
            "jdbc:mysql:///x",
            "jdbc:mysql://h:x/y",
            "jdbc:mysql://h/?useSSL=true",
        ] {
            assert!(jdbc(url, "u".into(), "p".into()).is_err(), "{url}");
        }
    }

    fn entries(text: &str) -> Vec<Property> {
        properties::parse(Path::new("configdb.properties"), text.as_bytes()).unwrap()
    }

    #[test]
    fn the_write_side_of_the_file_is_used() {
        let url = write_url(&entries(
            "readUrl=jdbc:mysql://replica/configdb\nreadProperty.1=user=reader\n\
             writeUrl=jdbc:mysql://master:3307/configdb\nwriteProperty.1=user=openexchange\n\
             writeProperty.2=password=a=b",
        ))
        .unwrap();
        assert_eq!(
            (url.host.as_str(), url.port, url.user.as_str()),
            ("master", 3307, "openexchange")
        );
        assert_eq!(url.password.expose_secret(), "a=b");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, reason) in [
            ("", "writeUrl"),
            ("writeUrl=jdbc:mysql://m/c", "user="),
            ("writeUrl=jdbc:mysql://m/\nwriteProperty.1=user=u", "no schema"),
            (
                "writeUrl=jdbc:mysql://m/c\nwriteProperty.1=user=u\nwriteProperty.9=useSSL=true",
                "TLS",
            ),
        ] {
            let error = write_url(&entries(text)).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        let error = Configdb::read(&[PathBuf::from("/nowhere")]).unwrap_err();
        assert!(error.to_string().contains("/nowhere"), "{error}");
    }
}
