//! Going on with a turn that another replica began: its rounds as they were planned, each call by how far it had come. Nothing that changes
//! something is sent a second time, unless the API knows it again by its key.

use super::{Agent, Batch, Prepared, Progress, Ready};
use crate::domain::{
    session::Round,
    tool::{Outcome, SentRequest, ToolResult},
    turn::CallStage,
};

/// Why a change is not sent after one whose outcome is not known.
const AFTER_UNKNOWN: &str = "what became of a change before it is not known, so nothing more is changed in this turn";
/// Why a call is not sent as it was planned.
const DRIFTED: &str = "the request was not sent: the API's document has changed since it was planned";

/// A call of a round that another replica began.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    pub result: ToolResult,
    pub stage: CallStage,
    /// The header in which its key travelled, if it was sent with one.
    pub key_header: Option<String>,
}

impl Progress {
    /// That of a turn whose first rounds are over.
    pub fn resumed(rounds: Vec<Round>) -> Self {
        let calls = rounds.iter().map(|round| round.results.len()).sum::<usize>();
        Self { rounds, calls: u32::try_from(calls).unwrap_or(u32::MAX), ..Self::default() }
    }

    /// Whether what became of a change in this turn is not known: then nothing more is changed in it.
    pub fn is_unclear(&self) -> bool {
        self.rounds.iter().flat_map(|round| &round.results).any(ToolResult::is_unknown)
    }
}

impl Batch {
    /// Whether it holds a change of which it is not known what became of it.
    pub fn is_unclear(&self) -> bool {
        self.calls.iter().any(|call| matches!(call, Prepared::Answered(result) if result.is_unknown()))
    }
}

impl Ready {
    /// This call, which may not be sent because of a change before it.
    pub fn after_unknown(&self) -> ToolResult {
        self.unsent(AFTER_UNKNOWN)
    }

    fn is(&self, sent: Option<&SentRequest>) -> bool {
        sent.is_some_and(|sent| sent.method == self.request.method && sent.url == self.request.url)
    }
}

impl Agent<'_> {
    /// The rest of a round: what is settled stays as it is, what was not sent is sent now, what may have been sent is sent again only if that
    /// does no harm.
    pub fn rest_of(&self, said: Option<String>, calls: Vec<Begun>) -> Batch {
        Batch { said, calls: calls.into_iter().map(|begun| self.rest_of_call(begun)).collect() }
    }

    /// A call that was planned before, built again; nothing if it would be another request now, because the document has changed.
    pub fn again(&self, planned: &ToolResult) -> Option<Ready> {
        self.built_again(planned).filter(|ready| ready.is(planned.request.as_ref()))
    }

    /// A call that was planned before, as it would be sent now.
    pub(super) fn built_again(&self, planned: &ToolResult) -> Option<Ready> {
        let arguments = planned.call.arguments.as_ref().ok()?;
        self.ready(planned.call.id.clone(), &planned.call.name, arguments).ok()
    }

    /// A call that may have been sent, to be sent again if that does no harm.
    pub fn again_without_harm(&self, sent: &ToolResult, sent_with: Option<&str>) -> Option<Ready> {
        self.again(sent).filter(|ready| ready.may_be_repeated(sent_with)).map(Ready::sent_before)
    }

    fn rest_of_call(&self, begun: Begun) -> Prepared {
        let Begun { result, stage, key_header } = begun;
        match stage {
            CallStage::Settled => Prepared::Answered(Box::new(result)),
            CallStage::Planned => match self.again(&result) {
                Some(ready) => Prepared::Ready(Box::new(ready)),
                None => Prepared::Answered(Box::new(ToolResult { outcome: Outcome::Failed(DRIFTED.to_owned()), ..result })),
            },
            CallStage::Dispatched => match self.again_without_harm(&result, key_header.as_deref()) {
                Some(ready) => Prepared::Ready(Box::new(ready)),
                None => Prepared::Answered(Box::new(result)),
            },
        }
    }
}
