//! What words mean: English in its base form, names taken apart, and what English and Chinese words
//! stand for.

mod glossary;
mod lexicon;
mod stem;

pub use self::{
    glossary::{Glossary, glossary},
    lexicon::{Action, Cue, Lexicon, Meaning, lexicon},
    stem::{singular, stem, words_of_name},
};
