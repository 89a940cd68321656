//! What may be typed, and what it means.

use clap::{CommandFactory, error::ErrorKind};
use swagger_api_agent::settings::{Settings, Source};

use super::*;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(["swagger-api-agent"].into_iter().chain(line.split_whitespace()))
}

/// The sources of the settings that one line has changed, in the order of the settings.
fn changed(line: &str) -> Vec<(&'static str, String, String)> {
    let sources = parse(line).unwrap().settings.over(Sources::default());
    let rows = Settings::load(sources).unwrap().effective().into_iter();
    rows.filter(|row| row.source != Source::Default).map(|row| (row.key, row.value, row.source.to_string())).collect()
}

#[test]
fn the_definition_holds_together() {
    Arguments::command().debug_assert();
}

#[test]
fn every_flag_is_a_setting() {
    let line = "config check --host ::1 --port 8000 --api-url http://api --api-token t0ken --openapi api.yaml --data-dir d --debug";
    let wanted = [
        ("server.host", "::1", "--host"),
        ("server.port", "8000", "--port"),
        ("store.data_dir", "d", "--data-dir"),
        ("openapi.file", "api.yaml", "--openapi"),
        ("upstream.base_url", "http://api", "--api-url"),
        ("upstream.token", "********", "--api-token"),
        ("log.level", "debug", "--debug"),
    ];
    assert_eq!(changed(line), wanted.map(|(key, value, source)| (key, value.to_owned(), source.to_owned())));
}

#[test]
fn flags_may_stand_before_the_command() {
    assert_eq!(changed("--port 8000 config check"), changed("config check --port 8000"));
    assert_eq!(changed("config --port 8000 check"), changed("config check --port 8000"));
}

#[test]
fn a_flag_wins_over_a_variable() {
    let below = Sources::default().with_environment([("SAA_SERVER__PORT", "7000")]);
    let settings = Settings::load(parse("config check --port 8000").unwrap().settings.over(below)).unwrap();
    assert_eq!(settings.server.port, 8000);
}

#[test]
fn a_wrong_value_is_told_with_the_other_problems_and_names_its_flag() {
    let below = Sources::default().with_environment([("SAA_LOG__FORMAT", "xml")]);
    let problems = Settings::load(parse("config check --port many").unwrap().settings.over(below)).unwrap_err();
    let expected = "settings: 2 problems
  server.port  is \"many\"; a whole number from 0 to 65535 is needed  (--port)
  log.format   is \"xml\"; one of auto, json, pretty is needed        (SAA_LOG__FORMAT)";
    assert_eq!(problems.to_string(), expected);
}

#[test]
fn a_token_is_not_in_the_debug_form() {
    assert!(!format!("{:?}", parse("config check --api-token hunter2").unwrap()).contains("hunter2"));
}

#[test]
fn config_names_the_file() {
    let missing = parse("config check --config no/such.toml").unwrap().settings.over(Sources::default());
    let problems = Settings::load(missing).unwrap_err().to_string();
    assert!(problems.contains("no/such.toml  cannot be read: ") && problems.ends_with("(--config)"), "{problems}");
}

#[test]
fn what_is_no_command_is_refused() {
    for (line, kind) in [
        ("serv", ErrorKind::InvalidSubcommand),
        ("config", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("config check twice", ErrorKind::UnknownArgument),
        ("config check --prot 1", ErrorKind::UnknownArgument),
        ("config check --port", ErrorKind::InvalidValue),
        ("user", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("user add", ErrorKind::MissingRequiredArgument),
        ("user add ann --role root", ErrorKind::InvalidValue),
        ("user role ann", ErrorKind::MissingRequiredArgument),
        ("user role ann owner", ErrorKind::InvalidValue),
        ("user add ann --password secret", ErrorKind::UnknownArgument),
        ("user list ann", ErrorKind::UnknownArgument),
        ("migrate --json", ErrorKind::UnknownArgument),
        ("serve now", ErrorKind::UnknownArgument),
        ("completions", ErrorKind::MissingRequiredArgument),
        ("completions elvish", ErrorKind::InvalidValue),
    ] {
        assert_eq!(parse(line).unwrap_err().kind(), kind, "{line}");
    }
}

#[test]
fn usage_names_the_program_and_not_its_file() {
    for line in ["user add", "session end ann", "--prot 1"] {
        let error = Arguments::try_parse_from(["/opt/saa-release"].into_iter().chain(line.split(' '))).unwrap_err().to_string();
        assert!(error.contains("Usage: swagger-api-agent") && !error.contains("saa-release"), "{error}");
    }
}

#[test]
fn to_end_sessions_one_is_named_or_all_of_them() {
    let error = |line: &str| parse(line).unwrap_err();
    assert_eq!(error("session end ann").kind(), ErrorKind::MissingRequiredArgument);
    assert!(error("session end ann").to_string().contains("session end [OPTIONS] <USER> <SESSION|--all>"), "{}", error("session end ann"));
    assert_eq!(error("session end ann s1 --all").kind(), ErrorKind::ArgumentConflict);
    let one = SessionCommand::End { user: UserName::new("ann").unwrap(), session: Some(SessionId::named("s1")), all: false };
    assert_eq!(parse("session end ann s1").unwrap().command, Some(Command::Session(one)));
}

#[test]
fn what_is_counted_stands_in_its_number() {
    for (told, expected) in [
        (counted(0, "turn"), "0 turns"),
        (counted(1, "turn"), "1 turn"),
        (counted(2, "turn"), "2 turns"),
        (usable_and_aside(1, 0), "1 operation can be used, 0 were set aside"),
        (usable_and_aside(3, 1), "3 operations can be used, 1 was set aside"),
    ] {
        assert_eq!(told, expected);
    }
}

#[test]
fn without_a_command_the_flags_are_those_of_serve() {
    let parsed = parse("--port 8000 --debug").unwrap();
    assert_eq!(parsed.command, None);
    assert_eq!(parse("serve").unwrap().command, Some(Command::Serve));
    assert_eq!(parse("").unwrap().command, None);
    assert_eq!(changed("--port 8000 --debug"), changed("serve --port 8000 --debug"));
    assert_eq!(changed("--port 8000 serve --debug"), changed("serve --port 8000 --debug"));
}

#[test]
fn every_command_is_understood() {
    let ann = || Named { name: UserName::new("ann").unwrap() };
    let add = |role, stdin| Command::User(UserCommand::Add { user: ann(), role, scopes: None, password: PasswordFrom { stdin } });
    let scopes = |own| Command::User(UserCommand::Scopes { user: ann(), scopes: OwnScopes(own) });
    let check = |document: Option<&str>, json| Command::OpenApi(OpenApiCommand::Check { document: document.map(str::to_owned), json });
    for (line, command) in [
        ("serve", Command::Serve),
        ("migrate", Command::Migrate { status: false }),
        ("migrate --status", Command::Migrate { status: true }),
        ("user add ann", add(Role::User, false)),
        ("user add ann --role admin --password-stdin", add(Role::Admin, true)),
        ("user add --role user ann", add(Role::User, false)),
        ("user list", Command::User(UserCommand::List)),
        (
            "session list --user a --state running --limit 5 --cursor 7.a:main --json",
            Command::Session(SessionCommand::List {
                user: Some("a".into()),
                state: Some(SessionState::Running),
                limit: 5,
                cursor: Cursor::parse("7.a:main"),
                json: true,
            }),
        ),
        (
            "session show ann",
            Command::Session(SessionCommand::Show { which: WhichSession { user: ann().name, session: None }, json: false }),
        ),
        (
            "session keys ann s1",
            Command::Session(SessionCommand::Keys {
                which: WhichSession { user: ann().name, session: Some(SessionId::named("s1")) },
                json: false,
            }),
        ),
        ("session end ann --all", Command::Session(SessionCommand::End { user: ann().name, session: None, all: true })),
        ("replica list", Command::Replica(ReplicaCommand::List { json: false })),
        ("user passwd ann", Command::User(UserCommand::Passwd { user: ann(), password: PasswordFrom { stdin: false } })),
        ("user passwd ann --password-stdin", Command::User(UserCommand::Passwd { user: ann(), password: PasswordFrom { stdin: true } })),
        ("user role ann admin", Command::User(UserCommand::Role { user: ann(), role: Role::Admin })),
        ("user scopes ann role", scopes(None)),
        ("user scopes ann none", scopes(Some(Scopes::NONE))),
        ("user scopes ann audit:read,users:read", scopes(Some(Scopes::stored("audit:read users:read")))),
        ("user disable ann", Command::User(UserCommand::Disable { user: ann() })),
        ("user enable ann", Command::User(UserCommand::Enable { user: ann() })),
        ("openapi check api.yaml", check(Some("api.yaml"), false)),
        ("openapi check https://h/api.json --json", check(Some("https://h/api.json"), true)),
        ("openapi check", check(None, false)),
        ("config check", Command::Config(ConfigCommand::Check)),
        ("completions zsh", Command::Completions { shell: Shell::Zsh }),
        ("man", Command::Man { dir: None }),
        ("man --dir pages", Command::Man { dir: Some("pages".into()) }),
    ] {
        assert_eq!(parse(line).unwrap().command, Some(command), "{line}");
    }
}

#[test]
fn every_command_takes_the_settings_flags() {
    for line in ["migrate", "user list", "user add ann", "openapi check a.yaml", "serve"] {
        assert_eq!(changed(&format!("{line} --data-dir d")), changed("config check --data-dir d"), "{line}");
        assert_eq!(changed(&format!("--data-dir d {line}")), changed("config check --data-dir d"), "{line}");
    }
    // The document that is checked is the argument, not the setting.
    assert!(changed("openapi check a.yaml").is_empty());
}

#[test]
fn a_scope_that_is_none_is_told_with_those_there_are() {
    let error = parse("user scopes ann audit:read,moon:walk,x").unwrap_err().to_string();
    assert!(error.contains("\"moon:walk\" and \"x\" is no scope; there are sessions:read, "), "{error}");
    assert!(parse("user add ann --scopes audit:read").is_ok() && parse("user add ann --scopes Audit").is_err());
}

#[test]
fn a_user_name_follows_the_rule() {
    for bad in ["", " ", "a b", &"x".repeat(65)] {
        let error = Arguments::try_parse_from(["swagger-api-agent", "user", "add", bad]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation, "{bad:?}");
    }
    assert!(parse("user add 张三").is_ok());
}
