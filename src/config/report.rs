//! What is in force and where it comes from, for `oxtender config`.
//!
//! Passwords are never part of it. It says what the gateway would start with; it does not start anything.

use std::fmt;
use std::path::Path;

use super::Config;
use super::ConfigError;
use super::Environment;
use super::Place;
use super::Settings;
use super::Warning;
use super::directories;
use super::keys::KEYS;
use super::keys::Key;
use super::keys::Kind;

/// One option as it is in force.
#[derive(Debug)]
pub struct Setting {
    pub key: &'static Key,
    /// With `***` for what nobody should read.
    pub value: String,
    /// `None`: the default.
    pub place: Option<Place>,
}

/// All options, in the order of the files.
#[derive(Debug)]
pub struct Report {
    pub settings: Vec<Setting>,
    pub warnings: Vec<Warning>,
}

impl Report {
    /// Of the files in `etc`, or in the directories of Open-Xchange, and of the environment of this process.
    ///
    /// # Errors
    ///
    /// Those with which the gateway would not start.
    pub fn load(etc: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_with(etc, &super::environment())
    }

    /// The same with these environment variables.
    pub fn load_with(etc: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let directories = directories(etc)?;
        let mut warnings = Vec::new();
        let settings = Settings::read(&directories, environment, &mut warnings)?;
        let _: Config = settings.config(directories)?;
        let used = KEYS.iter().filter(|key| key.kind != Kind::Unused);
        let setting = |key: &&'static Key| Setting {
            key,
            value: shown(key.kind, &settings.text(key)),
            place: settings.places.get(key.name).cloned(),
        };
        Ok(Self {
            settings: used.map(setting).collect(),
            warnings,
        })
    }

    /// Options that somebody has set to another value than the default.
    pub fn changed(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(|setting| setting.is_changed())
    }

    /// Options that stand nowhere: new ones of this version, or ones that were left out.
    pub fn missing(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(|setting| setting.place.is_none())
    }
}

impl Setting {
    fn is_changed(&self) -> bool {
        self.place.is_some() && self.value != shown(self.key.kind, self.key.default)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key.name, self.value)
    }
}

/// A value without its passwords.
fn shown(kind: Kind, value: &str) -> String {
    match kind {
        Kind::Secret if !value.is_empty() => "***".to_owned(),
        Kind::Database => without_password(value),
        _ => value.to_owned(),
    }
}

/// `mysql://user:***@host/schema`. An `@` may stand in the password, a colon as well.
fn without_password(url: &str) -> String {
    let hidden = || {
        let (scheme, rest) = url.split_once("://")?;
        let (login, place) = rest.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{place}"))
    };
    hidden().unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Each case: a value of `database.url`, and how it is shown.
    #[test]
    fn database_urls_lose_their_password() {
        for (url, shown) in [
            ("sqlite:/var/lib/x.db", "sqlite:/var/lib/x.db"),
            ("configdb", "configdb"),
            ("mysql://ox@h/s", "mysql://ox@h/s"),
            ("mysql://ox:secret@h:3306/s", "mysql://ox:***@h:3306/s"),
            ("mysql://ox:s@c:ret@h/s", "mysql://ox:***@h/s"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn a_variable_beats_the_files_and_everything_names_its_place() {
        let etc = tempfile::tempdir().unwrap();
        let usm = "com.openexchange.usm.ox.url=http://a/ajax/\ncom.openexchange.usm.access_check_module=syncml\n";
        fs::write(etc.path().join("usm.properties"), usm).unwrap();
        fs::write(
            etc.path().join("eas.properties"),
            "com.openexchange.usm.eas.ajp.secret=hush\n",
        )
        .unwrap();
        let environment = [
            ("COM_OPENEXCHANGE_USM_OX_URL", "http://b/ajax/"),
            ("COM_OPENEXCHANGE_USM_OX_URI", "http://c/"),
            ("PATH", "/bin"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let report = Report::load_with(Some(etc.path()), &environment.into()).unwrap();

        let changed: Vec<_> = report.changed().map(Setting::to_string).collect();
        let expected = [
            "com.openexchange.usm.ox.url=http://b/ajax/",
            "com.openexchange.usm.eas.ajp.secret=***",
        ];
        assert_eq!(changed, expected);
        let places: Vec<_> = report
            .changed()
            .map(|s| s.place.as_ref().unwrap().to_string())
            .collect();
        assert_eq!(places[0], "environment variable COM_OPENEXCHANGE_USM_OX_URL");
        assert!(places[1].ends_with("eas.properties, line 1"), "{}", places[1]);
        let warnings: Vec<_> = report.warnings.iter().map(Warning::to_string).collect();
        assert_eq!(
            warnings,
            [
                "environment variable COM_OPENEXCHANGE_USM_OX_URI: unknown option COM_OPENEXCHANGE_USM_OX_URI; it is ignored"
            ]
        );
        assert!(report.missing().all(|setting| setting.place.is_none()));
        assert_eq!(report.missing().count(), report.settings.len() - 3);
    }

    #[test]
    fn what_does_not_start_is_an_error() {
        let environment = [("COM_OPENEXCHANGE_USM_OX_URL".to_owned(), "ox".to_owned())].into();
        let etc = tempfile::tempdir().unwrap();
        let error = Report::load_with(Some(etc.path()), &environment).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("environment variable COM_OPENEXCHANGE_USM_OX_URL: "),
            "{text}"
        );
    }
}
