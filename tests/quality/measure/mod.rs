//! The sets of sentences that finding functions and planning without a model are measured with: the tests hold the figures to bounds,
//! `benches/quality.rs` writes them into docs/QUALITY.md and its Chinese twin.

mod functions;
mod office;
mod score;
mod sets;
mod table;

pub use self::{
    functions::Functions,
    score::{Planned, Score, score},
    sets::{SETS, Sentence, Set, set},
    table::{between_marks, table},
};
