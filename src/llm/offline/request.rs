//! What is wanted, and by which function where that was said by its name.

use super::{
    decide::{Decision, decide, decide_for},
    fill::Reading,
    index::{Entry, Index},
    sentence::Sentence,
};
use crate::domain::tool::Effect;

/// Words before a function's name that only say that it is to be called.
const CALLING: [&str; 11] = ["call", "run", "use", "execute", "invoke", "try", "调用", "执行", "运行", "使用", "用"];

/// Words before that which ask for it and say nothing more.
const POLITE: [&str; 20] = [
    "please",
    "kindly",
    "now",
    "then",
    "just",
    "can you",
    "could you",
    "would you",
    "will you",
    "i want to",
    "i want you to",
    "i'd like to",
    ",",
    "请",
    "请你",
    "请帮我",
    "帮我",
    "麻烦",
    "我要",
    "我想",
];
const QUOTES: [char; 5] = ['`', '"', '*', '“', '”'];

/// A wish in words, of one message or of several that belong together.
#[derive(Debug, Clone)]
pub(super) struct Request<'i> {
    pub(super) text: String,
    /// The function, where it was named or chosen.
    pub(super) entry: Option<&'i Entry>,
    /// Its name stands inside a sentence, which speaks of it and commands nothing: "what does deleteUser do?"
    pub(super) spoken_of: bool,
}

impl<'i> Request<'i> {
    /// A message as a wish. A function's name is a sentence without spaces: where it stands it decides the function, and is read as its
    /// words, so that it commands what they command and no more.
    pub(super) fn of(index: &'i Index, message: &str) -> Self {
        match named(index, message) {
            Some((entry, at)) => {
                let before = what_comes_before(at, message);
                Self { text: spoken(entry, before, at, message), entry: Some(entry), spoken_of: !before.is_empty() }
            }
            None => Self::in_words(message.to_owned(), None),
        }
    }

    pub(super) fn in_words(text: String, entry: Option<&'i Entry>) -> Self {
        Self { text, entry, spoken_of: false }
    }

    /// What to do about it; the sentence is that of its text.
    pub(super) fn decide<'a>(&self, index: &'a Index, sentence: &'a Sentence<'a>) -> Decision<'a>
    where
        'i: 'a,
    {
        match self.entry {
            Some(entry) if self.spoken_of && entry.effect == Effect::Changing => {
                Decision::NoCommand { reading: Reading::of(entry, sentence) }
            }
            Some(entry) => decide_for(index, sentence, entry),
            None => decide(index, sentence),
        }
    }
}

/// The function whose name stands in a message, and where, with no part of another name or word around it; of several the longest. A name that is one
/// plain word may as well be meant as that word.
fn named<'i>(index: &'i Index, message: &str) -> Option<(&'i Entry, usize)> {
    let spelled = |word: &str| word.chars().skip(1).any(|c| !c.is_lowercase());
    let known = |word: &str| index.entries.iter().find(|entry| entry.name == word);
    let words = words_like_names(message).filter(|(_, word)| spelled(word));
    words.filter_map(|(at, word)| Some((known(word)?, at))).max_by_key(|(entry, _)| entry.name.len())
}

/// The parts of a message that are made of what names are made of, or stand in a path, and where each begins.
fn words_like_names(message: &str) -> impl Iterator<Item = (usize, &str)> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    let mut at = 0;
    message.split_inclusive(move |c| !inside(c)).map(move |part| {
        let begins = at;
        at += part.len();
        (begins, part.trim_end_matches(|c| !inside(c)))
    })
}

/// What stands before a name, if it is more than that it is to be called.
fn what_comes_before(at: usize, message: &str) -> &str {
    let before = message.get(..at).unwrap_or_default().trim_end_matches(QUOTES);
    let asks = before.trim_end();
    let asks = CALLING.iter().find_map(|calling| asks.strip_suffix(calling)).unwrap_or(asks);
    if Sentence::of(asks).spans.iter().all(|span| POLITE.contains(&span.raw.as_str())) { "" } else { before }
}

/// The message with the name's words in its place, and without what only says that it is to be called: `call getUser(3)` is "get User 3".
fn spoken(entry: &Entry, before: &str, at: usize, message: &str) -> String {
    let after = message.get(at + entry.name.len()..).unwrap_or_default().trim_start_matches(QUOTES);
    let after = match after.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')').unwrap_or(inner),
        None => after,
    };
    format!("{before} {} {after}", in_words(&entry.name)).trim().to_owned()
}

/// The words of a name, in its letter case.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    let mut low = false;
    for c in name.chars() {
        if (c.is_uppercase() && low) || !c.is_alphanumeric() {
            words.push(' ');
        }
        if c.is_alphanumeric() {
            words.push(c);
        }
        low = c.is_lowercase() || c.is_ascii_digit();
    }
    words
}
