//! What holds for one of the stores only, or before it is prepared.

use std::time::Duration;
use std::time::Instant;

use mysql_async::prelude::Queryable;
use secrecy::SecretString;

use crate::config::Database;
use crate::config::MysqlUrl;

use super::super::Error;
use super::super::Stale;
use super::super::State;
use super::super::Store;
use super::subject;
use super::subject::Subject;
use super::subject::server;

/// Each case: what another product left in the schema, under a name of ours.
#[tokio::test]
async fn foreign_tables_are_refused_by_mysql_and_not_touched() {
    for (name, columns) in [
        ("easUIDMapping", "cid INT UNSIGNED, LongID VARCHAR(100), ShortID INT"),
        ("USMSession", "cid INT UNSIGNED, id INT UNSIGNED, device VARCHAR(64)"),
    ] {
        let Some(subject) = subject::mysql().await else { return };
        let table = format!("{}.{name}", only_schema(&subject).await);
        server().run(&format!("CREATE TABLE {table} ({columns})")).await;
        let error = subject.store.prepare(1).await.unwrap_err();
        assert!(
            matches!(&error, Error::Foreign { table, .. } if table == name),
            "{error}"
        );
        server().run(&format!("INSERT INTO {table} VALUES (1, 2, 3)")).await;
        assert_eq!(tables_in(&only_schema(&subject).await).await, [name]);
    }
}

#[tokio::test]
async fn foreign_tables_are_refused_by_sqlite_and_not_touched() {
    let subject = subject::sqlite().await.unwrap();
    let Database::Sqlite(path) = &subject.database else {
        panic!("this is the file")
    };
    let file = rusqlite::Connection::open(path).unwrap();
    file.execute_batch("CREATE TABLE USMSession (cid INTEGER, device TEXT); INSERT INTO USMSession VALUES (1, 'd')")
        .unwrap();
    let error = subject.store.prepare(1).await.unwrap_err();
    assert!(
        matches!(&error, Error::Foreign { table, .. } if table == "USMSession"),
        "{error}"
    );
    let count = |select| file.query_row(select, [], |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM USMSession"), 1);
    assert_eq!(count("SELECT count(*) FROM sqlite_master WHERE type = 'table'"), 1);
}

/// A schema that Open-Xchange is updating is left alone until the mark is gone or a day old.
#[tokio::test]
async fn open_xchange_is_not_disturbed_while_it_updates_a_schema() {
    let Some(subject) = subject::mysql().await else { return };
    let table = format!("{}.updateTask", only_schema(&subject).await);
    let create = "(cid INT UNSIGNED, taskName VARCHAR(1024), successful BOOLEAN, lastModified BIGINT)";
    server().run(&format!("CREATE TABLE {table} {create}")).await;
    server()
        .run(&format!(
            "INSERT INTO {table} VALUES (0, 'LOCKED', TRUE, UNIX_TIMESTAMP() * 1000)"
        ))
        .await;
    let error = subject.store.prepare(1).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    server()
        .run(&format!("UPDATE {table} SET lastModified = lastModified - 90000000"))
        .await;
    subject.store.prepare(1).await.unwrap();
}

#[tokio::test]
async fn contexts_that_are_disabled_or_unknown_are_refused() {
    let Some(subject) = subject::configdb().await else {
        return;
    };
    let disabled = subject.store.session(3, 3, "EAS", "dev").await.unwrap_err();
    assert!(
        disabled.is_temporary() && disabled.to_string().contains("context 3 is disabled"),
        "{disabled}"
    );
    let unknown = subject.store.session(4, 3, "EAS", "dev").await.unwrap_err();
    assert!(
        !unknown.is_temporary() && unknown.to_string().contains("no context 4"),
        "{unknown}"
    );
}

#[tokio::test]
async fn every_schema_of_the_configdb_gets_the_tables() {
    let Some(subject) = subject::configdb().await else {
        return;
    };
    subject.store.prepare_all().await.unwrap();
    let schemas = subject.schemas().await;
    assert_eq!(schemas.len(), 2);
    for schema in schemas {
        assert_eq!(tables_in(&schema).await.len(), 7, "{schema}");
    }
}

/// Open-Xchange copies the rows of a context to another schema, removes them from the old one and changes the
/// assignment, which the store may still remember.
#[tokio::test]
async fn a_moved_context_is_followed() {
    let Some(subject) = subject::configdb().await else {
        return;
    };
    let store = &subject.store;
    store.prepare_all().await.unwrap();
    let session = store.session(1, 3, "EAS", "dev").await.unwrap();
    assert!(store.commit(session, "7", None, state(1), &[]).await.unwrap());

    let schemas = subject.schemas().await;
    let [old, new] = schemas.as_slice() else {
        panic!("two schemas")
    };
    for table in tables_in(old).await {
        server()
            .run(&format!(
                "INSERT INTO {new}.{table} SELECT * FROM {old}.{table} WHERE cid = 1"
            ))
            .await;
        server().run(&format!("DELETE FROM {old}.{table} WHERE cid = 1")).await;
    }
    subject
        .configure(&format!(
            "UPDATE context_server2db_pool SET db_schema = '{new}' WHERE server_id = 6"
        ))
        .await;

    // The old schema no longer knows the device, so nothing is written there, and the next look is at the new one.
    assert!(!store.commit(session, "7", Some(1), state(2), &[]).await.unwrap());
    assert!(store.commit(session, "7", Some(1), state(2), &[]).await.unwrap());
    assert_eq!(store.session(1, 3, "EAS", "dev").await.unwrap(), session);
    assert_eq!(tables_with_rows(old).await, [""; 0]);
}

#[tokio::test]
async fn a_device_is_not_entered_in_a_schema_that_its_context_has_left() {
    let Some(subject) = subject::configdb().await else {
        return;
    };
    subject.store.prepare_all().await.unwrap();
    let schemas = subject.schemas().await;
    let [old, new] = schemas.as_slice() else {
        panic!("two schemas")
    };
    assert_eq!(subject.store.find_session(1, 3, "EAS", "dev").await.unwrap(), None);
    subject
        .configure(&format!(
            "UPDATE context_server2db_pool SET db_schema = '{new}' WHERE server_id = 6"
        ))
        .await;
    subject.store.session(1, 3, "EAS", "dev").await.unwrap();
    assert_eq!(tables_with_rows(old).await, [""; 0]);
}

/// Open-Xchange removes nothing of ours with a user. A context without any user is one that is being moved or restored, and
/// a disabled one may be.
#[tokio::test]
async fn devices_of_deleted_users_are_forgotten() {
    let Some(subject) = subject::configdb().await else {
        return;
    };
    let store = &subject.store;
    store.prepare_all().await.unwrap();
    let enable = |cid: u32, enabled: bool| format!("UPDATE context SET enabled = {enabled} WHERE cid = {cid}");
    subject.configure(&enable(3, true)).await;
    let mut sessions = Vec::new();
    for (cid, user) in [(1, 3), (1, 4), (2, 4), (3, 4)] {
        sessions.push(store.session(cid, user, "EAS", "dev").await.unwrap());
    }
    let second = subject.second().await;
    subject.configure(&enable(3, false)).await;
    assert!(
        second.stale(Stale::WithoutUser, 9).await.unwrap().is_empty(),
        "no table of users"
    );
    for schema in subject.schemas().await {
        let create = format!("CREATE TABLE {schema}.user (cid INT UNSIGNED, id INT UNSIGNED, PRIMARY KEY (cid, id))");
        server().run(&create).await;
        // The administrators of the contexts 1 and 3 and one more user; there is nobody in the context 2.
        server()
            .run(&format!("INSERT INTO {schema}.user VALUES (1, 2), (1, 3), (3, 2)"))
            .await;
    }
    let gone = second.stale(Stale::WithoutUser, 9).await.unwrap();
    assert_eq!(
        gone.iter().map(|entry| entry.session).collect::<Vec<_>>(),
        [sessions[1]]
    );
    for (session, removed) in [(sessions[0], false), (sessions[1], true), (sessions[1], false)] {
        assert_eq!(second.remove_stale(session, Stale::WithoutUser).await.unwrap(), removed);
    }
    assert_eq!(store.entries().await.unwrap().len(), 3);
}

#[tokio::test]
async fn connections_that_the_server_closed_are_replaced() {
    let Some(subject) = subject::mysql().await else { return };
    let store = &subject.store;
    store.prepare(1).await.unwrap();
    let session = store.session(1, 3, "EAS", "dev").await.unwrap();
    let schema = only_schema(&subject).await;
    for key in 1..4 {
        kill_connections(&schema).await;
        let expected = (key > 1).then(|| key - 1);
        assert!(
            store.commit(session, "7", expected, state(key), &[]).await.unwrap(),
            "{key}"
        );
    }
}

/// The connection breaks in the middle of a commit, which waits for a lock meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_interrupted_is_repeated() {
    let Some(subject) = subject::mysql().await else { return };
    let store = subject.store.clone();
    store.prepare(1).await.unwrap();
    let session = store.session(1, 3, "EAS", "dev").await.unwrap();
    let schema = only_schema(&subject).await;
    let mut other = server().connect().await;
    other.query_drop("START TRANSACTION").await.unwrap();
    other
        .query_drop(format!("SELECT * FROM {schema}.USMSession FOR UPDATE"))
        .await
        .unwrap();

    let commit = tokio::spawn(async move { store.commit(session, "7", None, state(1), &[]).await });
    let waiting = connection_that_runs(&schema, "FOR UPDATE").await;
    other.query_drop(format!("KILL {waiting}")).await.unwrap();
    other.query_drop("ROLLBACK").await.unwrap();
    assert!(commit.await.unwrap().unwrap());
}

#[tokio::test]
async fn a_server_that_is_down_is_reported_at_once() {
    let url = MysqlUrl {
        host: "127.0.0.1".to_owned(),
        port: 1,
        user: "test".to_owned(),
        password: SecretString::from("test"),
        schema: "test".to_owned(),
    };
    let store = Store::open(&Database::Mysql(url)).await.unwrap();
    let error = store.session(1, 3, "EAS", "dev").await.unwrap_err();
    assert!(
        error.is_temporary() && error.to_string().contains("127.0.0.1:1/test"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nowhere/store.db");
    let error = Store::open(&Database::Sqlite(path)).await.unwrap_err();
    assert!(
        error.to_string().contains("nowhere/store.db") && error.to_string().contains("directory"),
        "{error}"
    );
}

fn state(key: u64) -> State {
    State { key, bytes: vec![7] }
}

async fn only_schema(subject: &Subject) -> String {
    subject.schemas().await.remove(0)
}

async fn tables_in(schema: &str) -> Vec<String> {
    let select = "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1";
    server().connect().await.exec(select, (schema,)).await.unwrap()
}

async fn tables_with_rows(schema: &str) -> Vec<String> {
    let mut connection = server().connect().await;
    let mut found = Vec::new();
    for table in tables_in(schema).await {
        let rows: Option<u64> = connection
            .query_first(format!("SELECT count(*) FROM {schema}.{table}"))
            .await
            .unwrap();
        found.extend((rows != Some(0)).then_some(table));
    }
    found
}

/// Waits until a statement that contains the text runs in the schema; gives its connection.
async fn connection_that_runs(schema: &str, text: &str) -> u64 {
    let mut connection = server().connect().await;
    let select = "SELECT id FROM information_schema.processlist WHERE user = ? AND info LIKE ?";
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let Some(id) = connection
            .exec_first(select, (schema, format!("%{text}%")))
            .await
            .unwrap()
        {
            return id;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the statement does not run")
}

/// Ends the connections that have lately worked in the schema; those of other tests go on.
async fn kill_connections(schema: &str) {
    let mut connection = server().connect().await;
    let select = "SELECT id FROM information_schema.processlist WHERE user = ?";
    let ids: Vec<u64> = connection.exec(select, (schema,)).await.unwrap();
    assert!(!ids.is_empty(), "no connection is open");
    for id in ids {
        // It may be gone already.
        let _ = connection.query_drop(format!("KILL {id}")).await;
    }
}
