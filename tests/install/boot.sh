#!/bin/sh
# The package on a host with systemd, see run.sh, which starts this in namespaces of its own. The root is booted by
# systemd-nspawn, with its own systemd as the first process, so that the unit runs as it is shipped, hardening included. What an
# installation is beside that, is walk.sh's.
#
# usage: boot.sh DIRECTORY OXTENDER.deb OX-STANDIN     DIRECTORY has the Debian root, and takes notes
set -eu

work=$1
package=$2
standin=$3
root=$work/root
project=$(dirname "$(realpath "$0")")/../..
. "$project/tests/install/steps.sh"

DROP_IN=/etc/systemd/system/oxtender.service.d/override.conf

main() {
    ip link set lo up
    mount --make-rprivate /
    # What systemd-nspawn notes of itself is gone with this.
    mount -t tmpfs tmpfs /run
    cp "$package" "$root$SHARED/newer.deb"
    boot
    ox 127.0.0.1:80
    mkdir --parents "$root/opt/another"
    list_files >"$work/clean"

    installed
    hardened
    reloads
    comes_back
    database_elsewhere
    stops
    sockets_of_systemd
    purged
    echo "the unit does what it should"
}

# --- chapters -----------------------------------------------------------------------------------------------------------

installed() {
    chapter 'Installing'
    expect 'dpkg installs it' install newer
    expect 'it has started by itself' inside systemctl is-active oxtender
    expect 'it starts with the host' inside systemctl is-enabled oxtender
    tells 'systemd waits until it serves' '^Type=notify$' inside systemctl show --property=Type oxtender
    tells 'it is healthy' '"ok":true' get http://127.0.0.1:8011/health
    configure eas com.openexchange.usm.eas.http.listen=127.0.0.1:8010
    expect 'it restarts' inside systemctl restart oxtender
    tells 'its status is told' 'active (running)' inside systemctl status --no-pager oxtender
    a_phone_syncs
    expect 'the journal has its log' logged "anton $PHONE FolderSync 14.1 from="
}

hardened() {
    chapter 'Hardened'
    expect 'systemd has nothing to say about the unit' inside systemd-analyze verify --man=no oxtender.service
    expect 'its exposure is below 2 of 10' inside systemd-analyze security --no-pager --threshold=20 oxtender.service
    process=$(pid)
    for line in 'NoNewPrivs:	1' 'Seccomp:	2' 'CapEff:	0000000000000000' 'CapBnd:	0000000000000000'; do
        expect "$line" inside grep -x "$line" "/proc/$process/status"
    done
    expect 'its user is open-xchange' test "$(inside id -u open-xchange)" = "$(inside stat --format=%u "/proc/$process")"
    # As many as the host lets it have.
    # shellcheck disable=SC3045 # dash and bash know it
    most=$(ulimit -Hn)
    [ "$most" -le 65536 ] || most=65536
    tells "it may have $most connections and files" "^Max open files *$most " inside cat "/proc/$process/limits"
}

reloads() {
    chapter 'Reloading'
    before=$(pid)
    configure eas com.openexchange.usm.eas.ping.poll_interval=20
    expect 'it reloads' inside systemctl reload oxtender
    tells 'the log says what changed' 'poll_interval$' logged 'was read again'
    cp --archive "$root$ETC/eas.properties" "$work/eas.properties"
    configure eas com.openexchange.usm.eas.ping.poll_interval=often
    fails 'a wrong value lets a reload fail' inside systemctl reload oxtender
    tells 'the log names it' 'line .*poll_interval=often is not valid' logged 'is not valid'
    expect 'it serves as before' inside systemctl is-active oxtender
    expect 'by the same process' test "$before" = "$(pid)"
    fails 'a wrong value lets a restart fail' inside systemctl restart oxtender
    cp --archive "$work/eas.properties" "$root$ETC/eas.properties"
    expect 'put right, it starts' inside systemctl start oxtender
}

comes_back() {
    chapter 'After a crash'
    before=$(pid)
    expect 'it is killed' inside sh -c "kill -KILL $before"
    await 'it is back' get http://127.0.0.1:8011/health
    fails 'it is another process' test "$before" = "$(pid)"
    the_phone_goes_on
}

# docs/install.md, 3.
database_elsewhere() {
    chapter 'A database elsewhere'
    expect 'the directory is made' inside install -d -o open-xchange -g open-xchange -m 0750 /srv/oxtender
    configure usm com.openexchange.usm.database.url=sqlite:/srv/oxtender/oxtender.db
    fails 'the unit forbids to write there' inside systemctl restart oxtender
    expect 'which the log tells' logged '/srv/oxtender/oxtender.db: unable to open'
    mkdir --parents "$root$(dirname "$DROP_IN")"
    printf '[Service]\nReadWritePaths=/srv/oxtender\n' >"$root$DROP_IN"
    expect 'docs/install.md says how to allow it' grep -q ReadWritePaths=/srv/oxtender "$project/docs/install.md"
    expect 'the unit is read again' inside systemctl daemon-reload
    expect 'it starts' inside systemctl restart oxtender
    expect 'the database is there' inside test -s /srv/oxtender/oxtender.db
    configure usm com.openexchange.usm.database.url=sqlite:/var/lib/oxtender/oxtender.db
    rm -r "$root$(dirname "$DROP_IN")" "$root/srv/oxtender"
    expect 'the unit is read again' inside systemctl daemon-reload
    expect 'it starts with its own' inside systemctl restart oxtender
    the_phone_goes_on
}

# A phone that waits is answered at once.
stops() {
    chapter 'Stopping'
    ping_waits &
    waiting=$!
    await 'the phone waits' a_phone_waits
    began=$(date +%s)
    expect 'it stops' inside systemctl stop oxtender
    expect 'within its time' test "$(($(date +%s) - began))" -lt 25
    expect 'the phone that waited was answered' wait "$waiting"
    tells 'as one that has ended well' '^Result=success$' inside systemctl show --property=Result oxtender
}

# Ping (05), HeartbeatInterval (08), Folders (09), Folder (0A), Id (0B), Class (0C), code page Ping (13).
ping_waits() {
    printf '\003\001\152\000\000\015\105\110\003300\000\001\111\112\113\003%s\000\001\114\003Email\000\001\001\001\001' "$inbox" >"$work/ping"
    curl --silent --fail --max-time 60 --user anton:secret --header 'MS-ASProtocolVersion: 14.1' \
        --header 'Content-Type: application/vnd.ms-sync.wbxml' --data-binary "@$work/ping" --output /dev/null \
        "http://127.0.0.1:8010/Microsoft-Server-ActiveSync?Cmd=Ping&User=anton&DeviceId=$PHONE&DeviceType=Walk"
}

a_phone_waits() {
    get http://127.0.0.1:8011/metrics | grep -x 'oxtender_waiting_devices{command="Ping"} 1'
}

# Sockets that systemd holds outlive the service: whoever comes during a restart waits and is served.
sockets_of_systemd() {
    chapter 'Sockets of systemd'
    printf '[Socket]\nListenStream=127.0.0.1:8010\nFileDescriptorName=http\nService=oxtender.service\n' \
        >"$root/etc/systemd/system/oxtender-http.socket"
    expect 'the unit is read' inside systemctl daemon-reload
    expect 'the socket is there' inside systemctl start oxtender-http.socket
    tells 'a phone that comes starts the service' '^HTTP/1.1 200' phone OPTIONS secret
    expect 'which has the socket' logged 'socket http of the service manager'
    expect 'it stops' inside systemctl stop oxtender-http.socket oxtender
    rm "$root/etc/systemd/system/oxtender-http.socket"
    expect 'the unit is forgotten' inside systemctl daemon-reload
}

purged() {
    chapter 'Removing'
    expect 'it starts' inside systemctl start oxtender
    expect 'dpkg removes it' inside dpkg --remove oxtender
    fails 'the service has stopped' get http://127.0.0.1:8011/health
    expect 'dpkg purges it' inside dpkg --purge oxtender
    expect 'no file is left, and none is missing' nothing_left
}

# --- the host -----------------------------------------------------------------------------------------------------------

# Starts the root's systemd, and waits until it has started everything. `$first` is its process.
boot() {
    systemd-nspawn --directory="$root" --boot --register=no --keep-unit --console=pipe </dev/null >"$work/console" 2>&1 &
    container=$!
    await 'systemd-nspawn starts no systemd' has_started
    await 'systemd does not come up' is_up
}

has_started() {
    # shellcheck disable=SC2013 # words are what is wanted
    for process in $(cat "/proc/$container/task/$container/children"); do
        [ "$(cat "/proc/$process/comm")" != systemd ] || first=$process
    done
    [ -n "${first:-}" ]
}

# Some units of the host may not be for containers.
is_up() {
    inside systemctl is-system-running >"$work/state" 2>&1 || grep -qx degraded "$work/state"
}

inside() {
    nsenter --target "$first" --mount --uts --ipc --pid --cgroup --root --wdns=/ \
        /usr/bin/env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"
}

# The process of the service.
pid() {
    inside systemctl show --property=MainPID --value oxtender
}

the_log() {
    inside journalctl --unit=oxtender --output=cat --no-pager 2>/dev/null || tail -n 15 "$work/console"
}

main
