//! The sessions that a user has: the one that everybody has without asking, and those begun beside it. Which there are, what they are called,
//! beginning one, branching off, winding back, ending.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{App, AppError, portable};
use crate::{
    domain::{
        limits::{SESSION_SEARCHES_UNDER_WAY, SESSIONS_SEARCHED_AT_ONCE},
        session::{Label, Revision, SessionId, SessionInfo, Turn},
        slot::Slot,
        user::UserName,
    },
    secrets::{random, tokens::Bearer},
    store::{
        contract::{
            StoreError,
            credentials::Admitted,
            sessions::{LabelChange, NewSession, OwnSession, ReadBefore, ReadTurns, Rewound},
        },
        new_session_id,
    },
};

/// A session that was searched for, and where in it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSession {
    pub own: OwnSession,
    /// The newest turn that says it: its number, and the text that does. None where the title does, or nothing was searched for.
    pub said: Option<(u64, String)>,
}

impl App {
    /// The caller's sessions, pinned ones first, then those that were used last. With `search`, only those whose title or conversation has it,
    /// in whatever case.
    ///
    /// # Errors
    /// The caller may not come in.
    pub async fn own_sessions(&self, caller: &Bearer, search: Option<&str>) -> Result<Vec<FoundSession>, AppError> {
        let everything = Bearer { session: None, ..caller.clone() };
        let mut own = self.listed(&everything).await?;
        own.sort_by_key(|own| (Reverse(own.label.pinned), Reverse(own.session.last_active_ms)));
        let Some(wanted) = search.map(str::to_lowercase).filter(|wanted| !wanted.is_empty()) else {
            return Ok(own.into_iter().map(|own| FoundSession { own, said: None }).collect());
        };
        let has_title = |own: &OwnSession| own.label.title.as_deref().is_some_and(|title| title.to_lowercase().contains(&wanted));
        let others: Vec<ReadBefore> = own.iter().filter(|own| !has_title(own)).filter_map(|own| unread(&own.session)).collect();
        let together: Vec<Vec<ReadBefore>> = others.chunks(SESSIONS_SEARCHED_AT_ONCE).map(<[_]>::to_vec).collect();
        let asked = Arc::new((caller.user.clone(), wanted.clone()));
        let searching = together.into_iter().map(|some| {
            let (app, asked) = (self.clone(), asked.clone());
            // Each as a task of its own: looking through a text takes longer than reading it does, and there is more than one core.
            async move {
                let searching = async move { app.searched(&asked.0, some, &asked.1).await };
                tokio::spawn(searching).await.unwrap_or(Err(AppError::Store(StoreError::Unavailable)))
            }
        });
        let found = stream::iter(searching).buffered(SESSION_SEARCHES_UNDER_WAY).try_concat().await?;
        let mut found: HashMap<SessionId, (u64, String)> = found.into_iter().collect();
        let told = own.into_iter().filter_map(|own| {
            let said = found.remove(&own.session.id);
            (said.is_some() || has_title(&own)).then_some(FoundSession { own, said })
        });
        Ok(told.collect())
    }

    /// Those of these sessions in whose conversation it was said, with the newest place.
    async fn searched(
        &self,
        user: &UserName,
        mut unread: Vec<ReadBefore>,
        wanted: &str,
    ) -> Result<Vec<(SessionId, (u64, String))>, AppError> {
        let mut found = Vec::new();
        while !unread.is_empty() {
            let read = self.store().read_several(user, &unread).await?;
            let behind = unread.split_off(read.len().min(unread.len()));
            let older = unread.into_iter().zip(read).filter_map(|(ReadBefore { session, .. }, read)| {
                // One that ended meanwhile is not told of; the conversation of one that was emptied has nothing.
                let ReadTurns { turns, first } = read.filter(|read| !read.turns.is_empty())?;
                match self.said(turns, first, wanted) {
                    Some(said) => {
                        found.push((session, said));
                        None
                    }
                    None => Some(ReadBefore { session, turn: first }),
                }
            });
            unread = older.filter(|one| one.turn > 0).chain(behind).collect();
        }
        Ok(found)
    }

    /// The newest of these turns, of which the first has this number, that says it. Most say nothing of it, so only those that do are looked
    /// through for secrets, which nobody finds.
    fn said(&self, turns: Vec<Turn>, first: u64, wanted: &str) -> Option<(u64, String)> {
        let has = |text: &String| text.to_lowercase().contains(wanted);
        turns.into_iter().enumerate().rev().find_map(|(at, mut turn)| {
            if !has(&turn.message) && !has(&turn.answer) {
                return None;
            }
            self.hidden().in_turn(&mut turn);
            let said = [turn.message, turn.answer].into_iter().find(has)?;
            Some((first + at as u64, said))
        })
    }

    /// The session that the caller names.
    ///
    /// # Errors
    /// Among others [`AppError::NoSession`].
    pub async fn own_session(&self, caller: &Bearer) -> Result<OwnSession, AppError> {
        self.listed(caller).await?.pop().ok_or(AppError::NoSession)
    }

    async fn listed(&self, caller: &Bearer) -> Result<Vec<OwnSession>, AppError> {
        match self.store().own_sessions(super::caller(caller)).await? {
            Admitted::In(mut own) => {
                // What was stored before a secret was set may hold it.
                own.iter_mut().filter_map(|own| own.label.title.as_mut()).for_each(|title| self.hidden().in_text(title));
                Ok(own)
            }
            Admitted::Refused(refused) => Err(refused.into()),
        }
    }

    /// Begins a session beside the main one, with a conversation if there are turns.
    ///
    /// # Errors
    /// Among others [`AppError::TooManySessions`].
    pub async fn open_session(&self, caller: &Bearer, label: &Label, turns: &[Turn]) -> Result<OwnSession, AppError> {
        let most = self.settings().sessions.per_user_max;
        let id = new_session_id(Slot::other(random::number()));
        portable::opened(self.store(), super::caller(caller), NewSession { id: &id, label, turns, most }).await
    }

    /// Begins another session with the conversation of the one that the caller names, as it was before the turn of this number, or as it is.
    ///
    /// # Errors
    /// Among others [`AppError::NoTurn`].
    pub async fn fork_session(&self, caller: &Bearer, before: Option<u64>, title: Option<String>) -> Result<OwnSession, AppError> {
        let own = self.own_session(caller).await?;
        let turns = self.turns_of(caller, &own.session, before).await?;
        let label = Label { title: title.or(own.label.title), pinned: false, metadata: own.label.metadata };
        self.open_session(caller, &label, &turns).await
    }

    /// All turns of a session of the caller's with their calls, oldest first, as it was before the turn of this number. Whoever asks was let in.
    ///
    /// # Errors
    /// [`AppError::NoTurn`]; [`AppError::NoSession`] if it ended meanwhile.
    pub async fn turns_of(&self, caller: &Bearer, session: &SessionInfo, before: Option<u64>) -> Result<Vec<Turn>, AppError> {
        let (first, next) = (session.first_turn, session.first_turn + session.turns);
        let until = before.unwrap_or(next);
        if until < first || until > next {
            return Err(AppError::NoTurn { first, next });
        }
        portable::whole_turns(self.store(), (&caller.user, &session.id), (first, until), self.hidden(), |_| {}).await
    }

    /// Changes what the session that the caller names is called, and what is noted of it.
    ///
    /// # Errors
    /// Among others [`AppError::NoSession`].
    pub async fn label_session(&self, caller: &Bearer, label: &LabelChange) -> Result<OwnSession, AppError> {
        match self.store().label_session(super::caller(caller), label).await? {
            Admitted::In(true) => self.own_session(caller).await,
            Admitted::In(false) => Err(AppError::NoSession),
            Admitted::Refused(refused) => Err(refused.into()),
        }
    }

    /// Ends the session that the caller names, with all that runs in it.
    ///
    /// # Errors
    /// Among others [`AppError::NoSession`].
    pub async fn end_session(&self, caller: &Bearer) -> Result<(), AppError> {
        match self.store().end_session(super::caller(caller)).await? {
            Admitted::In(true) => Ok(()),
            Admitted::In(false) => Err(AppError::NoSession),
            Admitted::Refused(refused) => Err(refused.into()),
        }
    }

    /// Takes the newest turns out of the conversation of the session that the caller names, the one of this number among them.
    ///
    /// # Errors
    /// Among others [`AppError::NoTurn`], and [`AppError::Busy`] while a turn runs.
    pub async fn rewind_session(&self, caller: &Bearer, turn: u64, expects: Option<&Revision>) -> Result<SessionInfo, AppError> {
        match self.store().rewind(super::caller(caller), turn, expects).await? {
            Rewound::Done(session) => Ok(*session),
            Rewound::Busy { run, left_ms } => Err(AppError::Busy { run, left_ms }),
            Rewound::NoTurn => {
                let session = self.own_session(caller).await?.session;
                Err(AppError::NoTurn { first: session.first_turn, next: session.first_turn + session.turns })
            }
            Rewound::Moved(stored) => Err(AppError::moved(expects, stored)),
            Rewound::NoSession => Err(AppError::NoSession),
            Rewound::Refused(refused) => Err(refused.into()),
        }
    }
}

/// All of a conversation, to be read; none if there is nothing.
fn unread(session: &SessionInfo) -> Option<ReadBefore> {
    (session.turns > 0).then(|| ReadBefore { session: session.id.clone(), turn: session.first_turn + session.turns })
}
