//! Feeds the packets of a web server.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ajp::fuzzing::to_container(input));
