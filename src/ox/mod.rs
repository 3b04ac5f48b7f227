//! The OX HTTP API.

pub mod columns;
pub mod object;

pub use object::Object;
