//! An ActiveSync gateway for Open-Xchange.

pub mod config;
pub mod content;
pub mod ox;
pub mod store;
pub mod version;
pub mod wbxml;
