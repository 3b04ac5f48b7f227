//! What a folder holds: one small [`Item`] for each mail, appointment, contact or task, enough to see what changed.
//!
//! One call lists a folder. The lists are complete, never deltas: deletions that OX forgot to note, lost rights and moved
//! mails are then seen by comparing ids. Implements the API documentation, action "all" of the modules.

use serde_json::Value;

use crate::ox::Object;
use crate::ox::calendar;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::common;
use crate::ox::columns::contacts;
use crate::ox::columns::mail;
use crate::ox::columns::tasks;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::module::Module;
use crate::ox::multiple::multiple;
use crate::ox::reply::Reply;
use crate::ox::revision::FLAGS;
use crate::ox::session::Session;
use crate::ox::value::id_text;

/// An item of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    /// Another number whenever the device has to hear of a change.
    pub revision: u64,
    /// The timestamp that OX wants to see in a write; of a mail, when it was received. Milliseconds since 1970, UTC.
    pub modified: i64,
    /// When it is over, for filters by age; nothing if it never is. Milliseconds since 1970, UTC.
    pub ends: Option<i64>,
    /// A task that is complete.
    pub done: bool,
    /// The ids of the changed occurrences of a series, sorted.
    pub parts: Vec<String>,
}

const MAIL_COLUMNS: &[ColumnName] = &[mail::ID.name(), mail::RECEIVED_DATE.name(), mail::FLAGS.name()];

const TASK_COLUMNS: &[ColumnName] = &[
    common::ID.name(),
    common::FOLDER_ID.name(),
    common::LAST_MODIFIED.name(),
    common::LAST_MODIFIED_UTC.name(),
    tasks::STATUS.name(),
];

const CONTACT_COLUMNS: &[ColumnName] = &[
    common::ID.name(),
    common::FOLDER_ID.name(),
    common::LAST_MODIFIED.name(),
    common::LAST_MODIFIED_UTC.name(),
    contacts::MARK_AS_DISTRIBUTIONLIST.name(),
];

/// Flag of a mail that is deleted but not yet expunged. Such mails are listed, and every mail program hides them.
const DELETED: i64 = 2;
/// Status of a completed task.
const DONE: i64 = 3;

/// Lists a folder completely, in one call.
pub async fn list(session: &Session, module: Module, folder: &str) -> Result<Vec<Item>, Error> {
    let owner = calendar::owner(session, module, folder).await?;
    let call = listing(module, folder);
    let items = match reader(module) {
        Some(Reader { columns, item }) => {
            let item = |row| item(&object(columns, row)?);
            let (found, reply) = session.call_for_rows(&call, item).await?;
            rows(reply).map(|_| found)
        }
        None => items(module, session.call(&call).await?, owner),
    };
    items.map_err(|text| Error::new(ErrorKind::Garbled, session.describe(&call), text))
}

/// Lists several folders completely, as [`list`] does. One HTTP request for up to fifty folders.
pub async fn lists(session: &Session, folders: &[(Module, String)]) -> Result<Vec<Result<Vec<Item>, Error>>, Error> {
    let calls: Vec<_> = folders
        .iter()
        .map(|(module, folder)| listing(*module, folder))
        .collect();
    let mut owners = Vec::with_capacity(folders.len());
    for (module, folder) in folders {
        owners.push(calendar::owner(session, *module, folder).await?);
    }
    let outcomes = multiple(session, &calls).await?;
    let lists = folders
        .iter()
        .zip(&calls)
        .zip(outcomes)
        .zip(owners)
        .map(|((((module, _), call), outcome), owner)| {
            items(*module, outcome?, owner).map_err(|text| Error::new(ErrorKind::Garbled, session.describe(call), text))
        });
    Ok(lists.collect())
}

/// A number for each folder that changes when what [`list`] returns changes. One HTTP request for up to fifty folders.
pub async fn probe(session: &Session, folders: &[(Module, String)]) -> Result<Vec<Result<u64, Error>>, Error> {
    let lists = lists(session, folders).await?;
    Ok(lists.into_iter().map(|list| list.map(|items| stamp(&items))).collect())
}

/// The call that lists a folder.
fn listing(module: Module, folder: &str) -> Call {
    let call = Call::get(module.name(), "all").with("folder", folder);
    match module {
        Module::Mail => call
            .with_columns(MAIL_COLUMNS)
            .with("sort", mail::RECEIVED_DATE.id)
            .with("order", "desc"),
        Module::Calendar => calendar::whole_time(call).with_columns(calendar::COLUMNS),
        Module::Contacts => call.with_columns(CONTACT_COLUMNS),
        Module::Tasks => call.with_columns(TASK_COLUMNS),
    }
}

/// Reads the answer to [`listing`], or says what is wrong with it.
fn items(module: Module, reply: Reply, owner: Option<i64>) -> Result<Vec<Item>, &'static str> {
    let rows = rows(reply)?;
    Ok(match reader(module) {
        Some(Reader { columns, item }) => objects(columns, rows).filter_map(|row| item(&row)).collect(),
        None => calendar::fold(objects(calendar::COLUMNS, rows), owner),
    })
}

/// The rows of a list. One that is cut off would look as if everything else had been deleted.
fn rows(reply: Reply) -> Result<Vec<Value>, &'static str> {
    match reply.data {
        _ if reply.more => Err("the list is cut off"),
        Value::Array(rows) => Ok(rows),
        // Nothing at all, and a warning: what the folder holds could not be read.
        Value::Null if !reply.warnings.is_empty() => Err("a warning came in place of the list"),
        Value::Null => Ok(Vec::new()),
        _ => Err("the answer holds no rows"),
    }
}

/// How one row becomes an item.
struct Reader {
    columns: &'static [ColumnName],
    item: fn(&Object) -> Option<Item>,
}

/// `None` where an item takes more than one row.
fn reader(module: Module) -> Option<Reader> {
    let (columns, item): (_, fn(&Object) -> Option<Item>) = match module {
        Module::Mail => (MAIL_COLUMNS, mail_item),
        Module::Contacts => (CONTACT_COLUMNS, contact_item),
        Module::Tasks => (TASK_COLUMNS, task_item),
        Module::Calendar => return None,
    };
    Some(Reader { columns, item })
}

fn mail_item(row: &Object) -> Option<Item> {
    let flags = row.number(mail::FLAGS).unwrap_or_default();
    if flags & DELETED != 0 {
        return None;
    }
    let received = row.time(mail::RECEIVED_DATE);
    Some(Item {
        id: row.as_map().get(mail::ID.key).and_then(id_text)?,
        // The date tells a mail from another one that got its id after the folder was made anew.
        revision: mail_revision(received.unwrap_or_default(), flags),
        modified: received.unwrap_or_default(),
        ends: received,
        done: false,
        parts: Vec::new(),
    })
}

fn mail_revision(received: i64, flags: i64) -> u64 {
    let date = hash([&received.to_be_bytes()[..]]) >> 32;
    (date << 32) | (flags & i64::from(FLAGS)).unsigned_abs()
}

fn contact_item(row: &Object) -> Option<Item> {
    // ActiveSync has no distribution lists.
    if row.flag(contacts::MARK_AS_DISTRIBUTIONLIST) == Some(true) {
        return None;
    }
    plain_item(row)
}

fn task_item(row: &Object) -> Option<Item> {
    let done = row.number(tasks::STATUS) == Some(DONE);
    Some(Item {
        done,
        ..plain_item(row)?
    })
}

fn plain_item(row: &Object) -> Option<Item> {
    let modified = modified(row);
    Some(Item {
        id: row.id(common::ID)?,
        revision: modified.unsigned_abs(),
        modified,
        ends: None,
        done: false,
        parts: Vec::new(),
    })
}

/// When an object was last changed. Some servers leave out the column that is never shifted by a time zone.
pub(super) fn modified(row: &Object) -> i64 {
    let modified = row
        .timestamp(common::LAST_MODIFIED_UTC)
        .or_else(|| row.time(common::LAST_MODIFIED));
    modified.unwrap_or_default()
}

/// Rows as objects; null rows stand for objects that are gone.
pub(super) fn objects(columns: &'static [ColumnName], rows: Vec<Value>) -> impl Iterator<Item = Object> {
    rows.into_iter().filter_map(move |row| object(columns, row))
}

fn object(columns: &'static [ColumnName], row: Value) -> Option<Object> {
    match row {
        Value::Array(row) => Some(Object::from_row(columns, row)),
        _ => None,
    }
}

fn stamp(items: &[Item]) -> u64 {
    let mut entries: Vec<_> = items.iter().map(|item| (item.id.as_bytes(), item.revision)).collect();
    entries.sort_unstable();
    let revisions: Vec<_> = entries.iter().map(|entry| entry.1.to_be_bytes()).collect();
    hash(
        entries
            .iter()
            .zip(&revisions)
            .flat_map(|(entry, revision)| [entry.0, &revision[..]]),
    )
}

/// FNV-1a over chunks, each with an end mark. Stored in revisions, so it must never change: hence not the standard
/// library's hasher, which promises no such thing.
pub(super) fn hash<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    chunks
        .into_iter()
        .fold(OFFSET, |hash, chunk| step(chunk.iter().copied().fold(hash, step), 0xff))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::AtomicI64;
    use std::sync::atomic::Ordering;

    use serde_json::json;

    use super::*;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;

    async fn listed(module: Module, rows: Value) -> (Server, Vec<Item>) {
        let (server, session) = Server::with_session(move |_| data(rows.clone())).await;
        let items = list(&session, module, "F").await.unwrap();
        (server, items)
    }

    #[tokio::test]
    async fn mails() {
        let rows = json!([
            ["1044", 1_700_000_300_000_i64, 0],
            [1043, 1_700_000_200_000_i64, 40],
            ["1040", 1_700_000_100_000_i64, 34],
            ["1039", null, 1 | 4 | 16 | 32 | 64 | 256],
            null,
        ]);
        let (server, items) = listed(Module::Mail, rows).await;
        let flags: Vec<_> = items
            .iter()
            .map(|item| (item.id.as_str(), item.revision & 0xffff_ffff, item.ends))
            .collect();
        // 1040 is deleted; recent and user flags do not count.
        assert_eq!(
            flags,
            [
                ("1044", 0, Some(1_700_000_300_000)),
                ("1043", 40, Some(1_700_000_200_000)),
                ("1039", 293, None)
            ]
        );
        let dates: HashSet<_> = items.iter().map(|item| item.revision >> 32).collect();
        assert_eq!(dates.len(), 3);
        let request = server.only();
        assert_eq!(request.name(), "mail?all");
        assert_eq!(request.parameter("folder"), "F");
        assert_eq!(request.parameter("columns"), "600,610,611");
    }

    #[test]
    fn revisions_never_change_with_the_program() {
        assert_eq!(hash([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(
            mail_revision(1_700_000_300_000, 40),
            mail_revision(1_700_000_300_000, 40 | 16)
        );
        assert_eq!(mail_revision(0, 40), 16_574_362_882_133_721_128);
        assert_ne!(hash([&b"ab"[..], b"c"]), hash([&b"a"[..], b"bc"]));
    }

    #[tokio::test]
    async fn tasks() {
        let rows = json!([
            [66, 34, 1_700_000_021_000_i64, 1_700_000_021_500_i64, 3],
            ["67", 34, 1_700_000_022_000_i64, null, 1]
        ]);
        let (server, items) = listed(Module::Tasks, rows).await;
        let found: Vec<_> = items
            .iter()
            .map(|item| (item.id.as_str(), item.revision, item.modified, item.done))
            .collect();
        assert_eq!(
            found,
            [
                ("66", 1_700_000_021_500, 1_700_000_021_500, true),
                ("67", 1_700_000_022_000, 1_700_000_022_000, false)
            ]
        );
        assert_eq!(server.only().parameter("columns"), "1,20,5,6,300");
    }

    #[tokio::test]
    async fn contacts() {
        let rows = json!([[5, 33, 1, 2, null], [6, 33, 1, 2, false], [7, 33, 1, 2, true]]);
        let (server, items) = listed(Module::Contacts, rows).await;
        let ids: Vec<_> = items.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(ids, ["5", "6"], "7 is a distribution list");
        assert_eq!(server.only().parameter("columns"), "1,20,5,6,602");
    }

    #[tokio::test]
    async fn appointments_are_listed_for_all_time() {
        let (server, items) = listed(Module::Calendar, json!([])).await;
        assert!(items.is_empty());
        // Before it come the settings, which say whose calendar it is.
        let request = server.requests().pop().unwrap();
        assert_eq!(request.name(), "calendar?all");
        assert_eq!(request.parameter("recurrence_master"), "true");
        assert_eq!(
            (request.parameter("start"), request.parameter("end")),
            ("0", "2208988800000")
        );
    }

    #[tokio::test]
    async fn an_answer_without_rows_is_no_empty_folder() {
        let warning = json!({"error": "The server is slow.", "code": "IMAP-2046", "category": 13});
        let mut mirrored = warning.clone();
        mirrored["warnings"] = json!([warning]);
        for answer in [json!({"data": {"x": 1}}), warning, mirrored] {
            let (_server, session) = Server::with_session(move |_| answer.clone().into()).await;
            for module in [Module::Mail, Module::Calendar] {
                let error = list(&session, module, "F").await.unwrap_err();
                assert_eq!(error.kind, ErrorKind::Garbled, "{error}");
            }
        }
        // What has nothing to say may say nothing.
        let (_server, session) = Server::with_session(|_| data(json!(null))).await;
        assert_eq!(list(&session, Module::Mail, "F").await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_probe_is_one_request_and_notices_changes() {
        let seen = AtomicI64::new(0);
        let (server, session) = Server::with_session(move |request| {
            let count = seen.fetch_add(1, Ordering::Relaxed);
            each(request, |entry| match entry["module"].as_str() {
                // The flag of a mail changes, the order of tasks does, and notes can never be read.
                Some("mail") => json!({"data": [["1", 5, 32 * (count % 2)]]}),
                Some("tasks") if count == 0 => json!({"data": [[1, 34, 7, 7, 1], [2, 34, 8, 8, 1]]}),
                Some("tasks") => json!({"data": [[2, 34, 8, 8, 1], [1, 34, 7, 7, 1]]}),
                _ => envelope("FLD-0008", 1),
            })
        })
        .await;
        let folders = [Module::Mail, Module::Tasks, Module::Contacts].map(|module| (module, "F".to_owned()));
        let first = probe(&session, &folders).await.unwrap();
        let second = probe(&session, &folders).await.unwrap();
        assert_ne!(first[0].as_ref().unwrap(), second[0].as_ref().unwrap());
        assert_eq!(first[1].as_ref().unwrap(), second[1].as_ref().unwrap());
        assert_eq!(first[2].as_ref().unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(server.names(), ["multiple", "multiple"]);
    }
}
