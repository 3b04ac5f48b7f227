//! The table of options: name, file, default, what a value may be, what an administrator should know, and whether a change
//! needs a restart.
//!
//! The files in `etc/` are this table in another form; a test holds them against it. The names are those of the
//! products the gateway stands in for, so that existing configuration keeps its meaning.

use std::fmt;
use std::fmt::Write as _;

use File::Eas;
use File::Usm;
use Kind::Database;
use Kind::Endpoint;
use Kind::Flag;
use Kind::Listen;
use Kind::LoginPattern;
use Kind::Module;
use Kind::Networks;
use Kind::Notes;
use Kind::Number;
use Kind::Redirects;
use Kind::Secret;
use Kind::Unused;
use Kind::Url;
use Kind::UrlPath;
use Unit::Bytes;
use Unit::Count;
use Unit::Days;
use Unit::Milliseconds;
use Unit::Seconds;

/// One option.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    /// Where the key is expected. It is accepted in the other file too, as Open-Xchange does.
    pub file: File,
    /// As it would be written in the file.
    pub default: &'static str,
    pub kind: Kind,
    /// For the administrator, without line breaks.
    pub explanation: &'static str,
    pub effect: Effect,
}

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// When the service reads its configuration again.
    Reload,
    /// When it is started again: listeners are open, and sessions and states belong to one Open-Xchange and one database.
    Restart,
}

/// What stands beside an option whose change needs a restart.
const NEEDS_RESTART: &str = "(A change needs a restart.)";

/// What the environment variables of all options begin with.
pub const VARIABLES: &str = "COM_OPENEXCHANGE_USM_";

impl Key {
    /// The environment variable that overrides the files.
    pub fn variable(&self) -> String {
        self.name.to_uppercase().replace('.', "_")
    }

    /// The lines of a file: the explanation, and the default.
    pub fn entry(&self) -> String {
        let mut text = String::new();
        let explanation = match self.effect {
            Effect::Reload => self.explanation.to_owned(),
            Effect::Restart => format!("{} {NEEDS_RESTART}", self.explanation),
        };
        for line in wrap(&explanation, 110) {
            let _ = writeln!(text, "# {line}");
        }
        let off = if self.kind == Unused { "#" } else { "" };
        let _ = write!(text, "{off}{}={}", self.name, self.default);
        text
    }
}

/// The two files, in the order in which they are read: a key in both has the value of the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    Usm,
    Eas,
}

impl File {
    pub const ALL: [Self; 2] = [Usm, Eas];

    pub const fn name(self) -> &'static str {
        match self {
            Usm => "usm.properties",
            Eas => "eas.properties",
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Usm => "the synchronisation: Open-Xchange, database, caches and limits",
            Eas => "ActiveSync: listeners, waiting devices, mail and logins",
        }
    }
}

/// What a value may be; `Display` says it to the administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Flag,
    Number { unit: Unit, min: u64, max: u64 },
    Url,
    UrlPath,
    Endpoint,
    Redirects,
    Listen,
    Networks,
    Notes,
    Module,
    LoginPattern,
    Database,
    Secret,
    Unused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Seconds,
    Days,
    Bytes,
    Count,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flag => f.write_str("true or false"),
            Number { unit, min, max } => {
                let of = match unit {
                    Milliseconds => " of milliseconds",
                    Seconds => " of seconds",
                    Days => " of days",
                    Bytes => " of bytes",
                    Count => "",
                };
                write!(f, "a whole number{of} from {min} to {max}")
            }
            Url => f.write_str("a URL that begins with http:// or https:// and names a host"),
            UrlPath => f.write_str("a path that begins with / and has no blanks, ? or #"),
            Endpoint => f.write_str("a URL that begins with https:// and has no ? or #, or empty"),
            Redirects => f.write_str(
                "rules with commas between, each a URL that begins with https://, or login=URL, or *@domain=URL; or empty",
            ),
            Listen => f.write_str("host:port (port 0: any free one), or empty for no listener"),
            Networks => {
                f.write_str("addresses and networks (10.1.2.3, 10.0.0.0/8, fd00::/8) with commas between, or empty")
            }
            Notes => f.write_str("mail, list or off"),
            Module => f.write_str("the name of one Open-Xchange module, or none"),
            LoginPattern => f.write_str("text that contains $USER and may contain $DOMAIN"),
            Database => f.write_str("sqlite:/absolute/path, mysql://user:password@host:port/schema, or configdb"),
            Secret | Unused => f.write_str("any text"),
        }
    }
}

/// Lists options once: each becomes a constant, and all of them [`KEYS`]. `Restart` at the end of a row: a change of it
/// needs one.
macro_rules! keys {
    (@effect) => { Effect::Reload };
    (@effect $effect:ident) => { Effect::$effect };
    ($(
        $constant:ident = $file:expr, $name:literal, $default:literal, $kind:expr, $explanation:literal $(, $effect:ident)?;
    )+) => {
        $(pub const $constant: Key = Key {
            name: $name, file: $file, default: $default, kind: $kind, explanation: $explanation,
            effect: keys!(@effect $($effect)?),
        };)+
        /// Every option, in the order of the files.
        pub const KEYS: &[&Key] = &[$(&$constant),+];
    };
}

const SECONDS: Kind = Number {
    unit: Seconds,
    min: 1,
    max: 31_536_000,
};
const MILLISECONDS: Kind = Number {
    unit: Milliseconds,
    min: 1000,
    max: 86_400_000,
};
const OBJECTS: Kind = Number {
    unit: Count,
    min: 1,
    max: 1_000_000,
};
const CONNECTIONS: Kind = Number {
    unit: Count,
    min: 1,
    max: 1_000_000,
};
const PATIENCE: Kind = Number {
    unit: Seconds,
    min: 1,
    max: 3600,
};
/// 0: never.
const PATIENCE_OR_NONE: Kind = Number {
    unit: Seconds,
    min: 0,
    max: 86_400,
};
const HEARTBEAT: Kind = Number {
    unit: Seconds,
    min: 1,
    max: 3540,
};

keys! {
    OX_URL = Usm, "com.openexchange.usm.ox.url", "http://127.0.0.1/ajax/", Url,
        "Base URL of the HTTP API of Open-Xchange, as the gateway reaches it. A missing slash at the end is added. \
         Open-Xchange 8 has it at http://HOST:8009/appsuite/api/.", Restart;
    DATABASE_URL = Usm, "com.openexchange.usm.database.url", "sqlite:/var/lib/oxtender/oxtender.db", Database,
        "Where the state of the devices is kept: sqlite:/path for a file of our own, \
         mysql://user:password@host:port/schema for one schema, or configdb to keep it in the database of each context, \
         found through configdb.properties and system.properties beside this file. Percent-encode what a URL cannot \
         hold (an @ in a password is %40).", Restart;
    ACCESS_CHECK_MODULE = Usm, "com.openexchange.usm.access_check_module", "syncml", Module,
        "The module of Open-Xchange that a user must have to be served. The words none or nothing at all switch the \
         check off.";
    SESSION_CACHE_CHECK_INTERVAL = Usm, "com.openexchange.usm.session_cache_check_interval", "60000", MILLISECONDS,
        "Milliseconds between two runs of the clean-up of memory.";
    SESSION_CACHE_LOG_INTERVAL = Usm, "com.openexchange.usm.session_cache_check_interval_log_info", "300000",
        MILLISECONDS,
        "Milliseconds between two lines of statistics that this clean-up writes to the log.";
    SESSION_CACHE_TIMEOUT = Usm, "com.openexchange.usm.cache.session.timeout", "43200", SECONDS,
        "Seconds without a request after which the session of a device leaves the memory. Nothing is lost by that.";
    SYNC_STATE_CACHE_TIMEOUT = Usm, "com.openexchange.usm.cache.syncstate.timeout", "3600", Unused,
        "Accepted and not used: the state of a folder is read from the database at each request, and stays nowhere else.";
    SYNC_STATE_GENERATIONS = Usm, "com.openexchange.usm.syncstate.generations", "2",
        Number { unit: Count, min: 2, max: 4 },
        "How many states of each folder are kept in the database for a device. 2 are what a lost answer needs: the state \
         that the device has and the one it was sent. With 3 or 4 a phone that is restored from a backup goes on from \
         there, unless it synced that folder more often since, and the table USMDataStorage grows by half or doubles.";
    JOURNAL_LIFETIME = Usm, "com.openexchange.usm.journal.lifetime", "7",
        Number { unit: Days, min: 1, max: 365 },
        "Days for which the database knows what was done for a device (easUIDMapping). A device that never got the answer \
         and repeats its request within this time adds, sends or moves nothing twice.";
    NEW_SYNC_KEY_ON_EMPTY_SYNC = Usm, "com.openexchange.usm.force_new_sync_key_on_empty_sync", "false", Flag,
        "Whether a Sync without changes gets a new SyncKey. With false the old one is used again, which spares the \
         database a write.";
    MAX_OBJECTS_PER_FOLDER = Usm, "com.openexchange.usm.max_objects_per_folder", "65535", OBJECTS,
        "How many objects of one folder a device gets at most. Of a larger folder the oldest are left out, and the log \
         says so.";
    MAX_ATTACHMENTS_PER_OBJECT = Usm, "com.openexchange.usm.max_attachment_count_per_object", "100", Unused,
        "Accepted and not used: it limits the attachments of appointments, contacts and tasks, and devices get none of \
         these.";
    JSON_ALIAS = Usm, "com.openexchange.usm.json.alias", "/usm-json", Unused,
        "Accepted and not used: the gateway does not offer the JSON protocol of the Outlook connector.";

    ALIAS = Eas, "com.openexchange.usm.eas.alias", "/Microsoft-Server-ActiveSync", UrlPath,
        "The path at which devices are answered. They insist on this one; another is of use only behind a web server \
         that rewrites it.";
    AUTODISCOVER_ALIAS = Eas, "com.openexchange.usm.eas.autodiscover.alias", "/autodiscover", UrlPath,
        "The path above autodiscover.xml and autodiscover.json, by which phones find this server from a mail address. They \
         insist on this one, too.";
    PUBLIC_URL = Eas, "com.openexchange.usm.eas.public_url", "", Endpoint,
        "Where phones reach the gateway, as Autodiscover tells them: https://mail.example.com. Empty: at the host that they \
         ask, over https, which is right where that host also forwards ActiveSync.";
    REDIRECT = Eas, "com.openexchange.usm.eas.redirect", "", Redirects,
        "Users who belong to another host, and where that is: rules with commas between, of which the first that fits a login \
         counts. anna@a.example=https://new.example.com is about one user, *@b.example=https://new.example.com about a domain, \
         and https://new.example.com about everybody. Their phones are sent there (451 with X-MS-Location) and stay; \
         Autodiscover names that host. A rule that names the host a phone is asking lets it stay, so that all hosts can have \
         the same rules.";
    MAX_BODY_BYTES = Eas, "com.openexchange.usm.eas.max_body_bytes", "104857600",
        Number { unit: Bytes, min: 65_536, max: 2_147_483_647 },
        "The largest request that is taken, in bytes; mail with its attachments must fit, and base64 makes those a third \
         larger. More is answered with 413 and not read. Open-Xchange itself takes 104857600.";
    MAX_FETCHED_BYTES = Eas, "com.openexchange.usm.eas.max_fetched_bytes", "209715200",
        Number { unit: Bytes, min: 65_536, max: 2_147_483_647 },
        "When attachments, files and whole mails that one request fetches are larger than this, in bytes, it gets nothing \
         more of them: the rest is refused, and the device asks for it once more. All of it is in memory until it is sent. \
         A single one of up to 100 MB is fetched in any case.";
    STOP_TIMEOUT = Eas, "com.openexchange.usm.eas.stop.timeout", "20", PATIENCE,
        "Seconds that running requests get to end when the service stops. Waiting devices are answered at once, spread over \
         at most a quarter of this time. TimeoutStopSec of the systemd unit must be longer.", Restart;

    AJP_LISTEN = Eas, "com.openexchange.usm.eas.ajp.listen", "127.0.0.1:8009", Listen,
        "Address and port for the AJP connector of the web server. Anybody who reaches this port can speak for the web \
         server, so keep it on an internal address. Where Open-Xchange itself has port 8009, choose another. Not used where \
         the service manager hands over a socket named ajp.", Restart;
    AJP_SECRET = Eas, "com.openexchange.usm.eas.ajp.secret", "", Secret,
        "If set, only a web server that sends this secret is served (ProxyPass ... secret=...).", Restart;
    AJP_ALLOW_REMOTE_WITHOUT_SECRET = Eas, "com.openexchange.usm.eas.ajp.allow_remote_without_secret", "false", Flag,
        "Without a secret the gateway starts only if its AJP port is on a loopback address. true lets it start elsewhere, \
         too: only where a firewall keeps everybody but the web servers away from the port.", Restart;
    AJP_PACKET_SIZE = Eas, "com.openexchange.usm.eas.ajp.packet_size", "8192",
        Number { unit: Bytes, min: 8192, max: 65_536 },
        "The largest AJP packet that is sent, in bytes. It must be that of the web server (Apache: ProxyIOBufferSize, or \
         iobuffersize= of the worker): if it is larger here, large answers break.", Restart;
    AJP_MAX_CONNECTIONS = Eas, "com.openexchange.usm.eas.ajp.max_connections", "16384", CONNECTIONS,
        "How many AJP connections are served at once. Every waiting device holds one. Further ones wait, which makes the \
         web server take the gateway for dead, so let it be large; the limit of open files (LimitNOFILE) must be higher.", Restart;
    AJP_MAX_HEADER_BYTES = Eas, "com.openexchange.usm.eas.ajp.max_header_bytes", "65536",
        Number { unit: Bytes, min: 4096, max: 65_536 },
        "How many bytes the head of a request over AJP may have. More is refused.", Restart;
    AJP_PACKET_TIMEOUT = Eas, "com.openexchange.usm.eas.ajp.packet_timeout", "20", PATIENCE,
        "Seconds from the first byte of an AJP packet to its last; a connection that takes longer is closed.", Restart;
    AJP_BODY_TIMEOUT = Eas, "com.openexchange.usm.eas.ajp.body_timeout", "60", PATIENCE,
        "Seconds to wait for the next part of a request, which the web server waits for itself when a phone is slow.", Restart;
    AJP_WRITE_TIMEOUT = Eas, "com.openexchange.usm.eas.ajp.write_timeout", "60", PATIENCE,
        "Seconds that the web server may take to accept a part of an answer; then the connection is closed.", Restart;
    AJP_IDLE_TIMEOUT = Eas, "com.openexchange.usm.eas.ajp.idle_timeout", "0", PATIENCE_OR_NONE,
        "Seconds after which an AJP connection without a request is closed; 0 leaves that to the web server (ttl=), which \
         is better: a connection that is closed at the moment it is used costs a request.", Restart;
    AJP_FLUSH_INTERVAL = Eas, "com.openexchange.usm.eas.ajp.flush_interval", "0", PATIENCE_OR_NONE,
        "While a device waits, seconds between two signs of life for the web server, so that its timeout= may be shorter \
         than the wait; 0 sends none. Apache passes nothing of it on.", Restart;

    HTTP_LISTEN = Eas, "com.openexchange.usm.eas.http.listen", "", Listen,
        "Address and port for plain HTTP from a web server that does not speak AJP. Empty: no such listener. Not used where \
         the service manager hands over a socket named http.", Restart;
    HTTP_TRUSTED_PROXIES = Eas, "com.openexchange.usm.eas.http.trusted_proxies", "127.0.0.0/8,::1", Networks,
        "The proxies whose X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host are believed: addresses and networks \
         with commas between. Anybody else can claim anything there, and is not listened to. The address appears in the \
         log, nowhere else.";
    HTTP_MAX_CONNECTIONS = Eas, "com.openexchange.usm.eas.http.max_connections", "16384", CONNECTIONS,
        "How many HTTP connections are served at once, as for AJP.", Restart;

    ADMIN_LISTEN = Eas, "com.openexchange.usm.eas.admin.listen", "127.0.0.1:8011", Listen,
        "Address and port for health and metrics. Not for the public. Empty: no such listener. Not used where the service \
         manager hands over a socket named admin.", Restart;
    PING_MIN_HEARTBEAT = Eas, "com.openexchange.usm.eas.ping.min_heartbeat", "60", HEARTBEAT,
        "The shortest time in seconds for which a device may ask the gateway to wait for changes.";
    PING_MAX_HEARTBEAT = Eas, "com.openexchange.usm.eas.ping.max_heartbeat", "3540", HEARTBEAT,
        "The longest such time in seconds. The timeouts of the web server and of every proxy and firewall on the way \
         must be longer, or devices see broken connections.";
    PING_POLL_INTERVAL = Eas, "com.openexchange.usm.eas.ping.poll_interval", "30",
        Number { unit: Seconds, min: 1, max: 3600 },
        "Seconds between two looks at Open-Xchange while a device waits. Shorter means earlier news and more load.";
    MAIL_TIME_LIMIT = Eas, "com.openexchange.usm.eas.mail.time_limit", "0",
        Number { unit: Days, min: 0, max: 36_500 },
        "How many days of mail a device may have, whatever it asks for; 0 sets no limit. The original of this option \
         had 3, and \"only the last three days arrive, whatever I set on the phone\" was the most frequent complaint, \
         so the gateway leaves the choice to the device.";
    DEVICE_EXPIRE_DAYS = Eas, "com.openexchange.usm.eas.device.expire_days", "180",
        Number { unit: Days, min: 0, max: 36_500 },
        "Days without a request after which the database forgets a device; 0: never. If it comes back later it fetches \
         everything again, and nothing is doubled or lost at Open-Xchange. Phones that were replaced or sold never come \
         back, and half a year is longer than the others stay away. The service looks about once a day, and also forgets \
         the devices of users whom Open-Xchange has deleted, where database.url is configdb.";
    DELETIONS_LIMIT = Eas, "com.openexchange.usm.eas.deletions.limit", "50",
        Number { unit: Count, min: 0, max: 1_000_000 },
        "How many appointments, contacts, tasks, or mails past the trash, a device may delete in one folder within an \
         hour. What is more, and also more than the share below, is kept and sent back to the device; its user finds a \
         mail about it, and `oxtender device release` lets the deletions go. 0: devices are never held back.";
    DELETIONS_LIMIT_PERCENT = Eas, "com.openexchange.usm.eas.deletions.limit_percent", "20",
        Number { unit: Count, min: 0, max: 100 },
        "The share of a folder, in percent, that a device may delete within an hour in any case.";
    ACCESS_CHECK = Eas, "com.openexchange.usm.eas.access_check", "false", Flag,
        "Whether a user must also have the permission for ActiveSync (active_sync, known since Open-Xchange 6.20).";
    LOGIN_PATTERN = Eas, "com.openexchange.usm.eas.login_pattern.domain_user", "$USER@$DOMAIN", LoginPattern,
        "How a login of the form DOMAIN\\user becomes the login name at Open-Xchange.";
    ALLOW_FOLDER_SELECTION = Eas, "com.openexchange.usm.eas.allow_folder_selection", "false", Flag,
        "Whether devices get only the folders that the user chose for mobile devices (folder tree 20), and the \
         default folders. The same key in the configuration of Open-Xchange must have the same value; where Open-Xchange has \
         no such tree, devices get all folders, and the log says so once. A folder that a device makes is chosen with that, and one \
         that gets another name stays chosen, where Open-Xchange lets the gateway choose.";
    CONFLICT_NOTE = Eas, "com.openexchange.usm.eas.conflict.note", "mail", Notes,
        "Where that is kept what lost when a device and somebody else changed the same property of a contact, a task or an \
         appointment. mail: in a mail in the inbox of the user, with both values, which is sent to nobody, and on the \
         attention list of the device, which the command device shows. list: on that list alone. off: nowhere; the log has \
         the item, but not the values.";
}

/// The option of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().copied().find(|key| key.name == name)
}

/// The text of a file with every option at its default: what is shipped in `etc/`.
pub fn render(file: File) -> String {
    let mut text = format!("# {}: {}.\n", file.name(), file.subject());
    text.push_str("# Every option stands here at its default; a line that is missing means the same.\n");
    text.push_str("# A change takes effect at \"systemctl reload oxtender\" (or SIGHUP), unless it says that it needs a restart.\n");
    for key in KEYS.iter().filter(|key| key.file == file) {
        let _ = writeln!(text, "\n{}", key.entry());
    }
    text
}

/// Breaks text at blanks into lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The shipped files are the table. With `UPDATE_ETC=1` in the environment this test writes them.
    #[test]
    fn shipped_files_agree_with_the_table() {
        for file in File::ALL {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("etc").join(file.name());
            if std::env::var_os("UPDATE_ETC").is_some() {
                fs::write(&path, render(file)).unwrap();
            }
            let shipped = fs::read_to_string(&path).unwrap();
            assert_eq!(
                shipped,
                render(file),
                "run this test with UPDATE_ETC=1 to write {}",
                path.display()
            );
        }
    }

    #[test]
    fn names_are_unique() {
        for key in KEYS {
            let rows = KEYS.iter().filter(|other| other.variable() == key.variable()).count();
            assert!(rows == 1 && key.variable().starts_with(VARIABLES), "{}", key.variable());
            let rows = KEYS.iter().filter(|other| other.name == key.name).count();
            assert_eq!(rows, 1, "{} stands twice in the table", key.name);
        }
    }
}
