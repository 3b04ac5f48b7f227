#!/bin/sh
# Does docs/install.md lead to a gateway that works? Makes a clean Debian root, then walks through the document in it
# (walk.sh) with the real dpkg and the real start script. Not a test of the gateway itself: that is `make test`.
#
# usage: run.sh OXTENDER.deb OX-STANDIN     as root; `make test-install` does it
#
# environment:
#   MIRROR   where Debian comes from (http://deb.debian.org/debian)
#   SUITE    which Debian (bookworm)
#   TREE     a root that debootstrap made before: it is copied, which saves two minutes
#
# The host is left as it was: the root is a temporary directory, and mounts, processes and the network of the walk are in
# namespaces of their own and end with it. So the usual ports are free there, and nobody else's are touched.
set -eu

main() {
    [ $# -eq 2 ] || give_up "usage: $0 OXTENDER.deb OX-STANDIN"
    [ "$(id -u)" -eq 0 ] || give_up 'chroot and dpkg need root; try: sudo make test-install'
    package=$(realpath "$1")
    standin=$(realpath "$2")
    here=$(dirname "$(realpath "$0")")

    work=$(mktemp --directory)
    trap 'rm -rf --one-file-system "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    make_root "$work/root"
    # Signals reach the walk from the terminal as well; --kill-child ends whatever it started.
    unshare --mount --pid --net --fork --kill-child "$here/walk.sh" "$work" "$package" "$standin"
}

make_root() {
    if [ -n "${TREE:-}" ]; then
        cp --archive "$TREE" "$1"
        return
    fi
    echo "making a Debian root with debootstrap: two minutes (TREE=DIR uses one that is there)"
    # What a minimal system has, and what the package depends on: nothing is fetched later.
    debootstrap --variant=minbase --include=adduser "${SUITE:-bookworm}" "$1" \
        "${MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 && return
    tail -n 5 "$work/debootstrap.log" >&2
    give_up 'debootstrap made no root; MIRROR= names another mirror'
}

give_up() {
    echo "test-install: $1" >&2
    exit 1
}

main "$@"
