//! MoveItems: items from one folder into another of the same class.
//!
//! Each move that OX confirmed is noted, so that a repeated request is answered and not carried out again. A series, which
//! OX does not move, is copied and deleted, where the copy is the same. Implements [MS-ASCMD] MoveItems.

use crate::eas::command::Call;
use crate::eas::command::LONGEST_ID;
use crate::eas::command::Reply;
use crate::eas::command::moved;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::ox;
use crate::ox::Module;
use crate::ox::revision::ANY_TIMESTAMP;
use crate::usm::ids;
use crate::usm::journal::fingerprint;
use crate::wbxml::Element;
use crate::wbxml::codepage::moveitems as tag;

const INVALID_SOURCE: i64 = 1;
const INVALID_DESTINATION: i64 = 2;
const SUCCESS: i64 = 3;
const SAME_FOLDER: i64 = 4;
const FAILED: i64 = 5;

/// More moves than this in one request are refused.
pub(super) const MOST_MOVES: usize = 1000;

/// The journal that remembers where items went.
const JOURNAL: &str = "moves";

/// An outcome in it, before the id of the copy: the original still has to be deleted.
const COPIED: char = '+';

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let moves: Vec<&Element> = call.root()?.children_of(tag::MOVE).collect();
    if moves.is_empty() || moves.len() > MOST_MOVES {
        return Err(Error::Device(
            Status::INVALID_XML,
            "MoveItems without a Move, or with too many",
        ));
    }
    if !moves.iter().all(|wanted| names_its_item(wanted)) {
        return Err(Error::Device(Status::INVALID_XML, "a Move that names no item"));
    }
    let mut responses = Vec::with_capacity(moves.len());
    for wanted in moves {
        let source_id = wanted.child_text(tag::SRC_MSG_ID).unwrap_or_default().trim();
        let mut response = Element::parent(tag::RESPONSE, [Element::text(tag::SRC_MSG_ID, source_id)]);
        match move_one(call, wanted, source_id).await? {
            Ok(target_id) => {
                response.push(Element::number(tag::STATUS, SUCCESS));
                response.extend(target_id.map(|id| Element::text(tag::DST_MSG_ID, id)));
            }
            Err(status) => response.push(Element::number(tag::STATUS, status)),
        }
        responses.push(response);
    }
    Ok(Reply::Document(Element::parent(tag::MOVE_ITEMS, responses)))
}

/// SrcMsgId, which stands in the answer, must be there and no longer than an id can be.
fn names_its_item(wanted: &Element) -> bool {
    let id = wanted.child_text(tag::SRC_MSG_ID).unwrap_or_default().trim();
    (1..=LONGEST_ID).contains(&id.len())
}

/// The item's id in its new folder, if OX told it; or the Status that says why it stays.
async fn move_one(call: &Call<'_>, wanted: &Element, source_id: &str) -> Result<Result<Option<String>, i64>, Error> {
    let folder = |tag| wanted.child_text(tag).unwrap_or_default().trim();
    let (source, target) = (folder(tag::SRC_FLD_ID), folder(tag::DST_FLD_ID));
    if wanted.children_of(tag::DST_FLD_ID).count() > 1 {
        return Ok(Err(FAILED));
    }
    let Some((source_fld, module, source_folder)) = call.folder(source).await? else {
        return Ok(Err(INVALID_SOURCE));
    };
    let Some((target_fld, target_module, target_folder)) = call.folder(target).await? else {
        return Ok(Err(INVALID_DESTINATION));
    };
    if source_fld == target_fld {
        return Ok(Err(SAME_FOLDER));
    }
    if module != target_module {
        return Ok(Err(INVALID_DESTINATION));
    }
    let operation = fingerprint(format!("{source_id}\n{source_fld}\n{target_fld}").as_bytes());
    let id = call.item(source_fld, module, &source_folder, source_id).await?;
    let noted = call.device.noted(JOURNAL, &operation).await?;
    let noted = noted.map(|outcome| String::from_utf8_lossy(&outcome).into_owned());
    let copy = noted.as_deref().and_then(|outcome| outcome.strip_prefix(COPIED));
    if let (Some(moved), None) = (&noted, copy)
        && !has_come_back(call, module, &source_folder, id.as_deref()).await?
    {
        return Ok(Ok((!moved.is_empty()).then(|| ids::server_id(target_fld, moved))));
    }
    let Some(id) = id else {
        return Ok(Err(INVALID_SOURCE));
    };
    let place = Place {
        call,
        module,
        source: &source_folder,
        target: &target_folder,
    };
    let moved = match copy {
        Some(copy) => place.delete_original(&id).await.map(|()| Some(copy.to_owned())),
        None => place.carry(&id, &operation).await?,
    };
    let moved = match moved {
        Ok(moved) => moved,
        Err(error) if error.kind == ox::ErrorKind::NotFound => return Ok(Err(INVALID_SOURCE)),
        Err(error) if error.is_about_the_item() => {
            log::warn!("{}: item {source_id} is not moved: {error}", call.device_label());
            return Ok(Err(FAILED));
        }
        Err(error) => return Err(error.into()),
    };
    let outcome = moved.clone().unwrap_or_default();
    call.device
        .note(JOURNAL, &operation, outcome.as_bytes(), call.now)
        .await?;
    if let (Module::Mail, Some(moved)) = (module, &moved) {
        moved::note(call, &[(source_fld, &id), (target_fld, moved)]).await?;
    }
    for folder in [source_folder, target_folder] {
        call.services.notifier.touched(call.user_key(), &(module, folder));
    }
    Ok(Ok(moved.map(|moved| ids::server_id(target_fld, &moved))))
}

/// Whether an item that was moved before lies in its old folder again: but for mail, items keep their ids when they move.
async fn has_come_back(call: &Call<'_>, module: Module, folder: &str, id: Option<&str>) -> Result<bool, Error> {
    let Some(id) = id.filter(|_| module != Module::Mail) else {
        return Ok(false);
    };
    let listed = ox::list(&call.device.ox, module, folder).await?;
    Ok(listed.iter().any(|item| item.id == id))
}

/// From where to where.
struct Place<'a> {
    call: &'a Call<'a>,
    module: Module,
    source: &'a str,
    target: &'a str,
}

impl Place<'_> {
    /// The id in the new folder, if OX tells it; or why OX does not move the item.
    async fn carry(&self, id: &str, operation: &[u8]) -> Result<Result<Option<String>, ox::Error>, Error> {
        let session = &self.call.device.ox;
        if self.module == Module::Mail {
            return Ok(ox::mail::move_to(session, self.source, id, self.target).await);
        }
        let moved = ox::move_to(session, self.module, self.source, id, ANY_TIMESTAMP, self.target).await;
        let refusal = match moved {
            Err(error) if self.module == Module::Calendar && error.is_about_the_item() => error,
            moved => return Ok(moved.map(|written| Some(written.id))),
        };
        let listed = ox::list(session, self.module, self.source).await?;
        let Some(series) = listed.iter().find(|item| item.id == id) else {
            return Ok(Err(refusal));
        };
        let copy = match ox::copy_series(session, self.source, &series.into(), self.target).await {
            Ok(Some(copy)) => copy,
            Ok(None) => return Ok(Err(refusal)),
            Err(error) => return Ok(Err(error)),
        };
        // Should we die now, the repetition only deletes.
        let outcome = format!("{COPIED}{copy}");
        self.call
            .device
            .note(JOURNAL, operation, outcome.as_bytes(), self.call.now)
            .await?;
        Ok(self.delete_original(id).await.map(|()| Some(copy)))
    }

    async fn delete_original(&self, id: &str) -> Result<(), ox::Error> {
        ox::delete(&self.call.device.ox, self.module, self.source, id, ANY_TIMESTAMP).await
    }
}
