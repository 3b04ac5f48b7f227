//! The stores under test: a file, a schema, and a configuration database of Open-Xchange with two contexts.

use std::sync::Arc;

use mysql_async::prelude::Queryable;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::config::Database;
use crate::config::MysqlUrl;

use super::super::Store;
use super::super::configdb::Configdb;
use super::super::layout;

#[path = "../../../tests/support/mariadb.rs"]
mod mariadb;
#[path = "../../../tests/support/ports.rs"]
mod ports;

use mariadb::MariaDb;

/// A store, and what must live as long.
pub(super) struct Subject {
    pub(super) store: Arc<Store>,
    pub(super) database: Database,
    /// The schema of the configuration database.
    config: Option<String>,
    _directory: TempDir,
}

impl Subject {
    async fn new(database: Database, directory: TempDir) -> Self {
        let store = Store::open(&database).await.unwrap();
        Self {
            store: Arc::new(store),
            database,
            config: None,
            _directory: directory,
        }
    }

    /// Changes the configuration database.
    pub(super) async fn configure(&self, statement: &str) {
        let mut connection = server().connect().await;
        let schema = self.config.as_ref().unwrap();
        connection.query_drop(format!("USE {schema}")).await.unwrap();
        connection.query_drop(statement).await.unwrap();
    }

    /// Another process on the same database.
    pub(super) async fn second(&self) -> Arc<Store> {
        Arc::new(Store::open(&self.database).await.unwrap())
    }

    /// As an administrator does who follows the installation guide without stopping the service.
    pub(super) async fn drop_tables(&self) {
        if let Database::Sqlite(path) = &self.database {
            let connection = rusqlite::Connection::open(path).unwrap();
            for table in layout::PURGE_ORDER {
                connection.execute(&format!("DROP TABLE {table}"), []).unwrap();
            }
        }
        for schema in self.schemas().await {
            for table in layout::PURGE_ORDER {
                server().run(&format!("DROP TABLE {schema}.{table}")).await;
            }
        }
    }

    /// A table that bears one of our names in the first place, and holds something else.
    pub(super) async fn foreign_table(&self) {
        let create = "USMSession (cid INT, serial INT)";
        match &self.database {
            Database::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.execute(&format!("CREATE TABLE {create}"), []).unwrap();
            }
            _ => {
                let schemas = self.store.survey().await.unwrap();
                let (_, schema) = schemas[0].place.split_once('/').unwrap();
                server().run(&format!("CREATE TABLE {schema}.{create}")).await;
            }
        }
    }

    /// The schemas of the contexts on the server, in their order; none of a file.
    pub(super) async fn schemas(&self) -> Vec<String> {
        match &self.database {
            Database::Sqlite(_) => Vec::new(),
            Database::Mysql(url) => vec![url.schema.clone()],
            Database::Configdb { directories } => {
                let schemas = Configdb::read(directories).unwrap().schemas().await.unwrap();
                let mut names: Vec<String> = schemas.iter().map(|schema| schema.name.clone()).collect();
                names.sort();
                names
            }
        }
    }
}

pub(super) async fn sqlite() -> Option<Subject> {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(directory.path().join("store.db"));
    Some(Subject::new(database, directory).await)
}

pub(super) async fn mysql() -> Option<Subject> {
    let server = mariadb::shared()?;
    let schema = server.schema().await;
    Some(Subject::new(Database::Mysql(address(server, &schema)), tempfile::tempdir().unwrap()).await)
}

/// The server of a subject that has one.
pub(super) fn server() -> &'static MariaDb {
    mariadb::shared().unwrap()
}

fn address(server: &MariaDb, schema: &str) -> MysqlUrl {
    MysqlUrl {
        host: "127.0.0.1".to_owned(),
        port: server.port,
        // A user for each schema, by which the server tells connections apart.
        user: schema.to_owned(),
        password: SecretString::from("test"),
        schema: schema.to_owned(),
    }
}

pub(super) async fn configdb() -> Option<Subject> {
    let server = mariadb::shared()?;
    let [config, ..] = server.configdb().await;
    let etc = tempfile::tempdir().unwrap();
    server.write_configdb_files(&config, etc.path());
    let directories = vec![etc.path().to_owned()];
    let mut subject = Subject::new(Database::Configdb { directories }, etc).await;
    subject.config = Some(config);
    Some(subject)
}
