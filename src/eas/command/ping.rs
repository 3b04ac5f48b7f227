//! Ping: waits until something changes in one of the folders, or the time is up.
//!
//! Interval and folders are kept, so that a device may leave out what did not change. Writes nothing else. Implements
//! [MS-ASCMD] Ping.

use std::time::Duration;

use tokio::time::Instant;
use tokio::time::sleep_until;

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::folder_sync;
use crate::eas::items::class_of;
use crate::eas::items::filter;
use crate::eas::options::Options;
use crate::eas::options::Sticky;
use crate::eas::status::Error;
use crate::notify::FolderKey;
use crate::ox;
use crate::ox::Module;
use crate::usm::collection;
use crate::wbxml::Element;
use crate::wbxml::codepage::ping as tag;

const NO_CHANGES: i64 = 1;
const CHANGES: i64 = 2;
const PARAMETERS_MISSING: i64 = 3;
const SYNTAX_ERROR: i64 = 4;
const INTERVAL_OUT_OF_RANGE: i64 = 5;
const TOO_MANY_FOLDERS: i64 = 6;
const HIERARCHY_CHANGED: i64 = 7;

/// Folders that a device may wait for.
pub(super) const MOST_FOLDERS: usize = 300;

/// Device fields that keep the parameters.
const INTERVAL: &str = "ping.interval";
const FOLDERS: &str = "ping.folders";

/// A folder that is waited for.
struct Folder {
    /// As the device names it.
    name: String,
    id: u32,
    module: Module,
    folder: String,
}

impl Folder {
    fn key(&self) -> FolderKey {
        (self.module, self.folder.clone())
    }
}

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let (interval, names) = match parameters(call).await? {
        Ok(parameters) => parameters,
        Err(reply) => return Ok(reply),
    };
    let until = Instant::now() + interval;
    // Before the ids are looked up: what OX has renamed is followed there.
    let tree = folder_sync::offered(call).await?;
    let known = call.hierarchy().all().await?;
    let mut folders = Vec::with_capacity(names.len());
    for name in names {
        let id = name.parse::<u32>().ok();
        let Some((id, (module, folder))) = id.and_then(|id| Some((id, known.get(&id)?.clone()))) else {
            return Ok(status(HIERARCHY_CHANGED));
        };
        folders.push(Folder {
            name,
            id,
            module,
            folder,
        });
    }
    if call.hierarchy().is_stale(&tree).await? {
        return Ok(status(HIERARCHY_CHANGED));
    }
    wait(call, &folders, until).await
}

async fn wait(call: &Call<'_>, folders: &[Folder], until: Instant) -> Result<Reply, Error> {
    let keys = folders.iter().map(Folder::key).collect();
    let mut watch = call
        .services
        .notifier
        .watch("Ping", call.user_key(), &call.device.ox, keys);
    // From the first look on nothing is missed; what changed before it is found by the comparison.
    let mut first = true;
    loop {
        let change = async {
            match first {
                true => {
                    watch.ready().await;
                    Vec::new()
                }
                false => watch.changed().await,
            }
        };
        let moved = tokio::select! {
            moved = change => moved,
            () = sleep_until(until) => return Ok(status(NO_CHANGES)),
            () = call.turn.superseded.cancelled() => return Ok(status(NO_CHANGES)),
        };
        let hit: Vec<&Folder> = folders
            .iter()
            .filter(|folder| first || moved.contains(&folder.key()))
            .collect();
        let changed = match changed(call, &hit).await {
            Ok(changed) => changed,
            Err(collection::Error::Ox(error)) if error.kind == ox::ErrorKind::NotFound => {
                return Ok(status(HIERARCHY_CHANGED));
            }
            // A look that failed is repeated with the next change; the wait goes on.
            Err(error) if !first => {
                log::warn!("{}: Ping: {error}", call.device_label());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if !changed.is_empty() {
            let status = Element::number(tag::STATUS, CHANGES);
            let folders = changed
                .iter()
                .map(|folder| Element::text(tag::FOLDER, folder.name.clone()));
            let folders = Element::parent(tag::FOLDERS, folders);
            return Ok(Reply::Document(Element::parent(tag::PING, [status, folders])));
        }
        first = false;
    }
}

/// The folders of which the next Sync would bring anything. One that was never synced says nothing: devices wait for folders
/// before they sync them first, and some loop on any other answer.
async fn changed<'a>(call: &Call<'_>, folders: &[&'a Folder]) -> Result<Vec<&'a Folder>, collection::Error> {
    let mut opened = Vec::new();
    for folder in folders {
        let collection = call.collection(folder.id, folder.module, &folder.folder);
        opened.extend(collection.open_newest().await?.map(|opened| (*folder, opened)));
    }
    let keys: Vec<FolderKey> = opened.iter().map(|(folder, _)| folder.key()).collect();
    let lists = ox::lists(&call.device.ox, &keys).await?;
    let mut changed = Vec::new();
    for ((folder, opened), items) in opened.into_iter().zip(lists) {
        let class = class_of(folder.module);
        let options = Options::read(&Sticky::from_bytes(opened.options()), class, call.version).unwrap_or_default();
        let filter = filter(call, folder.module, &folder.folder, &options).await?;
        if opened.pending_in(items?, filter, call.now) > 0 {
            changed.push(folder);
        }
    }
    Ok(changed)
}

/// The interval and the folders, from the request or from the last that had them; or the answer that says what is wrong.
async fn parameters(call: &Call<'_>) -> Result<Result<(Duration, Vec<String>), Reply>, Error> {
    let fields = call.device.fields().await?;
    let interval = call
        .document
        .as_ref()
        .and_then(|root| root.child_text(tag::HEARTBEAT_INTERVAL))
        .map(str::trim);
    let listed = call.document.as_ref().and_then(|root| root.child(tag::FOLDERS));
    let interval = match (interval, fields.get(INTERVAL)) {
        (Some(""), _) | (None, None) => return Ok(Err(status(PARAMETERS_MISSING))),
        (Some(text), _) => text,
        (None, Some(kept)) => kept,
    };
    let Ok(seconds) = interval.parse::<u64>() else {
        return Ok(Err(status(SYNTAX_ERROR)));
    };
    let bounds = &call.services.heartbeat;
    let wanted = Duration::from_secs(seconds);
    let bound = wanted.clamp(bounds.min, bounds.max);
    if bound != wanted {
        let interval = Element::text(tag::HEARTBEAT_INTERVAL, bound.as_secs().to_string());
        return Ok(Err(with(INTERVAL_OUT_OF_RANGE, interval)));
    }
    let names: Vec<String> = match (listed, fields.get(FOLDERS)) {
        (Some(listed), _) if !listed.children().is_empty() => listed
            .children()
            .iter()
            .map(|folder| folder.child_text(tag::ID).map(trimmed).unwrap_or_default())
            .collect(),
        (_, Some(kept)) => kept.split(',').map(str::to_owned).collect(),
        (_, None) => return Ok(Err(status(PARAMETERS_MISSING))),
    };
    if names.len() > MOST_FOLDERS {
        let most = Element::text(tag::MAX_FOLDERS, MOST_FOLDERS.to_string());
        return Ok(Err(with(TOO_MANY_FOLDERS, most)));
    }
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    if sorted.len() != names.len() || names.iter().any(|name| name.is_empty() || name.contains(',')) {
        return Ok(Err(status(SYNTAX_ERROR)));
    }
    let joined = names.join(",");
    let news: Vec<(&str, Option<&str>)> = [(INTERVAL, interval), (FOLDERS, joined.as_str())]
        .into_iter()
        .filter(|(name, value)| fields.get(*name).map(String::as_str) != Some(*value))
        .map(|(name, value)| (name, Some(value)))
        .collect();
    if !news.is_empty() {
        call.device.remember(&news).await?;
    }
    Ok(Ok((wanted, names)))
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

fn status(status: i64) -> Reply {
    Reply::Document(Element::parent(tag::PING, [Element::number(tag::STATUS, status)]))
}

fn with(status: i64, bound: Element) -> Reply {
    Reply::Document(Element::parent(
        tag::PING,
        [Element::number(tag::STATUS, status), bound],
    ))
}
