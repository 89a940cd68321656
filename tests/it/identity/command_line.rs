//! Users by the command line: the real binary, on a file of its own.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use swagger_api_agent::{domain::audit::Wanted, settings::Settings};

use crate::harness::bed::opened;

/// What the program says to `user …`, and whether it is content.
fn user(data: &Path, arguments: &str, password: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
    command.env_clear().arg("user").args(arguments.split(' ')).arg("--data-dir").arg(data);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that takes no password may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[tokio::test]
async fn users_are_added_with_scopes_and_what_was_done_is_written_down() {
    let data = tempfile::tempdir().unwrap();
    let done = |arguments: &str, password: &str| {
        let (content, told) = user(data.path(), arguments, password);
        assert!(content, "{arguments}: {told}");
        told
    };
    done("add eve --scopes audit:read,users:read --password-stdin", "correct horse battery");
    assert!(done("list", "").contains("eve\tuser\tenabled\tsince"), "{}", done("list", ""));
    assert!(done("list", "").trim_end().ends_with("scopes users:read,audit:read"), "{}", done("list", ""));
    assert_eq!(done("scopes eve none", "").trim(), "eve has no scopes now");
    assert_eq!(done("scopes eve role", "").trim(), "eve has the scopes of the role now");
    for (arguments, password, problem) in [
        ("add bob --password-stdin", "elevenchars", "the password has fewer than 12 characters"),
        ("passwd eve --password-stdin", "short", "the password has fewer than 12 characters"),
        ("add annabella-troy --password-stdin", "Annabella-Troy", "the password is the user name"),
        ("scopes eve moon:walk", "", "\"moon:walk\" is no scope; there are sessions:read, "),
    ] {
        let (content, told) = user(data.path(), arguments, password);
        assert!(!content && told.contains(problem), "{arguments}: {told}");
    }
    let mut settings = Settings::builtin();
    settings.store.data_dir = data.path().to_owned();
    let page = opened(&settings).await.audited(&Wanted::default(), None, 10).await.unwrap();
    let told: Vec<String> = page.records.iter().map(|record| format!("{} {:?} {:?}", record.action, record.by, record.user)).collect();
    assert_eq!(told, ["scopes_changed None Some(\"eve\")", "scopes_changed None Some(\"eve\")", "user_created None Some(\"eve\")"]);
    assert!(page.records.iter().all(|record| record.details.contains(&("through".to_owned(), "the command line".to_owned()))));
}
