//! `session …`: looks at sessions and ends them, straight in the store that the settings name.

use std::process::ExitCode;

use serde_json::{Value, json};
use swagger_api_agent::{
    clock::rfc3339,
    domain::{
        audit::{Action, Deed},
        session::{SessionId, SessionInfo},
        user::UserName,
    },
    settings::{Settings, Sources},
    store::{
        Store,
        contract::{Cursor, Listed, SessionFilter, StoredKey, Tail, audit::Peeked},
    },
};

use super::{
    SessionCommand, WhichSession, counted, say,
    session_file::{self, Place},
    settings_of,
};

pub fn run(sources: Sources, command: SessionCommand) -> ExitCode {
    match settings_of(Settings::load(sources)) {
        Ok(settings) => super::block_on(apply(settings, command)),
        Err(code) => code,
    }
}

async fn apply(settings: Settings, command: SessionCommand) -> Result<(), String> {
    let store = super::store_as_it_is(settings.clone()).await?;
    match command {
        SessionCommand::List { user, state, limit, cursor, json } => {
            let filter = SessionFilter { user, state };
            list(&store, &filter, cursor.as_ref(), limit, json).await
        }
        SessionCommand::Show { which, json } => show(&store, &which, json).await,
        SessionCommand::Keys { which, json } => keys(&store, &which, json).await,
        SessionCommand::Export { which, format, output, force } => {
            let to = output.as_deref().map(|file| Place { file, force });
            session_file::export(&settings, &store, &which, format, to).await
        }
        SessionCommand::Import { user, file } => session_file::import(&settings, &store, &user.name, &file).await,
        SessionCommand::End { user, session, all: _ } => end(&store, &user, session.as_ref()).await,
    }
}

async fn list(store: &Store, filter: &SessionFilter, cursor: Option<&Cursor>, limit: usize, as_json: bool) -> Result<(), String> {
    let page = store.listed(filter, cursor, limit).await.map_err(|e| e.to_string())?;
    let next = page.next.map(|next| next.to_string());
    if as_json {
        let sessions: Vec<Value> = page.sessions.iter().map(told).collect();
        let told = json!({"sessions": sessions, "total": page.stats.total, "active": page.stats.active, "next_cursor": next});
        say(&told.to_string());
        return Ok(());
    }
    for listed in &page.sessions {
        let Listed { user, id, turns, last_active_ms, expires_ms, .. } = listed;
        let turns = counted(*turns, "turn");
        say(&format!("{user}\t{id}\t{turns}\tlast used {}\tends {}", rfc3339(*last_active_ms), rfc3339(*expires_ms)));
    }
    say(&format!("{} here, of {} ({} active)", counted(page.sessions.len() as u64, "session"), page.stats.total, page.stats.active));
    if let Some(next) = next {
        say(&format!("there are more: --cursor {next}"));
    }
    Ok(())
}

fn told(listed: &Listed) -> Value {
    json!({
        "user": listed.user.as_str(),
        "id": listed.id.as_str(),
        "turns": listed.turns,
        "created_at": rfc3339(listed.created_ms),
        "last_used_at": rfc3339(listed.last_active_ms),
        "expires_at": rfc3339(listed.expires_ms),
    })
}

/// What is known of a session, and nothing that was said in it.
async fn show(store: &Store, which: &WhichSession, as_json: bool) -> Result<(), String> {
    let peeked = store.peek(&which.user, which.session.as_ref(), Tail::Nothing).await.map_err(|e| e.to_string())?;
    let Peeked { session, totals, .. } = peeked.ok_or_else(|| none(&which.user, which.session.as_ref()))?;
    let SessionInfo { user, id, created_ms, last_active_ms, expires_ms, turns, first_turn, running, .. } = session;
    let told = json!({
        "user": user.as_str(),
        "id": id.as_str(),
        "turns": turns,
        "first_turn": first_turn,
        "created_at": rfc3339(created_ms),
        "last_used_at": rfc3339(last_active_ms),
        "ends_at_latest": rfc3339(expires_ms),
        "running": running,
        "turns_in_all": totals.turns,
        "calls": totals.calls,
        "changing_calls": totals.changing_calls,
        "prompt_tokens": totals.prompt_tokens,
        "completion_tokens": totals.completion_tokens,
        "tokens_estimated": totals.estimated,
    });
    if as_json {
        say(&told.to_string());
    } else {
        for (name, value) in told.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            say(&format!("{name}\t{value}"));
        }
    }
    Ok(())
}

async fn keys(store: &Store, which: &WhichSession, as_json: bool) -> Result<(), String> {
    let keys = store.stored_keys(&which.user, which.session.as_ref()).await.map_err(|e| e.to_string())?;
    if keys.is_empty() {
        return Err(none(&which.user, which.session.as_ref()));
    }
    if as_json {
        let told = |key: &StoredKey| json!({"name": key.name, "type": key.kind, "ttl_ms": key.ttl_ms, "size_bytes": key.bytes});
        say(&Value::from(keys.iter().map(told).collect::<Vec<_>>()).to_string());
        return Ok(());
    }
    for StoredKey { name, kind, ttl_ms, bytes } in &keys {
        let lasts = ttl_ms.map_or_else(|| "stays".to_owned(), |ms| format!("{} s left", ms / 1000));
        say(&format!("{name}\t{kind}\t{bytes} bytes\t{lasts}"));
    }
    Ok(())
}

async fn end(store: &Store, user: &UserName, session: Option<&SessionId>) -> Result<(), String> {
    let ended = store.kill(user, session).await.map_err(|e| e.to_string())?;
    if ended == 0 {
        return Err(none(user, session));
    }
    let deed = Deed::new(Action::SessionEnded).to(user);
    let deed = session.map_or_else(|| deed.clone(), |session| deed.clone().with("session", session.as_str()));
    super::note(store, deed).await;
    let (were, them) = if ended == 1 { ("was", "it") } else { ("were", "them") };
    say(&format!("{ended} of the sessions of {user} {were} ended, with all that ran in {them}"));
    Ok(())
}

fn none(user: &UserName, session: Option<&SessionId>) -> String {
    match session {
        Some(session) => format!("{user} has no session {session}"),
        None => format!("{user} has no session"),
    }
}
