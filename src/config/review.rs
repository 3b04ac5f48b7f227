//! Everything that is wrong with a configuration, where the gateway itself ends at the first mistake.
//!
//! A wrong value is replaced by the default, so that what stands behind it can be looked at as well. Reads, and starts
//! nothing.

use std::path::Path;
use std::path::PathBuf;

use super::Config;
use super::ConfigError;
use super::Environment;
use super::Place;
use super::Settings;
use super::Warning;
use super::directories;
use super::keys;
use super::keys::File;
use super::keys::KEYS;
use super::keys::Key;
use super::keys::Kind;
use super::locate;

/// A configuration with all its mistakes.
#[derive(Debug)]
pub struct Review {
    /// With the default in place of each wrong value; `None` where the files could not be read.
    pub config: Option<Config>,
    pub errors: Vec<ConfigError>,
    pub warnings: Vec<Warning>,
    /// The files that are there.
    pub files: Vec<PathBuf>,
    /// Those of them that hold a password.
    pub secret_files: Vec<PathBuf>,
    settings: Option<Settings>,
}

impl Review {
    /// Of the files in `etc`, or in the directories of Open-Xchange, and of the environment of this process.
    pub fn load(etc: Option<&Path>) -> Self {
        Self::load_with(etc, &super::environment())
    }

    /// The same with these environment variables.
    pub fn load_with(etc: Option<&Path>, environment: &Environment) -> Self {
        let mut review = Self {
            config: None,
            errors: Vec::new(),
            warnings: Vec::new(),
            files: Vec::new(),
            secret_files: Vec::new(),
            settings: None,
        };
        if let Err(error) = review.read(etc, environment) {
            review.errors.push(error);
        }
        review
    }

    /// Whether the value of the option is none of its own.
    pub fn is_wrong(&self, key: &Key) -> bool {
        let is_key = |error: &ConfigError| matches!(error, ConfigError::Value { key: wrong, .. } if *wrong == key.name);
        self.errors.iter().any(is_key)
    }

    /// The line that gives an option another value: what to write, and where.
    pub fn line(&self, key: &Key, value: &str) -> String {
        let place = self
            .settings
            .as_ref()
            .and_then(|settings| settings.places.get(key.name));
        match place {
            Some(place @ Place::Line { .. }) => format!("{}={value} ({place})", key.name),
            Some(Place::Variable(name)) => format!("{name}={value} (in the environment)"),
            None => format!("{}={value} (in {})", key.name, self.file(key.file)),
        }
    }

    fn file(&self, file: File) -> String {
        let found = self.files.iter().find(|path| path.ends_with(file.name()));
        found.map_or_else(|| file.name().to_owned(), |path| path.display().to_string())
    }

    fn read(&mut self, etc: Option<&Path>, environment: &Environment) -> Result<(), ConfigError> {
        let directories = directories(etc)?;
        let located = File::ALL.iter().filter_map(|file| locate(&directories, file.name()));
        self.files = located.collect();
        let mut settings = Settings::read(&directories, environment, &mut self.warnings)?;
        self.secret_files = settings.secret_files();
        // Each round does away with one mistake, and a default is none.
        for _ in 0..=KEYS.len() {
            match settings.config(directories.clone()) {
                Ok(config) => {
                    self.config = Some(config);
                    break;
                }
                Err(error) => {
                    let key = match &error {
                        ConfigError::Value { key, .. } => keys::find(key),
                        _ => None,
                    };
                    self.errors.push(error);
                    let Some(key) = key else { break };
                    settings.values = settings.with_default(key)?;
                }
            }
        }
        self.settings = Some(settings);
        Ok(())
    }
}

impl Settings {
    fn with_default(&self, key: &Key) -> Result<config::Config, ConfigError> {
        let values = config::Config::builder().add_source(self.values.clone());
        Ok(values.set_override(key.name, key.default)?.build()?)
    }

    /// The files with a password in a line that counts.
    fn secret_files(&self) -> Vec<PathBuf> {
        let holds_password = |key: &&&Key| match key.kind {
            Kind::Secret => !self.text(key).is_empty(),
            Kind::Database => self.text(key).contains('@'),
            _ => false,
        };
        let mut files: Vec<PathBuf> = KEYS
            .iter()
            .filter(holds_password)
            .filter_map(|key| match self.places.get(key.name)? {
                Place::Line { file, .. } => Some(file.clone()),
                Place::Variable(_) => None,
            })
            .collect();
        files.sort();
        files.dedup();
        files
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The review of a directory with this `usm.properties` and no other file.
    fn review(usm: &str) -> Review {
        let etc = tempfile::tempdir().unwrap();
        fs::write(etc.path().join("usm.properties"), usm).unwrap();
        Review::load_with(Some(etc.path()), &Environment::new())
    }

    #[test]
    fn all_mistakes_are_found() {
        let review = review(
            "com.openexchange.usm.ox.url=ox\ncom.openexchange.usm.eas.ping.min_heartbeat=600\n\
             com.openexchange.usm.eas.ping.max_heartbeat=soon\ncom.openexchange.usm.eas.stop.timeout=0\n",
        );
        let wrong: Vec<String> = review.errors.iter().map(ToString::to_string).collect();
        assert_eq!(wrong.len(), 3, "{wrong:#?}");
        for key in [&keys::OX_URL, &keys::PING_MAX_HEARTBEAT, &keys::STOP_TIMEOUT] {
            assert!(review.is_wrong(key), "{}", key.name);
        }
        assert!(!review.is_wrong(&keys::PING_MIN_HEARTBEAT));
        let config = review.config.as_ref().unwrap();
        assert_eq!(config.ping.min_heartbeat.as_secs(), 600, "what is right stays");
        assert_eq!(config.ox.url.as_str(), keys::OX_URL.default);
    }

    #[test]
    fn options_that_contradict_each_other_are_one_mistake() {
        let review =
            review("com.openexchange.usm.eas.ping.min_heartbeat=600\ncom.openexchange.usm.eas.ping.max_heartbeat=60\n");
        assert_eq!(review.errors.len(), 1);
        assert!(review.config.is_some());
    }

    #[test]
    fn a_line_says_where_it_belongs() {
        let review = review("\ncom.openexchange.usm.ox.url=http://a/\n");
        let line = review.line(&keys::OX_URL, "http://b/");
        assert!(line.starts_with("com.openexchange.usm.ox.url=http://b/ (/"), "{line}");
        assert!(line.ends_with("usm.properties, line 2)"), "{line}");
        let line = review.line(&keys::AJP_SECRET, "WORD");
        assert_eq!(line, "com.openexchange.usm.eas.ajp.secret=WORD (in eas.properties)");
    }

    #[test]
    fn files_with_passwords_are_known() {
        assert_eq!(
            review("com.openexchange.usm.database.url=configdb\n")
                .secret_files
                .len(),
            0
        );
        for text in [
            "com.openexchange.usm.database.url=mysql://a:b@h/s\n",
            "com.openexchange.usm.eas.ajp.secret=word\n",
        ] {
            assert_eq!(review(text).secret_files.len(), 1, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_one_mistake() {
        let review = review("a=\\u12");
        assert_eq!((review.errors.len(), review.config.is_none()), (1, true));
    }
}
