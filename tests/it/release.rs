//! What a release says of itself: its version and commit, what shells and man are told, and documents that lead where they say.

#[path = "../../build.rs"]
#[allow(dead_code, reason = "only what finds the commit is looked at")]
mod build;
mod links;
mod migrating;
mod reference;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use swagger_api_agent::release;

/// What the program says to this, without any of our environment.
fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_swagger-api-agent")).env_clear().args(arguments).output().unwrap()
}

/// What it prints, if it is content and says nothing else.
fn printed(arguments: &[&str]) -> String {
    let output = program(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program of the system in a directory, with nothing of the person's own configuration.
fn run(directory: &Path, line: &str) -> Output {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap());
    command.args(words).current_dir(directory).env("HOME", directory).env("LC_ALL", "C.UTF-8");
    command.output().unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn git(directory: &Path, line: &str) -> String {
    let output = run(directory, &format!("git -c user.name=Ann -c user.email=ann@example.com {line}"));
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_program_tells_its_version_and_what_it_was_built_from() {
    assert_eq!(printed(&["--version"]).trim(), format!("swagger-api-agent {}", release::VERSION_AND_COMMIT));
    let known = format!("{} ({})", release::VERSION, release::COMMIT);
    assert_eq!(release::VERSION_AND_COMMIT, if release::COMMIT.is_empty() { release::VERSION } else { &known });
}

#[test]
fn the_commit_is_what_the_build_is_told_or_else_what_the_repository_says() {
    let (place, full) = (tempfile::tempdir().unwrap(), "0123456789abcdef0123456789abcdef01234567");
    let told = |said: &str| build::commit_of(said, place.path());
    assert_eq!(told("").as_deref(), Ok(""));
    assert_eq!(told(full).as_deref(), Ok("0123456789ab"));
    assert_eq!(told("0123456789ab-changed").as_deref(), Ok("0123456789ab-changed"));
    for no_commit in ["v1.0", "0123456789a", "0123456789AB", "0123456789abc; rm"] {
        assert!(told(no_commit).unwrap_err().contains("at least 12 hexadecimal digits"), "{no_commit}");
    }

    git(place.path(), "init --quiet .");
    fs::create_dir(place.path().join("src")).unwrap();
    fs::write(place.path().join("src/main.rs"), "fn main() {}\n").unwrap();
    git(place.path(), "add src");
    git(place.path(), "commit --quiet --message one");
    let head = git(place.path(), "rev-parse HEAD");
    assert_eq!(told("").unwrap(), head[..12]);
    // What the program is not made of may change; what it is made of says so.
    fs::write(place.path().join("notes.txt"), "not in it").unwrap();
    assert_eq!(told("").unwrap(), head[..12]);
    fs::write(place.path().join("src/main.rs"), "fn main() { }\n").unwrap();
    assert_eq!(told("").unwrap(), format!("{}-changed", &head[..12]));
    assert_eq!(told(full).as_deref(), Ok("0123456789ab"));
    // A package inside somebody else's repository is not of their commit.
    assert_eq!(build::commit_of("", &place.path().join("src")).as_deref(), Ok(""));
    // What cargo notes in a package goes before a repository in which it is unpacked.
    for (note, commit) in [
        (format!("{{\n  \"git\": {{\n    \"sha1\": \"{full}\"\n  }},\n  \"path_in_vcs\": \"\"\n}}"), "0123456789ab"),
        (format!("{{\n  \"git\": {{\n    \"sha1\": \"{full}\",\n    \"dirty\": true\n  }}\n}}"), "0123456789ab-changed"),
    ] {
        fs::write(place.path().join(".cargo_vcs_info.json"), note).unwrap();
        assert_eq!(told("").as_deref(), Ok(commit));
    }
}

#[test]
fn the_licences_that_the_package_names_are_in_it() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |file: &str| fs::read_to_string(place.join(file)).unwrap();
    assert!(text("Cargo.toml").contains("\nlicense = \"MIT OR Apache-2.0\"\n"));
    assert!(
        text("LICENSE-MIT").contains("Permission is hereby granted, free of charge")
            && text("LICENSE-MIT").contains("Swagger API Agent authors")
    );
    assert!(text("LICENSE-APACHE").contains("Version 2.0, January 2004") && text("LICENSE-APACHE").contains("END OF TERMS AND CONDITIONS"));
    let listed = Command::new(env!("CARGO")).args(["package", "--list", "--offline", "--allow-dirty"]).current_dir(place).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "src/main.rs"] {
        assert!(listed.lines().any(|line| line == file), "{file} is not in the package: {listed}");
    }
}

#[test]
fn a_variable_of_the_build_does_not_keep_the_service_from_starting() {
    let check = |name: &str| {
        Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"))
            .env_clear()
            .env(name, "0123456789ab")
            .args(["config", "check"])
            .output()
            .unwrap()
    };
    assert!(check("SAA_COMMIT").status.success());
    assert_eq!(check("SAA_COMMITS").status.code(), Some(2));
}

/// Whether a shell of this machine understands a file; `None` if there is none.
fn understood(shell: &str, file: &Path) -> Option<bool> {
    let output = Command::new(shell).arg("-n").arg(file).output().ok()?;
    assert!(output.stderr.is_empty(), "{shell}: {output:?}");
    Some(output.status.success())
}

/// Has bash complete `swagger-api-agent user pas`.
const TRY: &str = r#"
source ./bash
function=$(complete -p swagger-api-agent | sed 's/.*-F \([^ ]*\) .*/\1/')
COMP_WORDS=(swagger-api-agent user pas) COMP_CWORD=2
$function swagger-api-agent pas user
echo "${COMPREPLY[*]}"
"#;

#[test]
fn every_shell_is_told_every_command() {
    let place = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let text = printed(&["completions", shell]);
        for word in ["completions", "doctor", "migrate", "passwd", "data-dir", "password-stdin"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
        let file = place.path().join(shell);
        fs::write(&file, text).unwrap();
        match understood(shell, &file) {
            Some(good) => assert!(good, "{shell}"),
            None => assert_ne!(shell, "bash", "bash is needed"),
        }
    }
    // Not only that bash reads it: it completes.
    fs::write(place.path().join("try"), TRY).unwrap();
    let output = run(place.path(), "bash --norc try");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "passwd", "{output:?}");
}

#[test]
fn the_pages_of_the_manual_are_read_without_a_complaint() {
    let place = tempfile::tempdir().unwrap();
    let pages = place.path().join("man1");
    assert_eq!(printed(&["man", "--dir", pages.to_str().unwrap()]), "");
    let named = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    assert_eq!(named("swagger-api-agent.1"), printed(&["man"]));
    let mut seen = 0;
    for page in fs::read_dir(&pages).unwrap() {
        let page = page.unwrap().file_name().into_string().unwrap();
        let output = run(&pages, &format!("groff -man -Tutf8 -ww -z {page}"));
        assert!(output.status.success() && output.stderr.is_empty(), "{page}: {output:?}");
        // Every page that one leads to is there: `swagger-api-agent-user(1)`.
        for other in named(&page).replace('\\', "").split("(1)").filter_map(|before| before.rsplit(['\n', ' ']).next().map(str::to_owned)) {
            assert!(!other.starts_with("swagger-api-agent") || pages.join(format!("{other}.1")).exists(), "{page} leads to {other}");
        }
        seen += 1;
    }
    assert!(seen >= 15, "{seen} pages");
    let read = String::from_utf8(run(&pages, "groff -man -Tascii -P-c -P-b -P-u swagger-api-agent.1").stdout).unwrap();
    for heading in ["NAME", "SYNOPSIS", "SETTINGS", "SUBCOMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS"] {
        assert!(read.lines().any(|line| line == heading), "{heading}: {read}");
    }
    let nowhere = program(&["man", "--dir", "/dev/null/pages"]);
    assert!(
        nowhere.status.code() == Some(1) && String::from_utf8_lossy(&nowhere.stderr).starts_with("cannot write to /dev/null/pages: "),
        "{nowhere:?}"
    );
}
