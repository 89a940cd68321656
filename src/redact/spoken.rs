//! A text that comes in pieces, without secrets: what may be the beginning of one is held back until it is known.

use std::{mem, ops::Range, sync::Mutex, sync::PoisonError};

use super::{Redactor, without};

/// What was said so far and cannot be told yet. All pieces together come out as the whole text would.
#[derive(Debug)]
pub struct Spoken {
    redactor: Redactor,
    held: Mutex<String>,
}

impl Spoken {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, held: Mutex::default() }
    }

    /// Takes the next piece, and gives what can be told by now.
    pub fn piece(&self, piece: &str) -> String {
        if self.redactor.is_empty() {
            return piece.to_owned();
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.push_str(piece);
        let found = self.redactor.found(held.as_bytes());
        let tellable = tellable(held.as_bytes(), &found, &self.redactor);
        let until = held.floor_char_boundary(tellable);
        let rest = held.split_off(until);
        let known: Vec<Range<usize>> = found.into_iter().filter(|place| place.end <= held.len()).collect();
        let told = mem::replace(&mut *held, rest);
        told_without(told, &known)
    }

    /// What was said so far counts no more: another text comes.
    pub fn forget(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Nothing more comes: gives what was held back.
    pub fn rest(&self) -> String {
        let held = mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        self.redactor.text(&held).into_owned()
    }
}

/// How much of the text is known for good: nothing that follows can make it, or a secret that ends behind it, more than was found.
fn tellable(text: &[u8], found: &[Range<usize>], redactor: &Redactor) -> usize {
    let mut until = redactor.open_from(text);
    // Places are apart, but a secret that is only begun may overlap one that is whole.
    while let Some(place) = found.iter().find(|place| place.start < until && until < place.end) {
        until = place.start;
    }
    until
}

fn told_without(told: String, found: &[Range<usize>]) -> String {
    if found.is_empty() {
        return told;
    }
    String::from_utf8_lossy(&without(told.as_bytes(), found)).into_owned()
}
