//! Errors as the server reports them: code, category and text of the envelope.
//!
//! One constant per situation. Which constant a module uses in which server generation is decided by the module; how an
//! error becomes JSON is decided by `http`. Implements the error handling of the OX HTTP API ("Error handling",
//! "Categories").

use serde_json::Value;
use std::borrow::Cow;

/// What went wrong with one call, on its way into the envelope.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OxError {
    pub(crate) code: Cow<'static, str>,
    pub(crate) category: u8,
    pub(crate) text: Cow<'static, str>,
    /// What exactly was too long or not readable.
    pub(crate) details: Option<Box<Details>>,
    /// HTTP status, 200 for almost everything.
    pub(crate) status: u16,
}

/// The rare parts of an error.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Details {
    /// `problematic`: one object per field.
    pub(crate) problematic: Value,
    /// `truncated`: the columns that were too long.
    pub(crate) truncated: Option<Value>,
}

impl OxError {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, category: u8, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: code.into(),
            category,
            text: text.into(),
            details: None,
            status: 200,
        }
    }

    /// The same error naming what was wrong.
    pub(crate) fn with_details(self, problematic: Value, truncated: Option<Value>) -> Self {
        Self {
            details: Some(Box::new(Details { problematic, truncated })),
            ..self
        }
    }

    /// The same error with an HTTP status other than 200.
    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Name of the category, as in `categories`.
    pub(crate) fn category_name(&self) -> &'static str {
        CATEGORIES
            .iter()
            .find(|(number, _)| *number == self.category)
            .map_or("ERROR", |(_, name)| name)
    }
}

/// Numeric category and its name.
const CATEGORIES: &[(u8, &str)] = &[
    (1, "USER_INPUT"),
    (2, "CONFIGURATION"),
    (3, "PERMISSION_DENIED"),
    (4, "TRY_AGAIN"),
    (5, "SERVICE_DOWN"),
    (6, "CONNECTIVITY"),
    (7, "INTERNAL_ERROR"),
    (8, "ERROR"),
    (9, "CONFLICT"),
    (10, "CONFIGURATION"),
    (11, "CAPACITY"),
    (12, "TRUNCATED"),
    (13, "WARNING"),
];

/// A row of the error tables below: code, category, English text.
#[derive(Clone, Copy)]
pub(crate) struct Known(pub(crate) &'static str, pub(crate) u8, pub(crate) &'static str);

impl From<Known> for OxError {
    fn from(Known(code, category, text): Known) -> Self {
        Self::new(code, category, text)
    }
}

// Servlet layer.
pub(crate) const MISSING_PARAMETER: Known = Known("SVL-0002", 8, "Missing the following request parameter");
pub(crate) const NO_UPLOAD: Known = Known("SVL-0003", 8, "Missing upload file(s).");
pub(crate) const INVALID_PARAMETER: Known = Known("SVL-0004", 8, "Invalid parameter");
pub(crate) const UNKNOWN_MODULE: Known = Known("SVL-0006", 8, "Unknown module");
pub(crate) const JSON_SYNTAX: Known = Known("SVL-0009", 8, "JSON error");
pub(crate) const MODULE_DENIED: Known = Known("SVL-0016", 3, "No permission for module");
pub(crate) const BAD_REQUEST: Known = Known("SVL-0020", 1, "Bad request");

// Sessions and login.
pub(crate) const NO_SESSION_PARAMETER: Known = Known("SES-0201", 8, "The session parameter is missing.");
pub(crate) const SESSION_EXPIRED: Known = Known("SES-0203", 4, "Your session expired. Please login again.");
pub(crate) const WRONG_ADDRESS: Known = Known(
    "SES-0205",
    3,
    "Request to server was refused. Original client IP address changed.",
);
pub(crate) const WRONG_SECRET: Known = Known("SES-0206", 4, "Your session was invalidated. Please login again.");
pub(crate) const TOO_MANY_SESSIONS: Known = Known("SES-0007", 4, "Maximum number of sessions exceeded for this user.");
pub(crate) const DUPLICATE_AUTH_ID: Known = Known("SES-0008", 8, "The authentication identifier is already used.");
pub(crate) const INVALID_CREDENTIALS: Known = Known("LGI-0006", 1, "The supplied credentials are invalid.");

// Folders.
pub(crate) const FOLDER_NOT_VISIBLE: Known = Known("FLD-0003", 3, "The folder is not visible for you.");
pub(crate) const FOLDER_NOT_FOUND: Known = Known("FLD-0008", 8, "The folder could not be found.");
pub(crate) const FOLDER_MOVE_DENIED: Known = Known("FLD-1013", 3, "The folder must not be moved there.");
pub(crate) const FOLDER_EXISTS: Known = Known("FLD-1014", 1, "A folder of that name already exists.");
pub(crate) const FOLDER_CHANGED: Known = Known("FLD-1022", 9, "The folder has been changed in the meantime.");
pub(crate) const FOLDER_NOT_DELETABLE: Known = Known("FLD-1026", 3, "The folder must not be deleted.");
pub(crate) const FOLDER_NO_SUBFOLDERS: Known = Known("FLD-1029", 3, "Sub-folders are not allowed here.");
pub(crate) const FOLDER_NO_STORAGE: Known = Known("FLD-1004", 8, "No folder storage for this identifier.");

// Mail.
pub(crate) const MAIL_NOT_FOUND: Known = Known("MSG-0032", 1, "The mail could not be found.");
pub(crate) const MAIL_ATTACHMENT_NOT_FOUND: Known = Known("MSG-0049", 1, "The attachment could not be found.");
pub(crate) const MAIL_TRASH_FULL: Known =
    Known("MSG-0039", 11, "The mail could not be moved to trash: quota exceeded.");
pub(crate) const MAIL_NO_COPY: Known = Known(
    "MSG-0043",
    13,
    "The mail was sent, but could not be copied to the sent folder.",
);
pub(crate) const MAIL_FOLDER_NO_MESSAGES: Known = Known("MSG-0050", 8, "The folder does not hold messages.");
pub(crate) const MAIL_INVALID_SENDER: Known = Known("MSG-0056", 1, "The sender address is not one of yours.");
pub(crate) const MAIL_BAD_FOLDER_NAME: Known = Known("MSG-0060", 1, "The folder name is invalid.");
pub(crate) const MAIL_FOLDER_EXISTS: Known = Known("MSG-0063", 1, "A mail folder of that name already exists.");
pub(crate) const MAIL_FOLDER_NOT_FOUND: Known = Known("MSG-0066", 1, "The mail folder could not be found.");
pub(crate) const MAIL_PATTERN_SHORT: Known = Known("MSG-0068", 1, "The search pattern is too short.");
pub(crate) const MAIL_DEFAULT_FOLDER_RENAME: Known = Known("MSG-0098", 3, "A default folder must not be renamed.");
pub(crate) const MAIL_DEFAULT_FOLDER_DELETE: Known = Known("MSG-0099", 3, "A default folder must not be deleted.");
pub(crate) const MAIL_NO_RECIPIENT: Known = Known("MSG-0035", 1, "The mail has no recipient.");
