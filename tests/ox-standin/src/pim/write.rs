//! Writing of objects: the checks every write passes, moves, deletions and their tombstones.
//!
//! Implements optimistic locking by `timestamp` and "move = tombstone in the source" of the OX HTTP API.

use crate::call::Answer;
use crate::call::Call;
use crate::call::id_under;
use crate::error::JSON_SYNTAX;
use crate::error::OxError;
use crate::pim::Module;
use crate::pim::Tombstone;
use crate::pim::errors::Errors;
use crate::pim::read::find;
use crate::pim::read::open;
use crate::world::World;
use serde_json::Value;
use serde_json::json;

/// The folder of a new object, checked for the right to create.
pub(crate) fn check_create(world: &World, user: u32, module: Module, folder: u32) -> Result<(), OxError> {
    let (_, rights) = open(world, user, module, folder)?;
    if rights.create() {
        Ok(())
    } else {
        Err(Errors::of(module, world.profile()).no_create.into())
    }
}

/// An existing object, checked for the right to change it and for the caller's knowledge of its state.
pub(crate) fn check_update(
    world: &World,
    user: u32,
    module: Module,
    folder: u32,
    id: u32,
    timestamp: i64,
) -> Result<(), OxError> {
    let object = find(world, user, module, folder, id)?;
    let errors = Errors::of(module, world.profile());
    let (_, rights) = open(world, user, module, folder)?;
    if !rights.write(object.created_by == user) {
        return Err(errors.no_write.into());
    }
    if object.modified > timestamp {
        Err(errors.conflict.into())
    } else {
        Ok(())
    }
}

/// As `check_update`, for deletion.
pub(crate) fn check_delete(
    world: &World,
    user: u32,
    module: Module,
    folder: u32,
    id: u32,
    timestamp: i64,
) -> Result<(), OxError> {
    let object = find(world, user, module, folder, id)?;
    let errors = Errors::of(module, world.profile());
    let (_, rights) = open(world, user, module, folder)?;
    if !rights.delete(object.created_by == user) {
        return Err(errors.no_delete.into());
    }
    if object.modified > timestamp {
        Err(errors.delete_conflict.into())
    } else {
        Ok(())
    }
}

/// Checks a move: right to delete here, right to create there.
pub(crate) fn check_move(world: &World, user: u32, module: Module, id: u32, from: u32, to: u32) -> Result<(), OxError> {
    check_create(world, user, module, to)?;
    check_delete(world, user, module, from, id, i64::MAX)
}

/// The objects a `delete` names; old servers take a single object only.
pub(crate) fn deletions(world: &World, call: &Call) -> Result<Vec<Value>, OxError> {
    match call.json()? {
        Value::Array(entries) if world.profile().delete_takes_arrays() => Ok(entries),
        object @ Value::Object(_) => Ok(vec![object]),
        _ => Err(JSON_SYNTAX.into()),
    }
}

/// `delete` of tasks and contacts. The first failure ends the call; what went before stays deleted.
pub(crate) fn delete(world: &mut World, call: &Call, module: Module) -> Result<Answer, OxError> {
    let timestamp = call.require_number("timestamp")?;
    for entry in deletions(world, call)? {
        let id = id_under(&entry, &["id"]).ok_or(JSON_SYNTAX)?;
        let folder = id_under(&entry, &["folder", "folder_id"]).ok_or(JSON_SYNTAX)?;
        check_delete(world, call.user, module, folder, id, timestamp)?;
        world.bury(module, id);
    }
    // Contacts of newer servers answer an empty object instead of an empty array.
    let contacts = module == Module::Contacts && world.profile().delete_takes_arrays();
    Ok(Answer::stamped(if contacts { json!({}) } else { json!([]) }, timestamp))
}

impl World {
    /// Removes an object and leaves a tombstone in each of its folders.
    pub(crate) fn bury(&mut self, module: Module, id: u32) {
        let stamp = self.stamp();
        let Some(object) = self.objects.remove(&(module, id)) else {
            return;
        };
        for folder in object.folders {
            self.tombstones.push(Tombstone {
                module,
                folder,
                id,
                stamp,
            });
        }
    }

    /// Moves an object to another folder; the old one keeps a tombstone. The object's stamp is the caller's affair.
    pub(crate) fn transfer(&mut self, module: Module, id: u32, from: u32, to: u32) {
        let stamp = self.stamp();
        let Some(object) = self.objects.get_mut(&(module, id)) else {
            return;
        };
        for folder in object.folders.iter_mut().filter(|folder| **folder == from) {
            *folder = to;
        }
        self.tombstones.push(Tombstone {
            module,
            folder: from,
            id,
            stamp,
        });
    }
}
