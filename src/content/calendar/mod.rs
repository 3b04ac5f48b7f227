//! Appointments.

pub mod zone;
