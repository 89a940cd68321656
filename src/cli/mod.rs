//! The command line: what may be typed, and which settings the flags stand for.

pub mod config_check;
pub mod doctor;
pub mod health;
mod log;
pub mod migrate;
pub mod openapi_check;
mod progress;
pub mod serve;
pub mod session;
pub mod user;

use std::{
    io::{Write, stderr, stdout},
    path::PathBuf,
    process::ExitCode,
};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use secrecy::{ExposeSecret, SecretString};
use swagger_api_agent::{
    domain::{
        scope::{Scope, Scopes},
        user::{Role, UserName},
    },
    settings::{Flag, Problems, Settings, Sources},
    store::{EmbeddedStore, Store},
};

/// What the shell sees when the settings cannot be used.
const EXIT_PROBLEMS: u8 = 2;

/// People say what they want; the agent picks operations of your OpenAPI document, calls the API and answers.
#[derive(Debug, Parser)]
#[command(name = "swagger-api-agent", version)]
pub struct Arguments {
    #[command(flatten)]
    pub settings: SettingsFlags,
    /// None: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serves; this is also what happens without a command
    Serve,
    /// Brings the store to the form that this version needs
    Migrate {
        /// Only says which migrations have run and which are due
        #[arg(long)]
        status: bool,
    },
    /// Looks after the users in the store
    #[command(subcommand)]
    User(UserCommand),
    /// Takes sessions along as files, and brings them
    #[command(subcommand)]
    Session(SessionCommand),
    /// Looks at an OpenAPI document
    #[command(subcommand, name = "openapi")]
    OpenApi(OpenApiCommand),
    /// Looks at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Looks at all that the service needs, and says what is not well and what to do; exits with 1 if something failed
    Doctor {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Asks the server that these settings start whether it is ready; exits with 0 if it is
    Health,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Adds a user
    Add {
        #[command(flatten)]
        user: Named,
        /// What the user may do
        #[arg(long, default_value = "user", value_parser = role())]
        role: Role,
        /// What the user may do beyond their own session, with commas between; without it, what the role has
        #[arg(long, value_parser = scopes)]
        scopes: Option<OwnScopes>,
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// Lists all users
    List,
    /// Gives a user a new password
    Passwd {
        #[command(flatten)]
        user: Named,
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// Gives a user another role
    Role {
        #[command(flatten)]
        user: Named,
        /// What the user may do from now on
        #[arg(value_parser = role())]
        role: Role,
    },
    /// Gives a user other scopes: what they may do beyond their own session
    Scopes {
        #[command(flatten)]
        user: Named,
        /// Names with commas between; `none`, or `role` for what the role has
        #[arg(value_parser = scopes)]
        scopes: OwnScopes,
    },
    /// Keeps a user out, with all that is stored of them
    Disable {
        #[command(flatten)]
        user: Named,
    },
    /// Lets a user in again
    Enable {
        #[command(flatten)]
        user: Named,
    },
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum SessionCommand {
    /// Writes a session to a file; the audit log says so
    Export {
        #[command(flatten)]
        user: Named,
        /// The id of the session; without it the one that every user has
        #[arg(long)]
        session: Option<String>,
        /// json can be imported again, markdown is for people
        #[arg(long, default_value = "json")]
        format: FileFormat,
        /// Where to; without it standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Begins another session of a user with the conversation of a file
    Import {
        #[command(flatten)]
        user: Named,
        /// A file that export made; `-` is standard input
        file: PathBuf,
    },
}

/// What a session is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    Json,
    Markdown,
}

/// The user that a command is about.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct Named {
    /// 1 to 64 characters without white space
    #[arg(value_parser = user_name)]
    pub name: UserName,
}

/// Where a new password comes from; never the command line, which other users of the machine can see.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct PasswordFrom {
    /// Reads the password from standard input instead of asking for it
    #[arg(long = "password-stdin")]
    pub stdin: bool,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum OpenApiCommand {
    /// Shows which operations can be used, what was set aside and why; exits with 1 if none can
    Check {
        /// A path, or an http or https URL; without one, every document that the settings name
        #[arg(value_name = "FILE|URL")]
        document: Option<String>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

fn user_name(text: &str) -> Result<UserName, &'static str> {
    UserName::new(text).ok_or("1 to 64 characters without white space are needed")
}

/// Scopes of a user's own; `None`: those of the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnScopes(pub Option<Scopes>);

fn scopes(text: &str) -> Result<OwnScopes, String> {
    match text {
        "role" => return Ok(OwnScopes(None)),
        "none" => return Ok(OwnScopes(Some(Scopes::NONE))),
        _ => {}
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for name in text.split(',') {
        match Scope::parse(name) {
            Some(scope) => known.push(scope),
            None => unknown.push(format!("{name:?}")),
        }
    }
    if unknown.is_empty() {
        return Ok(OwnScopes(Some(known.into_iter().collect())));
    }
    Err(format!("{} is no scope; there are {}, or none, or role", unknown.join(" and "), Scope::names()))
}

fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new([Role::User, Role::Admin].map(Role::as_str)).try_map(|word| Role::parse(&word).ok_or("is not a role"))
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Shows every setting and where it was found, secrets masked; or everything that is wrong, and exits with 2
    Check,
}

/// The topmost layer of the settings. Every command takes these, before or after its name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct SettingsFlags {
    /// A file of settings, in TOML [variable: SAA_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on
    #[arg(long, global = true)]
    host: Option<String>,
    /// The port to listen on
    #[arg(long, global = true)]
    port: Option<String>,
    /// The URL of the API, instead of the document's
    #[arg(long, global = true, value_name = "URL")]
    api_url: Option<String>,
    /// Sent to the API as a bearer token; other users of this machine can see it here, and not in the variable API_TOKEN
    #[arg(long, global = true, value_name = "TOKEN")]
    api_token: Option<SecretString>,
    /// The OpenAPI document; without one, the built-in demo
    #[arg(long, global = true, value_name = "FILE|URL")]
    openapi: Option<String>,
    /// The directory of the embedded store and of generated secrets
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Logs more, as SAA_LOG__LEVEL=debug does
    #[arg(long, global = true)]
    debug: bool,
}

impl SettingsFlags {
    /// These flags over what `below` already says.
    pub fn over(self, below: Sources) -> Sources {
        let Self { config, host, port, api_url, api_token, openapi, data_dir, debug } = self;
        let given = [
            ("--host", "server.host", host),
            ("--port", "server.port", port),
            ("--api-url", "upstream.base_url", api_url),
            ("--api-token", "upstream.token", api_token.map(|token| token.expose_secret().to_owned())),
            ("--openapi", "openapi.file", openapi),
            ("--data-dir", "store.data_dir", data_dir),
            ("--debug", "log.level", debug.then(|| "debug".to_owned())),
        ];
        let flags = given.into_iter().filter_map(|(name, key, value)| Some(Flag { name, key, value: value? }));
        below.with_file(config).with_flags(flags)
    }
}

#[cfg(test)]
mod tests;

/// Runs a command's work to its end; a sentence that comes back goes to standard error.
fn block_on(work: impl Future<Output = Result<(), String>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("no runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(work);
    // What still runs in the background has nobody to report to any more.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            complain(&sentence);
            ExitCode::FAILURE
        }
    }
}

/// The settings, or the exit code after all that is wrong with them has been told.
fn settings_of(loaded: Result<Settings, Problems>) -> Result<Settings, ExitCode> {
    loaded.map_err(|problems| {
        complain(&problems.to_string());
        ExitCode::from(EXIT_PROBLEMS)
    })
}

/// Whoever only looks must not make a store: an embedded one that is not there yet is told.
fn store_is_there(settings: &Settings) -> Result<(), String> {
    let directory = &settings.store.data_dir;
    if settings.store.redis_url.is_some() || EmbeddedStore::is_in(directory) {
        return Ok(());
    }
    Err(format!("there is no store in {} yet: the first start makes one", directory.display()))
}

/// Opens a store off the runtime: the embedded one reads files.
async fn opened(open: impl FnOnce() -> Result<Store, String> + Send + 'static) -> Result<Store, String> {
    tokio::task::spawn_blocking(open).await.unwrap_or_else(|_| Err("the store cannot be opened".to_owned()))
}

/// A reader that closes the pipe early has seen what it wanted.
fn say(line: &str) {
    let _closed_early = writeln!(stdout(), "{line}");
}

fn complain(sentence: &str) {
    let _closed_early = writeln!(stderr(), "{sentence}");
}
