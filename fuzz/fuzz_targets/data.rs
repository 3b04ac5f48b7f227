//! Feeds DATA.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ajp::fuzzing::data(input));
