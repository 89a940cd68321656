//! A start without an administrator who can sign in, on the embedded store: what the real binary says and does.

use std::{
    path::Path,
    process::{Command, Output},
};

/// Runs the program in this directory; it ends by itself, or after some seconds.
fn program(place: &Path, arguments: &[&str], input: &str) -> Output {
    use std::{io::Write, process::Stdio};

    let mut child = Command::new("timeout")
        .args(["20", env!("CARGO_BIN_EXE_swagger-api-agent")])
        .args(arguments)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("SAA_STORE__DATA_DIR", place.join("data"))
        .env("SAA_SERVER__PORT", "0")
        .env("SAA_ADMIN__LISTEN", "off")
        .current_dir(place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn added(place: &Path, name: &str, role: &str) {
    let output = program(place, &["user", "add", name, "--role", role, "--password-stdin"], "correct horse battery\n");
    assert!(output.status.success(), "{output:?}");
}

/// Checks that a start refuses with these words and tells no password, which would open nothing.
#[track_caller]
fn refuses(place: &Path, parts: &[&str]) {
    let output = program(place, &["serve"], "");
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in parts {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    assert!(!told.contains("export PASSWORD"), "{told}");
}

#[test]
fn a_start_whose_only_administrator_is_disabled_says_so_and_tells_no_password() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    added(place, "admin", "admin");
    let output = program(place, &["user", "disable", "admin"], "");
    let warned = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && warned.contains("now no administrator can sign in: admin is disabled"), "{output:?}");
    refuses(place, &["no administrator can sign in: admin is disabled", "user enable admin"]);
    let looked = program(place, &["doctor", "--json"], "");
    let told: serde_json::Value = serde_json::from_slice(&looked.stdout).unwrap();
    let found = told["checks"].as_array().unwrap().iter().find(|check| check["check"] == "administrator").unwrap();
    assert_eq!((&found["state"], looked.status.code()), (&"fail".into(), Some(1)), "{told:#}");
    let enabled = program(place, &["user", "enable", "admin"], "");
    assert!(enabled.status.success() && enabled.stderr.is_empty(), "{enabled:?}");
}

#[test]
fn a_user_of_the_name_that_a_first_start_gives_is_not_made_an_administrator() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    added(place, "admin", "user");
    refuses(place, &["there is no administrator, and admin is somebody else", "user role admin admin"]);
}
