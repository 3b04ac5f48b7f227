//! The program: arguments, logging, signals, exit status.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use oxtender::cli::Cli;
use oxtender::cli::Command;
use oxtender::cli::Etc;
use oxtender::cli::check::Check;
use oxtender::config;
use oxtender::config::Config;
use oxtender::config::Warning;
use oxtender::server::Reloader;
use oxtender::server::Server;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

/// The configuration is wrong; clap uses the same for arguments.
const WRONG_CONFIGURATION: u8 = 2;

/// What is logged unless `RUST_LOG` says otherwise. That a certificate is not trusted is told by whoever asked.
const LOGGED: &str = "info,rustls_platform_verifier=off";

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOGGED)).init();
    match Cli::parse().command {
        Command::Serve(Etc { etc }) => load_and_serve(etc.as_deref()),
        Command::Check(command) => check(&command),
        Command::Config(command) => status_of(command.run(&mut io::stdout().lock())),
        Command::Db(command) => status_of(wait_for(command.run(&mut io::stdout()))),
        Command::Device(command) => status_of(wait_for(command.run(&mut io::stdout()))),
        Command::Wbxml(command) => status_of(command.run(&mut io::stdout().lock())),
    }
}

/// The exit status of a command that has written what it found.
fn status_of<E: std::error::Error + Send + Sync + 'static>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{:#}", anyhow::Error::new(error));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn wait_for<T>(work: impl Future<Output = T>) -> T {
    work.await
}

fn load_and_serve(etc: Option<&Path>) -> ExitCode {
    let (config, warnings) = match Config::load(etc) {
        Ok((config, warnings)) => {
            warnings.iter().for_each(|warning| log::warn!("{warning}"));
            (config, warnings)
        }
        Err(error) => {
            log::error!("{error}");
            return ExitCode::from(WRONG_CONFIGURATION);
        }
    };
    match serve(config, &warnings, etc) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn check(command: &Check) -> ExitCode {
    match command.run(&mut io::stdout()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => status_of(Err(error)),
    }
}

#[tokio::main]
async fn serve(config: Config, warnings: &[Warning], etc: Option<&Path>) -> anyhow::Result<()> {
    let files: Vec<String> = config::files(etc)
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    log::info!(
        "oxtender {}, configured by: {}",
        env!("CARGO_PKG_VERSION"),
        files.join(", ")
    );
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("waiting for SIGHUP")?;
    let server = Server::start(config).await?;
    server.note_configuration(warnings);
    let mut reloader = server.reloader();
    let stopped = async {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => reload(etc, &mut reloader),
            }
        }
    };
    server.run(stopped).await;
    log::info!("stopped");
    Ok(())
}

/// Reads the files again. With a mistake in them, what was in force stays so.
fn reload(etc: Option<&Path>, reloader: &mut Reloader) {
    match Config::load(etc) {
        Ok((config, warnings)) => {
            warnings.iter().for_each(|warning| log::warn!("{warning}"));
            reloader.reload(&config, &warnings);
        }
        Err(error) => log::error!("the configuration was not read again, and the one before stays in force: {error}"),
    }
}
