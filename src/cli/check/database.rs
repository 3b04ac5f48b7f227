//! The databases: do they answer, are the tables ours, may we do what we must?

use std::path::Path;

use super::finding::Level;
use super::finding::Report;
use crate::config::Config;
use crate::config::Database;
use crate::config::keys;
use crate::config::review::Review;
use crate::store::Error;
use crate::store::Inspection;
use crate::store::Store;

const PART: &str = "database";

pub(super) async fn check(config: &Config, review: &Review, report: &mut Report<'_>) {
    if let Database::Sqlite(path) = &config.database
        && !path.exists()
    {
        // To open it would make it, with an owner that the service may not have.
        return unmade(path, review, report);
    }
    let inspected = async { Store::open(&config.database).await?.inspect().await };
    match inspected.await {
        Ok(inspections) => inspections
            .iter()
            .for_each(|inspection| tell(inspection, config, review, report)),
        Err(error) => report.error(PART, error.to_string(), remedy(&error, config, review)),
    }
}

/// A file that is not there yet.
fn unmade(path: &Path, review: &Review, report: &mut Report<'_>) {
    let directory = path.parent().unwrap_or(path);
    if directory.is_dir() {
        return report.ok(
            PART,
            format!("{} is not there yet; the service makes it", path.display()),
        );
    }
    let change = format!(
        "install -d -o open-xchange -g open-xchange -m 750 {}, or {}",
        directory.display(),
        review.line(&keys::DATABASE_URL, "sqlite:/PATH")
    );
    let what = format!("{} cannot be made: there is no such directory", path.display());
    report.error(PART, what, change);
}

fn tell(inspection: &Inspection, config: &Config, review: &Review, report: &mut Report<'_>) {
    let place = &inspection.place;
    for trouble in &inspection.troubles {
        let level = if trouble.is_error() {
            Level::Error
        } else {
            Level::Warning
        };
        report.tell(level, PART, format!("{place}: {trouble}"), trouble.remedy());
    }
    match &inspection.facts {
        Ok(facts) => report.ok(PART, format!("{place}: {facts}")),
        Err(error) => report.error(PART, error.to_string(), remedy(error, config, review)),
    }
}

fn remedy(error: &Error, config: &Config, review: &Review) -> String {
    let line = match &config.database {
        Database::Sqlite(_) => review.line(&keys::DATABASE_URL, "sqlite:/PATH"),
        Database::Mysql(_) => review.line(&keys::DATABASE_URL, "mysql://USER:PASSWORD@HOST:PORT/SCHEMA"),
        Database::Configdb { .. } => {
            "writeUrl and writeProperty.N in configdb.properties, SERVER_NAME in system.properties".to_owned()
        }
    };
    match error {
        Error::Foreign { .. } => "stop the service, DROP TABLE those seven, start it (installation guide)".to_owned(),
        Error::Unavailable { .. } => format!("start the database server, or {line}"),
        _ => line,
    }
}
