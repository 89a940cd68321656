//! Conversations that go elsewhere and come from elsewhere: over HTTP, and on the command line, which has a store and no service.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::{App, AppError};
use crate::{
    domain::{
        limits::HISTORY_READ_TURNS,
        session::{SessionId, Turn},
        slot::Slot,
        user::UserName,
    },
    portable::{self, Conversation},
    redact::Redactor,
    secrets::{random, tokens::Bearer},
    store::{
        Store,
        contract::{
            Caller, Tail,
            sessions::{NewSession, OwnSession, SessionOpened},
        },
        new_session_id,
    },
};

/// How long somebody waits for leave to send a conversation.
const IMPORT_WAIT: Duration = Duration::from_secs(5);

impl App {
    /// The session that the caller names, with its whole conversation.
    ///
    /// # Errors
    /// Among others [`AppError::NoSession`].
    pub async fn whole_session(&self, caller: &Bearer) -> Result<(OwnSession, Vec<Turn>), AppError> {
        let own = self.own_session(caller).await?;
        let turns = self.turns_of(caller, &own.session, None).await?;
        Ok((own, turns))
    }

    /// Leave to take a file of a conversation: a few at a time, because each may be large.
    ///
    /// # Errors
    /// [`AppError::ImportsBusy`].
    pub async fn import_leave(&self) -> Result<OwnedSemaphorePermit, AppError> {
        match tokio::time::timeout(IMPORT_WAIT, self.imports().acquire_owned()).await {
            Ok(Ok(leave)) => Ok(leave),
            _ => Err(AppError::ImportsBusy),
        }
    }

    /// The conversation in a file, read off the runtime; or all that is wrong with it. The leave is given back when it was read, also if
    /// nobody waits for it any more.
    ///
    /// # Errors
    /// The process goes down.
    pub async fn read_conversation(&self, text: Bytes, leave: OwnedSemaphorePermit) -> Result<Result<Conversation, Vec<String>>, AppError> {
        let turns_max = self.settings().sessions.turns_max;
        let read = tokio::task::spawn_blocking(move || {
            let read = portable::read(&text, turns_max);
            drop((text, leave));
            read
        });
        read.await.map_err(|_| AppError::Broken)
    }

    /// Begins a session of the caller's with a conversation from elsewhere.
    ///
    /// # Errors
    /// As [`bring`].
    pub async fn import_session(&self, caller: &Bearer, conversation: Conversation) -> Result<OwnSession, AppError> {
        let most = self.settings().sessions.per_user_max;
        bring(self.store(), super::caller(caller), conversation, self.hidden(), most, self.now_ms()).await
    }
}

/// Begins a session beside the main one with a conversation from elsewhere, without these secrets. Its turns get runs of their own, which
/// nobody can follow.
///
/// # Errors
/// Among others [`AppError::TooManySessions`].
pub async fn bring(
    store: &Store,
    caller: Caller<'_>,
    conversation: Conversation,
    hidden: &Redactor,
    most: usize,
    now_ms: u64,
) -> Result<OwnSession, AppError> {
    let Conversation { label, mut turns } = conversation;
    let slot = Slot::other(random::number());
    for turn in &mut turns {
        turn.run = super::accept::run_id(now_ms, slot);
        hidden.in_turn(turn);
    }
    opened(store, caller, NewSession { id: &new_session_id(slot), label: &label, turns: &turns, most }).await
}

/// Begins a session.
pub(super) async fn opened(store: &Store, caller: Caller<'_>, new: NewSession<'_>) -> Result<OwnSession, AppError> {
    match store.open_session(caller, new).await? {
        SessionOpened::Done(own) => Ok(*own),
        SessionOpened::Full => Err(AppError::TooManySessions { most: new.most }),
        SessionOpened::Refused(refused) => Err(refused.into()),
    }
}

/// The turns of a session from `first` to before `until`, with their calls and without these secrets, oldest first. `read` hears after each page
/// how many there are.
///
/// # Errors
/// [`AppError::NoSession`] if it ended meanwhile.
pub async fn whole_turns(
    store: &Store,
    (user, session): (&UserName, &SessionId),
    (first, until): (u64, u64),
    hidden: &Redactor,
    mut read: impl FnMut(usize),
) -> Result<Vec<Turn>, AppError> {
    let (mut pages, mut before, mut count) = (Vec::new(), until, 0);
    while before > first {
        let tail = Tail::BeforeWhole { turn: before, n: HISTORY_READ_TURNS };
        let (turns, from) = page(store, user, session, tail, hidden).await?;
        count += turns.len();
        read(count);
        pages.push(turns);
        before = from;
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

/// Turns of a session, and the number of the first of them.
pub(super) async fn page(
    store: &Store,
    user: &UserName,
    session: &SessionId,
    tail: Tail,
    hidden: &Redactor,
) -> Result<(Vec<Turn>, u64), AppError> {
    let mut peeked = store.peek(user, Some(session), tail).await?.ok_or(AppError::NoSession)?;
    if peeked.tail.is_empty() {
        // They were trimmed or emptied away meanwhile.
        return Err(AppError::NoSession);
    }
    peeked.tail.iter_mut().for_each(|turn| hidden.in_turn(turn));
    Ok((peeked.tail, peeked.first))
}
