#!/bin/sh
# Runs every fuzz target for some seconds (first argument, 60 unless given), on stable Rust: libFuzzer needs the coverage
# that these flags ask of the compiler, and no sanitizer, since the crate has no unsafe code. Stops at the first finding,
# which then lies in fuzz/artifacts. `cargo +nightly fuzz run TARGET` does the same with cargo-fuzz.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares'
host=$(rustc -vV | sed -n 's/^host: //p')

# shellcheck disable=SC2086 # lines become blanks
RUSTFLAGS="--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 $(echo $coverage)" \
    cargo build --release --locked --target "$host"
for target in packet to_container to_web_server data stream; do
    echo "== $target"
    mkdir -p "corpus/$target" "artifacts/$target"
    "target/$host/release/$target" -max_total_time="$seconds" -max_len=4096 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="artifacts/$target/" "corpus/$target"
done
