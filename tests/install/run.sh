#!/bin/sh
# Does docs/install.md lead to a gateway that works? Makes a clean Debian root, then walks through the document in it with the
# real dpkg and a real service manager: the start script (walk.sh) or systemd (boot.sh). Not a test of the gateway itself: that
# is `make test`.
#
# usage: run.sh walk.sh|boot.sh OXTENDER.deb OX-STANDIN [OLDER.deb]     as root; `make test-install` and `make test-boot` do it
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
    [ $# -ge 3 ] || give_up "usage: $0 walk.sh|boot.sh OXTENDER.deb OX-STANDIN [OLDER.deb]"
    [ "$(id -u)" -eq 0 ] || give_up 'chroot and dpkg need root; try sudo'
    walk=$(dirname "$(realpath "$0")")/$1
    shift
    # What a minimal system has, what the package depends on, and what the walk is about: nothing is fetched later.
    case "$walk" in
    */walk.sh) more=apache2,ca-certificates ;;
    */boot.sh) more=systemd-sysv ;;
    *) give_up "there is no $walk" ;;
    esac

    work=$(mktemp --directory)
    trap 'rm -rf --one-file-system "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    make_root "$work/root" "adduser,$more"
    # Signals reach the walk from the terminal as well; --kill-child ends whatever it started.
    unshare --mount --pid --net --fork --kill-child --mount-proc "$walk" "$work" "$@"
}

make_root() {
    if [ -n "${TREE:-}" ]; then
        cp --archive "$TREE" "$1"
        return
    fi
    echo "making a Debian root with debootstrap: two minutes (TREE=DIR uses one that is there)"
    debootstrap --variant=minbase --include="$2" "${SUITE:-bookworm}" "$1" \
        "${MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 && return
    tail -n 5 "$work/debootstrap.log" >&2
    give_up 'debootstrap made no root; MIRROR= names another mirror'
}

give_up() {
    echo "run.sh: $1" >&2
    exit 1
}

main "$@"
