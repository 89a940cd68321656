//! `config check` of the real binary: what an operator sees before the first start.

use std::process::{Command, Output};

fn config_check(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
    command.env_clear().envs(variables.iter().copied()).args(["config", "check"]).args(arguments).output().unwrap()
}

#[test]
fn settings_that_hold_are_shown_with_their_source_and_without_secrets() {
    let output = config_check(&[("API_TOKEN", "hunter2")], &["--port", "8000"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    let row = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), [].as_slice()));
    assert_eq!(row("server.port"), "server.port 8000 (--port)");
    assert_eq!(row("upstream.token"), "upstream.token ******** (API_TOKEN)");
    assert_eq!(row("store.redis_url"), "store.redis_url (not set) (default)");
    assert!(!shown.contains("hunter2"));
}

#[test]
fn wrong_settings_are_all_told_on_stderr_with_exit_code_2() {
    let output = config_check(&[("JWT_SECRET_KEY", "hunter2"), ("SAA_SERVER__HOTS", "x")], &["--port", "many"]);
    let expected = "settings: 3 problems
  SAA_SERVER__HOTS  is not a setting; SAA_SERVER__HOST is near           (environment)
  server.port       is \"many\"; a whole number from 0 to 65535 is needed  (--port)
  auth.signing_key  is 7 bytes; at least 32 are needed                   (JWT_SECRET_KEY)
";
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(2), expected));
    assert!(output.stdout.is_empty());
}

#[test]
fn redis_without_a_signing_key_is_told_before_the_start() {
    let output = config_check(&[("REDIS_URL", "redis://127.0.0.1")], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("auth.signing_key  is not set; with store.redis_url it is needed"));
}
