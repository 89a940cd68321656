//! `session export` and `session import`: conversations are taken along as files, and brought.

use std::{
    fs,
    io::{self, ErrorKind, Read, Write, stdin, stdout},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use secrecy::ExposeSecret;
use swagger_api_agent::{
    app::{bring, whole_turns},
    domain::{
        audit::{Action, Deed},
        language::Language,
        limits::SESSION_FILE_BYTES_MAX,
        rate::Counted,
        session::SessionId,
        slot::Slot,
        user::UserName,
    },
    markdown::transcript,
    portable,
    redact::Redactor,
    secrets::random,
    settings::Settings,
    store::{
        Store,
        contract::{Caller, Refused, credentials::Admitted},
    },
};

use super::{FileFormat, WhichSession, complain, counted, note, progress::Progress, say};

/// Whose token the command line comes with: nobody's, so none that was revoked.
const TOKEN: &str = "command-line";

/// What may read and write a file that holds what was said: its owner.
const OWNER_ONLY: u32 = 0o600;

/// Where a session is written to.
pub(super) struct Place<'a> {
    pub file: &'a Path,
    /// Whether what is there already may go.
    pub force: bool,
}

/// Writes a session to a file, or to standard output.
pub(super) async fn export(
    settings: &Settings,
    store: &Store,
    which: &WhichSession,
    format: FileFormat,
    to: Option<Place<'_>>,
) -> Result<(), String> {
    if let Some(place) = to.as_ref().filter(|place| !place.may_be_written()) {
        return Err(place.taken());
    }
    let text = exported(settings, store, which, format).await?;
    match to {
        Some(place) => {
            place.write(&text)?;
            // Not to standard output, where a session is JSON or Markdown.
            complain(&format!("written to {}", place.file.display()));
            Ok(())
        }
        None => {
            let _closed_early = stdout().write_all(text.as_bytes());
            Ok(())
        }
    }
}

/// What the secrets of the settings are, to be left out.
fn hidden(settings: &Settings) -> Redactor {
    let secrets = settings.secrets();
    Redactor::of(secrets.iter().map(ExposeSecret::expose_secret))
}

async fn exported(
    settings: &Settings,
    store: &Store,
    WhichSession { user, session: named }: &WhichSession,
    format: FileFormat,
) -> Result<String, String> {
    let (hidden, counted) = (hidden(settings), Counted::default());
    let issued_ms = store.ping().await.map_err(|e| e.to_string())?;
    let caller = Caller { user, token_id: TOKEN, issued_ms, session: None, counted: &counted };
    let Admitted::In(own) = store.own_sessions(caller).await.map_err(|e| e.to_string())? else { return Err(nobody(user)) };
    let wanted = |id: &SessionId| named.as_ref().map_or_else(|| Slot::of_session(id).is_main(), |named| named == id);
    let mut own = own.into_iter().find(|own| wanted(&own.session.id)).ok_or_else(|| format!("{user} has no such session"))?;
    own.label.title.iter_mut().for_each(|title| hidden.in_text(title));
    let (first, count) = (own.session.first_turn, own.session.turns);
    let mut progress = Progress::of("turns read", usize::try_from(count).unwrap_or(usize::MAX));
    let session = (user, &own.session.id);
    let turns = whole_turns(store, session, (first, first + count), &hidden, |done| progress.at(done)).await;
    drop(progress);
    let turns = turns.map_err(|e| e.to_string())?;
    note(store, Deed::new(Action::SessionRead).to(user).with("session", own.session.id.as_str())).await;
    Ok(match format {
        FileFormat::Json => portable::write(&own.label, &turns),
        FileFormat::Markdown => transcript(own.label.title.as_deref(), &turns, Language::English),
    })
}

fn nobody(user: &UserName) -> String {
    format!("there is no user {user}, or they are kept out")
}

impl Place<'_> {
    /// Whether nothing is there, or what may be written over: a device or a pipe is not a file that would be lost.
    fn may_be_written(&self) -> bool {
        self.force || !self.file.is_file()
    }

    fn taken(&self) -> String {
        format!("{} is there already: name another file, or write over it with --force", self.file.display())
    }

    /// Writes what only its owner shall read: whole, in the place of what was there, or not at all.
    fn write(&self, text: &str) -> Result<(), String> {
        let special = fs::metadata(self.file).is_ok_and(|there| !there.is_file());
        let written = if special { fs::write(self.file, text) } else { self.put_in_place(text) };
        written.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => self.taken(),
            _ => format!("{} cannot be written: {error}", self.file.display()),
        })
    }

    fn put_in_place(&self, text: &str) -> io::Result<()> {
        if !self.force {
            // What came into being since it was looked for is not lost either.
            return written_anew(self.file, text);
        }
        let mut name = self.file.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.unfinished", random::hex_of(4)));
        let unfinished = self.file.with_file_name(name);
        written_anew(&unfinished, text)?;
        fs::rename(&unfinished, self.file).inspect_err(|_| {
            let _gone = fs::remove_file(&unfinished);
        })
    }
}

/// A file that was not there before, which only its owner reads. What cannot be written whole is taken away again.
fn written_anew(file: &Path, text: &str) -> io::Result<()> {
    let mut made = fs::OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(file)?;
    made.write_all(text.as_bytes()).and_then(|()| made.sync_all()).inspect_err(|_| {
        let _gone = fs::remove_file(file);
    })
}

/// Begins a session of a user with the conversation of a file.
pub(super) async fn import(settings: &Settings, store: &Store, user: &UserName, file: &Path) -> Result<(), String> {
    let text = read(file)?;
    let sessions = &settings.sessions;
    let conversation = portable::read(&text, sessions.turns_max)
        .map_err(|problems| format!("{} cannot be imported, and nothing was written:\n  {}", file.display(), problems.join("\n  ")))?;
    let (turns, requests) = (conversation.turns.len(), Counted::default());
    let now_ms = store.ping().await.map_err(|e| e.to_string())?;
    let caller = Caller { user, token_id: TOKEN, issued_ms: now_ms, session: None, counted: &requests };
    let brought = bring(store, caller, conversation, &hidden(settings), sessions.per_user_max, now_ms).await;
    let own = brought.map_err(|error| if error == Refused::Revoked.into() { nobody(user) } else { error.to_string() })?;
    let id = own.session.id;
    note(store, Deed::new(Action::SessionImported).to(user).with("session", id.as_str()).with("turns", turns.to_string())).await;
    say(&format!("{user} has the session {id} now, with {}", counted(turns as u64, "turn")));
    Ok(())
}

/// The whole file, if it is not too large.
fn read(file: &Path) -> Result<Vec<u8>, String> {
    let cannot = |e: std::io::Error| format!("{} cannot be read: {e}", file.display());
    let from: Box<dyn Read> = if file == Path::new("-") { Box::new(stdin()) } else { Box::new(fs::File::open(file).map_err(cannot)?) };
    let mut text = Vec::new();
    from.take(SESSION_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(cannot)?;
    if text.len() > SESSION_FILE_BYTES_MAX {
        return Err(format!("{} has more than {SESSION_FILE_BYTES_MAX} bytes", file.display()));
    }
    Ok(text)
}
