//! A new password for a user: asked for twice where a person sits, and taken as one line from anywhere else.

use std::io::{BufRead, IsTerminal, Stdin, Write, stderr, stdin};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use swagger_api_agent::domain::{password, user::UserName};
use tokio::signal::unix::{SignalKind, signal};

use super::PasswordFrom;

/// A password that follows the rule.
///
/// Whoever stops the program while it asks finds the terminal as it was.
pub(super) async fn asked_password(user: &UserName, from: PasswordFrom) -> Result<String, String> {
    let mut stopped = signal(SignalKind::interrupt()).map_err(|e| format!("nobody can be asked for a password: {e}"))?;
    let hidden = Hidden::begin()?;
    let (user, asks) = (user.clone(), hidden.is_some() && !from.stdin);
    let reading = tokio::task::spawn_blocking(move || if asks { typed_twice(&user) } else { taken(&user) });
    let password = tokio::select! {
        read = reading => read.unwrap_or_else(|_| Err("the password cannot be read".to_owned())),
        _ = stopped.recv() => Err("stopped: nothing was changed".to_owned()),
    };
    drop(hidden);
    password
}

/// Both lines that a person types, of whom the first is judged before the second is asked for.
fn typed_twice(user: &UserName) -> Result<String, String> {
    let password = asked(&format!("new password of {user}: "))?;
    password::check(user, &password).map_err(|e| e.to_string())?;
    if asked("the same again: ")? != password {
        return Err("these were two different passwords: nothing was changed".to_owned());
    }
    Ok(password)
}

fn asked(prompt: &str) -> Result<String, String> {
    let _closed_early = write!(stderr(), "{prompt}").and_then(|()| stderr().flush());
    line()
}

fn taken(user: &UserName) -> Result<String, String> {
    let password = line()?;
    password::check(user, &password).map_err(|e| e.to_string())?;
    Ok(password)
}

/// One line of standard input.
fn line() -> Result<String, String> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line).map_err(|e| format!("the password cannot be read: {e}"))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("no password came".to_owned());
    }
    Ok(password.to_owned())
}

/// A terminal that does not show what is typed; it does again when this is dropped.
struct Hidden {
    terminal: Stdin,
    before: Termios,
}

impl Hidden {
    /// None if no terminal is at the other end.
    fn begin() -> Result<Option<Self>, String> {
        let terminal = stdin();
        if !terminal.is_terminal() {
            return Ok(None);
        }
        let cannot = |e| format!("the terminal would show the password ({e}); --password-stdin takes it from a pipe");
        let before = tcgetattr(&terminal).map_err(cannot)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // The end of the line is shown all the same.
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Now, &silent).map_err(cannot)?;
        Ok(Some(Self { terminal, before }))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _gone = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
