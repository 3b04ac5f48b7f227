#!/bin/sh
# Builds the package of the commit before this one, from which the walk upgrades, and writes its path. Where there is none,
# as in a tarball or a shallow clone, or where it cannot be built, that is said aloud, and no path is written.
set -eu
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
log=$target/deb-older.log

if ! revision=$(git rev-parse --short --quiet --verify 'HEAD^' 2>/dev/null); then
    echo 'there is no commit before this one here: the upgrade will be from the same program' >&2
    exit 0
fi
echo "building the package of $revision, the commit before this one" >&2
if ! packaging/deb.sh "$revision" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "the commit before this one, $revision, cannot be built ($log): the upgrade will be from the same program" >&2
    exit 0
fi
ls "$target/deb-$revision"/oxtender_*.deb
