//! Open-Xchange: does it answer, which one is it, and may a user sync?
//!
//! Without a login it says nothing about itself, so that version, modules and permissions take one.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;

use super::finding::Report;
use crate::config::Config;
use crate::config::keys;
use crate::config::review::Review;
use crate::ox;
use crate::ox::ErrorKind;
use crate::ox::Module;
use crate::ox::Ox;
use crate::ox::Session;
use crate::ox::Standard;
use crate::ox::Version;

const PART: &str = "ox";

/// How long Open-Xchange may take for all that is asked of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The oldest that the gateway knows.
const OLDEST: Version = Version::new(6, 10);

/// What is synced, by the modules that all releases have, and the default folder of each.
const MODULES: [(Module, Standard); 4] = [
    (Module::Mail, Standard::Inbox),
    (Module::Calendar, Standard::Calendar),
    (Module::Contacts, Standard::Contacts),
    (Module::Tasks, Standard::Tasks),
];

pub(super) async fn check(
    config: &Config,
    review: &Review,
    user: Option<(&str, SecretString)>,
    report: &mut Report<'_>,
) {
    let looked = timeout(PATIENCE, look(config, review, user, report)).await;
    if looked.is_err() {
        let what = format!("{} does not answer within {} s", config.ox.url, PATIENCE.as_secs());
        report.error(PART, what, "see the log of Open-Xchange");
    }
}

async fn look(config: &Config, review: &Review, user: Option<(&str, SecretString)>, report: &mut Report<'_>) {
    let url = config.ox.url.as_str();
    let alive = async {
        let ox = Ox::new(url)?;
        ox.alive().await?;
        Ok(ox)
    };
    let ox = match alive.await {
        Ok(ox) => ox,
        Err(error) => return tell(&error, review, report),
    };
    report.ok(PART, format!("{url} answers"));
    let Some((name, password)) = user else {
        return report.ok(PART, "version, modules and permissions are looked at with --user NAME");
    };
    let session = match ox.login(name, &password).await {
        Ok(session) => session,
        Err(error) => return tell(&error, review, report),
    };
    report.ok(
        PART,
        format!(
            "{name} logs in: user {}, context {}",
            session.user_id(),
            session.context_id()
        ),
    );
    let looked = match version_and_modules(&session, report).await {
        Ok(()) => permissions(&session, config, review, report).await,
        Err(error) => Err(error),
    };
    if let Err(error) = looked {
        tell(&error, review, report);
    }
    // A session that stays ends by itself.
    let _ = session.logout().await;
}

async fn version_and_modules(session: &Session, report: &mut Report<'_>) -> Result<(), ox::Error> {
    let settings = session.settings().await?;
    let Version { major, minor } = settings.version;
    match settings.version >= OLDEST {
        true => report.ok(PART, format!("version {major}.{minor}")),
        false => report.warning(
            PART,
            format!("version {major}.{minor} is older than any that the gateway was made for"),
            "update Open-Xchange",
        ),
    }
    for (module, standard) in MODULES {
        let name = module.name();
        if !settings.has_module(module) {
            report.warning(
                PART,
                format!("the user may not use the module {name}; his phone gets none of it"),
                format!("the permission {name} of this user at Open-Xchange, if he should"),
            );
            continue;
        }
        let Some(folder) = settings.standard(standard) else {
            report.warning(
                PART,
                format!("{name}: the user has no default folder"),
                "see the log of Open-Xchange",
            );
            continue;
        };
        let probed = ox::probe(session, &[(module, folder.to_owned())]).await?;
        match probed.into_iter().next() {
            Some(Err(error)) => report.error(PART, format!("{name}: {error}"), "see the log of Open-Xchange"),
            _ => report.ok(PART, format!("the module {name} answers")),
        }
    }
    Ok(())
}

async fn permissions(
    session: &Session,
    config: &Config,
    review: &Review,
    report: &mut Report<'_>,
) -> Result<(), ox::Error> {
    let module = config.access.module.as_deref();
    let active_sync = config.access.active_sync.then_some("active_sync");
    // permission, the option that asks for it, the value that does not
    let needed = [
        (module, &keys::ACCESS_CHECK_MODULE, "none"),
        (active_sync, &keys::ACCESS_CHECK, "false"),
    ];
    for (permission, key, off) in needed {
        let Some(permission) = permission else { continue };
        match session.may_use(permission).await? {
            true => report.ok(PART, format!("the user has the permission {permission}")),
            false => report.error(
                PART,
                format!("the user may not sync: he lacks the permission {permission}"),
                format!("grant it at Open-Xchange, or {}", review.line(key, off)),
            ),
        }
    }
    if module.is_none() && active_sync.is_none() {
        report.ok(PART, "everybody may sync; no permission is asked for");
    }
    Ok(())
}

fn tell(error: &ox::Error, review: &Review, report: &mut Report<'_>) {
    let url = || review.line(&keys::OX_URL, "http://HOST/ajax/");
    let change = match error.kind {
        ErrorKind::Configuration | ErrorKind::Garbled => {
            format!("{}; Open-Xchange 8: http://HOST:8009/appsuite/api/", url())
        }
        ErrorKind::Unreachable => format!("start Open-Xchange, or {}", url()),
        ErrorKind::Credentials => "the name or the password given to this check".to_owned(),
        ErrorKind::Denied => "the account or its context, which are locked at Open-Xchange".to_owned(),
        ErrorKind::TooManySessions => "com.openexchange.sessiond.maxSessionPerUser at Open-Xchange".to_owned(),
        _ => "see the log of Open-Xchange".to_owned(),
    };
    report.error(PART, error.to_string(), change);
}
