//! The writing of single occurrences of a series.
//!
//! An occurrence is named by the day of its original start. Old servers know only its number, and take a day for no name at
//! all: what is meant for one occurrence would happen to the whole series. So they are asked for the number first.
//! Implements the API documentation, "Module calendar" and "Detailed task and appointment data".

use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::calendar::DAY;
use crate::ox::calendar::whole_time;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::items;
use crate::ox::module::Module;
use crate::ox::session::Session;
use crate::ox::settings::Version;
use crate::ox::value::id_value;
use crate::ox::write;
use crate::ox::write::Written;

/// From here on an occurrence can be named by its day. The documents are not sure of the version.
const NAMED_BY_DAY: Version = Version::new(6, 20);

/// What tells occurrences apart.
const COLUMNS: &[ColumnName] = &[
    common::ID.name(),
    calendar::RECURRENCE_ID.name(),
    calendar::RECURRENCE_POSITION.name(),
    calendar::RECURRENCE_DATE_POSITION.name(),
];

/// How a server knows an occurrence.
enum Name {
    /// By this key and value beside the id of the series.
    Key(&'static str, i64),
    /// It was changed, and has an id of its own.
    Own(String),
}

/// Changes one occurrence of a series, which makes it a part with an id of its own. `day` is the day of its original
/// start in the zone of the series: milliseconds since 1970 of that day's midnight in UTC.
pub async fn update_occurrence(
    session: &Session,
    folder: &str,
    id: &str,
    timestamp: i64,
    day: i64,
    change: Object,
) -> Result<Written, Error> {
    match name(session, folder, id, day).await? {
        Name::Own(own) => write::update(session, Module::Calendar, folder, &own, timestamp, change).await,
        Name::Key(key, value) => {
            let mut change = change.into_map();
            change.insert(key.to_owned(), value.into());
            let change = Object::from_map(change);
            write::update(session, Module::Calendar, folder, id, timestamp, change).await
        }
    }
}

/// Deletes one occurrence of a series; `day` as in [`update_occurrence`]. One that is gone already is deleted.
pub async fn delete_occurrence(
    session: &Session,
    folder: &str,
    id: &str,
    timestamp: i64,
    day: i64,
) -> Result<Option<i64>, Error> {
    let deleted = async {
        let occurrence = match name(session, folder, id, day).await? {
            Name::Own(own) => json!({"id": id_value(&own), "folder": id_value(folder)}),
            Name::Key(key, value) => json!({"id": id_value(id), "folder": id_value(folder), key: value}),
        };
        let call = Call::put("calendar", "delete", occurrence).with("timestamp", timestamp);
        session.call(&call).await
    };
    match deleted.await {
        Ok(reply) => Ok(reply.timestamp),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn name(session: &Session, folder: &str, id: &str, day: i64) -> Result<Name, Error> {
    if session.settings().await?.version >= NAMED_BY_DAY {
        return Ok(Name::Key(calendar::RECURRENCE_DATE_POSITION.key, day));
    }
    // Two days more on either side: servers of that age shift the range by the zone of the user.
    let around = all(folder).with("start", day - 2 * DAY).with("end", day + 3 * DAY);
    if let Some(name) = named_in(session, &around, id, day).await? {
        return Ok(name);
    }
    // A changed one may be anywhere by now.
    let everywhere = whole_time(all(folder));
    match named_in(session, &everywhere, id, day).await? {
        Some(Name::Own(own)) => Ok(Name::Own(own)),
        _ => {
            let text = "the series has no such occurrence";
            Err(Error::new(ErrorKind::NotFound, session.describe(&everywhere), text))
        }
    }
}

fn all(folder: &str) -> Call {
    Call::get("calendar", "all")
        .with("folder", folder)
        .with_columns(COLUMNS)
}

async fn named_in(session: &Session, call: &Call, id: &str, day: i64) -> Result<Option<Name>, Error> {
    let rows = match session.call(call).await?.data {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    };
    let mut of_day =
        items::objects(COLUMNS, rows).filter(|row| row.date(calendar::RECURRENCE_DATE_POSITION) == Some(day));
    Ok(of_day.find_map(|row| {
        let own = row.id(common::ID)?;
        if own != id {
            let is_of = row
                .number(calendar::RECURRENCE_ID)
                .is_some_and(|of| of.to_string() == id);
            return is_of.then_some(Name::Own(own));
        }
        let position = row.number(calendar::RECURRENCE_POSITION)?;
        (position > 0).then_some(Name::Key(calendar::RECURRENCE_POSITION.key, position))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;

    /// 2024-01-22 and 2024-01-29, two Mondays of the weekly series 816.
    const FOURTH: i64 = 1_705_881_600_000;
    const FIFTH: i64 = 1_706_486_400_000;
    /// Moved to the end of the year; an appointment of its own by now, 820.
    const SIXTH: i64 = FIFTH + 7 * DAY;

    fn server_of(version: &'static str) -> impl Fn(&Request) -> Response {
        move |request| match request.name().as_str() {
            "config/serverVersion" => data(json!(version)),
            "calendar?all" if request.parameter("recurrence_master") == "true" => {
                data(json!([[816, 816, 0, null], ["820", 816, 6, SIXTH]]))
            }
            // Of the days around, with another series of the same day.
            "calendar?all" => data(json!([
                [900, 900, 2, FOURTH],
                [816, 816, 4, FOURTH],
                [900, 900, 3, FIFTH],
                ["816", 816, 5, FIFTH]
            ])),
            "calendar?update" => json!({"data": {"id": 831}, "timestamp": 1_700_000_011_000_i64}).into(),
            _ => data(json!([])),
        }
    }

    fn written(server: &Server) -> Vec<(String, Value)> {
        let requests = server.requests().into_iter();
        let writes = requests.filter(|request| ["update", "delete"].contains(&request.action()));
        writes
            .map(|request| {
                assert_eq!(request.parameter("timestamp"), "1700000000200");
                (request.name(), request.json())
            })
            .collect()
    }

    async fn change(session: &Session, day: i64) -> Written {
        let mut change = Object::new();
        change.set(calendar::TITLE, "Team (spät)");
        update_occurrence(session, "31", "816", 1_700_000_000_200, day, change)
            .await
            .unwrap()
    }

    async fn delete(session: &Session, day: i64) -> Option<i64> {
        delete_occurrence(session, "31", "816", 1_700_000_000_200, day)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn occurrences_are_named_by_their_day() {
        let (server, session) = Server::with_session(server_of("7.8.4-Rev33")).await;
        let updated = change(&session, FOURTH).await;
        assert_eq!(
            (updated.id.as_str(), updated.modified),
            ("831", Some(1_700_000_011_000))
        );
        delete(&session, FIFTH).await;
        let expected = [
            (
                "calendar?update".to_owned(),
                json!({"title": "Team (spät)", "recurrence_date_position": FOURTH, "ignore_conflicts": true}),
            ),
            (
                "calendar?delete".to_owned(),
                json!({"id": 816, "folder": 31, "recurrence_date_position": FIFTH}),
            ),
        ];
        assert_eq!(written(&server), expected);
    }

    /// A server that takes a day for no name would change or delete the series.
    #[tokio::test]
    async fn old_servers_get_the_number_of_an_occurrence() {
        let (server, session) = Server::with_session(server_of("6.16.1-Rev9")).await;
        change(&session, FOURTH).await;
        delete(&session, FIFTH).await;
        // It was changed before.
        delete(&session, SIXTH).await;
        // It is gone, and nothing is written.
        assert_eq!(delete(&session, SIXTH + 7 * DAY).await, None);
        let expected = [
            (
                "calendar?update".to_owned(),
                json!({"title": "Team (spät)", "recurrence_position": 4, "ignore_conflicts": true}),
            ),
            (
                "calendar?delete".to_owned(),
                json!({"id": 816, "folder": 31, "recurrence_position": 5}),
            ),
            ("calendar?delete".to_owned(), json!({"id": 820, "folder": 31})),
        ];
        assert_eq!(written(&server), expected);
    }
}
