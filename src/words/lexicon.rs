//! The lexicon: `lexicon.txt`, parsed once a process.

use std::{collections::HashMap, sync::LazyLock};

use super::stem::stem;
use crate::domain::language::is_ideograph;

/// What a sentence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    List,
    Get,
    /// List or get.
    Read,
    Create,
    Update,
    Delete,
}

impl Action {
    pub fn reads(self) -> bool {
        matches!(self, Self::List | Self::Get | Self::Read)
    }
}

/// What a word says of its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    Id,
    Ordinal,
    Page,
    PerPage,
    Top,
    Measure,
    Currency,
    Less,
    More,
    LessAfter,
    MoreAfter,
    Between,
    To,
    And,
    Since,
    Until,
    Assign,
    Named,
    Titled,
    Searching,
    Containing,
    Place,
    With,
    Of,
    Not,
    Refusal,
    Question,
    Supposing,
    Undone,
    Doubting,
    Next,
    Previous,
    Greeting,
    Help,
    Thanks,
    All,
    Weak,
}

/// One meaning of a form; a form may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Action(Action),
    /// A thing or property by its name in the lexicon.
    Word(&'static str),
    /// The opposite of a yes-or-no property.
    Not(&'static str),
    Cue(Cue),
    Stop,
}

/// Every form with its meanings.
#[derive(Debug)]
pub struct Lexicon {
    forms: HashMap<&'static str, Vec<Meaning>>,
    /// Stems of single English words, for words only.
    stems: HashMap<String, Vec<Meaning>>,
    /// The longest Chinese form, in characters, and the longest English one, in words.
    pub chars_max: usize,
    pub words_max: usize,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::parse(include_str!("lexicon.txt")));

/// The lexicon of English and Chinese.
pub fn lexicon() -> &'static Lexicon {
    &LEXICON
}

impl Lexicon {
    /// Reads the file's format; lines that do not follow it are left out (a test holds that there are none).
    fn parse(text: &'static str) -> Self {
        let mut lexicon = Self { forms: HashMap::new(), stems: HashMap::new(), chars_max: 1, words_max: 1 };
        for (head, forms) in text.lines().filter_map(entry) {
            let Some(meaning) = meaning(head) else { continue };
            for form in forms {
                lexicon.add(form, meaning);
            }
        }
        lexicon
    }

    fn add(&mut self, form: &'static str, meaning: Meaning) {
        if form.chars().any(is_ideograph) {
            self.chars_max = self.chars_max.max(form.chars().count());
        } else {
            self.words_max = self.words_max.max(form.split(' ').count());
        }
        push(self.forms.entry(form).or_default(), meaning);
        if matches!(meaning, Meaning::Word(_)) && form.is_ascii() && !form.contains(' ') {
            push(self.stems.entry(stem(form)).or_default(), meaning);
        }
    }

    /// The meanings of a form in lower case, exactly as it stands in the lexicon.
    pub fn exact(&self, form: &str) -> &[Meaning] {
        self.forms.get(form).map_or(&[], Vec::as_slice)
    }

    /// The meanings of one English word: its own, else those of its stem.
    pub fn of_word(&self, word: &str) -> &[Meaning] {
        match self.exact(word) {
            [] => self.stems.get(&stem(word)).map_or(&[], Vec::as_slice),
            meanings => meanings,
        }
    }

    /// The terms that one English word of a document is found by: the lexicon's names for it, and its stem.
    pub fn terms(&self, word: &str) -> Vec<String> {
        let stem = stem(word);
        let named = self.stems.get(&stem).into_iter().flatten().filter_map(|meaning| meaning.word());
        let mut terms: Vec<String> = named.map(str::to_owned).collect();
        if !terms.contains(&stem) {
            terms.push(stem);
        }
        terms
    }
}

impl Meaning {
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Word(name) => Some(name),
            _ => None,
        }
    }
}

fn push(meanings: &mut Vec<Meaning>, meaning: Meaning) {
    if !meanings.contains(&meaning) {
        meanings.push(meaning);
    }
}

fn entry(line: &'static str) -> Option<(&'static str, impl Iterator<Item = &'static str>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (head, forms) = line.split_once(" = ")?;
    Some((head.trim(), forms.split(", ").map(str::trim).filter(|form| !form.is_empty())))
}

fn meaning(head: &'static str) -> Option<Meaning> {
    let (kind, name) = head.split_once(' ').unwrap_or((head, ""));
    match kind {
        "action" => action(name).map(Meaning::Action),
        "word" => Some(Meaning::Word(name)),
        "not" => Some(Meaning::Not(name)),
        "cue" => cue(name).map(Meaning::Cue),
        "stop" => Some(Meaning::Stop),
        _ => None,
    }
}

fn action(name: &str) -> Option<Action> {
    Some(match name {
        "list" => Action::List,
        "get" => Action::Get,
        "read" => Action::Read,
        "create" => Action::Create,
        "update" => Action::Update,
        "delete" => Action::Delete,
        _ => return None,
    })
}

fn cue(name: &str) -> Option<Cue> {
    Some(match name {
        "id" => Cue::Id,
        "ordinal" => Cue::Ordinal,
        "page" => Cue::Page,
        "per_page" => Cue::PerPage,
        "top" => Cue::Top,
        "measure" => Cue::Measure,
        "currency" => Cue::Currency,
        "less" => Cue::Less,
        "more" => Cue::More,
        "less_after" => Cue::LessAfter,
        "more_after" => Cue::MoreAfter,
        "between" => Cue::Between,
        "to" => Cue::To,
        "and" => Cue::And,
        "since" => Cue::Since,
        "until" => Cue::Until,
        "assign" => Cue::Assign,
        "named" => Cue::Named,
        "titled" => Cue::Titled,
        "searching" => Cue::Searching,
        "containing" => Cue::Containing,
        "place" => Cue::Place,
        "with" => Cue::With,
        "of" => Cue::Of,
        "not" => Cue::Not,
        "refusal" => Cue::Refusal,
        "question" => Cue::Question,
        "supposing" => Cue::Supposing,
        "undone" => Cue::Undone,
        "doubting" => Cue::Doubting,
        "next" => Cue::Next,
        "previous" => Cue::Previous,
        "greeting" => Cue::Greeting,
        "help" => Cue::Help,
        "thanks" => Cue::Thanks,
        "all" => Cue::All,
        "weak" => Cue::Weak,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_understood() {
        for line in include_str!("lexicon.txt").lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let (head, forms) = entry(line).unwrap_or_else(|| panic!("no ` = ` in {line:?}"));
            assert!(meaning(head).is_some(), "{head:?}");
            for form in forms {
                assert_eq!(form, form.to_lowercase(), "{head}");
            }
        }
    }

    #[test]
    fn forms_and_inflections_have_meanings() {
        let lexicon = lexicon();
        assert!(lexicon.of_word("users").contains(&Meaning::Word("user")));
        assert!(lexicon.exact("订单").contains(&Meaning::Word("order")));
        assert!(lexicon.exact("get rid of").contains(&Meaning::Action(Action::Delete)));
        assert!(!lexicon.of_word("deleted").contains(&Meaning::Action(Action::Delete)));
        assert_eq!(lexicon.terms("Customers").first().map(String::as_str), Some("user"));
        assert!(lexicon.of_word("flurb").is_empty());
    }
}
