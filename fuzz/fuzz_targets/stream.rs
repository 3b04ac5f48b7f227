//! Feeds a whole stream of bytes through a connection.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ajp::fuzzing::stream(input));
