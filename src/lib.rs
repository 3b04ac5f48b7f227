//! An ActiveSync gateway for Open-Xchange.

pub mod content;
pub mod ox;
pub mod usm;
pub mod version;
pub mod wbxml;
