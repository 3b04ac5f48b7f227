//! When users of the context are busy.
//!
//! Implements the API documentation, "Module calendar", action "freebusy".

use serde_json::Value;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::calendar;
use crate::ox::error::Error;
use crate::ox::multiple::multiple;
use crate::ox::session::Session;

/// A time that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Milliseconds since 1970, UTC; if `whole_days`, a day.
    pub start: i64,
    pub end: i64,
    pub whole_days: bool,
    /// "1 reserved, 2 temporary, 3 absent, 4 free".
    pub shown_as: i64,
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// "type (1 user, 3 resource)".
const USER: u8 = 1;

/// What is in the calendars of these users from `start` to `end`, and a little around it: servers differ in the zone
/// of the bounds. `None` for a user whom OX does not tell about. One HTTP request for up to fifty users.
pub async fn free_busy(
    session: &Session,
    users: &[i64],
    start: i64,
    end: i64,
) -> Result<Vec<Option<Vec<Busy>>>, Error> {
    let call = |user: &i64| {
        Call::get("calendar", "freebusy")
            .with("id", user)
            .with("type", USER)
            .with("start", start.saturating_sub(DAY))
            .with("end", end.saturating_add(DAY))
    };
    let calls: Vec<_> = users.iter().map(call).collect();
    let outcomes = multiple(session, &calls).await?.into_iter();
    outcomes
        .map(|outcome| match outcome {
            Ok(reply) => Ok(Some(times(reply.data))),
            Err(error) if error.is_about_the_item() => {
                log::debug!("{error}; the time of this user is unknown");
                Ok(None)
            }
            Err(error) => Err(error),
        })
        .collect()
}

fn times(data: Value) -> Vec<Busy> {
    let Value::Array(entries) = data else {
        return Vec::new();
    };
    let objects = entries.into_iter().filter_map(|entry| match entry {
        Value::Object(entry) => Some(Object::from_map(entry)),
        _ => None,
    });
    objects.filter_map(|object| busy(&object)).collect()
}

fn busy(object: &Object) -> Option<Busy> {
    Some(Busy {
        start: object.time(calendar::START_DATE)?,
        end: object.time(calendar::END_DATE)?,
        whole_days: object.flag(calendar::FULL_TIME).unwrap_or_default(),
        shown_as: object.number(calendar::SHOWN_AS).unwrap_or(1),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::testing::Server;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;

    #[tokio::test]
    async fn users_whom_ox_does_not_tell_about() {
        let (server, session) = Server::with_session(|request| {
            each(request, |entry| match entry["id"].as_str() {
                Some("3") => json!({"data": [{"start_date": 1, "end_date": 2, "shown_as": 3}, {"start_date": 1}]}),
                _ => envelope("APP-0013", 3),
            })
        })
        .await;
        let found = free_busy(&session, &[3, 4], DAY, 2 * DAY).await.unwrap();
        let away = Busy {
            start: 1,
            end: 2,
            whole_days: false,
            shown_as: 3,
        };
        assert_eq!(found, [Some(vec![away]), None]);
        assert_eq!(server.only().json()[0]["start"], "0");
    }
}
