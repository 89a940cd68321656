//! What words mean: English in its base form, names taken apart, and a lexicon of English and Chinese.

mod lexicon;
mod stem;

pub use self::{
    lexicon::{Action, Cue, Lexicon, Meaning, lexicon},
    stem::{singular, stem, words_of_name},
};
