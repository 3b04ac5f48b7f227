//! What can go wrong between the gateway and OX, and whose fault it is.
//!
//! OX answers nearly every failure with HTTP status 200 and an envelope that holds a code (`MSG-0032`) and a category.
//! This file alone knows codes and categories; everyone else looks at [`ErrorKind`]. Implements the API documentation,
//! "Error handling", and the code lists of the modules.
//!
//! No text in here ever holds a password, a session id or the parameters of a call.

use std::fmt;
use std::time::Duration;

/// Why a call failed.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: ErrorKind,
    /// How long OX asked to be left alone.
    pub retry_after: Option<Duration>,
    /// Boxed, so that results stay small.
    details: Box<Details>,
}

#[derive(Clone, Debug, Default)]
struct Details {
    code: String,
    text: String,
    call: String,
    too_long: Vec<TooLong>,
}

/// A field that is longer than the server's database column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The column's number.
    pub column: u16,
    /// How many characters fit.
    pub max_size: Option<usize>,
}

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// OX refuses the session, and a renewed one as well. The account or OX itself is in trouble.
    Session,
    /// Name or password is wrong: the user's fault. Never repeat it with the same password.
    Credentials,
    /// The login is right, but this user may not come in: locked, disabled, password expired. The administrator's business.
    Denied,
    /// The user has too many sessions at OX. Log out unused ones, try again later.
    TooManySessions,
    /// The object has changed since the timestamp that was sent. Read it again.
    Conflict,
    /// There is an appointment with that UID already.
    Exists,
    /// A participating resource is taken at that time, and OX does not let anyone override that.
    Booked,
    /// The object or its folder is gone, or was never visible to this user.
    NotFound,
    /// The user may not do this to that object or folder, or not use the module at all.
    PermissionDenied,
    /// OX or a server behind it is busy, down or being updated. Try again later.
    Temporary,
    /// The user's storage is full.
    Quota,
    /// Text is longer than the server's database column; see [`Error::too_long`].
    Truncated,
    /// Text has characters that the server's database does not hold: those beyond the first 65,536, on old servers.
    BadCharacter,
    /// OX does not let this user send with that From address.
    SenderRefused,
    /// What was sent makes no sense to OX: the fault of the device or of the gateway. Repeating it does not help.
    Invalid,
    /// This server does not know the module or the action: it is too old, too new, or lacks a package.
    Unsupported,
    /// More bytes than the caller wanted to have.
    TooLarge,
    /// OX failed in a way that is a fault of its own.
    Server,
    /// The answer is not what the API promises: cut off, or not from OX at all.
    Garbled,
    /// No connection, or no answer in time.
    Unreachable,
    /// The configured URL does not lead to an OX server: the administrator's fault.
    Configuration,
}

impl ErrorKind {
    /// What an administrator can do; empty where there is nothing to do.
    const fn advice(self) -> &'static str {
        match self {
            Self::Session => {
                "if this happens to every user, see whether something between gateway and OX drops cookies"
            }
            Self::Denied => "see whether the account or its context is locked",
            Self::TooManySessions => "raise com.openexchange.sessiond.maxSessionPerUser or log out unused sessions",
            Self::Quota => "the user's storage is full",
            Self::Garbled => "see what stands between gateway and OX, and OX's log",
            Self::Unreachable => "see whether OX runs and the URL is right",
            Self::Configuration => "correct the URL of the OX server; it usually ends in /ajax/",
            Self::Server => "see OX's log",
            _ => "",
        }
    }

    /// Whether the trouble lies with this one object or call, so that others may well succeed.
    pub const fn concerns_one_call(self) -> bool {
        !matches!(
            self,
            Self::Session
                | Self::Credentials
                | Self::Denied
                | Self::TooManySessions
                | Self::Temporary
                | Self::Unreachable
                | Self::Configuration
        )
    }
}

impl Error {
    pub(super) fn new(kind: ErrorKind, call: impl Into<String>, text: impl Into<String>) -> Self {
        let details = Details {
            text: text.into(),
            call: call.into(),
            ..Details::default()
        };
        Self {
            kind,
            retry_after: None,
            details: Box::new(details),
        }
    }

    /// The same call may succeed later: OX, or the way to it, is in trouble.
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Temporary
                | ErrorKind::Unreachable
                | ErrorKind::Garbled
                | ErrorKind::Session
                | ErrorKind::TooManySessions
        )
    }

    /// The same error, taken for one that passes.
    #[must_use]
    pub const fn into_temporary(mut self) -> Self {
        self.kind = ErrorKind::Temporary;
        self
    }

    /// OX has answered, and it is this one object that it does not want.
    pub const fn is_about_the_item(&self) -> bool {
        self.kind.concerns_one_call() && !self.is_temporary()
    }

    /// OX's code such as `MSG-0032`, or `HTTP 503`; empty when there was no answer.
    pub fn code(&self) -> &str {
        &self.details.code
    }

    /// What OX or the network said, in the language of the user. For logs only.
    pub fn text(&self) -> &str {
        &self.details.text
    }

    /// Method, URL and action of the call: `GET https://ox.example.com/ajax/mail?action=all`.
    pub fn call(&self) -> &str {
        &self.details.call
    }

    /// With [`ErrorKind::Truncated`]: the fields that are too long, as far as OX named them.
    pub fn too_long(&self) -> &[TooLong] {
        &self.details.too_long
    }

    #[must_use]
    pub(super) fn with_code(mut self, code: impl Into<String>) -> Self {
        self.details.code = code.into();
        self
    }

    #[must_use]
    pub(super) fn with_too_long(mut self, fields: Vec<TooLong>) -> Self {
        self.details.too_long = fields;
        self
    }

    #[must_use]
    pub(super) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Takes a secret out of the text: OX names the session in some of its messages.
    #[must_use]
    pub(super) fn without(mut self, secret: &str) -> Self {
        if !secret.is_empty() && self.details.text.contains(secret) {
            self.details.text = self.details.text.replace(secret, "***");
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call(), self.text())?;
        if !self.code().is_empty() {
            write!(f, " ({})", self.code())?;
        }
        match self.kind.advice() {
            "" => Ok(()),
            advice => write!(f, "; {advice}"),
        }
    }
}

impl std::error::Error for Error {}

/// OX's numeric categories.
pub(super) mod category {
    pub(in crate::ox) const USER_INPUT: i64 = 1;
    pub(in crate::ox) const CONFIGURATION: i64 = 2;
    pub(in crate::ox) const PERMISSION_DENIED: i64 = 3;
    pub(in crate::ox) const TRY_AGAIN: i64 = 4;
    pub(in crate::ox) const SERVICE_DOWN: i64 = 5;
    pub(in crate::ox) const CONNECTIVITY: i64 = 6;
    /// Of servers before 6.20.
    pub(in crate::ox) const INTERNAL: i64 = 7;
    pub(in crate::ox) const ERROR: i64 = 8;
    pub(in crate::ox) const CONFLICT: i64 = 9;
    /// Of servers before 6.20.
    pub(in crate::ox) const SETUP: i64 = 10;
    pub(in crate::ox) const CAPACITY: i64 = 11;
    pub(in crate::ox) const TRUNCATED: i64 = 12;
    pub(in crate::ox) const WARNING: i64 = 13;

    const NAMES: [(&str, i64); 11] = [
        ("USER_INPUT", USER_INPUT),
        ("CONFIGURATION", CONFIGURATION),
        ("PERMISSION_DENIED", PERMISSION_DENIED),
        ("TRY_AGAIN", TRY_AGAIN),
        ("SERVICE_DOWN", SERVICE_DOWN),
        ("CONNECTIVITY", CONNECTIVITY),
        ("ERROR", ERROR),
        ("CONFLICT", CONFLICT),
        ("CAPACITY", CAPACITY),
        ("TRUNCATED", TRUNCATED),
        ("WARNING", WARNING),
    ];

    pub(in crate::ox) fn from_name(name: &str) -> Option<i64> {
        let row = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(row.1)
    }
}

/// Codes whose meaning their category does not tell. A code that ends in `*` stands for all that begin like it.
const CODES: &[(&str, ErrorKind)] = &[
    // Sessions: unknown or expired, address changed, secret cookie missing or wrong. SES-0201 has no session parameter.
    ("SES-0009", ErrorKind::Session),
    ("SES-0201", ErrorKind::Session),
    ("SES-0202", ErrorKind::Session),
    ("SES-0203", ErrorKind::Session),
    ("SES-0205", ErrorKind::Session),
    ("SES-0206", ErrorKind::Session),
    ("SES-0204", ErrorKind::Denied),
    ("SES-0007", ErrorKind::TooManySessions),
    ("SES-0207", ErrorKind::TooManySessions),
    ("SES-0208", ErrorKind::Temporary),
    // Changed in the meantime, where the category may be another one than CONFLICT.
    ("TSK-0007", ErrorKind::Conflict),
    ("CON-0119", ErrorKind::Conflict),
    ("CAL-4120", ErrorKind::Conflict),
    ("FLD-1022", ErrorKind::Conflict),
    ("SVL-0017", ErrorKind::Conflict),
    ("CAL-4092", ErrorKind::Booked),
    // An appointment with that UID is there already.
    ("APP-0100", ErrorKind::Exists),
    ("CAL-4090", ErrorKind::Exists),
    // Gone. OX gives these the categories ERROR, USER_INPUT and PERMISSION_DENIED.
    ("TSK-0019", ErrorKind::NotFound),
    ("TSK-0048", ErrorKind::NotFound),
    ("CON-0125", ErrorKind::NotFound),
    ("CON-0174", ErrorKind::NotFound),
    ("APP-0074", ErrorKind::NotFound),
    ("APP-0098", ErrorKind::NotFound),
    ("CAL-404*", ErrorKind::NotFound),
    ("MSG-0024", ErrorKind::NotFound),
    ("MSG-0032", ErrorKind::NotFound),
    ("MSG-0049", ErrorKind::NotFound),
    ("MSG-0066", ErrorKind::NotFound),
    ("MSG-0067", ErrorKind::NotFound),
    ("FLD-0003", ErrorKind::NotFound),
    ("FLD-0008", ErrorKind::NotFound),
    ("FLD-1004", ErrorKind::NotFound),
    // Too long.
    ("APP-0072", ErrorKind::Truncated),
    ("CON-0154", ErrorKind::Truncated),
    ("TSK-0041", ErrorKind::Truncated),
    // Characters that the server's database does not hold.
    ("CON-0168", ErrorKind::BadCharacter),
    // Unknown module, unknown or disabled action.
    ("SVL-0001", ErrorKind::Unsupported),
    ("SVL-0006", ErrorKind::Unsupported),
    ("SVL-0007", ErrorKind::Unsupported),
    ("SVL-0015", ErrorKind::Unsupported),
    ("SVL-0021", ErrorKind::Unsupported),
    ("MSG-0087", ErrorKind::Unsupported),
    // Requests that the servlet layer does not understand.
    ("SVL-0002", ErrorKind::Invalid),
    ("SVL-0004", ErrorKind::Invalid),
    ("SVL-0009", ErrorKind::Invalid),
    ("SVL-0010", ErrorKind::Invalid),
    ("SVL-0020", ErrorKind::Invalid),
    ("SVL-0016", ErrorKind::PermissionDenied),
    ("SVL-0019", ErrorKind::Temporary),
    ("MSG-0056", ErrorKind::SenderRefused),
];

/// The generic codes of the exception frameworks, which mean "not found" in the category USER_INPUT.
const GENERIC_CODES: &[&str] = &["OX-0001", "APP-0001"];

/// Sorts an error of any call but the login.
pub(super) fn classify(code: &str, category: Option<i64>) -> ErrorKind {
    let by_code = CODES.iter().find(|(pattern, _)| matches(pattern, code));
    if let Some((_, kind)) = by_code {
        return *kind;
    }
    if category == Some(category::USER_INPUT) && GENERIC_CODES.contains(&code) {
        return ErrorKind::NotFound;
    }
    match category {
        Some(category::CONFLICT) => ErrorKind::Conflict,
        Some(category::PERMISSION_DENIED) => ErrorKind::PermissionDenied,
        Some(category::TRY_AGAIN | category::SERVICE_DOWN | category::CONNECTIVITY | category::INTERNAL) => {
            ErrorKind::Temporary
        }
        Some(category::CAPACITY) => ErrorKind::Quota,
        Some(category::TRUNCATED) => ErrorKind::Truncated,
        Some(category::USER_INPUT | category::CONFIGURATION | category::SETUP) => ErrorKind::Invalid,
        _ => ErrorKind::Server,
    }
}

/// Login errors whose category does not say enough.
const LOGIN_CODES: &[(&str, ErrorKind)] = &[
    ("LGI-0006", ErrorKind::Credentials),
    ("LGI-0012", ErrorKind::Credentials),
    ("LGI-0001", ErrorKind::Denied),
    ("LGI-0011", ErrorKind::Denied),
    ("LGI-0013", ErrorKind::Denied),
    ("LGI-0014", ErrorKind::Denied),
    ("LGI-0016", ErrorKind::Configuration),
    ("LGI-*", ErrorKind::Temporary),
    ("CTX-*", ErrorKind::Denied),
    ("USR-*", ErrorKind::Denied),
    ("SES-0204", ErrorKind::Denied),
    ("SES-0007", ErrorKind::TooManySessions),
    ("SES-0207", ErrorKind::TooManySessions),
    ("SES-*", ErrorKind::Temporary),
];

/// Sorts an error of the login. The authentication plug-in of a site may have codes of its own: then the category decides.
pub(super) fn classify_login(code: &str, category: Option<i64>) -> ErrorKind {
    let by_code = LOGIN_CODES.iter().find(|(pattern, _)| matches(pattern, code));
    if let Some((_, kind)) = by_code {
        return *kind;
    }
    match category {
        Some(category::USER_INPUT) => ErrorKind::Credentials,
        Some(category::PERMISSION_DENIED) => ErrorKind::Denied,
        _ => ErrorKind::Temporary,
    }
}

fn matches(pattern: &str, code: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => code.starts_with(beginning),
        None => pattern == code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_code_and_category() {
        // Code, category, kind.
        let cases = [
            ("SES-0203", Some(4), ErrorKind::Session),
            ("SES-0206", Some(4), ErrorKind::Session),
            ("SES-0205", Some(3), ErrorKind::Session),
            ("SES-0204", Some(3), ErrorKind::Denied),
            // One generic code, three meanings.
            ("OX-0001", Some(9), ErrorKind::Conflict),
            ("OX-0001", Some(1), ErrorKind::NotFound),
            ("OX-0001", Some(3), ErrorKind::PermissionDenied),
            ("APP-0001", Some(9), ErrorKind::Conflict),
            ("APP-0001", Some(1), ErrorKind::NotFound),
            ("CON-0019", Some(9), ErrorKind::Conflict),
            ("CON-0040", Some(9), ErrorKind::Conflict),
            ("TSK-0007", Some(9), ErrorKind::Conflict),
            ("CAL-4120", Some(9), ErrorKind::Conflict),
            // Not found in the category ERROR.
            ("TSK-0019", Some(8), ErrorKind::NotFound),
            ("CAL-4041", Some(1), ErrorKind::NotFound),
            ("CAL-40310", Some(3), ErrorKind::PermissionDenied),
            ("FLD-0003", Some(3), ErrorKind::NotFound),
            ("MSG-0087", Some(8), ErrorKind::Unsupported),
            ("SVL-0001", None, ErrorKind::Unsupported),
            ("SVL-0019", Some(4), ErrorKind::Temporary),
            ("IMAP-2046", Some(6), ErrorKind::Temporary),
            ("MSG-0039", Some(11), ErrorKind::Quota),
            ("CON-0154", Some(12), ErrorKind::Truncated),
            ("APP-0020", Some(1), ErrorKind::Invalid),
            ("OX-9999", Some(8), ErrorKind::Server),
            ("", None, ErrorKind::Server),
        ];
        for (code, category, kind) in cases {
            assert_eq!(classify(code, category), kind, "{code} {category:?}");
        }
    }

    #[test]
    fn sorts_login_errors() {
        // Code, category, kind.
        let cases = [
            ("LGI-0006", Some(1), ErrorKind::Credentials),
            ("LGI-0012", Some(1), ErrorKind::Credentials),
            ("LGI-0001", Some(1), ErrorKind::Denied),
            ("LGI-0011", Some(1), ErrorKind::Denied),
            ("LGI-0003", Some(8), ErrorKind::Temporary),
            ("LGI-0010", Some(5), ErrorKind::Temporary),
            ("LGI-0016", Some(2), ErrorKind::Configuration),
            ("SES-0007", Some(2), ErrorKind::TooManySessions),
            ("SES-0008", Some(1), ErrorKind::Temporary),
            ("CTX-0012", Some(4), ErrorKind::Denied),
            ("USR-0001", Some(1), ErrorKind::Denied),
            ("XYZ-0001", Some(1), ErrorKind::Credentials),
            ("XYZ-0001", Some(2), ErrorKind::Temporary),
            ("XYZ-0001", None, ErrorKind::Temporary),
        ];
        for (code, category, kind) in cases {
            assert_eq!(classify_login(code, category), kind, "{code} {category:?}");
        }
    }

    #[test]
    fn an_error_names_call_code_and_remedy_but_no_secret() {
        let error = Error::new(
            ErrorKind::Session,
            "GET https://ox.example.com/ajax/mail?action=all",
            "Your session 8f4d0c0c expired.",
        )
        .with_code("SES-0203")
        .without("8f4d0c0c");
        assert_eq!(
            error.to_string(),
            "GET https://ox.example.com/ajax/mail?action=all: Your session *** expired. (SES-0203); if this happens to every \
             user, see whether something between gateway and OX drops cookies"
        );
    }
}
