//! From the command line to the work, and from its result to the exit code.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use model::{Error, ErrorKind};

use crate::app::{self, Address, Events, Options, Parts};
use crate::cli::{Cli, Command, Serve};
use crate::config::Config;
use crate::{client, demo, join, telemetry, token};

/// The whole program on the real disk.
pub fn run() -> ExitCode {
    main_with(Parts::default())
}

/// The whole program on other parts, for tests.
pub fn main_with(parts: Parts) -> ExitCode {
    let command = Cli::parse().command;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("runtime").build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Error::internal("cannot start the runtime").with_source(error)),
    };
    let done = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => serve(arguments, parts).await,
            Command::Query(arguments) => client::query(&arguments, &mut std::io::stdout()).await,
            Command::Status(arguments) => {
                let is_shown = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                client::status(&arguments, is_shown, &mut std::io::stdout()).await
            }
            Command::Demo(arguments) => demo::run(arguments, parts).await,
            Command::Join(arguments) => join::run(&arguments, &*parts.clock, &mut std::io::stdout()).await,
            Command::Token(arguments) => token::run(&arguments, &mut std::io::stdin(), &mut std::io::stdout()),
            Command::Check(arguments) => {
                let config = Config::check(&arguments.config).map_err(|mistake| Error::invalid(mistake.to_string()))?;
                println!("{}: ok, {}", arguments.config.display(), config.summary());
                Ok(())
            }
        }
    });
    // A query that outlived its deadline must not keep the process.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn serve(arguments: Serve, parts: Parts) -> Result<(), Error> {
    let mut config = load(arguments.config.as_deref())?;
    let traces = telemetry::start(&config.log, &config.telemetry)?;
    if let Some(url) = arguments.store {
        if config.path.is_some() && url != config.storage.url {
            tracing::info!(url, "--store or FLEETSCOPE_STORE wins over storage.url of the file");
        }
        config.storage.url = url;
    }
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.otlp_listen.grpc = arguments.otlp_grpc_listen.unwrap_or(config.otlp_listen.grpc);
    config.otlp_listen.http = arguments.otlp_http_listen.unwrap_or(config.otlp_listen.http);
    let options =
        Options { set_aside_damaged: arguments.set_aside_damaged, insecure_listen: arguments.insecure_listen };
    let events = Events::default();
    let signals = app::listen_to_signals(events.sender())
        .map_err(|e| Error::internal("cannot listen to signals").with_source(e))?;
    let served = app::run(config, options, parts, events, announce).await;
    signals.stop().await;
    traces.end().await;
    served
}

/// A line for each address on standard output, for scripts that asked for port 0.
fn announce(addresses: &[Address]) {
    use std::io::Write;
    let mut out = std::io::stdout();
    for address in addresses {
        // Who has closed our standard output does not want the line.
        let _ = writeln!(out, "listening on {address}").and_then(|()| out.flush());
    }
}

fn load(path: Option<&std::path::Path>) -> Result<Config, Error> {
    Config::load(path).map_err(|mistake| Error::invalid(mistake.to_string()))
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("fleetscope: {error}");
    ExitCode::from(match error.kind() {
        ErrorKind::Invalid => 2,
        ErrorKind::Corrupt => 3,
        _ => 1,
    })
}
