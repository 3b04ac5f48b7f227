# shellcheck shell=sh
# The steps that walk.sh and boot.sh are made of: Open-Xchange, a phone, the files of the host, and what is found. Each of them
# sets $work (a directory for notes), $root (the Debian root) and $standin, and says how a command is run in the root
# (`inside`) and where the log of the gateway is (`the_log`).
#
# Every line that is written is something that was found true; the first that is not ends the walk with what was seen instead.

# shellcheck disable=SC2154,SC2034 # set and used by those who read this file
ETC=/opt/open-xchange/etc
PHONE=WALKPHONE1
# Where packages, requests and answers lie, inside and out.
SHARED=/mnt

# --- the host -----------------------------------------------------------------------------------------------------------

# An answer to dpkg's question in advance, as the document advises: keep yours.
install() {
    inside dpkg --force-confold --install "$SHARED/$1.deb"
}

# Writes `key=value` into usm.properties or eas.properties, as an editor would.
configure() {
    sed -i "s|^${2%%=*}=.*|$2|" "$root$ETC/$1.properties"
    grep -qxF "$2" "$root$ETC/$1.properties" || fail "$2: no such line in $1.properties"
}

has_mode() {
    tells "$1 is $2" "^$2\$" inside stat --format='%a %U:%G' "$1"
}

# All names with their modes and owners, but not what dpkg, adduser, start-stop-daemon, Apache and systemd note for themselves.
list_files() {
    find "$root" \( -path "$root/proc" -o -path "$root/tmp" -o -path "$root$SHARED" -o -path "$root/var/lib/dpkg" \
        -o -path "$root/var/cache" -o -path "$root/run/adduser" -o -path "$root/etc/*-" -o -name dpkg.log \
        -o -path "$root/etc/apache2" -o -path "$root/etc/ssl" -o -path "$root/usr/local/share/ca-certificates" \
        -o -path "$root/var/lib/apache2" -o -path "$root/var/log/apache2" -o -path "$root/run/apache2" -o -path "$root/run/lock" \
        -o -path "$root/run/.s-s-d-notify.*" -o -path "$root/var/log/journal" -o -path "$root/var/lib/systemd" -o -path "$root/var/tmp" \
        \) -prune -o -printf '%P %M %U:%G\n' | sort
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
    await "no stand-in at $1" grep -q listening "$work/ox"
}

# logged TEXT: waits for a line in the log that has it, and writes that.
logged() {
    waited=0
    until the_log | grep -F "$1"; do
        waited=$((waited + 1))
        [ "$waited" -lt 100 ] || return 1
        sleep 0.1
    done
}

# await WHAT COMMAND...: repeats the command until it succeeds.
await() {
    what=$1
    shift
    waited=0
    until "$@" >"$work/output" 2>&1; do
        waited=$((waited + 1))
        [ "$waited" -lt 300 ] || fail "$what"
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
    curl --silent --show-error --max-time 60 --request "$method" --user "anton:$password" \
        --header 'MS-ASProtocolVersion: 14.1' --dump-header - --output "$root$SHARED/answer" "$@" \
        "${door:-http://127.0.0.1:8010}/Microsoft-Server-ActiveSync?Cmd=${command:-}&User=anton&DeviceId=$PHONE&DeviceType=Walk"
}

# post COMMAND: with the body that lies in $work/request.
post() {
    command=$1
    phone POST secret --header 'Content-Type: application/vnd.ms-sync.wbxml' --data-binary "@$work/request"
    command=
}

# folder_sync KEY: the body is FolderSync (16) with a SyncKey (12), code page FolderHierarchy (7), in WBXML.
folder_sync() {
    printf '\003\001\152\000\000\007\126\122\003%s\000\001\001' "$1" >"$work/request"
    tells "a FolderSync with the key $1 is answered" '^HTTP/1.1 200' post FolderSync
}

# sync KEY FOLDER: Sync (05), Collections (1C), Collection (0F), SyncKey (0B), CollectionId (12), code page AirSync (0).
sync() {
    printf '\003\001\152\000\105\134\117\113\003%s\000\001\122\003%s\000\001\001\001\001' "$1" "$2" >"$work/request"
    tells "a Sync with the key $1 is answered" '^HTTP/1.1 200' post Sync
}

# read_answer: what the phone got, as text. Nothing at all is an answer, too: nothing is new.
read_answer() {
    : >"$work/answer"
    [ ! -s "$root$SHARED/answer" ] || inside oxtender wbxml "$SHARED/answer" >"$work/answer"
}

# A new phone gets its folders and its mail. `$tree_key`, `$inbox` and `$key` are what it goes on with.
a_phone_syncs() {
    tells 'a phone may log in' '^MS-ASProtocolVersions: .*16.1' phone OPTIONS secret
    tells 'not with a wrong password' '^HTTP/1.1 401' phone OPTIONS wrong
    folder_sync 0
    expect 'the answer can be read' read_answer
    expect 'the phone gets its folders' grep Posteingang "$work/answer"
    tree_key=$(sync_key)
    inbox=$(awk -F '[<>]' '/<ServerId>/ { id = $3 } /<DisplayName>Posteingang</ { print id }' "$work/answer")
    key=0
    mails=0
    # The first answer has a key only; then windows come until there is no more.
    while sync "$key" "$inbox" && read_answer && grep -q '<SyncKey>' "$work/answer"; do
        before=$key
        key=$(sync_key)
        mails=$((mails + $(grep -c '<Add>' "$work/answer" || true)))
        [ "$before" = 0 ] || grep -q '<MoreAvailable' "$work/answer" || break
    done
    expect "it gets $mails mails" test "$mails" -gt 0
}

# The phone of before goes on: it is told nothing that it knows.
the_phone_goes_on() {
    folder_sync "$tree_key"
    expect 'the answer can be read' read_answer
    expect 'its folders are as they were' grep '<Status>1</Status>' "$work/answer"
    fails 'and none comes twice' grep Posteingang "$work/answer"
    sync "$key" "$inbox"
    expect 'the answer can be read' read_answer
    fails 'its mail is as it was' grep -E '<Add>|<Status>[^1]' "$work/answer"
}

sync_key() {
    sed -n 's|.*<SyncKey>\(.*\)</SyncKey>.*|\1|p' "$work/answer" | head -n 1
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
        echo '    the end of the log:'
        the_log 2>/dev/null | tail -n 15 | sed 's/^/    | /'
    } >&2
    exit 1
}
