//! What went wrong, and how a device is told: a Status in the document from 14.0 on, an HTTP status before.
//!
//! The one place that turns errors into statuses. Statuses of single commands (1 to 99) stand with their commands; in
//! [`common`] are the common ones. Implements [MS-ASCMD] "Common Status Codes" and the substitutes for older versions.

pub mod common;

use http::StatusCode;

use crate::coding;
use crate::ox;
use crate::session;
use crate::usm::collection;
use crate::version::ProtocolVersion;
use crate::version::VersionRange;

/// The versions that understand a common Status in the body of an answer.
const IN_THE_BODY: VersionRange = VersionRange::since(ProtocolVersion::V14_0);

/// A common Status; the constants and what they are in older versions stand in [`common`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// The substitute in versions without a Status in the body.
    pub fn http(self) -> StatusCode {
        let row = common::COMMON.iter().find(|row| row.status == self);
        let http = row.and_then(|row| StatusCode::from_u16(row.http).ok());
        http.unwrap_or(StatusCode::BAD_REQUEST)
    }
}

/// Why a command failed as a whole, by whose fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The device asked for what cannot be done.
    #[error("Status {status}: {1}", status = .0.0)]
    Device(Status, &'static str),
    /// More than the gateway takes; the rest of it was not read.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body is compressed in a way that is not known here; it was not read.
    #[error("the body is in a coding that is not known here")]
    UnknownCoding,
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

/// On whose side an error is to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What a device sent.
    Device,
    /// Login, password or permission.
    User,
    Ox,
    /// The gateway itself, or its database.
    Gateway,
}

impl Fault {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::User => "user",
            Self::Ox => "ox",
            Self::Gateway => "gateway",
        }
    }
}

impl Error {
    pub fn told(&self, version: ProtocolVersion) -> Told {
        let status = match self {
            Self::Device(status, _) => *status,
            // These stay HTTP in every version.
            Self::BodyTooLarge => return Told::Http(StatusCode::PAYLOAD_TOO_LARGE),
            Self::UnknownCoding => return Told::Http(StatusCode::UNSUPPORTED_MEDIA_TYPE),
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

    /// Whose fault it is, as the metrics count it.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Device(..) | Self::BodyTooLarge | Self::UnknownCoding | Self::Superseded => Fault::Device,
            Self::Credentials | Self::Forbidden(_) => Fault::User,
            Self::Ox(_) => Fault::Ox,
            Self::Own(_) => Fault::Gateway,
        }
    }

    /// The level of the log line: a device's mistake is its own business, a failure of OX or ours is the administrator's.
    pub const fn level(&self) -> log::Level {
        match self {
            Self::Device(..) | Self::BodyTooLarge | Self::UnknownCoding | Self::Credentials => log::Level::Info,
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

impl From<coding::ReadError> for Error {
    fn from(error: coding::ReadError) -> Self {
        match error {
            coding::ReadError::TooLarge => Self::BodyTooLarge,
            coding::ReadError::UnknownCoding => Self::UnknownCoding,
            coding::ReadError::CutOff => Self::Device(Status::INVALID_CONTENT, "the body is cut off"),
            coding::ReadError::NotGzip => Self::Device(Status::INVALID_CONTENT, "the body is not what gzip makes"),
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
            (
                Error::UnknownCoding,
                V14_0,
                Told::Http(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ),
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
