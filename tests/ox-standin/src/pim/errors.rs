//! The errors that all three modules know, each under its own code, one row per module and generation.

use crate::error::Known;
use crate::error::OxError;
use crate::fields;
use crate::pim::Module;
use crate::profile::Profile;
use serde_json::Map;
use serde_json::Value;

/// Codes of one module in one generation.
pub(crate) struct Errors {
    pub(crate) not_found: Known,
    /// Changed since the given timestamp.
    pub(crate) conflict: Known,
    pub(crate) delete_conflict: Known,
    pub(crate) no_read: Known,
    pub(crate) no_create: Known,
    pub(crate) no_write: Known,
    pub(crate) no_delete: Known,
    /// The folder belongs to another module.
    pub(crate) wrong_folder: Known,
    pub(crate) too_long: Known,
    pub(crate) pattern_short: Known,
}

const CHANGED: &str = "The object has been changed in the meantime.";
const GONE: &str = "The object could not be found.";

const CALENDAR_6_20: Errors = Errors {
    not_found: Known("APP-0001", 1, GONE),
    conflict: Known("APP-0001", 9, CHANGED),
    delete_conflict: Known("APP-0001", 9, CHANGED),
    ..CALENDAR_7_8
};

const CALENDAR_7_8: Errors = Errors {
    not_found: Known("OX-0001", 1, GONE),
    conflict: Known("OX-0001", 9, CHANGED),
    delete_conflict: Known("OX-0001", 9, CHANGED),
    no_read: Known(
        "APP-0013",
        3,
        "You do not have the right to read appointments in this folder.",
    ),
    no_create: Known(
        "APP-0063",
        3,
        "You do not have the right to create appointments in this folder.",
    ),
    no_write: Known("APP-0059", 3, "You do not have the right to change this appointment."),
    no_delete: Known("APP-0061", 3, "You do not have the right to delete this appointment."),
    wrong_folder: Known("APP-0054", 8, "The folder is not a calendar folder."),
    too_long: Known("APP-0072", 12, "Some data is too long."),
    pattern_short: Known("APP-0094", 1, "The search pattern is too short."),
};

const CALENDAR_7_10: Errors = Errors {
    not_found: Known("CAL-4040", 1, GONE),
    conflict: Known("CAL-4120", 9, CHANGED),
    delete_conflict: Known("CAL-4120", 9, CHANGED),
    no_read: Known("CAL-4030", 3, "Insufficient read permissions in the folder."),
    no_create: Known("CAL-4031", 3, "Insufficient write permissions in the folder."),
    no_write: Known("CAL-4031", 3, "Insufficient write permissions in the folder."),
    no_delete: Known("CAL-4032", 3, "Insufficient delete permissions in the folder."),
    wrong_folder: Known("CAL-4060", 8, "The folder is not supported."),
    too_long: Known("CAL-5070", 12, "Some data is too long."),
    pattern_short: Known("CAL-4062", 1, "The search pattern is too short."),
};

const TASKS: Errors = Errors {
    not_found: Known("TSK-0019", 8, GONE),
    conflict: Known("TSK-0007", 9, CHANGED),
    delete_conflict: Known("TSK-0007", 9, CHANGED),
    no_read: Known("TSK-0023", 3, "You do not have the right to read tasks in this folder."),
    no_create: Known(
        "TSK-0025",
        3,
        "You do not have the right to create tasks in this folder.",
    ),
    no_write: Known("TSK-0033", 3, "You do not have the right to change this task."),
    no_delete: Known("TSK-0014", 3, "You do not have the right to delete this task."),
    wrong_folder: Known("TSK-0006", 8, "The folder is not a task folder."),
    too_long: Known("TSK-0041", 12, "Some data is too long."),
    pattern_short: Known("TSK-0051", 1, "The search pattern is too short."),
};

const CONTACTS_6_20: Errors = Errors {
    conflict: Known("CON-0019", 9, CHANGED),
    delete_conflict: Known("CON-0040", 9, CHANGED),
    ..CONTACTS
};

const CONTACTS: Errors = Errors {
    not_found: Known("CON-0125", 8, GONE),
    conflict: Known("CON-0119", 9, CHANGED),
    delete_conflict: Known("CON-0119", 9, CHANGED),
    no_read: Known("CON-0104", 3, "You do not have permission to access this folder."),
    no_create: Known(
        "CON-0112",
        3,
        "You do not have permission to create objects in this folder.",
    ),
    no_write: Known("CON-0176", 3, "You do not have permission to change this contact."),
    no_delete: Known("CON-0169", 3, "You do not have permission to delete from this folder."),
    wrong_folder: Known("CON-0103", 8, "The folder is not a contact folder."),
    too_long: Known("CON-0154", 12, "Some data is too long."),
    pattern_short: Known("CON-1000", 1, "The search pattern is too short."),
};

impl Errors {
    pub(crate) fn of(module: Module, profile: Profile) -> &'static Self {
        match (module, profile) {
            (Module::Calendar, Profile::V6_16 | Profile::V6_20) => &CALENDAR_6_20,
            (Module::Calendar, Profile::V7_8) => &CALENDAR_7_8,
            (Module::Calendar, Profile::V7_10 | Profile::V8) => &CALENDAR_7_10,
            (Module::Tasks, _) => &TASKS,
            (Module::Contacts, Profile::V6_16 | Profile::V6_20) => &CONTACTS_6_20,
            (Module::Contacts, _) => &CONTACTS,
        }
    }
}

/// Refuses texts that do not fit their columns, naming them.
pub(crate) fn check_lengths(module: Module, profile: Profile, object: &Map<String, Value>) -> Result<(), OxError> {
    let Some((problematic, truncated)) = fields::too_long(&module.fields(), object) else {
        return Ok(());
    };
    let error = OxError::from(Errors::of(module, profile).too_long);
    Err(error.with_details(problematic, Some(truncated)))
}
