//! `oxtender config`: what is in force, and what a new version brought.

use std::io;
use std::io::Write;

use clap::Subcommand;

use super::Etc;
use crate::config::ConfigError;
use crate::config::keys::File;
use crate::config::report::Report;

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Show every option with its value and where that comes from.
    Show(Etc),
    /// Show what you changed, and what your files lack.
    ///
    /// The second part can be appended to the files as it stands: it holds options of this version that are in neither
    /// file, at their defaults, with a line on each. Nothing has to be added, since a line that is missing means the
    /// default.
    Diff(Etc),
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl Config {
    /// Writes the report; warnings go to the log.
    pub fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let (Self::Show(Etc { etc }) | Self::Diff(Etc { etc })) = self;
        let report = Report::load(etc.as_deref())?;
        report.warnings.iter().for_each(|warning| log::warn!("{warning}"));
        match self {
            Self::Show(_) => show(&report, out)?,
            Self::Diff(_) => diff(&report, out)?,
        }
        Ok(())
    }
}

fn show(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for setting in &report.settings {
        match &setting.place {
            Some(place) => writeln!(out, "{setting}  # {place}")?,
            None => writeln!(out, "{setting}  # default")?,
        }
    }
    Ok(())
}

fn diff(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "# Changed by you:")?;
    for setting in report.changed() {
        if let Some(place) = &setting.place {
            writeln!(out, "#   {setting}  ({place}; default: {})", setting.key.default)?;
        }
    }
    for file in File::ALL {
        writeln!(out, "\n# Not in your {}:", file.name())?;
        for setting in report.missing().filter(|setting| setting.key.file == file) {
            writeln!(out, "\n{}", setting.key.entry())?;
        }
    }
    Ok(())
}
