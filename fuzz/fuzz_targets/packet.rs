//! Feeds the borders of packets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ajp::fuzzing::packet(input));
