//! Sync: the changes of both sides, collection by collection.
//!
//! [`request`] and [`response`] are pure; [`changes`] turns what the device did into writes, [`drafts`] what it wrote of
//! mails; [`shares`] tells who has changed what, and [`overridden`] tells the user what did not last; [`collection`] carries
//! one collection out. Here they are put together, and a device that offers to wait does so.
//! Implements [MS-ASCMD] Sync.

mod brake;
mod cache;
mod changes;
mod collection;
mod deadline;
mod drafts;
mod overridden;
mod request;
mod response;
mod shares;

pub(super) use request::LARGEST_WINDOW;
pub(super) use request::MOST_COMMANDS;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;
use tokio::time::sleep_until;

use crate::content::Class;
use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::folder_sync;
use crate::eas::command::sync::collection::Room;
use crate::eas::command::sync::deadline::Deadline;
use crate::eas::options;
use crate::eas::status::Error;
use crate::ox::Standard;
use crate::quirk::Bend;
use crate::wbxml;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync as tag;

/// Where the last request is kept, in memory and in the store.
const REQUEST: &str = "sync.request";

/// Where the keys are kept that were answered to it, in memory.
const ANSWERED: &str = "sync.answered";

/// Collections that a device may sync in one request.
const MOST_COLLECTIONS: usize = 300;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let root = match whole(call).await? {
        Ok(root) => root,
        Err(status) => return Ok(refused(status, None)),
    };
    let Ok(mut request) = request::parse(&root, call.version) else {
        return Ok(refused(response::PROTOCOL_ERROR, None));
    };
    if request.collections.len() > MOST_COLLECTIONS {
        return Ok(refused(response::TOO_MANY_COLLECTIONS, Some(MOST_COLLECTIONS as u64)));
    }
    let wait = match request.wait.map(|wait| checked(call, wait)).transpose() {
        Ok(wait) => wait,
        Err(limit) => return Ok(refused(response::INVALID_WAIT, Some(limit))),
    };
    for block in request
        .collections
        .iter()
        .filter_map(|it| it.options.as_ref())
        .flatten()
    {
        options::check_body_part(block)?;
    }
    for collection in &mut request.collections {
        name_by_class(call, collection).await?;
    }
    if let Some(kept) = cache::kept(&root) {
        keep(call, &kept).await?;
    }
    let mut answers = exchange(call, &request).await?;
    if let Some(wait) = wait.filter(|_| is_quiet(&answers)) {
        answers = wait_for_news(call, &request, wait, answers).await?;
    }
    let keys = answers
        .iter()
        .map(|answer| (answer.id.as_str(), answer.sync_key.as_str()));
    call.device
        .keep(ANSWERED, wbxml::encode(&cache::answered(keys), call.version));
    let tree_changed = |answer: &response::Collection| answer.status == response::HIERARCHY_CHANGED;
    if answers.iter().any(tree_changed) {
        folder_sync::sent_here(call.device);
        if call.quirks.has(Bend::TreeChangedAtTheTop) {
            return Ok(refused(response::HIERARCHY_CHANGED, None));
        }
    }
    Ok(response::build(answers, call.version).map_or(Reply::Nothing, Reply::Document))
}

/// The request with what it leaves out, or the Status that says why it cannot be completed.
async fn whole(call: &Call<'_>) -> Result<Result<Element, i64>, Error> {
    let root = match &call.document {
        Some(root) if root.child(tag::PARTIAL).is_none() => root.clone(),
        Some(partial) if !cache::says_something(partial) => return Ok(Err(response::PROTOCOL_ERROR)),
        partial => match (last(call).await?, partial) {
            (None, _) => return Ok(Err(response::NOTHING_CACHED)),
            (Some(last), None) => last,
            (Some(last), Some(partial)) => {
                let answered = call.device.recall(ANSWERED);
                cache::completed(partial, &last, answered.and_then(decoded).as_ref())
            }
        },
    };
    Ok(Ok(root))
}

/// Finds the default folder of a class, for a device that names no other.
async fn name_by_class(call: &Call<'_>, collection: &mut request::Collection) -> Result<(), Error> {
    let Some(class) = collection.class.filter(|_| collection.id.is_empty()) else {
        return Ok(());
    };
    let standard = match class {
        Class::Email => Standard::Inbox,
        Class::Calendar => Standard::Calendar,
        Class::Contacts => Standard::Contacts,
        Class::Tasks => Standard::Tasks,
    };
    let settings = call.device.ox.settings().await?;
    if let Some(folder) = settings.standard(standard) {
        let id = call.hierarchy().assign(standard.module(), folder).await?;
        collection.id = id.to_string();
    }
    Ok(())
}

/// The last request of the device that can be repeated.
async fn last(call: &Call<'_>) -> Result<Option<Element>, Error> {
    let kept = match call.device.recall(REQUEST) {
        Some(kept) => Some(kept),
        None => {
            let fields = call.device.fields().await?;
            fields.get(REQUEST).and_then(|text| STANDARD.decode(text).ok())
        }
    };
    Ok(kept.and_then(decoded))
}

fn decoded(bytes: Vec<u8>) -> Option<Element> {
    wbxml::decode(&bytes, &wbxml::Limits::default()).ok()
}

/// Keeps a request in memory, and one that waits in the store as well: devices that wait are those that send nothing
/// when nothing changed, and they shall not notice that we were restarted.
async fn keep(call: &Call<'_>, kept: &Element) -> Result<(), Error> {
    let bytes = wbxml::encode(kept, call.version);
    if call.device.recall(REQUEST).as_ref() == Some(&bytes) {
        return Ok(());
    }
    if kept
        .child(tag::WAIT)
        .or_else(|| kept.child(tag::HEARTBEAT_INTERVAL))
        .is_some()
    {
        call.device
            .remember(&[(REQUEST, Some(&STANDARD.encode(&bytes)))])
            .await?;
    }
    call.device.keep(REQUEST, bytes);
    Ok(())
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
    let mut room = Room::new(request.window);
    let deadline = Deadline::new(Instant::now(), call.quirks.patience());
    let mut answers = Vec::with_capacity(request.collections.len());
    let mut failure = None;
    let mut served = 0;
    for wanted in &request.collections {
        match collection::sync(call, wanted, &mut room, deadline).await {
            Ok(answer) => {
                served += 1;
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
    let mut watch = call
        .services
        .notifier
        .watch("Sync", call.user_key(), &call.device.ox, folders);
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
