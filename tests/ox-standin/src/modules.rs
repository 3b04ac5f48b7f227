//! Which module answers a call.
//!
//! One place for all modules: unknown ones, actions that a generation does not know, permissions of the user.

use crate::calendar;
use crate::call::Answer;
use crate::call::Call;
use crate::config;
use crate::contacts;
use crate::error::MODULE_DENIED;
use crate::error::OxError;
use crate::error::UNKNOWN_MODULE;
use crate::folders;
use crate::infostore;
use crate::mail;
use crate::mailfilter;
use crate::pim::attachments;
use crate::tasks;
use crate::users;
use crate::world::World;

/// Modules that have a URL, and the capability they ask for (empty for none). `login` and `multiple` are served elsewhere.
const MODULES: &[(&str, &str)] = &[
    ("config", ""),
    ("folders", ""),
    ("mail", "webmail"),
    ("calendar", "calendar"),
    ("tasks", "tasks"),
    ("contacts", "contacts"),
    ("attachment", ""),
    ("user", ""),
    ("group", ""),
    ("resource", ""),
    ("capabilities", ""),
    ("quota", ""),
    ("jslob", ""),
    ("image", ""),
    ("infostore", "infostore"),
    ("mailfilter", "mailfilter"),
    ("conversion", "calendar"),
];

/// Whether there is a servlet behind this path.
pub(crate) fn exists(world: &World, module: &str) -> bool {
    let root = root_of(module);
    let removed = world.options.removed.contains(&(root.to_owned(), "*".to_owned()));
    let known = MODULES.iter().any(|(name, _)| *name == root) || matches!(root, "login" | "multiple");
    let sub_path = root != module && !matches!(root, "config" | "image") && module != "calendar/itip";
    known && !removed && !sub_path && world.profile().has_module(root)
}

/// Answers a call of a user with a valid session.
pub(crate) fn dispatch(world: &mut World, call: &Call) -> Result<Answer, OxError> {
    let root = root_of(&call.module).to_owned();
    let capability = MODULES.iter().find(|(name, _)| *name == root).ok_or(UNKNOWN_MODULE)?.1;
    if !capability.is_empty() && world.user(call.user).is_some_and(|user| !user.may(capability)) {
        return Err(MODULE_DENIED.into());
    }
    let removed = world.options.removed.contains(&(root.clone(), call.action.clone()));
    if removed || !world.profile().has_action(&root, &call.action) {
        return Err(unknown_action(world, call));
    }
    let answer = match root.as_str() {
        "config" => Some(config::config(world, call)?),
        "folders" => folders::handle(world, call)?,
        "mail" => mail::handle(world, call)?,
        "calendar" if call.module == "calendar/itip" => calendar::itip::itip(world, call)?,
        "conversion" => calendar::itip::conversion(world, call)?,
        "calendar" => calendar::handle(world, call)?,
        "tasks" => tasks::handle(world, call)?,
        "contacts" => contacts::handle(world, call)?,
        "attachment" => attachments::handle(world, call)?,
        "user" => users::user(world, call)?,
        "group" => users::group(world, call)?,
        "resource" => users::resource(world, call)?,
        "capabilities" => config::capabilities(world, call)?,
        "quota" => config::quota(world, call),
        "jslob" => config::jslob(world, call)?,
        "image" => image(world, call)?,
        "infostore" => infostore::handle(world, call)?,
        "mailfilter" => mailfilter::handle(world, call)?,
        _ => None,
    };
    answer.ok_or_else(|| unknown_action(world, call))
}

/// Pictures by their URLs: `image/contact/picture`, `image/mail/picture`.
fn image(world: &World, call: &Call) -> Result<Option<Answer>, OxError> {
    Ok(match call.module.as_str() {
        "image/contact/picture" => Some(contacts::picture(world, call)?),
        "image/mail/picture" => Some(mail::get::picture(world, call)?),
        _ => None,
    })
}

/// The module a path belongs to: `config` of `config/folder/tasks`.
pub(crate) fn root_of(module: &str) -> &str {
    module.split_once('/').map_or(module, |(root, _)| root)
}

fn unknown_action(world: &World, call: &Call) -> OxError {
    let text = format!("Unknown action \"{}\" in module \"{}\"", call.action, call.module);
    OxError::new(world.profile().unknown_action(), 8, text)
}
