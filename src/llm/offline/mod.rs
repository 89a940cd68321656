//! The planner for when there is no model: lexical, bilingual, and silent rather than wrong.
//!
//! It finds the function whose words a sentence shares (BM25 over a bilingual lexicon), fills its arguments with what stands in the
//! sentence, and asks when something is missing or two functions fit alike. A changing call needs a verb that commands exactly that,
//! every required argument from the sentence, and no word that stays unexplained; a denial, a question or a supposition is no
//! command. After a call it answers with what came of it.

mod choice;
mod days;
mod decide;
mod fill;
mod follow;
mod index;
mod literal;
mod open;
mod request;
mod say;
mod sentence;
mod several;
mod slot;
mod verbs;

use serde_json::{Map, Value};

use super::{Move, Plan, Prompt};
use crate::{
    domain::{
        consent::Consent,
        language::Language,
        tool::{FunctionSpec, ToolCall},
    },
    words::Action,
};
use decide::Decision;
use index::Index;
use open::Open;
use sentence::Sentence;

/// The offline planner over one document's functions. Building it reads every function once; planning only reads.
#[derive(Debug)]
pub struct Offline {
    index: Index,
    why: Why,
}

/// Why it plans, which its answers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    NoModel,
    /// There is one, but its server did not answer.
    InPlaceOfModel,
}

/// What the ids of its calls begin with.
const ID_BEGINS: &str = "offline_";

impl Offline {
    pub fn new(functions: &[FunctionSpec]) -> Self {
        Self { index: Index::of(functions), why: Why::NoModel }
    }

    /// The planner for turns whose model does not answer.
    pub fn in_place_of_model(functions: &[FunctionSpec]) -> Self {
        Self { index: Index::of(functions), why: Why::InPlaceOfModel }
    }

    /// Whether a call was planned by an offline planner.
    pub fn planned(call: &ToolCall) -> bool {
        call.id.starts_with(ID_BEGINS)
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
        let open = Open::of(&self.index, prompt.history);
        if follow::refuses(&sentence) {
            let waiting = match &open {
                Open::Argument { entry, .. } => Some(entry.name.as_str()),
                Open::Choice { .. } | Open::Nothing => None,
            };
            return self.answer(say::dropped(waiting, language), false, language);
        }
        if let Some(turned) = follow::turned_page(&self.index, &sentence, prompt.history) {
            return match turned {
                follow::Page::Call { name, arguments } => self.call(prompt, name, arguments, None, language),
                follow::Page::NoneBefore => self.answer(say::first_page(language), false, language),
            };
        }
        let agrees = Consent::of_text(prompt.message) == Some(Consent::Yes);
        let request = match &open {
            // What still waits for an argument is asked again; a yes that something waits for otherwise never comes to a planner.
            Open::Argument { wanted, .. } if agrees => wanted.clone(),
            open => open.wish(&self.index, prompt.message),
        };
        let sentence = Sentence::of(&request.text);
        let decision = request.decide(&self.index, &sentence);
        if agrees && matches!(decision, Decision::Nothing) {
            return self.answer(say::nothing_to_agree_to(language), false, language);
        }
        self.carry_out(prompt, decision, Language::of_text(&request.text))
    }

    fn carry_out(&self, prompt: &Prompt<'_>, decision: Decision<'_>, language: Language) -> Move {
        match decision {
            Decision::Call { reading, unused } => {
                let left_out = match reading.entry.action {
                    _ if reading.asks_for_an_order() => say::LeftOut::Order,
                    Some(Action::List) => say::LeftOut::Filter,
                    _ => say::LeftOut::Words,
                };
                let said = (!unused.is_empty()).then(|| say::unused(&unused, left_out, language));
                self.call(prompt, &reading.entry.name, reading.arguments(), said, language)
            }
            other => {
                let plain = matches!(other, Decision::Thanks);
                self.answer(say::question(&self.index, &other, language), !plain, language)
            }
        }
    }

    /// An answer without a call. Where a model was expected, it says in any case whose it is.
    fn answer(&self, said: String, names_itself: bool, language: Language) -> Move {
        let named = names_itself || self.why == Why::InPlaceOfModel;
        Move::Answer(if named { format!("{}\n\n{said}", say::who(self.why, language)) } else { said })
    }

    /// One call, with an id that no other turn of the conversation has. Where a model was expected, that it is not the model's is said.
    fn call(&self, prompt: &Prompt<'_>, name: &str, arguments: Map<String, Value>, said: Option<String>, language: Language) -> Move {
        let id = format!("{ID_BEGINS}{}_{}", prompt.history.len() + 1, prompt.rounds.len() + 1);
        let who = (self.why == Why::InPlaceOfModel).then(|| say::who(self.why, language).to_owned());
        let said: Vec<String> = who.into_iter().chain(said).collect();
        let said = (!said.is_empty()).then(|| said.join("\n\n"));
        Move::Calls { said, calls: vec![ToolCall { id, name: name.to_owned(), arguments: Ok(arguments) }] }
    }
}

#[cfg(test)]
mod repository_tests;
#[cfg(test)]
mod shop_tests;
#[cfg(test)]
mod tests;
