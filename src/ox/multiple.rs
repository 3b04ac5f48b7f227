//! Many calls in one HTTP request: module `multiple`.
//!
//! Not for uploads, downloads and the login. Implements the API documentation, module "multiple".

use serde_json::Value;

use crate::ox::call::Call;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::reply;
use crate::ox::reply::Reply;
use crate::ox::session::Session;

/// How many calls go in one request.
const MAX_ENTRIES: usize = 50;

/// Makes the calls and returns an outcome for each, in the same order. Fails as a whole when OX cannot be asked at all.
pub async fn multiple(session: &Session, calls: &[Call]) -> Result<Vec<Result<Reply, Error>>, Error> {
    let mut outcomes = Vec::with_capacity(calls.len());
    while let Some(rest) = calls.get(outcomes.len()..).filter(|rest| !rest.is_empty()) {
        let batch = rest.get(..MAX_ENTRIES).unwrap_or(rest);
        outcomes.extend(send(session, batch).await?);
    }
    Ok(outcomes)
}

/// Sends one batch. An old server may stop at the first error in spite of `continue`: then there are fewer outcomes than
/// calls, but at least one.
async fn send(session: &Session, batch: &[Call]) -> Result<Vec<Result<Reply, Error>>, Error> {
    let entries = batch.iter().map(Call::entry).collect::<Vec<_>>();
    let request = Call::put("multiple", "", entries).with("continue", true);
    let generation = session.generation();
    let mut outcomes = read(session, batch, session.call_for_array(&request).await?);
    match outcomes.iter().position(is_session_error) {
        None => {}
        Some(0) => {
            session.renew(generation).await?;
            outcomes = read(session, batch, session.call_for_array(&request).await?);
        }
        // The session ended on the way: what came before is done, the rest is for the next request.
        Some(first) => outcomes.truncate(first),
    }
    if outcomes.is_empty() {
        let text = "the answer is an empty array";
        return Err(Error::new(ErrorKind::Garbled, session.describe(&request), text));
    }
    Ok(outcomes)
}

/// Each answer is an envelope of its own.
fn read(session: &Session, batch: &[Call], answers: Vec<Value>) -> Vec<Result<Reply, Error>> {
    let pairs = batch.iter().zip(answers);
    let outcomes = pairs.map(|(call, answer)| reply::read(answer, &session.describe(call)));
    outcomes
        .map(|outcome| outcome.map_err(|error| session.censor(error)))
        .collect()
}

fn is_session_error(outcome: &Result<Reply, Error>) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind == ErrorKind::Session)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use serde_json::json;

    use super::*;
    use crate::ox::testing::Response;
    use crate::ox::testing::Server;
    use crate::ox::testing::each;
    use crate::ox::testing::envelope;
    use crate::ox::testing::failure;
    use crate::ox::testing::logged_in;

    fn calls(count: usize) -> Vec<Call> {
        (0..count)
            .map(|number| Call::get("folders", "get").with("id", number))
            .collect()
    }

    #[tokio::test]
    async fn outcomes_are_in_the_order_of_the_calls() {
        let (server, session) = Server::with_session(|request| {
            each(request, |entry| match entry["id"].as_str() {
                Some("1") => envelope("FLD-0008", 1),
                id => json!({"data": id, "timestamp": 5}),
            })
        })
        .await;
        let outcomes = multiple(&session, &calls(3)).await.unwrap();
        assert_eq!(outcomes[0].as_ref().unwrap().data, json!("0"));
        assert_eq!(outcomes[0].as_ref().unwrap().timestamp, Some(5));
        let error = outcomes[1].as_ref().unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.call().ends_with("/ajax/folders?action=get"), "{}", error.call());
        assert_eq!(outcomes[2].as_ref().unwrap().data, json!("2"));
        let request = server.only();
        assert_eq!((request.method.as_str(), request.name().as_str()), ("PUT", "multiple"));
        assert_eq!(request.parameter("continue"), "true");
        assert_eq!(
            request.json()[0],
            json!({"module": "folders", "action": "get", "id": "0", "timezone": "UTC"})
        );
    }

    #[tokio::test]
    async fn nothing_is_asked_for_nothing() {
        let (server, session) = Server::with_session(|_| failure("SVL-0011", 8)).await;
        assert!(multiple(&session, &[]).await.unwrap().is_empty());
        assert!(server.requests().is_empty());
    }

    #[tokio::test]
    async fn many_calls_go_in_several_requests() {
        let (server, session) =
            Server::with_session(|request| each(request, |entry| json!({"data": entry["id"]}))).await;
        let outcomes = multiple(&session, &calls(120)).await.unwrap();
        let ids: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().data).collect();
        assert_eq!(ids, (0..120).map(|id| json!(id.to_string())).collect::<Vec<_>>());
        let sizes: Vec<_> = server
            .requests()
            .iter()
            .map(|request| request.json().as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [50, 50, 20]);
    }

    #[tokio::test]
    async fn a_server_that_stops_early_is_asked_for_the_rest() {
        // Two answers at a time.
        let (server, session) = Server::with_session(|request| {
            let entries = request.json();
            let answers = entries
                .as_array()
                .unwrap()
                .iter()
                .take(2)
                .map(|entry| json!({"data": entry["id"]}));
            Response::from(Value::Array(answers.collect()))
        })
        .await;
        let outcomes = multiple(&session, &calls(5)).await.unwrap();
        assert_eq!(outcomes.len(), 5);
        assert_eq!(outcomes[4].as_ref().unwrap().data, json!("4"));
        assert_eq!(server.requests().len(), 3);
    }

    #[tokio::test]
    async fn an_empty_answer_is_garbled() {
        let (server, session) = Server::with_session(|_| json!([]).into()).await;
        assert_eq!(
            multiple(&session, &calls(1)).await.unwrap_err().kind,
            ErrorKind::Garbled
        );
        assert_eq!(server.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_session_error_comes_as_one_object() {
        let lost = AtomicUsize::new(0);
        let (server, session) = Server::with_session(move |request| match lost.fetch_add(1, Ordering::Relaxed) {
            0 => failure("SES-0203", 4),
            _ => each(request, |_| json!({"data": 1})),
        })
        .await;
        assert!(multiple(&session, &calls(1)).await.unwrap()[0].is_ok());
        assert_eq!(server.names(), ["multiple", "login?login", "multiple"]);
    }

    #[tokio::test]
    async fn a_session_lost_on_the_way_repeats_only_the_rest() {
        let logins = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&logins);
        let server = Server::start(move |request| match request.name().as_str() {
            "login?login" => {
                counted.fetch_add(1, Ordering::Relaxed);
                logged_in()
            }
            _ => each(request, |entry| match entry["id"].as_str() {
                Some("2" | "3") if logins.load(Ordering::Relaxed) == 1 => envelope("SES-0203", 4),
                id => json!({"data": id}),
            }),
        })
        .await;
        let session = server.login().await;
        server.forget();
        let outcomes = multiple(&session, &calls(4)).await.unwrap();
        let ids: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().data).collect();
        assert_eq!(ids, [json!("0"), json!("1"), json!("2"), json!("3")]);
        assert_eq!(server.names(), ["multiple", "multiple", "login?login", "multiple"]);
        assert_eq!(server.requests()[3].json().as_array().unwrap().len(), 2);
    }
}
