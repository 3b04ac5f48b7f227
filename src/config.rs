//! The configuration: `usm.properties` and `eas.properties`, read once into typed parts.
//!
//! The one place that knows option names (they stand in [`keys`]); every other module gets only its own part, and no
//! module reads an option later. Whoever reads the files again gets a new [`Config`], and [`Values::take_over`] tells what
//! of it needs no restart.
//!
//! Both files are Java properties, in the directory given on the command line, or where Open-Xchange has its own:
//! `/opt/open-xchange/etc`, and `/opt/open-xchange/etc/groupware` in the releases 6.x, which counts where it has the file. A file that is missing or an
//! option that nobody knows is a [`Warning`]; a wrong value is a [`ConfigError`], since to guess what an administrator
//! meant is worse than not to start.
//!
//! An environment variable overrides both files: the name of the option in capitals, with `_` for each dot, as in
//! `COM_OPENEXCHANGE_USM_OX_URL`. Containers are configured like that.

mod changes;
pub mod keys;
pub mod properties;
pub mod report;
pub mod review;
mod value;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use config::Map;
use config::Source;
use config::Value;
use secrecy::SecretString;
use url::Url;

pub use changes::Changes;
pub use changes::Values;
use keys::File;
use keys::KEYS;
use keys::Key;
use keys::Kind;
use properties::Property;
use properties::ReadError;
pub use value::HostPort;
pub use value::LoginPattern;
pub use value::MysqlUrl;
pub use value::Networks;
pub use value::Redirect;

/// Where the files are looked for when no directory is given, in this order. The package has its files in the second, also
/// where an Open-Xchange 6 has those of an earlier USM in the first.
const DEFAULT_DIRECTORIES: [&str; 2] = ["/opt/open-xchange/etc/groupware", "/opt/open-xchange/etc"];

/// Everything that can be configured, in the parts that the modules get.
#[derive(Clone, Debug)]
pub struct Config {
    pub ox: Ox,
    pub access: Access,
    pub database: Database,
    pub doors: Doors,
    pub eas: Eas,
    pub ping: Ping,
    pub limits: Limits,
    pub cache: Cache,
    pub history: History,
    /// What all of this was read from.
    pub values: Values,
}

/// How Open-Xchange is reached.
#[derive(Clone, Debug)]
pub struct Ox {
    /// Base of the HTTP API; ends with a slash.
    pub url: Url,
}

/// What a user must be allowed to be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The module he must have, in lower case; `None` when this is not checked.
    pub module: Option<String>,
    /// Whether he must also have the permission for ActiveSync.
    pub active_sync: bool,
}

/// Where the state of the devices is kept.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file of our own.
    Sqlite(PathBuf),
    /// One schema for all contexts.
    Mysql(MysqlUrl),
    /// The schema of each context, as Open-Xchange finds it.
    Configdb {
        /// Where `configdb.properties` and `system.properties` are looked for, in this order.
        directories: Vec<PathBuf>,
    },
}

/// The doors of the gateway, and how it closes them.
#[derive(Clone, Debug)]
pub struct Doors {
    pub ajp: Ajp,
    pub http: Http,
    /// Health and metrics.
    pub admin: Option<HostPort>,
    /// How long running requests may take after the stop was asked for.
    pub stop_timeout: Duration,
}

/// The door for web servers that speak AJP13.
#[derive(Clone, Debug)]
pub struct Ajp {
    pub listen: Option<HostPort>,
    /// What the web server must send; `None` when nothing is asked of it.
    pub secret: Option<SecretString>,
    /// Whether the door may be on another than a loopback address though nothing is asked of the web server.
    pub allow_remote_without_secret: bool,
    /// Bytes of the largest packet sent.
    pub packet_size: usize,
    pub max_connections: usize,
    pub max_header_bytes: usize,
    pub packet_timeout: Duration,
    pub body_timeout: Duration,
    pub write_timeout: Duration,
    /// `None`: idle connections stay.
    pub idle_timeout: Option<Duration>,
    /// `None`: no sign of life while a request waits.
    pub flush_interval: Option<Duration>,
}

/// The door for web servers that speak HTTP/1.1.
#[derive(Clone, Debug)]
pub struct Http {
    pub listen: Option<HostPort>,
    /// Whose word about the device's address, scheme and host is taken.
    pub trusted_proxies: Networks,
    pub max_connections: usize,
}

/// The ActiveSync protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eas {
    /// The path that devices call; begins with a slash and does not end with one.
    pub alias: String,
    /// The path above those of Autodiscover, likewise.
    pub autodiscover_alias: String,
    /// Where devices reach us; `None`: at the host that they ask.
    pub public_url: Option<Url>,
    /// Who belongs elsewhere; the first rule that fits counts.
    pub redirects: Vec<Redirect>,
    pub login_pattern: LoginPattern,
    /// Only the folders of tree 20.
    pub folder_selection: bool,
    /// Give an empty Sync a new SyncKey, too.
    pub new_sync_key_on_empty_sync: bool,
    pub conflict_note: ConflictNote,
}

/// Where that is kept what lost in a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictNote {
    Mail,
    List,
    Off,
}

/// Waiting devices. `min_heartbeat` is not above `max_heartbeat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ping {
    pub min_heartbeat: Duration,
    pub max_heartbeat: Duration,
    pub poll_interval: Duration,
}

/// What a device gets at most, and may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The body of a request.
    pub body_bytes: usize,
    /// What one request fetches.
    pub fetched_bytes: usize,
    /// The age of mail; `None` sets no limit.
    pub mail_age: Option<Duration>,
    pub objects_per_folder: usize,
    /// Deletions within an hour, and their share of a folder in percent; above both a device is held back.
    pub deletions: usize,
    pub deletions_percent: usize,
}

/// What is kept in memory, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    pub check_interval: Duration,
    pub log_interval: Duration,
    /// Idle time of a device's session.
    pub session_timeout: Duration,
}

/// What is kept in the database for devices that come back late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// States of a folder.
    pub generations: usize,
    /// How long it is known what was done for a device.
    pub journal_lifetime: Duration,
    /// How long a device is known that does not come any more; `None`: for ever.
    pub device_lifetime: Option<Duration>,
}

/// What the administrator should know, though the gateway starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    MissingFile { file: PathBuf },
    UnknownKey { place: Place, key: String },
    UnusedKey { place: Place, key: String },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingFile { file } => {
                write!(f, "{} does not exist; its options have their defaults", file.display())
            }
            Self::UnknownKey { place, key } => write!(f, "{place}: unknown option {key}; it is ignored"),
            Self::UnusedKey { place, key } => write!(f, "{place}: {key} is accepted and has no effect here"),
        }
    }
}

/// Where an option was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Line { file: PathBuf, line: usize },
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{}, line {line}", file.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// Environment variables by name; those of options count.
pub type Environment = BTreeMap<String, String>;

/// Stands for a wrong value in which a password may stand anywhere.
const HIDDEN: &str = "(not shown, since it may hold a password)";

/// Why the gateway cannot start with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration directory {} does not exist", .0.display())]
    NoDirectory(PathBuf),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{place}: {key}={value} is not valid; allowed: {allowed}", place = Origin(place))]
    Value {
        /// `None` when the default is meant.
        place: Option<Place>,
        key: &'static str,
        /// As written, or a remark where a password may stand in it.
        value: String,
        allowed: String,
    },
    /// The layers could not be put together.
    #[error("the configuration cannot be read: {0}")]
    Layers(#[from] config::ConfigError),
}

/// The place of a value in an error message.
struct Origin<'a>(&'a Option<Place>);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(place) => place.fmt(f),
            None => f.write_str("default"),
        }
    }
}

impl Config {
    /// Reads both files from `etc`, which must then exist, or from the directories of Open-Xchange, and the environment
    /// of this process.
    pub fn load(etc: Option<&Path>) -> Result<(Self, Vec<Warning>), ConfigError> {
        Self::load_with(etc, &environment())
    }

    /// The same with these environment variables.
    pub fn load_with(etc: Option<&Path>, environment: &Environment) -> Result<(Self, Vec<Warning>), ConfigError> {
        let directories = directories(etc)?;
        let mut warnings = Vec::new();
        let settings = Settings::read(&directories, environment, &mut warnings)?;
        Ok((settings.config(directories)?, warnings))
    }
}

/// The variables of this process; what is not UTF-8 is no value of an option.
fn environment() -> Environment {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Where the files are looked for.
fn directories(etc: Option<&Path>) -> Result<Vec<PathBuf>, ConfigError> {
    match etc {
        Some(directory) if !directory.is_dir() => Err(ConfigError::NoDirectory(directory.to_owned())),
        Some(directory) => Ok(vec![directory.to_owned()]),
        None => Ok(DEFAULT_DIRECTORIES.map(PathBuf::from).to_vec()),
    }
}

/// The files that [`Config::load`] reads, for the log.
pub fn files(etc: Option<&Path>) -> Vec<PathBuf> {
    let directories = directories(etc).unwrap_or_default();
    let files = File::ALL.map(|file| locate(&directories, file.name()));
    files.into_iter().flatten().collect()
}

/// The first of the directories that has the file, else `None`.
pub fn locate(directories: &[PathBuf], name: &str) -> Option<PathBuf> {
    directories.iter().map(|d| d.join(name)).find(|f| f.is_file())
}

/// The known entries of one file, as a layer.
#[derive(Clone, Debug)]
struct Layer {
    file: PathBuf,
    entries: Vec<Property>,
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        let origin = self.file.display().to_string();
        let value = |entry: &Property| Value::new(Some(&origin), entry.value.clone());
        Ok(self.entries.iter().map(|e| (e.key.clone(), value(e))).collect())
    }
}

/// The layers put together, still as text, and where each value comes from.
#[derive(Debug)]
struct Settings {
    values: config::Config,
    places: HashMap<String, Place>,
}

impl Settings {
    fn read(
        directories: &[PathBuf],
        environment: &Environment,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        for key in KEYS {
            builder = builder.set_default(key.name, key.default)?;
        }
        let mut places = HashMap::new();
        for name in File::ALL.map(File::name) {
            let Some(file) = locate(directories, name) else {
                let file = directories.last().map(|d| d.join(name)).unwrap_or_default();
                warnings.push(Warning::MissingFile { file });
                continue;
            };
            let mut entries = properties::read(&file)?.unwrap_or_default();
            entries.retain(|entry| {
                let place = Place::Line {
                    file: file.clone(),
                    line: entry.line,
                };
                let key = entry.key.clone();
                match keys::find(&key).map(|key| key.kind) {
                    None => warnings.push(Warning::UnknownKey { place, key }),
                    Some(Kind::Unused) => warnings.push(Warning::UnusedKey { place, key }),
                    Some(_) => {
                        places.insert(key, place);
                        return true;
                    }
                }
                false
            });
            builder = builder.add_source(Layer { file, entries });
        }
        for (variable, value) in environment.range(keys::VARIABLES.to_owned()..) {
            if !variable.starts_with(keys::VARIABLES) {
                break;
            }
            let place = Place::Variable(variable.clone());
            match KEYS.iter().find(|key| key.variable() == *variable) {
                None => warnings.push(Warning::UnknownKey {
                    place,
                    key: variable.clone(),
                }),
                Some(key) if key.kind == Kind::Unused => warnings.push(Warning::UnusedKey {
                    place,
                    key: key.name.to_owned(),
                }),
                Some(key) => {
                    builder = builder.set_override(key.name, value.trim())?;
                    places.insert(key.name.to_owned(), place);
                }
            }
        }
        Ok(Self {
            values: builder.build()?,
            places,
        })
    }

    fn config(&self, directories: Vec<PathBuf>) -> Result<Config, ConfigError> {
        let config = Config {
            ox: Ox {
                url: self.parse(&keys::OX_URL, value::url)?,
            },
            access: Access {
                module: self.parse(&keys::ACCESS_CHECK_MODULE, value::module)?,
                active_sync: self.parse(&keys::ACCESS_CHECK, value::flag)?,
            },
            database: self.parse(&keys::DATABASE_URL, |text| value::database(text, &directories))?,
            doors: self.doors()?,
            eas: Eas {
                alias: self.parse(&keys::ALIAS, value::url_path)?,
                autodiscover_alias: self.parse(&keys::AUTODISCOVER_ALIAS, value::url_path)?,
                public_url: self.parse(&keys::PUBLIC_URL, value::public_url)?,
                redirects: self.parse(&keys::REDIRECT, value::redirects)?,
                login_pattern: self.parse(&keys::LOGIN_PATTERN, LoginPattern::new)?,
                folder_selection: self.parse(&keys::ALLOW_FOLDER_SELECTION, value::flag)?,
                new_sync_key_on_empty_sync: self.parse(&keys::NEW_SYNC_KEY_ON_EMPTY_SYNC, value::flag)?,
                conflict_note: self.parse(&keys::CONFLICT_NOTE, value::conflict_note)?,
            },
            ping: Ping {
                min_heartbeat: self.duration(&keys::PING_MIN_HEARTBEAT)?,
                max_heartbeat: self.duration(&keys::PING_MAX_HEARTBEAT)?,
                poll_interval: self.duration(&keys::PING_POLL_INTERVAL)?,
            },
            limits: Limits {
                body_bytes: self.count(&keys::MAX_BODY_BYTES)?,
                fetched_bytes: self.count(&keys::MAX_FETCHED_BYTES)?,
                mail_age: self.duration_or_none(&keys::MAIL_TIME_LIMIT)?,
                objects_per_folder: self.count(&keys::MAX_OBJECTS_PER_FOLDER)?,
                deletions: self.count(&keys::DELETIONS_LIMIT)?,
                deletions_percent: self.count(&keys::DELETIONS_LIMIT_PERCENT)?,
            },
            cache: Cache {
                check_interval: self.duration(&keys::SESSION_CACHE_CHECK_INTERVAL)?,
                log_interval: self.duration(&keys::SESSION_CACHE_LOG_INTERVAL)?,
                session_timeout: self.duration(&keys::SESSION_CACHE_TIMEOUT)?,
            },
            history: History {
                generations: self.count(&keys::SYNC_STATE_GENERATIONS)?,
                journal_lifetime: self.duration(&keys::JOURNAL_LIFETIME)?,
                device_lifetime: self.duration_or_none(&keys::DEVICE_EXPIRE_DAYS)?,
            },
            values: Values::new(|key| self.text(key)),
        };
        self.check_together(&config)?;
        Ok(config)
    }

    fn doors(&self) -> Result<Doors, ConfigError> {
        Ok(Doors {
            ajp: Ajp {
                listen: self.parse(&keys::AJP_LISTEN, value::listen)?,
                secret: self.parse(&keys::AJP_SECRET, value::secret)?,
                allow_remote_without_secret: self.parse(&keys::AJP_ALLOW_REMOTE_WITHOUT_SECRET, value::flag)?,
                packet_size: self.count(&keys::AJP_PACKET_SIZE)?,
                max_connections: self.count(&keys::AJP_MAX_CONNECTIONS)?,
                max_header_bytes: self.count(&keys::AJP_MAX_HEADER_BYTES)?,
                packet_timeout: self.duration(&keys::AJP_PACKET_TIMEOUT)?,
                body_timeout: self.duration(&keys::AJP_BODY_TIMEOUT)?,
                write_timeout: self.duration(&keys::AJP_WRITE_TIMEOUT)?,
                idle_timeout: self.duration_or_none(&keys::AJP_IDLE_TIMEOUT)?,
                flush_interval: self.duration_or_none(&keys::AJP_FLUSH_INTERVAL)?,
            },
            http: Http {
                listen: self.parse(&keys::HTTP_LISTEN, value::listen)?,
                trusted_proxies: self.parse(&keys::HTTP_TRUSTED_PROXIES, value::networks)?,
                max_connections: self.count(&keys::HTTP_MAX_CONNECTIONS)?,
            },
            admin: self.parse(&keys::ADMIN_LISTEN, value::listen)?,
            stop_timeout: self.duration(&keys::STOP_TIMEOUT)?,
        })
    }

    /// What no option can say for itself.
    fn check_together(&self, config: &Config) -> Result<(), ConfigError> {
        let (min, max) = (config.ping.min_heartbeat, config.ping.max_heartbeat);
        if max < min {
            let allowed = format!(
                "at least {}, the value of {}",
                min.as_secs(),
                keys::PING_MIN_HEARTBEAT.name
            );
            return Err(self.error(&keys::PING_MAX_HEARTBEAT, allowed));
        }
        if config.doors.ajp.listen.is_none() && config.doors.http.listen.is_none() {
            let allowed = format!("host:port, unless {} is set", keys::HTTP_LISTEN.name);
            return Err(self.error(&keys::AJP_LISTEN, allowed));
        }
        Ok(())
    }

    fn text(&self, key: &Key) -> String {
        // Every key has a default, so there is always a value.
        self.values.get_string(key.name).unwrap_or_default()
    }

    /// The value, if `read` accepts it.
    fn parse<T>(&self, key: &'static Key, read: impl FnOnce(&str) -> Option<T>) -> Result<T, ConfigError> {
        read(&self.text(key)).ok_or_else(|| self.error(key, key.kind.to_string()))
    }

    fn duration(&self, key: &'static Key) -> Result<Duration, ConfigError> {
        self.parse(key, |text| value::duration(text, key.kind))
    }

    /// `None` for 0.
    fn duration_or_none(&self, key: &'static Key) -> Result<Option<Duration>, ConfigError> {
        Ok(Some(self.duration(key)?).filter(|duration| !duration.is_zero()))
    }

    fn count(&self, key: &'static Key) -> Result<usize, ConfigError> {
        self.parse(key, |text| usize::try_from(value::number(text, key.kind)?).ok())
    }

    fn error(&self, key: &Key, allowed: String) -> ConfigError {
        let value = match key.kind {
            Kind::Database | Kind::Secret => HIDDEN.to_owned(),
            _ => self.text(key),
        };
        ConfigError::Value {
            place: self.places.get(key.name).cloned(),
            key: key.name,
            value,
            allowed,
        }
    }
}

#[cfg(test)]
mod tests;
