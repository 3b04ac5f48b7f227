//! `make demo`: everything at once, for a person who has never seen it.
//!
//! Starts Open-Xchange in memory, the gateway that ships, and a private Apache; lets a simulated phone sync through all of them
//! and tells what it saw; then stays up for a real phone. It is no test, but it ends with status 1 if the phone is not
//! content. Everything lives in one temporary directory and on free ports, and goes when this program goes.

#[path = "../../it/apache.rs"]
mod apache;
mod arguments;
#[path = "../../it/device.rs"]
mod device;
mod gateway;
mod items;
mod paper;
#[path = "../../support/ports.rs"]
mod ports;
mod stage;
mod tour;

use std::process::ExitCode;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use anyhow::bail;
use clap::Parser as _;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use arguments::Arguments;
use paper::Paper;
use stage::Stage;

/// What the program waits for.
enum Event {
    /// The phone is done; the error says what it did not like.
    Toured(Result<(), String>),
    /// Ctrl-C, or a service manager.
    Interrupted,
}

fn main() -> ExitCode {
    match demonstrate(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ndemo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate(arguments: &Arguments) -> anyhow::Result<()> {
    let (sender, events) = mpsc::channel();
    forward_signals(sender.clone())?;
    let paper = Paper::new();
    let mut stage = Stage::set(arguments, &paper)?;
    stage.introduce(&paper);
    let phone = tour::Phone::new(&stage, arguments.version, paper.clone());
    thread::Builder::new()
        .name("phone".to_owned())
        .spawn(move || sender.send(Event::Toured(phone.tour())))
        .context("no thread for the phone")?;
    match events.recv() {
        Ok(Event::Toured(Ok(()))) => {}
        Ok(Event::Toured(Err(complaint))) => {
            bail!("the phone gave up: {complaint}\n\n{}", stage.gateway.log_tail())
        }
        Ok(Event::Interrupted) | Err(_) => bail!("stopped before the phone was done"),
    }
    if !arguments.once {
        stage.invite(&paper);
        stay_up(&mut stage, &events)?;
        paper.line("Stopped.");
    }
    Ok(())
}

/// Until Ctrl-C. The gateway must not end before.
fn stay_up(stage: &mut Stage, events: &Receiver<Event>) -> anyhow::Result<()> {
    while let Err(RecvTimeoutError::Timeout) = events.recv_timeout(Duration::from_secs(1)) {
        if stage.gateway.has_ended() {
            bail!("the gateway has ended\n\n{}", stage.gateway.log_tail());
        }
    }
    Ok(())
}

/// Turns SIGINT and SIGTERM into events, so that whatever was started is also stopped.
fn forward_signals(events: Sender<Event>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    drop(entered);
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        events.send(Event::Interrupted)
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}
