//! `oxtender db`: the tables, in whichever databases they are.

use std::io;
use std::io::Write;

use clap::Args;
use clap::Subcommand;

use super::Etc;
use crate::config::Config;
use crate::config::ConfigError;
use crate::store;
use crate::store::Store;
use crate::store::Survey;

#[derive(Debug, Subcommand)]
pub enum Db {
    /// Show which databases are used, which tables are there, and how many rows they have.
    ///
    /// Exit status: 0 if all tables of all databases are there or can be made, 1 if not.
    Status(Etc),
    /// Create the tables where they are missing, in the databases of all contexts.
    ///
    /// The service does the same by itself, at its start, now and then, and at the first login of a user. Open-Xchange can
    /// move a context only to a schema that has the tables. A schema that Open-Xchange is updating is left for later.
    Create(Etc),
    /// Drop the tables: every phone then fetches everything again, and nothing is doubled or lost at Open-Xchange.
    ///
    /// Without --yes it only shows what would be dropped. Tables of these names with another layout are another
    /// product's and are never touched. The service may run meanwhile; it makes the tables anew.
    Purge(Purge),
}

#[derive(Debug, Args)]
pub struct Purge {
    #[command(flatten)]
    etc: Etc,
    /// Drop them.
    #[arg(long)]
    yes: bool,
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Output(#[from] io::Error),
    #[error("{0}")]
    Device(String),
    /// What is wrong has been written already.
    #[error("not all databases are in order")]
    Findings,
}

impl Db {
    /// Does it, and writes what it found.
    pub async fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        match self {
            Self::Status(etc) => status(&open(etc).await?, out).await,
            Self::Create(etc) => {
                let store = open(etc).await?;
                store.prepare_all().await?;
                status(&store, out).await
            }
            Self::Purge(purge) => purge.run(out).await,
        }
    }
}

impl Purge {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let store = open(&self.etc).await?;
        let surveys = match self.yes {
            true => store.purge().await?,
            false => store.survey().await?,
        };
        for survey in &surveys {
            write_survey(survey, out)?;
        }
        match self.yes {
            true => writeln!(out, "Dropped. Phones fetch everything again when they come back.")?,
            false => writeln!(out, "Nothing was dropped; --yes drops these tables.")?,
        }
        result_of(&surveys)
    }
}

/// The store of the configuration.
pub(super) async fn open(etc: &Etc) -> Result<Store, Failure> {
    let (_, store) = open_configured(etc).await?;
    Ok(store)
}

/// The same, with the configuration.
pub(super) async fn open_configured(etc: &Etc) -> Result<(Config, Store), Failure> {
    let (config, warnings) = Config::load(etc.etc.as_deref())?;
    warnings.iter().for_each(|warning| log::warn!("{warning}"));
    let store = Store::open(&config.database).await?;
    Ok((config, store))
}

async fn status(store: &Store, out: &mut impl Write) -> Result<(), Failure> {
    let surveys = store.survey().await?;
    for survey in &surveys {
        write_survey(survey, out)?;
    }
    result_of(&surveys)
}

fn write_survey(survey: &Survey, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", survey.place)?;
    match &survey.tables {
        Err(error) => writeln!(out, "  {error}"),
        Ok(tables) => tables.iter().try_for_each(|table| match table.rows {
            Some(rows) => writeln!(out, "  {:<28} {rows} rows", table.table),
            None => writeln!(out, "  {:<28} not there yet", table.table),
        }),
    }
}

fn result_of(surveys: &[Survey]) -> Result<(), Failure> {
    match surveys.iter().all(|survey| survey.tables.is_ok()) {
        true => Ok(()),
        false => Err(Failure::Findings),
    }
}
