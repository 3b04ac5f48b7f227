#!/bin/sh
# The walk through docs/install.md on a host whose services have start scripts, see run.sh, which starts it in namespaces of its
# own; systemd is boot.sh's.
#
# usage: walk.sh DIRECTORY OXTENDER.deb OX-STANDIN [OLDER.deb]     DIRECTORY has the Debian root, and takes notes
set -eu

work=$1
package=$2
standin=$3
older=${4:-}
root=$work/root
project=$(dirname "$(realpath "$0")")/../..
. "$project/tests/install/steps.sh"

LOG=/var/log/oxtender/oxtender.log
# The key that the older package of this walk does not know yet, far from the line that is changed.
NEW_KEY=com.openexchange.usm.max_objects_per_folder
APACHE_SITE=/etc/apache2/sites-available/default-ssl.conf
APACHE_LINE='ProxyPass /Microsoft-Server-ActiveSync ajp://127.0.0.1:8009/Microsoft-Server-ActiveSync smax=0 ttl=60 retry=5 timeout=3700'

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
    apache_in_front
    remove_and_purge
    an_upgrade
    in_place_of_the_original
    open_xchange_6
    echo "docs/install.md leads where it says"
    [ -n "$older" ] || echo "(the upgrade was from the same program, as no older one was given)"
}

# --- chapters -----------------------------------------------------------------------------------------------------------

a_clean_host() {
    chapter 'A clean host'
    expect 'dpkg installs it' install newer
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

# As docs/install.md has it under 4 and 5, with a certificate of one's own.
apache_in_front() {
    chapter 'Apache in front'
    documented docs/install.md 'a2enmod proxy proxy_ajp'
    documented docs/install.md "$APACHE_LINE"
    documented docs/install.md 'oxtender check --user NAME --apache https://HOST --apache-config /etc/apache2'
    expect 'modules and site are switched on' inside sh -c 'a2enmod --quiet ssl proxy proxy_ajp && a2ensite --quiet default-ssl'
    # Port 80 is the stand-in's here.
    sed -i '/^Listen 80$/d' "$root/etc/apache2/ports.conf"
    expect 'a certificate is made' inside openssl req -x509 -newkey rsa:2048 -noenc -days 30 -subj /CN=walk \
        -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
        -keyout /etc/apache2/own.key -out /etc/apache2/own.pem
    sed -i -e 's|^\(\s*SSLCertificateFile\s\).*|\1/etc/apache2/own.pem|' -e 's|^\(\s*SSLCertificateKeyFile\s\).*|\1/etc/apache2/own.key|' \
        "$root$APACHE_SITE"
    apache_forwards "$(echo "$APACHE_LINE" | sed s/8009/8019/)"
    expect 'Apache starts' inside apache2ctl start
    await 'Apache answers' curl --silent --insecure --output /dev/null https://127.0.0.1/
    door=https://127.0.0.1
    tells 'a phone may log in by Apache' '^HTTP/1.1 200' phone OPTIONS secret --insecure
    door=

    expect 'oxtender check finds no error' check
    told 'but does not know the certificate' '^warning  *apache .*does not know who issued the certificate'
    expect 'the host is told of the certificate' inside sh -c \
        'cp /etc/apache2/own.pem /usr/local/share/ca-certificates/own.crt && update-ca-certificates'
    expect 'oxtender check finds nothing wrong' check
    cp "$work/output" "$work/checked"
    fails 'and has nothing to complain of' grep -E '^(warning|error)' "$work/checked"
    expect 'Apache leads to the gateway' grep -E '^ok +apache .*leads to an ActiveSync server' "$work/checked"

    # The port that Open-Xchange has.
    apache_forwards "$APACHE_LINE"
    expect 'Apache reads its files again' inside apache2ctl graceful
    fails 'oxtender check finds the wrong port' check
    told 'and says in which line it stands' '^error  *apache .*default-ssl.conf, line [0-9]*: .* -> '
    apache_forwards "$(echo "$APACHE_LINE" | sed 's/8009/8019/; s/ timeout=.*//')"
    expect 'Apache reads its files again' inside apache2ctl graceful
    await 'Apache leads to the gateway again' check
    told 'oxtender check finds a short timeout' '^warning  *apache .*default-ssl.conf, line [0-9]*: .* -> timeout=3700'
    expect 'Apache stops' inside apache2ctl stop
}

# The line goes to the end of the virtual host.
apache_forwards() {
    sed -i -e '/ProxyPass/d' -e "s|^\(\s*\)</VirtualHost>|$1\n&|" "$root$APACHE_SITE"
}

check() {
    inside env OXTENDER_PASSWORD=secret oxtender check --user anton --apache https://127.0.0.1 --apache-config /etc/apache2
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

remove_and_purge() {
    chapter 'Removing'
    cp --archive "$root$ETC/usm.properties" "$work/usm.properties"
    expect 'dpkg removes it' inside dpkg --remove oxtender
    fails 'the service has stopped' get http://127.0.0.1:8011/health
    expect 'the configuration is kept' cmp "$work/usm.properties" "$root$ETC/usm.properties"
    expect 'the states are kept' test -s "$root/var/lib/oxtender/oxtender.db"
    expect 'dpkg purges it' inside dpkg --purge oxtender
    expect 'no file is left, and none is missing' nothing_left
    expect 'the user, who may be Open-Xchange'\''s, is left' inside getent passwd open-xchange
}

# From the commit before this one, where there is one, to this one, with both files changed.
an_upgrade() {
    chapter 'Upgrading'
    expect 'dpkg installs the older one' install older
    configure usm com.openexchange.usm.ox.url=http://127.0.0.1:8009/ajax/
    configure eas com.openexchange.usm.eas.ajp.listen=127.0.0.1:8019
    configure eas com.openexchange.usm.eas.http.listen=127.0.0.1:8010
    expect 'it starts' inside /etc/init.d/oxtender restart
    a_phone_syncs
    cp --archive "$root$ETC/usm.properties" "$root$ETC/eas.properties" "$work"
    before=$(cat "$root/run/oxtender.pid")

    expect 'dpkg installs the newer one' install newer
    for file in usm.properties eas.properties; do
        expect "the changed $file is as it was" cmp "$work/$file" "$root$ETC/$file"
        has_mode "$ETC/$file" '640 root:open-xchange'
    done
    expect 'a new one lies beside it' grep -q "^$NEW_KEY=" "$root$ETC/usm.properties.dpkg-dist"
    tells 'oxtender config diff shows what is new' "^$NEW_KEY=" inside oxtender config diff
    tells 'and what was changed' '^#   com.openexchange.usm.ox.url=http://127.0.0.1:8009/ajax/' inside oxtender config diff
    expect 'the service runs' inside /etc/init.d/oxtender status
    fails 'and it is the new one' test "$before" = "$(cat "$root/run/oxtender.pid")"
    tells 'the phone is still listed' "$PHONE" inside oxtender device list
    the_phone_goes_on
    expect 'dpkg purges it' inside dpkg --purge oxtender
    expect 'no file is left, and none is missing' nothing_left
}

in_place_of_the_original() {
    chapter 'A host with the original USM'
    expect 'dpkg installs a package of that name' inside dpkg --install $SHARED/original.deb
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

# The newer package is the one that was built. The older one is that of the commit before, or the same; in either case with a lower
# version, and with a configuration that lacks a key, so that dpkg has a changed file to ask about, whatever these two commits
# are. A third has the name and a file of the original.
make_packages() {
    cp "$package" "$root$SHARED/newer.deb"

    dpkg-deb --raw-extract "${older:-$package}" "$work/older"
    sed -i 's/^Version: .*/&~older/' "$work/older/DEBIAN/control"
    sed -i "/^$NEW_KEY=/d" "$work/older$ETC/usm.properties"
    dpkg-deb --root-owner-group --build "$work/older" "$root$SHARED/older.deb" >/dev/null

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
    dpkg-deb --root-owner-group --build "$work/original" "$root$SHARED/original.deb" >/dev/null
}

# --- the host -----------------------------------------------------------------------------------------------------------

inside() {
    chroot "$root" /usr/bin/env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"
}

the_log() {
    cat "$root$LOG"
}

# What the walk does must stand in a document.
documented() {
    expect "$1 says $2" grep -qF "$2" "$project/$1"
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

main
