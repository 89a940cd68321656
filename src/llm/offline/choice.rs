//! The answer to our question which function is meant: its name, or its place in the list.

use super::{
    decide::{Decision, decide},
    index::{Entry, Index},
    literal,
    sentence::Sentence,
};
use crate::domain::session::Turn;

/// Places of a list, as people say them; a number and a Chinese one say it too.
const PLACES: [&[&str]; 4] = [&["first", "1st"], &["second", "2nd"], &["third", "3rd"], &["fourth", "4th"]];

/// A function that was chosen, and the sentence that says what is wanted of it.
pub(super) struct Choice<'a> {
    pub(super) entry: &'a Entry,
    pub(super) request: &'a str,
}

/// What a message chooses: one of those that were asked about, for what was wanted then; or, whatever was said before, a function by its whole name.
pub(super) fn chosen<'a>(index: &'a Index, message: &'a str, history: &'a [Turn]) -> Option<Choice<'a>> {
    let said = message.trim().trim_matches(['`', '"', '*', '.', '。', '#']);
    let asked = history.last().filter(|turn| turn.rounds.is_empty()).map(|turn| turn.message.as_str());
    let before = asked.map(Sentence::of);
    let offered = match before.as_ref().map(|sentence| decide(index, sentence)) {
        Some(Decision::Which(offered)) => offered,
        _ => Vec::new(),
    };
    let by_place = || offered.get(place(said)?.checked_sub(1)?);
    let of_those = offered.iter().find(|entry| entry.name == said).or_else(by_place);
    let (name, request) = match (of_those, asked) {
        (Some(entry), Some(request)) => (entry.name.as_str(), request),
        _ => (said, message),
    };
    index.entries.iter().find(|entry| entry.name == name).map(|entry| Choice { entry, request })
}

/// `2`, `the second one`, `第二个`: 2.
fn place(said: &str) -> Option<usize> {
    let said = said.to_lowercase();
    let bare = said.trim_start_matches("the ").trim_end_matches(" one").trim_start_matches("number ");
    if let Some(at) = PLACES.iter().position(|words| words.contains(&bare)) {
        return Some(at + 1);
    }
    let chinese = bare.trim_start_matches('第').trim_end_matches('个');
    let number = literal::number(chinese).or_else(|| literal::chinese_number(chinese))?;
    usize::try_from(number.as_u64()?).ok()
}
