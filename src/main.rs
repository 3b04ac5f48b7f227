//! The program: arguments, logging, signals, exit status.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use oxtender::cli::Cli;
use oxtender::cli::Command;
use oxtender::config::Config;
use oxtender::server::Server;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

/// The configuration is wrong; clap uses the same for arguments.
const WRONG_CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let Cli {
        command: Command::Serve { etc },
    } = Cli::parse();
    let config = match Config::load(etc.as_deref()) {
        Ok((config, warnings)) => {
            warnings.iter().for_each(|warning| log::warn!("{warning}"));
            config
        }
        Err(error) => {
            log::error!("{error}");
            return ExitCode::from(WRONG_CONFIGURATION);
        }
    };
    match serve(config, etc.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(config: Config, etc: Option<&Path>) -> anyhow::Result<()> {
    let place = etc.map_or_else(|| "its default place".to_owned(), |etc| etc.display().to_string());
    log::info!(
        "oxtender {} with the configuration of {place}",
        env!("CARGO_PKG_VERSION")
    );
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for SIGINT")?;
    let server = Server::start(config).await?;
    let stopped = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    server.run(stopped).await;
    log::info!("stopped");
    Ok(())
}
