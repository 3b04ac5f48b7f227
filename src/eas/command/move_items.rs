//! MoveItems: items from one folder into another of the same class.
//!
//! Each move that OX confirmed is noted, so that a repeated request is answered and not carried out again.
//! Implements [MS-ASCMD] MoveItems.

use crate::eas::command::Call;
use crate::eas::command::LONGEST_ID;
use crate::eas::command::Reply;
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
    if let Some(moved) = call.device.noted(JOURNAL, &operation).await? {
        let moved = String::from_utf8_lossy(&moved);
        return Ok(Ok((!moved.is_empty()).then(|| ids::server_id(target_fld, &moved))));
    }
    let Some(id) = call.item(source_fld, module, &source_folder, source_id).await? else {
        return Ok(Err(INVALID_SOURCE));
    };
    let moved = match module {
        Module::Mail => ox::mail::move_to(&call.device.ox, &source_folder, &id, &target_folder).await,
        _ => {
            let moved = ox::move_to(
                &call.device.ox,
                module,
                &source_folder,
                &id,
                ANY_TIMESTAMP,
                &target_folder,
            )
            .await;
            moved.map(|written| Some(written.id))
        }
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
    for folder in [source_folder, target_folder] {
        call.services.notifier.touched(call.user_key(), &(module, folder));
    }
    Ok(Ok(moved.map(|moved| ids::server_id(target_fld, &moved))))
}
