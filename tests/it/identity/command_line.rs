//! Users by the command line: the real binary, on a file of its own.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
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
        ("passwd eve --password-stdin", "", "no password came"),
        ("passwd eve", "\n", "no password came"),
        ("passwd nobody --password-stdin", "correct horse battery", "there is no user nobody"),
        ("add eve --password-stdin", "short", "there is a user eve already"),
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

/// What a person does who types nothing, but has the program stop.
const STOP: &str = "^C";
/// How long a person waits for what the program says.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was shown on a terminal so far, with all that comes until it ends with this.
fn until(shown: &mut String, coming: &Receiver<String>, what: &str) {
    while !shown.ends_with(what) {
        shown.push_str(&coming.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {what:?} in {shown:?}")));
    }
}

/// As [`user`], of a person who sits at a terminal and types a line after each of these words: whether the program is content, and all that was shown.
fn typed(data: &Path, arguments: &str, lines: &[(&str, &str)]) -> (bool, String) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).and_then(|()| unlockpt(&person)).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    let terminal = File::options().read(true).write(true).open(name).unwrap();
    let shows_what_is_typed = || tcgetattr(&terminal).unwrap().local_modes.contains(LocalModes::ECHO);
    let end = || Stdio::from(terminal.try_clone().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
    command.env_clear().arg("user").args(arguments.split(' ')).arg("--data-dir").arg(data);
    let mut child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    drop(command);
    let (mut person, (sends, coming)) = (File::from(person), mpsc::channel());
    let mut reads = person.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 1024];
        while let Ok(n @ 1..) = reads.read(&mut bytes) {
            let _nobody_reads = sends.send(String::from_utf8_lossy(&bytes[..n]).into_owned());
        }
    });
    let mut shown = String::new();
    for (prompt, line) in lines {
        until(&mut shown, &coming, prompt);
        assert!(!shows_what_is_typed(), "{shown}");
        match *line {
            STOP => drop(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap()),
            line => person.write_all(line.as_bytes()).unwrap(),
        }
    }
    let content = child.wait().unwrap().success();
    assert!(shows_what_is_typed(), "the terminal is as it was");
    // Nobody holds the other end any more, so the reader comes to its end.
    drop(terminal);
    shown.extend(coming);
    (content, shown)
}

#[test]
fn a_person_types_a_new_password_twice_and_nobody_sees_it() {
    let data = tempfile::tempdir().unwrap();
    let (first, again) = ("new password of eve: ", "the same again: ");
    let other = typed(data.path(), "add eve", &[(first, "correct horse battery\n"), (again, "correct horse batterie\n")]);
    assert!(!other.0 && other.1.contains("two different passwords: nothing was changed"), "{}", other.1);
    let added = typed(data.path(), "add eve", &[(first, "correct horse battery\n"), (again, "correct horse battery\n")]);
    assert!(added.0 && added.1.contains("eve was added as user"), "{}", added.1);
    let changed = typed(data.path(), "passwd eve", &[(first, "another horse\n"), (again, "another horse\n")]);
    assert!(changed.0 && changed.1.contains("eve has a new password"), "{}", changed.1);
    for (arguments, lines, problem) in [
        ("passwd eve", vec![(first, "short\n")], "fewer than 12 characters"),
        ("passwd eve", vec![(first, "\u{4}")], "no password came"),
        ("passwd eve", vec![(first, STOP)], "stopped: nothing was changed"),
        // Without being asked for one.
        ("passwd nobody", vec![], "there is no user nobody"),
        ("add eve", vec![], "there is a user eve already"),
    ] {
        let (content, shown) = typed(data.path(), arguments, &lines);
        assert!(!content && shown.contains(problem), "{arguments}: {shown}");
        assert!(lines.is_empty() != shown.contains(first), "{arguments}: {shown}");
    }
    for shown in [other.1, added.1, changed.1] {
        assert!(!shown.contains("horse"), "{shown}");
    }
}
