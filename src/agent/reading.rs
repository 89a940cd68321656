//! Big results: which are kept because a planner is not told all of them, and the calls by which it reads on.

use super::{Agent, Batch, Prepared, Progress};
use crate::{
    domain::{
        kept::{KeptReply, ResultId},
        limits::RESULT_TO_MODEL_BYTES_MAX,
        tool::{Outcome, Refusal, ReplyBody, ToolCall, ToolResult, UpstreamReply},
    },
    excerpt::{
        Rest,
        page::{self, Wanted},
        reader,
    },
    llm,
    secrets::random,
};

/// What a result takes around the page that it brings, in bytes.
const AROUND_A_PAGE: usize = 128;

/// A call that reads a kept reply: nothing of it goes to the API.
#[derive(Debug)]
pub struct Reading {
    pub call: ToolCall,
    pub id: ResultId,
    wanted: Wanted,
    /// What came of it, once the reply was looked for.
    outcome: Option<Outcome>,
}

impl Reading {
    /// What came of it; nothing, as long as the reply was not looked for.
    pub fn result(&self) -> ToolResult {
        let outcome = self.outcome.clone().unwrap_or_else(|| Outcome::Failed("the kept result was not read".to_owned()));
        ToolResult { call: self.call.clone(), request: None, outcome }
    }

    /// Reads what it wants; `None`: there is no such reply (any more).
    pub fn read(&mut self, reply: Option<&ReplyBody>, reader: &str) {
        let rest = Rest { reader, id: Some(&self.id) };
        let page = match reply {
            Some(body) => page::of(body, &self.wanted, RESULT_TO_MODEL_BYTES_MAX - AROUND_A_PAGE, &rest),
            None => Err(format!("there is no kept result {}: results are kept for a while only; call the function again", self.id)),
        };
        self.outcome = Some(match page {
            Ok(page) => {
                let body = crate::domain::json::RawJson::read(page.as_bytes()).map_or(ReplyBody::Text(page), ReplyBody::Json);
                Outcome::Replied(UpstreamReply { status: 200, headers: Vec::new(), body, kept: None })
            }
            Err(problem) => Outcome::Refused(Refusal::InvalidArguments(vec![problem])),
        });
    }

    /// It cannot be looked for now.
    pub fn unread(&mut self) {
        let problem = format!("the kept result {} cannot be read now", self.id);
        self.outcome = Some(Outcome::Refused(Refusal::InvalidArguments(vec![problem])));
    }
}

impl Batch {
    /// The calls that read kept replies.
    pub fn readings(&mut self) -> impl Iterator<Item = &mut Reading> {
        self.calls.iter_mut().filter_map(|call| match call {
            Prepared::Reading(reading) => Some(&mut **reading),
            Prepared::Ready(_) | Prepared::Waiting(_) | Prepared::Behind(_) | Prepared::Answered(_) | Prepared::Refused(..) => None,
        })
    }
}

impl Agent<'_> {
    /// Whether a call reads a kept reply, and which part of it.
    pub(super) fn reading(&self, call: &ToolCall) -> Option<Result<Reading, Refusal>> {
        let arguments = call.arguments.as_ref().ok().filter(|_| call.name == self.apis.tools().reader())?;
        let read = reader::read(arguments).map_err(Refusal::InvalidArguments);
        Some(read.map(|(id, wanted)| Reading { call: call.clone(), id, wanted, outcome: None }))
    }

    /// Gives an id to each result of the newest round that the planner will not be told whole, and says what is to be kept under it. A
    /// reply that is larger than may be kept gets none.
    pub fn mark(&self, progress: &mut Progress) -> Vec<(ResultId, KeptReply)> {
        let results = progress.rounds.last_mut().into_iter().flat_map(|round| &mut round.results);
        results.filter_map(|result| self.mark_one(result)).collect()
    }

    fn mark_one(&self, result: &mut ToolResult) -> Option<(ResultId, KeptReply)> {
        if llm::told_whole(result) {
            return None;
        }
        let Outcome::Replied(reply) = &mut result.outcome else { return None };
        let told = reply.kept.is_some() || size(&reply.body) > self.budget.kept_bytes_max;
        (!told).then(|| mark(reply)).flatten()
    }
}

/// Gives a reply an id, and says what is to be kept under it.
pub fn mark(reply: &mut UpstreamReply) -> Option<(ResultId, KeptReply)> {
    let id = ResultId::parse(&random::hex_of(16))?;
    let content_type = reply.header("content-type").unwrap_or_default().to_owned();
    reply.kept = Some(id.clone());
    Some((id, KeptReply { content_type, body: reply.body.clone() }))
}

/// How many bytes there are of a body.
pub fn size(body: &ReplyBody) -> usize {
    match body {
        ReplyBody::Empty => 0,
        ReplyBody::Json(json) => json.get().len(),
        ReplyBody::Text(text) => text.len(),
        ReplyBody::Binary { bytes, .. } => *bytes,
    }
}
