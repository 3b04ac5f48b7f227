#!/bin/sh
# Builds the Debian package into target/deb. Debian wants its files at the top of a source tree, so a copy of what git
# knows is made there.
#
# usage: deb.sh [REVISION]     of this tree; or of a commit, into target/deb-REVISION, for tests of upgrades
set -eu
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-$PWD/target}"
# Beside the sources, not above them: cargo looks for changes in the files that it compiled last, wherever below its own
# directory they are, and would take one package's program for another's.
export CARGO_TARGET_DIR="$target/deb-cargo"
# dh builds with a home directory of its own.
export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"

out="$target/deb${1:+-$(git rev-parse --short "$1")}"
tree="$out/oxtender"
rm -rf "$out"
mkdir -p "$tree"
# With the time of now, so that our crates are compiled each time, and only ours.
if [ $# -gt 0 ]; then
    git archive "$1"
else
    git ls-files -z | tar --null --files-from=- --create
fi | tar --extract --touch --directory "$tree"
cp -a "$tree/packaging/debian" "$tree/debian"

(cd "$tree" && dpkg-buildpackage --build=binary --unsigned-changes --no-check-builddeps)
ls "$out"/*.deb
