//! Sync: the changes of both sides, collection by collection.
//!
//! [`request`] and [`response`] are pure; [`changes`] turns what the device did into writes; [`collection`] carries one
//! collection out. Here they are put together, and a device that offers to wait does so.
//! Implements [MS-ASCMD] Sync.

mod changes;
mod collection;
mod request;
mod response;

use std::time::Duration;

use tokio::time::Instant;
use tokio::time::sleep_until;

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::status::Error;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let parsed = match &call.document {
        Some(root) => request::parse(root, call.version),
        None => Err(request::Invalid::NothingCached),
    };
    let request = match parsed {
        Ok(request) => request,
        Err(request::Invalid::Protocol) => return Ok(refused(response::PROTOCOL_ERROR, None)),
        Err(request::Invalid::NothingCached) => return Ok(refused(response::NOTHING_CACHED, None)),
    };
    let wait = match request.wait.map(|wait| checked(call, wait)).transpose() {
        Ok(wait) => wait,
        Err(limit) => return Ok(refused(response::INVALID_WAIT, Some(limit))),
    };
    let mut answers = exchange(call, &request).await?;
    if let Some(wait) = wait.filter(|_| is_quiet(&answers)) {
        answers = wait_for_news(call, &request, wait, answers).await?;
    }
    Ok(response::build(answers, call.version).map_or(Reply::Nothing, Reply::Document))
}

fn refused(status: i64, limit: Option<u64>) -> Reply {
    Reply::Document(response::refused(status, limit))
}

/// A wait within the bounds, or the nearest bound in the unit of the request.
fn checked(call: &Call<'_>, wait: request::Wait) -> Result<Duration, u64> {
    let bounds = &call.services.heartbeat;
    let duration = wait.duration();
    let bound = duration.clamp(bounds.min, bounds.max);
    if bound == duration {
        return Ok(duration);
    }
    Err(match wait {
        request::Wait::Minutes(_) => (bound.as_secs() / 60).clamp(1, 59),
        request::Wait::Seconds(_) => bound.as_secs(),
    })
}

/// Every collection once. What fails for one is its Status; if it fails for all, it is the request's.
async fn exchange(call: &Call<'_>, request: &request::Request) -> Result<Vec<response::Collection>, Error> {
    let mut room = request.window;
    let mut answers = Vec::with_capacity(request.collections.len());
    let mut failure = None;
    let mut served = 0;
    for wanted in &request.collections {
        match collection::sync(call, wanted, room).await {
            Ok(answer) => {
                served += 1;
                room = room.saturating_sub(answer.commands.len());
                answers.push(answer);
            }
            Err(error @ (Error::Credentials | Error::Forbidden(_))) => return Err(error),
            Err(error) => {
                log::warn!("{}: collection {}: {error}", call.device_label(), wanted.id);
                answers.push(response::Collection::failed(
                    &wanted.id,
                    &wanted.sync_key,
                    response::SERVER_ERROR,
                ));
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if served == 0 => Err(error),
        _ => Ok(answers),
    }
}

fn is_quiet(answers: &[response::Collection]) -> bool {
    answers.iter().all(|answer| !answer.is_news)
}

/// Looks again whenever something changed, until there is news, the time is up, or the device comes with something else.
async fn wait_for_news(
    call: &Call<'_>,
    request: &request::Request,
    wait: Duration,
    quiet: Vec<response::Collection>,
) -> Result<Vec<response::Collection>, Error> {
    let until = Instant::now() + wait;
    let mut folders = Vec::new();
    for wanted in &request.collections {
        folders.extend(
            call.folder(&wanted.id)
                .await?
                .map(|(_, module, folder)| (module, folder)),
        );
    }
    let mut watch = call.services.notifier.watch(call.user_key(), &call.device.ox, folders);
    let mut first = true;
    loop {
        let change = async {
            match first {
                true => watch.ready().await,
                false => drop(watch.changed().await),
            }
        };
        tokio::select! {
            () = change => {}
            () = sleep_until(until) => return Ok(quiet),
            () = call.turn.superseded.cancelled() => return Ok(quiet),
        }
        first = false;
        let answers = exchange(call, request).await?;
        if !is_quiet(&answers) {
            return Ok(answers);
        }
    }
}
