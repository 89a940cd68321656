//! Replies that were told in part: kept while the planner thinks on, read by it and by their user.

use std::time::Duration;

use futures_util::future::join_all;
use tracing::{info, warn};

use super::{App, AppError};
use crate::{
    agent::{self, Agent, Batch, Progress, mark, size},
    domain::{
        kept::{KeptReply, ResultId},
        limits::BINARY_SHOWN_BYTES_MAX,
        session::Round,
        slot::SessionSlot,
        tool::{Outcome, ReplyBody, ToolResult, UpstreamReply},
        user::UserName,
    },
    excerpt::{
        Rest,
        page::{self, Wanted},
    },
    secrets::tokens::Bearer,
    store::contract::{Entered, Tail},
};

/// What a user gets of a kept reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// All of it, as it came.
    Whole(KeptReply),
    /// One page of it: a JSON object ([`page::of`]).
    Page(String),
}

impl App {
    /// Rounds as they enter the history.
    pub(super) fn cut_to_keep(&self, rounds: Vec<Round>) -> Vec<Round> {
        agent::kept(rounds, self.served().apis.tools().reader())
    }

    /// Keeps replies. One that cannot be kept is told later as gone; the turn goes on.
    pub(super) async fn keep_results(&self, session: &SessionSlot, replies: Vec<(ResultId, KeptReply)>) {
        let ttl = Duration::from_secs(self.settings().results.ttl_secs);
        let keeping = replies.iter().map(|(id, reply)| self.store().keep_result(session, id, reply, ttl));
        let user = &session.user;
        for (kept, (id, reply)) in join_all(keeping).await.into_iter().zip(&replies) {
            match kept {
                Ok(()) => info!(%user, bytes = size(&reply.body), "a long result of {user} is kept"),
                Err(error) => warn!(%user, %error, "the result {id} of {user} could not be kept: {error}"),
            }
        }
    }

    /// Looks for the replies that a batch wants to read: in this turn's own results first, then in the store.
    pub(super) async fn read_kept(&self, agent: &Agent<'_>, user: &UserName, mut batch: Batch, progress: &Progress) -> Batch {
        let reader = agent.apis.tools().reader();
        for reading in batch.readings() {
            if let Some(body) = own(progress, &reading.id) {
                reading.read(Some(body), reader);
                continue;
            }
            match self.store().kept_result(user, &reading.id).await {
                Ok(found) => reading.read(found.as_ref().map(|reply| &reply.body), reader),
                Err(error) => {
                    warn!(%user, %error, "a kept result of {user} could not be read: {error}");
                    reading.unread();
                }
            }
        }
        batch
    }

    /// Part of a kept reply, or all of it, for its user.
    ///
    /// # Errors
    /// The caller may not come in; there is no such reply of this user; it has no such part.
    pub async fn result(&self, caller: &Bearer, id: &str, wanted: Option<&Wanted>) -> Result<Part, AppError> {
        match self.store().enter(super::caller(caller), Tail::Nothing).await? {
            Entered::In(_) => {}
            Entered::NoSession => return Err(AppError::NoSession),
            Entered::Refused(refused) => return Err(refused.into()),
        }
        let gone = || AppError::NoResult { id: id.to_owned() };
        let id = ResultId::parse(id).ok_or_else(gone)?;
        let reply = self.store().kept_result(&caller.user, &id).await?.ok_or_else(gone)?;
        let Some(wanted) = wanted else { return Ok(Part::Whole(reply)) };
        let served = self.served();
        let rest = Rest { reader: served.apis.tools().reader(), id: Some(&id) };
        page::of(&reply.body, wanted, usize::MAX, &rest).map(Part::Page).map_err(AppError::NoSuchPart)
    }

    /// Keeps what a direct call is not told whole: bytes that are too many to be shown.
    pub(super) async fn keep_unshown(&self, session: &SessionSlot, result: &mut ToolResult) {
        let Outcome::Replied(reply) = &mut result.outcome else { return };
        let kept = is_unshown(reply, self.settings().results.bytes_max).then(|| mark(reply)).flatten();
        self.keep_results(session, kept.into_iter().collect()).await;
    }
}

fn is_unshown(reply: &UpstreamReply, bytes_max: usize) -> bool {
    matches!(&reply.body, ReplyBody::Binary { bytes, .. } if (BINARY_SHOWN_BYTES_MAX + 1..=bytes_max).contains(bytes))
}

/// The reply that this turn itself got under this id.
fn own<'a>(progress: &'a Progress, id: &ResultId) -> Option<&'a ReplyBody> {
    let results = progress.rounds.iter().flat_map(|round| &round.results);
    results.filter_map(|result| if let Outcome::Replied(reply) = &result.outcome { Some(reply) } else { None }).find_map(|reply| {
        let same = reply.kept.as_ref() == Some(id);
        same.then_some(&reply.body)
    })
}
