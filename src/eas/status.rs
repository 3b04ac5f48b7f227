//! What went wrong, and how a device is told: a Status in the document from 14.0 on, an HTTP status before.
//!
//! The one place that turns errors into statuses. Statuses of single commands (1 to 99) stand with their commands; here
//! are the common ones. Implements [MS-ASCMD] "Common Status Codes" and the substitutes for older versions.

use http::StatusCode;

use crate::ox;
use crate::session;
use crate::usm::collection;
use crate::version::ProtocolVersion;
use crate::version::VersionRange;

/// The versions that understand a common Status in the body of an answer.
const IN_THE_BODY: VersionRange = VersionRange::since(ProtocolVersion::V14_0);

/// A common Status; the constants name those we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    pub const INVALID_CONTENT: Self = Self(101);
    pub const INVALID_WBXML: Self = Self(102);
    pub const INVALID_XML: Self = Self(103);
    pub const INVALID_DATE_TIME: Self = Self(104);
    pub const INVALID_COMBINATION_OF_IDS: Self = Self(105);
    pub const INVALID_IDS: Self = Self(106);
    pub const INVALID_MIME: Self = Self(107);
    pub const DEVICE_ID_MISSING: Self = Self(108);
    pub const DEVICE_TYPE_MISSING: Self = Self(109);
    pub const SERVER_ERROR: Self = Self(110);
    pub const SERVER_ERROR_RETRY_LATER: Self = Self(111);
    pub const MAILBOX_QUOTA_EXCEEDED: Self = Self(113);
    pub const SEND_QUOTA_EXCEEDED: Self = Self(115);
    pub const MESSAGE_RECIPIENT_UNRESOLVED: Self = Self(116);
    pub const MESSAGE_PREVIOUSLY_SENT: Self = Self(118);
    pub const MESSAGE_HAS_NO_RECIPIENT: Self = Self(119);
    pub const MAIL_SUBMISSION_FAILED: Self = Self(120);
    pub const MESSAGE_REPLY_FAILED: Self = Self(121);
    pub const ATTACHMENT_IS_TOO_LARGE: Self = Self(122);
    pub const USER_DISABLED_FOR_SYNC: Self = Self(126);
    pub const COMMAND_NOT_SUPPORTED: Self = Self(137);
    pub const VERSION_NOT_SUPPORTED: Self = Self(138);
    pub const NO_RECURRENCE_IN_CALENDAR: Self = Self(146);
    pub const UNEXPECTED_ITEM_CLASS: Self = Self(147);
    pub const ITEM_NOT_FOUND: Self = Self(150);
    pub const DEVICE_INFORMATION_REQUIRED: Self = Self(165);
    pub const INVALID_ACCOUNT_ID: Self = Self(166);
    pub const IRM_FEATURE_DISABLED: Self = Self(168);
    pub const INVALID_MIME_BODY_COMBINATION: Self = Self(178);
    pub const INVALID_SMART_FORWARD_PARAMETERS: Self = Self(179);
    pub const INVALID_RECIPIENTS: Self = Self(183);

    /// The substitute in versions without a Status in the body.
    pub fn http(self) -> StatusCode {
        let row = HTTP_SUBSTITUTES.iter().find(|(status, _)| *status == self);
        row.map_or(StatusCode::BAD_REQUEST, |(_, http)| *http)
    }
}

/// Status and HTTP status up to 12.1; what is not listed is 400.
const HTTP_SUBSTITUTES: [(Status, StatusCode); 13] = [
    (Status::ATTACHMENT_IS_TOO_LARGE, StatusCode::PAYLOAD_TOO_LARGE),
    (Status::INVALID_MIME, StatusCode::BAD_REQUEST),
    (Status::SERVER_ERROR, StatusCode::INTERNAL_SERVER_ERROR),
    (Status::SERVER_ERROR_RETRY_LATER, StatusCode::SERVICE_UNAVAILABLE),
    (Status::MAILBOX_QUOTA_EXCEEDED, StatusCode::INSUFFICIENT_STORAGE),
    (Status::SEND_QUOTA_EXCEEDED, StatusCode::INSUFFICIENT_STORAGE),
    // The mail was sent before: for the device that is success.
    (Status::MESSAGE_PREVIOUSLY_SENT, StatusCode::OK),
    (Status::MAIL_SUBMISSION_FAILED, StatusCode::INTERNAL_SERVER_ERROR),
    (Status::MESSAGE_REPLY_FAILED, StatusCode::INTERNAL_SERVER_ERROR),
    (Status::USER_DISABLED_FOR_SYNC, StatusCode::FORBIDDEN),
    (Status::COMMAND_NOT_SUPPORTED, StatusCode::NOT_IMPLEMENTED),
    (Status::VERSION_NOT_SUPPORTED, StatusCode::BAD_REQUEST),
    (Status::MESSAGE_HAS_NO_RECIPIENT, StatusCode::BAD_REQUEST),
];

/// Why a command failed as a whole, by whose fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The device asked for what cannot be done.
    #[error("Status {status}: {1}", status = .0.0)]
    Device(Status, &'static str),
    /// More than the gateway takes; the rest of it was not read.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The credentials are wrong, or not good any more.
    #[error("login or password is wrong")]
    Credentials,
    /// The user may not use ActiveSync.
    #[error("{0}")]
    Forbidden(String),
    /// OX refused or could not be reached.
    #[error(transparent)]
    Ox(ox::Error),
    /// We could not, mostly because of the store.
    #[error("{0}")]
    Own(String),
    /// The state that the request was based on is not the newest any more: another request was faster, or somebody removed
    /// the device from the store.
    #[error("another request of this device committed first")]
    Superseded,
}

/// What the device is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Http(StatusCode),
    /// HTTP 200, with this Status in the root element of the command's answer.
    Body(Status),
}

impl Error {
    pub fn told(&self, version: ProtocolVersion) -> Told {
        let status = match self {
            Self::Device(status, _) => *status,
            // These stay HTTP in every version.
            Self::BodyTooLarge => return Told::Http(StatusCode::PAYLOAD_TOO_LARGE),
            Self::Credentials => return Told::Http(StatusCode::UNAUTHORIZED),
            Self::Forbidden(_) => return Told::Http(StatusCode::FORBIDDEN),
            Self::Ox(error) if error.kind == ox::ErrorKind::Quota => Status::MAILBOX_QUOTA_EXCEEDED,
            Self::Ox(error) if error.is_temporary() => Status::SERVER_ERROR_RETRY_LATER,
            Self::Ox(_) => Status::SERVER_ERROR,
            Self::Own(_) | Self::Superseded => Status::SERVER_ERROR_RETRY_LATER,
        };
        match IN_THE_BODY.contains(version) {
            true => Told::Body(status),
            false => Told::Http(status.http()),
        }
    }

    /// The level of the log line: a device's mistake is its own business, a failure of OX or ours is the administrator's.
    pub const fn level(&self) -> log::Level {
        match self {
            Self::Device(..) | Self::BodyTooLarge | Self::Credentials => log::Level::Info,
            Self::Forbidden(_) | Self::Superseded => log::Level::Warn,
            Self::Ox(_) | Self::Own(_) => log::Level::Error,
        }
    }
}

impl From<ox::Error> for Error {
    fn from(error: ox::Error) -> Self {
        match error.kind {
            ox::ErrorKind::Credentials => Self::Credentials,
            ox::ErrorKind::Denied => Self::Forbidden(error.to_string()),
            _ => Self::Ox(error),
        }
    }
}

impl From<session::Error> for Error {
    fn from(error: session::Error) -> Self {
        match error {
            session::Error::Credentials => Self::Credentials,
            session::Error::Forbidden(reason) => Self::Forbidden(reason),
            session::Error::Ox(error) => error.into(),
            session::Error::Store(error) if error.is_removed() => Self::Superseded,
            session::Error::Busy | session::Error::Store(_) => Self::Own(error.to_string()),
        }
    }
}

impl From<collection::Error> for Error {
    fn from(error: collection::Error) -> Self {
        match error {
            collection::Error::Ox(error) => error.into(),
            collection::Error::Superseded => Self::Superseded,
            collection::Error::Store(error) if error.is_removed() => Self::Superseded,
            _ => Self::Own(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_two_languages() {
        use ProtocolVersion::{V12_1, V14_0};
        let own = || Error::Own("x".into());
        let device = |status| Error::Device(status, "");
        // error, version, expected
        let cases = [
            (own(), V12_1, Told::Http(StatusCode::SERVICE_UNAVAILABLE)),
            (own(), V14_0, Told::Body(Status(111))),
            (
                device(Status::INVALID_WBXML),
                V12_1,
                Told::Http(StatusCode::BAD_REQUEST),
            ),
            (device(Status::INVALID_WBXML), V14_0, Told::Body(Status(102))),
            (
                device(Status::COMMAND_NOT_SUPPORTED),
                V12_1,
                Told::Http(StatusCode::NOT_IMPLEMENTED),
            ),
            (device(Status::COMMAND_NOT_SUPPORTED), V14_0, Told::Body(Status(137))),
            (Error::BodyTooLarge, V14_0, Told::Http(StatusCode::PAYLOAD_TOO_LARGE)),
            (Error::Credentials, V14_0, Told::Http(StatusCode::UNAUTHORIZED)),
            (
                Error::Forbidden(String::new()),
                V14_0,
                Told::Http(StatusCode::FORBIDDEN),
            ),
        ];
        for (error, version, expected) in cases {
            assert_eq!(error.told(version), expected, "{error} {version}");
        }
    }
}
