//! Series in another folder: OX refuses to move a recurring appointment, so it is copied there and then deleted.
//!
//! Not for every series: the copy has a UID of its own and none of the changed or deleted occurrences, and whoever takes part
//! would be invited again. Such a series stays where it is. Implements the API documentation, "Module calendar", action "copy".

use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::calendar;
use crate::ox::error::Error;
use crate::ox::fetch::Wanted;
use crate::ox::fetch::fetch;
use crate::ox::module::Module;
use crate::ox::session::Session;
use crate::ox::value::id_text;
use crate::ox::value::id_value;

/// Copies a series into another folder, and returns the id of the copy; `None` if the copy would not be the same.
pub async fn copy_series(
    session: &Session,
    folder: &str,
    series: &Wanted,
    target: &str,
) -> Result<Option<String>, Error> {
    if !series.parts.is_empty() {
        return Ok(None);
    }
    let columns = [
        calendar::RECURRENCE_TYPE.name(),
        calendar::CHANGE_EXCEPTIONS.name(),
        calendar::DELETE_EXCEPTIONS.name(),
        calendar::PARTICIPANTS.name(),
    ];
    let fetched = fetch(
        session,
        Module::Calendar,
        folder,
        std::slice::from_ref(series),
        &columns,
    );
    let Some(Ok(fetched)) = fetched.await?.pop() else {
        return Ok(None);
    };
    if !is_plain(&fetched.object) {
        return Ok(None);
    }
    let call = Call::put("calendar", "copy", json!({"folder_id": id_value(target)}))
        .with("id", &series.id)
        .with("folder", folder)
        .with("ignore_conflicts", true);
    let reply = session.call(&call).await?;
    Ok(reply.data.get("id").and_then(id_text))
}

/// A series of nobody but the user, all of whose occurrences are alike.
fn is_plain(series: &Object) -> bool {
    let count = |key: &str| series.as_map().get(key).and_then(Value::as_array).map_or(0, Vec::len);
    series.number(calendar::RECURRENCE_TYPE).is_some_and(|kind| kind > 0)
        && count(calendar::CHANGE_EXCEPTIONS.key) == 0
        && count(calendar::DELETE_EXCEPTIONS.key) == 0
        && count(calendar::PARTICIPANTS.key) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_series_are_plain() {
        let cases = [
            (json!({"recurrence_type": 1}), true),
            (
                json!({"recurrence_type": 1, "participants": [{"id": 3, "type": 1}]}),
                true,
            ),
            (json!({"recurrence_type": 0}), false),
            (json!({"recurrence_type": 2, "delete_exceptions": [86_400_000]}), false),
            (json!({"recurrence_type": 2, "change_exceptions": [86_400_000]}), false),
            (
                json!({"recurrence_type": 1, "participants": [{"id": 3, "type": 1}, {"id": 4, "type": 1}]}),
                false,
            ),
        ];
        for (series, expected) in cases {
            let object = Object::from_map(series.as_object().unwrap().clone());
            assert_eq!(is_plain(&object), expected, "{series}");
        }
    }
}
