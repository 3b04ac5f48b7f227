#!/bin/sh
# Installs the Debian packages of programs that are missing, or says in one line what to install.
# Arguments: PROGRAM:PACKAGE ...
set -eu

missing=''
for pair in "$@"; do
    [ -x "${pair%%:*}" ] || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "please install first: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # one word a package
apt-get install --yes --quiet --no-install-recommends $missing >/dev/null 2>&1 && exit 0
apt-get update --quiet >/dev/null
# shellcheck disable=SC2086
apt-get install --yes --quiet --no-install-recommends $missing >/dev/null
