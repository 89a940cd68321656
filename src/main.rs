//! The command line: parses, calls, exits.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use swagger_api_agent::settings::Sources;

use crate::cli::{Arguments, Command, ConfigCommand, OpenApiCommand};

/// Frees memory faster than the system's allocator and gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Arguments { settings, command } = Arguments::parse();
    let sources = settings.over(Sources::of_process());
    match command.unwrap_or(Command::Serve) {
        Command::Serve => cli::serve::run(sources),
        Command::Migrate { status } => cli::migrate::run(sources, status),
        Command::Session(command) => cli::session::run(sources, command),
        Command::User(command) => cli::user::run(sources, command),
        Command::Replica(command) => cli::replica::run(sources, &command),
        Command::OpenApi(OpenApiCommand::Check { document, json }) => cli::openapi_check::run(sources, document.as_deref(), json),
        Command::Config(ConfigCommand::Check) => cli::config_check::run(sources),
        Command::Doctor { json } => cli::doctor::run(sources, json),
        Command::Health => cli::health::run(sources),
        Command::Completions { shell } => cli::described::completions(shell),
        Command::Man { dir } => cli::described::manual(dir.as_deref()),
    }
}
