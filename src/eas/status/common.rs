//! The common statuses: one row each, for both directions.
//!
//! A table, which sends nothing. Implements [MS-ASCMD] "Common Status Codes" and, for versions without a Status in the
//! body, the substitutes that [MS-ASCMD] and [MS-ASHTTP] name; where they name none, 400, as other servers do; but
//! a mailbox without room to send is 507, like one without room for anything else.

use crate::eas::status::Status;
use crate::version::ProtocolVersion::V14_0;
use crate::version::ProtocolVersion::V14_1;
use crate::version::ProtocolVersion::V16_0;
use crate::version::VersionRange;

/// One row of the table.
#[derive(Debug)]
pub struct Common {
    pub status: Status,
    /// As in the specification.
    pub name: &'static str,
    /// The HTTP status that says the same in older versions.
    pub http: u16,
    /// The versions that know the number.
    pub versions: VersionRange,
}

macro_rules! common {
    ($($versions:ident { $($constant:ident = $number:literal $name:literal $http:literal;)* })*) => {
        impl Status {
            $($(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Self = Self($number);
            )*)*
        }

        /// All of them, by number.
        pub const COMMON: &[Common] = &[
            $($(Common { status: Status($number), name: $name, http: $http, versions: $versions },)*)*
        ];
    };
}

const SINCE_14_0: VersionRange = VersionRange::since(V14_0);
const SINCE_14_1: VersionRange = VersionRange::since(V14_1);
const SINCE_16_0: VersionRange = VersionRange::since(V16_0);

common! {
SINCE_14_0 {
    INVALID_CONTENT = 101 "InvalidContent" 400;
    INVALID_WBXML = 102 "InvalidWBXML" 400;
    INVALID_XML = 103 "InvalidXML" 400;
    INVALID_DATE_TIME = 104 "InvalidDateTime" 400;
    INVALID_COMBINATION_OF_IDS = 105 "InvalidCombinationOfIDs" 400;
    INVALID_IDS = 106 "InvalidIDs" 400;
    INVALID_MIME = 107 "InvalidMIME" 400;
    DEVICE_ID_MISSING = 108 "DeviceIdMissingOrInvalid" 400;
    DEVICE_TYPE_MISSING = 109 "DeviceTypeMissingOrInvalid" 400;
    SERVER_ERROR = 110 "ServerError" 500;
    SERVER_ERROR_RETRY_LATER = 111 "ServerErrorRetryLater" 503;
    ACTIVE_DIRECTORY_ACCESS_DENIED = 112 "ActiveDirectoryAccessDenied" 403;
    MAILBOX_QUOTA_EXCEEDED = 113 "MailboxQuotaExceeded" 507;
    MAILBOX_SERVER_OFFLINE = 114 "MailboxServerOffline" 503;
    SEND_QUOTA_EXCEEDED = 115 "SendQuotaExceeded" 507;
    MESSAGE_RECIPIENT_UNRESOLVED = 116 "MessageRecipientUnresolved" 400;
    MESSAGE_REPLY_NOT_ALLOWED = 117 "MessageReplyNotAllowed" 400;
    MESSAGE_PREVIOUSLY_SENT = 118 "MessagePreviouslySent" 200;
    MESSAGE_HAS_NO_RECIPIENT = 119 "MessageHasNoRecipient" 400;
    MAIL_SUBMISSION_FAILED = 120 "MailSubmissionFailed" 500;
    MESSAGE_REPLY_FAILED = 121 "MessageReplyFailed" 500;
    ATTACHMENT_IS_TOO_LARGE = 122 "AttachmentIsTooLarge" 413;
    USER_HAS_NO_MAILBOX = 123 "UserHasNoMailbox" 403;
    USER_CANNOT_BE_ANONYMOUS = 124 "UserCannotBeAnonymous" 401;
    USER_PRINCIPAL_COULD_NOT_BE_FOUND = 125 "UserPrincipalCouldNotBeFound" 403;
    USER_DISABLED_FOR_SYNC = 126 "UserDisabledForSync" 403;
    USER_ON_NEW_MAILBOX_CANNOT_SYNC = 127 "UserOnNewMailboxCannotSync" 403;
    USER_ON_LEGACY_MAILBOX_CANNOT_SYNC = 128 "UserOnLegacyMailboxCannotSync" 403;
    DEVICE_IS_BLOCKED_FOR_THIS_USER = 129 "DeviceIsBlockedForThisUser" 403;
    ACCESS_DENIED = 130 "AccessDenied" 403;
    ACCOUNT_DISABLED = 131 "AccountDisabled" 403;
    SYNC_STATE_NOT_FOUND = 132 "SyncStateNotFound" 403;
    SYNC_STATE_LOCKED = 133 "SyncStateLocked" 503;
    SYNC_STATE_CORRUPT = 134 "SyncStateCorrupt" 500;
    SYNC_STATE_ALREADY_EXISTS = 135 "SyncStateAlreadyExists" 500;
    SYNC_STATE_VERSION_INVALID = 136 "SyncStateVersionInvalid" 500;
    COMMAND_NOT_SUPPORTED = 137 "CommandNotSupported" 501;
    VERSION_NOT_SUPPORTED = 138 "VersionNotSupported" 400;
    DEVICE_NOT_FULLY_PROVISIONABLE = 139 "DeviceNotFullyProvisionable" 403;
    REMOTE_WIPE_REQUESTED = 140 "RemoteWipeRequested" 449;
    LEGACY_DEVICE_ON_STRICT_POLICY = 141 "LegacyDeviceOnStrictPolicy" 449;
    DEVICE_NOT_PROVISIONED = 142 "DeviceNotProvisioned" 449;
    POLICY_REFRESH = 143 "PolicyRefresh" 449;
    INVALID_POLICY_KEY = 144 "InvalidPolicyKey" 449;
    EXTERNALLY_MANAGED_DEVICES_NOT_ALLOWED = 145 "ExternallyManagedDevicesNotAllowed" 403;
    NO_RECURRENCE_IN_CALENDAR = 146 "NoRecurrenceInCalendar" 400;
    UNEXPECTED_ITEM_CLASS = 147 "UnexpectedItemClass" 400;
    REMOTE_SERVER_HAS_NO_SSL = 148 "RemoteServerHasNoSSL" 400;
    INVALID_STORED_REQUEST = 149 "InvalidStoredRequest" 400;
    ITEM_NOT_FOUND = 150 "ItemNotFound" 400;
    TOO_MANY_FOLDERS = 151 "TooManyFolders" 400;
    NO_FOLDERS_FOUND = 152 "NoFoldersFound" 400;
    ITEMS_LOST_AFTER_MOVE = 153 "ItemsLostAfterMove" 400;
    FAILURE_IN_MOVE_OPERATION = 154 "FailureInMoveOperation" 400;
    MOVE_COMMAND_DISALLOWED_FOR_NON_PERSISTENT_MOVE_ACTION = 155 "MoveCommandDisallowedForNonPersistentMoveAction" 400;
    MOVE_COMMAND_INVALID_DESTINATION_FOLDER = 156 "MoveCommandInvalidDestinationFolder" 400;
    AVAILABILITY_TOO_MANY_RECIPIENTS = 160 "AvailabilityTooManyRecipients" 400;
    AVAILABILITY_DL_LIMIT_REACHED = 161 "AvailabilityDLLimitReached" 400;
    AVAILABILITY_TRANSIENT_FAILURE = 162 "AvailabilityTransientFailure" 400;
    AVAILABILITY_FAILURE = 163 "AvailabilityFailure" 400;
}
SINCE_14_1 {
    BODY_PART_PREFERENCE_TYPE_NOT_SUPPORTED = 164 "BodyPartPreferenceTypeNotSupported" 400;
    DEVICE_INFORMATION_REQUIRED = 165 "DeviceInformationRequired" 400;
    INVALID_ACCOUNT_ID = 166 "InvalidAccountId" 400;
    ACCOUNT_SEND_DISABLED = 167 "AccountSendDisabled" 400;
    IRM_FEATURE_DISABLED = 168 "IRMFeatureDisabled" 400;
    IRM_TRANSIENT_ERROR = 169 "IRMTransientError" 400;
    IRM_PERMANENT_ERROR = 170 "IRMPermanentError" 400;
    IRM_INVALID_TEMPLATE_ID = 171 "IRMInvalidTemplateID" 400;
    IRM_OPERATION_NOT_PERMITTED = 172 "IRMOperationNotPermitted" 400;
    NO_PICTURE = 173 "NoPicture" 400;
    PICTURE_TOO_LARGE = 174 "PictureTooLarge" 400;
    PICTURE_LIMIT_REACHED = 175 "PictureLimitReached" 400;
    BODY_PART_CONVERSATION_TOO_LARGE = 176 "BodyPartConversationTooLarge" 400;
    MAXIMUM_DEVICES_REACHED = 177 "MaximumDevicesReached" 403;
}
SINCE_16_0 {
    INVALID_MIME_BODY_COMBINATION = 178 "InvalidMimeBodyCombination" 400;
    INVALID_SMART_FORWARD_PARAMETERS = 179 "InvalidSmartForwardParameters" 400;
    INVALID_RECIPIENTS = 183 "InvalidRecipients" 400;
    ONE_OR_MORE_EXCEPTIONS_FAILED = 184 "OneOrMoreExceptionsFailed" 400;
}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_order_and_have_an_http_status() {
        assert!(COMMON.is_sorted_by(|a, b| a.status.0 < b.status.0));
        for row in COMMON {
            assert!(http::StatusCode::from_u16(row.http).is_ok(), "{row:?}");
            assert_eq!(row.status.http().as_u16(), row.http, "{row:?}");
        }
    }
}
