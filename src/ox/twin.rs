//! What a write has left whose answer was lost: an object with the mark of the write, or one that says what it said.
//!
//! Before such a write is repeated, the folder is searched for its result. The mark tells it whatever became
//! of the object since; where OX has kept none, the content does, if nobody has changed it.

use serde_json::Value;

use crate::ox::Object;
use crate::ox::columns;
use crate::ox::columns::ColumnName;
use crate::ox::columns::common;
use crate::ox::error::Error;
use crate::ox::fetch::Fetched;
use crate::ox::fetch::Wanted;
use crate::ox::fetch::fetch;
use crate::ox::mark;
use crate::ox::mark::Mark;
use crate::ox::module::Module;
use crate::ox::session::Session;

/// Candidates that are looked at; the write was not long ago.
const CANDIDATES: usize = 100;

/// Where a mark stands.
const MARK: [ColumnName; 1] = [common::UID.name()];

/// Fields that OX changes on the way in, or does not show.
const NOT_COMPARED: [&str; 8] = [
    "folder_id",
    "image1",
    "image1_content_type",
    "participants",
    "users",
    "timezone",
    "notification",
    "ignore_conflicts",
];

/// An object that was to be created, found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    pub id: String,
    /// Nobody has changed it since.
    pub is_same: bool,
}

/// The first of the candidates that has the mark of an object that was to be created, else all its fields, unless it has
/// the mark of another one.
pub async fn find_twin(
    session: &Session,
    module: Module,
    folder: &str,
    candidates: &[Wanted],
    object: &Object,
    mark: Option<&Mark>,
) -> Result<Option<Twin>, Error> {
    let compared: Vec<ColumnName> = columns_of(module)
        .filter(|column| object.as_map().contains_key(column.key) && !NOT_COMPARED.contains(&column.key))
        .collect();
    let mark = match mark {
        Some(mark) if mark::is_known(session, module).await? => Some(mark),
        _ => None,
    };
    let columns = [&compared[..], if mark.is_some() { &MARK } else { &[] }].concat();
    let candidates = candidates.get(..candidates.len().min(CANDIDATES)).unwrap_or_default();
    let fetched = fetch(session, module, folder, candidates, &columns).await?;
    let mut by_content = None;
    let mut by_mark = None;
    for Fetched {
        id, object: candidate, ..
    } in fetched.into_iter().flatten()
    {
        let is_same = says_the_same(&candidate, object, &compared);
        if mark.is_some_and(|mark| mark.is_of(&candidate)) {
            by_mark = by_mark.or(Some(Twin { id, is_same }));
        } else if is_same && !mark.is_some_and(|mark| mark.is_anothers(&candidate)) {
            by_content = by_content.or(Some(Twin { id, is_same }));
        }
    }
    Ok(by_mark.or(by_content))
}

fn says_the_same(candidate: &Object, object: &Object, columns: &[ColumnName]) -> bool {
    let value = |object: &Object, key| object.as_map().get(key).map(plain).unwrap_or_default();
    let mut columns = columns.iter();
    columns.all(|column| value(candidate, column.key) == value(object, column.key))
}

fn columns_of(module: Module) -> impl Iterator<Item = ColumnName> {
    let own = match module {
        Module::Calendar => columns::calendar::ALL,
        Module::Contacts => columns::contacts::ALL,
        Module::Tasks => columns::tasks::ALL,
        Module::Mail => &[],
    };
    common::ALL.iter().chain(own).copied().filter(|column| column.id != 0)
}

/// A value as text: OX writes numbers as text at times, and leaves out what is null, empty or false.
fn plain(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Array(list) if list.is_empty() => String::new(),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.as_f64() == Some(0.0) => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::columns::contacts;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;
    use crate::ox::testing::failure;

    /// What is found among contacts of these rows: id, folder, last name, UID.
    async fn found(rows: Value, with_mark: bool) -> (Option<(String, bool)>, String) {
        let candidates: Vec<Wanted> = ["1", "2"]
            .map(|id| Wanted {
                id: id.to_owned(),
                parts: Vec::new(),
            })
            .into();
        let (server, session) = Server::with_session(move |request| match request.name().as_str() {
            "config/serverVersion" => data(json!("7.8.4")),
            "contacts?list" => data(rows.clone()),
            "multiple" => each(request, |_| envelope("CON-0125", 1)),
            _ => failure("SVL-0001", 8),
        })
        .await;
        let mut object = Object::new();
        object.set(contacts::LAST_NAME, "x");
        let mark = Mark::new([0xAB; 16]);
        let mark = with_mark.then_some(&mark);
        let twin = find_twin(&session, Module::Contacts, "33", &candidates, &object, mark);
        let twin = twin.await.unwrap().map(|twin| (twin.id, twin.is_same));
        let requests = server.requests();
        let list = requests.iter().find(|request| request.name() == "contacts?list");
        (twin, list.unwrap().parameter("columns").to_owned())
    }

    #[tokio::test]
    async fn a_mark_tells_more_than_the_content() {
        let (own, other) = (
            "ABABABABABABABABABABABABABABABAB@oxtender",
            "CDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCD@oxtender",
        );
        let row = |id, name: &str, uid: Value| json!([id, 33, name, uid]);
        // rows, what is found, and whether it is as it was
        let cases = [
            (
                vec![row(1, "x", json!(null)), row(2, "x", json!(own))],
                Some(("2", true)),
            ),
            (
                vec![row(1, "x", json!(null)), row(2, "y", json!(own))],
                Some(("2", false)),
            ),
            (
                vec![row(1, "y", json!(null)), row(2, "x", json!("ox-7"))],
                Some(("2", true)),
            ),
            (vec![row(1, "x", json!(other)), row(2, "y", json!(null))], None),
            // A server that does not know the column leaves it out.
            (vec![json!([1, 33, "x"])], Some(("1", true))),
        ];
        for (rows, expected) in cases {
            let (twin, columns) = found(json!(rows), true).await;
            let expected = expected.map(|(id, is_same)| (id.to_owned(), is_same));
            assert_eq!((twin, columns.as_str()), (expected, "1,20,502,223"), "{rows:?}");
        }
        let (twin, columns) = found(json!([[1, 33, "x"]]), false).await;
        assert_eq!((twin, columns.as_str()), (Some(("1".to_owned(), true)), "1,20,502"));
    }

    #[test]
    fn values_that_are_the_same() {
        // one, other, same
        let cases = [
            (json!(7), json!("7"), true),
            (json!(""), json!(null), true),
            (json!(0), json!(null), true),
            (json!(false), json!(null), true),
            (json!("a "), json!("a"), true),
            (json!("a"), json!("b"), false),
            (json!(true), json!(null), false),
        ];
        for (one, other, same) in cases {
            assert_eq!(plain(&one) == plain(&other), same, "{one} {other}");
        }
    }
}
