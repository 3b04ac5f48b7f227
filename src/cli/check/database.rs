//! The databases: do they answer, are the tables ours, may we do what we must?

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
        match path.parent().is_some_and(|directory| directory.is_dir()) {
            true => report.ok(
                PART,
                format!("{} is not there yet; the service makes it", path.display()),
            ),
            false => report.error(
                PART,
                format!("{} cannot be made: there is no such directory", path.display()),
                review.line(&keys::DATABASE_URL, "sqlite:/var/lib/oxtender/oxtender.db"),
            ),
        }
        return;
    }
    let inspected = async { Store::open(&config.database).await?.inspect().await };
    match inspected.await {
        Ok(inspections) => inspections
            .iter()
            .for_each(|inspection| tell(inspection, config, review, report)),
        Err(error) => report.error(PART, error.to_string(), remedy(&error, config, review)),
    }
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
    match (error, &config.database) {
        (Error::Foreign { .. }, _) => {
            "see where states are kept in the installation guide: stop the service, DROP TABLE those seven, start it".to_owned()
        }
        (_, Database::Sqlite(_)) => review.line(&keys::DATABASE_URL, "sqlite:/PATH"),
        (_, Database::Mysql(_)) => review.line(&keys::DATABASE_URL, "mysql://USER:PASSWORD@HOST:PORT/SCHEMA"),
        (_, Database::Configdb { .. }) => {
            "writeUrl and writeProperty.N in configdb.properties, SERVER_NAME in system.properties, or the database server".to_owned()
        }
    }
}
