//! `completions` and `man`: what the command line is, told to shells and to man. Both are made of [`Arguments`], so they know every command and flag.

use std::{
    fs, io,
    io::{Write, stdout},
    path::Path,
    process::ExitCode,
};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{Arguments, complain};

/// What is told of the program beyond its commands and flags: heading, and paragraphs of a term and a text.
const MORE: [(&str, &[(&str, &str)]); 3] = [
    (
        "ENVIRONMENT",
        &[
            ("SAA_CONFIG", "a file of settings, in TOML; --config goes before it"),
            (
                "SAA_SECTION__KEY",
                "any setting, as SAA_SERVER__PORT is server.port: `swagger-api-agent config check` lists all of them, with their values and where each was found",
            ),
            ("OPENAPI_FILE, API_BASE_URL, API_TOKEN", "the document, the API and the token for it"),
            ("DEEPSEEK_API_URL, DEEPSEEK_API_KEY, DEEPSEEK_MODEL", "the model: any endpoint that speaks /chat/completions"),
            ("REDIS_URL", "the store; without it the embedded one"),
            ("JWT_SECRET_KEY", "signs the tokens; at least 32 bytes"),
            ("WEB_API_USERNAME, WEB_API_PASSWORD", "the first administrator"),
        ],
    ),
    ("FILES", &[("./data", "the embedded store and generated secrets, without REDIS_URL; --data-dir names another directory")]),
    (
        "EXIT STATUS",
        &[
            ("0", "it is done; a server was told to stop, and did"),
            ("1", "it failed, and said why; what was looked at is not well"),
            ("2", "the settings or the arguments cannot be used"),
        ],
    ),
];

/// Prints what has a shell complete commands and flags.
pub fn completions(shell: Shell) -> ExitCode {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, &name, &mut text);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if shell == Shell::Bash {
        // clap_complete spells a program's name that has hyphens in two ways there, so that nothing below a command is completed
        // (https://github.com/clap-rs/clap/issues/6421).
        text = text.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    }
    told(stdout().write_all(text.as_bytes()))
}

/// Prints the page of the program, or writes it and those of all commands into a directory.
pub fn manual(directory: Option<&Path>) -> ExitCode {
    let Some(directory) = directory else {
        return told(page().and_then(|page| stdout().write_all(&page)));
    };
    let written = fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), directory))
        .and_then(|()| fs::write(directory.join("swagger-api-agent.1"), page()?));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("cannot write to {}: {error}", directory.display()));
            ExitCode::FAILURE
        }
    }
}

/// A reader that closes the pipe early has seen what it wanted.
fn told(written: io::Result<()>) -> ExitCode {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("cannot write: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn page() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let man = Man::new(Arguments::command().disable_help_subcommand(true));
    man.render(&mut text)?;
    let mut more = Roff::default();
    for (heading, paragraphs) in MORE {
        more.control("SH", [heading]);
        for (term, what) in paragraphs {
            more.control("TP", []);
            more.text([bold(*term)]);
            more.text([roman(*what)]);
        }
    }
    more.to_writer(&mut text)?;
    Ok(text)
}
