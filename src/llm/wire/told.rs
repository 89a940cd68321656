//! What of a prompt is told, and how much of each part: all of it, or what fits. The writing of it is `ask`'s.

use std::borrow::Cow;

use crate::{
    domain::{
        limits::{OLD_RESULT_TO_MODEL_BYTES_MAX, RESULT_TO_MODEL_BYTES_MAX, TURNS_WITH_CALLS_TO_MODEL_MAX},
        session::{Round, Turn},
        tool::ToolResult,
    },
    llm::Prompt,
};

/// A prompt as it is told. Each call is followed by its result before anything else is said: a history that breaks this is refused for
/// good. So rounds are told whole, call by call, or not at all.
#[derive(Debug, Clone)]
pub(super) struct Told<'a> {
    pub instructions: Cow<'a, str>,
    /// What was said before the first turn that is told.
    pub summary: Option<Cow<'a, str>>,
    pub turns: Vec<ToldTurn<'a>>,
    pub message: Cow<'a, str>,
    /// Rounds of the running turn, oldest first.
    pub rounds: Vec<ToldRound<'a>>,
}

/// A turn of the history.
#[derive(Debug, Clone)]
pub(super) struct ToldTurn<'a> {
    pub message: Cow<'a, str>,
    pub rounds: Vec<ToldRound<'a>>,
    pub answer: Cow<'a, str>,
}

/// A round with its calls and their results.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToldRound<'a> {
    pub round: &'a Round,
    /// Each result is cut to this size.
    pub result_bytes_max: usize,
    /// Longer arguments are left out.
    pub arguments_bytes_max: usize,
}

impl<'a> Told<'a> {
    /// All that a model is told where there is room for it.
    pub fn all_of(prompt: &Prompt<'a>) -> Self {
        Self {
            instructions: Cow::Borrowed(prompt.instructions),
            summary: prompt.summary.filter(|summary| summary.of_older).map(|summary| Cow::Borrowed(summary.text)),
            turns: told_turns(prompt.history).collect(),
            message: Cow::Borrowed(prompt.message),
            rounds: told(prompt.rounds, RESULT_TO_MODEL_BYTES_MAX),
        }
    }

    /// Every result that is told.
    pub fn results(&self) -> impl Iterator<Item = &'a ToolResult> {
        let before = self.turns.iter().flat_map(|turn| &turn.rounds);
        before.chain(&self.rounds).flat_map(|told| &told.round.results)
    }
}

impl<'a> ToldTurn<'a> {
    /// What was said, without the calls.
    pub fn said(turn: &'a Turn) -> Self {
        Self { message: Cow::Borrowed(&turn.message), rounds: Vec::new(), answer: Cow::Borrowed(&turn.answer) }
    }

    pub fn whole(turn: &'a Turn, result_bytes_max: usize) -> Self {
        Self { rounds: told(&turn.rounds, result_bytes_max), ..Self::said(turn) }
    }
}

/// The turns of a history, oldest first. What was called long ago is told by the answers; what the last answers were made of may still be
/// asked about.
pub(super) fn told_turns(history: &[Turn]) -> impl ExactSizeIterator<Item = ToldTurn<'_>> + DoubleEndedIterator {
    let with_calls = history.len().saturating_sub(TURNS_WITH_CALLS_TO_MODEL_MAX);
    history
        .iter()
        .enumerate()
        .map(move |(at, turn)| if at < with_calls { ToldTurn::said(turn) } else { ToldTurn::whole(turn, OLD_RESULT_TO_MODEL_BYTES_MAX) })
}

/// Rounds that called nothing are not told: there is nothing to answer.
fn told(rounds: &[Round], result_bytes_max: usize) -> Vec<ToldRound<'_>> {
    let called = rounds.iter().filter(|round| !round.results.is_empty());
    called.map(|round| ToldRound { round, result_bytes_max, arguments_bytes_max: usize::MAX }).collect()
}
