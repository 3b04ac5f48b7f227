#!/bin/sh
# Builds the Debian package into target/deb. Debian wants its files at the top of a source tree, so a copy of what git
# knows is made there.
set -eu
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# dh builds with a home directory of its own.
export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"

out="$CARGO_TARGET_DIR/deb"
tree="$out/oxtender"
rm -rf "$out"
mkdir -p "$tree"
git ls-files -z | tar --null --files-from=- --create | tar --extract --directory "$tree"
cp -a packaging/debian "$tree/debian"

(cd "$tree" && dpkg-buildpackage --build=binary --unsigned-changes --no-check-builddeps "$@")
ls "$out"/*.deb
