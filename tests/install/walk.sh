#!/bin/sh
# The walk through docs/install.md, see run.sh, which starts it in namespaces of its own.
# Every line that it writes is something that was found true; the first that is not ends it with what was seen instead.
#
# usage: walk.sh DIRECTORY OXTENDER.deb OX-STANDIN     DIRECTORY has the Debian root, and takes notes
set -eu

work=$1
package=$2
standin=$3
root=$work/root
project=$(dirname "$(realpath "$0")")/../..

ETC=/opt/open-xchange/etc
LOG=/var/log/oxtender/oxtender.log
PHONE=WALKPHONE1
# The key that the older package of this walk does not know yet, far from the line that is changed.
NEW_KEY=com.openexchange.usm.max_objects_per_folder

main() {
    ip link set lo up
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    # A root without an init does not let packages start anything, unless it is asked to.
    printf '#!/bin/sh\nexit 0\n' >"$root/usr/sbin/policy-rc.d"
    chmod 0755 "$root/usr/sbin/policy-rc.d"
    ox 127.0.0.1:80
    make_packages
    # Without anything else in it, dpkg would remove the directory, as it belongs to no package.
    mkdir "$root/opt/another"
    list_files >"$work/clean"

    a_clean_host
    an_upgrade
    remove_and_purge
    in_place_of_the_original
    open_xchange_6
    echo "docs/install.md leads where it says"
}

# --- chapters -----------------------------------------------------------------------------------------------------------

a_clean_host() {
    chapter 'A clean host'
    expect 'dpkg installs it' install older
    expect 'the user is there' inside getent passwd open-xchange
    expect 'the user has no password and no shell' inside sh -c \
        'getent shadow open-xchange | grep -q "^open-xchange:[!*]" && getent passwd open-xchange | grep -q nologin$'
    has_mode "$ETC/usm.properties" '640 root:open-xchange'
    has_mode "$ETC/eas.properties" '640 root:open-xchange'
    has_mode /var/lib/oxtender '750 open-xchange:open-xchange'
    has_mode /var/log/oxtender '750 root:adm'
    has_mode /etc/default/oxtender '644 root:root'
    has_mode /lib/systemd/system/oxtender.service '644 root:root'
    expect 'the manual page is there' test -e "$root/usr/share/man/man8/oxtender-serve.8.gz"
    check_unit

    expect 'it has started by itself' inside /etc/init.d/oxtender status
    tells 'AJP answers' ActiveSync inside oxtender check ajp 127.0.0.1:8009
    tells 'it is healthy' ok get http://127.0.0.1:8011/health

    # The lines of the document for an Open-Xchange that has port 8009 itself, and a door that curl can enter by.
    documented docs/install.md com.openexchange.usm.eas.ajp.listen=127.0.0.1:8019
    documented etc/apache/http.conf com.openexchange.usm.eas.http.listen=127.0.0.1:8010
    expect 'it stops' inside /etc/init.d/oxtender stop
    fails 'and is not there any more' inside /etc/init.d/oxtender status
    expect 'stopping once more is no error' inside /etc/init.d/oxtender stop
    rm "$root"/var/lib/oxtender/*
    expect 'root makes the tables' inside oxtender db create
    expect 'and leaves them to the service' all_owned_by open-xchange /var/lib/oxtender
    ox 127.0.0.1:8009
    configure usm com.openexchange.usm.ox.url=http://127.0.0.1:8009/ajax/
    configure eas com.openexchange.usm.eas.ajp.listen=127.0.0.1:8019
    configure eas com.openexchange.usm.eas.http.listen=127.0.0.1:8010
    expect 'it starts' inside /etc/init.d/oxtender start
    expect 'starting once more is no error' inside /etc/init.d/oxtender start
    expect 'it restarts' inside /etc/init.d/oxtender restart
    expect 'it is there' inside /etc/init.d/oxtender status
    tells 'AJP answers at its new port' ActiveSync inside oxtender check ajp 127.0.0.1:8019

    a_phone_syncs
    a_reload
    tells 'the phone is listed' "$PHONE" inside oxtender device list
    tells 'the tables are there' 'USMSession ' inside oxtender db status
    expect 'the files are the service'\''s' all_owned_by open-xchange /var/lib/oxtender
    tells 'a log line is the one of docs/troubleshooting.md' "anton $PHONE FolderSync 14.1 from=" cat "$root$LOG"
    fails 'the log has no password' grep -F secret "$root$LOG"
    a_wrong_configuration_is_refused
}

a_phone_syncs() {
    tells 'a phone may log in' '^MS-ASProtocolVersions: .*16.1' phone OPTIONS secret
    tells 'not with a wrong password' '^HTTP/1.1 401' phone OPTIONS wrong
    folder_sync 0
    tells 'the phone gets its folders' 'Posteingang' inside oxtender wbxml /tmp/answer
    key=$(sed -n 's|.*<SyncKey>\(.*\)</SyncKey>.*|\1|p' "$work/output")
}

a_reload() {
    before=$(cat "$root/run/oxtender.pid")
    configure eas com.openexchange.usm.eas.ping.poll_interval=20
    expect 'it reloads' inside /etc/init.d/oxtender reload
    tells 'the log says what changed' 'in force for new requests: com.openexchange.usm.eas.ping.poll_interval$' logged 'was read again'
    expect 'it is the same process' test "$before" = "$(cat "$root/run/oxtender.pid")"
}

a_wrong_configuration_is_refused() {
    cp --archive "$root$ETC/eas.properties" "$work/eas.properties"
    configure eas com.openexchange.usm.eas.ping.poll_interval=often
    fails 'a wrong value lets a reload fail' inside /etc/init.d/oxtender reload
    told 'which names it' 'eas.properties, line .*poll_interval=often is not valid'
    tells 'and changes nothing' ok get http://127.0.0.1:8011/health
    fails 'a wrong value lets the start fail' inside /etc/init.d/oxtender restart
    told 'which names it' 'eas.properties, line .*poll_interval=often is not valid'
    cp --archive "$work/eas.properties" "$root$ETC/eas.properties"
    expect 'put right, it starts' inside /etc/init.d/oxtender start
}

an_upgrade() {
    chapter 'Upgrading'
    cp --archive "$root$ETC/usm.properties" "$work/usm.properties"
    before=$(cat "$root/run/oxtender.pid")
    expect 'dpkg installs the newer one' install newer
    expect 'the changed file is as it was' cmp "$work/usm.properties" "$root$ETC/usm.properties"
    has_mode "$ETC/usm.properties" '640 root:open-xchange'
    expect 'the new one lies beside it' grep -q "^$NEW_KEY=" "$root$ETC/usm.properties.dpkg-dist"
    tells 'oxtender config diff shows what is new' "^$NEW_KEY=" inside oxtender config diff
    tells 'and what was changed' '^#   com.openexchange.usm.ox.url=http://127.0.0.1:8009/ajax/' inside oxtender config diff
    expect 'the service runs' inside /etc/init.d/oxtender status
    fails 'and it is the new one' test "$before" = "$(cat "$root/run/oxtender.pid")"
    tells 'the phone is still listed' "$PHONE" inside oxtender device list
    folder_sync "$key"
    tells 'it goes on where it was' '<Status>1</Status>' inside oxtender wbxml /tmp/answer
    fails 'and gets nothing twice' grep -a Posteingang "$root/tmp/answer"
}

remove_and_purge() {
    chapter 'Removing'
    expect 'dpkg removes it' inside dpkg --remove oxtender
    fails 'the service has stopped' get http://127.0.0.1:8011/health
    expect 'the configuration is kept' cmp "$work/usm.properties" "$root$ETC/usm.properties"
    expect 'the states are kept' test -s "$root/var/lib/oxtender/oxtender.db"
    expect 'dpkg purges it' inside dpkg --purge oxtender
    expect 'no file is left, and none is missing' nothing_left
    expect 'the user, who may be Open-Xchange'\''s, is left' inside getent passwd open-xchange
}

in_place_of_the_original() {
    chapter 'A host with the original USM'
    expect 'dpkg installs a package of that name' inside dpkg --install /tmp/original.deb
    configure usm com.openexchange.usm.ox.url=http://127.0.0.1:8009/ajax/
    cp --archive "$root$ETC/usm.properties" "$work/usm.properties"
    tells 'dpkg installs this one in its place' 'open-xchange-usm' install newer
    fails 'the original is gone' test -e "$root/opt/open-xchange/bundles/usm.jar"
    expect 'its changed file stays in force' cmp "$work/usm.properties" "$root$ETC/usm.properties"
    has_mode "$ETC/usm.properties" '640 root:open-xchange'
    fails 'Open-Xchange has its port, so it does not run yet' inside /etc/init.d/oxtender status
    tells 'as the log says' 'cannot listen on 127.0.0.1:8009 (com.openexchange.usm.eas.ajp.listen)' cat "$root$LOG"
    fails 'another start fails' timeout 15 chroot "$root" /etc/init.d/oxtender start
    told 'and says at once why' 'cannot listen on 127.0.0.1:8009'
    configure eas com.openexchange.usm.eas.ajp.listen=127.0.0.1:8019
    expect 'with another port it starts' inside /etc/init.d/oxtender start
    tells 'it is healthy' ok get http://127.0.0.1:8011/health
    expect 'dpkg purges it' inside dpkg --purge oxtender
    kill "$stands"
}

open_xchange_6() {
    chapter 'A host of Open-Xchange 6'
    mkdir --parents "$root$ETC/groupware"
    echo com.openexchange.usm.ox.url=http://127.0.0.1/ajax/ >"$root$ETC/groupware/usm.properties"
    echo com.openexchange.usm.eas.http.listen=127.0.0.1:8010 >"$root$ETC/groupware/eas.properties"
    cp --archive "$root$ETC/groupware" "$work/groupware"
    list_files >"$work/clean"
    tells 'dpkg installs it, which tells where the configuration is' "using the configuration in $ETC/groupware" install newer
    tells 'a phone may log in by the door of that file' '^HTTP/1.1 200' phone OPTIONS secret
    tells 'commands know it, too' '^#   com.openexchange.usm.eas.http.listen=' inside oxtender config diff
    expect 'dpkg purges it' inside dpkg --purge oxtender
    expect 'no file is left, and none is missing' nothing_left
    expect 'the old files are as they were' diff -r "$work/groupware" "$root$ETC/groupware"
}

# --- packages -----------------------------------------------------------------------------------------------------------

# The newer package is the one that was built. The older one is made of it, without a second build: a lower version, and a
# configuration that lacks a key. A third has the name and a file of the original.
make_packages() {
    cp "$package" "$root/tmp/newer.deb"

    dpkg-deb --raw-extract "$package" "$work/older"
    sed -i 's/^Version: .*/Version: 0.0.1/' "$work/older/DEBIAN/control"
    sed -i "/^$NEW_KEY=/d" "$work/older$ETC/usm.properties"
    dpkg-deb --root-owner-group --build "$work/older" "$root/tmp/older.deb" >/dev/null

    mkdir --parents "$work/original/DEBIAN" "$work/original$ETC" "$work/original/opt/open-xchange/bundles"
    cat >"$work/original/DEBIAN/control" <<-END
		Package: open-xchange-usm
		Version: 7.10.6
		Architecture: all
		Maintainer: nobody <nobody@example.com>
		Description: stands for the original
	END
    echo "$ETC/usm.properties" >"$work/original/DEBIAN/conffiles"
    echo com.openexchange.usm.ox.url=http://localhost/ajax/ >"$work/original$ETC/usm.properties"
    echo jar >"$work/original/opt/open-xchange/bundles/usm.jar"
    dpkg-deb --root-owner-group --build "$work/original" "$root/tmp/original.deb" >/dev/null
}

# An answer to dpkg's question in advance, as the document advises: keep yours.
install() {
    inside dpkg --force-confold --install "/tmp/$1.deb"
}

# --- the host -----------------------------------------------------------------------------------------------------------

inside() {
    chroot "$root" /usr/bin/env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"
}

# Writes `key=value` into usm.properties or eas.properties, as an editor would.
configure() {
    sed -i "s|^${2%%=*}=.*|$2|" "$root$ETC/$1.properties"
    grep -qxF "$2" "$root$ETC/$1.properties" || fail "$2: no such line in $1.properties"
}

# What the walk does must stand in a document.
documented() {
    expect "$1 says $2" grep -qF "$2" "$project/$1"
}

has_mode() {
    tells "$1 is $2" "^$2\$" inside stat --format='%a %U:%G' "$1"
}

all_owned_by() {
    ! find "$root$2" ! -uid "$(inside id -u "$1")" | grep .
}

check_unit() {
    if ! command -v systemd-analyze >/dev/null; then
        echo '  (the unit is not checked: no systemd-analyze here)'
        return
    fi
    # The units it refers to are those of this host; the program is not there.
    sed 's|^ExecStart=/usr/sbin/oxtender|ExecStart=/bin/true|' "$root/lib/systemd/system/oxtender.service" >"$work/oxtender.service"
    systemd-analyze verify --man=no "$work/oxtender.service" >"$work/unit" 2>&1 || true
    fails 'systemd has nothing to say about the unit' grep . "$work/unit"
}

# All names with their modes and owners, but not what dpkg and adduser note for themselves.
list_files() {
    find "$root" \( -path "$root/proc" -o -path "$root/tmp" -o -path "$root/var/lib/dpkg" -o -path "$root/var/cache" \
        -o -name dpkg.log -o -path "$root/run/adduser" -o -path "$root/etc/*-" \) -prune -o -printf '%P %M %U:%G\n' | sort
}

nothing_left() {
    list_files | diff "$work/clean" -
}

# --- Open-Xchange, a phone ----------------------------------------------------------------------------------------------

# Starts the stand-in at an address, and waits for it. `$stands` is its process.
ox() {
    : >"$work/ox"
    "$standin" --listen "$1" >>"$work/ox" &
    stands=$!
    waited=0
    until grep -q listening "$work/ox"; do
        waited=$((waited + 1))
        [ "$waited" -lt 100 ] || fail "no stand-in at $1"
        sleep 0.1
    done
}

# logged TEXT: waits for a line in the log that has it, and writes that.
logged() {
    waited=0
    until grep -F "$1" "$root$LOG"; do
        waited=$((waited + 1))
        [ "$waited" -lt 100 ] || return 1
        sleep 0.1
    done
}

get() {
    curl --silent --show-error --fail --max-time 20 "$1"
}

# phone METHOD PASSWORD [CURL-ARGUMENT...]: one request of anton's phone; writes the head of the answer.
phone() {
    method=$1
    password=$2
    shift 2
    curl --silent --show-error --max-time 20 --request "$method" --user "anton:$password" \
        --header 'MS-ASProtocolVersion: 14.1' --dump-header - --output "$root/tmp/answer" "$@" \
        "http://127.0.0.1:8010/Microsoft-Server-ActiveSync?Cmd=${command:-}&User=anton&DeviceId=$PHONE&DeviceType=Walk"
}

# folder_sync KEY: the body is FolderSync (16) with a SyncKey (12), code page FolderHierarchy (7), in WBXML.
folder_sync() {
    printf '\003\001\152\000\000\007\126\122\003%s\000\001\001' "$1" >"$work/request"
    command=FolderSync
    tells "a FolderSync with the key $1 is answered" '^HTTP/1.1 200' phone POST secret \
        --header 'Content-Type: application/vnd.ms-sync.wbxml' --data-binary "@$work/request"
    command=
}

# --- what is found ------------------------------------------------------------------------------------------------------

chapter() {
    echo "$1"
}

# expect WHAT COMMAND...: the command must succeed.
expect() {
    what=$1
    shift
    "$@" >"$work/output" 2>&1 || fail "$what"
    echo "  $what"
}

# fails WHAT COMMAND...: it must not.
fails() {
    what=$1
    shift
    ! "$@" >"$work/output" 2>&1 || fail "$what"
    echo "  $what"
}

# tells WHAT PATTERN COMMAND...: the command must succeed, and write what fits the pattern, in letters of any case.
tells() {
    what=$1
    pattern=$2
    shift 2
    "$@" >"$work/output" 2>&1 || fail "$what"
    told "$what" "$pattern"
}

# told WHAT PATTERN: the command before wrote what fits it.
told() {
    grep -qi -e "$2" "$work/output" || fail "$1 (nothing fits $2)"
    echo "  $1"
}

fail() {
    {
        echo "NOT TRUE: $1"
        sed 's/^/    | /' "$work/output"
        if [ -s "$root$LOG" ]; then
            echo "    the end of $LOG:"
            tail -n 15 "$root$LOG" | sed 's/^/    | /'
        fi
    } >&2
    exit 1
}

main
