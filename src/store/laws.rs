//! The laws that every store obeys: run for SQLite, for MySQL with one schema, and for MySQL behind a configdb.
//!
//! A law gets a prepared store that is its own, and may use the contexts 1 and 2. Behind the configdb these are in two
//! schemas.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use tempfile::TempDir;

use crate::config::Database;
use crate::config::MysqlUrl;

use super::Error;
use super::Note;
use super::SessionId;
use super::State;
use super::Store;
use super::layout;

#[path = "../../tests/support/mariadb.rs"]
mod mariadb;

use mariadb::MariaDb;

/// A store, and what must live as long.
struct Subject {
    store: Arc<Store>,
    database: Database,
    _directory: TempDir,
}

impl Subject {
    async fn new(database: Database, directory: TempDir) -> Self {
        let store = Store::open(&database).await.unwrap();
        Self {
            store: Arc::new(store),
            database,
            _directory: directory,
        }
    }

    /// Another process on the same database.
    async fn second(&self) -> Arc<Store> {
        Arc::new(Store::open(&self.database).await.unwrap())
    }
}

async fn sqlite() -> Option<Subject> {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(directory.path().join("store.db"));
    Some(Subject::new(database, directory).await)
}

async fn mysql() -> Option<Subject> {
    let server = mariadb::shared()?;
    let schema = server.schema().await;
    Some(Subject::new(Database::Mysql(address(server, &schema)), tempfile::tempdir().unwrap()).await)
}

fn address(server: &MariaDb, schema: &str) -> MysqlUrl {
    MysqlUrl {
        host: "127.0.0.1".to_owned(),
        port: server.port,
        user: "test".to_owned(),
        password: SecretString::from("test"),
        schema: schema.to_owned(),
    }
}

async fn configdb() -> Option<Subject> {
    let server = mariadb::shared()?;
    let [config, one, two] = [server.schema().await, server.schema().await, server.schema().await];
    let port = server.port;
    // As much of the tables of Open-Xchange as the route needs, in its own words.
    for statement in [
        format!("CREATE TABLE {config}.server (server_id INT UNSIGNED PRIMARY KEY, name VARCHAR(255) UNIQUE)"),
        format!("INSERT INTO {config}.server VALUES (6, 'oxserver'), (7, 'other')"),
        format!("CREATE TABLE {config}.context (cid INT UNSIGNED PRIMARY KEY, name VARCHAR(128), enabled BOOLEAN)"),
        format!("INSERT INTO {config}.context VALUES (1, 'one', TRUE), (2, 'two', TRUE), (3, 'three', FALSE)"),
        format!(
            "CREATE TABLE {config}.db_pool (db_pool_id INT UNSIGNED PRIMARY KEY, url VARCHAR(255), driver VARCHAR(255),
             login VARCHAR(128), password VARCHAR(128), name VARCHAR(128))"
        ),
        format!(
            "INSERT INTO {config}.db_pool VALUES
             (3, 'jdbc:mysql://127.0.0.1:1/', 'com.mysql.jdbc.Driver', 'reader', 'x', 'replica'),
             (4, 'jdbc:mysql://127.0.0.1:{port}/?useUnicode=true', 'com.mysql.jdbc.Driver', 'ox', 'x', 'a'),
             (5, 'jdbc:mysql://localhost:{port}', 'com.mysql.jdbc.Driver', 'ox', 'x', 'b')"
        ),
        format!(
            "CREATE TABLE {config}.context_server2db_pool (server_id INT UNSIGNED, cid INT UNSIGNED,
             read_db_pool_id INT UNSIGNED, write_db_pool_id INT UNSIGNED, db_schema VARCHAR(32), PRIMARY KEY (cid, server_id))"
        ),
        format!(
            "INSERT INTO {config}.context_server2db_pool VALUES (6, 1, 3, 4, '{one}'), (6, 2, 3, 5, '{two}'),
             (6, 3, 3, 5, '{two}'), (7, 1, 3, 3, 'wrong')"
        ),
    ] {
        server.run(&statement).await;
    }
    let etc = tempfile::tempdir().unwrap();
    let file = format!(
        "readUrl=jdbc:mysql://127.0.0.1:1/configdb\nwriteUrl=jdbc:mysql://127.0.0.1:{port}/{config}?useSSL=false\n\
         writeProperty.1=user=openexchange\nwriteProperty.2=password=secret\n"
    );
    fs::write(etc.path().join("configdb.properties"), file).unwrap();
    fs::write(etc.path().join("system.properties"), "SERVER_NAME=oxserver\n").unwrap();
    let directories = vec![etc.path().to_owned()];
    Some(Subject::new(Database::Configdb { directories }, etc).await)
}

/// Makes a test of each law for each store.
macro_rules! laws {
    ($($law:ident),+ $(,)?) => {
        laws!(@store sqlite $($law)+);
        laws!(@store mysql $($law)+);
        laws!(@store configdb $($law)+);
    };
    (@store $store:ident $($law:ident)+) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $law() {
                    let Some(subject) = super::$store().await else { return };
                    for cid in [1, 2] {
                        subject.store.prepare(cid).await.unwrap();
                    }
                    super::$law(&subject).await;
                }
            )+
        }
    };
}

laws!(
    a_session_is_found_again_and_told_from_others,
    sessions_entered_at_once_are_one,
    a_removed_session_leaves_nothing_and_its_number_does_not_return,
    fields_are_set_changed_and_removed,
    short_ids_are_stable_and_never_used_twice,
    short_ids_drawn_at_once_are_unique,
    states_come_newest_first,
    a_commit_needs_the_newest_key,
    of_commits_at_once_one_wins,
    a_commit_keeps_what_it_is_told_to_keep,
    a_removed_device_cannot_commit,
    notes_are_kept_replaced_and_forgotten,
    large_values_fit_and_larger_ones_are_refused,
    contexts_do_not_see_each_other,
    tables_that_vanish_are_made_again,
    preparing_at_once_is_safe,
    calls_are_counted,
    the_database_answers,
);

async fn device(subject: &Subject) -> SessionId {
    subject.store.session(1, 3, "EAS", "ApplF1").await.unwrap()
}

fn state(key: u64) -> State {
    State {
        key,
        bytes: format!("state {key}").into_bytes(),
    }
}

fn keys(states: &[State]) -> Vec<u64> {
    states.iter().map(|state| state.key).collect()
}

fn note(base: u64, operation: &[u8], outcome: &[u8], created: i64) -> Note {
    Note {
        base,
        operation: operation.to_vec(),
        outcome: outcome.to_vec(),
        created,
    }
}

async fn a_session_is_found_again_and_told_from_others(subject: &Subject) {
    let store = &subject.store;
    assert_eq!(store.find_session(1, 3, "EAS", "dev").await.unwrap(), None);
    let mut seen = HashSet::new();
    for (cid, user, protocol, device) in [
        (1, 3, "EAS", "dev"),
        (2, 3, "EAS", "dev"),
        (1, 4, "EAS", "dev"),
        (1, 3, "JSON", "dev"),
        // Case and blanks at the end tell devices apart.
        (1, 3, "EAS", "Dev"),
        (1, 3, "EAS", "dev "),
        (1, 3, "EAS", "dév"),
    ] {
        let session = store.session(cid, user, protocol, device).await.unwrap();
        assert!(seen.insert(session), "{device:?} was taken for another");
        assert_eq!(session.cid, cid);
        assert_eq!(store.session(cid, user, protocol, device).await.unwrap(), session);
        assert_eq!(
            subject
                .second()
                .await
                .find_session(cid, user, protocol, device)
                .await
                .unwrap(),
            Some(session)
        );
    }
}

async fn sessions_entered_at_once_are_one(subject: &Subject) {
    let other = subject.second().await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..16 {
        let store = if n % 2 == 0 {
            subject.store.clone()
        } else {
            other.clone()
        };
        calls.spawn(async move { store.session(1, 3, "EAS", &format!("device {}", n % 4)).await.unwrap() });
    }
    let sessions: HashSet<SessionId> = calls.join_all().await.into_iter().collect();
    assert_eq!(sessions.len(), 4);
}

async fn a_removed_session_leaves_nothing_and_its_number_does_not_return(subject: &Subject) {
    let store = &subject.store;
    let session = device(subject).await;
    store.set_fields(session, &[("a", Some("b"))]).await.unwrap();
    store.assign_folder_ids(session, &["31".to_owned()]).await.unwrap();
    assert!(store.commit(session, "1", None, state(1), &[]).await.unwrap());
    store.note(session, "1", note(1, b"op", b"out", 0)).await.unwrap();
    let neighbour = store.session(1, 3, "EAS", "other").await.unwrap();
    store.set_fields(neighbour, &[("a", Some("b"))]).await.unwrap();

    store.remove_session(session).await.unwrap();
    assert_eq!(store.find_session(1, 3, "EAS", "ApplF1").await.unwrap(), None);
    assert!(store.fields(session).await.unwrap().is_empty());
    assert!(store.folder_ids(session).await.unwrap().is_empty());
    assert!(store.states(session, "1").await.unwrap().is_empty());
    assert!(store.notes(session, "1", 1).await.unwrap().is_empty());
    assert_eq!(store.fields(neighbour).await.unwrap().len(), 1);
    assert!(device(subject).await.id > neighbour.id);
}

async fn fields_are_set_changed_and_removed(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    assert!(store.fields(session).await.unwrap().is_empty());
    store
        .set_fields(session, &[("a", Some("1")), ("b", Some("")), ("A", Some("grün 🌳"))])
        .await
        .unwrap();
    store
        .set_fields(session, &[("a", Some("2")), ("b", None), ("never", None)])
        .await
        .unwrap();
    let fields = store.fields(session).await.unwrap();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(fields, [("A", "grün 🌳"), ("a", "2")]);

    store.remove_session(session).await.unwrap();
    assert!(store.set_fields(session, &[("a", Some("1"))]).await.is_err());
}

async fn short_ids_are_stable_and_never_used_twice(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let long = |names: &[&str]| -> Vec<String> { names.iter().map(|&n| n.to_owned()).collect() };
    let first = store
        .assign_folder_ids(session, &long(&["default0/INBOX", "31"]))
        .await
        .unwrap();
    assert_eq!(first, [(1, "default0/INBOX".to_owned()), (2, "31".to_owned())]);
    // Case and length matter, repetition and order do not.
    let deep = "x/".repeat(5000);
    let names = long(&["31", "default0/inbox", &deep, "31", "default0/INBOX"]);
    let second = store.assign_folder_ids(session, &names).await.unwrap();
    let ids: Vec<u32> = second.iter().map(|&(short, _)| short).collect();
    assert_eq!(ids, [2, 3, 4, 2, 1]);
    let all = subject.second().await.folder_ids(session).await.unwrap();
    assert_eq!(all.last().unwrap(), &(4, deep));

    let other = store.session(1, 3, "EAS", "other").await.unwrap();
    assert_eq!(
        store.assign_folder_ids(other, &long(&["new", "new"])).await.unwrap()[1].0,
        1
    );
    assert_eq!(store.assign_folder_ids(session, &long(&["new"])).await.unwrap()[0].0, 5);
}

async fn short_ids_drawn_at_once_are_unique(subject: &Subject) {
    let session = device(subject).await;
    let other = subject.second().await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..8 {
        let store = if n % 2 == 0 {
            subject.store.clone()
        } else {
            other.clone()
        };
        let folders = [format!("own {n}"), "common".to_owned()];
        calls.spawn(async move { store.assign_folder_ids(session, &folders).await.unwrap() });
    }
    let answers = calls.join_all().await;
    let common: HashSet<u32> = answers.iter().map(|ids| ids[1].0).collect();
    assert_eq!(common.len(), 1, "the common folder has several ids");
    let all = subject.store.folder_ids(session).await.unwrap();
    assert_eq!(
        all.iter().map(|&(short, _)| short).collect::<Vec<_>>(),
        (1..=9).collect::<Vec<_>>()
    );
}

async fn states_come_newest_first(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    assert!(store.states(session, "7").await.unwrap().is_empty());
    assert!(store.commit(session, "7", None, state(2), &[]).await.unwrap());
    assert!(store.commit(session, "7", Some(2), state(10), &[2]).await.unwrap());
    let largest = i64::MAX as u64;
    assert!(
        store
            .commit(session, "7", Some(10), state(largest), &[2, 10])
            .await
            .unwrap()
    );
    let states = store.states(session, "7").await.unwrap();
    assert_eq!(states, [state(largest), state(10), state(2)]);
    assert!(store.states(session, "8").await.unwrap().is_empty());
    store.forget(session, "7").await.unwrap();
    assert!(store.states(session, "7").await.unwrap().is_empty());
}

async fn a_commit_needs_the_newest_key(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    assert!(!store.commit(session, "7", Some(1), state(2), &[]).await.unwrap());
    assert!(store.commit(session, "7", None, state(1), &[]).await.unwrap());
    assert!(!store.commit(session, "7", None, state(1), &[]).await.unwrap());
    assert!(!store.commit(session, "7", None, state(2), &[]).await.unwrap());
    assert!(store.commit(session, "7", Some(1), state(2), &[1]).await.unwrap());
    assert!(!store.commit(session, "7", Some(1), state(3), &[]).await.unwrap());
    assert_eq!(keys(&store.states(session, "7").await.unwrap()), [2, 1]);
    // A key that does not grow is a mistake of the caller, not a race.
    assert!(store.commit(session, "7", Some(2), state(2), &[]).await.is_err());
    assert!(store.commit(session, "7", Some(2), state(u64::MAX), &[]).await.is_err());
}

async fn of_commits_at_once_one_wins(subject: &Subject) {
    let session = device(subject).await;
    let other = subject.second().await;
    for round in 0..3 {
        let expected = (round > 0).then_some(round);
        let mut calls = tokio::task::JoinSet::new();
        for n in 0..6 {
            let store = if n % 2 == 0 {
                subject.store.clone()
            } else {
                other.clone()
            };
            let new = State {
                key: round + 1,
                bytes: vec![n],
            };
            calls.spawn(async move { (n, store.commit(session, "7", expected, new, &[]).await.unwrap()) });
        }
        let answers = calls.join_all().await;
        let winners: Vec<u8> = answers.into_iter().filter_map(|(n, won)| won.then_some(n)).collect();
        let states = subject.store.states(session, "7").await.unwrap();
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(
            (keys(&states), &states[0].bytes),
            (vec![round + 1], &winners),
            "round {round}"
        );
    }
}

async fn a_commit_keeps_what_it_is_told_to_keep(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let other = store.session(1, 3, "EAS", "other").await.unwrap();
    for (session, object) in [(session, "8"), (other, "7")] {
        assert!(store.commit(session, object, None, state(1), &[]).await.unwrap());
    }
    let mut expected = None;
    for (key, keep, left) in [
        (1, &[][..], &[1][..]),
        (2, &[1], &[2, 1]),
        (3, &[2], &[3, 2]),
        // A key that is not there is no error.
        (4, &[99, 2, 3], &[4, 3, 2]),
        (5, &[], &[5]),
    ] {
        assert!(store.commit(session, "7", expected, state(key), keep).await.unwrap());
        assert_eq!(keys(&store.states(session, "7").await.unwrap()), left);
        expected = Some(key);
    }
    for (session, object) in [(session, "8"), (other, "7")] {
        assert_eq!(keys(&store.states(session, object).await.unwrap()), [1]);
    }
}

async fn a_removed_device_cannot_commit(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    store.remove_session(session).await.unwrap();
    assert!(!store.commit(session, "7", None, state(1), &[]).await.unwrap());
    assert!(store.states(session, "7").await.unwrap().is_empty());
    assert!(store.assign_folder_ids(session, &["31".to_owned()]).await.is_err());
}

async fn notes_are_kept_replaced_and_forgotten(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let [a, b] = [b"\x00\xffadd a", b"\x00\xffadd b"];
    for entry in [
        note(5, a, b"1", 100),
        note(5, b, b"", 50),
        note(5, a, b"2", 110),
        note(6, a, b"3", 90),
    ] {
        store.note(session, "7", entry).await.unwrap();
    }
    store.note(session, "8", note(5, a, b"other", 200)).await.unwrap();
    assert_eq!(
        store.notes(session, "7", 5).await.unwrap(),
        [note(5, b, b"", 50), note(5, a, b"2", 110)]
    );
    assert_eq!(
        store.note_of(session, "7", a).await.unwrap(),
        Some(note(5, a, b"2", 110))
    );
    assert_eq!(store.note_of(session, "7", b"add a").await.unwrap(), None);

    store.forget_notes(session, "7", 5).await.unwrap();
    assert_eq!(
        store.note_of(session, "7", a).await.unwrap(),
        Some(note(6, a, b"3", 90))
    );
    let elsewhere = store.session(2, 3, "EAS", "dev").await.unwrap();
    store.note(elsewhere, "7", note(1, a, b"", 89)).await.unwrap();
    store.forget_notes_before(90).await.unwrap();
    assert_eq!(store.notes(session, "7", 6).await.unwrap().len(), 1);
    assert!(store.notes(elsewhere, "7", 1).await.unwrap().is_empty());
    store.forget_notes_before(91).await.unwrap();
    assert!(store.notes(session, "7", 6).await.unwrap().is_empty());
    assert_eq!(store.notes(session, "8", 5).await.unwrap().len(), 1);
}

async fn large_values_fit_and_larger_ones_are_refused(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let value = "ä".repeat(32 * 1024);
    store.set_fields(session, &[("large", Some(&value))]).await.unwrap();
    assert_eq!(store.fields(session).await.unwrap()["large"], value);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let large = State { key: 1, bytes };
    assert!(store.commit(session, "7", None, large.clone(), &[]).await.unwrap());
    assert!(store.states(session, "7").await.unwrap() == [large]);

    let long = "x".repeat(256);
    assert!(store.session(1, 3, "EAS", &long).await.is_err());
    assert!(store.states(session, &long).await.is_err());
    assert!(store.set_fields(session, &[(&long, Some(""))]).await.is_err());
    assert!(store.set_fields(session, &[("a", Some(&(value + "x")))]).await.is_err());
    assert!(
        store
            .note(session, "7", note(1, long.as_bytes(), b"", 0))
            .await
            .is_err()
    );
}

async fn contexts_do_not_see_each_other(subject: &Subject) {
    let store = &subject.store;
    let [one, two] = [
        store.session(1, 3, "EAS", "dev").await.unwrap(),
        store.session(2, 3, "EAS", "dev").await.unwrap(),
    ];
    assert_eq!(one.id, two.id, "each context counts for itself");
    assert!(store.commit(one, "7", None, state(1), &[]).await.unwrap());
    store.set_fields(one, &[("a", Some("b"))]).await.unwrap();
    assert!(store.states(two, "7").await.unwrap().is_empty());
    assert!(store.fields(two).await.unwrap().is_empty());
    store.remove_session(two).await.unwrap();
    assert_eq!(store.states(one, "7").await.unwrap().len(), 1);
}

async fn tables_that_vanish_are_made_again(subject: &Subject) {
    let store = &subject.store;
    device(subject).await;
    drop_tables(subject).await;
    let session = device(subject).await;
    assert_eq!(session.id, 1);
    assert!(store.states(session, "7").await.unwrap().is_empty());
}

/// As an administrator who follows the installation guide without stopping the service.
async fn drop_tables(subject: &Subject) {
    let schemas = match &subject.database {
        Database::Sqlite(path) => return drop_tables_of_file(path),
        Database::Mysql(url) => vec![url.schema.clone()],
        Database::Configdb { .. } => schemas_of_contexts(subject).await,
    };
    let server = mariadb::shared().unwrap();
    for (schema, table) in schemas
        .iter()
        .flat_map(|s| layout::PURGE_ORDER.iter().map(move |t| (s, t)))
    {
        server.run(&format!("DROP TABLE {schema}.{table}")).await;
    }
}

fn drop_tables_of_file(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    for table in layout::PURGE_ORDER {
        connection.execute(&format!("DROP TABLE {table}"), []).unwrap();
    }
}

async fn schemas_of_contexts(subject: &Subject) -> Vec<String> {
    let Database::Configdb { directories } = &subject.database else {
        return Vec::new();
    };
    let configdb = super::configdb::Configdb::read(directories).unwrap();
    let schemas = configdb.schemas().await.unwrap();
    schemas.iter().map(|schema| schema.name.clone()).collect()
}

async fn preparing_at_once_is_safe(subject: &Subject) {
    drop_tables(subject).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = subject.second().await;
        calls.spawn(async move { store.prepare(1).await.unwrap() });
    }
    calls.join_all().await;
    device(subject).await;
}

async fn calls_are_counted(subject: &Subject) {
    let store = &subject.store;
    let session = device(subject).await;
    let before = store.traffic();
    device(subject).await;
    store.states(session, "7").await.unwrap();
    let reads = store.traffic();
    assert_eq!((reads.reads - before.reads, reads.writes - before.writes), (2, 0));
    store.commit(session, "7", None, state(1), &[]).await.unwrap();
    store.set_fields(session, &[]).await.unwrap();
    let writes = store.traffic();
    assert_eq!((writes.reads - reads.reads, writes.writes - reads.writes), (0, 1));
}

async fn the_database_answers(subject: &Subject) {
    subject.store.ping().await.unwrap();
}

mod foreign_tables {
    use super::*;

    #[tokio::test]
    async fn are_refused_by_sqlite_and_not_touched() {
        let subject = sqlite().await.unwrap();
        let Database::Sqlite(path) = &subject.database else {
            panic!("this is the file")
        };
        let file = rusqlite::Connection::open(path).unwrap();
        file.execute_batch(
            "CREATE TABLE USMSession (cid INTEGER, device TEXT); INSERT INTO USMSession VALUES (1, 'd')",
        )
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

    #[tokio::test]
    async fn are_refused_by_mysql_and_not_touched() {
        let Some(subject) = mysql().await else { return };
        let Database::Mysql(url) = &subject.database else {
            panic!("this is the server")
        };
        let server = mariadb::shared().unwrap();
        let table = format!("{}.easUIDMapping", url.schema);
        server
            .run(&format!(
                "CREATE TABLE {table} (cid INT UNSIGNED, LongID VARCHAR(100), ShortID INT)"
            ))
            .await;
        let error = subject.store.prepare(1).await.unwrap_err();
        assert!(
            matches!(&error, Error::Foreign { table, .. } if table == "easUIDMapping"),
            "{error}"
        );
        server
            .run(&format!("INSERT INTO {table} VALUES (1, 'still there', 1)"))
            .await;
    }
}

mod open_xchange {
    use super::*;

    /// A schema that Open-Xchange is updating is left alone until the mark is gone or a day old.
    #[tokio::test]
    async fn is_not_disturbed_while_it_updates_a_schema() {
        let Some(subject) = mysql().await else { return };
        let Database::Mysql(url) = &subject.database else {
            panic!("this is the server")
        };
        let server = mariadb::shared().unwrap();
        let table = format!("{}.updateTask", url.schema);
        let create = "(cid INT UNSIGNED, taskName VARCHAR(1024), successful BOOLEAN, lastModified BIGINT)";
        server.run(&format!("CREATE TABLE {table} {create}")).await;
        server
            .run(&format!(
                "INSERT INTO {table} VALUES (0, 'LOCKED', TRUE, UNIX_TIMESTAMP() * 1000)"
            ))
            .await;
        let error = subject.store.prepare(1).await.unwrap_err();
        assert!(error.is_temporary(), "{error}");
        server
            .run(&format!("UPDATE {table} SET lastModified = lastModified - 90000000"))
            .await;
        subject.store.prepare(1).await.unwrap();
    }

    #[tokio::test]
    async fn contexts_that_are_disabled_or_unknown_are_refused() {
        let Some(subject) = configdb().await else { return };
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
}

mod a_database_that_is_down {
    use super::*;

    #[tokio::test]
    async fn is_reported_at_once() {
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
    async fn as_a_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nowhere/store.db");
        let error = Store::open(&Database::Sqlite(path)).await.unwrap_err();
        assert!(
            error.to_string().contains("nowhere/store.db") && error.to_string().contains("directory"),
            "{error}"
        );
    }
}
