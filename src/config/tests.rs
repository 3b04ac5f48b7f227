//! Whole configurations: files in, typed parts, warnings or one error out.

use std::fs;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

/// A directory with both files; `None` leaves one out.
fn etc(usm: Option<&str>, eas: Option<&str>) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (file, text) in [(File::Usm, usm), (File::Eas, eas)] {
        if let Some(text) = text {
            fs::write(directory.path().join(file.name()), text).unwrap();
        }
    }
    directory
}

fn load(usm: &str, eas: &str) -> Result<(Config, Vec<Warning>), ConfigError> {
    Config::load(Some(etc(Some(usm), Some(eas)).path()))
}

#[test]
fn the_shipped_files_are_accepted_and_are_the_defaults() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("etc");
    let (config, warnings) = Config::load(Some(&shipped)).unwrap();
    assert_eq!(warnings, []);
    let (defaults, _) = load("", "").unwrap();
    assert_eq!(format!("{config:?}"), format!("{defaults:?}"));
}

#[test]
fn defaults() {
    let (config, warnings) = load("", "").unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.ox.url.as_str(), "http://127.0.0.1/ajax/");
    assert_eq!(config.access.module.as_deref(), Some("syncml"));
    assert!(!config.access.active_sync);
    let Database::Sqlite(path) = config.database else {
        panic!("the default is a file");
    };
    assert_eq!(path, Path::new("/var/lib/oxtender/oxtender.db"));
    assert_eq!(config.doors.ajp.listen.unwrap().to_string(), "127.0.0.1:8009");
    assert_eq!(config.doors.admin.unwrap().to_string(), "127.0.0.1:8011");
    assert!(config.doors.http.listen.is_none() && config.doors.ajp.secret.is_none());
    assert_eq!(config.doors.ajp.idle_timeout, None);
    assert_eq!(config.doors.stop_timeout, Duration::from_secs(20));
    assert_eq!(config.limits.body_bytes, 100 * 1024 * 1024);
    let proxies = config.doors.http.trusted_proxies;
    assert!(proxies.contains("127.0.0.1".parse().unwrap()) && proxies.contains("::1".parse().unwrap()));
    assert_eq!(config.eas.alias, "/Microsoft-Server-ActiveSync");
    assert_eq!(config.eas.autodiscover_alias, "/autodiscover");
    assert_eq!((config.eas.public_url, config.eas.redirects), (None, Vec::new()));
    assert_eq!(config.ping.max_heartbeat, Duration::from_secs(3540));
    assert_eq!(config.limits.mail_age, None);
    assert_eq!(config.limits.objects_per_folder, 65535);
    assert_eq!(config.cache.check_interval, Duration::from_secs(60));
}

#[test]
fn values_are_read_from_both_files() {
    let (config, warnings) = load(
        "com.openexchange.usm.ox.url: https://ox.example/ajax\ncom.openexchange.usm.access_check_module = none\n",
        "com.openexchange.usm.eas.ajp.listen=[::1]:0\ncom.openexchange.usm.eas.ajp.secret=s\u{e4}cret\n\
         com.openexchange.usm.eas.mail.time_limit=31\n",
    )
    .unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.ox.url.as_str(), "https://ox.example/ajax/");
    assert_eq!(config.access.module, None);
    assert_eq!(config.doors.ajp.listen.unwrap().to_string(), "[::1]:0");
    assert_eq!(config.doors.ajp.secret.unwrap().expose_secret(), "s\u{e4}cret");
    assert_eq!(config.limits.mail_age, Some(Duration::from_secs(31 * 86_400)));
}

#[test]
fn a_key_may_stand_in_the_other_file() {
    let (config, warnings) = load("com.openexchange.usm.eas.alias=/eas", "").unwrap();
    assert_eq!((config.eas.alias.as_str(), warnings.len()), ("/eas", 0));
}

/// Each case: what both files hold, and what the warning ends with.
#[test]
fn warnings() {
    for (usm, eas, end) in [
        (
            "\na.b=1",
            "",
            "usm.properties, line 2: unknown option a.b; it is ignored",
        ),
        (
            "com.openexchange.usm.json.alias=/x",
            "",
            "line 1: com.openexchange.usm.json.alias is accepted and has no effect here",
        ),
    ] {
        let (_, warnings) = load(usm, eas).unwrap();
        let texts: Vec<String> = warnings.iter().map(Warning::to_string).collect();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].ends_with(end), "{texts:?}");
    }
}

/// Each case: an environment variable without a use, and its warning.
#[test]
fn what_has_no_effect_is_said_of_the_environment_too() {
    let directory = etc(Some(""), Some(""));
    for (name, text) in [
        ("OX_URI", "unknown option COM_OPENEXCHANGE_USM_OX_URI; it is ignored"),
        (
            "CACHE_SYNCSTATE_TIMEOUT",
            "com.openexchange.usm.cache.syncstate.timeout is accepted and has no effect here",
        ),
    ] {
        let variable = format!("{}{name}", keys::VARIABLES);
        let environment = [(variable.clone(), "1".to_owned())].into();
        let (_, warnings) = Config::load_with(Some(directory.path()), &environment).unwrap();
        let texts: Vec<String> = warnings.iter().map(Warning::to_string).collect();
        assert_eq!(texts, [format!("environment variable {variable}: {text}")]);
    }
}

#[test]
fn a_missing_file_is_a_warning_and_a_missing_directory_an_error() {
    let directory = etc(Some(""), None);
    let (_, warnings) = Config::load(Some(directory.path())).unwrap();
    let file = directory.path().join("eas.properties");
    assert_eq!(warnings, [Warning::MissingFile { file }]);

    let nowhere = directory.path().join("nowhere");
    assert!(matches!(Config::load(Some(&nowhere)), Err(ConfigError::NoDirectory(d)) if d == nowhere));
}

/// Each case: key and value in `eas.properties`, and a part of what is said to be allowed.
#[test]
fn a_wrong_value_names_file_line_key_value_and_what_is_allowed() {
    let prefix = "com.openexchange.usm";
    for (key, value, allowed) in [
        ("ox.url", "ox.example", "http://"),
        ("access_check_module", "a b", "none"),
        ("eas.access_check", "yes", "true or false"),
        ("eas.alias", "eas", "begins with /"),
        ("eas.autodiscover.alias", "x", "begins with /"),
        ("eas.public_url", "http://mail.example", "https://"),
        ("eas.redirect", "anna=", "login=URL"),
        ("eas.ajp.listen", "8009", "host:port"),
        (
            "eas.ajp.packet_size",
            "8191",
            "a whole number of bytes from 8192 to 65536",
        ),
        ("eas.ajp.idle_timeout", "never", "a whole number of seconds from 0"),
        ("eas.http.trusted_proxies", "proxy.example", "10.0.0.0/8"),
        ("eas.stop.timeout", "0", "a whole number of seconds from 1"),
        (
            "eas.ping.poll_interval",
            "0",
            "a whole number of seconds from 1 to 3600",
        ),
        ("eas.ping.max_heartbeat", "-1", "from 1 to 3540"),
        ("eas.ping.max_heartbeat", "59", "at least 60"),
        ("eas.mail.time_limit", "3 days", "a whole number of days"),
        ("eas.login_pattern.domain_user", "$DOMAIN", "$USER"),
        ("max_objects_per_folder", "0", "a whole number from 1"),
        ("eas.ajp.listen", "", "unless com.openexchange.usm.eas.http.listen"),
    ] {
        let error = load("", &format!("# comment\n{prefix}.{key}={value}\n"))
            .unwrap_err()
            .to_string();
        let start = format!("eas.properties, line 2: {prefix}.{key}={value} is not valid; allowed: ");
        assert!(error.contains(&start) && error.contains(allowed), "{error}");
    }
}

#[test]
fn no_error_shows_a_password() {
    let error = load("com.openexchange.usm.database.url=mysql://ox:geheim@/", "").unwrap_err();
    assert!(!error.to_string().contains("geheim"), "{error}");
    assert!(error.to_string().contains("usm.properties, line 1"), "{error}");
}

/// Another value for each kind, and never the default of an option of that kind.
fn another(key: &Key) -> String {
    match key.kind {
        Kind::Flag if key.default == "true" => "false".to_owned(),
        Kind::Flag => "true".to_owned(),
        Kind::Number { max, .. } if key.default == max.to_string() => (max - 1).to_string(),
        Kind::Number { max, .. } => max.to_string(),
        Kind::Url | Kind::Endpoint => "https://other.example/ajax/".to_owned(),
        Kind::UrlPath => "/other".to_owned(),
        Kind::Redirects => "anna=https://other.example".to_owned(),
        Kind::Listen => "127.0.0.1:1".to_owned(),
        Kind::Networks => "10.0.0.1".to_owned(),
        Kind::Module | Kind::Secret => "other".to_owned(),
        Kind::Notes => "list".to_owned(),
        Kind::LoginPattern => "$DOMAIN/$USER".to_owned(),
        Kind::Database => "configdb".to_owned(),
        Kind::Unused => key.default.to_owned(),
    }
}

/// The parts that are built once. All others are put in place anew when the files are read again.
fn built_once(mut config: Config) -> String {
    config.doors.http.trusted_proxies = Networks::default();
    format!("{:?} {:?} {:?}", config.ox, config.database, config.doors)
}

/// The table says of each option what is so; no other part of the program knows it by name.
#[test]
fn a_restart_is_needed_for_what_is_built_once() {
    let before = built_once(load("", "").unwrap().0);
    for key in KEYS {
        let line = format!("{}={}", key.name, another(key));
        let (config, _) = load("", &line).unwrap();
        let is_fixed = built_once(config) != before;
        assert_eq!(is_fixed, key.effect == keys::Effect::Restart, "{line}");
    }
}

#[test]
fn a_change_is_in_force_or_needs_a_restart_until_there_was_one() {
    let names = |keys: Vec<&Key>| keys.iter().map(|key| key.name).collect::<Vec<_>>();
    let mut running = load("", "").unwrap().0.values;
    let secret = "com.openexchange.usm.eas.ajp.secret";
    let interval = "com.openexchange.usm.eas.ping.poll_interval";
    let read = |eas: &str| load("", eas).unwrap().0.values;

    let changed = read(&format!("{secret}=hush\n{interval}=5"));
    let changes = running.take_over(&changed);
    assert_eq!(
        (names(changes.in_force), names(changes.need_restart)),
        (vec![interval], vec![secret])
    );
    // Read once more, what waits for a restart still does.
    let changes = running.take_over(&changed);
    assert_eq!(
        (names(changes.in_force), names(changes.need_restart)),
        (vec![], vec![secret])
    );
    // Taken back, nothing waits any more.
    let changes = running.take_over(&read(&format!("{interval}=5")));
    assert_eq!((names(changes.in_force), names(changes.need_restart)), (vec![], vec![]));
    assert!(!format!("{changed:?}").contains("hush"));
}

#[test]
fn a_file_comes_from_the_first_directory_that_has_it() {
    assert_eq!(
        DEFAULT_DIRECTORIES,
        ["/opt/open-xchange/etc/groupware", "/opt/open-xchange/etc"]
    );
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let directories = [first.path().to_owned(), second.path().to_owned()];
    let name = "usm.properties";
    assert_eq!(locate(&directories, name), None);
    // As in the releases after 6.x, then as in those.
    for directory in [&second, &first] {
        let file = directory.path().join(name);
        fs::write(&file, "").unwrap();
        assert_eq!(locate(&directories, name), Some(file));
    }
}
