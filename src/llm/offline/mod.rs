//! The planner for when there is no model: lexical, bilingual, and silent rather than wrong.
//!
//! It finds the function whose words a sentence shares (BM25 over a bilingual lexicon), fills its arguments with what stands in the
//! sentence, and asks when something is missing or two functions fit alike. A changing call needs a verb that commands exactly that,
//! every required argument from the sentence, and no word that stays unexplained; a denial, a question or a supposition is no
//! command. After a call it answers with what came of it.

mod decide;
mod fill;
mod follow;
mod index;
mod literal;
mod say;
mod sentence;
mod slot;

use serde_json::{Map, Value};

use super::{Move, Plan, Prompt};
use crate::domain::{
    language::Language,
    tool::{FunctionSpec, ToolCall},
};
use decide::{Decision, decide};
use index::Index;
use sentence::Sentence;

/// The offline planner over one document's functions. Building it reads every function once; planning only reads.
#[derive(Debug)]
pub struct Offline {
    index: Index,
}

impl Offline {
    pub fn new(functions: &[FunctionSpec]) -> Self {
        Self { index: Index::of(functions) }
    }

    /// The next move of a turn: at most one call, then the answer. Pure; no usage, since there is no model.
    pub fn plan(&self, prompt: &Prompt<'_>) -> Plan {
        let language = Language::of_text(prompt.message);
        let next = if prompt.rounds.is_empty() {
            self.first_move(prompt, language)
        } else {
            Move::Answer(say::results(&self.index, prompt.rounds, language))
        };
        Plan { next, usage: None }
    }

    fn first_move(&self, prompt: &Prompt<'_>, language: Language) -> Move {
        let sentence = Sentence::of(prompt.message);
        if follow::refuses(&sentence) {
            let waiting = follow::waiting(&self.index, prompt.history);
            return Move::Answer(say::dropped(waiting.as_deref(), language));
        }
        if let Some(turned) = follow::turned_page(&self.index, &sentence, prompt.history) {
            return match turned {
                follow::Page::Call { name, arguments } => call(prompt, name, arguments, None),
                follow::Page::NoneBefore => Move::Answer(say::first_page(language)),
            };
        }
        let decision = decide(&self.index, &sentence);
        if matches!(decision, Decision::Nothing)
            && let Some(whole) = follow::completed(&self.index, &sentence, prompt.history)
        {
            let whole = Sentence::of(&whole);
            let language = Language::of_text(whole.text);
            return self.carry_out(prompt, decide(&self.index, &whole), language);
        }
        self.carry_out(prompt, decision, language)
    }

    fn carry_out(&self, prompt: &Prompt<'_>, decision: Decision<'_>, language: Language) -> Move {
        match decision {
            Decision::Call { reading, unused } => {
                let said = (!unused.is_empty()).then(|| say::unused(&unused, language));
                call(prompt, &reading.entry.name, reading.arguments(), said)
            }
            other => Move::Answer(say::question(&self.index, &other, language)),
        }
    }
}

/// One call, with an id that no other turn of the conversation has.
fn call(prompt: &Prompt<'_>, name: &str, arguments: Map<String, Value>, said: Option<String>) -> Move {
    let id = format!("offline_{}_{}", prompt.history.len() + 1, prompt.rounds.len() + 1);
    Move::Calls { said, calls: vec![ToolCall { id, name: name.to_owned(), arguments: Ok(arguments) }] }
}

#[cfg(test)]
mod tests;
