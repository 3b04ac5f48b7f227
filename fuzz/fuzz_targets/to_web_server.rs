//! Feeds the packets of a container.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ajp::fuzzing::to_web_server(input));
