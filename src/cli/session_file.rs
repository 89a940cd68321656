//! `session export` and `session import`: conversations are taken along as files, and brought.

use std::{
    fs,
    io::{Read, Write, stdin, stdout},
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
    settings::Settings,
    store::{
        Store,
        contract::{Caller, Refused, credentials::Admitted},
    },
};

use super::{FileFormat, WhichSession, note, progress::Progress, say};

/// Whose token the command line comes with: nobody's, so none that was revoked.
const TOKEN: &str = "command-line";

/// Writes a session to a file, or to standard output.
pub(super) async fn export(
    settings: &Settings,
    store: &Store,
    which: &WhichSession,
    format: FileFormat,
    output: Option<&Path>,
) -> Result<(), String> {
    let text = exported(settings, store, which, format).await?;
    match output {
        Some(file) => written(file, &text),
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

fn written(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|e| format!("{} cannot be written: {e}", file.display()))
}

/// Begins a session of a user with the conversation of a file.
pub(super) async fn import(settings: &Settings, store: &Store, user: &UserName, file: &Path) -> Result<(), String> {
    let text = read(file)?;
    let sessions = &settings.sessions;
    let conversation = portable::read(&text, sessions.turns_max)
        .map_err(|problems| format!("{} cannot be imported, and nothing was written:\n  {}", file.display(), problems.join("\n  ")))?;
    let (turns, counted) = (conversation.turns.len(), Counted::default());
    let now_ms = store.ping().await.map_err(|e| e.to_string())?;
    let caller = Caller { user, token_id: TOKEN, issued_ms: now_ms, session: None, counted: &counted };
    let brought = bring(store, caller, conversation, &hidden(settings), sessions.per_user_max, now_ms).await;
    let own = brought.map_err(|error| if error == Refused::Revoked.into() { nobody(user) } else { error.to_string() })?;
    let id = own.session.id;
    note(store, Deed::new(Action::SessionImported).to(user).with("session", id.as_str()).with("turns", turns.to_string())).await;
    say(&format!("{user} has the session {id} now, with {turns} turns"));
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
