//! The sessions that a user has: the one that everybody has without asking, and those begun beside it. Which there are, what they are called,
//! beginning one, branching off, winding back, ending.

use std::cmp::Reverse;

use futures_util::{StreamExt, stream};

use super::{App, AppError, portable};
use crate::{
    domain::{
        limits::{HISTORY_READ_TURNS, SESSIONS_SEARCHED_AT_ONCE},
        session::{Label, Revision, SessionInfo, Turn},
        slot::Slot,
    },
    secrets::{random, tokens::Bearer},
    store::{
        contract::{
            Tail,
            credentials::Admitted,
            sessions::{LabelChange, NewSession, OwnSession, Rewound},
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
        let searching = own.into_iter().map(|own| self.searched(caller, own, &wanted));
        let found: Vec<_> = stream::iter(searching).buffered(SESSIONS_SEARCHED_AT_ONCE).collect().await;
        found.into_iter().filter_map(Result::transpose).collect()
    }

    async fn searched(&self, caller: &Bearer, own: OwnSession, wanted: &str) -> Result<Option<FoundSession>, AppError> {
        let has = |text: &str| text.to_lowercase().contains(wanted);
        if own.label.title.as_deref().is_some_and(has) {
            return Ok(Some(FoundSession { own, said: None }));
        }
        let (mut until, first) = (own.session.first_turn + own.session.turns, own.session.first_turn);
        while until > first {
            let tail = Tail::Before { turn: until, n: HISTORY_READ_TURNS };
            let (turns, from) = portable::page(self.store(), &caller.user, &own.session.id, tail, self.hidden()).await?;
            let said = turns.iter().enumerate().rev().find_map(|(at, turn)| {
                let said = [&turn.message, &turn.answer].into_iter().find(|text| has(text))?;
                Some((from + at as u64, said.clone()))
            });
            if said.is_some() {
                return Ok(Some(FoundSession { own, said }));
            }
            until = from;
        }
        Ok(None)
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
