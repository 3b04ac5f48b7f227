//! Invitations: answering a meeting, and taking in one that came by mail.
//!
//! Two ways lead from a mail to an appointment, and servers differ in which they know: `conversion` since 6.18, which only
//! writes the calendar, and `calendar/itip` since 6.22, which may also send mails. An answer is never given by the latter, so
//! that it is always the caller who decides whether the organizer hears of it by mail. Implements the API documentation, actions
//! "confirm" and "convert", and "calendar/itip".

use serde_json::Value;
use serde_json::json;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::calendar;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::module::Standard;
use crate::ox::occurrence::update_occurrence;
use crate::ox::session::Session;
use crate::ox::settings::Version;
use crate::ox::value::id_text;

/// "Confirm occurrence: 7.6, else update with position".
const CONFIRMS_OCCURRENCES: Version = Version::new(7, 6);

/// No alarm, in a write.
const NO_ALARM: i64 = -1;

/// What the user answers.
#[derive(Clone, Copy, Debug)]
pub struct Confirmation<'a> {
    /// "0 none, 1 accepted, 2 declined, 3 tentative".
    pub status: i64,
    /// For the organizer; empty for none.
    pub message: &'a str,
}

/// An occurrence of a series, by its day and by its number, of which servers know one or the other.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence {
    pub day: i64,
    /// Counted from 1.
    pub position: i64,
}

/// The part of a mail that holds an invitation.
#[derive(Clone, Copy, Debug)]
pub struct InvitationPart<'a> {
    pub folder: &'a str,
    pub mail: &'a str,
    /// As in the mail's list of attachments.
    pub part: &'a str,
}

impl InvitationPart<'_> {
    fn arguments(&self) -> [(&'static str, &str); 3] {
        [
            ("com.openexchange.mail.conversion.fullname", self.folder),
            ("com.openexchange.mail.conversion.mailid", self.mail),
            ("com.openexchange.mail.conversion.sequenceid", self.part),
        ]
    }
}

/// Answers an appointment; a whole series, or one occurrence of it. `timestamp` is the newest one known of the appointment,
/// `alarm` what the user has for it, in minutes.
pub async fn confirm(
    session: &Session,
    (folder, id, timestamp): (&str, &str, i64),
    confirmation: Confirmation<'_>,
    occurrence: Option<Occurrence>,
    alarm: Option<i64>,
) -> Result<(), Error> {
    let call = confirming(folder, id, timestamp, confirmation);
    let Some(Occurrence { day, position }) = occurrence else {
        return session.call(&call).await.map(drop);
    };
    if session.settings().await?.version >= CONFIRMS_OCCURRENCES {
        return session.call(&call.with("occurrence", position)).await.map(drop);
    }
    // The occurrence becomes an object of its own, and that is answered.
    let mut change = Object::new();
    change.set(calendar::ALARM, alarm.unwrap_or(NO_ALARM));
    let own = update_occurrence(session, folder, id, timestamp, day, change).await?;
    let call = confirming(folder, &own.id, own.modified.unwrap_or(timestamp), confirmation);
    session.call(&call).await.map(drop)
}

fn confirming(folder: &str, id: &str, timestamp: i64, confirmation: Confirmation<'_>) -> Call {
    let answer = json!({"confirmation": confirmation.status, "confirmmessage": confirmation.message});
    Call::put("calendar", "confirm", answer)
        .with("id", id)
        .with("folder", folder)
        .with("timestamp", timestamp)
}

/// Makes an appointment of the invitation in a mail, or only answers the one that there is, and returns its id. `None` where
/// this server cannot, or not with this mail.
pub async fn add_invitation(
    session: &Session,
    part: InvitationPart<'_>,
    calendar: &str,
    confirmation: Confirmation<'_>,
) -> Result<Option<String>, Error> {
    let settings = session.settings().await?;
    let status = confirmation.status.to_string();
    let tasks = settings.standard(Standard::Tasks).unwrap_or(calendar);
    let handler = [
        ("com.openexchange.groupware.calendar.folder", calendar),
        ("com.openexchange.groupware.task.folder", tasks),
        ("com.openexchange.groupware.calendar.confirmstatus", &status),
        (
            "com.openexchange.groupware.calendar.confirmmessage",
            confirmation.message,
        ),
    ];
    let arguments = |pairs: &[(&'static str, &str)]| -> Vec<Value> {
        pairs.iter().map(|(name, value)| json!({*name: value})).collect()
    };
    let body = json!({
        "datasource": {"identifier": "com.openexchange.mail.ical", "args": arguments(&part.arguments())},
        "datahandler": {"identifier": "com.openexchange.ical", "args": arguments(&handler)},
    });
    let reply = match session.call(&Call::put("conversion", "convert", body)).await {
        Ok(reply) => reply,
        Err(error) if error.is_about_the_item() => {
            log::debug!("{error}; the invitation is added without the help of the server");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(reply.data.get(0).and_then(|made| made.get("id")).and_then(id_text))
}

/// Brings an appointment up to date with a newer version of its invitation. Only the server may change what somebody outside
/// organizes; `false` where it cannot.
pub async fn apply_update(session: &Session, part: InvitationPart<'_>) -> Result<bool, Error> {
    let body: serde_json::Map<String, Value> = part
        .arguments()
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let call = Call::put("calendar/itip", "update", body)
        .with("dataSource", "com.openexchange.mail.ical")
        .with("descriptionFormat", "html");
    match session.call(&call).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_about_the_item() || error.kind == ErrorKind::Unsupported => {
            log::debug!("{error}; the appointment is not brought up to date by the server");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ox::testing::Server;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;

    const PART: InvitationPart<'static> = InvitationPart {
        folder: "default0/INBOX",
        mail: "17",
        part: "2",
    };
    const ACCEPTED: Confirmation<'static> = Confirmation {
        status: 1,
        message: "ok",
    };

    /// The server's version, and the calls that an answer for one occurrence takes.
    #[tokio::test]
    async fn one_occurrence_of_a_series() {
        let cases = [
            ("7.8.4-Rev33", vec![("confirm", "816", "4")]),
            ("6.20.7 Rev5", vec![("update", "816", ""), ("confirm", "831", "")]),
        ];
        for (version, expected) in cases {
            let (server, session) = Server::with_session(move |request| match request.name().as_str() {
                "calendar?update" => json!({"data": {"id": 831}, "timestamp": 1_700_000_011_000_i64}).into(),
                "calendar?confirm" => data(json!({})),
                _ => data(json!(version)),
            })
            .await;
            let occurrence = Occurrence {
                day: 1_705_881_600_000,
                position: 4,
            };
            let place = ("31", "816", 1_700_000_000_200);
            confirm(&session, place, ACCEPTED, Some(occurrence), Some(15))
                .await
                .unwrap();
            let requests = server.requests();
            let calls: Vec<_> = requests
                .iter()
                .filter(|request| request.name().starts_with("calendar?"))
                .map(|request| {
                    (
                        request.action(),
                        request.parameter("id"),
                        request.parameter("occurrence"),
                    )
                })
                .collect();
            assert_eq!(calls, expected, "{version}");
            let last = requests.last().expect("a request");
            assert_eq!(last.json(), json!({"confirmation": 1, "confirmmessage": "ok"}));
        }
    }

    #[tokio::test]
    async fn an_invitation_becomes_an_appointment() {
        let (server, session) = Server::with_session(|request| match request.name().as_str() {
            "conversion?convert" => data(json!([{"folder_id": 31, "id": 900}])),
            _ => data(Value::Null),
        })
        .await;
        let id = add_invitation(&session, PART, "31", ACCEPTED).await.unwrap();
        assert_eq!(id.as_deref(), Some("900"));
        let body = server.requests().last().expect("a request").json();
        assert_eq!(
            body["datasource"],
            json!({"identifier": "com.openexchange.mail.ical", "args": [
                {"com.openexchange.mail.conversion.fullname": "default0/INBOX"},
                {"com.openexchange.mail.conversion.mailid": "17"},
                {"com.openexchange.mail.conversion.sequenceid": "2"}]})
        );
        assert_eq!(
            body["datahandler"]["args"][2],
            json!({"com.openexchange.groupware.calendar.confirmstatus": "1"})
        );
    }

    #[tokio::test]
    async fn servers_that_cannot() {
        let (_server, session) = Server::with_session(|request| match request.name().as_str() {
            "conversion?convert" => failure("CNV-0001", 8),
            "calendar/itip?update" => failure("SVL-0006", 8),
            _ => data(Value::Null),
        })
        .await;
        assert_eq!(add_invitation(&session, PART, "31", ACCEPTED).await.unwrap(), None);
        assert!(!apply_update(&session, PART).await.unwrap());
    }
}
