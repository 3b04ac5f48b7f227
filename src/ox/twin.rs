//! Objects that say what another one says.
//!
//! A write whose answer was lost may have been carried out. Before it is repeated, the folder is searched for its result.

use serde_json::Value;

use crate::ox::Object;
use crate::ox::columns;
use crate::ox::columns::ColumnName;
use crate::ox::error::Error;
use crate::ox::fetch::Wanted;
use crate::ox::fetch::fetch;
use crate::ox::module::Module;
use crate::ox::session::Session;

/// Candidates that are looked at; the write was not long ago.
const CANDIDATES: usize = 100;

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

/// The first of the candidates that has all the fields of an object that was to be created.
pub async fn find_twin(
    session: &Session,
    module: Module,
    folder: &str,
    candidates: &[Wanted],
    object: &Object,
) -> Result<Option<String>, Error> {
    let columns: Vec<ColumnName> = columns_of(module)
        .filter(|column| object.as_map().contains_key(column.key) && !NOT_COMPARED.contains(&column.key))
        .collect();
    let candidates = candidates.get(..candidates.len().min(CANDIDATES)).unwrap_or_default();
    let fetched = fetch(session, module, folder, candidates, &columns).await?;
    let twin = fetched.into_iter().flatten().find(|candidate| {
        columns.iter().all(|column| {
            let value = |object: &Object| object.as_map().get(column.key).map(plain).unwrap_or_default();
            value(&candidate.object) == value(object)
        })
    });
    Ok(twin.map(|twin| twin.id))
}

fn columns_of(module: Module) -> impl Iterator<Item = ColumnName> {
    let own = match module {
        Module::Calendar => columns::calendar::ALL,
        Module::Contacts => columns::contacts::ALL,
        Module::Tasks => columns::tasks::ALL,
        Module::Mail => &[],
    };
    columns::common::ALL
        .iter()
        .chain(own)
        .copied()
        .filter(|column| column.id != 0)
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
