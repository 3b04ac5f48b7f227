//! Tests of the module as a whole; each file has its own small ones, too.

mod fixtures;
mod known_answers;
mod properties;
