//! What can go wrong in a store, sorted by what the caller should do about it.

/// Every text says which database, and what the administrator can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is lost and the same call may succeed later: answer "try again".
    #[error("the database {place} is not available: {reason}")]
    Unavailable {
        place: String,
        reason: String,
        /// Whether it is worth repeating the call at once: the connection broke, or a deadlock chose us.
        again: bool,
    },
    /// Our tables are not there: the schema is new, or somebody removed them.
    #[error("a table is missing in the database {place}: {reason}")]
    MissingTable { place: String, reason: String },
    /// A table has our name but another program's layout. It is never touched.
    #[error(
        "the table {table} in the database {place} has a layout that this program does not know: {reason}. \
         It was probably left by another product. To start afresh, stop the service, drop the tables {}, \
         and start the service (installation guide, purge)",
        super::layout::PURGE_ORDER.join(", ")
    )]
    Foreign {
        place: String,
        table: String,
        reason: String,
    },
    /// The device has been removed meanwhile; whoever still serves it enters it anew.
    #[error("the device {id} of the context {cid} has been removed")]
    Removed { cid: u32, id: u32 },
    /// A row holds what we never write.
    #[error("the database {place} holds a value that is not valid: {reason}")]
    Corrupt { place: String, reason: String },
    /// Wrong permissions, a wrong argument, a wrong configuration: repeating the call changes nothing.
    #[error("{place}: {reason}")]
    Other { place: String, reason: String },
}

impl Error {
    /// Whether `prepare` followed by the same call may succeed. The store itself has tried that once.
    pub fn is_missing_table(&self) -> bool {
        matches!(self, Self::MissingTable { .. })
    }

    /// Whether the device has to be entered anew.
    pub fn is_removed(&self) -> bool {
        matches!(self, Self::Removed { .. })
    }

    /// Whether the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    pub(super) fn other(place: &str, reason: impl Into<String>) -> Self {
        Self::Other {
            place: place.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn unavailable(place: &str, reason: impl Into<String>) -> Self {
        Self::Unavailable {
            place: place.to_owned(),
            reason: reason.into(),
            again: false,
        }
    }

    pub(super) fn corrupt(place: &str, reason: impl Into<String>) -> Self {
        Self::Corrupt {
            place: place.to_owned(),
            reason: reason.into(),
        }
    }
}
