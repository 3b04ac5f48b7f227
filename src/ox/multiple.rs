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

fn read(session: &Session, batch: &[Call], answers: Vec<Value>) -> Vec<Result<Reply, Error>> {
    let pairs = batch.iter().zip(answers);
    pairs
        .map(|(call, answer)| reply::read(answer, &session.describe(call)))
        .collect()
}

fn is_session_error(outcome: &Result<Reply, Error>) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind == ErrorKind::Session)
}
