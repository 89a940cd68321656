//! Making a prompt fit into what a model takes at once.
//!
//! In this order: results of the running turn are cut, those of older rounds and the largest first, as soon as they leave the history less
//! than its share; arguments of its calls are left out; its oldest rounds are told by their outcomes alone, so that nothing that was changed
//! is done twice. What is left belongs to the history: the newest turns whole, one that does not fit with its calls without them, older ones
//! not at all; then the summary speaks for them. At last the instructions and the message themselves are cut. Whatever is cut says so.

use std::borrow::Cow;

use serde::Serialize;

use super::{
    ask::{Conversation, MADE_ID_BYTES, Speech},
    told::{Told, ToldRound, ToldTurn, told_turns},
};
use crate::{
    domain::{
        limits::{HISTORY_SHARE, RESULT_BYTES_STEPS, SUMMARY_SHARE, TOLD_ARGUMENTS_BYTES_MAX},
        session::Turn,
        tool::{Outcome, ToolResult},
    },
    llm::{
        Prompt,
        tokens::{self, Counter},
    },
};

/// A turn of which there is room for a part only is told if the part is this large, in tokens.
const PART_TOKENS_MIN: u64 = 100;

/// What of a prompt is told in `room` tokens, beside what a request with an empty conversation takes.
pub(super) fn into<'a>(prompt: &Prompt<'a>, speech: Speech<'_>, room: u64) -> Told<'a> {
    let all = Told::all_of(prompt);
    let mut left = room;
    let instructions = cut(all.instructions, left / 2, &mut left);
    let message = cut(all.message, left / 2, &mut left);

    let said = |turn: &Turn| cost_of_turn(&ToldTurn::said(turn), speech);
    let wanted = prompt.history.iter().map(said).fold(0, u64::saturating_add);
    let for_history = wanted.min(room / HISTORY_SHARE).min(left / 2);
    let (rounds, note) = rounds_into(all.rounds, left - for_history, speech);
    left = left.saturating_sub(cost_of_rounds(&rounds, speech));
    let message = match note {
        Some(note) => {
            left = left.saturating_sub(tokens::in_json(&note));
            Cow::Owned(format!("{message}{note}"))
        }
        None => message,
    };

    let turns = turns_into(prompt.history, left, speech);
    // It speaks for what is left out; where nothing is, and nothing older either, there is nothing to speak for.
    let wanted = prompt.summary.filter(|summary| summary.of_older || turns.len() < prompt.history.len());
    let text = wanted.map(|summary| tokens::cut(summary.text, (room / SUMMARY_SHARE).min(left / 2)));
    let told = Told { instructions, summary: None, turns, message, rounds };
    let Some(text) = text else { return told };
    let bare = Told { instructions: "".into(), summary: Some(text), turns: Vec::new(), message: "".into(), rounds: Vec::new() };
    match left.checked_sub(cost(&bare, speech)) {
        Some(left) => Told { summary: bare.summary, turns: turns_into(prompt.history, left, speech), ..told },
        None => told,
    }
}

/// A text of at most so many tokens; what it takes goes from what is left.
fn cut<'a>(text: Cow<'a, str>, tokens_max: u64, left: &mut u64) -> Cow<'a, str> {
    let cut = match text {
        Cow::Borrowed(text) => tokens::cut(text, tokens_max),
        Cow::Owned(text) => Cow::Owned(tokens::cut(&text, tokens_max).into_owned()),
    };
    *left = left.saturating_sub(tokens::in_json(&cut));
    cut
}

/// Rounds of the running turn, cut until they fit; and what is said of those that are left out.
fn rounds_into<'a>(mut rounds: Vec<ToldRound<'a>>, room: u64, speech: Speech<'_>) -> (Vec<ToldRound<'a>>, Option<String>) {
    let measured = |told: &ToldRound<'_>| cost_of_rounds(std::slice::from_ref(told), speech);
    let mut costs: Vec<u64> = rounds.iter().map(measured).collect();
    let newest = rounds.len().saturating_sub(1);
    for part in [0..newest, newest..rounds.len()] {
        // A result that would take all the room alone need not be tried.
        for bytes_max in RESULT_BYTES_STEPS.into_iter().filter(|bytes| tokens::of_ascii(*bytes) <= room) {
            if costs.iter().sum::<u64>() <= room {
                return (rounds, None);
            }
            for (told, cost) in rounds.iter_mut().zip(&mut costs).skip(part.start).take(part.len()) {
                told.result_bytes_max = bytes_max;
                *cost = measured(told);
            }
        }
    }
    if costs.iter().sum::<u64>() <= room {
        return (rounds, None);
    }
    for (told, cost) in rounds.iter_mut().zip(&mut costs) {
        told.arguments_bytes_max = TOLD_ARGUMENTS_BYTES_MAX;
        *cost = measured(told);
    }
    for left_out in 0..=rounds.len() {
        let note = note(rounds.iter().take(left_out), room / 2);
        let told = costs.iter().skip(left_out).sum::<u64>() + note.as_deref().map_or(0, tokens::in_json);
        if told <= room || left_out == rounds.len() {
            return (rounds.split_off(left_out), note);
        }
    }
    (rounds, None)
}

/// What became of calls that are left out: the model must not do again what it has done.
fn note<'a>(left_out: impl Iterator<Item = &'a ToldRound<'a>>, tokens_max: u64) -> Option<String> {
    let mut outcomes: Vec<(String, usize)> = Vec::new();
    for result in left_out.flat_map(|told| &told.round.results) {
        let outcome = outcome(result);
        match outcomes.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, times)) => *times += 1,
            None => outcomes.push((outcome, 1)),
        }
    }
    if outcomes.is_empty() {
        return None;
    }
    let told: Vec<String> =
        outcomes.into_iter().map(|(outcome, times)| if times == 1 { outcome } else { format!("{outcome} ({times} times)") }).collect();
    let note = format!("\n\n[Done so far in this turn, details left out: {}]", told.join("; "));
    Some(tokens::cut(&note, tokens_max).into_owned())
}

fn outcome(result: &ToolResult) -> String {
    let name = &result.call.name;
    match &result.outcome {
        Outcome::Replied(reply) => format!("{name}: status {}", reply.status),
        Outcome::Refused(_) => format!("{name}: not sent"),
        Outcome::Failed(_) => format!("{name}: failed"),
        Outcome::Unknown(_) => format!("{name}: outcome unknown"),
    }
}

/// The newest turns that fit, oldest first.
fn turns_into<'a>(history: &'a [Turn], mut left: u64, speech: Speech<'_>) -> Vec<ToldTurn<'a>> {
    let mut turns = Vec::new();
    for (turn, whole) in history.iter().zip(told_turns(history)).rev() {
        // Its calls may take half of what is left: what was said counts more than what an answer was made of.
        let with_calls = (!whole.rounds.is_empty()).then(|| {
            let shorter = ToldTurn::whole(turn, RESULT_BYTES_STEPS.last().copied().unwrap_or_default());
            [whole, shorter].into_iter().find(|told| cost_of_turn(told, speech) <= left / 2)
        });
        let told = with_calls.flatten().unwrap_or_else(|| ToldTurn::said(turn));
        let price = cost_of_turn(&told, speech);
        if let Some(rest) = left.checked_sub(price) {
            left = rest;
            turns.push(told);
            continue;
        }
        // Of the last turn at least a part is told: it is what the next message most likely speaks of.
        if turns.is_empty() && left >= PART_TOKENS_MIN {
            turns.extend(part_of(turn, left, speech));
        }
        break;
    }
    turns.reverse();
    turns
}

/// A turn of which the message and the answer are cut.
fn part_of<'a>(turn: &'a Turn, room: u64, speech: Speech<'_>) -> Option<ToldTurn<'a>> {
    let empty = ToldTurn { message: "".into(), rounds: Vec::new(), answer: "".into() };
    let left = room.checked_sub(cost_of_turn(&empty, speech))?;
    let message = tokens::cut(&turn.message, left / 3);
    let answer = tokens::cut(&turn.answer, left.saturating_sub(tokens::in_json(&message)));
    let part = ToldTurn { message, rounds: Vec::new(), answer };
    (cost_of_turn(&part, speech) <= room).then_some(part)
}

fn cost_of_rounds(rounds: &[ToldRound<'_>], speech: Speech<'_>) -> u64 {
    let around = |rounds| cost_of_turn(&ToldTurn { message: "".into(), rounds, answer: "".into() }, speech);
    // One more for what the two are rounded by.
    around(rounds.to_vec()).saturating_sub(around(Vec::new())) + 1
}

fn cost_of_turn(turn: &ToldTurn<'_>, speech: Speech<'_>) -> u64 {
    // An id that is used twice in a request is replaced, and what takes its place may be longer.
    let replaced = turn.rounds.iter().flat_map(|told| &told.round.results).filter(|result| result.call.id.len() < MADE_ID_BYTES).count();
    counted(&Conversation { told: None, turns: std::slice::from_ref(turn), speech, functions: None })
        + replaced as u64 * tokens::of_ascii(2 * MADE_ID_BYTES)
}

/// The tokens of a conversation as it is written.
fn cost(told: &Told<'_>, speech: Speech<'_>) -> u64 {
    counted(&Conversation { told: Some(told), turns: &told.turns, speech, functions: None })
}

fn counted(written: &impl Serialize) -> u64 {
    let mut counter = Counter::default();
    // The counter takes everything; what cannot be written at all fails when it is sent.
    let _ = serde_json::to_writer(&mut counter, written);
    counter.tokens()
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
