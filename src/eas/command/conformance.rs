//! Where a command differs from its specification, and how much of it one request may hold: tables for the documentation.
//!
//! Nothing is decided here. Versions and whether a command is offered stand in [`COMMANDS`](super::COMMANDS), the limits with
//! the code that holds them. A test writes `docs/conformance.md` of all these and refuses to let it grow old.

use crate::eas::command::folder_change;
use crate::eas::command::get_item_estimate;
use crate::eas::command::item_operations;
use crate::eas::command::meeting_response;
use crate::eas::command::move_items;
use crate::eas::command::ping;
use crate::eas::command::resolve_recipients;
use crate::eas::command::search;
use crate::eas::command::sync;
use crate::eas::command::validate_cert;
use crate::eas::items;
use crate::version::ProtocolVersion::V2_5;
use crate::version::ProtocolVersion::V12_0;
use crate::version::ProtocolVersion::V12_1;
use crate::version::ProtocolVersion::V14_0;
use crate::version::ProtocolVersion::V14_1;
use crate::version::ProtocolVersion::V16_0;
use crate::version::ProtocolVersion::V16_1;
use crate::version::VersionRange;

/// How far a command is served otherwise than the specification has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The whole command, or a part of it, is answered with the documented refusal.
    Refused,
    /// It is answered, and what happens is not all that the specification describes.
    Bent,
}

/// One difference.
#[derive(Debug)]
pub struct Difference {
    /// As in [`COMMANDS`](super::COMMANDS).
    pub command: &'static str,
    pub versions: VersionRange,
    pub how: How,
    /// What the device sees.
    pub what: &'static str,
    pub why: &'static str,
}

/// How much of something a request may hold.
#[derive(Debug)]
pub struct Limit {
    pub command: &'static str,
    pub of: &'static str,
    pub most: usize,
    /// What a device is told that goes beyond.
    pub told: &'static str,
}

const ALL: VersionRange = VersionRange::ALL;
const UNTIL_12_1: VersionRange = VersionRange::until(V12_1);
const SINCE_12_0: VersionRange = VersionRange::since(V12_0);
const SINCE_14_0: VersionRange = VersionRange::since(V14_0);
const SINCE_14_1: VersionRange = VersionRange::since(V14_1);
const SINCE_16_0: VersionRange = VersionRange::since(V16_0);
const ONLY_2_5: VersionRange = VersionRange::until(V2_5);
const ONLY_16_1: VersionRange = VersionRange::since(V16_1);

use How::Bent;
use How::Refused;

macro_rules! differences {
    ($($command:literal $versions:ident $how:ident $what:literal, $why:literal;)*) => {
        &[$(Difference { command: $command, versions: $versions, how: $how, what: $what, why: $why },)*]
    };
}

/// All differences, in the order of the commands.
pub const DIFFERENCES: &[Difference] = differences! {
    "Sync" ALL Bent "SMS is not synced; an Options block of its own does not disturb the mail", "OX has no SMS";
    "Sync" SINCE_14_1 Bent "a BodyPart is the whole text", "OX does not know which part of a mail is new";
    "Sync" ALL Bent "elements come in any order, whatever the schema says", "devices do so, and nothing is unclear";
    "Sync" ALL Bent "a FilterType of 9 and more is answered with 4 in its collection, not with 103", "one answer for each filter that a folder cannot have";
    "Sync" ONLY_2_5 Bent "no changes without GetChanges", "devices of that time ask for what they want";
    "SmartForward" SINCE_16_0 Bent "Forwardees are invited by mail and not added to the participants", "the organizer adds who answers";
    "CreateCollection" UNTIL_12_1 Refused "HTTP 501", "a relic of versions before 2.5 that FolderCreate replaced";
    "DeleteCollection" UNTIL_12_1 Refused "HTTP 501", "a relic of versions before 2.5 that FolderDelete replaced";
    "MoveCollection" UNTIL_12_1 Refused "HTTP 501", "a relic of versions before 2.5 that FolderUpdate replaced";
    "MeetingResponse" ALL Bent "a declined meeting is taken from devices and stays at OX", "the user may think better of it";
    "MeetingResponse" ONLY_16_1 Bent "an organizer at the same OX reads proposed times in the comment to the answer", "OX knows no proposals";
    "Search" SINCE_12_0 Bent "links of the store DocumentLibrary may name any server", "there is one library, the folders of files at OX";
    "Settings" SINCE_12_0 Refused "a DevicePassword is answered with 7", "passwords of devices are not kept";
    "Settings" SINCE_14_1 Refused "RightsManagementInformation is answered with 168", "OX has no rights management";
    "ItemOperations" SINCE_14_0 Bent "Move moves the mails that are there now", "OX has no rule for mail of a conversation that comes later";
    "ResolveRecipients" ALL Bent "Certificates are answered with 7", "OX keeps no certificates of its users";
    "ValidateCert" ALL Bent "each certificate is answered with 17", "the gateway has no list of trusted issuers";
    "Find" ONLY_16_1 Bent "a Range that begins below 1000 may end beyond 999", "a page has 100 results at most";
    "Find" ONLY_16_1 Bent "keywords are searched in OX, which knows fewer fields", "OX has no full-text language";
};

/// All limits, in the order of the commands.
pub const LIMITS: &[Limit] = &[
    Limit {
        command: "Sync",
        of: "Add, Change, Delete and Fetch",
        most: sync::MOST_COMMANDS,
        told: "Status 4",
    },
    Limit {
        command: "Sync",
        of: "WindowSize",
        most: sync::LARGEST_WINDOW,
        told: "nothing, the window is so large",
    },
    Limit {
        command: "Sync",
        of: "bytes before a Fetch",
        most: items::MOST_FETCHED,
        told: "Status 5 for that Fetch",
    },
    Limit {
        command: "FolderCreate",
        of: "characters of DisplayName",
        most: folder_change::LONGEST_NAME,
        told: "Status 10",
    },
    Limit {
        command: "FolderUpdate",
        of: "characters of DisplayName",
        most: folder_change::LONGEST_NAME,
        told: "Status 10",
    },
    Limit {
        command: "MeetingResponse",
        of: "Request",
        most: meeting_response::MOST_REQUESTS,
        told: "Status 103, HTTP 400 in older versions",
    },
    Limit {
        command: "MoveItems",
        of: "Move",
        most: move_items::MOST_MOVES,
        told: "Status 103, HTTP 400 in older versions",
    },
    Limit {
        command: "GetItemEstimate",
        of: "Collection",
        most: get_item_estimate::MOST_COLLECTIONS,
        told: "Status 103, HTTP 400 in older versions",
    },
    Limit {
        command: "Search",
        of: "results on a page",
        most: search::MOST_RESULTS,
        told: "nothing, the page is so long",
    },
    Limit {
        command: "Ping",
        of: "Folder",
        most: ping::MOST_FOLDERS,
        told: "Status 6, with MaxFolders",
    },
    Limit {
        command: "ItemOperations",
        of: "operations",
        most: item_operations::MOST_OPERATIONS,
        told: "Status 11",
    },
    Limit {
        command: "ItemOperations",
        of: "bytes before a Fetch",
        most: items::MOST_FETCHED,
        told: "Status 11 for that Fetch",
    },
    Limit {
        command: "ResolveRecipients",
        of: "To",
        most: resolve_recipients::MOST_NAMES,
        told: "Status 5",
    },
    Limit {
        command: "ValidateCert",
        of: "Certificate",
        most: validate_cert::MOST_CERTIFICATES,
        told: "Status 2",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eas::command;

    #[test]
    fn rows_are_about_commands_in_versions_that_have_them() {
        for row in DIFFERENCES {
            let command = command::find(row.command).unwrap_or_else(|| panic!("{row:?}"));
            assert!(command.versions.contains(row.versions.first), "{row:?}");
            assert!(command.versions.contains(row.versions.last), "{row:?}");
        }
        for row in LIMITS {
            assert!(command::find(row.command).is_some(), "{row:?}");
        }
    }

    /// Who is refused a whole command can read why; who is offered it does not read the opposite.
    #[test]
    fn a_command_that_is_not_offered_has_its_reason() {
        for command in command::COMMANDS.iter().filter(|command| command.run.is_none()) {
            let reason = DIFFERENCES
                .iter()
                .any(|row| row.command == command.name && row.versions == command.versions && row.how == Refused);
            assert!(reason, "{}", command.name);
        }
    }
}
