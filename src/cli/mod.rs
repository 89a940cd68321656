//! The command line: what may be typed, and which settings the flags stand for.

mod asked_password;
pub mod config_check;
pub mod described;
pub mod doctor;
pub mod health;
mod log;
pub mod migrate;
pub mod openapi_check;
mod progress;
pub mod replica;
pub mod serve;
pub mod session;
mod session_file;
pub mod user;

use std::{
    io::{Write, stderr, stdout},
    path::PathBuf,
    process::ExitCode,
};

use clap::{
    ArgGroup, Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_complete::Shell;
use secrecy::{ExposeSecret, SecretString};
use swagger_api_agent::{
    app::open_store,
    clock::Clock,
    domain::{
        audit::Deed,
        limits::SESSIONS_PAGE_MAX,
        scope::{Scope, Scopes},
        session::SessionId,
        user::{Role, UserName},
    },
    release,
    settings::{Flag, Problems, Settings, Sources},
    store::{
        EmbeddedStore, Store,
        contract::{Cursor, SessionState},
        migrate::Keyspace,
    },
};

/// What the shell sees when the settings cannot be used.
const EXIT_PROBLEMS: u8 = 2;
/// What the embedded store says that a server has.
const HELD: &str = "held by another process";

/// People say what they want; the agent picks operations of your OpenAPI document, calls the API and answers.
#[derive(Debug, Parser)]
#[command(name = "swagger-api-agent", bin_name = "swagger-api-agent", version = release::VERSION_AND_COMMIT)]
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
    /// Looks at sessions in the store, ends them, takes them along as files and brings them
    #[command(subcommand)]
    Session(SessionCommand),
    /// Looks at the replicas that serve from the store
    #[command(subcommand)]
    Replica(ReplicaCommand),
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
    /// Prints what has a shell complete commands and flags
    Completions {
        /// The shell that it is for
        #[arg(value_parser = shell())]
        shell: Shell,
    },
    /// Prints the page of the manual, as man reads it
    Man {
        /// Writes it, and a page for each command, into this directory instead
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
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
    /// Lists sessions of all users, those first that were used last
    List {
        /// Only those of users whose name begins with this
        #[arg(long)]
        user: Option<String>,
        /// Only those in which a turn runs or waits, or only the others
        #[arg(long, value_parser = session_state())]
        state: Option<SessionState>,
        /// How many at most
        #[arg(long, default_value = "100", value_parser = page_size)]
        limit: usize,
        /// Where the list before ended
        #[arg(long, value_parser = session_cursor)]
        cursor: Option<Cursor>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows what is known of a session, and nothing that was said in it
    Show {
        #[command(flatten)]
        which: WhichSession,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists the keys that hold a session, or all that is kept of a user's sessions, credentials and logins
    Keys {
        #[command(flatten)]
        which: WhichSession,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Ends a session, or all of a user, with all that runs in them
    // Without words of ours the usage would have the two in another order than they are typed in.
    #[command(
        group(ArgGroup::new("which").required(true).args(["session", "all"])),
        override_usage = "swagger-api-agent session end [OPTIONS] <USER> <SESSION|--all>"
    )]
    End {
        /// Whose it is
        #[arg(value_parser = user_name)]
        user: UserName,
        /// Its id, as `session list` tells it; or --all
        #[arg(value_parser = session_id)]
        session: Option<SessionId>,
        /// All of the user's sessions, instead of one
        #[arg(long)]
        all: bool,
    },
    /// Writes a session to a file; the audit log says so
    Export {
        #[command(flatten)]
        which: WhichSession,
        /// json can be imported again, markdown is for people
        #[arg(long, default_value = "json")]
        format: FileFormat,
        /// Where to; without it standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Writes over a file that is there already
        #[arg(long, requires = "output")]
        force: bool,
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

/// The session that a command is about.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct WhichSession {
    /// Whose it is
    #[arg(value_parser = user_name)]
    pub user: UserName,
    /// Its id; without one `show` and `export` mean the session that every user has, and `keys` all of them
    #[arg(value_parser = session_id)]
    pub session: Option<SessionId>,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum ReplicaCommand {
    /// Lists the replicas that have said in the last 15 seconds that they are there
    List {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
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

#[expect(clippy::unnecessary_wraps, reason = "what clap calls")]
fn session_id(text: &str) -> Result<SessionId, &'static str> {
    Ok(SessionId::named(text))
}

fn session_state() -> impl TypedValueParser<Value = SessionState> {
    let names = [SessionState::Running, SessionState::Idle].map(SessionState::as_str);
    PossibleValuesParser::new(names).try_map(|word| SessionState::parse(&word).ok_or("is not a state"))
}

fn page_size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| (1..=SESSIONS_PAGE_MAX).contains(size));
    size.ok_or_else(|| format!("a whole number from 1 to {SESSIONS_PAGE_MAX} is needed"))
}

fn session_cursor(text: &str) -> Result<Cursor, &'static str> {
    Cursor::parse(text).ok_or("is none that `session list` gave")
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

fn shell() -> impl TypedValueParser<Value = Shell> {
    PossibleValuesParser::new(["bash", "zsh", "fish"]).try_map(|word| word.parse::<Shell>())
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

/// The store that the settings name, for whoever only looks or ends something: nothing is prepared in it.
async fn store_as_it_is(settings: Settings) -> Result<Store, String> {
    store_is_there(&settings)?;
    let is_embedded = settings.store.redis_url.is_none();
    let opened = opened(move || open_store(&settings, &Clock::System)).await;
    let store = opened.map_err(|sentence| {
        let hint = "; while it runs, ask it: GET /api/admin/sessions and what stands under it say and do the same";
        if is_embedded && sentence.contains(HELD) { sentence + hint } else { sentence }
    })?;
    match store.keyspace().await.map_err(|e| e.to_string())? {
        Keyspace::Current => Ok(store),
        Keyspace::Empty => Err("there is nothing in this store yet: the first start prepares it".to_owned()),
        Keyspace::Behind { schema } => Err(format!("the keyspace has schema {schema}; run `swagger-api-agent migrate` first")),
        Keyspace::Newer { schema } => Err(format!("the keyspace has schema {schema}, newer than this program's")),
    }
}

/// It was done; an audit log that lacks it is told, and nothing else comes of it.
async fn note(store: &Store, deed: Deed) {
    if let Err(error) = store.audit(&deed.with("through", "the command line")).await {
        complain(&format!("the audit log lacks this: {error}"));
    }
}

/// `1 turn`, `2 turns`.
fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// `2 operations can be used, 1 was set aside`.
fn usable_and_aside(usable: usize, aside: usize) -> String {
    format!("{} can be used, {aside} {} set aside", counted(usable as u64, "operation"), if aside == 1 { "was" } else { "were" })
}

/// A reader that closes the pipe early has seen what it wanted.
fn say(line: &str) {
    let _closed_early = writeln!(stdout(), "{line}");
}

fn complain(sentence: &str) {
    let _closed_early = writeln!(stderr(), "{sentence}");
}
